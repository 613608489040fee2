/*
 * encoding_folds.h
 *	  Folds of training rows.
 */
#ifndef AREAD_ENGINE_TREES_ENCODING_FOLDS_H
#define AREAD_ENGINE_TREES_ENCODING_FOLDS_H

#include "engine/data/dataset.h"

#define ENCODING_FOLDS 5

/*
 * folds [training rows], from 0 to ENCODING_FOLDS - 1, drawn by the seed.
 *
 * Rows of one user, item and domain share a fold, and without a user or an item those
 * that are alike in all fields: such rows know each other's label.  false: stopped.
 */
extern bool encoding_folds(const Dataset *data, uint64_t seed, Watch *watch, uint8_t *folds);

#endif							/* AREAD_ENGINE_TREES_ENCODING_FOLDS_H */
