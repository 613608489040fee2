-- Logs of positives only; class weights; scores that are probabilities. For popularity put back, and ranking, see ranking.sql.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

CREATE TABLE shown AS SELECT *, hashint8(sequence * 31 + 7) & 3 = 0 AS held
FROM aread_simulate(40000, domains => 6, groups => 2, users => 200, items => 100, strength => 3);
ALTER TABLE shown DROP planted_group, DROP planted_probability;
-- what a shop without impressions has: the rows that were taken; and what nobody has, all that was shown later
CREATE TABLE taken AS SELECT domain, user_id, item_id, age_band, category, price FROM shown WHERE label = 1 AND NOT held;
CREATE TABLE later AS SELECT label, domain, user_id, item_id, age_band, category, price FROM shown WHERE held;
CREATE FUNCTION pg_temp.train(source regclass, model text, options text DEFAULT '{}') RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM aread_train($1, $2, options => '{"architecture": "mmoe", "mmoe_dims": [64, 32], "batch_size": 512, "negatives": 4, "popularity_offset": false}'::jsonb || $3::jsonb);
  RETURN (SELECT crc FROM aread.model m WHERE m.model = $2 AND deployed);
END $$;
CREATE FUNCTION pg_temp.auc(score text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE result float8;
BEGIN
  EXECUTE format('SELECT (sum(rank) FILTER (WHERE label = 1) - max(n1) * (max(n1) + 1) / 2) / (max(n1) * (count(*) - max(n1))) FROM (
      SELECT label, rank() OVER (ORDER BY s) + (count(*) OVER (PARTITION BY s) - 1) / 2.0 AS rank, sum(label) OVER () AS n1
      FROM (SELECT label, coalesce((%s), 0) AS s FROM later) x) r', score) INTO result;
  RETURN result;
END $$;

-- learning from what was taken alone
CREATE TABLE crcs AS SELECT pg_temp.train('taken', 'taken') AS crc;
SELECT is((sampled_rows, train_rows + valid_rows + test_rows)::text, format('(%s,%s)', 4 * n, n), 'four negatives for each row')
FROM aread.model, (SELECT count(*) AS n FROM taken) t;
SELECT results_eq('SELECT name FROM aread.feature WHERE goes_with_item ORDER BY 1', $$VALUES ('category'), ('item_id'), ('price')$$, 'category and price go with the item');
CREATE TABLE popularity AS SELECT domain, item_id, count(*) AS n FROM taken GROUP BY 1, 2;
CREATE INDEX ON popularity (item_id, domain);
CREATE TABLE quality AS
  SELECT (SELECT auc FROM aread_evaluate('taken', 'later')) AS model,
         pg_temp.auc('SELECT n FROM popularity p WHERE p.domain = later.domain AND p.item_id = later.item_id') AS popularity;
SELECT diag(format('AUC on rows shown: of the model %s, of popularity %s', round(model::numeric, 3), round(popularity::numeric, 3))) FROM quality;
SELECT cmp_ok(model, '>', 0.68::float8, 'taste is found without a single negative row') FROM quality;
SELECT cmp_ok(model, '>', popularity + 0.1, 'and more of it than popularity tells') FROM quality;

-- the same rows in another order: the same negatives, the same model
CREATE TABLE shuffled AS SELECT * FROM taken ORDER BY hashint4(user_id * 1000 + item_id), price;
SELECT isnt((SELECT array_agg(user_id) FROM (SELECT user_id FROM shuffled LIMIT 20) s), (SELECT array_agg(user_id) FROM (SELECT user_id FROM taken LIMIT 20) s), 'rows lie in another order');
SELECT is(pg_temp.train('taken', 'again', o), pg_temp.train('shuffled', 'shuffled', o), 'a shuffled copy gives the same model: ' || o)
FROM unnest(ARRAY['{"epochs": 1}', '{"architecture": "wide", "negative_sampling": "uniform"}']) o;
SELECT isnt(pg_temp.train('taken', 'again', '{"architecture": "wide"}'), pg_temp.train('taken', 'again', o), 'another model: ' || o)
FROM unnest(ARRAY['{"architecture": "wide", "negative_sampling": "uniform"}', '{"architecture": "wide", "negatives": 3}']) o;

-- popular items score higher if items are drawn alike, less so if they are drawn as often as they are taken
CREATE FUNCTION pg_temp.slope(model text) RETURNS float8 LANGUAGE sql AS $$
  SELECT regr_slope(ln(p / (1 - p)), ln(n)) FROM (SELECT count(*)::float8 AS n, avg(aread_predict($1, later)) AS p FROM taken JOIN later USING (domain, item_id)
    WHERE domain = 'domain_01' GROUP BY item_id) x $$;
SELECT pg_temp.train('taken', 'four', '{"architecture": "wide"}'), pg_temp.train('taken', 'alike', '{"architecture": "wide", "negative_sampling": "uniform"}');
SELECT diag(format('logits rise with the log of popularity by %s, or %s', round(pg_temp.slope('alike')::numeric, 2), round(pg_temp.slope('four')::numeric, 2)));
SELECT cmp_ok(pg_temp.slope('alike'), '>', pg_temp.slope('four') + 0.3, 'how negatives are drawn decides whether popularity counts');

-- items without an id of their own, rare or NULL, are not what tells rows taken from rows sampled
CREATE TABLE sparse AS SELECT domain, user_id, CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN 1000000 + i ELSE item_id END AS item_id
FROM (SELECT *, row_number() OVER (ORDER BY hashint4(user_id * 1000 + item_id), domain, price) AS i FROM taken) t;
SELECT pg_temp.train('sparse', 'sparse', '{"architecture": "wide", "negatives": 1, "min_count": 2}'),
       pg_temp.train('sparse', 'sparse alike', '{"architecture": "wide", "negatives": 1, "min_count": 2, "negative_sampling": "uniform"}');
CREATE TABLE by_kind AS SELECT CASE WHEN item_id IS NULL THEN 'NULL' WHEN item_id > 1000000 THEN 'rare' ELSE 'known' END AS kind, avg(aread_predict('sparse', sparse)) AS mean, avg(aread_predict('sparse alike', sparse)) AS mean_alike
FROM sparse GROUP BY 1;
SELECT diag(string_agg(format('%s %s %s', kind, round(mean::numeric, 3), round(mean_alike::numeric, 3)), ', ' ORDER BY kind)) FROM by_kind;
SELECT cmp_ok(mean, '<', 0.6::float8, 'near one in two: ' || kind) FROM by_kind WHERE kind <> 'known';
SELECT cmp_ok(mean_alike, '<', 0.6::float8, 'NULL is no popular item') FROM by_kind WHERE kind = 'NULL';

-- scores say how likely taken is against sampled, or what base_rate makes of it
CREATE TABLE drawn AS SELECT 0 AS label, l.domain, l.user_id, t.item_id, l.age_band, t.category, t.price FROM (
    SELECT *, row_number() OVER (PARTITION BY domain ORDER BY hashint8(user_id * 1000 + item_id), price) AS i FROM later WHERE label = 1) l
  JOIN (SELECT *, row_number() OVER (PARTITION BY domain ORDER BY hashint8(item_id * 1000 + user_id), price) AS i FROM taken) t USING (domain, i)
  WHERE NOT EXISTS (SELECT FROM (SELECT user_id, item_id FROM taken UNION ALL SELECT user_id, item_id FROM later WHERE label = 1) k WHERE (k.user_id, k.item_id) = (l.user_id, t.item_id));
-- mean score where one row in "share" is one later taken, the others are drawn as negatives are
CREATE FUNCTION pg_temp.mean(model text, share float8) RETURNS float8 LANGUAGE sql AS $$
  SELECT $2 * (SELECT avg(aread_predict($1, later)) FROM later WHERE label = 1) + (1 - $2) * (SELECT avg(aread_predict($1, drawn)) FROM drawn) $$;
SELECT pg_temp.train('taken', 'one', '{"negatives": 1, "epochs": 6}'), pg_temp.train('taken', 'heavy', '{"positive_weight": 4}'),
       pg_temp.train('taken', 'rated', '{"base_rate": 0.02, "architecture": "wide"}');
SELECT cmp_ok(abs(pg_temp.mean('taken', 0.2) - 0.2), '<', 0.02::float8, 'four negatives: one in five');
SELECT cmp_ok(abs(pg_temp.mean('one', 0.5) - 0.5), '<', 0.03::float8, 'one negative: every other');
SELECT cmp_ok(abs(pg_temp.mean('rated', 0.02) - 0.02), '<', 0.004::float8, 'the base rate, where rows are as it says');
SELECT cmp_ok(abs(pg_temp.mean('heavy', 0.2) - 0.2), '<', 0.02::float8, 'class weights are taken out');
SELECT is(r.test_log_loss, t.test_log_loss, 'stored measures are those before base_rate') FROM aread.model r, aread.model t WHERE r.model = 'rated' AND t.model = 'four';

-- labelled rows: the mean score is the share of positives, class weights or not
ALTER TABLE shown ADD split text;
UPDATE shown SET split = CASE WHEN held THEN 'test' WHEN sequence % 10 = 0 THEN 'valid' ELSE 'train' END;
ALTER TABLE shown DROP held, DROP sequence;
CREATE TABLE arms (model text, options text);
INSERT INTO arms VALUES ('plain', '{}'), ('weighted', '{"positive_weight": 8}'), ('raw', '{"positive_weight": 8, "calibration": false}'),
  ('twentieth', '{"base_rate": 0.05}'), ('both', '{"base_rate": 0.05, "positive_weight": 8}'), ('set', '{"base_rate": 0.05, "positive_weight": 8, "calibration": false}');
SELECT pg_temp.train('shown', model, ('{"negatives": 0, "architecture": "wide"}'::jsonb || options::jsonb)::text) FROM arms;
CREATE TABLE means AS SELECT model, avg(p) AS mean, avg(label) AS share, avg(p) FILTER (WHERE label = 1) * 0.05 + avg(p) FILTER (WHERE label = 0) * 0.95 AS mean_at_twentieth
FROM arms, LATERAL (SELECT label, aread_predict(model, shown) AS p FROM shown WHERE split = 'test') s GROUP BY model;
SELECT cmp_ok(abs(mean - share)::float8, '<', 0.02::float8, 'the mean score is the share of positives: ' || model) FROM means WHERE model IN ('plain', 'weighted');
SELECT cmp_ok(mean, '>', (share + 0.15)::float8, 'but for class weights without calibration') FROM means WHERE model = 'raw';
SELECT cmp_ok(abs(mean_at_twentieth - 0.05)::float8, '<', 0.01::float8, 'a base rate is met where rows are as it says: ' || model) FROM means WHERE model IN ('twentieth', 'both', 'set');
SELECT ok(bool_and(calibration_factor = 1 AND calibration_shift = 0), 'no calibration, no change') FROM aread.model WHERE model = 'raw';
SELECT is(a.test_auc, b.test_auc, 'a map that rises leaves the AUC as it is') FROM aread.model a, aread.model b WHERE a.model = 'raw' AND b.model = 'weighted';
SELECT is(count(*), 0::bigint, 'nothing is said of items where none were sampled') FROM aread.feature WHERE model = 'plain' AND goes_with_item IS NOT NULL;

SELECT * FROM finish();
ROLLBACK;
