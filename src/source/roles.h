/*
 * roles.h
 *	  Which columns play which parts, in words.
 */
#ifndef AREAD_SOURCE_ROLES_H
#define AREAD_SOURCE_ROLES_H

#include "source/spec.h"

/* Every column that has a role is there, and the label plays no other; raises an error otherwise. */
extern void roles_check(const ColumnRoles *roles);
/*
 * The column whose name is nearly that of a role which no column has, as "userid"
 * is "user_id"; NULL: there is none.
 */
extern char *roles_near(const ColumnRoles *roles, const char *role);
/*
 * The NOTICE of a training or a registration: features (NULL: they were listed),
 * columns that are none for their types or collations (NULL: none), roles, and the
 * columns that nearly have one.
 */
extern void roles_tell(const ColumnRoles *roles, const char *features, const char *left_out);

#endif							/* AREAD_SOURCE_ROLES_H */
