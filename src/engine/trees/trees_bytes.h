/*
 * trees_bytes.h
 *	  The stored form of trees: one block of bytes without pointers.
 *
 * Little-endian, all parts as engine/base/block.h has them:
 *
 *	  a header: sizes, unseen values, the forest's bias
 *	  for each encoding: its fields and sizes
 *	  for each encoding: start and second (of a pair), values
 *	  the forest: inputs, thresholds, leaves
 */
#ifndef AREAD_ENGINE_TREES_TREES_BYTES_H
#define AREAD_ENGINE_TREES_TREES_BYTES_H

#include "engine/trees/trees.h"

/* Encodings that a model may have. */
#define TREES_MAX_ENCODINGS (FOREST_MAX_INPUTS / ENCODING_INPUTS)

/* Size of the stored form. */
extern size_t trees_bytes_size(const Trees *trees);
/* Write it: trees_bytes_size() bytes, every one of them. */
extern void trees_put(const Trees *trees, void *bytes);
/*
 * Trees of a stored form of n bytes, for a model of this shape; NULL on errors.  If
 * the block is aligned, arrays stay in it, and it has to live as long as they are
 * used; else they are the arena's.
 *
 * Nothing is trusted.  Errors: ENGINE_CORRUPT, lack of memory.
 */
extern Trees *trees_get(Arena *arena, const void *bytes, size_t n, const Shape *shape,
						EngineError *error);
/* The same trees in one block of the arena; NULL on errors: lack of memory, those of trees_get(). */
extern Trees *trees_pack(Arena *arena, const Trees *trees, const Shape *shape, EngineError *error);

#endif							/* AREAD_ENGINE_TREES_TREES_BYTES_H */
