/*
 * test_random.c
 *	  The generator: known answers, ranges, moments, streams.
 */
#include <math.h>
#include <string.h>

#include "engine/base/random.h"
#include "unit.h"

/* The vectors that the generator's authors publish for Philox4x32-10. */
static void
test_known_answers(void)
{
	static const uint32_t cases[3][10] = {
		{0, 0, 0, 0, 0, 0,
		0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
		{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff,
		0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
		{0xa4093822, 0x299f31d0, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344,
		0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}
	};

	for (int c = 0; c < 3; c++)
	{
		uint32_t	word[4];

		philox(cases[c], cases[c] + 2, word);
		CHECK(memcmp(word, cases[c] + 6, sizeof(word)) == 0);
	}
}

static void
test_moments(void)
{
	enum
	{
		N = 100000
	};
	double		sum = 0;
	double		normal_sum = 0;
	double		normal_square = 0;
	uint64_t	counts[7] = {0};
	bool		in_range = true;
	Random		random;

	random_start(&random, 1, RANDOM_SCORE, 0);
	for (int i = 0; i < N; i++)
	{
		double		u = random_uniform(&random);
		double		z = random_normal(&random);

		in_range = in_range && u >= 0 && u < 1;
		sum += u;
		normal_sum += z;
		normal_square += z * z;
		counts[random_below(&random, 7)]++;
	}
	CHECK(in_range);
	CHECK(fabs(sum / N - 0.5) < 0.005);
	CHECK(fabs(normal_sum / N) < 0.015);
	CHECK(fabs(normal_square / N - 1) < 0.02);
	for (int k = 0; k < 7; k++)
		CHECK(fabs((double) counts[k] / N - 1.0 / 7) < 0.006);
}

static void
test_streams(void)
{
	Random		a;
	Random		b;

	random_start(&a, 5, RANDOM_WEIGHTS, 3);
	random_start(&b, 5, RANDOM_WEIGHTS, 3);
	CHECK(random_word(&a) == random_word(&b));
	random_start(&b, 5, RANDOM_WEIGHTS, 4);
	CHECK(random_word(&a) != random_word(&b));
	random_start(&a, 5, RANDOM_DROPOUT, 3);
	random_start(&b, 6, RANDOM_DROPOUT, 3);
	CHECK(random_word(&a) != random_word(&b));
}

static void
test_shuffle(void)
{
	enum
	{
		N = 1000
	};
	uint32_t	items[N];
	bool		seen[N] = {false};
	int			fixed = 0;
	Random		random;

	for (int i = 0; i < N; i++)
		items[i] = i;
	random_start(&random, 9, RANDOM_SHUFFLE, 0);
	random_shuffle(&random, items, N);
	for (int i = 0; i < N; i++)
	{
		seen[items[i]] = true;
		fixed += items[i] == (uint32_t) i;
	}
	for (int i = 0; i < N; i++)
		if (!seen[i])
			CHECK(!"an item is lost");
	CHECK(fixed < 10);
}

int
main(void)
{
	test_known_answers();
	test_moments();
	test_streams();
	test_shuffle();
	return unit_summary();
}
