/*
 * toy_trainer.h
 *	  A trainer before its first batch, for tests of what it does step by step.
 */
#ifndef AREAD_TEST_TOY_TRAINER_H
#define AREAD_TEST_TOY_TRAINER_H

#include "engine/networks/architectures.h"
#include "engine/networks/config_options.h"
#include "engine/train/setup.h"
#include "engine/train/units.h"
#include "toy.h"
#include "unit.h"

/* What it points to lies beside it: it is not to be copied once it has begun. */
typedef struct ToyTrainer
{
	Arena		arena;
	EngineError error;
	EngineHost	host;
	TrainObserver observer;
	Config		config;
	Dataset    *data;
	Trainer		trainer;
} ToyTrainer;

/* Rows and options, which may be changed until it begins. */
static inline void
toy_trainer_draw(ToyTrainer *toy)
{
	*toy = (ToyTrainer) {.host = toy_host(),.observer = toy_observer()};
	arena_init_malloc(&toy->arena);
	toy_config(&toy->config, architecture_find("aread"));
	toy->data = toy_dataset(&toy->arena, 3000);
}

/* team: NULL: none. */
static inline void
toy_trainer_begin(ToyTrainer *toy, Team *team)
{
	config_settle(&toy->config);
	toy->trainer = (Trainer) {.lasting = &toy->arena,.config = &toy->config,.data = toy->data,
		.team = team,.host = &toy->host,.observer = &toy->observer};
	CHECK(units_init(&toy->trainer, &toy->error) &&
		  trainer_prepare(&toy->trainer, &toy->error) &&
		  trainer_begin(&toy->trainer, &toy->arena, &toy->config, &toy->error));
}

#endif							/* AREAD_TEST_TOY_TRAINER_H */
