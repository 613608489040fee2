/*
 * cache.h
 *	  Models ready to score: those in shared memory, and what a session has of
 *	  its own.
 */
#ifndef AREAD_SERVE_CACHE_H
#define AREAD_SERVE_CACHE_H

#include "catalog/models.h"
#include "datatype/timestamp.h"
#include "serve/image.h"

/*
 * The deployed version of a name under the active snapshot, loaded at its
 * first use.  Cheap to call for each row.  Errors are those of catalog_find()
 * and catalog_load().  The result stays until the next call, or while it is
 * pinned.
 */
extern const ServedModel *cache_find(const char *name, Size length, ModelRight right);

/* A model as the cache holds it. */
typedef struct CachedModel
{
	const ModelVersion *version;
	Size		bytes;
	int64		hits;			/* statements that used it since it was loaded */
	TimestampTz loaded;
	TimestampTz used;			/* start of the latest statement that found it */
	bool		pinned;			/* by a query that is running */
} CachedModel;

/* Entry number i, used latest first; false: there are not so many. */
extern bool cache_entry(int i, CachedModel *cached);
/* Forget what no running query uses; returns how many models these were. */
extern int	cache_clear(void);

/* Does the session hold more than aread.cache_size, whatever is pinned? */
extern bool cache_is_full(void);

/* Keep a model until the memory context is reset or deleted. */
extern void cache_pin(const ServedModel *served, MemoryContext context);

#endif							/* AREAD_SERVE_CACHE_H */
