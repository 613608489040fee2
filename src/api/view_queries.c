/*
 * view_queries.c
 *	  The extension's views, read by its own functions.
 */
#include "postgres.h"

#include "api/view_queries.h"

#include "catalog/models.h"
#include "catalog/pg_type.h"
#include "corrupt.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nearest.h"
#include "options.h"
#include "utils/builtins.h"

uint64
view_query(const char *sql, const char *model)
{
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(catalog_pinned(model));

	return catalog_query(sql, true, 1, &type, &value, NULL);
}

static void
no_gates(const char *model)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("model \"%s\" has no gates between experts", model),
			 errhint("Train it with option architecture %s, and two layers in hei_experts or more.",
					 options_architectures_text("hei_hidden", ", ", " or "))));
}

void
view_experts(const char *model, IntList *experts)
{
	experts->n = (int) view_query(psprintf("SELECT e.n::pg_catalog.int4 FROM aread.model m,"
										   " pg_catalog.jsonb_array_elements_text(m.config OPERATOR(pg_catalog.->) 'hei_experts')"
										   " WITH ORDINALITY e(n, layer)"
										   " WHERE pg_catalog.concat(m.model, '@', m.version) OPERATOR(pg_catalog.=) $1"
										   " AND m.architecture OPERATOR(pg_catalog.=) ANY ('{%s}'::pg_catalog.text[])"
										   " ORDER BY e.layer",
										   options_architectures_text("hei_hidden", ",", ",")), model);
	if (experts->n < 2)
		no_gates(model);
	if (experts->n > MAX_LAYERS)
		stored_corrupt("version", "It has too many layers.");
	for (int i = 0; i < experts->n; i++)
	{
		experts->value[i] = DatumGetInt32(catalog_value(i, 1, NULL));
		if (experts->value[i] < 1 || experts->value[i] > MAX_EXPERTS)
			stored_corrupt("version", "A layer's number of experts is out of range.");
	}
}

void
view_check_domain(const char *model, const char *domain)
{
	uint64		n = view_query("SELECT domain FROM aread.domain"
							   " WHERE pg_catalog.concat(model, '@', version) OPERATOR(pg_catalog.=) $1"
							   " ORDER BY rows DESC, domain COLLATE pg_catalog.\"C\"", model);
	NearestName nearest;

	nearest_start(&nearest, domain);
	for (uint64 row = 0; row < n; row++)
	{
		char	   *name = TextDatumGetCString(catalog_value(row, 1, NULL));

		CHECK_FOR_INTERRUPTS();
		if (strcmp(name, domain) == 0)
			return;
		nearest_offer(&nearest, name);
		pfree(name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" has no domain \"%s\"", model, domain),
			 nearest.name ? errhint("Perhaps you mean the domain \"%s\".", nearest.name) :
			 errhint("The view aread.domain lists the domains of each model.")));
}
