-- Pages of doc/ that are made of what the extension says of itself: architectures.md,
-- options.md and settings.md, into the directory of psql's variable "pages".
--   psql -X -v ON_ERROR_STOP=1 -v pages=DIRECTORY -f scripts/doc.sql
\set QUIET 1
\pset tuples_only on
\pset format unaligned
\pset pager off
SET client_min_messages = warning;
BEGIN;
CREATE EXTENSION IF NOT EXISTS aread;
-- its settings are known from then on
LOAD 'aread';

-- Words in a cell of a table.
CREATE FUNCTION pg_temp.cell(words text) RETURNS text IMMUTABLE LANGUAGE sql AS
$$SELECT replace(words, '|', '\|')$$;

-- Words as code, between commas.
CREATE FUNCTION pg_temp.codes(words text[]) RETURNS text IMMUTABLE LANGUAGE sql AS
$$SELECT string_agg('`' || word || '`', ', ' ORDER BY n) FROM unnest(words) WITH ORDINALITY w(word, n)$$;

-- Prose in lines of at most 100 characters, cut at blanks.
CREATE FUNCTION pg_temp.wrapped(words text) RETURNS text IMMUTABLE LANGUAGE sql AS
$$SELECT rtrim(regexp_replace(words, '(.{1,100})( |$)', E'\\1\n', 'g'), E'\n')$$;

-- A setting's number with its unit; one that is not above zero has a meaning of its own.
CREATE FUNCTION pg_temp.quantity(number text, unit text) RETURNS text IMMUTABLE LANGUAGE sql AS
$$SELECT CASE
  WHEN unit IS NULL OR number::numeric <= 0 THEN number
  WHEN unit = 'ms' THEN number::bigint / 1000 || ' s'
  ELSE pg_size_pretty(number::numeric * pg_size_bytes('1' || unit)) END$$;

-- Options: what each may be, and what is said of it.
CREATE TEMP TABLE described AS
SELECT n, architectures, pg_temp.codes(ARRAY[option]) AS option, pg_temp.codes(ARRAY["default"::text]) AS default_value,
  CASE type
    WHEN 'boolean' THEN '`true`, `false`'
    WHEN 'object' THEN 'object'
    WHEN 'array' THEN 'array'
    WHEN 'choice' THEN (SELECT pg_temp.codes(array_agg(CASE WHEN c IN ('true', 'false') THEN c ELSE to_jsonb(c)::text END ORDER BY place))
                        FROM unnest(choices) WITH ORDINALITY u(c, place))
    WHEN 'integer' THEN format('integer, %s to %s', minimum::bigint, maximum::bigint)
    WHEN 'integers' THEN format('list of integers, each %s to %s', minimum, maximum)
    WHEN 'names' THEN format('list of column names, %s at most', maximum)
    ELSE format('%s, %s to %s', type, minimum, maximum) END
  || CASE WHEN "default" = 'null' THEN '; `null`' ELSE '' END AS value,
  pg_temp.cell(meaning || coalesce(' Symbol: ' || pg_temp.codes(ARRAY[symbol]) || '.', '')) AS meaning
FROM aread_options() WITH ORDINALITY o(option, type, "default", minimum, maximum, choices, symbol, meaning, architectures, n);

\out :pages/options.md
SELECT $$# Options

<!-- Made of aread_options() by scripts/doc: change the tables of options, and run that. -->

Functions that train take options as one JSON object: `options => '{"epochs": 5, "deploy": false}'`.
`SELECT * FROM aread_options()` shows the options in SQL. Unknown options, wrong types and values
out of range are errors. An option without effect on the chosen architecture is told in a NOTICE.

## For every architecture

| option | value | default | meaning |
| --- | --- | --- | --- |$$;
SELECT format('| %s | %s | %s | %s |', option, value, default_value, meaning)
FROM described WHERE architectures IS NULL ORDER BY n;
SELECT $$
## For some architectures

| option | value | default | meaning | [architectures](architectures.md) |
| --- | --- | --- | --- | --- |$$;
SELECT format('| %s | %s | %s | %s | %s |', option, value, default_value, meaning, pg_temp.codes(architectures))
FROM described WHERE architectures IS NOT NULL ORDER BY n;

\out :pages/architectures.md
SELECT $$# Architectures

<!-- Made of aread_architectures() by scripts/doc: change the registry, and run that. -->

Option `architecture` chooses the network and how it is trained; by default it is $$
  || (SELECT pg_temp.codes(ARRAY["default" ->> 0]) FROM aread_options() WHERE option = 'architecture') || $$.
`SELECT * FROM aread_architectures()` shows the architectures in SQL.

| architecture | what it trains | from |
| --- | --- | --- |$$;
SELECT format('| [`%s`](#%1$s) | %s | %s |', architecture, pg_temp.cell(meaning), pg_temp.cell(coalesce(reference, '')))
FROM aread_architectures();
SELECT $$
## Options

Beside options [for every architecture](options.md#for-every-architecture), these have an effect:$$;
SELECT format(E'\n### %s\n\n%s', architecture,
  coalesce(pg_temp.wrapped(pg_temp.codes(options) || '.'), 'No other option.'))
FROM aread_architectures();

\out :pages/settings.md
SELECT $$# Settings

<!-- Made of pg_settings by scripts/doc: change src/settings.c, and run that. -->

Settings hold for a session, a role, a database or the server, as PostgreSQL's own do: `SET`, `ALTER
ROLE ... SET`, `ALTER SYSTEM`. Options of a single training are in [options.md](options.md).

| setting | value | default | who sets it | meaning |
| --- | --- | --- | --- | --- |$$;
SELECT format('| `%s` | %s | %s | %s | %s |', name,
  CASE vartype
    WHEN 'bool' THEN '`on`, `off`'
    WHEN 'enum' THEN pg_temp.codes(enumvals)
    WHEN 'string' THEN 'text'
    ELSE pg_temp.quantity(min_val, unit) || ' to ' || pg_temp.quantity(max_val, unit) END,
  '`' || CASE vartype WHEN 'integer' THEN pg_temp.quantity(boot_val, unit) WHEN 'string' THEN quote_literal(boot_val) ELSE boot_val END || '`',
  CASE context WHEN 'user' THEN 'every role' WHEN 'superuser' THEN 'superusers' WHEN 'sighup' THEN 'the server''s configuration' ELSE context END,
  pg_temp.cell(concat_ws(' ', short_desc, extra_desc)))
FROM pg_settings WHERE name LIKE 'aread.%' ORDER BY name COLLATE "C";
\out
ROLLBACK;
