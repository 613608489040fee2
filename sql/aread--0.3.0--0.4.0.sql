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

COMMENT ON FUNCTION @extschema@.aread_predict(text, record, text) IS
'probability of a positive label under the deployed version of a model, for one row; features by column name: missing ones count as NULL, as aread.missing_features has it told, and a name that two columns have is an error; the domain as third argument; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, record, anynonarray) IS
'probability of a positive label under the deployed version of a model, for one row; features by column name: missing ones count as NULL, as aread.missing_features has it told, and a name that two columns have is an error; the domain as third argument, of any plain type; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, record) IS
'probability of a positive label under the deployed version of a model, for one row; features by column name: missing ones count as NULL, as aread.missing_features has it told, and a name that two columns have is an error; the domain among the features; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, jsonb, text) IS
'probability of a positive label under the deployed version of a model, for one row; features by key: missing ones count as NULL, as aread.missing_features has it told; the domain as third argument; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, jsonb, anynonarray) IS
'probability of a positive label under the deployed version of a model, for one row; features by key: missing ones count as NULL, as aread.missing_features has it told; the domain as third argument, of any plain type; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, jsonb) IS
'probability of a positive label under the deployed version of a model, for one row; features by key: missing ones count as NULL, as aread.missing_features has it told; the domain among the features; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, json, text) IS
'probability of a positive label under the deployed version of a model, for one row; features by key: missing ones count as NULL, as aread.missing_features has it told, and a key that is there twice is an error; the domain as third argument; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, json, anynonarray) IS
'probability of a positive label under the deployed version of a model, for one row; features by key: missing ones count as NULL, as aread.missing_features has it told, and a key that is there twice is an error; the domain as third argument, of any plain type; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, json) IS
'probability of a positive label under the deployed version of a model, for one row; features by key: missing ones count as NULL, as aread.missing_features has it told, and a key that is there twice is an error; the domain among the features; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, text, text) IS
'probability of a positive label under the deployed version of a model, for one row; features a JSON object: missing ones count as NULL, as aread.missing_features has it told, and a key that is there twice is an error; the domain as third argument; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, text, anynonarray) IS
'probability of a positive label under the deployed version of a model, for one row; features a JSON object: missing ones count as NULL, as aread.missing_features has it told, and a key that is there twice is an error; the domain as third argument, of any plain type; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, text) IS
'probability of a positive label under the deployed version of a model, for one row; features a JSON object: missing ones count as NULL, as aread.missing_features has it told, and a key that is there twice is an error; the domain among the features; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_register(regclass, text, text, text, text, text[], text, text) IS
'keep a table''s column roles, so that other functions need its name only; again: replace them; without a label column, or with label => '''', every row counts as positive; a notice names the roles, and columns whose names nearly have one';

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
