/*
 * models.h
 *	  Models as rows: found by name, and read.
 *
 * The catalog's tables belong to the extension's owner and callers have no
 * rights on them.  access.c is the one file that switches to the owner; the
 * functions here check the caller's rights before they use it.
 */
#ifndef AREAD_CATALOG_MODELS_H
#define AREAD_CATALOG_MODELS_H

#include "postgres.h"

#include "catalog/arguments.h"
#include "catalog/rights.h"
#include "engine/model/model.h"
#include "source/spec.h"

/* What writes it, as stored. */
#define SOFTWARE "aread " AREAD_VERSION

/* A model version, found but not loaded. */
typedef struct ModelVersion
{
	int64		id;				/* never reused */
	char	   *name;
	int32		version;		/* 1, 2, ... within the name */
	uint32		crc;			/* over all of its tensors and masks */
	int32		best_evaluation;	/* whose parameters were kept; 0: the start's */
	Oid			catalog;		/* OID of the catalog's table: another one after DROP EXTENSION */
	bool		uncommitted;	/* written by the present transaction */
} ModelVersion;

/* What scoring needs. */
typedef struct LoadedModel
{
	ModelVersion version;
	Model	   *model;
	FeatureSpec *spec;
	uint64	   *domain_rows;	/* [D] training rows */
} LoadedModel;

/*
 * Raise an error now, before hours of training, if the caller may not write
 * that name: taken by a model whose owner's rights the caller lacks, empty, or
 * too long.  Only to spare the caller these hours: lock_model() checks.
 */
extern void catalog_check_name(const char *name);
/*
 * The deployed version of a name under the active snapshot, allocated in the
 * current memory context.  Raises an error, with the nearest name that the
 * caller can see as hint, if there is none or the caller has not that right to it.
 */
extern void catalog_find(const char *name, ModelRight right, ModelVersion *version);
/* The same for its owner alone. */
extern void catalog_find_owned(const char *name, ModelVersion *version);
/* The version that is deployed under the active snapshot; false: none is, or the model is another role's. */
extern bool catalog_find_deployed(const char *name, ModelVersion *version);
/* One that the present transaction has just written, by its id, whatever the name means. */
extern void catalog_find_new(int64 version_id, const char *name, ModelVersion *version);
/* As a name that is pinned to it: "shop@3". */
extern char *catalog_pin(const ModelVersion *version);
/* The version that a name means, so, for any right; errors are those of catalog_find(). */
extern char *catalog_pinned(const char *name);
/* OID of the table of versions. */
extern Oid	catalog_relation(void);
/* Read a version into "context", checking every byte; raises ERRCODE_DATA_CORRUPTED. */
extern LoadedModel *catalog_load(const ModelVersion *version, MemoryContext context);

/* Column roles registered for a relation, which they do not say; NULL if there are none. */
extern ColumnRoles *catalog_roles(Oid relation);
/*
 * Roles out of the first row of SPI_tuptable, whose columns 1 to 7 are label,
 * domain, user_id, item_id, split, weight and features.
 */
extern ColumnRoles *catalog_take_roles(MemoryContext context);
/* The same columns as arguments. */
extern void catalog_add_roles(Arguments *arguments, const ColumnRoles *roles);
extern void catalog_register(const ColumnRoles *roles);
extern bool catalog_unregister(Oid relation);

#endif							/* AREAD_CATALOG_MODELS_H */
