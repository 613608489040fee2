/*
 * lookup.c
 *	  Values of a source's rows to provisional ids, column by column.
 *
 * A block that lookup_add() has filled (lookup_fill.h) is passed on twice: its keys
 * are searched, then its ids are written.  lookup_pass_on() waits for the team, adds
 * the keys that the last search did not find, and reserves room for that block's
 * ids.  Then it gives the team new tasks: the first writes these ids, the others
 * find the keys of the block behind it.
 *
 * What runs in a team's threads, run_task() and what that calls, only reads the
 * dictionaries and calls nothing of the server.  Dictionaries grow while no task is
 * under way, so that they need no lock.
 */
#include "postgres.h"

#include "source/read/lookup.h"

#include "common/hashfn.h"
#include "host.h"
#include "miscadmin.h"
#include "source/keys/vocabulary.h"
#include "utils/memutils.h"

#define FIRST_BYTES 1024
#define NOT_FOUND PG_UINT32_MAX
/* Keys between one's slot, its entry, its bytes, and the look at it. */
#define STEP 12
/* Keys of a task at most, so that none is long. */
#define SLICE 16384

static void
init_column(LookupColumn *column, const FeatureSpec *spec, int f, Dictionary *dictionaries,
			SpoolRoom *room)
{
	const Feature *feature = &spec->features[f];
	ValueType	type;

	column->name = feature->name;
	column->kind = feature->kind;
	if (kind_is_number(feature->kind))
	{
		column->encoder = encoder_create(spec, f, feature->type, CurrentMemoryContext);
		spool_init(&column->numbers, room);
		return;
	}
	if (feature->kind == FEATURE_DENSE)
	{
		column->vectors = vector_reader(spec, f, feature->type, CurrentMemoryContext);
		return;
	}
	column->buckets = spec->vocabularies[feature->vocabulary].buckets;
	if (column->buckets == 0)
		column->dictionary = &dictionaries[feature->vocabulary];
	type_require(feature->type, &type);
	key_writer_init(&column->writer, &type, CurrentMemoryContext);
	column->element_length = type.length;
	column->element_by_value = type.by_value;
	column->element_align = type.align;
}

/* The writer of a vocabulary's words; NULL: its keys are bytes. */
static KeyWriter *
word_writer(Lookup *lookup, const FeatureSpec *spec, int v)
{
	KeyWriter  *writer = NULL;

	for (int f = 0; f < lookup->n_columns; f++)
	{
		LookupColumn *column = &lookup->columns[f];

		if (spec->features[f].vocabulary != v || !kind_has_keys(column->kind))
			continue;
		if (!writer)
			writer = &column->writer;
		if (!key_same_words(writer, &column->writer))
			return NULL;
	}
	return writer;
}

static void
init_block(LookupBlock *block, int n_columns)
{
	block->columns = palloc0(n_columns * sizeof(BlockKeys));
	for (int f = 0; f < n_columns; f++)
	{
		BlockKeys  *keys = &block->columns[f];

		keys->capacity = LOOKUP_ROWS;
		keys->words = palloc(LOOKUP_ROWS * sizeof(uint64));
		keys->lengths = palloc(LOOKUP_ROWS * sizeof(uint32));
		keys->starts = palloc(LOOKUP_ROWS * sizeof(uint64));
		keys->ids = palloc(LOOKUP_ROWS * sizeof(uint32));
		keys->allocated = FIRST_BYTES;
		keys->bytes = palloc(FIRST_BYTES);
	}
}

void
lookup_init(Lookup *lookup, const FeatureSpec *spec, Dictionary *dictionaries,
			KeyWriter **writers, SpoolRoom *room, Team *team)
{
	memset(lookup, 0, sizeof(*lookup));
	lookup->team = team;
	lookup->host = host_callbacks();
	lookup->watch.host = &lookup->host;
	lookup->followers.leader = &lookup->watch;
	lookup->n_features = spec->n_features;
	lookup->n_columns = spec->n_columns;
	lookup->columns = palloc0(spec->n_columns * sizeof(LookupColumn));
	for (int f = 0; f < spec->n_columns; f++)
		init_column(&lookup->columns[f], spec, f, dictionaries, room);
	for (int v = 0; v < spec->n_vocabularies; v++)
	{
		writers[v] = word_writer(lookup, spec, v);
		dictionary_init(&dictionaries[v], writers[v] != NULL, CurrentMemoryContext);
	}
	for (int f = 0; f < spec->n_columns; f++)
		lookup->columns[f].is_words = lookup->columns[f].dictionary &&
			lookup->columns[f].dictionary->words;
	for (int i = 0; i < lengthof(lookup->blocks); i++)
		init_block(&lookup->blocks[i], spec->n_columns);
	lookup->filling = &lookup->blocks[0];
	lookup->finding = &lookup->blocks[1];
	lookup->writing = &lookup->blocks[2];
	lookup->slice_capacity = spec->n_columns;
	lookup->slices = palloc(Max(spec->n_columns, 1) * sizeof(KeySlice));
}

/* The number of a key in the dictionary, or -1. */
static inline void
found(const Dictionary *dictionary, BlockKeys *keys, uint32 k, int64 number)
{
	keys->ids[k] = number < 0 ? NOT_FOUND : FIRST_ID + number;
	if (number >= 0)
		keys->words[k] = dictionary->entries[number].hash;
}

/* Slots were fetched two steps before, entries one. */
static void
find_words(const Dictionary *dictionary, BlockKeys *keys, uint32 from, uint32 to)
{
	uint64	   *starts = keys->starts;

	for (uint32 k = from; k < to + 2 * STEP; k++)
	{
		if (k < to)
		{
			starts[k] = dictionary_start(keys->words[k]);
			dictionary_prefetch(dictionary, starts[k]);
		}
		if (k >= from + STEP && k < to + STEP)
			dictionary_prefetch_entry(dictionary, starts[k - STEP]);
		if (k >= from + 2 * STEP)
		{
			uint32		at = k - 2 * STEP;

			found(dictionary, keys, at,
				  dictionary_find_word(dictionary, keys->words[at], starts[at]));
		}
	}
}

/* The same of bytes, which are a step more. */
static void
find_bytes(const Dictionary *dictionary, BlockKeys *keys, uint32 from, uint32 to)
{
	const uint64 *starts = keys->starts;

	for (uint32 k = from; k < to + 3 * STEP; k++)
	{
		if (k < to)
			dictionary_prefetch(dictionary, starts[k]);
		if (k >= from + STEP && k < to + STEP)
			dictionary_prefetch_entry(dictionary, starts[k - STEP]);
		if (k >= from + 2 * STEP && k < to + 2 * STEP)
			dictionary_prefetch_bytes(dictionary, starts[k - 2 * STEP]);
		if (k >= from + 3 * STEP)
		{
			uint32		at = k - 3 * STEP;

			found(dictionary, keys, at,
				  dictionary_find(dictionary, keys->bytes + keys->words[at], keys->lengths[at],
								  starts[at]));
		}
	}
}

static void
find_hashed(uint32 buckets, BlockKeys *keys, uint32 from, uint32 to)
{
	for (uint32 k = from; k < to; k++)
	{
		keys->ids[k] = FIRST_ID + keys->starts[k] % buckets;
		keys->words[k] = keys->starts[k];
	}
}

static void
find_slice(const Lookup *lookup, const KeySlice *slice)
{
	const LookupColumn *column = &lookup->columns[slice->column];
	BlockKeys  *keys = &lookup->finding->columns[slice->column];

	if (!column->dictionary)
		find_hashed(column->buckets, keys, slice->from, slice->to);
	else if (column->is_words)
		find_words(column->dictionary, keys, slice->from, slice->to);
	else
		find_bytes(column->dictionary, keys, slice->from, slice->to);
}

/* A column's ids and its part of the rows' hashes. */
static void
write_column(const Lookup *lookup, LookupBlock *block, int f, Watch *watch)
{
	bool		is_list = kind_comes_as_list(lookup->columns[f].kind);
	BlockKeys  *keys = &block->columns[f];
	uint32	   *ids = block->ids + f;
	uint32		k = 0;

	for (int row = 0; row < block->n_rows; row++, ids += lookup->n_features)
	{
		int			n = keys->n_of_row[row];
		uint64		hash = 0;

		if (n == LOOKUP_NULL)
		{
			*ids = is_list ? 1 : NULL_ID;
			hash = NULL_HASH;
		}
		else if (is_list)
		{
			*ids = n;
			for (int i = 0; i < n; i++)
			{
				if (i % WATCH_MEMBERS == 0 && watch_worked(watch, WATCH_MEMBERS))
					return;
				hash = hash_combine64(hash, keys->words[k++]);
			}
		}
		else
		{
			*ids = keys->ids[k];
			hash = keys->words[k++];
		}
		block->hashes[row] = hash_combine64(block->hashes[row], hash);
	}
	keys->next = 0;
}

/* Members of lists, row by row, feature by feature; NULL has NULL_ID as its one member. */
static void
write_lists(const Lookup *lookup, LookupBlock *block, Watch *watch)
{
	uint32	   *result = block->members;

	for (int row = 0; row < block->n_rows; row++)
		for (int f = 0; f < lookup->n_columns; f++)
		{
			BlockKeys  *keys = &block->columns[f];

			if (!kind_comes_as_list(lookup->columns[f].kind))
				continue;
			if (keys->n_of_row[row] == LOOKUP_NULL)
				*result++ = NULL_ID;
			for (int i = 0; i < keys->n_of_row[row]; i++)
			{
				if (i % WATCH_MEMBERS == 0 && watch_worked(watch, WATCH_MEMBERS))
					return;
				*result++ = keys->ids[keys->next++];
			}
		}
}

static void
write_block(const Lookup *lookup, LookupBlock *block, Watch *watch)
{
	memset(block->hashes, 0, block->n_rows * sizeof(uint64));
	for (int f = 0; f < lookup->n_columns; f++)
		write_column(lookup, block, f, watch);
	for (int row = 0; row < block->n_rows; row++)
		for (int f = lookup->n_columns; f < lookup->n_features; f++)
			block->ids[row * lookup->n_features + f] = UNSEEN_ID;
	if (block->n_members > 0)
		write_lists(lookup, block, watch);
}

/* A TeamTask: the first writes, the others find. */
static void
run_task(void *context, int number, int thread)
{
	Lookup	   *lookup = context;

	if (number == 0)
		write_block(lookup, lookup->writing, thread == 0 ? &lookup->watch : &lookup->followers);
	else
		find_slice(lookup, &lookup->slices[number - 1]);
}

/* Keys of the block as tasks; returns how many. */
static int
cut_slices(Lookup *lookup)
{
	int			n = 0;

	for (int f = 0; f < lookup->n_columns; f++)
	{
		uint32		n_keys = lookup->finding->columns[f].n;

		if (!kind_has_keys(lookup->columns[f].kind))
			continue;
		for (uint32 from = 0; from < n_keys; from += SLICE)
		{
			if (n == lookup->slice_capacity)
			{
				lookup->slice_capacity *= 2;
				lookup->slices = repalloc_huge(lookup->slices,
											   lookup->slice_capacity * sizeof(KeySlice));
			}
			lookup->slices[n++] = (KeySlice) {f, from, Min(from + SLICE, n_keys)};
		}
	}
	return n;
}

/* A word that was new when it was looked for; it may have been added since. */
static int64
add_word(LookupColumn *column, uint64 word, uint64 start)
{
	int64		number = dictionary_find_word(column->dictionary, word, start);
	const char *bytes;
	uint32		length;

	if (number >= 0)
		return number;
	bytes = key_write_word(&column->writer, word, &length);
	return dictionary_add_word(column->dictionary, word,
							   hash_bytes_extended((const unsigned char *) bytes, length, 0));
}

static void
add_new(LookupColumn *column, BlockKeys *keys, uint32 k)
{
	uint64		word = keys->words[k];
	int64		number = column->is_words ? add_word(column, word, keys->starts[k]) :
		dictionary_add(column->dictionary, keys->bytes + word, keys->lengths[k], keys->starts[k]);

	found(column->dictionary, keys, k, number);
}

static void
add_all_new(LookupColumn *column, BlockKeys *keys)
{
	ErrorContextCallback callback = {error_context_stack, lookup_tell_column, &column};

	error_context_stack = &callback;
	for (uint32 k = 0; k < keys->n; k++)
	{
		if ((k & 0xFFFF) == 0xFFFF)
			CHECK_FOR_INTERRUPTS();
		if (k + STEP < keys->n && keys->ids[k + STEP] == NOT_FOUND)
			dictionary_prefetch(column->dictionary, keys->starts[k + STEP]);
		if (keys->ids[k] == NOT_FOUND)
			add_new(column, keys, k);
	}
	error_context_stack = callback.previous;
}

/* Room for a block's results. */
static void
reserve_result(const Lookup *lookup, LookupBlock *block, LookupResult *result)
{
	block->n_members = 0;
	for (int f = 0; f < lookup->n_columns; f++)
		if (kind_comes_as_list(lookup->columns[f].kind))
			for (int row = 0; row < block->n_rows; row++)
				block->n_members += abs(block->columns[f].n_of_row[row]);
	block->ids = spool_reserve(&result->ids, block->n_rows * lookup->n_features * sizeof(uint32));
	block->members = spool_reserve(&result->members, block->n_members * sizeof(uint32));
}

/* They are written: the block is empty again. */
static void
finish_block(const Lookup *lookup, LookupBlock *block, LookupResult *result)
{
	spool_advance(&result->ids, block->n_rows * lookup->n_features * sizeof(uint32));
	spool_advance(&result->members, block->n_members * sizeof(uint32));
	memcpy(result->hashes + result->n_rows, block->hashes, block->n_rows * sizeof(uint64));
	result->n_rows += block->n_rows;
	for (int f = 0; f < lookup->n_columns; f++)
		block->columns[f].n = block->columns[f].used = 0;
	block->n_rows = block->n_members = 0;
	block->held = 0;
}

void
lookup_pass_on(Lookup *lookup, LookupResult *result)
{
	LookupBlock *empty = lookup->writing;
	EngineError error;

	team_finish(lookup->team, &lookup->watch);
	if (!watch_continue(&lookup->watch, &error))
		host_raise(&error);
	finish_block(lookup, empty, result);
	lookup->writing = lookup->finding;
	lookup->finding = lookup->filling;
	lookup->filling = empty;
	for (int f = 0; f < lookup->n_columns; f++)
		if (lookup->columns[f].dictionary)
			add_all_new(&lookup->columns[f], &lookup->writing->columns[f]);
	reserve_result(lookup, lookup->writing, result);
	team_begin(lookup->team, &lookup->watch, run_task, lookup, 1 + cut_slices(lookup));
}

static void
free_block(LookupBlock *block, int n_columns)
{
	for (int f = 0; f < n_columns; f++)
	{
		pfree(block->columns[f].words);
		pfree(block->columns[f].lengths);
		pfree(block->columns[f].starts);
		pfree(block->columns[f].ids);
		pfree(block->columns[f].bytes);
	}
	pfree(block->columns);
}

void
lookup_free(Lookup *lookup)
{
	for (int i = 0; i < lengthof(lookup->blocks); i++)
		free_block(&lookup->blocks[i], lookup->n_columns);
	for (int f = 0; f < lookup->n_columns; f++)
		if (kind_is_number(lookup->columns[f].kind))
			spool_free(&lookup->columns[f].numbers);
	pfree(lookup->slices);
}
