/*
 * evaluate_ranking.c
 *	  aread_evaluate_ranking(): how high a model ranks what users took.
 *
 * Phases: the model is pinned, the relation opened and read, each row with its split; which
 * features go with the item is what training stored, or what the rows say; lists are ranked
 * (engine/score/ranked_lists.h).
 *
 * Rows lie in memory as far as aread.training_memory goes, else in temporary files.
 */
#include "postgres.h"

#include <math.h>

#include "api/evaluate.h"
#include "api/name_arguments.h"
#include "engine/data/row_key.h"
#include "engine/sampling/bonds.h"
#include "engine/score/ranked_lists.h"
#include "fmgr.h"
#include "funcapi.h"
#include "host.h"
#include "miscadmin.h"
#include "settings.h"
#include "source/read/read_report.h"
#include "source/source.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Rows in lists of all items for each list, at most: as many as a training takes. */
#define ROWS_PER_LIST (LIST_MAX_ROWS / LIST_MAX)

/* What goes with the item, counts of its rows too; rows lie as they came. */
static bool *
features_with_item(Arena *arena, const LoadedModel *loaded, const Dataset *data,
				   const EngineHost *host)
{
	const FeatureSpec *spec = loaded->spec;
	bool	   *with_item = palloc0(spec->n_features * sizeof(bool));
	FieldBond  *bonds = palloc0(spec->n_features * sizeof(FieldBond));
	struct ArenaBlock *mark = arena_mark(arena);
	uint32_t   *order;
	EngineError error;

	if (loaded->model->config.negatives > 0)
		memcpy(with_item, record_read_bonds(loaded), spec->n_columns * sizeof(bool));
	else if (!rows_by_key(arena, data, data->split_start[SPLIT_VALID], host, &order, &error) ||
			 !bonds_find(arena, data, order, bonds, host, with_item, NULL, &error))
		host_raise(&error);
	arena_reset_to(arena, mark);
	for (int f = spec->n_columns; f < spec->n_features; f++)
		with_item[f] = feature_counts(&spec->features[f], spec->item_feature);
	return with_item;
}

/* Tells of rows that are left out. */
static Dataset *
read_rows(FunctionCallInfo fcinfo, const LoadedModel *loaded, int wanted, SpoolRoom *room)
{
	const SourceRelation *relation = source_open(PG_GETARG_OID(1));
	TrainingRecord *record = palloc0(sizeof(TrainingRecord));
	SourceOptions options = {.label_threshold = loaded->spec->label_threshold};
	SplitFilter *filter = NULL;
	ReadReport	report;
	Dataset    *data;

	if (wanted >= 0)
		record_read_split(&loaded->version, record);
	else
		record_read(&loaded->version, record);
	options.on_bad_label = record->on_bad_label;
	if (wanted >= 0)
	{
		filter = evaluation_filter(loaded, relation, record, wanted);
		filter->wanted = -1;
	}
	data = source_read_by_split(relation, loaded->spec, evaluation_find_label(loaded, relation),
								&options, filter, CurrentMemoryContext, room, &report);
	report_tell_skipped(&report);
	evaluation_warn_of_bad_labels(&report, record);
	return data;
}

/* Of hashed values it is not known which ones are alike: measures are not those of users or items. */
static void
tell_hashed(const FeatureSpec *spec, int feature, const char *detail)
{
	if (feature >= 0 && !spec_has_keys(spec, feature))
		ereport(NOTICE,
				(errmsg("values of \"%s\" are hashed in model \"%s\"",
						spec->features[feature].name, spec->model),
				 errdetail("%s", detail)));
}

static void
rank(FunctionCallInfo fcinfo, ListMeasures *measures)
{
	/* pinned before the relation's lock is waited for */
	const ServedModel *served = model_argument_for(fcinfo, 0, RIGHT_TO_PREDICT);
	const LoadedModel *loaded = served->loaded;
	int			wanted = PG_ARGISNULL(2) ? -1 : evaluation_split(PG_GETARG_TEXT_PP(2));
	int			ranked = Max(wanted, SPLIT_TRAIN);
	ListTask	task = {.seed = (uint64) PG_GETARG_INT64(4),.max_lists = PG_GETARG_INT32(3),
	.max_rows = (uint64) PG_GETARG_INT32(3) * ROWS_PER_LIST};
	EngineHost	host = host_callbacks();
	SpoolRoom	room;
	Dataset    *data;
	Ranking    *ranking;
	EngineError error;
	Arena		arena;

	if (loaded->spec->item_feature < 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" has no item column", loaded->version.name),
				 errdetail("Items are what is ranked."),
				 errhint("Train it with argument \"item_id\".")));
	if (PG_GETARG_INT32(3) < 1 || PG_GETARG_INT32(3) > 100000000)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_lists is %d, but must be between 1 and 100000000",
						PG_GETARG_INT32(3)),
				 errhint("It is how many lists of each kind are ranked; leave it out for the default.")));
	tell_hashed(loaded->spec, loaded->spec->item_feature,
				"Values of one bucket are ranked as one item.");
	tell_hashed(loaded->spec, loaded->spec->user_feature,
				"Lists leave out what any user of the same bucket took.");
	room_init(&room, CurrentMemoryContext, setting_training_memory, false);
	data = read_rows(fcinfo, loaded, wanted, &room);
	host_arena(&arena, CurrentMemoryContext);
	task.data = data;
	task.known[1] = data->split_start[SPLIT_VALID];
	task.with_item = features_with_item(&arena, loaded, data, &host);
	ranking = lists_begin(&arena, &task, served->scorer, &host, &error);
	if (!ranking || !lists_measure(ranking, data->split_start[ranked],
								   data->split_start[ranked + 1], measures, &error))
		host_raise(&error);
	room_close(&room);
}

static void
put_measures(ReturnSetInfo *rsinfo, const char *kind, const ListMeasures *measures)
{
	const double numbers[] = {measures->items, measures->ndcg, measures->hit_rate, measures->mrr};
	Datum		values[2 + lengthof(numbers)];
	bool		nulls[2 + lengthof(numbers)] = {false};

	values[0] = CStringGetTextDatum(kind);
	values[1] = Int64GetDatum((int64) measures->lists);
	for (int i = 0; i < lengthof(numbers); i++)
	{
		values[2 + i] = Float8GetDatum(numbers[i]);
		nulls[2 + i] = isnan(numbers[i]);
	}
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(aread_evaluate_ranking);
/* aread_evaluate_ranking(model, source, split, max_lists, seed): a row for each kind of list */
Datum
aread_evaluate_ranking(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aread evaluation",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;
	ListMeasures measures[N_LIST_KINDS];

	InitMaterializedSRF(fcinfo, 0);
	/* a split that is NULL means all rows; nothing else may be */
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3) || PG_ARGISNULL(4))
		return (Datum) 0;
	old = MemoryContextSwitchTo(context);
	rank(fcinfo, measures);
	for (int kind = 0; kind < N_LIST_KINDS; kind++)
		put_measures(rsinfo, list_kind_names[kind], &measures[kind]);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return (Datum) 0;
}
