/*
 * tensor.c
 *	  The table of a model's parameters.
 */
#include "engine/model/tensor.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SMALL_START_STD 0.01
#define FIRST_CAPACITY 64

/* Parts of the stored order. */
enum
{
	PART_ABOVE_CUT,
	PART_BELOW_CUT,
	PART_STATISTICS,
	PART_ROWS,
	PART_FITTED,
	N_PARTS
};

static int
part_of(const Tensor *tensor)
{
	switch (tensor->kind)
	{
		case TENSOR_DENSE:
			return tensor->above_cut ? PART_ABOVE_CUT : PART_BELOW_CUT;
		case TENSOR_STATISTIC:
			return PART_STATISTICS;
		case TENSOR_ROWS:
			return PART_ROWS;
		case TENSOR_FITTED:
			break;
	}
	return PART_FITTED;
}

static bool
reserve(TensorList *list)
{
	int			capacity = list->capacity > 0 ? 2 * list->capacity : FIRST_CAPACITY;
	Tensor	   *tensors;

	if (list->n < list->capacity)
		return true;
	tensors = ARENA_ARRAY(list->arena, Tensor, capacity);
	if (!tensors)
		return false;
	if (list->n > 0)
		memcpy(tensors, list->tensors, list->n * sizeof(Tensor));
	list->tensors = tensors;
	list->capacity = capacity;
	return true;
}

TensorRef
tensors_add(TensorList *list, const Tensor *like, const char *format,...)
{
	Tensor	   *tensor;
	va_list		args;

	if (!reserve(list))
		return NO_TENSOR;
	tensor = &list->tensors[list->n];
	*tensor = *like;
	va_start(args, format);
	vsnprintf(tensor->name, sizeof(tensor->name), format, args);
	va_end(args);
	tensor->size = 1;
	for (int i = 0; i < 3; i++)
	{
		if (i >= tensor->n_dims)
			tensor->dims[i] = 1;
		if (__builtin_mul_overflow(tensor->size, (size_t) tensor->dims[i], &tensor->size))
			list->overflow = true;
	}
	return list->n++;
}

/* Give the tensors of one part, in order, the next places and offsets. */
static void
place_part(TensorList *list, int part, Tensor *placed, int *n)
{
	for (int ref = 0; ref < list->n; ref++)
	{
		Tensor	   *tensor = &placed[*n];

		if (part_of(&list->tensors[ref]) != part)
			continue;
		*tensor = list->tensors[ref];
		tensor->offset = list->n_params;
		if (__builtin_add_overflow(list->n_params, tensor->size, &list->n_params) ||
			list->n_params > SIZE_MAX / sizeof(real) / 8)
			list->overflow = true;
		list->place[ref] = (*n)++;
	}
}

bool
tensors_place(TensorList *list, EngineError *error)
{
	Tensor	   *placed = ARENA_ARRAY(list->arena, Tensor, list->n);
	int			n = 0;

	list->place = ARENA_ARRAY(list->arena, int, list->n);
	if (!arena_ok(list->arena, error))
		return false;
	for (int part = 0; part < N_PARTS && !list->overflow; part++)
	{
		place_part(list, part, placed, &n);
		if (part == PART_ABOVE_CUT)
			list->n_above_cut = list->n_params;
		if (part == PART_BELOW_CUT)
			list->n_dense = list->n_params;
	}
	list->tensors = placed;
	if (list->overflow)
		return engine_fail(error, ENGINE_BAD_INPUT, "Use fewer features or a smaller embed_dim.",
						   "model has too many parameters");
	return true;
}

double
tensor_start_std(const Tensor *tensor)
{
	double		n_in = tensor->dims[tensor->n_dims - 1];

	switch (tensor->start)
	{
		case START_SMALL:
			return SMALL_START_STD;
		case START_FAN_IN:
			return 1 / sqrt(n_in);
		case START_RELU:
			return sqrt(2.0 / n_in);
		case START_ZERO:
		case START_ONE:
			break;
	}
	return 0;
}
