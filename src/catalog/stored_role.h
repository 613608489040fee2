/*
 * stored_role.h
 *	  Roles in the catalog's tables: the type aread.stored_role.
 *
 * A role is its OID, so that it keeps what it has when it is renamed, and that
 * another role that gets its name has nothing of it.  As text it is its present
 * name, so that a dump finds it again in another cluster, where it has another
 * OID.  regrole does so, too, but fails on a name that does not exist; here such
 * a text stays as it is, "unresolved", and belongs to nobody.
 *
 *	 text				read as						written for
 *	 public, 0			PUBLIC						PUBLIC
 *	 anna, "Anna B"		that role, or unresolved	a role
 *	 dropped 16401		unresolved					a role that is gone
 *	 16401				unresolved					(version 0.2.0 wrote any role so)
 *
 * A role that is gone is not written as bare digits, because those of 0.2.0 may
 * be mended by the name that was noted with them (find_role), and this must not:
 * a role made anew under that name would inherit from it.
 */
#ifndef AREAD_CATALOG_STORED_ROLE_H
#define AREAD_CATALOG_STORED_ROLE_H

#include "postgres.h"

/*
 * Has a user the rights of a stored role?  All have those of PUBLIC, and nobody
 * those of one that is not there.
 */
extern bool stored_role_is_held(Oid user, Datum role);

#endif							/* AREAD_CATALOG_STORED_ROLE_H */
