/*
 * pictures.c
 *	  aread_overlap_svg(), aread_experts_svg(), aread_training_svg(),
 *	  aread_domains_svg(): what the views show, drawn.
 *
 * Numbers come from the views, by queries that run with the caller's rights
 * (view_queries.h); draw/ makes a document of them and knows nothing of SQL.  Each
 * function finds out first that the caller owns the model, fetches rows under SPI
 * into the context of the call, leaves SPI, and draws.
 */
#include "postgres.h"

#include <math.h>

#include "api/view_queries.h"
#include "catalog/models.h"
#include "catalog/pg_type.h"
#include "catalog/rights.h"
#include "corrupt.h"
#include "draw/pictures.h"
#include "draw/seriate.h"
#include "engine/model/gates.h"
#include "engine/model/mask.h"
#include "engine/model/model.h"
#include "fmgr.h"
#include "host.h"
#include "miscadmin.h"
#include "options.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* More are too many to look at, and a document of too many megabytes. */
#define MAX_DRAWN 200

/* Masks and gates of some domains. */
typedef struct Masks
{
	IntList		experts;		/* N_1 .. N_L */
	int			n_gates;
	int			n;
	const char **names;			/* [n] */
	uint8	  **open;			/* [n][n_gates] */
	float4	  **gates;			/* [n][n_gates] */
	bool		masked;			/* some gate is closed */
	bool		scored_open;	/* scores leave such a gate open */
} Masks;

/* A number of a row; NaN where it is NULL. */
static double
view_number(uint64 row, int column)
{
	bool		isnull;
	Datum		value = catalog_value(row, column, &isnull);

	return isnull ? NAN : DatumGetFloat8(value);
}

static char *
view_text(uint64 row, int column, MemoryContext context)
{
	return MemoryContextStrdup(context, TextDatumGetCString(catalog_value(row, column, NULL)));
}

/* The version that a name means, or an error; and the theme. */
static Subject
find_subject(const char *model, const char *theme)
{
	Subject		subject = {.model = model_name_parse(model).name,.theme = theme_find(theme)};
	ModelVersion version;

	catalog_find_owned(model, &version);
	subject.version = version.version;
	return subject;
}

static Datum *
array_values(Datum array, Oid type, int length, char align, int wanted)
{
	Datum	   *values;
	bool	   *nulls;
	int			n;

	deconstruct_array(DatumGetArrayTypeP(array), type, length, true, align, &values, &nulls, &n);
	if (n != wanted)
		stored_corrupt("mask", "It does not fit the model.");
	return values;
}

static void
copy_mask(Masks *masks, int i, MemoryContext context)
{
	Datum	   *open = array_values(catalog_value(i, 1, NULL), BOOLOID, 1, TYPALIGN_CHAR,
									masks->n_gates);
	Datum	   *gates = array_values(catalog_value(i, 2, NULL), FLOAT4OID, sizeof(float4),
									 TYPALIGN_INT, masks->n_gates);

	masks->open[i] = MemoryContextAlloc(context, masks->n_gates);
	masks->gates[i] = MemoryContextAlloc(context, masks->n_gates * sizeof(float4));
	for (int g = 0; g < masks->n_gates; g++)
	{
		masks->open[i][g] = DatumGetBool(open[g]);
		masks->gates[i][g] = DatumGetFloat4(gates[g]);
		masks->masked = masks->masked || !masks->open[i][g];
		masks->scored_open = masks->scored_open ||
			(!masks->open[i][g] && masks->gates[i][g] != 0);
	}
}

/* Fill masks of n domains by name; under SPI, into the context. */
static void
fetch_masks(const char *model, Masks *masks, MemoryContext context)
{
	Datum	   *names = palloc(masks->n * sizeof(Datum));
	Oid			types[2] = {TEXTOID, TEXTARRAYOID};
	Datum		values[2];
	uint64		found;

	for (int i = 0; i < masks->n; i++)
		names[i] = CStringGetTextDatum(masks->names[i]);
	values[0] = CStringGetTextDatum(catalog_pinned(model));
	values[1] = PointerGetDatum(construct_array(names, masks->n, TEXTOID, -1, false, TYPALIGN_INT));
	found = catalog_query("SELECT pg_catalog.array_agg(m.open ORDER BY m.layer, m.lower_expert, m.upper_expert),"
						  " pg_catalog.array_agg(m.gate ORDER BY m.layer, m.lower_expert, m.upper_expert)"
						  " FROM pg_catalog.unnest($2) WITH ORDINALITY d(name, place)"
						  " JOIN aread.mask m ON m.domain OPERATOR(pg_catalog.=) d.name"
						  " WHERE pg_catalog.concat(m.model, '@', m.version) OPERATOR(pg_catalog.=) $1"
						  " GROUP BY d.place ORDER BY d.place", true, 2, types, values, NULL);
	if (found != masks->n)
		stored_corrupt("mask", "It does not have all domains.");
	masks->open = MemoryContextAlloc(context, masks->n * sizeof(uint8 *));
	masks->gates = MemoryContextAlloc(context, masks->n * sizeof(float4 *));
	for (int i = 0; i < masks->n; i++)
		copy_mask(masks, i, context);
}

static void
no_masks(const char *model)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("model \"%s\" has no masks to compare", model),
			 errdetail("No mask closes a gate."),
			 errhint("Masks come with option architecture %s; a model that was kept at its start, or before its first mask update, has none.",
					 options_architectures_text("target_density", ", ", " or "))));
}

/* The layer to look at: 0, all, where the argument is NULL. */
static int
layer_argument(FunctionCallInfo fcinfo, const char *model, const Masks *masks)
{
	int			layer = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1);

	if (!PG_ARGISNULL(1) && (layer < 2 || layer > masks->experts.n))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"%s\" has no gates into layer %d", model, layer),
				 errhint("Layers with gates are 2 to %d; NULL is all of them together.",
						 masks->experts.n)));
	return layer;
}

/* Names of the largest domains, at most MAX_DRAWN, and how many there are. */
static int64
fetch_largest(const char *model, Masks *masks, MemoryContext context)
{
	int64		n_all;

	view_query("SELECT pg_catalog.count(*) FROM aread.domain"
			   " WHERE pg_catalog.concat(model, '@', version) OPERATOR(pg_catalog.=) $1", model);
	n_all = DatumGetInt64(catalog_value(0, 1, NULL));
	masks->n = (int) view_query("SELECT domain FROM aread.domain"
								" WHERE pg_catalog.concat(model, '@', version) OPERATOR(pg_catalog.=) $1"
								" ORDER BY rows DESC, domain COLLATE pg_catalog.\"C\""
								" LIMIT " CppAsString2(MAX_DRAWN), model);
	masks->names = MemoryContextAlloc(context, Max(masks->n, 1) * sizeof(char *));
	for (int i = 0; i < masks->n; i++)
		masks->names[i] = view_text(i, 1, context);
	return n_all;
}

/* Overlap ratios in the order of the names, which are put in order first. */
static double *
overlaps_in_order(Masks *masks, int layer)
{
	int			n = masks->n;
	double	   *overlaps = palloc(n * n * sizeof(double));
	double	   *ordered = palloc(n * n * sizeof(double));
	const char **names = palloc(n * sizeof(char *));
	int		   *order = palloc(n * sizeof(int));
	EngineError error;
	Arena		arena;

	for (int a = 0; a < n; a++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int b = 0; b < n; b++)
			overlaps[a * n + b] = mask_overlap(&masks->experts, masks->open[a], masks->open[b], layer);
	}
	host_arena(&arena, CurrentMemoryContext);
	if (!seriate(&arena, overlaps, n, order, &error))
		host_raise(&error);
	arena_free_all(&arena);
	for (int a = 0; a < n; a++)
	{
		names[a] = masks->names[order[a]];
		for (int b = 0; b < n; b++)
			ordered[a * n + b] = overlaps[order[a] * n + order[b]];
	}
	masks->names = names;
	return ordered;
}

PG_FUNCTION_INFO_V1(aread_overlap_svg);
/* aread_overlap_svg(model, layer, theme) */
Datum
aread_overlap_svg(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	char	   *model;
	Masks		masks = {0};
	HeatMap		map = {0};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	model = text_to_cstring(PG_GETARG_TEXT_PP(0));
	map.subject = find_subject(model, text_to_cstring(PG_GETARG_TEXT_PP(2)));
	SPI_connect();
	view_experts(model, &masks.experts);
	masks.n_gates = gates_total(&masks.experts);
	map.layer = layer_argument(fcinfo, model, &masks);
	map.n_all = fetch_largest(model, &masks, context);
	fetch_masks(model, &masks, context);
	SPI_finish();
	if (!masks.masked)
		no_masks(model);
	map.n = masks.n;
	map.values = overlaps_in_order(&masks, map.layer);
	map.names = masks.names;
	PG_RETURN_TEXT_P(cstring_to_text(draw_heat_map(&map)));
}

PG_FUNCTION_INFO_V1(aread_experts_svg);
/* aread_experts_svg(model, domain, other, theme) */
Datum
aread_experts_svg(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	char	   *model;
	const char *names[2];
	Masks		masks = {.names = names,.n = PG_ARGISNULL(2) ? 1 : 2};
	ExpertGraph graph = {.n = masks.n,.experts = &masks.experts};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3))
		PG_RETURN_NULL();
	model = text_to_cstring(PG_GETARG_TEXT_PP(0));
	graph.subject = find_subject(model, text_to_cstring(PG_GETARG_TEXT_PP(3)));
	for (int i = 0; i < masks.n; i++)
		names[i] = graph.names[i] = text_to_cstring(PG_GETARG_TEXT_PP(i + 1));
	SPI_connect();
	view_experts(model, &masks.experts);
	masks.n_gates = gates_total(&masks.experts);
	for (int i = 0; i < masks.n; i++)
		view_check_domain(model, names[i]);
	fetch_masks(model, &masks, context);
	SPI_finish();
	for (int i = 0; i < masks.n; i++)
	{
		graph.open[i] = masks.open[i];
		graph.weight[i] = masks.gates[i];
	}
	graph.masked = masks.masked;
	graph.scored_open = masks.scored_open;
	PG_RETURN_TEXT_P(cstring_to_text(draw_expert_graph(&graph)));
}

/* Evaluations, the last gain among them, and where an epoch ends. */
static void
fetch_evaluations(const char *model, Curves *curves, MemoryContext context)
{
	CurvePoint *points;

	curves->n = (int) view_query("SELECT batches::pg_catalog.float8, train_loss, valid_loss, auc, domain_auc, best,"
								 " CASE WHEN epoch_end AND epoch OPERATOR(pg_catalog.>) 0 THEN"
								 "  batches::pg_catalog.float8 OPERATOR(pg_catalog./) epoch END"
								 " FROM aread.training_log"
								 " WHERE pg_catalog.concat(model, '@', version) OPERATOR(pg_catalog.=) $1 ORDER BY evaluation",
								 model);
	curves->points = points = MemoryContextAlloc(context, Max(curves->n, 1) * sizeof(CurvePoint));
	curves->kept = -1;
	for (int i = 0; i < curves->n; i++)
	{
		double		epoch_batches = view_number(i, 7);

		points[i] = (CurvePoint) {
			.batches = view_number(i, 1),
			.train_loss = view_number(i, 2),
			.valid_loss = view_number(i, 3),
			.auc = view_number(i, 4),
			.domain_auc = view_number(i, 5)
		};
		if (DatumGetBool(catalog_value(i, 6, NULL)))
			curves->kept = i;
		if (!isnan(epoch_batches))
			curves->epoch_batches = epoch_batches;
	}
}

static void
fetch_updates(const char *model, Curves *curves, MemoryContext context)
{
	double	   *updates;

	curves->n_updates = (int) view_query("SELECT pg_catalog.min(batches)::pg_catalog.float8"
										 " FROM aread.mask_update"
										 " WHERE pg_catalog.concat(model, '@', version) OPERATOR(pg_catalog.=) $1"
										 " GROUP BY number ORDER BY number", model);
	curves->updates = updates = MemoryContextAlloc(context, Max(curves->n_updates, 1) * sizeof(double));
	for (int i = 0; i < curves->n_updates; i++)
		updates[i] = view_number(i, 1);
}

PG_FUNCTION_INFO_V1(aread_training_svg);
/* aread_training_svg(model, theme) */
Datum
aread_training_svg(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	char	   *model = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Curves		curves = {.subject = find_subject(model, text_to_cstring(PG_GETARG_TEXT_PP(1)))};

	SPI_connect();
	fetch_evaluations(model, &curves, context);
	fetch_updates(model, &curves, context);
	SPI_finish();
	PG_RETURN_TEXT_P(cstring_to_text(draw_curves(&curves)));
}

static void
fetch_domains(const char *model, Scatter *scatter, MemoryContext context)
{
	uint64		n = view_query("SELECT domain, rows::pg_catalog.float8, test_auc, valid_auc, minor, major"
							   " FROM aread.domain WHERE pg_catalog.concat(model, '@', version) OPERATOR(pg_catalog.=) $1"
							   " ORDER BY rows DESC, domain COLLATE pg_catalog.\"C\"", model);
	DomainPoint *points = MemoryContextAlloc(context, Max(n, 1) * sizeof(DomainPoint));

	for (uint64 row = 0; row < n; row++)
	{
		double		auc = view_number(row, scatter->test ? 3 : 4);

		if (isnan(auc))
		{
			scatter->n_without++;
			continue;
		}
		points[scatter->n++] = (DomainPoint) {
			.name = view_text(row, 1, context),
			.rows = Max(view_number(row, 2), 1),
			.auc = auc,
			.kind = DatumGetBool(catalog_value(row, 5, NULL)) ? DOMAIN_MINOR :
			DatumGetBool(catalog_value(row, 6, NULL)) ? DOMAIN_MAJOR : DOMAIN_OTHER
		};
	}
	scatter->points = points;
}

PG_FUNCTION_INFO_V1(aread_domains_svg);
/* aread_domains_svg(model, theme) */
Datum
aread_domains_svg(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	char	   *model = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Scatter		scatter = {.subject = find_subject(model, text_to_cstring(PG_GETARG_TEXT_PP(1)))};

	SPI_connect();
	if (view_query("SELECT test_domain_auc, valid_domain_auc FROM aread.model"
				   " WHERE pg_catalog.concat(model, '@', version) OPERATOR(pg_catalog.=) $1", model) == 1)
	{
		scatter.test = !isnan(view_number(0, 1));
		scatter.domain_auc = view_number(0, scatter.test ? 1 : 2);
	}
	fetch_domains(model, &scatter, context);
	SPI_finish();
	PG_RETURN_TEXT_P(cstring_to_text(draw_scatter(&scatter)));
}
