/*
 * label.c
 *	  A row's label.
 */
#include "postgres.h"

#include "source/read/label.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "source/keys/decimal.h"
#include "source/keys/number.h"
#include "source/read/reader.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* A threshold of 4.1 is the 4.1 of the column's type. */
static void
set_threshold(LabelReader *reader, double threshold)
{
	bool		past;
	char	   *digits;

	reader->threshold = threshold;
	if (isnan(threshold))
		return;
	digits = decimal_digits(FLOAT8OID, Float8GetDatum(threshold));
	if (reader->type == FLOAT4OID)
		reader->threshold = decimal_float(digits, FLOAT4OID, &past);
	if (reader->type == NUMERICOID)
		reader->exact_threshold = decimal_numeric(digits);
}

/* Neither is NaN. */
static bool
reaches_threshold(const LabelReader *reader, Datum value, double number)
{
	if (reader->type == NUMERICOID)
		return DatumGetBool(DirectFunctionCall2(numeric_ge, value,
												NumericGetDatum(reader->exact_threshold)));
	return number >= reader->threshold;
}

/* The model's labels mean something else than the column's do. */
static void
coded_otherwise(const LabelReader *reader, const char *what)
{
	bool		has_threshold = !isnan(reader->threshold);

	ereport(ERROR,
			(errcode(has_threshold ? ERRCODE_DATATYPE_MISMATCH : ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("labels in column \"%s\" %s, unlike those that model \"%s\" was trained on",
					reader->column, what, reader->model),
			 has_threshold ?
			 errdetail("Those were numbers, positive from %g on: option \"label_threshold\".",
					   reader->threshold) :
			 errdetail("Those were booleans, or 0 and 1."),
			 errhint("Use a table, or a view, whose labels are coded as in training.")));
}

void
label_init_type(LabelReader *reader, Oid type, const char *column, const SourceOptions *options,
				const char *model)
{
	*reader = (LabelReader) {.type = getBaseType(type)};
	reader->column = column;
	reader->skip_bad = options->on_bad_label == BAD_LABELS_SKIP;
	reader->model = model;
	set_threshold(reader, options->label_threshold);
	if (is_number(reader->type) || (reader->type == BOOLOID && isnan(reader->threshold)))
		return;
	if (reader->model && reader->type == BOOLOID)
		coded_otherwise(reader, "are booleans");
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of type %s cannot be the label", column,
					format_type_be(reader->type)),
			 errdetail("A label is a boolean, the number 0 or 1, or with option \"label_threshold\" any number."),
			 errhint("Read from a view that says when a row is positive; if every row is, train with label => '' and option \"negatives\".")));
}

void
label_init(LabelReader *reader, const SourceRelation *relation, const char *column,
		   const SourceOptions *options, const char *model)
{
	Oid			type = source_column_type(relation, column);

	if (!OidIsValid(type))
		source_missing_column(relation, column, "label");
	label_init_type(reader, type, column, options, model);
}

LabelState
label_read(LabelReader *reader, Datum value, bool isnull, uint8 *label)
{
	double		number;

	if (isnull)
		return LABEL_NULL;
	number = number_value(reader->type, value);
	*(number == 0 ? &reader->zeros : number == 1 ? &reader->ones : &reader->others) = true;
	if (!isnan(reader->threshold) && !isnan(number))
	{
		*label = reaches_threshold(reader, value, number);
		return LABEL_GOOD;
	}
	if (number == 0 || number == 1)
	{
		*label = number == 1;
		return LABEL_GOOD;
	}
	if (!reader->skip_bad && reader->model && isnan(reader->threshold))
		coded_otherwise(reader, psprintf("are numbers such as %g", number));
	if (!reader->skip_bad)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("label %g in column \"%s\" is neither 0 nor 1", number, reader->column),
				 errhint("For ratings set option \"label_threshold\"; to leave such rows out set \"on_bad_label\" to \"skip\".")));
	return LABEL_BAD;
}

void
label_check_coding(const LabelReader *reader)
{
	bool		parts = reader->threshold > 0 && reader->threshold <= 1;

	if (!isnan(reader->threshold) && !parts && reader->zeros && reader->ones && !reader->others)
		coded_otherwise(reader, "are 0 and 1");
}
