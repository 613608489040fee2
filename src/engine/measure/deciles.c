/*
 * deciles.c
 *	  How scores are spread.
 */
#include "engine/measure/deciles.h"

#include "engine/base/search.h"
#include "engine/base/sort.h"

int
deciles_bin(const Deciles *deciles, double score)
{
	return (int) sorted_place_above(deciles->edges, (size_t) deciles->n_edges, score);
}

bool
deciles_find(Arena *arena, const double *scores, size_t n, Deciles *deciles,
			 const EngineHost *host, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	uint64_t   *keys = ARENA_ARRAY(arena, uint64_t, n);
	SortRoom	room;

	*deciles = (Deciles) {0};
	if (!arena_ok(arena, error) || !sort_room(&room, arena, n, false, error))
		return false;
	for (size_t i = 0; i < n; i++)
		keys[i] = sort_key(scores[i]);
	if (!sort_keys(keys, NULL, n, &room, host, error))
		return false;
	for (size_t b = 1; b < N_DECILES && n > 0; b++)
	{
		double		edge = sort_value(keys[n * b / N_DECILES]);
		double		before = deciles->n_edges > 0 ? deciles->edges[deciles->n_edges - 1] :
			sort_value(keys[0]);

		if (edge > before)
			deciles->edges[deciles->n_edges++] = edge;
	}
	for (size_t i = 0; i < n; i++)
		deciles->rows[deciles_bin(deciles, scores[i])]++;
	arena_reset_to(arena, mark);
	return true;
}
