/*
 * test_models.c
 *	  Scores of models drawn at random (architectures, widths, shared tables,
 *	  lists, masks, histories, products ready or not): rows against batches, threads and an
 *	  independent recomputation; a row's score does not depend on what came before.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pick.h"
#include "engine/networks/architectures.h"
#include "engine/networks/build.h"
#include "reference/reference.h"
#include "unit.h"

#include "engine/model/mask.h"
#include "engine/networks/config_options.h"
#include "engine/score/score.h"

#define CASES 64				/* the architectures in turn */
#define MOST_FIELDS 12
#define MOST_ROWS 300
#define REFERENCES 20

static const int widths[] = {1, 2, 5, 8, 15, 16, 17, 31, 32, 33, 48, 64, 65, 80, 100, 128, 130, 200};
static const int embed_dims[] = {1, 3, 4, 8, 16, 17, 33, 150};

static double
number(Random *random)
{
	return 2 * random_uniform(random) - 1;
}

static void
draw_widths(Random *random, IntList *list)
{
	list->n = 1 + up_to(random, 3);
	for (int i = 0; i < list->n; i++)
		list->value[i] = PICK(random, widths);
}

static void
draw_config(Random *random, int architecture, Config *config)
{
	config_defaults(config);
	config->architecture = architecture;
	config->embed_dim = PICK(random, embed_dims);
	config->mmoe_experts = 1 + up_to(random, 4);
	draw_widths(random, &config->mmoe_dims);
	draw_widths(random, &config->deep_dims);
	config->mmoe_mixtures = 1 + up_to(random, 4);
	config->hei_experts.n = architecture_has_masks(config->architecture) ? 2 + up_to(random, 1) : 1 + up_to(random, 2);
	config->hei_hidden.n = config->hei_output.n = config->hei_experts.n;
	for (int l = 0; l < config->hei_experts.n; l++)
	{
		config->hei_experts.value[l] = 1 + up_to(random, 4);
		config->hei_hidden.value[l] = PICK(random, widths);
		config->hei_output.value[l] = PICK(random, widths);
	}
	config->cross_layers = up_to(random, 3);
	config->pairwise = up_to(random, 1);
	config->base_skip = up_to(random, 1);
	config->batch_norm = up_to(random, 1);
	config->history_length = up_to(random, 1) ? 1 + up_to(random, 8) : 0;
	config->history_dislikes = up_to(random, 1);
	config->history_attention = up_to(random, 1);
}

/* Field 0 is the domain; later fields may share tables, and be lists. */
typedef struct DrawnFields
{
	Shape		shape;
	uint32_t	table_rows[MOST_FIELDS];
	uint32_t	field_table[MOST_FIELDS];
	bool		is_list[MOST_FIELDS];
} DrawnFields;

static void
draw_fields(Random *random, DrawnFields *fields)
{
	int			n_fields = 1 + up_to(random, MOST_FIELDS - 1);
	int			n_tables = 1 + up_to(random, n_fields - 1);

	for (int t = 0; t < n_tables; t++)
		fields->table_rows[t] = FIRST_ID + 1 + up_to(random, up_to(random, 1) ? 400 : 12);
	for (int f = 0; f < n_fields; f++)
	{
		fields->field_table[f] = f < n_tables ? f : n_tables > 1 ? 1 + up_to(random, n_tables - 2) : 0;
		fields->is_list[f] = f > 0 && up_to(random, 3) == 0;
	}
	fields->shape = (Shape) {.n_tables = n_tables,.table_rows = fields->table_rows,
		.n_fields = n_fields,.field_table = fields->field_table,
		.field_is_list = fields->is_list,.domain_field = 0,.user_field = -1,.item_field = -1};
	if (n_fields > 2)
	{
		fields->shape.user_field = 1;
		fields->shape.item_field = 2;
	}
	for (int f = 3; f < n_fields; f++)
		if (!fields->is_list[f] && fields->shape.n_sides < MAX_SIDES && up_to(random, 1))
			fields->shape.sides[fields->shape.n_sides++] = f;
}

/* Up to 12 entries of each user; some items come again. */
static EntityTable *
draw_histories(Random *random, Arena *arena, const Config *config, const Shape *shape,
			   EntityKind kind)
{
	uint32_t	n = shape_users(shape);
	uint32_t	n_items = shape_rows(shape, shape->item_field) - FIRST_ID;
	uint64_t   *start = ARENA_ARRAY(arena, uint64_t, n + 1);
	uint32_t   *items = ARENA_ARRAY(arena, uint32_t, 12 * n);
	History		history = {.length = config->history_length,.n = n,.start = start,.items = items};
	EngineError error = {0};

	for (uint32_t u = 0; u < n; u++)
	{
		start[u + 1] = start[u] + up_to(random, 12);
		for (uint64_t i = start[u]; i < start[u + 1]; i++)
			items[i] = FIRST_ID + up_to(random, n_items - 1);
	}
	return entity_table_of_history(arena, &history, kind, &error);
}

/* A value of each of the sides of each item. */
static EntityTable *
draw_sides(Random *random, Arena *arena, const Shape *shape)
{
	static const uint64_t no_lists[1];
	uint32_t	n = shape_rows(shape, shape->item_field) - FIRST_ID;
	uint32_t   *values = ARENA_ARRAY(arena, uint32_t, (size_t) n * shape->n_sides);
	EntityTable table = {.kind = ENTITY_SIDES,.n = n,.n_fields = shape->n_sides,
		.fields = shape->sides,.values = values,.list_start = no_lists,
		.link_start = ARENA_ARRAY(arena, uint64_t, n + 1)};
	EngineError error = {0};

	for (uint32_t i = 0; i < n * shape->n_sides; i++)
		values[i] = up_to(random, shape_rows(shape, (int) shape->sides[i % shape->n_sides]) - 1);
	return entity_table_pack(arena, &table, &error);
}

static void
fill_tensor(Random *random, Model *model, const Tensor *tensor)
{
	real	   *values = model->params + tensor->offset;
	/* vectors of length 1, so that scores are not all near 0 or 1 */
	double		scale = strncmp(tensor->name, "embedding", 9) == 0 ?
		1 / sqrt(model->config.embed_dim) : 0.1;
	bool		is_weight = tensor->kind == TENSOR_DENSE && strstr(tensor->name, "weight") != NULL;

	for (size_t i = 0; i < tensor->size; i++)
	{
		if (strcmp(tensor->name, "calibration") == 0)
			values[i] = 0;
		else if (strstr(tensor->name, ".variance"))
			values[i] = 0.5 + fabs(number(random));
		else if (strstr(tensor->name, ".scale"))
			values[i] = 1 + 0.3 * number(random);
		else if (!is_weight)
			values[i] = scale * number(random);
	}
}

static Model *
draw_model(Random *random, Arena *arena, const Config *config, const Shape *shape)
{
	EngineError error = {0};
	DomainPairs pairs[MOST_FIELDS] = {0};
	Model	   *model = model_create(arena, config, shape, pairs, &error);

	if (!model)
		return NULL;
	CHECK(model->reads_history == (model_find(model, "taste.members") != NULL));
	if (model->reads_history)
		model->histories = draw_histories(random, arena, config, shape, ENTITY_HISTORIES);
	if (model->reads_history && config->history_dislikes)
		model->dislikes = draw_histories(random, arena, config, shape, ENTITY_DISLIKES);
	if (model->reads_history && shape->n_sides > 0)
		model->sides = draw_sides(random, arena, shape);
	CHECK(model_init_weights(model, NULL, &error));
	for (int i = 0; i < model->n_tensors; i++)
		fill_tensor(random, model, &model->tensors[i]);
	for (uint32_t d = 0; d < model->n_domains && architecture_has_masks(config->architecture); d++)
	{
		uint8_t    *mask = model->masks + (size_t) d * model->n_gates;

		model->has_mask[d] = up_to(random, 1);
		do
			for (int g = 0; g < model->n_gates; g++)
				mask[g] = up_to(random, 1);
		while (!mask_make_valid(&config->hei_experts, mask));
	}
	return model;
}

/* Each field has one value in all rows, runs of values, or any. */
static ScoreRows
draw_rows(Random *random, const Shape *shape, Arena *arena)
{
	int			n = up_to(random, 3) ? 2 + up_to(random, MOST_ROWS - 2) : 2 + up_to(random, 3);
	int			n_fields = shape->n_fields;
	uint32_t   *ids = ARENA_ARRAY(arena, uint32_t, n * n_fields);
	uint64_t   *start = ARENA_ARRAY(arena, uint64_t, n * n_fields + 1);
	uint32_t   *members = ARENA_ARRAY(arena, uint32_t, n * n_fields * 3 + 1);
	uint32_t	n_lists = 0;

	for (int f = 0; f < n_fields; f++)
	{
		int			kind = up_to(random, 2);
		uint32_t	last = shape_rows(shape, f) - 1;

		for (int r = 0; r < n; r++)
		{
			uint32_t   *id = &ids[r * n_fields + f];

			if (shape->field_is_list[f])
			{
				start[n_lists + 1] = start[n_lists] + up_to(random, 3);
				for (uint64_t i = start[n_lists]; i < start[n_lists + 1]; i++)
					members[i] = up_to(random, last);
				*id = n_lists++;
			}
			else if (r > 0 && (kind == 0 || (kind == 1 && up_to(random, 3))))
				*id = id[-n_fields];
			else
				*id = up_to(random, last);
		}
	}
	return (ScoreRows) {.n_rows = n,.ids = ids,.list_start = start,.list_members = members};
}

static bool
near(double a, double b)
{
	return fabs(a - b) <= 1e-5;
}

static double
score_one(Scorer *scorer, const ScoreRows *rows, size_t r, int n_fields)
{
	EngineError error = {0};
	ScoreRows	one = {.n_rows = 1,.ids = rows->ids + r * n_fields,.list_start = rows->list_start,
		.list_members = rows->list_members};
	double		score = -1;

	return scorer_score(scorer, &one, &score, &error) ? score : -1;
}

/* Of a scorer with so many ready bytes. */
static void
check_scores(Arena *arena, const Model *model, const ScoreRows *rows, size_t bytes, Team *team)
{
	EngineError error = {0};
	int			n_fields = model->shape.n_fields;
	Scorer	   *scorer = scorer_create(arena, model, bytes, NULL, NULL, &error);
	Scorer	   *shared = scorer_create(arena, model, bytes, team, NULL, &error);
	static double alone[MOST_ROWS + 2];
	static double together[MOST_ROWS + 2];
	bool		same = true;
	bool		close = true;
	bool		again = true;

	CHECK(scorer && shared && scorer_score(scorer, rows, alone, &error) &&
		  scorer_score(shared, rows, together, &error));
	if (!scorer || !shared)
		return;
	for (size_t r = 0; r < rows->n_rows; r++)
	{
		double		score = score_one(scorer, rows, r, n_fields);

		same &= alone[r] == together[r];
		close &= near(score, alone[r]);
		again &= score == score_one(scorer, rows, r, n_fields) &&
			score == score_one(scorer, rows, r, n_fields);
		if (r < REFERENCES)
			close &= near(score, reference_score(model, rows->ids + r * n_fields,
												 rows->list_start, rows->list_members));
	}
	CHECK(same);
	CHECK(close);
	CHECK(again);
}

/* Rows in lines: of each field all of a line have a value, or all of a column, or each has its own. */
static ScoreRows
draw_lines(Random *random, const ScoreRows *from, int n_fields, Arena *arena)
{
	ScoreRows	rows = *from;
	int			n_lines = 1 + up_to(random, 15);
	int			across = 1 + up_to(random, 15);
	uint32_t   *ids = ARENA_ARRAY(arena, uint32_t, n_lines * across * n_fields);

	rows.n_rows = n_lines * across;
	rows.across = across;
	rows.ids = ids;
	for (int f = 0; f < n_fields; f++)
	{
		int			kind = up_to(random, 3);

		for (int r = 0; r < n_lines * across; r++)
			ids[r * n_fields + f] = kind == 0 && r % across > 0 ? ids[(r - 1) * n_fields + f] :
				kind == 1 && r >= across ? ids[(r - across) * n_fields + f] :
				kind == 3 ? from->ids[f] :
				from->ids[up_to(random, from->n_rows - 1) * n_fields + f];
	}
	return rows;
}

/* What lines have in common changes no score, nor does a wrong number of them. */
static void
check_lines(Arena *arena, const Model *model, const ScoreRows *from, Random *random, Team *team)
{
	EngineError error = {0};
	int			n_fields = model->shape.n_fields;
	ScoreRows	rows = draw_lines(random, from, n_fields, arena);
	Scorer	   *scorer = scorer_create(arena, model, READY_BYTES, team, NULL, &error);
	double		scores[2][256];
	bool		close = true;

	CHECK(scorer && scorer_score(scorer, &rows, scores[0], &error));
	rows.across += 1 + up_to(random, 3);
	CHECK(scorer && scorer_score(scorer, &rows, scores[1], &error));
	for (size_t r = 0; scorer && r < rows.n_rows; r++)
	{
		double		score = score_one(scorer, &rows, r, n_fields);

		close &= near(score, scores[0][r]) && near(score, scores[1][r]);
	}
	CHECK(close);
}

static void
check_case(int number)
{
	static const size_t ready[] = {0, 2000, 40000, 400000};
	Random		random;
	Arena		arena;
	EngineError error = {0};
	Config		config;
	DrawnFields		fields;
	Model	   *model;
	ScoreRows	rows;
	Team	   *team;

	random_start(&random, 11, 0, number);
	arena_init_malloc(&arena);
	draw_config(&random, number % n_architectures, &config);
	draw_fields(&random, &fields);
	model = draw_model(&random, &arena, &config, &fields.shape);
	rows = draw_rows(&random, &fields.shape, &arena);
	team = team_start(&arena, 2 + number % 3, &error);
	CHECK(model && team);
	if (model && team)
	{
		check_scores(&arena, model, &rows, PICK(&random, ready), team);
		check_scores(&arena, model, &rows, READY_BYTES, team);
		check_lines(&arena, model, &rows, &random, team);
	}
	team_stop(team);
	arena_free_all(&arena);
}

int
main(void)
{
	for (int i = 0; i < CASES; i++)
		check_case(i);
	return unit_summary();
}
