/*
 * option.c
 *	  Options by name, and the texts of their defaults as values.
 */
#include "engine/base/option.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const Option *
option_find(const OptionTable *table, const char *name)
{
	for (int i = 0; i < table->n; i++)
		if (strcmp(table->options[i].name, name) == 0)
			return &table->options[i];
	return NULL;
}

bool
option_find_former(const OptionTable *table, const char *name, const Option **option)
{
	for (const FormerOption *former = table->former; former && former->name; former++)
		if (strcmp(former->name, name) == 0)
		{
			*option = former->now ? option_find(table, former->now) : NULL;
			return true;
		}
	return false;
}

const char *
option_choice(const Option *option, int value)
{
	return option->choice ? option->choice(value) : option->choices[value];
}

bool
option_is_nullable(const Option *option)
{
	return strcmp(option->default_text, "null") == 0;
}

static bool
number_of(const Option *option, const char *text, const char **end, double *number)
{
	char	   *stop;

	*number = strtod(text, &stop);
	*end = stop;
	return stop > text && *number >= option->minimum && *number <= option->maximum;
}

/* Strings stand in quotes; true and false may be choices, too. */
static bool
choice_of(const Option *option, const char *text, int *value)
{
	size_t		length = strlen(text);
	const char *name;

	if (length >= 2 && text[0] == '"' && text[length - 1] == '"')
	{
		text++;
		length -= 2;
	}
	for (*value = 0; (name = option_choice(option, *value)) != NULL; ++*value)
		if (strlen(name) == length && strncmp(name, text, length) == 0)
			return true;
	return false;
}

static bool
list_of(const Option *option, const char *text, IntList *list)
{
	char		separator = '[';

	*list = (IntList) {0};
	while (*text == separator && list->n < MAX_LAYERS)
	{
		double		number;

		if (!number_of(option, text + 1, &text, &number) || number != rint(number))
			return false;
		list->value[list->n++] = (int) number;
		separator = ',';
	}
	return list->n > 0 && strcmp(text, "]") == 0;
}

static bool
set_number(const Option *option, char *at, const char *text)
{
	double		number;

	if (option_is_nullable(option) && strcmp(text, "null") == 0)
		number = option->type == OPTION_REAL ? NAN : NULL_INT;
	else if (!number_of(option, text, &text, &number) || *text != '\0' ||
			 (option->type != OPTION_REAL && number != rint(number)))
		return false;
	if (option->type == OPTION_REAL)
		*(double *) at = number;
	else if (option->type == OPTION_SEED)
		*(uint64_t *) at = (uint64_t) number;
	else
		*(int *) at = (int) number;
	return true;
}

bool
option_set_text(const Option *option, void *options, const char *text)
{
	char	   *at = (char *) options + option->offset;

	switch (option->type)
	{
		case OPTION_BOOL:
			*(bool *) at = strcmp(text, "true") == 0;
			return *(bool *) at || strcmp(text, "false") == 0;
		case OPTION_CHOICE:
			return choice_of(option, text, (int *) at);
		case OPTION_INT_LIST:
			return list_of(option, text, (IntList *) at);
		case OPTION_NAME_LIST:
			*(NameList *) at = (NameList) {0};
			return strcmp(text, "[]") == 0;
		case OPTION_INT:
		case OPTION_REAL:
		case OPTION_SEED:
			break;
	}
	return set_number(option, at, text);
}

static bool
same_names(const NameList *a, const NameList *b)
{
	bool		same = a->n == b->n;

	for (int i = 0; same && i < a->n; i++)
		same = strcmp(a->value[i], b->value[i]) == 0;
	return same;
}

bool
option_is_same(const Option *option, const void *a, const void *b)
{
	const char *at = (const char *) a + option->offset;
	const char *other = (const char *) b + option->offset;
	double		number;
	double		other_number;

	switch (option->type)
	{
		case OPTION_BOOL:
			return *(const bool *) at == *(const bool *) other;
		case OPTION_SEED:
			return *(const uint64_t *) at == *(const uint64_t *) other;
		case OPTION_REAL:
			number = *(const double *) at;
			other_number = *(const double *) other;
			return number == other_number || (isnan(number) && isnan(other_number));
		case OPTION_INT_LIST:
			return ((const IntList *) at)->n == ((const IntList *) other)->n &&
				memcmp(((const IntList *) at)->value, ((const IntList *) other)->value,
					   ((const IntList *) at)->n * sizeof(int)) == 0;
		case OPTION_NAME_LIST:
			return same_names((const NameList *) at, (const NameList *) other);
		case OPTION_INT:
		case OPTION_CHOICE:
			break;
	}
	return *(const int *) at == *(const int *) other;
}

bool
options_default(const OptionTable *table, void *options)
{
	for (int i = 0; i < table->n; i++)
		if (!option_set_text(&table->options[i], options, table->options[i].default_text))
			return false;
	return true;
}

const Option *
options_fill_older(const OptionTable *table, void *options, const bool *stored)
{
	for (int i = 0; i < table->n; i++)
	{
		const Option *option = &table->options[i];

		if (stored[i])
			continue;
		if (option->before_by)
			option->before_by(options);
		else if (!option->before || !option_set_text(option, options, option->before))
			return option;
	}
	return NULL;
}
