-- Crosses: features of combinations of columns' values, hashed.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

-- Only the two together tell the label; every 20th row lacks one.
SELECT setseed(0.75);
CREATE TABLE shown AS
SELECT i, 'domain ' || i % 5 AS domain, u AS user_id, (random() * 30)::int AS item_id, CASE WHEN i % 20 > 0 THEN c END AS category, p AS price, ARRAY[c] AS tags,
  (random() < CASE WHEN i % 20 > 0 AND (u * 7 + c * 5) % 3 = 0 THEN 0.9 ELSE 0.1 END)::int AS label
FROM (SELECT i, (random() * 20)::int AS u, (random() * 9)::int AS c, random() * 8 AS p FROM generate_series(1, 8000) i) r;
CREATE VIEW candidate AS SELECT domain, user_id, item_id, category, price FROM shown WHERE i <= 400 UNION ALL SELECT 'domain 1', 99, 7, 3, 4 UNION ALL SELECT 'domain 1', 3, 7, 99, 1e9;

CREATE FUNCTION pg_temp.train(model text, source regclass, options text, OUT auc float8, OUT crc bigint) LANGUAGE plpgsql AS $$
BEGIN
  auc := (SELECT t.auc FROM aread_train(source, model, features => '{domain,user_id,item_id,category,price}',
    options => '{"mmoe_dims": [16, 8], "deep_dims": [16, 8], "batch_size": 256, "epochs": 2, "crosses": [["user_id", "category"], ["category", "price", "domain"]]}'::jsonb || options::jsonb) t);
  crc := (SELECT m.crc FROM aread.model m WHERE m.model = $1 AND m.deployed);
END $$;
CREATE TABLE trained AS
SELECT a AS model, t.* FROM (SELECT unnest(choices) AS a FROM aread_options() WHERE option = 'architecture') u, pg_temp.train(a, 'shown', format('{"architecture": %s}', to_json(a))) t;
SELECT cmp_ok(auc, '>', 0.8::float8, model || ' learns from the cross') FROM trained;
SELECT cmp_ok((pg_temp.train('blind', 'shown', '{"architecture": "wide", "crosses": []}')).auc, '<', 0.7::float8, 'the wide part does not without');
SELECT results_eq($$SELECT position, name, kind, type, role, "values" FROM aread.feature WHERE model = 'aread' AND position > 5 ORDER BY 1$$,
  $$VALUES (6, 'user_id (rows)', 'rows', 'pg_catalog.int8', NULL, (SELECT "values" FROM aread.feature WHERE model = 'aread' AND position = 6)), (7, 'item_id (rows)', 'rows', 'pg_catalog.int8', NULL, (SELECT "values" FROM aread.feature WHERE model = 'aread' AND position = 7)),
    (8, 'user_id x category', 'cross', 'pg_catalog.int8', NULL, 65536), (9, 'category x price x domain', 'cross', 'pg_catalog.int8', NULL, 65536)$$, 'they are features of their own');
SELECT is(f.edges, e.edges, f.name) FROM aread.stored_feature f JOIN aread.stored_version v USING (version_id) JOIN aread.stored_model m USING (model_id)
JOIN (VALUES ('user_id x category', '{1,3}'::float8[]), ('category x price x domain', '{0,3,4}')) e(name, edges) ON e.name = f.name WHERE m.name = 'aread';

-- Scores: one by one and in batches, from records, jsonb, json and text.
CREATE FUNCTION pg_temp.ways(model text) RETURNS TABLE (way text, worst float8) LANGUAGE sql AS $$
  WITH scored AS MATERIALIZED (SELECT c, aread_predict(model, c) AS score FROM candidate c)
  SELECT w.way, max(abs(w.score - s.score)) FROM scored s, LATERAL (VALUES
    ('row', (SELECT aread_predict(model, r) FROM (SELECT (s.c).*) r)), ('domain as argument', (SELECT aread_predict(model, r, (s.c).domain) FROM (SELECT (s.c).user_id, (s.c).item_id, (s.c).category, (s.c).price) r)),
    ('jsonb', aread_predict(model, to_jsonb(s.c))), ('json', aread_predict(model, to_json(s.c))), ('text', aread_predict(model, to_json(s.c)::text))) w(way, score)
  GROUP BY 1 $$;
SELECT cmp_ok(worst, '<', 1e-6::float8, format('%s scores a %s the same', model, way)) FROM trained, pg_temp.ways(model);

-- The wide part by hand: the weight of the bucket that an explanation tells; the same parts have the same bucket, few others have.
SELECT pg_temp.train('plain', 'shown', '{"architecture": "wide", "row_counts": false, "domain_weights": false, "calibration": false, "crosses": [["user_id", "category"]]}') \gset
CREATE TABLE told AS SELECT c.*, e.value, e.status, aread_predict('plain', c) AS score FROM candidate c, aread_explain('plain', c) e WHERE e.feature = 'user_id x category';
SELECT results_eq($$SELECT DISTINCT status FROM told WHERE category IS NULL$$, $$VALUES ('missing')$$, 'NULL of a part is NULL');
SELECT results_eq($$SELECT DISTINCT status FROM told WHERE 99 IN (user_id, category)$$, $$VALUES ('unseen')$$, 'a part that was never seen is no combination that was');
SELECT results_eq($$SELECT count(DISTINCT (user_id, category)), count(DISTINCT (user_id, category, value)) FROM told WHERE status = 'known'$$, $$SELECT n, n FROM (SELECT count(DISTINCT value) AS n FROM told) x$$, 'all others have a bucket of their own');
CREATE TABLE weights AS SELECT f, v.* FROM unnest(ARRAY['domain', 'user_id', 'item_id', 'category', 'price', 'user_id x category']) f, aread_vectors('plain', f) v;
CREATE TABLE by_hand AS
SELECT t.score, (SELECT (aread_tensor('plain', 'bias'))[1] + sum(weight) FROM weights w
  WHERE (f, w.value) IN (('domain', t.domain), ('user_id', t.user_id::text), ('item_id', t.item_id::text), ('category', t.category::text), ('user_id x category', t.value))
    OR (f = 'price' AND status = 'known' AND price >= coalesce(nullif(split_part(ltrim(w.value, '['), ', ', 1), ''), '-Infinity')::float8 AND price < coalesce(nullif(split_part(rtrim(w.value, ')'), ', ', 2), ''), 'Infinity')::float8)) AS logit
FROM told t WHERE status = 'known';
SELECT cmp_ok(max(abs(score - 1 / (1 + exp(-logit)))), '<', 1e-5::float8, 'scores of the wide architecture are those by hand') FROM by_hand;

-- Any order of rows and any room in memory give the same model, and the order of parts is none.
CREATE VIEW turned AS SELECT * FROM (SELECT * FROM shown ORDER BY i DESC OFFSET 0) s;
SELECT is((pg_temp.train('other', 'turned', '{"architecture": "aread"}')).crc, (SELECT crc FROM trained WHERE model = 'aread'), 'the same model from rows turned round');
SELECT is((pg_temp.train('other', 'shown', '{"architecture": "aread", "crosses": [["category", "user_id"], ["price", "domain", "category"]]}')).crc, (SELECT crc FROM trained WHERE model = 'aread'), 'the same of parts turned round');
SET LOCAL aread.training_memory = '1MB';
SELECT is((pg_temp.train('other', 'shown', '{"architecture": "aread"}')).crc, (SELECT crc FROM trained WHERE model = 'aread'), 'the same model from files');
RESET aread.training_memory;

-- Export and import, drift and shift, evaluation.
CREATE TABLE saved AS SELECT aread_export('aread') AS model;
SELECT lives_ok($$SELECT aread_import(model, 'copy') FROM saved$$, 'a model is exported and imported');
SELECT is(max(abs(aread_predict('copy', c) - aread_predict('aread', c))), 0::float8, 'and scores as before') FROM candidate c;
SELECT results_eq($$SELECT DISTINCT feature FROM aread_drift('aread', 'shown') ORDER BY 1$$, $$VALUES ('category'), ('domain'), ('item_id'), ('price'), ('user_id')$$, 'drift is that of columns');
SELECT cmp_ok(psi, '<', 0.02::float8, 'scores of rows that it was trained on have not moved') FROM aread_shift('wide', 'shown') WHERE feature IS NULL;
SELECT cmp_ok(auc, '>', 0.8::float8, 'an evaluation reads them') FROM aread_evaluate('aread', 'shown', split => 'test') LIMIT 1;
SELECT lives_ok($$SELECT aread_train('shown', 'aread', features => '{domain,user_id,item_id,category,price}', options => '{"architecture": "wide", "deploy": "if_better", "crosses": [["user_id", "category"]]}')$$, 'a version is compared with the one before');
SELECT unalike(deploy_reason, '%cannot%', 'and can be: ' || deploy_reason) FROM aread.model WHERE model = 'aread' AND version = 2;

-- A cross is made of the row's own columns: a plan misses none.
CREATE FUNCTION pg_temp.plan(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN ' || statement; END $$;
SELECT ok(bool_or(line LIKE '%Custom Scan (aread_predict)%') AND bool_and(line NOT LIKE '%Missing Features%'), 'no cross is missing') FROM pg_temp.plan($$SELECT aread_predict('wide', c) FROM candidate c$$) line;
SELECT ok(bool_or(line LIKE '%Missing Features: category%' AND line NOT LIKE '%user_id x category%'), 'a column is') FROM pg_temp.plan($$SELECT aread_predict('wide', c) FROM (SELECT domain, user_id, item_id, price FROM candidate) c$$) line;

-- What is no cross.
SELECT throws_ok(format($$SELECT aread_train('shown', 'bad', features => '{domain,user_id,category,price,tags}', options => '{"architecture": "wide", "crosses": %s}'::jsonb || '%s')$$, crosses, more), '22023', message, crosses || more)
FROM (VALUES ('7', '{}', 'option "crosses" must be an array of arrays of column names'), ('["user_id", "category"]', '{}', 'option "crosses" must be an array of arrays of column names'),
  ('[["user_id", 1]]', '{}', 'option "crosses" must be an array of arrays of column names'), ('[[]]', '{}', 'option "crosses" must be an array of arrays of column names'), ('[["user_id"]]', '{}', 'option "crosses" must be an array of arrays of column names'),
  ('[{"a": "b"}]', '{}', 'option "crosses" must be an array of arrays of column names'), ('[["user_id", ["category"]]]', '{}', 'option "crosses" must be an array of arrays of column names'),
  ('[["user_id", "category", "user_id"]]', '{}', 'option "crosses" must be an array of arrays of column names'), ('[["user_id", "category"], ["category", "user_id"]]', '{}', 'option "crosses" must be an array of arrays of column names'),
  ('[["user_id", "category", "price", "domain", "user_id"]]', '{}', 'option "crosses" must be an array of arrays of column names'),
  ('[["user_id", "i"]]', '{}', 'option "crosses" names "i", which is not a feature'), ('[["user_id", "tags"]]', '{}', 'feature "tags" is list and cannot be part of a cross'),
  ('[["user_id", "price"]]', '{"features": {"price": {"kind": "piecewise"}}}', 'feature "price" is piecewise and cannot be part of a cross')) v(crosses, more, message);
CREATE VIEW named AS SELECT *, 1 + i % 7 AS "user_id x category" FROM shown;
SELECT throws_ok($$SELECT aread_train('named', 'bad', features => '{domain,user_id,category,user_id x category}', options => '{"architecture": "wide", "crosses": [["user_id", "category"]]}')$$, '22023', 'a cross and a column are both called "user_id x category"', 'two features of one name');
SELECT throws_ok(format($$SELECT aread_train('shown', 'bad', options => '{"crosses": %s}')$$, (SELECT json_agg('[]'::json) FROM generate_series(1, 65))), '54000', 'option "crosses" has more than 64 elements', 'too many');
SELECT throws_ok($$SELECT aread_train('shown', 'bad', options => '{"cross_buckets": 0}')$$, '22023', NULL, 'no bucket');

-- A constant column is left out by itself, but not where a cross has it.
CREATE VIEW constant AS SELECT label, domain, user_id, category, 'x' AS always FROM shown;
SELECT lives_ok($$SELECT aread_train('constant', 'constant', options => '{"architecture": "wide", "cross_buckets": 50, "crosses": [["always", "category"]]}')$$, 'a part is asked for');
SELECT results_eq($$SELECT "values" FROM aread.feature WHERE model = 'constant' AND name = 'always x category'$$, $$VALUES (50::bigint)$$, 'so many buckets');

-- Where an item's columns and a user's come together they are one combination: in negatives that are sampled, in lists, among what is recommended.
CREATE TABLE taken AS SELECT 'd' || item_id % 2 AS domain, user_id, item_id, item_id % 7 AS category, user_id % 5 AS age FROM shown WHERE i < 4000 AND (user_id + item_id % 7) % 3 <> 0;
CREATE VIEW all_pairs AS SELECT (i.item_id % 7 + u.user_id) % 3 AS class, u.user_id, u.user_id % 5 AS age, i.item_id, i.domain, i.category FROM (SELECT DISTINCT user_id FROM taken) u, (SELECT DISTINCT item_id, domain, category FROM taken) i;
CREATE FUNCTION pg_temp.taken(model text, crosses text) RETURNS void LANGUAGE sql AS $$
  SELECT aread_train('taken', model, options => format('{"architecture": "mmoe", "mmoe_dims": [8], "epochs": 3, "negatives": 2, "popularity_offset": false, "crosses": %s}', crosses)::jsonb) $$;
SELECT pg_temp.taken('taken', '[["user_id", "category"], ["age", "category"]]'), pg_temp.taken('uncrossed', '[]') \g /dev/null
SELECT results_eq($$SELECT name, goes_with_item FROM aread.feature WHERE model = 'taken' AND (kind = 'cross' OR name = 'category') ORDER BY 1$$,
  $$VALUES ('age x category', false), ('category', true), ('user_id x category', false)$$, 'a cross does not go with the item');
SELECT cmp_ok(avg(aread_predict('taken', p)) FILTER (WHERE class = 0), '<', 0.3 * avg(aread_predict('taken', p)) FILTER (WHERE class > 0), 'negatives have combinations that nobody took') FROM all_pairs p;
SELECT ok(t.ndcg > u.ndcg + 0.05, format('so do lists of a training: %s, %s', t.ndcg, u.ndcg)) FROM aread.ranking t, aread.ranking u WHERE t.model = 'taken' AND u.model = 'uncrossed' AND t.split = 'test' AND u.split = 'test' AND t.candidates = 'all' AND u.candidates = 'all';
CREATE VIEW wares AS SELECT DISTINCT domain, item_id, category FROM taken;
SELECT is_empty(format($$SELECT r.* FROM (SELECT DISTINCT user_id::text, age FROM taken) u JOIN aread_recommend_all('taken', 40, exclude_seen => false, candidates => %L) r USING (user_id) JOIN all_pairs p ON p.user_id::text = r.user_id AND p.item_id::text = r.item_id AND p.domain = r.domain
  WHERE abs(r.score - aread_predict('taken', p)) > 1e-6$$, candidates), 'recommendations have the scores of their rows: ' || coalesce(candidates, 'kept')) FROM (VALUES (NULL), ('wares')) c(candidates);
SELECT cmp_ok(count(*), '>', 300::bigint, 'of all users') FROM aread_recommend_all('taken', 40, exclude_seen => false);

SELECT * FROM finish();
ROLLBACK;
