/*
 * fuzz.c
 *	  What the targets share.
 */
#include "fuzz.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
fuzz_wrong(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

const char *fuzz_directory = ".";

void
fuzz_seed(const char *name, const void *bytes, size_t size)
{
	char		path[1024];
	FILE	   *file;

	snprintf(path, sizeof(path), "%s/%s", fuzz_directory, name);
	file = fopen(path, "wb");
	if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
	{
		perror(path);
		exit(1);
	}
}

uint32_t
fuzz_number(FuzzInput *input, int n_bytes)
{
	uint32_t	number = 0;

	for (int i = 0; i < n_bytes && input->left > 0; i++, input->left--)
		number |= (uint32_t) *input->at++ << 8 * i;
	return number;
}

/* Numbers that code tends to be wrong about, as they are stored. */
static uint64_t
telling_number(uint32_t choice)
{
	static const double reals[] = {0, -0.0, 1, -1, 1e300, -1e300, 1e-300, NAN, INFINITY, -INFINITY};
	static const uint64_t numbers[] = {1, 2, 255, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX,
		0x7f8000007f800000, 0x7fc000007fc00000, 0x7f0000007f000000, 0xff000000ff000000};
	size_t		n_reals = sizeof(reals) / sizeof(reals[0]);
	uint64_t	number;

	choice %= n_reals + sizeof(numbers) / sizeof(numbers[0]);
	if (choice >= n_reals)
		return numbers[choice - n_reals];
	memcpy(&number, &reals[choice], sizeof(number));
	return number;
}

static bool
put(const FuzzBlock *block, uint32_t place, uint8_t byte)
{
	uint8_t    *at;
	bool		changed;

	if (block->size == 0)
		return false;
	at = &block->bytes[place % block->size];
	changed = *at != byte;
	*at = byte;
	return changed;
}

bool
fuzz_damage(FuzzInput *input, const FuzzBlock *blocks, int n)
{
	bool		damaged = false;

	while (input->left > 0)
	{
		const FuzzBlock *block = &blocks[fuzz_number(input, 1) % n];
		uint32_t	place = fuzz_number(input, 2);
		uint32_t	length = fuzz_number(input, 1);

		if (length == FUZZ_FILL)
		{
			uint32_t	n = fuzz_number(input, 2);
			uint32_t	word = fuzz_number(input, 4);

			for (uint32_t i = 0; i < 4 * n && i < block->size; i++)
				damaged |= put(block, place / 4 * 4 + i, (uint8_t) (word >> 8 * (i % 4)));
			continue;
		}
		for (uint32_t i = 0; i < 8 && length >= FUZZ_TELLING; i++)
			damaged |= put(block, place / 4 * 4 + i,
						   (uint8_t) (telling_number(length - FUZZ_TELLING) >> 8 * i));
		for (uint32_t i = 0; i < length && length < FUZZ_TELLING && input->left > 0; i++)
			damaged |= put(block, place + i, (uint8_t) fuzz_number(input, 1));
	}
	return damaged;
}

size_t
fuzz_change(uint8_t *input, int block, uint32_t place, const void *bytes, uint8_t length)
{
	input[0] = (uint8_t) block;
	input[1] = (uint8_t) place;
	input[2] = (uint8_t) (place >> 8);
	input[3] = length;
	memcpy(input + 4, bytes, length);
	return 4 + (size_t) length;
}
