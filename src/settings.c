/*
 * settings.c
 *	  Settings (aread.*) that training and scoring obey.
 */
#include "postgres.h"

#include "settings.h"

#include <limits.h>

#include "engine/base/team.h"
#include "fault.h"
#include "utils/guc.h"

/* Their defaults are those that settings_define() gives them. */
bool		setting_batch_scan;
int			setting_cache_megabytes;
int			setting_checkpoint_interval;
int			setting_max_runs_per_role;
int			setting_missing_features;
char	   *setting_preload_models;
int			setting_shared_cache_megabytes;
int			setting_unseen_domain;
int			setting_threads;
int			setting_training_memory;

static const struct config_enum_entry missing_features_values[] = {
	{"ignore", MISSING_FEATURES_IGNORE, false},
	{"notice", MISSING_FEATURES_NOTICE, false},
	{"error", MISSING_FEATURES_ERROR, false},
	{NULL, 0, false}
};

static const struct config_enum_entry unseen_domain_values[] = {
	{"score", UNSEEN_DOMAIN_SCORE, false},
	{"error", UNSEEN_DOMAIN_ERROR, false},
	{NULL, 0, false}
};

void
settings_define(void)
{
	DefineCustomBoolVariable("aread.batch_scan",
							 "Queries score many rows at once.",
							 "Off: aread_predict computes each row by itself.",
							 &setting_batch_scan, true, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("aread.cache_size",
							"Memory of a session for models that are not in use, beyond what is shared.",
							"Models used longest ago leave it first; those that a running query uses stay.",
							&setting_cache_megabytes, 512, 0, 1024 * 1024, PGC_USERSET,
							GUC_UNIT_MB, NULL, NULL, NULL);
	DefineCustomIntVariable("aread.checkpoint_interval",
							"Time between two checkpoints of a background training.",
							"A checkpoint takes four times the bytes of the parameters. 0: after each batch; -1: none.",
							&setting_checkpoint_interval, 5 * 60 * 1000, -1, INT_MAX, PGC_USERSET,
							GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("aread.max_runs_per_role",
							"Background trainings of one role at a time, in all databases.",
							"Superusers have no limit. 0: none; -1: any number.",
							&setting_max_runs_per_role, 4, -1, INT_MAX, PGC_SUSET, 0,
							NULL, NULL, NULL);
	DefineCustomEnumVariable("aread.missing_features",
							 "What aread_predict and aread_explain do for features that a row does not have.",
							 "They count as NULL: \"notice\" tells so once for each statement, \"ignore\" does not; \"error\" raises an error.",
							 &setting_missing_features, MISSING_FEATURES_NOTICE,
							 missing_features_values, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("aread.preload_models",
							   "Models to load into shared memory when the server starts, as database.model.",
							   "Needs aread in shared_preload_libraries. Separated by commas; in double quotes where needed.",
							   &setting_preload_models, "", PGC_SIGHUP, GUC_LIST_INPUT,
							   NULL, NULL, NULL);
	DefineCustomIntVariable("aread.shared_cache_size",
							"Shared memory for models, of all sessions together.",
							"Models used longest ago leave it first. 0: each session loads its own.",
							&setting_shared_cache_megabytes, 1024, 0, 1024 * 1024, PGC_SIGHUP,
							GUC_UNIT_MB, NULL, NULL, NULL);
	DefineCustomIntVariable("aread.threads",
							"Threads of a training, that of the session included.",
							"The model is the same for any number of them.",
							&setting_threads, 2, 1, MAX_THREADS, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("aread.training_memory",
							"Memory for the rows of a training or an evaluation.",
							"Rows beyond it go to temporary files. Parameters come on top.",
							&setting_training_memory, 1024 * 1024, 1024, MAX_KILOBYTES, PGC_USERSET,
							GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomEnumVariable("aread.unseen_domain",
							 "What aread_predict does for a domain not seen in training.",
							 "\"score\" uses all experts without a mask, \"error\" raises an error.",
							 &setting_unseen_domain, UNSEEN_DOMAIN_SCORE, unseen_domain_values,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	fault_define_setting();
}
