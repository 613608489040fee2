/*
 * snapshot_key.h
 *	  What a snapshot sees, small enough to compare for each row.
 */
#ifndef AREAD_SERVE_SNAPSHOT_KEY_H
#define AREAD_SERVE_SNAPSHOT_KEY_H

#include "postgres.h"

#include "access/transam.h"

/*
 * What others have committed follows from the snapshot alone.  What we have
 * changed ourselves is in no list of it: it is there while our transaction is,
 * from the moment on when that has a number, and follows from the command and
 * the subtransaction, as long as whoever writes it begins a new command after
 * it: our catalogs' rows.  It does not of other tables: an INSERT goes on under
 * its command's number while its triggers run.  A transaction that is prepared
 * is another's.
 */
typedef struct SnapshotKey
{
	TransactionId xmin;
	TransactionId xmax;
	uint32		n_running;
	uint32		n_running_below;	/* subtransactions */
	uint64		running_hash;
	bool		overflowed;		/* not all of these are listed */
	bool		in_recovery;
	FullTransactionId transaction;	/* ours; invalid: nothing is changed, the next two are 0 */
	SubTransactionId subtransaction;
	CommandId	command;
	Oid			user;			/* rights are part of what was found */
	uint64		catalog;		/* syscache_state(): changes of roles are seen at once */
	bool		valid;
} SnapshotKey;

/* Of the active snapshot. */
extern SnapshotKey snapshot_key(void);
/* Do both see the same, for the same user?  One that is zeroed is like none. */
extern bool snapshot_same_key(const SnapshotKey *a, const SnapshotKey *b);

#endif							/* AREAD_SERVE_SNAPSHOT_KEY_H */
