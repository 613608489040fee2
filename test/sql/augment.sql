-- What augmentation says of rows and columns; nothing is left of its files.
CREATE TABLE clicks AS SELECT label, domain, user_id, item_id, sequence AS at, i.* FROM aread_simulate(6000, domains => 12, users => 50, items => 60),
  LATERAL (SELECT point(sequence, 0) AS place, NULLIF(sequence % 100, 0) AS hundred) i;
UPDATE clicks SET label = NULL WHERE at % 50 = 1;
UPDATE clicks SET label = 7 WHERE at % 50 = 2;
UPDATE clicks SET domain = NULL WHERE at % 50 = 3;
\set shares '{"minor_share": 0.05, "major_share": 0.08, "on_bad_label": "skip"}'
SELECT sum(rows) FROM aread_augment_plan('clicks', split => 'hundred', options => :'shares');
SELECT sum(rows) FROM aread_popularity('clicks', split => 'hundred', features => '{user_id}', options => :'shares');
SELECT count(*) > 0 AS some FROM aread_augment(NULL::clicks, split => 'hundred', options => :'shares');

-- errors with what to do
SELECT aread_augment(NULL::clicks);
SELECT aread_augment(1);
CREATE TYPE pair AS (label int, domain text);
SELECT aread_augment(NULL::pair);
SELECT aread_augment(NULL::clicks, item_id => 'itemid');
SELECT aread_augment_plan('clicks', options => '{"minor_shares": 0.1}');
CREATE TABLE labelless AS SELECT domain, item_id FROM clicks WHERE label = 1;
SELECT aread_popularity('labelless');
SELECT rows, positives, popularity FROM aread_popularity('labelless', options => '{"negatives": 1, "test_share": 0, "valid_share": 0}') ORDER BY rows DESC LIMIT 1;
ALTER TABLE labelless ADD label int, DROP item_id;
SELECT aread_popularity('labelless');

-- temporary files
SET client_min_messages = warning;
SET work_mem = '64kB';
SELECT count(*) FROM aread_augment_plan('clicks', split => 'at', options => :'shares');
SELECT count(*) > 0 AS some FROM aread_popularity('clicks', split => 'at', options => :'shares');
SELECT count(*) > 0 AS some FROM aread_augment(NULL::clicks, split => 'at', options => :'shares');
DROP TABLE clicks, labelless;
DROP TYPE pair;
