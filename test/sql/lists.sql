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

SET client_min_messages = warning;
SELECT count(aread_drop(model)) FROM (SELECT DISTINCT model FROM aread.model) m;
DROP VIEW worse;
DROP TABLE log;
