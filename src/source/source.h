/*
 * source.h
 *	  From a relation to a dataset: the last of the source's rooms, and the one
 *	  that others ask.
 */
#ifndef AREAD_SOURCE_SOURCE_H
#define AREAD_SOURCE_SOURCE_H

#include "engine/base/team.h"
#include "source/read/relation.h"
#include "source/read/splitter.h"
#include "source/read/spool.h"
#include "source/spec.h"

/* The same rows a second time, by the vocabularies of a trained model. */
typedef struct SourceTwin
{
	const FeatureSpec *spec;
	Dataset    *data;			/* row by row beside the first; of ids and lists only */
} SourceTwin;

/*
 * Read the roles' relation, with the caller's rights, through the executor; infer
 * the feature spec, build vocabularies and bins from its training rows.  It is
 * read once, and once more without them if there are columns that are no features
 * and that nobody has listed (survey.h).
 * Everything is allocated in "context", the room's too, which is to outlive the
 * threads of the team (NULL: none); what there is no room for lies in files.  The twin, whose
 * columns must all be there, is read along with it (NULL: none).  Errors are raised with ereport.
 */
extern Dataset *source_read(const ColumnRoles *roles, const SourceOptions *options,
							MemoryContext context, SpoolRoom *room, Team *team,
							FeatureSpec **spec, SourceTwin *twin, ReadReport *report);

/*
 * The features (of char *) that source_read() chooses where the roles list none;
 * reads the relation for that alone, as the calling query sees it.
 */
extern List *source_features(const ColumnRoles *roles, const SourceOptions *options);

/*
 * Read a relation with the spec of a trained model and a label column: for
 * evaluation.  All rows that pass the filter (NULL: none) land in SPLIT_TEST.
 */
extern Dataset *source_read_as(const SourceRelation *relation, const FeatureSpec *spec, const char *label,
							   const SourceOptions *options, SplitFilter *filter,
							   MemoryContext context, SpoolRoom *room, ReadReport *report);

/*
 * The same with every row in its split, as the filter tells it, and rows of none left
 * out; without a filter all land in SPLIT_TRAIN.  Within a split rows lie in an order of no meaning.
 * Label NULL: all rows are positive.
 */
extern Dataset *source_read_by_split(const SourceRelation *relation, const FeatureSpec *spec,
									 const char *label, const SourceOptions *options,
									 SplitFilter *filter, MemoryContext context, SpoolRoom *room,
									 ReadReport *report);

#endif							/* AREAD_SOURCE_SOURCE_H */
