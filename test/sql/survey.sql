-- Columns that are no features: keys of rows, constants, empty ones.
SET client_min_messages = warning;
\set wide '{"architecture": "wide", "min_rows": 0}'
CREATE TABLE visits AS
  SELECT i AS id, ascii(md5(i::text)) % 2 AS label, 'd' || i % 3 AS domain, i * 31 % 50 AS user_id, i * 17 % 40 AS item_id,
         i * i % 11 AS hour, i * 37 % 997 / 10.0 AS price, md5(i::text)::uuid AS session, 'DE' AS country,
         NULL::text AS note, NULL::float8 AS nothing, 1.5 AS rate, '{}'::text[] AS tags,
         ARRAY[i / 3.0, 1]::real[] AS embedding, timestamptz '2024-01-01' + i * interval '1 minute' AS at,
         CASE WHEN i % 3 > 0 THEN i END AS some, CASE WHEN i % 2 = 0 THEN 'one' END AS half,
         i % 900 AS seldom, i % 980 AS nearly
  FROM generate_series(1, 1000) i;
CREATE FUNCTION features(which text) RETURNS text LANGUAGE sql AS
  $$SELECT string_agg(name, ' ' ORDER BY position) FROM aread.feature WHERE model = which AND deployed AND kind <> 'rows'$$;

-- one warning for all; domain, user and item stay, and so does what only seems to be none
SELECT train_rows + valid_rows + test_rows AS rows FROM aread_train('visits', options => :'wide');
SELECT features('visits');
-- the model is that of the features that are left, to the last bit
SELECT train_rows + valid_rows + test_rows AS rows FROM aread_train('visits', options => :'wide',
  features => '{domain,user_id,item_id,hour,price,embedding,half,seldom}');
SELECT count(DISTINCT crc) AS models, count(*) AS versions FROM aread.model WHERE model = 'visits';
SELECT sum(p.rows) = m.train_rows AS same_rows FROM aread_augment_plan('visits') p, aread.model m
WHERE m.model = 'visits' AND m.version = 1 GROUP BY m.train_rows;
-- and that of a training in the background, whose messages tell of it
SELECT aread_train_start('visits', options => :'wide') AS run \gset
SELECT aread_wait(:run) AS version;
SELECT messages LIKE '%WARNING:  columns that are no good features: id, session, %' AS told FROM aread.run WHERE run = :run;
SELECT aread_forget(:run);
SELECT count(DISTINCT crc) AS models, count(*) AS versions FROM aread.model WHERE model = 'visits';
-- so it is where rows do not fit the memory
SET aread.training_memory = '1MB';
INSERT INTO visits SELECT (jsonb_populate_record(v, jsonb_build_object('id', v.id + 1000 * n, 'session', md5((v.id + 1000 * n)::text)))).*
  FROM visits v, generate_series(1, 20) n;
SELECT train_rows + valid_rows + test_rows AS rows FROM aread_train('visits', options => :'wide');
RESET aread.training_memory;
SELECT train_rows + valid_rows + test_rows AS rows FROM aread_train('visits', options => :'wide',
  features => string_to_array(features('visits'), ' '));
SELECT count(DISTINCT crc) AS models, count(*) AS versions FROM aread.model WHERE model = 'visits' AND version > 3;
DELETE FROM visits WHERE id > 1000;

-- what is asked for is kept; what does harm is told
SELECT train_rows > 0 AS trained FROM aread_train('visits', features => '{user_id,id,country,note,embedding}', options => :'wide');
SELECT features('visits');
SELECT train_rows > 0 AS trained FROM aread_train('visits',
  options => :'wide'::jsonb || '{"features": {"id": {"kind": "binned"}, "session": {"min_count": 1}, "at": {"min_count": 2}, "note": {"min_count": 1}, "embedding": {"kind": "list"}, "some": {"buckets": 10}, "nearly": {"vocabulary": "user_id"}}}');
SELECT features('visits');
SELECT aread_register('visits', features => '{user_id,session,rate}');
SELECT train_rows > 0 AS trained FROM aread_train('visits', options => :'wide');
SELECT features('visits');
SELECT aread_unregister('visits');

-- an item of its own in each row, with which negatives are sampled, stays the item
SELECT test_rows > 0 AS tested FROM aread_train('visits', 'sampled', item_id => 'id', label => '', options => :'wide'::jsonb || '{"negatives": 1}');
SELECT features('sampled');

-- of few rows, anything may be as it is
CREATE TABLE few AS SELECT * FROM visits WHERE id <= 99;
SELECT train_rows > 0 AS trained FROM aread_train('few', options => :'wide');
SELECT features('few');
INSERT INTO few SELECT * FROM visits WHERE id = 100;
SELECT train_rows > 0 AS trained FROM aread_train('few', options => :'wide');
SELECT features('few');
DROP TABLE visits, few;
DROP FUNCTION features;
SELECT count(aread_drop(model)) FROM (SELECT DISTINCT model FROM aread.model) m;
