/*
 * mmoe.c
 *	  Mixtures of experts, each with a head.
 */
#include "reference/reference.h"

static double
score(const ReferenceRow *row)
{
	const Model *model = row->model;
	const Config *config = &model->config;
	static double x0[REFERENCE_WIDEST];
	static double cross[REFERENCE_WIDEST];
	static double h[MAX_EXPERTS][REFERENCE_WIDEST];
	bool		open[MAX_EXPERTS];
	int			n_mixtures = config->mmoe_mixtures;
	int			width = reference_embed(row, x0);
	double		logit = reference_wide(row) + reference_taste(row);

	if (config->pairwise)
		logit += reference_pairwise(model, x0);
	reference_mixtures(model, x0, width, n_mixtures, h);
	reference_cross(model, x0, width, cross);
	for (int n = 0; n < MAX_EXPERTS; n++)
		open[n] = true;
	return reference_heads(model, h, open, n_mixtures,
						   config->mmoe_dims.value[config->mmoe_dims.n - 1], cross, width, logit);
}

REFERENCE(mmoe, score);
