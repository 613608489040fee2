/*
 * view_queries.h
 *	  The extension's views, read by its own functions: with the caller's
 *	  rights, under the caller's SPI_connect(), in statements that leave nothing to the
 *	  search_path.
 */
#ifndef AREAD_API_VIEW_QUERIES_H
#define AREAD_API_VIEW_QUERIES_H

#include "catalog/access.h"
#include "engine/model/config.h"

/* A statement about a model ($1); returns the number of rows, which are in SPI_tuptable. */
extern uint64 view_query(const char *sql, const char *model);
/* Raise an error, with the nearest name as hint, unless the model knows the domain. */
extern void view_check_domain(const char *model, const char *domain);
/* Experts in each layer of the model; an error if there are no gates between them. */
extern void view_experts(const char *model, IntList *experts);

#endif							/* AREAD_API_VIEW_QUERIES_H */
