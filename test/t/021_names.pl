# Roles that race for names: whatever they do at the same time, no version gets
# into a model of another owner, and all errors are those of the extension.
# NAMES_SECONDS says how long.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tmp = $PostgreSQL::Test::Utils::tmp_check;
my $seconds = $ENV{NAMES_SECONDS} || 5;
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "client_min_messages = error\ndeadlock_timeout = 20ms\nmax_prepared_transactions = 2\nfsync = off\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION aread;
	GRANT CREATE ON SCHEMA public TO PUBLIC;
	CREATE TABLE exported (role name, data bytea);
	GRANT SELECT ON exported TO PUBLIC;
	CREATE FUNCTION train(model text) RETURNS void LANGUAGE sql AS $$
		SELECT aread_train((current_user || '_rows')::regclass, model, options => '{"architecture": "wide", "domain_weights": false}') $$;
	CREATE SEQUENCE done;
	GRANT USAGE ON SEQUENCE done TO PUBLIC;
	-- something to one of a few names, or to two; which of the expected errors it ended in
	CREATE FUNCTION act() RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		a text := 'n' || floor(random() * 4);
		b text := 'n' || floor(random() * 4);
	BEGIN
		CASE floor(random() * 6)
			WHEN 0 THEN PERFORM train(a);
			WHEN 1 THEN PERFORM aread_rename(a, b);
			WHEN 2 THEN PERFORM aread_drop(a, if_exists => random() < 0.5);
			WHEN 3 THEN PERFORM aread_deploy(a, 1);
			WHEN 4 THEN PERFORM aread_grant(a, 'public'), aread_revoke(a, 'public');
			ELSE PERFORM aread_import(data, a, random() < 0.5) FROM exported WHERE role = current_user;
		END CASE;
		PERFORM nextval('done');
		RETURN 'done';
	EXCEPTION WHEN insufficient_privilege OR duplicate_object OR undefined_object THEN
		RETURN sqlstate;
	END $$;
});
for my $role (map { "racer$_" } 1 .. 3)
{
	$node->safe_psql('postgres', qq{
		CREATE ROLE $role;
		SET ROLE $role;
		CREATE TABLE ${role}_rows AS SELECT label, domain, user_id, item_id FROM aread_simulate(300, domains => 3, users => 20, items => 10);
		SELECT train('$role');
		RESET ROLE;
		INSERT INTO exported SELECT '$role', aread_export('$role')});
}
my %script = (
	single => "SET ROLE racer:r;\nSELECT act();\nRESET ROLE;\n",
	several => "BEGIN;\nSET LOCAL ROLE racer:r;\nSELECT act();\n\\sleep 3 ms\nSELECT act();\nEND;\n",
	old => "BEGIN ISOLATION LEVEL REPEATABLE READ;\nSET LOCAL ROLE racer:r;\nSELECT count(*) FROM exported;\n\\sleep 3 ms\nSELECT act();\nEND;\n",
);
my @scripts;
for my $name (sort keys %script)
{
	append_to_file("$tmp/$name.pgbench", "\\set r random(1, 3)\n$script{$name}");
	push @scripts, '-f', "$tmp/$name.pgbench";
}
# deadlocks of several names, and rows that a snapshot has not, are tried again
my ($out, $error) = run_command(['pgbench', '-n', '-c', '6', '-j', '2', '-T', $seconds, '--max-tries=0', @scripts, $node->connstr('postgres')]);
unlike($error, qr/aborted|ERROR/, 'nothing but clear errors') or diag($out);
my ($done) = $out =~ /number of transactions actually processed: (\d+)/;
cmp_ok($done, '>', 50, "at work: $done transactions");
cmp_ok($node->safe_psql('postgres', q{SELECT nextval('done')}), '>', 10 * $seconds, 'that do something');
is($node->safe_psql('postgres', q{SELECT count(*) FROM aread.model WHERE source <> 'public.' || owner || '_rows'}), '0', 'no version in another role\'s model');
is($node->safe_psql('postgres', q{SELECT count(*) FROM aread.stored_version v LEFT JOIN aread.stored_model m USING (model_id) WHERE m.model_id IS NULL}), '0', 'none without its model');
# two names whose hash, as the server's tables have it, is one: who takes one of them does not hold up the other
is($node->safe_psql('postgres', q{SELECT hashtext('shop') = hashtext('xzdfsbua')}), 't', 'names of one hash');
$node->safe_psql('postgres', q{
	SET ROLE racer1; SELECT train('shop'); RESET ROLE;
	BEGIN; SET LOCAL ROLE racer2; SELECT aread_drop('xzdfsbua', if_exists => true); PREPARE TRANSACTION 'taken';
	SET ROLE racer1; SET lock_timeout = '2s'; SELECT aread_comment('shop', 'mine'); RESET ROLE;
	ROLLBACK PREPARED 'taken'});
is($node->safe_psql('postgres', q{SELECT DISTINCT model_comment FROM aread.model WHERE model = 'shop'}), 'mine', 'nobody waits for another name');
$node->stop;

done_testing();
