-- What became of versions: history, the way back, versions that are kept, and grants of explanations.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

CREATE TABLE seen AS SELECT label, domain, user_id, item_id FROM aread_simulate(1000, domains => 4, groups => 2, users => 40, items => 30, strength => 3);
CREATE FUNCTION pg_temp.train(model text, n int, options jsonb DEFAULT '{}') RETURNS int LANGUAGE sql AS $$
  SELECT max(version) FROM generate_series(1, n) i, LATERAL aread_train('seen', model, options => jsonb_build_object('architecture', 'wide', 'seed', i) || options) $$;
CREATE FUNCTION pg_temp.deployed(name text) RETURNS int LANGUAGE sql VOLATILE AS $$ SELECT version FROM aread.model WHERE model = name AND deployed $$;
CREATE FUNCTION pg_temp.previous(name text) RETURNS int LANGUAGE sql VOLATILE AS $$ SELECT previous_version FROM aread.stored_model m WHERE m.name = previous.name $$;
-- a rollback; 0: there is nothing to go back to
CREATE FUNCTION pg_temp.back(model text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  RETURN aread_rollback(model);
EXCEPTION WHEN object_not_in_prerequisite_state THEN
  RETURN 0;
END $$;

-- back, step by step
SELECT pg_temp.train('shop', 5) \g /dev/null
SELECT is(array_agg(pg_temp.back('shop')), '{4,3,2,1,0,0}', 'step by step, down to the first') FROM generate_series(1, 6);
SELECT is(pg_temp.deployed('shop'), 1, 'where it stays');
SELECT is(pg_temp.previous('shop'), NULL, 'nothing is before it');
-- on from there
SELECT is(aread_deploy('shop', 4), 1, 'another one is deployed');
SELECT is(aread_deploy('shop', 2, 'sales are better'), 4, 'and another one');
SELECT is(pg_temp.train('shop', 1), 6, 'and trained');
SELECT is(array_agg(pg_temp.back('shop')), '{2,4,1,0}', 'back the way that was gone since') FROM generate_series(1, 4);
SELECT is(pg_temp.train('shop', 1, '{"deploy": false}'), 7, 'what was not deployed');
SELECT is(pg_temp.back('shop'), 0, 'is not on it');
-- the same version several times
SELECT aread_deploy('shop', v) FROM unnest('{2,3,2,3,4}'::int[]) v \g /dev/null
SELECT is(array_agg(pg_temp.back('shop')), '{3,2,3}', 'each time counts') FROM generate_series(1, 3);
SELECT is(pg_temp.previous('shop'), 2, 'what comes next is known');
-- versions that are gone
SELECT aread_drop_version('shop', 2) \g /dev/null
SELECT is(array_agg(pg_temp.back('shop')), '{1,0}', 'past a version that is gone') FROM generate_series(1, 2);
SELECT aread_deploy('shop', 3), aread_deploy('shop', 4) \g /dev/null
SELECT aread_deploy('shop', 1), aread_drop_version('shop', 4), aread_drop_version('shop', 3) \g /dev/null
SELECT throws_ok($$SELECT aread_rollback('shop')$$, '55000', 'there is no version of model "shop" to roll back to', 'all others are gone');
-- whatever was written by hand
UPDATE aread.stored_model SET deployed_version = 5 WHERE name = 'shop';
SELECT is(pg_temp.back('shop'), 1, 'what superusers deploy by hand counts, too');

-- what a version without history left behind
SELECT pg_temp.train('old', 3) \g /dev/null
DELETE FROM aread.stored_deployment USING aread.stored_model m WHERE m.model_id = stored_deployment.model_id AND m.name = 'old';
SELECT is(deploy_reason, NULL, 'nothing is known of it') FROM aread.model WHERE model = 'old' AND deployed;
SAVEPOINT old;
SELECT is(array_agg(pg_temp.back('old')), '{2,0}', 'back to the version before, as it was') FROM generate_series(1, 2);
ROLLBACK TO old;
SELECT pg_temp.train('old', 1) \g /dev/null
SELECT is(array_agg(pg_temp.back('old')), '{3,0}', 'to what was deployed when history began') FROM generate_series(1, 2);

-- what is told
CREATE ROLE aread_keeper;
CREATE ROLE aread_helper IN ROLE aread_keeper;
CREATE ROLE aread_reader;
CREATE ROLE aread_other;
GRANT SELECT ON seen TO aread_keeper;
SELECT pg_temp.train('told', 2) \g /dev/null
SELECT aread_set_owner('told', 'aread_keeper') \g /dev/null
CREATE TABLE exported AS SELECT aread_export('told@1') AS data;
GRANT SELECT ON exported TO aread_keeper;
SET LOCAL ROLE aread_helper;
SELECT aread_rollback('told', 'it was Friday') \g /dev/null
SELECT aread_deploy('told', 1), aread_deploy('told', 2), aread_drop_version('told', 1), aread_import(data, 'told', false) FROM exported \g /dev/null
SELECT throws_ok($$SELECT aread_rollback('told', repeat('x', 65537))$$, '22001', 'reason has more than 65536 bytes', 'a reason that is none');
RESET ROLE;
SELECT aread_rename('told', 'tale'), aread_grant('tale', 'aread_reader') \g /dev/null
SELECT results_eq($$SELECT version, previous, deployed, role, action, reason FROM aread.deployment WHERE model = 'tale' ORDER BY event$$,
  format($$VALUES (1, NULL, true, %1$L::name, 'train', 'no version was deployed'), (2, 1, true, %1$L, 'train', 'option deploy is true'),
    (1, 2, true, 'aread_helper', 'rollback', 'it was Friday'), (2, 1, true, 'aread_helper', 'deploy', NULL), (1, 2, false, 'aread_helper', 'drop_version', NULL),
    (3, 2, false, 'aread_helper', 'import', 'argument deploy is false')$$, current_user), 'who did what, and why');
SELECT ok(bool_and(at = now()), 'and when') FROM aread.deployment WHERE model = 'tale';
SET LOCAL ROLE aread_reader;
SELECT is(count(*), 6::bigint, 'those see it who may score') FROM aread.deployment;
SET LOCAL ROLE aread_helper;
SELECT is(count(*), 6::bigint, 'and the owner''s members') FROM aread.deployment;
SET LOCAL ROLE aread_other;
SELECT is_empty('SELECT * FROM aread.deployment', 'others do not');
RESET ROLE;
ALTER ROLE aread_helper RENAME TO aread_hand;
SELECT set_eq($$SELECT role FROM aread.deployment WHERE model = 'tale' AND action = 'rollback'$$, ARRAY['aread_hand'::name], 'by present names');
SELECT aread_drop('tale') \g /dev/null
SELECT is_empty($$SELECT FROM aread.stored_deployment d WHERE NOT EXISTS (SELECT FROM aread.stored_model m WHERE m.model_id = d.model_id)$$, 'it goes with the model');

-- versions that are kept
SELECT pg_temp.train('kept', 3) \g /dev/null
SELECT is(aread_pin('kept@1'), true, 'pinned');
SELECT is(aread_pin('kept@1'), false, 'it is already');
SELECT set_eq($$SELECT version, pinned FROM aread.model WHERE model = 'kept'$$, 'VALUES (1, true), (2, false), (3, false)', 'the view says so');
SELECT pg_temp.train('kept', 2, '{"keep_versions": 1}') \g /dev/null
SELECT set_eq($$SELECT version FROM aread.model WHERE model = 'kept'$$, ARRAY[1, 4, 5], 'it is kept, beside the deployed one and the one before it');
SELECT throws_ok($$SELECT aread_drop_version('kept', 1)$$, '55006', 'version 1 of model "kept" is pinned', 'nor is it dropped');
SELECT throws_ok($$SELECT aread_drop('kept')$$, '55006', 'model "kept" has versions that are pinned', 'nor with its model');
SELECT aread_rename('kept', 'held') \g /dev/null
SELECT is(aread_pin('held@1', pinned => false), true, 'unpinned');
SELECT is(aread_pin('held@1', pinned => false), false, 'it is already');
SELECT lives_ok($$SELECT aread_drop_version('held', 1)$$, 'and can go');
SELECT throws_ok($$SELECT aread_pin('held')$$, '22023', '"held" names no version', 'a version is named');
SELECT throws_ok($$SELECT aread_pin('held@1')$$, '42704', 'model "held" has no version 1', 'one that there is');
SELECT throws_ok($$SELECT aread_pin('nothing@1')$$, '42704', 'model "nothing" does not exist', 'of a model that there is');
SELECT lives_ok($$SELECT aread_drop('held')$$, 'the model can go, too');

-- explanations alone
SELECT pg_temp.train('shown', 2) \g /dev/null
SELECT is(aread_grant('shown', 'aread_reader', 'explain'), true, 'a role may have scores explained');
SELECT is(aread_grant('shown', 'aread_reader', 'explain'), false, 'it may already');
SELECT results_eq($$SELECT granted_to, explain_granted_to FROM aread.model WHERE model = 'shown' AND deployed$$, $$VALUES ('{}'::name[], '{aread_reader}'::name[])$$, 'the view says so');
CREATE FUNCTION pg_temp.may(statement text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN true; EXCEPTION WHEN insufficient_privilege THEN RETURN false; END $$;
CREATE FUNCTION pg_temp.rights() RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT concat(CASE WHEN pg_temp.may($a$SELECT aread_predict('shown', '{"user_id": 1}', 'domain_01')$a$) THEN 'p' END,
    CASE WHEN pg_temp.may($a$SELECT count(*) FROM aread_explain('shown', '{"user_id": 1}', 'domain_01')$a$) THEN 'e' END,
    CASE WHEN EXISTS (SELECT FROM aread.model JOIN aread.feature USING (model, version) WHERE model = 'shown') THEN 's' END) $$;
GRANT SELECT ON seen TO aread_reader;
SET LOCAL ROLE aread_reader;
SELECT is(pg_temp.rights(), 'es', 'explanations, and what the model is');
SELECT throws_ok($$SELECT aread_explain('shown', '{"user_id": 1}', 'domain_01'), aread_predict('shown', '{"user_id": 1}', 'domain_01')$$, '42501', 'permission denied for model "shown"', 'no scores beside them');
SELECT throws_ok($$SELECT sum(aread_predict(CASE WHEN e.part = 'score' THEN 'shown' END, '{"user_id": 1}', 'domain_01')) FROM aread_explain('shown', '{"user_id": 1}', 'domain_01') e$$, '42501', NULL, 'after them neither');
SELECT throws_ok(statement, '42501', NULL, statement) FROM (VALUES ($$SELECT sum(aread_predict('shown', s)) FROM seen s$$), ($$SELECT aread_evaluate('shown', 'seen')$$), ($$SELECT aread_drift('shown', 'seen')$$),
  ($$SELECT aread_tensors('shown')$$), ($$SELECT aread_export('shown')$$), ($$SELECT aread_pin('shown@1')$$), ($$SELECT aread_grant('shown', 'public', 'explain')$$)) t(statement);
RESET ROLE;
SELECT is(aread_grant('shown', 'aread_reader'), true, 'a right more');
SET LOCAL ROLE aread_reader;
SELECT is(pg_temp.rights(), 'pes', 'both');
RESET ROLE;
SELECT is(aread_revoke('shown', 'aread_reader', 'explain'), true, 'a right less');
SELECT is(aread_revoke('shown', 'aread_reader', 'explain'), false, 'it has gone');
SET LOCAL ROLE aread_reader;
SELECT is(pg_temp.rights(), 'ps', 'scores, as they were granted before');
RESET ROLE;
SELECT aread_grant('shown', 'aread_reader', 'explain') \g /dev/null
SELECT is(aread_revoke('shown', 'aread_reader'), true, 'without a name all rights go');
SET LOCAL ROLE aread_reader;
SELECT is(pg_temp.rights(), '', 'each of them');
RESET ROLE;
SELECT is(aread_grant('shown', 'public', 'explain'), true, 'all may');
SET LOCAL ROLE aread_other;
SELECT is(pg_temp.rights(), 'es', 'each of them');
RESET ROLE;
SELECT throws_ok($$SELECT aread_grant('shown', 'aread_reader', 'score')$$, '22023', 'there is no right "score"', 'rights have names');
SELECT throws_ok($$SELECT aread_revoke('shown', 'aread_reader', '')$$, '22023', 'there is no right ""', 'taken back, too');
UPDATE aread.stored_grant SET privilege = 'everything';
SET LOCAL ROLE aread_other;
SELECT is(pg_temp.rights(), 's', 'others mean nothing');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
