-- Numbers that break arithmetic: labels, features, weights and options of every size.  Each training ends in an
-- error that says what to do, or in a model whose scores are probabilities and whose stored numbers are numbers.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL statement_timeout = '300s';
SELECT no_plan();

CREATE TABLE rows AS SELECT label, domain, user_id, item_id, age_band, category, price, sequence
  FROM aread_simulate(600, domains => 3, groups => 2, users => 30, items => 20, skew => 0.5, strength => 3);
CREATE FUNCTION pg_temp.small(architecture text, more text DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('architecture', $1) || '{"epochs": 2, "batch_size": 64, "embed_dim": 2, "mmoe_experts": 2, "mmoe_dims": [4], "deep_dims": [4], "hei_experts": [2, 3], "hei_hidden": [4, 4],
    "hei_output": [4, 4], "cross_layers": 1, "warmup_batches": 3, "mask_interval": 6, "candidates": 2, "candidate_steps": 2, "minor_share": 0.3, "major_share": 0.35}' || $2::jsonb $$;

-- What is wrong with a model: no number of it may be NaN or infinite, its scores of the rows lie in [0, 1].
CREATE FUNCTION pg_temp.faults(model text, source regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE n bigint; total bigint; fault text;
BEGIN
  EXECUTE format('SELECT count(*), count(*) FILTER (WHERE p >= 0 AND p <= 1 AND q >= 0 AND q <= 1) FROM (SELECT aread_predict(%1$L, s) AS p, aread_predict(%1$L, to_jsonb(s), NULL::text) AS q FROM %2$s s) x', model, source)
    INTO total, n;
  SELECT concat_ws('; ', CASE WHEN n < total THEN format('%s of %s scores are no probabilities', total - n, total) END,
    (SELECT 'tensor ' || string_agg(t.name, ', ') FROM aread_tensors(model) t WHERE EXISTS (SELECT FROM unnest(aread_tensor(model, t.name)) v WHERE v IN ('NaN', 'Infinity', '-Infinity'))),
    (SELECT 'model' FROM aread.model m WHERE m.model = $1 AND to_jsonb(m)::text ~ 'NaN|Infinity' LIMIT 1),
    (SELECT 'training log' FROM aread.training_log m WHERE m.model = $1 AND to_jsonb(m)::text ~ 'NaN|Infinity' LIMIT 1),
    (SELECT 'domain' FROM aread.domain m WHERE m.model = $1 AND to_jsonb(m)::text ~ 'NaN|Infinity' LIMIT 1),
    (SELECT 'feature' FROM aread.feature m WHERE m.model = $1 AND (to_jsonb(m) - 'edges')::text ~ 'NaN|Infinity' LIMIT 1),
    (SELECT 'mask' FROM aread.mask m WHERE m.model = $1 AND to_jsonb(m)::text ~ 'NaN|Infinity' LIMIT 1),
    (SELECT 'mask update' FROM aread.mask_update m WHERE m.model = $1 AND to_jsonb(m)::text ~ 'NaN|Infinity' LIMIT 1)) INTO fault;
  RETURN fault;
END $$;
CREATE TABLE outcome (what text, options jsonb, state text, message text, hint text, fault text, seconds float8);
CREATE FUNCTION pg_temp.train(source regclass, what text, options jsonb, weight text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
DECLARE state text; message text; hint text; fault text; began timestamptz := clock_timestamp();
BEGIN
  BEGIN
    PERFORM aread_train($1, 'm', options => $3, weight => $4);
    fault := pg_temp.faults('m', $1);
    PERFORM aread_evaluate('m', $1);
    fault := concat_ws('; ', NULLIF(fault, ''), (SELECT 'comes back different' WHERE aread_import(aread_export('m'), 'n') IS NULL OR (SELECT count(DISTINCT m.crc) FROM aread.model m WHERE m.model IN ('m', 'n')) <> 1));
    PERFORM aread_drop('m'), aread_drop('n', true);
    state := '00000';
  EXCEPTION WHEN OTHERS OR query_canceled THEN GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
  END;
  INSERT INTO outcome VALUES ($2, $3, state, message, hint, fault, extract(epoch FROM clock_timestamp() - began));
END $$;
CREATE FUNCTION pg_temp.judge(what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN NEXT is((SELECT string_agg(format('%s, %s: %s %s', o.what, o.options - ARRAY(SELECT jsonb_object_keys(pg_temp.small('x') - 'architecture' - o.what)), o.state, concat_ws(' ', left(o.message, 200), o.fault)), E'\n') FROM outcome o
    WHERE o.state IN ('XX000', '57014') OR o.fault <> '' OR (o.state <> '00000' AND o.hint = '')), NULL, what || ': a model without faults, or an error with a hint');
  RETURN NEXT diag(format('%s: %s trainings, %s errors, %s s', what, (SELECT count(*) FROM outcome), (SELECT count(*) FROM outcome WHERE state <> '00000'), (SELECT round(sum(seconds)::numeric, 1) FROM outcome)));
  DELETE FROM outcome;
END $$;

-- labels and features
CREATE VIEW one AS SELECT 1 AS label, domain, user_id, item_id FROM rows;
CREATE VIEW zero AS SELECT 0 AS label, domain, user_id, item_id FROM rows;
CREATE VIEW one_negative AS SELECT (sequence <> 3)::int AS label, domain, user_id, item_id FROM rows;
CREATE VIEW constant AS SELECT label, 'd' AS domain, 1 AS user_id, 2 AS item_id, 0.5::float8 AS price, NULL::int AS nothing FROM rows;
CREATE VIEW floats AS SELECT label, domain, user_id, (ARRAY['NaN', 'Infinity', '-Infinity', '1e38', '-3.4e38', '1e-45', '0', '-0'])[1 + sequence % 8]::float4 AS f4,
  (ARRAY['NaN', 'Infinity', '-Infinity', '1e308', '-1.7e308', '5e-324', '0', '-0'])[1 + sequence % 8]::float8 AS f8, (ARRAY['NaN', '1e400', '-1e400', '1e-400', '1e16000', '0'])[1 + sequence % 6]::numeric AS n,
  CASE WHEN label = 1 THEN 1e308 ELSE -1e308 END AS known FROM rows;
CREATE VIEW only_nan AS SELECT label, domain, user_id, 'NaN'::float8 AS f8, 'Infinity'::float4 AS f4, NULL::float8 AS none FROM rows;
CREATE VIEW lists AS SELECT label, domain, user_id, ARRAY[price, 'NaN', 'Infinity', 1e308, NULL]::float8[] AS members, ARRAY['NaN', price::numeric]::numeric[] AS numerics, '{}'::int[] AS empty FROM rows;
CREATE VIEW dates AS SELECT label, domain, user_id, (ARRAY['infinity', '-infinity', '294276-12-31', '4713-01-02 BC', '2000-01-01'])[1 + sequence % 5]::timestamptz AS at, (ARRAY['infinity', '-infinity', '5874897-12-31', '4713-01-01 BC'])[1 + sequence % 4]::date AS day FROM rows;
CREATE VIEW integers AS SELECT label, CASE WHEN sequence % 2 = 0 THEN 9223372036854775807 ELSE -9223372036854775808 END AS domain, (ARRAY[2147483647, -2147483648, 0])[1 + sequence % 3] AS user_id,
  (ARRAY[32767, -32768])[1 + sequence % 2]::int2 AS item_id, 4294967295::oid AS o FROM rows;
CREATE VIEW vectors AS SELECT label, domain, user_id, (ARRAY['{0,3.4e38,1e-45,-3.4e38,7}', '{0,-3.4e38,-1e-45,0,7}', '{-0,0,0,0,7}', NULL])[1 + sequence % 4]::float4[] AS v FROM rows;
SELECT pg_temp.train(source, source, pg_temp.small(a)) FROM unnest('{one,zero,one_negative,constant,floats,only_nan,vectors,dates,integers}'::text[]) source, (SELECT unnest(choices) AS a FROM aread_options() WHERE option = 'architecture') u;
SELECT pg_temp.train('lists', 'lists', pg_temp.small(a, '{"features": {"members": {"kind": "list"}}}')) FROM (SELECT unnest(choices) AS a FROM aread_options() WHERE option = 'architecture') u;
SELECT pg_temp.train('floats', 'floats', pg_temp.small('mmoe', o)) FROM unnest(ARRAY['{"features": {"f4": {"kind": "categorical"}, "f8": {"kind": "categorical"}, "n": {"kind": "categorical"}}}',
  '{"bins": 1}', '{"bins": 65536}', '{"features": {"f8": {"bins": 65536}}}']) o;
CREATE FUNCTION pg_temp.piecewise(VARIADIC names text[]) RETURNS text LANGUAGE sql AS $$SELECT jsonb_build_object('features', jsonb_object_agg(n, '{"kind": "piecewise", "bins": 7}'::jsonb)) FROM unnest(names) n$$;
SELECT pg_temp.train(source, source, pg_temp.small(a, pg_temp.piecewise(VARIADIC names))) FROM (VALUES ('floats', '{f4,f8,n,known}'::text[]), ('only_nan', '{f8,f4,none}'), ('constant', '{price,nothing}')) v(source, names),
  unnest('{wide,mmoe,fm}'::text[]) a;
SELECT is((SELECT string_agg(DISTINCT what, ' ' ORDER BY what) FROM outcome WHERE state <> '00000'), 'one zero', 'what cannot be trained on');
SELECT * FROM pg_temp.judge('labels and features');

-- row weights
CREATE VIEW weighted AS SELECT rows.*, 0::float8 AS zeros, (ARRAY[0, 1e30])[1 + sequence % 2]::float8 AS large, 1e30::float8 AS all_large, 3e38::float4 AS largest, 1e-40::float8 AS small, 1e-300::float8 AS smallest, (ARRAY[1e-38, 3e38])[1 + sequence % 2] AS spread,
  'NaN'::float8 AS nan, 'Infinity'::float8 AS infinite, -1 AS negative, NULL::float8 AS nothing, (sequence = 5)::int::float8 * 1e30 AS single, CASE WHEN sequence = 5 THEN 1e30 ELSE 1 END AS outlier, 1e309::numeric AS n FROM rows;
SELECT pg_temp.train('weighted', weight, pg_temp.small(a, '{"features": {}}') , weight) FROM unnest('{zeros,large,all_large,largest,small,smallest,spread,nan,infinite,negative,nothing,single,outlier,n}'::text[]) weight, unnest('{wide,mmoe,aread}'::text[]) a;
SELECT is((SELECT string_agg(DISTINCT what, ' ' ORDER BY what) FROM outcome WHERE state <> '00000'), 'infinite n nan negative nothing single smallest zeros', 'what is no weight, or none but 0');
SELECT * FROM pg_temp.judge('row weights');

-- learning rates that diverge
SELECT pg_temp.train('rows', 'learning rate', pg_temp.small(a, format('{"learning_rate": %s, "mask_learning_rate": %1$s, "epochs": 3, "batch_norm": %s}', r, b)) || o::jsonb) FROM unnest('{1,0.1,1e-9}'::text[]) r, (SELECT unnest(architectures) AS a FROM aread_options() WHERE option = 'learning_rate') u, unnest('{true,false}'::text[]) b,
  unnest(ARRAY['{}', '{"wide": false, "calibration": false, "base_skip": false, "pairwise": true, "dropout": 0}']) o WHERE r <> '0.1' OR a IN ('fm', 'aread');
SELECT * FROM pg_temp.judge('learning rates');

-- every numeric option at both ends of its range, on an architecture that has a use for it and one that has none, those of many passes or much room with what keeps them short
CREATE TABLE tamed (option, value, more) AS VALUES
  ('mmoe_dims', 4096, '{"mmoe_dims": [4096], "epochs": 1}'), ('deep_dims', 4096, '{"deep_dims": [4096], "epochs": 1}'), ('hei_hidden', 4096, '{"epochs": 1}'), ('hei_output', 4096, '{"epochs": 1}'), ('hei_experts', 64, '{"epochs": 1}'), ('negatives', 1000, '{"batch_size": 65536, "epochs": 1}'), ('valid_share', 0.9, '{"test_share": 0.05}'), ('test_share', 0.9, '{"valid_share": 0.05}'),
  ('initial_density', 0.01, '{"target_density": 0.01}'), ('hard_negatives', 1, '{"negatives": 2}'), ('target_density', 1, '{"initial_density": 1}'), ('minor_share', 1, '{"major_share": 1}'), ('major_share', 0, '{"minor_share": 0}');
SELECT pg_temp.train('rows', option, pg_temp.small(a, jsonb_build_object(option, CASE WHEN type = 'integers' THEN jsonb_build_array(value, value) ELSE to_jsonb(value) END)::text) || coalesce((SELECT more::jsonb FROM tamed t WHERE t.option = o.option AND t.value = o.value), '{}'))
FROM (SELECT option, type, unnest(ARRAY[minimum, maximum]) AS value, CASE WHEN 'aread' = ANY (architectures) THEN 'aread' ELSE coalesce(architectures[1], 'aread') END AS user FROM aread_options() WHERE minimum IS NOT NULL AND type <> 'names') o,
  unnest(ARRAY['wide', o.user]) a;
SELECT is((SELECT string_agg(DISTINCT what, ' ' ORDER BY what) FROM outcome WHERE state <> '00000'), 'l2_wide label_threshold min_rows', 'at the ends of their range all but these train, and are deployed');
SELECT * FROM pg_temp.judge('options');

SELECT * FROM finish();
ROLLBACK;
