/*
 * mask_restore.c
 *	  Theta0, from which every candidate of the mask search starts.
 *
 * Experts and heads are copied from the model, which their candidates do not
 * touch.  Where candidates train the model itself, its dense parameters are
 * copied back, and of the row tensors the rows that the domain's batch touches
 * (the batch is the same for all of its candidates).  Batch norm's running
 * statistics are not moved.
 */
#include "engine/train/mask_restore.h"

#include <string.h>

/* Room for the present slots of one row tensor: saved values and moments. */
static bool
reserve_slots(Arena *arena, const RowTensor *tensor, size_t *slots, real **saved,
			  real **first, real **second, EngineError *error)
{
	if (tensor->n_slots <= *slots)
		return true;
	*slots = tensor->n_slots > 2 * *slots ? tensor->n_slots : 2 * *slots;
	*saved = ARENA_ARRAY(arena, real, *slots * tensor->dim);
	*first = ARENA_ARRAY(arena, real, *slots * tensor->dim);
	*second = ARENA_ARRAY(arena, real, *slots * tensor->dim);
	return arena_ok(arena, error);
}

static void
save_rows(const RowTensor *tensor, real *saved)
{
	size_t		dim = tensor->dim;

	for (uint32_t slot = 0; slot < tensor->n_slots; slot++)
		memcpy(saved + slot * dim, tensor->values + tensor->rows[slot] * dim,
			   dim * sizeof(real));
}

static void
restore_rows(const RowTensor *tensor, const real *saved)
{
	size_t		dim = tensor->dim;

	for (uint32_t slot = 0; slot < tensor->n_slots; slot++)
		memcpy(tensor->values + tensor->rows[slot] * dim, saved + slot * dim,
			   dim * sizeof(real));
}

bool
search_save(Trainer *trainer, EngineError *error)
{
	Search	   *search = search_of(trainer);
	Network    *network = &trainer->network;
	Optimizer  *optimizer = &search->workers[0].optimizer;
	PassMode	mode = {.dropout = false};
	double		loss;

	if (!search_is_full(trainer))
		return true;
	memcpy(search->saved_dense, trainer->model->params, network->n_dense * sizeof(real));
	network_base_forward(network, &search->train_batch, &mode);
	network_upper_forward(network, &search->train_batch, &network->base, &mode);
	if (!network_backward(network, &search->train_batch, &loss, error))
		return false;
	for (int t = 0; t < trainer->model->n_rows; t++)
	{
		if (!reserve_slots(trainer->arena, &network->pass.rows[t], &search->table_slots[t],
						   &search->saved_tables[t], &optimizer->table_first[t],
						   &optimizer->table_second[t], error))
			return false;
		save_rows(&network->pass.rows[t], search->saved_tables[t]);
	}
	return true;
}

void
search_restore(Trainer *trainer, SearchWorker *worker)
{
	const Search *search = search_of(trainer);
	Network    *network = worker->network;
	Optimizer  *optimizer = &worker->optimizer;
	size_t		n = search_is_full(trainer) ? network->n_dense : network->model->n_above_cut;

	memcpy(network->model->params, search_is_full(trainer) ? search->saved_dense :
		   trainer->model->params, n * sizeof(real));
	memset(optimizer->first, 0, n * sizeof(real));
	memset(optimizer->second, 0, n * sizeof(real));
	optimizer->step = 0;
	if (!search_is_full(trainer))
		return;
	for (int t = 0; t < trainer->model->n_rows; t++)
	{
		size_t		size = network->pass.rows[t].n_slots * (size_t) network->pass.rows[t].dim;

		/* as of histories, where no row of the batch has any */
		if (size == 0)
			continue;
		restore_rows(&network->pass.rows[t], search->saved_tables[t]);
		memset(optimizer->table_first[t], 0, size * sizeof(real));
		memset(optimizer->table_second[t], 0, size * sizeof(real));
	}
}
