-- Tables of one name in several schemas: a model that nobody named takes no other source's place.
SET client_min_messages = warning;
\set wide '{"architecture": "wide"}'
CREATE SCHEMA tenant1;
CREATE SCHEMA tenant2;
CREATE SCHEMA "Odd.One";
CREATE TABLE tenant1.clicks AS SELECT label, domain, user_id, item_id FROM aread_simulate(600, domains => 3, users => 20, items => 10);
CREATE TABLE tenant2.clicks AS TABLE tenant1.clicks;
CREATE TABLE "Odd.One"."Clicks" AS TABLE tenant1.clicks;
CREATE FUNCTION train(source regclass, model text DEFAULT NULL) RETURNS text LANGUAGE sql AS
  $$ SELECT trained_model || '@' || version FROM aread_train(source, model, options => '{"architecture": "wide"}') $$;
CREATE FUNCTION sources(which text) RETURNS text LANGUAGE sql AS
  $$ SELECT string_agg(source, ' ' ORDER BY version) FROM aread.model WHERE model = which $$;
SELECT train('tenant1.clicks');
SELECT train('tenant2.clicks');
SELECT aread_train_start('tenant2.clicks');
SET search_path = tenant2, public;
SELECT train('clicks');
SELECT train('tenant1.clicks');
RESET search_path;
SELECT sources('clicks');

-- a name that is given is the caller's will, and told
SET client_min_messages = notice;
SELECT aread_train('tenant2.clicks', 'clicks', features => '{nothing}', options => :'wide');
SET client_min_messages = warning;
SELECT train('tenant2.clicks', 'clicks');
SELECT train('tenant1.clicks');
SELECT train('tenant2.clicks');
-- what is deployed says what the model is of; where nothing is, the latest version
SELECT aread_deploy('clicks', 1);
SELECT train('tenant2.clicks');
SELECT train('tenant1.clicks'), sources('clicks');
SELECT train('tenant2.clicks', 'apart'), train('tenant1.clicks', 'tenant1.clicks');

-- renamed models and schemas, a table in another one's place, quoted names
SELECT aread_rename('clicks', 'Clicks');
SELECT train('"Odd.One"."Clicks"');
SELECT train('tenant2.clicks');
SELECT aread_drop('Clicks');
SELECT train('"Odd.One"."Clicks"');
SET quote_all_identifiers = on;
SELECT train('"Odd.One"."Clicks"'), train('tenant2.clicks');
RESET quote_all_identifiers;
SELECT train('"Odd.One"."Clicks"'), train('tenant2.clicks');
ALTER TABLE tenant2.clicks RENAME TO before;
CREATE TABLE tenant2.clicks AS TABLE tenant2.before;
SELECT train('tenant2.clicks');
ALTER SCHEMA tenant2 RENAME TO tenant3;
SELECT train('tenant3.clicks');
SELECT train('tenant3.clicks', 'clicks');
SELECT train('tenant3.clicks');

-- an import brings its source along
SELECT aread_drop('clicks');
SELECT aread_import(aread_export('apart'), 'clicks') > 0 AS imported;
SELECT train('tenant1.clicks');
SELECT aread_drop('clicks');
SELECT aread_import(aread_export('tenant1.clicks'), 'clicks') > 0 AS imported;
SELECT train('tenant1.clicks');

-- a temporary table hides the one that is meant; the next session's is this one's successor
CREATE TEMPORARY TABLE clicks AS TABLE tenant1.clicks;
\set VERBOSITY terse
SELECT train('clicks');
\set VERBOSITY default
ALTER TABLE clicks RENAME TO short;
SELECT train('short');
SELECT source ~ '^pg_temp_\d+\.short$' AS is_temporary FROM aread.model WHERE model = 'short';
UPDATE aread.stored_version SET source_name = 'pg_temp_99999.short' WHERE source_name LIKE 'pg\_temp%short';
SELECT train('short');

-- of a model that is another role's nothing is told
CREATE ROLE aread_tenant;
GRANT USAGE ON SCHEMA tenant1, tenant3 TO aread_tenant;
GRANT SELECT ON tenant3.clicks TO aread_tenant;
SET ROLE aread_tenant;
SELECT train('tenant3.clicks');
RESET ROLE;
REVOKE ALL ON SCHEMA tenant1, tenant3 FROM aread_tenant;
REVOKE ALL ON tenant3.clicks FROM aread_tenant;
DROP ROLE aread_tenant;
DROP FUNCTION train, sources;
SELECT count(aread_drop(model)) FROM (SELECT DISTINCT model FROM aread.model) m;
DROP SCHEMA tenant1, tenant3, "Odd.One" CASCADE;
