/*
 * block.c
 *	  Arrays of a stored form, to bytes and back.
 */
#include "engine/base/block.h"

#include <string.h>

/* Bytes of an array with those up to the next one's place. */
static size_t
padded(size_t size)
{
	return (size + BLOCK_ALIGNMENT - 1) / BLOCK_ALIGNMENT * BLOCK_ALIGNMENT;
}

void
block_put(BlockWriter *writer, const void *array, size_t count, size_t size)
{
	size_t		used = count * size;

	if (writer->bytes)
	{
		char	   *to = writer->bytes + writer->at;

		memset(to + used, 0, padded(used) - used);
		if (used > 0)
			memcpy(to, array, used);
	}
	writer->at += padded(used);
}

bool
block_open(BlockReader *reader, Arena *arena, const void *bytes, size_t n, size_t first,
		   const char *what, EngineError *error)
{
	*reader = (BlockReader) {.what = what,.bytes = bytes,.left = n};
	if (n % BLOCK_ALIGNMENT != 0 || n < first)
		return block_corrupt(reader, "no such form has that length", error);
	if ((uintptr_t) bytes % BLOCK_ALIGNMENT != 0)
	{
		char	   *copy = arena_alloc(arena, n);

		if (!arena_ok(arena, error))
			return false;
		reader->bytes = memcpy(copy, bytes, n);
	}
	return true;
}

const void *
block_take(BlockReader *reader, uint64_t count, size_t size)
{
	const char *array = reader->bytes;
	size_t		used;

	/* the block ends at a multiple of the alignment, and "left" is one */
	if (__builtin_mul_overflow(count, size, &used) || used > reader->left)
	{
		reader->too_short = true;
		return NULL;
	}
	reader->bytes += padded(used);
	reader->left -= padded(used);
	return array;
}

bool
block_corrupt(const BlockReader *reader, const char *why, EngineError *error)
{
	return engine_fail(error, ENGINE_CORRUPT, CORRUPT_HINT, "%s corrupt: %s", reader->what, why);
}
