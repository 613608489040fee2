/*
 * architectures.c
 *	  Which architectures there are, and which options each uses.
 *
 * Options that all of them use stand in no list.
 */
#include "engine/networks/architectures.h"

#include <string.h>

#include "engine/model/config.h"

/* What is trained by batches, over embeddings. */
#define BATCHES "wide embed_dim learning_rate batch_size epochs evaluations patience l2_embedding"
#define BASE BATCHES " l2_dense dropout batch_norm mmoe_experts mmoe_dims hei_experts cross_layers pairwise"
#define EXPERTS BASE " hei_hidden hei_output base_skip"
#define SEARCH EXPERTS " warmup_batches mask_interval candidates candidate_steps score_batches" \
	" mask_learning_rate initial_density target_density prune_ratio prune_by sigma mask_search"
#define AUGMENTED SEARCH " augment_ratio popularity unpopular_quantile unpopular_threshold"

static const struct
{
	const char *name;
	const char *options;
}			architectures[] = {
	[ARCH_WIDE] = {"wide", ""},
	[ARCH_FM] = {"fm", BATCHES},
	[ARCH_MMOE] = {"mmoe", BASE},
	[ARCH_HEI] = {"hei", EXPERTS},
	[ARCH_HEMP] = {"hemp", SEARCH},
	[ARCH_AREAD] = {"aread", AUGMENTED},
};

#define N_ARCHITECTURES ((int) (sizeof(architectures) / sizeof(architectures[0])))

const char *
architecture_name(int architecture)
{
	return architecture < N_ARCHITECTURES ? architectures[architecture].name : NULL;
}

const char *
architecture_options(int architecture)
{
	return architectures[architecture].options;
}

/* Is a name one of those between spaces? */
static bool
is_listed(const char *names, const char *name)
{
	size_t		length = strlen(name);

	for (const char *at = names; (at = strstr(at, name)) != NULL; at += length)
		if ((at == names || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
			return true;
	return false;
}

bool
architecture_uses(int architecture, const char *option)
{
	bool		listed = false;

	for (int a = 0; a < N_ARCHITECTURES; a++)
		listed |= is_listed(architectures[a].options, option);
	return !listed || is_listed(architectures[architecture].options, option);
}
