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

ALTER TABLE aread.stored_version
  ADD COLUMN split_method text DEFAULT NULL,
  ADD COLUMN split_type text DEFAULT NULL,
  ADD COLUMN split_shares float8[] DEFAULT NULL,
  ADD COLUMN split_bounds bigint[] DEFAULT NULL,
  ADD COLUMN score_edges float8[] DEFAULT NULL,
  ADD COLUMN score_rows bigint[] DEFAULT NULL;
COMMENT ON COLUMN aread.stored_version.split_method IS 'how rows were split: name, order or hash; NULL: trained before 0.4.0';
COMMENT ON COLUMN aread.stored_version.split_type IS 'type of the split column';
COMMENT ON COLUMN aread.stored_version.split_shares IS 'shares of validation and test rows that were asked for';
COMMENT ON COLUMN aread.stored_version.split_bounds IS 'by order: where validation rows begin, and test rows, as 64-bit integers in the order of the split column; NULL: there are none';
COMMENT ON COLUMN aread.stored_version.score_edges IS 'deciles of the scores of validation rows, or where there are none of test or training rows; NULL: trained before 0.4.0';
COMMENT ON COLUMN aread.stored_version.score_rows IS 'how many of these rows have scores below each, and how many beyond';
ALTER TABLE aread.stored_feature ADD COLUMN bin_rows bigint[] DEFAULT NULL;
COMMENT ON COLUMN aread.stored_feature.bin_rows IS 'of a binned feature: training rows without a value, and of each bin; NULL: another kind, or trained before 0.4.0';
ALTER TABLE aread.stored_evaluation ADD COLUMN reason text DEFAULT NULL;
COMMENT ON COLUMN aread.stored_evaluation.reason IS 'what it meant for the training, as a sentence; NULL: trained before 0.4.0';
COMMENT ON TABLE aread.stored_chunk IS 'tensors, vocabularies, rare values, places of domain weights and masks in pieces of 512 KB, each with magic, length and CRC-32C';
COMMENT ON COLUMN aread.stored_chunk.kind IS 'tensor, vocabulary, rare, pairs, masks or checksum';
COMMENT ON COLUMN aread.stored_chunk.name IS 'name of the tensor, number of the vocabulary, also of rare values, part and field of the pairs, what the checksum is over';

CREATE OR REPLACE VIEW aread.training_log WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, e.number AS evaluation, e.epoch, e.epoch_end, e.batches,
       e.train_loss, e.measures[6] AS valid_loss, e.measures[1] AS auc,
       e.measures[2] AS domain_auc, e.measures[3] AS major5_auc, e.measures[4] AS minor10_auc,
       e.measures[5] AS minor5_auc, e.rows_per_second, e.mask_updates, e.seconds, e.best,
       e.number OPERATOR(pg_catalog.=) v.best_evaluation AS kept, e.reason
FROM aread.visible_version v
JOIN aread.stored_evaluation e USING (version_id);
COMMENT ON COLUMN aread.training_log.best IS 'better than all before, by at least 0.0005: less is noise';
COMMENT ON COLUMN aread.training_log.kept IS 'is it the one whose parameters the model has?';
COMMENT ON COLUMN aread.training_log.reason IS 'what it gained, or that it gained too little, and why training stopped; NULL: trained before 0.4.0';

COMMENT ON FUNCTION @extschema@.aread_evaluate(text, regclass) IS
'measures of a model over all rows of a table with its label and feature columns, each with the rows behind it; NULL: one class only; for a model trained without a label, the one registered for the table or the column label; labels are to be coded as in training, and a WARNING tells if most rows were trained on';

CREATE FUNCTION @extschema@.aread_evaluate(
  model text,
  source regclass,
  split text,
  OUT rows bigint,
  OUT skipped_rows bigint,
  OUT auc float8,
  OUT domain_auc float8,
  OUT domain_auc_rows bigint,
  OUT major5_auc float8,
  OUT major5_auc_rows bigint,
  OUT minor10_auc float8,
  OUT minor10_auc_rows bigint,
  OUT minor5_auc float8,
  OUT minor5_auc_rows bigint,
  OUT log_loss float8)
RETURNS record
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_evaluate';
COMMENT ON FUNCTION @extschema@.aread_evaluate(text, regclass, text) IS
'the same over the rows of one split, train, valid or test, as aread_split tells it';

CREATE FUNCTION @extschema@.aread_evaluate_domains(
  model text,
  source regclass,
  split text,
  OUT domain text,
  OUT rows bigint,
  OUT positives bigint,
  OUT auc float8,
  OUT log_loss float8,
  OUT train_rows bigint)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_evaluate_domains';
COMMENT ON FUNCTION @extschema@.aread_evaluate_domains(text, regclass, text) IS
'the same over the rows of one split, train, valid or test, as aread_split tells it';

CREATE FUNCTION @extschema@.aread_split(model text, features record)
RETURNS text
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 5000
AS 'MODULE_PATHNAME', 'aread_split';
COMMENT ON FUNCTION @extschema@.aread_split(text, record) IS
'the split of a row in the model''s training: train, valid or test; by hash it is told by the model''s features, which the row must have, by order and by name by the split column; of a row that was not there, the split it would have had; NULL: training left such rows out, for want of label, domain or split';

COMMENT ON AGGREGATE @extschema@.aread_log_loss(float8, boolean) IS
'mean of -ln(probability of the label), probabilities kept within [2^-52, 1 - 2^-52] as scikit-learn does; NULL: no rows';
COMMENT ON AGGREGATE @extschema@.aread_log_loss(float8, integer) IS
'mean of -ln(probability of the label), probabilities kept within [2^-52, 1 - 2^-52] as scikit-learn does; NULL: no rows';
COMMENT ON AGGREGATE @extschema@.aread_log_loss(float8, float8) IS
'mean of -ln(probability of the label), probabilities kept within [2^-52, 1 - 2^-52] as scikit-learn does; NULL: no rows';

COMMENT ON FUNCTION @extschema@.aread_drift(text, regclass) IS
'values of a table by feature and domain (NULL: domains never seen, or NULL): unseen ones were never in training rows, rare ones less often than the feature''s min_count, missing ones are NULL; rows are values, of lists their members; of binned and hashed features only NULL is told; models keep hashes of rare values, so that about one unseen value in 4 billion for each rare one passes for rare; those trained before 0.4.0 keep none, and where their min_count is above 1 unseen is NULL and rare counts both; needs no labels';

CREATE FUNCTION @extschema@.aread_shift(
  model text,
  source regclass,
  OUT feature text,
  OUT rows bigint,
  OUT bins integer,
  OUT psi float8)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_shift';
COMMENT ON FUNCTION @extschema@.aread_shift(text, regclass) IS
'how far the numbers of a table, and its scores (feature NULL), lie from those of training: the population stability index, the sum of (p - q) ln(p / q) over bins of about a tenth of the training rows each and one for NULL, where there is any, with half a row added to every bin; up to 0.1 is no shift to speak of, above 0.25 is a large one; scores are compared with those of validation rows, or where there were none of test or training rows; psi is NULL for versions trained before 0.4.0, and where there are no rows; needs no labels';

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
