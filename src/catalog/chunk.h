/*
 * chunk.h
 *	  The form of stored bytes: pieces with a header that says what they are.
 */
#ifndef AREAD_CATALOG_CHUNK_H
#define AREAD_CATALOG_CHUNK_H

#include "postgres.h"

/* CRC-32C, as headers of stored and of moved bytes have it. */
extern uint32 chunk_crc(const char *bytes, Size size);
/* A bytea of one piece: header and payload. */
extern bytea *chunk_seal(const char *payload, Size size);
/*
 * The payload of a stored piece (not detoasted here), after checks of magic,
 * format, length and CRC; raises ERRCODE_DATA_CORRUPTED.  "what" names it.
 */
extern const char *chunk_open(const bytea *chunk, Size *size, const char *what);

#endif							/* AREAD_CATALOG_CHUNK_H */
