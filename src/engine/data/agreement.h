/*
 * agreement.h
 *	  Columns that go with an item, a user or a domain: how often an owner's rows
 *	  agree on them.
 */
#ifndef AREAD_ENGINE_DATA_AGREEMENT_H
#define AREAD_ENGINE_DATA_AGREEMENT_H

#include "engine/data/dataset.h"

/* Does a field go with the item (its price) or with the rest of the row (the hour)? */
typedef enum FieldBond
{
	BOND_BY_ROWS,				/* as the training rows have it */
	BOND_ROW,
	BOND_ITEM
} FieldBond;

/* Have two rows the same value of a field?  The watch is over long lists. */
extern bool same_value(const Dataset *data, size_t a, size_t b, int field, Watch *watch);
/*
 * How often a training row agrees with the one before it of the same owner (an
 * id of field "owner" from FIRST_ID on) -> agreement [n_fields], 0 .. 1; 0 if no
 * owner has two rows.  "order" says in which order training rows come (NULL: as they
 * lie): it has to be that of a hash, so that neighbours of a domain meet by chance.
 * Errors: ENGINE_INTERRUPTED, lack of memory.
 */
extern bool measure_agreement(Arena *arena, const Dataset *data, const uint32_t *order,
							  const EngineHost *host, int owner, double *agreement,
							  EngineError *error);

#endif							/* AREAD_ENGINE_DATA_AGREEMENT_H */
