/*
 * augment_draw.h
 *	  Rows drawn for minor domains, with replacement and weight 1 / p(i), in
 *	  two passes over the rows that may be drawn (the pool).
 *
 * A domain that holds a row's pair of user and item as a negative rejects it;
 * it draws from exactly the other rows.  Think of the pool as a line on which
 * each row covers its weight; a domain cuts out what it rejects.  The first
 * pass measures the line for each domain; then each domain has as many sorted
 * uniform points on its line as it draws rows, made one after the other
 * without keeping any; the second pass meets them in order.  Memory is per
 * domain, whatever the length of the pool, and a heap of the domains' next
 * points keeps ten thousand of them fast.
 *
 *	draw_init()
 *	for each row: draw_row()
 *	draw_begin()
 *	for each row, in the same order: draw_row(); while (draw_take(&domain)) the row is one for "domain"
 */
#ifndef AREAD_ENGINE_SAMPLING_AUGMENT_DRAW_H
#define AREAD_ENGINE_SAMPLING_AUGMENT_DRAW_H

#include "engine/base/random.h"
#include "engine/sampling/augment_plan.h"
#include "engine/sampling/rejected_pairs.h"

typedef struct DomainDraw
{
	uint32_t	domain;
	uint64_t	remaining;		/* rows still to draw */
	/* rows of this pass that the domain rejects; rows count from 1 */
	double		rejected;		/* their weight */
	uint64_t	n_rejected;
	uint64_t	rejected_row;	/* the latest */
	uint64_t	run;			/* how many, one after the other, end there */
	/* known after the first pass */
	double		total;			/* weight of the rows that it does not reject */
	double		rest;			/* share of the total beyond the present point */
	double		point;			/* next one, on the domain's line */
	double		key;			/* where it lies on the pool's line, or further on */
	Random		random;
} DomainDraw;

/* Until which row a domain's points must have been met. */
typedef struct LastRow
{
	uint64_t	row;
	uint32_t	position;		/* of the domain */
} LastRow;

typedef struct Draw
{
	const AugmentPlan *plan;
	const Rejections *rejections;
	uint64_t	seed;
	uint32_t	n;
	DomainDraw *domains;		/* [n] that draw */
	uint32_t   *numbers;		/* [plan's domains] position among them + 1; 0: it does not draw */
	uint64_t	row;			/* of this pass, from 1 */
	double		cumulative;		/* weight up to and with it */
	uint32_t	n_heap;
	uint32_t   *heap;			/* [n] positions of domains, the smallest key on top */
	uint32_t	n_last;
	uint32_t	at_last;
	LastRow    *last_rows;		/* [n_last] ascending */
} Draw;

/* Streams of random numbers are those of (config->seed, RANDOM_AUGMENT, domain). */
extern bool draw_init(Draw *draw, Arena *arena, const Config *config, const AugmentPlan *plan,
					  const Rejections *rejections, EngineError *error);
/* The pass's next row: augment_is_drawable() says which ones are to come. */
extern void draw_row(Draw *draw, uint32_t user, uint32_t item);
/*
 * Between the passes.  From here on it is settled how many rows a domain gets:
 * plan->rows_to_add, or none if it rejects every row of the pool.
 */
extern void draw_begin(Draw *draw);
extern uint64_t draw_rows(const Draw *draw, uint32_t domain);
/* A domain that draws the present row, as often as it does; false: no more. */
extern bool draw_take(Draw *draw, uint32_t *domain);

#endif							/* AREAD_ENGINE_SAMPLING_AUGMENT_DRAW_H */
