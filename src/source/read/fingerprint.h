/*
 * fingerprint.h
 *	  Whether two readings of a source gave the same rows.
 */
#ifndef AREAD_SOURCE_READ_FINGERPRINT_H
#define AREAD_SOURCE_READ_FINGERPRINT_H

#include "source/spec.h"

/*
 * CRC-32C over rows, in the dataset's order, and over what their ids mean.
 * Rows that lay in another order in the source give the same.
 */
extern uint32 dataset_fingerprint(const Dataset *data, const FeatureSpec *spec);

#endif							/* AREAD_SOURCE_READ_FINGERPRINT_H */
