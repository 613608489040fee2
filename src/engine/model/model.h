/*
 * model.h
 *	  A model: its configuration, its parameters as one block with a table of
 *	  names, and the domains' masks.
 *
 * Legend of dimensions, used in every engine file:
 *	  B	  rows of a batch			  F	  fields
 *	  E	  embed_dim					  W	  width of x0, F * E
 *	  M	  MMoE experts				  H	  width of an MMoE expert's output
 *	  L	  HEI layers				  N_l experts in HEI layer l
 *	  D	  domains seen in training	  G	  gates, sum over l >= 2 of N_{l-1} N_l
 *	  S	  segments: runs of a batch's rows that share a domain
 */
#ifndef AREAD_ENGINE_MODEL_MODEL_H
#define AREAD_ENGINE_MODEL_MODEL_H

#include "engine/measure/calibration.h"
#include "engine/model/config.h"
#include "engine/data/history.h"
#include "engine/data/domain_pairs.h"
#include "engine/entities/entity_table.h"
#include "engine/model/tensor.h"
#include "engine/trees/trees.h"

typedef struct Model
{
	Config		config;
	Shape		shape;
	const DomainPairs *pairs;	/* [n_fields] */
	const struct NetworkPlan *plan;	/* what its architecture has planned */
	int			n_tensors;
	const Tensor *tensors;		/* [n_tensors] in stored order; the only list of parameters */
	const int  *place;			/* [n_tensors] by reference: index in tensors */
	const Tensor *rows;			/* [n_rows] row tensors, embedding tables first */
	int			n_rows;
	TensorRef	calibration;	/* [2]: log of the factor, shift; with room for trees [3]: their weight */
	const Trees *trees;			/* beside the network; NULL: none */
	/* what recommending needs, and scoring does not; NULL: none was kept */
	const EntityTable *items;
	const EntityTable *users;
	/* which scoring needs; NULL: the network has none */
	const EntityTable *histories;	/* of users */
	const EntityTable *dislikes;	/* of users */
	const EntityTable *sides;	/* of all items: the fields shape.sides */
	size_t		n_params;
	size_t		n_dense;		/* of them dense, which come first */
	size_t		n_above_cut;	/* of them above the network's cut, which come first of all */
	real	   *params;			/* [n_params] */
	uint32_t	n_domains;		/* D */
	int			n_gates;		/* G; 0 without HEI */
	bool		reads_history;	/* its network has a taste term (layers/taste.h) */
	bool		masks_rule;		/* passes go by the masks; else these only describe the domains */
	bool	   *has_mask;		/* [D]; false: all gates open, output (6) */
	uint8_t    *masks;			/* [D, G]: 1 open; gate order: layer, lower expert, upper expert */
	const struct Model *of;		/* a copy of its first n_params parameters; NULL: no copy */
} Model;

/*
 * A model without tensors yet.  Copies config and shape's arrays, keeps pairs
 * [n_fields].  NULL: no memory.  networks/build.h has the whole way to a model.
 */
extern Model *model_begin(Arena *arena, const Config *config, const Shape *shape,
						  const DomainPairs *pairs, EngineError *error);
/* The planned tensors in stored order; false and *error: no memory, too many parameters. */
extern bool model_place(Model *model, TensorList *tensors, EngineError *error);
/* Parameters and masks, zeroed; masks all open and has_mask false. */
extern bool model_allocate(Model *model, Arena *arena, EngineError *error);
/*
 * Parameters and masks that lie in memory already: those of "like", of whose
 * members only sizes and these arrays are looked at.  Error: sizes do not fit.
 */
extern bool model_take(Model *model, const Model *like, EngineError *error);
/* Initial weights from config.seed (see algorithm: start). */
extern bool model_init_weights(Model *model, const EngineHost *host, EngineError *error);

/* The mask that a domain's rows run under (-1: never seen); NULL: all gates open. */
static inline const uint8_t *
model_mask(const Model *model, int64_t domain)
{
	if (!model->masks_rule || domain < 0 || !model->has_mask[domain])
		return NULL;
	return model->masks + (size_t) domain * model->n_gates;
}

/* Where a model has its table of that kind. */
static inline const EntityTable **
model_entities_at(Model *model, EntityKind kind)
{
	const EntityTable **const tables[N_ENTITY_KINDS] = {
		[ENTITY_ITEMS] = &model->items,[ENTITY_USERS] = &model->users,
		[ENTITY_HISTORIES] = &model->histories,[ENTITY_DISLIKES] = &model->dislikes,
		[ENTITY_SIDES] = &model->sides
	};

	return tables[kind];
}

/* The table; NULL: none. */
static inline const EntityTable *
model_entities(const Model *model, EntityKind kind)
{
	return *model_entities_at((Model *) model, kind);
}

/* A planned tensor. */
static inline const Tensor *
model_tensor(const Model *model, TensorRef ref)
{
	return &model->tensors[model->place[ref]];
}

/* A tensor by the name that users know; NULL if there is none. */
extern const Tensor *model_find(const Model *model, const char *name);
/* Its parameters; NULL if there is none. */
extern real *model_named(const Model *model, const char *name);
/* A model whose first n parameters, of whole tensors, are its own; all else is that of "of". */
extern Model *model_copy_first(Arena *arena, const Model *of, size_t n, EngineError *error);
/* The parameters of a tensor, be they the copy's own or not. */
extern real *model_values(const Model *model, const Tensor *tensor);
/* The same by reference; NO_TENSOR: NULL. */
extern real *model_param(const Model *model, TensorRef ref);

/* The calibration's tensor, as scoring applies it. */
extern Calibration model_calibration(const Model *model);
extern void model_set_calibration(Model *model, const Calibration *calibration);

/* The embedding table whose ids the rows of a row tensor stand for. */
static inline int
model_table_of(const Model *model, const Tensor *rows)
{
	return rows->rows_of == ROWS_OF_IDS ? rows->table :
		(int) model->shape.field_table[model->shape.domain_field];
}

/*
 * Row UNSEEN_ID of every row tensor becomes the mean of the trained rows
 * weighted by their training counts; its wide weights are 0.  Those of dense
 * fields stay as they are.
 */
extern void model_fill_unseen(Model *model, const uint32_t *const *table_counts);

/* Every parameter finite? */
extern bool model_is_finite(const Model *model);
/*
 * Could training have left these parameters and masks?  For stored ones, before
 * a scorer is made of them; false, and ENGINE_CORRUPT, if not.
 */
extern bool model_check(const Model *model, EngineError *error);

#endif							/* AREAD_ENGINE_MODEL_MODEL_H */
