/*
 * shared.h
 *	  Models in shared memory, one dynamic segment each, so that all sessions
 *	  score with one copy of the weights.
 *
 * A table in the server's shared memory says which versions lie in which
 * segments.  It is found or made by whoever needs it first; the server need
 * not preload the library.  Where there is no room for the table or for a
 * model, nothing fails: sessions keep their own copies.
 */
#ifndef AREAD_SERVE_SHARED_H
#define AREAD_SERVE_SHARED_H

#include "catalog/models.h"
#include "datatype/timestamp.h"
#include "storage/dsm.h"

/* A version that a session is loading for all; NO_CLAIM: for itself. */
#define NO_CLAIM (-1)

/*
 * The segment of a version, mapped until dsm_detach().  NULL: the caller is to
 * load it, and if *claim is not NO_CLAIM then for the others, too, who wait:
 * shared_publish() or shared_abandon() must follow.
 */
extern dsm_segment *shared_take(const ModelVersion *version, int *claim);
/* A segment for so many bytes, mapped until dsm_detach(); NULL: there is no room. */
extern dsm_segment *shared_room(int claim, Size bytes);
/* The claim's segment has been filled. */
extern void shared_publish(int claim, dsm_segment *segment);
extern void shared_abandon(int claim);

/* A statement uses a version. */
extern void shared_use(const ModelVersion *version);
/* Is the segment still that of the version? */
extern bool shared_holds(const ModelVersion *version, dsm_segment *segment);
/* Changes whenever a version is evicted. */
extern uint64 shared_evictions(void);

/* A version in shared memory. */
typedef struct SharedModel
{
	int64		version_id;
	Oid			catalog;
	Size		bytes;
	int64		hits;			/* statements */
	int64		loads;			/* sessions that took it up */
	TimestampTz loaded;
	TimestampTz used;
} SharedModel;

/* Slot number i, of this database; *used tells if there is a model; false: no such slot. */
extern bool shared_model(int i, SharedModel *model, bool *used);
/* Evict this database's versions; returns how many they were. */
extern int	shared_clear(void);

/* Ask for shared memory while the server starts. */
extern void shared_request(void);

#endif							/* AREAD_SERVE_SHARED_H */
