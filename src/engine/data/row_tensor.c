/*
 * row_tensor.c
 *	  Slots for the rows that a batch touches.
 */
#include "engine/data/row_tensor.h"

void
rows_init(RowTensor *tensor, Arena *arena, real *values, uint32_t n_rows, int dim)
{
	*tensor = (RowTensor) {.values = values, .n_rows = n_rows, .dim = dim};
	tensor->slot_of = ARENA_ARRAY(arena, uint32_t, n_rows);
}

bool
rows_begin(RowTensor *tensor, Arena *arena, size_t occurrences, EngineError *error)
{
	size_t		needed = occurrences < tensor->n_rows ? occurrences : tensor->n_rows;

	tensor->n_slots = 0;
	if (needed <= tensor->capacity)
		return true;
	/* The smaller arrays stay in the arena; doubling bounds what that costs. */
	if (needed < 2 * tensor->capacity)
		needed = 2 * tensor->capacity;
	tensor->rows = ARENA_ARRAY(arena, uint32_t, needed);
	tensor->occurrences = ARENA_ARRAY(arena, uint32_t, needed);
	tensor->grads = ARENA_ARRAY(arena, real, needed * tensor->dim);
	if (!arena_ok(arena, error))
		return false;
	tensor->capacity = needed;
	return true;
}
