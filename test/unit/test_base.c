/*
 * test_base.c
 *	  The arena: alignment, zeroing, marks, failure; errors; interrupts; arrays in a
 *	  stored block.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/block.h"
#include "unit.h"

static void
test_blocks(void)
{
	Arena		arena;
	unsigned char *block;
	struct ArenaBlock *mark;
	bool		zero = true;
	size_t		held;

	arena_init_malloc(&arena);
	block = arena_alloc(&arena, 1000);
	CHECK((uintptr_t) block % 64 == 0);
	for (int i = 0; i < 1000; i++)
		zero = zero && block[i] == 0;
	CHECK(zero);
	memset(block, 1, 1000);
	held = arena.bytes;
	mark = arena_mark(&arena);
	CHECK(arena_alloc(&arena, 100000) != NULL);
	CHECK(arena.bytes > held + 99999);
	arena_reset_to(&arena, mark);
	CHECK(arena.bytes == held);
	CHECK(block[999] == 1);
	CHECK(arena.peak_bytes > held + 99999);
	arena_free_all(&arena);
	CHECK(arena.bytes == 0);
}

/* What one arena takes from another goes with it; marks of before stay where they are. */
static void
test_arena_take(void)
{
	Arena		arena;
	Arena		other;
	struct ArenaBlock *mark;
	size_t		held;
	char	   *kept;

	arena_init_malloc(&arena);
	arena_init_malloc(&other);
	arena_take(&arena, &other);
	CHECK(arena.bytes == 0 && arena.blocks == NULL);
	kept = arena_alloc(&arena, 10);
	mark = arena_mark(&arena);
	held = arena.bytes;
	arena_alloc(&other, 1000);
	strcpy(arena_alloc(&other, 10), "taken");
	arena_take(&arena, &other);
	CHECK(other.bytes == 0 && other.blocks == NULL);
	CHECK(arena.bytes > held + 1000 && arena.peak_bytes == arena.bytes);
	arena_reset_to(&arena, mark);
	CHECK(arena.bytes == held && kept[0] == 0);
	arena_free_all(&arena);
}

static void *
allocate_little(void *context, size_t size)
{
	(void) context;
	return size > 4096 ? NULL : calloc(1, size);
}

static void
release(void *context, void *block)
{
	(void) context;
	free(block);
}

/* A failure is remembered, and nothing more handed out, until it is asked for. */
static void
test_failure(void)
{
	Arena		arena;
	EngineError error = {0};

	arena_init(&arena, allocate_little, release, NULL);
	CHECK(arena_alloc(&arena, 100) != NULL);
	CHECK(arena_ok(&arena, &error));
	CHECK(arena_alloc(&arena, 100000) == NULL);
	CHECK(arena_alloc(&arena, 100) == NULL);
	CHECK(!arena_ok(&arena, &error));
	CHECK(error.code == ENGINE_OUT_OF_MEMORY);
	CHECK(arena_alloc(&arena, 100) != NULL);
	CHECK(arena_array(&arena, SIZE_MAX / 2, 16) == NULL);
	CHECK(!arena_ok(&arena, &error));
	arena_free_all(&arena);
}

static bool
interrupted(void *context)
{
	return *(bool *) context;
}

static void
test_errors(void)
{
	bool		stop = false;
	EngineHost	host = {.interrupted = interrupted,.context = &stop};
	EngineError error = {0};

	CHECK(!engine_fail(&error, ENGINE_BAD_INPUT, "Do this.", "%d is wrong", 7));
	CHECK(error.code == ENGINE_BAD_INPUT);
	CHECK(strcmp(error.message, "7 is wrong") == 0);
	CHECK(strcmp(error.hint, "Do this.") == 0);
	CHECK(host_continue(&host, &error));
	stop = true;
	CHECK(!host_continue(&host, &error));
	CHECK(error.code == ENGINE_INTERRUPTED);
}

/* Each answer is counted; the last one is to stop. */
typedef struct Asked
{
	int			times;
	int			stop_at;
} Asked;

static bool
asked(void *context)
{
	Asked	   *answers = context;

	return ++answers->times >= answers->stop_at;
}

static void
test_watch(void)
{
	Asked		answers = {.stop_at = 3};
	EngineHost	host = {.interrupted = asked,.context = &answers};
	Watch		watch = {.host = &host};
	Watch		followers = {.leader = &watch};
	Watch		alone = {0};
	EngineError error = {0};

	/* a quarter of the work: every fourth time the host is asked */
	for (int i = 1; i < 12; i++)
		CHECK(!watch_worked(&watch, WATCH_WORK / 4) && answers.times == i / 4);
	CHECK(!watch_worked(&followers, WATCH_WORK) && answers.times == 2);
	CHECK(watch_worked(&watch, WATCH_WORK / 4) && answers.times == 3);
	/* from then on all see it, and nobody asks */
	CHECK(watch_worked(&watch, 1) && watch_worked(&followers, 1) && answers.times == 3);
	CHECK(!watch_continue(&watch, &error) && error.code == ENGINE_INTERRUPTED);
	CHECK(!watch_worked(&alone, 2 * WATCH_WORK) && !watch_worked(NULL, 2 * WATCH_WORK));
}

/* Three arrays: numbers, bytes with a rest, none. */
static void
put_arrays(BlockWriter *writer)
{
	static const uint64_t numbers[] = {1, UINT64_MAX};
	static const char bytes[] = "eleven bytes";

	block_put(writer, numbers, 2, sizeof(uint64_t));
	block_put(writer, bytes, 11, 1);
	block_put(writer, NULL, 0, sizeof(uint64_t));
}

/* All are there, and nothing after them. */
static void
check_arrays(BlockReader *reader)
{
	const uint64_t *numbers = block_take(reader, 2, sizeof(uint64_t));
	const char *bytes = block_take(reader, 11, 1);

	CHECK(numbers && numbers[0] == 1 && numbers[1] == UINT64_MAX);
	CHECK(bytes && memcmp(bytes, "eleven byte\0\0\0\0\0", 16) == 0);
	CHECK(block_take(reader, 0, sizeof(uint64_t)) != NULL);
	CHECK(reader->left == 0 && !reader->too_short);
	CHECK(!block_take(reader, 1, 1) && reader->too_short);
}

static void
test_stored(void)
{
	Arena		arena;
	BlockWriter writer = {0};
	BlockReader reader;
	EngineError error = {0};
	uint64_t	block[5] = {0};

	arena_init_malloc(&arena);
	put_arrays(&writer);
	CHECK(writer.at == 32);
	writer = (BlockWriter) {.bytes = (char *) block};
	memset(block, 0x5a, sizeof(block));
	put_arrays(&writer);
	CHECK(writer.at == 32 && block[4] == UINT64_C(0x5a5a5a5a5a5a5a5a));

	CHECK(block_open(&reader, &arena, block, 32, 16, "it is", &error));
	CHECK(reader.bytes == (char *) block);
	check_arrays(&reader);
	/* not aligned: a copy */
	memmove((char *) block + 1, block, 32);
	CHECK(block_open(&reader, &arena, (char *) block + 1, 32, 16, "it is", &error));
	CHECK((uintptr_t) reader.bytes % BLOCK_ALIGNMENT == 0);
	check_arrays(&reader);

	/* lengths that cannot be, and sizes that no length can be */
	CHECK(!block_open(&reader, &arena, block, 31, 16, "it is", &error));
	CHECK(error.code == ENGINE_CORRUPT && strncmp(error.message, "it is corrupt: ", 15) == 0);
	CHECK(!block_open(&reader, &arena, block, 8, 16, "it is", &error));
	CHECK(block_open(&reader, &arena, block, 32, 16, "it is", &error));
	CHECK(!block_take(&reader, UINT64_MAX / 4, 8) && reader.too_short && reader.left == 32);
	CHECK(!block_take(&reader, 33, 1) && reader.left == 32);
	arena_free_all(&arena);
}

int
main(void)
{
	test_arena_take();
	test_blocks();
	test_failure();
	test_errors();
	test_watch();
	test_stored();
	return unit_summary();
}
