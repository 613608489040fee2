/*
 * spool.c
 *	  Write-once arrays in memory or in temporary files.
 *
 * A spool is a buffer that doubles while its room has memory.  Then it becomes a
 * temporary file, written in pieces out of a small buffer.  spool_finish() maps the
 * file for reading; nothing is appended after that.
 *
 * Buffers and maps belong to the room's memory context.  When that goes, after an
 * error too, its callback ends the maps; files are closed by the transaction, or by
 * the process where they outlive it.
 *
 * The engine has spools, too: store_*() are its Store (engine/base/store.h).
 */
#include "postgres.h"

#include "source/read/spool.h"

#include <sys/mman.h>

#include "commands/tablespace.h"
#include "fault.h"
#include "host.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#define FIRST_CAPACITY ((Size) 8192)
/* A file is written in pieces of that size. */
#define FILE_BUFFER ((Size) 1024 * 1024)

/* A file in memory. */
typedef struct SpoolMap
{
	MemoryContextCallback callback;
	File		file;
	void	   *address;		/* NULL: given back */
	Size		size;
	struct SpoolMap *next;
} SpoolMap;

static bool
store_room(void *context, size_t bytes)
{
	return room_has(context, bytes);
}

static void *
store_begin(void *context)
{
	SpoolRoom  *room = context;
	Spool	   *spool = MemoryContextAlloc(room->context, sizeof(Spool));

	spool_init(spool, room);
	spool_to_file(spool);
	return spool;
}

static void
store_append(void *context, void *array, const void *bytes, size_t size)
{
	memcpy(spool_reserve(array, size), bytes, size);
	spool_advance(array, size);
}

static const void *
store_finish(void *context, void *array)
{
	return spool_finish(array);
}

static void
store_drop(void *context, void *array)
{
	spool_free(array);
	pfree(array);
}

void
room_init(SpoolRoom *room, MemoryContext context, int kilobytes, bool lasting)
{
	*room = (SpoolRoom) {.context = context,.limit = kilobytes * (Size) 1024,
		.lasting = lasting,
		.store = {store_room, store_begin, store_append, store_finish, store_drop, room}};
}

void
room_take(SpoolRoom *room, int64 bytes)
{
	room->used += bytes;
}

bool
room_has(const SpoolRoom *room, Size bytes)
{
	return room->used <= room->limit && bytes <= room->limit - room->used;
}

static void
unmap(void *argument)
{
	SpoolMap   *map = argument;

	if (map->address)
		munmap(map->address, map->size);
	map->address = NULL;
}

static void
close_map(SpoolMap *map)
{
	unmap(map);
	if (map->file > 0)
		FileClose(map->file);
	map->file = 0;
}

void
room_close(SpoolRoom *room)
{
	for (SpoolMap *map = room->maps; map; map = map->next)
		close_map(map);
}

void
spool_init(Spool *spool, SpoolRoom *room)
{
	*spool = (Spool) {.room = room};
}

/* Write the buffer to the file. */
static void
flush(Spool *spool)
{
	for (Size at = 0; at < spool->used;)
	{
		int			size = Min(spool->used - at, FILE_BUFFER);
		int			written;

		CHECK_FOR_INTERRUPTS();
		errno = 0;
		written = fault_hit("spill") ? 0 :
			FileWrite(spool->file, spool->buffer + at, size, spool->written,
							WAIT_EVENT_BUFFILE_WRITE);
		if (written != size)
		{
			if (errno == 0)
				errno = ENOSPC;
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not write to file \"%s\": %m", FilePathName(spool->file))));
		}
		spool->written += size;
		at += size;
	}
	spool->used = 0;
}

static void
set_capacity(Spool *spool, Size capacity)
{
	if (spool->buffer)
		spool->buffer = repalloc_huge(spool->buffer, capacity);
	else
	{
		/* of arrays that grow, large pages would be copied again and again */
		spool->buffer = MemoryContextAllocHuge(spool->room->context, capacity);
		host_large_pages(spool->buffer, capacity);
	}
	room_take(spool->room, (int64) capacity - (int64) spool->capacity);
	spool->capacity = capacity;
}

/* Give the buffer back. */
static void
free_buffer(Spool *spool)
{
	if (spool->buffer)
		pfree(spool->buffer);
	room_take(spool->room, -(int64) spool->capacity);
	spool->buffer = NULL;
	spool->capacity = spool->used = 0;
}

void
spool_to_file(Spool *spool)
{
	if (spool->file > 0)
		return;
	PrepareTempTablespaces();
	spool->file = OpenTemporaryFile(spool->room->lasting);
	flush(spool);
	free_buffer(spool);
}

void
spool_grow(Spool *spool, Size bytes)
{
	Size		capacity = Max(2 * spool->capacity, FIRST_CAPACITY);

	capacity = Max(capacity, spool->used + bytes);
	if (spool->file == 0 && !room_has(spool->room, capacity - spool->capacity))
	{
		/* twice as much may be too much, what is needed not */
		capacity = spool->used + bytes;
		if (spool->used > 0 || !room_has(spool->room, capacity - spool->capacity))
			spool_to_file(spool);
	}
	if (spool->file > 0)
	{
		flush(spool);
		capacity = Max(bytes, FILE_BUFFER);
	}
	if (capacity > spool->capacity)
		set_capacity(spool, capacity);
}

/* The file's bytes as memory. */
static SpoolMap *
map_file(Spool *spool)
{
	SpoolMap   *map = MemoryContextAllocZero(spool->room->context, sizeof(SpoolMap));

	map->file = spool->file;
	map->size = spool->written;
	map->next = spool->room->maps;
	spool->room->maps = map;
	map->callback.func = unmap;
	map->callback.arg = map;
	MemoryContextRegisterResetCallback(spool->room->context, &map->callback);
	if (map->size == 0)
		return map;
	map->address = mmap(NULL, map->size, PROT_READ, MAP_SHARED, FileGetRawDesc(map->file), 0);
	if (map->address == MAP_FAILED)
	{
		map->address = NULL;
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not map file \"%s\": %m", FilePathName(map->file))));
	}
	return map;
}

const void *
spool_finish(Spool *spool)
{
	if (spool->file == 0)
		return spool->buffer;
	flush(spool);
	free_buffer(spool);
	if (!spool->map)
		spool->map = map_file(spool);
	return spool->map->address;
}

void
spool_free(Spool *spool)
{
	free_buffer(spool);
	if (spool->map)
		close_map(spool->map);
	else if (spool->file > 0)
		FileClose(spool->file);
	spool_init(spool, spool->room);
}
