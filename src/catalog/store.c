/*
 * store.c
 *	  A trained model into the catalog.
 */
#include "postgres.h"

#include "catalog/store.h"

#include <math.h>

#include "catalog/access.h"
#include "catalog/arguments.h"
#include "catalog/checksums.h"
#include "catalog/models.h"
#include "catalog/chunks.h"
#include "catalog/history.h"
#include "catalog/masks.h"
#include "catalog/model_source.h"
#include "options.h"
#include "catalog/pg_type.h"
#include "catalog/record.h"
#include "catalog/versions.h"
#include "engine/train/stopping.h"
#include "host.h"
#include "miscadmin.h"
#include "source/keys/vocabulary.h"
#include "source/read/relation.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* NULL: unknown. */
static void
add_counts(Arguments *arguments, const uint64 *counts, int n)
{
	Datum	   *elements = palloc(n * sizeof(Datum));

	for (int i = 0; i < n && counts; i++)
		elements[i] = Int64GetDatum((int64) counts[i]);
	add_argument(arguments, INT8ARRAYOID, !counts ? (Datum) 0 :
				 PointerGetDatum(construct_array(elements, n, INT8OID, sizeof(int64),
												 FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)), !counts);
}

static void
add_measure_values(Arguments *arguments, const Measures *measures)
{
	double		values[N_MEASURES];

	for (int i = 0; i < N_MEASURES; i++)
		values[i] = measure_at(measures, i)->value;
	add_float8_array(arguments, values, N_MEASURES);
}

static void
add_measures(Arguments *arguments, const Measures *measures)
{
	uint64		rows[N_MEASURES];

	for (int i = 0; i < N_MEASURES; i++)
		rows[i] = measure_at(measures, i)->rows;
	add_measure_values(arguments, measures);
	add_counts(arguments, rows, N_MEASURES);
}

static void
add_training(Arguments *arguments, const NewModel *new, uint32 crc)
{
	const TrainResult *result = new->result;
	const ReadReport *report = new->report;
	Calibration calibration = model_calibration(result->model);

	add_int8(arguments, (int64) new->config->seed);
	add_int8(arguments, (int64) report->rows_read);
	for (int split = 0; split < 3; split++)
		add_int8(arguments, (int64) report->rows[split]);
	add_int8(arguments, (int64) report->null_labels);
	add_int8(arguments, (int64) report->bad_labels);
	add_int8(arguments, (int64) report->null_domains);
	add_int8(arguments, (int64) report->null_splits);
	add_int8(arguments, (int64) result->model->n_params);
	add_int4(arguments, (int32) result->n_domains);
	add_measures(arguments, &result->valid);
	add_measures(arguments, &result->test);
	add_int4(arguments, result->best_evaluation);
	add_float8(arguments, result->seconds);
	add_int8(arguments, crc);
	add_text(arguments, SOFTWARE);
	add_int8(arguments, (int64) new->sampled_rows);
	add_float8_array(arguments, (double[2])
	{
		exp(calibration.log_scale), calibration.shift
	}, 2);
}

static int64
insert_version(const NewModel *new, const Jsonb *config, int64 model_id, int32 version,
			   uint32 crc)
{
	const FeatureSpec *spec = new->spec;
	Arguments	arguments = {0};

	add_int8(&arguments, model_id);
	add_int4(&arguments, version);
	add_text(&arguments, new->roles->relation->full_name);
	add_text(&arguments, spec->label);
	add_float8(&arguments, spec->label_threshold);
	add_int4(&arguments, spec->domain_feature);
	add_argument(&arguments, INT4OID, Int32GetDatum(spec->user_feature),
				 spec->user_feature < 0);
	add_argument(&arguments, INT4OID, Int32GetDatum(spec->item_feature),
				 spec->item_feature < 0);
	add_text(&arguments, new->roles->split);
	add_text(&arguments, new->roles->weight);
	add_argument(&arguments, JSONBOID, JsonbPGetDatum(new->options), false);
	add_argument(&arguments, JSONBOID, JsonbPGetDatum(config), false);
	add_training(&arguments, new, crc);
	record_add_split(&arguments, &new->report->split);
	add_float8_array(&arguments, new->result->scores.edges, new->result->scores.n_edges);
	add_counts(&arguments, new->result->scores.rows, new->result->scores.n_edges + 1);
	run_statement("INSERT INTO aread.stored_version (model_id, version, source_name, label,"
		" label_threshold, domain_feature, user_feature, item_feature, split, weight, options, config,"
		" architecture, seed, rows_read, train_rows, valid_rows, test_rows, null_labels,"
		" bad_labels, null_domains, null_splits, n_parameters, n_domains, valid_measures,"
		" valid_measure_rows, test_measures, test_measure_rows, best_evaluation, seconds, crc,"
		" software, sampled_rows, calibration, split_method, split_type, split_shares, split_bounds,"
		" score_edges, score_rows, trained_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12 ->> 'architecture',"
		" $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29,"
		" $30, $31, $32, $33, $34, $35, $36, $37, $38, $39,"
		" pg_catalog.now()) RETURNING version_id", &arguments);
	return DatumGetInt64(catalog_value(0, 1, NULL));
}

/* An L2 is the inverse variance of the weights under it. */
static void
add_weights(Arguments *arguments, const TrainResult *result, int f)
{
	int			n_fields = result->model->shape.n_fields;
	uint32		n_pairs = result->model->pairs[f].n_pairs;
	const double *l2 = result->wide_l2;

	add_float8(arguments, l2 && l2[f] > 0 ? 1 / sqrt(l2[f]) : NAN);
	add_int8(arguments, n_pairs);
	add_float8(arguments, l2 && n_pairs > 0 && l2[n_fields + f] > 0 ? 1 / sqrt(l2[n_fields + f]) : NAN);
}

static void
insert_features(const NewModel *new, int64 version_id)
{
	static const char *const kinds[] = {"categorical", "binned", "list", "rows", "dense"};
	const FeatureSpec *spec = new->spec;

	for (int f = 0; f < spec->n_features; f++)
	{
		const Feature *feature = &spec->features[f];
		Arguments	arguments = {0};

		add_int8(&arguments, version_id);
		add_int4(&arguments, f);
		add_text(&arguments, feature->name);
		add_text(&arguments, kinds[feature->kind]);
		add_text(&arguments, feature->type_name);
		add_int4(&arguments, feature->vocabulary);
		add_int8(&arguments, spec->vocabularies[feature->vocabulary].n_rows);
		add_int8(&arguments, feature->min_count);
		if (feature->n_edges > 0 || feature->kind == FEATURE_BINNED || feature->kind == FEATURE_ROWS)
			add_float8_array(&arguments, feature->edges, feature->n_edges);
		else
			add_argument(&arguments, FLOAT8ARRAYOID, (Datum) 0, true);
		add_weights(&arguments, new->result, f);
		add_argument(&arguments, BOOLOID, BoolGetDatum(new->with_item && new->with_item[f]),
					 !new->with_item);
		add_argument(&arguments, INT4OID, Int32GetDatum(feature->counted),
					 feature->kind != FEATURE_ROWS);
		add_counts(&arguments, feature->bin_rows, feature->n_edges + 2);
		run_statement("INSERT INTO aread.stored_feature (version_id, position, name, kind, type_name,"
			" vocabulary, vocabulary_rows, min_count, edges, weight_sd, domain_weights,"
			" domain_weight_sd, goes_with_item, counted, bin_rows) VALUES"
			" ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)", &arguments);
	}
}

static void
insert_domains(const NewModel *new, int64 version_id)
{
	const FeatureSpec *spec = new->spec;
	const Vocabulary *names =
		&spec->vocabularies[spec->features[spec->domain_feature].vocabulary];

	for (uint32 d = 0; d < new->result->n_domains; d++)
	{
		const DomainRecord *domain = &new->result->domains[d];
		Arguments	arguments = {0};

		add_int8(&arguments, version_id);
		add_int4(&arguments, (int32) d);
		add_text(&arguments, vocabulary_key(names, FIRST_ID + d));
		add_int8(&arguments, (int64) domain->rows);
		add_int8(&arguments, (int64) domain->positives);
		add_bool(&arguments, domain->is_minor);
		add_bool(&arguments, domain->is_major);
		add_int8(&arguments, (int64) domain->augmented_rows);
		add_int8(&arguments, (int64) domain->valid.rows);
		add_float8(&arguments, domain->valid.auc);
		add_float8(&arguments, domain->valid.log_loss);
		add_int8(&arguments, (int64) domain->test.rows);
		add_float8(&arguments, domain->test.auc);
		add_float8(&arguments, domain->test.log_loss);
		run_statement("INSERT INTO aread.stored_domain VALUES"
			" ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)", &arguments);
	}
}

static void
insert_evaluations(const TrainResult *result, const Config *config, int64 version_id)
{
	char		reason[MAX_REASON];

	for (int i = 0; i < result->n_evaluations; i++)
	{
		const Evaluation *evaluation = &result->evaluations[i];
		Arguments	arguments = {0};

		add_int8(&arguments, version_id);
		add_int4(&arguments, evaluation->number);
		add_int4(&arguments, evaluation->epoch);
		add_bool(&arguments, evaluation->epoch_end);
		add_int8(&arguments, (int64) evaluation->batches);
		add_float8(&arguments, evaluation->train_loss);
		add_measure_values(&arguments, &evaluation->valid);
		add_float8(&arguments, evaluation->rows_per_second);
		add_int4(&arguments, evaluation->mask_updates);
		add_float8(&arguments, evaluation->seconds);
		add_bool(&arguments, evaluation->best);
		evaluation_reason(result, config, i, reason);
		add_text(&arguments, reason);
		run_statement("INSERT INTO aread.stored_evaluation VALUES"
			" ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)", &arguments);
	}
}

static void
insert_mask_choice(const Model *model, const MaskUpdate *update, uint32 d, int64 version_id)
{
	const MaskChoice *choice = &update->choices[d];
	Arguments	arguments = {0};
	Datum	   *fates = palloc(model->n_gates * sizeof(Datum));

	for (int g = 0; g < model->n_gates; g++)
		fates[g] = Int16GetDatum(update->fates[(Size) d * model->n_gates + g]);
	add_int8(&arguments, version_id);
	add_int4(&arguments, update->number);
	add_int4(&arguments, (int32) d);
	add_int8(&arguments, (int64) update->batches);
	add_float8(&arguments, update->seconds);
	add_argument(&arguments, FLOAT4OID, Float4GetDatum(choice->start_density), false);
	add_argument(&arguments, FLOAT4OID, Float4GetDatum(choice->end_density), false);
	add_argument(&arguments, FLOAT4OID, Float4GetDatum(choice->loss), isnan(choice->loss));
	add_int4(&arguments, choice->steps);
	add_argument(&arguments, INT2ARRAYOID,
				 PointerGetDatum(construct_array(fates, model->n_gates, INT2OID, 2, true,
												 TYPALIGN_SHORT)), false);
	run_statement("INSERT INTO aread.stored_mask_update VALUES"
		" ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", &arguments);
}

static void
insert_bytes(int64 version_id, const char *kind, const char *name, const char *bytes, Size size)
{
	chunks_write("INSERT INTO aread.stored_chunk VALUES ($1, $2, $3, $4, $5)", version_id, kind,
				 name, bytes, size);
}

static void
insert_masks(const Model *model, int64 version_id)
{
	Arena		arena;
	EngineError error;
	Scorer	   *scorer;
	Size		size;
	char	   *bytes;

	host_arena(&arena, CurrentMemoryContext);
	scorer = scorer_create(&arena, model, READY_BYTES, NULL, NULL, &error);
	if (!scorer)
		host_raise(&error);
	bytes = masks_write(model, scorer, &size);
	insert_bytes(version_id, "masks", "masks", bytes, size);
	pfree(bytes);
	arena_free_all(&arena);
}

/* Places of the domain weights, of the fields that have any. */
static void
insert_pairs(const Model *model, int64 version_id)
{
	for (int f = 0; f < model->shape.n_fields; f++)
	{
		const DomainPairs *pairs = &model->pairs[f];

		if (pairs->n_pairs == 0)
			continue;
		insert_bytes(version_id, "pairs", psprintf("start.%d", f), (const char *) pairs->start,
					 ((Size) pairs->n_values + 1) * sizeof(uint32));
		insert_bytes(version_id, "pairs", psprintf("domain.%d", f),
					 (const char *) pairs->domain, (Size) pairs->n_pairs * sizeof(uint32));
	}
}

static void
insert_parameters(const NewModel *new, const Jsonb *config, int64 version_id)
{
	const Model *model = new->result->model;
	uint32		description = catalog_description_crc(new->spec, config);

	for (int i = 0; i < model->n_tensors; i++)
		insert_bytes(version_id, "tensor", model->tensors[i].name,
					 (const char *) (model->params + model->tensors[i].offset),
					 model->tensors[i].size * sizeof(real));
	for (int v = 0; v < new->spec->n_vocabularies; v++)
	{
		const Vocabulary *vocabulary = &new->spec->vocabularies[v];

		insert_bytes(version_id, "vocabulary", psprintf("%d", v), vocabulary->bytes,
					 vocabulary->size);
		if (vocabulary->has_rare)
			insert_bytes(version_id, "rare", psprintf("%d", v), (const char *) vocabulary->rare,
						 vocabulary->n_rare * sizeof(uint32));
	}
	insert_bytes(version_id, "checksum", "description", (const char *) &description,
				 sizeof(description));
	insert_pairs(model, version_id);
	if (model->n_gates > 0)
		insert_masks(model, version_id);
}

int32
catalog_store(const NewModel *new, DeployDecision *decision)
{
	const Model *model = new->result->model;
	uint32		crc = catalog_model_crc(model);
	MemoryContext context = CurrentMemoryContext;
	Oid			user = GetUserId();
	const Jsonb *config = options_from_config(new->config);
	CatalogAccess access;
	LockedModel locked;
	int32		version;
	int64		version_id;

	catalog_enter(&access);
	lock_model(user, new->name, MISSING_IS_MADE, &locked);
	model_source_require(user, new);
	*decision = deploy_decide(new, &locked, context);
	version = catalog_new_version(&locked, decision->deployed);
	history_add(&locked, &(HistoryEvent) {"train", version, decision->deployed, decision->reason});
	version_id = insert_version(new, config, locked.id, version, crc);
	insert_features(new, version_id);
	insert_domains(new, version_id);
	insert_evaluations(new->result, new->config, version_id);
	for (int u = 0; u < new->result->n_mask_updates; u++)
		for (uint32 d = 0; d < model->n_domains; d++)
			insert_mask_choice(model, &new->result->mask_updates[u], d, version_id);
	insert_parameters(new, config, version_id);
	if (new->keep_versions > 0)
		catalog_keep(&locked, new->keep_versions);
	catalog_leave(&access);
	deploy_report(new, version, decision);
	return version;
}
