/*
 * test_crosses.c
 *	  Crosses: which bucket a combination has, whatever machine asks; rows with the
 *	  item of another one.
 */
#include <string.h>

#include "engine/data/batch.h"
#include "engine/data/crosses.h"
#include "unit.h"

#define FIELDS 5
#define BUCKETS 1000

static const uint32_t table_rows[] = {100, 100, 100, FIRST_ID + BUCKETS, FIRST_ID + 1};
static const uint32_t field_table[] = {0, 1, 2, 3, 4};
static const bool is_list[FIELDS];
static const FieldCross crosses[] = {{3, 2, {0, 2}}, {4, 3, {0, 1, 2}}};
static const Shape shape = {
	.n_tables = FIELDS,.table_rows = table_rows,.n_fields = FIELDS,.field_table = field_table,
	.field_is_list = is_list,.user_field = -1,.item_field = 1,.n_crosses = 2,.crosses = crosses
};

/* The cross of fields 0 and 2. */
static uint32_t
id_of(uint32_t a, uint32_t b)
{
	uint32_t	ids[FIELDS] = {a, 50, b};

	crosses_fill(&shape, ids);
	CHECK(ids[4] == (a == NULL_ID || b == NULL_ID ? NULL_ID :
					 a == UNSEEN_ID || b == UNSEEN_ID ? UNSEEN_ID : FIRST_ID));
	return ids[3];
}

static void
check_ids(void)
{
	bool		taken[BUCKETS] = {false};
	int			n_taken = 0;

	/* stored models go by these */
	CHECK(id_of(3, 4) == FIRST_ID + 702);
	CHECK(id_of(4, 3) == FIRST_ID + 322);
	CHECK(id_of(RARE_ID, 99) == FIRST_ID + 480);
	CHECK(id_of(NULL_ID, 4) == NULL_ID);
	CHECK(id_of(UNSEEN_ID, NULL_ID) == NULL_ID);
	CHECK(id_of(UNSEEN_ID, 4) == UNSEEN_ID);
	CHECK(id_of(4, UNSEEN_ID) == UNSEEN_ID);
	for (uint32_t a = FIRST_ID; a < 53; a++)
		for (uint32_t b = FIRST_ID; b < 23; b++)
		{
			uint32_t	bucket = id_of(a, b) - FIRST_ID;

			CHECK(bucket < BUCKETS);
			n_taken += !taken[bucket % BUCKETS];
			taken[bucket % BUCKETS] = true;
		}
	/* as many as by chance: 632, with a deviation of 10 */
	CHECK(n_taken > 580 && n_taken < 690);
}

static void
check_items(void)
{
	static const bool with_item[FIELDS] = {false, true, true, false, true};
	uint32_t	rows[2][FIELDS] = {{10, 11, 12}, {20, 21, 22}};
	Dataset		data = {.shape = shape,.ids = rows[0]};
	uint32_t	ids[FIELDS];

	crosses_fill(&shape, rows[0]);
	crosses_fill(&shape, rows[1]);
	row_with_item(&data, 0, 1, with_item, ids);
	CHECK(ids[0] == 10 && ids[1] == 21 && ids[2] == 22);
	CHECK(ids[3] == id_of(10, 22));
	row_with_item(&data, 1, 1, with_item, ids);
	CHECK(memcmp(ids, rows[1], sizeof(ids)) == 0);
}

/* Rows that stand in for another domain have its crosses. */
static void
check_domains(void)
{
	static const uint32_t numbers[] = {0, 1};
	static const int64_t domains[] = {17, -1};
	uint32_t	rows[2][FIELDS] = {{10, 11, 12}, {13, 21, 22}};
	Arena		arena;
	EngineError error;
	Batch		batch;

	arena_init_malloc(&arena);
	crosses_fill(&shape, rows[0]);
	crosses_fill(&shape, rows[1]);
	CHECK(batch_init(&batch, &arena, 2, FIELDS, &error));
	batch_fill(&batch, &shape, rows[0], NULL, NULL, NULL, numbers, domains, 2);
	/* ordered by domain: the other one comes first */
	CHECK(memcmp(batch.ids, rows[1], sizeof(rows[1])) == 0);
	CHECK(batch.ids[FIELDS] == FIRST_ID + 17 && batch.ids[FIELDS + 2] == 12);
	CHECK(batch.ids[FIELDS + 3] == id_of(FIRST_ID + 17, 12) && batch.ids[FIELDS + 3] != rows[0][3]);
	arena_free_all(&arena);
}

int
main(void)
{
	check_domains();
	check_ids();
	check_items();
	return unit_summary();
}
