-- The best items of users: the same as by aread_predict over all rows, whoever asks and however.
BEGIN;
SELECT no_plan();
SET client_min_messages = warning;

CREATE TABLE log AS SELECT label, domain, user_id, item_id, age_band, category, price, sequence
FROM aread_simulate(6000, domains => 5, users => 40, items => 60, strength => 3, seed => 5);
CREATE FUNCTION train(model text, options jsonb, source regclass DEFAULT 'log') RETURNS integer LANGUAGE sql AS $$
  SELECT version FROM aread_train(source, model, features => '{domain,user_id,item_id,age_band,category}', options => options) $$;
SELECT train('wide', '{"architecture": "wide"}'), train('trees', '{"architecture": "trees", "trees": 20}'),
  train('hei', '{"architecture": "hei", "epochs": 2, "embed_dim": 4, "mmoe_dims": [16], "hei_experts": [2, 2], "hei_hidden": [8, 8], "hei_output": [8, 8]}') \g /dev/null

-- What is kept.
SELECT results_eq($$SELECT kept_items, kept_users FROM aread.model WHERE model = 'wide'$$,
  $$SELECT count(DISTINCT item_id) FILTER (WHERE aread_split('wide', l) = 'train'), count(DISTINCT user_id) FILTER (WHERE aread_split('wide', l) = 'train') FROM log l$$, 'items and users of training rows');
SELECT is(kept_bytes, (SELECT sum(octet_length(c.data) - 16) FROM aread.stored_chunk c JOIN aread.stored_version s USING (version_id)
  JOIN aread.stored_model o USING (model_id) WHERE o.name = 'wide' AND c.kind = 'entities')::bigint, 'bytes are those stored') FROM aread.model WHERE model = 'wide';
SELECT cmp_ok(kept_bytes, '>', 4 * (kept_items + kept_users), 'which is something') FROM aread.model WHERE model = 'wide';

-- Item and domain of training rows, users with their columns, what they took.
CREATE TABLE pair AS SELECT DISTINCT item_id, domain, category FROM log l WHERE aread_split('wide', l) = 'train';
CREATE TABLE person AS SELECT user_id, min(age_band) AS age_band FROM log GROUP BY user_id;
SELECT is_empty('SELECT user_id FROM log GROUP BY user_id HAVING count(DISTINCT age_band) > 1 UNION ALL SELECT item_id FROM log GROUP BY item_id HAVING count(DISTINCT category) > 1', 'columns go with users and items');
CREATE FUNCTION expected(model text, wanted_domain text, k int, seen boolean) RETURNS TABLE (user_id text, rank bigint, item_id text, domain text, score float8) LANGUAGE sql AS $$
  SELECT user_id::text, rank, item_id::text, domain, score
  FROM (SELECT b.*, row_number() OVER (PARTITION BY user_id ORDER BY score DESC) AS rank
        FROM (SELECT DISTINCT ON (s.user_id, s.item_id) s.*
              FROM (SELECT u.user_id, p.item_id, p.domain, aread_predict($1, x) AS score FROM person u, pair p, LATERAL (SELECT u.user_id, u.age_band, p.item_id, p.domain, p.category) x
                    WHERE ($2 IS NULL OR p.domain = $2) AND NOT ($4 AND EXISTS (SELECT FROM log l WHERE l.user_id = u.user_id AND l.item_id = p.item_id))) s
              ORDER BY s.user_id, s.item_id, s.score DESC) b) r
  WHERE rank <= $3 $$;
-- Ranks may change places where scores are as good as equal.
CREATE FUNCTION differences(model text, domain text, k int, seen boolean) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format('%s: %s %s, %s %s', COALESCE(a.user_id, b.user_id), a.item_id, a.score, b.item_id, b.score)
  FROM aread_recommend_all($1, $3, $2, exclude_seen => $4) a FULL JOIN expected($1, $2, $3, $4) b ON a.user_id = b.user_id AND a.rank = b.rank
  WHERE (abs(a.score - b.score) < 1e-6) IS NOT TRUE
  UNION ALL
  SELECT format('%s: %s in %s: %s', a.user_id, a.item_id, a.domain, a.score) FROM aread_recommend_all($1, $3, $2, exclude_seen => $4) a
  LEFT JOIN expected($1, $2, 100, $4) b USING (user_id, item_id)
  WHERE (abs(a.score - b.score) < 1e-6) IS NOT TRUE $$;
SELECT is_empty(format('SELECT differences(%L, %L, 7, %L)', model, domain, seen), format('%s, domain %s, seen ones out: %s', model, domain, seen))
FROM unnest('{wide,trees,hei}'::text[]) model, unnest('{NULL,domain_02}'::text[]) domain, unnest('{true,false}'::boolean[]) seen;
-- Values of users, of items and of pairs, in tiles of many users and of one: crosses, histories, pairs of trees.
SELECT train('crossed', '{"architecture": "fm", "epochs": 2, "trees": 60, "history": {"length": 5}, "crosses": [["user_id", "category"], ["age_band", "item_id"]]}') \g /dev/null
SELECT is_empty(format('SELECT differences(%L, %L, 7, false)', 'crossed', domain), format('crosses, domain %s', domain)) FROM unnest('{NULL,domain_02}'::text[]) domain;
SELECT is_empty(format($$SELECT user_id, item_id, a.score, b.score FROM aread_recommend_all(%1$L, 300) a FULL JOIN (SELECT r.* FROM person p, aread_recommend(%1$L, p.user_id, 300) r) b USING (user_id, item_id)
  WHERE (abs(a.score - b.score) < 1e-6) IS NOT TRUE$$, model), format('%s: many users have the lists of each', model)) FROM unnest('{wide,trees,hei,crossed}'::text[]) model;
SELECT isnt_empty($$SELECT user_id, item_id FROM expected('wide', NULL, 60, false) EXCEPT SELECT user_id, item_id FROM expected('wide', NULL, 60, true)$$, 'there is something to leave out');
SELECT is_empty($$SELECT FROM aread_recommend_all('hei', 60) r JOIN log l ON l.user_id::text = r.user_id AND l.item_id::text = r.item_id$$, 'no item that the user took, in whatever split');
SELECT results_eq($$SELECT user_id, count(*), min(rank), max(rank), count(DISTINCT item_id) FROM aread_recommend('hei', '{7,8}', 100, exclude_seen => false) GROUP BY 1 ORDER BY 1$$,
  $$SELECT u, n, 1, n::int, n FROM (SELECT count(DISTINCT item_id) AS n FROM pair) p, unnest('{7,8}'::text[]) u$$, 'each item once, ranks without gaps');
SELECT isnt_empty($$SELECT rank FROM aread_recommend_all('hei', 5) GROUP BY rank HAVING count(DISTINCT item_id) > 5$$, 'users have lists of their own');

-- Who the users are.
CREATE TABLE seven AS SELECT * FROM aread_recommend('hei', 7, 4);
SELECT is(count(*), 4::bigint, 'one user') FROM seven WHERE user_id = '7';
SELECT results_eq($$SELECT * FROM aread_recommend('hei', $$ || users || ', 4)', 'TABLE seven', users)
FROM unnest(ARRAY['''7''', '7::text', '7::bigint', '''{7}''', 'ARRAY[7]', 'ARRAY[''7'']']) users;
SELECT results_eq($$SELECT array_agg(DISTINCT item_id) FROM aread_recommend('hei', 7.0, 4)$$, 'SELECT array_agg(DISTINCT item_id) FROM seven', 'a number is known by its value');
SELECT results_eq($$SELECT * FROM aread_recommend('hei', $$ || users || ', 4)', 'TABLE seven', 'one text of a user who is known: ' || users)
FROM unnest(ARRAY['7.00', $$'07'::text$$, $$'{" 7"}'$$, $$ARRAY['7']::char(5)[]$$]) users;
SELECT results_eq($$SELECT DISTINCT user_id FROM aread_recommend('hei', ARRAY['0999', ' 7'], 4) ORDER BY 1$$, $$VALUES ('0999'), ('7')$$, 'of others what was passed');
SELECT results_eq($$SELECT user_id, rank FROM aread_recommend('hei', ARRAY[8, 7, 8], 2)$$, $$VALUES ('8', 1), ('8', 2), ('7', 1), ('7', 2), ('8', 1), ('8', 2)$$, 'in the order of the array');
SELECT is_empty($$SELECT FROM aread_recommend('hei', '{}')$$, 'nobody');
SELECT is_empty($$SELECT FROM aread_recommend('hei', (SELECT array_agg(user_id) FROM person WHERE false))$$, 'no array, nobody');
SELECT results_eq($$SELECT * FROM aread_recommend('hei', $$ || users || ', 4)', $$SELECT * FROM aread_recommend('hei', ARRAY[NULL]::int[], 4)$$, 'an unknown user: ' || users)
FROM unnest(ARRAY['NULL', 'NULL::int', 'NULL::text', '(SELECT user_id FROM person WHERE user_id < 0)']) users;
SELECT results_eq($$SELECT DISTINCT user_id, count(*) OVER () FROM aread_recommend('hei', NULL, 4)$$, $$VALUES (NULL::text, 4::bigint)$$, 'who has one list');
SELECT is(count(DISTINCT user_id), (SELECT kept_users FROM aread.model WHERE model = 'hei'), 'everybody') FROM aread_recommend_all('hei', 1);
SELECT is_empty($$SELECT * FROM aread_recommend('hei', ARRAY[999, NULL], 10) r, LATERAL (SELECT DISTINCT category FROM pair p WHERE p.item_id::text = r.item_id) c
  WHERE abs(score - aread_predict('hei', jsonb_build_object('user_id', r.user_id, 'item_id', r.item_id, 'domain', r.domain, 'category', category, 'age_band', NULL))) > 1e-6$$, 'whom the model does not know is scored as never seen');
SELECT results_eq($$SELECT user_id, count(*) FROM aread_recommend('hei', ARRAY[NULL, 999], 100) GROUP BY 1 ORDER BY 1$$, $$SELECT u, count(DISTINCT item_id) FROM pair, unnest(ARRAY['999', NULL]) u GROUP BY u ORDER BY u$$, 'and has taken nothing');
SELECT results_eq($$SELECT (r).* FROM (SELECT aread_recommend('hei', p.user_id, 4) AS r FROM person p WHERE user_id = 7) x$$, 'TABLE seven', 'of a column, and in a SELECT list');

-- No more than so many of a kind: the best ones that may be listed.
SELECT results_eq($$SELECT item_id FROM aread_recommend('hei', 7, 8, max_per => '{"category": 2}')$$,
  $$SELECT item_id FROM (SELECT r.*, row_number() OVER (PARTITION BY category ORDER BY rank) AS n FROM aread_recommend('hei', 7, 100) r JOIN (SELECT DISTINCT item_id::text, category FROM pair) p USING (item_id)) c
  WHERE n <= 2 ORDER BY rank LIMIT 8$$, 'max_per');
CREATE VIEW single AS SELECT DISTINCT ON (item_id) item_id, domain, category FROM pair ORDER BY item_id, domain;
SELECT results_eq($$SELECT item_id FROM aread_recommend('hei', 7, 100, max_per => '{"category": 1, "domain": 3}', exclude_seen => false, candidates => 'single')$$,
  $$WITH RECURSIVE rows AS (SELECT r.*, category FROM aread_recommend('hei', 7, 100, exclude_seen => false, candidates => 'single') r JOIN (SELECT item_id::text, category FROM single) p USING (item_id)),
    walk(rank, item, categories, domains) AS (SELECT 0, NULL::text, '{}'::int[], '{}'::text[] UNION ALL
      SELECT r.rank, CASE WHEN fits THEN r.item_id END, CASE WHEN fits THEN categories || r.category ELSE categories END, CASE WHEN fits THEN domains || r.domain ELSE domains END
      FROM walk w JOIN rows r ON r.rank = w.rank + 1, LATERAL (SELECT r.category <> ALL (categories) AND cardinality(array_positions(domains, r.domain)) < 3 AS fits) f)
    SELECT item FROM walk WHERE item IS NOT NULL ORDER BY rank$$, 'two caps, walked through row by row');
SELECT throws_ok(format('SELECT aread_recommend(''hei'', 7, max_per => %L)', max_per), state, message)
FROM (VALUES ('{"category": 0}', '22023', 'max_per of "category" must be a positive integer'), ('{"category": 1.5}', '22023', 'max_per of "category" must be a positive integer'), ('{"category": "x"}', '22023', 'max_per of "category" must be a positive integer'),
  ('[1]', '22023', 'max_per must be an object'), ('{"brand": 1}', '42704', 'model "hei" has no feature "brand"'), ('{"age_band": 1}', '22023', 'max_per: candidates have no column "age_band"')) t(max_per, state, message);

-- Candidates of a relation: items that nobody knows, columns that are others than in training.
CREATE TABLE shelf AS SELECT item_id, domain, category, 'x' AS note FROM (SELECT DISTINCT ON (item_id) * FROM pair WHERE item_id <= 20 ORDER BY item_id, domain) p
UNION ALL SELECT 1000 + i, 'domain_03', i % 3, 'new' FROM generate_series(1, 5) i UNION ALL SELECT NULL, 'domain_01', 1, 'none';
INSERT INTO shelf SELECT item_id, 'domain_04', 2, 'twice' FROM shelf WHERE item_id = 3;
SELECT results_eq($$SELECT item_id, domain, round(score::numeric, 5) FROM aread_recommend('hei', 7, 100, candidates => 'shelf', exclude_seen => false) ORDER BY 1$$,
  $$SELECT DISTINCT ON (1) s.item_id::text, s.domain, round(score::numeric, 5) FROM shelf s, LATERAL (SELECT s.item_id, s.domain, s.category, age_band, user_id FROM person WHERE user_id = 7) x, LATERAL aread_predict('hei', x) score
  WHERE s.item_id IS NOT NULL ORDER BY 1, score DESC$$, 'rows of a relation, each item once');
SELECT results_eq($$SELECT * FROM aread_recommend_all('hei', 3, 'domain_02', false, 'shelf', '{"category": 2}', '{"age_band": 3}') ORDER BY user_id, rank$$,
  $$SELECT * FROM aread_recommend('hei', ARRAY(SELECT DISTINCT user_id FROM log l WHERE aread_split('hei', l) = 'train'), 3, 'domain_02', false, 'shelf', '{"category": 2}', '{"age_band": 3}') ORDER BY user_id, rank$$, 'all users, as by name');
SELECT is_empty($$SELECT FROM aread_recommend('hei', 7, 100, candidates => 'shelf') r JOIN log l ON l.user_id = 7 AND l.item_id::text = r.item_id$$, 'without what was taken');
SELECT results_eq($$SELECT item_id, domain, round(score::numeric, 5) FROM aread_recommend('hei', 7, 100, 'domain_05', candidates => 'shelf', exclude_seen => false) WHERE item_id::int < 1000 ORDER BY 1$$,
  $$SELECT DISTINCT ON (1) s.item_id::text, 'domain_05', round(score::numeric, 5) FROM shelf s, LATERAL (SELECT s.item_id, s.category, age_band, user_id FROM person WHERE user_id = 7) x, LATERAL aread_predict('hei', x, 'domain_05') score
  WHERE s.item_id < 1000 ORDER BY 1, score DESC$$, 'all in one domain');
CREATE VIEW bare AS SELECT DISTINCT item_id FROM shelf WHERE item_id IS NOT NULL;
SELECT results_eq($$SELECT item_id, round(score::numeric, 5) FROM aread_recommend('hei', 7, 100, 'domain_02', candidates => 'bare', exclude_seen => false) WHERE item_id::int < 1000 ORDER BY 1$$,
  $$SELECT b.item_id::text, round(aread_predict('hei', x, 'domain_02')::numeric, 5) FROM bare b, LATERAL (SELECT b.item_id, (SELECT min(category) FROM pair p WHERE p.item_id = b.item_id) AS category, age_band, user_id FROM person WHERE user_id = 7) x WHERE b.item_id < 1000 ORDER BY 1$$,
  'columns that the relation does not have are the item''s of training');
CREATE VIEW strangers AS SELECT 2000 + i * 37 % 11 AS item_id FROM generate_series(1, 10) i;
SELECT results_eq($$SELECT item_id FROM aread_recommend('wide', 7, 5, 'domain_02', candidates => 'strangers')$$, $$VALUES ('2001'), ('2002'), ('2003'), ('2004'), ('2005')$$, 'equal scores by text');
SELECT throws_ok($$SELECT aread_recommend('hei', 7, candidates => 'log')$$, '22023', 'candidates have a user column "user_id"', 'rows of users are no candidates');
SELECT throws_ok($$SELECT aread_recommend('hei', 7, candidates => 'bare')$$, '42703', 'column "domain" of relation "bare" does not exist', 'a domain is needed');
CREATE FUNCTION hint_without_column(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  hint text;
BEGIN
  EXECUTE statement;
  RETURN 'no error';
EXCEPTION WHEN undefined_column THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN hint;
END $$;
SELECT is(hint_without_column($$SELECT aread_recommend('hei', 7, candidates => 'bare')$$), 'Models read columns by the names that they were trained with: pass a view that has this one.', 'no argument names it');
CREATE VIEW nothing AS SELECT domain FROM shelf;
SELECT throws_ok($$SELECT aread_recommend('hei', 7, candidates => 'nothing')$$, '42703', 'column "item_id" of relation "nothing" does not exist', 'and an item');
CREATE VIEW hollow AS SELECT * FROM shelf WHERE false;
SELECT is_empty($$SELECT FROM aread_recommend('hei', 7, candidates => 'hollow')$$, 'no candidates, no rows');

-- Context.
SELECT results_eq($$SELECT item_id, round(score::numeric, 5) FROM aread_recommend('hei', '{7,999}', 100, 'domain_02', context => '{"age_band": 3}', exclude_seen => false) ORDER BY user_id, item_id$$,
  $$SELECT p.item_id::text, round(aread_predict('hei', x, 'domain_02')::numeric, 5) FROM pair p, unnest('{7,999}'::int[]) u, LATERAL (SELECT u AS user_id, p.item_id, p.category, 3 AS age_band) x WHERE p.domain = 'domain_02' ORDER BY u::text, p.item_id::text$$,
  'a value for all rows, in place of the users'' own');
SELECT throws_ok(format('SELECT aread_recommend(''hei'', 7, context => %L)', context), '22023', message)
FROM (VALUES ('{"user_id": 1}', 'context must not have a value of "user_id"'), ('{"item_id": 1}', 'context must not have a value of "item_id"'), ('{"domain": "x"}', 'context must not have a value of "domain"'), ('[]', 'context must be an object')) t(context, message);

-- Domains.
SELECT is_empty($$SELECT FROM aread_recommend('hei', 7, 100, 'domain_02') r WHERE NOT EXISTS (SELECT FROM pair p WHERE p.item_id::text = r.item_id AND p.domain = 'domain_02')$$, 'a domain has its own items');
SELECT results_eq($$SELECT item_id, domain, round(score::numeric, 5) FROM aread_recommend('hei', 7, 100, 'nowhere', exclude_seen => false) ORDER BY 1$$,
  $$SELECT p.item_id::text, 'nowhere', round(aread_predict('hei', x, 'nowhere')::numeric, 5) FROM (SELECT DISTINCT item_id, category FROM pair) p, LATERAL (SELECT p.item_id, p.category, age_band, user_id FROM person WHERE user_id = 7) x ORDER BY 1$$,
  'one never seen has all');
SET LOCAL aread.unseen_domain = error;
SELECT throws_ok($$SELECT aread_recommend('hei', 7, 10, 'nowhere')$$, '22023', 'domain was not seen in training of model "hei"', 'unless it is to be an error');
RESET aread.unseen_domain;

-- A domain is one value however it is written.
CREATE VIEW numbered AS SELECT label, right(domain, 2)::int AS domain, user_id, item_id FROM log;
CREATE VIEW written AS SELECT label, '0' || domain AS domain, user_id, item_id FROM numbered;
SELECT aread_train('numbered', 'numbered', options => '{"architecture": "wide"}') \g /dev/null
SELECT results_eq(format($$SELECT * FROM aread_recommend('numbered', 7, 9, %L)$$, domain), $$SELECT * FROM aread_recommend('numbered', 7, 9, '2')$$, 'domain ' || domain) FROM unnest('{02," 2"}'::text[]) domain;
SELECT results_eq($$SELECT DISTINCT domain FROM aread_recommend('numbered', 7, 9, $$ || quote_literal(domain) || ')', $$VALUES ('$$ || domain::int || $$')$$, 'one text: ' || domain) FROM unnest('{02," 2",077}'::text[]) domain;
CREATE VIEW written_shelf AS SELECT DISTINCT '0' || domain AS domain, item_id FROM numbered UNION ALL SELECT '0' || d, 900 + d FROM generate_series(7, 8) d;
SELECT results_eq($$SELECT item_id, domain, score FROM aread_recommend('numbered', 7, 100, candidates => 'written_shelf')$$,
  $$SELECT r.item_id, domain, r.score FROM (SELECT DISTINCT domain::int::text AS domain, item_id::text FROM written_shelf) s JOIN aread_recommend('numbered', 7, 100, candidates => 'written_shelf') r USING (item_id, domain) ORDER BY rank$$, 'those of candidates, too');
SELECT results_eq($$SELECT * FROM aread_evaluate_ranking('numbered', 'written', 'test')$$, $$SELECT * FROM aread_evaluate_ranking('numbered', 'numbered', 'test')$$, 'and those of an evaluation');

-- What is missing is told.
SELECT aread_train('log', 'priced', features => '{domain,user_id,item_id,price}', options => '{"architecture": "wide"}') \g /dev/null
SET LOCAL aread.missing_features = error;
SELECT throws_ok($$SELECT aread_recommend('priced', 7)$$, '42703', 'features of model "priced" are missing: price', 'a price that is another in each row is nobody''s');
SELECT lives_ok($$SELECT aread_recommend('priced', 7, context => '{"price": 0.5}')$$, 'it can be given');
SELECT lives_ok($$SELECT aread_recommend('hei', 7)$$, 'nothing is missing');
RESET aread.missing_features;

-- Arguments.
SELECT throws_ok(format('SELECT aread_recommend(%s)', arguments), state, message, arguments)
FROM (VALUES ('''hei'', 7, 0', '22023', 'k is 0, but must be at least 1'), ('''hei'', 7, NULL', '22004', 'k must not be NULL'), ('NULL, 7', '22004', 'model must not be NULL'), ('''hei'', 7, exclude_seen => NULL', '22004', 'exclude_seen must not be NULL'),
  ('''none'', 7', '42704', 'model "none" does not exist'), ('''hei'', ''x''', '22P02', 'invalid input syntax for type integer: "x"')) t(arguments, state, message);

-- Of more than wanted the most trained are kept; of none nothing.
SELECT train('few', '{"architecture": "wide", "recommend_items": 12, "recommend_users": 9}'), train('no', '{"architecture": "wide", "recommend_items": 0, "recommend_users": 0}') \g /dev/null
SELECT results_eq($$SELECT model, kept_items, kept_users FROM aread.model WHERE model IN ('few', 'no') ORDER BY 1$$, $$VALUES ('few', 12::bigint, 9::bigint), ('no', 0, 0)$$, 'as many as wanted');
SELECT set_eq($$SELECT item_id::int FROM aread_recommend('few', 999, 100)$$, $$SELECT item_id FROM log l WHERE aread_split('few', l) = 'train' GROUP BY item_id ORDER BY count(*) DESC, item_id::text LIMIT 12$$, 'with the most rows');
SELECT throws_ok($$SELECT aread_recommend('no', 7)$$, '55000', 'model "no" has kept no items', 'nothing to choose from');
SELECT is(count(*), 25::bigint, 'but of a relation, seen or not') FROM aread_recommend('no', 7, 100, candidates => 'shelf');
CREATE VIEW itemless AS SELECT label, domain, user_id FROM log;
SELECT aread_train('itemless', 'alone', options => '{"architecture": "wide"}') \g /dev/null
SELECT throws_ok($$SELECT aread_recommend('alone', 7)$$, '55000', 'model "alone" has no items', 'a model without items');

-- Logs of positives: drawn rows are none of theirs.
CREATE TABLE bought AS SELECT domain, user_id, item_id, age_band, category FROM log WHERE label = 1;
SELECT version FROM aread_train('bought', 'bought', label => '', options => '{"architecture": "wide", "negatives": 3}') \g /dev/null
SELECT set_eq($$SELECT item_id::int, domain FROM unnest(ARRAY(SELECT DISTINCT domain FROM bought)) d, aread_recommend('bought', 999, 1000, d)$$, $$SELECT DISTINCT item_id, domain FROM bought b WHERE aread_split('bought', b) = 'train'$$, 'candidates are those of rows that are there');
SELECT is_empty($$SELECT FROM aread_recommend_all('bought', 60) r JOIN bought l ON l.user_id::text = r.user_id AND l.item_id::text = r.item_id$$, 'and so is what users took');
SELECT isnt_empty($$SELECT user_id FROM aread_recommend_all('bought', 60) GROUP BY user_id HAVING count(*) > 30$$, 'which is not everything');

-- Moved, it recommends the same.
SELECT aread_import(aread_export('hei'), 'moved') \g /dev/null
SELECT results_eq($$SELECT * FROM aread_recommend_all('moved', 3)$$, $$SELECT * FROM aread_recommend_all('hei', 3)$$, 'imported');
SELECT results_eq($$SELECT kept_items, kept_users, kept_bytes FROM aread.model WHERE model = 'moved'$$, $$SELECT kept_items, kept_users, kept_bytes FROM aread.model WHERE model = 'hei'$$, 'as views have it');

-- Rights: the model's, and the relation's.
CREATE ROLE aread_clerk;
SELECT throws_ok($$SET LOCAL ROLE aread_clerk; SELECT aread_recommend('hei', 7)$$, '42501', 'permission denied for model "hei"', 'whoever may not score');
SELECT throws_ok($$SET LOCAL ROLE aread_clerk; SELECT aread_similar_items('hei', 7)$$, '42501', 'permission denied for model "hei"', 'or see what is similar');
SELECT aread_grant('hei', 'aread_clerk') \g /dev/null
SELECT results_eq($$SELECT * FROM aread_recommend('hei', 7, 4)$$, 'TABLE seven', 'as the owner');
SET LOCAL ROLE aread_clerk;
SELECT is(count(*), 4::bigint, 'who may score') FROM aread_recommend('hei', 7, 4);
SELECT throws_ok($$SELECT aread_recommend('hei', 7, candidates => 'shelf')$$, '42501', 'permission denied for table shelf', 'reads as himself');
RESET ROLE;

-- Whose vectors lie closest.
SELECT is_empty(format($$SELECT * FROM (SELECT row_number() OVER () AS n, * FROM aread_similar_%s('hei', 7, 5)) a
  FULL JOIN (SELECT row_number() OVER (ORDER BY c DESC) AS n, value, c FROM (SELECT o.value, sum(x * y) / sqrt(sum(x * x) * sum(y * y)) AS c
    FROM aread_vectors('hei', %L) v, aread_vectors('hei', %2$L) o, unnest(v.vector::float8[], o.vector::float8[]) u(x, y)
    WHERE v.value = '7' AND o.status = 'known' AND o.value <> '7' GROUP BY o.value ORDER BY c DESC LIMIT 5) s) b USING (n) WHERE (abs(similarity - c) < 1e-6) IS NOT TRUE$$, role || 's', role || '_id'), role || 's by cosine')
FROM unnest('{item,user}'::text[]) role;
SELECT isnt_empty($$SELECT FROM aread_similar_items('hei', 7, 5) WHERE similarity BETWEEN -1 AND 1 HAVING count(*) = 5$$, 'so many');
SELECT throws_ok($$SELECT aread_similar_items('wide', 7)$$, '55000', 'model "wide" has no vectors', 'weights alone have none');
SELECT throws_ok($$SELECT aread_similar_items('alone', 7)$$, '55000', 'model "alone" was trained without argument "item_id"', 'no items');
SELECT throws_ok($$SELECT aread_similar_users('hei', 999)$$, '42704', 'model "hei" has no vector of user_id "999"', 'nobody knows him');
SELECT throws_ok($$SELECT aread_similar_users('hei', '{1,2}')$$, '22023', 'similar_to must be one value', 'of one at a time');
SELECT throws_ok($$SELECT aread_similar_users('hei', ARRAY[NULL]::int[])$$, '22004', 'similar_to must not be NULL', 'of a known one');

-- Of a vocabulary that features share, only users are users.
CREATE TABLE referred AS SELECT label, domain, user_id, item_id, 1000 + user_id AS referrer FROM log;
SELECT aread_train('referred', 'shared', features => '{domain,user_id,item_id,referrer}', user_id => 'user_id', item_id => 'item_id',
  options => '{"architecture": "fm", "epochs": 1, "trees": 0, "features": {"referrer": {"vocabulary": "user_id"}}}') \g /dev/null
SELECT set_eq($$SELECT DISTINCT user_id FROM aread_recommend_all('shared', 1, exclude_seen => false)$$, $$SELECT DISTINCT user_id::text FROM log$$, 'referrers are no users');
SELECT set_eq($$SELECT 7 UNION ALL SELECT user_id::int FROM aread_similar_users('shared', 7, 1000)$$, $$SELECT DISTINCT user_id FROM log$$, 'nor like one');
SELECT aread_train('referred', 'shared_items', features => '{domain,user_id,item_id,referrer}', user_id => 'user_id', item_id => 'item_id',
  options => '{"architecture": "fm", "epochs": 1, "trees": 0, "features": {"referrer": {"vocabulary": "item_id"}}}') \g /dev/null
SELECT set_eq($$SELECT 7 UNION ALL SELECT item_id::int FROM aread_similar_items('shared_items', 7, 1000)$$, $$SELECT DISTINCT item_id FROM log$$, 'or items');

-- A column is one thing of user, item and domain.
SELECT throws_ok($$SELECT aread_train('log', 'one', user_id => 'item_id', item_id => 'item_id')$$, '22023', 'column "item_id" cannot be both user and item', 'one column of user and item');
SELECT throws_ok($$SELECT aread_register('log', user_id => 'item_id', item_id => 'item_id')$$, '22023', 'column "item_id" cannot be both user and item', 'nor is it registered');
SELECT aread_train('log', 'turned', user_id => 'item_id', options => '{"architecture": "wide"}'), aread_train('log', 'of_users', domain => 'user_id', user_id => 'user_id', features => '{user_id,item_id}', options => '{"architecture": "wide"}'),
  aread_train('log', 'of_items', domain => 'item_id', features => '{user_id,item_id}', options => '{"architecture": "wide"}') \g /dev/null
SELECT results_eq($$SELECT model, name, role FROM aread.feature WHERE model IN ('turned', 'of_users', 'of_items') AND name IN ('user_id', 'item_id') ORDER BY 1, 2$$,
  $$VALUES ('of_items', 'item_id', 'domain'), ('of_items', 'user_id', 'user'), ('of_users', 'item_id', 'item'), ('of_users', 'user_id', 'domain'), ('turned', 'item_id', 'user'), ('turned', 'user_id', NULL)$$, 'the name of a column is no second role');
CREATE TABLE swapped AS SELECT label, domain, user_id AS item_id, item_id AS user_id FROM log;
SELECT aread_register('swapped', item_id => 'user_id') \g /dev/null
SELECT aread_train('swapped', 'swapped', options => '{"architecture": "wide"}') \g /dev/null
SELECT results_eq($$SELECT name, role FROM aread.feature WHERE model = 'swapped' AND kind <> 'rows' ORDER BY 1$$, $$VALUES ('domain', 'domain'), ('item_id', NULL), ('user_id', 'item')$$, 'nor is one that is registered as something else');
CREATE VIEW misnamed AS SELECT label AS clicked, domain AS label, user_id AS split, item_id AS user_id FROM log;
SELECT aread_train('misnamed', 'misnamed', label => 'clicked', domain => 'label', user_id => 'split', item_id => 'user_id', options => '{"architecture": "wide"}') \g /dev/null
SELECT results_eq($$SELECT name, role FROM aread.feature WHERE model = 'misnamed' AND kind <> 'rows' ORDER BY 1$$, $$VALUES ('label', 'domain'), ('split', 'user'), ('user_id', 'item')$$, 'whatever the names');
SELECT throws_ok($$SELECT aread_train('misnamed', 'x', domain => 'label', user_id => 'split', item_id => 'user_id')$$, '42703', 'relation "misnamed" has no label column', 'a domain is no label');
SELECT throws_ok($$SELECT aread_recommend('of_users', 7)$$, '55000', 'model "of_users" has one column of user and domain', 'a domain for each user');
SELECT results_eq($$SELECT item_id, domain, round(score::numeric, 5) FROM aread_recommend('of_items', 7, 5)$$,
  $$SELECT item_id::text, item_id::text, round(aread_predict('of_items', x)::numeric, 5) FROM (SELECT DISTINCT 7 AS user_id, item_id FROM pair p WHERE NOT EXISTS (SELECT FROM log l WHERE l.user_id = 7 AND l.item_id = p.item_id)) x ORDER BY 3 DESC LIMIT 5$$, 'a domain for each item');
SELECT throws_ok($$SELECT aread_recommend('of_items', 7, 5, '8')$$, '22023', 'domains of model "of_items" are its items', 'of which none is chosen');

-- Lists and vectors of an item are one for all its rows, and each row has its own.
CREATE TABLE rich AS SELECT label, domain, user_id, item_id, ARRAY[user_id % 3, user_id % 7, NULLIF(user_id % 2, 0)] AS likes, (ARRAY[item_id % 5, item_id % 2, 3])[1:item_id % 4] AS tags, ARRAY[item_id % 6, 1.5, -item_id]::real[] AS place FROM log;
SELECT aread_train('rich', 'rich', features => '{domain,user_id,item_id,likes,tags,place}', options => '{"architecture": "fm", "epochs": 2, "trees": 0}') \g /dev/null
CREATE TABLE liked AS SELECT DISTINCT user_id, likes FROM rich;
CREATE VIEW stall AS SELECT item_id + extra AS item_id, 'domain_0' || d AS domain, (ARRAY[item_id % 5, d, item_id % 2])[1:1 + (item_id + d) % 4] AS tags, CASE WHEN item_id % 9 > 0 THEN ARRAY[d % 2, 1.5, -item_id]::real[] END AS place
FROM (SELECT DISTINCT item_id FROM rich) i, generate_series(1, 5) d, unnest('{0,5000}'::int[]) extra;
SELECT is_empty(format($$SELECT * FROM (SELECT DISTINCT ON (user_id, item_id) user_id::text, item_id::text, domain, score FROM (SELECT u.user_id, i.item_id, i.domain, aread_predict('rich', x) AS score FROM liked u, %1$s i, LATERAL (SELECT u.user_id, u.likes, i.item_id, i.domain, %3$s AS tags, i.place) x) s ORDER BY user_id, item_id, score DESC) a
  FULL JOIN aread_recommend_all('rich', 1000, exclude_seen => false, candidates => %2$s, context => %4$L) b USING (user_id, item_id) WHERE (abs(a.score - b.score) < 1e-6) IS NOT TRUE$$, relation, argument, tags, context), relation || ', ' || context)
FROM (VALUES ('(SELECT DISTINCT item_id, domain, tags, place FROM rich r WHERE aread_split(''rich'', r) = ''train'')', 'NULL'), ('stall', '''stall''')) c(relation, argument), (VALUES ('i.tags', '{}'), ('ARRAY[1, 4]', '{"tags": [1, 4]}')) t(tags, context);

-- Without users nothing can be left out.
SELECT train('userless', '{"architecture": "wide", "recommend_users": 0}') \g /dev/null
SELECT isnt_empty($$SELECT FROM aread_recommend('userless', 7, 60) r JOIN log l ON l.user_id::text = r.user_id AND l.item_id::text = r.item_id$$, 'what users took is not known');

-- A table of hashed items would be one of buckets: no training writes it.
SELECT train('hashed_items', '{"architecture": "wide", "features": {"item_id": {"buckets": 200}}}') \g /dev/null
SELECT is(kept_items, 0::bigint, 'hashed items are not kept') FROM aread.model WHERE model = 'hashed_items';
CREATE FUNCTION pg_temp.id(name text) RETURNS bigint LANGUAGE sql AS $$ SELECT version_id FROM aread.stored_version v JOIN aread.stored_model m USING (model_id) WHERE m.name = $1 $$;
DELETE FROM aread.stored_chunk WHERE version_id = pg_temp.id('hashed_items') AND (kind = 'entities' OR name = 'entities');
INSERT INTO aread.stored_chunk SELECT pg_temp.id('hashed_items'), kind, name, chunk, data FROM aread.stored_chunk WHERE version_id = pg_temp.id('wide') AND (kind = 'entities' OR name = 'entities');
SELECT aread_cache_clear(shared => true) \g /dev/null
SELECT throws_ok($$SELECT aread_recommend('hashed_items', 7)$$, 'XX001', NULL, 'a table of items of a model whose items are hashed');

-- Errors say what to do.
CREATE FUNCTION hintless(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  hint text;
BEGIN
  EXECUTE statement;
  RETURN NEXT 'no error: ' || statement;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  IF hint = '' THEN
    RETURN NEXT SQLSTATE || ': ' || SQLERRM;
  END IF;
END $$;
SELECT train('hashed_users', '{"architecture": "fm", "epochs": 1, "trees": 0, "features": {"user_id": {"buckets": 200}}}') \g /dev/null
SELECT is_empty($$SELECT hintless('SELECT ' || call) FROM (VALUES ('aread_recommend(''hei'', 7, 0)'), ('aread_recommend(''hei'', 7, NULL)'), ('aread_recommend(NULL, 7)'), ('aread_recommend(''hei'', 7, exclude_seen => NULL)'),
  ('aread_recommend(''hei'', 7, max_per => ''{"category": 0}'')'), ('aread_recommend(''hei'', 7, max_per => ''[]'')'), ('aread_recommend(''hei'', 7, max_per => ''{"age_band": 1}'')'), ('aread_recommend(''rich'', 7, max_per => ''{"tags": 1}'')'),
  ('aread_recommend(''hei'', 7, max_per => (SELECT jsonb_object_agg(i, 1) FROM generate_series(1, 17) i))'), ('aread_recommend(''hei'', 7, context => ''[]'')'), ('aread_recommend(''hei'', 7, context => ''{"x": 1}'')'),
  ('aread_recommend(''hei'', 7, context => ''{"user_id": 1}'')'), ('aread_recommend_all(''hashed_users'')'), ('aread_similar_users(''hashed_users'', 7)'), ('aread_similar_users(''hei'', 999)'), ('aread_similar_users(''hei'', ''{1,2}'')'),
  ('aread_similar_users(''hei'', NULL)'), ('aread_similar_users(''wide'', 7)'), ('aread_similar_items(''alone'', 7)'), ('aread_evaluate_ranking(''alone'', ''log'')'), ('aread_evaluate_ranking(''hei'', ''log'', max_lists => 0)'),
  ('aread_train(''log'', ''x'', user_id => ''item_id'', item_id => ''item_id'')')) c(call)$$, 'every error has a hint');

SELECT * FROM finish();
ROLLBACK;
