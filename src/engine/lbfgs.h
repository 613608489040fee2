/*
 * lbfgs.h
 *	  Minimize a smooth convex function of many variables: L-BFGS (Nocedal and
 *	  Wright, Numerical Optimization, algorithm 7.5) on scaled variables.
 */
#ifndef AREAD_ENGINE_LBFGS_H
#define AREAD_ENGINE_LBFGS_H

#include "base.h"

/* Value and gradient [n] at w [n]; false with *error filled stops the search. */
typedef bool (*Objective) (void *context, const double *w, double *value,
						   double *gradient, EngineError *error);

typedef struct Lbfgs
{
	size_t		n;				/* variables */
	Objective	objective;
	void	   *context;
	double	   *w;				/* [n] start in, minimum out */
	double	   *curvature;		/* [n] the diagonal of the Hessian, about; positive */
	double	   *gradient;		/* [n] at w */
	double		value;			/* at w */
	int			iterations;		/* so far */
	double		largest_step;	/* of |gradient / curvature|, at w */
	struct LbfgsState *state;
} Lbfgs;

/* Allocate the arrays for n variables; w starts at 0, curvature is the caller's to fill. */
extern bool lbfgs_init(Lbfgs *search, Arena *arena, size_t n, Objective objective,
					   void *context, EngineError *error);
/*
 * Search from w until no variable's Newton step along its own axis exceeds
 * tolerance (in the variable's units), no step makes the value smaller, or
 * max_iterations have passed.  To be called again after objective or curvature
 * have changed.
 */
extern bool lbfgs_minimize(Lbfgs *search, double tolerance, int max_iterations,
						   EngineError *error);

#endif							/* AREAD_ENGINE_LBFGS_H */
