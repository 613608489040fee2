/*
 * axes.c
 *	  Axes of a plot: values to pixels, ticks and grid lines.
 */
#include "postgres.h"

#include "draw/axes.h"

#include <math.h>

#define WANTED_TICKS 5
#define LOG_ROOM 0.04			/* of the range, at either end */

Axis
axis_linear(double low, double high, double ceiling, double from, double to)
{
	Axis		axis = {.low = low,.high = high,.from = from,.to = to};

	ticks_widen(&axis.low, &axis.high, WANTED_TICKS, &axis.ticks);
	axis.high = Min(axis.high, ceiling);
	while (axis.ticks.n > 0 && axis.ticks.value[axis.ticks.n - 1] > ceiling + axis.ticks.step / 100)
		axis.ticks.n--;
	return axis;
}

Axis
axis_log(double low, double high, double from, double to)
{
	double		room = high > low ? pow(high / low, LOG_ROOM) : 1.5;
	Axis		axis = {.low = low / room,.high = high * room,.from = from,.to = to,.log = true};

	ticks_log(axis.low, axis.high, &axis.ticks);
	return axis;
}

double
axis_at(const Axis *axis, double value)
{
	double		share = axis->log ? log(value / axis->low) / log(axis->high / axis->low) :
		(value - axis->low) / (axis->high - axis->low);

	return axis->from + share * (axis->to - axis->from);
}

/* As many decimals as tell ticks apart, thousands parted by commas. */
static char *
axis_label(const Axis *axis, double value)
{
	char	   *digits = psprintf("%.*f", axis->ticks.decimals, value);
	char	   *point = strchr(digits, '.');
	int			before = (int) (point ? point - digits : strlen(digits));
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; digits[i]; i++)
	{
		if (i > 0 && i < before && (before - i) % 3 == 0 && digits[i - 1] != '-')
			appendStringInfoChar(&out, ',');
		appendStringInfoChar(&out, digits[i]);
	}
	return out.data;
}

void
axis_draw_y(Svg *svg, const Axis *y, double left, double right)
{
	for (int i = 0; i < y->ticks.n; i++)
	{
		double		at = axis_at(y, y->ticks.value[i]);

		svg_line(svg, "grid", left, at, right, at, "");
		svg_text(svg, "muted", ANCHOR_END, SMALL_SIZE, left - 8, at + 4,
				 axis_label(y, y->ticks.value[i]));
	}
}

void
axis_draw_x(Svg *svg, const Axis *x, double left, double right, double top, double bottom)
{
	svg_line(svg, "axis", left, bottom, right, bottom, "");
	for (int i = 0; i < x->ticks.n; i++)
	{
		double		at = axis_at(x, x->ticks.value[i]);

		if (x->log)
			svg_line(svg, "grid", at, top, at, bottom, "");
		svg_line(svg, "axis", at, bottom, at, bottom + 5, "");
		svg_text(svg, "muted", ANCHOR_MIDDLE, SMALL_SIZE, at, bottom + 18,
				 axis_label(x, x->ticks.value[i]));
	}
}
