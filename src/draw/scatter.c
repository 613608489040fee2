/*
 * scatter.c
 *	  Domains by training rows and AUC.
 *
 * Points are placed first; then labels look for a place, the largest domains' first,
 * where no point, label or line is in the way.  A label that finds none is left out:
 * its point has a tooltip.
 */
#include "postgres.h"

#include <math.h>

#include "draw/axes.h"
#include "draw/label.h"
#include "draw/pictures.h"
#include "miscadmin.h"

#define WIDTH 760
#define LEFT 72
#define RIGHT (WIDTH - MARGIN)
#define PLOT_HEIGHT 420
#define PLOT_HEAD 34
#define FOOT 62
#define NAME_ROOM 170
#define RADIUS 5
#define CLEAR 3					/* pixels between a label and anything else */

typedef struct Box
{
	double		left;
	double		right;
	double		top;
	double		bottom;
} Box;

/* What stands in the plot so far. */
typedef struct Plot
{
	Svg			svg;
	const Scatter *scatter;
	Axis		x;
	Axis		y;
	double		top;
	double	   *at_x;			/* [n] pixels of the points */
	double	   *at_y;
	Box		   *taken;			/* labels, and the line across */
	int			n_taken;
} Plot;

static bool
overlaps(const Box *a, const Box *b)
{
	return a->left < b->right && b->left < a->right && a->top < b->bottom && b->top < a->bottom;
}

static bool
is_free(const Plot *plot, const Box *box)
{
	if (box->left < LEFT || box->right > RIGHT || box->top < plot->top ||
		box->bottom > plot->top + PLOT_HEIGHT)
		return false;
	for (int i = 0; i < plot->n_taken; i++)
		if (overlaps(box, &plot->taken[i]))
			return false;
	for (int i = 0; i < plot->scatter->n; i++)
	{
		double		x = plot->at_x[i];
		double		y = plot->at_y[i];
		Box			point = {x - RADIUS, x + RADIUS, y - RADIUS, y + RADIUS};

		if (overlaps(box, &point))
			return false;
	}
	return true;
}

/* Where a label may stand from its point: -1, 0 or 1 to the right and downwards. */
static const int places[][2] = {{1, 0}, {-1, 0}, {0, -1}, {0, 1}, {1, -1}, {1, 1}, {-1, -1}, {-1, 1}};

static Box
label_box(double x, double y, double width, const int *place)
{
	double		aside = place[1] == 0 ? RADIUS + CLEAR : RADIUS;
	double		left = place[0] > 0 ? x + aside : place[0] < 0 ? x - aside - width : x - width / 2;
	double		top = y - 7 + place[1] * (place[0] == 0 ? RADIUS + CLEAR + 6 : RADIUS + 4);

	return (Box) {left, left + width, top, top + 13};
}

/* A label near its point, wherever nothing is in the way; else none. */
static void
label_point(Plot *plot, int i)
{
	const char *name = plot->scatter->points[i].name;
	double		width = Min(label_width(name, SMALL_SIZE), NAME_ROOM);

	for (int place = 0; place < lengthof(places); place++)
	{
		Box			box = label_box(plot->at_x[i], plot->at_y[i], width, places[place]);
		int			side = places[place][0];

		if (!is_free(plot, &box))
			continue;
		svg_text(&plot->svg, NULL, side > 0 ? ANCHOR_START : side < 0 ? ANCHOR_END : ANCHOR_MIDDLE,
				 SMALL_SIZE, side > 0 ? box.left : side < 0 ? box.right : plot->at_x[i],
				 box.bottom - 2, label_fit(name, SMALL_SIZE, NAME_ROOM));
		plot->taken[plot->n_taken++] = box;
		return;
	}
}

/* Triangles, circles, squares: kinds are told without colour too. */
static void
draw_mark(Svg *svg, DomainKind kind, double x, double y, const char *tooltip)
{
	if (kind == DOMAIN_MINOR)
		svg_path(svg, "dot2", psprintf("M%.1f %.1fl%.1f %.1fh%.1fz", x, y - RADIUS - 0.5, RADIUS + 0.5,
									   2.0 * RADIUS, -2 * RADIUS - 1.0), "", tooltip);
	else if (kind == DOMAIN_MAJOR)
		svg_rect(svg, "dot1", x - RADIUS + 0.5, y - RADIUS + 0.5, 2 * RADIUS - 1, 2 * RADIUS - 1,
				 tooltip);
	else
		svg_circle(svg, "dot3", x, y, RADIUS, tooltip);
}

static const char *
kind_name(DomainKind kind)
{
	return kind == DOMAIN_MINOR ? "minor" : kind == DOMAIN_MAJOR ? "major" : "neither";
}

static void
draw_points(Plot *plot)
{
	svg_open(&plot->svg, "points");
	for (int i = 0; i < plot->scatter->n; i++)
	{
		const DomainPoint *point = &plot->scatter->points[i];

		draw_mark(&plot->svg, point->kind, plot->at_x[i], plot->at_y[i],
				  psprintf("%s%s: AUC %.4f, %.0f training rows", label_markup(point->name),
						   point->kind == DOMAIN_OTHER ? "" : psprintf(" (%s)", kind_name(point->kind)),
						   point->auc, point->rows));
	}
	svg_close(&plot->svg);
}

/* The largest domains choose their place first. */
static void
draw_labels(Plot *plot)
{
	appendStringInfoString(&plot->svg.out, "<g pointer-events=\"none\">\n");
	for (int i = 0; i < plot->scatter->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		label_point(plot, i);
	}
	svg_close(&plot->svg);
}

/* What the line is stands in the subtitle: beside it there may be points. */
static void
draw_domain_auc(Plot *plot)
{
	double		at = axis_at(&plot->y, plot->scatter->domain_auc);
	Box			line = {LEFT, RIGHT, at - 1, at + 1};

	if (!isfinite(plot->scatter->domain_auc))
		return;
	svg_line(&plot->svg, "axis", LEFT, at, RIGHT, at, "stroke-width=\"1.2\" stroke-dasharray=\"6 4\"");
	plot->taken[plot->n_taken++] = line;
}

static void
draw_legend(Plot *plot)
{
	static const char *const texts[] = {"minor domain", "neither", "major domain"};
	double		x = RIGHT;

	for (int kind = DOMAIN_MAJOR; kind >= DOMAIN_MINOR; kind--)
	{
		x -= label_width(texts[kind], SMALL_SIZE);
		svg_text(&plot->svg, "muted", ANCHOR_START, SMALL_SIZE, x, plot->top - 14, texts[kind]);
		x -= 12;
		draw_mark(&plot->svg, kind, x, plot->top - 18, NULL);
		x -= 20;
	}
}

static void
place_points(Plot *plot)
{
	const Scatter *scatter = plot->scatter;
	double		least = INFINITY;
	double		most = 1;
	double		low = isfinite(scatter->domain_auc) ? scatter->domain_auc : INFINITY;
	double		high = isfinite(scatter->domain_auc) ? scatter->domain_auc : -INFINITY;

	for (int i = 0; i < scatter->n; i++)
	{
		least = Min(least, scatter->points[i].rows);
		most = Max(most, scatter->points[i].rows);
		low = Min(low, scatter->points[i].auc);
		high = Max(high, scatter->points[i].auc);
	}
	plot->x = axis_log(Min(least, most), most, LEFT, RIGHT);
	plot->y = axis_linear(Min(low, high), Max(low, high), 1, plot->top + PLOT_HEIGHT - RADIUS,
						  plot->top + RADIUS);
	plot->at_x = palloc(Max(scatter->n, 1) * sizeof(double));
	plot->at_y = palloc(Max(scatter->n, 1) * sizeof(double));
	plot->taken = palloc((scatter->n + 1) * sizeof(Box));
	for (int i = 0; i < scatter->n; i++)
	{
		plot->at_x[i] = axis_at(&plot->x, scatter->points[i].rows);
		plot->at_y[i] = axis_at(&plot->y, scatter->points[i].auc);
	}
}

char *
draw_scatter(const Scatter *scatter)
{
	SvgHeader	header = {.lines = {
		"How well each domain is served, by its size (names that would collide: in tooltips)."
	}};
	Plot		plot = {.scatter = scatter};
	const char *rows = scatter->test ? "test" : "validation";

	if (isfinite(scatter->domain_auc))
		header.lines[0] = psprintf("%s Dashed: DomainAUC %.3f.", header.lines[0],
								   scatter->domain_auc);
	if (scatter->n_without > 0)
		header.lines[1] = psprintf(INT64_FORMAT " domain%s without an AUC on %s rows %s left out.",
								   scatter->n_without, scatter->n_without == 1 ? "" : "s", rows,
								   scatter->n_without == 1 ? "is" : "are");
	header.title = subject_title(&scatter->subject, "Domains", "", WIDTH - 2 * MARGIN);
	plot.top = svg_header_height(&header) + PLOT_HEAD;
	place_points(&plot);
	svg_begin(&plot.svg, WIDTH, plot.top + PLOT_HEIGHT + FOOT, scatter->subject.theme, &header);
	svg_text(&plot.svg, NULL, ANCHOR_START, TEXT_SIZE, MARGIN, plot.top - 14,
			 psprintf("AUC on %s rows", rows));
	draw_legend(&plot);
	axis_draw_y(&plot.svg, &plot.y, LEFT, RIGHT);
	axis_draw_x(&plot.svg, &plot.x, LEFT, RIGHT, plot.top, plot.top + PLOT_HEIGHT);
	svg_text(&plot.svg, "muted", ANCHOR_MIDDLE, SMALL_SIZE, (LEFT + RIGHT) / 2.0,
			 plot.top + PLOT_HEIGHT + 38, "training rows of the domain");
	draw_domain_auc(&plot);
	draw_points(&plot);
	draw_labels(&plot);
	return svg_end(&plot.svg);
}
