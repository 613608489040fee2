/*
 * test_encoding.c
 *	  Encodings: folds, values against loops over all pairs of rows, and the choice of
 *	  fields and pairs.
 */
#include <math.h>
#include <string.h>

#include "drawn_rows.h"
#include "engine/measure/calibration.h"
#include "engine/trees/encoding_fit.h"
#include "pick.h"
#include "toy.h"
#include "unit.h"

#define N_FIELDS 5

/* Rows made ready for encodings; what a fit gives. */
typedef struct Fitted
{
	EncodingRows rows;
	EncodingRoom room;
	float	   *rates;
	float	   *counts;
	Encoding	encoding;
} Fitted;

static Fitted *
make_ready(Arena *arena, const Dataset *data)
{
	Fitted	   *fitted = ARENA_ARRAY(arena, Fitted, 1);
	EngineHost	host = toy_host();
	EngineError error;

	CHECK(encoding_rows_init(&fitted->rows, arena, data, 7, &host, &error));
	CHECK(encoding_room(&fitted->room, arena, &fitted->rows, &error));
	fitted->rates = ARENA_ARRAY(arena, float, fitted->rows.n_rows);
	fitted->counts = ARENA_ARRAY(arena, float, fitted->rows.n_rows);
	return fitted;
}

static void
fit(Arena *arena, Fitted *fitted, int a, int b)
{
	EngineHost	host = toy_host();
	EngineError error;

	CHECK(encoding_fit(arena, &fitted->rows, a, b, &fitted->room, &host, fitted->rates,
					   fitted->counts, &fitted->encoding, &error));
}

/* Some ids of all kinds, and rows that repeat others. */
static DrawnRows *
odd_rows(Arena *arena, bool weighted)
{
	static const uint32_t n_values[N_FIELDS] = {3, 40, 20, 300, 6};
	DrawnRows  *rows = drawn_rows(arena, 500, 150, N_FIELDS, n_values, 3);
	Random		random;

	random_start(&random, 4, RANDOM_SIMULATE, 0);
	plant_noise(rows, 5);
	for (size_t row = 0; row < drawn_n(rows); row++)
	{
		for (int f = 0; f < N_FIELDS; f++)
			if (random_below(&random, 20) == 0)
				*drawn_id(rows, row, f) = (uint32_t) random_below(&random, FIRST_ID);
		if (row >= 40 && row < 90)
			memcpy(drawn_id(rows, row, 0), drawn_id(rows, row - 40, 0),
				   N_FIELDS * sizeof(uint32_t));
		rows->weights[row] = (float) (random_uniform(&random) * 2);
	}
	if (weighted)
		rows->data.weights = rows->weights;
	return rows;
}

/* Do two rows have the same values, none of them unseen? */
static bool
meets(const DrawnRows *rows, int a, int b, size_t row, size_t other)
{
	if (*drawn_id(rows, row, a) != *drawn_id(rows, other, a) ||
		*drawn_id(rows, row, a) == UNSEEN_ID)
		return false;
	return b == NO_FIELD || (*drawn_id(rows, row, b) == *drawn_id(rows, other, b) &&
							 *drawn_id(rows, row, b) != UNSEEN_ID);
}

static double
plain_prior(const DrawnRows *rows)
{
	double		sums[2] = {0, 0};

	for (size_t row = 0; row < rows->data.split_start[SPLIT_VALID]; row++)
		sums[rows->labels[row]] += rows->data.weights ? rows->weights[row] : 1;
	return sums[1] / (sums[0] + sums[1]);
}

/* Values of a row by a loop over all training rows. */
static void
plain_values(const DrawnRows *rows, const uint8_t *folds, int a, int b, size_t row,
			 double *values)
{
	bool		trained = row < rows->data.split_start[SPLIT_VALID];
	double		sums[2] = {0, 0};
	double		rate;

	for (size_t other = 0; other < rows->data.split_start[SPLIT_VALID]; other++)
		if (meets(rows, a, b, row, other) && !(trained && folds[row] == folds[other]))
			sums[rows->labels[other]] += rows->data.weights ? rows->weights[other] : 1;
	rate = (sums[1] + 10 * plain_prior(rows)) / (sums[0] + sums[1] + 10);
	values[0] = log(rate / (1 - rate));
	values[1] = log(1 + (sums[0] + sums[1]) * (trained ? 5.0 / 4 : 1));
}

/* Rates and counts are those of plain loops, and scoring has what validation rows have. */
static void
test_values(Arena *arena, bool weighted, int a, int b)
{
	DrawnRows  *rows = odd_rows(arena, weighted);
	Fitted	   *fitted = make_ready(arena, &rows->data);
	Encodings	encodings = {.n = 1,.list = &fitted->encoding};
	double		worst = 0;
	int			n_unseen = 0;
	int			wrong = 0;

	CHECK(fabs(fitted->rows.prior - plain_prior(rows)) < 1e-12);
	fit(arena, fitted, a, b);
	encoding_unseen(&fitted->rows, encodings.unseen);
	for (size_t row = 0; row < drawn_n(rows); row++)
	{
		double		values[ENCODING_INPUTS];
		float		inputs[ENCODING_INPUTS];

		plain_values(rows, fitted->rows.folds, a, b, row, values);
		worst = fmax(worst, fabs(values[0] - fitted->rates[row]));
		worst = fmax(worst, fabs(values[1] - fitted->counts[row]));
		if (row < rows->data.split_start[SPLIT_VALID])
			continue;
		encodings_inputs(&encodings, drawn_id(rows, row, 0), inputs);
		wrong += inputs[0] != fitted->rates[row] || inputs[1] != fitted->counts[row];
		n_unseen += inputs[0] == encodings.unseen[0] && inputs[1] == 0;
	}
	CHECK(worst < 1e-5);
	CHECK(wrong == 0);
	CHECK(n_unseen > 0 && n_unseen < 150);
}

/* The table of a pair has the pairs of training rows, and no others. */
static void
test_table(Arena *arena)
{
	DrawnRows  *rows = odd_rows(arena, false);
	Fitted	   *fitted = make_ready(arena, &rows->data);
	const Encoding *encoding = &fitted->encoding;
	uint32_t	n_pairs = 0;

	fit(arena, fitted, 3, 4);
	for (size_t row = 0; row < 500; row++)
	{
		bool		first = meets(rows, 3, 4, row, row);

		for (size_t other = 0; other < row; other++)
			first = first && !meets(rows, 3, 4, row, other);
		n_pairs += first;
	}
	CHECK(encoding->n_cells == n_pairs && encoding->start[encoding->n_values] == n_pairs);
	CHECK(encoding->start[UNSEEN_ID + 1] == 0);
	CHECK(encoding->start[RARE_ID] > 0 && encoding->start[FIRST_ID] > encoding->start[RARE_ID]);
}

/* Rows of one user, item and domain share a fold, and folds have about as many rows each. */
static void
test_folds(Arena *arena)
{
	static const uint32_t n_values[N_FIELDS] = {3, 30, 20, 9, 9};
	DrawnRows  *rows = drawn_rows(arena, 5000, 0, N_FIELDS, n_values, 8);
	uint8_t    *folds = ARENA_ARRAY(arena, uint8_t, 5000);
	uint8_t    *others = ARENA_ARRAY(arena, uint8_t, 5000);
	Watch		watch = {0};
	int			of_group[3][30][20];
	int			n[ENCODING_FOLDS] = {0};
	int			apart = 0;
	int			same = 0;

	memset(of_group, -1, sizeof(of_group));
	CHECK(encoding_folds(&rows->data, 1, &watch, folds));
	CHECK(encoding_folds(&rows->data, 2, &watch, others));
	for (size_t row = 0; row < 5000; row++)
	{
		const uint32_t *ids = drawn_id(rows, row, 0);
		int		   *fold = &of_group[ids[0] - FIRST_ID][ids[1] - FIRST_ID][ids[2] - FIRST_ID];

		apart += *fold >= 0 && *fold != folds[row];
		*fold = folds[row];
		n[folds[row]]++;
		same += folds[row] == others[row];
	}
	CHECK(apart == 0);
	CHECK(same > 700 && same < 1300);
	for (int f = 0; f < ENCODING_FOLDS; f++)
		CHECK(n[f] > 800 && n[f] < 1200);
}

/* Without users, rows that are alike in all fields share a fold; lists count by their members. */
static void
test_folds_of_lists(Arena *arena)
{
	static const uint32_t n_values[N_FIELDS] = {3, 5, 5, 5, 5};
	DrawnRows  *rows = drawn_rows(arena, 2000, 0, N_FIELDS, n_values, 9);
	uint8_t    *folds = ARENA_ARRAY(arena, uint8_t, 2000);
	uint8_t    *of_lists = ARENA_ARRAY(arena, uint8_t, 2000);
	Watch		watch = {0};
	int			apart = 0;
	int			n_alike = 0;
	int			same_group = 0;

	rows->data.shape.user_field = -1;
	CHECK(encoding_folds(&rows->data, 1, &watch, folds));
	for (size_t row = 0; row < 2000; row++)
		for (size_t other = 0; other < row; other++)
		{
			int			n = 0;

			for (int f = 0; f < N_FIELDS; f++)
				n += *drawn_id(rows, row, f) == *drawn_id(rows, other, f);
			n_alike += n == N_FIELDS;
			apart += n == N_FIELDS && folds[row] != folds[other];
			/* what makes a group where there are users, does not here */
			same_group += n == N_FIELDS - 1 && folds[row] != folds[other];
		}
	CHECK(n_alike > 100 && apart == 0 && same_group > 100);
	make_lists(rows, arena);
	CHECK(encoding_folds(&rows->data, 1, &watch, of_lists));
	CHECK(memcmp(folds, of_lists, 2000) == 0);
}

/* Labels of a row's own group have no part in its values, to the last bit. */
static void
test_no_leak(Arena *arena)
{
	DrawnRows  *rows = odd_rows(arena, true);
	Fitted	   *fitted = make_ready(arena, &rows->data);
	float	   *rates = ARENA_ARRAY(arena, float, fitted->rows.n_rows);
	int			own = 0;
	int			others = 0;

	for (size_t group = 0; group < 60; group++)
	{
		static const int fields[][2] = {{1, NO_FIELD}, {4, NO_FIELD}, {4, 0}, {3, 1}};
		const int  *pair = fields[group % 4];
		bool		flipped[500];

		fit(arena, fitted, pair[0], pair[1]);
		memcpy(rates, fitted->rates, fitted->rows.n_rows * sizeof(float));
		for (size_t row = 0; row < 500; row++)
		{
			/* two unseen users are nobody */
			flipped[row] = memcmp(drawn_id(rows, row, 0), drawn_id(rows, group, 0),
								  3 * sizeof(uint32_t)) == 0;
			rows->labels[row] ^= flipped[row];
		}
		CHECK(flipped[group] && (group < 40 || group >= 50 || flipped[group - 40]));
		fit(arena, fitted, pair[0], pair[1]);
		for (size_t row = 0; row < fitted->rows.n_rows; row++)
			if (fitted->rates[row] != rates[row])
			{
				own += row < 500 && flipped[row];
				others++;
			}
	}
	CHECK(own == 0);
	CHECK(others > 100);
}

/* A weight of 3 is as good as three rows. */
static void
test_weights(Arena *arena)
{
	static const uint32_t n_values[N_FIELDS] = {3, 20, 10, 30, 6};
	DrawnRows  *rows = drawn_rows(arena, 400, 100, N_FIELDS, n_values, 12);
	DrawnRows  *repeated = drawn_rows(arena, 800, 100, N_FIELDS, n_values, 12);
	size_t	   *first = ARENA_ARRAY(arena, size_t, 500);
	Fitted	   *one;
	Fitted	   *other;
	size_t		n = 0;

	plant_noise(rows, 13);
	for (size_t row = 0; row < 500; row++)
	{
		first[row] = n;
		for (size_t k = 0; k < (row < 400 ? 1 + 2 * (row % 2) : 1); k++, n++)
		{
			memcpy(drawn_id(repeated, n, 0), drawn_id(rows, row, 0), N_FIELDS * sizeof(uint32_t));
			repeated->labels[n] = rows->labels[row];
		}
		rows->weights[row] = row < 400 ? 1 + 2 * (row % 2) : 1;
	}
	CHECK(n == 900);
	rows->data.weights = rows->weights;
	one = make_ready(arena, &rows->data);
	other = make_ready(arena, &repeated->data);
	CHECK(one->rows.prior == other->rows.prior);
	for (int b = -1; b < 2; b++)
	{
		int			wrong = 0;

		fit(arena, one, 3, b);
		fit(arena, other, 3, b);
		for (size_t row = 0; row < 500; row++)
			wrong += one->rates[row] != other->rates[first[row]] ||
				one->counts[row] != other->counts[first[row]];
		CHECK(wrong == 0);
	}
}

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

	for (int f = 0; f < MANY; f++)
		n_values[f] = f == 0 ? 3 : 20 + f;
	rows = drawn_rows(arena, 2000, 500, MANY, n_values, 61);
	fitted = make_ready(arena, &rows->data);
	choice = choose(arena, &fitted->rows, prior_logits(arena, &fitted->rows), 16, NULL);
	CHECK(choice.n_pairs == MAX_PAIR_FIELDS * (MAX_PAIR_FIELDS - 1) / 2);
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
	for (int weighted = 0; weighted < 2; weighted++)
	{
		test_values(&arena, weighted, 1, NO_FIELD);
		test_values(&arena, weighted, 3, NO_FIELD);
		test_values(&arena, weighted, 3, 4);
		test_values(&arena, weighted, 1, 0);
	}
	test_table(&arena);
	test_folds(&arena);
	test_folds_of_lists(&arena);
	test_no_leak(&arena);
	test_weights(&arena);
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
