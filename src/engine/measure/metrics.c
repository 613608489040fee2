/*
 * metrics.c
 *	  AUC, its averages over domains and users, NDCG of users' rows, and log loss.
 *
 * Scores are sorted group by group, positives and negatives apart (grouped.h).
 * AUC then follows from one walk over the two, by exact counting, and NDCG from
 * one over their last few.
 *
 * Memory: 8 bytes for each row, and what sorting them needs; given back at the end.
 */
#include "engine/measure/metrics.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "engine/base/total.h"
#include "engine/measure/grouped.h"
#include "engine/measure/ranking.h"

/* As scikit-learn clips probabilities that are doubles. */
#define MIN_PROBABILITY DBL_EPSILON
/* Rows or groups between two looks at the host. */
#define CHUNK ((size_t) 1 << 20)
#define GROUP_CHUNK 4096
/* Of ndcg_10. */
#define NDCG_PLACES 10

_Static_assert(sizeof(Measures) == N_MEASURES * sizeof(Measure), "each measure has a row");

/*
 * The order is that of stored arrays of measures (sql: stored_version, stored_evaluation)
 * and of results: new ones come last.
 */
#define LIST_OF_ROWS(ROW) \
	ROW(auc, "AUC", false, false, false, false, 5e-4) \
	ROW(domain_auc, "DomainAUC", true, false, false, false, 5e-4) \
	ROW(major5_auc, "Major5AUC", true, false, false, false, 5e-4) \
	ROW(minor10_auc, "Minor10AUC", true, false, false, false, 5e-4) \
	ROW(minor5_auc, "Minor5AUC", true, false, false, false, 5e-4) \
	ROW(log_loss, "log loss", false, true, false, false, 2.5e-4) \
	ROW(user_auc, "UserAUC", true, false, true, false, 5e-4) \
	ROW(ndcg_10, "NDCG@10", true, false, true, false, 5e-4)
#define LIST(ROW) \
	LIST_OF_ROWS(ROW) \
	ROW(list_ndcg, "list NDCG@10", true, false, false, true, 1e-3)
#define KIND(member, title, ...) {#member, title, offsetof(Measures, member), __VA_ARGS__},
#define NAME(member, ...) #member,

const MeasureKind measure_kinds[N_MEASURES] = {LIST(KIND)};
const char *const row_measure_names[N_ROW_MEASURES + 1] = {LIST_OF_ROWS(NAME) NULL};
const char *const stop_names[N_MEASURES + 2] = {LIST(NAME) "auto", NULL};

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
	GroupScores sorted;

	*auc = NAN;
	if (!grouped_has_both(grouped, group))
		return true;
	if (!grouped_sort(grouped, group, &sorted, host, error))
		return false;
	*auc = auc_of_sorted(sorted.positives, sorted.n_positives, sorted.negatives,
						 sorted.n_negatives);
	return true;
}

bool
metrics_auc(Arena *arena, const double *scores, const uint8_t *labels, size_t n,
			double *auc, const EngineHost *host, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	GroupedScores grouped;

	if (!grouped_scores(arena, scores, labels, NULL, n, 1, &grouped, host, error) ||
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
	if (!grouped_scores(arena, scores, labels, groups, n, n_groups, &grouped, host, error))
		return false;
	for (uint32_t group = 0; group < n_groups; group++)
	{
		size_t		rows = grouped_rows(&grouped, group);
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
		measured[d].rows = grouped_rows(grouped, d);
		measured[d].positives = grouped_positives(grouped, d);
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

	if (!grouped_scores(arena, scores, labels, domains, n, n_domains, &grouped, host, error) ||
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

/* NDCG@10 of sorted scores, ties as ranking.h has it; there is a positive row. */
static bool
ndcg_of_sorted(const GroupScores *sorted, double *ndcg, const EngineHost *host,
			   EngineError *error)
{
	size_t		positives = sorted->n_positives;	/* that have no place yet */
	size_t		negatives = sorted->n_negatives;
	Tie			tie = tie_of(0, positives, NDCG_PLACES, positives);
	double		best;
	double		ranked = 0;
	double		discounts;

	if (!tie_discounts(&tie, &best, host, error))
		return false;
	for (size_t place = 0; place < NDCG_PLACES && positives > 0; place += tie.n)
	{
		uint64_t	key = sorted->positives[positives - 1];
		size_t		gains = 0;
		size_t		others = 0;

		if (negatives > 0 && sorted->negatives[negatives - 1] > key)
			key = sorted->negatives[negatives - 1];
		for (; positives > 0 && sorted->positives[positives - 1] == key; positives--)
			gains++;
		for (; negatives > 0 && sorted->negatives[negatives - 1] == key; negatives--)
			others++;
		tie = tie_of(place, gains + others, NDCG_PLACES, gains);
		if (!tie_discounts(&tie, &discounts, host, error))
			return false;
		ranked += (double) gains / (double) tie.n * discounts;
	}
	*ndcg = ranked / best;
	return true;
}

/* Measures of each user's rows: AUC weighted by rows, NDCG@10 with one voice each. */
static bool
measure_users(Arena *arena, const MeasuredRows *rows, Measures *measures,
			  const EngineHost *host, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	GroupedScores grouped;
	GroupScores sorted;
	Total		auc = {0};
	Total		ndcg = {0};
	size_t		listed = 0;		/* users with a positive row */

	if (!grouped_scores(arena, rows->scores, rows->labels, rows->users, rows->n, rows->n_users,
						&grouped, host, error))
		return false;
	for (uint32_t user = 0; user < rows->n_users; user++)
	{
		size_t		n = grouped_rows(&grouped, user);
		double		own;

		if (user % GROUP_CHUNK == 0 && !host_continue(host, error))
			return false;
		if (grouped_positives(&grouped, user) == 0)
			continue;
		if (!grouped_sort(&grouped, user, &sorted, host, error) ||
			!ndcg_of_sorted(&sorted, &own, host, error))
			return false;
		total_add(&ndcg, own);
		measures->ndcg_10.rows += n;
		listed++;
		if (!grouped_has_both(&grouped, user))
			continue;
		total_add(&auc, (double) n * auc_of_sorted(sorted.positives, sorted.n_positives,
												   sorted.negatives, sorted.n_negatives));
		measures->user_auc.rows += n;
	}
	if (measures->user_auc.rows > 0)
		measures->user_auc.value = total_value(&auc) / (double) measures->user_auc.rows;
	if (listed > 0)
		measures->ndcg_10.value = total_value(&ndcg) / (double) listed;
	arena_reset_to(arena, mark);
	return true;
}

bool
metrics_compute(Arena *arena, const MeasuredRows *rows, Measures *measures,
				DomainMeasure *by_domain, const EngineHost *host, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	uint32_t	n_domains = rows->n_domains;
	DomainMeasure *measured = ARENA_ARRAY(arena, DomainMeasure, n_domains);
	uint32_t   *defined = ARENA_ARRAY(arena, uint32_t, n_domains);
	int64_t		n_defined = 0;

	*measures = (Measures) {.user_auc = {.value = NAN},.ndcg_10 = {.value = NAN},
		.list_ndcg = {.value = NAN}};
	if (!arena_ok(arena, error) ||
		!metrics_auc(arena, rows->scores, rows->labels, rows->n, &measures->auc.value, host,
					 error) ||
		!metrics_by_domain(arena, rows->scores, rows->labels, rows->domains, rows->n, n_domains,
						   measured, &measures->log_loss, host, error) ||
		(rows->users && !measure_users(arena, rows, measures, host, error)))
		return false;
	for (uint32_t d = 0; d < n_domains; d++)
		if (!isnan(measured[d].auc))
			defined[n_defined++] = d;
	measures->auc.rows = rows->n;
	measures->domain_auc = weighted_auc(measured, defined, 0, n_defined);
	measures->major5_auc = weighted_auc(measured, defined, 0, n_defined < 5 ? n_defined : 5);
	measures->minor10_auc = weighted_auc(measured, defined, n_defined - 10, n_defined);
	measures->minor5_auc = weighted_auc(measured, defined, n_defined - 5, n_defined);
	if (by_domain && n_domains > 0)
		memcpy(by_domain, measured, n_domains * sizeof(DomainMeasure));
	arena_reset_to(arena, mark);
	return true;
}
