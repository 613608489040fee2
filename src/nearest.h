/*
 * nearest.h
 *	  Of the names that there are the one nearest to a name that is not there,
 *	  for the hints of errors.
 */
#ifndef AREAD_NEAREST_H
#define AREAD_NEAREST_H

#include "postgres.h"

typedef struct NearestName
{
	char	   *name;			/* the nearest so far, palloc'd; NULL: none is near */
	const char *wanted;			/* the caller's, to be kept until the last offer */
	int			distance;		/* a nearer one has fewer edits than this */
	MemoryContext context;		/* where "name" is kept */
} NearestName;

/* Begin with a name to look for; what is found is kept in the current memory context. */
extern void nearest_start(NearestName *nearest, const char *wanted);
/*
 * A name that there is.  Names of which more than half would have to be
 * changed are not near, case apart; of equally near ones the first offered is kept.
 */
extern void nearest_offer(NearestName *nearest, const char *candidate);

#endif							/* AREAD_NEAREST_H */
