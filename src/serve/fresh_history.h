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

/*
 * Opens and locks the relation, in a memory context of its own below the given one.  all:
 * items that do not count for scores, too old ones and those of negative rows, are asked
 * for, too.  Errors: a model without histories, a relation that cannot be read, columns that
 * are missing or of types that do not go with the model's.
 */
extern FreshHistory *fresh_history_open(const ServedModel *served, Oid relation, bool all,
										MemoryContext parent);
extern void fresh_history_close(FreshHistory *history);
/* Is it of that relation, and would it be the same if it was opened now? */
extern bool fresh_history_holds(const FreshHistory *history, Oid relation);
/*
 * Items of a user, by his text (NULL: none), that training has seen, the newest last: at
 * most as many as a score chooses from.  Returns how many; *members is valid until the next
 * call.  Users are kept, as far as work_mem goes, unless all items are asked for.
 */
extern int	fresh_history_find(FreshHistory *history, const char *user, const uint32 **members);
/* The same of one that is open for all items, with a call for each of them. */
extern int	fresh_history_each(FreshHistory *history, const char *user, MemberFunction function,
							   void *context, const uint32 **members);
/* Raise an error: a row, or the context, brings a history of its own. */
pg_noreturn extern void fresh_history_refuse_second(void);

#endif							/* AREAD_SERVE_FRESH_HISTORY_H */
