/*
 * measured.c
 *	  Measures of a dataset's rows: whose each is, and what metrics.h makes of them.
 *
 * Memory: 16 bytes for each row, given back at the end.
 */
#include "engine/data/measured.h"

/* Rows between two looks at the host. */
#define CHUNK ((size_t) 1 << 20)

bool
measured_rows(Arena *arena, const Dataset *data, size_t first, size_t n, const double *scores,
			  Measures *measures, DomainMeasure *by_domain, const EngineHost *host,
			  EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	const Shape *shape = &data->shape;
	uint32_t	n_users = shape_users(shape);
	int64_t    *domains = ARENA_ARRAY(arena, int64_t, n);
	int64_t    *users = n_users > 0 ? ARENA_ARRAY(arena, int64_t, n) : NULL;
	MeasuredRows rows = {
		.n = n,.scores = scores,.labels = data->labels + first,
		.domains = domains,.n_domains = shape_domains(shape),
		.users = users,.n_users = n_users
	};

	if (!arena_ok(arena, error))
		return false;
	for (size_t i = 0; i < n; i++)
	{
		const uint32_t *ids = data->ids + (first + i) * (size_t) shape->n_fields;

		if (i % CHUNK == 0 && !host_continue(host, error))
			return false;
		domains[i] = domain_of_id(ids[shape->domain_field]);
		if (users)
			users[i] = ids[shape->user_field] >= FIRST_ID ?
				(int64_t) ids[shape->user_field] - FIRST_ID : -1;
	}
	if (!metrics_compute(arena, &rows, measures, by_domain, host, error))
		return false;
	arena_reset_to(arena, mark);
	return true;
}
