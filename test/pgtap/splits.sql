-- Which rows train, validate and test: aread_split says of each row what training did with it.
BEGIN;
SET LOCAL client_min_messages = error;
SELECT no_plan();

CREATE TYPE part AS ENUM ('train', 'valid', 'test');
CREATE DOMAIN amount AS numeric(10, 2);
CREATE TABLE clicks AS SELECT CASE WHEN sequence % 97 > 0 THEN label END AS label, CASE WHEN sequence % 89 > 0 THEN domain END AS domain, user_id, item_id::text AS item_id, category::int8 AS category,
  CASE WHEN sequence % 50 > 0 THEN price::real END AS price, ARRAY[item_id % 7, NULL, item_id % 11] AS tags, CASE WHEN sequence % 70 > 0 THEN ARRAY['a' || user_id % 3] END AS words, sequence % 3 = 0 AS flag,
  (ARRAY[date '2020-02-01', NULL, '1999-12-31', 'infinity'])[1 + sequence % 4] AS born, (sequence % 5 - 1.5)::amount AS amount, (ARRAY[0, '-0', 'NaN', 0.1])[1 + user_id % 4]::float8 AS float, 'x  '::char(9) AS fixed,
  sequence::int AS sequence, CASE WHEN sequence % 60 > 0 THEN date '2024-01-01' + (sequence / 90)::int END AS day, timestamptz '2024-01-01 00:00+00' + sequence / 7 * interval '5 minutes' AS at,
  ((sequence % 300)::numeric / 7)::numeric(8, 3) AS share, sqrt(sequence / 9)::float4 AS root, (sequence % 10)::int2 AS fold,
  (ARRAY['train', 'Train', 'VALID', 'test', 'validation', '0'])[1 + sequence % 6] AS named, (enum_range(NULL::part))[1 + sequence % 3] AS enumerated, (sequence % 3)::int8 AS code
FROM aread_simulate(3000, domains => 5, users => 100, items => 50);

CREATE FUNCTION pg_temp.auc(model text) RETURNS float8 LANGUAGE sql AS
  $$ SELECT aread_auc(aread_predict(model, c), label) FROM clicks c WHERE aread_split(model, c) = 'test' $$;
CREATE TABLE ways (model text, split text, options jsonb);
INSERT INTO ways SELECT format('by %s %s', split, options), split, options FROM unnest('{day,at,sequence,share,root,fold,named,enumerated,code}'::text[]) split, unnest(ARRAY['{}', '{"valid_share": 0.25, "test_share": 0.3}']::jsonb[]) options;
INSERT INTO ways VALUES ('hash', NULL, '{}'), ('seed', NULL, '{"seed": 7}'), ('shares', NULL, '{"valid_share": 0.3, "test_share": 0.2}'), ('no test', NULL, '{"test_share": 0}'), ('no test by order', 'at', '{"test_share": 0}'),
  ('hashed', NULL, '{"features": {"item_id": {"buckets": 10}, "price": {"kind": "categorical"}, "born": {"min_count": 900}}}'), ('column not looked at', 'day', '{"split_method": "hash"}'),
  ('codes in order', 'code', '{"split_method": "order"}');
CREATE TABLE trained AS SELECT w.*, t.* FROM ways w, aread_train('clicks', w.model, split => w.split, options => '{"architecture": "wide"}' || w.options,
  features => '{domain,user_id,item_id,category,price,tags,words,flag,born,amount,float,fixed}') t;
SELECT is((SELECT string_agg(concat_ws(' ', s, n), ', ' ORDER BY s) FROM (SELECT aread_split(model, c) AS s, count(*) AS n FROM clicks c GROUP BY 1) x WHERE s IS NOT NULL),
  concat_ws(', ', 'test ' || nullif(test_rows, 0), 'train ' || nullif(train_rows, 0), 'valid ' || nullif(valid_rows, 0)), model || ': as many rows as training had') FROM trained;
SELECT is(count(*) FILTER (WHERE aread_split('hash', c) IS NULL), count(*) FILTER (WHERE label IS NULL OR domain IS NULL), 'rows that training left out have no split') FROM clicks c;
SELECT is(count(*) FILTER (WHERE aread_split('by day {}', c) IS NULL), count(*) FILTER (WHERE label IS NULL OR domain IS NULL OR day IS NULL), 'nor have those without a value in the split column') FROM clicks c;
SELECT is(pg_temp.auc(t.model), m.test_auc, t.model || ': the same AUC by hand') FROM trained t JOIN aread.model m USING (model);
SELECT is((e.rows, e.auc)::text, (t.test_rows, m.test_auc)::text, t.model || ': and by aread_evaluate') FROM trained t JOIN aread.model m USING (model), aread_evaluate(t.model, 'clicks', split => 'test') e;
SELECT is((e.rows, e.auc)::text, (t.valid_rows, m.valid_auc)::text, t.model || ': of validation rows, too') FROM trained t JOIN aread.model m USING (model), aread_evaluate(t.model, 'clicks', split => 'VALID') e;
SELECT results_eq($$SELECT domain, rows, auc FROM aread_evaluate_domains('seed', 'clicks', split => 'test') WHERE rows > 0 ORDER BY 1$$, $$SELECT domain, test_rows, test_auc FROM aread.domain WHERE model = 'seed' AND test_rows > 0 ORDER BY 1$$, 'domain by domain');
SELECT cmp_ok(count(*), '>', 100::bigint, 'another seed, other rows') FROM clicks c WHERE aread_split('hash', c) <> aread_split('seed', c);

-- rows of other types and order, with other columns
CREATE VIEW other AS SELECT 1 AS more, fixed::text, float, amount::text, born::text, flag::text, words, tags::int8[], price::float8, category::int2, item_id::int, user_id::numeric, domain::varchar, sequence, day::timestamp FROM clicks;
SELECT is_empty($$SELECT FROM clicks c JOIN other o USING (sequence) WHERE aread_split('hash', c) <> aread_split('hash', o) OR aread_split('by day {}', c) <> aread_split('by day {}', o)$$, 'the same values in other types');
SELECT is(aread_split('by code {}', r), s, 'values that name a split') FROM (VALUES (0, 'train'), (1, 'valid'), (2, 'test'), (3, NULL), (NULL, NULL)) v (code, s), LATERAL (SELECT 'd' AS domain, v.code) r;
SELECT is(aread_split('by named {}', r), s, 'and names') FROM (VALUES (' train', NULL), ('tEsT', 'test'), ('2', 'test'), ('holdout', NULL)) v (named, s), LATERAL (SELECT 'd' AS domain, v.named) r;
SELECT is(aread_split('by day {}', r), s, 'rows that come later') FROM (VALUES (date '1900-01-01', 'train'), ('infinity', 'test')) v (day, s), LATERAL (SELECT 'never seen' AS domain, v.day) r;
SELECT is(aread_split(m, r), NULL, 'NULL') FROM (VALUES (NULL, ROW(1)), ('hash', NULL)) v (m, r);
SELECT is((SELECT string_agg(aread_split(m, c), ',' ORDER BY m) FROM unnest(ARRAY['hash', 'seed', 'by day {}']) m), nullif(concat_ws(',', aread_split('by day {}', c), aread_split('hash', c), aread_split('seed', c)), ''), 'models in turn') FROM clicks c WHERE sequence < 20;
SELECT throws_ok(q, s, m, m) FROM (VALUES
  ($$SELECT aread_split('hash', r) FROM (SELECT 'd' AS domain, 1 AS user_id) r$$, '42703', 'the row has no column "item_id", which its split depends on'),
  ($$SELECT aread_split('by day {}', r) FROM (SELECT 'd' AS domain) r$$, '42703', 'the row has no column "day", which its split depends on'),
  ($$SELECT aread_split('by day {}', r) FROM (SELECT 'd' AS domain, date '2024-01-01' AS day, 1 AS day) r$$, '42702', 'column reference "day" is ambiguous'),
  ($$SELECT aread_split('by day {}', r) FROM (SELECT 'd' AS domain, 'soon'::text AS day) r$$, '22007', NULL),
  ($$SELECT aread_split('nothing', c) FROM clicks c$$, '42704', 'model "nothing" does not exist'),
  ($$SELECT aread_evaluate('hash', 'clicks', split => 'tset')$$, '22023', 'unknown split "tset"'),
  ($$SELECT aread_evaluate('by day {}', 'pg_class', split => 'test')$$, '42703', NULL)) v (q, s, m);
SELECT is(aread_import(aread_export('by day {}'), 'moved'), 1, 'a model that moves');
SELECT is(pg_temp.auc('moved'), pg_temp.auc('by day {}'), 'keeps its rule');

-- columns that are no features are not hashed
CREATE TABLE keyed AS SELECT sequence AS id, md5(sequence::text)::uuid AS token, 'constant' AS one, NULL::text AS none, ARRAY[price, price / 3]::real[] AS vector, label, domain, user_id, item_id FROM aread_simulate(2000, domains => 4);
CREATE TABLE keyed_trained AS SELECT * FROM aread_train('keyed', options => '{"architecture": "wide"}');
SELECT is((SELECT count(*) FROM keyed k WHERE aread_split('keyed', k) = 'test'), test_rows, 'columns by default') FROM keyed_trained;

-- sampled negatives have the split of their positive row
CREATE TABLE bought AS SELECT domain, user_id, item_id, sequence AS at FROM clicks JOIN LATERAL (SELECT 1) x ON label = 1 WHERE domain IS NOT NULL;
CREATE TABLE bought_trained AS SELECT * FROM aread_train('bought', split => 'at', options => '{"architecture": "wide", "negatives": 2}');
SELECT is((SELECT count(*) FROM bought b WHERE aread_split('bought', b) = 'test'), test_rows, 'a table of positives') FROM bought_trained;

-- models of earlier versions
UPDATE aread.stored_version SET split_method = NULL, split_type = NULL, split_shares = NULL, split_bounds = NULL WHERE version_id = (SELECT max(version_id) FROM aread.stored_version);
SELECT throws_ok(q, '55000', 'version 1 of model "bought" does not tell which rows it was trained on', 'of such a model it is not known')
FROM unnest(ARRAY[$$SELECT aread_split('bought', b) FROM bought b$$, $$SELECT aread_evaluate('bought', 'bought', split => 'test')$$]) q;
-- rules that were tampered with
CREATE TABLE wrong AS SELECT * FROM (VALUES ('split_method = ''coin'''), ('split_method = ''order'', split = NULL'), ('split_method = ''order'', split_type = NULL'), ('split_shares = NULL'), ('split_shares = ''{0.1,NaN}'''), ('split_shares = ''{0.1,7}''')) v (change);
CREATE FUNCTION pg_temp.tampered(change text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
  EXECUTE 'UPDATE aread.stored_version SET ' || change || ' WHERE model_id = (SELECT model_id FROM aread.stored_model WHERE name = ''moved'')';
  PERFORM aread_split('moved', c) FROM clicks c;
  RAISE EXCEPTION USING ERRCODE = 'P0001';
EXCEPTION WHEN raise_exception THEN RETURN 'ok'; WHEN OTHERS THEN RETURN SQLSTATE; END $$;
SELECT is(pg_temp.tampered(change), 'XX001', change) FROM wrong;

-- columns of few values
CREATE FUNCTION pg_temp.cuts(shares text, VARIADIC sizes int[]) RETURNS text LANGUAGE plpgsql AS $$ DECLARE t record; BEGIN
  CREATE TEMP TABLE days ON COMMIT DROP AS SELECT d::int, i % 2 AS label, 'd' || i % 3 AS domain, i AS item_id FROM unnest(sizes) WITH ORDINALITY s (n, d), generate_series(1, n) i;
  UPDATE days SET d = 100 - d;  -- the largest number is the first size's
  SELECT * INTO t FROM aread_train('days', 'days', split => 'd', options => ('{"architecture": "wide", "split_method": "order"' || shares || '}')::jsonb);
  DROP TABLE days;
  RETURN concat_ws(' ', t.train_rows, t.valid_rows, t.test_rows);
EXCEPTION WHEN invalid_parameter_value THEN RETURN SQLERRM; END $$;
SELECT is(pg_temp.cuts(shares, VARIADIC sizes), cuts, format('%s%s', sizes, shares)) FROM (VALUES
  -- from the last day to the first one
  ('', '{40}'::int[], 'column "d" cannot split rows by order: it has one value only'), ('', '{40,40}', '40 40 0'), ('', '{40,40,40}', '40 40 40'), ('', '{40,40,40,40}', '80 40 40'), ('', '{40,40,40,40,40}', '120 40 40'),
  ('', '{20,20,20,20,20,20,20,20,20,20}', '160 20 20'), ('', '{1,1,400}', '400 1 1'), ('', '{400,1,50}', '50 1 400'), ('', '{50,400,50}', '50 400 50'), ('', '{4,4,4,400}', '400 4 8'), ('', '{400,4,4,50}', '54 4 400'), ('', '{2,2,2,2,2,2}', '8 2 2'),
  (', "test_share": 0', '{40,40,40,40}', '120 40 0'), (', "test_share": 0', '{40,40}', '40 40 0'), (', "test_share": 0', '{1,400}', '400 1 0'), (', "test_share": 0', '{40}', 'column "d" cannot split rows by order: it has one value only'),
  (', "valid_share": 0', '{40,40,40,40}', '120 0 40'), (', "valid_share": 0', '{400,40}', '40 0 400'), (', "valid_share": 0, "test_share": 0', '{40}', '40 0 0'), (', "valid_share": 0.3, "test_share": 0.3', '{10,10,10,10,10,10,10,10,10,10}', '40 30 30')) v (shares, sizes, cuts);
CREATE TABLE few AS SELECT i % 2 AS label, 'd' || i % 3 AS domain, i AS item_id, i % 4 AS d FROM generate_series(1, 400) i;
SELECT is(sum(rows), (train_rows)::numeric, 'augmentation has the same training rows') FROM aread_train('few', split => 'd', options => '{"architecture": "wide"}') t,
  (SELECT rows FROM aread_popularity('few', split => 'd')) p GROUP BY train_rows;

-- labels that mean something else than in training
CREATE TABLE rated AS SELECT domain, user_id, item_id, category, price, tags, words, flag, born, amount, float, fixed, sequence % 6 AS label FROM clicks;
CREATE VIEW liked AS SELECT *, label >= 4 AS likes FROM rated;
CREATE FUNCTION pg_temp.view(name text, labels text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
  EXECUTE format('CREATE VIEW %I AS SELECT domain, user_id, item_id, category, price, tags, words, flag, born, amount, float, fixed, %s AS label FROM rated', name, labels); RETURN name; END $$;
SELECT pg_temp.view(n, l) FROM (VALUES ('booleans', 'label >= 4'), ('codes', '(label >= 4)::int'), ('fractions', '(label >= 4)::int::numeric(3, 2)'), ('stars', 'label::float4'), ('low', '0')) v (n, l);
SELECT aread_train('booleans', 'boolean', options => '{"architecture": "wide"}'), aread_train('rated', 'threshold', options => '{"architecture": "wide", "label_threshold": 4}'),
  aread_train('codes', 'one', options => '{"architecture": "wide", "label_threshold": 1}'), aread_train('rated', 'skipping', options => '{"architecture": "wide", "on_bad_label": "skip"}');
SELECT is((SELECT auc FROM aread_evaluate('boolean', r::regclass)), (SELECT auc FROM aread_evaluate('boolean', 'booleans')), r || ': the same labels') FROM unnest('{codes,fractions}'::text[]) r;
SELECT is((SELECT auc FROM aread_evaluate('threshold', 'stars')), (SELECT auc FROM aread_evaluate('threshold', 'rated')), 'the same ratings');
SELECT is((SELECT rows FROM aread_evaluate('threshold', 'low')), 3000::bigint, 'low ratings are ratings');
SELECT is((SELECT rows FROM aread_evaluate('one', 'codes')), 3000::bigint, 'a threshold between 0 and 1');
SELECT is((rows, skipped_rows)::text, '(1000,2000)', 'labels that training left out are left out') FROM aread_evaluate('skipping', 'rated');
SELECT throws_ok(format('SELECT %s(%L, %L)', f, m, s), c, e, m || ' over ' || s) FROM unnest('{aread_evaluate,aread_evaluate_domains}'::text[]) f, (VALUES
  ('boolean', 'rated', '22023', 'labels in column "label" are numbers such as 2, unlike those that model "boolean" was trained on'),
  ('threshold', 'booleans', '42804', 'labels in column "label" are booleans, unlike those that model "threshold" was trained on'),
  ('threshold', 'codes', '42804', 'labels in column "label" are 0 and 1, unlike those that model "threshold" was trained on'),
  ('threshold', 'fractions', '42804', 'labels in column "label" are 0 and 1, unlike those that model "threshold" was trained on')) v (m, s, c, e);

-- a type of that name that came later, whose input would run somebody's function
CREATE SEQUENCE ran;
CREATE FUNCTION run(text) RETURNS bool LANGUAGE sql VOLATILE AS $$SELECT nextval('ran') > 0$$;
CREATE TYPE _trap AS ENUM ('train', 'valid', 'test');
CREATE TABLE trapped AS SELECT label, domain, item_id, (ARRAY['train', 'valid', 'test'])[1 + sequence % 3]::_trap AS tags FROM clicks;
SELECT aread_train('trapped', 'trap', features => '{domain,item_id}', split => 'tags', options => '{"architecture": "wide"}') \g /dev/null
DROP TABLE trapped;
DROP TYPE _trap;
CREATE DOMAIN trap AS text CHECK (run(VALUE));
CREATE TABLE trapped AS SELECT label, domain, item_id, ARRAY['train'] AS tags FROM clicks;
SELECT isnt(to_regtype('_trap'), NULL, 'the type is there');
SELECT throws_ok(call, '42804', 'column "tags" of type text[] cannot be the split column', call) FROM unnest(ARRAY['SELECT aread_split(''trap'', t) FROM trapped t', 'SELECT aread_evaluate(''trap'', ''trapped'', split => ''test'')']) call;
SELECT lives_ok($$SELECT aread_evaluate('trap', 'trapped')$$, 'an evaluation that need not tell splits');
ALTER TABLE trapped ALTER tags TYPE text USING 'test';
SELECT is(aread_split('trap', t), 'test', 'text is read as it is') FROM trapped t WHERE label IS NOT NULL AND domain IS NOT NULL LIMIT 1;
SELECT is(is_called, false, 'nothing of it has run') FROM ran;

-- names that are padded, and digits that no number has room for
CREATE TABLE padded AS SELECT label, domain, sequence, (CASE WHEN sequence % 5 = 0 THEN 'test' WHEN sequence % 5 = 1 THEN 'valid' ELSE 'train' END)::char(12) AS part, sequence % 7 AS item_id FROM clicks WHERE label IS NOT NULL AND domain IS NOT NULL;
SELECT is(p.test_rows, (SELECT count(*) FROM padded WHERE part = 'test'), 'char(n)') FROM aread_train('padded', split => 'part', features => '{item_id}', options => '{"architecture": "wide"}') p;
SELECT throws_ok($$SELECT aread_evaluate('hash', 'padded', split => 'test')$$, '42703', NULL, 'a relation without the columns that tell the split');

-- models that change from row to row, with no room for any that is not in use
SET LOCAL aread.cache_size = 0;
SELECT is((SELECT count(*) FROM (SELECT c, (ARRAY['hash', 'seed', 'by day {}'])[1 + sequence % 3] AS model FROM clicks c OFFSET 0) x WHERE aread_split(model, c) = 'test'),
  (SELECT count(*) FROM clicks c WHERE CASE sequence % 3 WHEN 0 THEN aread_split('hash', c) WHEN 1 THEN aread_split('seed', c) ELSE aread_split('by day {}', c) END = 'test'), 'each by its model');
RESET aread.cache_size;

SELECT * FROM finish();
ROLLBACK;
