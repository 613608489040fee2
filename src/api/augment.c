/*
 * augment.c
 *	  aread_augment(), aread_popularity(), aread_augment_plan():
 *	  counterfactual rows, and what they are drawn by.
 *
 * All three read the source with the caller's rights and snapshot, as a stream that
 * spills to a file at work_mem (source/stream/stream.h), and plan by counts of it.
 * Only aread_augment() keeps whole rows and draws.  Memory is one context that goes
 * with the call; nothing is written but the result.
 */
#include "postgres.h"

#include "api/role_arguments.h"
#include "catalog/models.h"
#include "funcapi.h"
#include "host.h"
#include "miscadmin.h"
#include "options.h"
#include "source/read/read_report.h"
#include "source/stream/pool.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* A source, read and planned for. */
typedef struct Augmentation
{
	Config		config;
	TrainOptions options;
	ColumnRoles *roles;
	SourceStream *stream;
	AugmentPlan plan;
} Augmentation;

static void
check_roles(const ColumnRoles *roles, const Config *config)
{
	roles_require_label(roles, config->negatives > 0);
	if (!roles->item_id)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("relation \"%s\" has no item column", roles->relation->name),
				 errdetail("Augmented rows are of unpopular items; where no argument names the item, it is the column \"item_id\"."),
				 errhint("Name it by argument \"item_id\".")));
}

/* Which items are unpopular has to be known from the source alone. */
static void
check_popularity(const Config *config)
{
	if (config->popularity == POPULARITY_SCORE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"popularity\" cannot be \"score\" here"),
				 errdetail("Scores are those of the network while it trains."),
				 errhint("Set it to \"count\" or \"rate\".")));
}

/*
 * Arguments of all three functions but the first: label, domain, user_id,
 * item_id, split, features, options.  by_item: is it asked which items are
 * unpopular?  Everything is allocated in the current memory context.
 */
static Augmentation *
prepare(FunctionCallInfo fcinfo, const SourceRelation *relation, bool by_item, bool whole_rows)
{
	static const RoleArguments arguments = {
		.label = 1,.domain = 2,.user_id = 3,.item_id = 4,.split = 5,.weight = -1,
		.features = 6
	};
	Augmentation *augmentation = palloc0(sizeof(Augmentation));
	ReadReport	report = {0};
	EngineError error;
	Arena		arena;

	options_parse(PG_ARGISNULL(7) ? NULL : PG_GETARG_JSONB_P(7), &augmentation->config,
				  &augmentation->options);
	if (by_item)
		check_popularity(&augmentation->config);
	augmentation->roles = roles_resolve(fcinfo, relation, &arguments, catalog_roles(relation->id));
	check_roles(augmentation->roles, &augmentation->config);
	augmentation->stream = stream_read(augmentation->roles, &augmentation->options.source, whole_rows,
									   &report);
	report_tell_skipped(&report);
	host_arena(&arena, CurrentMemoryContext);
	if (!augment_plan(&arena, &augmentation->config, stream_counts(augmentation->stream),
					  &augmentation->plan, &error))
		host_raise(&error);
	return augmentation;
}

static const SourceRelation *
source_argument(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("source must not be NULL")));
	return source_open(PG_GETARG_OID(0));
}

static MemoryContext
augmentation_context(void)
{
	return AllocSetContextCreate(CurrentMemoryContext, "aread augmentation",
								 ALLOCSET_DEFAULT_SIZES);
}

/* The relation whose row type the first argument has; its columns are those of the result. */
static const SourceRelation *
relation_of_row(FunctionCallInfo fcinfo)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	Oid			relation = OidIsValid(type) ? get_typ_typrelid(type) : InvalidOid;
	SourceRelation *opened;

	if (!OidIsValid(relation))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a value of type %s is no row of a source",
						OidIsValid(type) ? format_type_be(type) : "unknown"),
				 errhint("Say of which table by a null row of it: aread_augment(NULL::interactions).")));
	opened = source_open(relation);
	InitMaterializedSRF(fcinfo, 0);
	if (opened->row_type != type ||
		!source_has_columns(opened, ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc))
		source_has_changed(opened);
	return opened;
}

/* Where drawn rows go, and how a row of another domain is made of one. */
typedef struct Output
{
	ReturnSetInfo *rsinfo;
	const SourceStream *stream;
	TupleDesc	descriptor;
	int			domain_at;
	Datum	   *values;			/* [natts] */
	bool	   *nulls;
} Output;

static void
put_row(void *context, uint32 domain, HeapTupleHeader row)
{
	Output	   *output = context;
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(row),.t_data = row};

	heap_deform_tuple(&tuple, output->descriptor, output->values, output->nulls);
	output->values[output->domain_at] = stream_domain_value(output->stream, domain);
	output->nulls[output->domain_at] = false;
	tuplestore_putvalues(output->rsinfo->setResult, output->rsinfo->setDesc, output->values,
						 output->nulls);
}

PG_FUNCTION_INFO_V1(aread_augment);
/* aread_augment(row of source, label, domain, user_id, item_id, split, features, options) */
Datum
aread_augment(PG_FUNCTION_ARGS)
{
	MemoryContext context = augmentation_context();
	MemoryContext old;
	const SourceRelation *relation = relation_of_row(fcinfo);
	Augmentation *augmentation;
	Output		output = {.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo};

	old = MemoryContextSwitchTo(context);
	augmentation = prepare(fcinfo, relation, true, true);
	output.stream = augmentation->stream;
	output.descriptor = stream_descriptor(augmentation->stream);
	output.domain_at = source_column_number(augmentation->roles->relation,
											augmentation->roles->domain) - 1;
	output.values = palloc(output.descriptor->natts * sizeof(Datum));
	output.nulls = palloc(output.descriptor->natts * sizeof(bool));
	pool_draw(augmentation->stream, &augmentation->config, &augmentation->plan, put_row, &output);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(aread_popularity);
/* aread_popularity(source, label, domain, user_id, item_id, split, features, options) */
Datum
aread_popularity(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const SourceRelation *relation = source_argument(fcinfo);
	MemoryContext context = augmentation_context();
	MemoryContext row_context;
	MemoryContext old;
	const Augmentation *augmentation;
	const AugmentPlan *plan;

	InitMaterializedSRF(fcinfo, 0);
	old = MemoryContextSwitchTo(context);
	row_context = AllocSetContextCreate(context, "aread popularity row", ALLOCSET_SMALL_SIZES);
	augmentation = prepare(fcinfo, relation, true, false);
	plan = &augmentation->plan;
	MemoryContextSwitchTo(row_context);
	for (uint32 item = FIRST_ID; item < plan->counts.n_items; item++)
	{
		char	   *name;
		Datum		values[5];
		bool		nulls[5] = {false};

		CHECK_FOR_INTERRUPTS();
		if (plan->counts.item_rows[item] == 0)
			continue;
		name = stream_item(augmentation->stream, item);
		nulls[0] = !name;
		values[0] = name ? CStringGetTextDatum(name) : (Datum) 0;
		values[1] = Int64GetDatum((int64) plan->counts.item_rows[item]);
		values[2] = Int64GetDatum((int64) plan->counts.item_positives[item]);
		values[3] = Float8GetDatum(plan->popularity[item]);
		values[4] = BoolGetDatum(plan->is_unpopular[item]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		MemoryContextReset(row_context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(aread_augment_plan);
/* aread_augment_plan(source, label, domain, user_id, item_id, split, features, options) */
Datum
aread_augment_plan(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const SourceRelation *relation = source_argument(fcinfo);
	MemoryContext context = augmentation_context();
	MemoryContext old;
	const Augmentation *augmentation;
	const AugmentPlan *plan;

	InitMaterializedSRF(fcinfo, 0);
	old = MemoryContextSwitchTo(context);
	augmentation = prepare(fcinfo, relation, false, false);
	plan = &augmentation->plan;
	for (uint32 d = 0; d < plan->counts.n_domains; d++)
	{
		Datum		values[5];
		bool		nulls[5] = {false};

		if (plan->counts.domain_rows[d] == 0)
			continue;
		values[0] = CStringGetTextDatum(stream_domain(augmentation->stream, d));
		values[1] = Int64GetDatum((int64) plan->counts.domain_rows[d]);
		values[2] = BoolGetDatum(plan->is_minor[d]);
		values[3] = BoolGetDatum(plan->is_major[d]);
		values[4] = Int64GetDatum((int64) plan->rows_to_add[d]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return (Datum) 0;
}
