/*
 * group_loss.h
 *	  Losses that compare a positive row with negatives sampled for it.
 *
 * Both depend on differences of scores alone.  Say negatives are drawn with chance q(i),
 * and users take items with chance p(i): the scores of least loss are log p(i) / q(i) and
 * a number of the user's own, as they are for the logistic loss of single rows.  So an
 * offset log q(i), added after training, corrects all of them (train/popularity.h).
 *
 *	  BPR		Rendle et al., "BPR: Bayesian personalized ranking from implicit feedback", 2009
 *	  softmax	Bengio and Senecal, "Adaptive importance sampling to accelerate training of a
 *				neural probabilistic language model", 2008
 */
#ifndef AREAD_ENGINE_LAYERS_GROUP_LOSS_H
#define AREAD_ENGINE_LAYERS_GROUP_LOSS_H

#include "engine/model/config.h"

/*
 * Loss of scores [n], the positive row's first; its gradient -> d [n].  BPR: the sum over
 * negatives of -log sigmoid(s[0] - s[i]), times 2 / n.  Softmax: -log of the share that s[0]
 * has of all.  At equal scores both have the same gradient, and so do the rows of the group
 * by logistic loss if all scores say 1 / n: learning rates and L2 mean the same for all
 * three.  A positive row alone has none.
 */
extern double group_loss(LossKind kind, const double *s, int n, double *d);

#endif							/* AREAD_ENGINE_LAYERS_GROUP_LOSS_H */
