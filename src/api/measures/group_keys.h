/*
 * group_keys.h
 *	  Values of any type as keys that tell them apart.
 */
#ifndef AREAD_API_MEASURES_GROUP_KEYS_H
#define AREAD_API_MEASURES_GROUP_KEYS_H

#include "fmgr.h"

typedef struct GroupKeys GroupKeys;

/*
 * Keys of values of a type, kept in fn_extra from call to call of a function.  The type
 * is the value's own, as arrays of pseudo-type anyarray have another in each row.
 */
extern GroupKeys *group_keys(FunctionCallInfo fcinfo, Oid type);
/* Key of a value, which is not NULL; valid until the next call, and as long as the value. */
extern const char *group_key(GroupKeys *keys, Datum value, uint32 *length);

#endif							/* AREAD_API_MEASURES_GROUP_KEYS_H */
