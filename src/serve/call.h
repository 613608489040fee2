/*
 * call.h
 *	  A call that is about one row: model, features and domain as arguments,
 *	  and what is kept from one call to the next.
 */
#ifndef AREAD_CALL_H
#define AREAD_CALL_H

#include "serve/cache.h"
#include "serve/input.h"

/* What the argument "features" is. */
typedef enum FeaturesKind
{
	FEATURES_RECORD,
	FEATURES_JSONB,
	FEATURES_JSON				/* json or text: text inside */
} FeaturesKind;

typedef struct ScoreCall
{
	const ServedModel *served;
	MemoryContext context;		/* of all below; another model, another context */
	InputRow	row;
	RecordMap  *record;			/* of the record type seen last */
	JsonMap    *json;
	ValueEncoder *domain;		/* of the domain argument */
} ScoreCall;

/*
 * Model and row of a function's arguments (model, features [, domain]), the
 * first two not NULL; kept in fn_extra.  Raises an error for an unknown model,
 * features that have no name in common with it, a missing domain, and an
 * unseen one if the setting says so.
 */
extern ScoreCall *score_call(FunctionCallInfo fcinfo, FeaturesKind kind);

#endif							/* AREAD_CALL_H */
