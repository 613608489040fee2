/*
 * forest_split.c
 *	  Histograms, and the best split by one.
 *
 * Nearly all time of a training is in histograms_add().  Its sums lie in the
 * first-level cache, as do those of few inputs; one read of a row's derivatives
 * serves all of them.
 */
#include "engine/trees/forest_split.h"

static inline void
add(DerivativeSums *histogram, uint8_t bin, int64_t slope, int64_t bend)
{
	histogram[bin].slope += slope;
	histogram[bin].bend += bend;
}

void
histograms_add(Histogram *histograms, const uint8_t *const *columns, const uint32_t *rows,
			   const Derivatives *derivatives, size_t n)
{
	const uint8_t *a = columns[0];
	const uint8_t *b = columns[1];
	const uint8_t *c = columns[2];
	const uint8_t *d = columns[3];

	for (size_t i = 0; i < n; i++)
	{
		uint32_t	row = rows[i];
		int64_t		slope = derivatives[i].slope;
		int64_t		bend = derivatives[i].bend;

		add(histograms[0], a[row], slope, bend);
		add(histograms[1], b[row], slope, bend);
		add(histograms[2], c[row], slope, bend);
		add(histograms[3], d[row], slope, bend);
	}
}

void
histograms_subtract(Histogram *histograms, const Histogram *parts)
{
	for (int k = 0; k < SPLIT_GROUP; k++)
		for (int bin = 0; bin < FOREST_BINS; bin++)
			histograms[k][bin] = sums_less(histograms[k][bin], parts[k][bin]);
}

/* What Newton's step gains, twice. */
static inline double
newton_gain(DerivativeSums sums, double lambda)
{
	double		slope = (double) sums.slope;

	return slope * slope / ((double) sums.bend + lambda);
}

Split
histogram_split(const DerivativeSums *histogram, int n_bins, DerivativeSums all,
				const SplitRule *rule)
{
	Split		best = {.gain = 0};
	double		gain_to_beat = newton_gain(all, rule->lambda) + rule->min_gain;
	DerivativeSums left = {0, 0};

	for (int bin = 0; bin < n_bins - 1; bin++)
	{
		DerivativeSums right;
		double		gain;

		left.slope += histogram[bin].slope;
		left.bend += histogram[bin].bend;
		right = sums_less(all, left);
		if ((double) left.bend < rule->min_bend || (double) right.bend < rule->min_bend)
			continue;
		gain = newton_gain(left, rule->lambda) + newton_gain(right, rule->lambda);
		if (gain > gain_to_beat)
		{
			gain_to_beat = gain;
			best = (Split) {.gain = gain,.bin = bin,.left = left};
		}
	}
	return best;
}
