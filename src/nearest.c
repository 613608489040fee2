/*
 * nearest.c
 *	  The name nearest to a misspelt one, by edit distance.
 */
#include "postgres.h"

#include "nearest.h"

#include "engine/base/edit_distance.h"
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

/* Case makes no distance.  What is cut off is too far anyway. */
static void
fold(const char *name, char folded[TOO_FAR + 1])
{
	int			n = 0;

	for (; n < TOO_FAR && name[n]; n++)
		folded[n] = pg_ascii_tolower((unsigned char) name[n]);
	folded[n] = '\0';
}

void
nearest_offer(NearestName *nearest, const char *candidate)
{
	char		wanted[TOO_FAR + 1];
	char		offered[TOO_FAR + 1];
	int			distance;

	fold(nearest->wanted, wanted);
	fold(candidate, offered);
	distance = edit_distance(wanted, offered);

	if (distance >= nearest->distance)
		return;
	nearest->distance = distance;
	if (nearest->name)
		pfree(nearest->name);
	nearest->name = MemoryContextStrdup(nearest->context, candidate);
}
