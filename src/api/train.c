/*
 * train.c
 *	  aread_train(): read the source, train, store, report.
 */
#include "postgres.h"

#include <math.h>

#include "api/roles.h"
#include "blas.h"
#include "catalog/models.h"
#include "catalog/options.h"
#include "engine/train.h"
#include "funcapi.h"
#include "host.h"
#include "miscadmin.h"
#include "serve/settings.h"
#include "source/place.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* Longest silence of a training. */
#define NOTICE_SECONDS 10.0

typedef struct Reporter
{
	double		last_notice;
	int			epochs;			/* of the configuration */
} Reporter;

static void
report_progress(void *context, const TrainProgress *progress)
{
	Reporter   *reporter = context;
	double		now = host_seconds();

	if (now - reporter->last_notice < NOTICE_SECONDS)
		return;
	reporter->last_notice = now;
	switch (progress->phase)
	{
		case PHASE_START:
			ereport(NOTICE, (errmsg("start: training the wide part")));
			break;
		case PHASE_MASK_UPDATE:
			ereport(NOTICE,
					(errmsg("mask update: domain " UINT64_FORMAT " of " UINT64_FORMAT,
							progress->batch, progress->batches)));
			break;
		case PHASE_WARMUP:
		case PHASE_TRAIN:
			ereport(NOTICE,
					(errmsg("epoch %d: batch " UINT64_FORMAT " of " UINT64_FORMAT
							", loss %.4f, %.0f rows/s", progress->epoch, progress->batch,
							progress->batches, progress->loss, progress->rows_per_second)));
			break;
	}
}

static char *
measure_text(double value)
{
	return isnan(value) ? pstrdup("-") : psprintf("%.4f", value);
}

static void
report_evaluation(void *context, const Evaluation *evaluation)
{
	Reporter   *reporter = context;
	const Measures *valid = &evaluation->valid;

	if (!evaluation->epoch_end && evaluation->number > 0)
		return;
	reporter->last_notice = host_seconds();
	if (evaluation->number == 0)
		ereport(NOTICE,
				(errmsg("start: validation AUC %s, DomainAUC %s, log loss %s",
						measure_text(valid->auc.value), measure_text(valid->domain_auc.value),
						measure_text(valid->log_loss.value))));
	else
		ereport(NOTICE,
				(errmsg("epoch %d of %d: loss %.4f, validation AUC %s, DomainAUC %s, log loss %s, %.0f rows/s%s",
						evaluation->epoch, reporter->epochs, evaluation->train_loss,
						measure_text(valid->auc.value), measure_text(valid->domain_auc.value),
						measure_text(valid->log_loss.value), evaluation->rows_per_second,
						evaluation->best ? ", best so far" : "")));
}

/* A network that was trained in vain: better said than found out. */
static void
report_start_kept(const NewModel *new)
{
	if (new->config->architecture == ARCH_WIDE || new->result->best_evaluation > 0)
		return;
	ereport(NOTICE,
			(errmsg("the network gained nothing on validation rows: the model scores as at its start"),
			 config_has_masks(new->config) ?
			 errdetail("Its masks are left out with the network: every gate is open.") : 0,
			 new->config->wide ?
			 errhint("With \"architecture\": \"wide\" the same model takes less time and memory.") : 0));
}

static void
set_measure(Datum *values, bool *nulls, int at, const Measure *measure)
{
	values[at] = Float8GetDatum(measure->value);
	nulls[at] = isnan(measure->value);
}

/* The row that the call returns; measures on test rows if there are any. */
static Datum
result_row(FunctionCallInfo fcinfo, const NewModel *new, int32 version)
{
	const TrainResult *result = new->result;
	const Measures *measures = new->report->rows[SPLIT_TEST] > 0 ? &result->test : &result->valid;
	Datum		values[15];
	bool		nulls[15] = {false};
	TupleDesc	descriptor;

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = CStringGetTextDatum(new->name);
	values[1] = Int32GetDatum(version);
	for (int split = 0; split < 3; split++)
		values[2 + split] = Int64GetDatum((int64) new->report->rows[split]);
	values[5] = Int64GetDatum((int64) report_skipped(new->report));
	set_measure(values, nulls, 6, &measures->auc);
	set_measure(values, nulls, 7, &measures->domain_auc);
	set_measure(values, nulls, 8, &measures->major5_auc);
	set_measure(values, nulls, 9, &measures->minor10_auc);
	set_measure(values, nulls, 10, &measures->minor5_auc);
	set_measure(values, nulls, 11, &measures->log_loss);
	values[12] = Int32GetDatum(result->evaluations[result->n_evaluations - 1].epoch);
	values[13] = Int32GetDatum(result->evaluations[result->best_evaluation].epoch);
	values[14] = Float8GetDatum(new->report->seconds + result->seconds);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
}

/* Names of the features that went with the items, but for the item's own. */
static char *
names_with_item(const FeatureSpec *spec, const bool *with_item)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int f = 0; f < spec->n_features; f++)
		if (with_item[f] && f != spec->item_feature)
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", spec->features[f].name);
	return names.len > 0 ? names.data : "none";
}

static void
report_negatives(const NewModel *new, const NegativeReport *report)
{
	uint64		left_out = report->left_out[0] + report->left_out[1] + report->left_out[2];

	ereport(NOTICE,
			(errmsg("sampled " UINT64_FORMAT " negative rows", new->sampled_rows),
			 errdetail("Columns that went with the item: %s.",
					   names_with_item(new->spec, new->with_item))));
	if (left_out > 0)
		ereport(NOTICE,
				(errmsg("left out " UINT64_FORMAT " positive rows for which no negative row was found",
						left_out),
				 errdetail("Domain has no other item in training rows: " UINT64_FORMAT
						   ", user has taken all of its items or nearly all: " UINT64_FORMAT ".",
						   report->without_items, left_out - report->without_items)));
	if (report->missing > 0)
		ereport(NOTICE,
				(errmsg("no item was found for " UINT64_FORMAT " more negative rows",
						report->missing),
				 errdetail("Their domains have few items, of which the users have taken all or nearly all.")));
}

/* A dataset with sampled negatives, in place of the one read. */
static Dataset *
sample_negatives(Arena *arena, NewModel *new, Dataset *data, ReadReport *read,
				 const EngineHost *host)
{
	FieldBond  *bonds = palloc(new->spec->n_features * sizeof(FieldBond));
	NegativeReport report;
	EngineError error;
	Dataset    *sampled;

	for (int f = 0; f < new->spec->n_features; f++)
		bonds[f] = new->spec->features[f].bond;
	sampled = negatives_draw(arena, new->config, data, bonds, host, &report, &error);
	if (!sampled)
		host_raise(&error);
	dataset_free_ids(data);
	for (int split = 0; split < 3; split++)
	{
		new->sampled_rows += report.drawn[split];
		read->rows[split] -= report.left_out[split];
		read->no_negatives += report.left_out[split];
	}
	new->with_item = report.with_item;
	report_negatives(new, &report);
	return sampled;
}

static void
stop_team(void *team)
{
	team_stop(team);
}

/* Threads that end when their memory context is deleted, by an error of the query too. */
static Team *
start_team(MemoryContext context)
{
	MemoryContextCallback *callback = MemoryContextAllocZero(context,
															 sizeof(MemoryContextCallback));
	EngineError error;
	Arena		arena;
	Team	   *team;

	host_arena(&arena, context);
	team = team_start(&arena, serve_threads, &error);
	if (!team)
		host_raise(&error);
	callback->func = stop_team;
	callback->arg = team;
	MemoryContextRegisterResetCallback(context, callback);
	return team;
}

static void
train_model(NewModel *new, const SourceOptions *options, MemoryContext context)
{
	static const TrainObserver observer = {report_progress, report_evaluation};
	Reporter	reporter = {host_seconds(), new->config->epochs};
	TrainObserver reporting = observer;
	EngineHost	host = host_callbacks();
	EngineError error;
	ReadReport *report = palloc0(sizeof(ReadReport));
	MemoryContext threads = AllocSetContextCreate(context, "aread threads",
												  ALLOCSET_SMALL_SIZES);
	FeatureSpec *spec;
	Dataset    *data;
	Team	   *team = start_team(threads);
	SpoolRoom	room;
	Arena		arena;

	reporting.context = &reporter;
	room_init(&room, context, serve_training_memory);
	data = source_read(new->roles, options, context, &room, team, &spec, report);
	report_tell_skipped(report);
	host_arena(&arena, context);
	new->spec = spec;
	new->report = report;
	if (new->config->negatives > 0)
	{
		double		start = host_seconds();

		data = sample_negatives(&arena, new, data, report, &host);
		report->seconds += host_seconds() - start;
	}
	new->result = train(&arena, new->config, data, team, &host, &reporting, NULL, &error);
	if (!new->result)
		host_raise(&error);
	MemoryContextDelete(threads);
	room_close(&room);
	report_start_kept(new);
}

/* Roles that sampling negatives needs, or not sampling any. */
static void
check_negatives(const ColumnRoles *roles, const Config *config)
{
	if (config->negatives > 0 && !roles->item_id)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"negatives\" needs an item column"),
				 errhint("Name it by argument \"item_id\".")));
	roles_require_label(roles, config->negatives > 0);
	roles_report_no_label(roles);
}

PG_FUNCTION_INFO_V1(aread_train);
/*
 * aread_train(source, model, label, domain, features, user_id, item_id, split,
 * options, weight): the model appears with the caller's COMMIT.
 */
Datum
aread_train(PG_FUNCTION_ARGS)
{
	static const RoleArguments arguments = {
		.label = 2,.domain = 3,.features = 4,.user_id = 5,.item_id = 6,.split = 7,
		.weight = 9
	};
	MemoryContext context;
	Config		config;
	SourceOptions options;
	NewModel	new = {.config = &config};
	int32		version;
	uint32		crc;
	Oid			relation;

	PreventCommandIfReadOnly("aread_train()");
	PreventCommandIfParallelMode("aread_train()");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("source must not be NULL")));
	relation = PG_GETARG_OID(0);
	new.options = PG_ARGISNULL(8) ?
		DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"))) :
		PG_GETARG_JSONB_P(8);
	options_parse(new.options, &config, &options);
	options.negatives = config.negatives > 0;
	new.roles = roles_resolve(fcinfo, relation, &arguments, catalog_roles(relation));
	check_negatives(new.roles, &config);
	new.name = PG_ARGISNULL(1) ? get_rel_name(relation) :
		text_to_cstring(PG_GETARG_TEXT_PP(1));
	catalog_check_name(new.name);
	context = AllocSetContextCreate(CurrentMemoryContext, "aread training",
									ALLOCSET_DEFAULT_SIZES);
	blas_require();
	train_model(&new, &options, context);
	new.deploy = options.deploy;
	new.keep_versions = options.keep_versions;
	catalog_store(&new, &version, &crc);
	return result_row(fcinfo, &new, version);
}
