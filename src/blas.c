/*
 * blas.c
 *	  OpenBLAS, loaded for training.
 *
 * Loading takes milliseconds, and sessions that only score have no use for it.
 * What the engine calls is defined here and passed on.
 *
 * OpenBLAS starts a thread for each core when it is loaded, unless it is told
 * not to.  A signal meant for the backend could land on one of them and run
 * PostgreSQL's handlers there; and where the system refuses a thread, it sends
 * the process a SIGINT, which here means to cancel the query.
 *
 * A product needs a buffer of 128 MB of address space, one for each thread at
 * work.  Where the system refuses it OpenBLAS asks again without end, deaf to
 * signals.  So before a training reads rows, the session tries how much the
 * system has, and then has OpenBLAS make the buffers, which it keeps.
 */
#include "postgres.h"

#include "blas.h"
#include "fault.h"
#include "openblas.h"

#include <cblas.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

/* What the library and each thread's buffer take. */
#define LIBRARY_BYTES ((size_t) 64 * 1024 * 1024)
#define BUFFER_BYTES ((size_t) 130 * 1024 * 1024)
/* Buffers that every build of OpenBLAS has room for. */
#define MAX_BUFFERS 64

typedef void (*Sgemm) (OPENBLAS_CONST enum CBLAS_ORDER, OPENBLAS_CONST enum CBLAS_TRANSPOSE,
					   OPENBLAS_CONST enum CBLAS_TRANSPOSE, OPENBLAS_CONST blasint,
					   OPENBLAS_CONST blasint, OPENBLAS_CONST blasint, OPENBLAS_CONST float,
					   OPENBLAS_CONST float *, OPENBLAS_CONST blasint, OPENBLAS_CONST float *,
					   OPENBLAS_CONST blasint, OPENBLAS_CONST float, float *,
					   OPENBLAS_CONST blasint);

static Sgemm sgemm = NULL;
/* NULL: a build that has them by other names; the try at the start has to do. */
static void *(*alloc_buffer) (int purpose) = NULL;
static void (*free_buffer) (void *buffer) = NULL;
static int	n_buffers = 0;

/* What went wrong; NULL: nothing. */
static const char *
load(void)
{
	void	   *library = openblas_open();
	int			(*shutdown_threads) (void);
	void		(*set_threads) (int);

	if (!library)
		return dlerror();
	/*
	 * Somebody else may have loaded it before, with threads; builds without a
	 * thread pool lack the first of these.
	 */
	shutdown_threads = (int (*) (void)) dlsym(library, "blas_thread_shutdown_");
	set_threads = (void (*) (int)) dlsym(library, "openblas_set_num_threads");
	if (shutdown_threads)
		shutdown_threads();
	if (set_threads)
		set_threads(1);
	alloc_buffer = (void *(*) (int)) dlsym(library, "blas_memory_alloc");
	free_buffer = (void (*) (void *)) dlsym(library, "blas_memory_free");
	sgemm = (Sgemm) dlsym(library, "cblas_sgemm");
	return sgemm ? NULL : dlerror();
}

/* Fails where the system does not have that much address space for the session. */
static void
require_memory(size_t size)
{
	void	   *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("OpenBLAS needs %zu MB of address space for training.",
						   size / (1024 * 1024)),
				 errhint("Raise the limit on the server's memory, or lower aread.threads.")));
	munmap(memory, size);
}

/* Buffers that are free are the first that products take. */
static void
make_buffers(int n)
{
	void	   *buffers[MAX_BUFFERS];

	n_buffers = n;
	if (!alloc_buffer || !free_buffer)
		return;
	for (int i = 0; i < n; i++)
		buffers[i] = alloc_buffer(0);
	for (int i = 0; i < n; i++)
		free_buffer(buffers[i]);
}

void
blas_require(int n_threads)
{
	sigset_t	all;
	sigset_t	saved;
	const char *problem;

	n_threads = Min(n_threads, MAX_BUFFERS);
	if (sgemm && n_threads <= n_buffers)
		return;
	require_memory((sgemm ? 0 : LIBRARY_BYTES) + (n_threads - n_buffers) * BUFFER_BYTES);
	fault_threads("blas");
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	problem = sgemm ? NULL : load();
	if (!problem)
		make_buffers(n_threads);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	if (problem)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FILE),
				 errmsg("could not load OpenBLAS: %s", problem),
				 errhint("Install it: Debian's package is libopenblas0.")));
}

void
cblas_sgemm(OPENBLAS_CONST enum CBLAS_ORDER order, OPENBLAS_CONST enum CBLAS_TRANSPOSE trans_a,
			OPENBLAS_CONST enum CBLAS_TRANSPOSE trans_b, OPENBLAS_CONST blasint m,
			OPENBLAS_CONST blasint n, OPENBLAS_CONST blasint k, OPENBLAS_CONST float alpha,
			OPENBLAS_CONST float *a, OPENBLAS_CONST blasint lda, OPENBLAS_CONST float *b,
			OPENBLAS_CONST blasint ldb, OPENBLAS_CONST float beta, float *c,
			OPENBLAS_CONST blasint ldc)
{
	sgemm(order, trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
