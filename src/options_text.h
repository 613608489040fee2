/*
 * options_text.h
 *	  A configuration as jsonb, as models store it.
 */
#ifndef AREAD_OPTIONS_TEXT_H
#define AREAD_OPTIONS_TEXT_H

#include "engine/model/config.h"
#include "utils/jsonb.h"

/* Every engine option of a config as an object, which is what a model is stored with. */
extern Jsonb *options_from_config(const Config *config);

#endif							/* AREAD_OPTIONS_TEXT_H */
