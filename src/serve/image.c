/*
 * image.c
 *	  A loaded model as one block of bytes.
 *
 * Structs lie in it as they are, but for their pointers: these are offsets in
 * the block, 0 for NULL.  Writing walks through the model twice, first without
 * a block, to measure.  Opening copies the structs and makes pointers of offsets
 * again; numbers, keys and parameters are used where they are.
 */
#include "postgres.h"

#include "engine/networks/build.h"
#include "engine/trees/trees_bytes.h"
#include "serve/image.h"

#include "host.h"
#include "source/keys/types.h"
#include "utils/memutils.h"

typedef struct ImageHeader
{
	ModelVersion version;		/* its name is an offset */
	FeatureSpec spec;			/* features, vocabularies and label are offsets */
	Config		config;
	Size		n_params;
	uint32		n_domains;
	int			n_gates;
	Size		params;			/* offsets of arrays */
	Size		has_mask;
	Size		masks;
	Size		pairs;			/* of DomainPairs[n_features] with offsets */
	Size		domain_rows;
	Size		trees;			/* in their stored form; 0: none */
	Size		trees_size;
	Size		entities[N_ENTITY_KINDS];	/* in their stored form; 0: none */
	Size		entities_size[N_ENTITY_KINDS];
	Size		values;			/* of the scorer */
} ImageHeader;

typedef struct ImageWriter
{
	char	   *block;			/* NULL: measure */
	Size		size;
} ImageWriter;

/* Put bytes at the end of the block; returns their offset.  Aligned for the widest vector loads. */
static Size
put(ImageWriter *writer, const void *bytes, Size size)
{
	Size		offset = TYPEALIGN(64, writer->size);

	if (!bytes)
		return 0;
	if (writer->block)
		memcpy(writer->block + offset, bytes, size);
	writer->size = offset + size;
	return offset;
}

static void *
put_string(ImageWriter *writer, const char *string)
{
	return (void *) put(writer, string, string ? strlen(string) + 1 : 0);
}

static void
put_spec(ImageWriter *writer, const FeatureSpec *spec, FeatureSpec *written)
{
	Feature    *features = palloc(spec->n_features * sizeof(Feature));
	Vocabulary *vocabularies = palloc(spec->n_vocabularies * sizeof(Vocabulary));

	*written = *spec;
	memcpy(features, spec->features, spec->n_features * sizeof(Feature));
	memcpy(vocabularies, spec->vocabularies, spec->n_vocabularies * sizeof(Vocabulary));
	for (int f = 0; f < spec->n_features; f++)
	{
		features[f].name = put_string(writer, features[f].name);
		features[f].type_name = put_string(writer, features[f].type_name);
		features[f].edges = (void *) put(writer, features[f].edges,
										 features[f].n_edges * sizeof(double));
	}
	for (int v = 0; v < spec->n_vocabularies; v++)
	{
		vocabularies[v].name = put_string(writer, vocabularies[v].name);
		vocabularies[v].bytes = (void *) put(writer, vocabularies[v].bytes, vocabularies[v].size);
	}
	written->label = put_string(writer, spec->label);
	written->model = NULL;		/* the version's name, again when it is opened */
	written->features = (void *) put(writer, features, spec->n_features * sizeof(Feature));
	written->vocabularies = (void *) put(writer, vocabularies,
										 spec->n_vocabularies * sizeof(Vocabulary));
	pfree(features);
	pfree(vocabularies);
}

static Size
put_pairs(ImageWriter *writer, const DomainPairs *pairs, int n)
{
	DomainPairs *written = palloc(n * sizeof(DomainPairs));
	Size		offset;

	memcpy(written, pairs, n * sizeof(DomainPairs));
	for (int f = 0; f < n; f++)
	{
		if (pairs[f].n_pairs == 0)
			continue;
		written[f].start = (void *) put(writer, pairs[f].start,
										((Size) pairs[f].n_values + 1) * sizeof(uint32));
		written[f].domain = (void *) put(writer, pairs[f].domain,
										 (Size) pairs[f].n_pairs * sizeof(uint32));
	}
	offset = put(writer, written, n * sizeof(DomainPairs));
	pfree(written);
	return offset;
}

static Size
put_entities(ImageWriter *writer, const EntityTable *table, Size *size)
{
	*size = table ? table->n_bytes : 0;
	return table ? put(writer, table->bytes, table->n_bytes) : 0;
}

static void
put_model(ImageWriter *writer, const ServedModel *served)
{
	const LoadedModel *loaded = served->loaded;
	const Model *model = loaded->model;
	ImageHeader header = {.version = loaded->version,.config = model->config};
	const real *values;
	size_t		n_values;

	writer->size = sizeof(ImageHeader);
	header.version.name = put_string(writer, loaded->version.name);
	put_spec(writer, loaded->spec, &header.spec);
	header.n_params = model->n_params;
	header.n_domains = model->n_domains;
	header.n_gates = model->n_gates;
	header.params = put(writer, model->params, model->n_params * sizeof(real));
	header.has_mask = put(writer, model->has_mask, model->n_domains * sizeof(bool));
	header.masks = put(writer, model->masks, (Size) model->n_domains * model->n_gates);
	header.pairs = put_pairs(writer, model->pairs, model->shape.n_fields);
	header.domain_rows = put(writer, loaded->domain_rows, model->n_domains * sizeof(uint64));
	if (model->trees)
	{
		header.trees = put(writer, model->trees->bytes, model->trees->n_bytes);
		header.trees_size = model->trees->n_bytes;
	}
	for (EntityKind kind = 0; kind < N_ENTITY_KINDS; kind++)
		header.entities[kind] = put_entities(writer, model_entities(model, kind),
											 &header.entities_size[kind]);
	values = scorer_values(served->scorer, &n_values);
	header.values = put(writer, values, n_values * sizeof(real));
	if (writer->block)
		memcpy(writer->block, &header, sizeof(header));
}

Size
image_size(const ServedModel *served)
{
	ImageWriter writer = {0};

	put_model(&writer, served);
	return writer.size;
}

void
image_write(const ServedModel *served, void *block)
{
	ImageWriter writer = {.block = block};

	put_model(&writer, served);
}

/* The pointer that an offset means. */
static void *
at(const void *block, Size offset)
{
	return offset == 0 ? NULL : (char *) block + offset;
}

#define AT(block, pointer) at(block, (Size) (pointer))

static void *
copy_at(const void *block, const void *offset, Size size, MemoryContext context)
{
	return memcpy(MemoryContextAlloc(context, Max(size, 1)), AT(block, offset), size);
}

static FeatureSpec *
open_spec(const void *block, const FeatureSpec *written, MemoryContext context)
{
	FeatureSpec *spec = MemoryContextAlloc(context, sizeof(FeatureSpec));

	*spec = *written;
	spec->features = MemoryContextAlloc(context, (spec->n_features + 1) * sizeof(Feature));
	memcpy(spec->features, AT(block, written->features), spec->n_features * sizeof(Feature));
	spec->vocabularies = copy_at(block, written->vocabularies,
								 spec->n_vocabularies * sizeof(Vocabulary), context);
	spec->label = AT(block, written->label);
	for (int f = 0; f < spec->n_features; f++)
	{
		Feature    *feature = &spec->features[f];

		feature->name = AT(block, feature->name);
		feature->type_name = AT(block, feature->type_name);
		feature->edges = AT(block, feature->edges);
	}
	for (int v = 0; v < spec->n_vocabularies; v++)
	{
		Vocabulary *vocabulary = &spec->vocabularies[v];

		vocabulary->name = AT(block, vocabulary->name);
		vocabulary->bytes = AT(block, vocabulary->bytes);
	}
	if (spec->has_history)
		spec_add_history(spec, written->history_length);
	spec->resolved = 0;			/* another process resolved them */
	types_resolve(spec);
	return spec;
}

static DomainPairs *
open_pairs(const void *block, Size offset, int n, MemoryContext context)
{
	DomainPairs *pairs = copy_at(block, (void *) offset, n * sizeof(DomainPairs), context);

	for (int f = 0; f < n; f++)
	{
		if (pairs[f].n_pairs == 0)
			continue;
		pairs[f].start = AT(block, pairs[f].start);
		pairs[f].domain = AT(block, pairs[f].domain);
	}
	return pairs;
}

/* They were checked when they were loaded, and are too large to be checked by each session. */
static EntityTable *
open_entities(const void *block, Size offset, Size size, const Shape *shape, EntityKind kind,
			  Arena *arena)
{
	EngineError error;
	EntityTable *table;

	if (offset == 0)
		return NULL;
	table = entity_table_get(arena, at(block, offset), size, shape, kind, true, NULL, &error);
	if (!table)
		host_raise(&error);
	return table;
}

void
image_open(const void *block, const ModelVersion *version, MemoryContext context,
		   ServedModel *served)
{
	const ImageHeader *header = block;
	LoadedModel *loaded = MemoryContextAllocZero(context, sizeof(LoadedModel));
	Arena	   *arena = MemoryContextAllocZero(context, sizeof(Arena));
	Model		like = {.config = header->config,.n_params = header->n_params,
		.n_domains = header->n_domains,.n_gates = header->n_gates,
		.params = at(block, header->params),.has_mask = at(block, header->has_mask),
	.masks = at(block, header->masks)};
	EngineHost	host = host_callbacks();
	EngineError error;
	Shape		shape;

	host_arena(arena, context);
	loaded->version = *version;
	loaded->version.name = MemoryContextStrdup(context, version->name);
	loaded->spec = open_spec(block, &header->spec, context);
	loaded->spec->model = loaded->version.name;
	spec_shape(loaded->spec, &shape);
	loaded->model = model_attach(arena, &like, &shape,
								 open_pairs(block, header->pairs, shape.n_fields, context), &error);
	if (!loaded->model)
		host_raise(&error);
	if (header->trees != 0)
	{
		loaded->model->trees = trees_get(arena, at(block, header->trees), header->trees_size,
										 &loaded->model->shape, &error);
		if (!loaded->model->trees)
			host_raise(&error);
	}
	for (EntityKind kind = 0; kind < N_ENTITY_KINDS; kind++)
		*model_entities_at(loaded->model, kind) =
			open_entities(block, header->entities[kind], header->entities_size[kind],
						  &loaded->model->shape, kind, arena);
	loaded->domain_rows = at(block, header->domain_rows);
	served->loaded = loaded;
	served->scorer = scorer_attach(arena, loaded->model, READY_BYTES, at(block, header->values),
								   NULL, &host, &error);
	if (!served->scorer)
		host_raise(&error);
}
