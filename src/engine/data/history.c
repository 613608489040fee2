/*
 * history.c
 *	  Users' histories: training rows sorted by time and user, and lists made of them.
 *
 * Without an order a user has an item once: how often it is there would tell a row that has
 * it of its own label.  With one, rows that come earlier have told nothing of it.
 *
 * Memory: 4 bytes for each training row that counts, 8 more where rows have an order, and 8
 * for each user.  Sorting takes up to 28 of scratch for each row, or 4 for each item.
 */
#include "engine/data/history.h"

#include <string.h>

#include "engine/base/random.h"
#include "engine/base/sort.h"

/* Rows between two looks at the host. */
#define CHUNK_ROWS 65536

typedef struct Build
{
	Arena	   *scratch;
	const Dataset *data;
	HistoryRows counting;
	const EngineHost *host;
	uint32_t	n_users;
	uint64_t   *start;
	uint32_t   *items;
	int64_t    *entry_times;	/* NULL: rows have no order */
} Build;

bool
shape_has_history(const Shape *shape)
{
	return shape_users(shape) > 0 && shape->item_field >= 0 &&
		!shape->field_is_list[shape->item_field];
}

static uint32_t
user_of(const Build *build, size_t row)
{
	return dataset_id(build->data, row, build->data->shape.user_field);
}

static uint32_t
item_of(const Build *build, size_t row)
{
	return dataset_id(build->data, row, build->data->shape.item_field);
}

static bool
label_counts(const Build *build, size_t row)
{
	return build->counting == HISTORY_ALL ||
		(build->data->labels[row] != 0) == (build->counting == HISTORY_POSITIVES);
}

/* Training rows that count, in the order of time -> rows; *n. */
static bool
sort_rows(const Build *build, uint32_t *rows, size_t *n, EngineError *error)
{
	const Dataset *data = build->data;
	uint64_t   *keys;
	SortRoom	room;

	*n = 0;
	for (size_t row = data->train_sampled; row < data->split_start[SPLIT_VALID]; row++)
	{
		if (row % CHUNK_ROWS == 0 && !host_continue(build->host, error))
			return false;
		if (label_counts(build, row) && user_of(build, row) >= FIRST_ID &&
			item_of(build, row) >= FIRST_ID)
			rows[(*n)++] = (uint32_t) row;
	}
	if (!data->times)
		return true;
	keys = ARENA_ARRAY(build->scratch, uint64_t, *n);
	if (!arena_ok(build->scratch, error) || !sort_room(&room, build->scratch, *n, true, error))
		return false;
	/* with the sign turned they compare as unsigned numbers */
	for (size_t i = 0; i < *n; i++)
		keys[i] = (uint64_t) data->times[rows[i]] ^ UINT64_C(1) << 63;
	return sort_keys(keys, rows, *n, &room, build->host, error);
}

/* Rows [n] in the order of time, each behind those of its user. */
static bool
place_rows(const Build *build, const uint32_t *rows, size_t n, EngineError *error)
{
	uint64_t   *start = build->start;

	for (size_t i = 0; i < n; i++)
		start[user_of(build, rows[i]) - FIRST_ID + 2]++;
	for (uint32_t u = 0; u < build->n_users; u++)
		start[u + 2] += start[u + 1];
	/* start[u + 1] runs from where the u-th user's begin to where they end */
	for (size_t i = 0; i < n; i++)
	{
		uint64_t	at = start[user_of(build, rows[i]) - FIRST_ID + 1]++;

		if (i % CHUNK_ROWS == 0 && !host_continue(build->host, error))
			return false;
		build->items[at] = item_of(build, rows[i]);
		if (build->entry_times)
			build->entry_times[at] = build->data->times[rows[i]];
	}
	return true;
}

/* Of a user's entries of one item the first stays. */
static bool
drop_repeated(const Build *build, EngineError *error)
{
	const Shape *shape = &build->data->shape;
	uint32_t   *users = ARENA_ARRAY(build->scratch, uint32_t,
									shape->table_rows[shape->field_table[shape->item_field]]);
	uint64_t	kept = 0;

	if (!arena_ok(build->scratch, error))
		return false;
	for (uint32_t u = 0; u < build->n_users; u++)
	{
		uint64_t	first = build->start[u];

		if (u % CHUNK_ROWS == 0 && !host_continue(build->host, error))
			return false;
		build->start[u] = kept;
		for (uint64_t i = first; i < build->start[u + 1]; i++)
			if (users[build->items[i]] != u + 1)
			{
				users[build->items[i]] = u + 1;
				build->items[kept++] = build->items[i];
			}
	}
	build->start[build->n_users] = kept;
	return true;
}

History *
history_build(Arena *arena, Arena *scratch, const Dataset *data, uint32_t length,
			  HistoryRows counting, const EngineHost *host, EngineError *error)
{
	uint32_t	n_users = shape_users(&data->shape);
	History    *history = ARENA_ARRAY(arena, History, 1);
	uint32_t   *rows = ARENA_ARRAY(scratch, uint32_t, data->split_start[SPLIT_VALID]);
	Build		build = {
		.scratch = scratch,.data = data,.counting = counting,.host = host,.n_users = n_users
	};
	size_t		n;

	if (!arena_ok(scratch, error) || !sort_rows(&build, rows, &n, error))
		return NULL;
	build.start = ARENA_ARRAY(arena, uint64_t, (size_t) n_users + 2);
	build.items = ARENA_ARRAY(arena, uint32_t, n);
	build.entry_times = data->times ? ARENA_ARRAY(arena, int64_t, n) : NULL;
	if (!arena_ok(arena, error) || !place_rows(&build, rows, n, error) ||
		(!data->times && !drop_repeated(&build, error)))
		return NULL;
	*history = (History) {.length = length,.n = n_users,.start = build.start,
		.items = build.items,.entry_times = build.entry_times,.times = data->times};
	return history;
}

/* Where entries low .. high - 1 end that are earlier. */
static uint64_t
earlier(const History *history, uint64_t low, uint64_t high, int64_t time)
{
	while (low < high)
	{
		uint64_t	middle = low + (high - low) / 2;

		if (history->entry_times[middle] < time)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* All of n items but that at a place, n: none, to members; returns how many. */
static uint32_t
copy_without(const uint32_t *items, uint32_t n, uint32_t place, uint32_t *members)
{
	memcpy(members, items, place * sizeof(uint32_t));
	if (place >= n)
		return n;
	memcpy(members + place, items + place + 1, (n - place - 1) * sizeof(uint32_t));
	return n - 1;
}

/* The entries that a history is chosen from: one more than it has members; *n of n_all. */
static const uint32_t *
newest_items(const uint32_t *items, size_t n_all, uint32_t length, uint32_t *n)
{
	*n = (uint32_t) (n_all <= length ? n_all : length + 1);
	return items + (n_all - *n);
}

uint32_t
history_choose(const uint32_t *items, size_t n, uint32_t item, uint32_t length,
			   uint32_t *members)
{
	uint32_t	n_newest;
	const uint32_t *newest = newest_items(items, n, length, &n_newest);
	uint32_t	n_own = 0;
	uint32_t	n_members = 0;

	for (uint32_t i = 0; i < n_newest; i++)
		n_own += newest[i] == item;
	/* as with most rows: nothing but the oldest has to be left out */
	if (n_own == 0)
		return copy_without(newest, n_newest, n_newest > length ? 0 : n_newest, members);
	for (uint32_t i = 0; i < n_newest; i++)
		if (newest[i] != item)
			members[n_members++] = newest[i];
	return n_members;
}

/* Of items each of which is there once: always one less, whether or not the row's is among them. */
static uint32_t
choose_one_less(const uint32_t *items, size_t n, uint32_t user, uint32_t item, uint32_t length,
				uint32_t *members)
{
	const uint32_t key[2] = {user, item};
	const uint32_t counter[4] = {0};
	uint32_t	word[4];
	uint32_t	n_newest;
	const uint32_t *newest = newest_items(items, n, length, &n_newest);
	uint32_t	place = 0;

	if (n_newest == 0)
		return 0;
	while (place < n_newest && newest[place] != item)
		place++;
	if (place == n_newest)
	{
		philox(key, counter, word);
		place = word[0] % n_newest;
	}
	return copy_without(newest, n_newest, place, members);
}

uint32_t
history_members(const History *history, uint32_t user, uint32_t item, const uint32_t *row,
				uint32_t *members)
{
	const uint32_t *items;
	uint64_t	first;
	uint64_t	end;

	if (user < FIRST_ID || user - FIRST_ID >= history->n)
		return 0;
	first = history->start[user - FIRST_ID];
	end = history->start[user - FIRST_ID + 1];
	items = history->items + first;
	if (row && !history->times)
		return choose_one_less(items, end - first, user, item, history->length, members);
	if (row)
		end = earlier(history, first, end, history->times[*row]);
	return history_choose(items, end - first, item, history->length, members);
}
