/*
 * scores.h
 *	  Scores and labels as the aggregates take them, and the rows of a state as
 *	  the engine does.
 *
 * All add functions have the arguments (state, score, label, ...).
 */
#ifndef AREAD_API_MEASURES_SCORES_H
#define AREAD_API_MEASURES_SCORES_H

#include "api/measures/row_state.h"
#include "engine/base/base.h"

/*
 * Is the row one to be left out, its score or label being NULL?  Raises an
 * error unless an aggregate calls.
 */
extern bool scores_skip(FunctionCallInfo fcinfo);
/* The score; an error if it is NaN. */
extern double scores_score(FunctionCallInfo fcinfo);
/* The score; an error if it is not within [0, 1]. */
extern double scores_probability(FunctionCallInfo fcinfo);
/* The label, a boolean, integer or float8; an error if it is neither 0 nor 1. */
extern uint8 scores_label(FunctionCallInfo fcinfo);
/* The label as a gain; an error if it is negative, infinite or NaN. */
extern double scores_gain(FunctionCallInfo fcinfo);

/* A record of a score and a label; the same added to a state. */
extern void scores_pack(char *record, double score, uint8 label);
extern State *scores_append(State *state, StateKind kind, double score, uint8 label);
/* The parts of a record; an error if they are not what may be in one. */
extern void scores_unpack(const char *record, double *score, uint8 *label);

/* A state's rows; labels or, of NDCG, gains. */
typedef struct ScoredRows
{
	MemoryContext context;		/* of everything here; to be deleted */
	Arena		arena;
	int64		parameter;
	uint64		n;
	double	   *scores;
	uint8	   *labels;
	double	   *gains;
} ScoredRows;

extern void scores_begin(ScoredRows *rows, uint64 n);
/* The rows of a final function's state. */
extern void scores_of_state(FunctionCallInfo fcinfo, StateKind kind, ScoredRows *rows);
/* A measure, NULL if it is NaN; deletes the rows. */
extern Datum scores_result(FunctionCallInfo fcinfo, ScoredRows *rows, double value);

/*
 * A measure of rows by the engine, whose rules it has for results and errors; where there
 * are several of one form, kind says which.
 */
typedef bool (*ScoreMeasure) (ScoredRows *rows, int kind, double *value, const EngineHost *host,
							  EngineError *error);
/* All of a final function: the measure of its state's rows. */
extern Datum scores_measure(FunctionCallInfo fcinfo, StateKind state, ScoreMeasure measure,
							int kind);

#endif							/* AREAD_API_MEASURES_SCORES_H */
