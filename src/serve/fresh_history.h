/*
 * fresh_history.h
 *	  Users' histories as a relation has them now, in place of those that a model keeps.
 *
 * A log has the model's columns of user and item, of the label where histories are of
 * positive rows, and the one that orders its split, where one does.  What it has of a user
 * is looked up once, by one plan for all users, with the rights of the current user.
 */
#ifndef AREAD_SERVE_FRESH_HISTORY_H
#define AREAD_SERVE_FRESH_HISTORY_H

#include "compat.h"
#include "serve/image.h"
#include "serve/input.h"

typedef struct FreshHistory FreshHistory;

/* What users will be asked for. */
typedef enum FreshUse
{
	FRESH_CALLS,				/* by calls that need not be of one query: each one looks anew */
	FRESH_QUERY,				/* by one query, to which a user's rows stay what they were */
	FRESH_ALL					/* by one query, whose users are asked once, for all items:
								 * those that are too old for scores or of negative rows, too */
} FreshUse;

/*
 * Opens and locks the relation, in a memory context of its own below the given one.
 * Errors: a model without histories, a relation that cannot be read, columns that are
 * missing or of types that do not go with the model's.
 */
extern FreshHistory *fresh_history_open(const ServedModel *served, Oid relation, FreshUse use,
										MemoryContext parent);
extern void fresh_history_close(FreshHistory *history);
/* Is it of that relation, which is as it was when it was opened? */
extern bool fresh_history_holds(const FreshHistory *history, Oid relation);
/*
 * Items of a user, by his key as text (NULL: none), that training has seen, the newest last:
 * at most as many as a score chooses from.  Returns how many; *members is valid until the
 * next call.  Users of FRESH_QUERY are kept, as far as work_mem goes.
 */
extern int	fresh_history_find(FreshHistory *history, const char *user, const uint32 **members);
/* The same of one that is open for all items, with a call for each of them. */
extern int	fresh_history_each(FreshHistory *history, const char *user, MemberFunction function,
							   void *context, const uint32 **members);
/* Raise an error: a row, or the context, brings a history of its own. */
pg_noreturn extern void fresh_history_refuse_second(void);

#endif							/* AREAD_SERVE_FRESH_HISTORY_H */
