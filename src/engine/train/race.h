/*
 * race.h
 *	  Two networks, of which validation rows choose one: architecture "auto".
 */
#ifndef AREAD_ENGINE_TRAIN_RACE_H
#define AREAD_ENGINE_TRAIN_RACE_H

#include "engine/train/race_state.h"

/*
 * What a configuration asks for: trainer->config is that of one network from then on, and
 * trainer->race is set where there are two.  data and lasting are set.
 */
extern bool race_choose(Trainer *trainer, const RaceRule *rule, EngineError *error);
/*
 * The race of a trainer that trainer_prepare() has prepared, from its beginning or from a
 * checkpoint: trained is then the network that won.
 */
extern bool race_train(Trainer *trainer, EngineError *error);
/* When the training is over, however it ended: all memory is the lasting arena's. */
extern void race_end(Trainer *trainer);

#endif							/* AREAD_ENGINE_TRAIN_RACE_H */
