/*
 * json_keys.h
 *	  Keys that JSON text has twice: jsonb, made of it, has the last one.
 */
#ifndef AREAD_SERVE_JSON_KEYS_H
#define AREAD_SERVE_JSON_KEYS_H

#include "source/spec.h"
#include "utils/jsonb.h"

/*
 * Raises an error for a feature that the text has twice; object is the text as
 * jsonb.  The domain is one unless it is an argument of its own.
 */
extern void json_check_keys(const FeatureSpec *spec, const char *text, Jsonb *object,
							bool with_domain);

#endif							/* AREAD_SERVE_JSON_KEYS_H */
