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
#include "engine/data/dataset.h"
#include "engine/data/domain_pairs.h"

typedef enum TensorKind
{
	TENSOR_DENSE,				/* every step moves it */
	TENSOR_ROWS,				/* a step moves the rows that its batch touches */
	TENSOR_STATISTIC,			/* running mean and variance: moved, not trained */
	TENSOR_FITTED				/* set once and held: the wide part before training,
								 * the calibration after it */
} TensorKind;

typedef struct Tensor
{
	char		name[64];
	TensorKind	kind;
	bool		l2;				/* dense: under l2_dense */
	int			n_dims;
	uint32_t	dims[3];
	size_t		offset;			/* into Model.params */
	size_t		size;			/* elements */
} Tensor;

typedef struct Model
{
	Config		config;
	Shape		shape;
	const DomainPairs *pairs;	/* [n_fields] */
	int			n_tensors;
	Tensor	   *tensors;		/* the only list of parameters */
	size_t		n_params;
	real	   *params;			/* [n_params] */
	uint32_t	n_domains;		/* D */
	int			n_gates;		/* G; 0 without HEI */
	bool	   *has_mask;		/* [D]; false: all gates open, output (6) */
	uint8_t    *masks;			/* [D, G]: 1 open; gate order: layer, lower expert, upper expert */
	const struct Model *of;		/* a copy of its first n_params parameters; NULL: no copy */
} Model;

/*
 * Lay out the tensors of config, shape and pairs [n_fields] and allocate them,
 * zeroed; masks all open and has_mask false.  Copies shape's arrays, keeps
 * pairs.  NULL and *error on lack of memory or a size that overflows.
 */
extern Model *model_create(Arena *arena, const Config *config, const Shape *shape,
						   const DomainPairs *pairs, EngineError *error);
/*
 * A model over parameters and masks that lie in memory already: those of
 * "like", of whose members only config, sizes and these arrays are looked at.
 * Errors: as above; the sizes do not fit.
 */
extern Model *model_attach(Arena *arena, const Model *like, const Shape *shape,
						   const DomainPairs *pairs, EngineError *error);
/* Initial weights from config.seed (see algorithm: start). */
extern bool model_init_weights(Model *model, const EngineHost *host, EngineError *error);

extern const Tensor *model_find(const Model *model, const char *name);
/* A model whose first n parameters, of whole tensors, are its own; all else is that of "of". */
extern Model *model_copy_first(Arena *arena, const Model *of, size_t n, EngineError *error);
/* The parameters of a tensor, be they the copy's own or not. */
extern real *model_values(const Model *model, const Tensor *tensor);
/* The same by name; NULL if the architecture has none such. */
extern real *model_param(const Model *model, const char *name);

/* The calibration's tensor, as scoring applies it. */
extern Calibration model_calibration(const Model *model);
extern void model_set_calibration(Model *model, const Calibration *calibration);

/*
 * Row UNSEEN_ID of every embedding table becomes the mean of the trained rows
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
/* Parameters of a model of that configuration, shape and pairs; 0 and *error: too many. */
extern size_t model_count_params(Arena *arena, const Config *config, const Shape *shape,
								 const DomainPairs *pairs, EngineError *error);

#endif							/* AREAD_ENGINE_MODEL_MODEL_H */
