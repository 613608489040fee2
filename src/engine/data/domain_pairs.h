/*
 * domain_pairs.h
 *	  Which values were seen in which domains: the places of domain weights.
 *
 * A domain weight is a wide weight of a value within one domain, beside the
 * weight that the value has everywhere.  Under an L2 of its own it departs
 * from the shared weight as far as the domain's rows say so (Daume, "Frustratingly easy
 * domain adaptation", 2007).  Only pairs of training rows have one.
 */
#ifndef AREAD_ENGINE_DATA_DOMAIN_PAIRS_H
#define AREAD_ENGINE_DATA_DOMAIN_PAIRS_H

#include "engine/base/search.h"
#include "engine/data/dataset.h"

#define NO_PAIR UINT32_MAX

/* The pairs of one field, by value, then domain. */
typedef struct DomainPairs
{
	uint32_t	n_pairs;		/* 0: the field has none, start is NULL */
	uint32_t	n_values;		/* rows of the field's table */
	uint32_t   *start;			/* [n_values + 1] */
	uint32_t   *domain;			/* [n_pairs], ascending within a value */
} DomainPairs;

/*
 * Collect the pairs of the training rows into pairs[n_fields].  None for the
 * domain itself, for lists, and for fields whose values nearly all keep to
 * one domain: there it would be the same weight twice.
 */
extern bool pairs_build(Arena *arena, const Dataset *data, const EngineHost *host,
						DomainPairs *pairs, EngineError *error);

/* Training rows by domain, those of domains never seen first, and within one by number. */
typedef struct RowsByDomain
{
	uint32_t	n_domains;		/* D */
	const uint32_t *end;		/* [D + 1]: of those never seen, of domain 0, 1, ... */
	const uint32_t *rows;
} RowsByDomain;

/* Errors: lack of memory, ENGINE_INTERRUPTED. */
extern bool rows_by_domain(Arena *arena, const Dataset *data, const EngineHost *host,
						   RowsByDomain *by_domain, EngineError *error);
/*
 * One field's ids of the training rows -> column: what is read in another
 * order than that of rows should lie closer together.  false: stopped.
 */
extern bool column_copy(const Dataset *data, int field, Watch *watch, uint32_t *column);
/* Do stored pairs hold together, and fit a table and a number of domains? */
extern bool pairs_valid(const DomainPairs *pairs, uint32_t n_values, uint32_t n_domains);

/* Number of the pair of a value and a domain (-1: never seen), or NO_PAIR. */
static inline uint32_t
pairs_find(const DomainPairs *pairs, uint32_t value, int64_t domain)
{
	uint32_t	pair;

	if (pairs->n_pairs == 0 || domain < 0)
		return NO_PAIR;
	pair = (uint32_t) sorted_place(pairs->domain, pairs->start[value], pairs->start[value + 1],
								   (uint32_t) domain);
	return pair < pairs->start[value + 1] && pairs->domain[pair] == domain ? pair : NO_PAIR;
}

#endif							/* AREAD_ENGINE_DATA_DOMAIN_PAIRS_H */
