/*
 * chunk.c
 *	  The form of stored bytes.
 */
#include "postgres.h"

#include "catalog/chunk.h"

#include "corrupt.h"
#include "port/pg_crc32c.h"

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

uint32
chunk_crc(const char *bytes, Size size)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, bytes, size);
	FIN_CRC32C(crc);
	return crc;
}

bytea *
chunk_seal(const char *payload, Size size)
{
	ChunkHeader header = {CHUNK_MAGIC, CHUNK_FORMAT, size, chunk_crc(payload, size)};
	bytea	   *chunk = palloc(VARHDRSZ + sizeof(header) + size);

	SET_VARSIZE(chunk, VARHDRSZ + sizeof(header) + size);
	memcpy(VARDATA(chunk), &header, sizeof(header));
	memcpy(VARDATA(chunk) + sizeof(header), payload, size);
	return chunk;
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
	if (header.crc != chunk_crc((const char *) VARDATA_ANY(chunk) + sizeof(header), *size))
		stored_corrupt(what, "Its checksum is wrong.");
	return (const char *) VARDATA_ANY(chunk) + sizeof(header);
}
