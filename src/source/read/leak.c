/*
 * leak.c
 *	  Features that know the label.
 */
#include "postgres.h"

#include "source/read/leak.h"

#include "miscadmin.h"

/* Of features with more values an AUC this high may be chance. */
#define MAX_VALUES 1000
#define LEAK_AUC 0.98

/* Training rows of each of a feature's ids, by label. */
typedef uint64 LabelCount[2];

static bool
is_checked(const Dataset *data, int f)
{
	uint32		n_ids = shape_rows(&data->shape, f);

	return !data->shape.field_is_list[f] && n_ids <= MAX_VALUES &&
		n_ids <= data->split_start[SPLIT_VALID] / 10;
}

/* Counts [n_columns][id], NULL: not checked. */
static LabelCount **
count_labels(const FeatureSpec *spec, const Dataset *data)
{
	LabelCount **counts = palloc0(spec->n_columns * sizeof(LabelCount *));

	for (int f = 0; f < spec->n_columns; f++)
		if (is_checked(data, f))
			counts[f] = palloc0(shape_rows(&data->shape, f) * sizeof(LabelCount));
	for (size_t row = 0; row < data->split_start[SPLIT_VALID]; row++)
	{
		const uint32 *ids = data->ids + row * data->shape.n_fields;

		if ((row & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		for (int f = 0; f < spec->n_columns; f++)
			if (counts[f])
				counts[f][ids[f]][data->labels[row]]++;
	}
	return counts;
}

/* The share of pairs of a positive and a negative row that the values' rates put in order. */
static double
auc_of(const LabelCount *count, uint32 n_ids)
{
	double	   *rates = palloc(n_ids * sizeof(double));
	double		concordant = 0;
	uint64		positives = 0;
	uint64		negatives = 0;

	for (uint32 id = 0; id < n_ids; id++)
	{
		rates[id] = (count[id][1] + 1.0) / (count[id][0] + count[id][1] + 2);
		negatives += count[id][0];
		positives += count[id][1];
	}
	for (uint32 a = 0; a < n_ids; a++)
		for (uint32 b = 0; b < n_ids; b++)
			if (rates[a] >= rates[b])
				concordant += (rates[a] > rates[b] ? 1 : 0.5) * count[a][1] * count[b][0];
	pfree(rates);
	return positives > 0 && negatives > 0 ? concordant / ((double) positives * negatives) : 0.5;
}

void
leak_warn(const FeatureSpec *spec, const Dataset *data)
{
	LabelCount **counts = count_labels(spec, data);

	for (int f = 0; f < spec->n_columns; f++)
	{
		if (!counts[f])
			continue;
		CHECK_FOR_INTERRUPTS();
		if (auc_of((const LabelCount *) counts[f], shape_rows(&data->shape, f)) > LEAK_AUC)
			ereport(WARNING,
					(errmsg("column \"%s\" alone predicts the label", spec->features[f].name),
					 errhint("If it is not known when scores are needed, list the features without it.")));
		pfree(counts[f]);
	}
	pfree(counts);
}
