/*
 * grouped.c
 *	  Scores sorted group by group.
 *
 * Scores become integers that sort alike.  They are put in order of groups by
 * counting, the positives of each first; each half is sorted when it is asked for.
 */
#include "engine/measure/grouped.h"

/* Rows between two looks at the host. */
#define CHUNK ((size_t) 1 << 20)

/* groups NULL: all rows are of group 0. */
static inline int64_t
group_of(const int64_t *groups, size_t row)
{
	return groups ? groups[row] : 0;
}

bool
grouped_scores(Arena *arena, const double *scores, const uint8_t *labels,
			   const int64_t *groups, size_t n, uint32_t n_groups, GroupedScores *grouped,
			   const EngineHost *host, EngineError *error)
{
	size_t	   *back = ARENA_ARRAY(arena, size_t, n_groups);
	size_t	   *front = ARENA_ARRAY(arena, size_t, n_groups);
	size_t	   *start = ARENA_ARRAY(arena, size_t, (size_t) n_groups + 1);
	uint64_t   *keys = ARENA_ARRAY(arena, uint64_t, n);

	if (!arena_ok(arena, error) || !sort_room(&grouped->room, arena, n, false, error))
		return false;
	for (size_t row = 0; row < n; row++)
	{
		if (row % CHUNK == 0 && !host_continue(host, error))
			return false;
		if (group_of(groups, row) >= 0)
			start[group_of(groups, row) + 1]++;
	}
	for (uint32_t group = 0; group < n_groups; group++)
	{
		front[group] = start[group];
		start[group + 1] += start[group];
		back[group] = start[group + 1];
	}
	for (size_t row = 0; row < n; row++)
	{
		int64_t		group = group_of(groups, row);

		if (row % CHUNK == 0 && !host_continue(host, error))
			return false;
		if (group >= 0)
			keys[labels[row] ? front[group]++ : --back[group]] = sort_key(scores[row]);
	}
	grouped->start = start;
	grouped->negatives = front;
	grouped->keys = keys;
	return true;
}

bool
grouped_sort(GroupedScores *grouped, uint32_t group, GroupScores *sorted, const EngineHost *host,
			 EngineError *error)
{
	uint64_t   *positives = grouped->keys + grouped->start[group];
	uint64_t   *negatives = grouped->keys + grouped->negatives[group];

	*sorted = (GroupScores) {
		.positives = positives,.n_positives = grouped_positives(grouped, group),
		.negatives = negatives,.n_negatives = grouped->start[group + 1] - grouped->negatives[group]
	};
	return sort_keys(positives, NULL, sorted->n_positives, &grouped->room, host, error) &&
		sort_keys(negatives, NULL, sorted->n_negatives, &grouped->room, host, error);
}
