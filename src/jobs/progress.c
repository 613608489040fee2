/*
 * progress.c
 *	  A table of trainings at work in shared memory.
 *
 * A training keeps its state in its own memory and copies it to its slot of the
 * table whenever something changes.  Nested trainings of a session have a slot each.
 *
 * One lock guards the table.  It is held while a slot is copied, never while
 * anything is waited for, and nothing raises an error under it.  A process that ends
 * frees its slots before it leaves shared memory.
 */
#include "postgres.h"

#include "jobs/progress.h"

#include <math.h>

#include "miscadmin.h"
#include "shmem.h"
#include "storage/ipc.h"
#include "utils/timestamp.h"

#define MAX_TRAININGS 64
/* Versions of the library that lay it out in another way must not meet. */
#define TABLE_NAME "aread " AREAD_VERSION " trainings 1"

typedef struct TrainingTable
{
	ShmemHead	head;
	Training	slots[MAX_TRAININGS];
} TrainingTable;

static TrainingTable *table = NULL;
static bool refused = false;

static void
table_init(void *memory)
{
	shmem_table_init(memory, sizeof(TrainingTable));
}

static bool
have_table(void)
{
	char	   *why;

	if (table || refused)
		return table != NULL;
	table = shmem_table(TABLE_NAME, sizeof(TrainingTable), table_init, &why);
	refused = !table;
	if (refused)
		ereport(DEBUG1, (errmsg("trainings are not shown to other sessions: %s", why)));
	return table != NULL;
}

static Training *
take_slot(void)
{
	for (int i = 0; i < MAX_TRAININGS; i++)
		if (table->slots[i].pid == 0)
			return &table->slots[i];
	return NULL;
}

/* Trainings of a process that ends amid them, nested ones maybe. */
static void
free_slots(int code, Datum unused)
{
	LWLockAcquire(&table->head.lock, LW_EXCLUSIVE);
	for (int i = 0; i < MAX_TRAININGS; i++)
		if (table->slots[i].pid == MyProcPid)
			memset(&table->slots[i], 0, sizeof(Training));
	LWLockRelease(&table->head.lock);
}

/* Once: the server has room for few callbacks. */
static void
free_slots_at_exit(void)
{
	static bool registered = false;

	if (!registered)
		before_shmem_exit(free_slots, (Datum) 0);
	registered = true;
}

void
progress_begin(Progress *progress, const char *model, const char *source_name, int64 run,
			   int epochs)
{
	*progress = (Progress) {.training = {
		.pid = MyProcPid,.database = MyDatabaseId,.role = GetUserId(),.run = run,
		.started = GetCurrentTimestamp(),.phase = "reading",
		.epochs = epochs,.loss = NAN,.auc = NAN,.domain_auc = NAN,.log_loss = NAN
	}};
	strlcpy(progress->training.model, model, sizeof(progress->training.model));
	strlcpy(progress->training.source, source_name, sizeof(progress->training.source));
	if (!have_table())
		return;
	free_slots_at_exit();
	LWLockAcquire(&table->head.lock, LW_EXCLUSIVE);
	progress->shown = take_slot();
	if (progress->shown)
		*progress->shown = progress->training;
	LWLockRelease(&table->head.lock);
}

static void
show(Progress *progress)
{
	if (!progress->shown)
		return;
	LWLockAcquire(&table->head.lock, LW_EXCLUSIVE);
	*progress->shown = progress->training;
	LWLockRelease(&table->head.lock);
}

void
progress_phase(Progress *progress, const char *phase)
{
	strlcpy(progress->training.phase, phase, sizeof(progress->training.phase));
	show(progress);
}

/* The end of the last epoch at the pace since the first batch told, mask updates included. */
static TimestampTz
estimate_end(const Progress *progress)
{
	const Training *training = &progress->training;
	double		left = (double) (training->epochs - training->epoch) * training->batches +
		(training->batches - training->batch);
	TimestampTz now = GetCurrentTimestamp();

	return now + (TimestampTz) ((double) (now - progress->first) / progress->trained * left);
}

void
progress_batch(Progress *progress, const TrainProgress *state)
{
	Training   *training = &progress->training;

	strlcpy(training->phase, state->name, sizeof(training->phase));
	if (state->epochs > 0)
		training->epochs = state->epochs;
	if (state->phase == PHASE_WARMUP || state->phase == PHASE_RACE || state->phase == PHASE_TRAIN)
	{
		training->epoch = state->epoch;
		training->batch = state->batch;
		training->batches = state->batches;
		training->loss = state->loss;
		training->rows_per_second = state->rows_per_second;
		/* while two networks are compared, nobody knows which one goes on */
		if (progress->first == 0 || state->phase == PHASE_RACE)
		{
			progress->first = GetCurrentTimestamp();
			progress->trained = 0;
			training->end = 0;
		}
		else
		{
			progress->trained++;
			training->end = estimate_end(progress);
		}
	}
	else if (state->phase == PHASE_TREES)
	{
		training->batch = state->batch;
		training->batches = state->batches;
	}
	show(progress);
}

void
progress_evaluation(Progress *progress, const Evaluation *evaluation)
{
	progress->training.auc = evaluation->valid.auc.value;
	progress->training.domain_auc = evaluation->valid.domain_auc.value;
	progress->training.log_loss = evaluation->valid.log_loss.value;
	show(progress);
}

void
progress_end(Progress *progress)
{
	if (!progress->shown)
		return;
	LWLockAcquire(&table->head.lock, LW_EXCLUSIVE);
	memset(progress->shown, 0, sizeof(Training));
	LWLockRelease(&table->head.lock);
	progress->shown = NULL;
}

void
progress_request(void)
{
	shmem_request(sizeof(TrainingTable));
}

bool
progress_training(int i, Training *training)
{
	if (i >= MAX_TRAININGS || !have_table())
		return false;
	LWLockAcquire(&table->head.lock, LW_SHARED);
	*training = table->slots[i];
	LWLockRelease(&table->head.lock);
	return true;
}
