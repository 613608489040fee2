/*
 * report.h
 *	  What a training says while it works: NOTICEs.
 */
#ifndef AREAD_JOBS_REPORT_H
#define AREAD_JOBS_REPORT_H

#include "catalog/new_model.h"
#include "engine/entities/entity_build.h"

/* Longest silence of a training. */
#define REPORT_SECONDS 10.0

typedef struct Reporter
{
	double		last_notice;
	const Config *config;		/* outlives the reporter */
	int			epochs;			/* of the network at work, at most */
} Reporter;

extern void report_start(Reporter *reporter, const Config *config);
/* As in TrainObserver, of a Reporter. */
extern void report_progress(void *reporter, const TrainProgress *progress);
extern void report_evaluation(void *reporter, const Evaluation *evaluation);
extern void report_race(void *reporter, const RaceRecord *race);
/* What became of the rows that negatives were sampled for. */
extern void report_negatives(const NewModel *new, const NegativeReport *report);
/* Items and users that are more than the model keeps. */
extern void report_entities(const FeatureSpec *spec, const EntityLimits *limits,
							const Entities *entities);
/* Which evaluation was kept, and why: a network trained in vain is better told than found out. */
extern void report_kept(const NewModel *new);

#endif							/* AREAD_JOBS_REPORT_H */
