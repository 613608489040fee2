/*
 * negatives.h
 *	  Sampled negatives: what logs of positives only need to be learned from.
 *
 * For each positive row, rows of the same user and context with an item that
 * the user has not taken, out of those of the same domain.
 */
#ifndef AREAD_ENGINE_SAMPLING_NEGATIVES_H
#define AREAD_ENGINE_SAMPLING_NEGATIVES_H

#include "engine/data/agreement.h"
#include "engine/model/config.h"

typedef struct NegativeReport
{
	uint64_t	drawn[3];		/* by split */
	uint64_t	missing;		/* asked for, of rows that stay, but no item was found */
	uint64_t	left_out[3];	/* positive rows, by split */
	uint64_t	alone;			/* training rows that stay without sampled negatives of their own */
	uint64_t	without_items;	/* those of them whose domain has no other item to draw */
	bool	   *with_item;		/* [n_fields] what went with the item, itself included */
} NegativeReport;

/* Of a row of the result: the row of "data" that it is of, and the one that its item is of. */
typedef struct RowOrigin
{
	uint32_t	row;
	uint32_t	item;
} RowOrigin;

/*
 * "data" and, before the rows of each split, config->negatives rows for each of
 * its positive ones: label 0, the weight of the positive row (all weights are
 * then scaled to 1 on average again), an item and the fields that go with it
 * from a positive training row of the same domain.  By popularity every such
 * row is as likely; uniformly, every item, and NULL as by popularity; mixed, a coin
 * says which of both for each draw.  With config->popularity_offset draws for
 * validation and test rows are uniform.
 *
 * Never drawn are items that the user is known to have taken: in the training
 * rows, for validation rows also in those, for test rows in all.  Without a
 * user field, or for a user without an id of his own, only the row's own
 * item is ruled out.  Items without an id of their own (rare, NULL) are
 * drawn for anyone.  Positive rows for which no item is found are left out,
 * unless their domain has negative rows of its own in that split.
 * config->negatives > 0; bonds [n_fields]; rows must lie in an order of no
 * meaning.  Errors: ENGINE_BAD_INPUT (no item field, too many rows, no
 * training row left), ENGINE_INTERRUPTED, ENGINE_OUT_OF_MEMORY.  The result
 * lives in the arena, or its ids in data's store, and keeps data's lists.
 */
extern Dataset *negatives_draw(Arena *arena, const Config *config, const Dataset *data,
							   const FieldBond *bonds, const EngineHost *host,
							   NegativeReport *report, EngineError *error);
/* As negatives_draw(), and the origin of each test row of the result, in the arena. */
extern Dataset *negatives_draw_traced(Arena *arena, const Config *config, const Dataset *data,
									  const FieldBond *bonds, const EngineHost *host,
									  NegativeReport *report, RowOrigin **origins,
									  EngineError *error);

#endif							/* AREAD_ENGINE_SAMPLING_NEGATIVES_H */
