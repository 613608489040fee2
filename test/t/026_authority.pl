# Who may do what: every function, view, stored table and sequence of the
# extension by every kind of role, as one table, tested cell by cell.
#
# y: it works and gives something; 0: it works and gives nothing of the model;
# n: permission denied (42501); else the SQLSTATE (55000: so small a model has no mask that closes a gate).
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nclient_min_messages = error\nmax_worker_processes = 12\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE ROLE owning LOGIN;                                       -- owns model m, table src and run 1
	CREATE ROLE member LOGIN IN ROLE owning;
	CREATE ROLE settable LOGIN NOINHERIT IN ROLE owning;            -- can become the owner, and has not
	CREATE ROLE grantee LOGIN;                                      -- was granted m, can read src
	CREATE ROLE explaining LOGIN;                                   -- was granted explanations of m alone
	CREATE ROLE other LOGIN;                                        -- was granted nothing
	CREATE ROLE reading LOGIN; GRANT pg_read_all_data TO reading;
	CREATE ROLE writing LOGIN; GRANT pg_write_all_data TO writing;
	CREATE ROLE dbowner LOGIN;
	CREATE DATABASE shop OWNER dbowner});
sub sql { return $node->safe_psql('shop', $_[0]) }
sub sql_as { my ($role, $sql) = @_; return $node->safe_psql('shop', $sql, extra_params => [ '-U', $role ]) }

sql(q{
	CREATE EXTENSION aread;
	CREATE TABLE src AS SELECT * FROM aread_simulate(600, domains => 3, users => 30, items => 20);
	ALTER TABLE src OWNER TO owning;
	GRANT SELECT ON src TO grantee;
	CREATE TABLE free AS SELECT * FROM src;
	GRANT SELECT ON free TO PUBLIC;
	CREATE TABLE hidden AS SELECT DISTINCT item_id, domain FROM src;
	CREATE TABLE shelf AS TABLE hidden;
	CREATE TABLE hidden_log AS SELECT user_id, item_id, label FROM src;
	GRANT SELECT ON shelf TO PUBLIC;
	CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE result text;
	BEGIN
		-- whatever it does is undone
		BEGIN
			EXECUTE statement INTO result;
			RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = CASE WHEN result IN ('0', 'f', 'false') OR result IS NULL THEN '0' ELSE 'y' END;
		EXCEPTION
			WHEN SQLSTATE 'ZZ000' THEN RETURN SQLERRM;
			WHEN insufficient_privilege THEN RETURN 'n';
			WHEN OTHERS THEN RETURN SQLSTATE;
		END;
	END $$});
my $options = q{'{"architecture": "hemp", "epochs": 1, "embed_dim": 4, "mmoe_experts": 2, "mmoe_dims": [8], "hei_experts": [2, 2], "hei_hidden": [4, 4], "hei_output": [4, 4], "history": {"length": 5}, "batch_size": 64, "warmup_batches": 1, "mask_interval": 1, "candidates": 2}'};
my $wide = q{'{"architecture": "wide"}'};
sql_as('owning', "SELECT version FROM aread_train('src', 'm', options => $options); SELECT version FROM aread_train('src', 'm', options => $options);
	SELECT aread_grant('m', 'grantee'), aread_grant('m', 'explaining', 'explain'); SELECT aread_register('src')");
sql_as('owning', "SELECT aread_train_start('src', 'by run', options => $wide)");
# as a training with sampled negatives leaves it
sql(q{UPDATE aread.stored_version SET ranking = '[{"split": "test", "lists": 1}]'});
sql_as('owning', 'SELECT aread_wait(1)');
# as an interrupted one would be
sql("UPDATE aread.stored_run SET state = 'failed', error_code = 'FAILD', error = 'it did'");
sql("CREATE TABLE exported AS SELECT aread_export('m') AS data; GRANT SELECT ON exported TO PUBLIC");

my @roles = qw(owning member settable grantee explaining other reading writing dbowner postgres);
my $domains = sql("SELECT string_agg(DISTINCT domain, ' ') FROM src");
my ($domain) = split / /, $domains;
my $functions = <<"END";
# owner member settable grantee explaining other reads writes dbowner superuser
  y y n y n n n n n y   SELECT aread_predict('m', s) FROM free s LIMIT 1
  y y n y n n n n n y   SELECT aread_predict('m', to_jsonb(s)) FROM free s LIMIT 1
  y y n y n n n n n y   SELECT aread_predict('m', to_json(s), s.domain) FROM free s LIMIT 1
  y y n y n n n n n y   SELECT sum(aread_predict('m\@1', s, s.domain)) FROM free s
  y y n y n n n n n y   SELECT aread_predict('m', s, s.domain, 'free') FROM free s LIMIT 1
  n n n n n n n n n y   SELECT aread_predict('m', s, s.domain, 'hidden_log') FROM free s LIMIT 1
  y y n y n n n n n y   SELECT count(*) FROM aread_recommend('m', 1)
  y y n y n n n n n y   SELECT count(*) FROM aread_recommend('m', 1, history => 'free')
  n n n n n n n n n y   SELECT count(*) FROM aread_recommend('m', 1, history => 'hidden_log')
  y y n y n n n n n y   SELECT count(*) FROM aread_recommend_all('m', candidates => 'shelf')
  n n n n n n n n n y   SELECT count(*) FROM aread_recommend('m', 1, candidates => 'hidden')
  y y n y n n n n n y   SELECT count(*) FROM aread_retrieval_vectors('m', 'users')
  n n n n n n n n n y   SELECT count(*) FROM aread_retrieval_vectors('m', 'items', candidates => 'hidden')
  y y n y n n n n n y   SELECT count(*) FROM aread_similar_items('m', 1)
  y y n y n n n n n y   SELECT count(*) FROM aread_similar_users('m', 1)
  y y n y n n n n n y   SELECT rows FROM aread_evaluate('m', 'free')
  y y n y n n n n n y   SELECT count(*) FROM aread_evaluate_domains('m', 'free')
  y y n y n n n n n y   SELECT count(*) FROM aread_evaluate_ranking('m', 'free', NULL)
  y y n y n n n n n y   SELECT count(*) FROM aread_compare('m\@1', 'm\@2', 'free')
  y y n y n n n n n y   SELECT count(*) FROM aread_compare_domains('m\@1', 'm\@2', 'free')
  y y n y n n n n n y   SELECT count(*) FROM aread_drift('m', 'free')
  y y n y n n n n n y   SELECT count(*) FROM aread_shift('m', 'free')
  y y n y n n n n n y   SELECT rows FROM aread_evaluate('m', 'free', split => 'train')
  y y n y n n n n n y   SELECT count(*) FROM aread_evaluate_domains('m', 'free', split => 'train')
  y y n y n n n n n y   SELECT count(aread_split('m', s)) FROM free s
  y y 0 y y 0 0 0 0 y   SELECT aread_card('m')
  y y n n y n n n n y   SELECT count(*) FROM free s, aread_explain('m', s) WHERE user_id = 1
  y y n n n n n n n y   SELECT count(*) FROM aread_tensors('m')
  y y n n n n n n n y   SELECT count(*) + 1 FROM aread_encodings('m')
  y y n n n n n n n y   SELECT aread_tensor('m', 'bias')
  y y n n n n n n n y   SELECT count(*) FROM aread_vectors('m', 'user_id')
  y y n n n n n n n y   SELECT count(*) + 1 FROM aread_domain_weights('m', 'user_id')
  y y n n n n n n n y   SELECT count(*) FROM aread_similar_domains('m', '$domain')
  y y n n n n n n n y   SELECT count(*) FROM aread_expert_usage('m')
  55000 55000 n n n n n n n 55000   SELECT aread_overlap_svg('m')
  y y n n n n n n n y   SELECT aread_experts_svg('m', '$domain')
  y y n n n n n n n y   SELECT aread_training_svg('m')
  y y n n n n n n n y   SELECT aread_domains_svg('m')
  y y n n n n n n n y   SELECT aread_export('m')
  y y n n n n n n n y   SELECT aread_import(data, 'm') FROM exported
  y y y y y y y y y y   SELECT aread_import(data, 'another') FROM exported
  y y n n n n n n n y   SELECT version FROM aread_train('free', 'm', options => $wide)
  y y y y y y y y y y   SELECT version FROM aread_train('free', 'another', options => $wide)
  y y n y n n y n n y   SELECT version FROM aread_train('src', 'another', options => $wide)
  y y n n n n n n n y   SELECT aread_train_start('free', 'm', options => $wide)
  y y y y y y y y y y   SELECT aread_train_start('free', 'another', options => $wide)
  y y n y n n y n n y   SELECT aread_train_start('src', 'another', options => $wide)
  y y n n n n n n n y   SELECT aread_deploy('m', 1)
  y y n n n n n n n y   SELECT aread_deploy('m', 1, 'x')
  y y n n n n n n n y   SELECT aread_rollback('m')
  y y n n n n n n n y   SELECT aread_rollback('m', 'x')
  y y n n n n n n n y   SELECT aread_pin('m\@1')
  y y n n n n n n n y   SELECT aread_drop_version('m', 1)
  y y n n n n n n n y   SELECT aread_rename('m', 'n')
  y y n n n n n n n y   SELECT aread_comment('m', 'x')
  y y n n n n n n n y   SELECT aread_comment('m\@1', 'x')
  y y n n n n n n n y   SELECT aread_grant('m', 'other')
  y y n n n n n n n y   SELECT aread_grant('m', 'other', 'explain')
  y y n n n n n n n y   SELECT aread_revoke('m', 'grantee')
  y y n n n n n n n y   SELECT aread_revoke('m', 'explaining', 'explain')
  y y n n n n n n n y   SELECT aread_set_owner('m', 'owning')
  n n n n n n n n n y   SELECT aread_set_owner('m', 'dbowner')
  y y n n n n n n n y   SELECT aread_drop('m')
  y y n n n n n n n y   SELECT aread_register('src')
  y y n n n n n n n y   SELECT aread_unregister('src')
  y y n y n n y n n y   SELECT count(*) FROM aread_popularity('src')
  y y n y n n y n n y   SELECT count(*) FROM aread_augment_plan('src')
  y y n y n n y n n y   SELECT count(*) + 1 FROM aread_augment(NULL::src)
  FAILD FAILD n n n n n n n FAILD   SELECT aread_wait(1)
  y y n n n n n n n y   SELECT aread_cancel(1)
  y n n n n n n n n n   SELECT aread_resume(1)
  y y n n n n n n n y   SELECT aread_forget(1)
  y y 0 0 0 0 0 0 0 y   SELECT aread.run_state(1)
  n n n n n n n n n y   SELECT 1 + aread_cache_clear(true)
  n n n n n n n n n y   SELECT count(*) + 1 FROM aread_mend_roles()
END
my $views = <<"END";
  y y 0 y y 0 0 0 0 y   aread.model WHERE model = 'm'
  y y 0 y y 0 0 0 0 y   aread.feature WHERE model = 'm'
  y y 0 y y 0 0 0 0 y   aread.domain WHERE model = 'm'
  y y 0 y y 0 0 0 0 y   aread.deployment WHERE model = 'm'
  y y 0 0 0 0 0 0 0 y   aread.mask WHERE model = 'm'
  y y 0 0 0 0 0 0 0 y   aread.mask_overlap WHERE model = 'm'
  y y 0 0 0 0 0 0 0 y   aread.expert_usage WHERE model = 'm'
  y y 0 0 0 0 0 0 0 y   aread.mask_update WHERE model = 'm'
  y y 0 0 0 0 0 0 0 y   aread.mask_history WHERE model = 'm'
  y y 0 0 0 0 0 0 0 y   aread.training_log WHERE model = 'm'
  y y 0 0 0 0 0 0 0 y   aread.ranking WHERE model = 'm'
  y y 0 y 0 0 y 0 0 y   aread.source
  y y 0 0 0 0 0 0 0 y   aread.run WHERE model = 'by run'
  n n n n n n 0 n n y   aread.usable_version WHERE model = 'm'
  n n n n n n 0 n n y   aread.visible_version WHERE model = 'm'
  n n n n n n 0 n n y   aread.known_run
  y y 0 0 0 0 0 0 0 y   aread.feature WHERE model = 'm' AND edges IS NOT NULL
END
$views =~ s/^(\s+(?:\S+ ){10}\s*)/$1SELECT count(*) FROM /gm;

my @cells;
for my $line (grep { /\S/ && !/^#/ } split /\n/, $functions . $views)
{
	my ($expected, $statement) = $line =~ /^\s+((?:\S+\s+){10})(SELECT.*)$/ or die "no cell: $line";

	push @cells, [ $statement, [ split ' ', $expected ] ];
}
# tables can be read by who may read everything, and written by who may write everything
for my $table (split /\n/, sql("SELECT c.oid::regclass FROM pg_class c WHERE relnamespace = 'aread'::regnamespace AND relkind = 'r' ORDER BY 1"))
{
	push @cells, [ "SELECT 1 + count(*) FROM $table", [qw(n n n n n n y n n y)] ];
	push @cells, [ "WITH gone AS (DELETE FROM $table RETURNING 1) SELECT 1", [qw(n n n n n n n y n y)] ];
	for my $right (qw(INSERT UPDATE DELETE))
	{
		push @cells, [ "SELECT has_table_privilege('$table', '$right')", [qw(0 0 0 0 0 0 0 y 0 y)] ];
	}
	push @cells, [ "SELECT has_table_privilege('$table', '$_')", [qw(0 0 0 0 0 0 0 0 0 y)] ] for qw(TRUNCATE REFERENCES TRIGGER);
	push @cells, [ "SELECT count(*) FROM pg_attribute WHERE attrelid = '$table'::regclass AND attacl IS NOT NULL", [ ('0') x 10 ] ];
}
push @cells, [ "SELECT count(*) FROM pg_class WHERE relnamespace = 'aread'::regnamespace AND relkind = 'S' AND CASE WHEN relkind = 'S' THEN has_sequence_privilege(oid, 'USAGE, UPDATE') END", [qw(0 0 0 0 0 0 0 y 0 y)] ];
push @cells, [ "SELECT has_schema_privilege('aread', 'CREATE')", [qw(0 0 0 0 0 0 0 0 0 y)] ];

my @statements = map { $_->[0] } @cells;
my $list = 'ARRAY[' . join(', ', map { "\$q\$$_\$q\$" } @statements) . ']';
for my $i (0 .. $#roles)
{
	my $outcomes = sql_as($roles[$i], "SELECT outcome(s) FROM unnest($list) WITH ORDINALITY u(s, n) ORDER BY n");
	my @got = split /\n/, $outcomes;
	my @wrong = map { "$statements[$_]: $got[$_], not $cells[$_][1][$i]" } grep { $got[$_] ne $cells[$_][1][$i] } 0 .. $#cells;

	is(join("\n", @wrong), '', "$roles[$i]: " . scalar(@cells) . ' cells');
}
# who becomes the owner is the owner
my @got = split /\n/, sql_as('settable', "SET ROLE owning; SELECT outcome(s) FROM unnest($list) WITH ORDINALITY u(s, n) ORDER BY n");
is(join(' ', map { $_ // '' } @got), join(' ', map { $_->[1][0] } @cells), 'settable, after SET ROLE: as the owner');

# every function that is no aggregate, nor a part of one, has its line
my $missing = sql(q{
	SELECT DISTINCT p.proname FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid
	WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'aread')
	AND prokind = 'f' AND NOT (pronamespace = 'aread'::regnamespace AND (proname ~ '_(add|result|combine|in|out|recv|send)$' OR proname LIKE 'mask\_%' OR proname = 'predict_support'))
	ORDER BY 1});
# what computes from its arguments alone, tells of the server, or is asked through a view
my %elsewhere = map { $_ => 1 } qw(aread_options aread_architectures aread_simulate aread_vector_text cached_versions trainings as_role find_role has_role role_name role_oid);
is(join(' ', grep { my $name = $_; !$elsewhere{$name} && !grep { /\b$name\(/ } @statements } split /\n/, $missing), '', 'every function has its line');
my $unlisted = sql("SELECT string_agg(relname, ' ') FROM pg_class WHERE relnamespace = 'aread'::regnamespace AND relkind = 'v' AND relname <> 'cache'");
is(join(' ', grep { my $name = $_; !grep { /aread\.$name\b/ } @statements } split / /, $unlisted), '', 'every view has its line');
# in shared memory are models that others may not see, and a session keeps what it scored with as another role
sql('SELECT aread_cache_clear(true)');
sql_as('owning', "SELECT aread_predict('m', s) FROM free s LIMIT 1");
my $cached = q{SELECT (SELECT count(*) FROM aread.cached_versions()) || ' ' || (SELECT count(*) FROM aread.cache WHERE model = 'm' AND version = 2 AND place = 'shared')};
is(join(', ', map { "$_ " . sql_as($_, $cached) } @roles),
	'owning 1 1, member 1 1, settable 0 0, grantee 1 1, explaining 0 0, other 0 0, reading 0 0, writing 0 0, dbowner 0 0, postgres 1 1', 'the cache shows what its reader may score with');
is(join(' ', split /\n/, sql(qq{
	SET ROLE grantee; SELECT aread_predict('m', s) > 0 FROM free s LIMIT 1;
	SET ROLE other; $cached;
	SET ROLE grantee; SELECT string_agg(place, ',' ORDER BY place) FROM aread.cached_versions();
	RESET ROLE; SELECT aread_revoke('m', 'grantee');
	SET ROLE grantee; $cached})), 't 0 0 session,shared t 0 0', 'as it may now');
$node->stop;

done_testing();
