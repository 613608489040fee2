/*
 * checksums.c
 *	  What a stored model is checked by as a whole.
 */
#include "postgres.h"

#include "catalog/checksums.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_crc32c.h"

/* Bytes between two looks at interrupts. */
#define CRC_AT_ONCE ((Size) 512 * 1024)

static void
add_crc(pg_crc32c *crc, const void *data, Size size)
{
	const char *bytes = data;

	for (Size at = 0; at < size; at += CRC_AT_ONCE)
	{
		COMP_CRC32C(*crc, bytes + at, Min(size - at, CRC_AT_ONCE));
		CHECK_FOR_INTERRUPTS();
	}
}

uint32
catalog_model_crc(const Model *model)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	add_crc(&crc, model->params, model->n_params * sizeof(real));
	for (int f = 0; f < model->shape.n_fields; f++)
	{
		const DomainPairs *pairs = &model->pairs[f];

		if (pairs->n_pairs == 0)
			continue;
		add_crc(&crc, pairs->start, ((Size) pairs->n_values + 1) * sizeof(uint32));
		add_crc(&crc, pairs->domain, (Size) pairs->n_pairs * sizeof(uint32));
	}
	add_crc(&crc, model->has_mask, model->n_domains);
	add_crc(&crc, model->masks, (Size) model->n_domains * model->n_gates);
	if (model->trees)
		add_crc(&crc, model->trees->bytes, model->trees->n_bytes);
	for (EntityKind kind = ENTITY_HISTORIES; kind < N_ENTITY_KINDS; kind++)
	{
		const EntityTable *table = model_entities(model, kind);

		if (table)
			add_crc(&crc, table->bytes, table->n_bytes);
	}
	FIN_CRC32C(crc);
	return crc;
}

uint32
catalog_entities_crc(const Model *model)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	if (model->items)
		add_crc(&crc, model->items->bytes, model->items->n_bytes);
	if (model->users)
		add_crc(&crc, model->users->bytes, model->users->n_bytes);
	FIN_CRC32C(crc);
	return crc;
}

static void
add_number(pg_crc32c *crc, int64 number)
{
	add_crc(crc, &number, sizeof(number));
}

/* With its end, so that it does not run into the next one. */
static void
add_string(pg_crc32c *crc, const char *string)
{
	char	   *bytes = pg_server_to_any(string, strlen(string), PG_UTF8);

	add_crc(crc, bytes, strlen(bytes) + 1);
}

static void
add_feature(pg_crc32c *crc, const Feature *feature)
{
	add_string(crc, feature->name);
	add_string(crc, feature->type_name);
	add_number(crc, feature->kind);
	add_number(crc, feature->vocabulary);
	add_number(crc, feature->min_count);
	if (feature->kind == FEATURE_ROWS)
		add_number(crc, feature->counted);
	if (kind_has_keys(feature->kind))
		return;
	add_number(crc, feature->n_edges);
	add_crc(crc, feature->edges, feature->n_edges * sizeof(double));
}

uint32
catalog_description_crc(const FeatureSpec *spec, const Jsonb *config)
{
	bool		has_threshold = !isnan(spec->label_threshold);
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	add_number(&crc, spec->n_features);
	for (int f = 0; f < spec->n_features; f++)
		add_feature(&crc, &spec->features[f]);
	for (int v = 0; v < spec->n_vocabularies; v++)
	{
		add_number(&crc, (int64) spec->vocabularies[v].size);
		add_crc(&crc, spec->vocabularies[v].bytes, spec->vocabularies[v].size);
	}
	add_number(&crc, spec->domain_feature);
	add_number(&crc, spec->user_feature);
	add_number(&crc, spec->item_feature);
	add_string(&crc, spec->label ? spec->label : "");
	add_number(&crc, has_threshold);
	if (has_threshold)
		add_crc(&crc, &spec->label_threshold, sizeof(double));
	add_string(&crc, JsonbToCString(NULL, (JsonbContainer *) &config->root, VARSIZE(config)));
	FIN_CRC32C(crc);
	return crc;
}
