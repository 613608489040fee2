/*
 * catalog.h
 *	  Models as rows: write, find, read, drop.
 *
 * The catalog's tables belong to the extension's owner and callers have no
 * rights on them.  catalog.c is the one file that switches to the owner, after
 * the checks of ownership that each function names.
 */
#ifndef AREAD_CATALOG_H
#define AREAD_CATALOG_H

#include "postgres.h"
#include "utils/jsonb.h"

#include "engine/train.h"
#include "source/source.h"

/* A model version, found but not loaded. */
typedef struct ModelVersion
{
	int64		id;				/* never reused */
	char	   *name;
	int32		version;		/* 1, 2, ... within the name */
	Oid			owner;
	uint32		crc;			/* over all of its tensors */
} ModelVersion;

/* A trained model on its way into the catalog. */
typedef struct NewModel
{
	const char *name;
	const ColumnRoles *roles;
	Jsonb	   *options;		/* as the user gave them */
	const Config *config;		/* as used */
	const FeatureSpec *spec;
	const ReadReport *report;
	const TrainResult *result;
} NewModel;

/* What scoring needs. */
typedef struct LoadedModel
{
	ModelVersion version;
	Model	   *model;
	FeatureSpec *spec;
} LoadedModel;

/*
 * Raise an error now, before hours of training, if the caller may not write
 * that name: taken by a model of an owner whose rights the caller lacks.
 */
extern void catalog_check_name(const char *name);
/* Write a new version and deploy it; returns its id and sets *version. */
extern int64 catalog_store(const NewModel *model, int32 *version, uint32 *crc);
/*
 * The deployed version of a name under the active snapshot.  Raises an error,
 * with the nearest name that the caller can see as hint, if there is none or
 * the caller has no right to it.
 */
extern void catalog_find(const char *name, ModelVersion *version);
/* Read a version into "context", checking every byte; raises ERRCODE_DATA_CORRUPTED. */
extern LoadedModel *catalog_load(const ModelVersion *version, MemoryContext context);
/* Drop a model with all versions (owner only). */
extern void catalog_drop(const char *name);

/* Column roles registered for a relation; NULL if there are none.  The caller needs SELECT on it. */
extern ColumnRoles *catalog_roles(Oid relation);
extern void catalog_register(const ColumnRoles *roles);

#endif							/* AREAD_CATALOG_H */
