/*
 * personalized.c
 *	  How much of the order of items is the user's own.
 *
 * For each of the largest domains: its first users and items, in the order of rows,
 * which has no meaning; scores of all of them with one another; sums of squares.  Sums
 * of domains are added up, so that each counts by its cells and by how far its scores
 * are spread.
 *
 * Memory: one grid of rows and their scores, and the scorer; given back at the end.
 */
#include "engine/train/personalized.h"

#include <math.h>
#include <string.h>

#include "engine/data/crosses.h"
#include "engine/score/score.h"

#define MOST_DOMAINS 8
#define MOST 64					/* users, and items, of a domain */
/* Rows between two looks at the host. */
#define CHUNK ((size_t) 1 << 16)
/* Logits that lie no further apart are equal, but for rounding. */
#define NOISE 1e-6
/* So is what is left of a sum of squares once nearly all of it is taken off. */
#define ROUNDING 1e-9

/* Rows that users and items of a domain are taken from. */
typedef struct Grid
{
	size_t		first;			/* the domain's first row, which all other fields are taken from */
	int			n_users;
	int			n_items;
	size_t		users[MOST];
	size_t		items[MOST];
} Grid;

typedef struct Finder
{
	const Dataset *data;
	const EngineHost *host;
	Scorer	   *scorer;
	bool	   *with_item;		/* [n_fields] */
	bool	   *with_user;
	bool	   *seen_users;		/* by id, false between grids */
	bool	   *seen_items;
	uint32_t   *ids;			/* [MOST * MOST, n_fields] */
	double	   *scores;			/* [MOST * MOST] */
	double		own;			/* sums of squares: what is the users' own */
	double		total;			/* and all, users' means taken out */
	double		cells;
} Finder;

static const uint32_t *
ids_of(const Dataset *data, size_t row)
{
	return data->ids + row * (size_t) data->shape.n_fields;
}

/* A row's value is taken, unless it has no id of its own, is there, or there are enough. */
static void
take(size_t row, uint32_t id, bool *seen, size_t *rows, int *n)
{
	if (id < FIRST_ID || seen[id] || *n == MOST)
		return;
	seen[id] = true;
	rows[(*n)++] = row;
}

/* Users and items of a domain's rows within a split. */
static bool
fill_grid(Finder *finder, Split split, int64_t domain, Grid *grid, EngineError *error)
{
	const Dataset *data = finder->data;
	const Shape *shape = &data->shape;
	size_t		row = data->split_start[split];

	grid->n_users = grid->n_items = 0;
	for (; row < data->split_start[split + 1] && (grid->n_users < MOST || grid->n_items < MOST);
		 row++)
	{
		const uint32_t *ids = ids_of(data, row);

		if (row % CHUNK == 0 && !host_continue(finder->host, error))
			return false;
		if (dataset_domain(data, row) != domain)
			continue;
		if (grid->n_users == 0 && grid->n_items == 0)
			grid->first = row;
		take(row, ids[shape->user_field], finder->seen_users, grid->users, &grid->n_users);
		take(row, ids[shape->item_field], finder->seen_items, grid->items, &grid->n_items);
	}
	for (int u = 0; u < grid->n_users; u++)
		finder->seen_users[ids_of(data, grid->users[u])[shape->user_field]] = false;
	for (int i = 0; i < grid->n_items; i++)
		finder->seen_items[ids_of(data, grid->items[i])[shape->item_field]] = false;
	return true;
}

/* Scores of all users with all items, users one after the other. */
static bool
score_grid(Finder *finder, const Grid *grid, EngineError *error)
{
	const Dataset *data = finder->data;
	int			n_fields = data->shape.n_fields;
	const uint32_t *first = ids_of(data, grid->first);
	uint32_t   *to = finder->ids;
	ScoreRows	rows = {
		.n_rows = (size_t) grid->n_users * grid->n_items,.ids = finder->ids,
		.list_start = data->list_start,.list_members = data->list_members
	};

	for (int u = 0; u < grid->n_users; u++)
		for (int i = 0; i < grid->n_items; i++, to += n_fields)
		{
			const uint32_t *user = ids_of(data, grid->users[u]);
			const uint32_t *item = ids_of(data, grid->items[i]);

			for (int f = 0; f < n_fields; f++)
				to[f] = finder->with_user[f] ? user[f] : finder->with_item[f] ? item[f] :
					first[f];
			crosses_fill(&data->shape, to);
		}
	return scorer_score(finder->scorer, &rows, finder->scores, error);
}

/* Scores to logits less their user's mean. */
static void
center(double *scores, int n_users, int n_items)
{
	for (int u = 0; u < n_users; u++)
	{
		double	   *own = scores + (size_t) u * n_items;
		double		mean = 0;

		for (int i = 0; i < n_items; i++)
		{
			own[i] = logit_of(own[i]);
			mean += own[i] / n_items;
		}
		for (int i = 0; i < n_items; i++)
			own[i] -= mean;
	}
}

static void
add_grid(Finder *finder, const Grid *grid)
{
	int			n_users = grid->n_users;
	int			n_items = grid->n_items;
	double		total = 0;
	double		shared = 0;

	center(finder->scores, n_users, n_items);
	for (int i = 0; i < n_items; i++)
	{
		double		sum = 0;

		for (int u = 0; u < n_users; u++)
		{
			double		x = finder->scores[(size_t) u * n_items + i];

			sum += x;
			total += x * x;
		}
		shared += sum * sum / n_users;
	}
	/* of what is the users' own, the means over them still have one part in n_users */
	finder->own += (total - shared) * n_users / (n_users - 1);
	finder->total += total;
	finder->cells += (double) n_users * n_items;
}

/* The split's largest domains -> domains [MOST_DOMAINS], the largest first. */
static bool
largest_domains(Arena *arena, const Finder *finder, Split split, int64_t *domains, int *n,
				EngineError *error)
{
	const Dataset *data = finder->data;
	uint32_t	n_domains = shape_domains(&data->shape);
	struct ArenaBlock *mark = arena_mark(arena);
	uint64_t   *rows = ARENA_ARRAY(arena, uint64_t, n_domains);

	*n = 0;
	if (!arena_ok(arena, error))
		return false;
	for (size_t row = data->split_start[split]; row < data->split_start[split + 1]; row++)
	{
		int64_t		domain = dataset_domain(data, row);

		if (row % CHUNK == 0 && !host_continue(finder->host, error))
			return false;
		if (domain >= 0)
			rows[domain]++;
	}
	for (; *n < MOST_DOMAINS; (*n)++)
	{
		uint32_t	largest = 0;

		for (uint32_t d = 1; d < n_domains; d++)
			if (rows[d] > rows[largest])
				largest = d;
		if (n_domains == 0 || rows[largest] == 0)
			break;
		rows[largest] = 0;
		domains[*n] = largest;
	}
	arena_reset_to(arena, mark);
	return true;
}

static bool
add_split(Arena *arena, Finder *finder, Split split, EngineError *error)
{
	int64_t		domains[MOST_DOMAINS];
	int			n;
	Grid		grid;

	if (!largest_domains(arena, finder, split, domains, &n, error))
		return false;
	for (int d = 0; d < n; d++)
	{
		if (!fill_grid(finder, split, domains[d], &grid, error))
			return false;
		if (grid.n_users < 2 || grid.n_items < 2)
			continue;
		if (!score_grid(finder, &grid, error))
			return false;
		add_grid(finder, &grid);
	}
	return true;
}

static bool
finder_init(Finder *finder, Arena *arena, const Model *model, const FieldBond *bonds,
			Team *team, EngineError *error)
{
	const Shape *shape = &finder->data->shape;

	finder->with_item = ARENA_ARRAY(arena, bool, shape->n_fields);
	finder->with_user = ARENA_ARRAY(arena, bool, shape->n_fields);
	finder->seen_users = ARENA_ARRAY(arena, bool, shape_rows(shape, shape->user_field));
	finder->seen_items = ARENA_ARRAY(arena, bool, shape_rows(shape, shape->item_field));
	finder->ids = ARENA_ARRAY(arena, uint32_t, (size_t) MOST * MOST * shape->n_fields);
	finder->scores = ARENA_ARRAY(arena, double, MOST * MOST);
	if (!arena_ok(arena, error) ||
		!bonds_find(arena, finder->data, NULL, bonds, finder->host, finder->with_item,
					finder->with_user, error))
		return false;
	finder->scorer = scorer_create(arena, model, READY_BYTES, team, finder->host, error);
	return finder->scorer != NULL;
}

bool
personalized_find(Arena *arena, const Model *model, const Dataset *data, const FieldBond *bonds,
				  Team *team, const EngineHost *host, double *personalized, EngineError *error)
{
	const Shape *shape = &data->shape;
	const Split order[] = {SPLIT_VALID, SPLIT_TEST, SPLIT_TRAIN};
	struct ArenaBlock *mark = arena_mark(arena);
	Finder		finder = {.data = data,.host = host};

	*personalized = NAN;
	if (shape->user_field < 0 || shape->item_field < 0 ||
		shape->field_is_list[shape->user_field] || shape->field_is_list[shape->item_field])
		return true;
	if (!finder_init(&finder, arena, model, bonds, team, error))
		return false;
	for (int i = 0; i < 3 && finder.cells == 0; i++)
		if (!add_split(arena, &finder, order[i], error))
			return false;
	if (finder.cells > 0)
		*personalized = finder.total <= NOISE * NOISE * finder.cells ||
			finder.own <= ROUNDING * finder.total ? 0 : fmin(finder.own / finder.total, 1);
	arena_reset_to(arena, mark);
	return true;
}
