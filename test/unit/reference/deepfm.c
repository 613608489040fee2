/*
 * deepfm.c
 *	  A factorization machine and a deep network.
 */
#include "reference/reference.h"

static double
score(const ReferenceRow *row)
{
	const Model *model = row->model;
	const Config *config = &model->config;
	static double deep[1][REFERENCE_WIDEST];
	bool		open[] = {true};
	int			width = reference_embed(row, deep[0]);
	double		logit = reference_wide(row) + reference_taste(row) + reference_pairwise(model, deep[0]);
	int			n_in = reference_mlp(model, "deep", 0, &config->deep_dims, width, deep[0]);

	return reference_heads(model, deep, open, 1, n_in, NULL, 0, logit);
}

REFERENCE(deepfm, score);
