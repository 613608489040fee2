/*
 * dictionary.c
 *	  Distinct keys in the order of their first appearance.
 */
#include "postgres.h"

#include "source/dictionary.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#define FIRST_CAPACITY 1024

static void *
zeroed(MemoryContext context, Size size)
{
	return MemoryContextAllocExtended(context, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

void
dictionary_init(Dictionary *dictionary, bool words, MemoryContext context)
{
	memset(dictionary, 0, sizeof(*dictionary));
	dictionary->words = words;
	dictionary->context = context;
	dictionary->capacity = FIRST_CAPACITY;
	dictionary->entries = MemoryContextAlloc(context, FIRST_CAPACITY * sizeof(DictionaryEntry));
	dictionary->counts = zeroed(context, FIRST_CAPACITY * sizeof(uint32));
	dictionary->n_slots = 2 * FIRST_CAPACITY;
	dictionary->slots = zeroed(context, dictionary->n_slots * sizeof(uint32));
	dictionary->allocated = words ? 1 : 16 * FIRST_CAPACITY;
	dictionary->bytes = MemoryContextAlloc(context, dictionary->allocated);
}

void
dictionary_free(Dictionary *dictionary)
{
	pfree(dictionary->entries);
	pfree(dictionary->counts);
	pfree(dictionary->slots);
	pfree(dictionary->bytes);
	memset(dictionary, 0, sizeof(*dictionary));
}

static void
fill_slots(Dictionary *dictionary)
{
	uint32		mask = dictionary->n_slots - 1;

	for (uint32 i = 0; i < dictionary->n; i++)
	{
		const DictionaryEntry *entry = &dictionary->entries[i];
		uint32		slot = (dictionary->words ? dictionary_place(entry->key) : entry->hash) & mask;

		if ((i & 0xFFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		while (dictionary->slots[slot] != 0)
			slot = (slot + 1) & mask;
		dictionary->slots[slot] = i + 1;
	}
}

/* Twice the entries and slots. */
static void
grow(Dictionary *dictionary)
{
	uint32		before = dictionary->capacity;

	if (before > PG_INT32_MAX / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a feature has too many distinct values"),
				 errhint("Set \"buckets\" for it in option \"features\".")));
	dictionary->capacity *= 2;
	dictionary->entries = repalloc_huge(dictionary->entries,
										dictionary->capacity * sizeof(DictionaryEntry));
	dictionary->counts = repalloc_huge(dictionary->counts,
									   dictionary->capacity * sizeof(uint32));
	memset(dictionary->counts + before, 0, before * sizeof(uint32));
	pfree(dictionary->slots);
	dictionary->n_slots *= 2;
	dictionary->slots = zeroed(dictionary->context, dictionary->n_slots * sizeof(uint32));
	fill_slots(dictionary);
}

/* The slot is the free one that ended the search. */
static uint32
add_entry(Dictionary *dictionary, uint32 slot, uint64 hash, uint64 key)
{
	dictionary->slots[slot] = dictionary->n + 1;
	dictionary->entries[dictionary->n] = (DictionaryEntry) {.hash = hash,.key = key};
	if (++dictionary->n == dictionary->capacity)
		grow(dictionary);
	return dictionary->n - 1;
}

/* The slot of a word, or a free one. */
static inline uint32
word_slot(const Dictionary *dictionary, uint64 word)
{
	uint32		mask = dictionary->n_slots - 1;
	uint32		slot = dictionary_place(word) & mask;

	while (dictionary->slots[slot] != 0 &&
		   dictionary->entries[dictionary->slots[slot] - 1].key != word)
		slot = (slot + 1) & mask;
	return slot;
}

int64
dictionary_find_word(const Dictionary *dictionary, uint64 word)
{
	return (int64) dictionary->slots[word_slot(dictionary, word)] - 1;
}

uint32
dictionary_add_word(Dictionary *dictionary, uint64 word, uint64 hash)
{
	return add_entry(dictionary, word_slot(dictionary, word), hash, word);
}

static uint64
append_bytes(Dictionary *dictionary, const char *bytes, uint32 length)
{
	uint64		at = dictionary->used;
	uint64		end = at + sizeof(uint32) + length;

	if (end > dictionary->allocated)
	{
		dictionary->allocated = 2 * end;
		dictionary->bytes = repalloc_huge(dictionary->bytes, dictionary->allocated);
	}
	memcpy(dictionary->bytes + at, &length, sizeof(uint32));
	memcpy(dictionary->bytes + at + sizeof(uint32), bytes, length);
	dictionary->used = end;
	return at;
}

const char *
dictionary_bytes(const Dictionary *dictionary, uint32 number, uint32 *length)
{
	const char *at = dictionary->bytes + dictionary->entries[number].key;

	memcpy(length, at, sizeof(uint32));
	return at + sizeof(uint32);
}

uint32
dictionary_add(Dictionary *dictionary, const char *bytes, uint32 length, uint64 hash)
{
	uint32		mask = dictionary->n_slots - 1;
	uint32		slot = hash & mask;

	for (; dictionary->slots[slot] != 0; slot = (slot + 1) & mask)
	{
		uint32		number = dictionary->slots[slot] - 1;
		uint32		known_length;
		const char *known;

		if (dictionary->entries[number].hash != hash)
			continue;
		known = dictionary_bytes(dictionary, number, &known_length);
		if (known_length == length && memcmp(known, bytes, length) == 0)
			return number;
	}
	return add_entry(dictionary, slot, hash, append_bytes(dictionary, bytes, length));
}
