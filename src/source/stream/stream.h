/*
 * stream.h
 *	  A source's training rows, one after the other, with counts of all of
 *	  them: for what needs neither a dataset nor a model.
 *
 * The source is read once, and once before that where its features are to be
 * chosen: by them rows are split and ordered.  Rows are split, and items and
 * domains numbered, as aread_train does it.  What stays in memory are the distinct
 * domains, users and items, and of all features while they are chosen; rows spill
 * to a file at work_mem.
 */
#ifndef AREAD_SOURCE_STREAM_STREAM_H
#define AREAD_SOURCE_STREAM_STREAM_H

#include "engine/sampling/augment.h"
#include "source/source.h"
#include "source/stream/spill.h"

typedef struct SourceStream SourceStream;

/*
 * Read the source and count its training rows, with the caller's rights and
 * snapshot, in the current memory context.  whole_rows: positive rows are kept
 * as they are, and users are told apart, for stream_next(); otherwise there
 * are counts and names only.  Needs roles for domain and item.
 */
extern SourceStream *stream_read(const ColumnRoles *roles, const SourceOptions *options,
								 bool whole_rows, ReadReport *report);
extern const AugmentCounts *stream_counts(const SourceStream *stream);
/*
 * The next training row, valid until the next call; false: that was all.
 * "domain" is a domain's number, "item" and "user" are ids; "whole" is NULL for
 * negative rows and may hold pointers to toasted values.
 */
extern bool stream_next(SourceStream *stream, SpillRow *row);
/* Rows are no longer needed; counts and names stay. */
extern void stream_end_rows(SourceStream *stream);
/* Description of the whole rows, dropped columns included. */
extern TupleDesc stream_descriptor(const SourceStream *stream);

/* Keys of a domain's number and of an item's id as text; of items NULL if they are hashed. */
extern char *stream_domain(const SourceStream *stream, uint32 domain);
extern char *stream_item(const SourceStream *stream, uint32 item);
/* With whole rows: a value of the domain column, the first one read that counts as that domain. */
extern Datum stream_domain_value(const SourceStream *stream, uint32 domain);

#endif							/* AREAD_SOURCE_STREAM_STREAM_H */
