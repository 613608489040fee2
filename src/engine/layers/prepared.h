/*
 * prepared.h
 *	  A trained model's weights as scoring wants them, and how layers score.
 *
 * Batch norm is folded into the linear layers, and weights are cut into panels
 * (panels.h).  All that is linear in x0 is one stacked matrix over x0, whose
 * columns layers claim: groups of columns that end with ReLU (first layers of
 * experts; each group begins with a panel), and single columns.  x0 is the
 * fields' vectors side by side, so its product is a sum over fields; of fields
 * with few values the product of each value is made beforehand.
 *
 * Preparing has four steps, each over all layers in the order of planning:
 *	  claim(), lay_out() without memory, which measures, lay_out() with memory,
 *	  prepare(), unless the values come from an earlier scorer of the model.
 *
 * Rows are scored in three steps: score_ids() by parts of the batch (but of one whose
 * lines have values in common, batch.h, for all rows), the groups of columns
 * (score_group()) each by itself, and score() for runs of rows of one domain.  A single row goes the same way, as a batch of one.
 */
#ifndef AREAD_ENGINE_LAYERS_PREPARED_H
#define AREAD_ENGINE_LAYERS_PREPARED_H

#include "engine/base/panels.h"
#include "engine/layers/mlp.h"
#include "engine/layers/plan.h"

/* A linear layer, batch norm folded; ReLU follows. */
typedef struct PreparedLayer
{
	Panels		panels;
	real	   *bias;			/* [panels_columns(n_out)] */
} PreparedLayer;

/* Claimed columns that end with ReLU. */
typedef struct ColumnGroup
{
	Layer	   *layer;
	int			number;			/* of the layer's */
	int			n;
	int			column;			/* its first one */
	int			panels;
} ColumnGroup;

typedef struct Prepared
{
	const Model *model;
	Arena	   *arena;
	const RowTensor *tables;	/* [model->n_rows], without room for gradients */
	int			n_layers;
	Layer	  **layers;			/* [n_layers] bound */
	Slot	   *slots;
	size_t		n_values;
	real	   *values;			/* [n_values]: all that is computed; NULL: being measured */
	bool		wants_x0;		/* a layer reads x0 itself */
	/* columns over x0, if any are claimed */
	int			n_groups;
	ColumnGroup groups[MAX_GROUPS];
	int			other_columns;	/* where those begin that are no group's */
	int			end;			/* of those that mean something */
	int			n_columns;		/* all: whole panels */
	int		   *order;			/* [n_fields] premultiplied fields come last */
	int			n_gathered;		/* fields before these */
	Panels		stack;			/* (n_gathered * E, n_columns): rows in the order of fields above */
	real	   *bias;			/* [n_columns] */
	real	  **premultiplied;	/* [n_fields] (table's rows, n_columns); NULL: gathered */
	real	   *gates;			/* (D + 1, G) masked and rescaled, never-seen last; NULL: none */
	/* while it is prepared */
	Watch	   *watch;
	Panels		premultiplied_stack;	/* ((n_fields - n_gathered) * E, n_columns) */
	const real *constants[MAX_PLANNED]; /* of slots that are a multiple of x0: the constant [W] */
} Prepared;

/* Values of rows on their way: of a batch, or of one row. */
typedef struct ScoreBuffers
{
	int			capacity;		/* B at most */
	Batch	   *batch;
	real	   *logit;			/* [B] what all heads share */
	real	  **slot;			/* [slots]; NULL: scoring does not read it */
	const real *columns;		/* (B, column_stride) from other_columns on */
	int			column_stride;
	double	   *probabilities;	/* [B] */
} ScoreBuffers;

/* What a thread needs for itself. */
typedef struct ScoreScratch
{
	Watch	   *watch;
	real	   *layer[2];		/* (B, widest layer) in turn */
	real	   *in;				/* (B, widest layer) */
	real	   *logits;			/* [J] of the last row */
	real	   *sums;			/* (B, E + 1) if x0 is wanted: what columns of rows have in common */
	bool		open[MAX_EXPERTS];	/* groups of the slot that the heads read */
} ScoreScratch;

/* Some rows; for score() of one domain. */
typedef struct ScoreRun
{
	const Prepared *prepared;
	const ScoreBuffers *buffers;
	ScoreScratch *scratch;
	int			from;
	int			n_rows;
	int64_t		domain;			/* -1: never seen */
} ScoreRun;

/* Claim n columns over x0; returns the first, counted from other_columns. */
extern int	prepared_claim(Prepared *prepared, int n);
/* Claim n groups of "width" columns each, which score_group() gets; returns the first. */
extern int	prepared_claim_groups(Prepared *prepared, Layer *layer, int n, int width);
/* A group's first column, counted as prepared_claim() does: those of groups are below 0. */
static inline int
prepared_group_column(const Prepared *prepared, int group)
{
	return prepared->groups[group].column - prepared->other_columns;
}

/* Room for n values, where a vector may begin; NULL while it is measured. */
extern real *prepared_take(Prepared *prepared, size_t n);
extern void prepared_lay_out_layer(Prepared *prepared, PreparedLayer *layer, int n_in, int n_out);
/* These two leave the rest undone once the watch has stopped. */
extern void prepared_fill_layer(const Prepared *prepared, PreparedLayer *layer,
								const MlpLayer *folded);
/* Columns from "column" on, counted from other_columns, are weights (n_out, W). */
extern void prepared_fill_columns(Prepared *prepared, int column, const real *weight, int n_out);
/* Their bias, 0 unless it is set. */
static inline real *
prepared_bias(const Prepared *prepared, int column)
{
	return prepared->bias + prepared->other_columns + column;
}


/* out = relu(in . weights + bias); false: not done, since the watch has stopped. */
extern bool prepared_forward(const PreparedLayer *layer, Matrix in, int rows, Matrix out,
							 Watch *watch);

/* Row b's claimed columns from "column" on. */
static inline const real *
run_columns(const ScoreRun *run, int b, int column)
{
	return run->buffers->columns + (size_t) b * run->buffers->column_stride + column;
}

/* A group of a slot, from the run's first row on. */
extern Matrix run_group(const ScoreRun *run, int slot, int group);

#endif							/* AREAD_ENGINE_LAYERS_PREPARED_H */
