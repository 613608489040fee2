/*
 * fuzz_entities.c
 *	  Damaged tables of items, users and histories: refused, or sound.
 *
 * The first byte of an input chooses the table, the second is a length to be cut
 * off (255: none), the rest damage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/entities/entity_build.h"
#include "engine/entities/sides.h"
#include "entity_sound.h"
#include "fuzz.h"
#include "toy.h"

#define N_ROWS 400

static Arena arena;				/* of what stays */
static Dataset *dataset;
static const EntityTable *tables[N_ENTITY_KINDS];

static void
set_up(void)
{
	/* the toy's list goes with nothing: it is given to the items */
	static const FieldBond bonds[TOY_FIELDS] = {[3] = BOND_ITEM};
	const EntityLimits limits = {.items = 1000,.users = 1000,.links = 1000,.bytes = 1 << 20};
	EngineHost	host = toy_host();
	const History *history;
	Entities	entities;
	EngineError error;
	Arena		scratch;

	if (dataset)
		return;
	arena_init_malloc(&arena);
	arena_init_malloc(&scratch);
	dataset = toy_dataset(&arena, N_ROWS);
	FUZZ_ASSERT(entities_build(&arena, &scratch, dataset, TOY_FIELDS, bonds, &limits, &host,
							   &entities, &error));
	FUZZ_ASSERT(entities.items->n_lists > 0 && entities.users->link_start[1] > 0);
	history = history_build(&scratch, &scratch, dataset, 5, HISTORY_ALL, &host, &error);
	FUZZ_ASSERT(history);
	tables[ENTITY_ITEMS] = entities.items;
	tables[ENTITY_USERS] = entities.users;
	tables[ENTITY_HISTORIES] = entity_table_of_history(&arena, history, ENTITY_HISTORIES, &error);
	FUZZ_ASSERT(tables[ENTITY_HISTORIES] && tables[ENTITY_HISTORIES]->link_start[1] > 0);
	tables[ENTITY_DISLIKES] = entity_table_of_history(&arena, history, ENTITY_DISLIKES, &error);
	/* the toy has no column for it: values are not what is damaged here */
	tables[ENTITY_SIDES] = sides_build(&arena, &scratch, dataset, &host, &error);
	FUZZ_ASSERT(tables[ENTITY_DISLIKES] && tables[ENTITY_SIDES]);
	arena_free_all(&scratch);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FuzzInput	input = {data, size};
	EngineError error = {0};
	const EntityTable *table;
	EntityTable *read;
	uint32_t	cut;
	FuzzBlock	block;
	Arena		scratch;
	bool		damaged;

	set_up();
	table = tables[fuzz_number(&input, 1) % N_ENTITY_KINDS];
	cut = fuzz_number(&input, 1);
	block.size = table->n_bytes - (cut == 255 ? 0 : cut);
	block.bytes = malloc(block.size);
	FUZZ_ASSERT(block.bytes);
	memcpy(block.bytes, table->bytes, block.size);
	damaged = fuzz_damage(&input, &block, 1) || block.size < table->n_bytes;
	arena_init_malloc(&scratch);
	read = entity_table_get(&scratch, block.bytes, block.size, &dataset->shape, table->kind, false,
							NULL, &error);
	FUZZ_ASSERT(read || error.code == ENGINE_CORRUPT);
	FUZZ_ASSERT(read || damaged);
	FUZZ_ASSERT(!read || entity_table_is_sound(&dataset->shape, read));
	arena_free_all(&scratch);
	free(block.bytes);
	return 0;
}

void
fuzz_seeds(void)
{
	uint8_t		bytes[256] = {0, 255};

	set_up();
	for (uint8_t kind = 0; kind < N_ENTITY_KINDS; kind++)
	{
		const EntityTable *table = tables[kind];
		const uint8_t *stored = table->bytes;
		uint8_t		cut[] = {kind, 8};
		char		name[32];
		size_t		n;

		bytes[0] = kind;
		fuzz_seed(entity_kind_names[kind], bytes, 2);
		snprintf(name, sizeof(name), "cut-%s", entity_kind_names[kind]);
		fuzz_seed(name, cut, sizeof(cut));
		/* sizes and fields in their places, and the ends of what follows: something to change */
		n = fuzz_change(bytes + 2, 0, 0, stored, FUZZ_TELLING - 1);
		snprintf(name, sizeof(name), "head-%s", entity_kind_names[kind]);
		fuzz_seed(name, bytes, 2 + n);
		n = fuzz_change(bytes + 2, 0, (uint32_t) table->n_bytes - 64, stored + table->n_bytes - 64, 64);
		snprintf(name, sizeof(name), "tail-%s", entity_kind_names[kind]);
		fuzz_seed(name, bytes, 2 + n);
	}
}
