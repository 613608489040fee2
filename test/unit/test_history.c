/*
 * test_history.c
 *	  Users' histories: which rows are in whose, counted by plain loops over all rows, and
 *	  that nothing of a row's own label, nor of later ones, is found in them: neither in
 *	  their members nor in how many there are.
 */
#include <math.h>
#include <string.h>

#include "drawn_rows.h"
#include "pick.h"
#include "toy.h"
#include "unit.h"

#include "engine/entities/entity_table.h"
#include "engine/networks/architectures.h"
#include "engine/networks/build.h"
#include "engine/networks/network.h"

#define N_ROWS 1500
#define SAMPLED 40
#define MOST 60

/* A dataset whose labels can be changed. */
typedef struct Rows
{
	Dataset    *data;
	uint8_t    *labels;
	int64_t    *times;
} Rows;

/* Rows of few users and items, some without one; of few times, so that there are ties. */
static Rows
draw(Arena *arena, bool ordered)
{
	Rows		rows = {.data = toy_dataset(arena, N_ROWS)};
	uint32_t   *ids = (uint32_t *) rows.data->ids;
	Random		random;

	random_start(&random, 3, 0, ordered);
	rows.labels = (uint8_t *) rows.data->labels;
	rows.times = ARENA_ARRAY(arena, int64_t, N_ROWS);
	for (size_t row = 0; row < N_ROWS; row++)
	{
		rows.times[row] = (int64_t) up_to(&random, 80) - 40;
		if (up_to(&random, 20) == 0)
			ids[row * TOY_FIELDS + 1 + up_to(&random, 1)] = up_to(&random, 2);
	}
	rows.data->train_sampled = SAMPLED;
	if (ordered)
		rows.data->times = rows.times;
	return rows;
}

static History *
build(Arena *arena, const Rows *rows, uint32_t length, HistoryRows counting)
{
	EngineHost	host = toy_host();
	EngineError error = {0};
	Arena		scratch;
	History    *history;

	arena_init_malloc(&scratch);
	history = history_build(arena, &scratch, rows->data, length, counting, &host, &error);
	arena_free_all(&scratch);
	return history;
}

/* Histories of all rows as batches have them: members of row r from MOST * r on. */
static void
fill(Arena *arena, const Rows *rows, const History *history, uint32_t *members, uint32_t *n)
{
	const Dataset *data = rows->data;
	const History histories[N_HISTORY_LISTS] = {[HISTORY_TAKEN] = *history};
	EngineError error = {0};
	Batch		batch;

	CHECK(batch_init(&batch, arena, 64, TOY_FIELDS, &error));
	batch_init_history(&batch, HISTORY_TAKEN, arena, history->length);
	for (size_t first = 0; first < N_ROWS; first += 50)
	{
		uint32_t	numbers[50];
		bool		training = first < data->split_start[SPLIT_VALID];

		for (uint32_t i = 0; i < 50; i++)
			numbers[i] = first + i;
		batch_fill(&batch, &data->shape, data->ids, data->labels, data->list_start,
				   data->list_members, numbers, NULL, 50);
		batch_fill_history(&batch, &data->shape, histories, NULL, training);
		for (int b = 0; b < 50; b++)
		{
			const uint32_t *of_row;

			n[batch.rows[b]] = batch_history(&batch, HISTORY_TAKEN, b, &of_row);
			memcpy(members + batch.rows[b] * MOST, of_row, n[batch.rows[b]] * sizeof(uint32_t));
		}
	}
}

/* Does training row "other" belong to a row's history, but for its item? */
static bool
counts(const Rows *rows, size_t row, size_t other, HistoryRows counting)
{
	const Dataset *data = rows->data;
	const uint32_t *ids = data->ids + row * TOY_FIELDS;
	const uint32_t *its = data->ids + other * TOY_FIELDS;

	return other >= SAMPLED && (counting == HISTORY_ALL || data->labels[other] == (counting == HISTORY_POSITIVES)) &&
		 its[1] >= FIRST_ID &&
		its[2] >= FIRST_ID && its[1] == ids[1] &&
		(!data->times || row >= data->split_start[SPLIT_VALID] ||
		 data->times[other] < data->times[row]);
}

static bool
is_listed(const uint32_t *items, uint32_t n, uint32_t item)
{
	for (uint32_t i = 0; i < n; i++)
		if (items[i] == item)
			return true;
	return false;
}

/* Rows that count, the newest last: by time, rows of one time as they come. */
static uint32_t
list_entries(const Rows *rows, size_t row, HistoryRows counting, uint32_t *items)
{
	const Dataset *data = rows->data;
	int64_t		times[N_ROWS];
	uint32_t	n = 0;

	for (size_t other = 0; other < data->split_start[SPLIT_VALID]; other++)
	{
		uint32_t	item = data->ids[other * TOY_FIELDS + 2];
		uint32_t	at = n;

		if (!counts(rows, row, other, counting) || (!data->times && is_listed(items, n, item)))
			continue;
		for (; data->times && at > 0 && times[at - 1] > data->times[other]; at--)
		{
			times[at] = times[at - 1];
			items[at] = items[at - 1];
		}
		times[at] = data->times ? data->times[other] : 0;
		items[at] = item;
		n++;
	}
	return n;
}

/* Of n entries without order the one that a training row of another item leaves out. */
static uint32_t
left_out(const uint32_t *ids, const uint32_t *entries, uint32_t n)
{
	const uint32_t counter[4] = {0};
	uint32_t	word[4];

	philox(ids + 1, counter, word);
	return entries[word[0] % n];
}

/*
 * Of the newest length + 1 entries those of other items, length at most; without an order
 * training rows have one less than there are.
 */
static bool
same_members(const Rows *rows, size_t row, HistoryRows counting, uint32_t length,
			 const uint32_t *members, uint32_t n)
{
	const Dataset *data = rows->data;
	const uint32_t *ids = data->ids + row * TOY_FIELDS;
	uint32_t	entries[N_ROWS];
	uint32_t	expected[N_ROWS];
	uint32_t	n_entries = list_entries(rows, row, counting, entries);
	uint32_t	first = n_entries > length ? n_entries - length - 1 : 0;
	uint32_t	out = ids[2];
	uint32_t	n_expected = 0;

	if (!data->times && row < data->split_start[SPLIT_VALID] && n_entries > 0 &&
		!is_listed(entries + first, n_entries - first, out))
		out = left_out(ids, entries + first, n_entries - first);
	for (uint32_t i = first; i < n_entries; i++)
		if (entries[i] != out)
			expected[n_expected++] = entries[i];
	if (n_expected > length)
		return n == length && memcmp(members, expected + 1, n * sizeof(uint32_t)) == 0;
	return n == n_expected && memcmp(members, expected, n * sizeof(uint32_t)) == 0;
}

static void
check_members(bool ordered, HistoryRows counting)
{
	static const uint32_t lengths[] = {MOST, 4, 1};
	static uint32_t members[N_ROWS * MOST];
	uint32_t	n[N_ROWS];
	Arena		arena;
	Rows		rows;

	arena_init_malloc(&arena);
	rows = draw(&arena, ordered);
	for (int i = 0; i < 3; i++)
	{
		bool		same = true;
		size_t		total = 0;

		fill(&arena, &rows, build(&arena, &rows, lengths[i], counting), members, n);
		for (size_t row = 0; row < N_ROWS; row++)
		{
			same &= same_members(&rows, row, counting, lengths[i], members + row * MOST, n[row]);
			total += n[row];
		}
		CHECK(same);
		CHECK(total > (lengths[i] == MOST ? 5 * N_ROWS : N_ROWS / 2));
	}
	arena_free_all(&arena);
}

/* Members come in the order of time. */
static void
check_order(void)
{
	static const int64_t times[] = {5, INT64_MIN, 7, -3, INT64_MAX, 5};
	static const uint32_t expected[] = {4, 6, 3, 8, 5};
	Arena		arena;
	Rows		rows;
	uint32_t	members[8];
	uint32_t   *ids;

	arena_init_malloc(&arena);
	rows = draw(&arena, true);
	ids = (uint32_t *) rows.data->ids;
	rows.data->train_sampled = 0;
	rows.data->split_start[SPLIT_VALID] = 6;
	for (uint32_t row = 0; row < 6; row++)
	{
		rows.times[row] = times[row];
		rows.labels[row] = 1;
		ids[row * TOY_FIELDS + 1] = FIRST_ID;
		ids[row * TOY_FIELDS + 2] = FIRST_ID + row;
	}
	CHECK(history_members(build(&arena, &rows, 8, HISTORY_POSITIVES), FIRST_ID, FIRST_ID + 4, NULL, members) == 5);
	CHECK(memcmp(members, expected, sizeof(expected)) == 0);
	arena_free_all(&arena);
}

/* Is a row's history the same with these labels? */
static bool
same_history(Arena *arena, const Rows *rows, uint32_t row, uint32_t length,
			 const uint32_t *members, uint32_t n)
{
	struct ArenaBlock *mark = arena_mark(arena);
	const History *history = build(arena, rows, length, HISTORY_POSITIVES);
	const uint32_t *ids = rows->data->ids + row * TOY_FIELDS;
	uint32_t	now[MOST];
	bool		training = row < rows->data->split_start[SPLIT_VALID];
	bool		same = history_members(history, ids[1], ids[2], training ? &row : NULL, now) == n &&
		memcmp(now, members, n * sizeof(uint32_t)) == 0;

	arena_reset_to(arena, mark);
	return same;
}

/*
 * Labels that are turned round, of all rows that are not earlier, are found in no history of
 * a row.  Without an order all training rows come before the others.
 */
static void
check_no_trace(bool ordered, uint32_t length)
{
	Arena		arena;
	Rows		rows;
	static uint32_t members[N_ROWS * MOST];
	uint32_t	n[N_ROWS];
	uint8_t		labels[N_ROWS];
	size_t		n_train;
	bool		traced = false;

	arena_init_malloc(&arena);
	rows = draw(&arena, ordered);
	n_train = rows.data->split_start[SPLIT_VALID];
	memcpy(labels, rows.labels, N_ROWS);
	fill(&arena, &rows, build(&arena, &rows, length, HISTORY_POSITIVES), members, n);
	for (uint32_t row = ordered ? 0 : n_train; row < N_ROWS; row++)
	{
		for (size_t other = 0; other < N_ROWS; other++)
			if (other >= n_train || (row < n_train && rows.times[other] >= rows.times[row]))
				rows.labels[other] = !labels[other];
		traced |= !same_history(&arena, &rows, row, length, members + row * MOST, n[row]);
		memcpy(rows.labels, labels, N_ROWS);
	}
	CHECK(!traced);
	/* the check can fail: labels of other rows, of earlier ones, are seen */
	for (size_t row = 0; row < n_train; row++)
		rows.labels[row] = !labels[row];
	for (uint32_t row = 0; row < N_ROWS; row++)
		traced |= !same_history(&arena, &rows, row, length, members + row * MOST, n[row]);
	CHECK(traced);
	arena_free_all(&arena);
}

#define SAME_ITEMS 100
#define MOST_SAME 30

/* Users with as many rows each, of other items, half of which are positive: no signal. */
static DrawnRows *
draw_no_signal(Arena *arena, uint32_t n_users, uint32_t n_rows)
{
	const uint32_t n_values[] = {4, n_users, SAME_ITEMS};
	DrawnRows  *rows = drawn_rows(arena, (size_t) n_users * n_rows, 1000, 3, n_values, 5);
	Random		random;

	random_start(&random, 6, 0, 0);
	for (uint32_t u = 0; u < n_users; u++)
	{
		uint32_t	items[SAME_ITEMS];

		for (uint32_t i = 0; i < SAME_ITEMS; i++)
			items[i] = i;
		random_shuffle(&random, items, SAME_ITEMS);
		for (uint32_t i = 0; i < n_rows; i++)
		{
			*drawn_id(rows, u * n_rows + i, DRAWN_USER) = FIRST_ID + u;
			*drawn_id(rows, u * n_rows + i, DRAWN_ITEM) = FIRST_ID + items[i];
			rows->labels[u * n_rows + i] = i % 2;
		}
	}
	return rows;
}

/*
 * How often each of a user's newest [n_newest] items is missing in histories of rows that
 * are not of these items, less what it would be evenly: squares, as of a chi-square test.
 * Are all of the user's rows one short?
 */
static bool
are_one_short(const DrawnRows *drawn, const History *history, uint32_t u, uint32_t n_rows,
			  uint32_t n_newest, double *square)
{
	const uint32_t *newest = history->items + history->start[u + 1] - n_newest;
	double		missing[MOST_SAME] = {0};
	double		n_others = 0;
	uint32_t	members[MOST_SAME];
	bool		same = history->start[u + 1] - history->start[u] == n_rows / 2;

	for (uint32_t row = u * n_rows; row < (u + 1) * n_rows; row++)
	{
		uint32_t	item = *drawn_id(drawn, row, DRAWN_ITEM);
		uint32_t	n = history_members(history, FIRST_ID + u, item, &row, members);

		same &= n == n_newest - 1 && !is_listed(members, n, item);
		if (is_listed(newest, n_newest, item))
			continue;
		n_others++;
		for (uint32_t i = 0; i < n_newest; i++)
			missing[i] += !is_listed(members, n, newest[i]);
	}
	for (uint32_t i = 0; i < n_newest; i++)
		*square += pow(missing[i] - n_others / n_newest, 2) / (n_others / n_newest);
	return same;
}

/*
 * Without an order all training rows of a user have as many members, whatever their labels,
 * and rows that are not in the list share the missing items evenly among them.
 */
static void
check_label_unknown(uint32_t n_rows, uint32_t length, HistoryRows counting)
{
	const uint32_t n_users = 400;
	uint32_t	n_newest = length < n_rows / 2 ? length + 1 : n_rows / 2;
	double		freedoms = n_users * (n_newest - 1.0);
	double		square = 0;
	bool		same = true;
	Arena		arena;
	DrawnRows  *drawn;
	Rows		rows;
	const History *history;

	arena_init_malloc(&arena);
	drawn = draw_no_signal(&arena, n_users, n_rows);
	rows = (Rows) {.data = &drawn->data};
	history = build(&arena, &rows, length, counting);
	for (uint32_t u = 0; u < n_users; u++)
		same &= are_one_short(drawn, history, u, n_rows, n_newest, &square);
	CHECK(same);
	CHECK(fabs(square - freedoms) <= 4 * sqrt(2 * freedoms));
	arena_free_all(&arena);
}

/*
 * Labels at random: in the first epoch no row has been seen before, so that its loss is
 * that of a coin or more, unless histories tell.
 */
static void
check_no_signal(HistoryOf of, bool dislikes, bool attention)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	TrainResult *result;

	arena_init_malloc(&arena);
	toy_config(&config, architecture_find("fm"));
	config.history_length = 50;
	config.history_of = of;
	config.history_dislikes = dislikes;
	config.history_attention = attention;
	config.history_l2 = 0;
	config.wide = false;
	config.trees = 0;
	config.epochs = 1;
	config.evaluations = 4;
	config.learning_rate = 0.05;
	result = train_toy(&arena, &draw_no_signal(&arena, 6000, 4)->data, &config, &error);
	CHECK(result && result->n_evaluations == 5);
	for (int i = 1; result && i < result->n_evaluations; i++)
		CHECK(result->evaluations[i].train_loss > log(2) - 0.005);
	arena_free_all(&arena);
}

/* A model scores with the histories of its training, and nothing in its rows says that. */
static void
check_trained(void)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	Dataset    *data;
	TrainResult *result;
	History		kept;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, N_ROWS);
	toy_config(&config, architecture_find("mmoe"));
	config.history_length = 5;
	config.history_dislikes = true;
	result = train_toy(&arena, data, &config, &error);
	CHECK(result && result->model->reads_history && result->model->histories);
	CHECK(result && result->model->dislikes && !result->model->sides);
	if (result)
	{
		kept = entity_table_history(result->model->histories, 5);
		CHECK(kept.n == TOY_USERS && kept.start[1] - kept.start[0] == 6);
	}
	config.history_length = 0;
	result = train_toy(&arena, data, &config, &error);
	CHECK(result && !result->model->reads_history && !result->model->histories);
	arena_free_all(&arena);
}

/* Are all numbers of a tensor 0? */
static bool
is_zero(const Model *model, const char *name)
{
	const Tensor *tensor = model_find(model, name);
	const real *values = model_named(model, name);

	for (size_t i = 0; i < tensor->size; i++)
		if (values[i] != 0)
			return false;
	return true;
}

/*
 * Rows of one item, which is in none of its own histories: batches touch no member, whose
 * vectors stay as they start.
 */
static void
check_no_members(void)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	Dataset    *data;
	TrainResult *result;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, N_ROWS);
	for (size_t row = 0; row < N_ROWS; row++)
		((uint32_t *) data->ids)[row * TOY_FIELDS + data->shape.item_field] = FIRST_ID;
	toy_config(&config, architecture_find("hemp"));
	config.history_length = 5;
	config.mask_search = SEARCH_FULL;
	result = train_toy(&arena, data, &config, &error);
	CHECK(result && result->model->reads_history && result->n_mask_updates > 0);
	CHECK(result && is_zero(result->model, "taste.members"));
	CHECK(result && !is_zero(result->model, "taste.users"));
	arena_free_all(&arena);
}

/* Vectors of members have room for a batch's members, and for no field's values. */
static void
check_room(void)
{
	static const DomainPairs no_pairs[TOY_FIELDS];
	const uint32_t rows[] = {0, 1, 2, 3};
	Arena		arena;
	EngineError error = {0};
	Config		config;
	Dataset    *data;
	Model	   *model;
	Network		network;
	Batch		batch;
	BatchHistory *history = &batch.history[HISTORY_TAKEN];
	double		loss;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, N_ROWS);
	toy_config(&config, architecture_find("mmoe"));
	config.history_length = 5;
	model = model_create(&arena, &config, &data->shape, no_pairs, &error);
	CHECK(model && model_init_weights(model, NULL, &error));
	CHECK(network_init(&network, model, 4, NULL, NULL, &arena, &error));
	CHECK(batch_init(&batch, &arena, 4, TOY_FIELDS, &error));
	batch_init_history(&batch, HISTORY_TAKEN, &arena, 5);
	batch_fill(&batch, &data->shape, data->ids, data->labels, data->list_start,
			   data->list_members, rows, NULL, 4);
	for (uint32_t b = 0; b < 4; b++)
		for (history->n[b] = 0; history->n[b] < b; history->n[b]++)
			history->members[5 * b + history->n[b]] = FIRST_ID + 5 * b + history->n[b];
	network_base_forward(&network, &batch, &(PassMode) {0});
	network_upper_forward(&network, &batch, &network.base, &(PassMode) {0});
	CHECK(network_backward(&network, &batch, &loss, &error));
	for (int i = 0; i < model->n_rows; i++)
		if (model->rows[i].of_history)
			CHECK(network.pass.rows[i].n_slots == 6 && network.pass.rows[i].capacity == 6);
	arena_free_all(&arena);
}

int
main(void)
{
	for (int i = 0; i < 6; i++)
		check_members(i % 2 == 0, i / 2);
	check_order();
	for (int i = 0; i < 4; i++)
		check_no_trace(i % 2 == 0, i < 2 ? MOST : 3);
	for (int i = 0; i < 2; i++)
	{
		HistoryRows counting = i == 0 ? HISTORY_POSITIVES : HISTORY_NEGATIVES;

		check_label_unknown(MOST_SAME, 50, counting);
		check_label_unknown(MOST_SAME, 6, counting);
		check_label_unknown(4, 1, counting);
		check_label_unknown(2, 50, counting);
	}
	for (int options = 0; options < 4; options++)
		check_no_signal(HISTORY_OF_POSITIVES, options & 1, options & 2);
	check_no_signal(HISTORY_OF_ALL, false, false);
	check_no_signal(HISTORY_OF_ALL, true, false);
	check_trained();
	check_no_members();
	check_room();
	return unit_summary();
}
