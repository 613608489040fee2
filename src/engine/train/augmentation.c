/*
 * augmentation.c
 *	  Augmented rows of a training, drawn once or before each mask update.
 *
 * An item's score is the mean over all of its training rows, so that it tells what
 * everybody thinks of the item, as popularity does.  Scores of the rows that are to be
 * drawn would tell of their users instead: whom the network knows least, it would draw most.
 */
#include "engine/train/augmentation.h"

#include <float.h>
#include <math.h>

#include "engine/sampling/augment.h"
#include "engine/train/popularity.h"
#include "engine/train/split_scores.h"

/* Rows looked at between two looks at the host. */
#define CHECK_ROWS 65536

typedef struct Augmentation
{
	AugmentCounts counts;
	AugmentPlan plan;			/* by score: of rows to add alone */
	AugmentedRows drawn;		/* with room for the plan's */
} Augmentation;

static bool
by_score(const Trainer *trainer)
{
	return trainer->augmentation && trainer->config->popularity == POPULARITY_SCORE;
}

bool
augmentation_init(Trainer *trainer, EngineError *error)
{
	const Config *config = trainer->config;
	Arena	   *arena = trainer->arena;
	Augmentation *augmentation;

	trainer->augmentation = NULL;
	if (config->augment_ratio <= 0 || trainer->data->shape.item_field < 0)
		return true;
	augmentation = ARENA_ARRAY(arena, Augmentation, 1);
	if (!arena_ok(arena, error) ||
		!augment_count(arena, trainer->data, &augmentation->counts, error) ||
		!augment_plan(arena, config, &augmentation->counts, &augmentation->plan, error) ||
		!augment_room(arena, &augmentation->plan, &augmentation->drawn, error))
		return false;
	trainer->augmentation = augmentation;
	return by_score(trainer) ||
		augment_draw(arena, config, trainer->data, &augmentation->plan, trainer->host,
					 &augmentation->drawn, error);
}

/*
 * Mean score of each item's training rows -> means [items], zeroed; sampled negatives are
 * not its own.  Above 0, since rows are drawn with weight 1 / p(i).
 */
static bool
score_items(Trainer *trainer, const double *scores, double *means, EngineError *error)
{
	const Dataset *data = trainer->data;
	uint32_t	n_items = trainer->augmentation->counts.n_items;
	uint32_t   *rows = ARENA_ARRAY(trainer->arena, uint32_t, n_items);

	if (!arena_ok(trainer->arena, error))
		return false;
	for (size_t row = data->train_sampled; row < data->split_start[SPLIT_VALID]; row++)
	{
		uint32_t	item = dataset_id(data, row, data->shape.item_field);

		if ((row + 1) % CHECK_ROWS == 0 && !host_continue(trainer->host, error))
			return false;
		means[item] += scores[row];
		rows[item]++;
	}
	for (uint32_t item = 0; item < n_items; item++)
		means[item] = rows[item] > 0 ? fmax(means[item] / rows[item], DBL_EPSILON) : NAN;
	return true;
}

/* Plan and draw by scores; what is allocated on the way is the caller's to give back. */
static bool
draw_by_score(Trainer *trainer, EngineError *error)
{
	Arena	   *arena = trainer->arena;
	Augmentation *augmentation = trainer->augmentation;
	AugmentCounts counts = augmentation->counts;
	double	   *scores = ARENA_ARRAY(arena, double, counts.rows);
	double	   *means = ARENA_ARRAY(arena, double, counts.n_items);
	AugmentPlan plan;

	if (!arena_ok(arena, error))
		return false;
	/* as a stored model would score */
	popularity_add(trainer);
	if (!trainer_score(trainer, SPLIT_TRAIN, scores, error))
		return false;
	popularity_remove(trainer);
	counts.item_scores = means;
	return score_items(trainer, scores, means, error) &&
		augment_plan(arena, trainer->config, &counts, &plan, error) &&
		augment_draw(arena, trainer->config, trainer->data, &plan, trainer->host,
					 &augmentation->drawn, error);
}

bool
augmentation_update(Trainer *trainer, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(trainer->arena);

	if (!by_score(trainer))
		return true;
	if (!draw_by_score(trainer, error))
		return false;
	arena_reset_to(trainer->arena, mark);
	return true;
}

uint64_t
augmentation_rows(const Trainer *trainer, uint32_t domain, const uint32_t **rows)
{
	const AugmentedRows *drawn;

	if (!trainer->augmentation)
		return 0;
	drawn = &trainer->augmentation->drawn;
	if (rows)
		*rows = drawn->rows + drawn->start[domain];
	return drawn->start[domain + 1] - drawn->start[domain];
}

uint64_t
augmentation_room(const Trainer *trainer, uint32_t domain)
{
	return trainer->augmentation ? trainer->augmentation->plan.rows_to_add[domain] : 0;
}

void
augmentation_parts(Trainer *trainer, PartList *list)
{
	if (by_score(trainer))
		part_list_add(list, "augmented_start", -1, trainer->augmentation->drawn.start,
					  ((size_t) trainer->model->n_domains + 1) * sizeof(uint64_t));
}

bool
augmentation_check(const Trainer *trainer, EngineError *error)
{
	const uint64_t *start;

	if (!by_score(trainer))
		return true;
	start = trainer->augmentation->drawn.start;
	for (uint32_t d = 0; d < trainer->model->n_domains; d++)
		if (start[d + 1] < start[d] || start[d + 1] - start[d] > augmentation_room(trainer, d))
			return checkpoint_corrupt(error, "its augmented rows are not those of this training");
	return start[0] == 0 ||
		checkpoint_corrupt(error, "its augmented rows are not those of this training");
}
