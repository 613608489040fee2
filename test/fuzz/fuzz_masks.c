/*
 * fuzz_masks.c
 *	  Stored masks: refused, or every gate is within bounds and every mask valid.
 */
#include "server.h"

#include "catalog/masks.h"
#include "engine/model/mask.h"
#include "fuzz.h"

static StoredMasks masks;
static char *stored;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	stored = palloc(Max(size, 1));
	memcpy(stored, data, size);
	if (SERVER_TRY(masks_read(&masks, stored, size)))
	{
		float4		sum = 0;

		for (uint32 d = 0; d < masks.n_domains; d++)
		{
			FUZZ_ASSERT(masks.has_mask[d] <= 1);
			for (int g = 0; g < masks.n_gates; g++)
			{
				FUZZ_ASSERT(masks.masks[(Size) d * masks.n_gates + g] <= 1);
				sum += masks_gate(&masks, d, g);
			}
			FUZZ_ASSERT(!masks.has_mask[d] ||
						mask_is_valid(&masks.experts, masks.masks + (Size) d * masks.n_gates));
		}
		(void) sum;
	}
	else
		FUZZ_ASSERT(server_sqlstate == ERRCODE_DATA_CORRUPTED);
	server_forget();
	return 0;
}

/* D, L, N_l, then flags and masks that are all 1, gates that are 0. */
static void
seed(const char *name, uint32 n_domains, uint32 n_layers, const uint32 *experts)
{
	uint8		bytes[4096] = {0};
	Size		n_gates = 0;
	Size		at = (2 + n_layers) * sizeof(uint32);

	memcpy(bytes, &n_domains, sizeof(uint32));
	memcpy(bytes + sizeof(uint32), &n_layers, sizeof(uint32));
	memcpy(bytes + 2 * sizeof(uint32), experts, n_layers * sizeof(uint32));
	for (uint32 l = 1; l < n_layers; l++)
		n_gates += experts[l - 1] * experts[l];
	memset(bytes + at, 1, n_domains * (1 + n_gates));
	fuzz_seed(name, bytes, at + n_domains * (1 + n_gates * (1 + sizeof(float4))));
}

void
fuzz_seeds(void)
{
	seed("one_layer", 3, 1, (uint32[]) {4});
	seed("two_layers", 2, 2, (uint32[]) {2, 3});
	seed("three_layers", 4, 3, (uint32[]) {2, 3, 4});
	seed("no_domain", 0, 3, (uint32[]) {2, 3, 4});
	seed("eight_layers", 1, 8, (uint32[]) {1, 2, 1, 2, 1, 2, 1, 2});
}
