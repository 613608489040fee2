/*
 * fuzz_export.c
 *	  Exported models as they are read: refused, or rows and chunks that lie
 *	  within them.
 *
 * The first byte of an input says whether the rest gets a header that is right,
 * without which nothing but the checksum would ever be looked at.
 */
#include "server.h"

#include "catalog/exported.h"
#include "fuzz.h"

static ExportReader reader;
static const char *beginning;
static const char *end;

static void
check_within(const char *bytes, Size size)
{
	FUZZ_ASSERT(bytes >= beginning && bytes <= end && size <= (Size) (end - bytes));
}

static void
read_all(void)
{
	Size		length;
	const char *json;

	export_open(&reader);
	json = export_take_rows(&reader, &length);
	check_within(json, length);
	for (uint64 left = export_take_number(&reader); left > 0; left--)
	{
		ExportChunk chunk = export_take_chunk(&reader);

		check_within(chunk.kind, chunk.lengths.kind);
		check_within(chunk.name, chunk.lengths.name);
		check_within(chunk.data, chunk.lengths.data);
	}
	export_end(&reader);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool		sealed = size > 0 && data[0] % 2 == 1;
	Size		total;
	char	   *bytes;

	if (size == 0)
		return 0;
	data++;
	size--;
	total = size + (sealed ? sizeof(ExportHeader) : 0);
	bytes = palloc(Max(total, 1));
	memcpy(bytes + total - size, data, size);
	if (sealed)
		export_seal(bytes, total);
	reader = (ExportReader) {.at = bytes,.left = total};
	beginning = bytes;
	end = bytes + total;
	if (SERVER_TRY(read_all()))
		FUZZ_ASSERT(reader.at == end && reader.left == 0);
	else
		FUZZ_ASSERT(server_sqlstate == ERRCODE_DATA_CORRUPTED ||
					(!sealed && (server_sqlstate == ERRCODE_INVALID_PARAMETER_VALUE ||
								 server_sqlstate == ERRCODE_FEATURE_NOT_SUPPORTED)));
	server_forget();
	return 0;
}

static Size
put(char *bytes, Size at, const void *from, Size size)
{
	memcpy(bytes + at, from, size);
	return at + size;
}

/* What follows a header: rows and some chunks. */
static Size
write_export(char *bytes, const char *json, uint64 n_chunks)
{
	uint64		length = strlen(json);
	Size		at = put(bytes, 0, &length, sizeof(length));

	at = put(bytes, at, json, length);
	at = put(bytes, at, &n_chunks, sizeof(n_chunks));
	for (uint64 i = 0; i < n_chunks; i++)
	{
		ExportLengths lengths = {6, 4, 16, i};

		at = put(bytes, at, &lengths, sizeof(lengths));
		at = put(bytes, at, "tensorbiassixteen bytes of.", 6 + 4 + 16);
	}
	return at;
}

void
fuzz_seeds(void)
{
	char		bytes[1024] = {1};
	Size		size = write_export(bytes + 1, "{\"model\": \"shop\", \"version\": {}}", 3);

	fuzz_seed("three_chunks", bytes, 1 + size);
	fuzz_seed("cut", bytes, 1 + size / 2);
	bytes[0] = 0;
	write_export(bytes + 1 + sizeof(ExportHeader), "{\"model\": \"shop\", \"version\": {}}", 3);
	export_seal(bytes + 1, sizeof(ExportHeader) + size);
	fuzz_seed("with_header", bytes, 1 + sizeof(ExportHeader) + size);
	bytes[0] = 1;
	size = write_export(bytes + 1, "{}", 0);
	fuzz_seed("no_chunk", bytes, 1 + size);
}
