/*
 * test_encoding.c
 *	  Encodings: folds, and values against loops over all pairs of rows.
 */
#include <math.h>
#include <string.h>

#include "fitted_rows.h"
#include "pick.h"

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
	arena_free_all(&arena);
	return unit_summary();
}
