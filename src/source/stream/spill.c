/*
 * spill.c
 *	  A source's rows in a tuplestore.
 */
#include "postgres.h"

#include "source/stream/spill.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/executor.h"
#include "miscadmin.h"

enum
{
	AT_SPLIT_KEY, AT_HASH, AT_DOMAIN, AT_USER, AT_ITEM, AT_LABEL, AT_SHARED, AT_WHOLE,
	N_COLUMNS
};

void
spill_column(TupleDesc descriptor, AttrNumber number, Oid type)
{
	TupleDescInitEntry(descriptor, number, NULL, type, -1, 0);
	TupleDescAttr(descriptor, number - 1)->attstorage = TYPSTORAGE_PLAIN;
	attribute_changed(descriptor, number);
}

void
spill_init(Spill *spill, Oid row_type)
{
	const Oid	types[N_COLUMNS] = {INT8OID, INT8OID, INT4OID, INT4OID, INT4OID, BOOLOID,
	BYTEAOID, row_type};

	spill->descriptor = CreateTemplateTupleDesc(N_COLUMNS);
	for (int i = 0; i < N_COLUMNS; i++)
		spill_column(spill->descriptor, i + 1, types[i]);
	spill->rows = tuplestore_begin_heap(false, false, work_mem);
	spill->slot = MakeSingleTupleTableSlot(spill->descriptor, &TTSOpsMinimalTuple);
}

static Datum
shared_datum(const SpillRow *row)
{
	Size		size = VARHDRSZ + row->n_shared * sizeof(SharedId);
	bytea	   *shared = palloc(size);

	SET_VARSIZE(shared, size);
	memcpy(VARDATA(shared), row->shared, size - VARHDRSZ);
	return PointerGetDatum(shared);
}

void
spill_put(Spill *spill, const SpillRow *row)
{
	Datum		values[N_COLUMNS];
	bool		nulls[N_COLUMNS] = {false};

	values[AT_SPLIT_KEY] = Int64GetDatum(row->split_key);
	values[AT_HASH] = Int64GetDatum((int64) row->hash);
	nulls[AT_HASH] = !row->whole;
	values[AT_DOMAIN] = UInt32GetDatum(row->domain);
	values[AT_USER] = UInt32GetDatum(row->user);
	values[AT_ITEM] = UInt32GetDatum(row->item);
	values[AT_LABEL] = BoolGetDatum(row->label);
	nulls[AT_SHARED] = row->n_shared == 0;
	values[AT_SHARED] = row->n_shared > 0 ? shared_datum(row) : (Datum) 0;
	nulls[AT_WHOLE] = !row->whole;
	values[AT_WHOLE] = PointerGetDatum(row->whole);
	tuplestore_putvalues(spill->rows, spill->descriptor, values, nulls);
}

bool
spill_next(Spill *spill, SpillRow *row)
{
	const Datum *values = spill->slot->tts_values;
	const bool *nulls = spill->slot->tts_isnull;

	CHECK_FOR_INTERRUPTS();
	if (!tuplestore_gettupleslot(spill->rows, true, false, spill->slot))
		return false;
	slot_getallattrs(spill->slot);
	*row = (SpillRow) {
		.split_key = DatumGetInt64(values[AT_SPLIT_KEY]),
		.hash = nulls[AT_HASH] ? 0 : (uint64) DatumGetInt64(values[AT_HASH]),
		.domain = DatumGetUInt32(values[AT_DOMAIN]),
		.user = DatumGetUInt32(values[AT_USER]),
		.item = DatumGetUInt32(values[AT_ITEM]),
		.label = DatumGetBool(values[AT_LABEL])
	};
	if (!nulls[AT_SHARED])
	{
		row->shared = (const SharedId *) VARDATA(DatumGetPointer(values[AT_SHARED]));
		row->n_shared = (VARSIZE(DatumGetPointer(values[AT_SHARED])) - VARHDRSZ) /
			sizeof(SharedId);
	}
	if (!nulls[AT_WHOLE])
		row->whole = (HeapTupleHeader) DatumGetPointer(values[AT_WHOLE]);
	return true;
}

void
spill_rewind(Spill *spill)
{
	tuplestore_rescan(spill->rows);
}

void
spill_end(Spill *spill)
{
	ExecDropSingleTupleTableSlot(spill->slot);
	tuplestore_end(spill->rows);
	spill->rows = NULL;
}
