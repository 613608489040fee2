/*
 * heads.c
 *	  Heads: logits, loss, gradients.
 */
#include "engine/layers/heads.h"

#include <string.h>
#include <tgmath.h>

#include "engine/measure/calibration.h"

/* Keeps the loss of a mean of sigmoids finite. */
#define MIN_PROBABILITY 1e-30

/* Chances of label 1 and of label 0 at a logit, both exact near 0; returns the smaller over the larger. */
static inline real
chances(real logit, real *one, real *zero)
{
	real		odds = exp(-fabs(logit));
	real		likely = 1 / (1 + odds);

	*one = logit >= 0 ? likely : odds * likely;
	*zero = logit >= 0 ? odds * likely : likely;
	return odds;
}

void
heads_forward(Heads *heads, const Batch *batch, const real *base_logit, const real *cross)
{
	int			n_heads = heads->n_heads;

	if (heads->width > 0)
		linear_forward((Matrix) {heads->logit, n_heads}, (Matrix) {(real *) cross, heads->width},
					   heads->cross_weight, batch->n_rows, heads->width, n_heads, NULL);
	else
		memset(heads->logit, 0, (size_t) batch->n_rows * n_heads * sizeof(real));
	for (int s = 0; s < batch->n_segments; s++)
	{
		const Segment *segment = &batch->segments[s];

		for (int j = 0; j < n_heads; j++)
		{
			if (!head_open(heads, j, s))
				continue;
			for (int r = 0; r < segment->n_rows; r++)
			{
				size_t		b = segment->start + r;
				real		own = 0;

				if (heads->n_in > 0)
				{
					const HeadInput *input = &heads->input[j];

					own = dot(input->e.data + (size_t) (input->offset[s] + r) * input->e.stride,
							  heads->weight + (size_t) j * heads->n_in, heads->n_in);
				}
				heads->logit[b * n_heads + j] += base_logit[b] + own;
			}
		}
	}
}

/*
 * Loss (6) of one row, -log of the mean over heads of P(label); sets its
 * d_logit [J].  In terms of the label's own probability nothing cancels.
 */
static double
mean_loss(Heads *heads, int s, size_t b, int y, double scale)
{
	const real *logit = heads->logit + b * heads->n_heads;
	real	   *d_logit = heads->d_logit + b * heads->n_heads;
	double		sign = y ? 1 : -1;
	double		p = 0;
	int			n_open = 0;

	for (int j = 0; j < heads->n_heads; j++)
	{
		real		one;
		real		zero;

		d_logit[j] = 0;
		if (!head_open(heads, j, s))
			continue;
		(void) chances(logit[j], &one, &zero);
		d_logit[j] = one * zero;
		p += y ? one : zero;
		n_open++;
	}
	p = fmax(p / n_open, MIN_PROBABILITY);
	for (int j = 0; j < heads->n_heads; j++)
		d_logit[j] *= -sign / p * scale / n_open;
	return -log(p);
}

/* Loss (8) of one row over the number of its heads; sets its d_logit [J]. */
static double
separate_loss(Heads *heads, int s, size_t b, int y, double scale)
{
	double		sum = 0;
	int			n_open = 0;

	for (int j = 0; j < heads->n_heads; j++)
		n_open += head_open(heads, j, s);
	for (int j = 0; j < heads->n_heads; j++)
	{
		real		logit = heads->logit[b * heads->n_heads + j];
		real		margin = y ? logit : -logit;
		real		one;
		real		zero;

		heads->d_logit[b * heads->n_heads + j] = 0;
		if (!head_open(heads, j, s))
			continue;
		sum += log1p(chances(logit, &one, &zero)) + (margin < 0 ? -margin : 0);
		heads->d_logit[b * heads->n_heads + j] = (y ? -zero : one) * scale / n_open;
	}
	return sum / n_open;
}

double
heads_loss(Heads *heads, const Batch *batch)
{
	double		sum = 0;

	for (int s = 0; s < batch->n_segments; s++)
	{
		const Segment *segment = &batch->segments[s];

		for (int b = segment->start; b < segment->start + segment->n_rows; b++)
		{
			double		weight = batch_weight(batch, b);
			double		scale = weight / batch->n_rows;

			sum += weight * (segment->mask ?
							 separate_loss(heads, s, b, batch->labels[b], scale) :
							 mean_loss(heads, s, b, batch->labels[b], scale));
		}
	}
	return sum;
}

/* One head's own input and weights, one segment. */
static void
head_backward(Heads *heads, const Segment *segment, int s, int j, real *d_weight)
{
	const HeadInput *input = &heads->input[j];
	const real *weight = heads->weight + (size_t) j * heads->n_in;

	for (int r = 0; r < segment->n_rows; r++)
	{
		real		d = heads->d_logit[(size_t) (segment->start + r) * heads->n_heads + j];
		size_t		row = input->offset[s] + r;

		add_scaled(d_weight, d, input->e.data + row * input->e.stride, heads->n_in);
		add_scaled(input->d_e.data + row * input->d_e.stride, d, weight, heads->n_in);
	}
}

void
heads_backward(Heads *heads, const Batch *batch, const real *cross, real *d_cross,
			   real *d_base, const real *params, real *grads)
{
	int			n_heads = heads->n_heads;

	for (int b = 0; b < batch->n_rows; b++)
	{
		d_base[b] = 0;
		for (int j = 0; j < n_heads; j++)
			d_base[b] += heads->d_logit[(size_t) b * n_heads + j];
	}
	if (heads->width > 0)
		linear_backward((Matrix) {d_cross, heads->width}, 0,
						grads + (heads->cross_weight - params),
						(Matrix) {heads->d_logit, n_heads},
						(Matrix) {(real *) cross, heads->width}, heads->cross_weight,
						batch->n_rows, heads->width, n_heads, NULL);
	if (heads->n_in == 0)
		return;
	for (int s = 0; s < batch->n_segments; s++)
		for (int j = 0; j < n_heads; j++)
			if (head_open(heads, j, s))
				head_backward(heads, &batch->segments[s], s, j,
							  grads + (heads->weight - params) + (size_t) j * heads->n_in);
}
