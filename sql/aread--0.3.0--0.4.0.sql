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
