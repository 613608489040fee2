/*
 * number.h
 *	  Values of number types as double, for labels and weights.
 */
#ifndef AREAD_SOURCE_KEYS_NUMBER_H
#define AREAD_SOURCE_KEYS_NUMBER_H

#include "postgres.h"

/* Is it a number type?  Booleans are not.  Wants a base type. */
extern bool is_number(Oid type);
/* A value of such a type, or a boolean, as a number; infinite where it is too large for one. */
extern double number_value(Oid type, Datum value);

#endif							/* AREAD_SOURCE_KEYS_NUMBER_H */
