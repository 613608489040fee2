/*
 * svg.h
 *	  A small writer of SVG.
 *
 * Lengths are in pixels of the picture's own size.  Markup is ASCII and escaped
 * (label.h).  Numbers have a point whatever the locale: the server keeps
 * LC_NUMERIC at C.
 */
#ifndef AREAD_DRAW_SVG_H
#define AREAD_DRAW_SVG_H

#include "draw/theme.h"
#include "lib/stringinfo.h"

/* Font sizes. */
#define TITLE_SIZE 17
#define TEXT_SIZE 12
#define SMALL_SIZE 11

#define MARGIN 24
#define HEADER_LINES 3

/* What stands above every picture. */
typedef struct SvgHeader
{
	const char *title;			/* markup */
	const char *lines[HEADER_LINES];	/* markup, up to the first NULL */
} SvgHeader;

typedef struct Svg
{
	StringInfoData out;
} Svg;

/* Where the header ends. */
extern double svg_header_height(const SvgHeader *header);
/* Root, style sheet, background and header. */
extern void svg_begin(Svg *svg, double width, double height, Theme theme, const SvgHeader *header);
/* The document. */
extern char *svg_end(Svg *svg);

/* Groups; the class may be NULL. */
extern void svg_open(Svg *svg, const char *class);
extern void svg_close(Svg *svg);

/* Shapes; a tooltip is markup, NULL: none.  "style" is more attributes, or "". */
extern void svg_rect(Svg *svg, const char *class, double x, double y, double width, double height,
					 const char *tooltip);
extern void svg_circle(Svg *svg, const char *class, double x, double y, double radius,
					   const char *tooltip);
extern void svg_path(Svg *svg, const char *class, const char *d, const char *style,
					 const char *tooltip);
extern void svg_line(Svg *svg, const char *class, double x1, double y1, double x2, double y2,
					 const char *style);

typedef enum Anchor
{
	ANCHOR_START,
	ANCHOR_MIDDLE,
	ANCHOR_END
} Anchor;

/* Text on a base line, or running upwards from its start. */
extern void svg_text(Svg *svg, const char *class, Anchor anchor, double size, double x, double y,
					 const char *markup);
extern void svg_text_up(Svg *svg, const char *class, Anchor anchor, double size, double x, double y,
						const char *markup);

#endif							/* AREAD_DRAW_SVG_H */
