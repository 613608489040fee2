-- Measures as aggregates over any scores; drift.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

CREATE FUNCTION pg_temp.near(a float8, b float8) RETURNS boolean LANGUAGE sql AS $$ SELECT abs($1 - $2) < 1e-12 $$;

-- by hand
CREATE TABLE few AS SELECT * FROM (VALUES
  (1, 0.1::float8, 0, 'a', 1), (2, 0.4, 0, 'a', 0), (3, 0.4, 1, 'a', 3), (4, 0.8, 1, 'b', 2), (5, 0.2, 0, 'b', 0), (6, 0.9, 1, 'c', 1)) v (i, p, label, d, g);
SELECT is(aread_auc(p, label), 8.5::float8 / 9, 'AUC: nine pairs, one tied') FROM few;
SELECT ok(pg_temp.near(aread_log_loss(p, label), -(ln(0.9) + 2 * ln(0.8) + ln(0.6) + ln(0.4) + ln(0.9)) / 6), 'log loss') FROM few;
SELECT is(aread_domain_auc(p, label, d), (3 * 0.75 + 2 * 1) / 5::float8, 'domains of one class are left out') FROM few;
SELECT is(aread_recall(p, label, 1), 1 / 3::float8, 'recall: one of three') FROM few;
SELECT is(aread_recall(p, label, 3), 2.5 / 3::float8, 'a tie at the border counts one half') FROM few;
SELECT is(aread_recall(p, label, NULL), 1::float8, 'all rows hold all positives') FROM few;
SELECT ok(pg_temp.near(aread_ndcg(p, g, 3), (1 + 2 / log(2.0, 3.0) + 1.5 / 2) / (3 + 2 / log(2.0, 3.0) + 1 / 2.0)), 'NDCG: equal scores share their gain') FROM few;
SELECT is(aread_ndcg(g, g, NULL), 1::float8, 'the best order has 1') FROM few;
SELECT results_eq($$SELECT b.bin, b.rows, b.positives, b.lowest, b.highest, round(b.mean_score::numeric, 9), b.positive_rate
    FROM unnest((SELECT aread_calibration(p, label, 3) FROM few)) b$$,
  $$VALUES (1, 2::bigint, 0::bigint, 0.1::float8, 0.2::float8, 0.150000000, 0::float8), (2, 2, 1, 0.4, 0.4, 0.400000000, 0.5), (3, 2, 2, 0.8, 0.9, 0.850000000, 1)$$, 'bins of two rows each');
SELECT is(array_agg(b.bin || ':' || b.rows), '{1:2,2:2,4:2}', 'bins of the same width, empty ones left out') FROM unnest((SELECT aread_calibration(p, label, 4, 'uniform') FROM few)) b;

-- label and group types: every overload, and what is cast to it
SELECT is(v, 8.5::float8 / 9, 'AUC of any label type') FROM unnest(ARRAY[(SELECT aread_auc(p, label = 1) FROM few), (SELECT aread_auc(p, label::smallint) FROM few), (SELECT aread_auc(p, label::bigint) FROM few),
  (SELECT aread_auc(p::numeric, label::numeric) FROM few), (SELECT aread_auc((p * 1000)::int, label::real) FROM few), (SELECT aread_auc(p::real, label::float8) FROM few)]) v;
CREATE DOMAIN bit01 AS integer CHECK (VALUE IN (0, 1));
CREATE TYPE letter AS ENUM ('b', 'a', 'c');
SELECT is((aread_auc(p, label::bit01), aread_domain_auc(p, label::bit01, d::letter))::text, (SELECT (aread_auc(p, label), aread_domain_auc(p, label, d))::text FROM few), 'domains and enums') FROM few;
SELECT is(count(DISTINCT v), 1::bigint, 'log loss') FROM unnest(ARRAY[(SELECT aread_log_loss(p, label = 1) FROM few), (SELECT aread_log_loss(p, label) FROM few), (SELECT aread_log_loss(p, label::float8) FROM few)]) v;
SELECT is(v, 0.85::float8, 'groups of any type') FROM unnest(ARRAY[(SELECT aread_domain_auc(p, label, d::varchar) FROM few), (SELECT aread_domain_auc(p, label = 1, ascii(d)) FROM few),
  (SELECT aread_domain_auc(p, label::smallint, d::name) FROM few), (SELECT aread_domain_auc(p, label::numeric, ROW(d, 1)) FROM few), (SELECT aread_domain_auc(p, label::float8, date '2020-01-01' + ascii(d)) FROM few),
  (SELECT aread_domain_auc(p, label::bigint, jsonb_build_object('d', d)) FROM few), (SELECT aread_grouped_auc(p, label, d) FROM few), (SELECT aread_grouped_auc(p, label::float8, ascii(d)::numeric) FROM few),
  (SELECT aread_grouped_auc(p, label = 1, make_interval(secs => ascii(d))) FROM few), (SELECT aread_grouped_auc(p, label = 1, d::char(5)) FROM few)]) v;
SELECT is(count(DISTINCT v), 1::bigint, 'recall') FROM unnest(ARRAY[(SELECT aread_recall(p, label = 1, 2) FROM few), (SELECT aread_recall(p, label, 2) FROM few), (SELECT aread_recall(p, label::float8, 2) FROM few)]) v;
SELECT is(count(DISTINCT v), 1::bigint, 'NDCG') FROM unnest(ARRAY[(SELECT aread_ndcg(p, label = 1, 4) FROM few), (SELECT aread_ndcg(p, label, 4) FROM few), (SELECT aread_ndcg(p, label * 2.5, 4) FROM few)]) v;
SELECT is(count(DISTINCT v::text), 1::bigint, 'calibration') FROM (VALUES ((SELECT aread_calibration(p, label = 1, 2) FROM few)), ((SELECT aread_calibration(p, label, 2) FROM few)), ((SELECT aread_calibration(p, label::float8, 2) FROM few)),
  ((SELECT aread_calibration(p, label = 1, 2, 'quantile') FROM few)), ((SELECT aread_calibration(p, label, 2, 'quantile') FROM few)), ((SELECT aread_calibration(p, label::float8, 2, 'quantile') FROM few))) x (v);

-- against scikit-learn 1.2.1: roc_auc_score, log_loss, ndcg_score, calibration_curve over the same rows
CREATE TABLE many AS SELECT i, s, (s + 1)::float8 / 53 AS p, (i * 7919 % 1009 + 0.5::float8) / 1009 AS q, (i * i * 31 + i * 17) % 101 < 15 + s AS label,
  (i * i * 13 + i * 7) % 5 AS gain, i % 7 AS d, i * i % 97 AS u FROM (SELECT i, i * 7919 % 1009 / 20 AS s FROM generate_series(1, 1000) i) x;
SELECT ok(pg_temp.near(aread_auc(p, label), 0.6595574250633629), 'roc_auc_score, ties') FROM many;
SELECT ok(pg_temp.near(aread_auc(q, label), 0.6591096742921223), 'no ties') FROM many;
SELECT ok(pg_temp.near(aread_domain_auc(p, label, d), 0.6596439639989469), 'its mean by domain') FROM many;
SELECT ok(pg_temp.near(aread_grouped_auc(p, label, u), 0.6636557435619934), 'and by user') FROM many;
SELECT ok(pg_temp.near(aread_log_loss(p, label), 0.7203067518873116) AND pg_temp.near(aread_log_loss(q, label), 0.7603506279084624), 'log_loss') FROM many;
SELECT ok(pg_temp.near((SELECT aread_ndcg(p, gain, k) FROM many), ties) AND pg_temp.near((SELECT aread_ndcg(q, label, k) FROM many), no_ties), format('ndcg_score, k = %s', k))
FROM (VALUES (1, 0.2962962962962963, 1.0), (10, 0.2986526217851464, 0.9052116356304495), (100, 0.32580783795913276, 0.6703055466089387), (NULL, 0.811936906959102, 0.9029113405790524)) v (k, ties, no_ties);
SELECT ok(pg_temp.near(avg(v), 0.35557291437071115), 'of each user, on average') FROM (SELECT aread_ndcg(p, gain, 5) AS v FROM many GROUP BY u) x;
SELECT ok(count(*) = n AND pg_temp.near(sum(positive_rate), rates) AND pg_temp.near(sum(mean_score), means) AND pg_temp.near(sum(positive_rate * mean_score), products), format('calibration_curve, %s %s bins', bins, strategy))
FROM (VALUES ('uniform', 5, 5, 2.112678653126948, 2.4862371126638543, 1.2357251435052796), ('uniform', 10, 10, 4.241122193277838, 4.986833642647405, 2.516122741688216), ('uniform', 40, 39, 16.515339631129105, 19.019593613933232, 9.615755131567521),
  ('quantile', 5, 5, 2.1237762978514607, 2.4853634140720926, 1.228518659635929), ('quantile', 10, 10, 4.255970972889655, 4.9850763963994105, 2.4794417767849666), ('quantile', 40, 40, 16.84246513720198, 19.82075471698113, 9.89364656151189)) v (strategy, bins, n, rates, means, products),
  LATERAL unnest((SELECT aread_calibration(p, label, bins, strategy) FROM many)) b GROUP BY strategy, bins, n, rates, means, products;
SELECT ok(bool_and(pg_temp.near(b.positive_rate, v.rate) AND pg_temp.near(b.mean_score, v.mean)), 'and bin by bin') FROM (VALUES (1, 0.19, 0.05093161546085234), (2, 0.19, 0.1511298315163528), (3, 0.35, 0.2516154608523291),
  (4, 0.47, 0.3518136769078296), (5, 0.31, 0.4513974231912786), (6, 0.47, 0.5510406342913775), (7, 0.51, 0.6510802775024775), (8, 0.53, 0.7506640237859266), (9, 0.53, 0.8503468780971258), (10, 0.64, 0.9503468780971258)) v (bin, rate, mean)
  JOIN unnest((SELECT aread_calibration(q, label, 10) FROM many)) b USING (bin);
SELECT ok(pg_temp.near(sum(rows * abs(positive_rate - mean_score)) / sum(rows), 0.16093855302279478), 'expected calibration error') FROM unnest((SELECT aread_calibration(q, label, 10) FROM many)) b;

-- rows in any order, parts of any size: the same to the last digit
CREATE TABLE shuffled AS SELECT * FROM many ORDER BY hashint4(i);
CREATE VIEW all_measures AS SELECT aread_auc(p, label) AS auc, aread_log_loss(p, label) AS log_loss, aread_domain_auc(p, label, d) AS domain_auc, aread_grouped_auc(p, label, u::text) AS grouped_auc,
  aread_ndcg(p, gain, 50) AS ndcg, aread_recall(p, label, 50) AS recall, aread_calibration(p, label, 7)::text AS calibration FROM many;
CREATE TABLE serial AS SELECT * FROM all_measures;
SELECT is((SELECT x::text FROM (SELECT aread_auc(p, label), aread_log_loss(p, label), aread_domain_auc(p, label, d), aread_grouped_auc(p, label, u::text), aread_ndcg(p, gain, 50), aread_recall(p, label, 50), aread_calibration(p, label, 7)::text FROM shuffled) x),
  (SELECT x::text FROM serial x), 'the order of rows makes no difference');
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
SELECT ok(bool_or(line LIKE '%Partial Aggregate%') AND bool_or(line LIKE '%Gather%'), 'workers aggregate their parts') FROM pg_temp.plan('SELECT * FROM all_measures') line;
CREATE TABLE parallel AS SELECT * FROM all_measures;
SELECT results_eq('TABLE parallel', 'TABLE serial', 'with the same result');
CREATE TABLE large AS SELECT i % 1000 * 0.001::float8 AS p, i * 7 % 1000 < i % 1000 AS label, i % 29989 AS u FROM generate_series(1, 200000) i;
ANALYZE large;
CREATE VIEW large_measures AS SELECT aread_auc(p, label) AS auc, aread_log_loss(p, label) AS log_loss, aread_grouped_auc(p, label, u) AS grouped_auc, aread_ndcg(p, label, NULL) AS ndcg FROM large;
SELECT ok(bool_or(line LIKE '%Partial Aggregate%'), 'and states that grow') FROM pg_temp.plan('SELECT * FROM large_measures') line;
CREATE TABLE large_parallel AS SELECT * FROM large_measures;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT results_eq('TABLE large_parallel', 'TABLE large_measures', 'have the same result, too');
SELECT ok(pg_temp.near(grouped_auc, (SELECT sum(a * n) / sum(n) FROM (SELECT aread_auc(p, label) AS a, count(*) AS n FROM large GROUP BY u) g WHERE a IS NOT NULL)), 'many groups: as by GROUP BY') FROM large_measures;

-- states that lay in a table: short, toasted, in parts
CREATE AGGREGATE pg_temp.auc_state(float8, boolean) (SFUNC = aread.auc_add, STYPE = bytea);
CREATE AGGREGATE pg_temp.auc_of_states(bytea) (SFUNC = aread.scores_combine, STYPE = bytea, FINALFUNC = aread.auc_result);
CREATE AGGREGATE pg_temp.loss_state(float8, boolean) (SFUNC = aread.log_loss_add, STYPE = bytea);
CREATE AGGREGATE pg_temp.loss_of_states(bytea) (SFUNC = aread.log_loss_combine, STYPE = bytea, FINALFUNC = aread.log_loss_result);
CREATE AGGREGATE pg_temp.group_state(float8, boolean, integer) (SFUNC = aread.grouped_auc_add, STYPE = bytea);
CREATE AGGREGATE pg_temp.auc_of_group_states(bytea) (SFUNC = aread.grouped_auc_combine, STYPE = bytea, FINALFUNC = aread.grouped_auc_result);
CREATE TABLE states AS SELECT part, pg_temp.auc_state(p, label) AS auc, pg_temp.loss_state(p, label) AS loss, pg_temp.group_state(p, label, d) AS grouped
FROM (SELECT *, CASE WHEN i < 5 THEN i WHEN i < 30 THEN 5 ELSE 6 + i % 2 END AS part FROM many) x GROUP BY part;
SELECT is((pg_temp.auc_of_states(auc), pg_temp.loss_of_states(loss), pg_temp.auc_of_group_states(grouped))::text, (SELECT (auc, log_loss, domain_auc)::text FROM serial), 'parts give the whole') FROM states;
SELECT is((pg_temp.auc_of_states(auc ORDER BY part DESC), pg_temp.loss_of_states(loss ORDER BY part DESC), pg_temp.auc_of_group_states(grouped ORDER BY part DESC))::text, (SELECT (auc, log_loss, domain_auc)::text FROM serial), 'in any order') FROM states;
SELECT is((pg_temp.auc_of_states(NULL), pg_temp.loss_of_states(NULL), pg_temp.auc_of_group_states(NULL))::text, '(,,)', 'parts without rows');
-- damaged ones are told or have a result, but do no harm
CREATE FUNCTION pg_temp.with_state(name text, args text, functions text, state bytea, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
  EXECUTE format('CREATE AGGREGATE pg_temp.%I(%s) (%s, STYPE = bytea, INITCOND = %L)', name, args, functions, state::text);
  EXECUTE query INTO result;
  RAISE EXCEPTION USING ERRCODE = 'P0001';  -- the aggregate goes
EXCEPTION WHEN raise_exception THEN RETURN 'a result';
  WHEN others THEN RETURN SQLSTATE;
END $$;
CREATE TABLE damaged AS
SELECT at, bit, pg_temp.with_state('damaged', 'float8, boolean', 'SFUNC = aread.auc_add, FINALFUNC = aread.auc_result', set_byte(auc, at, get_byte(auc, at) # bit), 'SELECT pg_temp.damaged(p, label) FROM many') AS auc,
  pg_temp.with_state('damaged', 'float8, boolean, integer', 'SFUNC = aread.grouped_auc_add, FINALFUNC = aread.grouped_auc_result', set_byte(grouped, at, get_byte(grouped, at) # bit), 'SELECT pg_temp.damaged(p, label, u) FROM many') AS grouped,
  pg_temp.with_state('damaged', 'bytea', 'SFUNC = aread.grouped_auc_combine, FINALFUNC = aread.grouped_auc_result', grouped, format('SELECT pg_temp.damaged(%L::bytea)', set_byte(grouped, at, get_byte(grouped, at) # bit))) AS merged
FROM states, generate_series(0, 123) at, unnest(ARRAY[1, 8, 128]) bit WHERE part = 5;
SELECT set_eq($$SELECT DISTINCT v FROM damaged, unnest(ARRAY[auc, grouped, merged]) v$$, '{a result,XX001}'::text[], 'flipped bits');
SELECT ok(count(*) FILTER (WHERE auc = 'XX001') > 20 AND count(*) FILTER (WHERE grouped = 'XX001') > 100 AND count(*) FILTER (WHERE merged = 'XX001') > 100, 'most of those in headers are told') FROM damaged;
SELECT is(pg_temp.with_state('short', 'float8, boolean', 'SFUNC = aread.' || f || ', FINALFUNC = aread.' || r, s, 'SELECT pg_temp.short(p, label) FROM many'), 'XX001', 'bytes that are no state')
FROM (VALUES ('auc_add', 'auc_result'), ('log_loss_add', 'log_loss_result')) v (f, r), unnest(ARRAY[''::bytea, '\x00', decode(repeat('00', 200), 'hex')]) s;

-- windows, FILTER, DISTINCT, GROUP BY
SELECT is_empty($$SELECT * FROM (SELECT i, aread_auc(p, label) OVER w AS auc, aread_grouped_auc(p, label, d) OVER w AS by_d, aread_ndcg(p, gain, 3) OVER w AS ndcg FROM many WHERE i <= 60 WINDOW w AS (ORDER BY i)) m
  WHERE (auc, by_d, ndcg) IS DISTINCT FROM (SELECT (aread_auc(p, label), aread_grouped_auc(p, label, d), aread_ndcg(p, gain, 3)) FROM many n WHERE n.i <= m.i)$$, 'a running measure is that of the rows so far');
SELECT is_empty($$SELECT * FROM (SELECT i, aread_auc(p, label) OVER (ORDER BY i ROWS BETWEEN 20 PRECEDING AND CURRENT ROW) AS auc FROM many) m
  WHERE i % 100 = 0 AND auc IS DISTINCT FROM (SELECT aread_auc(p, label) FROM many n WHERE n.i BETWEEN m.i - 20 AND m.i)$$, 'a moving one that of its frame');
SELECT is(aread_auc(p, label) FILTER (WHERE d = 3), (SELECT aread_auc(p, label) FROM many WHERE d = 3), 'FILTER') FROM many;
SELECT is(aread_auc(DISTINCT p, label), (SELECT aread_auc(p, label) FROM (SELECT DISTINCT p, label FROM many) x), 'DISTINCT') FROM many;
SELECT results_eq($$SELECT d, aread_auc(p, label), aread_log_loss(p, label), aread_recall(p, label, 9) FROM many GROUP BY GROUPING SETS ((), (d)) ORDER BY d$$,
  $$SELECT d, aread_auc(p, label), aread_log_loss(p, label), aread_recall(p, label, 9) FROM many GROUP BY d UNION ALL SELECT NULL, aread_auc(p, label), aread_log_loss(p, label), aread_recall(p, label, 9) FROM many ORDER BY d$$, 'grouping sets');
SELECT is(count(*) FILTER (WHERE r = 1), 20000::bigint, 'twenty thousand groups') FROM (SELECT aread_recall(i, i % 3 = 0, 5) AS r FROM generate_series(1, 60000) i GROUP BY i / 3) x WHERE r IS NOT NULL;

-- nothing, one class, NULLs
SELECT is((aread_auc(p, label), aread_log_loss(p, label), aread_domain_auc(p, label, d), aread_grouped_auc(p, label, d), aread_ndcg(p, g, 3), aread_recall(p, label, 3), aread_calibration(p, label, 3))::text, '(,,,,,,)', 'no rows') FROM few WHERE false;
SELECT is((aread_auc(p, label), aread_domain_auc(p, label, d), aread_recall(p, label, 3), aread_ndcg(p, label, 3))::text, '(,,,)', 'no positive row') FROM few WHERE label = 0;
SELECT is((aread_auc(p, label), aread_domain_auc(p, label, d), aread_recall(p, label, 3))::text, '(,,1)', 'no negative row') FROM few WHERE label = 1;
SELECT is((aread_auc(p, label), aread_log_loss(p, label), aread_domain_auc(p, label, d), aread_ndcg(p, label, 3), aread_recall(p, label, 3), aread_calibration(p, label, 3))::text, (SELECT (aread_auc(p, label), aread_log_loss(p, label), aread_domain_auc(p, label, d), aread_ndcg(p, label, 3), aread_recall(p, label, 3), aread_calibration(p, label, 3))::text FROM few),
  'NULLs are left out') FROM (SELECT p, label, d FROM few UNION ALL VALUES (NULL, 0, 'a'), (0.3, NULL, 'b'), (NULL, NULL, NULL)) x;
SELECT is(aread_domain_auc(p, label, d), (SELECT aread_domain_auc(p, label, d) FROM few), 'rows of no domain, too') FROM (SELECT p, label, d FROM few UNION ALL VALUES (0.3, 1, NULL), (0.9, 0, NULL)) x;
SELECT is(aread_auc(p, label), 0.875::float8, 'infinite scores and both zeros') FROM (VALUES ('-inf'::float8, 0), ('inf', 1), ('-0', 0), ('0', 1)) v (p, label);
SELECT is((abs(aread_log_loss(0, 1) - 52 * ln(2)) < 1e-9, aread_log_loss(1, 1) < 1e-15, aread_log_loss(1, 1) > 0)::text, '(t,t,t)', 'certainty is kept finite');

-- errors
SELECT throws_ok(query, code, message, query) FROM (VALUES
  ($$SELECT aread_auc('NaN', 1)$$, '22023', 'a score is NaN'),
  ($$SELECT aread_auc(0.5, 2)$$, '22023', 'label 2 is neither 0 nor 1'),
  ($$SELECT aread_recall(0.5, 0.3::float8, 1)$$, '22023', 'label 0.3 is neither 0 nor 1'),
  ($$SELECT aread_domain_auc(0.5, 'NaN'::float8, 'x')$$, '22023', 'label NaN is neither 0 nor 1'),
  ($$SELECT aread_log_loss(1.5, 1)$$, '22023', 'score 1.5 is not a probability'),
  ($$SELECT aread_log_loss('NaN', 1)$$, '22023', 'score NaN is not a probability'),
  ($$SELECT aread_calibration(-0.5, 1, 3)$$, '22023', 'score -0.5 is not a probability'),
  ($$SELECT aread_calibration(0.5, 1, 0)$$, '22023', 'bins must be from 1 to 10000'),
  ($$SELECT aread_calibration(0.5, 1, NULL)$$, '22023', 'bins must be from 1 to 10000'),
  ($$SELECT aread_calibration(0.5, 1, 3, 'even')$$, '22023', 'there is no strategy "even"'),
  ($$SELECT aread_calibration(0.5, 1, 1 + x) FROM generate_series(1, 2) x$$, '22023', 'bins and strategy must be the same in all rows of a group'),
  ($$SELECT aread_ndcg(0.5, -1, 3)$$, '22023', 'label -1 is no gain'),
  ($$SELECT aread_ndcg(0.5, 'inf'::float8, 3)$$, '22023', 'label Infinity is no gain'),
  ($$SELECT aread_ndcg(0.5, 1, 0)$$, '22023', 'k must be at least 1, not 0'),
  ($$SELECT aread_recall(0.5, 1, -3)$$, '22023', 'k must be at least 1, not -3'),
  ($$SELECT aread_recall(0.5, 1, x) FROM generate_series(1, 2) x$$, '22023', 'k must be the same in all rows of a group'),
  ($$SELECT aread_recall(0.5, 1, nullif(x, 2)) FROM generate_series(1, 2) x$$, '22023', 'k must be the same in all rows of a group'),
  ($$SELECT aread.auc_add(NULL, 1, 1)$$, '0A000', 'function auc_add is part of an aggregate and cannot be called by itself'),
  ($$SELECT aread.ndcg_result('\x00')$$, '0A000', 'function ndcg_result is part of an aggregate and cannot be called by itself'),
  ($$SELECT aread.grouped_auc_combine('\x00', '\x00')$$, '0A000', 'function grouped_auc_combine is part of an aggregate and cannot be called by itself')) v (query, code, message);

-- scores of a model: what aread_evaluate says
CREATE TABLE clicks AS SELECT label, domain, user_id, item_id FROM aread_simulate(4000, domains => 6, users => 100, items => 60);
SELECT aread_train('clicks', 'wide', options => '{"architecture": "wide"}');
SELECT ok(abs(e.auc - m.auc) < 1e-4 AND abs(e.domain_auc - m.domain_auc) < 1e-4 AND abs(e.log_loss - m.log_loss) < 1e-9, 'measures of aread_predict are those of aread_evaluate')
FROM aread_evaluate('wide', 'clicks') e, (SELECT aread_auc(p, label) AS auc, aread_domain_auc(p, label, domain) AS domain_auc, aread_log_loss(p, label) AS log_loss FROM (SELECT *, aread_predict('wide', c) AS p FROM clicks c) s) m;

-- drift
CREATE TABLE seen AS SELECT 'd' || i % 3 AS domain, i % 20 AS user_id, CASE WHEN i < 3 THEN 99 ELSE i % 10 END AS item_id, (i * 7 % 11)::float8 / 3 AS price,
  ARRAY['t' || i % 4, 't' || i % 5] AS tags, 'h' || i % 6 AS hashed, i * 5 % 7 < 3 AS label FROM generate_series(1, 600) i;
SELECT aread_train('seen', 'drifting', options => '{"architecture": "wide", "features": {"hashed": {"buckets": 4}, "item_id": {"min_count": 5}, "price": {"kind": "binned"}}}');
SELECT is_empty($$SELECT * FROM aread_drift('drifting', 'seen') WHERE unseen + missing > 0 OR domain IS NULL OR (rare > 0) <> (feature = 'item_id' AND domain <> 'd0')$$, 'nothing is new in what it was trained on');
SELECT set_eq($$SELECT feature, domain, rows FROM aread_drift('drifting', 'seen')$$,
  $$SELECT f, 'd' || d, CASE f WHEN 'tags' THEN 400 ELSE 200 END FROM unnest('{domain,user_id,item_id,price,tags,hashed}'::text[]) f, generate_series(0, 2) d$$, 'a line for each feature and domain');
CREATE TABLE later (domain text, user_id bigint, item_id text, price numeric, tags text[], hashed text);
INSERT INTO later VALUES ('d0', 3, '5', 1, '{t1,t9,NULL,t8}', 'h1'), ('d0', 77, '5', NULL, '{}', 'h99'), ('d0', NULL, '99', 'NaN', NULL, NULL), ('d1', 78, '1234', 1000, '{t0}', 'h1'),
  ('new', 3, '5', 1, '{t1}', 'h1'), ('other', 500, NULL, 1, '{t7}', 'h1'), (NULL, 3, '5', 1, '{t1}', 'h1');
SELECT set_eq($$SELECT * FROM aread_drift('drifting', 'later')$$, $$VALUES
  ('domain', 'd0', 3::bigint, 0::bigint, 0::bigint, 0::bigint, 0::float8), ('domain', 'd1', 1, 0, 0, 0, 0), ('domain', NULL, 3, 2, 0, 1, 2 / 3::float8),
  ('user_id', 'd0', 3, 1, 0, 1, 1 / 3::float8), ('user_id', 'd1', 1, 1, 0, 0, 1), ('user_id', NULL, 3, 1, 0, 0, 1 / 3::float8),
  ('item_id', 'd0', 3, 0, 1, 0, 0), ('item_id', 'd1', 1, 1, 0, 0, 1), ('item_id', NULL, 3, 0, 0, 1, 0),
  ('price', 'd0', 3, 0, 0, 2, 0), ('price', 'd1', 1, 0, 0, 0, 0), ('price', NULL, 3, 0, 0, 0, 0),
  ('tags', 'd0', 4, 2, 0, 1, 0.5), ('tags', 'd1', 1, 0, 0, 0, 0), ('tags', NULL, 3, 1, 0, 0, 1 / 3::float8),
  ('hashed', 'd0', 3, 0, 0, 1, 0), ('hashed', 'd1', 1, 0, 0, 0, 0), ('hashed', NULL, 3, 0, 0, 0, 0)$$, 'what is new, rare or missing, of other types than trained with');
SELECT is_empty($$SELECT feature FROM aread_drift('drifting', 'later') GROUP BY feature HAVING sum(rows) <> CASE feature WHEN 'tags' THEN 8 ELSE 7 END$$, 'lines add up');
ALTER TABLE later DROP hashed;
SELECT is((sum(rows), sum(missing))::text, '(7,7)', 'a missing column counts as NULL') FROM aread_drift('drifting', 'later') WHERE feature = 'hashed';
ALTER TABLE later DROP tags;
SELECT is((sum(rows), sum(missing))::text, '(7,7)', 'one of lists, too') FROM aread_drift('drifting', 'later') WHERE feature = 'tags';
UPDATE later SET domain = 'd1';
CREATE VIEW empty_lists AS SELECT *, '{}'::text[] AS tags FROM later;
SELECT is(d::text, '(tags,d1,0,0,0,0,)', 'no members, no share') FROM aread_drift('drifting', 'empty_lists') d WHERE feature = 'tags';
DROP VIEW empty_lists;
SELECT throws_ok($$SELECT aread_drift('nothing', 'later')$$, '42704', 'model "nothing" does not exist', 'no such model');
ALTER TABLE later DROP domain;
SELECT throws_ok($$SELECT aread_drift('drifting', 'later')$$, '42703', 'column "domain" of relation "later" does not exist', 'the domain is needed');
SELECT is(count(*), 0::bigint, 'NULL, no lines') FROM aread_drift(NULL, 'later');

-- drift where rare values share an id: new ones are told from those that training rows had
CREATE TABLE visits AS SELECT 'd' || i % 3 AS domain, CASE WHEN i % 2 = 0 THEN i % 20 ELSE i END AS user_id, ARRAY['t' || i % 4, 'r' || i] AS tags, i % 7 < 3 AS label, CASE WHEN i % 10 < 8 THEN 'train' WHEN i % 10 = 8 THEN 'valid' ELSE 'test' END AS split FROM generate_series(1, 3000) i;
SELECT aread_train('visits', options => '{"architecture": "wide", "min_count": 5}');
SELECT set_eq($$SELECT feature, sum(rows) AS r, sum(unseen) AS u, sum(rare) AS s FROM aread_drift('visits', 'visits') GROUP BY 1$$,
  $$SELECT 'domain', 3000::numeric AS r, 0::numeric AS u, 0::numeric AS s UNION ALL SELECT 'user_id', count(*), count(*) FILTER (WHERE i % 2 = 1 AND split <> 'train' OR i % 10 = 8), count(*) FILTER (WHERE i % 2 = 1 AND split = 'train') FROM (SELECT *, substr(tags[2], 2)::int AS i FROM visits) v
    UNION ALL SELECT 'tags', 6000, count(*) FILTER (WHERE split <> 'train'), count(*) FILTER (WHERE split = 'train') FROM visits$$, 'values of test rows alone are new, those of few training rows are rare');
CREATE FUNCTION pg_temp.unseen(model text) RETURNS text LANGUAGE sql AS $$ SELECT string_agg(concat_ws(' ', feature, sum_unseen, sum_rare), ', ' ORDER BY feature) FROM (SELECT feature, sum(unseen) AS sum_unseen, sum(rare) AS sum_rare FROM aread_drift(model, 'visits') GROUP BY 1) x $$;
SELECT is(aread_import(aread_export('visits'), 'copied'), 1, 'exported and imported');
SELECT is(pg_temp.unseen('copied'), pg_temp.unseen('visits'), 'the same of a copy');
DELETE FROM aread.stored_chunk WHERE kind = 'rare' AND version_id = (SELECT max(version_id) FROM aread.stored_version);
SELECT is(pg_temp.unseen('copied'), 'domain 0 0, tags 3000, user_id 1800', 'models that keep none count both as rare, and do not say that nothing is new');
SELECT is((SELECT sum(aread_predict('visits', v)) FROM visits v), (SELECT sum(aread_predict('copied', v)) FROM visits v), 'scores do not tell them apart');

-- shifts: the index by hand
CREATE FUNCTION pg_temp.psi(p float8[], q float8[]) RETURNS float8 LANGUAGE sql AS $$
  SELECT sum((a / p_sum - b / q_sum) * ln(a / p_sum / (b / q_sum))) FROM unnest(p, q) u (p, q), LATERAL (SELECT u.p + 0.5 AS a, u.q + 0.5 AS b) h,
    LATERAL (SELECT (SELECT sum(x + 0.5) FROM unnest($1) x) AS p_sum, (SELECT sum(x + 0.5) FROM unnest($2) x) AS q_sum) s $$;
CREATE TABLE prices AS SELECT sequence, label, domain, user_id, item_id, CASE WHEN sequence % 20 > 0 THEN (sequence % 1000)::real END AS price, sequence % 2 AS two, CASE WHEN sequence % 10 < 8 THEN 'train' WHEN sequence % 10 = 8 THEN 'valid' ELSE 'test' END AS split
  FROM aread_simulate(6000, domains => 4, users => 100, items => 30);
SELECT aread_train('prices', features => '{domain,user_id,item_id,price,two}', options => '{"architecture": "wide", "features": {"price": {"kind": "binned", "bins": 10}, "two": {"kind": "binned"}}}');
CREATE VIEW latest AS SELECT max(version_id) AS version_id FROM aread.stored_version;
CREATE TABLE bins AS SELECT edges FROM aread.stored_feature JOIN latest USING (version_id) WHERE name = 'price';
CREATE TABLE shifts (name text, price text, rows text);
INSERT INTO shifts VALUES ('same', 'price', 'true'), ('dearer', 'price * 1.5', 'true'), ('gone', 'NULL::float8', 'true'), ('far', '1e30', 'true'), ('filled', 'coalesce(price, 500)::text', 'true'), ('hundred', 'price::numeric', 'sequence <= 100'), ('trained', 'price', $$split = 'train'$$);
CREATE FUNCTION pg_temp.shift(name text, price text, rows text) RETURNS TABLE (feature text, n bigint, bins int, psi float8) LANGUAGE plpgsql AS $$ BEGIN
  EXECUTE format('CREATE VIEW %I AS SELECT domain, user_id, item_id, split, two, %s AS price FROM prices WHERE %s', name, price, rows);
  RETURN QUERY SELECT * FROM aread_shift('prices', name::regclass); END $$;
CREATE TABLE shifted AS SELECT v.name, s.* FROM shifts v, pg_temp.shift(v.name, v.price, v.rows) s;
SELECT set_eq($$SELECT feature, n, bins FROM shifted WHERE name = 'same'$$, $$VALUES ('price', 6000::bigint, 11), ('two', 6000, 2), (NULL, 6000, 10)$$, 'a line for each number, and one for the scores');
SELECT ok(psi BETWEEN 0 AND 0.02, format('no shift of %s', coalesce(feature, 'scores'))) FROM shifted WHERE name = 'same';
SELECT ok(psi > 0.25, format('a large one: %s', name)) FROM shifted WHERE feature = 'price' AND name IN ('dearer', 'gone', 'far');
CREATE FUNCTION pg_temp.counts(source text) RETURNS float8[] LANGUAGE plpgsql AS $$ DECLARE result float8[]; BEGIN
  EXECUTE format('SELECT array_agg(n ORDER BY b) FROM (SELECT b, (SELECT count(*) FROM %I WHERE coalesce(width_bucket(price::float8, edges), -1) = b)::float8 AS n FROM bins, generate_series(-1, cardinality(edges)) b) x', source) INTO result; RETURN result; END $$;
SELECT ok(abs(psi - pg_temp.psi(pg_temp.counts('trained'), pg_temp.counts(name))) < 1e-9, 'by hand: ' || name) FROM shifted WHERE feature = 'price';
CREATE FUNCTION pg_temp.score_counts(source text) RETURNS float8[] LANGUAGE plpgsql AS $$ DECLARE result float8[]; BEGIN
  EXECUTE format('SELECT array_agg(n ORDER BY b) FROM (SELECT b, (SELECT count(*) FROM %I s WHERE width_bucket(aread_predict(''prices'', s), score_edges) = b)::float8 AS n FROM aread.stored_version JOIN latest USING (version_id), generate_series(0, 9) b) x', source) INTO result; RETURN result; END $$;
CREATE VIEW validated AS SELECT * FROM prices WHERE split = 'valid';
SELECT ok(abs(psi - pg_temp.psi(pg_temp.score_counts('validated'), pg_temp.score_counts(name))) < 1e-9, 'the scores'' is that against validation rows: ' || name) FROM shifted WHERE feature IS NULL AND name IN ('dearer', 'hundred');
CREATE VIEW nobody AS SELECT * FROM prices WHERE false;
SELECT is(count(*) FILTER (WHERE psi IS NULL AND rows = 0), 3::bigint, 'no rows, no shift') FROM aread_shift('prices', 'nobody');
UPDATE aread.stored_feature SET bin_rows = NULL WHERE version_id = (TABLE latest);
UPDATE aread.stored_version SET score_edges = NULL, score_rows = NULL WHERE version_id = (TABLE latest);
SELECT is(count(*) FILTER (WHERE psi IS NULL AND rows = 6000), 3::bigint, 'models of earlier versions do not tell') FROM aread_shift('prices', 'same');
UPDATE aread.stored_feature SET bin_rows = '{1,2}' WHERE version_id = (TABLE latest);
SELECT throws_ok($$SELECT aread_shift('prices', 'same')$$, 'XX001', NULL, 'damage is told');
UPDATE aread.stored_feature SET bin_rows = NULL WHERE version_id = (TABLE latest);
UPDATE aread.stored_version SET score_edges = '{0.5,0.4}', score_rows = '{1,2,3}' WHERE version_id = (TABLE latest);
SELECT throws_ok($$SELECT aread_shift('prices', 'same')$$, 'XX001', NULL, 'of scores, too');

SELECT * FROM finish();
ROLLBACK;
