/*
 * sha256.c
 *	  SHA-256 of some bytes, by the server.
 */
#include "postgres.h"

#include "sha256.h"

#include "compat.h"
#include "utils/builtins.h"

void
sha256_of(const void *bytes, int size, uint8 digest[PG_SHA256_DIGEST_LENGTH])
{
	text	   *value = cstring_to_text_with_len(bytes, size);
	bytea	   *hash = DatumGetByteaPP(DirectFunctionCall1(sha256_bytea, PointerGetDatum(value)));

	memcpy(digest, VARDATA_ANY(hash), PG_SHA256_DIGEST_LENGTH);
	pfree(value);
	pfree(hash);
}
