/*
 * test_hemp.c
 *	  The mask search: it leaves the parameters as they were, masks follow the
 *	  rules, domains that behave alike get masks alike, and what diverges or has
 *	  a single row in a batch is taken for what it is.
 */
#include <math.h>
#include <string.h>

#include "engine/networks/architectures.h"
#include "toy.h"
#include "unit.h"

#include "engine/model/mask.h"
#include "engine/train/mask_search.h"
#include "engine/train/search.h"
#include "engine/train/setup.h"
#include "engine/train/units.h"

/* A trainer before its first batch, and what it points to. */
typedef struct ToySearch
{
	Arena		arena;
	EngineError error;
	EngineHost	host;
	TrainObserver observer;
	Config		config;
	Dataset    *data;
	Trainer		trainer;
} ToySearch;

static void
search_draw(ToySearch *search, MaskSearch how, PruneBy prune_by)
{
	*search = (ToySearch) {.host = toy_host(),.observer = toy_observer()};
	arena_init_malloc(&search->arena);
	toy_config(&search->config, architecture_find("aread"));
	search->config.mask_search = how;
	search->config.prune_by = prune_by;
	search->data = toy_dataset(&search->arena, 3000);
}

static void
search_start(ToySearch *search)
{
	search->trainer = (Trainer) {.lasting = &search->arena,.config = &search->config,
		.data = search->data,.host = &search->host,.observer = &search->observer};
	CHECK(units_init(&search->trainer, &search->error) &&
		  trainer_prepare(&search->trainer, &search->error) &&
		  trainer_begin(&search->trainer, &search->arena, &search->config, &search->error));
}

/* What became of the gates, against densities and mask: each step closed as many as it must. */
static void
check_fates(const Config *config, const Model *model, const MaskUpdate *update)
{
	int			n_gates = model->n_gates;

	for (uint32_t d = 0; d < model->n_domains; d++)
	{
		const MaskChoice *choice = &update->choices[d];
		const int16_t *fates = update->fates + (size_t) d * n_gates;
		int			open = 0;

		for (int g = 0; g < n_gates; g++)
		{
			CHECK((fates[g] == GATE_OPEN) == (update->masks[(size_t) d * n_gates + g] == 1));
			CHECK(fates[g] >= GATE_NOT_TRIED && fates[g] <= choice->steps);
			open += fates[g] != GATE_NOT_TRIED;
		}
		CHECK(open == lround(choice->start_density * n_gates));
		for (int step = 1; step <= choice->steps; step++)
		{
			int			closed = 0;

			for (int g = 0; g < n_gates; g++)
				closed += fates[g] == step;
			CHECK(closed >= fmax(1, round(config->prune_ratio * open)));
			open -= closed;
		}
		CHECK(open == lround(choice->end_density * n_gates));
	}
}

/* Algorithm 1, line 14: Theta0 again, bit for bit; masks follow the rules. */
static void
check_mask_update(MaskSearch how, PruneBy prune_by)
{
	ToySearch	search;
	size_t		bytes;
	real	   *before;

	search_draw(&search, how, prune_by);
	search_start(&search);
	bytes = search.trainer.model->n_params * sizeof(real);
	before = ARENA_ARRAY(&search.arena, real, search.trainer.model->n_params);
	memcpy(before, search.trainer.model->params, bytes);
	for (int number = 1; number <= 2; number++)
	{
		CHECK(search_update(&search.trainer, &search.error));
		CHECK(memcmp(before, search.trainer.model->params, bytes) == 0);
		CHECK(search.trainer.result->n_mask_updates == number);
	}
	check_fates(&search.config, search.trainer.model, &search.trainer.result->mask_updates[1]);
	for (uint32_t d = 0; d < search.trainer.model->n_domains; d++)
	{
		const uint8_t *mask = search.trainer.model->masks + (size_t) d * search.trainer.model->n_gates;
		const MaskChoice *choice = &search.trainer.result->mask_updates[1].choices[d];
		int			open = lround(choice->start_density * search.trainer.model->n_gates);

		CHECK(search.trainer.model->has_mask[d]);
		CHECK(mask_is_valid(&search.config.hei_experts, mask));
		CHECK(fabs(mask_density(&search.config.hei_experts, mask) - choice->end_density) < 1e-6);
		/* each step closes max(1, round(ratio * open)) gates, or more that became useless */
		for (int step = 0; step < choice->steps; step++)
			open -= fmax(1, round(search.config.prune_ratio * open));
		CHECK(lround(choice->end_density * search.trainer.model->n_gates) <= open);
		CHECK(choice->steps == search.config.candidate_steps ||
			  choice->end_density <= search.config.target_density);
		CHECK(isfinite(choice->loss));
	}
	arena_free_all(&search.arena);
}

/*
 * The domain's own rows fill batches but for one row, which is normalized by
 * the running statistics: those of the model, not of a candidate's copy.
 */
static void
check_single_row(MaskSearch how)
{
	ToySearch	search;
	uint64_t	domain_rows = 0;
	double		loss[2] = {0};

	search_draw(&search, how, PRUNE_SALIENCY);
	search.config.score_batches = 2;
	for (size_t row = 0; row < search.data->split_start[1]; row++)
		domain_rows += search.data->ids[row * TOY_FIELDS] == FIRST_ID;
	for (int single = 0; single <= 1; single++)
	{
		search.config.batch_size = domain_rows - single;
		search_start(&search);
		CHECK(search.trainer.domain_rows.start[1] == domain_rows);
		CHECK(search_of(&search.trainer)->workers[0].network->hei->layers[0]->experts[0].mlp.layer[0].variance ==
			  model_named(search.trainer.model, "hei1.expert1.layer0.variance"));
		CHECK(search_update(&search.trainer, &search.error));
		loss[single] = search.trainer.result->mask_updates[0].choices[0].loss;
	}
	/* one row of hundreds changes little */
	CHECK(fabs(loss[1] - loss[0]) < 0.1);
	arena_free_all(&search.arena);
}

/* Where every candidate diverges, training ends. */
static void
check_diverged_candidates(MaskSearch how, PruneBy prune_by)
{
	ToySearch	search;

	search_draw(&search, how, prune_by);
	search.config.mask_learning_rate = 1e30;
	search_start(&search);
	CHECK(!search_update(&search.trainer, &search.error));
	CHECK(search.error.code == ENGINE_DIVERGED && strstr(search.error.message, "candidate mask"));
	arena_free_all(&search.arena);
}

/* Every other domain likes what the others dislike: masks overlap more within the two kinds. */
static void
check_mask_groups(void)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	Dataset    *data;
	TrainResult *result;
	double		sum[2] = {0, 0};
	int			pairs[2] = {0, 0};

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, 12000);
	for (size_t row = 0; row < 12000; row++)
		((uint8_t *) data->labels)[row] ^= dataset_domain(data, row) & 1;
	toy_config(&config, architecture_find("aread"));
	config.hei_experts = (IntList) {3, {3, 6, 12}};
	/* what domain weights know is not left to the experts */
	config.domain_weights = false;
	config.epochs = 6;
	config.learning_rate = 1e-2;
	config.dropout = 0;
	config.l2_embedding = 1;
	config.warmup_batches = 100;
	config.mask_interval = 100;
	config.patience = 100;
	result = train_toy(&arena, data, &config, &error);
	CHECK(result && result->n_mask_updates > 1);
	for (int a = 0; a < TOY_DOMAINS; a++)
		for (int b = 0; b < a; b++)
		{
			const MaskUpdate *last = &result->mask_updates[result->n_mask_updates - 1];
			int			n_gates = result->model->n_gates;

			sum[(a - b) % 2] += mask_overlap(&config.hei_experts, last->masks + a * n_gates,
											 last->masks + b * n_gates, 0);
			pairs[(a - b) % 2]++;
		}
	CHECK(sum[0] / pairs[0] > 1.5 * sum[1] / pairs[1]);
	arena_free_all(&arena);
}

int
main(void)
{
	for (MaskSearch how = SEARCH_EXPERTS; how <= SEARCH_FULL; how++)
	{
		for (PruneBy prune_by = PRUNE_SALIENCY; prune_by <= PRUNE_GATE; prune_by++)
		{
			check_mask_update(how, prune_by);
			check_diverged_candidates(how, prune_by);
		}
		check_single_row(how);
	}
	check_mask_groups();
	return unit_summary();
}
