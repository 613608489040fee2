/*
 * trees_bytes.c
 *	  Trees to bytes and back.
 *
 * Writing: one walk over all parts, which counts bytes or writes them.
 *
 * Reading: sizes are checked against the block before anything is looked at, fields
 * against the model's shape, and then all that scoring uses as an index or adds up.
 */
#include "engine/trees/trees_bytes.h"

#include <math.h>
#include <string.h>

/* Another layout is another number. */
#define LAYOUT 1

#define CORRUPT_HINT "Restore the model from a backup, or train it again."

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

/* Bytes to write; NULL: they are only counted. */
typedef struct Writer
{
	char	   *bytes;
	size_t		at;
} Writer;

/* Bytes of an array with those up to the next part. */
static size_t
padded(size_t size)
{
	return (size + TREES_ALIGNMENT - 1) / TREES_ALIGNMENT * TREES_ALIGNMENT;
}

static void
put(Writer *writer, const void *array, size_t count, size_t size)
{
	size_t		used = count * size;

	if (writer->bytes)
	{
		char	   *part = writer->bytes + writer->at;

		memset(part + used, 0, padded(used) - used);
		if (used > 0)
			memcpy(part, array, used);
	}
	writer->at += padded(used);
}

static void
put_encoding(const Encoding *encoding, Writer *writer)
{
	if (encoding->b != NO_FIELD)
	{
		put(writer, encoding->start, (size_t) encoding->n_values + 1, sizeof(uint32_t));
		put(writer, encoding->second, encoding->n_cells, sizeof(uint32_t));
	}
	put(writer, encoding->values, (size_t) ENCODING_INPUTS * encoding->n_cells, sizeof(float));
}

static void
put_forest(const Forest *forest, Writer *writer)
{
	size_t		nodes = forest_nodes(forest->depth);
	size_t		n_trees = (size_t) forest->n_trees;

	put(writer, forest->inputs, n_trees * nodes, sizeof(uint16_t));
	put(writer, forest->thresholds, n_trees * nodes, sizeof(float));
	put(writer, forest->leaves, n_trees * (nodes + 1), sizeof(float));
}

static void
put_trees(const Trees *trees, Writer *writer)
{
	const Encodings *encodings = &trees->encodings;
	StoredHeader header = {
		.layout = LAYOUT,.n_encodings = (uint32_t) encodings->n,
		.depth = (uint32_t) trees->forest.depth,.n_trees = (uint32_t) trees->forest.n_trees,
		.bias = trees->forest.bias
	};

	memcpy(header.unseen, encodings->unseen, sizeof(header.unseen));
	put(writer, &header, 1, sizeof(header));
	for (int i = 0; i < encodings->n; i++)
	{
		const Encoding *encoding = &encodings->list[i];
		StoredEncoding stored = {encoding->a, encoding->b, encoding->n_values, encoding->n_cells};

		put(writer, &stored, 1, sizeof(stored));
	}
	for (int i = 0; i < encodings->n; i++)
		put_encoding(&encodings->list[i], writer);
	put_forest(&trees->forest, writer);
}

size_t
trees_bytes_size(const Trees *trees)
{
	Writer		writer = {0};

	put_trees(trees, &writer);
	return writer.at;
}

void
trees_put(const Trees *trees, void *bytes)
{
	Writer		writer = {.bytes = bytes};

	put_trees(trees, &writer);
}

/* A block that is read from front to back. */
typedef struct Reader
{
	const char *bytes;
	size_t		left;
} Reader;

/* An array of the block; NULL: it would go beyond the end. */
static const void *
take(Reader *reader, size_t count, size_t size)
{
	const char *array = reader->bytes;
	size_t		used;

	/* the block ends at a multiple of the alignment, and "left" is one */
	if (__builtin_mul_overflow(count, size, &used) || used > reader->left)
		return NULL;
	reader->bytes += padded(used);
	reader->left -= padded(used);
	return array;
}

static bool
corrupt(EngineError *error, const char *why)
{
	return engine_fail(error, ENGINE_CORRUPT, CORRUPT_HINT, "stored trees are corrupt: %s", why);
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
take_encoding(Reader *reader, const Shape *shape, Encoding *encoding, EngineError *error)
{
	const StoredEncoding *stored = take(reader, 1, sizeof(StoredEncoding));

	if (!stored)
		return corrupt(error, "they are too short");
	if (!field_valid(shape, stored->a) || stored->a == stored->b ||
		(stored->b != NO_FIELD && !field_valid(shape, stored->b)))
		return corrupt(error, "a field is none of the model's");
	if (stored->n_values != shape_rows(shape, stored->a) ||
		(stored->b == NO_FIELD && stored->n_cells != stored->n_values))
		return corrupt(error, "a table is not of its field's size");
	*encoding = (Encoding) {
		.a = stored->a,.b = stored->b,.n_values = stored->n_values,.n_cells = stored->n_cells
	};
	return true;
}

static bool
take_table(Reader *reader, const Shape *shape, Encoding *encoding, EngineError *error)
{
	bool		is_pair = encoding->b != NO_FIELD;

	if (is_pair)
	{
		encoding->start = take(reader, (size_t) encoding->n_values + 1, sizeof(uint32_t));
		encoding->second = take(reader, encoding->n_cells, sizeof(uint32_t));
	}
	encoding->values = take(reader, encoding->n_cells, ENCODING_INPUTS * sizeof(float));
	if (!encoding->values || (is_pair && (!encoding->start || !encoding->second)))
		return corrupt(error, "they are too short");
	if (is_pair && !cells_valid(encoding, shape_rows(shape, encoding->b)))
		return corrupt(error, "a table of pairs is not in order");
	if (!are_finite(encoding->values, (size_t) ENCODING_INPUTS * encoding->n_cells))
		return corrupt(error, "a value is not finite");
	return true;
}

static bool
take_encodings(Reader *reader, Arena *arena, const StoredHeader *header, const Shape *shape,
			   Encodings *encodings, EngineError *error)
{
	if (header->n_encodings < 1 || header->n_encodings > TREES_MAX_ENCODINGS ||
		header->n_encodings > reader->left / sizeof(StoredEncoding))
		return corrupt(error, "the number of encodings is out of range");
	if (!are_finite(header->unseen, ENCODING_INPUTS))
		return corrupt(error, "a value is not finite");
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
take_forest(Reader *reader, const StoredHeader *header, int n_inputs, Forest *forest,
			EngineError *error)
{
	size_t		nodes;

	if (header->depth < 1 || header->depth > FOREST_MAX_DEPTH ||
		header->n_trees > FOREST_MAX_TREES)
		return corrupt(error, "the forest's size is out of range");
	*forest = (Forest) {
		.n_inputs = n_inputs,.depth = (int) header->depth,.n_trees = (int) header->n_trees,
		.bias = header->bias
	};
	nodes = forest_nodes(forest->depth);
	forest->inputs = take(reader, header->n_trees * nodes, sizeof(uint16_t));
	forest->thresholds = take(reader, header->n_trees * nodes, sizeof(float));
	forest->leaves = take(reader, header->n_trees * (nodes + 1), sizeof(float));
	if (!forest->inputs || !forest->thresholds || !forest->leaves)
		return corrupt(error, "they are too short");
	if (reader->left > 0)
		return corrupt(error, "they are too long");
	return forest_valid(forest) || corrupt(error, "a tree is not valid");
}

/* The block where it is, or a copy that is aligned; NULL on lack of memory. */
static const char *
aligned_block(Arena *arena, const void *bytes, size_t n, EngineError *error)
{
	void	   *copy;

	if ((uintptr_t) bytes % TREES_ALIGNMENT == 0)
		return bytes;
	copy = arena_alloc(arena, n);
	return arena_ok(arena, error) ? memcpy(copy, bytes, n) : NULL;
}

Trees *
trees_get(Arena *arena, const void *bytes, size_t n, const Shape *shape, EngineError *error)
{
	Trees	   *trees = ARENA_ARRAY(arena, Trees, 1);
	Reader		reader = {.left = n};
	const StoredHeader *header;

	if (!arena_ok(arena, error))
		return NULL;
	if (n % TREES_ALIGNMENT != 0 || n < sizeof(StoredHeader))
	{
		corrupt(error, "their length is none that they can have");
		return NULL;
	}
	reader.bytes = aligned_block(arena, bytes, n, error);
	if (!reader.bytes)
		return NULL;
	trees->bytes = reader.bytes;
	trees->n_bytes = n;
	header = take(&reader, 1, sizeof(StoredHeader));
	if (header->layout != LAYOUT)
	{
		corrupt(error, "their layout is not known");
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
