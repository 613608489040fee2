/*
 * entity_sound.h
 *	  Is all that is looked at in a table of items, users or histories within bounds?
 */
#ifndef AREAD_TEST_ENTITY_SOUND_H
#define AREAD_TEST_ENTITY_SOUND_H

#include "engine/entities/entity_table.h"

/* Reads every value, member, link and count: a sanitizer sees what lies beyond the table. */
extern bool entity_table_is_sound(const Shape *shape, const EntityTable *table);

#endif							/* AREAD_TEST_ENTITY_SOUND_H */
