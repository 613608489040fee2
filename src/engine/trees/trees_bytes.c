/*
 * trees_bytes.c
 *	  Trees to bytes and back.
 *
 * Reading: sizes are checked against the block before anything is looked at, fields
 * against the model's shape, and then all that scoring uses as an index or adds up.
 */
#include "engine/trees/trees_bytes.h"

#include <math.h>
#include <string.h>

#include "engine/base/block.h"

/* Another layout is another number. */
#define LAYOUT 1

typedef struct StoredHeader
{
	uint32_t	layout;
	uint32_t	n_encodings;
	uint32_t	depth;			/* of the forest */
	uint32_t	n_trees;
	float		unseen[ENCODING_INPUTS];
	double		bias;
} StoredHeader;

typedef struct StoredEncoding
{
	int32_t		a;
	int32_t		b;				/* NO_FIELD: none */
	uint32_t	n_values;
	uint32_t	n_cells;
} StoredEncoding;

static void
put_encoding(const Encoding *encoding, BlockWriter *writer)
{
	if (encoding->b != NO_FIELD)
	{
		block_put(writer, encoding->start, (size_t) encoding->n_values + 1, sizeof(uint32_t));
		block_put(writer, encoding->second, encoding->n_cells, sizeof(uint32_t));
	}
	block_put(writer, encoding->values, encoding->n_cells, ENCODING_INPUTS * sizeof(float));
}

static void
put_forest(const Forest *forest, BlockWriter *writer)
{
	size_t		nodes = forest_nodes(forest->depth);
	size_t		n_trees = (size_t) forest->n_trees;

	block_put(writer, forest->inputs, n_trees * nodes, sizeof(uint16_t));
	block_put(writer, forest->thresholds, n_trees * nodes, sizeof(float));
	block_put(writer, forest->leaves, n_trees * (nodes + 1), sizeof(float));
}

static void
put_trees(const Trees *trees, BlockWriter *writer)
{
	const Encodings *encodings = &trees->encodings;
	StoredHeader header = {
		.layout = LAYOUT,.n_encodings = (uint32_t) encodings->n,
		.depth = (uint32_t) trees->forest.depth,.n_trees = (uint32_t) trees->forest.n_trees,
		.bias = trees->forest.bias
	};

	memcpy(header.unseen, encodings->unseen, sizeof(header.unseen));
	block_put(writer, &header, 1, sizeof(header));
	for (int i = 0; i < encodings->n; i++)
	{
		const Encoding *encoding = &encodings->list[i];
		StoredEncoding stored = {encoding->a, encoding->b, encoding->n_values, encoding->n_cells};

		block_put(writer, &stored, 1, sizeof(stored));
	}
	for (int i = 0; i < encodings->n; i++)
		put_encoding(&encodings->list[i], writer);
	put_forest(&trees->forest, writer);
}

size_t
trees_bytes_size(const Trees *trees)
{
	BlockWriter writer = {0};

	put_trees(trees, &writer);
	return writer.at;
}

void
trees_put(const Trees *trees, void *bytes)
{
	BlockWriter writer = {.bytes = bytes};

	put_trees(trees, &writer);
}

static bool
are_finite(const float *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(values[i]))
			return false;
	return true;
}

/* Do a pair's cells lie by values of a, and then by those of b? */
static bool
cells_valid(const Encoding *encoding, uint32_t second_values)
{
	const uint32_t *start = encoding->start;

	if (start[0] != 0 || start[encoding->n_values] != encoding->n_cells)
		return false;
	for (uint32_t v = 0; v < encoding->n_values; v++)
		if (start[v] > start[v + 1])
			return false;
	for (uint32_t v = 0; v < encoding->n_values; v++)
		for (uint32_t i = start[v]; i < start[v + 1]; i++)
			if (encoding->second[i] >= second_values ||
				(i > start[v] && encoding->second[i] <= encoding->second[i - 1]))
				return false;
	return true;
}

static bool
field_valid(const Shape *shape, int64_t field)
{
	return field >= 0 && field < shape->n_fields && shape_is_encodable(shape, (int) field);
}

/* Fields and sizes. */
static bool
take_encoding(BlockReader *reader, const Shape *shape, Encoding *encoding, EngineError *error)
{
	const StoredEncoding *stored = block_take(reader, 1, sizeof(StoredEncoding));

	if (!stored)
		return block_corrupt(reader, "they are too short", error);
	if (!field_valid(shape, stored->a) || stored->a == stored->b ||
		(stored->b != NO_FIELD && !field_valid(shape, stored->b)))
		return block_corrupt(reader, "a field is none of the model's", error);
	if (stored->n_values != shape_rows(shape, stored->a) ||
		(stored->b == NO_FIELD && stored->n_cells != stored->n_values))
		return block_corrupt(reader, "a table is not of its field's size", error);
	*encoding = (Encoding) {
		.a = stored->a,.b = stored->b,.n_values = stored->n_values,.n_cells = stored->n_cells
	};
	return true;
}

static bool
take_table(BlockReader *reader, const Shape *shape, Encoding *encoding, EngineError *error)
{
	bool		is_pair = encoding->b != NO_FIELD;

	if (is_pair)
	{
		encoding->start = block_take(reader, (size_t) encoding->n_values + 1, sizeof(uint32_t));
		encoding->second = block_take(reader, encoding->n_cells, sizeof(uint32_t));
	}
	encoding->values = block_take(reader, encoding->n_cells, ENCODING_INPUTS * sizeof(float));
	if (reader->too_short)
		return block_corrupt(reader, "they are too short", error);
	if (is_pair && !cells_valid(encoding, shape_rows(shape, encoding->b)))
		return block_corrupt(reader, "a table of pairs is not in order", error);
	if (!are_finite(encoding->values, (size_t) ENCODING_INPUTS * encoding->n_cells))
		return block_corrupt(reader, "a value is not finite", error);
	return true;
}

static bool
take_encodings(BlockReader *reader, Arena *arena, const StoredHeader *header, const Shape *shape,
			   Encodings *encodings, EngineError *error)
{
	if (header->n_encodings < 1 || header->n_encodings > TREES_MAX_ENCODINGS ||
		header->n_encodings > reader->left / sizeof(StoredEncoding))
		return block_corrupt(reader, "the number of encodings is out of range", error);
	if (!are_finite(header->unseen, ENCODING_INPUTS))
		return block_corrupt(reader, "a value is not finite", error);
	*encodings = (Encodings) {
		.n = (int) header->n_encodings,.list = ARENA_ARRAY(arena, Encoding, header->n_encodings)
	};
	if (!arena_ok(arena, error))
		return false;
	memcpy(encodings->unseen, header->unseen, sizeof(encodings->unseen));
	for (int i = 0; i < encodings->n; i++)
		if (!take_encoding(reader, shape, &encodings->list[i], error))
			return false;
	for (int i = 0; i < encodings->n; i++)
		if (!take_table(reader, shape, &encodings->list[i], error))
			return false;
	return true;
}

/* What is left is the forest. */
static bool
take_forest(BlockReader *reader, const StoredHeader *header, int n_inputs, Forest *forest,
			EngineError *error)
{
	size_t		nodes;

	if (header->depth < 1 || header->depth > FOREST_MAX_DEPTH ||
		header->n_trees > FOREST_MAX_TREES)
		return block_corrupt(reader, "the forest's size is out of range", error);
	*forest = (Forest) {
		.n_inputs = n_inputs,.depth = (int) header->depth,.n_trees = (int) header->n_trees,
		.bias = header->bias
	};
	nodes = forest_nodes(forest->depth);
	forest->inputs = block_take(reader, header->n_trees * nodes, sizeof(uint16_t));
	forest->thresholds = block_take(reader, header->n_trees * nodes, sizeof(float));
	forest->leaves = block_take(reader, header->n_trees * (nodes + 1), sizeof(float));
	if (reader->too_short)
		return block_corrupt(reader, "they are too short", error);
	if (reader->left > 0)
		return block_corrupt(reader, "they are too long", error);
	return forest_valid(forest) || block_corrupt(reader, "a tree is not valid", error);
}

Trees *
trees_get(Arena *arena, const void *bytes, size_t n, const Shape *shape, EngineError *error)
{
	Trees	   *trees = ARENA_ARRAY(arena, Trees, 1);
	BlockReader reader;
	const StoredHeader *header;

	if (!arena_ok(arena, error) ||
		!block_open(&reader, arena, bytes, n, sizeof(StoredHeader), "stored trees are", error))
		return NULL;
	trees->bytes = reader.bytes;
	trees->n_bytes = n;
	header = block_take(&reader, 1, sizeof(StoredHeader));
	if (header->layout != LAYOUT)
	{
		block_corrupt(&reader, "their layout is not known", error);
		return NULL;
	}
	if (!take_encodings(&reader, arena, header, shape, &trees->encodings, error) ||
		!take_forest(&reader, header, encodings_n_inputs(&trees->encodings), &trees->forest,
					 error))
		return NULL;
	return trees;
}

Trees *
trees_pack(Arena *arena, const Trees *trees, const Shape *shape, EngineError *error)
{
	size_t		n = trees_bytes_size(trees);
	char	   *bytes = arena_array(arena, n, 1);

	if (!arena_ok(arena, error))
		return NULL;
	trees_put(trees, bytes);
	return trees_get(arena, bytes, n, shape, error);
}
