/*
 * store.c
 *	  A trained model into the catalog.
 *
 * All rows of a version are written in the transaction that calls: the version
 * itself, its features, domains, evaluations and mask updates, then chunks of
 * tensors, vocabularies, rare values, domain weights, masks, trees, items and users.  Rows
 * name their columns beside the values, so that the order of a table's columns does not
 * matter.
 *
 * The model is locked first (model_lock.h) and stays so until the transaction ends.
 * Under the lock it is decided whether the version scores (deploy.h), and older
 * versions go if there are more than wanted.
 */
#include "postgres.h"

#include "catalog/store.h"

#include <math.h>

#include "access/xact.h"
#include "catalog/access.h"
#include "catalog/arguments.h"
#include "catalog/checksums.h"
#include "catalog/chunks.h"
#include "catalog/history.h"
#include "catalog/masks.h"
#include "catalog/model_source.h"
#include "catalog/models.h"
#include "catalog/pg_type.h"
#include "catalog/record.h"
#include "catalog/versions.h"
#include "engine/networks/architectures.h"
#include "engine/train/stopping.h"
#include "host.h"
#include "miscadmin.h"
#include "options_text.h"
#include "source/keys/vocabulary.h"
#include "source/read/relation.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

static void
add_measure_values(Arguments *arguments, const Measures *measures)
{
	double		values[N_MEASURES];

	for (int i = 0; i < N_MEASURES; i++)
		values[i] = measure_at(measures, i)->value;
	add_float8_array(arguments, values, N_MEASURES);
}

static void
add_measures(Arguments *row, const char *values, const char *rows, const Measures *measures)
{
	uint64		counts[N_MEASURES];

	for (int i = 0; i < N_MEASURES; i++)
		counts[i] = measure_at(measures, i)->rows;
	add_measure_values(column(row, values), measures);
	add_uint64_array(column(row, rows), counts, N_MEASURES);
}

/* What was asked for: source, roles and options. */
static void
add_request(Arguments *row, const NewModel *new, const Jsonb *config)
{
	const FeatureSpec *spec = new->spec;

	add_text(column(row, "source_name"), new->roles->relation->full_name);
	add_text(column(row, "label"), spec->label);
	add_float8(column(row, "label_threshold"), spec->label_threshold);
	add_int4(column(row, "domain_feature"), spec->domain_feature);
	add_argument(column(row, "user_feature"), INT4OID, Int32GetDatum(spec->user_feature),
				 spec->user_feature < 0);
	add_argument(column(row, "item_feature"), INT4OID, Int32GetDatum(spec->item_feature),
				 spec->item_feature < 0);
	add_text(column(row, "split"), new->roles->split);
	add_text(column(row, "weight"), new->roles->weight);
	add_argument(column(row, "options"), JSONBOID, JsonbPGetDatum(new->options), false);
	add_argument(column(row, "config"), JSONBOID, JsonbPGetDatum(config), false);
	add_text(column(row, "architecture"), architecture_name(new->config->architecture));
	add_int8(column(row, "seed"), (int64) new->config->seed);
}

/* What was read. */
static void
add_rows(Arguments *row, const NewModel *new)
{
	static const char *const split_rows[] = {"train_rows", "valid_rows", "test_rows"};
	const ReadReport *report = new->report;

	add_int8(column(row, "rows_read"), (int64) report->rows_read);
	for (int split = 0; split < lengthof(split_rows); split++)
		add_int8(column(row, split_rows[split]), (int64) report->rows[split]);
	add_int8(column(row, "null_labels"), (int64) report->null_labels);
	add_int8(column(row, "bad_labels"), (int64) report->bad_labels);
	add_int8(column(row, "null_domains"), (int64) report->null_domains);
	add_int8(column(row, "null_splits"), (int64) report->null_splits);
	add_int8(column(row, "sampled_rows"), (int64) new->sampled_rows);
	record_add_split(row, &report->split);
}

static void
append_number(StringInfo json, const char *name, double value)
{
	if (isnan(value))
		appendStringInfo(json, ", \"%s\": null", name);
	else
		appendStringInfo(json, ", \"%s\": %.17g", name, value);
}

/* Rows of aread.ranking. */
static void
append_lists(StringInfo json, const char *split, const ListMeasures *measures)
{
	for (int kind = 0; kind < N_LIST_KINDS; kind++)
	{
		appendStringInfo(json,
						 "%s{\"split\": \"%s\", \"candidates\": \"%s\", \"lists\": " UINT64_FORMAT,
						 json->len > 1 ? ", " : "", split, list_kind_names[kind],
						 measures[kind].lists);
		append_number(json, "items", measures[kind].items);
		append_number(json, "ndcg", measures[kind].ndcg);
		append_number(json, "hit_rate", measures[kind].hit_rate);
		append_number(json, "mrr", measures[kind].mrr);
		appendStringInfoChar(json, '}');
	}
}

static void
add_ranking(Arguments *row, const TrainResult *result)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '[');
	append_lists(&json, "valid", result->valid_lists);
	append_lists(&json, "test", result->test_lists);
	appendStringInfoChar(&json, ']');
	add_argument(column(row, "ranking"), JSONBOID,
				 DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data)), false);
}

static void
add_kept(Arguments *row, const Model *model)
{
	int64		kept[3];

	record_kept(model, kept);
	add_int8(column(row, "kept_items"), kept[0]);
	add_int8(column(row, "kept_users"), kept[1]);
	add_int8(column(row, "kept_bytes"), kept[2]);
}

/* What came out. */
static void
add_result(Arguments *row, const TrainResult *result, uint32 crc)
{
	add_int8(column(row, "n_parameters"), (int64) result->model->n_params);
	add_int4(column(row, "n_domains"), (int32) result->n_domains);
	add_measures(row, "valid_measures", "valid_measure_rows", &result->valid);
	add_measures(row, "test_measures", "test_measure_rows", &result->test);
	add_int4(column(row, "best_evaluation"), result->best_evaluation);
	add_float8(column(row, "seconds"), result->seconds);
	add_int8(column(row, "crc"), crc);
	record_add_calibration(column(row, "calibration"), result->model);
	if (result->ranked)
		add_ranking(row, result);
	add_float8_array(column(row, "score_edges"), result->scores.edges, result->scores.n_edges);
	add_uint64_array(column(row, "score_rows"), result->scores.rows, result->scores.n_edges + 1);
	add_kept(row, result->model);
}

static int64
insert_version(const NewModel *new, const Jsonb *config, int64 model_id, int32 version,
			   uint32 crc)
{
	Arguments	row = {0};

	add_int8(column(&row, "model_id"), model_id);
	add_int4(column(&row, "version"), version);
	add_request(&row, new, config);
	add_rows(&row, new);
	add_result(&row, new->result, crc);
	add_float8(column(&row, "personalized"), new->personalized);
	add_text(column(&row, "software"), SOFTWARE);
	add_argument(column(&row, "trained_at"), TIMESTAMPTZOID,
				 TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), false);
	insert_row("stored_version", &row, "version_id");
	return DatumGetInt64(catalog_value(0, 1, NULL));
}

/* An L2 is the inverse variance of the weights under it. */
static void
add_weights(Arguments *row, const TrainResult *result, int f)
{
	int			n_fields = result->model->shape.n_fields;
	uint32		n_pairs = result->model->pairs[f].n_pairs;
	const double *l2 = result->wide_l2;

	add_float8(column(row, "weight_sd"), l2 && l2[f] > 0 ? 1 / sqrt(l2[f]) : NAN);
	add_int8(column(row, "domain_weights"), n_pairs);
	add_float8(column(row, "domain_weight_sd"),
			   l2 && n_pairs > 0 && l2[n_fields + f] > 0 ? 1 / sqrt(l2[n_fields + f]) : NAN);
}

static void
insert_features(const NewModel *new, int64 version_id)
{
	const FeatureSpec *spec = new->spec;

	for (int f = 0; f < spec->n_features; f++)
	{
		const Feature *feature = &spec->features[f];
		Arguments	row = {0};

		add_int8(column(&row, "version_id"), version_id);
		add_int4(column(&row, "position"), f);
		add_text(column(&row, "name"), feature->name);
		add_text(column(&row, "kind"), feature_kind_name(feature->kind));
		add_text(column(&row, "type_name"), feature->type_name);
		add_int4(column(&row, "vocabulary"), feature->vocabulary);
		add_int8(column(&row, "vocabulary_rows"), spec->vocabularies[feature->vocabulary].n_rows);
		add_int8(column(&row, "min_count"), feature->min_count);
		if (!kind_has_keys(feature->kind))
			add_float8_array(column(&row, "edges"), feature->edges, feature->n_edges);
		add_weights(&row, new->result, f);
		add_argument(column(&row, "goes_with_item"), BOOLOID,
					 BoolGetDatum(new->with_item && new->with_item[f]), !new->with_item);
		add_argument(column(&row, "counted"), INT4OID, Int32GetDatum(feature->counted),
					 feature->kind != FEATURE_ROWS);
		add_uint64_array(column(&row, "bin_rows"), feature->bin_rows, feature_bins(feature) + 1);
		insert_row("stored_feature", &row, NULL);
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
		Arguments	row = {0};

		add_int8(column(&row, "version_id"), version_id);
		add_int4(column(&row, "number"), (int32) d);
		add_text(column(&row, "name"), vocabulary_key(names, FIRST_ID + d));
		add_int8(column(&row, "rows"), (int64) domain->rows);
		add_int8(column(&row, "positives"), (int64) domain->positives);
		add_bool(column(&row, "minor"), domain->is_minor);
		add_bool(column(&row, "major"), domain->is_major);
		add_int8(column(&row, "augmented_rows"), (int64) domain->augmented_rows);
		add_int8(column(&row, "valid_rows"), (int64) domain->valid.rows);
		add_float8(column(&row, "valid_auc"), domain->valid.auc);
		add_float8(column(&row, "valid_log_loss"), domain->valid.log_loss);
		add_int8(column(&row, "test_rows"), (int64) domain->test.rows);
		add_float8(column(&row, "test_auc"), domain->test.auc);
		add_float8(column(&row, "test_log_loss"), domain->test.log_loss);
		insert_row("stored_domain", &row, NULL);
	}
}

static void
insert_evaluations(const TrainResult *result, const Config *config, int64 version_id)
{
	char		reason[MAX_REASON];

	for (int i = 0; i < result->n_evaluations; i++)
	{
		const Evaluation *evaluation = &result->evaluations[i];
		Arguments	row = {0};

		add_int8(column(&row, "version_id"), version_id);
		add_int4(column(&row, "number"), evaluation->number);
		add_int4(column(&row, "epoch"), evaluation->epoch);
		add_bool(column(&row, "epoch_end"), evaluation->epoch_end);
		add_int8(column(&row, "batches"), (int64) evaluation->batches);
		add_float8(column(&row, "train_loss"), evaluation->train_loss);
		add_measure_values(column(&row, "measures"), &evaluation->valid);
		add_float8(column(&row, "rows_per_second"), evaluation->rows_per_second);
		add_int4(column(&row, "mask_updates"), evaluation->mask_updates);
		add_float8(column(&row, "seconds"), evaluation->seconds);
		add_bool(column(&row, "best"), evaluation->best);
		evaluation_reason(result, config, i, reason);
		add_text(column(&row, "reason"), reason);
		insert_row("stored_evaluation", &row, NULL);
	}
}

static void
insert_mask_choice(const Model *model, const MaskUpdate *update, uint32 d, int64 version_id)
{
	const MaskChoice *choice = &update->choices[d];
	Arguments	row = {0};
	Datum	   *fates = palloc(model->n_gates * sizeof(Datum));

	for (int g = 0; g < model->n_gates; g++)
		fates[g] = Int16GetDatum(update->fates[(Size) d * model->n_gates + g]);
	add_int8(column(&row, "version_id"), version_id);
	add_int4(column(&row, "number"), update->number);
	add_int4(column(&row, "domain"), (int32) d);
	add_int8(column(&row, "batches"), (int64) update->batches);
	add_float8(column(&row, "seconds"), update->seconds);
	add_argument(column(&row, "start_density"), FLOAT4OID, Float4GetDatum(choice->start_density),
				 false);
	add_argument(column(&row, "end_density"), FLOAT4OID, Float4GetDatum(choice->end_density),
				 false);
	add_argument(column(&row, "loss"), FLOAT4OID, Float4GetDatum(choice->loss),
				 isnan(choice->loss));
	add_int4(column(&row, "steps"), choice->steps);
	add_argument(column(&row, "gates"), INT2ARRAYOID,
				 PointerGetDatum(construct_array(fates, model->n_gates, INT2OID, 2, true,
												 TYPALIGN_SHORT)), false);
	insert_row("stored_mask_update", &row, NULL);
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
insert_table(const EntityTable *table, int64 version_id)
{
	if (table)
		insert_bytes(version_id, "entities", entity_kind_names[table->kind], table->bytes,
					 table->n_bytes);
}

/* What is kept of items and users, if it is, and for histories. */
static void
insert_entities(const Model *model, int64 version_id)
{
	uint32		crc = catalog_entities_crc(model);

	for (EntityKind kind = 0; kind < N_ENTITY_KINDS; kind++)
		insert_table(model_entities(model, kind), version_id);
	if (model->items || model->users)
		insert_bytes(version_id, "checksum", "entities", (const char *) &crc, sizeof(crc));
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
	if (model->trees)
		insert_bytes(version_id, "trees", "trees", model->trees->bytes, model->trees->n_bytes);
	insert_entities(model, version_id);
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
