/*
 * dataset.h
 *	  Encoded interactions: what lies between the source and the trainer.
 *
 * Every field value is an id into its table (vocabulary).  Ids below FIRST_ID
 * are the same in every table.  Ids from FIRST_ID on are ordered by training
 * count, descending, ties by key: id order is rank order.  The domain is a
 * field; domain number d (0 .. D-1) is id FIRST_ID + d of its table.
 *
 * A dense field's value is a vector of n numbers.  It has a table of its own
 * with a row for each component, from FIRST_ID on: these rows times the numbers,
 * and the row UNSEEN_ID, added up, are what the value is to the network (that
 * is W z + b).  It is stored as a list, whose members are UNSEEN_ID and the bits
 * of n floats; without a vector NULL_ID alone.  A list of UNSEEN_ID alone is the
 * mean vector, for numbers are standardized.
 */
#ifndef AREAD_ENGINE_DATA_DATASET_H
#define AREAD_ENGINE_DATA_DATASET_H

#include "engine/base/base.h"
#include "engine/base/limits.h"
#include "engine/base/store.h"

#define UNSEEN_ID	0			/* never seen in training */
#define NULL_ID		1			/* SQL NULL */
#define RARE_ID		2			/* below the field's minimum count */
#define FIRST_ID	3

#define CROSS_PARTS 4			/* at most */
#define MAX_SIDES MAX_COLUMN_NAMES

/* A field whose ids are those of combinations of others, which have single values (crosses.h). */
typedef struct FieldCross
{
	int			field;
	int			n_parts;
	uint32_t	parts[CROSS_PARTS];
} FieldCross;

/*
 * The columns of the network's input.  Several fields may share one table
 * (a list of items and the item itself).
 */
typedef struct Shape
{
	int			n_tables;
	const uint32_t *table_rows; /* [n_tables], FIRST_ID included */
	int			n_fields;
	const uint32_t *field_table;	/* [n_fields] */
	const bool *field_is_list;	/* [n_fields] */
	const bool *field_is_dense; /* [n_fields], of lists only; NULL: none is */
	int			domain_field;
	int			user_field;		/* -1: none */
	int			item_field;		/* -1: none */
	bool		users_are_hashed;	/* several users may share an id */
	int			n_crosses;
	const FieldCross *crosses;		/* [n_crosses] */
	/* fields of items that histories have beside the items themselves, ascending; single values */
	int			n_sides;
	uint32_t	sides[MAX_SIDES];
} Shape;

static inline bool
shape_is_dense(const Shape *shape, int field)
{
	return shape->field_is_dense && shape->field_is_dense[field];
}

/* Rows of a field's table, those below FIRST_ID included. */
static inline uint32_t
shape_rows(const Shape *shape, int field)
{
	return shape->table_rows[shape->field_table[field]];
}

/* Number of domains seen in training (D). */
extern uint32_t shape_domains(const Shape *shape);

typedef enum Split
{
	SPLIT_TRAIN, SPLIT_VALID, SPLIT_TEST
} Split;

/*
 * Rows lie split by split, and within one in an order that depends on their
 * content only (not on the order in which they were read).
 */
typedef struct Dataset
{
	Shape		shape;
	size_t		split_start[4]; /* rows of split s: [s] .. [s + 1] - 1 */
	size_t		train_sampled;	/* the first ones of training: sampled negatives */
	/* [other training rows + 1]: those of the i-th are rows [i] .. [i + 1] - 1; NULL: there are none */
	const uint32_t *sampled_start;
	const bool *with_item;		/* [n_fields] what went with their items; NULL: none are sampled */
	/* [n_rows, n_fields]: an id, or for a list field the number of a list */
	const uint32_t *ids;
	const uint8_t *labels;		/* [n_rows], 0 or 1 */
	const float *weights;		/* [n_rows] of a row's loss, 1 on average; NULL: 1 each */
	/* members of list k: list_members[list_start[k] .. list_start[k + 1] - 1], ids or bits */
	const uint64_t *list_start;
	const uint32_t *list_members;
	const int64_t *times;		/* [training rows] what orders them; NULL: they have no order */
	const Store *store;			/* of these arrays and others like them; NULL: memory */
	/* gives back the ids' memory, or all of it; NULL: it goes with its arena */
	void		(*free) (void *owner, bool ids_only);
	void	   *owner;
} Dataset;

static inline size_t
dataset_rows(const Dataset *data, Split split)
{
	return data->split_start[split + 1] - data->split_start[split];
}

/* Domain number of an id of the domain field; -1 if it was not seen in training. */
static inline int64_t
domain_of_id(uint32_t id)
{
	return id >= FIRST_ID ? (int64_t) id - FIRST_ID : -1;
}

/* A row's id of a field; of a list field the number of its list. */
static inline uint32_t
dataset_id(const Dataset *data, size_t row, int field)
{
	return data->ids[row * (size_t) data->shape.n_fields + (size_t) field];
}

static inline int64_t
dataset_domain(const Dataset *data, size_t row)
{
	return domain_of_id(dataset_id(data, row, data->shape.domain_field));
}

/* Number of users seen in training; 0 where rows do not say whose they are: no user, lists, hashed. */
static inline uint32_t
shape_users(const Shape *shape)
{
	if (shape->user_field < 0 || shape->field_is_list[shape->user_field] ||
		shape->users_are_hashed)
		return 0;
	return shape_rows(shape, shape->user_field) - FIRST_ID;
}

/* The members of a field's value in a row: one id, or a list's. */
static inline size_t
dataset_members(const Dataset *data, size_t row, int field, const uint32_t **members)
{
	const uint32_t *id = &data->ids[row * (size_t) data->shape.n_fields + (size_t) field];

	*members = id;
	if (!data->shape.field_is_list[field])
		return 1;
	*members = data->list_members + data->list_start[*id];
	return data->list_start[*id + 1] - data->list_start[*id];
}

static inline double
dataset_weight(const Dataset *data, size_t row)
{
	return data->weights ? data->weights[row] : 1;
}

/* The number whose bits a member of a dense field's list is. */
static inline float
vector_number(uint32_t member)
{
	union
	{
		uint32_t	bits;
		float		number;
	}			value = {member};

	return value.number;
}

/* Give back the ids, whose rows have been copied; labels, weights and lists stay. */
extern void dataset_free_ids(Dataset *data);
/* Give back all of a dataset that has an owner. */
extern void dataset_free(Dataset *data);
/*
 * Are members [n] those of a value of the field?  Ids are below its table's rows; a vector has
 * a finite number for each component, or is none.  Once the watch (NULL: none) is stopped,
 * lists are not.
 */
extern bool members_are_valid(const Shape *shape, int field, const uint32_t *members, uint64_t n,
							  Watch *watch);
/* Of all values; numbers of lists have to be.  Errors: ENGINE_BAD_INPUT, ENGINE_INTERRUPTED. */
extern bool dataset_check(const Dataset *data, const EngineHost *host, EngineError *error);

#endif							/* AREAD_ENGINE_DATA_DATASET_H */
