/*
 * test_metrics.c
 *	  Measures against counting all pairs.
 */
#include <math.h>

#include "engine/metrics.h"
#include "engine/random.h"
#include "unit.h"

#define N 400

/* Share of pairs (positive, negative) in the right order, ties one half. */
static double
pair_auc(const double *scores, const uint8_t *labels, const int64_t *domains, int64_t domain,
		 int *rows)
{
	double		right = 0;
	double		pairs = 0;

	*rows = 0;
	for (int i = 0; i < N; i++)
	{
		if (domain >= 0 && domains[i] != domain)
			continue;
		(*rows)++;
		for (int j = 0; j < N; j++)
			if (labels[i] && !labels[j] && (domain < 0 || domains[j] == domain))
			{
				pairs++;
				right += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
			}
	}
	return pairs > 0 ? right / pairs : NAN;
}

/* The AUCs of domains from..to-1 of a list, weighted by rows. */
static double
weighted(const double *auc, const int *rows, int from, int to)
{
	double		sum = 0;
	double		weight = 0;

	for (int d = from; d < to; d++)
	{
		sum += auc[d] * rows[d];
		weight += rows[d];
	}
	return sum / weight;
}

static bool
near(double a, double b)
{
	return fabs(a - b) < 1e-12;
}

static void
test_against_pairs(void)
{
	enum
	{
		DOMAINS = 14
	};
	double		scores[N];
	uint8_t		labels[N];
	int64_t		domains[N];
	double		auc[DOMAINS];
	int			rows[DOMAINS];
	int			n = 0;
	int			all;
	double		log_loss = 0;
	Arena		arena;
	Random		random;
	Measures	measures;
	DomainMeasure by_domain[DOMAINS];
	EngineError error;

	arena_init_malloc(&arena);
	random_start(&random, 11, RANDOM_SCORE, 0);
	for (int i = 0; i < N; i++)
	{
		/* few distinct scores: many ties; domain 3 has positives only */
		scores[i] = (1 + random_below(&random, 20)) / 22.0;
		domains[i] = (int64_t) random_below(&random, DOMAINS + 1) - 1;
		labels[i] = domains[i] == 3 || random_uniform(&random) < scores[i];
		log_loss -= log(labels[i] ? scores[i] : 1 - scores[i]) / N;
	}
	for (int d = 0; d < DOMAINS; d++)
	{
		auc[n] = pair_auc(scores, labels, domains, d, &rows[n]);
		n += !isnan(auc[n]);
	}
	CHECK(n == DOMAINS - 1);
	CHECK(metrics_compute(&arena, scores, labels, domains, N, DOMAINS, &measures, by_domain,
						  &error));
	CHECK(near(measures.auc.value, pair_auc(scores, labels, domains, -1, &all)));
	CHECK(measures.auc.rows == N && all == N);
	CHECK(near(measures.log_loss.value, log_loss));
	CHECK(near(measures.domain_auc.value, weighted(auc, rows, 0, n)));
	CHECK(near(measures.major5_auc.value, weighted(auc, rows, 0, 5)));
	CHECK(near(measures.minor10_auc.value, weighted(auc, rows, n - 10, n)));
	CHECK(near(measures.minor5_auc.value, weighted(auc, rows, n - 5, n)));
	CHECK(isnan(by_domain[3].auc) && by_domain[3].positives == by_domain[3].rows);
	CHECK(near(by_domain[0].auc, auc[0]) && by_domain[0].rows == (uint64_t) rows[0]);
	arena_free_all(&arena);
}

static void
test_edges(void)
{
	double		scores[] = {0.2, 1.0, 0.0};
	uint8_t		ones[] = {1, 1, 1};
	int64_t		unseen[] = {-1, -1, -1};
	double		auc = 0;
	Arena		arena;
	Measures	measures;
	EngineError error;

	arena_init_malloc(&arena);
	CHECK(metrics_auc(&arena, scores, ones, 3, &auc, &error) && isnan(auc));
	CHECK(isnan(metrics_log_loss(scores, ones, 0)));
	CHECK(isfinite(metrics_log_loss(scores, ones, 3)));
	CHECK(metrics_compute(&arena, scores, ones, unseen, 3, 0, &measures, NULL, &error));
	CHECK(isnan(measures.domain_auc.value) && measures.domain_auc.rows == 0);
	CHECK(metrics_compute(&arena, scores, ones, unseen, 0, 0, &measures, NULL, &error));
	CHECK(isnan(measures.auc.value) && isnan(measures.log_loss.value));
	arena_free_all(&arena);
}

int
main(void)
{
	test_against_pairs();
	test_edges();
	return unit_summary();
}
