/*
 * metrics.h
 *	  AUC, its averages over domains, and log loss.
 *
 * A measure that is undefined (one class only, no rows) is NaN; each comes
 * with the number of rows that it rests on.
 */
#ifndef AREAD_ENGINE_METRICS_H
#define AREAD_ENGINE_METRICS_H

#include "base.h"

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
} Measures;

typedef struct DomainMeasure
{
	uint64_t	rows;
	uint64_t	positives;
	double		auc;			/* NaN: one class only */
	double		log_loss;		/* NaN: no rows */
} DomainMeasure;

/*
 * Probability that a positive row scores above a negative one, ties counted
 * as one half (mid-ranks).  scores and labels are [n].  Sets *auc to NaN if a
 * class is missing.  Fails on lack of memory only.
 */
extern bool metrics_auc(Arena *arena, const double *scores, const uint8_t *labels,
						size_t n, double *auc, EngineError *error);

/* Mean of -log p(label), probabilities kept within [1e-15, 1 - 1e-15]; NaN if n = 0. */
extern double metrics_log_loss(const double *scores, const uint8_t *labels, size_t n);

/*
 * All measures of one split.  domains[row] is a domain number in rank order
 * (0 is the domain with the most training rows), or -1 for one never seen:
 * such rows count in AUC and log loss only.  Domains with one class are left
 * out before the largest and smallest are taken.  by_domain is [n_domains],
 * or NULL.
 */
extern bool metrics_compute(Arena *arena, const double *scores, const uint8_t *labels,
							const int64_t *domains, size_t n, uint32_t n_domains,
							Measures *measures, DomainMeasure *by_domain,
							EngineError *error);

#endif							/* AREAD_ENGINE_METRICS_H */
