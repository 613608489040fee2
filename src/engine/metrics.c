/*
 * metrics.c
 *	  AUC, its averages over domains, and log loss.
 */
#include "metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MIN_PROBABILITY 1e-15

typedef struct ScoredLabel
{
	double		score;
	uint8_t		label;
} ScoredLabel;

static int
compare_score(const void *a, const void *b)
{
	double		x = ((const ScoredLabel *) a)->score;
	double		y = ((const ScoredLabel *) b)->score;

	return (x > y) - (x < y);
}

/* AUC of sorted items by the rank sum of positives; NaN if a class is missing. */
static double
auc_of_sorted(const ScoredLabel *items, size_t n)
{
	double		rank_sum = 0;
	double		positives = 0;

	for (size_t start = 0; start < n;)
	{
		size_t		end = start;
		double		tied_positives = 0;

		while (end < n && items[end].score == items[start].score)
			tied_positives += items[end++].label;
		/* ranks start + 1 .. end share their mean */
		rank_sum += tied_positives * (start + 1 + end) / 2;
		positives += tied_positives;
		start = end;
	}
	if (positives == 0 || positives == n)
		return NAN;
	return (rank_sum - positives * (positives + 1) / 2) / (positives * (n - positives));
}

bool
metrics_auc(Arena *arena, const double *scores, const uint8_t *labels, size_t n,
			double *auc, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	ScoredLabel *items = ARENA_ARRAY(arena, ScoredLabel, n);

	if (!arena_ok(arena, error))
		return false;
	for (size_t i = 0; i < n; i++)
		items[i] = (ScoredLabel) {.score = scores[i],.label = labels[i]};
	qsort(items, n, sizeof(ScoredLabel), compare_score);
	*auc = auc_of_sorted(items, n);
	arena_reset_to(arena, mark);
	return true;
}

static double
log_loss_of_one(double score, uint8_t label)
{
	double		p = label ? score : 1 - score;

	return -log(fmin(fmax(p, MIN_PROBABILITY), 1 - MIN_PROBABILITY));
}

double
metrics_log_loss(const double *scores, const uint8_t *labels, size_t n)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += log_loss_of_one(scores[i], labels[i]);
	return n > 0 ? sum / n : NAN;
}

/* Rows of each domain side by side: start [n_domains + 1], items [rows with a domain]. */
static bool
group_by_domain(Arena *arena, const double *scores, const uint8_t *labels,
				const int64_t *domains, size_t n, uint32_t n_domains, size_t **start,
				ScoredLabel **items, EngineError *error)
{
	size_t	   *next = ARENA_ARRAY(arena, size_t, (size_t) n_domains + 2);

	*items = ARENA_ARRAY(arena, ScoredLabel, n);
	if (!arena_ok(arena, error))
		return false;
	/* next[d + 2] counts domain d; after the sums next[d + 1] is where it begins */
	for (size_t i = 0; i < n; i++)
		if (domains[i] >= 0)
			next[domains[i] + 2]++;
	for (uint32_t d = 0; d < n_domains; d++)
		next[d + 2] += next[d + 1];
	for (size_t i = 0; i < n; i++)
		if (domains[i] >= 0)
			(*items)[next[domains[i] + 1]++] =
				(ScoredLabel) {.score = scores[i],.label = labels[i]};
	*start = next;				/* shifted by one: next[d] is where domain d began */
	return true;
}

static DomainMeasure
measure_domain(ScoredLabel *items, size_t n)
{
	DomainMeasure measure = {.rows = n,.log_loss = NAN};
	double		loss = 0;

	for (size_t i = 0; i < n; i++)
	{
		measure.positives += items[i].label;
		loss += log_loss_of_one(items[i].score, items[i].label);
	}
	if (n > 0)
		measure.log_loss = loss / n;
	qsort(items, n, sizeof(ScoredLabel), compare_score);
	measure.auc = auc_of_sorted(items, n);
	return measure;
}

/* Mean AUC, weighted by rows, of the domains from .. to - 1 among those that have one. */
static Measure
weighted_auc(const DomainMeasure *by_domain, const uint32_t *defined, int64_t from,
			 int64_t to)
{
	Measure		measure = {.value = NAN};
	double		sum = 0;

	for (int64_t i = from > 0 ? from : 0; i < to; i++)
	{
		sum += by_domain[defined[i]].auc * by_domain[defined[i]].rows;
		measure.rows += by_domain[defined[i]].rows;
	}
	if (measure.rows > 0)
		measure.value = sum / measure.rows;
	return measure;
}

bool
metrics_compute(Arena *arena, const double *scores, const uint8_t *labels,
				const int64_t *domains, size_t n, uint32_t n_domains, Measures *measures,
				DomainMeasure *by_domain, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	DomainMeasure *measured = ARENA_ARRAY(arena, DomainMeasure, n_domains);
	uint32_t   *defined = ARENA_ARRAY(arena, uint32_t, n_domains);
	int64_t		n_defined = 0;
	size_t	   *start;
	ScoredLabel *items;

	if (!metrics_auc(arena, scores, labels, n, &measures->auc.value, error) ||
		!arena_ok(arena, error) ||
		!group_by_domain(arena, scores, labels, domains, n, n_domains, &start, &items, error))
		return false;
	for (uint32_t d = 0; d < n_domains; d++)
	{
		measured[d] = measure_domain(items + start[d], start[d + 1] - start[d]);
		if (!isnan(measured[d].auc))
			defined[n_defined++] = d;
	}
	measures->auc.rows = n;
	measures->log_loss = (Measure) {.value = metrics_log_loss(scores, labels, n),.rows = n};
	measures->domain_auc = weighted_auc(measured, defined, 0, n_defined);
	measures->major5_auc = weighted_auc(measured, defined, 0, n_defined < 5 ? n_defined : 5);
	measures->minor10_auc = weighted_auc(measured, defined, n_defined - 10, n_defined);
	measures->minor5_auc = weighted_auc(measured, defined, n_defined - 5, n_defined);
	if (by_domain && n_domains > 0)
		memcpy(by_domain, measured, n_domains * sizeof(DomainMeasure));
	arena_reset_to(arena, mark);
	return true;
}
