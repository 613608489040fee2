/*
 * test_ticks.c
 *	  Ticks are round, in range, and neither few nor many.
 */
#include <math.h>
#include <stdbool.h>

#include "draw/ticks.h"
#include "unit.h"

static bool
are(const Ticks *ticks, int n, const double *wanted)
{
	if (ticks->n != n)
		return false;
	for (int i = 0; i < n; i++)
		if (fabs(ticks->value[i] - wanted[i]) > 1e-12 * fabs(wanted[i]))
			return false;
	return true;
}

static void
test_linear(void)
{
	Ticks		ticks;

	ticks_linear(0, 1, 5, 0, &ticks);
	CHECK(are(&ticks, 6, (double[]) {0, 0.2, 0.4, 0.6, 0.8, 1}));
	CHECK(ticks.decimals == 1);
	ticks_linear(0.83, 0.87, 4, 0, &ticks);
	CHECK(are(&ticks, 5, (double[]) {0.83, 0.84, 0.85, 0.86, 0.87}));
	CHECK(ticks.decimals == 2);
	ticks_linear(-30, 20, 5, 0, &ticks);
	CHECK(are(&ticks, 6, (double[]) {-30, -20, -10, 0, 10, 20}));
	CHECK(ticks.decimals == 0);
	/* from below zero there is no tick -0 */
	ticks_linear(-1e-12, 4, 4, 0, &ticks);
	CHECK(ticks.n == 5 && !signbit(ticks.value[0]));
	/* epochs are whole */
	ticks_linear(0, 3, 10, 1, &ticks);
	CHECK(are(&ticks, 4, (double[]) {0, 1, 2, 3}));
	ticks_linear(0, 0.4, 10, 1, &ticks);
	CHECK(are(&ticks, 1, (double[]) {0}));
}

/* Over many ranges: in range, evenly spaced by a round step, and enough of them. */
static void
test_many(void)
{
	int			bad = 0;

	for (int i = -60; i <= 60; i++)
		for (int j = 1; j <= 60; j++)
		{
			double		low = i * 0.037;
			double		high = low + j * j * 0.00017;
			Ticks		ticks;
			double		lead;

			ticks_linear(low, high, 5, 0, &ticks);
			lead = ticks.step / pow(10, floor(log10(ticks.step) + 1e-9));
			if (fabs(lead - 1) > 1e-6 && fabs(lead - 2) > 1e-6 && fabs(lead - 5) > 1e-6)
				bad++;
			if (ticks.n < 2 || ticks.n > 6)
				bad++;
			for (int t = 0; t < ticks.n; t++)
				if (ticks.value[t] < low - 1e-9 || ticks.value[t] > high + 1e-9 ||
					(t > 0 && fabs(ticks.value[t] - ticks.value[t - 1] - ticks.step) > 1e-9))
					bad++;
			ticks_widen(&low, &high, 5, &ticks);
			if (ticks.n < 2 || ticks.n > 8 || fabs(ticks.value[0] - low) > 1e-9 ||
				fabs(ticks.value[ticks.n - 1] - high) > 1e-9)
				bad++;
		}
	CHECK(bad == 0);
}

static void
test_log(void)
{
	Ticks		ticks;

	ticks_log(400, 12000, &ticks);
	CHECK(are(&ticks, 5, (double[]) {500, 1000, 2000, 5000, 10000}));
	ticks_log(1, 1e6, &ticks);
	CHECK(are(&ticks, 7, (double[]) {1, 10, 100, 1e3, 1e4, 1e5, 1e6}));
	/* a narrow range has no powers of ten in it */
	ticks_log(120, 180, &ticks);
	CHECK(are(&ticks, 7, (double[]) {120, 130, 140, 150, 160, 170, 180}) ||
		  are(&ticks, 4, (double[]) {120, 140, 160, 180}));
	CHECK(ticks.decimals == 0);
	/* a wide one too many */
	ticks_log(1, 1e40, &ticks);
	CHECK(ticks.n >= 5 && ticks.n <= 12);
	ticks_log(0.02, 0.3, &ticks);
	CHECK(are(&ticks, 4, (double[]) {0.02, 0.05, 0.1, 0.2}));
	CHECK(ticks.decimals == 2);
}

static void
test_edges(void)
{
	double		low = 0.7;
	double		high = 0.7;
	Ticks		ticks;

	ticks_linear(1, 1, 5, 0, &ticks);
	CHECK(ticks.n == 0);
	ticks_linear(2, 1, 5, 0, &ticks);
	CHECK(ticks.n == 0);
	ticks_linear(NAN, 1, 5, 0, &ticks);
	CHECK(ticks.n == 0);
	ticks_linear(0, INFINITY, 5, 0, &ticks);
	CHECK(ticks.n == 0);
	ticks_log(0, 10, &ticks);
	CHECK(ticks.n == 0);
	ticks_widen(&low, &high, 5, &ticks);
	CHECK(low < 0.7 && high > 0.7 && high - low < 0.2);
	low = high = 0;
	ticks_widen(&low, &high, 5, &ticks);
	CHECK(low < 0 && high > 0);
}

int
main(void)
{
	test_linear();
	test_many();
	test_log();
	test_edges();
	return unit_summary();
}
