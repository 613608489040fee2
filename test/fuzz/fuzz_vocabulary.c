/*
 * fuzz_vocabulary.c
 *	  Stored vocabularies: refused, or every key is looked for and found within
 *	  bounds.
 */
#include "server.h"

#include "fuzz.h"
#include "source/keys/vocabulary.h"

/* Of ids, so that a large number of keys takes no time. */
#define MAX_LOOKED_AT 1000

static Vocabulary vocabulary;
static char *stored;

static void
attach(Size size)
{
	vocabulary_attach(&vocabulary, stored, size);
}

/* Any key gives an id of the table. */
static void
find(const char *key, uint32 length)
{
	uint64		hash = vocabulary_hash(key, length);
	uint32		id;

	vocabulary_prefetch(&vocabulary, hash);
	vocabulary_prefetch_length(&vocabulary, hash);
	vocabulary_prefetch_bytes(&vocabulary, hash, length);
	id = vocabulary_find(&vocabulary, key, length);
	FUZZ_ASSERT(id < vocabulary.n_rows);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* of that size, so that a read beyond its end shows; aligned as the server's memory is */
	stored = palloc(Max(size, 1));
	memcpy(stored, data, size);
	if (SERVER_TRY(attach(size)))
	{
		find("", 0);
		for (Size at = 0; at + 4 <= size && at < MAX_LOOKED_AT; at++)
			find(stored + at, at % 5);
		for (uint32 id = 0; id < vocabulary.n_rows && id < MAX_LOOKED_AT; id++)
		{
			char	   *key = vocabulary_key(&vocabulary, id);

			if (key)
				find(key, strlen(key));
		}
	}
	else
		FUZZ_ASSERT(server_sqlstate == ERRCODE_DATA_CORRUPTED);
	server_forget();
	return 0;
}

static void
seed_keys(const char *name, int n_keys, uint32 min_count)
{
	VocabularyKey keys[32];
	char		texts[32][16];
	uint32		ids[32];

	for (int i = 0; i < n_keys; i++)
	{
		snprintf(texts[i], sizeof(texts[i]), "%.*s%d", i % 7, "key of", i);
		keys[i] = (VocabularyKey) {.bytes = texts[i],.length = strlen(texts[i]),.count = 1 + i % 3};
		keys[i].hash = vocabulary_hash(keys[i].bytes, keys[i].length);
	}
	vocabulary_build(&vocabulary, keys, n_keys, min_count, ids);
	fuzz_seed(name, vocabulary.bytes, vocabulary.size);
}

/* No slot is free: a search would not end. */
static void
seed_full(void)
{
	uint32	   *words;

	seed_keys("few", 3, 1);
	words = (uint32 *) vocabulary.bytes;
	/* after the header's eight words */
	for (int slot = 0; slot < 8; slot++)
		words[8 + slot] = 1 + slot % 3;
	fuzz_seed("full", vocabulary.bytes, vocabulary.size);
}

void
fuzz_seeds(void)
{
	seed_keys("none", 0, 1);
	seed_keys("few", 3, 1);
	seed_keys("some", 30, 1);
	seed_keys("rare", 30, 2);
	seed_full();
	vocabulary_build_hashed(&vocabulary, 100);
	fuzz_seed("hashed", vocabulary.bytes, vocabulary.size);
	fuzz_seed("cut", vocabulary.bytes, vocabulary.size / 2);
	server_forget();
}
