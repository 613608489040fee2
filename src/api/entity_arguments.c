/*
 * entity_arguments.c
 *	  Users or items as arguments of pseudo-type "any".
 */
#include "postgres.h"

#include "api/entity_arguments.h"

#include "catalog/pg_type.h"
#include "source/keys/key.h"
#include "source/keys/vocabulary.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

/* A literal's value: an array of texts, or a text. */
static Datum
parse_literal(const char *literal, Oid *type)
{
	Oid			input;
	Oid			param;

	*type = literal[0] == '{' ? TEXTARRAYOID : TEXTOID;
	getTypeInputInfo(*type, &input, &param);
	return OidInputFunctionCall(input, (char *) literal, param, -1);
}

/* One value, which may be NULL. */
static void
take_value(EntityArgument *entities, Datum value, bool isnull)
{
	Datum	   *only = palloc(sizeof(Datum));
	bool	   *null = palloc(sizeof(bool));

	*only = value;
	*null = isnull;
	entities->values = only;
	entities->nulls = null;
	entities->n = 1;
}

static void
take_array(EntityArgument *entities, Datum value, Oid element)
{
	int16		length;
	bool		by_value;
	char		align;
	Datum	   *values;
	bool	   *nulls;
	int			n;

	get_typlenbyvalalign(element, &length, &by_value, &align);
	deconstruct_array(DatumGetArrayTypeP(value), element, length, by_value, align, &values, &nulls,
					  &n);
	entities->values = values;
	entities->nulls = nulls;
	entities->n = n;
}

const EntityTable *
entities_apart(const ServedModel *served, int feature)
{
	const FeatureSpec *spec = served->loaded->spec;
	const Model *model = served->loaded->model;
	const EntityTable *table = feature == spec->user_feature ? model->users : model->items;

	return table && table->link_start[table->n] > 0 && spec_shares_vocabulary(spec, feature) ?
		table : NULL;
}

static void
take_linked(EntityArgument *entities, const EntityTable *table)
{
	uint32	   *ids = palloc_extended(Max(table->n, 1) * sizeof(uint32), MCXT_ALLOC_HUGE);

	entities->n = 0;
	for (uint32 id = FIRST_ID; id < FIRST_ID + table->n; id++)
		if (entity_is_linked(table, id))
			ids[entities->n++] = id;
	entities->ids = ids;
}

EntityArgument *
entity_all_users(const ServedModel *served)
{
	const FeatureSpec *spec = served->loaded->spec;
	const EntityTable *users = entities_apart(served, spec->user_feature);
	EntityArgument *entities = palloc0(sizeof(EntityArgument));

	entities->spec = spec;
	entities->feature = spec->user_feature;
	if (!spec_has_keys(spec, entities->feature))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" does not know values of \"%s\", which are hashed",
						spec->model, spec->features[entities->feature].name),
				 errhint("Pass them to aread_recommend as an array.")));
	entities->n = spec->vocabularies[spec->features[entities->feature].vocabulary].n_rows - FIRST_ID;
	if (users)
		take_linked(entities, users);
	return entities;
}

/* Id of the number-th of all. */
static uint32
id_of_all(const EntityArgument *entities, uint32 number)
{
	return entities->ids ? entities->ids[number] : FIRST_ID + number;
}

EntityArgument *
entity_argument(FunctionCallInfo fcinfo, int argument, const ServedModel *served, int feature)
{
	EntityArgument *entities = palloc0(sizeof(EntityArgument));
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, argument);
	bool		isnull = PG_ARGISNULL(argument);
	Datum		value = isnull ? (Datum) 0 : PG_GETARG_DATUM(argument);
	Oid			element;
	Oid			output;
	bool		is_varlena;

	entities->spec = served->loaded->spec;
	entities->feature = feature;
	if (!OidIsValid(type))
		elog(ERROR, "could not determine the type of argument %d", argument + 1);
	if (type == UNKNOWNOID && !isnull)
		value = parse_literal(DatumGetCString(value), &type);
	element = get_base_element_type(type);
	if (!OidIsValid(element))
	{
		element = type == UNKNOWNOID ? TEXTOID : type;
		take_value(entities, value, isnull);
	}
	else if (isnull)
		entities->values = palloc0(sizeof(Datum));	/* no array, no members: array_agg() of no rows is one */
	else
		take_array(entities, value, element);
	entities->encoder = encoder_create(entities->spec, feature, element, CurrentMemoryContext);
	getTypeOutputInfo(element, &output, &is_varlena);
	fmgr_info(output, &entities->output);
	return entities;
}

uint32
entity_argument_id(EntityArgument *entities, uint32 number)
{
	return entities->values ? encoder_id(entities->encoder, entities->values[number],
										 entities->nulls[number]) : id_of_all(entities, number);
}

char *
entity_argument_key(EntityArgument *entities, uint32 number)
{
	const FeatureSpec *spec = entities->spec;
	const char *key;
	uint32		length;

	if (!entities->values)
		return vocabulary_key(&spec->vocabularies[spec->features[entities->feature].vocabulary],
							  id_of_all(entities, number));
	encoder_note(entities->encoder, entities->values[number], entities->nulls[number]);
	key = encoder_noted_key(entities->encoder, &length);
	return key ? key_as_text(key, length) : NULL;
}

char *
entity_argument_text(EntityArgument *entities, uint32 number, uint32 id)
{
	const FeatureSpec *spec = entities->spec;

	if (id >= FIRST_ID && spec_has_keys(spec, entities->feature))
		return vocabulary_key(&spec->vocabularies[spec->features[entities->feature].vocabulary], id);
	return entities->nulls[number] ? NULL :
		OutputFunctionCall(&entities->output, entities->values[number]);
}

Candidates *
entity_candidates(FunctionCallInfo fcinfo, int domain, int relation, int context,
				  const ServedModel *served)
{
	CandidateQuery query = {0};

	if (!PG_ARGISNULL(domain))
		query.domain = text_to_cstring(PG_GETARG_TEXT_PP(domain));
	if (!PG_ARGISNULL(relation))
		query.relation = source_open(PG_GETARG_OID(relation));
	if (!PG_ARGISNULL(context))
		query.context = PG_GETARG_JSONB_P(context);
	return candidates_find(served, &query);
}

void
entity_require_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be NULL", name),
				 argument == 0 ? errhint("The view aread.model lists the models that you can use.") :
				 errhint("Pass a value, or leave the argument out if it has a default.")));
}

uint32
entity_k(FunctionCallInfo fcinfo, int argument)
{
	int32		k = PG_GETARG_INT32(argument);

	if (k < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k is %d, but must be at least 1", k),
				 errhint("It is how many rows are wanted.")));
	return (uint32) k;
}
