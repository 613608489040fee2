/*
 * block.h
 *	  Stored forms in one block of bytes without pointers: arrays behind each other, each at
 *	  a multiple of BLOCK_ALIGNMENT bytes, so that they can be used in place.
 *
 * Writing: one walk over all arrays, which counts bytes or writes them.  Reading: from front
 * to back; nothing is looked at that lies beyond the end.  What arrays hold is the caller's
 * to check.
 */
#ifndef AREAD_ENGINE_BASE_BLOCK_H
#define AREAD_ENGINE_BASE_BLOCK_H

#include "engine/base/base.h"

#define BLOCK_ALIGNMENT 8

typedef struct BlockWriter
{
	char	   *bytes;			/* NULL: bytes are only counted */
	size_t		at;				/* the next array's place; in the end the block's size */
} BlockWriter;

typedef struct BlockReader
{
	const char *what;			/* "stored trees are": how a message begins */
	const char *bytes;			/* what is not read yet, "left" of them */
	size_t		left;
	bool		too_short;		/* it ended before an array that was asked for */
} BlockReader;

/* Write an array and zeros up to the next one's place. */
extern void block_put(BlockWriter *writer, const void *array, size_t count, size_t size);

/*
 * Begin to read a block of n bytes, of which the first array has "first".  If the block is
 * aligned, arrays stay in it; else they are a copy's, in the arena.  Errors: ENGINE_CORRUPT,
 * lack of memory.
 */
extern bool block_open(BlockReader *reader, Arena *arena, const void *bytes, size_t n,
					   size_t first, const char *what, EngineError *error);
/* The next array; NULL, and reader->too_short, if it would go beyond the end. */
extern const void *block_take(BlockReader *reader, uint64_t count, size_t size);
/* Says what is wrong: "... corrupt: why".  Returns false. */
extern bool block_corrupt(const BlockReader *reader, const char *why, EngineError *error);

#endif							/* AREAD_ENGINE_BASE_BLOCK_H */
