/*
 * checksums.h
 *	  What a stored model is checked by as a whole: each chunk has a checksum
 *	  of its own, but may be in the place of another one.
 */
#ifndef AREAD_CATALOG_CHECKSUMS_H
#define AREAD_CATALOG_CHECKSUMS_H

#include "engine/model/model.h"
#include "source/spec.h"

/* CRC-32C over all tensors, places of domain weights, masks, then trees. */
extern uint32 catalog_model_crc(const Model *model);
/* CRC-32C over what is kept of items and users, which is no part of what scores. */
extern uint32 catalog_entities_crc(const Model *model);
/*
 * CRC-32C over what makes a row a model's input, and over the options that its
 * network follows from: the same in databases of every encoding.
 */
extern uint32 catalog_description_crc(const FeatureSpec *spec, const Jsonb *config);

#endif							/* AREAD_CATALOG_CHECKSUMS_H */
