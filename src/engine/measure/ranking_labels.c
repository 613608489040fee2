/*
 * ranking_labels.c
 *	  Recall, precision, hit rate, average precision and reciprocal rank.
 *
 * Rows are sorted by score; one walk goes from the highest down, tie by tie.  Of t
 * tied rows, p of them positive, each order is as likely.  So:
 *
 * - a place holds a positive with probability p / t;
 * - given that place j (from 0) of the tie does, the j places before it hold
 *	 j (p - 1) / (t - 1) positives on average;
 * - its first j places hold none with probability (t-p)/t (t-p-1)/(t-1) ..., of j factors.
 */
#include "engine/measure/ranking.h"

#include "engine/base/sort.h"

/* Rows between two looks at the host. */
#define CHUNK ((size_t) 1 << 20)

/* Rows in order: the last of keys [n], which ascend, has the first place. */
typedef struct LabelList
{
	size_t		n;
	size_t		k;				/* places that count */
	uint64_t   *keys;			/* [n] */
	uint32_t   *labels;			/* [n] */
	const EngineHost *host;
} LabelList;

/* The tie that begins at a place. */
static bool
tie_at(const LabelList *list, size_t first, Tie *tie, EngineError *error)
{
	uint64_t	key = list->keys[list->n - 1 - first];
	size_t		place = first;
	size_t		positives = 0;

	for (; place < list->n && list->keys[list->n - 1 - place] == key; place++)
	{
		if (place % CHUNK == 0 && !host_continue(list->host, error))
			return false;
		positives += list->labels[list->n - 1 - place];
	}
	*tie = tie_of(first, place - first, list->k, positives);
	return true;
}

/* Sum over its places that count: precision there, if a positive is there. */
static bool
add_precisions(const LabelList *list, const Tie *tie, double above, double *sum,
			   EngineError *error)
{
	double		before = tie->n > 1 ? (tie->positives - 1.0) / (tie->n - 1.0) : 0;
	double		found = 0;

	for (size_t j = 0; tie->positives > 0 && j < tie->counted; j++)
	{
		if (j % CHUNK == CHUNK - 1 && !host_continue(list->host, error))
			return false;
		found += (above + (double) j * before + 1) / (double) (tie->first + j + 1);
	}
	*sum += found * (double) tie->positives / (double) tie->n;
	return true;
}

/*
 * The first positive is one of this tie's: -> *hit, the probability that its place
 * counts, and *reciprocal, the mean of 1 / rank, 0 where it does not.
 */
static bool
first_positive(const LabelList *list, const Tie *tie, double *hit, double *reciprocal,
			   EngineError *error)
{
	double		none = 1;		/* probability that no place so far has one */

	*reciprocal = 0;
	for (size_t j = 0; j < tie->counted && none > 0; j++)
	{
		double		here = (double) tie->positives / (double) (tie->n - j);

		if (j % CHUNK == CHUNK - 1 && !host_continue(list->host, error))
			return false;
		here = here < 1 ? here : 1;
		*reciprocal += none * here / (double) (tie->first + j + 1);
		none *= 1 - here;
	}
	*hit = 1 - none;
	return true;
}

/* What one walk down the list finds. */
typedef struct Found
{
	double		positives;		/* in the places that count */
	double		precisions;		/* summed over them */
	double		hit;
	double		reciprocal;
} Found;

static bool
walk(const LabelList *list, Found *found, EngineError *error)
{
	size_t		above = 0;		/* positives above the tie */
	Tie			tie;

	*found = (Found) {0};
	for (size_t place = 0; place < list->k; place += tie.n)
	{
		if (!tie_at(list, place, &tie, error) ||
			!add_precisions(list, &tie, (double) above, &found->precisions, error) ||
			(above == 0 && tie.positives > 0 &&
			 !first_positive(list, &tie, &found->hit, &found->reciprocal, error)))
			return false;
		found->positives += tie_positives(&tie);
		above += tie.positives;
	}
	return true;
}

static double
value_of(RankingKind kind, const Found *found, double positives, double n, uint64_t k)
{
	double		most = k > 0 ? (double) k : n;

	if (kind == RANKING_PRECISION)
		return n > 0 ? found->positives / most : NAN;
	if (positives == 0)
		return NAN;
	switch (kind)
	{
		case RANKING_RECALL:
		case RANKING_PRECISION:
			break;
		case RANKING_HIT_RATE:
			return found->hit;
		case RANKING_AVERAGE_PRECISION:
			return found->precisions / (positives < most ? positives : most);
		case RANKING_RECIPROCAL_RANK:
			return found->reciprocal;
	}
	return found->positives / positives;
}

bool
ranking_measure(RankingKind kind, Arena *arena, const double *scores, const uint8_t *labels,
				size_t n, uint64_t k, double *value, const EngineHost *host, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	LabelList	list = {.n = n,.k = ranking_places(n, k),
		.keys = ARENA_ARRAY(arena, uint64_t, n),
		.labels = ARENA_ARRAY(arena, uint32_t, n),.host = host};
	SortRoom	room;
	Found		found;
	size_t		positives = 0;

	if (!arena_ok(arena, error) || !sort_room(&room, arena, n, true, error))
		return false;
	for (size_t i = 0; i < n; i++)
	{
		list.keys[i] = sort_key(scores[i]);
		list.labels[i] = labels[i];
		positives += labels[i];
	}
	if (!sort_keys(list.keys, list.labels, n, &room, host, error) ||
		!walk(&list, &found, error))
		return false;
	*value = value_of(kind, &found, (double) positives, (double) n, k);
	arena_reset_to(arena, mark);
	return true;
}
