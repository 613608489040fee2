/*
 * syscache_state.c
 *	  Whether the server's catalog is still what it was.
 *
 * Each change of it invalidates the server's own caches, which tell us.
 */
#include "postgres.h"

#include "syscache_state.h"

#include "utils/inval.h"
#include "utils/syscache.h"

static uint64 state = 0;		/* 0: nobody has asked for it */
static uint64 relations = 0;	/* the same */

static void
note_change(Datum argument, int cache, uint32 hash)
{
	state++;
}

uint64
syscache_state(void)
{
	static const int caches[] = {
		TYPEOID, NAMESPACEOID, CASTSOURCETARGET, PROCOID, AUTHOID, AUTHMEMROLEMEM
	};

	if (state > 0)
		return state;
	for (int i = 0; i < lengthof(caches); i++)
		CacheRegisterSyscacheCallback(caches[i], note_change, (Datum) 0);
	return state = 1;
}

static void
note_relation(Datum argument, Oid relation)
{
	relations++;
}

uint64
relcache_state(void)
{
	if (relations > 0)
		return relations;
	CacheRegisterRelcacheCallback(note_relation, (Datum) 0);
	return relations = 1;
}
