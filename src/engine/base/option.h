/*
 * option.h
 *	  A table of options: one row says how an option is called, where its value
 *	  lies, what it may be, and what it is where nobody set it.
 *
 * An option is absent for one of two reasons, and each has its value:
 * - A caller left it out: it takes the row's default.
 * - A model was stored before the option existed: it takes what the row calls
 *	 "before", so that no stored model changes by a new option, nor by a later
 *	 default of it.
 * Nobody has to know which version stored a model: a model stores every option
 * of its time with its value, so that an absent one is newer.
 *
 * Names are not used twice: an option that is renamed or dropped stays in the
 * table's former names, where stored models are looked up.
 */
#ifndef AREAD_ENGINE_BASE_OPTION_H
#define AREAD_ENGINE_BASE_OPTION_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/base/limits.h"

/* No option has it in its range. */
#define NULL_INT INT_MIN

typedef enum OptionType
{
	OPTION_BOOL,				/* bool */
	OPTION_INT,					/* int */
	OPTION_REAL,				/* double */
	OPTION_SEED,				/* uint64_t */
	OPTION_CHOICE,				/* an enum stored as int; "choices" names its values */
	OPTION_INT_LIST,			/* IntList */
	OPTION_NAME_LIST			/* NameList, empty by default; "maximum" is how many at most */
} OptionType;

/* Texts of values are JSON, as the user would write them. */
typedef struct Option
{
	const char *name;
	OptionType	type;
	size_t		offset;			/* within the table's struct */
	double		minimum;
	double		maximum;
	const char *const *choices; /* NULL-terminated, for OPTION_CHOICE */
	const char *default_text;
	const char *symbol;			/* in the paper or shared notation; "" if none */
	const char *meaning;
	/* Choices that are listed elsewhere: the name of a value, NULL past the last; "choices" is NULL then. */
	const char *(*choice) (int value);
	/* Of models that were stored before the option existed; NULL: none was, the first version had it. */
	const char *before;
	/* The same, where it hangs on the model's other options: sets it in the table's struct. */
	void		(*before_by) (void *options);
} Option;

/* An option that is no longer called so. */
typedef struct FormerOption
{
	const char *name;
	const char *now;			/* NULL: dropped, and no stored model needs it */
} FormerOption;

typedef struct OptionTable
{
	const Option *options;
	int			n;
	const FormerOption *former; /* up to a row without a name; NULL: none */
} OptionTable;

/* The option of that name, or NULL. */
extern const Option *option_find(const OptionTable *table, const char *name);
/* Whether it is the former name of an option; *option is the present one, NULL if it was dropped. */
extern bool option_find_former(const OptionTable *table, const char *name, const Option **option);
/* The name of a choice's value, from 0; NULL past the last. */
extern const char *option_choice(const Option *option, int value);
/* Whether it may be null, which a double holds as NaN, an int as NULL_INT. */
extern bool option_is_nullable(const Option *option);
/* Set an option in its table's struct; false if the text is no value of it.  Numbers are in the C locale. */
extern bool option_set_text(const Option *option, void *options, const char *text);
/* Has it the same value in two structs of its table?  What is null is null. */
extern bool option_is_same(const Option *option, const void *a, const void *b);
/* Set every option to its default; false if one is no value of its option. */
extern bool options_default(const OptionTable *table, void *options);
/*
 * Set the options that a stored model lacks, in the table's order; "stored" [n]
 * says which ones it has, and those are set already.  Returns an option that
 * every stored model has, and this one lacks; NULL: there is none.
 */
extern const Option *options_fill_older(const OptionTable *table, void *options, const bool *stored);

#endif							/* AREAD_ENGINE_BASE_OPTION_H */
