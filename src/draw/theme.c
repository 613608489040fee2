/*
 * theme.c
 *	  Colours of pictures, light and dark, as style sheets.
 *
 * Colours come as classes, not as custom properties, which few viewers but
 * browsers know.  Blue and orange stay apart for colour-blind readers; what a
 * third colour tells, a shape or dashes tell too.
 */
#include "postgres.h"

#include "draw/theme.h"

#include <math.h>

#define RAMP_STOPS 5

typedef struct Palette
{
	const char *paper;
	const char *ink;
	const char *muted;			/* notes, ticks */
	const char *faint;			/* what is there but not in use */
	const char *grid;
	const char *series[3];
	int			ramp[RAMP_STOPS];	/* 0xRRGGBB, evenly spaced, lightness runs one way */
	int			on_ramp[2];		/* ink on it: the one that stands out more */
} Palette;

static const Palette light = {
	.paper = "#ffffff",.ink = "#1f2328",.muted = "#57606a",.faint = "#c3cad1",.grid = "#e4e8ec",
	.series = {"#0a68b4", "#c4510a", "#3f7d4f"},
	.ramp = {0xf1f5f9, 0xbdd7ec, 0x6aaad6, 0x2370b0, 0x082f62},
	.on_ramp = {0x1f2328, 0xffffff}
};

static const Palette dark = {
	.paper = "#12171e",.ink = "#e8ebee",.muted = "#a3adb8",.faint = "#4a545f",.grid = "#28303a",
	.series = {"#5fb3f0", "#f2994a", "#7fc792"},
	.ramp = {0x1c2530, 0x1d4870, 0x2a78b5, 0x6fb6e2, 0xeaf5fc},
	.on_ramp = {0x12171e, 0xf4f7fa}
};

Theme
theme_find(const char *name)
{
	if (strcmp(name, "auto") == 0)
		return THEME_AUTO;
	if (strcmp(name, "light") == 0)
		return THEME_LIGHT;
	if (strcmp(name, "dark") == 0)
		return THEME_DARK;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("theme \"%s\" does not exist", name),
			 errhint("Themes are auto, light and dark.")));
}

const char *
theme_class(Theme theme)
{
	return theme == THEME_LIGHT ? "aread-light" : theme == THEME_DARK ? "aread-dark" : "aread-auto";
}

/* The colour of step k: between two stops, channel by channel. */
static int
ramp_colour(const Palette *palette, int k)
{
	double		at = (double) k / RAMP_STEPS * (RAMP_STOPS - 1);
	int			stop = Min((int) at, RAMP_STOPS - 2);
	int			colour = 0;

	for (int shift = 16; shift >= 0; shift -= 8)
	{
		int			from = palette->ramp[stop] >> shift & 255;
		int			to = palette->ramp[stop + 1] >> shift & 255;

		colour |= (int) rint(from + (at - stop) * (to - from)) << shift;
	}
	return colour;
}

/* Relative luminance, as WCAG 2 has it. */
static double
luminance(int colour)
{
	static const double weight[3] = {0.0722, 0.7152, 0.2126};
	double		sum = 0;

	for (int i = 0; i < 3; i++)
	{
		double		channel = (colour >> 8 * i & 255) / 255.0;

		sum += weight[i] * (channel <= 0.03928 ? channel / 12.92 :
							pow((channel + 0.055) / 1.055, 2.4));
	}
	return sum;
}

static double
contrast(int a, int b)
{
	double		ratio = (luminance(a) + 0.05) / (luminance(b) + 0.05);

	return Max(ratio, 1 / ratio);
}

static void
put_ramp(StringInfo out, const char *root, const Palette *palette)
{
	for (int k = 0; k <= RAMP_STEPS; k++)
	{
		int			colour = ramp_colour(palette, k);
		bool		second = contrast(colour, palette->on_ramp[1]) > contrast(colour, palette->on_ramp[0]);

		appendStringInfo(out, ".%s .k%d{fill:#%06x}\n.%s .n%d{fill:#%06x}\n", root, k, colour, root, k,
						 palette->on_ramp[second]);
	}
}

static void
put_colours(StringInfo out, const char *root, const Palette *palette)
{
	appendStringInfo(out, ".%s .paper{fill:%s}\n.%s text{fill:%s}\n.%s .muted{fill:%s}\n", root,
					 palette->paper, root, palette->ink, root, palette->muted);
	appendStringInfo(out, ".%s .ring{fill:%s;stroke:%s}\n.%s .off{fill:%s;stroke:%s}\n", root,
					 palette->paper, palette->ink, root, palette->paper, palette->faint);
	appendStringInfo(out, ".%s .self{fill:%s}\n", root, palette->faint);
	appendStringInfo(out, ".%s .grid{stroke:%s}\n.%s .axis{stroke:%s}\n", root, palette->grid, root,
					 palette->muted);
	for (int i = 0; i < 3; i++)
		appendStringInfo(out, ".%s .line%d{fill:none;stroke:%s}\n.%s .dot%d{fill:%s;stroke:%s}\n", root,
						 i + 1, palette->series[i], root, i + 1, palette->series[i], palette->paper);
	put_ramp(out, root, palette);
}

void
theme_style(StringInfo out, Theme theme)
{
	const char *root = theme_class(theme);

	appendStringInfoString(out, "<style>\n");
	put_colours(out, root, theme == THEME_DARK ? &dark : &light);
	if (theme == THEME_AUTO)
	{
		appendStringInfoString(out, "@media (prefers-color-scheme:dark){\n");
		put_colours(out, root, &dark);
		appendStringInfoString(out, "}\n");
	}
	appendStringInfoString(out, "</style>\n");
}
