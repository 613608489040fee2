/*
 * tune_l2.c
 *	  Which L2 do validation rows want?
 *
 * A trial changes the L2 of one block, solves again, and keeps the change if
 * validation rows gain by more than noise; else weights and L2 come back from a
 * copy.  First whole blocks are left out, then the L2 of the largest ones is
 * moved up or down, by a large factor and then by a smaller one.
 *
 * Memory: a copy of the descent's weights and logits, and two losses for each
 * validation row.
 */
#include "engine/base/limits.h"
#include "engine/logistic/tune_l2.h"

#include <math.h>
#include <string.h>

#include "engine/logistic/validation.h"

/*
 * Factors by which each round changes the l2 of the blocks that matter most, and
 * what must be gained of the mean log loss to keep a change.
 */
#define TUNED_BLOCKS 8
#define TUNE_ROUNDS 2
#define TUNE_TRIALS 60
#define TUNE_TOLERANCE 0.01
#define TUNE_GAIN 2e-5
#define TUNE_ERRORS 0.25		/* in standard errors of the gain */
/* Share of it that a change must show at once to be seen through to its end. */
#define TUNE_PROMISE 0.5
static const double tune_factors[TUNE_ROUNDS] = {2, 1.4};

/* Fields of a smaller share of all effect on logits keep their weights while another's l2 is tried. */
#define SMALL_EFFECT 0.01


typedef struct Tuning
{
	Descent    *descent;		/* at the best weights so far, between trials */
	int			max_sweeps;
	ValidRows	valid;
	DescentCopy best;
	double	   *best_l2;		/* [2 * n_fields] */
	float	   *best_losses;	/* [validation rows], weighted */
	float	   *losses;			/* [validation rows] of the present weights */
	double	   *effects;		/* [n_fields] on rows' logits, of values and pairs */
	bool	   *small;			/* [n_fields] of next to none */
	int			trials;
} Tuning;

/* How much lower is the present loss than the best, as a share of what must be gained? */
static double
gain(const Tuning *tuning)
{
	size_t		n = tuning->valid.n;
	double		sum = 0;
	double		squares = 0;
	double		variance;

	for (size_t i = 0; i < n; i++)
	{
		double		less = tuning->best_losses[i] - tuning->losses[i];

		sum += less;
		squares += less * less;
	}
	variance = fmax(squares / n - sum / n * (sum / n), 0) / n;
	return sum / n / fmax(TUNE_GAIN, TUNE_ERRORS * sqrt(variance));
}

/* Weights and l2 as they are become the best ones, or the best ones come back. */
static bool
settle(Tuning *tuning, bool better, EngineError *error)
{
	size_t		l2_size = 2 * tuning->descent->n_fields * sizeof(double);
	float	   *losses = tuning->best_losses;

	memcpy(better ? tuning->best_l2 : tuning->descent->l2,
		   better ? tuning->descent->l2 : tuning->best_l2, l2_size);
	if (!better)
		return descent_return(tuning->descent, &tuning->best, error);
	tuning->best_losses = tuning->losses;
	tuning->losses = losses;
	return descent_keep(tuning->descent, &tuning->best, error);
}

/*
 * Does it look as if validation rows might gain by a block's l2, once its own
 * field has answered to it?  The others' answers change little of that.
 */
static bool
looks_good(Tuning *tuning, int block, bool *good, EngineError *error)
{
	Descent    *descent = tuning->descent;

	if (!descent_visit(descent, block % descent->n_fields, TUNE_TOLERANCE, error) ||
		!valid_losses(&tuning->valid, tuning->losses, error))
		return false;
	*good = gain(tuning) > TUNE_PROMISE;
	return true;
}

/* Solve with another l2 of n blocks; keep it if validation rows gain. */
static bool
try_l2(Tuning *tuning, int block, int n, double l2, bool *better, EngineError *error)
{
	Descent    *descent = tuning->descent;
	bool		good = true;

	*better = false;
	if (tuning->trials == TUNE_TRIALS || l2 < MIN_L2)
		return true;
	tuning->trials++;
	for (int k = block; k < block + n; k++)
		descent->l2[k] = l2;
	/* small fields would hardly answer to another one's l2 */
	for (int f = 0; f < descent->n_fields; f++)
		descent->held[f] = n == 1 && tuning->small[f] && f != block % descent->n_fields;
	/* what is left out may turn out to have been of no use once others stand in for it */
	if (l2 < OFF_L2 && !looks_good(tuning, block, &good, error))
		return false;
	if (!good)
		return settle(tuning, false, error);
	if (!descent_minimize(descent, block % descent->n_fields, TUNE_TOLERANCE, tuning->max_sweeps,
						  error) ||
		!valid_losses(&tuning->valid, tuning->losses, error))
		return false;
	*better = gain(tuning) > 1;
	return settle(tuning, *better, error);
}

/* One way as long as that helps, else the other. */
static bool
tune_block(Tuning *tuning, int block, double factor, EngineError *error)
{
	const double *l2 = &tuning->descent->l2[block];
	bool		moved = false;
	bool		better;

	for (int way = 0; way < 2 && !moved; way++)
		do
		{
			if (!try_l2(tuning, block, 1, way == 0 ? *l2 / factor : *l2 * factor, &better,
						error))
				return false;
			moved |= better;
		}
		while (better);
	return true;
}

/*
 * The blocks that move logits most, by the rows' information: how many there
 * are, up to TUNED_BLOCKS.  Fields that hardly move any are "small".
 */
static bool
largest_blocks(Tuning *tuning, int *blocks, int *n_found, EngineError *error)
{
	Descent    *descent = tuning->descent;
	double		effects[TUNED_BLOCKS];
	double		sum = 0;

	*n_found = 0;
	for (int f = 0; f < descent->n_fields; f++)
	{
		BlockStatistics statistics[2];

		if (!descent_statistics(descent, f, statistics, error))
			return false;
		tuning->effects[f] = statistics[0].effect + statistics[1].effect;
		sum += tuning->effects[f];
		for (int i = 0; i < 2; i++)
		{
			double		effect = statistics[i].effect;
			int			at;

			if (effect == 0 ||
				(*n_found == TUNED_BLOCKS && effect <= effects[TUNED_BLOCKS - 1]))
				continue;
			*n_found += *n_found < TUNED_BLOCKS;
			for (at = *n_found - 1; at > 0 && effects[at - 1] < effect; at--)
			{
				effects[at] = effects[at - 1];
				blocks[at] = blocks[at - 1];
			}
			effects[at] = effect;
			blocks[at] = f + i * descent->n_fields;
		}
	}
	for (int f = 0; f < descent->n_fields; f++)
		tuning->small[f] = tuning->effects[f] < SMALL_EFFECT * sum;
	return true;
}

/* What validation rows are better off without goes first: domain weights, then block by block. */
static bool
leave_out(Tuning *tuning, const int *blocks, int n_blocks, EngineError *error)
{
	int			n_fields = tuning->descent->n_fields;
	bool		any_pairs = false;
	bool		better;

	for (int f = 0; f < n_fields; f++)
		any_pairs |= tuning->descent->cells[f].pairs != NULL &&
			tuning->descent->l2[n_fields + f] < OFF_L2;
	if (any_pairs && !try_l2(tuning, n_fields, n_fields, OFF_L2, &better, error))
		return false;
	for (int i = n_blocks - 1; i >= 0; i--)
		if (tuning->descent->l2[blocks[i]] < OFF_L2 &&
			!try_l2(tuning, blocks[i], 1, OFF_L2, &better, error))
			return false;
	return true;
}

bool
tune_l2(Arena *arena, Descent *descent, int max_sweeps, EngineError *error)
{
	Tuning		tuning = {.descent = descent,.max_sweeps = max_sweeps};
	int			blocks[TUNED_BLOCKS];
	int			n_blocks;

	if (dataset_rows(descent->data, SPLIT_VALID) < MIN_VALID_ROWS)
		return true;
	if (!valid_init(&tuning.valid, arena, descent, MAX_VALID_ROWS, error) ||
		!descent_copy_init(&tuning.best, arena, descent, error))
		return false;
	tuning.best_l2 = ARENA_ARRAY(arena, double, 2 * descent->n_fields);
	tuning.effects = ARENA_ARRAY(arena, double, descent->n_fields);
	tuning.small = ARENA_ARRAY(arena, bool, descent->n_fields);
	tuning.losses = ARENA_ARRAY(arena, float, tuning.valid.n);
	tuning.best_losses = ARENA_ARRAY(arena, float, tuning.valid.n);
	if (!arena_ok(arena, error) || !valid_losses(&tuning.valid, tuning.losses, error) ||
		!settle(&tuning, true, error) ||
		!largest_blocks(&tuning, blocks, &n_blocks, error) ||
		!leave_out(&tuning, blocks, n_blocks, error))
		return false;
	for (int round = 0; round < TUNE_ROUNDS; round++)
		for (int i = 0; i < n_blocks; i++)
			if (descent->l2[blocks[i]] < OFF_L2 &&
				!tune_block(&tuning, blocks[i], tune_factors[round], error))
				return false;
	memset(descent->held, 0, descent->n_fields * sizeof(bool));
	return true;
}
