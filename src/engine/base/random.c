/*
 * random.c
 *	  Philox4x32-10.
 */
#include "engine/base/random.h"

#include <math.h>
#include <string.h>

#define ROUNDS 10
#define MULTIPLIER0 0xD2511F53u
#define MULTIPLIER1 0xCD9E8D57u
#define WEYL0 0x9E3779B9u
#define WEYL1 0xBB67AE85u
#define TWO_PI 6.283185307179586

/* A block; its counter's lowest word counts on by "block". */
static inline __attribute__((always_inline)) void
make_block(const uint32_t key[2], const uint32_t counter[4], uint32_t block, uint32_t word[4])
{
	uint32_t	k0 = key[0];
	uint32_t	k1 = key[1];
	uint32_t	c0 = counter[0] + block;
	uint32_t	c1 = counter[1];
	uint32_t	c2 = counter[2];
	uint32_t	c3 = counter[3];

#pragma GCC unroll 10
	for (int round = 0; round < ROUNDS; round++)
	{
		uint64_t	p0 = (uint64_t) MULTIPLIER0 * c0;
		uint64_t	p1 = (uint64_t) MULTIPLIER1 * c2;

		c0 = (uint32_t) (p1 >> 32) ^ c1 ^ k0;
		c1 = (uint32_t) p1;
		c2 = (uint32_t) (p0 >> 32) ^ c3 ^ k1;
		c3 = (uint32_t) p0;
		k0 += WEYL0;
		k1 += WEYL1;
	}
	word[0] = c0;
	word[1] = c1;
	word[2] = c2;
	word[3] = c3;
}

void
philox(const uint32_t key[2], const uint32_t counter[4], uint32_t word[4])
{
	make_block(key, counter, 0, word);
}

/*
 * The seed is the key.  Use and number stand in the counter, so that streams
 * of one seed never meet: the lowest word and the upper 24 bits of the next
 * count blocks.
 */
void
random_start(Random *random, uint64_t seed, RandomUse use, uint64_t number)
{
	random->key[0] = (uint32_t) seed;
	random->key[1] = (uint32_t) (seed >> 32);
	random->counter[0] = 0;
	random->counter[1] = (uint32_t) use;
	random->counter[2] = (uint32_t) number;
	random->counter[3] = (uint32_t) (number >> 32);
	random->unused = 0;
}

uint32_t
random_word(Random *random)
{
	if (random->unused == 0)
	{
		philox(random->key, random->counter, random->word);
		if (++random->counter[0] == 0)
			random->counter[1] += 1u << 8;
		random->unused = 4;
	}
	return random->word[--random->unused];
}

double
random_uniform(Random *random)
{
	uint64_t	high = random_word(random) >> 5;
	uint64_t	low = random_word(random) >> 6;

	return (high * 67108864.0 + low) / 9007199254740992.0;
}

double
random_normal(Random *random)
{
	double		u = 1 - random_uniform(random); /* above 0 */
	double		v = random_uniform(random);

	return sqrt(-2 * log(u)) * cos(TWO_PI * v);
}

uint64_t
random_below(Random *random, uint64_t limit)
{
	uint64_t	reject = (0 - limit) % limit;	/* 2^64 mod limit */
	uint64_t	value;

	do
	{
		value = (uint64_t) random_word(random) << 32;
		value |= random_word(random);
	} while (value < reject);
	return value % limit;
}

/* Blocks made side by side, in vectors. */
#define LANES 16

/*
 * LANES blocks, of counters that count up in their lowest word (and have room
 * there).  All rounds of a block lie within the loop over blocks, so that its
 * words stay in registers from round to round.
 */
static HOT void
philox_lanes(const uint32_t key[2], const uint32_t counter[4], uint32_t words[restrict 4][LANES])
{
	for (uint32_t i = 0; i < LANES; i++)
	{
		uint32_t	word[4];

		make_block(key, counter, i, word);
		for (int k = 0; k < 4; k++)
			words[k][i] = word[k];
	}
}

void
random_fill16(Random *random, uint16_t *out, size_t n)
{
	uint32_t	words[4][LANES];
	size_t		made;

	random->unused = 0;
	for (size_t at = 0; at < n; at += made)
	{
		made = n - at < sizeof(words) / 2 ? n - at : sizeof(words) / 2;
		philox_lanes(random->key, random->counter, words);
		memcpy(out + at, words, made * sizeof(uint16_t));
		random->counter[0] += LANES;
		if (random->counter[0] < LANES)
			random->counter[1] += 1u << 8;
	}
}

void
random_shuffle(Random *random, uint32_t *items, size_t n)
{
	for (size_t i = n; i > 1; i--)
	{
		size_t		k = random_below(random, i);
		uint32_t	swap = items[k];

		items[k] = items[i - 1];
		items[i - 1] = swap;
	}
}
