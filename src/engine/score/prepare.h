/*
 * prepare.h
 *	  A trained model's weights as scoring wants them.
 *
 * Batch norm is folded into the linear layers, and weights are cut into panels
 * (panels.h).  Everything that is linear in x0, the first layers of MMoE's experts, its gates, the products of the cross network
 * and of the heads with its output, is one stacked matrix over x0.  x0 is the
 * fields' vectors side by side, so its product is a sum over fields; of fields
 * with few values the product of each value is made ready beforehand.
 *
 * The cross network's output is a multiple of x0 and a constant:
 *	  x_k = a_k x0 + c_k,  a_k+1 = a_k + x_k . v_k,  c_k+1 = c_k + bias_k
 * with a_1 = 1, c_1 = 0.  So what is asked of it are products of x0 and of
 * constants.
 */
#ifndef AREAD_ENGINE_SCORE_PREPARE_H
#define AREAD_ENGINE_SCORE_PREPARE_H

#include "engine/model/model.h"
#include "engine/base/panels.h"

/* A linear layer, batch norm folded; ReLU follows. */
typedef struct PreparedLayer
{
	Panels		panels;
	real	   *bias;			/* [panels_columns(n_out)] */
} PreparedLayer;

/*
 * Columns of the stack's output, in this order.  Experts begin with a panel,
 * and so do the gates.
 */
typedef struct StackColumns
{
	int			expert;			/* from one expert's first column to the next one's; the first is 0 */
	int			gates;			/* (N_1, M) */
	int			cross;			/* [cross layers]: x0 . v_k */
	int			heads;			/* [J]: x0 . w_j, w_j the head's weights of the cross network */
	int			end;			/* of those that mean something */
	int			n;				/* all: whole panels */
} StackColumns;

typedef struct Prepared
{
	const Model *model;
	size_t		n_values;
	real	   *values;			/* [n_values]: all that follows that is computed */
	/* the stack; without MMoE there is none */
	StackColumns columns;
	int		   *order;			/* [n_fields] fields whose values are ready come last */
	int			n_plain;		/* fields before these */
	Panels		stack;			/* (n_plain * E, columns.n): rows in the order of fields above */
	real	   *bias;			/* [columns.n] */
	real	  **ready;			/* [n_fields] (table's rows, columns.n); NULL: not ready */
	/* constants of the cross network */
	real	   *cross_constant; /* [cross layers]: c_k . v_k */
	real	   *head_constant;	/* [J]: c . w_j of the output */
	/* layers */
	int			n_experts;		/* M */
	int			n_deep;			/* an expert's layers beyond the first */
	PreparedLayer *deep;		/* [M][n_deep] */
	int			n_hei;			/* L; 0: none */
	PreparedLayer (*hei)[MAX_EXPERTS][2];	/* [L] */
	real	   *gates;			/* (D + 1, G) masked and rescaled, never-seen last */
} Prepared;

/*
 * With so many bytes of ready products at most.  values: of an earlier call for
 * the same model and bytes, in whatever memory; NULL: compute them.
 */
extern bool prepare(Prepared *prepared, const Model *model, size_t ready_bytes, real *values,
					Arena *arena, Watch *watch, EngineError *error);
/* logits[J] += the heads' products with the cross network's output; z: the stack's output from gates on. */
extern void prepared_add_cross(const Prepared *prepared, const real *z, real *logits);
/* The mask of a domain (-1: never seen); NULL: all gates open. */
extern const uint8_t *prepared_mask(const Model *model, int64_t domain);

#endif							/* AREAD_ENGINE_SCORE_PREPARE_H */
