/*
 * read_report.h
 *	  What became of a source's rows, in numbers.
 */
#ifndef AREAD_SOURCE_READ_READ_REPORT_H
#define AREAD_SOURCE_READ_READ_REPORT_H

#include "source/spec.h"

/* Rows that were left out, for whatever reason. */
extern uint64 report_skipped(const ReadReport *report);
/* A NOTICE of them, if there are any. */
extern void report_tell_skipped(const ReadReport *report);

#endif							/* AREAD_SOURCE_READ_READ_REPORT_H */
