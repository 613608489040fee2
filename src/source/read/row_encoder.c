/*
 * row_encoder.c
 *	  Rows of a relation as ids of a trained model.
 */
#include "postgres.h"

#include "source/read/row_encoder.h"

#include "source/read/reader.h"
#include "utils/lsyscache.h"

List *
row_encoder_init(RowEncoder *encoder, const SourceRelation *relation, const FeatureSpec *spec)
{
	List	   *columns = NIL;
	StringInfoData missing;

	initStringInfo(&missing);
	encoder->spec = spec;
	encoder->encoders = palloc0(spec->n_columns * sizeof(ValueEncoder *));
	encoder->position = palloc0(spec->n_columns * sizeof(int));
	encoder->ids = palloc0(spec->n_columns * sizeof(uint32));
	for (int f = 0; f < spec->n_columns; f++)
	{
		const char *name = spec->features[f].name;
		Oid			type = source_column_type(relation, name);

		if (!OidIsValid(type))
		{
			if (f == spec->domain_feature)
				source_missing_model_column(relation, name, "domain");
			appendStringInfo(&missing, "%s%s", missing.len > 0 ? ", " : "", name);
			continue;
		}
		encoder->encoders[f] = encoder_create(spec, f, type, CurrentMemoryContext);
		encoder->position[f] = list_length(columns);
		columns = lappend(columns, (char *) name);
	}
	if (missing.len > 0)
		ereport(NOTICE,
				(errmsg("features that \"%s\" does not have count as NULL: %s",
						relation->name, missing.data)));
	if (spec->has_history && OidIsValid(source_column_type(relation, HISTORY_COLUMN)))
		ereport(NOTICE,
				(errmsg("column \"%s\" of relation \"%s\" is not read", HISTORY_COLUMN,
						relation->name),
				 errdetail("Users have the histories that the model keeps.")));
	return columns;
}

/* Columns of single values; NULL: another, or missing. */
static ValueEncoder *
single_value(const RowEncoder *encoder, int f)
{
	return kind_has_list(encoder->spec->features[f].kind) ? NULL : encoder->encoders[f];
}

void
row_encoder_read(RowEncoder *encoder, const Datum *values, const bool *nulls)
{
	int			n = encoder->spec->n_columns;
	ValueEncoder *column;

	encoder->values = values;
	encoder->nulls = nulls;
	for (int f = 0; f < n; f++)
		if ((column = single_value(encoder, f)) != NULL)
			encoder_note(column, values[encoder->position[f]], nulls[encoder->position[f]]);
	for (int f = 0; f < n; f++)
		if ((column = single_value(encoder, f)) != NULL)
			encoder_prefetch_length(column);
	for (int f = 0; f < n; f++)
		if ((column = single_value(encoder, f)) != NULL)
			encoder_prefetch_bytes(column);
	for (int f = 0; f < n; f++)
	{
		column = single_value(encoder, f);
		encoder->ids[f] = column ? encoder_noted_id(column) : NULL_ID;
	}
}

int
row_encoder_ids(RowEncoder *encoder, int f, const uint32 **ids)
{
	ValueEncoder *column = encoder->encoders[f];
	int			at = encoder->position[f];

	if (column && kind_has_list(encoder->spec->features[f].kind))
		return encoder_members(column, encoder->values[at], encoder->nulls[at], ids);
	/* a list that is missing has NULL as its one member, too */
	*ids = &encoder->ids[f];
	return 1;
}
