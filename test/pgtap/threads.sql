-- The same model for any number of threads, and for rows in any order.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

CREATE TYPE mood AS ENUM ('calm', 'busy', 'wild');
-- keys as words and as bytes, long ones and lists, columns that share a vocabulary or hash their values, NULLs
CREATE TABLE visits AS
SELECT label, domain, user_id, item_id, CASE WHEN sequence % 7 > 0 THEN md5((user_id % 500)::text) END AS agent,
  repeat('x', (item_id % 30)::int * 50) AS page, (ARRAY['calm', 'busy', 'wild'])[1 + item_id % 3]::mood AS mood,
  date '2026-01-01' + (user_id % 90)::int AS since, (item_id % 11)::float8 / 3 AS size, (user_id % 70)::numeric / 4 AS share, price,
  CASE WHEN sequence % 10 = 0 THEN NULL ELSE ARRAY(SELECT 1 + (user_id * 7 + i * i) % 2000 FROM generate_series(1, sequence % 5 + 300 * (sequence % 997 / 996)) i) END AS seen,
  CASE WHEN sequence % 3 = 0 THEN ARRAY[md5((item_id % 40)::text), NULL, ''] END AS words, sequence
FROM aread_simulate(12000, domains => 6, groups => 2, users => 6000, items => 2000, strength => 3);
CREATE VIEW visits_backwards AS SELECT * FROM visits ORDER BY sequence DESC;
CREATE FUNCTION pg_temp.train(source regclass, threads int) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('aread.threads', threads::text, true);
  PERFORM aread_train(source, 'm', features => ARRAY['agent', 'page', 'mood', 'since', 'size', 'share', 'price', 'seen', 'words'],
    options => '{"architecture": "wide", "l2_wide": 10, "features": {"agent": {"buckets": 64}, "seen": {"vocabulary": "item_id"}}}');
  RETURN (SELECT crc FROM aread.model WHERE model = 'm' AND deployed);
END $$;
SELECT set_config('test.crc', pg_temp.train('visits', 1)::text, true) \g /dev/null
SELECT is(pg_temp.train('visits', n)::text, current_setting('test.crc'), n || ' threads') FROM unnest(ARRAY[2, 3, 5]) n;
SELECT is(pg_temp.train('visits_backwards', n)::text, current_setting('test.crc'), n || ' threads, rows backwards') FROM unnest(ARRAY[1, 2]) n;

-- an error while threads are at work
CREATE VIEW visits_bad AS SELECT CASE WHEN sequence = 9000 + n THEN 7 ELSE label END AS label, domain, user_id, item_id, words, agent
FROM visits, (SELECT current_setting('test.row')::int AS n) setting;
CREATE FUNCTION pg_temp.fail(at int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('aread.threads', '3', true), set_config('test.row', at::text, true);
  PERFORM aread_train('visits_bad', 'bad');
EXCEPTION WHEN OTHERS THEN RETURN SQLERRM;
END $$;
SELECT is(pg_temp.fail(n), 'label 7 in column "label" is neither 0 nor 1', 'a bad label, ' || n || ' rows on') FROM generate_series(0, 900, 60) n;

SELECT * FROM finish();
ROLLBACK;
