/*
 * exported.c
 *	  The form of an exported model.
 */
#include "postgres.h"

#include "catalog/exported.h"

#include "catalog/chunk.h"
#include "mb/pg_wchar.h"

#define EXPORT_MAGIC "AREADEXP"
#define EXPORT_FORMAT 1

/* Far more than kinds and names of tensors take. */
#define MAX_NAME 256

void
export_seal(char *bytes, Size size)
{
	ExportHeader header = {.format = EXPORT_FORMAT,.size = size - sizeof(header)};

	memcpy(header.magic, EXPORT_MAGIC, sizeof(header.magic));
	header.crc = chunk_crc(bytes + sizeof(header), header.size);
	memcpy(bytes, &header, sizeof(header));
}

void
import_corrupt(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("exported model is corrupt"),
			 errdetail("%s", detail),
			 errhint("Export it again, and move it as binary data.")));
}

static const char *
take(ExportReader *reader, uint64 size)
{
	const char *bytes = reader->at;

	if (size > reader->left)
		import_corrupt("It ends too early.");
	reader->at += size;
	reader->left -= size;
	return bytes;
}

uint64
export_take_number(ExportReader *reader)
{
	uint64		number;

	memcpy(&number, take(reader, sizeof(number)), sizeof(number));
	return number;
}

void
export_open(ExportReader *reader)
{
	ExportHeader header;

	if (reader->left < sizeof(header) || memcmp(reader->at, EXPORT_MAGIC, sizeof(header.magic)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("this is not an exported model"),
				 errhint("Pass what aread_export returned.")));
	memcpy(&header, take(reader, sizeof(header)), sizeof(header));
	if (header.format != EXPORT_FORMAT)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("exported model has format %u", header.format),
				 errdetail("This version of aread reads format %d.", EXPORT_FORMAT)));
	if (header.size != reader->left)
		import_corrupt("Its length is not the one it was written with.");
	if (header.crc != chunk_crc(reader->at, reader->left))
		import_corrupt("Its checksum is wrong.");
}

const char *
export_take_rows(ExportReader *reader, Size *length)
{
	const char *json;

	*length = export_take_number(reader);
	json = take(reader, *length);
	if (!pg_verify_mbstr(PG_UTF8, json, (int) *length, true) || memchr(json, '\0', *length))
		import_corrupt("Its rows are not UTF-8.");
	return json;
}

/* They become text of whatever encoding the database has. */
static const char *
take_name(ExportReader *reader, uint32 length)
{
	const char *name = take(reader, length);

	if (length > MAX_NAME)
		import_corrupt("A name is too long.");
	for (uint32 i = 0; i < length; i++)
		if (name[i] < ' ' || name[i] > '~')
			import_corrupt("A name is not one of a chunk.");
	return name;
}

ExportChunk
export_take_chunk(ExportReader *reader)
{
	ExportChunk chunk;

	memcpy(&chunk.lengths, take(reader, sizeof(chunk.lengths)), sizeof(chunk.lengths));
	chunk.kind = take_name(reader, chunk.lengths.kind);
	chunk.name = take_name(reader, chunk.lengths.name);
	chunk.data = take(reader, chunk.lengths.data);
	if (chunk.lengths.number > PG_INT32_MAX)
		import_corrupt("The number of a chunk is out of range.");
	return chunk;
}

void
export_end(const ExportReader *reader)
{
	if (reader->left > 0)
		import_corrupt("It does not end where it should.");
}
