-- aread 0.3.0 to 0.4.0.
\echo Use "ALTER EXTENSION aread UPDATE TO '0.4.0'" to load this file. \quit

-- Nothing below is looked up where others can put objects: names without a schema
-- are those of pg_catalog, whatever lies in the target schema.
SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);

--
-- Values
--

--
-- Measures
--

--
-- Records
--

--
-- Sources
--

--
-- Dense features
--

--
-- Deployment
--

--
-- Runs
--
COMMENT ON FUNCTION @extschema@.aread_train_start(regclass, text, text, text, text[], text, text, text, jsonb, text) IS
'train a model in the background, as the calling role, with checkpoints on the way; arguments are those of aread_train; returns the number of the run at once, which begins when the caller''s transaction commits; with option "resume": "auto" it goes on by itself after a restart of the server';
COMMENT ON COLUMN aread.run.attempts IS 'workers that it had: 1, and one more for each time that it was resumed';
