/*
 * test_config.c
 *	  Options: every default valid, names found, bad combinations
 *	  refused; and what stored models have that lack an option.
 */
#include <math.h>
#include <string.h>

#include "engine/base/edit_distance.h"
#include "engine/model/model.h"
#include "engine/measure/metrics.h"
#include "engine/networks/architectures.h"
#include "engine/networks/build.h"
#include "engine/networks/config_options.h"
#include "unit.h"

static void
test_table(void)
{
	Config		config;
	EngineError error = {0};

	CHECK(options_default(&config_table, &config));
	config_defaults(&config);
	CHECK(config_check(&config, &error));
	for (int i = 0; i < config_table.n; i++)
	{
		const Option *option = &config_table.options[i];

		CHECK(option_find(&config_table, option->name) == option);
		CHECK(option->meaning[0] != '\0');
		CHECK((option->type == OPTION_CHOICE) == (option->choices || option->choice));
		CHECK(option->offset < sizeof(Config));
	}
	CHECK(option_find(&config_table, "epoch") == NULL);
}

/* Defaults of each type, as somebody reads them in the table. */
static void
test_defaults(void)
{
	Config		config;

	config_defaults(&config);
	CHECK(config.architecture == architecture_find("auto"));
	CHECK(config.embed_dim == 16);
	CHECK(config.mmoe_dims.n == 2 && config.mmoe_dims.value[0] == 128 && config.mmoe_dims.value[1] == 64);
	CHECK(config.hei_experts.n == 3 && config.hei_experts.value[2] == 12);
	CHECK(config.wide && !config.pairwise);
	CHECK(config.learning_rate == 0.002 && config.l2_dense == 1e-5);
	CHECK(isnan(config.l2_wide) && isnan(config.base_rate));
	CHECK(config.prune_by == PRUNE_SALIENCY && config.mask_search == SEARCH_EXPERTS);
	CHECK(config.seed == 1);
}

static bool
sets(const char *name, const char *text)
{
	Config		config;

	return option_set_text(option_find(&config_table, name), &config, text);
}

static void
test_texts(void)
{
	CHECK(sets("wide", "true") && sets("wide", "false") && !sets("wide", "1"));
	CHECK(sets("embed_dim", "1") && !sets("embed_dim", "0") && !sets("embed_dim", "1025"));
	CHECK(!sets("embed_dim", "2.5") && !sets("embed_dim", "2 ") && !sets("embed_dim", ""));
	CHECK(sets("l2_wide", "null") && sets("l2_wide", "0.5") && !sets("l2_dense", "null"));
	CHECK(!sets("embed_dim", "null") && !sets("learning_rate", "nan"));
	CHECK(sets("prune_by", "\"gate\"") && !sets("prune_by", "\"gat\"") && !sets("prune_by", "null"));
	CHECK(sets("mmoe_dims", "[1]") && sets("mmoe_dims", "[1, 2,3]") && !sets("mmoe_dims", "[]"));
	CHECK(!sets("mmoe_dims", "[1") && !sets("mmoe_dims", "1") && !sets("mmoe_dims", "[1] "));
	CHECK(sets("mmoe_dims", "[1,1,1,1,1,1,1,1]") && !sets("mmoe_dims", "[1,1,1,1,1,1,1,1,1]"));
	CHECK(!sets("mmoe_dims", "[0]") && !sets("mmoe_dims", "[1.5]"));
	CHECK(sets("history.side", "[]") && !sets("history.side", "[\"genre\"]"));
	CHECK(sets("seed", "9007199254740991") && !sets("seed", "-1"));
}

/* What aread 0.1.0 stored with every model. */
static const char *const first_options[] = {
	"architecture", "augment_ratio", "base_rate", "base_skip", "batch_norm", "batch_size",
	"calibration", "candidate_steps", "candidates", "cross_layers", "domain_weights", "dropout",
	"embed_dim", "epochs", "evaluations", "hei_experts", "hei_hidden", "hei_output",
	"initial_density", "l2_dense", "l2_embedding", "l2_wide", "learning_rate", "major_share",
	"mask_interval", "mask_learning_rate", "mask_search", "minor_share", "mmoe_dims",
	"mmoe_experts", "negative_sampling", "negatives", "pairwise", "patience", "popularity",
	"positive_weight", "prune_by", "prune_ratio", "score_batches", "seed", "sigma",
	"target_density", "unpopular_quantile", "unpopular_threshold", "warmup_batches", "wide"
};

#define N_FIRST ((int) (sizeof(first_options) / sizeof(first_options[0])))

static bool
is_first(const char *name)
{
	for (int i = 0; i < N_FIRST; i++)
		if (strcmp(first_options[i], name) == 0)
			return true;
	return false;
}

/* Whoever adds an option says what it is in models that are stored already, and nobody takes one away. */
static void
test_history(void)
{
	const Option *option;
	Config		config;

	for (int i = 0; i < config_table.n; i++)
	{
		option = &config_table.options[i];
		CHECK(is_first(option->name) == (!option->before && !option->before_by));
		CHECK(!option->before || option_set_text(option, &config, option->before));
		CHECK(!option_find_former(&config_table, option->name, &option));
	}
	for (int i = 0; i < N_FIRST; i++)
		CHECK(option_find(&config_table, first_options[i]) ||
			  option_find_former(&config_table, first_options[i], &option));
	for (const FormerOption *former = config_table.former; former->name; former++)
		CHECK(!former->now || option_find(&config_table, former->now));
}

static bool
allows_histories(const char *architecture, int length, int batch_size, int score_batches,
				 const char *message)
{
	Config		config;
	EngineError error = {0};
	bool		allows;

	config_defaults(&config);
	config.architecture = architecture_find(architecture);
	config.history_length = length;
	config.batch_size = batch_size;
	config.score_batches = score_batches;
	allows = config_check(&config, &error);
	CHECK(allows || (error.code == ENGINE_BAD_INPUT && strcmp(error.message, message) == 0));
	return allows;
}

/* Room for the histories of batches is bounded, where there are histories and such batches. */
static void
test_history_room(void)
{
	const char *batch = "options \"batch_size\" and \"history.length\" make histories of 16842752 items in a batch, more than 16777216";
	const char *search = "options \"score_batches\", \"batch_size\" and \"history.length\" make histories of 67371008 items in the batches of a candidate, more than 67108864";

	CHECK(allows_histories("hei", 256, 65536, 1, NULL) && !allows_histories("hei", 257, 65536, 1, batch));
	CHECK(allows_histories("hemp", 256, 65536, 4, NULL) && !allows_histories("hemp", 257, 65536, 1, batch));
	CHECK(!allows_histories("hemp", 257, 1024, 256, search) && allows_histories("hemp", 256, 1024, 256, NULL));
	CHECK(allows_histories("hei", 257, 1024, 256, NULL));
	CHECK(allows_histories("wide", MAX_HISTORY, 65536, 1000, NULL));
}

static bool
settles(Config config, int length, const char *measure)
{
	EngineError error;

	config_settle(&config);
	config_settle(&config);
	return config.history_length == length && config_check(&config, &error) &&
		strcmp(measure_kinds[config.stop_on].name, measure) == 0;
}

/* Logs have histories and are compared by lists, unless the caller says otherwise. */
static void
test_settle(void)
{
	Config		config;

	config_defaults(&config);
	CHECK(settles(config, 0, "domain_auc"));
	config.negatives = 4;
	CHECK(settles(config, HISTORY_LENGTH, "list_ndcg"));
	/* not against all items, but against popular ones */
	config.popularity_offset = false;
	CHECK(settles(config, HISTORY_LENGTH, "domain_auc"));
	config.negative_sampling = NEGATIVES_UNIFORM;
	CHECK(settles(config, HISTORY_LENGTH, "list_ndcg"));
	config.history_length = 0;
	config.stop_on = 0;
	CHECK(settles(config, 0, "auc"));
	config_defaults(&config);
	config.history_length = 7;
	CHECK(settles(config, 7, "domain_auc"));
	/* as many as fit */
	config_defaults(&config);
	config.negatives = 1;
	config.architecture = architecture_find("hemp");
	config.batch_size = 65536;
	config.score_batches = 64;
	CHECK(settles(config, 16, "list_ndcg"));
}

/*
 * Tables of a version to come: "cross_layers" and "mmoe_experts" are new in it,
 * "dims" is called "mmoe_dims" and "depth" is gone.
 */
static void
before_experts(void *options)
{
	Config	   *config = options;

	config->mmoe_experts = config->hei_experts.value[0];
}

#define AT(member) offsetof(Config, member)

static const Option later_options[] = {
	{"embed_dim", OPTION_INT, AT(embed_dim), 1, 64, NULL, "16", "",.meaning = ""},
	{"cross_layers", OPTION_INT, AT(cross_layers), 0, 16, NULL, "3", "",.before = "0"},
	{"hei_experts", OPTION_INT_LIST, AT(hei_experts), 1, 64, NULL, "[3, 6]", "",.meaning = ""},
	{"mmoe_experts", OPTION_INT, AT(mmoe_experts), 1, 64, NULL, "4", "",.before_by = before_experts},
	{"mmoe_dims", OPTION_INT_LIST, AT(mmoe_dims), 1, 64, NULL, "[8]", "",.meaning = ""},
};
static const FormerOption later_former[] = {{"dims", "mmoe_dims"}, {"depth", NULL}, {NULL, NULL}};
static const OptionTable later = {later_options, 5, later_former};

static size_t
count_params(const Config *config)
{
	static uint32_t table_rows[] = {FIRST_ID + 3};
	static uint32_t field_table[] = {0};
	static bool is_list[] = {false};
	Shape		shape = {.n_tables = 1,.table_rows = table_rows,.n_fields = 1,
	.field_table = field_table,.field_is_list = is_list,.field_is_dense = is_list,.user_field = -1,.item_field = -1};
	DomainPairs pairs = {0};
	Arena		arena;
	EngineError error = {0};
	size_t		n;

	arena_init_malloc(&arena);
	n = model_count_params(&arena, config, &shape, &pairs, &error);
	arena_free_all(&arena);
	return n;
}

/* A model of before the options "cross_layers" and "mmoe_experts" has the tensors that it had. */
static void
test_older(void)
{
	bool		stored[5] = {true, false, true, false, true};
	const Option *option;
	Config		then;
	Config		now;

	config_defaults(&then);
	then.architecture = architecture_find("mmoe");
	then.cross_layers = 0;
	then.mmoe_experts = 3;
	now = then;
	CHECK(options_default(&later, &now));
	CHECK(count_params(&now) != count_params(&then));
	now.embed_dim = then.embed_dim;
	now.hei_experts = then.hei_experts;
	now.mmoe_dims = then.mmoe_dims;
	CHECK(options_fill_older(&later, &now, stored) == NULL);
	CHECK(now.cross_layers == 0 && now.mmoe_experts == then.hei_experts.value[0]);
	CHECK(count_params(&now) == count_params(&then));
	/* what a model has is left as it is, and what every model has must be there */
	stored[1] = true;
	now.cross_layers = 7;
	CHECK(options_fill_older(&later, &now, stored) == NULL && now.cross_layers == 7);
	stored[2] = false;
	CHECK(options_fill_older(&later, &now, stored) == &later_options[2]);
	CHECK(option_find_former(&later, "dims", &option) && option == &later_options[4]);
	CHECK(option_find_former(&later, "depth", &option) && option == NULL);
	CHECK(!option_find_former(&later, "embed_dim", &option));
}

static void
test_distance(void)
{
	CHECK(edit_distance("kitten", "sitting") == 3);
	CHECK(edit_distance("", "abc") == 3);
	CHECK(edit_distance("same", "same") == 0);
}

/* What single ranges cannot say, of architectures that use the options. */
static void
test_combinations(void)
{
	Config		config;
	EngineError error = {0};

	config_defaults(&config);
	config.hei_hidden.n = 2;
	CHECK(!config_check(&config, &error));
	CHECK(error.code == ENGINE_BAD_INPUT && error.message[0] != '\0');
	config.architecture = architecture_find("mmoe");
	CHECK(config_check(&config, &error));
	config_defaults(&config);
	config.architecture = architecture_find("hemp");
	config.target_density = config.initial_density + 0.1;
	CHECK(!config_check(&config, &error));
	config.architecture = architecture_find("hei");
	CHECK(config_check(&config, &error));
	config_defaults(&config);
	config.architecture = architecture_find("hemp");
	config.hei_experts.n = config.hei_hidden.n = config.hei_output.n = 1;
	CHECK(!config_check(&config, &error));
	config.architecture = architecture_find("hei");
	CHECK(config_check(&config, &error));
	config_defaults(&config);
	config.architecture = architecture_find("wide");
	config.major_share = config.minor_share / 2;
	CHECK(!config_check(&config, &error));
}

/* The registry of architectures names options that there are. */
static void
test_architectures(void)
{
	for (int a = 0; architecture_name(a); a++)
	{
		const char *options = architecture_at(a)->options;
		char		name[64];
		int			length;

		while (sscanf(options, "%63s%n", name, &length) == 1)
		{
			CHECK(option_find(&config_table, name) != NULL);
			CHECK(architecture_uses(a, name));
			options += length;
		}
	}
	CHECK(!architecture_uses(architecture_find("wide"), "embed_dim") && architecture_uses(architecture_find("fm"), "embed_dim"));
	CHECK(architecture_uses(architecture_find("wide"), "seed"));
	/* not as the end or the beginning of another name */
	CHECK(!architecture_uses(architecture_find("mmoe"), "hei_output") && architecture_uses(architecture_find("mmoe"), "experts"));
}

int
main(void)
{
	test_table();
	test_defaults();
	test_texts();
	test_history();
	test_history_room();
	test_settle();
	test_older();
	test_distance();
	test_combinations();
	test_architectures();
	return unit_summary();
}
