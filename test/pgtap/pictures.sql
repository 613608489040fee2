-- Pictures: valid documents that show what the views say, whatever domains are called.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

-- names that break a document, or a label, if they are not taken care of
CREATE TABLE named AS SELECT * FROM (VALUES ('domain_01', 'a<b>&"c'''), ('domain_02', E'\x01control\ttab'), ('domain_03', U&'\65E5\672C\8A9E <![CDATA[ ]]>'),
  ('domain_04', repeat('a very long name & more, ', 8)), ('domain_05', '')) n(domain, name);
CREATE TABLE clicks AS SELECT label, coalesce(name, domain) AS domain, user_id, item_id, category
FROM aread_simulate(12000, domains => 8, groups => 2, users => 120, items => 80, strength => 3, skew => 0.8) LEFT JOIN named USING (domain);
CREATE FUNCTION pg_temp.options(text DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
  SELECT '{"architecture": "hemp", "epochs": 4, "embed_dim": 4, "mmoe_experts": 2, "mmoe_dims": [16, 8], "hei_experts": [2, 3, 4], "hei_hidden": [8, 8, 4],
    "hei_output": [8, 4, 4], "batch_size": 256, "candidates": 2, "candidate_steps": 2, "initial_density": 0.85, "warmup_batches": 10, "mask_interval": 20, "learning_rate": 0.005,
    "minor_share": 0.09, "major_share": 0.12}'::jsonb || $1::jsonb $$;
SELECT aread_train('clicks', 'the "first" <model>', options => pg_temp.options());
SELECT aread_train('clicks', 'shop', options => pg_temp.options('{"seed": 2}'));
SELECT aread_train('clicks', 'shop', options => pg_temp.options());
SELECT aread_train('clicks', 'gates alone', options => pg_temp.options('{"architecture": "hei", "epochs": 1}'));
SELECT aread_train('clicks', 'told', options => pg_temp.options('{"architecture": "hei", "wide": false}'));
SELECT aread_train('clicks', 'one layer', options => pg_temp.options('{"architecture": "hei", "epochs": 1, "hei_experts": [3], "hei_hidden": [8], "hei_output": [4]}'));
SELECT aread_train('clicks', 'wide', options => '{"architecture": "wide"}');
SELECT cmp_ok(max(mask_updates), '>', 1, 'there are masks to draw') FROM aread.training_log WHERE model = 'shop' AND deployed AND best;

CREATE TABLE pair AS SELECT domain_a AS a, domain_b AS b, overlap FROM aread.mask_overlap WHERE model = 'shop' AND deployed AND layer IS NULL ORDER BY abs(overlap - 0.5), 1, 2 LIMIT 1;
CREATE TABLE pictures AS
SELECT model, theme, what, svg FROM (VALUES ('shop'), ('the "first" <model>')) m(model), (VALUES ('auto'), ('light'), ('dark')) t(theme),
LATERAL (VALUES ('overlap', aread_overlap_svg(model, theme => theme)), ('overlap of layer 2', aread_overlap_svg(model, 2, theme)), ('overlap of layer 3', aread_overlap_svg(model, layer => 3, theme => theme)),
  ('experts', aread_experts_svg(model, 'a<b>&"c''', theme => theme)), ('experts of two', (SELECT aread_experts_svg(model, a, b, theme) FROM pair)),
  ('training', aread_training_svg(model, theme)), ('domains', aread_domains_svg(model, theme))) p(what, svg);

-- documents
CREATE FUNCTION pg_temp.is_document(svg text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM xmlparse(DOCUMENT svg);
  RETURN true;
EXCEPTION WHEN invalid_xml_document THEN
  RETURN false;
END $$;
SELECT ok(NOT pg_temp.is_document('<svg><g></svg>'), 'a broken document would be noticed');
SELECT ok(bool_and(pg_temp.is_document(svg)), 'well-formed: ' || what) FROM pictures GROUP BY what;
SELECT is(count(*), 0::bigint, 'all is ASCII') FROM pictures WHERE svg ~ '[^\x01-\x7f]';
CREATE FUNCTION pg_temp.all_of(svg text, path text) RETURNS xml[] LANGUAGE sql AS $$
  SELECT xpath(path, svg::xml, ARRAY[ARRAY['s', 'http://www.w3.org/2000/svg']]) $$;
CREATE FUNCTION pg_temp.number_of(svg text, path text) RETURNS bigint LANGUAGE sql AS $$ SELECT cardinality(pg_temp.all_of(svg, path)) $$;
SELECT is(count(*), 0::bigint, 'a root with role, name and description')
FROM pictures WHERE pg_temp.number_of(svg, '/s:svg[@role = "img"][@viewBox][string(s:title)][string(s:desc)]') <> 1;
SELECT is((pg_temp.all_of(svg, '/s:svg/s:title/text()'))[1]::text, 'Training: the "first" &lt;model&gt;, version 1', 'the model''s name')
FROM pictures WHERE model <> 'shop' AND theme = 'auto' AND what = 'training';
SELECT is(count(*), 0::bigint, 'the deployed version') FROM pictures WHERE model = 'shop' AND svg NOT LIKE '%<title>%: shop, version 2%</title>%';

-- themes
SELECT is(count(*), 0::bigint, 'only auto asks the viewer') FROM pictures WHERE (svg LIKE '%prefers-color-scheme:dark%') <> (theme = 'auto');
SELECT is(count(DISTINCT substring(svg, '\.paper\{fill:(#\w+)')), 2::bigint, 'light and dark paper') FROM pictures;
SELECT is(count(DISTINCT substring(svg, '<rect class="paper".*')), 1::bigint, 'but for colours they are alike: ' || what) FROM pictures WHERE model = 'shop' GROUP BY what;

-- overlap: a cell for each pair of domains, with the view's number; XML has no place for \x01
CREATE FUNCTION pg_temp.shown(name text) RETURNS text LANGUAGE sql AS $$ SELECT CASE name WHEN '' THEN '""' ELSE translate(name, E'\x01', U&'\FFFD') END $$;
CREATE TABLE cells AS
SELECT p.what, x.* FROM pictures p, XMLTABLE(XMLNAMESPACES('http://www.w3.org/2000/svg' AS s), '//s:g[@class = "cells"]/s:rect' PASSING (p.svg::xml)
  COLUMNS title text PATH 's:title', class text PATH '@class', x float8 PATH '@x', y float8 PATH '@y') x
WHERE model = 'shop' AND theme = 'auto' AND what LIKE 'overlap%';
SELECT is(count(*), 64::bigint, 'a cell for each pair: ' || what) FROM cells GROUP BY what;
SELECT is(count(DISTINCT (x, y)), 64::bigint, 'each in a place of its own: ' || what) FROM cells GROUP BY what;
SELECT is(count(*), 8::bigint, 'the diagonal: ' || what) FROM cells WHERE class = 'self' GROUP BY what;
SELECT bag_eq($$SELECT what, title FROM cells WHERE class <> 'self'$$, $$
  SELECT CASE WHEN layer IS NULL THEN 'overlap' ELSE 'overlap of layer ' || layer END, pg_temp.shown(a) || ' / ' || pg_temp.shown(b) || ': ' || to_char(overlap, 'FM0.00')
  FROM aread.mask_overlap, LATERAL (VALUES (domain_a, domain_b), (domain_b, domain_a)) v(a, b) WHERE model = 'shop' AND deployed$$, 'numbers of the view');
SELECT is(count(*), 0::bigint, 'colours follow numbers') FROM cells WHERE class <> 'self' AND class <> 'k' || round(substring(title, '[0-9.]+$')::numeric * 20)
  AND abs(substring(class, 2)::int / 20.0 - substring(title, '[0-9.]+$')::numeric) > 0.031;
SELECT cmp_ok(count(*), '>', 0::bigint, 'long names are cut') FROM pictures WHERE what = 'overlap' AND svg LIKE '%>a very long name &#38; more%&#8230;</text>%';

-- experts: an edge for each open gate, as wide as its weight says
CREATE TABLE edges AS
SELECT p.what, x.* FROM pictures p, XMLTABLE(XMLNAMESPACES('http://www.w3.org/2000/svg' AS s), '//s:g[@class = "edges"]/s:path' PASSING (p.svg::xml)
  COLUMNS title text PATH 's:title', class text PATH '@class', width float8 PATH '@stroke-width', opacity float8 PATH '@stroke-opacity') x
WHERE model = 'shop' AND theme = 'auto' AND what LIKE 'experts%';
SELECT bag_eq($$SELECT substring(title, '(.*): ') AS gate, substring(title, 'weight ([0-9.]+)') AS weight FROM edges WHERE what = 'experts'$$, $$
  SELECT format('expert %s of layer %s feeds expert %s of layer %s', lower_expert, layer - 1, upper_expert, layer), to_char(gate, 'FM0.000')
  FROM aread.mask WHERE model = 'shop' AND deployed AND domain = 'a<b>&"c''' AND open$$, 'an edge for each open gate');
SELECT ok(count(DISTINCT class) = 1 AND bool_and(title NOT LIKE '%domain%'), 'of one domain in one colour') FROM edges WHERE what = 'experts';
SELECT ok(bool_and(abs(width - 0.8 - 5.2 * weight) < 0.01 AND abs(opacity - 0.35 - 0.65 * weight) < 0.01), 'wider and stronger by weight: ' || what)
FROM (SELECT *, substring(title, 'weight ([0-9.]+)')::float8 AS weight FROM edges) e GROUP BY what;
SELECT cmp_ok(count(DISTINCT width), '>', 1::bigint, 'not all alike') FROM edges;
CREATE TABLE gates AS SELECT count(*) FILTER (WHERE a.open AND b.open) AS shared, count(*) FILTER (WHERE a.open <> b.open) AS alone
FROM aread.mask a JOIN aread.mask b USING (model, version, layer, lower_expert, upper_expert)
JOIN pair ON a.domain = pair.a AND b.domain = pair.b
WHERE model = 'shop' AND a.deployed;
SELECT is((SELECT count(*) FILTER (WHERE class = 'line1') || ' ' || count(*) FILTER (WHERE class = 'line2') FROM edges WHERE what = 'experts of two'),
  2 * shared || ' ' || alone, 'of two domains: what they share, and what not') FROM gates;
SELECT cmp_ok(shared * alone, '>', 0::bigint, 'there is some of either') FROM gates;
SELECT matches(svg, format('<desc>Mask overlap ratio %s \(layer 2: [0-9.]+, layer 3: [0-9.]+\)', to_char(overlap, 'FM0.000')), 'and the ratio')
FROM pictures p, pair
WHERE model = 'shop' AND theme = 'auto' AND what = 'experts of two';
SELECT is(pg_temp.number_of(svg, '//s:g[@class = "experts"]/s:circle'), 9::bigint, 'every expert') FROM pictures WHERE model = 'shop' AND theme = 'auto' AND what = 'experts';
SELECT is(pg_temp.number_of(svg, '//s:g[@class = "experts"]/s:circle[@class = "ring"]'), (
  SELECT count(DISTINCT e) FROM aread.mask m, LATERAL (VALUES (layer - 1, lower_expert), (layer, upper_expert)) v(l, e2), LATERAL (SELECT (l, e2)::text) w(e)
  WHERE m.model = 'shop' AND deployed AND domain = 'a<b>&"c''' AND open), 'those in use stand out') FROM pictures WHERE model = 'shop' AND theme = 'auto' AND what = 'experts';
SELECT is(pg_temp.number_of(aread_experts_svg('gates alone', 'domain_06'), '//s:g[@class = "edges"]/s:path'), 18::bigint, 'without masks every gate is open');
CREATE TABLE told AS SELECT aread_experts_svg('told', 'domain_06') AS svg;
SELECT is(pg_temp.number_of(svg, '//s:g[@class = "edges"]/s:path'), count(m.open) FILTER (WHERE m.open), 'masks that scores do not go by are drawn as well')
FROM told, aread.mask m WHERE m.model = 'told' AND m.domain = 'domain_06' GROUP BY svg;
SELECT matches(svg, 'Masks tell which gates matter most: scores leave all gates open\.', 'and the picture says so') FROM told;
SELECT doesnt_match(svg, 'scores leave all gates open', 'as no picture of masked scores does') FROM pictures WHERE what = 'experts' AND theme = 'auto';
SELECT matches(aread_overlap_svg('told'), '<desc>', 'their overlap is drawn, too');

-- training: a point for each measure of each evaluation, a line for each mask update in either plot
SELECT is(pg_temp.number_of(svg, '//s:g[@class = "points"]/s:circle'), (SELECT count(train_loss) + count(valid_loss) + count(auc) + count(domain_auc) FROM aread.training_log WHERE model = 'shop' AND deployed),
  'a point for each measure') FROM pictures WHERE model = 'shop' AND theme = 'auto' AND what = 'training';
SELECT is(pg_temp.number_of(svg, '//s:g[@class = "updates"]/s:line'), (SELECT 2 * count(DISTINCT number) FROM aread.mask_update WHERE model = 'shop' AND deployed), 'a line for each mask update')
FROM pictures WHERE model = 'shop' AND theme = 'auto' AND what = 'training';
SELECT is(pg_temp.number_of(svg, '//s:g[@class = "points"]/s:circle[contains(s:title, "(kept)")]'), 4::bigint, 'what was kept is marked') FROM pictures WHERE model = 'shop' AND theme = 'auto' AND what = 'training';
SELECT ok(svg LIKE format('%%<title>DomainAUC, %s batches: %s (kept)</title>%%', batches, to_char(domain_auc, 'FM0.0000')), 'and it is the last gain')
FROM pictures p, (SELECT * FROM aread.training_log WHERE model = 'shop' AND deployed AND best ORDER BY evaluation DESC LIMIT 1) l WHERE p.model = 'shop' AND theme = 'auto' AND what = 'training';
SELECT is(pg_temp.number_of(aread_training_svg('wide'), '//s:g[@class = "points"]/s:circle'), 3::bigint, 'a model that is all start');

-- domains: a point for each domain with an AUC
CREATE FUNCTION pg_temp.points(model text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT x.* FROM XMLTABLE(XMLNAMESPACES('http://www.w3.org/2000/svg' AS s), '//s:g[@class = "points"]/*' PASSING (aread_domains_svg(model)::xml) COLUMNS title text PATH 's:title') x $$;
SELECT bag_eq($$SELECT pg_temp.points('shop')$$, $$
  SELECT pg_temp.shown(domain) || CASE WHEN minor THEN ' (minor)' WHEN major THEN ' (major)' ELSE '' END || ': AUC ' || to_char(test_auc, 'FM0.0000') || ', ' || rows || ' training rows'
  FROM aread.domain WHERE model = 'shop' AND deployed$$, 'a point for each domain');
SELECT ok(svg LIKE format('%%Dashed: DomainAUC %s.</text>%%', to_char(test_domain_auc, 'FM0.000')), 'and their mean') FROM pictures p, aread.model m
WHERE p.model = 'shop' AND theme = 'auto' AND what = 'domains' AND m.model = 'shop' AND deployed;
CREATE TABLE untested AS SELECT *, CASE WHEN hashint8(user_id * 1000 + item_id) & 3 = 0 THEN 'valid' ELSE 'train' END AS split FROM clicks WHERE domain <> 'domain_08' OR label = 1;
SELECT aread_train('untested', split => 'split', options => '{"architecture": "wide"}');
SELECT bag_eq($$SELECT substring(t, ': AUC ([0-9.]+)') FROM pg_temp.points('untested') t$$,
  $$SELECT to_char(valid_auc, 'FM0.0000') FROM aread.domain WHERE model = 'untested' AND valid_auc IS NOT NULL$$, 'on validation rows where there are no test rows');
SELECT matches(aread_domains_svg('untested'), '>AUC on validation rows<.*', 'which is said');
SELECT matches(aread_domains_svg('untested'), '<desc>[^<]*1 domain without an AUC on validation rows is left out\.', 'and what is left out');

-- more domains than fit
CREATE TABLE many AS SELECT label, 'shop ' || user_id % 210 AS domain, user_id, item_id, category FROM aread_simulate(12000, domains => 4, groups => 2, users => 420, items => 40, strength => 4, skew => 0.5);
SELECT aread_train('many', options => pg_temp.options('{"hei_experts": [2, 3], "hei_hidden": [8, 4], "hei_output": [8, 4], "batch_size": 128, "candidate_steps": 4, "mask_interval": 150, "learning_rate": 0.01, "domain_weights": false}'));
CREATE TABLE large AS SELECT aread_overlap_svg('many') AS svg;
SELECT is(pg_temp.number_of(svg, '//s:g[@class = "cells"]/s:rect'), 40000::bigint, 'at most 200 domains') FROM large;
SELECT matches(svg, '<desc>[^<]*Only the 200 largest of 210 domains', 'which is said') FROM large;
SELECT is(count(*), 0::bigint, 'and they are the largest') FROM large, (SELECT domain FROM aread.domain WHERE model = 'many' AND rows > (SELECT rows FROM aread.domain WHERE model = 'many' ORDER BY rows DESC OFFSET 200 LIMIT 1)) d
WHERE svg NOT LIKE '%<title>' || domain || ': 1.00</title>%';

-- in a parallel worker
CREATE TABLE asked AS SELECT 'shop' AS model;
SELECT count(set_config(name, 'on', true)) FROM pg_settings WHERE name IN ('debug_parallel_query', 'force_parallel_mode') \g /dev/null
CREATE TABLE parallel AS SELECT aread_overlap_svg(model) AS svg, aread_experts_svg(model, 'domain_06') AS experts FROM asked;
SELECT count(set_config(name, 'off', true)) FROM pg_settings WHERE name IN ('debug_parallel_query', 'force_parallel_mode') \g /dev/null
SELECT is(a.svg, b.svg, 'a worker draws the same') FROM parallel a, pictures b WHERE model = 'shop' AND theme = 'auto' AND what = 'overlap';

-- errors, and NULL
CREATE FUNCTION pg_temp.complaint(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; hint text; state text;
BEGIN
  EXECUTE 'SELECT ' || call;
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT, state = RETURNED_SQLSTATE;
  RETURN concat_ws(' | ', state, message, hint);
END $$;
-- of models: auto is none
CREATE FUNCTION pg_temp.using(name text) RETURNS text LANGUAGE sql AS $$SELECT regexp_replace(array_to_string(array_remove(architectures, 'auto'), ', '), ', (\w+)$', ' or \1') FROM aread_options() WHERE option = name$$;
SELECT is(pg_temp.complaint(call), wanted, call) FROM (VALUES
  ($$aread_overlap_svg('shopp')$$, '42704 | model "shopp" does not exist | Perhaps you mean the model "shop".'),
  ($$aread_training_svg('nothing like it')$$, '42704 | model "nothing like it" does not exist | Train it with aread_train; the view aread.model lists the models that you can use.'),
  ($$aread_experts_svg('shop', 'domain_6')$$, '42704 | model "shop" has no domain "domain_6" | Perhaps you mean the domain "domain_06".'),
  ($$aread_experts_svg('shop', 'domain_06', 'nobody knows')$$, '42704 | model "shop" has no domain "nobody knows" | The view aread.domain lists the domains of each model.'),
  ($$aread_domains_svg('shop', 'pink')$$, '22023 | theme "pink" does not exist | Themes are auto, light and dark.'),
  ($$aread_overlap_svg('shop', 1)$$, '22023 | model "shop" has no gates into layer 1 | Layers with gates are 2 to 3; NULL is all of them together.'),
  ($$aread_overlap_svg('shop', 4)$$, '22023 | model "shop" has no gates into layer 4 | Layers with gates are 2 to 3; NULL is all of them together.'),
  ($$aread_overlap_svg('wide')$$, '55000 | model "wide" has no gates between experts | Train it with option architecture ' || pg_temp.using('hei_hidden') || ', and two layers in hei_experts or more.'),
  ($$aread_overlap_svg('one layer')$$, '55000 | model "one layer" has no gates between experts | Train it with option architecture ' || pg_temp.using('hei_hidden') || ', and two layers in hei_experts or more.'),
  ($$aread_experts_svg('wide', 'domain_06')$$, '55000 | model "wide" has no gates between experts | Train it with option architecture ' || pg_temp.using('hei_hidden') || ', and two layers in hei_experts or more.'),
  ($$aread_overlap_svg('gates alone')$$, '55000 | model "gates alone" has no masks to compare | Masks come with option architecture ' || pg_temp.using('target_density') || '; a model that was kept at its start, or before its first mask update, has none.')) c(call, wanted);
SELECT ok(aread_overlap_svg(NULL) IS NULL AND aread_overlap_svg('shop', theme => NULL) IS NULL AND aread_experts_svg('shop', NULL) IS NULL AND aread_experts_svg(NULL, 'a') IS NULL AND
  aread_experts_svg('shop', 'domain_06', theme => NULL) IS NULL AND aread_training_svg(NULL) IS NULL AND aread_domains_svg('shop', NULL) IS NULL, 'NULL for NULL');

-- rights; and nothing that callers put into their search_path is used
CREATE ROLE pictures_reader;
CREATE SCHEMA trap;
CREATE FUNCTION trap.equal(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.equal);
CREATE FUNCTION trap.array_agg(boolean) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
SET LOCAL search_path = trap, pg_catalog, public;
CREATE TABLE public.trapped AS SELECT aread_overlap_svg('shop') AS overlap, aread_experts_svg('shop', 'domain_06') AS experts, aread_training_svg('shop') AS training, aread_domains_svg('shop') AS domains;
RESET search_path;
SELECT ok(t.overlap = p.svg AND t.experts = a.experts, 'the search_path changes nothing') FROM trapped t, parallel a, pictures p WHERE p.model = 'shop' AND p.theme = 'auto' AND p.what = 'overlap';
SET ROLE pictures_reader;
CREATE TEMP TABLE refused AS SELECT call, pg_temp.complaint(call) AS complaint FROM (VALUES ($$aread_overlap_svg('shop')$$), ($$aread_experts_svg('shop', 'domain_06')$$), ($$aread_training_svg('shop')$$), ($$aread_domains_svg('shop')$$)) c(call);
RESET ROLE;
SELECT is(complaint, '42501 | permission denied for model "shop" | Its owner can grant you to score with it, or to have scores explained: aread_grant. All else is for members of the owning role.', 'not for others: ' || call) FROM refused;

-- a row that others could write is checked before anything is drawn
UPDATE aread.stored_version SET config = config || '{"hei_experts": [1073741825, 4]}';
SELECT is(pg_temp.complaint(call), 'XX001 | stored version is corrupt | Restore the model from a backup, or train it again.', 'numbers of experts: ' || call)
FROM (VALUES ($$aread_overlap_svg('shop')$$), ($$aread_experts_svg('shop', 'domain_06')$$)) c(call);

SELECT * FROM finish();
ROLLBACK;
