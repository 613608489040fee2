/*
 * reference.h
 *	  Networks in plain loops, straight from the notation: independent
 *	  recomputations to hold the engine's scorer against.
 *
 * No CBLAS, no folding, no shared code with the engine but the list of tensors.
 * Each architecture has a file here, which says REFERENCE(its name, function);
 * plain.c has what several of them are made of.
 */
#ifndef AREAD_TEST_REFERENCE_H
#define AREAD_TEST_REFERENCE_H

#include "engine/networks/build.h"

#define REFERENCE_WIDEST 4096

/* One row; ids and lists as in Dataset. */
typedef struct ReferenceRow
{
	const Model *model;
	const uint32_t *ids;
	const uint64_t *list_start;
	const uint32_t *list_members;
} ReferenceRow;

/* The probability of a row before calibration. */
typedef double (*ReferenceScore) (const ReferenceRow *row);

typedef struct Reference
{
	const char *architecture;
	ReferenceScore score;
	struct Reference *next;
} Reference;

/* Called before main(). */
extern void reference_add(Reference *reference);

#define REFERENCE(name, function) \
	static Reference reference_of_##name = {.architecture = #name,.score = function}; \
	__attribute__((constructor)) static void add_##name(void) \
	{ \
		reference_add(&reference_of_##name); \
	} \
	extern int	reference_needs_semicolon

/* Probability of one row (9), calibrated, by the reference of the model's architecture. */
extern double reference_score(const Model *model, const uint32_t *ids,
							  const uint64_t *list_start, const uint32_t *list_members);

/* A tensor's parameters by a name with a number in it; NULL: there is none. */
extern const real *reference_param(const Model *model, const char *format, int number);
extern double reference_sigmoid(double logit);
/* Bias, weights of values and of values in domains. */
extern double reference_wide(const ReferenceRow *row);
/* Products of the user's vector and of those of his history with the item's; 0 without a history. */
extern double reference_taste(const ReferenceRow *row);
/* Vectors of the fields side by side: x0 [F * E]; returns its width. */
extern int	reference_embed(const ReferenceRow *row, double *x0);
/* Sum over pairs of fields of their vectors' products. */
extern double reference_pairwise(const Model *model, const double *x0);
/* One layer of one block: linear, batch norm by running statistics, ReLU. */
extern void reference_layer(const Model *model, const char *prefix, int block, int n_in, int n_out,
							const double *in, double *out);
/* All layers "<prefix>.layer<k>" of a block, in place; returns the last one's width. */
extern int	reference_mlp(const Model *model, const char *prefix, int block, const IntList *dims,
						  int n_in, double *x);
/* Softmax over those with open[i]; closed ones get 0. */
extern void reference_softmax(double *x, const bool *open, int n);
/* x [width] = the cross network's output. */
extern void reference_cross(const Model *model, const double *x0, int width, double *x);
/* Mean of the heads' sigmoids, head j reading e[j] [n_in]; closed[j] ones are left out. */
extern double reference_heads(const Model *model, double e[][REFERENCE_WIDEST], const bool *open,
							  int n_heads, int n_in, const double *cross, int width, double base);
/* MMoE's mixtures h [n_mixtures][H] of x0. */
extern void reference_mixtures(const Model *model, const double *x0, int width, int n_mixtures,
							   double h[][REFERENCE_WIDEST]);

#endif							/* AREAD_TEST_REFERENCE_H */
