/*
 * input.h
 *	  One row of features on its way to the scorer, from a record or from JSON.
 */
#ifndef AREAD_INPUT_H
#define AREAD_INPUT_H

#include "access/htup.h"
#include "engine/score.h"
#include "fmgr.h"
#include "source/encoder.h"
#include "utils/jsonb.h"

/* The row as ids.  Lists lie in the order in which they were set. */
typedef struct InputRow
{
	const FeatureSpec *spec;
	uint32	   *ids;			/* [n_features] */
	uint64	   *list_start;		/* [n_features + 2] */
	uint32		n_lists;		/* list 0 is the one of a missing value */
	uint32	   *members;
	int			capacity;
	bool		has_domain;		/* the domain is given, if as NULL */
	MemoryContext context;
} InputRow;

extern void input_init(InputRow *row, const FeatureSpec *spec, MemoryContext context);
/* Every feature missing. */
extern void input_clear(InputRow *row);
extern void input_set(InputRow *row, int feature, uint32 id);
extern void input_set_list(InputRow *row, int feature, const uint32 *members, int n);
/* As the scorer takes it, counts filled in. */
extern ScoreRows input_rows(InputRow *row);

/* How records of one type map to features; for rows of that type only. */
typedef struct RecordMap RecordMap;

/*
 * Matches columns by name, once for each record type: an error if there is
 * none to match.
 */
extern RecordMap *record_map(const FeatureSpec *spec, HeapTupleHeader record,
							 MemoryContext context);
/* Is it a map for this record? */
extern bool record_map_fits(const RecordMap *map, HeapTupleHeader record);
extern void record_encode(RecordMap *map, HeapTupleHeader record, InputRow *row);

/* Encoders for JSON's types, made when first needed. */
typedef struct JsonMap JsonMap;

extern JsonMap *json_map(const FeatureSpec *spec, MemoryContext context);
/* Keys are feature names; raises an error if it is no object, or has no key that is one. */
extern void json_encode(JsonMap *map, Jsonb *features, InputRow *row);

#endif							/* AREAD_INPUT_H */
