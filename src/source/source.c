/*
 * source.c
 *	  From a relation to a dataset, for training and for evaluation.
 *
 * Training.  The features are inferred from columns, rows are collected, and a
 * survey of them says which columns are no features.  If it leaves any out, all is
 * given back and the source is read once more, as if the others had been listed.
 * Then the collector makes a dataset of the rows.  A twin may be read along: the
 * same rows, encoded by a trained model.
 *
 * Evaluation.  Rows are encoded by a trained model's vocabularies, and those that
 * pass a filter become test rows.
 *
 * Memory.  Everything lies in the caller's context, rows in spools of the caller's
 * room.  The team's threads work on the collector while rows come.  After an error
 * they outlive these functions for a moment: nothing that they use lies on the
 * stack.
 */
#include "postgres.h"

#include "source/source.h"

#include "host.h"
#include "source/crosses.h"
#include "source/feature_choice.h"
#include "source/features.h"
#include "source/keys/vocabulary.h"
#include "source/read/collect_place.h"
#include "source/read/encoding.h"
#include "source/read/reader.h"
#include "source/read/survey.h"
#include "source/roles.h"
#include "source/row_counts.h"
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
		row_counts_append(spec, options->samples_negatives);
	crosses_append(spec, plans, options);
	collector_init(collector, roles, options, spec, plans, room, team, report);
	return collector;
}

/* Rows for a new model, and the same for one that there is. */
typedef struct DoubleReading
{
	Collector  *first;
	Encoding   *twin;			/* NULL: none */
	int			twin_at;		/* where its columns begin */
} DoubleReading;

/* Its columns, to be read after n others. */
static List *
twin_init(DoubleReading *both, const SourceTwin *twin, const ColumnRoles *roles, int n,
		  SpoolRoom *room)
{
	ColumnRoles *none = palloc0(sizeof(ColumnRoles));
	SourceOptions *options = palloc0(sizeof(SourceOptions));
	ReadReport *report = palloc0(sizeof(ReadReport));

	none->relation = roles->relation;
	both->twin = palloc0(sizeof(Encoding));
	both->twin_at = n;
	both->first->twin = &both->twin->rows;
	collector_init(&both->twin->rows, none, options, (FeatureSpec *) twin->spec, NULL, room, NULL,
				   report);
	return row_encoder_init(&both->twin->encoder, roles->relation, twin->spec);
}

/* A row of both, unless it is left out. */
static void
collect_twice(void *context, const Datum *values, const bool *nulls)
{
	DoubleReading *both = context;
	uint64		before = both->first->n_rows;

	collect_row(both->first, values, nulls);
	if (!both->twin || both->first->n_rows == before)
		return;
	collector_reserve(&both->twin->rows);
	encoding_add(both->twin, values + both->twin_at, nulls + both->twin_at);
	both->twin->rows.n_rows++;
}

static Collector *
read_rows(const ColumnRoles *roles, const SourceOptions *options, SpoolRoom *room, Team *team,
		  const SourceTwin *twin, ReadReport *report)
{
	DoubleReading both = {.first = begin_reading(roles, options, room, team, report)};
	List	   *columns = columns_to_read(both.first->spec, roles);

	if (twin)
		columns = list_concat(columns, twin_init(&both, twin, roles, list_length(columns), room));
	reader_run(roles->relation, columns, READ_LATEST, collect_twice, &both);
	collector_look_up(both.first);
	return both.first;
}

Dataset *
source_read(const ColumnRoles *roles, const SourceOptions *options, MemoryContext context,
			SpoolRoom *room, Team *team, FeatureSpec **spec, SourceTwin *twin, ReadReport *report)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	double		start = host_seconds();
	ColumnRoles chosen = *roles;
	Collector  *collector;
	Survey		survey;
	Dataset    *data;

	roles_check(roles);
	collector = read_rows(roles, options, room, team, twin, report);
	survey_init(&survey, collector->spec);
	survey_add(&survey, collector);
	survey_warn(&survey, collector);
	chosen.features = survey_features(&survey, collector);
	if (list_length(chosen.features) < collector->spec->n_columns)
	{
		collector_discard(collector);
		collector = read_rows(&chosen, options, room, team, twin, report);
	}
	*spec = collector->spec;
	features_tell(roles, *spec);
	data = collector_finish(collector);
	if (twin)
		twin->data = collector->twin_data;
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

static Dataset *
read_as(const SourceRelation *relation, const FeatureSpec *spec, const char *label,
		const SourceOptions *options, SplitFilter *filter, bool by_split, MemoryContext context,
		SpoolRoom *room, ReadReport *report)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	ColumnRoles roles = {.relation = relation,.label = (char *) label,
	.domain = spec->features[spec->domain_feature].name};
	Encoding	encoding = {.by_split = by_split};
	Dataset    *data;
	List	   *columns;
	double		start = host_seconds();

	memset(report, 0, sizeof(*report));
	roles_check(&roles);
	collector_init(&encoding.rows, &roles, options, (FeatureSpec *) spec, NULL, room, NULL, report);
	columns = row_encoder_init(&encoding.encoder, relation, spec);
	encoding.label_position = list_length(columns);
	if (label)
		columns = lappend(columns, (char *) label);
	encoding.filter = filter;
	if (filter)
		columns = list_concat(columns, filter->columns);
	reader_run(relation, columns, READ_LATEST, encoding_add_labeled, &encoding);
	if (label)
		label_check_coding(&encoding.rows.label);
	encoding.rows.splits = MemoryContextAllocHuge(context, encoding.rows.n_rows + 1);
	for (uint64 row = 0; row < encoding.rows.n_rows; row++)
		encoding.rows.splits[row] = by_split ? split_of_hash(encoding.rows.result.hashes[row]) :
			SPLIT_TEST;
	data = collector_place(&encoding.rows, NULL);
	report->seconds = host_seconds() - start;
	MemoryContextSwitchTo(old);
	return data;
}

Dataset *
source_read_as(const SourceRelation *relation, const FeatureSpec *spec, const char *label,
			   const SourceOptions *options, SplitFilter *filter, MemoryContext context,
			   SpoolRoom *room, ReadReport *report)
{
	return read_as(relation, spec, label, options, filter, false, context, room, report);
}

Dataset *
source_read_by_split(const SourceRelation *relation, const FeatureSpec *spec, const char *label,
					 const SourceOptions *options, SplitFilter *filter, MemoryContext context,
					 SpoolRoom *room, ReadReport *report)
{
	return read_as(relation, spec, label, options, filter, true, context, room, report);
}
