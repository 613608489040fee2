/*
 * ticks.c
 *	  Round numbers for the axes of pictures.
 */
#include "draw/ticks.h"

#include <math.h>
#include <stdbool.h>

/* So much of a step does not count as beyond the end. */
#define SLACK 1e-9

static bool
is_range(double low, double high)
{
	return isfinite(low) && isfinite(high) && low <= high;
}

/* The least of 1, 2 and 5 times powers of ten that is not below. */
static double
round_step(double least)
{
	double		power = pow(10, floor(log10(least)));

	for (int i = 0; i < 3; i++)
	{
		double		step = (double[]) {1, 2, 5}[i] * power;

		if (step >= least * (1 - SLACK))
			return step;
	}
	return 10 * power;
}

/* The step's multiples within the range. */
static void
put_multiples(double low, double high, double step, Ticks *ticks)
{
	double		first = ceil(low / step - SLACK);
	double		last = floor(high / step + SLACK);

	for (double i = first; i <= last && ticks->n < MAX_TICKS; i++)
		ticks->value[ticks->n++] = i * step + 0.0;	/* (no -0) */
	ticks->step = step;
	ticks->decimals = step < 1 ? (int) -floor(log10(step) + SLACK) : 0;
}

void
ticks_linear(double low, double high, int wanted, double least_step, Ticks *ticks)
{
	double		step;

	*ticks = (Ticks) {0};
	if (!is_range(low, high) || low == high)
		return;
	step = round_step((high - low) / wanted);
	while (step < least_step)
		step = round_step(step * 1.5);
	put_multiples(low, high, step, ticks);
}

void
ticks_widen(double *low, double *high, int wanted, Ticks *ticks)
{
	double		step;

	*ticks = (Ticks) {0};
	if (!is_range(*low, *high))
		return;
	if (*low == *high)
	{
		double		width = *low == 0 ? 1 : fabs(*low) / 10;

		*low -= width / 2;
		*high += width / 2;
	}
	step = round_step((*high - *low) / wanted);
	*low = floor(*low / step + SLACK) * step;
	*high = ceil(*high / step - SLACK) * step;
	put_multiples(*low, *high, step, ticks);
}

void
ticks_log(double low, double high, Ticks *ticks)
{
	int			from;
	int			to;
	int			every;

	*ticks = (Ticks) {0};
	if (!is_range(low, high) || low <= 0)
		return;
	from = (int) floor(log10(low) + SLACK);
	to = (int) floor(log10(high) + SLACK);
	every = (to - from) / 10 + 1;
	for (int power = from; power <= to; power += every)
		for (int i = 0; i < 3; i++)
		{
			double		value = (double[]) {1, 2, 5}[i] * pow(10, power);

			if ((i == 0 || high < low * 100) && value >= low * (1 - SLACK) &&
				value <= high * (1 + SLACK) && ticks->n < MAX_TICKS)
				ticks->value[ticks->n++] = value;
		}
	ticks->decimals = from < 0 ? -from : 0;
	if (ticks->n < 3 && high < low * 100)
		ticks_linear(low, high, 5, 0, ticks);
}
