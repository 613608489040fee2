/*
 * batch.c
 *	  Gathering a batch's rows and ordering them by domain.
 */
#include "engine/data/batch.h"

#include <string.h>

#include "engine/data/crosses.h"

bool
batch_init(Batch *batch, Arena *arena, int capacity, int n_fields, EngineError *error)
{
	memset(batch, 0, sizeof(*batch));
	batch->capacity = capacity;
	batch->n_fields = n_fields;
	batch->rows = ARENA_ARRAY(arena, uint32_t, capacity);
	batch->ids = ARENA_ARRAY(arena, uint32_t, (size_t) capacity * n_fields);
	batch->labels = ARENA_ARRAY(arena, uint8_t, capacity);
	batch->segments = ARENA_ARRAY(arena, Segment, capacity);
	batch->share = ARENA_ARRAY(arena, RowShare, n_fields);
	batch->order = ARENA_ARRAY(arena, uint32_t, 2 * (size_t) capacity);
	return arena_ok(arena, error);
}

/* Id of the domain field that row i of the request gets. */
static uint32_t
domain_id(const Shape *shape, const uint32_t *ids, const uint32_t *rows,
		  const int64_t *domains, uint32_t i)
{
	if (domains && domains[i] >= 0)
		return FIRST_ID + (uint32_t) domains[i];
	return ids[(size_t) rows[i] * shape->n_fields + shape->domain_field];
}

/* Ids below FIRST_ID are all "never seen" and make one segment. */
static uint32_t
sort_key(uint32_t id)
{
	return id < FIRST_ID ? 0 : id;
}

static bool
is_by_domain(const Shape *shape, const uint32_t *ids, const uint32_t *rows,
			 const int64_t *domains, int n)
{
	for (int i = 1; i < n; i++)
		if (sort_key(domain_id(shape, ids, rows, domains, i - 1)) >
			sort_key(domain_id(shape, ids, rows, domains, i)))
			return false;
	return true;
}

/*
 * Stable order by domain: a bottom-up merge sort, because batches are small
 * and the number of domains need not be.  Result in order[0 .. n - 1].
 */
static void
order_by_domain(uint32_t *order, const Shape *shape, const uint32_t *ids,
				const uint32_t *rows, const int64_t *domains, int n)
{
	uint32_t   *from = order;
	uint32_t   *to = order + n;

	for (int i = 0; i < n; i++)
		from[i] = i;
	if (is_by_domain(shape, ids, rows, domains, n))
		return;
	for (int width = 1; width < n; width *= 2)
	{
		uint32_t   *swap;

		for (int start = 0; start < n; start += 2 * width)
		{
			int			middle = start + width < n ? start + width : n;
			int			end = start + 2 * width < n ? start + 2 * width : n;
			int			a = start;
			int			b = middle;

			for (int k = start; k < end; k++)
			{
				bool		take_a = a < middle &&
					(b >= end ||
					 sort_key(domain_id(shape, ids, rows, domains, from[a])) <=
					 sort_key(domain_id(shape, ids, rows, domains, from[b])));

				to[k] = take_a ? from[a++] : from[b++];
			}
		}
		swap = from;
		from = to;
		to = swap;
	}
	if (from != order)
		memcpy(order, from, n * sizeof(uint32_t));
}

static void
add_row(Batch *batch, int at, uint32_t id, const Shape *shape)
{
	Segment    *last = batch->n_segments ? &batch->segments[batch->n_segments - 1] : NULL;
	int64_t		domain = domain_of_id(id);
	uint32_t   *ids = batch->ids + (size_t) at * batch->n_fields;

	if (domain >= 0 && ids[shape->domain_field] != id)
	{
		ids[shape->domain_field] = id;
		crosses_fill(shape, ids);
	}
	if (last && last->domain == domain)
		last->n_rows++;
	else
		batch->segments[batch->n_segments++] =
			(Segment) {.domain = domain, .start = at, .n_rows = 1};
}

void
batch_fill(Batch *batch, const Shape *shape, const uint32_t *ids, const uint8_t *labels,
		   const uint64_t *list_start, const uint32_t *list_members, const uint32_t *rows,
		   const int64_t *domains, int n)
{
	size_t		n_fields = shape->n_fields;

	batch->n_rows = batch->n_units = n;
	batch->n_segments = 0;
	batch->across = 0;
	batch->row_weights = NULL;
	batch->grouped = false;
	batch->list_start = list_start;
	batch->list_members = list_members;
	order_by_domain(batch->order, shape, ids, rows, domains, n);
	for (int k = 0; k < n; k++)
	{
		uint32_t	i = batch->order[k];
		uint32_t	row = rows[i];

		batch->rows[k] = row;
		if (labels)
			batch->labels[k] = labels[row];
		memcpy(batch->ids + k * n_fields, ids + row * n_fields, n_fields * sizeof(uint32_t));
		add_row(batch, k, domain_id(shape, ids, rows, domains, i), shape);
	}
}

static RowShare
find_share(const Batch *batch, int field)
{
	const uint32_t *ids = batch->ids + field;
	size_t		n_fields = batch->n_fields;
	bool		of_line = true;
	bool		of_column = true;

	for (int line = 0; line < batch->n_rows && (of_line || of_column); line += batch->across)
		for (int c = 0; c < batch->across; c++)
		{
			uint32_t	id = ids[(line + c) * n_fields];

			of_line = of_line && id == ids[line * n_fields];
			of_column = of_column && id == ids[c * n_fields];
		}
	return of_line ? OF_LINE : of_column ? OF_COLUMN : OF_ROW;
}

void
batch_find_shared(Batch *batch, int across)
{
	if (across <= 0 || batch->n_rows % across != 0 || batch->n_segments != 1)
		return;
	batch->across = across;
	batch->any_of_row = false;
	for (int f = 0; f < batch->n_fields; f++)
	{
		batch->share[f] = find_share(batch, f);
		batch->any_of_row = batch->any_of_row || batch->share[f] == OF_ROW;
	}
}

void
batch_init_history(Batch *batch, HistoryList list, Arena *arena, uint32_t length)
{
	batch->history[list] = (BatchHistory) {
		.length = length,
		.members = ARENA_ARRAY(arena, uint32_t, (size_t) batch->capacity * length),
		.n = ARENA_ARRAY(arena, uint32_t, batch->capacity)
	};
}

void
batch_init_histories_like(Batch *batch, const Batch *like, Arena *arena)
{
	for (int list = 0; list < N_HISTORY_LISTS; list++)
		batch_init_history(batch, list, arena, like->history[list].length);
}

/* Members of the history of a row of that item, out of a list; returns how many. */
static uint32_t
choose_listed(const Batch *batch, uint32_t list, uint32_t item, uint32_t *members)
{
	uint64_t	start = batch->list_start[list];

	return history_choose(batch->list_members + start, batch->list_start[list + 1] - start, item,
						  batch->history[HISTORY_TAKEN].length, members);
}

static void
fill_history(Batch *batch, const Shape *shape, const History *history, BatchHistory *filled,
			 const uint32_t *lists, bool training)
{
	for (int b = 0; b < batch->n_rows && filled->length > 0; b++)
	{
		const uint32_t *ids = batch->ids + (size_t) b * batch->n_fields;
		uint32_t   *members = filled->members + (size_t) b * filled->length;
		uint32_t	item = ids[shape->item_field];
		uint32_t	list = lists ? lists[batch->rows[b]] : 0;

		filled->n[b] = list > 0 ? choose_listed(batch, list, item, members) :
			history_members(history, ids[shape->user_field], item,
							training ? &batch->rows[b] : NULL, members);
	}
}

void
batch_fill_history(Batch *batch, const Shape *shape, const History *histories,
				   const uint32_t *lists, bool training)
{
	for (int list = 0; list < N_HISTORY_LISTS; list++)
		fill_history(batch, shape, &histories[list], &batch->history[list],
					 list == HISTORY_TAKEN ? lists : NULL, training);
}
