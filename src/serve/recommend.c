/*
 * recommend.c
 *	  The best candidates of each user.
 *
 * Phases: rows of the users at hand, which hold what goes with them alone, are put
 * behind the candidates'; all pairs are scored, tile by tile; for each user a heap
 * of the candidates that he has not seen gives the best one, and the next, until
 * there are enough: an item that is listed already is passed over, and so is a row
 * of whose value there are as many as may be.
 *
 * Equal scores: the item of the lower number first, which has more training rows
 * or the lower text; of one item's rows the first.
 *
 * Marks of users are stamps, so that nothing is cleared from one to the next.
 */
#include "postgres.h"

#include "serve/recommend.h"

#include "host.h"
#include "miscadmin.h"
#include "source/crosses.h"
#include "utils/memutils.h"

/* Rows of a tile, as many as the scorer takes at once; users of a tile. */
#define TILE_ROWS 256
#define TILE_USERS 16
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
	Scorer	   *scorer;
	uint32	   *fields;			/* [n_fields] features of users */
	int			n_fields;
	uint32		n_users;		/* at a time; up to TILE_USERS */
	double	   *scores;			/* [n_users, candidates] */
	uint32	   *tile;			/* [TILE_ROWS, n_features] */
	uint32	   *histories;		/* [TILE_ROWS] the list that all users have; NULL: each has the model's */
	uint32	   *heap;			/* [candidates] */
	uint32		n_heap;
	const double *heap_scores;	/* of the user at hand */
	uint32		stamp;			/* of the user at hand */
	uint32	   *seen;			/* [n_items] stamp of the user who has seen or listed it */
	ValueCount **counts;		/* [n_caps][values of the feature] */
};

static bool
is_of_user(const Recommender *recommender, int f)
{
	const Candidates *candidates = recommender->candidates;
	const FeatureSpec *spec = candidates->rows.spec;

	if (f == spec->user_feature)
		return true;
	if (f >= spec->n_columns)
		return feature_counts(&spec->features[f], spec->user_feature);
	for (uint32 k = 0; recommender->users && k < recommender->users->n_fields; k++)
		if (recommender->users->fields[k] == f)
			return !candidates->given[f];
	return false;
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
	recommender->scorer = candidates->served->scorer;
	recommender->fields = palloc(spec->n_features * sizeof(uint32));
	for (int f = 0; f < spec->n_features; f++)
		if (is_of_user(recommender, f))
			recommender->fields[recommender->n_fields++] = f;
	recommender->n_users = Max(Min(MAX_SCORES / n, TILE_USERS), 1);
	recommender->scores = MemoryContextAllocHuge(CurrentMemoryContext,
												 recommender->n_users * n * sizeof(double));
	recommender->tile = palloc(TILE_ROWS * spec->n_features * sizeof(uint32));
	if (candidates->history > 0)
		recommender->histories = palloc(TILE_ROWS * sizeof(uint32));
	for (int i = 0; i < TILE_ROWS && recommender->histories; i++)
		recommender->histories[i] = candidates->history;
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
	return recommender;
}

List *
recommender_of_users(const Recommender *recommender)
{
	const FeatureSpec *spec = recommender->candidates->rows.spec;
	List	   *names = NIL;

	for (int k = 0; k < recommender->n_fields; k++)
		if (recommender->fields[k] < spec->n_columns)
			names = lappend(names, spec->features[recommender->fields[k]].name);
	return names;
}

uint32
recommender_users(const Recommender *recommender)
{
	return recommender->n_users;
}

/* A row with what goes with a user. */
static void
add_user(Recommender *recommender, uint32 id)
{
	ScoreTable *rows = &recommender->candidates->rows;
	const EntityTable *users = recommender->users;
	int64		user = entity_number(users, id);
	Size		row = score_table_add(rows);

	score_table_row(rows, row)[rows->spec->user_feature] = id;
	for (uint32 k = 0; user >= 0 && k < users->n_fields; k++)
	{
		int			f = (int) users->fields[k];
		uint32		value = users->values[user * users->n_fields + k];

		if (recommender->candidates->given[f])
			continue;
		if (kind_has_list(rows->spec->features[f].kind))
			score_table_set_list(rows, row, f, users->list_members + users->list_start[value],
								 users->list_start[value + 1] - users->list_start[value]);
		else
			score_table_row(rows, row)[f] = value;
	}
	derived_encode(rows->spec, score_table_row(rows, row));
}

/* Scores of the users at hand with candidates first .. first + n - 1, as one tile. */
static void
score_tile(Recommender *recommender, uint32 n_users, uint32 first, uint32 n)
{
	const ScoreTable *rows = &recommender->candidates->rows;
	uint32		n_candidates = recommender->candidates->n;
	int			n_features = rows->spec->n_features;
	uint32	   *to_row = recommender->tile;
	double		scores[TILE_ROWS];
	const double *score = scores;
	ScoreRows	tile = {.n_rows = (Size) n_users * n,.ids = recommender->tile,
		.list_start = rows->list_start,.list_members = rows->members,
		.histories = recommender->histories};
	EngineError error;

	for (uint32 u = 0; u < n_users; u++)
	{
		const uint32 *user = score_table_row(rows, (Size) n_candidates + u);

		for (uint32 i = 0; i < n; i++, to_row += n_features)
		{
			memcpy(to_row, score_table_row(rows, first + i), n_features * sizeof(uint32));
			for (int k = 0; k < recommender->n_fields; k++)
				to_row[recommender->fields[k]] = user[recommender->fields[k]];
			crosses_encode(rows->spec, to_row);
		}
	}
	if (!scorer_score(recommender->scorer, &tile, scores, &error))
		host_raise(&error);
	for (uint32 u = 0; u < n_users; u++, score += n)
		memcpy(recommender->scores + (Size) u * n_candidates + first, score, n * sizeof(double));
}

static void
score_users(Recommender *recommender, uint32 n_users)
{
	uint32		at_once = TILE_ROWS / n_users;
	uint32		n = recommender->candidates->n;

	for (uint32 first = 0; first < n; first += at_once)
	{
		CHECK_FOR_INTERRUPTS();
		score_tile(recommender, n_users, first, Min(at_once, n - first));
	}
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

/* Items that the user took, those of a history that was passed, too. */
static void
mark_seen(Recommender *recommender, uint32 id)
{
	const Candidates *candidates = recommender->candidates;
	int64		user = entity_number(recommender->users, id);

	if (!recommender->query->exclude_seen)
		return;
	if (user >= 0)
		mark_taken(recommender, user);
	for (uint32 item = 0; candidates->seen && item < candidates->n_items; item++)
		if (candidates->seen[item])
			recommender->seen[item] = recommender->stamp;
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
	mark_seen(recommender, id);
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

void
recommender_run(Recommender *recommender, const uint32 *users, uint32 n,
				RecommendFunction function, void *context)
{
	ScoreTable *rows = &recommender->candidates->rows;
	uint32		n_lists = rows->n_lists;

	Assert(n > 0 && n <= recommender->n_users);
	for (uint32 u = 0; u < n; u++)
		add_user(recommender, users[u]);
	score_users(recommender, n);
	score_table_cut(rows, recommender->candidates->n, n_lists);
	for (uint32 u = 0; u < n; u++)
		list_user(recommender, u, users[u], function, context);
}
