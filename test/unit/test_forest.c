/*
 * test_forest.c
 *	  Forests: growth against plain loops, scores against a walk down the trees,
 *	  and stored bytes that are refused.
 */
#include <math.h>
#include <string.h>

#include "engine/measure/calibration.h"
#include "forest_table.h"
#include "toy.h"
#include "unit.h"

static double
weight_of(const Table *table, size_t row)
{
	return table->data.weights ? table->weights[row] : 1;
}

/* The leaf that a row comes to, by recursive descent. */
static int
leaf_of(const Forest *forest, int tree, int node, const float *x)
{
	int			nodes = (1 << forest->depth) - 1;
	int			i = tree * nodes + node;
	bool		right;

	if (node >= nodes)
		return node - nodes;
	right = x[forest->inputs[i]] > forest->thresholds[i];
	return leaf_of(forest, tree, 2 * node + 1 + right, x);
}

static double
plain_logit(const Forest *forest, const float *x, int n_trees)
{
	double		logit = forest->bias;

	for (int t = 0; t < n_trees; t++)
		logit += forest->leaves[((size_t) t << forest->depth) + leaf_of(forest, t, 0, x)];
	return logit;
}

static double
log_loss(double logit, int label)
{
	return log1p(exp(-fabs(logit))) + fmax(label ? -logit : logit, 0);
}

/* Of training rows, weighted, by the first trees; those of one leaf only, unless that is -1. */
static double
training_loss(const Table *table, const Forest *forest, int n_trees, int leaf, double shift)
{
	double		sum = 0;

	for (size_t row = 0; row < table->data.n_train; row++)
	{
		float		x[MAX_INPUTS];

		table_row(table, row, x);
		if (leaf < 0 || leaf_of(forest, n_trees, 0, x) == leaf)
			sum += weight_of(table, row) *
				log_loss(plain_logit(forest, x, n_trees) + shift, table->labels[row]);
	}
	return sum;
}

/* A tree that is grown by plain loops over values. */
typedef struct PlainTree
{
	const Table *table;
	const ForestOptions *options;
	const double *logits;		/* [n_train] before the tree */
	const Forest *forest;		/* that has to have grown the same */
	int			tree;
	int			wrong;
} PlainTree;

typedef struct PlainSums
{
	double		slope;
	double		bend;
	int			rows;
} PlainSums;

/* Of rows in a node, on one side of a threshold. */
static PlainSums
plain_sums(const PlainTree *plain, const bool *in, int input, float threshold, bool right)
{
	PlainSums	sums = {0, 0, 0};

	for (size_t row = 0; row < plain->table->data.n_train; row++)
	{
		double		p = sigmoid(plain->logits[row]);
		double		weight = weight_of(plain->table, row);

		if (!in[row] || (*value_at(plain->table, row, input) > threshold) != right)
			continue;
		sums.slope += weight * (p - plain->table->labels[row]);
		sums.bend += weight * p * (1 - p);
		sums.rows++;
	}
	return sums;
}

static double
plain_gain(PlainSums sums, double lambda)
{
	return sums.slope * sums.slope / (sums.bend + lambda);
}

/* The next larger value of an input among training rows, or +infinity. */
static float
next_value(const Table *table, int input, float value)
{
	float		next = INFINITY;

	for (size_t row = 0; row < table->data.n_train; row++)
		if (*value_at(table, row, input) > value && *value_at(table, row, input) < next)
			next = *value_at(table, row, input);
	return next;
}

/* The best of all splits between two values; false: none gains. */
static bool
plain_split(const PlainTree *plain, const bool *in, int *best_input, float *best_threshold)
{
	PlainSums	all = plain_sums(plain, in, 0, -INFINITY, true);
	double		best = plain_gain(all, plain->options->lambda) + 1e-6;
	bool		found = false;

	for (int i = 0; i < plain->table->data.n_inputs; i++)
	{
		float		low = next_value(plain->table, i, -INFINITY);
		float		high;

		for (; (high = next_value(plain->table, i, low)) < INFINITY; low = high)
		{
			float		threshold = (low + high) / 2;
			PlainSums	left = plain_sums(plain, in, i, threshold, false);
			PlainSums	right = plain_sums(plain, in, i, threshold, true);
			double		gain = plain_gain(left, plain->options->lambda) +
				plain_gain(right, plain->options->lambda);

			/* what differs in rounding only is a tie, and the first one stays */
			if (left.bend < plain->options->min_child_weight ||
				right.bend < plain->options->min_child_weight || gain <= best + 1e-9)
				continue;
			best = gain;
			*best_input = i;
			*best_threshold = threshold;
			found = true;
		}
	}
	return found;
}

/* Grow from a node on, and compare. */
static void
plain_grow(PlainTree *plain, const bool *in, int node, int level)
{
	const Forest *forest = plain->forest;
	size_t		at = plain->tree * forest_nodes(forest->depth) + node;
	PlainSums	all = plain_sums(plain, in, 0, -INFINITY, true);
	int			input = 0;
	float		threshold = INFINITY;
	bool		side[2][1000];

	if (level == forest->depth)
	{
		float		leaf = forest->leaves[((size_t) plain->tree << forest->depth) + node -
										  forest_nodes(forest->depth)];

		double		step = -all.slope / (all.bend + plain->options->lambda);

		/* no rows come where nothing was split */
		plain->wrong += all.rows == 0 ? leaf != 0 :
			!(fabs(leaf - plain->options->rate * step) < 1e-6);
		return;
	}
	if (all.rows > 0)
		plain_split(plain, in, &input, &threshold);
	plain->wrong += forest->inputs[at] != input || forest->thresholds[at] != threshold;
	for (size_t row = 0; row < plain->table->data.n_train; row++)
		for (int right = 0; right < 2; right++)
			side[right][row] = in[row] &&
				(*value_at(plain->table, row, input) > threshold) == right;
	plain_grow(plain, side[0], 2 * node + 1, level + 1);
	plain_grow(plain, side[1], 2 * node + 2, level + 1);
}

/* Trees are those of an exhaustive search, with and without weights. */
static void
test_growth(Arena *arena, bool weighted, int depth)
{
	Table	   *table = drawn_table(arena, 500, 0, 7, false);
	ForestOptions options = plain_options(4, depth);
	double		logits[500];
	bool		in[500];
	ForestReport report;
	Forest		forest;
	int			splits = 0;

	/* few values, so that each has a bin */
	for (int i = 1; i < 7; i += 2)
		for (size_t row = 0; row < 500; row++)
			*value_at(table, row, i) = floorf(*value_at(table, row, i) * 60);
	table->data.weights = weighted ? table->weights : NULL;
	options.rate = 0.5;
	forest = trained(arena, table, &options, &report);
	CHECK(forest.n_trees == 4 && forest.depth == depth);
	memset(in, true, sizeof(in));
	for (int t = 0; t < 4; t++)
	{
		PlainTree	plain = {table, &options, logits, &forest, t, 0};

		for (size_t row = 0; row < 500; row++)
		{
			float		x[MAX_INPUTS];

			table_row(table, row, x);
			logits[row] = plain_logit(&forest, x, t);
		}
		plain_grow(&plain, in, 0, 0);
		CHECK(plain.wrong == 0);
	}
	for (size_t i = 0; i < 4 * forest_nodes(depth); i++)
		splits += forest.thresholds[i] < INFINITY;
	CHECK(splits >= 4 * depth);
}

/* A leaf is the Newton step of its rows, by differences of their loss. */
static void
test_leaves(Arena *arena)
{
	Table	   *table = drawn_table(arena, 800, 0, 6, true);
	ForestOptions options = plain_options(3, 4);
	const double e = 1e-3;
	ForestReport report;
	Forest		forest;
	int			checked = 0;

	table->data.weights = table->weights;
	options.rate = 1;
	options.lambda = 3;
	forest = trained(arena, table, &options, &report);
	for (int t = 0; t < 3; t++)
		for (int leaf = 0; leaf < 16; leaf++)
		{
			double		at = training_loss(table, &forest, t, leaf, 0);
			double		up = training_loss(table, &forest, t, leaf, e);
			double		down = training_loss(table, &forest, t, leaf, -e);
			double		bend = (up - 2 * at + down) / (e * e);

			if (at == 0)
				continue;
			checked++;
			CHECK(bend >= options.min_child_weight - 1e-3);
			CHECK(fabs(forest.leaves[t * 16 + leaf] + (up - down) / (2 * e) / (bend + 3)) < 1e-4);
		}
	CHECK(checked > 24);
}

/* Each tree lowers the loss of the rows that it was grown on. */
static void
test_descent(Arena *arena)
{
	Table	   *table = drawn_table(arena, 1000, 0, 6, true);
	ForestOptions options = plain_options(30, 3);
	ForestReport report;
	Forest		forest;
	double		before;
	int			rises = 0;

	options.rate = 0.05;
	forest = trained(arena, table, &options, &report);
	before = training_loss(table, &forest, 0, -1, 0);
	for (int t = 1; t <= 30; t++)
	{
		double		after = training_loss(table, &forest, t, -1, 0);

		rises += !(after < before);
		before = after;
	}
	CHECK(rises == 0);
}

/* Training's own logits, single rows, batches of any size and plain walks are the same bits. */
static void
test_scores(Arena *arena)
{
	Table	   *table = drawn_table(arena, 3000, 1000, 9, true);
	ForestOptions options = plain_options(25, 6);
	const int	stride = 11;
	float	   *x = ARENA_ARRAY(arena, float, 1000 * stride);
	double		batch[1000];
	ForestReport report;
	Forest		forest;
	int			wrong = 0;

	options.patience = 25;
	forest = trained(arena, table, &options, &report);
	CHECK(report.n_used == 9 && forest.n_trees > 5);
	for (int row = 0; row < 1000; row++)
	{
		table_row(table, 3000 + row, x + row * stride);
		x[row * stride + 9] = x[row * stride + 10] = NAN;
	}
	for (int n = 1; n <= 1000; n += n < 40 ? 1 : 137)
	{
		memset(batch, 0xff, sizeof(batch));
		forest_logits(&forest, x, stride, n, batch);
		for (int row = 0; row < n; row++)
			wrong += batch[row] != plain_logit(&forest, x + row * stride, forest.n_trees) ||
				batch[row] != forest_logit(&forest, x + row * stride) ||
				batch[row] != report.valid_logits[row];
		CHECK(n == 1000 || isnan(batch[n]));
	}
	CHECK(wrong == 0);
}

/* A threshold lies between two values, however near or far apart they are. */
static void
test_thresholds(Arena *arena)
{
	const float ulp = 0x1p-23f;
	const float pairs[][2] = {
		{1, 1 + ulp}, {1 + ulp, 1 + 2 * ulp}, {1 - ulp / 2, 1}, {0, 0x1p-149f}, {-0x1p-149f, 0},
		{-3e38f, 3e38f}, {3e38f, INFINITY}, {-INFINITY, -3e38f}, {-INFINITY, INFINITY},
		{NAN, 0}, {NAN, INFINITY}, {5, 6}
	};

	for (int k = 0; k < 12; k++)
	{
		Table	   *table = new_table(arena, 1000, 2, 1);
		ForestOptions options = plain_options(1, 1);
		ForestReport report;
		Forest		forest;

		for (size_t row = 0; row < 1002; row++)
		{
			*value_at(table, row, 0) = pairs[k][row % 2];
			table->labels[row] = row % 2;
		}
		forest = trained(arena, table, &options, &report);
		CHECK(forest.n_trees == 1 && !(pairs[k][0] > forest.thresholds[0]) &&
			  pairs[k][1] > forest.thresholds[0]);
		CHECK(report.valid_logits[0] < report.valid_logits[1]);
		for (int side = 0; side < 2; side++)
			CHECK(forest_logit(&forest, &pairs[k][side]) == report.valid_logits[side]);
	}
}

/* A forest whose bytes tests damage. */
typedef struct Bytes
{
	Forest		forest;
	uint16_t	inputs[2 * 3];
	float		thresholds[2 * 3];
	float		leaves[2 * 4];
} Bytes;

static void
sound_bytes(Bytes *bytes)
{
	*bytes = (Bytes) {
		.forest = {.n_inputs = 5,.depth = 2,.n_trees = 2,.bias = 1},
		.inputs = {0, 1, 2, 3, 4, 0},.thresholds = {1, INFINITY, -INFINITY, 0, -2, 3},
		.leaves = {1, 2, 3, 4, 5, 6, 7, 8}
	};
	bytes->forest.inputs = bytes->inputs;
	bytes->forest.thresholds = bytes->thresholds;
	bytes->forest.leaves = bytes->leaves;
}

#define REFUSED(change) \
	do \
	{ \
		sound_bytes(&bytes); \
		CHECK(forest_valid(&bytes.forest)); \
		change; \
		CHECK(!forest_valid(&bytes.forest)); \
	} while (0)

/* Bytes that scoring could not trust, at both ends of each array. */
static void
test_damage(void)
{
	Bytes		bytes;

	for (int i = 0; i < 6; i += 5)
	{
		REFUSED(bytes.inputs[i] = 5);
		REFUSED(bytes.inputs[i] = 65535);
		REFUSED(bytes.thresholds[i] = NAN);
	}
	for (int i = 0; i < 8; i += 7)
	{
		REFUSED(bytes.leaves[i] = NAN);
		REFUSED(bytes.leaves[i] = -INFINITY);
	}
	REFUSED(bytes.forest.bias = NAN);
	REFUSED(bytes.forest.bias = INFINITY);
	REFUSED(bytes.forest.n_inputs = 4);
	REFUSED(bytes.forest.n_inputs = 0);
	REFUSED(bytes.forest.n_inputs = 65537);
	REFUSED(bytes.forest.depth = 0);
	REFUSED(bytes.forest.depth = 9);
	REFUSED(bytes.forest.depth = -1);
	REFUSED(bytes.forest.depth = 64);
	REFUSED(bytes.forest.n_trees = -1);
	REFUSED(bytes.forest.n_trees = 10001);
	sound_bytes(&bytes);
	bytes.forest.n_trees = 0;
	CHECK(forest_valid(&bytes.forest) && forest_logit(&bytes.forest, NULL) == 1);
}

/* A value goes right if it is above the threshold; NaN goes left. */
static void
test_sides(void)
{
	static const float values[] = {NAN, -INFINITY, -1, 1, 1.0000001f, INFINITY};
	static const float thresholds[] = {-INFINITY, 1, INFINITY};
	static const int first_right[] = {2, 4, 6};

	for (int t = 0; t < 3; t++)
		for (int v = 0; v < 6; v++)
		{
			Forest		forest = {
				.n_inputs = 1,.depth = 1,.n_trees = 1,.inputs = (const uint16_t[]) {0},
				.thresholds = &thresholds[t],.leaves = (const float[]) {-3, 4},.bias = 0.5
			};

			CHECK(forest_logit(&forest, &values[v]) == (v >= first_right[t] ? 4.5 : -2.5));
		}
}

int
main(void)
{
	Arena		arena;

	arena_init_malloc(&arena);
	for (int depth = 1; depth <= 5; depth += 2)
	{
		test_growth(&arena, false, depth);
		test_growth(&arena, true, depth);
	}
	test_leaves(&arena);
	test_descent(&arena);
	test_scores(&arena);
	test_thresholds(&arena);
	test_damage();
	test_sides();
	arena_free_all(&arena);
	return unit_summary();
}
