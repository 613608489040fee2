-- Who may train on what, and whose models are seen by whom.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

CREATE ROLE aread_anna;
CREATE ROLE aread_bert;
CREATE ROLE aread_team;
GRANT aread_team TO aread_anna;
CREATE SCHEMA shop;
GRANT USAGE, CREATE ON SCHEMA shop TO aread_anna, aread_bert;
CREATE TABLE shop.clicks AS SELECT label, domain, user_id, item_id, age_band AS secret FROM aread_simulate(600, domains => 4, users => 30, items => 20);
CREATE TABLE shop.protected AS TABLE shop.clicks;
ALTER TABLE shop.protected ENABLE ROW LEVEL SECURITY;
CREATE POLICY some_rows ON shop.protected TO aread_anna USING (domain <> 'domain_01');
GRANT SELECT ON shop.protected TO aread_anna;
GRANT SELECT (label, domain, user_id, item_id) ON shop.clicks TO aread_bert;
CREATE FUNCTION shop.train(source text, model text, features text[] DEFAULT '{user_id,item_id}') RETURNS integer LANGUAGE sql AS
  $$ SELECT version FROM aread_train(source::regclass, model, features => features, options => '{"architecture": "wide"}') $$;

-- reading is done with the caller's rights
SET LOCAL ROLE aread_anna;
SELECT throws_ok($$SELECT shop.train('shop.clicks', 'm')$$, '42501', 'permission denied for table clicks', 'no SELECT right, no training');
SELECT is(shop.train('shop.protected', 'rows'), 1, 'row security holds');
SELECT set_eq($$SELECT domain FROM aread.domain WHERE model = 'rows'$$, ARRAY['domain_02', 'domain_03', 'domain_04'], 'in training too');
RESET ROLE;
GRANT SELECT ON shop.clicks TO aread_anna;
SET LOCAL ROLE aread_bert;
SELECT is(shop.train('shop.clicks', 'berts'), 1, 'rights on the columns used are enough');
SELECT throws_ok($$SELECT shop.train('shop.clicks', 'berts', '{secret}')$$, '42501', 'permission denied for table clicks', 'others are not read');
SELECT throws_ok($$SELECT aread_register('shop.clicks')$$, '42501', 'must be owner of table clicks', 'only owners say what columns are for');
RESET ROLE;

-- a model is its owner's
SET LOCAL ROLE aread_anna;
SELECT is(shop.train('shop.clicks', 'annas'), 1, 'anna trains');
SET LOCAL ROLE aread_bert;
SELECT throws_ok($$SELECT shop.train('shop.clicks', 'annas')$$, '42501', 'permission denied for model "annas"', 'a name in use by another owner');
SELECT throws_ok($$SELECT aread_predict('annas', '{"user_id": 1}', 'domain_01')$$, '42501', 'permission denied for model "annas"', 'scoring');
SELECT throws_ok(format('SELECT %s(''annas'', ''shop.clicks'')', f), '42501', 'permission denied for model "annas"', 'evaluation: ' || f) FROM unnest('{aread_evaluate,aread_evaluate_ranking}'::text[]) f;
SELECT throws_ok($$SELECT aread_recommend('annas', 1)$$, '42501', 'permission denied for model "annas"', 'recommending');
SELECT throws_ok($$SELECT aread_predict('annas', '{"user_id": 1}'::jsonb, 'domain_01', 'shop.clicks')$$, '42501', 'permission denied for model "annas"', 'scoring by a log');
SELECT throws_ok($$SELECT aread_recommend('annas', 1, history => 'shop.clicks')$$, '42501', 'permission denied for model "annas"', 'recommending by one');
SELECT throws_ok($$SELECT aread_recommend_all('annas')$$, '42501', 'permission denied for model "annas"', 'to all');
SELECT throws_ok($$SELECT aread_retrieval_vectors('annas', 'items')$$, '42501', 'permission denied for model "annas"', 'vectors for an index');
SELECT throws_ok($$SELECT aread_similar_items('annas', 1)$$, '42501', 'permission denied for model "annas"', 'what is similar');
SELECT throws_ok($$SELECT aread_similar_users('annas', 1)$$, '42501', 'permission denied for model "annas"', 'and who');
SELECT throws_ok($$SELECT aread_drop('annas')$$, '42501', 'permission denied for model "annas"', 'dropping');
SELECT throws_ok(statement, '42501', 'permission denied for model "annas"', statement) FROM (VALUES
  ($$SELECT aread_explain('annas', '{"user_id": 1}', 'domain_01')$$), ($$SELECT aread_tensors('annas')$$), ($$SELECT aread_encodings('annas')$$), ($$SELECT aread_tensor('annas', 'bias')$$),
  ($$SELECT aread_vectors('annas', 'user_id')$$), ($$SELECT aread_domain_weights('annas', 'user_id')$$),
  ($$SELECT aread_similar_domains('annas', 'domain_01')$$), ($$SELECT aread_expert_usage('annas')$$)) t(statement);
SELECT set_eq($$SELECT model FROM aread.model$$, ARRAY['berts'], 'views show one''s own models');
SELECT set_eq($$SELECT model FROM aread.domain$$, ARRAY['berts'], 'domains too');
SELECT set_eq($$SELECT DISTINCT model FROM aread.feature UNION SELECT model FROM aread.training_log$$, ARRAY['berts'], 'and features and history');
SELECT throws_ok($$SELECT aread_predict('annaz', '{"user_id": 1}', 'domain_01')$$, '42704', 'model "annaz" does not exist', 'hints do not name what one may not see');
RESET ROLE;
GRANT aread_anna TO aread_bert;
SET LOCAL ROLE aread_bert;
SELECT ok(aread_predict('annas', '{"user_id": 1}', 'domain_01') > 0, 'members of the owner may');
SELECT is(shop.train('shop.clicks', 'annas'), 2, 'all');
RESET ROLE;
REVOKE aread_anna FROM aread_bert;
SET LOCAL ROLE aread_bert;
SELECT throws_ok($$SELECT aread_predict('annas', '{"user_id": 1}', 'domain_01')$$, '42501', NULL, 'until they are no more, cached or not');
RESET ROLE;
SELECT set_has($$SELECT model FROM aread.model$$, $$VALUES ('annas'), ('berts'), ('rows')$$, 'superusers see all');

-- the catalog itself is closed
SET LOCAL ROLE aread_anna;
SELECT throws_ok(format('SELECT * FROM aread.%I', relname), '42501', NULL, relname || ' is not to be read')
FROM pg_class WHERE relnamespace = 'aread'::regnamespace AND relkind = 'r';
SELECT throws_ok($$DELETE FROM aread.model$$, NULL, NULL, 'views are not to be written');
RESET ROLE;

-- what a source's expressions do, they do as the caller
CREATE FUNCTION shop.who() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN
  IF current_user <> 'aread_anna' THEN RAISE 'run as %', current_user; END IF; RETURN 1; END $$;
CREATE VIEW shop.spying WITH (security_barrier) AS SELECT label, domain, item_id, shop.who() AS one FROM shop.clicks;
GRANT SELECT ON shop.spying TO aread_anna;
SET LOCAL ROLE aread_anna;
SELECT is(shop.train('shop.spying', 'spied', '{item_id,one}'), 1, 'functions of a view run as the caller');
RESET ROLE;

-- an owner is a role, not a name: renamed it keeps what it has, and who gets its name has nothing of it
ALTER ROLE aread_anna RENAME TO "Aread ""Ann""";
CREATE ROLE aread_anna;
GRANT USAGE ON SCHEMA shop TO aread_anna;
SET LOCAL ROLE "Aread ""Ann""";
SELECT ok(aread_predict('annas', '{"user_id": 1}', 'domain_01') > 0, 'a renamed role has its model');
SELECT is(shop.train('shop.clicks', 'annas'), 3, 'and trains it');
SELECT is(owner, 'Aread "Ann"', 'by its present name') FROM aread.model WHERE model = 'annas' AND deployed;
SET LOCAL ROLE aread_anna;
SELECT throws_ok($$SELECT aread_predict('annas', '{"user_id": 1}', 'domain_01')$$, '42501', NULL, 'a name alone is no owner');
SELECT is_empty($$SELECT model FROM aread.model$$, 'nor in views');
SELECT throws_ok($$SELECT * FROM aread_mend_roles()$$, '42501', 'permission denied for function aread_mend_roles', 'nor does it become one');
RESET ROLE;

-- roles as text: their names, which a dump has
CREATE FUNCTION shop.read(role text) RETURNS text LANGUAGE sql AS
  $$ SELECT concat_ws(' ', role::aread.stored_role, aread.role_oid(role::aread.stored_role)::regrole, aread.has_role(role::aread.stored_role), aread.role_name(role::aread.stored_role, 'noted')) $$;
SELECT is(shop.read(role), wanted, 'a role: ' || role) FROM (VALUES
  ('aread_anna', 'aread_anna aread_anna t aread_anna'), ('"aread_anna"', 'aread_anna aread_anna t aread_anna'),
  ('"Aread ""Ann"""', '"Aread ""Ann""" "Aread ""Ann""" t Aread "Ann"'), ('public', 'public - t public'), ('0', 'public - t public'),
  ('aread_nobody', 'aread_nobody f aread_nobody'), ('"Aread nobody"', '"Aread nobody" f Aread nobody'),
  ('Aread_anna', 'Aread_anna f noted'), ('"aread_anna', '"aread_anna f noted'), ('"aread_anna"x', '"aread_anna"x f noted'), ('"aread_anna""', '"aread_anna"" f noted'),
  ('""', '"" f noted'), ('dropped 10', 'dropped 10 f noted'), ('10', '10 f noted')) r(role, wanted);
SELECT throws_ok($$SELECT ''::aread.stored_role$$, '22P02', NULL, 'no text is no role');
SELECT is(aread.as_role(4294967295)::text, 'dropped 4294967295', 'one that is gone');
SELECT ok(NOT aread.has_role(aread.as_role(4294967295)), 'nobody has its rights');
SELECT is(aread.find_role(role::aread.stored_role, noted)::text, wanted, 'found: ' || role) FROM (VALUES
  ('aread_anna', 'aread_bert', 'aread_anna'), ('10', 'aread_bert', 'aread_bert'), ('10', 'Aread "Ann"', '"Aread ""Ann"""'), ('10', 'aread_nobody', '10'),
  ('aread_nobody', 'aread_bert', 'aread_nobody'), ('dropped 10', 'aread_bert', 'dropped 10'), ('public', 'aread_bert', 'public')) r(role, noted, wanted);

-- what came without its role
UPDATE aread.stored_model SET owner = '"aread late"' WHERE name = 'annas';
UPDATE aread.stored_model SET owner = '10', owner_name = 'aread late' WHERE name = 'berts';
UPDATE aread.stored_model SET owner = 'dropped 10', owner_name = 'aread late' WHERE name = 'rows';
INSERT INTO aread.stored_grant (model_id, grantee, grantee_name) SELECT model_id, '"aread late"', 'aread late' FROM aread.stored_model WHERE name = 'spied';
SELECT set_eq($$SELECT model, owner FROM aread.model WHERE deployed$$,
  $$VALUES ('annas', 'aread late'::name), ('berts', 'aread late'), ('rows', 'aread late'), ('spied', 'Aread "Ann"')$$, 'views have the name that it came with');
SELECT set_eq($$SELECT * FROM aread_mend_roles()$$, $$VALUES ('owner', 'annas', 'aread late'::name, false), ('owner', 'berts', 'aread late', false),
  ('owner', 'rows', 'aread late', false), ('grant', 'spied', 'aread late', false)$$, 'there is no such role yet');
CREATE ROLE "aread late";
SET LOCAL ROLE "aread late";
SELECT is_empty($$SELECT * FROM aread.model$$, 'a role made since has nothing by itself');
RESET ROLE;
SELECT set_eq($$SELECT * FROM aread_mend_roles()$$, $$VALUES ('owner', 'annas', 'aread late'::name, true), ('owner', 'berts', 'aread late', true),
  ('owner', 'rows', 'aread late', false), ('grant', 'spied', 'aread late', true)$$, 'mended, but for a role that was gone');
SET LOCAL ROLE "aread late";
SELECT set_eq($$SELECT DISTINCT model FROM aread.model$$, ARRAY['annas', 'berts', 'spied'], 'then it has all of it');
RESET ROLE;
SELECT is(count(*), 1::bigint, 'once') FROM aread_mend_roles();
SELECT lives_ok($$SELECT aread_set_owner('rows', 'aread late')$$, 'what was of a role that is gone can be given away');
SELECT ok(aread_drop('annas'), 'superusers may drop all models');

SELECT * FROM finish();
ROLLBACK;
