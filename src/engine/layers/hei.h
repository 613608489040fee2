/*
 * hei.h
 *	  Hierarchical expert integration: layers of small experts, the gates
 *	  between them, and a mask for each segment of the batch (equations 3, 4).
 *
 * An expert sees only rows of segments whose mask uses it: its rows are packed
 * one segment after the other, offset[s] is where segment s begins, -1 where
 * the expert is not used.  Between two experts a segment's rows are contiguous
 * on both sides, so that a gate is one scaled addition.
 *
 * In a plan HEI is 1 + L layers: one of the gates (hei_gates.c), which also packs
 * the batch, and one for each of its layers of experts (hei.c).
 */
#ifndef AREAD_ENGINE_LAYERS_HEI_H
#define AREAD_ENGINE_LAYERS_HEI_H

#include "engine/layers/mlp.h"
#include "engine/layers/plan.h"
#include "engine/layers/prepared.h"

typedef struct HeiExpert
{
	Mlp			mlp;
	MlpCache	cache;
	int			n_rows;			/* packed */
	int		   *offset;			/* [S] */
	real	   *in;				/* (n_rows, n_in) */
	real	   *d_in;			/* (n_rows, n_in) */
} HeiExpert;

typedef struct Hei Hei;

typedef struct HeiLayer
{
	Layer		layer;
	int			gates;			/* number of the layer that Hei is */
	Hei		   *hei;
	int			l;				/* from 1 */
	int			n_experts;		/* N_l */
	int			n_in;
	int			n_out;
	int			number;			/* of the first expert among the network's MLPs */
	MlpTensors *tensors;		/* [n_experts] */
	HeiExpert  *experts;		/* [n_experts] */
	PreparedLayer (*prepared)[2];	/* [n_experts]; scoring only */
} HeiLayer;

/* The gates. */
struct Hei
{
	Layer		layer;
	const IntList *n_experts;	/* N_1 .. N_L */
	int			n_layers;		/* L */
	HeiLayer   *layers[MAX_LAYERS]; /* [0] is layer 1 */
	int			n_gates;		/* G */
	int			dim;			/* E */
	TensorRef	weight_ref[MAX_LAYERS]; /* [l - 1] of layers 2 .. L */
	TensorRef	bias_ref[MAX_LAYERS];
	TensorRef	group_ref;
	real	   *weight[MAX_LAYERS]; /* (N_l, N_{l-1}, 2 E) */
	real	   *bias[MAX_LAYERS];	/* (N_l, N_{l-1}) */
	real	   *group;			/* (N_1, E) group vectors */
	/* training */
	real	   *gate_in;		/* (S, 2 E): domain vector, mean group vector */
	real	   *raw_gates;		/* (S, G): softmax over the experts below */
	real	   *gates;			/* (S, G): masked and rescaled, as used */
	real	   *d_gates;		/* (S, G) */
	real	   *d_open;			/* (S, G): by a factor on the gate before gates are rescaled;
								 * 0 where the mask closes it */
};

/*
 * Layers over h (B, N_1, H); tensors "hei<l>.expert<n>.layer<k>.*",
 * "hei<l>.gate.*" and "hei.group".  Returns the slot of the last experts'
 * outputs, packed.
 */
extern int	plan_hei(NetworkPlan *plan, int h, const IntList *experts, const IntList *hidden,
					 const IntList *output);
/* The gates among a network's copies of the layers; NULL: it has no HEI. */
extern Hei *hei_of(Layer *const *layers, int n_layers);

/* Layer l (1 .. L) of a plan, beside gates that are planned already; returns its slot. */
extern int	plan_hei_layer(NetworkPlan *plan, const Hei *hei, int l, int below, int hidden, int output);
/* Where each segment's rows lie in each expert's packed input. */
extern void hei_pack(Hei *hei, const Batch *batch);

/*
 * Gates of one domain under a mask (NULL: all open, and no group vectors):
 * raw [G] and masked [G], from the domain's vector [E]; gate_in [2 E] is scratch.
 */
extern void hei_gates_forward(const Hei *hei, const real *domain_vector,
							  const uint8_t *mask, real *gate_in, real *raw, real *masked);

#endif							/* AREAD_ENGINE_LAYERS_HEI_H */
