/*
 * key.h
 *	  Canonical keys: a value's text in UTF-8 that no setting changes.
 *
 * 42 as int2, int8, '42' or a JSON number is one key.  Dates and timestamps
 * are written in ISO style (with time zone: in UTC), numerics without trailing
 * zeros, floats with the fewest digits that round-trip, citext in lower case.
 *
 * Many types' values are as different as their keys and fit a word of 64 bits:
 * integers, dates and such.  Whoever meets the same values over and over can
 * compare words, and write each key once.
 */
#ifndef AREAD_SOURCE_KEYS_KEY_H
#define AREAD_SOURCE_KEYS_KEY_H

#include "postgres.h"

#include <math.h>

#include "catalog/pg_type_d.h"
#include "lib/stringinfo.h"
#include "source/keys/convert.h"
#include "utils/date.h"
#include "utils/float.h"

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
	bool		has_words;
	bool		lower;			/* citext: in lower case, as it is compared */
	ValueOutput output;
	StringInfoData buffer;
} KeyWriter;

/* Domains count as their base type; a type that is gone is not supported. */
extern KeyKind key_kind(Oid type);
extern KeyKind key_kind_of(const ValueType *type);
extern void key_writer_init(KeyWriter *writer, const ValueType *type, MemoryContext context);
/*
 * Key of a non-null value; valid until the next call and as long as the value,
 * of whose bytes it may be some.
 */
extern const char *key_write(KeyWriter *writer, Datum value, uint32 *length);

/* The same of a key that somebody else has written, and which is freed. */
extern const char *key_take(KeyWriter *writer, char *string, uint32 *length);

/* A key as text of the server's encoding, palloc'd. */
extern char *key_as_text(const char *key, uint32 length);

/* -0 is 0, and there is one NaN. */
static inline uint64
key_float_word(Oid type, Datum value)
{
	double		number = type == FLOAT4OID ? DatumGetFloat4(value) : DatumGetFloat8(value);
	uint64		word;

	if (number == 0)
		number = 0;
	if (isnan(number))
		number = get_float8_nan();
	memcpy(&word, &number, sizeof(word));
	return word;
}

/* A value as a word: two values of one key have one word.  If has_words. */
static inline uint64
key_word(const KeyWriter *writer, Datum value)
{
	switch (writer->type)
	{
		case INT2OID:
			return (int64) DatumGetInt16(value);
		case INT4OID:
			return (int64) DatumGetInt32(value);
		case BOOLOID:
			return DatumGetBool(value);
		case FLOAT4OID:
		case FLOAT8OID:
			return key_float_word(writer->type, value);
		case DATEOID:
			return (int64) DatumGetDateADT(value);
		case INT8OID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return DatumGetInt64(value);
		default:				/* oid, enum */
			return DatumGetObjectId(value);
	}
}

/* Key of a word; valid until the next call. */
extern const char *key_write_word(KeyWriter *writer, uint64 word, uint32 *length);
/* Do both have words, and the same for values of the same key? */
extern bool key_same_words(const KeyWriter *a, const KeyWriter *b);

#endif							/* AREAD_SOURCE_KEYS_KEY_H */
