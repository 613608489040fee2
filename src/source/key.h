/*
 * key.h
 *	  Canonical keys: a value's text in UTF-8 that no setting changes.
 *
 * 42 as int2, int8, '42' or a JSON number is one key.  Dates and timestamps
 * are written in ISO style (with time zone: in UTC), numerics without trailing
 * zeros, floats with the fewest digits that round-trip.
 */
#ifndef AREAD_KEY_H
#define AREAD_KEY_H

#include "postgres.h"
#include "fmgr.h"
#include "lib/stringinfo.h"

typedef enum KeyKind
{
	KEY_INTEGER,				/* int2, int4, int8, oid */
	KEY_BOOLEAN,
	KEY_TEXT,					/* and varchar, char(n), name, citext */
	KEY_FLOAT,					/* float4, float8 */
	KEY_NUMERIC,
	KEY_DATE,
	KEY_TIMESTAMP,
	KEY_TIMESTAMPTZ,
	KEY_OUTPUT,					/* enum, uuid, inet, ...: the type's output function */
	KEY_UNSUPPORTED				/* composite, pseudo, json, and types whose output
								 * depends on settings */
} KeyKind;

typedef struct KeyWriter
{
	Oid			type;			/* base type */
	KeyKind		kind;
	FmgrInfo	output;
	StringInfoData buffer;
} KeyWriter;

/* Domains count as their base type. */
extern KeyKind key_kind(Oid type);
extern void key_writer_init(KeyWriter *writer, Oid type, MemoryContext context);
/* Key of a non-null value; valid until the next call. */
extern const char *key_write(KeyWriter *writer, Datum value, uint32 *length);

#endif							/* AREAD_KEY_H */
