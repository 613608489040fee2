/*
 * sha256.h
 *	  SHA-256 of some bytes, by the server.
 */
#ifndef AREAD_SHA256_H
#define AREAD_SHA256_H

#include "common/sha2.h"

extern void sha256_of(const void *bytes, int size, uint8 digest[PG_SHA256_DIGEST_LENGTH]);

#endif							/* AREAD_SHA256_H */
