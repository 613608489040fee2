/*
 * job.c
 *	  Reading, training and storing, one after the other.
 *
 * Phases: job_prepare() reads the options; job_read() starts the team, reads the
 * source, makes the tables of items and users that the model keeps, samples
 * negatives and measures the deployed version; job_train() trains;
 * job_store() writes the version; job_end() takes the job off the table of
 * trainings.
 *
 * Memory.  What one phase hands to the next lies in job->context: of a call, or of a
 * worker one that outlives transactions.  Rows lie in the job's room, in memory or
 * in files.
 *
 * Threads.  One team reads and trains.  Deleting its memory context stops it, so
 * that an error does, too; so does the end of the process.
 *
 * Locks.  The source is locked until the transaction ends that reads it.  The model
 * is locked in job_store() alone: nobody waits for a training.
 */
#include "postgres.h"

#include "jobs/job.h"

#include "blas.h"
#include "catalog/models.h"
#include "catalog/store.h"
#include "engine/entities/sides.h"
#include "engine/train/personalized.h"
#include "fault.h"
#include "host.h"
#include "jobs/incumbent.h"
#include "jobs/report.h"
#include "lib/ilist.h"
#include "options.h"
#include "settings.h"
#include "source/read/collect_place.h"
#include "source/read/fingerprint.h"
#include "source/read/read_report.h"
#include "storage/ipc.h"
#include "utils/memutils.h"

void
job_prepare(TrainJob *job)
{
	job->new.config = &job->config;
	options_parse(job->new.options, &job->config, &job->options);
	job->new.deploy = &job->options.deploy;
	job->new.incumbent = &job->incumbent;
	job->new.keep_versions = job->options.keep_versions;
	catalog_check_name(job->new.name);
}

/* A dataset with sampled negatives, in place of the one read; measures the incumbent on it, if there is one. */
static void
sample_negatives(TrainJob *job, ReadReport *read, IncumbentReading *incumbent)
{
	NewModel   *new = &job->new;
	RowOrigin  *origins = NULL;
	FieldBond  *bonds = palloc(new->spec->n_features * sizeof(FieldBond));
	EngineHost	host = host_callbacks();
	double		start = host_seconds();
	NegativeReport report;
	EngineError error;
	Dataset    *sampled;
	Arena		arena;

	host_arena(&arena, job->context);
	for (int f = 0; f < new->spec->n_features; f++)
		bonds[f] = new->spec->features[f].bond;
	sampled = negatives_draw_traced(&arena, new->config, job->data, bonds, &host, &report,
									incumbent ? &origins : NULL, &error);
	if (!sampled)
		host_raise(&error);
	dataset_free_ids(job->data);
	for (int split = 0; split < 3; split++)
	{
		new->sampled_rows += report.drawn[split];
		read->rows[split] -= report.left_out[split];
		read->no_negatives += report.left_out[split];
	}
	new->with_item = report.with_item;
	report_negatives(new, &report);
	job->data = sampled;
	if (incumbent)
		incumbent_measure(incumbent, sampled, origins, &report, new->spec, &job->incumbent);
	read->seconds += host_seconds() - start;
}

/* Numbers of a table's bytes; entities beyond are left out, as those beyond the options' limits. */
#define MAX_ENTITY_BYTES ((Size) 256 * 1024 * 1024)

/*
 * What the model is to keep of its items and users, both of which it has; ids of hashed ones
 * stand for no value of their own.
 */
static void
keep_entities(TrainJob *job)
{
	const NewModel *new = &job->new;
	const FeatureSpec *spec = new->spec;
	FieldBond  *bonds = palloc(spec->n_columns * sizeof(FieldBond));
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aread entities",
												  ALLOCSET_DEFAULT_SIZES);
	EngineHost	host = host_callbacks();
	EntityLimits limits = {.links = job->options.recommend_seen,.bytes = MAX_ENTITY_BYTES};
	EngineError error;
	Arena		arena;
	Arena		scratch;

	if (spec_has_keys(spec, spec->item_feature))
		limits.items = job->options.recommend_items;
	else
		limits.links = 0;
	if (spec_has_keys(spec, spec->user_feature))
		limits.users = job->options.recommend_users;
	host_arena(&arena, job->context);
	host_arena(&scratch, context);
	for (int f = 0; f < spec->n_columns; f++)
		bonds[f] = spec->features[f].bond;
	if (!entities_build(&arena, &scratch, job->data, spec->n_columns, bonds, &limits, &host,
						&job->entities, &error))
		host_raise(&error);
	MemoryContextDelete(context);
	report_entities(spec, &limits, &job->entities);
}

/* Teams at work in this process. */
typedef struct RunningTeam
{
	dlist_node	node;
	MemoryContextCallback callback;
	Team	   *team;			/* NULL: it has been stopped */
} RunningTeam;

static dlist_head running_teams = DLIST_STATIC_INIT(running_teams);

static void
stop_team(void *argument)
{
	RunningTeam *running = argument;

	team_stop(running->team);
	running->team = NULL;
	dlist_delete(&running->node);
}

/*
 * A process may end amid a job of its threads: its client is gone, or a time limit of
 * the transaction has passed.  What they work on, libraries too, is taken down next.
 */
static void
stop_teams(int code, Datum unused)
{
	dlist_iter	iter;

	dlist_foreach(iter, &running_teams)
	{
		RunningTeam *running = dlist_container(RunningTeam, node, iter.cur);

		team_stop(running->team);
		running->team = NULL;
	}
}

/* Once: the server has room for few callbacks. */
static void
stop_teams_at_exit(void)
{
	static bool registered = false;

	if (!registered)
		before_shmem_exit(stop_teams, (Datum) 0);
	registered = true;
}

/* Threads that end when their memory context is deleted, by an error of the query too. */
static Team *
start_team(MemoryContext context)
{
	RunningTeam *running = MemoryContextAllocZero(context, sizeof(RunningTeam));
	EngineError error;
	Arena		arena;

	fault_threads("threads");
	stop_teams_at_exit();
	host_arena(&arena, context);
	running->team = team_start(&arena, setting_threads, &error);
	if (!running->team)
		host_raise(&error);
	running->callback.func = stop_team;
	running->callback.arg = running;
	dlist_push_head(&running_teams, &running->node);
	MemoryContextRegisterResetCallback(context, &running->callback);
	return running->team;
}

/* Why no user has an id of his own. */
static char *
userless_detail(const FeatureSpec *spec)
{
	const Feature *user = &spec->features[spec->user_feature];
	const Vocabulary *vocabulary = &spec->vocabularies[user->vocabulary];

	if (vocabulary->buckets > 0)
		return psprintf("Column \"%s\" is hashed to buckets.", user->name);
	if (vocabulary->has_rare)
		return psprintf("No value of column \"%s\" has %u training rows, as \"min_count\" asks.",
						user->name, user->min_count);
	return psprintf("Column \"%s\" has no value in training rows.", user->name);
}

/* Histories are of users, and of items; found out before anything is read where that can be. */
static void
check_history(const TrainJob *job, const Dataset *data)
{
	const ColumnRoles *roles = job->new.roles;

	if (!job->options.source.keeps_times)
		return;
	if (job->options.history_asked && (!roles->user_id || !roles->item_id))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"history\" needs a user and an item column"),
				 errhint("Name them by arguments \"user_id\" and \"item_id\".")));
	if (job->options.history_asked && data && data->split_start[SPLIT_VALID] > 0 &&
		!shape_has_history(&data->shape))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"history\" needs users with ids of their own"),
				 errdetail("%s", userless_detail(job->new.spec)),
				 errhint("Give column \"%s\" ids of its own by option \"features\", or train without histories.",
						 roles->user_id)));
	if (data && spec_find(job->new.spec, HISTORY_COLUMN) < 0 &&
		OidIsValid(source_column_type(roles->relation, HISTORY_COLUMN)))
		ereport(WARNING,
				(errmsg("column \"%s\" of relation \"%s\" is not a feature", HISTORY_COLUMN,
						roles->relation->name),
				 errdetail("Rows that are scored bring their users' histories by that name, as arrays."),
				 errhint("Pass a view in which it has another name, or list it among the features.")));
}

/* Histories have one value of each item: that of its rows.  So sampled negatives have it, too. */
static void
check_sides(const TrainJob *job, FeatureSpec *spec)
{
	EngineHost	host = host_callbacks();
	bool		agrees[MAX_SIDES];
	EngineError error;
	Arena		scratch;

	if (spec->n_sides == 0 || dataset_rows(job->data, SPLIT_TRAIN) == 0)
		return;
	host_arena(&scratch, CurrentMemoryContext);
	if (!sides_agree(&scratch, job->data, &host, agrees, &error))
		host_raise(&error);
	arena_free_all(&scratch);
	for (int k = 0; k < spec->n_sides; k++)
	{
		Feature    *feature = &spec->features[spec->sides[k]];

		if (feature->bond == BOND_ROW)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" of option \"history.side\" has \"goes_with_item\" false",
							feature->name),
					 errhint("Histories have values of items: leave one of both out.")));
		if (!agrees[k] && feature->bond != BOND_ITEM)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" of option \"history.side\" does not go with the items",
							feature->name),
					 errdetail("Training rows of one item have different values of it."),
					 errhint("Name columns that are the same in all rows of an item, such as a brand.")));
		feature->bond = BOND_ITEM;
	}
}

void
job_read(TrainJob *job, MemoryContext context, bool lasting)
{
	NewModel   *new = &job->new;
	ReadReport *report = MemoryContextAllocZero(context, sizeof(ReadReport));
	IncumbentReading *incumbent = NULL;
	FeatureSpec *spec;

	blas_require(setting_threads);
	job->context = context;
	progress_begin(&job->progress, new->name, new->roles->relation->full_name, job->run,
				   job->config.epochs);
	job->threads = AllocSetContextCreate(context, "aread threads", ALLOCSET_SMALL_SIZES);
	job->team = start_team(job->threads);
	room_init(&job->room, context, setting_training_memory, lasting);
	if (new->deploy->when == DEPLOY_IF_BETTER)
		incumbent = incumbent_open(new->name, new->roles, context, &job->incumbent);
	check_history(job, NULL);
	job->data = source_read(new->roles, &job->options.source, context, &job->room, job->team, &spec,
							incumbent ? incumbent_twin(incumbent) : NULL, report);
	new->spec = spec;
	check_history(job, job->data);
	check_sides(job, spec);
	report_tell_skipped(report);
	new->report = report;
	if (incumbent)
		incumbent_compare_splits(incumbent, &report->split, spec, &job->incumbent);
	if (spec->user_feature >= 0 && spec->item_feature >= 0)
		keep_entities(job);
	if (job->config.negatives > 0)
		sample_negatives(job, report, incumbent);
	else if (incumbent)
		incumbent_measure(incumbent, job->data, NULL, NULL, spec, &job->incumbent);
	if (incumbent)
		incumbent_close(incumbent);
}

uint32
job_fingerprint(const TrainJob *job)
{
	return dataset_fingerprint(job->data, job->new.spec);
}

static void
tell_progress(void *context, const TrainProgress *progress)
{
	TrainJob   *job = context;

	progress_batch(&job->progress, progress);
	if (fault_hit(progress->name))
		ereport(ERROR, (errmsg("training fails here: fault")));
	job->observer.progress(job->observer.context, progress);
}

static void
tell_evaluation(void *context, const Evaluation *evaluation)
{
	TrainJob   *job = context;

	progress_evaluation(&job->progress, evaluation);
	job->observer.evaluation(job->observer.context, evaluation);
}

static void
tell_race(void *context, const RaceRecord *race)
{
	TrainJob   *job = context;

	if (job->observer.race)
		job->observer.race(job->observer.context, race);
}

/* What went with sampled items does; else as training rows have it, but for counts. */
static FieldBond *
known_bonds(const NewModel *new)
{
	const FeatureSpec *spec = new->spec;
	FieldBond  *bonds = palloc(spec->n_features * sizeof(FieldBond));

	for (int f = 0; f < spec->n_features; f++)
	{
		const Feature *feature = &spec->features[f];

		bonds[f] = new->with_item ? (new->with_item[f] ? BOND_ITEM : BOND_ROW) :
			feature->kind != FEATURE_ROWS ? feature->bond :
			feature->counted == spec->item_feature ? BOND_ITEM : BOND_ROW;
	}
	return bonds;
}

/* Does the model that was kept rank alike for everyone? */
static void
find_personalized(TrainJob *job, Arena *arena, const EngineHost *host)
{
	NewModel   *new = &job->new;
	EngineError error;

	if (!personalized_find(arena, new->result->model, job->data, known_bonds(new), job->team,
						   host, &new->personalized, &error))
		host_raise(&error);
}

/* That of the model; where training chose it, options can be without effect on it alone. */
static void
take_architecture(TrainJob *job, int architecture)
{
	if (job->config.architecture == architecture)
		return;
	job->config.architecture = architecture;
	if (job->new.options)
		options_tell_unused(job->new.options, &job->config);
}

void
job_train(TrainJob *job)
{
	TrainObserver observer = {tell_progress, tell_evaluation, job, tell_race};
	EngineHost	host = host_callbacks();
	EngineError error;
	Arena		arena;

	host_arena(&arena, job->context);
	progress_phase(&job->progress, "start");
	job->new.result = train(&arena, &job->config, job->data, job->team, &host, &observer,
							job->checkpoints, &error);
	if (!job->new.result)
		host_raise(&error);
	take_architecture(job, job->new.result->model->config.architecture);
	job->new.result->model->items = job->entities.items;
	job->new.result->model->users = job->entities.users;
	find_personalized(job, &arena, &host);
	MemoryContextDelete(job->threads);
	room_close(&job->room);
	report_kept(&job->new);
}

int32
job_store(TrainJob *job)
{
	progress_phase(&job->progress, "storing");
	return catalog_store(&job->new, &job->decision);
}

void
job_end(TrainJob *job)
{
	progress_end(&job->progress);
}
