/*
 * leak.h
 *	  Features that know the label.
 */
#ifndef AREAD_SOURCE_READ_LEAK_H
#define AREAD_SOURCE_READ_LEAK_H

#include "source/spec.h"

/* A WARNING for each feature of a few values that tells the training rows' label by itself. */
extern void leak_warn(const FeatureSpec *spec, const Dataset *data);

#endif							/* AREAD_SOURCE_READ_LEAK_H */
