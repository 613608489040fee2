/*
 * options.h
 *	  Options of aread_train as jsonb, to structs and back.
 */
#ifndef AREAD_OPTIONS_H
#define AREAD_OPTIONS_H

#include "engine/networks/config_options.h"
#include "nodes/pg_list.h"
#include "source/spec.h"

typedef enum DeployWhen
{
	DEPLOY_NEVER, DEPLOY_ALWAYS, DEPLOY_IF_BETTER
} DeployWhen;

/* When a new version scores (catalog/deploy.h). */
typedef struct DeployRule
{
	DeployWhen	when;
	int			metric;			/* of measure_kinds */
	double		tolerance;
	double		min_rows;		/* NaN: a share of the deployed version's */
} DeployRule;

typedef enum ResumeMethod
{
	RESUME_BY_CALL,				/* of aread_resume */
	RESUME_AUTO					/* by itself, after a restart of the server */
} ResumeMethod;

/* What aread_train takes beside the engine's options: of its source, and of what becomes of the model. */
typedef struct TrainOptions
{
	SourceOptions source;
	DeployRule	deploy;
	int			keep_versions;	/* 0: all */
	/* what is kept for recommending: most trained entities; a user's items */
	int			recommend_items;	/* 0: none */
	int			recommend_users;
	int			recommend_seen;
	ResumeMethod resume;		/* of a background training that is interrupted */
	bool		history_asked;	/* the caller says something of histories; else the rule does */
} TrainOptions;

/* The table of TrainOptions, beside the engine's own (config_table); options "features" and "crosses" have no row. */
extern const OptionTable train_table;

/*
 * Defaults overruled by "given" (an object; NULL: none).  Raises an error for
 * unknown options (with the nearest known name), wrong types and values out of
 * range.
 */
extern void options_parse(Jsonb *given, Config *config, TrainOptions *options);
/* Tell the client which of the given options, an object that was parsed, the architecture does not use. */
extern void options_tell_unused(Jsonb *given, const Config *config);
/*
 * Names of the architectures that an option has an effect on, in the registry's order; races:
 * those that choose between networks, too, of which no model is.
 */
extern List *options_architectures(const char *option, bool races);
/* Those of models as one text; last_separator: the one before the last name. */
extern char *options_architectures_text(const char *option, const char *separator,
										const char *last_separator);
/*
 * The engine's options that a model was stored with, by any version of aread:
 * one that it lacks is newer than the model, and has the value of models of
 * before.  Raises ERRCODE_DATA_CORRUPTED if the first version would have stored
 * it, or for a value that no option has, and ERRCODE_FEATURE_NOT_SUPPORTED for an
 * option, or a choice, of a later version.
 */
extern void options_parse_stored(Jsonb *config_stored, Config *config);

#endif							/* AREAD_OPTIONS_H */
