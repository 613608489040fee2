/*
 * record.c
 *	  Records to rows of ids: columns matched to features by name.
 */
#include "postgres.h"

#include "serve/input.h"

#include "access/htup_details.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

struct RecordMap
{
	uint64		identifier;		/* of the record type and its present columns */
	TupleDesc	descriptor;
	ValueEncoder **encoders;	/* [n_features]; NULL: the record lacks it */
	int		   *position;		/* [n_features] column, from 0 */
	Datum	   *values;			/* [natts] */
	bool	   *nulls;
};

static uint64
record_identifier(HeapTupleHeader record)
{
	return assign_record_type_identifier(HeapTupleHeaderGetTypeId(record),
										 HeapTupleHeaderGetTypMod(record));
}

bool
record_map_fits(const RecordMap *map, HeapTupleHeader record)
{
	return map->identifier == record_identifier(record);
}

static bool
match_columns(RecordMap *map, const FeatureSpec *spec, MemoryContext context)
{
	bool		any = false;

	for (int i = 0; i < map->descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(map->descriptor, i);
		int			f;

		if (attribute->attisdropped)
			continue;
		f = spec_find(spec, NameStr(attribute->attname));
		if (f < 0)
			continue;
		map->encoders[f] = encoder_create(spec, f, attribute->atttypid, context);
		map->position[f] = i;
		any = true;
	}
	return any;
}

RecordMap *
record_map(const FeatureSpec *spec, HeapTupleHeader record, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	RecordMap  *map = palloc0(sizeof(RecordMap));

	map->identifier = record_identifier(record);
	map->descriptor = lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(record),
												  HeapTupleHeaderGetTypMod(record));
	map->encoders = palloc0(spec->n_features * sizeof(ValueEncoder *));
	map->position = palloc0(spec->n_features * sizeof(int));
	map->values = palloc0((map->descriptor->natts + 1) * sizeof(Datum));
	map->nulls = palloc0((map->descriptor->natts + 1) * sizeof(bool));
	if (!match_columns(map, spec, context))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("no column of the record is a feature of the model"),
				 errdetail("Columns are matched by name; the first feature is \"%s\".",
						   spec->features[0].name),
				 errhint("Pass a row of a table or a subquery, ROW(...) cast to a named type, or jsonb; a bare ROW(...) has no names.")));
	MemoryContextSwitchTo(old);
	return map;
}

void
record_encode(RecordMap *map, HeapTupleHeader record, InputRows *rows)
{
	const FeatureSpec *spec = rows->spec;
	HeapTupleData tuple = {
		.t_len = HeapTupleHeaderGetDatumLength(record),.t_data = record
	};

	ItemPointerSetInvalid(&tuple.t_self);
	heap_deform_tuple(&tuple, map->descriptor, map->values, map->nulls);
	for (int f = 0; f < spec->n_columns; f++)
	{
		int			at = map->position[f];

		if (!map->encoders[f])
			continue;
		if (spec->features[f].kind == FEATURE_LIST)
		{
			const uint32 *members;
			int			n = encoder_members(map->encoders[f], map->values[at], map->nulls[at],
											&members);

			input_set_list(rows, f, members, n);
		}
		else
			input_set(rows, f, encoder_id(map->encoders[f], map->values[at], map->nulls[at]));
	}
}
