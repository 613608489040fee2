-- Planted groups of domains are found; the same rows give the same model; never-seen users score near the mean.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

CREATE TABLE planted AS
SELECT * FROM aread_simulate(24000, domains => 9, groups => 3, users => 80, items => 60, strength => 4, skew => 0.3);
CREATE FUNCTION pg_temp.train(source regclass, model text, options text DEFAULT '{}') RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM aread_train($1, $2, features => '{domain,user_id,item_id}', options =>
    '{"epochs": 8, "embed_dim": 8, "mmoe_experts": 3, "mmoe_dims": [32, 16], "hei_experts": [2, 4, 8], "hei_hidden": [16, 16, 8],
      "hei_output": [16, 8, 8], "batch_size": 256, "candidates": 8, "warmup_batches": 150, "mask_interval": 100, "dropout": 0.05,
      "learning_rate": 0.005, "l2_embedding": 30, "mask_learning_rate": 0.02}'::jsonb || $3::jsonb);
  RETURN (SELECT crc FROM aread.model m WHERE m.model = $2 AND deployed);
END $$;

-- structure
CREATE TABLE crcs AS SELECT pg_temp.train('planted', 'planted_' || seed, format('{"seed": %s}', seed)) FROM generate_series(1, 3) seed;
SELECT cmp_ok(min(test_domain_auc), '>', 0.75::float8, 'the network learns what a sum of weights cannot') FROM aread.model;
CREATE TABLE masks AS SELECT model, domain, layer, lower_expert, upper_expert, open::int FROM aread.mask;
CREATE TABLE groups AS SELECT DISTINCT domain, planted_group FROM planted;
-- chance: what two random masks of these densities share
CREATE TABLE grouped AS
  WITH density AS (SELECT model, domain, layer, avg(open) AS share, count(*) AS gates FROM masks GROUP BY 1, 2, 3)
  SELECT o.model, o.domain_a, o.domain_b, o.overlap, a.planted_group = b.planted_group AS same,
    (SELECT sum(x.gates * x.share * y.share) / sum(x.gates * (x.share + y.share - x.share * y.share))
     FROM density x JOIN density y USING (model, layer) WHERE model = o.model AND x.domain = o.domain_a AND y.domain = o.domain_b)::float8 AS chance
  FROM aread.mask_overlap o JOIN groups a ON a.domain = o.domain_a JOIN groups b ON b.domain = o.domain_b
  WHERE o.layer IS NULL;
SELECT diag(format('overlap within groups %s, between %s, by chance %s', round(w::numeric, 3), round(b::numeric, 3), round(c::numeric, 3)))
FROM (SELECT avg(overlap) FILTER (WHERE same) AS w, avg(overlap) FILTER (WHERE NOT same) AS b, avg(chance) FILTER (WHERE same) AS c FROM grouped) x;
SELECT cmp_ok(avg(overlap) FILTER (WHERE same), '>', 1.5 * avg(overlap) FILTER (WHERE NOT same), 'masks overlap far more within groups than between') FROM grouped;
SELECT cmp_ok(avg(overlap) FILTER (WHERE same), '>', avg(chance) FILTER (WHERE same), 'and more than chance has them') FROM grouped;

-- same seed and rows: the same model, whatever the order of rows; another seed: another model
CREATE TABLE shuffled AS SELECT * FROM planted ORDER BY hashint8(sequence * 7919);
SELECT isnt((SELECT array_agg(sequence) FROM (SELECT sequence FROM shuffled LIMIT 10) s), (SELECT array_agg(sequence) FROM (SELECT sequence FROM planted LIMIT 10) s), 'rows lie in another order');
SELECT is(pg_temp.train('planted', 'again', '{"epochs": 2}'), pg_temp.train('shuffled', 'shuffled', '{"epochs": 2}'), 'a shuffled copy gives the same model');
SELECT isnt(pg_temp.train('planted', 'again', '{"epochs": 2}'), pg_temp.train('planted', 'again', '{"epochs": 2, "seed": 2}'), 'another seed another');
SELECT is(count(DISTINCT k.data), 1::bigint, 'masks alike, byte by byte')
FROM aread.stored_chunk k JOIN aread.stored_version v USING (version_id) JOIN aread.stored_model m USING (model_id)
WHERE k.kind = 'masks' AND m.name IN ('again', 'shuffled') AND v.seed = 1;

-- users and items never seen; one network alone may be far off for what it has not seen, so three together
SELECT cmp_ok(max(abs(p - mean)), '<', 0.2::float8, 'an unseen user with an unseen item scores near the domain''s mean') FROM (
  SELECT domain, avg(label) AS mean, (SELECT avg(aread_predict('planted_' || seed, '{"user_id": 99999, "item_id": 99999}', domain)) FROM generate_series(1, 3) seed) AS p
  FROM planted GROUP BY domain) d;
SELECT cmp_ok(avg(aread_predict('planted_' || seed, '{"user_id": 99999, "item_id": 99999}', 'nowhere')), '<', 0.5::float8, 'even in an unseen domain')
FROM generate_series(1, 3) seed;

SELECT * FROM finish();
ROLLBACK;
