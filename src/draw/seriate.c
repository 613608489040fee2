/*
 * seriate.c
 *	  Average-linkage clustering and the order of its leaves.
 */
#include "draw/seriate.h"

#include <math.h>

/* A cluster is a chain of things; it bears the number of its lowest one. */
typedef struct Chain
{
	int			first;
	int			last;
	int			size;			/* 0: now part of another */
} Chain;

typedef struct Seriation
{
	int			n;
	const double *similarity;	/* [n, n] between things */
	double	   *linkage;		/* [n, n] between clusters, the mean over their things */
	Chain	   *chains;			/* [n] */
	int		   *next;			/* [n] the thing after this one in its chain; -1: none */
} Seriation;

static double
alike(double similarity)
{
	return isnan(similarity) ? -INFINITY : similarity;
}

/* The two clusters most alike, the lowest numbers among equals. */
static void
nearest_pair(const Seriation *s, int *a, int *b)
{
	*a = *b = -1;
	for (int i = 0; i < s->n; i++)
		for (int j = i + 1; s->chains[i].size > 0 && j < s->n; j++)
			if (s->chains[j].size > 0 &&
				(*a < 0 || s->linkage[i * s->n + j] > s->linkage[*a * s->n + *b]))
			{
				*a = i;
				*b = j;
			}
}

static void
turn(Seriation *s, Chain *chain)
{
	int			before = -1;

	for (int at = chain->first; at >= 0;)
	{
		int			after = s->next[at];

		s->next[at] = before;
		before = at;
		at = after;
	}
	chain->last = chain->first;
	chain->first = before;
}

/* Turn both so that the end of the one and the start of the other are most alike. */
static void
turn_to_meet(Seriation *s, Chain *a, Chain *b)
{
	const int	ends[2] = {a->last, a->first};
	const int	starts[2] = {b->first, b->last};
	int			best = 0;

	for (int way = 1; way < 4; way++)
		if (alike(s->similarity[ends[way / 2] * s->n + starts[way % 2]]) >
			alike(s->similarity[ends[best / 2] * s->n + starts[best % 2]]))
			best = way;
	if (best / 2)
		turn(s, a);
	if (best % 2)
		turn(s, b);
}

static void
join(Seriation *s, int i, int j)
{
	Chain	   *a = &s->chains[i];
	Chain	   *b = &s->chains[j];

	for (int k = 0; k < s->n; k++)
		s->linkage[i * s->n + k] = s->linkage[k * s->n + i] =
			(a->size * s->linkage[i * s->n + k] + b->size * s->linkage[j * s->n + k]) /
			(a->size + b->size);
	turn_to_meet(s, a, b);
	s->next[a->last] = b->first;
	a->last = b->last;
	a->size += b->size;
	b->size = 0;
}

bool
seriate(Arena *arena, const double *similarity, int n, int *order, EngineError *error)
{
	Seriation	s = {
		.n = n,
		.similarity = similarity,
		.linkage = ARENA_ARRAY(arena, double, (size_t) n * n),
		.chains = ARENA_ARRAY(arena, Chain, n),
		.next = ARENA_ARRAY(arena, int, n)
	};
	int			a;
	int			b;

	if (!arena_ok(arena, error))
		return false;
	for (int i = 0; i < n * n; i++)
		s.linkage[i] = alike(similarity[i]);
	for (int i = 0; i < n; i++)
	{
		s.chains[i] = (Chain) {i, i, 1};
		s.next[i] = -1;
	}
	for (int joined = 1; joined < n; joined++)
	{
		nearest_pair(&s, &a, &b);
		join(&s, a, b);
	}
	if (n == 0)
		return true;
	if (s.chains[0].first > s.chains[0].last)
		turn(&s, &s.chains[0]);
	for (int i = 0, at = s.chains[0].first; i < n; i++, at = s.next[at])
		order[i] = at;
	return true;
}
