/*
 * layer.h
 *	  What networks are made of: layers, and the slots through which they read
 *	  each other.
 *
 * A network's build() plans its layers once (plan.h).  A plan is copied for each
 * use: a network to train, a copy of its upper part for the mask search, a
 * scorer.  bind() attaches a copy to a model's parameters; begin_training()
 * gives it what passes need.
 *
 * A pass goes stage by stage.  The layers of one stage do not read each other:
 * their tasks are done side by side by the threads of a team, and no sum of one
 * task meets another's.  A layer of stage s reads slots of earlier stages only.
 * Backward the stages come in reverse, each in two steps:
 *	  backward(): gradients of parameters and of inputs.  Layers that add to x0's
 *	  gradient here ("serial") are one task, in reverse order of planning.
 *	  backward_rows(): what layers add to x0's gradient by rows.
 * Of a slot's readers the first one, backward, sets its gradient, the others
 * add to it; x0's gradient starts at zero.
 *
 * Scoring goes through the same layers: prepared.h.
 */
#ifndef AREAD_ENGINE_LAYERS_LAYER_H
#define AREAD_ENGINE_LAYERS_LAYER_H

#include "engine/data/batch.h"
#include "engine/base/linear.h"
#include "engine/base/random.h"
#include "engine/data/row_tensor.h"
#include "engine/layers/first_layer.h"
#include "engine/layers/workers.h"
#include "engine/model/model.h"

#define MAX_PLANNED 64			/* layers of a network, and slots */
#define MAX_INPUTS 2			/* slots that a layer reads */
#define MAX_CROSSING 4			/* slots that the layers above the cut read from below */
#define MAX_GROUPS (4 * MAX_EXPERTS)	/* of columns over x0 */
#define NO_SLOT (-1)

/*
 * How a forward pass is made.  Batch norm takes the batch's statistics, unless
 * the running ones are asked for; for one row it takes these.
 */
typedef struct PassMode
{
	bool		dropout;
	bool		running_statistics; /* as in scoring */
	bool		update_running;
	uint64_t	seed;			/* dropout's coins: of the seed, this use, the pass and the MLP */
	RandomUse	use;
	uint64_t	pass;
} PassMode;

/*
 * One group of a slot: an expert's output, a mixture.  The rows of segment s
 * begin at row offset[s]; -1: the group is closed there.
 */
typedef struct SlotGroup
{
	Matrix		value;			/* (rows, width) */
	Matrix		d;				/* its gradient; data NULL: nobody wants it */
	const int  *offset;			/* [S] */
} SlotGroup;

/* Where the rows of a slot's groups lie. */
typedef enum SlotLayout
{
	SLOT_SIDE_BY_SIDE,			/* (B, groups, width) */
	SLOT_APART,					/* (groups, B, width) */
	SLOT_PACKED					/* as apart, without the rows of segments that close a group */
} SlotLayout;

/* What a layer hands to others. */
typedef struct Slot
{
	int			groups;
	int			width;
	SlotLayout	layout;
	bool		is_x0;			/* in scoring it is read by columns, and made if asked for */
	bool		is_multiple;	/* a number times x0 plus a constant: all that scoring has of it */
	SlotGroup  *group;			/* [groups]; of a network */
} Slot;

/* What the layers of a network share in its passes. */
typedef struct Pass
{
	const Model *model;
	int			capacity;		/* B at most */
	Arena	   *arena;
	Workers		workers;
	Slot	   *slots;
	int		   *segment_start;	/* [S] of the batch: offsets of groups that no segment closes */
	RowTensor  *rows;			/* [model->n_rows] */
	bool		rows_fixed;		/* of this pass: they get no gradients */
	Fields		fields;			/* products with x0 */
	const Batch *batch;
	PassMode	mode;
	real	   *logit;			/* [B] what all heads share: bias, wide part, other terms */
	real	   *d_logit;		/* [B] */
	real	   *grads;			/* of the dense parameters, which come first */
} Pass;

struct Prepared;
struct ScoreRun;

typedef struct Layer
{
	const struct LayerKind *kind;
	int			number;			/* in the plan */
	int			stage;
	bool		above_cut;
	int			n_in;
	int			in[MAX_INPUTS];
	bool		sets[MAX_INPUTS];	/* is it the first, backward, to give the slot a gradient? */
	int			out;			/* NO_SLOT: its output is a term of the logit, or the logits */
} Layer;

typedef struct LayerKind
{
	const char *name;
	size_t		size;			/* of the struct that begins with Layer */
	bool		serial;			/* backward() adds to x0's gradient */
	/* attach to the parameters; layers: the copies of this plan up to this one.  No memory: shows in the arena */
	void		(*bind) (Layer *layer, const Model *model, Layer **layers, Arena *arena);
	/* buffers of passes, those of the output slot among them; lack of memory shows in the arena */
	void		(*begin_training) (Layer *layer, Pass *pass);
	/* tasks of forward() or backward(); NULL: one */
	int			(*n_tasks) (const Layer *layer, const Pass *pass, bool backward);
	void		(*forward) (Layer *layer, Pass *pass, int task, int thread);
	/* NULL: nothing learns, and no input wants a gradient */
	void		(*backward) (Layer *layer, Pass *pass, int task, int thread);
	/* rows from .. to - 1; NULL: nothing is left to add */
	void		(*backward_rows) (Layer *layer, Pass *pass, int from, int to, int thread);

	/* Scoring.  Any of these may be NULL. */

	/* claim columns over x0, or x0 itself, before anything is laid out */
	void		(*claim) (Layer *layer, struct Prepared *prepared);
	/* prepared_take() what is kept; called twice, see prepared.h */
	void		(*lay_out) (Layer *layer, struct Prepared *prepared);
	/* fill what lay_out() took, unless prepared->watch stops; false and *error: no memory */
	bool		(*prepare) (Layer *layer, struct Prepared *prepared, EngineError *error);
	/* rows from .. to - 1, out of ids: what needs no other layer */
	void		(*score_ids) (Layer *layer, const struct ScoreRun *run);
	/* one group of a layer that stands on x0, from its claimed columns "in", ReLU done */
	void		(*score_group) (Layer *layer, const struct ScoreRun *run, int group, Matrix in);
	/* rows of one domain, everything before them done */
	void		(*score) (Layer *layer, const struct ScoreRun *run);
} LayerKind;

/* The gradient of a dense parameter of the pass's model. */
static inline real *
pass_gradient(const Pass *pass, const real *parameter)
{
	return pass->grads + (parameter - pass->model->params);
}

/* A layer's input or output in a pass. */
static inline Slot *
pass_in(const Pass *pass, const Layer *layer, int i)
{
	return &pass->slots[layer->in[i]];
}

static inline Slot *
pass_out(const Pass *pass, const Layer *layer)
{
	return &pass->slots[layer->out];
}

static inline Watch *
pass_watch(const Pass *pass, int thread)
{
	return pass->workers.scratch[thread].watch;
}

/* A slot whose groups no segment closes, side by side: (B, groups, width) and its gradient. */
extern void slot_allocate(Slot *slot, Pass *pass);

#endif							/* AREAD_ENGINE_LAYERS_LAYER_H */
