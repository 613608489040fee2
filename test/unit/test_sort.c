/*
 * test_sort.c
 *	  Radix sort against qsort, places in sorted arrays against plain walks, and sums
 *	  that do not depend on order.
 */
#include <math.h>
#include <stdlib.h>

#include "engine/base/random.h"
#include "engine/base/search.h"
#include "engine/base/sort.h"
#include "engine/base/total.h"
#include "toy.h"
#include "unit.h"

#define MOST 70000

typedef struct Pair
{
	uint64_t	key;
	uint32_t	payload;		/* its place: tells equal keys apart */
} Pair;

static int
compare_pair(const void *a, const void *b)
{
	const Pair *x = a;
	const Pair *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->payload > y->payload) - (x->payload < y->payload);
}

static void
test_keys(void)
{
	double		ascending[] = {-INFINITY, -1e300, -1, -1e-320, 0, 1e-320, 0.5, 1, 1e300, INFINITY};

	for (int i = 0; i < 10; i++)
	{
		CHECK(sort_value(sort_key(ascending[i])) == ascending[i]);
		CHECK(i == 0 || sort_key(ascending[i - 1]) < sort_key(ascending[i]));
	}
	CHECK(sort_key(-0.0) == sort_key(0.0));
	CHECK(sort_key(NAN) > sort_key(INFINITY) || sort_key(NAN) < sort_key(-INFINITY));
}

/* n keys of so many distinct values (0: all doubles of a range), with and without payloads. */
static void
test_against_qsort(Arena *arena, size_t n, int distinct)
{
	uint64_t   *keys = ARENA_ARRAY(arena, uint64_t, n);
	uint64_t   *alone = ARENA_ARRAY(arena, uint64_t, n);
	uint32_t   *payloads = ARENA_ARRAY(arena, uint32_t, n);
	Pair	   *pairs = ARENA_ARRAY(arena, Pair, n);
	EngineHost	host = toy_host();
	EngineError error;
	SortRoom	room;
	Random		random;
	size_t		wrong = 0;

	random_start(&random, 5, RANDOM_SCORE, n);
	for (size_t i = 0; i < n; i++)
	{
		double		value = distinct > 0 ? (double) random_below(&random, distinct) - distinct / 2 :
			(random_uniform(&random) - 0.5) * exp2((double) random_below(&random, 100) - 50);

		payloads[i] = i;
		alone[i] = keys[i] = sort_key(value);
		pairs[i] = (Pair) {.key = keys[i],.payload = i};
	}
	qsort(pairs, n, sizeof(Pair), compare_pair);
	CHECK(sort_room(&room, arena, n, true, &error));
	CHECK(sort_keys(alone, NULL, n, &room, &host, &error));
	CHECK(sort_keys(keys, payloads, n, &room, &host, &error));
	for (size_t i = 0; i < n; i++)
		wrong += keys[i] != pairs[i].key || alone[i] != pairs[i].key ||
			payloads[i] != pairs[i].payload;
	CHECK(wrong == 0);
}

static bool
count_and_stop(void *context)
{
	return --*(int *) context == 0;
}

/* The host is asked between passes, and stops them. */
static void
test_interrupt(Arena *arena)
{
	int			asked = 3;
	EngineHost	host = {.interrupted = count_and_stop,.context = &asked};
	uint64_t   *keys = ARENA_ARRAY(arena, uint64_t, 1000);
	EngineError error;
	SortRoom	room;

	for (int i = 0; i < 1000; i++)
		keys[i] = sort_key(i * 0.37);
	CHECK(sort_room(&room, arena, 1000, false, &error));
	CHECK(!sort_keys(keys, NULL, 1000, &room, &host, &error));
	CHECK(error.code == ENGINE_INTERRUPTED && asked == 0);
}

static void
test_total(void)
{
	Total		forward = {0};
	Total		backward = {0};
	Total		parts[2] = {{0}, {0}};
	Random		random;
	static double values[MOST];

	random_start(&random, 9, RANDOM_SCORE, 0);
	for (int i = 0; i < MOST; i++)
		values[i] = random_uniform(&random) * exp2((double) random_below(&random, 40) - 20);
	for (int i = 0; i < MOST; i++)
	{
		total_add(&forward, values[i]);
		total_add(&backward, values[MOST - 1 - i]);
		total_add(&parts[i % 3 == 0], values[i]);
	}
	total_merge(&parts[0], &parts[1]);
	CHECK(total_value(&forward) > 0);
	CHECK(total_value(&forward) == total_value(&backward));
	CHECK(total_value(&forward) == total_value(&parts[0]));
	parts[1] = (Total) {0};
	CHECK(total_value(&parts[1]) == 0);
	/* what a double would forget, and a carry into the upper half */
	total_add(&parts[1], 0x1p40);
	for (int i = 0; i < 1000; i++)
		total_add(&parts[1], 0x1p-11);
	CHECK(total_value(&parts[1]) == 0x1p40 + 1000 * 0x1p-11);
}

/* Of every length and range, with numbers that are there, once or more often, and others. */
static void
test_places(void)
{
	uint32_t	sorted[40];
	double		numbers[40];
	int			wrong = 0;

	for (uint32_t i = 0; i < 40; i++)
	{
		sorted[i] = i < 38 ? i * i / 50 * 3 : UINT32_MAX;
		numbers[i] = sorted[i] / 2.0;
	}
	for (size_t low = 0; low <= 40; low++)
		for (size_t high = low; high <= 40; high++)
			for (uint32_t value = 0; value < 100; value++)
			{
				uint32_t	wanted = value < 99 ? value : UINT32_MAX;
				size_t		place = low;
				size_t		above = 0;

				while (place < high && sorted[place] < wanted)
					place++;
				wrong += sorted_place(sorted, low, high, wanted) != place;
				while (above < high && numbers[above] <= value / 2.0)
					above++;
				wrong += sorted_place_above(numbers, high, value / 2.0) != above;
			}
	CHECK(wrong == 0);
	CHECK(sorted_place_above(numbers, 40, INFINITY) == 40 && sorted_place_above(numbers, 40, NAN) == 0);
}

int
main(void)
{
	const size_t sizes[] = {0, 1, 2, 63, 64, 65, 1000, MOST};
	Arena		arena;

	arena_init_malloc(&arena);
	test_keys();
	for (int i = 0; i < 8; i++)
	{
		test_against_qsort(&arena, sizes[i], 0);
		test_against_qsort(&arena, sizes[i], 7);
		test_against_qsort(&arena, sizes[i], 1);
	}
	test_interrupt(&arena);
	test_places();
	test_total();
	arena_free_all(&arena);
	return unit_summary();
}
