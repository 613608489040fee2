/*
 * score.h
 *	  A trained model, made ready to score: batch norm folded into the linear
 *	  layers, gates computed once for each domain.
 */
#ifndef AREAD_ENGINE_SCORE_SCORE_H
#define AREAD_ENGINE_SCORE_SCORE_H

#include "engine/model/model.h"
#include "engine/base/team.h"
#include "engine/score/score_rows.h"

/* Of products made ready; what they save is lost again where they leave the cache. */
#define READY_BYTES ((size_t) 16 * 1024 * 1024)

/*
 * Folded weights, gates and products of values (so many bytes) in the arena;
 * model must outlive the scorer (its embedding tables are used in place), and
 * so must arena and team (NULL: none).  The host (NULL: nobody) is asked while
 * scores are computed, however long a row's lists are; it is copied.
 */
extern Scorer *scorer_create(Arena *arena, const Model *model, size_t ready_bytes, Team *team,
							 const EngineHost *host, EngineError *error);

/*
 * The same with prepared values of an earlier scorer of this model and as many
 * ready bytes, used in place; NULL: compute them.
 */
extern Scorer *scorer_attach(Arena *arena, const Model *model, size_t ready_bytes, real *values,
							 Team *team, const EngineHost *host, EngineError *error);
/* What was prepared; one block without pointers. */
extern const real *scorer_values(const Scorer *scorer, size_t *n_values);

/*
 * probabilities[n_rows] of label 1, equation (9), calibrated; rows may mix domains in any
 * order.  Ids must be in bounds.  Not reentrant: scratch belongs to the scorer,
 * that for more than one row is taken from its arena when it is first needed.
 * Errors: lack of memory; here and below ENGINE_INTERRUPTED, and ENGINE_CORRUPT: a score
 * is not a number.
 */
extern bool scorer_score(Scorer *scorer, const ScoreRows *rows, double *probabilities,
						 EngineError *error);

/*
 * Values of fields, in all batches so far, that needed no product of their own
 * with the first layer: made ready beforehand, or shared with other rows.
 */
extern uint64_t scorer_shared(const Scorer *scorer);

/* One head's part in a score. */
typedef struct HeadPart
{
	bool		open;			/* false: closed in the row's domain, the rest is 0 */
	double		logit;
	double		probability;	/* sigmoid(logit) */
	double		share;			/* of the sum of the open heads' probabilities */
} HeadPart;

/* How the score of one row comes about. */
typedef struct ScoreParts
{
	double		score;			/* as scorer_score() gives it */
	double		mean;			/* of the open heads' probabilities, before calibration */
	bool		has_trees;
	double		trees_logit;	/* added after calibration, times the trees' weight */
	double		base_logit;		/* what all heads share: bias, wide part, pairwise term, skip */
	int			n_heads;		/* J */
	HeadPart	heads[MAX_EXPERTS];
} ScoreParts;

/* The parts of the one row's score. */
extern bool scorer_parts(Scorer *scorer, const ScoreRows *row, ScoreParts *parts,
						 EngineError *error);
/*
 * effects[n_fields + 1]: logit of the one row's score less its logit with the
 * field's value replaced by one never seen, all other fields as they are; the last one
 * less its logit with an empty history, 0 of a model without histories.
 */
extern bool scorer_effects(Scorer *scorer, Arena *arena, const ScoreRows *row, double *effects,
						   EngineError *error);

/*
 * Gate weights of a domain (-1: never seen) as scoring uses them: masked and
 * rescaled, [G] in gate order.
 */
extern const real *scorer_gates(const Scorer *scorer, int64_t domain);

#endif							/* AREAD_ENGINE_SCORE_SCORE_H */
