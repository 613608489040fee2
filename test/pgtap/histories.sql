-- What histories can have beside the items that a user took: dislikes, columns of items, attention.
BEGIN;
SELECT no_plan();
SET client_min_messages = warning;

CREATE TABLE log AS SELECT label, domain, user_id, item_id, 'c' || category AS category, 'a' || age_band AS age_band, ARRAY['c' || category, 'all'] AS tags, sequence, CASE sequence % 10 WHEN 8 THEN 'valid' WHEN 9 THEN 'test' ELSE 'train' END AS split
FROM aread_simulate(4000, domains => 5, users => 60, items => 50, groups => 1, strength => 3, seed => 5);
CREATE FUNCTION train(model text, history text, more jsonb DEFAULT '{}') RETURNS integer LANGUAGE sql AS $$
  SELECT version FROM aread_train('log', model, 'label', 'domain', '{domain,user_id,item_id,category,age_band,tags}', 'user_id', 'item_id', 'split',
    '{"architecture": "fm", "wide": false, "row_counts": false, "trees": 0, "calibration": false, "embed_dim": 3, "epochs": 4, "batch_size": 64, "learning_rate": 0.02}'
    || jsonb_build_object('history', history::jsonb) || more) $$;
SELECT train('plain', 'true'), train('dislikes', '{"dislikes": true}'), train('side', '{"side": ["category"]}'), train('attention', '{"attention": true}'),
  train('all', '{"dislikes": true, "side": ["category"], "attention": true}') \g /dev/null

SELECT results_eq($$SELECT model, config->'history.dislikes', config->'history.side', config->'history.attention' FROM aread.model ORDER BY model$$,
  $$VALUES ('all', 'true'::jsonb, '["category"]'::jsonb, 'true'::jsonb), ('attention', 'false', '[]', 'true'), ('dislikes', 'true', '[]', 'false'), ('plain', 'false', '[]', 'false'), ('side', 'false', '["category"]', 'false')$$, 'options are told');
SELECT set_eq($$SELECT name, feature FROM aread_tensors('all') WHERE name LIKE 'taste.%' AND kind = 'rows'$$,
  $$VALUES ('taste.users', 'user_id'), ('taste.items', 'item_id'), ('taste.members', 'item_id'), ('taste.dislikes', 'item_id'), ('taste.items.3', 'category'), ('taste.members.3', 'category'), ('taste.dislikes.3', 'category')$$, 'tensors of rows');
SELECT set_eq($$SELECT name, shape FROM aread_tensors('all') WHERE name LIKE 'taste.%' AND kind = 'dense'$$,
  $$SELECT 'taste.' || l || p, s FROM (VALUES ('attention'), ('dislike_attention')) a(l), (VALUES ('.weight', '{8,9}'::int[]), ('.bias', '{8}'), ('.out', '{8}'), ('.base', '{1}')) t(p, s)$$, 'and of attention');

-- Numbers of tensors, and ids of values.
CREATE FUNCTION cells(model text, tensor text) RETURNS TABLE (id int, e int, v float8) LANGUAGE sql AS $$
  SELECT i - 1, j, t[i][j] FROM aread_tensor($1, $2) t, generate_subscripts(t, 1) i, generate_subscripts(t, 2) j $$;
CREATE FUNCTION vectors(model text, feature text, tensor text) RETURNS TABLE (value text, e int, v float8) LANGUAGE sql AS $$
  SELECT value, e, v FROM aread_vectors($1, $2) JOIN cells($1, $3) USING (id) WHERE status = 'known' $$;
-- What a history adds to the logit of each row of a user and an item, by items and their categories.
CREATE FUNCTION taste(model text) RETURNS TABLE (user_id int, item_id int, logit float8) LANGUAGE sql AS $$
  WITH side AS (SELECT DISTINCT item_id, category FROM log),
  has_side AS (SELECT count(*) > 0 AS yes FROM aread_tensors($1) WHERE name = 'taste.items.3'),
  q AS MATERIALIZED (SELECT i.value::int AS item_id, i.e, i.v + COALESCE(s.v, 0) AS v FROM vectors($1, 'item_id', 'taste.items') i JOIN side ON item_id = value::int LEFT JOIN (SELECT * FROM vectors($1, 'category', 'taste.items.3') WHERE (SELECT yes FROM has_side)) s ON s.value = category AND s.e = i.e),
  lists AS (VALUES ('members', 1), ('dislikes', 0)),
  m AS MATERIALIZED (SELECT column2 AS label, i.value::int AS item_id, i.e, i.v + COALESCE(s.v, 0) AS v FROM lists, LATERAL vectors($1, 'item_id', 'taste.' || column1) i JOIN side ON item_id = value::int
    LEFT JOIN LATERAL (SELECT * FROM vectors($1, 'category', 'taste.' || column1 || '.3') WHERE (SELECT yes FROM has_side)) s ON s.value = category AND s.e = i.e WHERE column1 = 'members' OR EXISTS (SELECT FROM aread_tensors($1) WHERE name = 'taste.dislikes')),
  kept AS MATERIALIZED (SELECT DISTINCT user_id, item_id, label FROM log WHERE split = 'train'),
  pairs AS MATERIALIZED (SELECT DISTINCT user_id, item_id FROM log WHERE sequence % 7 = 0)
  SELECT p.user_id, p.item_id, sum(h.v * q.v) FROM pairs p JOIN q USING (item_id), LATERAL
    (SELECT k.label, sum(m.v) / sqrt(count(*)) AS v FROM kept k JOIN m USING (item_id, label) WHERE k.user_id = p.user_id AND k.item_id <> p.item_id AND m.e = q.e GROUP BY k.label) h GROUP BY 1, 2 $$;
-- Rows with a history less those with none: with it a user's vector and all else are the same.
CREATE FUNCTION logit(p float8) RETURNS float8 LANGUAGE sql AS 'SELECT ln(p / (1 - p))';
SELECT is_empty($$SELECT l.user_id, l.item_id, logit, effect FROM log l JOIN taste('side') t USING (user_id, item_id), LATERAL (SELECT l.user_id, l.item_id, l.domain, l.category, l.age_band, l.tags, '{}'::int[] AS history) r,
  LATERAL (SELECT logit(aread_predict('side', l)) - logit(aread_predict('side', r)) AS effect) e WHERE (abs(logit - effect) < 1e-3) IS NOT TRUE$$, 'categories of a history''s items');
SELECT is(count(*) > 300 AND max(abs(logit)) > 0.05, true, 'count for something') FROM taste('side');
SELECT is(max(abs(d.logit)) > 0.05, true, 'and so do dislikes') FROM taste('dislikes') d;

-- Dislikes are the user's own, whatever he brings.
SELECT is_empty($$SELECT FROM log l, LATERAL (SELECT l.user_id, l.item_id, l.domain, l.category, l.age_band, l.tags, (SELECT array_agg(DISTINCT k.item_id) FROM log k WHERE k.user_id = l.user_id AND k.label = 1 AND k.split = 'train') AS history) r
  WHERE abs(aread_predict('all', r) - aread_predict('all', l)) > 1e-6 OR abs(aread_predict('all', to_jsonb(l)) - aread_predict('all', l)) > 1e-6$$, 'a history that the row brings has the same categories, weights and dislikes');
SELECT is_empty($$SELECT FROM aread_recommend('all', NULL, 5) r JOIN (SELECT DISTINCT item_id::text, category FROM log) s USING (item_id) JOIN (SELECT DISTINCT user_id::text, age_band FROM log) u USING (user_id)
  WHERE abs(score - aread_predict('all', jsonb_build_object('user_id', user_id, 'item_id', item_id, 'domain', domain, 'category', category, 'age_band', age_band, 'tags', ARRAY[category, 'all']))) > 1e-5$$, 'lists are made by the same scores');
SELECT is(abs(test.auc - told.auc) < 1e-9, true, 'an evaluation has the measures of the training') FROM aread_evaluate('all', 'log', split => 'test') test, (SELECT test_auc AS auc FROM aread.model WHERE model = 'all') told;
SELECT aread_import(aread_export('all'), 'copy') \g /dev/null
SELECT is_empty($$SELECT FROM log l WHERE aread_predict('copy', l) <> aread_predict('all', l)$$, 'all of it goes with an export');
SELECT results_eq($$SELECT kept_bytes FROM aread.model WHERE model = 'all'$$, $$SELECT sum(octet_length(data) - 16) FROM aread.stored_chunk c JOIN aread.stored_version USING (version_id) JOIN aread.stored_model m USING (model_id) WHERE m.name = 'all' AND c.kind = 'entities'$$, 'and counts among what is kept');
SELECT is(count(*), 1::bigint, 'explained') FROM aread_explain('all', (SELECT l FROM log l LIMIT 1)) WHERE part = 'history' AND effect <> 0;
-- An item never seen, of a category that is known: his taste for it counts.
SELECT is(count(DISTINCT round(aread_predict('side', jsonb_build_object('user_id', 7, 'item_id', -1, 'domain', 'domain_01', 'category', category))::numeric, 6)) > 3, true, 'new items differ by category') FROM (SELECT DISTINCT category FROM log) c;
SELECT is(count(*) > 300, true, 'by the history, too') FROM log l, LATERAL (SELECT l.user_id, -1 AS item_id, l.domain, l.category, l.age_band, l.tags, '{3,4,5}'::int[] AS history) r, LATERAL (SELECT l.user_id, -1 AS item_id, l.domain, l.category, l.age_band, l.tags, '{}'::int[] AS history) n
WHERE abs(aread_predict('side', r) - aread_predict('side', n)) > 1e-4;

-- Threads share the work, and make no difference.
SET LOCAL aread.threads = 1;
SELECT train('alone', '{"dislikes": true, "side": ["category"], "attention": true}'), train('alone, without', '{"dislikes": true, "side": ["category"]}') \g /dev/null
SET LOCAL aread.threads = 3;
SELECT train('three', '{"dislikes": true, "side": ["category"], "attention": true}'), train('three, without', '{"dislikes": true, "side": ["category"]}') \g /dev/null
SELECT is(count(DISTINCT crc), 2::bigint, 'the same models') FROM aread.model WHERE model LIKE 'alone%' OR model LIKE 'three%';

-- Sampled negatives are no dislikes, and a log has no others.
CREATE VIEW taken AS SELECT domain, user_id, item_id, split FROM log WHERE label = 1;
SELECT aread_train('taken', 'sampled', NULL, 'domain', NULL, 'user_id', 'item_id', 'split', '{"architecture": "fm", "negatives": 2, "embed_dim": 3, "epochs": 1, "history": {"dislikes": true}}') \g /dev/null
SELECT is(max(abs(v)), 0::float8, 'nothing has been learnt of them') FROM cells('sampled', 'taste.dislikes') WHERE id >= 3;

-- What is refused.
SELECT throws_ok(format('SELECT train(%L, %L)', 'x', history), state, message, message)
FROM (VALUES ('{"side": "category"}', '22023', 'option "history.side" must be an array of column names'), ('{"side": {"category": 1}}', '22023', 'option "history.side" must be an array of column names'),
  ('{"side": ["category", 3]}', '22023', 'option "history.side" must be an array of column names, but element 2 is none'), ('{"side": [["category"]]}', '22023', 'option "history.side" must be an array of column names, but element 1 is none'),
  ('{"side": ["category", "category"]}', '22023', 'option "history.side" has column "category" twice'), ('{"side": ["a", "b", "c", "d", "e", "f", "g", "h", "i"]}', '22023', 'option "history.side" has more than 8 elements'),
  (format('{"side": ["%s"]}', repeat('x', 64)), '22023', format('option "history.side" has "%s", which is longer than any column''s name', repeat('x', 64))),
  ('{"side": ["genre"]}', '42703', 'column "genre" of option "history.side" is no feature'), ('{"side": ["sequence"]}', '42703', 'column "sequence" of option "history.side" is no feature'),
  ('{"side": ["domain"]}', '22023', 'column "domain" of option "history.side" is the domain, the user or the item'), ('{"side": ["tags"]}', '22023', 'column "tags" of option "history.side" is a feature of kind "list"'),
  ('{"side": ["category", "age_band"]}', '22023', 'column "age_band" of option "history.side" does not go with the items'),
  ('{"dislikes": 1}', '22023', 'option "history.dislikes" must be true or false'), ('{"attention": "yes"}', '22023', 'option "history.attention" must be true or false')) r(history, state, message);
SELECT throws_ok($$SELECT train('x', '{"length": 150, "dislikes": true}', '{"batch_size": 65536}')$$, '22023', 'options "batch_size" and "history.length" make histories of 19660800 items in a batch, more than 16777216', 'two lists need twice the room');

-- Damage.
CREATE FUNCTION without(part text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM train('gone', '{"dislikes": true, "side": ["category"]}');
  DELETE FROM aread.stored_chunk WHERE name = part AND version_id = (SELECT max(version_id) FROM aread.stored_version);
  PERFORM aread_predict('gone', l) FROM log l;
END $$;
SELECT throws_ok(format('SELECT without(%L)', kind), 'XX001', format('stored %s are corrupt: they are missing', kind), 'no ' || kind) FROM unnest('{dislikes,sides}'::text[]) kind;
SELECT aread_import(aread_export('all'), 'damaged') \g /dev/null
UPDATE aread.stored_chunk SET data = set_byte(data, octet_length(data) - 200, get_byte(data, octet_length(data) - 200) # 1) WHERE name = 'sides' AND version_id = (SELECT version_id FROM aread.stored_version JOIN aread.stored_model USING (model_id) WHERE name = 'damaged');
SELECT throws_ok($$SELECT aread_predict('damaged', l) FROM log l$$, 'XX001', NULL, 'a bit of a category');

-- a column that goes with users as much as with items: histories have it of items, and so have sampled negatives
CREATE TABLE branded AS SELECT 'd' || i % 3 AS domain, b * 40 + i % 40 AS user_id, b * 30 + i % 30 AS item_id, 'brand ' || b AS brand FROM generate_series(1, 600) i, generate_series(0, 3) b;
CREATE FUNCTION pg_temp.brand_goes(model text, options jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM aread_train('branded', $1, options => '{"negatives": 2, "architecture": "fm", "epochs": 1}'::jsonb || $2);
  RETURN (SELECT goes_with_item FROM aread.feature f WHERE f.model = $1 AND name = 'brand');
END $$;
SELECT is(pg_temp.brand_goes('of rows', '{}'), false, 'rows do not tell whose the brand is');
SELECT is(pg_temp.brand_goes('of items', '{"history": {"side": ["brand"]}}'), true, 'it is the item''s, where histories have it');
SELECT throws_ok($$SELECT pg_temp.brand_goes('x', '{"history": {"side": ["brand"]}, "features": {"brand": {"goes_with_item": false}}}')$$, '22023', 'column "brand" of option "history.side" has "goes_with_item" false', 'not both');
-- an option that fm does not use leaves its histories alone
SELECT is(config -> 'history.length', '50'::jsonb, 'as long as by default') FROM aread_train('branded', 'long', options => '{"negatives": 2, "architecture": "fm", "epochs": 1, "score_batches": 1000, "batch_size": 4096}') t JOIN aread.model m ON m.model = t.trained_model;

SELECT * FROM finish();
ROLLBACK;
