/*
 * snapshot_key.c
 *	  What a snapshot sees, small enough to compare for each row.
 */
#include "postgres.h"

#include "serve/snapshot_key.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "syscache_state.h"
#include "utils/snapmgr.h"

static uint64
hash_running(const TransactionId *running, uint32 n, uint64 seed)
{
	return n == 0 ? seed :
		hash_bytes_extended((const unsigned char *) running, n * sizeof(TransactionId), seed);
}

SnapshotKey
snapshot_key(void)
{
	Snapshot	snapshot = GetActiveSnapshot();
	SnapshotKey key = {
		.xmin = snapshot->xmin,
		.xmax = snapshot->xmax,
		.n_running = snapshot->xcnt,
		.n_running_below = snapshot->subxcnt,
		.overflowed = snapshot->suboverflowed,
		.in_recovery = snapshot->takenDuringRecovery,
		.transaction = GetTopFullTransactionIdIfAny(),
		.user = GetUserId(),
		.catalog = syscache_state(),
		.valid = true
	};

	key.running_hash = hash_running(snapshot->xip, snapshot->xcnt, 0);
	key.running_hash = hash_running(snapshot->subxip, snapshot->subxcnt, key.running_hash);
	if (FullTransactionIdIsValid(key.transaction))
	{
		key.subtransaction = GetCurrentSubTransactionId();
		key.command = snapshot->curcid;
	}
	return key;
}

bool
snapshot_same_key(const SnapshotKey *a, const SnapshotKey *b)
{
	return a->valid && b->valid && a->xmin == b->xmin && a->xmax == b->xmax &&
		a->n_running == b->n_running && a->n_running_below == b->n_running_below &&
		a->running_hash == b->running_hash && a->overflowed == b->overflowed &&
		a->in_recovery == b->in_recovery &&
		FullTransactionIdEquals(a->transaction, b->transaction) &&
		a->subtransaction == b->subtransaction && a->command == b->command &&
		a->user == b->user && a->catalog == b->catalog;
}
