/*
 * stacking.c
 *	  Trees beside the network, and what each of both counts in a score.
 *
 * The network learns what ids have in common, one user with another; trees over rates
 * and counts see how often something happened, and steps and products of that.
 * Neither is the better one on all data.  So each is trained by itself, on the same
 * rows, and validation rows weigh the sum of their logits.
 *
 * Trees come first, as they take a few seconds.  Then each evaluation of the network is
 * one of both together: a network that finds only what the trees have is not trained on.
 *
 * The same rows have stopped and chosen the trees.  So they count, in an evaluation and
 * at the end, only if the log loss falls by more than all that gains by chance.
 *
 * Memory: that of the trees' fit (trees/trees_fit.h).  The trees stay in the arena, with a
 * number for each validation row, and one for each row that is not for testing where rows
 * have weights; what is kept is in the form in which it is stored.
 */
#include "engine/train/stacking.h"

#include <math.h>
#include <string.h>

#include "engine/measure/stack.h"
#include "engine/networks/architectures.h"
#include "engine/train/base_rate.h"
#include "engine/train/split_scores.h"
#include "engine/trees/trees_bytes.h"
#include "engine/trees/trees_fit.h"

#define TEXT(number) #number
#define TEXT_OF(number) TEXT(number)

/*
 * What the summed log loss must fall by.  Three numbers gain 1.5 by chance; trees were
 * stopped, and pairs of features chosen, by the same rows, which gains more: among
 * 2,080 pairs that say nothing it was 3.  Where trees were of use it was 20 and more.
 */
#define MIN_LOSS_GAIN 10.0
/* The network's scores keep their order, however little they count. */
#define MIN_NETWORK_WEIGHT 0.02

/* Trees, and what they say of the validation rows. */
typedef struct Stacking
{
	Trees		trees;
	Dataset		data;			/* whose validation rows weigh 1 on average */
	const double *valid_logits;
	bool		counts;			/* when they were weighed last */
} Stacking;

static const char *const phase_names[] = {
	[TREES_SINGLES] = "trees: features",[TREES_FIRST_FOREST] = "trees: first forest",
	[TREES_PAIRS] = "trees: pairs of features",[TREES_FOREST] = "trees: forest"
};

static void
tell_progress(void *context, TreesPhase phase, int done, int total)
{
	const Trainer *trainer = context;
	TrainProgress progress = {.phase = PHASE_TREES,.name = phase_names[phase],.batch = done,
	.batches = total,.loss = NAN};

	trainer->observer->progress(trainer->observer->context, &progress);
}

/* What keeps trees from being tried, or from being weighed; NULL: nothing does. */
static const char *
why_none(const Trainer *trainer)
{
	const Config *config = trainer->config;
	const Dataset *data = trainer->data;
	const float *weights = base_rate_source_weights(trainer, SPLIT_VALID);
	const uint8_t *labels = data->labels + data->split_start[SPLIT_VALID];
	double		sum[2] = {0, 0};	/* of weights by label, and of their squares */
	double		squares = 0;

	for (size_t i = 0; i < dataset_rows(data, SPLIT_VALID); i++)
	{
		double		weight = weights ? weights[i] : 1;

		sum[labels[i]] += weight;
		squares += weight * weight;
	}
	if (!config->calibration)
		return "option \"calibration\" is false";
	if (config->negatives > 0)
		return "negative rows are sampled";
	if (dataset_rows(data, SPLIT_VALID) < MIN_VALID_ROWS)
		return "there are fewer than " TEXT_OF(MIN_VALID_ROWS) " validation rows";
	if (squares == 0)
		return "all validation rows have weight 0";
	/* rows of unlike weights say as much as so many of like ones (Kish) */
	if ((sum[0] + sum[1]) * (sum[0] + sum[1]) < MIN_VALID_ROWS * squares)
		return "by their weights the validation rows say less than " TEXT_OF(MIN_VALID_ROWS) " of one weight would";
	return sum[0] == 0 || sum[1] == 0 ? "all validation rows have one label" : NULL;
}

/*
 * Rows whose validation rows weigh 1 on average, as training rows do: what they gain is
 * compared with what chance gains, which goes by their number.
 */
static bool
weigh_validation(const Trainer *trainer, Dataset *weighted, EngineError *error)
{
	const Dataset *data = trainer->data;
	const float *source = base_rate_source_weights(trainer, SPLIT_VALID);
	size_t		first = data->split_start[SPLIT_VALID];
	size_t		n = dataset_rows(data, SPLIT_VALID);
	float	   *weights;
	double		sum = 0;

	*weighted = *data;
	if (!data->weights)
		return true;
	weights = ARENA_ARRAY(trainer->lasting, float, first + n);
	if (!arena_ok(trainer->lasting, error))
		return false;
	memcpy(weights, data->weights, first * sizeof(float));
	for (size_t i = 0; i < n; i++)
		sum += source ? source[i] : 1;
	for (size_t i = 0; i < n; i++)
		weights[first + i] = (float) ((source ? source[i] : 1) * (n / sum));
	weighted->weights = weights;
	return true;
}

/* What both parts count, and what that makes of the validation rows' log loss. */
typedef struct Weighed
{
	StackMap	map;
	double		loss_before;	/* of the network alone, summed */
	double		loss_after;		/* of both */
	bool		kept;			/* do trees gain enough? */
} Weighed;

/* Log loss of the rows under the first logits alone, summed. */
static double
loss_of(const StackRows *rows)
{
	double		sum = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		double		logit = rows->labels[i] ? rows->logits[0][i] : -rows->logits[0][i];

		sum += (rows->weights ? rows->weights[i] : 1) *
			(log1p(exp(-fabs(logit))) + fmax(-logit, 0));
	}
	return sum;
}

/* The network's calibrated scores of the validation rows become logits, and are weighed with the trees'. */
static bool
weigh(const Trainer *trainer, double *scores, Weighed *weighed, EngineError *error)
{
	const double least[STACK_PARTS] = {MIN_NETWORK_WEIGHT, 0};
	const Dataset *data = &trainer->stacking->data;
	size_t		first = data->split_start[SPLIT_VALID];
	StackRows	rows = {
		.logits = {scores, trainer->stacking->valid_logits},
		.labels = data->labels + first,
		.weights = data->weights ? data->weights + first : NULL,
		.n = dataset_rows(data, SPLIT_VALID)
	};

	for (size_t i = 0; i < rows.n; i++)
		scores[i] = logit_of(scores[i]);
	if (!stack_fit(&rows, least, &weighed->map, &weighed->loss_after, trainer->host, error))
		return false;
	weighed->loss_before = loss_of(&rows);
	weighed->kept = weighed->loss_before - weighed->loss_after >= MIN_LOSS_GAIN &&
		weighed->map.weight[1] > 0;
	return true;
}

/* As at the end of training: calibrated, weighed, and without trees where they gain too little. */
bool
stacking_add(const Trainer *trainer, Split split, double *scores, EngineError *error)
{
	Stacking   *stacking = trainer->stacking;
	size_t		n = dataset_rows(trainer->data, split);
	Calibration calibration;
	Weighed		weighed;

	if (!stacking || split != SPLIT_VALID)
		return true;
	if (!base_rate_calibration(trainer, scores, &calibration, error))
		return false;
	for (size_t i = 0; i < n; i++)
		scores[i] = calibrate(&calibration, scores[i], 0);
	if (!weigh(trainer, scores, &weighed, error))
		return false;
	stacking->counts = weighed.kept;
	for (size_t i = 0; i < n; i++)
		scores[i] = sigmoid(!weighed.kept ? scores[i] :
							weighed.map.weight[0] * scores[i] +
							weighed.map.weight[1] * stacking->valid_logits[i] + weighed.map.shift);
	return true;
}

bool
stacking_counts(const Trainer *trainer)
{
	return trainer->stacking && trainer->stacking->counts;
}

/* What both count beside the calibrated network, and the losses that the record tells of. */
static bool
weigh_kept(Trainer *trainer, Weighed *weighed, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(trainer->arena);
	size_t		n = dataset_rows(trainer->data, SPLIT_VALID);
	double	   *scores = ARENA_ARRAY(trainer->arena, double, n);
	TreesRecord *record = &trainer->result->trees;

	if (!arena_ok(trainer->arena, error) || !trainer_score(trainer, SPLIT_VALID, scores, error) ||
		!weigh(trainer, scores, weighed, error))
		return false;
	record->loss_before = weighed->loss_before / n;
	record->loss_after = weighed->loss_after / n;
	arena_reset_to(trainer->arena, mark);
	return true;
}

bool
stacking_finish(Trainer *trainer, EngineError *error)
{
	const Stacking *stacking = trainer->stacking;
	Calibration calibration = model_calibration(trainer->model);
	Weighed		weighed;

	if (!stacking)
		return true;
	if (!weigh_kept(trainer, &weighed, error))
		return false;
	/* from here on scores are the model's own */
	trainer->stacking = NULL;
	if (!weighed.kept)
		return true;
	trainer->model->trees = trees_pack(trainer->arena, &stacking->trees, &trainer->data->shape,
									   error);
	if (!trainer->model->trees)
		return false;
	calibration.log_scale += log(weighed.map.weight[0]);
	calibration.shift = weighed.map.weight[0] * calibration.shift + weighed.map.shift;
	calibration.trees_weight = weighed.map.weight[1];
	model_set_calibration(trainer->model, &calibration);
	return true;
}

bool
stacking_fit(Trainer *trainer, EngineError *error)
{
	const Config *config = trainer->config;
	TreesOptions options = {.max_trees = config->trees,.max_pairs = config->tree_pairs,
	.seed = config->seed};
	TreesObserver observer = {tell_progress, trainer};
	Stacking   *stacking;
	TreesReport report;

	if (!architecture_has_trees(config))
		return true;
	trainer->result->trees.why_none = why_none(trainer);
	if (trainer->result->trees.why_none)
		return true;
	stacking = ARENA_ARRAY(trainer->lasting, Stacking, 1);
	if (!arena_ok(trainer->lasting, error) ||
		!weigh_validation(trainer, &stacking->data, error) ||
		!trees_fit(trainer->lasting, &stacking->data, &options, trainer->team, trainer->host,
				   &observer, &stacking->trees, &report, error))
		return false;
	stacking->valid_logits = report.valid_logits;
	trainer->result->trees.fitted = stacking->trees.encodings.n > 0 &&
		stacking->trees.forest.n_trees > 0;
	if (trainer->result->trees.fitted)
		trainer->stacking = stacking;
	return true;
}
