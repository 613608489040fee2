/*
 * options.h
 *	  Options of aread_train as jsonb, to structs and back.
 */
#ifndef AREAD_OPTIONS_H
#define AREAD_OPTIONS_H

#include "engine/networks/config_options.h"
#include "source/source.h"

/* The options that the source side adds to the engine's (config_table), over a SourceOptions. */
extern const OptionTable source_table;

/*
 * Defaults overruled by "given" (an object; NULL: none).  Raises an error for
 * unknown options (with the nearest known name), wrong types and values out of
 * range.
 */
extern void options_parse(Jsonb *given, Config *config, SourceOptions *source);
/* Tell the client which of the given options, an object that was parsed, the architecture does not use. */
extern void options_tell_unused(Jsonb *given, const Config *config);
/*
 * The engine's options that a model was stored with, by any version of aread:
 * one that it lacks is newer than the model, and has the value of models of
 * before.  Raises ERRCODE_DATA_CORRUPTED if the first version would have stored
 * it, and ERRCODE_FEATURE_NOT_SUPPORTED for an option of a later version.
 */
extern void options_parse_stored(Jsonb *config_stored, Config *config);
/* Every engine option of a config as an object, which is what a model is stored with. */
extern Jsonb *options_from_config(const Config *config);

#endif							/* AREAD_OPTIONS_H */
