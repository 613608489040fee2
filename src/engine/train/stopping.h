/*
 * stopping.h
 *	  Which evaluation is the best, and when training stops for want of a better
 *	  one.
 */
#ifndef AREAD_ENGINE_TRAIN_STOPPING_H
#define AREAD_ENGINE_TRAIN_STOPPING_H

#include "engine/train/record.h"

/*
 * Heads that start at zero move little at first: patience counts from that batch on.  It
 * is for batches and steps as large as these; smaller ones take as many times longer.
 */
#define SETTLE_BATCHES 200
#define SETTLE_BATCH_SIZE 1024
#define SETTLE_RATE 0.002
/*
 * Trees that count leave little for the network to find.  Until it has gained so many times
 * the least gain in all, it has a third of the evaluations that patience allows.
 */
#define SURE_GAINS 10
#define SHORT_PATIENCE 3
#define MAX_REASON 400

/*
 * What decides: config->stop_on, or where it is undefined DomainAUC, or AUC, or else log
 * loss; NULL: no validation rows.
 */
extern const MeasureKind *evaluation_criterion(const Evaluation *evaluation, const Config *config);
/* Is a kind, by its number, one of those? */
extern bool may_decide(int kind, const Config *config);
/* By that; higher is better.  Without validation rows the latest is the best. */
extern double evaluation_score(const Evaluation *evaluation, const Config *config);
/* What a better one must gain of it. */
extern double evaluation_least_gain(const Evaluation *evaluation, const Config *config);
/* Can option stop_on be followed?  ENGINE_BAD_INPUT: it is of users, and these are not known. */
extern bool stopping_check(const Config *config, const Shape *shape, EngineError *error);
/* The batch from which on patience counts. */
extern uint64_t settle_batches(const Config *config);
/* Did patience run out with the last evaluation? */
extern bool patience_ran_out(const TrainResult *result, const Config *config);
/* What evaluation i meant for the training; text has MAX_REASON bytes. */
extern void evaluation_reason(const TrainResult *result, const Config *config, int i, char *text);

#endif							/* AREAD_ENGINE_TRAIN_STOPPING_H */
