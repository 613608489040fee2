/*
 * config_options.h
 *	  The table of the engine's options, over the members of a Config.
 *
 * The table is what aread_options() shows, what option names are matched
 * against, what checks values and what makes defaults; nothing else lists
 * options.
 */
#ifndef AREAD_ENGINE_NETWORKS_CONFIG_OPTIONS_H
#define AREAD_ENGINE_NETWORKS_CONFIG_OPTIONS_H

#include "engine/base/option.h"
#include "engine/model/config.h"

extern const OptionTable config_table;

/* Members of histories where they are not said. */
#define HISTORY_LENGTH 50

extern void config_defaults(Config *config);
/* What is left to a rule becomes what the rule says; a config within its ranges, once more too. */
extern void config_settle(Config *config);
/* Ranges of every member, and what must hold between those that the architecture uses. */
extern bool config_check(const Config *config, EngineError *error);

#endif							/* AREAD_ENGINE_NETWORKS_CONFIG_OPTIONS_H */
