/*
 * chunk.c
 *	  The form of stored bytes.
 */
#include "postgres.h"

#include "catalog/chunk.h"

#include "catalog/access.h"
#include "catalog/arguments.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "fault.h"
#include "miscadmin.h"
#include "port/pg_crc32c.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define CHUNK_MAGIC 0x44415241	/* "ARAD" */
#define CHUNK_FORMAT 1

/* Little-endian; vocabulary.c refuses other servers. */
typedef struct ChunkHeader
{
	uint32		magic;
	uint32		format;
	uint32		length;			/* of the payload */
	uint32		crc;			/* CRC-32C of the payload */
} ChunkHeader;

static uint32
payload_crc(const char *payload, Size size)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, payload, size);
	FIN_CRC32C(crc);
	return crc;
}

bytea *
chunk_seal(const char *payload, Size size)
{
	ChunkHeader header = {CHUNK_MAGIC, CHUNK_FORMAT, size, payload_crc(payload, size)};
	bytea	   *chunk = palloc(VARHDRSZ + sizeof(header) + size);

	SET_VARSIZE(chunk, VARHDRSZ + sizeof(header) + size);
	memcpy(VARDATA(chunk), &header, sizeof(header));
	memcpy(VARDATA(chunk) + sizeof(header), payload, size);
	return chunk;
}

void
stored_corrupt(const char *what, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("stored %s is corrupt", what),
			 errdetail("%s", detail),
			 errhint("Restore the model from a backup, or train it again.")));
}

const char *
chunk_open(const bytea *chunk, Size *size, const char *what)
{
	ChunkHeader header;

	if (VARSIZE_ANY_EXHDR(chunk) < sizeof(header))
		stored_corrupt(what, "It is shorter than its header.");
	memcpy(&header, VARDATA_ANY(chunk), sizeof(header));
	if (header.magic != CHUNK_MAGIC)
		stored_corrupt(what, "It does not begin as it should.");
	if (header.format != CHUNK_FORMAT)
		stored_corrupt(what, "It is of another format version.");
	*size = VARSIZE_ANY_EXHDR(chunk) - sizeof(header);
	if (header.length != *size)
		stored_corrupt(what, "Its length is not the one it was written with.");
	if (header.crc != payload_crc((const char *) VARDATA_ANY(chunk) + sizeof(header), *size))
		stored_corrupt(what, "Its checksum is wrong.");
	return (const char *) VARDATA_ANY(chunk) + sizeof(header);
}

void
chunks_write(const char *insert, int64 id, const char *kind, const char *name,
			 const char *bytes, Size size)
{
	MemoryContext chunk_context = AllocSetContextCreate(CurrentMemoryContext, "aread chunk",
														ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(chunk_context);
	Size		at = 0;
	int32		number = 0;

	do
	{
		Size		n = Min(size - at, CHUNK_SIZE);
		Arguments	arguments = {0};

		add_int8(&arguments, id);
		add_text(&arguments, kind);
		add_text(&arguments, name);
		add_int4(&arguments, number++);
		add_argument(&arguments, BYTEAOID, PointerGetDatum(chunk_seal(bytes + at, n)), false);
		run_statement(insert, &arguments);
		at += n;
		MemoryContextReset(chunk_context);
		CHECK_FOR_INTERRUPTS();
	} while (at < size);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(chunk_context);
}

/* The present chunk of a cursor into the buffer; returns its size. */
static Size
take_chunk(const char *what, int32 expected, char *buffer, Size room)
{
	Datum		stored = catalog_value(0, 2, NULL);
	const char *payload;
	bytea	   *chunk;
	Size		n;

	if (fault_hit("load"))
		ereport(ERROR, (errcode(ERRCODE_IO_ERROR), errmsg("could not load a chunk: fault")));
	if (DatumGetInt32(catalog_value(0, 1, NULL)) != expected)
		stored_corrupt(what, "A chunk is missing.");
	chunk = DatumGetByteaPP(stored);
	payload = chunk_open(chunk, &n, what);
	if (n > room)
		stored_corrupt(what, "It is longer than it should be.");
	memcpy(buffer, payload, n);
	if ((Pointer) chunk != DatumGetPointer(stored))
		pfree(chunk);
	return n;
}

void
chunks_read(const char *select, int64 id, const char *kind, const char *name, char *buffer,
			Size size)
{
	Oid			types[] = {INT8OID, TEXTOID, TEXTOID};
	Datum		values[] = {Int64GetDatum(id), CStringGetTextDatum(kind),
	CStringGetTextDatum(name)};
	const char *what = psprintf("%s \"%s\"", kind, name);
	Portal		portal = SPI_cursor_open_with_args(NULL, select, 3, types, values, NULL, true, 0);
	Size		at = 0;
	int32		expected = 0;

	for (;;)
	{
		SPI_cursor_fetch(portal, true, 1);
		if (SPI_processed == 0)
			break;
		at += take_chunk(what, expected++, buffer + at, size - at);
		SPI_freetuptable(SPI_tuptable);
		CHECK_FOR_INTERRUPTS();
	}
	SPI_cursor_close(portal);
	if (at != size || expected == 0)
		stored_corrupt(what, "It is shorter than it should be.");
}
