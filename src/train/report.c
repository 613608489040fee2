/*
 * report.c
 *	  What a training says while it works.
 */
#include "postgres.h"

#include "train/report.h"

#include <math.h>

#include "host.h"

void
report_start(Reporter *reporter, int epochs)
{
	*reporter = (Reporter) {.last_notice = host_seconds(),.epochs = epochs};
}

void
report_progress(void *context, const TrainProgress *progress)
{
	Reporter   *reporter = context;
	double		now = host_seconds();

	if (now - reporter->last_notice < REPORT_SECONDS)
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

void
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

void
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

void
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
