/*
 * domains.c
 *	  aread_similar_domains(), aread_expert_usage(): what domains share, read
 *	  from the views for the version that scores.
 */
#include "postgres.h"

#include "api/names.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

/* Rows of a query on the views, with the caller's rights, become the function's. */
static void
put_query(FunctionCallInfo fcinfo, const char *query, const char *model, const char *domain)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(model),
	domain ? CStringGetTextDatum(domain) : (Datum) 0};
	int			result;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	result = SPI_execute_with_args(query, 2, types, values, domain ? NULL : " n", true, 0);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "reading the views failed: %s", SPI_result_code_string(result));
	for (uint64 row = 0; row < SPI_processed; row++)
		tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[row]);
	SPI_finish();
}

/* Domains of a model without experts above the base have nothing to compare. */
static void
check_masks(const ServedModel *served)
{
	if (served->loaded->model->n_gates > 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("model \"%s\" has no masks", served->loaded->version.name),
			 errhint("Train it with \"architecture\": \"hemp\" or \"aread\".")));
}

PG_FUNCTION_INFO_V1(aread_similar_domains);
/* aread_similar_domains(model, domain) */
Datum
aread_similar_domains(PG_FUNCTION_ARGS)
{
	const ServedModel *served = model_argument(fcinfo, 0);
	char	   *domain = text_to_cstring(PG_GETARG_TEXT_PP(1));

	check_domain_name(served, domain);
	check_masks(served);
	put_query(fcinfo,
			  "SELECT d.domain, d.rows, o.overlap, o.by_chance,"
			  " o.overlap OPERATOR(pg_catalog./) o.by_chance"
			  " FROM aread.mask_overlap o JOIN aread.domain d"
			  " ON d.model OPERATOR(pg_catalog.=) o.model"
			  " AND d.version OPERATOR(pg_catalog.=) o.version"
			  " AND d.domain OPERATOR(pg_catalog.=) CASE WHEN o.domain_a OPERATOR(pg_catalog.=) $2"
			  " THEN o.domain_b ELSE o.domain_a END"
			  " WHERE o.model OPERATOR(pg_catalog.=) $1 AND o.deployed AND o.layer IS NULL"
			  " AND (o.domain_a OPERATOR(pg_catalog.=) $2 OR o.domain_b OPERATOR(pg_catalog.=) $2)"
			  " ORDER BY o.overlap DESC, d.rows DESC, d.domain",
			  served->loaded->version.name, domain);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(aread_expert_usage);
/* aread_expert_usage(model, domain) */
Datum
aread_expert_usage(PG_FUNCTION_ARGS)
{
	const ServedModel *served;
	char	   *domain = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));

	if (PG_ARGISNULL(0))
	{
		InitMaterializedSRF(fcinfo, 0);
		return (Datum) 0;
	}
	served = model_argument(fcinfo, 0);
	if (domain)
		check_domain_name(served, domain);
	check_masks(served);
	put_query(fcinfo,
			  "SELECT u.domain, u.layer, u.expert, u.used, u.inputs, u.outputs, u.flow"
			  " FROM aread.expert_usage u"
			  " WHERE u.model OPERATOR(pg_catalog.=) $1 AND u.deployed"
			  " AND ($2 IS NULL OR u.domain OPERATOR(pg_catalog.=) $2)"
			  " ORDER BY u.domain, u.layer, u.expert",
			  served->loaded->version.name, domain);
	return (Datum) 0;
}
