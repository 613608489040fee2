/*
 * lock_tag.h
 *	  Locks of the extension's own.
 *
 * They are of the method of users' advisory locks, of which none has such a
 * kind: those that SQL functions take have 1 and 2.
 */
#ifndef AREAD_LOCK_TAG_H
#define AREAD_LOCK_TAG_H

#include "storage/lock.h"

/* Macros, for queries of pg_locks have them as text. */
#define LOCK_OF_RUN 11949
#define LOCK_OF_ROLE 11950
#define LOCK_OF_NAME 11951

/* The database is InvalidOid for what is of none. */
static inline LOCKTAG
lock_tag(int kind, Oid database, uint32 first, uint32 second)
{
	return (LOCKTAG) {
		.locktag_field1 = database,
		.locktag_field2 = first,
		.locktag_field3 = second,
		.locktag_field4 = kind,
		.locktag_type = LOCKTAG_ADVISORY,
		.locktag_lockmethodid = USER_LOCKMETHOD
	};
}

#endif							/* AREAD_LOCK_TAG_H */
