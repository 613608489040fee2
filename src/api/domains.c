/*
 * domains.c
 *	  aread_similar_domains(), aread_expert_usage(): what domains share, under
 *	  the version that scores.
 */
#include "postgres.h"

#include <math.h>

#include "api/name_arguments.h"
#include "api/view_queries.h"
#include "catalog/models.h"
#include "catalog/pg_type.h"
#include "corrupt.h"
#include "engine/model/mask.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "source/keys/vocabulary.h"
#include "utils/builtins.h"

/* Errors for a model without gates between experts, or without the domain (NULL: any will do). */
static void
check_names(const char *model, const char *domain)
{
	IntList		experts;

	SPI_connect();
	if (domain)
		view_check_domain(model, domain);
	view_experts(model, &experts);
	SPI_finish();
}

/* Another domain, and how alike its mask is. */
typedef struct SimilarDomain
{
	uint32		number;
	double		overlap;
	double		by_chance;
} SimilarDomain;

/* Most alike first, then by rank. */
static int
compare_similar(const void *a, const void *b)
{
	const SimilarDomain *x = a;
	const SimilarDomain *y = b;

	if (x->overlap != y->overlap)
		return x->overlap > y->overlap ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/* All domains but one, by the overlap of their masks with its (without masks all gates are open). */
static SimilarDomain *
similar_domains(const Model *model, uint32 domain)
{
	SimilarDomain *similar = palloc(Max(model->n_domains, 1) * sizeof(SimilarDomain));
	const IntList *experts = &model->config.hei_experts;
	const uint8 *own = model->masks + (Size) domain * model->n_gates;
	uint32		n = 0;

	for (uint32 d = 0; d < model->n_domains; d++)
	{
		const uint8 *mask = model->masks + (Size) d * model->n_gates;

		CHECK_FOR_INTERRUPTS();
		if (d != domain)
			similar[n++] = (SimilarDomain) {
				.number = d,.overlap = mask_overlap(experts, own, mask, 0),
				.by_chance = mask_chance_overlap(experts, own, mask, 0)
			};
	}
	qsort(similar, n, sizeof(SimilarDomain), compare_similar);
	return similar;
}

PG_FUNCTION_INFO_V1(aread_similar_domains);
/* aread_similar_domains(model, domain) */
Datum
aread_similar_domains(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const ServedModel *served = model_argument(fcinfo, 0);
	const LoadedModel *loaded = served->loaded;
	const FeatureSpec *spec = loaded->spec;
	const Vocabulary *names =
		&spec->vocabularies[spec->features[spec->domain_feature].vocabulary];
	char	   *domain = text_to_cstring(PG_GETARG_TEXT_PP(1));
	SimilarDomain *similar;
	char	   *key;
	uint32		id;

	check_names(loaded->version.name, domain);
	key = pg_server_to_any(domain, strlen(domain), PG_UTF8);
	id = vocabulary_find(names, key, strlen(key));
	if (id < FIRST_ID)
		stored_corrupt("vocabulary", "It does not have the names of all domains.");
	similar = similar_domains(loaded->model, id - FIRST_ID);
	InitMaterializedSRF(fcinfo, 0);
	for (uint32 i = 0; i + 1 < loaded->model->n_domains; i++)
	{
		const SimilarDomain *other = &similar[i];
		Datum		values[5];
		bool		nulls[5] = {false};

		values[0] = CStringGetTextDatum(vocabulary_key(names, FIRST_ID + other->number));
		values[1] = Int64GetDatum((int64) loaded->domain_rows[other->number]);
		values[2] = Float8GetDatum(other->overlap);
		values[3] = Float8GetDatum(other->by_chance);
		values[4] = Float8GetDatum(other->overlap / other->by_chance);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(aread_expert_usage);
/* aread_expert_usage(model, domain) */
Datum
aread_expert_usage(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[] = {(Datum) 0, PG_GETARG_DATUM(1)};
	ModelVersion version;
	char	   *model;
	uint64		n;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	model = text_to_cstring(PG_GETARG_TEXT_PP(0));
	catalog_find_owned(model, &version);
	values[0] = CStringGetTextDatum(catalog_pin(&version));
	check_names(model, PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1)));
	SPI_connect();
	n = catalog_query("SELECT u.domain, u.layer, u.expert, u.used, u.inputs, u.outputs, u.flow"
					  " FROM aread.expert_usage u"
					  " WHERE pg_catalog.concat(u.model, '@', u.version) OPERATOR(pg_catalog.=) $1"
					  " AND ($2 IS NULL OR u.domain OPERATOR(pg_catalog.=) $2)"
					  " ORDER BY u.domain COLLATE pg_catalog.\"C\", u.layer, u.expert",
					  true, 2, types, values, PG_ARGISNULL(1) ? " n" : NULL);
	for (uint64 row = 0; row < n; row++)
		tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[row]);
	SPI_finish();
	return (Datum) 0;
}
