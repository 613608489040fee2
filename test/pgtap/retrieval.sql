-- Vectors whose inner products are a model's own logits, nearly: compared with aread_predict over all pairs.
BEGIN;
SELECT no_plan();
SET client_min_messages = warning;

CREATE TABLE log AS SELECT label, domain, user_id, item_id, age_band, category, price
FROM aread_simulate(6000, domains => 3, users => 60, items => 90, strength => 3, seed => 5);
CREATE FUNCTION train(model text, options jsonb) RETURNS integer LANGUAGE sql AS $$
  SELECT version FROM aread_train('log', model, features => '{domain,user_id,item_id,age_band,category,price}', options => options) $$;
SELECT train('wide', '{"architecture": "wide", "calibration": false}'), train('trees', '{"architecture": "trees", "trees": 40}'),
  train('hei', '{"architecture": "hei", "trees": 0, "epochs": 4, "embed_dim": 4, "mmoe_dims": [16], "hei_experts": [2, 2], "hei_hidden": [8, 8], "hei_output": [8, 8]}'),
  train('history', '{"architecture": "fm", "trees": 0, "epochs": 4, "embed_dim": 4, "history": true}'),
  train('tastes', '{"architecture": "fm", "trees": 0, "epochs": 4, "embed_dim": 4, "history": {"side": ["category"], "attention": true, "dislikes": true}}') \g /dev/null

-- All pairs, as aread_recommend scores them, and as vectors do.
CREATE FUNCTION pairs(model text, dim int, domain text, candidates regclass DEFAULT NULL, context jsonb DEFAULT NULL)
RETURNS TABLE (user_id text, item_id text, item_domain text, logit float8, product float8) LANGUAGE plpgsql AS $$
  BEGIN
    RETURN QUERY SELECT r.user_id, r.item_id, r.domain, ln(r.score / (1 - r.score)), (SELECT sum(x::float8 * y) FROM unnest(u.vector, i.vector) t(x, y))
    FROM aread_recommend_all(model, 1000, pairs.domain, exclude_seen => false, candidates => pairs.candidates, context => pairs.context) r
    JOIN aread_retrieval_vectors(model, 'users', dim, pairs.domain, pairs.candidates, pairs.context) u ON u.id = r.user_id
    JOIN aread_retrieval_vectors(model, 'items', dim, pairs.domain, pairs.candidates, pairs.context) i ON i.id = r.item_id AND i.item_domain = r.domain;
  END $$;

-- In one domain a sum of weights has two directions, so that two numbers suffice; one does not.
SELECT cmp_ok(CASE WHEN count(*) > 1000 THEN max(abs(logit - product)) END, '<', 1e-3::float8, 'a sum of weights, of all pairs') FROM pairs('wide', 2, 'domain_01');
SELECT cmp_ok(max(abs(logit - product)), '>', 1e-2::float8, 'but not of one number') FROM pairs('wide', 1, 'domain_01');
SELECT cmp_ok(max(abs(logit - product)), '<', 1e-3::float8, 'in all domains as well') FROM pairs('wide', 16, NULL);
-- Of other architectures as many numbers as there are users say all.
SELECT cmp_ok(max(abs(logit - product)), '<', 1e-2::float8, model || ': with 60 numbers nothing is lost') FROM unnest('{trees,hei,history,tastes}'::text[]) model, pairs(model, 60, 'domain_01') GROUP BY model;
SELECT cmp_ok(corr(logit, product), '>', 0.98::float8, model || ': with eight not much is') FROM unnest('{trees,hei,history,tastes}'::text[]) model, pairs(model, 8, 'domain_01') GROUP BY model;
SELECT cmp_ok(sqrt(avg((p.logit - p.product) ^ 2)), '<', (SELECT sqrt(avg((logit - product) ^ 2)) FROM pairs('hei', 3, 'domain_01')), 'more numbers, less lost') FROM pairs('hei', 12, 'domain_01') p;

-- Of a user's ten best items the twenty largest inner products have nearly all.
SELECT cmp_ok(avg((place <= 20)::int)::float8, '>', 0.95::float8, 'the best are found')
FROM (SELECT rank() OVER (PARTITION BY user_id ORDER BY logit DESC) AS best, rank() OVER (PARTITION BY user_id ORDER BY product DESC) AS place FROM pairs('hei', 12, 'domain_01')) r WHERE best <= 10;

-- Rows: each item once in each of its domains, each user once; numbers as asked for.
SELECT set_eq($$SELECT id, item_domain FROM aread_retrieval_vectors('hei', 'items')$$,
  $$SELECT DISTINCT item_id::text, domain FROM log l WHERE aread_split('hei', l) = 'train'$$, 'items in their domains');
SELECT set_eq($$SELECT id, item_domain FROM aread_retrieval_vectors('hei', 'users')$$,
  $$SELECT DISTINCT user_id::text, NULL::text FROM log l WHERE aread_split('hei', l) = 'train'$$, 'users');
SELECT is(array_agg(DISTINCT cardinality(vector)), ARRAY[dim], dim || ' numbers') FROM unnest('{1,7,256}'::int[]) dim, aread_retrieval_vectors('hei', 'items', dim) GROUP BY dim;
SELECT results_eq($$SELECT * FROM aread_retrieval_vectors('hei', 'users', 5)$$, $$SELECT * FROM aread_retrieval_vectors('hei', 'users', 5)$$, 'the same at each call');

-- Candidates of a relation, with values of the moment.
CREATE TABLE shelf AS SELECT i AS item_id, 'domain_02' AS domain FROM generate_series(1, 30) i;
SELECT cmp_ok(CASE WHEN count(*) = 60 * 30 THEN max(abs(logit - product)) END, '<', 1e-2::float8, 'of a relation, in a context') FROM pairs('hei', 30, NULL, 'shelf', '{"price": 3}');
CREATE TABLE nothing (LIKE shelf);
SELECT is_empty(format('SELECT * FROM aread_retrieval_vectors(''hei'', %L, candidates => ''nothing'')', kind), kind || ': no candidates, no vectors') FROM unnest('{items,users}'::text[]) kind;

-- Users and items apart from all others: what is known of neither is not blown up.
CREATE TABLE apart AS SELECT 'a' AS domain, u AS user_id, i AS item_id, CASE WHEN u < 5 THEN 9 ELSE u % 2 END AS region, CASE WHEN i < 5 THEN 9 ELSE i % 2 END AS style, u % 6 AS age, i % 6 AS brand,
  (hashint4(u * 1000 + i) & 1023) < 300 + 300 * ((CASE WHEN u < 5 THEN 9 ELSE u % 2 END * 7 + i % 6) % 2) AS label
FROM generate_series(1, 150) u, generate_series(1, 150) i WHERE hashint4(u * 7 + i * 1001) % 4 = 0;
SELECT aread_train('apart', 'apart', options => '{"architecture": "wide", "crosses": [["region", "brand"], ["age", "style"]]}') \g /dev/null
SELECT cmp_ok(CASE WHEN count(*) > 20000 THEN max(abs(logit - product)) END, '<', 1e-3::float8, 'users and items apart') FROM pairs('apart', 16, 'a');

-- An item twice, at two prices: where the relation has its rows makes no difference.
CREATE TABLE priced AS SELECT * FROM (SELECT i % 40 AS item_id, 'domain_02' AS domain, (i / 40 * 3 + 1)::float8 AS price FROM generate_series(1, 80) i) p ORDER BY price, item_id;
CREATE TABLE turned AS SELECT * FROM priced ORDER BY price DESC, item_id DESC;
SELECT set_eq($$SELECT * FROM aread_retrieval_vectors('hei', 'users', 8, candidates => 'turned')$$, $$SELECT * FROM aread_retrieval_vectors('hei', 'users', 8, candidates => 'priced')$$, 'the same vectors of users');
SELECT set_eq($$SELECT * FROM aread_retrieval_vectors('hei', 'items', 8, candidates => 'turned')$$, $$SELECT * FROM aread_retrieval_vectors('hei', 'items', 8, candidates => 'priced')$$, 'and of items');

-- Errors.
SELECT throws_ok(format('SELECT aread_retrieval_vectors(%s)', arguments), code, message, message) FROM (VALUES
  ($$NULL, 'items'$$, '22004', 'model must not be NULL'), ($$'hei', NULL$$, '22004', 'kind must not be NULL'), ($$'hei', 'items', NULL$$, '22004', 'dim must not be NULL'),
  ($$'hei', 'item'$$, '22023', 'kind must be "items" or "users", not "item"'), ($$'hei', 'items', 0$$, '22023', 'dim must be 1 to 256'), ($$'hei', 'items', 257$$, '22023', 'dim must be 1 to 256'),
  ($$'none', 'items'$$, '42704', 'model "none" does not exist')) e(arguments, code, message);
SELECT aread_train('log', 'bare', options => '{"architecture": "wide", "recommend_items": 0}') \g /dev/null
SELECT throws_like($$SELECT aread_retrieval_vectors('bare', 'items')$$, 'model "bare" has kept no items%', 'no items are kept');
SELECT aread_train('log', 'hashed', options => '{"architecture": "wide", "features": {"user_id": {"buckets": 16}}}') \g /dev/null
SELECT throws_like($$SELECT aread_retrieval_vectors('hashed', 'users')$$, 'model "hashed" does not know values of "user_id", which are hashed', 'nor hashed users known');

SELECT * FROM finish();
ROLLBACK;
