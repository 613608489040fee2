/*
 * test_losses.c
 *	  Losses of groups, of a positive row and its negatives: against plain formulas and
 *	  differences; and trainings by them, whose negatives are drawn once or anew.
 */
#include <math.h>
#include <string.h>

#include "engine/networks/architectures.h"
#include "toy.h"
#include "unit.h"

#include "engine/base/random.h"
#include "engine/data/taken.h"
#include "engine/layers/group_loss.h"
#include "engine/layers/heads.h"
#include "engine/networks/config_options.h"
#include "engine/train/hard.h"
#include "engine/train/setup.h"
#include "engine/train/units.h"

#define B 9
#define J 3
#define N_SEGMENTS 2

/* Groups of 4 and 1, then of 2 and 2. */
static uint8_t labels[B] = {1, 0, 0, 0, 1, 1, 0, 1, 0};
static const int group_start[] = {0, 4, 5, 7, 9};
static const int group_segment[] = {0, 0, 1, 1};
static uint32_t rows[B] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
static const float weights[B] = {0.5, 9, 9, 9, 2, 3, 9, 0.25, 9};
/* open heads: all in one segment, two in the other */
static int	offsets[J][N_SEGMENTS] = {{0, 0}, {0, -1}, {0, 0}};

typedef struct Case
{
	Heads		heads;
	Batch		batch;
	Slot		e;
	SlotGroup	groups[J];
	Segment		segments[N_SEGMENTS];
	real		logit[B * J];
	real		d_logit[B * J];
	double		scores[B];
	double		d_scores[B];
	uint8_t		mask[1];
} Case;

static void
fill_case(Case *c, LossKind loss, bool masks, double spread)
{
	Random		random;

	memset(c, 0, sizeof(*c));
	c->segments[0] = (Segment) {.start = 0,.n_rows = 5,.mask = masks ? c->mask : NULL};
	c->segments[1] = (Segment) {.start = 5,.n_rows = 4,.mask = masks ? c->mask : NULL};
	for (int j = 0; j < J; j++)
		c->groups[j].offset = offsets[j];
	c->e.group = c->groups;
	c->batch = (Batch) {.n_rows = B,.n_units = 4,.rows = rows,.labels = labels,.grouped = true,
		.row_weights = weights,.n_segments = N_SEGMENTS,.segments = c->segments};
	c->heads = (Heads) {.n_heads = J,.loss = loss,.scores = c->scores,.d_scores = c->d_scores,
		.e = &c->e,.logit = c->logit,.d_logit = c->d_logit};
	random_start(&random, 3, RANDOM_WEIGHTS, 0);
	for (int i = 0; i < B * J; i++)
		c->logit[i] = (real) (spread * random_normal(&random));
}

static bool
is_open(int j, int s)
{
	return offsets[j][s] >= 0;
}

/* A group's loss by plain formulas of its scores, the positive row's first. */
static double
plain_group(LossKind loss, const double *s, int n)
{
	double		sum = 0;

	for (int i = 1; i < n; i++)
		sum += loss == LOSS_BPR ? -log(1 / (1 + exp(s[i] - s[0]))) : exp(s[i] - s[0]);
	return loss == LOSS_BPR ? 2.0 / n * sum : log(1 + sum);
}

static double
plain_loss(const Case *c, LossKind loss, bool masks)
{
	double		total = 0;

	for (int g = 0; g < 4; g++)
	{
		int			first = group_start[g];
		int			n = group_start[g + 1] - first;
		double		mean[B] = {0};
		double		separate = 0;
		int			n_open = 0;

		for (int j = 0; j < J; j++)
		{
			double		own[B];

			if (!is_open(j, group_segment[g]))
				continue;
			for (int i = 0; i < n; i++)
			{
				own[i] = c->logit[(first + i) * J + j];
				mean[i] += 1 / (1 + exp(-own[i]));
			}
			separate += plain_group(loss, own, n);
			n_open++;
		}
		for (int i = 0; i < n; i++)
			mean[i] = log(mean[i] / (n_open - mean[i]));
		total += weights[first] * (masks ? separate / n_open : plain_group(loss, mean, n));
	}
	return total;
}

/* The gradient by differences of the plain loss over rows. */
static void
check_heads(LossKind loss, bool masks)
{
	const double step = sizeof(real) == sizeof(double) ? 1e-6 : 1e-2;
	const double tolerance = sizeof(real) == sizeof(double) ? 1e-8 : 2e-4;
	Case		c;

	fill_case(&c, loss, masks, 1.5);
	CHECK(fabs(heads_loss(&c.heads, &c.batch) - plain_loss(&c, loss, masks)) < 1e-5);
	for (int i = 0; i < B * J; i++)
	{
		real		before = c.logit[i];
		double		up;
		double		down;

		if (!is_open(i % J, i / J >= 5))
		{
			CHECK(c.d_logit[i] == 0);
			continue;
		}
		c.logit[i] = before + (real) step;
		up = plain_loss(&c, loss, masks);
		c.logit[i] = before - (real) step;
		down = plain_loss(&c, loss, masks);
		c.logit[i] = before;
		CHECK(fabs((up - down) / (2 * step) / B - c.d_logit[i]) < tolerance);
	}
}

/* Scores far apart: a loss is as large as they are, and nothing overflows. */
static void
check_extremes(LossKind loss)
{
	const double far[] = {-1000, 1000, -1000, 500};
	const double near[] = {1000, -1000, 100};
	double		d[4];
	Case		c;

	CHECK(fabs(group_loss(loss, far, 4, d) - (loss == LOSS_BPR ? 1750 : 2000)) < 1);
	CHECK(fabs(d[0] + d[1] + d[2] + d[3]) < 1e-12 && d[0] < -0.9);
	CHECK(group_loss(loss, near, 3, d) == 0 && d[0] == 0 && d[1] == 0);
	CHECK(group_loss(loss, far, 1, d) == 0 && d[0] == 0);
	for (int masks = 0; masks < 2; masks++)
	{
		fill_case(&c, loss, masks, 400);
		CHECK(isfinite(heads_loss(&c.heads, &c.batch)));
		for (int i = 0; i < B * J; i++)
			CHECK(isfinite(c.d_logit[i]));
	}
	c.logit[0] = NAN;
	CHECK(isnan(heads_loss(&c.heads, &c.batch)));
}

/* At equal scores gradients are those of logistic loss, where each score says 1 / n. */
static void
check_scale(void)
{
	const double s[5] = {0.3, 0.3, 0.3, 0.3, 0.3};
	double		d[5];

	for (int loss = LOSS_BPR; loss <= LOSS_SOFTMAX; loss++)
	{
		(void) group_loss(loss, s, 5, d);
		CHECK(fabs(d[0] + 0.8) < 1e-12 && fabs(d[1] - 0.2) < 1e-12 && fabs(d[4] - 0.2) < 1e-12);
	}
}

static void
loss_config(Config *config, int loss)
{
	toy_config(config, architecture_find("fm"));
	config->negatives = 3;
	config->popularity_offset = false;
	config->negative_sampling = NEGATIVES_UNIFORM;
	config->loss = loss;
	config->learning_rate = 2e-2;
	config->wide = false;
	config->l2_embedding = 10;
	config->epochs = 10;
}

/* Each loss learns who likes what, and its scores are probabilities of validation rows. */
static void
check_learns(Arena *arena, int loss, double hard)
{
	Config		config;
	EngineError error = {0};
	Dataset    *data;
	TrainResult *result;
	const Evaluation *best;
	double		share = 0;
	size_t		n;

	loss_config(&config, loss);
	config.hard_negatives = hard;
	config.hard_candidates = 2;
	data = toy_sampled(arena, &config, toy_dataset(arena, 6000));
	n = dataset_rows(data, SPLIT_VALID);
	for (size_t row = data->split_start[SPLIT_VALID]; row < data->split_start[SPLIT_TEST]; row++)
		share += data->labels[row] / (double) n;
	result = train_toy(arena, data, &config, &error);
	CHECK(result != NULL);
	if (!result)
		return;
	best = &result->evaluations[result->best_evaluation];
	CHECK(result->test.auc.value > 0.6);
	CHECK(result->valid.log_loss.value < -share * log(share) - (1 - share) * log(1 - share));
	/* evaluations measure log loss as the model does in the end */
	CHECK(loss == LOSS_LOGISTIC ||
		  fabs(best->valid.log_loss.value - result->valid.log_loss.value) < 1e-3);
	/* what the loss is where scores tell nothing, before it falls */
	CHECK(fabs(result->evaluations[1].train_loss - (loss == LOSS_LOGISTIC ? 0.6 : loss == LOSS_BPR ?
													 1.5 * log(2) : log(4))) < 0.15);
}

/* All of it follows the groups; a batch has no part of one. */
static void
check_units(Arena *arena)
{
	Config		config;
	EngineError error = {0};
	EngineHost	host = toy_host();
	Trainer		trainer = {.lasting = arena,.arena = arena,.config = &config,.host = &host};
	Model		model;
	Batch		batch;
	size_t		n_positives = 0;
	uint32_t   *order;

	loss_config(&config, LOSS_SOFTMAX);
	config.batch_size = 15;
	trainer.data = toy_sampled(arena, &config, toy_dataset(arena, 2000));
	model.shape = trainer.data->shape;
	trainer.model = &model;
	CHECK(units_init(&trainer, &error) && units_per_batch(&trainer) == 3);
	for (size_t row = 0; row < trainer.data->split_start[1]; row++)
		n_positives += trainer.data->labels[row];
	CHECK(trainer.units->n == n_positives);
	order = ARENA_ARRAY(arena, uint32_t, trainer.data->split_start[1]);
	for (uint32_t row = 0; row < trainer.data->split_start[1]; row++)
		order[row] = row;
	CHECK(units_among(&trainer, order, trainer.data->split_start[1]) == n_positives);
	CHECK(memcmp(order, trainer.units->leads, n_positives * sizeof(uint32_t)) == 0);
	CHECK(batch_init(&batch, arena, config.batch_size, TOY_FIELDS, &error));
	for (size_t at = 0; at + 3 <= n_positives; at += 3)
	{
		units_fill_batch(&trainer, &batch, order + at, NULL, 3);
		CHECK(batch.grouped && batch.n_units == 3 && batch.n_rows == 12);
		for (int b = 0; b < 12; b++)
			CHECK(batch.labels[b] == (b % 4 == 0) &&
				  batch.ids[b * TOY_FIELDS + 1] == batch.ids[(b - b % 4) * TOY_FIELDS + 1]);
	}
	/* no sampled negatives */
	trainer.data = toy_dataset(arena, 100);
	CHECK(!units_init(&trainer, &error) && error.code == ENGINE_BAD_INPUT);
}

static double
score_of(const Network *network, const Batch *batch, int b)
{
	for (int s = 0; s < batch->n_segments; s++)
		if (b < batch->segments[s].start + batch->segments[s].n_rows)
			return heads_score(network->heads, s, b, NULL);
	return NAN;
}

/* Negatives that a step draws: of the same user and domain, not taken, scored higher. */
static void
check_hard(Arena *arena, int candidates, double *mean)
{
	Config		config;
	EngineError error = {0};
	EngineHost	host = toy_host();
	Trainer		trainer = {.lasting = arena,.config = &config,.host = &host};
	PassMode	mode = {.running_statistics = true};
	Taken		taken;
	Batch	   *batch = &trainer.batch;
	Batch		plain;
	int			changed = 0;
	int			drawn = 0;

	loss_config(&config, LOSS_BPR);
	config.hard_negatives = 1;
	config.hard_candidates = candidates;
	trainer.data = toy_sampled(arena, &config, toy_dataset(arena, 2000));
	CHECK(taken_init(&taken, arena, trainer.data, trainer.data->split_start[1], &error));
	for (size_t row = 0; row < trainer.data->split_start[1]; row++)
		if (trainer.data->labels[row])
			taken_add(&taken, row);
	CHECK(units_init(&trainer, &error) && trainer_prepare(&trainer, &error) &&
		  trainer_begin(&trainer, arena, &config, &error) && trainer.hard);
	for (size_t i = 0; i < trainer.model->n_params; i++)
		trainer.model->params[i] += (real) (0.3 * sin(1.7 * (double) i));
	CHECK(batch_init(&plain, arena, config.batch_size, TOY_FIELDS, &error));
	*mean = 0;
	for (trainer.batches = 0; trainer.batches < 20; trainer.batches++)
	{
		const uint32_t *units = trainer.units->leads + 16 * trainer.batches;

		units_fill_batch(&trainer, &plain, units, NULL, 16);
		units_fill_batch(&trainer, batch, units, NULL, 16);
		trainer_set_masks(&trainer, batch);
		CHECK(hard_negatives_draw(&trainer, batch, &error));
		network_base_forward(&trainer.network, batch, &mode);
		network_upper_forward(&trainer.network, batch, &trainer.network.base, &mode);
		for (int b = 0; b < batch->n_rows; b++)
		{
			const uint32_t *ids = batch->ids + b * TOY_FIELDS;
			uint32_t	key[ROWSET_MAX_FIELDS] = {ids[1], ids[2]};

			/* (the list goes with the row) */
			CHECK(ids[0] == plain.ids[b * TOY_FIELDS] && ids[1] == plain.ids[b * TOY_FIELDS + 1]);
			CHECK(rowset_contains(&taken.pairs, key) == batch->labels[b]);
			changed += ids[2] != plain.ids[b * TOY_FIELDS + 2];
			drawn += !batch->labels[b];
			if (!batch->labels[b])
				*mean += score_of(&trainer.network, batch, b);
		}
	}
	CHECK(changed > drawn / 2);
	*mean /= drawn;
}

static void
check_config(void)
{
	Config		config;
	EngineError error = {0};

	config_defaults(&config);
	config.architecture = architecture_find("fm");
	config.loss = LOSS_BPR;
	CHECK(!config_check(&config, &error) && strstr(error.message, "\"loss\"") &&
		  strstr(error.hint, "negatives"));
	config.negatives = 4;
	CHECK(config_check(&config, &error));
	config.batch_size = 4;
	CHECK(!config_check(&config, &error) && strstr(error.message, "batch_size"));
	config.loss = LOSS_LOGISTIC;
	CHECK(config_check(&config, &error));
	config.negatives = 0;
	config.hard_negatives = 0.5;
	CHECK(!config_check(&config, &error) && strstr(error.message, "hard_negatives"));
	/* without batches it is not asked for */
	config.architecture = architecture_find("wide");
	CHECK(config_check(&config, &error));
}

int
main(void)
{
	Arena		arena;
	double		mean[2];

	arena_init_malloc(&arena);
	for (int loss = LOSS_BPR; loss <= LOSS_SOFTMAX; loss++)
	{
		check_heads(loss, false);
		check_heads(loss, true);
		check_extremes(loss);
	}
	check_scale();
	check_config();
	check_units(&arena);
	for (int loss = LOSS_LOGISTIC; loss <= LOSS_SOFTMAX; loss++)
	{
		check_learns(&arena, loss, 0);
		check_learns(&arena, loss, 1);
	}
	/* of one candidate there is nothing to choose, the best of ten are far above */
	check_hard(&arena, 1, &mean[0]);
	check_hard(&arena, 10, &mean[1]);
	CHECK(mean[1] > mean[0] + 0.2);
	arena_free_all(&arena);
	return unit_summary();
}
