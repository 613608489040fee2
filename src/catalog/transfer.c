/*
 * transfer.c
 *	  A model version as one value, to move it between databases.
 *
 * Export: the version's rows become JSON, its chunks follow as they are stored, and
 * a header with a checksum is put before (exported.h).  Rows are read under one
 * snapshot; the value is built in the caller's memory, 1 GB at most.
 *
 * Import: the value's checksum and form are checked, the model is locked
 * (model_lock.h), and rows and chunks are inserted as a new version.  Then the
 * version is loaded as scoring would do it, and what views show is checked, too.  An
 * error undoes all of it.
 */
#include "postgres.h"

#include "catalog/transfer.h"

#include "access/xact.h"
#include "catalog/access.h"
#include "catalog/arguments.h"
#include "catalog/chunks.h"
#include "catalog/exported.h"
#include "catalog/history.h"
#include "catalog/model_lock.h"
#include "catalog/model_source.h"
#include "catalog/models.h"
#include "catalog/pg_type.h"
#include "catalog/record.h"
#include "catalog/rights.h"
#include "catalog/versions.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/*
 * Bytes of an imported row as text: edges of as many bins as can be take three
 * quarters of it.  Of texts that are as long as values can be, no view's row
 * could be made.
 */
#define MAX_ROW_TEXT "2097152"

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
	size = DatumGetInt64(catalog_value(0, 2, NULL)) + n_chunks * sizeof(ExportLengths) + sizeof(uint64);
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
		ExportLengths lengths = {strlen(kind), strlen(name), VARSIZE_ANY_EXHDR(data),
		DatumGetInt32(catalog_value(0, 3, NULL))};

		appendBinaryStringInfo(out, (char *) &lengths, sizeof(lengths));
		appendBinaryStringInfo(out, kind, lengths.kind);
		appendBinaryStringInfo(out, name, lengths.name);
		appendBinaryStringInfo(out, VARDATA_ANY(data), lengths.data);
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
	char	   *json;
	uint64		length;

	catalog_find_owned(name, &version);
	catalog_enter(&access);
	/* numbers with all their digits, whatever the session wants to see; until catalog_leave() */
	(void) set_config_option("extra_float_digits", "1", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	json = rows_as_json(parsed.name, version.id);
	length = strlen(json);
	/* SPI's memory goes with catalog_leave() */
	MemoryContextSwitchTo(context);
	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ + sizeof(ExportHeader));
	appendBinaryStringInfo(&out, (char *) &length, sizeof(length));
	appendBinaryStringInfo(&out, json, length);
	append_chunks(&out, version.id);
	catalog_leave(&access);
	export_seal(out.data + VARHDRSZ, out.len - VARHDRSZ);
	SET_VARSIZE(out.data, out.len);
	return (bytea *) out.data;
}

/* The rows, as jsonb: an object, whatever its members are. */
static Datum
take_rows(ExportReader *reader)
{
	Size		length;
	const char *json = export_take_rows(reader, &length);
	char	   *text = pg_any_to_server(pnstrdup(json, length), (int) length, PG_UTF8);
	Datum		rows = DirectFunctionCall1(jsonb_in, CStringGetDatum(text));

	if (!JB_ROOT_IS_OBJECT(DatumGetJsonbP(rows)))
		import_corrupt("Its rows are no object.");
	return rows;
}

/* What it was called where it comes from. */
static const char *
own_name(Datum rows)
{
	JsonbValue	value;

	if (!getKeyJsonValueFromContainer(&DatumGetJsonbP(rows)->root, "model", strlen("model"), &value) ||
		value.type != jbvString)
		import_corrupt("It has no name.");
	return pnstrdup(value.val.string.val, value.val.string.len);
}

/* What it was trained over there; between catalog_enter() and catalog_leave(). */
static const char *
own_source(Datum rows)
{
	Oid			type = JSONBOID;
	const char *source;

	catalog_query("SELECT $1 #>> '{version,source_name}'", true, 1, &type, &rows, NULL);
	source = catalog_text(1, CurrentMemoryContext);
	if (!source)
		import_corrupt("It has no source.");
	return source;
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

/* Of what loading does not look at, and views show or decode: rows that no training would have written. */
static const struct
{
	const char *rows;			/* that are wrong: of version $1, of a model with $2 gates, $3 things in
								 * chunks, $4 parameters, $5 domains and calibration $6, that keeps $7 items
								 * and $8 users in $9 bytes */
	const char *complaint;
}			wrong_rows[] = {
	{"SELECT FROM aread.stored_version v WHERE v.version_id = $1"
		" AND pg_catalog.octet_length(v::text) > " MAX_ROW_TEXT
		" UNION ALL SELECT FROM aread.stored_feature f WHERE f.version_id = $1"
		" AND pg_catalog.octet_length(f::text) > " MAX_ROW_TEXT
		" UNION ALL SELECT FROM aread.stored_domain d WHERE d.version_id = $1"
		" AND pg_catalog.octet_length(d::text) > " MAX_ROW_TEXT
		" UNION ALL SELECT FROM aread.stored_evaluation e WHERE e.version_id = $1"
		" AND pg_catalog.octet_length(e::text) > " MAX_ROW_TEXT,
	"Its texts are too long."},
	{"SELECT FROM aread.stored_version v WHERE v.version_id = $1"
		" AND (LEAST(v.rows_read, v.train_rows, v.valid_rows, v.test_rows) < 0"
		" OR GREATEST(v.train_rows, v.valid_rows, v.test_rows) > v.rows_read"
		" OR v.rows_read > 1000000000000000"
		" OR v.personalized NOT BETWEEN 0 AND 1)"
		" UNION ALL SELECT FROM aread.stored_feature f WHERE f.version_id = $1"
		" AND f.vocabulary_rows NOT BETWEEN 0 AND 4294967296",
	"Its numbers are out of range."},
	/* exp() may differ by its last bits where the model was trained */
	{"SELECT FROM aread.stored_version v WHERE v.version_id = $1"
		" AND (v.n_parameters <> $4 OR v.n_domains <> $5"
		" OR COALESCE(v.kept_items, 0) <> $7 OR COALESCE(v.kept_users, 0) <> $8"
		" OR COALESCE(v.kept_bytes, 0) <> $9"
		" OR pg_catalog.array_ndims(v.calibration) <> 1"
		" OR pg_catalog.cardinality(v.calibration) <> pg_catalog.cardinality($6)"
		" OR EXISTS (SELECT FROM ROWS FROM (pg_catalog.unnest(v.calibration), pg_catalog.unnest($6)) c (told, own)"
		" WHERE c.told IS NULL OR NOT pg_catalog.abs(c.told - c.own) <= 1e-9 * (1 + pg_catalog.abs(c.own))))",
	"Its numbers are not those of the model."},
	/*
	 * What the view aread.ranking reads without an error, each row once; of a null, which
	 * is the measure of no lists, anything is.
	 */
	{"SELECT FROM aread.stored_version v WHERE v.version_id = $1 AND CASE pg_catalog.jsonb_typeof(v.ranking)"
		" WHEN 'array' THEN EXISTS (SELECT FROM pg_catalog.jsonb_array_elements(v.ranking) e"
		" WHERE pg_catalog.jsonb_typeof(e) <> 'object')"
		" OR EXISTS (SELECT FROM pg_catalog.jsonb_array_elements(v.ranking) e"
		" GROUP BY e -> 'split', e -> 'candidates' HAVING pg_catalog.count(*) > 1)"
		" OR EXISTS (SELECT FROM pg_catalog.jsonb_array_elements(v.ranking) e"
		" CROSS JOIN LATERAL pg_catalog.jsonb_each(CASE pg_catalog.jsonb_typeof(e) WHEN 'object' THEN e END) m"
		" WHERE CASE WHEN m.key = 'split' THEN COALESCE(m.value #>> '{}', '') NOT IN ('valid', 'test')"
		" WHEN m.key = 'candidates' THEN COALESCE(m.value #>> '{}', '') NOT IN ('uniform', 'popularity', 'all')"
		" WHEN pg_catalog.jsonb_typeof(m.value) = 'null' THEN false"
		" WHEN m.key NOT IN ('lists', 'items', 'ndcg', 'hit_rate', 'mrr')"
		" OR pg_catalog.jsonb_typeof(m.value) <> 'number' THEN true"
		" WHEN m.key = 'lists' THEN m.value::text !~ '^[0-9]{1,15}$'"
		" ELSE m.value::numeric <> 0 AND m.value::numeric NOT BETWEEN 1e-300"
		" AND CASE m.key WHEN 'items' THEN 1e15 ELSE 1 END END)"
		" ELSE v.ranking IS NOT NULL END",
	"Its measures of ranking are none that a training stores."},
	/* each of a relation's columns, and how often its value occurs */
	{"SELECT FROM aread.stored_feature f WHERE f.version_id = $1"
		" HAVING pg_catalog.count(*) > 2 * 1664",
	"It has too many features."},
	/* a last chunk of each of the things that may be stored is not full */
	{"SELECT FROM aread.stored_chunk c WHERE c.version_id = $1"
		" HAVING pg_catalog.count(*) > $3"
		" + pg_catalog.sum(pg_catalog.octet_length(c.data)) / " CppAsString2(CHUNK_SIZE),
	"It has chunks that nothing reads."},
	{"SELECT FROM aread.stored_mask_update u WHERE u.version_id = $1"
		" AND (pg_catalog.array_ndims(u.gates) IS DISTINCT FROM 1"
		" OR pg_catalog.cardinality(u.gates) <> $2"
		" OR pg_catalog.array_position(u.gates, NULL) IS NOT NULL)"
		" UNION ALL SELECT FROM aread.stored_chunk c WHERE c.version_id = $1"
		" AND c.kind = 'masks' AND ($2 = 0 OR c.name <> 'masks')",
	"A mask does not fit the model."}
};

/* Every role that sees the model would meet the error. */
static void
check_shown(const LoadedModel *loaded, int64 version_id)
{
	/*
	 * tensors; of each feature a vocabulary, its rare values and two parts of pairs; masks,
	 * trees, tables of items and users, and two checksums
	 */
	int64		n_things = loaded->model->n_tensors + 4 * (int64) loaded->spec->n_features + 4 +
		N_ENTITY_KINDS;
	Arguments	facts = {0};
	int64		kept[3];
	CatalogAccess access;

	add_int8(&facts, version_id);
	add_int4(&facts, loaded->model->n_gates);
	add_int8(&facts, n_things);
	add_int8(&facts, (int64) loaded->model->n_params);
	add_int4(&facts, (int32) loaded->model->n_domains);
	record_add_calibration(&facts, loaded->model);
	record_kept(loaded->model, kept);
	for (int i = 0; i < lengthof(kept); i++)
		add_int8(&facts, kept[i]);

	catalog_enter(&access);
	for (int i = 0; i < lengthof(wrong_rows); i++)
		if (catalog_query(wrong_rows[i].rows, true, facts.n, facts.types, facts.values, facts.nulls) > 0)
			import_corrupt(wrong_rows[i].complaint);
	catalog_leave(&access);
}

static void
insert_chunks(ExportReader *reader, int64 version_id)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aread import",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Oid			types[] = {INT8OID, TEXTOID, TEXTOID, INT4OID, BYTEAOID};

	for (uint64 left = export_take_number(reader); left > 0; left--)
	{
		ExportChunk chunk = export_take_chunk(reader);
		Datum		values[] = {
			Int64GetDatum(version_id),
			PointerGetDatum(cstring_to_text_with_len(chunk.kind, (int) chunk.lengths.kind)),
			PointerGetDatum(cstring_to_text_with_len(chunk.name, (int) chunk.lengths.name)),
			Int32GetDatum((int32) chunk.lengths.number),
			PointerGetDatum(cstring_to_text_with_len(chunk.data, (int) chunk.lengths.data))
		};

		catalog_query("INSERT INTO aread.stored_chunk VALUES ($1, $2, $3, $4, $5)", false, 5, types,
					  values, NULL);
		MemoryContextReset(context);
		CHECK_FOR_INTERRUPTS();
	}
	export_end(reader);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* What scoring would read is whole, and is what was exported. */
static void
check_imported(const char *name, int64 version_id)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aread import",
												  ALLOCSET_DEFAULT_SIZES);
	ModelVersion found;
	LoadedModel *loaded;

	catalog_find_new(version_id, name, &found);
	PushActiveSnapshot(GetLatestSnapshot());
	loaded = catalog_load(&found, context);
	check_shown(loaded, version_id);
	record_check(loaded);
	PopActiveSnapshot();
	MemoryContextDelete(context);
}

int32
catalog_import(const bytea *exported, const char *name, bool deploy)
{
	ExportReader reader = {.at = VARDATA_ANY(exported),.left = VARSIZE_ANY_EXHDR(exported)};
	Oid			user = GetUserId();
	bool		name_given = name != NULL;
	CatalogAccess access;
	Datum		rows;
	int32		version;
	LockedModel model;
	int64		version_id;

	export_open(&reader);
	rows = take_rows(&reader);
	if (!name)
		name = own_name(rows);
	catalog_enter(&access);
	lock_model(user, name, MISSING_IS_MADE, &model);
	if (!name_given)
		model_source_require_import(user, name, own_source(rows));
	version = catalog_new_version(&model, deploy);
	history_add(&model, &(HistoryEvent) {"import", version, deploy,
				deploy ? "argument deploy is true" : "argument deploy is false"});
	version_id = insert_version_row(rows, model.id, version);
	insert_rows(rows, version_id);
	insert_chunks(&reader, version_id);
	catalog_leave(&access);
	check_imported(name, version_id);
	return version;
}
