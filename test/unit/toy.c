/*
 * toy.c
 *	  A small dataset for tests of training and scoring.
 */
#include "toy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/random.h"
#include "engine/networks/config_options.h"
#include "engine/sampling/negatives.h"

static const uint32_t table_rows[] = {FIRST_ID + TOY_DOMAINS, FIRST_ID + TOY_USERS,
FIRST_ID + TOY_ITEMS};
static const uint32_t field_table[] = {0, 1, 2, 2};
static const bool field_is_list[] = {false, false, false, true};

/* Domain sizes fall by half. */
static uint32_t
draw_domain(Random *random)
{
	uint32_t	domain = 0;

	while (domain < TOY_DOMAINS - 1 && random_below(random, 2) == 0)
		domain++;
	return domain;
}

Dataset *
toy_dataset(Arena *arena, size_t n)
{
	Dataset    *data = ARENA_ARRAY(arena, Dataset, 1);
	uint32_t   *ids = ARENA_ARRAY(arena, uint32_t, n * TOY_FIELDS);
	uint8_t    *labels = ARENA_ARRAY(arena, uint8_t, n);
	uint64_t   *list_start = ARENA_ARRAY(arena, uint64_t, n + 1);
	uint32_t   *members = ARENA_ARRAY(arena, uint32_t, 3 * n);
	Random		random;

	random_start(&random, 42, RANDOM_SIMULATE, 0);
	for (size_t row = 0; row < n; row++)
	{
		uint32_t	domain = draw_domain(&random);
		uint32_t	user = random_below(&random, TOY_USERS);
		uint32_t	item = random_below(&random, TOY_ITEMS);
		bool		likes = (user + item) % 2 == 0;
		uint64_t	length = random_below(&random, 4);

		ids[row * TOY_FIELDS] = FIRST_ID + domain;
		ids[row * TOY_FIELDS + 1] = FIRST_ID + user;
		ids[row * TOY_FIELDS + 2] = FIRST_ID + item;
		ids[row * TOY_FIELDS + 3] = row;
		list_start[row + 1] = list_start[row] + length;
		for (uint64_t i = list_start[row]; i < list_start[row + 1]; i++)
			members[i] = FIRST_ID + random_below(&random, TOY_ITEMS);
		labels[row] = random_uniform(&random) < (likes ? 0.8 : 0.3) - 0.05 * (domain % 2);
	}
	for (int f = 0; f < 3; f++)
		ids[(n - 1) * TOY_FIELDS + f] = UNSEEN_ID;
	data->shape = (Shape) {.n_tables = 3,.table_rows = table_rows,.n_fields = TOY_FIELDS,
		.field_table = field_table,.field_is_list = field_is_list,.domain_field = 0,
		.user_field = 1,.item_field = 2};
	data->split_start[1] = n * 8 / 10;
	data->split_start[2] = n * 9 / 10;
	data->split_start[3] = n;
	data->ids = ids;
	data->labels = labels;
	data->list_start = list_start;
	data->list_members = members;
	return data;
}

Dataset *
toy_sampled(Arena *arena, const Config *config, const Dataset *data)
{
	FieldBond	bonds[TOY_FIELDS] = {0};
	EngineHost	host = toy_host();
	NegativeReport report;
	EngineError error;

	return negatives_draw(arena, config, data, bonds, &host, &report, &error);
}

static const uint32_t vector_table_rows[] = {FIRST_ID + 4, FIRST_ID + VECTOR_USERS, FIRST_ID + TOY_LENGTH};
static const uint32_t vector_table[] = {0, 1, 2};
static const bool vector_is_list[] = {false, false, true};
static const bool vector_is_dense[] = {false, false, true};

static uint32_t
bits_of(float number)
{
	uint32_t	bits;

	memcpy(&bits, &number, sizeof(bits));
	return bits;
}

/* A vector whose neighbours go together; returns what it tells of the label. */
static double
draw_vector(Random *random, uint32_t *members)
{
	double		logit = 0;
	double		last = random_normal(random);

	members[0] = UNSEEN_ID;
	for (int i = 0; i < TOY_LENGTH; i++)
	{
		last = 0.8 * last + 0.6 * random_normal(random);
		members[1 + i] = bits_of((float) last);
		logit += (i % 3 == 0 ? 1.5 : i % 3 == 1 ? -1.5 : 0.5) * last;
	}
	return logit;
}

/* Only the vector tells the label; every twentieth row has none, and says no. */
Dataset *
toy_vectors(Arena *arena, size_t n)
{
	Dataset    *data = ARENA_ARRAY(arena, Dataset, 1);
	uint32_t   *ids = ARENA_ARRAY(arena, uint32_t, n * VECTOR_FIELDS);
	uint8_t    *labels = ARENA_ARRAY(arena, uint8_t, n);
	uint64_t   *list_start = ARENA_ARRAY(arena, uint64_t, n + 1);
	uint32_t   *members = ARENA_ARRAY(arena, uint32_t, n * (TOY_LENGTH + 1));
	Random		random;

	random_start(&random, 42, RANDOM_SIMULATE, 0);
	for (size_t row = 0; row < n; row++)
	{
		bool		missing = random_below(&random, 20) == 0;
		uint32_t   *vector = members + list_start[row];
		double		logit = -3;

		ids[row * VECTOR_FIELDS] = FIRST_ID + random_below(&random, 4);
		ids[row * VECTOR_FIELDS + 1] = FIRST_ID + random_below(&random, VECTOR_USERS);
		ids[row * VECTOR_FIELDS + 2] = row;
		if (missing)
			vector[0] = NULL_ID;
		else
			logit = draw_vector(&random, vector);
		list_start[row + 1] = list_start[row] + (missing ? 1 : 1 + TOY_LENGTH);
		labels[row] = random_uniform(&random) < 1 / (1 + exp(-logit));
	}
	*data = (Dataset) {.split_start = {0, n * 7 / 10, n * 8 / 10, n},.ids = ids,
		.labels = labels,.list_start = list_start,.list_members = members};
	data->shape = (Shape) {.n_tables = 3,.table_rows = vector_table_rows,.n_fields = VECTOR_FIELDS,
		.field_table = vector_table,.field_is_list = vector_is_list,
		.field_is_dense = vector_is_dense,.domain_field = 0,.user_field = 1,.item_field = -1};
	return data;
}

void
toy_config(Config *config, int architecture)
{
	config_defaults(config);
	config->architecture = architecture;
	config->embed_dim = 4;
	config->mmoe_experts = 2;
	config->mmoe_dims = (IntList) {2, {16, 8}};
	config->mmoe_mixtures = 2;
	config->deep_dims = (IntList) {2, {16, 8}};
	config->hei_experts = (IntList) {3, {2, 3, 4}};
	config->hei_hidden = (IntList) {3, {8, 8, 4}};
	config->hei_output = (IntList) {3, {8, 4, 4}};
	config->cross_layers = 2;
	config->batch_size = 64;
	config->epochs = 3;
	config->warmup_batches = 5;
	config->mask_interval = 10;
	config->candidates = 4;
	config->learning_rate = 3e-3;
	/* test_stacking.c has them */
	config->trees = 0;
}

static bool
never_interrupted(void *context)
{
	(void) context;
	return false;
}

static double
monotonic_seconds(void *context)
{
	struct timespec t;

	(void) context;
	timespec_get(&t, TIME_UTC);
	return (double) t.tv_sec + t.tv_nsec * 1e-9;
}

EngineHost
toy_host(void)
{
	return (EngineHost) {.interrupted = never_interrupted,.seconds = monotonic_seconds};
}

/* An array of the toy store; moved at its end, as a file's is. */
typedef struct ToyArray
{
	char	   *bytes;
	size_t		size;
	bool		finished;
} ToyArray;

static bool
toy_room(void *context, size_t bytes)
{
	(void) context;
	return bytes == 0;
}

static void *
toy_begin(void *context)
{
	ToyStore   *toy = context;

	toy->begun++;
	toy->open++;
	toy->last = calloc(1, sizeof(ToyArray));
	return toy->last;
}

static void
toy_append(void *context, void *array, const void *bytes, size_t size)
{
	ToyArray   *to = array;

	(void) context;
	if (to->finished)
		abort();
	to->bytes = realloc(to->bytes, to->size + size + 1);
	memcpy(to->bytes + to->size, bytes, size);
	to->size += size;
}

static const void *
toy_finish(void *context, void *array)
{
	ToyArray   *finished = array;

	(void) context;
	finished->finished = true;
	return finished->bytes;
}

static void
toy_drop(void *context, void *array)
{
	((ToyStore *) context)->open--;
	free(((ToyArray *) array)->bytes);
	free(array);
}

void
toy_store_init(ToyStore *toy)
{
	*toy = (ToyStore) {.store = {toy_room, toy_begin, toy_append, toy_finish, toy_drop, toy}};
}

static void
ignore_progress(void *context, const TrainProgress *progress)
{
	(void) context;
	(void) progress;
}

static void
ignore_evaluation(void *context, const Evaluation *evaluation)
{
	(void) context;
	(void) evaluation;
}

TrainObserver
toy_observer(void)
{
	return (TrainObserver) {.progress = ignore_progress,.evaluation = ignore_evaluation};
}

TrainResult *
train_toy(Arena *arena, const Dataset *data, const Config *config, EngineError *error)
{
	EngineHost	host = toy_host();
	TrainObserver observer = toy_observer();

	return train(arena, config, data, NULL, &host, &observer, NULL, error);
}
