/*
 * transfer.c
 *	  A model version as one value, to move it between databases.
 *
 * Little-endian and without padding:
 *	  header | length uint64, JSON in UTF-8 | number of chunks uint64 | chunks
 * The JSON has the version's rows of all tables but stored_chunk; a chunk is
 * four uint32 (lengths of kind, name and data; its number) and the three of them.
 */
#include "postgres.h"

#include "catalog/transfer.h"

#include "access/xact.h"
#include "catalog/access.h"
#include "catalog/models.h"
#include "catalog/pg_type.h"
#include "catalog/rights.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_crc32c.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#define EXPORT_MAGIC "AREADEXP"
#define EXPORT_FORMAT 1

typedef struct ExportHeader
{
	char		magic[8];
	uint32		format;
	uint32		crc;			/* CRC-32C of all that follows the header */
	uint64		size;			/* of all that follows */
} ExportHeader;

typedef struct ExportChunk
{
	uint32		kind_length;
	uint32		name_length;
	uint32		data_length;
	uint32		number;
} ExportChunk;

static uint32
crc_of(const char *bytes, Size size)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, bytes, size);
	FIN_CRC32C(crc);
	return crc;
}

/* A version's rows as JSON: between catalog_enter() and catalog_leave(), as all that follows. */
static char *
rows_as_json(const char *name, int64 version_id)
{
	Oid			types[] = {INT8OID, TEXTOID};
	Datum		values[] = {Int64GetDatum(version_id), CStringGetTextDatum(name)};
	char	   *json;

	catalog_query("SELECT pg_catalog.jsonb_build_object('model', $2,"
				  " 'version', (SELECT pg_catalog.to_jsonb(v) - '{version_id,model_id}'::text[]"
				  "  FROM aread.stored_version v WHERE v.version_id = $1),"
				  " 'features', ARRAY(SELECT pg_catalog.to_jsonb(f) - 'version_id'"
				  "  FROM aread.stored_feature f WHERE f.version_id = $1 ORDER BY f.position),"
				  " 'domains', ARRAY(SELECT pg_catalog.to_jsonb(d) - 'version_id'"
				  "  FROM aread.stored_domain d WHERE d.version_id = $1 ORDER BY d.number),"
				  " 'evaluations', ARRAY(SELECT pg_catalog.to_jsonb(e) - 'version_id'"
				  "  FROM aread.stored_evaluation e WHERE e.version_id = $1 ORDER BY e.number),"
				  " 'mask_updates', ARRAY(SELECT pg_catalog.to_jsonb(u) - 'version_id'"
				  "  FROM aread.stored_mask_update u WHERE u.version_id = $1"
				  "  ORDER BY u.number, u.domain))::text", true, 2, types, values, NULL);
	json = TextDatumGetCString(catalog_value(0, 1, NULL));
	return pg_server_to_any(json, strlen(json), PG_UTF8);
}

/* Chunks, in their order; raises an error beforehand if they would not fit. */
static void
append_chunks(StringInfo out, int64 version_id)
{
	Oid			type = INT8OID;
	Datum		value = Int64GetDatum(version_id);
	uint64		n;
	uint64		n_chunks;
	int64		size;
	Portal		portal;

	catalog_query("SELECT pg_catalog.count(*), COALESCE(pg_catalog.sum(pg_catalog.octet_length(data)"
				  " + pg_catalog.octet_length(kind) + pg_catalog.octet_length(name)), 0)::int8"
				  " FROM aread.stored_chunk WHERE version_id = $1", true, 1, &type, &value, NULL);
	n_chunks = (uint64) DatumGetInt64(catalog_value(0, 1, NULL));
	size = DatumGetInt64(catalog_value(0, 2, NULL)) + n_chunks * sizeof(ExportChunk) + sizeof(uint64);
	if (size > (int64) MaxAllocSize - out->len - 1)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("model is too large to be exported as one value"),
				 errdetail("It has %lld bytes; a value has room for 1 GB.", (long long) size),
				 errhint("Move it with pg_dump.")));
	enlargeStringInfo(out, (int) size);
	appendBinaryStringInfo(out, (char *) &n_chunks, sizeof(n_chunks));
	portal = SPI_cursor_open_with_args(NULL, "SELECT kind, name, chunk, data FROM aread.stored_chunk"
									   " WHERE version_id = $1 ORDER BY kind, name, chunk",
									   1, &type, &value, NULL, true, 0);
	for (n = 0; SPI_cursor_fetch(portal, true, 1), SPI_processed == 1; n++)
	{
		char	   *kind = TextDatumGetCString(catalog_value(0, 1, NULL));
		char	   *name = TextDatumGetCString(catalog_value(0, 2, NULL));
		Datum		stored = catalog_value(0, 4, NULL);
		bytea	   *data = DatumGetByteaPP(stored);
		ExportChunk chunk = {strlen(kind), strlen(name), VARSIZE_ANY_EXHDR(data),
		DatumGetInt32(catalog_value(0, 3, NULL))};

		appendBinaryStringInfo(out, (char *) &chunk, sizeof(chunk));
		appendBinaryStringInfo(out, kind, chunk.kind_length);
		appendBinaryStringInfo(out, name, chunk.name_length);
		appendBinaryStringInfo(out, VARDATA_ANY(data), chunk.data_length);
		if ((Pointer) data != DatumGetPointer(stored))
			pfree(data);
		SPI_freetuptable(SPI_tuptable);
		CHECK_FOR_INTERRUPTS();
	}
	SPI_cursor_close(portal);
	if (n != n_chunks)
		elog(ERROR, "chunks changed while they were read");
}

bytea *
catalog_export(const char *name)
{
	MemoryContext context = CurrentMemoryContext;
	ModelName	parsed = model_name_parse(name);
	ModelVersion version;
	CatalogAccess access;
	StringInfoData out;
	ExportHeader header = {.format = EXPORT_FORMAT};
	char	   *json;
	uint64		length;

	catalog_find(name, &version);
	catalog_require_owner(name);
	catalog_enter(&access);
	json = rows_as_json(parsed.name, version.id);
	length = strlen(json);
	/* SPI's memory goes with catalog_leave() */
	MemoryContextSwitchTo(context);
	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ + sizeof(header));
	appendBinaryStringInfo(&out, (char *) &length, sizeof(length));
	appendBinaryStringInfo(&out, json, length);
	append_chunks(&out, version.id);
	catalog_leave(&access);
	memcpy(header.magic, EXPORT_MAGIC, sizeof(header.magic));
	header.size = out.len - VARHDRSZ - sizeof(header);
	header.crc = crc_of(out.data + VARHDRSZ + sizeof(header), header.size);
	memcpy(out.data + VARHDRSZ, &header, sizeof(header));
	SET_VARSIZE(out.data, out.len);
	return (bytea *) out.data;
}

/* Bytes that are read from their beginning to their end. */
typedef struct Reader
{
	const char *at;
	Size		left;
} Reader;

pg_noreturn static void import_corrupt(const char *detail);

static void
import_corrupt(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("exported model is corrupt"),
			 errdetail("%s", detail),
			 errhint("Export it again, and move it as binary data.")));
}

static const char *
take(Reader *reader, uint64 size)
{
	const char *bytes = reader->at;

	if (size > reader->left)
		import_corrupt("It ends too early.");
	reader->at += size;
	reader->left -= size;
	return bytes;
}

static uint64
take_number(Reader *reader)
{
	uint64		number;

	memcpy(&number, take(reader, sizeof(number)), sizeof(number));
	return number;
}

static void
open_export(Reader *reader)
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
	if (header.crc != crc_of(reader->at, reader->left))
		import_corrupt("Its checksum is wrong.");
}

/* Text in the server's encoding. */
static char *
take_text(Reader *reader, uint64 length)
{
	const char *bytes = take(reader, length);

	if (!pg_verify_mbstr(PG_UTF8, bytes, (int) length, true) || memchr(bytes, '\0', length))
		import_corrupt("Its text is not UTF-8.");
	return pg_any_to_server(pnstrdup(bytes, length), (int) length, PG_UTF8);
}

static Datum
take_json(Reader *reader)
{
	uint64		length = take_number(reader);
	Datum		rows = DirectFunctionCall1(jsonb_in, CStringGetDatum(take_text(reader, length)));

	if (!JB_ROOT_IS_OBJECT(DatumGetJsonbP(rows)))
		import_corrupt("Its rows are no JSON object.");
	return rows;
}

/* Its own name. */
static const char *
own_name(Datum rows)
{
	JsonbValue	name;

	if (!getKeyJsonValueFromContainer(&DatumGetJsonbP(rows)->root, "model", strlen("model"), &name) ||
		name.type != jbvString)
		import_corrupt("It has no name.");
	return pnstrdup(name.val.string.val, name.val.string.len);
}

/* The version's row; its id. */
static int64
insert_version_row(Datum rows, int64 model_id, int32 version)
{
	Oid			types[] = {JSONBOID, INT8OID, INT4OID};
	Datum		values[] = {rows, Int64GetDatum(model_id), Int32GetDatum(version)};

	if (catalog_query("INSERT INTO aread.stored_version SELECT r.*"
					  " FROM pg_catalog.jsonb_populate_record(NULL::aread.stored_version,"
					  " ($1 -> 'version') || pg_catalog.jsonb_build_object('model_id', $2, 'version', $3,"
					  " 'version_id', pg_catalog.nextval('aread.stored_version_version_id_seq'))) r"
					  " RETURNING version_id", false, 3, types, values, NULL) != 1)
		import_corrupt("It has no version.");
	return DatumGetInt64(catalog_value(0, 1, NULL));
}

static void
insert_rows(Datum rows, int64 version_id)
{
	static const char *const statements[] = {
		"INSERT INTO aread.stored_feature SELECT r.*"
		" FROM pg_catalog.jsonb_array_elements($1 -> 'features') e,"
		" pg_catalog.jsonb_populate_record(NULL::aread.stored_feature,"
		" e || pg_catalog.jsonb_build_object('version_id', $2)) r",
		"INSERT INTO aread.stored_domain SELECT r.*"
		" FROM pg_catalog.jsonb_array_elements($1 -> 'domains') e,"
		" pg_catalog.jsonb_populate_record(NULL::aread.stored_domain,"
		" e || pg_catalog.jsonb_build_object('version_id', $2)) r",
		"INSERT INTO aread.stored_evaluation SELECT r.*"
		" FROM pg_catalog.jsonb_array_elements($1 -> 'evaluations') e,"
		" pg_catalog.jsonb_populate_record(NULL::aread.stored_evaluation,"
		" e || pg_catalog.jsonb_build_object('version_id', $2)) r",
		"INSERT INTO aread.stored_mask_update SELECT r.*"
		" FROM pg_catalog.jsonb_array_elements($1 -> 'mask_updates') e,"
		" pg_catalog.jsonb_populate_record(NULL::aread.stored_mask_update,"
		" e || pg_catalog.jsonb_build_object('version_id', $2)) r"
	};
	Oid			types[] = {JSONBOID, INT8OID};
	Datum		values[] = {rows, Int64GetDatum(version_id)};

	for (int i = 0; i < lengthof(statements); i++)
		catalog_query(statements[i], false, 2, types, values, NULL);
}

static void
insert_chunks(Reader *reader, int64 version_id)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aread import",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Oid			types[] = {INT8OID, TEXTOID, TEXTOID, INT4OID, BYTEAOID};

	for (uint64 left = take_number(reader); left > 0; left--)
	{
		ExportChunk chunk;
		Datum		values[5];

		memcpy(&chunk, take(reader, sizeof(chunk)), sizeof(chunk));
		values[0] = Int64GetDatum(version_id);
		values[1] = CStringGetTextDatum(take_text(reader, chunk.kind_length));
		values[2] = CStringGetTextDatum(take_text(reader, chunk.name_length));
		values[3] = Int32GetDatum((int32) chunk.number);
		values[4] = PointerGetDatum(cstring_to_text_with_len(take(reader, chunk.data_length),
															 (int) chunk.data_length));
		catalog_query("INSERT INTO aread.stored_chunk VALUES ($1, $2, $3, $4, $5)", false, 5, types,
					  values, NULL);
		MemoryContextReset(context);
		CHECK_FOR_INTERRUPTS();
	}
	if (reader->left > 0)
		import_corrupt("It does not end where it should.");
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* What scoring would read is whole, and is what was exported. */
static void
check_imported(const char *name, int32 version)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aread import",
												  ALLOCSET_DEFAULT_SIZES);
	ModelVersion found;
	LoadedModel *loaded;

	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	catalog_find(psprintf("%s@%d", name, version), &found);
	loaded = catalog_load(&found, context);
	if (catalog_model_crc(loaded->model) != found.crc)
		import_corrupt("The checksum over its parameters is wrong.");
	PopActiveSnapshot();
	MemoryContextDelete(context);
}

int32
catalog_import(const bytea *exported, const char *name, bool deploy)
{
	Reader		reader = {.at = VARDATA_ANY(exported),.left = VARSIZE_ANY_EXHDR(exported)};
	Oid			user = GetUserId();
	CatalogAccess access;
	Datum		rows;
	int32		version;
	int64		model_id;
	int64		version_id;

	open_export(&reader);
	rows = take_json(&reader);
	if (!name)
		name = own_name(rows);
	catalog_check_name(name);
	catalog_enter(&access);
	model_id = catalog_lock_model(name, user, deploy, &version);
	version_id = insert_version_row(rows, model_id, version);
	insert_rows(rows, version_id);
	insert_chunks(&reader, version_id);
	catalog_leave(&access);
	check_imported(name, version);
	return version;
}
