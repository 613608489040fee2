/*
 * call.h
 *	  A call site of a function (model, features [, domain]): its rows as ids,
 *	  and what is kept from one row to the next.
 */
#ifndef AREAD_CALL_H
#define AREAD_CALL_H

#include "serve/cache.h"
#include "serve/input.h"
#include "source/convert.h"

/* What the argument "features" is. */
typedef enum FeaturesKind
{
	FEATURES_RECORD,
	FEATURES_JSONB,
	FEATURES_JSON				/* json or text: text inside */
} FeaturesKind;

/* Arguments beyond the model; features not NULL. */
typedef struct CallRow
{
	FeaturesKind kind;
	Datum		features;
	bool		has_domain;		/* as an argument: it overrules the features' own */
	Oid			domain_type;
	Datum		domain;
	bool		domain_null;
} CallRow;

typedef struct ScoreCall
{
	const ServedModel *served;	/* pinned; NULL: none yet */
	MemoryContext parent;
	int			max_rows;
	MemoryContext context;		/* of all below; another model, another context */
	InputRows	rows;
	MemoryContext encoders;		/* of all below */
	ConversionState made;		/* when and for whom they were made */
	RecordMap  *record;			/* of the record type seen last */
	JsonMap    *json;
	ValueEncoder *domain;		/* of the domain argument */
} ScoreCall;

/* A call of so many rows at a time, without a model yet. */
extern ScoreCall *call_create(int max_rows, MemoryContext parent);
/* Rows to come are for this model; those of another are forgotten. */
extern void call_use(ScoreCall *call, const ServedModel *served);
/*
 * Adds a row.  Raises an error for features that have no name in common with
 * the model, a missing domain, and an unseen one if the setting says so.
 */
extern void call_add(ScoreCall *call, const CallRow *row);

/*
 * The call that is kept in fn_extra, with the one row of a function's
 * arguments (model, features [, domain]), the first two not NULL.  Errors are
 * those of cache_find() and call_add().
 */
extern ScoreCall *score_call(FunctionCallInfo fcinfo, FeaturesKind kind);

#endif							/* AREAD_CALL_H */
