/*
 * encoder.h
 *	  A value of a feature to its id: canonical keys, casts between the type of
 *	  the input and the type trained with, bins.
 */
#ifndef AREAD_SOURCE_KEYS_ENCODER_H
#define AREAD_SOURCE_KEYS_ENCODER_H

#include "source/spec.h"

typedef struct ValueEncoder ValueEncoder;

/* What NULL is in the hash of a row. */
#define NULL_HASH UINT64CONST(0x6E756C6C)

/*
 * Prepare to encode values of input_type for a feature, as long as
 * conversions_hold().  Values of another type than the feature's are cast by
 * that type's own rules (convert.h): an implicit or assignment cast, else
 * through text; raises an error if that would call what the current user may
 * not.  Numbers are known by their digits (decimal.h).  A value past the
 * feature's type is one never seen, and lies in the outermost bin; of a word that
 * is no value at all the error names feature and model.  UNKNOWNOID is a C string.
 */
extern ValueEncoder *encoder_create(const FeatureSpec *spec, int feature, Oid input_type,
									MemoryContext context);
/* Id of a value of a single-valued feature. */
extern uint32 encoder_id(ValueEncoder *encoder, Datum value, bool isnull);
/*
 * The same in steps, for many values at once (vocabulary.h says why): note
 * each, prefetch the lengths of all of them, then the bytes, then ask for ids.
 * A noted value must stay where it is.
 */
extern void encoder_note(ValueEncoder *encoder, Datum value, bool isnull);
extern void encoder_prefetch_length(const ValueEncoder *encoder);
extern void encoder_prefetch_bytes(const ValueEncoder *encoder);
extern uint32 encoder_noted_id(const ValueEncoder *encoder);
/* Key of the value that was noted last, or whose id was asked for; NULL: it has none. */
extern const char *encoder_noted_key(const ValueEncoder *encoder, uint32 *length);
/*
 * Ids of a list's members: *members is valid until the next call; returns how
 * many.  NULL is a list of one NULL_ID; NULL members are left out.  Of a dense or
 * piecewise feature the list that stands for its vector (engine/data/dataset.h).
 */
extern int	encoder_members(ValueEncoder *encoder, Datum value, bool isnull,
							const uint32 **members);

/*
 * Are all values of a key, of a feature whose values are categories, equal to each other by the
 * operator of their own type?  Not where a text is read as something else: "007" is 7 to a
 * model of integers, and citext knows no case.
 */
extern bool encoder_has_one_spelling(const ValueEncoder *encoder);

/* The value's part in the hash of a row, which splits and orders rows in training (lookup.c). */
extern uint64 encoder_row_hash(ValueEncoder *encoder, Datum value, bool isnull);

/* A value of a feature of numbers; NULL is NaN. */
extern double encoder_number(ValueEncoder *encoder, Datum value, bool isnull);
/* The value of a binned feature's bin: FIRST_ID + edges at or below it; NaN: NULL_ID. */
extern uint32 bin_of(const Feature *feature, double value);

/* That bin of an encoded value of a feature of numbers, its id or the list of its vector. */
extern uint32 number_bin(const Feature *feature, const uint32 *ids, int n);

/* Number of that id in Feature.bin_rows: 0 for NULL. */
static inline int
bin_number(uint32 id)
{
	return id >= FIRST_ID ? id - FIRST_ID + 1 : 0;
}

#endif							/* AREAD_SOURCE_KEYS_ENCODER_H */
