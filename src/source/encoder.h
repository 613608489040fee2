/*
 * encoder.h
 *	  One value of one feature to an id: canonical keys, casts between input
 *	  type and the type trained with, bins.
 */
#ifndef AREAD_ENCODER_H
#define AREAD_ENCODER_H

#include "source/source.h"

typedef struct ValueEncoder ValueEncoder;

/*
 * Prepare to encode values of input_type for a feature.  Values of another
 * type than the feature's are cast by the feature's type's own rules: through
 * a cast if pg_cast has an implicit or assignment one, else through text.
 * Raises an error if there is no way (naming feature and both types).
 */
extern ValueEncoder *encoder_create(const FeatureSpec *spec, int feature, Oid input_type,
									MemoryContext context);
/* Id of a value of a single-valued feature. */
extern uint32 encoder_id(ValueEncoder *encoder, Datum value, bool isnull);
/* Ids of a list's members: *members is valid until the next call; returns how many.
 * NULL list: one member, NULL_ID.  NULL members are skipped. */
extern int	encoder_members(ValueEncoder *encoder, Datum value, bool isnull,
							const uint32 **members);
/* The canonical key of a value of a type: UTF-8, whatever the settings; *length out. */
extern const char *canonical_key(Oid type, Datum value, StringInfo buffer, uint32 *length);

#endif							/* AREAD_ENCODER_H */
