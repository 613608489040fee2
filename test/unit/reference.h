/*
 * reference.h
 *	  The whole network in plain loops, straight from the notation: an
 *	  independent recomputation to hold the engine's scorer against.
 */
#ifndef AREAD_TEST_REFERENCE_H
#define AREAD_TEST_REFERENCE_H

#include "engine/model/model.h"

/* Probability of one row (9); ids and lists as in Dataset. */
extern double reference_score(const Model *model, const uint32_t *ids,
							  const uint64_t *list_start, const uint32_t *list_members);

#endif							/* AREAD_TEST_REFERENCE_H */
