/*
 * cache.c
 *	  The view aread.cache and aread_cache_clear(): what a session keeps loaded.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "serve/cache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(aread_cached_versions);
/* aread.cached_versions(): versions by their ids; the view shows those that the role may see. */
Datum
aread_cached_versions(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	CachedModel cached;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; cache_entry(i, &cached); i++)
	{
		Datum		values[6];
		bool		nulls[6] = {false};

		values[0] = Int64GetDatum(cached.version->id);
		values[1] = Int64GetDatum((int64) cached.bytes);
		values[2] = Int64GetDatum(cached.hits);
		values[3] = TimestampTzGetDatum(cached.loaded);
		values[4] = TimestampTzGetDatum(cached.used);
		values[5] = BoolGetDatum(cached.pinned);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(aread_cache_clear);
/* aread_cache_clear(): how many models were forgotten */
Datum
aread_cache_clear(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(cache_clear());
}
