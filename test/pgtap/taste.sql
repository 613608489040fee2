-- Users' histories: the term that they add to scores, recomputed from tensors and rows.
BEGIN;
SELECT no_plan();
SET client_min_messages = warning;

CREATE TABLE log AS SELECT label, domain, user_id, item_id, sequence, CASE sequence % 10 WHEN 8 THEN 'valid' WHEN 9 THEN 'test' ELSE 'train' END AS split
FROM aread_simulate(4000, domains => 5, users => 60, items => 50, groups => 1, strength => 3, seed => 5);
CREATE FUNCTION train(model text, split text, history text, more jsonb DEFAULT '{}') RETURNS integer LANGUAGE sql AS $$
  SELECT version FROM aread_train('log', model, 'label', 'domain', '{domain,user_id,item_id}', 'user_id', 'item_id', split,
    '{"architecture": "fm", "wide": false, "row_counts": false, "trees": 0, "calibration": false, "embed_dim": 3, "epochs": 4, "batch_size": 64, "learning_rate": 0.02}'
    || jsonb_build_object('history', history::jsonb) || more) $$;
SELECT train('all rows', 'split', '{"length": 1000, "of": "all"}'), train('positives', 'split', '{"length": 1000, "l2": 0}'), train('by time', 'sequence', '{"length": 4}'), train('none', 'split', 'false') \g /dev/null

SELECT results_eq($$SELECT model, config->'history.length', config->>'history.of', config->'history.l2' FROM aread.model ORDER BY model COLLATE "C"$$,
  $$VALUES ('all rows', '1000'::jsonb, 'all', '0.02'::jsonb), ('by time', '4', 'positives', '0.02'), ('none', '0', 'positives', '0.02'), ('positives', '1000', 'positives', '0')$$, 'options are told');
SELECT results_eq($$SELECT name, kind, feature, shape FROM aread_tensors('positives') WHERE name LIKE 'taste.%' ORDER BY name$$,
  $$SELECT 'taste.' || t, 'rows', f, ARRAY[3 + n, 3]::int[] FROM (SELECT count(DISTINCT user_id) AS users, count(DISTINCT item_id) AS items FROM log WHERE split = 'train') c,
    LATERAL (VALUES ('items', 'item_id', items), ('members', 'item_id', items), ('users', 'user_id', users)) v(t, f, n)$$, 'tensors');
SELECT is_empty($$SELECT FROM aread_tensors('none') WHERE name LIKE 'taste.%'$$, 'none without a history');

-- Numbers of tensors, and ids of values.
CREATE FUNCTION cells(model text, tensor text) RETURNS TABLE (id int, e int, v float8) LANGUAGE sql AS $$
  SELECT i - 1, j, t[i][j] FROM aread_tensor($1, $2) t, generate_subscripts(t, 1) i, generate_subscripts(t, 2) j $$;
CREATE FUNCTION ids(model text, feature text) RETURNS TABLE (value text, id int) LANGUAGE sql AS $$
  SELECT value, id FROM aread_vectors($1, $2) WHERE status = 'known' $$;
-- Training rows that are in histories, by user, the newest first.
CREATE FUNCTION kept(model text, positives boolean, by_time boolean) RETURNS TABLE (user_id int, item_id int, place bigint) LANGUAGE sql AS $$
  SELECT user_id, item_id, row_number() OVER (PARTITION BY user_id ORDER BY max(sequence) DESC)
  FROM log l WHERE CASE WHEN by_time THEN aread_split($1, l) ELSE split END = 'train' AND (label = 1 OR NOT positives)
  GROUP BY user_id, item_id, CASE WHEN by_time THEN sequence END $$;
CREATE FUNCTION check_scores(model text, positives boolean, by_time boolean, length int) RETURNS SETOF text LANGUAGE sql AS $$
  WITH kept AS MATERIALIZED (SELECT * FROM kept($1, positives, by_time) WHERE place <= $4 + 1),
  users AS MATERIALIZED (SELECT value::int AS user_id, c.* FROM ids($1, 'user_id') i JOIN cells($1, 'taste.users') c USING (id)),
  items AS MATERIALIZED (SELECT value::int AS item_id, c.e, c.v, m.v AS y FROM ids($1, 'item_id') i JOIN cells($1, 'taste.items') c USING (id) JOIN cells($1, 'taste.members') m USING (id, e)),
  x0 AS MATERIALIZED (SELECT f, n.value, a.e, a.v FROM (VALUES ('domain', 0), ('user_id', 1), ('item_id', 2)) fields(f, t), ids($1, f) n JOIN LATERAL cells($1, 'embedding.' || t) a USING (id)),
  chosen AS MATERIALIZED (SELECT * FROM log WHERE sequence % 7 = 0 AND user_id IN (SELECT user_id FROM users) AND item_id IN (SELECT item_id FROM items)),
  taste AS (SELECT s.sequence, sum((u.v + COALESCE(h.v, 0)) * i.v) AS logit, sum(COALESCE(h.v, 0) * i.v) AS own
    FROM chosen s JOIN users u USING (user_id) JOIN items i ON i.item_id = s.item_id AND i.e = u.e
    LEFT JOIN LATERAL (SELECT sum(y) / sqrt(count(*)) AS v FROM (SELECT item_id FROM kept k WHERE k.user_id = s.user_id AND k.item_id <> s.item_id ORDER BY place LIMIT $4) k JOIN items m USING (item_id) WHERE m.e = u.e) h ON true
    GROUP BY 1),
  pairs AS (SELECT s.sequence, sum(a.v * b.v) AS logit FROM chosen s, x0 a JOIN x0 b ON a.f < b.f AND a.e = b.e
    WHERE a.value = CASE a.f WHEN 'domain' THEN s.domain WHEN 'user_id' THEN s.user_id::text ELSE s.item_id::text END AND b.value = CASE b.f WHEN 'domain' THEN s.domain WHEN 'user_id' THEN s.user_id::text ELSE s.item_id::text END
    GROUP BY 1)
  SELECT format('row %s: %s, not %s (%s)', sequence, score, p, t.own) FROM chosen s JOIN taste t USING (sequence) JOIN pairs USING (sequence),
    LATERAL (SELECT 1 / (1 + exp(-((aread_tensor($1, 'bias'))[1] + pairs.logit + t.logit))) AS p, aread_predict($1, s) AS score) c
  WHERE (abs(p - score) < 1e-5) IS NOT TRUE
  UNION ALL SELECT 'histories count next to nothing' FROM taste HAVING (max(abs(own)) > 0.05 AND count(*) > 300) IS NOT TRUE $$;
SELECT is_empty(format('SELECT check_scores(%L, %L, %L, %s)', model, positives, by_time, length), format('scores of %s', model))
FROM (VALUES ('all rows', false, false, 1000), ('positives', true, false, 1000), ('by time', true, true, 4)) m(model, positives, by_time, length);

-- Whoever asks, and however.
SELECT is(sum(abs(aread_predict('positives', l) - aread_predict('positives', to_jsonb(l)))) < 1e-3, true, 'JSON has the same history') FROM log l;
SELECT is_empty($$SELECT FROM aread_recommend('positives', NULL, 5) r WHERE abs(score - aread_predict('positives', jsonb_build_object('user_id', user_id, 'item_id', item_id, 'domain', domain))) > 1e-5$$, 'lists are made by the same scores');
SELECT is(abs(test.auc - told.auc) < 1e-9, true, 'an evaluation has the measures of the training')
FROM aread_evaluate('positives', 'log', split => 'test') test, (SELECT test_auc AS auc FROM aread.model WHERE model = 'positives') told;
SELECT lives_ok($$SELECT aread_import(aread_export('positives'), 'copy')$$, 'histories go with an export');
SELECT is_empty($$SELECT FROM log l WHERE aread_predict('copy', l) <> aread_predict('positives', l)$$, 'and score alike');
SELECT results_eq($$SELECT count(DISTINCT aread_predict('positives', jsonb_build_object('user_id', u, 'item_id', 1, 'domain', 'domain_01'))) FROM unnest('{-1,-2,-3}'::int[]) u$$, 'VALUES (1::bigint)', 'users never seen have none');

-- A history that the row brings.
CREATE VIEW liked AS SELECT user_id, array_agg(DISTINCT item_id) FILTER (WHERE label = 1 AND split = 'train') AS history FROM log GROUP BY user_id;
SELECT is_empty($$SELECT FROM log l JOIN liked USING (user_id), LATERAL (SELECT l.user_id, l.item_id, l.domain, history) r
  WHERE abs(aread_predict('positives', r) - aread_predict('positives', l)) > 1e-6 OR abs(aread_predict('positives', to_jsonb(r)) - aread_predict('positives', l)) > 1e-6$$, 'as the model has it');
SELECT is(count(*) > 300, true, 'another one counts') FROM log l, LATERAL (SELECT l.user_id, l.item_id, l.domain, '{3,4,5}'::text[] AS history) r WHERE abs(aread_predict('positives', r) - aread_predict('positives', l)) > 1e-3;
SELECT is_empty($$SELECT FROM log l, LATERAL (SELECT l.user_id, l.item_id, l.domain, '{4,5}'::int[] AS history) a, LATERAL (SELECT l.user_id, l.item_id, l.domain, ARRAY[4, NULL, 999, 5, l.item_id] AS history) b
  WHERE l.item_id NOT IN (4, 5) AND aread_predict('positives', a) <> aread_predict('positives', b)$$, 'items never seen, and its own, do not');
SELECT is_empty($$SELECT FROM log l, LATERAL (SELECT l.user_id, l.item_id, l.domain, NULL::int[] AS history) r WHERE aread_predict('positives', r) <> aread_predict('positives', l)$$, 'NULL is the model''s');
SELECT results_eq($$SELECT aread_predict('positives', '{"user_id": 7, "item_id": 9, "domain": "domain_01", "history": []}')$$,
  $$SELECT aread_predict('positives', '{"user_id": 7, "item_id": 9, "domain": "domain_01", "history": [999]}')$$, 'an empty one is none');
SELECT is_empty($$SELECT FROM log l, LATERAL (SELECT l.user_id, l.item_id, l.domain, '{3,4,5}'::int[] AS history) r WHERE aread_predict('none', r) <> aread_predict('none', l)$$, 'a model without histories takes no notice');
SELECT results_eq($$SELECT aread_predict('positives', '{"user_id": 7, "item_id": 9, "domain": "domain_01", "history": null}')$$,
  $$SELECT aread_predict('positives', '{"user_id": 7, "item_id": 9, "domain": "domain_01"}')$$, 'null is the model''s in JSON, too');
SELECT is_empty($$SELECT FROM aread_recommend('positives', '{7,8,-1}'::int[], 5, context => '{"history": [3, 4, 5]}') r
  WHERE abs(score - aread_predict('positives', jsonb_build_object('user_id', user_id, 'item_id', item_id, 'domain', domain, 'history', '[3,4,5]'::jsonb))) > 1e-5$$, 'the context has every user''s history');
SELECT is(count(*), 15::bigint, 'of each') FROM aread_recommend('positives', '{7,8,-1}'::int[], 5, context => '{"history": [3, 4, 5]}');
SELECT isnt(a.items, b.items, 'which makes other lists') FROM (SELECT array_agg(item_id ORDER BY rank) AS items FROM aread_recommend('positives', 7, 10, context => '{"history": [3, 4, 5]}')) a,
  (SELECT array_agg(item_id ORDER BY rank) AS items FROM aread_recommend('positives', 7, 10)) b;
SELECT is_empty($$SELECT FROM aread_recommend('positives', -1, 50, context => '{"history": [3, 4, 5]}') WHERE item_id IN ('3', '4', '5')$$, 'its items are seen');
SELECT is_empty(format($$SELECT FROM aread_recommend('by time', -1, 60, context => %L) WHERE item_id::int <= 20$$, context), 'all that it names, however many count: ' || context::text)
FROM (SELECT jsonb_build_object('history', jsonb_agg(i ORDER BY i)) FROM generate_series(1, 20) i UNION ALL SELECT jsonb_build_object('history', jsonb_agg(i || '.0' ORDER BY i)) FROM generate_series(1, 20) i) c(context);
CREATE VIEW fresh AS SELECT DISTINCT item_id, 'domain_01' AS domain FROM log UNION ALL SELECT 900 + i, 'domain_01' FROM generate_series(1, 5) i;
SELECT set_eq($$SELECT item_id FROM aread_recommend('positives', -1, 100, context => '{"history": [3, 902, "0904", 905.0, 999]}', candidates => 'fresh')$$,
  $$SELECT item_id::text FROM fresh WHERE item_id NOT IN (3, 902, 904, 905)$$, 'those that training has not seen, too');
SELECT train('hashed items', 'split', 'true', '{"features": {"item_id": {"buckets": 16}}}') \g /dev/null
SELECT set_eq($$SELECT item_id FROM aread_recommend('hashed items', -1, 100, context => '{"history": [3, 17, 902, "0904", 999, null]}', candidates => 'fresh')$$,
  $$SELECT item_id::text FROM fresh WHERE item_id NOT IN (3, 17, 902, 904)$$, 'and hashed ones, each by itself');
SELECT is(count(*), 3::bigint, 'unless those are wanted') FROM aread_recommend('positives', -1, 50, context => '{"history": [3, 4, 5]}', exclude_seen => false) WHERE item_id IN ('3', '4', '5');
SELECT throws_ok($$SELECT aread_predict('positives', '{"history": [1], "history": [2]}'::json)$$, '22030', 'feature "history" is ambiguous', 'two histories');
SELECT results_eq($$SELECT kept_bytes FROM aread.model WHERE model = 'positives'$$, $$SELECT sum(octet_length(data) - 16) FROM aread.stored_chunk c JOIN aread.stored_version USING (version_id) JOIN aread.stored_model m USING (model_id) WHERE m.name = 'positives' AND c.kind = 'entities'$$, 'histories count among what is kept');
SELECT throws_ok($$SELECT aread_recommend('none', 7, 5, context => '{"history": [3]}')$$, '42703', 'no key of the object is a feature of the model', 'none of a model without');
SELECT is(aread_predict('by time', '{"user_id": 7, "item_id": 9, "domain": "domain_01", "history": [1,2,3,4,5,6,7,8,10,11,12,999]}'), aread_predict('by time', '{"user_id": 7, "item_id": 9, "domain": "domain_01", "history": [8,10,11,12]}'), 'the newest that are known count');
SELECT is(aread_predict('by time', '{"user_id": 7, "item_id": 9, "domain": "domain_01", "history": [8,9,10,9,11,12]}'), aread_predict('by time', '{"user_id": 7, "item_id": 9, "domain": "domain_01", "history": [10,11,12]}'), 'of the newest length + 1 those of other items');
SELECT throws_ok($$SELECT aread_predict('positives', '{"user_id": 7, "item_id": 9, "domain": "domain_01", "history": 3}')$$, '42804', 'feature "history" of model "positives" is a list, but its value is not an array', 'no array');
SELECT lives_ok($$SELECT * FROM aread_explain('positives', (SELECT r FROM (SELECT 7 AS user_id, 9 AS item_id, 'domain_01' AS domain, '{3,4}'::int[] AS history) r))$$, 'explained');

SELECT results_eq($$SELECT value, status, round(effect::numeric, 4) FROM aread_explain('positives', (SELECT r FROM (SELECT 7 AS user_id, 9 AS item_id, 'domain_01' AS domain, '{3,4}'::int[] AS history) r)) WHERE part = 'history'$$,
  $$SELECT '2 items', 'known', round(sum(s * ln(p / (1 - p)))::numeric, 4) FROM (VALUES (1, '{3,4}'::int[]), (-1, '{}')) h(s, history), LATERAL (SELECT 7 AS user_id, 9 AS item_id, 'domain_01' AS domain, history) r, aread_predict('positives', r) p$$, 'what a history that is passed does');
SELECT results_eq($$SELECT value, status, round(effect::numeric, 4) FROM aread_explain('positives', '{"user_id": 7, "item_id": 9, "domain": "domain_01"}'::jsonb) WHERE part = 'history'$$,
  $$SELECT cardinality(history) || ' items', 'known', (SELECT round(sum(s * ln(p / (1 - p)))::numeric, 4) FROM (VALUES (1, NULL), (-1, '{}'::int[])) h(s, history), LATERAL (SELECT 7 AS user_id, 9 AS item_id, 'domain_01' AS domain, history) r, aread_predict('positives', r) p)
    FROM liked WHERE user_id = 7$$, 'and the one that is kept');
SELECT results_eq($$SELECT value, status, effect FROM aread_explain('positives', '{"user_id": -1, "item_id": 9, "domain": "domain_01"}'::jsonb) WHERE part = 'history'$$, $$VALUES ('0 items', 'missing', 0::float8)$$, 'a stranger''s');
SELECT is_empty($$SELECT FROM aread_explain('none', '{"user_id": 7, "item_id": 9, "domain": "domain_01"}'::jsonb) WHERE part = 'history'$$, 'a model without');

-- Rows of one content, at several times, and several at a time: where they lie makes no difference.
CREATE TABLE again AS SELECT label, domain, user_id % 12 AS user_id, item_id % 8 AS item_id, sequence / 5 AS at, sequence % 3 + 1 AS weight FROM log;
CREATE TABLE shuffled AS SELECT * FROM again ORDER BY hashint8(at * 7919 + user_id * 31 + item_id);
SELECT cmp_ok(count(*), '>', 1000::bigint, 'rows of one content have several times') FROM again a WHERE EXISTS (SELECT FROM again b WHERE (a.label, a.domain, a.user_id, a.item_id) = (b.label, b.domain, b.user_id, b.item_id) AND a.at <> b.at);
CREATE FUNCTION crc_of(source regclass, weight text) RETURNS bigint LANGUAGE sql AS $$
  SELECT aread_train(source, 'placed', 'label', 'domain', '{domain,user_id,item_id}', 'user_id', 'item_id', 'at', '{"architecture": "fm", "wide": false, "trees": 0, "embed_dim": 3, "epochs": 2, "batch_size": 64, "learning_rate": 0.02, "history": {"length": 5}}', weight => $2);
  SELECT crc FROM aread.model WHERE model = 'placed' ORDER BY version DESC LIMIT 1 $$;
SELECT is(crc_of('shuffled', weight) = crc_of('again', weight), true, 'rows in another order give the same model, weight ' || COALESCE(weight, 'none')) FROM unnest('{NULL,weight}'::text[]) weight;

-- What is refused.
SELECT throws_ok(format('SELECT train(%L, %L, %L, %L)', 'x', 'split', history, '{}'), state, message, message)
FROM (VALUES ('7', '22023', 'option "history" must be an object, true or false'), ('{"lenght": 7}', '22023', 'unknown option "history.lenght"'),
  ('{"length": 1001}', '22023', 'option "history.length" is 1001, but must be between 0 and 1000'), ('{"of": "some"}', '22023', 'option "history.of" must be one of "positives", "all"')) r(history, state, message);
CREATE FUNCTION hint_of(history text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
  PERFORM train('x', 'split', history, '{}');
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN hint;
END $$;
SELECT is(hint_of('{"lenght": 7}'), 'Perhaps you mean "length".', 'a member by the name that it has in the object');
SELECT throws_ok($$SELECT train('x', 'split', 'false', '{"history.length": 7}')$$, '22023', 'options "history" and "history.length" are both given', 'two ways to say it');
SELECT throws_ok($$SELECT train('x', 'split', '{"length": 300}', '{"batch_size": 65536}')$$, '22023', 'options "batch_size" and "history.length" make histories of 19660800 items in a batch, more than 16777216', 'more than there is room for');
CREATE VIEW users_only AS SELECT label, domain, user_id, split FROM log;
SELECT throws_ok(format($$SELECT aread_predict('positives', x) FROM (SELECT 3 AS user_id, 4 AS item_id, domain, %s AS history FROM log LIMIT 1) x$$, value), '42804', 'feature "history" is a list, but its value is of type ' || type, 'a history that is no array is not left out silently: ' || type)
FROM (VALUES ($$'[1,2]'::jsonb$$, 'jsonb'), ($$'{1,2}'::text$$, 'text'), ('1', 'integer')) v(value, type);
SELECT throws_ok($$SELECT aread_train('users_only', 'x', options => '{"history": true}')$$, '22023', 'option "history" needs a user and an item column', 'no items');
SELECT throws_ok($$SELECT train('x', 'split', 'true', '{"features": {"user_id": {"buckets": 16}}}')$$, '22023', 'option "history" needs users with ids of their own', 'hashed users');

-- Damage.
SELECT aread_import(aread_export('positives'), 'damaged') \g /dev/null
UPDATE aread.stored_chunk SET data = set_byte(data, octet_length(data) - 5, get_byte(data, octet_length(data) - 5) # 1) WHERE name = 'histories' AND version_id = (SELECT max(version_id) FROM aread.stored_version);
SELECT throws_ok($$SELECT aread_predict('damaged', l) FROM log l$$, 'XX001', NULL, 'a bit of a history');
SELECT train('gone', 'split', 'true') \g /dev/null
DELETE FROM aread.stored_chunk WHERE name = 'histories' AND version_id = (SELECT max(version_id) FROM aread.stored_version);
SELECT throws_ok($$SELECT aread_predict('gone', l) FROM log l$$, 'XX001', 'stored histories are corrupt: they are missing', 'no histories');

SELECT * FROM finish();
ROLLBACK;
