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

ALTER TABLE aread.stored_run ADD COLUMN name_given boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN aread.stored_run.name_given IS 'whether who started it named the model; false: its name is the source''s, and not to be that of another source''s model';
COMMENT ON FUNCTION @extschema@.aread_train(regclass, text, text, text, text[], text, text, text, jsonb, text) IS
'train a model over a table, store it as a new version and deploy it; measures are on test rows, or on validation rows where there are none, with the negatives sampled for them; a table without a label (label => '''' says so where a column has that name) holds positives only and needs option negatives; where no argument names the model, the table does, unless the model of that name is another table''s; where none lists the features, columns that tell nothing, or a value of its own in each row, are left out with a warning';

--
-- Dense features
--

--
-- Deployment
--

--
-- Runs
--
