/*
 * group_keys.c
 *	  Canonical keys where a type has them, else its output.
 */
#include "postgres.h"

#include "api/measures/group_keys.h"

#include "source/keys/key.h"
#include "utils/memutils.h"

struct GroupKeys
{
	MemoryContext context;		/* of all below */
	Oid			type;			/* for which the rest is made */
	KeyWriter	writer;
	bool		as_output;		/* a type without canonical keys: its output */
	ValueOutput output;
};

/* Make ready for a type, instead of another. */
static void
prepare(GroupKeys *keys, Oid type)
{
	ValueType	read;

	if (!OidIsValid(type))
		elog(ERROR, "could not determine the type of the group");
	keys->type = InvalidOid;	/* until an error cannot come in between */
	MemoryContextReset(keys->context);
	type_require(type, &read);
	keys->as_output = key_kind_of(&read) == KEY_UNSUPPORTED;
	if (keys->as_output)
		output_init(&keys->output, &read, keys->context);
	else
		key_writer_init(&keys->writer, &read, keys->context);
	keys->type = type;
}

GroupKeys *
group_keys(FunctionCallInfo fcinfo, Oid type)
{
	GroupKeys  *keys = fcinfo->flinfo->fn_extra;

	if (!keys)
	{
		keys = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(GroupKeys));
		keys->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "aread group keys",
											  ALLOCSET_SMALL_SIZES);
		fcinfo->flinfo->fn_extra = keys;
	}
	if (keys->type != type || !OidIsValid(type))
		prepare(keys, type);
	return keys;
}

const char *
group_key(GroupKeys *keys, Datum value, uint32 *length)
{
	const char *key;

	if (!keys->as_output)
		return key_write(&keys->writer, value, length);
	key = output_value(&keys->output, value);
	*length = strlen(key);
	return key;
}
