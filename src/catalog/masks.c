/*
 * masks.c
 *	  The stored form of masks: D, L, N_1 .. N_L as uint32, then has_mask [D],
 *	  masks [D, G], gates [D, G] as float4.
 */
#include "postgres.h"

#include "catalog/masks.h"

#include "corrupt.h"
#include "engine/model/gates.h"
#include "engine/model/mask.h"

char *
masks_write(const Model *model, const Scorer *scorer, Size *size)
{
	uint32		n_layers = model->config.hei_experts.n;
	Size		n_masks = (Size) model->n_domains * model->n_gates;
	char	   *bytes;
	char	   *at;

	*size = (2 + n_layers) * sizeof(uint32) + model->n_domains + n_masks +
		n_masks * sizeof(float4);
	bytes = at = MemoryContextAllocHuge(CurrentMemoryContext, *size);
	memcpy(at, &model->n_domains, sizeof(uint32));
	memcpy(at + sizeof(uint32), &n_layers, sizeof(uint32));
	memcpy(at + 2 * sizeof(uint32), model->config.hei_experts.value, n_layers * sizeof(uint32));
	at += (2 + n_layers) * sizeof(uint32);
	memcpy(at, model->has_mask, model->n_domains);
	at += model->n_domains;
	memcpy(at, model->masks, n_masks);
	at += n_masks;
	for (uint32 d = 0; d < model->n_domains; d++)
		for (int g = 0; g < model->n_gates; g++, at += sizeof(float4))
			memcpy(at, &scorer_gates(scorer, d)[g], sizeof(float4));
	return bytes;
}

void
masks_read(StoredMasks *masks, const char *bytes, Size size)
{
	uint32		n_layers;
	uint64		n_masks;

	memset(masks, 0, sizeof(*masks));
	if (size < 2 * sizeof(uint32))
		stored_corrupt("mask", "It is shorter than its header.");
	memcpy(&masks->n_domains, bytes, sizeof(uint32));
	memcpy(&n_layers, bytes + sizeof(uint32), sizeof(uint32));
	if (n_layers < 1 || n_layers > MAX_LAYERS || size < (2 + n_layers) * sizeof(uint32))
		stored_corrupt("mask", "Its number of layers is out of range.");
	masks->experts.n = n_layers;
	memcpy(masks->experts.value, bytes + 2 * sizeof(uint32), n_layers * sizeof(uint32));
	for (uint32 l = 0; l < n_layers; l++)
		if (masks->experts.value[l] < 1 || masks->experts.value[l] > MAX_EXPERTS)
			stored_corrupt("mask", "A layer's number of experts is out of range.");
	masks->n_gates = gates_total(&masks->experts);
	n_masks = (uint64) masks->n_domains * masks->n_gates;
	if (size != (2 + n_layers) * sizeof(uint32) + masks->n_domains + n_masks * 5)
		stored_corrupt("mask", "Its length does not fit its header.");
	masks->has_mask = (const uint8 *) bytes + (2 + n_layers) * sizeof(uint32);
	masks->masks = masks->has_mask + masks->n_domains;
	masks->gates = (const char *) masks->masks + n_masks;
	if (!are_bits(masks->has_mask, masks->n_domains) ||
		!masks_are_valid(&masks->experts, masks->masks, masks->has_mask, masks->n_domains))
		stored_corrupt("mask", "A domain's mask is not valid.");
}

float4
masks_gate(const StoredMasks *masks, uint32 domain, int gate)
{
	float4		weight;

	memcpy(&weight, masks->gates + ((Size) domain * masks->n_gates + gate) * sizeof(float4),
		   sizeof(float4));
	return weight;
}
