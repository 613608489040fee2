-- Records and objects that do not fit a model: names that are there twice, features that are not there.
SET client_min_messages = warning;
CREATE TABLE shown AS SELECT i AS id, (i * 7 + i % 5) % 3 = 0 AS label, 'd' || i % 3 AS domain, i % 20 AS user_id, i % 13 AS product_id, i % 17 / 3.0 AS price, ARRAY[i % 3, i % 4] AS tags
FROM generate_series(1, 600) i;
ANALYZE shown;
SELECT trained_model FROM aread_train('shown', 'm', item_id => 'product_id', features => '{user_id,product_id,price,tags}', options => '{"architecture": "wide"}');
SELECT trained_model FROM aread_train('shown', 'two', features => '{user_id,price}', options => '{"architecture": "wide"}');
CREATE VIEW joined AS SELECT s.id, s.user_id, s.domain, t.product_id, t.price, t.tags FROM shown s JOIN shown t USING (id);
SET client_min_messages = notice;

-- two columns of one name: as SQL has it, if the name is a feature
SELECT count(aread_predict('m', r)) FROM (SELECT s.*, t.user_id FROM shown s JOIN shown t USING (id)) r;
SET aread.batch_scan = off;
SELECT count(aread_predict('m', r)) FROM (SELECT s.*, t.user_id FROM shown s JOIN shown t USING (id)) r;
RESET aread.batch_scan;
SELECT count(aread_predict('m', r)) FROM (SELECT s.*, t.tags FROM shown s JOIN shown t USING (id)) r;
SELECT count(*) FROM (SELECT s.*, t.price FROM shown s JOIN shown t USING (id) LIMIT 1) r, aread_explain('m', r);
SELECT count(aread_predict('m', r)) FROM (SELECT s.*, t.id, t.label FROM shown s JOIN shown t USING (id)) r;
-- the domain, unless it is an argument
SELECT count(aread_predict('m', r)) FROM (SELECT s.*, 'd1' AS domain FROM shown s) r;
SELECT count(aread_predict('m', r, 'd1')) AS scored, bool_and(aread_predict('m', r, 'd1') = aread_predict('m', s, 'd1')) AS same
FROM shown s, LATERAL (SELECT s.*, 'd2' AS domain) r;
-- JSON text has a key twice where a record has a column twice; jsonb never has
SELECT count(aread_predict('m', row_to_json(r))) FROM (SELECT s.*, t.user_id FROM shown s JOIN shown t USING (id)) r;
SELECT count(aread_predict('m', row_to_json(r))) FROM (SELECT s.*, t.id, t.label FROM shown s JOIN shown t USING (id)) r;
SELECT count(aread_predict('m', row_to_json(r), 'd1')) FROM (SELECT s.*, 'd2' AS domain FROM shown s) r;
SELECT bool_and(aread_predict('m', to_jsonb(r)) = aread_predict('m', s)) FROM shown s, LATERAL (SELECT -1 AS user_id, s.*) r;
SET aread.missing_features = ignore;
SELECT aread_predict('m', '{"user_id": 4, "other": {"user_id": ["\":{", {"user_id": 1}]}, "user\u005fid": 5}', 'd1');
SELECT aread_predict('m', '{"user_id": 4, "other": {"user_id": ["\":{", {"user_id": 1}]}, "other": 5, "\\": 1, "\\": ""}', 'd1') > 0 AS scored;
SELECT aread_predict('m', '[{"user_id": 4, "user_id": 4}]', 'd1');
RESET aread.missing_features;

-- features that are not there: once for each statement
SELECT count(aread_predict('m', r)) FROM (SELECT id, domain, user_id, product_id AS prodct_id, price, tags FROM shown) r;
SET aread.batch_scan = off;
SELECT count(aread_predict('m', r)) FROM (SELECT id, domain, user_id, product_id AS prodct_id, price, tags FROM shown) r;
RESET aread.batch_scan;
SELECT count(aread_predict('m', to_jsonb(s) - CASE WHEN id % 2 = 0 THEN 'price' ELSE 'user_id' END - 'id' - 'label')) FROM shown s;
SELECT count(aread_predict('m', jsonb_strip_nulls(to_jsonb(r)))) FROM (SELECT domain, user_id, product_id, tags, CASE WHEN id > 300 THEN price END AS price FROM shown) r;
SELECT aread_predict('m', '{"id": 4, "userId": 2, "PRICE": 3}', 'd1') > 0 AS scored;
SELECT count(*) FROM aread_explain('m', '{"user_id": 2}', 'd1') WHERE part = 'feature';
SELECT count(aread_predict('m', r)), count(aread_predict('two', r)) FROM (SELECT domain, user_id FROM shown) r;
SELECT aread_predict('m', '{}', 'd1') > 0 AS scored;
-- but not of NULLs, a domain that is an argument, or counts of rows
SELECT count(aread_predict('m', r, 'd1')) FROM (SELECT user_id, product_id, NULL AS price, NULL::int[] AS tags FROM shown) r;
SELECT aread_predict('m', '{"user_id": null, "product_id": 2, "price": null, "tags": null}', 'd1') > 0 AS scored;
SELECT count(aread_predict('m', j)) FROM joined j;
-- calls in functions
CREATE FUNCTION of_user(int) RETURNS float8 LANGUAGE sql STABLE SET enable_sort = on AS $$ SELECT aread_predict('m', jsonb_build_object('user_id', $1), 'd1') $$;
CREATE FUNCTION of_user_too(int) RETURNS float8 LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN aread_predict('m', jsonb_build_object('user_id', $1), 'd1'); END $$;
SELECT count(of_user(user_id)) FROM shown;
SELECT count(of_user_too(user_id)) FROM shown;
SELECT count(of_user_too(user_id)) FROM shown;
-- many names
SELECT format('CREATE TABLE broad AS SELECT label, domain, %s FROM shown', string_agg(format('(user_id + %s) %% 7 AS f%s', i, i), ', ')) FROM generate_series(1, 14) i \gexec
SET client_min_messages = warning;
SELECT trained_model FROM aread_train('broad', 'broad', options => '{"architecture": "wide"}');
SET client_min_messages = notice;
SELECT aread_predict('broad', '{"f1": 1}', 'd1') > 0 AS scored;

-- as errors, or not at all
SET aread.missing_features = error;
SELECT aread_predict('m', '{"id": 4, "userId": 2, "price": 3}', 'd1');
SELECT count(aread_predict('m', r)) FROM (SELECT domain, user_id, price, tags FROM shown) r;
SELECT aread_explain('m', '{"user_id": 2, "product_id": 3, "price": 3}', 'd1');
SELECT aread_predict('m', '{"user_id": null, "product_id": 2, "price": null, "tags": null}', 'd1') > 0 AS scored;
SET aread.missing_features = ignore;
SELECT aread_predict('m', '{"id": 4, "userId": 2, "price": 3}', 'd1') > 0 AS scored;
SET aread.missing_features = sometimes;
RESET aread.missing_features;

-- in plans, where they say what a record has, or when they were run
CREATE FUNCTION missing(query text, options text DEFAULT '') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS off' || options || ') ' || query LOOP
    IF line ~ 'Missing|Models' THEN RETURN NEXT trim(line); END IF;
  END LOOP;
END $$;
SELECT missing('SELECT aread_predict(''m'', r) FROM (SELECT domain, user_id, price AS cost FROM shown) r');
SELECT missing('SELECT aread_predict(''m'', r, ''d1'') FROM (SELECT user_id, product_id, tags FROM shown) r');
SELECT missing('SELECT aread_predict(''m'', s) FROM shown s');
SELECT missing('SELECT aread_predict(''none'', r) FROM (SELECT domain, user_id FROM shown) r');
SELECT missing('SELECT aread_predict(''m'', r) FROM (SELECT domain, user_id FROM shown) r', ', ANALYZE');
SELECT missing('SELECT aread_predict(''m'', to_jsonb(s) - ''price'') FROM shown s', ', ANALYZE');
CREATE ROLE regress_aread_other;
GRANT SELECT ON shown TO regress_aread_other;
SET ROLE regress_aread_other;
SELECT missing('SELECT aread_predict(''m'', r) FROM (SELECT domain, user_id FROM shown) r');
RESET ROLE;
SELECT aread_grant('m', 'regress_aread_other');
SET ROLE regress_aread_other;
SELECT missing('SELECT aread_predict(''m'', r) FROM (SELECT domain, user_id FROM shown) r');
RESET ROLE;

-- a relation says it in a notice of its own, whatever the setting is
SET aread.missing_features = error;
CREATE VIEW partly AS SELECT label, domain, user_id, product_id, tags FROM shown;
SELECT rows FROM aread_evaluate('m', 'partly');

SET client_min_messages = warning;
SELECT count(aread_drop(model)) FROM (SELECT DISTINCT model FROM aread.model) m;
DROP FUNCTION missing, of_user, of_user_too;
DROP VIEW joined, partly;
DROP TABLE shown, broad;
DROP ROLE regress_aread_other;
