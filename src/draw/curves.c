/*
 * curves.c
 *	  Loss and AUC during a training.
 *
 * Two plots stand above each other over one axis of time, in epochs where there are
 * any: loss on top, AUC below.  Each has two lines that differ in colour and dashes.
 * Mask updates and the evaluation that was kept go through both plots.
 */
#include "postgres.h"

#include <math.h>

#include "draw/axes.h"
#include "draw/label.h"
#include "draw/pictures.h"

#define WIDTH 760
#define LEFT 72
#define RIGHT (WIDTH - MARGIN)
#define PLOT_HEIGHT 190
#define PLOT_HEAD 34			/* what is measured, and the legend */
#define BETWEEN 26
#define FOOT 62					/* tick labels, axis title, margin */
#define MAX_MARKED 60			/* more evaluations are a line without points */

/* One line of a plot: its measure's place in CurvePoint, name and class. */
typedef struct Series
{
	size_t		offset;
	const char *name;
	const char *line;
	const char *dot;
	const char *dash;
} Series;

typedef struct Panel
{
	const char *measure;		/* with its unit */
	double		ceiling;		/* the measure cannot be more */
	Series		series[2];
} Panel;

static const Panel panels[2] = {
	{"mean log loss per row (nats)", INFINITY, {
		{offsetof(CurvePoint, train_loss), "training rows", "line2", "dot2", "5 4"},
		{offsetof(CurvePoint, valid_loss), "validation rows", "line1", "dot1", "none"}
	}},
	{"AUC on validation rows", 1, {
		{offsetof(CurvePoint, domain_auc), "DomainAUC", "line2", "dot2", "5 4"},
		{offsetof(CurvePoint, auc), "AUC", "line1", "dot1", "none"}
	}}
};

static double
measure(const CurvePoint *point, const Series *series)
{
	return *(const double *) ((const char *) point + series->offset);
}

/* Epochs if there are any, else batches. */
static Axis
time_axis(const Curves *curves)
{
	double		unit = curves->epoch_batches > 0 ? curves->epoch_batches : 1;
	double		last = curves->n > 0 ? curves->points[curves->n - 1].batches / unit : 0;
	Axis		x = {.high = last > 0 ? last : 1,.from = LEFT + 12,.to = RIGHT - 12};

	ticks_linear(x.low, x.high, 10, 1, &x.ticks);
	return x;
}

static double
time_at(const Curves *curves, const Axis *x, double batches)
{
	return axis_at(x, batches / (curves->epoch_batches > 0 ? curves->epoch_batches : 1));
}

static Axis
measure_axis(const Curves *curves, const Panel *panel, double top)
{
	double		low = INFINITY;
	double		high = -INFINITY;

	for (int i = 0; i < curves->n; i++)
		for (int s = 0; s < 2; s++)
		{
			double		value = measure(&curves->points[i], &panel->series[s]);

			if (!isfinite(value))
				continue;
			low = Min(low, value);
			high = Max(high, value);
		}
	if (low > high)
	{
		low = 0;
		high = 1;
	}
	return axis_linear(low, high, panel->ceiling, top + PLOT_HEIGHT, top);
}

static void
draw_series(Svg *svg, const Curves *curves, const Series *series, const Axis *x, const Axis *y)
{
	StringInfoData d;
	bool		begun = false;

	initStringInfo(&d);
	for (int i = 0; i < curves->n; i++)
	{
		double		value = measure(&curves->points[i], series);

		if (isfinite(value))
			appendStringInfo(&d, "%s%.1f %.1f", begun ? "L" : "M",
							 time_at(curves, x, curves->points[i].batches), axis_at(y, value));
		begun = begun || isfinite(value);
	}
	if (begun)
		svg_path(svg, series->line, d.data,
				 psprintf("stroke-width=\"2\" stroke-linejoin=\"round\" stroke-dasharray=\"%s\"",
						  series->dash), NULL);
	svg_open(svg, "points");
	for (int i = 0; i < curves->n; i++)
	{
		double		value = measure(&curves->points[i], series);
		double		radius = i == curves->kept ? 5 : curves->n <= MAX_MARKED ? 3 : 1.5;

		if (isfinite(value))
			svg_circle(svg, series->dot, time_at(curves, x, curves->points[i].batches),
					   axis_at(y, value), radius,
					   psprintf("%s, %.0f batches: %.4f%s", series->name, curves->points[i].batches,
								value, i == curves->kept ? " (kept)" : ""));
	}
	svg_close(svg);
}

/* Mask updates and the kept evaluation, from top to bottom of a plot. */
static void
draw_events(Svg *svg, const Curves *curves, const Axis *x, double top, bool named)
{
	svg_open(svg, "updates");
	for (int i = 0; i < curves->n_updates; i++)
	{
		double		at = time_at(curves, x, curves->updates[i]);

		svg_line(svg, "line3", at, top, at, top + PLOT_HEIGHT,
				 "stroke-width=\"1\" stroke-dasharray=\"1 3\" stroke-opacity=\"0.9\"");
	}
	svg_close(svg);
	if (curves->kept >= 0)
	{
		double		at = time_at(curves, x, curves->points[curves->kept].batches);

		svg_line(svg, "axis", at, top, at, top + PLOT_HEIGHT, "stroke-width=\"1.2\"");
		if (named)
			svg_text(svg, NULL, at > (LEFT + RIGHT) / 2.0 ? ANCHOR_END : ANCHOR_START, SMALL_SIZE,
					 at > (LEFT + RIGHT) / 2.0 ? at - 5 : at + 5, top + 11, "kept");
	}
}

/* What is measured on the left, the series' names on the right. */
static void
draw_head(Svg *svg, const Panel *panel, double top)
{
	double		x = RIGHT;

	svg_text(svg, NULL, ANCHOR_START, TEXT_SIZE, MARGIN, top - 14, panel->measure);
	for (int s = 0; s < 2; s++)
	{
		const Series *series = &panel->series[s];

		x -= label_width(series->name, SMALL_SIZE);
		svg_text(svg, "muted", ANCHOR_START, SMALL_SIZE, x, top - 14, series->name);
		x -= 36;
		svg_line(svg, series->line, x, top - 18, x + 28, top - 18,
				 psprintf("stroke-width=\"2\" stroke-dasharray=\"%s\"", series->dash));
		svg_circle(svg, series->dot, x + 14, top - 18, 3, NULL);
		x -= 18;
	}
}

static void
draw_plot(Svg *svg, const Curves *curves, const Panel *panel, const Axis *x, double top, bool lowest)
{
	Axis		y = measure_axis(curves, panel, top);

	draw_head(svg, panel, top);
	axis_draw_y(svg, &y, LEFT, RIGHT);
	draw_events(svg, curves, x, top, !lowest);
	if (lowest)
		axis_draw_x(svg, x, LEFT, RIGHT, top, top + PLOT_HEIGHT);
	else
		svg_line(svg, "axis", LEFT, top + PLOT_HEIGHT, RIGHT, top + PLOT_HEIGHT, "");
	for (int s = 0; s < 2; s++)
		draw_series(svg, curves, &panel->series[s], x, &y);
}

static void
describe(const Curves *curves, SvgHeader *header)
{
	int			n = 0;

	if (curves->kept < 0)
		header->lines[n++] = "No evaluation was kept.";
	else if (curves->points[curves->kept].batches == 0)
		header->lines[n++] = curves->n > 1 ? "The start was kept." :
			"The start was kept: no network was trained.";
	else
		header->lines[n++] = psprintf("Kept: the evaluation after %.0f batches, with DomainAUC %.4f.",
									  curves->points[curves->kept].batches,
									  curves->points[curves->kept].domain_auc);
	if (curves->n_updates > 0)
		header->lines[n++] = psprintf("Dotted lines: %d mask update%s.", curves->n_updates,
									  curves->n_updates == 1 ? "" : "s");
}

char *
draw_curves(const Curves *curves)
{
	SvgHeader	header = {0};
	Axis		x = time_axis(curves);
	double		top;
	Svg			svg;

	describe(curves, &header);
	header.title = subject_title(&curves->subject, "Training", "", WIDTH - 2 * MARGIN);
	top = svg_header_height(&header) + PLOT_HEAD;
	svg_begin(&svg, WIDTH, top + 2 * PLOT_HEIGHT + PLOT_HEAD + BETWEEN + FOOT, curves->subject.theme,
			  &header);
	draw_plot(&svg, curves, &panels[0], &x, top, false);
	top += PLOT_HEIGHT + BETWEEN + PLOT_HEAD;
	draw_plot(&svg, curves, &panels[1], &x, top, true);
	svg_text(&svg, "muted", ANCHOR_MIDDLE, SMALL_SIZE, (LEFT + RIGHT) / 2.0, top + PLOT_HEIGHT + 38,
			 curves->epoch_batches > 0 ? psprintf("epochs of %.0f batches", curves->epoch_batches) :
			 "batches");
	return svg_end(&svg);
}
