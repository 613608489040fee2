/*
 * split_cuts.c
 *	  Where validation and test rows begin in the order of a split column.
 */
#include "postgres.h"

#include "source/read/split_cuts.h"

#include <math.h>

void
cuts_start(CutFinder *finder, const SourceOptions *options, uint64 n)
{
	uint64		n_test = (uint64) rint(n * options->test_share);
	uint64		n_valid = (uint64) rint(n * options->valid_share);

	*finder = (CutFinder) {
		.wants_valid = options->valid_share > 0,.wants_test = options->test_share > 0,
		.valid_rank = n - n_test - n_valid,.test_rank = n - n_test
	};
}

static void
add_value(CutFinder *finder, int64 key)
{
	Cut			before = finder->latest;

	finder->latest = (Cut) {before.number + 1, key};
	if (finder->latest.number == 2)
		finder->second = finder->latest;
	if (finder->latest.number == 3)
		finder->third = finder->latest;
	if (finder->n_rows <= finder->valid_rank)
		finder->valid = finder->latest;
	if (finder->n_rows <= finder->test_rank)
	{
		finder->test = finder->latest;
		finder->before_test = before;
	}
}

void
cuts_add(CutFinder *finder, int64 key)
{
	if (finder->n_rows == 0 || key != finder->latest.key)
		add_value(finder, key);
	finder->n_rows++;
}

void
cuts_end(const CutFinder *finder, const char *column, SplitBounds *bounds)
{
	uint64		n_values = finder->latest.number;
	Cut			valid = finder->valid;
	Cut			test = finder->test;

	*bounds = (SplitBounds) {.has_valid = finder->wants_valid && n_values > 0,
		.has_test = finder->wants_test && n_values > (finder->wants_valid ? 2 : 0)};
	if (n_values == 1 && (finder->wants_valid || finder->wants_test))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" cannot split rows by order: it has one value only", column),
				 errdetail("Rows of one value stay together, so that none would be left to train on."),
				 errhint("Name another split column, or set option \"split_method\" to \"hash\".")));
	/* one value at least trains, and one validates */
	if (bounds->has_valid && bounds->has_test && test.number < 3)
		test = finder->third;
	else if (bounds->has_test && test.number < 2)
		test = finder->second;
	if (bounds->has_test && valid.number >= test.number)
		valid = finder->before_test;
	if (valid.number < 2)
		valid = finder->second;
	bounds->first_valid = valid.key;
	bounds->first_test = test.key;
}
