/*
 * edit_distance.h
 *	  How near is a misspelt name to a known one?
 */
#ifndef AREAD_ENGINE_BASE_EDIT_DISTANCE_H
#define AREAD_ENGINE_BASE_EDIT_DISTANCE_H

/* Edits that turn a into b (Levenshtein); 64 for names of 64 bytes or more. */
extern int	edit_distance(const char *a, const char *b);

#endif							/* AREAD_ENGINE_BASE_EDIT_DISTANCE_H */
