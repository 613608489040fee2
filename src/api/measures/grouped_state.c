/*
 * grouped_state.c
 *	  Rows and the groups that they belong to, in a bytea that grows.
 *
 * Behind the header lie the slots of the hash table (an entry's offset + 1; 0:
 * free), the entries of the groups in the order of their numbers, and the
 * records of the rows.  Each part has room of its own; when one is full all
 * move to a state with twice the room that each needs.
 */
#include "postgres.h"

#include "api/measures/grouped_state.h"

#include "api/measures/scores.h"
#include "common/hashfn.h"
#include "compat.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"

/* Slots of a search between two looks at interrupts. */
#define CHECK_SLOTS 4096
#define MAGIC 0x41524547
#define HEADER_SIZE MAXALIGN(sizeof(GroupedState))
/* Score, label, number of the group. */
#define RECORD_SIZE (sizeof(double) + 1 + sizeof(uint32))
/* Rows between two looks at interrupts. */
#define CHECK_ROWS 1000000

/* A group: its key's bytes follow; the next entry is int-aligned. */
typedef struct GroupEntry
{
	uint32		hash;
	uint32		number;
	uint32		length;
} GroupEntry;

/* Room of a state's parts. */
typedef struct GroupsRoom
{
	uint64		rows;
	uint32		slots;
	uint64		key_bytes;
} GroupsRoom;

static Size
entry_size(uint32 length)
{
	return INTALIGN(sizeof(GroupEntry) + (Size) length);
}

static Size
state_size(const GroupsRoom *room)
{
	return HEADER_SIZE + room->slots * sizeof(uint32) + room->key_bytes +
		room->rows * RECORD_SIZE;
}

static uint32 *
slots_of(const GroupedState *state)
{
	return (uint32 *) ((char *) state + HEADER_SIZE);
}

static char *
keys_of(const GroupedState *state)
{
	return (char *) (slots_of(state) + state->slots);
}

static char *
records_of(const GroupedState *state)
{
	return keys_of(state) + state->key_room;
}

static GroupedState *
check_state(GroupedState *state)
{
	Size		size = VARSIZE(state);
	GroupsRoom	room;

	if (size < HEADER_SIZE || state->magic != MAGIC)
		state_invalid();
	room = (GroupsRoom)
	{
		.rows = state->row_room,.slots = state->slots,.key_bytes = state->key_room
	};
	if (room.rows > size || room.slots > size || room.key_bytes > size ||
		state_size(&room) != size || state->rows > room.rows ||
		state->key_bytes > room.key_bytes || state->key_bytes % ALIGNOF_INT != 0 ||
		room.slots == 0 ||
		(room.slots & (room.slots - 1)) != 0 || state->groups >= room.slots)
		state_invalid();
	return state;
}

/* The entry at an offset, which the state's bytes may have wrong. */
static GroupEntry *
entry_at(const GroupedState *state, uint64 offset)
{
	GroupEntry *entry = (GroupEntry *) (keys_of(state) + offset);

	if (offset % ALIGNOF_INT != 0 || offset + sizeof(GroupEntry) > state->key_bytes ||
		offset + entry_size(entry->length) > state->key_bytes ||
		entry->number >= state->groups)
		state_invalid();
	return entry;
}

GroupedState *
groups_argument(FunctionCallInfo fcinfo, int64 parameter)
{
	GroupsRoom	room = {.rows = 8,.slots = 8,.key_bytes = 64};
	GroupedState *state;

	if (!PG_ARGISNULL(0))
	{
		state = check_state(state_bytes(fcinfo, 0));
		if (state->parameter == parameter)
			return state;
		if (parameter < 1 || state->parameter < 1)
			state_invalid();
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the catalogue's size must be the same in all rows of a group"),
				 errhint("Pass a constant, or group by what it depends on.")));
	}
	state = palloc0(state_size(&room));
	SET_VARSIZE(state, state_size(&room));
	state->magic = MAGIC;
	state->row_room = room.rows;
	state->slots = room.slots;
	state->key_room = room.key_bytes;
	state->parameter = parameter;
	return state;
}

const GroupedState *
groups_read(FunctionCallInfo fcinfo, int argument)
{
	return check_state(state_bytes(fcinfo, argument));
}

/* Of a state that somebody made up all keys may have one hash: searches are long then. */
static void
check_search(uint32 tried)
{
	if (tried % CHECK_SLOTS == 0)
		CHECK_FOR_INTERRUPTS();
}

/* Put every entry into the slots, which are free. */
static void
fill_slots(GroupedState *state)
{
	uint32	   *slots = slots_of(state);
	uint64		offset = 0;

	for (uint32 i = 0; i < state->groups; i++)
	{
		GroupEntry *entry = entry_at(state, offset);
		uint32		slot = entry->hash & (state->slots - 1);

		if (i % CHECK_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		for (uint32 tried = 0; slots[slot] != 0; slot = (slot + 1) & (state->slots - 1))
			check_search(++tried);
		slots[slot] = offset + 1;
		offset += entry_size(entry->length);
	}
}

/*
 * Room for so much more, and beyond that for as much as there is; less where
 * that would be too large.
 */
static GroupsRoom
plan_room(const GroupedState *state, uint64 rows, uint64 groups, uint64 key_bytes)
{
	GroupsRoom	room;

	for (int eighths = 8; eighths > 0; eighths--)
	{
		room.rows = state->rows + rows + state->rows * eighths / 8;
		room.key_bytes = TYPEALIGN(ALIGNOF_INT, state->key_bytes + key_bytes +
								   state->key_bytes * eighths / 8);
		room.slots = pg_nextpower2_32((state->groups + groups) * 2);
		if (state_size(&room) <= STATE_MOST)
			return room;
	}
	state_too_large(state->rows);
}

/* With room for so many rows and groups more, with keys of so many bytes. */
static GroupedState *
reserve(GroupedState *state, uint64 rows, uint64 groups, uint64 key_bytes)
{
	GroupsRoom	room;
	GroupedState *larger;

	if (state->rows + rows <= state->row_room &&
		state->key_bytes + key_bytes <= state->key_room &&
		(state->groups + groups) * 4 <= (uint64) state->slots * 3)
		return state;
	room = plan_room(state, rows, groups, key_bytes);
	larger = state_enlarge(state, HEADER_SIZE, state_size(&room));
	larger->row_room = room.rows;
	larger->slots = room.slots;
	larger->key_room = room.key_bytes;
	memcpy(keys_of(larger), keys_of(state), state->key_bytes);
	memcpy(records_of(larger), records_of(state), state->rows * RECORD_SIZE);
	fill_slots(larger);
	return larger;
}

/* Number of a key's group, which is new if there is none; there must be room for it. */
static uint32
find_group(GroupedState *state, uint32 hash, const char *key, uint32 length)
{
	uint32	   *slots = slots_of(state);
	uint32		slot = hash & (state->slots - 1);
	GroupEntry *entry;

	for (uint32 tried = 0; slots[slot] != 0; slot = (slot + 1) & (state->slots - 1))
	{
		entry = entry_at(state, slots[slot] - 1);
		if (entry->hash == hash && entry->length == length &&
			memcmp(entry + 1, key, length) == 0)
			return entry->number;
		if (++tried == state->slots)
			state_invalid();
		check_search(tried);
	}
	slots[slot] = state->key_bytes + 1;
	entry = (GroupEntry *) (keys_of(state) + state->key_bytes);
	*entry = (GroupEntry)
	{
		.hash = hash,.number = state->groups++,.length = length
	};
	memcpy(entry + 1, key, length);
	state->key_bytes += entry_size(length);
	return entry->number;
}

static void
put_row(GroupedState *state, const char *score_and_label, uint32 group)
{
	char	   *record = records_of(state) + state->rows++ * RECORD_SIZE;

	memcpy(record, score_and_label, RECORD_SIZE - sizeof(group));
	memcpy(record + RECORD_SIZE - sizeof(group), &group, sizeof(group));
}

GroupedState *
groups_append(GroupedState *state, double score, uint8 label, const char *key, uint32 length)
{
	char		record[sizeof(double) + 1];
	uint32		hash = hash_bytes((const unsigned char *) key, length);

	state = reserve(state, 1, 1, entry_size(length));
	scores_pack(record, score, label);
	put_row(state, record, find_group(state, hash, key, length));
	return state;
}

GroupedState *
groups_merge(FunctionCallInfo fcinfo, const GroupedState *other)
{
	GroupedState *state = groups_argument(fcinfo, other->parameter);
	uint32	   *numbers = MemoryContextAllocHuge(CurrentMemoryContext,
												 ((Size) other->groups + 1) * sizeof(uint32));
	uint64		offset = 0;

	state = reserve(state, other->rows, other->groups, other->key_bytes);
	for (uint32 i = 0; i < other->groups; i++)
	{
		GroupEntry *entry = entry_at(other, offset);

		if (i % CHECK_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		numbers[i] = find_group(state, entry->hash, (char *) (entry + 1), entry->length);
		offset += entry_size(entry->length);
	}
	for (uint64 i = 0; i < other->rows; i++)
	{
		double		score;
		uint8		label;

		if (i % CHECK_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		put_row(state, records_of(other) + i * RECORD_SIZE,
				numbers[groups_row(other, i, &score, &label)]);
	}
	pfree(numbers);
	return state;
}

uint32
groups_row(const GroupedState *state, uint64 i, double *score, uint8 *label)
{
	const char *record = records_of(state) + i * RECORD_SIZE;
	uint32		group;

	scores_unpack(record, score, label);
	memcpy(&group, record + RECORD_SIZE - sizeof(group), sizeof(group));
	if (group >= state->groups)
		state_invalid();
	return group;
}
