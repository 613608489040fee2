/*
 * batch_norm.h
 *	  Loops over matrices (rows, width) with something for each column: batch
 *	  norm and ReLU.
 *
 * HEI's layers are a few columns wide, less than the processor can compute at
 * once: rows of a narrow matrix are taken several at a time, as one wide row.
 */
#ifndef AREAD_ENGINE_LAYERS_BATCH_NORM_H
#define AREAD_ENGINE_LAYERS_BATCH_NORM_H

#include "engine/base/base.h"

/* Column means -> mean[width], biased column variances -> variance[width]. */
extern void column_statistics(const real *z, int rows, int width, real *mean, real *variance);
/* z -> normalized = (z - mean) * inverse_std (in place), out = relu(scale * normalized + bias). */
extern void normalize_activate(real *z, real *out, int rows, int width, const real *mean,
							   const real *inverse_std, const real *scale, const real *bias);
/*
 * Through dropout and ReLU: an output above zero was neither dropped nor
 * clipped.  d (rows, width) in place; its column sums, alone and times normalized.
 */
extern void activate_backward(real *d, const real *out, const real *normalized, int rows,
							  int width, real keep_scale, real *sum, real *sum_normalized);
/* d: gradient of scale * normalized + bias, in place to that of the layer's product. */
extern void normalize_backward(real *d, const real *normalized, int rows, int width,
							   const real *scale, const real *inverse_std, const real *mean,
							   const real *mean_normalized);

#endif							/* AREAD_ENGINE_LAYERS_BATCH_NORM_H */
