/*
 * dense.c
 *	  Vectors of dense features.
 *
 * A value is an array of numbers, text of a known form, or of a type whose output
 * function writes that text.  Its numbers are read into one buffer of the reader,
 * which the next value overwrites.
 *
 * In training the first vector sets the length, and a vector that cannot be read is
 * an error.  A trained model knows its length.  Where its spec has room for a note
 * ("unread"), a vector that cannot be read counts as NULL and is noted.
 */
#include "postgres.h"

#include "source/keys/dense.h"

#include <math.h>

#include "access/transam.h"
#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "engine/data/vectors.h"
#include "source/keys/convert.h"
#include "source/keys/number.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* No training row lies further out, in standard deviations: there are fewer than 2^32. */
#define FURTHEST 65536.0

struct VectorReader
{
	const char *feature;
	const char *model;			/* NULL: in training */
	int			length;			/* 0: that of the first vector, which is still to come */
	ValueType	type;			/* of an array that of its elements */
	bool		is_array;
	bool		is_text;
	ValueOutput output;			/* of types that are neither */
	float	   *numbers;		/* [capacity] */
	int			capacity;
	bool	   *unread;			/* of the spec */
	MemoryContext context;
};

static bool
is_text(Oid type)
{
	return type == TEXTOID || type == VARCHAROID || type == BPCHAROID;
}

static Oid
element_type(Oid type)
{
	Oid			element = get_element_type(getBaseType(type));

	return OidIsValid(element) ? getBaseType(element) : InvalidOid;
}

/* pgvector's types, by their names: wherever the extension lies, or the like of it. */
static bool
is_vector_type(Oid type)
{
	Oid			base = getBaseType(type);
	char	   *name = get_typtype(base) == TYPTYPE_BASE && base >= FirstNormalObjectId ?
		format_type_extended(base, -1, FORMAT_TYPE_FORCE_QUALIFY) : NULL;
	const char *dot = name ? strrchr(name, '.') : NULL;

	return dot && (strcmp(dot, ".vector") == 0 || strcmp(dot, ".halfvec") == 0);
}

bool
vector_by_default(Oid type)
{
	Oid			element = element_type(type);

	return element == FLOAT4OID || element == FLOAT8OID || is_vector_type(type);
}

bool
vector_possible(Oid type)
{
	return is_number(element_type(type)) || is_text(getBaseType(type)) || is_vector_type(type);
}

/* What errors call the feature. */
static char *
described(const VectorReader *reader)
{
	return reader->model ?
		psprintf("feature \"%s\" of model \"%s\"", reader->feature, reader->model) :
		psprintf("column \"%s\"", reader->feature);
}

static int
hint_of_null(const VectorReader *reader)
{
	return reader->model ? errhint("Pass NULL where there is no vector.") :
		errhint("Leave such rows out, or set their vectors to NULL, through a view; or set another kind in option \"features\".");
}

/* Is what cannot be read no error?  It is noted. */
static bool
is_passed_over(const VectorReader *reader)
{
	if (reader->unread)
		*reader->unread = true;
	return reader->unread != NULL;
}

VectorReader *
vector_reader(const FeatureSpec *spec, int feature, Oid type, MemoryContext context)
{
	VectorReader *reader = MemoryContextAllocZero(context, sizeof(VectorReader));

	reader->feature = spec->features[feature].name;
	reader->model = spec->model;
	reader->length = feature_components(&spec->features[feature]);
	reader->unread = spec->unread;
	reader->context = context;
	type_require(type, &reader->type);
	reader->is_array = OidIsValid(reader->type.element);
	if (reader->is_array)
		type_require(reader->type.element, &reader->type);
	reader->is_text = !reader->is_array && (is_text(reader->type.type) || type == UNKNOWNOID);
	if (reader->is_array ? !is_number(reader->type.type) :
		reader->type.kind != TYPTYPE_BASE && !reader->is_text)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s cannot take a value of type %s", described(reader),
						format_type_be(type)),
				 errhint("Pass an array of numbers, or text like \"[1, 2.5, -3]\".")));
	if (!reader->is_array && !reader->is_text)
		output_init(&reader->output, &reader->type, context);
	return reader;
}

int
vector_length(const VectorReader *reader)
{
	return reader->length;
}

/* False: it is none, and passed over. */
static bool
add_number(VectorReader *reader, int at, double number)
{
	float		single = (float) number;

	if ((!isfinite(single) || at == MAX_COMPONENTS) && is_passed_over(reader))
		return false;
	if (!isfinite(single))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s has a vector with a component that is no number", described(reader)),
				 errdetail("Component %d is NaN, infinite, or too large for single precision.",
						   at + 1),
				 hint_of_null(reader)));
	if (at == MAX_COMPONENTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s has a vector of more than %d components", described(reader),
						MAX_COMPONENTS)));
	if (at >= reader->capacity)
	{
		reader->capacity = Max(2 * reader->capacity, 64);
		reader->numbers = reader->numbers ?
			repalloc(reader->numbers, reader->capacity * sizeof(float)) :
			MemoryContextAlloc(reader->context, reader->capacity * sizeof(float));
	}
	/* -0 is 0 */
	reader->numbers[at] = single == 0 ? 0 : single;
	return true;
}

/* Returns how many; -1: that is no vector. */
static int
read_array(VectorReader *reader, Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	char	   *at = ARR_DATA_PTR(array);

	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
	{
		if (is_passed_over(reader))
			return -1;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s has a vector %s", described(reader), ARR_NDIM(array) > 1 ?
						"of several dimensions" : "with components that are NULL"),
				 hint_of_null(reader)));
	}
	for (int i = 0; i < n; i++)
	{
		if (!add_number(reader, i, number_value(reader->type.type,
												fetch_att(at, reader->type.by_value,
														  reader->type.length))))
			return -1;
		at = att_addlength_pointer(at, reader->type.length, at);
		at = (char *) att_align_nominal(at, reader->type.align);
	}
	return n;
}

static const char *
skip_blanks(const char *at)
{
	return at + strspn(at, " \t\n\r\f\v");
}

/* Returns how many; -1: that is no vector. */
static int
read_text(VectorReader *reader, const char *text)
{
	const char *at = skip_blanks(text);
	char		close = *at == '[' ? ']' : '}';
	int			n = 0;

	if (*at != '[' && *at != '{')
		return -1;
	at = skip_blanks(at + 1);
	while (*at != close)
	{
		char	   *end;
		/* rounded once */
		float		number = strtof(at, &end);

		if (end == at || !add_number(reader, n++, number))
			return -1;
		at = skip_blanks(end);
		if (*at == ',')
		{
			at = skip_blanks(at + 1);
			if (*at == close)
				return -1;
		}
		else if (*at != close)
			return -1;
	}
	return *skip_blanks(at + 1) == '\0' ? n : -1;
}

static char *
value_text(VectorReader *reader, Datum value)
{
	if (!reader->is_text)
		return output_value(&reader->output, value);
	return reader->type.type == UNKNOWNOID ? DatumGetCString(value) : TextDatumGetCString(value);
}

/* False: it is wrong, and passed over. */
static bool
check_length(VectorReader *reader, int n)
{
	if ((n <= 0 || n != reader->length) && is_passed_over(reader))
		return false;
	if (n < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("%s has a value that is no vector", described(reader)),
				 errhint("Vectors are arrays of numbers, or text like \"[1, 2.5, -3]\".")));
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s has a vector without components", described(reader)),
				 hint_of_null(reader)));
	if (reader->length == 0)
		reader->length = n;
	if (n == reader->length)
		return true;
	if (reader->model)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s cannot take a vector of length %d", described(reader), n),
				 errdetail("It was trained with vectors of length %d.", reader->length)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s has vectors of different lengths", described(reader)),
			 errdetail("The first one has %d components, another one %d.", reader->length, n),
			 hint_of_null(reader)));
	return false;
}

const float *
vector_read(VectorReader *reader, Datum value)
{
	return check_length(reader, reader->is_array ? read_array(reader, value) :
						read_text(reader, value_text(reader, value))) ? reader->numbers : NULL;
}

/* Of its numbers as they came; the members of its list, which have no keys, add 0. */
uint64
vector_hash(VectorReader *reader, Datum value)
{
	const float *numbers = vector_read(reader, value);
	int			length = vector_length(reader);
	uint64		hash = hash_combine64(0, hash_bytes_extended((const unsigned char *) numbers,
															 length * sizeof(float), 0));

	for (int i = 0; i < length; i++)
		hash = hash_combine64(hash, 0);
	return hash;
}

void
vector_members(const float *numbers, int length, uint32 *members)
{
	members[0] = UNSEEN_ID;
	memcpy(members + 1, numbers, length * sizeof(float));
}

float
vector_component(const Feature *feature, int i, double number)
{
	const double *means = feature_moments(feature);
	double		deviation = means[feature_components(feature) + i];
	double		z = deviation > 0 ? (number - means[i]) / deviation : 0;

	return (float) Min(Max(z, -FURTHEST), FURTHEST);
}

void
vector_standardize(const Feature *feature, const uint32 *bits, uint32 *standardized)
{
	for (int i = 0; i < feature_components(feature); i++)
	{
		float		number = vector_component(feature, i, vector_number(bits[i]));

		memcpy(&standardized[i], &number, sizeof(number));
	}
}
