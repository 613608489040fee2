/*
 * forest_validation.c
 *	  The calibrated log loss of validation rows.
 *
 * A Newton step of the calibration is a job over the rows, which also sums their
 * loss.  The calibration begins where the last tree's ended, so that few steps do.
 * Sums are taken in parts of a fixed number of rows.
 */
#include "engine/trees/forest_validation.h"

#include <math.h>

#include "engine/measure/calibration.h"

/* Rows of a task. */
#define PART_ROWS 8192
#define MAX_STEPS 30
/* What a step lowers the mean loss by, at least. */
#define MIN_DECREASE 1e-8

/* What a part of the rows has summed. */
typedef struct ValidationPart
{
	double		loss;
	PlattSums	sums;
	double		longest;		/* logit's size */
} ValidationPart;

static int
n_parts(const ForestValidation *validation)
{
	return (int) ((validation->data->n_valid + PART_ROWS - 1) / PART_ROWS);
}

bool
validation_init(ForestValidation *validation, Arena *arena, const ForestData *data,
				const double *logits, Team *team, Watch *watch, EngineError *error)
{
	*validation = (ForestValidation) {
		.data = data,.logits = logits,.team = team,.watch = watch,.scale = 1
	};
	for (size_t i = 0; i < data->n_valid; i++)
		validation->weight += forest_weight(data, data->n_train + i);
	validation->parts = ARENA_ARRAY(arena, ValidationPart, n_parts(validation));
	return arena_ok(arena, error);
}

static void
sum_part(void *context, int part, int thread)
{
	const ForestValidation *validation = context;
	const ForestData *data = validation->data;
	size_t		from = (size_t) part * PART_ROWS;
	size_t		to = data->n_valid - from < PART_ROWS ? data->n_valid : from + PART_ROWS;
	ValidationPart sum = {.loss = 0};

	(void) thread;
	for (size_t i = from; i < to; i++)
	{
		double		x = validation->logits[i];
		double		logit = validation->scale * x + validation->shift;
		double		small = exp(-fabs(logit));	/* no overflow either way */
		double		p = (logit >= 0 ? 1 : small) / (1 + small);
		int			label = data->labels[data->n_train + i];
		double		weight = forest_weight(data, data->n_train + i);

		sum.loss += weight * (log1p(small) + fmax(label ? -logit : logit, 0));
		platt_add(&sum.sums, x, p, label, weight);
		sum.longest = fmax(sum.longest, fabs(x));
	}
	validation->parts[part] = sum;
}

/* Sums over all rows at the present calibration. */
static bool
sum_rows(ForestValidation *validation, ValidationPart *all, EngineError *error)
{
	*all = (ValidationPart) {.sums = platt_prior(validation->scale, validation->shift)};
	team_run(validation->team, validation->watch, sum_part, validation, n_parts(validation));
	if (validation->watch->stopped)
		return watch_continue(validation->watch, error);
	for (int part = 0; part < n_parts(validation); part++)
	{
		const ValidationPart *sum = &validation->parts[part];

		all->loss += sum->loss;
		all->longest = fmax(all->longest, sum->longest);
		for (int i = 0; i < 2; i++)
			all->sums.gradient[i] += sum->sums.gradient[i];
		for (int i = 0; i < 3; i++)
			all->sums.hessian[i] += sum->sums.hessian[i];
	}
	return true;
}

bool
validation_loss(ForestValidation *validation, double *loss, EngineError *error)
{
	ValidationPart all;

	*loss = NAN;
	if (!(validation->weight > 0))
		return true;
	for (int step = 0; step < MAX_STEPS; step++)
	{
		double		d_scale;
		double		d_shift;
		double		move;
		double		length;

		if (!sum_rows(validation, &all, error))
			return false;
		platt_step(&all.sums, validation->scale, &d_scale, &d_shift);
		if ((all.sums.gradient[0] * d_scale + all.sums.gradient[1] * d_shift) / 2 <=
			MIN_DECREASE * validation->weight)
			break;
		/* a share of the step that goes down for sure, by how far logits move */
		move = fabs(d_scale) * all.longest + fabs(d_shift);
		length = log1p(move) / move;
		validation->scale = fmax(validation->scale - length * d_scale, PLATT_MIN_SCALE);
		validation->shift -= length * d_shift;
	}
	*loss = all.loss / validation->weight;
	return true;
}
