/*
 * test_speed.c
 *	  Loops that are written for vector registers are faster than plain ones, and
 *	  make the same: every kernel of the panels, and every clone of HOT functions
 *	  with sums side by side, as far as this processor can run them.
 *
 * The engine is compiled as the extension is, the plain loops for any processor
 * of the architecture.  Both take turns, their processor time is taken, and the
 * median of the ratios counts.  With an argument all of these are printed.
 */
#define _POSIX_C_SOURCE 200809L

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/panels.h"
#include "engine/base/random.h"
#include "engine/data/vectors.h"
#include "unit.h"

#define MOST_IN 256
#define MOST_OUT 256
#define MOST_ROWS 24
#define DIM 32					/* of a part */
#define N_VECTOR 800
#define N_BLOCKS 16				/* that philox_lanes() makes at once */
/* Not slower than plain loops, but for what a busy machine adds to a median. */
#define SLOWEST 1.1
#define TURNS 15
#define TURN_SECONDS 1e-4

static bool tell_all;

/* What the loops work on. */
static real x[MOST_ROWS * MOST_IN];
static real weight[MOST_OUT * MOST_IN]; /* (n_out, MOST_IN): the panels are made of it */
static real plain_weight[MOST_IN * MOST_OUT];	/* (n_in, n_out) */
static real values[MOST_IN * (MOST_OUT + MAX_PANEL)] __attribute__((aligned(64)));
static real bias[MOST_OUT + MAX_PANEL] __attribute__((aligned(64)));
static uint32_t vector[N_VECTOR + 1];
static Random coins;

/* What they make. */
static union
{
	real		numbers[MOST_ROWS * MOST_OUT];
	uint32_t	blocks[4][N_BLOCKS];
}			out __attribute__((aligned(64)));

/* Two ways to make the same, and what they make it with. */
typedef struct Race
{
	const char *target;
	const char *work;
	int			n;				/* numbers that are made */
	void		(*fast) (const struct Race *race);
	void		(*plain) (const struct Race *race);
	Panels		panels;
	real		(*dot) (const real *a, const real *b, size_t n);
	real		(*vector_dot) (const uint32_t *members, size_t n, const real *weights);
	void		(*philox) (const uint32_t key[2], const uint32_t counter[4],
						   uint32_t blocks[4][N_BLOCKS]);
} Race;

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + 1e-9 * now.tv_nsec;
}

static double
time_runs(void (*run) (const Race *race), const Race *race, int runs)
{
	double		start = seconds();

	for (int i = 0; i < runs; i++)
		run(race);
	return (seconds() - start) / runs;
}

static int
compare(const void *a, const void *b)
{
	double		x_a = *(const double *) a;
	double		x_b = *(const double *) b;

	return (x_a > x_b) - (x_a < x_b);
}

/* Do both make the same? */
static bool
agree(const Race *race)
{
	static real fast[sizeof(out.numbers) / sizeof(real)];
	bool		same = true;

	race->fast(race);
	memcpy(fast, out.numbers, race->n * sizeof(real));
	memset(&out, 0, sizeof(out));
	race->plain(race);
	for (int i = 0; i < race->n; i++)
		same &= memcmp(&fast[i], &out.numbers[i], sizeof(real)) == 0 ||
			fabs(fast[i] - out.numbers[i]) <= 1e-4;
	return same;
}

static void
check_race(const Race *race)
{
	double		ratio[TURNS];
	int			runs = 1;

	CHECK(agree(race));
	while (time_runs(race->plain, race, runs) * runs < TURN_SECONDS)
		runs *= 2;
	for (int i = 0; i < TURNS; i++)
	{
		double		fast = time_runs(race->fast, race, runs);

		ratio[i] = fast / time_runs(race->plain, race, runs);
	}
	qsort(ratio, TURNS, sizeof(*ratio), compare);
	if (tell_all || ratio[TURNS / 2] >= SLOWEST)
		printf("%s, %s of %d: %.2f of plain loops' time\n", race->target, race->work, race->n,
			   ratio[TURNS / 2]);
	CHECK(ratio[TURNS / 2] < SLOWEST);
}

/* One row of a layer, for each of some rows. */
static void
plain_layer(const real *restrict in, const real *restrict weights, real *restrict to, int n_in,
			int n_out)
{
	for (int o = 0; o < n_out; o++)
		to[o] = bias[o];
	for (int i = 0; i < n_in; i++)
		for (int o = 0; o < n_out; o++)
			to[o] += in[i] * weights[(size_t) i * n_out + o];
	for (int o = 0; o < n_out; o++)
		to[o] = to[o] > 0 ? to[o] : 0;
}

static void
plain_rows(const Race *race)
{
	int			n_in = race->panels.n_in;
	int			n_out = race->panels.n_out;

	for (int b = 0; b < race->n / n_out; b++)
		plain_layer(x + (size_t) b * MOST_IN, plain_weight, out.numbers + (size_t) b * n_out,
					n_in, n_out);
}

static void
fast_layer_row(const Race *race)
{
	panels_layer_row(&race->panels, bias, x, out.numbers);
}

static void
fast_row(const Race *race)
{
	const real *start = bias;
	RowPart		parts[MOST_IN / DIM];
	RowInput	in = {.start = &start,.n_starts = 1,.parts = parts,
	.n_parts = race->panels.n_in / DIM,.length = DIM};

	for (int p = 0; p < in.n_parts; p++)
		parts[p] = (RowPart) {NULL, x + (size_t) p * DIM, p * DIM};
	for (int p = 0; p < race->panels.n; p++)
		panels_row(&race->panels, p, &in, out.numbers, true);
}

static void
fast_batch(const Race *race)
{
	panels_layer(&race->panels, bias, (Matrix) {x, MOST_IN}, MOST_ROWS,
				 (Matrix) {out.numbers, race->panels.n_out});
}

static void
check_kernel(const PanelKernel *kernel, int n_out)
{
	Race		race = {.target = panel_kernel_name(kernel),.plain = plain_rows,
	.panels = panels_of(MOST_IN, n_out)};

	race.panels.kernel = kernel;
	race.panels.values = values;
	panels_fill(&race.panels, 0, 0, (Matrix) {weight, MOST_IN}, MOST_IN, n_out);
	for (int o = 0; o < n_out; o++)
		for (int i = 0; i < MOST_IN; i++)
			plain_weight[(size_t) i * n_out + o] = weight[(size_t) o * MOST_IN + i];
	race.n = n_out;
	race.work = "a layer's row";
	race.fast = fast_layer_row;
	check_race(&race);
	race.work = "a row in parts";
	race.fast = fast_row;
	check_race(&race);
	race.n = MOST_ROWS * n_out;
	race.work = "a layer's batch";
	race.fast = fast_batch;
	check_race(&race);
}

static void
plain_dot(const Race *race)
{
	real		sum = 0;

	(void) race;
	for (int i = 0; i < N_VECTOR; i++)
		sum += x[i] * weight[i];
	out.numbers[0] = sum;
}

static void
fast_dot(const Race *race)
{
	out.numbers[0] = race->dot(x, weight, N_VECTOR);
}

static void
plain_vector_dot(const Race *race)
{
	real		sum = weight[vector[0]];

	(void) race;
	for (int i = 0; i < N_VECTOR; i++)
		sum += vector_number(vector[1 + i]) * weight[FIRST_ID + i];
	out.numbers[0] = sum;
}

static void
fast_vector_dot(const Race *race)
{
	out.numbers[0] = race->vector_dot(vector, 1 + N_VECTOR, weight);
}

static void
plain_philox(const Race *race)
{
	(void) race;
	for (uint32_t i = 0; i < N_BLOCKS; i++)
	{
		uint32_t	counter[4] = {i, coins.counter[1], coins.counter[2], coins.counter[3]};
		uint32_t	block[4];

		philox(coins.key, counter, block);
		for (int k = 0; k < 4; k++)
			out.blocks[k][i] = block[k];
	}
}

static void
fast_philox(const Race *race)
{
	race->philox(coins.key, coins.counter, out.blocks);
}

static void
check_clone(Race race)
{
	race.n = 1;
	race.work = "dot()";
	race.fast = fast_dot;
	race.plain = plain_dot;
	check_race(&race);
	race.work = "vector_dot()";
	race.fast = fast_vector_dot;
	race.plain = plain_vector_dot;
	check_race(&race);
	if (!race.philox)
		return;
	race.n = 4 * N_BLOCKS;
	race.work = "philox_lanes()";
	race.fast = fast_philox;
	race.plain = plain_philox;
	check_race(&race);
}

#ifdef HOT_CLONES

/* The compiler's names for a target's clones, which the Makefile makes visible. */
#define CLONES(suffix, target) \
	extern real dot_##suffix(const real *, const real *, size_t) __asm__("dot." target); \
	extern real vector_dot_##suffix(const uint32_t *, size_t, const real *) \
		__asm__("vector_dot." target); \
	extern void philox_##suffix(const uint32_t *, const uint32_t *, uint32_t (*)[N_BLOCKS]) \
		__asm__("philox_lanes." target)
#define CHECK_CLONES(suffix) \
	check_clone((Race) {.target = #suffix,.dot = dot_##suffix,.vector_dot = vector_dot_##suffix, \
				.philox = philox_##suffix})

CLONES(base, "default");
CLONES(v3, "arch_x86_64_v3");
CLONES(v4, "arch_x86_64_v4");

static void
check_clones(void)
{
	CHECK_CLONES(base);
	if (__builtin_cpu_supports("x86-64-v3"))
		CHECK_CLONES(v3);
	if (__builtin_cpu_supports("x86-64-v4"))
		CHECK_CLONES(v4);
}

#else

static void
check_clones(void)
{
	check_clone((Race) {.target = "base",.dot = dot,.vector_dot = vector_dot});
}

#endif

int
main(int argc, char **argv)
{
	static const int widths[] = {16, 32, 64, MOST_OUT};
	const PanelKernel *kernel;
	Random		random;

	(void) argv;
	tell_all = argc > 1;
	random_start(&random, 7, 0, 0);
	random_start(&coins, 7, RANDOM_DROPOUT, 0);
	/* half of them are 0, as after ReLU */
	for (size_t i = 0; i < sizeof(x) / sizeof(*x); i++)
		x[i] = random_uniform(&random) < 0.5 ? 0 : random_uniform(&random);
	for (size_t i = 0; i < sizeof(weight) / sizeof(*weight); i++)
		weight[i] = random_uniform(&random) - 0.5;
	vector[0] = FIRST_ID;
	memcpy(vector + 1, x, N_VECTOR * sizeof(uint32_t));
	for (int k = 0; (kernel = panel_kernel(k)) != NULL; k++)
		for (size_t w = 0; w < sizeof(widths) / sizeof(*widths); w++)
			check_kernel(kernel, widths[w]);
	check_clones();
	return unit_summary();
}
