/*
 * deploy.c
 *	  Is a version that was just trained to score?
 *
 * Guards in this order: option deploy, the number of rows, whether a version is
 * deployed at all, and the measure that option deploy_metric names.  Each gives a
 * reason, which is kept in the model's history.
 *
 * All of it runs under the model's lock, as the extension's owner, and reads no row
 * of the source: the deployed version was measured before (jobs/incumbent.h).
 */
#include "postgres.h"

#include "catalog/deploy.h"

#include <math.h>

#include "catalog/access.h"
#include "catalog/arguments.h"
#include "catalog/models.h"
#include "utils/memutils.h"

/* Without option min_rows: so many of the deployed version's rows. */
#define MIN_SHARE 0.1

/* Rows that the deployed version was made of; 0 if there is none. */
static double
deployed_rows(const LockedModel *model)
{
	Arguments	arguments = {0};

	add_int8(&arguments, model->id);
	add_int4(&arguments, model->deployed);
	if (run_statement("SELECT train_rows::float8 + valid_rows::float8 + test_rows::float8"
					  " FROM aread.stored_version WHERE model_id = $1 AND version = $2",
					  &arguments) != 1)
		return 0;
	return DatumGetFloat8(catalog_value(0, 1, NULL));
}

static int64
deployed_id(const LockedModel *model)
{
	Arguments	arguments = {0};

	add_int8(&arguments, model->id);
	add_int4(&arguments, model->deployed);
	if (run_statement("SELECT version_id FROM aread.stored_version"
					  " WHERE model_id = $1 AND version = $2", &arguments) != 1)
		return 0;
	return DatumGetInt64(catalog_value(0, 1, NULL));
}

/* Why there are too few rows; NULL: there are enough. */
static char *
too_few_rows(const NewModel *new, const LockedModel *model)
{
	const uint64 *split = new->report->rows;
	uint64		rows = split[SPLIT_TRAIN] + split[SPLIT_VALID] + split[SPLIT_TEST];
	double		minimum = new->deploy->min_rows;
	double		before;

	if (!isnan(minimum))
		return rows >= minimum ? NULL :
			psprintf("it is made of " UINT64_FORMAT " rows, and min_rows is %.0f", rows, minimum);
	before = deployed_rows(model);
	return rows >= MIN_SHARE * before ? NULL :
		psprintf("it is made of " UINT64_FORMAT " rows, fewer than a tenth of the %.0f of version %d, which is deployed",
				 rows, before, model->deployed);
}

/* The one measure that depends on where scores lie, not on their order alone. */
static bool
is_log_loss(int metric)
{
	return measure_kinds[metric].offset == offsetof(Measures, log_loss);
}

/* Against the deployed version; true: no worse than the tolerance lets it be. */
static bool
is_better(const NewModel *new, const LockedModel *model, char **reason)
{
	const DeployRule *rule = new->deploy;
	const Incumbent *incumbent = new->incumbent;
	const char *metric = row_measure_names[rule->metric];
	Measure		own = *measure_at(&new->result->test, rule->metric);
	Measure		other = *measure_at(&incumbent->measures, rule->metric);

	/* a model that was made anew has version numbers of before */
	if (incumbent->id != deployed_id(model))
		*reason = psprintf("version %d was deployed while it was trained, and is not measured on its test rows",
						   model->deployed);
	else if (incumbent->problem)
		*reason = psprintf("version %d, which is deployed, cannot score its test rows: %s",
						   model->deployed, incumbent->problem);
	else if (is_log_loss(rule->metric) && (incumbent->moved || !isnan(new->config->base_rate)))
		*reason = pstrdup("option base_rate moves scores, so that log losses on test rows do not compare");
	else if (isnan(own.value) || isnan(other.value))
		*reason = psprintf("its test rows have no %s to compare by", metric);
	else
	{
		*reason = psprintf("%s on its " UINT64_FORMAT " test rows is %.6g, that of version %d%s is %.6g; deploy_tolerance is %g",
						   metric, own.rows, own.value, model->deployed,
						   incumbent->may_have_trained ? ", which may have been trained on them," : "",
						   other.value, rule->tolerance);
		return (measure_kinds[rule->metric].lower_is_better ? other.value - own.value :
				own.value - other.value) >= -rule->tolerance;
	}
	return false;
}

DeployDecision
deploy_decide(const NewModel *new, const LockedModel *model, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	DeployDecision decision = {0};

	if (new->deploy->when == DEPLOY_NEVER)
		decision.reason = pstrdup("option deploy is false");
	else if ((decision.reason = too_few_rows(new, model)) != NULL)
		decision.too_few = true;
	else if (model->deployed == 0)
	{
		decision.deployed = true;
		decision.reason = pstrdup("no version was deployed");
	}
	else if (new->deploy->when == DEPLOY_ALWAYS)
	{
		decision.deployed = true;
		decision.reason = pstrdup("option deploy is true");
	}
	else
		decision.deployed = is_better(new, model, &decision.reason);
	MemoryContextSwitchTo(old);
	return decision;
}

void
deploy_report(const NewModel *new, int32 version, const DeployDecision *decision)
{
	const char *verdict = decision->deployed ? "is deployed" : "is not deployed";

	if (decision->too_few)
		ereport(WARNING,
				(errmsg("version %d of model \"%s\" is not deployed: %s", version, new->name,
						decision->reason),
				 errhint("It is stored: aread_deploy deploys it. Option \"min_rows\" says how many rows a version must have.")));
	else if (new->deploy->when == DEPLOY_IF_BETTER)
	{
		ereport(LOG,
				(errmsg("version %d of model \"%s\" %s: %s", version, new->name, verdict,
						decision->reason),
				 errhidestmt(true)));
		ereport(NOTICE,
				(errmsg("version %d of model \"%s\" %s: %s", version, new->name, verdict,
						decision->reason)));
	}
}
