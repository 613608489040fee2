-- A model appears with its transaction's COMMIT, and goes with its ROLLBACK.
SET client_min_messages = warning;
CREATE TABLE clicks AS SELECT label, domain, user_id, item_id FROM aread_simulate(800, domains => 4, users => 30, items => 20);
\set wide '{"architecture": "wide"}'
CREATE FUNCTION stored() RETURNS TABLE (models bigint, versions bigint, features bigint, domains bigint, chunks bigint, evaluations bigint) LANGUAGE sql AS $$
  SELECT (SELECT count(*) FROM aread.stored_model), (SELECT count(*) FROM aread.stored_version), (SELECT count(*) FROM aread.stored_feature),
         (SELECT count(*) FROM aread.stored_domain), (SELECT count(*) FROM aread.stored_chunk), (SELECT count(*) FROM aread.stored_evaluation) $$;

BEGIN;
SELECT version FROM aread_train('clicks', 'm', options => :'wide');
SELECT aread_predict('m', '{"user_id": 1, "item_id": 1}', 'domain_01') > 0 AS scores_before_commit;
ROLLBACK;
SELECT * FROM stored();
SELECT aread_predict('m', '{"user_id": 1, "item_id": 1}', 'domain_01');

-- a training that fails leaves nothing
SELECT aread_train('clicks', 'm', options => :'wide'::jsonb || '{"test_share": 0.1, "valid_share": 0.89}'), 1 / (SELECT count(*) - count(*) FROM clicks);
SELECT * FROM stored();

-- which version scores follows savepoints, and other scores with it
SELECT version FROM aread_train('clicks', 'm', options => :'wide');
CREATE TABLE first AS SELECT aread_predict('m', c) AS p FROM clicks c LIMIT 1;
BEGIN;
SAVEPOINT a;
SELECT version FROM aread_train('clicks', 'm', options => :'wide'::jsonb || '{"l2_wide": 50}');
SELECT aread_predict('m', c) <> p AS of_the_second FROM clicks c, first LIMIT 1;
ROLLBACK TO a;
SELECT aread_predict('m', c) = p AS of_the_first_again FROM clicks c, first LIMIT 1;
SAVEPOINT b;
SELECT aread_drop('m');
SELECT count(*) FROM aread.model;
ROLLBACK TO b;
SELECT aread_predict('m', c) = p AS dropped_and_back FROM clicks c, first LIMIT 1;
COMMIT;
DO $$
DECLARE
  before float8 := (SELECT aread_predict('m', c) FROM clicks c LIMIT 1);
BEGIN
  BEGIN
    PERFORM aread_train('clicks', 'm', options => '{"architecture": "wide", "l2_wide": 50}');
    IF before = (SELECT aread_predict('m', c) FROM clicks c LIMIT 1) THEN RAISE 'the new version does not score'; END IF;
    RAISE division_by_zero;
  EXCEPTION WHEN division_by_zero THEN NULL;
  END;
  IF before <> (SELECT aread_predict('m', c) FROM clicks c LIMIT 1) THEN RAISE 'the old version does not score'; END IF;
END $$;
SELECT models, versions FROM stored();

-- a statement sees one version only, even if it trains another
SELECT count(DISTINCT p) AS versions_in_one_statement FROM (
  SELECT CASE WHEN i = 5 THEN (aread_train('clicks', 'm', options => '{"architecture": "wide", "l2_wide": 50}')).version END,
         aread_predict('m', '{"user_id": 1, "item_id": 1}', 'domain_01') AS p FROM generate_series(1, 10) i OFFSET 0) s;

-- read-only transactions train nothing
BEGIN READ ONLY;
SELECT aread_train('clicks', 'm');
ROLLBACK;
BEGIN READ ONLY;
SELECT aread_drop('m');
ROLLBACK;
BEGIN READ ONLY;
SELECT aread_predict('m', c) > 0 AS but_score FROM clicks c LIMIT 1;
COMMIT;

-- models larger than the cache are loaded, used and let go
SET aread.cache_size = 0;
SELECT version FROM aread_train('clicks', 'n', options => :'wide');
SELECT count(aread_predict(m, c)) FROM clicks c, unnest(ARRAY['m', 'n']) m;
RESET aread.cache_size;

-- the extension goes with everything, and comes back empty
SELECT aread_drop('m'), aread_drop('n');
SELECT * FROM stored();
DROP FUNCTION stored;
DROP EXTENSION aread;
CREATE EXTENSION aread;
SELECT count(*) FROM aread.model;
SELECT aread_predict('m', c) FROM clicks c;
DROP TABLE clicks, first;
