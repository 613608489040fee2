/*
 * mask_analysis.h
 *	  Masks for a network that has been trained, and scores, with all gates open:
 *	  they tell which experts matter to which domain.
 */
#ifndef AREAD_ENGINE_TRAIN_MASK_ANALYSIS_H
#define AREAD_ENGINE_TRAIN_MASK_ANALYSIS_H

#include "engine/train/strategy.h"

/* Plain training, then masks of the kept parameters. */
extern const TrainStrategy mask_analysis_strategy;

/*
 * A mask for each domain: the share "target_density" of the gates whose closing
 * would raise the loss of the domain's own training rows most, to first order,
 * and no gate that leads nowhere.  A domain whose rows do not depend on the gates
 * gets none.  Parameters stay as they are.  Errors: lack of memory,
 * ENGINE_INTERRUPTED.
 */
extern bool mask_analysis(Trainer *trainer, EngineError *error);

#endif							/* AREAD_ENGINE_TRAIN_MASK_ANALYSIS_H */
