/*
 * forest_grow.c
 *	  Growing one tree, level by level.
 *
 * The tree's rows and inputs are drawn, and the rows' derivatives found.  Then
 * each level takes two jobs.  Threads share out the inputs, a few to a task: a
 * task makes these inputs' histograms of all nodes, and finds their best splits.
 * The caller takes the best input of each node.  Then threads share out the
 * nodes, and part their rows.
 *
 * Of a split's two sides only the one of fewer rows is gone through.  Its
 * histograms are taken out of the parent's, whose place the other side takes over.
 *
 * Rows of a node lie side by side, with their derivatives.  Parting moves them
 * from one array to another, those on the right from its end on, backwards.
 */
#include "engine/trees/forest_grow.h"

#include <math.h>
#include <string.h>

#include "engine/base/random.h"

/* Rows are drawn and derived in parts of so many, at least; by so many tasks at most. */
#define PART_ROWS 4096
#define MAX_PARTS 64
/* Where fewer than one row in so many is drawn, their bins are copied side by side. */
#define SPARSE 4
/* Gain of the mean log loss, times rows, that is more than rounding. */
#define MIN_GAIN 1e-6
#define MAX_OPEN (1 << (FOREST_MAX_DEPTH - 1))

/*
 * A node whose split is looked for.  But for the root, they lie in pairs: the two
 * sides of a split, left and right.
 */
typedef struct OpenNode
{
	int			number;			/* in the tree */
	int			slot;			/* of its histograms */
	size_t		from;			/* its rows; those of the right side begin at "middle" */
	size_t		middle;
	size_t		to;
	DerivativeSums sums;
	Split		split;
	int			place;			/* of the split's input among those drawn */
	bool		parted;			/* its sides are open */
} OpenNode;

struct Grower
{
	const ForestData *data;
	const ForestOptions *options;
	const ForestBins *bins;
	Team	   *team;
	Watch	   *watch;
	double		scale;			/* derivatives of weight 1 in fixed point */
	SplitRule	rule;
	/* this tree's draw */
	int			number;
	const double *logits;
	size_t		n_rows;
	int			n_inputs;
	uint32_t   *inputs;			/* [n_inputs] of ForestBins */
	const uint8_t **columns;	/* [n_inputs, rounded up to groups] their bins */
	uint8_t    *copies;			/* [n_inputs, n_rows] bins of sparse rows; NULL: not sparse */
	uint32_t   *rows;			/* [n_rows] in the order of nodes */
	Derivatives *derivatives;	/* [n_rows] the same */
	uint32_t   *other_rows;		/* where rows are moved to */
	Derivatives *other_derivatives;
	DerivativeSums part_sums[MAX_PARTS];
	/* this level's nodes */
	int			level;
	int			n_open;
	int			n_slots;		/* taken */
	OpenNode	open[MAX_OPEN];
	Histogram  *histograms;		/* [groups, slots, SPLIT_GROUP] */
	Split	   *splits;			/* [n_inputs, most open nodes] */
	GrownTree	tree;
};

static inline size_t
node_rows(const OpenNode *node)
{
	return node->to - node->from;
}

static int
most_open(const Grower *grower)
{
	return 1 << (grower->options->depth - 1);
}

static int
n_groups(const Grower *grower)
{
	return (grower->n_inputs + SPLIT_GROUP - 1) / SPLIT_GROUP;
}

static bool
run(Grower *grower, TeamTask task, int n, EngineError *error)
{
	team_run(grower->team, grower->watch, task, grower, n);
	return !grower->watch->stopped || watch_continue(grower->watch, error);
}

/* The largest weight is below 2^30 in fixed point, so that 2^32 rows can be summed. */
static double
fixed_point_scale(const ForestData *data)
{
	double		largest = data->weights ? 0 : 1;
	int			exponent;

	for (size_t row = 0; data->weights && row < data->n_train; row++)
		largest = fmax(largest, data->weights[row]);
	(void) frexp(largest, &exponent);
	return ldexp(1, 30 - exponent);
}

static size_t
rows_to_draw(const ForestData *data, const ForestOptions *options)
{
	size_t		n = (size_t) ceil(options->row_share * (double) data->n_train);

	n = n < data->n_train ? n : data->n_train;
	return n < options->max_rows ? n : options->max_rows;
}

Grower *
grower_new(Arena *arena, const ForestData *data, const ForestOptions *options,
		   const ForestBins *bins, Team *team, Watch *watch, EngineError *error)
{
	Grower	   *grower = ARENA_ARRAY(arena, Grower, 1);
	size_t		nodes = forest_nodes(options->depth);
	size_t		n;

	if (!arena_ok(arena, error))
		return NULL;
	*grower = (Grower) {.data = data,.options = options,.bins = bins,.team = team,.watch = watch};
	grower->scale = fixed_point_scale(data);
	grower->rule = (SplitRule) {
		.lambda = options->lambda * grower->scale,
		.min_bend = options->min_child_weight * grower->scale,
		.min_gain = MIN_GAIN * grower->scale
	};
	grower->n_rows = n = rows_to_draw(data, options);
	grower->n_inputs = (int) ceil(options->input_share * bins->n_inputs);
	grower->inputs = ARENA_ARRAY(arena, uint32_t, grower->n_inputs);
	grower->columns = ARENA_ARRAY(arena, const uint8_t *, n_groups(grower) * SPLIT_GROUP);
	if (data->n_train / SPARSE > n)
		grower->copies = ARENA_ARRAY(arena, uint8_t, n * (size_t) grower->n_inputs);
	grower->rows = ARENA_ARRAY(arena, uint32_t, n);
	grower->derivatives = ARENA_ARRAY(arena, Derivatives, n);
	grower->other_rows = ARENA_ARRAY(arena, uint32_t, n);
	grower->other_derivatives = ARENA_ARRAY(arena, Derivatives, n);
	grower->histograms = ARENA_ARRAY(arena, Histogram,
									 (size_t) n_groups(grower) * most_open(grower) * SPLIT_GROUP);
	grower->splits = ARENA_ARRAY(arena, Split, (size_t) grower->n_inputs * most_open(grower));
	grower->tree.inputs = ARENA_ARRAY(arena, uint32_t, nodes);
	grower->tree.bins = ARENA_ARRAY(arena, uint8_t, nodes);
	grower->tree.leaves = ARENA_ARRAY(arena, float, nodes + 1);
	return arena_ok(arena, error) ? grower : NULL;
}

/*
 * Some of the n numbers from "first" on, ascending.  All sets of them are alike (Knuth,
 * "The art of computer programming", volume 2, algorithm S).
 */
static void
draw(Random *random, uint32_t first, size_t n, size_t wanted, uint32_t *drawn)
{
	for (; wanted > 0; first++, n--)
	{
		*drawn = first;
		if ((random_word(random) * (uint64_t) n) >> 32 < wanted)
		{
			drawn++;
			wanted--;
		}
	}
}

/* Random numbers of a tree's part, or of its inputs. */
static Random
tree_random(const Grower *grower, int part)
{
	Random		random;

	random_start(&random, grower->options->seed, RANDOM_FOREST,
				 (uint64_t) grower->number * (MAX_PARTS + 1) + part);
	return random;
}

static int
row_parts(const Grower *grower)
{
	size_t		parts = grower->data->n_train / PART_ROWS + 1;

	return parts < MAX_PARTS ? (int) parts : MAX_PARTS;
}

/* How many rows are drawn of the first n? */
static size_t
drawn_before(const Grower *grower, size_t n)
{
	return (uint64_t) n * grower->n_rows / grower->data->n_train;
}

/* Draw a part's rows, and find their derivatives. */
static void
draw_part(void *context, int part, int thread)
{
	Grower	   *grower = context;
	const ForestData *data = grower->data;
	Random		random = tree_random(grower, part);
	size_t		first = part_start(data->n_train, row_parts(grower), part);
	size_t		end = part_start(data->n_train, row_parts(grower), part + 1);
	size_t		from = drawn_before(grower, first);
	size_t		to = drawn_before(grower, end);
	DerivativeSums sums = {0, 0};

	(void) thread;
	draw(&random, (uint32_t) first, end - first, to - from, grower->rows + from);
	for (size_t i = from; i < to; i++)
	{
		uint32_t	row = grower->rows[i];
		double		p = 1 / (1 + exp(-grower->logits[row]));
		double		weight = forest_weight(data, row) * grower->scale;
		Derivatives derivatives = {
			.slope = (int32_t) lrint(weight * (p - data->labels[row])),
			.bend = (int32_t) lrint(weight * p * (1 - p))
		};

		grower->derivatives[i] = derivatives;
		sums.slope += derivatives.slope;
		sums.bend += derivatives.bend;
	}
	grower->part_sums[part] = sums;
}

/* An input's bins of the rows that were drawn. */
static void
copy_input(void *context, int place, int thread)
{
	Grower	   *grower = context;
	const uint8_t *bins = grower->bins->inputs[grower->inputs[place]].bins;
	uint8_t    *copy = grower->copies + (size_t) place * grower->n_rows;

	(void) thread;
	for (size_t i = 0; i < grower->n_rows; i++)
		copy[i] = bins[grower->rows[i]];
	grower->columns[place] = copy;
}

/* The tree's inputs, and where their bins are.  The last input fills up the last group. */
static bool
draw_inputs(Grower *grower, EngineError *error)
{
	Random		random = tree_random(grower, MAX_PARTS);
	int			n = grower->n_inputs;

	draw(&random, 0, (size_t) grower->bins->n_inputs, (size_t) n, grower->inputs);
	for (int i = 0; i < n; i++)
		grower->columns[i] = grower->bins->inputs[grower->inputs[i]].bins;
	if (grower->copies)
	{
		if (!run(grower, copy_input, n, error))
			return false;
		for (size_t i = 0; i < grower->n_rows; i++)
			grower->rows[i] = (uint32_t) i;
	}
	for (int i = n; i < n_groups(grower) * SPLIT_GROUP; i++)
		grower->columns[i] = grower->columns[n - 1];
	return true;
}

/* Draw rows and inputs; the root is the one open node. */
static bool
begin_tree(Grower *grower, EngineError *error)
{
	OpenNode	root = {.to = grower->n_rows};
	size_t		nodes = forest_nodes(grower->options->depth);

	if (!run(grower, draw_part, row_parts(grower), error) || !draw_inputs(grower, error))
		return false;
	for (int part = 0; part < row_parts(grower); part++)
	{
		root.sums.slope += grower->part_sums[part].slope;
		root.sums.bend += grower->part_sums[part].bend;
	}
	grower->open[0] = root;
	grower->n_open = 1;
	grower->n_slots = 1;
	memset(grower->tree.inputs, 0, nodes * sizeof(uint32_t));
	memset(grower->tree.bins, NO_BIN, nodes);
	memset(grower->tree.leaves, 0, (nodes + 1) * sizeof(float));
	return true;
}

static Histogram *
histograms_of(const Grower *grower, int group, int slot)
{
	return grower->histograms + ((size_t) group * most_open(grower) + slot) * SPLIT_GROUP;
}

static void
fill_histograms(const Grower *grower, int group, const OpenNode *node)
{
	Histogram  *histograms = histograms_of(grower, group, node->slot);

	memset(histograms, 0, SPLIT_GROUP * sizeof(Histogram));
	histograms_add(histograms, grower->columns + (size_t) group * SPLIT_GROUP,
				   grower->rows + node->from, grower->derivatives + node->from, node_rows(node));
}

/* Some inputs' histograms of all open nodes, and their best splits. */
static void
split_group(void *context, int group, int thread)
{
	Grower	   *grower = context;
	const OpenNode *open = grower->open;

	(void) thread;
	if (grower->level == 0)
		fill_histograms(grower, group, &open[0]);
	else
		for (int i = 0; i < grower->n_open; i += 2)
		{
			bool		left_is_small = node_rows(&open[i]) <= node_rows(&open[i + 1]);
			int			small = left_is_small ? i : i + 1;
			int			large = left_is_small ? i + 1 : i;

			fill_histograms(grower, group, &open[small]);
			histograms_subtract(histograms_of(grower, group, open[large].slot),
								histograms_of(grower, group, open[small].slot));
		}
	for (int k = group * SPLIT_GROUP; k < (group + 1) * SPLIT_GROUP && k < grower->n_inputs; k++)
		for (int i = 0; i < grower->n_open; i++)
			grower->splits[(size_t) k * most_open(grower) + i] =
				histogram_split(histograms_of(grower, group, open[i].slot)[k % SPLIT_GROUP],
								grower->bins->inputs[grower->inputs[k]].n_bins, open[i].sums,
								&grower->rule);
}

/* The leaf that a node's rows come to if they go left from there on. */
static void
set_leaf(Grower *grower, int number, int level, DerivativeSums sums)
{
	int			leaf = (number + 1 - (1 << level)) << (grower->options->depth - level);

	grower->tree.leaves[leaf] =
		(float) (grower->options->rate * newton_step(sums, grower->rule.lambda));
}

/* Take the best input's split of a node; what is not split any more becomes a leaf. */
static void
settle_node(Grower *grower, int i)
{
	OpenNode   *node = &grower->open[i];
	DerivativeSums right;

	node->split = (Split) {.gain = 0};
	for (int k = 0; k < grower->n_inputs; k++)
	{
		const Split *split = &grower->splits[(size_t) k * most_open(grower) + i];

		if (split->gain > node->split.gain)
		{
			node->split = *split;
			node->place = k;
		}
	}
	node->parted = false;
	if (node->split.gain == 0)
	{
		set_leaf(grower, node->number, grower->level, node->sums);
		return;
	}
	grower->tree.inputs[node->number] = grower->inputs[node->place];
	grower->tree.bins[node->number] = (uint8_t) node->split.bin;
	right = sums_less(node->sums, node->split.left);
	node->parted = grower->level + 1 < grower->options->depth &&
		fmax((double) node->split.left.bend, (double) right.bend) >= 2 * grower->rule.min_bend;
	if (!node->parted)
	{
		set_leaf(grower, 2 * node->number + 1, grower->level + 1, node->split.left);
		set_leaf(grower, 2 * node->number + 2, grower->level + 1, right);
	}
}

/* A row is written to both ends, and one of them moves on. */
static void
part_node(void *context, int i, int thread)
{
	Grower	   *grower = context;
	OpenNode   *node = &grower->open[i];
	size_t		left = node->from;
	size_t		right = node->to;
	const uint8_t *bins;

	(void) thread;
	if (!node->parted)
		return;
	bins = grower->columns[node->place];
	for (size_t k = node->from; k < node->to; k++)
	{
		uint32_t	row = grower->rows[k];
		Derivatives derivatives = grower->derivatives[k];
		bool		above = bins[row] > node->split.bin;

		grower->other_rows[left] = grower->other_rows[right - 1] = row;
		grower->other_derivatives[left] = grower->other_derivatives[right - 1] = derivatives;
		left += !above;
		right -= above;
	}
	node->middle = left;
}

/* The sides of nodes that were parted become the open nodes. */
static void
open_sides(Grower *grower)
{
	OpenNode	next[MAX_OPEN];
	int			n = 0;
	uint32_t   *rows = grower->rows;
	Derivatives *derivatives = grower->derivatives;

	for (int i = 0; i < grower->n_open; i++)
	{
		const OpenNode *node = &grower->open[i];
		bool		small_left = node->middle - node->from <= node->to - node->middle;

		if (!node->parted)
			continue;
		next[n] = (OpenNode) {
			.number = 2 * node->number + 1,.from = node->from,.to = node->middle,
			.sums = node->split.left,.slot = small_left ? grower->n_slots : node->slot
		};
		next[n + 1] = (OpenNode) {
			.number = 2 * node->number + 2,.from = node->middle,.to = node->to,
			.sums = sums_less(node->sums, node->split.left),
			.slot = small_left ? node->slot : grower->n_slots
		};
		grower->n_slots++;
		n += 2;
	}
	memcpy(grower->open, next, n * sizeof(OpenNode));
	grower->n_open = n;
	grower->rows = grower->other_rows;
	grower->derivatives = grower->other_derivatives;
	grower->other_rows = rows;
	grower->other_derivatives = derivatives;
}

bool
grower_grow(Grower *grower, int number, const double *logits, GrownTree *tree,
			EngineError *error)
{
	grower->number = number;
	grower->logits = logits;
	if (!begin_tree(grower, error))
		return false;
	for (grower->level = 0; grower->n_open > 0; grower->level++)
	{
		if (!run(grower, split_group, n_groups(grower), error))
			return false;
		for (int i = 0; i < grower->n_open; i++)
			settle_node(grower, i);
		if (!run(grower, part_node, grower->n_open, error))
			return false;
		open_sides(grower);
	}
	*tree = grower->tree;
	return true;
}
