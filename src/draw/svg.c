/*
 * svg.c
 *	  A small writer of SVG.
 *
 * Elements are appended to one string, as they are called for: what is drawn later
 * lies on top.  Colours are classes of the style sheet (theme.h), so that one
 * document serves light and dark.
 */
#include "postgres.h"

#include "draw/svg.h"

#define TITLE_Y 36
#define FIRST_LINE_Y 57
#define LINE_HEIGHT 17

static int
n_lines(const SvgHeader *header)
{
	int			n = 0;

	while (n < HEADER_LINES && header->lines[n])
		n++;
	return n;
}

double
svg_header_height(const SvgHeader *header)
{
	return TITLE_Y + (n_lines(header) > 0 ? FIRST_LINE_Y - TITLE_Y : 0) +
		Max(n_lines(header) - 1, 0) * LINE_HEIGHT + 14;
}

void
svg_begin(Svg *svg, double width, double height, Theme theme, const SvgHeader *header)
{
	initStringInfo(&svg->out);
	appendStringInfo(&svg->out,
					 "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"%s\" role=\"img\""
					 " width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\""
					 " font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\">\n"
					 "<title>%s</title>\n<desc>", theme_class(theme), width, height, width, height,
					 header->title);
	for (int i = 0; i < HEADER_LINES && header->lines[i]; i++)
		appendStringInfo(&svg->out, "%s%s", i > 0 ? " " : "", header->lines[i]);
	appendStringInfoString(&svg->out, "</desc>\n");
	theme_style(&svg->out, theme);
	svg_rect(svg, "paper", 0, 0, width, height, NULL);
	appendStringInfo(&svg->out,
					 "<text font-weight=\"600\" font-size=\"%d\" x=\"%d\" y=\"%d\">%s</text>\n", TITLE_SIZE,
					 MARGIN, TITLE_Y, header->title);
	for (int i = 0; i < HEADER_LINES && header->lines[i]; i++)
		svg_text(svg, "muted", ANCHOR_START, TEXT_SIZE, MARGIN, FIRST_LINE_Y + i * LINE_HEIGHT,
				 header->lines[i]);
}

char *
svg_end(Svg *svg)
{
	appendStringInfoString(&svg->out, "</svg>");
	return svg->out.data;
}

void
svg_open(Svg *svg, const char *class)
{
	if (class)
		appendStringInfo(&svg->out, "<g class=\"%s\">\n", class);
	else
		appendStringInfoString(&svg->out, "<g>\n");
}

void
svg_close(Svg *svg)
{
	appendStringInfoString(&svg->out, "</g>\n");
}

/* A number with at most two decimals. */
static void
put_number(StringInfo out, const char *attribute, double value)
{
	char		digits[64];
	char	   *end = digits + snprintf(digits, sizeof(digits), "%.2f", value) - 1;

	while (*end == '0')
		*end-- = '\0';
	if (*end == '.')
		*end = '\0';
	appendStringInfo(out, " %s=\"%s\"", attribute, strcmp(digits, "-0") == 0 ? "0" : digits);
}

static void
put_tag(Svg *svg, const char *tag, const char *class)
{
	appendStringInfo(&svg->out, "<%s", tag);
	if (class)
		appendStringInfo(&svg->out, " class=\"%s\"", class);
}

static void
put_end(Svg *svg, const char *tag, const char *tooltip)
{
	if (tooltip)
		appendStringInfo(&svg->out, "><title>%s</title></%s>\n", tooltip, tag);
	else
		appendStringInfoString(&svg->out, "/>\n");
}

void
svg_rect(Svg *svg, const char *class, double x, double y, double width, double height,
		 const char *tooltip)
{
	put_tag(svg, "rect", class);
	put_number(&svg->out, "x", x);
	put_number(&svg->out, "y", y);
	put_number(&svg->out, "width", width);
	put_number(&svg->out, "height", height);
	put_end(svg, "rect", tooltip);
}

void
svg_circle(Svg *svg, const char *class, double x, double y, double radius, const char *tooltip)
{
	put_tag(svg, "circle", class);
	put_number(&svg->out, "cx", x);
	put_number(&svg->out, "cy", y);
	put_number(&svg->out, "r", radius);
	put_end(svg, "circle", tooltip);
}

void
svg_path(Svg *svg, const char *class, const char *d, const char *style, const char *tooltip)
{
	put_tag(svg, "path", class);
	appendStringInfo(&svg->out, " %s%sd=\"%s\"", style, *style ? " " : "", d);
	put_end(svg, "path", tooltip);
}

void
svg_line(Svg *svg, const char *class, double x1, double y1, double x2, double y2, const char *style)
{
	put_tag(svg, "line", class);
	if (*style)
		appendStringInfo(&svg->out, " %s", style);
	put_number(&svg->out, "x1", x1);
	put_number(&svg->out, "y1", y1);
	put_number(&svg->out, "x2", x2);
	put_number(&svg->out, "y2", y2);
	put_end(svg, "line", NULL);
}

static void
put_text(Svg *svg, Anchor anchor, double size, const char *markup)
{
	static const char *const anchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};

	put_number(&svg->out, "font-size", size);
	appendStringInfo(&svg->out, "%s>%s</text>\n", anchors[anchor], markup);
}

void
svg_text(Svg *svg, const char *class, Anchor anchor, double size, double x, double y,
		 const char *markup)
{
	put_tag(svg, "text", class);
	put_number(&svg->out, "x", x);
	put_number(&svg->out, "y", y);
	put_text(svg, anchor, size, markup);
}

void
svg_text_up(Svg *svg, const char *class, Anchor anchor, double size, double x, double y,
			const char *markup)
{
	put_tag(svg, "text", class);
	appendStringInfo(&svg->out, " transform=\"translate(%.2f %.2f) rotate(-90)\"", x, y);
	put_text(svg, anchor, size, markup);
}
