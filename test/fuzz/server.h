/*
 * server.h
 *	  As much of a server as functions need that read stored bytes and touch
 *	  nothing but memory and errors.
 */
#ifndef AREAD_FUZZ_SERVER_H
#define AREAD_FUZZ_SERVER_H

#include "postgres.h"

#include <setjmp.h>

/* Where an error goes to, and its SQLSTATE. */
extern jmp_buf server_catch;
extern int	server_sqlstate;

/* Free all that was allocated. */
extern void server_forget(void);

/*
 * Runs the statement; true, if it raised no error.  Variables that it changes
 * are to be static.
 */
#define SERVER_TRY(statement) \
	(setjmp(server_catch) == 0 ? ((void) (statement), true) : false)

#endif							/* AREAD_FUZZ_SERVER_H */
