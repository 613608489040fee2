/*
 * encoding_choice.h
 *	  Which fields and pairs of fields are worth an encoding: the transfer gain.
 *
 * Rows get cells by the quantiles of an encoding's rate and count.  One Newton step
 * for each cell is learned from training rows, whose values are out of fold, and
 * tried on validation rows, whose values are those of scoring.  Its gain is the log
 * likelihood that it adds there, beyond what calibration does.
 *
 * An encoding that tells labels in training only has a negative gain, however well it
 * looks there: an example is a user whose positives and negatives are balanced.
 */
#ifndef AREAD_ENGINE_TREES_ENCODING_CHOICE_H
#define AREAD_ENGINE_TREES_ENCODING_CHOICE_H

#include "engine/base/team.h"
#include "engine/trees/encoding_rows.h"

/* Pairs that are taken, at most. */
#define MAX_PAIRS 64

/* Fields whose pairs are tried, at most: 378 pairs. */
#define MAX_PAIR_FIELDS 28

/* Fewer validation rows choose nothing: all single fields are taken, and no pair. */
#define MIN_CHOOSING_ROWS 200

typedef struct EncodingTried
{
	int			a;				/* as those of an Encoding */
	int			b;
	uint32_t	n_cells;		/* values or pairs that training rows have */
	double		gain;			/* NaN: not asked for */
	bool		taken;
} EncodingTried;

typedef struct EncodingChoice
{
	int			n_singles;		/* in the order of fields */
	EncodingTried *singles;
	int			n_pairs;		/* by gain, the best one first */
	EncodingTried *pairs;
} EncodingChoice;

/*
 * Try and take single fields: gains over the rate of all rows.  Fields of which
 * training rows have one value only are left out.  Errors, here and below: lack of
 * memory, ENGINE_INTERRUPTED.
 */
extern bool encoding_choose_singles(Arena *arena, const EncodingRows *rows, Team *team,
									const EngineHost *host, EncodingChoice *choice,
									EngineError *error);
/*
 * The same of pairs: gains over logits [rows].  At most max_pairs are taken, and
 * four times as many cells as training rows in all.  A pair that hardly has more
 * values than one of its fields is not tried.  progress (NULL: nobody asks) is called
 * as in trees_fit.h.
 */
extern bool encoding_choose_pairs(Arena *arena, const EncodingRows *rows, const double *logits,
								  int max_pairs, Team *team, const EngineHost *host,
								  void (*progress) (void *context, int done, int total),
								  void *context, EncodingChoice *choice, EngineError *error);

#endif							/* AREAD_ENGINE_TREES_ENCODING_CHOICE_H */
