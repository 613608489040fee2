/*
 * bonds.h
 *	  Which fields go with the item (its price), which with the user (his age), and
 *	  which with neither (the hour).
 */
#ifndef AREAD_ENGINE_SAMPLING_BONDS_H
#define AREAD_ENGINE_SAMPLING_BONDS_H

#include "engine/data/agreement.h"

/*
 * with_item [n_fields]: the item's field, and those that bonds [n_fields] or the
 * training rows say to go with it: an item's rows agree on them well beyond what rows
 * of a domain do by chance, and more than a user's do.
 *
 * with_user [n_fields] (NULL: not asked): the user's field, and of the others those
 * that a user's rows agree on in the same way; lists, too, for what a list of a row
 * holds, if it is not the item's, is what its user did or has.
 *
 * Training rows have to come in the order of a hash: as they lie, if "order" is NULL.
 * The dataset has an item field; without a user field nothing goes with the user.
 * Errors: lack of memory, ENGINE_INTERRUPTED.
 */
extern bool bonds_find(Arena *arena, const Dataset *data, const uint32_t *order,
					   const FieldBond *bonds, const EngineHost *host, bool *with_item,
					   bool *with_user, EngineError *error);

#endif							/* AREAD_ENGINE_SAMPLING_BONDS_H */
