-- A model, once trained: what the views say of it is true.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

CREATE TABLE clicks AS SELECT label, domain, user_id, item_id, age_band, category
FROM aread_simulate(12000, domains => 8, groups => 2, users => 120, items => 80, strength => 3, skew => 0.8);
CREATE FUNCTION pg_temp.options(text DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
  SELECT '{"architecture": "aread", "epochs": 4, "embed_dim": 4, "mmoe_experts": 2, "mmoe_dims": [16, 8], "hei_experts": [2, 3, 4], "hei_hidden": [8, 8, 4],
    "hei_output": [8, 4, 4], "batch_size": 256, "candidates": 4, "warmup_batches": 10, "mask_interval": 20, "learning_rate": 0.005,
    "minor_share": 0.09, "major_share": 0.12}'::jsonb || $1::jsonb $$;
CREATE TABLE trained AS SELECT * FROM aread_train('clicks', options => pg_temp.options());

-- aread_train and aread.model
SELECT is(trained_model, 'clicks', 'a model is called by its source') FROM trained;
SELECT is(version, 1, 'first version') FROM trained;
SELECT is(train_rows + valid_rows + test_rows + skipped_rows, 12000::bigint, 'every row is somewhere') FROM trained;
SELECT is((m.train_rows, m.valid_rows, m.test_rows, m.test_auc, m.test_domain_auc, m.test_log_loss, m.best_epoch)::text,
          (t.train_rows, t.valid_rows, t.test_rows, t.auc, t.domain_auc, t.log_loss, t.best_epoch)::text, 'aread.model says the same')
FROM trained t, aread.model m;
SELECT is((owner, source, architecture, seed, deployed, domains)::text, (current_user, 'public.clicks', 'aread', 1, true, 8)::text, 'and more')
FROM aread.model;
SELECT is((config ->> 'embed_dim', config ->> 'dropout', options ? 'dropout')::text, ('4', '0.1', false)::text, 'options as given, and as used') FROM aread.model;
SELECT is(parameters * 4 < bytes, true, 'bytes cover the parameters') FROM aread.model;

-- aread.training_log
SELECT is(count(*), 1::bigint, 'one start') FROM aread.training_log WHERE epoch = 0 AND batches = 0 AND train_loss IS NULL;
SELECT is(count(*), 4::bigint, 'four epochs') FROM aread.training_log WHERE epoch_end AND epoch > 0 AND train_loss > 0 AND rows_per_second > 0;
SELECT is(l.domain_auc, m.valid_domain_auc, 'the last gain is what was kept')
FROM aread.model m, LATERAL (SELECT * FROM aread.training_log WHERE best ORDER BY evaluation DESC LIMIT 1) l;
SELECT is(max(mask_updates), (SELECT max(number) FROM aread.mask_update), 'mask updates are counted') FROM aread.training_log;
SELECT is((count(*), max(evaluation))::text, (SELECT (1, max(evaluation))::text FROM aread.training_log WHERE best), 'one evaluation was kept, the last one that gained') FROM aread.training_log WHERE kept;
SELECT is(l.epoch, m.best_epoch, 'aread.model knows its epoch') FROM aread.training_log l, aread.model m WHERE l.kept;
SELECT is_empty($$SELECT evaluation, reason FROM (SELECT *, max(domain_auc) FILTER (WHERE best) OVER (ORDER BY evaluation ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM aread.training_log) l
  WHERE reason IS NULL OR (evaluation = 0) <> (reason LIKE 'the start%') OR (best AND evaluation > 0) <> (reason LIKE format('gains %s of DomainAUC%%', round((domain_auc - before)::numeric, 4)))
    OR (domain_auc - before < 0.0005) <> (reason LIKE 'gains less than 0.0005 of DomainAUC%') OR kept <> (reason LIKE '%; kept')$$, 'reasons are what the measures say');
SELECT is(array_agg(evaluation), ARRAY[(SELECT max(evaluation) FROM aread.training_log)], 'the last one says why it was the last') FROM aread.training_log WHERE reason LIKE '%; training ends %';

-- aread.domain
SELECT is(d.rows, (SELECT sum(rows) FROM aread.domain)::bigint, 'domains add up to the training rows') FROM (SELECT train_rows AS rows FROM trained) d;
SELECT is(sum(test_rows)::bigint, (SELECT test_rows FROM trained), 'and to the test rows') FROM aread.domain;
SELECT ok(bool_and(minor = (rows < 0.09 * t.train_rows)) AND bool_and(major = (rows > 0.12 * t.train_rows)), 'minor and major follow the shares')
FROM aread.domain d, trained t;
SELECT ok(bool_and((augmented_rows > 0) = minor), 'minor domains are augmented, others not') FROM aread.domain;
SELECT ok(abs(sum(test_auc * test_rows) / sum(test_rows) - (SELECT domain_auc FROM trained)) < 1e-12, 'DomainAUC is their mean by rows')
FROM aread.domain WHERE test_auc IS NOT NULL;

-- aread.feature
SELECT set_eq($$SELECT position, name, kind, role FROM aread.feature$$,
  $$VALUES (1, 'domain', 'categorical', 'domain'), (2, 'user_id', 'categorical', 'user'), (3, 'item_id', 'categorical', 'item'),
           (4, 'age_band', 'categorical', NULL), (5, 'category', 'categorical', NULL), (6, 'user_id (rows)', 'rows', NULL), (7, 'item_id (rows)', 'rows', NULL)$$, 'features');

-- aread.mask: 2 x 3 and 3 x 4 gates of 8 domains
SELECT is(count(*), (8 * (6 + 12))::bigint, 'a row for each gate') FROM aread.mask;
SELECT is_empty($$SELECT domain, layer, upper_expert FROM aread.mask WHERE open
  GROUP BY 1, 2, 3 HAVING abs(sum(gate) - 1) > 1e-5$$, 'open gates of an expert sum to 1');
SELECT is_empty($$SELECT * FROM aread.mask WHERE (gate = 0) = open$$, 'closed gates weigh nothing, open ones something');
SELECT is_empty($$
  SELECT domain, e FROM (SELECT DISTINCT domain FROM aread.mask) d, generate_series(1, 3) e
  WHERE (SELECT bool_or(open) FROM aread.mask m WHERE m.domain = d.domain AND layer = 2 AND upper_expert = e)
     <> (SELECT bool_or(open) FROM aread.mask m WHERE m.domain = d.domain AND layer = 3 AND lower_expert = e)$$,
  'an expert that is fed feeds, and the other way round');
SELECT is(count(DISTINCT domain), 8::bigint, 'every domain has an open gate') FROM aread.mask WHERE layer = 3 AND open;

-- aread.mask_update: densities are recorded and follow the pruning rule
SELECT is(count(*), (SELECT max(number) * 8 FROM aread.mask_update)::bigint, 'a row for each update and domain') FROM aread.mask_update;
-- (two open gates, one in each layer, are the least that a mask can have)
SELECT ok(bool_and((end_density < start_density OR round(start_density::numeric * 18) = 2) AND end_density > 0 AND start_density <= 1 AND steps BETWEEN 1 AND 5 AND loss > 0),
          'pruning closes gates') FROM aread.mask_update;
SELECT is_empty($$
  WITH RECURSIVE pruned AS (
    SELECT number, domain, steps, end_density, 0 AS step, round(start_density::numeric * 18) AS open FROM aread.mask_update
    UNION ALL
    SELECT number, domain, steps, end_density, step + 1, greatest(2, open - greatest(1, round(open * 0.05))) FROM pruned WHERE step < steps)
  SELECT * FROM pruned WHERE step = steps AND round(end_density::numeric * 18) > open$$, 'each step closes its share, or more where experts fall idle');
SELECT is_empty($$SELECT * FROM aread.mask_update WHERE steps < 5 AND end_density > 0.4$$, 'the search ends early at the target density only');

-- aread.mask_overlap: recomputed from aread.mask
SELECT is(count(*), (28 * 3)::bigint, 'pairs, for each layer and all of them') FROM aread.mask_overlap;
SELECT is_empty($$
  SELECT o.*, m.overlap FROM aread.mask_overlap o, LATERAL (
    SELECT count(*) FILTER (WHERE a.open AND b.open)::float8 / nullif(count(*) FILTER (WHERE a.open OR b.open), 0) AS overlap
    FROM aread.mask a JOIN aread.mask b USING (layer, lower_expert, upper_expert)
    WHERE a.domain = o.domain_a AND b.domain = o.domain_b AND (o.layer IS NULL OR layer = o.layer)) m
  WHERE o.overlap IS DISTINCT FROM m.overlap$$, 'overlap is shared open gates over all open gates');

-- aread_predict, aread_evaluate, aread_evaluate_domains: against measures in SQL
-- (scores of one row and of a batch differ in the last digits, so that a tie may be none)
CREATE TABLE scored AS SELECT *, aread_predict('clicks', c) AS p FROM clicks c;
CREATE FUNCTION pg_temp.auc(text DEFAULT NULL) RETURNS float8 LANGUAGE sql AS $$
  SELECT (sum(rank) FILTER (WHERE label = 1) - n1 * (n1 + 1) / 2.0) / (n1 * n0)
  FROM (SELECT label, (rank() OVER (ORDER BY p) + rank() OVER (ORDER BY p) + count(*) OVER (PARTITION BY p) - 1) / 2.0 AS rank FROM scored
        WHERE $1 IS NULL OR domain = $1) r,
       (SELECT count(*) FILTER (WHERE label = 1)::float8 AS n1, count(*) FILTER (WHERE label = 0)::float8 AS n0 FROM scored
        WHERE $1 IS NULL OR domain = $1) n
  GROUP BY n1, n0 $$;
CREATE TABLE evaluated AS SELECT * FROM aread_evaluate('clicks', 'clicks');
SELECT is((rows, skipped_rows)::text, '(12000,0)', 'all rows are evaluated') FROM evaluated;
SELECT ok(abs(auc - pg_temp.auc()) < 1e-4, 'AUC as counted in SQL') FROM evaluated;
SELECT ok(abs(log_loss - (SELECT avg(-ln(CASE label WHEN 1 THEN p ELSE 1 - p END)) FROM scored)) < 1e-9, 'log loss as counted in SQL') FROM evaluated;
SELECT is_empty($$SELECT domain, auc, pg_temp.auc(domain) FROM aread_evaluate_domains('clicks', 'clicks')
  WHERE abs(auc - pg_temp.auc(domain)) > 1e-4 OR auc IS NULL$$, 'AUC of each domain as counted in SQL');
SELECT is((sum(rows), sum(positives))::text, (12000, (SELECT sum(label) FROM clicks))::text, 'domains add up')
FROM aread_evaluate_domains('clicks', 'clicks');
SELECT ok(e.domain_auc_rows = 12000 AND e.minor5_auc_rows < e.minor10_auc_rows AND e.major5_auc_rows < 12000
  AND abs(e.domain_auc - (SELECT sum(auc * rows) / sum(rows) FROM aread_evaluate_domains('clicks', 'clicks'))) < 1e-9, 'measures and the rows behind them')
FROM evaluated e;
INSERT INTO clicks SELECT 1, 'domain_77', 1, 1, 1, 1 FROM generate_series(1, 3);
INSERT INTO clicks VALUES (NULL, 'domain_01', 1, 1, 1, 1), (0, 'domain_77', 1, 1, 1, 1);
SELECT is((rows, positives, train_rows, auc)::text, '(4,3,0,0.5)', 'rows of domains never seen have a row of their own')
FROM aread_evaluate_domains('clicks', 'clicks') WHERE domain IS NULL;
SELECT is((rows, skipped_rows)::text, '(12004,1)', 'rows without a label are skipped and counted') FROM aread_evaluate('clicks', 'clicks');
DELETE FROM clicks WHERE label IS NULL OR domain = 'domain_77';

-- versions
SELECT is(version, 2, 'training again makes a version') FROM aread_train('clicks', options => pg_temp.options('{"architecture": "wide"}'));
SELECT results_eq('SELECT version, deployed FROM aread.model ORDER BY 1', 'VALUES (1, false), (2, true)', 'the newest scores');
SELECT is(count(*), 0::bigint, 'the wide part has no masks') FROM aread.mask WHERE version = 2;

-- architectures, by one option
CREATE FUNCTION pg_temp.users(option text) RETURNS text[] LANGUAGE sql AS $$ SELECT architectures FROM aread_options() o WHERE o.option = $1 $$;
SELECT is((SELECT (t).version FROM (SELECT aread_train('clicks', 'arm_' || a, options => pg_temp.options(format('{"architecture": "%s", "epochs": 1}', a))) t) x), 1, a || ' trains')
FROM unnest(pg_temp.users('learning_rate')) a;
SELECT set_eq($$SELECT architecture, (SELECT bool_or(augmented_rows > 0) FROM aread.domain d WHERE d.model = m.model),
    EXISTS (SELECT FROM aread.mask_update u WHERE u.model = m.model) AS updated, EXISTS (SELECT FROM aread.mask k WHERE k.model = m.model) AS masked
  FROM aread.model m WHERE model LIKE 'arm%'$$,
  $$SELECT a, a = ANY (pg_temp.users('augment_ratio')) AS augments, a = ANY (pg_temp.users('mask_interval')) AS updates, a = ANY (pg_temp.users('hei_hidden')) AS masks FROM unnest(array_remove(pg_temp.users('learning_rate'), 'auto')) a$$,
  'each has its parts and no more');

-- aread_drop
SELECT ok(aread_drop('clicks'), 'dropped');
SELECT is(count(*), 0::bigint, 'with all of its versions') FROM aread.model WHERE model = 'clicks';
SELECT is(count(*), 0::bigint, 'and all bytes') FROM aread.stored_chunk c WHERE NOT EXISTS (SELECT FROM aread.model WHERE model LIKE 'arm%')
  OR c.version_id NOT IN (SELECT version_id FROM aread.stored_version);
SELECT throws_like($$SELECT aread_drop('clicks')$$, 'model "clicks" does not exist');
SELECT ok(NOT aread_drop('clicks', if_exists => true), 'dropping nothing, if it is there');
SELECT throws_like($$SELECT aread_evaluate('clicks', 'clicks')$$, 'model "clicks" does not exist');

-- domain weights: what they are made for, and what they do
CREATE TABLE marked AS SELECT *, CASE WHEN (user_id * 31 + item_id) % 10 = 0 THEN 'test' ELSE 'train' END AS split FROM clicks;
SELECT aread_train('marked', 'by_domain', options => '{"architecture": "wide"}'), aread_train('marked', 'shared', options => '{"architecture": "wide", "domain_weights": false}'),
       aread_train('marked', 'fixed', options => '{"architecture": "wide", "l2_wide": 4}');
SELECT is(domain_weights, (SELECT count(DISTINCT (user_id, domain)) FROM marked WHERE split = 'train'), 'a weight for each user in each domain')
FROM aread.feature WHERE model = 'by_domain' AND name = 'user_id';
SELECT ok(bool_and(weight_sd > 0) AND bool_and((domain_weights > 0) = (domain_weight_sd IS NOT NULL)) AND bool_and((domain_weights = 0) = (name = 'domain')), 'and of every feature but the domain')
FROM aread.feature WHERE model = 'by_domain';
SELECT ok(bool_and(domain_weights = 0 AND domain_weight_sd IS NULL AND weight_sd > 0), 'none by option') FROM aread.feature WHERE model = 'shared';
SELECT ok(bool_and(weight_sd = 0.5), 'an L2 that is given is used') FROM aread.feature WHERE model = 'fixed';
-- what a change of domain does to the logit: without domain weights the same for every user
CREATE FUNCTION pg_temp.change(model text, u int) RETURNS float8 LANGUAGE sql AS $$
  SELECT ln(a / (1 - a)) - ln(b / (1 - b)) FROM (SELECT
    aread_predict($1, format('{"user_id": %s, "item_id": 3}', $2), 'domain_01') AS a,
    aread_predict($1, format('{"user_id": %s, "item_id": 3}', $2), 'domain_02') AS b) x $$;
SELECT cmp_ok(stddev(pg_temp.change('shared', u)), '<', 1e-5::float8, 'a domain shifts all users alike') FROM generate_series(1, 20) u;
SELECT cmp_ok(stddev(pg_temp.change('by_domain', u)), '>', 1e-3::float8, 'or each in its own way') FROM generate_series(1, 20) u;
-- row weights: only their ratios count, and they are no feature
CREATE TABLE weighted AS SELECT *, 7.5 AS w, 1 + 3 * label AS positives FROM marked;
SELECT aread_train('weighted', 'heavy', weight => 'w', features => '{user_id,item_id}', options => '{"architecture": "fm", "epochs": 2}'),
       aread_train('weighted', 'plain', features => '{user_id,item_id}', options => '{"architecture": "fm", "epochs": 2}'),
       aread_train('weighted', 'positives', weight => 'positives', features => '{user_id,item_id}', options => '{"architecture": "fm", "epochs": 2}');
SELECT is(a.crc, b.crc, 'equal weights are no weights') FROM aread.model a, aread.model b WHERE (a.model, b.model) = ('heavy', 'plain');
SELECT cmp_ok(avg(aread_predict('positives', c)), '>', (avg(aread_predict('plain', c)) + 0.2)::float8, 'rows of more weight pull the score their way') FROM clicks c;
SELECT aread_register('weighted', weight => 'positives');
SELECT is((weight, features)::text, '(positives,)', 'a weight is kept') FROM aread.source WHERE relation = 'weighted'::regclass;
SELECT aread_train('weighted', 'registered', options => '{"architecture": "wide"}');
SELECT set_eq($$SELECT name FROM aread.feature WHERE model = 'registered'$$, '{domain,user_id,item_id,age_band,category,user_id (rows),item_id (rows)}'::text[], 'and is no feature');

-- stored bytes that are damaged or missing are told, not used
CREATE FUNCTION pg_temp.damage(m text, k text, n text, change text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('%s WHERE kind = %L AND name = %L AND version_id IN (SELECT version_id FROM aread.stored_version JOIN aread.stored_model USING (model_id) WHERE name = %L)', change, k, n, m);
END $$;
SELECT pg_temp.damage('fixed', 'pairs', 'domain.1', 'UPDATE aread.stored_chunk SET data = set_byte(data, 20, get_byte(data, 20) # 1)');
SELECT throws_ok($$SELECT aread_predict('fixed', '{"user_id": 3}', 'domain_01')$$, 'XX001', NULL, 'a flipped bit');
SELECT pg_temp.damage('fixed', 'pairs', 'domain.1', 'DELETE FROM aread.stored_chunk');
SELECT throws_ok($$SELECT aread_predict('fixed', '{"user_id": 3}', 'domain_01')$$, 'XX001', NULL, 'missing places of domain weights');
SELECT aread_train('marked', 'fixed', options => '{"architecture": "wide"}');
SELECT pg_temp.damage('fixed', 'tensor', 'domain_wide.1', 'DELETE FROM aread.stored_chunk');
SELECT throws_ok($$SELECT aread_predict('fixed', '{"user_id": 3}', 'domain_01')$$, 'XX001', NULL, 'a missing tensor');

SELECT * FROM finish();
ROLLBACK;
