-- Interactions shaped like AliCCP: 23 columns beside label and split, some 770,000
-- values in training rows, 30 domains of which the largest has 60 % of the rows.
CREATE FUNCTION hashed(value bigint, salt int, n int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT ((hashint8extended(value, salt) & 9007199254740991) % n)::int $$;
CREATE TABLE clicks AS
SELECT s.label, s.domain, s.user_id, s.item_id, s.age_band, s.category,
  hashed(user_id, 1, 97) AS u1, hashed(user_id, 2, 13) AS u2, hashed(user_id, 3, 3) AS u3, hashed(user_id, 4, 7) AS u4,
  hashed(user_id, 5, 4) AS u5, hashed(user_id, 6, 4) AS u6, hashed(user_id, 7, 3) AS u7, hashed(user_id, 8, 5) AS u8,
  hashed(item_id, 9, 9000) AS i1, hashed(item_id, 10, 60000) AS i2, hashed(item_id, 11, 45000) AS i3,
  hashed(item_id, 12, 80) AS i4, hashed(sequence, 13, 30) AS c1, hashed(sequence, 14, 24) AS c2,
  hashed(user_id * 1000 + category, 15, 120000) AS x1, hashed(user_id, 16, 70000) AS x2,
  hashed(item_id * 100 + age_band, 17, 100000) AS x3, hashed(category * 1000 + age_band, 18, 5000) AS x4,
  CASE WHEN sequence % 10 < 8 THEN 'train' WHEN sequence % 10 = 8 THEN 'valid' ELSE 'test' END AS split
FROM aread_simulate(:rows, domains => 30, groups => 3, users => :rows * 12 / 25, items => :rows * 43 / 50, skew => 1.9, strength => 3) s;
VACUUM ANALYZE clicks;
