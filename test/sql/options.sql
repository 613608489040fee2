-- Every option, and what options must not be.
SELECT option, type, "default", minimum, maximum, choices, symbol FROM aread_options();
SELECT count(*) FROM aread_options() WHERE meaning IS NULL OR meaning !~ '\.$';

CREATE TABLE clicks AS
  SELECT label, domain, user_id, item_id FROM aread_simulate(300, domains => 4, users => 20, items => 10);
\set ON_ERROR_STOP 0
\set VERBOSITY default

SELECT aread_train('clicks', options => '{"epoch": 3}');
SELECT aread_train('clicks', options => '{"mincount": 3}');
SELECT aread_train('clicks', options => '{"Min_Rows": 3}');
SELECT aread_train('clicks', options => '{"feature": {}}');
SELECT aread_train('clicks', options => '{"frobnicate": 3}');
SELECT aread_train('clicks', options => '{"epochs": 0}');
SELECT aread_train('clicks', options => '{"epochs": 2.5}');
SELECT aread_train('clicks', options => '{"epochs": "many"}');
SELECT aread_train('clicks', options => '{"epochs": null}');
SELECT aread_train('clicks', options => '{"dropout": 1}');
SELECT aread_train('clicks', options => '{"architecture": "transformer"}');
SELECT aread_train('clicks', options => '{"mmoe_dims": 64}');
SELECT aread_train('clicks', options => '{"mmoe_dims": [64, "x"]}');
SELECT aread_train('clicks', options => '{"mmoe_dims": [1,2,3,4,5,6,7,8,9]}');
SELECT aread_train('clicks', options => '{"batch_norm": 1}');
SELECT aread_train('clicks', options => '{"seed": -1}');
SELECT aread_train('clicks', options => '{"hei_experts": [2, 4]}');
SELECT aread_train('clicks', options => '{"target_density": 0.9, "initial_density": 0.5}');
SELECT aread_train('clicks', options => '{"valid_share": 0.5, "test_share": 0.5}');
SELECT aread_train('clicks', options => '[1]');
SELECT aread_train('clicks', options => '{"features": 1}');
SELECT aread_train('clicks', options => '{"features": {"nothing": {}}}');
SELECT aread_train('clicks', options => '{"features": {"item_id": 3}}');
SELECT aread_train('clicks', options => '{"features": {"item_id": {"kind": "list"}}}');
SELECT aread_train('clicks', options => '{"features": {"user_id": {"colour": 1}}}');
SELECT aread_train('clicks', options => '{"features": {"item_id": {"bins": 4}}}');
SELECT aread_train('clicks', options => '{"features": {"item_id": {"kind": "binned", "buckets": 4}}}');
SELECT aread_train('clicks', options => '{"features": {"item_id": {"min_count": 0}}}');
SELECT aread_train('clicks', options => '{"features": {"item_id": {"vocabulary": "nothing"}}}');
SELECT aread_train('clicks', options => '{"features": {"item_id": {"vocabulary": "user_id", "buckets": 4}}}');
SELECT aread_train('clicks', options => '{"features": {"domain": {"buckets": 8}}}');
SELECT aread_train('clicks', options => '{"features": {"domain": {"kind": "binned"}}}');
SELECT count(*) AS models FROM aread.model;
DROP TABLE clicks;
