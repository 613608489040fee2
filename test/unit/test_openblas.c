/*
 * test_openblas.c
 *	  Opening OpenBLAS: no threads, fast kernels, the environment left as it was.
 *	  Not linked with it, as the extension is not.
 */
#define _POSIX_C_SOURCE 200809L

#include <cblas.h>
#include <dirent.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "openblas.h"
#include "unit.h"

static int
count_threads(void)
{
	DIR		   *tasks = opendir("/proc/self/task");
	int			n = 0;

	for (struct dirent *task; tasks && (task = readdir(tasks));)
		n += task->d_name[0] != '.';
	if (tasks)
		closedir(tasks);
	return n;
}

static void
check_kernels(void *library)
{
	const char *core = openblas_core(library);

	CHECK(core != NULL);
#if defined(__x86_64__)
	if (core && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		CHECK(strcmp(core, "Prescott") != 0);
#endif
}

static void
check_product(void *library)
{
	__typeof__(cblas_sgemm) * sgemm = (__typeof__(sgemm)) dlsym(library, "cblas_sgemm");
	float		a[6] = {1, 2, 3, 4, 5, 6};
	float		b[6] = {1, 0, 0, 1, 1, 1};
	float		c[4];

	CHECK(sgemm != NULL);
	if (!sgemm)
		return;
	sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, 2, 2, 3, 1, a, 3, b, 2, 0, c, 2);
	CHECK(c[0] == 4 && c[1] == 5 && c[2] == 10 && c[3] == 11);
}

int
main(void)
{
	void	   *library;
	int			n_threads = count_threads();

	setenv("OPENBLAS_NUM_THREADS", "3", 1);
	unsetenv("OPENBLAS_CORETYPE");
	library = openblas_open();
	CHECK(library != NULL);
	if (!library)
		return unit_summary();
	CHECK(count_threads() == n_threads);
	CHECK(strcmp(getenv("OPENBLAS_NUM_THREADS"), "3") == 0);
	CHECK(getenv("OPENBLAS_CORETYPE") == NULL);
	check_kernels(library);
	check_product(library);
	dlclose(library);

	/* who names a processor gets it */
	setenv("OPENBLAS_CORETYPE", "Prescott", 1);
	library = openblas_open();
#if defined(__x86_64__)
	CHECK(library && strcmp(openblas_core(library), "Prescott") == 0);
#endif
	CHECK(strcmp(getenv("OPENBLAS_CORETYPE"), "Prescott") == 0);
	return unit_summary();
}
