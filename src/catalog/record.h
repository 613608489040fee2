/*
 * record.h
 *	  How a version was trained: what measuring it must know, and scoring need not.
 */
#ifndef AREAD_CATALOG_RECORD_H
#define AREAD_CATALOG_RECORD_H

#include "catalog/arguments.h"
#include "catalog/models.h"
#include "engine/measure/deciles.h"

typedef struct TrainingRecord
{
	char	   *source_name;	/* as SourceRelation.full_name */
	BadLabels	on_bad_label;
	uint64		rows_read;
	uint64		bad_labels;		/* rows among these that were left out */
	bool		has_split;		/* false: of a version before 0.4.0 */
	SplitRule	split;
} TrainingRecord;

/* Columns split_method, split_type, split_shares, split_bounds of a new version. */
extern void record_add_split(Arguments *row, const SplitRule *split);
/* An argument of what the scores' logits are multiplied by, what is added, and, with trees, what theirs count. */
extern void record_add_calibration(Arguments *arguments, const Model *model);
/* What is kept for recommending: items, users, and bytes of both. */
extern void record_kept(const Model *model, int64 kept[3]);
/*
 * Of a version that the caller may score with, in the current memory context.
 * Raises ERRCODE_DATA_CORRUPTED for what no training has written.
 */
extern void record_read(const ModelVersion *version, TrainingRecord *record);
/* The same; raises an error if it does not tell which rows trained. */
extern void record_read_split(const ModelVersion *version, TrainingRecord *record);

/*
 * Rare values of the vocabularies, for a copy of the version's specification in
 * the current memory context.  Where a vocabulary has none, though it has_rare,
 * the version was trained before 0.4.0.
 */
extern FeatureSpec *record_read_rare(const LoadedModel *loaded);
/*
 * Which columns went with the item when negatives were sampled for a version
 * [n_columns], in the current memory context; none where none were sampled.
 */
extern bool *record_read_bonds(const LoadedModel *loaded);
/*
 * How training rows lay: bin_rows of features of numbers [n_columns], and the
 * deciles of the scores.  NULL, and no rows, where it is not known.
 */
extern void record_read_spread(const LoadedModel *loaded, uint64 **bin_rows, Deciles *scores);

/* All of the above can be read; raises an error. */
extern void record_check(const LoadedModel *loaded);

#endif							/* AREAD_CATALOG_RECORD_H */
