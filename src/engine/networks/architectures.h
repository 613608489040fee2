/*
 * architectures.h
 *	  The one list of architectures, which the values of option "architecture"
 *	  number and name.
 */
#ifndef AREAD_ENGINE_NETWORKS_ARCHITECTURES_H
#define AREAD_ENGINE_NETWORKS_ARCHITECTURES_H

#include "engine/networks/architecture.h"

/* Those that models are of. */
extern const int n_architectures;
/* Values of the option: those, and then the races between them. */
extern const int n_choices;

/* An architecture by its number, 0 .. n_choices - 1. */
extern const Architecture *architecture_at(int number);
/* That of a configuration. */
extern const Architecture *architecture_of(const Config *config);
/* The number of a name; -1 if there is none such. */
extern int	architecture_find(const char *name);
/* The name of an architecture by its number, from 0; NULL past the last. */
extern const char *architecture_name(int number);
/* Whether an option has an effect on it; what no architecture lists is for all of them. */
extern bool architecture_uses(int number, const char *option);

/* Does its training search masks, and its network run under them? */
extern bool architecture_has_masks(int number);
/* May its models have trees beside the network?  They have a weight, then. */
extern bool architecture_has_trees(const Config *config);
/* Is there a wide part, fitted at the start? */
extern bool architecture_has_wide(const Config *config);

#endif							/* AREAD_ENGINE_NETWORKS_ARCHITECTURES_H */
