-- Trees beside the network: trained, scored in every way, stored, explained, refused where damaged.
BEGIN;
SELECT no_plan();
SET client_min_messages = warning;

-- How often a user took an article of a shelf says how much he likes it; ids alone do not.
CREATE TABLE shelves AS
SELECT i AS number, 'd' || i % 3 AS domain, user_id, item_id, item_id % 40 AS shelf,
  ((hashint8extended(i, 3) & 1023) / 1023.0 < CASE WHEN (hashint8(user_id * 1000 + item_id % 40) & 1) = 1 THEN 0.75 ELSE 0.2 END)::int AS label,
  CASE WHEN i % 10 < 6 THEN 'train' WHEN i % 10 < 8 THEN 'valid' ELSE 'test' END AS split
FROM generate_series(1::bigint, 24000) i,
  LATERAL (VALUES ((hashint8extended(i, 1) & 1048575) % 300, (hashint8extended(i, 2) & 1048575) % 211)) v(user_id, item_id);
CREATE TABLE trained AS
SELECT * FROM aread_train('shelves', 'with', options => '{"architecture": "trees", "trees": 80}', features => '{user_id,item_id,shelf}', split => 'split');
INSERT INTO trained
SELECT * FROM aread_train('shelves', 'without', options => '{"architecture": "trees", "trees": 0}', features => '{user_id,item_id,shelf}', split => 'split');
SELECT cmp_ok(a.auc, '>', b.auc + 0.05, 'trees see what ids do not') FROM trained a, trained b
WHERE a.trained_model = 'with' AND b.trained_model = 'without';
SELECT cmp_ok(a.log_loss, '<', b.log_loss, 'and expect it') FROM trained a, trained b
WHERE a.trained_model = 'with' AND b.trained_model = 'without';
SELECT ok(trees_weight > 0, 'what they count') FROM aread.model WHERE model = 'with';
SELECT is(trees_weight, NULL, 'no trees, no weight') FROM aread.model WHERE model = 'without';

-- What they see.
SELECT ok(EXISTS (SELECT FROM aread_encodings('with') WHERE '{user_id,shelf}' @> ARRAY[feature, other_feature] AND splits_by_rate > 0),
  'the pair that tells is one that they ask for');
SELECT is_empty($$SELECT * FROM aread_encodings('with') WHERE cells <= 0 OR splits_by_rate < 0 OR splits_by_rows < 0$$, 'cells and splits are counts');
SELECT is_empty($$SELECT * FROM aread_encodings('without')$$, 'without trees nothing is seen');
SELECT is((SELECT cells FROM aread_encodings('with') WHERE feature = 'user_id' AND other_feature IS NULL), 303::bigint, 'the ids of a feature, those that stand for none with them');

-- A row by itself and in a batch, from a record and from JSON.
CREATE TABLE score AS
SELECT number, aread_predict('with', s, domain) AS p FROM shelves s WHERE split = 'test';
SELECT is_empty($$SELECT s.number FROM shelves s JOIN score USING (number)
  WHERE abs(p - aread_predict('with', jsonb_build_object('user_id', user_id, 'item_id', item_id, 'shelf', shelf), domain)) > 1e-6$$, 'as JSON');
SELECT is(round(aread_auc(p, label)::numeric, 6), (SELECT round(auc::numeric, 6) FROM trained WHERE trained_model = 'with'), 'scores are those that were measured')
FROM score JOIN shelves USING (number);
DO $$
DECLARE
  r record;
BEGIN
  CREATE TEMP TABLE single (number bigint, p float8);
  FOR r IN SELECT s.*, score.p FROM shelves s JOIN score USING (number) ORDER BY number LIMIT 200 LOOP
    INSERT INTO single SELECT r.number, aread_predict('with', jsonb_build_object('user_id', r.user_id, 'item_id', r.item_id, 'shelf', r.shelf), r.domain);
  END LOOP;
END $$;
SELECT is_empty($$SELECT * FROM single JOIN score USING (number) WHERE abs(single.p - score.p) > 1e-6$$, 'row by row');
SELECT ok(aread_predict('with', '{"user_id": 123456, "item_id": 98765}', 'nowhere') BETWEEN 0 AND 1, 'values never seen');
SELECT ok(aread_predict('with', '{}', NULL) BETWEEN 0 AND 1, 'NULL');

-- How a score comes about.
SELECT is_empty($$
  WITH part AS (SELECT number, e.* FROM (SELECT * FROM shelves ORDER BY number LIMIT 50) s, aread_explain('with', s, domain) e)
  SELECT s.number FROM part s JOIN part h USING (number) JOIN part t USING (number), aread.model m
  WHERE m.model = 'with' AND s.part = 'score' AND h.part = 'mean of heads' AND t.part = 'trees'
    AND abs(s.logit - (m.calibration_factor * h.logit + m.trees_weight * t.logit + m.calibration_shift)) > 1e-5$$, 'the score is the sum of its parts');
SELECT is_empty($$SELECT * FROM aread_explain('without', '{}', 'd1') WHERE part = 'trees'$$, 'no trees, no part');

-- There and back.
SELECT aread_import(aread_export('with'), 'back');
SELECT is_empty($$SELECT s.number FROM shelves s JOIN score USING (number) WHERE p <> aread_predict('back', s, domain)$$, 'exported and imported');
SELECT results_eq($$SELECT * FROM aread_encodings('back')$$, $$SELECT * FROM aread_encodings('with')$$, 'with what they see');

-- The same again.
SELECT aread_train('shelves', 'again', options => '{"architecture": "trees", "trees": 80}', features => '{user_id,item_id,shelf}', split => 'split');
SELECT is(a.crc, b.crc, 'the same rows, options and seed make the same model') FROM aread.model a, aread.model b WHERE a.model = 'with' AND b.model = 'again';

-- Damage.
CREATE FUNCTION damage(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  state text := 'no error';
BEGIN
  BEGIN
    EXECUTE statement;
    PERFORM aread_cache_clear();
    PERFORM aread_predict('back', '{"user_id": 1, "item_id": 2, "shelf": 3}', 'd1');
    RAISE EXCEPTION USING ERRCODE = 'XXUNH';
  EXCEPTION WHEN OTHERS THEN
    state := SQLSTATE;
  END;
  RETURN state;
END $$;
CREATE TEMP TABLE victim AS SELECT version_id FROM aread.stored_version v JOIN aread.stored_model m USING (model_id) WHERE m.name = 'back';
SELECT is(damage(format(statement, version_id)), 'XX001', statement) FROM victim, (VALUES
  ($$DELETE FROM aread.stored_chunk WHERE version_id = %s AND kind = 'trees'$$),
  ($$UPDATE aread.stored_chunk SET data = substr(data, 1, length(data) - 8) WHERE version_id = %s AND kind = 'trees'$$),
  ($$UPDATE aread.stored_chunk SET data = overlay(data PLACING '\x7f' FROM 40) WHERE version_id = %s AND kind = 'trees'$$),
  ($$UPDATE aread.stored_chunk SET data = data || '\x00'::bytea WHERE version_id = %s AND kind = 'trees'$$),
  ($$UPDATE aread.stored_chunk SET name = 'forest' WHERE version_id = %s AND kind = 'trees'$$)) s(statement);
SELECT is(damage('SELECT 1'), 'XXUNH', 'undamaged it scores');

-- Without what trees need there are none, which is told.
SELECT lives_ok($$SELECT aread_train('shelves', 'raw', options => '{"architecture": "trees", "calibration": false}', features => '{user_id,item_id,shelf}', split => 'split')$$);
SELECT is(trees_weight, NULL, 'not calibrated, no trees') FROM aread.model WHERE model = 'raw';

-- Options.
SELECT throws_ok($$SELECT aread_train('shelves', options => '{"trees": -1}')$$, '22023');
SELECT throws_ok($$SELECT aread_train('shelves', options => '{"trees": 10001}')$$, '22023');
SELECT throws_ok($$SELECT aread_train('shelves', options => '{"tree_pairs": 65}')$$, '22023');

SELECT * FROM finish();
ROLLBACK;
