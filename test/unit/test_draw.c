/*
 * test_draw.c
 *	  Draws for minor domains: by weight, never what a domain rejects, as many
 *	  as planned, for thousands of domains.
 */
#include <math.h>
#include <string.h>

#include "engine/networks/config_options.h"
#include "engine/sampling/augment_draw.h"
#include "unit.h"

/* A pool of rows, and who rejects which. */
typedef struct Pool
{
	Arena	   *arena;
	uint32_t	n_rows;
	uint32_t   *users;			/* [n_rows] */
	uint32_t   *items;			/* [n_rows] */
	AugmentPlan plan;
	Rejections	rejections;
	uint8_t    *rejects;		/* [n_domains, n_rows] what they should say */
} Pool;

/* Users differ; p(i) is 1 .. n_items; each domain is to get k rows. */
static void
pool_init(Pool *pool, Arena *arena, uint32_t n_rows, uint32_t n_items, uint32_t n_domains,
		  uint64_t k)
{
	EngineError error;

	*pool = (Pool) {.arena = arena,.n_rows = n_rows};
	pool->users = ARENA_ARRAY(arena, uint32_t, n_rows);
	pool->items = ARENA_ARRAY(arena, uint32_t, n_rows);
	pool->rejects = ARENA_ARRAY(arena, uint8_t, (size_t) n_domains * n_rows);
	pool->plan.popularity = ARENA_ARRAY(arena, double, n_items);
	pool->plan.rows_to_add = ARENA_ARRAY(arena, uint64_t, n_domains);
	pool->plan.counts.n_domains = n_domains;
	for (uint32_t i = 0; i < n_items; i++)
		pool->plan.popularity[i] = i + 1;
	for (uint32_t d = 0; d < n_domains; d++)
		pool->plan.rows_to_add[d] = k;
	for (uint32_t row = 0; row < n_rows; row++)
	{
		pool->users[row] = row / 3;
		pool->items[row] = row % n_items;
	}
	CHECK(rejections_init(&pool->rejections, arena, &error));
}

/* Every row is a pair of its own. */
static void
reject(Pool *pool, uint32_t domain, uint32_t row)
{
	EngineError error;

	if (!rejections_add(&pool->rejections, pool->users[row], pool->items[row], domain, &error))
		CHECK(false);
	pool->rejects[(size_t) domain * pool->n_rows + row] = 1;
}

/* Draw -> drawn [n_domains, n_rows] how often; stretch: what the lines are taken to be too long by. */
static void
run(const Pool *pool, uint64_t seed, double stretch, uint32_t *drawn)
{
	struct ArenaBlock *mark = arena_mark(pool->arena);
	Config		config;
	Draw		draw;
	EngineError error;
	uint32_t	domain;

	config_defaults(&config);
	config.seed = seed;
	memset(drawn, 0, (size_t) pool->plan.counts.n_domains * pool->n_rows * sizeof(uint32_t));
	CHECK(draw_init(&draw, pool->arena, &config, &pool->plan, &pool->rejections, &error));
	for (uint32_t row = 0; row < pool->n_rows; row++)
		draw_row(&draw, pool->users[row], pool->items[row]);
	draw_begin(&draw);
	for (uint32_t d = 0; d < draw.n; d++)
		draw.domains[d].total *= stretch;
	for (uint32_t row = 0; row < pool->n_rows; row++)
	{
		draw_row(&draw, pool->users[row], pool->items[row]);
		while (draw_take(&draw, &domain))
			drawn[(size_t) domain * pool->n_rows + row]++;
	}
	arena_reset_to(pool->arena, mark);
}

/* Counts as planned, unless all is rejected; nothing that is. */
static void
check_drawn(const Pool *pool, const uint32_t *drawn)
{
	int			wrong_counts = 0;
	int			rejected = 0;

	for (uint32_t d = 0; d < pool->plan.counts.n_domains; d++)
	{
		const uint32_t *own = drawn + (size_t) d * pool->n_rows;
		const uint8_t *rejects = pool->rejects + (size_t) d * pool->n_rows;
		uint64_t	n = 0;
		uint32_t	n_rejected = 0;

		for (uint32_t row = 0; row < pool->n_rows; row++)
		{
			n += own[row];
			n_rejected += rejects[row];
			rejected += rejects[row] && own[row] > 0;
		}
		wrong_counts += n != (n_rejected == pool->n_rows ? 0 : pool->plan.rows_to_add[d]);
	}
	CHECK(wrong_counts == 0);
	CHECK(rejected == 0);
}

/*
 * Chi-square of a domain's frequencies against 1 / p over the rows that it
 * does not reject, in standard deviations from what it is on average.
 */
static double
deviation(const Pool *pool, const uint32_t *drawn, uint32_t domain)
{
	const uint32_t *own = drawn + (size_t) domain * pool->n_rows;
	const uint8_t *rejects = pool->rejects + (size_t) domain * pool->n_rows;
	double		total = 0;
	double		n = 0;
	double		chi_square = 0;
	int			freedom = -1;

	for (uint32_t row = 0; row < pool->n_rows; row++)
	{
		n += own[row];
		if (!rejects[row])
			total += 1 / pool->plan.popularity[pool->items[row]];
	}
	for (uint32_t row = 0; row < pool->n_rows; row++)
	{
		double		expected = n / pool->plan.popularity[pool->items[row]] / total;

		if (rejects[row])
			continue;
		chi_square += (own[row] - expected) * (own[row] - expected) / expected;
		freedom++;
	}
	return (chi_square - freedom) / sqrt(2.0 * freedom);
}

/*
 * A chi-square of 29 or more degrees of freedom is within 6 standard
 * deviations but for one in millions; a weight that is 5 % off in a tenth of
 * the rows is 20 away at 400,000 draws.
 */
static void
test_distribution(Arena *arena)
{
	enum
	{
		ROWS = 60, DOMAINS = 3
	};
	Pool		pool;
	uint32_t   *drawn = ARENA_ARRAY(arena, uint32_t, DOMAINS * ROWS);
	uint32_t   *sums = ARENA_ARRAY(arena, uint32_t, DOMAINS * ROWS);

	pool_init(&pool, arena, ROWS, 7, DOMAINS, 400000);
	for (uint32_t row = 0; row < ROWS; row++)
	{
		if (row % 2 == 0)
			reject(&pool, 1, row);
		if (row > ROWS / 2)
			reject(&pool, 2, row);
	}
	run(&pool, 1, 1, drawn);
	check_drawn(&pool, drawn);
	for (uint32_t d = 0; d < DOMAINS; d++)
		CHECK(fabs(deviation(&pool, drawn, d)) < 6);
	/* one draw at a time, and three: seeds stand for draws */
	for (int k = 1; k <= 3; k += 2)
	{
		memset(sums, 0, DOMAINS * ROWS * sizeof(uint32_t));
		for (uint32_t d = 0; d < DOMAINS; d++)
			pool.plan.rows_to_add[d] = k;
		for (int seed = 0; seed < 40000; seed++)
		{
			run(&pool, seed, 1, drawn);
			for (int i = 0; i < DOMAINS * ROWS; i++)
				sums[i] += drawn[i];
		}
		for (uint32_t d = 0; d < DOMAINS; d++)
			CHECK(fabs(deviation(&pool, sums, d)) < 6);
	}
	rejections_free(&pool.rejections);
}

/* Everything, all but one row, the end, the beginning, one pair many times. */
static void
test_rejections(Arena *arena)
{
	enum
	{
		ROWS = 5000, DOMAINS = 20
	};
	Pool		pool;
	uint32_t   *drawn = ARENA_ARRAY(arena, uint32_t, DOMAINS * ROWS);
	uint32_t   *again = ARENA_ARRAY(arena, uint32_t, DOMAINS * ROWS);

	pool_init(&pool, arena, ROWS, 11, DOMAINS, 1000);
	for (uint32_t row = 0; row < ROWS; row++)
	{
		reject(&pool, 0, row);
		if (row != 1234)
			reject(&pool, 1, row);
		if (row != ROWS - 1)
			reject(&pool, 2, row);
		if (row > 0)
			reject(&pool, 3, row);
		if (row >= 2500)
			reject(&pool, 4, row);
		if (row < 2500)
			reject(&pool, 5, row);
	}
	/* a log that repeats itself: more than half of the rows, but not all of them */
	for (int i = 0; i < 2; i++)
		for (uint32_t row = 0; row < 2600; row++)
			for (uint32_t d = 6; d < DOMAINS; d++)
				reject(&pool, d, row);
	run(&pool, 3, 1, drawn);
	check_drawn(&pool, drawn);
	CHECK(drawn[1 * ROWS + 1234] == 1000 && drawn[2 * ROWS + ROWS - 1] == 1000 &&
		  drawn[3 * ROWS] == 1000);
	/* the same seed the same rows, another one others; a domain minds its own only */
	run(&pool, 3, 1, again);
	CHECK(memcmp(drawn, again, DOMAINS * ROWS * sizeof(uint32_t)) == 0);
	pool.plan.rows_to_add[0] = pool.plan.rows_to_add[5] = 0;
	run(&pool, 3, 1, again);
	check_drawn(&pool, again);
	CHECK(memcmp(drawn + 6 * ROWS, again + 6 * ROWS, ROWS * sizeof(uint32_t)) == 0);
	run(&pool, 4, 1, again);
	CHECK(memcmp(drawn + 6 * ROWS, again + 6 * ROWS, ROWS * sizeof(uint32_t)) != 0);
	/* points beyond a line's end, far more than rounding leaves there */
	run(&pool, 3, 1.5, again);
	check_drawn(&pool, again);
	CHECK(again[4 * ROWS + 2499] > 200);
	rejections_free(&pool.rejections);
}

/* Points where a rejected row begins: sums in another order are off by a last digit there. */
static void
test_rounding(Arena *arena)
{
	enum
	{
		ROWS = 400
	};
	struct ArenaBlock *mark;
	Pool		pool;
	Config		config;
	int			rejected = 0;
	int			taken = 0;

	config_defaults(&config);
	pool_init(&pool, arena, ROWS, 7, 1, 1);
	for (uint32_t row = 1; row < ROWS; row += 1 + row % 2)
		reject(&pool, 0, row);
	mark = arena_mark(arena);
	for (uint32_t end = 0; end < ROWS; end++)
	{
		double		point = 0;
		Draw		draw;
		EngineError error;
		uint32_t	domain;

		CHECK(draw_init(&draw, arena, &config, &pool.plan, &pool.rejections, &error));
		for (uint32_t row = 0; row < ROWS; row++)
		{
			draw_row(&draw, pool.users[row], pool.items[row]);
			if (row == end)
				point = draw.cumulative - draw.domains[0].rejected;
		}
		draw_begin(&draw);
		draw.domains[0].point = draw.domains[0].key = point;
		for (uint32_t row = 0; row < ROWS; row++)
		{
			draw_row(&draw, pool.users[row], pool.items[row]);
			while (draw_take(&draw, &domain))
			{
				taken++;
				rejected += pool.rejects[row];
			}
		}
		arena_reset_to(arena, mark);
	}
	CHECK(taken == ROWS);
	CHECK(rejected == 0);
	rejections_free(&pool.rejections);
}

/* An empty pool, and nobody who draws. */
static void
test_nothing(Arena *arena)
{
	Pool		pool;
	uint32_t	drawn[4];

	pool_init(&pool, arena, 0, 1, 2, 10);
	run(&pool, 1, 1, drawn);
	rejections_free(&pool.rejections);
	pool_init(&pool, arena, 2, 1, 2, 0);
	run(&pool, 1, 1, drawn);
	check_drawn(&pool, drawn);
	rejections_free(&pool.rejections);
}

/* Many domains, random rejections; in time that grows with rows and draws, not rows times domains. */
static void
test_many_domains(Arena *arena)
{
	enum
	{
		ROWS = 20000, DOMAINS = 2000
	};
	Pool		pool;
	uint32_t   *drawn = ARENA_ARRAY(arena, uint32_t, (size_t) DOMAINS * ROWS);
	Random		random;

	pool_init(&pool, arena, ROWS, 97, DOMAINS, 30);
	random_start(&random, 5, RANDOM_SIMULATE, 0);
	for (int i = 0; i < 200000; i++)
	{
		uint32_t	domain = random_below(&random, DOMAINS);

		reject(&pool, domain, random_below(&random, ROWS));
	}
	run(&pool, 1, 1, drawn);
	check_drawn(&pool, drawn);
	rejections_free(&pool.rejections);
}

int
main(void)
{
	Arena		arena;

	arena_init_malloc(&arena);
	test_distribution(&arena);
	test_rejections(&arena);
	test_rounding(&arena);
	test_nothing(&arena);
	test_many_domains(&arena);
	arena_free_all(&arena);
	return unit_summary();
}
