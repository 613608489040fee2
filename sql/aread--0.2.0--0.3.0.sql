-- aread 0.2.0 to 0.3.0: nothing of others' is looked up, owners that survive renames and moves.
\echo Use "ALTER EXTENSION aread UPDATE TO '0.3.0'" to load this file. \quit

-- Nothing below is looked up where others can put objects: names without a schema
-- are those of pg_catalog, whatever lies in the target schema.
SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);

-- A trigger on a table of the extension runs as the extension's owner, and a foreign key
-- from elsewhere keeps its rows from being deleted.  Whoever had ALL on tables by default
-- privileges could make both; that right is taken back below.
DO $$
DECLARE
  planted record;
BEGIN
  FOR planted IN
    WITH own AS (
      SELECT d.objid AS relation FROM pg_catalog.pg_depend d
      WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e'
        AND d.refobjid = (SELECT e.oid FROM pg_catalog.pg_extension e WHERE e.extname = 'aread'))
    SELECT pg_catalog.format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass) AS command,
           pg_catalog.pg_describe_object(t.tableoid, t.oid, 0) AS what
    FROM pg_catalog.pg_trigger t
    WHERE t.tgrelid IN (SELECT relation FROM own) AND NOT t.tgisinternal
    UNION ALL
    SELECT pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname),
           pg_catalog.pg_describe_object(c.tableoid, c.oid, 0)
    FROM pg_catalog.pg_constraint c
    WHERE c.contype = 'f' AND c.conparentid = 0
      AND c.confrelid IN (SELECT relation FROM own) AND c.conrelid NOT IN (SELECT relation FROM own)
  LOOP
    EXECUTE planted.command;
    RAISE WARNING 'dropped %', planted.what
      USING HINT = 'No triggers belong on tables of aread, nor foreign keys to them.';
  END LOOP;
END
$$;

-- Views and SQL functions are made anew: those of an earlier version hold whatever
-- operators and functions its script found in the target schema.
DROP FUNCTION @extschema@.aread_card(text);
DROP FUNCTION @extschema@.aread_compare(text, text, regclass);
DROP FUNCTION @extschema@.aread_compare_domains(text, text, regclass);
DROP VIEW aread.run;
DROP VIEW aread.known_run;
DROP VIEW aread.cache;
DROP VIEW aread.training_log;
DROP VIEW aread.mask_history;
DROP VIEW aread.mask_update;
DROP VIEW aread.expert_usage;
DROP VIEW aread.mask_overlap;
DROP VIEW aread.mask;
DROP VIEW aread.domain;
DROP VIEW aread.feature;
DROP VIEW aread.model;
DROP VIEW aread.source;
DROP VIEW aread.visible_version;
DROP VIEW aread.usable_version;

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

-- Tables.  Roles whose OID and name did not agree belonged to nobody and still do:
-- a bare OID is no name.  aread_mend_roles finds those that a restore left so.
ALTER TABLE aread.stored_source ALTER COLUMN registered_by TYPE aread.stored_role USING
  (CASE WHEN registered_by = 0 THEN 'public'
    WHEN pg_catalog.pg_get_userbyid(registered_by) = registered_by_name THEN pg_catalog.quote_ident(registered_by_name)
    ELSE registered_by::text END)::aread.stored_role;
ALTER TABLE aread.stored_model ALTER COLUMN owner TYPE aread.stored_role USING
  (CASE WHEN owner = 0 THEN 'public'
    WHEN pg_catalog.pg_get_userbyid(owner) = owner_name THEN pg_catalog.quote_ident(owner_name)
    ELSE owner::text END)::aread.stored_role;
ALTER TABLE aread.stored_grant DROP CONSTRAINT stored_grant_pkey;
ALTER TABLE aread.stored_grant ALTER COLUMN grantee TYPE aread.stored_role USING
  (CASE WHEN grantee = 0 THEN 'public'
    WHEN pg_catalog.pg_get_userbyid(grantee) = grantee_name THEN pg_catalog.quote_ident(grantee_name)
    ELSE grantee::text END)::aread.stored_role;
ALTER TABLE aread.stored_grant ADD COLUMN grant_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY;
CREATE INDEX stored_grant_model_id_index ON aread.stored_grant (model_id);
SELECT pg_catalog.pg_extension_config_dump('aread.stored_grant_grant_id_seq', '');
COMMENT ON COLUMN aread.stored_source.registered_by_name IS 'name of that role at the time, for when it is gone';
COMMENT ON COLUMN aread.stored_model.owner IS 'role that it belongs to';
COMMENT ON COLUMN aread.stored_model.owner_name IS 'name of that role when it got the model, for when it is gone';
COMMENT ON COLUMN aread.stored_grant.grantee IS 'the role, or PUBLIC';
COMMENT ON COLUMN aread.stored_grant.grantee_name IS 'its name when it was granted, for when it is gone';
COMMENT ON COLUMN aread.stored_grant.grant_id IS 'never reused';
COMMENT ON COLUMN aread.stored_run.role_name IS 'its name at the start, for when it is gone';

SELECT pg_catalog.pg_extension_config_dump('aread.stored_source',
  'WHERE EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) stored_source.relation)');

-- Functions.
COMMENT ON FUNCTION aread.cached_versions() IS 'versions in shared memory, and those that this session has taken up, which the current role may score with; for the view aread.cache';
COMMENT ON FUNCTION @extschema@.aread_set_owner(text, name) IS 'give a model to another role, which one must be a member of; superusers also one whose owner is gone';

-- Runs: resumed by their own role, which names a source of another one; their
-- state is told to who has the role's rights.
COMMENT ON FUNCTION @extschema@.aread_resume(bigint) IS 'let a background training that was interrupted or has failed go on from its checkpoint, to the same model as if nothing had happened; for the run''s role, which is the current one; the rows of its source must be the same';

CREATE FUNCTION @extschema@.aread_resume(run bigint, source regclass)
RETURNS void
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_resume';
COMMENT ON FUNCTION @extschema@.aread_resume(bigint, regclass) IS 'the same for a run whose source belongs to another role: the caller names the source, so that nobody who can write the table of runs has functions of his run as the caller';

COMMENT ON FUNCTION aread.run_state(bigint) IS 'state of a background training at this moment, of a role whose rights one has, else NULL: one whose worker is gone is interrupted; for the view aread.run';

-- Views and SQL functions, as a new installation has them.
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

CREATE VIEW aread.usable_version WITH (security_barrier) AS
SELECT m.name AS model, v.*, v.version OPERATOR(pg_catalog.=) m.deployed_version AS deployed,
       aread.role_name(m.owner, m.owner_name) AS owner_name,
       m.comment AS model_comment,
       (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER)
       OR aread.has_role(m.owner) AS owned
FROM aread.stored_model m
JOIN aread.stored_version v USING (model_id)
WHERE (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER)
   OR aread.has_role(m.owner)
   OR EXISTS (SELECT FROM aread.stored_grant g
              WHERE g.model_id OPERATOR(pg_catalog.=) m.model_id AND aread.has_role(g.grantee));
COMMENT ON VIEW aread.usable_version IS 'versions of the models that the current role may score with; for the other views';

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
             WHERE g.model_id OPERATOR(pg_catalog.=) v.model_id ORDER BY 1) AS granted_to
FROM aread.usable_version v
LEFT JOIN aread.stored_evaluation e
  ON e.version_id OPERATOR(pg_catalog.=) v.version_id AND e.number OPERATOR(pg_catalog.=) v.best_evaluation;
COMMENT ON VIEW aread.model IS 'every version of every model: what it was trained on and how good it is';
COMMENT ON COLUMN aread.model.model IS 'name';
COMMENT ON COLUMN aread.model.version IS '1, 2, ...';
COMMENT ON COLUMN aread.model.deployed IS 'is it the version that scores?';
COMMENT ON COLUMN aread.model.owner IS 'role that owns the model';
COMMENT ON COLUMN aread.model.source IS 'relation that it was trained over, by its name then';
COMMENT ON COLUMN aread.model.architecture IS 'wide, fm, mmoe, hei, hemp or aread';
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
COMMENT ON COLUMN aread.model.bytes IS 'bytes of tensors, vocabularies and masks';
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
COMMENT ON COLUMN aread.model.best_epoch IS 'epoch whose parameters were kept; 0: the start';
COMMENT ON COLUMN aread.model.seconds IS 'seconds of training';
COMMENT ON COLUMN aread.model.crc IS 'CRC-32C over all tensors and masks: equal models have equal ones';
COMMENT ON COLUMN aread.model.software IS 'version of aread that trained it';
COMMENT ON COLUMN aread.model.trained_at IS 'when';
COMMENT ON COLUMN aread.model.comment IS 'what the owner says about the version';
COMMENT ON COLUMN aread.model.model_comment IS 'what the owner says about the model';
COMMENT ON COLUMN aread.model.granted_to IS 'roles that may score with the model, beside its owner''s';

CREATE VIEW aread.feature WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, LEAST(f.position, 1000000) OPERATOR(pg_catalog.+) 1 AS position, f.name, f.kind,
       f.type_name AS type,
       CASE f.position WHEN v.domain_feature THEN 'domain' WHEN v.user_feature THEN 'user'
                       WHEN v.item_feature THEN 'item' END AS role,
       (SELECT pg_catalog.min(o.name) FROM aread.stored_feature o
        WHERE o.version_id OPERATOR(pg_catalog.=) f.version_id AND o.vocabulary OPERATOR(pg_catalog.=) f.vocabulary
          AND o.position OPERATOR(pg_catalog.<>) f.position) AS shares_with,
       GREATEST(f.vocabulary_rows, 3) OPERATOR(pg_catalog.-) 3 AS "values", f.min_count,
       CASE WHEN v.owned AND f.kind OPERATOR(pg_catalog.=) 'binned' THEN f.edges END AS edges,
       f.weight_sd, f.domain_weights, f.domain_weight_sd, f.goes_with_item
FROM aread.usable_version v
JOIN aread.stored_feature f USING (version_id);
COMMENT ON VIEW aread.feature IS 'features of each version';
COMMENT ON COLUMN aread.feature.model IS 'name of the model';
COMMENT ON COLUMN aread.feature.version IS 'its version';
COMMENT ON COLUMN aread.feature.deployed IS 'is it the version that scores?';
COMMENT ON COLUMN aread.feature.position IS 'place in the network''s input, from 1';
COMMENT ON COLUMN aread.feature.name IS 'column name';
COMMENT ON COLUMN aread.feature.kind IS 'categorical, binned, list, or rows: how many training rows the user or the item has';
COMMENT ON COLUMN aread.feature.type IS 'type of the values, of a list of its members';
COMMENT ON COLUMN aread.feature.role IS 'domain, user or item';
COMMENT ON COLUMN aread.feature.shares_with IS 'a feature with the same vocabulary';
COMMENT ON COLUMN aread.feature."values" IS 'distinct values, bins or buckets known to the model';
COMMENT ON COLUMN aread.feature.min_count IS 'rarer values share one id';
COMMENT ON COLUMN aread.feature.edges IS 'bin edges of a binned feature; they are values of single rows, so NULL in models that are not one''s own';
COMMENT ON COLUMN aread.feature.weight_sd IS 'how much its values matter: standard deviation of their wide weights in logits, as the L2 implies it; NULL without a wide part';
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

CREATE VIEW aread.mask WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, d.name AS domain, g.layer, g.lower_expert,
       g.upper_expert, g.open, g.gate
FROM aread.visible_version v
CROSS JOIN LATERAL aread.mask_gates(ARRAY(
  SELECT c.data FROM aread.stored_chunk c
  WHERE c.version_id OPERATOR(pg_catalog.=) v.version_id AND c.kind OPERATOR(pg_catalog.=) 'masks' ORDER BY c.chunk)) g
JOIN aread.stored_domain d ON d.version_id OPERATOR(pg_catalog.=) v.version_id AND d.number OPERATOR(pg_catalog.=) g.domain;
COMMENT ON VIEW aread.mask IS 'masks: for each domain which experts feed which, with what weight';
COMMENT ON COLUMN aread.mask.model IS 'name of the model';
COMMENT ON COLUMN aread.mask.version IS 'its version';
COMMENT ON COLUMN aread.mask.deployed IS 'is it the version that scores?';
COMMENT ON COLUMN aread.mask.domain IS 'value of the domain column';
COMMENT ON COLUMN aread.mask.layer IS 'layer of the upper expert, from 2';
COMMENT ON COLUMN aread.mask.lower_expert IS 'expert of the layer below, from 1';
COMMENT ON COLUMN aread.mask.upper_expert IS 'expert of the layer, from 1';
COMMENT ON COLUMN aread.mask.open IS 'does the lower expert feed the upper one in this domain?';
COMMENT ON COLUMN aread.mask.gate IS 'its weight; those of an upper expert sum to 1';

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

CREATE VIEW aread.expert_usage WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, d.name AS domain, e.layer, e.expert, e.used, e.inputs,
       e.outputs, e.flow
FROM aread.visible_version v
CROSS JOIN LATERAL aread.mask_experts(ARRAY(
  SELECT c.data FROM aread.stored_chunk c
  WHERE c.version_id OPERATOR(pg_catalog.=) v.version_id AND c.kind OPERATOR(pg_catalog.=) 'masks' ORDER BY c.chunk)) e
JOIN aread.stored_domain d ON d.version_id OPERATOR(pg_catalog.=) v.version_id AND d.number OPERATOR(pg_catalog.=) e.domain;
COMMENT ON VIEW aread.expert_usage IS 'which experts each domain uses, and how much of its score passes through them';
COMMENT ON COLUMN aread.expert_usage.model IS 'name of the model';
COMMENT ON COLUMN aread.expert_usage.version IS 'its version';
COMMENT ON COLUMN aread.expert_usage.deployed IS 'is it the version that scores?';
COMMENT ON COLUMN aread.expert_usage.domain IS 'value of the domain column';
COMMENT ON COLUMN aread.expert_usage.layer IS 'layer, from 1';
COMMENT ON COLUMN aread.expert_usage.expert IS 'expert of the layer, from 1';
COMMENT ON COLUMN aread.expert_usage.used IS 'does the domain''s mask use it?';
COMMENT ON COLUMN aread.expert_usage.inputs IS 'experts below that feed it; NULL in layer 1';
COMMENT ON COLUMN aread.expert_usage.outputs IS 'experts above that it feeds; NULL in the last layer, where it has a head';
COMMENT ON COLUMN aread.expert_usage.flow IS 'share of the score''s paths that pass through it: heads count alike, an expert hands its share down by its gates; a layer sums to 1';

CREATE VIEW aread.mask_update WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, u.number, d.name AS domain, u.batches, u.seconds,
       u.start_density, u.end_density, u.loss, u.steps
FROM aread.visible_version v
JOIN aread.stored_mask_update u USING (version_id)
JOIN aread.stored_domain d ON d.version_id OPERATOR(pg_catalog.=) v.version_id AND d.number OPERATOR(pg_catalog.=) u.domain;
COMMENT ON VIEW aread.mask_update IS 'what each mask update of a training decided';
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

CREATE VIEW aread.training_log WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, e.number AS evaluation, e.epoch, e.epoch_end, e.batches,
       e.train_loss, e.measures[6] AS valid_loss, e.measures[1] AS auc,
       e.measures[2] AS domain_auc, e.measures[3] AS major5_auc, e.measures[4] AS minor10_auc,
       e.measures[5] AS minor5_auc, e.rows_per_second, e.mask_updates, e.seconds, e.best
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
COMMENT ON COLUMN aread.training_log.train_loss IS 'mean loss since the evaluation before';
COMMENT ON COLUMN aread.training_log.valid_loss IS 'mean log loss on validation rows';
COMMENT ON COLUMN aread.training_log.auc IS 'AUC over all of them';
COMMENT ON COLUMN aread.training_log.domain_auc IS 'domains'' AUC, weighted by their rows';
COMMENT ON COLUMN aread.training_log.major5_auc IS 'the same over the 5 largest domains';
COMMENT ON COLUMN aread.training_log.minor10_auc IS 'the same over the 10 smallest domains';
COMMENT ON COLUMN aread.training_log.minor5_auc IS 'the same over the 5 smallest domains';
COMMENT ON COLUMN aread.training_log.rows_per_second IS 'training rows per second since the evaluation before';
COMMENT ON COLUMN aread.training_log.mask_updates IS 'mask updates so far';
COMMENT ON COLUMN aread.training_log.seconds IS 'since training began';
COMMENT ON COLUMN aread.training_log.best IS 'better than all before';

CREATE FUNCTION @extschema@.aread_compare(model_a text, model_b text, source regclass)
RETURNS TABLE (measure text, a float8, b float8, difference float8)
LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE ROWS 6
BEGIN ATOMIC
  WITH a AS MATERIALIZED (SELECT * FROM @extschema@.aread_evaluate($1, $3)),
       b AS MATERIALIZED (SELECT * FROM @extschema@.aread_evaluate($2, $3))
  SELECT m.measure, m.a, m.b, m.b OPERATOR(pg_catalog.-) m.a
  FROM a, b, LATERAL (VALUES
    ('AUC', a.auc, b.auc), ('DomainAUC', a.domain_auc, b.domain_auc), ('Major5AUC', a.major5_auc, b.major5_auc),
    ('Minor10AUC', a.minor10_auc, b.minor10_auc), ('Minor5AUC', a.minor5_auc, b.minor5_auc),
    ('log loss', a.log_loss, b.log_loss)) m(measure, a, b);
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
    '| rows | AUC | DomainAUC | Major5AUC | Minor10AUC | Minor5AUC | log loss |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    pg_catalog.concat('| validation | ', pg_catalog.concat_ws(' | ', VARIADIC ARRAY(SELECT COALESCE(pg_catalog.round(v::numeric, 4)::text, '-') FROM pg_catalog.unnest(ARRAY[m.valid_auc, m.valid_domain_auc,
      m.valid_major5_auc, m.valid_minor10_auc, m.valid_minor5_auc, m.valid_log_loss]) v)), ' |'),
    pg_catalog.concat('| test | ', pg_catalog.concat_ws(' | ', VARIADIC ARRAY(SELECT COALESCE(pg_catalog.round(v::numeric, 4)::text, '-') FROM pg_catalog.unnest(ARRAY[m.test_auc, m.test_domain_auc,
      m.test_major5_auc, m.test_minor10_auc, m.test_minor5_auc, m.test_log_loss]) v)), ' |'))
  FROM named n JOIN aread.model m ON m.model OPERATOR(pg_catalog.=) n.name AND (m.version OPERATOR(pg_catalog.=) n.version OR (n.version IS NULL AND m.deployed));
END;
COMMENT ON FUNCTION @extschema@.aread_card(text) IS
'a model, or a version of it (''shop@3''), described in Markdown: source, options, rows, measures; NULL if the current role knows no such model';

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

CREATE VIEW aread.known_run WITH (security_barrier) AS
SELECT r.*,
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
COMMENT ON COLUMN aread.run.phase IS 'reading, start (the wide part), warm-up (no masks yet), mask update, training or storing; of an ended one the last';
COMMENT ON COLUMN aread.run.epoch IS 'epoch';
COMMENT ON COLUMN aread.run.epochs IS 'epochs at most: it ends sooner when validation rows gain nothing';
COMMENT ON COLUMN aread.run.batch IS 'batches of the epoch so far';
COMMENT ON COLUMN aread.run.batches IS 'batches of an epoch';
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
COMMENT ON COLUMN aread.run.attempts IS 'workers that it had: 1, and one more for each aread_resume';
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
  aread.training_log, aread.cache, aread.run TO PUBLIC;
-- what these views call, also where default privileges keep functions from PUBLIC
GRANT EXECUTE ON FUNCTION aread.has_role(aread.stored_role), aread.role_name(aread.stored_role, name), aread.as_role(oid),
  aread.mask_gates(bytea[]), aread.mask_overlaps(bytea[]), aread.mask_fates(jsonb, smallint[]), aread.mask_experts(bytea[]),
  aread.cached_versions(), aread.trainings(), aread.run_state(bigint) TO PUBLIC;
