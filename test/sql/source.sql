-- Sources of every kind, good and bad.
SET client_min_messages = warning;
\set quick '{"epochs": 1, "embed_dim": 4, "mmoe_experts": 2, "mmoe_dims": [8], "hei_experts": [2, 3], "hei_hidden": [8, 4], "hei_output": [4, 4], "batch_size": 128, "candidates": 2}'
\set wide '{"architecture": "wide"}'
CREATE TABLE clicks AS
  SELECT label, domain, user_id, item_id, age_band, category, price, sequence
  FROM aread_simulate(2000, domains => 5, users => 50, items => 30);

-- tables, views, materialized views, partitions
CREATE VIEW clicks_view AS SELECT * FROM clicks WHERE price > 0;
CREATE MATERIALIZED VIEW clicks_materialized AS SELECT * FROM clicks;
CREATE TABLE clicks_parted (LIKE clicks) PARTITION BY LIST (domain);
CREATE TABLE clicks_one PARTITION OF clicks_parted FOR VALUES IN ('domain_01');
CREATE TABLE clicks_rest PARTITION OF clicks_parted DEFAULT;
INSERT INTO clicks_parted SELECT * FROM clicks;
SELECT trained_model, version, train_rows + valid_rows + test_rows AS rows, skipped_rows,
       auc BETWEEN 0 AND 1 AS has_auc, log_loss BETWEEN 0 AND 2 AS has_loss,
       epochs, seconds > 0 AS took_time
FROM aread_train('clicks', options => :'quick');
SELECT trained_model, train_rows + valid_rows + test_rows AS rows FROM aread_train('clicks_view', options => :'wide');
SELECT trained_model, train_rows + valid_rows + test_rows AS rows FROM aread_train('clicks_materialized', options => :'wide');
SELECT trained_model, train_rows + valid_rows + test_rows AS rows FROM aread_train('clicks_parted', options => :'wide');
SELECT m.model = 'clicks' AS is_table, count(DISTINCT crc) FROM aread.model m WHERE architecture = 'wide' GROUP BY 1;
CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE clicks_foreign (label int, domain text, user_id int, item_id int)
  SERVER files OPTIONS (program $$bash -c 'for i in $(seq 400); do echo $((i % 3 == 0)),d$((i % 4)),$((i % 17)),$((i % 23)); done'$$, format 'csv');
SELECT trained_model, train_rows + valid_rows + test_rows AS rows FROM aread_train('clicks_foreign', options => :'wide');
DROP EXTENSION file_fdw CASCADE;

-- not sources
CREATE SEQUENCE numbers;
CREATE INDEX clicks_index ON clicks (domain);
SELECT aread_train('numbers');
SELECT aread_train('clicks_index');
SELECT aread_train(NULL);
SELECT aread_train(0);
SELECT aread_train('no_such_table');

-- columns: missing, misspelt, in two roles, of types that cannot be
SELECT aread_train('clicks', label => 'labell');
SELECT aread_train('clicks', domain => 'nothing_like_it');
SELECT aread_train('clicks', label => 'domain', domain => 'domain');
SELECT aread_train('clicks', features => '{user_id,itemid}');
SELECT aread_train('clicks', features => '{user_id,user_id}');
SELECT aread_train('clicks', features => '{user_id,label}');
SELECT aread_train('clicks', features => '{}');
SELECT aread_train('clicks', features => '{user_id,NULL}');
SELECT aread_train('clicks', split => 'no_split');
SELECT aread_train('clicks', label => 'tableoid');
CREATE TABLE odd (label int, domain text, place point, document json, item_id int, at interval, domain_number float8);
INSERT INTO odd SELECT i % 2, 'd' || i % 3, point(i, i), '{}', i % 7, '1 day', i % 3 FROM generate_series(1, 200) i;
SELECT aread_train('odd', features => '{place}', options => :'wide');
SELECT aread_train('odd', features => '{at}', options => :'wide');
SELECT aread_train('odd', domain => 'document', options => :'wide');
SELECT aread_train('odd', domain => 'domain_number', options => :'wide');
SELECT aread_train('odd', label => 'place', options => :'wide');
SELECT trained_model, train_rows + valid_rows + test_rows AS rows FROM aread_train('odd', options => :'wide');
SELECT position, name, kind, type, role FROM aread.feature WHERE model = 'odd' ORDER BY 1;

-- generated and dropped columns, quoted and upper-case names
CREATE TABLE "My Clicks" ("Label" bool, gone int, "The Domain" varchar(20), "Item""s" bigint,
  doubled bigint GENERATED ALWAYS AS ("Item""s" * 2) STORED);
ALTER TABLE "My Clicks" DROP COLUMN gone;
INSERT INTO "My Clicks" SELECT i % 3 = 0, 'd ' || i % 4, i % 11 FROM generate_series(1, 400) i;
SELECT trained_model, train_rows + valid_rows + test_rows AS rows
FROM aread_train('"My Clicks"', label => 'Label', domain => 'The Domain', item_id => 'Item"s', options => :'wide');
SELECT position, name, kind, type, role, "values" FROM aread.feature WHERE model = 'My Clicks' ORDER BY 1;
SELECT aread_train('"My Clicks"', label => 'gone', domain => 'The Domain');

-- too little to learn from
CREATE TABLE little (label int, domain text, item_id int);
SELECT aread_train('little');
INSERT INTO little VALUES (1, 'a', 1);
SELECT aread_train('little');
INSERT INTO little SELECT 1, 'a', i FROM generate_series(1, 100) i;
SELECT aread_train('little');
TRUNCATE little;
INSERT INTO little SELECT i * 7 % 5 % 2, 'a', i % 103 FROM generate_series(1, 300) i;
SELECT trained_model, version, domain_auc IS NOT NULL AS has_auc FROM aread_train('little', options => :'quick');
INSERT INTO little VALUES (1, 'b', 1), (0, 'c', 2);
SELECT trained_model, version, train_rows + valid_rows + test_rows AS rows FROM aread_train('little', options => :'quick');
SELECT domain, rows > 200 AS large FROM aread.domain WHERE model = 'little' AND deployed AND rows > 1;

-- NULLs are skipped and counted, or values of their own
TRUNCATE little;
INSERT INTO little SELECT i * 7 % 5 % 2, 'd' || i % 3, nullif(i % 13, 0) FROM generate_series(1, 300) i;
INSERT INTO little VALUES (NULL, 'd1', 1), (NULL, 'd1', 1), (1, NULL, 1), (NULL, NULL, 1);
SET client_min_messages = notice;
SELECT skipped_rows, train_rows + valid_rows + test_rows AS rows
FROM aread_train('little', features => '{domain,item_id}', options => :'wide');
SET client_min_messages = warning;
SELECT skipped_rows FROM aread.model WHERE model = 'little' AND deployed;
SELECT aread_predict('little', '{"item_id": null}', 'd1') BETWEEN 0 AND 1 AS scores_null;

-- labels that are none
INSERT INTO little VALUES (2, 'd1', 1), (2, 'd1', 2);
SELECT aread_train('little', options => :'wide');
SET client_min_messages = notice;
SELECT skipped_rows FROM aread_train('little', features => '{domain,item_id}', options => :'wide'::jsonb || '{"on_bad_label": "skip"}');
SET client_min_messages = warning;
ALTER TABLE little ALTER label TYPE text USING CASE label WHEN 1 THEN 'yes' ELSE 'no' END;
SELECT aread_train('little', options => :'wide');
CREATE TABLE ratings AS SELECT (i % 10) / 2.0 AS rating, 'd' || i % 3 AS domain, i % 7 AS item_id FROM generate_series(1, 500) i;
SELECT aread_train('ratings', label => 'rating', options => :'wide');
SELECT trained_model FROM aread_train('ratings', label => 'rating', options => :'wide'::jsonb || '{"label_threshold": 4}');
SELECT sum(positives)::float8 / sum(rows) BETWEEN 0.15 AND 0.25 AS one_in_five FROM aread.domain WHERE model = 'ratings';
SELECT rows, auc IS NOT NULL AS has_auc FROM aread_evaluate('ratings', 'ratings');

-- lists, with NULLs in them and of them, sharing a vocabulary
CREATE TABLE lists (label bool, domain int, item_id int, liked int[], tags text[]);
INSERT INTO lists SELECT i % 2 = 0, i % 3, i % 9,
  CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN '{}' ELSE ARRAY[i % 9, NULL, (i + 4) % 9] END,
  ARRAY['tag' || i % 4] FROM generate_series(1, 600) i;
SELECT train_rows + valid_rows + test_rows AS rows FROM aread_train('lists',
  options => :'quick'::jsonb || '{"features": {"liked": {"vocabulary": "item_id"}}}');
SELECT name, kind, type, role, shares_with, "values" FROM aread.feature WHERE model = 'lists' ORDER BY position;
SELECT aread_predict('lists', l) = aread_predict('lists', to_jsonb(l)) AS same FROM lists l LIMIT 3;

-- splits: by names, numbers, order, hash
CREATE TABLE splits AS SELECT i % 2 AS label, 'd' || i % 3 AS domain, i % 9 AS item_id,
  (ARRAY['train', 'train', 'train', 'valid', 'test'])[i % 5 + 1] AS split, i % 5 / 2 AS code,
  timestamptz '2024-01-01' + i * interval '1 hour' AS at FROM generate_series(1, 500) i;
SELECT train_rows, valid_rows, test_rows FROM aread_train('splits', options => :'wide');
SELECT train_rows, valid_rows, test_rows FROM aread_train('splits', split => 'code', options => :'wide');
SELECT train_rows, valid_rows, test_rows FROM aread_train('splits', split => 'at', options => :'wide'::jsonb || '{"test_share": 0.2}');
SELECT train_rows BETWEEN 370 AND 430 AS train, valid_rows BETWEEN 30 AND 70 AS valid, test_rows BETWEEN 30 AND 70 AS test
FROM aread_train('splits', options => :'wide'::jsonb || '{"split_method": "hash", "features": {"at": {"min_count": 2}}}');
UPDATE splits SET split = 'validate' WHERE split = 'valid';
SELECT aread_train('splits', options => :'wide');
UPDATE splits SET split = NULL WHERE split = 'validate';
SELECT train_rows, valid_rows, test_rows, skipped_rows FROM aread_train('splits', options => :'wide');

-- a column that tells the label is pointed out
CREATE TABLE leaky AS SELECT i % 2 AS label, 'd' || i % 3 AS domain, i % 9 AS item_id, i % 2 AS clicked FROM generate_series(1, 500) i;
SELECT train_rows > 0 AS trained FROM aread_train('leaky', options => :'wide');

-- registered sources
SELECT aread_register('ratings', label => 'nothing');
SELECT aread_register('ratings', label => 'rating', features => '{domain,item_id}');
SELECT relation, label, domain, user_id, item_id, split, features, registered_by = current_user AS by_me FROM aread.source;
SELECT trained_model, version FROM aread_train('ratings', options => :'wide'::jsonb || '{"label_threshold": 4}');
SELECT aread_register('ratings', label => 'item_id', domain => 'rating', features => NULL);
SELECT relation, label, domain, item_id, features FROM aread.source;
SELECT aread_unregister('ratings'), aread_unregister('ratings');
SELECT count(*) FROM aread.source;
SELECT aread_register(NULL);

-- row weights: numbers, 0 or more
CREATE TABLE weights AS SELECT c.*, 1 AS w, 'heavy' AS named FROM clicks c;
SELECT aread_train('weights', options => :'wide', weight => 'nothing');
SELECT aread_train('weights', options => :'wide', weight => 'named');
UPDATE weights SET w = NULL WHERE ctid = (SELECT max(ctid) FROM weights);
SELECT aread_train('weights', options => :'wide', weight => 'w');
UPDATE weights SET w = -1 WHERE w IS NULL;
SELECT aread_train('weights', options => :'wide', weight => 'w');
UPDATE weights SET w = 0;
SELECT aread_train('weights', options => :'wide', weight => 'w');

-- a source that changes, and disappears: the model stays
CREATE TABLE fleeting AS SELECT * FROM clicks;
SELECT trained_model FROM aread_train('fleeting', options => :'quick');
ALTER TABLE fleeting DROP COLUMN age_band, ALTER user_id TYPE bigint, ADD COLUMN extra text;
SELECT rows, auc IS NOT NULL AS has_auc FROM aread_evaluate('fleeting', 'fleeting');
SELECT count(aread_predict('fleeting', f)) FROM fleeting f;
ALTER TABLE fleeting DROP COLUMN domain;
SELECT aread_evaluate('fleeting', 'fleeting');
DROP TABLE fleeting;
SELECT source FROM aread.model WHERE model = 'fleeting';
SELECT aread_predict('fleeting', c) BETWEEN 0 AND 1 AS scores FROM clicks c LIMIT 1;

SELECT aread_drop(model) FROM (SELECT DISTINCT model FROM aread.model) m;
DROP TABLE clicks, weights, clicks_parted, odd, "My Clicks", little, ratings, lists, splits, leaky CASCADE;
DROP SEQUENCE numbers;
