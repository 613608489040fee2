/*
 * vocabulary.c
 *	  Keys to ids and back: a hash table that is used as it is stored.
 *
 * Layout, little-endian and without pointers:
 *	  header | slots uint32[n_slots] | offsets uint64[n_keys + 1] | key bytes
 * A slot holds the number of a key plus one, or 0; the hash of a key starts
 * its search, the next free slot ends it.  Key k has id FIRST_ID + k.
 */
#include "postgres.h"

#include "source/keys/vocabulary.h"

#include "common/hashfn.h"
#include "engine/base/search.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "source/keys/sort_interruptible.h"
#include "utils/memutils.h"

#ifdef WORDS_BIGENDIAN
#error "stored vocabularies are little-endian; this server is not"
#endif

#define VOCABULARY_MAGIC 0x434F5641 /* "AVOC" */
#define VOCABULARY_FORMAT 1

/* Up to here comparing keys is faster than a radix sort; beyond this many bytes alike, too. */
#define FEW_KEYS 32
#define MAX_DEPTH 64

typedef struct VocabularyHeader
{
	uint32		magic;
	uint32		format;
	uint32		n_keys;
	uint32		n_slots;		/* a power of two, more than n_keys */
	uint32		buckets;
	uint32		has_rare;
	uint64		key_bytes;
} VocabularyHeader;

static const VocabularyHeader *
header_of(const char *bytes)
{
	return (const VocabularyHeader *) bytes;
}

static uint32 *
slots_of(const char *bytes)
{
	return (uint32 *) (bytes + sizeof(VocabularyHeader));
}

static uint64 *
offsets_of(const char *bytes)
{
	return (uint64 *) (slots_of(bytes) + header_of(bytes)->n_slots);
}

static char *
keys_of(const char *bytes)
{
	return (char *) (offsets_of(bytes) + header_of(bytes)->n_keys + 1);
}

static Size
total_size(const VocabularyHeader *header)
{
	return sizeof(VocabularyHeader) + (Size) header->n_slots * sizeof(uint32) +
		((Size) header->n_keys + 1) * sizeof(uint64) + header->key_bytes;
}

/* Eight bytes of a key from "depth" on as a word that sorts like them; what is beyond its end is 0. */
static uint64
word_at(const VocabularyKey *key, uint32 depth)
{
	char		bytes[sizeof(uint64)] = {0};
	uint64		word;

	if (depth < key->length)
		memcpy(bytes, key->bytes + depth, Min(key->length - depth, sizeof(uint64)));
	memcpy(&word, bytes, sizeof(word));
	return pg_bswap64(word);
}

/* By bytes; numbers of keys. */
static int
compare_keys(const void *a, const void *b, void *context)
{
	const VocabularyKey *keys = context;
	const VocabularyKey *x = &keys[*(const uint32 *) a];
	const VocabularyKey *y = &keys[*(const uint32 *) b];
	int			order = memcmp(x->bytes, y->bytes, Min(x->length, y->length));

	/* sorting millions takes seconds, and leaves nothing behind */
	CHECK_FOR_INTERRUPTS();
	if (order != 0)
		return order;
	return (x->length > y->length) - (x->length < y->length);
}

/*
 * Sort numbers of keys that are alike up to "depth" by their bytes: by eight
 * bytes at once, and then those that have these alike.  Texts have no zero
 * bytes, so that a shorter one comes first.
 */
static void
order_by_bytes(const VocabularyKey *keys, uint32 *order, uint32 n, uint64 *words, uint32 depth)
{
	if (n <= FEW_KEYS || depth > MAX_DEPTH)
	{
		qsort_arg(order, n, sizeof(uint32), compare_keys, (void *) keys);
		return;
	}
	for (uint32 i = 0; i < n; i++)
	{
		if ((i & 0xFFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		words[i] = word_at(&keys[order[i]], depth);
	}
	sort_words(words, order, n);
	for (uint32 first = 0, last; first < n; first = last)
	{
		for (last = first + 1; last < n && words[last] == words[first];)
			last++;
		if (last > first + 1)
			order_by_bytes(keys, order + first, last - first, words + first,
						   depth + sizeof(uint64));
	}
}

/* The numbers of the keys that are not too rare; returns how many. */
static uint32
choose_keys(const VocabularyKey *keys, uint32 n_keys, uint32 min_count, uint32 *chosen)
{
	uint32		n = 0;

	for (uint32 i = 0; i < n_keys; i++)
		if (keys[i].count >= Max(min_count, 1))
			chosen[n++] = i;
	return n;
}

/* More rows first, then by bytes: the less important order is made first. */
static void
order_keys(const VocabularyKey *keys, uint32 *order, uint32 n)
{
	uint64	   *words = MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * sizeof(uint64));

	order_by_bytes(keys, order, n, words, 0);
	for (uint32 i = 0; i < n; i++)
		words[i] = PG_UINT32_MAX - keys[order[i]].count;
	sort_words(words, order, n);
	pfree(words);
}

static void
insert_key(char *bytes, uint32 number, uint64 hash)
{
	uint32		mask = header_of(bytes)->n_slots - 1;
	uint32		slot = hash & mask;

	while (slots_of(bytes)[slot] != 0)
		slot = (slot + 1) & mask;
	slots_of(bytes)[slot] = number + 1;
}

/* Keys into their places, in order [n_keys of the header]. */
static void
write_keys(char *bytes, const VocabularyKey *keys, const uint32 *order)
{
	uint32		n = header_of(bytes)->n_keys;
	uint64		offset = 0;

	for (uint32 k = 0; k < n; k++)
	{
		const VocabularyKey *key = &keys[order[k]];

		if ((k & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		offsets_of(bytes)[k] = offset;
		memcpy(keys_of(bytes) + offset, key->bytes, key->length);
		offset += key->length;
		insert_key(bytes, k, key->hash);
	}
	offsets_of(bytes)[n] = offset;
}

/* What is left of a hash when it stands for a value that is rare. */
static uint32
short_hash(uint64 hash)
{
	return (uint32) (hash >> 32);
}

/* Remember which values were there, if not often enough. */
static void
keep_rare(Vocabulary *vocabulary, const VocabularyKey *keys, uint32 n_keys, uint32 min_count)
{
	uint64	   *words;
	uint32		n = 0;

	for (uint32 i = 0; i < n_keys; i++)
		n += keys[i].count > 0 && keys[i].count < min_count;
	words = MemoryContextAllocHuge(CurrentMemoryContext, ((Size) n + 1) * sizeof(uint64));
	n = 0;
	for (uint32 i = 0; i < n_keys; i++)
		if (keys[i].count > 0 && keys[i].count < min_count)
			words[n++] = short_hash(keys[i].hash);
	sort_words(words, NULL, n);
	vocabulary->rare = MemoryContextAllocHuge(CurrentMemoryContext, ((Size) n + 1) * sizeof(uint32));
	vocabulary->n_rare = n;
	for (uint32 i = 0; i < n; i++)
		vocabulary->rare[i] = (uint32) words[i];
	pfree(words);
}

void
vocabulary_build(Vocabulary *vocabulary, const VocabularyKey *keys, uint32 n_keys,
				 uint32 min_count, uint32 *ids)
{
	VocabularyHeader header = {VOCABULARY_MAGIC, VOCABULARY_FORMAT};
	uint32	   *order = MemoryContextAllocHuge(CurrentMemoryContext,
											   Max(n_keys, 1) * sizeof(uint32));
	char	   *bytes;

	header.n_keys = choose_keys(keys, n_keys, min_count, order);
	header.has_rare = min_count > 1;
	order_keys(keys, order, header.n_keys);
	for (uint32 i = 0; i < n_keys; i++)
		if (keys[i].count >= Max(min_count, 1))
			header.key_bytes += keys[i].length;
	header.n_slots = 4;
	while (header.n_slots < 2 * (uint64) header.n_keys)
		header.n_slots *= 2;
	vocabulary->size = total_size(&header);
	bytes = MemoryContextAllocExtended(CurrentMemoryContext, vocabulary->size,
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	memcpy(bytes, &header, sizeof(header));
	write_keys(bytes, keys, order);
	for (uint32 i = 0; i < n_keys; i++)
		ids[i] = header.has_rare ? RARE_ID : UNSEEN_ID;
	for (uint32 k = 0; k < header.n_keys; k++)
		ids[order[k]] = FIRST_ID + k;
	vocabulary->bytes = bytes;
	vocabulary->n_rows = FIRST_ID + header.n_keys;
	vocabulary->buckets = 0;
	vocabulary->has_rare = header.has_rare;
	if (header.has_rare)
		keep_rare(vocabulary, keys, n_keys, min_count);
	pfree(order);
}

/* No keys: "buckets" ids by hash, or for a binned feature by bin. */
void
vocabulary_build_hashed(Vocabulary *vocabulary, uint32 buckets)
{
	VocabularyHeader header = {VOCABULARY_MAGIC, VOCABULARY_FORMAT,.n_slots = 4,
		.buckets = buckets};
	char	   *bytes = palloc0(total_size(&header));

	memcpy(bytes, &header, sizeof(header));
	vocabulary->bytes = bytes;
	vocabulary->size = total_size(&header);
	vocabulary->n_rows = FIRST_ID + buckets;
	vocabulary->buckets = buckets;
	vocabulary->has_rare = false;
}

uint64
vocabulary_hash(const char *key, uint32 length)
{
	return hash_bytes_extended((const unsigned char *) key, length, 0);
}

uint32
vocabulary_find(const Vocabulary *vocabulary, const char *key, uint32 length)
{
	return vocabulary_find_hash(vocabulary, key, length, vocabulary_hash(key, length));
}

static bool
is_rare(const Vocabulary *vocabulary, uint64 hash)
{
	uint32		wanted = short_hash(hash);
	Size		place = sorted_place(vocabulary->rare, 0, vocabulary->n_rare, wanted);

	return place < vocabulary->n_rare && vocabulary->rare[place] == wanted;
}

uint32
vocabulary_find_hash(const Vocabulary *vocabulary, const char *key, uint32 length, uint64 hash)
{
	const char *bytes = vocabulary->bytes;
	uint32		mask = header_of(bytes)->n_slots - 1;
	const uint32 *slots = slots_of(bytes);
	const uint64 *offsets = offsets_of(bytes);

	if (vocabulary->buckets > 0)
		return FIRST_ID + hash % vocabulary->buckets;
	for (uint32 slot = hash & mask; slots[slot] != 0; slot = (slot + 1) & mask)
	{
		uint32		k = slots[slot] - 1;

		if (offsets[k + 1] - offsets[k] == length &&
			memcmp(keys_of(bytes) + offsets[k], key, length) == 0)
			return FIRST_ID + k;
	}
	return vocabulary->has_rare && (!vocabulary->rare || is_rare(vocabulary, hash)) ?
		RARE_ID : UNSEEN_ID;
}

void
vocabulary_prefetch(const Vocabulary *vocabulary, uint64 hash)
{
	__builtin_prefetch(slots_of(vocabulary->bytes) +
					   (hash & (header_of(vocabulary->bytes)->n_slots - 1)));
}

void
vocabulary_prefetch_length(const Vocabulary *vocabulary, uint64 hash)
{
	const char *bytes = vocabulary->bytes;
	uint32		mask = header_of(bytes)->n_slots - 1;
	const uint32 *slots = slots_of(bytes);

	for (uint32 slot = hash & mask; slots[slot] != 0; slot = (slot + 1) & mask)
		__builtin_prefetch(offsets_of(bytes) + slots[slot] - 1);
}

void
vocabulary_prefetch_bytes(const Vocabulary *vocabulary, uint64 hash, uint32 length)
{
	const char *bytes = vocabulary->bytes;
	uint32		mask = header_of(bytes)->n_slots - 1;
	const uint32 *slots = slots_of(bytes);
	const uint64 *offsets = offsets_of(bytes);

	for (uint32 slot = hash & mask; slots[slot] != 0; slot = (slot + 1) & mask)
	{
		uint32		k = slots[slot] - 1;

		if (offsets[k + 1] - offsets[k] == length)
			__builtin_prefetch(keys_of(bytes) + offsets[k]);
	}
}

char *
vocabulary_key(const Vocabulary *vocabulary, uint32 id)
{
	const char *bytes = vocabulary->bytes;
	const uint64 *offsets = offsets_of(bytes);
	uint32		k = id - FIRST_ID;
	char	   *key;

	if (vocabulary->buckets > 0 || id < FIRST_ID || k >= header_of(bytes)->n_keys)
		return NULL;
	key = pnstrdup(keys_of(bytes) + offsets[k], offsets[k + 1] - offsets[k]);
	return pg_any_to_server(key, strlen(key), PG_UTF8);
}

static void
corrupt(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("stored vocabulary is corrupt"),
			 errdetail("Its %s is wrong.", what),
			 errhint("Restore the model from a backup, or train it again.")));
}

void
vocabulary_attach(Vocabulary *vocabulary, const char *bytes, Size size)
{
	const VocabularyHeader *header = header_of(bytes);

	if (size < sizeof(VocabularyHeader) || header->magic != VOCABULARY_MAGIC ||
		header->format != VOCABULARY_FORMAT)
		corrupt("header");
	if (header->n_slots < 4 || (header->n_slots & (header->n_slots - 1)) != 0 ||
		header->n_keys >= header->n_slots || header->key_bytes > size ||
		header->buckets > PG_INT32_MAX || total_size(header) != size)
		corrupt("size");
	/* values are hashed, or have keys */
	if (header->buckets > 0 && header->n_keys > 0)
		corrupt("header");
	for (uint32 k = 0; k < header->n_keys; k++)
		if (offsets_of(bytes)[k] > offsets_of(bytes)[k + 1])
			corrupt("list of keys");
	if (offsets_of(bytes)[0] != 0 || offsets_of(bytes)[header->n_keys] != header->key_bytes)
		corrupt("list of keys");
	{
		uint32		used = 0;

		for (uint32 slot = 0; slot < header->n_slots; slot++)
		{
			if (slots_of(bytes)[slot] > header->n_keys)
				corrupt("hash table");
			used += slots_of(bytes)[slot] != 0;
		}
		/* a free slot ends every search */
		if (used > header->n_keys)
			corrupt("hash table");
	}
	vocabulary->bytes = bytes;
	vocabulary->size = size;
	vocabulary->buckets = header->buckets;
	vocabulary->has_rare = header->has_rare;
	vocabulary->n_rows = FIRST_ID + (header->buckets > 0 ? header->buckets : header->n_keys);
}
