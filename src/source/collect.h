/*
 * collect.h
 *	  Rows of a source on their way to a dataset.
 *
 * While rows are read ids are provisional: numbers of dictionary entries in
 * the order of their appearance.  When the last row is in and every row has
 * its split, ids get their final order and rows theirs.
 */
#ifndef AREAD_COLLECT_H
#define AREAD_COLLECT_H

#include "source/dictionary.h"
#include "source/encoder.h"
#include "source/features.h"
#include "source/key.h"
#include "source/label.h"
#include "source/split.h"
#include "source/weight.h"

/* A feature's column while it is read. */
typedef struct CollectColumn
{
	KeyWriter	key;			/* categorical, lists: of the members */
	Dictionary *dictionary;		/* NULL: hashed */
	uint32		buckets;
	ValueEncoder *encoder;		/* binned: the value as a number */
	double	   *numbers;		/* [capacity] binned */
	int16		element_length;
	bool		element_by_value;
	char		element_align;
} CollectColumn;

/* A key of the row that is being read, on its way to an id. */
typedef struct RowKey
{
	CollectColumn *column;
	const char *bytes;			/* NULL: it is a word */
	uint32		length;
	uint64		word;
	uint64		place;			/* where its search begins */
	uint64		hash;			/* of its bytes; of words known with the id */
	uint32		id;				/* provisional */
} RowKey;

typedef struct Collector
{
	const SourceOptions *options;
	FeatureSpec *spec;
	FeaturePlan *plans;
	LabelReader label;
	SplitReader split;
	WeightReader weight;
	/* positions among a row's values, after the features; -1: none */
	int			label_at;
	int			split_at;
	int			weight_at;
	ReadReport *report;
	MemoryContext context;
	CollectColumn *columns;		/* [n_features] */
	Dictionary *dictionaries;	/* [n_vocabularies] */
	KeyWriter **word_writers;	/* [n_vocabularies]; NULL: keys are bytes */
	/* the row that is being read: keys of all its values */
	int			n_keys;
	int			key_capacity;
	RowKey	   *keys;
	int		   *n_members_of;	/* [n_features] lists: how many of the keys */
	/* rows */
	uint64		n_rows;
	uint64		capacity;
	uint32	   *ids;			/* [capacity, n_features] */
	uint8	   *labels;
	uint64	   *hashes;			/* of features, later with the label */
	int64	   *split_keys;
	float	   *weights;		/* NULL: none */
	uint8	   *splits;
	/* lists, in the order of their appearance */
	uint64		n_lists;
	uint64		list_capacity;
	uint64	   *list_start;		/* [list_capacity + 1] */
	uint64		n_members;
	uint64		member_capacity;
	uint32	   *members;
} Collector;

/*
 * Everything is allocated in the current memory context.  plans NULL: ids come
 * from a trained model's vocabularies, collect_row() is not used.
 */
extern void collector_init(Collector *collector, const ColumnRoles *roles,
						   const SourceOptions *options, FeatureSpec *spec,
						   FeaturePlan *plans, ReadReport *report);
/* A row: features, label, split and weight column if there are such (a RowFunction). */
extern void collect_row(void *collector, const Datum *values, const bool *nulls);
/* Room for one row more. */
extern void collector_reserve(Collector *collector);
/* Append a list of n members; returns its number. */
extern uint32 collect_list(Collector *collector, const uint32 *members, int n);
/* The smallest minimum count of the features that share a vocabulary. */
extern uint32 collector_min_count(const FeatureSpec *spec, int v);
/*
 * Build a vocabulary from its dictionary, whose entries have their counts of
 * training rows, and is closed; returns final ids [n + FIRST_ID] by provisional id.
 */
extern uint32 *collector_vocabulary(Collector *collector, int v);
/* Raise an error if there are too many domains. */
extern void collector_check_domains(const FeatureSpec *spec);
/* Splits, vocabularies, bins and final ids; rows ordered by split and content. */
extern Dataset *collector_finish(Collector *collector);
/* Rows ordered by split and content, ids as they are; gives the collected rows' memory back. */
extern Dataset *collector_dataset(Collector *collector);

#endif							/* AREAD_COLLECT_H */
