/*
 * drift.c
 *	  aread_drift(): how much of a table a model has never seen.
 *
 * The table's rows are encoded by the model's vocabularies with their rare values,
 * which scoring does without, so that an unseen value can be told from a rare one.
 * Counts are one array of domains by features.  The model is pinned before the
 * relation's lock is waited for.
 */
#include "postgres.h"

#include "api/name_arguments.h"
#include "catalog/record.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "serve/cache.h"
#include "source/keys/vocabulary.h"
#include "source/read/reader.h"
#include "source/read/row_encoder.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Values of one feature in one domain; of lists their members. */
typedef struct DriftCount
{
	uint64		values;
	uint64		unseen;
	uint64		rare;
	uint64		missing;
} DriftCount;

typedef struct Drift
{
	RowEncoder	encoder;
	const FeatureSpec *spec;	/* with the rare values of its vocabularies */
	uint32		n_domains;
	bool	   *domain_read;	/* [n_domains + 1] has the table rows of it? */
	DriftCount *counts;			/* [n_domains + 1, n_columns]; last: domains never seen */
} Drift;

/* Count one row (a RowFunction). */
static void
count_row(void *context, const Datum *values, const bool *nulls)
{
	Drift	   *drift = context;
	const uint32 *ids;
	uint32		domain = drift->n_domains;

	CHECK_FOR_INTERRUPTS();
	row_encoder_read(&drift->encoder, values, nulls);
	row_encoder_ids(&drift->encoder, drift->spec->domain_feature, &ids);
	if (ids[0] >= FIRST_ID)
		domain = domain_of_id(ids[0]);
	drift->domain_read[domain] = true;
	for (int f = 0; f < drift->spec->n_columns; f++)
	{
		DriftCount *count = &drift->counts[(Size) domain * drift->spec->n_columns + f];
		int			n = row_encoder_ids(&drift->encoder, f, &ids);

		/* a vector is one value, and never unseen */
		if (kind_is_vector(drift->spec->features[f].kind))
		{
			count->values++;
			count->missing += ids[0] == NULL_ID;
			continue;
		}
		count->values += n;
		for (int i = 0; i < n; i++)
		{
			count->unseen += ids[i] == UNSEEN_ID;
			count->rare += ids[i] == RARE_ID;
			count->missing += ids[i] == NULL_ID;
		}
	}
}

/* Everything is allocated in the current memory context. */
static Drift *
count_relation(const LoadedModel *loaded, const SourceRelation *relation)
{
	Drift	   *drift = palloc0(sizeof(Drift));

	drift->spec = record_read_rare(loaded);
	drift->n_domains = loaded->model->n_domains;
	drift->domain_read = palloc0(drift->n_domains + 1);
	drift->counts = MemoryContextAllocExtended(CurrentMemoryContext,
											   ((Size) drift->n_domains + 1) *
											   drift->spec->n_columns * sizeof(DriftCount),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	reader_run(relation, row_encoder_init(&drift->encoder, relation, drift->spec), READ_LATEST,
			   count_row, drift);
	return drift;
}

/* Can unseen values be told from rare ones? */
static bool
tells_unseen(const FeatureSpec *spec, const Feature *feature)
{
	const Vocabulary *vocabulary = &spec->vocabularies[feature->vocabulary];

	return !vocabulary->has_rare || vocabulary->rare;
}

/* domain NULL: those never seen. */
static void
put_count(ReturnSetInfo *rsinfo, const char *feature, const char *domain,
		  const DriftCount *count, bool has_unseen)
{
	Datum		values[7];
	bool		nulls[7] = {false};

	values[0] = CStringGetTextDatum(feature);
	values[1] = domain ? CStringGetTextDatum(domain) : (Datum) 0;
	nulls[1] = !domain;
	values[2] = Int64GetDatum((int64) count->values);
	values[3] = Int64GetDatum((int64) count->unseen);
	nulls[3] = !has_unseen;
	values[4] = Int64GetDatum((int64) count->rare);
	values[5] = Int64GetDatum((int64) count->missing);
	nulls[6] = count->values == 0 || !has_unseen;
	values[6] = Float8GetDatum(nulls[6] ? 0 : (double) count->unseen / count->values);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(aread_drift);
/* aread_drift(model, source) */
Datum
aread_drift(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aread drift",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;
	const ServedModel *served;
	const FeatureSpec *spec;
	const Vocabulary *domains;
	Drift	   *drift;

	InitMaterializedSRF(fcinfo, 0);
	old = MemoryContextSwitchTo(context);
	served = model_argument_for(fcinfo, 0, RIGHT_TO_PREDICT);
	drift = count_relation(served->loaded, source_open(PG_GETARG_OID(1)));
	spec = drift->spec;
	domains = &spec->vocabularies[spec->features[spec->domain_feature].vocabulary];
	for (int f = 0; f < spec->n_columns; f++)
		for (uint32 d = 0; d <= drift->n_domains; d++)
		{
			CHECK_FOR_INTERRUPTS();
			if (drift->domain_read[d])
				put_count(rsinfo, spec->features[f].name,
						  d < drift->n_domains ? vocabulary_key(domains, FIRST_ID + d) : NULL,
						  &drift->counts[(Size) d * spec->n_columns + f],
						  tells_unseen(spec, &spec->features[f]));
		}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return (Datum) 0;
}
