/*
 * lookup_fill.c
 *	  Values of a row to keys, in the block that is being filled.
 *
 * All of it runs in the session, which may call the server: to detoast a value, to
 * write its key, to read a vector.  A key's bytes are copied, since they do not
 * outlive the row.  A block's arrays double, and are used again by later blocks.
 */
#include "postgres.h"

#include "source/read/lookup_fill.h"

#include "access/tupmacs.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/memutils.h"

/* Rows with long lists do not wait for as many others. */
#define MAX_HELD ((Size) 1024 * 1024)

/* Room for twice the keys. */
static void
grow_keys(BlockKeys *keys)
{
	keys->capacity *= 2;
	keys->words = repalloc_huge(keys->words, keys->capacity * sizeof(uint64));
	keys->lengths = repalloc_huge(keys->lengths, keys->capacity * sizeof(uint32));
	keys->starts = repalloc_huge(keys->starts, keys->capacity * sizeof(uint64));
	keys->ids = repalloc_huge(keys->ids, keys->capacity * sizeof(uint32));
}

/* The number of a key more. */
static inline uint32
add_key(BlockKeys *keys)
{
	if (keys->n == keys->capacity)
		grow_keys(keys);
	return keys->n++;
}

/* A key's bytes, which do not outlive the row. */
static uint64
keep_bytes(LookupBlock *block, BlockKeys *keys, const char *bytes, uint32 length)
{
	Size		at = keys->used;

	if (keys->allocated - at < length)
	{
		keys->allocated = 2 * (at + length);
		keys->bytes = repalloc_huge(keys->bytes, keys->allocated);
	}
	memcpy(keys->bytes + at, bytes, length);
	keys->used += length;
	block->held += length;
	return at;
}

static inline void
add_value(LookupBlock *block, BlockKeys *keys, LookupColumn *column, Datum value)
{
	uint32		k = add_key(keys);
	const char *bytes;

	if (column->is_words)
	{
		keys->words[k] = key_word(&column->writer, value);
		return;
	}
	bytes = key_write(&column->writer, value, &keys->lengths[k]);
	keys->starts[k] = hash_bytes_extended((const unsigned char *) bytes, keys->lengths[k], 0);
	keys->words[k] = keep_bytes(block, keys, bytes, keys->lengths[k]);
}

/* Members of a list; NULLs among them are left out.  Returns how many. */
static int
add_members(LookupBlock *block, BlockKeys *keys, LookupColumn *column, Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const bits8 *not_null = ARR_NULLBITMAP(array);
	char	   *at = ARR_DATA_PTR(array);
	uint32		before = keys->n;

	for (int i = 0; i < n; i++)
	{
		if ((i & 0xFFFF) == 0xFFFF)
			CHECK_FOR_INTERRUPTS();
		if (not_null && !(not_null[i / 8] & 1 << i % 8))
			continue;
		add_value(block, keys, column,
				  fetch_att(at, column->element_by_value, column->element_length));
		at = att_addlength_pointer(at, column->element_length, at);
		at = (char *) att_align_nominal(at, column->element_align);
	}
	block->held += (keys->n - before) * sizeof(uint64);
	return keys->n - before;
}

/* A number is kept as it is, for its id, or vector, comes with the bins; it waits only as a hash. */
static void
add_number(BlockKeys *keys, LookupColumn *column, Datum value, bool isnull)
{
	double		number = encoder_number(column->encoder, value, isnull);

	if (number == 0)
		number = 0;				/* -0 */
	*(double *) spool_reserve(&column->numbers, sizeof(double)) = number;
	spool_advance(&column->numbers, sizeof(double));
	if (!isnull)
	{
		uint32		k = add_key(keys);

		keys->words[k] = hash_bytes_extended((const unsigned char *) &number, sizeof(number), 0);
		keys->ids[k] = NULL_ID;
	}
}

/* A vector is kept as the members of its list; it waits with the hash of all of it at the first. */
static int
add_vector(LookupBlock *block, BlockKeys *keys, LookupColumn *column, Datum value)
{
	const float *numbers = vector_read(column->vectors, value);
	int			length = vector_length(column->vectors);
	uint32		first = keys->n;

	while (keys->n < first + 1 + length)
	{
		uint32		k = add_key(keys);	/* may move the words */

		keys->words[k] = 0;
	}
	keys->words[first] = hash_bytes_extended((const unsigned char *) numbers,
											 length * sizeof(float), 0);
	vector_members(numbers, length, keys->ids + first);
	block->held += (1 + length) * sizeof(uint64);
	return 1 + length;
}

bool
lookup_add(Lookup *lookup, const Datum *values, const bool *nulls)
{
	LookupBlock *block = lookup->filling;
	int			row = block->n_rows++;
	LookupColumn *column = lookup->columns;
	ErrorContextCallback callback = {error_context_stack, lookup_tell_column, &column};

	error_context_stack = &callback;
	for (int f = 0; f < lookup->n_columns; f++, column++)
	{
		BlockKeys  *keys = &block->columns[f];

		keys->n_of_row[row] = nulls[f] ? LOOKUP_NULL : 1;
		if (kind_is_number(column->kind))
			add_number(keys, column, values[f], nulls[f]);
		else if (nulls[f])
			continue;
		else if (column->kind == FEATURE_LIST)
			keys->n_of_row[row] = add_members(block, keys, column, values[f]);
		else if (column->kind == FEATURE_DENSE)
			keys->n_of_row[row] = add_vector(block, keys, column, values[f]);
		else
			add_value(block, keys, column, values[f]);
	}
	error_context_stack = callback.previous;
	return block->n_rows == LOOKUP_ROWS || block->held >= MAX_HELD;
}
