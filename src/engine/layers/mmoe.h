/*
 * mmoe.h
 *	  The base recommender: MMoE's experts, gates and mixtures over x0, and the
 *	  cross network beside them.
 */
#ifndef AREAD_ENGINE_LAYERS_MMOE_H
#define AREAD_ENGINE_LAYERS_MMOE_H

#include "engine/layers/cross.h"
#include "engine/layers/first_layer.h"
#include "engine/layers/gate.h"
#include "engine/layers/mlp.h"

typedef struct Mmoe
{
	int			n_experts;		/* M */
	int			n_mixtures;		/* N_1 */
	int			dim;			/* H */
	int			width;			/* W */
	Mlp		   *experts;		/* [M] */
	MlpCache   *caches;			/* [M] */
	real	  **e;				/* [M] (B, H): their outputs */
	real	   *gate_weight;	/* (N_1, M, W) */
	real	   *gate_bias;		/* (N_1, M) */
	real	   *gates;			/* (B, N_1, M) */
	real	   *h;				/* (B, N_1, H) */
	Cross		cross;			/* n_layers 0: none */
	Fields		fields;
	/* gradients */
	real	  **d_e;			/* [M] (B, H) */
	real	   *d_gates;		/* (B, N_1, M) */
	real	   *d_h;			/* (B, N_1, H) */
	real	   *d_cross;		/* (B, W) */
	real	   *d_values;		/* (M, fields.capacity, E) */
} Mmoe;

/*
 * Attach to a model's tensors; shared [n_fields] as fields_init() wants it.
 * Needs products[fields.capacity * widest first layer] of each thread's scratch.
 */
extern bool mmoe_init(Mmoe *mmoe, const Model *model, int capacity, const bool *shared,
					  bool training, Arena *arena, EngineError *error);
/* From x0 (B, W) to h and the cross network's output. */
extern void mmoe_forward(Mmoe *mmoe, const RowTensor *tables, const Batch *batch,
						 const real *x0, const PassMode *mode, Workers *workers);
/*
 * From d_h and d_cross to d_x0 (B, W), which gains, and the gradients of
 * parameters; of fields that are shared d_x0 lacks the experts' part, which
 * mmoe_add_values() has.
 */
extern void mmoe_backward(Mmoe *mmoe, const Batch *batch, const real *x0, real *d_x0,
						  const real *params, real *grads, Workers *workers);
/* The experts' part of a shared field's gradients, to the rows that the batch touched. */
extern void mmoe_add_values(const Mmoe *mmoe, int field, RowTensor *table);

#endif							/* AREAD_ENGINE_LAYERS_MMOE_H */
