/*
 * vocabulary.h
 *	  Keys to ids and back: a hash table that is used as it is stored.
 */
#ifndef AREAD_SOURCE_KEYS_VOCABULARY_H
#define AREAD_SOURCE_KEYS_VOCABULARY_H

#include "source/spec.h"

typedef struct VocabularyKey
{
	const char *bytes;			/* canonical form, UTF-8, not terminated */
	uint32		length;
	uint32		count;			/* in training rows */
	uint64		hash;			/* of the bytes */
} VocabularyKey;

/*
 * Build from keys and counts.  Ids start at FIRST_ID, in the order of counts,
 * descending, then of bytes.  Keys below min_count are left out (has_rare).
 * ids [n_keys] become those of the keys.
 */
extern void vocabulary_build(Vocabulary *vocabulary, const VocabularyKey *keys, uint32 n_keys,
							 uint32 min_count, uint32 *ids);
/* A hashed vocabulary: no keys, a fixed number of buckets. */
extern void vocabulary_build_hashed(Vocabulary *vocabulary, uint32 buckets);

/*
 * Id of a key: UNSEEN_ID, or RARE_ID where has_rare, if it is not there.  Where
 * the vocabulary knows its rare values, RARE_ID is theirs alone, but for those
 * whose hash has the same 32 bits.
 */
extern uint32 vocabulary_find(const Vocabulary *vocabulary, const char *key, uint32 length);

/*
 * The same by a hash that is known.  Large vocabularies are seldom in the
 * processor's cache: who has several keys to find takes the steps before it
 * with all of them, one step after the other, so that memory is waited for once.
 */
extern uint64 vocabulary_hash(const char *key, uint32 length);
extern void vocabulary_prefetch(const Vocabulary *vocabulary, uint64 hash);
extern void vocabulary_prefetch_length(const Vocabulary *vocabulary, uint64 hash);
extern void vocabulary_prefetch_bytes(const Vocabulary *vocabulary, uint64 hash, uint32 length);
extern uint32 vocabulary_find_hash(const Vocabulary *vocabulary, const char *key, uint32 length,
								   uint64 hash);

/* Key of an id >= FIRST_ID, as text in the server encoding; NULL if hashed. */
extern char *vocabulary_key(const Vocabulary *vocabulary, uint32 id);

/* Attach to stored bytes, checking every offset; raises ERRCODE_DATA_CORRUPTED. */
extern void vocabulary_attach(Vocabulary *vocabulary, const char *bytes, Size size);

#endif							/* AREAD_SOURCE_KEYS_VOCABULARY_H */
