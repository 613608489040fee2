/*
 * split_scores.c
 *	  Scores of a split's rows under the present parameters.
 *
 * Threads: the scorer shares the rows among the team.
 */
#include "engine/train/split_scores.h"

#include "engine/score/score.h"

bool
trainer_score(Trainer *trainer, Split split, double *scores, EngineError *error)
{
	const Dataset *data = trainer->data;
	ScoreRows	rows = {
		.n_rows = dataset_rows(data, split),
		.ids = data->ids + data->split_start[split] * (size_t) data->shape.n_fields,
		.list_start = data->list_start,
		.list_members = data->list_members
	};
	Scorer	   *scorer = scorer_create(trainer->arena, trainer->model, READY_BYTES,
									   trainer->team, trainer->host, error);

	if (!scorer)
		return false;
	if (scorer_score(scorer, &rows, scores, error))
		return true;
	return error->code != ENGINE_CORRUPT ? false :
		engine_fail(error, ENGINE_DIVERGED, "Set a smaller learning_rate.",
					"training diverged: scores are not finite");
}
