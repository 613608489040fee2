-- What bench/accuracy measures with: tables of arms, scores and results.

CREATE TABLE arm (
  position int PRIMARY KEY,
  name text UNIQUE,
  options jsonb,
  seeded boolean,               -- does the seed change anything?
  by_domain boolean             -- a model for each domain, of its rows alone?
);
INSERT INTO arm VALUES
  (1, 'logistic regression', '{"architecture": "wide", "l2_wide": 1, "domain_weights": false, "row_counts": false}', false, false),
  (2, 'one model per domain', '{"architecture": "mmoe"}', true, true),
  (3, 'wide', '{"architecture": "wide", "domain_weights": false}', false, false),
  (4, '+ FM', '{"architecture": "fm", "domain_weights": false, "l2_embedding": 10, "learning_rate": 0.003}', true, false),
  (5, 'MMoE', '{"architecture": "mmoe", "domain_weights": false}', true, false),
  (6, 'MMoE, small steps', '{"architecture": "mmoe", "domain_weights": false, "l2_embedding": 100, "learning_rate": 0.001}', true, false),
  (7, 'wide + domain weights', '{"architecture": "wide"}', false, false),
  (8, 'MMoE + domain weights', '{"architecture": "mmoe"}', true, false),
  (9, '+ HEI', '{"architecture": "hei"}', true, false),
  (10, '+ HEMP', '{"architecture": "hemp"}', true, false),
  (11, '+ augmentation', '{"architecture": "aread"}', true, false),
  (12, 'HEMP, full search', '{"architecture": "hemp", "mask_search": "full"}', true, false);

CREATE TABLE result (
  data text,
  arm int REFERENCES arm,
  seed int,
  auc float8,
  domain_auc float8,
  major5_auc float8,
  minor10_auc float8,
  minor5_auc float8,
  log_loss float8,
  calibration_error float8,
  seconds float8,
  PRIMARY KEY (data, arm, seed)
);
CREATE TABLE score (
  data text,
  arm int,
  seed int,
  row int,                      -- the same test row has the same number in every arm
  domain text,
  label int,
  p float8
);

-- Train an arm on a relation's training rows; keep the scores of its test rows.
CREATE PROCEDURE run_model(relation regclass, data text, arm int, seed int, INOUT seconds float8 DEFAULT 0) LANGUAGE plpgsql AS $$
DECLARE
  model text := format('%s_%s_%s', data, arm, seed);
BEGIN
  SELECT t.seconds INTO run_model.seconds
  FROM aread_train(relation, model, options => (SELECT a.options || format('{"seed": %s}', seed)::jsonb FROM arm a WHERE a.position = $3),
    features => (SELECT array_agg(attname) FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped
                 AND attname NOT IN ('label', 'split', 'row_number'))) t;
  EXECUTE format($q$
    INSERT INTO score SELECT %L, %s, %s, row_number, domain, label, aread_predict(%L, d, domain) FROM %s d WHERE split = 'test'
  $q$, data, arm, seed, model, relation);
  PERFORM aread_drop(model);
END $$;

-- A model for each domain; one whose training rows are all alike scores their share.
CREATE PROCEDURE run_domains(data text, arm int, seed int, INOUT seconds float8 DEFAULT 0) LANGUAGE plpgsql AS $$
DECLARE
  name text;
  part text := format('%s_%s_%s_part', data, arm, seed);
  one float8;
  share float8;
BEGIN
  FOR name IN EXECUTE format('SELECT DISTINCT domain FROM %I', data) LOOP
    EXECUTE format('CREATE TABLE %I AS SELECT * FROM %I WHERE domain = %L', part, data, name);
    EXECUTE format($q$SELECT avg(label) FROM %I WHERE split = 'train'$q$, part) INTO share;
    IF share > 0 AND share < 1 THEN
      CALL run_model(part::regclass, data, arm, seed, one);
      seconds := seconds + one;
    ELSE
      EXECUTE format($q$
        INSERT INTO score SELECT %L, %s, %s, row_number, domain, label, %s FROM %I WHERE split = 'test'
      $q$, data, arm, seed, coalesce(share, 0.5), part);
    END IF;
    EXECUTE format('DROP TABLE %I', part);
  END LOOP;
END $$;

CREATE PROCEDURE run_arm(data text, arm int, seed int) LANGUAGE plpgsql AS $$
DECLARE
  seconds float8 := 0;
BEGIN
  IF (SELECT by_domain FROM arm a WHERE a.position = $2) THEN
    CALL run_domains(data, arm, seed, seconds);
  ELSE
    CALL run_model(data::regclass, data, arm, seed, seconds);
  END IF;
  INSERT INTO result SELECT data, arm, seed, m.*, calibration_error(data, arm, seed), seconds FROM measures(data, arm, seed) m;
END $$;

-- Measures of one run's scores; domains are ranked by their test rows, those of one class left out.
CREATE FUNCTION measures(data text, arm int, seed int, OUT auc float8, OUT domain_auc float8, OUT major5_auc float8,
                         OUT minor10_auc float8, OUT minor5_auc float8, OUT log_loss float8) LANGUAGE sql AS $$
  WITH run AS (
    SELECT * FROM score s WHERE (s.data, s.arm, s.seed) = ($1, $2, $3)
  ), size AS (
    SELECT domain, row_number() OVER w AS place, row_number() OVER (ORDER BY count(*) DESC, domain DESC) AS from_largest
    FROM run GROUP BY domain HAVING min(label) < max(label) WINDOW w AS (ORDER BY count(*), domain)
  )
  SELECT aread_auc(p, label), aread_domain_auc(p, label, domain),
    aread_domain_auc(p, label, domain) FILTER (WHERE from_largest <= 5),
    aread_domain_auc(p, label, domain) FILTER (WHERE place <= 10),
    aread_domain_auc(p, label, domain) FILTER (WHERE place <= 5),
    aread_log_loss(p, label)
  FROM run LEFT JOIN size USING (domain)
$$;

-- Rows in twenty bins of equal count: mean distance of mean score and positive rate.
CREATE FUNCTION calibration_error(data text, arm int, seed int) RETURNS float8 LANGUAGE sql AS $$
  SELECT sum(b.rows * abs(b.mean_score - b.positive_rate)) / sum(b.rows)
  FROM unnest((SELECT aread_calibration(p, label, 20) FROM score s WHERE (s.data, s.arm, s.seed) = ($1, $2, $3))) b
$$;

-- DomainAUC and Minor10AUC of one arm, mean over seeds: of all rows once in
-- replicate 0, else of each row as often as a Poisson(1) count says that all arms share.
CREATE TABLE replicate (
  data text,
  arm int,
  number int,
  domain_auc float8,
  minor10_auc float8
);
CREATE PROCEDURE bootstrap(data text, arm int, replicates int) LANGUAGE plpgsql AS $$
BEGIN
  FOR number IN 0 .. replicates LOOP
    INSERT INTO replicate
    WITH size AS (
      SELECT domain, row_number() OVER (ORDER BY count(*), domain) AS place
      FROM score s WHERE (s.data, s.arm, s.seed) = ($1, $2, 1) GROUP BY domain HAVING min(label) < max(label)
    ), drawn AS (
      SELECT s.seed, s.domain, s.label, s.p FROM score s, generate_series(1, CASE WHEN number = 0 THEN 1 ELSE
        width_bucket((hashint8extended(s.row, number) & 1073741823) / 1073741824.0::float8,
                     '{0.36787944,0.73575888,0.91969860,0.98101184,0.99634015,0.99940582}'::float8[]) END)
      WHERE (s.data, s.arm) = ($1, $2)
    ), by_seed AS (
      SELECT seed, aread_domain_auc(p, label, domain) AS domain_auc,
        aread_domain_auc(p, label, domain) FILTER (WHERE place <= 10) AS minor10_auc
      FROM drawn JOIN size USING (domain) GROUP BY seed
    )
    SELECT $1, $2, number, avg(b.domain_auc), avg(b.minor10_auc) FROM by_seed b;
    COMMIT;
  END LOOP;
END $$;

CREATE FUNCTION domain_aucs(data text, OUT domain text, OUT arm int, OUT rows bigint, OUT auc float8)
RETURNS SETOF record LANGUAGE sql AS $$
  WITH by_seed AS (
    SELECT s.arm, s.domain, s.seed, count(*) AS rows, aread_auc(s.p, s.label) AS auc
    FROM score s WHERE s.data = $1 GROUP BY 1, 2, 3
  )
  SELECT b.domain, b.arm, max(b.rows), avg(b.auc)::float8 FROM by_seed b GROUP BY 1, 2
$$;

-- Differences of two arms, and the middle 95 % of their bootstrap.
CREATE FUNCTION differences(data text, a int, b int, OUT measure text, OUT gain float8, OUT low float8, OUT high float8)
RETURNS SETOF record LANGUAGE sql AS $$
  WITH difference AS (
    SELECT number, x.domain_auc - y.domain_auc AS domain_auc, x.minor10_auc - y.minor10_auc AS minor10_auc
    FROM replicate x JOIN replicate y USING (data, number)
    WHERE data = $1 AND x.arm = $2 AND y.arm = $3
  )
  SELECT m.name, max(m.d) FILTER (WHERE number = 0),
    percentile_cont(0.025) WITHIN GROUP (ORDER BY m.d) FILTER (WHERE number > 0),
    percentile_cont(0.975) WITHIN GROUP (ORDER BY m.d) FILTER (WHERE number > 0)
  FROM difference, LATERAL (VALUES ('DomainAUC', domain_auc), ('Minor10AUC', minor10_auc)) m(name, d)
  GROUP BY m.name ORDER BY m.name
$$;
