/*
 * trees_fit.c
 *	  From rows to trees, in four phases:
 *
 *	  singles: ids by column, folds, fields that are worth it
 *	  first forest: over these, of FIRST_TREES at most
 *	  pairs: those that tell what the first forest does not know
 *	  forest: over fields and pairs; the better one of the two is kept
 *
 * Where no field is worth it by itself there is no first forest, and pairs are those that
 * tell more than the share of positives does.
 *
 * Memory: what is kept is the arena's.  Everything else is in an arena of its own,
 * given back at the end.  Tables of pairs go where the first forest is kept.
 *
 * Threads: see encoding_choice.c and forest_train.c.  Encodings of the forests' rows
 * are made by the caller's thread, one after the other.
 */
#include "engine/trees/trees_fit.h"

#include <math.h>
#include <string.h>

#include "engine/trees/encoding_fit.h"
#include "engine/trees/forest_train.h"

/* Trees of the forest by which pairs are chosen. */
#define FIRST_TREES 150

/* A forest with what it was trained on. */
typedef struct Grown
{
	Forest		forest;
	ForestReport report;
} Grown;

typedef struct Fit
{
	Arena	   *arena;
	Arena		scratch;
	const TreesOptions *options;
	Team	   *team;
	const EngineHost *host;
	const TreesObserver *observer;
	EncodingRows rows;
	Encodings  *encodings;		/* those taken so far, whose tables may be missing */
	int			n_tables;		/* the first ones, which have them */
	TreesReport *report;
	/* encodings as the forest's inputs */
	EncodingRoom room;
	float	   *counts;			/* [rows] of the encoding at hand */
	/* progress */
	TreesPhase	phase;
	int			n_steps;		/* of a forest: trees, at most */
	double		phase_started;
} Fit;

TreesOptions
trees_default_options(void)
{
	return (TreesOptions) {.max_trees = forest_default_options().max_trees,.max_pairs = 24};
}

static void
tell(void *context, int done, int total)
{
	const Fit  *fit = context;

	if (fit->observer)
		fit->observer->progress(fit->observer->context, fit->phase, done, total);
}

static void
tell_tree(void *context, int n_trees, double valid_loss)
{
	const Fit  *fit = context;

	(void) valid_loss;
	tell(context, n_trees, fit->n_steps);
}

static void
begin_phase(Fit *fit, TreesPhase phase)
{
	fit->phase = phase;
	fit->phase_started = fit->host->seconds(fit->host->context);
}

static void
end_phase(Fit *fit)
{
	fit->report->seconds[fit->phase] = fit->host->seconds(fit->host->context) - fit->phase_started;
}

/* What was taken of n becomes encodings, without tables so far. */
static void
add_taken(Encodings *encodings, const EncodingTried *tried, int n)
{
	for (int i = 0; i < n; i++)
		if (tried[i].taken)
			encodings->list[encodings->n++] = (Encoding) {.a = tried[i].a,.b = tried[i].b};
}

/* An input of a forest: rates of an encoding are made with its counts, which are asked for next. */
static bool
fill_input(void *context, int input, float *values, EngineError *error)
{
	Fit		   *fit = context;
	int			number = input / ENCODING_INPUTS;
	Encoding   *encoding = &fit->encodings->list[number];
	bool		has_table = number < fit->n_tables;

	if (input % ENCODING_INPUTS == 1)
	{
		memcpy(values, fit->counts, fit->rows.n_rows * sizeof(float));
		return true;
	}
	if (!encoding_fit(fit->arena, &fit->rows, encoding->a, encoding->b, &fit->room, fit->host,
					  values, fit->counts, has_table ? NULL : encoding, error))
		return false;
	if (!has_table)
		fit->n_tables = number + 1;
	return true;
}

static bool
grow(Fit *fit, int max_trees, Grown *grown, EngineError *error)
{
	const Dataset *data = fit->rows.data;
	ForestOptions options = forest_default_options();
	ForestObserver observer = {tell_tree, fit};
	ForestData	forest_data = {
		.n_train = fit->rows.n_train,.n_valid = fit->rows.n_rows - fit->rows.n_train,
		.n_inputs = encodings_n_inputs(fit->encodings),.labels = data->labels,
		.weights = data->weights,.column = fill_input,.context = fit
	};

	options.max_trees = fit->n_steps = max_trees;
	options.seed = fit->options->seed;
	return forest_train(&fit->scratch, &forest_data, &options, fit->team, fit->host, &observer,
						&grown->forest, &grown->report, error);
}

static double
grown_loss(const Grown *grown)
{
	return grown->report.valid_losses[grown->forest.n_trees];
}

/* A copy of n elements in the arena; NULL shows when the arena is asked. */
static void *
keep_array(Arena *arena, const void *array, size_t n, size_t size)
{
	void	   *copy = arena_array(arena, n, size);

	return copy && n > 0 ? memcpy(copy, array, n * size) : copy;
}

/* The forest goes where its trees are kept. */
static bool
keep(Fit *fit, const Grown *grown, Forest *forest, EngineError *error)
{
	TreesReport *report = fit->report;
	size_t		nodes = forest_nodes(grown->forest.depth);
	size_t		n_trees = (size_t) grown->forest.n_trees;

	*forest = grown->forest;
	forest->inputs = keep_array(fit->arena, forest->inputs, n_trees * nodes, sizeof(uint16_t));
	forest->thresholds = keep_array(fit->arena, forest->thresholds, n_trees * nodes,
									sizeof(float));
	forest->leaves = keep_array(fit->arena, forest->leaves, n_trees * (nodes + 1), sizeof(float));
	report->valid_logits = keep_array(fit->arena, grown->report.valid_logits,
									  fit->rows.n_rows - fit->rows.n_train, sizeof(double));
	report->n_grown = grown->report.n_grown;
	return arena_ok(fit->arena, error);
}

/* Rows, and the fields that are taken. */
static bool
fit_singles(Fit *fit, const Dataset *data, EngineError *error)
{
	EncodingChoice *choice = &fit->report->choice;
	bool		ok;

	begin_phase(fit, TREES_SINGLES);
	tell(fit, 0, 1);
	ok = encoding_rows_init(&fit->rows, &fit->scratch, data, fit->options->seed, fit->host,
							error) &&
		encoding_choose_singles(fit->arena, &fit->rows, fit->team, fit->host, choice, error);
	if (!ok)
		return false;
	fit->encodings->list = ARENA_ARRAY(fit->arena, Encoding,
									   choice->n_singles + fit->options->max_pairs);
	fit->counts = ARENA_ARRAY(&fit->scratch, float, fit->rows.n_rows);
	if (!arena_ok(fit->arena, error) || !arena_ok(&fit->scratch, error) ||
		!encoding_room(&fit->room, &fit->scratch, &fit->rows, error))
		return false;
	encoding_unseen(&fit->rows, fit->encodings->unseen);
	add_taken(fit->encodings, choice->singles, choice->n_singles);
	tell(fit, 1, 1);
	end_phase(fit);
	return true;
}

static bool
fit_first(Fit *fit, Grown *first, EngineError *error)
{
	int			max_trees = fit->options->max_trees;

	begin_phase(fit, TREES_FIRST_FOREST);
	if (!grow(fit, max_trees < FIRST_TREES ? max_trees : FIRST_TREES, first, error))
		return false;
	fit->report->base_loss = first->report.valid_losses[0];
	fit->report->single_loss = grown_loss(first);
	end_phase(fit);
	return true;
}

/* first: NULL where no field is taken, here and below. */
static bool
fit_pairs(Fit *fit, const Grown *first, EngineError *error)
{
	EncodingChoice *choice = &fit->report->choice;

	begin_phase(fit, TREES_PAIRS);
	if (!encoding_choose_pairs(fit->arena, &fit->rows, first ? first->report.logits : NULL,
							   fit->options->max_pairs, fit->team, fit->host, tell, fit, choice,
							   error))
		return false;
	add_taken(fit->encodings, choice->pairs, choice->n_pairs);
	end_phase(fit);
	return true;
}

/* Validation rows did not end it: it may gain by more trees. */
static bool
is_unfinished(const Fit *fit, const Grown *first)
{
	return first && first->report.n_grown == FIRST_TREES &&
		fit->options->max_trees > FIRST_TREES;
}

/* Without pairs, or with pairs that gain nothing: what there is without them. */
static bool
keep_first(Fit *fit, const Grown *first, Forest *forest, EngineError *error)
{
	return !first || keep(fit, first, forest, error);
}

/*
 * The second forest, over all encodings, if it can be another one than the first.  Of
 * one over pairs the better one is kept.
 */
static bool
fit_second(Fit *fit, const Grown *first, Forest *forest, EngineError *error)
{
	struct ArenaBlock *before_tables = arena_mark(fit->arena);
	int			n_singles = fit->n_tables;
	bool		with_pairs = fit->encodings->n > n_singles;
	Grown		second;

	begin_phase(fit, TREES_FOREST);
	if (!with_pairs && !is_unfinished(fit, first))
		return keep_first(fit, first, forest, error);
	if (!grow(fit, fit->options->max_trees, &second, error))
		return false;
	if (!first)
		fit->report->base_loss = second.report.valid_losses[0];
	if (with_pairs)
		fit->report->pair_loss = grown_loss(&second);
	else
		fit->report->single_loss = grown_loss(&second);
	fit->report->with_pairs = with_pairs &&
		grown_loss(&second) < (first ? grown_loss(first) : fit->report->base_loss);
	end_phase(fit);
	if (!with_pairs || fit->report->with_pairs)
		return keep(fit, &second, forest, error);
	fit->encodings->n = n_singles;
	arena_reset_to(fit->arena, before_tables);
	return keep_first(fit, first, forest, error);
}

static bool
fit_all(Fit *fit, const Dataset *data, Trees *trees, EngineError *error)
{
	Grown		grown;
	Grown	   *first = NULL;

	if (!fit_singles(fit, data, error))
		return false;
	if (fit->encodings->n > 0)
	{
		first = &grown;
		if (!fit_first(fit, first, error))
			return false;
	}
	return fit_pairs(fit, first, error) && fit_second(fit, first, &trees->forest, error);
}

bool
trees_fit(Arena *arena, const Dataset *data, const TreesOptions *options, Team *team,
		  const EngineHost *host, const TreesObserver *observer, Trees *trees,
		  TreesReport *report, EngineError *error)
{
	Fit			fit = {
		.arena = arena,.options = options,.team = team,.host = host,.observer = observer,
		.encodings = &trees->encodings,.report = report
	};
	bool		ok;

	*trees = (Trees) {0};
	*report = (TreesReport) {.base_loss = NAN,.single_loss = NAN,.pair_loss = NAN};
	arena_init(&fit.scratch, arena->allocate, arena->release, arena->context);
	ok = fit_all(&fit, data, trees, error);
	encoding_rows_free(&fit.rows);
	arena_free_all(&fit.scratch);
	return ok;
}
