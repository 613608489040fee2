-- aread: tables, functions and views of the extension.
\echo Use "CREATE EXTENSION aread" to load this file. \quit

-- Nothing below is looked up where others can put objects: names without a schema
-- are those of pg_catalog, whatever lies in the target schema.
SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);

CREATE SCHEMA aread;
COMMENT ON SCHEMA aread IS 'models, masks and training history of the extension aread';

--
-- Roles, as tables hold them: regrole that keeps a name which does not exist.
--

CREATE TYPE aread.stored_role;

CREATE FUNCTION aread.stored_role_in(cstring)
RETURNS aread.stored_role
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_stored_role_in';
COMMENT ON FUNCTION aread.stored_role_in(cstring) IS 'public, the name of a role, or any other text, which then belongs to nobody';

CREATE FUNCTION aread.stored_role_out(aread.stored_role)
RETURNS cstring
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_stored_role_out';
COMMENT ON FUNCTION aread.stored_role_out(aread.stored_role) IS 'public, the role''s present name, or the text that it was read as';

CREATE FUNCTION aread.stored_role_recv(internal)
RETURNS aread.stored_role
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_stored_role_recv';
COMMENT ON FUNCTION aread.stored_role_recv(internal) IS 'the same as text, in the binary protocol';

CREATE FUNCTION aread.stored_role_send(aread.stored_role)
RETURNS bytea
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_stored_role_send';
COMMENT ON FUNCTION aread.stored_role_send(aread.stored_role) IS 'the same text, in the binary protocol';

CREATE TYPE aread.stored_role (
  INPUT = aread.stored_role_in,
  OUTPUT = aread.stored_role_out,
  RECEIVE = aread.stored_role_recv,
  SEND = aread.stored_role_send,
  INTERNALLENGTH = VARIABLE,
  ALIGNMENT = int4,
  STORAGE = plain
);
COMMENT ON TYPE aread.stored_role IS 'a role by its OID, or PUBLIC; a dump has its name, so that it is the same role in another cluster; a name that does not exist belongs to nobody';

CREATE FUNCTION aread.as_role(role oid)
RETURNS aread.stored_role
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_as_role';
COMMENT ON FUNCTION aread.as_role(oid) IS 'the role of an OID; 0: PUBLIC';

CREATE FUNCTION aread.role_oid(role aread.stored_role)
RETURNS oid
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_role_oid';
COMMENT ON FUNCTION aread.role_oid(aread.stored_role) IS 'its OID; 0: PUBLIC; NULL: a text that was no role''s name when it was read';

CREATE FUNCTION aread.has_role(role aread.stored_role)
RETURNS boolean
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_has_role';
COMMENT ON FUNCTION aread.has_role(aread.stored_role) IS 'has the current role its rights? All roles have those of PUBLIC, none those of one that is gone';

CREATE FUNCTION aread.role_name(role aread.stored_role, noted name)
RETURNS name
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_role_name';
COMMENT ON FUNCTION aread.role_name(aread.stored_role, name) IS 'its present name, or the one that it was read as or noted with';

CREATE FUNCTION aread.find_role(role aread.stored_role, noted name)
RETURNS aread.stored_role
LANGUAGE C STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_find_role';
COMMENT ON FUNCTION aread.find_role(aread.stored_role, name) IS 'of a text that was no role''s name: the role that it is by now, if it is one; for aread_mend_roles';

--
-- Tables.  Users reach them through functions and views only: a model's weights
-- can tell what single users did, and hand-written rows could not be trusted.
-- Rows that hang together have no foreign keys: pg_restore -j fills tables in any
-- order, and those of an extension have their constraints by then.
--

CREATE TABLE aread.stored_source (
  relation regclass PRIMARY KEY,
  label text,
  domain text NOT NULL,
  user_id text,
  item_id text,
  split text,
  weight text,
  features text[],
  registered_by aread.stored_role NOT NULL,
  registered_by_name name NOT NULL
);
COMMENT ON TABLE aread.stored_source IS 'column roles of registered interaction tables';
COMMENT ON COLUMN aread.stored_source.relation IS 'the table or view';
COMMENT ON COLUMN aread.stored_source.label IS 'label column; NULL: every row is positive';
COMMENT ON COLUMN aread.stored_source.domain IS 'domain column';
COMMENT ON COLUMN aread.stored_source.user_id IS 'user column, if there is one';
COMMENT ON COLUMN aread.stored_source.item_id IS 'item column, if there is one';
COMMENT ON COLUMN aread.stored_source.split IS 'split or ordering column, if there is one';
COMMENT ON COLUMN aread.stored_source.weight IS 'column of row weights, if there is one';
COMMENT ON COLUMN aread.stored_source.features IS 'feature columns; NULL: all but label, split and weight';
COMMENT ON COLUMN aread.stored_source.registered_by IS 'role that registered it';
COMMENT ON COLUMN aread.stored_source.registered_by_name IS 'name of that role at the time, for when it is gone';

CREATE TABLE aread.stored_model (
  model_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  owner aread.stored_role NOT NULL,
  owner_name name NOT NULL,
  deployed_version integer NOT NULL,
  previous_version integer,
  comment text,
  last_version integer NOT NULL DEFAULT 0,
  pinned_versions integer[] NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE aread.stored_model IS 'model names and their owners';
COMMENT ON COLUMN aread.stored_model.model_id IS 'never reused';
COMMENT ON COLUMN aread.stored_model.name IS 'what aread_predict is called with';
COMMENT ON COLUMN aread.stored_model.owner IS 'role that it belongs to';
COMMENT ON COLUMN aread.stored_model.owner_name IS 'name of that role when it got the model, for when it is gone';
COMMENT ON COLUMN aread.stored_model.deployed_version IS 'version that scores; 0: none';
COMMENT ON COLUMN aread.stored_model.previous_version IS 'version that scored before it';
COMMENT ON COLUMN aread.stored_model.comment IS 'what its owner says about it';
COMMENT ON COLUMN aread.stored_model.last_version IS 'highest number that a version of it had: numbers are not used again';
COMMENT ON COLUMN aread.stored_model.pinned_versions IS 'versions that stay until they are unpinned';

CREATE TABLE aread.stored_grant (
  model_id bigint NOT NULL,
  grantee aread.stored_role NOT NULL,
  grantee_name name NOT NULL,
  grant_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  privilege text NOT NULL DEFAULT 'predict'
);
CREATE INDEX stored_grant_model_id_index ON aread.stored_grant (model_id);
COMMENT ON TABLE aread.stored_grant IS 'roles that may score with a model, or have scores explained';
COMMENT ON COLUMN aread.stored_grant.model_id IS 'the model';
COMMENT ON COLUMN aread.stored_grant.grantee IS 'the role, or PUBLIC';
COMMENT ON COLUMN aread.stored_grant.grantee_name IS 'its name when it was granted, for when it is gone';
COMMENT ON COLUMN aread.stored_grant.grant_id IS 'never reused';
COMMENT ON COLUMN aread.stored_grant.privilege IS 'predict or explain; anything else gives nothing';

CREATE TABLE aread.stored_deployment (
  deployment_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  model_id bigint NOT NULL,
  version integer NOT NULL,
  previous integer,
  deployed boolean NOT NULL,
  role aread.stored_role NOT NULL,
  role_name name NOT NULL,
  at timestamptz NOT NULL,
  action text NOT NULL,
  reason text
);
CREATE INDEX stored_deployment_model_id_index ON aread.stored_deployment (model_id);
COMMENT ON TABLE aread.stored_deployment IS 'what became of the versions of each model, and through whom; aread_rollback goes back in it';
COMMENT ON COLUMN aread.stored_deployment.deployment_id IS 'later events have higher ones';
COMMENT ON COLUMN aread.stored_deployment.model_id IS 'its model';
COMMENT ON COLUMN aread.stored_deployment.version IS 'the version in question';
COMMENT ON COLUMN aread.stored_deployment.previous IS 'version that scored before the event; NULL: none';
COMMENT ON COLUMN aread.stored_deployment.deployed IS 'did the version score from then on?';
COMMENT ON COLUMN aread.stored_deployment.role IS 'who did it';
COMMENT ON COLUMN aread.stored_deployment.role_name IS 'name of that role at the time, for when it is gone';
COMMENT ON COLUMN aread.stored_deployment.at IS 'when the transaction began that did it';
COMMENT ON COLUMN aread.stored_deployment.action IS 'train, deploy, rollback, import or drop_version';
COMMENT ON COLUMN aread.stored_deployment.reason IS 'why';

CREATE TABLE aread.stored_version (
  version_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  model_id bigint NOT NULL,
  version integer NOT NULL,
  source_name text NOT NULL,
  label text,
  label_threshold float8,
  domain_feature integer NOT NULL,
  user_feature integer,
  item_feature integer,
  split text,
  weight text,
  options jsonb NOT NULL,
  config jsonb NOT NULL,
  architecture text NOT NULL,
  seed bigint NOT NULL,
  rows_read bigint NOT NULL,
  train_rows bigint NOT NULL,
  valid_rows bigint NOT NULL,
  test_rows bigint NOT NULL,
  null_labels bigint NOT NULL,
  bad_labels bigint NOT NULL,
  null_domains bigint NOT NULL,
  null_splits bigint NOT NULL,
  n_parameters bigint NOT NULL,
  n_domains integer NOT NULL,
  valid_measures float8[] NOT NULL,
  valid_measure_rows bigint[] NOT NULL,
  test_measures float8[] NOT NULL,
  test_measure_rows bigint[] NOT NULL,
  best_evaluation integer NOT NULL,
  seconds float8 NOT NULL,
  crc bigint NOT NULL,
  software text NOT NULL,
  sampled_rows bigint NOT NULL,
  calibration float8[] NOT NULL,
  trained_at timestamptz NOT NULL,
  comment text,
  split_method text DEFAULT NULL,
  split_type text DEFAULT NULL,
  split_shares float8[] DEFAULT NULL,
  split_bounds bigint[] DEFAULT NULL,
  score_edges float8[] DEFAULT NULL,
  score_rows bigint[] DEFAULT NULL,
  personalized float8 DEFAULT NULL,
  ranking jsonb DEFAULT NULL,
  kept_items bigint DEFAULT NULL,
  kept_users bigint DEFAULT NULL,
  kept_bytes bigint DEFAULT NULL,
  UNIQUE (model_id, version)
);
COMMENT ON TABLE aread.stored_version IS 'one row for each training: what went in and what came out';
COMMENT ON COLUMN aread.stored_version.version_id IS 'never reused';
COMMENT ON COLUMN aread.stored_version.model_id IS 'its model';
COMMENT ON COLUMN aread.stored_version.version IS '1, 2, ... within the model';
COMMENT ON COLUMN aread.stored_version.source_name IS 'source relation, by its name at the time';
COMMENT ON COLUMN aread.stored_version.label IS 'label column; NULL: every row was positive';
COMMENT ON COLUMN aread.stored_version.label_threshold IS 'positive from this label value on; NULL: labels are 0 and 1';
COMMENT ON COLUMN aread.stored_version.domain_feature IS 'position of the domain among the features, from 0';
COMMENT ON COLUMN aread.stored_version.user_feature IS 'position of the user';
COMMENT ON COLUMN aread.stored_version.item_feature IS 'position of the item';
COMMENT ON COLUMN aread.stored_version.split IS 'split or ordering column';
COMMENT ON COLUMN aread.stored_version.weight IS 'column of row weights';
COMMENT ON COLUMN aread.stored_version.options IS 'options as they were given';
COMMENT ON COLUMN aread.stored_version.config IS 'every option of the trainer as it was used';
COMMENT ON COLUMN aread.stored_version.architecture IS 'arm that was trained';
COMMENT ON COLUMN aread.stored_version.seed IS 'seed of all random numbers';
COMMENT ON COLUMN aread.stored_version.rows_read IS 'rows of the source';
COMMENT ON COLUMN aread.stored_version.train_rows IS 'rows trained on';
COMMENT ON COLUMN aread.stored_version.valid_rows IS 'rows that decided when to stop';
COMMENT ON COLUMN aread.stored_version.test_rows IS 'rows measured at the end';
COMMENT ON COLUMN aread.stored_version.null_labels IS 'rows left out: no label';
COMMENT ON COLUMN aread.stored_version.bad_labels IS 'rows left out: label neither 0 nor 1';
COMMENT ON COLUMN aread.stored_version.null_domains IS 'rows left out: no domain';
COMMENT ON COLUMN aread.stored_version.null_splits IS 'rows left out: NULL in the split column';
COMMENT ON COLUMN aread.stored_version.n_parameters IS 'numbers in all tensors';
COMMENT ON COLUMN aread.stored_version.n_domains IS 'domains seen in training';
COMMENT ON COLUMN aread.stored_version.valid_measures IS 'AUC, DomainAUC, Major5AUC, Minor10AUC, Minor5AUC, log loss, UserAUC, NDCG@10 on validation rows; the last two are missing before 0.4.0';
COMMENT ON COLUMN aread.stored_version.valid_measure_rows IS 'rows behind each of them';
COMMENT ON COLUMN aread.stored_version.test_measures IS 'the same on test rows';
COMMENT ON COLUMN aread.stored_version.test_measure_rows IS 'rows behind each of them';
COMMENT ON COLUMN aread.stored_version.best_evaluation IS 'evaluation whose parameters were kept';
COMMENT ON COLUMN aread.stored_version.seconds IS 'seconds of training, without reading';
COMMENT ON COLUMN aread.stored_version.crc IS 'CRC-32C over all tensors and masks';
COMMENT ON COLUMN aread.stored_version.software IS 'version of aread that trained it';
COMMENT ON COLUMN aread.stored_version.sampled_rows IS 'negative rows sampled, over all splits';
COMMENT ON COLUMN aread.stored_version.calibration IS 'factor and shift applied to the scores'' logits; for models with trees also what their logit counts';
COMMENT ON COLUMN aread.stored_version.trained_at IS 'when';
COMMENT ON COLUMN aread.stored_version.comment IS 'what the model''s owner says about it';
COMMENT ON COLUMN aread.stored_version.split_method IS 'how rows were split: name, order or hash; NULL: trained before 0.4.0';
COMMENT ON COLUMN aread.stored_version.split_type IS 'type of the split column';
COMMENT ON COLUMN aread.stored_version.split_shares IS 'shares of validation and test rows that were asked for';
COMMENT ON COLUMN aread.stored_version.split_bounds IS 'by order: where validation rows begin, and test rows, as 64-bit integers in the order of the split column; NULL: there are none';
COMMENT ON COLUMN aread.stored_version.score_edges IS 'deciles of the scores of validation rows, or where there are none of test or training rows; NULL: trained before 0.4.0';
COMMENT ON COLUMN aread.stored_version.score_rows IS 'how many of these rows have scores below each, and how many beyond';
COMMENT ON COLUMN aread.stored_version.personalized IS 'share of the order of items within a domain that is the user''s own; NULL: trained before 0.4.0, or there are no users or items to tell by';
COMMENT ON COLUMN aread.stored_version.ranking IS 'measures of ranked lists of validation and test rows: rows of the view aread.ranking; NULL: no negatives were sampled, or trained before 0.4.0';
COMMENT ON COLUMN aread.stored_version.kept_items IS 'items that are kept for aread_recommend; NULL: trained before 0.4.0';
COMMENT ON COLUMN aread.stored_version.kept_users IS 'users that are kept for it';
COMMENT ON COLUMN aread.stored_version.kept_bytes IS 'bytes of both, and of histories';

CREATE TABLE aread.stored_feature (
  version_id bigint NOT NULL,
  position integer NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  type_name text NOT NULL,
  vocabulary integer NOT NULL,
  vocabulary_rows bigint NOT NULL,
  min_count bigint NOT NULL,
  edges float8[],
  weight_sd float8,
  domain_weights bigint NOT NULL,
  domain_weight_sd float8,
  goes_with_item boolean,
  counted integer,
  bin_rows bigint[] DEFAULT NULL,
  PRIMARY KEY (version_id, position)
);
COMMENT ON TABLE aread.stored_feature IS 'features of each version';
COMMENT ON COLUMN aread.stored_feature.version_id IS 'its version';
COMMENT ON COLUMN aread.stored_feature.position IS 'field of the network, from 0';
COMMENT ON COLUMN aread.stored_feature.name IS 'column name';
COMMENT ON COLUMN aread.stored_feature.kind IS 'categorical, binned, list, dense (a vector), piecewise (a number as a vector), rows: how many training rows another feature''s value has, or cross: of several features'' values';
COMMENT ON COLUMN aread.stored_feature.type_name IS 'type of the values, of a list of its members, of dense features of the column';
COMMENT ON COLUMN aread.stored_feature.vocabulary IS 'number of its vocabulary; features may share one';
COMMENT ON COLUMN aread.stored_feature.vocabulary_rows IS 'ids of that vocabulary';
COMMENT ON COLUMN aread.stored_feature.min_count IS 'rarer values share one id';
COMMENT ON COLUMN aread.stored_feature.edges IS 'bin edges of a binned feature; of rows the ids where bins begin; of dense features their components'' means, then as many standard deviations; of piecewise ones the bounds of pieces, then the same, with deviations times the root of their number; of crosses the positions of the features that they are of';
COMMENT ON COLUMN aread.stored_feature.weight_sd IS 'standard deviation of its wide weights under their L2';
COMMENT ON COLUMN aread.stored_feature.domain_weights IS 'pairs of value and domain that have a weight';
COMMENT ON COLUMN aread.stored_feature.domain_weight_sd IS 'standard deviation of these under their L2';
COMMENT ON COLUMN aread.stored_feature.goes_with_item IS 'taken from the item of a sampled negative; NULL: none were sampled';
COMMENT ON COLUMN aread.stored_feature.counted IS 'of a count of training rows: position of the feature whose rows are counted';
COMMENT ON COLUMN aread.stored_feature.bin_rows IS 'of a binned or piecewise feature: training rows without a value, and of each bin; NULL: another kind, or trained before 0.4.0';

CREATE TABLE aread.stored_domain (
  version_id bigint NOT NULL,
  number integer NOT NULL,
  name text NOT NULL,
  rows bigint NOT NULL,
  positives bigint NOT NULL,
  minor boolean NOT NULL,
  major boolean NOT NULL,
  augmented_rows bigint NOT NULL,
  valid_rows bigint NOT NULL,
  valid_auc float8,
  valid_log_loss float8,
  test_rows bigint NOT NULL,
  test_auc float8,
  test_log_loss float8,
  PRIMARY KEY (version_id, number)
);
COMMENT ON TABLE aread.stored_domain IS 'domains of each version';
COMMENT ON COLUMN aread.stored_domain.version_id IS 'its version';
COMMENT ON COLUMN aread.stored_domain.number IS 'rank by training rows, from 0';
COMMENT ON COLUMN aread.stored_domain.name IS 'value of the domain column';
COMMENT ON COLUMN aread.stored_domain.rows IS 'training rows, sampled negatives included, as in all numbers here';
COMMENT ON COLUMN aread.stored_domain.positives IS 'positive ones among them';
COMMENT ON COLUMN aread.stored_domain.minor IS 'below minor_share of the training rows';
COMMENT ON COLUMN aread.stored_domain.major IS 'above major_share of the training rows';
COMMENT ON COLUMN aread.stored_domain.augmented_rows IS 'rows added for the mask search';
COMMENT ON COLUMN aread.stored_domain.valid_rows IS 'validation rows';
COMMENT ON COLUMN aread.stored_domain.valid_auc IS 'AUC on them; NULL: one class only';
COMMENT ON COLUMN aread.stored_domain.valid_log_loss IS 'log loss on them';
COMMENT ON COLUMN aread.stored_domain.test_rows IS 'test rows';
COMMENT ON COLUMN aread.stored_domain.test_auc IS 'AUC on them; NULL: one class only';
COMMENT ON COLUMN aread.stored_domain.test_log_loss IS 'log loss on them';

CREATE TABLE aread.stored_chunk (
  version_id bigint NOT NULL,
  kind text NOT NULL,
  name text NOT NULL,
  chunk integer NOT NULL,
  data bytea NOT NULL,
  PRIMARY KEY (version_id, kind, name, chunk)
);
ALTER TABLE aread.stored_chunk ALTER COLUMN data SET STORAGE EXTERNAL;
COMMENT ON TABLE aread.stored_chunk IS 'tensors, vocabularies, rare values, places of domain weights, masks, trees, items and users in pieces of 512 KB, each with magic, length and CRC-32C';
COMMENT ON COLUMN aread.stored_chunk.version_id IS 'its version';
COMMENT ON COLUMN aread.stored_chunk.kind IS 'tensor, vocabulary, rare, pairs, masks, trees, entities or checksum';
COMMENT ON COLUMN aread.stored_chunk.name IS 'name of the tensor, number of the vocabulary, also of rare values, part and field of the pairs, items, users or histories of entities, what the checksum is over';
COMMENT ON COLUMN aread.stored_chunk.chunk IS 'piece, from 0';
COMMENT ON COLUMN aread.stored_chunk.data IS 'the bytes';

CREATE TABLE aread.stored_evaluation (
  version_id bigint NOT NULL,
  number integer NOT NULL,
  epoch integer NOT NULL,
  epoch_end boolean NOT NULL,
  batches bigint NOT NULL,
  train_loss float8,
  measures float8[] NOT NULL,
  rows_per_second float8 NOT NULL,
  mask_updates integer NOT NULL,
  seconds float8 NOT NULL,
  best boolean NOT NULL,
  reason text DEFAULT NULL,
  PRIMARY KEY (version_id, number)
);
COMMENT ON TABLE aread.stored_evaluation IS 'evaluations during each training';
COMMENT ON COLUMN aread.stored_evaluation.version_id IS 'its version';
COMMENT ON COLUMN aread.stored_evaluation.number IS 'from 0, the start';
COMMENT ON COLUMN aread.stored_evaluation.epoch IS 'epoch, 0: the start';
COMMENT ON COLUMN aread.stored_evaluation.epoch_end IS 'at the end of its epoch';
COMMENT ON COLUMN aread.stored_evaluation.batches IS 'batches trained so far';
COMMENT ON COLUMN aread.stored_evaluation.train_loss IS 'mean loss since the evaluation before';
COMMENT ON COLUMN aread.stored_evaluation.measures IS 'AUC, DomainAUC, Major5AUC, Minor10AUC, Minor5AUC, log loss, UserAUC, NDCG@10 on validation rows; the last two are missing before 0.4.0';
COMMENT ON COLUMN aread.stored_evaluation.rows_per_second IS 'training rows per second since the evaluation before';
COMMENT ON COLUMN aread.stored_evaluation.mask_updates IS 'mask updates so far';
COMMENT ON COLUMN aread.stored_evaluation.seconds IS 'since training began';
COMMENT ON COLUMN aread.stored_evaluation.best IS 'better than all before';
COMMENT ON COLUMN aread.stored_evaluation.reason IS 'what it meant for the training, as a sentence; NULL: trained before 0.4.0';

CREATE TABLE aread.stored_mask_update (
  version_id bigint NOT NULL,
  number integer NOT NULL,
  domain integer NOT NULL,
  batches bigint NOT NULL,
  seconds float8 NOT NULL,
  start_density float4 NOT NULL,
  end_density float4 NOT NULL,
  loss float4,
  steps integer NOT NULL,
  gates smallint[] NOT NULL,
  PRIMARY KEY (version_id, number, domain)
);
COMMENT ON TABLE aread.stored_mask_update IS 'what each mask update decided for each domain';
COMMENT ON COLUMN aread.stored_mask_update.version_id IS 'its version';
COMMENT ON COLUMN aread.stored_mask_update.number IS 'update, from 1';
COMMENT ON COLUMN aread.stored_mask_update.domain IS 'number of the domain';
COMMENT ON COLUMN aread.stored_mask_update.batches IS 'batches trained before it';
COMMENT ON COLUMN aread.stored_mask_update.seconds IS 'seconds of the whole update';
COMMENT ON COLUMN aread.stored_mask_update.start_density IS 'share of open gates of the chosen candidate before pruning';
COMMENT ON COLUMN aread.stored_mask_update.end_density IS 'and after';
COMMENT ON COLUMN aread.stored_mask_update.loss IS 'its loss on the domain''s own rows; NULL: it had none';
COMMENT ON COLUMN aread.stored_mask_update.steps IS 'training and pruning steps';
COMMENT ON COLUMN aread.stored_mask_update.gates IS 'for each gate 0 if it stays open, else the step that closed it, or -1 if it was closed from the start';

CREATE TABLE aread.stored_run (
  run_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  model text NOT NULL,
  role oid NOT NULL,
  role_name name NOT NULL,
  source oid NOT NULL,
  source_name text NOT NULL,
  label text,
  domain text NOT NULL,
  user_id text,
  item_id text,
  split text,
  weight text,
  features text[],
  options jsonb NOT NULL,
  settings text[],
  state text NOT NULL,
  pid integer NOT NULL,
  attempts integer NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  phase text,
  epoch integer,
  epochs integer,
  batch bigint,
  batches bigint,
  loss float8,
  rows_per_second float8,
  valid_auc float8,
  valid_domain_auc float8,
  valid_log_loss float8,
  fingerprint bigint,
  checkpoint_at timestamptz,
  checkpoint_bytes bigint,
  software text,
  version integer,
  error_code text,
  error text,
  error_detail text,
  error_hint text,
  messages text,
  name_given boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE aread.stored_run IS 'background trainings: what they were to do, how far they are, how they ended; of this server, so not dumped';
COMMENT ON COLUMN aread.stored_run.run_id IS 'never reused';
COMMENT ON COLUMN aread.stored_run.model IS 'name of the model';
COMMENT ON COLUMN aread.stored_run.role IS 'role that started it, as which it trains';
COMMENT ON COLUMN aread.stored_run.role_name IS 'its name at the start, for when it is gone';
COMMENT ON COLUMN aread.stored_run.source IS 'source relation';
COMMENT ON COLUMN aread.stored_run.source_name IS 'its name at the start';
COMMENT ON COLUMN aread.stored_run.label IS 'label column';
COMMENT ON COLUMN aread.stored_run.domain IS 'domain column';
COMMENT ON COLUMN aread.stored_run.user_id IS 'user column';
COMMENT ON COLUMN aread.stored_run.item_id IS 'item column';
COMMENT ON COLUMN aread.stored_run.split IS 'split or ordering column';
COMMENT ON COLUMN aread.stored_run.weight IS 'column of row weights';
COMMENT ON COLUMN aread.stored_run.features IS 'feature columns; NULL: all but label, split and weight';
COMMENT ON COLUMN aread.stored_run.options IS 'options as they were given';
COMMENT ON COLUMN aread.stored_run.settings IS 'settings of the session that started it';
COMMENT ON COLUMN aread.stored_run.state IS 'starting, running, done, failed or cancelled, as its worker wrote it';
COMMENT ON COLUMN aread.stored_run.pid IS 'process of its latest worker';
COMMENT ON COLUMN aread.stored_run.attempts IS 'workers that it had';
COMMENT ON COLUMN aread.stored_run.started_at IS 'when it was started first';
COMMENT ON COLUMN aread.stored_run.ended_at IS 'when it ended';
COMMENT ON COLUMN aread.stored_run.phase IS 'what it does';
COMMENT ON COLUMN aread.stored_run.epoch IS 'epoch';
COMMENT ON COLUMN aread.stored_run.epochs IS 'epochs at most';
COMMENT ON COLUMN aread.stored_run.batch IS 'batches of the epoch so far';
COMMENT ON COLUMN aread.stored_run.batches IS 'batches of an epoch';
COMMENT ON COLUMN aread.stored_run.loss IS 'mean training loss since the last evaluation';
COMMENT ON COLUMN aread.stored_run.rows_per_second IS 'training rows a second since then';
COMMENT ON COLUMN aread.stored_run.valid_auc IS 'AUC on validation rows at the last evaluation';
COMMENT ON COLUMN aread.stored_run.valid_domain_auc IS 'domains'' AUC, weighted by their rows';
COMMENT ON COLUMN aread.stored_run.valid_log_loss IS 'mean log loss';
COMMENT ON COLUMN aread.stored_run.fingerprint IS 'checksum of the rows that the checkpoint is about; NULL: there is none';
COMMENT ON COLUMN aread.stored_run.checkpoint_at IS 'when the checkpoint was written';
COMMENT ON COLUMN aread.stored_run.checkpoint_bytes IS 'its bytes';
COMMENT ON COLUMN aread.stored_run.software IS 'version of aread that wrote it';
COMMENT ON COLUMN aread.stored_run.version IS 'version of the model that it made';
COMMENT ON COLUMN aread.stored_run.error_code IS 'SQLSTATE of the error that ended it';
COMMENT ON COLUMN aread.stored_run.error IS 'its message';
COMMENT ON COLUMN aread.stored_run.error_detail IS 'its detail';
COMMENT ON COLUMN aread.stored_run.error_hint IS 'its hint';
COMMENT ON COLUMN aread.stored_run.messages IS 'notices and warnings';
COMMENT ON COLUMN aread.stored_run.name_given IS 'whether who started it named the model; false: its name is the source''s, and not to be that of another source''s model';

CREATE TABLE aread.stored_checkpoint (
  run_id bigint NOT NULL REFERENCES aread.stored_run ON DELETE CASCADE,
  name text NOT NULL,
  chunk integer NOT NULL,
  data bytea NOT NULL,
  PRIMARY KEY (run_id, name, chunk)
);
ALTER TABLE aread.stored_checkpoint ALTER COLUMN data SET STORAGE EXTERNAL;
COMMENT ON TABLE aread.stored_checkpoint IS 'state of trainings to go on from, in pieces of 512 KB, each with magic, length and CRC-32C';
COMMENT ON COLUMN aread.stored_checkpoint.run_id IS 'its run';
COMMENT ON COLUMN aread.stored_checkpoint.name IS 'part of the state';
COMMENT ON COLUMN aread.stored_checkpoint.chunk IS 'piece, from 0';
COMMENT ON COLUMN aread.stored_checkpoint.data IS 'the bytes';

-- Everything that users made goes into a dump.  A registration does for as long as its
-- table is there: without it the dump would hold a number, which is another table's elsewhere.
SELECT pg_catalog.pg_extension_config_dump('aread.stored_source',
  'WHERE EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) stored_source.relation)');
SELECT pg_catalog.pg_extension_config_dump('aread.stored_model', '');
SELECT pg_catalog.pg_extension_config_dump('aread.stored_model_model_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('aread.stored_grant', '');
SELECT pg_catalog.pg_extension_config_dump('aread.stored_grant_grant_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('aread.stored_deployment', '');
SELECT pg_catalog.pg_extension_config_dump('aread.stored_deployment_deployment_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('aread.stored_version', '');
SELECT pg_catalog.pg_extension_config_dump('aread.stored_version_version_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('aread.stored_feature', '');
SELECT pg_catalog.pg_extension_config_dump('aread.stored_domain', '');
SELECT pg_catalog.pg_extension_config_dump('aread.stored_chunk', '');
SELECT pg_catalog.pg_extension_config_dump('aread.stored_evaluation', '');
SELECT pg_catalog.pg_extension_config_dump('aread.stored_mask_update', '');

--
-- Training
--

CREATE FUNCTION @extschema@.aread_train(
  source regclass,
  model text DEFAULT NULL,
  label text DEFAULT NULL,
  domain text DEFAULT NULL,
  features text[] DEFAULT NULL,
  user_id text DEFAULT NULL,
  item_id text DEFAULT NULL,
  split text DEFAULT NULL,
  options jsonb DEFAULT '{}',
  weight text DEFAULT NULL,
  OUT trained_model text,
  OUT version integer,
  OUT train_rows bigint,
  OUT valid_rows bigint,
  OUT test_rows bigint,
  OUT skipped_rows bigint,
  OUT auc float8,
  OUT domain_auc float8,
  OUT major5_auc float8,
  OUT minor10_auc float8,
  OUT minor5_auc float8,
  OUT log_loss float8,
  OUT epochs integer,
  OUT best_epoch integer,
  OUT seconds float8,
  OUT deployed boolean,
  OUT deploy_reason text,
  OUT user_auc float8,
  OUT ndcg_10 float8,
  OUT list_ndcg float8)
RETURNS record
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_train';
COMMENT ON FUNCTION @extschema@.aread_train(regclass, text, text, text, text[], text, text, text, jsonb, text) IS
'train a model over a table, store it as a new version and, if option deploy and min_rows let it, deploy it: deployed and deploy_reason say whether it was and why; measures are on test rows, or on validation rows where there are none, with the negatives sampled for them; a table without a label (label => '''' says so where a column has that name) holds positives only and needs option negatives; where no argument names the model, the table does, unless the model of that name is another table''s; where none lists the features, columns that tell nothing, or a value of its own in each row, are left out with a warning';

CREATE FUNCTION @extschema@.aread_train_start(
  source regclass,
  model text DEFAULT NULL,
  label text DEFAULT NULL,
  domain text DEFAULT NULL,
  features text[] DEFAULT NULL,
  user_id text DEFAULT NULL,
  item_id text DEFAULT NULL,
  split text DEFAULT NULL,
  options jsonb DEFAULT '{}',
  weight text DEFAULT NULL)
RETURNS bigint
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_train_start';
COMMENT ON FUNCTION @extschema@.aread_train_start(regclass, text, text, text, text[], text, text, text, jsonb, text) IS
'train a model in the background, as the calling role, with checkpoints on the way; arguments are those of aread_train; returns the number of the run at once, which begins when the caller''s transaction commits; with option "resume": "auto" it goes on by itself after a restart of the server';

CREATE FUNCTION @extschema@.aread_wait(run bigint, timeout interval DEFAULT NULL)
RETURNS integer
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_wait';
COMMENT ON FUNCTION @extschema@.aread_wait(bigint, interval) IS 'wait for a background training to end; returns the version that it made, NULL if time was up before; raises its error if it failed, was cancelled or interrupted';

CREATE FUNCTION @extschema@.aread_cancel(run bigint)
RETURNS boolean
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_cancel';
COMMENT ON FUNCTION @extschema@.aread_cancel(bigint) IS 'end a background training for good, also one that was interrupted, and drop its checkpoint; false if it had ended';

CREATE FUNCTION @extschema@.aread_resume(run bigint)
RETURNS void
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_resume';
COMMENT ON FUNCTION @extschema@.aread_resume(bigint) IS 'let a background training that was interrupted or has failed go on from its checkpoint, to the same model as if nothing had happened; for the run''s role, which is the current one; the rows of its source must be the same';

CREATE FUNCTION @extschema@.aread_resume(run bigint, source regclass)
RETURNS void
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_resume';
COMMENT ON FUNCTION @extschema@.aread_resume(bigint, regclass) IS 'the same for a run whose source belongs to another role: the caller names the source, so that nobody who can write the table of runs has functions of his run as the caller';

CREATE FUNCTION @extschema@.aread_forget(run bigint)
RETURNS void
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_forget';
COMMENT ON FUNCTION @extschema@.aread_forget(bigint) IS 'forget a background training that is not at work, with its checkpoint';

CREATE FUNCTION @extschema@.aread_drop(model text, if_exists boolean DEFAULT false)
RETURNS boolean
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_drop';
COMMENT ON FUNCTION @extschema@.aread_drop(text, boolean) IS 'drop a model with all of its versions, none of which may be pinned; false if there was none';

CREATE FUNCTION @extschema@.aread_deploy(model text, version integer)
RETURNS integer
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_deploy';
COMMENT ON FUNCTION @extschema@.aread_deploy(text, integer) IS 'let a version of a model score from now on; returns the version that did before, NULL if none did';

CREATE FUNCTION @extschema@.aread_deploy(model text, version integer, reason text)
RETURNS integer
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_deploy';
COMMENT ON FUNCTION @extschema@.aread_deploy(text, integer, text) IS 'the same with a reason, for the view aread.deployment';

CREATE FUNCTION @extschema@.aread_rollback(model text)
RETURNS integer
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_rollback';
COMMENT ON FUNCTION @extschema@.aread_rollback(text) IS 'deploy the version that was deployed before the present one, the next call the one before that: back in the history that the view aread.deployment shows, past versions that are gone; returns it';

CREATE FUNCTION @extschema@.aread_rollback(model text, reason text)
RETURNS integer
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_rollback';
COMMENT ON FUNCTION @extschema@.aread_rollback(text, text) IS 'the same with a reason, for the view aread.deployment';

CREATE FUNCTION @extschema@.aread_drop_version(model text, version integer)
RETURNS void
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_drop_version';
COMMENT ON FUNCTION @extschema@.aread_drop_version(text, integer) IS 'drop a version that is neither deployed nor pinned';

CREATE FUNCTION @extschema@.aread_pin(model text, pinned boolean DEFAULT true)
RETURNS boolean
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_pin';
COMMENT ON FUNCTION @extschema@.aread_pin(text, boolean) IS 'keep a version (''shop@2'') until it is unpinned (pinned => false): option keep_versions passes it by, and dropping it is an error; false if it was so already';

CREATE FUNCTION @extschema@.aread_rename(model text, new_name text)
RETURNS void
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_rename';
COMMENT ON FUNCTION @extschema@.aread_rename(text, text) IS 'give a model another name';

CREATE FUNCTION @extschema@.aread_comment(model text, comment text)
RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_comment';
COMMENT ON FUNCTION @extschema@.aread_comment(text, text) IS 'say something about a model, or about a version of it (''shop@3''), for the view aread.model; NULL takes it away';

CREATE FUNCTION @extschema@.aread_set_owner(model text, role name)
RETURNS void
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_set_owner';
COMMENT ON FUNCTION @extschema@.aread_set_owner(text, name) IS 'give a model to another role, which one must be a member of; superusers also one whose owner is gone';

CREATE FUNCTION @extschema@.aread_mend_roles()
RETURNS TABLE (what text, name text, role name, mended boolean)
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 10
BEGIN ATOMIC
  WITH owned AS (
    UPDATE aread.stored_model m SET owner = aread.find_role(m.owner, m.owner_name)
    WHERE aread.role_oid(m.owner) IS NULL
    RETURNING m.name, m.owner, m.owner_name
  ), granted AS (
    UPDATE aread.stored_grant g SET grantee = aread.find_role(g.grantee, g.grantee_name)
    FROM aread.stored_model m
    WHERE m.model_id OPERATOR(pg_catalog.=) g.model_id AND aread.role_oid(g.grantee) IS NULL
    RETURNING m.name, g.grantee, g.grantee_name
  ), registered AS (
    UPDATE aread.stored_source s SET registered_by = aread.find_role(s.registered_by, s.registered_by_name)
    WHERE aread.role_oid(s.registered_by) IS NULL
    RETURNING s.relation::text, s.registered_by, s.registered_by_name
  )
  SELECT 'owner', o.name, aread.role_name(o.owner, o.owner_name), aread.role_oid(o.owner) IS NOT NULL FROM owned o
  UNION ALL
  SELECT 'grant', g.name, aread.role_name(g.grantee, g.grantee_name), aread.role_oid(g.grantee) IS NOT NULL FROM granted g
  UNION ALL
  SELECT 'registration', s.relation, aread.role_name(s.registered_by, s.registered_by_name), aread.role_oid(s.registered_by) IS NOT NULL FROM registered s
  ORDER BY 1, 2, 3;
END;
COMMENT ON FUNCTION @extschema@.aread_mend_roles() IS
'find the roles of owners, grants and registrations that a dump named before they existed here, or that a dump of 0.2.0 has by OID and name; returns what belonged to nobody, and whether it now belongs to the role; for superusers, once after a restore';

CREATE FUNCTION @extschema@.aread_grant(model text, role name)
RETURNS boolean
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_grant';
COMMENT ON FUNCTION @extschema@.aread_grant(text, name) IS 'let a role, or public, use a model: score rows, recommend, list similar items and users, evaluate, measure drift and shift, and tell the split of rows; and so learn its items and users, who is like whom and what they took, but not see its weights; false if it may already';

CREATE FUNCTION @extschema@.aread_grant(model text, role name, privilege text)
RETURNS boolean
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_grant';
COMMENT ON FUNCTION @extschema@.aread_grant(text, name, text) IS 'the same for one right: ''predict'' (all of that, as without this argument) or ''explain'' (aread_explain alone, which shows the score of a row, the bins that its numbers fall in, and the experts and gates of its domain); either shows the model in the views that describe it';

CREATE FUNCTION @extschema@.aread_revoke(model text, role name)
RETURNS boolean
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_revoke';
COMMENT ON FUNCTION @extschema@.aread_revoke(text, name) IS 'take back all that aread_grant gave; false if nothing was given';

CREATE FUNCTION @extschema@.aread_revoke(model text, role name, privilege text)
RETURNS boolean
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_revoke';
COMMENT ON FUNCTION @extschema@.aread_revoke(text, name, text) IS 'the same for one right: ''predict'' or ''explain''';

CREATE FUNCTION @extschema@.aread_export(model text)
RETURNS bytea
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'aread_export';
COMMENT ON FUNCTION @extschema@.aread_export(text) IS 'the deployed version of a model, or the one that is named (''shop@3''), as one value with a checksum, for aread_import in another database; for its owner; up to 1 GB';

CREATE FUNCTION @extschema@.aread_import(data bytea, model text DEFAULT NULL, deploy boolean DEFAULT true)
RETURNS integer
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_import';
COMMENT ON FUNCTION @extschema@.aread_import(bytea, text, boolean) IS 'a new version of a model out of what aread_export returned, under its own name or another one, checked to the last byte; returns its number';

CREATE FUNCTION @extschema@.aread_register(
  source regclass,
  label text DEFAULT NULL,
  domain text DEFAULT NULL,
  user_id text DEFAULT NULL,
  item_id text DEFAULT NULL,
  features text[] DEFAULT NULL,
  split text DEFAULT NULL,
  weight text DEFAULT NULL)
RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_register';
COMMENT ON FUNCTION @extschema@.aread_register(regclass, text, text, text, text, text[], text, text) IS
'keep a table''s column roles, so that other functions need its name only; again: replace them; without a label column, or with label => '''', every row counts as positive; a notice names the roles, and columns whose names nearly have one';

CREATE FUNCTION @extschema@.aread_unregister(source regclass)
RETURNS boolean
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_unregister';
COMMENT ON FUNCTION @extschema@.aread_unregister(regclass) IS 'forget a table''s column roles; false if there were none';

CREATE FUNCTION @extschema@.aread_options(
  OUT option text,
  OUT type text,
  OUT "default" jsonb,
  OUT minimum float8,
  OUT maximum float8,
  OUT choices text[],
  OUT symbol text,
  OUT meaning text,
  OUT architectures text[])
RETURNS SETOF record
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_options';
COMMENT ON FUNCTION @extschema@.aread_options() IS 'every option of aread_train: default, range, symbol in the paper, meaning, and the architectures that it has an effect on; NULL: on all';

CREATE FUNCTION @extschema@.aread_architectures(
  OUT architecture text,
  OUT meaning text,
  OUT reference text,
  OUT options text[])
RETURNS SETOF record
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_architectures';
COMMENT ON FUNCTION @extschema@.aread_architectures() IS 'every value of option architecture: what it trains, where it comes from (NULL: from no paper), and the options that have an effect on it but not on all';

CREATE FUNCTION @extschema@.aread_simulate(
  rows bigint,
  domains integer DEFAULT 30,
  groups integer DEFAULT 3,
  users integer DEFAULT 2000,
  items integer DEFAULT 1000,
  skew float8 DEFAULT 1.0,
  strength float8 DEFAULT 2.0,
  positive_rate float8 DEFAULT 0.3,
  seed bigint DEFAULT 1,
  OUT label integer,
  OUT domain text,
  OUT user_id integer,
  OUT item_id integer,
  OUT age_band integer,
  OUT category integer,
  OUT price float8,
  OUT sequence bigint,
  OUT planted_group integer,
  OUT planted_probability float8)
RETURNS SETOF record
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10000
AS 'MODULE_PATHNAME', 'aread_simulate';
COMMENT ON FUNCTION @extschema@.aread_simulate(bigint, integer, integer, integer, integer, float8, float8, float8, bigint) IS
'interactions whose domains belong to planted groups that weigh users'' tastes alike; planted_group and planted_probability are the truth, not features';

--
-- Augmentation.  These functions see what the calling query sees, so that
-- INSERT INTO t SELECT * FROM aread_augment(NULL::t) does not meet its own rows.
--

CREATE FUNCTION @extschema@.aread_augment(
  source anyelement,
  label text DEFAULT NULL,
  domain text DEFAULT NULL,
  user_id text DEFAULT NULL,
  item_id text DEFAULT NULL,
  split text DEFAULT NULL,
  features text[] DEFAULT NULL,
  options jsonb DEFAULT '{}')
RETURNS SETOF anyelement
LANGUAGE C STABLE PARALLEL UNSAFE COST 100000 ROWS 10000
AS 'MODULE_PATHNAME', 'aread_augment';
COMMENT ON FUNCTION @extschema@.aread_augment(anyelement, text, text, text, text, text, text[], jsonb) IS
'counterfactual rows for the minor domains of a table, called as aread_augment(NULL::table): copies of positive training rows of unpopular items in major domains, with a minor domain in place of theirs and all other columns, keys and generated ones too, as they were; as many as aread_augment_plan says, drawn with replacement and weight 1 / popularity, none for a domain that holds the pair of user and item as a negative training row; registration and options are those of aread_train, whose mask search adds the same rows, unless these go by the network''s scores (option popularity), which are not known here; nothing is sampled here, so option negatives only lets a table without a label count as positive';

CREATE FUNCTION @extschema@.aread_popularity(
  source regclass,
  label text DEFAULT NULL,
  domain text DEFAULT NULL,
  user_id text DEFAULT NULL,
  item_id text DEFAULT NULL,
  split text DEFAULT NULL,
  features text[] DEFAULT NULL,
  options jsonb DEFAULT '{}',
  OUT item text,
  OUT rows bigint,
  OUT positives bigint,
  OUT popularity float8,
  OUT unpopular boolean)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL UNSAFE COST 100000 ROWS 10000
AS 'MODULE_PATHNAME', 'aread_popularity';
COMMENT ON FUNCTION @extschema@.aread_popularity(regclass, text, text, text, text, text, text[], jsonb) IS
'popularity of each item over the training rows of a table, by count or rate (option popularity), and whether augmentation takes it for unpopular; items with fewer rows than option min_count are left out, of hashed ones a row is a bucket and the item NULL';

CREATE FUNCTION @extschema@.aread_augment_plan(
  source regclass,
  label text DEFAULT NULL,
  domain text DEFAULT NULL,
  user_id text DEFAULT NULL,
  item_id text DEFAULT NULL,
  split text DEFAULT NULL,
  features text[] DEFAULT NULL,
  options jsonb DEFAULT '{}',
  OUT domain text,
  OUT rows bigint,
  OUT minor boolean,
  OUT major boolean,
  OUT rows_to_add bigint)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL UNSAFE COST 100000 ROWS 100
AS 'MODULE_PATHNAME', 'aread_augment_plan';
COMMENT ON FUNCTION @extschema@.aread_augment_plan(regclass, text, text, text, text, text, text[], jsonb) IS
'training rows of each domain of a table, whether it is minor or major, and how many rows augmentation is to add; a domain that rejects every row gets none';

--
-- Evaluation
--

CREATE FUNCTION @extschema@.aread_evaluate(
  model text,
  source regclass,
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
  OUT log_loss float8,
  OUT user_auc float8,
  OUT user_auc_rows bigint,
  OUT ndcg_10 float8,
  OUT ndcg_10_rows bigint)
RETURNS record
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_evaluate';
COMMENT ON FUNCTION @extschema@.aread_evaluate(text, regclass) IS
'measures of a model over all rows of a table with its label and feature columns, each with the rows behind it; user_auc is each user''s AUC, weighted by his rows, ndcg_10 the mean of NDCG@10 over users with a positive row; NULL: one class only, of these also users unknown; for a model trained without a label, the one registered for the table or the column label; labels are to be coded as in training, and a WARNING tells if most rows were trained on';

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
  OUT log_loss float8,
  OUT user_auc float8,
  OUT user_auc_rows bigint,
  OUT ndcg_10 float8,
  OUT ndcg_10_rows bigint)
RETURNS record
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_evaluate';
COMMENT ON FUNCTION @extschema@.aread_evaluate(text, regclass, text) IS
'the same over the rows of one split, train, valid or test, as aread_split tells it';

CREATE FUNCTION @extschema@.aread_evaluate_domains(
  model text,
  source regclass,
  OUT domain text,
  OUT rows bigint,
  OUT positives bigint,
  OUT auc float8,
  OUT log_loss float8,
  OUT train_rows bigint)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_evaluate_domains';
COMMENT ON FUNCTION @extschema@.aread_evaluate_domains(text, regclass) IS
'the same domain by domain; domain NULL: rows of domains never seen in training';

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

CREATE FUNCTION @extschema@.aread_evaluate_ranking(
  model text,
  source regclass,
  split text DEFAULT 'test',
  max_lists integer DEFAULT 2000,
  seed bigint DEFAULT 1,
  OUT candidates text,
  OUT lists bigint,
  OUT items float8,
  OUT ndcg float8,
  OUT hit_rate float8,
  OUT mrr float8)
RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_evaluate_ranking';
COMMENT ON FUNCTION @extschema@.aread_evaluate_ranking(text, regclass, text, integer, bigint) IS
'how high a model ranks the item of each positive row of a split, as aread_split tells it, among other items of its domain that the user took in no row of the table: up to 100 drawn uniformly, up to 100 drawn as often as they were taken, and, in domains of at most 10,000, all; items are those of positive training rows, and rows with another item have no list; measures are means over lists: NDCG of the first 10, the share with the item among the first 10, and 1 / rank, of equal scores each order being as likely; of more positive rows than max_lists so many are chosen, and lists of all items are as many as have 250 times max_lists rows; split NULL: all rows are ranked, and say what items there are';

CREATE FUNCTION @extschema@.aread_split(model text, features record)
RETURNS text
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 5000
AS 'MODULE_PATHNAME', 'aread_split';
COMMENT ON FUNCTION @extschema@.aread_split(text, record) IS
'the split of a row in the model''s training: train, valid or test; by hash it is told by the model''s features, which the row must have, by order and by name by the split column; of a row that was not there, the split it would have had; NULL: training left such rows out, for want of label, domain or split';

--
-- Measures: aggregates over scores of any kind.  Rows with NULL score, label or
-- group are left out.  The overloads take labels of every number type.
--

CREATE TYPE aread.calibration_bin AS (
  bin integer,
  rows bigint,
  positives bigint,
  lowest float8,
  highest float8,
  mean_score float8,
  positive_rate float8);
COMMENT ON TYPE aread.calibration_bin IS 'rows whose scores are near each other, from aread_calibration';
COMMENT ON COLUMN aread.calibration_bin.bin IS 'from 1, by ascending score';
COMMENT ON COLUMN aread.calibration_bin.rows IS 'how many';
COMMENT ON COLUMN aread.calibration_bin.positives IS 'rows with label 1 among them';
COMMENT ON COLUMN aread.calibration_bin.lowest IS 'lowest score';
COMMENT ON COLUMN aread.calibration_bin.highest IS 'highest score';
COMMENT ON COLUMN aread.calibration_bin.mean_score IS 'mean score: what the model expects';
COMMENT ON COLUMN aread.calibration_bin.positive_rate IS 'share of positives: what became of it';

-- What the aggregates consist of.
CREATE FUNCTION aread.scores_combine(state bytea, other bytea)
RETURNS bytea
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_scores_combine';
COMMENT ON FUNCTION aread.scores_combine(bytea, bytea) IS 'part of the aggregates that keep scores and labels: two states as one';

CREATE FUNCTION aread.auc_add(state bytea, score float8, label "any")
RETURNS bytea
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_auc_add';
COMMENT ON FUNCTION aread.auc_add(bytea, float8, "any") IS 'part of aread_auc, aread_reciprocal_rank and aread_average_precision: a row';

CREATE FUNCTION aread.auc_result(state bytea)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_auc_result';
COMMENT ON FUNCTION aread.auc_result(bytea) IS 'part of aread_auc: the result';

CREATE FUNCTION aread.log_loss_add(state bytea, score float8, label "any")
RETURNS bytea
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_log_loss_add';
COMMENT ON FUNCTION aread.log_loss_add(bytea, float8, "any") IS 'part of aread_log_loss: a row';

CREATE FUNCTION aread.log_loss_combine(state bytea, other bytea)
RETURNS bytea
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_log_loss_combine';
COMMENT ON FUNCTION aread.log_loss_combine(bytea, bytea) IS 'part of aread_log_loss and aread_novelty: two states as one';

CREATE FUNCTION aread.log_loss_result(state bytea)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_log_loss_result';
COMMENT ON FUNCTION aread.log_loss_result(bytea) IS 'part of aread_log_loss and aread_novelty: the result';

CREATE FUNCTION aread.grouped_auc_add(state bytea, score float8, label "any", "group" "any")
RETURNS bytea
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_grouped_auc_add';
COMMENT ON FUNCTION aread.grouped_auc_add(bytea, float8, "any", "any") IS 'part of aread_domain_auc and aread_grouped_auc: a row';

CREATE FUNCTION aread.grouped_auc_combine(state bytea, other bytea)
RETURNS bytea
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_grouped_auc_combine';
COMMENT ON FUNCTION aread.grouped_auc_combine(bytea, bytea) IS 'part of aread_domain_auc, aread_grouped_auc, aread_coverage and aread_personalization: two states as one';

CREATE FUNCTION aread.grouped_auc_result(state bytea)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_grouped_auc_result';
COMMENT ON FUNCTION aread.grouped_auc_result(bytea) IS 'part of aread_domain_auc and aread_grouped_auc: the result';

CREATE FUNCTION aread.ndcg_add(state bytea, score float8, label "any", k integer)
RETURNS bytea
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_ndcg_add';
COMMENT ON FUNCTION aread.ndcg_add(bytea, float8, "any", integer) IS 'part of aread_ndcg: a row';

CREATE FUNCTION aread.ndcg_result(state bytea)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_ndcg_result';
COMMENT ON FUNCTION aread.ndcg_result(bytea) IS 'part of aread_ndcg: the result';

CREATE FUNCTION aread.recall_add(state bytea, score float8, label "any", k integer)
RETURNS bytea
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_recall_add';
COMMENT ON FUNCTION aread.recall_add(bytea, float8, "any", integer) IS 'part of aread_recall, aread_precision, aread_hit_rate and aread_average_precision: a row';

CREATE FUNCTION aread.recall_result(state bytea)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_recall_result';
COMMENT ON FUNCTION aread.recall_result(bytea) IS 'part of aread_recall: the result';

CREATE FUNCTION aread.precision_result(state bytea)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_precision_result';
COMMENT ON FUNCTION aread.precision_result(bytea) IS 'part of aread_precision: the result';

CREATE FUNCTION aread.hit_rate_result(state bytea)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_hit_rate_result';
COMMENT ON FUNCTION aread.hit_rate_result(bytea) IS 'part of aread_hit_rate: the result';

CREATE FUNCTION aread.average_precision_result(state bytea)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_average_precision_result';
COMMENT ON FUNCTION aread.average_precision_result(bytea) IS 'part of aread_average_precision with k: the result';

CREATE FUNCTION aread.average_precision_all_result(state bytea)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_average_precision_all_result';
COMMENT ON FUNCTION aread.average_precision_all_result(bytea) IS 'part of aread_average_precision without k: the result';

CREATE FUNCTION aread.reciprocal_rank_result(state bytea)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_reciprocal_rank_result';
COMMENT ON FUNCTION aread.reciprocal_rank_result(bytea) IS 'part of aread_reciprocal_rank: the result';

CREATE FUNCTION aread.novelty_add(state bytea, share float8)
RETURNS bytea
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_novelty_add';
COMMENT ON FUNCTION aread.novelty_add(bytea, float8) IS 'part of aread_novelty: a row';

CREATE FUNCTION aread.coverage_add(state bytea, list anyarray, catalogue bigint)
RETURNS bytea
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_coverage_add';
COMMENT ON FUNCTION aread.coverage_add(bytea, anyarray, bigint) IS 'part of aread_coverage: a list';

CREATE FUNCTION aread.coverage_result(state bytea)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_coverage_result';
COMMENT ON FUNCTION aread.coverage_result(bytea) IS 'part of aread_coverage: the result';

CREATE FUNCTION aread.personalization_add(state bytea, list anyarray)
RETURNS bytea
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_personalization_add';
COMMENT ON FUNCTION aread.personalization_add(bytea, anyarray) IS 'part of aread_personalization: a list';

CREATE FUNCTION aread.personalization_result(state bytea)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_personalization_result';
COMMENT ON FUNCTION aread.personalization_result(bytea) IS 'part of aread_personalization: the result';

CREATE FUNCTION aread.calibration_add(state bytea, score float8, label "any", bins integer)
RETURNS bytea
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_calibration_add';
COMMENT ON FUNCTION aread.calibration_add(bytea, float8, "any", integer) IS 'part of aread_calibration: a row';

CREATE FUNCTION aread.calibration_add(state bytea, score float8, label "any", bins integer, strategy text)
RETURNS bytea
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_calibration_add';
COMMENT ON FUNCTION aread.calibration_add(bytea, float8, "any", integer, text) IS 'part of aread_calibration: a row';

CREATE FUNCTION aread.calibration_result(state bytea)
RETURNS aread.calibration_bin[]
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_calibration_result';
COMMENT ON FUNCTION aread.calibration_result(bytea) IS 'part of aread_calibration: the result';

CREATE AGGREGATE @extschema@.aread_auc(score float8, label boolean) (
  SFUNC = aread.auc_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.auc_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_auc(score float8, label integer) (
  SFUNC = aread.auc_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.auc_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_auc(score float8, label float8) (
  SFUNC = aread.auc_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.auc_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_auc(float8, boolean) IS
'probability that a row with label 1 has a higher score than one with label 0, equal scores one half; NULL: one class only';
COMMENT ON AGGREGATE @extschema@.aread_auc(float8, integer) IS
'probability that a row with label 1 has a higher score than one with label 0, equal scores one half; NULL: one class only';
COMMENT ON AGGREGATE @extschema@.aread_auc(float8, float8) IS
'probability that a row with label 1 has a higher score than one with label 0, equal scores one half; NULL: one class only';

CREATE AGGREGATE @extschema@.aread_log_loss(score float8, label boolean) (
  SFUNC = aread.log_loss_add, STYPE = bytea, COMBINEFUNC = aread.log_loss_combine,
  FINALFUNC = aread.log_loss_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_log_loss(score float8, label integer) (
  SFUNC = aread.log_loss_add, STYPE = bytea, COMBINEFUNC = aread.log_loss_combine,
  FINALFUNC = aread.log_loss_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_log_loss(score float8, label float8) (
  SFUNC = aread.log_loss_add, STYPE = bytea, COMBINEFUNC = aread.log_loss_combine,
  FINALFUNC = aread.log_loss_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_log_loss(float8, boolean) IS
'mean of -ln(probability of the label), probabilities kept within [2^-52, 1 - 2^-52] as scikit-learn does; NULL: no rows';
COMMENT ON AGGREGATE @extschema@.aread_log_loss(float8, integer) IS
'mean of -ln(probability of the label), probabilities kept within [2^-52, 1 - 2^-52] as scikit-learn does; NULL: no rows';
COMMENT ON AGGREGATE @extschema@.aread_log_loss(float8, float8) IS
'mean of -ln(probability of the label), probabilities kept within [2^-52, 1 - 2^-52] as scikit-learn does; NULL: no rows';

CREATE AGGREGATE @extschema@.aread_domain_auc(score float8, label boolean, domain text) (
  SFUNC = aread.grouped_auc_add, STYPE = bytea, COMBINEFUNC = aread.grouped_auc_combine,
  FINALFUNC = aread.grouped_auc_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_domain_auc(score float8, label integer, domain text) (
  SFUNC = aread.grouped_auc_add, STYPE = bytea, COMBINEFUNC = aread.grouped_auc_combine,
  FINALFUNC = aread.grouped_auc_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_domain_auc(score float8, label float8, domain text) (
  SFUNC = aread.grouped_auc_add, STYPE = bytea, COMBINEFUNC = aread.grouped_auc_combine,
  FINALFUNC = aread.grouped_auc_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_domain_auc(float8, boolean, text) IS
'each domain''s AUC, weighted by its rows; domains of one class are left out; NULL: no other';
COMMENT ON AGGREGATE @extschema@.aread_domain_auc(float8, integer, text) IS
'each domain''s AUC, weighted by its rows; domains of one class are left out; NULL: no other';
COMMENT ON AGGREGATE @extschema@.aread_domain_auc(float8, float8, text) IS
'each domain''s AUC, weighted by its rows; domains of one class are left out; NULL: no other';

CREATE AGGREGATE @extschema@.aread_domain_auc(score float8, label boolean, domain anynonarray) (
  SFUNC = aread.grouped_auc_add, STYPE = bytea, COMBINEFUNC = aread.grouped_auc_combine,
  FINALFUNC = aread.grouped_auc_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_domain_auc(score float8, label integer, domain anynonarray) (
  SFUNC = aread.grouped_auc_add, STYPE = bytea, COMBINEFUNC = aread.grouped_auc_combine,
  FINALFUNC = aread.grouped_auc_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_domain_auc(score float8, label float8, domain anynonarray) (
  SFUNC = aread.grouped_auc_add, STYPE = bytea, COMBINEFUNC = aread.grouped_auc_combine,
  FINALFUNC = aread.grouped_auc_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_domain_auc(float8, boolean, anynonarray) IS
'each domain''s AUC, weighted by its rows; domains of one class are left out; NULL: no other';
COMMENT ON AGGREGATE @extschema@.aread_domain_auc(float8, integer, anynonarray) IS
'each domain''s AUC, weighted by its rows; domains of one class are left out; NULL: no other';
COMMENT ON AGGREGATE @extschema@.aread_domain_auc(float8, float8, anynonarray) IS
'each domain''s AUC, weighted by its rows; domains of one class are left out; NULL: no other';

CREATE AGGREGATE @extschema@.aread_grouped_auc(score float8, label boolean, "group" text) (
  SFUNC = aread.grouped_auc_add, STYPE = bytea, COMBINEFUNC = aread.grouped_auc_combine,
  FINALFUNC = aread.grouped_auc_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_grouped_auc(score float8, label integer, "group" text) (
  SFUNC = aread.grouped_auc_add, STYPE = bytea, COMBINEFUNC = aread.grouped_auc_combine,
  FINALFUNC = aread.grouped_auc_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_grouped_auc(score float8, label float8, "group" text) (
  SFUNC = aread.grouped_auc_add, STYPE = bytea, COMBINEFUNC = aread.grouped_auc_combine,
  FINALFUNC = aread.grouped_auc_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_grouped_auc(float8, boolean, text) IS
'each group''s AUC, weighted by its rows, as of users (GAUC), told apart by their values as text; groups of one class are left out; NULL: no other';
COMMENT ON AGGREGATE @extschema@.aread_grouped_auc(float8, integer, text) IS
'each group''s AUC, weighted by its rows, as of users (GAUC), told apart by their values as text; groups of one class are left out; NULL: no other';
COMMENT ON AGGREGATE @extschema@.aread_grouped_auc(float8, float8, text) IS
'each group''s AUC, weighted by its rows, as of users (GAUC), told apart by their values as text; groups of one class are left out; NULL: no other';

CREATE AGGREGATE @extschema@.aread_grouped_auc(score float8, label boolean, "group" anynonarray) (
  SFUNC = aread.grouped_auc_add, STYPE = bytea, COMBINEFUNC = aread.grouped_auc_combine,
  FINALFUNC = aread.grouped_auc_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_grouped_auc(score float8, label integer, "group" anynonarray) (
  SFUNC = aread.grouped_auc_add, STYPE = bytea, COMBINEFUNC = aread.grouped_auc_combine,
  FINALFUNC = aread.grouped_auc_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_grouped_auc(score float8, label float8, "group" anynonarray) (
  SFUNC = aread.grouped_auc_add, STYPE = bytea, COMBINEFUNC = aread.grouped_auc_combine,
  FINALFUNC = aread.grouped_auc_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_grouped_auc(float8, boolean, anynonarray) IS
'each group''s AUC, weighted by its rows, as of users (GAUC), told apart by their values as text; groups of one class are left out; NULL: no other';
COMMENT ON AGGREGATE @extschema@.aread_grouped_auc(float8, integer, anynonarray) IS
'each group''s AUC, weighted by its rows, as of users (GAUC), told apart by their values as text; groups of one class are left out; NULL: no other';
COMMENT ON AGGREGATE @extschema@.aread_grouped_auc(float8, float8, anynonarray) IS
'each group''s AUC, weighted by its rows, as of users (GAUC), told apart by their values as text; groups of one class are left out; NULL: no other';

CREATE AGGREGATE @extschema@.aread_ndcg(score float8, label boolean, k integer) (
  SFUNC = aread.ndcg_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.ndcg_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_ndcg(score float8, label integer, k integer) (
  SFUNC = aread.ndcg_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.ndcg_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_ndcg(score float8, label float8, k integer) (
  SFUNC = aread.ndcg_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.ndcg_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_ndcg(float8, boolean, integer) IS
'normalized discounted cumulative gain of the k rows of highest score (NULL: of all), the label being the gain; equal scores in any order, on average; NULL: no gain; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_ndcg(float8, integer, integer) IS
'normalized discounted cumulative gain of the k rows of highest score (NULL: of all), the label being the gain; equal scores in any order, on average; NULL: no gain; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_ndcg(float8, float8, integer) IS
'normalized discounted cumulative gain of the k rows of highest score (NULL: of all), the label being the gain; equal scores in any order, on average; NULL: no gain; for each list its own, group by user';

CREATE AGGREGATE @extschema@.aread_recall(score float8, label boolean, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.recall_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_recall(score float8, label integer, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.recall_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_recall(score float8, label float8, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.recall_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_recall(float8, boolean, integer) IS
'share of the positive rows that are among the k of highest score (NULL: all); equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_recall(float8, integer, integer) IS
'share of the positive rows that are among the k of highest score (NULL: all); equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_recall(float8, float8, integer) IS
'share of the positive rows that are among the k of highest score (NULL: all); equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';

CREATE AGGREGATE @extschema@.aread_precision(score float8, label boolean, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.precision_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_precision(score float8, label integer, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.precision_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_precision(score float8, label float8, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.precision_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_precision(float8, boolean, integer) IS
'share of positive rows among the k of highest score (NULL: all), of k even where there are fewer rows; equal scores in any order, on average; NULL: no rows; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_precision(float8, integer, integer) IS
'share of positive rows among the k of highest score (NULL: all), of k even where there are fewer rows; equal scores in any order, on average; NULL: no rows; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_precision(float8, float8, integer) IS
'share of positive rows among the k of highest score (NULL: all), of k even where there are fewer rows; equal scores in any order, on average; NULL: no rows; for each list its own, group by user';

CREATE AGGREGATE @extschema@.aread_hit_rate(score float8, label boolean, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.hit_rate_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_hit_rate(score float8, label integer, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.hit_rate_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_hit_rate(score float8, label float8, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.hit_rate_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_hit_rate(float8, boolean, integer) IS
'1 if there is a positive row among the k of highest score (NULL: all), else 0; equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_hit_rate(float8, integer, integer) IS
'1 if there is a positive row among the k of highest score (NULL: all), else 0; equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_hit_rate(float8, float8, integer) IS
'1 if there is a positive row among the k of highest score (NULL: all), else 0; equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';

CREATE AGGREGATE @extschema@.aread_average_precision(score float8, label boolean) (
  SFUNC = aread.auc_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.average_precision_all_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_average_precision(score float8, label integer) (
  SFUNC = aread.auc_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.average_precision_all_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_average_precision(score float8, label float8) (
  SFUNC = aread.auc_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.average_precision_all_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_average_precision(float8, boolean) IS
'mean over the positive rows of the precision of the list down to each (MAP is the mean over lists); equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_average_precision(float8, integer) IS
'mean over the positive rows of the precision of the list down to each (MAP is the mean over lists); equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_average_precision(float8, float8) IS
'mean over the positive rows of the precision of the list down to each (MAP is the mean over lists); equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';

CREATE AGGREGATE @extschema@.aread_average_precision(score float8, label boolean, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.average_precision_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_average_precision(score float8, label integer, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.average_precision_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_average_precision(score float8, label float8, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.average_precision_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_average_precision(float8, boolean, integer) IS
'sum over the positive rows among the k of highest score (NULL: all) of the precision down to each, over the number of positive rows, or k if that is less; equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_average_precision(float8, integer, integer) IS
'sum over the positive rows among the k of highest score (NULL: all) of the precision down to each, over the number of positive rows, or k if that is less; equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_average_precision(float8, float8, integer) IS
'sum over the positive rows among the k of highest score (NULL: all) of the precision down to each, over the number of positive rows, or k if that is less; equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';

CREATE AGGREGATE @extschema@.aread_reciprocal_rank(score float8, label boolean) (
  SFUNC = aread.auc_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.reciprocal_rank_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_reciprocal_rank(score float8, label integer) (
  SFUNC = aread.auc_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.reciprocal_rank_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_reciprocal_rank(score float8, label float8) (
  SFUNC = aread.auc_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.reciprocal_rank_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_reciprocal_rank(float8, boolean) IS
'1 over the rank of the first positive row (MRR is the mean over lists); equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_reciprocal_rank(float8, integer) IS
'1 over the rank of the first positive row (MRR is the mean over lists); equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_reciprocal_rank(float8, float8) IS
'1 over the rank of the first positive row (MRR is the mean over lists); equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';

CREATE AGGREGATE @extschema@.aread_coverage(list anyarray, catalogue bigint) (
  SFUNC = aread.coverage_add, STYPE = bytea, COMBINEFUNC = aread.grouped_auc_combine,
  FINALFUNC = aread.coverage_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_coverage(anyarray, bigint) IS
'share of a catalogue of so many items that is in any list of recommendations, a list being an array of items; NULL: no list; memory grows with the items of all lists, up to 1 GB';
CREATE AGGREGATE @extschema@.aread_personalization(list anyarray) (
  SFUNC = aread.personalization_add, STYPE = bytea, COMBINEFUNC = aread.grouped_auc_combine,
  FINALFUNC = aread.personalization_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_personalization(anyarray) IS
'mean distance of the lists of recommendations of two users, a list being an array of items: 1 less the items that they share over the root of their lengths'' product, over all pairs, in linear time; 0: all lists are alike, 1: none share an item; repeated items count once, and empty lists not at all; NULL: fewer than 2 lists; memory grows with the items of all lists, up to 1 GB';
CREATE AGGREGATE @extschema@.aread_novelty(share float8) (
  SFUNC = aread.novelty_add, STYPE = bytea, COMBINEFUNC = aread.log_loss_combine,
  FINALFUNC = aread.log_loss_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_novelty(float8) IS
'mean of -log2 of what share of the training rows each recommended item has, above 0 and up to 1: how little known the recommended items are, in bits; NULL: no rows';

CREATE AGGREGATE @extschema@.aread_calibration(score float8, label boolean, bins integer) (
  SFUNC = aread.calibration_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.calibration_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_calibration(score float8, label integer, bins integer) (
  SFUNC = aread.calibration_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.calibration_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_calibration(score float8, label float8, bins integer) (
  SFUNC = aread.calibration_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.calibration_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_calibration(float8, boolean, integer) IS
'positives beside mean scores in bins of about as many rows each; rows of equal score are in one bin, bins without rows left out; unnest makes it a table; NULL: no rows';
COMMENT ON AGGREGATE @extschema@.aread_calibration(float8, integer, integer) IS
'positives beside mean scores in bins of about as many rows each; rows of equal score are in one bin, bins without rows left out; unnest makes it a table; NULL: no rows';
COMMENT ON AGGREGATE @extschema@.aread_calibration(float8, float8, integer) IS
'positives beside mean scores in bins of about as many rows each; rows of equal score are in one bin, bins without rows left out; unnest makes it a table; NULL: no rows';

CREATE AGGREGATE @extschema@.aread_calibration(score float8, label boolean, bins integer, strategy text) (
  SFUNC = aread.calibration_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.calibration_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_calibration(score float8, label integer, bins integer, strategy text) (
  SFUNC = aread.calibration_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.calibration_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_calibration(score float8, label float8, bins integer, strategy text) (
  SFUNC = aread.calibration_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.calibration_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_calibration(float8, boolean, integer, text) IS
'positives beside mean scores in bins of about as many rows each (quantile) or of the same width (uniform); rows of equal score are in one bin, bins without rows left out; unnest makes it a table; NULL: no rows';
COMMENT ON AGGREGATE @extschema@.aread_calibration(float8, integer, integer, text) IS
'positives beside mean scores in bins of about as many rows each (quantile) or of the same width (uniform); rows of equal score are in one bin, bins without rows left out; unnest makes it a table; NULL: no rows';
COMMENT ON AGGREGATE @extschema@.aread_calibration(float8, float8, integer, text) IS
'positives beside mean scores in bins of about as many rows each (quantile) or of the same width (uniform); rows of equal score are in one bin, bins without rows left out; unnest makes it a table; NULL: no rows';

CREATE FUNCTION @extschema@.aread_drift(
  model text,
  source regclass,
  OUT feature text,
  OUT domain text,
  OUT rows bigint,
  OUT unseen bigint,
  OUT rare bigint,
  OUT missing bigint,
  OUT unseen_share float8)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_drift';
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
-- Scoring.  The overloads make a row, JSON and a bare literal work as features,
-- and text, literals and every other plain type as the domain.  The cost is in
-- units of about 10 ns.
--

CREATE FUNCTION aread.predict_support(internal)
RETURNS internal
LANGUAGE C STRICT
AS 'MODULE_PATHNAME', 'aread_predict_support';

COMMENT ON FUNCTION aread.predict_support(internal) IS
'planner support: tells the executor which calls it can batch';

CREATE FUNCTION @extschema@.aread_predict(model text, features record, domain text)
RETURNS float8
LANGUAGE C STABLE PARALLEL SAFE COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_record';

CREATE FUNCTION @extschema@.aread_predict(model text, features record, domain anynonarray)
RETURNS float8
LANGUAGE C STABLE PARALLEL SAFE COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_record';

CREATE FUNCTION @extschema@.aread_predict(model text, features record)
RETURNS float8
LANGUAGE C STABLE PARALLEL SAFE COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_record';

CREATE FUNCTION @extschema@.aread_predict(model text, features jsonb, domain text)
RETURNS float8
LANGUAGE C STABLE PARALLEL SAFE COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_jsonb';

CREATE FUNCTION @extschema@.aread_predict(model text, features jsonb, domain anynonarray)
RETURNS float8
LANGUAGE C STABLE PARALLEL SAFE COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_jsonb';

CREATE FUNCTION @extschema@.aread_predict(model text, features jsonb)
RETURNS float8
LANGUAGE C STABLE PARALLEL SAFE COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_jsonb';

CREATE FUNCTION @extschema@.aread_predict(model text, features json, domain text)
RETURNS float8
LANGUAGE C STABLE PARALLEL SAFE COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_json';

CREATE FUNCTION @extschema@.aread_predict(model text, features json, domain anynonarray)
RETURNS float8
LANGUAGE C STABLE PARALLEL SAFE COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_json';

CREATE FUNCTION @extschema@.aread_predict(model text, features json)
RETURNS float8
LANGUAGE C STABLE PARALLEL SAFE COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_json';

CREATE FUNCTION @extschema@.aread_predict(model text, features text, domain text)
RETURNS float8
LANGUAGE C STABLE PARALLEL SAFE COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_json';

CREATE FUNCTION @extschema@.aread_predict(model text, features text, domain anynonarray)
RETURNS float8
LANGUAGE C STABLE PARALLEL SAFE COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_json';

CREATE FUNCTION @extschema@.aread_predict(model text, features text)
RETURNS float8
LANGUAGE C STABLE PARALLEL SAFE COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_json';

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

CREATE FUNCTION @extschema@.aread_predict(model text, features record, domain text, history regclass)
RETURNS float8
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_record';

CREATE FUNCTION @extschema@.aread_predict(model text, features record, domain anynonarray, history regclass)
RETURNS float8
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_record';

CREATE FUNCTION @extschema@.aread_predict(model text, features jsonb, domain text, history regclass)
RETURNS float8
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_jsonb';

CREATE FUNCTION @extschema@.aread_predict(model text, features jsonb, domain anynonarray, history regclass)
RETURNS float8
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_jsonb';

CREATE FUNCTION @extschema@.aread_predict(model text, features json, domain text, history regclass)
RETURNS float8
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_json';

CREATE FUNCTION @extschema@.aread_predict(model text, features json, domain anynonarray, history regclass)
RETURNS float8
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_json';

CREATE FUNCTION @extschema@.aread_predict(model text, features text, domain text, history regclass)
RETURNS float8
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_json';

CREATE FUNCTION @extschema@.aread_predict(model text, features text, domain anynonarray, history regclass)
RETURNS float8
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_json';

COMMENT ON FUNCTION @extschema@.aread_predict(text, record, text, regclass) IS
'probability of a positive label under the deployed version of a model, for one row, whose user''s history is read from a relation, with the caller''s rights, once for each user of a query; features by column name: missing ones count as NULL, as aread.missing_features has it told, and a name that two columns have is an error; the domain as third argument; NULL for a NULL model or NULL features; a NULL history is the one that the model keeps';
COMMENT ON FUNCTION @extschema@.aread_predict(text, record, anynonarray, regclass) IS
'probability of a positive label under the deployed version of a model, for one row, whose user''s history is read from a relation, with the caller''s rights, once for each user of a query; features by column name: missing ones count as NULL, as aread.missing_features has it told, and a name that two columns have is an error; the domain as third argument, of any plain type; NULL for a NULL model or NULL features; a NULL history is the one that the model keeps';
COMMENT ON FUNCTION @extschema@.aread_predict(text, jsonb, text, regclass) IS
'probability of a positive label under the deployed version of a model, for one row, whose user''s history is read from a relation, with the caller''s rights, once for each user of a query; features by key: missing ones count as NULL, as aread.missing_features has it told; the domain as third argument; NULL for a NULL model or NULL features; a NULL history is the one that the model keeps';
COMMENT ON FUNCTION @extschema@.aread_predict(text, jsonb, anynonarray, regclass) IS
'probability of a positive label under the deployed version of a model, for one row, whose user''s history is read from a relation, with the caller''s rights, once for each user of a query; features by key: missing ones count as NULL, as aread.missing_features has it told; the domain as third argument, of any plain type; NULL for a NULL model or NULL features; a NULL history is the one that the model keeps';
COMMENT ON FUNCTION @extschema@.aread_predict(text, json, text, regclass) IS
'probability of a positive label under the deployed version of a model, for one row, whose user''s history is read from a relation, with the caller''s rights, once for each user of a query; features by key: missing ones count as NULL, as aread.missing_features has it told, and a key that is there twice is an error; the domain as third argument; NULL for a NULL model or NULL features; a NULL history is the one that the model keeps';
COMMENT ON FUNCTION @extschema@.aread_predict(text, json, anynonarray, regclass) IS
'probability of a positive label under the deployed version of a model, for one row, whose user''s history is read from a relation, with the caller''s rights, once for each user of a query; features by key: missing ones count as NULL, as aread.missing_features has it told, and a key that is there twice is an error; the domain as third argument, of any plain type; NULL for a NULL model or NULL features; a NULL history is the one that the model keeps';
COMMENT ON FUNCTION @extschema@.aread_predict(text, text, text, regclass) IS
'probability of a positive label under the deployed version of a model, for one row, whose user''s history is read from a relation, with the caller''s rights, once for each user of a query; features a JSON object: missing ones count as NULL, as aread.missing_features has it told, and a key that is there twice is an error; the domain as third argument; NULL for a NULL model or NULL features; a NULL history is the one that the model keeps';
COMMENT ON FUNCTION @extschema@.aread_predict(text, text, anynonarray, regclass) IS
'probability of a positive label under the deployed version of a model, for one row, whose user''s history is read from a relation, with the caller''s rights, once for each user of a query; features a JSON object: missing ones count as NULL, as aread.missing_features has it told, and a key that is there twice is an error; the domain as third argument, of any plain type; NULL for a NULL model or NULL features; a NULL history is the one that the model keeps';

--
-- Explaining.  Overloads as those of aread_predict.
--

CREATE FUNCTION @extschema@.aread_explain(
  model text,
  features record,
  domain text,
  OUT part text,
  OUT layer integer,
  OUT expert integer,
  OUT lower_expert integer,
  OUT feature text,
  OUT value text,
  OUT status text,
  OUT gate float8,
  OUT logit float8,
  OUT probability float8,
  OUT share float8,
  OUT effect float8)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 20000 ROWS 100
AS 'MODULE_PATHNAME', 'aread_explain_record';

CREATE FUNCTION @extschema@.aread_explain(
  model text,
  features record,
  domain anynonarray,
  OUT part text,
  OUT layer integer,
  OUT expert integer,
  OUT lower_expert integer,
  OUT feature text,
  OUT value text,
  OUT status text,
  OUT gate float8,
  OUT logit float8,
  OUT probability float8,
  OUT share float8,
  OUT effect float8)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 20000 ROWS 100
AS 'MODULE_PATHNAME', 'aread_explain_record';

CREATE FUNCTION @extschema@.aread_explain(
  model text,
  features record,
  OUT part text,
  OUT layer integer,
  OUT expert integer,
  OUT lower_expert integer,
  OUT feature text,
  OUT value text,
  OUT status text,
  OUT gate float8,
  OUT logit float8,
  OUT probability float8,
  OUT share float8,
  OUT effect float8)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 20000 ROWS 100
AS 'MODULE_PATHNAME', 'aread_explain_record';

CREATE FUNCTION @extschema@.aread_explain(
  model text,
  features jsonb,
  domain text,
  OUT part text,
  OUT layer integer,
  OUT expert integer,
  OUT lower_expert integer,
  OUT feature text,
  OUT value text,
  OUT status text,
  OUT gate float8,
  OUT logit float8,
  OUT probability float8,
  OUT share float8,
  OUT effect float8)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 20000 ROWS 100
AS 'MODULE_PATHNAME', 'aread_explain_jsonb';

CREATE FUNCTION @extschema@.aread_explain(
  model text,
  features jsonb,
  domain anynonarray,
  OUT part text,
  OUT layer integer,
  OUT expert integer,
  OUT lower_expert integer,
  OUT feature text,
  OUT value text,
  OUT status text,
  OUT gate float8,
  OUT logit float8,
  OUT probability float8,
  OUT share float8,
  OUT effect float8)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 20000 ROWS 100
AS 'MODULE_PATHNAME', 'aread_explain_jsonb';

CREATE FUNCTION @extschema@.aread_explain(
  model text,
  features jsonb,
  OUT part text,
  OUT layer integer,
  OUT expert integer,
  OUT lower_expert integer,
  OUT feature text,
  OUT value text,
  OUT status text,
  OUT gate float8,
  OUT logit float8,
  OUT probability float8,
  OUT share float8,
  OUT effect float8)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 20000 ROWS 100
AS 'MODULE_PATHNAME', 'aread_explain_jsonb';

CREATE FUNCTION @extschema@.aread_explain(
  model text,
  features json,
  domain text,
  OUT part text,
  OUT layer integer,
  OUT expert integer,
  OUT lower_expert integer,
  OUT feature text,
  OUT value text,
  OUT status text,
  OUT gate float8,
  OUT logit float8,
  OUT probability float8,
  OUT share float8,
  OUT effect float8)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 20000 ROWS 100
AS 'MODULE_PATHNAME', 'aread_explain_json';

CREATE FUNCTION @extschema@.aread_explain(
  model text,
  features json,
  domain anynonarray,
  OUT part text,
  OUT layer integer,
  OUT expert integer,
  OUT lower_expert integer,
  OUT feature text,
  OUT value text,
  OUT status text,
  OUT gate float8,
  OUT logit float8,
  OUT probability float8,
  OUT share float8,
  OUT effect float8)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 20000 ROWS 100
AS 'MODULE_PATHNAME', 'aread_explain_json';

CREATE FUNCTION @extschema@.aread_explain(
  model text,
  features json,
  OUT part text,
  OUT layer integer,
  OUT expert integer,
  OUT lower_expert integer,
  OUT feature text,
  OUT value text,
  OUT status text,
  OUT gate float8,
  OUT logit float8,
  OUT probability float8,
  OUT share float8,
  OUT effect float8)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 20000 ROWS 100
AS 'MODULE_PATHNAME', 'aread_explain_json';

CREATE FUNCTION @extschema@.aread_explain(
  model text,
  features text,
  domain text,
  OUT part text,
  OUT layer integer,
  OUT expert integer,
  OUT lower_expert integer,
  OUT feature text,
  OUT value text,
  OUT status text,
  OUT gate float8,
  OUT logit float8,
  OUT probability float8,
  OUT share float8,
  OUT effect float8)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 20000 ROWS 100
AS 'MODULE_PATHNAME', 'aread_explain_json';

CREATE FUNCTION @extschema@.aread_explain(
  model text,
  features text,
  domain anynonarray,
  OUT part text,
  OUT layer integer,
  OUT expert integer,
  OUT lower_expert integer,
  OUT feature text,
  OUT value text,
  OUT status text,
  OUT gate float8,
  OUT logit float8,
  OUT probability float8,
  OUT share float8,
  OUT effect float8)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 20000 ROWS 100
AS 'MODULE_PATHNAME', 'aread_explain_json';

CREATE FUNCTION @extschema@.aread_explain(
  model text,
  features text,
  OUT part text,
  OUT layer integer,
  OUT expert integer,
  OUT lower_expert integer,
  OUT feature text,
  OUT value text,
  OUT status text,
  OUT gate float8,
  OUT logit float8,
  OUT probability float8,
  OUT share float8,
  OUT effect float8)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 20000 ROWS 100
AS 'MODULE_PATHNAME', 'aread_explain_json';

COMMENT ON FUNCTION @extschema@.aread_explain(text, record, text) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features by column name; the domain as third argument';
COMMENT ON FUNCTION @extschema@.aread_explain(text, record, anynonarray) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features by column name; the domain as third argument, of any plain type';
COMMENT ON FUNCTION @extschema@.aread_explain(text, record) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features by column name; the domain among the features';
COMMENT ON FUNCTION @extschema@.aread_explain(text, jsonb, text) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features by key; the domain as third argument';
COMMENT ON FUNCTION @extschema@.aread_explain(text, jsonb, anynonarray) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features by key; the domain as third argument, of any plain type';
COMMENT ON FUNCTION @extschema@.aread_explain(text, jsonb) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features by key; the domain among the features';
COMMENT ON FUNCTION @extschema@.aread_explain(text, json, text) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features by key; the domain as third argument';
COMMENT ON FUNCTION @extschema@.aread_explain(text, json, anynonarray) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features by key; the domain as third argument, of any plain type';
COMMENT ON FUNCTION @extschema@.aread_explain(text, json) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features by key; the domain among the features';
COMMENT ON FUNCTION @extschema@.aread_explain(text, text, text) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features a JSON object; the domain as third argument';
COMMENT ON FUNCTION @extschema@.aread_explain(text, text, anynonarray) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features a JSON object; the domain as third argument, of any plain type';
COMMENT ON FUNCTION @extschema@.aread_explain(text, text) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features a JSON object; the domain among the features';

CREATE FUNCTION @extschema@.aread_similar_domains(
  model text,
  domain text,
  OUT similar_domain text,
  OUT rows bigint,
  OUT overlap float8,
  OUT by_chance float8,
  OUT lift float8)
RETURNS SETOF record
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 30
AS 'MODULE_PATHNAME', 'aread_similar_domains';
COMMENT ON FUNCTION @extschema@.aread_similar_domains(text, text) IS
'the other domains of a model, most alike first: overlap of their masks with the domain''s, what it would be by chance, how many times that it is, and their training rows';

CREATE FUNCTION @extschema@.aread_expert_usage(
  model text,
  domain text DEFAULT NULL,
  OUT used_by text,
  OUT layer integer,
  OUT expert integer,
  OUT used boolean,
  OUT inputs integer,
  OUT outputs integer,
  OUT flow float8)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 500
AS 'MODULE_PATHNAME', 'aread_expert_usage';
COMMENT ON FUNCTION @extschema@.aread_expert_usage(text, text) IS
'which experts a domain (NULL: each domain) uses under the deployed version of a model, and the share of its score''s paths that passes through them; columns as in the view aread.expert_usage';

--
-- Recommending
--

CREATE TYPE aread.recommendation AS (
  user_id text,
  rank integer,
  item_id text,
  domain text,
  score float8);
COMMENT ON TYPE aread.recommendation IS 'an item for a user: one row of aread_recommend or aread_recommend_all';
COMMENT ON COLUMN aread.recommendation.user_id IS 'user, as text: the model''s key of users whom it knows, of others what was passed; NULL: a NULL among the users';
COMMENT ON COLUMN aread.recommendation.rank IS '1 for the user''s best item, 2, ...';
COMMENT ON COLUMN aread.recommendation.item_id IS 'item, as text';
COMMENT ON COLUMN aread.recommendation.domain IS 'domain that the item was scored in, of several the one where its score is highest';
COMMENT ON COLUMN aread.recommendation.score IS 'what aread_predict gives for user, item and domain';

CREATE FUNCTION @extschema@.aread_recommend(
  model text,
  users "any",
  k integer DEFAULT 10,
  domain text DEFAULT NULL,
  exclude_seen boolean DEFAULT true,
  candidates regclass DEFAULT NULL,
  max_per jsonb DEFAULT NULL,
  context jsonb DEFAULT NULL,
  history regclass DEFAULT NULL)
RETURNS SETOF aread.recommendation
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000 ROWS 100
AS 'MODULE_PATHNAME', 'aread_recommend';
COMMENT ON FUNCTION @extschema@.aread_recommend(text, "any", integer, text, boolean, regclass, jsonb, jsonb, regclass) IS
'the k best items for each user: users are a value or an array of them, NULL being a user whom nobody knows; candidates are the items that the model has kept, those with training rows in the domain, or without a domain each in every domain that it has training rows in, and stands once, where its score is highest; or the rows of a relation, read with the caller''s rights, matched to features by column name; items that the user took in rows of training, validation or test are left out, if the model has kept the user and the item has an id of its own; max_per caps rows for each value of an item''s column, as {"brand": 2}, by bin or bucket where it has those: NULL and values that training has not seen are not counted; context has values of other features; history is a relation that each user''s history is read from, with the caller''s rights, by the columns of user, item, label and order that the model was trained with, and whose items are left out, too; what none of these gives is the item''s or the user''s value in training, else NULL; equal scores stand in the order of training rows';

CREATE FUNCTION @extschema@.aread_recommend_all(
  model text,
  k integer DEFAULT 10,
  domain text DEFAULT NULL,
  exclude_seen boolean DEFAULT true,
  candidates regclass DEFAULT NULL,
  max_per jsonb DEFAULT NULL,
  context jsonb DEFAULT NULL,
  history regclass DEFAULT NULL)
RETURNS SETOF aread.recommendation
LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000000 ROWS 10000
AS 'MODULE_PATHNAME', 'aread_recommend_all';
COMMENT ON FUNCTION @extschema@.aread_recommend_all(text, integer, text, boolean, regclass, jsonb, jsonb, regclass) IS
'what aread_recommend gives for all users that the model knows';

CREATE FUNCTION @extschema@.aread_retrieval_vectors(
  model text,
  kind text,
  dim integer DEFAULT 64,
  domain text DEFAULT NULL,
  candidates regclass DEFAULT NULL,
  context jsonb DEFAULT NULL,
  OUT id text,
  OUT item_domain text,
  OUT vector real[])
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000000 ROWS 10000
AS 'MODULE_PATHNAME', 'aread_retrieval_vectors';
COMMENT ON FUNCTION @extschema@.aread_retrieval_vectors(text, text, integer, text, regclass, jsonb) IS
'a vector of dim numbers for each candidate (kind "items"), an item in a domain, or for each user that the model knows ("users"): the inner product of a user''s and an item''s is nearly the logit of what aread_predict gives for them, whatever the architecture; vectors of both kinds go together if all other arguments, the rows of candidates and the version of the model are the same; domain, candidates and context are those of aread_recommend';

CREATE FUNCTION @extschema@.aread_similar_items(
  model text,
  similar_to "any",
  k integer DEFAULT 10,
  OUT item_id text,
  OUT similarity float8)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 10000 ROWS 10
AS 'MODULE_PATHNAME', 'aread_similar_items';
COMMENT ON FUNCTION @extschema@.aread_similar_items(text, "any", integer) IS
'the k items whose vectors have the largest cosine with that of an item; models without a network have no vectors, which is an error';

CREATE FUNCTION @extschema@.aread_similar_users(
  model text,
  similar_to "any",
  k integer DEFAULT 10,
  OUT user_id text,
  OUT similarity float8)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 10000 ROWS 10
AS 'MODULE_PATHNAME', 'aread_similar_users';
COMMENT ON FUNCTION @extschema@.aread_similar_users(text, "any", integer) IS
'the same of users';

--
-- Parameters in the open
--

CREATE FUNCTION @extschema@.aread_tensors(
  model text,
  OUT name text,
  OUT kind text,
  OUT feature text,
  OUT shape integer[],
  OUT elements bigint)
RETURNS SETOF record
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
AS 'MODULE_PATHNAME', 'aread_tensors';
COMMENT ON FUNCTION @extschema@.aread_tensors(text) IS
'the tensors of a model: kind is dense, rows (a vector for each value), statistic (of batch norm) or fitted (not trained by steps: weights of the wide part, calibration as log of the factor, shift, and the weight of the logit of the trees); feature is the one whose values it holds, of an embedding that features share the first';

CREATE FUNCTION @extschema@.aread_encodings(
  model text,
  OUT feature text,
  OUT other_feature text,
  OUT cells bigint,
  OUT splits_by_rate bigint,
  OUT splits_by_rows bigint)
RETURNS SETOF record
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10000 ROWS 20
AS 'MODULE_PATHNAME', 'aread_encodings';
COMMENT ON FUNCTION @extschema@.aread_encodings(text) IS
'what the trees of a model see: a row for each feature, or pair with other_feature, whose rate of positives and number of training rows they are given; cells are the values or pairs that are known; splits count how many nodes of the trees ask for the rate, and for the number of rows; empty without trees';

CREATE FUNCTION @extschema@.aread_tensor(model text, name text)
RETURNS real[]
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10000
AS 'MODULE_PATHNAME', 'aread_tensor';
COMMENT ON FUNCTION @extschema@.aread_tensor(text, text) IS
'a tensor of a model as an array that has the tensor''s shape; the row of value id k is row k + 1';

CREATE FUNCTION @extschema@.aread_vectors(
  model text,
  feature text,
  OUT id integer,
  OUT status text,
  OUT value text,
  OUT weight real,
  OUT vector real[])
RETURNS SETOF record
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10000 ROWS 10000
AS 'MODULE_PATHNAME', 'aread_vectors';
COMMENT ON FUNCTION @extschema@.aread_vectors(text, text) IS
'what a model knows of each value of a feature: its wide weight (in logits, for all domains) and its vector, NULL where the architecture has none; status is known, or unseen, missing or rare for the three ids that stand for no value; near vectors are values that the network treats alike, and no scores';

CREATE FUNCTION @extschema@.aread_domain_weights(
  model text,
  feature text,
  OUT status text,
  OUT value text,
  OUT domain text,
  OUT weight real)
RETURNS SETOF record
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10000 ROWS 10000
AS 'MODULE_PATHNAME', 'aread_domain_weights';
COMMENT ON FUNCTION @extschema@.aread_domain_weights(text, text) IS
'by how many logits a value of a feature counts otherwise in a domain than everywhere, for pairs seen in training; none if the feature has no domain weights';

CREATE FUNCTION @extschema@.aread_vector_text(vector real[])
RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_vector_text';
COMMENT ON FUNCTION @extschema@.aread_vector_text(real[]) IS
'a vector as [0.1,0.2,...], as pgvector reads it';

--
-- Views.  They run with the rights of the extension's owner and show each role
-- the models of the roles whose rights it has; superusers see all.
--

CREATE VIEW aread.usable_version WITH (security_barrier) AS
SELECT m.name AS model,
       v.version_id, v.model_id, v.version, v.source_name, v.label, v.label_threshold, v.domain_feature,
       v.user_feature, v.item_feature, v.split, v.weight, v.options, v.config, v.architecture, v.seed,
       v.rows_read, v.train_rows, v.valid_rows, v.test_rows, v.null_labels, v.bad_labels, v.null_domains,
       v.null_splits, v.n_parameters, v.n_domains, v.valid_measures, v.valid_measure_rows, v.test_measures,
       v.test_measure_rows, v.best_evaluation, v.seconds, v.crc, v.software, v.sampled_rows, v.calibration,
       v.trained_at, v.comment,
       v.version OPERATOR(pg_catalog.=) m.deployed_version AS deployed,
       aread.role_name(m.owner, m.owner_name) AS owner_name,
       m.comment AS model_comment,
       (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER)
       OR aread.has_role(m.owner) AS owned,
       v.version OPERATOR(pg_catalog.=) ANY (m.pinned_versions) AS pinned,
       v.personalized,
       v.kept_items, v.kept_users, v.kept_bytes
FROM aread.stored_model m
JOIN aread.stored_version v USING (model_id)
WHERE (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER)
   OR aread.has_role(m.owner)
   OR EXISTS (SELECT FROM aread.stored_grant g
              WHERE g.model_id OPERATOR(pg_catalog.=) m.model_id AND aread.has_role(g.grantee));
COMMENT ON VIEW aread.usable_version IS 'versions of the models that the current role owns or was granted any right to; for the other views';

CREATE VIEW aread.visible_version WITH (security_barrier) AS
SELECT * FROM aread.usable_version WHERE owned;
COMMENT ON VIEW aread.visible_version IS 'versions of the models that are the current role''s, weights and all; for the other views';

CREATE VIEW aread.source WITH (security_barrier) AS
SELECT s.relation, s.label, s.domain, s.user_id, s.item_id, s.split, s.weight, s.features,
       aread.role_name(s.registered_by, s.registered_by_name) AS registered_by
FROM aread.stored_source s
JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) s.relation
WHERE pg_catalog.has_any_column_privilege(s.relation, 'SELECT');
COMMENT ON VIEW aread.source IS 'registered interaction tables that the current role can read';
COMMENT ON COLUMN aread.source.relation IS 'the table or view';
COMMENT ON COLUMN aread.source.label IS 'label column; NULL: every row is positive';
COMMENT ON COLUMN aread.source.domain IS 'domain column';
COMMENT ON COLUMN aread.source.user_id IS 'user column';
COMMENT ON COLUMN aread.source.item_id IS 'item column';
COMMENT ON COLUMN aread.source.split IS 'split or ordering column';
COMMENT ON COLUMN aread.source.weight IS 'column of row weights';
COMMENT ON COLUMN aread.source.features IS 'feature columns; NULL: all but label, split and weight';
COMMENT ON COLUMN aread.source.registered_by IS 'role that registered it';

CREATE VIEW aread.model WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, v.owner_name AS owner, v.source_name AS source,
       v.architecture, v.options, v.config, v.seed,
       v.train_rows, v.valid_rows, v.test_rows,
       -- rows that others wrote must not make the view fail for everyone
       CASE WHEN LEAST(v.rows_read, v.train_rows, v.valid_rows, v.test_rows) OPERATOR(pg_catalog.>=) 0
              AND GREATEST(v.train_rows, v.valid_rows, v.test_rows) OPERATOR(pg_catalog.<=) v.rows_read
              AND v.rows_read OPERATOR(pg_catalog.<) 1000000000000000000
            THEN v.rows_read OPERATOR(pg_catalog.-) v.train_rows OPERATOR(pg_catalog.-) v.valid_rows OPERATOR(pg_catalog.-) v.test_rows
       END AS skipped_rows,
       v.sampled_rows,
       v.n_domains AS domains, v.n_parameters AS parameters,
       (SELECT pg_catalog.sum(pg_catalog.octet_length(c.data))::bigint
        FROM aread.stored_chunk c WHERE c.version_id OPERATOR(pg_catalog.=) v.version_id) AS bytes,
       v.valid_measures[1] AS valid_auc, v.valid_measures[2] AS valid_domain_auc,
       v.valid_measures[3] AS valid_major5_auc, v.valid_measures[4] AS valid_minor10_auc,
       v.valid_measures[5] AS valid_minor5_auc, v.valid_measures[6] AS valid_log_loss,
       v.test_measures[1] AS test_auc, v.test_measures[2] AS test_domain_auc,
       v.test_measures[3] AS test_major5_auc, v.test_measures[4] AS test_minor10_auc,
       v.test_measures[5] AS test_minor5_auc, v.test_measures[6] AS test_log_loss,
       v.calibration[1] AS calibration_factor, v.calibration[2] AS calibration_shift,
       e.epoch AS best_epoch, v.seconds, v.crc, v.software, v.trained_at,
       v.comment, v.model_comment,
       ARRAY(SELECT DISTINCT aread.role_name(g.grantee, g.grantee_name) FROM aread.stored_grant g
             WHERE g.model_id OPERATOR(pg_catalog.=) v.model_id AND g.privilege OPERATOR(pg_catalog.=) 'predict' ORDER BY 1) AS granted_to,
       ARRAY(SELECT DISTINCT aread.role_name(g.grantee, g.grantee_name) FROM aread.stored_grant g
             WHERE g.model_id OPERATOR(pg_catalog.=) v.model_id AND g.privilege OPERATOR(pg_catalog.=) 'explain' ORDER BY 1) AS explain_granted_to,
       v.pinned,
       (SELECT d.reason FROM aread.stored_deployment d
        WHERE d.model_id OPERATOR(pg_catalog.=) v.model_id AND d.version OPERATOR(pg_catalog.=) v.version
          AND d.action OPERATOR(pg_catalog.=) ANY ('{train,import}'::text[])
        ORDER BY d.deployment_id LIMIT 1) AS deploy_reason,
       v.calibration[3] AS trees_weight,
       v.valid_measures[7] AS valid_user_auc, v.valid_measures[8] AS valid_ndcg_10,
       v.test_measures[7] AS test_user_auc, v.test_measures[8] AS test_ndcg_10,
       v.personalized,
       v.kept_items, v.kept_users, v.kept_bytes,
       v.valid_measures[9] AS valid_list_ndcg, v.test_measures[9] AS test_list_ndcg
FROM aread.usable_version v
LEFT JOIN aread.stored_evaluation e
  ON e.version_id OPERATOR(pg_catalog.=) v.version_id AND e.number OPERATOR(pg_catalog.=) v.best_evaluation;
COMMENT ON VIEW aread.model IS 'every version of every model: what it was trained on and how good it is';
COMMENT ON COLUMN aread.model.model IS 'name';
COMMENT ON COLUMN aread.model.version IS '1, 2, ...';
COMMENT ON COLUMN aread.model.deployed IS 'is it the version that scores?';
COMMENT ON COLUMN aread.model.owner IS 'role that owns the model';
COMMENT ON COLUMN aread.model.source IS 'relation that it was trained over, by its name then';
COMMENT ON COLUMN aread.model.architecture IS 'what was trained: one of aread_architectures()';
COMMENT ON COLUMN aread.model.options IS 'options as they were given';
COMMENT ON COLUMN aread.model.config IS 'every option of the trainer as it was used';
COMMENT ON COLUMN aread.model.seed IS 'seed of all random numbers';
COMMENT ON COLUMN aread.model.train_rows IS 'rows of the source trained on';
COMMENT ON COLUMN aread.model.valid_rows IS 'rows of the source that decided when to stop';
COMMENT ON COLUMN aread.model.test_rows IS 'rows of the source measured at the end';
COMMENT ON COLUMN aread.model.skipped_rows IS 'rows left out: without label, domain or split, or positive ones for which no negative row was found';
COMMENT ON COLUMN aread.model.sampled_rows IS 'negative rows sampled for them, over all splits';
COMMENT ON COLUMN aread.model.domains IS 'domains seen in training';
COMMENT ON COLUMN aread.model.parameters IS 'numbers in all tensors';
COMMENT ON COLUMN aread.model.bytes IS 'bytes of tensors, vocabularies, masks, trees, and of what is kept of items and users';
COMMENT ON COLUMN aread.model.valid_auc IS 'AUC over validation rows';
COMMENT ON COLUMN aread.model.valid_domain_auc IS 'domains'' AUC, weighted by their rows';
COMMENT ON COLUMN aread.model.valid_major5_auc IS 'the same over the 5 largest domains';
COMMENT ON COLUMN aread.model.valid_minor10_auc IS 'the same over the 10 smallest domains';
COMMENT ON COLUMN aread.model.valid_minor5_auc IS 'the same over the 5 smallest domains';
COMMENT ON COLUMN aread.model.valid_log_loss IS 'mean log loss';
COMMENT ON COLUMN aread.model.test_auc IS 'AUC over test rows';
COMMENT ON COLUMN aread.model.test_domain_auc IS 'domains'' AUC, weighted by their rows';
COMMENT ON COLUMN aread.model.test_major5_auc IS 'the same over the 5 largest domains';
COMMENT ON COLUMN aread.model.test_minor10_auc IS 'the same over the 10 smallest domains';
COMMENT ON COLUMN aread.model.test_minor5_auc IS 'the same over the 5 smallest domains';
COMMENT ON COLUMN aread.model.test_log_loss IS 'mean log loss';
COMMENT ON COLUMN aread.model.calibration_factor IS 'what the scores'' logits are multiplied by, to fit validation rows; below 1: the network was too sure';
COMMENT ON COLUMN aread.model.calibration_shift IS 'what is then added to them, also to take positive_weight out and move to base_rate';
COMMENT ON COLUMN aread.model.trees_weight IS 'what the logit of the model''s trees counts beside that of the network; NULL: it has no trees';
COMMENT ON COLUMN aread.model.kept_items IS 'items that aread_recommend knows without a relation; NULL: trained before 0.4.0';
COMMENT ON COLUMN aread.model.kept_users IS 'users whose columns and items it knows; NULL: trained before 0.4.0';
COMMENT ON COLUMN aread.model.kept_bytes IS 'bytes of both and of users'' histories, a part of the bytes above; NULL: trained before 0.4.0';
COMMENT ON COLUMN aread.model.best_epoch IS 'epoch whose parameters were kept; 0: the start';
COMMENT ON COLUMN aread.model.seconds IS 'seconds of training';
COMMENT ON COLUMN aread.model.crc IS 'CRC-32C over all tensors and masks: equal models have equal ones';
COMMENT ON COLUMN aread.model.software IS 'version of aread that trained it';
COMMENT ON COLUMN aread.model.trained_at IS 'when';
COMMENT ON COLUMN aread.model.comment IS 'what the owner says about the version';
COMMENT ON COLUMN aread.model.model_comment IS 'what the owner says about the model';
COMMENT ON COLUMN aread.model.granted_to IS 'roles that may score with the model, beside its owner''s';
COMMENT ON COLUMN aread.model.explain_granted_to IS 'roles that may have its scores explained';
COMMENT ON COLUMN aread.model.pinned IS 'is it kept until it is unpinned?';
COMMENT ON COLUMN aread.model.deploy_reason IS 'why it was deployed, or was not, when it was trained or imported; what became of it later is in aread.deployment';
COMMENT ON COLUMN aread.model.valid_user_auc IS 'users'' AUC over validation rows, weighted by their rows; NULL, here and below: trained before 0.4.0, or users are not known';
COMMENT ON COLUMN aread.model.valid_ndcg_10 IS 'mean of NDCG@10 over users with a positive validation row';
COMMENT ON COLUMN aread.model.test_user_auc IS 'users'' AUC over test rows';
COMMENT ON COLUMN aread.model.test_ndcg_10 IS 'mean of NDCG@10 over users with a positive test row';
COMMENT ON COLUMN aread.model.valid_list_ndcg IS 'NDCG@10 of lists with a positive validation row''s item, the mean of uniform ones and those by popularity; aread.ranking has each kind; NULL: no negatives were sampled';
COMMENT ON COLUMN aread.model.test_list_ndcg IS 'the same of test rows';
COMMENT ON COLUMN aread.model.personalized IS 'how much of the order of items within a domain is the user''s own, in logits of up to 64 users and 64 items a domain: 0, all users have one order, to 1; NULL: trained before 0.4.0, or there are no users or items to tell by';

CREATE VIEW aread.deployment WITH (security_barrier) AS
SELECT d.deployment_id AS event, m.name AS model, d.version, d.previous, d.deployed,
       aread.role_name(d.role, d.role_name) AS role, d.at, d.action, d.reason
FROM aread.stored_model m
JOIN aread.stored_deployment d USING (model_id)
WHERE (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER)
   OR aread.has_role(m.owner)
   OR EXISTS (SELECT FROM aread.stored_grant g
              WHERE g.model_id OPERATOR(pg_catalog.=) m.model_id AND aread.has_role(g.grantee));
COMMENT ON VIEW aread.deployment IS 'who trained, deployed, rolled back, imported and dropped versions, when and why';
COMMENT ON COLUMN aread.deployment.event IS 'later events have higher ones';
COMMENT ON COLUMN aread.deployment.model IS 'present name of the model';
COMMENT ON COLUMN aread.deployment.version IS 'the version in question';
COMMENT ON COLUMN aread.deployment.previous IS 'version that scored before the event; NULL: none';
COMMENT ON COLUMN aread.deployment.deployed IS 'did the version score from then on?';
COMMENT ON COLUMN aread.deployment.role IS 'who did it';
COMMENT ON COLUMN aread.deployment.at IS 'when the transaction began that did it';
COMMENT ON COLUMN aread.deployment.action IS 'train, deploy, rollback, import or drop_version';
COMMENT ON COLUMN aread.deployment.reason IS 'why: what the guard found, or what was said';

CREATE VIEW aread.feature WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, LEAST(f.position, 1000000) OPERATOR(pg_catalog.+) 1 AS position, f.name, f.kind,
       f.type_name AS type,
       CASE f.position WHEN v.domain_feature THEN 'domain' WHEN v.user_feature THEN 'user'
                       WHEN v.item_feature THEN 'item' END AS role,
       (SELECT pg_catalog.min(o.name) FROM aread.stored_feature o
        WHERE o.version_id OPERATOR(pg_catalog.=) f.version_id AND o.vocabulary OPERATOR(pg_catalog.=) f.vocabulary
          AND o.position OPERATOR(pg_catalog.<>) f.position) AS shares_with,
       GREATEST(f.vocabulary_rows, 3) OPERATOR(pg_catalog.-) 3 AS "values", f.min_count,
       CASE WHEN v.owned AND f.kind OPERATOR(pg_catalog.=) 'binned' THEN f.edges
            WHEN v.owned AND f.kind OPERATOR(pg_catalog.=) 'piecewise'
            THEN f.edges[1:LEAST(GREATEST(f.vocabulary_rows, 3), 100000) OPERATOR(pg_catalog.-) 2] END AS edges,
       f.weight_sd, f.domain_weights, f.domain_weight_sd, f.goes_with_item
FROM aread.usable_version v
JOIN aread.stored_feature f USING (version_id);
COMMENT ON VIEW aread.feature IS 'features of each version';
COMMENT ON COLUMN aread.feature.model IS 'name of the model';
COMMENT ON COLUMN aread.feature.version IS 'its version';
COMMENT ON COLUMN aread.feature.deployed IS 'is it the version that scores?';
COMMENT ON COLUMN aread.feature.position IS 'place in the network''s input, from 1';
COMMENT ON COLUMN aread.feature.name IS 'column name';
COMMENT ON COLUMN aread.feature.kind IS 'categorical, binned, list, dense (a vector), piecewise (a number as a vector), rows: how many training rows the user or the item has, or cross: of several columns'' values';
COMMENT ON COLUMN aread.feature.type IS 'type of the values, of a list of its members, of dense features of the column';
COMMENT ON COLUMN aread.feature.role IS 'domain, user or item';
COMMENT ON COLUMN aread.feature.shares_with IS 'a feature with the same vocabulary';
COMMENT ON COLUMN aread.feature."values" IS 'distinct values, bins, buckets or components known to the model';
COMMENT ON COLUMN aread.feature.min_count IS 'rarer values share one id';
COMMENT ON COLUMN aread.feature.edges IS 'bin edges of a binned feature, bounds of a piecewise one''s pieces; they are values of single rows, so NULL in models that are not one''s own';
COMMENT ON COLUMN aread.feature.weight_sd IS 'how much its values matter: standard deviation of their wide weights in logits, as the L2 implies it, of dense features for a standard deviation of a component, of piecewise ones for as many as the root of their components; NULL without a wide part';
COMMENT ON COLUMN aread.feature.domain_weights IS 'pairs of value and domain that have a weight of their own';
COMMENT ON COLUMN aread.feature.domain_weight_sd IS 'how much its values matter otherwise in one domain than in another: standard deviation of these weights in logits; NULL: it has none';
COMMENT ON COLUMN aread.feature.goes_with_item IS 'did sampled negatives take it from their item (or from the positive row)? NULL: none were sampled';

CREATE VIEW aread.domain WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, d.name AS domain, d.rows,
       CASE WHEN v.owned OR d.rows OPERATOR(pg_catalog.>=) 10 THEN d.positives END AS positives,
       d.minor, d.major, d.augmented_rows, d.valid_rows,
       CASE WHEN v.owned OR d.valid_rows OPERATOR(pg_catalog.>=) 10 THEN d.valid_auc END AS valid_auc,
       CASE WHEN v.owned OR d.valid_rows OPERATOR(pg_catalog.>=) 10 THEN d.valid_log_loss END AS valid_log_loss,
       d.test_rows,
       CASE WHEN v.owned OR d.test_rows OPERATOR(pg_catalog.>=) 10 THEN d.test_auc END AS test_auc,
       CASE WHEN v.owned OR d.test_rows OPERATOR(pg_catalog.>=) 10 THEN d.test_log_loss END AS test_log_loss
FROM aread.usable_version v
JOIN aread.stored_domain d USING (version_id);
COMMENT ON VIEW aread.domain IS 'domains of each version: size, kind and how well they are served; in models that are not one''s own nothing about the labels of fewer than 10 rows';
COMMENT ON COLUMN aread.domain.model IS 'name of the model';
COMMENT ON COLUMN aread.domain.version IS 'its version';
COMMENT ON COLUMN aread.domain.deployed IS 'is it the version that scores?';
COMMENT ON COLUMN aread.domain.domain IS 'value of the domain column';
COMMENT ON COLUMN aread.domain.rows IS 'training rows, sampled negatives included, as in all numbers here';
COMMENT ON COLUMN aread.domain.positives IS 'positive ones among them; NULL of fewer than 10 rows, unless the model is one''s own';
COMMENT ON COLUMN aread.domain.minor IS 'below minor_share of the training rows';
COMMENT ON COLUMN aread.domain.major IS 'above major_share of the training rows';
COMMENT ON COLUMN aread.domain.augmented_rows IS 'counterfactual rows added for the mask search';
COMMENT ON COLUMN aread.domain.valid_rows IS 'validation rows';
COMMENT ON COLUMN aread.domain.valid_auc IS 'AUC on them; NULL: one class only, or fewer than 10 of another''s rows';
COMMENT ON COLUMN aread.domain.valid_log_loss IS 'log loss on them; NULL: fewer than 10 of another''s rows';
COMMENT ON COLUMN aread.domain.test_rows IS 'test rows';
COMMENT ON COLUMN aread.domain.test_auc IS 'AUC on them; NULL: one class only, or fewer than 10 of another''s rows';
COMMENT ON COLUMN aread.domain.test_log_loss IS 'log loss on them; NULL: fewer than 10 of another''s rows';

CREATE FUNCTION aread.mask_gates(
  chunks bytea[],
  OUT domain integer,
  OUT layer integer,
  OUT lower_expert integer,
  OUT upper_expert integer,
  OUT open boolean,
  OUT gate float4)
RETURNS SETOF record
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 2000
AS 'MODULE_PATHNAME', 'aread_mask_gates';
COMMENT ON FUNCTION aread.mask_gates(bytea[]) IS 'decode stored masks; for the view aread.mask';

CREATE FUNCTION aread.mask_overlaps(
  chunks bytea[],
  OUT domain_a integer,
  OUT domain_b integer,
  OUT layer integer,
  OUT overlap float8,
  OUT by_chance float8)
RETURNS SETOF record
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 2000
AS 'MODULE_PATHNAME', 'aread_mask_overlaps';
COMMENT ON FUNCTION aread.mask_overlaps(bytea[]) IS 'overlap ratios of stored masks; for the view aread.mask_overlap';

CREATE FUNCTION aread.mask_fates(
  config jsonb,
  gates smallint[],
  OUT layer integer,
  OUT lower_expert integer,
  OUT upper_expert integer,
  OUT open boolean,
  OUT open_at_start boolean,
  OUT closed_in_step integer)
RETURNS SETOF record
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 100
AS 'MODULE_PATHNAME', 'aread_mask_fates';
COMMENT ON FUNCTION aread.mask_fates(jsonb, smallint[]) IS 'decode what a mask update did to the gates of a domain; for the view aread.mask_history';

CREATE VIEW aread.mask WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, d.name AS domain, g.layer, g.lower_expert,
       g.upper_expert, g.open, g.gate
FROM aread.visible_version v
CROSS JOIN LATERAL aread.mask_gates(ARRAY(
  SELECT c.data FROM aread.stored_chunk c
  WHERE c.version_id OPERATOR(pg_catalog.=) v.version_id AND c.kind OPERATOR(pg_catalog.=) 'masks' ORDER BY c.chunk)) g
JOIN aread.stored_domain d ON d.version_id OPERATOR(pg_catalog.=) v.version_id AND d.number OPERATOR(pg_catalog.=) g.domain;
COMMENT ON VIEW aread.mask IS 'masks: for each domain which experts matter to it as inputs of which, with what weight; models of architecture hemp and aread score under them, those of hei with all gates open';
COMMENT ON COLUMN aread.mask.model IS 'name of the model';
COMMENT ON COLUMN aread.mask.version IS 'its version';
COMMENT ON COLUMN aread.mask.deployed IS 'is it the version that scores?';
COMMENT ON COLUMN aread.mask.domain IS 'value of the domain column';
COMMENT ON COLUMN aread.mask.layer IS 'layer of the upper expert, from 2';
COMMENT ON COLUMN aread.mask.lower_expert IS 'expert of the layer below, from 1';
COMMENT ON COLUMN aread.mask.upper_expert IS 'expert of the layer, from 1';
COMMENT ON COLUMN aread.mask.open IS 'does the domain''s mask leave the gate from the lower expert to the upper one open?';
COMMENT ON COLUMN aread.mask.gate IS 'its weight in scores; those of an upper expert sum to 1';

CREATE VIEW aread.mask_overlap WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, a.name AS domain_a, b.name AS domain_b, o.layer,
       o.overlap, o.by_chance
FROM aread.visible_version v
CROSS JOIN LATERAL aread.mask_overlaps(ARRAY(
  SELECT c.data FROM aread.stored_chunk c
  WHERE c.version_id OPERATOR(pg_catalog.=) v.version_id AND c.kind OPERATOR(pg_catalog.=) 'masks' ORDER BY c.chunk)) o
JOIN aread.stored_domain a ON a.version_id OPERATOR(pg_catalog.=) v.version_id AND a.number OPERATOR(pg_catalog.=) o.domain_a
JOIN aread.stored_domain b ON b.version_id OPERATOR(pg_catalog.=) v.version_id AND b.number OPERATOR(pg_catalog.=) o.domain_b;
COMMENT ON VIEW aread.mask_overlap IS 'how alike the masks of two domains are: shared open gates over all open gates';
COMMENT ON COLUMN aread.mask_overlap.model IS 'name of the model';
COMMENT ON COLUMN aread.mask_overlap.version IS 'its version';
COMMENT ON COLUMN aread.mask_overlap.deployed IS 'is it the version that scores?';
COMMENT ON COLUMN aread.mask_overlap.domain_a IS 'the larger domain of the pair';
COMMENT ON COLUMN aread.mask_overlap.domain_b IS 'the smaller one';
COMMENT ON COLUMN aread.mask_overlap.layer IS 'layer, from 2; NULL: all layers together';
COMMENT ON COLUMN aread.mask_overlap.overlap IS '|A and B| / |A or B| over open gates';
COMMENT ON COLUMN aread.mask_overlap.by_chance IS 'expected gates open in both, over expected gates open in either, if both masks were drawn at random with the open gates that they have in each layer';

CREATE FUNCTION aread.mask_experts(
  chunks bytea[],
  OUT domain integer,
  OUT layer integer,
  OUT expert integer,
  OUT used boolean,
  OUT inputs integer,
  OUT outputs integer,
  OUT flow float8)
RETURNS SETOF record
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 500
AS 'MODULE_PATHNAME', 'aread_mask_experts';
COMMENT ON FUNCTION aread.mask_experts(bytea[]) IS 'which experts stored masks use; for the view aread.expert_usage';

CREATE VIEW aread.expert_usage WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, d.name AS domain, e.layer, e.expert, e.used, e.inputs,
       e.outputs, e.flow
FROM aread.visible_version v
CROSS JOIN LATERAL aread.mask_experts(ARRAY(
  SELECT c.data FROM aread.stored_chunk c
  WHERE c.version_id OPERATOR(pg_catalog.=) v.version_id AND c.kind OPERATOR(pg_catalog.=) 'masks' ORDER BY c.chunk)) e
JOIN aread.stored_domain d ON d.version_id OPERATOR(pg_catalog.=) v.version_id AND d.number OPERATOR(pg_catalog.=) e.domain;
COMMENT ON VIEW aread.expert_usage IS 'which experts each domain''s mask uses, and how much of its score passes through them';
COMMENT ON COLUMN aread.expert_usage.model IS 'name of the model';
COMMENT ON COLUMN aread.expert_usage.version IS 'its version';
COMMENT ON COLUMN aread.expert_usage.deployed IS 'is it the version that scores?';
COMMENT ON COLUMN aread.expert_usage.domain IS 'value of the domain column';
COMMENT ON COLUMN aread.expert_usage.layer IS 'layer, from 1';
COMMENT ON COLUMN aread.expert_usage.expert IS 'expert of the layer, from 1';
COMMENT ON COLUMN aread.expert_usage.used IS 'does the domain''s mask use it?';
COMMENT ON COLUMN aread.expert_usage.inputs IS 'open gates from experts below; NULL in layer 1';
COMMENT ON COLUMN aread.expert_usage.outputs IS 'open gates to experts above; NULL in the last layer, where it has a head';
COMMENT ON COLUMN aread.expert_usage.flow IS 'share of the score''s paths that pass through it: heads count alike, an expert hands its share down by its gates; a layer sums to 1';

CREATE VIEW aread.mask_update WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, u.number, d.name AS domain, u.batches, u.seconds,
       u.start_density, u.end_density, u.loss, u.steps
FROM aread.visible_version v
JOIN aread.stored_mask_update u USING (version_id)
JOIN aread.stored_domain d ON d.version_id OPERATOR(pg_catalog.=) v.version_id AND d.number OPERATOR(pg_catalog.=) u.domain;
COMMENT ON VIEW aread.mask_update IS 'what each mask update of a training decided; trainings of architecture hei have none';
COMMENT ON COLUMN aread.mask_update.model IS 'name of the model';
COMMENT ON COLUMN aread.mask_update.version IS 'its version';
COMMENT ON COLUMN aread.mask_update.deployed IS 'is it the version that scores?';
COMMENT ON COLUMN aread.mask_update.number IS 'update, from 1';
COMMENT ON COLUMN aread.mask_update.domain IS 'value of the domain column';
COMMENT ON COLUMN aread.mask_update.batches IS 'batches trained before it';
COMMENT ON COLUMN aread.mask_update.seconds IS 'seconds of the whole update, all domains';
COMMENT ON COLUMN aread.mask_update.start_density IS 'share of open gates of the chosen candidate before pruning';
COMMENT ON COLUMN aread.mask_update.end_density IS 'and after';
COMMENT ON COLUMN aread.mask_update.loss IS 'its loss on the domain''s own training rows; NULL: all were left out';
COMMENT ON COLUMN aread.mask_update.steps IS 'training and pruning steps it took';

CREATE VIEW aread.mask_history WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, u.number, d.name AS domain, f.layer, f.lower_expert,
       f.upper_expert, f.open, f.open_at_start, f.closed_in_step
FROM aread.visible_version v
JOIN aread.stored_mask_update u USING (version_id)
JOIN aread.stored_domain d ON d.version_id OPERATOR(pg_catalog.=) v.version_id AND d.number OPERATOR(pg_catalog.=) u.domain
CROSS JOIN LATERAL aread.mask_fates(v.config, u.gates) f;
COMMENT ON VIEW aread.mask_history IS 'masks update by update: which gates each update tried and left open for each domain, and which step of its pruning closed the others';
COMMENT ON COLUMN aread.mask_history.model IS 'name of the model';
COMMENT ON COLUMN aread.mask_history.version IS 'its version';
COMMENT ON COLUMN aread.mask_history.deployed IS 'is it the version that scores?';
COMMENT ON COLUMN aread.mask_history.number IS 'update, from 1; the model keeps the masks of its best evaluation, which may precede the last update';
COMMENT ON COLUMN aread.mask_history.domain IS 'value of the domain column';
COMMENT ON COLUMN aread.mask_history.layer IS 'layer of the upper expert, from 2';
COMMENT ON COLUMN aread.mask_history.lower_expert IS 'expert of the layer below, from 1';
COMMENT ON COLUMN aread.mask_history.upper_expert IS 'expert of the layer, from 1';
COMMENT ON COLUMN aread.mask_history.open IS 'did the update leave the gate open?';
COMMENT ON COLUMN aread.mask_history.open_at_start IS 'was it open when the pruning of the chosen candidate began?';
COMMENT ON COLUMN aread.mask_history.closed_in_step IS 'pruning step that closed it, from 1; NULL: none did';

CREATE VIEW aread.ranking WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, r.split, r.candidates, r.lists, r.items, r.ndcg, r.hit_rate, r.mrr
FROM aread.visible_version v
JOIN aread.stored_version s USING (version_id)
CROSS JOIN LATERAL pg_catalog.jsonb_to_recordset(
  CASE WHEN pg_catalog.jsonb_typeof(s.ranking) OPERATOR(pg_catalog.=) 'array' THEN s.ranking END)
  AS r(split text, candidates text, lists bigint, items float8, ndcg float8, hit_rate float8, mrr float8);
COMMENT ON VIEW aread.ranking IS 'of models with sampled negatives, how high positive validation and test rows were ranked after training, as aread_evaluate_ranking does it, with at most 2000 lists of a kind and 500,000 rows in lists of all items';
COMMENT ON COLUMN aread.ranking.model IS 'name of the model';
COMMENT ON COLUMN aread.ranking.version IS 'its version';
COMMENT ON COLUMN aread.ranking.deployed IS 'is it the version that scores?';
COMMENT ON COLUMN aread.ranking.split IS 'valid or test';
COMMENT ON COLUMN aread.ranking.candidates IS 'what an item is ranked among: up to 100 items of its domain, drawn uniformly or by popularity, or all';
COMMENT ON COLUMN aread.ranking.lists IS 'lists, one for each positive row whose item was taken in the domain in training rows';
COMMENT ON COLUMN aread.ranking.items IS 'items beside the positive one, on average';
COMMENT ON COLUMN aread.ranking.ndcg IS 'normalized discounted cumulative gain of the first 10';
COMMENT ON COLUMN aread.ranking.hit_rate IS 'share of lists with the positive item among the first 10';
COMMENT ON COLUMN aread.ranking.mrr IS 'mean of 1 / rank of the positive item';

CREATE VIEW aread.training_log WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, e.number AS evaluation, e.epoch, e.epoch_end, e.batches,
       e.train_loss, e.measures[6] AS valid_loss, e.measures[1] AS auc,
       e.measures[2] AS domain_auc, e.measures[3] AS major5_auc, e.measures[4] AS minor10_auc,
       e.measures[5] AS minor5_auc, e.rows_per_second, e.mask_updates, e.seconds, e.best,
       e.number OPERATOR(pg_catalog.=) v.best_evaluation AS kept, e.reason,
       e.measures[7] AS user_auc, e.measures[8] AS ndcg_10, e.measures[9] AS list_ndcg
FROM aread.visible_version v
JOIN aread.stored_evaluation e USING (version_id);
COMMENT ON VIEW aread.training_log IS 'evaluations during training, on validation rows';
COMMENT ON COLUMN aread.training_log.model IS 'name of the model';
COMMENT ON COLUMN aread.training_log.version IS 'its version';
COMMENT ON COLUMN aread.training_log.deployed IS 'is it the version that scores?';
COMMENT ON COLUMN aread.training_log.evaluation IS 'from 0, the start';
COMMENT ON COLUMN aread.training_log.epoch IS 'epoch; 0: the start';
COMMENT ON COLUMN aread.training_log.epoch_end IS 'at the end of its epoch';
COMMENT ON COLUMN aread.training_log.batches IS 'batches trained so far';
COMMENT ON COLUMN aread.training_log.train_loss IS 'mean loss since the evaluation before, of rows or, as option loss says, of positive rows with their negatives';
COMMENT ON COLUMN aread.training_log.valid_loss IS 'mean log loss on validation rows';
COMMENT ON COLUMN aread.training_log.auc IS 'AUC over all of them';
COMMENT ON COLUMN aread.training_log.domain_auc IS 'domains'' AUC, weighted by their rows';
COMMENT ON COLUMN aread.training_log.major5_auc IS 'the same over the 5 largest domains';
COMMENT ON COLUMN aread.training_log.minor10_auc IS 'the same over the 10 smallest domains';
COMMENT ON COLUMN aread.training_log.minor5_auc IS 'the same over the 5 smallest domains';
COMMENT ON COLUMN aread.training_log.rows_per_second IS 'training rows per second since the evaluation before';
COMMENT ON COLUMN aread.training_log.mask_updates IS 'mask updates so far';
COMMENT ON COLUMN aread.training_log.seconds IS 'since training began';
COMMENT ON COLUMN aread.training_log.best IS 'better than all before in the measure that option stop_on names, by at least 0.0005 (of log loss 0.00025, of list_ndcg 0.001): less is noise';
COMMENT ON COLUMN aread.training_log.kept IS 'is it the one whose parameters the model has?';
COMMENT ON COLUMN aread.training_log.reason IS 'what it gained, or that it gained too little, how a race of two networks stood, and why training stopped; NULL: trained before 0.4.0';
COMMENT ON COLUMN aread.training_log.user_auc IS 'users'' AUC, weighted by their rows; NULL: trained before 0.4.0, or users are not known';
COMMENT ON COLUMN aread.training_log.ndcg_10 IS 'mean of NDCG@10 over users with a positive row; NULL as above';
COMMENT ON COLUMN aread.training_log.list_ndcg IS 'NDCG@10 of lists with a positive row''s item, the mean of uniform ones and those by popularity, over 1000 positive rows; NULL: evaluations are not compared by it';

--
-- Pictures.  Each is an SVG document in ASCII, of the deployed version.
--

CREATE FUNCTION @extschema@.aread_overlap_svg(model text, layer integer DEFAULT NULL, theme text DEFAULT 'auto')
RETURNS text
LANGUAGE C STABLE PARALLEL SAFE COST 1000000
AS 'MODULE_PATHNAME', 'aread_overlap_svg';
COMMENT ON FUNCTION @extschema@.aread_overlap_svg(text, integer, text) IS
'heat map of how much the masks of domains overlap, like domains side by side, as an SVG document; layer from 2, NULL: all together; the 200 largest domains at most; theme auto (as the viewer prefers), light or dark; NULL for a NULL model or theme';

CREATE FUNCTION @extschema@.aread_experts_svg(model text, domain text, other text DEFAULT NULL, theme text DEFAULT 'auto')
RETURNS text
LANGUAGE C STABLE PARALLEL SAFE COST 1000000
AS 'MODULE_PATHNAME', 'aread_experts_svg';
COMMENT ON FUNCTION @extschema@.aread_experts_svg(text, text, text, text) IS
'which experts feed which in a domain, with what gate weight, as an SVG document; with another domain both side by side, and in colour what they share; theme auto (as the viewer prefers), light or dark; NULL for a NULL model, domain or theme';

CREATE FUNCTION @extschema@.aread_training_svg(model text, theme text DEFAULT 'auto')
RETURNS text
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000000
AS 'MODULE_PATHNAME', 'aread_training_svg';
COMMENT ON FUNCTION @extschema@.aread_training_svg(text, text) IS
'loss and AUC during training, with mask updates and what was kept, as an SVG document; theme auto (as the viewer prefers), light or dark';

CREATE FUNCTION @extschema@.aread_domains_svg(model text, theme text DEFAULT 'auto')
RETURNS text
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000000
AS 'MODULE_PATHNAME', 'aread_domains_svg';
COMMENT ON FUNCTION @extschema@.aread_domains_svg(text, text) IS
'AUC of each domain by its training rows, on test rows (validation rows where there are none), as an SVG document; theme auto (as the viewer prefers), light or dark';

--
-- Versions side by side, and one in words.
--

CREATE FUNCTION @extschema@.aread_compare(model_a text, model_b text, source regclass)
RETURNS TABLE (measure text, a float8, b float8, difference float8)
LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE ROWS 8
BEGIN ATOMIC
  WITH a AS MATERIALIZED (SELECT * FROM @extschema@.aread_evaluate($1, $3)),
       b AS MATERIALIZED (SELECT * FROM @extschema@.aread_evaluate($2, $3))
  SELECT m.measure, m.a, m.b, m.b OPERATOR(pg_catalog.-) m.a
  FROM a, b, LATERAL (VALUES
    ('AUC', a.auc, b.auc), ('DomainAUC', a.domain_auc, b.domain_auc), ('Major5AUC', a.major5_auc, b.major5_auc),
    ('Minor10AUC', a.minor10_auc, b.minor10_auc), ('Minor5AUC', a.minor5_auc, b.minor5_auc),
    ('log loss', a.log_loss, b.log_loss), ('UserAUC', a.user_auc, b.user_auc), ('NDCG@10', a.ndcg_10, b.ndcg_10)) m(measure, a, b);
END;
COMMENT ON FUNCTION @extschema@.aread_compare(text, text, regclass) IS
'measures of two models, or two versions of one (''shop@3'', ''shop@4''), over the rows of a table; difference: b less a';

CREATE FUNCTION @extschema@.aread_compare_domains(model_a text, model_b text, source regclass)
RETURNS TABLE (domain text, rows bigint, auc_a float8, auc_b float8, auc_difference float8,
  log_loss_a float8, log_loss_b float8, log_loss_difference float8)
LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE ROWS 30
BEGIN ATOMIC
  WITH a AS MATERIALIZED (SELECT * FROM @extschema@.aread_evaluate_domains($1, $3)),
       b AS MATERIALIZED (SELECT * FROM @extschema@.aread_evaluate_domains($2, $3))
  SELECT COALESCE(a.domain, b.domain), GREATEST(a.rows, b.rows), a.auc, b.auc, b.auc OPERATOR(pg_catalog.-) a.auc, a.log_loss, b.log_loss,
    b.log_loss OPERATOR(pg_catalog.-) a.log_loss
  FROM a FULL JOIN b ON COALESCE(a.domain, '') OPERATOR(pg_catalog.=) COALESCE(b.domain, '') AND (a.domain IS NULL) OPERATOR(pg_catalog.=) (b.domain IS NULL)
  ORDER BY 2 DESC, 1;
END;
COMMENT ON FUNCTION @extschema@.aread_compare_domains(text, text, regclass) IS
'the same domain by domain; domain NULL: rows of domains that a model has never seen';

CREATE FUNCTION @extschema@.aread_card(model text)
RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
  WITH named AS (
    SELECT COALESCE(substring($1 FROM '^(.*)@[1-9][0-9]{0,8}$'), $1) AS name,
           substring($1 FROM '^.*@([1-9][0-9]{0,8})$')::integer AS version
  )
  SELECT pg_catalog.concat_ws(E'\n',
    pg_catalog.format('# %s, version %s', m.model, m.version),
    '',
    m.model_comment, m.comment,
    pg_catalog.format('- trained %s over %s, owner %s, by %s', m.trained_at::timestamptz(0), m.source, m.owner, m.software),
    pg_catalog.format('- %s; seed %s; options %s', m.architecture, m.seed, m.options),
    pg_catalog.format('- rows: %s to train, %s to validate, %s to test, %s left out, %s negatives sampled', m.train_rows, m.valid_rows, m.test_rows, m.skipped_rows, m.sampled_rows),
    pg_catalog.format('- %s domains, %s parameters, %s', m.domains, m.parameters, pg_catalog.pg_size_pretty(m.bytes)),
    pg_catalog.format('- trained in %s s, best after epoch %s', pg_catalog.round(m.seconds::numeric, 1), m.best_epoch),
    pg_catalog.format('- features: %s', (SELECT pg_catalog.string_agg(f.name OPERATOR(pg_catalog.||) CASE WHEN f.role IS NULL THEN '' ELSE ' (' OPERATOR(pg_catalog.||) f.role OPERATOR(pg_catalog.||) ')' END, ', ' ORDER BY f.position)
                              FROM aread.feature f WHERE f.model OPERATOR(pg_catalog.=) m.model AND f.version OPERATOR(pg_catalog.=) m.version)),
    pg_catalog.format('- checksum %s%s', m.crc, CASE WHEN m.deployed THEN ', deployed' ELSE '' END),
    '',
    '| rows | AUC | DomainAUC | Major5AUC | Minor10AUC | Minor5AUC | log loss | UserAUC | NDCG@10 | list NDCG@10 |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    pg_catalog.concat('| validation | ', pg_catalog.concat_ws(' | ', VARIADIC ARRAY(SELECT COALESCE(pg_catalog.round(v::numeric, 4)::text, '-') FROM pg_catalog.unnest(ARRAY[m.valid_auc, m.valid_domain_auc,
      m.valid_major5_auc, m.valid_minor10_auc, m.valid_minor5_auc, m.valid_log_loss, m.valid_user_auc, m.valid_ndcg_10, m.valid_list_ndcg]) v)), ' |'),
    pg_catalog.concat('| test | ', pg_catalog.concat_ws(' | ', VARIADIC ARRAY(SELECT COALESCE(pg_catalog.round(v::numeric, 4)::text, '-') FROM pg_catalog.unnest(ARRAY[m.test_auc, m.test_domain_auc,
      m.test_major5_auc, m.test_minor10_auc, m.test_minor5_auc, m.test_log_loss, m.test_user_auc, m.test_ndcg_10, m.test_list_ndcg]) v)), ' |'))
  FROM named n JOIN aread.model m ON m.model OPERATOR(pg_catalog.=) n.name AND (m.version OPERATOR(pg_catalog.=) n.version OR (n.version IS NULL AND m.deployed));
END;
COMMENT ON FUNCTION @extschema@.aread_card(text) IS
'a model, or a version of it (''shop@3''), described in Markdown: source, options, rows, measures; NULL if the current role knows no such model';

--
-- What a session keeps loaded, and what is being trained.
--

CREATE FUNCTION aread.cached_versions(
  OUT version_id bigint,
  OUT place text,
  OUT bytes bigint,
  OUT hits bigint,
  OUT loads bigint,
  OUT loaded_at timestamptz,
  OUT used_at timestamptz,
  OUT in_use boolean)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED ROWS 5
AS 'MODULE_PATHNAME', 'aread_cached_versions';
COMMENT ON FUNCTION aread.cached_versions() IS 'versions in shared memory, and those that this session has taken up, which the current role may score with; for the view aread.cache';

CREATE VIEW aread.cache WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, c.place, c.bytes, c.hits, c.loads, c.loaded_at, c.used_at, c.in_use
FROM aread.cached_versions() c
JOIN aread.usable_version v USING (version_id);
COMMENT ON VIEW aread.cache IS 'models ready to score: those in shared memory, and what this session keeps of its own';
COMMENT ON COLUMN aread.cache.model IS 'name of the model';
COMMENT ON COLUMN aread.cache.version IS 'its version';
COMMENT ON COLUMN aread.cache.deployed IS 'is it the version that scores?';
COMMENT ON COLUMN aread.cache.place IS '"shared": weights in shared memory, for all sessions; "session": memory of this session, which is scratch beside shared weights, and everything where there are none';
COMMENT ON COLUMN aread.cache.bytes IS 'memory that it takes there';
COMMENT ON COLUMN aread.cache.hits IS 'statements that used it since it was loaded: of all sessions, or of this one';
COMMENT ON COLUMN aread.cache.loads IS 'sessions and parallel workers that have taken it up from shared memory; of a session''s own, 1';
COMMENT ON COLUMN aread.cache.loaded_at IS 'when it was loaded';
COMMENT ON COLUMN aread.cache.used_at IS 'start of the latest statement that used it';
COMMENT ON COLUMN aread.cache.in_use IS 'does a running query or an open cursor of this session use it? Then it stays; of shared ones NULL';

CREATE FUNCTION @extschema@.aread_cache_clear(shared boolean DEFAULT false)
RETURNS integer
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'aread_cache_clear';
COMMENT ON FUNCTION @extschema@.aread_cache_clear(boolean) IS
'forget the models that this session keeps and no query uses at the moment, and if shared is true (superusers only) those of this database in shared memory; returns how many there were; the next score loads its model again';

CREATE FUNCTION aread.trainings(
  OUT run_id bigint,
  OUT pid integer,
  OUT role oid,
  OUT model text,
  OUT source text,
  OUT started_at timestamptz,
  OUT phase text,
  OUT epoch integer,
  OUT epochs integer,
  OUT batch bigint,
  OUT batches bigint,
  OUT loss float8,
  OUT rows_per_second float8,
  OUT valid_auc float8,
  OUT valid_domain_auc float8,
  OUT valid_log_loss float8,
  OUT ends_at timestamptz)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED ROWS 5
AS 'MODULE_PATHNAME', 'aread_trainings';
COMMENT ON FUNCTION aread.trainings() IS 'trainings at work in this database, of the roles whose rights one has (of all with pg_read_all_stats); for the view aread.run';

CREATE FUNCTION aread.run_state(run_id bigint)
RETURNS text
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_run_state';
COMMENT ON FUNCTION aread.run_state(bigint) IS 'state of a background training at this moment, of a role whose rights one has, else NULL: one whose worker is gone is interrupted; for the view aread.run';

CREATE VIEW aread.known_run WITH (security_barrier) AS
SELECT r.run_id, r.model, r.role, r.role_name, r.source, r.source_name, r.label, r.domain, r.user_id,
       r.item_id, r.split, r.weight, r.features, r.options, r.settings, r.state, r.pid, r.attempts,
       r.started_at, r.ended_at, r.phase, r.epoch, r.epochs, r.batch, r.batches, r.loss, r.rows_per_second,
       r.valid_auc, r.valid_domain_auc, r.valid_log_loss, r.fingerprint, r.checkpoint_at, r.checkpoint_bytes,
       r.software, r.version, r.error_code, r.error, r.error_detail, r.error_hint, r.messages,
       CASE WHEN r.state IN ('starting', 'running') THEN aread.run_state(r.run_id) ELSE r.state END AS state_now
FROM aread.stored_run r
WHERE (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER)
   OR aread.has_role(aread.as_role(r.role));
COMMENT ON VIEW aread.known_run IS 'background trainings of the roles whose rights the current role has, as they are now; for the view aread.run';

CREATE VIEW aread.run WITH (security_barrier) AS
SELECT r.run_id AS run, r.model, r.version, aread.role_name(aread.as_role(r.role), r.role_name)::text AS role, r.source_name AS source,
       r.state_now AS state,
       COALESCE(t.phase, r.phase) AS phase,
       COALESCE(t.epoch, r.epoch) AS epoch,
       COALESCE(t.epochs, r.epochs) AS epochs,
       COALESCE(t.batch, r.batch) AS batch,
       COALESCE(t.batches, r.batches) AS batches,
       COALESCE(t.loss, r.loss) AS loss,
       COALESCE(t.rows_per_second, r.rows_per_second) AS rows_per_second,
       COALESCE(t.valid_auc, r.valid_auc) AS valid_auc,
       COALESCE(t.valid_domain_auc, r.valid_domain_auc) AS valid_domain_auc,
       COALESCE(t.valid_log_loss, r.valid_log_loss) AS valid_log_loss,
       r.started_at,
       t.ends_at,
       r.ended_at,
       r.checkpoint_at,
       r.checkpoint_bytes,
       r.attempts,
       CASE WHEN r.state_now IN ('starting', 'running') THEN r.pid END AS pid,
       r.error,
       r.error_detail,
       r.error_hint,
       r.messages
FROM aread.known_run r
LEFT JOIN aread.trainings() t ON t.run_id OPERATOR(pg_catalog.=) r.run_id AND t.pid OPERATOR(pg_catalog.=) r.pid
UNION ALL
SELECT t.run_id, t.model, NULL, pg_catalog.pg_get_userbyid(t.role)::text, t.source, 'running', t.phase, t.epoch,
       t.epochs, t.batch, t.batches, t.loss, t.rows_per_second, t.valid_auc, t.valid_domain_auc,
       t.valid_log_loss, t.started_at, t.ends_at, NULL, NULL, NULL, NULL, t.pid, NULL, NULL, NULL, NULL
FROM aread.trainings() t
WHERE t.run_id IS NULL OR NOT EXISTS (SELECT FROM aread.known_run r WHERE r.run_id OPERATOR(pg_catalog.=) t.run_id);
COMMENT ON VIEW aread.run IS 'trainings: those in the background, at work or ended, and those that sessions wait for at the moment';
COMMENT ON COLUMN aread.run.run IS 'number of a background training; NULL: a session waits for it';
COMMENT ON COLUMN aread.run.model IS 'name of the model';
COMMENT ON COLUMN aread.run.version IS 'version that it made';
COMMENT ON COLUMN aread.run.role IS 'role as which it trains';
COMMENT ON COLUMN aread.run.source IS 'source relation, by its name at the start';
COMMENT ON COLUMN aread.run.state IS 'starting, running, done, failed, cancelled, or interrupted: its worker is gone, and aread_resume goes on from the checkpoint';
COMMENT ON COLUMN aread.run.phase IS 'reading, start (the wide part), warm-up (no masks yet), mask update, race: mmoe and race: hei (by default, until they are compared), training, masks (of hei, at the end), trees: features, trees: first forest, trees: pairs of features, trees: forest, or storing; of an ended one the last';
COMMENT ON COLUMN aread.run.epoch IS 'epoch';
COMMENT ON COLUMN aread.run.epochs IS 'epochs of the network at work, at most: in phase race: mmoe the two after which it is left; it ends sooner when validation rows gain nothing';
COMMENT ON COLUMN aread.run.batch IS 'batches of the epoch so far; while there are trees: steps of the phase';
COMMENT ON COLUMN aread.run.batches IS 'batches of an epoch; while there are trees: steps in all';
COMMENT ON COLUMN aread.run.loss IS 'mean training loss since the last evaluation';
COMMENT ON COLUMN aread.run.rows_per_second IS 'training rows a second since then, without mask updates';
COMMENT ON COLUMN aread.run.valid_auc IS 'AUC on validation rows at the last evaluation';
COMMENT ON COLUMN aread.run.valid_domain_auc IS 'domains'' AUC, weighted by their rows';
COMMENT ON COLUMN aread.run.valid_log_loss IS 'mean log loss';
COMMENT ON COLUMN aread.run.started_at IS 'when it was started first';
COMMENT ON COLUMN aread.run.ends_at IS 'when the last epoch ends if it goes on at its pace';
COMMENT ON COLUMN aread.run.ended_at IS 'when it ended';
COMMENT ON COLUMN aread.run.checkpoint_at IS 'when its checkpoint was written; NULL: it has none';
COMMENT ON COLUMN aread.run.checkpoint_bytes IS 'bytes of the checkpoint';
COMMENT ON COLUMN aread.run.attempts IS 'workers that it had: 1, and one more for each time that it was resumed';
COMMENT ON COLUMN aread.run.pid IS 'process that trains';
COMMENT ON COLUMN aread.run.error IS 'error that ended it';
COMMENT ON COLUMN aread.run.error_detail IS 'its detail';
COMMENT ON COLUMN aread.run.error_hint IS 'its hint';
COMMENT ON COLUMN aread.run.messages IS 'notices and warnings';

--
-- Rights.  What default privileges gave to the objects above, or to those of an earlier
-- version, is taken back from whoever has it.  Left alone are grants by hand, and
-- functions where PUBLIC has no EXECUTE: there somebody decided who has.
--

DO $$
DECLARE
  given record;
BEGIN
  FOR given IN
    SELECT o.kind, i.identity, r.rolname
    FROM pg_catalog.pg_depend d
    JOIN (SELECT tableoid, oid, CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, relowner AS owner, relacl AS acl
          FROM pg_catalog.pg_class WHERE relkind IN ('r', 'v', 'S')
          UNION ALL SELECT tableoid, oid, 'SCHEMA', nspowner, nspacl FROM pg_catalog.pg_namespace
          UNION ALL SELECT tableoid, oid, 'TYPE', typowner, typacl FROM pg_catalog.pg_type
          UNION ALL SELECT tableoid, oid, 'ROUTINE', proowner, proacl FROM pg_catalog.pg_proc) o
      ON o.tableoid = d.classid AND o.oid = d.objid
    -- The server notes what an object's rights were at the end of a script that gave or took
    -- some: that tells what an earlier script kept from grants by hand, and is noted here for all.
    LEFT JOIN pg_catalog.pg_init_privs p ON p.classoid = d.classid AND p.objoid = d.objid AND p.objsubid = 0
    CROSS JOIN LATERAL (SELECT grantee FROM pg_catalog.aclexplode(COALESCE(p.initprivs, o.acl))
                        UNION SELECT 0 WHERE p.initprivs IS NULL) a
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
    CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) i
    WHERE d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e'
      AND d.refobjid = (SELECT e.oid FROM pg_catalog.pg_extension e WHERE e.extname = 'aread')
      AND a.grantee <> o.owner
      AND CASE WHEN o.kind IN ('TYPE', 'ROUTINE')
               THEN r.rolname IS NOT NULL AND EXISTS (SELECT FROM pg_catalog.aclexplode(o.acl) e WHERE e.grantee = 0)
               ELSE r.rolname IS NOT NULL OR a.grantee = 0 END
  LOOP
    EXECUTE pg_catalog.format('REVOKE ALL ON %s %s FROM %s CASCADE', given.kind, given.identity,
                              COALESCE(pg_catalog.quote_ident(given.rolname), 'PUBLIC'));
  END LOOP;
END
$$;

REVOKE ALL ON FUNCTION @extschema@.aread_mend_roles() FROM PUBLIC;
GRANT USAGE ON SCHEMA aread TO PUBLIC;
GRANT SELECT ON aread.source, aread.model, aread.feature, aread.domain, aread.mask,
  aread.mask_overlap, aread.expert_usage, aread.mask_update, aread.mask_history,
  aread.training_log, aread.ranking, aread.cache, aread.run, aread.deployment TO PUBLIC;
-- what these views call, also where default privileges keep functions from PUBLIC
GRANT EXECUTE ON FUNCTION aread.has_role(aread.stored_role), aread.role_name(aread.stored_role, name), aread.as_role(oid),
  aread.mask_gates(bytea[]), aread.mask_overlaps(bytea[]), aread.mask_fates(jsonb, smallint[]), aread.mask_experts(bytea[]),
  aread.cached_versions(), aread.trainings(), aread.run_state(bigint) TO PUBLIC;
