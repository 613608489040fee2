-- What a role sees of a model that it may score with: nothing that is a single row's.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

CREATE TABLE sales AS SELECT label, CASE WHEN sequence <= 16 THEN 'kiosk' ELSE domain END AS domain, user_id, item_id, (price * 1000 + sequence)::float8 AS price
FROM aread_simulate(2000, domains => 3, users => 60, items => 40);
SELECT aread_train('sales', 'sales', options => '{"architecture": "wide", "valid_share": 0.3, "test_share": 0.3}') \g /dev/null
CREATE ROLE aread_clerk;
SELECT aread_grant('sales', 'aread_clerk') \g /dev/null
CREATE TABLE owners AS SELECT * FROM aread.domain WHERE model = 'sales';
GRANT SELECT ON owners TO aread_clerk;

-- what there is to hide
SELECT isnt_empty($$SELECT FROM sales JOIN (SELECT unnest(edges) AS edge FROM aread.feature WHERE model = 'sales') e ON edge = price$$, 'bin edges are prices of single rows');
SELECT results_eq($$SELECT rows < 10, valid_rows < 10, test_rows < 10, positives IS NOT NULL, valid_log_loss IS NOT NULL, test_log_loss IS NOT NULL FROM owners WHERE domain = 'kiosk'$$,
  'VALUES (true, true, true, true, true, true)', 'a domain of few rows, of which the owner sees all');
SELECT isnt_empty($$SELECT FROM owners WHERE valid_auc IS NOT NULL AND valid_rows < 10$$, 'AUC too');

SET LOCAL ROLE aread_clerk;
SELECT ok(aread_predict('sales', '{"price": 4000}', 'kiosk') > 0, 'who may score');
SELECT results_eq($$SELECT name, kind, type, "values" > 0, edges FROM aread.feature WHERE model = 'sales' AND kind = 'binned'$$,
  $$VALUES ('price', 'binned', 'double precision', true, NULL::float8[])$$, 'sees features without edges of their bins');
SELECT results_eq($$SELECT rows, valid_rows, test_rows, positives, valid_auc, valid_log_loss, test_auc, test_log_loss FROM aread.domain WHERE domain = 'kiosk'$$,
  $$SELECT rows, valid_rows, test_rows, NULL::bigint, NULL::float8, NULL::float8, NULL::float8, NULL::float8 FROM owners WHERE domain = 'kiosk'$$, 'sizes of small domains, without labels');
SELECT results_eq($$SELECT * FROM aread.domain WHERE rows >= 10 ORDER BY domain$$, $$SELECT * FROM owners WHERE rows >= 10 ORDER BY domain$$, 'and all of larger ones');
SELECT is(aread_card('sales') LIKE '%price%', true, 'and a card');

SELECT * FROM finish();
ROLLBACK;
