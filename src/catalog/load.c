/*
 * load.c
 *	  A model version out of the catalog, every byte checked.
 *
 * Stored rows are not trusted: superusers, replication or a restored dump may have
 * written them.  So sizes are checked before memory is asked for, numbers before
 * they are used as an index, and checksums over features, options and parameters at
 * the end.  What does not hold is ERRCODE_DATA_CORRUPTED.
 *
 * Order: features, vocabularies, the version's row, the checksum over these; then
 * options, the number of domains, domain weights, tensors, masks, trees, items and users, with
 * a checksum over both of these; then the checksum over the parameters.
 *
 * All rows are read under the caller's snapshot, so that they are of one version.
 * The model lies in the caller's context.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/access.h"
#include "catalog/checksums.h"
#include "catalog/chunks.h"
#include "catalog/masks.h"
#include "catalog/models.h"
#include "catalog/pg_type.h"
#include "corrupt.h"
#include "engine/networks/architectures.h"
#include "engine/networks/build.h"
#include "engine/trees/trees_bytes.h"
#include "host.h"
#include "miscadmin.h"
#include "options.h"
#include "source/crosses.h"
#include "source/keys/dense.h"
#include "source/keys/types.h"
#include "source/keys/vocabulary.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Fill a buffer that has exactly the size of what is stored. */
static void
read_bytes(int64 version_id, const char *kind, const char *name, char *buffer, Size size)
{
	chunks_read("SELECT chunk, data FROM aread.stored_chunk"
				" WHERE version_id = $1 AND kind = $2 AND name = $3 ORDER BY chunk",
				version_id, kind, name, buffer, size);
}

/* Payload bytes of one thing, from the lengths of its chunks. */
static Size
stored_size(int64 version_id, const char *kind, const char *name)
{
	Oid			types[] = {INT8OID, TEXTOID, TEXTOID};
	Datum		values[] = {Int64GetDatum(version_id), CStringGetTextDatum(kind),
	CStringGetTextDatum(name)};
	int64		size;

	catalog_query("SELECT COALESCE(pg_catalog.sum(pg_catalog.octet_length(data) - 16), 0)::int8"
				  " FROM aread.stored_chunk WHERE version_id = $1 AND kind = $2 AND name = $3",
				  true, 3, types, values, NULL);
	size = DatumGetInt64(catalog_value(0, 1, NULL));
	if (size < 0)
		stored_corrupt(kind, "It is shorter than its header.");
	return size;
}

/* All of one thing that has to have that size; nothing is allocated before it does. */
static char *
read_sized(int64 version_id, const char *kind, const char *name, Size size,
		   MemoryContext context)
{
	char	   *bytes;

	if (stored_size(version_id, kind, name) != size)
		stored_corrupt(kind, "Its size is not the one it should have.");
	bytes = MemoryContextAllocHuge(context, Max(size, 1));
	read_bytes(version_id, kind, name, bytes, size);
	return bytes;
}

static char *
text_value(uint64 row, int column)
{
	return TextDatumGetCString(catalog_value(row, column, NULL));
}

static void
check_ascending(const Feature *feature)
{
	for (int i = 0; i < feature->n_edges; i++)
		if (isnan(feature->edges[i]) || (i > 0 && feature->edges[i] <= feature->edges[i - 1]))
			stored_corrupt("bin edges", "They do not ascend.");
}

/* Of a vector feature, means and then standard deviations; before them bounds of pieces. */
static void
check_moments(const Feature *feature)
{
	int			length = feature_components(feature);
	int			n_bounds = feature->kind == FEATURE_PIECEWISE ? length + 1 : 0;

	if (feature->n_edges != n_bounds + 2 * length || length < 1 || length > MAX_COMPONENTS)
		stored_corrupt("feature", "The number of its components is out of range.");
	for (int i = 0; i < feature->n_edges; i++)
		if (!isfinite(feature->edges[i]) ||
			(i >= n_bounds + length && feature->edges[i] < 0))
			stored_corrupt("feature", "A mean or standard deviation of its components is out of range.");
	for (int i = 1; i < n_bounds; i++)
		if (feature->edges[i] <= feature->edges[i - 1])
			stored_corrupt("bin edges", "They do not ascend.");
}

static void
read_edges(Feature *feature, uint64 row, int column)
{
	bool		isnull;
	Datum		value = catalog_value(row, column, &isnull);
	ArrayType  *array;

	if (isnull)
		return;
	array = DatumGetArrayTypeP(value);
	if (ARR_NDIM(array) > 1 || ARR_HASNULL(array) || ARR_ELEMTYPE(array) != FLOAT8OID)
		stored_corrupt("bin edges", "They are not a list of numbers.");
	feature->n_edges = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	feature->edges = palloc(Max(feature->n_edges, 1) * sizeof(double));
	memcpy(feature->edges, ARR_DATA_PTR(array), feature->n_edges * sizeof(double));
	if (kind_is_vector(feature->kind))
		check_moments(feature);
	else
		check_ascending(feature);
}

static void
read_features(FeatureSpec *spec, int64 version_id, MemoryContext context)
{
	MemoryContext old;

	spec->n_features =
		(int) catalog_query_id("SELECT position, name, kind, type_name, vocabulary, min_count, edges,"
							   " counted"
							   " FROM aread.stored_feature WHERE version_id = $1 ORDER BY position",
							   version_id);
	old = MemoryContextSwitchTo(context);
	/* one more for a history */
	spec->features = palloc0((spec->n_features + 1) * sizeof(Feature));
	for (int f = 0; f < spec->n_features; f++)
	{
		Feature    *feature = &spec->features[f];

		if (DatumGetInt32(catalog_value(f, 1, NULL)) != f)
			stored_corrupt("feature", "A position is missing.");
		feature->name = text_value(f, 2);
		if (!feature_kind_of_name(text_value(f, 3), &feature->kind))
			stored_corrupt("feature", "Its kind is unknown.");
		feature->type_name = text_value(f, 4);
		feature->vocabulary = DatumGetInt32(catalog_value(f, 5, NULL));
		feature->min_count = (uint32) DatumGetInt64(catalog_value(f, 6, NULL));
		read_edges(feature, f, 7);
		if (feature->vocabulary < 0 || feature->vocabulary >= spec->n_features)
			stored_corrupt("feature", "Its vocabulary is out of range.");
		if (feature->kind == FEATURE_ROWS)
			feature->counted = DatumGetInt32(catalog_value(f, 8, NULL));
		if (!kind_is_derived(feature->kind) && spec->n_columns++ != f)
			stored_corrupt("feature", "A count or cross stands before a column.");
		if (feature->kind == FEATURE_ROWS && f > 0 && spec->features[f - 1].kind == FEATURE_CROSS)
			stored_corrupt("feature", "A cross stands before a count.");
		spec->n_vocabularies = Max(spec->n_vocabularies, feature->vocabulary + 1);
	}
	MemoryContextSwitchTo(old);
}

static void
read_vocabularies(FeatureSpec *spec, int64 version_id, MemoryContext context)
{
	spec->vocabularies = MemoryContextAllocZero(context,
												Max(spec->n_vocabularies, 1) * sizeof(Vocabulary));
	for (int v = 0; v < spec->n_vocabularies; v++)
	{
		char		name[16];
		Size		size;
		char	   *bytes;

		snprintf(name, sizeof(name), "%d", v);
		size = stored_size(version_id, "vocabulary", name);
		bytes = MemoryContextAllocHuge(context, Max(size, 1));
		read_bytes(version_id, "vocabulary", name, bytes, size);
		vocabulary_attach(&spec->vocabularies[v], bytes, size);
	}
}

/* A feature's place: -1 for NULL. */
static int
feature_position(uint64 row, int column)
{
	bool		isnull;
	int			position = DatumGetInt32(catalog_value(row, column, &isnull));

	if (isnull)
		return -1;
	if (position < 0)
		stored_corrupt("version", "The position of a feature is out of range.");
	return position;
}

/* What the version's row says; *options is the configuration as stored, *software what stored it. */
static void
read_version(FeatureSpec *spec, Jsonb **options, char **software, int64 version_id,
			 MemoryContext context)
{
	bool		isnull;
	Datum		threshold;

	if (catalog_query_id("SELECT label, label_threshold, domain_feature, user_feature, item_feature,"
						 " config, software FROM aread.stored_version WHERE version_id = $1", version_id) != 1)
		stored_corrupt("version", "Its row is missing.");
	catalog_value(0, 1, &isnull);
	spec->label = isnull ? NULL : MemoryContextStrdup(context, text_value(0, 1));
	threshold = catalog_value(0, 2, &isnull);
	spec->label_threshold = isnull ? NAN : DatumGetFloat8(threshold);
	spec->domain_feature = feature_position(0, 3);
	spec->user_feature = feature_position(0, 4);
	spec->item_feature = feature_position(0, 5);
	*options = DatumGetJsonbPCopy(catalog_value(0, 6, NULL));
	*software = text_value(0, 7);
}

static void
check_spec(const FeatureSpec *spec)
{
	const int	roles[] = {spec->domain_feature, spec->user_feature, spec->item_feature};

	if (spec->domain_feature < 0)
		stored_corrupt("version", "It has no domain.");
	for (int i = 0; i < lengthof(roles); i++)
		if (roles[i] >= spec->n_features ||
			(roles[i] >= 0 && spec->features[roles[i]].kind != FEATURE_CATEGORICAL))
			stored_corrupt("version", "The position of a feature is out of range.");
	/* domains are told by their names */
	if (spec->vocabularies[spec->features[spec->domain_feature].vocabulary].buckets > 0)
		stored_corrupt("version", "Its domains are hashed.");
	for (int f = 0; f < spec->n_features; f++)
	{
		const Feature *feature = &spec->features[f];
		const Vocabulary *vocabulary = &spec->vocabularies[feature->vocabulary];

		if (feature->kind == FEATURE_ROWS &&
			(feature->counted < 0 || feature->counted >= spec->n_columns ||
			 spec->features[feature->counted].kind != FEATURE_CATEGORICAL))
			stored_corrupt("feature", "What it counts is out of range.");
		if (feature->kind == FEATURE_CROSS && !cross_is_sound(spec, feature))
			stored_corrupt("feature", "What it is a cross of is out of range.");
		if ((feature->kind == FEATURE_BINNED || feature->kind == FEATURE_ROWS) &&
			vocabulary->n_rows != FIRST_ID + feature->n_edges + 1)
			stored_corrupt("feature", "Its bins do not fit its vocabulary.");
		if (kind_is_vector(feature->kind) &&
			(feature->n_edges == 0 || vocabulary->n_rows != FIRST_ID + feature_components(feature)))
			stored_corrupt("feature", "Its components do not fit its vocabulary.");
	}
}

/* Before 0.4.0 citext was taken as it is written. */
static bool
takes_citext_as_is(const char *software)
{
	return strcmp(software, "aread 0.1.0") == 0 || strcmp(software, "aread 0.2.0") == 0 ||
		strcmp(software, "aread 0.3.0") == 0;
}

/* Versions that aread 0.1.0 trained have no such checksum. */
static void
check_description(const FeatureSpec *spec, const Jsonb *options, const char *software,
				  int64 version_id)
{
	uint32		crc;

	if (strcmp(software, "aread 0.1.0") == 0)
		return;
	read_bytes(version_id, "checksum", "description", (char *) &crc, sizeof(crc));
	if (crc != catalog_description_crc(spec, options))
		stored_corrupt("model", "The checksum over its features and options is wrong.");
}

static void
read_masks(Model *model, int64 version_id)
{
	Size		size = stored_size(version_id, "masks", "masks");
	char	   *bytes = MemoryContextAllocHuge(CurrentMemoryContext, Max(size, 1));
	StoredMasks masks;

	read_bytes(version_id, "masks", "masks", bytes, size);
	masks_read(&masks, bytes, size);
	if (masks.n_domains != model->n_domains || masks.n_gates != model->n_gates ||
		memcmp(&masks.experts, &model->config.hei_experts, sizeof(IntList)) != 0)
		stored_corrupt("mask", "It does not fit the model.");
	memcpy(model->has_mask, masks.has_mask, masks.n_domains);
	memcpy(model->masks, masks.masks, (Size) masks.n_domains * masks.n_gates);
	pfree(bytes);
}

/* How many domain weights each feature has [n_fields]. */
static int64 *
read_domain_weights(const Shape *shape, int64 version_id)
{
	int64	   *n_pairs = palloc(shape->n_fields * sizeof(int64));

	if (catalog_query_id("SELECT domain_weights FROM aread.stored_feature WHERE version_id = $1"
						 " ORDER BY position", version_id) != shape->n_fields)
		stored_corrupt("feature", "A position is missing.");
	for (int f = 0; f < shape->n_fields; f++)
	{
		n_pairs[f] = DatumGetInt64(catalog_value(f, 1, NULL));
		if (n_pairs[f] < 0 || n_pairs[f] > PG_INT32_MAX)
			stored_corrupt("feature", "Its number of domain weights is out of range.");
	}
	return n_pairs;
}

/* Places of the domain weights [n_fields]. */
static DomainPairs *
read_pairs(const Shape *shape, int64 version_id, MemoryContext context)
{
	DomainPairs *pairs = MemoryContextAllocZero(context, shape->n_fields * sizeof(DomainPairs));
	int64	   *n_pairs = read_domain_weights(shape, version_id);

	for (int f = 0; f < shape->n_fields; f++)
	{
		uint32		n_values = shape_rows(shape, f);
		Size		start_size = ((Size) n_values + 1) * sizeof(uint32);
		Size		domain_size = n_pairs[f] * sizeof(uint32);

		if (n_pairs[f] == 0)
			continue;
		if (shape->field_is_list[f] || f == shape->domain_field)
			stored_corrupt("pairs", "A feature has domain weights that cannot have any.");
		pairs[f] = (DomainPairs) {.n_pairs = n_pairs[f],.n_values = n_values,
			.start = (void *) read_sized(version_id, "pairs", psprintf("start.%d", f), start_size,
										 context),
			.domain = (void *) read_sized(version_id, "pairs", psprintf("domain.%d", f),
										  domain_size, context)};
		if (!pairs_valid(&pairs[f], n_values, shape_domains(shape)))
			stored_corrupt("pairs", "They do not hold together.");
	}
	return pairs;
}

/* The trees beside the network; NULL: it has none. */
static Trees *
read_trees(const Model *model, int64 version_id, Arena *arena, MemoryContext context)
{
	Size		size = stored_size(version_id, "trees", "trees");
	EngineError error;
	Trees	   *trees;

	if (size == 0)
		return NULL;
	if (!architecture_has_trees(&model->config))
		stored_corrupt("trees", "The model can have none.");
	trees = trees_get(arena, read_sized(version_id, "trees", "trees", size, context), size,
					  &model->shape, &error);
	if (!trees)
		host_raise(&error);
	return trees;
}

/* What is kept of items or users in that way; NULL: nothing is. */
static EntityTable *
read_entities(const FeatureSpec *spec, const Model *model, EntityKind kind, int64 version_id,
			  Arena *arena, MemoryContext context)
{
	const char *name = entity_kind_names[kind];
	Size		size = stored_size(version_id, "entities", name);
	EngineHost	host = host_callbacks();
	Watch		watch = {.host = &host};
	EngineError error;
	EntityTable *table;

	if (size == 0)
		return NULL;
	/* a shape does not say so, and hashed ones have no keys to be listed by; sides need none */
	if (kind != ENTITY_SIDES && entity_field(&model->shape, kind) >= 0 &&
		!spec_has_keys(spec, entity_field(&model->shape, kind)))
		stored_corrupt("model", "It has a table of hashed items or users.");
	table = entity_table_get(arena, read_sized(version_id, "entities", name, size, context), size,
							 &model->shape, kind, false, &watch, &error);
	if (!table)
		host_raise(&error);
	return table;
}

/* Each table is sound, but is it this model's? */
static void
check_entities(const Model *model, int64 version_id)
{
	uint32		crc = 0;

	if (!model->items && !model->users && stored_size(version_id, "checksum", "entities") == 0)
		return;
	read_bytes(version_id, "checksum", "entities", (char *) &crc, sizeof(crc));
	if (crc != catalog_entities_crc(model))
		stored_corrupt("model", "The checksum over its items and users is wrong.");
}

/* A few stored numbers must not ask for memory that nothing stored would fill. */
static void
check_size(const Config *config, const Shape *shape, const DomainPairs *pairs, int64 version_id,
		   Arena *arena)
{
	EngineError error;
	size_t		n_params = model_count_params(arena, config, shape, pairs, &error);

	if (n_params == 0)
		host_raise(&error);
	catalog_query_id("SELECT COALESCE(pg_catalog.sum(pg_catalog.octet_length(data) - 16), 0)::int8"
					 " FROM aread.stored_chunk WHERE version_id = $1 AND kind = 'tensor'", version_id);
	if ((Size) DatumGetInt64(catalog_value(0, 1, NULL)) != n_params * sizeof(real))
		stored_corrupt("tensor", "The size of all of them is not that of the model.");
}

static Model *
read_model(const FeatureSpec *spec, const Config *config, int64 version_id,
		   MemoryContext context)
{
	Arena		arena;
	Shape		shape;
	DomainPairs *pairs;
	EngineError error;
	Model	   *model;

	host_arena(&arena, context);
	spec_shape(spec, &shape);
	pairs = read_pairs(&shape, version_id, context);
	check_size(config, &shape, pairs, version_id, &arena);
	model = model_create(&arena, config, &shape, pairs, &error);
	if (!model)
		host_raise(&error);
	for (int i = 0; i < model->n_tensors; i++)
		read_bytes(version_id, "tensor", model->tensors[i].name,
				   (char *) (model->params + model->tensors[i].offset),
				   model->tensors[i].size * sizeof(real));
	if (model->n_gates > 0)
		read_masks(model, version_id);
	model->trees = read_trees(model, version_id, &arena, context);
	for (EntityKind kind = 0; kind < N_ENTITY_KINDS; kind++)
		*model_entities_at(model, kind) = read_entities(spec, model, kind, version_id, &arena,
														context);
	check_entities(model, version_id);
	if (!model_check(model, &error))
		host_raise(&error);
	return model;
}

/* Before memory for as many domains as there are in the vocabulary. */
static uint64 *
read_domain_rows(int64 version_id, const FeatureSpec *spec, MemoryContext context)
{
	uint32		n_domains =
		spec->vocabularies[spec->features[spec->domain_feature].vocabulary].n_rows - FIRST_ID;
	uint64	   *rows;

	if (catalog_query_id("SELECT number, rows FROM aread.stored_domain WHERE version_id = $1"
						 " ORDER BY number", version_id) != n_domains)
		stored_corrupt("domain", "One is missing.");
	rows = MemoryContextAllocZero(context, Max(n_domains, 1) * sizeof(uint64));
	for (uint32 d = 0; d < n_domains; d++)
	{
		if (DatumGetInt32(catalog_value(d, 1, NULL)) != d)
			stored_corrupt("domain", "One is missing.");
		rows[d] = (uint64) DatumGetInt64(catalog_value(d, 2, NULL));
	}
	return rows;
}

LoadedModel *
catalog_load(const ModelVersion *version, MemoryContext context)
{
	LoadedModel *loaded = MemoryContextAllocZero(context, sizeof(LoadedModel));
	FeatureSpec *spec = MemoryContextAllocZero(context, sizeof(FeatureSpec));
	CatalogAccess access;
	Config		config;
	Jsonb	   *options;
	char	   *software;

	loaded->version = *version;
	loaded->version.name = MemoryContextStrdup(context, version->name);
	loaded->spec = spec;
	spec->model = loaded->version.name;
	catalog_enter(&access);
	read_features(spec, version->id, context);
	read_vocabularies(spec, version->id, context);
	read_version(spec, &options, &software, version->id, context);
	spec->citext_as_is = takes_citext_as_is(software);
	check_spec(spec);
	check_description(spec, options, software, version->id);
	options_parse_stored(options, &config);
	types_resolve(spec);
	spec_set_sides(spec, &config.history_side);
	if (spec->n_sides != config.history_side.n && config.history_length > 0)
		stored_corrupt("version", "Columns of its histories are no features.");
	loaded->domain_rows = read_domain_rows(version->id, spec, context);
	loaded->model = read_model(spec, &config, version->id, context);
	if (loaded->model->reads_history)
		spec_add_history(spec, config.history_length);
	catalog_leave(&access);
	/* each chunk is whole, but is each in its place? */
	if (catalog_model_crc(loaded->model) != version->crc)
		stored_corrupt("model", "The checksum over its parameters is wrong.");
	return loaded;
}
