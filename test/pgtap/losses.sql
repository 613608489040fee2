-- Losses that compare positive rows with their sampled negatives; negatives that each step draws anew.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

-- as logs.sql
CREATE TABLE shown AS SELECT *, hashint8(sequence * 31 + 7) & 3 = 0 AS held
FROM aread_simulate(40000, domains => 6, groups => 2, users => 200, items => 100, strength => 3);
ALTER TABLE shown DROP planted_group, DROP planted_probability, DROP sequence;
CREATE TABLE taken AS SELECT domain, user_id, item_id, age_band, category, price FROM shown WHERE label = 1 AND NOT held;
CREATE TABLE later AS SELECT label, domain, user_id, item_id, age_band, category, price FROM shown WHERE held;
CREATE FUNCTION pg_temp.train(source regclass, model text, options text DEFAULT '{}') RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM aread_train($1, $2, options => '{"architecture": "mmoe", "mmoe_dims": [64, 32], "batch_size": 512, "negatives": 4, "popularity_offset": false, "epochs": 5}'::jsonb || $3::jsonb);
  RETURN (SELECT crc FROM aread.model m WHERE m.model = $2 AND deployed);
END $$;

CREATE TABLE arms (model text, loss text, options text);
INSERT INTO arms VALUES ('logistic', 'logistic', '{}'), ('bpr', 'bpr', '{"loss": "bpr", "positive_weight": 5}'), ('softmax', 'softmax', '{"loss": "softmax"}'),
  ('hard', 'bpr', '{"loss": "bpr", "hard_negatives": 0.5, "hard_candidates": 2, "history": true}');
CREATE TABLE crcs AS SELECT model, pg_temp.train('taken', model, options) AS crc FROM arms;
SELECT is(count(DISTINCT crc), count(*), 'each loss has a model of its own') FROM crcs;
CREATE TABLE quality AS SELECT model, loss, test_auc, valid_log_loss, (SELECT auc FROM aread_evaluate(model, 'later')) AS auc FROM arms JOIN aread.model USING (model);
SELECT diag(format('%s: AUC on rows shown %s, log loss of validation rows %s', model, round(auc::numeric, 3), round(valid_log_loss::numeric, 4))) FROM quality;
SELECT cmp_ok(auc, '>', 0.65::float8, 'taste is found: ' || model) FROM quality;

-- scores are probabilities: one of five validation rows was taken
SELECT cmp_ok(valid_log_loss, '<', 0.5::float8, 'scores say more of rows than the share of positives does: ' || model) FROM quality;
CREATE TABLE drawn AS SELECT l.domain, l.user_id, t.item_id, l.age_band, t.category, t.price FROM (
    SELECT *, row_number() OVER (PARTITION BY domain ORDER BY hashint8(user_id * 1000 + item_id), price) AS i FROM later WHERE label = 1) l
  JOIN (SELECT *, row_number() OVER (PARTITION BY domain ORDER BY hashint8(item_id * 1000 + user_id), price) AS i FROM taken) t USING (domain, i)
  WHERE NOT EXISTS (SELECT FROM (SELECT user_id, item_id FROM taken UNION ALL SELECT user_id, item_id FROM later WHERE label = 1) k WHERE (k.user_id, k.item_id) = (l.user_id, t.item_id));
SELECT cmp_ok(abs(p - 0.2), '<', 0.03::float8, 'scores are probabilities of rows taken or drawn: ' || model)
FROM (SELECT model, 0.2 * (SELECT avg(aread_predict(model, later)) FROM later WHERE label = 1) + 0.8 * (SELECT avg(aread_predict(model, drawn)) FROM drawn) AS p FROM arms) x;

-- curves: a positive among five, or by 2 / 5 of the sum over four pairs, before anything is learnt; each evaluation's log loss is a calibrated one
SELECT cmp_ok(train_loss, '<', CASE loss WHEN 'softmax' THEN ln(5) WHEN 'bpr' THEN 1.6 * ln(2) ELSE 0.51 END::float8 + 0.1, 'the first epochs'' loss is of its kind, below: ' || model)
FROM arms JOIN aread.training_log USING (model) WHERE evaluation = 1;
SELECT cmp_ok(train_loss, '>', CASE loss WHEN 'softmax' THEN 1.2 WHEN 'bpr' THEN 0.8 ELSE 0.4 END::float8, 'and above: ' || model)
FROM arms JOIN aread.training_log USING (model) WHERE evaluation = 1;
SELECT cmp_ok(max(valid_loss), '<', 0.6::float8, 'log loss of evaluations is that of calibrated scores: ' || model) FROM arms JOIN aread.training_log USING (model) WHERE loss <> 'logistic' GROUP BY model;

-- the same rows in another order, or more threads: the same model
CREATE TABLE shuffled AS SELECT * FROM taken ORDER BY hashint4(user_id * 1000 + item_id), price;
SET LOCAL aread.threads = 2;
SELECT is(pg_temp.train('shuffled', 'again', options), crc, 'a shuffled copy and two threads give the same model: ' || model)
FROM arms JOIN crcs USING (model) WHERE model = 'hard';

-- what they need
SELECT throws_ok($$SELECT pg_temp.train('shown', 'none', '{"negatives": 0, "loss": "bpr"}')$$, '22023', 'option "loss" needs sampled negatives');
SELECT throws_ok($$SELECT pg_temp.train('shown', 'none', '{"negatives": 0, "hard_negatives": 1}')$$, '22023', 'option "hard_negatives" needs sampled negatives');
SELECT throws_ok($$SELECT pg_temp.train('taken', 'none', '{"loss": "softmax", "batch_size": 4}')$$, '22023', 'option "batch_size" is 4, but a positive row and its 4 negatives share a batch');
SELECT throws_like($$SELECT pg_temp.train('taken', 'none', '{"loss": "hinge"}')$$, '%"loss"%');
SELECT lives_ok($$SELECT pg_temp.train('taken', 'least', '{"loss": "softmax", "batch_size": 5, "epochs": 1}')$$, 'a batch may be one positive row with its negatives');

-- of rows with labels those that have no sampled negatives are in no group
SELECT lives_ok($$SELECT pg_temp.train('shown', 'labelled', '{"loss": "softmax", "epochs": 2}')$$, 'negative rows of the source do no harm');

SELECT * FROM finish();
ROLLBACK;
