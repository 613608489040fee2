/*
 * mask_candidate.c
 *	  One candidate mask: trained for a few steps, pruned after each, scored
 *	  (Algorithm 1, lines 7 to 13).
 *
 * Candidates start from the same parameters, Theta0.  Those that train experts
 * and heads alone do so on copies, a thread each; those that train everything
 * do it in place, one after the other, and mask_restore.c takes it back.
 */
#include "engine/train/mask_candidate.h"

#include <string.h>

#include "engine/model/mask.h"
#include "engine/train/mask_restore.h"

static bool
by_saliency(const Trainer *trainer)
{
	return trainer->config->prune_by == PRUNE_SALIENCY;
}

/* A whole network for candidates one after the other, or one of experts for each thread. */
static bool
init_worker(Trainer *trainer, SearchWorker *worker, int thread, EngineError *error)
{
	Arena	   *arena = trainer->arena;
	Network    *whole = &trainer->network;
	size_t		n_gates = trainer->model->n_gates;
	bool		full = search_is_full(trainer);

	worker->network = full ? whole : ARENA_ARRAY(arena, Network, 1);
	worker->strength = ARENA_ARRAY(arena, real, n_gates);
	worker->gates = ARENA_ARRAY(arena, real, 2 * n_gates + 2 * trainer->config->embed_dim);
	worker->followers.leader = &trainer->watch;
	worker->watch = thread == 0 ? &trainer->watch : &worker->followers;
	if (!arena_ok(arena, error) ||
		(!full && !network_init_above_cut(worker->network, whole, arena, error)))
		return false;
	if (!full)
		workers_watch(&worker->network->pass.workers, worker->watch);
	return optimizer_init(&worker->optimizer, arena, trainer->model,
						  full ? whole->n_dense : whole->model->n_above_cut, true, error);
}

bool
search_workers_init(Trainer *trainer, EngineError *error)
{
	Search	   *search = search_of(trainer);
	int			n = search_is_full(trainer) ? 1 : team_size(trainer->team);

	search->workers = ARENA_ARRAY(trainer->arena, SearchWorker, n);
	if (!arena_ok(trainer->arena, error))
		return false;
	for (int t = 0; t < n; t++)
		if (!init_worker(trainer, &search->workers[t], t, error))
			return false;
	return true;
}

/* What the tasks of a domain share. */
typedef struct SearchPass
{
	Trainer    *trainer;
	uint32_t	domain;
	bool		failed;			/* only of full searches, which have one thread */
	EngineError *error;
} SearchPass;

/* Run tasks 0 .. n - 1, side by side if each has parameters of its own. */
static bool
run(SearchPass *pass, TeamTask task, int n)
{
	Trainer    *trainer = pass->trainer;

	if (!search_is_full(trainer))
		team_run(trainer->team, &trainer->watch, task, pass, n);
	for (int i = 0; i < n && search_is_full(trainer) && !pass->failed; i++)
		task(pass, i, 0);
	return !pass->failed && watch_continue(&trainer->watch, pass->error);
}

/* A domain's batch, whose rows are one segment, under a mask of its own. */
static Batch
under_mask(const Batch *batch, Segment *segment, const uint8_t *mask)
{
	Batch		masked = *batch;

	*segment = batch->segments[0];
	segment->mask = mask;
	masked.segments = segment;
	return masked;
}

/* Forward over score batch i, dropout off. */
static void
score_forward(const Trainer *trainer, SearchWorker *worker, const Batch *batch, int i)
{
	const BaseOutput *base = &search_of(trainer)->score_bases[i];
	PassMode	mode = {.dropout = false};

	if (search_is_full(trainer))
	{
		network_base_forward(worker->network, batch, &mode);
		base = &worker->network->base;
	}
	network_upper_forward(worker->network, batch, base, &mode);
}

static void
saliency_task(void *context, int i, int thread)
{
	const SearchPass *pass = context;
	Trainer    *trainer = pass->trainer;
	SearchWorker *worker = &search_of(trainer)->workers[thread];
	size_t		n_gates = trainer->model->n_gates;
	real	   *saliency = search_of(trainer)->saliencies + (size_t) i * n_gates;
	Segment		segment;
	Batch		batch = under_mask(&search_of(trainer)->score_batches[i], &segment,
								   search_of(trainer)->all_open);
	double		loss;

	search_restore(trainer, worker);
	score_forward(trainer, worker, &batch, i);
	network_upper_backward(worker->network, &batch, &loss);
	memcpy(saliency, worker->network->hei->d_open, n_gates * sizeof(real));
}

bool
search_find_saliency(Trainer *trainer, EngineError *error)
{
	Search	   *search = search_of(trainer);
	size_t		n_gates = trainer->model->n_gates;
	SearchPass	pass = {.trainer = trainer,.error = error};

	if (!by_saliency(trainer))
		return true;
	if (!run(&pass, saliency_task, search->n_score_batches))
		return false;
	memset(search->own_saliency, 0, n_gates * sizeof(real));
	/* gradients are of the batch's mean loss */
	for (int i = 0; i < search->n_score_batches; i++)
		add_scaled(search->own_saliency, -search->score_batches[i].n_rows,
				   search->saliencies + (size_t) i * n_gates, n_gates);
	return true;
}

/* One step of the candidate's own training (line 10). */
static bool
step(Trainer *trainer, SearchWorker *worker, const uint8_t *mask, uint64_t number,
	 EngineError *error)
{
	Search	   *search = search_of(trainer);
	Network    *network = worker->network;
	Segment		segment;
	Batch		batch = under_mask(&search->train_batch, &segment, mask);
	PassMode	mode = {.dropout = true,.seed = trainer->config->seed,
	.use = RANDOM_CANDIDATES,.pass = number};
	double		rate = trainer->config->mask_learning_rate;
	double		loss;

	if (!search_is_full(trainer))
	{
		network_upper_forward(network, &batch, &search->train_base, &mode);
		network_upper_backward(network, &batch, &loss);
		optimizer_step_experts(&worker->optimizer, network, rate);
		return true;
	}
	network_base_forward(network, &batch, &mode);
	network_upper_forward(network, &batch, &network->base, &mode);
	if (!network_backward(network, &batch, &loss, error))
		return false;
	optimizer_step(&worker->optimizer, network, trainer->counts, batch.n_rows, rate);
	return true;
}

/* Mean loss on the domain's own rows. */
static double
score(const Trainer *trainer, SearchWorker *worker, const uint8_t *mask)
{
	const Search *search = search_of(trainer);
	double		sum = 0;
	uint64_t	units = 0;

	for (int i = 0; i < search->n_score_batches && !watch_stopped(worker->watch); i++)
	{
		Segment		segment;
		Batch		batch = under_mask(&search->score_batches[i], &segment, mask);

		score_forward(trainer, worker, &batch, i);
		sum += heads_loss(worker->network->heads, &batch);
		units += batch.n_units;
	}
	return sum / units;
}

const real *
search_present_gates(const Trainer *trainer, SearchWorker *worker, uint32_t domain,
					 const uint8_t *mask)
{
	const Model *model = trainer->model;
	const RowTensor *table =
		&trainer->network.pass.rows[model->shape.field_table[model->shape.domain_field]];
	real	   *raw = worker->gates;
	size_t		dim = model->config.embed_dim;

	hei_gates_forward(worker->network->hei, table->values + (FIRST_ID + domain) * dim, mask,
					  raw + 2 * model->n_gates, raw, raw + model->n_gates);
	return raw;
}

/* What to prune by after a step: the saliency summed over the steps so far, or gates. */
static const real *
prune_strength(const Trainer *trainer, SearchWorker *worker, uint32_t domain,
			   const uint8_t *mask)
{
	size_t		n_gates = trainer->model->n_gates;

	if (!by_saliency(trainer))
		return search_present_gates(trainer, worker, domain, mask);
	add_scaled(worker->strength, -1, worker->network->hei->d_open, n_gates);
	return worker->strength;
}

/* Note which gates a pruning step (0: the start) has closed. */
static void
record_closed(Candidate *candidate, int n_gates, int number)
{
	for (int g = 0; g < n_gates; g++)
		if (!candidate->mask[g] && candidate->fate[g] == GATE_OPEN)
			candidate->fate[g] = number > 0 ? number : GATE_NOT_TRIED;
}

static void
candidate_task(void *context, int z, int thread)
{
	SearchPass *pass = context;
	Trainer    *trainer = pass->trainer;
	const Config *config = trainer->config;
	const IntList *experts = &config->hei_experts;
	SearchWorker *worker = &search_of(trainer)->workers[thread];
	Candidate  *candidate = &search_of(trainer)->candidates[z];
	MaskChoice *choice = &candidate->choice;
	int			n_gates = trainer->model->n_gates;
	uint64_t	number = (((uint64_t) trainer->result->n_mask_updates * trainer->model->n_domains +
						   pass->domain) * config->candidates + z) * config->candidate_steps;

	search_restore(trainer, worker);
	memset(worker->strength, 0, n_gates * sizeof(real));
	choice->start_density = mask_density(experts, candidate->mask);
	memset(candidate->fate, 0, n_gates * sizeof(int16_t));
	record_closed(candidate, n_gates, 0);
	for (choice->steps = 0; choice->steps < config->candidate_steps;)
	{
		if (watch_stopped(worker->watch))
			return;
		if (!step(trainer, worker, candidate->mask, number++, pass->error))
		{
			pass->failed = true;
			return;
		}
		choice->steps++;
		mask_prune(experts, prune_strength(trainer, worker, pass->domain, candidate->mask),
				   config->prune_ratio, candidate->mask);
		record_closed(candidate, n_gates, choice->steps);
		if (mask_density(experts, candidate->mask) <= config->target_density)
			break;
	}
	choice->end_density = mask_density(experts, candidate->mask);
	choice->loss = score(trainer, worker, candidate->mask);
}

bool
search_try_candidates(Trainer *trainer, uint32_t domain, int n, EngineError *error)
{
	SearchPass	pass = {.trainer = trainer,.domain = domain,.error = error};

	return run(&pass, candidate_task, n);
}
