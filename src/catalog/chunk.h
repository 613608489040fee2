/*
 * chunk.h
 *	  The form of stored bytes: pieces with a header that says what they are.
 */
#ifndef AREAD_CHUNK_H
#define AREAD_CHUNK_H

#include "compat.h"

/* Payload of a full chunk. */
#define CHUNK_SIZE (512 * 1024)

/* A bytea of one piece: header and payload. */
extern bytea *chunk_seal(const char *payload, Size size);
/*
 * The payload of a stored piece (not detoasted here), after checks of magic,
 * format, length and CRC; raises ERRCODE_DATA_CORRUPTED.  "what" names it.
 */
extern const char *chunk_open(const bytea *chunk, Size *size, const char *what);
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
/* Raise ERRCODE_DATA_CORRUPTED about a stored thing. */
pg_noreturn extern void stored_corrupt(const char *what, const char *detail);

#endif							/* AREAD_CHUNK_H */
