/*
 * personalized.h
 *	  Does a model rank alike for everyone?
 */
#ifndef AREAD_ENGINE_TRAIN_PERSONALIZED_H
#define AREAD_ENGINE_TRAIN_PERSONALIZED_H

#include "engine/base/team.h"
#include "engine/model/model.h"
#include "engine/sampling/bonds.h"

/*
 * Below that a model ranks items alike for every user.  If what items have in common
 * and what is a user's own are normal, two users' differences between items correlate
 * by 1 - personalized: at 0.01 they put 4.5 % of all pairs of items in another order,
 * and share 8.5 of the ten best of 500 items (simulated).
 */
#define PERSONALIZED_LEAST 0.01

/*
 * How much of the order of items within a domain is the user's own: of the variance of
 * logits over items, users' means taken out, the share that is not that of the items'
 * means over users, from 0 (one order for all) to 1.  The means are of few users; what
 * that adds to their variance is taken off.
 *
 * Looked at are the largest domains of the validation rows, or where these have no two
 * users and two items of a domain, of test or training rows: up to 64 users times
 * 64 items each.  Fields that go with the user (bonds.h) are his, those that go with
 * the item the item's, all others one row's.  NaN: there are no such users and items.
 * Errors: lack of memory, ENGINE_INTERRUPTED, ENGINE_CORRUPT (a score is no number).
 */
extern bool personalized_find(Arena *arena, const Model *model, const Dataset *data,
							  const FieldBond *bonds, Team *team, const EngineHost *host,
							  double *personalized, EngineError *error);

#endif							/* AREAD_ENGINE_TRAIN_PERSONALIZED_H */
