-- Histories read from a relation when they are asked for: a click counts in the next request.
BEGIN;
SELECT no_plan();
SET client_min_messages = warning;

CREATE TABLE log AS SELECT label, 1 + 3 * label + sequence % 2 AS stars, domain, user_id, item_id, sequence, CASE sequence % 10 WHEN 8 THEN 'valid' WHEN 9 THEN 'test' ELSE 'train' END AS split
FROM aread_simulate(4000, domains => 5, users => 60, items => 50, groups => 1, strength => 3, seed => 5);
CREATE FUNCTION train(model text, split text, history text, label text DEFAULT 'label', more jsonb DEFAULT '{}') RETURNS integer LANGUAGE sql AS $$
  SELECT version FROM aread_train('log', model, label, 'domain', '{domain,user_id,item_id}', 'user_id', 'item_id', split,
    '{"architecture": "fm", "wide": false, "row_counts": false, "trees": 0, "embed_dim": 3, "epochs": 2, "batch_size": 64, "learning_rate": 0.02}' || jsonb_build_object('history', history::jsonb) || more) $$;
SELECT train('by time', 'sequence', '{"length": 4}'), train('no order', 'split', '{"length": 3, "of": "all"}'), train('stars', 'sequence', '{"length": 4}', 'stars', '{"label_threshold": 4}'), train('none', 'split', 'false'),
  train('every row', 'sequence', '{"length": 4}', '', '{"negatives": 1}') \g /dev/null
CREATE EXTENSION IF NOT EXISTS citext;
CREATE TABLE text_log AS SELECT label, domain, user_id::text, item_id, sequence FROM log;
CREATE TABLE citext_log AS SELECT label, domain, user_id::citext, item_id, sequence FROM text_log;
SELECT count(*) FROM (VALUES ('texts', 'text_log'), ('any case', 'citext_log')) m(model, source), aread_train(source, model, 'label', 'domain', '{domain,user_id,item_id}', 'user_id', 'item_id', 'sequence',
  '{"architecture": "fm", "wide": false, "row_counts": false, "trees": 0, "embed_dim": 3, "epochs": 2, "batch_size": 64, "learning_rate": 0.02, "history": {"length": 4}}') \g /dev/null

CREATE TABLE clicks (label int, user_id int, item_id int, sequence bigint);
CREATE INDEX clicks_by_user ON clicks (user_id, sequence);
INSERT INTO clicks VALUES (1, 7, 3, 1), (0, 7, 6, 2), (1, 7, 5, 4), (1, 7, 4, 3), (NULL, 7, 8, 5), (1, 7, NULL, 6), (1, 7, 9, NULL), (1, 7, 999, 7), (1, 8, 20, 1), (1, NULL, 21, 1), (1, -1, 11, 1), (1, -1, 12, 2);
-- what a row is scored as with a relation, and with a history that is passed
CREATE FUNCTION fresh(model text, "user" text, item int, relation regclass) RETURNS float8 LANGUAGE sql AS $$
  SELECT aread_predict($1, jsonb_build_object('user_id', $2, 'item_id', $3), 'domain_01', $4) $$;
CREATE FUNCTION passed(model text, "user" text, item int, history int[]) RETURNS float8 LANGUAGE sql AS $$
  SELECT aread_predict($1, jsonb_build_object('user_id', $2, 'item_id', $3, 'history', $4), 'domain_01') $$;
CREATE FUNCTION is_as(model text, "user" text, relation regclass, history int[], what text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT is_empty(format('SELECT FROM generate_series(1, 50) i WHERE (abs(fresh(%1$L, %2$L, i, %3$L) - passed(%1$L, %2$L, i, %4$L)) < 1e-6) IS NOT TRUE', $1, $2, $3, $4), what) $$;

-- What is in it.
SELECT is_as('by time', '7', 'clicks', '{3,4,5}', 'positive items by time, without those that lack a label, an item or a time');
SELECT isnt(fresh('by time', '7', 1, 'clicks'), aread_predict('by time', '{"user_id": 7, "item_id": 1}'::jsonb, 'domain_01'), 'not the one that the model keeps');
SELECT is_as('by time', '-1', 'clicks', '{11,12}', 'users whom training has not seen');
SELECT is_as('by time', '-2', 'clicks', '{}', 'who has no rows has none');
SELECT is(aread_predict('by time', '{"item_id": 1, "user_id": null}'::jsonb, 'domain_01', 'clicks'), aread_predict('by time', '{"item_id": 1, "user_id": null, "history": []}'::jsonb, 'domain_01'), 'NULL is no user');
INSERT INTO clicks VALUES (1, 7, 13, 8);
SELECT is_as('by time', '7', 'clicks', '{3,4,5,13}', 'a click counts in the next request');
INSERT INTO clicks VALUES (1, 7, 14, 9), (1, 7, 13, 10);
SELECT is_as('by time', '7', 'clicks', '{4,5,13,14,13}', 'the newest, and repeats');
CREATE VIEW first_clicks AS SELECT * FROM clicks WHERE sequence < 5 ORDER BY sequence;
SELECT is_as('by time', '7', 'first_clicks', '{3,4,5}', 'a view');
CREATE VIEW rated AS SELECT CASE label WHEN 1 THEN 4.0 WHEN 0 THEN 3.9 END AS stars, user_id::numeric, item_id::numeric, sequence::timestamptz AS sequence FROM (SELECT label, user_id, item_id, to_timestamp(sequence) AS sequence FROM first_clicks) c;
SELECT is_as('stars', '7', 'rated', '{3,4,5}', 'labels by the threshold, columns of other types');
SELECT is_as('every row', '7', 'first_clicks', '{3,6,4,5}', 'without a label every row is positive');
CREATE VIEW unlabelled AS SELECT user_id, item_id FROM clicks WHERE user_id = 8 OR sequence < 4;
SELECT is_as('no order', '7', 'unlabelled', '{3,6,4}', 'of all rows no label is read, and without an order none is');
SELECT is_as('no order', '8', 'unlabelled', '{20}', 'of another user');
CREATE TABLE repeated AS SELECT 7 AS user_id, i % 2 AS item_id FROM generate_series(1, 1000) i;
SELECT is_as('no order', '7', 'repeated', '{1}', 'without an order an item counts once');
CREATE TABLE many AS SELECT 7 AS user_id, item_id FROM (SELECT DISTINCT item_id FROM log) l;
CREATE TABLE shuffled AS SELECT m.* FROM many m, generate_series(1, 3) ORDER BY hashint4(item_id);
SELECT is_empty($$SELECT FROM generate_series(1, 50) i WHERE fresh('no order', '7', i, 'many') <> fresh('no order', '7', i, 'shuffled')$$, 'which ones of many does not depend on how rows lie');
SELECT isnt(fresh('no order', '7', 1, 'many'), passed('no order', '7', 1, '{}'), 'but they count');
CREATE TYPE who AS ENUM ('7', '8');
CREATE DOMAIN thing AS varchar(5) CHECK (VALUE <> 'x');
CREATE VIEW typed AS SELECT label::boolean, CASE WHEN user_id > 0 THEN user_id::text::who END AS user_id, item_id::text::thing, sequence::float8 FROM first_clicks;
SELECT is_as('texts', '7', 'typed', '{3,4,5}', 'types of users');
CREATE TABLE blanks AS SELECT label, user_id::text::char(9) AS user_id, item_id::int2, sequence::int2 FROM first_clicks;
SELECT is_as('texts', '7', 'blanks', '{3,4,5}', 'and of others');
SELECT is_as('texts', '7', 'first_clicks', '{3,4,5}', 'integers for a model of texts');
SELECT is_as('texts', u, relation::regclass, '{}', format('%s has no %s', relation, u)) FROM unnest('{9,seven,07,7.0,99999999999,NaN}'::text[]) u, unnest('{typed,first_clicks}'::text[]) relation;
CREATE TABLE parted (LIKE clicks) PARTITION BY LIST (user_id);
CREATE TABLE part_7 PARTITION OF parted FOR VALUES IN (7);
CREATE TABLE part_others PARTITION OF parted DEFAULT;
INSERT INTO parted SELECT * FROM clicks;
SELECT is_as('by time', '7', 'parted', '{4,5,13,14,13}', 'a partitioned table');
CREATE TEMP TABLE own AS TABLE clicks;
SELECT is_as('by time', '7', 'own', '{4,5,13,14,13}', 'a temporary one');

-- Users as they are written.
SELECT is(fresh('by time', u, 1, 'clicks'), fresh('by time', '7', 1, 'clicks'), 'a user as ' || u) FROM unnest('{07,7.0,+7}'::text[]) u;
SELECT is(fresh('by time', u, 1, 'clicks'), passed('by time', u, 1, '{}'), 'a number that the column cannot have: ' || u) FROM unnest('{99999999999,-99999999999,1e300,NaN}'::text[]) u;
SELECT throws_ok($$SELECT fresh('by time', 'seven', 1, 'clicks')$$, '22P02', 'invalid input syntax for type integer: "seven"', 'no number at all');
SELECT is_empty($$SELECT FROM (SELECT l.user_id, l.item_id, l.domain FROM log l) l, LATERAL (SELECT l.*, ARRAY(SELECT item_id FROM clicks c WHERE c.user_id = l.user_id AND label = 1 AND sequence IS NOT NULL ORDER BY sequence) AS history) r
  WHERE aread_predict('by time', l, l.domain, 'clicks') <> aread_predict('by time', r)$$, 'records, many users in a query');
SELECT is(count(*), 4000::bigint, 'a NULL relation is the model''s own') FROM log l WHERE aread_predict('by time', l, l.domain, NULL::regclass) = aread_predict('by time', l, l.domain);
CREATE TABLE both_logs (relation regclass);
INSERT INTO both_logs VALUES ('clicks'), ('first_clicks'), (NULL), ('clicks');
SELECT is(array_agg(aread_predict('by time', '{"user_id": 7, "item_id": 1}'::jsonb, 'domain_01', relation)),
  ARRAY[fresh('by time', '7', 1, 'clicks'), fresh('by time', '7', 1, 'first_clicks'), aread_predict('by time', '{"user_id": 7, "item_id": 1}'::jsonb, 'domain_01'), fresh('by time', '7', 1, 'clicks')], 'a relation for each row') FROM both_logs;
SELECT is_empty(format($$SELECT FROM (SELECT aread_predict('by time', %s, 'domain_01'::text, 'clicks') AS p) q WHERE p IS DISTINCT FROM fresh('by time', '7', 1, 'clicks')$$, f), 'features as ' || f)
FROM unnest(ARRAY[$$'{"user_id": 7, "item_id": 1}'$$, $$'{"user_id": 7, "item_id": 1}'::json$$, $$'{"user_id": 7, "item_id": 1}'::jsonb$$, $$(SELECT r FROM (SELECT 7 AS user_id, 1 AS item_id) r)$$]) f;
CREATE DOMAIN shop AS text;
SELECT is(aread_predict('by time', '{"user_id": 7, "item_id": 1}'::jsonb, 'domain_01'::shop, history => 'clicks'), fresh('by time', '7', 1, 'clicks'), 'a domain of any type');

-- Lists.
SELECT is_empty($$SELECT FROM aread_recommend('by time', '{7,8,-1,-2,NULL}'::int[], 5, history => 'clicks') r
  WHERE abs(score - aread_predict('by time', jsonb_build_object('user_id', user_id, 'item_id', item_id), domain, 'clicks')) > 1e-5$$, 'lists are made by the same scores');
SELECT is(count(*), 25::bigint, 'of each user') FROM aread_recommend('by time', '{7,8,-1,-2,NULL}'::int[], 5, history => 'clicks');
SELECT is_empty($$SELECT FROM aread_recommend('by time', '{7,-1}'::int[], 50, history => 'clicks') WHERE (user_id, item_id::int) IN (SELECT user_id::text, item_id FROM clicks WHERE label IS NOT NULL AND sequence IS NOT NULL)$$, 'without what the relation has of them, however old, of either label');
INSERT INTO clicks VALUES (0, -3, 12, 1);
SELECT set_eq($$SELECT item_id::int FROM aread_recommend('by time', -3, 50, history => 'clicks')$$, $$SELECT DISTINCT item_id FROM log WHERE item_id <> 12$$, 'all but what he has not liked');
SELECT is(array_agg(item_id ORDER BY item_id), '{11,12}', 'of others it is left in') FROM aread_recommend('by time', -2, 50, history => 'clicks') WHERE item_id IN ('11', '12');
SELECT is(count(*), 2::bigint, 'unless seen items are wanted') FROM aread_recommend('by time', -1, 50, exclude_seen => false, history => 'clicks') WHERE item_id IN ('11', '12');
SELECT results_eq($$SELECT user_id, rank, item_id, domain, round(score::numeric, 5) FROM aread_recommend('by time', -1, 50, history => 'clicks')$$,
  $$SELECT user_id, rank, item_id, domain, round(score::numeric, 5) FROM aread_recommend('by time', -1, 50, context => '{"history": [11, 12]}')$$, 'as if it was passed');
SELECT results_eq($$SELECT * FROM aread_recommend('by time', '{7,8,-1,7}'::int[], 5, history => 'clicks')$$, $$SELECT r.* FROM unnest('{7,8,-1,7}'::int[]) WITH ORDINALITY u(id, n), aread_recommend('by time', id, 5, history => 'clicks') r ORDER BY n, rank$$, 'many users as one by one');
SELECT is_empty($$SELECT FROM aread_recommend_all('by time', 3, history => 'clicks') r WHERE abs(score - aread_predict('by time', jsonb_build_object('user_id', user_id, 'item_id', item_id), domain, 'clicks')) > 1e-5$$, 'all users');
CREATE TABLE stock AS SELECT DISTINCT item_id, 'domain_01' AS domain FROM log UNION SELECT 999, 'domain_01' UNION SELECT 998, 'domain_01';
CREATE VIEW strange AS SELECT 1 AS label, -5 AS user_id, 999 AS item_id, 1 AS sequence;
SELECT is(array_agg(item_id), '{998}', 'items that training has not seen, too') FROM aread_recommend('by time', -5, 100, candidates => 'stock', history => 'strange') WHERE item_id::int > 900;

-- Who is who is what the model says, not an operator or a spelling.
CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE cases (label int, user_id text COLLATE any_case, item_id int, sequence int);
INSERT INTO cases VALUES (1, 'ANNA', 3, 1), (1, 'Anna', 4, 2), (1, 'anna', 5, 3), (1, 'Anna', 6, 4);
CREATE VIEW citext_cases AS SELECT label, user_id::citext, item_id, sequence FROM cases;
CREATE VIEW text_cases AS SELECT label, user_id COLLATE "C" AS user_id, item_id, sequence FROM cases;
SELECT is_as('texts', 'Anna', relation::regclass, '{4,6}', 'those of others are not his: ' || relation) FROM unnest('{cases,citext_cases,text_cases}'::text[]) relation;
SELECT set_eq(format($$SELECT item_id::int FROM aread_recommend('texts', 'Anna', 50, history => %L)$$, relation), 'SELECT DISTINCT item_id FROM log WHERE item_id NOT IN (4, 6)', 'nor has he seen them: ' || relation) FROM unnest('{cases,citext_cases}'::text[]) relation;
SELECT is_as('any case', 'Anna', 'citext_cases', '{3,4,5,6}', 'in any case');
SELECT throws_ok($$SELECT fresh('any case', 'Anna', 1, 'text_cases')$$, '42804', 'users cannot be looked up by column "user_id" of type text', 'where all cases are one, rows of others would be left out');
CREATE VIEW uuids AS SELECT 1 AS label, gen_random_uuid() AS user_id, 3 AS item_id, 1 AS sequence;
SELECT throws_ok($$SELECT fresh('texts', 'Anna', 1, 'uuids')$$, '22P02', 'invalid input syntax for type uuid: "Anna"', 'no value of the column');
SELECT results_eq(format('SELECT item_id, score FROM aread_recommend(''texts'', %s, 3, history => ''text_cases'')', u), $$SELECT item_id, score FROM aread_recommend('texts', 'Anna'::text, 3, history => 'text_cases')$$, 'the same user as ' || u) FROM unnest('{"''Anna''::char(9)","''Anna''::name"}'::text[]) u;
SELECT results_eq(format('SELECT item_id, score FROM aread_recommend(''by time'', %s, 3, history => ''clicks'')', u), $$SELECT item_id, score FROM aread_recommend('by time', -1, 3, history => 'clicks')$$, 'the same user as ' || u) FROM unnest('{-1.0::numeric,"''-01''::text","''-1''::char(9)"}'::text[]) u;
CREATE VIEW single AS SELECT 1 AS label, u::real AS user_id, 3 AS item_id, 1 AS sequence FROM unnest('{16777216,5}'::int[]) u;
SELECT is_as('by time', '16777217', 'single', '{}', 'nor has the nearest number''s');

-- Of equally new rows the same ones count in each function and by each plan.
CREATE TABLE tied AS SELECT 1 AS label, u AS user_id, i AS item_id, i / 20 AS sequence FROM generate_series(1, 10) u, generate_series(1, 49) i ORDER BY hashint4(i * 100 + u);
CREATE FUNCTION agree(relation regclass, what text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT is_empty(format('SELECT FROM (VALUES (true), (false)) s(seen), aread_recommend(''by time'', ARRAY(SELECT generate_series(1, 10)), 50, exclude_seen => seen, history => %1$L) r
    WHERE abs(score - aread_predict(''by time'', jsonb_build_object(''user_id'', user_id, ''item_id'', item_id), domain, %1$L)) > 1e-6', $1), what) $$;
SELECT agree('tied', 'by a sort');
SELECT array_agg(fresh('by time', u::text, i, 'tied') ORDER BY u, i) AS by_sort FROM generate_series(1, 10) u, generate_series(1, 50) i \gset
CREATE INDEX ON tied (user_id, sequence);
SET LOCAL enable_seqscan = off;
SELECT agree('tied', 'by an index');
SELECT is(array_agg(fresh('by time', u::text, i, 'tied') ORDER BY u, i), :'by_sort'::float8[], 'by both the same') FROM generate_series(1, 10) u, generate_series(1, 50) i;
RESET enable_seqscan;
CREATE VIEW tied_numeric AS SELECT label, user_id, item_id, sequence::numeric FROM tied;
SELECT agree('tied_numeric', 'orders that are no words');

-- One look-up for each user and statement, by one plan, through the index.
SET LOCAL enable_seqscan = off;
CREATE FUNCTION scans(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE before bigint := pg_stat_get_xact_numscans('clicks_by_user'::regclass);
BEGIN
  EXECUTE statement;
  RETURN pg_stat_get_xact_numscans('clicks_by_user'::regclass) - before;
END $$;
SELECT is(scans($$SELECT aread_predict('by time', l, l.domain, 'clicks') FROM log l WHERE user_id IN (7, 8, 9)$$), 3::bigint, 'scores of three users');
SELECT is(scans($$SELECT CASE WHEN item_id > 0 THEN aread_predict('by time', l, l.domain, 'clicks') END FROM log l WHERE user_id IN (7, 8, 9)$$), count(*), 'row by row one for each call') FROM log WHERE user_id IN (7, 8, 9);
SELECT is(scans($$SELECT * FROM aread_recommend('by time', '{7,8}'::int[], 5, history => 'clicks')$$), 2::bigint, 'lists of two');
SET LOCAL work_mem = '64kB';
SELECT is(scans($$SELECT aread_predict('by time', jsonb_build_object('user_id', i % 4000, 'item_id', 1), 'domain_01', 'clicks') FROM generate_series(1, 8000) i$$) > 4000, true, 'users are forgotten where there is no room for them');
RESET work_mem;
RESET enable_seqscan;

-- Within a statement it stays, and what a transaction does is seen by its next statement.
DO $$
DECLARE before float8; after float8; undone float8;
BEGIN
  before := aread_predict('by time', '{"user_id": 30, "item_id": 1}', 'domain_01', 'clicks');
  BEGIN
    INSERT INTO clicks VALUES (1, 30, 17, 1);
    after := aread_predict('by time', '{"user_id": 30, "item_id": 1}', 'domain_01', 'clicks');
    RAISE EXCEPTION 'undo';
  EXCEPTION WHEN raise_exception THEN
    undone := aread_predict('by time', '{"user_id": 30, "item_id": 1}', 'domain_01', 'clicks');
  END;
  IF after = before OR undone <> before OR after <> passed('by time', '30', 1, '{17}') THEN
    RAISE EXCEPTION 'before %, after %, undone %', before, after, undone;
  END IF;
END $$;
CREATE FUNCTION score_of(relation text) RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN RETURN aread_predict('by time', '{"user_id": 7, "item_id": 1}', 'domain_01', relation::regclass); END $$;
-- What a view says may change within a transaction, without any command of it.
CREATE VIEW by_setting AS SELECT label, user_id, item_id, sequence FROM first_clicks WHERE item_id >= current_setting('fresh.first')::int;
CREATE FUNCTION by_settings() RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE result float8[] := '{}';
BEGIN
  FOR i IN 3 .. 5 LOOP
    PERFORM set_config('fresh.first', i::text, true);
    result := result || score_of('by_setting');
  END LOOP;
  RETURN result;
END $$;
SELECT is(by_settings(), ARRAY[passed('by time', '7', 1, '{3,4,5}'), passed('by time', '7', 1, '{4,5}'), passed('by time', '7', 1, '{5}')], 'by a setting');
CREATE TABLE arriving (label int, user_id int, item_id int, sequence int, score float8);
CREATE FUNCTION score_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.score := score_of('arriving'); RETURN NEW; END $$;
CREATE TRIGGER score_new BEFORE INSERT ON arriving FOR EACH ROW EXECUTE FUNCTION score_new();
INSERT INTO arriving VALUES (1, 7, 3, 1), (1, 7, 4, 2), (1, 7, 5, 3), (1, 7, 6, 4);
SELECT is(array_agg(score ORDER BY sequence), ARRAY[passed('by time', '7', 1, '{}'), passed('by time', '7', 1, '{3}'), passed('by time', '7', 1, '{3,4}'), passed('by time', '7', 1, '{3,4,5}')], 'a trigger sees the rows before its own') FROM arriving;
CREATE FUNCTION emptied() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN TRUNCATE emptying; RETURN true; END $$;
CREATE TABLE emptying AS TABLE first_clicks;
SELECT throws_ok(statement, '40001', 'relation "emptying" was rewritten after the query began', 'no empty history of what was there') FROM (VALUES
  ($$SELECT CASE WHEN i > 0 THEN aread_predict('by time', '{"user_id": 7, "item_id": 1}'::jsonb, 'domain_01', 'emptying') END, CASE i WHEN 1 THEN emptied() END FROM generate_series(1, 2) i$$)) s(statement);
CREATE TABLE changing AS TABLE first_clicks;
SELECT is(score_of('changing'), passed('by time', '7', 1, '{3,4,5}'), 'before');
ALTER TABLE changing ALTER user_id TYPE numeric;
SELECT is(score_of('changing'), passed('by time', '7', 1, '{3,4,5}'), 'after a change of the relation');

-- Rights are the caller's.
CREATE ROLE aread_web;
CREATE ROLE aread_shop;
SELECT aread_grant('by time', 'aread_web'), aread_grant('by time', 'aread_shop') \g /dev/null
GRANT SELECT ON log TO aread_web, aread_shop;
CREATE TABLE guarded AS TABLE first_clicks;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY little ON guarded TO aread_web USING (item_id > 3);
GRANT SELECT ON guarded TO aread_web;
CREATE VIEW through AS TABLE guarded;
GRANT SELECT ON through TO aread_web;
GRANT SELECT (user_id, item_id, sequence) ON clicks TO aread_web;
SET LOCAL ROLE aread_web;
SELECT is_as('by time', '7', 'guarded', '{4,5}', 'row security holds');
SELECT is_as('by time', '7', 'through', '{3,4,5}', 'a view reads with its owner''s rights');
SELECT throws_ok($$SELECT fresh('by time', '7', 1, 'clicks')$$, '42501', 'permission denied for table clicks', 'a column that he may not read');
SELECT throws_ok($$SELECT fresh('by time', '7', 1, 'first_clicks')$$, '42501', 'permission denied for view first_clicks', 'nor a view');
SELECT throws_ok($$SELECT aread_recommend('by time', 7, history => 'first_clicks')$$, '42501', 'permission denied for view first_clicks', 'in lists');
SET LOCAL ROLE aread_shop;
SELECT throws_ok($$SELECT fresh('by time', '7', 1, 'guarded')$$, '42501', 'permission denied for table guarded', 'another role');
SELECT throws_ok($$SELECT fresh('none', '7', 1, 'guarded')$$, '42501', 'permission denied for model "none"', 'the model comes first');
RESET ROLE;
CREATE FUNCTION as_both() RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE result float8[] := '{}';
BEGIN
  FOR i IN 1 .. 2 LOOP
    PERFORM set_config('role', CASE i WHEN 1 THEN 'none' ELSE 'aread_web' END, true);
    result := result || aread_predict('by time', '{"user_id": 7, "item_id": 1}', 'domain_01', 'guarded');
  END LOOP;
  PERFORM set_config('role', 'none', true);
  RETURN result;
END $$;
SELECT is(as_both(), ARRAY[passed('by time', '7', 1, '{3,4,5}'), passed('by time', '7', 1, '{4,5}')], 'what one role has read is not another''s');

-- Nothing goes by the search path.
CREATE SCHEMA trap;
CREATE FUNCTION trap.never(int, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE OPERATOR trap.= (FUNCTION = trap.never, LEFTARG = int, RIGHTARG = int);
CREATE TABLE trap.clicks (user_id int);
SET LOCAL search_path = trap, public, pg_catalog;
SELECT aread_predict('by time', '{"user_id": 7, "item_id": 1}'::jsonb, 'domain_01', 'public.first_clicks') AS score \gset
RESET search_path;
SELECT is(:score::float8, passed('by time', '7', 1, '{3,4,5}'), 'operators and relations of others');
CREATE TABLE "o""dd" AS TABLE first_clicks;
SELECT is_as('by time', '7', '"o""dd"', '{3,4,5}', 'a name that needs quotes');

-- What is refused.
CREATE VIEW no_user AS SELECT label, item_id, sequence FROM clicks;
CREATE VIEW no_item AS SELECT label, user_id, sequence FROM clicks;
CREATE VIEW no_label AS SELECT user_id, item_id, sequence FROM clicks;
CREATE VIEW no_time AS SELECT label, user_id, item_id FROM clicks;
CREATE VIEW odd_user AS SELECT label, to_json(user_id) AS user_id, item_id, sequence FROM clicks;
CREATE VIEW odd_item AS SELECT label, user_id, to_json(item_id) AS item_id, sequence FROM clicks;
CREATE VIEW odd_label AS SELECT label::text, user_id, item_id, sequence FROM clicks;
CREATE VIEW odd_time AS SELECT label, user_id, item_id, to_json(sequence) AS sequence FROM clicks;
CREATE VIEW text_time AS SELECT label, user_id, item_id, sequence::text FROM clicks;
CREATE VIEW text_user AS SELECT label, user_id::text, item_id, sequence FROM clicks;
CREATE VIEW enum_user AS SELECT label, NULL::who AS user_id, item_id, sequence FROM clicks;
CREATE VIEW bad_label AS SELECT label * 3 AS label, user_id, item_id, sequence FROM clicks;
SELECT throws_ok(format($$SELECT fresh('by time', '7', 1, %L)$$, relation), state, message, message) FROM (VALUES
  ('no_user', '42703', 'column "user_id" of relation "no_user" does not exist'), ('no_item', '42703', 'column "item_id" of relation "no_item" does not exist'),
  ('no_label', '42703', 'column "label" of relation "no_label" does not exist'), ('no_time', '42703', 'column "sequence" of relation "no_time" does not exist'),
  ('odd_user', '42804', 'feature "user_id" cannot take a value of type json'), ('odd_item', '42804', 'feature "item_id" cannot take a value of type json'),
  ('odd_label', '42804', 'column "label" of type text cannot be the label'), ('odd_time', '42804', 'column "sequence" of type json cannot order a history'), ('text_time', '42804', 'column "sequence" of type text cannot order a history'),
  ('text_user', '42804', 'users cannot be looked up by column "user_id" of type text'), ('enum_user', '42804', 'users cannot be looked up by column "user_id" of type who'),
  ('bad_label', '22023', 'labels in column "label" are numbers such as 3, unlike those that model "by time" was trained on'),
  ('clicks_by_user', '42809', 'cannot read interactions from "clicks_by_user"')) r(relation, state, message);
SELECT throws_ok($$SELECT fresh('by time', '7', 1, 999999::regclass)$$, '42P01', 'relation with OID 999999 does not exist', 'no relation');
SELECT throws_ok($$SELECT fresh('none', '7', 1, 'clicks')$$, '55000', 'model "none" has no histories', 'a model without');
SELECT throws_ok($$SELECT aread_recommend('none', 7, history => 'clicks')$$, '55000', 'model "none" has no histories', 'nor lists');
SELECT throws_ok($$SELECT aread_predict('by time', '{"user_id": 7, "item_id": 1, "history": [3]}'::jsonb, 'domain_01', 'clicks')$$, '22023', 'histories are given twice', 'two histories of a row');
SELECT throws_ok($$SELECT aread_recommend('by time', 7, context => '{"history": [3]}', history => 'clicks')$$, '22023', 'histories are given twice', 'and of lists');
SELECT is(aread_predict('by time', '{"user_id": 7, "item_id": 1, "history": null}'::jsonb, 'domain_01', 'first_clicks'), passed('by time', '7', 1, '{3,4,5}'), 'null is none');
CREATE VIEW endless AS SELECT label, user_id, item_id, sequence FROM clicks;
CREATE OR REPLACE VIEW endless AS SELECT label, user_id, item_id, sequence FROM clicks WHERE aread_predict('by time', '{"user_id": 7, "item_id": 1}', 'domain_01', 'endless') > 0;
SELECT throws_ok($$SELECT fresh('by time', '7', 1, 'endless')$$, '54001', NULL, 'a relation that asks for itself');
SELECT is_as('by time', '7', 'first_clicks', '{3,4,5}', 'and all is well after it');

-- Models whose own column is called so.
CREATE TABLE named AS SELECT label, domain, user_id, item_id, sequence, user_id % 3 AS history FROM log;
SELECT count(*) FROM aread_train('named', 'named', 'label', 'domain', '{domain,user_id,item_id,history}', 'user_id', 'item_id', 'sequence', '{"architecture": "fm", "wide": false, "row_counts": false, "trees": 0, "embed_dim": 3, "epochs": 4, "batch_size": 64, "learning_rate": 0.02, "history": {"length": 4}}') \g /dev/null
SELECT isnt(aread_predict('named', '{"user_id": 7, "item_id": 1, "history": 1}'::jsonb, 'domain_01', 'first_clicks'), aread_predict('named', '{"user_id": 7, "item_id": 1, "history": 1}'::jsonb, 'domain_01', 'strange'), 'have one, too');

SELECT * FROM finish();
ROLLBACK;
