-- Guarded deployment: a new version against the deployed one, on the new one's test rows.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT plan(76);

CREATE TABLE rated AS SELECT label, domain, user_id, item_id, (price * 10)::numeric(6,2) AS price, ARRAY[item_id % 7, user_id % 5] AS tags, sequence, 1 + sequence % 3 AS weight,
  CASE WHEN sequence % 10 = 0 THEN 'test' WHEN sequence % 10 = 1 THEN 'valid' ELSE 'train' END AS part
FROM aread_simulate(3000, domains => 4, groups => 2, users => 60, items => 40, strength => 3);
CREATE TABLE noise AS SELECT user_id % 2 AS label, domain, user_id, item_id, price, tags, sequence, weight, part FROM rated;
CREATE FUNCTION pg_temp.train(source regclass, model text, options jsonb DEFAULT '{}', features text[] DEFAULT '{user_id,item_id}', split text DEFAULT 'part', weight text DEFAULT NULL,
  OUT version int, OUT deployed boolean, OUT deploy_reason text, OUT domain_auc float8, OUT log_loss float8) LANGUAGE sql AS $$
  SELECT version, deployed, deploy_reason, domain_auc, log_loss
  FROM aread_train(source, model, features => features, user_id => 'user_id', item_id => 'item_id', split => split, weight => weight,
    options => '{"mmoe_dims": [8], "epochs": 1, "l2_wide": 10, "warmup_batches": 2, "mask_interval": 50, "candidates": 1, "architecture": "wide", "deploy": "if_better"}'::jsonb || options) $$;
CREATE FUNCTION pg_temp.deployed(name text) RETURNS int LANGUAGE sql VOLATILE AS $$ SELECT version FROM aread.model WHERE model = name AND deployed $$;
-- the two numbers of a reason
CREATE FUNCTION pg_temp.numbers(reason text) RETURNS float8[] LANGUAGE sql AS $$
  SELECT regexp_match(reason, ' test rows is ([0-9.e-]+), that of version \d+(?:, which may have been trained on them,)? is ([0-9.e-]+); deploy_tolerance is [0-9.-]+$')::float8[] $$;

-- the first one
SELECT results_eq($$SELECT deployed, deploy_reason FROM pg_temp.train('rated', 'shop')$$, $$VALUES (true, 'no version was deployed')$$, 'with none deployed there is nothing to be better than');
SELECT results_eq($$SELECT deployed, deploy_reason FROM pg_temp.train('rated', 'shop', '{"deploy": false}')$$, $$VALUES (false, 'option deploy is false')$$, 'as one says');
SELECT results_eq($$SELECT deployed, deploy_reason FROM pg_temp.train('rated', 'shop', '{"deploy": true}')$$, $$VALUES (true, 'option deploy is true')$$, 'either way');
SELECT results_eq($$SELECT version, deploy_reason, deployed FROM aread.model WHERE model = 'shop' ORDER BY 1$$,
  $$VALUES (1, 'no version was deployed', false), (2, 'option deploy is false', false), (3, 'option deploy is true', true)$$, 'the view says so');

-- a model trained twice is as good as itself, to the last digit shown, whatever its rows consist of
SELECT unnest(ARRAY[ok(t.deployed, what || ': no worse'), ok((pg_temp.numbers(t.deploy_reason))[1] = (pg_temp.numbers(t.deploy_reason))[2], what || ': as good as itself: ' || t.deploy_reason),
  ok(abs((pg_temp.numbers(t.deploy_reason))[1] - t.domain_auc) < 1e-6, what || ': by what the call returns')])
FROM (VALUES ('wide', 'shop two', 'rated', '{}'::jsonb, '{user_id,item_id}'::text[], 'part', NULL), ('hash', 'hash', 'rated', '{}', '{user_id,item_id,price}', NULL, NULL),
    ('order', 'order', 'rated', '{}', '{user_id,item_id,price}', 'sequence', NULL),
    ('lists, bins, rare values', 'lists', 'rated', '{"bins": 5, "min_count": 20, "features": {"tags": {"vocabulary": "item_id"}}}', '{user_id,item_id,price,tags}', 'part', NULL),
    ('buckets, weights', 'buckets', 'rated', '{"features": {"user_id": {"buckets": 16}}}', '{user_id,item_id}', NULL, 'weight'),
    ('a network', 'net', 'rated', '{"architecture": "mmoe"}', '{user_id,item_id,price,tags}', 'part', NULL)) v(what, model, source, o, features, split, weight),
  LATERAL (SELECT pg_temp.train(v.source::regclass, v.model, v.o, v.features, v.split, v.weight)) first,
  LATERAL pg_temp.train(v.source::regclass, v.model, v.o, v.features, v.split, v.weight) t WHERE first IS NOT NULL;
-- sampled negatives, which no table holds
CREATE TABLE taken AS SELECT domain, user_id, item_id, item_id % 7 AS brand, ARRAY[item_id % 3, 5] AS tags, sequence, part FROM rated WHERE label = 1;
SELECT pg_temp.train('taken', 'taken', '{"negatives": 3}', '{user_id,item_id,brand,tags}') \g /dev/null
SELECT unnest(ARRAY[ok(deployed, 'sampled negatives'), ok((pg_temp.numbers(deploy_reason))[1] = (pg_temp.numbers(deploy_reason))[2], 'are the same for both: ' || deploy_reason)])
FROM pg_temp.train('taken', 'taken', '{"negatives": 3}', '{user_id,item_id,brand,tags}');

-- what is measured is what aread_evaluate measures
CREATE VIEW tested AS SELECT * FROM rated WHERE part = 'test';
SELECT pg_temp.train('noise', 'measured', '{"deploy": true}', '{user_id,item_id,price}') \g /dev/null
SELECT ok(abs((pg_temp.numbers(t.deploy_reason))[2] - CASE metric WHEN 'auc' THEN e.auc WHEN 'domain_auc' THEN e.domain_auc WHEN 'major5_auc' THEN e.major5_auc WHEN 'minor5_auc' THEN e.minor5_auc
    WHEN 'minor10_auc' THEN e.minor10_auc WHEN 'user_auc' THEN e.user_auc WHEN 'ndcg_10' THEN e.ndcg_10 ELSE e.log_loss END) < 2e-6, format('%s: %s', metric, t.deploy_reason))
FROM unnest('{auc,domain_auc,major5_auc,minor10_auc,minor5_auc,log_loss,user_auc,ndcg_10}'::text[]) metric, aread_evaluate('measured@1', 'tested') e,
  LATERAL pg_temp.train('rated', 'measured', jsonb_build_object('deploy_metric', metric, 'deploy_tolerance', -1000)) t;
SELECT is(pg_temp.deployed('measured'), 1, 'none is better by 1000');

-- worse
SELECT pg_temp.train('rated', 'measured', '{"deploy": true}') \g /dev/null
SELECT is(deployed, false, 'what has learned nothing stays out: ' || deploy_reason) FROM pg_temp.train('rated', 'measured', '{"l2_wide": 1e6, "row_counts": false, "domain_weights": false}');
SELECT is(deployed, false, 'lower is better: ' || deploy_reason) FROM pg_temp.train('rated', 'measured', '{"l2_wide": 1e6, "deploy_metric": "log_loss", "row_counts": false, "domain_weights": false}');
SELECT is(deployed, true, 'within the tolerance: ' || deploy_reason) FROM pg_temp.train('rated', 'measured', '{"l2_wide": 1e6, "deploy_tolerance": 0.5, "row_counts": false, "domain_weights": false}');

-- what cannot be compared
SELECT pg_temp.train('rated', 'features', '{"deploy": true}', '{user_id,item_id,price,tags}') \g /dev/null
CREATE VIEW fewer AS SELECT label, domain, user_id, item_id, part FROM rated;
SELECT is(deploy_reason, 'version 1, which is deployed, cannot score its test rows: the source does not have its features price, tags', 'features that are gone') FROM pg_temp.train('fewer', 'features') WHERE NOT deployed;
CREATE VIEW other AS SELECT label, domain, user_id, item_id::text, price, tags::text[], part FROM rated;
SELECT is(deploy_reason, 'version 1, which is deployed, cannot score its test rows: columns have other types than its features item_id, tags', 'features of other types') FROM pg_temp.train('other', 'features') WHERE NOT deployed;
CREATE VIEW told AS SELECT label, domain, user_id, item_id, part, (label = 1)::int AS click FROM rated;
SELECT pg_temp.train('told', 'labels', '{"deploy": true}', '{user_id,item_id,click}') \g /dev/null
SELECT is((SELECT deploy_reason FROM aread_train('told', 'labels', label => 'click', features => '{user_id,item_id}', split => 'part', options => '{"architecture": "wide", "deploy": "if_better"}') WHERE NOT deployed),
  'version 1, which is deployed, cannot score its test rows: the label click is one of its features', 'a label that is a feature');
CREATE ROLE aread_few_rights;
GRANT SELECT (label, domain, user_id, item_id, part) ON told TO aread_few_rights;
SELECT aread_set_owner('labels', 'aread_few_rights') \g /dev/null
SET LOCAL ROLE aread_few_rights;
SELECT is((SELECT deploy_reason FROM aread_train('told', 'labels', features => '{user_id,item_id}', split => 'part', options => '{"architecture": "wide", "deploy": "if_better"}') WHERE NOT deployed),
  'version 1, which is deployed, cannot score its test rows: there is no right to read its features click', 'a feature that may not be read');
RESET ROLE;
CREATE VIEW untested AS SELECT label, domain, user_id, item_id, price, tags, 'train' AS part FROM rated;
SELECT is(deploy_reason, 'its test rows have no domain_auc to compare by', 'no test rows') FROM pg_temp.train('untested', 'features') WHERE NOT deployed;
SELECT is(pg_temp.deployed('features'), 1, 'each time the deployed one stays');
-- another one is deployed meanwhile: by the source itself
SELECT pg_temp.train('rated', 'meanwhile', '{"deploy": true}') FROM generate_series(1, 2) \g /dev/null
CREATE FUNCTION pg_temp.meddle() RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN PERFORM aread_deploy('meanwhile', 1); RETURN 1; END $$;
CREATE VIEW meddling AS SELECT label, domain, user_id, item_id, part FROM (SELECT *, pg_temp.meddle() AS m FROM rated) r WHERE m = 1;
SELECT is(deploy_reason, 'version 1 was deployed while it was trained, and is not measured on its test rows', 'another version meanwhile') FROM pg_temp.train('meddling', 'meanwhile') WHERE NOT deployed;-- by hash of other features, by another seed, column or share, the deployed version may have been trained on the test rows
SELECT pg_temp.train('rated', 'known', '{"deploy": true}', split => how) FROM unnest('{NULL}'::text[]) how \g /dev/null
SELECT is(deploy_reason LIKE '%, which may have been trained on them, is %', told, what || ': ' || deploy_reason) FROM (VALUES
  ('the same', '{}'::jsonb, '{user_id,item_id}'::text[], NULL, false), ('another seed', '{"seed": 2}', '{user_id,item_id}', NULL, true), ('another feature', '{}', '{user_id,item_id,price}', NULL, true),
  ('another share', '{"test_share": 0.2}', '{user_id,item_id}', NULL, true), ('a column', '{}', '{user_id,item_id}', 'part', true)) v(what, options, features, split, told),
  LATERAL (SELECT pg_temp.train('rated', 'known', '{"deploy": true}', split => NULL)) again, LATERAL pg_temp.train('rated', 'known', options, features, split) t;
SELECT pg_temp.train('rated', 'ordered', '{"deploy": true}', split => 'sequence') \g /dev/null
SELECT is(deploy_reason LIKE '%, which may have been trained on them, is %', told, what || ': ' || deploy_reason) FROM (VALUES
  ('the same order', '{}'::jsonb, false), ('more of it', '{"test_share": 0.5}', true)) v(what, options, told), LATERAL pg_temp.train('rated', 'ordered', options, split => 'sequence') t;

-- a version of the same number, of a model that takes the name meanwhile
SELECT pg_temp.train('rated', name, '{"deploy": true}') FROM unnest('{swapped,other}'::text[]) name \g /dev/null
CREATE FUNCTION pg_temp.swap() RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN
  IF EXISTS (SELECT FROM aread.model WHERE model = 'other') THEN PERFORM aread_rename('swapped', 'away'); PERFORM aread_rename('other', 'swapped'); END IF;
  RETURN 1;
END $$;
CREATE VIEW swapping AS SELECT label, domain, user_id, item_id, part FROM (SELECT *, pg_temp.swap() AS m FROM rated) r WHERE m = 1;
SELECT is(deploy_reason, 'version 1 was deployed while it was trained, and is not measured on its test rows', 'another model meanwhile') FROM pg_temp.train('swapping', 'swapped') WHERE NOT deployed;

-- scores that base_rate moves have no log loss to compare by, but an order
SELECT pg_temp.train('rated', 'moved', '{"deploy": true, "base_rate": 0.001}') \g /dev/null
SELECT is(deploy_reason, 'option base_rate moves scores, so that log losses on test rows do not compare', 'moved scores') FROM pg_temp.train('rated', 'moved', '{"deploy_metric": "log_loss"}') WHERE NOT deployed;
SELECT is(deployed, true, 'by AUC they compare: ' || deploy_reason) FROM pg_temp.train('rated', 'moved', '{"deploy_metric": "auc"}');
SELECT is(deploy_reason, 'option base_rate moves scores, so that log losses on test rows do not compare', 'moved by the new version') FROM pg_temp.train('rated', 'moved', '{"deploy_metric": "log_loss", "base_rate": 0.5}') WHERE NOT deployed;

-- vectors
CREATE VIEW shown AS SELECT label, domain, user_id, item_id, ARRAY[price, item_id % 7]::real[] AS emb, part FROM rated;
SELECT pg_temp.train('shown', 'vectors', '{"deploy": true}', '{user_id,item_id,emb}') \g /dev/null
SELECT is(deployed, true, 'vectors are read by both: ' || deploy_reason) FROM pg_temp.train('shown', 'vectors', '{}', '{user_id,item_id,emb}');
SELECT is((regexp_match(deploy_reason, 'test rows is ([\d.]+), that of version 2 is ([\d.]+);'))[1], (regexp_match(deploy_reason, 'test rows is ([\d.]+), that of version 2 is ([\d.]+);'))[2], 'alike') FROM pg_temp.train('shown', 'vectors', '{}', '{user_id,item_id,emb}');
CREATE VIEW longer AS SELECT label, domain, user_id, item_id, emb || 1::real AS emb, part FROM shown;
SELECT is(deploy_reason, 'version 3, which is deployed, cannot score its test rows: a vector is none that it can read', features) FROM unnest('{"{user_id,item_id}","{user_id,item_id,emb}"}'::text[]) features, pg_temp.train('longer', 'vectors', '{}', features::text[]) WHERE NOT deployed;
CREATE VIEW worded AS SELECT label, domain, user_id, item_id, CASE WHEN item_id % 5 > 0 THEN 'no vector' ELSE '[1, 2' || repeat(', 3', item_id % 2) || ']' END AS emb, part FROM shown;
SELECT is(deploy_reason, 'version 3, which is deployed, cannot score its test rows: a vector is none that it can read', 'words') FROM pg_temp.train('worded', 'vectors', '{}', '{user_id,item_id}') WHERE NOT deployed;

-- negatives: what went with the item for the deployed version goes with it here, whatever the new one has
CREATE TABLE bought AS SELECT domain, user_id, item_id, item_id / 3 AS of_item, sequence FROM aread_simulate(12000, domains => 4, users => 100, items => 60, strength => 4) WHERE label = 1;
CREATE FUNCTION pg_temp.bought(features text[]) RETURNS text LANGUAGE sql AS
  $$SELECT deploy_reason FROM aread_train('bought', split => 'sequence', label => '', features => features, options => '{"negatives": 2, "architecture": "wide", "deploy": "if_better"}')$$;
SELECT pg_temp.bought('{user_id,item_id,of_item}') \g /dev/null
SELECT ok(abs(m[1]::float8 - m[2]::float8) < 1e-5, 'it is measured as it was: ' || m[1]) FROM regexp_match(pg_temp.bought('{user_id,item_id,of_item}'), 'test rows is ([\d.]+), that of version 1 is ([\d.]+);') m;
SELECT ok(abs(m[1]::float8 - test_domain_auc) < 0.03, 'also by a version that has it not: ' || m[1]) FROM regexp_match(pg_temp.bought('{user_id,item_id}'), 'that of version 2 is ([\d.]+);') m, aread.model WHERE model = 'bought' AND version = 2;

-- too few rows
CREATE TABLE few AS SELECT * FROM rated ORDER BY sequence LIMIT 299;
SELECT pg_temp.train('rated', 'rows', '{"deploy": true}') \g /dev/null
SELECT is(deploy_reason, 'it is made of 299 rows, fewer than a tenth of the 3000 of version 1, which is deployed', 'fewer than a tenth') FROM pg_temp.train('few', 'rows', '{"deploy": true}') WHERE NOT deployed;
SELECT is(deployed, false, 'nor if it is better') FROM pg_temp.train('few', 'rows', '{"deploy_tolerance": 1}');
SELECT is(pg_temp.deployed('rows'), 1, 'the deployed version is not replaced');
SELECT is(deployed, true, 'as few as one says') FROM pg_temp.train('few', 'rows', '{"deploy": true, "min_rows": 299}');
SELECT is(deploy_reason, 'it is made of 299 rows, and min_rows is 300', 'and no fewer') FROM pg_temp.train('few', 'rows', '{"deploy": true, "min_rows": 300}') WHERE NOT deployed;
SELECT is(deployed, false, 'a first version, too') FROM pg_temp.train('few', 'first', '{"min_rows": 1000}');
SELECT throws_ok($$SELECT aread_predict('first', '{"user_id": 1}', 'domain_01')$$, '42704', 'no version of model "first" is deployed', 'is not deployed');

-- options
SELECT throws_ok(format('SELECT pg_temp.train(''few'', ''bad'', %L)', o), '22023', e, o) FROM (VALUES
  ('{"deploy": "sometimes"}', 'option "deploy" must be one of "false", "true", "if_better"'), ('{"deploy": 1}', 'option "deploy" must be one of "false", "true", "if_better"'),
  ('{"deploy": null}', 'option "deploy" must be one of "false", "true", "if_better"'), ('{"architecture": true}', NULL),
  ('{"deploy_metric": "accuracy"}', 'option "deploy_metric" must be one of "auc", "domain_auc", "major5_auc", "minor10_auc", "minor5_auc", "log_loss", "user_auc", "ndcg_10"'),
  ('{"min_rows": -1}', NULL), ('{"min_rows": "many"}', NULL), ('{"deploy_tolerance": null}', NULL)) v(o, e);

SELECT * FROM finish();
ROLLBACK;
