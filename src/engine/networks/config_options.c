/*
 * config_options.c
 *	  The table of options: names, defaults, ranges, meanings; and its checks.
 */
#include "engine/networks/config_options.h"

#include <math.h>
#include <string.h>

#include "engine/measure/metrics.h"
#include "engine/model/gates.h"
#include "engine/networks/architectures.h"
#include "engine/trees/encoding_choice.h"
#include "engine/trees/forest.h"

static const char *const searches[] = {"experts", "full", NULL};
static const char *const prunings[] = {"saliency", "gate", NULL};
static const char *const samplings[] = {"popularity", "uniform", "mixed", NULL};
static const char *const losses[] = {"logistic", "bpr", "softmax", NULL};
static const char *const histories[] = {"positives", "all", NULL};
static const char *const popularities[] = {"count", "rate", "score", NULL};

#define AT(member) offsetof(Config, member)

/* Names of options that stored models may have, and callers no longer. */
static const FormerOption former_options[] = {
	{NULL, NULL}
};

/* Before the option, MMoE had as many mixtures as the lowest HEI layer experts. */
static void
mixtures_of_hei(void *options)
{
	Config	   *config = options;

	config->mmoe_mixtures = config->hei_experts.value[0];
}

static const Option config_options[] = {
	{"architecture", OPTION_CHOICE, AT(architecture), 0, 0, NULL, "\"auto\"", "",
	.meaning = "What to train: one of aread_architectures(). \"auto\" trains mmoe for two epochs, and hei until it has had as many evaluations. Then hei goes on, unless mmoe is ahead by more than 0.001 of the measure that stop_on names (of log loss 0.0005, of list_ndcg 0.002); if it is, it is trained from its start. A network that diverges before that has lost. Nothing else is trained where mmoe gains nothing beside trees until patience runs out, within its two epochs: the model keeps its start. There is no such race, and hei is trained, where two epochs have fewer than 200 batches, or more of them where batch_size or learning_rate is smaller than by default. Nor is there one with two epochs or fewer, below 1000 validation rows, or where these are of one label. An option that only one of both uses, set to other than its default, chooses that one; options of both leave the race as it is. Where stop_on is \"list_ndcg\", and no option is set that fm does not use, fm takes the place of mmoe: it trains to its end. Then hei has two epochs, or as many as have 200 batches, and goes on unless fm is ahead by more than 0.002.",
	.choice = architecture_name},
	{"embed_dim", OPTION_INT, AT(embed_dim), 1, MAX_EMBED_DIM, NULL, "16", "",
	.meaning = "Length of the vector of each value."},
	{"mmoe_experts", OPTION_INT, AT(mmoe_experts), 1, MAX_EXPERTS, NULL, "4", "",
	.meaning = "Number of experts of the MMoE base."},
	{"mmoe_dims", OPTION_INT_LIST, AT(mmoe_dims), 1, MAX_WIDTH, NULL, "[128, 64]", "",
	.meaning = "Widths of the layers of an MMoE expert."},
	{"mmoe_mixtures", OPTION_INT, AT(mmoe_mixtures), 1, MAX_EXPERTS, NULL, "3", "",
	.meaning = "Number of mixtures of MMoE's experts, each with a head.",
	.before_by = mixtures_of_hei},
	{"deep_dims", OPTION_INT_LIST, AT(deep_dims), 1, MAX_WIDTH, NULL, "[128, 64]", "",
	.meaning = "Widths of the layers of the deep network.",
	.before = "[128, 64]"},
	{"hei_experts", OPTION_INT_LIST, AT(hei_experts), 1, MAX_EXPERTS, NULL, "[3, 6, 12]", "N_l",
	.meaning = "Number of experts in each HEI layer, lowest first."},
	{"hei_hidden", OPTION_INT_LIST, AT(hei_hidden), 1, MAX_WIDTH, NULL, "[64, 32, 16]", "",
	.meaning = "Width of the first layer of each HEI expert, by HEI layer."},
	{"hei_output", OPTION_INT_LIST, AT(hei_output), 1, MAX_WIDTH, NULL, "[32, 16, 8]", "",
	.meaning = "Width of the output of each HEI expert, by HEI layer."},
	{"wide", OPTION_BOOL, AT(wide), 0, 1, NULL, "true", "",
	.meaning = "Add the wide part, logistic regression over ids: it is fitted to its optimum before the network, and then held."},
	{"domain_weights", OPTION_BOOL, AT(domain_weights), 0, 1, NULL, "true", "",
	.meaning = "Give the wide part weights of each value by domain, beside the value's own."},
	{"cross_layers", OPTION_INT, AT(cross_layers), 0, 16, NULL, "3", "",
	.meaning = "Layers of the cross network beside the experts; 0 leaves it out."},
	{"pairwise", OPTION_BOOL, AT(pairwise), 0, 1, NULL, "false", "",
	.meaning = "Add the pairwise term of a factorization machine to every head."},
	{"base_skip", OPTION_BOOL, AT(base_skip), 0, 1, NULL, "true", "",
	.meaning = "Beside the hierarchical experts, a logit straight from the MMoE base: with it the model contains the base recommender."},
	{"history.length", OPTION_INT, AT(history_length), 0, MAX_HISTORY, NULL, "null", "",
	.meaning = "Items of a user's history at most, the newest ones where the split is by order, else any: vectors of what he had to do with in other training rows, earlier ones where the split is by order, tell what he likes; 0: no history; null: 50 where negatives are sampled, else none. Options of histories are given as one object, {\"history\": {\"length\": 50}}; true is an object without any, which has 50 items.",
	.before = "0"},
	{"history.of", OPTION_CHOICE, AT(history_of), 0, 0, histories, "\"positives\"", "",
	.meaning = "Training rows that a user's history is made of: the positive ones, or all.",
	.before = "\"positives\""},
	{"history.l2", OPTION_REAL, AT(history_l2), 0, 1e3, NULL, "0.02", "lambda",
	.meaning = "L2 of the vectors of users and items whose products the history gives, each time that a row uses them; a fifth of it for the items of histories.",
	.before = "0.02"},
	{"history.dislikes", OPTION_BOOL, AT(history_dislikes), 0, 1, NULL, "false", "",
	.meaning = "Give users a second history, of the items of their negative training rows, with vectors of its own. Sampled negatives are not in it.",
	.before = "false"},
	{"history.side", OPTION_NAME_LIST, AT(history_side), 0, MAX_COLUMN_NAMES, NULL, "[]", "",
	.meaning = "Columns of items, 8 at most, categorical ones that nearly all rows of an item agree on: their values have vectors beside those of items and of the items of histories, which tell of items that have few rows, or are new.",
	.before = "[]"},
	{"history.attention", OPTION_BOOL, AT(history_attention), 0, 1, NULL, "false", "",
	.meaning = "Weigh each item of a history by a small network, which sees it beside the row's own item.",
	.before = "false"},
	{"batch_norm", OPTION_BOOL, AT(batch_norm), 0, 1, NULL, "true", "",
	.meaning = "Normalize the layers of experts and deep networks by batch statistics."},
	{"dropout", OPTION_REAL, AT(dropout), 0, 0.95, NULL, "0.1", "",
	.meaning = "Share of the activations of experts and deep networks that a training step leaves out."},
	{"learning_rate", OPTION_REAL, AT(learning_rate), 1e-9, 1, NULL, "0.002", "lr",
	.meaning = "Step size of Adam."},
	{"batch_size", OPTION_INT, AT(batch_size), 2, 65536, NULL, "1024", "",
	.meaning = "Rows in a training batch."},
	{"epochs", OPTION_INT, AT(epochs), 1, 10000, NULL, "20", "",
	.meaning = "Passes over the training rows, at most."},
	{"evaluations", OPTION_INT, AT(evaluations), 1, 100, NULL, "2", "",
	.meaning = "Evaluations on the validation rows in each epoch."},
	{"patience", OPTION_INT, AT(patience), 1, 10000, NULL, "6", "",
	.meaning = "Evaluations without a gain after which training stops; the first 200 batches do not count, and more of them where batch_size or learning_rate is smaller than by default. Beside trees that count a third of them, until the network has gained 0.005 (of log loss 0.0025)."},
	{"stop_on", OPTION_CHOICE, AT(stop_on), 0, 0, stop_names, "\"auto\"", "",
	.meaning = "The measure of validation rows by which evaluations are compared: it decides which one is kept, and when patience runs out. Where it is undefined DomainAUC does, or AUC, or log loss. \"auto\" is \"list_ndcg\" where negatives are sampled: how high positive rows' items stand in lists, a mean of lists with items drawn uniformly and by popularity. Without popularity_offset, where negatives are drawn by popularity, and elsewhere it is \"domain_auc\".",
	.before = "\"domain_auc\""},
	{"l2_wide", OPTION_REAL, AT(l2_wide), 0, 1e6, NULL, "null", "lambda",
	.meaning = "L2 of wide weights: 1 is what logistic regression calls C = 1; null: found for each feature by the evidence of the training rows."},
	{"l2_embedding", OPTION_REAL, AT(l2_embedding), 0, 1e6, NULL, "300", "lambda",
	.meaning = "L2 of embeddings, by frequency."},
	{"l2_dense", OPTION_REAL, AT(l2_dense), 0, 1e3, NULL, "0.00001", "",
	.meaning = "L2 of the weights of experts, gates, heads and cross network."},
	{"negatives", OPTION_INT, AT(negatives), 0, 1000, NULL, "0", "",
	.meaning = "Negative rows sampled for each positive one: the same row with another item of its domain, one that the user is not known to have taken. For logs that hold positives only; scores then mean taken rather than sampled, unless base_rate says otherwise."},
	{"negative_sampling", OPTION_CHOICE, AT(negative_sampling), 0, 0, samplings, "\"popularity\"", "",
	.meaning = "How items of sampled negatives are drawn: as often as they are taken in the domain's training rows, each alike, or each draw by one of both, as a coin falls."},
	{"loss", OPTION_CHOICE, AT(loss), 0, 0, losses, "\"logistic\"", "",
	.meaning = "What the network is trained by. Logistic: each row by itself. The others need sampled negatives, and compare each positive row with its own: bpr with each of them by the logistic loss of the scores' difference, softmax with all at once by the cross entropy of the positive among them. Rows without sampled negatives then teach the wide part alone, whose start stays logistic; calibration makes probabilities of scores, and log loss is measured with it. What popularity_offset puts back is the same for all three.",
	.before = "\"logistic\""},
	{"hard_negatives", OPTION_REAL, AT(hard_negatives), 0, 1, NULL, "0", "",
	.meaning = "Share of the sampled negatives that each training step draws anew: of hard_candidates items, drawn as negative_sampling says, the one that the present network scores highest. The wide part's start and masks have those that were drawn first.",
	.before = "0"},
	{"hard_candidates", OPTION_INT, AT(hard_candidates), 1, 100, NULL, "8", "",
	.meaning = "Items that a hard negative is the highest of; with 1 negatives are drawn anew, and not chosen.",
	.before = "8"},
	{"popularity_offset", OPTION_BOOL, AT(popularity_offset), 0, 1, NULL, "true", "",
	.meaning = "Put popularity back into scores, which negatives that are drawn by it take out: a wide weight of each item, and of each item by domain, gets the log of how much more often it is drawn than uniformly. Scores then mean taken rather than drawn uniformly, and negatives of validation and test rows are drawn uniformly. False: scores are against items as negative_sampling draws them.",
	.before = "false"},
	{"positive_weight", OPTION_REAL, AT(positive_weight), 1e-6, 1e6, NULL, "1", "",
	.meaning = "What a positive row counts in the loss, a negative one counting 1; calibration takes it out of the scores again."},
	{"calibration", OPTION_BOOL, AT(calibration), 0, 1, NULL, "true", "",
	.meaning = "Map the scores' logits, by a factor and a shift, so that they fit the validation rows: scores are then probabilities."},
	{"trees", OPTION_INT, AT(trees), 0, FOREST_MAX_TREES, NULL, "500", "",
	.meaning = "Boosted trees beside the network, at most, over out-of-fold rates and counts of features and of pairs of them; validation rows choose how many, and weigh their logit against the network's. Without calibration, with sampled negatives, and below 1000 validation rows there are none; 0: none.",
	.before = "0"},
	{"tree_pairs", OPTION_INT, AT(tree_pairs), 0, MAX_PAIRS, NULL, "24", "",
	.meaning = "Pairs of features that the trees see, at most: those whose rates and counts gain most on validation rows. They are looked for among user, item, domain and the features that tell most by themselves, 28 in all.",
	.before = "24"},
	{"base_rate", OPTION_REAL, AT(base_rate), 1e-9, 0.999999999, NULL, "null", "",
	.meaning = "Share of positives among the rows that will be scored, where it is not that of the source and its sampled negatives: the odds of scores are moved to it, the stored measures are not; null: leave them."},
	{"warmup_batches", OPTION_INT, AT(warmup_batches), 1, 1000000000, NULL, "100", "",
	.meaning = "Batches trained before the first masks; an epoch at most."},
	{"mask_interval", OPTION_INT, AT(mask_interval), 1, 1000000000, NULL, "2000", "",
	.meaning = "Batches from one mask update to the next; half an epoch at most, unless that is below 100."},
	{"candidates", OPTION_INT, AT(candidates), 1, 1000, NULL, "4", "Z",
	.meaning = "Candidate masks tried for each domain in an update."},
	{"candidate_steps", OPTION_INT, AT(candidate_steps), 1, 1000, NULL, "5", "k",
	.meaning = "Training and pruning steps of each candidate."},
	{"score_batches", OPTION_INT, AT(score_batches), 1, 1000, NULL, "5", "",
	.meaning = "Batches of the domain's own rows on which a candidate is scored, at most."},
	{"mask_learning_rate", OPTION_REAL, AT(mask_learning_rate), 1e-9, 1, NULL, "0.01", "lr_u",
	.meaning = "Step size of Adam while a candidate trains."},
	{"initial_density", OPTION_REAL, AT(initial_density), 0.01, 1, NULL, "0.7", "S_0",
	.meaning = "Share of gates open at a candidate's start: those highest in what \"prune_by\" names."},
	{"target_density", OPTION_REAL, AT(target_density), 0.01, 1, NULL, "0.4", "S",
	.meaning = "Share of gates that masks leave open: a candidate's pruning stops there; hei opens so many after its training, and goes on scoring with all."},
	{"prune_ratio", OPTION_REAL, AT(prune_ratio), 0, 0.9, NULL, "0.05", "alpha",
	.meaning = "Share of the open gates that each step closes; one at least."},
	{"prune_by", OPTION_CHOICE, AT(prune_by), 0, 0, prunings, "\"saliency\"", "",
	.meaning = "Which gates a domain keeps: those whose closing would raise the loss of its own rows most, to first order, or those of the highest value (the paper's rule), besides the ones it has."},
	{"sigma", OPTION_REAL, AT(sigma), 0, 10, NULL, "0.1", "",
	.meaning = "A candidate's gates are flipped with probability |N(0, sigma)|; by saliency, the first candidate's are not."},
	{"mask_search", OPTION_CHOICE, AT(mask_search), 0, 0, searches, "\"experts\"", "",
	.meaning = "What candidates train: HEI and heads over a fixed base, or everything."},
	{"augment_ratio", OPTION_REAL, AT(augment_ratio), 0, 10, NULL, "0.1", "",
	.meaning = "Augmented rows for minor domains, as a share of all training rows."},
	{"popularity", OPTION_CHOICE, AT(popularity), 0, 0, popularities, "\"count\"", "p(i)",
	.meaning = "An item's popularity: its training rows (the positive ones, if negatives are sampled), its smoothed positive rate, or the mean score that the network gives these rows, anew at each mask update and before calibration."},
	{"unpopular_quantile", OPTION_REAL, AT(unpopular_quantile), 0, 1, NULL, "0.5", "rho",
	.meaning = "Items up to this quantile of popularity are unpopular."},
	{"unpopular_threshold", OPTION_REAL, AT(unpopular_threshold), 0, 1e18, NULL, "null", "rho",
	.meaning = "Items below this popularity are unpopular; null: by quantile."},
	{"minor_share", OPTION_REAL, AT(minor_share), 0, 1, NULL, "0.02", "",
	.meaning = "Domains below this share of the training rows are minor."},
	{"major_share", OPTION_REAL, AT(major_share), 0, 1, NULL, "0.03", "",
	.meaning = "Domains above this share of the training rows are major."},
	{"seed", OPTION_SEED, AT(seed), 0, 9007199254740991.0, NULL, "1", "",
	.meaning = "Where all random numbers start: the same seed, rows and options give the same model."},
};

const OptionTable config_table = {
	config_options, sizeof(config_options) / sizeof(config_options[0]), former_options
};

void
config_defaults(Config *config)
{
	*config = (Config) {0};
	/* test_config.c says that each is a value */
	(void) options_default(&config_table, config);
}

/* Members of histories, unless that is said; fewer where batches are so large that they do not fit. */
static int
default_history(const Config *config)
{
	int64_t		rows = (int64_t) config->batch_size *
		(architecture_uses(config->architecture, "score_batches") ? config->score_batches : 1);
	int64_t		room = MAX_SEARCH_MEMBERS / rows;

	return room < HISTORY_LENGTH ? (int) room : HISTORY_LENGTH;
}

void
config_settle(Config *config)
{
	/* lists are of the whole catalogue, and so are scores against uniform draws */
	bool		lists = config->negatives > 0 &&
		(config->popularity_offset || config->negative_sampling == NEGATIVES_UNIFORM);
	int			kind = 0;

	if (config->history_length == NULL_INT)
		config->history_length = config->negatives > 0 ? default_history(config) : 0;
	if (config->stop_on != STOP_AUTO)
		return;
	while (lists ? !measure_kinds[kind].of_lists :
		   measure_kinds[kind].offset != offsetof(Measures, domain_auc))
		kind++;
	config->stop_on = kind;
}

static bool
check_value(const Option *option, double value, EngineError *error)
{
	if (value >= option->minimum && value <= option->maximum)
		return true;
	return engine_fail(error, ENGINE_BAD_INPUT, NULL,
					   "option \"%s\" is %.12g, but must be between %.12g and %.12g",
					   option->name, value, option->minimum, option->maximum);
}

static bool
check_option(const Config *config, const Option *option, EngineError *error)
{
	const char *at = (const char *) config + option->offset;

	switch (option->type)
	{
		case OPTION_INT:
			return (option_is_nullable(option) && *(const int *) at == NULL_INT) ||
				check_value(option, *(const int *) at, error);
		case OPTION_REAL:
			/* null is stored as NaN */
			return (option_is_nullable(option) && isnan(*(const double *) at)) ||
				check_value(option, *(const double *) at, error);
		case OPTION_INT_LIST:
			{
				const IntList *list = (const IntList *) at;

				if (list->n < 1 || list->n > MAX_LAYERS)
					return engine_fail(error, ENGINE_BAD_INPUT, NULL,
									   "option \"%s\" must have between 1 and %d elements",
									   option->name, MAX_LAYERS);
				for (int i = 0; i < list->n; i++)
					if (!check_value(option, list->value[i], error))
						return false;
				return true;
			}
		case OPTION_NAME_LIST:
			return check_value(option, ((const NameList *) at)->n, error);
		case OPTION_BOOL:
		case OPTION_SEED:
		case OPTION_CHOICE:
			break;				/* every value that can be stored is valid */
	}
	return true;
}

static bool
check_experts(const Config *config, EngineError *error)
{
	if (config->hei_hidden.n != config->hei_experts.n ||
		config->hei_output.n != config->hei_experts.n)
		return engine_fail(error, ENGINE_BAD_INPUT, "Give each list one number for each HEI layer.",
						   "options \"hei_experts\", \"hei_hidden\" and \"hei_output\" differ in length");
	if (gates_total(&config->hei_experts) > MAX_GATES)
		return engine_fail(error, ENGINE_BAD_INPUT, "Use fewer experts.",
						   "option \"hei_experts\" makes %d gates, more than %d",
						   gates_total(&config->hei_experts), MAX_GATES);
	return true;
}

static bool
check_search(const Config *config, EngineError *error)
{
	if (config->hei_experts.n < 2)
		return engine_fail(error, ENGINE_BAD_INPUT, "Add a layer, or choose an architecture without masks.",
						   "masks lie between layers: option \"hei_experts\" needs at least two");
	if (config->target_density > config->initial_density)
		return engine_fail(error, ENGINE_BAD_INPUT, "Pruning goes from the initial density down.",
						   "option \"target_density\" is above \"initial_density\"");
	return true;
}

/* Room for histories is that of full ones, whatever users have. */
static bool
check_history(const Config *config, EngineError *error)
{
	int64_t		members = (int64_t) config->batch_size * config->history_length *
		(config->history_dislikes ? 2 : 1);

	if (members > MAX_BATCH_MEMBERS)
		return engine_fail(error, ENGINE_BAD_INPUT, "Use shorter histories, or smaller batches.",
						   "options \"batch_size\" and \"history.length\" make histories of %lld items in a batch, more than %d",
						   (long long) members, MAX_BATCH_MEMBERS);
	if (!architecture_uses(config->architecture, "score_batches"))
		return true;
	members *= config->score_batches;
	if (members > MAX_SEARCH_MEMBERS)
		return engine_fail(error, ENGINE_BAD_INPUT,
						   "Use shorter histories, or fewer or smaller batches.",
						   "options \"score_batches\", \"batch_size\" and \"history.length\" make histories of %lld items in the batches of a candidate, more than %d",
						   (long long) members, MAX_SEARCH_MEMBERS);
	return true;
}

/* Batches hold positives with all of their negatives. */
static bool
check_loss(const Config *config, EngineError *error)
{
	bool		hard = config->hard_negatives > 0;

	if (config->loss == LOSS_LOGISTIC && !hard)
		return true;
	if (config->negatives == 0)
		return engine_fail(error, ENGINE_BAD_INPUT,
						   "Option \"negatives\" says how many are sampled for each positive row; set it to 4, say.",
						   "option \"%s\" needs sampled negatives", hard ? "hard_negatives" : "loss");
	if (config->loss != LOSS_LOGISTIC && config->negatives >= config->batch_size)
		return engine_fail(error, ENGINE_BAD_INPUT, "Use larger batches, or fewer negatives.",
						   "option \"batch_size\" is %d, but a positive row and its %d negatives share a batch",
						   config->batch_size, config->negatives);
	return true;
}

/* Options that an architecture does not use are left alone. */
static bool
check_relations(const Config *config, EngineError *error)
{
	if (architecture_uses(config->architecture, "hei_hidden") && !check_experts(config, error))
		return false;
	if (architecture_uses(config->architecture, "mask_search") && !check_search(config, error))
		return false;
	if (architecture_uses(config->architecture, "history.length") && !check_history(config, error))
		return false;
	if (architecture_uses(config->architecture, "loss") && !check_loss(config, error))
		return false;
	if (config->major_share < config->minor_share)
		return engine_fail(error, ENGINE_BAD_INPUT, "A domain cannot be both minor and major.",
						   "option \"major_share\" is below \"minor_share\"");
	return true;
}

bool
config_check(const Config *config, EngineError *error)
{
	for (int i = 0; i < config_table.n; i++)
		if (!check_option(config, &config_options[i], error))
			return false;
	return check_relations(config, error);
}
