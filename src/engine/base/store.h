/*
 * store.h
 *	  Where the host keeps arrays that are written once, from front to back,
 *	  and then only read: beyond what memory has room for, in files.
 *
 * The host raises its own errors out of these calls (base.h: the engine holds
 * nothing but memory of its arenas).  They are made by the thread that called
 * the engine.
 */
#ifndef AREAD_ENGINE_BASE_STORE_H
#define AREAD_ENGINE_BASE_STORE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Store
{
	/* Does memory have room for so many bytes more? */
	bool		(*has_room) (void *context, size_t bytes);
	/* A new array in a file. */
	void	   *(*begin) (void *context);
	void		(*append) (void *context, void *array, const void *bytes, size_t size);
	/* All of it, in one piece, until it is dropped or the host ends. */
	const void *(*finish) (void *context, void *array);
	void		(*drop) (void *context, void *array);
	void	   *context;
} Store;

/* NULL: everything is in memory. */
static inline bool
store_has_room(const Store *store, size_t bytes)
{
	return !store || store->has_room(store->context, bytes);
}

#endif							/* AREAD_ENGINE_BASE_STORE_H */
