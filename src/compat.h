/*
 * compat.h
 *	  Where versions of PostgreSQL differ.
 */
#ifndef AREAD_COMPAT_H
#define AREAD_COMPAT_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "utils/acl.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Before a declaration. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

static inline AclResult
function_aclcheck(Oid function, Oid user)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(ProcedureRelationId, function, user, ACL_EXECUTE);
#else
	return pg_proc_aclcheck(function, user, ACL_EXECUTE);
#endif
}

static inline bool
relation_is_owned(Oid relation, Oid user)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(RelationRelationId, relation, user);
#else
	return pg_class_ownercheck(relation, user);
#endif
}

/* After a change of a column of a descriptor, which may keep a digest of it. */
static inline void
attribute_changed(TupleDesc descriptor, AttrNumber number)
{
#if PG_VERSION_NUM >= 180000
	populate_compact_attribute(descriptor, number - 1);
#endif
}

/* Raises an error unless a user can become a role. */
static inline void
check_can_become(Oid user, Oid role)
{
#if PG_VERSION_NUM >= 160000
	check_can_set_role(user, role);
#else
	check_is_member_of_role(user, role);
#endif
}

#endif							/* AREAD_COMPAT_H */
