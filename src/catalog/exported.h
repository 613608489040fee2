/*
 * exported.h
 *	  The form of an exported model.
 *
 * Little-endian and without padding:
 *	  header | length uint64, JSON in UTF-8 | number of chunks uint64 | chunks
 * The JSON has the version's rows of all tables but stored_chunk; a chunk is
 * its lengths, kind, name and data.
 */
#ifndef AREAD_CATALOG_EXPORTED_H
#define AREAD_CATALOG_EXPORTED_H

#include "compat.h"

typedef struct ExportHeader
{
	char		magic[8];
	uint32		format;
	uint32		crc;			/* CRC-32C of all that follows the header */
	uint64		size;			/* of all that follows */
} ExportHeader;

typedef struct ExportLengths
{
	uint32		kind;
	uint32		name;
	uint32		data;
	uint32		number;			/* of the chunk: no length */
} ExportLengths;

typedef struct ExportChunk
{
	ExportLengths lengths;
	const char *kind;			/* ASCII, not terminated; as the name */
	const char *name;
	const char *data;
} ExportChunk;

/* An exported value, read from its beginning to its end; errors are import_corrupt()'s. */
typedef struct ExportReader
{
	const char *at;
	Size		left;
} ExportReader;

/* Fill in the header of a value, "size" with it, whose rest is in its place. */
extern void export_seal(char *bytes, Size size);

/* Past the header, all of what it says checked; other errors for what is no export. */
extern void export_open(ExportReader *reader);
/* The rows: valid UTF-8 without zero bytes. */
extern const char *export_take_rows(ExportReader *reader, Size *length);
extern uint64 export_take_number(ExportReader *reader);
extern ExportChunk export_take_chunk(ExportReader *reader);
/* Nothing may be left. */
extern void export_end(const ExportReader *reader);
/* Raise ERRCODE_DATA_CORRUPTED. */
pg_noreturn extern void import_corrupt(const char *detail);

#endif							/* AREAD_CATALOG_EXPORTED_H */
