/*
 * score_run.c
 *	  Runs of rows through a scorer's layers.
 */
#include "engine/score/score_run.h"

#include <string.h>

/* Does scoring read the slot, in some form? */
static size_t
slot_numbers(const Prepared *prepared, const Slot *slot)
{
	if (slot->is_x0 && !prepared->wants_x0)
		return 0;
	return slot->is_multiple ? 1 : (size_t) slot->groups * slot->width;
}

void
score_buffers_init(ScoreBuffers *buffers, const Scorer *scorer, int capacity)
{
	const Prepared *prepared = &scorer->prepared;
	int			n_slots = prepared->model->plan->n_slots;

	buffers->capacity = capacity;
	buffers->slot = ARENA_ARRAY(scorer->arena, real *, n_slots);
	for (int i = 0; i < n_slots && !scorer->arena->failed; i++)
	{
		size_t		n = slot_numbers(prepared, &prepared->slots[i]);

		if (n > 0)
			buffers->slot[i] = ARENA_ARRAY(scorer->arena, real, capacity * n);
	}
}

void
score_scratch_init(ScoreScratch *scratch, const Scorer *scorer, int capacity, Watch *watch)
{
	size_t		layer = (size_t) capacity * scorer->model->plan->widest;

	scratch->watch = watch;
	for (int i = 0; i < 2; i++)
		scratch->layer[i] = ARENA_ARRAY(scorer->arena, real, layer);
	scratch->in = ARENA_ARRAY(scorer->arena, real, layer);
	scratch->logits = ARENA_ARRAY(scorer->arena, real, scorer->heads->n_heads);
	if (scorer->prepared.wants_x0)
		scratch->sums = ARENA_ARRAY(scorer->arena, real,
									(size_t) capacity * (scorer->model->config.embed_dim + 1));
}

void
score_run_ids(const ScoreRun *run)
{
	const Prepared *prepared = run->prepared;

	for (int i = 0; i < prepared->n_layers; i++)
		if (prepared->layers[i]->kind->score_ids)
			prepared->layers[i]->kind->score_ids(prepared->layers[i], run);
}

void
score_run_layers(const ScoreRun *run)
{
	const Prepared *prepared = run->prepared;

	memset(run->scratch->open, true, sizeof(run->scratch->open));
	for (int i = 0; i < prepared->n_layers; i++)
		if (prepared->layers[i]->kind->score)
			prepared->layers[i]->kind->score(prepared->layers[i], run);
}
