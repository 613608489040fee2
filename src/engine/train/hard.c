/*
 * hard.c
 *	  Negatives that each step draws anew.
 *
 * For each sampled negative of the batch whose turn it is (a coin says so) candidates are
 * drawn as negative_sampling says, among what the user has not taken in training rows.
 * They are scored a batch at a time, and the highest one's item goes in place of the
 * negative's.  Popularity is not put back for that: the loss does not have it either.
 *
 * Memory: pools of the training rows, the users' pairs with items, and one more batch.
 *
 * Threads: scores are the network's, all else the caller's.
 */
#include "engine/train/hard.h"

#include <math.h>
#include <string.h>

#include "engine/data/crosses.h"
#include "engine/sampling/item_draws.h"

struct HardNegatives
{
	ItemDraws	draws;
	Batch		candidates;
	int			n;				/* of them */
	uint32_t   *ids;			/* [batch_size, n_fields] theirs */
	uint32_t   *numbers;		/* [batch_size] 0, 1, ... */
	uint32_t   *of;				/* [batch_size] rows of the batch that they are for */
	double	   *best;			/* [batch_size] the highest score of each row so far */
};

/* What users took in training rows. */
static bool
take_training(Trainer *trainer, ItemDraws *draws, EngineError *error)
{
	const Dataset *data = trainer->data;
	Watch		watch = {.host = trainer->host};

	for (size_t row = data->train_sampled; row < data->split_start[SPLIT_VALID]; row++)
	{
		if (row % WATCH_MEMBERS == 0 && watch_worked(&watch, WATCH_MEMBERS))
			break;
		if (data->labels[row])
			taken_add(&draws->taken, row);
	}
	return watch_continue(&watch, error);
}

static bool
alloc_candidates(Trainer *trainer, struct HardNegatives *hard, EngineError *error)
{
	Arena	   *arena = trainer->arena;
	const Model *model = trainer->model;
	size_t		n = trainer->config->batch_size;

	if (!batch_init(&hard->candidates, arena, (int) n, model->shape.n_fields, error))
		return false;
	batch_init_histories_like(&hard->candidates, &trainer->batch, arena);
	hard->ids = ARENA_ARRAY(arena, uint32_t, n * model->shape.n_fields);
	hard->numbers = ARENA_ARRAY(arena, uint32_t, n);
	hard->of = ARENA_ARRAY(arena, uint32_t, n);
	hard->best = ARENA_ARRAY(arena, double, n);
	if (!arena_ok(arena, error))
		return false;
	for (size_t i = 0; i < n; i++)
		hard->numbers[i] = (uint32_t) i;
	return true;
}

bool
hard_negatives_init(Trainer *trainer, EngineError *error)
{
	const Config *config = trainer->config;
	struct HardNegatives *hard;

	if (config->hard_negatives == 0 || !trainer->data->sampled_start)
		return true;
	hard = ARENA_ARRAY(trainer->arena, struct HardNegatives, 1);
	if (!arena_ok(trainer->arena, error) || !alloc_candidates(trainer, hard, error) ||
		!item_draws_init(&hard->draws, trainer->arena, trainer->data, &config->negative_sampling,
						 1, trainer->host, error) ||
		!take_training(trainer, &hard->draws, error))
		return false;
	trainer->hard = hard;
	return true;
}

/* The positive training row that a sampled negative is of. */
static size_t
positive_of(const Dataset *data, size_t negative)
{
	size_t		low = 0;
	size_t		high = data->split_start[SPLIT_VALID] - data->train_sampled;

	/* negatives of rows before "low" come before it, those of row "high" behind it */
	while (high - low > 1)
	{
		size_t		middle = low + (high - low) / 2;

		if (data->sampled_start[middle] <= negative)
			low = middle;
		else
			high = middle;
	}
	return data->train_sampled + low;
}

/* The highest of the candidates so far into the batch; there are none then. */
static bool
score_candidates(Trainer *trainer, Batch *batch, EngineError *error)
{
	struct HardNegatives *hard = trainer->hard;
	Batch	   *candidates = &hard->candidates;
	const Model *model = trainer->model;
	size_t		n_fields = model->shape.n_fields;
	PassMode	mode = {.running_statistics = true};

	batch_fill(candidates, &model->shape, hard->ids, NULL, trainer->data->list_start,
			   trainer->data->list_members, hard->numbers, NULL, hard->n);
	hard->n = 0;
	/* rows of a batch are in the order of domains, and so are their candidates */
	for (int i = 0; i < candidates->n_rows; i++)
		candidates->rows[i] = batch->rows[hard->of[i]];
	batch_fill_history(candidates, &model->shape, trainer->history, NULL, true);
	trainer_set_masks(trainer, candidates);
	network_base_forward(&trainer->network, candidates, &mode);
	network_upper_forward(&trainer->network, candidates, &trainer->network.base, &mode);
	if (!watch_continue(&trainer->watch, error))
		return false;
	for (int s = 0; s < candidates->n_segments; s++)
		for (int r = 0; r < candidates->segments[s].n_rows; r++)
		{
			int			i = candidates->segments[s].start + r;
			uint32_t	b = hard->of[i];
			double		score = heads_score(trainer->network.heads, s, i, NULL);

			if (!(score > hard->best[b]))
				continue;
			hard->best[b] = score;
			memcpy(batch->ids + b * n_fields, candidates->ids + i * n_fields,
				   n_fields * sizeof(uint32_t));
		}
	return true;
}

/* Candidates for the batch's row b; they are scored whenever there is no room for more. */
static bool
draw_candidates(Trainer *trainer, Batch *batch, int b, EngineError *error)
{
	struct HardNegatives *hard = trainer->hard;
	const Config *config = trainer->config;
	const Dataset *data = trainer->data;
	size_t		positive = positive_of(data, batch->rows[b]);

	for (int k = 0; k < config->hard_candidates; k++)
	{
		const ItemPool *pool = item_draws_pool(&hard->draws, config->negative_sampling);
		uint32_t	from;
		bool		found;

		if (!item_draws_next(&hard->draws, pool, positive, &from, &found, error))
			return false;
		if (!found)
			continue;
		hard->of[hard->n] = (uint32_t) b;
		row_with_item(data, positive, from, data->with_item,
					  hard->ids + (size_t) hard->n * data->shape.n_fields);
		if (++hard->n == config->batch_size && !score_candidates(trainer, batch, error))
			return false;
	}
	return true;
}

bool
hard_negatives_draw(Trainer *trainer, Batch *batch, EngineError *error)
{
	struct HardNegatives *hard = trainer->hard;

	if (!hard)
		return true;
	random_start(&hard->draws.random, trainer->config->seed, RANDOM_HARD, trainer->batches);
	for (int b = 0; b < batch->n_rows; b++)
	{
		hard->best[b] = -INFINITY;
		if (batch->rows[b] >= trainer->data->train_sampled ||
			random_uniform(&hard->draws.random) >= trainer->config->hard_negatives)
			continue;
		if (!draw_candidates(trainer, batch, b, error))
			return false;
	}
	if (hard->n > 0 && !score_candidates(trainer, batch, error))
		return false;
	batch_fill_history(batch, &trainer->model->shape, trainer->history, NULL, true);
	return true;
}
