/*
 * dictionary.c
 *	  Distinct keys in the order of their first appearance.
 *
 * Entries are an array in the order of their first appearance.  Slots are a hash
 * table over it with linear probing, never more than half full.  A slot holds an
 * entry's number plus one; bits that the number leaves free are the key's, so that
 * most searches look at no entry but the right one.
 *
 * Bytes of keys lie one after the other in a block of their own; words need none.
 * Entries, counts and slots double together.  Threads may search a dictionary as
 * long as nobody adds to it: then it moves.
 */
#include "postgres.h"

#include "source/keys/dictionary.h"

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
	dictionary->mask = 2 * FIRST_CAPACITY - 1;
	dictionary->slots = zeroed(context, 2 * FIRST_CAPACITY * sizeof(uint32));
	dictionary->allocated = words ? 1 : 16 * FIRST_CAPACITY;
	dictionary->bytes = MemoryContextAlloc(context, dictionary->allocated);
}

void
dictionary_close(Dictionary *dictionary)
{
	if (dictionary->slots)
		pfree(dictionary->slots);
	dictionary->slots = NULL;
}

void
dictionary_free(Dictionary *dictionary)
{
	dictionary_close(dictionary);
	pfree(dictionary->entries);
	pfree(dictionary->counts);
	pfree(dictionary->bytes);
	memset(dictionary, 0, sizeof(*dictionary));
}

static inline void
set_slot(Dictionary *dictionary, uint32 slot, uint64 start, uint32 number)
{
	dictionary->slots[slot] = ((uint32) (start >> 32) & ~dictionary->mask) | (number + 1);
}

static void
fill_slots(Dictionary *dictionary)
{
	for (uint32 i = 0; i < dictionary->n; i++)
	{
		const DictionaryEntry *entry = &dictionary->entries[i];
		uint64		start = dictionary->words ? dictionary_start(entry->key) : entry->hash;
		uint32		slot = start & dictionary->mask;

		if ((i & 0xFFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		while (dictionary->slots[slot] != 0)
			slot = (slot + 1) & dictionary->mask;
		set_slot(dictionary, slot, start, i);
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
	dictionary->mask = 2 * dictionary->capacity - 1;
	dictionary->slots = zeroed(dictionary->context,
							   2 * (Size) dictionary->capacity * sizeof(uint32));
	fill_slots(dictionary);
}

/* The slot is the free one that ended the search. */
static uint32
add_entry(Dictionary *dictionary, uint32 slot, uint64 start, uint64 hash, uint64 key)
{
	set_slot(dictionary, slot, start, dictionary->n);
	dictionary->entries[dictionary->n] = (DictionaryEntry) {.hash = hash,.key = key};
	if (++dictionary->n == dictionary->capacity)
		grow(dictionary);
	return dictionary->n - 1;
}

static inline uint32
number_in(const Dictionary *dictionary, uint32 slot)
{
	return (dictionary->slots[slot] & dictionary->mask) - 1;
}

static inline uint32
slot_after(const Dictionary *dictionary, uint32 slot)
{
	return (slot + 1) & dictionary->mask;
}

/* The slot of a word, or a free one. */
static inline uint32
word_slot(const Dictionary *dictionary, uint64 word, uint64 start)
{
	uint32		slot = dictionary_slot(dictionary, start, start & dictionary->mask);

	while (dictionary->slots[slot] != 0 &&
		   dictionary->entries[number_in(dictionary, slot)].key != word)
		slot = dictionary_slot(dictionary, start, slot_after(dictionary, slot));
	return slot;
}

int64
dictionary_find_word(const Dictionary *dictionary, uint64 word, uint64 start)
{
	uint32		slot = word_slot(dictionary, word, start);

	return dictionary->slots[slot] == 0 ? -1 : (int64) number_in(dictionary, slot);
}

uint32
dictionary_add_word(Dictionary *dictionary, uint64 word, uint64 hash)
{
	uint64		start = dictionary_start(word);

	return add_entry(dictionary, word_slot(dictionary, word, start), start, hash, word);
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

/* The slot of a key, or a free one. */
static uint32
bytes_slot(const Dictionary *dictionary, const char *bytes, uint32 length, uint64 hash)
{
	uint32		slot = dictionary_slot(dictionary, hash, hash & dictionary->mask);

	while (dictionary->slots[slot] != 0)
	{
		uint32		number = number_in(dictionary, slot);
		uint32		known_length;
		const char *known;

		if (dictionary->entries[number].hash == hash)
		{
			known = dictionary_bytes(dictionary, number, &known_length);
			if (known_length == length && memcmp(known, bytes, length) == 0)
				return slot;
		}
		slot = dictionary_slot(dictionary, hash, slot_after(dictionary, slot));
	}
	return slot;
}

int64
dictionary_find(const Dictionary *dictionary, const char *bytes, uint32 length, uint64 hash)
{
	uint32		slot = bytes_slot(dictionary, bytes, length, hash);

	return dictionary->slots[slot] == 0 ? -1 : (int64) number_in(dictionary, slot);
}

uint32
dictionary_add(Dictionary *dictionary, const char *bytes, uint32 length, uint64 hash)
{
	uint32		slot = bytes_slot(dictionary, bytes, length, hash);

	if (dictionary->slots[slot] != 0)
		return number_in(dictionary, slot);
	return add_entry(dictionary, slot, hash, hash, append_bytes(dictionary, bytes, length));
}
