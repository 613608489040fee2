/*
 * graph.c
 *	  Which experts feed which in a domain, or in two side by side.
 *
 * Layers stand from left to right, their experts one above the other, and a line is
 * an open gate whose weight is its width.  The layout comes first, since the number
 * of layers and experts decides the picture's size.  Lines are drawn before experts,
 * and gates of one domain alone before those of both.
 */
#include "postgres.h"

#include <math.h>

#include "draw/label.h"
#include "draw/pictures.h"
#include "engine/model/gates.h"
#include "engine/model/mask.h"
#include "miscadmin.h"

#define MAX_GAP 170				/* between layers */
#define MIN_GAP 80
#define PANEL_WIDTH 400			/* at most, until layers would be too close */
#define MAX_SPACING 34			/* between experts of a layer */
#define MIN_SPACING 18
#define PANEL_HEIGHT 440		/* the same for experts */
#define MAX_RADIUS 11
#define SIDE 24					/* from a panel's side to its first and last layer */
#define PANEL_HEAD 66			/* name, count and layer names */
#define BETWEEN 40
#define LEGEND_HEIGHT 64
#define MIN_WIDTH 620

typedef struct Layout
{
	double		gap;
	double		spacing;
	double		radius;
	double		panel_width;
	double		top;			/* of the panels */
	double		experts_height;
	double		width;			/* of the picture */
	double		height;
} Layout;

static Layout
lay_out(const ExpertGraph *graph, const SvgHeader *header)
{
	const IntList *experts = graph->experts;
	Layout		layout;
	int			most = 1;

	for (int i = 0; i < experts->n; i++)
		most = Max(most, experts->value[i]);
	layout.gap = Min(MAX_GAP, Max(MIN_GAP, PANEL_WIDTH / Max(experts->n - 1, 1)));
	layout.spacing = Min(MAX_SPACING, Max(MIN_SPACING, PANEL_HEIGHT / most));
	layout.radius = Min(MAX_RADIUS, layout.spacing / 2 - 2);
	layout.panel_width = layout.gap * (experts->n - 1) + 2 * SIDE;
	layout.top = svg_header_height(header);
	layout.experts_height = most * layout.spacing;
	layout.width = Max(2 * MARGIN + graph->n * layout.panel_width + (graph->n - 1) * BETWEEN, MIN_WIDTH);
	layout.height = layout.top + PANEL_HEAD + layout.experts_height + LEGEND_HEIGHT + MARGIN;
	return layout;
}

/* Left side of a domain's panel; the panels stand in the middle of the picture. */
static double
panel_left(const ExpertGraph *graph, const Layout *layout, int domain)
{
	double		all = graph->n * layout->panel_width + (graph->n - 1) * BETWEEN;

	return (layout->width - all) / 2 + domain * (layout->panel_width + BETWEEN);
}

/* Layer and expert from 1. */
static double
expert_x(const ExpertGraph *graph, const Layout *layout, int domain, int layer)
{
	return panel_left(graph, layout, domain) + SIDE + (layer - 1) * layout->gap;
}

static double
expert_y(const ExpertGraph *graph, const Layout *layout, int layer, int expert)
{
	return layout->top + PANEL_HEAD + layout->experts_height / 2 +
		(expert - (graph->experts->value[layer - 1] + 1) / 2.0) * layout->spacing;
}

static double
line_width(double weight)
{
	return 0.8 + 5.2 * weight;
}

/* Lighter gates are thinner and fainter. */
static char *
line_style(double weight)
{
	return psprintf("stroke-width=\"%.2f\" stroke-opacity=\"%.2f\"", line_width(weight),
					0.35 + 0.65 * weight);
}

static void
draw_edge(Svg *svg, const ExpertGraph *graph, const Layout *layout, int domain, int layer, int lower,
		  int upper, double weight, bool alone)
{
	double		x1 = expert_x(graph, layout, domain, layer - 1) + layout->radius;
	double		x2 = expert_x(graph, layout, domain, layer) - layout->radius;
	double		y1 = expert_y(graph, layout, layer - 1, lower);
	double		y2 = expert_y(graph, layout, layer, upper);
	double		bend = (x2 - x1) * 0.45;

	svg_path(svg, alone ? "line2" : "line1",
			 psprintf("M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f", x1, y1, x1 + bend, y1, x2 - bend, y2,
					  x2, y2), line_style(weight),
			 psprintf("expert %d of layer %d feeds expert %d of layer %d: weight %.3f%s", lower,
					  layer - 1, upper, layer, weight,
					  graph->n == 1 ? "" : alone ? ", in this domain only" : ", in both domains"));
}

/* Gates that are open in this domain alone come first, those of both lie on them. */
static void
draw_edges(Svg *svg, const ExpertGraph *graph, const Layout *layout, int domain)
{
	const IntList *experts = graph->experts;

	svg_open(svg, "edges");
	for (int pass = 0; pass < 2; pass++)
	{
		int			gate = 0;

		CHECK_FOR_INTERRUPTS();
		for (int layer = 2; layer <= experts->n; layer++)
			for (int lower = 1; lower <= experts->value[layer - 2]; lower++)
				for (int upper = 1; upper <= experts->value[layer - 1]; upper++, gate++)
				{
					bool		alone = graph->n == 2 && !graph->open[1 - domain][gate];

					if (graph->open[domain][gate] && alone == (pass == 0))
						draw_edge(svg, graph, layout, domain, layer, lower, upper,
								  graph->weight[domain][gate], alone);
				}
	}
	svg_close(svg);
}

static void
draw_expert(Svg *svg, const Layout *layout, double x, double y, int expert, bool used)
{
	svg_circle(svg, used ? "ring" : "off", x, y, layout->radius, NULL);
	svg_text(svg, used ? NULL : "muted", ANCHOR_MIDDLE, Min(layout->radius + 0.5, SMALL_SIZE), x,
			 y + layout->radius * 0.36, psprintf("%d", expert));
}

static void
draw_experts(Svg *svg, const ExpertGraph *graph, const Layout *layout, int domain)
{
	const IntList *experts = graph->experts;

	svg_open(svg, "experts");
	for (int layer = 1; layer <= experts->n; layer++)
	{
		bool		used[MAX_EXPERTS];
		double		x = expert_x(graph, layout, domain, layer);

		mask_used_experts(graph->experts, graph->open[domain], layer, used);
		svg_text(svg, "muted", ANCHOR_MIDDLE, SMALL_SIZE, x, layout->top + PANEL_HEAD - 12,
				 psprintf("layer %d", layer));
		for (int expert = 1; expert <= experts->value[layer - 1]; expert++)
			draw_expert(svg, layout, x, expert_y(graph, layout, layer, expert), expert,
						used[expert - 1]);
	}
	svg_close(svg);
}

static void
draw_panel(Svg *svg, const ExpertGraph *graph, const Layout *layout, int domain)
{
	double		left = panel_left(graph, layout, domain);
	int			open = mask_open(graph->experts, graph->open[domain]);
	double		room = graph->n == 2 ? layout->panel_width + BETWEEN / 2.0 : layout->width - 2 * MARGIN;
	double		x = left + (graph->n == 2 ? 0 : (layout->panel_width - room) / 2);

	svg_text(svg, NULL, ANCHOR_START, TEXT_SIZE + 2, x, layout->top + 16,
			 label_fit(graph->names[domain], TEXT_SIZE + 2, room));
	svg_text(svg, "muted", ANCHOR_START, SMALL_SIZE, x, layout->top + 33,
			 psprintf("%d of %d gates open", open, gates_total(graph->experts)));
	draw_edges(svg, graph, layout, domain);
	draw_experts(svg, graph, layout, domain);
}

/* A line and what it stands for; where the next may begin. */
static double
legend_line(Svg *svg, const char *class, double x, double y, double weight, const char *text)
{
	svg_line(svg, class, x, y - 4, x + 28, y - 4, line_style(weight));
	svg_text(svg, "muted", ANCHOR_START, SMALL_SIZE, x + 35, y, text);
	return x + 35 + label_width(text, SMALL_SIZE) + 16;
}

static void
draw_legend(Svg *svg, const ExpertGraph *graph, const Layout *layout)
{
	const char *weights = "gate weight (those into an expert sum to 1):";
	double		y = layout->top + PANEL_HEAD + layout->experts_height + 32;
	double		x = MARGIN;

	svg_open(svg, "legend");
	if (graph->n == 2)
	{
		x = legend_line(svg, "line1", x, y, 0.5, "gate open in both domains");
		x = legend_line(svg, "line2", x, y, 0.5, "in this domain only");
	}
	svg_circle(svg, "off", x + 7, y - 4, 6, NULL);
	svg_text(svg, "muted", ANCHOR_START, SMALL_SIZE, x + 20, y, "expert not used");
	y += 22;
	x = MARGIN;
	svg_text(svg, "muted", ANCHOR_START, SMALL_SIZE, x, y, weights);
	x += label_width(weights, SMALL_SIZE);
	x = legend_line(svg, "line1", x, y, 0.1, "0.1");
	x = legend_line(svg, "line1", x, y, 0.5, "0.5");
	legend_line(svg, "line1", x, y, 1, "1");
	svg_close(svg);
}

/* The overlap ratio of all layers, then of each. */
static char *
overlap_line(const ExpertGraph *graph)
{
	int			n_layers = graph->experts->n;
	StringInfoData line;

	initStringInfo(&line);
	appendStringInfo(&line, "Mask overlap ratio %.3f",
					 mask_overlap(graph->experts, graph->open[0], graph->open[1], 0));
	for (int layer = 2; n_layers > 2 && layer <= n_layers; layer++)
		appendStringInfo(&line, "%slayer %d: %.2f", layer == 2 ? " (" : ", ", layer,
						 mask_overlap(graph->experts, graph->open[0], graph->open[1], layer));
	if (n_layers > 2)
		appendStringInfoChar(&line, ')');
	appendStringInfoString(&line, ": gates open in both / in either.");
	return line.data;
}

char *
draw_expert_graph(const ExpertGraph *graph)
{
	SvgHeader	header = {0};
	int			n = 0;
	Layout		layout;
	Svg			svg;

	header.lines[n++] = graph->n == 2 ? overlap_line(graph) :
		"Experts of each layer, and the gates between them that are open.";
	if (!graph->masked)
		header.lines[n++] = "Every gate is open: no mask keeps experts out.";
	else if (graph->scored_open)
		header.lines[n++] = "Masks tell which gates matter most: scores leave all gates open.";
	layout = lay_out(graph, &header);
	header.title = subject_title(&graph->subject, "Experts in use", "", layout.width - 2 * MARGIN);
	svg_begin(&svg, layout.width, layout.height, graph->subject.theme, &header);
	for (int domain = 0; domain < graph->n; domain++)
		draw_panel(&svg, graph, &layout, domain);
	draw_legend(&svg, graph, &layout);
	return svg_end(&svg);
}
