/*
 * heatmap.c
 *	  Overlap ratios of domains' masks as a matrix of colours.
 *
 * The layout comes first: the number of domains decides the size of cells, and the
 * longest name its room.  Then cells are drawn by steps of colour, numbers in them
 * where they have room, names on the left and on top, and the scale.
 */
#include "postgres.h"

#include <math.h>

#include "draw/label.h"
#include "draw/pictures.h"
#include "miscadmin.h"

#define MATRIX_SIZE 640			/* at most, until cells would be too small */
#define MIN_CELL 9
#define MAX_CELL 48
#define NAME_ROOM 180			/* pixels for a name */
#define MAX_WITH_VALUES 12		/* domains, with which cells have room for a number */
#define GAP_FROM 12				/* cell size from which cells stand apart */
#define SCALE_WIDTH 14
#define SCALE_HEIGHT 160
#define SCALE_ROOM 84			/* from the matrix to the end of the scale's text */
#define MIN_WIDTH 640			/* what the header wants */

typedef struct Layout
{
	double		cell;
	double		font;
	double		left;			/* of the matrix */
	double		top;
	double		size;			/* of the matrix */
	double		width;			/* of the picture */
	double		height;
	double		room;			/* for names */
} Layout;

static Layout
lay_out(const HeatMap *map, const SvgHeader *header)
{
	Layout		layout = {0};

	layout.cell = Min(MAX_CELL, Max(MIN_CELL, MATRIX_SIZE / Max(map->n, 1)));
	layout.font = Min(TEXT_SIZE, layout.cell - 1);
	for (int i = 0; i < map->n; i++)
		layout.room = Max(layout.room, label_width(map->names[i], layout.font));
	layout.room = ceil(Min(layout.room, NAME_ROOM));
	layout.size = map->n * layout.cell;
	layout.left = MARGIN + layout.room + 8;
	layout.top = svg_header_height(header) + layout.room + 8;
	layout.width = Max(layout.left + layout.size + SCALE_ROOM + MARGIN, MIN_WIDTH);
	layout.height = layout.top + Max(layout.size, SCALE_HEIGHT) + MARGIN;
	return layout;
}

static int
step_of(double value)
{
	return (int) rint(Max(0, Min(value, 1)) * RAMP_STEPS);
}

static void
draw_cell(Svg *svg, const HeatMap *map, const Layout *layout, char **markup, int row, int column)
{
	double		value = map->values[row * map->n + column];
	double		size = layout->cell >= GAP_FROM ? layout->cell - 1 : layout->cell;
	char	   *number = isnan(value) ? pstrdup("no open gates") : psprintf("%.2f", value);
	char		class[16];
	char	   *tooltip;

	if (row == column)
		tooltip = psprintf("%s: %s", markup[row], number);
	else
		tooltip = psprintf("%s / %s: %s", markup[row], markup[column], number);
	if (row == column)
		snprintf(class, sizeof(class), "self");
	else
		snprintf(class, sizeof(class), "k%d", isnan(value) ? 0 : step_of(value));
	svg_rect(svg, class, layout->left + column * layout->cell, layout->top + row * layout->cell, size,
			 size, tooltip);
	pfree(number);
	pfree(tooltip);
}

static void
draw_cells(Svg *svg, const HeatMap *map, const Layout *layout)
{
	char	  **markup = palloc(Max(map->n, 1) * sizeof(char *));

	for (int i = 0; i < map->n; i++)
		markup[i] = label_markup(map->names[i]);
	svg_open(svg, "cells");
	for (int row = 0; row < map->n; row++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int column = 0; column < map->n; column++)
			draw_cell(svg, map, layout, markup, row, column);
	}
	svg_close(svg);
}

/*
 * The diagonal, where the ratio is 1, says nothing.  Numbers do not stand in the
 * way of the pointer: the cell's tooltip shows.
 */
static void
draw_values(Svg *svg, const HeatMap *map, const Layout *layout)
{
	appendStringInfoString(&svg->out, "<g pointer-events=\"none\">\n");
	for (int i = 0; i < map->n * map->n; i++)
	{
		char		class[16];
		int			row = i / map->n;

		if (i % map->n == row || isnan(map->values[i]))
			continue;
		snprintf(class, sizeof(class), "n%d", step_of(map->values[i]));
		svg_text(svg, class, ANCHOR_MIDDLE, SMALL_SIZE,
				 layout->left + (i % map->n + 0.5) * layout->cell,
				 layout->top + (row + 0.5) * layout->cell + 4,
				 psprintf("%.2f", map->values[i]));
	}
	svg_close(svg);
}

static void
draw_names(Svg *svg, const HeatMap *map, const Layout *layout)
{
	for (int i = 0; i < map->n; i++)
	{
		char	   *name = label_fit(map->names[i], layout->font, layout->room);
		double		at = (i + 0.5) * layout->cell + layout->font * 0.35;

		svg_text(svg, NULL, ANCHOR_END, layout->font, layout->left - 6, layout->top + at, name);
		svg_text_up(svg, NULL, ANCHOR_START, layout->font, layout->left + at, layout->top - 6, name);
	}
}

/* The colour scale, 1 on top. */
static void
draw_scale(Svg *svg, const Layout *layout)
{
	double		x = layout->left + layout->size + 24;
	double		step = (double) SCALE_HEIGHT / (RAMP_STEPS + 1);

	for (int k = 0; k <= RAMP_STEPS; k++)
	{
		char		class[16];

		snprintf(class, sizeof(class), "k%d", k);
		svg_rect(svg, class, x, layout->top + (RAMP_STEPS - k) * step, SCALE_WIDTH, step + 0.3, NULL);
	}
	for (int tick = 0; tick <= 5; tick++)
		svg_text(svg, "muted", ANCHOR_START, SMALL_SIZE, x + SCALE_WIDTH + 6,
				 layout->top + (RAMP_STEPS - tick * 4 + 0.5) * step + 4, psprintf("%.1f", tick / 5.0));
	svg_text_up(svg, "muted", ANCHOR_MIDDLE, SMALL_SIZE, x + SCALE_WIDTH + 40,
				layout->top + SCALE_HEIGHT / 2.0, "overlap ratio");
}

char *
draw_heat_map(const HeatMap *map)
{
	SvgHeader	header = {.lines = {
		"Overlap ratio: expert gates open in both domains / gates open in either.", NULL
	}};
	Layout		layout;
	Svg			svg;

	if (map->n < map->n_all)
		header.lines[1] = psprintf("Only the %d largest of " INT64_FORMAT " domains, ordered so that like ones stand together.",
								   map->n, map->n_all);
	else
		header.lines[1] = map->n == 1 ? "1 domain: there is nothing to compare it with." :
			psprintf("%d domains, ordered so that like ones stand together.", map->n);
	layout = lay_out(map, &header);
	header.title = subject_title(&map->subject, "Mask overlap",
								 map->layer > 0 ? psprintf(", layer %d", map->layer) : ", all layers",
								 layout.width - 2 * MARGIN);
	svg_begin(&svg, layout.width, layout.height, map->subject.theme, &header);
	draw_cells(&svg, map, &layout);
	if (map->n <= MAX_WITH_VALUES)
		draw_values(&svg, map, &layout);
	draw_names(&svg, map, &layout);
	draw_scale(&svg, &layout);
	return svg_end(&svg);
}
