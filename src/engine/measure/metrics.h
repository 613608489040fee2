/*
 * metrics.h
 *	  AUC, its averages over domains and users, NDCG of users' rows, and log loss.
 *
 * A measure that is undefined (one class only, no rows) is NaN; each comes
 * with the number of rows that it rests on.
 */
#ifndef AREAD_ENGINE_MEASURE_METRICS_H
#define AREAD_ENGINE_MEASURE_METRICS_H

#include "engine/base/base.h"

typedef struct Measure
{
	double		value;			/* NaN: undefined */
	uint64_t	rows;
} Measure;

typedef struct Measures
{
	Measure		auc;			/* over all rows */
	Measure		domain_auc;		/* each domain's AUC, weighted by its rows here */
	Measure		major5_auc;		/* the same over the 5 largest domains */
	Measure		minor10_auc;	/* ... the 10 smallest */
	Measure		minor5_auc;		/* ... the 5 smallest */
	Measure		log_loss;
	Measure		user_auc;		/* each user's AUC, weighted by his rows here */
	Measure		ndcg_10;		/* mean over users with a positive row: NDCG of the first 10 of theirs */
	/*
	 * Of a log: NDCG of the first 10 of a list for each positive row, the mean of lists with items
	 * drawn uniformly and by popularity (score/ranked_lists.h); "rows" are lists of one kind.
	 */
	Measure		list_ndcg;
} Measures;

#define N_MEASURES 9
/* Those of labelled rows; lists are made of a log's, and come after them. */
#define N_ROW_MEASURES 8

/* A row of the one list of measures; whoever stores or shows all of them walks it. */
typedef struct MeasureKind
{
	const char *name;			/* the member's */
	const char *title;			/* in texts */
	size_t		offset;			/* of the Measure within Measures */
	bool		of_some_rows;	/* it rests on rows of some domains or users: how many is worth telling */
	bool		lower_is_better;
	bool		of_users;		/* it needs to know whose each row is */
	bool		of_lists;		/* it is of a log's lists, not of labelled rows */
	/*
	 * What an evaluation must gain to be better; less is noise.  Between two models on
	 * the same 10,000 rows a standard error of AUC is several times that.  Log loss
	 * moves about half as far as AUC where a model learns.
	 */
	double		least_gain;
} MeasureKind;

extern const MeasureKind measure_kinds[N_MEASURES];
/* The choices of options: names of those of rows; of all, and one that stands for a rule. */
extern const char *const row_measure_names[N_ROW_MEASURES + 1];
extern const char *const stop_names[N_MEASURES + 2];
#define STOP_AUTO N_MEASURES

static inline const Measure *
measure_at(const Measures *measures, int kind)
{
	return (const Measure *) ((const char *) measures + measure_kinds[kind].offset);
}

typedef struct DomainMeasure
{
	uint64_t	rows;
	uint64_t	positives;
	double		auc;			/* NaN: one class only */
	double		log_loss;		/* NaN: no rows */
} DomainMeasure;

/*
 * Probability that a positive row scores above a negative one, ties counted
 * as one half (mid-ranks), by exact counting.  scores (no NaN) and labels are
 * [n], n below 2^32.  Sets *auc to NaN if a class is missing.  Errors, here
 * and below: lack of memory, ENGINE_INTERRUPTED.
 */
extern bool metrics_auc(Arena *arena, const double *scores, const uint8_t *labels,
						size_t n, double *auc, const EngineHost *host,
						EngineError *error);

/*
 * Each group's AUC, weighted by its rows; groups of one class are left out.
 * groups [n] are numbers below n_groups, or -1: a row of none.  The order of
 * rows and the numbers of groups make no difference, not even in the last digit.
 */
extern bool metrics_grouped_auc(Arena *arena, const double *scores, const uint8_t *labels,
								const int64_t *groups, size_t n, uint32_t n_groups,
								Measure *auc, const EngineHost *host, EngineError *error);

/* -log p(label), the probability kept within [2^-52, 1 - 2^-52]. */
extern double metrics_loss(double score, uint8_t label);

/*
 * Rows, AUC and log loss of each domain: by_domain [n_domains], from domains
 * [n] as above, and the log loss of all rows.
 */
extern bool metrics_by_domain(Arena *arena, const double *scores, const uint8_t *labels,
							  const int64_t *domains, size_t n, uint32_t n_domains,
							  DomainMeasure *by_domain, Measure *log_loss,
							  const EngineHost *host, EngineError *error);

/* The rows of one split. */
typedef struct MeasuredRows
{
	size_t		n;
	const double *scores;		/* [n] no NaN */
	const uint8_t *labels;		/* [n] */
	/*
	 * [n] in rank order (0 is the domain with the most training rows), or -1: never
	 * seen.  Such rows count in AUC, log loss and measures of users only.
	 */
	const int64_t *domains;
	uint32_t	n_domains;
	const int64_t *users;		/* [n] or -1: a row of none; NULL: users are not known */
	uint32_t	n_users;
} MeasuredRows;

/*
 * All measures.  Domains with one class are left out before the largest and
 * smallest are taken.  by_domain is [n_domains], or NULL.
 */
extern bool metrics_compute(Arena *arena, const MeasuredRows *rows, Measures *measures,
							DomainMeasure *by_domain, const EngineHost *host,
							EngineError *error);

#endif							/* AREAD_ENGINE_MEASURE_METRICS_H */
