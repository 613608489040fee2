/*
 * key.c
 *	  Canonical keys.
 *
 * A key is written from a word where the type has words, else from the value.
 * Dates, timestamps and numbers are written here, all others by their output
 * functions under fixed settings (convert.h).  So neither a session's settings nor
 * the server's encoding change a key: it is in UTF-8.
 *
 * Keys lie in the writer's buffer, which each key overwrites, or stay in the value
 * where nothing had to be converted.
 */
#include "postgres.h"

#include "source/keys/key.h"

#include <math.h>

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "compat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/formatting.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

/* Other base types, by what their category promises of their output. */
static KeyKind
base_type_kind(const ValueType *type)
{
	switch (type->category)
	{
		case TYPCATEGORY_STRING:
			return type->length == -1 ? KEY_TEXT : KEY_OUTPUT;
		case TYPCATEGORY_GEOMETRIC: /* extra_float_digits */
		case TYPCATEGORY_NUMERIC:	/* regclass and its like: search_path */
			return KEY_UNSUPPORTED;
		default:
			return KEY_OUTPUT;
	}
}

KeyKind
key_kind_of(const ValueType *type)
{
	switch (type->type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
			return KEY_INTEGER;
		case BOOLOID:
			return KEY_BOOLEAN;
		case NAMEOID:
			return KEY_TEXT;
		case FLOAT4OID:
		case FLOAT8OID:
			return KEY_FLOAT;
		case NUMERICOID:
			return KEY_NUMERIC;
		case DATEOID:
			return KEY_DATE;
		case TIMESTAMPOID:
			return KEY_TIMESTAMP;
		case TIMESTAMPTZOID:
			return KEY_TIMESTAMPTZ;
		case JSONOID:
		case JSONBOID:
		case XMLOID:
		case INTERVALOID:		/* IntervalStyle */
		case CASHOID:			/* lc_monetary */
		case BYTEAOID:			/* bytea_output */
			return KEY_UNSUPPORTED;
		default:
			break;
	}
	if (OidIsValid(type->element))
		return KEY_UNSUPPORTED;
	switch (type->kind)
	{
		case TYPTYPE_BASE:
			return base_type_kind(type);
		case TYPTYPE_ENUM:
			return KEY_OUTPUT;
		default:				/* of ranges, the bounds' output counts */
			return KEY_UNSUPPORTED;
	}
}

KeyKind
key_kind(Oid type)
{
	ValueType	read;

	return type_read(type, &read) ? key_kind_of(&read) : KEY_UNSUPPORTED;
}

static bool
kind_has_words(KeyKind kind)
{
	switch (kind)
	{
		case KEY_INTEGER:
		case KEY_BOOLEAN:
		case KEY_FLOAT:
		case KEY_DATE:
		case KEY_TIMESTAMP:
		case KEY_TIMESTAMPTZ:
			return true;
		default:
			return false;
	}
}

void
key_writer_init(KeyWriter *writer, const ValueType *type, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);

	writer->type = type->type;
	writer->kind = key_kind_of(type);
	writer->lower = type->is_citext;
	writer->has_words = kind_has_words(writer->kind) || type->kind == TYPTYPE_ENUM;
	if (writer->kind == KEY_OUTPUT)
		output_init(&writer->output, type, context);
	initStringInfo(&writer->buffer);
	MemoryContextSwitchTo(old);
}

/* A float4 is a double on its way, and written with its own few digits. */
static void
append_float(StringInfo buffer, Oid type, uint64 word)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];
	double		number;

	memcpy(&number, &word, sizeof(number));
	if (type == FLOAT4OID)
		float_to_shortest_decimal_buf((float) number, digits);
	else
		double_to_shortest_decimal_buf(number, digits);
	appendStringInfoString(buffer, digits);
}

static void
append_date(StringInfo buffer, DateADT date)
{
	struct pg_tm tm;
	char		text[MAXDATELEN + 1];

	if (DATE_NOT_FINITE(date))
		EncodeSpecialDate(date, text);
	else
	{
		j2date(date + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
		EncodeDateOnly(&tm, USE_ISO_DATES, text);
	}
	appendStringInfoString(buffer, text);
}

/* With time zone: the same in UTC, marked by a Z. */
static void
append_timestamp(StringInfo buffer, Timestamp timestamp, bool with_zone)
{
	struct pg_tm tm;
	fsec_t		fraction;
	char		text[MAXDATELEN + 1];

	if (TIMESTAMP_NOT_FINITE(timestamp))
		EncodeSpecialTimestamp(timestamp, text);
	else if (timestamp2tm(timestamp, NULL, &tm, &fraction, NULL, NULL) == 0)
		EncodeDateTime(&tm, fraction, false, 0, NULL, USE_ISO_DATES, text);
	else
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	appendStringInfoString(buffer, text);
	if (with_zone)
		appendStringInfoChar(buffer, 'Z');
}

/*
 * Server encoding to UTF-8; trailing blanks of char(n) are not part of it.
 * What needs no conversion stays where it is.
 */
static const char *
text_key(KeyWriter *writer, const char *bytes, uint32 *length)
{
	char	   *converted;

	if (writer->type == BPCHAROID)
		*length = bpchartruelen((char *) bytes, *length);
	converted = pg_server_to_any(bytes, *length, PG_UTF8);
	if (converted == bytes)
		return bytes;
	appendStringInfoString(&writer->buffer, converted);
	pfree(converted);
	*length = writer->buffer.len;
	return writer->buffer.data;
}

/* A key that does not outlive this call goes to the buffer. */
static const char *
keep(KeyWriter *writer, const char *key, uint32 length)
{
	if (key == writer->buffer.data)
		return key;
	appendBinaryStringInfo(&writer->buffer, key, length);
	return writer->buffer.data;
}

const char *
key_take(KeyWriter *writer, char *string, uint32 *length)
{
	const char *key;

	resetStringInfo(&writer->buffer);
	*length = strlen(string);
	key = keep(writer, text_key(writer, string, length), *length);
	pfree(string);
	return key;
}

static const char *
varlena_key(KeyWriter *writer, Datum value, uint32 *length)
{
	struct varlena *text = PG_DETOAST_DATUM_PACKED(value);
	const char *key;

	/* by the database's collation, whatever the column's: so does citext */
	if (writer->lower)
		return key_take(writer, str_tolower(VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text),
											DEFAULT_COLLATION_OID), length);
	*length = VARSIZE_ANY_EXHDR(text);
	key = text_key(writer, VARDATA_ANY(text), length);
	if ((Pointer) text == DatumGetPointer(value))
		return key;
	key = keep(writer, key, *length);
	pfree(text);
	return key;
}

const char *
key_write_word(KeyWriter *writer, uint64 word, uint32 *length)
{
	StringInfo	buffer = &writer->buffer;

	resetStringInfo(buffer);
	switch (writer->kind)
	{
		case KEY_INTEGER:		/* a new buffer has room for it */
			buffer->len = pg_lltoa((int64) word, buffer->data);
			break;
		case KEY_BOOLEAN:
			appendStringInfoString(buffer, word ? "true" : "false");
			break;
		case KEY_FLOAT:
			append_float(buffer, writer->type, word);
			break;
		case KEY_DATE:
			append_date(buffer, (DateADT) (int64) word);
			break;
		case KEY_TIMESTAMP:
			append_timestamp(buffer, (Timestamp) word, false);
			break;
		case KEY_TIMESTAMPTZ:
			append_timestamp(buffer, (TimestampTz) word, true);
			break;
		default:				/* enum */
			return key_take(writer, output_value(&writer->output,
												 ObjectIdGetDatum((Oid) word)), length);
	}
	*length = buffer->len;
	return buffer->data;
}

const char *
key_write(KeyWriter *writer, Datum value, uint32 *length)
{
	if (writer->has_words)
		return key_write_word(writer, key_word(writer, value), length);
	resetStringInfo(&writer->buffer);
	switch (writer->kind)
	{
		case KEY_TEXT:
			if (writer->type != NAMEOID)
				return varlena_key(writer, value, length);
			*length = strlen(NameStr(*DatumGetName(value)));
			return text_key(writer, NameStr(*DatumGetName(value)), length);
		case KEY_NUMERIC:
			return key_take(writer, numeric_normalize(DatumGetNumeric(value)), length);
		case KEY_OUTPUT:
			return key_take(writer, output_value(&writer->output, value), length);
		default:
			elog(ERROR, "values of type %u have no key", writer->type);
	}
}

bool
key_same_words(const KeyWriter *a, const KeyWriter *b)
{
	return a->has_words && b->has_words && a->kind == b->kind &&
		(a->kind == KEY_INTEGER || a->type == b->type);
}

char *
key_as_text(const char *key, uint32 length)
{
	char	   *copy = pnstrdup(key, length);
	char	   *text = pg_any_to_server(copy, (int) length, PG_UTF8);

	if (text != copy)
		pfree(copy);
	return text;
}
