/*
 * simulate.c
 *	  Interactions with planted groups of domains.
 */
#include "engine/data/simulate.h"

#include <math.h>

#include "engine/base/search.h"
#include "engine/measure/calibration.h"

/* Dimensions of taste: few, so that a few rows of a user or item tell them. */
#define TASTES 4
#define MAX_DOMAINS 10000
#define AGE_BANDS 8
#define CATEGORIES 12
/* Spread of a domain's weights around its group's. */
#define DOMAIN_SPREAD 0.25
#define BIAS_STD 0.5
/* Items' popularity falls off as rank ^ -0.7; weights of the power law's draw. */
#define ITEM_SKEW 0.7

/* Users, or items: each takes some fifty bytes. */
#define MAX_PERSONS 20000000
/* Persons between two looks at whether to stop. */
#define CHECK_PERSONS 65536

/* Random streams of the simulation: one for each kind of thing, numbered. */
typedef enum SimulateStream
{
	STREAM_GROUP, STREAM_DOMAIN, STREAM_USER, STREAM_ITEM, STREAM_ROW
} SimulateStream;

typedef struct Person
{
	double		taste[TASTES];
	double		bias;
	int			side;			/* age band or category */
} Person;

struct Simulation
{
	SimulateConfig config;
	double	   *domain_sum;		/* [domains] running sums of sizes */
	double	   *item_sum;		/* [items] running sums of popularity */
	double	  (*domain_weight)[TASTES]; /* [domains] */
	double	   *domain_bias;	/* [domains] */
	Person	   *users;
	Person	   *items;
	double		intercept;		/* sets the positive rate */
};

static void
start_stream(Random *random, uint64_t seed, SimulateStream stream, uint64_t number)
{
	random_start(random, seed, RANDOM_SIMULATE, (uint64_t) stream << 56 | number);
}

bool
simulate_check(const SimulateConfig *config, EngineError *error)
{
	if (config->domains < 1 || config->domains > MAX_DOMAINS)
		return engine_fail(error, ENGINE_BAD_INPUT, NULL,
						   "domains must be between 1 and %d", MAX_DOMAINS);
	if (config->groups < 1 || config->groups > config->domains)
		return engine_fail(error, ENGINE_BAD_INPUT, NULL,
						   "groups must be between 1 and the number of domains");
	if (config->users < 1 || config->users > MAX_PERSONS ||
		config->items < 1 || config->items > MAX_PERSONS)
		return engine_fail(error, ENGINE_BAD_INPUT, NULL,
						   "users and items must be between 1 and %d", MAX_PERSONS);
	if (!(config->skew >= 0 && config->skew <= 10))
		return engine_fail(error, ENGINE_BAD_INPUT, NULL, "skew must be between 0 and 10");
	if (!(config->strength >= 0 && config->strength <= 100))
		return engine_fail(error, ENGINE_BAD_INPUT, NULL, "strength must be between 0 and 100");
	if (!(config->positive_rate > 0 && config->positive_rate < 1))
		return engine_fail(error, ENGINE_BAD_INPUT, NULL,
						   "positive_rate must be between 0 and 1, both excluded");
	return true;
}

/* Running sums of rank ^ -skew. */
static void
power_law(double *sums, int n, double skew)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
	{
		sum += pow(i + 1, -skew);
		sums[i] = sum;
	}
}

/* Position of a share (0 .. 1) in running sums. */
static int
find_share(const double *sums, int n, double share)
{
	return (int) sorted_place_above(sums, (size_t) n - 1, share * sums[n - 1]);
}

/*
 * A user or item: its tastes, and a side column that tells the sign of some
 * of them, so that never-seen users and items are not a mere guess.
 */
static void
make_person(Person *person, uint64_t seed, SimulateStream stream, int number, int sides)
{
	Random		random;

	start_stream(&random, seed, stream, number);
	person->side = 0;
	for (int k = 0; k < TASTES; k++)
	{
		person->taste[k] = random_normal(&random);
		person->side |= (person->taste[k] > 0) << k;
	}
	person->side = person->side * sides / (1 << TASTES);
	person->bias = BIAS_STD * random_normal(&random);
}

/* Group of domain d: groups' members are spread over the sizes. */
static int
group_of(const SimulateConfig *config, int domain)
{
	return domain % config->groups;
}

/*
 * A group weighs the tastes by signs and sizes of its own; its domains differ
 * a little.  Weights have about unit length, whatever the group.
 */
static void
make_domain(Simulation *simulation, int domain)
{
	const SimulateConfig *config = &simulation->config;
	double		length = 0;
	Random		group;
	Random		own;

	start_stream(&group, config->seed, STREAM_GROUP, group_of(config, domain));
	start_stream(&own, config->seed, STREAM_DOMAIN, domain);
	for (int k = 0; k < TASTES; k++)
	{
		double		weight = random_normal(&group);

		simulation->domain_weight[domain][k] = weight;
		length += weight * weight;
	}
	for (int k = 0; k < TASTES; k++)
		simulation->domain_weight[domain][k] =
			simulation->domain_weight[domain][k] / sqrt(length) +
			DOMAIN_SPREAD * random_normal(&own) / sqrt(TASTES);
	simulation->domain_bias[domain] = BIAS_STD * random_normal(&own);
}

static double
signal(const Simulation *simulation, int user, int item, int domain)
{
	const Person *u = &simulation->users[user];
	const Person *i = &simulation->items[item];
	double		sum = u->bias + i->bias + simulation->domain_bias[domain];

	for (int k = 0; k < TASTES; k++)
		sum += simulation->config.strength * simulation->domain_weight[domain][k] *
			u->taste[k] * i->taste[k];
	return sum;
}

/* Who meets what, where: the part of a row that its label follows from. */
static void
draw_triple(const Simulation *simulation, Random *random, int *user, int *item, int *domain)
{
	const SimulateConfig *config = &simulation->config;

	*domain = find_share(simulation->domain_sum, config->domains, random_uniform(random));
	*user = (int) random_below(random, config->users);
	*item = find_share(simulation->item_sum, config->items, random_uniform(random));
}

/* The intercept at which the mean probability of sampled rows is the rate asked for. */
static void
fit_intercept(Simulation *simulation)
{
	enum
	{
		SAMPLE = 2000
	};
	double		signals[SAMPLE];
	double		low = -50;
	double		high = 50;
	Random		random;

	start_stream(&random, simulation->config.seed, STREAM_ROW, UINT64_MAX >> 8);
	for (int s = 0; s < SAMPLE; s++)
	{
		int			user;
		int			item;
		int			domain;

		draw_triple(simulation, &random, &user, &item, &domain);
		signals[s] = signal(simulation, user, item, domain);
	}
	for (int step = 0; step < 60; step++)
	{
		double		mean = 0;

		simulation->intercept = (low + high) / 2;
		for (int s = 0; s < SAMPLE; s++)
			mean += sigmoid(signals[s] + simulation->intercept) / SAMPLE;
		if (mean < simulation->config.positive_rate)
			low = simulation->intercept;
		else
			high = simulation->intercept;
	}
}

static bool
make_persons(Person *persons, int n, uint64_t seed, SimulateStream stream, int sides,
			 const EngineHost *host, EngineError *error)
{
	for (int p = 0; p < n; p++)
	{
		if (p % CHECK_PERSONS == 0 && !host_continue(host, error))
			return false;
		make_person(&persons[p], seed, stream, p, sides);
	}
	return true;
}

Simulation *
simulate_begin(Arena *arena, const SimulateConfig *config, const EngineHost *host,
			   EngineError *error)
{
	Simulation *simulation;

	if (!simulate_check(config, error))
		return NULL;
	simulation = ARENA_ARRAY(arena, Simulation, 1);
	if (!arena_ok(arena, error))
		return NULL;
	simulation->config = *config;
	simulation->domain_sum = ARENA_ARRAY(arena, double, config->domains);
	simulation->item_sum = ARENA_ARRAY(arena, double, config->items);
	simulation->domain_weight = arena_array(arena, config->domains,
											sizeof(*simulation->domain_weight));
	simulation->domain_bias = ARENA_ARRAY(arena, double, config->domains);
	simulation->users = ARENA_ARRAY(arena, Person, config->users);
	simulation->items = ARENA_ARRAY(arena, Person, config->items);
	if (!arena_ok(arena, error))
		return NULL;
	power_law(simulation->domain_sum, config->domains, config->skew);
	power_law(simulation->item_sum, config->items, ITEM_SKEW);
	for (int d = 0; d < config->domains; d++)
		make_domain(simulation, d);
	if (!make_persons(simulation->users, config->users, config->seed, STREAM_USER, AGE_BANDS,
					  host, error) ||
		!make_persons(simulation->items, config->items, config->seed, STREAM_ITEM, CATEGORIES,
					  host, error))
		return NULL;
	fit_intercept(simulation);
	return simulation;
}

void
simulate_row(const Simulation *simulation, uint64_t number, SimulatedRow *row)
{
	Random		random;
	int			user;
	int			item;
	int			domain;

	start_stream(&random, simulation->config.seed, STREAM_ROW, number);
	draw_triple(simulation, &random, &user, &item, &domain);
	row->user = user + 1;
	row->item = item + 1;
	row->domain = domain + 1;
	row->group = group_of(&simulation->config, domain) + 1;
	row->age_band = simulation->users[user].side + 1;
	row->category = simulation->items[item].side + 1;
	/* a price is the item's own, with a discount on some days */
	row->price = round(exp(2 + simulation->items[item].taste[0] * 0.5 +
						   simulation->items[item].bias) *
					   (random_uniform(&random) < 0.2 ? 80 : 100)) / 100;
	row->probability = sigmoid(signal(simulation, user, item, domain) +
							   simulation->intercept);
	row->label = random_uniform(&random) < row->probability;
	row->sequence = number;
}
