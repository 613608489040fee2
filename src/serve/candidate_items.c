/*
 * candidate_items.c
 *	  Which item and which domain each candidate is of.
 *
 * An item is known by its id; one without an id of its own, and one that shares a
 * hashed id with others, by its text.
 */
#include "postgres.h"

#include "serve/candidates.h"

#include "miscadmin.h"
#include "source/keys/vocabulary.h"
#include "utils/memutils.h"

/* What rows are ordered by. */
typedef struct RowOrder
{
	const ScoreTable *rows;
	int			feature;		/* whose ids come first */
	const char **texts;			/* then these; NULL: there are none */
	const uint32 *item;			/* then these; NULL: there are none */
} RowOrder;

/* Those without an id of their own come last. */
static uint32
place_of(uint32 id)
{
	return id < FIRST_ID ? PG_UINT32_MAX : id;
}

static uint32
order_id(const RowOrder *order, uint32 row)
{
	return place_of(score_table_row(order->rows, row)[order->feature]);
}

static int
compare_texts(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

/* Lists have numbers in the order in which rows came: their members are compared. */
static int
compare_lists(const ScoreTable *rows, uint32 a, uint32 b)
{
	uint64		n_a = rows->list_start[a + 1] - rows->list_start[a];
	uint64		n_b = rows->list_start[b + 1] - rows->list_start[b];

	return n_a != n_b ? (n_a < n_b ? -1 : 1) :
		memcmp(rows->members + rows->list_start[a], rows->members + rows->list_start[b],
			   n_a * sizeof(uint32));
}

/* Rows of one item and domain lie by what they hold, whatever the order in which they came. */
static int
compare_contents(const ScoreTable *rows, uint32 x, uint32 y)
{
	const uint32 *a = score_table_row(rows, x);
	const uint32 *b = score_table_row(rows, y);
	int			order = 0;

	for (int f = 0; f < rows->spec->n_features && order == 0; f++)
		if (kind_has_list(rows->spec->features[f].kind))
			order = a[f] == b[f] ? 0 : compare_lists(rows, a[f], b[f]);
		else
			order = (a[f] > b[f]) - (a[f] < b[f]);
	return order;
}

static int
compare_rows(const void *a, const void *b, void *context)
{
	const RowOrder *order = context;
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;
	uint32		id_x = order_id(order, x);
	uint32		id_y = order_id(order, y);
	int			texts;

	CHECK_FOR_INTERRUPTS();
	if (id_x != id_y)
		return id_x < id_y ? -1 : 1;
	texts = order->texts ? compare_texts(order->texts[x], order->texts[y]) : 0;
	if (texts != 0 || !order->item)
		return texts;
	if (order->item[x] != order->item[y])
		return order->item[x] < order->item[y] ? -1 : 1;
	return compare_contents(order->rows, x, y);
}

static uint32 *
sort_rows(Size n, RowOrder order)
{
	uint32	   *rows = MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * sizeof(uint32));

	for (Size i = 0; i < n; i++)
		rows[i] = i;
	qsort_arg(rows, n, sizeof(uint32), compare_rows, &order);
	return rows;
}

/* item [n] of rows in the order in which they came; item_ids and item_texts. */
static uint32 *
number_items(Candidates *candidates, const char **texts)
{
	int			feature = candidates->rows.spec->item_feature;
	RowOrder	by_item = {.rows = &candidates->rows,.feature = feature,.texts = texts};
	uint32		n = candidates->n;
	uint32	   *order = sort_rows(n, by_item);
	uint32	   *item = palloc_extended(Max(n, 1) * sizeof(uint32), MCXT_ALLOC_HUGE);

	candidates->item_ids = palloc_extended(Max(n, 1) * sizeof(uint32), MCXT_ALLOC_HUGE);
	candidates->item_texts = palloc_extended(Max(n, 1) * sizeof(char *), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < n; i++)
	{
		if (i == 0 || compare_rows(&order[i - 1], &order[i], &by_item) != 0)
		{
			candidates->item_ids[candidates->n_items] =
				score_table_row(&candidates->rows, order[i])[feature];
			candidates->item_texts[candidates->n_items++] = texts[order[i]];
		}
		item[order[i]] = candidates->n_items - 1;
	}
	pfree(order);
	return item;
}

void
candidates_order(Candidates *candidates, const char **texts, const char **domain_texts)
{
	ScoreTable *rows = &candidates->rows;
	const FeatureSpec *spec = rows->spec;
	Size		row_size = spec->n_features * sizeof(uint32);
	uint32		n = candidates->n;
	uint32	   *item = number_items(candidates, texts);
	uint32	   *order = sort_rows(n, (RowOrder) {.rows = rows,.feature = spec->domain_feature,
								  .texts = domain_texts,.item = item});
	uint32	   *ids = MemoryContextAllocHuge(rows->context, rows->max_rows * row_size);

	candidates->item = palloc_extended(Max(n, 1) * sizeof(uint32), MCXT_ALLOC_HUGE);
	candidates->domain_texts = palloc_extended(Max(n, 1) * sizeof(char *), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < n; i++)
	{
		memcpy(ids + (Size) i * spec->n_features, score_table_row(rows, order[i]), row_size);
		candidates->item[i] = item[order[i]];
		candidates->domain_texts[i] = domain_texts[order[i]];
	}
	pfree(rows->ids);
	rows->ids = ids;
	pfree(order);
	pfree(item);
}

int64
candidates_item(const Candidates *candidates, uint32 id, const char *text)
{
	uint32		low = 0;
	uint32		high = candidates->n_items;

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;
		uint32		place = place_of(candidates->item_ids[middle]);
		int			order = place != place_of(id) ? (place < place_of(id) ? -1 : 1) :
			compare_texts(candidates->item_texts[middle], text);

		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

/* The key of an id; hashed ones have texts of their own. */
static const char *
key_text(const FeatureSpec *spec, int feature, uint32 id)
{
	return vocabulary_key(&spec->vocabularies[spec->features[feature].vocabulary], id);
}

const char *
candidates_item_text(const Candidates *candidates, uint32 item)
{
	const FeatureSpec *spec = candidates->served->loaded->spec;

	return candidates->item_texts[item] ? candidates->item_texts[item] :
		key_text(spec, spec->item_feature, candidates->item_ids[item]);
}

const char *
candidates_domain_text(const Candidates *candidates, uint32 candidate)
{
	const FeatureSpec *spec = candidates->served->loaded->spec;

	return candidates->domain_texts[candidate] ? candidates->domain_texts[candidate] :
		key_text(spec, spec->domain_feature,
				 score_table_row(&candidates->rows, candidate)[spec->domain_feature]);
}
