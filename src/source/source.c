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
#include "source/splitter.h"
#include "source/survey.h"
#include "source/vocabulary.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define BROWSED_ROWS 4096

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

/* On an error the threads outlive this function for a moment: nothing lies on its stack. */
static Collector *
begin_reading(const ColumnRoles *roles, const SourceOptions *options, SpoolRoom *room, Team *team,
			  ReadReport *report)
{
	Collector  *collector = palloc(sizeof(Collector));
	FeaturePlan *plans;
	FeatureSpec *spec = features_infer(roles, options, &plans);

	memset(report, 0, sizeof(*report));
	for (int f = 0; f < spec->n_columns; f++)
		if (plans[f].buckets > 0)
			vocabulary_build_hashed(&spec->vocabularies[spec->features[f].vocabulary],
									plans[f].buckets);
	if (options->row_counts)
		rowcount_append(spec, options->negatives);
	collector_init(collector, roles, options, spec, plans, room, team, report);
	return collector;
}

static Collector *
read_rows(const ColumnRoles *roles, const SourceOptions *options, SpoolRoom *room, Team *team,
		  ReadReport *report)
{
	Collector  *collector = begin_reading(roles, options, room, team, report);

	reader_run(roles->relation, columns_to_read(collector->spec, roles), READ_LATEST, collect_row,
			   collector);
	collector_look_up(collector);
	return collector;
}

Dataset *
source_read(const ColumnRoles *roles, const SourceOptions *options, MemoryContext context,
			SpoolRoom *room, Team *team, FeatureSpec **spec, ReadReport *report)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	double		start = host_seconds();
	ColumnRoles chosen = *roles;
	Collector  *collector;
	Survey		survey;
	Dataset    *data;

	source_check_roles(roles);
	collector = read_rows(roles, options, room, team, report);
	survey_init(&survey, collector->spec);
	survey_add(&survey, collector);
	survey_warn(&survey, collector, roles);
	chosen.features = survey_features(&survey, collector);
	if (list_length(chosen.features) < collector->spec->n_columns)
	{
		collector_discard(collector);
		collector = read_rows(&chosen, options, room, team, report);
	}
	*spec = collector->spec;
	features_tell(roles, *spec);
	data = collector_finish(collector);
	report->seconds = host_seconds() - start;
	MemoryContextSwitchTo(old);
	return data;
}

/* Rows that are looked at and forgotten. */
typedef struct Browsing
{
	Collector  *collector;
	Survey		survey;
} Browsing;

static void
look_at_rows(Browsing *browsing)
{
	collector_look_up(browsing->collector);
	survey_add(&browsing->survey, browsing->collector);
	collector_forget(browsing->collector);
}

static void
browse_row(void *context, const Datum *values, const bool *nulls)
{
	Browsing   *browsing = context;

	collect_row(browsing->collector, values, nulls);
	if (browsing->collector->n_rows == BROWSED_ROWS)
		look_at_rows(browsing);
}

List *
source_features(const ColumnRoles *roles, const SourceOptions *options)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aread survey",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	List	   *names = NIL;
	ReadReport	report;
	SpoolRoom	room;
	Browsing	browsing;
	ListCell   *cell;

	room_init(&room, context, PG_INT32_MAX, false);
	browsing.collector = begin_reading(roles, options, &room, NULL, &report);
	survey_init(&browsing.survey, browsing.collector->spec);
	reader_run(roles->relation, columns_to_read(browsing.collector->spec, roles), READ_AS_CALLER,
			   browse_row, &browsing);
	look_at_rows(&browsing);
	foreach(cell, survey_features(&browsing.survey, browsing.collector))
		names = lappend(names, MemoryContextStrdup(old, lfirst(cell)));
	MemoryContextSwitchTo(old);
	names = list_copy(names);
	MemoryContextDelete(context);
	return names;
}

/* A source encoded by the vocabularies of a trained model. */
typedef struct Encoding
{
	Collector	rows;
	RowEncoder	encoder;
	int			label_position;
	SplitFilter *filter;		/* NULL: none; its columns follow the label */
} Encoding;

/* Is the row one to evaluate? */
static bool
passes(SplitFilter *filter, const Datum *values, const bool *nulls)
{
	int			split = splitter_split(filter->splitter, values, nulls);

	if (split >= 0)
		filter->rows[split]++;
	return filter->wanted < 0 || split == filter->wanted;
}

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
	if (encoding->filter && !passes(encoding->filter, values + encoding->label_position + 1,
									nulls + encoding->label_position + 1))
		return;
	row_encoder_read(&encoding->encoder, values, nulls);
	row = spool_reserve(&rows->result.ids, size);
	for (int f = 0; f < rows->spec->n_columns; f++)
	{
		const uint32 *ids;
		int			n = row_encoder_ids(&encoding->encoder, f, &ids);

		row[f] = rows->spec->features[f].kind == FEATURE_LIST ?
			collect_list(rows, ids, n) : ids[0];
	}
	rowcount_encode(rows->spec, row);
	spool_advance(&rows->result.ids, size);
	rows->result.hashes[rows->n_rows] = rows->n_rows;
	rows->n_rows++;
}

Dataset *
source_read_as(const SourceRelation *relation, const FeatureSpec *spec, const char *label,
			   const SourceOptions *options, SplitFilter *filter, MemoryContext context,
			   SpoolRoom *room, ReadReport *report)
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
	columns = lappend(columns, (char *) label);
	encoding.filter = filter;
	if (filter)
		columns = list_concat(columns, filter->columns);
	reader_run(relation, columns, READ_LATEST, encode_row, &encoding);
	label_check_coding(&encoding.rows.label);
	encoding.rows.splits = MemoryContextAllocHuge(context, encoding.rows.n_rows + 1);
	memset(encoding.rows.splits, SPLIT_TEST, encoding.rows.n_rows);
	data = collector_place(&encoding.rows, NULL);
	report->seconds = host_seconds() - start;
	MemoryContextSwitchTo(old);
	return data;
}
