/*
 * base.c
 *	  Errors and the arena.
 */
#include "engine/base/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/subnormal.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define GUARD (256 * 1024)
#else
#define GUARD 0
#define ASAN_POISON_MEMORY_REGION(start, size) ((void) (start), (void) (size))
#endif

#define ALIGNMENT 64

/* Sits before each allocation; the caller's bytes start at the next multiple of ALIGNMENT. */
typedef struct ArenaBlock
{
	struct ArenaBlock *older;
	size_t		size;			/* asked of the allocator */
} ArenaBlock;

bool
engine_fail(EngineError *error, EngineCode code, const char *hint, const char *format,...)
{
	va_list		args;

	error->code = code;
	va_start(args, format);
	vsnprintf(error->message, sizeof(error->message), format, args);
	va_end(args);
	snprintf(error->hint, sizeof(error->hint), "%s", hint ? hint : "");
	return false;
}

void
arena_init(Arena *arena, void *(*allocate) (void *, size_t),
		   void (*release) (void *, void *), void *context)
{
	*arena = (Arena) {.allocate = allocate,.release = release,.context = context};
}

/* Under GCC's ASan, reads far past a block are found; clang's, of the fuzzers, stays fast. */
static void *
malloc_allocate(void *context, size_t size)
{
	char	   *block = calloc(1, size + GUARD);

	(void) context;
	if (block)
		ASAN_POISON_MEMORY_REGION(block + size, GUARD);
	return block;
}

static void
malloc_release(void *context, void *block)
{
	(void) context;
	free(block);
}

void
arena_init_malloc(Arena *arena)
{
	arena_init(arena, malloc_allocate, malloc_release, NULL);
}

void *
arena_alloc(Arena *arena, size_t size)
{
	size_t		overhead = sizeof(ArenaBlock) + ALIGNMENT;
	ArenaBlock *block = NULL;
	uintptr_t	start;

	if (!arena->failed && size <= SIZE_MAX - overhead)
		block = arena->allocate(arena->context, size + overhead);
	if (!block)
	{
		arena->failed = true;
		return NULL;
	}
	block->older = arena->blocks;
	block->size = size + overhead;
	arena->blocks = block;
	arena->bytes += block->size;
	if (arena->bytes > arena->peak_bytes)
		arena->peak_bytes = arena->bytes;
	start = (uintptr_t) (block + 1);
	start += (ALIGNMENT - start % ALIGNMENT) % ALIGNMENT;
	/* what aligning leaves at the end is nobody's */
	ASAN_POISON_MEMORY_REGION((void *) (start + size),
							  (uintptr_t) block + block->size - start - size);
	return (void *) start;
}

void *
arena_array(Arena *arena, size_t count, size_t size)
{
	size_t		bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
	{
		arena->failed = true;
		return NULL;
	}
	return arena_alloc(arena, bytes);
}

ArenaBlock *
arena_mark(const Arena *arena)
{
	return arena->blocks;
}

void
arena_reset_to(Arena *arena, ArenaBlock *mark)
{
	while (arena->blocks != mark)
	{
		ArenaBlock *block = arena->blocks;

		arena->blocks = block->older;
		arena->bytes -= block->size;
		arena->release(arena->context, block);
	}
}

void
arena_free_all(Arena *arena)
{
	arena_reset_to(arena, NULL);
}

void
arena_take(Arena *arena, Arena *other)
{
	ArenaBlock **oldest = &other->blocks;

	while (*oldest)
		oldest = &(*oldest)->older;
	*oldest = arena->blocks;
	arena->blocks = other->blocks;
	arena->bytes += other->bytes;
	if (arena->bytes > arena->peak_bytes)
		arena->peak_bytes = arena->bytes;
	other->blocks = NULL;
	other->bytes = 0;
}

bool
arena_ok(Arena *arena, EngineError *error)
{
	if (!arena->failed)
		return true;
	arena->failed = false;
	return engine_fail(error, ENGINE_OUT_OF_MEMORY,
					   "Use fewer features, a smaller embed_dim or fewer rows.",
					   "out of memory after %zu MB", arena->bytes / (1024 * 1024));
}

/* The host may leave by an error: it is asked in the mode that it knows. */
static bool
ask(const EngineHost *host)
{
	uint64_t	mode = subnormals_are_zero(false);
	bool		interrupted = host->interrupted(host->context);

	subnormal_set_mode(mode);
	return interrupted;
}

bool
host_continue(const EngineHost *host, EngineError *error)
{
	if (!ask(host))
		return true;
	return engine_fail(error, ENGINE_INTERRUPTED, "", "work was interrupted");
}

bool
watch_stopped(Watch *watch)
{
	if (!watch)
		return false;
	if (watch->leader)
		return watch->leader->stopped;
	if (!watch->stopped && watch->host)
		watch->stopped = ask(watch->host);
	/* once stopped, every look sees it */
	if (!watch->stopped)
		watch->worked = 0;
	return watch->stopped;
}

bool
watch_continue(Watch *watch, EngineError *error)
{
	return watch_stopped(watch) ?
		engine_fail(error, ENGINE_INTERRUPTED, "", "work was interrupted") : true;
}
