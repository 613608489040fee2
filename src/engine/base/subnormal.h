/*
 * subnormal.h
 *	  Numbers next to zero, where processors are slow.
 *
 * A network that knows its training rows by heart has tiny gradients.  Squares of those
 * below 1e-19 are subnormal floats, and operations with these take many times as long:
 * a training on 1.5 million rows fell to a sixth of its speed.  So the
 * tasks of a training network take them for zero, on every thread.  That is a mode of the
 * thread: whoever asks the host, which is another program's code, leaves it first.
 */
#ifndef AREAD_ENGINE_BASE_SUBNORMAL_H
#define AREAD_ENGINE_BASE_SUBNORMAL_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
/* flush to zero, and take for zero, of the register MXCSR */
#define SUBNORMAL_ZERO 0x8040
static inline uint64_t
subnormal_mode(void)
{
	return _mm_getcsr();
}

static inline void
subnormal_set_mode(uint64_t mode)
{
	_mm_setcsr((unsigned) mode);
}
#elif defined(__aarch64__)
/* bit FZ of the register FPCR, which says both */
#define SUBNORMAL_ZERO (UINT64_C(1) << 24)
static inline uint64_t
subnormal_mode(void)
{
	uint64_t	mode;

	__asm__ volatile("mrs %0, fpcr" : "=r"(mode));
	return mode;
}

static inline void
subnormal_set_mode(uint64_t mode)
{
	__asm__ volatile("msr fpcr, %0" : : "r"(mode) : "memory");
}
#else
#define SUBNORMAL_ZERO 0
static inline uint64_t
subnormal_mode(void)
{
	return 0;
}

static inline void
subnormal_set_mode(uint64_t mode)
{
	(void) mode;
}
#endif

/* Subnormal numbers are zero from here on, or are not; returns the thread's mode before. */
static inline uint64_t
subnormals_are_zero(bool zero)
{
	uint64_t	mode = subnormal_mode();

	subnormal_set_mode(zero ? mode | SUBNORMAL_ZERO : mode & ~(uint64_t) SUBNORMAL_ZERO);
	return mode;
}

#endif							/* AREAD_ENGINE_BASE_SUBNORMAL_H */
