/*
 * encoder.c
 *	  A value of a feature to its id.
 */
#include "postgres.h"

#include "source/encoder.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "parser/parse_coerce.h"
#include "source/key.h"
#include "source/vocabulary.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* How a value gets from its own type to the one wanted. */
typedef enum CastKind
{
	CAST_NONE,					/* it is of that type, or binary compatible */
	CAST_FUNCTION,
	CAST_NUMERIC,				/* numeric to double, infinite where it is too large for that */
	CAST_FROM_TEXT,				/* text or C string through the input function */
	CAST_THROUGH_TEXT			/* output function, then input function */
} CastKind;

typedef struct ValueCast
{
	CastKind	kind;
	Oid			from;
	FmgrInfo	function;		/* cast or input function */
	Oid			io_param;
	FmgrInfo	output;
} ValueCast;

struct ValueEncoder
{
	const Feature *feature;
	const Vocabulary *vocabulary;
	ValueCast	cast;
	KeyWriter	key;			/* not for binned features */
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

static void
cast_init(ValueCast *cast, Oid from, Oid to, MemoryContext context)
{
	CoercionPathType path;
	Oid			function;

	cast->from = getBaseType(from);
	cast->kind = CAST_NONE;
	if (cast->from == to)
		return;
	if (cast->from == NUMERICOID && to == FLOAT8OID)
	{
		cast->kind = CAST_NUMERIC;
		return;
	}
	path = from == UNKNOWNOID ? COERCION_PATH_NONE :
		find_coercion_pathway(to, cast->from, COERCION_ASSIGNMENT, &function);
	if (path == COERCION_PATH_RELABELTYPE)
		return;
	if (path == COERCION_PATH_FUNC && get_func_nargs(function) == 1)
	{
		cast->kind = CAST_FUNCTION;
		fmgr_info_cxt(function, &cast->function, context);
		return;
	}
	cast->kind = from == UNKNOWNOID || cast->from == TEXTOID || cast->from == VARCHAROID ?
		CAST_FROM_TEXT : CAST_THROUGH_TEXT;
	getTypeInputInfo(to, &function, &cast->io_param);
	fmgr_info_cxt(function, &cast->function, context);
	if (cast->kind == CAST_THROUGH_TEXT)
	{
		bool		is_varlena;

		getTypeOutputInfo(cast->from, &function, &is_varlena);
		fmgr_info_cxt(function, &cast->output, context);
	}
}

static Datum
cast_value(ValueCast *cast, Datum value)
{
	char	   *string;

	switch (cast->kind)
	{
		case CAST_NONE:
			return value;
		case CAST_FUNCTION:
			return FunctionCall1(&cast->function, value);
		case CAST_NUMERIC:
			return DirectFunctionCall1(numeric_float8_no_overflow, value);
		case CAST_FROM_TEXT:
			string = cast->from == UNKNOWNOID ? DatumGetCString(value) : TextDatumGetCString(value);
			return InputFunctionCall(&cast->function, string, cast->io_param, -1);
		case CAST_THROUGH_TEXT:
			string = OutputFunctionCall(&cast->output, value);
			return InputFunctionCall(&cast->function, string, cast->io_param, -1);
	}
	pg_unreachable();
}

/* The type whose rules a feature's values follow; text where it is gone, or another has its name. */
static Oid
target_type(const Feature *feature)
{
	if (feature->kind == FEATURE_BINNED)
		return FLOAT8OID;
	return OidIsValid(feature->type) && key_kind(feature->type) != KEY_UNSUPPORTED ?
		getBaseType(feature->type) : TEXTOID;
}

ValueEncoder *
encoder_create(const FeatureSpec *spec, int feature, Oid input_type, MemoryContext context)
{
	ValueEncoder *encoder = MemoryContextAllocZero(context, sizeof(ValueEncoder));
	Oid			input = input_type;
	Oid			target;

	encoder->feature = &spec->features[feature];
	encoder->vocabulary = &spec->vocabularies[encoder->feature->vocabulary];
	encoder->context = context;
	target = target_type(encoder->feature);
	if (encoder->feature->kind == FEATURE_LIST)
	{
		input = get_element_type(getBaseType(input_type));
		if (!OidIsValid(input))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("feature \"%s\" is a list, but its value is of type %s",
							encoder->feature->name, format_type_be(input_type)),
					 errhint("Pass an array.")));
		encoder->element_type = input;
		get_typlenbyvalalign(input, &encoder->element_length, &encoder->element_by_value,
							 &encoder->element_align);
	}
	else if (key_kind(input) == KEY_UNSUPPORTED && input != UNKNOWNOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("feature \"%s\" cannot take a value of type %s",
						encoder->feature->name, format_type_be(input_type))));
	/* integers of any width have the same keys */
	if (is_integer(target) && is_integer(getBaseType(input)))
		target = getBaseType(input);
	cast_init(&encoder->cast, input, target, context);
	if (encoder->feature->kind != FEATURE_BINNED)
		key_writer_init(&encoder->key, target, context);
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
		if (!nulls[i])
			encoder->members[n_members++] = encoder_id(encoder, values[i], false);
	*members = encoder->members;
	return n_members;
}
