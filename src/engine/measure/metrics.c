/*
 * metrics.c
 *	  AUC, its averages over domains, and log loss.
 *
 * Scores become integers that sort alike.  They are put in order of groups by
 * counting, the positives of each first, and both halves are sorted.  AUC then
 * follows from one walk over the two, by exact counting.
 *
 * Memory: 8 bytes for each row, and what sorting them needs; given back at the end.
 */
#include "engine/measure/metrics.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "engine/base/sort.h"
#include "engine/base/total.h"

/* As scikit-learn clips probabilities that are doubles. */
#define MIN_PROBABILITY DBL_EPSILON
/* Rows or groups between two looks at the host. */
#define CHUNK ((size_t) 1 << 20)
#define GROUP_CHUNK 4096

_Static_assert(sizeof(Measures) == N_MEASURES * sizeof(Measure), "each measure has a row");

/* The order is that of stored arrays of measures (sql: stored_version, stored_evaluation). */
#define LIST(ROW) \
	ROW(auc, false, false) \
	ROW(domain_auc, true, false) \
	ROW(major5_auc, true, false) \
	ROW(minor10_auc, true, false) \
	ROW(minor5_auc, true, false) \
	ROW(log_loss, false, true)
#define KIND(member, of_domains, lower_is_better) \
	{#member, offsetof(Measures, member), of_domains, lower_is_better},
#define NAME(member, of_domains, lower_is_better) #member,

const MeasureKind measure_kinds[N_MEASURES] = {LIST(KIND)};
const char *const measure_names[N_MEASURES + 1] = {LIST(NAME) NULL};

/* Scores as sort keys, group by group, the positives of each group first. */
typedef struct GroupedScores
{
	size_t	   *start;			/* [n_groups + 1] */
	size_t	   *negatives;		/* [n_groups] where they begin */
	uint64_t   *keys;			/* [rows that have a group] */
	SortRoom	room;
} GroupedScores;

/* groups NULL: all rows are of group 0. */
static inline int64_t
group_of(const int64_t *groups, size_t row)
{
	return groups ? groups[row] : 0;
}

static bool
group_scores(Arena *arena, const double *scores, const uint8_t *labels,
			 const int64_t *groups, size_t n, uint32_t n_groups, GroupedScores *grouped,
			 const EngineHost *host, EngineError *error)
{
	size_t	   *back = ARENA_ARRAY(arena, size_t, n_groups);
	size_t	   *front = ARENA_ARRAY(arena, size_t, n_groups);
	size_t	   *start = ARENA_ARRAY(arena, size_t, (size_t) n_groups + 1);
	uint64_t   *keys = ARENA_ARRAY(arena, uint64_t, n);

	if (!arena_ok(arena, error) || !sort_room(&grouped->room, arena, n, false, error))
		return false;
	for (size_t row = 0; row < n; row++)
	{
		if (row % CHUNK == 0 && !host_continue(host, error))
			return false;
		if (group_of(groups, row) >= 0)
			start[group_of(groups, row) + 1]++;
	}
	for (uint32_t group = 0; group < n_groups; group++)
	{
		front[group] = start[group];
		start[group + 1] += start[group];
		back[group] = start[group + 1];
	}
	for (size_t row = 0; row < n; row++)
	{
		int64_t		group = group_of(groups, row);

		if (row % CHUNK == 0 && !host_continue(host, error))
			return false;
		if (group >= 0)
			keys[labels[row] ? front[group]++ : --back[group]] = sort_key(scores[row]);
	}
	grouped->start = start;
	grouped->negatives = front;
	grouped->keys = keys;
	return true;
}

/*
 * Share of pairs won, from both classes' sorted keys.  A pair counts 2, a tied
 * one 1: integers, which are exact.
 */
static double
auc_of_sorted(const uint64_t *positives, size_t n_positives, const uint64_t *negatives,
			  size_t n_negatives)
{
	uint64_t	won = 0;
	size_t		below = 0;		/* negatives below the positive */
	size_t		not_above = 0;	/* and those level with it */

	if (n_positives == 0 || n_negatives == 0)
		return NAN;
	for (size_t i = 0; i < n_positives; i++)
	{
		while (below < n_negatives && negatives[below] < positives[i])
			below++;
		while (not_above < n_negatives && negatives[not_above] <= positives[i])
			not_above++;
		won += below + not_above;
	}
	return (double) won / (2.0 * (double) n_positives * (double) n_negatives);
}

/* Sorts the group's keys. */
static bool
auc_of_group(GroupedScores *grouped, uint32_t group, double *auc, const EngineHost *host,
			 EngineError *error)
{
	uint64_t   *positives = grouped->keys + grouped->start[group];
	uint64_t   *negatives = grouped->keys + grouped->negatives[group];
	size_t		n_positives = grouped->negatives[group] - grouped->start[group];
	size_t		n_negatives = grouped->start[group + 1] - grouped->negatives[group];

	*auc = NAN;
	if (n_positives == 0 || n_negatives == 0)
		return true;
	if (!sort_keys(positives, NULL, n_positives, &grouped->room, host, error) ||
		!sort_keys(negatives, NULL, n_negatives, &grouped->room, host, error))
		return false;
	*auc = auc_of_sorted(positives, n_positives, negatives, n_negatives);
	return true;
}

bool
metrics_auc(Arena *arena, const double *scores, const uint8_t *labels, size_t n,
			double *auc, const EngineHost *host, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	GroupedScores grouped;

	if (!group_scores(arena, scores, labels, NULL, n, 1, &grouped, host, error) ||
		!auc_of_group(&grouped, 0, auc, host, error))
		return false;
	arena_reset_to(arena, mark);
	return true;
}

bool
metrics_grouped_auc(Arena *arena, const double *scores, const uint8_t *labels,
					const int64_t *groups, size_t n, uint32_t n_groups, Measure *auc,
					const EngineHost *host, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	GroupedScores grouped;
	Total		sum = {0};

	*auc = (Measure) {.value = NAN};
	if (!group_scores(arena, scores, labels, groups, n, n_groups, &grouped, host, error))
		return false;
	for (uint32_t group = 0; group < n_groups; group++)
	{
		size_t		rows = grouped.start[group + 1] - grouped.start[group];
		double		own;

		if ((group % GROUP_CHUNK == 0 && !host_continue(host, error)) ||
			!auc_of_group(&grouped, group, &own, host, error))
			return false;
		if (isnan(own))
			continue;
		total_add(&sum, own * (double) rows);
		auc->rows += rows;
	}
	if (auc->rows > 0)
		auc->value = total_value(&sum) / (double) auc->rows;
	arena_reset_to(arena, mark);
	return true;
}

double
metrics_loss(double score, uint8_t label)
{
	double		p = label ? score : 1 - score;

	return -log(fmin(fmax(p, MIN_PROBABILITY), 1 - MIN_PROBABILITY));
}

/* AUC and counts of each domain; grouped by domain. */
static bool
measure_aucs(GroupedScores *grouped, uint32_t n_domains, DomainMeasure *measured,
			 const EngineHost *host, EngineError *error)
{
	for (uint32_t d = 0; d < n_domains; d++)
	{
		if ((d % GROUP_CHUNK == 0 && !host_continue(host, error)) ||
			!auc_of_group(grouped, d, &measured[d].auc, host, error))
			return false;
		measured[d].rows = grouped->start[d + 1] - grouped->start[d];
		measured[d].positives = grouped->negatives[d] - grouped->start[d];
	}
	return true;
}

/* Log loss of each domain, from its rows as counted before, and of all rows. */
static bool
measure_losses(Arena *arena, const double *scores, const uint8_t *labels,
			   const int64_t *domains, size_t n, uint32_t n_domains, Measure *all,
			   DomainMeasure *measured, const EngineHost *host, EngineError *error)
{
	Total	   *sums = ARENA_ARRAY(arena, Total, n_domains);
	Total		sum = {0};

	if (!arena_ok(arena, error))
		return false;
	for (size_t row = 0; row < n; row++)
	{
		double		loss = metrics_loss(scores[row], labels[row]);

		if (row % CHUNK == 0 && !host_continue(host, error))
			return false;
		total_add(&sum, loss);
		if (domains[row] >= 0)
			total_add(&sums[domains[row]], loss);
	}
	*all = (Measure) {.value = n > 0 ? total_value(&sum) / (double) n : NAN,.rows = n};
	for (uint32_t d = 0; d < n_domains; d++)
		measured[d].log_loss = measured[d].rows > 0 ?
			total_value(&sums[d]) / (double) measured[d].rows : NAN;
	return true;
}

bool
metrics_by_domain(Arena *arena, const double *scores, const uint8_t *labels,
				  const int64_t *domains, size_t n, uint32_t n_domains,
				  DomainMeasure *by_domain, Measure *log_loss, const EngineHost *host,
				  EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	GroupedScores grouped;

	if (!group_scores(arena, scores, labels, domains, n, n_domains, &grouped, host, error) ||
		!measure_aucs(&grouped, n_domains, by_domain, host, error) ||
		!measure_losses(arena, scores, labels, domains, n, n_domains, log_loss, by_domain,
						host, error))
		return false;
	arena_reset_to(arena, mark);
	return true;
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
				DomainMeasure *by_domain, const EngineHost *host, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	DomainMeasure *measured = ARENA_ARRAY(arena, DomainMeasure, n_domains);
	uint32_t   *defined = ARENA_ARRAY(arena, uint32_t, n_domains);
	int64_t		n_defined = 0;

	if (!arena_ok(arena, error) ||
		!metrics_auc(arena, scores, labels, n, &measures->auc.value, host, error) ||
		!metrics_by_domain(arena, scores, labels, domains, n, n_domains, measured,
						   &measures->log_loss, host, error))
		return false;
	for (uint32_t d = 0; d < n_domains; d++)
		if (!isnan(measured[d].auc))
			defined[n_defined++] = d;
	measures->auc.rows = n;
	measures->domain_auc = weighted_auc(measured, defined, 0, n_defined);
	measures->major5_auc = weighted_auc(measured, defined, 0, n_defined < 5 ? n_defined : 5);
	measures->minor10_auc = weighted_auc(measured, defined, n_defined - 10, n_defined);
	measures->minor5_auc = weighted_auc(measured, defined, n_defined - 5, n_defined);
	if (by_domain && n_domains > 0)
		memcpy(by_domain, measured, n_domains * sizeof(DomainMeasure));
	arena_reset_to(arena, mark);
	return true;
}
