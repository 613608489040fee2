/*
 * split.c
 *	  Which rows train, which validate, which test.
 *
 * While rows are read, split_key() makes an integer of each split value: 0, 1 or 2
 * of a name, else one that sorts as the column does.  What depends on all rows is
 * settled behind the last one: whether integers are names, and where in the order
 * the splits begin (split_cuts.h).  By hash nothing is kept but a row's hash, with
 * the seed: rows alike have one split, in whatever order they came.
 *
 * The rule that results is stored with the model.  splitter.h applies it to rows
 * later.
 */
#include "postgres.h"

#include "source/read/split.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "source/keys/key.h"
#include "source/keys/number.h"
#include "source/keys/sort_interruptible.h"
#include "source/read/reader.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

bool
split_column_possible(const ValueType *type)
{
	switch (key_kind_of(type))
	{
		case KEY_BOOLEAN:
		case KEY_UNSUPPORTED:
			return false;
		default:
			return true;
	}
}

void
split_column_refuse(const char *column, Oid type)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of type %s cannot be the split column", column,
					format_type_be(type)),
			 errhint("Use text (train, valid, test), an integer (0, 1, 2), or something ordered in time.")));
}

void
split_init(SplitReader *reader, const ColumnRoles *roles, const SourceOptions *options)
{
	ValueType	type;
	Oid			column_type;
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
	column_type = source_column_type(roles->relation, roles->split);
	if (!OidIsValid(column_type))
		source_missing_column(roles->relation, roles->split, "split");
	type_require(column_type, &type);
	reader->type = type.type;
	kind = key_kind_of(&type);
	/* names are read from a column of text, or of a type that writes text */
	output_init(&reader->output, &type, CurrentMemoryContext);
	reader->is_text = kind == KEY_TEXT && type.length == -1;
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
	split_column_refuse(roles->split, column_type);
}

void
split_init_rule(SplitReader *reader, const SplitRule *rule, const ValueType *type)
{
	reader->method = rule->method;
	reader->column = rule->column;
	reader->type = type->type;
	output_init(&reader->output, type, CurrentMemoryContext);
	reader->is_text = key_kind_of(type) == KEY_TEXT && type->length == -1;
}

void
split_rule(const SplitReader *reader, const SourceOptions *options, const SplitBounds *bounds,
		   SplitRule *rule)
{
	*rule = (SplitRule) {.method = reader->method,.valid_share = options->valid_share,
		.test_share = options->test_share,.seed = options->seed,.bounds = *bounds};
	if (reader->method == SPLIT_BY_HASH)
		return;
	rule->column = pstrdup(reader->column);
	rule->type_name = format_type_extended(reader->type, -1, FORMAT_TYPE_FORCE_QUALIFY);
}

static void
unknown_split(const SplitReader *reader, const char *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown split \"%s\" in column \"%s\"", value, reader->column),
			 errhint("Splits are train, valid and test, or 0, 1 and 2.")));
}

int
split_by_name(const char *name, int length)
{
	static const struct
	{
		const char *name;
		Split		split;
	}			names[] = {
		{"train", SPLIT_TRAIN}, {"valid", SPLIT_VALID}, {"test", SPLIT_TEST},
		{"0", SPLIT_TRAIN}, {"1", SPLIT_VALID}, {"2", SPLIT_TEST}, {"validation", SPLIT_VALID}
	};

	for (int i = 0; i < lengthof(names); i++)
		if (strlen(names[i].name) == length && pg_strncasecmp(name, names[i].name, length) == 0)
			return names[i].split;
	return -1;
}

/* -1: it names none; *name is what it says, if that was needed to tell. */
static int
find_named(SplitReader *reader, Datum value, char **name)
{
	struct varlena *text;
	int			split = -1;

	if (reader->is_text)
	{
		text = PG_DETOAST_DATUM_PACKED(value);
		split = split_by_name(VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
	}
	if (split >= 0)
		return split;
	*name = output_value(&reader->output, value);
	return split_by_name(*name, reader->type == BPCHAROID ? bpchartruelen(*name, strlen(*name)) :
						 strlen(*name));
}

static int64
named_split(SplitReader *reader, Datum value)
{
	char	   *name;
	int			split = find_named(reader, value, &name);

	if (split < 0)
		unknown_split(reader, name);
	return split;
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
split_key(SplitReader *reader, Datum value)
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
			return sortable(DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value)));
		default:
			return named_split(reader, value);
	}
}

int
split_of_name(SplitReader *reader, Datum value)
{
	char	   *name;
	int64		key;

	if (!is_number(reader->type))
		return find_named(reader, value, &name);
	key = split_key(reader, value);
	return key >= SPLIT_TRAIN && key <= SPLIT_TEST ? (int) key : -1;
}

bool
split_is_known(const SplitReader *reader)
{
	return reader->method == SPLIT_BY_NAME || reader->method == SPLIT_BY_HASH;
}

void
split_settle(SplitReader *reader, int64 lowest, int64 highest)
{
	if (reader->method == SPLIT_AUTO)
		reader->method = lowest >= SPLIT_TRAIN && highest <= SPLIT_TEST ?
			SPLIT_BY_NAME : SPLIT_BY_ORDER;
}

/* The last rows test, those before validate; rows alike stay together, in the later split. */
static Split
by_order(const SplitBounds *bounds, int64 key)
{
	if (bounds->has_test && key >= bounds->first_test)
		return SPLIT_TEST;
	return bounds->has_valid && key >= bounds->first_valid ? SPLIT_VALID : SPLIT_TRAIN;
}

static Split
by_hash(const SourceOptions *options, uint64 hash)
{
	uint64		seeded = hash_bytes_extended((const unsigned char *) &hash, sizeof(uint64),
											 options->seed);
	double		point = (seeded >> 11) / 9007199254740992.0;	/* 53 bits, below 1 */

	return point < options->test_share ? SPLIT_TEST :
		point < options->test_share + options->valid_share ? SPLIT_VALID : SPLIT_TRAIN;
}

Split
split_of(const SplitReader *reader, const SourceOptions *options, const SplitBounds *bounds,
		 int64 key, uint64 hash)
{
	switch (reader->method)
	{
		case SPLIT_BY_HASH:
			return by_hash(options, hash);
		case SPLIT_BY_ORDER:
			return by_order(bounds, key);
		default:
			if (key < SPLIT_TRAIN || key > SPLIT_TEST)
				unknown_split(reader, psprintf(INT64_FORMAT, key));
			return (Split) key;
	}
}

/* Where the splits begin: the keys in order, which words keep that have the sign turned. */
static void
find_bounds(const SplitReader *reader, const SourceOptions *options, const int64 *keys, uint64 n,
			SplitBounds *bounds)
{
	const uint64 sign = UINT64CONST(1) << 63;
	uint64	   *sorted = MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(uint64));
	CutFinder	finder;

	cuts_start(&finder, options, n);
	for (uint64 row = 0; row < n; row++)
		sorted[row] = (uint64) keys[row] ^ sign;
	sort_words(sorted, NULL, n);
	for (uint64 i = 0; i < n; i++)
	{
		if ((i & 0xFFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		cuts_add(&finder, sorted[i] ^ sign);
	}
	cuts_end(&finder, reader->column, bounds);
	pfree(sorted);
}

void
split_rows(SplitReader *reader, const SourceOptions *options, const int64 *keys,
		   const uint64 *hashes, uint64 n, SplitBounds *bounds, uint8 *splits)
{
	int64		lowest = PG_INT64_MAX;
	int64		highest = PG_INT64_MIN;

	*bounds = (SplitBounds) {0};
	if (n == 0)
		return;
	for (uint64 row = 0; row < n && !split_is_known(reader); row++)
	{
		lowest = Min(lowest, keys[row]);
		highest = Max(highest, keys[row]);
	}
	split_settle(reader, lowest, highest);
	if (reader->method == SPLIT_BY_ORDER)
		find_bounds(reader, options, keys, n, bounds);
	for (uint64 row = 0; row < n; row++)
	{
		if ((row & 0xFFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		splits[row] = split_of(reader, options, bounds, keys ? keys[row] : 0, hashes[row]);
	}
}

void
split_warn(const SplitReader *reader, const SourceOptions *options, const uint64 rows[3])
{
	bool		by_name = reader->method == SPLIT_BY_NAME;
	bool		no_valid = rows[SPLIT_VALID] == 0 && (by_name || options->valid_share > 0);
	bool		no_test = rows[SPLIT_TEST] == 0 && !by_name && options->test_share > 0;

	if (rows[SPLIT_TRAIN] == 0 || (!no_valid && !no_test))
		return;
	ereport(WARNING,
			(errmsg(no_valid && no_test ? "there are no validation rows and no test rows" :
					no_valid ? "there are no validation rows" : "there are no test rows"),
			 by_name ? errdetail("No row is named so by column \"%s\".", reader->column) :
			 reader->method == SPLIT_BY_ORDER ?
			 errdetail("Column \"%s\" has too few values: rows of one value stay together.",
					   reader->column) :
			 errdetail("The source has too few rows, or too many that are alike."),
			 no_valid ? errhint("Without validation rows nothing tells when to stop: all epochs are run, the last is kept, and scores are not calibrated.") :
			 errhint("Measures are those on validation rows, which decided what to keep.")));
}
