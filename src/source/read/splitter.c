/*
 * splitter.c
 *	  The split that a row has, or would have had, in a model's training.
 *
 * By hash it is told by the row's features alone, by order and by name by the
 * split column.  What training left out has none: rows without label, domain
 * or split, and those whose split column has another name.
 */
#include "postgres.h"

#include "source/read/splitter.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "source/keys/encoder.h"
#include "source/read/label.h"
#include "source/read/split.h"

struct Splitter
{
	const FeatureSpec *spec;
	const SplitRule *rule;
	SourceOptions options;		/* shares and seed */
	SplitReader reader;
	ValueEncoder **encoders;	/* [n_columns] by hash */
	ValueCast	cast;			/* otherwise: to the type that the column had */
	bool		has_label;
	int			label_at;
	int			domain_at;
	LabelReader label;
};

List *
splitter_columns(const SplitRule *rule, const FeatureSpec *spec)
{
	List	   *columns = NIL;

	if (rule->method != SPLIT_BY_HASH)
		return list_make2(rule->column, spec->features[spec->domain_feature].name);
	for (int f = 0; f < spec->n_columns; f++)
		columns = lappend(columns, spec->features[f].name);
	return columns;
}

/* The split column, whose type may be gone. */
static void
init_column(Splitter *splitter, Oid column_type)
{
	const SplitRule *rule = splitter->rule;
	Oid			trained = type_by_name(rule->type_name);
	ValueType	from;
	ValueType	to;

	type_require(column_type, &from);
	if (!split_column_possible(&from))
		split_column_refuse(rule->column, column_type);
	/* what has that name now need not be a type that any split column had, nor harmless */
	if (!OidIsValid(trained) || !type_read(trained, &to) || !split_column_possible(&to))
		to = from;
	cast_init(&splitter->cast, rule->column, &from, &to, CurrentMemoryContext);
	if (splitter->cast.kind == CAST_LABEL)
		type_require(TEXTOID, &to);
	split_init_rule(&splitter->reader, rule, &to);
}

Splitter *
splitter_create(const SplitRule *rule, const FeatureSpec *spec, const Oid *types, Oid label_type)
{
	Splitter   *splitter = palloc0(sizeof(Splitter));
	SourceOptions labels = {.label_threshold = spec->label_threshold,.on_bad_label = BAD_LABELS_SKIP};

	splitter->spec = spec;
	splitter->rule = rule;
	splitter->options = (SourceOptions) {.valid_share = rule->valid_share,
		.test_share = rule->test_share,.seed = rule->seed};
	if (rule->method == SPLIT_BY_HASH)
	{
		splitter->reader.method = SPLIT_BY_HASH;
		splitter->encoders = palloc(spec->n_columns * sizeof(ValueEncoder *));
		for (int f = 0; f < spec->n_columns; f++)
			splitter->encoders[f] = encoder_create(spec, f, types[f], CurrentMemoryContext);
		splitter->domain_at = spec->domain_feature;
		splitter->label_at = spec->n_columns;
	}
	else
	{
		init_column(splitter, types[0]);
		splitter->domain_at = 1;
		splitter->label_at = 2;
	}
	splitter->has_label = OidIsValid(label_type);
	if (splitter->has_label)
		label_init_type(&splitter->label, label_type, spec->label, &labels, NULL);
	return splitter;
}

static uint64
row_hash(const Splitter *splitter, const Datum *values, const bool *nulls)
{
	uint64		hash = 0;

	for (int f = 0; f < splitter->spec->n_columns; f++)
		hash = hash_combine64(hash, encoder_row_hash(splitter->encoders[f], values[f], nulls[f]));
	return hash;
}

int
splitter_split(Splitter *splitter, const Datum *values, const bool *nulls)
{
	const SplitRule *rule = splitter->rule;
	int			at = splitter->label_at;
	uint8		label;
	Datum		value;

	if (nulls[splitter->domain_at] ||
		(splitter->has_label && label_read(&splitter->label, values[at], nulls[at], &label) != LABEL_GOOD))
		return -1;
	if (rule->method == SPLIT_BY_HASH)
		return split_of(&splitter->reader, &splitter->options, &rule->bounds, 0,
						row_hash(splitter, values, nulls));
	if (nulls[0])
		return -1;
	value = cast_nearest(&splitter->cast, values[0]);
	if (rule->method == SPLIT_BY_NAME)
		return split_of_name(&splitter->reader, value);
	return split_of(&splitter->reader, &splitter->options, &rule->bounds,
					split_key(&splitter->reader, value), 0);
}

bool
splitter_passes(SplitFilter *filter, const Datum *values, const bool *nulls)
{
	int			split = splitter_split(filter->splitter, values, nulls);

	if (split >= 0)
		filter->rows[split]++;
	filter->latest = split;
	return filter->wanted < 0 || split == filter->wanted;
}
