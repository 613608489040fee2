-- A model as one value: the same on the other side, or an error.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

CREATE TABLE seen AS SELECT label, domain, user_id, item_id, price, ARRAY[item_id % 7, user_id % 5] AS tags
FROM aread_simulate(3000, domains => 4, groups => 2, users => 60, items => 40, strength => 3);
SELECT aread_train('seen', m, features => '{user_id,item_id,price,tags}', options => ('{"architecture": "hemp", "mmoe_dims": [8], "embed_dim": 4, "epochs": 2, "l2_wide": 10, "warmup_batches": 2, "mask_interval": 3,
  "candidates": 1, "hei_hidden": [4, 4, 4], "hei_output": [4, 4, 4], "learning_rate": 0.01}'::jsonb || o)) FROM (VALUES ('shop', '{}'::jsonb), ('wide', '{"architecture": "wide"}')) v(m, o) \g /dev/null
CREATE TABLE exported AS SELECT m AS model, aread_export(m) AS data FROM unnest('{shop,wide}'::text[]) m;
SELECT ok(octet_length(data) > 5000, 'some bytes') FROM exported;
SET LOCAL extra_float_digits = -10;
SELECT ok(data = aread_export(model), 'the same bytes whatever the session wants to see of numbers') FROM exported;
RESET extra_float_digits;

-- the same model, under another name and its own
SELECT is(aread_import(data, model || ' moved'), 1, 'imported as a model of its own') FROM exported;
SELECT is_empty($$SELECT * FROM seen s, unnest('{shop,wide}'::text[]) m WHERE aread_predict(m, s) <> aread_predict(m || ' moved', s) LIMIT 5$$, 'it scores the same');
SELECT is(aread_export('shop moved'), set_byte(aread_export('shop moved'), 0, 65), 'an export is a value');
SELECT set_eq(format($$SELECT to_jsonb(x) - '{model,version,trained_at,deploy_reason}'::text[] FROM aread.%I x WHERE model = '%s moved'$$, v, m),
  format($$SELECT to_jsonb(x) - '{model,version,trained_at,deploy_reason}'::text[] FROM aread.%I x WHERE model = %L$$, v, m), v || ' is the same: ' || m)
FROM unnest('{model,feature,domain,mask,mask_update,mask_history,training_log}'::text[]) v, unnest('{shop,wide}'::text[]) m;
SELECT is(aread_import(data), 2, 'imported where it comes from it is another version') FROM exported WHERE model = 'shop';
SELECT is(version, 2, 'deployed') FROM aread.model WHERE model = 'shop' AND deployed;
SELECT is(aread_import(data, deploy => false), 3, 'or not') FROM exported WHERE model = 'shop';
SELECT is(version, 2, 'as one says') FROM aread.model WHERE model = 'shop' AND deployed;
SELECT is((SELECT crc FROM aread.model WHERE model = 'shop' AND version = 1), (SELECT crc FROM aread.model WHERE model = 'shop' AND version = 3), 'with the same checksum');
SELECT ok(aread_import(aread_export('shop@3'), 'third') = 1, 'a version by its number');
SELECT aread_comment('wide@1', repeat('x', 65536)) \g /dev/null
SELECT is(aread_import(aread_export('wide@1'), 'said'), 1, 'with the longest comment');
SELECT is(length(comment), 65536, 'which goes with it') FROM aread.model WHERE model = 'said';
CREATE TABLE fine AS SELECT i % 2 AS label, 'd' || i % 3 AS domain, i * 1e-5 / 7 AS price FROM generate_series(1, 150000) i;
SELECT aread_train('fine', 'fine', options => '{"architecture": "wide", "bins": 65536}') \g /dev/null
SELECT cmp_ok(cardinality(edges), '>', 60000, 'as many bins as can be') FROM aread.feature WHERE model = 'fine' AND name = 'price';
SELECT lives_ok($$SELECT aread_import(aread_export('fine'), 'fine moved')$$, 'go with their model');
SELECT is_empty($$SELECT FROM fine f WHERE price < 0.001 AND aread_predict('fine', f) <> aread_predict('fine moved', f)$$, 'which scores the same');
SELECT is(aread_import(NULL), NULL, 'nothing');
CREATE SCHEMA elsewhere;
CREATE TABLE elsewhere.fine AS SELECT * FROM fine LIMIT 3000;
SELECT aread_train('elsewhere.fine', 'named', options => '{"architecture": "wide"}') \g /dev/null
CREATE TABLE of_other AS SELECT aread_export('named') AS data;
SELECT aread_rename('named', 'away'), aread_rename('fine', 'named') \g /dev/null
SELECT throws_ok($$SELECT aread_import(data) FROM of_other$$, '42710', 'model "named" is of another source, public.fine', 'a name that nobody chose, of a model of another source');
SELECT is(aread_import(data, 'named'), 2, 'is taken if asked for') FROM of_other;
SELECT throws_ok($$SELECT aread_export('nothing')$$, '42704', 'model "nothing" does not exist', 'a model that there is not');
SELECT throws_ok($$SELECT aread_import(data, 'a@1') FROM exported LIMIT 1$$, '42602', NULL, 'names are checked');

-- what is no export, or not whole
SELECT throws_ok($$SELECT aread_import('')$$, '22023', 'this is not an exported model', 'no bytes');
SELECT throws_ok($$SELECT aread_import('some other file, which is longer than a header')$$, '22023', 'this is not an exported model', 'other bytes');
SELECT throws_ok($$SELECT aread_import(set_byte(data, 8, 9)) FROM exported LIMIT 1$$, '0A000', 'exported model has format 9', 'another format');
SELECT throws_ok($$SELECT aread_import(data || '\x00') FROM exported LIMIT 1$$, 'XX001', 'exported model is corrupt', 'a byte too many');
CREATE FUNCTION pg_temp.outcome(data bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM aread_import(data, 'broken');
  RETURN 'imported';
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
SELECT set_eq($$SELECT pg_temp.outcome(substr(data, 1, n)) FROM exported, generate_series(24, octet_length(data) - 1, 97) n WHERE model = 'wide'$$, ARRAY['XX001'], 'cut anywhere');
SELECT set_eq($$SELECT pg_temp.outcome(set_byte(data, n, get_byte(data, n) # 16)) FROM exported, generate_series(12, octet_length(data) - 1, 97) n WHERE model = 'wide'$$, ARRAY['XX001'], 'a bit anywhere');
CREATE FUNCTION pg_temp.told(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  detail text;
BEGIN
  EXECUTE 'UPDATE aread.stored_version SET ' || change;
  PERFORM aread_import(aread_export('shop'), 'broken');
  RETURN 'imported';
EXCEPTION WHEN data_corrupted THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RETURN detail;
END $$;
SELECT is(pg_temp.told(change), 'Its numbers are not those of the model.', 'numbers that the model has not: ' || change)
FROM unnest(ARRAY['calibration[2] = 9', $$calibration[1] = 'NaN'$$, 'calibration[2] = NULL', 'calibration = calibration || 1::float8',
  'calibration = calibration[1:1]', 'calibration = ARRAY[calibration]', $$calibration = '{}'$$, 'n_parameters = n_parameters + 1', 'n_domains = 0']) change;
SELECT is_empty($$SELECT * FROM aread.model WHERE model = 'broken'$$, 'nothing of it remains');
SELECT is((SELECT count(*) FROM aread.stored_version v LEFT JOIN aread.stored_model m USING (model_id) WHERE m.model_id IS NULL), 0::bigint, 'no version without its model');

-- rights
CREATE ROLE aread_mover;
SELECT aread_grant('shop', 'aread_mover') \g /dev/null
SET LOCAL ROLE aread_mover;
SELECT throws_ok($$SELECT aread_export('shop')$$, '42501', 'permission denied for model "shop"', 'an export has weights: for the owner');
RESET ROLE;
GRANT SELECT ON exported TO aread_mover;
SET LOCAL ROLE aread_mover;
SELECT is(aread_import(data, 'mine'), 1, 'who has the bytes has the model') FROM exported WHERE model = 'shop';
SELECT is(owner, 'aread_mover', 'and owns it') FROM aread.model WHERE model = 'mine';
SELECT throws_ok($$SELECT aread_import(data) FROM exported WHERE model = 'shop'$$, '42501', 'permission denied for model "shop"', 'but writes no model of others');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
