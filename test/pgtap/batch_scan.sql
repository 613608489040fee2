-- Calls of aread_predict in every shape of plan: the same scores with the batch scan as without.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT no_plan();

CREATE TABLE seen AS SELECT row_number() OVER ()::int AS id, label, user_id, item_id, right(domain, 1)::int AS domain, (ARRAY[item_id % 7, user_id % 5])[1:1 + user_id % 2] AS tags, nullif(price, 2)::float8 AS price
FROM aread_simulate(2000, domains => 4, groups => 2, users => 120, items => 60, strength => 3) s;
ALTER TABLE seen ADD PRIMARY KEY (id);
CREATE TABLE users AS SELECT DISTINCT user_id AS uid, user_id % 3 AS class FROM seen;
ANALYZE seen;
ANALYZE users;
SELECT aread_train('seen', model, label => 'label', features => '{domain,user_id,item_id,tags,price}', options => jsonb_build_object('architecture', 'hemp', 'features', '{"price": {"kind": "piecewise", "bins": 5}}'::jsonb, 'crosses', '[["user_id", "item_id"]]'::jsonb,
  'mmoe_dims', '[16]'::jsonb, 'epochs', 1, 'l2_wide', 10, 'warmup_batches', 5, 'mask_interval', 50, 'candidates', 1, 'seed', seed)) FROM (VALUES ('one', 1), ('two', 2)) v(model, seed) \g /dev/null

-- how many batch scans a query gets
CREATE FUNCTION pg_temp.scans(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE line text; n bigint := 0;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
    n := n + (line LIKE '%Custom Scan (aread_predict)%')::int;
  END LOOP;
  RETURN n;
END $$;
-- queries give a key and a score
CREATE FUNCTION pg_temp.differences(query text) RETURNS TABLE (k text, batched float8, plain float8) LANGUAGE plpgsql AS $$
BEGIN
  DROP TABLE IF EXISTS batched, plain;
  SET LOCAL aread.batch_scan = on;
  EXECUTE 'CREATE TEMP TABLE batched AS SELECT coalesce(x.k::text, ''-'') AS k, x.p::float8, row_number() OVER (PARTITION BY x.k::text) AS n FROM (' || query || ') x(k, p)';
  SET LOCAL aread.batch_scan = off;
  EXECUTE 'CREATE TEMP TABLE plain AS SELECT coalesce(x.k::text, ''-'') AS k, x.p::float8, row_number() OVER (PARTITION BY x.k::text) AS n FROM (' || query || ') x(k, p)';
  SET LOCAL aread.batch_scan = on;
  IF NOT EXISTS (SELECT FROM plain) THEN RAISE 'no rows to compare'; END IF;
  RETURN QUERY SELECT coalesce(b.k, p.k), b.p, p.p FROM batched b FULL JOIN plain p USING (k, n)
    WHERE b.n IS NULL OR p.n IS NULL OR (b.p IS NULL) <> (p.p IS NULL) OR abs(b.p - p.p) > 1e-5;
END $$;
CREATE FUNCTION pg_temp.agrees(query text, n bigint, name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN NEXT is(pg_temp.scans(query), n, name || ': ' || n || ' batch scans');
  RETURN NEXT is_empty(format('SELECT * FROM pg_temp.differences(%L)', query), name || ': the same scores');
END $$;

-- target lists
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s) FROM seen s', 1, 'a table');
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s, s.domain) FROM seen s', 1, 'domain as argument');
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', to_jsonb(s), 3) FROM seen s', 1, 'jsonb');
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', to_json(s)::text, s.domain::text) FROM seen s', 1, 'text');
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s) + aread_predict(''two'', s) FROM seen s', 1, 'two models');
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s) - aread_predict(''one'', s) / 2 FROM seen s', 1, 'one call twice');
SELECT pg_temp.agrees('SELECT id, aread_predict(CASE WHEN id % 3 = 0 THEN ''one'' WHEN id % 3 = 1 THEN ''two'' END, s) FROM seen s', 1, 'a model for each row, and none');
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', CASE WHEN id % 2 = 0 THEN s END) FROM seen s', 1, 'no features');
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s, CASE WHEN id % 2 = 0 THEN 1 ELSE 99 END) FROM seen s', 1, 'unseen domains');
SELECT pg_temp.agrees('SELECT 1, aread_predict(''one'', ''{"user_id": 1}'', 2) FROM seen s', 1, 'nothing of the row');
SELECT pg_temp.agrees('SELECT ctid, aread_predict(''one'', s) FROM seen s WHERE tableoid = ''seen''::regclass', 1, 'system columns');
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s) FROM seen s WHERE id BETWEEN 100 AND 900', 1, 'an index scan');
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', jsonb_build_object(''item_id'', id % 60), 2) FROM (SELECT id FROM seen WHERE id < 500) s', 1, 'columns of an index');
SELECT pg_temp.agrees('SELECT g, aread_predict(''one'', jsonb_build_object(''item_id'', g), 2) FROM generate_series(1, 60) g', 1, 'a function''s rows');
SELECT pg_temp.agrees('SELECT id, greatest(aread_predict(''one'', s), 0.3, NULL) FROM seen s', 1, 'greatest');
SELECT pg_temp.agrees('SELECT id, (SELECT aread_predict(''one'', s) + max(class) FROM users WHERE uid = s.user_id) FROM seen s', 0, 'inside a subquery of one row');
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s, (SELECT class FROM users WHERE uid = s.user_id)) FROM seen s', 1, 'a subquery as argument');
SELECT pg_temp.agrees('SELECT id, aread_predict((SELECT ''two''), s) * (SELECT max(uid) FROM users) FROM seen s', 1, 'subqueries computed once');

-- quals
SELECT pg_temp.agrees('SELECT id, 0 FROM seen s WHERE aread_predict(''one'', s) > 0.4', 1, 'WHERE');
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s) FROM seen s WHERE aread_predict(''one'', s) > 0.4', 1, 'the score that WHERE tested');
SELECT pg_temp.agrees('SELECT id, aread_predict(''two'', s) FROM seen s WHERE aread_predict(''one'', s) > 0.4', 2, 'another score than WHERE tested');
SELECT pg_temp.agrees('SELECT id, 0 FROM seen s WHERE aread_predict(''one'', s) > 0.4 AND aread_predict(''two'', s) < 0.6 AND domain <> 1', 2, 'two scores tested');
SELECT pg_temp.agrees('SELECT id, user_id FROM seen s WHERE aread_predict(''one'', s) BETWEEN 0.2 AND 0.6', 1, 'BETWEEN');
SELECT pg_temp.agrees('SELECT user_id, count(*) FROM seen s GROUP BY user_id, domain HAVING aread_predict(''one'', jsonb_build_object(''user_id'', user_id), domain) > 0.3', 1, 'HAVING');

-- what a row may not come to stays
SELECT pg_temp.agrees('SELECT id, CASE WHEN id > 3 THEN aread_predict(''one'', s) END FROM seen s', 0, 'CASE');
SELECT pg_temp.agrees('SELECT id, coalesce(s.id, aread_predict(''one'', s)) FROM seen s', 0, 'COALESCE');
SELECT pg_temp.agrees('SELECT id, 1 FROM seen s WHERE id < 30 OR aread_predict(''one'', s) > 0.5', 0, 'OR');
SELECT pg_temp.agrees('SELECT id, CASE WHEN id % 2 = 0 THEN aread_predict(''one'', s) ELSE 2 END + aread_predict(''one'', s) FROM seen s', 1, 'CASE beside a call that is always made');
SELECT lives_ok('SELECT CASE WHEN domain IS NOT NULL THEN 1 ELSE aread_predict(''none such'', s) END FROM seen s', 'a branch that nobody takes does not fail');
SELECT lives_ok('SELECT 1 FROM seen s WHERE id < 0 AND aread_predict(''none such'', s) > 0', 'nor does a qual that no row comes to');
SELECT throws_ok('SELECT aread_predict(''one'', s, 1) FROM (SELECT 1 AS nothing FROM seen) s', '42703', NULL, 'errors are raised');
SET LOCAL aread.unseen_domain = 'error';
SELECT throws_ok('SELECT aread_predict(''one'', s, 99) FROM seen s', '22023', NULL, 'settings are obeyed');
RESET aread.unseen_domain;

-- joins
SELECT pg_temp.agrees('SELECT s.id, aread_predict(''one'', s, u.class) FROM seen s JOIN users u ON uid = user_id', 1, 'a join');
SELECT pg_temp.agrees('SELECT s.id, aread_predict(''one'', s) + u.class FROM seen s LEFT JOIN users u ON uid = user_id AND class = 1', 1, 'an outer join');
SELECT pg_temp.agrees('SELECT uid, aread_predict(''one'', s) FROM users u LEFT JOIN (SELECT * FROM seen WHERE id % 50 = 0) s ON uid = user_id', 1, 'rows that are NULL');
SELECT pg_temp.agrees('SELECT a.id || '' '' || b.id, 0 FROM seen a, seen b WHERE a.id < 40 AND b.id < 30 AND aread_predict(''one'', a) < aread_predict(''two'', b)', 1, 'a join by scores');
SELECT pg_temp.agrees('SELECT s.id, x.p FROM users u, LATERAL (SELECT id, aread_predict(''one'', s, u.class) AS p FROM seen s WHERE user_id = uid OFFSET 0) x JOIN seen s USING (id)', 1, 'LATERAL');
SELECT pg_temp.agrees('SELECT s.id, aread_predict(''one'', s) FROM seen s WHERE EXISTS (SELECT FROM users WHERE uid = user_id AND class = 2)', 1, 'a semi-join');
SELECT pg_temp.agrees('SELECT s.id, 0 FROM seen s WHERE NOT EXISTS (SELECT FROM users u WHERE uid = user_id AND aread_predict(''one'', s, class) > 0.5)', 0, 'an anti-join by a score');
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_nestloop = off;
SELECT pg_temp.agrees('SELECT s.id, aread_predict(''one'', s, b.domain) FROM seen s JOIN (SELECT id, user_id, domain FROM seen WHERE id % 4 = 0) b USING (user_id)', 1, 'a merge join');
SELECT pg_temp.agrees('SELECT a.k, a.p + b.p FROM (SELECT id AS k, aread_predict(''one'', s) AS p FROM seen s ORDER BY id OFFSET 0) a JOIN (SELECT id AS k, aread_predict(''two'', s) AS p FROM seen s ORDER BY id OFFSET 0) b USING (k)', 2, 'a merge join that goes back');
SET LOCAL enable_hashjoin = on;
SET LOCAL enable_mergejoin = off;
SELECT pg_temp.agrees('SELECT s.id, aread_predict(''one'', s, u.class) FROM seen s JOIN users u ON uid = user_id', 1, 'a hash join');
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_nestloop = on;
SELECT pg_temp.agrees('SELECT s.id, aread_predict(''one'', s, u.class) FROM (SELECT * FROM seen WHERE id < 200) s JOIN users u ON uid = user_id', 1, 'a nested loop');
RESET enable_hashjoin;
RESET enable_mergejoin;

-- order, limits, duplicates
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s) FROM seen s ORDER BY 2 DESC, 1 LIMIT 20', 1, 'the best');
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s) FROM seen s ORDER BY aread_predict(''two'', s), id LIMIT 20', 2, 'the best of another model');
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s) FROM seen s ORDER BY item_id, id LIMIT 20', 1, 'above the LIMIT');
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s) FROM seen s ORDER BY id LIMIT 20 OFFSET 300', 1, 'OFFSET');
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s) FROM seen s ORDER BY item_id FETCH FIRST 60 ROWS WITH TIES', 1, 'WITH TIES');
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s) FROM seen s ORDER BY id LIMIT 1', 0, 'one row');
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s) FROM seen s WHERE aread_predict(''one'', s) > 0.3 ORDER BY id LIMIT 1', 1, 'the first row that is good enough');
SELECT pg_temp.agrees('SELECT DISTINCT user_id, aread_predict(''one'', s, user_id % 4) FROM (SELECT user_id FROM seen) s', 1, 'DISTINCT');
SELECT pg_temp.agrees('SELECT DISTINCT ON (user_id) user_id, max(aread_predict(''one'', s)) OVER (PARTITION BY user_id) FROM seen s ORDER BY user_id', 1, 'DISTINCT ON');

-- aggregates and windows
SELECT pg_temp.agrees('SELECT domain, avg(aread_predict(''one'', s)) FROM seen s GROUP BY domain', 1, 'a mean');
SELECT pg_temp.agrees('SELECT domain, aread_auc(aread_predict(''one'', s), label) FROM seen s GROUP BY domain', 1, 'AUC');
SELECT pg_temp.agrees('SELECT domain, aread_grouped_auc(aread_predict(''one'', s), label, user_id) + sum(aread_predict(''two'', s) + id) FROM seen s GROUP BY domain HAVING max(aread_predict(''one'', s)) > 0.1', 1, 'several');
SELECT pg_temp.agrees('SELECT 1, sum(aread_predict(''one'', s)) FILTER (WHERE id > 5) FROM seen s', 0, 'FILTER');
SELECT pg_temp.agrees('SELECT round(aread_predict(''one'', s)::numeric, 1), count(*) FROM seen s GROUP BY 1', 1, 'groups of scores');
SELECT pg_temp.agrees('SELECT domain, array_length(array_agg(id ORDER BY aread_predict(''one'', s)), 1) FROM seen s GROUP BY GROUPING SETS ((domain), ())', 1, 'ordered aggregates, grouping sets');
SELECT pg_temp.agrees('SELECT domain, aread_predict(''one'', jsonb_build_object(''user_id'', min(user_id)), domain) FROM seen s GROUP BY domain, item_id', 1, 'a score of groups');
SELECT pg_temp.agrees('SELECT id, rank() OVER (PARTITION BY user_id ORDER BY aread_predict(''one'', s) DESC) FROM seen s', 1, 'rank');
SELECT pg_temp.agrees('SELECT id, avg(aread_predict(''one'', s)) OVER w - aread_predict(''one'', s) FROM seen s WINDOW w AS (PARTITION BY domain ORDER BY id ROWS 5 PRECEDING)', 2, 'a moving mean');
SELECT pg_temp.agrees('SELECT id, p FROM (SELECT id, aread_predict(''one'', s) AS p, row_number() OVER (PARTITION BY user_id ORDER BY aread_predict(''one'', s) DESC, id) AS n FROM seen s) x WHERE n <= 3', 1, 'the best of each user');

-- sets, CTEs, partitions
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s) FROM seen s WHERE id < 500 UNION ALL SELECT -id, aread_predict(''two'', s) FROM seen s WHERE id > 1000', 2, 'UNION ALL');
SELECT pg_temp.agrees('WITH c AS MATERIALIZED (SELECT id, aread_predict(''one'', s) AS p FROM seen s) SELECT id, p - (SELECT avg(p) FROM c) FROM c', 1, 'a CTE');
SELECT pg_temp.agrees('WITH RECURSIVE r AS (SELECT 1 AS n, id, user_id, item_id FROM seen WHERE id < 60 UNION ALL SELECT n + 1, id, item_id, user_id FROM r WHERE n < 4 AND aread_predict(''one'', r, n) > 0.2) SELECT id, sum(aread_predict(''two'', r, 1)) FROM r GROUP BY id', 2, 'recursion');
CREATE TABLE parts (LIKE seen) PARTITION BY LIST (domain);
SELECT format('CREATE TABLE part_%s PARTITION OF parts FOR VALUES IN (%L)', domain, domain) FROM (SELECT DISTINCT domain FROM seen) d \gexec
INSERT INTO parts SELECT * FROM seen;
ANALYZE parts;
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', p) FROM parts p', 4, 'partitions');
SELECT pg_temp.agrees('SELECT domain, avg(aread_predict(''one'', p)) FROM parts p GROUP BY domain', 1, 'a mean over partitions');

-- writing
CREATE TABLE scored (id serial, of int, p float8);
INSERT INTO scored (of, p) SELECT id, aread_predict('one', s) FROM seen s;
SELECT is((SELECT count(*) FROM scored JOIN seen s ON s.id = of WHERE abs(p - aread_predict('one', s)) <= 1e-5), 2000::bigint, 'INSERT');
SELECT is(pg_temp.scans('INSERT INTO scored (of, p) SELECT id, aread_predict(''one'', s) FROM seen s'), 1::bigint, 'its rows may have volatile defaults');
ALTER TABLE seen ADD COLUMN p float8;
SELECT is(pg_temp.scans('UPDATE seen s SET p = aread_predict(''one'', s)'), 1::bigint, 'UPDATE is batched');
UPDATE seen s SET p = aread_predict('one', s);
SET LOCAL aread.batch_scan = off;
SELECT is((SELECT count(*) FROM seen s WHERE abs(p - aread_predict('one', s)) <= 1e-5), 2000::bigint, 'UPDATE');
RESET aread.batch_scan;
SELECT is(pg_temp.scans('DELETE FROM seen s WHERE aread_predict(''one'', s) < 0.1 RETURNING aread_predict(''two'', s)'), 1::bigint, 'RETURNING stays');
SELECT is(pg_temp.scans('SELECT id, aread_predict(''one'', s) FROM seen s ORDER BY id FOR UPDATE'), 1::bigint, 'FOR UPDATE');

-- nothing is seen of rows read ahead
CREATE SEQUENCE counted;
SELECT is(pg_temp.scans('SELECT aread_predict(''one'', s) FROM (SELECT *, nextval(''counted'') FROM seen) s'), 0::bigint, 'volatile functions below');
SELECT is(pg_temp.scans('SELECT aread_predict(''one'', s) FROM (SELECT * FROM seen ORDER BY random() LIMIT 500) s'), 1::bigint, 'but for those of a sort');
SELECT is(pg_temp.scans('SELECT aread_predict(''one'', s) FROM (SELECT * FROM seen FOR UPDATE) s'), 0::bigint, 'locks below');

-- and called for none of them: as many calls as without batch scans, when three rows are fetched
CREATE FUNCTION noted(id int) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN nextval('counted') > 0; END $$;
CREATE FUNCTION noted_rows(id int) RETURNS SETOF int LANGUAGE sql VOLATILE AS $$ SELECT id FROM generate_series(1, 2) WHERE noted(id) $$;
CREATE FUNCTION pg_temp.calls_made(query text, batch_scan text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE c refcursor := 'noticed'; r record;
BEGIN
  PERFORM set_config('aread.batch_scan', batch_scan, true), setval('counted', 1, false);
  EXECUTE 'DECLARE noticed NO SCROLL CURSOR FOR ' || query;
  FOR i IN 1 .. 3 LOOP
    FETCH c INTO r;
  END LOOP;
  CLOSE c;
  PERFORM set_config('aread.batch_scan', 'on', true);
  RETURN nextval('counted') - 1;
END $$;
CREATE TABLE quiet (join_method text, name text, query text);
INSERT INTO quiet VALUES
  (NULL, 'a filter', $$SELECT aread_predict('one', s) FROM seen s WHERE noted(id)$$),
  ('hashjoin', 'the filter of a hash join', $$SELECT aread_predict('one', s) FROM seen s LEFT JOIN users u ON uid = user_id AND noted(s.id + u.class)$$),
  ('mergejoin', 'that of a merge join', $$SELECT aread_predict('one', s) FROM seen s LEFT JOIN users u ON uid = user_id AND noted(s.id + u.class)$$),
  ('nestloop', 'that of a nested loop', $$SELECT aread_predict('one', s) FROM seen s LEFT JOIN users u ON uid = user_id AND noted(s.id + u.class)$$),
  (NULL, 'a subquery of each row in a filter', $$SELECT aread_predict('one', s) FROM seen s WHERE (SELECT noted(max(class) + s.id) FROM users WHERE uid < 3)$$),
  (NULL, 'in a target list below', $$SELECT aread_predict('one', s) FROM (SELECT *, (SELECT noted(max(class) + id) FROM users WHERE uid < 3) FROM seen OFFSET 0) s$$),
  (NULL, 'as an argument', $$SELECT aread_predict('one', s, (SELECT class FROM users WHERE uid = s.user_id AND noted(s.id))) FROM seen s$$),
  (NULL, 'one that sorts', $$SELECT aread_predict('one', s) FROM seen s, LATERAL (SELECT uid FROM users WHERE uid < 5 AND noted(s.id) ORDER BY class LIMIT 2) u$$),
  (NULL, 'one in a subquery', $$SELECT aread_predict('one', s) FROM seen s WHERE EXISTS (SELECT FROM users u WHERE (SELECT noted(s.id + max(class)) FROM users WHERE uid < u.uid))$$),
  (NULL, 'rows of a function', $$SELECT aread_predict('one', s) FROM seen s, LATERAL noted_rows(s.id) n$$),
  (NULL, 'a function that makes rows', $$SELECT aread_predict('one', s) FROM (SELECT *, noted_rows(id) FROM seen) s$$),
  (NULL, 'rows of VALUES', $$SELECT aread_predict('one', s) FROM seen s, LATERAL (VALUES (noted(s.id)), (noted(-s.id))) v(x) WHERE x$$),
  (NULL, 'rows of a CTE', $$WITH c AS MATERIALIZED (SELECT * FROM seen WHERE noted(id)) SELECT aread_predict('one', c) FROM c$$),
  (NULL, 'a parameter that few rows come to', $$SELECT aread_predict('one', s) FROM seen s WHERE CASE WHEN id > 10 THEN (SELECT bool_and(noted(uid)) FROM users) ELSE true END$$),
  (NULL, 'the second of two tables', $$SELECT aread_predict('one', s) FROM (SELECT * FROM (SELECT * FROM seen LIMIT 12) a UNION ALL (SELECT * FROM seen WHERE noted(id) ORDER BY user_id)) s$$),
  (NULL, 'what an ordered group is made of', $$SELECT sum(aread_predict('one', s)) FROM (SELECT * FROM (SELECT * FROM seen ORDER BY id OFFSET 0) x WHERE noted(id)) s GROUP BY id$$),
  (NULL, 'a window', $$SELECT aread_predict('one', s), row_number() OVER (ROWS 1 PRECEDING) FROM seen s WHERE noted(id)$$),
  (NULL, 'the argument of a window', $$SELECT aread_predict('one', s), count(noted(id)) OVER (ORDER BY id ROWS CURRENT ROW) FROM seen s$$),
  (NULL, 'argument of an aggregate in a window', $$SELECT sum(aread_predict('one', s)) OVER (ROWS 1 PRECEDING) FROM seen s WHERE noted(id)$$);
SET LOCAL enable_hashagg = off;
CREATE FUNCTION pg_temp.is_quiet(q quiet) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE method text;
BEGIN
  FOREACH method IN ARRAY ARRAY['hashjoin', 'mergejoin', 'nestloop'] LOOP
    PERFORM set_config('enable_' || method, CASE WHEN coalesce(q.join_method, method) = method THEN 'on' ELSE 'off' END, true);
  END LOOP;
  RETURN NEXT is(pg_temp.calls_made(q.query, 'on'), pg_temp.calls_made(q.query, 'off'), 'no call for rows that are not fetched: ' || q.name);
END $$;
SELECT pg_temp.is_quiet(q) FROM quiet q;
SELECT cmp_ok(pg_temp.calls_made(query, 'off'), '>', 0::bigint, 'some for those that are: ' || name) FROM quiet WHERE name <> ALL ('{a parameter that few rows come to,the second of two tables}');
-- nor sooner or later than its row: a trigger and RETURNING see what the row was made of
CREATE TABLE made (id bigint, p float8, seen_by_trigger bigint);
CREATE FUNCTION pg_temp.look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.seen_by_trigger := currval('counted'); RETURN NEW; END $$;
CREATE TRIGGER look BEFORE INSERT ON made FOR EACH ROW EXECUTE FUNCTION pg_temp.look();
CREATE TEMP TABLE returned AS WITH x AS (
  INSERT INTO made (id, p) SELECT n, aread_predict('one', s) FROM (SELECT nextval('counted') AS n, * FROM seen OFFSET 0) s RETURNING id, seen_by_trigger, currval('counted') AS last) SELECT * FROM x;
SELECT is((SELECT count(*) FROM returned WHERE id = seen_by_trigger AND id = last), (SELECT count(*) FROM seen), 'one row after the other, under INSERT');
SELECT is((SELECT count(*) FROM (SELECT a, nextval('counted') AS b, aread_predict('one', s) AS p FROM (SELECT nextval('counted') AS a, * FROM seen OFFSET 0) s OFFSET 0) x WHERE b = a + 1),
  (SELECT count(*) FROM seen), 'and in a subquery');
-- rows that an OFFSET leaves out are computed, too
SELECT setval('counted', 1, false);
SELECT is((SELECT min(n) FROM (SELECT nextval('counted') AS n, aread_predict('one', s) FROM seen s OFFSET 20 LIMIT 30) x), 21::bigint, 'behind an OFFSET');
RESET enable_hashagg;
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_nestloop;

-- wide rows: a batch ends where they take more than work_mem
CREATE FUNCTION pg_temp.batches(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, FORMAT json) ' || query INTO plan;
  RETURN jsonb_path_query_first(plan, '$.**?(@."Custom Plan Provider" == "aread_predict")') ->> 'Batches';
END $$;
SET LOCAL work_mem = '1MB';
SELECT cmp_ok(pg_temp.batches('SELECT aread_predict(''one'', s), big FROM (SELECT *, repeat(''x'', 100000 + id) AS big FROM seen WHERE id <= 200 OFFSET 0) s'), '>=', 18, 'wide rows');
-- and where their lists, which no column has, take work_mem
SET LOCAL work_mem = '64kB';
SELECT cmp_ok(pg_temp.batches('SELECT aread_predict(''one'', jsonb_build_object(''tags'', list), 1) FROM (SELECT array_fill(id, ARRAY[2000]) AS list FROM seen WHERE id <= 100 OFFSET 0) s'), '>=', 10, 'lists in little memory');
SET LOCAL work_mem = '1MB';
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s) + length(big) FROM (SELECT *, repeat(''x'', 2000000 + id) AS big FROM seen WHERE id <= 20 OFFSET 0) s', 1, 'rows that are wider than all');
RESET work_mem;

-- one batch for each model, however they alternate
SELECT cmp_ok(pg_temp.batches('SELECT aread_predict(CASE WHEN id % 3 = 0 THEN ''one'' WHEN id % 3 = 1 THEN ''two'' ELSE ''two@1'' END, s) FROM seen s'), '<=', 33, 'models in turn');

-- prepared statements
PREPARE by_user (text, int) AS SELECT id AS k, aread_predict($1, s) AS p FROM seen s WHERE user_id <> $2;
SET LOCAL plan_cache_mode = force_generic_plan;
CREATE TEMP TABLE generic AS EXECUTE by_user('two', 3);
CREATE TEMP TABLE generic_again AS EXECUTE by_user('one', 4);
SET LOCAL aread.batch_scan = off;
SELECT is((SELECT count(*) FROM generic JOIN seen s ON id = k WHERE abs(generic.p - aread_predict('two', s)) <= 1e-5), (SELECT count(*) FROM seen WHERE user_id <> 3), 'a generic plan');
SELECT is((SELECT count(*) FROM generic_again g JOIN seen s ON id = k WHERE abs(g.p - aread_predict('one', s)) <= 1e-5), (SELECT count(*) FROM seen WHERE user_id <> 4), 'executed again');
RESET aread.batch_scan;
RESET plan_cache_mode;

-- cursors: those that may scroll are left alone, others read on where they were
CREATE FUNCTION pg_temp.fetched(declaration text) RETURNS TABLE (k int, p float8) LANGUAGE plpgsql AS $$
DECLARE c refcursor := 'fetched';
BEGIN
  EXECUTE declaration;
  FOR i IN 1 .. 7 LOOP
    FETCH c INTO k, p;
    RETURN NEXT;
  END LOOP;
  MOVE FORWARD 100 IN c;
  FETCH c INTO k, p;
  RETURN NEXT;
  LOOP
    FETCH c INTO k, p;
    EXIT WHEN NOT FOUND;
    RETURN NEXT;
  END LOOP;
  CLOSE c;
END $$;
SELECT is_empty(format('SELECT * FROM pg_temp.differences(%L)', format('SELECT * FROM pg_temp.fetched(%L)', d)), d) FROM (VALUES ($$DECLARE fetched NO SCROLL CURSOR FOR SELECT id, aread_predict('one', s) FROM seen s$$),
  ($$DECLARE fetched CURSOR FOR SELECT id, aread_predict('one', s) FROM seen s ORDER BY 2, 1$$), ($$DECLARE fetched CURSOR FOR SELECT id, aread_predict('one', s) FROM seen s$$)) v(d);
DECLARE back SCROLL CURSOR FOR SELECT id, aread_predict('one', s) FROM seen s;
FETCH 30 FROM back \g /dev/null
CREATE TEMP TABLE scrolled (id int, p float8);
DO $$
DECLARE c refcursor := 'back'; r record;
BEGIN
  FOR i IN 1 .. 10 LOOP
    FETCH PRIOR FROM c INTO r;
    INSERT INTO scrolled VALUES (r.id, r.aread_predict);
  END LOOP;
END $$;
SELECT is((SELECT count(*) FROM scrolled c JOIN seen s USING (id) WHERE abs(c.p - aread_predict('one', s)) < 1e-12), 10::bigint, 'a cursor that scrolls');
CLOSE back;
DECLARE held CURSOR WITH HOLD FOR SELECT id FROM seen s WHERE aread_predict('one', s) > 0.3 ORDER BY id;
CLOSE held;
DO $$
DECLARE r record; n int := 0; c CURSOR FOR SELECT id, aread_predict('one', s) AS p FROM seen s WHERE id < 200 FOR UPDATE;
BEGIN
  FOR r IN c LOOP
    UPDATE seen SET p = r.p - 1 WHERE CURRENT OF c;
  END LOOP;
END $$;
SELECT is((SELECT count(*) FROM seen s WHERE id < 200 AND abs(p + 1 - aread_predict('one', s)) <= 1e-5), 199::bigint, 'WHERE CURRENT OF');

-- functions, views
CREATE FUNCTION best(u int) RETURNS TABLE (k int, p float8) LANGUAGE sql STABLE AS $$ SELECT id, aread_predict('one', s, 1) FROM seen s WHERE user_id <> u ORDER BY 2 DESC, 1 LIMIT 5 $$;
SELECT pg_temp.agrees('SELECT uid || '' '' || k, p FROM (SELECT * FROM users LIMIT 20) u, best(uid)', 1, 'a function that is inlined');
CREATE VIEW scores AS SELECT id, domain, aread_predict('one', s) AS p FROM seen s;
SELECT pg_temp.agrees('SELECT id, p FROM scores WHERE p > 0.3 AND domain = 2', 1, 'a view');
CREATE MATERIALIZED VIEW kept AS SELECT * FROM scores;
SET LOCAL aread.batch_scan = off;
SELECT is((SELECT count(*) FROM kept JOIN scores USING (id) WHERE abs(kept.p - scores.p) <= 1e-5), 2000::bigint, 'a materialized view');
RESET aread.batch_scan;

-- parallel plans
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL min_parallel_index_scan_size = 0;
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s) FROM seen s', 1, 'in parallel');
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s, class) FROM seen s JOIN users u ON uid = user_id WHERE aread_predict(''two'', s) > 0.2', 2, 'a join in parallel');
SELECT pg_temp.agrees('SELECT domain, avg(aread_predict(''one'', s)) FROM seen s GROUP BY domain', 1, 'a mean in parallel');
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s) FROM seen s ORDER BY 2 DESC, 1 LIMIT 20', 1, 'the best in parallel');
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', p) FROM parts p', 4, 'partitions in parallel');
SET LOCAL parallel_leader_participation = off;
SELECT pg_temp.agrees('SELECT id, aread_predict(''one'', s) FROM seen s', 1, 'without the leader');
RESET parallel_leader_participation;

-- what EXPLAIN shows
CREATE FUNCTION pg_temp.explained(query text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, FORMAT json) ' || query INTO plan;
  RETURN jsonb_path_query_first(plan, '$.**?(@."Custom Plan Provider" == "aread_predict")');
END $$;
SELECT unnest(ARRAY[is(e ->> 'Models', '["one (version 1)"]', 'the model in parallel'), cmp_ok((e -> 'Shared Values')::int, '>', 2000, 'values shared by all processes')])
FROM pg_temp.explained('SELECT id, aread_predict(''one'', s) FROM seen s') e;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT unnest(ARRAY[is(e ->> 'Models', '["one (version 1)", "two (version 1)"]', 'models'), is((e ->> 'Actual Rows')::numeric, 2000::numeric, 'rows'),
  is(e ->> 'Batches', '22', 'batches of 1, 16, 64, 256, ..., for each model'), cmp_ok((e -> 'Shared Values')::int, '>', 8000, 'values shared')])
FROM pg_temp.explained('SELECT id, aread_predict(''one'', s), aread_predict(''two'', s) FROM seen s') e;
SELECT is((e ->> 'Rows Removed by Filter')::numeric, 2000::numeric, 'rows that a filter removed') FROM pg_temp.explained('SELECT FROM seen s WHERE aread_predict(''one'', s) > 1') e;
SELECT is(e ->> 'Models', NULL, 'a model that only the rows know') FROM pg_temp.explained('SELECT aread_predict(tags::text, s) FROM seen s WHERE id < 0') e WHERE e IS NOT NULL;

-- rights
CREATE ROLE aread_scan_other;
GRANT SELECT ON seen TO aread_scan_other;
REVOKE EXECUTE ON FUNCTION aread_predict(text, record) FROM public;
SET LOCAL ROLE aread_scan_other;
SELECT throws_ok('SELECT aread_predict(''one'', s) FROM seen s', '42501', 'permission denied for function aread_predict', 'who may not call the function may not batch it');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
