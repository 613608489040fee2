/*
 * race.c
 *	  Architectures that are none: training chooses a network (train/race.h).
 *
 * HEI takes more time, and gains by it where features interact in domains.  Where they do
 * not MMoE has less to learn by heart.
 */
#include "engine/networks/architecture.h"

const Architecture architecture_auto = {
	.name = "auto",
	.meaning = "mmoe or hei: two epochs of each, and the one that validation rows prefer goes on",
	.reference = "",
	.options = "",
	.first = &architecture_mmoe,
	.second = &architecture_hei
};
