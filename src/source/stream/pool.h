/*
 * pool.h
 *	  Counterfactual rows out of a source's stream: what engine/sampling/augment_draw.h draws,
 *	  from rows sorted on disk.
 *
 * In memory are the pairs of user and item that minor domains hold as
 * negatives, of unpopular items only (24 to 48 bytes each).
 */
#ifndef AREAD_SOURCE_STREAM_POOL_H
#define AREAD_SOURCE_STREAM_POOL_H

#include "source/stream/stream.h"

/* A row of the source, positive and training, stands for one of domain number "domain". */
typedef void (*DrawnRow) (void *context, uint32 domain, HeapTupleHeader row);

/*
 * Draw as planned from a stream with whole rows, which is used up.  Rows lie
 * in the order of their content, as in training: the physical order of the
 * source does not matter.
 */
extern void pool_draw(SourceStream *stream, const Config *config, const AugmentPlan *plan,
					  DrawnRow function, void *context);

#endif							/* AREAD_SOURCE_STREAM_POOL_H */
