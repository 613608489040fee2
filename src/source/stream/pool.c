/*
 * pool.c
 *	  The rows that may be drawn, sorted by content, and two passes over them.
 *
 * The order is that of a dataset: by the hash of the row's features.  Rows
 * alike in these may differ in other columns, so that a hash of the whole row
 * comes next.
 */
#include "postgres.h"

#include "source/stream/pool.h"

#include "catalog/pg_operator_d.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "engine/sampling/augment_draw.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "host.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/tuplesort.h"

enum
{
	AT_HASH, AT_WHOLE_HASH, AT_USER, AT_ITEM, AT_WHOLE,
	N_COLUMNS
};

typedef struct Pool
{
	SourceStream *stream;
	const AugmentPlan *plan;
	Rejections	rejections;
	Draw		draw;
	TupleDesc	descriptor;
	Tuplesortstate *rows;
	TupleTableSlot *in;
	TupleTableSlot *out;
	/* a whole row taken apart */
	Datum	   *values;			/* [natts] */
	bool	   *nulls;
} Pool;

static void
pool_init(Pool *pool, SourceStream *stream, const AugmentPlan *plan)
{
	TupleDesc	whole = stream_descriptor(stream);
	const Oid	types[N_COLUMNS] = {INT8OID, INT8OID, INT4OID, INT4OID, whole->tdtypeid};
	AttrNumber	keys[] = {AT_HASH + 1, AT_WHOLE_HASH + 1};
	Oid			operators[] = {Int8LessOperator, Int8LessOperator};
	Oid			collations[] = {InvalidOid, InvalidOid};
	bool		nulls_first[] = {false, false};

	pool->stream = stream;
	pool->plan = plan;
	pool->descriptor = CreateTemplateTupleDesc(N_COLUMNS);
	for (int i = 0; i < N_COLUMNS; i++)
		spill_column(pool->descriptor, i + 1, types[i]);
	pool->rows = tuplesort_begin_heap(pool->descriptor, lengthof(keys), keys, operators,
									  collations, nulls_first, work_mem, NULL,
									  TUPLESORT_RANDOMACCESS);
	pool->in = MakeSingleTupleTableSlot(pool->descriptor, &TTSOpsVirtual);
	pool->out = MakeSingleTupleTableSlot(pool->descriptor, &TTSOpsMinimalTuple);
	pool->values = palloc(whole->natts * sizeof(Datum));
	pool->nulls = palloc(whole->natts * sizeof(bool));
}

static void
pool_end(Pool *pool)
{
	rejections_free(&pool->rejections);
	ExecDropSingleTupleTableSlot(pool->in);
	ExecDropSingleTupleTableSlot(pool->out);
	tuplesort_end(pool->rows);
}

/* Of the values' bytes, however they are stored. */
static uint64
whole_hash(Pool *pool, HeapTupleHeader whole)
{
	TupleDesc	descriptor = stream_descriptor(pool->stream);
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(whole),.t_data = whole};
	uint64		hash = 0;

	heap_deform_tuple(&tuple, descriptor, pool->values, pool->nulls);
	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);

		if (attribute->attisdropped)
			continue;
		hash = hash_combine64(hash, pool->nulls[i] ? PG_UINT32_MAX + UINT64CONST(1) :
							  datum_image_hash(pool->values[i], attribute->attbyval,
											   attribute->attlen));
	}
	return hash;
}

/* Toasted values are fetched: the source may be changed while the result is in use. */
static void
put_row(Pool *pool, const SpillRow *row)
{
	Datum	   *values = pool->in->tts_values;

	ExecClearTuple(pool->in);
	memset(pool->in->tts_isnull, false, N_COLUMNS * sizeof(bool));
	/* an unsigned number as a signed one that sorts alike */
	values[AT_HASH] = Int64GetDatum((int64) (row->hash ^ (UINT64CONST(1) << 63)));
	values[AT_WHOLE_HASH] = Int64GetDatum((int64) whole_hash(pool, row->whole));
	values[AT_USER] = UInt32GetDatum(row->user);
	values[AT_ITEM] = UInt32GetDatum(row->item);
	values[AT_WHOLE] = HeapTupleHeaderGetDatum(row->whole);
	ExecStoreVirtualTuple(pool->in);
	tuplesort_puttupleslot(pool->rows, pool->in);
}

/* Out of all training rows: those to draw from, and who rejects what. */
static void
fill_pool(Pool *pool)
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "aread pool row",
													  ALLOCSET_DEFAULT_SIZES);
	EngineError error;
	SpillRow	row;

	while (stream_next(pool->stream, &row))
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);

		if (augment_is_drawable(pool->plan, row.domain, row.item, row.label))
			put_row(pool, &row);
		else if (augment_is_rejection(pool->plan, row.domain, row.item, row.label) &&
				 !rejections_add(&pool->rejections, row.user, row.item, row.domain, &error))
			host_raise(&error);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
	}
	MemoryContextDelete(row_context);
	stream_end_rows(pool->stream);
	tuplesort_performsort(pool->rows);
}

/* One pass; function NULL: the first. */
static void
run_pass(Pool *pool, DrawnRow function, void *context)
{
	while (tuplesort_gettupleslot(pool->rows, true, false, pool->out, NULL))
	{
		const Datum *values = pool->out->tts_values;
		uint32		domain;

		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(pool->out);
		draw_row(&pool->draw, DatumGetUInt32(values[AT_USER]), DatumGetUInt32(values[AT_ITEM]));
		while (function && draw_take(&pool->draw, &domain))
		{
			CHECK_FOR_INTERRUPTS();
			function(context, domain, (HeapTupleHeader) DatumGetPointer(values[AT_WHOLE]));
		}
	}
}

void
pool_draw(SourceStream *stream, const Config *config, const AugmentPlan *plan,
		  DrawnRow function, void *context)
{
	EngineError error;
	Arena		arena;
	Pool		pool;

	host_arena(&arena, CurrentMemoryContext);
	pool_init(&pool, stream, plan);
	if (!rejections_init(&pool.rejections, &arena, &error))
		host_raise(&error);
	fill_pool(&pool);
	if (!draw_init(&pool.draw, &arena, config, plan, &pool.rejections, &error))
		host_raise(&error);
	run_pass(&pool, NULL, NULL);
	draw_begin(&pool.draw);
	tuplesort_rescan(pool.rows);
	run_pass(&pool, function, context);
	pool_end(&pool);
	arena_free_all(&arena);
}
