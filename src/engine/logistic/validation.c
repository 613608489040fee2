/*
 * validation.c
 *	  Logits of validation rows, calibrated, and their losses.
 *
 * Rows' pairs are looked up once; after that a call is a job over the rows for
 * their logits, one for each Newton step of the calibration, and one for losses.
 */
#include "engine/logistic/validation.h"

#include <math.h>

#include "engine/measure/calibration.h"

#define MAX_STEPS 30
/* What a step of the calibration lowers the mean loss by, at least. */
#define MIN_DECREASE 1e-9

/* What a part of the rows has summed: derivatives of the loss by scale and shift. */
typedef struct ValidPart
{
	PlattSums	sums;
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
	PartRange	range = part_range(valid->n, part);

	(void) thread;
	for (size_t i = range.from; i < range.to; i++)
	{
		size_t		row = row_of(valid, i);
		int64_t		domain = dataset_domain(data, row);

		for (int k = 0; k < valid->n_pair_fields; k++)
		{
			int			f = valid->pair_fields[k];

			valid->pairs[i * (size_t) valid->n_pair_fields + k] =
				pairs_find(valid->descent->cells[f].pairs, dataset_id(data, row, f), domain);
		}
	}
}

static void
logits_part(void *context, int part, int thread)
{
	const ValidRows *valid = context;
	const Descent *descent = valid->descent;
	PartRange	range = part_range(valid->n, part);
	double		longest = 0;

	(void) thread;
	for (size_t i = range.from; i < range.to; i++)
	{
		size_t		row = row_of(valid, i);
		const uint32_t *pairs = valid->pairs + i * (size_t) valid->n_pair_fields;
		double		logit = descent->bias;

		for (int f = 0; f < descent->n_fields; f++)
			logit += row_value(descent, row, f, descent->weights[f], NULL);
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
	PartRange	range = part_range(valid->n, part);
	ValidPart	sum = {.longest = valid->parts[part].longest};

	(void) thread;
	for (size_t i = range.from; i < range.to; i++)
	{
		size_t		row = row_of(valid, i);
		double		x = valid->logits[i];
		double		p = 1 / (1 + exp(-(valid->scale * x + valid->shift)));

		platt_add(&sum.sums, x, p, data->labels[row], dataset_weight(data, row));
	}
	valid->parts[part] = sum;
}

static void
losses_part(void *context, int part, int thread)
{
	const ValidRows *valid = context;
	const Dataset *data = valid->descent->data;
	PartRange	range = part_range(valid->n, part);

	(void) thread;
	for (size_t i = range.from; i < range.to; i++)
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
	return descent_run(valid->descent, task, valid, descent_parts(valid->n), error);
}

/*
 * Platt's map by Newton's method, from where the last one ended, under a
 * normal prior of deviation 1 around no change.  *decrease: of the loss, as predicted.
 */
static bool
newton_step(ValidRows *valid, double *decrease, EngineError *error)
{
	PlattSums	sums = platt_prior(valid->scale, valid->shift);
	double		d_scale;
	double		d_shift;
	double		move;

	if (!run(valid, derivatives_part, error))
		return false;
	for (int part = 0; part < descent_parts(valid->n); part++)
	{
		for (int i = 0; i < 2; i++)
			sums.gradient[i] += valid->parts[part].sums.gradient[i];
		for (int i = 0; i < 3; i++)
			sums.hessian[i] += valid->parts[part].sums.hessian[i];
	}
	platt_step(&sums, valid->scale, &d_scale, &d_shift);
	*decrease = (sums.gradient[0] * d_scale + sums.gradient[1] * d_shift) / 2;
	move = descent_step_length(fabs(d_scale) * valid->longest + fabs(d_shift));
	valid->scale = fmax(valid->scale - move * d_scale, PLATT_MIN_SCALE);
	valid->shift -= move * d_shift;
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
