/*
 * test_forest_masks.c
 *	  Forests that score by sets of leaves: the bits of a walk down the trees, whatever rows
 *	  have in common.
 */
#include <math.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/trees/forest_masks.h"
#include "toy.h"
#include "unit.h"

/* Few, so that values meet thresholds. */
static const float values[] = {
	-INFINITY, -3e38f, -2, -1, -0x1p-149f, -0.0f, 0, 0x1p-149f, 0.5f, 1, 1.5f, 3e38f, INFINITY
};

#define N_VALUES ((int) (sizeof(values) / sizeof(*values)))

static float
draw_value(Random *random)
{
	return values[random_below(random, N_VALUES)];
}

static Forest
draw_forest(Arena *arena, Random *random, int n_inputs, int depth, int n_trees)
{
	size_t		n = (size_t) n_trees * forest_nodes(depth);
	size_t		n_leaves = (size_t) n_trees << depth;
	uint16_t   *inputs = ARENA_ARRAY(arena, uint16_t, n + 1);
	float	   *thresholds = ARENA_ARRAY(arena, float, n + 1);
	float	   *leaves = ARENA_ARRAY(arena, float, n_leaves + 1);

	for (size_t i = 0; i < n; i++)
	{
		inputs[i] = (uint16_t) random_below(random, (uint64_t) n_inputs);
		thresholds[i] = draw_value(random);
	}
	for (size_t i = 0; i < n_leaves; i++)
		leaves[i] = (float) random_uniform(random) - 0.5f;
	return (Forest) {.n_inputs = n_inputs,.depth = depth,.n_trees = n_trees,.inputs = inputs,
		.thresholds = thresholds,.leaves = leaves,.bias = 0.125};
}

/* Some inputs are the line's, some the column's, some a row's own. */
static void
draw_rows(Random *random, const Forest *forest, float *x, int n, int across)
{
	for (int i = 0; i < forest->n_inputs; i++, x += FOREST_MASK_ROWS)
	{
		uint64_t	kind = random_below(random, 4);

		for (int row = 0; row < n; row++)
			x[row] = kind == 0 && row % across > 0 ? x[row - 1] :
				kind == 1 && row >= across ? x[row - across] :
				random_below(random, 9) == 0 ? NAN : draw_value(random);
	}
}

static int
n_wrong(ForestMasks *masks, const Forest *forest, int n, int across)
{
	const float *rows = forest_masks_rows(masks);
	double		logits[FOREST_MASK_ROWS + 1];
	int			wrong = 0;

	logits[n] = 77;
	forest_masks_logits(masks, n, across, logits);
	for (int row = 0; row < n; row++)
	{
		float		x[100];

		for (int i = 0; i < forest->n_inputs; i++)
			x[i] = rows[(size_t) i * FOREST_MASK_ROWS + (size_t) row];
		wrong += logits[row] != forest_logit(forest, x);
	}
	return wrong + (logits[n] != 77);
}

static void
test_scores(Arena *arena)
{
	static const int shapes[][2] = {
		{1, 1}, {1, 2}, {1, 7}, {1, 8}, {1, 9}, {1, 255}, {1, 256}, {256, 1}, {2, 1}, {16, 16},
		{17, 15}, {3, 40}, {40, 3}, {5, 5}, {2, 128}
	};
	EngineHost	host = toy_host();
	Random		random;
	EngineError error;
	int			wrong = 0;
	int			made = 0;

	random_start(&random, 5, RANDOM_FOREST, 0);
	for (int k = 0; k < 60; k++)
	{
		int			n_inputs = 1 + (int) random_below(&random, k % 2 ? 4 : 100);
		int			n_trees = k == 0 ? 0 : 1 + (int) random_below(&random, 150);
		Forest		forest = draw_forest(arena, &random, n_inputs, 1 + k % 6, n_trees);
		ForestMasks *masks;

		CHECK(forest_valid(&forest) && forest_masks_create(&masks, arena, &forest, &host, &error));
		made += masks != NULL;
		for (size_t s = 0; masks && s < sizeof(shapes) / sizeof(*shapes); s++)
		{
			int			n = shapes[s][0] * shapes[s][1];

			draw_rows(&random, &forest, forest_masks_rows(masks), n, shapes[s][1]);
			wrong += n_wrong(masks, &forest, n, shapes[s][1]);
		}
	}
	CHECK(made == 60);
	CHECK(wrong == 0);
}

/* Deep trees, many inputs, or many thresholds of many trees have no masks, and take no memory. */
static void
test_unsuited(Arena *arena)
{
	EngineHost	host = toy_host();
	Random		random;
	Forest		forests[3];
	size_t		bytes;
	EngineError error;

	random_start(&random, 6, RANDOM_FOREST, 0);
	forests[0] = draw_forest(arena, &random, 3, 7, 2);
	forests[1] = draw_forest(arena, &random, 1025, 2, 2);
	forests[2] = draw_forest(arena, &random, 30, 6, 6400);
	bytes = arena->bytes;
	for (int k = 0; k < 3; k++)
	{
		ForestMasks *masks;

		CHECK(forest_masks_create(&masks, arena, &forests[k], &host, &error) && !masks);
	}
	CHECK(arena->bytes == bytes);
}

int
main(void)
{
	Arena		arena;

	arena_init_malloc(&arena);
	test_scores(&arena);
	test_unsuited(&arena);
	arena_free_all(&arena);
	return unit_summary();
}
