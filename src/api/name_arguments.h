/*
 * name_arguments.h
 *	  Names of models, features and tensors as arguments: what does
 *	  not exist is an error that tells the nearest name that does.
 */
#ifndef AREAD_API_NAME_ARGUMENTS_H
#define AREAD_API_NAME_ARGUMENTS_H

#include "postgres.h"
#include "fmgr.h"

#include "serve/cache.h"

/*
 * The model of an argument that the caller has that right to, loaded, and pinned
 * until the current memory context goes.
 */
extern const ServedModel *model_argument_for(FunctionCallInfo fcinfo, int argument,
											 ModelRight right);
/* The same of a model that the caller owns. */
extern const ServedModel *model_argument(FunctionCallInfo fcinfo, int argument);
/* Number of a feature by name, counts included; raises an error if there is none. */
extern int	find_feature(const ServedModel *served, const char *name);
/* A tensor by name; raises an error if there is none. */
extern const Tensor *find_tensor(const ServedModel *served, const char *name);

#endif							/* AREAD_API_NAME_ARGUMENTS_H */
