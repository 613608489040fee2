/*
 * test_simulate.c
 *	  Simulated interactions: in range, reproducible, as planted.
 */
#include <math.h>
#include <string.h>

#include "engine/measure/metrics.h"
#include "engine/data/simulate.h"
#include "toy.h"
#include "unit.h"

#define ROWS 20000

static const SimulateConfig defaults = {
	.rows = ROWS,.domains = 12,.groups = 3,.users = 300,.items = 200,.skew = 1,
	.strength = 2,.positive_rate = 0.3,.seed = 1
};

static void
test_rows(Arena *arena)
{
	static double probabilities[ROWS];
	static uint8_t labels[ROWS];
	EngineHost	host = toy_host();
	EngineError error;
	Simulation *simulation = simulate_begin(arena, &defaults, &host, &error);
	uint64_t	rows[13] = {0};
	double		positives = 0;
	double		auc = 0;
	int			out_of_range = 0;

	for (uint64_t i = 0; i < ROWS; i++)
	{
		SimulatedRow row;

		simulate_row(simulation, i, &row);
		out_of_range += row.user < 1 || row.user > 300 || row.item < 1 || row.item > 200 ||
			row.domain < 1 || row.domain > 12 || row.group != (row.domain - 1) % 3 + 1 ||
			!(row.price > 0) || row.sequence != i;
		rows[row.domain]++;
		positives += row.label;
		probabilities[i] = row.probability;
		labels[i] = row.label;
	}
	CHECK(out_of_range == 0);
	CHECK(fabs(positives / ROWS - 0.3) < 0.03);
	CHECK(rows[1] > 5 * rows[12] && rows[12] > 0);
	CHECK(metrics_auc(arena, probabilities, labels, ROWS, &auc, &host, &error));
	CHECK(auc > 0.75);
}

/* A row depends on seed and number alone. */
static void
test_reproducible(Arena *arena)
{
	SimulateConfig config = defaults;
	EngineHost	host = toy_host();
	EngineError error;
	SimulatedRow a;
	SimulatedRow b;

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	simulate_row(simulate_begin(arena, &config, &host, &error), 77, &a);
	config.rows = 100;
	simulate_row(simulate_begin(arena, &config, &host, &error), 77, &b);
	CHECK(memcmp(&a, &b, sizeof(a)) == 0);
	config.seed = 2;
	simulate_row(simulate_begin(arena, &config, &host, &error), 77, &b);
	CHECK(memcmp(&a, &b, sizeof(a)) != 0);
}

static bool
always(void *context)
{
	(void) context;
	return true;
}

static void
test_refused(Arena *arena)
{
	SimulateConfig config = defaults;
	EngineHost	host = toy_host();
	EngineError error;

	config.groups = 13;
	CHECK(!simulate_begin(arena, &config, &host, &error) && error.code == ENGINE_BAD_INPUT);
	config = defaults;
	config.positive_rate = 1;
	CHECK(!simulate_check(&config, &error));
	config = defaults;
	config.domains = 0;
	CHECK(!simulate_check(&config, &error));
	config = defaults;
	config.skew = NAN;
	CHECK(!simulate_check(&config, &error));
	config = defaults;
	config.users = INT32_MAX;
	CHECK(!simulate_check(&config, &error) && error.code == ENGINE_BAD_INPUT);
	config.users = 1000000;
	host.interrupted = always;
	CHECK(!simulate_begin(arena, &config, &host, &error) && error.code == ENGINE_INTERRUPTED);
}

int
main(void)
{
	Arena		arena;

	arena_init_malloc(&arena);
	test_rows(&arena);
	test_reproducible(&arena);
	test_refused(&arena);
	arena_free_all(&arena);
	return unit_summary();
}
