-- Dense features: vectors of numbers.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

-- Only the vector tells the label; components lie far from 0, one says nothing, one never varies, and every 20th row has none.
-- Numbers that are quarters are the same in every type.
SELECT setseed(0.25);
CREATE TABLE shown AS
SELECT i, 'domain ' || i % 5 AS domain, (random() * 60)::int AS user_id, (random() * 30)::int AS item_id,
  CASE WHEN i % 20 > 0 THEN v END::real[] AS emb,
  (random() < 1 / (1 + exp(CASE WHEN i % 20 > 0 THEN -(v[1] - 50) * 2 + (v[2] + 3) / 8 - (v[3] - 1000) ELSE 3 END)))::int AS label
FROM (SELECT i, ARRAY[50 + round((random() - 0.5) * 24) / 4, round(random() * 400) / 4 - 53, 1000 + round((random() - 0.5) * 24) / 4, 7.25, round(random() * 40) / 4] AS v
      FROM generate_series(1, 8000) i) x;
CREATE VIEW candidate AS SELECT domain, user_id, item_id, emb FROM shown WHERE i <= 400;

CREATE FUNCTION pg_temp.train(model text, source regclass, options text, OUT auc float8, OUT crc bigint) LANGUAGE plpgsql AS $$
BEGIN
  auc := (SELECT t.auc FROM aread_train(source, model, features => '{domain,user_id,item_id,emb}', options => '{"mmoe_dims": [16, 8], "deep_dims": [16, 8], "batch_size": 256, "epochs": 3}'::jsonb || options::jsonb) t);
  crc := (SELECT m.crc FROM aread.model m WHERE m.model = $1 AND m.deployed);
END $$;
CREATE TABLE trained AS
SELECT a AS model, t.* FROM (SELECT unnest(choices) AS a FROM aread_options() WHERE option = 'architecture') u, pg_temp.train(a, 'shown', format('{"architecture": %s}', to_json(a))) t;
INSERT INTO trained SELECT 'alone', t.* FROM pg_temp.train('alone', 'shown', '{"architecture": "aread", "wide": false, "pairwise": true, "epochs": 20, "learning_rate": 0.003}') t;
SELECT cmp_ok(best_epoch, '>', 0, 'so does the network without a wide part') FROM aread.model WHERE model = 'alone';
SELECT cmp_ok(auc, '>', 0.9::float8, model || ' learns from the vector') FROM trained;
SELECT cmp_ok((SELECT auc FROM aread_train('shown', 'blind', features => '{domain,user_id,item_id}', options => '{"architecture": "wide"}')), '<', 0.6::float8,
  'nothing else tells the label');
SELECT results_eq($$SELECT kind, type, "values", edges, domain_weights FROM aread.feature WHERE model = 'aread' AND name = 'emb'$$,
  $$VALUES ('dense', 'real[]', 5::bigint, NULL::float8[], 0::bigint)$$, 'arrays of floats are dense by themselves');

-- Scores: one by one and in batches, from records of several types, jsonb, json and text.
CREATE FUNCTION pg_temp.ways(model text) RETURNS TABLE (way text, worst float8) LANGUAGE sql AS $$
  WITH scored AS MATERIALIZED (SELECT c, aread_predict(model, c) AS score FROM candidate c)
  SELECT w.way, max(abs(w.score - s.score)) FROM scored s, LATERAL (VALUES
    ('row', (SELECT aread_predict(model, r) FROM (SELECT (s.c).*) r)),
    ('jsonb', aread_predict(model, to_jsonb(s.c))), ('json', aread_predict(model, to_json(s.c))), ('text', aread_predict(model, to_json(s.c)::text)),
    ('float8[]', (SELECT aread_predict(model, r) FROM (SELECT (s.c).domain, (s.c).user_id, (s.c).item_id, (s.c).emb::float8[] AS emb) r)),
    ('numeric[]', (SELECT aread_predict(model, r) FROM (SELECT (s.c).domain, (s.c).user_id, (s.c).item_id, (s.c).emb::numeric[] AS emb) r)),
    ('array as text', (SELECT aread_predict(model, r) FROM (SELECT (s.c).domain, (s.c).user_id, (s.c).item_id, (s.c).emb::text AS emb) r)),
    ('vector as text', (SELECT aread_predict(model, r) FROM (SELECT (s.c).domain, (s.c).user_id, (s.c).item_id, to_json((s.c).emb)::text AS emb) r)),
    ('vector as JSON string', aread_predict(model, jsonb_set(to_jsonb(s.c), '{emb}', coalesce(to_jsonb(to_jsonb((s.c).emb)::text), 'null'))))) w(way, score)
  GROUP BY 1 $$;
SELECT cmp_ok(worst, '<', 1e-6::float8, format('%s scores a %s the same', model, way)) FROM trained, pg_temp.ways(model);
SELECT is(aread_predict('aread', '{"domain": "domain 1"}'::jsonb), aread_predict('aread', '{"domain": "domain 1", "emb": null}'::jsonb), 'a vector that is missing is NULL');

-- The wide part by hand: weights of components times what is standardized over the training rows' means and deviations.
CREATE TABLE weights AS SELECT f, v.* FROM unnest(ARRAY['domain', 'user_id', 'item_id', 'emb', 'user_id (rows)', 'item_id (rows)']) f, aread_vectors('wide', f) v
  WHERE EXISTS (SELECT FROM aread.feature x WHERE x.model = 'wide' AND x.name = f);
CREATE TABLE moments AS SELECT f.edges[1:5] AS means, f.edges[6:10] AS deviations
  FROM aread.stored_feature f JOIN aread.stored_version v USING (version_id) JOIN aread.stored_model m USING (model_id) WHERE m.name = 'wide' AND f.name = 'emb';
SELECT is(weight, 0::real, 'a component that never varies has no weight') FROM weights WHERE f = 'emb' AND value = 'component 4';
SELECT cmp_ok(weight, '<', -1::real, 'a vector that is missing has one') FROM weights WHERE f = 'emb' AND status = 'missing';
SELECT is(deviations[4], 0::float8, 'its deviation is 0') FROM moments;
SELECT ok(abs(m.means[k] - a.mean) < 0.1 * a.sd AND abs(m.deviations[k] / a.sd - 1) < 0.05, format('component %s: near the moments of all rows', k))
FROM moments m, (SELECT ordinality AS k, avg(x) AS mean, stddev_pop(x) AS sd FROM shown, unnest(emb) WITH ORDINALITY x(x) GROUP BY 1) a WHERE k <> 4;
SELECT pg_temp.train('plain', 'shown', '{"architecture": "wide", "row_counts": false, "domain_weights": false, "calibration": false}') \gset
CREATE TABLE by_hand AS
WITH w AS (SELECT f, v.* FROM unnest(ARRAY['domain', 'user_id', 'item_id', 'emb']) f, aread_vectors('plain', f) v),
m AS (SELECT f.edges FROM aread.stored_feature f JOIN aread.stored_version v USING (version_id) JOIN aread.stored_model m USING (model_id) WHERE m.name = 'plain' AND f.name = 'emb')
SELECT c.*, aread_predict('plain', c) AS score, 1 / (1 + exp(-(
  (aread_tensor('plain', 'bias'))[1] + (SELECT sum(weight) FROM w WHERE (f, value) IN (('domain', c.domain), ('user_id', c.user_id::text), ('item_id', c.item_id::text)))
  + CASE WHEN c.emb IS NULL THEN (SELECT weight FROM w WHERE f = 'emb' AND status = 'missing')
    ELSE (SELECT sum(w.weight * (c.emb[k] - m.edges[k]) / nullif(m.edges[k + 5], 0)) FROM w, m, generate_series(1, 5) k WHERE w.f = 'emb' AND w.value = 'component ' || k) END))) AS expected
FROM candidate c;
SELECT cmp_ok(max(abs(score - expected)), '<', 1e-5::float8, 'scores of the wide architecture are those by hand') FROM by_hand;
SELECT cmp_ok(count(*), '=', 20::bigint, 'with and without a vector') FROM by_hand WHERE emb IS NULL;

-- Any order of rows, any room in memory and any number of threads give the same model, and so do vectors of another type.
CREATE VIEW turned AS SELECT * FROM (SELECT * FROM shown ORDER BY i DESC OFFSET 0) s;
CREATE TABLE as_text AS SELECT i, domain, user_id, item_id, replace(replace(emb::text, '{', ' [ '), '}', ']') AS emb, label FROM shown;
CREATE TABLE as_float8 AS SELECT i, domain, user_id, item_id, emb::float8[] AS emb, label FROM shown;
SELECT is((pg_temp.train('other', source::regclass, options)).crc, (SELECT crc FROM trained WHERE model = 'aread'), 'the same model from ' || source)
FROM (VALUES ('turned', '{"architecture": "aread"}'), ('as_float8', '{"architecture": "aread"}'),
  ('as_text', '{"architecture": "aread", "features": {"emb": {"kind": "dense"}}}')) s(source, options);
SET LOCAL aread.training_memory = '1MB';
SELECT is((pg_temp.train('other', 'shown', '{"architecture": "aread"}')).crc, (SELECT crc FROM trained WHERE model = 'aread'), 'the same model from files');
RESET aread.training_memory;

-- As pgvector's: a type of that name is dense by itself, without a word of the extension's.
CREATE SCHEMA elsewhere;
CREATE TYPE elsewhere.vector;
CREATE FUNCTION elsewhere.vector_in(cstring) RETURNS elsewhere.vector LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION elsewhere.vector_out(elsewhere.vector) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE elsewhere.vector (INPUT = elsewhere.vector_in, OUTPUT = elsewhere.vector_out, INTERNALLENGTH = variable, STORAGE = extended);
CREATE TABLE as_vector AS SELECT i, domain, user_id, item_id, emb::elsewhere.vector AS emb, label FROM as_text;
SELECT is((pg_temp.train('other', 'as_vector', '{"architecture": "aread"}')).crc, (SELECT crc FROM trained WHERE model = 'aread'), 'the same model from vectors');
SELECT is(max(abs(aread_predict('other', v) - aread_predict('aread', s))), 0::float8, 'and the same scores') FROM as_vector v JOIN shown s USING (i);

-- Export and import, explanation, drift, evaluation.
CREATE TABLE saved AS SELECT aread_export('aread') AS model;
SELECT lives_ok($$SELECT aread_import(model, 'copy') FROM saved$$, 'a model is exported and imported');
SELECT is(max(abs(aread_predict('copy', c) - aread_predict('aread', c))), 0::float8, 'and scores as before') FROM candidate c;
SELECT results_eq($$SELECT value, status FROM candidate c, aread_explain('wide', c) WHERE feature = 'emb' GROUP BY 1, 2 ORDER BY 1$$,
  $$VALUES ('vector of length 5', 'known'), (NULL, 'missing')$$, 'a vector is explained as a whole');
SELECT cmp_ok(max(abs(effect - expected)), '<', 1e-4::float8, 'by how far it is from the mean vector')
FROM candidate c, aread_explain('wide', c) e, LATERAL (SELECT ln(p / (1 - p)) - ln(m / (1 - m)) AS expected
  FROM (SELECT aread_predict('wide', c) AS p, aread_predict('wide', r) AS m FROM moments, (SELECT c.domain, c.user_id, c.item_id, (SELECT means FROM moments) AS emb) r) x) y
WHERE feature = 'emb';
SELECT results_eq($$SELECT sum(rows)::bigint, sum(missing)::bigint, sum(unseen)::bigint FROM aread_drift('aread', 'shown') WHERE feature = 'emb'$$, $$VALUES (8000::bigint, 400::bigint, 0::bigint)$$, 'drift counts vectors that are missing');
SELECT cmp_ok(auc, '>', 0.9::float8, 'an evaluation reads vectors') FROM aread_evaluate('aread', 'shown') LIMIT 1;
SELECT results_eq($$SELECT status, value FROM aread_vectors('aread', 'emb') ORDER BY id$$,
  $$VALUES ('unseen', NULL), ('missing', NULL), ('rare', NULL), ('known', 'component 1'), ('known', 'component 2'), ('known', 'component 3'), ('known', 'component 4'), ('known', 'component 5')$$, 'components have vectors');

-- What is no vector, when scores are asked for.
CREATE FUNCTION pg_temp.score(emb anyelement) RETURNS float8 LANGUAGE sql AS $$SELECT aread_predict('aread', r) FROM (SELECT 'domain 1' AS domain, $1 AS emb) r$$;
SELECT throws_ok(format('SELECT pg_temp.score(%s)', v), code, format('feature "emb" of model "aread" %s', message), v)
FROM (VALUES ($$'{1,2}'::real[]$$, '22023', 'cannot take a vector of length 2'), ($$'{1,2,3,4,5,6}'::float8[]$$, '22023', 'cannot take a vector of length 6'),
  ($$'{}'::real[]$$, '22023', 'has a vector without components'), ($$'{1,2,NULL,4,5}'::real[]$$, '22023', 'has a vector with components that are NULL'),
  ($$'{1,2,NaN,4,5}'::real[]$$, '22003', 'has a vector with a component that is no number'), ($$'{1,2,3,4,1e300}'::float8[]$$, '22003', 'has a vector with a component that is no number'),
  ($$'{1,2,3,4,1e400}'::numeric[]$$, '22003', 'has a vector with a component that is no number'), ($$'{{1,2},{3,4}}'::real[]$$, '22023', 'has a vector of several dimensions'),
  ($$'{1,2,3,4,5}'::text[]$$, '42804', 'cannot take a value of type text[]'), ($$'[1,2,3,4,5'::text$$, '22P02', 'has a value that is no vector'),
  ($$'[1,2,3,4,5]x'::text$$, '22P02', 'has a value that is no vector'), ($$'[1,2,3,4,]'::text$$, '22P02', 'has a value that is no vector'), ($$'[1 2 3 4 5]'::text$$, '22P02', 'has a value that is no vector'),
  ($$'1,2,3,4,5'::text$$, '22P02', 'has a value that is no vector'), ($$''::text$$, '22P02', 'has a value that is no vector'), ($$'[1,2,3,4,inf]'::text$$, '22003', 'has a vector with a component that is no number'),
  ($$5$$, '22P02', 'has a value that is no vector')) v(v, code, message);
SELECT throws_ok(format($$SELECT aread_predict('aread', '{"domain": "domain 1", "emb": %s}'::jsonb)$$, v), code, format('feature "emb" of model "aread" %s', message), v)
FROM (VALUES ('[1, 2]', '22023', 'cannot take a vector of length 2'), ('[1, 2, null, 4, 5]', '22P02', 'has a value that is no vector'), ('7', '42804', 'is a vector, but its value is not an array'),
  ('{"1": 2}', '42804', 'is a vector, but its value is not an array'), ('[[1, 2, 3, 4, 5]]', '22P02', 'has a value that is no vector')) v(v, code, message);
SELECT lives_ok($$SELECT pg_temp.score('{3e38,-3e38,3e38,-3e38,3e38}'::real[])$$, 'numbers far beyond any training row are numbers');

-- And in training.
CREATE FUNCTION pg_temp.refused(emb text, options text DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text;
BEGIN
  EXECUTE format('CREATE TABLE bad AS SELECT i, domain, user_id, label, %s AS emb FROM shown WHERE i < 500', emb);
  PERFORM aread_train('bad', 'bad', features => '{domain,user_id,emb}', options => '{"architecture": "wide"}'::jsonb || options::jsonb);
  DROP TABLE bad;
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  RETURN message;
END $$;
SELECT is(pg_temp.refused(emb, options), message, emb || ' ' || options)
FROM (VALUES ($$CASE i WHEN 300 THEN '{1,2}' ELSE emb END$$, '{}', 'column "emb" has vectors of different lengths'),
  ($$CASE i WHEN 300 THEN '{1,2,3,NULL,5}' ELSE emb END$$, '{}', 'column "emb" has a vector with components that are NULL'),
  ($$CASE i WHEN 300 THEN '{1,2,3,-Infinity,5}' ELSE emb END$$, '{}', 'column "emb" has a vector with a component that is no number'),
  ($$CASE i WHEN 300 THEN '{}' ELSE emb END$$, '{}', 'column "emb" has a vector without components'),
  ($$NULL::real[]$$, '{}', 'column "emb" has no vector in any row'),
  ($$array_fill(0.5::real, ARRAY[16001])$$, '{}', 'column "emb" has a vector of more than 16000 components'),
  ($$'{a}'::text[]$$, '{"features": {"emb": {"kind": "dense"}}}', 'feature "emb" cannot be of kind "dense"'),
  ($$i$$, '{"features": {"emb": {"kind": "dense"}}}', 'feature "emb" cannot be of kind "dense"'),
  ($$'words'::text$$, '{"features": {"emb": {"kind": "dense"}}}', 'column "emb" has a value that is no vector'),
  ($$emb$$, '{"features": {"emb": {"kind": "binned"}}}', 'feature "emb" cannot be of kind "binned"'),
  ($$emb$$, '{"features": {"emb": {"buckets": 8}}}', 'feature "emb" is dense and cannot be hashed to buckets'),
  ($$emb$$, '{"features": {"emb": {"bins": 8}}}', 'feature "emb" has bins, but is not binned'),
  ($$emb$$, '{"features": {"emb": {"vocabulary": "user_id"}}}', 'feature "emb" cannot share the vocabulary of "user_id"'),
  ($$emb$$, '{"features": {"user_id": {"vocabulary": "emb"}}}', 'feature "user_id" cannot share the vocabulary of "emb"'),
  ($$emb$$, '{"features": {"emb": {"kind": "list"}}}', NULL), ($$emb::int[]$$, '{"features": {"emb": {"kind": "dense"}}}', NULL)) v(emb, options, message);
SELECT throws_ok($$SELECT aread_train('shown', 'bad', domain => 'emb')$$, '42804', NULL, 'a vector is no domain');

-- Sampled negatives have their item's vector; augmented rows, and users' and items' counts, do not mind vectors.
CREATE TABLE taken AS SELECT domain, user_id, item_id, ARRAY[item_id % 5, item_id / 7.0, 1]::float4[] AS of_item, ARRAY[user_id % 3]::float8[] AS of_user FROM shown WHERE i < 3000;
SELECT lives_ok($$SELECT aread_train('taken', 'taken', options => '{"architecture": "wide", "negatives": 2}')$$, 'negatives are sampled');
SELECT results_eq($$SELECT name, goes_with_item FROM aread.feature WHERE model = 'taken' AND kind = 'dense' ORDER BY name$$, $$VALUES ('of_item', true), ('of_user', false)$$, 'a vector goes with its item');
CREATE TABLE uneven AS SELECT CASE WHEN i % 40 = 0 THEN 'small' WHEN i % 3 = 0 THEN 'medium' ELSE 'large' END AS domain, user_id, (pow(random(), 3) * 100)::int AS item_id, emb, label FROM shown;
SELECT cmp_ok(count(emb), '>', 0::bigint, 'rows with vectors are augmented') FROM aread_augment(NULL::uneven, options => '{"minor_share": 0.05, "major_share": 0.08}');

-- Without a vector in any row a column is none that the model needs; numbers are rounded once, from text as from real.
CREATE TABLE without AS SELECT label, domain, user_id, NULL::real[] AS emb FROM shown;
SELECT lives_ok($$SELECT aread_train('without', options => '{"architecture": "wide"}')$$, 'no vector in any row');
SELECT is_empty($$SELECT FROM aread.feature WHERE model = 'without' AND name = 'emb'$$, 'is no feature');
SELECT is_empty($$SELECT FROM shown s, LATERAL (SELECT s.domain, s.user_id, s.item_id, s.emb::text AS emb) t WHERE aread_predict('wide', s) <> aread_predict('wide', t)$$, 'text scores as the array');

-- Shifts, and vectors that are NULL.
CREATE TABLE gone AS SELECT user_id, domain, CASE WHEN i % 2 = 0 THEN emb END AS emb FROM shown;
SELECT is(psi < 0.02, true, 'scores of the rows that it was trained on have not moved') FROM aread_shift('wide', 'shown') WHERE feature IS NULL;
SELECT cmp_ok(psi, '>', 0.2::float8, 'without half of the vectors they have') FROM aread_shift('wide', 'gone') WHERE feature IS NULL;

SELECT * FROM finish();
ROLLBACK;
