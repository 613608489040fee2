-- Counterfactual rows: by hand, by what must hold of any, by what training does; sources and columns of every kind.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

-- by hand: 14, 4 and 2 training rows; a domain below 0.15 x 20 is minor, one above 0.25 x 20 major
CREATE TABLE hand (label int, domain text, user_id int, item_id int, split text, note text);
INSERT INTO hand SELECT (u <= 4)::int, 'large', u, 1, 'train' FROM generate_series(1, 8) u;
INSERT INTO hand VALUES
  (1, 'large', 1, 2, 'train'), (1, 'large', 2, 2, 'train'), (0, 'large', 3, 2, 'train'), (1, 'middle', 1, 1, 'train'), (0, 'middle', 2, 1, 'train'),
  (1, 'middle', 1, 5, 'train'), (1, 'middle', 3, 5, 'train'), (1, 'small', 9, 2, 'train'), (0, 'small', 1, 3, 'train'),
  -- none of this counts
  (0, 'small', 1, 4, 'test'), (0, 'small', 2, 3, 'valid'), (NULL, 'small', 2, 3, 'train'), (0, NULL, 2, 3, 'train'), (0, 'small', 2, 3, NULL);
INSERT INTO hand VALUES (1, 'large', 1, 3, 'train', 'one'), (1, 'large', 2, 3, 'train', 'two'), (1, 'large', 1, 4, 'train', 'three');
INSERT INTO hand SELECT 1, 'large', u, 4, 'valid' FROM generate_series(1, 20) u;
CREATE FUNCTION pg_temp.options(text DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
  SELECT '{"minor_share": 0.15, "major_share": 0.25, "augment_ratio": 0.2}'::jsonb || $1::jsonb $$;
SELECT results_eq($$SELECT * FROM aread_augment_plan('hand', options => pg_temp.options())$$,
  $$VALUES ('large', 14::bigint, false, true, 0::bigint), ('middle', 4, false, false, 0), ('small', 2, true, false, 4)$$, 'plan by hand');
SELECT results_eq($$SELECT * FROM aread_popularity('hand', options => pg_temp.options())$$,
  $$VALUES ('1', 10::bigint, 5::bigint, 10::float8, false), ('2', 4, 3, 4, false), ('3', 3, 2, 3, true), ('5', 2, 2, 2, true), ('4', 1, 1, 1, true)$$, 'popularity by hand: the median and below');
SELECT set_eq($$SELECT item, popularity, unpopular FROM aread_popularity('hand', options => '{"popularity": "rate"}')$$,
  $$VALUES ('1', 0.5::float8, true), ('2', 4 / 6::float8, true), ('3', 0.6, true), ('4', 2 / 3::float8, true), ('5', 0.75, false)$$, 'smoothed rates, ties included');
SELECT set_eq($$SELECT item FROM aread_popularity('hand', options => '{"unpopular_threshold": 3}') WHERE unpopular$$, ARRAY['4', '5'], 'below a value');
SELECT set_eq($$SELECT item FROM aread_popularity('hand', options => '{"unpopular_quantile": 0.2}') WHERE unpopular$$, ARRAY['4'], 'another quantile');
SELECT set_eq($$SELECT item, rows FROM aread_popularity('hand', options => '{"min_count": 3}')$$, $$VALUES ('1', 10::bigint), ('2', 4), ('3', 3)$$, 'rare items share an id and are left out');
-- of (1, 3), (2, 3) and (1, 4) the first is a negative in "small"
SELECT is(count(*), 4::bigint, 'as many rows as planned') FROM aread_augment(NULL::hand, options => pg_temp.options());
SELECT set_eq($$SELECT DISTINCT a::text FROM aread_augment(NULL::hand, options => pg_temp.options('{"augment_ratio": 10}')) a$$,
  ARRAY['(1,small,2,3,train,two)', '(1,small,1,4,train,three)'], 'which rows are in the pool; they come whole');
SELECT ok(count(*) = 200 AND abs(count(*) FILTER (WHERE item_id = 3) - 50) < 6 * sqrt(200 * 0.25 * 0.75), 'weights 1/3 and 1')
FROM aread_augment(NULL::hand, options => pg_temp.options('{"augment_ratio": 10}'));
SELECT set_eq($$SELECT DISTINCT item_id, user_id FROM aread_augment(NULL::hand, user_id => 'note', options => pg_temp.options('{"augment_ratio": 10}'))$$,
  $$VALUES (3, 1), (3, 2), (4, 1)$$, 'pairs are of the user named');
INSERT INTO hand VALUES (0, 'small', 2, 3, 'train'), (0, 'small', 1, 4, 'train');
SELECT is(count(*), 0::bigint, 'a domain that rejects all gets none') FROM aread_augment(NULL::hand, options => pg_temp.options('{"augment_ratio": 10, "unpopular_quantile": 0.6}'));
SELECT is_empty($$SELECT * FROM aread_augment(NULL::hand, options => pg_temp.options('{"augment_ratio": 0}'))$$, 'none asked for, none drawn');

-- what must hold of any: rows by hash
CREATE TABLE clicks AS SELECT label, domain, user_id, item_id, age_band, price, sequence, (ARRAY['train', 'train', 'train', 'valid', 'test'])[1 + sequence % 5] AS part,
  ARRAY[item_id % 7, item_id] AS liked
FROM aread_simulate(8000, domains => 16, users => 60, items => 150);
CREATE FUNCTION pg_temp.wide(text DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
  SELECT '{"minor_share": 0.03, "major_share": 0.06, "augment_ratio": 0.3, "unpopular_quantile": 0.7}'::jsonb || $1::jsonb $$;
CREATE TABLE added AS SELECT * FROM aread_augment(NULL::clicks, split => 'part', options => pg_temp.wide());
CREATE TABLE plan AS SELECT * FROM aread_augment_plan('clicks', split => 'part', options => pg_temp.wide());
CREATE TABLE popularity AS SELECT * FROM aread_popularity('clicks', split => 'part', options => pg_temp.wide());
SELECT set_eq($$SELECT domain, rows FROM plan$$, $$SELECT domain, count(*) FROM clicks WHERE part = 'train' GROUP BY 1$$, 'training rows of domains');
SELECT ok(bool_and(minor = (rows < 0.03 * n)) AND bool_and(major = (rows > 0.06 * n)) AND sum(rows_to_add) = round(0.3 * max(n)), 'shares')
FROM plan, (SELECT sum(rows) AS n FROM plan) x;
SELECT is_empty($$SELECT p.*, t.target FROM plan p,
    (SELECT (sum(rows) + sum(rows_to_add)) / count(*) AS target FROM plan WHERE minor) t,
    (SELECT sum(greatest(t.target - rows, 0)) AS missing FROM plan, (SELECT (sum(rows) + sum(rows_to_add)) / count(*) AS target FROM plan WHERE minor) t WHERE minor) m
  WHERE minor AND abs(rows_to_add - (SELECT sum(rows_to_add) FROM plan) * greatest(t.target - rows, 0) / m.missing) > 1$$, 'in proportion to what is missing');
SELECT set_eq($$SELECT item, rows, positives, popularity FROM popularity$$,
  $$SELECT item_id::text, count(*), sum(label), count(*)::float8 AS popularity FROM clicks WHERE part = 'train' GROUP BY 1$$, 'popularity');
SELECT is((SELECT max(popularity) FROM popularity WHERE unpopular), (SELECT percentile_disc(0.7) WITHIN GROUP (ORDER BY popularity) FROM popularity), 'the quantile is the most popular of the unpopular');
SELECT set_eq($$SELECT domain, count(*) FROM added GROUP BY 1$$, $$SELECT domain, rows_to_add FROM plan WHERE rows_to_add > 0$$, 'rows of each domain as planned');
SELECT is_empty($$SELECT * FROM added a WHERE NOT EXISTS (SELECT FROM clicks c JOIN plan p ON p.domain = c.domain AND p.major JOIN popularity i ON i.item = c.item_id::text AND i.unpopular
  WHERE c.part = 'train' AND c.label = 1 AND (c.user_id, c.item_id, c.label, c.age_band, c.price, c.sequence, c.part, c.liked) = (a.user_id, a.item_id, a.label, a.age_band, a.price, a.sequence, a.part, a.liked))$$,
  'every row is a positive training row of an unpopular item in a major domain, whole');
SELECT is_empty($$SELECT * FROM added a JOIN clicks c USING (domain, user_id, item_id) WHERE c.label = 0 AND c.part = 'train'$$, 'and no negative of its new domain');
SELECT isnt_empty($$SELECT * FROM clicks c JOIN plan USING (domain) JOIN popularity ON item = item_id::text AND unpopular JOIN clicks m USING (user_id, item_id) JOIN plan p ON p.domain = m.domain
  WHERE c.label = 0 AND c.part = 'train' AND plan.minor AND m.label = 1 AND m.part = 'train' AND p.major$$, 'of which there are some');
-- how often each item is drawn: with weight 1 / p among what each domain does not reject
CREATE TABLE expected AS
  SELECT item_id, sum(n * w / total) AS n FROM (
    SELECT c.item_id, m.rows_to_add AS n, 1 / i.popularity AS w, sum(1 / i.popularity) OVER (PARTITION BY m.domain) AS total
    FROM clicks c JOIN plan p ON p.domain = c.domain AND p.major JOIN popularity i ON i.item = c.item_id::text AND i.unpopular CROSS JOIN
      aread_augment_plan('clicks', split => 'part', options => pg_temp.wide('{"augment_ratio": 10}')) m
    WHERE c.label = 1 AND c.part = 'train' AND m.rows_to_add > 0
      AND NOT EXISTS (SELECT FROM clicks r WHERE r.part = 'train' AND r.label = 0 AND (r.domain, r.user_id, r.item_id) = (m.domain, c.user_id, c.item_id))) x
  GROUP BY item_id;
SELECT cmp_ok(abs(sum((coalesce(d.n, 0) - e.n) ^ 2 / e.n) - count(*)) / sqrt(2 * count(*)), '<', 6::float8, 'drawn in proportion to 1 / popularity')
FROM expected e LEFT JOIN (SELECT item_id, count(*) AS n FROM aread_augment(NULL::clicks, split => 'part', options => pg_temp.wide('{"augment_ratio": 10}')) GROUP BY 1) d USING (item_id);

-- the same rows whatever the order of the table, wherever they are kept, however often they are asked for; other seeds others
CREATE TABLE shuffled AS SELECT * FROM clicks ORDER BY hashint8(sequence * 7919);
CREATE FUNCTION pg_temp.rows(source text, arguments text, options text DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
  EXECUTE format('SELECT md5(string_agg(a::text, '';'' ORDER BY a::text)) || count(*) FROM aread_augment(NULL::%s, %s options => pg_temp.wide($1)) a', source, arguments) INTO result USING options;
  RETURN result;
END $$;
SELECT isnt((SELECT array_agg(sequence) FROM (SELECT sequence FROM shuffled LIMIT 10) s), (SELECT array_agg(sequence) FROM (SELECT sequence FROM clicks LIMIT 10) s), 'rows lie in another order');
SELECT is(pg_temp.rows('shuffled', a), pg_temp.rows('clicks', a), 'order of rows: ' || a)
FROM unnest(ARRAY['', 'split => ''part'',', 'split => ''sequence'',', 'features => ''{age_band}'',', 'split => ''sequence'', features => ''{domain}'',']) a;
CREATE TABLE first AS SELECT a, pg_temp.rows('clicks', a) AS rows FROM unnest(ARRAY['split => ''part'',', 'split => ''sequence'',', '']) a;
SET LOCAL work_mem = '64kB';
SELECT is(pg_temp.rows('clicks', a), rows, 'spilt to files: ' || a) FROM first;
RESET work_mem;
SELECT is((SELECT count(DISTINCT pg_temp.rows('clicks', '', format('{"seed": %s}', seed))) FROM generate_series(1, 5) seed), 5::bigint, 'seeds');

-- what aread_train adds: splits by name, order, hash; options and features of all kinds
CREATE FUNCTION pg_temp.compare(source regclass, arguments text, options text DEFAULT '{}') RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SELECT aread_train(%L, ''m'', %s options => pg_temp.wide($1) || ''{"architecture": "aread", "epochs": 1, "embed_dim": 2, "mmoe_experts": 2, "mmoe_dims": [4],
    "hei_experts": [2, 3], "hei_hidden": [4, 4], "hei_output": [4, 4], "batch_size": 512, "candidates": 1, "score_batches": 1, "cross_layers": 0, "wide": false, "warmup_batches": 1000}'')', source, arguments) USING options;
  DROP TABLE IF EXISTS mine;
  EXECUTE format('CREATE TABLE mine AS SELECT domain::text, rows, minor, major, rows_to_add FROM aread_augment_plan(%L, %s options => %L)', source, arguments, pg_temp.wide(options));
  RETURN NEXT set_eq('SELECT domain, rows, minor, major, augmented_rows FROM aread.domain WHERE model = ''m'' AND rows > 0', 'TABLE mine', format('%s %s %s: plan', source, arguments, options));
  RETURN NEXT set_eq(format('SELECT domain::text, count(*) FROM aread_augment(NULL::%s, %s options => %L) GROUP BY 1', source, arguments, pg_temp.wide(options)),
    'SELECT domain, augmented_rows FROM aread.domain WHERE model = ''m'' AND augmented_rows > 0', format('%s %s %s: rows', source, arguments, options));
  PERFORM aread_drop('m');
END $$;
SELECT pg_temp.compare('clicks', '');
SELECT pg_temp.compare('clicks', 'split => ''part'', features => ''{age_band}'',', '{"popularity": "rate", "unpopular_quantile": 0.3}');
SELECT pg_temp.compare('clicks', 'split => ''sequence'',', '{"valid_share": 0.2, "test_share": 0.15, "min_count": 60, "features": {"liked": {"vocabulary": "item_id"}}}');
SELECT pg_temp.compare('clicks', '', '{"test_share": 0, "features": {"item_id": {"buckets": 50}, "liked": {"vocabulary": "domain"}, "user_id": {"min_count": 100}}}');
CREATE TABLE ranked AS SELECT label, domain, user_id, item_id, (sequence % 3)::int2 AS split FROM clicks;
SELECT pg_temp.compare('ranked', '', '{"unpopular_threshold": 25}');
SELECT pg_temp.compare('ranked', '', '{"split_method": "order", "valid_share": 0.3, "test_share": 0.3}');
-- by score there are rows from the first mask update on, as many as planned
SELECT set_eq($$SELECT count(*) FROM aread_augment_plan('clicks', options => pg_temp.wide('{"popularity": "score"}')) WHERE rows_to_add > 0$$, $$SELECT count(*) FROM aread_augment_plan('clicks', options => pg_temp.wide()) WHERE rows_to_add > 0$$, 'the plan goes by counts of domains');
SELECT ok((aread_train('clicks', 'by_score_' || warmup, options => pg_temp.wide(format('{"popularity": "score", "architecture": "aread", "epochs": 1, "embed_dim": 2, "mmoe_experts": 2, "mmoe_dims": [4],
    "hei_experts": [2, 3], "hei_hidden": [4, 4], "hei_output": [4, 4], "batch_size": 512, "candidates": 1, "score_batches": 1, "cross_layers": 0, "trees": 0, "warmup_batches": %s}', warmup)))).version = 1, 'trained by score')
FROM unnest(ARRAY[1, 1000]) warmup;
SELECT set_eq($$SELECT domain, augmented_rows FROM aread.domain WHERE model = 'by_score_1' AND rows > 0$$,
  $$SELECT domain, rows_to_add FROM aread_augment_plan('clicks', options => pg_temp.wide())$$, 'as many rows as by counts');
SELECT is(sum(augmented_rows), (SELECT sum(rows_to_add) FROM aread_augment_plan('clicks', options => pg_temp.wide())), 'whenever the only update is') FROM aread.domain WHERE model = 'by_score_1000';
SELECT throws_ok(format('SELECT * FROM %s, options => %L)', f, '{"popularity": "score"}'), '22023', 'option "popularity" cannot be "score" here', f || ') knows no network')
FROM unnest(ARRAY['aread_augment(NULL::clicks', 'aread_popularity(''clicks''']) f;
SELECT results_eq($$SELECT * FROM aread_augment_plan('clicks', options => NULL)$$, $$SELECT * FROM aread_augment_plan('clicks')$$, 'options that are NULL are no options: the split is by the default seed');
SELECT set_eq($$SELECT domain, rows FROM aread_augment_plan('clicks', split => 'sequence', options => '{"valid_share": 0.2, "test_share": 0.15}')$$,
  $$SELECT domain, count(*) FROM (SELECT domain, rank() OVER (ORDER BY sequence) AS r, count(*) OVER () AS n FROM clicks) x WHERE r <= n - round(0.2 * n) - round(0.15 * n) GROUP BY 1$$, 'the first rows train');

-- rows of the source's own type: INSERT, UNION ALL, CREATE TABLE AS, views, the select list
CREATE TABLE copied AS TABLE clicks;
INSERT INTO copied SELECT * FROM aread_augment(NULL::copied, options => pg_temp.wide());
SELECT is((SELECT count(*) FROM copied), 8000 + (SELECT sum(rows_to_add)::bigint FROM aread_augment_plan('clicks', options => pg_temp.wide())), 'INSERT');
TRUNCATE copied;
INSERT INTO copied TABLE clicks;
INSERT INTO copied TABLE copied UNION ALL SELECT * FROM aread_augment(NULL::copied, options => pg_temp.wide());
SELECT is((SELECT count(*) FROM copied), 16000 + (SELECT sum(rows_to_add)::bigint FROM aread_augment_plan('clicks', options => pg_temp.wide())), 'INSERT reads the table as it was');
CREATE VIEW enlarged AS TABLE clicks UNION ALL SELECT * FROM aread_augment(NULL::clicks, options => '{"minor_share": 0.03, "major_share": 0.06}');
SELECT cmp_ok((SELECT count(*) FROM enlarged), '>', 8000::bigint, 'a view of both');
SELECT bag_eq($$SELECT (aread_augment(NULL::clicks, split => 'part', options => pg_temp.wide())).*$$, 'TABLE added', 'in the select list');
SELECT is(pg_typeof(a), 'clicks'::regtype, 'rows have the type of the source') FROM (SELECT a FROM aread_augment(NULL::clicks, options => pg_temp.wide()) a LIMIT 1) x;

-- sources of every kind give the rows that the table gives
CREATE VIEW seen AS TABLE clicks;
CREATE MATERIALIZED VIEW frozen AS TABLE clicks;
CREATE TABLE parted (LIKE clicks) PARTITION BY LIST (domain);
CREATE TABLE parted_one PARTITION OF parted FOR VALUES IN ('domain_01');
CREATE TABLE parted_rest (liked int[], part text, sequence bigint, price float8, age_band int, item_id int, user_id int, domain text, label int);
ALTER TABLE parted ATTACH PARTITION parted_rest DEFAULT;
INSERT INTO parted TABLE clicks;
CREATE TABLE altered (gone text, LIKE clicks);
ALTER TABLE altered DROP age_band;
ALTER TABLE altered ADD age_band int, DROP gone;
INSERT INTO altered (label, domain, user_id, item_id, price, sequence, part, liked, age_band) SELECT label, domain, user_id, item_id, price, sequence, part, liked, age_band FROM clicks;
SELECT is(pg_temp.rows(s, 'features => ''{age_band,price}'','), pg_temp.rows('clicks', 'features => ''{age_band,price}'','), s)
FROM unnest(ARRAY['seen', 'frozen', 'parted']) s;
SELECT bag_eq($$SELECT label, domain, user_id, item_id, age_band, price, sequence, part, liked FROM aread_augment(NULL::altered, features => '{age_band,price,sequence}', options => pg_temp.wide())$$,
  $$SELECT * FROM aread_augment(NULL::clicks, features => '{age_band,price,sequence}', options => pg_temp.wide())$$, 'dropped columns');
WITH inserted AS (INSERT INTO altered SELECT * FROM aread_augment(NULL::altered, options => pg_temp.wide()) RETURNING domain)
SELECT ok(count(*) > 0 AND count(domain) = count(*), 'are no hindrance') FROM inserted;

CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE distant (label int, domain text, user_id int, item_id int)
  SERVER files OPTIONS (program $$bash -c 'for i in $(seq 600); do echo $((i % 3 != 0)),d$((i % 31 / 10)),$((i % 17)),$((i % 23)); done'$$, format 'csv');
SELECT set_eq($$SELECT domain, count(*) FROM aread_augment(NULL::distant, options => '{"minor_share": 0.05, "major_share": 0.06}') GROUP BY 1$$,
  $$SELECT domain, rows_to_add FROM aread_augment_plan('distant', options => '{"minor_share": 0.05, "major_share": 0.06}') WHERE rows_to_add > 0$$, 'foreign tables');

-- domains of any type, columns of any name, registered or named
CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad', 'bored');
CREATE DOMAIN place AS varchar(20);
CREATE TABLE typed AS SELECT label, user_id, item_id, d, (ARRAY['sad', 'sad', 'sad', 'ok', 'glad', 'bored'])[d]::mood AS e, md5(d::text)::uuid AS u, d::text::place AS p, d::int2 AS i, d = 4 AS b, ('d' || d)::name AS n
FROM (SELECT *, least(substr(domain, 8)::int, 6) AS d FROM clicks) x;
CREATE FUNCTION pg_temp.check_type(col text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN NEXT set_eq(format('SELECT %I::text, count(*) FROM aread_augment(NULL::typed, domain => %L, features => ''{user_id,item_id}'', options => ''{"minor_share": 0.1, "major_share": 0.12}'') GROUP BY 1', col, col),
    format('SELECT domain, rows_to_add FROM aread_augment_plan(''typed'', domain => %L, features => ''{user_id,item_id}'', options => ''{"minor_share": 0.1, "major_share": 0.12}'') WHERE rows_to_add > 0', col), 'domains: ' || col);
END $$;
SELECT pg_temp.check_type(c) FROM unnest(ARRAY['e', 'u', 'p', 'i', 'b', 'n']) c;
CREATE TABLE "Odd Table" AS SELECT label AS "Label?", domain AS "do""main", user_id AS "User", item_id AS "select", part AS "Split" FROM clicks;
SELECT throws_ok($$SELECT * FROM aread_augment(NULL::"Odd Table")$$, '42703', 'relation "Odd Table" has no label column', 'nothing says where the label is');
SELECT set_eq($$SELECT "do""main", count(*) FROM aread_augment(NULL::"Odd Table", 'Label?', 'do"main', 'User', 'select', 'Split', options => pg_temp.wide()) GROUP BY 1$$,
  $$SELECT domain, rows_to_add FROM plan WHERE rows_to_add > 0$$, 'quoted names');
SELECT aread_register('"Odd Table"', 'Label?', 'do"main', 'User', 'select', split => 'Split');
SELECT bag_eq($$SELECT * FROM aread_augment(NULL::"Odd Table", options => pg_temp.wide())$$,
  $$SELECT * FROM aread_augment(NULL::"Odd Table", 'Label?', 'do"main', 'User', 'select', 'Split', options => pg_temp.wide())$$, 'registered names');
SELECT set_eq($$SELECT * FROM aread_popularity('"Odd Table"', options => pg_temp.wide())$$, 'TABLE popularity', 'for all three');

-- a result does not need the source any more
CREATE TABLE long AS SELECT label, domain, user_id, item_id, part AS split, (SELECT string_agg(md5(sequence * 1000 + g || ''), '') FROM generate_series(1, 150) g) AS note, sequence FROM clicks WHERE sequence <= 2000;
ALTER TABLE long ALTER note SET STORAGE EXTERNAL;
CREATE TABLE kept (LIKE long);
INSERT INTO kept TABLE long;
CREATE FUNCTION pg_temp.gone() RETURNS SETOF kept LANGUAGE plpgsql AS $$
DECLARE r kept;
BEGIN
  FOR r IN SELECT * FROM aread_augment(NULL::kept, features => '{user_id}', options => pg_temp.wide()) LOOP
    TRUNCATE kept;
    RETURN NEXT r;
  END LOOP;
END $$;
SELECT ok(count(*) > 100 AND bool_and(g.note = l.note), 'toasted values are its own') FROM pg_temp.gone() g LEFT JOIN long l USING (sequence);

-- logs of positives only
CREATE TABLE taken AS SELECT domain, user_id, item_id FROM clicks WHERE label = 1;
SELECT throws_ok($$SELECT * FROM aread_augment(NULL::taken)$$, '42703', 'relation "taken" has no label column', 'no label');
SELECT ok(bool_and(rows = positives AND popularity = rows), 'with option negatives every row is positive') FROM aread_popularity('taken', options => '{"negatives": 2}');
SELECT set_eq($$SELECT domain, count(*) FROM aread_augment(NULL::taken, options => pg_temp.wide('{"negatives": 2}')) GROUP BY 1$$,
  $$SELECT domain, rows_to_add FROM aread_augment_plan('taken', options => pg_temp.wide('{"negatives": 2}')) WHERE rows_to_add > 0$$, 'none is sampled, and nothing rejected');

-- no rows, no domains, no positives
CREATE TABLE nothing (LIKE hand);
SELECT is_empty($$SELECT * FROM aread_augment(NULL::nothing)$$, 'no rows');
SELECT is_empty($$SELECT item FROM aread_popularity('nothing') UNION ALL SELECT domain FROM aread_augment_plan('nothing')$$, 'nor any of the rest');
INSERT INTO nothing SELECT 0, 'd' || i % 5, i, i, 'train' FROM generate_series(1, 100) i UNION ALL VALUES (0, 'd9', 1, 1, 'train');
SELECT is_empty($$SELECT * FROM aread_augment(NULL::nothing)$$, 'no positives');

-- rights are the caller's
CREATE ROLE aread_reader;
CREATE TABLE guarded AS TABLE clicks;
GRANT SELECT (label, domain, user_id, item_id) ON guarded TO aread_reader;
SET LOCAL ROLE aread_reader;
SELECT throws_ok($$SELECT * FROM aread_augment(NULL::guarded)$$, '42501', 'permission denied for table guarded', 'whole rows need rights on all columns');
SELECT throws_ok($$SELECT * FROM aread_augment_plan('guarded')$$, '42501', 'permission denied for table guarded', 'a split by hash on those of features');
SELECT lives_ok($$SELECT * FROM aread_augment_plan('guarded', features => '{item_id}')$$, 'these are enough');
RESET ROLE;
GRANT SELECT ON guarded TO aread_reader;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY some_rows ON guarded TO aread_reader USING (domain <> 'domain_16');
SET LOCAL ROLE aread_reader;
SELECT is_empty($$SELECT domain FROM aread_augment_plan('guarded') WHERE domain = 'domain_16'$$, 'row security holds');
RESET ROLE;

-- errors
CREATE TYPE pair AS (label int, domain text);
SELECT throws_ok($$SELECT * FROM aread_augment(NULL::pair)$$, '42809', 'cannot read interactions from "pair"', 'a type without rows');
SELECT throws_ok($$SELECT * FROM aread_augment(1)$$, '42804', 'a value of type integer is no row of a source', 'no row');
SELECT throws_ok($$SELECT * FROM aread_augment('clicks'::regclass)$$, '42804', 'a value of type regclass is no row of a source', 'a name is none either');
SELECT throws_ok(format('SELECT * FROM %s(NULL)', f), '22004', 'source must not be NULL', f || ' of NULL') FROM unnest(ARRAY['aread_popularity', 'aread_augment_plan']) f;
SELECT throws_ok($$SELECT * FROM aread_popularity('clicks', label => 'lable')$$, '42703', 'column "lable" of relation "clicks" does not exist', 'a misspelt column');
SELECT throws_ok($$SELECT * FROM aread_augment(NULL::clicks, label => 'label', item_id => 'label')$$, '22023', 'column "label" cannot be both label and item', 'a column in two roles');
SELECT throws_ok($$SELECT * FROM aread_augment(NULL::clicks, item_id => 'liked')$$, '42804', 'column "liked" must be categorical to be the domain, user or item', 'lists are no items');
ALTER TABLE taken DROP item_id, ADD label bool;
SELECT throws_ok($$SELECT * FROM aread_augment_plan('taken')$$, '42703', 'relation "taken" has no item column', 'no item');
SELECT throws_ok($$SELECT * FROM aread_augment(NULL::clicks, options => '{"augment_rate": 1}')$$, '22023', 'unknown option "augment_rate"', 'unknown options');
SELECT throws_ok($$SELECT * FROM aread_augment(NULL::clicks, options => '{"augment_ratio": 11}')$$, '22023', 'option "augment_ratio" is 11, but must be between 0 and 10', 'out of range');
SELECT throws_ok($$SELECT * FROM aread_augment(NULL::clicks, label => 'price')$$, '22023', NULL, 'labels that are none');
SELECT throws_like($$SELECT * FROM aread_augment(NULL::clicks, split => 'domain')$$, 'unknown split "domain\_%" in column "domain"', 'splits that are none');

SELECT * FROM finish();
ROLLBACK;
