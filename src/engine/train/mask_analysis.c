/*
 * mask_analysis.c
 *	  Masks found once, of the parameters that a training keeps.
 *
 * 1. Choose training rows of each domain: all of a small one, some of a large one.
 * 2. Run them forward as scoring does, with all gates open, and back to the gates.
 *    What a gate's gradients sum up to is what it is worth to the domain.
 * 3. Open the gates that are worth most.
 *
 * Memory: chosen rows and a number for each gate of each domain; the arena gets
 * them back.  The last batch's room serves the passes.
 *
 * Threads: the team shares each pass; the order of sums does not depend on it.
 */
#include "engine/train/mask_analysis.h"

#include <string.h>

#include "engine/model/mask.h"
#include "engine/train/schedule.h"
#include "engine/train/units.h"

/* Rows of a domain that are looked at, or positive ones with their negatives: masks of more are the same but for a few gates. */
#define MAX_DOMAIN_ROWS 2048

/* Rows of each domain, domain by domain, at equal distances -> rows; returns how many. */
static size_t
choose_rows(const Trainer *trainer, uint32_t *rows)
{
	const DomainRows *of = &trainer->domain_rows;
	size_t		n = 0;

	for (uint32_t d = 0; d < trainer->model->n_domains; d++)
	{
		uint64_t	own = domain_rows_count(of, d);
		uint64_t	chosen;

		/* those chosen move to the front */
		memcpy(rows + n, of->rows + of->start[d], own * sizeof(uint32_t));
		own = units_among(trainer, rows + n, own);
		chosen = own < MAX_DOMAIN_ROWS ? own : MAX_DOMAIN_ROWS;
		for (uint64_t i = 0; i < chosen; i++)
			rows[n + i] = rows[n + i * own / chosen];
		n += chosen;
	}
	return n;
}

/* What each gate is worth to the domains of some rows is added to worth [D, G]. */
static bool
add_worth(Trainer *trainer, const uint32_t *rows, int n, real *worth, EngineError *error)
{
	Network    *network = &trainer->network;
	Batch	   *batch = &trainer->batch;
	size_t		n_gates = trainer->model->n_gates;
	PassMode	mode = {.running_statistics = true};
	double		loss;

	units_fill_batch(trainer, batch, rows, NULL, n);
	network_base_forward(network, batch, &mode);
	network_upper_forward(network, batch, &network->base, &mode);
	network_upper_backward(network, batch, &loss);
	if (!watch_continue(&trainer->watch, error))
		return false;
	/* gradients are of the batch's mean loss */
	for (int s = 0; s < batch->n_segments; s++)
		add_scaled(worth + batch->segments[s].domain * n_gates, -batch->n_rows,
				   network->hei->d_open + s * n_gates, n_gates);
	return true;
}

static void
report(const Trainer *trainer, uint32_t domain)
{
	TrainProgress progress = {.phase = PHASE_UPDATE,.name = trainer->strategy->update_name,
	.batch = domain + 1,.batches = trainer->model->n_domains};

	trainer->observer->progress(trainer->observer->context, &progress);
}

/* Is there anything to choose gates by?  Heads at their start are zero and tell nothing. */
static bool
has_worth(const real *worth, size_t n_gates)
{
	for (size_t g = 0; g < n_gates; g++)
		if (worth[g] != 0)
			return true;
	return false;
}

static void
open_gates(Model *model, const real *worth)
{
	size_t		n_gates = model->n_gates;
	Random		random;

	for (uint32_t d = 0; d < model->n_domains; d++)
	{
		model->has_mask[d] = has_worth(worth + d * n_gates, n_gates);
		random_start(&random, model->config.seed, RANDOM_MASKS, d);
		if (model->has_mask[d])
			mask_candidate(&model->config.hei_experts, worth + d * n_gates, NULL,
						   model->config.target_density, 0, &random, model->masks + d * n_gates);
	}
}

bool
mask_analysis(Trainer *trainer, EngineError *error)
{
	Model	   *model = trainer->model;
	struct ArenaBlock *mark = arena_mark(trainer->arena);
	uint32_t   *rows = ARENA_ARRAY(trainer->arena, uint32_t,
								   dataset_rows(trainer->data, SPLIT_TRAIN));
	real	   *worth = ARENA_ARRAY(trainer->arena, real,
									(size_t) model->n_domains * model->n_gates);
	size_t		n_rows;

	if (!arena_ok(trainer->arena, error))
		return false;
	n_rows = model->n_gates > 0 ? choose_rows(trainer, rows) : 0;
	for (size_t from = 0; from < n_rows; from += units_per_batch(trainer))
	{
		size_t		left = n_rows - from;
		int			n = left < (size_t) units_per_batch(trainer) ? (int) left :
			units_per_batch(trainer);

		if (!add_worth(trainer, rows + from, n, worth, error))
			return false;
		report(trainer, trainer->batch.segments[trainer->batch.n_segments - 1].domain);
	}
	if (model->n_gates > 0)
		open_gates(model, worth);
	arena_reset_to(trainer->arena, mark);
	return true;
}

const TrainStrategy mask_analysis_strategy = {
	.batches = true,
	.update_name = "masks",
	.order = trainer_mixed_order,
	.finish = mask_analysis
};
