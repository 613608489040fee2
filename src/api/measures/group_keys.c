/*
 * group_keys.c
 *	  Canonical keys where a type has them, else its output.
 */
#include "postgres.h"

#include "api/measures/group_keys.h"

#include "source/keys/key.h"

struct GroupKeys
{
	KeyWriter	writer;
	bool		as_output;		/* a type without canonical keys: its output */
	ValueOutput output;
};

GroupKeys *
group_keys(FunctionCallInfo fcinfo, Oid type)
{
	GroupKeys  *keys = fcinfo->flinfo->fn_extra;
	ValueType	read;

	if (keys)
		return keys;
	keys = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(GroupKeys));
	if (!OidIsValid(type))
		elog(ERROR, "could not determine the type of the group");
	type_require(type, &read);
	keys->as_output = key_kind_of(&read) == KEY_UNSUPPORTED;
	if (keys->as_output)
		output_init(&keys->output, &read, fcinfo->flinfo->fn_mcxt);
	else
		key_writer_init(&keys->writer, &read, fcinfo->flinfo->fn_mcxt);
	fcinfo->flinfo->fn_extra = keys;
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
