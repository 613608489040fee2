/*
 * encoding.c
 *	  From a relation to a dataset by the vocabularies of a trained model, for its evaluation.
 */
#include "postgres.h"

#include "source/encoding.h"

#include "host.h"
#include "miscadmin.h"
#include "source/read/collect_place.h"
#include "source/read/reader.h"
#include "source/row_counts.h"
#include "source/read/splitter.h"
#include "utils/memutils.h"

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
	rowcount_encode(rows->spec, row);
	spool_advance(&rows->result.ids, size);
}

/* Is the row one to evaluate? */
static bool
passes(SplitFilter *filter, const Datum *values, const bool *nulls)
{
	int			split = splitter_split(filter->splitter, values, nulls);

	if (split >= 0)
		filter->rows[split]++;
	return filter->wanted < 0 || split == filter->wanted;
}

static void
encode_row(void *context, const Datum *values, const bool *nulls)
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
	if (encoding->filter && !passes(encoding->filter, values + encoding->label_position + 1,
									nulls + encoding->label_position + 1))
		return;
	encoding_add(encoding, values, nulls);
	rows->result.hashes[rows->n_rows] = rows->n_rows;
	rows->n_rows++;
}

Dataset *
source_read_as(const SourceRelation *relation, const FeatureSpec *spec, const char *label,
			   const SourceOptions *options, SplitFilter *filter, MemoryContext context,
			   SpoolRoom *room, ReadReport *report)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	ColumnRoles roles = {.relation = relation,.label = (char *) label,
	.domain = spec->features[spec->domain_feature].name};
	Encoding	encoding;
	Dataset    *data;
	List	   *columns;
	double		start = host_seconds();

	memset(report, 0, sizeof(*report));
	source_check_roles(&roles);
	collector_init(&encoding.rows, &roles, options, (FeatureSpec *) spec, NULL, room, NULL, report);
	columns = row_encoder_init(&encoding.encoder, relation, spec);
	encoding.label_position = list_length(columns);
	columns = lappend(columns, (char *) label);
	encoding.filter = filter;
	if (filter)
		columns = list_concat(columns, filter->columns);
	reader_run(relation, columns, READ_LATEST, encode_row, &encoding);
	label_check_coding(&encoding.rows.label);
	encoding.rows.splits = MemoryContextAllocHuge(context, encoding.rows.n_rows + 1);
	memset(encoding.rows.splits, SPLIT_TEST, encoding.rows.n_rows);
	data = collector_place(&encoding.rows, NULL);
	report->seconds = host_seconds() - start;
	MemoryContextSwitchTo(old);
	return data;
}
