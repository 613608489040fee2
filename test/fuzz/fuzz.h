/*
 * fuzz.h
 *	  What the targets share: the fuzzer's bytes read from front to back, and
 *	  files to start from.
 */
#ifndef AREAD_FUZZ_H
#define AREAD_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Called by libFuzzer for each input. */
extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A target's inputs to start from: calls fuzz_seed() for each. */
extern void fuzz_seeds(void);
/* Write one of them into this directory. */
extern const char *fuzz_directory;
extern void fuzz_seed(const char *name, const void *bytes, size_t size);

/* What must never be: say it, and end as a crash does. */
#define FUZZ_ASSERT(condition) \
	((condition) ? (void) 0 : fuzz_wrong(__FILE__, __LINE__, #condition))
extern void fuzz_wrong(const char *file, int line, const char *what) __attribute__((noreturn));

/* The fuzzer's bytes; beyond their end there are zeros. */
typedef struct FuzzInput
{
	const uint8_t *at;
	size_t		left;
} FuzzInput;

extern uint32_t fuzz_number(FuzzInput *input, int n_bytes);

/* A block of stored bytes that is to be damaged. */
typedef struct FuzzBlock
{
	uint8_t    *bytes;
	size_t		size;
} FuzzBlock;

/*
 * Damage, as the rest of the input says: a change is the number of a block (one
 * byte), a place (two), a length (one) and the bytes that are to be there;
 * instead of a length there may be FUZZ_TELLING or more, which put a number
 * there that code tends to be wrong about, or FUZZ_FILL, a number (two) of words
 * and the word (four) that each of them is to be.  Returns whether anything is
 * another byte than before.
 */
#define FUZZ_TELLING 160
#define FUZZ_FILL 255
extern bool fuzz_damage(FuzzInput *input, const FuzzBlock *blocks, int n);
/* The input that makes one such change. */
extern size_t fuzz_change(uint8_t *input, int block, uint32_t place, const void *bytes,
						  uint8_t length);

#endif							/* AREAD_FUZZ_H */
