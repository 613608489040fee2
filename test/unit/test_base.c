/*
 * test_base.c
 *	  The arena: alignment, zeroing, marks, failure; errors; interrupts.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/base.h"
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

int
main(void)
{
	test_arena_take();
	test_blocks();
	test_failure();
	test_errors();
	test_watch();
	return unit_summary();
}
