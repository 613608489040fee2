/*
 * piecewise.h
 *	  Numbers as vectors: piecewise-linear encodings (Gorishniy et al. 2022, "On
 *	  Embeddings for Numerical Features in Tabular Deep Learning").
 *
 * Between bounds b_0 < ... < b_n, which are quantiles of the training rows, there are n
 * pieces.  A number's vector has a component for each of them: 1 for those below the
 * number, 0 for those above, and the share of the way through its own.  Past b_0 and
 * b_n nothing changes; what is infinite has no part in them.  Components are
 * standardized, as those of dense features are, and then divided by the root of n.
 */
#ifndef AREAD_SOURCE_KEYS_PIECEWISE_H
#define AREAD_SOURCE_KEYS_PIECEWISE_H

#include "source/spec.h"

/* A number, or the furthest of its sign that is told from others. */
extern double piecewise_number(double number);
/*
 * A feature's bounds and moments, its edges from then on.  Before they are those of bins
 * of the training rows' finite numbers: sorted [n], each by piecewise_number().
 */
extern void piecewise_build(Feature *feature, const double *sorted, uint64 n);
/*
 * The list that stands for a number's vector (engine/data/dataset.h); of NaN, that of
 * NULL.  members has room for 1 + components; returns how many there are.
 */
extern int	piecewise_members(const Feature *feature, double number, uint32 *members);
/* As many, before they are there. */
extern int	piecewise_length(const Feature *feature, double number);
/* The id of the piece that the number of such a list lies in; NULL_ID without one. */
extern uint32 piecewise_id(const Feature *feature, const uint32 *members, int n);

#endif							/* AREAD_SOURCE_KEYS_PIECEWISE_H */
