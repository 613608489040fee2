/*
 * collect.h
 *	  Rows of a source on their way to a dataset.
 *
 * While rows are read ids are provisional: numbers of dictionary entries in
 * the order of their appearance.  When the last row is in and every row has
 * its split, ids get their final order and rows theirs.  What grows with rows
 * and features lies in spools.
 */
#ifndef AREAD_SOURCE_READ_COLLECT_H
#define AREAD_SOURCE_READ_COLLECT_H

#include "source/read/label.h"
#include "source/read/lookup.h"
#include "source/read/split.h"
#include "source/read/spool.h"
#include "source/read/weight.h"

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
	Team	   *team;			/* NULL: none */
	Dictionary *dictionaries;	/* [n_vocabularies] */
	KeyWriter **word_writers;	/* [n_vocabularies]; NULL: keys are bytes */
	Lookup		lookup;			/* the latest rows' keys */
	/* rows */
	uint64		n_rows;
	uint64		capacity;		/* of the following arrays */
	Size		bytes;			/* of all but splits */
	uint8	   *labels;
	LookupResult result;		/* ids, and hashes [capacity] */
	int64	   *split_keys;		/* NULL: split by hash */
	float	   *weights;		/* NULL: none */
	uint8	   *splits;			/* [n_rows], when all are read */
	SplitBounds bounds;			/* the same, where splits are by order */
	SpoolRoom  *room;
	struct Collector *twin;		/* the same rows, encoded otherwise; NULL: none */
	Dataset    *twin_data;		/* of these, placed */
} Collector;

/*
 * Memory in the current context for an array of rows or keys: it may be larger
 * than palloc() gives, or of no bytes.
 */
static inline void *
huge(Size size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(size, 1));
}

/*
 * Everything is allocated in the current memory context, the room's too.  plans
 * NULL: ids come from a trained model's vocabularies, collect_row() is not used.
 */
extern void collector_init(Collector *collector, const ColumnRoles *roles,
						   const SourceOptions *options, FeatureSpec *spec,
						   FeaturePlan *plans, SpoolRoom *room, Team *team,
						   ReadReport *report);
/* A row: features, label, split and weight column if there are such (a RowFunction). */
extern void collect_row(void *collector, const Datum *values, const bool *nulls);
/* Give the latest rows, which may yet wait for that, their ids and hashes. */
extern void collector_look_up(Collector *collector);
/* Room for one row more. */
extern void collector_reserve(Collector *collector);
/* Append the members of a list of the row at hand; returns what its ids have of it. */
extern uint32 collect_list(Collector *collector, const uint32 *members, int n);
/* Forget all rows; dictionaries stay. */
extern void collector_forget(Collector *collector);
/* Give back what only the order of rows needs: labels, hashes, keys of splits, weights. */
extern void collector_free_order(Collector *collector);
/* Give back all that grows with the source: its rows are not needed. */
extern void collector_discard(Collector *collector);
/* The smallest minimum count of the features that share a vocabulary. */
extern uint32 collector_min_count(const FeatureSpec *spec, int v);
/*
 * Build a vocabulary from its dictionary, whose entries have their counts of
 * training rows, and close that; returns final ids [n + FIRST_ID] by provisional id.
 */
extern uint32 *collector_vocabulary(Collector *collector, int v);
/* Raise an error if there are too many domains. */
extern void collector_check_domains(const FeatureSpec *spec);
/* Of rows that have their ids: splits, vocabularies, bins and final ids; rows ordered by split and content. */
extern Dataset *collector_finish(Collector *collector);

#endif							/* AREAD_SOURCE_READ_COLLECT_H */
