/*
 * fuzz_chunk.c
 *	  Chunks, the form of all stored bytes: refused, or the payload that was
 *	  sealed.
 *
 * The first byte of an input says what the rest is: a chunk, or a payload
 * that is to be sealed and opened.
 */
#include "server.h"

#include "catalog/chunk.h"
#include "fuzz.h"

static const char *payload;
static Size payload_size;

/* A value of its own memory, with nothing beyond its end. */
static bytea *
value_of(const uint8_t *data, Size size)
{
	bytea	   *value = palloc(VARHDRSZ + size);

	SET_VARSIZE(value, VARHDRSZ + size);
	memcpy(VARDATA(value), data, size);
	return value;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bytea *chunk;
	bool		sealed = size > 0 && data[0] % 2 == 1;

	if (size == 0)
		return 0;
	data++;
	size--;
	chunk = sealed ? chunk_seal((const char *) data, size) : value_of(data, size);
	if (SERVER_TRY(payload = chunk_open(chunk, &payload_size, "chunk")))
	{
		FUZZ_ASSERT(payload >= VARDATA(chunk) &&
					payload + payload_size == (char *) chunk + VARSIZE(chunk));
		FUZZ_ASSERT(!sealed || (payload_size == size && memcmp(payload, data, size) == 0));
	}
	else
		FUZZ_ASSERT(!sealed && server_sqlstate == ERRCODE_DATA_CORRUPTED);
	server_forget();
	return 0;
}

void
fuzz_seeds(void)
{
	static const char texts[][64] = {"\1", "\1payload of a chunk"};
	char		bytes[256];

	for (int i = 0; i < lengthof(texts); i++)
	{
		char		name[] = {'a' + i, '\0'};
		Size		size = strlen(texts[i]) - 1;
		bytea	   *chunk = chunk_seal(texts[i] + 1, size);

		fuzz_seed(name, texts[i], size + 1);
		bytes[0] = 0;
		memcpy(bytes + 1, VARDATA(chunk), VARSIZE(chunk) - VARHDRSZ);
		name[0] = 'c' + i;
		fuzz_seed(name, bytes, 1 + VARSIZE(chunk) - VARHDRSZ);
	}
	server_forget();
}
