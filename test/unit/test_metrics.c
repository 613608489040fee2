/*
 * test_metrics.c
 *	  Measures against counting all pairs.
 */
#include <math.h>

#include "engine/measure/metrics.h"
#include "engine/measure/ranking.h"
#include "engine/base/random.h"
#include "toy.h"
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

/* Rows from the last to the first, and groups numbered the other way. */
static void
reverse(double *scores, uint8_t *labels, int64_t *domains, int n_domains)
{
	for (int i = 0, j = N - 1; i < j; i++, j--)
	{
		double		score = scores[i];
		uint8_t		label = labels[i];
		int64_t		domain = domains[i];

		scores[i] = scores[j];
		scores[j] = score;
		labels[i] = labels[j];
		labels[j] = label;
		domains[i] = domains[j];
		domains[j] = domain;
	}
	for (int i = 0; i < N; i++)
		if (domains[i] >= 0)
			domains[i] = n_domains - 1 - domains[i];
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
	EngineHost	host = toy_host();
	MeasuredRows rows_of;
	Measures	measures;
	Measure		grouped;
	Measure		shuffled;
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
	rows_of = (MeasuredRows) {.n = N,.scores = scores,.labels = labels,.domains = domains,
		.n_domains = DOMAINS};
	CHECK(metrics_compute(&arena, &rows_of, &measures, by_domain, &host, &error));
	CHECK(isnan(measures.user_auc.value) && isnan(measures.ndcg_10.value));
	CHECK(measures.user_auc.rows == 0 && measures.ndcg_10.rows == 0);
	CHECK(near(measures.auc.value, pair_auc(scores, labels, domains, -1, &all)));
	CHECK(measures.auc.rows == N && all == N);
	CHECK(near(measures.log_loss.value, log_loss));
	CHECK(near(measures.domain_auc.value, weighted(auc, rows, 0, n)));
	CHECK(near(measures.major5_auc.value, weighted(auc, rows, 0, 5)));
	CHECK(near(measures.minor10_auc.value, weighted(auc, rows, n - 10, n)));
	CHECK(near(measures.minor5_auc.value, weighted(auc, rows, n - 5, n)));
	CHECK(isnan(by_domain[3].auc) && by_domain[3].positives == by_domain[3].rows);
	CHECK(near(by_domain[0].auc, auc[0]) && by_domain[0].rows == (uint64_t) rows[0]);
	CHECK(metrics_grouped_auc(&arena, scores, labels, domains, N, DOMAINS, &grouped, &host,
							  &error));
	CHECK(near(grouped.value, weighted(auc, rows, 0, n)));
	CHECK(grouped.rows == measures.domain_auc.rows);
	reverse(scores, labels, domains, DOMAINS);
	CHECK(metrics_grouped_auc(&arena, scores, labels, domains, N, DOMAINS, &shuffled, &host,
							  &error));
	CHECK(shuffled.value == grouped.value);
	arena_free_all(&arena);
}

/* Measures of users against AUC of pairs and against ranking_ndcg(), user by user. */
static void
test_users(Arena *arena)
{
	enum
	{
		USERS = 40
	};
	double		scores[N];
	uint8_t		labels[N];
	int64_t		users[N];
	int64_t		domains[N] = {0};
	MeasuredRows rows = {.n = N,.scores = scores,.labels = labels,.domains = domains,
		.n_domains = 1,.users = users,.n_users = USERS};
	double		auc[USERS];
	int			auc_rows[USERS];
	double		ndcg_sum = 0;
	uint64_t	ndcg_rows = 0;
	int			n_auc = 0;
	int			n_ndcg = 0;
	uint64_t	rows_of_both = 0;
	Random		random;
	EngineHost	host = toy_host();
	EngineError error;
	Measures	measures;
	Measures	shuffled;

	random_start(&random, 12, RANDOM_SCORE, 0);
	for (int i = 0; i < N; i++)
	{
		/* user 0 has many rows, beyond the first ten, the last one none; user 5 no positive, user 6 no other */
		users[i] = i < 60 ? 0 : (int64_t) random_below(&random, USERS) - 1;
		scores[i] = (1 + random_below(&random, 9)) / 10.0;
		labels[i] = users[i] != 5 && (users[i] == 6 || random_uniform(&random) < 0.3);
	}
	for (int u = 0; u < USERS; u++)
	{
		double		own_scores[N];
		double		own_gains[N];
		double		ndcg;
		int			n = 0;

		auc[n_auc] = pair_auc(scores, labels, users, u, &auc_rows[n_auc]);
		rows_of_both += isnan(auc[n_auc]) ? 0 : auc_rows[n_auc];
		n_auc += !isnan(auc[n_auc]);
		for (int i = 0; i < N; i++)
			if (users[i] == u)
			{
				own_scores[n] = scores[i];
				own_gains[n++] = labels[i];
			}
		CHECK(ranking_ndcg(arena, own_scores, own_gains, n, 10, &ndcg, &host, &error));
		if (isnan(ndcg))
			continue;
		ndcg_sum += ndcg;
		ndcg_rows += n;
		n_ndcg++;
	}
	CHECK(n_auc > 10 && n_ndcg > n_auc && n_ndcg < USERS - 1);
	CHECK(metrics_compute(arena, &rows, &measures, NULL, &host, &error));
	CHECK(near(measures.user_auc.value, weighted(auc, auc_rows, 0, n_auc)));
	CHECK(measures.user_auc.rows == rows_of_both);
	CHECK(near(measures.ndcg_10.value, ndcg_sum / n_ndcg) && measures.ndcg_10.rows == ndcg_rows);
	reverse(scores, labels, users, USERS);
	CHECK(metrics_compute(arena, &rows, &shuffled, NULL, &host, &error));
	CHECK(shuffled.user_auc.value == measures.user_auc.value &&
		  shuffled.ndcg_10.value == measures.ndcg_10.value);
}

/* Infinite scores and both zeros have their places. */
static void
test_extreme_scores(Arena *arena)
{
	double		scores[] = {-INFINITY, INFINITY, 0.0, -0.0, -1e-320, 1e300};
	uint8_t		labels[] = {0, 1, 1, 0, 1, 0};
	EngineHost	host = toy_host();
	EngineError error;
	double		auc = 0;

	CHECK(metrics_auc(arena, scores, labels, 6, &auc, &host, &error));
	CHECK(near(auc, (3 + 1.5 + 1) / 9));
}

static bool
always_interrupted(void *context)
{
	(void) context;
	return true;
}

static void
test_edges(Arena *arena)
{
	double		scores[] = {0.2, 1.0, 0.0};
	uint8_t		ones[] = {1, 1, 1};
	int64_t		unseen[] = {-1, -1, -1};
	MeasuredRows rows = {.n = 3,.scores = scores,.labels = ones,.domains = unseen};
	double		auc = 0;
	Measures	measures;
	Measure		grouped;
	EngineHost	host = toy_host();
	EngineError error;

	CHECK(metrics_auc(arena, scores, ones, 3, &auc, &host, &error) && isnan(auc));
	CHECK(near(metrics_loss(0.2, 1), -log(0.2)) && near(metrics_loss(0.2, 0), -log(0.8)));
	CHECK(near(metrics_loss(0, 1), 52 * log(2)) && metrics_loss(1, 1) > 0);
	CHECK(metrics_compute(arena, &rows, &measures, NULL, &host, &error));
	CHECK(isnan(measures.domain_auc.value) && measures.domain_auc.rows == 0);
	CHECK(isfinite(measures.log_loss.value));
	CHECK(metrics_grouped_auc(arena, scores, ones, unseen, 3, 0, &grouped, &host, &error));
	CHECK(isnan(grouped.value) && grouped.rows == 0);
	rows.n = 0;
	CHECK(metrics_compute(arena, &rows, &measures, NULL, &host, &error));
	CHECK(isnan(measures.auc.value) && isnan(measures.log_loss.value));
	host.interrupted = always_interrupted;
	CHECK(!metrics_auc(arena, scores, ones, 3, &auc, &host, &error));
	CHECK(error.code == ENGINE_INTERRUPTED);
}

int
main(void)
{
	Arena		arena;

	arena_init_malloc(&arena);
	test_against_pairs();
	test_users(&arena);
	test_extreme_scores(&arena);
	test_edges(&arena);
	arena_free_all(&arena);
	return unit_summary();
}
