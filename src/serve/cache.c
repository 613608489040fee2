/*
 * cache.c
 *	  Models that this backend has loaded, ready to score.
 *
 * An entry is found in two steps.  Under the snapshot that it was found with
 * last, by its name alone; else the catalog says which version the name means
 * now, and that version's id, never reused, finds the entry.  Nothing has to
 * tell the cache about new versions, dropped models, changed rights or rolled
 * back transactions: each of them comes with another snapshot.
 */
#include "postgres.h"

#include "serve/cache.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "host.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "serve/settings.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* What a snapshot sees, small enough to compare for each row. */
typedef struct SnapshotKey
{
	TransactionId xmin;
	TransactionId xmax;
	CommandId	command;
	SubTransactionId subtransaction;
	uint32		n_running;
	uint32		running_hash;
	Oid			user;			/* rights are part of what was found */
	bool		valid;
} SnapshotKey;

typedef struct CacheEntry
{
	ServedModel served;			/* must be first */
	dlist_node	node;			/* in entries, used last first */
	SnapshotKey found;			/* when its name meant it */
	MemoryContext context;
	Size		bytes;
	int64		hits;
	TimestampTz loaded;
	TimestampTz used;
	int			pins;
} CacheEntry;

static dlist_head entries = DLIST_STATIC_INIT(entries);
static Size entries_bytes = 0;

static SnapshotKey
snapshot_key(void)
{
	Snapshot	snapshot = GetActiveSnapshot();
	SnapshotKey key = {
		.xmin = snapshot->xmin,
		.xmax = snapshot->xmax,
		.command = snapshot->curcid,
		.subtransaction = GetCurrentSubTransactionId(),
		.n_running = snapshot->xcnt + snapshot->subxcnt,
		.user = GetUserId(),
		.valid = true
	};

	if (snapshot->xcnt > 0)
		key.running_hash = hash_bytes((const unsigned char *) snapshot->xip,
									  snapshot->xcnt * sizeof(TransactionId));
	if (snapshot->subxcnt > 0)
		key.running_hash ^= hash_bytes((const unsigned char *) snapshot->subxip,
									   snapshot->subxcnt * sizeof(TransactionId));
	return key;
}

static bool
same_key(const SnapshotKey *a, const SnapshotKey *b)
{
	return a->valid && b->valid && a->xmin == b->xmin && a->xmax == b->xmax &&
		a->command == b->command && a->subtransaction == b->subtransaction &&
		a->n_running == b->n_running && a->running_hash == b->running_hash &&
		a->user == b->user;
}

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

/* Let go of what was used longest ago until the rest fits; "keep" stays. */
static void
shrink(const CacheEntry *keep)
{
	Size		limit = (Size) serve_cache_megabytes * 1024 * 1024;
	dlist_iter	iter;
	bool		dropped = true;

	while (entries_bytes > limit && dropped)
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

/* Load under the caller's memory context first: an error takes it all away. */
static CacheEntry *
load_entry(const ModelVersion *version)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aread model",
												  ALLOCSET_DEFAULT_SIZES);
	CacheEntry *entry = MemoryContextAllocZero(context, sizeof(CacheEntry));
	EngineError error;
	Arena	   *arena = MemoryContextAllocZero(context, sizeof(Arena));

	entry->context = context;
	entry->served.loaded = catalog_load(version, context);
	host_arena(arena, context);
	entry->served.scorer = scorer_create(arena, entry->served.loaded->model, READY_BYTES, NULL,
										  &error);
	if (!entry->served.scorer)
		host_raise(&error);
	entry->loaded = GetCurrentTimestamp();
	MemoryContextSetParent(context, TopMemoryContext);
	dlist_push_head(&entries, &entry->node);
	measure_entry(entry);
	shrink(entry);
	return entry;
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

		if (own->id == version->id && own->catalog == version->catalog &&
			own->crc == version->crc && strcmp(own->name, version->name) == 0)
			found = entry;
		else if (strcmp(own->name, version->name) == 0)
			entry->found.valid = false;
	}
	return found ? found : load_entry(version);
}

static const ServedModel *
use_entry(CacheEntry *entry)
{
	dlist_move_head(&entries, &entry->node);
	entry->hits++;
	entry->used = GetCurrentStatementStartTimestamp();
	return &entry->served;
}

const ServedModel *
cache_find(const char *name, Size length)
{
	SnapshotKey key = snapshot_key();
	ModelVersion version;
	CacheEntry *entry;
	dlist_iter	iter;

	dlist_foreach(iter, &entries)
	{
		entry = dlist_container(CacheEntry, node, iter.cur);
		if (same_key(&entry->found, &key) && has_name(entry, name, length))
			return use_entry(entry);
	}
	catalog_find(pnstrdup(name, length), &version);
	entry = entry_of_version(&version);
	entry->found = key;
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
