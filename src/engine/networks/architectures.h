/*
 * architectures.h
 *	  The architectures, which the values of option "architecture" name.
 */
#ifndef AREAD_ENGINE_NETWORKS_ARCHITECTURES_H
#define AREAD_ENGINE_NETWORKS_ARCHITECTURES_H

#include <stdbool.h>

/* The name of an architecture by its number, from 0; NULL past the last. */
extern const char *architecture_name(int architecture);
/* The options that have an effect on it, but for those that have one on all: names and spaces. */
extern const char *architecture_options(int architecture);
/* Whether an option of the engine has an effect on it; what no architecture lists is for all of them. */
extern bool architecture_uses(int architecture, const char *option);

#endif							/* AREAD_ENGINE_NETWORKS_ARCHITECTURES_H */
