/*
 * openblas.c
 *	  The library OpenBLAS, opened at run time.
 *
 * OpenBLAS chooses its kernels by a list of processors.  One that is newer than
 * the list gets those of a Prescott of 2004, which means an eighth of the
 * speed on Emerald Rapids, which Debian 12's does not know.  Then it is opened
 * once more and told a processor that has the same vectors.
 */
#define _POSIX_C_SOURCE 200809L

#include "openblas.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define LIBRARY "libopenblas.so.0"
#define THREADS_VARIABLE "OPENBLAS_NUM_THREADS"
#define CORE_VARIABLE "OPENBLAS_CORETYPE"

/* With an environment variable set for as long as it takes. */
static void *
open_with(const char *variable, const char *value, void *(*open) (void))
{
	const char *before = getenv(variable);
	char	   *saved = before ? strdup(before) : NULL;
	void	   *library;

	setenv(variable, value, 1);
	library = open();
	if (saved)
		setenv(variable, saved, 1);
	else
		unsetenv(variable);
	free(saved);
	return library;
}

static void *
open_plainly(void)
{
	return dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
}

static void *
open_without_threads(void)
{
	return open_with(THREADS_VARIABLE, "1", open_plainly);
}

const char *
openblas_core(void *library)
{
	char	   *(*name) (void) = (char *(*) (void)) dlsym(library, "openblas_get_corename");

	return name ? name() : NULL;
}

/* What OpenBLAS calls an older processor with this one's vectors; NULL: there is none. */
static const char *
known_core(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
		__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
		return "SkylakeX";
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return "Haswell";
#endif
	return NULL;
}

void *
openblas_open(void)
{
	void	   *library = open_without_threads();
	const char *core = library ? openblas_core(library) : NULL;

	if (!core || strcmp(core, "Prescott") != 0 || getenv(CORE_VARIABLE) || !known_core())
		return library;
	/* where somebody else has it open, too, this changes nothing */
	dlclose(library);
	return open_with(CORE_VARIABLE, known_core(), open_without_threads);
}
