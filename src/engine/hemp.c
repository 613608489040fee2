/*
 * hemp.c
 *	  Hierarchical expert mask pruning: one update of all domains' masks
 *	  (Algorithm 1, lines 3 to 14).
 *
 * Every candidate starts from Theta0 and is undone exactly: undo.c.
 */
#include "trainer.h"

#include <math.h>
#include <string.h>

#include "mask.h"

/* How the search settles with each update. */
#define DENSITY_DECAY 0.95
#define SIGMA_DECAY 0.99
#define CANDIDATES_DECAY 0.99
#define MIN_START_DENSITY 0.1

static bool
by_saliency(const Trainer *trainer)
{
	return trainer->config->prune_by == PRUNE_SALIENCY;
}

static uint64_t
augmented_rows(const Trainer *trainer, uint32_t domain)
{
	if (!trainer->augmented.start)
		return 0;
	return trainer->augmented.start[domain + 1] - trainer->augmented.start[domain];
}

static uint64_t
own_rows(const Trainer *trainer, uint32_t domain)
{
	return trainer->domain_rows.start[domain + 1] - trainer->domain_rows.start[domain];
}

static void
alloc_base(const Trainer *trainer, BaseOutput *base)
{
	const Network *network = &trainer->network;
	size_t		rows = network->capacity;

	base->h = ARENA_ARRAY(trainer->arena, real, rows * network->mmoe.n_mixtures *
						  network->mmoe.dim);
	base->logit = ARENA_ARRAY(trainer->arena, real, rows);
	if (trainer->config->cross_layers > 0)
		base->cross = ARENA_ARRAY(trainer->arena, real, rows * network->width);
}

bool
search_init(Trainer *trainer, EngineError *error)
{
	Search	   *search = &trainer->search;
	const Config *config = trainer->config;
	const Shape *shape = &trainer->model->shape;
	Arena	   *arena = trainer->arena;
	size_t		n_domains = trainer->model->n_domains;
	size_t		n_gates = trainer->model->n_gates;
	uint64_t	largest = 0;

	search->density = config->initial_density;
	search->sigma = config->sigma;
	search->candidates = config->candidates;
	for (uint32_t d = 0; d < n_domains; d++)
		if (own_rows(trainer, d) + augmented_rows(trainer, d) > largest)
			largest = own_rows(trainer, d) + augmented_rows(trainer, d);
	search->gate_sum = ARENA_ARRAY(arena, double, n_domains * n_gates);
	search->gate_batches = ARENA_ARRAY(arena, uint32_t, n_domains);
	search->score_batches = ARENA_ARRAY(arena, Batch, config->score_batches);
	search->score_bases = ARENA_ARRAY(arena, BaseOutput, config->score_batches);
	search->saved_dense = ARENA_ARRAY(arena, real, trainer->network.n_dense);
	search->saved_tables = ARENA_ARRAY(arena, real *, shape->n_tables);
	search->table_slots = ARENA_ARRAY(arena, size_t, shape->n_tables);
	search->sample = ARENA_ARRAY(arena, uint32_t, largest);
	search->sample_domains = ARENA_ARRAY(arena, int64_t, trainer->network.capacity);
	search->candidate = ARENA_ARRAY(arena, uint8_t, n_gates);
	search->fate = ARENA_ARRAY(arena, int16_t, n_gates);
	search->own_saliency = ARENA_ARRAY(arena, real, n_gates);
	search->strength = ARENA_ARRAY(arena, real, n_gates);
	search->gates = ARENA_ARRAY(arena, real, 2 * n_gates + 2 * config->embed_dim);
	if (!arena_ok(arena, error))
		return false;
	alloc_base(trainer, &search->train_base);
	if (!batch_init(&search->train_batch, arena, config->batch_size, shape->n_fields, error))
		return false;
	for (int i = 0; i < config->score_batches; i++)
	{
		alloc_base(trainer, &search->score_bases[i]);
		if (!batch_init(&search->score_batches[i], arena, config->batch_size,
						shape->n_fields, error))
			return false;
	}
	return arena_ok(arena, error) &&
		optimizer_init(&search->optimizer, arena, trainer->model, trainer->network.n_dense,
					   true, error);
}

void
search_observe(Trainer *trainer, const Batch *batch)
{
	Search	   *search = &trainer->search;
	int			n_gates = trainer->model->n_gates;

	for (int s = 0; s < batch->n_segments; s++)
	{
		int64_t		domain = batch->segments[s].domain;
		const real *raw = trainer->network.hei.raw_gates + (size_t) s * n_gates;

		if (domain < 0)
			continue;
		for (int g = 0; g < n_gates; g++)
			search->gate_sum[domain * n_gates + g] += raw[g];
		search->gate_batches[domain]++;
	}
}

/* Raw gates [G] of a domain as they are now under a mask, in search->gates. */
static const real *
present_gates(Trainer *trainer, uint32_t domain, const uint8_t *mask)
{
	const Model *model = trainer->model;
	const RowTensor *table =
		&trainer->network.tables[model->shape.field_table[model->shape.domain_field]];
	real	   *raw = trainer->search.gates;
	size_t		dim = model->config.embed_dim;

	hei_gates_forward(&trainer->network.hei, table->values + (FIRST_ID + domain) * dim, mask,
					  raw + 2 * model->n_gates, raw, raw + model->n_gates);
	return raw;
}

/* Mean raw gates of the stretch; of a domain without a batch in it the present ones. */
static const real *
mean_gates(Trainer *trainer, uint32_t domain)
{
	Search	   *search = &trainer->search;
	size_t		n_gates = trainer->model->n_gates;

	if (search->gate_batches[domain] == 0)
		return present_gates(trainer, domain, trainer->model->has_mask[domain] ?
							 trainer->model->masks + domain * n_gates : NULL);
	for (size_t g = 0; g < n_gates; g++)
		search->gates[g] = search->gate_sum[domain * n_gates + g] / search->gate_batches[domain];
	return search->gates;
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

static void
fill(Trainer *trainer, Batch *batch, const uint32_t *rows, const int64_t *domains, int n)
{
	const Dataset *data = trainer->data;

	batch_fill(batch, &trainer->model->shape, data->ids, data->labels, data->list_start,
			   data->list_members, rows, domains, n);
	batch->row_weights = data->weights;
}

/*
 * The domain's batch of A_d to train candidates on, and its batches of own
 * rows to score them.  Returns how many of the latter there are.
 */
static int
draw_batches(Trainer *trainer, uint32_t domain, Random *random)
{
	Search	   *search = &trainer->search;
	int			batch_size = trainer->config->batch_size;
	uint64_t	own = own_rows(trainer, domain);
	uint64_t	added = augmented_rows(trainer, domain);
	const uint32_t *own_start = trainer->domain_rows.rows + trainer->domain_rows.start[domain];
	uint64_t	n = own + added < (uint64_t) batch_size ? own + added : (uint64_t) batch_size;
	int			n_batches = 0;

	memcpy(search->sample, own_start, own * sizeof(uint32_t));
	if (added > 0)
		memcpy(search->sample + own,
			   trainer->augmented.rows + trainer->augmented.start[domain],
			   added * sizeof(uint32_t));
	draw_front(random, search->sample, own + added, n);
	for (uint64_t i = 0; i < n; i++)
		search->sample_domains[i] = domain;
	fill(trainer, &search->train_batch, search->sample, search->sample_domains, n);

	memcpy(search->sample, own_start, own * sizeof(uint32_t));
	n = own < (uint64_t) batch_size * trainer->config->score_batches ? own :
		(uint64_t) batch_size * trainer->config->score_batches;
	draw_front(random, search->sample, own, n);
	for (uint64_t at = 0; at < n; at += batch_size)
		fill(trainer, &search->score_batches[n_batches++], search->sample + at, NULL,
			 n - at < (uint64_t) batch_size ? n - at : (uint64_t) batch_size);
	return n_batches;
}

static void
copy_base(const Network *network, BaseOutput *to, int rows)
{
	memcpy(to->h, network->base.h,
		   (size_t) rows * network->mmoe.n_mixtures * network->mmoe.dim * sizeof(real));
	memcpy(to->logit, network->base.logit, rows * sizeof(real));
	if (to->cross)
		memcpy(to->cross, network->base.cross, (size_t) rows * network->width * sizeof(real));
}

/* Search "experts": everything below HEI runs once for a domain's batches. */
static void
run_bases(Trainer *trainer, int n_batches)
{
	Search	   *search = &trainer->search;
	Network    *network = &trainer->network;
	PassMode	mode = {.batch_statistics = true};

	network_base_forward(network, &search->train_batch, &mode);
	copy_base(network, &search->train_base, search->train_batch.n_rows);
	for (int i = 0; i < n_batches; i++)
	{
		network_base_forward(network, &search->score_batches[i], &mode);
		copy_base(network, &search->score_bases[i], search->score_batches[i].n_rows);
	}
}

static void
set_mask(Batch *batch, const uint8_t *mask)
{
	for (int s = 0; s < batch->n_segments; s++)
		batch->segments[s].mask = mask;
}

/* One step of the candidate's own training (Algorithm 1, line 10). */
static bool
candidate_step(Trainer *trainer, uint64_t pass, EngineError *error)
{
	Search	   *search = &trainer->search;
	Network    *network = &trainer->network;
	Batch	   *batch = &search->train_batch;
	PassMode	mode = {.dropout = true,.batch_statistics = true,
	.seed = trainer->config->seed,.use = RANDOM_CANDIDATES,.pass = pass};
	double		rate = trainer->config->mask_learning_rate;
	double		loss;

	set_mask(batch, search->candidate);
	if (!search_is_full(trainer))
	{
		network_experts_forward(network, batch, &search->train_base, &mode);
		network_experts_backward(network, batch, &search->train_base, &loss);
		optimizer_step_experts(&search->optimizer, network, rate);
		return true;
	}
	network_base_forward(network, batch, &mode);
	network_experts_forward(network, batch, &network->base, &mode);
	if (!network_backward(network, batch, &loss, error))
		return false;
	optimizer_step(&search->optimizer, network, trainer->counts, batch->n_rows, rate);
	return true;
}

/* Forward over a batch of own rows under the candidate, dropout off; the base it stood on. */
static const BaseOutput *
score_forward(Trainer *trainer, int i)
{
	Search	   *search = &trainer->search;
	Network    *network = &trainer->network;
	Batch	   *batch = &search->score_batches[i];
	const BaseOutput *base = &search->score_bases[i];
	PassMode	mode = {.batch_statistics = true};

	set_mask(batch, search->candidate);
	if (search_is_full(trainer))
	{
		network_base_forward(network, batch, &mode);
		base = &network->base;
	}
	network_experts_forward(network, batch, base, &mode);
	return base;
}

/* Mean loss on the domain's own rows. */
static double
candidate_loss(Trainer *trainer, int n_batches)
{
	Search	   *search = &trainer->search;
	double		sum = 0;
	uint64_t	rows = 0;

	for (int i = 0; i < n_batches; i++)
	{
		score_forward(trainer, i);
		sum += heads_loss(&trainer->network.heads, &search->score_batches[i]);
		rows += search->score_batches[i].n_rows;
	}
	return sum / rows;
}

/*
 * The first-order Taylor term of closing each gate, by its sign: by how much
 * that would raise the loss of the domain's own rows, with all gates open.  It
 * depends on the rows alone, so domains that behave alike get masks alike.
 */
static bool
find_own_saliency(Trainer *trainer, int n_batches, EngineError *error)
{
	Search	   *search = &trainer->search;
	Network    *network = &trainer->network;
	size_t		n_gates = trainer->model->n_gates;
	double		loss;

	memset(search->candidate, 1, n_gates);
	memset(search->own_saliency, 0, n_gates * sizeof(real));
	for (int i = 0; i < n_batches; i++)
	{
		const Batch *batch = &search->score_batches[i];
		const BaseOutput *base = score_forward(trainer, i);

		network_experts_backward(network, batch, base, &loss);
		/* gradients are of the batch's mean loss */
		add_scaled(search->own_saliency, -batch->n_rows, network->hei.d_open, n_gates);
		if (!watch_continue(&trainer->watch, error))
			return false;
	}
	return true;
}

/* Lines 7 and 8: a candidate's start; number 0 stays as the saliency has it. */
static void
start_candidate(Trainer *trainer, uint32_t domain, int number, Random *random)
{
	Search	   *search = &trainer->search;
	const Model *model = trainer->model;
	size_t		n_gates = model->n_gates;

	memset(search->strength, 0, n_gates * sizeof(real));
	if (by_saliency(trainer))
		mask_candidate(trainer->config, search->own_saliency, NULL, search->density,
					   number == 0 ? 0 : search->sigma, random, search->candidate);
	else
		mask_candidate(trainer->config, mean_gates(trainer, domain), model->has_mask[domain] ?
					   model->masks + domain * n_gates : NULL,
					   search->density, search->sigma, random, search->candidate);
}

/* What to prune by after a step: the saliency summed over the steps so far, or gates. */
static const real *
prune_strength(Trainer *trainer, uint32_t domain)
{
	Search	   *search = &trainer->search;

	if (!by_saliency(trainer))
		return present_gates(trainer, domain, search->candidate);
	add_scaled(search->strength, -1, trainer->network.hei.d_open, trainer->model->n_gates);
	return search->strength;
}

/* Note which gates a pruning step (0: the start) has closed. */
static void
record_closed(Search *search, int n_gates, int step)
{
	for (int g = 0; g < n_gates; g++)
		if (!search->candidate[g] && search->fate[g] == GATE_OPEN)
			search->fate[g] = step > 0 ? step : GATE_NOT_TRIED;
}

/* Lines 7 to 13: one candidate from start to score; leaves it in search->candidate. */
static bool
try_candidate(Trainer *trainer, uint32_t domain, int number, int n_batches, Random *random,
			  MaskChoice *choice, EngineError *error)
{
	Search	   *search = &trainer->search;
	const Config *config = trainer->config;
	uint8_t    *mask = search->candidate;
	uint64_t	pass = (((uint64_t) trainer->result->n_mask_updates * trainer->model->n_domains +
						 domain) * config->candidates + number) * config->candidate_steps;

	search_restore(trainer);
	start_candidate(trainer, domain, number, random);
	choice->start_density = mask_density(config, mask);
	memset(search->fate, 0, trainer->model->n_gates * sizeof(int16_t));
	record_closed(search, trainer->model->n_gates, 0);
	for (choice->steps = 0; choice->steps < config->candidate_steps;)
	{
		if (!watch_continue(&trainer->watch, error) || !candidate_step(trainer, pass++, error))
			return false;
		choice->steps++;
		mask_prune(config, prune_strength(trainer, domain), config->prune_ratio, mask);
		record_closed(search, trainer->model->n_gates, choice->steps);
		if (mask_density(config, mask) <= config->target_density)
			break;
	}
	choice->end_density = mask_density(config, mask);
	choice->loss = candidate_loss(trainer, n_batches);
	return watch_continue(&trainer->watch, error);
}

/* The best of Z candidates for one domain, into masks [D, G] and choices [D]. */
static bool
search_domain(Trainer *trainer, uint32_t domain, MaskUpdate *update, EngineError *error)
{
	Search	   *search = &trainer->search;
	size_t		n_gates = trainer->model->n_gates;
	int			n_candidates = (int) lround(search->candidates);
	bool		found = false;
	Random		random;
	int			n_batches;

	random_start(&random, trainer->config->seed, RANDOM_MASKS,
				 (uint64_t) update->number * trainer->model->n_domains + domain);
	n_batches = draw_batches(trainer, domain, &random);
	if (!search_save(trainer, error))
		return false;
	if (!search_is_full(trainer))
		run_bases(trainer, n_batches);
	if (!watch_continue(&trainer->watch, error) ||
		(by_saliency(trainer) && !find_own_saliency(trainer, n_batches, error)))
		return false;
	for (int z = 0; z < n_candidates; z++)
	{
		MaskChoice	choice;

		if (!try_candidate(trainer, domain, z, n_batches, &random, &choice, error))
			return false;
		if (found && !(choice.loss < update->choices[domain].loss))
			continue;
		found = true;
		update->choices[domain] = choice;
		memcpy(update->masks + domain * n_gates, search->candidate, n_gates);
		memcpy(update->fates + domain * n_gates, search->fate, n_gates * sizeof(int16_t));
	}
	search_restore(trainer);
	return true;
}

static MaskUpdate *
add_update(Trainer *trainer, EngineError *error)
{
	TrainResult *result = trainer->result;
	size_t		n_gates = (size_t) trainer->model->n_domains * trainer->model->n_gates;
	MaskUpdate *update;

	if (result->n_mask_updates == trainer->updates_capacity)
	{
		int			capacity = 2 * trainer->updates_capacity + 8;
		MaskUpdate *updates = ARENA_ARRAY(trainer->arena, MaskUpdate, capacity);

		if (!arena_ok(trainer->arena, error))
			return NULL;
		if (result->n_mask_updates > 0)
			memcpy(updates, result->mask_updates,
				   result->n_mask_updates * sizeof(MaskUpdate));
		result->mask_updates = updates;
		trainer->updates_capacity = capacity;
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
settle(Search *search)
{
	search->density = fmax(search->density * DENSITY_DECAY, MIN_START_DENSITY);
	search->sigma *= SIGMA_DECAY;
	search->candidates = fmax(search->candidates * CANDIDATES_DECAY, 1);
}

bool
search_update(Trainer *trainer, EngineError *error)
{
	Search	   *search = &trainer->search;
	Model	   *model = trainer->model;
	size_t		n_gates = model->n_gates;
	double		started = trainer->host->seconds(trainer->host->context);
	MaskUpdate *update = add_update(trainer, error);

	if (!update)
		return false;
	for (uint32_t d = 0; d < model->n_domains; d++)
	{
		TrainProgress progress = {.phase = PHASE_MASK_UPDATE,.batch = d + 1,
		.batches = model->n_domains};

		if (!search_domain(trainer, d, update, error))
			return false;
		trainer->observer->progress(trainer->observer->context, &progress);
	}
	memcpy(model->masks, update->masks, model->n_domains * n_gates);
	memset(model->has_mask, true, model->n_domains);
	memset(search->gate_sum, 0, model->n_domains * n_gates * sizeof(double));
	memset(search->gate_batches, 0, model->n_domains * sizeof(uint32_t));
	settle(search);
	update->seconds = trainer->host->seconds(trainer->host->context) - started;
	trainer->result->n_mask_updates++;
	return true;
}
