-- A value is known by its key, whatever type it comes in, and however it was read.
SET client_min_messages = warning;
\encoding utf8
SET extra_float_digits = 1;
CREATE SCHEMA keys;
SET search_path = keys, public;
CREATE DOMAIN few AS int CHECK (VALUE < 1000);
CREATE DOMAIN fewer AS few;
CREATE TYPE mood AS ENUM ('-5', 'sad', '0', 'glad', '7');

CREATE TABLE visits AS
  SELECT (i * 13 % 29 < 11)::int AS label, 'd' || i % 3 AS domain, i * 7 % 41 - 5 AS k, i AS n
  FROM generate_series(1, 700) i;
-- Train on a column k that is an expression of visits, split by the hash of the rows.
CREATE FUNCTION train(k text, options text DEFAULT '{}', columns text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  trained text;
BEGIN
  EXECUTE format('CREATE OR REPLACE TEMPORARY VIEW source AS SELECT label, domain, %s AS k %s FROM visits', k, columns);
  SELECT format('%s/%s/%s', t.train_rows, t.valid_rows, t.test_rows) INTO trained
  FROM aread_train('source', 'keys', options => '{"architecture": "wide", "domain_weights": false}'::jsonb || options::jsonb) t;
  DROP VIEW source;
  RETURN trained || ', values: ' || (SELECT f."values" FROM aread.feature f WHERE f.model = 'keys' AND f.deployed AND f.name = 'k');
END $$;
CREATE FUNCTION crc() RETURNS bigint LANGUAGE sql AS $$ SELECT crc FROM aread.model WHERE model = 'keys' AND deployed $$;
CREATE TABLE trained (k text, options text, number int GENERATED ALWAYS AS IDENTITY, rows text, crc bigint);
CREATE FUNCTION try(k text, options text DEFAULT '{}', columns text DEFAULT '') RETURNS int LANGUAGE sql AS $$
  INSERT INTO trained (k, options, rows) VALUES ($1, $2, train($1, $2, $3));
  UPDATE trained SET crc = crc() WHERE number = (SELECT max(number) FROM trained);
  SELECT 1 $$;

-- integers of any type, and what is written like them
SELECT count(try(k)) FROM unnest('{k,k::int2,k::int8,k::few,k::fewer,k::text,k::varchar(9),k::char(9),k::name}'::text[]) k;
SELECT count(try(format('k::%s', t), '{"features": {"k": {"kind": "categorical"}}}')) FROM unnest('{numeric,"numeric(9, 3)",float4,float8}'::text[]) t;
SELECT k, rows, crc = first_value(crc) OVER (ORDER BY number) AS same FROM trained ORDER BY number;
TRUNCATE trained;
-- hashed to buckets, they fall into the same
SELECT count(try(k, '{"features": {"k": {"kind": "categorical", "buckets": 17}}}')) FROM unnest('{k,k::int2,k::int8,k::few,k::numeric,k::text}'::text[]) k;
SELECT k, rows, crc = first_value(crc) OVER (ORDER BY number) AS same FROM trained ORDER BY number;
TRUNCATE trained;
-- as members of lists
SELECT count(try(k)) FROM unnest('{"ARRAY[k, k + 1, NULL]","ARRAY[k, k + 1, NULL]::int8[]","ARRAY[k, k + 1, NULL]::text[]","ARRAY[k, k + 1, NULL]::numeric[]","ARRAY[k, k + 1, NULL]::few[]","ARRAY[[k, k + 1]]"}'::text[]) k;
SELECT k, rows, crc = first_value(crc) OVER (ORDER BY number) AS same FROM trained ORDER BY number;
TRUNCATE trained;
-- in a vocabulary that columns of other types share
SELECT count(try(k, '{"features": {"l": {"vocabulary": "k"}}}', columns))
FROM unnest('{k,k::int8,k::text,k::int2}'::text[], ARRAY[', k + 1 AS l', ', k + 1 AS l', ', (k + 1)::int8 AS l', ', (k + 1)::text AS l']) AS u(k, columns);
SELECT count(try(k, '{"features": {"l": {"vocabulary": "k"}}}', columns))
FROM unnest('{k,k::text,k::int8}'::text[], ARRAY[', ARRAY[k + 1, k] AS l', ', ARRAY[k + 1, k] AS l', ', ARRAY[k + 1, k]::text[] AS l']) AS u(k, columns);
SELECT k, rows, crc = first_value(crc) OVER (PARTITION BY number <= (SELECT min(number) + 3 FROM trained) ORDER BY number) AS same
FROM trained ORDER BY number;
TRUNCATE trained;

-- 0 and -0 are one, and so are all NaN; others keep their digits
SELECT count(try(k, '{"features": {"k": {"kind": "categorical"}}}')) FROM unnest(ARRAY[
  'CASE k % 4 WHEN 0 THEN 0.0::float8 WHEN 1 THEN ''-0'' WHEN 2 THEN ''NaN'' WHEN 3 THEN -''NaN''::float8 ELSE 0.1 END',
  'CASE k % 4 WHEN 0 THEN 0.0::float4 WHEN 1 THEN ''-0'' WHEN 2 THEN ''NaN'' WHEN 3 THEN -''NaN''::float4 ELSE 0.1::float4 END',
  'CASE k % 4 WHEN 0 THEN ''0'' WHEN 1 THEN ''0'' WHEN 2 THEN ''NaN'' WHEN 3 THEN ''NaN'' ELSE ''0.1'' END']) k;
SELECT count(try(k, '{"features": {"k": {"kind": "categorical"}}}')) FROM unnest('{"(k / 7.0)::float8","(k / 7.0)::float8::text"}'::text[]) k;
SELECT count(try(k, '{"features": {"k": {"kind": "categorical"}}}')) FROM unnest('{"(k / 7.0)::float4","(k / 7.0)::float4::text"}'::text[]) k;
-- 1.0 and 1.00 are one number
SELECT count(try(k, '{"features": {"k": {"kind": "categorical"}}}'))
FROM unnest(ARRAY['CASE n % 2 WHEN 0 THEN k * 1.0 ELSE k * 1.00 END', 'k']) k;
-- booleans, dates, times, enums, uuids: as their text is in ISO style and UTC
SET TimeZone = 'Europe/Berlin';
SET DateStyle = 'SQL, DMY';
SELECT count(try(k)) FROM unnest(ARRAY['k > 10', 'CASE WHEN k > 10 THEN ''true'' ELSE ''false'' END']) k;
SELECT count(try(k)) FROM unnest(ARRAY['date ''2024-02-27'' + k', 'to_char(date ''2024-02-27'' + k, ''YYYY-MM-DD'')']) k;
SELECT count(try(k)) FROM unnest(ARRAY['CASE WHEN k < 0 THEN ''-infinity'' ELSE date ''2024-02-27'' + k END',
                                'CASE WHEN k < 0 THEN ''-infinity'' ELSE to_char(date ''2024-02-27'' + k, ''YYYY-MM-DD'') END']) k;
SELECT count(try(k)) FROM unnest(ARRAY['timestamp ''2024-02-27'' + k * interval ''1 hour''',
                                'to_char(timestamp ''2024-02-27'' + k * interval ''1 hour'', ''YYYY-MM-DD HH24:MI:SS'')']) k;
SELECT count(try(k)) FROM unnest(ARRAY['timestamptz ''2024-03-30 UTC'' + k * interval ''1 hour''',
                                'to_char(timestamp ''2024-03-30'' + k * interval ''1 hour'', ''YYYY-MM-DD HH24:MI:SS"Z"'')']) k;
SELECT count(try(k)) FROM unnest(ARRAY['CASE k % 3 WHEN 0 THEN ''glad'' WHEN 1 THEN ''-5'' ELSE ''7'' END::mood',
                                'CASE k % 3 WHEN 0 THEN ''glad'' WHEN 1 THEN ''-5'' ELSE ''7'' END']) k;
SELECT count(try(k)) FROM unnest(ARRAY['md5(k::text)::uuid', 'md5(k::text)::uuid::text']) k;
-- text of many bytes, and of many of which most are the same: in the order of bytes where counts are
SELECT count(try(k)) FROM unnest(ARRAY['repeat(''ein Schlüssel '', 500) || k', 'repeat(''ein Schlüssel '', 5) || k',
                                'repeat(''ein Schlüssel '', 5) || k || ''  ''']) k;
SELECT number, left(k, 40) AS k, rows FROM trained ORDER BY number;
SELECT count(*) AS trained, count(DISTINCT crc) AS different FROM trained;
SELECT count(*) AS zeros_and_nan, count(DISTINCT crc) AS different FROM trained WHERE number <= (SELECT min(number) + 2 FROM trained);
SELECT count(*) AS pairs, count(*) FILTER (WHERE a.crc = b.crc) AS same
FROM trained a JOIN trained b ON b.number = a.number + 1
WHERE (a.number - (SELECT min(number) FROM trained)) BETWEEN 3 AND 22 AND (a.number - (SELECT min(number) FROM trained)) % 2 = 1;
TRUNCATE trained;

-- the domain's keys can be seen
CREATE FUNCTION domains(expression text) RETURNS TABLE (domain text, rows bigint) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE OR REPLACE TEMPORARY VIEW source AS SELECT label, %s AS domain, k FROM visits', expression);
  PERFORM aread_train('source', 'domains', options => '{"architecture": "wide", "split_method": "hash", "test_share": 0, "valid_share": 0.01, "features": {"domain": {"kind": "categorical"}}}'::jsonb);
  DROP VIEW source;
  RETURN QUERY SELECT d.domain, d.rows FROM aread.domain d JOIN aread.model m USING (model, version) WHERE m.model = 'domains' AND m.deployed;
END $$;
SELECT domain FROM domains('(n % 3)::int2 - 1::int2') ORDER BY 1;
SELECT domain FROM domains('n % 2 = 0') ORDER BY 1;
SELECT domain FROM domains('date ''2024-02-28'' + n % 3') ORDER BY 1;
SELECT domain FROM domains('timestamptz ''2024-03-31 00:30 UTC'' + n % 3 * interval ''1 hour''') ORDER BY 1;
SELECT domain FROM domains('CASE n % 3 WHEN 0 THEN ''sad'' WHEN 1 THEN ''glad'' ELSE ''0'' END::mood') ORDER BY 1;
SELECT domain FROM domains('CASE n % 3 WHEN 0 THEN 1.50 WHEN 1 THEN 1.5 ELSE ''-0.250'' END') ORDER BY 1;
SELECT domain FROM domains('(ARRAY[''Bücher'', ''本'', '' e'', ''e''])[1 + n % 4]::char(9)') ORDER BY domain COLLATE "C";
SELECT length(domain), domain COLLATE "C" < 'y' AS x FROM domains('repeat((ARRAY[''x'', ''y'', ''本''])[1 + n % 3], 3000)') ORDER BY 1, 2;
\set VERBOSITY terse
SELECT domain FROM domains('repeat((ARRAY[''x'', ''y'', ''本''])[1 + n % 3], 30000)');
\set VERBOSITY default
-- and their order: by rows, then by bytes, with as many bytes alike as may be
CREATE TABLE many AS
  SELECT n * 7 % 5 % 2 AS label, (ARRAY['', '/', 'a', 'aaaaaaaaaaaaaaaa'])[1 + n % 4] || repeat('a', n % 2500 % 3 * 45) || n % 2500 AS domain, n / 2500 AS k
  FROM generate_series(1, 20000) n;
SELECT (aread_train('many', options => '{"architecture": "wide", "split_method": "hash", "test_share": 0, "valid_share": 0.01}')).version;
SELECT count(*) AS many, max(length(domain)) AS longest, count(DISTINCT rows) > 2 AS in_groups, bool_and(number = place) AS in_order
FROM (SELECT *, row_number() OVER (ORDER BY rows DESC, domain COLLATE "C") - 1 AS place
      FROM (SELECT number, name AS domain, rows FROM aread.stored_domain JOIN aread.visible_version USING (version_id) WHERE model = 'many') m) d;

-- names of splits in any case and in any type of text
CREATE TYPE part AS ENUM ('Train', 'VALIDATION', 'test');
CREATE TABLE parts AS SELECT label, domain, k, (ARRAY['Train', 'VALIDATION', 'test', 'Train'])[1 + n % 4] AS split FROM visits;
CREATE FUNCTION parts(type text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  EXECUTE format('CREATE OR REPLACE TEMPORARY VIEW source AS SELECT label, domain, k, split::%s FROM parts', type);
  SELECT format('%s/%s/%s', train_rows, valid_rows, test_rows) INTO result FROM aread_train('source', 'parts', options => '{"architecture": "wide"}');
  DROP VIEW source;
  RETURN result;
END $$;
SELECT t, parts(t) FROM unnest('{text,varchar,name,part}'::text[]) t;
UPDATE parts SET split = 'trains' WHERE split = 'Train';
\set VERBOSITY terse
SELECT parts('text');
\set VERBOSITY default
UPDATE parts SET split = 'Train' WHERE split = 'trains';
-- by order, of numbers below 0 as well
UPDATE parts SET split = k;
SELECT t, parts(t) FROM unnest('{int2,int4,int8,float4,float8,numeric}'::text[]) t;

-- a text extension's type, where it is there: values that it takes for equal are one
SELECT count(*) > 0 AS has_citext FROM pg_available_extensions WHERE name = 'citext' \gset
\if :has_citext
CREATE EXTENSION citext;
\set spelt '(CASE n % 3 WHEN 0 THEN ''KO'' ELSE ''ko'' END || k)::citext'
\else
CREATE DOMAIN citext AS text;
\set spelt '(''ko'' || k)::citext'
\endif
SELECT count(try(k)) FROM unnest(ARRAY[:'spelt', $$'ko' || k$$]) k;
SELECT count(try(k)) FROM unnest(ARRAY[format('ARRAY[%s]', :'spelt'), $$ARRAY['ko' || k]$$]) k;
SELECT rows, crc = lag(crc, 1, crc) OVER (PARTITION BY k LIKE 'ARRAY%' ORDER BY number) AS same FROM trained ORDER BY number;

SELECT aread_drop(model) FROM (SELECT DISTINCT model FROM aread.model) m ORDER BY model;
DROP SCHEMA keys CASCADE;
