/*
 * dictionary.h
 *	  Distinct keys in the order of their first appearance: what a vocabulary
 *	  is made from while a source is read.
 */
#ifndef AREAD_DICTIONARY_H
#define AREAD_DICTIONARY_H

#include "postgres.h"

typedef struct DictionaryEntry
{
	uint64		hash;
	uint64		offset;			/* into bytes */
	uint32		length;
	uint32		count;			/* training occurrences; the caller's to keep */
} DictionaryEntry;

typedef struct Dictionary
{
	uint32		n;
	uint32		capacity;
	DictionaryEntry *entries;
	uint32		n_slots;		/* a power of two */
	uint32	   *slots;			/* entry number + 1; 0: free */
	uint64		used;
	uint64		allocated;
	char	   *bytes;
	MemoryContext context;
} Dictionary;

extern void dictionary_init(Dictionary *dictionary, MemoryContext context);
/* Number of a key, added if it is new; hash is that of its bytes. */
extern uint32 dictionary_add(Dictionary *dictionary, const char *key, uint32 length,
							 uint64 hash);

#endif							/* AREAD_DICTIONARY_H */
