/*
 * axes.h
 *	  Axes of a plot: values to pixels, ticks and grid lines.
 */
#ifndef AREAD_DRAW_AXES_H
#define AREAD_DRAW_AXES_H

#include "draw/svg.h"
#include "draw/ticks.h"

typedef struct Axis
{
	double		low;			/* values */
	double		high;
	double		from;			/* their pixels; y runs downwards */
	double		to;
	bool		log;
	Ticks		ticks;
} Axis;

/* An axis over a range, widened to round numbers; ceiling: but not beyond. */
extern Axis axis_linear(double low, double high, double ceiling, double from, double to);
/* A logarithmic one, with some room at both ends; low > 0. */
extern Axis axis_log(double low, double high, double from, double to);
extern double axis_at(const Axis *axis, double value);
/* Grid lines across the plot, with tick labels at its left side. */
extern void axis_draw_y(Svg *svg, const Axis *y, double left, double right);
/* The plot's lower side with tick labels below it, and grid lines if it is logarithmic. */
extern void axis_draw_x(Svg *svg, const Axis *x, double left, double right, double top,
						double bottom);

#endif							/* AREAD_DRAW_AXES_H */
