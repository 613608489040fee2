/*
 * spool.h
 *	  Arrays that are written once, from front to back, and then only read: in
 *	  memory as far as there is room, else in temporary files.
 *
 * A finished file is mapped into memory, so that readers, threads among them,
 * need not know where an array lies; the system keeps in memory what it has
 * room for.  Files are written by the server's own means: they count for
 * temp_file_limit, lie in temp_tablespaces, and lack of disk space is an error
 * of the query.
 */
#ifndef AREAD_SOURCE_READ_SPOOL_H
#define AREAD_SOURCE_READ_SPOOL_H

#include "postgres.h"
#include "storage/fd.h"

#include "engine/base/store.h"

/* The memory that spools share, and the files of those that found no room in it. */
typedef struct SpoolRoom
{
	MemoryContext context;
	Size		limit;			/* bytes */
	Size		used;
	bool		lasting;		/* files outlive the transaction */
	struct SpoolMap *maps;
	Store		store;			/* the engine's way to spools */
} SpoolRoom;

typedef struct Spool
{
	SpoolRoom  *room;
	char	   *buffer;			/* what is not in the file; without one: all */
	Size		capacity;
	Size		used;			/* of the buffer */
	File		file;			/* 0: none */
	Size		written;		/* to it */
	struct SpoolMap *map;		/* of a file, once it is finished */
} Spool;

/*
 * Room of so many kilobytes in a memory context.  Lasting files, which lie in
 * the database's own tablespace, are for processes that end on an error.
 */
extern void room_init(SpoolRoom *room, MemoryContext context, int kilobytes, bool lasting);
/* So many bytes of the room are taken, or (negative) given back, by something else. */
extern void room_take(SpoolRoom *room, int64 bytes);
/* Are so many bytes left? */
extern bool room_has(const SpoolRoom *room, Size bytes);
/*
 * Close all files; the owner calls it when all went well.  After an error the
 * transaction closes them (lasting ones the process), and maps end with the
 * memory context.
 */
extern void room_close(SpoolRoom *room);

extern void spool_init(Spool *spool, SpoolRoom *room);
/* From now on in a file. */
extern void spool_to_file(Spool *spool);
/* All of it, in one piece; there will be no more. */
extern const void *spool_finish(Spool *spool);
/* Give memory and file back. */
extern void spool_free(Spool *spool);
extern void spool_grow(Spool *spool, Size bytes);

/* Bytes so far. */
static inline Size
spool_size(const Spool *spool)
{
	return spool->written + spool->used;
}

/* Where the next bytes go. */
static inline void *
spool_reserve(Spool *spool, Size bytes)
{
	if (spool->capacity - spool->used < bytes)
		spool_grow(spool, bytes);
	return spool->buffer + spool->used;
}

/* They are there. */
static inline void
spool_advance(Spool *spool, Size bytes)
{
	spool->used += bytes;
}

#endif							/* AREAD_SOURCE_READ_SPOOL_H */
