/*
 * test_history.c
 *	  Users' histories: which rows are in whose, counted by plain loops over all rows, and
 *	  that nothing of a row's own label, nor of later ones, is found in them.
 */
#include <string.h>

#include "pick.h"
#include "toy.h"
#include "unit.h"

#include "engine/entities/entity_table.h"
#include "engine/networks/architectures.h"

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
build(Arena *arena, const Rows *rows, uint32_t length, bool positives)
{
	EngineHost	host = toy_host();
	EngineError error = {0};

	return history_build(arena, rows->data, length, positives, &host, &error);
}

/* Histories of all rows as batches have them: members of row r from MOST * r on. */
static void
fill(Arena *arena, const Rows *rows, const History *history, uint32_t *members, uint32_t *n)
{
	const Dataset *data = rows->data;
	EngineError error = {0};
	Batch		batch;

	CHECK(batch_init(&batch, arena, 64, TOY_FIELDS, &error));
	batch_init_history(&batch, arena, history->length);
	for (size_t first = 0; first < N_ROWS; first += 50)
	{
		uint32_t	numbers[50];
		bool		training = first < data->split_start[SPLIT_VALID];

		for (uint32_t i = 0; i < 50; i++)
			numbers[i] = first + i;
		batch_fill(&batch, &data->shape, data->ids, data->labels, data->list_start,
				   data->list_members, numbers, NULL, 50);
		batch_fill_history(&batch, &data->shape, history, training);
		for (int b = 0; b < 50; b++)
		{
			const uint32_t *of_row;

			n[batch.rows[b]] = batch_history(&batch, b, &of_row);
			memcpy(members + batch.rows[b] * MOST, of_row, n[batch.rows[b]] * sizeof(uint32_t));
		}
	}
}

/* May training row "other" be in the history of a row? */
static bool
counts(const Rows *rows, size_t row, size_t other, bool positives)
{
	const Dataset *data = rows->data;
	const uint32_t *ids = data->ids + row * TOY_FIELDS;
	const uint32_t *its = data->ids + other * TOY_FIELDS;

	return other >= SAMPLED && (data->labels[other] || !positives) && its[1] >= FIRST_ID &&
		its[2] >= FIRST_ID && its[1] == ids[1] && its[2] != ids[2] &&
		(!data->times || row >= data->split_start[SPLIT_VALID] ||
		 data->times[other] < data->times[row]);
}

/* How often an item is among members, and among the rows that count. */
static bool
same_items(const Rows *rows, size_t row, bool positives, const uint32_t *members, uint32_t n)
{
	for (uint32_t item = FIRST_ID; item < FIRST_ID + TOY_ITEMS; item++)
	{
		int			difference = 0;

		for (uint32_t i = 0; i < n; i++)
			difference += members[i] == item;
		for (size_t other = 0; other < rows->data->split_start[SPLIT_VALID]; other++)
			if (rows->data->ids[other * TOY_FIELDS + 2] == item)
				difference -= counts(rows, row, other, positives);
		if (difference != 0)
			return false;
	}
	return true;
}

/* Members are the newest ones: no row that counts and is left out is newer than one that is in. */
static void
check_members(bool ordered, bool positives)
{
	Arena		arena;
	Rows		rows;
	static uint32_t all[N_ROWS * MOST];
	static uint32_t few[N_ROWS * MOST];
	uint32_t	n_all[N_ROWS];
	uint32_t	n_few[N_ROWS];
	bool		same = true;
	bool		newest = true;
	size_t		members = 0;

	arena_init_malloc(&arena);
	rows = draw(&arena, ordered);
	fill(&arena, &rows, build(&arena, &rows, MOST, positives), all, n_all);
	fill(&arena, &rows, build(&arena, &rows, 4, positives), few, n_few);
	for (size_t row = 0; row < N_ROWS; row++)
	{
		uint32_t	n = n_all[row] < 4 ? n_all[row] : 4;

		same &= same_items(&rows, row, positives, all + row * MOST, n_all[row]);
		newest &= n_few[row] == n &&
			memcmp(few + row * MOST, all + row * MOST + n_all[row] - n, n * sizeof(uint32_t)) == 0;
		members += n_all[row];
	}
	CHECK(same);
	CHECK(newest);
	CHECK(members > 5 * N_ROWS);
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
	CHECK(history_members(build(&arena, &rows, 8, true), FIRST_ID, FIRST_ID + 4, NULL, members) == 5);
	CHECK(memcmp(members, expected, sizeof(expected)) == 0);
	arena_free_all(&arena);
}

/* Is a row's history the same with these labels? */
static bool
same_history(Arena *arena, const Rows *rows, size_t row, const uint32_t *members, uint32_t n)
{
	struct ArenaBlock *mark = arena_mark(arena);
	const History *history = build(arena, rows, MOST, true);
	const uint32_t *ids = rows->data->ids + row * TOY_FIELDS;
	uint32_t	now[MOST];
	bool		training = row < rows->data->split_start[SPLIT_VALID];
	bool		same = history_members(history, ids[1], ids[2],
									   training && history->times ? &history->times[row] : NULL,
									   now) == n && memcmp(now, members, n * sizeof(uint32_t)) == 0;

	arena_reset_to(arena, mark);
	return same;
}

/*
 * A label that is turned round, in the row itself and, where rows have an order, in all rows
 * that are not earlier, is found in no history of it.
 */
static void
check_no_trace(bool ordered)
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
	fill(&arena, &rows, build(&arena, &rows, MOST, true), members, n);
	for (size_t row = 0; row < N_ROWS; row++)
	{
		for (size_t other = 0; other < N_ROWS; other++)
			if (other == row || other >= n_train ||
				(ordered && row < n_train && rows.times[other] >= rows.times[row]))
				rows.labels[other] = !labels[other];
		traced |= !same_history(&arena, &rows, row, members + row * MOST, n[row]);
		memcpy(rows.labels, labels, N_ROWS);
	}
	CHECK(!traced);
	/* the check can fail: labels of other rows, of earlier ones, are seen */
	for (size_t row = 0; row < n_train; row++)
		rows.labels[row] = !labels[row];
	for (size_t row = 0; row < N_ROWS; row++)
		traced |= !same_history(&arena, &rows, row, members + row * MOST, n[row]);
	CHECK(traced);
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
	result = train_toy(&arena, data, &config, &error);
	CHECK(result && result->model->reads_history && result->model->histories);
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

int
main(void)
{
	for (int i = 0; i < 4; i++)
		check_members(i % 2 == 0, i < 2);
	check_order();
	check_no_trace(false);
	check_no_trace(true);
	check_trained();
	return unit_summary();
}
