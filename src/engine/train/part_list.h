/*
 * part_list.h
 *	  Parts of a checkpoint, where they lie in memory: the same list is written
 *	  and read.
 */
#ifndef AREAD_ENGINE_TRAIN_PART_LIST_H
#define AREAD_ENGINE_TRAIN_PART_LIST_H

#include "engine/train/record.h"

typedef struct PartList
{
	Arena	   *arena;			/* its failure is the list's */
	CheckpointPart *parts;
	int			n;
	int			capacity;
} PartList;

/* A part "name", or "name.number" (-1: none); nothing if it has no bytes. */
extern void part_list_add(PartList *list, const char *name, int number, void *bytes,
						  size_t size);
/* ENGINE_CORRUPT; what: what is wrong.  Returns false. */
extern bool checkpoint_corrupt(EngineError *error, const char *what);

#endif							/* AREAD_ENGINE_TRAIN_PART_LIST_H */
