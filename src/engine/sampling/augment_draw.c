/*
 * augment_draw.c
 *	  Two passes over the pool.
 *
 * The first one adds up, for each domain, the weights that it rejects.  In the
 * second one domains lie in a heap by where their next point is on the pool's line.
 * A row takes those from the top that it covers.  What a domain rejects moves its
 * points further on, so that keys in the heap are lower bounds.
 *
 * Rounding may leave points beyond the end of a domain's line: its last row takes
 * them.
 */
#include "engine/sampling/augment_draw.h"

#include <math.h>
#include <stdlib.h>

bool
draw_init(Draw *draw, Arena *arena, const Config *config, const AugmentPlan *plan,
		  const Rejections *rejections, EngineError *error)
{
	uint32_t	n_domains = plan->counts.n_domains;

	*draw = (Draw) {.plan = plan,.rejections = rejections,.seed = config->seed};
	for (uint32_t d = 0; d < n_domains; d++)
		draw->n += plan->rows_to_add[d] > 0;
	draw->domains = ARENA_ARRAY(arena, DomainDraw, draw->n);
	draw->numbers = ARENA_ARRAY(arena, uint32_t, n_domains);
	draw->heap = ARENA_ARRAY(arena, uint32_t, draw->n);
	draw->last_rows = ARENA_ARRAY(arena, LastRow, draw->n);
	if (!arena_ok(arena, error))
		return false;
	draw->n = 0;
	for (uint32_t d = 0; d < n_domains; d++)
		if (plan->rows_to_add[d] > 0)
		{
			draw->domains[draw->n] = (DomainDraw) {.domain = d,
				.remaining = plan->rows_to_add[d]};
			draw->numbers[d] = ++draw->n;
		}
	return true;
}

/* Note who rejects the present row, each once. */
static void
note_rejections(Draw *draw, uint32_t user, uint32_t item, double weight)
{
	const Rejection *entry = rejections_find(draw->rejections, user, item);

	for (; entry; entry = rejections_next(draw->rejections, entry))
	{
		uint32_t	number = draw->numbers[entry->domain];
		DomainDraw *d;

		if (number == 0 || draw->domains[number - 1].rejected_row == draw->row)
			continue;
		d = &draw->domains[number - 1];
		d->run = d->rejected_row == draw->row - 1 ? d->run + 1 : 1;
		d->rejected_row = draw->row;
		d->rejected += weight;
		d->n_rejected++;
	}
}

void
draw_row(Draw *draw, uint32_t user, uint32_t item)
{
	double		weight = 1 / draw->plan->popularity[item];

	draw->row++;
	draw->cumulative += weight;
	note_rejections(draw, user, item, weight);
}

/*
 * The next of the domain's sorted points: the smallest of k uniform ones
 * leaves a share of U^(1/k) beyond it, of which the other k - 1 are uniform.
 */
static void
next_point(DomainDraw *d)
{
	d->rest *= pow(1 - random_uniform(&d->random), 1.0 / d->remaining);
	d->point = d->total * (1 - d->rest);
	d->key = d->point + d->rejected;
}

static void
sift_down(Draw *draw, uint32_t at)
{
	uint32_t   *heap = draw->heap;
	uint32_t	moved = heap[at];

	for (;;)
	{
		uint32_t	child = 2 * at + 1;

		if (child + 1 < draw->n_heap &&
			draw->domains[heap[child + 1]].key < draw->domains[heap[child]].key)
			child++;
		if (child >= draw->n_heap ||
			draw->domains[heap[child]].key >= draw->domains[moved].key)
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

/* The second pass begins for the domain at a position. */
static void
begin_domain(Draw *draw, uint32_t position)
{
	DomainDraw *d = &draw->domains[position];
	uint64_t	last_row = d->rejected_row == draw->row ? draw->row - d->run : draw->row;

	if (d->n_rejected == draw->row)
		d->remaining = 0;
	if (d->remaining == 0)
		return;
	d->total = draw->cumulative - d->rejected;
	d->rejected = 0;
	d->n_rejected = d->rejected_row = d->run = 0;
	d->rest = 1;
	random_start(&d->random, draw->seed, RANDOM_AUGMENT, d->domain);
	next_point(d);
	draw->last_rows[draw->n_last++] = (LastRow) {.row = last_row,.position = position};
	draw->heap[draw->n_heap++] = position;
}

static int
compare_last_row(const void *a, const void *b)
{
	const LastRow *x = a;
	const LastRow *y = b;

	return (x->row > y->row) - (x->row < y->row);
}

void
draw_begin(Draw *draw)
{
	for (uint32_t i = 0; i < draw->n; i++)
		begin_domain(draw, i);
	qsort(draw->last_rows, draw->n_last, sizeof(LastRow), compare_last_row);
	for (uint32_t at = draw->n_heap / 2; at > 0; at--)
		sift_down(draw, at - 1);
	draw->row = 0;
	draw->cumulative = 0;
}

uint64_t
draw_rows(const Draw *draw, uint32_t domain)
{
	return draw->numbers[domain] > 0 ? draw->domains[draw->numbers[domain] - 1].remaining : 0;
}

/* The top of the heap is done with. */
static void
remove_top(Draw *draw)
{
	draw->heap[0] = draw->heap[--draw->n_heap];
	if (draw->n_heap > 0)
		sift_down(draw, 0);
}

/* Points that rounding left beyond a domain's line: they are its last row's. */
static bool
take_leftover(Draw *draw, uint32_t *domain)
{
	for (; draw->at_last < draw->n_last; draw->at_last++)
	{
		const LastRow *last = &draw->last_rows[draw->at_last];
		DomainDraw *d = &draw->domains[last->position];

		if (last->row > draw->row)
			return false;
		if (d->remaining > 0)
		{
			d->remaining--;
			*domain = d->domain;
			return true;
		}
	}
	return false;
}

/*
 * What a domain has rejected since its key was computed shifts its point.  Keys
 * in the heap are therefore lower bounds: the top's is computed anew, and it
 * goes down again if the point lies beyond the present row.
 */
bool
draw_take(Draw *draw, uint32_t *domain)
{
	while (draw->n_heap > 0)
	{
		DomainDraw *d = &draw->domains[draw->heap[0]];

		if (d->remaining == 0)
		{
			remove_top(draw);
			continue;
		}
		if (d->key >= draw->cumulative)
			break;
		d->key = d->point + d->rejected;
		/* rounding must not put a point into a row that is rejected */
		if (d->rejected_row == draw->row && d->key < draw->cumulative)
			d->key = draw->cumulative;
		if (d->key >= draw->cumulative)
		{
			sift_down(draw, 0);
			continue;
		}
		*domain = d->domain;
		if (--d->remaining > 0)
		{
			next_point(d);
			sift_down(draw, 0);
		}
		else
			remove_top(draw);
		return true;
	}
	return take_leftover(draw, domain);
}
