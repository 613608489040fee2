/*
 * forest_table.c
 *	  Rows for tests of forests.
 */
#include "forest_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/measure/calibration.h"
#include "pick.h"
#include "toy.h"

static bool
copy_column(void *context, int input, float *values, EngineError *error)
{
	Table	   *table = context;

	table->asked++;
	if (input == table->fails_at)
		return engine_fail(error, ENGINE_CORRUPT, "", "column %d is broken", input);
	memcpy(values, table->values + input * rows_of(table), rows_of(table) * sizeof(float));
	return true;
}

Table *
new_table(Arena *arena, size_t n_train, size_t n_valid, int n_inputs)
{
	Table	   *table = ARENA_ARRAY(arena, Table, 1);

	table->values = ARENA_ARRAY(arena, float, n_inputs * (n_train + n_valid));
	table->labels = ARENA_ARRAY(arena, uint8_t, n_train + n_valid);
	table->weights = ARENA_ARRAY(arena, float, n_train + n_valid);
	table->fails_at = -1;
	table->data = (ForestData) {
		.n_train = n_train,.n_valid = n_valid,.n_inputs = n_inputs,.labels = table->labels,
		.column = copy_column,.context = table
	};
	return table;
}

Table *
drawn_table(Arena *arena, size_t n_train, size_t n_valid, int n_inputs, bool odd_values)
{
	static const float odd[] = {NAN, INFINITY, -INFINITY, 3e38f, -3e38f, 1e-44f, 0, -0.0f, 1};
	Table	   *table = new_table(arena, n_train, n_valid, n_inputs);
	Random		random;

	random_start(&random, 11, RANDOM_SIMULATE, n_train);
	for (size_t row = 0; row < n_train + n_valid; row++)
	{
		double		logit = -0.5;

		for (int i = 0; i < n_inputs; i++)
		{
			float	   *value = value_at(table, row, i);
			int			levels = i % 2 == 0 ? 9 + i : 1 << 20;

			*value = up_to(&random, levels) / (float) levels;
			logit += 2 * sin(5 * *value + i);
			if (odd_values && up_to(&random, 9) == 0)
				*value = PICK(&random, odd);
			else if (odd_values && i == 1)
				*value = nextafterf(1, up_to(&random, 1) ? 2 : 0);
		}
		table->labels[row] = random_uniform(&random) < sigmoid(logit);
		table->weights[row] = 0.5f + up_to(&random, 4) / 2.0f;
	}
	return table;
}

ForestOptions
plain_options(int max_trees, int depth)
{
	ForestOptions options = forest_default_options();

	options.max_trees = max_trees;
	options.depth = depth;
	options.row_share = options.input_share = 1;
	options.min_child_weight = 2;
	return options;
}

Forest
trained(Arena *arena, const Table *table, const ForestOptions *options, ForestReport *report)
{
	EngineHost	host = toy_host();
	EngineError error = {0};
	Forest		forest;

	if (!forest_train(arena, &table->data, options, NULL, &host, NULL, &forest, report, &error))
	{
		printf("a forest failed: %s\n", error.message);
		exit(1);
	}
	return forest;
}
