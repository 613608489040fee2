-- What every architecture must do, one added later too: nothing here names any.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL aread.batch_scan = off;
SELECT no_plan();

CREATE TABLE architecture AS SELECT unnest(choices) AS a FROM aread_options() WHERE option = 'architecture';
SELECT cmp_ok(count(*), '>', 1::bigint, 'there are some') FROM architecture;

-- a list, NULLs, and a vector
CREATE TABLE seen AS
SELECT sequence, label, domain, user_id, item_id, CASE WHEN sequence % 9 > 0 THEN category END AS category, CASE WHEN sequence % 7 > 0 THEN price END AS price,
  CASE WHEN sequence % 11 > 0 THEN ARRAY(SELECT (item_id + i * user_id) % 13 FROM generate_series(1, sequence % 4) i) END AS tags,
  CASE WHEN sequence % 10 > 0 THEN ARRAY[item_id % 5, user_id % 3 + sequence % 2 / 2.0, 1]::real[] END AS emb
FROM aread_simulate(2400, domains => 6, groups => 2, users => 40, items => 30, skew => 0.6, strength => 3);
CREATE TABLE shown AS SELECT row_number() OVER (ORDER BY sequence) AS n, domain, user_id, item_id, category, price, tags, emb FROM seen WHERE sequence % 40 = 3;
INSERT INTO shown VALUES (1001, 'nowhere', 1, 2, 3, 10, '{1,2}', '{1,2,1}'), (1002, 'domain_02', -1, -2, -3, 1e9, '{77,2}', '{4,3,1}'),
  (1003, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (1004, 'nowhere', -1, -2, -3, NULL, '{}', NULL);

-- small sizes, those that the architecture has
CREATE FUNCTION pg_temp.train(a text, model text, more text DEFAULT '{}', threads text DEFAULT '1', OUT auc float8, OUT crc bigint) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('aread.threads', threads, true);
  SELECT t.auc INTO auc FROM aread_train('seen', model, features => '{domain,user_id,item_id,category,price,tags,emb}', options => jsonb_build_object('architecture', a) || more::jsonb || (
    SELECT jsonb_object_agg(key, value) FROM jsonb_each('{"row_counts": false, "epochs": 3, "patience": 10, "batch_size": 128, "embed_dim": 4, "learning_rate": 0.01, "l2_embedding": 30, "mmoe_experts": 2,
      "mmoe_dims": [8, 4], "deep_dims": [8, 4], "hei_experts": [2, 3], "hei_hidden": [4, 4], "hei_output": [4, 4], "cross_layers": 2, "warmup_batches": 4, "mask_interval": 15, "candidates": 2, "candidate_steps": 2}')
    JOIN aread_options() ON option = key WHERE architectures IS NULL OR a = ANY (architectures))) t;
  SELECT m.crc INTO crc FROM aread.model m WHERE m.model = $2 AND m.deployed;
END $$;
CREATE TABLE trained AS SELECT a, t.* FROM architecture, pg_temp.train(a, a) t;
SELECT cmp_ok(auc, '>', 0.6::float8, a || ' learns') FROM trained;

-- the catalog
SELECT is((m.config ->> 'architecture', m.options ->> 'architecture')::text, (m.architecture, a)::text, a || ': the views have its name') FROM trained LEFT JOIN aread.model m ON m.model = a;
-- one that chooses between others has the options of each of them
SELECT ok(m.architecture = a OR (SELECT chosen.options <@ asked.options AND chosen.options <> asked.options FROM aread_architectures() chosen, aread_architectures() asked
  WHERE chosen.architecture = m.architecture AND asked.architecture = a), a || ': the model is of it, or of one that it chose') FROM trained LEFT JOIN aread.model m ON m.model = a;
SELECT is(m.parameters, (SELECT sum(elements)::bigint FROM aread_tensors(a)), a || ': its tensors are all of its parameters') FROM trained LEFT JOIN aread.model m ON m.model = a;
SELECT is_empty(format('SELECT name FROM aread_tensors(%L) t WHERE elements <> cardinality(aread_tensor(%1$L, t.name))', a), a || ': each has the elements that are told') FROM trained;
SELECT ok(count(l.model) > 0 AND count(*) FILTER (WHERE kept) = 1 AND bool_and(l.auc BETWEEN 0 AND 1) AND bool_and(m.best_epoch IN (SELECT epoch FROM aread.training_log x WHERE x.model = a)),
  a || ': a training log, one line of which is kept') FROM trained LEFT JOIN aread.training_log l ON l.model = a LEFT JOIN aread.model m ON m.model = a GROUP BY a;
SELECT is(count(f.model), 7::bigint, a || ': features') FROM trained LEFT JOIN aread.feature f ON f.model = a GROUP BY a;
SELECT is(count(d.model), 6::bigint, a || ': domains') FROM trained LEFT JOIN aread.domain d ON d.model = a GROUP BY a;

-- the same again, by any number of threads; what draws numbers draws others of another seed
SELECT is((pg_temp.train(a, 'again')).crc, crc, a || ': the same model again') FROM trained;
SELECT is((pg_temp.train(a, 'again', threads => '3')).crc, crc, a || ': the same model by three threads') FROM trained;
SELECT isnt((pg_temp.train(a, 'again', '{"seed": 2}')).crc, crc, a || ': another one of another seed')
FROM trained WHERE a = ANY (SELECT unnest(architectures) FROM aread_options() WHERE option = 'learning_rate');

-- scores: of records, JSON and text, bit for bit; of rows in batches but for the order of sums
CREATE TABLE scored AS SELECT a, n, s, aread_predict(a, s) AS score FROM trained, shown s;
SELECT ok(count(*) = (SELECT count(*) FROM shown) AND bool_and(coalesce(score > 0 AND score < 1, false)) AND count(DISTINCT score) > 40, a || ' scores rows, seen and never seen') FROM trained LEFT JOIN scored USING (a) GROUP BY a;
SELECT is_empty(format('SELECT n FROM scored WHERE a = %L AND (score, score, score, score) IS DISTINCT FROM
  (aread_predict(a, to_jsonb(s)), aread_predict(a, to_json(s)), aread_predict(a, to_json(s)::text), aread_predict(a, to_jsonb(s), (s).domain))', a), a || ' scores a row the same in every form') FROM trained;
SET LOCAL aread.batch_scan = on;
CREATE TABLE batched (a text, n bigint, score float8);
DO $$
DECLARE name text;
BEGIN
  FOR name IN SELECT a FROM trained LOOP
    EXECUTE format('INSERT INTO batched SELECT %L, n, aread_predict(%1$L, s) FROM shown s', name);
  END LOOP;
END $$;
SET LOCAL aread.batch_scan = off;
SELECT is(count(*) FILTER (WHERE abs(b.score - s.score) < 1e-6), count(*), a || ' scores batches as it scores rows') FROM scored s LEFT JOIN batched b USING (a, n) GROUP BY a;
SELECT is(aread_predict(a, '{"domain": "nowhere", "user_id": -1}'::jsonb), aread_predict(a, '{"domain": "elsewhere", "user_id": -99}'::jsonb), a || ': whatever was never seen scores alike') FROM trained;
SELECT cmp_ok(e.auc, '>', 0.6::float8, a || ' is evaluated') FROM trained, LATERAL aread_evaluate(a, 'seen', split => 'test') e;

-- explanations
CREATE TABLE explained AS SELECT a, n, score AS predicted, e.* FROM scored, LATERAL aread_explain(a, s) e WHERE n % 10 = 1 OR n > 1000;
SELECT is_empty(format('SELECT n FROM explained WHERE a = %L AND part = ''score'' AND (probability <> predicted OR abs(logit - ln(predicted / (1 - predicted))) > 1e-9)', a), a || ' explains its score') FROM trained;
SELECT is_empty(format($$
  SELECT n FROM (SELECT n, avg(probability) AS mean, sum(share) AS shares, min(predicted) AS predicted, max(abs(probability - 1 / (1 + exp(-logit)))) AS worst FROM explained WHERE a = %L AND part = 'head' GROUP BY 1) h
  JOIN aread.model m ON m.model = %1$L JOIN explained x USING (n) WHERE x.a = %1$L AND x.part = 'mean of heads' AND (abs(h.mean - x.probability) > 1e-12 OR abs(h.shares - 1) > 1e-12 OR h.worst > 1e-12
    OR abs(m.calibration_factor * ln(h.mean / (1 - h.mean)) + m.calibration_shift - ln(h.predicted / (1 - h.predicted))) > 1e-5) $$, a), a || ': its heads, averaged and calibrated, are the score') FROM trained;
SELECT is((count(*) FILTER (WHERE part = 'score'), count(*) FILTER (WHERE part = 'mean of heads'), count(*) FILTER (WHERE part = 'base'), count(DISTINCT n) FILTER (WHERE part = 'head'))::text,
  (SELECT (count(*), count(*), count(*), count(*))::text FROM shown WHERE n % 10 = 1 OR n > 1000), a || ': a score, a mean, a base and heads of each row') FROM trained LEFT JOIN explained USING (a) GROUP BY a;
SELECT is_empty(format($$
  SELECT n, feature FROM explained e JOIN shown s USING (n), LATERAL (SELECT aread_predict(a, to_jsonb(s) || jsonb_build_object(feature, CASE feature WHEN 'tags' THEN '[-1]'::jsonb ELSE '-1' END)) AS p) x
  WHERE a = %L AND part = 'feature' AND feature NOT IN ('price', 'emb') AND abs(effect - (ln(predicted / (1 - predicted)) - ln(p / (1 - p)))) > 1e-5 $$, a), a || ': an effect is the difference that a feature makes') FROM trained;
SELECT is(count(*) FILTER (WHERE part = 'feature' AND effect IS NOT NULL), 7 * (SELECT count(*) FROM shown WHERE n % 10 = 1 OR n > 1000), a || ': every feature has one') FROM trained LEFT JOIN explained USING (a) GROUP BY a;

-- another place
SELECT is(aread_import(aread_export(a), a || ' moved'), 1, a || ' moves') FROM trained;
SELECT is(m.crc, t.crc, a || ': to the same bytes') FROM trained t JOIN aread.model m ON m.model = a || ' moved';
SELECT is_empty(format('SELECT n FROM scored WHERE a = %L AND aread_predict(a || '' moved'', s) IS DISTINCT FROM score', a), a || ': and the same scores') FROM trained;

SELECT * FROM finish();
ROLLBACK;
