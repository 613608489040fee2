/*
 * fingerprint.c
 *	  A checksum over a dataset and its vocabularies.
 */
#include "postgres.h"

#include "source/read/fingerprint.h"

#include "miscadmin.h"
#include "port/pg_crc32c.h"

/* Rows between two looks at interrupts. */
#define ROWS_AT_ONCE 65536

/* Numbers of lists depend on the order in which rows came: what counts is their members. */
static pg_crc32c
add_rows(pg_crc32c crc, const Dataset *data, size_t from, size_t to)
{
	int			n_fields = data->shape.n_fields;

	for (size_t row = from; row < to; row++)
		for (int f = 0; f < n_fields; f++)
		{
			const uint32_t *members;
			size_t		n = dataset_members(data, row, f, &members);

			if (data->shape.field_is_list[f])
			{
				CHECK_FOR_INTERRUPTS();
				COMP_CRC32C(crc, &n, sizeof(n));
			}
			COMP_CRC32C(crc, members, n * sizeof(uint32_t));
		}
	COMP_CRC32C(crc, data->labels + from, to - from);
	if (data->weights)
		COMP_CRC32C(crc, data->weights + from, (to - from) * sizeof(float));
	if (data->times && from < data->split_start[SPLIT_VALID])
		COMP_CRC32C(crc, data->times + from,
					(Min(to, data->split_start[SPLIT_VALID]) - from) * sizeof(int64_t));
	return crc;
}

static pg_crc32c
add_spec(pg_crc32c crc, const FeatureSpec *spec)
{
	for (int v = 0; v < spec->n_vocabularies; v++)
	{
		COMP_CRC32C(crc, &spec->vocabularies[v].n_rows, sizeof(uint32));
		COMP_CRC32C(crc, spec->vocabularies[v].bytes, spec->vocabularies[v].size);
		CHECK_FOR_INTERRUPTS();
	}
	for (int f = 0; f < spec->n_features; f++)
		if (spec->features[f].n_edges > 0)
			COMP_CRC32C(crc, spec->features[f].edges,
						spec->features[f].n_edges * sizeof(double));
	return crc;
}

uint32
dataset_fingerprint(const Dataset *data, const FeatureSpec *spec)
{
	size_t		n = data->split_start[3];
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, data->split_start, sizeof(data->split_start));
	for (size_t row = 0; row < n; row += ROWS_AT_ONCE)
	{
		CHECK_FOR_INTERRUPTS();
		crc = add_rows(crc, data, row, Min(row + ROWS_AT_ONCE, n));
	}
	crc = add_spec(crc, spec);
	FIN_CRC32C(crc);
	return crc;
}
