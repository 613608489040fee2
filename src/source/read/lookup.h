/*
 * lookup.h
 *	  Values of a source's rows to provisional ids: many rows at a time, column
 *	  by column.
 *
 * Rows come one by one, but the dictionaries of 20 columns do not fit the
 * processor's cache together: so values wait as keys until there is a block of
 * rows; then the keys of one column are looked up after each other, and memory
 * is fetched ahead for the next ones.
 *
 * Blocks go through three stages, one of each at a time: the caller fills one
 * with rows, while a team's threads find the keys of the one before and write
 * the ids of the one before that.  In between the caller alone adds new keys
 * to the dictionaries.
 */
#ifndef AREAD_SOURCE_READ_LOOKUP_H
#define AREAD_SOURCE_READ_LOOKUP_H

#include "engine/base/team.h"
#include "source/keys/dense.h"
#include "source/keys/dictionary.h"
#include "source/keys/encoder.h"
#include "source/keys/key.h"
#include "source/read/spool.h"

#define LOOKUP_ROWS 512
/* Keys of a row whose value is NULL. */
#define LOOKUP_NULL (-1)

/* A feature's column. */
typedef struct LookupColumn
{
	const char *name;
	FeatureKind kind;
	KeyWriter	writer;			/* categorical, lists: of the members */
	Dictionary *dictionary;		/* NULL: hashed */
	bool		is_words;		/* the dictionary's keys */
	uint32		buckets;
	ValueEncoder *encoder;		/* numbers: the value as one */
	Spool		numbers;		/* the same: double [n_rows] */
	VectorReader *vectors;		/* dense */
	int16		element_length;
	bool		element_by_value;
	char		element_align;
} LookupColumn;

/*
 * A column's keys in a block of rows.  Arrays, so that the caller and the
 * threads pass no more memory to each other than they need.
 */
typedef struct BlockKeys
{
	int32		n_of_row[LOOKUP_ROWS];	/* LOOKUP_NULL: none */
	uint32		n;
	uint32		capacity;
	uint64	   *words;			/* or where their bytes begin; when they are found, hashes */
	uint32	   *lengths;		/* of bytes */
	uint64	   *starts;			/* where a search begins; of bytes their hash */
	uint32	   *ids;			/* provisional; NOT_FOUND: the key is new */
	Size		used;
	Size		allocated;
	char	   *bytes;			/* of keys that are no words */
	uint32		next;			/* of lists, while ids are written */
} BlockKeys;

/* Some keys of a column: a task. */
typedef struct KeySlice
{
	int			column;
	uint32		from;
	uint32		to;
} KeySlice;

typedef struct LookupBlock
{
	int			n_rows;
	Size		held;			/* bytes of keys, about */
	BlockKeys  *columns;		/* [n_columns] */
	/* its results, being written */
	uint32	   *ids;			/* [n_rows, n_features] */
	uint32	   *members;
	uint32		n_members;
	uint64		hashes[LOOKUP_ROWS];
} LookupBlock;

typedef struct Lookup
{
	Team	   *team;			/* NULL: none */
	EngineHost	host;
	Watch		watch;			/* over blocks: a row's list may be as long as a table */
	Watch		followers;		/* the same to other threads than the caller's */
	int			n_features;
	int			n_columns;
	LookupColumn *columns;		/* [n_columns] */
	LookupBlock blocks[3];
	LookupBlock *filling;		/* one of them, and so on */
	LookupBlock *finding;		/* empty: none is */
	LookupBlock *writing;		/* the same */
	int			slice_capacity;
	KeySlice   *slices;			/* of the one that is being found */
} Lookup;

/* Where results go. */
typedef struct LookupResult
{
	Spool		ids;			/* uint32 [n_rows, n_features]: an id, or a list's length; of
								 * features without a column UNSEEN_ID */
	Spool		members;		/* uint32, of all lists: row by row, feature by feature; of
								 * vectors the numbers as they come */
	uint64	   *hashes;			/* [n_rows] of all of a row's values */
	uint64		n_rows;
} LookupResult;

/* Whose value it is that fails, for messages (an error context callback over a LookupColumn *). */
static inline void
lookup_tell_column(void *column)
{
	errcontext("column \"%s\"", (*(LookupColumn **) column)->name);
}

/*
 * Dictionaries [n_vocabularies of the specification] are initialized here, with
 * keys as words where those of all columns that share one are the same; there
 * writers [n_vocabularies] says how a word is written, and is NULL elsewhere.
 * Everything is allocated in the current memory context, which is to outlive
 * the team's threads, as the struct itself is.
 */
extern void lookup_init(Lookup *lookup, const FeatureSpec *spec, Dictionary *dictionaries,
						KeyWriter **writers, SpoolRoom *room, Team *team);
/*
 * The block is complete: every block goes on to its next stage.  Rows that were
 * added two calls before are in the result after this one.
 */
extern void lookup_pass_on(Lookup *lookup, LookupResult *result);

/* Give back its blocks and numbers; no task of it is under way. */
extern void lookup_free(Lookup *lookup);

#endif							/* AREAD_SOURCE_READ_LOOKUP_H */
