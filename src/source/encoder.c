/*
 * encoder.c
 *	  A value of a feature to its id.
 */
#include "postgres.h"

#include "source/encoder.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "source/convert.h"
#include "source/dense.h"
#include "source/key.h"
#include "source/vocabulary.h"
#include "utils/array.h"
#include "utils/builtins.h"

struct ValueEncoder
{
	const Feature *feature;
	const Vocabulary *vocabulary;
	ValueCast	cast;
	KeyWriter	key;			/* not for binned features */
	VectorReader *vectors;		/* of dense ones, which need no more than this and "members" */
	/* the latest value: its key, or NULL and its id */
	const char *noted;
	uint32		length;
	uint64		hash;
	uint32		id;
	/* lists: how the input array is made, and room for ids */
	Oid			element_type;
	int16		element_length;
	bool		element_by_value;
	char		element_align;
	uint32	   *members;
	int			capacity;
	MemoryContext context;
};

static bool
is_integer(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

/* The type whose rules a feature's values follow; text where it is gone, or another has its name. */
static void
read_target(const Feature *feature, ValueType *target)
{
	if (feature->kind == FEATURE_BINNED)
		type_require(FLOAT8OID, target);
	else if (!OidIsValid(feature->type) || !type_read(feature->type, target) ||
			 key_kind_of(target) == KEY_UNSUPPORTED)
		type_require(TEXTOID, target);
}

/* The type of the values that will come, of a list's members. */
static void
read_input(ValueEncoder *encoder, Oid input_type, ValueType *input)
{
	type_require(input_type, input);
	if (encoder->feature->kind == FEATURE_LIST)
	{
		if (!OidIsValid(input->element))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("feature \"%s\" is a list, but its value is of type %s",
							encoder->feature->name, format_type_be(input_type)),
					 errhint("Pass an array.")));
		encoder->element_type = input->element;
		type_require(input->element, input);
		encoder->element_length = input->length;
		encoder->element_by_value = input->by_value;
		encoder->element_align = input->align;
	}
	else if (key_kind_of(input) == KEY_UNSUPPORTED && input->type != UNKNOWNOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("feature \"%s\" cannot take a value of type %s",
						encoder->feature->name, format_type_be(input_type))));
}

ValueEncoder *
encoder_create(const FeatureSpec *spec, int feature, Oid input_type, MemoryContext context)
{
	ValueEncoder *encoder = MemoryContextAllocZero(context, sizeof(ValueEncoder));
	ValueType	input;
	ValueType	target;

	encoder->feature = &spec->features[feature];
	encoder->vocabulary = &spec->vocabularies[encoder->feature->vocabulary];
	encoder->context = context;
	if (encoder->feature->kind == FEATURE_DENSE)
	{
		encoder->vectors = vector_reader(spec, feature, input_type, context);
		encoder->members = MemoryContextAlloc(context, (1 + vector_length(encoder->vectors)) *
											  sizeof(uint32));
		return encoder;
	}
	read_input(encoder, input_type, &input);
	read_target(encoder->feature, &target);
	/* integers of any width have the same keys */
	if (is_integer(target.type) && is_integer(input.type))
		target = input;
	cast_init(&encoder->cast, encoder->feature->name, &input, &target, context);
	if (encoder->cast.kind == CAST_LABEL)
		type_require(TEXTOID, &target);
	if (encoder->feature->kind != FEATURE_BINNED)
		key_writer_init(&encoder->key, &target, context);
	return encoder;
}

uint32
bin_of(const Feature *feature, double value)
{
	int			low = 0;
	int			high = feature->n_edges;

	if (isnan(value))
		return NULL_ID;
	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (feature->edges[middle] <= value)
			low = middle + 1;
		else
			high = middle;
	}
	return FIRST_ID + low;
}

double
encoder_number(ValueEncoder *encoder, Datum value, bool isnull)
{
	return isnull ? NAN : DatumGetFloat8(cast_value(&encoder->cast, value));
}

void
encoder_note(ValueEncoder *encoder, Datum value, bool isnull)
{
	encoder->noted = NULL;
	encoder->id = NULL_ID;
	if (isnull)
		return;
	if (encoder->feature->kind == FEATURE_BINNED)
	{
		encoder->id = bin_of(encoder->feature, encoder_number(encoder, value, false));
		return;
	}
	encoder->noted = key_write(&encoder->key, cast_value(&encoder->cast, value),
							   &encoder->length);
	encoder->hash = vocabulary_hash(encoder->noted, encoder->length);
	vocabulary_expect(encoder->vocabulary, encoder->hash);
}

void
encoder_expect_length(const ValueEncoder *encoder)
{
	if (encoder->noted)
		vocabulary_expect_length(encoder->vocabulary, encoder->hash);
}

void
encoder_expect_bytes(const ValueEncoder *encoder)
{
	if (encoder->noted)
		vocabulary_expect_bytes(encoder->vocabulary, encoder->hash, encoder->length);
}

uint32
encoder_noted_id(const ValueEncoder *encoder)
{
	return encoder->noted ?
		vocabulary_find_hash(encoder->vocabulary, encoder->noted, encoder->length, encoder->hash) :
		encoder->id;
}

uint32
encoder_id(ValueEncoder *encoder, Datum value, bool isnull)
{
	encoder_note(encoder, value, isnull);
	return encoder_noted_id(encoder);
}

static int
encode_vector(ValueEncoder *encoder, Datum value, const uint32 **members)
{
	int			length = vector_length(encoder->vectors);

	vector_members(vector_read(encoder->vectors, value), length, encoder->members);
	vector_standardize(encoder->feature, encoder->members + 1, encoder->members + 1);
	*members = encoder->members;
	return 1 + length;
}

int
encoder_members(ValueEncoder *encoder, Datum value, bool isnull, const uint32 **members)
{
	static const uint32 null_list[] = {NULL_ID};
	ArrayType  *array;
	Datum	   *values;
	bool	   *nulls;
	int			n;
	int			n_members = 0;

	*members = null_list;
	if (isnull)
		return 1;
	if (encoder->vectors)
		return encode_vector(encoder, value, members);
	array = DatumGetArrayTypeP(value);
	deconstruct_array(array, encoder->element_type, encoder->element_length,
					  encoder->element_by_value, encoder->element_align, &values, &nulls, &n);
	if (n > encoder->capacity)
	{
		if (encoder->members)
			pfree(encoder->members);
		encoder->capacity = Max(n, 16);
		encoder->members = MemoryContextAllocHuge(encoder->context,
											  encoder->capacity * sizeof(uint32));
	}
	for (int i = 0; i < n; i++)
	{
		/* the vocabulary of a model that somebody made up may take long to search */
		CHECK_FOR_INTERRUPTS();
		if (!nulls[i])
			encoder->members[n_members++] = encoder_id(encoder, values[i], false);
	}
	*members = encoder->members;
	return n_members;
}
