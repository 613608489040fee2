-- Columns get their parts by name: what was found is told, and what nearly was.
CREATE TABLE clicks AS SELECT (i * 7 + i % 5) % 3 = 0 AS label, 'd' || i % 3 AS domain, i % 20 AS userid, i % 13 AS "item_id ", i % 11 AS day, 1 + i % 2 AS times
FROM generate_series(1, 600) i;
CREATE FUNCTION train(call text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN EXECUTE 'SELECT aread_train(' || call || ', options => ''{"architecture": "wide", "row_counts": false}'')'; END $$;
SELECT train($$'clicks'$$);
SELECT train($$'clicks', features => '{userid}'$$);
SELECT aread_register('clicks', user_id => 'userid');
SELECT aread_register('clicks', user_id => 'userid', item_id => 'item_id ', split => 'day', weight => 'times');

-- marks that do not show, capitals, other endings
ALTER TABLE clicks RENAME userid TO U&"\FEFFuser_id";
ALTER TABLE clicks RENAME "item_id " TO "Item";
ALTER TABLE clicks RENAME day TO "split.";
SELECT aread_register('clicks');
-- no other columns: those of other names, those that have a part, lists
ALTER TABLE clicks RENAME U&"\FEFFuser_id" TO tier_id;
ALTER TABLE clicks RENAME "Item" TO time;
ALTER TABLE clicks RENAME "split." TO spelt_out;
SELECT aread_register('clicks');
ALTER TABLE clicks RENAME tier_id TO users;
ALTER TABLE clicks RENAME time TO item;
SELECT aread_register('clicks', domain => 'users', item_id => 'item');
ALTER TABLE clicks ALTER users TYPE int[] USING ARRAY[users];
SELECT aread_register('clicks');
-- a label that was declined is not asked for, one that nearly fits is
SELECT aread_register('clicks', label => '');
ALTER TABLE clicks RENAME label TO labels;
SELECT aread_register('clicks');
SELECT aread_unregister('clicks');
SELECT train($$'clicks'$$);

SET client_min_messages = warning;
SELECT count(aread_drop(model)) FROM (SELECT DISTINCT model FROM aread.model) m;
DROP FUNCTION train;
DROP TABLE clicks;
