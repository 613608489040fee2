/*
 * test_architectures.c
 *	  Options that an architecture does not list have no effect on it.
 */
#include <math.h>
#include <string.h>

#include "toy.h"
#include "unit.h"

#include "engine/networks/architectures.h"
#include "engine/networks/config_options.h"

/* Another value than the one that an option has, within its range. */
static void
change(const Option *option, Config *config)
{
	char	   *at = (char *) config + option->offset;

	switch (option->type)
	{
		case OPTION_BOOL:
			*(bool *) at = !*(bool *) at;
			break;
		case OPTION_INT:
			if (*(int *) at == NULL_INT)
				*(int *) at = (int) option->minimum + 1;
			else
				*(int *) at += *(int *) at < option->maximum ? 1 : -1;
			break;
		case OPTION_REAL:
			*(double *) at = isnan(*(double *) at) ? option->minimum + 0.3 :
				(*(double *) at + option->minimum) / 2;
			break;
		case OPTION_SEED:
			++*(uint64_t *) at;
			break;
		case OPTION_CHOICE:
			*(int *) at = option_choice(option, *(int *) at + 1) ? *(int *) at + 1 : 0;
			break;
		case OPTION_INT_LIST:
			++((IntList *) at)->value[0];
			break;
		case OPTION_NAME_LIST:
			strcpy(((NameList *) at)->value[((NameList *) at)->n++], "column");
			break;
	}
}

/* The loss of all batches tells the parameters of all, whichever are kept. */
static bool
same_training(const TrainResult *a, const TrainResult *b)
{
	bool		same = a->model->n_params == b->model->n_params &&
		memcmp(a->model->params, b->model->params, a->model->n_params * sizeof(real)) == 0 &&
		a->n_evaluations == b->n_evaluations && a->n_mask_updates == b->n_mask_updates;

	for (int i = 0; same && i < a->n_evaluations; i++)
		same = memcmp(&a->evaluations[i].train_loss, &b->evaluations[i].train_loss, sizeof(double)) == 0;
	return same;
}

/* A training with all options that the architecture does not use changed, all at once. */
static void
check_unused(int architecture)
{
	Arena		arena;
	EngineError error = {0};
	Config		config;
	Config		changed;
	Dataset    *data;
	TrainResult *plain;
	TrainResult *other;

	arena_init_malloc(&arena);
	data = toy_dataset(&arena, 1500);
	toy_config(&config, architecture);
	config.epochs = 1;
	config.minor_share = 0.18;
	config.major_share = 0.18;
	config.augment_ratio = 1;
	changed = config;
	for (int i = 0; i < config_table.n; i++)
		if (!architecture_uses(architecture, config_table.options[i].name))
			change(&config_table.options[i], &changed);
	plain = train_toy(&arena, data, &config, &error);
	other = train_toy(&arena, data, &changed, &error);
	CHECK(plain && other);
	CHECK(same_training(plain, other));
	arena_free_all(&arena);
}

int
main(void)
{
	for (int a = 0; architecture_name(a); a++)
		check_unused(a);
	return unit_summary();
}
