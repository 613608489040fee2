-- Why a row scores as it does, what domains share, and the parameters behind
-- it, each recomputed from the others.
BEGIN;
SELECT no_plan();
SET client_min_messages = warning;
-- scores of a batch are those of single rows but for the order of sums
SET LOCAL aread.batch_scan = off;

CREATE TABLE interactions AS
SELECT label, domain, user_id, item_id, category, price,
  ARRAY[item_id % 7, item_id % 11] AS list, (ARRAY['train', 'valid', 'test'])[1 + (sequence % 10 >= 8)::int + (sequence % 10 = 9)::int] AS split
FROM aread_simulate(8000, domains => 8, groups => 2, users => 60, items => 50, strength => 3);
CREATE TABLE shown AS SELECT row_number() OVER () AS number, i.* FROM (SELECT * FROM interactions WHERE split = 'test' LIMIT 60) i;
INSERT INTO shown VALUES
  (1001, 1, 'nowhere', 1, 2, 3, 10, '{1,2}', 'test'),
  (1002, 1, 'domain_03', -1, 2, NULL, 10, '{77,2}', 'test'),
  (1003, 1, 'domain_04', 1, -2, 99, NULL, '{}', 'test'),
  (1004, 1, NULL, 1, 2, 3, 10, NULL, 'test');

CREATE FUNCTION pg_temp.train(model text, options text) RETURNS void LANGUAGE sql AS $$
  SELECT aread_train('interactions', model, features => '{domain,user_id,item_id,category,price,list}',
    options => '{"mmoe_experts": 2, "mmoe_mixtures": 2, "mmoe_dims": [16, 8], "embed_dim": 8, "hei_experts": [2, 3, 4], "hei_hidden": [8, 8, 8],
      "hei_output": [8, 4, 4], "batch_size": 256, "warmup_batches": 5, "mask_interval": 10, "learning_rate": 0.005, "epochs": 3,
      "patience": 100}'::jsonb || options::jsonb)
$$;
SELECT pg_temp.train('deep', '{"architecture": "hemp", "wide": false}');
SELECT pg_temp.train('open', '{"architecture": "hei", "wide": false}');
SELECT pg_temp.train('base', '{"architecture": "mmoe"}');
SELECT pg_temp.train('wide', '{"architecture": "wide"}');
SELECT ok(best_epoch > 0, 'the network is kept, and its masks with it: ' || model) FROM aread.model WHERE model IN ('deep', 'open');

CREATE TABLE explained AS
SELECT m.model, s.number, s.domain AS row_domain, aread_predict(m.model, s, s.domain) AS predicted, e.*
FROM (VALUES ('deep'), ('base'), ('wide')) m(model), shown s, LATERAL aread_explain(m.model, s, s.domain) e;

-- the score out of its heads
SELECT is_empty($$SELECT * FROM explained WHERE part = 'score'
  AND (abs(probability - predicted) > 1e-12 OR abs(logit - ln(predicted / (1 - predicted))) > 1e-9)$$, 'the score is that of aread_predict');
SELECT is_empty($$
  SELECT h.* FROM (SELECT model, number, avg(probability) AS mean, sum(share) AS shares, min(predicted) AS predicted
                   FROM explained WHERE part = 'head' GROUP BY 1, 2) h
  JOIN explained x USING (model, number) JOIN aread.model m USING (model)
  WHERE x.part = 'mean of heads' AND (abs(h.mean - x.probability) > 1e-12 OR abs(shares - 1) > 1e-12
    OR abs(1 / (1 + exp(-(m.calibration_factor * ln(h.mean / (1 - h.mean)) + m.calibration_shift))) - h.predicted) > 1e-6)
$$, 'heads, averaged and calibrated, are the score, to 1e-6');
SELECT is_empty($$SELECT * FROM explained WHERE part = 'head' AND abs(probability - 1 / (1 + exp(-logit))) > 1e-12$$, 'a head''s probability is that of its logit');
SELECT results_eq($$SELECT model, count(DISTINCT expert), max(layer) FROM explained WHERE part = 'head' GROUP BY 1 ORDER BY 1$$,
  $$VALUES ('base', 2::bigint, NULL::int), ('deep', 4, 3), ('wide', 1, NULL)$$, 'heads are experts of the last layer, mixtures, or one');
SELECT is_empty($$SELECT e.number, e.expert FROM explained e JOIN aread.mask m ON m.model = e.model AND m.domain = e.row_domain
  WHERE e.part = 'head' AND e.model = 'deep' AND m.layer = 3 AND m.upper_expert = e.expert GROUP BY 1, 2 HAVING NOT bool_or(m.open)$$,
  'only experts with an open input have a head');

-- experts and gates are those of the views
SELECT set_eq($$SELECT row_domain, layer, expert, lower_expert, gate::real FROM explained WHERE part = 'gate' AND model = 'deep' AND row_domain <> 'nowhere'$$,
  $$SELECT domain, layer, upper_expert, lower_expert, gate FROM aread.mask WHERE model = 'deep' AND open AND domain IN (SELECT domain FROM shown)$$,
  'gates are those of the domain''s mask');
SELECT is(count(*), (2 * 3 + 3 * 4)::bigint, 'a domain never seen uses all gates') FROM explained WHERE part = 'gate' AND number = 1001 AND model = 'deep';
SELECT set_eq($$SELECT row_domain, layer, expert, round(share::numeric, 9) FROM explained WHERE part = 'expert' AND model = 'deep' AND row_domain <> 'nowhere'$$,
  $$SELECT domain, layer, expert, round(flow::numeric, 9) FROM aread.expert_usage WHERE model = 'deep' AND flow > 0 AND domain IN (SELECT domain FROM shown)$$,
  'and so are the experts');
SELECT is_empty($$SELECT * FROM explained WHERE part IN ('expert', 'gate') AND model <> 'deep'$$, 'other architectures have none');

-- masks that scores do not go by
CREATE TABLE explained_open AS SELECT s.domain AS row_domain, e.* FROM shown s, LATERAL aread_explain('open', s, s.domain) e WHERE s.domain <> 'nowhere';
SELECT cmp_ok(count(*) FILTER (WHERE NOT open), '>', count(*) / 2, 'masks close gates') FROM aread.mask WHERE model = 'open';
SELECT set_eq($$SELECT row_domain, layer, expert, lower_expert, gate::real FROM explained_open WHERE part = 'gate'$$,
  $$SELECT domain, layer, upper_expert, lower_expert, gate FROM aread.mask WHERE model = 'open' AND domain IN (SELECT domain FROM shown)$$,
  'but scores use them all');
SELECT set_eq($$SELECT row_domain, layer, expert, round(share::numeric, 9) FROM explained_open WHERE part = 'expert'$$,
  $$SELECT domain, layer, expert, round(flow::numeric, 9) FROM aread.expert_usage WHERE model = 'open' AND domain IN (SELECT domain FROM shown)$$,
  'and all experts, also those that no mask uses');
SELECT is(count(*), 0::bigint, 'there is no mask update') FROM aread.mask_update WHERE model = 'open';

-- aread.expert_usage out of aread.mask
SELECT is_empty($$
  WITH heads AS (
    SELECT domain, upper_expert AS expert, bool_or(open) AS used, count(*) FILTER (WHERE open) AS inputs FROM aread.mask WHERE model = 'deep' AND layer = 3 GROUP BY 1, 2
  ), layer3 AS (
    SELECT domain, expert, inputs, CASE WHEN used THEN 1.0 / sum(used::int) OVER (PARTITION BY domain) ELSE 0 END AS flow FROM heads
  ), layer2 AS (
    SELECT m.domain, m.lower_expert AS expert, sum(m.gate * l.flow) AS flow, count(*) FILTER (WHERE m.open) AS outputs
    FROM aread.mask m JOIN layer3 l ON (l.domain, l.expert) = (m.domain, m.upper_expert) WHERE m.model = 'deep' AND m.layer = 3 GROUP BY 1, 2
  ), layer1 AS (
    SELECT m.domain, m.lower_expert AS expert, sum(m.gate * l.flow) AS flow, count(*) FILTER (WHERE m.open) AS outputs
    FROM aread.mask m JOIN layer2 l ON (l.domain, l.expert) = (m.domain, m.upper_expert) WHERE m.model = 'deep' AND m.layer = 2 GROUP BY 1, 2
  ), hand AS (
    SELECT domain, 3 AS layer, expert, flow, inputs, NULL::bigint AS outputs FROM layer3
    UNION ALL SELECT domain, 2, expert, flow, NULL, outputs FROM layer2 UNION ALL SELECT domain, 1, expert, flow, NULL, outputs FROM layer1
  )
  SELECT * FROM hand h FULL JOIN aread.expert_usage u USING (domain, layer, expert)
  WHERE u.model = 'deep' AND (h.flow IS NULL OR abs(h.flow - u.flow) > 1e-6 OR u.used <> (u.flow > 0)
    OR (layer = 3 AND u.inputs <> h.inputs) OR (layer < 3 AND u.outputs <> h.outputs) OR (layer = 1) <> (u.inputs IS NULL) OR (layer = 3) <> (u.outputs IS NULL))
$$, 'flow and counts follow from the masks');
SELECT is_empty($$SELECT domain, layer FROM aread.expert_usage GROUP BY model, 1, 2 HAVING abs(sum(flow) - 1) > 1e-6$$, 'flow through a layer is 1');
SELECT set_eq($$SELECT used_by, layer, expert, used, inputs, outputs, flow FROM aread_expert_usage('deep')$$,
  $$SELECT domain, layer, expert, used, inputs, outputs, flow FROM aread.expert_usage WHERE model = 'deep'$$, 'aread_expert_usage shows the same');
SELECT is(count(*), 9::bigint, 'of one domain too') FROM aread_expert_usage('deep', 'domain_02') WHERE used_by = 'domain_02';

-- effects: the score with one feature set to a value never seen
SELECT is_empty($$
  SELECT e.number, e.feature, e.effect, ln(predicted / (1 - predicted)) - ln(p / (1 - p)) FROM explained e JOIN shown s USING (number), LATERAL (
    SELECT aread_predict(e.model, to_jsonb(s) || jsonb_build_object(e.feature, CASE e.feature WHEN 'list' THEN '[-1]'::jsonb ELSE '-1' END), 
      CASE e.feature WHEN 'domain' THEN 'nowhere' ELSE s.domain END) AS p
  ) x
  WHERE e.part = 'feature' AND e.feature IN ('domain', 'category', 'list') AND abs(e.effect - (ln(predicted / (1 - predicted)) - ln(p / (1 - p)))) > 1e-5
$$, 'an effect is the difference that the feature makes');
SELECT results_eq($$SELECT feature, value, status FROM explained WHERE model = 'deep' AND number = 1002 AND part = 'feature'$$,
  $$VALUES ('domain', 'domain_03', 'known'), ('user_id', NULL, 'unseen'), ('item_id', '2', 'known'), ('category', NULL, 'missing'),
    ('price', (SELECT value FROM explained WHERE model = 'deep' AND number = 1001 AND feature = 'price'), 'known'), ('list', 'unseen, 2', 'known'),
    ('user_id (rows)', 'bin 1 of ' || (SELECT "values" FROM aread.feature WHERE model = 'deep' AND name = 'user_id (rows)'), 'known'),
    ('item_id (rows)', (SELECT value FROM explained WHERE model = 'deep' AND number = 1001 AND feature = 'item_id (rows)'), 'known')$$,
  'values as the model sees them');
SELECT ok(value ~ '^\[[0-9.]*, [0-9.]*\)$' AND 10 >= coalesce(nullif(split_part(trim('[)' from value), ', ', 1), ''), '0')::float8
  AND 10 < coalesce(nullif(split_part(trim('[)' from value), ', ', 2), ''), 'inf')::float8, 'a number is in its bin')
FROM explained WHERE model = 'deep' AND number = 1001 AND feature = 'price';
SELECT results_eq($$SELECT status, value FROM explained WHERE model = 'deep' AND number IN (1003, 1004) AND feature IN ('price', 'list', 'domain') AND status <> 'known' ORDER BY number, feature$$,
  $$VALUES ('missing', NULL), ('missing', NULL), ('missing', NULL)$$, 'missing ones too');

-- forms of the call, as those of aread_predict
SELECT is(count(DISTINCT probability), 1::bigint, 'features and domain in every form') FROM (
  SELECT * FROM shown s, aread_explain('deep', s) WHERE s.number = 1
  UNION ALL SELECT s.*, e.* FROM shown s, aread_explain('deep', to_jsonb(s), s.domain) e WHERE s.number = 1
  UNION ALL SELECT s.*, e.* FROM shown s, aread_explain('deep', to_json(s), s.domain::varchar) e WHERE s.number = 1
  UNION ALL SELECT s.*, e.* FROM shown s, aread_explain('deep', to_json(s)) e WHERE s.number = 1
  UNION ALL SELECT s.*, e.* FROM shown s, aread_explain('deep', to_jsonb(s)) e WHERE s.number = 1
  UNION ALL SELECT s.*, e.* FROM shown s, aread_explain('deep', to_jsonb(s)::text) e WHERE s.number = 1
  UNION ALL SELECT s.*, e.* FROM shown s, aread_explain('deep', to_jsonb(s)::text, s.domain) e WHERE s.number = 1) x WHERE part = 'score';
CREATE FUNCTION pg_temp.memory() RETURNS bigint LANGUAGE sql AS $$ SELECT sum(used_bytes)::bigint FROM pg_backend_memory_contexts $$;
SELECT cmp_ok(max(m) - min(m), '<', 200000::bigint, 'a query that explains thousands of rows does not grow') FROM (
  SELECT CASE WHEN n % 1000 = 0 THEN pg_temp.memory() END AS m
  FROM generate_series(1, 4000) n, LATERAL aread_explain('deep', jsonb_build_object('user_id', n), 'domain_01') e WHERE e.part = 'score') x;
SELECT is_empty($$SELECT aread_explain(NULL, '{"user_id": 1}', 'x')$$, 'nothing of no model');
SELECT is_empty($$SELECT aread_explain('deep', NULL::jsonb, 'x')$$, 'and of no features');
SELECT throws_ok($$SELECT aread_explain('dep', '{"user_id": 1}', 'x')$$, '42704', 'model "dep" does not exist');
SELECT throws_ok($$SELECT aread_explain('deep', '{"user_id": 1}')$$, '42703', 'the features have no domain "domain"');

-- weights: logistic regression by hand, out of what the functions show
CREATE TEMP TABLE weight AS SELECT f.name AS feature, v.* FROM aread.feature f, aread_vectors('wide', f.name) v WHERE f.model = 'wide';
CREATE TEMP TABLE domain_weight AS SELECT f.name AS feature, v.* FROM aread.feature f, aread_domain_weights('wide', f.name) v WHERE f.model = 'wide';
SELECT ok(count(*) > 100, 'there are domain weights') FROM domain_weight;
SELECT is_empty($$
  WITH part AS (
    SELECT e.number, e.feature, CASE WHEN e.feature = 'list' AND e.status <> 'missing' THEN
        (SELECT coalesce(avg(w.weight), 0) FROM unnest(string_to_array(e.value, ', ')) m JOIN weight w ON w.feature = 'list' AND coalesce(w.value, w.status) = m)
      ELSE (SELECT w.weight FROM weight w WHERE w.feature = e.feature AND w.status = e.status AND w.value IS NOT DISTINCT FROM e.value) END
      + coalesce((SELECT d.weight FROM domain_weight d WHERE d.feature = e.feature AND d.status = e.status AND d.value IS NOT DISTINCT FROM e.value AND d.domain = e.row_domain), 0) AS logit
    FROM explained e WHERE e.model = 'wide' AND e.part = 'feature'
  )
  SELECT b.number, b.logit, sum(p.logit) FROM explained b JOIN part p USING (number) WHERE b.model = 'wide' AND b.part = 'base'
  GROUP BY 1, 2 HAVING abs(b.logit - (aread_tensor('wide', 'bias'))[1] - sum(p.logit)) > 1e-5 OR count(*) <> 8
$$, 'the logit of the wide part is bias, weights and domain weights');

-- tensors
SELECT is_empty($$SELECT t.name FROM (VALUES ('deep'), ('base'), ('wide')) m(model), aread_tensors(m.model) t
  WHERE array_to_string(t.shape, ',') <> (SELECT string_agg(array_length(a, d)::text, ',' ORDER BY d) FROM aread_tensor(m.model, t.name) a, generate_series(1, array_ndims(a)) d)
    OR t.elements <> cardinality(aread_tensor(m.model, t.name))$$, 'every tensor has the shape that is told');
SELECT is(sum(elements)::bigint, (SELECT parameters FROM aread.model WHERE model = 'deep'), 'all parameters are there') FROM aread_tensors('deep');
SELECT results_eq($$SELECT name, kind, feature, shape FROM aread_tensors('deep') WHERE name IN ('embedding.1', 'mmoe.gate.weight', 'hei2.expert3.layer0.weight', 'mmoe.layer0.mean', 'calibration') ORDER BY name$$,
  $$VALUES ('calibration', 'fitted', NULL, '{3}'::int[]), ('embedding.1', 'rows', 'user_id', '{63,8}'), ('hei2.expert3.layer0.weight', 'dense', NULL, '{1,8,8}'),
    ('mmoe.gate.weight', 'dense', NULL, '{2,2,64}'), ('mmoe.layer0.mean', 'statistic', NULL, '{2,16}')$$, 'names, kinds, shapes');
SELECT is_empty($$SELECT * FROM aread_vectors('deep', 'item_id') v, aread_tensor('deep', 'embedding.2') t
  WHERE v.vector <> ARRAY(SELECT t[v.id + 1][k] FROM generate_series(1, 8) k) OR v.weight IS NOT NULL$$, 'vectors are rows of the embedding');
SELECT set_eq($$SELECT value::int FROM aread_vectors('deep', 'item_id') WHERE status = 'known'$$, $$SELECT DISTINCT item_id FROM interactions WHERE split = 'train'$$, 'of each value seen in training');
SELECT results_eq($$SELECT id, status, value FROM aread_vectors('wide', 'user_id') WHERE status <> 'known' ORDER BY id$$,
  $$VALUES (0, 'unseen', NULL), (1, 'missing', NULL), (2, 'rare', NULL)$$, 'and of those that stand for none');
SELECT ok(bool_and(vector IS NULL AND weight IS NOT NULL), 'the wide part has weights and no vectors') FROM aread_vectors('wide', 'user_id');
SELECT is(exp((aread_tensor('wide', 'calibration'))[1])::numeric(9,6), calibration_factor::numeric(9,6), 'calibration is a tensor as well') FROM aread.model WHERE model = 'wide';
SELECT is(aread_vector_text('{0.1,-2,1e-10}'), '[0.1,-2,1e-10]', 'a vector as text');
SELECT is(aread_vector_text(vector)::jsonb, to_jsonb(vector), 'is JSON as well') FROM aread_vectors('deep', 'item_id') WHERE value = '7';
SELECT throws_ok($$SELECT aread_vector_text('{{1,2},{3,4}}')$$, '22000', 'a vector must be an array of one dimension without NULLs');
SELECT throws_ok($$SELECT aread_vector_text('{}')$$, '22000', 'a vector must be an array of one dimension without NULLs');

-- domains alike
SELECT set_eq($$SELECT similar_domain, overlap, by_chance, lift FROM aread_similar_domains('deep', 'domain_03')$$,
  $$SELECT CASE domain_a WHEN 'domain_03' THEN domain_b ELSE domain_a END, overlap, by_chance, overlap / by_chance
    FROM aread.mask_overlap WHERE model = 'deep' AND layer IS NULL AND 'domain_03' IN (domain_a, domain_b)$$, 'similar domains are those of the view');
SELECT is(array_agg(similar_domain ORDER BY n), (SELECT array_agg(similar_domain ORDER BY overlap DESC, rows DESC) FROM aread_similar_domains('deep', 'domain_03')), 'most alike first')
FROM aread_similar_domains('deep', 'domain_03') WITH ORDINALITY s(similar_domain, rows, overlap, by_chance, lift, n);
SELECT is_empty($$
  WITH size AS (SELECT domain, layer, count(*) AS gates, count(*) FILTER (WHERE open) AS open FROM aread.mask WHERE model = 'deep' GROUP BY 1, 2)
  SELECT o.* FROM aread.mask_overlap o JOIN (
    SELECT a.domain AS domain_a, b.domain AS domain_b, CASE WHEN grouping(a.layer) = 0 THEN a.layer END AS layer,
      sum(a.open * b.open / a.gates::float8) / sum(a.open + b.open - a.open * b.open / a.gates::float8) AS hand
    FROM size a JOIN size b USING (layer) GROUP BY GROUPING SETS ((1, 2, a.layer), (1, 2))
  ) h ON (o.domain_a, o.domain_b) = (h.domain_a, h.domain_b) AND o.layer IS NOT DISTINCT FROM h.layer
  WHERE o.model = 'deep' AND abs(o.by_chance - h.hand) > 1e-9$$, 'overlap by chance, by hand');

-- history of masks: densities of the updates, and every step closed what it had to
SELECT is(count(*), (SELECT count(*) * 18 FROM aread.mask_update WHERE model = 'deep'), 'a row for each gate of each update') FROM aread.mask_history WHERE model = 'deep';
SELECT is_empty($$
  SELECT number, domain FROM aread.mask_history h JOIN aread.mask_update u USING (model, version, number, domain)
  GROUP BY model, version, number, domain, u.start_density, u.end_density, u.steps
  HAVING abs(avg(h.open_at_start::int) - u.start_density) > 1e-6 OR abs(avg(h.open::int) - u.end_density) > 1e-6
    OR count(DISTINCT h.closed_in_step) <> u.steps OR bool_or(h.open AND NOT h.open_at_start) OR bool_or(h.open AND h.closed_in_step IS NOT NULL)
    OR bool_or(h.open_at_start AND NOT h.open AND h.closed_in_step IS NULL)$$, 'densities and steps are those of the updates');
SELECT ok(count(*) > 0, 'the model''s masks are those of one of the updates') FROM (
  SELECT number FROM aread.mask_history h JOIN aread.mask m USING (model, version, domain, layer, lower_expert, upper_expert)
  WHERE model = 'deep' GROUP BY 1 HAVING bool_and(h.open = m.open)) x;

-- names that do not exist
CREATE FUNCTION pg_temp.hint(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  hint text;
BEGIN
  EXECUTE statement;
  RETURN 'no error';
EXCEPTION WHEN undefined_object OR object_not_in_prerequisite_state THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN hint;
END $$;
SELECT is(pg_temp.hint(format(statement)), hint, statement) FROM (VALUES
  ($$SELECT aread_tensors('deeep')$$, 'Perhaps you mean the model "deep".'),
  ($$SELECT aread_tensor('deep', 'mmoe.gate.wieght')$$, 'Perhaps you mean the tensor "mmoe.gate.weight".'),
  ($$SELECT aread_tensor('deep', 'x')$$, 'Function aread_tensors lists those that it has.'),
  ($$SELECT aread_vectors('deep', 'itemid')$$, 'Perhaps you mean the feature "item_id".'),
  ($$SELECT aread_domain_weights('deep', 'nothing like it')$$, 'The view aread.feature lists those that it has.'),
  ($$SELECT aread_similar_domains('deep', 'domain_3')$$, 'Perhaps you mean the domain "domain_03".'),
  ($$SELECT aread_expert_usage('deep', 'domian_01')$$, 'Perhaps you mean the domain "domain_01".'),
  ($$SELECT aread_expert_usage('deeep')$$, 'Perhaps you mean the model "deep".'),
  ($$SELECT aread_similar_domains('base', 'domain_01')$$, 'Train it with option architecture hei, hemp or aread, and two layers in hei_experts or more.'),
  ($$SELECT aread_expert_usage('wide')$$, 'Train it with option architecture hei, hemp or aread, and two layers in hei_experts or more.')) t(statement, hint);

SELECT * FROM finish();
ROLLBACK;
