/*
 * label.c
 *	  Names as text in a picture: escaped, measured and cut.
 */
#include "postgres.h"

#include "draw/label.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#define REPLACEMENT 0xFFFD
#define ELLIPSIS 0x2026

/* In units of the font size, as wide as in the widest of the usual fonts. */
static double
glyph_width(pg_wchar code, int columns)
{
	if (columns == 0)
		return 0;				/* an accent on the one before */
	if (columns == 2)
		return 1.1;
	if (code > 127)
		return 0.85;
	if (strchr("ijlI|'.,:; ", code))
		return 0.34;
	if (strchr("ftr()[]{}/\\-`!", code))
		return 0.42;
	if (strchr("mwMW@%", code))
		return 1.0;
	if (strchr("+=<>~#GOQNDHU&", code))
		return 0.84;
	if (code >= 'A' && code <= 'Z')
		return 0.71;
	return 0.64;
}

typedef struct Glyph
{
	pg_wchar	code;			/* Unicode */
	double		width;
} Glyph;

static Glyph
next_glyph(const char **at)
{
	const unsigned char *byte = (const unsigned char *) *at;
	int			length = pg_utf_mblen(byte);
	Glyph		glyph = {REPLACEMENT, 1.1};

	/* (an SQL_ASCII database may hold anything) */
	if (strnlen(*at, length) < length || !pg_utf8_islegal(byte, length))
	{
		*at += 1;
		return glyph;
	}
	glyph.code = utf8_to_unicode(byte);
	glyph.width = glyph_width(glyph.code, pg_encoding_dsplen(PG_UTF8, *at));
	*at += length;
	return glyph;
}

static const char *
as_utf8(const char *text)
{
	if (text[0] == '\0')
		return "\"\"";			/* else there would be nothing to see */
	return GetDatabaseEncoding() == PG_SQL_ASCII ? text :
		pg_server_to_any(text, (int) strlen(text), PG_UTF8);
}

static bool
xml_allows(pg_wchar code)
{
	return code == '\t' || code == '\n' || code == '\r' || (code >= 0x20 && code < 0xD800) ||
		(code >= 0xE000 && code <= 0xFFFD) || (code >= 0x10000 && code <= 0x10FFFF);
}

static void
put_glyph(StringInfo out, pg_wchar code)
{
	if (!xml_allows(code))
		code = REPLACEMENT;
	if (code < ' ' || code > '~' || strchr("<>&\"'", code))
		appendStringInfo(out, "&#%u;", code);
	else
		appendStringInfoChar(out, (char) code);
}

double
label_width(const char *text, double size)
{
	double		width = 0;

	for (const char *at = as_utf8(text); *at;)
		width += next_glyph(&at).width;
	return width * size;
}

char *
label_markup(const char *text)
{
	StringInfoData out;

	initStringInfo(&out);
	for (const char *at = as_utf8(text); *at;)
		put_glyph(&out, next_glyph(&at).code);
	return out.data;
}

char *
label_fit(const char *text, double size, double width)
{
	double		left = width / size;
	StringInfoData out;

	if (label_width(text, size) <= width)
		return label_markup(text);
	left -= glyph_width(ELLIPSIS, 1);
	initStringInfo(&out);
	for (const char *at = as_utf8(text); *at;)
	{
		Glyph		glyph = next_glyph(&at);

		left -= glyph.width;
		if (left < 0)
			break;
		put_glyph(&out, glyph.code);
	}
	while (out.len > 0 && out.data[out.len - 1] == ' ')
		out.data[--out.len] = '\0';
	put_glyph(&out, ELLIPSIS);
	return out.data;
}
