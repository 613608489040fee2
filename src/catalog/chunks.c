/*
 * chunks.c
 *	  Stored bytes as rows of the catalog.
 */
#include "postgres.h"

#include "catalog/chunks.h"

#include "catalog/access.h"
#include "catalog/arguments.h"
#include "catalog/chunk.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "corrupt.h"
#include "fault.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

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
