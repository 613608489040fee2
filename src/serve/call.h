/*
 * call.h
 *	  A call site of a function (model, features [, domain [, history]]): rows as ids, for
 *	  each of the models that its rows name, and what is kept from one row to
 *	  the next.
 */
#ifndef AREAD_SERVE_CALL_H
#define AREAD_SERVE_CALL_H

#include "serve/cache.h"
#include "serve/fresh_history.h"
#include "serve/input.h"
#include "source/keys/convert.h"

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
	Oid			history;		/* relation that the user's is read from; InvalidOid: none */
} CallRow;

/* Maps of so many record types are kept: rows may have types in turn. */
#define MAX_RECORD_MAPS 8

/* Rows for one model, and what is kept of it from one row to the next. */
typedef struct ScoreCall
{
	const ServedModel *served;	/* pinned */
	MemoryContext context;		/* of all below, and of this */
	InputRows	rows;
	int		   *at;				/* [max_rows] whatever the caller notes of a row */
	List	   *missing;		/* features that a row did not have, of the first such row: names */
	MemoryContext encoders;		/* of all below */
	ConversionState made;		/* when and for whom they were made */
	bool		encoding;		/* a row: true before the next one says that an error came in between */
	RecordMap  *records[MAX_RECORD_MAPS];	/* used last first */
	int			n_records;
	JsonMap    *json;
	ValueEncoder *domain;		/* of the domain argument */
	FreshUse	history_use;
	FreshHistory *history;		/* of the relation that a row named last */
} ScoreCall;

/* A query may go from one model to another with each row; so many are kept ready. */
#define MAX_CALLS 16

/* Where a query calls the function. */
typedef struct CallSite
{
	MemoryContext parent;
	int			max_rows;
	FreshUse	history_use;	/* that of its rows' histories */
	Oid			domain_type;	/* of the domain argument; InvalidOid: not asked yet */
	ScoreCall  *calls[MAX_CALLS];	/* used last first */
	int			n_calls;
} CallSite;

/* For so many rows at a time of each model, whose histories are asked for in that way. */
extern CallSite *call_site(int max_rows, FreshUse history_use, MemoryContext parent);
/* The site's call of a model; NULL: there is none. */
extern ScoreCall *call_find(CallSite *site, const ServedModel *served);
/* Would a call more send others away, with the rows that they have? */
extern bool call_site_full(const CallSite *site);
/* A new call, of a model that has none yet; where the site is full, others go. */
extern ScoreCall *call_open(CallSite *site, const ServedModel *served);
/*
 * Adds a row.  Raises an error for features that have no name in common with
 * the model, or two of one name, a missing domain, and an unseen one or missing
 * features if the settings say so; those of fresh_history_open(), and two histories.
 */
extern void call_add(ScoreCall *call, const CallRow *row);

/*
 * The call with the one row of a function's arguments (model, features
 * [, domain [, history]]), the first two not NULL, of a model that the caller has that right
 * to; its site is kept in fn_extra.  Errors are those of cache_find() and call_add().
 */
extern ScoreCall *score_call(FunctionCallInfo fcinfo, FeaturesKind kind, ModelRight right);

#endif							/* AREAD_SERVE_CALL_H */
