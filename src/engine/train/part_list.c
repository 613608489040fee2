/*
 * part_list.c
 *	  A growing list of a checkpoint's parts.
 */
#include "engine/train/part_list.h"

#include <stdio.h>
#include <string.h>

static bool
grow(PartList *list)
{
	int			capacity = 2 * list->capacity + 32;
	CheckpointPart *parts = ARENA_ARRAY(list->arena, CheckpointPart, capacity);

	if (!parts)
		return false;
	if (list->n > 0)
		memcpy(parts, list->parts, list->n * sizeof(CheckpointPart));
	list->parts = parts;
	list->capacity = capacity;
	return true;
}

void
part_list_add(PartList *list, const char *name, int number, void *bytes, size_t size)
{
	CheckpointPart *part;

	if (size == 0 || !bytes || (list->n == list->capacity && !grow(list)))
		return;
	part = &list->parts[list->n++];
	snprintf(part->name, sizeof(part->name), number < 0 ? "%s" : "%s.%d", name, number);
	part->bytes = bytes;
	part->size = size;
}

bool
checkpoint_corrupt(EngineError *error, const char *what)
{
	return engine_fail(error, ENGINE_CORRUPT, "Start the training anew.",
					   "checkpoint is corrupt: %s", what);
}
