/*
 * dense.h
 *	  Vectors of dense features: from values of several types to numbers, and
 *	  these standardized.
 *
 * The numbers are floats, whatever the type: arrays of numbers, and types whose
 * text is a vector's, "[1, 2.5, -3]" (as pgvector's has it) or "{1, 2.5, -3}".
 */
#ifndef AREAD_SOURCE_KEYS_DENSE_H
#define AREAD_SOURCE_KEYS_DENSE_H

#include "source/spec.h"

/* As many as pgvector's type has room for. */
#define MAX_COMPONENTS 16000

typedef struct VectorReader VectorReader;

/* Are columns of that type dense features unless an option says otherwise? */
extern bool vector_by_default(Oid type);
/* Can they be? */
extern bool vector_possible(Oid type);

/*
 * For values of a type, UNKNOWNOID being a C string; raises an error if that
 * has no vectors.  In training the feature has no length yet, and takes that of
 * the first vector.
 */
extern VectorReader *vector_reader(const FeatureSpec *spec, int feature, Oid type,
								   MemoryContext context);
/*
 * The numbers of a value that is not NULL: as many as all have.  Valid until the
 * next call; raises an error for what is no vector of that length, or has a
 * component that is NULL or not finite, unless the spec takes such for NULL: then
 * the result is NULL.
 */
extern const float *vector_read(VectorReader *reader, Datum value);
/* Numbers of a vector; 0: none was read yet. */
extern int	vector_length(const VectorReader *reader);

/* What a row's hash has of a value that is not NULL, in training (lookup.c) and after. */
extern uint64 vector_hash(VectorReader *reader, Datum value);

/*
 * Members [1 + length] of the list that stands for a vector (engine/data/dataset.h),
 * as they come or standardized: one component, or the bits of all.
 */
extern void vector_members(const float *numbers, int length, uint32 *members);
extern float vector_component(const Feature *feature, int i, double number);
extern void vector_standardize(const Feature *feature, const uint32 *bits, uint32 *standardized);

#endif							/* AREAD_SOURCE_KEYS_DENSE_H */
