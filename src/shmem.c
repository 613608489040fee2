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
#include "storage/shmem.h"
#include "utils/resowner.h"

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
	bool		found;
	void	   *memory;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	memory = ShmemInitStruct(name, size, &found);
	if (!found)
		init(memory);
	LWLockRelease(AddinShmemInitLock);
	return memory;
}
#endif

/*
 * The message of a caught error, in the context.  It leaves locks behind that only
 * the end of a transaction would let go, and this one goes on.  Callers hold none
 * of their own.
 */
static char *
swallow_error(MemoryContext context, uint32 holdoff)
{
	ErrorData  *error;
	char	   *message;

	/* whoever cancels wants no more of the query */
	if (geterrcode() == ERRCODE_QUERY_CANCELED)
		PG_RE_THROW();
	InterruptHoldoffCount = holdoff;
	LWLockReleaseAll();
	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	message = pstrdup(error->message);
	FreeErrorData(error);
	return message;
}

bool
shmem_try(void (*make) (void *argument), void *argument, char **why)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	uint32		holdoff = InterruptHoldoffCount;
	volatile bool made = false;

	PG_TRY();
	{
		CurrentResourceOwner = NULL;
		make(argument);
		made = true;
	}
	PG_CATCH();
	{
		CurrentResourceOwner = owner;
		*why = swallow_error(context, holdoff);
	}
	PG_END_TRY();
	CurrentResourceOwner = owner;
	return made;
}

typedef struct Wanted
{
	const char *name;
	Size		size;
	void		(*init) (void *memory);
	void	   *memory;
} Wanted;

static void
find_wanted(void *argument)
{
	Wanted	   *wanted = argument;

	if (fault_hit("shmem"))
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("no shared memory: fault")));
	wanted->memory = find(wanted->name, wanted->size, wanted->init);
}

void
shmem_table_init(void *table, Size size)
{
	ShmemHead  *head = table;

	memset(table, 0, size);
	head->tranche = LWLockNewTrancheId();
	LWLockInitialize(&head->lock, head->tranche);
}

void *
shmem_table(const char *name, Size size, void (*init) (void *table), char **why)
{
	Wanted		wanted = {name, size, init, NULL};

	if (!shmem_try(find_wanted, &wanted, why))
		return NULL;
	LWLockRegisterTranche(((ShmemHead *) wanted.memory)->tranche, "aread");
	return wanted.memory;
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
	if (!process_shared_preload_libraries_in_progress)
		return;
	if (requested == 0)
	{
		next_request = shmem_request_hook;
		shmem_request_hook = request_memory;
	}
	requested = add_size(requested, MAXALIGN(size));
#endif
}
