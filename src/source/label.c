/*
 * label.c
 *	  A row's label.
 */
#include "postgres.h"

#include "source/label.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "source/decimal.h"
#include "source/number.h"
#include "source/reader.h"
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
		reader->exact_threshold =
			DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(digits),
												ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
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

void
label_init(LabelReader *reader, const SourceRelation *relation, const char *column,
		   const SourceOptions *options)
{
	reader->column = column;
	reader->skip_bad = options->on_bad_label == BAD_LABELS_SKIP;
	reader->type = source_column_type(relation, column);
	if (!OidIsValid(reader->type))
		source_missing_column(relation, column, "label");
	reader->type = getBaseType(reader->type);
	set_threshold(reader, options->label_threshold);
	if (is_number(reader->type) || (reader->type == BOOLOID && isnan(reader->threshold)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of type %s cannot be the label", column,
					format_type_be(reader->type)),
			 errdetail("A label is a boolean, the number 0 or 1, or with option \"label_threshold\" any number."),
			 errhint("Read from a view that says when a row is positive; if every row is, train with label => '' and option \"negatives\".")));
}

LabelState
label_read(const LabelReader *reader, Datum value, bool isnull, uint8 *label)
{
	double		number;

	if (isnull)
		return LABEL_NULL;
	number = number_value(reader->type, value);
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
	if (!reader->skip_bad)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("label %g in column \"%s\" is neither 0 nor 1", number, reader->column),
				 errhint("For ratings set option \"label_threshold\"; to leave such rows out set \"on_bad_label\" to \"skip\".")));
	return LABEL_BAD;
}
