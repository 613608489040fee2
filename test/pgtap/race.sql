-- Architecture auto: two networks train two epochs, and validation rows choose one.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

CREATE TABLE seen AS
SELECT label, domain, user_id, item_id, CASE WHEN sequence % 10 < 8 THEN 'train' WHEN sequence % 10 = 8 THEN 'valid' ELSE 'test' END AS split
FROM aread_simulate(130000, domains => 8, groups => 3, users => 300, items => 150, strength => 4);
CREATE FUNCTION pg_temp.train(model text, more jsonb) RETURNS text LANGUAGE sql AS $$
  SELECT t.trained_model FROM aread_train('seen', model, features => '{domain,user_id,item_id}', options => '{"epochs": 3, "trees": 0, "wide": false, "row_counts": false, "embed_dim": 8, "mmoe_experts": 2,
    "mmoe_dims": [16, 8], "cross_layers": 0, "mmoe_mixtures": 1, "hei_experts": [4, 4], "learning_rate": 0.004, "recommend_items": 0, "recommend_users": 0}' || more) t $$;

-- experts of width 1 keep HEI from learning; wider ones are ahead of a single mixture
CREATE TABLE race (name text, options jsonb);
INSERT INTO race VALUES ('narrow', '{"hei_hidden": [1, 1], "hei_output": [1, 1], "base_skip": false}'), ('wider', '{"hei_hidden": [16, 16], "hei_output": [8, 8]}');
CREATE TABLE trained AS SELECT pg_temp.train(name || ' ' || a, options || jsonb_build_object('architecture', a)) FROM race, unnest('{mmoe,hei}'::text[]) a;
INSERT INTO trained SELECT pg_temp.train(name || ' auto', options) FROM race;

-- what each network had, by itself, after two epochs of two evaluations
CREATE TABLE stood AS
SELECT name, max(domain_auc) FILTER (WHERE model = name || ' mmoe') AS mmoe, max(domain_auc) FILTER (WHERE model = name || ' hei') AS hei
FROM race JOIN aread.training_log ON model IN (name || ' mmoe', name || ' hei') AND evaluation <= 4 AND best GROUP BY name;
SELECT cmp_ok(mmoe - hei, '>', 0.001::float8, 'narrow: MMoE is ahead') FROM stood WHERE name = 'narrow';
SELECT cmp_ok(mmoe - hei, '<', 0.001::float8, 'wider: it is not') FROM stood WHERE name = 'wider';

CREATE VIEW pg_temp.chosen_model AS SELECT m.*, r.name, CASE r.name WHEN 'narrow' THEN 'mmoe' ELSE 'hei' END AS won FROM race r JOIN aread.model m ON m.model = r.name || ' auto';
SELECT is((architecture, config ->> 'architecture', options ? 'architecture')::text, (won, won, false)::text, model || ': the model is of the network that won') FROM pg_temp.chosen_model;
SELECT is(crc, (SELECT crc FROM aread.model x WHERE x.model = name || ' ' || won), model || ': it is the one that training that network makes') FROM pg_temp.chosen_model;
SELECT is((SELECT count(*) FROM aread.training_log l WHERE l.model = m.model), (SELECT count(*) FROM aread.training_log l WHERE l.model = name || ' ' || won), model || ': its log is that network''s')
FROM pg_temp.chosen_model m;
SELECT is(EXISTS (SELECT FROM aread.mask k WHERE k.model = m.model), won = 'hei', model || ': masks are HEI''s') FROM pg_temp.chosen_model m;
SELECT is(string_agg(evaluation || substring(reason FROM '; (?:ahead|stays).*?left|; stays.*\)'), '|'),
  CASE r.name WHEN 'narrow' THEN format('4; ahead of hei by more than 0.001 (DomainAUC %s to %s), which is left', round(mmoe::numeric, 4), round(hei::numeric, 4))
  ELSE format('4; stays, as mmoe is not ahead of it by more than 0.001 (DomainAUC %s to %s)', round(mmoe::numeric, 4), round(hei::numeric, 4)) END, 'the log says how both stood')
FROM race r JOIN stood USING (name) JOIN aread.training_log l ON l.model = r.name || ' auto' GROUP BY r.name, mmoe, hei;
SELECT is((SELECT count(*) FROM aread.training_log WHERE model LIKE '% mmoe' AND reason ~ 'ahead of|stays'), 0::bigint, 'a network alone has no race');

-- no race: HEI, or the one whose options are set
CREATE TABLE few AS SELECT * FROM seen LIMIT 3000;
CREATE FUNCTION pg_temp.chosen(source regclass, name text, more jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM aread_train(source, name, features => '{domain,user_id,item_id}', options => '{"epochs": 3, "trees": 0, "wide": false, "row_counts": false, "embed_dim": 2, "mmoe_experts": 1, "mmoe_dims": [2],
    "cross_layers": 0, "recommend_items": 0, "recommend_users": 0}' || more);
  RETURN (SELECT architecture || CASE WHEN EXISTS (SELECT FROM aread.training_log l WHERE l.model = name AND reason ~ '; (ahead of|stays)') THEN ' in a race' ELSE '' END FROM aread.model m WHERE m.model = name);
END $$;
SELECT is(pg_temp.chosen('few', 'few', '{}'), 'hei', 'too few rows for a race');
SELECT is(pg_temp.chosen('few', 'mixtures', '{"mmoe_mixtures": 2}'), 'mmoe', 'an option of MMoE alone chooses it');
SELECT is(pg_temp.chosen('few', 'density', '{"target_density": 0.3}'), 'hei', 'one of HEI alone chooses that');
SELECT is(pg_temp.chosen('seen', 'many', '{"mmoe_mixtures": 1, "hei_experts": [1, 1], "hei_hidden": [2, 2], "hei_output": [2, 2]}') LIKE '% in a race', true, 'enough rows, and options of both');
CREATE VIEW one_label AS SELECT * FROM seen WHERE split <> 'valid' OR label = 1;
SELECT is(pg_temp.chosen('one_label', 'one label', '{"mmoe_mixtures": 1, "hei_experts": [1, 1], "hei_hidden": [2, 2], "hei_output": [2, 2]}'), 'hei', 'nor with validation rows of one label');
-- both diverge: the second one's error
SELECT throws_ok($$SELECT pg_temp.train('diverged', '{"batch_size": 256, "learning_rate": 1, "batch_norm": false, "cross_layers": 16, "hei_hidden": [2, 2], "hei_output": [2, 2]}')$$, '22P01', NULL, 'both networks diverge');
-- a model is of a network
SELECT throws_ok($$UPDATE aread.stored_version SET config = config || '{"architecture": "auto"}' WHERE version_id = (SELECT version_id FROM aread.usable_version WHERE model = 'few');
  SELECT aread_predict('few', '{"domain": "domain_01"}'::jsonb)$$, 'XX001', NULL, 'a stored model of architecture auto is damage');
SELECT * FROM finish();
ROLLBACK;
