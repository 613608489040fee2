-- Logs that hold positives only, and what must be said when something is missing.
\set ON_ERROR_STOP 0
\set VERBOSITY default
\set wide '{"architecture": "wide"}'
\set sampled '{"architecture": "wide", "negatives": 2}'
CREATE TABLE purchases AS
  SELECT domain, user_id, item_id, age_band, category FROM aread_simulate(3000, domains => 4, users => 60, items => 40) WHERE label = 1;
SELECT count(*) AS rows FROM purchases;

-- without a label negatives must be sampled, and for that there must be items
SELECT aread_train('purchases', options => :'wide');
SELECT aread_train('purchases', label => 'bought', options => :'sampled');
CREATE VIEW no_items AS SELECT domain, user_id, category FROM purchases;
SELECT aread_train('no_items', options => :'sampled');
SET client_min_messages = warning;
SELECT trained_model FROM aread_train('no_items', item_id => 'category', options => :'sampled');
SELECT aread_train('purchases', options => '{"negatives": -1}');
SELECT aread_train('purchases', options => '{"negatives": 2, "negative_sampling": "random"}');
SELECT aread_train('purchases', options => '{"negatives": 2, "features": {"category": {"goes_with_item": 1}}}');
SELECT aread_train('purchases', options => :'sampled'::jsonb || '{"features": {"item_id": {"goes_with_item": true}}}');
SELECT aread_train('purchases', options => :'sampled'::jsonb || '{"features": {"user_id": {"goes_with_item": false}}}');
SELECT aread_train('purchases', options => :'sampled'::jsonb || '{"features": {"domain": {"goes_with_item": true}}}');
SELECT aread_train('purchases', label => 'age_band', options => '{"architecture": "wide", "label_threshold": 2, "features": {"category": {"goes_with_item": true}}}');

SET client_min_messages = notice;

-- what was sampled, and what went with the items
SELECT train_rows + valid_rows + test_rows AS rows, skipped_rows, auc IS NOT NULL AS has_auc
FROM aread_train('purchases', options => :'sampled');
SELECT sampled_rows, calibration_factor > 0 AS has_factor, calibration_shift IS NOT NULL AS has_shift
FROM aread.model WHERE model = 'purchases';
SELECT sum(positives) AS positives, sum(rows) AS rows FROM aread.domain WHERE model = 'purchases';
SELECT train_rows FROM aread.model WHERE model = 'purchases';
SELECT name, role, goes_with_item FROM aread.feature WHERE model = 'purchases' ORDER BY position;
SET client_min_messages = warning;
SELECT version FROM aread_train('purchases', options => :'sampled'::jsonb || '{"features": {"category": {"goes_with_item": false}, "age_band": {"goes_with_item": true}}}');
SELECT name, goes_with_item FROM aread.feature WHERE model = 'purchases' AND deployed ORDER BY position;

-- a label that is always positive is as good as none
CREATE VIEW all_positive AS SELECT *, true AS label FROM purchases;
SELECT aread_train('all_positive', options => :'wide');
SELECT version FROM aread_train('all_positive', options => :'sampled');
SELECT version FROM aread_train('purchases', options => :'sampled');
SELECT a.crc = b.crc AS same FROM aread.model a, aread.model b WHERE a.model = 'all_positive' AND b.model = 'purchases' AND b.deployed;

-- a column called "label" that is none
CREATE VIEW records AS SELECT *, CASE WHEN item_id % 2 = 0 THEN 'Decca' ELSE 'Verve' END AS label FROM purchases;
SELECT aread_train('records', options => :'sampled');
SELECT trained_model FROM aread_train('records', label => '', options => :'sampled');
SELECT aread_register('records', label => '');
SELECT label IS NULL AS no_label FROM aread.source WHERE relation = 'records'::regclass;
SELECT trained_model FROM aread_train('records', options => :'sampled');
SELECT name, goes_with_item FROM aread.feature WHERE model = 'records' AND deployed AND name = 'label';

-- evaluation takes the column "label", or the one registered
CREATE TABLE shown AS
  SELECT label, label AS clicked, domain, user_id, item_id, age_band, category
  FROM aread_simulate(500, domains => 4, users => 60, items => 40, seed => 2);
SELECT aread_evaluate('purchases', 'purchases');
SELECT rows, auc IS NOT NULL AS has_auc FROM aread_evaluate('purchases', 'shown');
ALTER TABLE shown DROP COLUMN label;
SELECT aread_evaluate_domains('purchases', 'shown');
SELECT aread_register('shown', label => 'clicked');
SELECT rows, auc IS NOT NULL AS has_auc FROM aread_evaluate('purchases', 'shown');

-- registered without a label
SET client_min_messages = notice;
SELECT aread_register('purchases');
SELECT label, domain, user_id, item_id FROM aread.source WHERE relation = 'purchases'::regclass;
SELECT aread_train('purchases', options => :'wide');
SELECT aread_register('purchases', label => 'category', item_id => 'category');
SELECT aread_register('purchases', label => 'category', split => 'category');
SET client_min_messages = warning;

-- domains of a single item have none to sample and are left out; with no other domain that is an error
INSERT INTO purchases SELECT 'lonely', i, 7, 1, 1 FROM generate_series(1, 50) i;
SET client_min_messages = notice;
SELECT train_rows + valid_rows + test_rows AS rows, skipped_rows FROM aread_train('purchases', features => '{age_band}', options => :'sampled');
SET client_min_messages = warning;
SELECT skipped_rows FROM aread.model WHERE model = 'purchases' AND deployed;
SELECT rows, positives, valid_rows, test_rows FROM aread.domain WHERE model = 'purchases' AND deployed AND domain = 'lonely';
SELECT aread_train('purchases', 'searched', options => :'sampled'::jsonb || '{"architecture": "aread", "epochs": 1, "mask_interval": 1}') IS NOT NULL AS trained;
SELECT domain = 'lonely' AS is_lonely, bool_and(loss > 0) AS has_loss FROM aread.mask_update WHERE model = 'searched' GROUP BY 1 ORDER BY 1;
CREATE VIEW lonely AS SELECT * FROM purchases WHERE domain = 'lonely';
SELECT aread_train('lonely', options => :'sampled');

-- weights stay with their rows, and all on one side are told
CREATE VIEW weighted AS SELECT *, CASE WHEN user_id < 30 THEN 1 ELSE 3 END AS weight, item_id % 2 AS label, item_id % 2 AS half FROM purchases;
SELECT version FROM aread_train('weighted', features => '{age_band}', weight => 'weight', options => :'sampled');
SELECT aread_train('weighted', features => '{age_band}', weight => 'half', options => :'wide');

-- domains: 10,000 and no more
CREATE VIEW many AS SELECT i % 10001 AS domain, i % 3 % 2 AS label, i % 7 AS item_id FROM generate_series(1, 20002) i;
SELECT aread_train('many', split => 'domain', options => :'wide'::jsonb || '{"valid_share": 0, "test_share": 0, "split_method": "order"}');
CREATE VIEW fewer AS SELECT * FROM many WHERE domain > 0;
SELECT train_rows FROM aread_train('fewer', split => 'domain', options => :'wide'::jsonb || '{"valid_share": 0, "test_share": 0, "split_method": "order"}');
SELECT domains FROM aread.model WHERE model = 'fewer';

SELECT count(aread_drop(model)) FROM (SELECT DISTINCT model FROM aread.model) m;
SELECT aread_unregister('purchases'), aread_unregister('shown');
DROP TABLE purchases, shown CASCADE;
DROP VIEW many CASCADE;
