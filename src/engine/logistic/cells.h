/*
 * cells.h
 *	  Training rows by value and, within a value, by domain.
 *
 * A field's training rows are sorted by value, then domain.  A cell is a run of
 * them: first of each value comes that of the rows whose domain makes no pair with it,
 * then one for each of its pairs, in order.  So a value's rows lie together,
 * and so do a pair's, in one list.  Without pairs a value is one cell.
 * A dense field's values are its components, and every row has all of them: no
 * row is in their cells.
 */
#ifndef AREAD_ENGINE_LOGISTIC_CELLS_H
#define AREAD_ENGINE_LOGISTIC_CELLS_H

#include "engine/base/search.h"
#include "engine/base/team.h"
#include "engine/data/domain_pairs.h"

typedef struct Cells
{
	uint32_t	n_values;
	uint32_t	n_cells;
	const DomainPairs *pairs;	/* NULL: none */
	uint32_t   *start;			/* [n_cells + 1], places in rows */
	const uint32_t *rows;		/* a list's row stands under each of its members */
	void	   *stored;			/* rows lie in the dataset's store; NULL: in the arena */
} Cells;

/* Sort the training rows of every field; pairs as logistic_fit() has them. */
extern bool cells_build(Arena *arena, const Dataset *data, const DomainPairs *pairs,
						Team *team, Watch *watch, Cells *cells, EngineError *error);
/* Give back what lies in the store. */
extern void cells_free(const Dataset *data, Cells *cells);

/* A value's cells: the first; its pairs' follow, up to the next value's first. */
static inline uint32_t
cells_first(const Cells *cells, uint32_t value)
{
	return cells->pairs ? cells->pairs->start[value] + value : value;
}

/* The first cell that starts at or after a place. */
static inline uint32_t
cells_from(const Cells *cells, size_t place)
{
	return (uint32_t) sorted_place(cells->start, 0, cells->n_cells, (uint32_t) place);
}

#endif							/* AREAD_ENGINE_LOGISTIC_CELLS_H */
