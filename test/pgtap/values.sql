-- Whose code runs when values come in: what the caller could have called, and nothing else; and which types they have.
-- A spy counts with a sequence, which no rollback turns back.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT no_plan();

CREATE ROLE aread_mallory;
CREATE ROLE aread_victim;
CREATE SCHEMA lair;
GRANT USAGE, CREATE ON SCHEMA lair TO aread_mallory;
GRANT USAGE ON SCHEMA lair TO PUBLIC;
CREATE SEQUENCE lair.spy;
GRANT USAGE ON SEQUENCE lair.spy TO PUBLIC;
CREATE FUNCTION lair.ran() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$ SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM lair.spy $$;
CREATE FUNCTION lair.train(source text, model text, options jsonb DEFAULT '{}') RETURNS integer LANGUAGE sql AS
  $$ SELECT version FROM aread_train(source::regclass, model, options => '{"architecture": "wide", "split_method": "hash"}'::jsonb || options) $$;
-- a value, or the error instead
CREATE FUNCTION lair.outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  EXECUTE statement INTO result;
  RETURN result;
EXCEPTION WHEN others THEN
  RETURN sqlstate || ' ' || sqlerrm;
END $$;

-- mallory's types, with a cast from and to every type that a value may come in
SET LOCAL ROLE aread_mallory;
CREATE TYPE lair.mood AS ENUM ('1', '2', 'true');
CREATE FUNCTION lair.positive(int) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;
CREATE DOMAIN lair.checked AS int CHECK (lair.positive(VALUE));
CREATE DOMAIN lair.checked_mood AS lair.mood CHECK (lair.positive(1));
CREATE TYPE lair.pair AS (a lair.checked, b lair.mood);
CREATE TYPE lair.span AS RANGE (subtype = int4);
CREATE TABLE lair.visits AS
  SELECT (i * 13 % 29 < 11)::int AS label, '1'::lair.mood AS domain, (1 + i % 2)::text::lair.mood AS c, ARRAY[(1 + i % 2)::text::lair.mood] AS l,
    i % 5 AS n, (i % 7)::lair.checked AS k, (1 + i % 2)::text::lair.checked_mood AS m, (i % 5)::text AS t
  FROM generate_series(1, 300) i;
UPDATE lair.visits SET domain = '2' WHERE n < 3;
RESET ROLE;
DO $$
DECLARE
  other text;
BEGIN
  FOREACH other IN ARRAY '{text,varchar,bpchar,name,int2,int4,int8,oid,numeric,float4,float8,bool,date,timestamp,timestamptz,uuid,inet}'::text[] LOOP
    EXECUTE format('CREATE FUNCTION lair.to_mood(%s) RETURNS lair.mood LANGUAGE plpgsql AS %L', other, 'BEGIN PERFORM nextval(''lair.spy''); RETURN enum_first(NULL::lair.mood); END');
    EXECUTE format('CREATE FUNCTION lair.to_%s(lair.mood) RETURNS %1$s LANGUAGE plpgsql AS %L', other, 'BEGIN PERFORM nextval(''lair.spy''); RETURN NULL; END');
    EXECUTE format('ALTER FUNCTION lair.to_mood(%s) OWNER TO aread_mallory', other);
    EXECUTE format('ALTER FUNCTION lair.to_%s(lair.mood) OWNER TO aread_mallory', other);
    EXECUTE format('CREATE CAST (%s AS lair.mood) WITH FUNCTION lair.to_mood(%1$s) AS ASSIGNMENT', other);
    EXECUTE format('CREATE CAST (lair.mood AS %s) WITH FUNCTION lair.to_%1$s(lair.mood) AS ASSIGNMENT', other);
  END LOOP;
END $$;
SET LOCAL ROLE aread_mallory;
CREATE OR REPLACE FUNCTION lair.positive(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('lair.spy'); RETURN true; END $$;
SELECT is(lair.train('lair.visits', 'trap'), 1, 'training over one''s own types');
SELECT aread_grant('trap', 'public'), aread_grant('trap', 'public', 'explain');
GRANT SELECT ON lair.visits TO PUBLIC;
RESET ROLE;
SELECT is(lair.ran(), 0::bigint, 'no constraint of a domain is checked');

-- as values of its own type they need no cast
CREATE FUNCTION lair.harmless() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  statement text;
BEGIN
  FOREACH statement IN ARRAY ARRAY[
    $q$SELECT aread_predict('trap', v) > 0 FROM lair.visits v LIMIT 1$q$,
    $q$SELECT "rows" > 0 FROM aread_evaluate('trap', 'lair.visits')$q$,
    $q$SELECT count(*) > 0 FROM aread_drift('trap', 'lair.visits')$q$,
    $q$SELECT lair.train('lair.visits', 'own' || session_user || current_user) > 0$q$,
    $q$SELECT count(*) >= 0 FROM aread_augment(NULL::lair.visits, item_id => 'k')$q$,
    $q$SELECT count(*) > 0 FROM aread_popularity('lair.visits', item_id => 'm')$q$,
    $q$SELECT aread_grouped_auc(n, label, m) IS NOT NULL FROM lair.visits$q$,
    $q$SELECT aread_grouped_auc(n, label, ROW(k, m, c)::record) IS NOT NULL FROM lair.visits$q$,
    $q$SELECT aread_grouped_auc(n, label, (k, c)::lair.pair) IS NOT NULL FROM lair.visits$q$] LOOP
    IF lair.outcome(statement) IS DISTINCT FROM 'true' THEN
      RETURN NEXT statement || ': ' || lair.outcome(statement);
    END IF;
  END LOOP;
END $$;

-- every way in, with a value that a cast of mallory's would take
CREATE FUNCTION lair.ways(value text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format(f, value) FROM unnest(ARRAY[
    'SELECT aread_predict(''trap'', x) FROM (SELECT %s AS c, ''1''::lair.mood AS domain) x',
    'SELECT aread_predict(''trap'', x) FROM (SELECT %s AS m, ''1''::lair.mood AS domain) x',
    'SELECT aread_predict(''trap'', x) FROM (SELECT %s AS domain) x',
    'SELECT sum(aread_predict(''trap'', x)) FROM (SELECT %s AS c, ''1''::lair.mood AS domain FROM generate_series(1, 3)) x',
    'SELECT aread_predict(''trap'', x) FROM (SELECT ARRAY[%s] AS l, ''1''::lair.mood AS domain) x',
    'SELECT aread_predict(''trap'', x, %s) FROM (SELECT 1 AS n) x',
    'SELECT count(*) FROM aread_explain(''trap'', (SELECT x FROM (SELECT %s AS c, ''1''::lair.mood AS domain) x))',
    'SELECT count(*) FROM aread_drift(''trap'', ''lair.foreign_values'')',
    'SELECT "rows" FROM aread_evaluate(''trap'', ''lair.foreign_values'')',
    'SELECT count(*) FROM aread_evaluate_domains(''trap'', ''lair.foreign_values'')']) f $$;
CREATE FUNCTION lair.json_ways() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format(f, type) FROM unnest('{jsonb,json,text}'::text[]) type, unnest(ARRAY[
    $q$SELECT aread_predict('trap', '{"c": "1", "n": 1, "domain": "1"}'::%s)$q$,
    $q$SELECT aread_predict('trap', '{"c": 1, "n": 1}'::%s, '1'::lair.mood)$q$,
    $q$SELECT aread_predict('trap', '{"c": true, "n": 1}'::%s, '1'::lair.mood)$q$,
    $q$SELECT aread_predict('trap', '{"m": true, "n": 1}'::%s, '1'::lair.mood)$q$,
    $q$SELECT aread_predict('trap', '{"l": ["1"], "n": 1}'::%s, '1'::lair.mood)$q$,
    $q$SELECT aread_predict('trap', '{"l": [2], "n": 1}'::%s, '1'::lair.mood)$q$,
    $q$SELECT aread_predict('trap', '{"domain": "1", "n": 1}'::%s)$q$,
    $q$SELECT aread_predict('trap', '{"n": 1}'::%s, 1)$q$,
    $q$SELECT count(*) FROM aread_explain('trap', '{"c": "1", "domain": "1"}'::%s)$q$]) f $$;
-- what is no error by right, and what is not refused
CREATE FUNCTION lair.through() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  value text;
  statement text;
BEGIN
  FOREACH value IN ARRAY ARRAY['''1''::text', '''1''::varchar', '''1''::char(3)', '''1''::name', '1::int2', '1', '1::int8', '1::oid', '1::numeric', '1::float4', '1::float8',
      'true', 'date ''2024-01-01''', 'timestamp ''2024-01-01''', 'timestamptz ''2024-01-01''', 'gen_random_uuid()', 'inet ''::1'''] LOOP
    EXECUTE format('CREATE VIEW lair.foreign_values AS SELECT 1 AS label, ''1''::lair.mood AS domain, %s AS c', value);
    FOR statement IN SELECT lair.ways(value) LOOP
      IF lair.outcome(statement) NOT LIKE '42501 feature "%" cannot take a value of type %' THEN
        RETURN NEXT statement || ': ' || lair.outcome(statement);
      END IF;
    END LOOP;
    DROP VIEW lair.foreign_values;
  END LOOP;
  FOR statement IN SELECT lair.json_ways() LOOP
    IF lair.outcome(statement) NOT LIKE '42501 feature "%" cannot take a value of type %' THEN
      RETURN NEXT statement || ': ' || lair.outcome(statement);
    END IF;
  END LOOP;
END $$;
SELECT is_empty('SELECT lair.harmless()', 'a superuser: values of mallory''s types');
SELECT isnt_empty($$SELECT aread_explain('trap', (SELECT v FROM lair.visits v LIMIT 1))$$, 'explained, too');
SELECT is_empty('SELECT lair.through()', 'a superuser: no cast of mallory''s in any way in');
GRANT CREATE ON SCHEMA lair TO aread_victim;
SET LOCAL ROLE aread_victim;
SELECT is_empty('SELECT lair.harmless()', 'another: values of mallory''s types');
SELECT is_empty('SELECT lair.through()', 'another: no cast of mallory''s in any way in');
RESET ROLE;
SELECT is(lair.ran(), 0::bigint, 'and nothing of it ran');
SET LOCAL ROLE aread_mallory;
SELECT is(aread_predict('trap', '{"c": "2", "domain": "1"}'), aread_predict('trap', '{"c": "1", "domain": "1"}'), 'one''s own cast decides: each is 1');
SELECT cmp_ok(lair.ran(), '>', 0::bigint, 'so it ran');
RESET ROLE;
SELECT setval('lair.spy', 1, false);
SELECT throws_like($$SELECT aread_predict('trap', '{"c": "1", "domain": "1"}')$$, 'feature "%" cannot take a value of type text as lair.mood', 'the error names feature and types');

-- a model that came by import names the same types
SELECT aread_import(aread_export('trap'), 'imported');
SELECT throws_like($$SELECT aread_predict('imported', '{"c": "1", "domain": "1"}')$$, 'feature "%" cannot take a value of type text as lair.mood', 'a model imported by another');
SELECT is(aread_predict('imported', v), aread_predict('trap', v), 'which scores as before') FROM lair.visits v LIMIT 1;

-- values of mallory's type for models over built-in ones
CREATE SCHEMA aread_victim AUTHORIZATION aread_victim;
SET LOCAL ROLE aread_victim;
CREATE TABLE aread_victim.visits AS SELECT (i * 13 % 29 < 11)::int AS label, (i % 3)::text AS domain, (i % 3)::text AS t, i % 3 AS i, i % 3 = 0 AS b, i % 3 * 1.5 AS x,
  date '2024-01-01' + i % 3 AS d, ARRAY[(i % 3)::text] AS l FROM generate_series(1, 300) i;
SELECT is(lair.train('aread_victim.visits', 'plain'), 1, 'a model over built-in types');
CREATE FUNCTION lair.built_in() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format('%s: %s', f, o) FROM unnest('{t,i,b,x,d,domain}'::text[]) f, lair.outcome(format('SELECT aread_predict(''plain'', r) FROM (SELECT ''1''::lair.mood AS %I, ''1'' AS %I) r', f, CASE f WHEN 'domain' THEN 't' ELSE 'domain' END)) o
  WHERE o NOT LIKE '42501 feature "' || f || '" cannot take a value of type lair.mood as %'
  UNION ALL SELECT o FROM lair.outcome($q$SELECT aread_predict('plain', x) FROM (SELECT ARRAY['1'::lair.mood] AS l, '1' AS domain) x$q$) o WHERE o NOT LIKE '42501 %'
  UNION ALL SELECT o FROM lair.outcome($q$SELECT aread_predict('plain', '{"i": 1}'::jsonb, '1'::lair.mood)$q$) o WHERE o NOT LIKE '42501 %' $$;
SELECT is_empty('SELECT lair.built_in()', 'no cast from mallory''s type');
RESET ROLE;
SELECT is_empty('SELECT lair.built_in()', 'for superusers, too');
SELECT is(lair.ran(), 0::bigint, 'none ran');

-- whose function, and who may execute it
CREATE TYPE lair.level AS ENUM ('low', 'high');
CREATE FUNCTION lair.level(text) RETURNS lair.level LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('lair.spy'); RETURN enum_first(NULL::lair.level); END $$;
CREATE CAST (text AS lair.level) WITH FUNCTION lair.level(text) AS ASSIGNMENT;
CREATE TABLE lair.levels AS SELECT (i * 13 % 29 < 11)::int AS label, (i % 3)::text AS domain, (ARRAY['low', 'high'])[1 + i % 2]::lair.level AS lev FROM generate_series(1, 300) i;
GRANT SELECT ON lair.levels TO PUBLIC;
SELECT setval('lair.spy', 1, false);
SET LOCAL ROLE aread_victim;
-- the cast makes one level of all: nobody would have it as a feature who does not say so
SELECT lair.train('lair.levels', 'levels', '{"features": {"lev": {"kind": "categorical"}}}');
SELECT aread_grant('levels', 'public');
-- one call site for all that follows: its encoders must not outlive rights
CREATE FUNCTION lair.score() RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN RETURN aread_predict('levels', '{"lev": "any", "domain": "1"}'::jsonb); END $$;
SELECT ok(lair.score() > 0, 'a superuser''s function that the caller may execute');
SELECT is(lair.ran(), 1::bigint, 'is called');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION lair.level(text) FROM PUBLIC;
SET LOCAL ROLE aread_victim;
SELECT throws_like($$SELECT lair.score()$$, 'feature "lev" cannot take a value of type text as lair.level', 'not any more when the right is gone');
RESET ROLE;
SELECT ok(lair.score() > 0, 'the owner may');
SET LOCAL ROLE aread_victim;
SELECT throws_ok($$SELECT lair.score()$$, '42501', NULL, 'and the caller, at the same call, may not');
RESET ROLE;
GRANT EXECUTE ON FUNCTION lair.level(text) TO aread_victim;
ALTER FUNCTION lair.level(text) SECURITY DEFINER;
SET LOCAL ROLE aread_victim;
SELECT ok(lair.score() > 0, 'until it is back, as whomever the function runs');
RESET ROLE;
ALTER FUNCTION lair.level(text) OWNER TO aread_mallory;
GRANT EXECUTE ON FUNCTION lair.level(text) TO PUBLIC;
SELECT setval('lair.spy', 1, false);
SET LOCAL ROLE aread_victim;
SELECT throws_ok($$SELECT lair.score()$$, '42501', NULL, 'another''s function, SECURITY DEFINER or not');
RESET ROLE;
SELECT throws_ok($$SELECT lair.score()$$, '42501', NULL, 'for superusers, too');
ALTER FUNCTION lair.level(text) SECURITY INVOKER;
SELECT throws_ok($$SELECT lair.score()$$, '42501', NULL, 'as the caller');
SELECT is(lair.ran(), 0::bigint, 'is not called');
ALTER ROLE aread_mallory SUPERUSER;
SELECT ok(lair.score() > 0, 'of a role that becomes superuser');
ALTER ROLE aread_mallory NOSUPERUSER;
SELECT throws_ok($$SELECT lair.score()$$, '42501', NULL, 'and is one no more');
ALTER FUNCTION lair.level(text) OWNER TO aread_victim;
SELECT setval('lair.spy', 1, false);
SELECT throws_ok($$SELECT lair.score()$$, '42501', NULL, 'a user''s function');
SET LOCAL ROLE aread_victim;
SELECT ok(lair.score() > 0, 'the user''s own call');
SELECT is(lair.ran(), 1::bigint, 'runs it');
RESET ROLE;
DROP CAST (text AS lair.level);
SELECT is(lair.score(), aread_predict('levels', '{"lev": "other", "domain": "1"}'), 'without the cast a label that there is not is one never seen');
CREATE CAST (text AS lair.level) WITH INOUT AS ASSIGNMENT;
SELECT is(lair.score(), aread_predict('levels', '{"lev": "other", "domain": "1"}'), 'as with a cast that says so');
SELECT isnt(lair.score(), aread_predict('levels', '{"lev": "low", "domain": "1"}'), 'which a label is not');

-- types that others made of parts of C are a superuser's to give away
CREATE FUNCTION lair.make_type(name text, likeness text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TYPE lair.%I', name);
  EXECUTE format('CREATE FUNCTION lair.%I(cstring) RETURNS lair.%I LANGUAGE internal IMMUTABLE STRICT AS %L', name || '_in', name,
    (SELECT prosrc FROM pg_proc p JOIN pg_type t ON p.oid = t.typinput WHERE t.oid = likeness::regtype));
  EXECUTE format('CREATE FUNCTION lair.%I(lair.%I) RETURNS cstring LANGUAGE internal STABLE STRICT AS %L', name || '_out', name,
    (SELECT prosrc FROM pg_proc p JOIN pg_type t ON p.oid = t.typoutput WHERE t.oid = likeness::regtype));
  EXECUTE format('CREATE TYPE lair.%I (INPUT = lair.%I, OUTPUT = lair.%I, LIKE = %s)', name, name || '_in', name || '_out', likeness);
END $$;
SELECT lair.make_type('real8', 'float8');
CREATE TABLE lair.reals AS SELECT (i * 13 % 29 < 11)::int AS label, (i % 3)::text AS domain, (i % 9 / 7.0)::text AS t FROM generate_series(1, 300) i;
ALTER TABLE lair.reals ADD r lair.real8;
UPDATE lair.reals SET r = t::lair.real8;
SELECT lair.train('lair.reals', 'reals');
SELECT ok(aread_predict('reals', '{"r": "0.5", "domain": "1"}') > 0, 'a base type of one''s own');
ALTER FUNCTION lair.real8_out(lair.real8) OWNER TO aread_mallory;
SELECT throws_like($$SELECT aread_predict('reals', '{"r": "0.5", "domain": "1"}')$$, 'values of type lair.real8 cannot be read or written', 'its output function of another''s');
SELECT throws_like($$SELECT lair.train('lair.reals', 'reals')$$, 'values of type lair.real8 cannot be read or written', 'in training, too');
ALTER FUNCTION lair.real8_out(lair.real8) OWNER TO CURRENT_USER;
SELECT ok(aread_predict('reals', '{"r": "0.5", "domain": "1"}') > 0, 'back again');

-- settings change no key of such types, nor of those of extensions
CREATE TABLE lair.keys (type text, value text);
INSERT INTO lair.keys VALUES ('lair.real8', 'i % 9 / 7.0');
SELECT lair.make_type('moment', 'timestamptz'), lair.make_type('while', 'interval'), lair.make_type('bytes', 'bytea');
INSERT INTO lair.keys VALUES ('lair.moment', 'timestamptz ''2024-03-30 UTC'' + i % 9 * interval ''1 hour'''), ('lair.while', 'i % 9 * interval ''1 day 2 hours''');
INSERT INTO lair.keys VALUES ('lair.bytes', '''a\\00'' || i % 9');
INSERT INTO lair.keys SELECT e, value FROM (VALUES ('cube', 'format(''(%s)'', i % 9 / 7.0)'), ('seg', 'i % 9 / 7.0'), ('citext', '''K'' || i % 9'), ('ltree', '''a.b'' || i % 9'),
  ('hstore', '''a=>'' || i % 9'), ('isbn13', '(ARRAY[''978-0-306-40615-7'', ''978-3-16-148410-0''])[1 + i % 2]')) e(e, value)
WHERE EXISTS (SELECT FROM pg_available_extensions WHERE name = CASE e WHEN 'isbn13' THEN 'isn' ELSE e END);
DO $$
DECLARE
  extension text;
BEGIN
  FOR extension IN SELECT CASE type WHEN 'isbn13' THEN 'isn' ELSE type END FROM lair.keys WHERE type NOT LIKE 'lair.%' LOOP
    EXECUTE format('CREATE EXTENSION IF NOT EXISTS %I SCHEMA public', extension);
  END LOOP;
END $$;
CREATE FUNCTION lair.key_results(type text, value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  EXECUTE format('CREATE TABLE lair.source AS SELECT (i * 13 %% 29 < 11)::int AS label, (i %% 3)::text AS domain, (%s)::text::%s AS k FROM generate_series(1, 300) i', value, type);
  PERFORM lair.train('lair.source', 'keys');
  SELECT format('%s %s', (SELECT crc FROM aread.model WHERE model = 'keys' AND deployed), (SELECT sum(aread_predict('keys', s))::numeric FROM lair.source s)) INTO result;
  DROP TABLE lair.source;
  RETURN result;
END $$;
CREATE TABLE lair.results AS SELECT type, lair.key_results(type, value) AS result FROM lair.keys;
SET LOCAL extra_float_digits = -5;
SET LOCAL bytea_output = escape;
SET LOCAL IntervalStyle = iso_8601;
SET LOCAL DateStyle = 'German, DMY';
SET LOCAL TimeZone = 'Asia/Tokyo';
SELECT is(lair.key_results(type, value), result, type) FROM lair.keys JOIN lair.results USING (type) WHERE type NOT IN ('lair.moment', 'lair.while', 'lair.bytes');
-- written in one style and read in another
RESET bytea_output;
RESET IntervalStyle;
RESET DateStyle;
CREATE TABLE lair.written AS SELECT (i * 13 % 29 < 11)::int AS label, (i % 3)::text AS domain, (timestamptz '2024-03-30 UTC' + i % 9 * interval '1 hour')::text::lair.moment AS m,
  (i % 9 * interval '1 day 2 hours')::text::lair.while AS w, ('a\\00' || i % 9)::lair.bytes AS b, (i % 9 / 7.0)::text::lair.real8 AS r FROM generate_series(1, 300) i;
SELECT lair.train('lair.written', 'written');
CREATE TABLE lair.scores AS SELECT sum(aread_predict('written', row)) FROM lair.written row;
SET LOCAL extra_float_digits = 3;
SET LOCAL bytea_output = escape;
SET LOCAL IntervalStyle = sql_standard;
SET LOCAL DateStyle = 'SQL, DMY';
SET LOCAL TimeZone = 'America/New_York';
SELECT is((SELECT sum(aread_predict('written', row)) FROM lair.written row), sum, 'scores of rows do not depend on settings') FROM lair.scores;
SELECT lair.train('lair.written', 'written again');
SELECT is(count(DISTINCT crc), 1::bigint, 'nor does training') FROM aread.model WHERE model LIKE 'written%';
SELECT is(current_setting('extra_float_digits') || current_setting('DateStyle') || now()::text, '3SQL, DMY' || now(), 'and they are as they were set');
SELECT is((0.1::float8 + 0.2)::text, '0.30000000000000004', 'which shows');
RESET extra_float_digits;
RESET bytea_output;
RESET IntervalStyle;
RESET DateStyle;
RESET TimeZone;

-- types that are gone, or others by the same name: a session that holds the model answers as one that has just loaded it
CREATE TABLE lair.signs AS SELECT (i * 13 % 29 < 11)::int AS label, (i % 3)::text AS domain, i % 7 AS n, (ARRAY['1', '2'])[1 + i % 2] AS c, ARRAY[(1 + i % 2)::text] AS l FROM generate_series(1, 300) i;
CREATE TYPE lair.sign AS ENUM ('1', '2');
ALTER TABLE lair.signs ALTER c TYPE lair.sign USING c::lair.sign, ALTER l TYPE lair.sign[] USING l::lair.sign[];
SELECT lair.train('lair.signs', 'signs');
CREATE FUNCTION lair.answers(model text DEFAULT 'signs') RETURNS TABLE (n bigint, answer text) LANGUAGE sql AS $$
  SELECT n, lair.outcome(format(s, model)) FROM unnest(ARRAY[
    $q$SELECT aread_predict(%L, s) FROM lair.signs s LIMIT 1$q$, $q$SELECT sum(aread_predict(%L, s)) FROM lair.signs s$q$,
    $q$SELECT aread_predict(%L, '{"c": "1", "domain": "1"}'::jsonb)$q$, $q$SELECT aread_predict(%L, '{"c": 2, "l": ["1"], "domain": "1"}'::json)$q$,
    $q$SELECT aread_predict(%L, '{"c": "other", "domain": "1"}'::text)$q$, $q$SELECT e::text FROM aread_evaluate(%L, 'lair.signs') e$q$,
    $q$SELECT string_agg(d::text, ' ') FROM aread_drift(%L, 'lair.signs') d$q$, $q$SELECT string_agg(e::text, ' ') FROM aread_explain(%L, '{"c": "1", "domain": "1"}'::jsonb) e$q$]) WITH ORDINALITY u(s, n) $$;
-- the answers now, some by a call site that was used before, and those of the model loaded anew, by another name that nothing keeps in use
CREATE FUNCTION lair.kept() RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN RETURN aread_predict('signs', '{"c": "1", "domain": "1"}'::jsonb); END $$;
CREATE FUNCTION lair.like_new(change text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  CREATE TABLE lair.before AS SELECT * FROM lair.answers();
  INSERT INTO lair.before VALUES (0, lair.outcome('SELECT lair.kept()'));
  PERFORM aread_cache_clear();
  RETURN QUERY SELECT is(b.answer, a.answer, change || ': ' || n) FROM lair.before b JOIN lair.answers('signs@1') a USING (n);
  RETURN NEXT is((SELECT b.answer FROM lair.before b WHERE n = 0), (SELECT b.answer FROM lair.before b WHERE n = 3), change || ': kept');
  RETURN NEXT unalike((SELECT string_agg(b.answer, ' ') FROM lair.before b), '%cache lookup%', change);
  DROP TABLE lair.before;
EXCEPTION WHEN others THEN
  RETURN NEXT fail(change || ': ' || sqlerrm);
END $$;
CREATE TABLE lair.at_first AS SELECT * FROM lair.answers();
SELECT unalike(answer, '22P02%', 'answers with the type: ' || n) FROM lair.at_first;
SELECT lair.like_new('as trained');
ALTER TABLE lair.signs ALTER c TYPE text, ALTER l TYPE text[];
DROP TYPE lair.sign;
SELECT lair.like_new('dropped');
SELECT is(a.answer, f.answer, 'a type that is gone counts as text: ' || n) FROM lair.answers() a JOIN lair.at_first f USING (n) WHERE n <> 7;
CREATE TYPE lair.sign AS (a int);
SELECT lair.like_new('composite');
DROP TYPE lair.sign;
CREATE TYPE lair.sign AS RANGE (subtype = int4);
SELECT lair.like_new('range');
DROP TYPE lair.sign;
CREATE TYPE lair.sign;
SELECT lair.like_new('shell');
DROP TYPE lair.sign;
CREATE DOMAIN lair.sign AS int CHECK (lair.positive(VALUE));
SELECT setval('lair.spy', 1, false);
SELECT lair.like_new('domain');
SELECT is(lair.ran(), 0::bigint, 'and its constraint is not checked');
SELECT is(answer LIKE '22P02%', n = 5, 'other by the type that has the name: ' || n) FROM lair.answers() WHERE n < 7;
DROP DOMAIN lair.sign;
CREATE TYPE lair.sign AS ENUM ('2', '3');
SELECT lair.like_new('another enum');
ALTER TYPE lair.sign RENAME TO old_sign;
SELECT lair.like_new('renamed');
ALTER TYPE lair.old_sign RENAME TO sign;
ALTER SCHEMA lair RENAME TO den;
SET LOCAL search_path = den, public;
SELECT is(den.outcome($$SELECT aread_predict('signs', '{"c": "1", "domain": "1"}'::jsonb)$$), (SELECT answer FROM den.at_first WHERE n = 3), 'a schema that is renamed takes its types along');
ALTER SCHEMA den RENAME TO lair;
RESET search_path;
SELECT lair.like_new('the schema''s name again');
CREATE FUNCTION lair.to_sign(text) RETURNS lair.sign LANGUAGE plpgsql AS $$ BEGIN RETURN enum_last(NULL::lair.sign); END $$;
CREATE CAST (text AS lair.sign) WITH FUNCTION lair.to_sign(text) AS ASSIGNMENT;
SELECT lair.like_new('with a cast');
DROP FUNCTION lair.to_sign(text) CASCADE;
SELECT lair.like_new('without it');

-- names of types are stored text: no more is made of them than a schema's type
UPDATE aread.stored_version SET software = 'aread 0.1.0' WHERE version_id = (SELECT max(version_id) FROM aread.stored_version);
DROP TYPE lair.sign;
CREATE FUNCTION lair.named(stored text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  UPDATE aread.stored_feature SET type_name = stored WHERE name = 'c' AND version_id = (SELECT max(version_id) FROM aread.stored_version);
  PERFORM aread_cache_clear();
  RETURN lair.outcome($q$SELECT aread_predict('signs@1', '{"c": "other", "domain": "1"}'::jsonb)$q$);
END $$;
CREATE TABLE lair.texts AS SELECT lair.named('pg_catalog.text') AS score;
SELECT unalike(score, '%\ %', 'a name of version 0.1.0') FROM lair.texts;
SELECT is(lair.named('integer'), '22P02 invalid input syntax for type integer: "other"', 'a standard name');
SELECT is(lair.named('lair.mood'), '42501 feature "c" cannot take a value of type text as lair.mood', 'a schema''s type');
SELECT is(lair.named(n), score, format('"%s" counts as text', left(n, 40)))
FROM lair.texts, unnest(ARRAY['', ' ', '.', 'lair.', '.mood', 'lair.gone', 'gone.mood', 'int4', 'mood', 'lair.mood[]', 'lair.mood(1)', 'lair.mood; DROP TABLE lair.keys', '"lair.mood', '"lair"."mood"""',
  'setof lair.mood', 'lair.visits.c%TYPE', 'pg_catalog.numeric(1001)', 'pg_catalog.varchar(0)', 'interval second(7)', 'a.b.lair.mood', 'pg_temp.mood', 'lair.pair', 'lair.span', 'lair.spy',
  'pg_catalog.unknown', 'pg_catalog.any', 'pg_catalog.internal', 'pg_catalog.cstring', repeat('x', 100000), repeat('x', 100) || '.' || repeat('y', 100), repeat('a.', 10000) || 'a']) n;

RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
