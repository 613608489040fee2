/*
 * pictures.c
 *	  What all pictures say alike.
 */
#include "postgres.h"

#include "draw/pictures.h"

#include "draw/label.h"

char *
subject_title(const Subject *subject, const char *what, double width)
{
	char	   *before = psprintf("%s: ", what);
	char	   *after = psprintf(", version %d", subject->version);
	double		left = width - label_width(before, TITLE_SIZE) - label_width(after, TITLE_SIZE);

	return psprintf("%s%s%s", before, label_fit(subject->model, TITLE_SIZE, left), after);
}
