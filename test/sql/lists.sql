-- What recommending and ranking say.
\set VERBOSITY default
CREATE TABLE log AS SELECT label, domain, user_id, item_id, age_band, category FROM aread_simulate(2000, domains => 4, users => 40, items => 30, seed => 5);

-- rows that an evaluation leaves out
SET client_min_messages = warning;
SELECT version FROM aread_train('log', 'm', options => '{"architecture": "wide", "on_bad_label": "skip"}');
RESET client_min_messages;
CREATE VIEW worse AS SELECT CASE WHEN item_id = 7 THEN 2 WHEN item_id <> 8 THEN label END AS label, CASE WHEN item_id <> 9 THEN domain END AS domain, user_id, item_id, age_band, category FROM log;
SELECT count(*) FROM aread_evaluate_ranking('m', 'worse', NULL);
SELECT count(*) FROM aread_evaluate_ranking('m', 'log', NULL);

-- what a training keeps
CREATE FUNCTION train(model text, options jsonb, features text[] DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM aread_train('referred', model, user_id => 'user_id', item_id => 'item_id', features => features, options => '{"architecture": "wide", "row_counts": false}' || options);
END $$;
CREATE VIEW referred AS SELECT label, domain, user_id, item_id, 1000 + user_id AS referrer FROM log;
SELECT train('cut', '{"recommend_items": 12, "recommend_users": 9, "recommend_seen": 5}', '{domain,user_id,item_id}');
SELECT train('unseen', '{"recommend_seen": 0}', '{domain,user_id,item_id}');
SELECT train('shared', '{"recommend_users": 70, "features": {"referrer": {"vocabulary": "user_id"}}}');
SELECT train('hashed users', '{"features": {"user_id": {"buckets": 16}}}', '{domain,user_id,item_id}');
SELECT train('hashed items', '{"features": {"item_id": {"buckets": 16}}}', '{domain,user_id,item_id}');

-- hashed users and items, in lists that rank
SELECT count(*) FROM aread_evaluate_ranking('hashed users', 'referred');
SELECT count(*) FROM aread_evaluate_ranking('hashed items', 'referred');

-- of whom it is not known what he took
SELECT count(DISTINCT user_id) FROM aread_recommend_all('cut', 5);
SELECT count(DISTINCT user_id) FROM aread_recommend_all('unseen', 5);
SELECT count(DISTINCT user_id) FROM aread_recommend('shared', '{7,1007,-7}', 5);
SELECT count(DISTINCT user_id) FROM aread_recommend('hashed users', '{7,8}', 5);
CREATE VIEW shelf AS SELECT DISTINCT domain, item_id FROM log;
SELECT count(DISTINCT user_id) FROM aread_recommend('hashed items', '{7,8}', 5, candidates => 'shelf');

-- names that are no features
SET client_min_messages = warning;
SELECT version FROM aread_train('log', 'history', features => '{domain,user_id,item_id,category,age_band}', options => '{"architecture": "fm", "epochs": 1, "trees": 0, "history": true}');
RESET client_min_messages;
SELECT aread_predict('history', r) IS NOT NULL AS scored FROM (SELECT 7 AS user_id, 3 AS item_id, 'domain_01' AS domain, 1 AS category, '{3,4}'::int[] AS history) r;
SELECT aread_predict('history', r, 'domain_02') IS NOT NULL AS scored FROM (SELECT 7 AS user_id, 3 AS item_id, 'domain_01' AS domain, 1 AS category, 2 AS age_brand) r;
SELECT aread_predict('history', '{"user_id": 7, "item_id": 3, "category": 1, "history": [3, 4]}'::jsonb, 'domain_02') IS NOT NULL AS scored;
SELECT count(*) FROM aread_recommend('history', 7, 5, context => '{"age_band": 1, "categorie": 2, "hour": 20, "history": [3]}');
SELECT count(*) FROM aread_recommend('cut', 9, 5, exclude_seen => false, context => '{"domain ": 1, "history": [3], "item_id": 3}');
SELECT count(*) FROM aread_recommend('history', 7, 5, context => '{"age_band": 1, "zip": 2}');
SET aread.missing_features = error;
SELECT count(*) FROM aread_recommend('history', 7, 5, context => '{"age_band": 1, "categorie": 2}');
SET aread.missing_features = ignore;
SELECT count(*) FROM aread_recommend('history', 7, 5, context => '{"age_band": 1, "categorie": 2}');
RESET aread.missing_features;
CREATE VIEW log_with_histories AS SELECT *, '{3,4}'::int[] AS history FROM log;
SELECT count(*) > 0 AS shifts FROM aread_shift('history', 'log_with_histories');
SELECT count(*) > 0 AS drifts FROM aread_drift('history', 'log_with_histories');
CREATE VIEW shelf_with_histories AS SELECT *, '{3,4}'::int[] AS history FROM shelf;
SELECT count(*) FROM aread_recommend('history', 7, 5, candidates => 'shelf_with_histories');

-- histories of nobody
CREATE VIEW nobody AS SELECT label, domain, NULLIF(user_id, user_id) AS user_id, item_id FROM log;
SELECT aread_train('log', 'x', options => '{"architecture": "fm", "history": true, "min_count": 1000}');
SELECT aread_train('log', 'x', options => '{"architecture": "fm", "history": true, "features": {"user_id": {"buckets": 16}}}');
SELECT aread_train('nobody', 'x', features => '{domain,user_id,item_id}', options => '{"architecture": "fm", "history": true}');

SET client_min_messages = warning;
SELECT count(aread_drop(model)) FROM (SELECT DISTINCT model FROM aread.model) m;
DROP FUNCTION train;
DROP VIEW worse, referred, log_with_histories, shelf_with_histories, shelf, nobody;
DROP TABLE log;
