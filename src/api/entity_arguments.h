/*
 * entity_arguments.h
 *	  Users or items as arguments of pseudo-type "any": a value, which may be
 *	  NULL, or an array.
 */
#ifndef AREAD_API_ENTITY_ARGUMENTS_H
#define AREAD_API_ENTITY_ARGUMENTS_H

#include "postgres.h"
#include "fmgr.h"

#include "serve/candidates.h"
#include "source/keys/encoder.h"

typedef struct EntityArgument
{
	const FeatureSpec *spec;
	int			feature;		/* whose values they are */
	uint32		n;
	const Datum *values;		/* [n]; NULL: all that the model has ids of, or those of "ids" */
	const uint32 *ids;			/* [n]; NULL: FIRST_ID and those that follow */
	const bool *nulls;
	ValueEncoder *encoder;
	FmgrInfo	output;			/* of the values' type */
} EntityArgument;

/*
 * Where the user or item feature shares its vocabulary with others, ids alone do not tell
 * which of them are users or items: the table whose linked entities are.  NULL: all are, or
 * the model has kept nothing that tells.
 */
extern const EntityTable *entities_apart(const ServedModel *served, int feature);

/* Has the table links of an id? */
static inline bool
entity_is_linked(const EntityTable *table, uint32 id)
{
	int64		i = entity_number(table, id);

	return i >= 0 && table->link_start[i] < table->link_start[i + 1];
}

/*
 * The values of an argument: one, or those of an array; a literal is an array if it
 * begins with "{".  NULL is one value that nobody knows, an array that is NULL has
 * none.  Everything lies in the current memory context.  Errors: a type that the
 * feature cannot take.
 */
extern EntityArgument *entity_argument(FunctionCallInfo fcinfo, int argument,
									   const ServedModel *served, int feature);
/* All users that the model has ids of.  Errors: they are hashed. */
extern EntityArgument *entity_all_users(const ServedModel *served);
/* Id of the number-th one. */
extern uint32 entity_argument_id(EntityArgument *entities, uint32 number);
/*
 * The key of the number-th one as text, palloc'd, whether the model knows him or not:
 * however he is spelled, he has one.  NULL: NULL.
 */
extern char *entity_argument_key(EntityArgument *entities, uint32 number);
/*
 * The text of the number-th one, which has that id, palloc'd: the model's key, so that
 * one value has one text however it is asked for, or, if it has none, as it was given;
 * NULL: NULL.
 */
extern char *entity_argument_text(EntityArgument *entities, uint32 number, uint32 id);
/*
 * The candidates that three arguments name, each by its number: domain, relation, context;
 * any may be NULL.  The relation is opened here: the model is pinned by now.
 */
extern Candidates *entity_candidates(FunctionCallInfo fcinfo, int domain, int relation,
									 int context, const ServedModel *served);
/* Raise an error for an argument that is NULL. */
extern void entity_require_argument(FunctionCallInfo fcinfo, int argument, const char *name);
/* How many rows are wanted: an argument that is not NULL. */
extern uint32 entity_k(FunctionCallInfo fcinfo, int argument);

#endif							/* AREAD_API_ENTITY_ARGUMENTS_H */
