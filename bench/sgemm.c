/*
 * sgemm.c
 *	  GFLOP/s of sgemm at 1024 x 736 x 1024, each of n threads with matrices of
 *	  its own: what bench/train measures training against.  With "core" instead
 *	  of n: OpenBLAS's name for the processor.
 */
#define _POSIX_C_SOURCE 200809L

#include <cblas.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../src/openblas.h"

#define ROWS 1024
#define N_IN 736
#define N_OUT 1024
#define PRODUCTS 40
#define MAX_THREADS 64

static __typeof__(cblas_sgemm) *sgemm;

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

static void *
multiply(void *ignored)
{
	float	   *a = calloc(ROWS * N_IN, sizeof(float));
	float	   *b = calloc(N_OUT * N_IN, sizeof(float));
	float	   *c = calloc(ROWS * N_OUT, sizeof(float));

	(void) ignored;
	for (int i = 0; a && b && c && i < PRODUCTS; i++)
		sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, ROWS, N_OUT, N_IN, 1, a, N_IN, b, N_IN, 0,
			  c, N_OUT);
	free(a);
	free(b);
	free(c);
	return NULL;
}

int
main(int argc, char **argv)
{
	int			n = argc > 1 ? atoi(argv[1]) : 1;
	pthread_t	threads[MAX_THREADS];
	double		started;
	void	   *library = openblas_open();

	if (!library)
		return 1;
	if (argc > 1 && strcmp(argv[1], "core") == 0)
	{
		puts(openblas_core(library) ? openblas_core(library) : "");
		return 0;
	}
	sgemm = (__typeof__(sgemm)) dlsym(library, "cblas_sgemm");
	if (n < 1 || n > MAX_THREADS)
		return 2;
	multiply(NULL);				/* warm */
	started = now();
	for (int i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, multiply, NULL) != 0)
			return 1;
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	printf("%.1f\n", 2e-9 * ROWS * N_IN * N_OUT * PRODUCTS * n / (now() - started));
	return 0;
}
