/*
 * chunks.h
 *	  Stored bytes as rows of the catalog.
 */
#ifndef AREAD_CATALOG_CHUNKS_H
#define AREAD_CATALOG_CHUNKS_H

#include "postgres.h"

/* Payload of a full chunk. */
#define CHUNK_SIZE (512 * 1024)

/*
 * Bytes in chunks, by a statement that inserts one: its parameters are an id,
 * kind, name, number and data.  An empty thing is one empty chunk.  Between
 * catalog_enter() and catalog_leave().
 */
extern void chunks_write(const char *insert, int64 id, const char *kind, const char *name,
						 const char *bytes, Size size);
/*
 * The reverse, by a statement that selects number and data by id, kind and
 * name, in order; what is stored has to have that size.
 */
extern void chunks_read(const char *select, int64 id, const char *kind, const char *name,
						char *buffer, Size size);

#endif							/* AREAD_CATALOG_CHUNKS_H */
