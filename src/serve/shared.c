/*
 * shared.c
 *	  Models in shared memory.
 *
 * What the server's main segment has to spare is little: there lies the head of
 * the table, and the slots of models lie in a dynamic segment.  A slot is found
 * by a hash of its version.  Versions give way to others, those used longest
 * ago first, where bytes are short.  Where slots are short only those do that
 * nobody has used for a while: who goes through more models than there are slots
 * loads what finds none for itself, and keeps it, instead of all of them again
 * and again.
 */
#include "postgres.h"

#include "serve/shared.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "fault.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "settings.h"
#include "shmem.h"
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#define MOST_MODELS 4096
/* Versions of the library that lay images out in another way must not meet. */
#define TABLE_NAME "aread " AREAD_VERSION " layout 2"
/* So long a session waits for another one to load; then it loads for itself. */
#define PATIENCE_MS 30000
/* A version unused for so long gives its slot to another one. */
#define IDLE_MS (10 * 60 * 1000)

typedef enum SlotState
{
	SLOT_FREE, SLOT_LOADING, SLOT_READY
} SlotState;

typedef struct SharedSlot
{
	SlotState	state;
	int			pid;			/* who loads it */
	Oid			database;
	uint32		crc;
	dsm_handle	handle;
	SharedModel model;
	int			next;			/* slot of the same hash, or free as well; 0: the last one */
	int			first;			/* of this slot's number as hash, whatever the slot holds */
} SharedSlot;

typedef struct SharedTable
{
	ShmemHead	head;
	ConditionVariable changed;	/* a slot has been loaded, or given up */
	pg_atomic_uint64 evictions;
	Size		bytes;
	dsm_handle	handle;			/* of the slots; 0: there are none yet */
	int			n_slots;
	int			free;			/* slots have numbers from 1 on */
} SharedTable;

static SharedTable *table = NULL;
static SharedSlot *slots = NULL;	/* [n_slots], when they are mapped */
static bool refused = false;	/* there is no table for this session */
static bool warned = false;

static void
table_init(void *memory)
{
	SharedTable *fresh = memory;

	shmem_table_init(fresh, sizeof(*fresh));
	ConditionVariableInit(&fresh->changed);
	pg_atomic_init_u64(&fresh->evictions, 0);
}

/* The first failure is told. */
static void
tell_refused(const char *why)
{
	if (!warned)
		ereport(WARNING,
				(errmsg("models cannot be kept in shared memory: %s", why),
				 errdetail("This session loads its own copy of each model that it scores with."),
				 errhint("Make room in /dev/shm, preload the library, or set aread.shared_cache_size to 0.")));
	warned = true;
}

/* A segment of so many bytes, or (0) that of a handle. */
typedef struct WantedSegment
{
	dsm_handle	handle;
	Size		bytes;
	dsm_segment *segment;
} WantedSegment;

static void
map_wanted(void *argument)
{
	WantedSegment *wanted = argument;

	if (fault_hit("segment"))
		ereport(ERROR, (errcode(ERRCODE_DISK_FULL), errmsg("no shared memory: fault")));
	wanted->segment = wanted->bytes > 0 ? dsm_create(wanted->bytes, DSM_CREATE_NULL_IF_MAXSEGMENTS) :
		dsm_attach(wanted->handle);
}

static dsm_segment *
map_segment(dsm_handle handle, Size bytes)
{
	WantedSegment wanted = {handle, bytes, NULL};
	char	   *why;

	if (!shmem_try(map_wanted, &wanted, &why))
		tell_refused(why);
	return wanted.segment;
}

static SharedSlot *
slot_number(int number)
{
	return &slots[number - 1];
}

/* Models take no more than half of the segments that the server allows (64, and 5 for each process). */
static int
most_models(void)
{
	return Min(MOST_MODELS, 32 + 5 * MaxBackends / 2);
}

static dsm_segment *
create_slots(int n)
{
	dsm_segment *segment = map_segment(0, n * sizeof(SharedSlot));

	if (!segment)
		return NULL;
	slots = dsm_segment_address(segment);
	memset(slots, 0, n * sizeof(SharedSlot));
	for (int number = 1; number < n; number++)
		slot_number(number)->next = number + 1;
	dsm_pin_segment(segment);
	return segment;
}

/* Map the slots, made by whoever needs them first. */
static bool
have_slots(void)
{
	int			n = most_models();
	dsm_segment *created = NULL;
	dsm_segment *segment;
	dsm_handle	handle;

	LWLockAcquire(&table->head.lock, LW_SHARED);
	handle = table->handle;
	LWLockRelease(&table->head.lock);
	if (handle == 0)
	{
		created = create_slots(n);
		if (!created)
			return false;
		LWLockAcquire(&table->head.lock, LW_EXCLUSIVE);
		handle = table->handle;
		if (handle == 0)
		{
			table->handle = dsm_segment_handle(created);
			table->n_slots = n;
			table->free = 1;
		}
		LWLockRelease(&table->head.lock);
		if (handle == 0)
			return true;
		/* another session was faster */
		slots = NULL;
		dsm_unpin_segment(dsm_segment_handle(created));
		dsm_detach(created);
	}
	segment = map_segment(handle, 0);
	slots = segment ? dsm_segment_address(segment) : NULL;
	return slots != NULL;
}

static bool
have_table(void)
{
	char	   *why = "there are too many dynamic segments";

	if (slots || refused || setting_shared_cache_megabytes == 0)
		return slots != NULL && setting_shared_cache_megabytes > 0;
	table = shmem_table(TABLE_NAME, sizeof(SharedTable), table_init, &why);
	refused = !table || !have_slots();
	if (refused)
		tell_refused(why);
	return !refused;
}

static bool
holds(const SharedSlot *slot, const ModelVersion *version)
{
	return slot->database == MyDatabaseId && slot->model.catalog == version->catalog &&
		slot->model.version_id == version->id && slot->crc == version->crc;
}

/* Where slots of a hash begin. */
static int *
first_slot(Oid database, Oid catalog, int64 version_id)
{
	uint32		hash = hash_combine(hash_bytes_uint32(database ^ catalog),
									hash_bytes_uint32((uint32) version_id));

	return &slots[hash % table->n_slots].first;
}

static SharedSlot *
find_slot(const ModelVersion *version)
{
	int			number = *first_slot(MyDatabaseId, version->catalog, version->id);

	while (number > 0 && !holds(slot_number(number), version))
		number = slot_number(number)->next;
	return number > 0 ? slot_number(number) : NULL;
}

static void
free_slot(SharedSlot *slot)
{
	int			number = slot - slots + 1;
	int		   *link = first_slot(slot->database, slot->model.catalog, slot->model.version_id);

	while (*link != number)
		link = &slot_number(*link)->next;
	*link = slot->next;
	table->bytes -= slot->model.bytes;
	*slot = (SharedSlot) {.first = slot->first,.next = table->free};
	table->free = number;
}

/* Sessions that have it mapped keep it until they look next. */
static void
evict(SharedSlot *slot)
{
	dsm_unpin_segment(slot->handle);
	free_slot(slot);
	pg_atomic_fetch_add_u64(&table->evictions, 1);
}

/* The version that was used longest ago, of those that have been loaded. */
static SharedSlot *
oldest_slot(void)
{
	SharedSlot *oldest = NULL;

	for (int i = 0; i < table->n_slots; i++)
		if (slots[i].state == SLOT_READY &&
			(!oldest || slots[i].model.used < oldest->model.used))
			oldest = &slots[i];
	return oldest;
}

/* A free slot for a version that is to be loaded; NULL: there is none. */
static SharedSlot *
claim_slot(const ModelVersion *version)
{
	SharedSlot *oldest = table->free > 0 ? NULL : oldest_slot();
	SharedSlot *slot;
	int		   *first;

	if (oldest && TimestampDifferenceExceeds(oldest->model.used, GetCurrentTimestamp(), IDLE_MS))
		evict(oldest);
	if (table->free == 0)
		return NULL;
	slot = slot_number(table->free);
	table->free = slot->next;
	first = first_slot(MyDatabaseId, version->catalog, version->id);
	*slot = (SharedSlot) {
		.state = SLOT_LOADING,.pid = MyProcPid,.database = MyDatabaseId,.crc = version->crc,
		.model = {.version_id = version->id,.catalog = version->catalog},
		.first = slot->first,.next = *first
	};
	*first = slot - slots + 1;
	return slot;
}

/* What a process that ends was loading, somebody else may load. */
static void
free_claims(int code, Datum unused)
{
	LWLockAcquire(&table->head.lock, LW_EXCLUSIVE);
	for (int i = 0; i < table->n_slots; i++)
		if (slots[i].state == SLOT_LOADING && slots[i].pid == MyProcPid)
			free_slot(&slots[i]);
	LWLockRelease(&table->head.lock);
	ConditionVariableBroadcast(&table->changed);
}

/* Once: the server has room for few callbacks. */
static void
free_claims_at_exit(void)
{
	static bool registered = false;

	if (!registered)
		before_shmem_exit(free_claims, (Datum) 0);
	registered = true;
}

/* One look at the table: the handle of a version, or what to do instead. */
typedef enum Found
{
	FOUND_READY, FOUND_LOADING, FOUND_CLAIM, FOUND_NO_ROOM
} Found;

static Found
look_up(const ModelVersion *version, dsm_handle *handle, int *claim)
{
	SharedSlot *slot;
	Found		found;

	LWLockAcquire(&table->head.lock, LW_EXCLUSIVE);
	slot = find_slot(version);
	if (slot)
	{
		found = slot->state == SLOT_READY ? FOUND_READY : FOUND_LOADING;
		*handle = slot->handle;
		if (found == FOUND_READY)
			slot->model.loads++;
	}
	else
	{
		slot = claim_slot(version);
		found = slot ? FOUND_CLAIM : FOUND_NO_ROOM;
		if (slot)
			*claim = slot - slots;
	}
	LWLockRelease(&table->head.lock);
	return found;
}

dsm_segment *
shared_take(const ModelVersion *version, int *claim)
{
	TimestampTz start = GetCurrentTimestamp();
	dsm_segment *segment = NULL;
	dsm_handle	handle = 0;
	Found		found;

	*claim = NO_CLAIM;
	if (version->uncommitted || !have_table())
		return NULL;
	free_claims_at_exit();
	ConditionVariablePrepareToSleep(&table->changed);
	while ((found = look_up(version, &handle, claim)) == FOUND_LOADING)
	{
		/* who loads may wait for a lock that we hold */
		if (TimestampDifferenceExceeds(start, GetCurrentTimestamp(), PATIENCE_MS))
			break;
		ConditionVariableTimedSleep(&table->changed, 1000, PG_WAIT_EXTENSION);
	}
	ConditionVariableCancelSleep();
	if (found == FOUND_READY)
		segment = map_segment(handle, 0);
	return segment;
}

dsm_segment *
shared_room(int claim, Size bytes)
{
	Size		limit = (Size) setting_shared_cache_megabytes * 1024 * 1024;
	SharedSlot *oldest;

	if (bytes > limit)
		return NULL;
	LWLockAcquire(&table->head.lock, LW_EXCLUSIVE);
	while (table->bytes + bytes > limit && (oldest = oldest_slot()) != NULL)
		evict(oldest);
	if (table->bytes + bytes > limit)
	{
		LWLockRelease(&table->head.lock);
		return NULL;
	}
	slots[claim].model.bytes = bytes;
	table->bytes += bytes;
	LWLockRelease(&table->head.lock);
	return map_segment(0, bytes);
}

void
shared_publish(int claim, dsm_segment *segment)
{
	SharedSlot *slot = &slots[claim];

	dsm_pin_segment(segment);
	LWLockAcquire(&table->head.lock, LW_EXCLUSIVE);
	slot->handle = dsm_segment_handle(segment);
	slot->state = SLOT_READY;
	slot->model.loads = 1;
	slot->model.loaded = GetCurrentTimestamp();
	slot->model.used = GetCurrentStatementStartTimestamp();
	LWLockRelease(&table->head.lock);
	ConditionVariableBroadcast(&table->changed);
}

void
shared_abandon(int claim)
{
	if (claim == NO_CLAIM)
		return;
	LWLockAcquire(&table->head.lock, LW_EXCLUSIVE);
	free_slot(&slots[claim]);
	LWLockRelease(&table->head.lock);
	ConditionVariableBroadcast(&table->changed);
}

void
shared_use(const ModelVersion *version)
{
	SharedSlot *slot;

	LWLockAcquire(&table->head.lock, LW_EXCLUSIVE);
	slot = find_slot(version);
	if (slot)
	{
		slot->model.hits++;
		slot->model.used = GetCurrentStatementStartTimestamp();
	}
	LWLockRelease(&table->head.lock);
}

bool
shared_holds(const ModelVersion *version, dsm_segment *segment)
{
	const SharedSlot *slot;
	bool		found;

	LWLockAcquire(&table->head.lock, LW_SHARED);
	slot = find_slot(version);
	found = slot && slot->state == SLOT_READY && slot->handle == dsm_segment_handle(segment);
	LWLockRelease(&table->head.lock);
	return found;
}

uint64
shared_evictions(void)
{
	return table ? pg_atomic_read_u64(&table->evictions) : 0;
}

bool
shared_model(int i, SharedModel *model, bool *used)
{
	SharedSlot *slot;

	if (!have_table() || i >= table->n_slots)
		return false;
	LWLockAcquire(&table->head.lock, LW_SHARED);
	slot = &slots[i];
	*used = slot->state == SLOT_READY && slot->database == MyDatabaseId;
	*model = slot->model;
	LWLockRelease(&table->head.lock);
	return true;
}

int
shared_clear(void)
{
	int			n = 0;

	if (!have_table())
		return 0;
	LWLockAcquire(&table->head.lock, LW_EXCLUSIVE);
	for (int i = 0; i < table->n_slots; i++)
		if (slots[i].state == SLOT_READY && slots[i].database == MyDatabaseId)
		{
			evict(&slots[i]);
			n++;
		}
	LWLockRelease(&table->head.lock);
	return n;
}

void
shared_request(void)
{
	shmem_request(sizeof(SharedTable));
}
