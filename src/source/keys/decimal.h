/*
 * decimal.h
 *	  Numbers by their decimal digits, whatever type they come in.
 *
 * 0.1 is one number as real, double precision, numeric, text or in JSON: the
 * one that its shortest digits tell.  It is read from these and rounded once,
 * to the type that is wanted.  Digits are C strings as SQL writes numbers.
 */
#ifndef AREAD_SOURCE_KEYS_DECIMAL_H
#define AREAD_SOURCE_KEYS_DECIMAL_H

#include "postgres.h"

#include "utils/numeric.h"

/* int2, int4, int8, oid. */
extern bool is_integer(Oid type);
/* These, float4, float8, numeric: their values have digits. */
extern bool has_digits(Oid type);
/* A new string: the digits of a value of such a type; not finite: NaN, Infinity, -Infinity. */
extern char *decimal_digits(Oid type, Datum value);
/* Is it a number as SQL writes it, or one of the words for those without digits? */
extern bool is_decimal(const char *text);

/*
 * As float4 or float8.  *past: it is too large or too small for the type, and
 * the result is infinite or 0.
 */
extern double decimal_float(const char *digits, Oid type, bool *past);
/*
 * As numeric.  That ends where nobody gets by honest means: beyond, a number is as
 * good as infinite or 0.
 */
extern Numeric decimal_numeric(const char *digits);
/*
 * A new string: all digits, without an exponent or zeros at the end; if it is to
 * be whole, rounded as numerics are.  42, 4.2e1, +42.0 are one.
 */
extern char *decimal_canonical(const char *digits, bool whole);

#endif							/* AREAD_SOURCE_KEYS_DECIMAL_H */
