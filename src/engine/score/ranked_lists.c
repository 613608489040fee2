/*
 * ranked_lists.c
 *	  Lists of a positive row's item and others of its domain, scored and measured.
 *
 * Phases, once: the items of each domain, out of the known rows, in order of domain and id;
 * what each user took.  For each range of rows: those to be ranked, in the order of their keys
 * (engine/data/row_key.h); then list after list.
 *
 * Every row draws from a stream of random numbers of its own, which its values start: neither
 * other rows nor the number of threads change its lists.
 *
 * Memory: 16 bytes for each item of a domain, and up to 16 for each positive row in the set of
 * what users took; 24 for each known positive row while items are collected, or for each of
 * the range while that is ranked; one list of LIST_MAX_ALL items.  Other rows take none.
 */
#include "engine/score/ranked_lists.h"

#include <math.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/base/search.h"
#include "engine/base/sort.h"
#include "engine/data/crosses.h"
#include "engine/data/row_key.h"
#include "engine/data/taken.h"
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
	uint32_t   *ids;
	uint32_t   *rows;			/* a row of each, whose values are the item's: the one of the smallest key */
	uint32_t   *taken;			/* positive rows of this one and those before it */
	uint32_t   *drawn;			/* the list that it is in, from 1; 0: none yet */
} ListItems;

struct Ranking
{
	Arena	   *arena;
	const ListTask *task;
	Scorer	   *scorer;
	const EngineHost *host;
	Watch		watch;			/* over long lists */
	ListItems	items;
	Taken		taken;
	Random		random;
	uint32_t	n_lists;		/* begun */
	uint32_t   *ids;			/* [room, n_fields] of the list at hand */
	double	   *scores;			/* [room] */
	size_t		n;				/* rows in it: the positive one, then the others */
};

static bool
stopped(Ranking *ranking, size_t row, EngineError *error)
{
	return (row % CHECK_ROWS == 0 && !host_continue(ranking->host, error)) ||
		(ranking->watch.stopped && !watch_continue(&ranking->watch, error));
}

/* Positive ones of rows first .. end - 1 -> *n. */
static bool
count_positives(Ranking *ranking, size_t first, size_t end, size_t *n, EngineError *error)
{
	*n = 0;
	for (size_t row = first; row < end; row++)
	{
		if (stopped(ranking, row, error))
			return false;
		*n += ranking->task->data->labels[row];
	}
	return true;
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

/* Room for as many items as sorted keys [n] have. */
static bool
allocate_items(Ranking *ranking, const uint64_t *keys, size_t n, EngineError *error)
{
	Arena	   *arena = ranking->arena;
	size_t		n_items = 0;

	for (size_t i = 0; i < n; i++)
		n_items += i == 0 || keys[i] != keys[i - 1];
	ranking->items = (ListItems) {
		.start = ARENA_ARRAY(arena, size_t, shape_domains(&ranking->task->data->shape) + 1),
		.ids = ARENA_ARRAY(arena, uint32_t, n_items),
		.rows = ARENA_ARRAY(arena, uint32_t, n_items),
		.taken = ARENA_ARRAY(arena, uint32_t, n_items),
		.drawn = ARENA_ARRAY(arena, uint32_t, n_items)
	};
	return arena_ok(arena, error);
}

/* Items out of their rows [n], which lie in the order of keys. */
static bool
place_items(Ranking *ranking, const uint64_t *keys, const uint32_t *rows, size_t n,
			EngineError *error)
{
	ListItems  *items = &ranking->items;
	size_t		n_domains = shape_domains(&ranking->task->data->shape);
	size_t		n_items = 0;
	uint64_t	smallest = 0;	/* key of the item at hand */

	for (size_t i = 0; i < n; i++)
	{
		uint64_t	key = row_key(ranking->task->data, rows[i], 0, &ranking->watch);
		bool		begins = i == 0 || keys[i] != keys[i - 1];

		if (stopped(ranking, i, error))
			return false;
		if (begins)
		{
			items->ids[n_items] = (uint32_t) keys[i];
			items->start[(keys[i] >> 32) + 1] = ++n_items;
		}
		if (begins || key < smallest)
		{
			items->rows[n_items - 1] = rows[i];
			smallest = key;
		}
		items->taken[n_items - 1] = (uint32_t) i + 1;
	}
	/* domains without items end where those before them do */
	for (size_t d = 0; d < n_domains; d++)
		if (items->start[d + 1] < items->start[d])
			items->start[d + 1] = items->start[d];
	return true;
}

/* scratch: of what is not needed after it. */
static bool
collect_items(Ranking *ranking, Arena *scratch, EngineError *error)
{
	const size_t *known = ranking->task->known;
	uint64_t   *keys;
	uint32_t   *rows;
	size_t		n;
	SortRoom	room;

	if (!count_positives(ranking, known[0], known[1], &n, error))
		return false;
	keys = ARENA_ARRAY(scratch, uint64_t, n);
	rows = ARENA_ARRAY(scratch, uint32_t, n);
	return arena_ok(scratch, error) && sort_room(&room, scratch, n, true, error) &&
		find_known(ranking, keys, rows, &n, error) &&
		sort_keys(keys, rows, n, &room, ranking->host, error) &&
		allocate_items(ranking, keys, n, error) && place_items(ranking, keys, rows, n, error);
}

static bool
collect_taken(Ranking *ranking, EngineError *error)
{
	const Dataset *data = ranking->task->data;
	size_t		n;

	if (!count_positives(ranking, 0, data->split_start[3], &n, error) ||
		!taken_init(&ranking->taken, ranking->arena, data, n, error))
		return false;
	for (size_t row = 0; row < data->split_start[3]; row++)
	{
		if (stopped(ranking, row, error))
			return false;
		if (data->labels[row])
			taken_add(&ranking->taken, row);
	}
	return true;
}

/* Is the row's item one of its domain's? */
static bool
is_known(const Ranking *ranking, size_t row)
{
	const Dataset *data = ranking->task->data;
	const ListItems *items = &ranking->items;
	int64_t		domain = dataset_domain(data, row);
	uint32_t	item = dataset_id(data, row, data->shape.item_field);
	size_t		place;

	if (domain < 0)
		return false;
	place = sorted_place(items->ids, items->start[domain], items->start[domain + 1], item);
	return place < items->start[domain + 1] && items->ids[place] == item;
}

/* Of rows first .. end - 1 those to be ranked, in the order of their hashes -> *rows, *n. */
static bool
choose_rows(Ranking *ranking, Arena *arena, size_t first, size_t end, uint32_t **rows, size_t *n,
			EngineError *error)
{
	const ListTask *task = ranking->task;
	uint64_t   *keys;
	SortRoom	room;

	if (!count_positives(ranking, first, end, n, error))
		return false;
	*rows = ARENA_ARRAY(arena, uint32_t, *n);
	keys = ARENA_ARRAY(arena, uint64_t, *n);
	if (!arena_ok(arena, error) || !sort_room(&room, arena, *n, true, error))
		return false;
	*n = 0;
	for (size_t row = first; row < end; row++)
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

/* May the item of row "from" be in the list of a row? */
static bool
may_stand(const Ranking *ranking, size_t row, size_t from)
{
	const Dataset *data = ranking->task->data;
	int			field = data->shape.item_field;

	return dataset_id(data, row, field) != dataset_id(data, from, field) &&
		!taken_has(&ranking->taken, row, from);
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
	const uint32_t *taken = ranking->items.taken;
	uint32_t	before = first > 0 ? taken[first - 1] : 0;
	uint32_t	place = before + (uint32_t) random_below(&ranking->random, taken[end - 1] - before);

	return sorted_place(taken, first, end - 1, place + 1);
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
static bool
add_measures(const Ranking *ranking, ListMeasures *sums, EngineError *error)
{
	size_t		above = 0;
	size_t		equal = 0;
	double		discounts;
	double		mrr = 0;
	Tie			tie;

	for (size_t i = 1; i < ranking->n; i++)
	{
		above += ranking->scores[i] > ranking->scores[0];
		equal += ranking->scores[i] == ranking->scores[0];
	}
	tie = tie_of(above, equal + 1, LIST_PLACES, 1);
	if (!tie_discounts(&tie, &discounts, ranking->host, error))
		return false;
	for (size_t rank = above + 1; rank <= above + tie.n; rank++)
		mrr += 1 / (double) rank;
	sums->lists++;
	sums->items += (double) (ranking->n - 1);
	sums->ndcg += discounts / (double) tie.n;
	sums->hit_rate += tie_positives(&tie);
	sums->mrr += mrr / (double) tie.n;
	return true;
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
	return scorer_score(ranking->scorer, &rows, ranking->scores, error) &&
		add_measures(ranking, sums, error);
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

Measure
lists_ndcg(const ListMeasures *measures)
{
	const ListMeasures *uniform = &measures[LIST_UNIFORM];
	const ListMeasures *popular = &measures[LIST_POPULARITY];

	return (Measure) {.value = (uniform->ndcg + popular->ndcg) / 2,.rows = uniform->lists};
}

/* Memory that is given back while the arena's stays, which is the scorer's, too. */
static void
begin_scratch(const Ranking *ranking, Arena *scratch)
{
	const Arena *arena = ranking->arena;

	arena_init(scratch, arena->allocate, arena->release, arena->context);
}

Ranking *
lists_begin(Arena *arena, const ListTask *task, Scorer *scorer, const EngineHost *host,
			EngineError *error)
{
	size_t		room = LIST_MAX_ALL + 1;
	Ranking    *ranking = ARENA_ARRAY(arena, Ranking, 1);
	Arena		scratch;
	bool		ok;

	if (!arena_ok(arena, error))
		return NULL;
	*ranking = (Ranking) {.arena = arena,.task = task,.scorer = scorer,.host = host,
		.watch = {.host = host},
		.ids = ARENA_ARRAY(arena, uint32_t, room * (size_t) task->data->shape.n_fields),
		.scores = ARENA_ARRAY(arena, double, room)};
	if (!arena_ok(arena, error))
		return NULL;
	begin_scratch(ranking, &scratch);
	ok = collect_items(ranking, &scratch, error);
	arena_free_all(&scratch);
	return ok && collect_taken(ranking, error) ? ranking : NULL;
}

bool
lists_measure(Ranking *ranking, size_t first, size_t end, ListMeasures *measures,
			  EngineError *error)
{
	Arena		scratch;
	uint32_t   *rows;
	size_t		n;
	bool		ok;

	memset(measures, 0, N_LIST_KINDS * sizeof(ListMeasures));
	begin_scratch(ranking, &scratch);
	ok = choose_rows(ranking, &scratch, first, end, &rows, &n, error) &&
		rank_rows(ranking, rows, n, measures, error);
	arena_free_all(&scratch);
	for (int kind = 0; kind < N_LIST_KINDS; kind++)
		divide(&measures[kind]);
	return ok;
}
