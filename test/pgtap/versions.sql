-- Versions: deployed, rolled back, pinned, dropped, kept; names, comments, cards.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

CREATE TABLE seen AS SELECT label, domain, user_id, item_id FROM aread_simulate(2000, domains => 4, groups => 2, users => 60, items => 40, strength => 3);
CREATE FUNCTION pg_temp.train(model text, seed int, options jsonb DEFAULT '{}') RETURNS int LANGUAGE sql AS $$
  SELECT version FROM aread_train('seen', model, options => jsonb_build_object('mmoe_dims', '[8]'::jsonb, 'epochs', 1, 'l2_wide', 10, 'warmup_batches', 2,
    'mask_interval', 50, 'candidates', 1, 'seed', seed) || options) $$;
CREATE FUNCTION pg_temp.score(model text) RETURNS float8 LANGUAGE sql VOLATILE AS $$ SELECT aread_predict(model, '{"user_id": 3, "item_id": 4}', 'domain_02') $$;

-- pins
SELECT is(pg_temp.train('shop', 1), 1, 'a version');
SELECT is(pg_temp.train('shop', 2), 2, 'another');
SELECT is(pg_temp.score('shop'), pg_temp.score('shop@2'), 'a name means the deployed version');
SELECT isnt(pg_temp.score('shop@1'), pg_temp.score('shop@2'), 'a pinned name its own');
SELECT throws_ok($$SELECT pg_temp.score('shop@3')$$, '42704', 'model "shop" has no version 3', 'versions that there are not');
SELECT throws_ok($$SELECT pg_temp.score('shop@x')$$, '42704', 'model "shop@x" does not exist', 'what is no pin is a name');
SELECT throws_ok($$SELECT pg_temp.score('shop@0')$$, '42704', 'model "shop@0" does not exist', 'versions count from 1');
SELECT throws_ok($$SELECT pg_temp.score('shop@99999999999')$$, '42704', 'model "shop@99999999999" does not exist', 'and have nine digits at most');
SELECT throws_ok($$SELECT pg_temp.train('shop@3', 1)$$, '42602', 'model name must not end with @ and a number', 'no model is called like a version');
SELECT is(pg_temp.train('a@b', 1), 1, 'an @ elsewhere is no matter');
SELECT ok(pg_temp.score('a@b') = pg_temp.score('a@b@1'), 'such names can be pinned, too');
-- an A/B test: rows by halves
SELECT results_eq($$SELECT DISTINCT user_id % 2 = 0, p = CASE WHEN user_id % 2 = 0 THEN pg_temp.score('shop@1') ELSE pg_temp.score('shop@2') END
  FROM (SELECT user_id, aread_predict(CASE WHEN user_id % 2 = 0 THEN 'shop@1' ELSE 'shop@2' END, '{"user_id": 3, "item_id": 4}', 'domain_02') AS p
    FROM generate_series(1, 6) user_id) x ORDER BY 1$$, 'VALUES (false, true), (true, true)', 'models by rows');
SELECT ok((aread_evaluate('shop@1', 'seen')).auc <> (aread_evaluate('shop@2', 'seen')).auc, 'evaluation takes pinned names');
SELECT isnt_empty($$SELECT * FROM aread_explain('shop@1', '{"user_id": 3, "item_id": 4}', 'domain_02')$$, 'explanations, too');

-- deploy and roll back
SELECT is(aread_deploy('shop', 1), 2, 'deploying tells the version before');
SELECT is(pg_temp.score('shop'), pg_temp.score('shop@1'), 'the next statement scores with it');
SELECT results_eq($$SELECT version, deployed FROM aread.model WHERE model = 'shop' ORDER BY 1$$, 'VALUES (1, true), (2, false)', 'the view says so');
SELECT is(aread_deploy('shop', 1), 1, 'the same again changes nothing');
SELECT is(aread_rollback('shop'), 2, 'back: not even where to');
SELECT is(aread_rollback('shop'), 1, 'and further back');
SELECT throws_ok($$SELECT aread_rollback('shop')$$, '55000', 'there is no version of model "shop" to roll back to', 'to the first one that was deployed');
SELECT is(aread_deploy('shop', 2), 1, 'and on from there');
SELECT throws_ok($$SELECT aread_deploy('shop', 7)$$, '42704', 'model "shop" has no version 7', 'deploying what there is not');
SELECT throws_ok($$SELECT aread_deploy('nothing', 7)$$, '42704', 'model "nothing" does not exist', 'of what there is not');
SELECT throws_ok($$SELECT aread_rollback('a@b')$$, '55000', 'there is no version of model "a@b" to roll back to', 'nothing to roll back to');
SELECT is(pg_temp.train('shop', 3, '{"deploy": false}'), 3, 'a version that waits');
SELECT is(pg_temp.score('shop'), pg_temp.score('shop@2'), 'is not deployed');
SELECT is(aread_deploy('shop', 3), 2, 'until it is');
SELECT is(pg_temp.train('waiting', 1, '{"deploy": false}'), 1, 'a model none of whose versions is deployed');
SELECT throws_ok($$SELECT pg_temp.score('waiting')$$, '42704', 'no version of model "waiting" is deployed', 'does not score by its name');
SELECT ok(pg_temp.score('waiting@1') > 0, 'but pinned');
SELECT is(aread_deploy('waiting', 1), NULL, 'before that there was none');

-- drop and keep
SELECT throws_ok($$SELECT aread_drop_version('shop', 3)$$, '55006', 'version 3 of model "shop" is deployed', 'the deployed version stays');
SELECT lives_ok($$SELECT aread_drop_version('shop', 2)$$, 'another can go');
SELECT throws_ok($$SELECT pg_temp.score('shop@2')$$, '42704', 'model "shop" has no version 2', 'and is gone');
SELECT is(aread_rollback('shop'), 1, 'rolling back goes past it');
SELECT is(pg_temp.train('shop', 4), 4, 'numbers are not used again');
SELECT is(pg_temp.train('shop', 5, '{"keep_versions": 2}'), 5, 'a training that cleans up');
SELECT set_eq($$SELECT version FROM aread.model WHERE model = 'shop'$$, ARRAY[4, 5], 'keeps the latest');
SELECT lives_ok($$SELECT aread_deploy('shop', 4)$$, 'with an older one deployed');
SELECT lives_ok($$SELECT pg_temp.train('shop', 6, '{"keep_versions": 1, "deploy": false}')$$, 'another');
SELECT set_eq($$SELECT version FROM aread.model WHERE model = 'shop'$$, ARRAY[4, 5, 6], 'keeps the deployed one and the one to roll back to');
SELECT throws_ok($$SELECT pg_temp.train('shop', 1, '{"keep_versions": -1}')$$, '22023', NULL, 'options are checked');

-- names and comments
SELECT lives_ok($$SELECT aread_rename('shop', 'market')$$, 'another name');
SELECT throws_ok($$SELECT pg_temp.score('shop')$$, '42704', NULL, 'the old one is free');
SELECT ok(pg_temp.score('market@5') > 0, 'the new one scores');
SELECT throws_ok($$SELECT aread_rename('market', 'a@b')$$, '42710', 'model "a@b" already exists', 'a name that is taken');
SELECT throws_ok($$SELECT aread_rename('market', '')$$, '42602', NULL, 'no name');
SELECT throws_ok($$SELECT aread_rename('market', 'market@1')$$, '42602', NULL, 'that of a version');
SELECT lives_ok($$SELECT aread_comment('market', 'for the shop''s front page'), aread_comment('market@5', 'with prices')$$, 'comments');
SELECT results_eq($$SELECT version, model_comment, comment FROM aread.model WHERE model = 'market' AND version > 4 ORDER BY 1$$,
  $$VALUES (5, 'for the shop''s front page', 'with prices'), (6, 'for the shop''s front page', NULL)$$, 'are shown');
SELECT lives_ok($$SELECT aread_comment('market', NULL)$$, 'and taken away');
SELECT is(model_comment, NULL, 'nothing is said') FROM aread.model WHERE model = 'market' AND deployed;
SELECT throws_ok($$SELECT aread_comment('market@9', 'x')$$, '42704', 'model "market" has no version 9', 'of a version that there is not');
SELECT throws_ok($$SELECT aread_comment('market', repeat('x', 65537))$$, '22001', 'comment has more than 65536 bytes', 'a comment that is none');

-- what pictures and views' functions show of a version
SELECT matches(aread_training_svg('market@5'), 'market.*version 5', 'a picture of a version');
SELECT isnt_empty($$SELECT * FROM aread_expert_usage('market@5')$$, 'usage of one');
SELECT isnt_empty($$SELECT * FROM aread_similar_domains('market@5', 'domain_01')$$, 'domains of one');

-- side by side
SELECT set_eq($$SELECT measure FROM aread_compare('market@4', 'market@5', 'seen') WHERE difference = b - a$$,
  ARRAY['AUC', 'DomainAUC', 'Major5AUC', 'Minor10AUC', 'Minor5AUC', 'log loss', 'UserAUC', 'NDCG@10'], 'measures of two versions');
SELECT unnest(ARRAY[is(a, (aread_evaluate('market@4', 'seen')).auc, 'of the first'), is(b, (aread_evaluate('market@5', 'seen')).auc, 'of the second')])
FROM aread_compare('market@4', 'market@5', 'seen') WHERE measure = 'AUC';
SELECT is_empty($$SELECT * FROM aread_compare('market@4', 'market@4', 'seen') WHERE difference <> 0$$, 'a version is like itself');
SELECT results_eq($$SELECT domain, rows, auc_b FROM aread_compare_domains('market@4', 'market@5', 'seen') ORDER BY 1$$,
  $$SELECT domain, rows, auc FROM aread_evaluate_domains('market@5', 'seen') ORDER BY 1$$, 'domain by domain');

-- a card
SELECT matches(aread_card('market'), '# market, version 4.*trained .* over public.seen, owner .*seed 4.*rows: \d+ to train.*user_id \(user\).*deployed.*\| validation \| 0\.\d+', 'a card');
SELECT matches(aread_card('market@5'), '# market, version 5.*with prices', 'of a version');
SELECT is(aread_card('nothing'), NULL, 'of nothing');

-- rolled back with the transaction
SAVEPOINT s;
SELECT aread_deploy('market', 6) \g /dev/null
ROLLBACK TO s;
SELECT is(pg_temp.score('market'), pg_temp.score('market@4'), 'deploying is undone with its transaction');

-- a grant: scores, no weights
CREATE ROLE aread_seller;
CREATE ROLE aread_guest;
CREATE ROLE aread_maker;
GRANT SELECT ON seen TO aread_seller, aread_guest, aread_maker;
GRANT ALL ON SCHEMA public TO aread_maker;
SELECT is(aread_grant('market', 'aread_seller'), true, 'a role may score');
SELECT is(aread_grant('market', 'aread_seller'), false, 'it may already');
SELECT is(granted_to, ARRAY['aread_seller']::name[], 'the view says so') FROM aread.model WHERE model = 'market' AND deployed;
SET LOCAL ROLE aread_seller;
SELECT ok(aread_predict('market', '{"user_id": 3}', 'domain_02') > 0, 'it scores');
SELECT ok(aread_predict('market@5', '{"user_id": 3}', 'domain_02') > 0, 'with any version');
SELECT ok((aread_evaluate('market', 'seen')).auc > 0, 'evaluates');
SELECT ok(count(*) > 0, 'and sees what there is') FROM aread.model JOIN aread.domain USING (model, version);
SELECT isnt_empty('SELECT * FROM aread.feature', 'and what it wants');
SELECT is_empty(format('SELECT * FROM aread.%I', v), v || ' shows no weights') FROM unnest('{mask,mask_overlap,expert_usage,mask_update,mask_history,training_log}'::text[]) v;
SELECT throws_ok(statement, '42501', 'permission denied for model "market"', statement) FROM (VALUES
  ($$SELECT aread_explain('market', '{"user_id": 1}', 'domain_01')$$), ($$SELECT aread_tensors('market')$$), ($$SELECT aread_tensor('market', 'bias')$$),
  ($$SELECT aread_vectors('market', 'user_id')$$), ($$SELECT aread_domain_weights('market', 'user_id')$$), ($$SELECT aread_tensor('market@5', 'bias')$$),
  ($$SELECT aread_similar_domains('market', 'domain_01')$$), ($$SELECT aread_expert_usage('market')$$), ($$SELECT aread_drop('market')$$),
  ($$SELECT aread_deploy('market', 5)$$), ($$SELECT aread_rollback('market')$$), ($$SELECT aread_drop_version('market', 5)$$), ($$SELECT aread_rename('market', 'x')$$),
  ($$SELECT aread_comment('market', 'x')$$), ($$SELECT aread_grant('market', 'public')$$), ($$SELECT aread_revoke('market', 'aread_seller')$$),
  ($$SELECT aread_train('seen', 'market', options => '{"architecture": "wide"}')$$)) t(statement);
SELECT throws_ok($$SELECT aread_set_owner('market', 'aread_seller')$$, '42501', 'permission denied for model "market"', 'nor does it become the owner');
RESET ROLE;
-- explanations of several models in one call site
SELECT pg_temp.train('sellers', 1, '{"architecture": "wide"}') \g /dev/null
SELECT lives_ok($$SELECT aread_set_owner('sellers', 'aread_seller')$$, 'superusers give models away');
SET LOCAL ROLE aread_seller;
SELECT ok(aread_predict('sellers', '{"user_id": 3}', 'domain_02') > 0, 'to those who own them then');
SELECT throws_ok($$SELECT aread_explain(m, '{"user_id": 1}', 'domain_01') FROM unnest('{sellers,market}'::text[]) m$$, '42501', 'permission denied for model "market"', 'each model is checked');
SELECT throws_ok($$SELECT aread_set_owner('sellers', 'aread_guest')$$, '42501', NULL, 'one cannot give to roles that one is no member of');
RESET ROLE;
SET LOCAL ROLE aread_guest;
SELECT throws_ok($$SELECT aread_predict('market', '{"user_id": 3}', 'domain_02')$$, '42501', 'permission denied for model "market"', 'others may not score');
RESET ROLE;
GRANT aread_seller TO aread_guest;
SET LOCAL ROLE aread_guest;
SELECT ok(aread_predict('market', '{"user_id": 3}', 'domain_02') > 0, 'members of the role may');
RESET ROLE;
REVOKE aread_seller FROM aread_guest;
SELECT is(aread_grant('market', 'public'), true, 'all may');
SET LOCAL ROLE aread_guest;
SELECT ok(aread_predict('market', '{"user_id": 3}', 'domain_02') > 0, 'each of them');
RESET ROLE;
SELECT is(aread_revoke('market', 'public'), true, 'no more');
SELECT is(aread_revoke('market', 'public'), false, 'no more');
SET LOCAL ROLE aread_guest;
SELECT throws_ok($$SELECT aread_predict('market', '{"user_id": 3}', 'domain_02')$$, '42501', NULL, 'none of them, cached or not');
RESET ROLE;
ALTER ROLE aread_seller RENAME TO aread_vendor;
CREATE ROLE aread_seller;
SET LOCAL ROLE aread_seller;
SELECT throws_ok($$SELECT aread_predict('market', '{"user_id": 3}', 'domain_02')$$, '42501', NULL, 'a role made under another name inherits nothing');
SELECT is_empty($$SELECT * FROM aread.model WHERE model = 'market'$$, 'nor sees anything');
SET LOCAL ROLE aread_vendor;
SELECT ok(aread_predict('market', '{"user_id": 3}', 'domain_02') > 0, 'a renamed one keeps its grant');
RESET ROLE;
SELECT is(aread_grant('market', 'aread_vendor'), false, 'it is the same');
SELECT is(granted_to, ARRAY['aread_vendor']::name[], 'the view has its present name') FROM aread.model WHERE model = 'market' AND deployed;
SELECT throws_ok($$SELECT aread_grant('market', 'no such role')$$, '42704', 'role "no such role" does not exist', 'roles are checked');

-- numbers of versions that are gone are not used again: a pinned name never comes to mean another model
CREATE TABLE numbered AS SELECT label, domain, user_id FROM aread_simulate(500, domains => 4, users => 20, items => 10);
SELECT is(version, 1, 'the first version') FROM aread_train('numbered', options => '{"architecture": "wide"}');
SELECT is(version, 2, 'another one') FROM aread_train('numbered', options => '{"architecture": "wide", "deploy": false}');
SELECT lives_ok($$SELECT aread_drop_version('numbered', 2)$$, 'dropped');
SELECT is(version, 3, 'the next one has a new number') FROM aread_train('numbered', options => '{"architecture": "wide", "deploy": false}');
SELECT is(aread_import(aread_export('numbered@3'), deploy => false), 4, 'so has an imported one');

SELECT * FROM finish();
ROLLBACK;
