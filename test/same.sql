-- same.sql: one line for each model trained here, for test/same to compare with those of another
-- revision; to be run in an empty database.
--
-- A line ends in what must not change: checksum of the parameters, evaluation that was kept, and
-- digests of the training log, of what the mask search did, and of the scores in batches; beside
-- them, whether scores row by row are the same to 1e-6.  Tables are made so that revisions since
-- 0.2.0 read the same: features are listed, as 0.4.0 leaves some out; no array of floating-point
-- numbers is among them, but for "dense".  Log losses are left out of it, as 0.4.0 clips
-- probabilities elsewhere, and so are the columns of augmented rows that are no features: which of
-- the rows with equal features is copied depends on the OIDs of an enum's labels.
\set QUIET on
\pset format unaligned
\pset tuples_only on
\set ON_ERROR_STOP on
SET client_min_messages = error;
SET max_parallel_workers_per_gather = 0;
SET jit = off;
CREATE EXTENSION aread;

CREATE FUNCTION hashed(value bigint, salt int, n int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT ((hashint8extended(value, salt) & 9007199254740991) % n)::int $$;
CREATE TYPE season AS ENUM ('spring', 'summer', 'autumn', 'winter');
-- Columns of every kind, some NULL; a weight; splits by name and by order.
CREATE FUNCTION made(rows int, domains int, users int, items int, seed int)
RETURNS TABLE (label int, domain text, user_id int, item_id int, age_band int, category int, price float8, cost numeric, quick real, day date,
  season season, city text, flag boolean, tags int[], words text[], code uuid, fold text, sequence bigint, weight float8)
LANGUAGE sql STABLE AS $$
SELECT s.label, s.domain, s.user_id, CASE WHEN hashed(s.sequence, 1, 50) > 0 THEN s.item_id END, s.age_band, s.category,
  CASE WHEN hashed(s.sequence, 2, 20) > 0 THEN s.price END, (s.price * (1 + hashed(s.user_id, 3, 4)))::numeric(8,2), hashed(s.item_id, 4, 100)::real / 8,
  date '2024-01-01' + hashed(s.sequence, 5, 40), ('{spring,summer,autumn,winter}'::season[])[1 + hashed(s.user_id, 6, 4)],
  'city ' || hashed(s.user_id, 7, 30), hashed(s.item_id, 8, 3) = 0,
  CASE WHEN hashed(s.sequence, 9, 10) > 0 THEN ARRAY(SELECT hashed(s.user_id + i, 10, 60) FROM generate_series(1, hashed(s.sequence, 11, 5)) i) END,
  ARRAY['w' || hashed(s.item_id, 12, 40), 'v' || s.category], md5(hashed(s.item_id, 13, 25)::text)::uuid,
  CASE WHEN s.sequence % 10 < 8 THEN 'train' WHEN s.sequence % 10 = 8 THEN 'valid' ELSE 'test' END, s.sequence, 0.5 + hashed(s.sequence, 14, 3)
FROM aread_simulate(rows, domains => domains, groups => 2, users => users, items => items, strength => 4, seed => seed) s
ORDER BY s.sequence
$$;
CREATE TABLE shop AS SELECT * FROM made(6000, 6, 150, 80, 1);
CREATE TABLE mall AS SELECT * FROM made(24000, 9, 700, 300, 2);
-- what a model has not seen: values, domains, NULLs
CREATE TABLE strange AS
SELECT label, CASE hashed(sequence, 20, 4) WHEN 0 THEN 'nowhere' WHEN 1 THEN NULL ELSE domain END AS domain, user_id + hashed(sequence, 21, 2) * 100000 AS user_id,
  CASE WHEN hashed(sequence, 22, 3) > 0 THEN item_id + hashed(sequence, 23, 2) * 100000 END AS item_id, age_band, NULL::int AS category, price * 1000 AS price, -cost AS cost, quick,
  day + 10000 AS day, season, city || hashed(sequence, 24, 2) AS city, NULL::boolean AS flag, tags || 77777 AS tags, NULL::text[] AS words, code, sequence
FROM made(600, 6, 150, 80, 3);
VACUUM ANALYZE shop, mall, strange;

-- Of all rows; numbers are written to the last bit.
CREATE FUNCTION digest(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE found text;
BEGIN
  EXECUTE format('SELECT coalesce(left(md5(string_agg(r::text, %L)), 16), %L) FROM (%s) r', '|', '-', query) INTO found;
  RETURN found;
END $$;
-- Scores of a model in batches, to the last bit.  Those of a call for each row, under CASE, differed
-- from them in the last bits until mixtures were summed by the same code: they are held to 1e-6.
CREATE FUNCTION scored(model text, source regclass) RETURNS text LANGUAGE sql AS $$
SELECT format('rows %s batches %s',
  digest(format('SELECT count(*) FILTER (WHERE abs(row - batch) < 1e-6) = count(*) FROM (SELECT aread_predict(%L, t) AS batch, CASE WHEN sequence IS NOT NULL THEN aread_predict(%L, t) END AS row FROM %s t) s', model, model, source)),
  digest(format('SELECT aread_predict(%L, t) FROM %s t ORDER BY sequence', model, source)))
$$;
CREATE FUNCTION told(name text) RETURNS text LANGUAGE sql AS $$
SELECT format('%s: crc %s kept %s log %s masks %s', name, m.crc, (SELECT max(l.evaluation) FROM aread.training_log l WHERE l.model = name AND l.best),
  digest(format('SELECT evaluation, batches, train_loss, auc, domain_auc, mask_updates FROM aread.training_log WHERE model = %L ORDER BY evaluation', name)),
  digest(format('SELECT number, domain, batches, start_density, end_density, loss, steps FROM aread.mask_update WHERE model = %L ORDER BY number, domain', name)))
FROM aread.model m WHERE m.model = name
$$;
CREATE FUNCTION trained(name text, source regclass, options jsonb, threads int DEFAULT 2, memory text DEFAULT '1GB', split text DEFAULT NULL, weight text DEFAULT NULL,
  label text DEFAULT 'label', features text[] DEFAULT '{user_id,item_id,age_band,category,price}') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('aread.threads', threads::text, true), set_config('aread.training_memory', memory, true);
  PERFORM aread_train(source, name, label => label, domain => 'domain', user_id => 'user_id', item_id => 'item_id', features => features, split => split, weight => weight, options =>
    '{"architecture": "hemp", "embed_dim": 6, "mmoe_experts": 3, "mmoe_dims": [20, 11], "hei_experts": [2, 3, 4], "hei_hidden": [12, 9, 5], "hei_output": [10, 7, 3], "batch_size": 256, "epochs": 4, "patience": 20,
      "learning_rate": 0.01, "l2_embedding": 30, "warmup_batches": 8, "mask_interval": 12, "candidates": 2, "candidate_steps": 3, "minor_share": 0.1, "major_share": 0.15}'::jsonb ||
    (SELECT coalesce(jsonb_object_agg(option, CASE option WHEN 'mmoe_mixtures' THEN '2'::jsonb ELSE '[20, 11]' END), '{}') FROM aread_options() WHERE option IN ('mmoe_mixtures', 'deep_dims')) || options);
  RETURN told(name) || ' ' || scored(name, source);
END $$;

SELECT 'simulated: ' || digest('SELECT * FROM shop ORDER BY sequence') || ' ' || digest('SELECT * FROM mall ORDER BY sequence');

-- architectures that the revision has, and threads, in memory and in files
CREATE TABLE architecture AS SELECT a, n FROM aread_options(), unnest(choices) WITH ORDINALITY u (a, n) WHERE option = 'architecture';
SELECT trained(format('%s, %s threads', a, threads), 'shop', jsonb_build_object('architecture', a), threads)
FROM architecture, generate_series(1, 3) threads ORDER BY n, threads;
SELECT trained(format('%s, full search, %s threads', a, threads), 'shop', jsonb_build_object('architecture', a, 'mask_search', 'full'), threads)
FROM unnest('{hemp,aread}'::text[]) WITH ORDINALITY u (a, n), generate_series(1, 3) threads ORDER BY n, threads;
SELECT trained(format('%s, all columns, %s', a, memory), 'mall', jsonb_build_object('architecture', a, 'epochs', 1, 'batch_size', 512), 2, memory, features =>
  '{domain,user_id,item_id,age_band,category,price,cost,quick,day,season,city,flag,tags,words,code}')
FROM architecture, unnest('{1GB,1MB}'::text[]) memory ORDER BY n, memory;

-- one option at a time
SELECT trained(format('%s %s', a, o), 'shop', jsonb_build_object('architecture', a) || o)
FROM unnest('{aread,hei,wide}'::text[]) WITH ORDINALITY u (a, n), unnest(ARRAY[
  '{"domain_weights": false}', '{"wide": false}', '{"seed": 2}', '{"l2_wide": 1}', '{"positive_weight": 3}', '{"calibration": false}', '{"base_rate": 0.1}', '{"row_counts": false}',
  '{"bins": 5, "min_count": 4}', '{"features": {"user_id": {"buckets": 40}, "item_id": {"vocabulary": "user_id"}}}', '{"batch_size": 100}']::jsonb[]) WITH ORDINALITY v (o, k)
WHERE a <> 'wide' OR NOT o ? 'wide' ORDER BY n, k;
SELECT trained(format('aread %s', o), 'shop', '{"architecture": "aread"}' || o)
FROM unnest(ARRAY[
  '{"base_skip": false}', '{"cross_layers": 0}', '{"cross_layers": 1}', '{"pairwise": true}', '{"batch_norm": false}', '{"dropout": 0}', '{"dropout": 0.4}', '{"evaluations": 5}', '{"patience": 1}',
  '{"prune_by": "gate"}', '{"sigma": 0}', '{"initial_density": 1, "target_density": 0.2, "prune_ratio": 0.2}', '{"candidates": 5, "candidate_steps": 7, "score_batches": 1}', '{"mask_learning_rate": 0.1}',
  '{"augment_ratio": 0}', '{"augment_ratio": 1}', '{"popularity": "rate", "unpopular_quantile": 0.8}', '{"unpopular_threshold": 30}', '{"l2_dense": 0.01, "l2_embedding": 0}',
  '{"architecture": "hei", "hei_experts": [4], "hei_hidden": [8], "hei_output": [5]}', '{"hei_experts": [3, 3, 3, 3], "hei_hidden": [8, 8, 8, 8], "hei_output": [5, 5, 5, 5]}', '{"mmoe_experts": 1, "mmoe_dims": [33]}',
  '{"embed_dim": 1}', '{"batch_norm": false, "dropout": 0, "base_skip": false, "cross_layers": 0, "wide": false}', '{"split_method": "hash", "valid_share": 0.2, "test_share": 0}',
  '{"valid_share": 0}']::jsonb[]) WITH ORDINALITY v (o, k) ORDER BY k;
SELECT trained('widths of the defaults', 'mall', '{"embed_dim": 16, "mmoe_experts": 4, "mmoe_dims": [128, 64], "hei_experts": [3, 6, 12], "hei_hidden": [64, 32, 16], "hei_output": [32, 16, 8],
  "batch_size": 1024, "epochs": 1, "mask_interval": 100}');

-- splits and weights; logs of positives; a threshold; splits by an order in files
SELECT trained('split by name', 'shop', '{}', split => 'fold');
SELECT trained('split by order', 'shop', '{}', split => 'sequence');
SELECT trained('split by day', 'shop', '{"split_method": "order"}', split => 'day');
SELECT trained('weighted', 'shop', '{"architecture": "aread"}', weight => 'weight');
SELECT trained('weighted, full search', 'shop', '{"mask_search": "full"}', weight => 'weight');
SELECT trained('threshold', 'shop', '{"label_threshold": 3}', label => 'age_band', features => '{user_id,item_id,category,price}');
SELECT trained(format('%s by order, weighted, in files', a), 'mall', jsonb_build_object('architecture', a, 'epochs', 1), 3, '1MB', split => 'sequence', weight => 'weight',
  features => '{domain,user_id,item_id,price,cost,city,tags,words,code}') FROM unnest('{wide,aread}'::text[]) WITH ORDINALITY u (a, n) ORDER BY n;
CREATE TABLE bought AS SELECT * FROM mall WHERE label = 1;
ALTER TABLE bought DROP label;
-- popularity is not put back, where there is such an option, and negatives are drawn as before it
SELECT trained(format('%s %s, %s', a, o, memory), 'bought', jsonb_build_object('architecture', a, 'epochs', 2) || o
    || (SELECT coalesce(jsonb_object_agg(option, false), '{}') FROM aread_options() WHERE option = 'popularity_offset'), 2, memory, label => '', features => '{user_id,item_id,age_band,category,price,tags,words,city,code}')
FROM unnest('{wide,aread}'::text[]) WITH ORDINALITY u (a, n), unnest(ARRAY['{"negatives": 3}', '{"negatives": 2, "negative_sampling": "uniform"}']::jsonb[]) WITH ORDINALITY v (o, k),
  unnest('{1GB,1MB}'::text[]) memory ORDER BY n, k, memory;

-- other ways to a score: unseen values and NULLs, a domain as argument, JSON, an import, shared memory, explanations
SELECT format('%s, strange rows: %s', m, scored(m, 'strange')) FROM (SELECT a || ', 1 threads' AS m, n FROM architecture UNION ALL SELECT 'weighted', 1000) m ORDER BY n;
SELECT 'all columns, strange rows: ' || scored('aread, all columns, 1MB', 'strange');
SELECT format('%s, domain as argument: %s', m, digest(format('SELECT aread_predict(%L, t, %L) FROM shop t ORDER BY sequence', 'aread, 1 threads', m))) FROM unnest('{domain_01,domain_06,nowhere}'::text[]) WITH ORDINALITY u (m, n) ORDER BY n;
SELECT 'JSON: ' || digest('SELECT aread_predict(''aread, all columns, 1MB'', to_jsonb(t)), aread_predict(''aread, all columns, 1MB'', to_json(t)::text) FROM (SELECT * FROM mall WHERE sequence <= 2000) t ORDER BY sequence');
SELECT 'imported: ' || aread_import(aread_export('aread, all columns, 1MB'), 'imported') || ' ' || scored('imported', 'mall');
SELECT 'explained: ' || digest('SELECT e.part, e.feature, e.value, e.layer, e.expert, e.lower_expert, round(e.logit::numeric, 4), round(e.probability::numeric, 5), round(e.share::numeric, 5), round(e.gate::numeric, 5), round(e.effect::numeric, 4) FROM (SELECT * FROM shop WHERE sequence <= 40) t, LATERAL (SELECT * FROM aread_explain(''aread, 1 threads'', t) WITH ORDINALITY) e ORDER BY t.sequence, e.ordinality');
SELECT 'measured: ' || digest('SELECT rows, auc, domain_auc, major5_auc, minor10_auc FROM aread_evaluate(''aread, 1 threads'', ''shop'')')
  || ' ' || digest('SELECT domain, rows, positives, auc FROM aread_evaluate_domains(''aread, all columns, 1GB'', ''mall'') ORDER BY domain');
SELECT 'augmented: ' || digest('SELECT label, domain, user_id, item_id, price FROM aread_augment(NULL::shop, features => ''{user_id,item_id,price}'', options => ''{"minor_share": 0.1, "major_share": 0.15}'')')
  || ' ' || digest('SELECT * FROM aread_popularity(''shop'', features => ''{user_id,item_id,price}'') ORDER BY item');
SELECT 'history: ' || digest('SELECT * FROM aread.mask_history WHERE model = ''aread, 1 threads'' ORDER BY number, domain, layer, lower_expert, upper_expert')
  || ' ' || digest('SELECT * FROM aread.expert_usage WHERE model = ''aread, 1 threads'' ORDER BY domain, layer, expert');
SELECT 'tensors: ' || digest('SELECT t.name, aread_tensor(''aread, 1 threads'', t.name) FROM aread_tensors(''aread, 1 threads'') t ORDER BY t.name');

-- in the background, with a checkpoint after each batch
SET aread.checkpoint_interval = 0;
SELECT aread_train_start('shop', 'background', features => '{user_id,item_id,age_band,category,price}', options =>
  '{"architecture": "aread", "embed_dim": 6, "mmoe_dims": [20, 11], "batch_size": 256, "epochs": 4, "learning_rate": 0.01, "l2_embedding": 30, "warmup_batches": 8, "mask_interval": 12, "candidates": 2, "minor_share": 0.1, "major_share": 0.15}') AS run \gset
SELECT aread_wait(:run) \g /dev/null
SELECT told('background') || ' ' || scored('background', 'shop');

-- dense features: of revisions that have them
SELECT EXISTS (SELECT FROM pg_proc WHERE proname = 'aread_split') AS dense \gset
\if :dense
CREATE TABLE vectors AS SELECT *, CASE WHEN hashed(sequence, 30, 30) > 0 THEN ARRAY(SELECT (hashed(user_id, 40 + i, 1000) / 500.0 - 1)::real FROM generate_series(1, 7) i) END AS vector FROM shop;
SELECT trained(format('dense %s', a), 'vectors', jsonb_build_object('architecture', a), features => '{user_id,category,vector}') FROM architecture ORDER BY n;
SELECT trained('dense, full search', 'vectors', '{"mask_search": "full"}', 3, features => '{user_id,category,vector}');
\endif
