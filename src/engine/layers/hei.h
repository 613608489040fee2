/*
 * hei.h
 *	  Hierarchical expert integration: layers of small experts, the gates
 *	  between them, and a mask for each segment of the batch (equations 3, 4).
 *
 * An expert sees only rows of segments whose mask uses it: its rows are packed
 * one segment after the other, offset[s] is where segment s begins, -1 where
 * the expert is not used.  Between two experts a segment's rows are contiguous
 * on both sides, so that a gate is one scaled addition.
 */
#ifndef AREAD_ENGINE_LAYERS_HEI_H
#define AREAD_ENGINE_LAYERS_HEI_H

#include "engine/data/batch.h"
#include "engine/layers/mlp.h"
#include "engine/data/row_tensor.h"

typedef struct HeiExpert
{
	Mlp			mlp;
	MlpCache	cache;
	int			n_rows;			/* packed */
	int		   *offset;			/* [S] */
	real	   *in;				/* (n_rows, n_in) */
	real	   *d_in;			/* (n_rows, n_in); training only */
	real	   *d_out;			/* (n_rows, n_out), the cache's; training only */
} HeiExpert;

typedef struct HeiLayer
{
	int			n_experts;
	int			n_in;
	int			n_out;
	HeiExpert  *experts;
	real	   *gate_weight;	/* (n_experts, experts below, 2 E); layers 2 .. L */
	real	   *gate_bias;		/* (n_experts, experts below) */
} HeiLayer;

typedef struct Hei
{
	const Config *config;
	int			n_layers;		/* L */
	HeiLayer	layer[MAX_LAYERS];	/* [0] is layer 1 */
	int			n_gates;		/* G */
	int			dim;			/* E */
	real	   *group;			/* (N_1, E) group vectors */
	real	   *gate_in;		/* (S, 2 E): domain vector, mean group vector */
	real	   *raw_gates;		/* (S, G): softmax over the experts below */
	real	   *gates;			/* (S, G): masked and rescaled, as used */
	real	   *d_gates;		/* (S, G) */
	real	   *d_open;			/* (S, G): by a factor on the gate before gates are rescaled;
								 * 0 where the mask closes it */
} Hei;

/* Attach to a model's tensors; buffers for "rows" rows and "segments" segments. */
extern bool hei_init(Hei *hei, const Model *model, int rows, int segments, bool training,
					 Arena *arena, EngineError *error);

/*
 * Gates of one domain under a mask (NULL: all open, and no group vectors):
 * raw [G] and masked [G], from the domain's vector [E].
 */
extern void hei_gates_forward(const Hei *hei, const real *domain_vector,
							  const uint8_t *mask, real *gate_in, real *raw, real *masked);

/*
 * From h (B, N_1, H) to the outputs of the last layer's experts, packed.
 * domain_table: the domain field's embedding.
 */
extern void hei_forward(Hei *hei, const Batch *batch, const real *h,
						const RowTensor *domain_table, const PassMode *mode,
						Workers *workers);
/*
 * The last layer's d_out are set; d_h (B, N_1, H) is set, or skipped if NULL.
 * The domains' vectors get their gradient in domain_table, or none if NULL.
 */
extern void hei_backward(Hei *hei, const Batch *batch, real *d_h, RowTensor *domain_table,
						 const real *params, real *grads, Workers *workers);

#endif							/* AREAD_ENGINE_LAYERS_HEI_H */
