/*
 * config.h
 *	  Every option of training, as a struct.  The table that names, bounds and
 *	  explains its members is in engine/networks/config_options.c.
 */
#ifndef AREAD_ENGINE_MODEL_CONFIG_H
#define AREAD_ENGINE_MODEL_CONFIG_H

#include "engine/base/base.h"
#include "engine/base/limits.h"

typedef enum MaskSearch
{
	SEARCH_EXPERTS,				/* candidates train HEI and heads only */
	SEARCH_FULL					/* candidates train everything */
} MaskSearch;

/* What candidates start from and are pruned by. */
typedef enum PruneBy
{
	PRUNE_SALIENCY,				/* how much closing a gate would raise the loss */
	PRUNE_GATE					/* the gate's value, as in the paper */
} PruneBy;

typedef enum Popularity
{
	POPULARITY_COUNT,			/* training rows of the item */
	POPULARITY_RATE,			/* (positives + 1) / (rows + 2) */
	POPULARITY_SCORE			/* mean score of the item's rows, by the network as it is */
} Popularity;

typedef enum NegativeSampling
{
	NEGATIVES_POPULARITY,		/* every positive row's item is as likely */
	NEGATIVES_UNIFORM,			/* every item is */
	NEGATIVES_MIXED				/* each draw by one of both, as a coin falls */
} NegativeSampling;

/* What batches of positives with their sampled negatives are trained by. */
typedef enum LossKind
{
	LOSS_LOGISTIC,				/* of each row by itself */
	LOSS_BPR,					/* a positive against each of its negatives */
	LOSS_SOFTMAX				/* a positive among all of them */
} LossKind;

/* Which training rows are in a user's history. */
typedef enum HistoryOf
{
	HISTORY_OF_POSITIVES, HISTORY_OF_ALL
} HistoryOf;

typedef struct Config
{
	int			architecture;	/* number in networks/architectures.h */
	/* network */
	int			embed_dim;
	int			mmoe_experts;
	IntList		mmoe_dims;
	int			mmoe_mixtures;	/* of architecture mmoe; HEI takes one for each of its N_1 */
	IntList		deep_dims;		/* of a network that is no expert among others */
	IntList		hei_experts;	/* N_l, lowest layer first */
	IntList		hei_hidden;		/* first dim of the two-layer MLPs of layer l */
	IntList		hei_output;		/* second dim */
	bool		wide;			/* logistic regression over ids, fitted first, then held */
	bool		domain_weights;	/* in the wide part, each value's by domain too */
	int			cross_layers;
	bool		pairwise;		/* an FM term beside the wide part */
	bool		base_skip;		/* a logit straight from the base beside the experts */
	int			history_length;	/* members of a user's history, at most; 0: none; NULL_INT: by config_settle */
	HistoryOf	history_of;
	double		history_l2;		/* lambda, of each use of a vector of the taste term */
	bool		history_dislikes;	/* items of negative rows are a list of their own */
	NameList	history_side;	/* columns of items; their fields are Shape.sides */
	bool		history_attention;	/* members are weighed by the row's item */
	bool		batch_norm;
	double		dropout;
	/* training */
	double		learning_rate;
	int			batch_size;
	int			epochs;
	int			evaluations;	/* per epoch */
	int			patience;		/* evaluations without a gain */
	int			stop_on;		/* of measure_kinds: what they are compared by; STOP_AUTO: by config_settle */
	double		l2_wide;		/* lambda; NaN: each field's by evidence */
	double		l2_embedding;	/* lambda, by frequency */
	double		l2_dense;
	int			negatives;		/* sampled for each positive row */
	NegativeSampling negative_sampling;
	LossKind	loss;
	double		hard_negatives; /* share of sampled ones that each step draws anew */
	int			hard_candidates;	/* items of which the one of the highest score is taken */
	bool		popularity_offset;	/* scores are against uniform draws */
	double		positive_weight;	/* of a positive row in the loss */
	/* scores */
	bool		calibration;	/* logits mapped to fit the validation rows */
	int			trees;			/* of the forest beside the network, at most; 0: none */
	int			tree_pairs;		/* pairs of features that it sees, at most */
	double		base_rate;		/* share of positives that scores are to expect; NaN: the rows' */
	/* HEMP, Algorithm 1 */
	int			warmup_batches;
	int			mask_interval;
	int			candidates;		/* Z */
	int			candidate_steps;	/* k */
	int			score_batches;
	double		mask_learning_rate; /* lr_u */
	double		initial_density;	/* S0 */
	double		target_density; /* S */
	double		prune_ratio;	/* alpha */
	PruneBy		prune_by;
	double		sigma;
	MaskSearch	mask_search;
	/* augmentation (5) */
	double		augment_ratio;
	Popularity	popularity;
	double		unpopular_quantile;
	double		unpopular_threshold;	/* rho; NaN: by quantile */
	double		minor_share;
	double		major_share;
	uint64_t	seed;
} Config;

/* Is popularity, divided out by how negatives are drawn, put back into the wide weights? */
static inline bool
config_has_offset(const Config *config)
{
	return config->negatives > 0 && config->popularity_offset &&
		config->negative_sampling != NEGATIVES_UNIFORM;
}

#endif							/* AREAD_ENGINE_MODEL_CONFIG_H */
