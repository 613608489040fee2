/*
 * label.h
 *	  Names as text in a picture: escaped, measured and cut.
 *
 * "Text" is in the server's encoding and may be anything that a user called a
 * thing.  "Markup" is XML made of it, in ASCII: all else is written as numeric
 * references, so that it is valid whatever the server's encoding is.
 */
#ifndef AREAD_DRAW_LABEL_H
#define AREAD_DRAW_LABEL_H

#include "postgres.h"

/* Text as markup; characters that XML forbids become U+FFFD, empty text becomes "". */
extern char *label_markup(const char *text);
/* The same, cut to a width in pixels with an ellipsis at the end. */
extern char *label_fit(const char *text, double size, double width);
/* How wide text is at a font size, both in pixels: an upper bound for usual fonts. */
extern double label_width(const char *text, double size);

#endif							/* AREAD_DRAW_LABEL_H */
