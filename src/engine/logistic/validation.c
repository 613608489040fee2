/*
 * validation.c
 *	  Logits of validation rows, calibrated, and their losses.
 */
#include "engine/logistic/validation.h"

#include <math.h>

#include "engine/data/vectors.h"
#include "engine/logistic/field_step.h"

#define MAX_STEPS 30
/* What a step of the calibration lowers the mean loss by, at least. */
#define MIN_DECREASE 1e-9
#define MIN_SCALE 0.05

/* What a part of the rows has summed: derivatives of the loss by scale and shift. */
typedef struct ValidPart
{
	double		gradient[2];
	double		hessian[3];		/* of scale, of both, of shift */
	double		longest;
} ValidPart;

/* The i-th row looked at. */
static inline size_t
row_of(const ValidRows *valid, size_t i)
{
	return valid->descent->data->split_start[SPLIT_VALID] +
		(size_t) ((double) i * ((double) valid->n_split / (double) valid->n));
}

static void
pairs_part(void *context, int part, int thread)
{
	const ValidRows *valid = context;
	const Dataset *data = valid->descent->data;
	int			n_parts = descent_parts(valid->n);
	size_t		to = part_start(valid->n, n_parts, part + 1);

	(void) thread;
	for (size_t i = part_start(valid->n, n_parts, part); i < to; i++)
	{
		size_t		row = row_of(valid, i);
		int64_t		domain = dataset_domain(data, row);

		for (int k = 0; k < valid->n_pair_fields; k++)
		{
			int			f = valid->pair_fields[k];

			valid->pairs[i * (size_t) valid->n_pair_fields + k] =
				pairs_find(valid->descent->cells[f].pairs,
						   data->ids[row * (size_t) data->shape.n_fields + f], domain);
		}
	}
}

static double
value_weight(const Descent *descent, size_t row, int field)
{
	const uint32_t *members;
	size_t		n = dataset_members(descent->data, row, field, &members);
	double		sum = 0;

	if (shape_is_dense(&descent->data->shape, field))
		return vector_dot(members, n, descent->weights[field]);
	for (size_t i = 0; i < n; i++)
		sum += descent->weights[field][members[i]];
	return n > 1 ? sum / n : sum;
}

static void
logits_part(void *context, int part, int thread)
{
	const ValidRows *valid = context;
	const Descent *descent = valid->descent;
	int			n_parts = descent_parts(valid->n);
	size_t		to = part_start(valid->n, n_parts, part + 1);
	double		longest = 0;

	(void) thread;
	for (size_t i = part_start(valid->n, n_parts, part); i < to; i++)
	{
		size_t		row = row_of(valid, i);
		const uint32_t *pairs = valid->pairs + i * (size_t) valid->n_pair_fields;
		double		logit = descent->bias;

		for (int f = 0; f < descent->n_fields; f++)
			logit += value_weight(descent, row, f);
		for (int k = 0; k < valid->n_pair_fields; k++)
			if (pairs[k] != NO_PAIR)
				logit += descent->weights[descent->n_fields + valid->pair_fields[k]][pairs[k]];
		valid->logits[i] = logit;
		longest = fmax(longest, fabs(logit));
	}
	valid->parts[part].longest = longest;
}

static void
derivatives_part(void *context, int part, int thread)
{
	const ValidRows *valid = context;
	const Dataset *data = valid->descent->data;
	int			n_parts = descent_parts(valid->n);
	size_t		to = part_start(valid->n, n_parts, part + 1);
	ValidPart	sum = {.longest = valid->parts[part].longest};

	(void) thread;
	for (size_t i = part_start(valid->n, n_parts, part); i < to; i++)
	{
		size_t		row = row_of(valid, i);
		double		x = valid->logits[i];
		double		p = 1 / (1 + exp(-(valid->scale * x + valid->shift)));
		double		weight = dataset_weight(data, row);
		double		g = weight * (p - data->labels[row]);
		double		h = weight * p * (1 - p);

		sum.gradient[0] += g * x;
		sum.gradient[1] += g;
		sum.hessian[0] += h * x * x;
		sum.hessian[1] += h * x;
		sum.hessian[2] += h;
	}
	valid->parts[part] = sum;
}

static void
losses_part(void *context, int part, int thread)
{
	const ValidRows *valid = context;
	const Dataset *data = valid->descent->data;
	int			n_parts = descent_parts(valid->n);
	size_t		to = part_start(valid->n, n_parts, part + 1);

	(void) thread;
	for (size_t i = part_start(valid->n, n_parts, part); i < to; i++)
	{
		size_t		row = row_of(valid, i);
		double		logit = valid->scale * valid->logits[i] + valid->shift;

		/* no loss beyond that of a probability of 1e-15 */
		logit = fmin(fmax(data->labels[row] ? logit : -logit, -34.5), 34.5);
		valid->losses[i] = (float) (dataset_weight(data, row) * log1p(exp(-logit)));
	}
}

static bool
run(ValidRows *valid, TeamTask task, EngineError *error)
{
	return visit_run(valid->descent, task, valid, descent_parts(valid->n), error);
}

/*
 * Platt's map by Newton's method, from where the last one ended, under a
 * normal prior of deviation 1 around no change.  *decrease: of the loss, as predicted.
 */
static bool
newton_step(ValidRows *valid, double *decrease, EngineError *error)
{
	double		g[2] = {valid->scale - 1, valid->shift};
	double		h[3] = {1, 0, 1};
	double		step[2];
	double		determinant;
	double		move;

	if (!run(valid, derivatives_part, error))
		return false;
	for (int part = 0; part < descent_parts(valid->n); part++)
	{
		for (int i = 0; i < 2; i++)
			g[i] += valid->parts[part].gradient[i];
		for (int i = 0; i < 3; i++)
			h[i] += valid->parts[part].hessian[i];
	}
	determinant = h[0] * h[2] - h[1] * h[1];
	step[0] = -(h[2] * g[0] - h[1] * g[1]) / determinant;
	step[1] = -(h[0] * g[1] - h[1] * g[0]) / determinant;
	/* scores as bad as chance keep their order */
	if (valid->scale <= MIN_SCALE && step[0] < 0)
	{
		step[0] = 0;
		step[1] = -g[1] / h[2];
	}
	*decrease = -(g[0] * step[0] + g[1] * step[1]) / 2;
	move = descent_step_length(fabs(step[0]) * valid->longest + fabs(step[1]));
	valid->scale = fmax(valid->scale + move * step[0], MIN_SCALE);
	valid->shift += move * step[1];
	return true;
}

bool
valid_losses(ValidRows *valid, float *losses, EngineError *error)
{
	double		decrease = INFINITY;

	if (!run(valid, logits_part, error))
		return false;
	valid->longest = 0;
	for (int part = 0; part < descent_parts(valid->n); part++)
		valid->longest = fmax(valid->longest, valid->parts[part].longest);
	for (int i = 0; i < MAX_STEPS && decrease > MIN_DECREASE * valid->n; i++)
		if (!newton_step(valid, &decrease, error))
			return false;
	valid->losses = losses;
	return run(valid, losses_part, error);
}

bool
valid_init(ValidRows *valid, Arena *arena, Descent *descent, size_t max_rows,
		   EngineError *error)
{
	*valid = (ValidRows) {.descent = descent,.scale = 1};
	valid->n_split = dataset_rows(descent->data, SPLIT_VALID);
	valid->n = valid->n_split < max_rows ? valid->n_split : max_rows;
	valid->pair_fields = ARENA_ARRAY(arena, int, descent->n_fields);
	valid->parts = ARENA_ARRAY(arena, ValidPart, MAX_PARTS);
	valid->logits = ARENA_ARRAY(arena, double, valid->n);
	if (!arena_ok(arena, error))
		return false;
	for (int f = 0; f < descent->n_fields; f++)
		if (descent->cells[f].pairs)
			valid->pair_fields[valid->n_pair_fields++] = f;
	valid->pairs = ARENA_ARRAY(arena, uint32_t, valid->n * valid->n_pair_fields);
	return arena_ok(arena, error) && run(valid, pairs_part, error);
}
