/*
 * moments.h
 *	  Means and standard deviations of dense features' components.
 */
#ifndef AREAD_SOURCE_READ_MOMENTS_H
#define AREAD_SOURCE_READ_MOMENTS_H

#include "source/read/collect.h"

/*
 * Over the collected training rows, whose splits are known: features' edges, and
 * their vocabularies, one id for each component.  The same in whatever order
 * rows came.  Raises an error for a feature without any vector.
 */
extern void moments_find(Collector *collector);

#endif							/* AREAD_SOURCE_READ_MOMENTS_H */
