/*
 * incumbent.h
 *	  The deployed version, measured on the test rows of the one that is to
 *	  take its place.
 *
 * It reads the same rows in the same scan: each row is encoded twice, by its
 * vocabularies and by the new ones.  Labels and domains are the new version's,
 * sampled negatives too.
 */
#ifndef AREAD_JOBS_INCUMBENT_H
#define AREAD_JOBS_INCUMBENT_H

#include "catalog/deploy.h"
#include "engine/sampling/negatives.h"
#include "source/source.h"

typedef struct IncumbentReading IncumbentReading;

/*
 * Before the source is read: load the version of that name that is deployed at
 * this moment, in a context of its own under "context".  NULL: none is, or it
 * cannot read that relation; the incumbent says which.
 */
extern IncumbentReading *incumbent_open(const char *name, const ColumnRoles *roles,
										MemoryContext context, Incumbent *incumbent);
/* What source_read() is to read beside the new version's dataset. */
extern SourceTwin *incumbent_twin(IncumbentReading *reading);
/* Note whether rows of the new version's test split may have trained it. */
extern void incumbent_compare_splits(const IncumbentReading *reading, const SplitRule *split,
									 const FeatureSpec *spec, Incumbent *incumbent);
/*
 * Measure it on the test rows of data.  Of data with sampled negatives origins
 * are those of its test rows; NULL: it is as it was read.
 */
extern void incumbent_measure(IncumbentReading *reading, const Dataset *data,
							  const RowOrigin *origins, const NegativeReport *negatives,
							  const FeatureSpec *spec, Incumbent *incumbent);
/* Give all of it back. */
extern void incumbent_close(IncumbentReading *reading);

#endif							/* AREAD_JOBS_INCUMBENT_H */
