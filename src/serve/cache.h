/*
 * cache.h
 *	  Models that this backend has loaded, ready to score.
 */
#ifndef AREAD_CACHE_H
#define AREAD_CACHE_H

#include "catalog/models.h"
#include "engine/score.h"

typedef struct ServedModel ServedModel;

struct ServedModel
{
	const LoadedModel *loaded;
	Scorer	   *scorer;
};

/*
 * The deployed version of a name under the active snapshot, loaded at its
 * first use.  Cheap to call for each row.  Errors are those of catalog_find()
 * and catalog_load().  The result stays until the next call, or while it is
 * pinned.
 */
extern const ServedModel *cache_find(const char *name, Size length);

/* Keep a model until the memory context is reset or deleted. */
extern void cache_pin(const ServedModel *served, MemoryContext context);

#endif							/* AREAD_CACHE_H */
