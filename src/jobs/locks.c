/*
 * locks.c
 *	  Locks by which sessions know of workers.
 *
 * A worker holds two of them for as long as it lives: on its run, and on its
 * role.  As users' advisory locks do, they outlive a transaction that fails, and
 * end with the process.
 *
 * pg_advisory_unlock_all() gives them up.  Where functions of others run the
 * worker holds them for the transaction, too, which nothing gives up before its
 * end: else a role could evade its limit.
 */
#include "postgres.h"

#include "jobs/locks.h"

#include "catalog/access.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "lock_tag.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"

/* Of a worker; it lets others start, who lock out each other. */
#define AT_WORK AccessShareLock
#define STARTING ExclusiveLock

static LOCKTAG
run_tag(int64 id)
{
	return lock_tag(LOCK_OF_RUN, MyDatabaseId,
					get_relname_relid("stored_run", get_namespace_oid("aread", false)),
					(uint32) id);
}

/* Of no database: roles are the server's, and so are its workers. */
static LOCKTAG
role_tag(Oid role)
{
	return lock_tag(LOCK_OF_ROLE, InvalidOid, 0, role);
}

void
worker_lock(int64 run, Oid role, bool lasting)
{
	LOCKTAG		of_role = role_tag(role);
	LOCKTAG		of_run = run_tag(run);

	/* who sees the run's may count the role's */
	(void) LockAcquire(&of_role, AT_WORK, lasting, false);
	(void) LockAcquire(&of_run, ExclusiveLock, lasting, false);
}

bool
run_is_at_work(int64 id)
{
	LOCKTAG		tag = run_tag(id);

	if (LockAcquire(&tag, ShareLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
		return true;
	LockRelease(&tag, ShareLock, false);
	return false;
}

int
run_worker(int64 id, Oid *role)
{
	Oid			type = INT8OID;
	Datum		value = Int64GetDatum(id);
	CatalogAccess access;
	int			pid = 0;

	catalog_enter(&access);
	if (catalog_query("SELECT l.pid, r.objid"
					  " FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_database d"
					  " ON d.oid = l.database AND d.datname = pg_catalog.current_database()"
					  " JOIN pg_catalog.pg_locks r ON r.pid = l.pid"
					  " WHERE l.locktype = 'advisory' AND l.mode = 'ExclusiveLock' AND l.granted"
					  " AND l.classid = 'aread.stored_run'::pg_catalog.regclass"
					  " AND l.objid = ($1 % 4294967296)::pg_catalog.oid AND l.objsubid = "
					  CppAsString2(LOCK_OF_RUN)
					  " AND r.locktype = 'advisory' AND r.mode = 'AccessShareLock' AND r.granted"
					  " AND r.objsubid = " CppAsString2(LOCK_OF_ROLE), false, 1, &type, &value,
					  NULL) > 0)
	{
		pid = DatumGetInt32(catalog_value(0, 1, NULL));
		*role = DatumGetObjectId(catalog_value(0, 2, NULL));
	}
	catalog_leave(&access);
	return pid;
}

void
role_lock_starts(Oid role)
{
	LOCKTAG		tag = role_tag(role);

	(void) LockAcquire(&tag, STARTING, false, false);
}

void
role_unlock_starts(Oid role)
{
	LOCKTAG		tag = role_tag(role);

	LockRelease(&tag, STARTING, false);
}

int
role_workers(Oid role)
{
	Oid			type = OIDOID;
	Datum		value = ObjectIdGetDatum(role);
	CatalogAccess access;
	int			n;

	catalog_enter(&access);
	n = (int) catalog_query("SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory'"
							" AND mode = 'AccessShareLock' AND granted AND objid = $1"
							" AND objsubid = " CppAsString2(LOCK_OF_ROLE), false, 1, &type, &value,
							NULL);
	catalog_leave(&access);
	return n;
}
