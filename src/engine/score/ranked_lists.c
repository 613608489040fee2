/*
 * ranked_lists.c
 *	  Lists of a positive row's item and others of its domain, scored and measured.
 *
 * Phases: the items of each domain, out of the known rows, in order of domain and id; what
 * each user took; the rows to be ranked, in the order of their keys (engine/data/row_key.h);
 * then list after list.
 *
 * Every row draws from a stream of random numbers of its own, which its values start: neither
 * other rows nor the number of threads change its lists.
 *
 * Memory: 12 bytes for each known positive row while items are collected, 16 for each
 * item of a domain, the set of what users took, and one list.
 */
#include "engine/score/ranked_lists.h"

#include <math.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/base/sort.h"
#include "engine/data/crosses.h"
#include "engine/data/row_key.h"
#include "engine/data/rowset.h"
#include "engine/measure/ranking.h"

/* Rows between two looks at the host. */
#define CHECK_ROWS 65536
/* Draws for each item of a sampled list, at most. */
#define MAX_TRIES 50

const char *const list_kind_names[N_LIST_KINDS] = {
	[LIST_UNIFORM] = "uniform",[LIST_POPULARITY] = "popularity",[LIST_ALL] = "all"
};

/* The items of all domains, by domain, then id. */
typedef struct ListItems
{
	size_t	   *start;			/* [D + 1] */
	uint32_t   *rows;			/* a row of each, whose values are the item's: the one of the smallest key */
	uint64_t   *taken;			/* positive rows of this one and those before it */
	uint32_t   *drawn;			/* the list that it is in, from 1; 0: none yet */
} ListItems;

typedef struct Ranking
{
	const ListTask *task;
	Scorer	   *scorer;
	const EngineHost *host;
	Watch		watch;			/* over long lists */
	ListItems	items;
	RowSet		taken;			/* (user, item) of positive rows */
	Random		random;
	uint32_t	n_lists;		/* begun */
	uint32_t   *ids;			/* [room, n_fields] of the list at hand */
	double	   *scores;			/* [room] */
	size_t		n;				/* rows in it: the positive one, then the others */
} Ranking;

static bool
stopped(Ranking *ranking, size_t row, EngineError *error)
{
	return (row % CHECK_ROWS == 0 && !host_continue(ranking->host, error)) ||
		(ranking->watch.stopped && !watch_continue(&ranking->watch, error));
}

/* Known positive rows whose item has an id, in a domain with a number -> keys, rows; *n. */
static bool
find_known(Ranking *ranking, uint64_t *keys, uint32_t *rows, size_t *n, EngineError *error)
{
	const ListTask *task = ranking->task;

	*n = 0;
	for (size_t row = task->known[0]; row < task->known[1]; row++)
	{
		int64_t		domain = dataset_domain(task->data, row);
		uint32_t	item = dataset_id(task->data, row, task->data->shape.item_field);

		if (stopped(ranking, row, error))
			return false;
		if (!task->data->labels[row] || domain < 0 || item < FIRST_ID)
			continue;
		keys[*n] = (uint64_t) domain << 32 | item;
		rows[(*n)++] = (uint32_t) row;
	}
	return true;
}

static bool
collect_items(Ranking *ranking, Arena *arena, EngineError *error)
{
	ListItems  *items = &ranking->items;
	size_t		n_domains = shape_domains(&ranking->task->data->shape);
	size_t		n_known = ranking->task->known[1] - ranking->task->known[0];
	uint64_t   *keys;
	uint32_t   *rows;
	size_t		n;
	size_t		n_items = 0;
	uint64_t	smallest = 0;	/* key of the item at hand */
	SortRoom	room;
	struct ArenaBlock *mark;

	*items = (ListItems) {
		.start = ARENA_ARRAY(arena, size_t, n_domains + 1),
		.rows = ARENA_ARRAY(arena, uint32_t, n_known),
		.taken = ARENA_ARRAY(arena, uint64_t, n_known),
		.drawn = ARENA_ARRAY(arena, uint32_t, n_known)
	};
	mark = arena_mark(arena);
	keys = ARENA_ARRAY(arena, uint64_t, n_known);
	rows = ARENA_ARRAY(arena, uint32_t, n_known);
	if (!arena_ok(arena, error) || !sort_room(&room, arena, n_known, true, error) ||
		!find_known(ranking, keys, rows, &n, error) ||
		!sort_keys(keys, rows, n, &room, ranking->host, error))
		return false;
	for (size_t i = 0; i < n; i++)
	{
		uint64_t	key = row_key(ranking->task->data, rows[i], 0, &ranking->watch);
		bool		begins = i == 0 || keys[i] != keys[i - 1];

		if (stopped(ranking, i, error))
			return false;
		if (begins)
			items->start[(keys[i] >> 32) + 1] = ++n_items;
		if (begins || key < smallest)
		{
			items->rows[n_items - 1] = rows[i];
			smallest = key;
		}
		items->taken[n_items - 1] = i + 1;
	}
	/* domains without items end where those before them do */
	for (size_t d = 0; d < n_domains; d++)
		if (items->start[d + 1] < items->start[d])
			items->start[d + 1] = items->start[d];
	arena_reset_to(arena, mark);
	return true;
}

static bool
collect_taken(Ranking *ranking, Arena *arena, EngineError *error)
{
	const Dataset *data = ranking->task->data;
	const int	fields[] = {data->shape.user_field, data->shape.item_field};
	bool		users = data->shape.user_field >= 0;

	if (!rowset_init(&ranking->taken, arena, data, fields, 2, users ? data->split_start[3] : 0,
					 error))
		return false;
	for (size_t row = 0; users && row < data->split_start[3]; row++)
	{
		if (stopped(ranking, row, error))
			return false;
		if (data->labels[row])
			rowset_add(&ranking->taken, row);
	}
	return true;
}

/* Is the row's item one of its domain's? */
static bool
is_known(const Ranking *ranking, size_t row)
{
	const Dataset *data = ranking->task->data;
	int			field = data->shape.item_field;
	int64_t		domain = dataset_domain(data, row);
	uint32_t	item = dataset_id(data, row, field);
	size_t		low;
	size_t		high;

	if (domain < 0)
		return false;
	low = ranking->items.start[domain];
	high = ranking->items.start[domain + 1];
	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (dataset_id(data, ranking->items.rows[middle], field) < item)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ranking->items.start[domain + 1] &&
		dataset_id(data, ranking->items.rows[low], field) == item;
}

/* Positive rows to be ranked, in the order of their hashes -> *rows, *n. */
static bool
choose_rows(Ranking *ranking, Arena *arena, uint32_t **rows, size_t *n, EngineError *error)
{
	const ListTask *task = ranking->task;
	size_t		room_for = task->ranked[1] - task->ranked[0];
	uint64_t   *keys = ARENA_ARRAY(arena, uint64_t, room_for);
	SortRoom	room;

	*rows = ARENA_ARRAY(arena, uint32_t, room_for);
	*n = 0;
	if (!arena_ok(arena, error) || !sort_room(&room, arena, room_for, true, error))
		return false;
	for (size_t row = task->ranked[0]; row < task->ranked[1]; row++)
	{
		if (stopped(ranking, row, error))
			return false;
		if (!task->data->labels[row] || !is_known(ranking, row))
			continue;
		keys[*n] = row_key(task->data, row, task->seed, &ranking->watch);
		(*rows)[(*n)++] = (uint32_t) row;
	}
	return sort_keys(keys, *rows, *n, &room, ranking->host, error);
}

/*
 * May the item of row "from" be in the list of a row?  What unknown users took says nothing
 * of others.
 */
static bool
may_stand(const Ranking *ranking, size_t row, size_t from)
{
	const Dataset *data = ranking->task->data;
	const Shape *shape = &data->shape;
	uint32_t	key[ROWSET_MAX_FIELDS] = {0};

	if (dataset_id(data, row, shape->item_field) == dataset_id(data, from, shape->item_field))
		return false;
	if (shape->user_field < 0)
		return true;
	key[0] = dataset_id(data, row, shape->user_field);
	key[1] = dataset_id(data, from, shape->item_field);
	return key[0] < FIRST_ID || !rowset_contains(&ranking->taken, key);
}

/* The row once more, with the item of row "from". */
static void
add_item(Ranking *ranking, size_t row, size_t from)
{
	const Dataset *data = ranking->task->data;

	row_with_item(data, row, from, ranking->task->with_item,
				  ranking->ids + ranking->n++ * (size_t) data->shape.n_fields);
}

/* One of items first .. end - 1, as likely as often as it is taken. */
static size_t
draw_by_popularity(Ranking *ranking, size_t first, size_t end)
{
	const uint64_t *taken = ranking->items.taken;
	uint64_t	before = first > 0 ? taken[first - 1] : 0;
	uint64_t	place = before + random_below(&ranking->random, taken[end - 1] - before);
	size_t		low = first;
	size_t		high = end - 1;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (taken[middle] > place)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The others of a list; the positive one stands in it. */
static void
fill_list(Ranking *ranking, ListKind kind, size_t row)
{
	const ListItems *items = &ranking->items;
	int64_t		domain = dataset_domain(ranking->task->data, row);
	size_t		first = items->start[domain];
	size_t		end = items->start[domain + 1];
	uint32_t	number = ++ranking->n_lists;

	if (kind == LIST_ALL || end - first <= LIST_ITEMS)
	{
		for (size_t i = first; i < end; i++)
			if (may_stand(ranking, row, items->rows[i]))
				add_item(ranking, row, items->rows[i]);
		return;
	}
	for (int try = 0; try < MAX_TRIES * LIST_ITEMS && ranking->n <= LIST_ITEMS; try++)
	{
		size_t		i = kind == LIST_UNIFORM ? first + random_below(&ranking->random, end - first) :
			draw_by_popularity(ranking, first, end);

		if (items->drawn[i] == number || !may_stand(ranking, row, items->rows[i]))
			continue;
		items->drawn[i] = number;
		add_item(ranking, row, items->rows[i]);
	}
}

/*
 * Adds a list's measures to their sums: the first row is the positive one, below
 * "above" others and among "equal" ones.
 */
static void
add_measures(const Ranking *ranking, ListMeasures *sums)
{
	size_t		above = 0;
	size_t		equal = 0;
	double		ndcg = 0;
	double		hits = 0;
	double		mrr = 0;

	for (size_t i = 1; i < ranking->n; i++)
	{
		above += ranking->scores[i] > ranking->scores[0];
		equal += ranking->scores[i] == ranking->scores[0];
	}
	for (size_t rank = above + 1; rank <= above + equal + 1; rank++)
	{
		ndcg += rank <= LIST_PLACES ? ranking_discount(rank - 1) : 0;
		hits += rank <= LIST_PLACES;
		mrr += 1 / (double) rank;
	}
	sums->lists++;
	sums->items += (double) (ranking->n - 1);
	sums->ndcg += ndcg / (double) (equal + 1);
	sums->hit_rate += hits / (double) (equal + 1);
	sums->mrr += mrr / (double) (equal + 1);
}

static bool
rank_list(Ranking *ranking, ListKind kind, size_t row, ListMeasures *sums, EngineError *error)
{
	const Dataset *data = ranking->task->data;
	ScoreRows	rows = {.ids = ranking->ids,.list_start = data->list_start,
	.list_members = data->list_members};

	if (!host_continue(ranking->host, error))
		return false;
	ranking->n = 0;
	add_item(ranking, row, row);
	fill_list(ranking, kind, row);
	if (ranking->n == 1)
		return true;
	rows.n_rows = ranking->n;
	if (!scorer_score(ranking->scorer, &rows, ranking->scores, error))
		return false;
	add_measures(ranking, sums);
	return true;
}

static bool
rank_rows(Ranking *ranking, const uint32_t *rows, size_t n, ListMeasures *measures,
		  EngineError *error)
{
	const ListTask *task = ranking->task;
	uint64_t	n_rows = 0;		/* of lists of all items: the first ones that fit */

	for (size_t i = 0; i < n && i < task->max_lists; i++)
	{
		int64_t		domain = dataset_domain(task->data, rows[i]);
		size_t		n_items = ranking->items.start[domain + 1] - ranking->items.start[domain];

		random_start(&ranking->random,
					 row_key(task->data, rows[i], task->seed, &ranking->watch), RANDOM_LISTS, 0);
		n_rows += n_items <= LIST_MAX_ALL ? n_items : 0;
		for (int kind = 0; kind < N_LIST_KINDS; kind++)
		{
			if (kind == LIST_ALL && (n_items > LIST_MAX_ALL || n_rows > task->max_rows))
				continue;
			if (!rank_list(ranking, kind, rows[i], &measures[kind], error))
				return false;
		}
	}
	return true;
}

static void
divide(ListMeasures *sums)
{
	double		n = sums->lists > 0 ? (double) sums->lists : NAN;

	sums->items /= n;
	sums->ndcg /= n;
	sums->hit_rate /= n;
	sums->mrr /= n;
}

bool
lists_measure(Arena *arena, const ListTask *task, Scorer *scorer, const EngineHost *host,
			  ListMeasures *measures, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	Ranking		ranking = {.task = task,.scorer = scorer,.host = host,.watch = {.host = host}};
	size_t		room = LIST_MAX_ALL + 1;
	uint32_t   *rows;
	size_t		n;

	memset(measures, 0, N_LIST_KINDS * sizeof(ListMeasures));
	ranking.ids = ARENA_ARRAY(arena, uint32_t, room * (size_t) task->data->shape.n_fields);
	ranking.scores = ARENA_ARRAY(arena, double, room);
	if (!arena_ok(arena, error) || !collect_items(&ranking, arena, error) ||
		!collect_taken(&ranking, arena, error) ||
		!choose_rows(&ranking, arena, &rows, &n, error) ||
		!rank_rows(&ranking, rows, n, measures, error))
		return false;
	for (int kind = 0; kind < N_LIST_KINDS; kind++)
		divide(&measures[kind]);
	arena_reset_to(arena, mark);
	return true;
}
