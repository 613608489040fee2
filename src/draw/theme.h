/*
 * theme.h
 *	  Colours of pictures, light and dark, as style sheets.
 */
#ifndef AREAD_DRAW_THEME_H
#define AREAD_DRAW_THEME_H

#include "lib/stringinfo.h"

/* Steps of the colour scale for numbers from 0 to 1: class k0 is 0, k20 is 1. */
#define RAMP_STEPS 20

typedef enum Theme
{
	THEME_AUTO,					/* light, and dark where the viewer prefers that */
	THEME_LIGHT,
	THEME_DARK
} Theme;

/* The theme called so; an error with the choices as hint if there is none. */
extern Theme theme_find(const char *name);
/*
 * The class that the picture's root bears.  Every rule of the style sheet begins with
 * it: pictures put into one page leave the page, and each other, alone.
 */
extern const char *theme_class(Theme theme);
/* The <style> element. */
extern void theme_style(StringInfo out, Theme theme);

#endif							/* AREAD_DRAW_THEME_H */
