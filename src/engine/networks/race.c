/*
 * race.c
 *	  Architectures that are none: training chooses a network (train/race.h).
 *
 * HEI takes more time, and gains by it where features interact in domains.  Where they do
 * not MMoE has less to learn by heart.  Where lists are to be ranked a factorization machine
 * with histories is often the best, in a fraction of their time.
 */
#include "engine/networks/architecture.h"

const Architecture architecture_auto = {
	.name = "auto",
	.meaning = "mmoe or hei, for logs fm or hei: the one that validation rows prefer",
	.reference = "",
	.options = "",
	.first = &architecture_mmoe,
	.second = &architecture_hei,
	.for_lists = &architecture_fm
};
