/*
 * units.h
 *	  What batches are made of: single training rows, or groups of a positive row and the
 *	  negatives sampled for it.
 *
 * Losses that compare rows need all of a group in one batch, which option "loss" decides.
 * A unit is known by the number of a row: its own, or the group's positive one.  All rows
 * of a group are of one domain, so that it stays together in a batch.
 */
#ifndef AREAD_ENGINE_TRAIN_UNITS_H
#define AREAD_ENGINE_TRAIN_UNITS_H

#include "engine/train/trainer.h"

typedef struct Units
{
	bool		grouped;
	size_t		n;				/* of an epoch */
	uint32_t   *leads;			/* [n] positive rows of groups, ascending; of single rows NULL */
	int			rows;			/* of a unit, at most */
	uint32_t   *batch_rows;		/* [batch_size] scratch */
	int64_t    *batch_domains;	/* [batch_size] */
} Units;

/*
 * -> trainer->units, for its life.  Errors: ENGINE_BAD_INPUT (groups are asked for, and no
 * positive row has negatives), lack of memory.
 */
extern bool units_init(Trainer *trainer, EngineError *error);
/* Units of a batch, at most. */
extern int	units_per_batch(const Trainer *trainer);
/* Of some training rows those that units are known by, in their order -> rows; how many. */
extern size_t units_among(const Trainer *trainer, uint32_t *rows, size_t n);
/*
 * n units into a batch, rows of a group one after the other; domains [n] of units as in
 * batch_fill().
 */
extern void units_fill_batch(const Trainer *trainer, Batch *batch, const uint32_t *units,
							 const int64_t *domains, int n);

#endif							/* AREAD_ENGINE_TRAIN_UNITS_H */
