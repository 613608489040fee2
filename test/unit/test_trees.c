/*
 * test_trees.c
 *	  Trees: their training as a whole, scoring, and the stored form.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "drawn_rows.h"
#include "engine/base/block.h"
#include "engine/measure/metrics.h"
#include "engine/trees/trees_bytes.h"
#include "pick.h"
#include "failing.h"
#include "toy.h"
#include "unit.h"

#define N_FIELDS 6

/* A pair of fields tells the label, and a field does. */
static DrawnRows *
planted_rows(Arena *arena, size_t n_train, size_t n_valid)
{
	static const uint32_t n_values[N_FIELDS] = {3, 60, 50, 10, 12, 8};
	DrawnRows  *rows = drawn_rows(arena, n_train, n_valid, N_FIELDS, n_values, 61);

	plant_pair(rows, 3, 4, 62);
	for (size_t row = 0; row < drawn_n(rows); row++)
		if (*drawn_id(rows, row, 5) % 4 == 0)
			rows->labels[row] = 1;
	return rows;
}

static bool
try_fit(Arena *arena, const Dataset *data, const TreesOptions *options, int n_threads,
		const EngineHost *host, Trees *trees, TreesReport *report, EngineError *error)
{
	Team	   *team = team_start(arena, n_threads, error);
	bool		ok = team &&
		trees_fit(arena, data, options, team, host, NULL, trees, report, error);

	team_stop(team);
	return ok;
}

static Trees
fit(Arena *arena, const Dataset *data, const TreesOptions *options, int n_threads,
	TreesReport *report)
{
	EngineHost	host = toy_host();
	EngineError error;
	Trees		trees;

	CHECK(try_fit(arena, data, options, n_threads, &host, &trees, report, &error));
	return trees;
}

static TreesOptions
few_trees(int n)
{
	TreesOptions options = trees_default_options();

	options.max_trees = n;
	return options;
}

/* Batches of all sizes have the logits of single rows and of the report. */
static void
check_scores(Arena *arena, const DrawnRows *rows, const Trees *trees, const double *valid_logits)
{
	size_t		n_train = rows->data.split_start[SPLIT_VALID];
	int			n_valid = (int) (drawn_n(rows) - n_train);
	float	   *scratch = ARENA_ARRAY(arena, float, trees_scratch(trees));
	double	   *batch = ARENA_ARRAY(arena, double, n_valid + 1);
	int			wrong = 0;

	for (int n = 1; n <= n_valid; n += n < 70 ? 1 : 229)
	{
		batch[n] = 77;
		trees_logits(trees, drawn_id(rows, n_train, 0), N_FIELDS, n, scratch, batch);
		for (int i = 0; i < n; i++)
			wrong += batch[i] != valid_logits[i];
		wrong += batch[n] != 77;
	}
	for (int i = 0; i < n_valid; i++)
		wrong += trees_logit(trees, drawn_id(rows, n_train + (size_t) i, 0), scratch) !=
			valid_logits[i];
	CHECK(wrong == 0);
}

static double
valid_auc(Arena *arena, const DrawnRows *rows, const double *logits)
{
	size_t		n_train = rows->data.split_start[SPLIT_VALID];
	EngineHost	host = toy_host();
	EngineError error;
	double		auc = NAN;

	CHECK(metrics_auc(arena, logits, rows->labels + n_train, drawn_n(rows) - n_train, &auc, &host,
					  &error));
	return auc;
}

/* A pair that tells what no field does is found, and the forest over it is the one that is kept. */
static void
test_pair(Arena *arena)
{
	DrawnRows  *rows = planted_rows(arena, 6000, 1500);
	TreesOptions options = few_trees(60);
	TreesReport report;
	TreesReport alone;
	Trees		trees = fit(arena, &rows->data, &options, 1, &report);
	const Encoding *last = &trees.encodings.list[trees.encodings.n - 1];

	CHECK(report.with_pairs && report.choice.pairs[0].a == 4 && report.choice.pairs[0].b == 3);
	CHECK(last->b != NO_FIELD && trees.forest.n_inputs == 2 * trees.encodings.n);
	CHECK(report.pair_loss < report.single_loss - 0.02);
	CHECK(report.single_loss < report.base_loss - 0.02);
	check_scores(arena, rows, &trees, report.valid_logits);

	options.max_pairs = 0;
	trees = fit(arena, &rows->data, &options, 1, &alone);
	CHECK(!alone.with_pairs && isnan(alone.pair_loss) && alone.single_loss == report.single_loss);
	CHECK(valid_auc(arena, rows, report.valid_logits) >
		  valid_auc(arena, rows, alone.valid_logits) + 0.05);
	check_scores(arena, rows, &trees, alone.valid_logits);
}

/* Without a pair that is worth it the first forest is kept, over single fields. */
static void
test_no_pair(Arena *arena)
{
	DrawnRows  *rows = planted_rows(arena, 3000, 800);
	TreesOptions options = trees_default_options();
	TreesReport report;
	Trees		trees;

	plant_noise(rows, 63);
	for (size_t row = 0; row < drawn_n(rows); row++)
		if (*drawn_id(rows, row, 5) % 2 == 0)
			rows->labels[row] |= row % 2;
	trees = fit(arena, &rows->data, &options, 1, &report);
	CHECK(!report.with_pairs && trees.encodings.n > 0);
	for (int i = 0; i < trees.encodings.n; i++)
		CHECK(trees.encodings.list[i].b == NO_FIELD);
	CHECK(trees.forest.n_inputs == 2 * trees.encodings.n);
	check_scores(arena, rows, &trees, report.valid_logits);
}

/* A forest that validation rows have not ended grows on, though there is no pair to add. */
static void
test_grows_on(Arena *arena)
{
	static const uint32_t n_values[12] = {2, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60};
	DrawnRows  *rows = drawn_rows(arena, 20000, 2000, 12, n_values, 65);
	TreesOptions options = few_trees(170);
	TreesReport report;
	Trees		trees;
	Random		random;

	/* every value adds to the logit */
	random_start(&random, 66, RANDOM_SIMULATE, 0);
	for (size_t row = 0; row < drawn_n(rows); row++)
	{
		double		logit = 0;

		for (int f = 1; f < 12; f++)
			logit += sin(*drawn_id(rows, row, f) * (f + 1.7));
		rows->labels[row] = random_uniform(&random) < 1 / (1 + exp(-2 * logit));
	}
	options.max_pairs = 0;
	trees = fit(arena, &rows->data, &options, 2, &report);
	CHECK(report.n_grown == 170 && trees.forest.n_trees > 100);
	CHECK(!report.with_pairs && isnan(report.pair_loss));
}

/* The same bytes by any number of threads, with weights, and with columns in files. */
static void
test_threads(Arena *arena)
{
	DrawnRows  *rows = planted_rows(arena, 4000, 1000);
	TreesOptions options = few_trees(15);
	ToyStore	store;
	TreesReport reports[4];
	Trees		trees[4];
	Trees		other;

	for (size_t row = 0; row < drawn_n(rows); row++)
		rows->weights[row] = 0.5f + (row % 7) / 6.0f;
	rows->data.weights = rows->weights;
	toy_store_init(&store);
	for (int n = 0; n < 4; n++)
	{
		rows->data.store = n == 3 ? &store.store : NULL;
		trees[n] = fit(arena, &rows->data, &options, n % 3 + 1, &reports[n]);
		CHECK(same_trees(arena, &trees[n], &trees[0]));
		CHECK(memcmp(reports[n].valid_logits, reports[0].valid_logits, 1000 * sizeof(double)) == 0);
	}
	CHECK(reports[0].with_pairs && store.begun == 1 && store.open == 0);
	options.seed = 1;
	other = fit(arena, &rows->data, &options, 1, &reports[0]);
	CHECK(!same_trees(arena, &other, &trees[0]));
}

/* Rows from which there is little to learn. */
static void
test_odd_rows(Arena *arena)
{
	static const uint32_t n_values[N_FIELDS] = {1, 60, 50, 10, 12, 8};
	TreesOptions options = few_trees(10);
	TreesReport report;
	Trees		trees;
	EngineHost	host = toy_host();
	EngineError error = {0};
	DrawnRows  *rows = drawn_rows(arena, 1000, 300, N_FIELDS, n_values, 67);

	/* one domain, one class */
	trees = fit(arena, &rows->data, &options, 1, &report);
	CHECK(isfinite(trees.forest.bias) && isfinite(report.valid_logits[0]));
	plant_pair(rows, 3, 4, 68);
	trees = fit(arena, &rows->data, &options, 1, &report);
	CHECK(report.with_pairs && !report.choice.singles[DRAWN_DOMAIN].taken);
	/* validation rows of one class */
	memset(rows->labels + 1000, 0, 300);
	trees = fit(arena, &rows->data, &options, 1, &report);
	CHECK(isfinite(report.single_loss));
	check_scores(arena, rows, &trees, report.valid_logits);
	/* nothing has a weight */
	memset(rows->weights, 0, drawn_n(rows) * sizeof(float));
	rows->data.weights = rows->weights;
	CHECK(!try_fit(arena, &rows->data, &options, 1, &host, &trees, &report, &error));
	CHECK(error.code == ENGINE_BAD_INPUT);
	/* no training rows */
	rows->data.weights = NULL;
	rows->data.split_start[SPLIT_VALID] = 0;
	CHECK(!try_fit(arena, &rows->data, &options, 1, &host, &trees, &report, &error));
	CHECK(error.code == ENGINE_BAD_INPUT);
}

/* Lists have no encoding; without one there are no trees, and beside others they do not count. */
static void
test_lists(Arena *arena)
{
	DrawnRows  *rows = planted_rows(arena, 2000, 500);
	TreesOptions options = few_trees(10);
	TreesReport report;
	Trees		trees;

	rows->is_list[5] = true;
	trees = fit(arena, &rows->data, &options, 1, &report);
	CHECK(report.choice.n_singles == N_FIELDS - 1 && trees.encodings.n > 0);
	for (int i = 0; i < trees.encodings.n; i++)
		CHECK(trees.encodings.list[i].a != 5 && trees.encodings.list[i].b != 5);
	make_lists(rows, arena);
	trees = fit(arena, &rows->data, &options, 1, &report);
	CHECK(trees.encodings.n == 0 && report.choice.n_singles == 0 && report.choice.n_pairs == 0);
}

/* Without validation rows, or with few, all fields are taken, and no pair. */
static void
test_few_rows(Arena *arena)
{
	for (int n_valid = 0; n_valid < 200; n_valid += 150)
	{
		DrawnRows  *rows = planted_rows(arena, 2000, n_valid);
		TreesOptions options = few_trees(200);
		TreesReport report;
		Trees		trees = fit(arena, &rows->data, &options, 1, &report);

		CHECK(trees.encodings.n == N_FIELDS && report.choice.n_pairs == 0);
		CHECK(isnan(report.single_loss) == (n_valid == 0));
		CHECK(n_valid > 0 || trees.forest.n_trees == 100);
		check_scores(arena, rows, &trees, report.valid_logits);
	}
}

/* Progress goes forward, phase by phase. */
static void
note_progress(void *context, TreesPhase phase, int done, int total)
{
	int		   *last = context;

	CHECK((int) phase >= last[0] && done <= total);
	CHECK((int) phase > last[0] || done > last[1]);
	last[0] = (int) phase;
	last[1] = done;
}

static void
test_progress(Arena *arena)
{
	DrawnRows  *rows = planted_rows(arena, 2000, 500);
	TreesOptions options = few_trees(5);
	EngineHost	host = toy_host();
	int			last[2] = {-1, 0};
	TreesObserver observer = {note_progress, last};
	EngineError error;
	TreesReport report;
	Trees		trees;

	CHECK(trees_fit(arena, &rows->data, &options, NULL, &host, &observer, &trees, &report, &error));
	CHECK(last[0] == TREES_FOREST && last[1] == 5);
}

static bool
stops(void *context)
{
	Failing    *failing = context;

	return ++failing->calls > failing->most;
}

/* The host's wish to stop is heard whenever it comes. */
static void
test_cancel(Arena *arena, int n_threads)
{
	DrawnRows  *rows = planted_rows(arena, 1500, 400);
	TreesOptions options = few_trees(2);
	EngineHost	host = toy_host();
	Failing		failing = {.most = 0};
	ToyStore	store;
	int			stopped = 0;

	host.interrupted = stops;
	host.context = &failing;
	toy_store_init(&store);
	rows->data.store = &store.store;
	for (bool done = false; !done; failing.most++)
	{
		struct ArenaBlock *mark = arena_mark(arena);
		EngineError error = {0};
		TreesReport report;
		Trees		trees;

		failing.calls = 0;
		done = try_fit(arena, &rows->data, &options, n_threads, &host, &trees, &report, &error);
		CHECK(done || error.code == ENGINE_INTERRUPTED);
		CHECK(done || failing.calls <= failing.most + 5);
		CHECK(store.open == 0);
		stopped += !done;
		arena_reset_to(arena, mark);
	}
	CHECK(stopped > 50);
}

/* Whichever allocation fails is an error. */
static void
test_memory(Arena *arena)
{
	DrawnRows  *rows = planted_rows(arena, 1500, 400);
	TreesOptions options = few_trees(2);
	EngineHost	host = toy_host();
	Failing		failing = {.most = 0};

	for (bool done = false; !done; failing.most++)
	{
		EngineError error = {0};
		Arena		small;
		TreesReport report;
		Trees		trees;

		failing.calls = 0;
		arena_init(&small, scarce, give_back, &failing);
		done = trees_fit(&small, &rows->data, &options, NULL, &host, NULL, &trees, &report, &error);
		CHECK(done || error.code == ENGINE_OUT_OF_MEMORY);
		/* what stays is the trees, and what was tried */
		CHECK(!done || small.bytes < trees_bytes_size(&trees) + 16384);
		arena_free_all(&small);
	}
	CHECK(failing.most > 80);
}

/* A stored form with the trees that it is of. */
typedef struct Stored
{
	DrawnRows  *rows;
	Trees		trees;
	TreesReport report;
	char	   *bytes;			/* BLOCK_ALIGNMENT bytes more, to be moved by one */
	size_t		n;
} Stored;

static Stored
store_trees(Arena *arena)
{
	TreesOptions options = few_trees(3);
	Stored		stored = {.rows = planted_rows(arena, 1500, 400)};

	stored.trees = fit(arena, &stored.rows->data, &options, 1, &stored.report);
	CHECK(stored.report.with_pairs);
	stored.n = trees_bytes_size(&stored.trees);
	stored.bytes = ARENA_ARRAY(arena, char, stored.n + BLOCK_ALIGNMENT);
	memset(stored.bytes, 0x5a, stored.n + BLOCK_ALIGNMENT);
	trees_put(&stored.trees, stored.bytes);
	return stored;
}

static Trees *
get(Arena *arena, const Stored *stored, const char *bytes, size_t n)
{
	EngineError error = {0};
	Trees	   *trees = trees_get(arena, bytes, n, &stored->rows->data.shape, &error);

	CHECK(trees || error.code == ENGINE_CORRUPT);
	return trees;
}

/* What is put comes back, in place or from bytes that are not aligned. */
static void
test_round_trip(Arena *arena)
{
	Stored		stored = store_trees(arena);
	const char *end = stored.bytes + stored.n;
	Trees	   *trees = get(arena, &stored, stored.bytes, stored.n);
	const char *values = trees ? (const char *) trees->encodings.list[0].values : NULL;

	CHECK(stored.bytes[stored.n] == 0x5a);
	CHECK(trees && same_trees(arena, trees, &stored.trees));
	CHECK(values > stored.bytes && values < end);
	check_scores(arena, stored.rows, trees, stored.report.valid_logits);
	memmove(stored.bytes + 1, stored.bytes, stored.n);
	trees = get(arena, &stored, stored.bytes + 1, stored.n);
	CHECK(trees && same_trees(arena, trees, &stored.trees));
	values = (const char *) trees->encodings.list[0].values;
	CHECK(values < stored.bytes || values > end);
}

/* Of a length that is not theirs they are refused, with nothing read beyond it. */
static void
test_truncated(Arena *arena)
{
	Stored		stored = store_trees(arena);

	for (size_t n = 0; n < stored.n + BLOCK_ALIGNMENT; n += n < 400 ? 1 : 44)
	{
		struct ArenaBlock *mark = arena_mark(arena);
		char	   *bytes = malloc(n);

		memcpy(bytes, stored.bytes, n);
		CHECK(n == stored.n || !get(arena, &stored, bytes, n));
		free(bytes);
		arena_reset_to(arena, mark);
	}
	CHECK(!get(arena, &stored, stored.bytes, stored.n + BLOCK_ALIGNMENT));
}

/* Whatever byte is another one: refused, or scores are finite. */
static void
test_damaged(Arena *arena)
{
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff, 0x5a};
	Stored		stored = store_trees(arena);
	float	   *scratch = ARENA_ARRAY(arena, float, trees_scratch(&stored.trees));
	int			n_refused = 0;

	for (size_t at = 0; at < stored.n; at++)
	{
		char		kept = stored.bytes[at];

		/* in sizes every one of the values, in tables one after the other */
		for (size_t i = at < 200 ? 0 : at % 6; i < (at < 200 ? 6 : at % 6 + 1); i++)
		{
			struct ArenaBlock *mark = arena_mark(arena);
			Trees	   *trees;
			double		logits[20] = {0};

			stored.bytes[at] = (char) (i == 0 ? kept ^ 1 : values[i]);
			trees = get(arena, &stored, stored.bytes, stored.n);
			if (trees)
				trees_logits(trees, stored.rows->ids, N_FIELDS, 20, scratch, logits);
			for (int k = 0; k < 20; k++)
				if (!isfinite(logits[k]))
					CHECK(!"a logit is not finite");
			n_refused += !trees;
			arena_reset_to(arena, mark);
		}
		stored.bytes[at] = kept;
	}
	CHECK(n_refused > 500);
}

/* Is this damage refused?  It is taken back. */
static bool
refuses(Arena *arena, Stored *stored, const void *array, size_t offset, const void *value,
		size_t size)
{
	char	   *at = array ? (char *) array + offset : stored->bytes + offset;
	char		kept[8];
	Trees	   *trees;

	memcpy(kept, at, size);
	memcpy(at, value, size);
	trees = get(arena, stored, stored->bytes, stored->n);
	memcpy(at, kept, size);
	return trees == NULL;
}

#define REFUSES(array, offset, type, value) \
	refuses(arena, &stored, array, offset, &(type) {value}, sizeof(type))

/* Each thing that scoring relies on. */
static void
test_refused(Arena *arena)
{
	Stored		stored = store_trees(arena);
	Trees	   *trees = get(arena, &stored, stored.bytes, stored.n);
	const Encoding *pair = &trees->encodings.list[trees->encodings.n - 1];
	const Forest *forest = &trees->forest;
	size_t		pair_at = 32 + 16 * (size_t) (trees->encodings.n - 1);
	uint32_t	value = FIRST_ID;

	CHECK(pair->b != NO_FIELD);
	/* the header: layout, encodings, depth, trees, unseen values, bias */
	CHECK(REFUSES(NULL, 0, uint32_t, 2));
	CHECK(REFUSES(NULL, 4, uint32_t, 0) && REFUSES(NULL, 4, uint32_t, UINT32_MAX));
	CHECK(REFUSES(NULL, 8, uint32_t, 0) && REFUSES(NULL, 8, uint32_t, 9));
	CHECK(REFUSES(NULL, 8, uint32_t, 5) && REFUSES(NULL, 8, uint32_t, UINT32_MAX));
	CHECK(REFUSES(NULL, 12, uint32_t, UINT32_MAX) && REFUSES(NULL, 12, uint32_t, 0));
	CHECK(REFUSES(NULL, 16, float, NAN) && REFUSES(NULL, 20, float, INFINITY));
	CHECK(REFUSES(NULL, 24, double, NAN));
	/* an encoding: fields, sizes */
	CHECK(REFUSES(NULL, pair_at, int32_t, -1) && REFUSES(NULL, pair_at, int32_t, N_FIELDS));
	CHECK(REFUSES(NULL, pair_at, int32_t, pair->b) && REFUSES(NULL, pair_at + 4, int32_t, -2));
	CHECK(REFUSES(NULL, pair_at + 4, int32_t, N_FIELDS));
	CHECK(REFUSES(NULL, pair_at + 8, uint32_t, pair->n_values + 1));
	CHECK(REFUSES(NULL, pair_at + 12, uint32_t, pair->n_cells - 2));
	CHECK(REFUSES(NULL, pair_at + 12, uint32_t, UINT32_MAX));
	CHECK(REFUSES(NULL, 32 + 12, uint32_t, trees->encodings.list[0].n_cells - 1));
	stored.rows->is_list[pair->b] = true;
	CHECK(!get(arena, &stored, stored.bytes, stored.n));
	stored.rows->is_list[pair->b] = false;
	/* tables */
	while (pair->start[value + 1] - pair->start[value] < 2)
		value++;
	CHECK(REFUSES(pair->start, 0, uint32_t, 1));
	CHECK(REFUSES(pair->start, 4 * (value + 1), uint32_t, pair->n_cells + 1));
	CHECK(REFUSES(pair->start, 4 * pair->n_values, uint32_t, pair->n_cells - 1));
	CHECK(REFUSES(pair->second, 4 * pair->start[value], uint32_t,
				  pair->second[pair->start[value] + 1]));
	CHECK(REFUSES(pair->second, 4 * (pair->n_cells - 1), uint32_t,
				  stored.rows->table_rows[pair->b]));
	CHECK(REFUSES(pair->values, 4, float, NAN) && REFUSES(pair->values, 0, float, -INFINITY));
	/* the forest */
	CHECK(REFUSES(forest->inputs, 0, uint16_t, forest->n_inputs));
	CHECK(REFUSES(forest->thresholds, 0, float, NAN));
	CHECK(REFUSES(forest->leaves, 0, float, INFINITY));
	CHECK(get(arena, &stored, stored.bytes, stored.n) != NULL);
}

int
main(void)
{
	Arena		arena;

	arena_init_malloc(&arena);
	test_pair(&arena);
	test_no_pair(&arena);
	test_grows_on(&arena);
	test_threads(&arena);
	test_odd_rows(&arena);
	test_lists(&arena);
	test_few_rows(&arena);
	test_progress(&arena);
	test_cancel(&arena, 1);
	test_cancel(&arena, 2);
	test_memory(&arena);
	test_round_trip(&arena);
	test_truncated(&arena);
	test_damaged(&arena);
	test_refused(&arena);
	arena_free_all(&arena);
	return unit_summary();
}
