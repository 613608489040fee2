/*
 * model_lock.c
 *	  From a model's name to a row that may be written: the only way.
 *
 * Steps of lock_model(): the name's lock is taken; the row is looked up as it is at
 * this moment; a missing one is made, where the caller says so; rights are checked;
 * the row is updated without a change.  The update locks out writers that know
 * nothing of the name's lock, and fails for transactions with an older snapshot.
 *
 * Two names are locked in the order of their keys.  Locks last until the transaction
 * ends.
 */
#include "postgres.h"

#include "catalog/model_lock.h"

#include "access/xact.h"
#include "catalog/access.h"
#include "catalog/arguments.h"
#include "catalog/pg_type.h"
#include "catalog/rights.h"
#include "fault.h"
#include "lock_tag.h"
#include "miscadmin.h"
#include "sha256.h"
#include "utils/builtins.h"

#define MODEL_COLUMNS "name, owner, model_id, deployed_version, previous_version"

/*
 * What stands for a name among locks: 64 bits of its SHA-256.  Of a shorter hash,
 * or one that can be turned round, another name could be found, and whoever
 * locks that would keep the model's owner out.
 */
static uint64
name_key(const char *name)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	uint64		key;

	sha256_of(name, (int) strlen(name), digest);
	memcpy(&key, digest, sizeof(key));
	return key;
}

/* Until the transaction ends. */
static void
lock_name(const char *name)
{
	uint64		key = name_key(name);
	LOCKTAG		tag = lock_tag(LOCK_OF_NAME, MyDatabaseId, (uint32) (key >> 32), (uint32) key);

	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

/* Select the model of a name as it is at this moment; false: there is none. */
static bool
select_now(const char *name)
{
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(name);

	CommandCounterIncrement();
	return catalog_query_now("SELECT " MODEL_COLUMNS " FROM aread.stored_model WHERE name = $1",
							 1, &type, &value) == 1;
}

/* Out of the row that was selected, which must be the user's. */
static LockedModel
take_model(Oid user, const char *name)
{
	LockedModel model = {.name = name,.user = user};
	bool		isnull;
	Datum		previous;

	if (!row_is_owned(user, 0))
		no_right(name);
	model.id = DatumGetInt64(catalog_value(0, 3, NULL));
	model.deployed = DatumGetInt32(catalog_value(0, 4, NULL));
	previous = catalog_value(0, 5, &isnull);
	model.previous = isnull ? 0 : DatumGetInt32(previous);
	return model;
}

static void
make_model(Oid user, const char *name)
{
	Arguments	arguments = {0};

	model_name_check(name);
	add_text(&arguments, name);
	add_oid(&arguments, user);
	add_text(&arguments, GetUserNameFromId(user, false));
	run_statement("INSERT INTO aread.stored_model (name, owner, owner_name, deployed_version)"
				  " VALUES ($1, aread.as_role($2), $3, 0)", &arguments);
}

/*
 * The row itself, against those who write without us: superusers by hand, and
 * replication, which may have taken it away.  It is updated, not only locked: so a
 * transaction whose snapshot is older than what another one did with the model,
 * with its versions or its grants, cannot have it, and writes nothing by what it
 * does not see.
 */
static LockedModel
lock_row(Oid user, const LockedModel *found)
{
	Arguments	arguments = {0};
	volatile bool locked = false;

	add_int8(&arguments, found->id);
	add_text(&arguments, found->name);
	PG_TRY();
	{
		locked = run_statement("UPDATE aread.stored_model SET last_version = last_version"
							   " WHERE model_id = $1 AND name = $2 RETURNING " MODEL_COLUMNS,
							   &arguments) == 1;
	}
	PG_CATCH();
	{
		if (geterrcode() != ERRCODE_T_R_SERIALIZATION_FAILURE)
			PG_RE_THROW();
		FlushErrorState();
	}
	PG_END_TRY();
	if (!locked)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("model \"%s\" was changed by another session", found->name),
				 errhint("Try again in a new transaction; of isolation level read committed it waits instead.")));
	return take_model(user, found->name);
}

bool
lock_model(Oid user, const char *name, IfMissing missing, LockedModel *model)
{
	bool		found;

	lock_name(name);
	found = select_now(name);
	fault_wait("name");
	if (!found && missing == MISSING_IS_ERROR)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" does not exist", name),
				 errhint("The view aread.model lists models.")));
	if (!found && missing == MISSING_IS_MADE)
	{
		make_model(user, name);
		found = select_now(name);
	}
	if (!found)
		return false;
	*model = take_model(user, name);
	*model = lock_row(user, model);
	return true;
}

static void
check_free(const char *name)
{
	if (select_now(name))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("model \"%s\" already exists", name)));
}

LockedModel
lock_model_to_rename(Oid user, const char *name, const char *new_name)
{
	LockedModel model;

	model_name_check(new_name);
	/* before the locks: who waits for a model must not keep the owner of another from it */
	check_free(new_name);
	/* both names in one order, so that two who rename do not wait for each other */
	if (name_key(new_name) < name_key(name))
		lock_name(new_name);
	lock_model(user, name, MISSING_IS_ERROR, &model);
	lock_name(new_name);
	check_free(new_name);
	return model;
}
