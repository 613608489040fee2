/*
 * split.c
 *	  Which rows train, which validate, which test.
 */
#include "postgres.h"

#include "source/split.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "source/key.h"
#include "source/reader.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

void
split_init(SplitReader *reader, const ColumnRoles *roles, const SourceOptions *options)
{
	KeyKind		kind;

	reader->column = roles->split;
	reader->method = options->split_method;
	if (!roles->split || reader->method == SPLIT_BY_HASH)
	{
		if (!roles->split && reader->method != SPLIT_AUTO && reader->method != SPLIT_BY_HASH)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"split_method\" needs a split column")));
		reader->method = SPLIT_BY_HASH;
		return;
	}
	reader->type = column_type(roles->relation, roles->split);
	if (!OidIsValid(reader->type))
		missing_column(roles->relation, roles->split, "split");
	reader->type = getBaseType(reader->type);
	kind = key_kind(reader->type);
	switch (kind)
	{
		case KEY_TEXT:
		case KEY_OUTPUT:
			if (reader->method == SPLIT_AUTO)
				reader->method = SPLIT_BY_NAME;
			if (reader->method == SPLIT_BY_NAME)
				return;
			break;
		case KEY_INTEGER:
			return;				/* names or order: the values tell */
		case KEY_DATE:
		case KEY_TIMESTAMP:
		case KEY_TIMESTAMPTZ:
		case KEY_FLOAT:
		case KEY_NUMERIC:
			if (reader->method == SPLIT_AUTO)
				reader->method = SPLIT_BY_ORDER;
			if (reader->method == SPLIT_BY_ORDER)
				return;
			break;
		default:
			break;
	}
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of type %s cannot be the split column", roles->split,
					format_type_be(reader->type)),
			 errhint("Use text (train, valid, test), an integer (0, 1, 2), or something ordered in time.")));
}

static void
unknown_split(const SplitReader *reader, const char *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown split \"%s\" in column \"%s\"", value, reader->column),
			 errhint("Splits are train, valid and test, or 0, 1 and 2.")));
}

static int64
named_split(const SplitReader *reader, Datum value)
{
	static const char *const names[] = {"train", "valid", "test"};
	Oid			output;
	bool		is_varlena;
	char	   *name;

	getTypeOutputInfo(reader->type, &output, &is_varlena);
	name = OidOutputFunctionCall(output, value);
	for (int i = 0; i < lengthof(names); i++)
		if (pg_strcasecmp(name, names[i]) == 0 || (name[0] == '0' + i && name[1] == '\0'))
			return i;
	if (pg_strcasecmp(name, "validation") == 0)
		return SPLIT_VALID;
	unknown_split(reader, name);
	return 0;
}

/* A double as an integer that sorts alike; NaN sorts last, as in SQL. */
static int64
sortable(double value)
{
	int64		bits;

	if (isnan(value))
		return PG_INT64_MAX;
	if (value == 0)
		value = 0;				/* -0 */
	memcpy(&bits, &value, sizeof(bits));
	return bits >= 0 ? bits : PG_INT64_MIN - bits;
}

int64
split_key(const SplitReader *reader, Datum value)
{
	switch (reader->type)
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return DatumGetInt64(value);
		case DATEOID:
			return DatumGetDateADT(value);
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return DatumGetTimestamp(value);
		case FLOAT4OID:
			return sortable(DatumGetFloat4(value));
		case FLOAT8OID:
			return sortable(DatumGetFloat8(value));
		case NUMERICOID:
			return sortable(DatumGetFloat8(DirectFunctionCall1(numeric_float8, value)));
		default:
			return named_split(reader, value);
	}
}

static int
compare_int64(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

/* The last rows test, those before validate; rows alike stay together, in the later split. */
static void
by_order(const SourceOptions *options, const int64 *keys, uint64 n, uint8 *splits)
{
	int64	   *sorted = MemoryContextAllocHuge(CurrentMemoryContext, (n + 1) * sizeof(int64));
	uint64		n_test = (uint64) rint(n * options->test_share);
	uint64		n_valid = (uint64) rint(n * options->valid_share);
	int64		first_test;
	int64		first_valid;

	memcpy(sorted, keys, n * sizeof(int64));
	qsort(sorted, n, sizeof(int64), compare_int64);
	first_test = n_test > 0 ? sorted[n - n_test] : 0;
	first_valid = n_test + n_valid > 0 ? sorted[n - n_test - n_valid] : 0;
	for (uint64 row = 0; row < n; row++)
		splits[row] = n_test > 0 && keys[row] >= first_test ? SPLIT_TEST :
			n_valid > 0 && keys[row] >= first_valid ? SPLIT_VALID : SPLIT_TRAIN;
	pfree(sorted);
}

static void
by_hash(const SourceOptions *options, const uint64 *hashes, uint64 n, uint8 *splits)
{
	for (uint64 row = 0; row < n; row++)
	{
		uint64		seeded = hash_bytes_extended((const unsigned char *) &hashes[row],
												 sizeof(uint64), options->seed);
		double		point = (seeded >> 11) / 9007199254740992.0;	/* 53 bits, below 1 */

		splits[row] = point < options->test_share ? SPLIT_TEST :
			point < options->test_share + options->valid_share ? SPLIT_VALID : SPLIT_TRAIN;
	}
}

static void
by_name(const SplitReader *reader, const int64 *keys, uint64 n, uint8 *splits)
{
	for (uint64 row = 0; row < n; row++)
	{
		if (keys[row] < SPLIT_TRAIN || keys[row] > SPLIT_TEST)
			unknown_split(reader, psprintf(INT64_FORMAT, keys[row]));
		splits[row] = keys[row];
	}
}

void
split_rows(SplitReader *reader, const SourceOptions *options, const int64 *keys,
		   const uint64 *hashes, uint64 n, uint8 *splits)
{
	if (n == 0)
		return;
	if (reader->method == SPLIT_AUTO)
	{
		reader->method = SPLIT_BY_NAME;
		for (uint64 row = 0; row < n; row++)
			if (keys[row] < SPLIT_TRAIN || keys[row] > SPLIT_TEST)
				reader->method = SPLIT_BY_ORDER;
	}
	if (reader->method == SPLIT_BY_HASH)
		by_hash(options, hashes, n, splits);
	else if (reader->method == SPLIT_BY_ORDER)
		by_order(options, keys, n, splits);
	else
		by_name(reader, keys, n, splits);
}
