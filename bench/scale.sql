-- Interactions of the size of the paper's Amazon data: table reviews_ROWS with 25 domains and 14 features, two of them lists.
-- Shares of domains fall by a sixth from one to the next, users and items are drawn with a long tail; an item's columns follow from the item, a user's from the user.
CREATE OR REPLACE FUNCTION hashed(value bigint, salt int) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT hashint8extended(value, salt) & 9007199254740991 $$;
CREATE OR REPLACE FUNCTION long_tail(value bigint, salt int, n int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT (n * (hashed(value, salt) / 9007199254740992.0::float8) ^ 2)::int $$;
SELECT format('reviews_%s', :rows) AS name \gset
CREATE UNLOGGED TABLE :name AS
SELECT (hashed(i, 21) / 9007199254740992.0::float8 < 1 / (1 + exp(1.2 - 0.9 * quality - taste)))::int AS label,
  'domain_' || lpad(domain::text, 2, '0') AS domain,
  user_id, item AS item_id, (hashed(item, 2) % 60000)::int AS brand, (hashed(item, 3) % 500)::int AS category,
  (hashed(item, 4) % 150000)::int AS seller, exp((hashed(item, 5) % 1000) / 200.0::float8) AS price,
  (hashed(user_id, 6) % 8)::int AS age_band, (hashed(user_id, 7) % 40)::int AS country, (hashed(user_id, 8) % 1000)::int AS segment,
  (hashed(i, 9) % 24)::int AS hour, (hashed(i, 10) % 7)::int AS weekday,
  (ARRAY[long_tail(user_id, 31, :items), long_tail(user_id, 32, :items), long_tail(user_id, 33, :items), long_tail(user_id, 34, :items),
    long_tail(user_id, 35, :items), long_tail(user_id, 36, :items), long_tail(user_id, 37, :items), long_tail(user_id, 38, :items)])[1:1 + hashed(user_id, 39) % 8] AS recent_items,
  (ARRAY[hashed(item, 41) % 5000, hashed(item, 42) % 5000, hashed(item, 43) % 5000, hashed(item, 44) % 5000]::int[])[1:1 + hashed(item, 45) % 4] AS tags,
  CASE WHEN i % 10 < 8 THEN 'train' WHEN i % 10 = 8 THEN 'valid' ELSE 'test' END AS split
FROM (SELECT i, user_id, item, (hashed(item, 11) % 1000) / 500.0 - 1 AS quality,
        -- likes what is like him, in every other domain the other way round
        CASE WHEN domain % 2 = 0 THEN 1 ELSE -1 END * (bit_count((hashed(user_id, 12) # hashed(item, 12))::bit(6)) - 3) * 0.5 AS taste, domain
      FROM (SELECT *, least(24, floor(ln(1 - (1 - (5.0 / 6) ^ 25) * hashed(item, 1) / 9007199254740992.0::float8) / ln(5.0 / 6)))::int AS domain
            FROM (SELECT i, long_tail(i, 13, :users) AS user_id, long_tail(i, 14, :items) AS item FROM generate_series(1, :rows) i) ids) d) x;
ANALYZE :name;
