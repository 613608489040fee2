/*
 * forest_masks.c
 *	  Scores of a forest for many rows, out of sets of leaves.
 *
 * Where a row goes right, the leaves on the left of that node are not its own.  So each
 * threshold that a value exceeds takes leaves away, and the first one that is left is
 * the row's: Lucchese et al., QuickScorer, SIGIR 2015.  Here the sets that are left by
 * the intervals of an input are made beforehand, as bits of a word for each tree.
 *
 * Phases of scoring: it is found which inputs lines and columns of rows have in common, and in
 * which intervals values lie.  Then, for some trees at a time, so that their leaves stay in
 * the nearest cache: the sets of lines, those of columns, and for groups of rows their
 * intersection with those of the other inputs, and the leaves.
 *
 * Memory: 8 bytes for each tree and interval, 16 MB at most, and 2 KB for each input.
 */
#include "engine/trees/forest_masks.h"

#include <math.h>
#include <string.h>

#include "engine/base/sort.h"

/* Trees at a time. */
#define CHUNK 64
/* Lines and columns at a time. */
#define SIDE 16
/* Rows whose leaves are added side by side: a sum waits for the one before it. */
#define GROUP 8
/* Of 64 leaves: one word. */
#define MAX_MASK_DEPTH 6
#define MAX_MASK_BYTES ((size_t) 16 * 1024 * 1024)
#define MAX_MASK_INPUTS 1024

/* Which rows have an input in common. */
typedef enum InputShare
{
	SHARED_BY_LINE,
	SHARED_BY_COLUMN,
	SHARED_BY_NONE,
	N_SHARES
} InputShare;

struct ForestMasks
{
	const Forest *forest;
	uint32_t   *first;			/* [n_inputs + 1] thresholds before those of an input */
	float	   *thresholds;		/* of each input, ascending */
	size_t		n_sets;			/* intervals of all inputs: one more than thresholds of each */
	uint64_t   *sets;			/* [chunks, n_sets, CHUNK]; those of an input in order of its intervals */
	/* of the rows at hand */
	float	   *x;				/* [n_inputs, FOREST_MASK_ROWS] */
	uint32_t   *at;				/* [FOREST_MASK_ROWS, n_inputs] sets, as far as they are not another row's */
	uint16_t   *inputs[N_SHARES];	/* those that are shared so */
	int			n[N_SHARES];
};

/* Trees, input and threshold of each node that sends rows right, in the order of input and threshold. */
typedef struct NodeOrder
{
	uint64_t   *keys;
	uint32_t   *nodes;			/* tree * nodes of a tree + node */
	size_t		n;
} NodeOrder;

/* Floats as keys that compare as they do. */
static uint32_t
float_key(float value)
{
	uint32_t	bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits >> 31 ? ~bits : bits | UINT32_C(1) << 31;
}

static bool
order_nodes(NodeOrder *order, const Forest *forest, Arena *scratch, const EngineHost *host,
			EngineError *error)
{
	size_t		n = (size_t) forest->n_trees * forest_nodes(forest->depth);
	SortRoom	room;

	order->keys = ARENA_ARRAY(scratch, uint64_t, n);
	order->nodes = ARENA_ARRAY(scratch, uint32_t, n);
	if (!arena_ok(scratch, error) || !sort_room(&room, scratch, n, true, error))
		return false;
	for (size_t i = 0; i < n; i++)
		if (forest->thresholds[i] < INFINITY)
		{
			order->keys[order->n] = (uint64_t) forest->inputs[i] << 32 |
				float_key(forest->thresholds[i]);
			order->nodes[order->n++] = (uint32_t) i;
		}
	return sort_keys(order->keys, order->nodes, order->n, &room, host, error);
}

static size_t
count_thresholds(const NodeOrder *order)
{
	size_t		n = 0;

	for (size_t i = 0; i < order->n; i++)
		n += i == 0 || order->keys[i] != order->keys[i - 1];
	return n;
}

static size_t
n_chunks(const Forest *forest)
{
	return ((size_t) forest->n_trees + CHUNK - 1) / CHUNK;
}

static ForestMasks *
allocate(Arena *arena, const Forest *forest, size_t n_thresholds)
{
	size_t		n_inputs = (size_t) forest->n_inputs;
	ForestMasks *masks = ARENA_ARRAY(arena, ForestMasks, 1);

	if (!masks)
		return NULL;
	masks->forest = forest;
	masks->first = ARENA_ARRAY(arena, uint32_t, n_inputs + 1);
	masks->thresholds = ARENA_ARRAY(arena, float, n_thresholds);
	masks->n_sets = n_thresholds + n_inputs;
	masks->sets = ARENA_ARRAY(arena, uint64_t, n_chunks(forest) * masks->n_sets * CHUNK);
	masks->x = ARENA_ARRAY(arena, float, FOREST_MASK_ROWS * n_inputs);
	masks->at = ARENA_ARRAY(arena, uint32_t, FOREST_MASK_ROWS * n_inputs);
	for (int i = 0; i < N_SHARES; i++)
		masks->inputs[i] = ARENA_ARRAY(arena, uint16_t, n_inputs);
	return masks;
}

/* The sets of one tree, from the first chunk's on. */
static uint64_t *
tree_sets(const ForestMasks *masks, size_t tree)
{
	return masks->sets + tree / CHUNK * masks->n_sets * CHUNK + tree % CHUNK;
}

/* Leaves on the left of a node. */
static uint64_t
left_leaves(int depth, uint32_t node)
{
	int			level = 0;
	int			half;

	while (node >= (UINT32_C(2) << level) - 1)
		level++;
	half = 1 << (depth - level - 1);
	return ((UINT64_C(1) << half) - 1) << (node + 1 - (UINT32_C(1) << level)) * 2 * (uint32_t) half;
}

/* Thresholds, and what each of them alone takes away: in the set of the interval above it. */
static void
place_nodes(ForestMasks *masks, const NodeOrder *order)
{
	const Forest *forest = masks->forest;
	uint32_t	nodes = (uint32_t) forest_nodes(forest->depth);
	uint32_t	input = 0;
	uint32_t	n = 0;

	memset(masks->sets, 0xff, n_chunks(forest) * masks->n_sets * CHUNK * sizeof(uint64_t));
	for (size_t i = 0; i < order->n; i++)
	{
		uint32_t	node = order->nodes[i];

		while (input < order->keys[i] >> 32)
			masks->first[++input] = n;
		if (i == 0 || order->keys[i] != order->keys[i - 1])
			masks->thresholds[n++] = forest->thresholds[node];
		/* sets of inputs before it are one more than thresholds each */
		tree_sets(masks, node / nodes)[(size_t) (n + input) * CHUNK] &=
			~left_leaves(forest->depth, node % nodes);
	}
	while (input < (uint32_t) forest->n_inputs)
		masks->first[++input] = n;
}

/* An interval leaves no more than those below it. */
static void
add_up(ForestMasks *masks)
{
	for (size_t chunk = 0; chunk < n_chunks(masks->forest); chunk++)
		for (uint32_t input = 0; input < (uint32_t) masks->forest->n_inputs; input++)
			for (size_t set = masks->first[input] + input + 1;
				 set <= (size_t) masks->first[input + 1] + input; set++)
			{
				uint64_t   *to = masks->sets + (chunk * masks->n_sets + set) * CHUNK;

				for (int t = 0; t < CHUNK; t++)
					to[t] &= to[t - CHUNK];
			}
}

bool
forest_masks_create(ForestMasks **masks, Arena *arena, const Forest *forest,
					const EngineHost *host, EngineError *error)
{
	Arena		scratch;
	NodeOrder	order = {0};
	bool		ok;

	*masks = NULL;
	if (forest->depth > MAX_MASK_DEPTH || forest->n_inputs > MAX_MASK_INPUTS)
		return true;
	arena_init(&scratch, arena->allocate, arena->release, arena->context);
	ok = order_nodes(&order, forest, &scratch, host, error);
	if (ok)
	{
		size_t		n = count_thresholds(&order);

		if ((n + (size_t) forest->n_inputs) * n_chunks(forest) <=
			MAX_MASK_BYTES / (CHUNK * sizeof(uint64_t)))
		{
			*masks = allocate(arena, forest, n);
			ok = arena_ok(arena, error);
			if (ok)
			{
				place_nodes(*masks, &order);
				add_up(*masks);
			}
		}
	}
	arena_free_all(&scratch);
	return ok;
}

float *
forest_masks_rows(ForestMasks *masks)
{
	return masks->x;
}

/* Do all rows of each line have the value of its first one, bit for bit? */
static bool
is_by_line(const float *x, int n, int across)
{
	for (int line = 0; line < n; line += across)
		for (int c = 1; c < across; c++)
			if (memcmp(&x[line + c], &x[line], sizeof(float)) != 0)
				return false;
	return true;
}

/* Do all lines have the values of the first one? */
static bool
is_by_column(const float *x, int n, int across)
{
	for (int line = across; line < n; line += across)
		if (memcmp(x + line, x, (size_t) across * sizeof(float)) != 0)
			return false;
	return true;
}

/* How many of ascending thresholds [n] are below a value? */
static inline uint32_t
count_below(const float *thresholds, uint32_t n, float value)
{
	const float *from = thresholds;

	for (; n > 1; n -= n / 2)
		from += from[n / 2 - 1] < value ? n / 2 : 0;
	return (uint32_t) (from - thresholds) + (n == 1 && *from < value);
}

/* The sets of one input, in every "step"-th of some rows. */
static void
find_sets(ForestMasks *masks, int input, int n, int step)
{
	const float *x = masks->x + (size_t) input * FOREST_MASK_ROWS;
	uint32_t	first = masks->first[input];
	uint32_t	n_thresholds = masks->first[input + 1] - first;
	uint32_t   *at = masks->at + input;

	for (int row = 0; row < n; row += step)
		at[(size_t) row * (size_t) masks->forest->n_inputs] = first + (uint32_t) input +
			count_below(masks->thresholds + first, n_thresholds, x[row]);
}

static void
find_inputs(ForestMasks *masks, int n, int across)
{
	memset(masks->n, 0, sizeof(masks->n));
	for (int i = 0; i < masks->forest->n_inputs; i++)
	{
		const float *x = masks->x + (size_t) i * FOREST_MASK_ROWS;
		InputShare	share = is_by_line(x, n, across) ? SHARED_BY_LINE :
			is_by_column(x, n, across) ? SHARED_BY_COLUMN : SHARED_BY_NONE;

		masks->inputs[share][masks->n[share]++] = (uint16_t) i;
		find_sets(masks, i, share == SHARED_BY_COLUMN ? across : n,
				  share == SHARED_BY_LINE ? across : 1);
	}
}

/* Some lines and columns of the rows, by some trees. */
typedef struct MaskBlock
{
	const ForestMasks *masks;
	const uint64_t *sets;		/* of the chunk */
	const float *leaves;		/* of the chunk */
	int			n_trees;		/* of the chunk */
	int			across;
	int			line;			/* the first one */
	int			column;
	int			n_lines;
	int			n_columns;
	uint64_t	lines[SIDE][CHUNK];
	uint64_t	columns[SIDE][CHUNK];
	uint64_t	rows[GROUP][CHUNK];
} MaskBlock;

/*
 * What two sets leave, and the inputs of one kind in a row: two inputs at a time, as most of
 * the work is to read sets and to write them.  Interval 0 of input 0 leaves all.
 */
static inline void
intersect(const MaskBlock *block, InputShare share, int row, const uint64_t *a, const uint64_t *b,
		  uint64_t *set)
{
	const ForestMasks *masks = block->masks;
	const uint32_t *at = masks->at + (size_t) row * (size_t) masks->forest->n_inputs;
	const uint16_t *inputs = masks->inputs[share];
	int			n = masks->n[share];

	for (int i = 0; i == 0 || i < n; i += 2)
	{
		const uint64_t *c = block->sets + (i < n ? (size_t) at[inputs[i]] * CHUNK : 0);
		const uint64_t *d = block->sets + (i + 1 < n ? (size_t) at[inputs[i + 1]] * CHUNK : 0);

		if (i == 0)
			for (int t = 0; t < CHUNK; t++)
				set[t] = a[t] & b[t] & c[t] & d[t];
		else
			for (int t = 0; t < CHUNK; t++)
				set[t] &= c[t] & d[t];
	}
}

/* The sets of n lines, or columns, whose first row is "row" and "step" rows apart. */
static HOT void
make_side(const MaskBlock *block, InputShare share, int row, int step, int n,
		  uint64_t (*sets)[CHUNK])
{
	for (int i = 0; i < n; i++)
		intersect(block, share, row + i * step, block->sets, block->sets, sets[i]);
}

/* Leaves of a group's rows are added to their sums, tree after tree. */
static HOT void
add_leaves(const MaskBlock *block, double *sums)
{
	const float *leaves = block->leaves;
	int			depth = block->masks->forest->depth;
	double		sum[GROUP];

	memcpy(sum, sums, sizeof(sum));
	for (int t = 0; t < block->n_trees; t++, leaves += (size_t) 1 << depth)
#pragma GCC unroll 8
		for (int g = 0; g < GROUP; g++)
			sum[g] += leaves[__builtin_ctzll(block->rows[g][t])];
	memcpy(sums, sum, sizeof(sum));
}

/* Rows number first .. first + n - 1 of a block, n up to GROUP. */
static HOT void
score_group(MaskBlock *block, int first, int n, double *logits)
{
	int			rows[GROUP];
	double		sums[GROUP] = {0};

	for (int g = 0; g < n; g++)
	{
		int			line = (first + g) / block->n_columns;
		int			column = (first + g) % block->n_columns;

		rows[g] = (block->line + line) * block->across + block->column + column;
		sums[g] = logits[rows[g]];
		intersect(block, SHARED_BY_NONE, rows[g], block->lines[line], block->columns[column],
				  block->rows[g]);
	}
	add_leaves(block, sums);
	for (int g = 0; g < n; g++)
		logits[rows[g]] = sums[g];
}

/* All rows by the trees of a chunk. */
static void
score_chunk(MaskBlock *block, int n_lines, double *logits)
{
	for (block->line = 0; block->line < n_lines; block->line += SIDE)
	{
		block->n_lines = n_lines - block->line < SIDE ? n_lines - block->line : SIDE;
		make_side(block, SHARED_BY_LINE, block->line * block->across, block->across,
				  block->n_lines, block->lines);
		for (block->column = 0; block->column < block->across; block->column += SIDE)
		{
			int			n;

			block->n_columns = block->across - block->column < SIDE ?
				block->across - block->column : SIDE;
			make_side(block, SHARED_BY_COLUMN, block->column, 1, block->n_columns, block->columns);
			n = block->n_lines * block->n_columns;
			for (int first = 0; first < n; first += GROUP)
				score_group(block, first, n - first < GROUP ? n - first : GROUP, logits);
		}
	}
}

void
forest_masks_logits(ForestMasks *masks, int n, int across, double *logits)
{
	const Forest *forest = masks->forest;
	MaskBlock	block;

	block.masks = masks;
	block.across = across;
	/* what a group has no row for is added to nothing */
	for (int g = 0; g < GROUP; g++)
		for (int t = 0; t < CHUNK; t++)
			block.rows[g][t] = 1;
	find_inputs(masks, n, across);
	for (int row = 0; row < n; row++)
		logits[row] = forest->bias;
	for (int tree = 0; tree < forest->n_trees; tree += CHUNK)
	{
		block.sets = masks->sets + (size_t) tree * masks->n_sets;
		block.leaves = forest->leaves + ((size_t) tree << forest->depth);
		block.n_trees = forest->n_trees - tree < CHUNK ? forest->n_trees - tree : CHUNK;
		score_chunk(&block, n / across, logits);
	}
}
