-- Logs of positives only: popularity put back into scores, and how high what users took is ranked.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

CREATE TABLE shown AS SELECT label, domain, user_id, item_id, category, CASE sequence % 10 WHEN 0 THEN 'test' WHEN 5 THEN 'valid' ELSE 'train' END AS split
FROM aread_simulate(20000, domains => 4, groups => 2, users => 200, items => 250, strength => 3);
CREATE TABLE taken AS SELECT domain, user_id, item_id, category, split FROM shown WHERE label = 1;
CREATE FUNCTION pg_temp.train(model text, options text DEFAULT '{}') RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM aread_train('taken', $1, options => '{"architecture": "wide", "negatives": 4}'::jsonb || $2::jsonb);
  RETURN (SELECT crc FROM aread.model m WHERE m.model = $1 AND deployed);
END $$;
CREATE FUNCTION pg_temp.logit(p float8) RETURNS float8 LANGUAGE sql AS 'SELECT ln(p / (1 - p))';

-- models that differ in the option alone differ by the log of how much more often than uniformly an item is drawn
SELECT pg_temp.train('on popularity', '{"negative_sampling": "popularity", "calibration": false, "l2_wide": 1}'),
       pg_temp.train('on mixed', '{"negative_sampling": "mixed", "calibration": false, "l2_wide": 1}') \g /dev/null
SELECT pg_temp.train('off', '{"popularity_offset": false, "negative_sampling": "popularity", "calibration": false, "l2_wide": 1}'),
       pg_temp.train('off mixed', '{"popularity_offset": false, "negative_sampling": "mixed", "calibration": false, "l2_wide": 1}') \g /dev/null
CREATE TABLE ratios AS
  SELECT domain, item_id, category, coalesce(n, 0.5) * items / rows AS ratio
  FROM (SELECT DISTINCT domain, item_id, category FROM taken) a
  JOIN (SELECT domain, count(*)::float8 AS rows, count(DISTINCT item_id)::float8 AS items FROM taken WHERE split = 'train' GROUP BY 1) d USING (domain)
  JOIN (SELECT domain, item_id, count(*) AS n FROM taken WHERE split = 'train' GROUP BY 1, 2) i USING (domain, item_id);
SELECT cmp_ok((SELECT count(*) FROM ratios), '>', 500::bigint, 'items and domains to compare');
SELECT cmp_ok(max(abs(pg_temp.logit(aread_predict('on popularity', r)) - pg_temp.logit(aread_predict('off', r)) - ln(ratio))), '<', 1e-4::float8, 'by popularity')
FROM (SELECT *, 7 AS user_id FROM ratios) r;
SELECT cmp_ok(max(abs(pg_temp.logit(aread_predict('on mixed', to_jsonb(r))) - pg_temp.logit(aread_predict('off mixed', to_jsonb(r))) - ln((ratio + 1) / 2))), '<', 1e-4::float8, 'mixed, by JSON')
FROM (SELECT *, 7 AS user_id FROM ratios) r;
SELECT is(pg_temp.train('uniform', '{"negative_sampling": "uniform"}'), pg_temp.train('uniform again', '{"negative_sampling": "uniform", "popularity_offset": false}'), 'uniform draws take nothing out: there is nothing to put back');
SELECT isnt(pg_temp.train('mixed', '{"negative_sampling": "mixed"}'), pg_temp.train('by popularity', '{}'), 'mixed is another way to draw');
SELECT cmp_ok(max(abs(on_weight - off_weight - ln(ratio))), '<', 1e-4::float8, 'it is in what an explanation calls the base')
FROM (SELECT ratio, (SELECT e.logit FROM aread_explain('on popularity', r) e WHERE part = 'base') AS on_weight, (SELECT e.logit FROM aread_explain('off', r) e WHERE part = 'base') AS off_weight
  FROM (SELECT *, 7 AS user_id FROM ratios LIMIT 20) r) x;
-- scores are chances against uniform draws
CREATE TABLE known AS SELECT t.* FROM taken t WHERE split = 'test' AND EXISTS (SELECT FROM taken k WHERE split = 'train' AND (k.domain, k.item_id) = (t.domain, t.item_id));
CREATE TABLE items AS SELECT DISTINCT domain, item_id, category FROM taken WHERE split = 'train';
CREATE TABLE candidates AS SELECT row_number() OVER () AS list, t.user_id, t.domain, i.item_id, i.category, t.item_id = i.item_id AS positive
FROM (SELECT DISTINCT * FROM known) t JOIN items i USING (domain)
WHERE i.item_id = t.item_id OR NOT EXISTS (SELECT FROM taken k WHERE (k.user_id, k.item_id) = (t.user_id, i.item_id));
SELECT cmp_ok(abs(0.2 * avg(p) FILTER (WHERE positive) + 0.8 * avg(p) FILTER (WHERE NOT positive) - 0.2)::float8, '<', 0.03::float8, 'one in five')
FROM (SELECT positive, aread_predict('by popularity', c) AS p FROM candidates c) s;

-- the view has what training measured, and the function finds the same
SELECT results_eq($$SELECT split, candidates FROM aread.ranking WHERE model = 'by popularity' ORDER BY 1, 2$$,
  $$SELECT s, c FROM unnest('{test,valid}'::text[]) s, unnest('{all,popularity,uniform}'::text[]) c ORDER BY 1, 2$$, 'two splits, three kinds of lists');
SELECT results_eq($$SELECT candidates, lists, items, ndcg, hit_rate, mrr FROM aread_evaluate_ranking('by popularity', 'taken') ORDER BY 1$$,
  $$SELECT candidates, lists, items, ndcg, hit_rate, mrr FROM aread.ranking WHERE model = 'by popularity' AND split = 'test' ORDER BY 1$$, 'test rows');
SELECT results_eq($$SELECT candidates, lists, items, ndcg, hit_rate, mrr FROM aread_evaluate_ranking('by popularity', 'taken', 'valid') ORDER BY 1$$,
  $$SELECT candidates, lists, items, ndcg, hit_rate, mrr FROM aread.ranking WHERE model = 'by popularity' AND split = 'valid' ORDER BY 1$$, 'validation rows');
SELECT results_ne($$SELECT ndcg FROM aread_evaluate_ranking('by popularity', 'taken', seed => 2) WHERE candidates = 'uniform'$$,
  $$SELECT ndcg FROM aread.ranking WHERE model = 'by popularity' AND split = 'test' AND candidates = 'uniform'$$, 'another seed draws others');
SELECT is(lists, 50::bigint, 'as many lists as wanted') FROM aread_evaluate_ranking('by popularity', 'taken', max_lists => 50) WHERE candidates = 'popularity';

-- lists of all items, in SQL
CREATE TABLE scored AS SELECT *, aread_predict('by popularity', t) AS own FROM (SELECT row_number() OVER () AS list, * FROM known) t;
CREATE TABLE ranks AS SELECT list, 1 + count(*) FILTER (WHERE p > own) AS rank, count(*) AS n
FROM (SELECT s.list, s.own, aread_predict('by popularity', c) AS p FROM scored s JOIN items i USING (domain)
      CROSS JOIN LATERAL (SELECT s.user_id, s.domain, i.item_id, i.category) c
      WHERE i.item_id <> s.item_id AND NOT EXISTS (SELECT FROM taken k WHERE (k.user_id, k.item_id) = (s.user_id, i.item_id))) x GROUP BY list;
SELECT unnest(ARRAY[ok(e.lists = r.lists AND abs(e.items - r.items) < 1e-9, format('%s lists of %s items: %s, %s', r.lists, r.items, e.lists, e.items)),
       ok(abs(e.ndcg - r.ndcg) < 1e-3 AND abs(e.hit_rate - r.hit_rate) < 2e-3 AND abs(e.mrr - r.mrr) < 1e-3, format('NDCG %s, hit rate %s, MRR %s: %s', e.ndcg, e.hit_rate, e.mrr, r))])
FROM aread_evaluate_ranking('by popularity', 'taken', max_lists => 100000) e,
  (SELECT count(*) AS lists, avg(n)::float8 AS items, avg(CASE WHEN rank <= 10 THEN 1 / log(2, rank + 1) ELSE 0 END)::float8 AS ndcg, avg((rank <= 10)::int)::float8 AS hit_rate, avg(1.0 / rank)::float8 AS mrr FROM ranks) r
WHERE e.candidates = 'all';

-- popularity that is put back is what ranks
CREATE TABLE ndcg AS SELECT m, (SELECT ndcg FROM aread_evaluate_ranking(m, 'taken') WHERE candidates = 'uniform') AS ndcg FROM unnest(ARRAY['on popularity', 'off']) m;
SELECT diag(string_agg(m || ' ' || round(ndcg::numeric, 3), ', ')) FROM ndcg;
SELECT cmp_ok(a.ndcg, '>', b.ndcg + 0.03, 'a model with it ranks better') FROM ndcg a, ndcg b WHERE a.m = 'on popularity' AND b.m = 'off';

-- models of labelled rows
SELECT aread_train('shown', 'labelled', options => '{"architecture": "wide"}') \g /dev/null
SELECT is_empty($$SELECT FROM aread.ranking WHERE model = 'labelled'$$, 'a training without sampled negatives ranks nothing');
SELECT is(e.lists, (SELECT count(*) FROM known), 'the function does, positive rows only') FROM aread_evaluate_ranking('labelled', 'shown', max_lists => 100000) e WHERE candidates = 'uniform';
SELECT cmp_ok(lists, '>', (SELECT count(*) FROM known), 'all rows, where the split is NULL') FROM aread_evaluate_ranking('labelled', 'shown', NULL, 100000) WHERE candidates = 'uniform';

-- Rows in another order: the same figures, also where an item has more than one brand, a brand for
-- which half of the rows speak, and a list.
CREATE TABLE loose AS SELECT s.*, CASE WHEN hashint4((sequence * 7)::int) % 10 < 3 THEN 99 ELSE item_id % 7 END AS brand, CASE WHEN sequence % 2 = 0 THEN 3 ELSE item_id % 5 END AS shelf, ARRAY[sequence % 3, item_id % 4] AS tags
FROM (SELECT *, row_number() OVER () AS sequence FROM shown) s;
ALTER TABLE loose DROP sequence;
CREATE TABLE shuffled AS SELECT * FROM loose l ORDER BY md5(l::text);
SELECT aread_train('loose', 'loose', options => '{"architecture": "wide"}'),
  aread_train('loose', 'drawn', label => '', options => '{"architecture": "wide", "negatives": 2, "features": {"brand": {"goes_with_item": true}}}') \g /dev/null
SELECT results_eq(format('SELECT * FROM aread_evaluate_ranking(%L, ''shuffled'', %L, %s)', model, split, lists), format('SELECT * FROM aread_evaluate_ranking(%L, ''loose'', %L, %s)', model, split, lists),
  format('%s, %s rows in any order', model, coalesce(split, 'all')))
FROM unnest(ARRAY['loose', 'drawn']) model, (VALUES ('test', 2000), (NULL, 150)) l(split, lists);

-- what cannot be
SELECT is_empty('SELECT FROM aread_evaluate_ranking(NULL, ''taken'')', 'NULL is no model');
SELECT throws_ok('SELECT aread_evaluate_ranking(''labelled'', ''shown'', max_lists => 0)', '22023', 'max_lists is 0, but must be between 1 and 100000000', 'no lists');
SELECT throws_ok('SELECT aread_evaluate_ranking(''labelled'', ''shown'', ''tests'')', '22023', 'unknown split "tests"', 'no such split');
CREATE VIEW nameless AS SELECT label, domain, user_id, item_id AS article, split FROM shown;
SELECT aread_train('nameless', 'itemless', options => '{"architecture": "wide"}') \g /dev/null
SELECT throws_ok('SELECT aread_evaluate_ranking(''itemless'', ''nameless'')', '55000', 'model "itemless" has no item column', 'no items');
CREATE TABLE stored_ranking AS SELECT ranking FROM aread.stored_version;
UPDATE aread.stored_version SET ranking = '{"split": 1}' WHERE architecture = 'wide';
SELECT is_empty('SELECT FROM aread.ranking', 'what others wrote there does not make the view fail');

-- nor do exports that somebody made: they are no models
CREATE FUNCTION pg_temp.moved(setting text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'UPDATE aread.stored_version SET ' || setting || ' WHERE version_id = (SELECT max(version_id) FROM aread.stored_version)';
  RETURN aread_import(aread_export('itemless'), 'moved');
END $$;
SELECT throws_ok(format('SELECT pg_temp.moved(%L)', setting), 'XX001', 'exported model is corrupt', setting)
FROM unnest(ARRAY['personalized = 2', $$personalized = 'NaN'$$, 'kept_items = -1', 'kept_items = 9223372036854775807', 'kept_items = 1', 'kept_users = 7', 'kept_bytes = 5']) setting;
SELECT throws_ok(format('SELECT pg_temp.moved(%L)', format('ranking = %L', ranking)), 'XX001', 'exported model is corrupt', ranking)
FROM unnest(ARRAY['[{"lists": -1}]', '[{"lists": "x"}]', '[{"lists": 1.5}]', '[{"lists": 1e30}]', '[{"mrr": 2}]', '[{"ndcg": -0.5}]', '[{"ndcg": "NaN"}]', '[{"items": 1e400}]', '[{"hit_rate": 1e-400}]',
  '[{"split": {"a": [1]}}]', '[{"split": 1}]', '[{"split": "train"}]', '[{"split": null}]', '[{"candidates": ["x"]}]', '[{"candidates": "some"}]', '[{"more": 1}]', '[1]', '[null]', '[[1]]', '{"split": "test"}', '"x"', '3',
  '[{"split": "test", "candidates": "all"}, {"split": "test", "candidates": "all", "lists": 1}]']) ranking;
SELECT lives_ok(format('SELECT pg_temp.moved(%L)', format('ranking = %L', ranking)), 'as a training writes it: ' || ranking)
FROM (SELECT ranking::text FROM stored_ranking WHERE ranking IS NOT NULL UNION VALUES ('[]'), ('[{"split": "test", "candidates": "all", "lists": 0, "items": null, "ndcg": 0, "hit_rate": 1}, {"split": "valid", "candidates": "all"}]')) s;

-- what a log is trained by: lists, and histories, unless the caller says otherwise
CREATE FUNCTION pg_temp.default_log(model text, options text DEFAULT '{}', source regclass DEFAULT 'taken') RETURNS float8 LANGUAGE sql AS
  $$SELECT list_ndcg FROM aread_train($3, $1, options => '{"negatives": 4, "epochs": 2}'::jsonb || $2::jsonb)$$;
CREATE TABLE defaults AS SELECT pg_temp.default_log('default') AS list_ndcg;
SELECT is((config ->> 'stop_on', config -> 'history.length')::text, '(list_ndcg,50)', 'lists and histories') FROM aread.model WHERE model = 'default';
SELECT ok(architecture IN ('fm', 'hei'), 'one of two networks: ' || architecture) FROM aread.model WHERE model = 'default';
SELECT ok(bool_or(reason ~ 'fm is not ahead of it by more than 0.002|ahead of hei by more than 0.002'), 'of a race') FROM aread.training_log WHERE model = 'default';
SELECT is(m.test_list_ndcg, d.list_ndcg, 'the view has what training returned') FROM aread.model m, defaults d WHERE model = 'default';
SELECT results_eq($$SELECT v FROM aread.model, unnest(ARRAY[valid_list_ndcg, test_list_ndcg]) WITH ORDINALITY u (v, i) WHERE model = 'default' ORDER BY i$$,
  $$SELECT avg(ndcg) FROM aread.ranking WHERE model = 'default' AND candidates <> 'all' GROUP BY split ORDER BY split DESC$$, 'the mean of uniform lists and those by popularity');
SELECT is(count(*), count(list_ndcg), 'all evaluations have them') FROM aread.training_log WHERE model = 'default';
SELECT ok(list_ndcg >= (SELECT max(list_ndcg) - 0.001 FROM aread.training_log WHERE model = 'default'), 'what is kept is as good as any') FROM aread.training_log WHERE model = 'default' AND kept;
SELECT ok(aread_card('default') LIKE '%| ' || round(test_list_ndcg::numeric, 4) || ' |%', 'the card has them') FROM aread.model WHERE model = 'default';
SELECT pg_temp.default_log('said', '{"stop_on": "auc", "history": false, "architecture": "fm"}') \g /dev/null
SELECT is((config ->> 'stop_on', config -> 'history.length')::text, '(auc,0)', 'as the caller says') FROM aread.model WHERE model = 'said';
SELECT is(count(list_ndcg), 0::bigint, 'and no lists') FROM aread.training_log WHERE model = 'said';
SELECT pg_temp.default_log('popular', '{"popularity_offset": false, "architecture": "fm"}') \g /dev/null
SELECT is(config ->> 'stop_on', 'domain_auc', 'not where scores are against popular items') FROM aread.model WHERE model = 'popular';
SELECT pg_temp.default_log('null', '{"history": null, "crosses": null, "features": null, "architecture": "fm"}') \g /dev/null
SELECT is(config -> 'history.length', '50'::jsonb, 'null is as good as left out') FROM aread.model WHERE model = 'null';
CREATE TABLE of_nobody AS SELECT domain, item_id, category, split FROM taken;
SELECT ok(pg_temp.default_log('nobody', '{"architecture": "fm"}', 'of_nobody') > 0, 'a log without users has no histories, and no error');
SELECT throws_ok($$SELECT pg_temp.default_log('x', '{"history": true}', 'of_nobody')$$, '22023', 'option "history" needs a user and an item column', 'unless they were asked for');
SELECT throws_ok($$SELECT aread_train('shown', 'x', options => '{"stop_on": "list_ndcg"}')$$, '22023', 'option "stop_on" is "list_ndcg", but no negatives are sampled', 'rows with labels have no lists');
SELECT is((valid_list_ndcg, config ->> 'stop_on', config -> 'history.length')::text, '(,domain_auc,0)', 'nor histories, by default')
FROM aread_train('shown', 'labelled', options => '{"architecture": "fm", "epochs": 1}') t JOIN aread.model m ON m.model = t.trained_model;

SELECT * FROM finish();
ROLLBACK;
