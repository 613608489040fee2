/*
 * decimal.c
 *	  Numbers by their decimal digits.
 *
 * Digits become a float by the C library, rounded once to the type that is wanted,
 * or a numeric by PostgreSQL.  Canonical digits are those of a numeric without
 * trailing zeros; whole numbers that are canonical already are taken as they are.
 *
 * Nothing here depends on a locale: the server keeps LC_NUMERIC at C.  Strings are
 * new, in the current memory context.
 */
#include "postgres.h"

#include "source/keys/decimal.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#define BLANKS " \t\n\v\f\r"
#define DIGITS "0123456789"
/* More digits than these are not all kept: nothing that was ever trained has so many. */
#define MAX_DIGITS 10000

bool
is_integer(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID || type == OIDOID;
}

bool
has_digits(Oid type)
{
	return is_integer(type) || type == FLOAT4OID || type == FLOAT8OID || type == NUMERICOID;
}

char *
decimal_digits(Oid type, Datum value)
{
	char	   *digits;

	if (type == NUMERICOID)
		return numeric_normalize(DatumGetNumeric(value));
	digits = palloc(Max(DOUBLE_SHORTEST_DECIMAL_LEN, MAXINT8LEN + 1));
	switch (type)
	{
		case INT2OID:
			pg_itoa(DatumGetInt16(value), digits);
			break;
		case INT4OID:
			pg_ltoa(DatumGetInt32(value), digits);
			break;
		case INT8OID:
			pg_lltoa(DatumGetInt64(value), digits);
			break;
		case OIDOID:
			pg_lltoa(DatumGetObjectId(value), digits);
			break;
		case FLOAT4OID:
			float_to_shortest_decimal_buf(DatumGetFloat4(value), digits);
			break;
		case FLOAT8OID:
			double_to_shortest_decimal_buf(DatumGetFloat8(value), digits);
			break;
		default:
			elog(ERROR, "values of type %u have no digits", type);
	}
	return digits;
}

/* The end of a word, in upper or lower case; NULL: there is another. */
static const char *
skip_word(const char *at, const char *word)
{
	size_t		length = strlen(word);

	return pg_strncasecmp(at, word, length) == 0 ? at + length : NULL;
}

/* The end of digits with or without a point and an exponent; NULL: there are none. */
static const char *
skip_digits(const char *at)
{
	size_t		whole = strspn(at, DIGITS);
	size_t		fraction = at[whole] == '.' ? strspn(at + whole + 1, DIGITS) : 0;

	if (whole + fraction == 0)
		return NULL;
	at += whole + (at[whole] == '.') + fraction;
	if (*at == 'e' || *at == 'E')
	{
		at++;
		at += *at == '-' || *at == '+';
		if (strspn(at, DIGITS) == 0)
			return NULL;
		at += strspn(at, DIGITS);
	}
	return at;
}

bool
is_decimal(const char *text)
{
	const char *at = text + strspn(text, BLANKS);
	const char *end = skip_word(at, "nan");

	if (!end)
	{
		at += *at == '-' || *at == '+';
		end = skip_digits(at);
	}
	if (!end)
		end = skip_word(at, "infinity");
	if (!end)
		end = skip_word(at, "inf");
	return end && end[strspn(end, BLANKS)] == '\0';
}

double
decimal_float(const char *digits, Oid type, bool *past)
{
	double		number;

	errno = 0;
	number = type == FLOAT4OID ? strtof(digits, NULL) : strtod(digits, NULL);
	*past = errno == ERANGE && (number == 0 || isinf(number));
	return number;
}

Numeric
decimal_numeric(const char *digits)
{
	const char *at = strpbrk(digits, "eE");
	long		exponent = at ? strtol(at + 1, NULL, 10) : 0;

	if (strlen(digits) > MAX_DIGITS || exponent > MAX_DIGITS || exponent < -MAX_DIGITS)
		return DatumGetNumeric(DirectFunctionCall1(float8_numeric,
												   Float8GetDatum(strtod(digits, NULL))));
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(digits),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

/* As most come: a whole number without a sign or zero too many. */
static bool
is_canonical(const char *digits)
{
	size_t		length = strspn(digits, DIGITS);

	return length > 0 && digits[length] == '\0' && (digits[0] != '0' || length == 1);
}

char *
decimal_canonical(const char *digits, bool whole)
{
	Numeric		number;
	char	   *canonical;

	if (is_canonical(digits))
		return pstrdup(digits);
	number = decimal_numeric(digits);
	canonical = numeric_normalize(number);
	if (whole && strchr(canonical, '.'))
	{
		pfree(canonical);
		canonical = numeric_normalize(DatumGetNumeric(
			DirectFunctionCall2(numeric_round, NumericGetDatum(number), Int32GetDatum(0))));
	}
	pfree(number);
	return canonical;
}
