/*
 * nearest.c
 *	  The name nearest to a misspelt one, by edit distance.
 */
#include "postgres.h"

#include "nearest.h"

#include "engine/config.h"
#include "utils/memutils.h"

/* What edit_distance() says of names too long for it: never near. */
#define TOO_FAR 64

void
nearest_start(NearestName *nearest, const char *wanted)
{
	*nearest = (NearestName) {
		.wanted = wanted,
		.distance = (int) Min(strlen(wanted) / 2 + 1, TOO_FAR),
		.context = CurrentMemoryContext
	};
}

void
nearest_offer(NearestName *nearest, const char *candidate)
{
	int			distance = edit_distance(nearest->wanted, candidate);

	if (distance >= nearest->distance)
		return;
	nearest->distance = distance;
	if (nearest->name)
		pfree(nearest->name);
	nearest->name = MemoryContextStrdup(nearest->context, candidate);
}
