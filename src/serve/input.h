/*
 * input.h
 *	  Rows of features on their way to the scorer, from records or from JSON.
 */
#ifndef AREAD_SERVE_INPUT_H
#define AREAD_SERVE_INPUT_H

#include "access/htup.h"
#include "engine/score/score.h"
#include "fmgr.h"
#include "source/keys/encoder.h"
#include "utils/jsonb.h"

/* Rows as ids.  Lists lie in the order in which they were set. */
typedef struct InputRows
{
	const FeatureSpec *spec;
	int			n_rows;
	int			max_rows;
	uint32	   *ids;			/* [max_rows, n_features] */
	uint64	   *list_start;		/* [max_rows * (n_features + 1) + 2] */
	uint32		n_lists;		/* list 0 is the one of a missing value */
	uint32	   *members;
	Size		capacity;
	uint32	   *histories;		/* [max_rows] lists that are rows' own histories; 0: none */
	uint32	   *row;			/* [n_features] ids of the latest row, which the setters fill */
	uint32		first_list;		/* that could be the latest row's */
	ValueEncoder *user;			/* that its user was encoded with; NULL: it is missing, or null */
	bool		has_domain;		/* its domain is given, if as NULL */
	MemoryContext context;
} InputRows;

extern void input_init(InputRows *rows, const FeatureSpec *spec, int max_rows,
					   MemoryContext context);
/* No rows. */
extern void input_clear(InputRows *rows);
/* One row more, every feature missing; there must be room. */
extern void input_add(InputRows *rows);
extern void input_set(InputRows *rows, int feature, uint32 id);
extern void input_set_list(InputRows *rows, int feature, const uint32 *members, int n);
/* The latest row's own history, the newest last: of those seen in training as many as count. */
extern void input_set_history(InputRows *rows, const uint32 *members, int n);
/* An error for a domain that training has not seen, if the setting wants one. */
extern void input_check_domain(const FeatureSpec *spec, uint32 id);
/* The latest row has all its columns: its counts and crosses are filled in. */
extern void input_finish(InputRows *rows);
/* Memory of the latest row's lists. */
extern Size input_list_bytes(const InputRows *rows);
/* As the scorer takes them. */
extern ScoreRows input_rows(const InputRows *rows);

/* How records of one type map to features; for rows of that type only. */
typedef struct RecordMap RecordMap;

/*
 * Matches columns by name, once for each record type: an error if there is
 * none to match, or two of one name.  A domain that is an argument of its own
 * (with_domain: it is not) is not looked for.
 */
extern RecordMap *record_map(const FeatureSpec *spec, HeapTupleHeader record, bool with_domain,
							 MemoryContext parent);
extern void record_map_delete(RecordMap *map);
/* Is it a map for this record? */
extern bool record_map_fits(const RecordMap *map, HeapTupleHeader record);
/* Returns how many features it has. */
extern int	record_encode(RecordMap *map, HeapTupleHeader record, InputRows *rows);

/* Encoders for JSON's types, made when first needed. */
typedef struct JsonMap JsonMap;

extern JsonMap *json_map(const FeatureSpec *spec, MemoryContext context);
/*
 * Keys are feature names; raises an error if it is no object, or has no key
 * that is one.  The domain and the result are as above.
 */
extern int	json_encode(JsonMap *map, Jsonb *features, bool with_domain, InputRows *rows);
/* An item of a history: its id, and its key, which is valid until the function returns. */
typedef void (*MemberFunction) (void *context, uint32 id, const char *key, uint32 length);
/* Each item of the history that the object brings, which json_encode() has taken; null ones are none. */
extern void json_each_of_history(JsonMap *map, Jsonb *features, MemberFunction function,
								 void *context);

#endif							/* AREAD_SERVE_INPUT_H */
