/*
 * piecewise.c
 *	  Numbers as vectors.
 *
 * Moments are summed over sorted numbers, so that they do not depend on the order of
 * rows.
 */
#include "postgres.h"

#include "source/keys/piecewise.h"

#include <math.h>

#include "miscadmin.h"
#include "source/keys/dense.h"

/* So that no two bounds are further apart than a double has room for. */
#define FURTHEST_NUMBER 1e300

double
piecewise_number(double number)
{
	/* NaN stays */
	return number < -FURTHEST_NUMBER ? -FURTHEST_NUMBER :
		number > FURTHEST_NUMBER ? FURTHEST_NUMBER : number;
}

/* How far through piece number i. */
static double
share_of(const Feature *feature, int i, double number)
{
	const double *bounds = feature->edges + i;

	return Min(Max((number - bounds[0]) / (bounds[1] - bounds[0]), 0), 1);
}

/* Of edges those between the outermost bounds; at least one piece, even of one number or none. */
static void
find_bounds(Feature *feature, const double *sorted, uint64 n)
{
	double		lowest = n > 0 ? sorted[0] : 0;
	double		highest = n > 0 ? sorted[n - 1] : 0;
	int			n_bounds = 0;
	double	   *bounds = palloc0(3 * (Size) (feature->n_edges + 2) * sizeof(double));

	bounds[n_bounds++] = lowest;
	for (int i = 0; i < feature->n_edges; i++)
		bounds[n_bounds++] = feature->edges[i];
	if (highest > bounds[n_bounds - 1])
		bounds[n_bounds++] = highest;
	if (n_bounds == 1)
		bounds[n_bounds++] = lowest + Max(fabs(lowest), 1);
	pfree(feature->edges);
	feature->edges = bounds;
	feature->n_edges = n_bounds + 2 * (n_bounds - 1);
}

/*
 * Mean and scale of component i; from .. to - 1 are the numbers in its piece.  All
 * components together have the variance of one: they move together, and a step of the
 * network moves the weights of all of them.
 */
static void
find_moments(Feature *feature, int i, const double *sorted, uint64 from, uint64 to, uint64 n)
{
	double	   *means = feature_moments(feature);
	int			n_components = feature_components(feature);
	double		sum = n - to;
	double		squares;

	for (uint64 k = from; k < to; k++)
		sum += share_of(feature, i, sorted[k]);
	means[i] = sum / n;
	squares = from * means[i] * means[i] + (n - to) * (1 - means[i]) * (1 - means[i]);
	for (uint64 k = from; k < to; k++)
	{
		double		off = share_of(feature, i, sorted[k]) - means[i];

		squares += off * off;
	}
	means[n_components + i] = sqrt(n_components * (squares / n));
}

void
piecewise_build(Feature *feature, const double *sorted, uint64 n)
{
	uint64		to = 0;

	find_bounds(feature, sorted, n);
	for (int i = 0; i < feature_components(feature) && n > 0; i++)
	{
		uint64		from = to;

		CHECK_FOR_INTERRUPTS();
		while (to < n && sorted[to] < feature->edges[i + 1])
			to++;
		find_moments(feature, i, sorted, from, to, n);
	}
}

int
piecewise_length(const Feature *feature, double number)
{
	return isnan(number) ? 1 : 1 + feature_components(feature);
}

static uint32
component_bits(const Feature *feature, int i, double share)
{
	float		component = vector_component(feature, i, share);
	uint32		bits;

	memcpy(&bits, &component, sizeof(bits));
	return bits;
}

int
piecewise_members(const Feature *feature, double number, uint32 *members)
{
	int			n = feature_components(feature);

	members[0] = isnan(number) ? NULL_ID : UNSEEN_ID;
	if (isnan(number))
		return 1;
	for (int i = 0; i < n; i++)
		members[1 + i] = component_bits(feature, i,
										share_of(feature, i, piecewise_number(number)));
	return 1 + n;
}

uint32
piecewise_id(const Feature *feature, const uint32 *members, int n)
{
	int			last = feature_components(feature) - 1;
	int			piece = 0;

	if (n == 1)
		return members[0];
	while (piece < last && members[1 + piece] == component_bits(feature, piece, 1))
		piece++;
	return FIRST_ID + piece;
}
