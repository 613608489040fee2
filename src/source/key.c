/*
 * key.c
 *	  Canonical keys.
 */
#include "postgres.h"

#include "source/key.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

/* Other base types, by what their category promises of their output. */
static KeyKind
base_type_kind(Oid type)
{
	char		category;
	bool		preferred;

	get_type_category_preferred(type, &category, &preferred);
	switch (category)
	{
		case TYPCATEGORY_STRING:
			return get_typlen(type) == -1 ? KEY_TEXT : KEY_OUTPUT;
		case TYPCATEGORY_GEOMETRIC: /* extra_float_digits */
		case TYPCATEGORY_NUMERIC:	/* regclass and its like: search_path */
			return KEY_UNSUPPORTED;
		default:
			return KEY_OUTPUT;
	}
}

KeyKind
key_kind(Oid type)
{
	Oid			base = getBaseType(type);

	switch (base)
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
	if (OidIsValid(get_element_type(base)))
		return KEY_UNSUPPORTED;
	switch (get_typtype(base))
	{
		case TYPTYPE_BASE:
			return base_type_kind(base);
		case TYPTYPE_ENUM:
			return KEY_OUTPUT;
		default:				/* of ranges, the bounds' output counts */
			return KEY_UNSUPPORTED;
	}
}

void
key_writer_init(KeyWriter *writer, Oid type, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);

	writer->type = getBaseType(type);
	writer->kind = key_kind(type);
	if (writer->kind == KEY_OUTPUT)
	{
		Oid			output;
		bool		is_varlena;

		getTypeOutputInfo(writer->type, &output, &is_varlena);
		fmgr_info_cxt(output, &writer->output, context);
	}
	initStringInfo(&writer->buffer);
	MemoryContextSwitchTo(old);
}

static int64
integer_value(Oid type, Datum value)
{
	switch (type)
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case OIDOID:
			return DatumGetObjectId(value);
		default:
			return DatumGetInt64(value);
	}
}

/* Server encoding to UTF-8; trailing blanks of char(n) are not part of it. */
static void
append_text(StringInfo buffer, Oid type, const char *bytes, int length)
{
	char	   *converted;

	if (type == BPCHAROID)
		length = bpchartruelen((char *) bytes, length);
	converted = pg_server_to_any(bytes, length, PG_UTF8);
	if (converted == bytes)
		appendBinaryStringInfo(buffer, bytes, length);
	else
	{
		appendStringInfoString(buffer, converted);
		pfree(converted);
	}
}

static void
append_float(StringInfo buffer, Oid type, Datum value)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (type == FLOAT4OID)
	{
		float		number = DatumGetFloat4(value);

		float_to_shortest_decimal_buf(number == 0 ? 0 : number, digits);
	}
	else
	{
		double		number = DatumGetFloat8(value);

		double_to_shortest_decimal_buf(number == 0 ? 0 : number, digits);
	}
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

const char *
key_write(KeyWriter *writer, Datum value, uint32 *length)
{
	StringInfo	buffer = &writer->buffer;

	resetStringInfo(buffer);
	switch (writer->kind)
	{
		case KEY_INTEGER:
			enlargeStringInfo(buffer, MAXINT8LEN + 1);
			buffer->len = pg_lltoa(integer_value(writer->type, value), buffer->data);
			break;
		case KEY_BOOLEAN:
			appendStringInfoString(buffer, DatumGetBool(value) ? "true" : "false");
			break;
		case KEY_TEXT:
			if (writer->type == NAMEOID)
				append_text(buffer, NAMEOID, NameStr(*DatumGetName(value)),
							strlen(NameStr(*DatumGetName(value))));
			else
			{
				struct varlena *text = PG_DETOAST_DATUM_PACKED(value);

				append_text(buffer, writer->type, VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
				if ((Pointer) text != DatumGetPointer(value))
					pfree(text);
			}
			break;
		case KEY_FLOAT:
			append_float(buffer, writer->type, value);
			break;
		case KEY_NUMERIC:
			{
				char	   *text = numeric_normalize(DatumGetNumeric(value));

				appendStringInfoString(buffer, text);
				pfree(text);
				break;
			}
		case KEY_DATE:
			append_date(buffer, DatumGetDateADT(value));
			break;
		case KEY_TIMESTAMP:
			append_timestamp(buffer, DatumGetTimestamp(value), false);
			break;
		case KEY_TIMESTAMPTZ:
			append_timestamp(buffer, DatumGetTimestampTz(value), true);
			break;
		case KEY_OUTPUT:
			{
				char	   *text = OutputFunctionCall(&writer->output, value);

				append_text(buffer, InvalidOid, text, strlen(text));
				pfree(text);
				break;
			}
		case KEY_UNSUPPORTED:
			elog(ERROR, "values of type %u have no key", writer->type);
	}
	*length = buffer->len;
	return buffer->data;
}
