-- Every way to call aread_predict.
SET client_min_messages = warning;
CREATE TYPE colour AS ENUM ('red', 'green', 'blue');
CREATE TABLE shown (id int PRIMARY KEY, label bool, colour colour, user_id int, item_id int, price numeric);
INSERT INTO shown SELECT i, (i * 7 + i % 5) % 3 = 0, (ARRAY['red', 'green', 'blue']::colour[])[i % 3 + 1], i % 20, i % 13, i % 17 / 3.0
FROM generate_series(1, 800) i;
SELECT trained_model FROM aread_train('shown', 'm', domain => 'colour', features => '{user_id,item_id,price}',
  options => '{"epochs": 1, "embed_dim": 4, "mmoe_experts": 2, "mmoe_dims": [8], "hei_experts": [2, 3], "hei_hidden": [8, 4], "hei_output": [4, 4], "batch_size": 128, "candidates": 2, "learning_rate": 0.01}');
CREATE TABLE score AS SELECT id, aread_predict('m', s) AS p FROM shown s;
SELECT count(DISTINCT p) > 100 AS distinct, min(p) > 0 AS above, max(p) < 1 AS below FROM score;

-- rows: of the table, of a subquery, of a named type, of a record with other columns too
SELECT bool_and(aread_predict('m', s, s.colour) = p) FROM shown s JOIN score USING (id);
SELECT bool_and(aread_predict('m', q, 'red'::colour) = (SELECT aread_predict('m', s2, 'red') FROM shown s2 WHERE s2.id = q.id))
FROM (SELECT 'x' AS unused, item_id, id, user_id::bigint, price::float8 FROM shown WHERE id < 50) q;
CREATE TYPE candidate AS (user_id int, item_id int, price numeric);
SELECT bool_and(aread_predict('m', ROW(user_id, item_id, price)::candidate, colour) = p) FROM shown JOIN score USING (id);
SELECT bool_and(aread_predict('m', s.*::shown) = p) FROM shown s JOIN score USING (id);
-- jsonb, json and text
SELECT bool_and(aread_predict('m', to_jsonb(s)) = p) FROM shown s JOIN score USING (id);
SELECT bool_and(aread_predict('m', to_json(s)) = p) FROM shown s JOIN score USING (id);
SELECT bool_and(aread_predict('m', to_json(s), s.colour) = p) FROM shown s JOIN score USING (id);
SELECT bool_and(aread_predict('m', to_jsonb(s)::text, s.colour::text) = p) FROM shown s JOIN score USING (id);
SELECT aread_predict('m', '{"user_id": 3, "item_id": 4, "price": 1.5}', 'red')
     = aread_predict('m', ROW(3, 4, 1.5)::candidate, 'red') AS literal;
SELECT aread_predict('m', '{"user_id": "3", "item_id": 4.0, "price": "1.5", "colour": "red"}')
     = aread_predict('m', ROW(3, 4, 1.5)::candidate, 'red') AS other_types;

-- the domain as text, varchar, char(n), name, enum, or by the features
WITH c AS (SELECT ROW(3, 4, 1.5)::candidate AS c)
SELECT count(DISTINCT p), count(*) FROM c, LATERAL (VALUES
  (aread_predict('m', c.c, 'red')), (aread_predict('m', c.c, 'red'::text)), (aread_predict('m', c.c, 'red'::varchar)),
  (aread_predict('m', c.c, 'red'::name)), (aread_predict('m', c.c, 'red'::char(3))), (aread_predict('m', c.c, 'red'::colour)),
  (aread_predict('m', to_jsonb(c.c), 'red'::colour)), (aread_predict('m', to_jsonb(c.c) || '{"colour": "red"}'))) v(p);

-- integers, uuid and boolean as domains
CREATE TABLE numbered AS SELECT id, label, id % 3 AS domain, item_id FROM shown;
SELECT trained_model FROM aread_train('numbered', features => '{item_id}', options => '{"architecture": "wide"}');
SELECT count(DISTINCT p), count(*) FROM (VALUES
  (aread_predict('numbered', '{"item_id": 4}', 1)), (aread_predict('numbered', '{"item_id": 4}', 1::smallint)),
  (aread_predict('numbered', '{"item_id": 4}', 1::bigint)), (aread_predict('numbered', '{"item_id": 4}', '1')),
  (aread_predict('numbered', '{"item_id": 4}', 1::numeric)), (aread_predict('numbered', '{"item_id": 4, "domain": 1}')),
  (aread_predict('numbered', '{"item_id": 4, "domain": "1"}'))) v(p);
CREATE TABLE by_uuid AS SELECT label, md5((id % 2)::text)::uuid AS domain, item_id FROM shown;
SELECT trained_model FROM aread_train('by_uuid', options => '{"architecture": "wide"}');
SELECT count(DISTINCT p), count(*) FROM (SELECT md5('0')::uuid AS u) u, LATERAL (VALUES
  (aread_predict('by_uuid', '{"item_id": 4}', u)), (aread_predict('by_uuid', '{"item_id": 4}', u::text)),
  (aread_predict('by_uuid', '{"item_id": 4}', upper(u::text)))) v(p);
CREATE TABLE by_bool AS SELECT label, id % 2 = 0 AS domain, item_id FROM shown;
SELECT trained_model FROM aread_train('by_bool', options => '{"architecture": "wide"}');
SELECT aread_predict('by_bool', '{"item_id": 4}', true) = aread_predict('by_bool', '{"item_id": 4, "domain": true}') AS same,
       aread_predict('by_bool', '{"item_id": 4}', true) = aread_predict('by_bool', '{"item_id": 4}', 't') AS as_text,
       aread_predict('by_bool', '{"item_id": 4}', true) <> aread_predict('by_bool', '{"item_id": 4}', false) AS differs;

-- NULLs: no model, no features: NULL; no domain: one never seen; no value: a value of its own
SELECT aread_predict(NULL, s) IS NULL AS model, aread_predict('m', NULL::jsonb, 'red') IS NULL AS features,
       aread_predict('m', NULL, 'red') IS NULL AS unknown, aread_predict('m', NULL::shown) IS NULL AS record,
       aread_predict('m', s, NULL::text) BETWEEN 0 AND 1 AS domain
FROM shown s LIMIT 1;
SELECT aread_predict('numbered', '{"item_id": 4}', NULL::int) = aread_predict('numbered', '{"item_id": 4}', 77) AS no_domain_is_unseen;
SELECT aread_predict('m', s, NULL) BETWEEN 0 AND 1 AS bare FROM shown s LIMIT 1;
SELECT aread_predict('m', '{"user_id": null, "item_id": 1}', 'red') = aread_predict('m', '{"item_id": 1}', 'red') AS missing_is_null;
SELECT aread_predict('m', '{}', 'red') BETWEEN 0 AND 1 AS empty;

-- parameters without types
PREPARE by_text AS SELECT aread_predict($1, $2, $3) = aread_predict('m', ROW(3, 4, 1.5)::candidate, 'red');
EXECUTE by_text('m', '{"user_id": 3, "item_id": 4, "price": 1.5}', 'red');
PREPARE by_features AS SELECT aread_predict($1, $2) = aread_predict('m', ROW(3, 4, 1.5)::candidate, 'red');
EXECUTE by_features('m', '{"user_id": 3, "item_id": 4, "price": 1.5, "colour": "red"}');
PREPARE by_row AS SELECT bool_and(aread_predict($1, s, $2) = aread_predict('m', s, 'red')) FROM shown s;
EXECUTE by_row('m', 'red');

-- inside queries
SELECT count(*) = 10 AS top FROM (SELECT id FROM shown s ORDER BY aread_predict('m', s) DESC LIMIT 10) t;
SELECT count(*) > 0 AS some FROM shown s WHERE aread_predict('m', s) > 0.3;
SELECT colour, avg(aread_predict('m', s)) BETWEEN 0 AND 1 AS mean FROM shown s GROUP BY colour ORDER BY colour;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SELECT count(set_config(name, 'on', false)) FROM pg_settings WHERE name IN ('debug_parallel_query', 'force_parallel_mode');
SELECT bool_and(aread_predict('m', s) = p) FROM shown s JOIN score USING (id);
RESET ALL;
SET client_min_messages = warning;
CREATE FUNCTION scored(int) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE r shown; p float8;
BEGIN SELECT * INTO r FROM shown WHERE id = $1; p := aread_predict('m', r); RETURN p; END $$;
SELECT bool_and(scored(id) = p) FROM score;
-- several models in one call
SELECT bool_and(aread_predict(CASE WHEN id % 2 = 0 THEN 'm' ELSE 'numbered' END, to_jsonb(s) || jsonb_build_object('domain', id % 3))
     = CASE WHEN id % 2 = 0 THEN p ELSE aread_predict('numbered', to_jsonb(s), id % 3) END)
FROM shown s JOIN score USING (id);

-- mistakes
SELECT aread_predict('n', s) FROM shown s;
SELECT aread_predict('nowhere near', s) FROM shown s;
SELECT aread_predict('m', ROW(3, 4, 1.5), 'red');
SELECT aread_predict('m', '{"usr": 3}', 'red');
SELECT aread_predict('m', '[3]', 'red');
SELECT aread_predict('m', '{', 'red');
SELECT aread_predict('m', '{"user_id": [3]}', 'red');
SELECT aread_predict('m', '{"user_id": "three"}', 'red');
SELECT aread_predict('m', '{"user_id": 3}');
SELECT aread_predict('m', ROW(3, 4, 1.5)::candidate);
SELECT aread_predict('m', s, 'purple'::text) = aread_predict('m', s, 'none'::text) AS no_label_is_unseen FROM shown s LIMIT 1;
SET aread.unseen_domain = error;
SELECT aread_predict('numbered', '{"item_id": 4}', 77);
SELECT aread_predict('numbered', '{"item_id": 4}', NULL::int);
SELECT aread_predict('numbered', '{"item_id": 4}', 1) > 0 AS seen;
SET aread.unseen_domain = maybe;
RESET aread.unseen_domain;

-- a table that changes under a prepared call
PREPARE again AS SELECT count(aread_predict('m', s)) FROM shown s;
EXECUTE again;
ALTER TABLE shown DROP COLUMN price;
EXECUTE again;

SELECT aread_drop(model) FROM (SELECT DISTINCT model FROM aread.model) m;
DROP FUNCTION scored;
DROP TABLE shown, score, numbered, by_uuid, by_bool;
DROP TYPE candidate, colour;
