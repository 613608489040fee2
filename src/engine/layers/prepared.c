/*
 * prepared.c
 *	  What layers need to prepare themselves for scoring.
 */
#include "engine/layers/prepared.h"

#include <string.h>

/* What a weight costs that is moved into panels, in multiply-adds. */
#define FILL_WORK 4

int
prepared_claim(Prepared *prepared, int n)
{
	int			column = prepared->end;

	prepared->end += n;
	return column;
}

int
prepared_claim_groups(Prepared *prepared, Layer *layer, int n, int width)
{
	int			first = prepared->n_groups;

	for (int i = 0; i < n && prepared->n_groups < MAX_GROUPS; i++)
		prepared->groups[prepared->n_groups++] = (ColumnGroup) {
			.layer = layer,.number = i,.n = width
		};
	return first;
}

real *
prepared_take(Prepared *prepared, size_t n)
{
	real	   *at = prepared->values ? prepared->values + prepared->n_values : NULL;

	prepared->n_values += (n + LANES - 1) / LANES * LANES;
	return at;
}

void
prepared_lay_out_layer(Prepared *prepared, PreparedLayer *layer, int n_in, int n_out)
{
	layer->panels = panels_of(n_in, n_out);
	layer->panels.values = prepared_take(prepared, panels_size(&layer->panels));
	layer->bias = prepared_take(prepared, panels_columns(n_out));
}

void
prepared_fill_layer(const Prepared *prepared, PreparedLayer *layer, const MlpLayer *folded)
{
	int			n_in = layer->panels.n_in;
	int			n_out = layer->panels.n_out;

	if (watch_worked(prepared->watch, (size_t) n_in * n_out * FILL_WORK))
		return;
	panels_fill(&layer->panels, 0, 0, (Matrix) {folded->weight, n_in}, n_in, n_out);
	memcpy(layer->bias, folded->bias, n_out * sizeof(real));
}

void
prepared_fill_columns(Prepared *prepared, int column, const real *weight, int n_out)
{
	int			dim = prepared->model->config.embed_dim;
	int			n_fields = prepared->model->shape.n_fields;

	for (int i = 0; i < n_fields; i++)
	{
		bool		gathered = i < prepared->n_gathered;
		int			row = (gathered ? i : i - prepared->n_gathered) * dim;

		if (watch_worked(prepared->watch, (size_t) dim * n_out * FILL_WORK))
			return;
		panels_fill(gathered ? &prepared->stack : &prepared->premultiplied_stack, row,
					prepared->other_columns + column,
					(Matrix) {(real *) weight + (size_t) prepared->order[i] * dim, n_fields * dim},
					dim, n_out);
	}
}

bool
prepared_forward(const PreparedLayer *layer, Matrix in, int rows, Matrix out, Watch *watch)
{
	if (watch_worked(watch, (size_t) rows * layer->panels.n_in * layer->panels.n_out))
		return false;
	panels_layer(&layer->panels, layer->bias, in, rows, out);
	return true;
}

Matrix
run_group(const ScoreRun *run, int slot, int group)
{
	const Slot *of = &run->prepared->slots[slot];
	real	   *values = run->buffers->slot[slot];
	size_t		from = run->from;
	size_t		width = of->width;

	switch (of->layout)
	{
		case SLOT_SIDE_BY_SIDE:
			return (Matrix) {values + (from * of->groups + group) * width, of->groups * of->width};
		case SLOT_APART:
			return (Matrix) {values + ((size_t) group * run->buffers->capacity + from) * width,
				of->width};
		case SLOT_PACKED:
			break;
	}
	return (Matrix) {values + (from * of->groups + (size_t) group * run->n_rows) * width, of->width};
}
