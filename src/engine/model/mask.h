/*
 * mask.h
 *	  Masks over the gates between HEI layers: validity, density, pruning,
 *	  overlap.
 *
 * A mask is [G] bytes, 1 = open, in gate order (gates.h).  "experts" is
 * N_1 .. N_L, the experts of each layer.
 */
#ifndef AREAD_ENGINE_MODEL_MASK_H
#define AREAD_ENGINE_MODEL_MASK_H

#include "engine/base/limits.h"
#include "engine/base/random.h"

/*
 * Close what is useless: inputs of experts that feed nobody, outputs of
 * experts with no input, until nothing changes.  Returns false, with the mask
 * unspecified, if no last-layer expert stays.
 */
extern bool mask_make_valid(const IntList *experts, uint8_t *mask);
/* Is it a fixed point of mask_make_valid()? */
extern bool mask_is_valid(const IntList *experts, const uint8_t *mask);
/* Are these bytes 0 and 1?  A bool that is neither must not be read as one. */
extern bool are_bits(const void *bytes, size_t n);
/*
 * Stored masks [n_domains, G] and flags [n_domains] of the domains that have
 * one (NULL: all have), as bytes: bits, and every mask valid?
 */
extern bool masks_are_valid(const IntList *experts, const uint8_t *masks, const void *has_mask,
							uint32_t n_domains);
extern int	mask_open(const IntList *experts, const uint8_t *mask);
extern double mask_density(const IntList *experts, const uint8_t *mask);

/* Which experts of layer l (1..L) the mask uses: used[N_l]. */
extern void mask_used_experts(const IntList *experts, const uint8_t *mask, int layer,
							  bool *used);

/*
 * A candidate's start: the top "density" share by strength open, "present"
 * (NULL: none) added, each gate flipped with probability min(1, |N(0, sigma)|),
 * made valid.  If that leaves no valid mask, it is drawn again with one gate more
 * of the top; after a thousand draws all gates are open.
 */
extern void mask_candidate(const IntList *experts, const real *strength,
						   const uint8_t *present, double density, double sigma,
						   Random *random, uint8_t *mask);

/*
 * Close max(1, round(ratio * open)) open gates of least strength over all
 * layers together, then what that makes useless; a gate whose loss would leave no
 * valid mask is passed over.  Returns how many gates were closed.
 */
extern int	mask_prune(const IntList *experts, const real *strength, double ratio,
					   uint8_t *mask);

/* |A and B| / |A or B| over the gates of layer l, or of all layers (0); NaN if both are empty. */
extern double mask_overlap(const IntList *experts, const uint8_t *a, const uint8_t *b,
						   int layer);

/*
 * The overlap ratio of expectations if both masks were drawn at random with
 * the open gates that they have in each layer: sum of a_l b_l / G_l over the
 * layers, over the sum of a_l + b_l less that.  NaN as above.
 */
extern double mask_chance_overlap(const IntList *experts, const uint8_t *a, const uint8_t *b,
								  int layer);

/*
 * How much of a domain's score passes through each expert -> flow[sum N_l],
 * lowest layer first; each layer sums to 1.  Last-layer experts that the mask
 * (NULL: all open) uses count alike, as their heads do; an expert hands its part down by its
 * gates [G] (0 where closed, those of a used expert sum to 1).
 */
extern void mask_flow(const IntList *experts, const real *gates, const uint8_t *mask,
					  double *flow);

#endif							/* AREAD_ENGINE_MODEL_MASK_H */
