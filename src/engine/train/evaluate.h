/*
 * evaluate.h
 *	  Measuring a training on its validation rows, and keeping the best of it.
 */
#ifndef AREAD_ENGINE_TRAIN_EVALUATE_H
#define AREAD_ENGINE_TRAIN_EVALUATE_H

#include "engine/train/trainer.h"

/* Measures of a split under the present parameters; by_domain [D] or NULL. */
extern bool trainer_measure(Trainer *trainer, Split split, Measures *measures,
							DomainMeasure *by_domain, EngineError *error);
/* Positive rows of validation and test, ranked among other items -> the result's lists. */
extern bool trainer_rank(Trainer *trainer, EngineError *error);
/* Room for one more evaluation, which is not counted yet. */
extern Evaluation *trainer_add_evaluation(Trainer *trainer, EngineError *error);
/* Measure the validation rows, record it, keep the parameters if they are the best. */
extern bool trainer_evaluate(Trainer *trainer, int epoch, bool epoch_end, EngineError *error);
/* The best evaluation's parameters and masks become the model's. */
extern void trainer_restore_best(Trainer *trainer);

#endif							/* AREAD_ENGINE_TRAIN_EVALUATE_H */
