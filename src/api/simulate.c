/*
 * simulate.c
 *	  aread_simulate(): interactions with planted groups of domains.
 */
#include "postgres.h"

#include "engine/data/simulate.h"

#include "fmgr.h"
#include "funcapi.h"
#include "host.h"
#include "miscadmin.h"
#include "utils/builtins.h"

static void
put_row(ReturnSetInfo *rsinfo, const SimulatedRow *row)
{
	Datum		values[10];
	bool		nulls[10] = {false};

	values[0] = Int32GetDatum(row->label);
	values[1] = CStringGetTextDatum(psprintf("domain_%02d", row->domain));
	values[2] = Int32GetDatum(row->user);
	values[3] = Int32GetDatum(row->item);
	values[4] = Int32GetDatum(row->age_band);
	values[5] = Int32GetDatum(row->category);
	values[6] = Float8GetDatum(row->price);
	values[7] = Int64GetDatum((int64) row->sequence);
	values[8] = Int32GetDatum(row->group);
	values[9] = Float8GetDatum(row->probability);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(aread_simulate);
/* aread_simulate(rows, domains, groups, users, items, skew, strength, positive_rate, seed) */
Datum
aread_simulate(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SimulateConfig config = {
		.rows = (uint64) Max(PG_GETARG_INT64(0), 0),
		.domains = PG_GETARG_INT32(1),
		.groups = PG_GETARG_INT32(2),
		.users = PG_GETARG_INT32(3),
		.items = PG_GETARG_INT32(4),
		.skew = PG_GETARG_FLOAT8(5),
		.strength = PG_GETARG_FLOAT8(6),
		.positive_rate = PG_GETARG_FLOAT8(7),
		.seed = (uint64) PG_GETARG_INT64(8)
	};
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "aread simulated row",
													  ALLOCSET_SMALL_SIZES);
	EngineHost	host = host_callbacks();
	Simulation *simulation;
	EngineError error;
	Arena		arena;

	host_arena(&arena, CurrentMemoryContext);
	simulation = simulate_begin(&arena, &config, &host, &error);
	if (!simulation)
		host_raise(&error);
	InitMaterializedSRF(fcinfo, 0);
	for (uint64 i = 0; i < config.rows; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);
		SimulatedRow row;

		CHECK_FOR_INTERRUPTS();
		simulate_row(simulation, i, &row);
		put_row(rsinfo, &row);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
	}
	arena_free_all(&arena);
	MemoryContextDelete(row_context);
	return (Datum) 0;
}
