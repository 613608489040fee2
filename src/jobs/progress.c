/*
 * progress.c
 *	  A table of trainings at work in shared memory.
 */
#include "postgres.h"

#include "jobs/progress.h"

#include <math.h>

#include "miscadmin.h"
#include "shmem.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "utils/timestamp.h"

#define MAX_TRAININGS 64
/* Versions of the library that lay it out in another way must not meet. */
#define TABLE_NAME "aread " AREAD_VERSION " trainings 1"

typedef struct TrainingTable
{
	int			tranche;
	LWLock		lock;			/* of all that follows */
	Training	slots[MAX_TRAININGS];
} TrainingTable;

static TrainingTable *table = NULL;
static bool refused = false;

static void
table_init(void *memory)
{
	TrainingTable *fresh = memory;

	memset(fresh, 0, sizeof(*fresh));
	fresh->tranche = LWLockNewTrancheId();
	LWLockInitialize(&fresh->lock, fresh->tranche);
}

static bool
have_table(void)
{
	char	   *why;

	if (table || refused)
		return table != NULL;
	table = shmem_find(TABLE_NAME, sizeof(TrainingTable), table_init, &why);
	refused = !table;
	if (table)
		LWLockRegisterTranche(table->tranche, "aread");
	else
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
	LWLockAcquire(&table->lock, LW_EXCLUSIVE);
	for (int i = 0; i < MAX_TRAININGS; i++)
		if (table->slots[i].pid == MyProcPid)
			memset(&table->slots[i], 0, sizeof(Training));
	LWLockRelease(&table->lock);
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
	LWLockAcquire(&table->lock, LW_EXCLUSIVE);
	progress->shown = take_slot();
	if (progress->shown)
		*progress->shown = progress->training;
	LWLockRelease(&table->lock);
}

static void
show(Progress *progress)
{
	if (!progress->shown)
		return;
	LWLockAcquire(&table->lock, LW_EXCLUSIVE);
	*progress->shown = progress->training;
	LWLockRelease(&table->lock);
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
progress_batch(Progress *progress, const TrainProgress *told)
{
	Training   *training = &progress->training;

	strlcpy(training->phase, told->name, sizeof(training->phase));
	if (told->phase == PHASE_WARMUP || told->phase == PHASE_TRAIN)
	{
		training->epoch = told->epoch;
		training->batch = told->batch;
		training->batches = told->batches;
		training->loss = told->loss;
		training->rows_per_second = told->rows_per_second;
		if (progress->first == 0)
			progress->first = GetCurrentTimestamp();
		else
		{
			progress->trained++;
			training->end = estimate_end(progress);
		}
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
	LWLockAcquire(&table->lock, LW_EXCLUSIVE);
	memset(progress->shown, 0, sizeof(Training));
	LWLockRelease(&table->lock);
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
	LWLockAcquire(&table->lock, LW_SHARED);
	*training = table->slots[i];
	LWLockRelease(&table->lock);
	return true;
}
