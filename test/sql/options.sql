-- Every option, and what options must not be.
SELECT option, type, "default", minimum, maximum, CASE WHEN option <> 'architecture' THEN choices END choices, symbol FROM aread_options();
SELECT count(*) FROM aread_options() WHERE meaning IS NULL OR meaning !~ '\.$';

-- Every architecture: the choices of the option, in their order; both functions tell the same of options.
SELECT architecture, meaning, reference, cardinality(options) = 0 AS no_option, 'mask_search' = ANY (options) AS masks FROM aread_architectures() WHERE architecture IN ('wide', 'mmoe', 'aread');
SELECT count(*) FROM aread_architectures() WHERE meaning IS NULL OR meaning = '' OR reference = '';
SELECT choices = (SELECT array_agg(architecture) FROM aread_architectures()) AS architectures_are_choices
FROM aread_options() WHERE option = 'architecture';
SELECT a.architecture, count(*) FROM aread_architectures() a JOIN aread_options() o ON a.architecture = ANY (o.architectures)
GROUP BY a.architecture, a.options HAVING array_agg(o.option) <> a.options;
SELECT sum(cardinality(a.options)) = (SELECT sum(cardinality(architectures)) FROM aread_options()) AS as_many_uses FROM aread_architectures() a;

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
DO $$
BEGIN
  PERFORM aread_train('clicks', options => '{"architecture": "transformer"}');
EXCEPTION WHEN invalid_parameter_value THEN
  RAISE NOTICE '%', replace(SQLERRM, (SELECT '"' || array_to_string(choices, '", "') || '"' FROM aread_options() WHERE option = 'architecture'), '[all of them]');
END $$;
SELECT aread_train('clicks', options => '{"mmoe_dims": 64}');
SELECT aread_train('clicks', options => '{"mmoe_dims": [64, "x"]}');
SELECT aread_train('clicks', options => '{"mmoe_dims": [64, null]}');
SELECT aread_train('clicks', options => '{"mmoe_dims": [[64, 32]]}');
SELECT aread_train('clicks', options => '{"mmoe_dims": [64, 2.5]}');
SELECT aread_train('clicks', options => '{"mmoe_dims": [64, 0]}');
SELECT aread_train('clicks', options => '{"mmoe_dims": [1,2,3,4,5,6,7,8,9]}');
SELECT aread_train('clicks', options => '{"batch_norm": 1}');
SELECT aread_train('clicks', options => '{"seed": -1}');
SELECT aread_train('clicks', options => '{"hei_experts": [2, 4]}');
SELECT aread_train('clicks', options => '{"architecture": "hemp", "target_density": 0.9, "initial_density": 0.5}');
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

-- What aread_options() calls a default is what a training has that is not told otherwise.
\set ON_ERROR_STOP 1
SELECT count(*) FROM aread_train('clicks', 'untold', options => '{"architecture": "wide"}');
SET client_min_messages = warning;
SELECT count(*) FROM aread_train('clicks', 'told', options => (SELECT jsonb_object_agg(option, "default") FROM aread_options()) || '{"architecture": "wide"}');
RESET client_min_messages;
SELECT option, "default", config -> option AS had FROM aread.model, aread_options() WHERE model = 'untold' AND config -> option <> "default";
SELECT count(DISTINCT crc), count(DISTINCT config) FROM aread.model WHERE model IN ('told', 'untold');

-- Options that an architecture does not use are told, and are not held against each other.
SELECT count(*) FROM aread_train('clicks', options => '{"architecture": "wide", "epochs": 3, "hei_experts": [2, 4], "hei_hidden": [3], "target_density": 0.9}');
SELECT option, architectures IS NULL AS all, 'aread' = ANY (architectures) AS aread, 'hei' = ANY (architectures) AS hei, 'wide' = ANY (architectures) AS wide
FROM aread_options() WHERE option IN ('epochs', 'seed', 'hei_experts', 'sigma', 'augment_ratio', 'bins', 'features');
SELECT aread_drop(model) FROM (SELECT DISTINCT model FROM aread.model) m;
DROP TABLE clicks;
