/*
 * cache.c
 *	  Models ready to score: those in shared memory, and what a session has of
 *	  its own.
 *
 * An entry is found in two steps.  Under the snapshot that it was found with
 * last, by its name alone; else the catalog says which version the name means
 * now, and that version's id, never reused, finds the entry.  Nothing has to
 * tell the cache about new versions, dropped models, changed rights or rolled
 * back transactions: each of them comes with another snapshot.
 *
 * An entry is over the version's segment of shared memory and holds no more
 * than scratch, or it holds all by itself: where there is no shared memory, and
 * while the transaction that wrote the version has not ended.
 */
#include "postgres.h"

#include "serve/cache.h"

#include "access/xact.h"
#include "fault.h"
#include "host.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "serve/shared.h"
#include "serve/snapshot_key.h"
#include "settings.h"
#include "source/keys/types.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* A segment that is mapped: once, however many names mean its version. */
typedef struct Mapping
{
	dsm_segment *segment;
	int			entries;
} Mapping;

typedef struct CacheEntry
{
	ServedModel served;			/* must be first */
	dlist_node	node;			/* in entries, used last first */
	SnapshotKey found[N_RIGHTS + 1];	/* when its name meant it, by what there is a right to */
	Mapping    *mapping;		/* NULL: no shared memory */
	MemoryContext context;
	Size		bytes;
	int64		hits;
	TimestampTz loaded;
	TimestampTz used;
	int			pins;
} CacheEntry;

static dlist_head entries = DLIST_STATIC_INIT(entries);
static Size entries_bytes = 0;

static const ModelVersion *
entry_version(const CacheEntry *entry)
{
	return &entry->served.loaded->version;
}

static bool
has_name(const CacheEntry *entry, const char *name, Size length)
{
	const char *own = entry_version(entry)->name;

	return strlen(own) == length && memcmp(own, name, length) == 0;
}

static void
drop_entry(CacheEntry *entry)
{
	dlist_delete(&entry->node);
	entries_bytes -= entry->bytes;
	MemoryContextDelete(entry->context);
}

/* Memory for batches comes with their first use. */
static void
measure_entry(CacheEntry *entry)
{
	Size		bytes = MemoryContextMemAllocated(entry->context, true);

	entries_bytes += bytes - entry->bytes;
	entry->bytes = bytes;
}

bool
cache_is_full(void)
{
	return entries_bytes > (Size) setting_cache_megabytes * 1024 * 1024;
}

/* Let go of what was used longest ago until the rest fits; "keep" stays. */
static void
shrink(const CacheEntry *keep)
{
	dlist_iter	iter;
	bool		dropped = true;

	while (cache_is_full() && dropped)
	{
		dropped = false;
		dlist_reverse_foreach(iter, &entries)
		{
			CacheEntry *entry = dlist_container(CacheEntry, node, iter.cur);

			if (entry->pins > 0 || entry == keep)
				continue;
			drop_entry(entry);
			dropped = true;
			break;
		}
	}
}

static void
unmap(void *argument)
{
	Mapping    *mapping = argument;

	if (--mapping->entries > 0)
		return;
	dsm_detach(mapping->segment);
	pfree(mapping);
}

static Mapping *
create_mapping(dsm_segment *segment)
{
	Mapping    *mapping = MemoryContextAllocZero(TopMemoryContext, sizeof(Mapping));

	mapping->segment = segment;
	return mapping;
}

/* Under the caller's memory context first: an error takes it all away. */
static CacheEntry *
create_entry(Mapping *mapping)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aread model",
												  ALLOCSET_DEFAULT_SIZES);
	CacheEntry *entry = MemoryContextAllocZero(context, sizeof(CacheEntry));
	MemoryContextCallback *callback;

	entry->context = context;
	entry->mapping = mapping;
	if (!mapping)
		return entry;
	callback = MemoryContextAllocZero(context, sizeof(MemoryContextCallback));
	callback->func = unmap;
	callback->arg = mapping;
	MemoryContextRegisterResetCallback(context, callback);
	mapping->entries++;
	return entry;
}

static CacheEntry *
open_entry(const ModelVersion *version, Mapping *mapping)
{
	CacheEntry *entry = create_entry(mapping);

	image_open(dsm_segment_address(mapping->segment), version, entry->context, &entry->served);
	return entry;
}

static bool
is_of_version(const CacheEntry *entry, const ModelVersion *version)
{
	const ModelVersion *own = entry_version(entry);

	return own->id == version->id && own->catalog == version->catalog && own->crc == version->crc;
}

/* The mapping of a version that another name means, too. */
static Mapping *
find_mapping(const ModelVersion *version)
{
	dlist_iter	iter;

	dlist_foreach(iter, &entries)
	{
		CacheEntry *entry = dlist_container(CacheEntry, node, iter.cur);

		if (entry->mapping && is_of_version(entry, version))
			return entry->mapping;
	}
	return NULL;
}

static CacheEntry *
read_entry(const ModelVersion *version)
{
	CacheEntry *entry = create_entry(NULL);
	Arena	   *arena = MemoryContextAllocZero(entry->context, sizeof(Arena));
	EngineHost	host = host_callbacks();
	EngineError error;

	entry->served.loaded = catalog_load(version, entry->context);
	host_arena(arena, entry->context);
	entry->served.scorer = scorer_create(arena, entry->served.loaded->model, READY_BYTES, NULL,
										 &host, &error);
	if (!entry->served.scorer)
		host_raise(&error);
	return entry;
}

/* An entry over a copy in shared memory in place of one that holds all by itself, if there is room. */
static CacheEntry *
share_entry(CacheEntry *entry, int claim)
{
	const ModelVersion *version = entry_version(entry);
	dsm_segment *segment = shared_room(claim, image_size(&entry->served));
	CacheEntry *shared;

	if (!segment)
	{
		shared_abandon(claim);
		return entry;
	}
	shared = create_entry(create_mapping(segment));
	image_write(&entry->served, dsm_segment_address(segment));
	image_open(dsm_segment_address(segment), version, shared->context, &shared->served);
	shared_publish(claim, segment);
	MemoryContextDelete(entry->context);
	return shared;
}

static CacheEntry *
load_entry(const ModelVersion *version)
{
	int			claim = NO_CLAIM;
	Mapping    *mapping = find_mapping(version);
	dsm_segment *segment = mapping ? NULL : shared_take(version, &claim);
	CacheEntry *volatile entry = NULL;

	if (segment)
		mapping = create_mapping(segment);
	if (mapping)
		entry = open_entry(version, mapping);
	else if (claim == NO_CLAIM)
		entry = read_entry(version);
	else
	{
		PG_TRY();
		{
			entry = read_entry(version);
			entry = share_entry(entry, claim);
		}
		PG_CATCH();
		{
			shared_abandon(claim);
			PG_RE_THROW();
		}
		PG_END_TRY();
	}
	entry->loaded = GetCurrentTimestamp();
	MemoryContextSetParent(entry->context, TopMemoryContext);
	dlist_push_head(&entries, &entry->node);
	measure_entry(entry);
	shrink(entry);
	return entry;
}

/* Versions that were evicted from shared memory leave here, too, unless they are in use. */
static void
drop_evicted(void)
{
	static uint64 seen = 0;
	uint64		evictions = shared_evictions();
	dlist_mutable_iter iter;

	if (evictions == seen)
		return;
	seen = evictions;
	dlist_foreach_modify(iter, &entries)
	{
		CacheEntry *entry = dlist_container(CacheEntry, node, iter.cur);

		if (!entry->mapping || shared_holds(entry_version(entry), entry->mapping->segment))
			continue;
		if (entry->pins > 0)
			seen--;				/* look again */
		else
			drop_entry(entry);
	}
}

/* Its name means another version. */
static void
forget_name(CacheEntry *entry)
{
	for (int right = 0; right <= N_RIGHTS; right++)
		entry->found[right].valid = false;
}

/* The entry of a version, loaded if need be; other versions lose the name. */
static CacheEntry *
entry_of_version(const ModelVersion *version)
{
	CacheEntry *found = NULL;
	dlist_iter	iter;

	dlist_foreach(iter, &entries)
	{
		CacheEntry *entry = dlist_container(CacheEntry, node, iter.cur);
		const ModelVersion *own = entry_version(entry);

		if (is_of_version(entry, version) && strcmp(own->name, version->name) == 0)
			found = entry;
		else if (strcmp(own->name, version->name) == 0)
			forget_name(entry);
	}
	/* the transaction that wrote it has ended: others want it, too */
	if (found && entry_version(found)->uncommitted && !version->uncommitted && found->pins == 0)
	{
		drop_entry(found);
		found = NULL;
	}
	return found ? found : load_entry(version);
}

/* A statement has found the entry. */
static void
note_use(CacheEntry *entry)
{
	entry->hits++;
	entry->used = GetCurrentStatementStartTimestamp();
	if (entry->mapping)
		shared_use(entry_version(entry));
}

/* Types may have changed since. */
static const ServedModel *
use_entry(CacheEntry *entry)
{
	dlist_move_head(&entries, &entry->node);
	types_resolve(entry->served.loaded->spec);
	return &entry->served;
}

const ServedModel *
cache_find(const char *name, Size length, ModelRight right)
{
	SnapshotKey key = snapshot_key();
	ModelVersion version;
	CacheEntry *entry;
	dlist_iter	iter;

	dlist_foreach(iter, &entries)
	{
		entry = dlist_container(CacheEntry, node, iter.cur);
		if (snapshot_same_key(&entry->found[right], &key) && has_name(entry, name, length))
			return use_entry(entry);
	}
	catalog_find(pnstrdup(name, length), right, &version);
	fault_wait("model");
	drop_evicted();
	entry = entry_of_version(&version);
	entry->found[right] = key;
	note_use(entry);
	return use_entry(entry);
}

bool
cache_entry(int i, CachedModel *cached)
{
	dlist_iter	iter;

	dlist_foreach(iter, &entries)
	{
		CacheEntry *entry = dlist_container(CacheEntry, node, iter.cur);

		if (i-- > 0)
			continue;
		measure_entry(entry);
		*cached = (CachedModel) {
			.version = entry_version(entry),.bytes = entry->bytes,.hits = entry->hits,
			.loaded = entry->loaded,.used = entry->used,.pinned = entry->pins > 0
		};
		return true;
	}
	return false;
}

int
cache_clear(void)
{
	dlist_mutable_iter iter;
	int			n = 0;

	dlist_foreach_modify(iter, &entries)
	{
		CacheEntry *entry = dlist_container(CacheEntry, node, iter.cur);

		if (entry->pins > 0)
			continue;
		drop_entry(entry);
		n++;
	}
	return n;
}

static void
unpin(void *arg)
{
	CacheEntry *entry = arg;

	entry->pins--;
	measure_entry(entry);
	shrink(NULL);
}

void
cache_pin(const ServedModel *served, MemoryContext context)
{
	CacheEntry *entry = (CacheEntry *) served;
	MemoryContextCallback *callback = MemoryContextAllocZero(context,
															 sizeof(MemoryContextCallback));

	callback->func = unpin;
	callback->arg = entry;
	MemoryContextRegisterResetCallback(context, callback);
	entry->pins++;
}
