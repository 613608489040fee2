/*
 * spec.h
 *	  What all of the source's rooms speak of: which column plays which part, how
 *	  a source is read, and the features and vocabularies that come out of it.
 *
 * Types only, and what can be said of them without reading anything.  Rooms and
 * files stand on this one in the order that doc/architecture.md gives.
 */
#ifndef AREAD_SOURCE_SPEC_H
#define AREAD_SOURCE_SPEC_H

#include "postgres.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "engine/data/dataset.h"
#include "engine/sampling/negatives.h"

/* Which column plays which part.  Names are as in pg_attribute (not quoted). */
typedef struct ColumnRoles
{
	const struct SourceRelation *relation;	/* read/relation.h; NULL: not opened */
	char	   *label;			/* NULL: every row is positive */
	char	   *domain;
	char	   *user_id;		/* NULL: none */
	char	   *item_id;		/* NULL: none */
	char	   *split;			/* NULL: by seeded hash */
	char	   *weight;			/* NULL: every row counts 1 */
	List	   *features;		/* of char *; NIL: every column but label, split, weight */
} ColumnRoles;

typedef enum SplitMethod
{
	SPLIT_AUTO,					/* by the type and values of the split column */
	SPLIT_BY_NAME,				/* train/valid/test or 0/1/2 */
	SPLIT_BY_ORDER,				/* the last rows are test, those before valid */
	SPLIT_BY_HASH
} SplitMethod;

typedef enum BadLabels
{
	BAD_LABELS_ERROR, BAD_LABELS_SKIP
} BadLabels;

/* Crosses at most. */
#define MAX_CROSSES 64

/* How a source is read. */
typedef struct SourceOptions
{
	double		label_threshold;	/* label = column >= threshold; NaN: none */
	BadLabels	on_bad_label;	/* raise an error, or skip and count */
	SplitMethod split_method;
	double		valid_share;
	double		test_share;
	int			default_bins;
	int			default_min_count;
	bool		row_counts;		/* of user and item, as features */
	Jsonb	   *features;		/* {"column": {"kind": ..., ...}} or NULL */
	Jsonb	   *crosses;		/* [["column", "column"], ...], up to MAX_CROSSES, or NULL */
	int			cross_buckets;
	/* what options of the engine say of a source, too */
	bool		samples_negatives;	/* so that rows are positive, and items of negatives are drawn */
	bool		keeps_times;	/* of training rows, which histories go by */
	NameList	sides;			/* columns that histories have of items */
	uint64		seed;
} SourceOptions;

typedef enum FeatureKind
{
	FEATURE_CATEGORICAL,
	FEATURE_BINNED,
	FEATURE_LIST,				/* of categorical values */
	FEATURE_ROWS,				/* training rows of another feature's value; no column */
	FEATURE_DENSE,				/* a vector of numbers */
	FEATURE_PIECEWISE,			/* a number as the vector of its pieces (keys/piecewise.h) */
	FEATURE_CROSS				/* values of several columns; no column (crosses.h) */
} FeatureKind;

/* As options, the catalog and messages have it. */
extern const char *feature_kind_name(FeatureKind kind);
/* Those that a column can be of, with what each is. */
extern char *feature_kinds_text(void);
/* The reverse of the name; false: there is no such kind. */
extern bool feature_kind_of_name(const char *name, FeatureKind *kind);

/* Is a value a vector to the engine, of a dense field? */
static inline bool
kind_is_vector(FeatureKind kind)
{
	return kind == FEATURE_DENSE || kind == FEATURE_PIECEWISE;
}

/* Is a value a list to the engine, as vectors are, too? */
static inline bool
kind_has_list(FeatureKind kind)
{
	return kind == FEATURE_LIST || kind_is_vector(kind);
}

/* Has its value, as it comes, members?  Of one number the vector comes with the bins. */
static inline bool
kind_comes_as_list(FeatureKind kind)
{
	return kind == FEATURE_LIST || kind == FEATURE_DENSE;
}

/* Is it made from other features, and no column? */
static inline bool
kind_is_derived(FeatureKind kind)
{
	return kind == FEATURE_ROWS || kind == FEATURE_CROSS;
}

/* Is its value one number? */
static inline bool
kind_is_number(FeatureKind kind)
{
	return kind == FEATURE_BINNED || kind == FEATURE_PIECEWISE;
}

/* Have a column's values keys? */
static inline bool
kind_has_keys(FeatureKind kind)
{
	return kind == FEATURE_CATEGORICAL || kind == FEATURE_LIST;
}

/*
 * Keys to ids.  "bytes" is position-independent, as stored (vocabulary.c has
 * the layout); one per table of the model.
 */
typedef struct Vocabulary
{
	char	   *name;			/* of the feature that it was made for */
	uint32		n_rows;			/* ids, FIRST_ID included */
	uint32		buckets;		/* > 0: hashed, no keys */
	bool		has_rare;		/* values below the minimum count share RARE_ID */
	/* after training, and for telling drift: hashes of these values, ascending (vocabulary.h) */
	uint32	   *rare;			/* NULL: not known here; all that have no id count as rare */
	uint32		n_rare;
	const char *bytes;
	Size		size;
} Vocabulary;

typedef struct Feature
{
	char	   *name;			/* column name; of counts and crosses for display only */
	FeatureKind kind;
	char	   *type_name;		/* of the value (of a list: its members), schema-qualified,
								 * so that it survives dump and restore */
	Oid			type;			/* type_name resolved (types.h); InvalidOid if it is gone */
	int			vocabulary;		/* index */
	int			counted;		/* of counts: the feature whose rows are counted */
	int			n_edges;		/* binned: bin = edges <= value; of counts: of its id;
								 * vectors: means of n components, then as many standard deviations;
								 * piecewise: n + 1 bounds before, and deviations times the root of n;
								 * crosses: their parts */
	double	   *edges;
	uint32		min_count;
	uint64	   *bin_rows;		/* after training, of numbers: rows of NULL, then of each bin */
	FieldBond	bond;			/* when negatives are sampled; not stored */
} Feature;

/* Components of a vector feature; 0: not known yet. */
static inline int
feature_components(const Feature *feature)
{
	return feature->kind == FEATURE_PIECEWISE ? feature->n_edges / 3 : feature->n_edges / 2;
}

/* Their means, and then their standard deviations. */
static inline double *
feature_moments(const Feature *feature)
{
	return feature->edges + (feature->kind == FEATURE_PIECEWISE ? feature_components(feature) + 1 : 0);
}

/* Bins of a number's feature. */
static inline int
feature_bins(const Feature *feature)
{
	return feature->kind == FEATURE_PIECEWISE ? feature_components(feature) : feature->n_edges + 1;
}

/* Everything that encoding a row needs; stored with the model. */
typedef struct FeatureSpec
{
	const char *model;			/* name, for messages; NULL: in training */
	int			n_features;		/* fields of the model, in order */
	int			n_columns;		/* the first ones, which are columns */
	Feature    *features;
	uint32		history_length;	/* members that count; with has_history */
	bool		has_history;	/* features[n_features] is what callers may pass: a list of items, no field */
	int			n_sides;		/* features that histories have of items, ascending */
	uint32		sides[MAX_SIDES];
	int			n_vocabularies;
	Vocabulary *vocabularies;
	int			domain_feature;
	int			user_feature;	/* -1: none */
	int			item_feature;	/* -1: none */
	char	   *label;			/* column, as trained; NULL: every row was positive */
	double		label_threshold;
	bool		citext_as_is;	/* of citext upper and lower case were told apart: before 0.4.0 */
	bool	   *unread;			/* set where a vector is taken for NULL that cannot be read; NULL: an error */
	uint64		resolved;		/* syscache_state() when names of types were; 0: not here */
} FeatureSpec;

/* Does a feature count the rows of that one? */
static inline bool
feature_counts(const Feature *feature, int counted)
{
	return feature->kind == FEATURE_ROWS && feature->counted == counted;
}

/* What is known of a feature before a row is read, beside its kind and type; needed in training alone. */
typedef struct FeaturePlan
{
	int			bins;			/* 0: none */
	int			buckets;		/* 0: none */
	bool		is_listed;		/* by the caller, or a registration */
	bool		has_options;	/* of its own */
	Oid			column_type;	/* base type */
} FeaturePlan;

/* By order: a row's split is told by its key. */
typedef struct SplitBounds
{
	bool		has_valid;
	bool		has_test;
	int64		first_valid;	/* the lowest key of validation rows */
	int64		first_test;
} SplitBounds;

/* Which rows train, as it was decided in training; stored with the model. */
typedef struct SplitRule
{
	SplitMethod method;			/* not SPLIT_AUTO */
	char	   *column;			/* NULL: by the hash of a row's features */
	char	   *type_name;		/* of the column, schema-qualified */
	double		valid_share;	/* by hash */
	double		test_share;
	uint64		seed;
	SplitBounds bounds;
} SplitRule;

/* What became of the source's rows. */
typedef struct ReadReport
{
	uint64		rows_read;
	uint64		rows_used;
	uint64		null_labels;	/* skipped */
	uint64		bad_labels;		/* skipped: not 0 or 1, by option */
	uint64		null_domains;	/* skipped */
	uint64		null_splits;	/* skipped: NULL in the split or ordering column */
	uint64		no_negatives;	/* left out when negatives were sampled: none was found */
	uint64		rows[3];		/* by split */
	SplitRule	split;			/* of a training */
	double		seconds;
} ReadReport;

/* Index of a column's feature by name, or -1. */
extern int	spec_find(const FeatureSpec *spec, const char *name);
/* The column by which a row brings the user's history; its name. */
#define HISTORY_COLUMN "history"
/* Make room for it: features has room for one more. */
extern void spec_add_history(FeatureSpec *spec, uint32 length);
/* Features that histories have of items, by name: those that the spec has. */
extern void spec_set_sides(FeatureSpec *spec, const NameList *names);
/* As spec_find(); that column, too. */
extern int	spec_find_named(const FeatureSpec *spec, const char *name);
/* Do a feature's ids stand for one value each, whose key is known? */
extern bool spec_has_keys(const FeatureSpec *spec, int feature);
/* Has another feature the same vocabulary? */
extern bool spec_shares_vocabulary(const FeatureSpec *spec, int feature);
/* The model's input as the engine sees it; arrays in the current context. */
extern void spec_shape(const FeatureSpec *spec, Shape *shape);

#endif							/* AREAD_SOURCE_SPEC_H */
