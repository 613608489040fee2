/*
 * counts.h
 *	  How often training rows have each id, and which rows each domain has.
 */
#ifndef AREAD_ENGINE_DATA_COUNTS_H
#define AREAD_ENGINE_DATA_COUNTS_H

#include "engine/data/dataset.h"

/* Training rows of each domain. */
typedef struct DomainRows
{
	uint64_t   *start;			/* [D + 1] */
	uint32_t   *rows;
	uint64_t   *positives;		/* [D] */
} DomainRows;

static inline uint64_t
domain_rows_count(const DomainRows *rows, uint32_t domain)
{
	return rows->start[domain + 1] - rows->start[domain];
}

/*
 * (*counts)[t][id]: training occurrences of each id of table t, in all fields
 * of the table; a list's members count each.  Errors: lack of memory,
 * ENGINE_INTERRUPTED.
 */
extern bool counts_init(uint32_t ***counts, Arena *arena, const Dataset *data,
						const EngineHost *host, EngineError *error);
/* Rows of domains never seen in training are in none.  Errors: lack of memory. */
extern bool domain_rows_init(DomainRows *rows, Arena *arena, const Dataset *data,
							 EngineError *error);

#endif							/* AREAD_ENGINE_DATA_COUNTS_H */
