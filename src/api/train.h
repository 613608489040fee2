/*
 * train.h
 *	  Arguments of a training, in the foreground or not.
 */
#ifndef AREAD_API_TRAIN_H
#define AREAD_API_TRAIN_H

#include "postgres.h"
#include "fmgr.h"

#include "jobs/job.h"

/*
 * The job that a call (source, model, label, domain, features, user_id,
 * item_id, split, options, weight) describes; raises an error for what can be
 * found wrong before anything is read.
 */
extern void training_arguments(FunctionCallInfo fcinfo, TrainJob *job);

#endif							/* AREAD_API_TRAIN_H */
