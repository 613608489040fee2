/*
 * measured.h
 *	  Measures of a dataset's rows.
 */
#ifndef AREAD_ENGINE_DATA_MEASURED_H
#define AREAD_ENGINE_DATA_MEASURED_H

#include "engine/data/dataset.h"
#include "engine/measure/metrics.h"

/*
 * All measures of the rows first .. first + n - 1, whose scores [n] are given;
 * by_domain is [shape_domains()], or NULL.  Users without an id of their own (never
 * seen in training, rare, NULL) cannot be told apart: their rows are in no measure of
 * users.  Errors: lack of memory, ENGINE_INTERRUPTED.
 */
extern bool measured_rows(Arena *arena, const Dataset *data, size_t first, size_t n,
						  const double *scores, Measures *measures, DomainMeasure *by_domain,
						  const EngineHost *host, EngineError *error);

#endif							/* AREAD_ENGINE_DATA_MEASURED_H */
