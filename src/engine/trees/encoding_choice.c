/*
 * encoding_choice.c
 *	  Fields and pairs are tried, sorted by their gain, and taken.
 *
 * Fields are ordered by the sizes of their tables, for a pair's first field is the
 * one whose table has more rows.  Pairs are tried by their second field: rows sorted
 * by its values serve them all.
 *
 * Memory: a thread has the order of rows of the pair that it tries.
 * Threads share out the fields, and then the pairs of one second field.
 */
#include "engine/trees/encoding_choice.h"

#include <math.h>
#include <stdlib.h>

#include "engine/trees/encoding_gain.h"

/* A field is taken above this gain: it costs little, and helps in pairs of which nobody knows. */
#define MIN_SINGLE_GAIN (-1.0)
/* Pairs cost memory and time. */
#define MIN_PAIR_GAIN 3.0
/* A pair has to have so many times the values of either field. */
#define MIN_PAIR_VALUES 1.05
/* Cells of all pairs, for each training row. */
#define MAX_CELLS_OF_ROW 4

/* What tasks share. */
typedef struct Tries
{
	const EncodingRows *rows;
	const GainTerm *terms;		/* [rows] */
	const uint32_t *by_second;	/* [rows] of the pairs at hand; NULL: single fields */
	const uint32_t *n_values;	/* [n_fields] that training rows have; NULL: single fields */
	EncodingTried *tried;		/* one for each task */
	GainRoom	rooms[MAX_THREADS];
	Watch		watches[MAX_THREADS];
} Tries;

static void
try_encoding(void *context, int number, int thread)
{
	Tries	   *tries = context;
	EncodingTried *tried = &tries->tried[number];
	double		min_cells = 1;

	if (tried->b != NO_FIELD)
		min_cells = MIN_PAIR_VALUES * fmax(tries->n_values[tried->a], tries->n_values[tried->b]);
	tried->gain = encoding_gain(tries->rows, tried->a, tried->b, tries->by_second, tries->terms,
								min_cells, &tries->rooms[thread], &tries->watches[thread],
								&tried->n_cells);
}

/* NULL on lack of memory. */
static Tries *
new_tries(Arena *arena, const EncodingRows *rows, const double *logits, Team *team, Watch *watch,
		  EngineError *error)
{
	Tries	   *tries = ARENA_ARRAY(arena, Tries, 1);
	GainTerm   *terms = ARENA_ARRAY(arena, GainTerm, rows->n_rows);

	if (!arena_ok(arena, error))
		return NULL;
	*tries = (Tries) {.rows = rows,.terms = terms};
	for (int t = 0; t < team_size(team); t++)
	{
		tries->watches[t] = (Watch) {.host = watch->host,.leader = t > 0 ? watch : NULL};
		if (!gain_room(&tries->rooms[t], arena, rows, error))
			return NULL;
	}
	return gain_terms(arena, rows, logits, terms, watch->host, error) ? tries : NULL;
}

/* Try tried [n]. */
static bool
run_tries(Tries *tries, EncodingTried *tried, int n, Team *team, Watch *watch, EngineError *error)
{
	tries->tried = tried;
	team_run(team, watch, try_encoding, tries, n);
	watch->stopped |= tries->watches[0].stopped;
	return watch_continue(watch, error);
}

/* Do validation rows suffice to choose by? */
static bool
can_choose(const EncodingRows *rows)
{
	return rows->n_rows - rows->n_train >= MIN_CHOOSING_ROWS;
}

/* Every field that can be encoded -> tried; returns their number. */
static int
list_singles(const EncodingRows *rows, EncodingTried *tried)
{
	int			n = 0;

	for (int f = 0; f < rows->data->shape.n_fields; f++)
		if (rows->columns[f])
			tried[n++] = (EncodingTried) {.a = f,.b = NO_FIELD};
	return n;
}

bool
encoding_choose_singles(Arena *arena, const EncodingRows *rows, Team *team,
						const EngineHost *host, EncodingChoice *choice, EngineError *error)
{
	Watch		watch = {.host = host};
	struct ArenaBlock *mark;
	Tries	   *tries;
	bool		ok;

	*choice = (EncodingChoice) {
		.singles = ARENA_ARRAY(arena, EncodingTried, rows->data->shape.n_fields)
	};
	mark = arena_mark(arena);
	if (!arena_ok(arena, error))
		return false;
	choice->n_singles = list_singles(rows, choice->singles);
	tries = new_tries(arena, rows, NULL, team, &watch, error);
	ok = tries && run_tries(tries, choice->singles, choice->n_singles, team, &watch, error);
	arena_reset_to(arena, mark);
	for (int i = 0; i < choice->n_singles && ok; i++)
	{
		EncodingTried *tried = &choice->singles[i];

		if (!can_choose(rows))
			tried->gain = NAN;
		tried->taken = tried->n_cells > 1 && !(tried->gain <= MIN_SINGLE_GAIN);
	}
	return ok;
}

/* By the rows of tables; ties by number. */
static void
sort_fields(const EncodingRows *rows, int *fields, int n)
{
	for (int i = 1; i < n; i++)
	{
		int			field = fields[i];
		int			at = i;

		for (; at > 0 && encoding_n_values(rows, fields[at - 1]) > encoding_n_values(rows, field);
			 at--)
			fields[at] = fields[at - 1];
		fields[at] = field;
	}
}

/* Those without a gain last; ties by fields. */
static int
compare_tried(const void *left, const void *right)
{
	const EncodingTried *a = left;
	const EncodingTried *b = right;
	double		gains[2] = {
		isnan(a->gain) ? -INFINITY : a->gain, isnan(b->gain) ? -INFINITY : b->gain
	};

	if (gains[0] != gains[1])
		return gains[0] < gains[1] ? 1 : -1;
	if (a->a != b->a)
		return a->a < b->a ? -1 : 1;
	return a->b < b->b ? -1 : a->b > b->b;
}

/* The best pairs that fit. */
static void
take_pairs(const EncodingRows *rows, int max_pairs, EncodingChoice *choice)
{
	uint64_t	left = (uint64_t) MAX_CELLS_OF_ROW * rows->n_train;
	int			n_taken = 0;

	qsort(choice->pairs, (size_t) choice->n_pairs, sizeof(EncodingTried), compare_tried);
	for (int i = 0; i < choice->n_pairs && n_taken < max_pairs; i++)
	{
		EncodingTried *tried = &choice->pairs[i];

		if (!(tried->gain > MIN_PAIR_GAIN))
			break;
		if (tried->n_cells > left)
			continue;
		left -= tried->n_cells;
		tried->taken = true;
		n_taken++;
	}
}

/* What trying pairs needs beside the tries. */
typedef struct PairSearch
{
	Tries	   *tries;
	CellRoom	second;			/* rows by the second field's values */
	int		   *fields;			/* [n_fields] that have several values, by the rows of tables */
	int			n_fields;
} PairSearch;

/* How much there is to expect of pairs with a field: users, items and domains come first. */
static double
promise(const Shape *shape, const EncodingTried *tried)
{
	if (tried->a == shape->user_field || tried->a == shape->item_field ||
		tried->a == shape->domain_field)
		return INFINITY;
	/* what misleads by itself may be of use beside another field */
	return isnan(tried->gain) ? 0 : fabs(tried->gain);
}

/* Of many fields those of most promise, ties by number: all pairs would take too long. */
static bool
is_promising(const Shape *shape, const EncodingChoice *choice, int i)
{
	double		own = promise(shape, &choice->singles[i]);
	int			ahead = 0;

	for (int k = 0; k < choice->n_singles; k++)
	{
		double		other = promise(shape, &choice->singles[k]);

		if (choice->singles[k].n_cells > 1)
			ahead += other > own || (other == own && k < i);
	}
	return ahead < MAX_PAIR_FIELDS;
}

/* Fields that have anything to tell, in pairs' order. */
static bool
init_search(PairSearch *search, Arena *arena, const EncodingRows *rows,
			const EncodingChoice *choice, EngineError *error)
{
	uint32_t   *n_values = ARENA_ARRAY(arena, uint32_t, rows->data->shape.n_fields);

	search->fields = ARENA_ARRAY(arena, int, choice->n_singles);
	if (!arena_ok(arena, error) || !cell_room(&search->second, arena, rows, error))
		return false;
	for (int i = 0; i < choice->n_singles; i++)
	{
		const EncodingTried *tried = &choice->singles[i];

		n_values[tried->a] = tried->n_cells;
		if (tried->n_cells > 1 && is_promising(&rows->data->shape, choice, i))
			search->fields[search->n_fields++] = tried->a;
	}
	search->tries->n_values = n_values;
	sort_fields(rows, search->fields, search->n_fields);
	return true;
}

static int
count_pairs(int n_fields)
{
	return n_fields * (n_fields - 1) / 2;
}

/* All pairs -> choice->pairs. */
static bool
search_pairs(PairSearch *search, const EncodingRows *rows, Team *team, Watch *watch,
			 void (*progress) (void *context, int done, int total), void *context,
			 EncodingChoice *choice, EngineError *error)
{
	int			total = count_pairs(search->n_fields);

	search->tries->by_second = search->second.order;
	for (int i = 0; i + 1 < search->n_fields; i++)
	{
		EncodingTried *first = &choice->pairs[choice->n_pairs];
		int			n = 0;

		if (!cells_sort(rows, search->fields[i], NULL, &search->second, watch))
			return watch_continue(watch, error);
		for (int k = i + 1; k < search->n_fields; k++)
			first[n++] = (EncodingTried) {.a = search->fields[k],.b = search->fields[i]};
		if (!run_tries(search->tries, first, n, team, watch, error))
			return false;
		choice->n_pairs += n;
		if (progress)
			progress(context, choice->n_pairs, total);
	}
	return true;
}

bool
encoding_choose_pairs(Arena *arena, const EncodingRows *rows, const double *logits, int max_pairs,
					  Team *team, const EngineHost *host,
					  void (*progress) (void *context, int done, int total), void *context,
					  EncodingChoice *choice, EngineError *error)
{
	Watch		watch = {.host = host};
	PairSearch	search = {0};
	struct ArenaBlock *mark;
	bool		ok;

	choice->n_pairs = 0;
	choice->pairs = NULL;
	if (!can_choose(rows) || choice->n_singles < 2 || max_pairs == 0)
		return true;
	choice->pairs = ARENA_ARRAY(arena, EncodingTried, count_pairs(choice->n_singles));
	mark = arena_mark(arena);
	ok = arena_ok(arena, error);
	if (ok)
		search.tries = new_tries(arena, rows, logits, team, &watch, error);
	ok = search.tries && init_search(&search, arena, rows, choice, error) &&
		search_pairs(&search, rows, team, &watch, progress, context, choice, error);
	arena_reset_to(arena, mark);
	if (ok)
		take_pairs(rows, max_pairs, choice);
	return ok;
}
