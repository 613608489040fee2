-- What the extension consists of, and that all of it is explained.
BEGIN;
SELECT no_plan();

SELECT has_schema('aread');
SELECT has_extension('aread');
SELECT set_eq(
  $$SELECT p.proname::text FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid
    WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
      AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'aread')$$,
  ARRAY['aread_architectures', 'aread_auc', 'aread_augment', 'aread_augment_plan', 'aread_cache_clear', 'aread_calibration', 'aread_cancel', 'aread_card', 'aread_comment', 'aread_compare', 'aread_compare_domains', 'aread_deploy', 'aread_drop_version', 'aread_grant', 'aread_rename',
        'aread_revoke', 'aread_rollback', 'aread_set_owner', 'aread_domain_auc', 'aread_domain_weights', 'aread_domains_svg',
        'aread_drift', 'aread_drop', 'aread_encodings', 'aread_evaluate', 'aread_evaluate_domains', 'aread_evaluate_ranking', 'aread_expert_usage', 'aread_experts_svg', 'aread_explain', 'aread_export', 'aread_forget', 'aread_import', 'aread_mend_roles',
        'aread_grouped_auc', 'aread_log_loss', 'aread_ndcg', 'aread_options', 'aread_overlap_svg', 'aread_pin', 'aread_popularity', 'aread_predict',
        'aread_recall', 'aread_precision', 'aread_hit_rate', 'aread_average_precision', 'aread_reciprocal_rank', 'aread_coverage', 'aread_personalization', 'aread_novelty', 'aread_recommend', 'aread_recommend_all', 'aread_register', 'aread_resume', 'aread_retrieval_vectors', 'aread_shift', 'aread_similar_domains', 'aread_similar_items', 'aread_similar_users', 'aread_simulate', 'aread_split', 'aread_tensor', 'aread_tensors', 'aread_train', 'aread_train_start',
        'aread_training_svg', 'aread_unregister', 'aread_vector_text', 'aread_vectors', 'aread_wait', 'auc_add', 'auc_result', 'cached_versions', 'calibration_add',
        'calibration_result', 'grouped_auc_add', 'grouped_auc_combine', 'grouped_auc_result', 'log_loss_add', 'log_loss_combine', 'log_loss_result',
        'as_role', 'find_role', 'has_role', 'mask_experts', 'mask_fates', 'mask_gates', 'mask_overlaps', 'ndcg_add', 'ndcg_result', 'precision_result', 'hit_rate_result', 'average_precision_result', 'average_precision_all_result', 'reciprocal_rank_result', 'coverage_add', 'coverage_result', 'personalization_add', 'personalization_result', 'novelty_add', 'predict_support', 'recall_add', 'recall_result', 'role_name', 'role_oid', 'run_state', 'scores_combine', 'stored_role_in', 'stored_role_out', 'stored_role_recv', 'stored_role_send', 'trainings'],
  'functions');
SELECT views_are('aread', ARRAY['source', 'model', 'visible_version', 'usable_version', 'feature', 'domain', 'mask', 'mask_overlap', 'expert_usage', 'mask_update',
  'mask_history', 'training_log', 'ranking', 'cache', 'run', 'known_run', 'deployment']);
SELECT tables_are('aread', ARRAY['stored_source', 'stored_model', 'stored_grant', 'stored_deployment', 'stored_version', 'stored_feature', 'stored_domain', 'stored_chunk', 'stored_evaluation', 'stored_mask_update', 'stored_run', 'stored_checkpoint']);

SELECT has_function('public', 'aread_train', ARRAY['regclass', 'text', 'text', 'text', 'text[]', 'text', 'text', 'text', 'jsonb', 'text']);
SELECT has_function('public', 'aread_drop', ARRAY['text', 'boolean']);
SELECT has_function('public', 'aread_register', ARRAY['regclass', 'text', 'text', 'text', 'text', 'text[]', 'text', 'text']);
SELECT has_function('public', 'aread_unregister', ARRAY['regclass']);
SELECT has_function('public', f, '{}'::name[]) FROM unnest('{aread_options,aread_architectures}'::name[]) f;
SELECT has_function('public', 'aread_simulate', ARRAY['bigint', 'integer', 'integer', 'integer', 'integer', 'float8', 'float8', 'float8', 'bigint']);
SELECT has_function('public', 'aread_augment', ARRAY['anyelement', 'text', 'text', 'text', 'text', 'text', 'text[]', 'jsonb']);
SELECT has_function('public', f, ARRAY['regclass', 'text', 'text', 'text', 'text', 'text', 'text[]', 'jsonb']) FROM unnest('{aread_popularity,aread_augment_plan}'::name[]) f;
SELECT has_function('public', 'aread_evaluate', ARRAY['text', 'regclass']);
SELECT has_function('public', 'aread_evaluate_domains', ARRAY['text', 'regclass']);
SELECT has_function('public', 'aread_evaluate_ranking', ARRAY['text', 'regclass', 'text', 'integer', 'bigint']);
SELECT has_function('public', 'aread_predict', ARRAY['text', f, d]::name[])
FROM unnest(ARRAY['record', 'jsonb', 'json', 'text']) f, unnest(ARRAY['text', 'anynonarray']) d;
SELECT has_function('public', 'aread_predict', ARRAY['text', f, d, 'regclass']::name[])
FROM unnest(ARRAY['record', 'jsonb', 'json', 'text']) f, unnest(ARRAY['text', 'anynonarray']) d;
SELECT has_function('public', 'aread_predict', ARRAY['text', f]::name[]) FROM unnest(ARRAY['record', 'jsonb', 'json', 'text']) f;

SELECT has_function('public', 'aread_explain', ARRAY['text', f, d]::name[])
FROM unnest(ARRAY['record', 'jsonb', 'json', 'text']) f, unnest(ARRAY['text', 'anynonarray']) d;
SELECT has_function('public', 'aread_explain', ARRAY['text', f]::name[]) FROM unnest(ARRAY['record', 'jsonb', 'json', 'text']) f;

SELECT set_eq($$SELECT pronargs, proparallel, count(*) FROM pg_proc WHERE proname = 'aread_predict' AND provolatile = 's' AND procost > 100 GROUP BY 1, 2$$,
  $$VALUES (2::smallint, 's'::"char", 4::bigint), (3, 's', 8), (4, 'r', 8)$$, 'every aread_predict is stable, known to cost something, and parallel safe unless it reads a relation, which may be a temporary one');
SELECT is(count(*), 0::bigint, 'nothing that writes is parallel safe')
FROM pg_proc WHERE proname IN ('aread_train', 'aread_train_start', 'aread_cancel', 'aread_wait', 'aread_resume', 'aread_forget', 'aread_drop', 'aread_register', 'aread_unregister')
  AND (proparallel <> 'u' OR provolatile <> 'v');

SELECT has_function('public', 'aread_recommend', ARRAY['text', '"any"', 'integer', 'text', 'boolean', 'regclass', 'jsonb', 'jsonb', 'regclass']);
SELECT has_function('public', 'aread_recommend_all', ARRAY['text', 'integer', 'text', 'boolean', 'regclass', 'jsonb', 'jsonb', 'regclass']);
SELECT has_function('public', 'aread_retrieval_vectors', ARRAY['text', 'text', 'integer', 'text', 'regclass', 'jsonb']);
SELECT has_function('public', f, ARRAY['text', '"any"', 'integer']) FROM unnest('{aread_similar_items,aread_similar_users}'::name[]) f;
SELECT set_eq($$SELECT proname, provolatile, proparallel FROM pg_proc WHERE proname IN ('aread_recommend', 'aread_recommend_all', 'aread_retrieval_vectors', 'aread_similar_items', 'aread_similar_users')$$,
  $$VALUES ('aread_recommend'::name, 's'::"char", 'r'::"char"), ('aread_recommend_all', 's', 'r'), ('aread_retrieval_vectors', 's', 'r'), ('aread_similar_items', 's', 's'), ('aread_similar_users', 's', 's')$$, 'what recommends is stable; it reads candidates where temporary tables can be read');
SELECT columns_are('aread', 'recommendation', ARRAY['user_id', 'rank', 'item_id', 'domain', 'score']);
SELECT is(obj_description('aread.recommendation'::regtype, 'pg_type') IS NOT NULL, true, 'its rows are commented');

-- comments on everything
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid
  WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass
    AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'aread')
    AND obj_description(p.oid, 'pg_proc') IS NULL$$, 'functions are commented');
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'aread'::regnamespace
  AND c.relkind IN ('r', 'v') AND obj_description(c.oid, 'pg_class') IS NULL$$, 'tables and views are commented');
SELECT is_empty($$SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE c.relnamespace = 'aread'::regnamespace AND c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped
    AND c.relname NOT IN ('visible_version', 'usable_version', 'known_run') AND col_description(c.oid, a.attnum) IS NULL$$, 'columns are commented');

SELECT is_empty($$SELECT t.oid::regtype FROM pg_type t WHERE t.typnamespace = 'aread'::regnamespace AND t.typtype = 'b'
  AND t.typcategory <> 'A' AND obj_description(t.oid, 'pg_type') IS NULL$$, 'types are commented');

-- what users may touch
SELECT is_empty($$SELECT c.oid::regclass, g.privilege_type FROM pg_class c, LATERAL aclexplode(c.relacl) g
  WHERE c.relnamespace = 'aread'::regnamespace AND g.grantee = 0
    AND (c.relname LIKE 'stored%' OR c.relname IN ('visible_version', 'usable_version') OR g.privilege_type <> 'SELECT')$$,
  'the public reads views, and nothing else');
SELECT is(count(*), 14::bigint, 'of which there are fourteen') FROM pg_class c, LATERAL aclexplode(c.relacl) g
WHERE c.relnamespace = 'aread'::regnamespace AND g.grantee = 0;
SELECT is_empty($$SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'aread'::regnamespace AND c.relkind = 'v'
  AND NOT coalesce('security_barrier=true' = ANY (c.reloptions), false)$$, 'views are security barriers');

-- everything that users made is dumped
SELECT set_eq($$SELECT unnest(extconfig)::regclass FROM pg_extension WHERE extname = 'aread'$$,
  $$SELECT oid::regclass FROM pg_class WHERE relnamespace = 'aread'::regnamespace AND relkind IN ('r', 'S')
    AND relname NOT IN ('stored_run', 'stored_run_run_id_seq', 'stored_checkpoint')$$, 'tables and sequences of user data go into a dump: all but runs, which are of a server');

SELECT * FROM finish();
ROLLBACK;
