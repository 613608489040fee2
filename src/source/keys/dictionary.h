/*
 * dictionary.h
 *	  Distinct keys in the order of their first appearance: what a vocabulary
 *	  is made from while a source is read.
 *
 * Keys are words (key.h: values of 64 bits) or bytes, all of a dictionary
 * alike.  Those of large dictionaries are seldom in the processor's cache:
 * who has several keys to find says so with dictionary_prefetch() of all of
 * them first, so that memory is waited for once.
 */
#ifndef AREAD_SOURCE_KEYS_DICTIONARY_H
#define AREAD_SOURCE_KEYS_DICTIONARY_H

#include "postgres.h"

typedef struct DictionaryEntry
{
	uint64		hash;			/* of the key's bytes, also if it is a word */
	uint64		key;			/* the word, or where in bytes a uint32 length and the bytes are */
} DictionaryEntry;

typedef struct Dictionary
{
	bool		words;
	uint32		n;
	uint32		capacity;
	DictionaryEntry *entries;
	uint32	   *counts;			/* [capacity] training occurrences; the caller's to keep */
	uint32		mask;			/* slots less one; there is a power of two, more than entries */
	uint32	   *slots;			/* entry number + 1 and bits of its start; 0: free */
	uint64		used;
	uint64		allocated;
	char	   *bytes;			/* not of words */
	MemoryContext context;
} Dictionary;

extern void dictionary_init(Dictionary *dictionary, bool words, MemoryContext context);
/* There will be no more keys to find: gives back what only that needs. */
extern void dictionary_close(Dictionary *dictionary);
/* Give all memory back. */
extern void dictionary_free(Dictionary *dictionary);

/* Where the search for a word begins; that for bytes begins at their hash. */
static inline uint64
dictionary_start(uint64 word)
{
	word = (word ^ word >> 32) * UINT64CONST(0x9E3779B97F4A7C15);
	return word ^ word >> 32;
}

/* A key that begins at start will be asked for: fetch its slot. */
static inline void
dictionary_prefetch(const Dictionary *dictionary, uint64 start)
{
	__builtin_prefetch(&dictionary->slots[start & dictionary->mask]);
}

/*
 * The first slot at or after "slot" that is free or holds an entry of this
 * start, as far as a slot can tell: bits that the number does not need are the
 * start's.
 */
static inline uint32
dictionary_slot(const Dictionary *dictionary, uint64 start, uint32 slot)
{
	uint32		bits = (uint32) (start >> 32) & ~dictionary->mask;

	while (dictionary->slots[slot] != 0 && (dictionary->slots[slot] & ~dictionary->mask) != bits)
		slot = (slot + 1) & dictionary->mask;
	return slot;
}

/* Its slot has come: fetch the entry. */
static inline void
dictionary_prefetch_entry(const Dictionary *dictionary, uint64 start)
{
	uint32		slot = dictionary_slot(dictionary, start, start & dictionary->mask);

	if (dictionary->slots[slot] != 0)
		__builtin_prefetch(&dictionary->entries[(dictionary->slots[slot] & dictionary->mask) - 1]);
}

/* Its entry has come: fetch the bytes. */
static inline void
dictionary_prefetch_bytes(const Dictionary *dictionary, uint64 start)
{
	uint32		slot = dictionary_slot(dictionary, start, start & dictionary->mask);

	if (dictionary->slots[slot] != 0)
		__builtin_prefetch(dictionary->bytes +
						   dictionary->entries[(dictionary->slots[slot] & dictionary->mask) - 1].key);
}

/* The number of a word that has this start, or -1. */
extern int64 dictionary_find_word(const Dictionary *dictionary, uint64 word, uint64 start);
/* Number of a word that is new; hash is that of its bytes. */
extern uint32 dictionary_add_word(Dictionary *dictionary, uint64 word, uint64 hash);
/* The number of a key of bytes, or -1; hash is theirs. */
extern int64 dictionary_find(const Dictionary *dictionary, const char *bytes, uint32 length,
							 uint64 hash);
/* Number of a key of bytes, added if it is new; hash is theirs. */
extern uint32 dictionary_add(Dictionary *dictionary, const char *bytes, uint32 length,
							 uint64 hash);
/* The bytes of an entry whose key is no word. */
extern const char *dictionary_bytes(const Dictionary *dictionary, uint32 number, uint32 *length);

#endif							/* AREAD_SOURCE_KEYS_DICTIONARY_H */
