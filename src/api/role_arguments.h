/*
 * role_arguments.h
 *	  Column roles out of a call's arguments, shared by training and
 *	  registering.
 */
#ifndef AREAD_API_ROLE_ARGUMENTS_H
#define AREAD_API_ROLE_ARGUMENTS_H

#include "postgres.h"
#include "fmgr.h"

#include "source/read/relation.h"
#include "source/spec.h"

/* Where the arguments of a function stand; -1: it has no such argument. */
typedef struct RoleArguments
{
	int			label;
	int			domain;
	int			user_id;
	int			item_id;
	int			split;
	int			weight;
	int			features;
} RoleArguments;

/*
 * The roles of a relation's columns: what the call says, else what "known"
 * (NULL: nothing) says, else the columns called label, domain, user_id,
 * item_id and split; but for the domain only if there are such, and they are not
 * said to be something else.  A weight is none unless one is named, a label none if
 * its name is empty.
 */
extern ColumnRoles *roles_resolve(FunctionCallInfo fcinfo, const SourceRelation *relation,
								  const RoleArguments *arguments, const ColumnRoles *known);
/* Raise an error for a relation without a label column, unless negatives are sampled. */
extern void roles_require_label(const ColumnRoles *roles, bool negatives);

#endif							/* AREAD_API_ROLE_ARGUMENTS_H */
