/*
 * test_augmentation.c
 *	  Augmented rows by score: of items that the network as it is scores low on average,
 *	  drawn anew before each mask update, alike whatever the threads.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "toy_trainer.h"

#include "engine/sampling/augment.h"
#include "engine/score/score.h"
#include "engine/train/augmentation.h"

/* Parameters are drawn, so that items differ in their scores. */
static void
shift_parameters(Trainer *trainer, uint64_t seed)
{
	Random		random;

	random_start(&random, seed, RANDOM_SPLIT, 0);
	for (size_t i = 0; i < trainer->model->n_params; i++)
		trainer->model->params[i] += 0.3 * random_normal(&random);
}

static void
toy_start(ToyTrainer *toy, Team *team, size_t sampled)
{
	toy_trainer_draw(toy);
	toy->config.minor_share = 0.07;
	toy->config.major_share = 0.2;
	toy->config.augment_ratio = 0.2;
	toy->config.batch_norm = false;
	toy->config.popularity = POPULARITY_SCORE;
	toy->data->train_sampled = sampled;
	toy_trainer_begin(toy, team);
	shift_parameters(&toy->trainer, 1);
}

/* Each item's mean score, row by row; NaN: it has no row but sampled ones. */
static double *
mean_scores(ToyTrainer *toy)
{
	const Dataset *data = toy->data;
	Scorer	   *scorer = scorer_create(&toy->arena, toy->trainer.model, 0, NULL, &toy->host,
									   &toy->error);
	double	   *means = ARENA_ARRAY(&toy->arena, double, FIRST_ID + TOY_ITEMS);

	for (uint32_t item = 0; item < FIRST_ID + TOY_ITEMS; item++)
	{
		double		sum = 0;
		int			n = 0;

		for (size_t row = data->train_sampled; row < data->split_start[1]; row++)
		{
			ScoreRows	one = {.n_rows = 1,.ids = data->ids + row * TOY_FIELDS,
				.list_start = data->list_start,.list_members = data->list_members};
			double		score;

			if (data->ids[row * TOY_FIELDS + 2] != item)
				continue;
			CHECK(scorer_score(scorer, &one, &score, &toy->error));
			sum += score;
			n++;
		}
		means[item] = n > 0 ? sum / n : NAN;
	}
	return means;
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* The item's score that half of the items are at or below. */
static double
median_score(const double *means)
{
	double		sorted[TOY_ITEMS];
	int			n = 0;

	for (uint32_t item = FIRST_ID; item < FIRST_ID + TOY_ITEMS; item++)
		if (!isnan(means[item]))
			sorted[n++] = means[item];
	qsort(sorted, n, sizeof(double), compare_doubles);
	return sorted[(n + 1) / 2 - 1];
}

/* What was drawn is of items up to the median, by weights that fall with the score. */
static void
check_drawn(ToyTrainer *toy)
{
	const Dataset *data = toy->data;
	const double *means = mean_scores(toy);
	double		median = median_score(means);
	double		weight = 0;
	double		weighted = 0;
	double		drawn_score = 0;
	uint64_t	drawn = 0;
	int			bad = 0;

	for (size_t row = 0; row < data->split_start[1]; row++)
	{
		double		mean = means[data->ids[row * TOY_FIELDS + 2]];

		if (!data->labels[row] || dataset_domain(data, row) > 1 || !(mean <= median + 1e-6))
			continue;
		weight += 1 / mean;
		weighted += 1;
	}
	for (uint32_t d = 0; d < TOY_DOMAINS; d++)
	{
		const uint32_t *rows;
		uint64_t	n = augmentation_rows(&toy->trainer, d, &rows);

		CHECK(n == augmentation_room(&toy->trainer, d));
		for (uint64_t i = 0; i < n; i++)
		{
			double		mean = means[data->ids[rows[i] * TOY_FIELDS + 2]];

			bad += rows[i] >= data->split_start[1] || !data->labels[rows[i]] ||
				!(mean <= median + 1e-6);
			drawn_score += mean;
		}
		drawn += n;
	}
	CHECK(drawn > 100);
	CHECK(bad == 0);
	/* the mean score by weights 1 / p is rows / weight; some are rejected */
	if (data->train_sampled == 0)
		CHECK(fabs(drawn_score / drawn - weighted / weight) < 0.1 * weighted / weight);
}

/* A copy of what is drawn now: counts of domains, then rows. */
static uint64_t
keep_drawn(ToyTrainer *toy, uint32_t *copy)
{
	uint64_t	n = TOY_DOMAINS;

	for (uint32_t d = 0; d < TOY_DOMAINS; d++)
	{
		const uint32_t *rows;

		copy[d] = augmentation_rows(&toy->trainer, d, &rows);
		memcpy(copy + n, rows, copy[d] * sizeof(uint32_t));
		n += copy[d];
	}
	return n;
}

static bool
is_told(void *context)
{
	(void) context;
	return true;
}

static void
check_updates(size_t sampled)
{
	static uint32_t kept[3][4096];
	Arena		team_arena;
	EngineError error;
	Team	   *team;
	ToyTrainer			toy;
	ToyTrainer			teamed;
	uint64_t	n;
	size_t		bytes;

	toy_start(&toy, NULL, sampled);
	for (uint32_t d = 0; d < TOY_DOMAINS; d++)
		CHECK(augmentation_rows(&toy.trainer, d, NULL) == 0);
	CHECK(augmentation_update(&toy.trainer, &toy.error));
	check_drawn(&toy);
	n = keep_drawn(&toy, kept[0]);
	/* the same network, the same rows, and no more memory */
	bytes = toy.arena.bytes;
	CHECK(augmentation_update(&toy.trainer, &toy.error));
	CHECK(toy.arena.bytes == bytes);
	CHECK(keep_drawn(&toy, kept[1]) == n && memcmp(kept[0], kept[1], n * sizeof(uint32_t)) == 0);
	/* whatever the threads */
	arena_init_malloc(&team_arena);
	team = team_start(&team_arena, 3, &error);
	toy_start(&teamed, team, sampled);
	CHECK(augmentation_update(&teamed.trainer, &teamed.error));
	CHECK(keep_drawn(&teamed, kept[1]) == n && memcmp(kept[0], kept[1], n * sizeof(uint32_t)) == 0);
	team_stop(team);
	arena_free_all(&teamed.arena);
	arena_free_all(&team_arena);
	/* another network, other rows */
	shift_parameters(&toy.trainer, 2);
	CHECK(augmentation_update(&toy.trainer, &toy.error));
	check_drawn(&toy);
	CHECK(keep_drawn(&toy, kept[2]) != n || memcmp(kept[0], kept[2], n * sizeof(uint32_t)) != 0);
	/* it can be stopped */
	toy.host.interrupted = is_told;
	CHECK(!augmentation_update(&toy.trainer, &toy.error) && toy.error.code == ENGINE_INTERRUPTED);
	arena_free_all(&toy.arena);
}

/* By counts rows are drawn once: the network has no say. */
static void
check_counts(void)
{
	static uint32_t kept[2][4096];
	ToyTrainer			toy;
	uint64_t	n;

	toy_start(&toy, NULL, 0);
	toy.config.popularity = POPULARITY_COUNT;
	CHECK(trainer_begin(&toy.trainer, &toy.arena, &toy.config, &toy.error));
	n = keep_drawn(&toy, kept[0]);
	CHECK(n > TOY_DOMAINS);
	shift_parameters(&toy.trainer, 2);
	CHECK(augmentation_update(&toy.trainer, &toy.error));
	CHECK(keep_drawn(&toy, kept[1]) == n && memcmp(kept[0], kept[1], n * sizeof(uint32_t)) == 0);
	/* no ratio, no rows */
	toy.config.augment_ratio = 0;
	CHECK(trainer_begin(&toy.trainer, &toy.arena, &toy.config, &toy.error));
	CHECK(augmentation_update(&toy.trainer, &toy.error));
	CHECK(augmentation_rows(&toy.trainer, 0, NULL) == 0);
	CHECK(augmentation_room(&toy.trainer, TOY_DOMAINS - 1) == 0);
	arena_free_all(&toy.arena);
}

int
main(void)
{
	check_updates(0);
	/* sampled negatives are not the item's own rows */
	check_updates(1000);
	check_counts();
	return unit_summary();
}
