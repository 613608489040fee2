/*
 * random.h
 *	  Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel
 *	  random numbers: as easy as 1, 2, 3", SC 2011).
 *
 * A generator is a key (seed, stream) and a counter; the same three give the
 * same numbers on every machine and for every number of threads.  Each use
 * (initial weights, shuffling, dropout, mask candidates, ...) has a stream of
 * its own, so that a change in one does not shift the others.
 */
#ifndef AREAD_ENGINE_BASE_RANDOM_H
#define AREAD_ENGINE_BASE_RANDOM_H

#include "engine/base/base.h"

typedef struct Random
{
	uint32_t	key[2];
	uint32_t	counter[4];
	uint32_t	word[4];		/* numbers made and not yet handed out */
	int			unused;			/* how many of them */
} Random;

/* What a stream is for; the low bits of the stream are free for a number. */
typedef enum RandomUse
{
	RANDOM_WEIGHTS = 1,
	RANDOM_SHUFFLE,
	RANDOM_DROPOUT,
	RANDOM_MASKS,
	RANDOM_AUGMENT,
	RANDOM_SPLIT,
	RANDOM_SIMULATE,
	RANDOM_SCORE,
	RANDOM_NEGATIVES,
	RANDOM_CANDIDATES,
	RANDOM_FOREST,
	RANDOM_FOLDS,
	RANDOM_LISTS,
	RANDOM_HARD
} RandomUse;

/* One block of the generator: word = Philox4x32-10(key, counter). */
extern void philox(const uint32_t key[2], const uint32_t counter[4], uint32_t word[4]);
/* Start the generator of (seed, use, number) at counter 0. */
extern void random_start(Random *random, uint64_t seed, RandomUse use, uint64_t number);
extern uint32_t random_word(Random *random);
/* Uniform over [0, 1), 53 bits. */
extern double random_uniform(Random *random);
/* Standard normal (Box-Muller). */
extern double random_normal(Random *random);
/* Uniform over 0 .. limit-1, without modulo bias; limit > 0. */
extern uint64_t random_below(Random *random, uint64_t limit);
/*
 * n 16-bit numbers at once, dropout's cheap coins: of whole blocks of the
 * generator, what is left of the last one is dropped.
 */
extern void random_fill16(Random *random, uint16_t *out, size_t n);
/* Shuffle items[0..n-1] (Fisher-Yates). */
extern void random_shuffle(Random *random, uint32_t *items, size_t n);

#endif							/* AREAD_ENGINE_BASE_RANDOM_H */
