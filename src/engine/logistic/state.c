/*
 * state.c
 *	  Parts of a descent's jobs, and the length of its steps.
 */
#include "engine/logistic/state.h"

/* Rows of a part, at least: some tenths of a millisecond of work. */
#define PART_ROWS 4096

int
descent_parts(size_t n)
{
	size_t		parts = (n + PART_ROWS - 1) / PART_ROWS;

	return parts < 1 ? 1 : parts > MAX_PARTS ? MAX_PARTS : (int) parts;
}

/*
 * Newton's step, shortened where it is long: with third derivatives no larger
 * than second ones (as the logistic loss has them), a step that moves logits by up
 * to m goes down if it is at most log(1 + m) / m of Newton's; up to 1 all of it does.
 */
double
descent_step_length(double largest_move)
{
	return largest_move > 1 ? log1p(largest_move) / largest_move : 1;
}

size_t
descent_block_size(const Descent *descent, int block)
{
	const Cells *cells = &descent->cells[block % descent->n_fields];

	if (block < descent->n_fields)
		return cells->n_values;
	return cells->pairs ? cells->pairs->n_pairs : 0;
}

bool
descent_run(Descent *descent, TeamTask task, void *context, int n, EngineError *error)
{
	team_run(descent->team, &descent->watch, task, context, n);
	return !descent->watch.stopped || watch_continue(&descent->watch, error);
}
