/*
 * extrapolate.c
 *	  Beyond a sweep's end, along the line from its start.
 *
 * One job sums the derivatives of the rows' losses along the line.  Those of the
 * penalties are added; then Newton's method says how far to go, and a second job
 * moves the rows.
 */
#include "engine/logistic/extrapolate.h"

/* A walk over rows or a block's weights, along what the last sweep has changed. */
typedef struct Extension
{
	Descent    *descent;
	double		length;			/* beyond the sweep's own */
} Extension;

/* Derivatives of the rows' losses along the sweep. */
static void
extension_rows_part(void *context, int part, int thread)
{
	const Extension *extension = context;
	const Descent *descent = extension->descent;
	DescentPart *sums = &extension->descent->parts[part];
	PartRange	range = part_range(descent->n_rows, part);

	(void) thread;
	*sums = (DescentPart) {0};
	for (size_t row = range.from; row < range.to; row++)
	{
		double		move = descent->rows[row].logit - descent->before.logits[row];

		sums->slope += descent->rows[row].gradient * move;
		sums->bend += descent->rows[row].curvature * move * move;
		sums->largest_move = fmax(sums->largest_move, fabs(move));
	}
}

/* Of the penalties. */
static void
extension_weights(const Descent *descent, double *slope, double *bend)
{
	for (int k = 0; k < 2 * descent->n_fields; k++)
	{
		size_t		n = descent_block_size(descent, k);
		const real *w = n > 0 ? descent->weights[k] : NULL;
		const real *before = descent->before.weights[k];
		double		sums[2] = {0, 0};

		for (size_t i = 0; i < n; i++)
		{
			double		step = w[i] - before[i];

			sums[0] += w[i] * step;
			sums[1] += step * step;
		}
		*slope += descent->l2[k] * sums[0];
		*bend += descent->l2[k] * sums[1];
	}
}

static void
extend_rows_part(void *context, int part, int thread)
{
	const Extension *extension = context;
	const Descent *descent = extension->descent;
	PartRange	range = part_range(descent->n_rows, part);

	(void) thread;
	for (size_t row = range.from; row < range.to; row++)
	{
		RowState   *state = &descent->rows[row];

		state->logit += (real) (extension->length * (state->logit - descent->before.logits[row]));
		row_state_set(state);
	}
}

/*
 * Where weights of several fields say nearly the same, sweeps go a long way in small steps:
 * so go on along the last one, as far as Newton's method says.
 */
bool
descent_extend(Descent *descent, EngineError *error)
{
	Extension	extension = {.descent = descent};
	int			n_parts = descent_parts(descent->n_rows);
	double		slope = 0;
	double		bend = 0;
	double		largest_move = 0;

	if (!descent_run(descent, extension_rows_part, &extension, n_parts, error))
		return false;
	for (int part = 0; part < n_parts; part++)
	{
		slope += descent->parts[part].slope;
		bend += descent->parts[part].bend;
		largest_move = fmax(largest_move, descent->parts[part].largest_move);
	}
	extension_weights(descent, &slope, &bend);
	if (slope >= 0 || bend <= 0)
		return true;
	extension.length = -slope / bend;
	descent->decrease -= extension.length * slope / 2;
	extension.length *= descent_step_length(extension.length * largest_move);
	for (int k = 0; k < 2 * descent->n_fields; k++)
		for (size_t i = 0; i < descent_block_size(descent, k); i++)
			descent->weights[k][i] += (real) (extension.length *
											  (descent->weights[k][i] - descent->before.weights[k][i]));
	descent->bias += extension.length * (descent->bias - descent->before.bias);
	return descent_run(descent, extend_rows_part, &extension, n_parts, error);
}
