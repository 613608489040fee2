-- The main job, from a table of interactions to ranked candidates.
--
--   psql -v pictures=DIRECTORY -f demo.sql
--
-- It makes a database of its own, aread_demo, anew each time; that stays to be looked at.
-- The pictures are left out where no directory is named.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS aread_demo WITH (FORCE);
CREATE DATABASE aread_demo;
\connect aread_demo
\set ECHO queries
\pset footer off
SET client_min_messages = notice;

CREATE EXTENSION aread;

-- 60,000 interactions in 18 domains of uneven size; the domains belong to three
-- hidden groups that weigh users' tastes alike
CREATE TABLE interactions AS
  SELECT * FROM aread_simulate(60000, domains => 18, groups => 3, users => 300, items => 200, strength => 3);

-- which columns play which part, kept once
SELECT aread_register('interactions', features => '{domain,user_id,item_id,age_band,category,price}');

-- train: a small network here, so that this takes a minute
SELECT version, train_rows, test_rows, round(auc::numeric, 3) AS auc, round(domain_auc::numeric, 3) AS domain_auc, epochs
FROM aread_train('interactions', options => '{"architecture": "aread", "mmoe_dims": [64, 32], "batch_size": 512, "epochs": 12}');

-- the yardstick: logistic regression on the same columns
SELECT round(auc::numeric, 3) AS auc, round(domain_auc::numeric, 3) AS domain_auc
FROM aread_train('interactions', 'baseline', options => '{"architecture": "wide", "l2_wide": 1, "domain_weights": false, "row_counts": false}');

-- score: rank candidates for user 7 in a small domain, inside any query
CREATE VIEW candidate AS
  SELECT DISTINCT ON (item_id) 7 AS user_id, item_id, category, price,
    (SELECT age_band FROM interactions WHERE user_id = 7 LIMIT 1) AS age_band
  FROM interactions ORDER BY item_id, sequence;

SELECT item_id, round(aread_predict('interactions', c, 'domain_11')::numeric, 3) AS score
FROM candidate c ORDER BY score DESC LIMIT 5;

-- recommend: items that the users have not taken yet, each user's own
SELECT user_id, string_agg(item_id || ' (' || round(score::numeric, 2) || ')', ', ' ORDER BY rank) AS items
FROM aread_recommend('interactions', '{7,8}', 5, 'domain_11', context => '{"price": 8}') GROUP BY user_id;

-- analyse: how each domain is served
SELECT domain, rows, minor, augmented_rows, round(test_auc::numeric, 3) AS test_auc
FROM aread.domain WHERE model = 'interactions' ORDER BY rows DESC;

-- and whether domains of one hidden group share more of the network
WITH hidden AS (SELECT DISTINCT domain, planted_group FROM interactions)
SELECT CASE WHEN a.planted_group = b.planted_group THEN 'same group' ELSE 'different groups' END AS domains,
       round(avg(o.overlap)::numeric, 3) AS mask_overlap
FROM aread.mask_overlap o
JOIN hidden a ON a.domain = o.domain_a
JOIN hidden b ON b.domain = o.domain_b
WHERE o.model = 'interactions' AND o.layer IS NULL
GROUP BY 1 ORDER BY 2 DESC;

-- the domains most like the small one, against what chance would give
SELECT similar_domain, rows, round(overlap::numeric, 3) AS overlap, round(by_chance::numeric, 3) AS by_chance
FROM aread_similar_domains('interactions', 'domain_11') LIMIT 5;

-- why the best candidate scores as it does: effects in logits
SELECT part, feature, value, round(coalesce(effect, logit)::numeric, 2) AS logits, round(probability::numeric, 3) AS probability
FROM candidate c, aread_explain('interactions', c, 'domain_11')
WHERE item_id = 10 AND part IN ('score', 'feature') ORDER BY part DESC, abs(effect) DESC;

\if :{?pictures}
-- pictures, complete SVG documents
\pset format unaligned
\pset tuples_only on
\o :pictures/overlap.svg
SELECT aread_overlap_svg('interactions');
\o :pictures/experts.svg
SELECT aread_experts_svg('interactions', 'domain_11', 'domain_01');
\o :pictures/domains.svg
SELECT aread_domains_svg('interactions');
\o :pictures/training.svg
SELECT aread_training_svg('interactions');
\o
\endif
