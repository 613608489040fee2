/*
 * units.c
 *	  Rows of batches.
 *
 * Negatives of a group lie one after the other, in the order of the positive rows that
 * they were sampled for (Dataset's sampled_start).
 *
 * Memory: 4 bytes for each group, for the whole training, and a batch's rows.
 */
#include "engine/train/units.h"

#include "engine/networks/architectures.h"

/* The negatives of a training row: how many there are, from row *first on. */
static uint32_t
negatives_of(const Dataset *data, size_t row, uint32_t *first)
{
	size_t		own = row - data->train_sampled;

	*first = 0;
	if (row < data->train_sampled || !data->labels[row])
		return 0;
	*first = data->sampled_start[own];
	return data->sampled_start[own + 1] - *first;
}

size_t
units_among(const Trainer *trainer, uint32_t *rows, size_t n)
{
	size_t		found = 0;
	uint32_t	first;

	if (!trainer->units->grouped)
		return n;
	for (size_t i = 0; i < n; i++)
		if (negatives_of(trainer->data, rows[i], &first) > 0)
			rows[found++] = rows[i];
	return found;
}

static bool
find_leads(Trainer *trainer, Units *units, EngineError *error)
{
	const Dataset *data = trainer->data;
	size_t		end = data->split_start[SPLIT_VALID];
	uint32_t	first;

	units->leads = ARENA_ARRAY(trainer->lasting, uint32_t,
							   data->sampled_start ? end - data->train_sampled : 0);
	if (!arena_ok(trainer->lasting, error))
		return false;
	for (size_t row = data->train_sampled; row < end && data->sampled_start; row++)
		if (negatives_of(data, row, &first) > 0)
			units->leads[units->n++] = (uint32_t) row;
	if (units->n > 0)
		return true;
	return engine_fail(error, ENGINE_BAD_INPUT,
					   "Option \"loss\" compares positive rows with negatives sampled for them: \"logistic\" does without.",
					   "no positive training row has sampled negatives");
}

bool
units_init(Trainer *trainer, EngineError *error)
{
	const Config *config = trainer->config;
	Units	   *units = trainer->units = ARENA_ARRAY(trainer->lasting, Units, 1);

	if (!arena_ok(trainer->lasting, error))
		return false;
	units->grouped = config->loss != LOSS_LOGISTIC &&
		architecture_uses(config->architecture, "loss");
	units->rows = units->grouped ? 1 + config->negatives : 1;
	units->batch_rows = ARENA_ARRAY(trainer->lasting, uint32_t, config->batch_size);
	units->batch_domains = ARENA_ARRAY(trainer->lasting, int64_t, config->batch_size);
	units->n = units->grouped ? 0 : dataset_rows(trainer->data, SPLIT_TRAIN);
	return arena_ok(trainer->lasting, error) &&
		(!units->grouped || find_leads(trainer, units, error));
}

int
units_per_batch(const Trainer *trainer)
{
	return trainer->config->batch_size / trainer->units->rows;
}

/* The rows of groups, and their domains; returns how many. */
static int
expand(const Trainer *trainer, const uint32_t *leads, const int64_t *domains, int n)
{
	Units	   *units = trainer->units;
	int			n_rows = 0;

	for (int i = 0; i < n; i++)
	{
		uint32_t	first;
		uint32_t	negatives = negatives_of(trainer->data, leads[i], &first);

		for (uint32_t k = 0; k <= negatives; k++)
		{
			units->batch_domains[n_rows] = domains ? domains[i] : -1;
			units->batch_rows[n_rows++] = k == 0 ? leads[i] : first + k - 1;
		}
	}
	return n_rows;
}

void
units_fill_batch(const Trainer *trainer, Batch *batch, const uint32_t *units,
				 const int64_t *domains, int n)
{
	const Dataset *data = trainer->data;
	bool		grouped = trainer->units->grouped;
	int			n_units = n;

	if (grouped)
	{
		n = expand(trainer, units, domains, n);
		units = trainer->units->batch_rows;
		domains = trainer->units->batch_domains;
	}
	batch_fill(batch, &trainer->model->shape, data->ids, data->labels, data->list_start,
			   data->list_members, units, domains, n);
	batch_fill_history(batch, &trainer->model->shape, trainer->history, NULL, true);
	batch->grouped = grouped;
	batch->n_units = n_units;
	/* a group has one positive row: its weight as one of two classes says nothing */
	batch->row_weights = grouped ? trainer->row_weights : data->weights;
}
