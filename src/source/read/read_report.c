/*
 * read_report.c
 *	  What became of a source's rows, in numbers.
 */
#include "postgres.h"

#include "source/read/read_report.h"

uint64
report_skipped(const ReadReport *report)
{
	return report->null_labels + report->bad_labels + report->null_domains +
		report->null_splits + report->no_negatives;
}

void
report_tell_skipped(const ReadReport *report)
{
	if (report_skipped(report) > 0)
		ereport(NOTICE,
				(errmsg("skipped " UINT64_FORMAT " of " UINT64_FORMAT " rows",
						report_skipped(report), report->rows_read),
				 errdetail("No label: " UINT64_FORMAT ", label neither 0 nor 1: " UINT64_FORMAT
						   ", no domain: " UINT64_FORMAT ", no split: " UINT64_FORMAT ".",
						   report->null_labels, report->bad_labels, report->null_domains,
						   report->null_splits)));
}
