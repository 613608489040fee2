-- Measures of ranking: of users in trainings and evaluations, of lists, of models that rank alike for everyone.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

CREATE FUNCTION pg_temp.near(a float8, b float8, by float8 DEFAULT 1e-12) RETURNS boolean LANGUAGE sql AS $$ SELECT abs($1 - $2) < $3 $$;
CREATE FUNCTION pg_temp.near_all(float8[], float8[], by float8 DEFAULT 1e-12) RETURNS boolean LANGUAGE sql AS $$ SELECT bool_and(abs(a - b) < $3) AND count(*) = count(a) FROM unnest($1, $2) v(a, b) $$;

-- one list, by hand: F, then T and F tied, then T
CREATE TABLE list AS SELECT * FROM (VALUES (0.9::float8, 0), (0.5, 1), (0.5, 0), (0.1, 1)) v (p, label);
SELECT ok(pg_temp.near_all(ARRAY[aread_precision(p, label, 1), aread_precision(p, label, 2), aread_precision(p, label, 8), aread_precision(p, label, NULL)], ARRAY[0, 0.25, 0.25, 0.5]), 'precision: of k, even beyond the rows') FROM list;
SELECT ok(pg_temp.near_all(ARRAY[aread_hit_rate(p, label, 1), aread_hit_rate(p, label, 2), aread_hit_rate(p, label, 3), aread_hit_rate(p, label, NULL)], ARRAY[0, 0.5, 1, 1]), 'hit rate: half of the orders') FROM list;
SELECT ok(pg_temp.near_all(ARRAY[aread_average_precision(p, label), aread_average_precision(p, label, NULL), aread_average_precision(p, label, 2), aread_average_precision(p, label, 1)],
  ARRAY[((1 / 2.0 + 2 / 4.0) + (1 / 3.0 + 2 / 4.0)) / 4, ((1 / 2.0 + 2 / 4.0) + (1 / 3.0 + 2 / 4.0)) / 4, 1 / 2.0 / 2 / 2, 0]), 'average precision: over both orders') FROM list;
SELECT ok(pg_temp.near(aread_reciprocal_rank(p, label), (1 / 2.0 + 1 / 3.0) / 2), 'reciprocal rank') FROM list;
SELECT ok(bool_and(v IS NULL), 'nothing to find') FROM list CROSS JOIN LATERAL (SELECT 1) x, LATERAL unnest(ARRAY[(SELECT aread_hit_rate(p, 0, 2) FROM list), (SELECT aread_average_precision(p, 0) FROM list), (SELECT aread_reciprocal_rank(p, 0) FROM list),
  (SELECT aread_precision(p, label, 2) FROM list WHERE false)]) v;
SELECT is(aread_precision(p, 0, 2), 0::float8, 'of which none is found') FROM list;
SELECT ok(count(DISTINCT v) = 1, 'any label type') FROM unnest(ARRAY[(SELECT (aread_precision(p, label, 2), aread_hit_rate(p, label, 2), aread_average_precision(p, label, 2), aread_average_precision(p, label), aread_reciprocal_rank(p, label))::text FROM list),
  (SELECT (aread_precision(p, label = 1, 2), aread_hit_rate(p, label = 1, 2), aread_average_precision(p, label = 1, 2), aread_average_precision(p, label = 1), aread_reciprocal_rank(p, label = 1))::text FROM list),
  (SELECT (aread_precision(p, label::numeric, 2), aread_hit_rate(p, label::real, 2), aread_average_precision(p, label::float8, 2), aread_average_precision(p, label::float8), aread_reciprocal_rank(p, label::float8))::text FROM list)]) v;

-- many lists without ties: from ranks by window functions
CREATE TABLE many AS SELECT i % 97 AS u, (i * 7919 % 10007)::float8 AS p, i * i * 31 % 101 < 15 AS label FROM generate_series(1, 3000) i;
CREATE VIEW ranked AS SELECT *, count(*) FILTER (WHERE label) OVER (PARTITION BY u ORDER BY rank) AS found, count(*) FILTER (WHERE label) OVER (PARTITION BY u) AS positives
FROM (SELECT *, row_number() OVER (PARTITION BY u ORDER BY p DESC) AS rank FROM many) r;
SELECT is_empty($$
  WITH mine AS (SELECT u, aread_precision(p, label, 5) AS p5, aread_hit_rate(p, label, 5) AS h5, aread_average_precision(p, label) AS ap, aread_average_precision(p, label, 5) AS ap5, aread_reciprocal_rank(p, label) AS rr FROM many GROUP BY u),
    theirs AS (SELECT u, count(*) FILTER (WHERE label AND rank <= 5) / 5.0 AS p5, CASE WHEN max(positives) > 0 THEN bool_or(label AND rank <= 5)::int END AS h5, sum(found / rank::float8) FILTER (WHERE label) / max(positives) AS ap,
      coalesce(sum(found / rank::float8) FILTER (WHERE label AND rank <= 5), 0) / nullif(least(max(positives), 5), 0) AS ap5, 1 / min(rank::float8) FILTER (WHERE label) AS rr FROM ranked GROUP BY u)
  SELECT * FROM mine JOIN theirs USING (u)
  WHERE abs(mine.p5 - theirs.p5) > 1e-12 OR mine.h5 IS DISTINCT FROM theirs.h5 OR abs(mine.ap - theirs.ap) > 1e-12 OR abs(mine.ap5 - theirs.ap5) > 1e-12 OR abs(mine.rr - theirs.rr) > 1e-12
    OR (mine.ap IS NULL) <> (theirs.ap IS NULL) OR (mine.rr IS NULL) <> (theirs.rr IS NULL)$$, 'lists of users, as counted in SQL');

-- lists of recommendations
CREATE TABLE lists AS SELECT u, array_agg(i * i * 13 % 61 ORDER BY i) AS items FROM generate_series(1, 60) u, generate_series(u * 7, u * 7 + 3 + u % 5) i GROUP BY u;
CREATE TABLE listed AS SELECT DISTINCT u, item FROM lists, unnest(items) item;
SELECT ok(pg_temp.near(aread_personalization(items), (
  SELECT 1 - avg(shared / sqrt(a.n * b.n)) FROM (SELECT u, count(*)::float8 AS n FROM listed GROUP BY u) a JOIN (SELECT u, count(*)::float8 AS n FROM listed GROUP BY u) b ON a.u < b.u,
    LATERAL (SELECT count(*) AS shared FROM listed x JOIN listed y USING (item) WHERE x.u = a.u AND y.u = b.u) s)), 'mean distance of all pairs of lists') FROM lists;
SELECT ok(pg_temp.near(aread_coverage(items, 200), (SELECT count(DISTINCT item) / 200.0 FROM listed)), 'items of any list, of all') FROM lists;
SELECT is(aread_personalization(l), 0::float8, 'one list for all, whatever its order') FROM (VALUES ('{a,b,c}'::text[]), ('{c,a,b}'), ('{b,b,a,c,NULL}')) v (l);
SELECT is(aread_personalization(l), 1::float8, 'nothing in common') FROM (VALUES (ARRAY[1.0, 2]), (ARRAY[3]), (ARRAY[4, 5, 6])) v (l);
SELECT is((aread_personalization(l), aread_coverage(l, 4))::text, '(,0.5)', 'empty lists and no lists are none') FROM (VALUES (ARRAY[1, 2]), ('{}'), (NULL), ('{NULL}')) v (l);
SELECT is((aread_personalization(l), aread_coverage(l, 4), aread_novelty(1))::text, '(,,)', 'no rows') FROM (SELECT NULL::int[]) v (l) WHERE false;
SELECT is(count(DISTINCT v), 1::bigint, 'items of any type') FROM unnest(ARRAY[(SELECT aread_personalization(items) FROM lists), (SELECT aread_personalization(items::text[]) FROM lists), (SELECT aread_personalization(items::numeric[]) FROM lists),
  (SELECT aread_personalization(array(SELECT ROW(i, 1) FROM unnest(items) i)) FROM lists), (SELECT aread_personalization(items ORDER BY u DESC) FROM lists)]) v;
-- pseudo-type anyarray: each row's array has a type of its own
CREATE TABLE typed AS SELECT i % 5 AS a_integer, 'x' || i % 3 AS b_text, (i % 4)::float8 AS c_float, 'x' || i % 2 AS d_text, i % 2 = 0 AS e_boolean FROM generate_series(1, 1000) i;
ANALYZE typed;
SELECT ok(pg_temp.near_all(ARRAY[aread_personalization(most_common_vals ORDER BY attname), aread_personalization(most_common_vals ORDER BY attname DESC), aread_coverage(most_common_vals, 20 ORDER BY attname),
    aread_coverage(most_common_vals, 20 ORDER BY attname DESC)], ARRAY[p, p, c, c]), 'arrays of several types')
FROM pg_stats, (SELECT aread_personalization(most_common_vals::text::text[]) AS p, aread_coverage(most_common_vals::text::text[], 20) AS c FROM pg_stats WHERE tablename = 'typed') t WHERE tablename = 'typed' GROUP BY p, c;
CREATE AGGREGATE pg_temp.auc_by_array(float8, boolean, anyarray) (SFUNC = aread.grouped_auc_add, STYPE = bytea, FINALFUNC = aread.grouped_auc_result);
SELECT ok(pg_temp.near(pg_temp.auc_by_array(score, label, most_common_vals ORDER BY attname DESC, score), aread_grouped_auc(score, label, most_common_vals::text)), 'as groups, too')
FROM pg_stats, (VALUES (0.1::float8, false), (0.2, true), (0.3, false)) v (score, label) WHERE tablename = 'typed';
SELECT ok(pg_temp.near(aread_novelty(share), 1.75), 'bits') FROM (VALUES (0.5), (0.25), (0.25), (0.25)) v (share);
SELECT is((aread_novelty(1), aread_novelty(NULL))::text, '(0,)', 'what everyone knows');
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
CREATE TABLE many_lists AS SELECT u, array_agg(i * u % 997) AS items, u::float8 / 2000 AS share FROM generate_series(1, 2000) u, generate_series(1, 10) i GROUP BY u;
ANALYZE many_lists;
CREATE VIEW of_lists AS SELECT aread_personalization(items) AS personalization, aread_coverage(items, 1000) AS coverage, aread_novelty(share) AS novelty FROM many_lists;
SET LOCAL max_parallel_workers_per_gather = 2;
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
SELECT ok(bool_or(line LIKE '%Partial Aggregate%'), 'workers aggregate their parts') FROM pg_temp.plan('SELECT * FROM of_lists') line;
CREATE TABLE in_parallel AS SELECT * FROM of_lists;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT results_eq('TABLE in_parallel', 'TABLE of_lists', 'with the same result');
SELECT throws_ok(query, code, message, query) FROM (VALUES
  ($$SELECT aread_coverage(ARRAY[1, 2, 3], 2)$$, '22023', 'lists hold 3 items, more than the 2 of the catalogue'),
  ($$SELECT aread_coverage(ARRAY[1], 0)$$, '22023', 'a catalogue must have at least 1 item'),
  ($$SELECT aread_coverage(ARRAY[1], NULL)$$, '22023', 'a catalogue must have at least 1 item'),
  ($$SELECT aread_coverage(ARRAY[x], 1 + x) FROM generate_series(1, 2) x$$, '22023', 'the catalogue''s size must be the same in all rows of a group'),
  ($$SELECT aread_novelty(0)$$, '22023', 'share 0 is not above 0 and up to 1'),
  ($$SELECT aread_novelty('NaN')$$, '22023', 'share NaN is not above 0 and up to 1'),
  ($$SELECT aread_precision(0.5, 1, 0)$$, '22023', 'k must be at least 1, not 0'),
  ($$SELECT aread_average_precision(0.5, 2)$$, '22023', 'label 2 is neither 0 nor 1'),
  ($$SELECT aread_hit_rate('NaN', 1, 2)$$, '22023', 'a score is NaN'),
  ($$SELECT aread.coverage_result('\x00')$$, '0A000', 'function coverage_result is part of an aggregate and cannot be called by itself')) v (query, code, message);
-- states of one kind are none of another
CREATE AGGREGATE pg_temp.lists_state(anyarray, bigint) (SFUNC = aread.coverage_add, STYPE = bytea);
CREATE AGGREGATE pg_temp.groups_state(float8, boolean, integer) (SFUNC = aread.grouped_auc_add, STYPE = bytea);
CREATE AGGREGATE pg_temp.coverage_of(bytea) (SFUNC = aread.grouped_auc_combine, STYPE = bytea, FINALFUNC = aread.coverage_result);
CREATE AGGREGATE pg_temp.personalization_of(bytea) (SFUNC = aread.grouped_auc_combine, STYPE = bytea, FINALFUNC = aread.personalization_result);
SELECT throws_ok(format('SELECT pg_temp.%s(s) FROM (SELECT pg_temp.groups_state(p, label, u) FROM many) x (s)', f), 'XX001', NULL, f) FROM unnest('{coverage_of,personalization_of}'::text[]) f;
SELECT throws_ok('SELECT pg_temp.coverage_of(s) FROM (SELECT pg_temp.groups_state(p, label, u) FROM many UNION ALL SELECT pg_temp.lists_state(items, 70) FROM lists) x (s)', 'XX001', NULL, 'and do not mix');
SELECT is(pg_temp.coverage_of(s), (SELECT aread_coverage(items, 70) FROM lists), 'parts give the whole') FROM (SELECT pg_temp.lists_state(items, 70) FROM lists GROUP BY u % 3) x (s);

-- measures of users, in training and evaluation
CREATE TABLE rated AS SELECT 'd' || i % 3 AS domain, user_id, item_id, user_id % 5 AS age, item_id % 4 AS category,
    abs(hashint4(i * 3 + 1)) % 1000 < 1000 / (1 + exp(-(item_id % 7 - 3) * 0.6)) AS liked, abs(hashint4(i * 3 + 2)) % 100 < CASE WHEN (user_id + item_id) % 2 = 0 THEN 90 ELSE 10 END AS to_taste,
    (ARRAY['train', 'train', 'train', 'train', 'valid', 'test'])[1 + abs(hashint4(i * 3)) % 6] AS part
FROM (SELECT i, abs(hashint4(i)) % 150 AS user_id, abs(hashint4(-i)) % 50 AS item_id FROM generate_series(1, 9000) i) x;
CREATE TABLE no_users AS SELECT domain, item_id, age, to_taste, part FROM rated;
CREATE TABLE no_items AS SELECT domain, user_id, category, to_taste, part FROM rated;
CREATE FUNCTION pg_temp.train(model text, label text, options jsonb, user_id text DEFAULT 'user_id') RETURNS SETOF record LANGUAGE sql AS
$$ SELECT t FROM aread_train('rated', $1, label => $2, domain => 'domain', features => '{age,category,item_id,user_id}', user_id => $4, item_id => 'item_id', split => 'part', options => '{"epochs": 8, "trees": 0}'::jsonb || $3) t $$;
CREATE TABLE trained AS SELECT * FROM aread_train('rated', 'taste', label => 'to_taste', domain => 'domain', features => '{age,category,item_id,user_id}', user_id => 'user_id', item_id => 'item_id', split => 'part', options => '{"epochs": 8, "trees": 0}');
CREATE FUNCTION pg_temp.scored(model text, part text) RETURNS TABLE (user_id int, p float8, label boolean) LANGUAGE sql AS $$ SELECT user_id, aread_predict($1, r), to_taste FROM rated r WHERE r.part = $2 $$;
CREATE FUNCTION pg_temp.of_users(part text) RETURNS float8[] LANGUAGE sql AS $$
  SELECT ARRAY[(SELECT aread_grouped_auc(p, label, user_id) FROM pg_temp.scored('taste', $1)), (SELECT avg(n) FROM (SELECT aread_ndcg(p, label, 10) AS n FROM pg_temp.scored('taste', $1) GROUP BY user_id) x)] $$;
SELECT ok(pg_temp.near_all(ARRAY[user_auc, ndcg_10], pg_temp.of_users('test'), 1e-4), 'aread_train tells them of test rows') FROM trained;
SELECT ok(pg_temp.near_all(ARRAY[valid_user_auc, valid_ndcg_10, test_user_auc, test_ndcg_10], pg_temp.of_users('valid') || pg_temp.of_users('test'), 1e-4), 'aread.model has them') FROM aread.model WHERE model = 'taste';
SELECT ok(pg_temp.near_all(ARRAY[user_auc, ndcg_10], ARRAY[valid_user_auc, valid_ndcg_10], 1e-9), 'aread.training_log, of the kept evaluation') FROM aread.training_log l JOIN aread.model m USING (model) WHERE model = 'taste' AND kept;
SELECT ok(pg_temp.near_all(ARRAY[user_auc, ndcg_10], pg_temp.of_users('test'), 1e-4), 'aread_evaluate') FROM aread_evaluate('taste', 'rated', 'test');
SELECT is(ARRAY[user_auc_rows, ndcg_10_rows], ARRAY[(SELECT count(*) FROM pg_temp.scored('taste', 'test') s WHERE EXISTS (SELECT FROM pg_temp.scored('taste', 'test') o WHERE o.user_id = s.user_id AND o.label <> s.label)),
  (SELECT count(*) FROM pg_temp.scored('taste', 'test') s WHERE EXISTS (SELECT FROM pg_temp.scored('taste', 'test') o WHERE o.user_id = s.user_id AND o.label))], 'rows of users of both classes, and of users with a positive one') FROM aread_evaluate('taste', 'rated', 'test');
CREATE TABLE strangers AS SELECT r.domain, user_id + 1000 AS user_id, item_id, age, category, to_taste FROM rated r LIMIT 100;
SELECT ok(user_auc IS NULL AND user_auc_rows = 0 AND ndcg_10 IS NULL AND ndcg_10_rows = 0 AND auc IS NOT NULL, 'users never seen cannot be told apart') FROM aread_evaluate('taste', 'strangers');
SELECT set_has($$SELECT measure FROM aread_compare('taste', 'taste', 'strangers')$$, $$VALUES ('UserAUC'), ('NDCG@10')$$, 'versions side by side');
SELECT ok(aread_card('taste') LIKE '%| UserAUC | NDCG@10 | list NDCG@10 |%' || (SELECT round(test_user_auc::numeric, 4) || ' | ' || round(test_ndcg_10::numeric, 4) || ' | - |' FROM aread.model WHERE model = 'taste'), 'the card has them');

-- does it rank alike for everyone?
SELECT cmp_ok(personalized, '>', 0.9::float8, 'tastes are all that there is') FROM aread.model WHERE model = 'taste';
SELECT pg_temp.train('sum', 'liked', '{"architecture": "wide"}') \g /dev/null
SELECT is(personalized, 0::float8, 'a sum of what user and item are worth') FROM aread.model WHERE model = 'sum';
SELECT results_eq($$SELECT count(DISTINCT best) FROM (SELECT array_agg(item_id ORDER BY p DESC, item_id) AS best FROM (SELECT u AS user_id, i AS item_id,
    round(aread_predict('sum', jsonb_build_object('domain', 'd1', 'user_id', u, 'item_id', i, 'age', u % 5, 'category', i % 4))::numeric, 9) AS p FROM generate_series(0, 5) u, generate_series(0, 49) i) s GROUP BY user_id) l$$, 'VALUES (1::bigint)', 'has one list for all');
SELECT aread_train('rated', 'hashed', label => 'to_taste', domain => 'domain', features => '{item_id,user_id}', user_id => 'user_id', item_id => 'item_id', split => 'part', options => '{"epochs": 2, "trees": 0, "features": {"user_id": {"buckets": 1000}}}') \g /dev/null
SELECT ok(valid_user_auc IS NULL AND test_ndcg_10 IS NULL AND valid_auc IS NOT NULL AND personalized IS NOT NULL, 'hashed users may share an id') FROM aread.model WHERE model = 'hashed';
SELECT aread_train('no_users', 'nobody', label => 'to_taste', domain => 'domain', features => '{item_id,age}', item_id => 'item_id', split => 'part', options => '{"epochs": 2, "trees": 0}') \g /dev/null
SELECT ok(valid_user_auc IS NULL AND personalized IS NULL, 'without users there is nothing to tell') FROM aread.model WHERE model = 'nobody';
SELECT aread_train('no_items', 'no items', label => 'to_taste', domain => 'domain', features => '{user_id,category}', user_id => 'user_id', split => 'part', options => '{"epochs": 2, "trees": 0}') \g /dev/null
SELECT ok(valid_user_auc IS NOT NULL AND personalized IS NULL, 'nor without items') FROM aread.model WHERE model = 'no items';
SELECT aread_train('rated', 'sampled', label => 'to_taste', domain => 'domain', features => '{age,category,item_id,user_id}', user_id => 'user_id', item_id => 'item_id', split => 'part', options => '{"epochs": 2, "trees": 0, "negatives": 1}') \g /dev/null
SELECT ok(valid_user_auc IS NOT NULL AND personalized BETWEEN 0 AND 1, 'sampled negatives are rows of their users') FROM aread.model WHERE model = 'sampled';
-- a version of an earlier release
UPDATE aread.stored_version SET valid_measures = valid_measures[1:6], test_measures = test_measures[1:6], personalized = NULL WHERE version_id = (SELECT max(version_id) FROM aread.stored_version);
SELECT ok(valid_user_auc IS NULL AND test_ndcg_10 IS NULL AND personalized IS NULL AND valid_log_loss IS NOT NULL, 'has none of these') FROM aread.model WHERE model = 'sampled';
SELECT aread_import(aread_export('taste'), 'moved') \g /dev/null
SELECT results_eq($$SELECT valid_user_auc, test_ndcg_10, personalized FROM aread.model WHERE model = 'moved'$$, $$SELECT valid_user_auc, test_ndcg_10, personalized FROM aread.model WHERE model = 'taste'$$, 'an export has all of them');

-- what decides which evaluation is kept
CREATE TABLE kept AS SELECT stop_on, t.version FROM unnest('{auc,domain_auc,log_loss,user_auc,ndcg_10}'::text[]) stop_on,
  LATERAL aread_train('rated', stop_on, label => 'to_taste', domain => 'domain', features => '{age,category,item_id,user_id}', user_id => 'user_id', item_id => 'item_id', split => 'part',
    options => jsonb_build_object('epochs', 6, 'trees', 0, 'patience', 10000, 'stop_on', stop_on)) t;
SELECT is_empty($$
  WITH scores AS (SELECT model, evaluation, best, kept, CASE model WHEN 'auc' THEN auc WHEN 'domain_auc' THEN domain_auc WHEN 'log_loss' THEN -valid_loss WHEN 'user_auc' THEN user_auc ELSE ndcg_10 END AS score,
      CASE model WHEN 'log_loss' THEN 2.5e-4 ELSE 5e-4 END AS least FROM aread.training_log WHERE model IN (SELECT stop_on FROM kept)),
    rule AS (SELECT *, score >= (SELECT max(score) + max(least) FROM scores b WHERE b.model = s.model AND b.evaluation < s.evaluation AND b.best) IS NOT FALSE AS is_best FROM scores s)
  SELECT * FROM rule WHERE best <> is_best OR kept <> (evaluation = (SELECT max(evaluation) FROM rule r WHERE r.model = rule.model AND is_best))$$, 'the measure that stop_on names');
SELECT is(count(*), 5::bigint, 'a log of each') FROM (SELECT DISTINCT model FROM aread.training_log WHERE model IN (SELECT stop_on FROM kept)) m;
SELECT results_eq($$SELECT m.stop_on, bool_or(l.reason LIKE '%gains%of ' || m.title || '%') FROM (VALUES ('auc', 'AUC'), ('domain_auc', 'DomainAUC'), ('log_loss', 'log loss'), ('ndcg_10', 'NDCG@10'), ('user_auc', 'UserAUC')) m (stop_on, title)
  JOIN aread.training_log l ON l.model = m.stop_on GROUP BY 1 ORDER BY 1$$, $$VALUES ('auc', true), ('domain_auc', true), ('log_loss', true), ('ndcg_10', true), ('user_auc', true)$$, 'reasons name it');
SELECT throws_ok($$SELECT aread_train('no_users', 'x', label => 'to_taste', domain => 'domain', features => '{item_id,age}', item_id => 'item_id', options => '{"stop_on": "user_auc"}')$$, '22023', 'option "stop_on" is "user_auc", but there is no user column', 'without users');
SELECT throws_ok($$SELECT aread_train('rated', 'x', label => 'to_taste', domain => 'domain', features => '{item_id,user_id}', user_id => 'user_id', options => '{"stop_on": "ndcg_10", "features": {"user_id": {"buckets": 100}}}')$$, '22023', 'option "stop_on" is "ndcg_10", but no user has an id of his own', 'hashed users');
SELECT throws_ok($$SELECT aread_train('rated', 'x', label => 'to_taste', domain => 'domain', features => '{item_id,user_id}', user_id => 'user_id', options => '{"stop_on": "ndcg_10", "features": {"user_id": {"min_count": 100000}}}')$$, '22023', 'option "stop_on" is "ndcg_10", but no user has an id of his own', 'rare users');
SELECT throws_like($$SELECT aread_train('rated', 'x', label => 'to_taste', domain => 'domain', options => '{"stop_on": "gauc"}')$$, 'option "stop_on" must be one of %"user_auc", "ndcg_10", "list_ndcg", "auto"', 'no such measure');
SELECT is(deploy_reason, 'its test rows have no user_auc to compare by', 'deployment by a measure that is not there') FROM aread_train('no_users', 'nobody', label => 'to_taste', domain => 'domain', features => '{item_id,age}', item_id => 'item_id', split => 'part',
  options => '{"epochs": 1, "trees": 0, "deploy": "if_better", "deploy_metric": "user_auc"}');

SELECT * FROM finish();
ROLLBACK;
