/*
 * options.h
 *	  Options of aread_train as jsonb, to structs and back.
 */
#ifndef AREAD_OPTIONS_H
#define AREAD_OPTIONS_H

#include "source/source.h"

/* The options that the source side adds to the engine's (config_options). */
extern const Option source_options[];
extern const int n_source_options;

/*
 * Defaults overruled by "given" (an object; NULL: none).  Raises an error for
 * unknown options (with the nearest known name), wrong types and values out of
 * range.
 */
extern void options_parse(Jsonb *given, Config *config, SourceOptions *source);
/* Every engine option of a config as an object. */
extern Jsonb *options_from_config(const Config *config);

#endif							/* AREAD_OPTIONS_H */
