/*
 * candidates.h
 *	  What aread_recommend() chooses from: items as rows of ids, the user's
 *	  features missing.
 *
 * Candidates are the items that the model has kept, each in one domain or in all
 * in which it has training rows, or the rows of a relation.  A feature's value is
 * the context's, else the relation's, else the item's in training.
 */
#ifndef AREAD_SERVE_CANDIDATES_H
#define AREAD_SERVE_CANDIDATES_H

#include "serve/image.h"
#include "serve/score_table.h"
#include "source/read/relation.h"
#include "utils/jsonb.h"

/* Rows that there is room for. */
#define MAX_CANDIDATES 1000000

typedef struct Candidates
{
	const ServedModel *served;
	ScoreTable	rows;			/* the candidates [n]; whatever others add stands behind */
	uint32		n;
	uint32		history;		/* a list of theirs: every user's history; 0: each has the model's */
	/*
	 * Items are numbered in the order of ids, so by training rows, then those
	 * without an id by their text.
	 */
	uint32	   *item;			/* [n] */
	uint32		n_items;
	uint32	   *item_ids;		/* [n_items] below FIRST_ID: without one */
	const char **item_texts;	/* [n_items]; NULL: that of the id */
	const char **domain_texts;	/* [n]; NULL: that of the id */
	bool	   *seen;			/* [n_items] those of the context's history; NULL: there is no context */
	bool	   *given;			/* [n_features] what candidates have a value of */
	MemoryContext context;
} Candidates;

/* What is asked for. */
typedef struct CandidateQuery
{
	const char *domain;			/* NULL: the relation's own, or all of an item's */
	const SourceRelation *relation;	/* NULL: the model's items */
	Jsonb	   *context;		/* values of other features; NULL: none */
} CandidateQuery;

/*
 * Everything is allocated in the current memory context, where the model has to
 * be pinned.  Candidates come by domain, and within one by item.  Errors: a model
 * without users or items, no items kept, columns that are missing or that do not
 * go with items, too many rows; those of reading and of values.
 */
extern Candidates *candidates_find(const ServedModel *served, const CandidateQuery *query);
/*
 * Number of an id's item; -1: it is no candidate.  Of an item that has no id of its own,
 * or a hashed one, its text says which it is; else that is NULL.
 */
extern int64 candidates_item(const Candidates *candidates, uint32 id, const char *text);
/* Note the item of an encoded value that is not NULL, whose key that is, in noted [n_items]. */
extern void candidates_note(const Candidates *candidates, bool *noted, uint32 id, const char *key,
							uint32 length);
/*
 * Number the items of rows that have come, and put the rows in order: by domain, and within one
 * by item.  texts and domain_texts [n] are those of values without an id of their own, else NULL.
 */
extern void candidates_order(Candidates *candidates, const char **texts,
							 const char **domain_texts);
/* Texts of an item and of a candidate's domain, palloc'd or lasting; NULL: a domain that is NULL. */
extern const char *candidates_item_text(const Candidates *candidates, uint32 item);
extern const char *candidates_domain_text(const Candidates *candidates, uint32 candidate);

#endif							/* AREAD_SERVE_CANDIDATES_H */
