/*
 * calibration.c
 *	  Platt's map of logits, by Newton's method.
 */
#include "engine/measure/calibration.h"

#include <math.h>

/* Rows between two looks at the host. */
#define CHECK_ROWS 1000000
#define MAX_STEPS 100
#define TOLERANCE 1e-9
/* Scores nearer to 0 or 1 are as good as there. */
#define MIN_PROBABILITY 1e-15

double
sigmoid(double x)
{
	return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

double
logit_of(double probability)
{
	double		p = fmin(fmax(probability, MIN_PROBABILITY), 1 - MIN_PROBABILITY);

	return log(p) - log1p(-p);
}

double
calibrate(const Calibration *calibration, double probability, double trees_logit)
{
	double		logit;

	if (calibration->log_scale == 0 && calibration->shift == 0 && calibration->trees_weight == 0)
		return probability;
	logit = exp(calibration->log_scale) * logit_of(probability) + calibration->shift;
	if (calibration->trees_weight != 0)
		logit += calibration->trees_weight * trees_logit;
	return sigmoid(logit);
}

/* The penalized loss at (scale, shift), and its derivatives. */
typedef struct Point
{
	double		loss;
	PlattSums	sums;
} Point;

/* What the map is fitted to. */
typedef struct Rows
{
	const double *probabilities;
	const uint8_t *labels;
	const float *weights;
	size_t		n;
	double		from_scale;
	double		from_shift;
	const EngineHost *host;
} Rows;

static bool
evaluate(const Rows *rows, double scale, double shift, Point *point, EngineError *error)
{
	Point		at = {
		.loss = (scale - 1) * (scale - 1) / 2 + shift * shift / 2,
		.sums = platt_prior(scale, shift)
	};

	for (size_t i = 0; i < rows->n; i++)
	{
		double		x = rows->from_scale * logit_of(rows->probabilities[i]) + rows->from_shift;
		double		logit = scale * x + shift;
		double		small = exp(-fabs(logit));
		double		p = logit >= 0 ? 1 / (1 + small) : small / (1 + small);
		double		weight = rows->weights ? rows->weights[i] : 1;

		if (i % CHECK_ROWS == 0 && !host_continue(rows->host, error))
			return false;
		at.loss += weight * (log1p(small) + fmax(logit, 0) - (rows->labels[i] ? logit : 0));
		platt_add(&at.sums, x, p, rows->labels[i], weight);
	}
	*point = at;
	return true;
}

static bool
has_both_classes(const uint8_t *labels, const float *weights, size_t n)
{
	bool		seen[2] = {false, false};

	for (size_t i = 0; i < n; i++)
		if (!weights || weights[i] > 0)
			seen[labels[i]] = true;
	return seen[0] && seen[1];
}

void
platt_step(const PlattSums *sums, double scale, double *d_scale, double *d_shift)
{
	const double *g = sums->gradient;
	const double *h = sums->hessian;
	double		determinant = h[0] * h[2] - h[1] * h[1];

	*d_scale = (h[2] * g[0] - h[1] * g[1]) / determinant;
	*d_shift = (h[0] * g[1] - h[1] * g[0]) / determinant;
	if (scale > PLATT_MIN_SCALE || *d_scale < 0)
		return;
	*d_scale = 0;
	*d_shift = g[1] / h[2];
}

bool
calibration_fit(const double *probabilities, const uint8_t *labels, const float *weights,
				size_t n, Calibration *calibration, const EngineHost *host, EngineError *error)
{
	const Calibration from = *calibration;
	const Rows	rows = {
		.probabilities = probabilities,.labels = labels,.weights = weights,.n = n,
		.from_scale = exp(from.log_scale),.from_shift = from.shift,.host = host
	};
	double		scale = 1;
	double		shift = 0;
	Point		at;

	if (!has_both_classes(labels, weights, n))
		return true;
	if (!evaluate(&rows, scale, shift, &at, error))
		return false;
	for (int step = 0; step < MAX_STEPS; step++)
	{
		Point		next = {.loss = INFINITY};
		double		length = 1;
		double		d_scale;
		double		d_shift;

		platt_step(&at.sums, scale, &d_scale, &d_shift);
		/* a full step may overshoot where probabilities are near 0 and 1 */
		for (; length > 1e-6; length /= 2)
		{
			if (!evaluate(&rows, fmax(scale - length * d_scale, PLATT_MIN_SCALE),
						  shift - length * d_shift, &next, error))
				return false;
			if (next.loss <= at.loss)
				break;
		}
		if (!(next.loss <= at.loss))
			break;
		scale = fmax(scale - length * d_scale, PLATT_MIN_SCALE);
		shift -= length * d_shift;
		if (at.loss - next.loss <= TOLERANCE * (1 + fabs(at.loss)))
			break;
		at = next;
	}
	*calibration = (Calibration) {
		.log_scale = from.log_scale + log(scale),
		.shift = scale * from.shift + shift
	};
	return true;
}
