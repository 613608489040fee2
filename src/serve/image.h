/*
 * image.h
 *	  A loaded model as one block of bytes without pointers, so that several
 *	  processes can score with the same copy.
 */
#ifndef AREAD_SERVE_IMAGE_H
#define AREAD_SERVE_IMAGE_H

#include "catalog/models.h"
#include "engine/score/score.h"

/* A model ready to score. */
typedef struct ServedModel
{
	const LoadedModel *loaded;
	Scorer	   *scorer;
} ServedModel;

/* Bytes of a model's image. */
extern Size image_size(const ServedModel *served);
/* Write it; the block must be aligned to 64 bytes. */
extern void image_write(const ServedModel *served, void *block);
/*
 * A model over an image, which must stay where it is; what is small is
 * allocated in "context".  Only of images written by this very library.
 */
extern void image_open(const void *block, const ModelVersion *version, MemoryContext context,
					   ServedModel *served);

#endif							/* AREAD_SERVE_IMAGE_H */
