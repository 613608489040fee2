-- Piecewise features: numbers as vectors of the pieces between quantiles.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

-- Only the number tells the label, by a curve that no few bins follow; every 20th row has none, and a few are NaN or infinite.
SELECT setseed(0.5);
CREATE TABLE shown AS
SELECT i, 'domain ' || i % 5 AS domain, (random() * 60)::int AS user_id, (random() * 30)::int AS item_id,
  CASE WHEN i % 20 = 0 THEN NULL WHEN i % 997 = 0 THEN 'NaN' WHEN i % 1511 = 0 THEN 'Infinity' WHEN i % 1513 = 0 THEN '-Infinity' ELSE x END::float8 AS price,
  (random() < 1 / (1 + exp(CASE WHEN i % 20 > 0 THEN 4 * sin(x / 20) ELSE 3 END)))::int AS label
FROM (SELECT i, round((exp(random() * 5) * 4)::numeric) / 4 AS x FROM generate_series(1, 8000) i) r;
CREATE VIEW candidate AS SELECT domain, user_id, item_id, price FROM shown WHERE i <= 400 OR price IN ('NaN', 'Infinity', '-Infinity');

CREATE FUNCTION pg_temp.train(model text, source regclass, options text, OUT auc float8, OUT crc bigint) LANGUAGE plpgsql AS $$
BEGIN
  auc := (SELECT t.auc FROM aread_train(source, model, features => '{domain,user_id,item_id,price}',
    options => '{"mmoe_dims": [16, 8], "deep_dims": [16, 8], "batch_size": 256, "epochs": 3, "features": {"price": {"kind": "piecewise", "bins": 12}}}'::jsonb || options::jsonb) t);
  crc := (SELECT m.crc FROM aread.model m WHERE m.model = $1 AND m.deployed);
END $$;
CREATE TABLE trained AS
SELECT a AS model, t.* FROM (SELECT unnest(choices) AS a FROM aread_options() WHERE option = 'architecture') u, pg_temp.train(a, 'shown', format('{"architecture": %s}', to_json(a))) t;
SELECT cmp_ok(auc, '>', 0.8::float8, model || ' learns from the pieces') FROM trained;
SELECT results_eq($$SELECT kind, type, "values", array_length(edges, 1), domain_weights FROM aread.feature WHERE model = 'aread' AND name = 'price'$$,
  $$VALUES ('piecewise', 'double precision', 12::bigint, 13, 0::bigint)$$, 'there are so many pieces, and their bounds');

-- Bounds are quantiles of training rows, from the lowest number to the highest; what is infinite lies past them.
CREATE TABLE kept AS SELECT m.name AS model, f.edges[1:13] AS bounds, f.edges[14:25] AS means, f.edges[26:37] AS deviations, f.bin_rows
  FROM aread.stored_feature f JOIN aread.stored_version v USING (version_id) JOIN aread.stored_model m USING (model_id) WHERE f.name = 'price';
SELECT is(f.edges, k.bounds, 'they are shown') FROM kept k JOIN aread.feature f USING (model) WHERE k.model = 'wide' AND f.name = 'price';
SELECT ok(bounds[1] < 1.5 AND bounds[13] BETWEEN 140 AND 149, 'outermost') FROM kept WHERE model = 'wide';
SELECT ok(abs(bounds[k + 1] - percentile_disc(k / 12.0) WITHIN GROUP (ORDER BY price)) < 2 + bounds[k + 1] / 8, format('bound %s is a quantile', k))
FROM kept, shown, generate_series(1, 11) k WHERE model = 'wide' AND price <> 'NaN' GROUP BY k, bounds;
SELECT is((SELECT sum(n) FROM unnest(bin_rows) n)::int, m.train_rows::int, 'rows of pieces and without a number are those that train') FROM kept JOIN aread.model m USING (model) WHERE model = 'wide';

-- Scores: one by one and in batches, from records of several types, jsonb, json and text.
CREATE FUNCTION pg_temp.ways(model text) RETURNS TABLE (way text, worst float8) LANGUAGE sql AS $$
  WITH scored AS MATERIALIZED (SELECT c, aread_predict(model, c) AS score FROM candidate c)
  SELECT w.way, max(abs(w.score - s.score)) FROM scored s, LATERAL (VALUES
    ('row', (SELECT aread_predict(model, r) FROM (SELECT (s.c).*) r)),
    ('jsonb', aread_predict(model, to_jsonb(s.c))), ('json', aread_predict(model, to_json(s.c))), ('text', aread_predict(model, to_json(s.c)::text)),
    ('numeric', (SELECT aread_predict(model, r) FROM (SELECT (s.c).domain, (s.c).user_id, (s.c).item_id, (s.c).price::numeric AS price) r)),
    ('number as text', (SELECT aread_predict(model, r) FROM (SELECT (s.c).domain, (s.c).user_id, (s.c).item_id, (s.c).price::text AS price) r)),
    ('number as JSON string', aread_predict(model, jsonb_set(to_jsonb(s.c), '{price}', coalesce(to_jsonb((s.c).price::text), 'null'))))) w(way, score)
  GROUP BY 1 $$;
SELECT cmp_ok(worst, '<', 1e-6::float8, format('%s scores a %s the same', model, way)) FROM trained, pg_temp.ways(model);
SELECT is(aread_predict('aread', '{"domain": "domain 1"}'::jsonb), aread_predict('aread', '{"domain": "domain 1", "price": null}'::jsonb), 'a number that is missing is NULL');
SELECT is(aread_predict('aread', '{"domain": "domain 1", "price": "NaN"}'::jsonb), aread_predict('aread', '{"domain": "domain 1", "price": null}'::jsonb), 'and so is NaN');
SELECT is(aread_predict('aread', '{"domain": "domain 1", "price": 150}'::jsonb), aread_predict('aread', '{"domain": "domain 1", "price": 1e400}'::jsonb), 'past the last bound nothing changes');
SELECT throws_ok($$SELECT aread_predict('aread', '{"domain": "domain 1", "price": "much"}'::jsonb)$$, '22P02', NULL, 'a word is no number');
SELECT throws_ok($$SELECT aread_predict('aread', '{"domain": "domain 1", "price": [1]}'::jsonb)$$, '42804', 'feature "price" of model "aread" cannot take a JSON object or array', 'nor is an array');

-- The wide part by hand: weights of pieces times how far the number is through each, standardized.
CREATE FUNCTION pg_temp.share(x float8, low float8, high float8) RETURNS float8 LANGUAGE sql AS $$SELECT least(greatest((x - low) / (high - low), 0), 1)$$;
SELECT pg_temp.train('plain', 'shown', '{"architecture": "wide", "row_counts": false, "domain_weights": false, "calibration": false}') \gset
CREATE TABLE by_hand AS
WITH w AS (SELECT f, v.* FROM unnest(ARRAY['domain', 'user_id', 'item_id', 'price']) f, aread_vectors('plain', f) v)
SELECT c.*, aread_predict('plain', c) AS score, 1 / (1 + exp(-(
  (aread_tensor('plain', 'bias'))[1] + (SELECT sum(weight) FROM w WHERE (f, value) IN (('domain', c.domain), ('user_id', c.user_id::text), ('item_id', c.item_id::text)))
  + CASE WHEN c.price IS NULL OR c.price = 'NaN' THEN (SELECT weight FROM w WHERE f = 'price' AND status = 'missing')
    ELSE (SELECT sum(w.weight * (pg_temp.share(c.price, bounds[k], bounds[k + 1]) - means[k]) / nullif(deviations[k], 0)) FROM w, kept m, generate_series(1, 12) k
          WHERE w.f = 'price' AND w.id = k + 2 AND m.model = 'wide') END))) AS expected
FROM candidate c;
SELECT cmp_ok(max(abs(score - expected)), '<', 1e-5::float8, 'scores of the wide architecture are those by hand') FROM by_hand;
SELECT cmp_ok(count(*), '>', 20::bigint, 'with and without a number') FROM by_hand WHERE price IS NULL OR price = 'NaN';

SELECT ok(abs(m.means[k] - a.mean) < 0.1 * a.sd AND abs(m.deviations[k] / sqrt(12) / a.sd - 1) < 0.05, format('piece %s: near the moments of all rows, and the vector has the variance of one component', k))
FROM kept m, (SELECT k, avg(x) AS mean, stddev_pop(x) AS sd FROM kept m, shown, generate_series(1, 12) k, pg_temp.share(price, bounds[k], bounds[k + 1]) x
  WHERE m.model = 'wide' AND price NOT IN ('NaN', 'Infinity', '-Infinity') GROUP BY 1) a WHERE m.model = 'wide';
SELECT cmp_ok((pg_temp.train('alone', 'shown', '{"architecture": "mmoe", "trees": 0, "wide": false, "epochs": 10}')).auc, '>', 0.8::float8, 'the network learns from pieces without a wide part');

-- Any order of rows and any room in memory give the same model.
CREATE VIEW turned AS SELECT * FROM (SELECT * FROM shown ORDER BY i DESC OFFSET 0) s;
SELECT is((pg_temp.train('other', 'turned', '{"architecture": "aread"}')).crc, (SELECT crc FROM trained WHERE model = 'aread'), 'the same model from rows turned round');
SET LOCAL aread.training_memory = '1MB';
SELECT is((pg_temp.train('other', 'shown', '{"architecture": "aread"}')).crc, (SELECT crc FROM trained WHERE model = 'aread'), 'the same model from files');
RESET aread.training_memory;

-- Beside lists and vectors, whose members it lies among.
CREATE VIEW mixed AS SELECT i, label, domain, price AS a, ARRAY[user_id, item_id] AS b, price AS c, ARRAY[user_id, item_id]::real[] AS d, price AS e FROM shown;
CREATE FUNCTION pg_temp.mixed(source regclass, OUT crc bigint) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM aread_train(source, 'mixed', features => '{domain,a,b,c,d,e}', options => '{"architecture": "fm", "epochs": 1, "features": {"a": {"kind": "piecewise", "bins": 3}, "e": {"kind": "piecewise"}}}');
  crc := (SELECT m.crc FROM aread.model m WHERE model = 'mixed' AND deployed);
END $$;
SELECT is(pg_temp.mixed('mixed'), (SELECT pg_temp.mixed('mixed') FROM set_config('aread.training_memory', '1MB', true)), 'lists and vectors beside it: the same model from files');
RESET aread.training_memory;
SELECT cmp_ok(max(abs(aread_predict('mixed', m) - aread_predict('mixed', to_jsonb(m)))), '<', 1e-6::float8, 'and one score') FROM mixed m WHERE i <= 400;
SELECT cmp_ok(auc, '>', 0.8::float8, 'an evaluation reads numbers') FROM aread_evaluate('aread', 'shown', split => 'test') LIMIT 1;

-- Export and import, explanation, drift and shift.
CREATE TABLE saved AS SELECT aread_export('aread') AS model;
SELECT lives_ok($$SELECT aread_import(model, 'copy') FROM saved$$, 'a model is exported and imported');
SELECT is(max(abs(aread_predict('copy', c) - aread_predict('aread', c))), 0::float8, 'and scores as before') FROM candidate c;
SELECT is_empty($$
  SELECT c.price, e.value, e.status FROM candidate c, kept k, aread_explain('wide', c) e,
    LATERAL (SELECT least(greatest(width_bucket(c.price, k.bounds), 1), 12) AS p) w
  WHERE k.model = 'wide' AND e.feature = 'price' AND (coalesce(e.value, e.status) IS DISTINCT FROM
    CASE WHEN c.price IS NULL OR c.price = 'NaN' THEN 'missing'
      ELSE format('[%s, %s)', CASE WHEN p > 1 THEN k.bounds[p] END, CASE WHEN p < 12 THEN k.bounds[p + 1] END) END
    OR (e.value IS NULL) <> (e.status = 'missing'))$$, 'a number is explained by the piece that it lies in');
SELECT results_eq($$SELECT status, value FROM aread_vectors('wide', 'price') WHERE id < 4$$, $$SELECT v.status, v.value FROM (VALUES ('unseen', NULL), ('missing', NULL), ('rare', NULL), ('known', format('[, %s)', (SELECT bounds[2] FROM kept WHERE model = 'wide')))) v(status, value)$$, 'pieces have vectors');
SELECT results_eq($$SELECT sum(rows)::bigint, sum(missing)::bigint, sum(unseen)::bigint FROM aread_drift('aread', 'shown') WHERE feature = 'price'$$, $$SELECT count(*), count(*) FILTER (WHERE price IS NULL OR price = 'NaN'), 0::bigint FROM shown$$, 'drift counts numbers that are missing');
CREATE VIEW dearer AS SELECT domain, user_id, item_id, price * 2 AS price FROM shown;
SELECT cmp_ok(psi, '<', 0.02::float8, 'rows that it was trained on have not moved') FROM aread_shift('wide', 'shown') WHERE feature = 'price';
SELECT cmp_ok(psi, '>', 0.2::float8, 'prices that doubled have') FROM aread_shift('wide', 'dearer') WHERE feature = 'price';

-- Numbers that are few, one, none, or of other types.
CREATE FUNCTION pg_temp.pieces(price text, options text DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text;
BEGIN
  EXECUTE format('CREATE TABLE bad AS SELECT i, domain, user_id, label, %s AS price FROM shown WHERE i < 500', price);
  PERFORM aread_train('bad', 'bad', features => '{domain,user_id,price}', options => '{"architecture": "wide", "features": {"price": {"kind": "piecewise"}}}'::jsonb || options::jsonb);
  EXECUTE 'SELECT sum(aread_predict(''bad'', b)) FROM bad b' INTO STRICT message;
  message := (SELECT edges::text FROM aread.feature WHERE model = 'bad' AND name = 'price');
  PERFORM aread_drop('bad');
  DROP TABLE bad;
  RETURN message;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  RETURN message;
END $$;
SELECT is(pg_temp.pieces(price, options), message, price || ' ' || options)
FROM (VALUES ('i % 2', '{}', '{0,1}'), ('i % 3', '{"bins": 100}', '{0,1,2}'), ('7', '{}', '{7,14}'), ('NULL::float8', '{}', '{0,1}'), ($$'-Infinity'::float8$$, '{}', '{0,1}'),
  ('(i % 3)::numeric / 4', '{}', '{0,0.25,0.5}'), ('((i % 3) / 5.0)::real', '{}', '{0,0.20000000298023224,0.4000000059604645}'), ('i % 5', '{"bins": 1}', '{0,4}'), ('(i - 250) * 1e306', '{"bins": 1}', '{-1e+300,1e+300}'),
  ($$'a' || i$$, '{}', 'feature "price" cannot be of kind "piecewise"'), ('ARRAY[1.5]', '{}', 'feature "price" cannot be of kind "piecewise"'), ('i > 3', '{}', 'feature "price" cannot be of kind "piecewise"'), ('i::oid', '{}', 'feature "price" cannot be of kind "piecewise"'),
  ('i', '{"features": {"price": {"kind": "piecewise", "buckets": 8}}}', 'feature "price" is piecewise and cannot be hashed to buckets'),
  ('i', '{"features": {"price": {"kind": "piecewise", "bins": 16001}}}', 'feature "price" cannot be piecewise of 16001 bins'),
  ('i', '{"bins": 20000}', 'feature "price" cannot be piecewise of 20000 bins'),
  ('i', '{"features": {"price": {"kind": "piecewise", "vocabulary": "user_id"}}}', 'feature "price" cannot share the vocabulary of "user_id"')) v(price, options, message);
SELECT throws_ok($$SELECT aread_train('shown', 'bad', domain => 'price', options => '{"features": {"price": {"kind": "piecewise"}}}')$$, '42804', NULL, 'a number is no domain');

-- Kept items and users bring their numbers; sampled negatives have their item's; augmented rows do not mind.
CREATE TABLE taken AS SELECT domain, user_id, item_id, (item_id % 7) * 1.5 AS price, (user_id % 5)::float8 AS age FROM shown WHERE i < 3000;
CREATE FUNCTION pg_temp.taken(options text) RETURNS void LANGUAGE sql AS $$
  SELECT aread_train('taken', 'taken', options => '{"architecture": "fm", "epochs": 1, "features": {"price": {"kind": "piecewise", "bins": 4}, "age": {"kind": "piecewise", "bins": 3}}}'::jsonb || options::jsonb) $$;
SELECT lives_ok($$SELECT pg_temp.taken('{"negatives": 2}')$$, 'negatives are sampled');
SELECT results_eq($$SELECT name, goes_with_item FROM aread.feature WHERE model = 'taken' AND kind = 'piecewise' ORDER BY name$$, $$VALUES ('age', false), ('price', true)$$, 'a number goes with its item');
SELECT is(count(*), 5::bigint, 'items that are kept are recommended') FROM aread_recommend('taken', 7, 5, exclude_seen => false);
CREATE VIEW wares AS SELECT DISTINCT domain, item_id, price FROM taken;
SELECT is_empty(format($$SELECT r.* FROM aread_recommend('taken', 7, 20, exclude_seen => false, candidates => %L) r
  WHERE abs(r.score - aread_predict('taken', jsonb_build_object('user_id', 7, 'age', 2, 'domain', r.domain, 'item_id', r.item_id, 'price', (r.item_id::int %% 7) * 1.5))) > 1e-6$$, candidates),
  'with the scores that their numbers give them: ' || coalesce(candidates, 'kept')) FROM (VALUES (NULL), ('wares')) c(candidates);
SELECT throws_ok($$SELECT aread_recommend('taken', 7, 5, max_per => '{"price": 1}')$$, '22023', NULL, 'a vector has no values to be capped');

SELECT * FROM finish();
ROLLBACK;
