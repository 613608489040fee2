-- What a session keeps of its own, as it does with models of the present transaction.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL aread.batch_scan = off;
SELECT no_plan();

CREATE TABLE seen AS SELECT * FROM aread_simulate(3000, domains => 4, groups => 2, users => 200, items => 90, strength => 3);
CREATE FUNCTION pg_temp.train(model text) RETURNS void LANGUAGE sql AS
  $$ SELECT aread_train('seen', model, options => '{"mmoe_dims": [16], "epochs": 1, "l2_wide": 10, "warmup_batches": 5, "mask_interval": 50, "candidates": 1}') $$;
SELECT pg_temp.train(m) FROM unnest('{one,two}'::text[]) m \g /dev/null
SELECT aread_cache_clear() \g /dev/null
SELECT is_empty('SELECT * FROM aread.cache', 'nothing is loaded at first');

CREATE TABLE scores AS SELECT s.*, aread_predict('one', s) AS score FROM seen s LIMIT 100;
SELECT results_eq('SELECT model, version, deployed, place, hits, loads, in_use FROM aread.cache', $$VALUES ('one', 1, true, 'session', 1::bigint, 1::bigint, false)$$, 'a model that scored');
SELECT ok(bytes > 10000 AND loaded_at <= clock_timestamp() AND used_at <= clock_timestamp(), 'its memory and times') FROM aread.cache;
SELECT aread_predict('two', s) FROM seen s LIMIT 1 \g /dev/null
SELECT is(count(*), 2::bigint, 'and another') FROM aread.cache;

-- scratch for batches counts, too
CREATE TABLE before AS SELECT bytes FROM aread.cache WHERE model = 'one';
SELECT * FROM aread_evaluate('one', 'seen') \g /dev/null
SELECT cmp_ok(c.bytes, '>', b.bytes, 'memory for batches') FROM aread.cache c, before b WHERE model = 'one';

-- one statement: each row before and after the call
SELECT is(max(n), 1, 'the model in use stays') FROM (SELECT aread_predict('one', s) AS p, aread_cache_clear() AS n FROM (SELECT * FROM seen LIMIT 3) s) x WHERE p > 0;
SELECT is(aread_cache_clear(), 1, 'when the statement has ended it can go');
SELECT is_empty('SELECT * FROM aread.cache', 'all is forgotten');
SELECT is((SELECT count(*) FROM scores c WHERE abs(aread_predict('one', c) - score) > 1e-12), 0::bigint, 'loaded again it scores the same');

-- a cursor that is open
DECLARE c CURSOR FOR SELECT aread_predict('two', s) FROM seen s;
FETCH 1 FROM c \g /dev/null
SELECT results_eq('SELECT model, in_use FROM aread.cache ORDER BY model', $$VALUES ('one', false), ('two', true)$$, 'a cursor keeps its model');
SET LOCAL aread.cache_size = 0;
SELECT aread_predict('one', s) FROM seen s LIMIT 1 \g /dev/null
SELECT results_eq('SELECT model, in_use FROM aread.cache ORDER BY model', $$VALUES ('two', true)$$, 'without memory for it nothing else stays');
CLOSE c;
SELECT is_empty('SELECT * FROM aread.cache', 'nor that, when the cursor is closed');
RESET aread.cache_size;

-- versions, rights
SELECT pg_temp.train('one') \g /dev/null
SELECT aread_predict('one', s) FROM seen s LIMIT 1 \g /dev/null
SELECT results_eq('SELECT model, version FROM aread.cache WHERE deployed', $$VALUES ('one', 2)$$, 'another version is another entry');
CREATE ROLE aread_cache_other;
SET LOCAL ROLE aread_cache_other;
SELECT is_empty('SELECT * FROM aread.cache', 'models of others are not shown');
SELECT throws_ok('SELECT aread_cache_clear(true)', '42501', 'must be superuser to clear shared memory', 'shared memory is the superuser''s');
RESET ROLE;
SELECT aread_drop('one') \g /dev/null
SELECT is_empty($$SELECT * FROM aread.cache WHERE model = 'one'$$, 'nor are those that were dropped');

SELECT * FROM finish();
ROLLBACK;
