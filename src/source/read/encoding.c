/*
 * encoding.c
 *	  Rows encoded by the vocabularies of a trained model.
 */
#include "postgres.h"

#include "source/read/encoding.h"

#include "miscadmin.h"
#include "source/crosses.h"

void
encoding_add(Encoding *encoding, const Datum *values, const bool *nulls)
{
	Collector  *rows = &encoding->rows;
	Size		size = rows->spec->n_features * sizeof(uint32);
	uint32	   *row;

	row_encoder_read(&encoding->encoder, values, nulls);
	row = spool_reserve(&rows->result.ids, size);
	for (int f = 0; f < rows->spec->n_columns; f++)
	{
		const uint32 *ids;
		int			n = row_encoder_ids(&encoding->encoder, f, &ids);

		row[f] = kind_has_list(rows->spec->features[f].kind) ?
			collect_list(rows, ids, n) : ids[0];
	}
	derived_encode(rows->spec, row);
	spool_advance(&rows->result.ids, size);
}

uint64
hash_by_split(int split, uint64 number)
{
	/* an odd factor: no two numbers below 2^62 have one product */
	uint64		order = (number * UINT64CONST(0x9e3779b97f4a7c15)) & PG_UINT64_MAX >> 2;

	return (uint64) split << 62 | order;
}

int
split_of_hash(uint64 hash)
{
	return (int) (hash >> 62);
}

void
encoding_add_labeled(void *context, const Datum *values, const bool *nulls)
{
	Encoding   *encoding = context;
	Collector  *rows = &encoding->rows;
	int			filter_at = encoding->label_position + (rows->label_at >= 0);
	LabelState	state = LABEL_GOOD;

	CHECK_FOR_INTERRUPTS();
	collector_reserve(rows);
	rows->report->rows_read++;
	rows->labels[rows->n_rows] = 1;
	if (rows->label_at >= 0)
		state = label_read(&rows->label, values[encoding->label_position],
						   nulls[encoding->label_position], &rows->labels[rows->n_rows]);
	if (state != LABEL_GOOD)
	{
		if (state == LABEL_NULL)
			rows->report->null_labels++;
		else
			rows->report->bad_labels++;
		return;
	}
	if (encoding->filter && !splitter_passes(encoding->filter, values + filter_at, nulls + filter_at))
		return;
	if (encoding->by_split && encoding->filter && encoding->filter->latest < 0)
		return;
	encoding_add(encoding, values, nulls);
	rows->result.hashes[rows->n_rows] = !encoding->by_split ? rows->n_rows :
		hash_by_split(encoding->filter ? encoding->filter->latest : SPLIT_TRAIN, rows->n_rows);
	rows->n_rows++;
}
