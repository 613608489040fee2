/*
 * splitter.h
 *	  The split that a row has, or would have had, in a model's training.
 */
#ifndef AREAD_SOURCE_READ_SPLITTER_H
#define AREAD_SOURCE_READ_SPLITTER_H

#include "source/spec.h"

typedef struct Splitter Splitter;

/* Columns (of char *) that tell a row's split; by hash all features, whose domain they have anyway. */
extern List *splitter_columns(const SplitRule *rule, const FeatureSpec *spec);
/*
 * For rows whose values are those of splitter_columns(), of these types, and,
 * where its type is not InvalidOid, of the label column.  Everything is
 * allocated in the current memory context; conversions are as encoder.h says.
 */
extern Splitter *splitter_create(const SplitRule *rule, const FeatureSpec *spec,
								 const Oid *types, Oid label_type);
/* A Split; -1: training left such a row out, or would not have taken it. */
extern int	splitter_split(Splitter *splitter, const Datum *values, const bool *nulls);

/* Rows of one split alone, as training had them, or a count of each. */
typedef struct SplitFilter
{
	Splitter   *splitter;
	List	   *columns;		/* that it reads, of char * */
	int			wanted;			/* -1: all rows */
	int			latest;			/* split of the row just met; -1: none */
	uint64		rows[3];		/* met, of each split */
} SplitFilter;

/* Is it a row of the wanted split?  Values are those of the filter's columns; counts the row. */
extern bool splitter_passes(SplitFilter *filter, const Datum *values, const bool *nulls);

#endif							/* AREAD_SOURCE_READ_SPLITTER_H */
