/*
 * crosses.h
 *	  Crosses: fields whose values are combinations of other fields' values, hashed.
 *
 * A cross is made of its parts' ids wherever a row of ids is: a row whose fields come
 * from two rows has a combination that neither of them has.
 */
#ifndef AREAD_ENGINE_DATA_CROSSES_H
#define AREAD_ENGINE_DATA_CROSSES_H

#include "engine/data/dataset.h"

/*
 * Id of the combination of n parts' ids, one of so many buckets from FIRST_ID on.  NULL_ID
 * if a part is NULL, else UNSEEN_ID if one was never seen.  ids are a row's.
 */
extern uint32_t cross_id(const uint32_t *ids, const uint32_t *parts, int n, uint32_t buckets);
/* Fill the crosses of a row of ids, whose other fields are there. */
extern void crosses_fill(const Shape *shape, uint32_t *ids);
/* ids [n_fields] = those of a row, but fields that go with the item (with_item) of row "from". */
extern void row_with_item(const Dataset *data, size_t row, size_t from, const bool *with_item,
						  uint32_t *ids);

#endif							/* AREAD_ENGINE_DATA_CROSSES_H */
