/*
 * record.c
 *	  Records to rows of ids: columns matched to features by name.
 *
 * A map of a record type says which column is which feature, and has an encoder for
 * each.  It holds as long as the type has the same columns: the server numbers these
 * (assign_record_type_identifier()).  A row is taken apart once; the vocabularies'
 * memory is fetched for all its single values before the first is looked up.
 */
#include "postgres.h"

#include "serve/input.h"

#include "access/htup_details.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

struct RecordMap
{
	MemoryContext context;		/* of all of it */
	uint64		identifier;		/* of the record type and its present columns */
	TupleDesc	descriptor;
	ValueEncoder **encoders;	/* [n_features + 1]; NULL: the record lacks it */
	int		   *position;		/* [n_features + 1] column, from 0 */
	int			n_found;		/* features of the record */
	int			n_scalars;		/* those that are no lists */
	int		   *scalars;
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

/* As SQL has it of a name that is two columns'; the others may be what they like. */
static void
ambiguous(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_AMBIGUOUS_COLUMN),
			 errmsg("column reference \"%s\" is ambiguous", name),
			 errdetail("The record has two columns of this name, which is a feature of the model."),
			 errhint("Select the columns of the record one by one, or give one of the two another name.")));
}

static bool
match_columns(RecordMap *map, const FeatureSpec *spec, bool with_domain, MemoryContext context)
{
	bool		any = false;

	for (int i = 0; i < map->descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(map->descriptor, i);
		int			f;

		if (attribute->attisdropped)
			continue;
		f = spec_find_named(spec, NameStr(attribute->attname));
		if (f < 0)
			continue;
		any = true;
		if (f == spec->domain_feature && !with_domain)
			continue;
		if (map->encoders[f])
			ambiguous(NameStr(attribute->attname));
		map->encoders[f] = encoder_create(spec, f, attribute->atttypid, context);
		map->position[f] = i;
		if (!kind_has_list(spec->features[f].kind))
			map->scalars[map->n_scalars++] = f;
		map->n_found += f < spec->n_features;
	}
	return any;
}

RecordMap *
record_map(const FeatureSpec *spec, HeapTupleHeader record, bool with_domain,
		   MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "aread record", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RecordMap  *map = palloc0(sizeof(RecordMap));

	map->context = context;
	map->identifier = record_identifier(record);
	map->descriptor = lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(record),
												  HeapTupleHeaderGetTypMod(record));
	map->encoders = palloc0((spec->n_features + 1) * sizeof(ValueEncoder *));
	map->position = palloc0((spec->n_features + 1) * sizeof(int));
	map->scalars = palloc0(map->descriptor->natts * sizeof(int) + 1);
	map->values = palloc0((map->descriptor->natts + 1) * sizeof(Datum));
	map->nulls = palloc0((map->descriptor->natts + 1) * sizeof(bool));
	if (!match_columns(map, spec, with_domain, context))
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
record_map_delete(RecordMap *map)
{
	MemoryContextDelete(map->context);
}

/* The ids of the record's scalars; their memory is waited for once, not one after the other. */
static void
encode_scalars(RecordMap *map, InputRows *rows)
{
	for (int i = 0; i < map->n_scalars; i++)
	{
		int			f = map->scalars[i];

		encoder_note(map->encoders[f], map->values[map->position[f]], map->nulls[map->position[f]]);
	}
	for (int i = 0; i < map->n_scalars; i++)
		encoder_prefetch_length(map->encoders[map->scalars[i]]);
	for (int i = 0; i < map->n_scalars; i++)
		encoder_prefetch_bytes(map->encoders[map->scalars[i]]);
	for (int i = 0; i < map->n_scalars; i++)
		input_set(rows, map->scalars[i], encoder_noted_id(map->encoders[map->scalars[i]]));
}

int
record_encode(RecordMap *map, HeapTupleHeader record, InputRows *rows)
{
	const FeatureSpec *spec = rows->spec;
	HeapTupleData tuple = {
		.t_len = HeapTupleHeaderGetDatumLength(record),.t_data = record
	};

	ItemPointerSetInvalid(&tuple.t_self);
	heap_deform_tuple(&tuple, map->descriptor, map->values, map->nulls);
	encode_scalars(map, rows);
	if (spec->user_feature >= 0)
		rows->user = map->encoders[spec->user_feature];
	for (int f = 0; f <= spec->n_features; f++)
	{
		int			at = map->position[f];
		const uint32 *members;
		int			n;

		if (!map->encoders[f] || !kind_has_list(spec->features[f].kind))
			continue;
		/* a history that is NULL is the one that the model has */
		if (f == spec->n_features && map->nulls[at])
			continue;
		n = encoder_members(map->encoders[f], map->values[at], map->nulls[at], &members);
		if (f == spec->n_features)
			input_set_history(rows, members, n);
		else
			input_set_list(rows, f, members, n);
	}
	return map->n_found;
}
