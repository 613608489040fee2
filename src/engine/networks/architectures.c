/*
 * architectures.c
 *	  What is asked of the list of architectures.
 */
#include "engine/networks/architectures.h"

#include <string.h>

static const Architecture *const architectures[] = {
#define ARCHITECTURE(name) &architecture_##name,
#define RACE(name) &architecture_##name,
#include "engine/networks/architecture_list.h"
#undef ARCHITECTURE
#undef RACE
};

/* Those that models are of come first. */
enum
{
#define ARCHITECTURE(name) NUMBER_##name,
#define RACE(name)
#include "engine/networks/architecture_list.h"
#undef ARCHITECTURE
#undef RACE
	N_ARCHITECTURES
};

const int	n_choices = sizeof(architectures) / sizeof(architectures[0]);
const int	n_architectures = N_ARCHITECTURES;

const Architecture *
architecture_at(int number)
{
	return architectures[number];
}

const Architecture *
architecture_of(const Config *config)
{
	return architectures[config->architecture];
}

int
architecture_find(const char *name)
{
	for (int i = 0; i < n_choices; i++)
		if (strcmp(architectures[i]->name, name) == 0)
			return i;
	return -1;
}

const char *
architecture_name(int number)
{
	return number < n_choices ? architectures[number]->name : NULL;
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

/* Its own, or those of the networks of a race. */
static bool
lists(const Architecture *architecture, const char *option)
{
	return is_listed(architecture->options, option) ||
		(architecture->first && (is_listed(architecture->first->options, option) ||
								 is_listed(architecture->second->options, option)));
}

bool
architecture_uses(int number, const char *option)
{
	bool		listed = false;

	for (int i = 0; i < n_architectures; i++)
		listed |= is_listed(architectures[i]->options, option);
	return !listed || lists(architectures[number], option);
}

bool
architecture_has_masks(int number)
{
	StrategyKind strategy = architectures[number]->strategy;

	return strategy == STRATEGY_MASKS || strategy == STRATEGY_MASKS_AUGMENTED;
}

bool
architecture_has_wide(const Config *config)
{
	return config->wide || architecture_of(config)->strategy == STRATEGY_START;
}

bool
architecture_has_trees(const Config *config)
{
	return config->trees > 0 && architecture_uses(config->architecture, "trees");
}
