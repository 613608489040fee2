/*
 * prepare.h
 *	  A trained model made ready for scoring: layers/prepared.h says of what.
 *
 * Phases: the plan's layers are copied and bound; they claim columns over x0;
 * fields are ordered, those with few values last, whose products are made
 * beforehand; everything is laid out, measured first; then it is filled.
 * Memory: one block of values without pointers, which other processes use in
 * place; all else is the arena's.
 */
#ifndef AREAD_ENGINE_SCORE_PREPARE_H
#define AREAD_ENGINE_SCORE_PREPARE_H

#include "engine/layers/prepared.h"

/*
 * With so many bytes of premultiplied values at most.  values: of an earlier
 * call for the same model and bytes, in whatever memory; NULL: compute them.
 */
extern bool prepare(Prepared *prepared, const Model *model, size_t premultiplied_bytes, real *values,
					Arena *arena, Watch *watch, EngineError *error);

#endif							/* AREAD_ENGINE_SCORE_PREPARE_H */
