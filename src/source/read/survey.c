/*
 * survey.c
 *	  Columns that are no features: keys of rows, constants, empty ones.
 *
 * A value that only one row has cannot be learnt from, only learnt by heart; one
 * that all rows have tells nothing.  Left out by default is what the caller has
 * not asked for, by a list of features or by options; domain, user and item never.
 */
#include "postgres.h"

#include "source/read/survey.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "source/keys/dense.h"
#include "source/keys/vocabulary.h"

/* Of fewer rows anything may have as many values as rows, or one alone. */
#define MIN_ROWS 100
/* Values a row with a value from which on a column is a key. */
#define KEY_SHARE 0.95

/* What is wrong with a column. */
typedef enum Fault
{
	NO_FAULT, NO_VALUE, ONE_VALUE, ROW_KEY
} Fault;

void
survey_init(Survey *survey, const FeatureSpec *spec)
{
	survey->n_rows = 0;
	survey->nulls = palloc0(spec->n_columns * sizeof(uint64));
	survey->lowest = palloc(spec->n_columns * sizeof(double));
	survey->highest = palloc(spec->n_columns * sizeof(double));
	for (int f = 0; f < spec->n_columns; f++)
	{
		survey->lowest[f] = INFINITY;
		survey->highest[f] = -INFINITY;
	}
}

static void
add_numbers(Survey *survey, int f, const double *numbers, uint64 n)
{
	for (uint64 row = 0; row < n; row++)
	{
		if ((row & 0xFFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		survey->nulls[f] += isnan(numbers[row]) ? 1 : 0;
		survey->lowest[f] = fmin(survey->lowest[f], numbers[row]);
		survey->highest[f] = fmax(survey->highest[f], numbers[row]);
	}
}

void
survey_add(Survey *survey, Collector *collector)
{
	const FeatureSpec *spec = collector->spec;
	const uint32 *ids = spool_finish(&collector->result.ids);

	for (uint64 row = 0; row < collector->n_rows; row++, ids += spec->n_features)
	{
		if ((row & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		for (int f = 0; f < spec->n_columns; f++)
			if (spec->features[f].kind == FEATURE_CATEGORICAL && ids[f] == NULL_ID)
				survey->nulls[f]++;
	}
	for (int f = 0; f < spec->n_columns; f++)
		if (spec->features[f].kind == FEATURE_BINNED)
			add_numbers(survey, f, spool_finish(&collector->lookup.columns[f].numbers),
						collector->n_rows);
	survey->n_rows += collector->n_rows;
}

static bool
shares_vocabulary(const FeatureSpec *spec, int f)
{
	for (int other = 0; other < spec->n_columns; other++)
		if (other != f && spec->features[other].vocabulary == spec->features[f].vocabulary)
			return true;
	return false;
}

static uint32
distinct_values(const Collector *collector, int f)
{
	return collector->dictionaries[collector->spec->features[f].vocabulary].n;
}

static Fault
fault_of_keys(const Survey *survey, const Collector *collector, int f)
{
	const Feature *feature = &collector->spec->features[f];
	uint32		n = distinct_values(collector, f);
	uint64		filled = survey->n_rows - survey->nulls[f];

	if (n == 0)
		return NO_VALUE;
	if (feature->kind == FEATURE_LIST)
		return NO_FAULT;
	if (n == 1 && filled == survey->n_rows)
		return ONE_VALUE;
	return filled >= MIN_ROWS && n >= KEY_SHARE * filled ? ROW_KEY : NO_FAULT;
}

static Fault
fault_of(const Survey *survey, const Collector *collector, int f)
{
	const FeatureSpec *spec = collector->spec;
	const Feature *feature = &spec->features[f];
	const FeaturePlan *plan = &collector->plans[f];

	if (f == spec->domain_feature || f == spec->user_feature || f == spec->item_feature)
		return NO_FAULT;
	/* of hashed values and of those of several columns there is no count */
	if (survey->n_rows < MIN_ROWS || plan->buckets > 0 || shares_vocabulary(spec, f))
		return NO_FAULT;
	if (feature->kind == FEATURE_CATEGORICAL || feature->kind == FEATURE_LIST)
		return fault_of_keys(survey, collector, f);
	if (feature->kind == FEATURE_DENSE)
		return vector_length(collector->lookup.columns[f].vectors) == 0 ? NO_VALUE : NO_FAULT;
	if (feature->kind != FEATURE_BINNED)
		return NO_FAULT;
	if (survey->nulls[f] == survey->n_rows)
		return NO_VALUE;
	return survey->lowest[f] == survey->highest[f] && survey->nulls[f] == 0 ?
		ONE_VALUE : NO_FAULT;
}

/* Nobody asked for it. */
static bool
is_left_out(const Survey *survey, const Collector *collector, int f)
{
	const FeaturePlan *plan = &collector->plans[f];

	return !plan->is_listed && !plan->has_options &&
		fault_of(survey, collector, f) != NO_FAULT;
}

/* It was asked for, and does harm: values that are rare share one id, and a constant is idle. */
static bool
is_harmful(const Survey *survey, const Collector *collector, int f)
{
	return fault_of(survey, collector, f) == ROW_KEY &&
		collector->spec->features[f].min_count <= 1;
}

List *
survey_features(const Survey *survey, const Collector *collector)
{
	List	   *names = NIL;

	for (int f = 0; f < collector->spec->n_columns; f++)
		if (!is_left_out(survey, collector, f))
			names = lappend(names, collector->spec->features[f].name);
	return names;
}

static void
append_name(StringInfo names, const char *name)
{
	appendStringInfo(names, "%s%s", names->len > 0 ? ", " : "", name);
}

static void
append_fault(StringInfo faults, const char *name, Fault fault, uint32 n_values, uint64 filled)
{
	append_name(faults, name);
	switch (fault)
	{
		case NO_VALUE:
			appendStringInfoString(faults, " (no value in any row)");
			break;
		case ONE_VALUE:
			appendStringInfoString(faults, " (one value in all rows)");
			break;
		case ROW_KEY:
			appendStringInfo(faults, " (%u values in " UINT64_FORMAT " rows)", n_values, filled);
			break;
		case NO_FAULT:
			break;
	}
}

void
survey_warn(const Survey *survey, const Collector *collector)
{
	StringInfoData names;
	StringInfoData left_out;
	StringInfoData kept;

	initStringInfo(&names);
	initStringInfo(&left_out);
	initStringInfo(&kept);
	for (int f = 0; f < collector->spec->n_columns; f++)
	{
		const char *name = collector->spec->features[f].name;
		bool		is_out = is_left_out(survey, collector, f);

		if (!is_out && !is_harmful(survey, collector, f))
			continue;
		append_name(&names, name);
		append_fault(is_out ? &left_out : &kept, name, fault_of(survey, collector, f),
					 distinct_values(collector, f), survey->n_rows - survey->nulls[f]);
	}
	if (names.len == 0)
		return;
	ereport(WARNING,
			(errmsg("columns that are no good features: %s", names.data),
			 left_out.len == 0 ? errdetail("Kept, as asked for: %s.", kept.data) :
			 kept.len == 0 ? errdetail("Left out: %s.", left_out.data) :
			 errdetail("Left out: %s. Kept, as asked for: %s.", left_out.data, kept.data),
			 left_out.len == 0 ? errhint("Values that no two rows share are learnt by heart: train without them.") :
			 errhint("To keep one, give its kind in option \"features\", \"binned\" if it is a number that measures something, or list the features.")));
}
