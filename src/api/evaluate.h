/*
 * evaluate.h
 *	  What functions share that measure a model over a table.
 */
#ifndef AREAD_API_EVALUATE_H
#define AREAD_API_EVALUATE_H

#include "catalog/record.h"
#include "serve/cache.h"
#include "source/read/relation.h"
#include "source/read/splitter.h"

/*
 * The label column: the one trained with; of a model that was trained without, the one
 * registered for the relation, or "label"; NULL: there is none.
 */
extern const char *evaluation_find_label(const LoadedModel *loaded,
										 const SourceRelation *relation);
/* A Split by its name, or an error. */
extern int	evaluation_split(const text *name);
/*
 * A filter for a split, or (wanted -1) to tell which row is of which; NULL: that cannot be
 * told.  A wanted one that cannot be told is an error.
 */
extern SplitFilter *evaluation_filter(const LoadedModel *loaded, const SourceRelation *relation,
									  const TrainingRecord *record, int wanted);
/*
 * A WARNING if far more labels were left out than in training: a model is not to be measured
 * on the few rows that stay.
 */
extern void evaluation_warn_of_bad_labels(const ReadReport *report, const TrainingRecord *record);

#endif							/* AREAD_API_EVALUATE_H */
