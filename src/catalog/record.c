/*
 * record.c
 *	  How a version was trained: what measuring it must know, and scoring need not.
 *
 * All of it lies in columns of a version that scoring never reads: the rule of its
 * split, rare values, what went with the item, and how training rows lay.  Versions
 * of before 0.4.0 lack some, which is no error unless a call needs it.
 *
 * Like load.c it trusts no stored row: what no training writes is
 * ERRCODE_DATA_CORRUPTED.  Results lie in the caller's memory context.
 */
#include "postgres.h"

#include "catalog/record.h"

#include <math.h>

#include "catalog/access.h"
#include "catalog/chunks.h"
#include "catalog/pg_type.h"
#include "catalog/rights.h"
#include "corrupt.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

static const char *const methods[] = {
	[SPLIT_BY_NAME] = "name",[SPLIT_BY_ORDER] = "order",[SPLIT_BY_HASH] = "hash"
};

void
record_add_split(Arguments *row, const SplitRule *split)
{
	const SplitBounds *bounds = &split->bounds;
	Datum		keys[] = {Int64GetDatum(bounds->first_valid), Int64GetDatum(bounds->first_test)};
	bool		nulls[] = {!bounds->has_valid, !bounds->has_test};
	int			n = lengthof(keys);
	int			lower = 1;
	double		shares[] = {split->valid_share, split->test_share};

	add_text(column(row, "split_method"), methods[split->method]);
	add_text(column(row, "split_type"), split->type_name);
	add_float8_array(column(row, "split_shares"), shares, lengthof(shares));
	add_argument(column(row, "split_bounds"), INT8ARRAYOID,
				 PointerGetDatum(construct_md_array(keys, nulls, 1, &n, &lower, INT8OID,
													sizeof(int64), FLOAT8PASSBYVAL,
													TYPALIGN_DOUBLE)), false);
}

void
record_add_calibration(Arguments *arguments, const Model *model)
{
	Calibration calibration = model_calibration(model);
	double		numbers[] = {exp(calibration.log_scale), calibration.shift,
		calibration.trees_weight};

	add_float8_array(arguments, numbers, model->trees ? 3 : 2);
}

void
record_kept(const Model *model, int64 kept[3])
{
	kept[0] = model->items ? (int64) model->items->n : 0;
	kept[1] = model->users ? (int64) model->users->n : 0;
	kept[2] = 0;
	for (EntityKind kind = 0; kind < N_ENTITY_KINDS; kind++)
		kept[2] += model_entities(model, kind) ? (int64) model_entities(model, kind)->n_bytes : 0;
}

static SplitMethod
parse_method(const char *name)
{
	for (int method = SPLIT_BY_NAME; method <= SPLIT_BY_HASH; method++)
		if (strcmp(methods[method], name) == 0)
			return (SplitMethod) method;
	stored_corrupt("version", "Its way to split rows is unknown.");
}

static int64
read_key(int column, bool *known)
{
	bool		isnull;
	Datum		value = catalog_value(0, column, &isnull);

	*known = !isnull;
	return isnull ? 0 : DatumGetInt64(value);
}

static double
read_share(int column)
{
	bool		isnull;
	double		share = DatumGetFloat8(catalog_value(0, column, &isnull));

	if (isnull || !(share >= 0 && share < 1))
		stored_corrupt("version", "A share of its rows is out of range.");
	return share;
}

/* Columns 3 on of the row at hand. */
static void
read_split(SplitRule *split, const char *method, MemoryContext context)
{
	split->method = parse_method(method);
	split->column = catalog_text(4, context);
	split->type_name = catalog_text(5, context);
	split->valid_share = read_share(6);
	split->test_share = read_share(7);
	split->bounds.first_valid = read_key(8, &split->bounds.has_valid);
	split->bounds.first_test = read_key(9, &split->bounds.has_test);
	split->seed = (uint64) DatumGetInt64(catalog_value(0, 10, NULL));
	if (split->method == SPLIT_BY_HASH)
		split->column = NULL;
	else if (!split->column || !split->type_name)
		stored_corrupt("version", "Its split column is missing.");
}

void
record_read(const ModelVersion *version, TrainingRecord *record)
{
	MemoryContext context = CurrentMemoryContext;
	const char *on_bad_label;
	const char *method;
	CatalogAccess access;

	memset(record, 0, sizeof(*record));
	catalog_enter(&access);
	if (catalog_query_id("SELECT source_name, options ->> 'on_bad_label', split_method, split, split_type,"
						 " split_shares[1], split_shares[2], split_bounds[1], split_bounds[2], seed,"
						 " rows_read, bad_labels"
						 " FROM aread.stored_version WHERE version_id = $1", version->id) != 1)
		stored_corrupt("version", "Its row is missing.");
	record->source_name = catalog_text(1, context);
	on_bad_label = catalog_text(2, context);
	if (on_bad_label && strcmp(on_bad_label, "skip") == 0)
		record->on_bad_label = BAD_LABELS_SKIP;
	record->rows_read = (uint64) DatumGetInt64(catalog_value(0, 11, NULL));
	record->bad_labels = (uint64) DatumGetInt64(catalog_value(0, 12, NULL));
	method = catalog_text(3, context);
	record->has_split = method != NULL;
	if (method)
		read_split(&record->split, method, context);
	catalog_leave(&access);
}

void
record_read_split(const ModelVersion *version, TrainingRecord *record)
{
	record_read(version, record);
	if (record->has_split)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("version %d of model \"%s\" does not tell which rows it was trained on",
					version->version, model_name_parse(version->name).name),
			 errdetail("It was trained by a version of aread before 0.4.0."),
			 errhint("Train it again.")));
}

/* Of one vocabulary, which has them if they are stored. */
static void
read_rare(Vocabulary *vocabulary, int v, int64 version_id, MemoryContext context)
{
	char		name[16];
	Oid			types[] = {INT8OID, TEXTOID};
	Datum		values[] = {Int64GetDatum(version_id), (Datum) 0};
	bool		isnull;
	int64		size;

	snprintf(name, sizeof(name), "%d", v);
	values[1] = CStringGetTextDatum(name);
	catalog_query("SELECT pg_catalog.sum(pg_catalog.octet_length(data) - 16)::int8"
				  " FROM aread.stored_chunk WHERE version_id = $1 AND kind = 'rare' AND name = $2",
				  true, 2, types, values, NULL);
	size = DatumGetInt64(catalog_value(0, 1, &isnull));
	if (isnull)
		return;
	if (size < 0 || size % sizeof(uint32) != 0 || size / sizeof(uint32) > PG_UINT32_MAX)
		stored_corrupt("rare", "Its size is not the one it should have.");
	vocabulary->n_rare = size / sizeof(uint32);
	vocabulary->rare = MemoryContextAllocHuge(context, size + 1);
	chunks_read("SELECT chunk, data FROM aread.stored_chunk"
				" WHERE version_id = $1 AND kind = $2 AND name = $3 ORDER BY chunk",
				version_id, "rare", name, (char *) vocabulary->rare, size);
}

FeatureSpec *
record_read_rare(const LoadedModel *loaded)
{
	MemoryContext context = CurrentMemoryContext;
	FeatureSpec *spec = palloc(sizeof(FeatureSpec));
	Size		size = loaded->spec->n_vocabularies * sizeof(Vocabulary);
	CatalogAccess access;

	*spec = *loaded->spec;
	spec->vocabularies = palloc(size);
	memcpy(spec->vocabularies, loaded->spec->vocabularies, size);
	catalog_enter(&access);
	for (int v = 0; v < spec->n_vocabularies; v++)
		if (spec->vocabularies[v].has_rare)
			read_rare(&spec->vocabularies[v], v, loaded->version.id, context);
	catalog_leave(&access);
	return spec;
}

/*
 * An array of numbers without NULLs [*n], of eight bytes each; NULL: there is
 * none.  A negative count is none.
 */
static const void *
read_array(uint64 row, int column, Oid type, int *n)
{
	bool		isnull;
	Datum		value = catalog_value(row, column, &isnull);
	ArrayType  *array;

	*n = 0;
	if (isnull)
		return NULL;
	array = DatumGetArrayTypeP(value);
	if (ARR_NDIM(array) > 1 || ARR_HASNULL(array) || ARR_ELEMTYPE(array) != type)
		stored_corrupt("version", "How its rows lay is no list of numbers.");
	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	for (int i = 0; i < *n && type == INT8OID; i++)
		if (((const int64 *) ARR_DATA_PTR(array))[i] < 0)
			stored_corrupt("version", "A number of its rows is negative.");
	return ARR_DATA_PTR(array);
}

static void
read_scores(Deciles *scores)
{
	int			n_edges;
	int			n_rows;
	const double *edges = read_array(0, 1, FLOAT8OID, &n_edges);
	const uint64 *rows = read_array(0, 2, INT8OID, &n_rows);

	if (!edges || !rows)
		return;
	if (n_edges >= N_DECILES || n_rows != n_edges + 1)
		stored_corrupt("version", "The spread of its scores does not hold together.");
	for (int i = 0; i < n_edges; i++)
		if (isnan(edges[i]) || (i > 0 && edges[i] <= edges[i - 1]))
			stored_corrupt("version", "The spread of its scores does not ascend.");
	scores->n_edges = n_edges;
	memcpy(scores->edges, edges, n_edges * sizeof(double));
	memcpy(scores->rows, rows, n_rows * sizeof(uint64));
}

bool *
record_read_bonds(const LoadedModel *loaded)
{
	bool	   *went_with_item = palloc0(loaded->spec->n_columns * sizeof(bool));
	CatalogAccess access;
	uint64		n;

	catalog_enter(&access);
	n = catalog_query_id("SELECT goes_with_item IS TRUE FROM aread.stored_feature"
						 " WHERE version_id = $1 ORDER BY position", loaded->version.id);
	for (uint64 row = 0; row < n && row < loaded->spec->n_columns; row++)
		went_with_item[row] = DatumGetBool(catalog_value(row, 1, NULL));
	catalog_leave(&access);
	return went_with_item;
}

void
record_read_spread(const LoadedModel *loaded, uint64 **bin_rows, Deciles *scores)
{
	MemoryContext context = CurrentMemoryContext;
	const FeatureSpec *spec = loaded->spec;
	uint64		n_features;
	CatalogAccess access;

	*scores = (Deciles) {0};
	catalog_enter(&access);
	n_features = catalog_query_id("SELECT bin_rows FROM aread.stored_feature WHERE version_id = $1"
								  " ORDER BY position", loaded->version.id);
	for (int f = 0; f < spec->n_columns && f < n_features; f++)
	{
		int			n;
		const void *rows = read_array(f, 1, INT8OID, &n);

		if (!rows || !kind_is_number(spec->features[f].kind))
			continue;
		if (n != feature_bins(&spec->features[f]) + 1)
			stored_corrupt("feature", "Rows of its bins do not fit its bins.");
		bin_rows[f] = MemoryContextAlloc(context, n * sizeof(uint64));
		memcpy(bin_rows[f], rows, n * sizeof(uint64));
	}
	if (catalog_query_id("SELECT score_edges, score_rows FROM aread.stored_version"
						 " WHERE version_id = $1", loaded->version.id) == 1)
		read_scores(scores);
	catalog_leave(&access);
}

void
record_check(const LoadedModel *loaded)
{
	uint64	  **bin_rows = palloc0(Max(loaded->spec->n_columns, 1) * sizeof(uint64 *));
	TrainingRecord record;
	Deciles		scores;

	record_read(&loaded->version, &record);
	record_read_spread(loaded, bin_rows, &scores);
	(void) record_read_rare(loaded);
}
