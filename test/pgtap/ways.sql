-- A value scores the same whichever way it comes in; one past its feature's type is one never seen; of a word that is no value the error says whose.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL TimeZone = 'Europe/Berlin';
SET LOCAL extra_float_digits = 1;
SELECT no_plan();

CREATE SCHEMA ways;
SET LOCAL search_path = ways, public;
CREATE TYPE mood AS ENUM ('sad', 'glad', '1', 'true', 'no blank');
CREATE TYPE other_mood AS ENUM ('glad', 'sad', 'other');
CREATE DOMAIN small AS int CHECK (VALUE < 1000);
CREATE DOMAIN price AS numeric(12, 2);
CREATE DOMAIN word AS varchar(20);

-- types with values to train with, values never trained with, and what other types they may come in
CREATE TABLE kinds (type text PRIMARY KEY, number boolean, seen text[], unseen text, others text[]);
INSERT INTO kinds VALUES
  ('int2', true, '{0,1,-1,7,32767,-32768}', '77', '{int4,int8,float4,float8,numeric,small,price,oid}'),
  ('int4', true, '{0,1,-1,7,32767,16777217,2147483647,-2147483648}', '77', '{int2,int8,float4,float8,numeric,oid}'),
  ('int8', true, '{0,1,-1,2147483648,9007199254740992,9007199254740993,9223372036854775807,-9223372036854775808}', '77', '{int2,int4,float4,float8,numeric,oid}'),
  ('oid', false, '{0,1,7,2147483648,4294967295}', '77', '{int8,numeric,float8}'),
  ('small', true, '{0,1,-7,999}', '77', '{int2,int8,numeric,float4}'),
  ('float4', true, '{0,0.1,0.2,0.4,0.7,-0.1,1e-40,16777216,1e20,1e-5,3.4028235e38,-3.4028235e38,NaN,Infinity,-Infinity}', '77.7', '{float8,numeric,int2,int4,int8,price}'),
  ('float8', true, '{0,0.1,0.2,0.4,0.7,-0.1,0.30000000000000004,1.00000005960464477539,5e-324,9007199254740992,1e20,1e-5,1e308,-1e308,NaN,Infinity,-Infinity}', '77.7', '{float4,numeric,int2,int4,int8,price}'),
  ('numeric', true, '{0,0.1,0.2,0.7,1.5,-1.5,0.30000000000000004,1e30,12345678901234567890.123,1e-20,NaN,Infinity,-Infinity}', '77.7', '{float4,float8,int2,int4,int8,price}'),
  ('price', true, '{0.10,0.7,1.50,2,1000000.01}', '77.7', '{float4,float8,numeric,int4}'),
  ('bool', false, '{t,f}', NULL, '{int4}'),
  ('text', false, '{a,A," a",ab,"",é,42,1.50,true,2024-01-02,sad}', 'zz', '{word,name,int4,int8,numeric,bool,mood}'),
  ('varchar', false, '{a,A," a",ab,"",é,42}', 'zz', '{text,word,name,int4}'),
  ('char(9)', false, '{a,A," a",ab,"","é","42"}', 'zz', '{text,varchar,name,int4,char(5)}'),
  ('name', false, '{a,A,ab,42,xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx}', 'zz', '{text,varchar,int4}'),
  ('"char"', false, '{a,b,1}', 'z', '{text,varchar}'),
  ('word', false, '{a,ab,42}', 'zz', '{text,name}'),
  ('mood', false, '{sad,glad,1,true}', 'no blank', '{other_mood,text,name,int4,bool}'),
  ('date', false, '{2024-01-02,2024-02-29,0044-03-15 BC,5874897-12-31,infinity,-infinity}', '2001-01-01', '{timestamp,timestamptz}'),
  ('timestamp', false, '{2024-01-02,2024-01-02 10:00:00.123456,2024-03-31 02:30,0044-03-15 12:00 BC,294276-12-31,infinity,-infinity}', '2001-01-01', '{date,timestamptz}'),
  ('timestamptz', false, '{2024-01-02,2024-01-02 10:00:00.123456+05,2024-10-27 00:30Z,2024-10-27 01:30Z,0044-03-15 12:00Z BC,infinity,-infinity}', '2001-01-01', '{date,timestamp}'),
  ('time', false, '{00:00,10:00:00.5,24:00}', '11:11', '{}'),
  ('timetz', false, '{00:00Z,10:00:00.5+02}', '11:11Z', '{}'),
  ('uuid', false, '{00000000-0000-0000-0000-000000000000,a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', '{}'),
  ('inet', false, '{10.0.0.1,10.0.0.0/8,::1}', '10.1.1.1', '{}'),
  ('macaddr', false, '{08:00:2b:01:02:03,00:00:00:00:00:00}', '08:00:2b:01:02:04', '{}'),
  ('bit(3)', false, '{101,000}', '111', '{varbit}'),
  ('varbit', false, '{101,0,1}', '111', '{}'),
  ('pg_lsn', false, '{16/B374D848,0/0}', '1/1', '{}');

-- x: categorical, b: binned, l: a list, d: the domain
CREATE FUNCTION train(k kinds) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  name text := 'ways_' || k.type;
BEGIN
  EXECUTE format('CREATE TABLE %I AS SELECT (i * 37 %% 101 < 10 + 80 * n / cardinality($1))::int AS label, (ARRAY[''valid'', ''test'', ''train''])[least(1 + i %% 10, 3)] AS split, i, v, v::%s AS d, v::%2$s AS x, v::%2$s AS b, ARRAY[v::%2$s] AS l
    FROM unnest($1) WITH ORDINALITY u(v, n), generate_series(1, 202) i', name, k.type) USING k.seen;
  PERFORM aread_train(quote_ident(name)::regclass, name, label => 'label', domain => 'd', split => 'split', features => CASE WHEN k.number THEN '{x,b,l}' ELSE '{x,l}' END::text[],
    options => '{"architecture": "wide", "features": {"x": {"kind": "categorical"}, "l": {"kind": "list"}, "d": {"kind": "categorical"}}}'::jsonb
      || CASE WHEN k.number THEN '{"features": {"x": {"kind": "categorical"}, "l": {"kind": "list"}, "d": {"kind": "categorical"}, "b": {"kind": "binned", "bins": 50}}}' ELSE '{}' END::jsonb);
END $$;
SELECT train(kinds) FROM kinds;

-- the scores of a value, an expression, in each way: as x, l, d, and b
CREATE FUNCTION scores(type text, number boolean, value text) RETURNS TABLE (feature text, way text, score float8) LANGUAGE plpgsql AS $$
DECLARE
  m text := quote_literal('ways_' || type);
BEGIN
  RETURN QUERY EXECUTE 'WITH given AS MATERIALIZED (SELECT ' || value || ' AS v), rx AS (SELECT v AS x FROM given), rb AS (SELECT v AS b FROM given), rl AS (SELECT ARRAY[v] AS l FROM given),
      rll AS (SELECT ARRAY[ARRAY[v]] AS l FROM given), rd AS (SELECT v AS d, 1 AS other FROM given)
    SELECT s.* FROM given, rx, rb, rl, rll, rd, LATERAL (VALUES '
    || (SELECT string_agg(format('(%L, %L, aread_predict(%s, %s, NULL::text))', left(f, 1), w, m, format(w, 'r' || f)), ', ')
        FROM unnest(CASE WHEN number THEN '{x,b,l,ll}' ELSE '{x,l,ll}' END::text[]) f, unnest('{%s,to_jsonb(%s),row_to_json(%s),to_jsonb(%s)::text}'::text[]) w)
    || (SELECT string_agg(format(', (%L, %L, aread_predict(%s, %s))', 'd', w, m, w), '') FROM unnest('{rd,to_jsonb(rd),row_to_json(rd),to_json(rd)::text,"''{}''::jsonb, v","''{}'', v","rd, v"}'::text[]) w
        WHERE w NOT LIKE '%, v' OR value NOT LIKE '%"char"')
    || ') s';
EXCEPTION WHEN others THEN
  RETURN QUERY VALUES ('error', value || ': ' || sqlstate || ' ' || sqlerrm, NULL::float8);
END $$;
-- is the value the same as of another type?
CREATE FUNCTION comes_as(value text, type text, other text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  same boolean;
BEGIN
  EXECUTE format('SELECT %L::%s::%s::text::%2$s::text = %1$L::%2$s::text AND %1$L::%2$s::%3$s::text NOT LIKE ''%% ''', value, type, other) INTO same;
  RETURN same AND NOT (other = 'oid' AND value ~ '-');
EXCEPTION WHEN others THEN
  RETURN false;
END $$;
-- does a type hold all of a number's digits?
CREATE FUNCTION holds(other text, digits text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  same boolean;
BEGIN
  EXECUTE format('SELECT %L::%s::text::numeric = %1$L::numeric', digits, other) INTO same;
  RETURN same;
EXCEPTION WHEN others THEN
  RETURN false;
END $$;
-- the same value as text, and as whatever else holds it; to_jsonb() of char(n) has blanks, which only char(n) does not see
CREATE FUNCTION forms(k kinds, value text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format('%L::%s', value, k.type)
  UNION ALL SELECT format('%L::%s::text::%s', value, k.type, t) FROM unnest('{text,varchar}'::text[]) t
  UNION ALL SELECT format('%L::%s::text::name', value, k.type) WHERE length(value) < 40
  UNION ALL SELECT format('%L::char(70)', value) WHERE k.type LIKE 'char%' OR k.number
  UNION ALL SELECT format('%L::%s::%s', value, k.type, o) FROM unnest(k.others) o WHERE comes_as(value, k.type, o)
  -- numbers are known by their digits
  UNION ALL SELECT format('%L::%s', value, o) FROM unnest(k.others) o WHERE k.number AND holds(o, value)
  UNION ALL SELECT format('%L::text', f) FROM unnest(ARRAY[' ' || value || ' ', '+' || value, value || '.0', value || 'e0', '0' || value, value || '0e-1']) f
    WHERE k.number AND value ~ '^[0-9]+$'
  UNION ALL SELECT format('%L::text', upper(value)) WHERE k.type IN ('uuid', 'macaddr') $$;

CREATE TABLE base AS SELECT k.type, v, feature, way, score FROM kinds k, unnest(seen || unseen) v, scores(k.type, number, format('%L::%s', v, k.type)) WHERE v IS NOT NULL AND (way IN ('%s', 'rd') OR feature = 'error');
CREATE TABLE results AS SELECT k.type, v, f AS form, s.* FROM kinds k, unnest(seen || unseen) v, forms(k, v) f, scores(k.type, number, f) s WHERE v IS NOT NULL;
SELECT is_empty('SELECT * FROM base WHERE feature = ''error''', 'values of each type are scored');
SELECT is_empty($$SELECT r.* FROM results r LEFT JOIN base b ON b.type = r.type AND b.v = r.v AND b.feature = r.feature WHERE r.score IS DISTINCT FROM b.score LIMIT 20$$,
  format('the same in %s ways of %s forms of %s values of %s types', count(*), count(DISTINCT form), count(DISTINCT v), count(DISTINCT type))) FROM results;
-- and no two values are one
SELECT is(count(DISTINCT score), count(*), format('values of %s as %s', type, feature)) FROM (SELECT DISTINCT type, feature, score, coalesce(nullif(v, '-0'), '0') FROM base WHERE feature IN ('x', 'd', 'l')) b GROUP BY type, feature ORDER BY type, feature;
SELECT cmp_ok(count(DISTINCT score), '>=', 3::bigint, 'bins of ' || type) FROM base WHERE feature = 'b' GROUP BY type ORDER BY type;
SELECT is((SELECT count(DISTINCT score) FROM base WHERE type = t AND feature = 'b' AND v IN ('0', '0.1', '0.2', '0.7')), 4::bigint, t || ': bins of what has no exact digits') FROM unnest('{float4,float8,numeric}'::text[]) t;
SELECT is(b.score, a.score, t || ': -0 is 0') FROM unnest('{float4,float8}'::text[]) t, (VALUES ('x'), ('b')) f(f),
  LATERAL (SELECT score FROM base WHERE type = t AND v = '0' AND feature = f) a, LATERAL (SELECT score FROM scores(t, true, '''-0''::' || t) s WHERE s.feature = f) b;

-- batch scans
CREATE FUNCTION batched(type text, batch boolean, form text) RETURNS TABLE (v text, score float8, scans bigint) LANGUAGE plpgsql AS $$
DECLARE
  query text := format('SELECT v, aread_predict(%L, r, NULL::text) AS score FROM (SELECT v, x%s AS x FROM %I WHERE i <= 3) r', 'ways_' || type, form, 'ways_' || type);
  line text;
  n bigint := 0;
BEGIN
  PERFORM set_config('aread.batch_scan', batch::text, true);
  FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
    n := n + (line LIKE '%(aread_predict)%')::int;
  END LOOP;
  RETURN QUERY EXECUTE format('SELECT *, $1 FROM (%s) q', query) USING n;
END $$;
CREATE TABLE in_batches AS SELECT type, batch, f, s.* FROM kinds, unnest('{on,off}'::boolean[]) batch, unnest('{"",::text}'::text[]) f, batched(type, batch, f) s;
SELECT is(scans, batch::int::bigint, format('batch scan %s: %s', batch, count(*))) FROM in_batches GROUP BY batch, scans;
SELECT is_empty($$SELECT s.*, b.score FROM in_batches s JOIN base b USING (type, v) WHERE b.feature = 'x' AND abs(b.score - s.score) > 1e-6$$, 'the same in a batch scan, and without');

-- and in sources that are evaluated
CREATE FUNCTION evaluated(type text, other text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  EXECUTE format('CREATE VIEW other AS SELECT label, d::%s AS d, x::%1$s AS x, b::%1$s AS b, l::%1$s[] AS l FROM %I', other, 'ways_' || type);
  SELECT format('%s %s %s', e.auc::numeric(9, 6), e.log_loss::numeric(9, 6), (SELECT sum(d.unseen) FROM aread_drift('ways_' || type, 'other') d)) INTO result FROM aread_evaluate('ways_' || type, 'other') e;
  DROP VIEW other;
  RETURN result;
END $$;
SELECT is(evaluated(type, other), evaluated(type, type), format('%s evaluated as %s', type, other))
FROM (VALUES ('float4', 'text'), ('float4', 'float8'), ('float8', 'text'), ('int4', 'text'), ('int4', 'numeric'), ('numeric', 'text'), ('bool', 'text'), ('date', 'text'), ('char(9)', 'text')) t(type, other);

-- past the type: never seen, and in the outermost bin
CREATE TABLE past (type text, digits text, bin text);
INSERT INTO past SELECT type, sign || d, CASE sign WHEN '' THEN seen[array_upper(seen, 1) - 1] ELSE seen[array_upper(seen, 1)] END FROM kinds, unnest('{"",-}'::text[]) sign, unnest('{99999999999999999999,1e30,1e400}'::text[]) d WHERE type IN ('int2', 'int4', 'int8');
INSERT INTO past VALUES ('int2', '32768', '32767'), ('int2', '3000000000', '32767'), ('int2', '-32769', '-32768'), ('int4', '3000000000', '2147483647'), ('int4', '-2147483649', '-2147483648'),
  ('int8', '9223372036854775808', '9223372036854775807'), ('small', '3000000000', '999'), ('oid', '4294967296', NULL), ('oid', '-1', NULL),
  ('float4', '1e39', 'Infinity'), ('float4', '-1e39', '-Infinity'), ('float4', '1e400', 'Infinity'), ('float4', '1e-60', '0'), ('float8', '1e400', 'Infinity'), ('float8', '-1e400', '-Infinity'),
  ('float8', '1e-400', '0'), ('int4', 'Infinity', '2147483647'), ('int4', 'NaN', NULL), ('bool', '2', NULL), ('bool', '0.5', NULL), ('bool', '-1', NULL);
CREATE FUNCTION past_forms(digits text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format('%L::%s', digits, other) FROM unnest('{numeric,text,varchar,float8,float4,int8}'::text[]) other WHERE other IN ('text', 'varchar') OR holds(other, digits) $$;
-- of booleans there is none never seen: what no row has
CREATE TABLE never AS SELECT type, feature, score FROM base JOIN kinds USING (type) WHERE v = unseen
  UNION ALL SELECT 'bool', feature, score FROM scores('bool', false, '''7''::text');
CREATE TABLE passed AS SELECT p.type, p.digits, p.bin, f AS form, s.* FROM past p JOIN kinds k USING (type), past_forms(digits) f, scores(p.type, number, f) s;
SELECT is_empty($$SELECT * FROM passed WHERE feature = 'error' LIMIT 10$$, 'what is past a type is no error');
SELECT is_empty($$SELECT p.* FROM passed p JOIN never n USING (type, feature) WHERE feature <> 'b' AND p.score <> n.score LIMIT 10$$, 'but a value never seen');
SELECT is_empty($$SELECT p.*, b.score FROM passed p JOIN base b ON b.type = p.type AND b.feature = 'b' AND b.v = p.bin WHERE p.feature = 'b' AND p.score <> b.score LIMIT 10$$, 'in the outermost bin');
SELECT cmp_ok(count(*), '>', 1000::bigint, 'ways past the type') FROM passed;
SELECT is_empty(format($$SELECT s.* FROM scores(%L, false, %L) s JOIN base b ON b.type = %1$L AND b.feature = s.feature AND b.v = %L WHERE s.score <> b.score$$, t, v, u), t || ': ' || left(v, 20))
FROM (VALUES ('mood', '''none''::text', 'no blank'), ('name', 'repeat(''x'', 70)', 'zz'), ('"char"', '''ab''::text', 'z'), ('varchar', 'repeat(''x'', 70)', 'zz'), ('mood', '7', 'no blank')) w(t, v, u);

-- as if a wider column held it: in the same bucket
CREATE TABLE narrow AS SELECT hashint4(i) % 3 = 0 AS label, i % 2 AS domain, (i % 50)::int2 AS x FROM generate_series(1, 2000) i;
CREATE TABLE wide AS SELECT label, domain, x::int8 FROM narrow;
SELECT aread_train(t, 'ways_' || t::text, features => '{x}', options => '{"architecture": "wide", "features": {"x": {"buckets": 7}}}') FROM unnest('{narrow,wide}'::regclass[]) t;
SELECT is_empty($$SELECT d FROM (SELECT 3000000000 + i FROM generate_series(1, 30) i) v(d), jsonb_build_object('x', d, 'domain', 1) j WHERE aread_predict('ways_narrow', j) <> aread_predict('ways_wide', (SELECT r FROM (SELECT d AS x, 1 AS domain) r))$$, 'buckets of a narrow column');
SELECT cmp_ok(count(DISTINCT aread_predict('ways_narrow', jsonb_build_object('x', 3000000000 + i, 'domain', 1))), '>', 3::bigint, 'of which there are several') FROM generate_series(1, 30) i;

-- words
CREATE FUNCTION said(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  context text;
BEGIN
  EXECUTE statement;
  RETURN 'no error';
EXCEPTION WHEN others THEN
  GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
  RETURN sqlstate || ' ' || sqlerrm || ' | ' || context;
END $$;
CREATE TABLE words AS SELECT type, f, w, said(format(w, quote_literal('ways_' || type), f)) AS said FROM kinds, unnest(CASE WHEN number THEN '{x,b}' ELSE '{x}' END::text[]) f,
  unnest(ARRAY['SELECT aread_predict(%s, (SELECT r FROM (SELECT ''abc''::text AS %s) r), NULL::text)', 'SELECT aread_predict(%s, ''{"%s": "abc"}''::jsonb, NULL::text)',
    'SELECT aread_predict(%s, ''{"%s": ""}''::jsonb, NULL::text)', 'SELECT sum(aread_predict(%s, (SELECT r FROM (SELECT ''1 2'' || i AS %s) r), NULL::text)) FROM generate_series(1, 3) i']) w
WHERE type NOT IN ('text', 'varchar', 'char(9)', 'name', '"char"', 'word', 'mood') AND NOT (type IN ('bit(3)', 'varbit') AND w LIKE '%""%');
INSERT INTO words SELECT type, f, w, said(format(w, quote_literal('ways_' || type))) FROM kinds, (VALUES ('l', 'SELECT aread_predict(%s, ''{"l": ["abc"]}''::jsonb, NULL::text)'), ('l', 'SELECT aread_predict(%s, (SELECT r FROM (SELECT ARRAY[''abc''] AS l) r), NULL::text)'),
  ('d', 'SELECT aread_predict(%s, ''{}''::jsonb, ''abc''::text)'), ('d', 'SELECT aread_predict(%s, ''{"d": "abc"}'')')) u(f, w) WHERE type IN (SELECT type FROM words);
SELECT is_empty($$SELECT * FROM words WHERE said NOT LIKE '22___ %' || 'feature "' || f || '" of model "ways_' || type || '"%' LIMIT 10$$, format('%s errors name feature and model', count(*))) FROM words;
SELECT alike(said($$SELECT aread_predict('ways_int4', '{"x": {"a": 1}}', NULL::text)$$), '% feature "x" of model "ways_int4" cannot take a JSON object or array%', 'an object');
SELECT alike(said($$SELECT aread_predict('ways_int4', '{"l": [1, [{"a": 1}]]}', NULL::text)$$), '% feature "l" of model "ways_int4" cannot take a JSON object or array%', 'in a list');
SELECT alike(said($$SELECT aread_predict('ways_int4', '{"l": 1}', NULL::text)$$), '% feature "l" of model "ways_int4" is a list, but its value is not an array%', 'no list');
SELECT is(aread_predict('ways_int4', '{"l": [[0, 1], [null, 7]]}', NULL::text), aread_predict('ways_int4', (SELECT r FROM (SELECT ARRAY[[0, 1], [NULL, 7]] AS l) r), NULL::text), 'lists of lists');
SELECT isnt(aread_predict('ways_int4', '{"l": [[0, 1], [null, 7]]}', NULL::text), aread_predict('ways_int4', '{"l": [0, 1]}', NULL::text), 'of which every member counts');

-- what settings write is not what values are
SET LOCAL DateStyle = 'German, DMY';
SET LOCAL extra_float_digits = -10;
SET LOCAL TimeZone = 'America/New_York';
SELECT is(s.score, b.score, 'a date for a feature of text: ' || s.way) FROM scores('text', false, 'date ''2024-01-02''') s JOIN base b USING (feature) WHERE b.type = 'text' AND b.v = '2024-01-02';
SELECT is_empty($$SELECT s.* FROM kinds k, unnest(seen) v(v), scores(k.type, number, format('%L::%s', v, k.type)) s,
  base b WHERE b.type = k.type AND b.v = v.v AND b.feature = s.feature AND (k.type IN ('date', 'timestamp', 'timestamptz') AND v.v ~ '[Z+]|infin' OR number) AND (k.type !~ 'float' OR s.way !~ 'json') AND s.score <> b.score$$, 'in other settings');
RESET DateStyle;
RESET extra_float_digits;
SET LOCAL TimeZone = 'Europe/Berlin';

-- thresholds of labels are of the label's type
CREATE TABLE rated AS SELECT (ARRAY['4.0', '4.1', '4.2', '4.0999999999999999999'])[1 + i % 4]::numeric AS stars, i % 3 AS domain, i % 7 AS x FROM generate_series(1, 400) i;
CREATE FUNCTION positives(type text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  EXECUTE format('CREATE TEMPORARY VIEW rated_as AS SELECT stars::%s AS label, domain, x FROM rated', type);
  PERFORM aread_train('rated_as', 'ways_rated', options => '{"architecture": "wide", "split_method": "hash", "label_threshold": 4.1}');
  SELECT sum(positives) INTO n FROM aread_evaluate_domains('ways_rated', 'rated_as');
  DROP VIEW rated_as;
  RETURN n;
END $$;
SELECT is(positives(type), n, 'threshold of ' || type) FROM (VALUES ('numeric', 200::bigint), ('numeric(9, 1)', 300), ('real', 300), ('float8', 300)) t(type, n);

-- collations that take different spellings for equal: refused
DO $$
BEGIN
  CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
EXCEPTION WHEN feature_not_supported OR undefined_object OR invalid_parameter_value THEN
  NULL;
END $$;
SELECT count(*) > 0 AS has_any_case FROM pg_collation WHERE collname = 'any_case' \gset
\if :has_any_case
CREATE DOMAIN tag AS text COLLATE any_case;
CREATE TABLE spelt AS SELECT i % 3 = 0 AS label, i % 2 AS domain, (ARRAY['a', 'A'])[1 + i % 2] COLLATE any_case AS t, (ARRAY['a', 'A'])[1 + i % 2]::tag AS u, ARRAY['a', 'A'] COLLATE any_case AS l, i % 5 AS x FROM generate_series(1, 300) i;
SELECT is(said(format('SELECT aread_train(''spelt'', ''ways_spelt'', %s)', how)) LIKE '0A000 column "' || c || '" with collation "any_case" cannot be a feature %', true, how)
FROM (VALUES ('features => ''{t}''', 't'), ('features => ''{x,l}''', 'l'), ('features => ''{u}''', 'u'), ('features => ''{x}'', item_id => ''t''', 't'), ('features => ''{x}'', domain => ''t''', 't'), ('features => ''{x}'', user_id => ''u''', 'u')) w(how, c);
SELECT aread_train('spelt', 'ways_spelt', options => '{"architecture": "wide"}');
SELECT results_eq($$SELECT name FROM aread.feature WHERE model = 'ways_spelt' ORDER BY 1$$, $$VALUES ('domain'), ('x')$$, 'left out where nobody asked for them');
CREATE VIEW spelt_alike AS SELECT label, domain, lower(t COLLATE "C") AS t FROM spelt;
SELECT lives_ok($$SELECT aread_train('spelt_alike', 'ways_alike', options => '{"architecture": "wide"}')$$, 'as the hint says');
\endif

-- citext is one value in any case, but for models that were trained when it was not
SELECT count(*) > 0 AS has_citext FROM pg_available_extensions WHERE name = 'citext' \gset
\if :has_citext
CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;
INSERT INTO kinds VALUES ('citext', false, '{a1,b,c d}', 'zz', '{text,varchar,name}');
SELECT train(kinds) FROM kinds WHERE type = 'citext';
SELECT is_empty($$SELECT v, s.*, b.score FROM unnest('{a1,b,c d}'::text[]) v, unnest(ARRAY[v, upper(v)]) w, unnest('{citext,text,char(9)}'::text[]) t, scores('citext', false, format('%L::%s', w, t)) s,
  scores('citext', false, format('%L::citext', v)) b WHERE s.feature = b.feature AND s.way = b.way AND (t <> 'char(9)' OR s.way !~ 'json') AND s.score <> b.score$$, 'citext in any case');
SELECT is(count(DISTINCT aread_predict('ways_citext', jsonb_build_object('x', v), NULL::text)), 4::bigint, 'and not all one') FROM unnest('{a1,B,c D,zz}'::text[]) v;
UPDATE aread.stored_version SET software = 'aread 0.3.0' WHERE version_id = (SELECT max(version_id) FROM aread.stored_version);
SELECT aread_cache_clear();
SELECT is(aread_predict('ways_citext@1', jsonb_build_object('x', v), NULL::text) = aread_predict('ways_citext@1', '{"x": "zz"}', NULL::text), v = 'B', 'a model of 0.3.0: ' || v) FROM unnest('{b,B}'::text[]) v;
\endif

SELECT * FROM finish();
ROLLBACK;
