/*
 * mask_rows.c
 *	  Stored masks as rows, behind the views aread.mask, aread.mask_overlap,
 *	  aread.expert_usage and aread.mask_history.
 *
 * A view hands over all chunks of a version's masks as one array.  They are put
 * together, checked (catalog/masks.h) and written out as rows.  Each function needs
 * memory for the masks of one version; results go to a tuplestore.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/chunk.h"
#include "catalog/chunks.h"
#include "catalog/masks.h"
#include "catalog/pg_type.h"
#include "corrupt.h"
#include "engine/model/gates.h"
#include "engine/model/mask.h"
#include "engine/train/train.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "options.h"
#include "utils/array.h"
#include "utils/memutils.h"

/* Masks out of the array of their chunks; false: the model has none. */
static bool
read_chunks(ArrayType *array, StoredMasks *masks)
{
	Datum	   *chunks;
	bool	   *nulls;
	int			n;
	char	   *bytes;
	Size		size = 0;

	deconstruct_array(array, BYTEAOID, -1, false, TYPALIGN_INT, &chunks, &nulls, &n);
	if (n == 0)
		return false;
	bytes = MemoryContextAllocHuge(CurrentMemoryContext, (Size) n * CHUNK_SIZE);
	for (int i = 0; i < n; i++)
	{
		Size		length;
		const char *payload;

		if (nulls[i])
			stored_corrupt("mask", "A chunk is NULL.");
		payload = chunk_open(DatumGetByteaPP(chunks[i]), &length, "mask");
		if (length > CHUNK_SIZE)
			stored_corrupt("mask", "A chunk is longer than it should be.");
		memcpy(bytes + size, payload, length);
		size += length;
	}
	masks_read(masks, bytes, size);
	return true;
}

/*
 * Begin the rows of a function whose first argument are chunks of masks; without
 * chunks there are no domains.
 */
static ReturnSetInfo *
start_rows(FunctionCallInfo fcinfo, StoredMasks *masks)
{
	InitMaterializedSRF(fcinfo, 0);
	if (!read_chunks(PG_GETARG_ARRAYTYPE_P(0), masks))
		*masks = (StoredMasks) {0};
	return (ReturnSetInfo *) fcinfo->resultinfo;
}

/* A domain without a mask has all gates open. */
static bool
is_open(const StoredMasks *masks, uint32 domain, int gate)
{
	return !masks->has_mask[domain] ||
		masks->masks[(Size) domain * masks->n_gates + gate] != 0;
}

static void
put_gates(ReturnSetInfo *rsinfo, const StoredMasks *masks, uint32 domain)
{
	const IntList *experts = &masks->experts;
	int			gate = 0;

	for (int layer = 2; layer <= experts->n; layer++)
		for (int lower = 1; lower <= experts->value[layer - 2]; lower++)
			for (int upper = 1; upper <= experts->value[layer - 1]; upper++, gate++)
			{
				Datum		values[6];
				bool		nulls[6] = {false};

				values[0] = Int32GetDatum((int32) domain);
				values[1] = Int32GetDatum(layer);
				values[2] = Int32GetDatum(lower);
				values[3] = Int32GetDatum(upper);
				values[4] = BoolGetDatum(is_open(masks, domain, gate));
				values[5] = Float4GetDatum(masks_gate(masks, domain, gate));
				tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
			}
}

PG_FUNCTION_INFO_V1(aread_mask_gates);
/* aread.mask_gates(chunks): domain, layer, lower expert, upper expert, open, gate */
Datum
aread_mask_gates(PG_FUNCTION_ARGS)
{
	StoredMasks masks;
	ReturnSetInfo *rsinfo = start_rows(fcinfo, &masks);

	for (uint32 d = 0; d < masks.n_domains; d++)
	{
		CHECK_FOR_INTERRUPTS();
		put_gates(rsinfo, &masks, d);
	}
	return (Datum) 0;
}

/* All masks as bytes, those of domains without a mask all open. */
static uint8 *
open_gates(const StoredMasks *masks)
{
	uint8	   *gates = MemoryContextAllocHuge(CurrentMemoryContext,
											   (Size) masks->n_domains * masks->n_gates + 1);

	for (uint32 d = 0; d < masks->n_domains; d++)
		for (int g = 0; g < masks->n_gates; g++)
			gates[(Size) d * masks->n_gates + g] = is_open(masks, d, g);
	return gates;
}

static void
put_overlaps(ReturnSetInfo *rsinfo, const StoredMasks *masks, const uint8 *gates, uint32 a,
			 uint32 b)
{
	int			n_layers = masks->experts.n;

	/* layer 1 of the loop stands for all layers together */
	for (int layer = 1; layer <= n_layers; layer++)
	{
		const uint8 *gates_a = gates + (Size) a * masks->n_gates;
		const uint8 *gates_b = gates + (Size) b * masks->n_gates;
		int			which = layer == 1 ? 0 : layer;
		double		overlap = mask_overlap(&masks->experts, gates_a, gates_b, which);
		double		by_chance = mask_chance_overlap(&masks->experts, gates_a, gates_b, which);
		Datum		values[5];
		bool		nulls[5] = {false};

		values[0] = Int32GetDatum((int32) a);
		values[1] = Int32GetDatum((int32) b);
		values[2] = Int32GetDatum(layer);
		nulls[2] = layer == 1;
		values[3] = Float8GetDatum(overlap);
		nulls[3] = isnan(overlap);
		values[4] = Float8GetDatum(by_chance);
		nulls[4] = isnan(by_chance);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

PG_FUNCTION_INFO_V1(aread_mask_overlaps);
/* aread.mask_overlaps(chunks): domain_a < domain_b, layer (NULL: all), overlap, by chance */
Datum
aread_mask_overlaps(PG_FUNCTION_ARGS)
{
	StoredMasks masks;
	ReturnSetInfo *rsinfo = start_rows(fcinfo, &masks);
	uint8	   *gates = open_gates(&masks);

	for (uint32 a = 0; a < masks.n_domains; a++)
		for (uint32 b = a + 1; b < masks.n_domains; b++)
		{
			CHECK_FOR_INTERRUPTS();
			put_overlaps(rsinfo, &masks, gates, a, b);
		}
	return (Datum) 0;
}

/* Open gates into (or out of) an expert; -1 where it has none on that side. */
static int
count_open(const StoredMasks *masks, const uint8 *mask, int layer, int expert, bool inputs)
{
	const IntList *experts = &masks->experts;
	int			upper_layer = inputs ? layer : layer + 1;
	int			n = 0;

	if (upper_layer < 2 || upper_layer > experts->n)
		return -1;
	for (int lower = 0; lower < experts->value[upper_layer - 2]; lower++)
		for (int upper = 0; upper < experts->value[upper_layer - 1]; upper++)
			if ((inputs ? upper : lower) == expert)
				n += mask[gate_at(experts, upper_layer, lower, upper)];
	return n;
}

/* Do scores go by the domain's mask?  Otherwise gates that it closes weigh something. */
static bool
scores_masked(const StoredMasks *masks, const uint8 *mask, uint32 domain)
{
	for (int g = 0; g < masks->n_gates; g++)
		if (!mask[g] && masks_gate(masks, domain, g) != 0)
			return false;
	return true;
}

static void
put_experts(ReturnSetInfo *rsinfo, const StoredMasks *masks, const uint8 *mask, uint32 domain)
{
	const IntList *experts = &masks->experts;
	real	   *gates = palloc(Max(masks->n_gates, 1) * sizeof(real));
	double	   *flow = palloc(experts_total(experts) * sizeof(double));
	int			at = 0;

	for (int g = 0; g < masks->n_gates; g++)
		gates[g] = masks_gate(masks, domain, g);
	mask_flow(experts, gates, scores_masked(masks, mask, domain) ? mask : NULL, flow);
	for (int layer = 1; layer <= experts->n; layer++)
		for (int expert = 0; expert < experts->value[layer - 1]; expert++, at++)
		{
			int			inputs = count_open(masks, mask, layer, expert, true);
			int			outputs = count_open(masks, mask, layer, expert, false);
			Datum		values[7];
			bool		nulls[7] = {false};

			values[0] = Int32GetDatum((int32) domain);
			values[1] = Int32GetDatum(layer);
			values[2] = Int32GetDatum(expert + 1);
			values[3] = BoolGetDatum(inputs != 0 && outputs != 0);
			values[4] = Int32GetDatum(inputs);
			nulls[4] = inputs < 0;
			values[5] = Int32GetDatum(outputs);
			nulls[5] = outputs < 0;
			values[6] = Float8GetDatum(flow[at]);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
	pfree(gates);
	pfree(flow);
}

PG_FUNCTION_INFO_V1(aread_mask_experts);
/* aread.mask_experts(chunks): domain, layer, expert, used, inputs, outputs, flow */
Datum
aread_mask_experts(PG_FUNCTION_ARGS)
{
	StoredMasks masks;
	ReturnSetInfo *rsinfo = start_rows(fcinfo, &masks);
	uint8	   *gates = open_gates(&masks);

	for (uint32 d = 0; d < masks.n_domains; d++)
	{
		CHECK_FOR_INTERRUPTS();
		put_experts(rsinfo, &masks, gates + (Size) d * masks.n_gates, d);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(aread_mask_fates);
/* aread.mask_fates(config, gates): layer, lower expert, upper expert, open, open at start, closed in step */
Datum
aread_mask_fates(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	const int16 *fate = (const int16 *) ARR_DATA_PTR(array);
	Config		config;

	InitMaterializedSRF(fcinfo, 0);
	options_parse_stored(PG_GETARG_JSONB_P(0), &config);
	if (ARR_NDIM(array) != 1 || array_contains_nulls(array) ||
		ARR_DIMS(array)[0] != gates_total(&config.hei_experts))
		stored_corrupt("mask update", "It does not fit the model.");
	for (int layer = 2; layer <= config.hei_experts.n; layer++)
		for (int lower = 1; lower <= config.hei_experts.value[layer - 2]; lower++)
			for (int upper = 1; upper <= config.hei_experts.value[layer - 1]; upper++, fate++)
			{
				Datum		values[6];
				bool		nulls[6] = {false};

				values[0] = Int32GetDatum(layer);
				values[1] = Int32GetDatum(lower);
				values[2] = Int32GetDatum(upper);
				values[3] = BoolGetDatum(*fate == GATE_OPEN);
				values[4] = BoolGetDatum(*fate != GATE_NOT_TRIED);
				values[5] = Int32GetDatum(*fate);
				nulls[5] = *fate <= GATE_OPEN;
				tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
			}
	return (Datum) 0;
}
