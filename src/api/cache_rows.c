/*
 * cache_rows.c
 *	  The view aread.cache and aread_cache_clear(): models ready to score.
 */
#include "postgres.h"

#include "catalog/rights.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "serve/cache.h"
#include "serve/shared.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

typedef struct CacheRow
{
	int64		version_id;
	const char *place;
	Size		bytes;
	int64		hits;
	int64		loads;
	TimestampTz loaded;
	TimestampTz used;
} CacheRow;

/* in_use: NULL is not known. */
static void
put_row(ReturnSetInfo *rsinfo, const CacheRow *row, const bool *in_use)
{
	Datum		values[8];
	bool		nulls[8] = {false};

	values[0] = Int64GetDatum(row->version_id);
	values[1] = CStringGetTextDatum(row->place);
	values[2] = Int64GetDatum((int64) row->bytes);
	values[3] = Int64GetDatum(row->hits);
	values[4] = Int64GetDatum(row->loads);
	values[5] = TimestampTzGetDatum(row->loaded);
	values[6] = TimestampTzGetDatum(row->used);
	values[7] = BoolGetDatum(in_use && *in_use);
	nulls[7] = !in_use;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(aread_cached_versions);
/* aread.cached_versions(): those that the role may score with, by their ids. */
Datum
aread_cached_versions(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			catalog = catalog_relation();
	SharedModel shared;
	CachedModel own;
	bool		used;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; shared_model(i, &shared, &used); i++)
	{
		CacheRow	row = {.version_id = shared.version_id,.place = "shared",.bytes = shared.bytes,
			.hits = shared.hits,.loads = shared.loads,.loaded = shared.loaded,
		.used = shared.used};

		/* an extension that was created anew counts its versions from 1 again */
		if (used && shared.catalog == catalog && catalog_may_use(shared.version_id))
			put_row(rsinfo, &row, NULL);
	}
	for (int i = 0; cache_entry(i, &own); i++)
	{
		CacheRow	row = {.version_id = own.version->id,.place = "session",.bytes = own.bytes,
			.hits = own.hits,.loads = 1,.loaded = own.loaded,.used = own.used};

		if (own.version->catalog == catalog && catalog_may_use(own.version->id))
			put_row(rsinfo, &row, &own.pinned);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(aread_cache_clear);
/* aread_cache_clear(shared): how many models were forgotten */
Datum
aread_cache_clear(PG_FUNCTION_ARGS)
{
	bool		shared = PG_GETARG_BOOL(0);

	if (shared && !superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be superuser to clear shared memory"),
				 errhint("aread_cache_clear() forgets what this session keeps.")));
	PG_RETURN_INT32(cache_clear() + (shared ? shared_clear() : 0));
}
