/*
 * report.c
 *	  What a training says while it works.
 *
 * There are three kinds: where the training is, when it has been silent for a while;
 * the measures of each epoch; and, once, what became of negatives and which
 * evaluation was kept.  A reporter has no other state than the time of its latest
 * notice, and how many epochs the network at work may have.
 */
#include "postgres.h"

#include "jobs/report.h"

#include <math.h>

#include "engine/layers/pairwise.h"
#include "engine/networks/architectures.h"
#include "engine/train/personalized.h"
#include "engine/train/stopping.h"
#include "host.h"

void
report_start(Reporter *reporter, const Config *config)
{
	*reporter = (Reporter) {.last_notice = host_seconds(),.config = config,
		.epochs = config->epochs};
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
		case PHASE_UPDATE:
			ereport(NOTICE,
					(errmsg("%s: domain " UINT64_FORMAT " of " UINT64_FORMAT, progress->name,
							progress->batch, progress->batches)));
			break;
		case PHASE_TREES:
			ereport(NOTICE,
					(errmsg("%s: " UINT64_FORMAT " of " UINT64_FORMAT, progress->name,
							progress->batch, progress->batches)));
			break;
		case PHASE_WARMUP:
		case PHASE_RACE:
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

/* Measures that everybody knows, and the one that decides which evaluation is kept. */
static char *
measures_text(const Measures *measures, const Config *config)
{
	const MeasureKind *decides = &measure_kinds[config->stop_on];
	char	   *text = psprintf("AUC %s, DomainAUC %s, log loss %s",
								measure_text(measures->auc.value),
								measure_text(measures->domain_auc.value),
								measure_text(measures->log_loss.value));

	if (!architecture_uses(config->architecture, "stop_on") ||
		decides->offset == offsetof(Measures, auc) ||
		decides->offset == offsetof(Measures, domain_auc) ||
		decides->offset == offsetof(Measures, log_loss))
		return text;
	return psprintf("%s, %s %s", text, decides->title,
					measure_text(measure_at(measures, config->stop_on)->value));
}

void
report_evaluation(void *context, const Evaluation *evaluation)
{
	Reporter   *reporter = context;
	char	   *measures;

	if (!evaluation->epoch_end && evaluation->number > 0)
		return;
	reporter->last_notice = host_seconds();
	measures = measures_text(&evaluation->valid, reporter->config);
	if (evaluation->number == 0)
		ereport(NOTICE, (errmsg("start: validation %s", measures)));
	else
		ereport(NOTICE,
				(errmsg("epoch %d of %d: loss %.4f, validation %s, %.0f rows/s%s",
						evaluation->epoch, reporter->epochs, evaluation->train_loss,
						measures, evaluation->rows_per_second,
						evaluation->best ? ", best so far" : "")));
}

void
report_race(void *context, const RaceRecord *race)
{
	Reporter   *reporter = context;
	const char *title = race->kind < 0 ? NULL : measure_kinds[race->kind].title;
	const char *first = race->network[0];
	const char *second = race->network[1];

	reporter->epochs = reporter->config->epochs;
	if (race->diverged[0] > 0)
		ereport(NOTICE,
				(errmsg("race: %s diverged in epoch %d; training %s", first, race->diverged[0], second),
				 errhint("With a smaller learning_rate both can be compared.")));
	else if (race->diverged[1] > 0)
		ereport(NOTICE,
				(errmsg("race: %s diverged in epoch %d; training %s from its start", second,
						race->diverged[1], first),
				 errdetail("Its model has no masks."),
				 errhint("With a smaller learning_rate both can be compared.")));
	else if (race->kind < 0)
	{
		reporter->epochs = race->epochs;
		ereport(NOTICE,
				(race->whole ? errmsg("race: training %s", first) :
				 errmsg("race: training %s for %d epochs", first, race->epochs)));
	}
	else if (race->settled)
		ereport(NOTICE,
				(errmsg("race: %s gains nothing beside trees, validation %s %.4f; %s is not tried",
						first, title, race->value[0], second),
				 errdetail("The model keeps its start. To train %s all the same, name it by option \"architecture\".",
						   second)));
	else if (!race->compared)
		ereport(NOTICE,
				(errmsg("race: %s has validation %s %.4f; training %s", first, title,
						race->value[0], second)));
	else if (race->first_kept)
		ereport(NOTICE,
				(errmsg("race: %s is ahead, validation %s %.4f to %.4f; training it from its start",
						first, title, race->value[0], race->value[1]),
				 errdetail("It had to be ahead of %s by more than %g. Its model has no masks.",
						   second, race->lead)));
	else
		ereport(NOTICE,
				(errmsg("race: %s stays, validation %s %.4f to %.4f", second, title,
						race->value[1], race->value[0]),
				 errdetail("To be trained in place of it, %s must be ahead by more than %g.",
						   first, race->lead)));
}

/* Nothing that the network learnt was worth keeping. */
static void
report_start_kept(const Model *model, const MeasureKind *criterion)
{
	const Config *config = &model->config;
	bool		is_wide = config->wide && !plan_has_pairwise(model->plan);

	ereport(NOTICE,
			(errmsg("the network gained nothing on validation rows: the model scores as at its start"),
			 errdetail("No evaluation gained %g of %s.%s", criterion->least_gain, criterion->title,
					   model->n_gates > 0 ?
					   " Its masks are left out with the network: every gate is open." : ""),
			 is_wide ?
			 errhint("With \"architecture\": \"%s\" the same model takes less time and memory.",
					 model->trees ? "trees" : "wide") : 0));
}

/* What became of the trees that were fitted beside the network. */
static void
report_trees(const TrainResult *result)
{
	const Trees *trees = result->model->trees;
	Calibration calibration = model_calibration(result->model);

	/* who asked for trees by the architecture's name is told why there are none */
	if (result->trees.why_none && architecture_of(&result->model->config) == &architecture_trees)
		ereport(NOTICE, (errmsg("trained without trees: %s", result->trees.why_none)));
	if (result->trees.why_none || !architecture_has_trees(&result->model->config))
		return;
	if (trees)
		ereport(NOTICE,
				(errmsg_plural("kept %d tree: validation log loss %.4f with it, %.4f without",
							   "kept %d trees: validation log loss %.4f with them, %.4f without",
							   trees->forest.n_trees, trees->forest.n_trees, result->trees.loss_after, result->trees.loss_before),
				 errdetail("The logit of the trees counts %.2f, that of the rest of the model %.2f.",
						   calibration.trees_weight, exp(calibration.log_scale))));
	else
		ereport(NOTICE,
				(errmsg("trees gained nothing on validation rows, and are left out")));
}

/* The order of items is the same for all: lists of recommendations are, too. */
static void
report_personalized(const NewModel *new)
{
	/* NaN, which is not known, is not below */
	if (new->personalized < PERSONALIZED_LEAST)
		ereport(NOTICE,
				(errmsg("the model ranks items alike for every user"),
				 errdetail("Of the variance of its logits over the items of a domain %.2f %% are a user's own, less than %g %%.",
						   100 * new->personalized, 100 * PERSONALIZED_LEAST),
				 architecture_uses(new->config->architecture, "pairwise") ?
				 errhint("Features of users, such as a list of items that they liked, and \"pairwise\": true let tastes differ; with few rows for each user there may be none to find.") :
				 errhint("In another \"architecture\", such as \"hei\", tastes can differ; with few rows for each user there may be none to find.")));
}

void
report_kept(const NewModel *new)
{
	const TrainResult *result = new->result;
	const Evaluation *kept = &result->evaluations[result->best_evaluation];
	const MeasureKind *criterion = evaluation_criterion(kept, new->config);

	report_trees(result);
	report_personalized(new);
	if (architecture_of(new->config)->strategy == STRATEGY_START)
		return;
	if (!criterion)
		ereport(NOTICE,
				(errmsg("kept the last evaluation: there are no validation rows to compare by")));
	else if (result->best_evaluation == 0)
		report_start_kept(result->model, criterion);
	else
		ereport(NOTICE,
				(errmsg("kept evaluation %d, of epoch %d: validation %s %.4f", kept->number,
						kept->epoch, criterion->title,
						fabs(evaluation_score(kept, new->config))),
				 patience_ran_out(result, new->config) ?
				 errdetail("None of the %d after it gained %g: option \"patience\".",
						   result->n_evaluations - 1 - kept->number, criterion->least_gain) :
				 errdetail("The last epoch has ended; a later evaluation must gain %g to be kept.",
						   criterion->least_gain)));
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
	if (report->alone > 0 && new->config->loss != LOSS_LOGISTIC)
		ereport(NOTICE,
				(errmsg(UINT64_FORMAT " training rows teach the start alone", report->alone),
				 errdetail("They have no sampled negatives: by option \"loss\" the network compares positive rows with theirs.")));
}

/* What a table that was full before all were in it leaves no room for. */
static const char *
full_hint(const EntityTable *table)
{
	if (table->kind == ENTITY_USERS &&
		table->link_start[table->n] * sizeof(uint32) > table->n_bytes / 2)
		return "A table of them takes 256 MB at most: a smaller \"recommend_seen\" leaves room for more users.";
	return "A table of them takes 256 MB at most: values of wide columns leave room for few.";
}

/*
 * How many items or users there are, and how many of them are kept, where that is not all.
 * Where columns share a vocabulary its values are those of all of them.
 */
static void
report_entity(const FeatureSpec *spec, int feature, const char *option, uint32 limit,
			  const EntityTable *table)
{
	const Vocabulary *vocabulary = &spec->vocabularies[spec->features[feature].vocabulary];
	uint32		n = vocabulary->n_rows - FIRST_ID;
	bool		shared = spec_shares_vocabulary(spec, feature);

	if (!table || table->n == n)
		return;
	ereport(NOTICE,
			(errmsg("the model keeps %u of %u %s for aread_recommend", table->n, n,
					shared ? psprintf("values of \"%s\"", spec->features[feature].name) :
					entity_kind_names[table->kind]),
			 shared ? errdetail("They are those with the most training rows, in all columns of the same vocabulary.") :
			 errdetail("They are those with the most training rows."),
			 table->n == limit ? errhint("Option \"%s\" says how many are kept.", option) :
			 errhint("%s", full_hint(table))));
}

void
report_entities(const FeatureSpec *spec, const EntityLimits *limits, const Entities *entities)
{
	report_entity(spec, spec->item_feature, "recommend_items", limits->items, entities->items);
	report_entity(spec, spec->user_feature, "recommend_users", limits->users, entities->users);
	if (entities->cut_users > 0 && limits->links > 0)
		ereport(NOTICE,
				(errmsg("%u users have more than %u items, of which the model keeps the latest",
						entities->cut_users, limits->links),
				 errdetail("aread_recommend may list the others again."),
				 errhint("Option \"recommend_seen\" says how many are kept.")));
}
