/*
 * convert.h
 *	  Values from one type to another, and to text, without foreign code.
 *
 * A function that others wrote must not run with the rights of whoever scores.
 * What is called here is a type's own input or output function, which is in C
 * and a superuser's, or a cast's function that the current user may execute and
 * that is a superuser's or the user's own; anything else is an error.
 */
#ifndef AREAD_SOURCE_KEYS_CONVERT_H
#define AREAD_SOURCE_KEYS_CONVERT_H

#include "fmgr.h"
#include "source/keys/types.h"

/* How values of a type are written. */
typedef struct ValueOutput
{
	FmgrInfo	function;
	bool		pin_settings;	/* write as under the server's defaults */
} ValueOutput;

extern void output_init(ValueOutput *output, const ValueType *type, MemoryContext context);
/* A new string, the same whatever the session's settings are. */
extern char *output_value(ValueOutput *output, Datum value);

/* How a value gets from its own type to the one wanted. */
typedef enum CastKind
{
	CAST_NONE,					/* it is of that type, or binary compatible */
	CAST_FUNCTION,
	CAST_DIGITS,				/* by the digits of numbers; of other words through the input function */
	CAST_TEXT,					/* as text through the input function */
	CAST_LABEL					/* to text that is, or would be, a label of the enum */
} CastKind;

typedef struct ValueCast
{
	CastKind	kind;
	Oid			from;
	Oid			to;
	FmgrInfo	function;		/* cast or input function */
	Oid			io_param;
	ValueOutput output;			/* to text, of values that are none */
} ValueCast;

/*
 * By an implicit or assignment cast, else through text.  An enum's values come
 * out as text, CAST_LABEL, unless a cast makes them: what is wanted of them is
 * the label, and the type may be dropped at any time.  Of numbers and booleans
 * the digits are wanted, CAST_DIGITS: they may be past the type.  "feature" is
 * whose values they are, for messages.
 */
extern void cast_init(ValueCast *cast, const char *feature, const ValueType *from,
					  const ValueType *to, MemoryContext context);
extern Datum cast_apply(ValueCast *cast, Datum value);
/* A new string, the digits (decimal.h) of a value; NULL: a word, or no CAST_DIGITS, for cast_value(). */
extern char *cast_digits(ValueCast *cast, Datum value);

/* A value that is not NULL. */
static inline Datum
cast_value(ValueCast *cast, Datum value)
{
	return cast->kind == CAST_NONE ? value : cast_apply(cast, value);
}

/*
 * The same where digits are known as well: a number past the type becomes the
 * type's nearest one.  An enum's values are text, as of CAST_LABEL.
 */
extern Datum cast_nearest(ValueCast *cast, Datum value);

/*
 * When and for whom conversions were made ready; they hold no longer than that,
 * for rights are the current user's at the time of use.
 */
typedef struct ConversionState
{
	uint64		catalog;		/* syscache_state() */
	Oid			user;
} ConversionState;

extern ConversionState conversion_state(void);
/* Are conversions that were made in that state as they would be now? */
extern bool conversions_hold(const ConversionState *made);

#endif							/* AREAD_SOURCE_KEYS_CONVERT_H */
