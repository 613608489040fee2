/*
 * options.h
 *	  Options of aread_train as jsonb, to structs and back.
 */
#ifndef AREAD_OPTIONS_H
#define AREAD_OPTIONS_H

#include "engine/model/config.h"
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
	ResumeMethod resume;		/* of a background training that is interrupted */
} TrainOptions;

/* The rows of TrainOptions, beside the engine's own (config_options); option "features" has none. */
extern const Option train_options[];
extern const int n_train_options;

/*
 * Defaults overruled by "given" (an object; NULL: none).  Raises an error for
 * unknown options (with the nearest known name), wrong types and values out of
 * range.
 */
extern void options_parse(Jsonb *given, Config *config, TrainOptions *options);
/* Every engine option of a config as an object. */
extern Jsonb *options_from_config(const Config *config);

#endif							/* AREAD_OPTIONS_H */
