-- What bench/accuracy runs: a table of arms, and the procedure that runs one.

CREATE TABLE arm (
  position int PRIMARY KEY,
  name text UNIQUE,
  options jsonb,
  seeded boolean,               -- does the seed change anything?
  by_domain boolean             -- a model for each domain, of its rows alone?
);
INSERT INTO arm VALUES
  (1, 'logistic regression', '{"architecture": "wide", "l2_wide": 1, "domain_weights": false, "row_counts": false}', false, false),
  (2, 'one model per domain', '{"architecture": "mmoe", "trees": 0}', true, true),
  (3, 'wide, no domain weights', '{"architecture": "wide", "domain_weights": false}', false, false),
  (4, 'wide', '{"architecture": "wide"}', false, false),
  (5, 'MMoE, no domain weights', '{"architecture": "mmoe", "domain_weights": false, "trees": 0}', true, false),
  (6, 'MMoE', '{"architecture": "mmoe", "trees": 0}', true, false),
  (7, 'HEI', '{"architecture": "hei", "trees": 0}', true, false),
  (8, 'HEMP', '{"architecture": "hemp", "trees": 0}', true, false),
  (9, 'AREAD', '{"architecture": "aread", "trees": 0}', true, false),
  (10, 'wide and trees', '{"architecture": "trees"}', true, false),
  (11, 'default', '{}', true, false);

-- Train an arm on a relation's training rows; scores of the others go to table score of the session.
CREATE PROCEDURE run_model(relation regclass, model text, arm int, seed int, INOUT seconds float8 DEFAULT 0) LANGUAGE plpgsql AS $$
BEGIN
  SELECT t.seconds INTO run_model.seconds
  FROM aread_train(relation, model, options => (SELECT a.options || jsonb_build_object('seed', run_model.seed) FROM arm a WHERE a.position = run_model.arm),
    features => (SELECT array_agg(attname) FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped
                 AND attname NOT IN ('label', 'split', 'row_number'))) t;
  EXECUTE format($q$
    INSERT INTO score SELECT row_number, aread_predict(%L, d, domain) FROM %s d WHERE split <> 'train'
  $q$, model, relation);
  PERFORM aread_drop(model);
END $$;

-- A model for each domain; one whose training rows are all alike scores their share.
CREATE PROCEDURE run_domains(data text, model text, arm int, seed int, INOUT seconds float8 DEFAULT 0) LANGUAGE plpgsql AS $$
DECLARE
  name text;
  part text := model || '_part';
  one float8;
  share float8;
BEGIN
  FOR name IN EXECUTE format('SELECT DISTINCT domain FROM %I', data) LOOP
    EXECUTE format('CREATE TABLE %I AS SELECT * FROM %I WHERE domain = %L', part, data, name);
    EXECUTE format($q$SELECT avg(label) FROM %I WHERE split = 'train'$q$, part) INTO share;
    IF share > 0 AND share < 1 THEN
      CALL run_model(part::regclass, model, arm, seed, one);
      seconds := seconds + one;
    ELSE
      EXECUTE format($q$
        INSERT INTO score SELECT row_number, %s FROM %I WHERE split <> 'train'
      $q$, coalesce(share, 0.5), part);
    END IF;
    EXECUTE format('DROP TABLE %I', part);
  END LOOP;
END $$;

CREATE PROCEDURE run_arm(data text, arm int, seed int, INOUT seconds float8 DEFAULT 0) LANGUAGE plpgsql AS $$
DECLARE
  model text := format('%s_%s_%s', data, arm, seed);
BEGIN
  IF (SELECT by_domain FROM arm a WHERE a.position = run_arm.arm) THEN
    CALL run_domains(data, model, arm, seed, seconds);
  ELSE
    CALL run_model(data::regclass, model, arm, seed, seconds);
  END IF;
END $$;
