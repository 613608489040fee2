/*
 * test_encoding_choice.c
 *	  Which fields and pairs get an encoding: gains against plain sums, planted effects
 *	  and leaks, limits.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/measure/calibration.h"
#include "engine/networks/config_options.h"
#include "fitted_rows.h"

static EncodingChoice
choose(Arena *arena, const EncodingRows *rows, const double *logits, int max_pairs, Team *team)
{
	EngineHost	host = toy_host();
	EngineError error;
	EncodingChoice choice;

	CHECK(encoding_choose_singles(arena, rows, team, &host, &choice, &error));
	CHECK(encoding_choose_pairs(arena, rows, logits, max_pairs, team, &host, NULL, NULL, &choice,
								&error));
	return choice;
}

/* Logits of a model that knows the rate alone. */
static double *
prior_logits(Arena *arena, const EncodingRows *rows)
{
	double	   *logits = ARENA_ARRAY(arena, double, rows->n_rows);

	for (size_t row = 0; row < rows->n_rows; row++)
		logits[row] = log(rows->prior / (1 - rows->prior));
	return logits;
}

/* The rate that validation rows have by the prior, calibrated. */
static double
calibrated_prior(Arena *arena, const DrawnRows *rows, double prior)
{
	size_t		n_train = rows->data.split_start[SPLIT_VALID];
	size_t		n = drawn_n(rows) - n_train;
	double	   *rates = ARENA_ARRAY(arena, double, n);
	EngineHost	host = toy_host();
	Calibration calibration = {0};
	EngineError error;

	for (size_t i = 0; i < n; i++)
		rates[i] = prior;
	CHECK(calibration_fit(rates, rows->labels + n_train, NULL, n, &calibration, &host, &error));
	return calibrate(&calibration, prior, 0);
}

/* The gain of what was fitted, by plain loops.  rates: of training and of validation rows. */
static double
plain_gain(const Fitted *fitted, const DrawnRows *rows, const double *rates)
{
	static const int n_bins[2] = {16, 6};
	const float *values[2] = {fitted->rates, fitted->counts};
	double		sums[2][16 * 6][2] = {0};
	double		gain = 0;
	size_t		n = fitted->rows.n_train;

	for (size_t row = 0; row < fitted->rows.n_rows; row++)
	{
		int			bin[2] = {0, 0};
		double		p = rates[row >= n];

		for (int k = 0; k < 2; k++)
			for (int edge = 1; edge < n_bins[k]; edge++)
			{
				/* at the edge or above it: so many training rows are below the value, or more */
				size_t		at_most = 0;

				for (size_t other = 0; other < n; other++)
					at_most += values[k][other] <= values[k][row];
				bin[k] += at_most > n * (size_t) edge / (size_t) n_bins[k];
			}
		sums[row >= n][bin[0] * 6 + bin[1]][0] += rows->labels[row] - p;
		sums[row >= n][bin[0] * 6 + bin[1]][1] += p * (1 - p);
	}
	for (int i = 0; i < 16 * 6; i++)
	{
		double		step = sums[0][i][0] / (sums[0][i][1] + 20);

		gain += sums[1][i][0] * step - sums[1][i][1] * step * step / 2;
	}
	return gain;
}

/* Gains are those of plain loops. */
static void
test_gain(Arena *arena)
{
	static const uint32_t n_values[N_FIELDS] = {3, 40, 20, 12, 6};
	DrawnRows  *rows = drawn_rows(arena, 900, 300, N_FIELDS, n_values, 15);
	EncodingChoice choice;
	Fitted	   *fitted;
	double	   *logits;
	double		rates[2];

	plant_pair(rows, 3, 4, 16);
	/* fewer positives among validation rows */
	for (size_t row = 900; row < 1200; row++)
		rows->labels[row] &= row % 4 != 0;
	fitted = make_ready(arena, &rows->data);
	rates[0] = fitted->rows.prior;
	rates[1] = calibrated_prior(arena, rows, rates[0]);
	CHECK(rates[1] < rates[0] - 0.03);
	logits = prior_logits(arena, &fitted->rows);
	choice = choose(arena, &fitted->rows, logits, 16, NULL);
	CHECK(choice.n_singles == 5 && choice.n_pairs == 10);
	for (int i = 0; i < 5; i++)
	{
		fit(arena, fitted, choice.singles[i].a, NO_FIELD);
		CHECK(fabs(choice.singles[i].gain - plain_gain(fitted, rows, rates)) < 1e-3);
	}
	for (int i = 0; i < 10; i++)
	{
		fit(arena, fitted, choice.pairs[i].a, choice.pairs[i].b);
		CHECK(choice.pairs[i].n_cells == fitted->encoding.n_cells);
		CHECK(fabs(choice.pairs[i].gain - plain_gain(fitted, rows, rates)) < 1e-3);
	}
}

/*
 * Users with nearly as many positives as negatives: what a training row's others are
 * tells its label, and a validation row's tell nothing.
 */
static void
test_planted_leak(Arena *arena)
{
	static const uint32_t n_values[N_FIELDS] = {3, 1600, 500, 10, 10};
	DrawnRows  *rows = drawn_rows(arena, 16000, 4000, N_FIELDS, n_values, 21);
	size_t		row = 0;
	EncodingChoice choice;
	Fitted	   *fitted;
	Random		random;

	random_start(&random, 22, RANDOM_SIMULATE, 0);
	for (uint32_t user = 0; user < 1600; user++)
		for (uint32_t i = 0; i < 3 + 2 * (user % 8); i++, row++)
		{
			*drawn_id(rows, row, DRAWN_USER) = FIRST_ID + user;
			rows->labels[row] = (i + user / 8) % 2;
		}
	CHECK(row == 16000);
	for (; row < 20000; row++)
		rows->labels[row] = random_below(&random, 2);
	/* a field that tells the label honestly */
	for (row = 0; row < 20000; row++)
		*drawn_id(rows, row, 3) = FIRST_ID + (rows->labels[row] ? 0 : 3) +
			(uint32_t) random_below(&random, 7);
	fitted = make_ready(arena, &rows->data);
	choice = choose(arena, &fitted->rows, prior_logits(arena, &fitted->rows), 16, NULL);
	CHECK(choice.singles[DRAWN_USER].gain < -10 && !choice.singles[DRAWN_USER].taken);
	CHECK(choice.singles[3].gain > 10 && choice.singles[3].taken);
}

/* A pair that tells what neither field does comes first; one that says a field again is not tried. */
static void
test_planted_pair(Arena *arena)
{
	static const uint32_t n_values[6] = {3, 300, 200, 10, 12, 5};
	DrawnRows  *rows = drawn_rows(arena, 4000, 1000, 6, n_values, 31);
	EncodingChoice choice;
	Fitted	   *fitted;

	/* field 5 follows from field 3 */
	for (size_t row = 0; row < 5000; row++)
		*drawn_id(rows, row, 5) = FIRST_ID + *drawn_id(rows, row, 3) % 5;
	plant_pair(rows, 3, 4, 32);
	fitted = make_ready(arena, &rows->data);
	choice = choose(arena, &fitted->rows, prior_logits(arena, &fitted->rows), 16, NULL);
	CHECK(choice.n_pairs == 15);
	CHECK(choice.pairs[0].a == 4 && choice.pairs[0].b == 3);
	CHECK(choice.pairs[0].taken && choice.pairs[0].gain > 50 && choice.pairs[0].n_cells == 120);
	CHECK(choice.singles[3].gain < 3 && choice.singles[4].gain < 3);
	for (int i = 1; i < 15; i++)
	{
		const EncodingTried *tried = &choice.pairs[i];
		bool		follows = tried->a == 3 && tried->b == 5;

		CHECK(isnan(tried->gain) == follows && tried->taken == (tried->gain > 3));
		CHECK(isnan(tried->gain) || tried->gain <= tried[-1].gain);
	}
	choice = choose(arena, &fitted->rows, prior_logits(arena, &fitted->rows), 0, NULL);
	CHECK(choice.n_pairs == 0);
}

/* Pairs have four times as many cells as there are rows; a smaller one behind may still fit. */
static void
test_room_for_pairs(Arena *arena)
{
	static const uint32_t n_values[12] = {2, 90, 90, 2800, 2, 2, 2, 2, 2, 2, 2, 2};
	DrawnRows  *rows = drawn_rows(arena, 8000, 2000, 12, n_values, 41);
	uint64_t	cells = 0;
	int			n_taken = 0;
	int			n_good = 0;
	int			n_skipped = 0;
	EncodingChoice choice;
	Fitted	   *fitted;
	Random		random;

	/* fields 4 to 11 are all the same, and each tells with field 3, a row in 50 apart */
	random_start(&random, 42, RANDOM_SIMULATE, 0);
	plant_pair(rows, 3, 4, 43);
	for (size_t row = 0; row < 10000; row++)
		for (int f = 5; f < 12; f++)
			if (random_below(&random, 50) > 0)
				*drawn_id(rows, row, f) = *drawn_id(rows, row, 4);
	fitted = make_ready(arena, &rows->data);
	choice = choose(arena, &fitted->rows, prior_logits(arena, &fitted->rows), 16, NULL);
	for (int i = 0; i < choice.n_pairs; i++)
	{
		const EncodingTried *tried = &choice.pairs[i];
		bool		fits = cells + tried->n_cells <= 4 * 8000;

		if (!(tried->gain > 3))
			break;
		n_good++;
		CHECK(tried->taken == fits);
		n_skipped += !fits;
		n_taken += fits;
		cells += fits ? tried->n_cells : 0;
	}
	CHECK(n_good >= 8 && n_skipped > 0 && n_taken > 4);
	choice = choose(arena, &fitted->rows, prior_logits(arena, &fitted->rows), 2, NULL);
	CHECK(choice.pairs[1].taken && !choice.pairs[2].taken);
}

/* Of many fields the pairs of those that promise most are tried, and the roles' in any case. */
static void
test_many_fields(Arena *arena)
{
	enum
	{
		MANY = MAX_PAIR_FIELDS + 6
	};
	uint32_t	n_values[MANY];
	DrawnRows  *rows;
	EncodingChoice choice;
	Fitted	   *fitted;
	bool		with_user = false;
	char		text[32];

	for (int f = 0; f < MANY; f++)
		n_values[f] = f == 0 ? 3 : 20 + f;
	rows = drawn_rows(arena, 2000, 500, MANY, n_values, 61);
	fitted = make_ready(arena, &rows->data);
	choice = choose(arena, &fitted->rows, prior_logits(arena, &fitted->rows), 16, NULL);
	CHECK(choice.n_pairs == MAX_PAIR_FIELDS * (MAX_PAIR_FIELDS - 1) / 2);
	/* what users are told */
	snprintf(text, sizeof(text), ", %d in all", MAX_PAIR_FIELDS);
	CHECK(strstr(option_find(&config_table, "tree_pairs")->meaning, text));
	for (int i = 0; i < choice.n_pairs; i++)
		with_user |= choice.pairs[i].a == 1 || choice.pairs[i].b == 1;
	CHECK(with_user);
}

/* Few validation rows choose nothing: every field is taken that has several values. */
static void
test_few_rows(Arena *arena, size_t n_valid)
{
	static const uint32_t n_values[N_FIELDS] = {1, 300, 200, 10, 12};
	DrawnRows  *rows = drawn_rows(arena, 1000, n_valid, N_FIELDS, n_values, 51);
	EncodingChoice choice;
	Fitted	   *fitted;

	plant_pair(rows, 3, 4, 52);
	fitted = make_ready(arena, &rows->data);
	choice = choose(arena, &fitted->rows, prior_logits(arena, &fitted->rows), 16, NULL);
	CHECK(choice.n_singles == N_FIELDS);
	CHECK((choice.n_pairs > 0) == (n_valid >= MIN_CHOOSING_ROWS));
	for (int i = 0; i < N_FIELDS && n_valid < MIN_CHOOSING_ROWS; i++)
		CHECK(isnan(choice.singles[i].gain) && choice.singles[i].taken == (i > 0));
	CHECK(!choice.singles[0].taken);
}

static bool
same_tried(const EncodingTried *one, const EncodingTried *other, int n)
{
	for (int i = 0; i < n; i++)
		if (one[i].a != other[i].a || one[i].b != other[i].b || one[i].gain != other[i].gain ||
			one[i].n_cells != other[i].n_cells || one[i].taken != other[i].taken)
			return false;
	return true;
}

/* The same choice by any number of threads. */
static void
test_threads(Arena *arena)
{
	DrawnRows  *rows = odd_rows(arena, true);
	EncodingChoice choices[3];
	EngineError error;
	Fitted	   *fitted;
	double	   *logits;

	rows->data.split_start[SPLIT_VALID] = 400;
	fitted = make_ready(arena, &rows->data);
	logits = prior_logits(arena, &fitted->rows);
	for (int n = 0; n < 3; n++)
	{
		Team	   *team = team_start(arena, n + 1, &error);

		choices[n] = choose(arena, &fitted->rows, logits, 16, team);
		team_stop(team);
	}
	CHECK(choices[0].n_pairs == 10);
	for (int n = 1; n < 3; n++)
	{
		CHECK(same_tried(choices[n].singles, choices[0].singles, 5));
		CHECK(same_tried(choices[n].pairs, choices[0].pairs, 10));
	}
}

int
main(void)
{
	Arena		arena;

	arena_init_malloc(&arena);
	test_gain(&arena);
	test_planted_leak(&arena);
	test_planted_pair(&arena);
	test_room_for_pairs(&arena);
	test_many_fields(&arena);
	test_few_rows(&arena, 0);
	test_few_rows(&arena, 199);
	test_few_rows(&arena, 200);
	test_threads(&arena);
	arena_free_all(&arena);
	return unit_summary();
}
