/*
 * dcn.c
 *	  A cross network beside a deep one.
 */
#include "reference/reference.h"

static double
score(const ReferenceRow *row)
{
	const Model *model = row->model;
	const Config *config = &model->config;
	static double deep[1][REFERENCE_WIDEST];
	static double cross[REFERENCE_WIDEST];
	bool		open[] = {true};
	int			width = reference_embed(row, deep[0]);
	int			n_in;

	reference_cross(model, deep[0], width, cross);
	n_in = reference_mlp(model, "deep", 0, &config->deep_dims, width, deep[0]);
	return reference_heads(model, deep, open, 1, n_in, cross, width,
						   reference_wide(row) + reference_taste(row));
}

REFERENCE(dcn, score);
