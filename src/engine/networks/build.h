/*
 * build.h
 *	  From a configuration to a model: what its architecture plans, laid out.
 */
#ifndef AREAD_ENGINE_NETWORKS_BUILD_H
#define AREAD_ENGINE_NETWORKS_BUILD_H

#include "engine/layers/plan.h"
#include "engine/model/model.h"

/*
 * A model of config, shape and pairs [n_fields], its parameters zeroed; masks
 * all open and has_mask false.  Copies shape's arrays, keeps pairs.  NULL and
 * *error on lack of memory or a size that overflows.
 */
extern Model *model_create(Arena *arena, const Config *config, const Shape *shape,
						   const DomainPairs *pairs, EngineError *error);
/* The same of a network that no architecture has, planned by build(). */
extern Model *model_create_by(void (*build) (NetworkPlan *plan, const Config *config),
							  Arena *arena, const Config *config, const Shape *shape,
							  const DomainPairs *pairs, EngineError *error);
/*
 * A model over parameters and masks that lie in memory already: those of
 * "like", of whose members only config, sizes and these arrays are looked at.
 * Errors: as above; the sizes do not fit.
 */
extern Model *model_attach(Arena *arena, const Model *like, const Shape *shape,
						   const DomainPairs *pairs, EngineError *error);
/* Parameters of a model of that configuration, shape and pairs; 0 and *error: too many. */
extern size_t model_count_params(Arena *arena, const Config *config, const Shape *shape,
								 const DomainPairs *pairs, EngineError *error);

#endif							/* AREAD_ENGINE_NETWORKS_BUILD_H */
