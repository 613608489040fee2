/*
 * evaluate.c
 *	  aread_evaluate() and aread_evaluate_domains(): a model's measures over a
 *	  table.
 *
 * Phases: the model is pinned; the relation is opened, which may wait for its lock;
 * its rows are read and encoded (source/source.h), those of one split alone where
 * that is asked for; all are scored; measures are computed over all rows and for
 * each domain.
 *
 * Rows lie in memory as far as aread.training_memory goes, else in temporary files.
 * All else lies in one context that goes with the call.
 */
#include "postgres.h"

#include <math.h>

#include "api/evaluate.h"
#include "api/name_arguments.h"
#include "engine/data/measured.h"
#include "fmgr.h"
#include "funcapi.h"
#include "host.h"
#include "miscadmin.h"
#include "serve/cache.h"
#include "settings.h"
#include "source/keys/types.h"
#include "source/keys/vocabulary.h"
#include "source/read/split.h"
#include "source/source.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

typedef struct ModelEvaluation
{
	const LoadedModel *loaded;
	ReadReport	report;
	uint64		n_rows;
	uint32		n_domains;
	Measures	measures;
	DomainMeasure *by_domain;	/* [n_domains] */
	DomainMeasure unseen;		/* rows of domains never seen */
} ModelEvaluation;

static double *
score_all(const ServedModel *served, const Dataset *data, uint64 n_rows, MemoryContext context)
{
	double	   *scores = MemoryContextAllocHuge(context, (n_rows + 1) * sizeof(double));

	ScoreRows	rows = {
		.n_rows = n_rows,.ids = data->ids,.list_start = data->list_start,
		.list_members = data->list_members
	};
	EngineError error;

	if (!scorer_score(served->scorer, &rows, scores, &error))
		host_raise(&error);
	return scores;
}

static void
measure(ModelEvaluation *evaluation, const Dataset *data, const double *scores,
		MemoryContext context)
{
	uint64		n_rows = evaluation->n_rows;
	EngineHost	host = host_callbacks();
	EngineError error;
	Measure		log_loss;
	int64_t    *domains;
	Arena		arena;

	host_arena(&arena, context);
	domains = ARENA_ARRAY(&arena, int64_t, n_rows);
	evaluation->by_domain = ARENA_ARRAY(&arena, DomainMeasure, evaluation->n_domains);
	if (!arena_ok(&arena, &error))
		host_raise(&error);
	if (!measured_rows(&arena, data, 0, n_rows, scores, &evaluation->measures,
					   evaluation->by_domain, &host, &error))
		host_raise(&error);
	/* once more with those never seen as the only domain */
	for (uint64 row = 0; row < n_rows; row++)
		domains[row] = dataset_domain(data, row) < 0 ? 0 : -1;
	if (!metrics_by_domain(&arena, scores, data->labels, domains, n_rows, 1,
						   &evaluation->unseen, &log_loss, &host, &error))
		host_raise(&error);
}

/*
 * The label column: the one trained with; of a model that was trained without,
 * the one registered for the relation, or "label"; NULL: there is none.
 */
const char *
evaluation_find_label(const LoadedModel *loaded, const SourceRelation *relation)
{
	ColumnRoles *roles;

	if (loaded->spec->label)
		return loaded->spec->label;
	roles = catalog_roles(relation->id);
	if (roles && roles->label)
		return roles->label;
	return OidIsValid(source_column_type(relation, "label")) ? "label" : NULL;
}

static const char *
label_column(const LoadedModel *loaded, const SourceRelation *relation)
{
	const char *label = evaluation_find_label(loaded, relation);

	if (!label)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("relation \"%s\" has no label column", relation->name),
				 errdetail("Model \"%s\" was trained without one, on positive rows and sampled negatives.",
						   loaded->version.name),
				 errhint("Evaluate over rows of both kinds that have a column \"label\", or name theirs with aread_register.")));
	return label;
}

int
evaluation_split(const text *name)
{
	int			split = split_by_name(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));

	if (split < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown split \"%s\"", text_to_cstring(name)),
				 errhint("Splits are train, valid and test.")));
	return split;
}

/* Has the relation a split column as in training, which the caller may read? */
static bool
has_split_column(const SplitRule *rule, const SourceRelation *relation)
{
	Oid			type = source_column_type(relation, rule->column);

	return OidIsValid(type) && getBaseType(type) == type_by_name(rule->type_name) &&
		source_may_read(relation, rule->column);
}

/*
 * Can it be told by the way, without more rights than an evaluation takes, which
 * of the rows were trained on?
 */
static bool
tells_splits(const TrainingRecord *record, const FeatureSpec *spec, const SourceRelation *relation)
{
	if (!record->has_split || strcmp(record->source_name, relation->full_name) != 0)
		return false;
	if (record->split.method != SPLIT_BY_HASH)
		return has_split_column(&record->split, relation);
	for (int f = 0; f < spec->n_columns; f++)
		if (source_column_number(relation, spec->features[f].name) == 0)
			return false;
	return true;
}

/* A filter for a split, or (wanted -1) to count what is of which; NULL: that cannot be told. */
SplitFilter *
evaluation_filter(const LoadedModel *loaded, const SourceRelation *relation,
				  const TrainingRecord *record, int wanted)
{
	SplitFilter *filter = palloc0(sizeof(SplitFilter));
	Oid		   *types;
	ListCell   *cell;

	if (wanted < 0 && !tells_splits(record, loaded->spec, relation))
		return NULL;
	filter->wanted = wanted;
	filter->columns = splitter_columns(&record->split, loaded->spec);
	types = palloc(list_length(filter->columns) * sizeof(Oid));
	foreach(cell, filter->columns)
	{
		Oid			type = source_column_type(relation, lfirst(cell));

		if (!OidIsValid(type))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of relation \"%s\" does not exist",
							(char *) lfirst(cell), relation->name),
					 errdetail("The split of a row is told by the columns that told it in training."),
					 errhint("Evaluate over the relation that the model was trained on, or all rows: \"split => NULL\".")));
		types[foreach_current_index(cell)] = type;
	}
	filter->splitter = splitter_create(&record->split, loaded->spec, types, InvalidOid);
	return filter;
}

/* Measures over rows that the model has learnt by heart say little. */
static void
warn_of_training_rows(const LoadedModel *loaded, const SplitFilter *filter, uint64 n_rows)
{
	uint64		trained = filter->rows[SPLIT_TRAIN];

	if (filter->wanted < 0 && 2 * trained > n_rows)
		ereport(WARNING,
				(errmsg("model \"%s\" was trained on most of these rows: " UINT64_FORMAT " of "
						UINT64_FORMAT, loaded->version.name, trained, n_rows),
				 errhint("Pass split => 'test' for the rows that it has not seen.")));
}

void
evaluation_warn_of_bad_labels(const ReadReport *report, const TrainingRecord *record)
{
	double		share = report->bad_labels / Max((double) report->rows_read, 1);
	double		before = record->bad_labels / Max((double) record->rows_read, 1);

	if (share > 2 * before)
		ereport(WARNING,
				(errmsg("left out " UINT64_FORMAT " of " UINT64_FORMAT
						" rows: their labels are neither 0 nor 1",
						report->bad_labels, report->rows_read),
				 errdetail("In training these were " UINT64_FORMAT " of " UINT64_FORMAT " rows.",
						   record->bad_labels, record->rows_read)));
}

/* Everything is allocated in the current memory context. */
static ModelEvaluation *
evaluate(FunctionCallInfo fcinfo)
{
	ModelEvaluation *evaluation = palloc0(sizeof(ModelEvaluation));
	/* pinned before the relation's lock is waited for */
	const ServedModel *served = model_argument_for(fcinfo, 0, RIGHT_TO_PREDICT);
	const LoadedModel *loaded = served->loaded;
	SourceOptions options = {.label_threshold = loaded->spec->label_threshold};
	int			wanted;
	const SourceRelation *relation;
	TrainingRecord *record = palloc(sizeof(TrainingRecord));
	SplitFilter *filter;
	Dataset    *data;
	double	   *scores;
	SpoolRoom	room;

	wanted = PG_NARGS() > 2 ? evaluation_split(PG_GETARG_TEXT_PP(2)) : -1;
	relation = source_open(PG_GETARG_OID(1));
	room_init(&room, CurrentMemoryContext, setting_training_memory, false);
	if (wanted >= 0)
		record_read_split(&loaded->version, record);
	else
		record_read(&loaded->version, record);
	options.on_bad_label = record->on_bad_label;
	filter = evaluation_filter(loaded, relation, record, wanted);
	data = source_read_as(relation, loaded->spec, label_column(loaded, relation), &options, filter,
						  CurrentMemoryContext, &room, &evaluation->report);
	evaluation->loaded = loaded;
	evaluation->n_rows = data->split_start[3];
	evaluation->n_domains = loaded->model->n_domains;
	evaluation_warn_of_bad_labels(&evaluation->report, record);
	if (filter)
		warn_of_training_rows(loaded, filter, evaluation->n_rows);
	scores = score_all(served, data, evaluation->n_rows, CurrentMemoryContext);
	measure(evaluation, data, scores, CurrentMemoryContext);
	room_close(&room);
	return evaluation;
}

/* A measure and the rows behind it. */
static int
set_measure(Datum *values, bool *nulls, int at, const Measure *measure, bool with_rows)
{
	values[at] = Float8GetDatum(measure->value);
	nulls[at++] = isnan(measure->value);
	if (with_rows)
		values[at++] = Int64GetDatum((int64) measure->rows);
	return at;
}

PG_FUNCTION_INFO_V1(aread_evaluate);
/* aread_evaluate(model, source [, split]) */
Datum
aread_evaluate(PG_FUNCTION_ARGS)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aread evaluation",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;
	ModelEvaluation *evaluation;
	TupleDesc	descriptor;
	Datum		values[2 + 2 * N_ROW_MEASURES];
	bool		nulls[2 + 2 * N_ROW_MEASURES] = {false};
	Datum		result;
	int			at = 2;

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	old = MemoryContextSwitchTo(context);
	evaluation = evaluate(fcinfo);
	MemoryContextSwitchTo(old);
	values[0] = Int64GetDatum((int64) evaluation->n_rows);
	values[1] = Int64GetDatum((int64) (evaluation->report.null_labels +
									   evaluation->report.bad_labels));
	for (int kind = 0; kind < N_ROW_MEASURES; kind++)
		at = set_measure(values, nulls, at, measure_at(&evaluation->measures, kind),
						 measure_kinds[kind].of_some_rows);
	/* functions as an older release made them have fewer columns */
	Assert(at >= descriptor->natts);
	result = HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
	MemoryContextDelete(context);
	return result;
}

static void
put_domain(ReturnSetInfo *rsinfo, const char *name, const DomainMeasure *measure,
		   uint64 train_rows)
{
	Datum		values[6];
	bool		nulls[6] = {false};

	nulls[0] = !name;
	values[0] = name ? CStringGetTextDatum(name) : (Datum) 0;
	values[1] = Int64GetDatum((int64) measure->rows);
	values[2] = Int64GetDatum((int64) measure->positives);
	values[3] = Float8GetDatum(measure->auc);
	nulls[3] = measure->rows == 0 || isnan(measure->auc);
	values[4] = Float8GetDatum(measure->log_loss);
	nulls[4] = measure->rows == 0 || isnan(measure->log_loss);
	values[5] = Int64GetDatum((int64) train_rows);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(aread_evaluate_domains);
/* aread_evaluate_domains(model, source [, split]) */
Datum
aread_evaluate_domains(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aread evaluation",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;
	ModelEvaluation *evaluation;
	const FeatureSpec *spec;
	const Vocabulary *names;

	InitMaterializedSRF(fcinfo, 0);
	old = MemoryContextSwitchTo(context);
	evaluation = evaluate(fcinfo);
	spec = evaluation->loaded->spec;
	names = &spec->vocabularies[spec->features[spec->domain_feature].vocabulary];
	for (uint32 d = 0; d < evaluation->n_domains; d++)
		put_domain(rsinfo, vocabulary_key(names, FIRST_ID + d), &evaluation->by_domain[d],
				   evaluation->loaded->domain_rows[d]);
	if (evaluation->unseen.rows > 0)
		put_domain(rsinfo, NULL, &evaluation->unseen, 0);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return (Datum) 0;
}
