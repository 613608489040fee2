/*
 * seeds.c
 *	  Writes a target's inputs to start from into a directory.
 */
#include <stdio.h>

#include "fuzz.h"

int
main(int argc, char **argv)
{
	if (argc != 2)
	{
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 1;
	}
	fuzz_directory = argv[1];
	fuzz_seeds();
	return 0;
}
