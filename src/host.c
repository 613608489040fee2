/*
 * host.c
 *	  PostgreSQL as the engine's host.
 */
#include "postgres.h"

#include "host.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sys/mman.h>
#include <unistd.h>

#include "fault.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "storage/pmsignal.h"
#include "utils/memutils.h"

/* Zeroed in pieces: the first touch of gigabytes takes many seconds. */
#define ZERO_AT_ONCE ((Size) 64 * 1024 * 1024)
#define LARGE_PAGE ((Size) 2 * 1024 * 1024)

void
host_large_pages(void *block, Size size)
{
#ifdef MADV_HUGEPAGE
	uintptr_t	from = TYPEALIGN(LARGE_PAGE, (uintptr_t) block);
	uintptr_t	to = TYPEALIGN_DOWN(LARGE_PAGE, (uintptr_t) block + size);

	/* a hint: not to get them is no error */
	if (block && from < to)
		(void) madvise((void *) from, to - from, MADV_HUGEPAGE);
#endif
}

static void *
host_allocate(void *context, size_t size)
{
	char	   *block = fault_hit("allocation") ? NULL :
		MemoryContextAllocExtended(context, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);

	host_large_pages(block, size);
	for (Size at = 0; block && at < size; at += ZERO_AT_ONCE)
	{
		CHECK_FOR_INTERRUPTS();
		memset(block + at, 0, Min(size - at, ZERO_AT_ONCE));
	}
	return block;
}

static void
host_release(void *context, void *block)
{
	pfree(block);
}

/* What was freed stays with the process otherwise: up to 64 MB, and more amid the heap. */
static void
trim_heap(void *unused)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

MemoryContext
host_training_context(void)
{
	MemoryContext outer = AllocSetContextCreate(CurrentMemoryContext, "aread heap",
												ALLOCSET_SMALL_SIZES);
	MemoryContextCallback *callback =
		MemoryContextAllocZero(outer, sizeof(MemoryContextCallback));
	MemoryContext context = AllocSetContextCreate(outer, "aread training", ALLOCSET_DEFAULT_SIZES);

	/* called when what is within the outer one has gone, after an error, too */
	callback->func = trim_heap;
	MemoryContextRegisterResetCallback(outer, callback);
	return context;
}

void
host_arena(Arena *arena, MemoryContext context)
{
	arena_init(arena, host_allocate, host_release, context);
}

void
host_leave_dead_server(void)
{
	/* Threads may be at work; shared memory and temporary files are made anew at the next start. */
	if (MyBackendType == B_BG_WORKER && !PostmasterIsAlive())
		_exit(1);
}

/*
 * A cancelled query leaves the engine by its own way out: threads may be at work
 * on what lies on our stack.  The rarer interrupts (a barrier) are seen to here.
 */
static bool
host_interrupted(void *context)
{
	if (QueryCancelPending || ProcDiePending)
		return true;
	host_leave_dead_server();
	HOLD_CANCEL_INTERRUPTS();
	CHECK_FOR_INTERRUPTS();
	RESUME_CANCEL_INTERRUPTS();
	return QueryCancelPending;
}

double
host_seconds(void)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	return INSTR_TIME_GET_DOUBLE(now);
}

static double
clock_seconds(void *context)
{
	return host_seconds();
}

EngineHost
host_callbacks(void)
{
	return (EngineHost) {
		.interrupted = host_interrupted,.seconds = clock_seconds
	};
}

static int
sqlstate_of(EngineCode code)
{
	switch (code)
	{
		case ENGINE_OUT_OF_MEMORY:
			return ERRCODE_OUT_OF_MEMORY;
		case ENGINE_INTERRUPTED:
			return ERRCODE_QUERY_CANCELED;
		case ENGINE_DIVERGED:
			return ERRCODE_FLOATING_POINT_EXCEPTION;
		case ENGINE_BAD_INPUT:
			return ERRCODE_INVALID_PARAMETER_VALUE;
		case ENGINE_CORRUPT:
			return ERRCODE_DATA_CORRUPTED;
		case ENGINE_OK:
			break;
	}
	return ERRCODE_INTERNAL_ERROR;
}

void
host_raise(const EngineError *error)
{
	/* the server knows best why it wants to stop */
	if (error->code == ENGINE_INTERRUPTED)
		CHECK_FOR_INTERRUPTS();
	ereport(ERROR,
			(errcode(sqlstate_of(error->code)),
			 errmsg("%s", error->message),
			 error->hint[0] ? errhint("%s", error->hint) : 0));
	pg_unreachable();
}
