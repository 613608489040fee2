/*
 * encoding.c
 *	  Rows encoded by the vocabularies of a trained model.
 */
#include "postgres.h"

#include "source/read/encoding.h"

#include "miscadmin.h"
#include "source/row_counts.h"

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
	row_counts_encode(rows->spec, row);
	spool_advance(&rows->result.ids, size);
}

void
encoding_add_labeled(void *context, const Datum *values, const bool *nulls)
{
	Encoding   *encoding = context;
	Collector  *rows = &encoding->rows;
	LabelState	state;

	CHECK_FOR_INTERRUPTS();
	collector_reserve(rows);
	rows->report->rows_read++;
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
	if (encoding->filter && !splitter_passes(encoding->filter, values + encoding->label_position + 1,
											 nulls + encoding->label_position + 1))
		return;
	encoding_add(encoding, values, nulls);
	rows->result.hashes[rows->n_rows] = rows->n_rows;
	rows->n_rows++;
}
