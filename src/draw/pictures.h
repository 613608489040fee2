/*
 * pictures.h
 *	  What there is to draw, as plain numbers, and the functions that draw it.
 *
 * All names are text in the server's encoding.  Each function returns an SVG
 * document in ASCII, palloc'd.
 */
#ifndef AREAD_DRAW_PICTURES_H
#define AREAD_DRAW_PICTURES_H

#include "draw/svg.h"
#include "engine/base/limits.h"

/* What a picture is of. */
typedef struct Subject
{
	const char *model;
	int			version;
	Theme		theme;
} Subject;

/* Overlap ratios between domains, in the order in which they are drawn. */
typedef struct HeatMap
{
	Subject		subject;
	int			layer;			/* 0: all together */
	int			n;				/* domains drawn */
	int64		n_all;			/* domains that there are */
	const char **names;			/* [n] */
	const double *values;		/* [n, n] from 0 to 1; NaN: no gate is open in either */
} HeatMap;

/* Gates of one domain or two, in the engine's order. */
typedef struct ExpertGraph
{
	Subject		subject;
	const IntList *experts;		/* N_1 .. N_L */
	int			n;				/* domains: 1 or 2 */
	const char *names[2];
	const uint8 *open[2];		/* [G] */
	const float4 *weight[2];	/* [G] */
	bool		masked;			/* some gate is closed */
	bool		scored_open;	/* scores leave such a gate open */
} ExpertGraph;

typedef struct CurvePoint
{
	double		batches;
	double		train_loss;		/* NaN: not measured, as in all */
	double		valid_loss;
	double		auc;
	double		domain_auc;
} CurvePoint;

/* Evaluations during a training. */
typedef struct Curves
{
	Subject		subject;
	int			n;
	const CurvePoint *points;	/* [n] by batches */
	int			kept;			/* of points; -1: none */
	double		epoch_batches;	/* batches of an epoch; 0: none was trained */
	int			n_updates;
	const double *updates;		/* [n_updates] batches before each mask update */
} Curves;

typedef enum DomainKind
{
	DOMAIN_MINOR,
	DOMAIN_OTHER,
	DOMAIN_MAJOR
} DomainKind;

typedef struct DomainPoint
{
	const char *name;
	double		rows;			/* training rows, 1 or more */
	double		auc;
	DomainKind	kind;
} DomainPoint;

/* Domains by size and AUC. */
typedef struct Scatter
{
	Subject		subject;
	bool		test;			/* on test rows; else on validation rows */
	int			n;
	const DomainPoint *points;	/* [n] the largest first */
	int64		n_without;		/* domains left out: no AUC */
	double		domain_auc;		/* NaN: none */
} Scatter;

extern char *draw_heat_map(const HeatMap *map);
extern char *draw_expert_graph(const ExpertGraph *graph);
extern char *draw_curves(const Curves *curves);
extern char *draw_scatter(const Scatter *scatter);

/* "What: model, version 1" and more, as markup; the model's name is cut to what fits. */
extern char *subject_title(const Subject *subject, const char *what, const char *more,
						   double width);

#endif							/* AREAD_DRAW_PICTURES_H */
