/*
 * runs.c
 *	  Background trainings as rows.
 *
 * All statements run as the extension's owner (catalog/access.h), with rights
 * checked here.  What a session decides by is read as it is at that moment, whatever
 * the snapshot of its transaction, and under a lock of the row where it writes.
 *
 * A worker writes by its run's number and its own process id: a row that has another
 * one is another run's, and the worker ends with an error.  Checkpoints are chunks
 * (catalog/chunks.h) that replace one another.
 */
#include "postgres.h"

#include "jobs/runs.h"

#include <math.h>

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/access.h"
#include "catalog/chunks.h"
#include "catalog/pg_type.h"
#include "corrupt.h"
#include "fmgr.h"
#include "jobs/locks.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* What is kept of a message, of its detail, and of its hint. */
#define MAX_MESSAGE (8 * 1024)
/* Of a run's own worker. */
#define OWN " AND pid = pg_catalog.pg_backend_pid()"
#define DELETE_PARTS "DELETE FROM aread.stored_checkpoint WHERE run_id = $1"

static const char *const state_names[] = {
	[RUN_STARTING] = "starting",[RUN_RUNNING] = "running",[RUN_DONE] = "done",
	[RUN_FAILED] = "failed",[RUN_CANCELLED] = "cancelled",[RUN_INTERRUPTED] = "interrupted"
};

const char *
run_state_name(RunState state)
{
	return state_names[state];
}

static RunState
state_by_name(const char *name)
{
	for (int i = 0; i < lengthof(state_names); i++)
		if (strcmp(state_names[i], name) == 0)
			return i;
	stored_corrupt("run", "Its state is not known.");
}

/* A statement about one run; the others' arguments come before. */
static uint64
run_on(const char *sql, int64 id, Arguments *arguments)
{
	Arguments	none = {0};
	CatalogAccess access;
	uint64		n;

	if (!arguments)
		arguments = &none;
	add_int8(arguments, id);
	catalog_enter(&access);
	n = run_statement(sql, arguments);
	catalog_leave(&access);
	return n;
}

/*
 * What a worker writes of its run.  A row of that number that has another
 * worker is another run, of an extension that was made anew, or has been resumed.
 */
static void
run_own(const char *sql, int64 id, Arguments *arguments)
{
	if (run_on(sql, id, arguments) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("run " INT64_FORMAT " is not this process's any more", id)));
}

int64
run_new_id(void)
{
	CatalogAccess access;
	int64		id;

	catalog_enter(&access);
	catalog_query("SELECT pg_catalog.nextval('aread.stored_run_run_id_seq')", false, 0, NULL,
				  NULL, NULL);
	id = DatumGetInt64(catalog_value(0, 1, NULL));
	catalog_leave(&access);
	return id;
}

void
run_insert(const Run *run)
{
	Arguments	arguments = {0};

	catalog_add_roles(&arguments, run->roles);
	add_oid(&arguments, run->source);
	add_text(&arguments, run->source_name);
	add_text(&arguments, run->model);
	add_oid(&arguments, run->role);
	add_text(&arguments, run->role_name);
	add_argument(&arguments, JSONBOID, JsonbPGetDatum(run->options), false);
	add_argument(&arguments, TEXTARRAYOID, PointerGetDatum(run->settings), false);
	add_int4(&arguments, run->pid);
	add_bool(&arguments, run->name_given);
	run_on("INSERT INTO aread.stored_run (label, domain, user_id, item_id, split, weight, features,"
		   " source, source_name, model, role, role_name, options, settings, pid, name_given, run_id,"
		   " state, attempts, started_at)"
		   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,"
		   " 'starting', 1, pg_catalog.clock_timestamp())", run->id, &arguments);
}

void
run_restart(const Run *run)
{
	Arguments	arguments = {0};

	add_int4(&arguments, run->pid);
	add_argument(&arguments, TEXTARRAYOID, PointerGetDatum(run->settings), false);
	run_on("UPDATE aread.stored_run SET state = 'starting', pid = $1, settings = $2,"
		   " attempts = attempts + 1, ended_at = NULL, phase = NULL, error_code = NULL,"
		   " error = NULL, error_detail = NULL, error_hint = NULL WHERE run_id = $3", run->id,
		   &arguments);
}

bool
run_take_over(int64 id)
{
	return run_on("UPDATE aread.stored_run SET state = 'starting', pid = pg_catalog.pg_backend_pid(),"
				  " attempts = attempts + 1, phase = NULL"
				  " WHERE run_id = $1 AND state IN ('starting', 'running')", id, NULL) == 1;
}

/* Out of the row that run_find() selects. */
static Run *
take_run(int64 id, MemoryContext context)
{
	MemoryContext old;
	Run		   *run = MemoryContextAllocZero(context, sizeof(Run));
	bool		isnull;
	Datum		value;

	run->id = id;
	run->roles = catalog_take_roles(context);
	run->source = DatumGetObjectId(catalog_value(0, 8, NULL));
	run->source_name = catalog_text(9, context);
	run->model = catalog_text(10, context);
	run->role = DatumGetObjectId(catalog_value(0, 11, NULL));
	run->role_name = MemoryContextStrdup(context, NameStr(*DatumGetName(catalog_value(0, 12, NULL))));
	run->pid = DatumGetInt32(catalog_value(0, 15, NULL));
	run->state = state_by_name(TextDatumGetCString(catalog_value(0, 16, NULL)));
	value = catalog_value(0, 17, &isnull);
	run->has_checkpoint = !isnull;
	run->fingerprint = isnull ? 0 : (uint32) DatumGetInt64(value);
	run->software = catalog_text(18, context);
	value = catalog_value(0, 19, &isnull);
	run->version = isnull ? 0 : DatumGetInt32(value);
	run->error_code = catalog_text(20, context);
	run->error = catalog_text(21, context);
	run->error_detail = catalog_text(22, context);
	run->error_hint = catalog_text(23, context);
	run->name_given = DatumGetBool(catalog_value(0, 24, NULL));
	old = MemoryContextSwitchTo(context);
	run->options = DatumGetJsonbPCopy(catalog_value(0, 13, NULL));
	value = catalog_value(0, 14, &isnull);
	run->settings = isnull ? NULL : DatumGetArrayTypePCopy(value);
	MemoryContextSwitchTo(old);
	return run;
}

/* Under the latest snapshot, whatever that of the caller's transaction is. */
Run *
run_read(int64 id)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			type = INT8OID;
	Datum		value = Int64GetDatum(id);
	CatalogAccess access;
	Run		   *run = NULL;

	catalog_enter(&access);
	if (catalog_query_now("SELECT label, domain, user_id, item_id, split, weight, features, source,"
						  " source_name, model, role, role_name, options, settings, pid, state,"
						  " fingerprint, software, version, error_code, error, error_detail,"
						  " error_hint, name_given FROM aread.stored_run WHERE run_id = $1", 1, &type,
						  &value) == 1)
		run = take_run(id, context);
	catalog_leave(&access);
	return run;
}

static bool
says_at_work(const Run *run)
{
	return run && (run->state == RUN_STARTING || run->state == RUN_RUNNING);
}

/*
 * A row that says that the run is at work, read after the lock was found free:
 * the worker is gone, and did not get to say how it ended.
 */
Run *
run_find(int64 id)
{
	Run		   *run = run_read(id);

	if (!says_at_work(run) || RecoveryInProgress() || run_is_at_work(id))
		return run;
	run = run_read(id);
	if (says_at_work(run) && !run_is_at_work(id))
		run->state = RUN_INTERRUPTED;
	return run;
}

void
run_lock_row(int64 id)
{
	if (run_on("SELECT FROM aread.stored_run WHERE run_id = $1 FOR UPDATE", id, NULL) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("run " INT64_FORMAT " is newer than the transaction's snapshot", id),
				 errhint("Try again in a new transaction.")));
}

bool
run_is_known(const Run *run)
{
	return superuser() || has_privs_of_role(GetUserId(), run->role);
}

void
run_no_right(int64 id)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for run " INT64_FORMAT, id),
			 errdetail("It was started by another role.")));
}

Run *
run_require(int64 id)
{
	Run		   *run = run_find(id);

	if (!run)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("run " INT64_FORMAT " does not exist", id),
				 errhint("The view aread.run lists trainings.")));
	if (!run_is_known(run))
		run_no_right(id);
	return run;
}

bool
run_is_uncommitted(int64 id)
{
	Oid			type = INT8OID;
	Datum		value = Int64GetDatum(id);
	CatalogAccess access;
	bool		own = false;

	catalog_enter(&access);
	if (catalog_query_now("SELECT xmin FROM aread.stored_run WHERE run_id = $1", 1, &type,
						  &value) == 1)
		own = TransactionIdIsCurrentTransactionId(DatumGetTransactionId(catalog_value(0, 1, NULL)));
	catalog_leave(&access);
	return own;
}

void
run_started(int64 id)
{
	run_own("UPDATE aread.stored_run SET state = 'running', phase = 'reading'"
			" WHERE run_id = $1" OWN, id, NULL);
}

void
run_progress(int64 id, const Training *training, const char *messages)
{
	Arguments	arguments = {0};
	bool		begun = training->batches > 0;

	/* what is not known yet stays as an earlier worker left it */
	add_text(&arguments, training->pid != 0 ? training->phase : NULL);
	add_argument(&arguments, INT4OID, Int32GetDatum(training->epoch), !begun);
	add_argument(&arguments, INT4OID, Int32GetDatum(training->epochs), training->epochs == 0);
	add_argument(&arguments, INT8OID, Int64GetDatum((int64) training->batch), !begun);
	add_argument(&arguments, INT8OID, Int64GetDatum((int64) training->batches), !begun);
	add_float8(&arguments, begun ? training->loss : NAN);
	add_float8(&arguments, begun ? training->rows_per_second : NAN);
	add_float8(&arguments, training->pid != 0 ? training->auc : NAN);
	add_float8(&arguments, training->pid != 0 ? training->domain_auc : NAN);
	add_float8(&arguments, training->pid != 0 ? training->log_loss : NAN);
	add_text(&arguments, messages);
	run_own("UPDATE aread.stored_run SET phase = COALESCE($1, phase), epoch = COALESCE($2, epoch),"
			" epochs = COALESCE($3, epochs), batch = COALESCE($4, batch),"
			" batches = COALESCE($5, batches), loss = COALESCE($6, loss),"
			" rows_per_second = COALESCE($7, rows_per_second),"
			" valid_auc = COALESCE($8, valid_auc),"
			" valid_domain_auc = COALESCE($9, valid_domain_auc),"
			" valid_log_loss = COALESCE($10, valid_log_loss),"
			" messages = NULLIF(pg_catalog.concat(messages, $11), '')"
			" WHERE run_id = $12" OWN, id, &arguments);
}

static void
drop_checkpoint(int64 id)
{
	run_on(DELETE_PARTS, id, NULL);
	run_on("UPDATE aread.stored_run SET fingerprint = NULL, software = NULL, checkpoint_at = NULL,"
		   " checkpoint_bytes = NULL WHERE run_id = $1", id, NULL);
}

void
run_done(int64 id, int32 version)
{
	Arguments	arguments = {0};

	add_int4(&arguments, version);
	run_own("UPDATE aread.stored_run SET state = 'done', phase = NULL, version = $1,"
			" ended_at = pg_catalog.clock_timestamp() WHERE run_id = $2" OWN, id, &arguments);
	drop_checkpoint(id);
}

void
run_check_software(const Run *run)
{
	if (!run->software)
		stored_corrupt("checkpoint", "It does not say what wrote it.");
	if (strcmp(run->software, SOFTWARE) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the checkpoint of run " INT64_FORMAT " was written by %s", run->id,
						run->software),
				 errdetail("This is %s.", SOFTWARE),
				 errhint("Start anew with aread_train_start.")));
}

char *
run_clip(const char *message)
{
	int			length = message ? pg_mbcliplen(message, strlen(message), MAX_MESSAGE) : 0;

	if (!message)
		return NULL;
	return psprintf("%.*s%s", length, message, message[length] == '\0' ? "" : "...");
}

void
run_failed(int64 id, RunState state, const ErrorData *error)
{
	Arguments	arguments = {0};

	add_text(&arguments, run_state_name(state));
	add_text(&arguments, error ? unpack_sql_state(error->sqlerrcode) : NULL);
	add_text(&arguments, error ? run_clip(error->message) : NULL);
	add_text(&arguments, error ? run_clip(error->detail) : NULL);
	add_text(&arguments, error ? run_clip(error->hint) : NULL);
	run_on("UPDATE aread.stored_run SET state = $1, error_code = $2, error = $3,"
		   " error_detail = $4, error_hint = $5, ended_at = pg_catalog.clock_timestamp()"
		   " WHERE run_id = $6", id, &arguments);
	if (state == RUN_CANCELLED)
		drop_checkpoint(id);
}

void
run_forget(int64 id)
{
	run_on("DELETE FROM aread.stored_run WHERE run_id = $1", id, NULL);
}

void
run_save_checkpoint(int64 id, uint32 fingerprint, const CheckpointPart *parts, int n)
{
	Arguments	arguments = {0};
	CatalogAccess access;
	int64		bytes = 0;

	run_on(DELETE_PARTS, id, NULL);
	catalog_enter(&access);
	for (int i = 0; i < n; i++)
	{
		bytes += (int64) parts[i].size;
		chunks_write("INSERT INTO aread.stored_checkpoint VALUES ($1, $3, $4, $5)", id,
					 "checkpoint", parts[i].name, parts[i].bytes, parts[i].size);
	}
	catalog_leave(&access);
	add_int8(&arguments, fingerprint);
	add_int8(&arguments, bytes);
	add_text(&arguments, SOFTWARE);
	run_own("UPDATE aread.stored_run SET fingerprint = $1, checkpoint_bytes = $2, software = $3,"
			" checkpoint_at = pg_catalog.clock_timestamp() WHERE run_id = $4" OWN, id, &arguments);
}

void
run_load_checkpoint(int64 id, const CheckpointPart *part)
{
	CatalogAccess access;

	catalog_enter(&access);
	chunks_read("SELECT chunk, data FROM aread.stored_checkpoint"
				" WHERE run_id = $1 AND name = $3 ORDER BY chunk", id, "checkpoint", part->name,
				part->bytes, part->size);
	catalog_leave(&access);
}
