/*
 * recommend.c
 *	  The best candidates of each user.
 *
 * Phases: fresh histories are looked up, where they are asked for; all pairs of the users at
 * hand and the candidates are scored; for each user a heap of the candidates that he has not
 * seen gives the best one, and the next, until there are enough: an item that is listed
 * already is passed over, and so is a row of whose value there are as many as may be.
 *
 * Equal scores: the item of the lower number first, which has more training rows
 * or the lower text; of one item's rows the first.
 *
 * Marks of users are stamps, so that nothing is cleared from one to the next.
 */
#include "postgres.h"

#include "serve/recommend.h"

#include "miscadmin.h"
#include "serve/pair_scores.h"
#include "utils/memutils.h"

/* Scores that are held at a time. */
#define MAX_SCORES ((Size) 4 * 1024 * 1024)

/* How often a value was listed, for the user of that stamp. */
typedef struct ValueCount
{
	uint32		stamp;
	uint32		n;
} ValueCount;

struct Recommender
{
	Candidates *candidates;
	const RecommendQuery *query;
	const EntityTable *users;	/* NULL: none were kept */
	PairScores *pairs;
	uint32		n_users;		/* at a time; up to PAIR_USERS */
	double	   *scores;			/* [n_users, candidates] */
	uint32	   *heap;			/* [candidates] */
	uint32		n_heap;
	const double *heap_scores;	/* of the user at hand */
	uint32		stamp;			/* of the user at hand */
	uint32	   *seen;			/* [n_items] stamp of the user who has seen or listed it */
	ValueCount **counts;		/* [n_caps][values of the feature] */
	uint32	   *histories;		/* [n_users] lists of the candidates' rows, if they are fresh */
	bool	   *fresh;			/* [n_users, n_items] what is in these */
};

/* Room for fresh histories. */
static void
expect_histories(Recommender *recommender)
{
	Size		n_items = Max(recommender->candidates->n_items, 1);

	recommender->histories = palloc(recommender->n_users * sizeof(uint32));
	recommender->fresh = palloc_extended(recommender->n_users * n_items, MCXT_ALLOC_HUGE);
	pair_scores_histories(recommender->pairs, recommender->histories);
}

Recommender *
recommender_create(Candidates *candidates, const RecommendQuery *query)
{
	const LoadedModel *loaded = candidates->served->loaded;
	const FeatureSpec *spec = loaded->spec;
	Recommender *recommender = palloc0(sizeof(Recommender));
	Size		n = Max(candidates->n, 1);

	recommender->candidates = candidates;
	recommender->query = query;
	recommender->users = loaded->model->users;
	recommender->pairs = pair_scores_create(candidates);
	recommender->n_users = Max(Min(MAX_SCORES / n, PAIR_USERS), 1);
	recommender->scores = MemoryContextAllocHuge(CurrentMemoryContext,
												 recommender->n_users * n * sizeof(double));
	recommender->heap = palloc(n * sizeof(uint32));
	recommender->seen = palloc0(n * sizeof(uint32));
	recommender->counts = palloc0(Max(query->n_caps, 1) * sizeof(ValueCount *));
	for (int c = 0; c < query->n_caps; c++)
	{
		const Feature *feature = &spec->features[query->caps[c].feature];
		Size		n_values = spec->vocabularies[feature->vocabulary].n_rows;

		recommender->counts[c] = MemoryContextAllocExtended(CurrentMemoryContext,
															n_values * sizeof(ValueCount),
															MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	}
	if (query->history)
		expect_histories(recommender);
	return recommender;
}

uint32
recommender_users(const Recommender *recommender)
{
	return recommender->n_users;
}

/* Is candidate a to be listed before b? */
static bool
is_before(const Recommender *recommender, uint32 a, uint32 b)
{
	const uint32 *item = recommender->candidates->item;

	if (recommender->heap_scores[a] != recommender->heap_scores[b])
		return recommender->heap_scores[a] > recommender->heap_scores[b];
	return item[a] != item[b] ? item[a] < item[b] : a < b;
}

/* The candidate at a place of the heap goes down to where it belongs. */
static void
sift_down(Recommender *recommender, uint32 at)
{
	uint32	   *heap = recommender->heap;
	uint32		moving = heap[at];

	for (;;)
	{
		uint32		child = 2 * at + 1;

		if (child >= recommender->n_heap)
			break;
		if (child + 1 < recommender->n_heap && is_before(recommender, heap[child + 1], heap[child]))
			child++;
		if (!is_before(recommender, heap[child], moving))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moving;
}

/* All candidates whose item is not marked. */
static void
fill_heap(Recommender *recommender)
{
	const Candidates *candidates = recommender->candidates;

	recommender->n_heap = 0;
	for (uint32 i = 0; i < candidates->n; i++)
		if (recommender->seen[candidates->item[i]] != recommender->stamp)
			recommender->heap[recommender->n_heap++] = i;
	for (uint32 at = recommender->n_heap / 2; at > 0; at--)
		sift_down(recommender, at - 1);
}

static uint32
take_best(Recommender *recommender)
{
	uint32		best = recommender->heap[0];

	recommender->heap[0] = recommender->heap[--recommender->n_heap];
	if (recommender->n_heap > 0)
		sift_down(recommender, 0);
	return best;
}

static void
mark_taken(Recommender *recommender, int64 user)
{
	const EntityTable *users = recommender->users;

	for (uint64 l = users->link_start[user]; l < users->link_start[user + 1]; l++)
	{
		int64		item = candidates_item(recommender->candidates, users->links[l], NULL);

		if (item >= 0)
			recommender->seen[item] = recommender->stamp;
	}
}

static void
mark_noted(Recommender *recommender, const bool *noted)
{
	for (uint32 item = 0; item < recommender->candidates->n_items; item++)
		if (noted[item])
			recommender->seen[item] = recommender->stamp;
}

/* Items that the user took, those of a history that was passed or read, too. */
static void
mark_seen(Recommender *recommender, uint32 number, uint32 id)
{
	const Candidates *candidates = recommender->candidates;
	int64		user = entity_number(recommender->users, id);

	if (!recommender->query->exclude_seen)
		return;
	if (user >= 0)
		mark_taken(recommender, user);
	if (candidates->seen)
		mark_noted(recommender, candidates->seen);
	if (recommender->fresh)
		mark_noted(recommender, recommender->fresh + (Size) number * candidates->n_items);
}

/* Of values without an id of their own it is not known which they are: they are not counted. */
static ValueCount *
count_of(Recommender *recommender, int cap, uint32 candidate)
{
	uint32		value = score_table_row(&recommender->candidates->rows,
										candidate)[recommender->query->caps[cap].feature];
	ValueCount *count = &recommender->counts[cap][value];

	if (value < FIRST_ID)
		return NULL;
	if (count->stamp != recommender->stamp)
		*count = (ValueCount) {.stamp = recommender->stamp};
	return count;
}

/* May the candidate be listed, as far as caps go?  Then it counts. */
static bool
fits_caps(Recommender *recommender, uint32 candidate)
{
	const RecommendQuery *query = recommender->query;
	ValueCount *count;

	for (int c = 0; c < query->n_caps; c++)
		if ((count = count_of(recommender, c, candidate)) != NULL && count->n >= query->caps[c].most)
			return false;
	for (int c = 0; c < query->n_caps; c++)
		if ((count = count_of(recommender, c, candidate)) != NULL)
			count->n++;
	return true;
}

static void
list_user(Recommender *recommender, uint32 number, uint32 id, RecommendFunction function,
		  void *context)
{
	uint32		rank = 0;

	recommender->stamp++;
	recommender->heap_scores = recommender->scores + (Size) number * recommender->candidates->n;
	mark_seen(recommender, number, id);
	fill_heap(recommender);
	while (rank < recommender->query->k && recommender->n_heap > 0)
	{
		uint32		best = take_best(recommender);
		uint32		item = recommender->candidates->item[best];

		CHECK_FOR_INTERRUPTS();
		if (recommender->seen[item] == recommender->stamp || !fits_caps(recommender, best))
			continue;
		recommender->seen[item] = recommender->stamp;
		function(context, number, ++rank, best, recommender->heap_scores[best]);
	}
}

/* Where items of a history are noted. */
typedef struct FreshItems
{
	const Candidates *candidates;
	bool	   *noted;			/* [n_items] */
} FreshItems;

/* An item of a fresh history (a MemberFunction). */
static void
note_fresh(void *context, uint32 id, const char *key, uint32 length)
{
	FreshItems *items = context;

	candidates_note(items->candidates, items->noted, id, key, length);
}

/* The history of the number-th user, as a list of the candidates' rows. */
static void
read_history(Recommender *recommender, uint32 number, const char *key)
{
	const RecommendQuery *query = recommender->query;
	Candidates *candidates = recommender->candidates;
	FreshItems	items = {candidates, recommender->fresh + (Size) number * candidates->n_items};
	const uint32 *members;
	int			n;

	memset(items.noted, 0, candidates->n_items * sizeof(bool));
	n = query->exclude_seen ?
		fresh_history_each(query->history, key, note_fresh, &items, &members) :
		fresh_history_find(query->history, key, &members);
	recommender->histories[number] = score_table_add_list(&candidates->rows, members, n);
}

void
recommender_run(Recommender *recommender, const RecommendUsers *users, RecommendFunction function,
				void *context)
{
	ScoreTable *rows = &recommender->candidates->rows;
	uint32		n_lists = rows->n_lists;

	Assert(users->n > 0 && users->n <= recommender->n_users);
	for (uint32 u = 0; u < users->n && recommender->histories; u++)
		read_history(recommender, u, users->keys[u]);
	pair_scores_fill(recommender->pairs, users->ids, users->n, NULL, recommender->candidates->n,
					 recommender->scores);
	score_table_cut(rows, recommender->candidates->n, n_lists);
	for (uint32 u = 0; u < users->n; u++)
		list_user(recommender, u, users->ids[u], function, context);
}
