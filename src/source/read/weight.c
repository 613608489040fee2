/*
 * weight.c
 *	  A row's weight.
 */
#include "postgres.h"

#include "source/read/weight.h"

#include <float.h>
#include <math.h>

#include "source/keys/number.h"
#include "source/read/reader.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

void
weight_init(WeightReader *reader, const SourceRelation *relation, const char *column)
{
	reader->column = column;
	if (!column)
		return;
	reader->type = source_column_type(relation, column);
	if (!OidIsValid(reader->type))
		source_missing_column(relation, column, "weight");
	reader->type = getBaseType(reader->type);
	if (!is_number(reader->type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of type %s cannot be the weight", column,
						format_type_be(reader->type)),
				 errhint("A weight is a number, 0 or more.")));
}

float
weight_read(const WeightReader *reader, Datum value, bool isnull)
{
	double		weight;

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("weight in column \"%s\" is NULL", reader->column),
				 errhint("Read from a view that gives such rows a weight, or leaves them out.")));
	weight = number_value(reader->type, value);
	if (!(weight >= 0 && weight <= FLT_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weight %g in column \"%s\" is out of range", weight, reader->column),
				 errhint("A weight is a number, 0 or more.")));
	return (float) weight;
}

void
weights_scale(const WeightReader *reader, float *weights, uint64 n_train, uint64 n)
{
	double		sum = 0;

	for (uint64 row = 0; row < n_train; row++)
		sum += weights[row];
	if (sum == 0 && n_train > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("all training rows have weight 0 in column \"%s\"", reader->column),
				 errhint("Give some of them a weight above 0.")));
	for (uint64 row = 0; row < n; row++)
		weights[row] *= n_train / sum;
}
