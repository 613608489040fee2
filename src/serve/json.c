/*
 * json.c
 *	  JSON objects to rows of ids: keys are feature names.
 *
 * Each feature of the model is looked up in the object, not the other way round:
 * keys that are no features cost nothing.  A value is encoded as the type of SQL
 * that its JSON type stands for: text, numeric or boolean; of lists an array of
 * these.
 *
 * Encoders are made when a type first comes.  They live as long as the map.
 */
#include "postgres.h"

#include "serve/input.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

/* The types of a JSON value that is not null. */
typedef enum JsonType
{
	JSON_STRING, JSON_NUMBER, JSON_BOOLEAN, N_JSON_TYPES
} JsonType;

struct JsonMap
{
	const FeatureSpec *spec;
	ValueEncoder *(*encoders)[N_JSON_TYPES];	/* [n_features + 1] */
	ValueEncoder *latest;		/* of the latest scalar; NULL: that was null */
	ValueEncoder **vectors;		/* [n_features] of dense ones, from text */
	MemoryContext context;
};

JsonMap *
json_map(const FeatureSpec *spec, MemoryContext context)
{
	JsonMap    *map = MemoryContextAllocZero(context, sizeof(JsonMap));

	map->spec = spec;
	map->context = context;
	map->encoders = MemoryContextAllocZero(context,
										   (spec->n_features + 1) * sizeof(*map->encoders));
	map->vectors = MemoryContextAllocZero(context, spec->n_features * sizeof(ValueEncoder *));
	return map;
}

static ValueEncoder *
encoder_for(JsonMap *map, int f, JsonType type)
{
	static const Oid scalars[] = {TEXTOID, NUMERICOID, BOOLOID};
	static const Oid arrays[] = {TEXTARRAYOID, NUMERICARRAYOID, BOOLARRAYOID};
	bool		is_list = map->spec->features[f].kind == FEATURE_LIST;

	if (!map->encoders[f][type])
		map->encoders[f][type] = encoder_create(map->spec, f,
												is_list ? arrays[type] : scalars[type],
												map->context);
	return map->latest = map->encoders[f][type];
}

/* The encoder of a scalar that is not null, a value or a member of a list; *datum is the value. */
static ValueEncoder *
scalar_encoder(JsonMap *map, int f, const JsonbValue *value, Datum *datum)
{
	switch (value->type)
	{
		case jbvString:
			*datum = PointerGetDatum(cstring_to_text_with_len(value->val.string.val,
															  value->val.string.len));
			return encoder_for(map, f, JSON_STRING);
		case jbvNumeric:
			*datum = NumericGetDatum(value->val.numeric);
			return encoder_for(map, f, JSON_NUMBER);
		case jbvBool:
			*datum = BoolGetDatum(value->val.boolean);
			return encoder_for(map, f, JSON_BOOLEAN);
		default:
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("feature \"%s\" of model \"%s\" cannot take a JSON object or array",
							map->spec->features[f].name, map->spec->model)));
	}
}

static uint32
scalar_id(JsonMap *map, int f, const JsonbValue *value)
{
	ValueEncoder *encoder;
	Datum		datum;

	map->latest = NULL;
	if (value->type == jbvNull)
		return NULL_ID;
	encoder = scalar_encoder(map, f, value, &datum);
	return encoder_id(encoder, datum, false);
}

/* A number that is a vector to the model. */
static void
set_pieces(JsonMap *map, int f, const JsonbValue *value, InputRows *rows)
{
	ValueEncoder *encoder;
	const uint32 *members;
	Datum		datum;
	int			n;

	if (value->type == jbvNull)
		return;
	encoder = scalar_encoder(map, f, value, &datum);
	n = encoder_members(encoder, datum, false, &members);
	input_set_list(rows, f, members, n);
}

/* Members of arrays in arrays are the list's, as those of a SQL array of many dimensions are. */
static bool
next_member(JsonbIterator **iterator, JsonbValue *member)
{
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(iterator, member, false)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_BEGIN_OBJECT || (token == WJB_ELEM && member->type != jbvNull))
			return true;
	}
	return false;
}

static uint32 *
array_members(JsonMap *map, int f, JsonbContainer *array, int *n)
{
	int			capacity = JsonContainerSize(array) + 1;
	uint32	   *members = palloc(capacity * sizeof(uint32));
	JsonbIterator *iterator = JsonbIteratorInit(array);
	JsonbValue	member;

	*n = 0;
	while (next_member(&iterator, &member))
	{
		if (*n == capacity)
		{
			capacity *= 2;
			members = repalloc_huge(members, capacity * sizeof(uint32));
		}
		members[(*n)++] = scalar_id(map, f, &member);
	}
	return members;
}

static void
set_list(JsonMap *map, int f, const JsonbValue *value, InputRows *rows)
{
	uint32	   *members;
	int			n;

	if (value->type == jbvNull)
		return;
	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("feature \"%s\" of model \"%s\" is a list, but its value is not an array",
						map->spec->features[f].name, map->spec->model)));
	members = array_members(map, f, value->val.binary.data, &n);
	if (f == map->spec->n_features)
		input_set_history(rows, members, n);
	else
		input_set_list(rows, f, members, n);
}

/* A vector is an array of numbers, or such a string: both are read as text. */
static void
set_vector(JsonMap *map, int f, const JsonbValue *value, InputRows *rows)
{
	const uint32 *members;
	char	   *text;
	int			n;

	if (value->type == jbvNull)
		return;
	if (value->type == jbvString)
		text = pnstrdup(value->val.string.val, value->val.string.len);
	else if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data))
		text = JsonbToCString(NULL, value->val.binary.data, value->val.binary.len);
	else
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("feature \"%s\" of model \"%s\" is a vector, but its value is not an array",
						map->spec->features[f].name, map->spec->model)));
	if (!map->vectors[f])
		map->vectors[f] = encoder_create(map->spec, f, UNKNOWNOID, map->context);
	n = encoder_members(map->vectors[f], CStringGetDatum(text), false, &members);
	input_set_list(rows, f, members, n);
	pfree(text);
}

static bool
find_history(const FeatureSpec *spec, const Jsonb *object, JsonbValue *history)
{
	return spec->has_history &&
		getKeyJsonValueFromContainer((JsonbContainer *) &object->root, HISTORY_COLUMN,
									 strlen(HISTORY_COLUMN), history);
}

void
json_each_of_history(JsonMap *map, Jsonb *features, MemberFunction function, void *context)
{
	JsonbIterator *iterator;
	JsonbValue	history;
	JsonbValue	member;

	if (!find_history(map->spec, features, &history) || history.type != jbvBinary)
		return;
	iterator = JsonbIteratorInit(history.val.binary.data);
	while (next_member(&iterator, &member))
	{
		uint32		id = scalar_id(map, map->spec->n_features, &member);
		uint32		length;
		const char *key = encoder_noted_key(map->latest, &length);

		function(context, id, key, length);
	}
}

int
json_encode(JsonMap *map, Jsonb *features, bool with_domain, InputRows *rows)
{
	bool		any = false;
	int			n_found = 0;
	JsonbValue	history;

	if (!JB_ROOT_IS_OBJECT(features))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("features must be a JSON object"),
				 errhint("For example '{\"user_id\": 7, \"item_id\": 42}'.")));
	for (int f = 0; f < map->spec->n_columns; f++)
	{
		const char *name = map->spec->features[f].name;
		JsonbValue	value;

		if (!getKeyJsonValueFromContainer(&features->root, name, strlen(name), &value))
			continue;
		any = true;
		if (f == map->spec->domain_feature && !with_domain)
			continue;
		n_found++;
		if (map->spec->features[f].kind == FEATURE_LIST)
			set_list(map, f, &value, rows);
		else if (map->spec->features[f].kind == FEATURE_PIECEWISE)
			set_pieces(map, f, &value, rows);
		else if (map->spec->features[f].kind == FEATURE_DENSE)
			set_vector(map, f, &value, rows);
		else
			input_set(rows, f, scalar_id(map, f, &value));
		if (f == map->spec->user_feature)
			rows->user = map->latest;
	}
	if (find_history(map->spec, features, &history))
	{
		any = true;
		set_list(map, map->spec->n_features, &history, rows);
	}
	if (!any && JB_ROOT_COUNT(features) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("no key of the object is a feature of the model"),
				 errhint("The view aread.feature lists the features; the first is \"%s\".",
						 map->spec->features[0].name)));
	return n_found;
}
