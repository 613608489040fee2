/*
 * settings.h
 *	  Settings (aread.*) that training and scoring obey.
 */
#ifndef AREAD_SETTINGS_H
#define AREAD_SETTINGS_H

#include "postgres.h"

/* What a domain does that was not seen in training. */
typedef enum UnseenDomain
{
	UNSEEN_DOMAIN_SCORE,		/* scores without a mask, equation (6) */
	UNSEEN_DOMAIN_ERROR
} UnseenDomain;

/* What a row's features do that a model needs and the row does not have. */
typedef enum MissingFeatures
{
	MISSING_FEATURES_IGNORE,	/* count as NULL */
	MISSING_FEATURES_NOTICE,	/* the same, and are told */
	MISSING_FEATURES_ERROR
} MissingFeatures;

extern bool setting_batch_scan; /* aread.batch_scan */
extern int	setting_cache_megabytes;	/* aread.cache_size */
extern int	setting_checkpoint_interval;	/* aread.checkpoint_interval, milliseconds; -1: none */
extern int	setting_max_runs_per_role;	/* aread.max_runs_per_role; -1: any number */
extern int	setting_missing_features;	/* aread.missing_features, a MissingFeatures */
extern char *setting_preload_models;	/* aread.preload_models */
extern int	setting_shared_cache_megabytes;	/* aread.shared_cache_size */
extern int	setting_threads;	/* aread.threads */
extern int	setting_training_memory;	/* aread.training_memory, kilobytes */
extern int	setting_unseen_domain;	/* aread.unseen_domain, an UnseenDomain */

extern void settings_define(void);

#endif							/* AREAD_SETTINGS_H */
