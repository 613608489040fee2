/*
 * grouped.h
 *	  Scores sorted group by group, positives and negatives apart: what AUC and
 *	  NDCG of domains and users are counted from.
 *
 * Memory: 8 bytes for each row and for sorting them again, 24 for each group.
 */
#ifndef AREAD_ENGINE_MEASURE_GROUPED_H
#define AREAD_ENGINE_MEASURE_GROUPED_H

#include "engine/base/base.h"
#include "engine/base/sort.h"

/* Scores as sort keys, group by group, the positives of each group first. */
typedef struct GroupedScores
{
	size_t	   *start;			/* [n_groups + 1] */
	size_t	   *negatives;		/* [n_groups] where they begin */
	uint64_t   *keys;			/* [rows that have a group] */
	SortRoom	room;
} GroupedScores;

/* One group's, ascending; they lie in the GroupedScores. */
typedef struct GroupScores
{
	const uint64_t *positives;	/* [n_positives] sort keys of scores */
	size_t		n_positives;
	const uint64_t *negatives;	/* [n_negatives] */
	size_t		n_negatives;
} GroupScores;

static inline size_t
grouped_rows(const GroupedScores *grouped, uint32_t group)
{
	return grouped->start[group + 1] - grouped->start[group];
}

static inline size_t
grouped_positives(const GroupedScores *grouped, uint32_t group)
{
	return grouped->negatives[group] - grouped->start[group];
}

/* Are there rows of both classes? */
static inline bool
grouped_has_both(const GroupedScores *grouped, uint32_t group)
{
	return grouped_positives(grouped, group) > 0 &&
		grouped->start[group + 1] > grouped->negatives[group];
}

/*
 * Scores (no NaN) and labels [n] by group; groups [n] are numbers below n_groups,
 * or -1: a row of none.  groups NULL: all rows are of group 0.  Lies in the arena.
 * Errors, here and below: lack of memory, ENGINE_INTERRUPTED.
 */
extern bool grouped_scores(Arena *arena, const double *scores, const uint8_t *labels,
						   const int64_t *groups, size_t n, uint32_t n_groups,
						   GroupedScores *grouped, const EngineHost *host, EngineError *error);
/* Sort a group's scores in their place. */
extern bool grouped_sort(GroupedScores *grouped, uint32_t group, GroupScores *sorted,
						 const EngineHost *host, EngineError *error);

#endif							/* AREAD_ENGINE_MEASURE_GROUPED_H */
