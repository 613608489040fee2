/*
 * incumbent.c
 *	  The deployed version, measured on the test rows of the one that is to
 *	  take its place.
 *
 * Phases, between which the job reads and samples (job.c): the deployed version is
 * found and loaded under one snapshot; its twin of each row is read beside the new
 * one; the rules of both splits are compared; the twin's test rows are scored and
 * measured.  Wherever that cannot be done, a sentence says why.
 *
 * Nothing is locked: which version is deployed when the new one is stored is looked
 * up then (catalog/deploy.h).  Memory is a context of its own, which
 * incumbent_close() deletes; only the result is the job's.
 */
#include "postgres.h"

#include "jobs/incumbent.h"

#include <math.h>

#include "access/xact.h"
#include "catalog/models.h"
#include "catalog/record.h"
#include "engine/data/crosses.h"
#include "engine/data/measured.h"
#include "engine/score/score.h"
#include "host.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "source/keys/dense.h"
#include "source/read/collect_place.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* Rows scored between two looks at interrupts. */
#define ROWS_AT_ONCE 1024

struct IncumbentReading
{
	MemoryContext context;
	LoadedModel *loaded;
	SourceTwin	twin;
	TrainingRecord record;
	bool	   *went_with_item; /* [n_columns] when negatives were sampled for it */
	bool		unread;			/* is there a vector that it cannot read? */
};

/* The type of a column's values, of a list's its members'. */
static Oid
column_type(const SourceRelation *relation, const Feature *feature)
{
	Oid			type = getBaseType(source_column_type(relation, feature->name));

	if (feature->kind == FEATURE_LIST)
		type = getBaseType(get_element_type(type));
	return type;
}

/* Has its column values of the feature's type?  Of vectors that are in another way the numbers count. */
static bool
is_readable(const SourceRelation *relation, const Feature *feature)
{
	if (feature->kind == FEATURE_DENSE)
		return vector_possible(source_column_type(relation, feature->name));
	return OidIsValid(feature->type) && column_type(relation, feature) == feature->type;
}

/* Why a model cannot read a relation, in the current memory context; NULL: it can. */
static char *
find_problem(const FeatureSpec *spec, const ColumnRoles *roles)
{
	const SourceRelation *relation = roles->relation;
	StringInfoData missing;
	StringInfoData denied;
	StringInfoData changed;

	initStringInfo(&missing);
	initStringInfo(&denied);
	initStringInfo(&changed);
	for (int f = 0; f < spec->n_columns; f++)
	{
		const Feature *feature = &spec->features[f];
		StringInfo	names = &changed;

		if (!OidIsValid(source_column_type(relation, feature->name)))
			names = &missing;
		else if (roles->label && strcmp(feature->name, roles->label) == 0)
			return psprintf("the label %s is one of its features", roles->label);
		else if (!source_may_read(relation, feature->name))
			names = &denied;
		else if (is_readable(relation, feature))
			continue;
		appendStringInfo(names, "%s%s", names->len > 0 ? ", " : "", feature->name);
	}
	if (missing.len > 0)
		return psprintf("the source does not have its features %s", missing.data);
	if (denied.len > 0)
		return psprintf("there is no right to read its features %s", denied.data);
	return changed.len > 0 ?
		psprintf("columns have other types than its features %s", changed.data) : NULL;
}

IncumbentReading *
incumbent_open(const char *name, const ColumnRoles *roles, MemoryContext context,
			   Incumbent *incumbent)
{
	MemoryContext own = AllocSetContextCreate(context, "aread incumbent", ALLOCSET_DEFAULT_SIZES);
	IncumbentReading *reading = MemoryContextAllocZero(own, sizeof(IncumbentReading));
	MemoryContext old = MemoryContextSwitchTo(own);
	ModelVersion version;
	char	   *problem = NULL;

	*incumbent = (Incumbent) {0};
	reading->context = own;
	/* one snapshot: what is found is still there when it is loaded */
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	if (catalog_find_deployed(name, &version))
	{
		incumbent->version = version.version;
		incumbent->id = version.id;
		reading->loaded = catalog_load(&version, own);
		reading->loaded->spec->unread = &reading->unread;
		reading->twin.spec = reading->loaded->spec;
		reading->went_with_item = record_read_bonds(reading->loaded);
		record_read(&version, &reading->record);
		incumbent->moved = !isnan(reading->loaded->model->config.base_rate);
		problem = find_problem(reading->loaded->spec, roles);
	}
	PopActiveSnapshot();
	MemoryContextSwitchTo(old);
	if (incumbent->version > 0 && !problem)
		return reading;
	if (problem)
		incumbent->problem = MemoryContextStrdup(context, problem);
	incumbent_close(reading);
	return NULL;
}

/* By hash a row's split hangs on its features, too. */
static bool
are_features_alike(const FeatureSpec *own, const FeatureSpec *new)
{
	if (own->n_columns != new->n_columns)
		return false;
	for (int f = 0; f < own->n_columns; f++)
		if (strcmp(own->features[f].name, new->features[f].name) != 0 ||
			own->features[f].kind != new->features[f].kind)
			return false;
	return true;
}

void
incumbent_compare_splits(const IncumbentReading *reading, const SplitRule *split,
						 const FeatureSpec *spec, Incumbent *incumbent)
{
	const SplitRule *own = &reading->record.split;
	bool		alike = reading->record.has_split && own->method == split->method;

	if (alike && split->method == SPLIT_BY_HASH)
		alike = own->seed == split->seed && own->valid_share == split->valid_share &&
			own->test_share == split->test_share &&
			are_features_alike(reading->loaded->spec, spec);
	else if (alike)
		alike = strcmp(own->column, split->column) == 0;
	/* later rows are not those that it was trained on */
	if (alike && split->method == SPLIT_BY_ORDER && own->bounds.has_valid && split->bounds.has_test)
		alike = split->bounds.first_test >= own->bounds.first_valid;
	incumbent->may_have_trained = !alike;
}

SourceTwin *
incumbent_twin(IncumbentReading *reading)
{
	return &reading->twin;
}

void
incumbent_close(IncumbentReading *reading)
{
	if (reading->twin.data)
		dataset_free(reading->twin.data);
	MemoryContextDelete(reading->context);
}

/*
 * Which of its features went with the item when negatives were sampled, [n_features]:
 * of those that the new version has not, what went with it when its own were, and
 * counts of such.
 */
static bool *
fields_with_item(const IncumbentReading *reading, const FeatureSpec *new, const bool *with_item)
{
	const FeatureSpec *own = reading->loaded->spec;
	bool	   *result = palloc0(own->n_features * sizeof(bool));

	for (int f = 0; f < own->n_columns; f++)
	{
		int			at = spec_find(new, own->features[f].name);

		result[f] = at >= 0 ? with_item[at] : reading->went_with_item[f];
	}
	for (int f = own->n_columns; f < own->n_features; f++)
		result[f] = own->features[f].kind == FEATURE_ROWS && result[own->features[f].counted];
	return result;
}

/* Scores of n rows: those of the twin from "first" on, or as the origins say. */
static double *
score_rows(const IncumbentReading *reading, uint64 first, uint64 n, const RowOrigin *origins,
		   const bool *with_item)
{
	const Dataset *twin = reading->twin.data;
	Size		n_fields = twin->shape.n_fields;
	uint32	   *ids = palloc(ROWS_AT_ONCE * n_fields * sizeof(uint32));
	double	   *scores = MemoryContextAllocHuge(CurrentMemoryContext, (n + 1) * sizeof(double));
	EngineHost	host = host_callbacks();
	EngineError error;
	Scorer	   *scorer;
	Arena		arena;

	host_arena(&arena, CurrentMemoryContext);
	scorer = scorer_create(&arena, reading->loaded->model, READY_BYTES, NULL, &host, &error);
	if (!scorer)
		host_raise(&error);
	for (uint64 row = 0; row < n; row += ROWS_AT_ONCE)
	{
		ScoreRows	rows = {
			.n_rows = Min(n - row, ROWS_AT_ONCE),
			.ids = origins ? ids : twin->ids + (first + row) * n_fields,
			.list_start = twin->list_start,
			.list_members = twin->list_members
		};

		CHECK_FOR_INTERRUPTS();
		for (uint64 i = 0; origins && i < rows.n_rows; i++)
			row_with_item(twin, origins[row + i].row, origins[row + i].item, with_item,
						  ids + i * n_fields);
		if (!scorer_score(scorer, &rows, scores + row, &error))
			host_raise(&error);
	}
	return scores;
}

void
incumbent_measure(IncumbentReading *reading, const Dataset *data, const RowOrigin *origins,
				  const NegativeReport *negatives, const FeatureSpec *spec, Incumbent *incumbent)
{
	MemoryContext old = MemoryContextSwitchTo(reading->context);
	uint64		first = data->split_start[SPLIT_TEST];
	uint64		n = dataset_rows(data, SPLIT_TEST);
	EngineHost	host = host_callbacks();
	EngineError error;
	double	   *scores;
	Arena		arena;

	if (reading->unread)
	{
		incumbent->problem = "a vector is none that it can read";
		MemoryContextSwitchTo(old);
		return;
	}
	host_arena(&arena, reading->context);
	scores = score_rows(reading, first, n, origins, origins ?
						fields_with_item(reading, spec, negatives->with_item) : NULL);
	if (!measured_rows(&arena, data, first, n, scores, &incumbent->measures, NULL, &host, &error))
		host_raise(&error);
	MemoryContextSwitchTo(old);
}
