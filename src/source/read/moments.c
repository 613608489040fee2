/*
 * moments.c
 *	  Means and standard deviations of dense features' components.
 *
 * Three walks over the collected rows: bounds, means, deviations.  Sums are
 * integers, of numbers as shares of a component's range, so that they do not
 * depend on the order of rows.
 */
#include "postgres.h"

#include "source/read/moments.h"

#include <math.h>

#include "engine/data/vectors.h"
#include "miscadmin.h"
#include "source/keys/dense.h"
#include "source/keys/vocabulary.h"

/* Rows between two looks at interrupts. */
#define CHECK_ROWS 1024

typedef enum Walk
{
	FIND_BOUNDS, SUM_NUMBERS, SUM_SQUARES
} Walk;

typedef struct Moments
{
	int			length;
	uint64		n;				/* training rows with a vector */
	double	   *lowest;			/* [length], as all that follows */
	double	   *range;			/* until bounds are found, the highest */
	int64	   *sums;
	double	   *means;
	double	   *deviations;
} Moments;

/* A row's vector in a walk; unit: what the whole range counts in sums. */
static void
take_vector(Moments *moments, Walk walk, double unit, const uint32 *bits)
{
	for (int i = 0; i < moments->length; i++)
	{
		double		x = vector_number(bits[i]);
		double		share;

		if (walk == FIND_BOUNDS)
		{
			moments->lowest[i] = moments->n == 0 ? x : Min(moments->lowest[i], x);
			moments->range[i] = moments->n == 0 ? x : Max(moments->range[i], x);
			continue;
		}
		if (moments->range[i] == 0)
			continue;
		share = (x - (walk == SUM_NUMBERS ? moments->lowest[i] : moments->means[i])) /
			moments->range[i];
		moments->sums[i] += (int64) rint(unit * (walk == SUM_NUMBERS ? share : share * share));
	}
	moments->n += walk == FIND_BOUNDS;
}

/* What a walk has found; sums start anew. */
static void
finish_walk(Moments *moments, Walk walk, double unit)
{
	for (int i = 0; i < moments->length && walk == FIND_BOUNDS; i++)
		moments->range[i] -= moments->lowest[i];
	for (int i = 0; i < moments->length && walk != FIND_BOUNDS; i++)
	{
		double		mean = moments->n > 0 ? moments->sums[i] / unit / moments->n : 0;

		if (walk == SUM_NUMBERS)
			moments->means[i] = moments->lowest[i] + mean * moments->range[i];
		else
			moments->deviations[i] = sqrt(mean) * moments->range[i];
		moments->sums[i] = 0;
	}
}

static void
walk_rows(const Collector *collector, Moments *moments, Walk walk)
{
	const FeatureSpec *spec = collector->spec;
	const uint32 *ids = spool_finish((Spool *) &collector->result.ids);
	const uint32 *members = spool_finish((Spool *) &collector->result.members);
	/* so many that as many rows' sum has 61 bits at most */
	double		unit = ldexp(1, 61 - (int) ceil(log2(Max(collector->n_rows, 1))));

	for (uint64 row = 0; row < collector->n_rows; row++, ids += spec->n_features)
	{
		if (row % CHECK_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		for (int f = 0; f < spec->n_columns; f++)
		{
			if (!kind_comes_as_list(spec->features[f].kind))
				continue;
			if (spec->features[f].kind == FEATURE_DENSE && ids[f] > 1 &&
				collector->splits[row] == SPLIT_TRAIN)
				take_vector(&moments[f], walk, unit, members + 1);
			members += ids[f];
		}
	}
	for (int f = 0; f < spec->n_columns; f++)
		finish_walk(&moments[f], walk, unit);
}

/* The feature as it will be: means and deviations are not known yet. */
static void
begin(Collector *collector, int f, Moments *moments)
{
	Feature    *feature = &collector->spec->features[f];
	int			length = vector_length(collector->lookup.columns[f].vectors);

	if (length == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" has no vector in any row", feature->name),
				 errhint("List the features without it.")));
	feature->n_edges = 2 * length;
	feature->edges = palloc0(feature->n_edges * sizeof(double));
	*moments = (Moments) {.length = length,.means = feature->edges,
		.deviations = feature->edges + length,.lowest = palloc0(length * sizeof(double)),
		.range = palloc0(length * sizeof(double)),.sums = palloc0(length * sizeof(int64))};
	vocabulary_build_hashed(&collector->spec->vocabularies[feature->vocabulary], length);
}

void
moments_find(Collector *collector)
{
	const FeatureSpec *spec = collector->spec;
	Moments    *moments = palloc0(spec->n_columns * sizeof(Moments));
	bool		any = false;

	for (int f = 0; f < spec->n_columns; f++)
	{
		if (spec->features[f].kind != FEATURE_DENSE)
			continue;
		begin(collector, f, &moments[f]);
		any = true;
	}
	for (Walk walk = FIND_BOUNDS; walk <= SUM_SQUARES && any; walk++)
		walk_rows(collector, moments, walk);
	for (int f = 0; f < spec->n_columns; f++)
		if (moments[f].length > 0)
		{
			pfree(moments[f].lowest);
			pfree(moments[f].range);
			pfree(moments[f].sums);
		}
	pfree(moments);
}
