/*
 * optimizer.h
 *	  Adam's state for a network, and a step over all that a batch has moved.
 */
#ifndef AREAD_ENGINE_TRAIN_OPTIMIZER_H
#define AREAD_ENGINE_TRAIN_OPTIMIZER_H

#include "engine/networks/network.h"
#include "engine/train/adam.h"

/* Adam's moments of every parameter. */
typedef struct Optimizer
{
	real	   *first;			/* [n_dense] */
	real	   *second;
	real	  **table_first;	/* [row tensors] (rows or slots, dim) */
	real	  **table_second;
	bool		by_slot;		/* row moments by slot of the present batch */
	uint64_t	step;			/* taken so far */
} Optimizer;

/* Moments at zero; row moments by id, or (by_slot) allocated later by the search. */
extern bool optimizer_init(Optimizer *optimizer, Arena *arena, const Model *model,
						   size_t n_dense, bool by_slot, EngineError *error);
/* One step over all parameters with the network's gradients. */
extern void optimizer_step(Optimizer *optimizer, Network *network, uint32_t *const *counts,
						   int batch_rows, double learning_rate);
/* One step over the dense parameters of experts and heads. */
extern void optimizer_step_experts(Optimizer *optimizer, Network *network,
								   double learning_rate);

#endif							/* AREAD_ENGINE_TRAIN_OPTIMIZER_H */
