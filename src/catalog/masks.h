/*
 * masks.h
 *	  The stored form of all masks of a version, with the gate weights.
 */
#ifndef AREAD_CATALOG_MASKS_H
#define AREAD_CATALOG_MASKS_H

#include "engine/score/score.h"
#include "postgres.h"

typedef struct StoredMasks
{
	IntList		experts;		/* N_1 .. N_L */
	uint32		n_domains;
	int			n_gates;
	const uint8 *has_mask;		/* [D] */
	const uint8 *masks;			/* [D, G] */
	const char *gates;			/* [D, G] float4, not aligned */
} StoredMasks;

/* Serialize; gates come from the scorer. */
extern char *masks_write(const Model *model, const Scorer *scorer, Size *size);
/* Attach to serialized bytes; raises ERRCODE_DATA_CORRUPTED. */
extern void masks_read(StoredMasks *masks, const char *bytes, Size size);
/* Weight of a gate of a domain. */
extern float4 masks_gate(const StoredMasks *masks, uint32 domain, int gate);

#endif							/* AREAD_CATALOG_MASKS_H */
