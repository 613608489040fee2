/*
 * test_config.c
 *	  Options: every default valid, names found and guessed, bad combinations
 *	  refused.
 */
#include <string.h>

#include "engine/base/edit_distance.h"
#include "engine/model/config.h"
#include "unit.h"

static void
test_table(void)
{
	Config		config;
	EngineError error = {0};

	config_defaults(&config);
	CHECK(config_check(&config, &error));
	for (int i = 0; i < n_config_options; i++)
	{
		const Option *option = &config_options[i];

		CHECK(config_find(option->name) == option);
		CHECK(option->meaning[0] != '\0' && option->default_text[0] != '\0');
		CHECK((option->type == OPTION_CHOICE) == (option->choices != NULL));
		CHECK(option->offset < sizeof(Config));
	}
	CHECK(config_find("epoch") == NULL);
}

static void
test_nearest(void)
{
	CHECK(strcmp(config_nearest("epoch"), "epochs") == 0);
	CHECK(strcmp(config_nearest("learningrate"), "learning_rate") == 0);
	CHECK(config_nearest("xyzzyxyzzyxyzzy") == NULL);
	CHECK(edit_distance("kitten", "sitting") == 3);
	CHECK(edit_distance("", "abc") == 3);
	CHECK(edit_distance("same", "same") == 0);
}

/* What single ranges cannot say. */
static void
test_combinations(void)
{
	Config		config;
	EngineError error = {0};

	config_defaults(&config);
	config.hei_hidden.n = 2;
	CHECK(!config_check(&config, &error));
	CHECK(error.code == ENGINE_BAD_INPUT && error.message[0] != '\0');
	config_defaults(&config);
	config.target_density = config.initial_density + 0.1;
	CHECK(!config_check(&config, &error));
	config_defaults(&config);
	config.major_share = config.minor_share / 2;
	CHECK(!config_check(&config, &error));
}

int
main(void)
{
	test_table();
	test_nearest();
	test_combinations();
	return unit_summary();
}
