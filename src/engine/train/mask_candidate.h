/*
 * mask_candidate.h
 *	  Candidate masks of one domain, tried one by one or side by side.
 *	  Internal to the mask search (mask_search.c).
 */
#ifndef AREAD_ENGINE_TRAIN_MASK_CANDIDATE_H
#define AREAD_ENGINE_TRAIN_MASK_CANDIDATE_H

#include "engine/train/search.h"

extern bool search_workers_init(Trainer *trainer, EngineError *error);
/*
 * The first-order Taylor term of closing each gate, by its sign: by how much
 * that would raise the loss of the domain's own rows, with all gates open.  It
 * depends on the rows alone, so domains that behave alike get masks alike.
 * -> search->own_saliency; nothing where gates are pruned by other means.
 */
extern bool search_find_saliency(Trainer *trainer, EngineError *error);
/* Train, prune and score candidates 0 .. n - 1, which have their start masks. */
extern bool search_try_candidates(Trainer *trainer, uint32_t domain, int n, EngineError *error);
/* Raw gates [G] of a domain as they are now under a mask, in the worker's scratch. */
extern const real *search_present_gates(const Trainer *trainer, SearchWorker *worker,
										uint32_t domain, const uint8_t *mask);

#endif							/* AREAD_ENGINE_TRAIN_MASK_CANDIDATE_H */
