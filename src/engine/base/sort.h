/*
 * sort.h
 *	  Sorting millions of numbers: a radix sort that the host can stop.
 */
#ifndef AREAD_ENGINE_BASE_SORT_H
#define AREAD_ENGINE_BASE_SORT_H

#include <string.h>

#include "engine/base/base.h"

/*
 * A number as a key: keys compare as unsigned integers just as their numbers
 * do, and 0 and -0 have the same.  NaN sorts beyond an infinity.
 */
static inline uint64_t
sort_key(double value)
{
	uint64_t	bits;

	value += 0.0;				/* -0 to 0 */
	memcpy(&bits, &value, sizeof(bits));
	return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/* The number of a key. */
static inline double
sort_value(uint64_t key)
{
	uint64_t	bits = key >> 63 ? key & ~(UINT64_C(1) << 63) : ~key;
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* Room that sorting needs beside its input; one serves many sorts. */
typedef struct SortRoom
{
	uint64_t   *keys;
	uint32_t   *payloads;		/* NULL: for keys alone */
} SortRoom;

/* Room for n keys, with payloads or without.  Fails on lack of memory only. */
extern bool sort_room(SortRoom *room, Arena *arena, size_t n, bool payloads,
					  EngineError *error);
/*
 * Sort keys [n], ascending, and with them payloads [n] (NULL: none).  Equal
 * keys stay in their order.  Asks the host every million keys, if there are
 * more than a few.  Errors: ENGINE_INTERRUPTED.
 */
extern bool sort_keys(uint64_t *keys, uint32_t *payloads, size_t n, SortRoom *room,
					  const EngineHost *host, EngineError *error);

#endif							/* AREAD_ENGINE_BASE_SORT_H */
