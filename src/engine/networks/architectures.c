/*
 * architectures.c
 *	  The one list of architectures.
 *
 * Their order is that of the documentation: each arm of the ablation stands
 * behind the one that it extends.  Stored models name them.
 */
#include "engine/networks/architectures.h"

#include <string.h>

extern const Architecture architecture_wide;
extern const Architecture architecture_fm;
extern const Architecture architecture_mmoe;
extern const Architecture architecture_hei;
extern const Architecture architecture_hemp;
extern const Architecture architecture_aread;
extern const Architecture architecture_deepfm;
extern const Architecture architecture_dcn;

static const Architecture *const architectures[] = {
	&architecture_wide,
	&architecture_fm,
	&architecture_mmoe,
	&architecture_hei,
	&architecture_hemp,
	&architecture_aread,
	&architecture_deepfm,
	&architecture_dcn
};

const int	n_architectures = sizeof(architectures) / sizeof(architectures[0]);

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
	for (int i = 0; i < n_architectures; i++)
		if (strcmp(architectures[i]->name, name) == 0)
			return i;
	return -1;
}

const char *
architecture_name(int number)
{
	return number < n_architectures ? architectures[number]->name : NULL;
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
architecture_uses(int number, const char *option)
{
	bool		listed = false;

	for (int i = 0; i < n_architectures; i++)
		listed |= is_listed(architectures[i]->options, option);
	return !listed || is_listed(architectures[number]->options, option);
}

const char *
architecture_options(int number)
{
	return architectures[number]->options;
}

bool
architecture_has_hei(int number)
{
	return is_listed(architectures[number]->options, "hei_hidden");
}

bool
architecture_has_masks(const Config *config)
{
	return architecture_of(config)->strategy >= STRATEGY_MASKS;
}

bool
architecture_has_wide(const Config *config)
{
	return config->wide || architecture_of(config)->strategy == STRATEGY_START;
}
