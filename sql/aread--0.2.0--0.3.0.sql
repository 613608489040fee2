-- aread 0.2.0 to 0.3.0: nothing of others' is looked up, owners that survive renames and moves.
\echo Use "ALTER EXTENSION aread UPDATE TO '0.3.0'" to load this file. \quit

-- Nothing below is looked up where others can put objects: names without a schema
-- are those of pg_catalog, whatever lies in the target schema.
SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);

-- Runs: resumed by their own role, which names a source of another one; their
-- state is told to who has the role's rights.
COMMENT ON FUNCTION @extschema@.aread_resume(bigint) IS 'let a background training that was interrupted or has failed go on from its checkpoint, to the same model as if nothing had happened; for the run''s role, which is the current one; the rows of its source must be the same';

CREATE FUNCTION @extschema@.aread_resume(run bigint, source regclass)
RETURNS void
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_resume';
COMMENT ON FUNCTION @extschema@.aread_resume(bigint, regclass) IS 'the same for a run whose source belongs to another role: the caller names the source, so that nobody who can write the table of runs has functions of his run as the caller';

COMMENT ON FUNCTION aread.run_state(bigint) IS 'state of a background training at this moment, of a role whose rights one has, else NULL: one whose worker is gone is interrupted; for the view aread.run';
