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
COMMENT ON COLUMN aread.stored_feature.kind IS 'categorical, binned, list, dense (a vector), or rows: how many training rows another feature''s value has';
COMMENT ON COLUMN aread.stored_feature.type_name IS 'type of the values, of a list of its members, of dense features of the column';
COMMENT ON COLUMN aread.stored_feature.edges IS 'bin edges of a binned feature; of rows the ids where bins begin; of dense features their components'' means, then as many standard deviations';
COMMENT ON COLUMN aread.feature.kind IS 'categorical, binned, list, dense (a vector), or rows: how many training rows the user or the item has';
COMMENT ON COLUMN aread.feature.type IS 'type of the values, of a list of its members, of dense features of the column';
COMMENT ON COLUMN aread.feature."values" IS 'distinct values, bins, buckets or components known to the model';
COMMENT ON COLUMN aread.feature.weight_sd IS 'how much its values matter: standard deviation of their wide weights in logits, as the L2 implies it, of dense features for a standard deviation of a component; NULL without a wide part';

--
-- Deployment
--

--
-- Runs
--
