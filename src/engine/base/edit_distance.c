/*
 * edit_distance.c
 *	  Levenshtein's distance, row by row of its table, in one array.
 */
#include "engine/base/edit_distance.h"

#include <string.h>

int
edit_distance(const char *a, const char *b)
{
	int			row[64];
	int			n = (int) strlen(b);

	if (n >= 64 || strlen(a) >= 64)
		return 64;
	for (int j = 0; j <= n; j++)
		row[j] = j;
	for (int i = 1; a[i - 1]; i++)
	{
		int			diagonal = row[0];

		row[0] = i;
		for (int j = 1; j <= n; j++)
		{
			int			best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}
