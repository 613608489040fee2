/*
 * tensor.h
 *	  The table of a model's parameters: what each tensor is, and where it lies.
 *
 * Whoever plans a network adds tensors and keeps the reference of each.  When
 * all are there, tensors_place() puts them in the order of the stored form:
 *	  dense tensors above the network's cut (the cheap mask search trains these),
 *	  dense tensors below it, statistics, rows, what is fitted outside the steps.
 * Within each part the order is that of planning.  So gradients and Adam's
 * moments of the dense part are one range, and the search's part is its start.
 *
 * Names are for storage and for SQL.  Nothing else is decided by a name.
 */
#ifndef AREAD_ENGINE_MODEL_TENSOR_H
#define AREAD_ENGINE_MODEL_TENSOR_H

#include "engine/base/base.h"

typedef enum TensorKind
{
	TENSOR_DENSE,				/* every step moves it */
	TENSOR_ROWS,				/* a step moves the rows that its batch touches */
	TENSOR_STATISTIC,			/* running mean and variance: moved, not trained */
	TENSOR_FITTED				/* set once and held: the wide part before training,
								 * the calibration after it */
} TensorKind;

/* Initial values; n_in is a tensor's last dimension. */
typedef enum TensorStart
{
	START_ZERO,
	START_ONE,
	START_SMALL,				/* N(0, 0.01^2): larger starts overfit sparse ids */
	START_FAN_IN,				/* N(0, 1 / n_in) */
	START_RELU					/* N(0, 2 / n_in): He et al. 2015 */
} TensorStart;

/* What the rows of a tensor of kind TENSOR_ROWS stand for. */
typedef enum RowsOf
{
	ROWS_OF_IDS,				/* ids of an embedding table */
	ROWS_OF_DOMAINS				/* ids of the domain field, UNSEEN_ID for domains never seen */
} RowsOf;

typedef struct Tensor
{
	char		name[64];
	TensorKind	kind;
	TensorStart start;
	bool		above_cut;		/* dense: the cheap mask search trains it */
	bool		l2;				/* dense: under l2_dense */
	bool		variance;		/* a statistic that is never below 0 */
	RowsOf		rows_of;
	bool		l2_by_use;		/* rows: each use in a training row counts l2_of_use; else l2_embedding */
	double		l2_of_use;
	/* rows of ids that a batch's histories touch, and no field: list + 1, of HistoryList; 0: none */
	int			of_history;
	int			field;			/* whose values it is about; -1: no field's */
	int			table;			/* the embedding table that it is; -1: none */
	int			n_dims;
	uint32_t	dims[3];		/* those beyond n_dims are 1 */
	size_t		offset;			/* into Model.params */
	size_t		size;			/* elements */
} Tensor;

/* A tensor's number in the order of planning. */
typedef int TensorRef;

#define NO_TENSOR (-1)

typedef struct TensorList
{
	Arena	   *arena;
	int			n;
	int			capacity;
	Tensor	   *tensors;		/* [n] by reference; in stored order once they are placed */
	int		   *place;			/* [n] by reference: the tensor's index in stored order */
	size_t		n_params;		/* elements of all */
	size_t		n_dense;		/* elements of dense tensors, which come first */
	size_t		n_above_cut;	/* elements of those above the cut, which come first of all */
	bool		overflow;		/* more elements than memory can have */
} TensorList;

/*
 * Add a tensor like "like", of which name, offset and size do not count; its
 * name is made of the format.  Lack of memory shows in the list's arena.
 */
extern TensorRef tensors_add(TensorList *list, const Tensor *like, const char *format,...)
	__attribute__((format(printf, 3, 4)));
/* Stored order and offsets; false and *error on overflow or lack of memory. */
extern bool tensors_place(TensorList *list, EngineError *error);
/* Standard deviation of initial values; 0: they are constant. */
extern double tensor_start_std(const Tensor *tensor);

#endif							/* AREAD_ENGINE_MODEL_TENSOR_H */
