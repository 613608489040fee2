-- Rows beyond aread.training_memory: in temporary files, and the same model.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

-- lists (NULL and empty ones too), bins, a weight, an order in time, rows that are skipped
CREATE TABLE wares AS
SELECT CASE WHEN sequence % 5000 = 0 THEN NULL ELSE label END AS label, domain, user_id, item_id, category, price, sequence AS bought_at,
  0.5 + sequence % 3 AS weight,
  CASE WHEN sequence % 10 = 0 THEN NULL ELSE ARRAY(SELECT (user_id * 7 + i * i) % 50 FROM generate_series(1, sequence % 5) i) END AS tags
FROM aread_simulate(60000, domains => 6, groups => 2, users => 3000, items => 900, strength => 3);
CREATE FUNCTION pg_temp.train(source regclass, memory text, options text, split text DEFAULT NULL, weight text DEFAULT NULL) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('aread.training_memory', memory, true);
  PERFORM aread_train(source, 'm', split => split, weight => weight, features => ARRAY['category', 'price', 'tags'],
    options => '{"architecture": "hemp", "mmoe_dims": [32], "batch_size": 512, "epochs": 1, "l2_wide": 10, "warmup_batches": 50, "mask_interval": 50, "candidates": 1}'::jsonb || options::jsonb);
  RETURN (SELECT crc FROM aread.model WHERE model = 'm' AND deployed);
END $$;
CREATE TABLE runs AS
SELECT o.*, pg_temp.train('wares', '1GB', options, split, weight) AS in_memory, pg_temp.train('wares', '1MB', options, split, weight) AS in_files,
  pg_temp.train('wares', '5MB', options, split, weight) AS in_part
FROM (VALUES ('{}', NULL, NULL), ('{"seed": 2}', 'bought_at', 'weight'), ('{"architecture": "wide"}', 'bought_at', NULL), ('{"architecture": "mmoe", "min_count": 3}', NULL, 'weight')) o (options, split, weight);
SELECT is(in_files, in_memory, format('the same model from files: %s %s', options, split)) FROM runs;
SELECT is(in_part, in_memory, format('and with some of it in files: %s %s', options, split)) FROM runs;
SELECT is(count(DISTINCT in_memory), 4::bigint, 'other options give other models') FROM runs;

-- sampled negatives are rows, too
CREATE TABLE bought AS SELECT * FROM wares WHERE label = 1;
ALTER TABLE bought DROP label;
SELECT is(pg_temp.train('bought', '1MB', o), pg_temp.train('bought', '1GB', o), 'the same negatives: ' || o)
FROM unnest(ARRAY['{"architecture": "wide", "negatives": 3}', '{"negatives": 2, "negative_sampling": "uniform"}']) o;

-- an evaluation keeps to it, too
CREATE TABLE measures AS SELECT set_config('aread.training_memory', memory, true), (SELECT e::text FROM aread_evaluate('m', 'wares') e) AS measures FROM unnest(ARRAY['1GB', '1MB']) memory;
SELECT is(count(DISTINCT measures), 1::bigint, 'an evaluation finds the same') FROM measures;

-- files are the server's temporary files: there is a limit to them, and none is left behind
SET LOCAL temp_file_limit = '1MB';
SET LOCAL aread.training_memory = '1GB';
SELECT lives_ok($$SELECT aread_train('wares', 'n', options => '{"architecture": "wide", "l2_wide": 10}')$$, 'in memory no file is needed');
SET LOCAL aread.training_memory = '1MB';
SELECT throws_ok($$SELECT aread_train('wares', 'n', options => '{"architecture": "wide", "l2_wide": 10}')$$, '53400', NULL, 'files beyond temp_file_limit are an error');
SELECT throws_ok($$SELECT aread_evaluate('m', 'wares')$$, '53400', NULL, 'of an evaluation, too');
SELECT is(count(*), 0::bigint, 'no file is left') FROM pg_ls_tmpdir();
SELECT throws_ok($$SET aread.training_memory = '1kB'$$, '22023', NULL, 'a megabyte is the least');

SELECT * FROM finish();
ROLLBACK;
