/*
 * pair_scores.c
 *	  Scores of users with candidates, tile by tile.
 *
 * Rows of the users at hand, which hold what goes with them alone, are put behind the
 * candidates'.  A tile's rows are copies of the candidates' with the users' values.
 *
 * For many users of a model with trees candidates are taken in an order of their own: those of
 * one category lie in one tile, so that what trees make of a user and a category is made once.
 *
 * Memory: a tile; of that order 4 bytes for each candidate, and 20 more while it is made.
 */
#include "postgres.h"

#include "serve/pair_scores.h"

#include "host.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "serve/missing.h"
#include "source/crosses.h"
#include "source/keys/sort_interruptible.h"
#include "utils/memutils.h"

/* Rows of a tile, as many as the scorer takes at once. */
#define TILE_ROWS 256

struct PairScores
{
	Candidates *candidates;
	const EntityTable *users;	/* NULL: none were kept */
	Scorer	   *scorer;
	uint32	   *fields;			/* [n_fields] features of users */
	int			n_fields;
	const uint32 *user_histories;	/* [n_users] each user's list, for histories; NULL: all have one */
	uint32	   *tile;			/* [TILE_ROWS, n_features] */
	uint32	   *histories;		/* [TILE_ROWS] the list that all users have; NULL: each has the model's */
	uint32	   *order;			/* [n] all candidates as many users take them; NULL: not made yet */
};

static bool
is_of_user(const PairScores *pairs, int f)
{
	const Candidates *candidates = pairs->candidates;
	const FeatureSpec *spec = candidates->rows.spec;

	if (f == spec->user_feature)
		return true;
	if (f >= spec->n_columns)
		return feature_counts(&spec->features[f], spec->user_feature);
	for (uint32 k = 0; pairs->users && k < pairs->users->n_fields; k++)
		if (pairs->users->fields[k] == f)
			return !candidates->given[f];
	return false;
}

/* Features that neither candidates nor users have. */
static void
tell_missing(const PairScores *pairs)
{
	const Candidates *candidates = pairs->candidates;
	const FeatureSpec *spec = candidates->rows.spec;
	List	   *present = NIL;
	List	   *missing;

	for (int k = 0; k < pairs->n_fields; k++)
		if (pairs->fields[k] < spec->n_columns)
			present = lappend(present, spec->features[pairs->fields[k]].name);
	for (int f = 0; f < spec->n_columns; f++)
		if (candidates->given[f])
			present = lappend(present, spec->features[f].name);
	missing = missing_names(missing_needed(spec, true), present);
	if (missing)
		missing_tell(spec, present, missing);
}

PairScores *
pair_scores_create(Candidates *candidates)
{
	const LoadedModel *loaded = candidates->served->loaded;
	const FeatureSpec *spec = loaded->spec;
	PairScores *pairs = palloc0(sizeof(PairScores));

	pairs->candidates = candidates;
	pairs->users = loaded->model->users;
	pairs->scorer = candidates->served->scorer;
	pairs->fields = palloc(spec->n_features * sizeof(uint32));
	for (int f = 0; f < spec->n_features; f++)
		if (is_of_user(pairs, f))
			pairs->fields[pairs->n_fields++] = f;
	pairs->tile = palloc(TILE_ROWS * spec->n_features * sizeof(uint32));
	if (candidates->history > 0)
		pairs->histories = palloc(TILE_ROWS * sizeof(uint32));
	for (int i = 0; i < TILE_ROWS && pairs->histories; i++)
		pairs->histories[i] = candidates->history;
	tell_missing(pairs);
	return pairs;
}

void
pair_scores_histories(PairScores *pairs, const uint32 *lists)
{
	if (!pairs->histories)
		pairs->histories = palloc(TILE_ROWS * sizeof(uint32));
	pairs->user_histories = lists;
}

/* A row with what goes with a user. */
static void
add_user(PairScores *pairs, uint32 id)
{
	ScoreTable *rows = &pairs->candidates->rows;
	const EntityTable *users = pairs->users;
	int64		user = entity_number(users, id);
	Size		row = score_table_add(rows);

	score_table_row(rows, row)[rows->spec->user_feature] = id;
	for (uint32 k = 0; user >= 0 && k < users->n_fields; k++)
	{
		int			f = (int) users->fields[k];
		uint32		value = users->values[user * users->n_fields + k];

		if (pairs->candidates->given[f])
			continue;
		if (kind_has_list(rows->spec->features[f].kind))
			score_table_set_list(rows, row, f, users->list_members + users->list_start[value],
								 users->list_start[value + 1] - users->list_start[value]);
		else
			score_table_row(rows, row)[f] = value;
	}
	derived_encode(rows->spec, score_table_row(rows, row));
}

/* Bits that tell a value of a candidate's feature from others; 0: it has lists, or is the user's. */
static int
value_bits(const PairScores *pairs, int f)
{
	const FeatureSpec *spec = pairs->candidates->rows.spec;

	for (int k = 0; k < pairs->n_fields; k++)
		if (pairs->fields[k] == f)
			return 0;
	if (kind_has_list(spec->features[f].kind))
		return 0;
	return pg_leftmost_one_pos32(Max(spec->vocabularies[spec->features[f].vocabulary].n_rows, 1)) + 1;
}

/* A candidate's values, those of few values first, as far as there are bits -> keys [n]. */
static void
make_keys(const PairScores *pairs, uint64 *keys)
{
	const ScoreTable *rows = &pairs->candidates->rows;
	int			left = 64;

	for (int bits = 1; bits <= 32 && bits <= left; bits++)
		for (int f = 0; f < rows->spec->n_columns && bits <= left; f++)
		{
			if (value_bits(pairs, f) != bits)
				continue;
			left -= bits;
			for (uint32 i = 0; i < pairs->candidates->n; i++)
				keys[i] |= (uint64) score_table_row(rows, i)[f] << left;
		}
}

static void
make_order(PairScores *pairs)
{
	uint32		n = pairs->candidates->n;
	uint64	   *keys = MemoryContextAllocExtended(CurrentMemoryContext, Max(n, 1) * sizeof(uint64),
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	pairs->order = palloc_extended(Max(n, 1) * sizeof(uint32), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < n; i++)
		pairs->order[i] = i;
	make_keys(pairs, keys);
	sort_words(keys, pairs->order, n);
	pfree(keys);
}

/* Which candidates, and where their scores go. */
typedef struct PairRun
{
	const uint32 *numbers;		/* [n]; NULL: the first n */
	const uint32 *places;		/* [n] where they stand among scores; NULL: in this order */
	uint32		n;
	double	   *scores;			/* [users, n] */
} PairRun;

/* Scores of the users from .. from + n_users - 1 with candidates first .. first + n - 1 of the run, as one tile. */
static void
score_tile(PairScores *pairs, const PairRun *run, uint32 from, uint32 n_users, uint32 first,
		   uint32 n)
{
	const ScoreTable *rows = &pairs->candidates->rows;
	int			n_features = rows->spec->n_features;
	uint32	   *to_row = pairs->tile;
	double		scores[TILE_ROWS];
	const double *score = scores;
	ScoreRows	tile = {.n_rows = (Size) n_users * n,.ids = pairs->tile,
		.list_start = rows->list_start,.list_members = rows->members,
		.histories = pairs->histories,.across = n};
	EngineError error;

	for (uint32 u = from; u < from + n_users; u++)
	{
		const uint32 *user = score_table_row(rows, (Size) pairs->candidates->n + u);

		for (uint32 i = first; i < first + n; i++, to_row += n_features)
		{
			memcpy(to_row, score_table_row(rows, run->numbers ? run->numbers[i] : i),
				   n_features * sizeof(uint32));
			for (int k = 0; k < pairs->n_fields; k++)
				to_row[pairs->fields[k]] = user[pairs->fields[k]];
			if (pairs->user_histories)
				pairs->histories[(u - from) * n + i - first] = pairs->user_histories[u];
			crosses_encode(rows->spec, to_row);
		}
	}
	if (!scorer_score(pairs->scorer, &tile, scores, &error))
		host_raise(&error);
	for (uint32 u = from; u < from + n_users; u++)
		for (uint32 i = first; i < first + n; i++)
			run->scores[(Size) u * run->n + (run->places ? run->places[i] : i)] = *score++;
}

void
pair_scores_fill(PairScores *pairs, const uint32 *users, uint32 n_users, const uint32 *numbers,
				 uint32 n, double *scores)
{
	ScoreTable *rows = &pairs->candidates->rows;
	PairRun		run = {numbers, NULL, n, scores};
	uint32		n_lists = rows->n_lists;
	/* with few candidates a tile has room for more users */
	uint32		wide = Max(Min(n_users, Max(PAIR_USERS, TILE_ROWS / Max(n, 1))), 1);
	uint32		at_once = TILE_ROWS / wide;

	if (n_users > 1 && !numbers && pairs->candidates->served->loaded->model->trees)
	{
		Assert(n == pairs->candidates->n);
		if (!pairs->order)
			make_order(pairs);
		run.numbers = run.places = pairs->order;
	}
	for (uint32 u = 0; u < n_users; u++)
		add_user(pairs, users[u]);
	for (uint32 first = 0; first < n; first += at_once)
		for (uint32 from = 0; from < n_users; from += wide)
		{
			CHECK_FOR_INTERRUPTS();
			score_tile(pairs, &run, from, Min(wide, n_users - from), first,
					   Min(at_once, n - first));
		}
	score_table_cut(rows, pairs->candidates->n, n_lists);
}
