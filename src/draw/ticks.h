/*
 * ticks.h
 *	  Round numbers for the axes of pictures.
 */
#ifndef AREAD_DRAW_TICKS_H
#define AREAD_DRAW_TICKS_H

#define MAX_TICKS 24

typedef struct Ticks
{
	int			n;
	double		value[MAX_TICKS];	/* rising */
	double		step;			/* between them; 0 where they are powers */
	int			decimals;		/* that tell them apart */
} Ticks;

/*
 * Multiples of 1, 2 or 5 times a power of ten within [low, high], about
 * "wanted" (at most 10) of them, no closer than least_step (0: any).  None if
 * the range is empty or not finite.
 */
extern void ticks_linear(double low, double high, int wanted, double least_step, Ticks *ticks);
/*
 * Widen a range to the multiples that enclose it, which become first and last
 * tick; a range of one value gets a width first.
 */
extern void ticks_widen(double *low, double *high, int wanted, Ticks *ticks);
/*
 * Over a range of positive numbers: 1, 2 and 5 times powers of ten where it
 * has less than two decades (or, if that gives less than three, multiples as
 * above), else powers of ten, all or every so many.
 */
extern void ticks_log(double low, double high, Ticks *ticks);

#endif							/* AREAD_DRAW_TICKS_H */
