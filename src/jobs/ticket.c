/*
 * ticket.c
 *	  What allows a run to be resumed by itself after a restart: one file for each.
 *
 * A file is written beside its place and renamed, so that it is there as a
 * whole or not at all.  What is read of it is believed only if its length, its
 * checksum and its name say the same.
 */
#include "postgres.h"

#include "jobs/ticket.h"

#include <fcntl.h>
#include <unistd.h>

#include "pgstat.h"
#include "port/pg_crc32c.h"
#include "storage/fd.h"

#define PREFIX "aread_run_"
#define SUFFIX ".ticket"
#define UNFINISHED SUFFIX ".new"
/* To be changed with WorkerStart. */
#define MAGIC 0x31525241

/* Without a byte that the checksum is not about. */
typedef struct Ticket
{
	uint32		magic;
	pg_crc32c	crc;			/* of the rest */
	WorkerStart start;
} Ticket;

static pg_crc32c
checksum(const Ticket *ticket)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, &ticket->start, sizeof(ticket->start));
	FIN_CRC32C(crc);
	return crc;
}

static char *
name_of(Oid database, int64 run)
{
	return psprintf(PREFIX "%u_" INT64_FORMAT SUFFIX, database, run);
}

static char *
path_of(const char *name)
{
	return psprintf(PG_STAT_TMP_DIR "/%s", name);
}

/* False, and errno, unless all of it is on disk. */
static bool
write_file(const char *path, const Ticket *ticket)
{
	int			file = OpenTransientFile(path, O_WRONLY | O_CREAT | O_TRUNC | PG_BINARY);
	bool		written;
	int			saved;

	if (file < 0)
		return false;
	errno = 0;
	written = write(file, ticket, sizeof(*ticket)) == sizeof(*ticket) && pg_fsync(file) == 0;
	saved = errno ? errno : ENOSPC;
	if (CloseTransientFile(file) == 0 && written)
		return true;
	errno = written ? errno : saved;
	return false;
}

void
ticket_write(const WorkerStart *start)
{
	char	   *path = path_of(name_of(start->database, start->run));
	char	   *unfinished = psprintf("%s.new", path);
	Ticket		ticket;

	ticket.magic = MAGIC;
	ticket.start = *start;
	ticket.crc = checksum(&ticket);
	if (write_file(unfinished, &ticket) && durable_rename(unfinished, path, LOG) == 0)
		return;
	ereport(WARNING,
			(errcode_for_file_access(),
			 errmsg("run " INT64_FORMAT " will not be resumed by itself after a restart", start->run),
			 errdetail("Could not write file \"%s\": %m.", path),
			 errhint("If it is interrupted, go on with aread_resume.")));
	(void) unlink(unfinished);
	(void) unlink(path);
}

static void
remove_file(const char *name)
{
	char	   *path = path_of(name);

	if (unlink(path) != 0 && errno != ENOENT)
		ereport(LOG,
				(errcode_for_file_access(), errmsg("could not remove file \"%s\": %m", path)));
}

void
ticket_remove(Oid database, int64 run)
{
	remove_file(name_of(database, run));
}

static bool
ends_with(const char *name, const char *end)
{
	return strlen(name) >= strlen(end) && strcmp(name + strlen(name) - strlen(end), end) == 0;
}

List *
ticket_names(void)
{
	DIR		   *directory = AllocateDir(PG_STAT_TMP_DIR);
	struct dirent *entry;
	List	   *names = NIL;

	while ((entry = ReadDirExtended(directory, PG_STAT_TMP_DIR, LOG)) != NULL)
	{
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		if (ends_with(entry->d_name, SUFFIX))
			names = lappend(names, pstrdup(entry->d_name));
		else if (ends_with(entry->d_name, UNFINISHED))
			remove_file(entry->d_name);
	}
	if (directory)
		FreeDir(directory);
	return names;
}

/* Does the file hold just that? */
static bool
read_file(const char *path, Ticket *ticket)
{
	int			file = OpenTransientFile(path, O_RDONLY | PG_BINARY);
	char		more;
	bool		whole;

	if (file < 0)
		return false;
	errno = 0;
	whole = read(file, ticket, sizeof(*ticket)) == sizeof(*ticket) && read(file, &more, 1) == 0;
	CloseTransientFile(file);
	return whole;
}

bool
ticket_read(const char *name, WorkerStart *start)
{
	Ticket		ticket;

	if (read_file(path_of(name), &ticket) && ticket.magic == MAGIC &&
		ticket.crc == checksum(&ticket) &&
		strcmp(name, name_of(ticket.start.database, ticket.start.run)) == 0)
	{
		*start = ticket.start;
		return true;
	}
	/* the run was cancelled meanwhile */
	if (errno == ENOENT)
		return false;
	ereport(LOG,
			(errmsg("file \"%s\" is not what a training wrote", path_of(name)),
			 errdetail("It is removed, and no run is resumed.")));
	remove_file(name);
	return false;
}
