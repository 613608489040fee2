-- aread 0.3.0 to 0.4.0.
\echo Use "ALTER EXTENSION aread UPDATE TO '0.4.0'" to load this file. \quit

-- Nothing below is looked up where others can put objects: names without a schema
-- are those of pg_catalog, whatever lies in the target schema.
SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);

--
-- Values
--

--
-- Measures
--

ALTER TABLE aread.stored_version
  ADD COLUMN split_method text DEFAULT NULL,
  ADD COLUMN split_type text DEFAULT NULL,
  ADD COLUMN split_shares float8[] DEFAULT NULL,
  ADD COLUMN split_bounds bigint[] DEFAULT NULL,
  ADD COLUMN score_edges float8[] DEFAULT NULL,
  ADD COLUMN score_rows bigint[] DEFAULT NULL,
  ADD COLUMN personalized float8 DEFAULT NULL,
  ADD COLUMN ranking jsonb DEFAULT NULL,
  ADD COLUMN kept_items bigint DEFAULT NULL,
  ADD COLUMN kept_users bigint DEFAULT NULL,
  ADD COLUMN kept_bytes bigint DEFAULT NULL;
COMMENT ON COLUMN aread.stored_version.split_method IS 'how rows were split: name, order or hash; NULL: trained before 0.4.0';
COMMENT ON COLUMN aread.stored_version.split_type IS 'type of the split column';
COMMENT ON COLUMN aread.stored_version.split_shares IS 'shares of validation and test rows that were asked for';
COMMENT ON COLUMN aread.stored_version.split_bounds IS 'by order: where validation rows begin, and test rows, as 64-bit integers in the order of the split column; NULL: there are none';
COMMENT ON COLUMN aread.stored_version.score_edges IS 'deciles of the scores of validation rows, or where there are none of test or training rows; NULL: trained before 0.4.0';
COMMENT ON COLUMN aread.stored_version.score_rows IS 'how many of these rows have scores below each, and how many beyond';
COMMENT ON COLUMN aread.stored_version.personalized IS 'share of the order of items within a domain that is the user''s own; NULL: trained before 0.4.0, or there are no users or items to tell by';
COMMENT ON COLUMN aread.stored_version.ranking IS 'measures of ranked lists of validation and test rows: rows of the view aread.ranking; NULL: no negatives were sampled, or trained before 0.4.0';
COMMENT ON COLUMN aread.stored_version.valid_measures IS 'AUC, DomainAUC, Major5AUC, Minor10AUC, Minor5AUC, log loss, UserAUC, NDCG@10 on validation rows; the last two are missing before 0.4.0';
COMMENT ON COLUMN aread.stored_evaluation.measures IS 'AUC, DomainAUC, Major5AUC, Minor10AUC, Minor5AUC, log loss, UserAUC, NDCG@10 on validation rows; the last two are missing before 0.4.0';
COMMENT ON COLUMN aread.stored_version.kept_items IS 'items that are kept for aread_recommend; NULL: trained before 0.4.0';
COMMENT ON COLUMN aread.stored_version.kept_users IS 'users that are kept for it';
COMMENT ON COLUMN aread.stored_version.kept_bytes IS 'bytes of both, and of histories';
ALTER TABLE aread.stored_feature ADD COLUMN bin_rows bigint[] DEFAULT NULL;
COMMENT ON COLUMN aread.stored_feature.bin_rows IS 'of a binned or piecewise feature: training rows without a value, and of each bin; NULL: another kind, or trained before 0.4.0';
ALTER TABLE aread.stored_evaluation ADD COLUMN reason text DEFAULT NULL;
COMMENT ON COLUMN aread.stored_evaluation.reason IS 'what it meant for the training, as a sentence; NULL: trained before 0.4.0';
COMMENT ON TABLE aread.stored_chunk IS 'tensors, vocabularies, rare values, places of domain weights, masks, trees, items and users in pieces of 512 KB, each with magic, length and CRC-32C';
COMMENT ON COLUMN aread.stored_chunk.kind IS 'tensor, vocabulary, rare, pairs, masks, trees, entities or checksum';
COMMENT ON COLUMN aread.stored_chunk.name IS 'name of the tensor, number of the vocabulary, also of rare values, part and field of the pairs, items, users or histories of entities, what the checksum is over';

--
-- Masks
--

COMMENT ON VIEW aread.mask IS 'masks: for each domain which experts matter to it as inputs of which, with what weight; models of architecture hemp and aread score under them, those of hei with all gates open';
COMMENT ON COLUMN aread.mask.open IS 'does the domain''s mask leave the gate from the lower expert to the upper one open?';
COMMENT ON COLUMN aread.mask.gate IS 'its weight in scores; those of an upper expert sum to 1';
COMMENT ON VIEW aread.expert_usage IS 'which experts each domain''s mask uses, and how much of its score passes through them';
COMMENT ON COLUMN aread.expert_usage.inputs IS 'open gates from experts below; NULL in layer 1';
COMMENT ON COLUMN aread.expert_usage.outputs IS 'open gates to experts above; NULL in the last layer, where it has a head';
COMMENT ON VIEW aread.mask_update IS 'what each mask update of a training decided; trainings of architecture hei have none';
COMMENT ON COLUMN aread.run.phase IS 'reading, start (the wide part), warm-up (no masks yet), mask update, race: mmoe and race: hei (by default, until they are compared), training, masks (of hei, at the end), trees: features, trees: first forest, trees: pairs of features, trees: forest, or storing; of an ended one the last';

CREATE VIEW aread.ranking WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, r.split, r.candidates, r.lists, r.items, r.ndcg, r.hit_rate, r.mrr
FROM aread.visible_version v
JOIN aread.stored_version s USING (version_id)
CROSS JOIN LATERAL pg_catalog.jsonb_to_recordset(
  CASE WHEN pg_catalog.jsonb_typeof(s.ranking) OPERATOR(pg_catalog.=) 'array' THEN s.ranking END)
  AS r(split text, candidates text, lists bigint, items float8, ndcg float8, hit_rate float8, mrr float8);
COMMENT ON VIEW aread.ranking IS 'of models with sampled negatives, how high positive validation and test rows were ranked after training, as aread_evaluate_ranking does it, with at most 2000 lists of a kind and 500,000 rows in lists of all items';
COMMENT ON COLUMN aread.ranking.model IS 'name of the model';
COMMENT ON COLUMN aread.ranking.version IS 'its version';
COMMENT ON COLUMN aread.ranking.deployed IS 'is it the version that scores?';
COMMENT ON COLUMN aread.ranking.split IS 'valid or test';
COMMENT ON COLUMN aread.ranking.candidates IS 'what an item is ranked among: up to 100 items of its domain, drawn uniformly or by popularity, or all';
COMMENT ON COLUMN aread.ranking.lists IS 'lists, one for each positive row whose item was taken in the domain in training rows';
COMMENT ON COLUMN aread.ranking.items IS 'items beside the positive one, on average';
COMMENT ON COLUMN aread.ranking.ndcg IS 'normalized discounted cumulative gain of the first 10';
COMMENT ON COLUMN aread.ranking.hit_rate IS 'share of lists with the positive item among the first 10';
COMMENT ON COLUMN aread.ranking.mrr IS 'mean of 1 / rank of the positive item';

CREATE OR REPLACE VIEW aread.training_log WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, e.number AS evaluation, e.epoch, e.epoch_end, e.batches,
       e.train_loss, e.measures[6] AS valid_loss, e.measures[1] AS auc,
       e.measures[2] AS domain_auc, e.measures[3] AS major5_auc, e.measures[4] AS minor10_auc,
       e.measures[5] AS minor5_auc, e.rows_per_second, e.mask_updates, e.seconds, e.best,
       e.number OPERATOR(pg_catalog.=) v.best_evaluation AS kept, e.reason,
       e.measures[7] AS user_auc, e.measures[8] AS ndcg_10, e.measures[9] AS list_ndcg
FROM aread.visible_version v
JOIN aread.stored_evaluation e USING (version_id);
COMMENT ON COLUMN aread.training_log.train_loss IS 'mean loss since the evaluation before, of rows or, as option loss says, of positive rows with their negatives';
COMMENT ON COLUMN aread.training_log.best IS 'better than all before in the measure that option stop_on names, by at least 0.0005 (of log loss 0.00025, of list_ndcg 0.001): less is noise';
COMMENT ON COLUMN aread.training_log.kept IS 'is it the one whose parameters the model has?';
COMMENT ON COLUMN aread.training_log.reason IS 'what it gained, or that it gained too little, how a race of two networks stood, and why training stopped; NULL: trained before 0.4.0';
COMMENT ON COLUMN aread.training_log.user_auc IS 'users'' AUC, weighted by their rows; NULL: trained before 0.4.0, or users are not known';
COMMENT ON COLUMN aread.training_log.ndcg_10 IS 'mean of NDCG@10 over users with a positive row; NULL as above';
COMMENT ON COLUMN aread.training_log.list_ndcg IS 'NDCG@10 of lists with a positive row''s item, the mean of uniform ones and those by popularity, over 1000 positive rows; NULL: evaluations are not compared by it';

CREATE FUNCTION @extschema@.aread_evaluate(
  model text,
  source regclass,
  split text,
  OUT rows bigint,
  OUT skipped_rows bigint,
  OUT auc float8,
  OUT domain_auc float8,
  OUT domain_auc_rows bigint,
  OUT major5_auc float8,
  OUT major5_auc_rows bigint,
  OUT minor10_auc float8,
  OUT minor10_auc_rows bigint,
  OUT minor5_auc float8,
  OUT minor5_auc_rows bigint,
  OUT log_loss float8,
  OUT user_auc float8,
  OUT user_auc_rows bigint,
  OUT ndcg_10 float8,
  OUT ndcg_10_rows bigint)
RETURNS record
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_evaluate';
COMMENT ON FUNCTION @extschema@.aread_evaluate(text, regclass, text) IS
'the same over the rows of one split, train, valid or test, as aread_split tells it';

CREATE FUNCTION @extschema@.aread_evaluate_domains(
  model text,
  source regclass,
  split text,
  OUT domain text,
  OUT rows bigint,
  OUT positives bigint,
  OUT auc float8,
  OUT log_loss float8,
  OUT train_rows bigint)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_evaluate_domains';
COMMENT ON FUNCTION @extschema@.aread_evaluate_domains(text, regclass, text) IS
'the same over the rows of one split, train, valid or test, as aread_split tells it';

CREATE FUNCTION @extschema@.aread_evaluate_ranking(
  model text,
  source regclass,
  split text DEFAULT 'test',
  max_lists integer DEFAULT 2000,
  seed bigint DEFAULT 1,
  OUT candidates text,
  OUT lists bigint,
  OUT items float8,
  OUT ndcg float8,
  OUT hit_rate float8,
  OUT mrr float8)
RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_evaluate_ranking';
COMMENT ON FUNCTION @extschema@.aread_evaluate_ranking(text, regclass, text, integer, bigint) IS
'how high a model ranks the item of each positive row of a split, as aread_split tells it, among other items of its domain that the user took in no row of the table: up to 100 drawn uniformly, up to 100 drawn as often as they were taken, and, in domains of at most 10,000, all; items are those of positive training rows, and rows with another item have no list; measures are means over lists: NDCG of the first 10, the share with the item among the first 10, and 1 / rank, of equal scores each order being as likely; of more positive rows than max_lists so many are chosen, and lists of all items are as many as have 250 times max_lists rows; split NULL: all rows are ranked, and say what items there are';

CREATE FUNCTION @extschema@.aread_split(model text, features record)
RETURNS text
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 5000
AS 'MODULE_PATHNAME', 'aread_split';
COMMENT ON FUNCTION @extschema@.aread_split(text, record) IS
'the split of a row in the model''s training: train, valid or test; by hash it is told by the model''s features, which the row must have, by order and by name by the split column; of a row that was not there, the split it would have had; NULL: training left such rows out, for want of label, domain or split';

-- Of ranked lists, and of lists of recommendations.
COMMENT ON FUNCTION aread.scores_combine(bytea, bytea) IS 'part of the aggregates that keep scores and labels: two states as one';
COMMENT ON FUNCTION aread.auc_add(bytea, float8, "any") IS 'part of aread_auc, aread_reciprocal_rank and aread_average_precision: a row';
COMMENT ON FUNCTION aread.log_loss_combine(bytea, bytea) IS 'part of aread_log_loss and aread_novelty: two states as one';
COMMENT ON FUNCTION aread.log_loss_result(bytea) IS 'part of aread_log_loss and aread_novelty: the result';
COMMENT ON FUNCTION aread.grouped_auc_combine(bytea, bytea) IS 'part of aread_domain_auc, aread_grouped_auc, aread_coverage and aread_personalization: two states as one';
COMMENT ON FUNCTION aread.recall_add(bytea, float8, "any", integer) IS 'part of aread_recall, aread_precision, aread_hit_rate and aread_average_precision: a row';

CREATE FUNCTION aread.precision_result(state bytea)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_precision_result';
COMMENT ON FUNCTION aread.precision_result(bytea) IS 'part of aread_precision: the result';

CREATE FUNCTION aread.hit_rate_result(state bytea)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_hit_rate_result';
COMMENT ON FUNCTION aread.hit_rate_result(bytea) IS 'part of aread_hit_rate: the result';

CREATE FUNCTION aread.average_precision_result(state bytea)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_average_precision_result';
COMMENT ON FUNCTION aread.average_precision_result(bytea) IS 'part of aread_average_precision with k: the result';

CREATE FUNCTION aread.average_precision_all_result(state bytea)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_average_precision_all_result';
COMMENT ON FUNCTION aread.average_precision_all_result(bytea) IS 'part of aread_average_precision without k: the result';

CREATE FUNCTION aread.reciprocal_rank_result(state bytea)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_reciprocal_rank_result';
COMMENT ON FUNCTION aread.reciprocal_rank_result(bytea) IS 'part of aread_reciprocal_rank: the result';

CREATE FUNCTION aread.novelty_add(state bytea, share float8)
RETURNS bytea
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_novelty_add';
COMMENT ON FUNCTION aread.novelty_add(bytea, float8) IS 'part of aread_novelty: a row';

CREATE FUNCTION aread.coverage_add(state bytea, list anyarray, catalogue bigint)
RETURNS bytea
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_coverage_add';
COMMENT ON FUNCTION aread.coverage_add(bytea, anyarray, bigint) IS 'part of aread_coverage: a list';

CREATE FUNCTION aread.coverage_result(state bytea)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_coverage_result';
COMMENT ON FUNCTION aread.coverage_result(bytea) IS 'part of aread_coverage: the result';

CREATE FUNCTION aread.personalization_add(state bytea, list anyarray)
RETURNS bytea
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_personalization_add';
COMMENT ON FUNCTION aread.personalization_add(bytea, anyarray) IS 'part of aread_personalization: a list';

CREATE FUNCTION aread.personalization_result(state bytea)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_personalization_result';
COMMENT ON FUNCTION aread.personalization_result(bytea) IS 'part of aread_personalization: the result';

CREATE AGGREGATE @extschema@.aread_precision(score float8, label boolean, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.precision_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_precision(score float8, label integer, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.precision_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_precision(score float8, label float8, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.precision_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_precision(float8, boolean, integer) IS
'share of positive rows among the k of highest score (NULL: all), of k even where there are fewer rows; equal scores in any order, on average; NULL: no rows; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_precision(float8, integer, integer) IS
'share of positive rows among the k of highest score (NULL: all), of k even where there are fewer rows; equal scores in any order, on average; NULL: no rows; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_precision(float8, float8, integer) IS
'share of positive rows among the k of highest score (NULL: all), of k even where there are fewer rows; equal scores in any order, on average; NULL: no rows; for each list its own, group by user';

CREATE AGGREGATE @extschema@.aread_hit_rate(score float8, label boolean, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.hit_rate_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_hit_rate(score float8, label integer, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.hit_rate_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_hit_rate(score float8, label float8, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.hit_rate_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_hit_rate(float8, boolean, integer) IS
'1 if there is a positive row among the k of highest score (NULL: all), else 0; equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_hit_rate(float8, integer, integer) IS
'1 if there is a positive row among the k of highest score (NULL: all), else 0; equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_hit_rate(float8, float8, integer) IS
'1 if there is a positive row among the k of highest score (NULL: all), else 0; equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';

CREATE AGGREGATE @extschema@.aread_average_precision(score float8, label boolean) (
  SFUNC = aread.auc_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.average_precision_all_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_average_precision(score float8, label integer) (
  SFUNC = aread.auc_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.average_precision_all_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_average_precision(score float8, label float8) (
  SFUNC = aread.auc_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.average_precision_all_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_average_precision(float8, boolean) IS
'mean over the positive rows of the precision of the list down to each (MAP is the mean over lists); equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_average_precision(float8, integer) IS
'mean over the positive rows of the precision of the list down to each (MAP is the mean over lists); equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_average_precision(float8, float8) IS
'mean over the positive rows of the precision of the list down to each (MAP is the mean over lists); equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';

CREATE AGGREGATE @extschema@.aread_average_precision(score float8, label boolean, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.average_precision_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_average_precision(score float8, label integer, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.average_precision_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_average_precision(score float8, label float8, k integer) (
  SFUNC = aread.recall_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.average_precision_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_average_precision(float8, boolean, integer) IS
'sum over the positive rows among the k of highest score (NULL: all) of the precision down to each, over the number of positive rows, or k if that is less; equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_average_precision(float8, integer, integer) IS
'sum over the positive rows among the k of highest score (NULL: all) of the precision down to each, over the number of positive rows, or k if that is less; equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_average_precision(float8, float8, integer) IS
'sum over the positive rows among the k of highest score (NULL: all) of the precision down to each, over the number of positive rows, or k if that is less; equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';

CREATE AGGREGATE @extschema@.aread_reciprocal_rank(score float8, label boolean) (
  SFUNC = aread.auc_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.reciprocal_rank_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_reciprocal_rank(score float8, label integer) (
  SFUNC = aread.auc_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.reciprocal_rank_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.aread_reciprocal_rank(score float8, label float8) (
  SFUNC = aread.auc_add, STYPE = bytea, COMBINEFUNC = aread.scores_combine,
  FINALFUNC = aread.reciprocal_rank_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_reciprocal_rank(float8, boolean) IS
'1 over the rank of the first positive row (MRR is the mean over lists); equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_reciprocal_rank(float8, integer) IS
'1 over the rank of the first positive row (MRR is the mean over lists); equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';
COMMENT ON AGGREGATE @extschema@.aread_reciprocal_rank(float8, float8) IS
'1 over the rank of the first positive row (MRR is the mean over lists); equal scores in any order, on average; NULL: no positive row; for each list its own, group by user';

CREATE AGGREGATE @extschema@.aread_coverage(list anyarray, catalogue bigint) (
  SFUNC = aread.coverage_add, STYPE = bytea, COMBINEFUNC = aread.grouped_auc_combine,
  FINALFUNC = aread.coverage_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_coverage(anyarray, bigint) IS
'share of a catalogue of so many items that is in any list of recommendations, a list being an array of items; NULL: no list; memory grows with the items of all lists, up to 1 GB';
CREATE AGGREGATE @extschema@.aread_personalization(list anyarray) (
  SFUNC = aread.personalization_add, STYPE = bytea, COMBINEFUNC = aread.grouped_auc_combine,
  FINALFUNC = aread.personalization_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_personalization(anyarray) IS
'mean distance of the lists of recommendations of two users, a list being an array of items: 1 less the items that they share over the root of their lengths'' product, over all pairs, in linear time; 0: all lists are alike, 1: none share an item; repeated items count once, and empty lists not at all; NULL: fewer than 2 lists; memory grows with the items of all lists, up to 1 GB';
CREATE AGGREGATE @extschema@.aread_novelty(share float8) (
  SFUNC = aread.novelty_add, STYPE = bytea, COMBINEFUNC = aread.log_loss_combine,
  FINALFUNC = aread.log_loss_result, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.aread_novelty(float8) IS
'mean of -log2 of what share of the training rows each recommended item has, above 0 and up to 1: how little known the recommended items are, in bits; NULL: no rows';

COMMENT ON AGGREGATE @extschema@.aread_log_loss(float8, boolean) IS
'mean of -ln(probability of the label), probabilities kept within [2^-52, 1 - 2^-52] as scikit-learn does; NULL: no rows';
COMMENT ON AGGREGATE @extschema@.aread_log_loss(float8, integer) IS
'mean of -ln(probability of the label), probabilities kept within [2^-52, 1 - 2^-52] as scikit-learn does; NULL: no rows';
COMMENT ON AGGREGATE @extschema@.aread_log_loss(float8, float8) IS
'mean of -ln(probability of the label), probabilities kept within [2^-52, 1 - 2^-52] as scikit-learn does; NULL: no rows';

COMMENT ON FUNCTION @extschema@.aread_drift(text, regclass) IS
'values of a table by feature and domain (NULL: domains never seen, or NULL): unseen ones were never in training rows, rare ones less often than the feature''s min_count, missing ones are NULL; rows are values, of lists their members; of binned and hashed features only NULL is told; models keep hashes of rare values, so that about one unseen value in 4 billion for each rare one passes for rare; those trained before 0.4.0 keep none, and where their min_count is above 1 unseen is NULL and rare counts both; needs no labels';

CREATE FUNCTION @extschema@.aread_shift(
  model text,
  source regclass,
  OUT feature text,
  OUT rows bigint,
  OUT bins integer,
  OUT psi float8)
RETURNS SETOF record
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_shift';
COMMENT ON FUNCTION @extschema@.aread_shift(text, regclass) IS
'how far the numbers of a table, and its scores (feature NULL), lie from those of training: the population stability index, the sum of (p - q) ln(p / q) over bins of about a tenth of the training rows each and one for NULL, where there is any, with half a row added to every bin; up to 0.1 is no shift to speak of, above 0.25 is a large one; scores are compared with those of validation rows, or where there were none of test or training rows; psi is NULL for versions trained before 0.4.0, and where there are no rows; needs no labels';

--
-- Records
--

COMMENT ON FUNCTION @extschema@.aread_predict(text, record, text) IS
'probability of a positive label under the deployed version of a model, for one row; features by column name: missing ones count as NULL, as aread.missing_features has it told, and a name that two columns have is an error; the domain as third argument; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, record, anynonarray) IS
'probability of a positive label under the deployed version of a model, for one row; features by column name: missing ones count as NULL, as aread.missing_features has it told, and a name that two columns have is an error; the domain as third argument, of any plain type; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, record) IS
'probability of a positive label under the deployed version of a model, for one row; features by column name: missing ones count as NULL, as aread.missing_features has it told, and a name that two columns have is an error; the domain among the features; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, jsonb, text) IS
'probability of a positive label under the deployed version of a model, for one row; features by key: missing ones count as NULL, as aread.missing_features has it told; the domain as third argument; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, jsonb, anynonarray) IS
'probability of a positive label under the deployed version of a model, for one row; features by key: missing ones count as NULL, as aread.missing_features has it told; the domain as third argument, of any plain type; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, jsonb) IS
'probability of a positive label under the deployed version of a model, for one row; features by key: missing ones count as NULL, as aread.missing_features has it told; the domain among the features; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, json, text) IS
'probability of a positive label under the deployed version of a model, for one row; features by key: missing ones count as NULL, as aread.missing_features has it told, and a key that is there twice is an error; the domain as third argument; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, json, anynonarray) IS
'probability of a positive label under the deployed version of a model, for one row; features by key: missing ones count as NULL, as aread.missing_features has it told, and a key that is there twice is an error; the domain as third argument, of any plain type; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, json) IS
'probability of a positive label under the deployed version of a model, for one row; features by key: missing ones count as NULL, as aread.missing_features has it told, and a key that is there twice is an error; the domain among the features; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, text, text) IS
'probability of a positive label under the deployed version of a model, for one row; features a JSON object: missing ones count as NULL, as aread.missing_features has it told, and a key that is there twice is an error; the domain as third argument; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, text, anynonarray) IS
'probability of a positive label under the deployed version of a model, for one row; features a JSON object: missing ones count as NULL, as aread.missing_features has it told, and a key that is there twice is an error; the domain as third argument, of any plain type; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_predict(text, text) IS
'probability of a positive label under the deployed version of a model, for one row; features a JSON object: missing ones count as NULL, as aread.missing_features has it told, and a key that is there twice is an error; the domain among the features; NULL for a NULL model or NULL features';
COMMENT ON FUNCTION @extschema@.aread_register(regclass, text, text, text, text, text[], text, text) IS
'keep a table''s column roles, so that other functions need its name only; again: replace them; without a label column, or with label => '''', every row counts as positive; a notice names the roles, and columns whose names nearly have one';

--
-- Sources
--

ALTER TABLE aread.stored_run ADD COLUMN name_given boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN aread.stored_run.name_given IS 'whether who started it named the model; false: its name is the source''s, and not to be that of another source''s model';

--
-- Dense features
--
COMMENT ON COLUMN aread.stored_feature.kind IS 'categorical, binned, list, dense (a vector), piecewise (a number as a vector), rows: how many training rows another feature''s value has, or cross: of several features'' values';
COMMENT ON COLUMN aread.stored_feature.type_name IS 'type of the values, of a list of its members, of dense features of the column';
COMMENT ON COLUMN aread.stored_feature.edges IS 'bin edges of a binned feature; of rows the ids where bins begin; of dense features their components'' means, then as many standard deviations; of piecewise ones the bounds of pieces, then the same, with deviations times the root of their number; of crosses the positions of the features that they are of';
COMMENT ON COLUMN aread.feature.kind IS 'categorical, binned, list, dense (a vector), piecewise (a number as a vector), rows: how many training rows the user or the item has, or cross: of several columns'' values';
COMMENT ON COLUMN aread.feature.type IS 'type of the values, of a list of its members, of dense features of the column';
COMMENT ON COLUMN aread.feature."values" IS 'distinct values, bins, buckets or components known to the model';
COMMENT ON COLUMN aread.feature.weight_sd IS 'how much its values matter: standard deviation of their wide weights in logits, as the L2 implies it, of dense features for a standard deviation of a component, of piecewise ones for as many as the root of their components; NULL without a wide part';

--
-- Piecewise features
--
CREATE OR REPLACE VIEW aread.feature WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, LEAST(f.position, 1000000) OPERATOR(pg_catalog.+) 1 AS position, f.name, f.kind,
       f.type_name AS type,
       CASE f.position WHEN v.domain_feature THEN 'domain' WHEN v.user_feature THEN 'user'
                       WHEN v.item_feature THEN 'item' END AS role,
       (SELECT pg_catalog.min(o.name) FROM aread.stored_feature o
        WHERE o.version_id OPERATOR(pg_catalog.=) f.version_id AND o.vocabulary OPERATOR(pg_catalog.=) f.vocabulary
          AND o.position OPERATOR(pg_catalog.<>) f.position) AS shares_with,
       GREATEST(f.vocabulary_rows, 3) OPERATOR(pg_catalog.-) 3 AS "values", f.min_count,
       CASE WHEN v.owned AND f.kind OPERATOR(pg_catalog.=) 'binned' THEN f.edges
            WHEN v.owned AND f.kind OPERATOR(pg_catalog.=) 'piecewise'
            THEN f.edges[1:LEAST(GREATEST(f.vocabulary_rows, 3), 100000) OPERATOR(pg_catalog.-) 2] END AS edges,
       f.weight_sd, f.domain_weights, f.domain_weight_sd, f.goes_with_item
FROM aread.usable_version v
JOIN aread.stored_feature f USING (version_id);
COMMENT ON COLUMN aread.feature.edges IS 'bin edges of a binned feature, bounds of a piecewise one''s pieces; they are values of single rows, so NULL in models that are not one''s own';

--
-- Deployment
--

ALTER TABLE aread.stored_model ADD COLUMN pinned_versions integer[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN aread.stored_model.pinned_versions IS 'versions that stay until they are unpinned';

ALTER TABLE aread.stored_grant ADD COLUMN privilege text NOT NULL DEFAULT 'predict';
COMMENT ON TABLE aread.stored_grant IS 'roles that may score with a model, or have scores explained';
COMMENT ON COLUMN aread.stored_grant.privilege IS 'predict or explain; anything else gives nothing';

CREATE TABLE aread.stored_deployment (
  deployment_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  model_id bigint NOT NULL,
  version integer NOT NULL,
  previous integer,
  deployed boolean NOT NULL,
  role aread.stored_role NOT NULL,
  role_name name NOT NULL,
  at timestamptz NOT NULL,
  action text NOT NULL,
  reason text
);
CREATE INDEX stored_deployment_model_id_index ON aread.stored_deployment (model_id);
COMMENT ON TABLE aread.stored_deployment IS 'what became of the versions of each model, and through whom; aread_rollback goes back in it';
COMMENT ON COLUMN aread.stored_deployment.deployment_id IS 'later events have higher ones';
COMMENT ON COLUMN aread.stored_deployment.model_id IS 'its model';
COMMENT ON COLUMN aread.stored_deployment.version IS 'the version in question';
COMMENT ON COLUMN aread.stored_deployment.previous IS 'version that scored before the event; NULL: none';
COMMENT ON COLUMN aread.stored_deployment.deployed IS 'did the version score from then on?';
COMMENT ON COLUMN aread.stored_deployment.role IS 'who did it';
COMMENT ON COLUMN aread.stored_deployment.role_name IS 'name of that role at the time, for when it is gone';
COMMENT ON COLUMN aread.stored_deployment.at IS 'when the transaction began that did it';
COMMENT ON COLUMN aread.stored_deployment.action IS 'train, deploy, rollback, import or drop_version';
COMMENT ON COLUMN aread.stored_deployment.reason IS 'why';
SELECT pg_catalog.pg_extension_config_dump('aread.stored_deployment', '');
SELECT pg_catalog.pg_extension_config_dump('aread.stored_deployment_deployment_id_seq', '');

-- Columns of a function's result cannot be added: such a function is made anew, for those who could call it.
SELECT pg_catalog.set_config('aread_update.rights', (SELECT pg_catalog.jsonb_object_agg(p.oid::regprocedure, p.proacl::text)::text FROM pg_catalog.pg_proc p
  WHERE p.oid IN ('@extschema@.aread_train(regclass, text, text, text, text[], text, text, text, jsonb, text)'::regprocedure, '@extschema@.aread_options()'::regprocedure,
    '@extschema@.aread_evaluate(text, regclass)'::regprocedure, '@extschema@.aread_compare(text, text, regclass)'::regprocedure)), true);
DROP FUNCTION @extschema@.aread_train(regclass, text, text, text, text[], text, text, text, jsonb, text);
DROP FUNCTION @extschema@.aread_options();
DROP FUNCTION @extschema@.aread_compare(text, text, regclass);
DROP FUNCTION @extschema@.aread_evaluate(text, regclass);

CREATE FUNCTION @extschema@.aread_evaluate(
  model text,
  source regclass,
  OUT rows bigint,
  OUT skipped_rows bigint,
  OUT auc float8,
  OUT domain_auc float8,
  OUT domain_auc_rows bigint,
  OUT major5_auc float8,
  OUT major5_auc_rows bigint,
  OUT minor10_auc float8,
  OUT minor10_auc_rows bigint,
  OUT minor5_auc float8,
  OUT minor5_auc_rows bigint,
  OUT log_loss float8,
  OUT user_auc float8,
  OUT user_auc_rows bigint,
  OUT ndcg_10 float8,
  OUT ndcg_10_rows bigint)
RETURNS record
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_evaluate';
COMMENT ON FUNCTION @extschema@.aread_evaluate(text, regclass) IS
'measures of a model over all rows of a table with its label and feature columns, each with the rows behind it; user_auc is each user''s AUC, weighted by his rows, ndcg_10 the mean of NDCG@10 over users with a positive row; NULL: one class only, of these also users unknown; for a model trained without a label, the one registered for the table or the column label; labels are to be coded as in training, and a WARNING tells if most rows were trained on';

CREATE FUNCTION @extschema@.aread_compare(model_a text, model_b text, source regclass)
RETURNS TABLE (measure text, a float8, b float8, difference float8)
LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE ROWS 8
BEGIN ATOMIC
  WITH a AS MATERIALIZED (SELECT * FROM @extschema@.aread_evaluate($1, $3)),
       b AS MATERIALIZED (SELECT * FROM @extschema@.aread_evaluate($2, $3))
  SELECT m.measure, m.a, m.b, m.b OPERATOR(pg_catalog.-) m.a
  FROM a, b, LATERAL (VALUES
    ('AUC', a.auc, b.auc), ('DomainAUC', a.domain_auc, b.domain_auc), ('Major5AUC', a.major5_auc, b.major5_auc),
    ('Minor10AUC', a.minor10_auc, b.minor10_auc), ('Minor5AUC', a.minor5_auc, b.minor5_auc),
    ('log loss', a.log_loss, b.log_loss), ('UserAUC', a.user_auc, b.user_auc), ('NDCG@10', a.ndcg_10, b.ndcg_10)) m(measure, a, b);
END;
COMMENT ON FUNCTION @extschema@.aread_compare(text, text, regclass) IS
'measures of two models, or two versions of one (''shop@3'', ''shop@4''), over the rows of a table; difference: b less a';

CREATE FUNCTION @extschema@.aread_options(
  OUT option text,
  OUT type text,
  OUT "default" jsonb,
  OUT minimum float8,
  OUT maximum float8,
  OUT choices text[],
  OUT symbol text,
  OUT meaning text,
  OUT architectures text[])
RETURNS SETOF record
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_options';
COMMENT ON FUNCTION @extschema@.aread_options() IS 'every option of aread_train: default, range, symbol in the paper, meaning, and the architectures that it has an effect on; NULL: on all';

CREATE FUNCTION @extschema@.aread_train(
  source regclass,
  model text DEFAULT NULL,
  label text DEFAULT NULL,
  domain text DEFAULT NULL,
  features text[] DEFAULT NULL,
  user_id text DEFAULT NULL,
  item_id text DEFAULT NULL,
  split text DEFAULT NULL,
  options jsonb DEFAULT '{}',
  weight text DEFAULT NULL,
  OUT trained_model text,
  OUT version integer,
  OUT train_rows bigint,
  OUT valid_rows bigint,
  OUT test_rows bigint,
  OUT skipped_rows bigint,
  OUT auc float8,
  OUT domain_auc float8,
  OUT major5_auc float8,
  OUT minor10_auc float8,
  OUT minor5_auc float8,
  OUT log_loss float8,
  OUT epochs integer,
  OUT best_epoch integer,
  OUT seconds float8,
  OUT deployed boolean,
  OUT deploy_reason text,
  OUT user_auc float8,
  OUT ndcg_10 float8,
  OUT list_ndcg float8)
RETURNS record
LANGUAGE C VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_train';
COMMENT ON FUNCTION @extschema@.aread_train(regclass, text, text, text, text[], text, text, text, jsonb, text) IS
'train a model over a table, store it as a new version and, if option deploy and min_rows let it, deploy it: deployed and deploy_reason say whether it was and why; measures are on test rows, or on validation rows where there are none, with the negatives sampled for them; a table without a label (label => '''' says so where a column has that name) holds positives only and needs option negatives; where no argument names the model, the table does, unless the model of that name is another table''s; where none lists the features, columns that tell nothing, or a value of its own in each row, are left out with a warning';

DO $$
DECLARE
  command text;
BEGIN
  -- of one that nobody touched the end of this script takes care, as of all new ones
  FOR command IN
    SELECT pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM %s CASCADE', before.function, COALESCE(pg_catalog.quote_ident(r.rolname), 'PUBLIC'))
    FROM pg_catalog.jsonb_each_text(pg_catalog.current_setting('aread_update.rights')::jsonb) before(function, rights)
    JOIN pg_catalog.pg_proc p ON p.oid = before.function::regprocedure
    CROSS JOIN LATERAL pg_catalog.aclexplode(COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
    WHERE a.grantee <> p.proowner AND before.rights IS NOT NULL
    UNION ALL
    SELECT pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO %s%s', before.function, COALESCE(pg_catalog.quote_ident(r.rolname), 'PUBLIC'), CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END)
    FROM pg_catalog.jsonb_each_text(pg_catalog.current_setting('aread_update.rights')::jsonb) before(function, rights)
    JOIN pg_catalog.pg_proc p ON p.oid = before.function::regprocedure
    CROSS JOIN LATERAL pg_catalog.aclexplode(before.rights::aclitem[]) a
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
    WHERE a.grantee <> p.proowner
  LOOP
    EXECUTE command;
  END LOOP;
END
$$;

CREATE FUNCTION @extschema@.aread_architectures(
  OUT architecture text,
  OUT meaning text,
  OUT reference text,
  OUT options text[])
RETURNS SETOF record
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'aread_architectures';
COMMENT ON FUNCTION @extschema@.aread_architectures() IS 'every value of option architecture: what it trains, where it comes from (NULL: from no paper), and the options that have an effect on it but not on all';

CREATE FUNCTION @extschema@.aread_deploy(model text, version integer, reason text)
RETURNS integer
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_deploy';
COMMENT ON FUNCTION @extschema@.aread_deploy(text, integer, text) IS 'the same with a reason, for the view aread.deployment';

CREATE FUNCTION @extschema@.aread_rollback(model text, reason text)
RETURNS integer
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_rollback';
COMMENT ON FUNCTION @extschema@.aread_rollback(text, text) IS 'the same with a reason, for the view aread.deployment';

CREATE FUNCTION @extschema@.aread_pin(model text, pinned boolean DEFAULT true)
RETURNS boolean
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_pin';
COMMENT ON FUNCTION @extschema@.aread_pin(text, boolean) IS 'keep a version (''shop@2'') until it is unpinned (pinned => false): option keep_versions passes it by, and dropping it is an error; false if it was so already';

CREATE FUNCTION @extschema@.aread_grant(model text, role name, privilege text)
RETURNS boolean
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_grant';
COMMENT ON FUNCTION @extschema@.aread_grant(text, name) IS 'let a role, or public, use a model: score rows, recommend, list similar items and users, evaluate, measure drift and shift, and tell the split of rows; and so learn its items and users, who is like whom and what they took, but not see its weights; false if it may already';
COMMENT ON FUNCTION @extschema@.aread_grant(text, name, text) IS 'the same for one right: ''predict'' (all of that, as without this argument) or ''explain'' (aread_explain alone, which shows the score of a row, the bins that its numbers fall in, and the experts and gates of its domain); either shows the model in the views that describe it';

CREATE FUNCTION @extschema@.aread_revoke(model text, role name, privilege text)
RETURNS boolean
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'aread_revoke';
COMMENT ON FUNCTION @extschema@.aread_revoke(text, name, text) IS 'the same for one right: ''predict'' or ''explain''';

COMMENT ON FUNCTION @extschema@.aread_rollback(text) IS 'deploy the version that was deployed before the present one, the next call the one before that: back in the history that the view aread.deployment shows, past versions that are gone; returns it';
COMMENT ON FUNCTION @extschema@.aread_drop_version(text, integer) IS 'drop a version that is neither deployed nor pinned';
COMMENT ON FUNCTION @extschema@.aread_drop(text, boolean) IS 'drop a model with all of its versions, none of which may be pinned; false if there was none';
COMMENT ON FUNCTION @extschema@.aread_revoke(text, name) IS 'take back all that aread_grant gave; false if nothing was given';

CREATE OR REPLACE VIEW aread.usable_version WITH (security_barrier) AS
SELECT m.name AS model,
       v.version_id, v.model_id, v.version, v.source_name, v.label, v.label_threshold, v.domain_feature,
       v.user_feature, v.item_feature, v.split, v.weight, v.options, v.config, v.architecture, v.seed,
       v.rows_read, v.train_rows, v.valid_rows, v.test_rows, v.null_labels, v.bad_labels, v.null_domains,
       v.null_splits, v.n_parameters, v.n_domains, v.valid_measures, v.valid_measure_rows, v.test_measures,
       v.test_measure_rows, v.best_evaluation, v.seconds, v.crc, v.software, v.sampled_rows, v.calibration,
       v.trained_at, v.comment,
       v.version OPERATOR(pg_catalog.=) m.deployed_version AS deployed,
       aread.role_name(m.owner, m.owner_name) AS owner_name,
       m.comment AS model_comment,
       (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER)
       OR aread.has_role(m.owner) AS owned,
       v.version OPERATOR(pg_catalog.=) ANY (m.pinned_versions) AS pinned,
       v.personalized,
       v.kept_items, v.kept_users, v.kept_bytes
FROM aread.stored_model m
JOIN aread.stored_version v USING (model_id)
WHERE (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER)
   OR aread.has_role(m.owner)
   OR EXISTS (SELECT FROM aread.stored_grant g
              WHERE g.model_id OPERATOR(pg_catalog.=) m.model_id AND aread.has_role(g.grantee));
COMMENT ON VIEW aread.usable_version IS 'versions of the models that the current role owns or was granted any right to; for the other views';

CREATE OR REPLACE VIEW aread.visible_version WITH (security_barrier) AS
SELECT * FROM aread.usable_version WHERE owned;

CREATE OR REPLACE VIEW aread.model WITH (security_barrier) AS
SELECT v.model, v.version, v.deployed, v.owner_name AS owner, v.source_name AS source,
       v.architecture, v.options, v.config, v.seed,
       v.train_rows, v.valid_rows, v.test_rows,
       -- rows that others wrote must not make the view fail for everyone
       CASE WHEN LEAST(v.rows_read, v.train_rows, v.valid_rows, v.test_rows) OPERATOR(pg_catalog.>=) 0
              AND GREATEST(v.train_rows, v.valid_rows, v.test_rows) OPERATOR(pg_catalog.<=) v.rows_read
              AND v.rows_read OPERATOR(pg_catalog.<) 1000000000000000000
            THEN v.rows_read OPERATOR(pg_catalog.-) v.train_rows OPERATOR(pg_catalog.-) v.valid_rows OPERATOR(pg_catalog.-) v.test_rows
       END AS skipped_rows,
       v.sampled_rows,
       v.n_domains AS domains, v.n_parameters AS parameters,
       (SELECT pg_catalog.sum(pg_catalog.octet_length(c.data))::bigint
        FROM aread.stored_chunk c WHERE c.version_id OPERATOR(pg_catalog.=) v.version_id) AS bytes,
       v.valid_measures[1] AS valid_auc, v.valid_measures[2] AS valid_domain_auc,
       v.valid_measures[3] AS valid_major5_auc, v.valid_measures[4] AS valid_minor10_auc,
       v.valid_measures[5] AS valid_minor5_auc, v.valid_measures[6] AS valid_log_loss,
       v.test_measures[1] AS test_auc, v.test_measures[2] AS test_domain_auc,
       v.test_measures[3] AS test_major5_auc, v.test_measures[4] AS test_minor10_auc,
       v.test_measures[5] AS test_minor5_auc, v.test_measures[6] AS test_log_loss,
       v.calibration[1] AS calibration_factor, v.calibration[2] AS calibration_shift,
       e.epoch AS best_epoch, v.seconds, v.crc, v.software, v.trained_at,
       v.comment, v.model_comment,
       ARRAY(SELECT DISTINCT aread.role_name(g.grantee, g.grantee_name) FROM aread.stored_grant g
             WHERE g.model_id OPERATOR(pg_catalog.=) v.model_id AND g.privilege OPERATOR(pg_catalog.=) 'predict' ORDER BY 1) AS granted_to,
       ARRAY(SELECT DISTINCT aread.role_name(g.grantee, g.grantee_name) FROM aread.stored_grant g
             WHERE g.model_id OPERATOR(pg_catalog.=) v.model_id AND g.privilege OPERATOR(pg_catalog.=) 'explain' ORDER BY 1) AS explain_granted_to,
       v.pinned,
       (SELECT d.reason FROM aread.stored_deployment d
        WHERE d.model_id OPERATOR(pg_catalog.=) v.model_id AND d.version OPERATOR(pg_catalog.=) v.version
          AND d.action OPERATOR(pg_catalog.=) ANY ('{train,import}'::text[])
        ORDER BY d.deployment_id LIMIT 1) AS deploy_reason,
       v.calibration[3] AS trees_weight,
       v.valid_measures[7] AS valid_user_auc, v.valid_measures[8] AS valid_ndcg_10,
       v.test_measures[7] AS test_user_auc, v.test_measures[8] AS test_ndcg_10,
       v.personalized,
       v.kept_items, v.kept_users, v.kept_bytes,
       v.valid_measures[9] AS valid_list_ndcg, v.test_measures[9] AS test_list_ndcg
FROM aread.usable_version v
LEFT JOIN aread.stored_evaluation e
  ON e.version_id OPERATOR(pg_catalog.=) v.version_id AND e.number OPERATOR(pg_catalog.=) v.best_evaluation;
COMMENT ON COLUMN aread.model.architecture IS 'what was trained: one of aread_architectures()';
COMMENT ON COLUMN aread.model.explain_granted_to IS 'roles that may have its scores explained';
COMMENT ON COLUMN aread.model.pinned IS 'is it kept until it is unpinned?';
COMMENT ON COLUMN aread.model.deploy_reason IS 'why it was deployed, or was not, when it was trained or imported; what became of it later is in aread.deployment';

CREATE VIEW aread.deployment WITH (security_barrier) AS
SELECT d.deployment_id AS event, m.name AS model, d.version, d.previous, d.deployed,
       aread.role_name(d.role, d.role_name) AS role, d.at, d.action, d.reason
FROM aread.stored_model m
JOIN aread.stored_deployment d USING (model_id)
WHERE (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER)
   OR aread.has_role(m.owner)
   OR EXISTS (SELECT FROM aread.stored_grant g
              WHERE g.model_id OPERATOR(pg_catalog.=) m.model_id AND aread.has_role(g.grantee));
COMMENT ON VIEW aread.deployment IS 'who trained, deployed, rolled back, imported and dropped versions, when and why';
COMMENT ON COLUMN aread.deployment.event IS 'later events have higher ones';
COMMENT ON COLUMN aread.deployment.model IS 'present name of the model';
COMMENT ON COLUMN aread.deployment.version IS 'the version in question';
COMMENT ON COLUMN aread.deployment.previous IS 'version that scored before the event; NULL: none';
COMMENT ON COLUMN aread.deployment.deployed IS 'did the version score from then on?';
COMMENT ON COLUMN aread.deployment.role IS 'who did it';
COMMENT ON COLUMN aread.deployment.at IS 'when the transaction began that did it';
COMMENT ON COLUMN aread.deployment.action IS 'train, deploy, rollback, import or drop_version';
COMMENT ON COLUMN aread.deployment.reason IS 'why: what the guard found, or what was said';


--
-- Runs
--
COMMENT ON FUNCTION @extschema@.aread_train_start(regclass, text, text, text, text[], text, text, text, jsonb, text) IS
'train a model in the background, as the calling role, with checkpoints on the way; arguments are those of aread_train; returns the number of the run at once, which begins when the caller''s transaction commits; with option "resume": "auto" it goes on by itself after a restart of the server';
COMMENT ON COLUMN aread.run.attempts IS 'workers that it had: 1, and one more for each time that it was resumed';

--
-- Trees beside the network
--

CREATE FUNCTION @extschema@.aread_encodings(
  model text,
  OUT feature text,
  OUT other_feature text,
  OUT cells bigint,
  OUT splits_by_rate bigint,
  OUT splits_by_rows bigint)
RETURNS SETOF record
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10000 ROWS 20
AS 'MODULE_PATHNAME', 'aread_encodings';
COMMENT ON FUNCTION @extschema@.aread_encodings(text) IS
'what the trees of a model see: a row for each feature, or pair with other_feature, whose rate of positives and number of training rows they are given; cells are the values or pairs that are known; splits count how many nodes of the trees ask for the rate, and for the number of rows; empty without trees';

COMMENT ON COLUMN aread.stored_version.calibration IS 'factor and shift applied to the scores'' logits; for models with trees also what their logit counts';
COMMENT ON FUNCTION @extschema@.aread_explain(text, record, text) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features by column name; the domain as third argument';
COMMENT ON FUNCTION @extschema@.aread_explain(text, record, anynonarray) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features by column name; the domain as third argument, of any plain type';
COMMENT ON FUNCTION @extschema@.aread_explain(text, record) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features by column name; the domain among the features';
COMMENT ON FUNCTION @extschema@.aread_explain(text, jsonb, text) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features by key; the domain as third argument';
COMMENT ON FUNCTION @extschema@.aread_explain(text, jsonb, anynonarray) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features by key; the domain as third argument, of any plain type';
COMMENT ON FUNCTION @extschema@.aread_explain(text, jsonb) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features by key; the domain among the features';
COMMENT ON FUNCTION @extschema@.aread_explain(text, json, text) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features by key; the domain as third argument';
COMMENT ON FUNCTION @extschema@.aread_explain(text, json, anynonarray) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features by key; the domain as third argument, of any plain type';
COMMENT ON FUNCTION @extschema@.aread_explain(text, json) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features by key; the domain among the features';
COMMENT ON FUNCTION @extschema@.aread_explain(text, text, text) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features a JSON object; the domain as third argument';
COMMENT ON FUNCTION @extschema@.aread_explain(text, text, anynonarray) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features a JSON object; the domain as third argument, of any plain type';
COMMENT ON FUNCTION @extschema@.aread_explain(text, text) IS
'how the score of one row comes about: part is score, mean of heads (before calibration), trees (their logit, which is added after calibration, times their weight), base (the logit that all heads share: wide part, bias, base network), head (logit, probability, share in the score), expert (share of the score''s paths), gate (its weight), feature, or history (the user''s, of how many items, if the model goes by any); effect is the score''s logit less its logit with that feature alone set to a value never seen, or without the history: effects need not add up, as features act together; features a JSON object; the domain among the features';
COMMENT ON FUNCTION @extschema@.aread_tensors(text) IS
'the tensors of a model: kind is dense, rows (a vector for each value), statistic (of batch norm) or fitted (not trained by steps: weights of the wide part, calibration as log of the factor, shift, and the weight of the logit of the trees); feature is the one whose values it holds, of an embedding that features share the first';
COMMENT ON COLUMN aread.model.trees_weight IS 'what the logit of the model''s trees counts beside that of the network; NULL: it has no trees';
COMMENT ON COLUMN aread.model.valid_user_auc IS 'users'' AUC over validation rows, weighted by their rows; NULL, here and below: trained before 0.4.0, or users are not known';
COMMENT ON COLUMN aread.model.valid_ndcg_10 IS 'mean of NDCG@10 over users with a positive validation row';
COMMENT ON COLUMN aread.model.test_user_auc IS 'users'' AUC over test rows';
COMMENT ON COLUMN aread.model.test_ndcg_10 IS 'mean of NDCG@10 over users with a positive test row';
COMMENT ON COLUMN aread.model.valid_list_ndcg IS 'NDCG@10 of lists with a positive validation row''s item, the mean of uniform ones and those by popularity; aread.ranking has each kind; NULL: no negatives were sampled';
COMMENT ON COLUMN aread.model.test_list_ndcg IS 'the same of test rows';
COMMENT ON COLUMN aread.model.personalized IS 'how much of the order of items within a domain is the user''s own, in logits of up to 64 users and 64 items a domain: 0, all users have one order, to 1; NULL: trained before 0.4.0, or there are no users or items to tell by';

CREATE OR REPLACE FUNCTION @extschema@.aread_card(model text)
RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
  WITH named AS (
    SELECT COALESCE(substring($1 FROM '^(.*)@[1-9][0-9]{0,8}$'), $1) AS name,
           substring($1 FROM '^.*@([1-9][0-9]{0,8})$')::integer AS version
  )
  SELECT pg_catalog.concat_ws(E'\n',
    pg_catalog.format('# %s, version %s', m.model, m.version),
    '',
    m.model_comment, m.comment,
    pg_catalog.format('- trained %s over %s, owner %s, by %s', m.trained_at::timestamptz(0), m.source, m.owner, m.software),
    pg_catalog.format('- %s; seed %s; options %s', m.architecture, m.seed, m.options),
    pg_catalog.format('- rows: %s to train, %s to validate, %s to test, %s left out, %s negatives sampled', m.train_rows, m.valid_rows, m.test_rows, m.skipped_rows, m.sampled_rows),
    pg_catalog.format('- %s domains, %s parameters, %s', m.domains, m.parameters, pg_catalog.pg_size_pretty(m.bytes)),
    pg_catalog.format('- trained in %s s, best after epoch %s', pg_catalog.round(m.seconds::numeric, 1), m.best_epoch),
    pg_catalog.format('- features: %s', (SELECT pg_catalog.string_agg(f.name OPERATOR(pg_catalog.||) CASE WHEN f.role IS NULL THEN '' ELSE ' (' OPERATOR(pg_catalog.||) f.role OPERATOR(pg_catalog.||) ')' END, ', ' ORDER BY f.position)
                              FROM aread.feature f WHERE f.model OPERATOR(pg_catalog.=) m.model AND f.version OPERATOR(pg_catalog.=) m.version)),
    pg_catalog.format('- checksum %s%s', m.crc, CASE WHEN m.deployed THEN ', deployed' ELSE '' END),
    '',
    '| rows | AUC | DomainAUC | Major5AUC | Minor10AUC | Minor5AUC | log loss | UserAUC | NDCG@10 | list NDCG@10 |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    pg_catalog.concat('| validation | ', pg_catalog.concat_ws(' | ', VARIADIC ARRAY(SELECT COALESCE(pg_catalog.round(v::numeric, 4)::text, '-') FROM pg_catalog.unnest(ARRAY[m.valid_auc, m.valid_domain_auc,
      m.valid_major5_auc, m.valid_minor10_auc, m.valid_minor5_auc, m.valid_log_loss, m.valid_user_auc, m.valid_ndcg_10, m.valid_list_ndcg]) v)), ' |'),
    pg_catalog.concat('| test | ', pg_catalog.concat_ws(' | ', VARIADIC ARRAY(SELECT COALESCE(pg_catalog.round(v::numeric, 4)::text, '-') FROM pg_catalog.unnest(ARRAY[m.test_auc, m.test_domain_auc,
      m.test_major5_auc, m.test_minor10_auc, m.test_minor5_auc, m.test_log_loss, m.test_user_auc, m.test_ndcg_10, m.test_list_ndcg]) v)), ' |'))
  FROM named n JOIN aread.model m ON m.model OPERATOR(pg_catalog.=) n.name AND (m.version OPERATOR(pg_catalog.=) n.version OR (n.version IS NULL AND m.deployed));
END;
COMMENT ON COLUMN aread.run.epochs IS 'epochs of the network at work, at most: in phase race: mmoe the two after which it is left; it ends sooner when validation rows gain nothing';
COMMENT ON COLUMN aread.run.batch IS 'batches of the epoch so far; while there are trees: steps of the phase';
COMMENT ON COLUMN aread.run.batches IS 'batches of an epoch; while there are trees: steps in all';

--
-- Recommending
--

CREATE TYPE aread.recommendation AS (
  user_id text,
  rank integer,
  item_id text,
  domain text,
  score float8);
COMMENT ON TYPE aread.recommendation IS 'an item for a user: one row of aread_recommend or aread_recommend_all';
COMMENT ON COLUMN aread.recommendation.user_id IS 'user, as text: the model''s key of users whom it knows, of others what was passed; NULL: a NULL among the users';
COMMENT ON COLUMN aread.recommendation.rank IS '1 for the user''s best item, 2, ...';
COMMENT ON COLUMN aread.recommendation.item_id IS 'item, as text';
COMMENT ON COLUMN aread.recommendation.domain IS 'domain that the item was scored in, of several the one where its score is highest';
COMMENT ON COLUMN aread.recommendation.score IS 'what aread_predict gives for user, item and domain';

CREATE FUNCTION @extschema@.aread_predict(model text, features record, domain text, history regclass)
RETURNS float8
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_record';

CREATE FUNCTION @extschema@.aread_predict(model text, features record, domain anynonarray, history regclass)
RETURNS float8
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_record';

CREATE FUNCTION @extschema@.aread_predict(model text, features jsonb, domain text, history regclass)
RETURNS float8
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_jsonb';

CREATE FUNCTION @extschema@.aread_predict(model text, features jsonb, domain anynonarray, history regclass)
RETURNS float8
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_jsonb';

CREATE FUNCTION @extschema@.aread_predict(model text, features json, domain text, history regclass)
RETURNS float8
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_json';

CREATE FUNCTION @extschema@.aread_predict(model text, features json, domain anynonarray, history regclass)
RETURNS float8
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_json';

CREATE FUNCTION @extschema@.aread_predict(model text, features text, domain text, history regclass)
RETURNS float8
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_json';

CREATE FUNCTION @extschema@.aread_predict(model text, features text, domain anynonarray, history regclass)
RETURNS float8
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 SUPPORT aread.predict_support
AS 'MODULE_PATHNAME', 'aread_predict_json';

COMMENT ON FUNCTION @extschema@.aread_predict(text, record, text, regclass) IS
'probability of a positive label under the deployed version of a model, for one row, whose user''s history is read from a relation, with the caller''s rights, once for each user of a query; features by column name: missing ones count as NULL, as aread.missing_features has it told, and a name that two columns have is an error; the domain as third argument; NULL for a NULL model or NULL features; a NULL history is the one that the model keeps';
COMMENT ON FUNCTION @extschema@.aread_predict(text, record, anynonarray, regclass) IS
'probability of a positive label under the deployed version of a model, for one row, whose user''s history is read from a relation, with the caller''s rights, once for each user of a query; features by column name: missing ones count as NULL, as aread.missing_features has it told, and a name that two columns have is an error; the domain as third argument, of any plain type; NULL for a NULL model or NULL features; a NULL history is the one that the model keeps';
COMMENT ON FUNCTION @extschema@.aread_predict(text, jsonb, text, regclass) IS
'probability of a positive label under the deployed version of a model, for one row, whose user''s history is read from a relation, with the caller''s rights, once for each user of a query; features by key: missing ones count as NULL, as aread.missing_features has it told; the domain as third argument; NULL for a NULL model or NULL features; a NULL history is the one that the model keeps';
COMMENT ON FUNCTION @extschema@.aread_predict(text, jsonb, anynonarray, regclass) IS
'probability of a positive label under the deployed version of a model, for one row, whose user''s history is read from a relation, with the caller''s rights, once for each user of a query; features by key: missing ones count as NULL, as aread.missing_features has it told; the domain as third argument, of any plain type; NULL for a NULL model or NULL features; a NULL history is the one that the model keeps';
COMMENT ON FUNCTION @extschema@.aread_predict(text, json, text, regclass) IS
'probability of a positive label under the deployed version of a model, for one row, whose user''s history is read from a relation, with the caller''s rights, once for each user of a query; features by key: missing ones count as NULL, as aread.missing_features has it told, and a key that is there twice is an error; the domain as third argument; NULL for a NULL model or NULL features; a NULL history is the one that the model keeps';
COMMENT ON FUNCTION @extschema@.aread_predict(text, json, anynonarray, regclass) IS
'probability of a positive label under the deployed version of a model, for one row, whose user''s history is read from a relation, with the caller''s rights, once for each user of a query; features by key: missing ones count as NULL, as aread.missing_features has it told, and a key that is there twice is an error; the domain as third argument, of any plain type; NULL for a NULL model or NULL features; a NULL history is the one that the model keeps';
COMMENT ON FUNCTION @extschema@.aread_predict(text, text, text, regclass) IS
'probability of a positive label under the deployed version of a model, for one row, whose user''s history is read from a relation, with the caller''s rights, once for each user of a query; features a JSON object: missing ones count as NULL, as aread.missing_features has it told, and a key that is there twice is an error; the domain as third argument; NULL for a NULL model or NULL features; a NULL history is the one that the model keeps';
COMMENT ON FUNCTION @extschema@.aread_predict(text, text, anynonarray, regclass) IS
'probability of a positive label under the deployed version of a model, for one row, whose user''s history is read from a relation, with the caller''s rights, once for each user of a query; features a JSON object: missing ones count as NULL, as aread.missing_features has it told, and a key that is there twice is an error; the domain as third argument, of any plain type; NULL for a NULL model or NULL features; a NULL history is the one that the model keeps';

CREATE FUNCTION @extschema@.aread_recommend(
  model text,
  users "any",
  k integer DEFAULT 10,
  domain text DEFAULT NULL,
  exclude_seen boolean DEFAULT true,
  candidates regclass DEFAULT NULL,
  max_per jsonb DEFAULT NULL,
  context jsonb DEFAULT NULL,
  history regclass DEFAULT NULL)
RETURNS SETOF aread.recommendation
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000 ROWS 100
AS 'MODULE_PATHNAME', 'aread_recommend';
COMMENT ON FUNCTION @extschema@.aread_recommend(text, "any", integer, text, boolean, regclass, jsonb, jsonb, regclass) IS
'the k best items for each user: users are a value or an array of them, NULL being a user whom nobody knows; candidates are the items that the model has kept, those with training rows in the domain, or without a domain each in every domain that it has training rows in, and stands once, where its score is highest; or the rows of a relation, read with the caller''s rights, matched to features by column name; items that the user took in rows of training, validation or test are left out, if the model has kept the user and the item has an id of its own; max_per caps rows for each value of an item''s column, as {"brand": 2}, by bin or bucket where it has those: NULL and values that training has not seen are not counted; context has values of other features; history is a relation that each user''s history is read from, with the caller''s rights, by the columns of user, item, label and order that the model was trained with, and whose items are left out, too; what none of these gives is the item''s or the user''s value in training, else NULL; equal scores stand in the order of training rows';

CREATE FUNCTION @extschema@.aread_recommend_all(
  model text,
  k integer DEFAULT 10,
  domain text DEFAULT NULL,
  exclude_seen boolean DEFAULT true,
  candidates regclass DEFAULT NULL,
  max_per jsonb DEFAULT NULL,
  context jsonb DEFAULT NULL,
  history regclass DEFAULT NULL)
RETURNS SETOF aread.recommendation
LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000000 ROWS 10000
AS 'MODULE_PATHNAME', 'aread_recommend_all';
COMMENT ON FUNCTION @extschema@.aread_recommend_all(text, integer, text, boolean, regclass, jsonb, jsonb, regclass) IS
'what aread_recommend gives for all users that the model knows';

CREATE FUNCTION @extschema@.aread_retrieval_vectors(
  model text,
  kind text,
  dim integer DEFAULT 64,
  domain text DEFAULT NULL,
  candidates regclass DEFAULT NULL,
  context jsonb DEFAULT NULL,
  OUT id text,
  OUT item_domain text,
  OUT vector real[])
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000000 ROWS 10000
AS 'MODULE_PATHNAME', 'aread_retrieval_vectors';
COMMENT ON FUNCTION @extschema@.aread_retrieval_vectors(text, text, integer, text, regclass, jsonb) IS
'a vector of dim numbers for each candidate (kind "items"), an item in a domain, or for each user that the model knows ("users"): the inner product of a user''s and an item''s is nearly the logit of what aread_predict gives for them, whatever the architecture; vectors of both kinds go together if all other arguments, the rows of candidates and the version of the model are the same; domain, candidates and context are those of aread_recommend';

CREATE FUNCTION @extschema@.aread_similar_items(
  model text,
  similar_to "any",
  k integer DEFAULT 10,
  OUT item_id text,
  OUT similarity float8)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 10000 ROWS 10
AS 'MODULE_PATHNAME', 'aread_similar_items';
COMMENT ON FUNCTION @extschema@.aread_similar_items(text, "any", integer) IS
'the k items whose vectors have the largest cosine with that of an item; models without a network have no vectors, which is an error';

CREATE FUNCTION @extschema@.aread_similar_users(
  model text,
  similar_to "any",
  k integer DEFAULT 10,
  OUT user_id text,
  OUT similarity float8)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 10000 ROWS 10
AS 'MODULE_PATHNAME', 'aread_similar_users';
COMMENT ON FUNCTION @extschema@.aread_similar_users(text, "any", integer) IS
'the same of users';

COMMENT ON COLUMN aread.model.bytes IS 'bytes of tensors, vocabularies, masks, trees, and of what is kept of items and users';
COMMENT ON COLUMN aread.model.kept_items IS 'items that aread_recommend knows without a relation; NULL: trained before 0.4.0';
COMMENT ON COLUMN aread.model.kept_users IS 'users whose columns and items it knows; NULL: trained before 0.4.0';
COMMENT ON COLUMN aread.model.kept_bytes IS 'bytes of both and of users'' histories, a part of the bytes above; NULL: trained before 0.4.0';

COMMENT ON FUNCTION @extschema@.aread_augment(anyelement, text, text, text, text, text, text[], jsonb) IS
'counterfactual rows for the minor domains of a table, called as aread_augment(NULL::table): copies of positive training rows of unpopular items in major domains, with a minor domain in place of theirs and all other columns, keys and generated ones too, as they were; as many as aread_augment_plan says, drawn with replacement and weight 1 / popularity, none for a domain that holds the pair of user and item as a negative training row; registration and options are those of aread_train, whose mask search adds the same rows, unless these go by the network''s scores (option popularity), which are not known here; nothing is sampled here, so option negatives only lets a table without a label count as positive';
COMMENT ON FUNCTION @extschema@.aread_popularity(regclass, text, text, text, text, text, text[], jsonb) IS
'popularity of each item over the training rows of a table, by count or rate (option popularity), and whether augmentation takes it for unpopular; items with fewer rows than option min_count are left out, of hashed ones a row is a bucket and the item NULL';

--
-- Rights.  What default privileges gave to the objects above is taken back from whoever has
-- it.  Left alone are grants by hand, and functions where PUBLIC has no EXECUTE: there somebody
-- decided who has.
--

DO $$
DECLARE
  given record;
BEGIN
  FOR given IN
    SELECT o.kind, i.identity, r.rolname
    FROM pg_catalog.pg_depend d
    JOIN (SELECT tableoid, oid, CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, relowner AS owner, relacl AS acl
          FROM pg_catalog.pg_class WHERE relkind IN ('r', 'v', 'S')
          UNION ALL SELECT tableoid, oid, 'SCHEMA', nspowner, nspacl FROM pg_catalog.pg_namespace
          UNION ALL SELECT tableoid, oid, 'TYPE', typowner, typacl FROM pg_catalog.pg_type
          UNION ALL SELECT tableoid, oid, 'ROUTINE', proowner, proacl FROM pg_catalog.pg_proc) o
      ON o.tableoid = d.classid AND o.oid = d.objid
    CROSS JOIN LATERAL (SELECT grantee FROM pg_catalog.aclexplode(o.acl) UNION SELECT 0) a
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
    CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) i
    WHERE d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e'
      AND d.refobjid = (SELECT e.oid FROM pg_catalog.pg_extension e WHERE e.extname = 'aread')
      -- The server notes what an object's rights were at the end of a script that gave or took
      -- some: of these objects an earlier script has made sure.
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_init_privs p WHERE p.classoid = d.classid AND p.objoid = d.objid AND p.objsubid = 0)
      AND a.grantee <> o.owner
      AND CASE WHEN o.kind IN ('TYPE', 'ROUTINE')
               THEN r.rolname IS NOT NULL AND EXISTS (SELECT FROM pg_catalog.aclexplode(o.acl) e WHERE e.grantee = 0)
               ELSE r.rolname IS NOT NULL OR a.grantee = 0 END
  LOOP
    EXECUTE pg_catalog.format('REVOKE ALL ON %s %s FROM %s CASCADE', given.kind, given.identity,
                              COALESCE(pg_catalog.quote_ident(given.rolname), 'PUBLIC'));
  END LOOP;
END
$$;

-- Who could not call a function cannot call its like with more arguments.
DO $$
DECLARE
  command text;
BEGIN
  FOR command IN
    SELECT c.command
    FROM (VALUES ('aread_evaluate(text, regclass)', 'aread_evaluate(text, regclass, text)'),
                 ('aread_evaluate_domains(text, regclass)', 'aread_evaluate_domains(text, regclass, text)'),
                 ('aread_deploy(text, integer)', 'aread_deploy(text, integer, text)'),
                 ('aread_rollback(text)', 'aread_rollback(text, text)'),
                 ('aread_grant(text, name)', 'aread_grant(text, name, text)'),
                 ('aread_revoke(text, name)', 'aread_revoke(text, name, text)')) v(before, after)
    JOIN pg_catalog.pg_proc o ON o.oid = ('@extschema@.' || v.before)::regprocedure
    JOIN pg_catalog.pg_proc n ON n.oid = ('@extschema@.' || v.after)::regprocedure
    CROSS JOIN LATERAL (
      SELECT 1, pg_catalog.format('REVOKE ALL ON FUNCTION @extschema@.%s FROM %s CASCADE', v.after, COALESCE(pg_catalog.quote_ident(r.rolname), 'PUBLIC'))
      FROM pg_catalog.aclexplode(COALESCE(n.proacl, pg_catalog.acldefault('f', n.proowner))) a
      LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
      WHERE a.grantee <> n.proowner
      UNION ALL
      SELECT 2, pg_catalog.format('GRANT EXECUTE ON FUNCTION @extschema@.%s TO %s%s', v.after, COALESCE(pg_catalog.quote_ident(r.rolname), 'PUBLIC'),
                                  CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END)
      FROM pg_catalog.aclexplode(o.proacl) a
      LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
      WHERE a.grantee <> o.proowner) c(step, command)
    WHERE o.proacl IS NOT NULL
    ORDER BY c.step
  LOOP
    EXECUTE command;
  END LOOP;
END
$$;

REVOKE ALL ON FUNCTION @extschema@.aread_mend_roles() FROM PUBLIC;
GRANT USAGE ON SCHEMA aread TO PUBLIC;
GRANT SELECT ON aread.source, aread.model, aread.feature, aread.domain, aread.mask,
  aread.mask_overlap, aread.expert_usage, aread.mask_update, aread.mask_history,
  aread.training_log, aread.ranking, aread.cache, aread.run, aread.deployment TO PUBLIC;
-- what these views call, also where default privileges keep functions from PUBLIC
GRANT EXECUTE ON FUNCTION aread.has_role(aread.stored_role), aread.role_name(aread.stored_role, name), aread.as_role(oid),
  aread.mask_gates(bytea[]), aread.mask_overlaps(bytea[]), aread.mask_fates(jsonb, smallint[]), aread.mask_experts(bytea[]),
  aread.cached_versions(), aread.trainings(), aread.run_state(bigint) TO PUBLIC;
