-- For test/valgrind: aread's main paths once each, small.  The server reads
-- this itself, so a statement ends with a semicolon and an empty line, and
-- there are no psql commands.
CREATE EXTENSION aread;

SET client_min_messages = warning;

CREATE TABLE shop AS
  SELECT *, ARRAY[category, category + 1]::int[] AS tags, 'c' || category AS label_text, (1 + sequence % 3)::float8 AS importance,
    CASE WHEN sequence % 7 = 0 THEN NULL ELSE price::numeric END AS cost
  FROM aread_simulate(4000, domains => 6, groups => 2, users => 40, items => 30, strength => 4);

CREATE TABLE taken AS SELECT domain, user_id, item_id, price FROM shop WHERE label = 1;

-- training: masks and augmented rows, lists, text, bins, weights, threads; a log of positives; the other arms
SELECT * FROM aread_train('shop', 'shop', features => '{domain,user_id,item_id,tags,label_text,cost,price}', weight => 'importance',
  options => '{"architecture": "aread", "embed_dim": 8, "mmoe_experts": 2, "mmoe_dims": [16, 8], "hei_experts": [2, 3, 4], "hei_hidden": [8, 8, 8], "hei_output": [8, 8, 8],
    "batch_size": 256, "epochs": 3, "candidates": 4, "warmup_batches": 20, "mask_interval": 10, "dropout": 0.05,
    "learning_rate": 0.01, "l2_embedding": 10, "domain_weights": false, "row_counts": false, "mask_learning_rate": 0.02, "major_share": 0.2, "minor_share": 0.12, "features": {"label_text": {"buckets": 32}}}');

SELECT * FROM aread_train('taken', 'taken', label => '', features => '{domain,user_id,item_id,price}',
  options => '{"architecture": "mmoe", "embed_dim": 4, "mmoe_experts": 2, "mmoe_dims": [8], "epochs": 1, "negatives": 2}');

SELECT * FROM aread_train('shop', 'fm', features => '{domain,user_id,item_id}', options => '{"architecture": "fm", "embed_dim": 4, "epochs": 1}');

-- scores: in batches, row by row, of records and JSON, of values and domains never seen
SELECT count(p), min(p), max(p) FROM (SELECT aread_predict('shop', s, s.domain) AS p FROM shop s) x;

SET aread.batch_scan = off;

SELECT count(p), min(p), max(p) FROM (SELECT aread_predict('shop', s, s.domain) AS p FROM shop s LIMIT 300) x;

RESET aread.batch_scan;

SELECT sequence, aread_predict('shop', s) FROM shop s ORDER BY aread_predict('shop', s) DESC, sequence LIMIT 3;

SELECT aread_predict('shop', '{"user_id": 5, "item_id": 7, "tags": [1, 2, null], "price": 1.5}', 'domain_03'), aread_predict('shop', '{"user_id": 123456}'::text, 'nowhere'),
  aread_predict('shop', NULL::jsonb);

SELECT sum(aread_predict('taken', t) + aread_predict('fm', t)) FROM taken t;

-- measures
SELECT * FROM aread_evaluate('shop', 'shop');

SELECT * FROM aread_evaluate_domains('fm', 'shop');

SELECT count(*) FROM aread_drift('shop', 'shop');

SELECT * FROM aread_compare('shop', 'fm', 'shop');

SELECT aread_auc(p, label), aread_log_loss(p, label), aread_domain_auc(p, label, domain), aread_grouped_auc(p, label, user_id), aread_ndcg(p, label, 10), aread_recall(p, label, 10),
  cardinality(aread_calibration(p, label, 10)), cardinality(aread_calibration(p, label, 5, 'uniform'))
FROM (SELECT aread_predict('fm', s) AS p, label, domain, user_id FROM shop s) x;

-- a look inside
SELECT count(*) FROM (SELECT * FROM shop LIMIT 5) s, aread_explain('shop', s, s.domain);

SELECT count(*) FROM aread_similar_domains('shop', 'domain_01');

SELECT count(*) FROM aread_expert_usage('shop', 'domain_01');

SELECT count(*), sum(cardinality(aread_tensor('shop', name))) FROM aread_tensors('shop');

SELECT count(*), max(length(aread_vector_text(vector))) FROM aread_vectors('shop', 'item_id');

SELECT count(*) FROM aread_domain_weights('shop', 'item_id');

SELECT length(aread_card('shop'));

SELECT (SELECT count(m::text) FROM aread.model m), (SELECT count(f::text) FROM aread.feature f), (SELECT count(d::text) FROM aread.domain d), (SELECT count(m::text) FROM aread.mask m),
  (SELECT count(o::text) FROM aread.mask_overlap o), (SELECT count(u::text) FROM aread.expert_usage u), (SELECT count(u::text) FROM aread.mask_update u),
  (SELECT count(h::text) FROM aread.mask_history h), (SELECT count(l::text) FROM aread.training_log l), (SELECT count(c::text) FROM aread.cache c);

SELECT length(aread_overlap_svg('shop')), length(aread_overlap_svg('shop', 2, 'dark')), length(aread_experts_svg('shop', 'domain_01', 'domain_02')),
  length(aread_training_svg('shop')), length(aread_domains_svg('shop'));

-- models leave and come back; counterfactual rows
SELECT aread_import(aread_export('shop'), 'copy');

SELECT aread_predict('copy', s) = aread_predict('shop', s) FROM shop s LIMIT 1;

SELECT count(*), (SELECT sum(rows) FROM aread_popularity('shop')), (SELECT count(*) FROM aread_augment_plan('shop', options => '{"major_share": 0.2, "minor_share": 0.12}'))
FROM aread_augment(NULL::shop, options => '{"major_share": 0.2, "minor_share": 0.12, "augment_ratio": 0.3}');

SELECT aread_cache_clear(), aread_drop('copy'), aread_drop('fm');

-- errors on the way leave nothing half done
SELECT aread_predict('no such model', '{}');

SELECT * FROM aread_train('shop', options => '{"epochs": -1}');

SELECT aread_import('\x00'::bytea);

SELECT aread_import(substr(aread_export('taken'), 1, 5000), 'broken');

SELECT 'all of it ran' AS finished;

