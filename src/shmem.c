/*
 * shmem.c
 *	  Shared memory by name.
 */
#include "postgres.h"

#include "shmem.h"

#include "fault.h"
#include "miscadmin.h"
#if PG_VERSION_NUM >= 170000
#include "storage/dsm_registry.h"
#endif
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

char *
shmem_swallow_error(MemoryContext context)
{
	ErrorData  *error;
	char	   *message;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	message = pstrdup(error->message);
	FreeErrorData(error);
	return message;
}

#if PG_VERSION_NUM >= 170000
static void *
find(const char *name, Size size, void (*init) (void *))
{
	bool		found;

	return GetNamedDSMSegment(name, size, init, &found);
}
#else
/* Out of what the server's main segment has to spare. */
static void *
find(const char *name, Size size, void (*init) (void *))
{
	void	   *volatile memory = NULL;
	bool		found;
	volatile uint32 holdoff = InterruptHoldoffCount;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	PG_TRY();
	{
		memory = ShmemInitStruct(name, size, &found);
		if (!found)
			init(memory);
	}
	PG_CATCH();
	{
		/* the error set it to 0; letting go of the lock counts down */
		InterruptHoldoffCount = holdoff + 1;
		LWLockRelease(AddinShmemInitLock);
		PG_RE_THROW();
	}
	PG_END_TRY();
	LWLockRelease(AddinShmemInitLock);
	return memory;
}
#endif

void *
shmem_find(const char *name, Size size, void (*init) (void *memory), char **why)
{
	MemoryContext context = CurrentMemoryContext;
	void	   *volatile memory = NULL;

	PG_TRY();
	{
		if (fault_hit("shmem"))
			ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("no shared memory: fault")));
		memory = find(name, size, init);
	}
	PG_CATCH();
	{
		*why = shmem_swallow_error(context);
	}
	PG_END_TRY();
	return memory;
}

#if PG_VERSION_NUM < 170000
static shmem_request_hook_type next_request = NULL;
static Size requested = 0;

static void
request_memory(void)
{
	if (next_request)
		next_request();
	RequestAddinShmemSpace(requested);
}
#endif

void
shmem_request(Size size)
{
#if PG_VERSION_NUM < 170000
	if (requested == 0)
	{
		next_request = shmem_request_hook;
		shmem_request_hook = request_memory;
	}
	requested = add_size(requested, MAXALIGN(size));
#endif
}
