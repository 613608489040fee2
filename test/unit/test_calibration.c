/*
 * test_calibration.c
 *	  Calibration: known maps are found again, bounds hold, order stays.
 */
#include <math.h>

#include "engine/measure/calibration.h"
#include "engine/base/random.h"
#include "toy.h"
#include "unit.h"

#define ROWS 200000

static double	scores[ROWS];
static uint8_t	labels[ROWS];
static float	weights[ROWS];

/* Labels from logits x; scores claim (x - shift) / scale. */
static void
draw(double scale, double shift)
{
	Random		random;

	random_start(&random, 1, RANDOM_SIMULATE, 0);
	for (int i = 0; i < ROWS; i++)
	{
		double		x = 2 * random_normal(&random) - 1;

		scores[i] = sigmoid((x - shift) / scale);
		labels[i] = random_uniform(&random) < sigmoid(x);
		weights[i] = 1;
	}
}

static Calibration
fit(const double *x, const uint8_t *y, const float *w, size_t n, Calibration from)
{
	EngineHost	host = toy_host();
	EngineError error;

	CHECK(calibration_fit(x, y, w, n, &from, &host, &error));
	return from;
}

static void
test_known_map(double scale, double shift)
{
	Calibration none = {0};
	Calibration found;
	Calibration again;

	draw(scale, shift);
	found = fit(scores, labels, NULL, ROWS, none);
	CHECK(fabs(exp(found.log_scale) / scale - 1) < 0.02);
	CHECK(fabs(found.shift - shift) < 0.03);
	/* weights of one are no weights */
	again = fit(scores, labels, weights, ROWS, none);
	CHECK(fabs(again.shift - found.shift) < 1e-9);
	/* what is known before is part of the result */
	again = fit(scores, labels, NULL, ROWS, found);
	CHECK(fabs(again.shift - found.shift) < 0.01);
	CHECK(fabs(again.log_scale - found.log_scale) < 0.01);
}

/* Positives that count three times shift the logits by log 3. */
static void
test_weights(void)
{
	Calibration none = {0};
	Calibration found;

	draw(1, 0);
	for (int i = 0; i < ROWS; i++)
		weights[i] = labels[i] ? 3 : 1;
	found = fit(scores, labels, weights, ROWS, none);
	CHECK(fabs(found.shift - log(3)) < 0.03);
	CHECK(fabs(found.log_scale) < 0.02);
}

static double
mean_calibrated(const Calibration *calibration)
{
	double		sum = 0;

	for (int i = 0; i < ROWS; i++)
		sum += calibrate(calibration, scores[i], 0);
	return sum / ROWS;
}

static double
share_of_positives(void)
{
	double		sum = 0;

	for (int i = 0; i < ROWS; i++)
		sum += labels[i];
	return sum / ROWS;
}

static bool
always_interrupted(void *context)
{
	(void) context;
	return true;
}

static void
test_interrupted(void)
{
	Calibration calibration = {0};
	EngineHost	host = toy_host();
	EngineError error;

	host.interrupted = always_interrupted;
	draw(2, 0);
	CHECK(!calibration_fit(scores, labels, NULL, ROWS, &calibration, &host, &error));
	CHECK(error.code == ENGINE_INTERRUPTED);
}

static void
test_bounds(void)
{
	Calibration from = {.log_scale = 0.1,.shift = -0.7};
	Calibration found;
	double		extreme[] = {0, 1, 1e-300, 0.5};
	uint8_t		mixed[] = {0, 1, 1, 0};
	uint8_t		positive[] = {1, 1, 1, 1};

	/* one class: what was known */
	found = fit(extreme, positive, NULL, 4, from);
	CHECK(found.log_scale == from.log_scale && found.shift == from.shift);
	found = fit(extreme, mixed, NULL, 0, from);
	CHECK(found.shift == from.shift);
	/* scores of 0 and 1 */
	found = fit(extreme, mixed, NULL, 4, from);
	CHECK(isfinite(found.log_scale) && isfinite(found.shift));
	for (int i = 0; i < 4; i++)
		CHECK(calibrate(&found, extreme[i], 0) >= 0 && calibrate(&found, extreme[i], 0) <= 1);
	/* scores against the labels: the order stays */
	draw(-1, 0);
	found = fit(scores, labels, NULL, ROWS, (Calibration) {.log_scale = 0,.shift = 0});
	CHECK(calibrate(&found, 0.9, 0) > calibrate(&found, 0.1, 0));
	CHECK(fabs(mean_calibrated(&found) - share_of_positives()) < 1e-3);
	/* zeros change no bit */
	found = (Calibration) {.log_scale = 0,.shift = 0};
	CHECK(calibrate(&found, 0.123456789, 0) == 0.123456789);
}

int
main(void)
{
	test_known_map(1, 0);
	test_known_map(0.7, 0.4);
	test_known_map(1.8, -1.1);
	test_weights();
	test_bounds();
	test_interrupted();
	return unit_summary();
}
