/*
 * base.h
 *	  What every engine file stands on: the number type, errors, the arena and
 *	  the host's callbacks.
 *
 * The engine is plain C11 with CBLAS.  It has no globals, takes memory from
 * the arena that its caller hands in, reports errors as a code and a message,
 * and asks the host now and then whether it should stop.
 */
#ifndef AREAD_ENGINE_BASE_BASE_H
#define AREAD_ENGINE_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Gradient checks build the engine in double precision. */
#ifdef AREAD_DOUBLE
typedef double real;
#else
typedef float real;
#endif

/*
 * Loops that are worth several versions, for processors of different vector
 * widths; the one that fits is chosen when the library is loaded.  They hold no
 * vectors of their own: GCC takes those that are wider than the registers apart,
 * number by number by way of the stack.
 *
 * AREAD_ONE_TARGET leaves only the version of the compiler's -march, so that
 * other processors' speed can be measured.
 */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) && \
	__GNUC__ >= 12 && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
	!defined(AREAD_ONE_TARGET)
#define HOT_CLONES
#define HOT __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define HOT
#endif

typedef enum EngineCode
{
	ENGINE_OK = 0,
	ENGINE_OUT_OF_MEMORY,
	ENGINE_INTERRUPTED,			/* the host asked to stop */
	ENGINE_DIVERGED,			/* a loss became NaN or infinite */
	ENGINE_BAD_INPUT,			/* data or options that cannot be trained on */
	ENGINE_CORRUPT				/* stored bytes that do not add up */
} EngineCode;

/*
 * Filled by the function that fails; functions return false then.  "message"
 * follows PostgreSQL's style (no capital, no period); "hint" is a sentence
 * that says what to do, or empty.
 */
typedef struct EngineError
{
	EngineCode	code;
	char		message[256];
	char		hint[256];
} EngineError;

/* Of ENGINE_CORRUPT. */
#define CORRUPT_HINT "Restore the model from a backup, or train it again."

/* Fill *error and return false, so that callers can "return engine_fail(...)". */
extern bool engine_fail(EngineError *error, EngineCode code, const char *hint,
						const char *format,...) __attribute__((format(printf, 4, 5)));

/*
 * An arena hands out zeroed, 64-byte-aligned blocks and frees them together.
 * A failed allocation returns NULL and leaves "failed" set, so that a function
 * can allocate a dozen arrays and check once.
 */
typedef struct Arena
{
	void	   *(*allocate) (void *context, size_t size);	/* zeroed; NULL: no memory */
	void		(*release) (void *context, void *block);
	void	   *context;
	struct ArenaBlock *blocks;	/* newest first */
	size_t		bytes;			/* now held */
	size_t		peak_bytes;
	bool		failed;
} Arena;

extern void arena_init(Arena *arena, void *(*allocate) (void *, size_t),
					   void (*release) (void *, void *), void *context);
/* An arena over malloc and free: tests and benchmarks. */
extern void arena_init_malloc(Arena *arena);
extern void *arena_alloc(Arena *arena, size_t size);
/* count * size with an overflow check. */
extern void *arena_array(Arena *arena, size_t count, size_t size);
/* Everything allocated after the mark goes with arena_reset_to(). */
extern struct ArenaBlock *arena_mark(const Arena *arena);
extern void arena_reset_to(Arena *arena, struct ArenaBlock *mark);
extern void arena_free_all(Arena *arena);
/* What one arena holds is another's from now on, which has the same functions. */
extern void arena_take(Arena *arena, Arena *other);
/* false, with *error filled, if an allocation has failed since the last check. */
extern bool arena_ok(Arena *arena, EngineError *error);

#define ARENA_ARRAY(arena, type, count) \
	((type *) arena_array((arena), (count), sizeof(type)))

/*
 * What the engine asks of its host.  interrupted() is called at least several
 * times a second and must be cheap; seconds() is a monotonic clock.
 */
typedef struct EngineHost
{
	bool		(*interrupted) (void *context);
	double		(*seconds) (void *context);
	void	   *context;
} EngineHost;

/* false, with *error filled, if the host wants to stop. */
extern bool host_continue(const EngineHost *host, EngineError *error);

/*
 * For code too deep to return an error: it asks the host now and then and,
 * once the answer was to stop, skips the rest.  Whoever called it asks
 * watch_continue() before using the results.
 */
typedef struct Watch
{
	const EngineHost *host;		/* NULL: there is nobody to ask */
	_Atomic bool stopped;
	size_t		worked;			/* since the host was asked */
	struct Watch *leader;		/* whose answer a follower sees: followers, in other threads, never ask */
} Watch;

/* NULL watches nothing. */
extern bool watch_stopped(Watch *watch);
extern bool watch_continue(Watch *watch, EngineError *error);

/* Work between two looks at the host, in multiply-adds: a millisecond or so. */
#define WATCH_WORK ((size_t) 1 << 20)
/*
 * A list may be as long as a table, and rows have many of them: loops over
 * members look up after so many, and what they fetch ahead is no more.
 */
#define WATCH_MEMBERS 256

/* So much is about to be done: is it to be left, since the host wants to stop? */
static inline bool
watch_worked(Watch *watch, size_t work)
{
	if (!watch)
		return false;
	if (watch->leader)
		return watch->leader->stopped;
	return (watch->worked += work) >= WATCH_WORK && watch_stopped(watch);
}

#endif							/* AREAD_ENGINE_BASE_BASE_H */
