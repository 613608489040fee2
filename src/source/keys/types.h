/*
 * types.h
 *	  Types of values: what the catalog says of them now, and whether it has
 *	  changed since.
 */
#ifndef AREAD_SOURCE_KEYS_TYPES_H
#define AREAD_SOURCE_KEYS_TYPES_H

#include "source/spec.h"

/* A type's row in the catalog, of a domain that of its base type. */
typedef struct ValueType
{
	Oid			type;			/* base type */
	char		kind;			/* pg_type.typtype */
	char		category;
	bool		is_citext;		/* the extension's type, by its name */
	int16		length;
	bool		by_value;
	char		align;
	Oid			element;		/* of an array; InvalidOid: it is none */
	Oid			input;			/* functions */
	Oid			output;
	Oid			io_param;
} ValueType;

/* False if there is no such type. */
extern bool type_read(Oid type, ValueType *read);
/* The same; raises an error. */
extern void type_require(Oid type, ValueType *read);

/* A type by the name that format_type_extended() gives it with its schema; InvalidOid if it is gone. */
extern Oid	type_by_name(const char *name);
/* features[].type from type_name, unless that was done in this very state. */
extern void types_resolve(FeatureSpec *spec);

#endif							/* AREAD_SOURCE_KEYS_TYPES_H */
