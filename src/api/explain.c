/*
 * explain.c
 *	  aread_explain(): how the score of one row comes about.
 *
 * The row is encoded as aread_predict() encodes it, and scored by the same scorer,
 * which leaves the parts of the score behind: heads, experts, gates.  The effect of
 * each feature is how far its value moves the logit from that of a value never seen
 * (engine/score/score.h).  Rows of the result come in the order score, heads,
 * experts with their gates, features.
 */
#include "postgres.h"

#include "engine/model/gates.h"
#include "engine/model/mask.h"
#include "engine/networks/architectures.h"
#include "fmgr.h"
#include "funcapi.h"
#include "host.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "serve/call.h"
#include "source/keys/describe_id.h"
#include "utils/builtins.h"

/* Columns of the result. */
typedef enum ExplainColumn
{
	PART, LAYER, EXPERT, LOWER_EXPERT, FEATURE, VALUE, STATUS, GATE, LOGIT, PROBABILITY, SHARE,
	EFFECT, N_EXPLAIN_COLUMNS
} ExplainColumn;

/* A row of the result on its way; columns are NULL until they are set. */
typedef struct ExplainRow
{
	Datum		values[N_EXPLAIN_COLUMNS];
	bool		nulls[N_EXPLAIN_COLUMNS];
} ExplainRow;

static void
set(ExplainRow *row, ExplainColumn column, Datum value)
{
	row->values[column] = value;
	row->nulls[column] = false;
}

static ExplainRow
start_row(const char *part)
{
	ExplainRow	row;

	memset(row.values, 0, sizeof(row.values));
	memset(row.nulls, true, sizeof(row.nulls));
	set(&row, PART, CStringGetTextDatum(part));
	return row;
}

static void
put_row(ReturnSetInfo *rsinfo, ExplainRow *row)
{
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row->values, row->nulls);
}

/*
 * The score, the heads' mean that it is the calibration of, the trees that are added
 * to it, and what all heads share.
 */
static void
put_score(ReturnSetInfo *rsinfo, const ScoreParts *parts)
{
	ExplainRow	row = start_row("score");

	set(&row, LOGIT, Float8GetDatum(logit_of(parts->score)));
	set(&row, PROBABILITY, Float8GetDatum(parts->score));
	put_row(rsinfo, &row);
	row = start_row("mean of heads");
	set(&row, LOGIT, Float8GetDatum(logit_of(parts->mean)));
	set(&row, PROBABILITY, Float8GetDatum(parts->mean));
	put_row(rsinfo, &row);
	if (parts->has_trees)
	{
		row = start_row("trees");
		set(&row, LOGIT, Float8GetDatum(parts->trees_logit));
		set(&row, PROBABILITY, Float8GetDatum(sigmoid(parts->trees_logit)));
		put_row(rsinfo, &row);
	}
	row = start_row("base");
	set(&row, LOGIT, Float8GetDatum(parts->base_logit));
	put_row(rsinfo, &row);
}

static void
put_heads(ReturnSetInfo *rsinfo, const Model *model, const ScoreParts *parts)
{
	for (int j = 0; j < parts->n_heads; j++)
	{
		const HeadPart *head = &parts->heads[j];
		ExplainRow	row = start_row("head");

		if (!head->open)
			continue;
		if (architecture_uses(model->config.architecture, "hei_hidden"))
			set(&row, LAYER, Int32GetDatum(model->config.hei_experts.n));
		set(&row, EXPERT, Int32GetDatum(j + 1));
		set(&row, LOGIT, Float8GetDatum(head->logit));
		set(&row, PROBABILITY, Float8GetDatum(head->probability));
		set(&row, SHARE, Float8GetDatum(head->share));
		put_row(rsinfo, &row);
	}
}

/* The experts that the domain uses, each followed by the gates into it. */
static void
put_experts(ReturnSetInfo *rsinfo, const ServedModel *served, int64 domain)
{
	const Model *model = served->loaded->model;
	const Config *config = &model->config;
	const real *gates = scorer_gates(served->scorer, domain);
	double	   *flow = palloc(experts_total(&config->hei_experts) * sizeof(double));
	int			at = 0;

	mask_flow(&config->hei_experts, gates, model_mask(model, domain), flow);
	for (int layer = 1; layer <= config->hei_experts.n; layer++)
		for (int expert = 0; expert < config->hei_experts.value[layer - 1]; expert++, at++)
		{
			ExplainRow	row = start_row("expert");
			const real *into = layer > 1 ?
				gates + gate_offset(&config->hei_experts, layer) + expert : NULL;

			if (flow[at] == 0)
				continue;
			set(&row, LAYER, Int32GetDatum(layer));
			set(&row, EXPERT, Int32GetDatum(expert + 1));
			set(&row, SHARE, Float8GetDatum(flow[at]));
			put_row(rsinfo, &row);
			for (int i = 0; layer > 1 && i < config->hei_experts.value[layer - 2]; i++)
			{
				double		gate = into[i * config->hei_experts.value[layer - 1]];

				if (gate == 0)
					continue;
				row = start_row("gate");
				set(&row, LAYER, Int32GetDatum(layer));
				set(&row, EXPERT, Int32GetDatum(expert + 1));
				set(&row, LOWER_EXPERT, Int32GetDatum(i + 1));
				set(&row, GATE, Float8GetDatum(gate));
				put_row(rsinfo, &row);
			}
		}
	pfree(flow);
}

/* Value and status of a list: its members'; "known" if any is. */
static void
set_list(ExplainRow *row, const FeatureSpec *spec, int f, const InputRows *input)
{
	uint64		from = input->list_start[input->ids[f]];
	uint64		to = input->list_start[input->ids[f] + 1];
	const char *status = to > from ? id_status(input->members[from]) : "known";
	StringInfoData text;

	initStringInfo(&text);
	for (uint64 i = from; i < to; i++)
	{
		char	   *member = id_text(spec, f, input->members[i]);

		CHECK_FOR_INTERRUPTS();
		if (member)
			status = "known";
		appendStringInfo(&text, "%s%s", i > from ? ", " : "",
						 member ? member : id_status(input->members[i]));
	}
	set(row, STATUS, CStringGetTextDatum(status));
	if (strcmp(status, "missing") != 0)
		set(row, VALUE, CStringGetTextDatum(text.data));
}

static void
set_vector(ExplainRow *row, int f, const InputRows *input)
{
	uint64		from = input->list_start[input->ids[f]];
	int			length = (int) (input->list_start[input->ids[f] + 1] - from) - 1;

	set(row, STATUS, CStringGetTextDatum(length > 0 ? "known" : id_status(input->members[from])));
	if (length > 0)
		set(row, VALUE, CStringGetTextDatum(psprintf("vector of length %d", length)));
}

/* Value and status of one id. */
static void
set_id(ExplainRow *row, const FeatureSpec *spec, int f, uint32 id)
{
	char	   *text = id_text(spec, f, id);

	set(row, STATUS, CStringGetTextDatum(id_status(id)));
	if (text)
		set(row, VALUE, CStringGetTextDatum(text));
}

static void
set_piece(ExplainRow *row, const FeatureSpec *spec, int f, const InputRows *input)
{
	uint64		from = input->list_start[input->ids[f]];
	int			n = (int) (input->list_start[input->ids[f] + 1] - from);

	set_id(row, spec, f, number_bin(&spec->features[f], input->members + from, n));
}

/* Items of the history that the row brings, or of the one that the model has of its user. */
static uint64
history_items(const ScoreCall *call, const ScoreRows *rows)
{
	const Model *model = call->served->loaded->model;
	uint32		list = rows->histories[0];
	int64		user = entity_number(model->histories, rows->ids[model->shape.user_field]);

	if (list > 0)
		return rows->list_start[list + 1] - rows->list_start[list];
	return user < 0 ? 0 :
		model->histories->link_start[user + 1] - model->histories->link_start[user];
}

/* How many they are: which ones is another matter than this row. */
static void
put_history(ReturnSetInfo *rsinfo, const ScoreCall *call, const ScoreRows *rows, double effect)
{
	ExplainRow	row = start_row("history");
	uint64		n = Min(history_items(call, rows), call->rows.spec->history_length);

	set(&row, VALUE, CStringGetTextDatum(psprintf(n == 1 ? "%llu item" : "%llu items",
												  (unsigned long long) n)));
	set(&row, STATUS, CStringGetTextDatum(n > 0 ? "known" : "missing"));
	set(&row, EFFECT, Float8GetDatum(effect));
	put_row(rsinfo, &row);
}

static void
put_features(ReturnSetInfo *rsinfo, ScoreCall *call, const ScoreRows *rows)
{
	const FeatureSpec *spec = call->rows.spec;
	double	   *effects = palloc((spec->n_features + 1) * sizeof(double));
	EngineError error;
	Arena		arena;

	host_arena(&arena, CurrentMemoryContext);
	if (!scorer_effects(call->served->scorer, &arena, rows, effects, &error))
		host_raise(&error);
	for (int f = 0; f < spec->n_features; f++)
	{
		ExplainRow	row = start_row("feature");

		set(&row, FEATURE, CStringGetTextDatum(spec->features[f].name));
		set(&row, EFFECT, Float8GetDatum(effects[f]));
		if (spec->features[f].kind == FEATURE_PIECEWISE)
			set_piece(&row, spec, f, &call->rows);
		else if (spec->features[f].kind == FEATURE_DENSE)
			set_vector(&row, f, &call->rows);
		else if (spec->features[f].kind == FEATURE_LIST)
			set_list(&row, spec, f, &call->rows);
		else
			set_id(&row, spec, f, call->rows.ids[f]);
		put_row(rsinfo, &row);
	}
	if (call->served->loaded->model->histories)
		put_history(rsinfo, call, rows, effects[spec->n_features]);
	arena_free_all(&arena);
}

static Datum
explain(FunctionCallInfo fcinfo, FeaturesKind kind)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const FeatureSpec *spec;
	const Model *model;
	ScoreCall  *call;
	ScoreRows	rows;
	ScoreParts	parts;
	EngineError error;

	/* looking the columns up would leave a kilobyte behind, until the query ends, for each row explained */
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	call = score_call(fcinfo, kind, RIGHT_TO_EXPLAIN);
	spec = call->rows.spec;
	model = call->served->loaded->model;
	rows = input_rows(&call->rows);
	if (!scorer_parts(call->served->scorer, &rows, &parts, &error))
		host_raise(&error);
	put_score(rsinfo, &parts);
	put_heads(rsinfo, model, &parts);
	if (architecture_uses(model->config.architecture, "hei_hidden"))
		put_experts(rsinfo, call->served, domain_of_id(call->rows.ids[spec->domain_feature]));
	put_features(rsinfo, call, &rows);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(aread_explain_record);
/* aread_explain(model, features record [, domain]) */
Datum
aread_explain_record(PG_FUNCTION_ARGS)
{
	return explain(fcinfo, FEATURES_RECORD);
}

PG_FUNCTION_INFO_V1(aread_explain_jsonb);
/* aread_explain(model, features jsonb [, domain]) */
Datum
aread_explain_jsonb(PG_FUNCTION_ARGS)
{
	return explain(fcinfo, FEATURES_JSONB);
}

PG_FUNCTION_INFO_V1(aread_explain_json);
/* aread_explain(model, features json or text [, domain]) */
Datum
aread_explain_json(PG_FUNCTION_ARGS)
{
	return explain(fcinfo, FEATURES_JSON);
}
