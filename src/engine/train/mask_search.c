/*
 * mask_search.c
 *	  Hierarchical expert mask pruning: one update of all domains' masks
 *	  (Algorithm 1, lines 3 to 14).
 *
 * For each domain in turn:
 *
 * 1. Draw a batch of its rows, augmented ones among them, to train candidates on,
 *    and batches of its own rows to score them on.
 * 2. Run the network below HEI over these batches once, if candidates leave it as
 *    it is (search "experts").
 * 3. Find what each gate is worth to the domain (mask_candidate.c), and from that
 *    the candidates' first masks.
 * 4. Train, prune and score the candidates; the one of least loss is the domain's.
 *
 * The model's parameters are the same after an update as before (mask_restore.c);
 * its masks change all at once, after the last domain.
 *
 * Memory: allocated once, for the largest domain and the most batches.
 *
 * Threads: domains follow one another.  Within one, candidates run side by side
 * where each thread has parameters of its own (search "experts"); else the
 * threads share each pass over the network.
 */
#include "engine/train/mask_search.h"

#include <math.h>
#include <string.h>

#include "engine/model/mask.h"
#include "engine/train/augmentation.h"
#include "engine/train/mask_candidate.h"
#include "engine/train/mask_restore.h"
#include "engine/train/strategy.h"
#include "engine/train/units.h"

/* How the search settles with each update. */
#define DENSITY_DECAY 0.95
#define SIGMA_DECAY 0.99
#define CANDIDATES_DECAY 0.99
#define MIN_START_DENSITY 0.1

static bool
alloc_candidates(Trainer *trainer, EngineError *error)
{
	Search	   *search = search_of(trainer);
	int			n = trainer->config->candidates;

	search->candidates = ARENA_ARRAY(trainer->arena, Candidate, n);
	for (int z = 0; z < n && search->candidates; z++)
	{
		search->candidates[z].mask = ARENA_ARRAY(trainer->arena, uint8_t, trainer->model->n_gates);
		search->candidates[z].fate = ARENA_ARRAY(trainer->arena, int16_t, trainer->model->n_gates);
	}
	return arena_ok(trainer->arena, error);
}

bool
search_init(Trainer *trainer, EngineError *error)
{
	Search	   *search = ARENA_ARRAY(trainer->arena, Search, 1);
	const Config *config = trainer->config;
	const Shape *shape = &trainer->model->shape;
	Arena	   *arena = trainer->arena;
	size_t		n_domains = trainer->model->n_domains;
	size_t		n_gates = trainer->model->n_gates;
	uint64_t	largest = 0;
	uint64_t	n_score_batches;

	if (!arena_ok(arena, error))
		return false;
	trainer->state = search;
	search->settings = (SearchSettings) {.density = config->initial_density,
		.sigma = config->sigma,.n_candidates = config->candidates};
	for (uint32_t d = 0; d < n_domains; d++)
	{
		uint64_t	rows = domain_rows_count(&trainer->domain_rows, d) +
			augmentation_room(trainer, d);

		largest = rows > largest ? rows : largest;
	}
	/* no more than the largest domain fills */
	n_score_batches = largest / (uint64_t) units_per_batch(trainer) + 1;
	if (n_score_batches > (uint64_t) config->score_batches)
		n_score_batches = (uint64_t) config->score_batches;
	search->gate_sum = ARENA_ARRAY(arena, double, n_domains * n_gates);
	search->gate_batches = ARENA_ARRAY(arena, uint32_t, n_domains);
	search->score_batches = ARENA_ARRAY(arena, Batch, n_score_batches);
	search->score_bases = ARENA_ARRAY(arena, BaseOutput, n_score_batches);
	search->saved_dense = ARENA_ARRAY(arena, real, search_is_full(trainer) ?
									  trainer->network.n_dense : 0);
	search->saved_tables = ARENA_ARRAY(arena, real *, trainer->model->n_rows);
	search->table_slots = ARENA_ARRAY(arena, size_t, trainer->model->n_rows);
	search->sample = ARENA_ARRAY(arena, uint32_t, largest);
	search->sample_domains = ARENA_ARRAY(arena, int64_t, trainer->network.pass.capacity);
	search->saliencies = ARENA_ARRAY(arena, real, n_score_batches * n_gates);
	search->own_saliency = ARENA_ARRAY(arena, real, n_gates);
	search->all_open = ARENA_ARRAY(arena, uint8_t, n_gates);
	if (!arena_ok(arena, error) || !alloc_candidates(trainer, error))
		return false;
	memset(search->all_open, 1, n_gates);
	base_output_init(&search->train_base, &trainer->network, arena);
	if (!batch_init(&search->train_batch, arena, config->batch_size, shape->n_fields, error))
		return false;
	batch_init_histories_like(&search->train_batch, &trainer->batch, arena);
	for (uint64_t i = 0; i < n_score_batches; i++)
	{
		base_output_init(&search->score_bases[i], &trainer->network, arena);
		if (!batch_init(&search->score_batches[i], arena, config->batch_size,
						shape->n_fields, error))
			return false;
		batch_init_histories_like(&search->score_batches[i], &trainer->batch, arena);
	}
	return arena_ok(arena, error) && search_workers_init(trainer, error);
}

void
search_observe(Trainer *trainer, const Batch *batch)
{
	Search	   *search = search_of(trainer);
	int			n_gates = trainer->model->n_gates;

	for (int s = 0; s < batch->n_segments; s++)
	{
		int64_t		domain = batch->segments[s].domain;
		const real *raw = trainer->network.hei->raw_gates + (size_t) s * n_gates;

		if (domain < 0)
			continue;
		for (int g = 0; g < n_gates; g++)
			search->gate_sum[domain * n_gates + g] += raw[g];
		search->gate_batches[domain]++;
	}
}

/* Mean raw gates of the stretch; of a domain without a batch in it the present ones. */
static const real *
mean_gates(Trainer *trainer, uint32_t domain)
{
	Search	   *search = search_of(trainer);
	SearchWorker *worker = &search->workers[0];
	size_t		n_gates = trainer->model->n_gates;

	search_restore(trainer, worker);
	if (search->gate_batches[domain] == 0)
		return search_present_gates(trainer, worker, domain, model_mask(trainer->model, domain));
	for (size_t g = 0; g < n_gates; g++)
		worker->gates[g] = search->gate_sum[domain * n_gates + g] / search->gate_batches[domain];
	return worker->gates;
}

/* Move n of items[0 .. size - 1], chosen at random, to the front. */
static void
draw_front(Random *random, uint32_t *items, uint64_t size, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
	{
		uint64_t	k = i + random_below(random, size - i);
		uint32_t	swap = items[i];

		items[i] = items[k];
		items[k] = swap;
	}
}

/*
 * The domain's batch of A_d to train candidates on, and its batches of own rows to score
 * them; false: there are none of the latter.
 */
static bool
draw_batches(Trainer *trainer, uint32_t domain, Random *random)
{
	Search	   *search = search_of(trainer);
	uint64_t	per_batch = units_per_batch(trainer);
	uint64_t	own = domain_rows_count(&trainer->domain_rows, domain);
	const uint32_t *added_start = NULL;
	uint64_t	added = augmentation_rows(trainer, domain, &added_start);
	const uint32_t *own_start = trainer->domain_rows.rows + trainer->domain_rows.start[domain];
	uint64_t	units;
	uint64_t	n;

	memcpy(search->sample, own_start, own * sizeof(uint32_t));
	if (added > 0)
		memcpy(search->sample + own, added_start, added * sizeof(uint32_t));
	units = units_among(trainer, search->sample, own + added);
	n = units < per_batch ? units : per_batch;
	draw_front(random, search->sample, units, n);
	for (uint64_t i = 0; i < n; i++)
		search->sample_domains[i] = domain;
	units_fill_batch(trainer, &search->train_batch, search->sample, search->sample_domains, n);

	memcpy(search->sample, own_start, own * sizeof(uint32_t));
	units = units_among(trainer, search->sample, own);
	n = units < per_batch * trainer->config->score_batches ? units :
		per_batch * trainer->config->score_batches;
	draw_front(random, search->sample, units, n);
	search->n_score_batches = 0;
	for (uint64_t at = 0; at < n; at += per_batch)
		units_fill_batch(trainer, &search->score_batches[search->n_score_batches++],
						 search->sample + at, NULL, n - at < per_batch ? n - at : per_batch);
	return n > 0;
}

/* Search "experts": everything below HEI runs once for a domain's batches. */
static bool
run_bases(Trainer *trainer, EngineError *error)
{
	Search	   *search = search_of(trainer);
	Network    *network = &trainer->network;
	PassMode	mode = {.dropout = false};

	if (search_is_full(trainer))
		return true;
	network_base_forward(network, &search->train_batch, &mode);
	base_output_copy(&search->train_base, network, search->train_batch.n_rows);
	for (int i = 0; i < search->n_score_batches; i++)
	{
		network_base_forward(network, &search->score_batches[i], &mode);
		base_output_copy(&search->score_bases[i], network, search->score_batches[i].n_rows);
	}
	return watch_continue(&trainer->watch, error);
}

/* Lines 7 and 8: candidates' starts; number 0 stays as the saliency has it. */
static void
start_candidates(Trainer *trainer, uint32_t domain, int n, Random *random)
{
	Search	   *search = search_of(trainer);
	const Config *config = trainer->config;
	const Model *model = trainer->model;
	bool		by_saliency = config->prune_by == PRUNE_SALIENCY;
	const real *strength = by_saliency ? search->own_saliency : mean_gates(trainer, domain);
	const uint8_t *present = by_saliency ? NULL : model_mask(model, domain);

	for (int z = 0; z < n; z++)
		mask_candidate(&config->hei_experts, strength, present, search->settings.density,
					   by_saliency && z == 0 ? 0 : search->settings.sigma, random,
					   search->candidates[z].mask);
}

/* The candidate of least loss (line 14); one that has diverged is never the best. */
static const Candidate *
best_candidate(const Trainer *trainer, int n, EngineError *error)
{
	const Candidate *candidates = search_of(trainer)->candidates;
	const Candidate *best = &candidates[0];

	for (int z = 1; z < n; z++)
		if (candidates[z].choice.loss < best->choice.loss || isnan(best->choice.loss))
			best = &candidates[z];
	if (isfinite(best->choice.loss))
		return best;
	engine_fail(error, ENGINE_DIVERGED, "Set a smaller mask_learning_rate.",
				"training diverged: no candidate mask has a finite loss after %llu batches",
				(unsigned long long) trainer->batches);
	return NULL;
}

/* Nothing speaks for a mask where no rows are the domain's own: all gates stay open. */
static void
leave_open(const Trainer *trainer, uint32_t domain, MaskUpdate *update)
{
	size_t		n_gates = trainer->model->n_gates;

	update->choices[domain] = (MaskChoice) {.start_density = 1,.end_density = 1,.loss = NAN};
	memset(update->masks + domain * n_gates, 1, n_gates);
}

/* The best of Z candidates for one domain, into masks [D, G] and choices [D]. */
static bool
search_domain(Trainer *trainer, uint32_t domain, MaskUpdate *update, EngineError *error)
{
	Search	   *search = search_of(trainer);
	size_t		n_gates = trainer->model->n_gates;
	int			n = (int) lround(search->settings.n_candidates);
	const Candidate *best;
	Random		random;

	random_start(&random, trainer->config->seed, RANDOM_MASKS,
				 (uint64_t) update->number * trainer->model->n_domains + domain);
	if (!draw_batches(trainer, domain, &random))
	{
		leave_open(trainer, domain, update);
		return true;
	}
	if (!search_save(trainer, error) || !run_bases(trainer, error) ||
		!search_find_saliency(trainer, error))
		return false;
	start_candidates(trainer, domain, n, &random);
	if (!search_try_candidates(trainer, domain, n, error))
		return false;
	if (search_is_full(trainer))
		search_restore(trainer, &search->workers[0]);
	best = best_candidate(trainer, n, error);
	if (!best)
		return false;
	update->choices[domain] = best->choice;
	memcpy(update->masks + domain * n_gates, best->mask, n_gates);
	memcpy(update->fates + domain * n_gates, best->fate, n_gates * sizeof(int16_t));
	return true;
}

MaskUpdate *
search_add_update(Trainer *trainer, EngineError *error)
{
	Search	   *search = search_of(trainer);
	TrainResult *result = trainer->result;
	size_t		n_gates = (size_t) trainer->model->n_domains * trainer->model->n_gates;
	MaskUpdate *update;

	if (result->n_mask_updates == search->updates_capacity)
	{
		int			capacity = 2 * search->updates_capacity + 8;
		MaskUpdate *updates = ARENA_ARRAY(trainer->arena, MaskUpdate, capacity);

		if (!arena_ok(trainer->arena, error))
			return NULL;
		if (result->n_mask_updates > 0)
			memcpy(updates, result->mask_updates,
				   result->n_mask_updates * sizeof(MaskUpdate));
		result->mask_updates = updates;
		search->updates_capacity = capacity;
	}
	update = &result->mask_updates[result->n_mask_updates];
	update->number = result->n_mask_updates + 1;
	update->batches = trainer->batches;
	update->choices = ARENA_ARRAY(trainer->arena, MaskChoice, trainer->model->n_domains);
	update->masks = ARENA_ARRAY(trainer->arena, uint8_t, n_gates);
	update->fates = ARENA_ARRAY(trainer->arena, int16_t, n_gates);
	return arena_ok(trainer->arena, error) ? update : NULL;
}

static void
settle(SearchSettings *settings)
{
	settings->density = fmax(settings->density * DENSITY_DECAY, MIN_START_DENSITY);
	settings->sigma *= SIGMA_DECAY;
	settings->n_candidates = fmax(settings->n_candidates * CANDIDATES_DECAY, 1);
}

bool
search_update(Trainer *trainer, EngineError *error)
{
	Search	   *search = search_of(trainer);
	Model	   *model = trainer->model;
	size_t		n_gates = model->n_gates;
	double		started = trainer_seconds(trainer);
	MaskUpdate *update = search_add_update(trainer, error);

	if (!update || !augmentation_update(trainer, error))
		return false;
	for (uint32_t d = 0; d < model->n_domains; d++)
	{
		TrainProgress progress = {.phase = PHASE_UPDATE,.name = trainer->strategy->update_name,
		.batch = d + 1,.batches = model->n_domains};

		if (!search_domain(trainer, d, update, error))
			return false;
		trainer->observer->progress(trainer->observer->context, &progress);
	}
	memcpy(model->masks, update->masks, model->n_domains * n_gates);
	memset(model->has_mask, true, model->n_domains);
	memset(search->gate_sum, 0, model->n_domains * n_gates * sizeof(double));
	memset(search->gate_batches, 0, model->n_domains * sizeof(uint32_t));
	settle(&search->settings);
	update->seconds = trainer_seconds(trainer) - started;
	trainer->result->n_mask_updates++;
	return true;
}
