/*
 * pictures.c
 *	  What all pictures say alike.
 */
#include "postgres.h"

#include "draw/pictures.h"

#include "draw/label.h"

/* Titles are bold, which is wider. */
#define BOLD_SIZE (TITLE_SIZE * 1.15)

char *
subject_title(const Subject *subject, const char *what, const char *more, double width)
{
	char	   *before = psprintf("%s: ", what);
	char	   *after = psprintf(", version %d%s", subject->version, more);
	double		left = width - label_width(before, BOLD_SIZE) - label_width(after, BOLD_SIZE);

	return psprintf("%s%s%s", before, label_fit(subject->model, BOLD_SIZE, left), after);
}
