/*
 * describe_id.h
 *	  Ids as analysts know them.
 */
#ifndef AREAD_SOURCE_KEYS_DESCRIBE_ID_H
#define AREAD_SOURCE_KEYS_DESCRIBE_ID_H

#include "source/spec.h"

/* What an id stands for: a known value, one that was rare or never seen, or a missing one. */
extern const char *id_status(uint32 id);
/* Key, bin or bucket of an id of feature f, palloc'd; NULL: it stands for no value. */
extern char *id_text(const FeatureSpec *spec, int f, uint32 id);

#endif							/* AREAD_SOURCE_KEYS_DESCRIBE_ID_H */
