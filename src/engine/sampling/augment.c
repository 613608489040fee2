/*
 * augment.c
 *	  Augmented rows drawn out of a dataset in memory, in two passes over it.
 */
#include "engine/sampling/augment.h"

#include "engine/sampling/augment_draw.h"

/* Rows seen or drawn between two looks at the host. */
#define CHECK_STEPS 65536

static uint32_t
id_of(const Dataset *data, size_t row, int field)
{
	return field < 0 ? 0 : dataset_id(data, row, field);
}

/* Now and then: does the host want to stop? */
static bool
go_on(const EngineHost *host, uint64_t *steps, EngineError *error)
{
	return ++*steps % CHECK_STEPS != 0 || host_continue(host, error);
}

/* Negatives that minor domains have rows of; sampled ones say only that nobody took the pair. */
static bool
fill_rejections(const Dataset *data, const AugmentPlan *plan, const EngineHost *host,
				Rejections *rejections, EngineError *error)
{
	const Shape *shape = &data->shape;
	uint64_t	steps = 0;

	for (size_t row = data->train_sampled; row < data->split_start[SPLIT_VALID]; row++)
	{
		int64_t		domain = dataset_domain(data, row);
		uint32_t	item = id_of(data, row, shape->item_field);

		if (!go_on(host, &steps, error))
			return false;
		if (augment_is_rejection(plan, domain, item, data->labels[row]) &&
			!rejections_add(rejections, id_of(data, row, shape->user_field), item, domain,
							error))
			return false;
	}
	return true;
}

/* One pass of the draw; place [n_domains], where each domain's next row goes, NULL in the first. */
static bool
run_pass(const Dataset *data, const AugmentPlan *plan, const EngineHost *host, Draw *draw,
		 uint32_t *rows, uint64_t *place, EngineError *error)
{
	const Shape *shape = &data->shape;
	uint64_t	steps = 0;

	for (size_t row = 0; row < data->split_start[SPLIT_VALID]; row++)
	{
		uint32_t	item = id_of(data, row, shape->item_field);
		uint32_t	domain;

		if (!go_on(host, &steps, error))
			return false;
		if (!augment_is_drawable(plan, dataset_domain(data, row), item, data->labels[row]))
			continue;
		draw_row(draw, id_of(data, row, shape->user_field), item);
		while (place && draw_take(draw, &domain))
		{
			if (!go_on(host, &steps, error))
				return false;
			rows[place[domain]++] = row;
		}
	}
	return true;
}

/* Both passes; fills *rows. */
static bool
draw_all(Arena *arena, const Dataset *data, const AugmentPlan *plan, const EngineHost *host,
		 Draw *draw, AugmentedRows *rows, EngineError *error)
{
	uint32_t	n_domains = plan->counts.n_domains;
	uint64_t   *place = ARENA_ARRAY(arena, uint64_t, n_domains);

	if (!arena_ok(arena, error) ||
		!run_pass(data, plan, host, draw, NULL, NULL, error))
		return false;
	draw_begin(draw);
	for (uint32_t d = 0; d < n_domains; d++)
	{
		place[d] = rows->start[d];
		rows->start[d + 1] = rows->start[d] + draw_rows(draw, d);
	}
	return run_pass(data, plan, host, draw, rows->rows, place, error);
}

bool
augment_room(Arena *arena, const AugmentPlan *plan, AugmentedRows *rows, EngineError *error)
{
	uint64_t	total = 0;

	for (uint32_t d = 0; d < plan->counts.n_domains; d++)
		total += plan->rows_to_add[d];
	rows->start = ARENA_ARRAY(arena, uint64_t, (size_t) plan->counts.n_domains + 1);
	rows->rows = ARENA_ARRAY(arena, uint32_t, total);
	return arena_ok(arena, error);
}

bool
augment_draw(Arena *arena, const Config *config, const Dataset *data, const AugmentPlan *plan,
			 const EngineHost *host, AugmentedRows *rows, EngineError *error)
{
	struct ArenaBlock *mark = arena_mark(arena);
	Rejections	rejections;
	Draw		draw;
	bool		ok;

	ok = rejections_init(&rejections, arena, error) &&
		fill_rejections(data, plan, host, &rejections, error) &&
		draw_init(&draw, arena, config, plan, &rejections, error) &&
		draw_all(arena, data, plan, host, &draw, rows, error);
	rejections_free(&rejections);
	arena_reset_to(arena, mark);
	return ok;
}
