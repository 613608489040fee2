-- How many training rows a user or an item has, as features.
SET client_min_messages = warning;

-- items of 16 rows are mostly taken, items of one row are not
CREATE TABLE counted AS
  SELECT 'd' || i % 3 AS domain, i AS item_id, i * 31 % 97 AS user_id,
         CASE WHEN CASE WHEN i <= 100 THEN k ELSE i END % 10 = 0 THEN 'valid' ELSE 'train' END AS split,
         CASE WHEN i <= 100 THEN k % 8 > 0 ELSE i % 8 = 0 END AS label
  FROM generate_series(1, 1700) i, generate_series(1, 16) k WHERE i <= 100 OR k = 1;
CREATE FUNCTION train(model text, options text) RETURNS bigint LANGUAGE sql AS $$
  SELECT aread_train('counted', model, user_id => NULL, features => '{item_id}',
                     options => '{"architecture": "wide", "domain_weights": false}'::jsonb || options::jsonb);
  SELECT crc FROM aread.model m WHERE m.model = $1 AND deployed $$;
SELECT train('with', '{}') <> train('without', '{"row_counts": false}') AS differ;
SELECT position, name, kind, role, "values", edges FROM aread.feature WHERE model = 'with' ORDER BY position;
SELECT position, name, kind, role FROM aread.feature WHERE model = 'without' ORDER BY position;

-- nothing is known of an item but that it is new, and that one of eight such items was taken
SELECT m AS model, round(aread_predict(m, '{"item_id": 100000}', 'd1')::numeric, 1) AS score FROM unnest('{with,without}'::text[]) m;
-- a count is no input: columns of that name are not read
SELECT aread_predict('with', '{"item_id": 100000, "item_id (rows)": 16}', 'd1') = aread_predict('with', '{"item_id": 100000}', 'd1') AS same;
SELECT aread_predict('with', '{"item_id (rows)": 16}', 'd1');
SELECT aread_predict('with', x) FROM (SELECT 16 AS "item_id (rows)") x;
-- a row, JSON and a whole table have the same counts
SELECT bool_and(aread_predict('with', c) = aread_predict('with', to_jsonb(c))) AS same FROM counted c;
SELECT abs(e.log_loss - s.log_loss) < 1e-9 AS same
FROM aread_evaluate('with', 'counted') e,
     (SELECT -avg(ln(CASE WHEN label THEN p ELSE 1 - p END)) AS log_loss
      FROM (SELECT label, aread_predict('with', c) AS p FROM counted c) x) s;

-- bins begin at 1, 2, 3, 4, 6, 8, ... rows, where there are such values
CREATE TABLE binned AS
  SELECT 'd' || k % 2 AS domain, i AS item_id, 'train' AS split, (i + k) % 2 AS label
  FROM generate_series(1, 8) i, generate_series(1, 8) k WHERE k <= i;
SELECT (aread_train('binned', 'binned', options => '{"architecture": "wide"}')).version;
-- none; 1; 2; 3; 4, 5; from 6: a bin from 8 would have no training row, which does not count itself
SELECT name, "values" FROM aread.feature WHERE model = 'binned' AND kind = 'rows';

-- counts with gaps: 1, 3, 4 and 9 rows
DELETE FROM binned WHERE item_id IN (2, 5, 6, 7);
INSERT INTO binned SELECT domain, item_id, split, 1 FROM binned WHERE item_id = 8 LIMIT 1;
SELECT (aread_train('binned', 'binned', options => '{"architecture": "wide"}')).version;
SELECT name, "values" FROM aread.feature WHERE model = 'binned' AND kind = 'rows' AND deployed;
SELECT count(aread_predict('binned', b)) FROM binned b;

-- hashed ids and ids shared with a list are not in the order of their rows: no counts
CREATE TABLE listed AS
  SELECT domain, item_id, user_id, ARRAY[item_id, item_id + 1] AS liked, label, split FROM counted;
SELECT (aread_train('listed', 'listed', options => '{"architecture": "wide", "features": {"liked": {"vocabulary": "item_id"}, "user_id": {"buckets": 50}}}')).version;
SELECT name FROM aread.feature WHERE model = 'listed' AND kind = 'rows';

-- values below the minimum count share one id, which is no count
SELECT train('frequent', '{"min_count": 5}') IS NOT NULL AS trained;
SELECT aread_predict('frequent', '{"item_id": 100000}', 'd1') = aread_predict('frequent', '{"item_id": 1699}', 'd1') AS same;

-- stored counts are checked
UPDATE aread.stored_feature SET counted = 7 WHERE kind = 'rows';
SELECT aread_cache_clear(shared => true) > 0 AS cleared;
\set VERBOSITY terse
SELECT aread_predict('with', '{"item_id": 1}', 'd1');

SELECT count(aread_drop(m)) FROM unnest('{with,without,binned,listed,frequent}'::text[]) m;
DROP FUNCTION train;
DROP TABLE counted, binned, listed;
