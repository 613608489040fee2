/*
 * source.c
 *	  From a relation to a dataset, for training and for evaluation.
 */
#include "postgres.h"

#include "source/source.h"

#include "host.h"
#include "miscadmin.h"
#include "source/encode_rows.h"
#include "source/place.h"
#include "source/reader.h"
#include "source/rowcount.h"
#include "source/vocabulary.h"
#include "utils/builtins.h"

/* Columns in the order that collect_row() expects them. */
static List *
columns_to_read(const FeatureSpec *spec, const ColumnRoles *roles)
{
	List	   *columns = NIL;

	for (int f = 0; f < spec->n_columns; f++)
		columns = lappend(columns, spec->features[f].name);
	if (roles->label)
		columns = lappend(columns, roles->label);
	if (roles->split)
		columns = lappend(columns, roles->split);
	if (roles->weight)
		columns = lappend(columns, roles->weight);
	return columns;
}

void
source_check_roles(const ColumnRoles *roles)
{
	const struct
	{
		const char *name;
		const char *role;
	}			named[] = {
		{roles->label, "label"}, {roles->domain, "domain"}, {roles->user_id, "user"},
		{roles->item_id, "item"}, {roles->split, "split"}, {roles->weight, "weight"}
	};
	ListCell   *cell;

	for (int i = 0; i < lengthof(named); i++)
		if (named[i].name && !OidIsValid(source_column_type(roles->relation, named[i].name)))
			source_missing_column(roles->relation, named[i].name, named[i].role);
	for (int i = 1; roles->label && i < lengthof(named); i++)
		if (named[i].name && strcmp(roles->label, named[i].name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" cannot be both label and %s", roles->label,
							named[i].role)));
	foreach(cell, roles->features)
		if (!OidIsValid(source_column_type(roles->relation, lfirst(cell))))
			source_missing_column(roles->relation, lfirst(cell), "feature");
}

Dataset *
source_read(const ColumnRoles *roles, const SourceOptions *options, MemoryContext context,
			SpoolRoom *room, Team *team, FeatureSpec **spec, ReadReport *report)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	/* on an error the threads outlive this function for a moment: not on its stack */
	Collector  *collector = palloc(sizeof(Collector));
	FeaturePlan *plans;
	Dataset    *data;
	double		start = host_seconds();

	memset(report, 0, sizeof(*report));
	source_check_roles(roles);
	*spec = features_infer(roles, options, &plans);
	for (int f = 0; f < (*spec)->n_columns; f++)
		if (plans[f].buckets > 0)
			vocabulary_build_hashed(&(*spec)->vocabularies[(*spec)->features[f].vocabulary],
									plans[f].buckets);
	if (options->row_counts)
		rowcount_append(*spec, options->negatives);
	collector_init(collector, roles, options, *spec, plans, room, team, report);
	reader_run(roles->relation, columns_to_read(*spec, roles), READ_LATEST, collect_row,
			   collector);
	data = collector_finish(collector);
	report->seconds = host_seconds() - start;
	MemoryContextSwitchTo(old);
	return data;
}

/* A source encoded by the vocabularies of a trained model. */
typedef struct Encoding
{
	Collector	rows;
	RowEncoder	encoder;
	int			label_position;
} Encoding;

static void
encode_row(void *context, const Datum *values, const bool *nulls)
{
	Encoding   *encoding = context;
	Collector  *rows = &encoding->rows;
	Size		size = rows->spec->n_features * sizeof(uint32);
	uint32	   *row;
	LabelState	state;

	CHECK_FOR_INTERRUPTS();
	collector_reserve(rows);
	rows->report->rows_read++;
	state = label_read(&rows->label, values[encoding->label_position],
					   nulls[encoding->label_position], &rows->labels[rows->n_rows]);
	if (state != LABEL_GOOD)
	{
		if (state == LABEL_NULL)
			rows->report->null_labels++;
		else
			rows->report->bad_labels++;
		return;
	}
	row_encoder_read(&encoding->encoder, values, nulls);
	row = spool_reserve(&rows->result.ids, size);
	for (int f = 0; f < rows->spec->n_columns; f++)
	{
		const uint32 *ids;
		int			n = row_encoder_ids(&encoding->encoder, f, &ids);

		row[f] = kind_has_list(rows->spec->features[f].kind) ?
			collect_list(rows, ids, n) : ids[0];
	}
	rowcount_encode(rows->spec, row);
	spool_advance(&rows->result.ids, size);
	rows->result.hashes[rows->n_rows] = rows->n_rows;
	rows->n_rows++;
}

Dataset *
source_read_as(const SourceRelation *relation, const FeatureSpec *spec, const char *label,
			   const SourceOptions *options, MemoryContext context, SpoolRoom *room,
			   ReadReport *report)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	ColumnRoles roles = {.relation = relation,.label = (char *) label,
	.domain = spec->features[spec->domain_feature].name};
	Encoding	encoding;
	Dataset    *data;
	List	   *columns;
	double		start = host_seconds();

	memset(report, 0, sizeof(*report));
	source_check_roles(&roles);
	collector_init(&encoding.rows, &roles, options, (FeatureSpec *) spec, NULL, room, NULL, report);
	columns = row_encoder_init(&encoding.encoder, relation, spec);
	encoding.label_position = list_length(columns);
	reader_run(relation, lappend(columns, (char *) label), READ_LATEST, encode_row, &encoding);
	encoding.rows.splits = MemoryContextAllocHuge(context, encoding.rows.n_rows + 1);
	memset(encoding.rows.splits, SPLIT_TEST, encoding.rows.n_rows);
	data = collector_place(&encoding.rows, NULL);
	report->seconds = host_seconds() - start;
	MemoryContextSwitchTo(old);
	return data;
}
