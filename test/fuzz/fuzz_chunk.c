/*
 * fuzz_chunk.c
 *	  Chunks, the form of all stored bytes: refused, or the payload that was
 *	  sealed.
 *
 * The first byte of an input says what the rest is: a chunk, a payload that is
 * to be sealed and opened, or a chunk that is to get the right checksum.
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

/* The last word of a chunk's header. */
static void
make_checksum_right(bytea *chunk)
{
	const Size	header = 4 * sizeof(uint32);
	const Size	at = 3 * sizeof(uint32);
	bytea	   *sealed;

	if (VARSIZE(chunk) < VARHDRSZ + header)
		return;
	sealed = chunk_seal(VARDATA(chunk) + header, VARSIZE(chunk) - VARHDRSZ - header);
	memcpy(VARDATA(chunk) + at, VARDATA(sealed) + at, sizeof(uint32));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bytea *chunk;
	int			form;
	bool		sealed;

	if (size == 0)
		return 0;
	form = data[0] % 3;
	sealed = form == 1;
	data++;
	size--;
	chunk = sealed ? chunk_seal((const char *) data, size) : value_of(data, size);
	if (form == 2)
		make_checksum_right(chunk);
	if (SERVER_TRY(payload = chunk_open(chunk, &payload_size, "chunk")))
	{
		FUZZ_ASSERT(payload >= VARDATA(chunk) &&
					payload + payload_size == (char *) chunk + VARSIZE(chunk));
		FUZZ_ASSERT(!sealed || (payload_size == size && memcmp(payload, data, size) == 0));
		FUZZ_ASSERT(memcmp(chunk_seal(payload, payload_size), chunk, VARSIZE(chunk)) == 0);
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
		bytes[0] = 2;
		name[0] = 'e' + i;
		fuzz_seed(name, bytes, 1 + VARSIZE(chunk) - VARHDRSZ);
	}
	server_forget();
}
