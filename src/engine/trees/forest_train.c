/*
 * forest_train.c
 *	  Gradient boosting with the logistic loss.
 *
 * Inputs are binned, and the bias is that of the rate of positives.  Then tree
 * after tree is grown where the rows' logits stand.  Threads share out the rows to
 * send them down the new tree: training rows and validation rows alike, by bins.
 *
 * What outlives the training is allocated first, everything else is given back.
 */
#include "engine/trees/forest_train.h"

#include <math.h>
#include <string.h>

#include "engine/trees/forest_grow.h"
#include "engine/trees/forest_validation.h"
#include "engine/trees/prior.h"

/* Rows of a task. */
#define PART_ROWS 8192
/* Rows that go down a tree together. */
#define BLOCK 16

/* A grown tree's node, ready for rows. */
typedef struct BinNode
{
	const uint8_t *bins;
	uint8_t		bin;
} BinNode;

typedef struct Booster
{
	const ForestData *data;
	const ForestOptions *options;
	Team	   *team;
	Watch		watch;
	const ForestObserver *observer;
	ForestBins	bins;
	Grower	   *grower;
	size_t		n_rows;			/* n_train + n_valid */
	double	   *logits;			/* [n_rows] */
	ForestValidation validation;
	/* the newest tree */
	GrownTree	tree;
	BinNode		nodes[(1 << FOREST_MAX_DEPTH) - 1];
	/* what becomes of it */
	Forest	   *forest;
	uint16_t   *inputs;			/* the forest's arrays */
	float	   *thresholds;
	float	   *leaves;
	ForestReport *report;
} Booster;

ForestOptions
forest_default_options(void)
{
	return (ForestOptions) {
		.max_trees = 500,.depth = 6,.rate = 0.05,.lambda = 1,.min_child_weight = 20,
		.row_share = 0.8,.max_rows = 200000,.input_share = 0.8,.patience = 40
	};
}

static int
row_tasks(const Booster *booster)
{
	return (int) ((booster->n_rows + PART_ROWS - 1) / PART_ROWS);
}

/* Send n rows from "first" on, BLOCK at most, down the newest tree. */
static inline void
add_leaves(const Booster *booster, size_t first, int n)
{
	uint32_t	nodes = (uint32_t) forest_nodes(booster->options->depth);
	uint32_t	at[BLOCK] = {0};

	for (int level = 0; level < booster->options->depth; level++)
		for (int r = 0; r < n; r++)
		{
			const BinNode *node = &booster->nodes[at[r]];

			at[r] = 2 * at[r] + 1 + (node->bins[first + r] > node->bin);
		}
	for (int r = 0; r < n; r++)
		booster->logits[first + r] += booster->tree.leaves[at[r] - nodes];
}

static size_t
part_end(const Booster *booster, size_t from)
{
	return booster->n_rows - from < PART_ROWS ? booster->n_rows : from + PART_ROWS;
}

/* Rows before the first tree. */
static void
start_part(void *context, int part, int thread)
{
	Booster    *booster = context;
	size_t		from = (size_t) part * PART_ROWS;
	size_t		to = part_end(booster, from);

	(void) thread;
	for (size_t row = from; row < to; row++)
		booster->logits[row] = booster->forest->bias;
}

static void
tree_part(void *context, int part, int thread)
{
	Booster    *booster = context;
	size_t		from = (size_t) part * PART_ROWS;
	size_t		to = part_end(booster, from);
	size_t		row = from;

	(void) thread;
	for (; row + BLOCK <= to; row += BLOCK)
		add_leaves(booster, row, BLOCK);
	add_leaves(booster, row, (int) (to - row));
}

/* Run a task over all rows, and find the loss that validation rows have then. */
static bool
pass_rows(Booster *booster, TeamTask task, double *loss, EngineError *error)
{
	team_run(booster->team, &booster->watch, task, booster, row_tasks(booster));
	if (booster->watch.stopped)
		return watch_continue(&booster->watch, error);
	return validation_loss(&booster->validation, loss, error);
}

/* The newest tree by thresholds becomes the forest's tree of this number. */
static void
keep_tree(Booster *booster, int number)
{
	size_t		nodes = forest_nodes(booster->options->depth);

	for (size_t i = 0; i < nodes; i++)
	{
		const BinnedInput *input = &booster->bins.inputs[booster->tree.inputs[i]];
		uint8_t		bin = booster->tree.bins[i];

		booster->nodes[i] = (BinNode) {input->bins, bin};
		booster->inputs[number * nodes + i] = (uint16_t) (bin == NO_BIN ? 0 : input->input);
		booster->thresholds[number * nodes + i] = bin == NO_BIN ? INFINITY : input->thresholds[bin];
	}
	memcpy(booster->leaves + number * (nodes + 1), booster->tree.leaves,
		   (nodes + 1) * sizeof(float));
}

/* The forest so far is the best one. */
static void
keep_forest(Booster *booster, int n_trees)
{
	booster->forest->n_trees = n_trees;
	memcpy(booster->report->logits, booster->logits, booster->n_rows * sizeof(double));
}

/* The bias is the logit of the rate of positives among training rows. */
static bool
find_bias(Booster *booster, EngineError *error)
{
	const ForestData *data = booster->data;
	double		rate = prior_rate(data->labels, data->weights, data->n_train);

	if (isnan(rate))
		return engine_fail(error, ENGINE_BAD_INPUT, "Weights of training rows should be above 0.",
						   "a forest has no training rows of any weight");
	booster->forest->bias = log(rate / (1 - rate));
	return true;
}

/* Tree after tree, until validation rows have not gained for a while. */
static bool
boost(Booster *booster, EngineError *error)
{
	const ForestOptions *options = booster->options;
	ForestReport *report = booster->report;
	bool		validated = booster->validation.weight > 0;
	int			most = options->max_trees;

	if (!pass_rows(booster, start_part, &report->valid_losses[0], error))
		return false;
	keep_forest(booster, 0);
	if (!validated && most > FOREST_TREES_UNCHECKED)
		most = FOREST_TREES_UNCHECKED;
	while (report->n_grown < most && booster->bins.n_inputs > 0 &&
		   !(validated && report->n_grown - booster->forest->n_trees >= options->patience))
	{
		double	   *loss = &report->valid_losses[report->n_grown + 1];

		if (!grower_grow(booster->grower, report->n_grown, booster->logits, &booster->tree, error))
			return false;
		keep_tree(booster, report->n_grown);
		if (!pass_rows(booster, tree_part, loss, error))
			return false;
		report->n_grown++;
		if (!validated || *loss < report->valid_losses[booster->forest->n_trees])
			keep_forest(booster, report->n_grown);
		if (booster->observer)
			booster->observer->tree(booster->observer->context, report->n_grown, *loss);
	}
	return true;
}

/* All that is given back at the end. */
static bool
train_forest(Booster *booster, Arena *arena, const EngineHost *host, EngineError *error)
{
	if (!find_bias(booster, error) ||
		!forest_bins_build(&booster->bins, arena, booster->data, booster->team, host, error))
		return false;
	booster->report->n_used = booster->bins.n_inputs;
	booster->report->valid_logits = booster->report->logits + booster->data->n_train;
	booster->logits = ARENA_ARRAY(arena, double, booster->n_rows);
	booster->grower = grower_new(arena, booster->data, booster->options, &booster->bins,
								 booster->team, &booster->watch, error);
	return booster->grower &&
		validation_init(&booster->validation, arena, booster->data,
						booster->logits + booster->data->n_train, booster->team,
						&booster->watch, error) &&
		boost(booster, error);
}

bool
forest_train(Arena *arena, const ForestData *data, const ForestOptions *options, Team *team,
			 const EngineHost *host, const ForestObserver *observer, Forest *forest,
			 ForestReport *report, EngineError *error)
{
	size_t		nodes = (size_t) options->max_trees * forest_nodes(options->depth);
	size_t		leaves = nodes + options->max_trees;
	Booster    *booster = ARENA_ARRAY(arena, Booster, 1);
	struct ArenaBlock *mark;
	bool		trained;

	if (!arena_ok(arena, error))
		return false;
	*report = (ForestReport) {
		.valid_losses = ARENA_ARRAY(arena, double, options->max_trees + 1),
		.logits = ARENA_ARRAY(arena, double, data->n_train + data->n_valid)
	};
	*booster = (Booster) {
		.data = data,.options = options,.team = team,.watch = {.host = host},.observer = observer,
		.n_rows = data->n_train + data->n_valid,.forest = forest,.report = report,
		.inputs = ARENA_ARRAY(arena, uint16_t, nodes),
		.thresholds = ARENA_ARRAY(arena, float, nodes),
		.leaves = ARENA_ARRAY(arena, float, leaves)
	};
	*forest = (Forest) {
		.n_inputs = data->n_inputs,.depth = options->depth,.inputs = booster->inputs,
		.thresholds = booster->thresholds,.leaves = booster->leaves
	};
	mark = arena_mark(arena);
	trained = arena_ok(arena, error) && train_forest(booster, arena, host, error);
	arena_reset_to(arena, mark);
	return trained;
}
