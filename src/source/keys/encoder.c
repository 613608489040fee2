/*
 * encoder.c
 *	  A value of a feature to its id.
 *
 * A value takes three steps.  It is cast to the type that the model was trained with
 * (convert.h), or taken by its digits (decimal.h).  It becomes a canonical key
 * (key.h), or of a feature of numbers one.  The key is looked up in the vocabulary,
 * the number in the edges of bins, or it becomes a vector (piecewise.h).
 *
 * Memory.  An encoder and its buffers lie in the context that it was made in; keys
 * of a value last until the next one.  It calls the server, so that no thread but
 * the session's own may use it.
 */
#include "postgres.h"

#include "source/keys/encoder.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "engine/base/search.h"
#include "miscadmin.h"
#include "source/keys/convert.h"
#include "source/keys/decimal.h"
#include "source/keys/dense.h"
#include "source/keys/key.h"
#include "source/keys/number.h"
#include "source/keys/piecewise.h"
#include "source/keys/vocabulary.h"
#include "utils/array.h"
#include "utils/builtins.h"

struct ValueEncoder
{
	const Feature *feature;
	const char *model;			/* NULL: it is being trained */
	const Vocabulary *vocabulary;
	ValueCast	cast;
	KeyWriter	key;			/* not for numbers */
	bool		from_citext;
	VectorReader *vectors;		/* of dense ones, which need no more than this and "members" */
	/* the latest value: its key, or NULL and its id */
	const char *noted;
	uint32		length;
	uint64		hash;
	uint32		id;
	/* lists: how the input array is made, and room for ids */
	ArrayMetaState array;		/* as far as walking through it needs */
	uint32	   *members;
	int			capacity;
	MemoryContext context;
};

/*
 * The type whose rules a feature's values follow; text where it is gone, or
 * another has its name.  What text is cut off for counts as text, too: 'ab' is
 * no "char", and most text no name.
 */
static void
read_target(const Feature *feature, ValueType *target)
{
	if (kind_is_number(feature->kind))
		type_require(feature->type == FLOAT4OID ? FLOAT4OID : FLOAT8OID, target);
	else if (feature->type == NAMEOID || feature->type == CHAROID)
		type_require(TEXTOID, target);
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
		encoder->array.element_type = input->element;
		type_require(input->element, input);
		encoder->array.typlen = input->length;
		encoder->array.typbyval = input->by_value;
		encoder->array.typalign = input->align;
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
	encoder->model = spec->model;
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
	encoder->from_citext = input.is_citext;
	cast_init(&encoder->cast, encoder->feature->name, &input, &target, context);
	if (encoder->cast.kind == CAST_LABEL)
		type_require(TEXTOID, &target);
	if (encoder->feature->kind == FEATURE_PIECEWISE)
		encoder->members = MemoryContextAlloc(context, (1 + feature_components(encoder->feature)) *
											  sizeof(uint32));
	if (!kind_is_number(encoder->feature->kind))
		key_writer_init(&encoder->key, &target, context);
	if (spec->citext_as_is)
		encoder->key.lower = false;
	return encoder;
}

/* Whose value it is that is no value, for messages (an error context callback). */
static void
tell_feature(void *encoder)
{
	const ValueEncoder *failing = encoder;

	/* what reads rows to train with tells the column */
	if (failing->model)
		errcontext("feature \"%s\" of model \"%s\"", failing->feature->name, failing->model);
}

uint32
bin_of(const Feature *feature, double value)
{
	if (isnan(value))
		return NULL_ID;
	return FIRST_ID + (uint32) sorted_place_above(feature->edges, feature->n_edges, value);
}

uint32
number_bin(const Feature *feature, const uint32 *ids, int n)
{
	return feature->kind == FEATURE_PIECEWISE ? piecewise_id(feature, ids, n) : ids[0];
}

/* What is past the type is infinite, or 0: in the outermost bin. */
static double
number_of(ValueEncoder *encoder, Datum value)
{
	ValueCast  *cast = &encoder->cast;
	double		number;
	char	   *digits;
	bool		past;

	/* the same, and soon done */
	if (is_integer(cast->from) && cast->from != OIDOID && cast->to == FLOAT8OID)
		return number_value(cast->from, value);
	digits = cast_digits(cast, value);
	if (!digits)
		return number_value(cast->to, cast_value(cast, value));
	number = decimal_float(digits, cast->to, &past);
	pfree(digits);
	return number;
}

double
encoder_number(ValueEncoder *encoder, Datum value, bool isnull)
{
	ErrorContextCallback callback = {error_context_stack, tell_feature, encoder};
	double		number;

	if (isnull)
		return NAN;
	error_context_stack = &callback;
	number = number_of(encoder, value);
	error_context_stack = callback.previous;
	return number;
}

/*
 * The key of a number out of its digits.  One past the type, one that is neither
 * true nor false among them, has the key that a numeric has, which no value of
 * the type has.
 */
static const char *
digits_key(ValueEncoder *encoder, const char *digits)
{
	Oid			type = encoder->cast.to;
	bool		past;
	double		number;
	char	   *key;

	if (type == FLOAT4OID || type == FLOAT8OID)
	{
		number = decimal_float(digits, type, &past);
		if (!past)
			return key_write(&encoder->key, type == FLOAT4OID ? Float4GetDatum((float4) number) :
							 Float8GetDatum(number), &encoder->length);
	}
	key = decimal_canonical(digits, is_integer(type));
	if (type == BOOLOID && (strcmp(key, "0") == 0 || strcmp(key, "1") == 0))
		return key_write(&encoder->key, BoolGetDatum(key[0] == '1'), &encoder->length);
	return key_take(&encoder->key, key, &encoder->length);
}

static const char *
key_of(ValueEncoder *encoder, Datum value)
{
	char	   *digits = cast_digits(&encoder->cast, value);
	const char *key;

	if (!digits)
		return key_write(&encoder->key, cast_value(&encoder->cast, value), &encoder->length);
	key = digits_key(encoder, digits);
	pfree(digits);				/* lists have many */
	return key;
}

void
encoder_note(ValueEncoder *encoder, Datum value, bool isnull)
{
	ErrorContextCallback callback = {error_context_stack, tell_feature, encoder};

	encoder->noted = NULL;
	encoder->id = NULL_ID;
	if (isnull)
		return;
	error_context_stack = &callback;
	if (encoder->feature->kind == FEATURE_BINNED)
		encoder->id = bin_of(encoder->feature, number_of(encoder, value));
	else
		encoder->noted = key_of(encoder, value);
	error_context_stack = callback.previous;
	if (!encoder->noted)
		return;
	encoder->hash = vocabulary_hash(encoder->noted, encoder->length);
	vocabulary_prefetch(encoder->vocabulary, encoder->hash);
}

void
encoder_prefetch_length(const ValueEncoder *encoder)
{
	if (encoder->noted)
		vocabulary_prefetch_length(encoder->vocabulary, encoder->hash);
}

void
encoder_prefetch_bytes(const ValueEncoder *encoder)
{
	if (encoder->noted)
		vocabulary_prefetch_bytes(encoder->vocabulary, encoder->hash, encoder->length);
}

uint32
encoder_noted_id(const ValueEncoder *encoder)
{
	return encoder->noted ?
		vocabulary_find_hash(encoder->vocabulary, encoder->noted, encoder->length, encoder->hash) :
		encoder->id;
}

const char *
encoder_noted_key(const ValueEncoder *encoder, uint32 *length)
{
	*length = encoder->length;
	return encoder->noted;
}

uint32
encoder_id(ValueEncoder *encoder, Datum value, bool isnull)
{
	encoder_note(encoder, value, isnull);
	return encoder_noted_id(encoder);
}

bool
encoder_has_one_spelling(const ValueEncoder *encoder)
{
	const ValueCast *cast = &encoder->cast;
	bool		cut = encoder->key.type == BPCHAROID && cast->from != BPCHAROID;

	if ((encoder->key.lower && !encoder->from_citext) || cut)
		return false;
	return cast->kind == CAST_NONE || (has_digits(cast->from) && has_digits(cast->to)) ||
		encoder->key.kind == KEY_TEXT;
}

static int
encode_vector(ValueEncoder *encoder, Datum value, const uint32 **members)
{
	int			length = vector_length(encoder->vectors);
	const float *numbers = vector_read(encoder->vectors, value);

	/* *members is that of NULL */
	if (!numbers)
		return 1;
	vector_members(numbers, length, encoder->members);
	vector_standardize(encoder->feature, encoder->members + 1, encoder->members + 1);
	*members = encoder->members;
	return 1 + length;
}

int
encoder_members(ValueEncoder *encoder, Datum value, bool isnull, const uint32 **members)
{
	static const uint32 null_list[] = {NULL_ID};
	ArrayType  *array;
	ArrayIterator iterator;
	Datum		member;
	int			n;
	int			n_members = 0;

	*members = null_list;
	if (isnull)
		return 1;
	if (encoder->vectors)
		return encode_vector(encoder, value, members);
	if (encoder->feature->kind == FEATURE_PIECEWISE)
	{
		*members = encoder->members;
		return piecewise_members(encoder->feature, encoder_number(encoder, value, false),
								 encoder->members);
	}
	array = DatumGetArrayTypeP(value);
	n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (n > encoder->capacity)
	{
		if (encoder->members)
			pfree(encoder->members);
		encoder->capacity = Max(n, 16);
		encoder->members = MemoryContextAllocHuge(encoder->context,
											  encoder->capacity * sizeof(uint32));
	}
	iterator = array_create_iterator(array, 0, &encoder->array);
	while (array_iterate(iterator, &member, &isnull))
	{
		/* the vocabulary of a model that somebody made up may take long to search */
		CHECK_FOR_INTERRUPTS();
		if (!isnull)
			encoder->members[n_members++] = encoder_id(encoder, member, false);
	}
	array_free_iterator(iterator);
	*members = encoder->members;
	return n_members;
}

/* Of one that is not NULL, and no list. */
static uint64
value_hash(ValueEncoder *encoder, Datum value)
{
	ErrorContextCallback callback = {error_context_stack, tell_feature, encoder};
	const char *key;
	double		number;

	if (kind_is_number(encoder->feature->kind))
	{
		number = encoder_number(encoder, value, false);
		if (number == 0)
			number = 0;			/* -0 */
		return hash_bytes_extended((const unsigned char *) &number, sizeof(number), 0);
	}
	error_context_stack = &callback;
	key = key_of(encoder, value);
	error_context_stack = callback.previous;
	return vocabulary_hash(key, encoder->length);
}

uint64
encoder_row_hash(ValueEncoder *encoder, Datum value, bool isnull)
{
	uint64		hash = 0;
	ArrayIterator iterator;
	Datum		member;

	if (isnull)
		return NULL_HASH;
	if (encoder->vectors)
		return vector_hash(encoder->vectors, value);
	if (encoder->feature->kind != FEATURE_LIST)
		return value_hash(encoder, value);
	iterator = array_create_iterator(DatumGetArrayTypeP(value), 0, &encoder->array);
	while (array_iterate(iterator, &member, &isnull))
	{
		CHECK_FOR_INTERRUPTS();
		if (!isnull)
			hash = hash_combine64(hash, value_hash(encoder, member));
	}
	array_free_iterator(iterator);
	return hash;
}
