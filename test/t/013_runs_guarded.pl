# Runs in the background among sources, settings and sessions that mean them
# ill: they stay their role's, and their record stays true.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "client_min_messages = warning\nautovacuum_naptime = 1s\nfsync = off\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION aread;
	CREATE ROLE trainer; CREATE ROLE stranger LOGIN; CREATE ROLE watcher LOGIN;
	GRANT trainer TO stranger; GRANT pg_read_all_stats TO watcher;
	CREATE TABLE clicks AS SELECT label, domain, user_id, item_id FROM aread_simulate(5000, domains => 4, users => 100, items => 50, strength => 3);
	GRANT SELECT ON clicks TO trainer, stranger;
	CREATE SCHEMA stranger AUTHORIZATION stranger; GRANT USAGE ON SCHEMA stranger TO trainer});
my $wide = '{"architecture": "wide"}';
my $endless = '{"epochs": 10000, "patience": 1000, "batch_size": 256, "wide": false}';
sub sql { return $node->safe_psql('postgres', $_[0]) }
sub error_of
{
	my (undef, undef, $error) = $node->psql('postgres', "\\set VERBOSITY verbose\n" . $_[0]);
	return $error;
}
sub await
{
	my ($run, $condition) = @_;

	$node->poll_query_until('postgres', "SELECT $condition FROM aread.run WHERE run = $run") or die "run $run: never $condition";
}
sub start_run { return sql(($_[2] // '') . "SELECT aread_train_start('$_[0]', options => '$_[1]')") }

#
# The worker's session is a superuser's, its run is not: whatever a view's function puts off until the commit, either.
#
my @stranger = (extra_params => ['-U', 'stranger']);
$node->safe_psql('postgres', q{
	CREATE TABLE stranger.who (how text, who name);
	GRANT INSERT ON stranger.who TO trainer;
	CREATE TABLE stranger.later (x int);
	GRANT INSERT ON stranger.later TO trainer;
	CREATE FUNCTION stranger.note(how text) RETURNS int LANGUAGE plpgsql AS $$BEGIN INSERT INTO stranger.who VALUES (how, current_user); RETURN 1; END$$;
	CREATE FUNCTION stranger.spring() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM stranger.note('trigger'); RETURN NULL; END$$;
	CREATE CONSTRAINT TRIGGER late AFTER INSERT ON stranger.later DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stranger.spring();
	CREATE FUNCTION stranger.put_off() RETURNS int LANGUAGE plpgsql AS $$
	BEGIN
		IF current_setting('stranger.done', true) IS DISTINCT FROM 'yes' THEN
			PERFORM set_config('stranger.done', 'yes', false);
			INSERT INTO stranger.later VALUES (1);
			EXECUTE 'DECLARE held CURSOR WITH HOLD FOR SELECT stranger.note(''cursor'')';
			INSERT INTO stranger.who SELECT 'runs seen', count(*)::text::name FROM aread.run;
		END IF;
		RETURN 0;
	END$$;
	CREATE VIEW stranger.trap AS SELECT label + stranger.put_off() AS label, domain, user_id FROM clicks;
	GRANT SELECT ON stranger.trap TO trainer}, @stranger);
my $secret = start_run('clicks', $wide);
sql("SELECT aread_wait($secret)");
my $run = start_run('stranger.trap', $wide, 'SET ROLE trainer; ');
is(sql("SELECT aread_wait($run)"), '1', 'a view full of traps is trained on');
is(sql('SELECT string_agg(DISTINCT how || $$ $$ || who, $$, $$ ORDER BY how || $$ $$ || who) FROM stranger.who'), 'cursor trainer, runs seen 1, trigger trainer',
	'what it put off until the commit runs as the role, which sees its own run alone');

# a function that gives up the session's locks, and one that says it was cancelled
$node->safe_psql('postgres', q{
	CREATE FUNCTION stranger.unlock() RETURNS int LANGUAGE plpgsql AS $$BEGIN PERFORM pg_advisory_unlock_all(); RETURN 0; END$$;
	CREATE VIEW stranger.unlocks AS SELECT label + stranger.unlock() AS label, domain, user_id FROM clicks;
	CREATE FUNCTION stranger.lie() RETURNS int LANGUAGE plpgsql AS $$BEGIN RAISE 'not really' USING ERRCODE = '57014'; END$$;
	CREATE VIEW stranger.lies AS SELECT label + stranger.lie() AS label, domain, user_id FROM clicks;
	GRANT SELECT ON stranger.unlocks, stranger.lies TO PUBLIC}, @stranger);
$run = start_run('stranger.unlocks', $endless);
await($run, q{batch > 5});
is(sql("SELECT state FROM aread.run WHERE run = $run"), 'running', 'locks given up by a function are taken again');
sql("SELECT aread_cancel($run)");
await($run, q{state = 'cancelled'});
$run = start_run('stranger.lies', $wide);
like(error_of("SELECT aread_wait($run)"), qr/57014: run $run failed: not really/, 'an error that looks like a cancel is a failure');

#
# Settings of the database.
#
sql(q{ALTER DATABASE postgres SET lock_timeout = '100ms'; ALTER DATABASE postgres SET default_transaction_read_only = on; ALTER DATABASE postgres SET default_transaction_isolation = 'serializable'});
$run = sql("BEGIN READ WRITE; SELECT aread_train_start('clicks', 'late', options => '$wide'); SELECT pg_sleep(0.5) \\g /dev/null\nCOMMIT;");
is($node->safe_psql('postgres', "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT aread_wait($run); COMMIT"), '1', 'time limits and modes of the database do not end a run');
sql('BEGIN READ WRITE; ALTER DATABASE postgres RESET ALL; COMMIT');

#
# Seen by who may read all statistics; autovacuum learns of what checkpoints leave behind.
#
$run = start_run('clicks', $endless, q{SET aread.checkpoint_interval = 0; });
await($run, 'checkpoint_at IS NOT NULL AND batch > 1');
is($node->safe_psql('postgres', 'SELECT run, state FROM aread.run', extra_params => ['-U', 'watcher']), "$run|running", 'at work: seen with pg_read_all_stats');
ok($node->poll_query_until('postgres', q{SELECT n_dead_tup + n_tup_del > 100 FROM pg_stat_all_tables WHERE relid = 'aread.stored_checkpoint'::regclass}), 'statistics of a run at work are reported');
ok($node->poll_query_until('postgres', q{SELECT autovacuum_count > 0 FROM pg_stat_all_tables WHERE relid = 'aread.stored_checkpoint'::regclass}), 'and autovacuum comes');

#
# The extension made anew: the worker of before leaves the new one's runs alone.
#
sql(q{DROP EXTENSION aread CASCADE; CREATE EXTENSION aread});
my $new = start_run('clicks', $wide);
sql("SELECT aread_wait($new)");
ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'aread training'}), 'a worker ends with its extension');
is(sql('SELECT string_agg(run || $$ $$ || state, $$, $$) FROM aread.run'), "$new done", 'and touches no run of the next');

#
# A resume that fails leaves the record of what was.
#
sql('CREATE ROLE brief; GRANT SELECT ON clicks TO brief');
$run = sql("SET ROLE brief; SET aread.checkpoint_interval = 0; SELECT aread_train_start('clicks', 'briefs', options => '$endless')");
await($run, 'checkpoint_at IS NOT NULL AND epoch > 1 AND valid_auc IS NOT NULL');
sql("SELECT pg_terminate_backend(pid, 5000) FROM aread.run WHERE run = $run");
my $record = "SELECT epoch > 1, epochs, batches, valid_auc IS NOT NULL, messages LIKE '%epoch 1 of 10000%' FROM aread.run WHERE run = $run";
is(sql($record), 't|10000|16|t|t', 'an interrupted run');
sql('REVOKE SELECT ON clicks FROM brief');
like(error_of("SET ROLE brief; SELECT aread_resume($run)"), qr/42501: permission denied for table clicks/, 'who may read nothing of its source resumes nothing');
sql('GRANT SELECT (label) ON clicks TO brief');
sql("SET ROLE brief; SELECT aread_resume($run)");
like(error_of("SELECT aread_wait($run)"), qr/42501: run $run failed: permission denied for table clicks/, 'cannot be resumed without rights');
is(sql($record), 't|10000|16|t|t', 'its record stays');
sql("GRANT SELECT ON clicks TO brief; SET ROLE brief; SELECT aread_resume($run)");
await($run, q{state = 'running' AND epoch > 2});
is(sql("SELECT messages LIKE '%epoch 1 of 10000%', attempts FROM aread.run WHERE run = $run"), 't|3', 'and goes on');

# a worker that is not the row's any more gives up
sql("UPDATE aread.stored_run SET pid = 1 WHERE run_id = $run");
ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'aread training'}), 'a worker whose run has another one ends');
is(sql("SELECT state FROM aread.run WHERE run = $run"), 'interrupted', 'its run is interrupted');

# no false alarm: what ends is never seen as interrupted
my $seen = sql(qq{
	CREATE FUNCTION watch(r bigint) RETURNS text LANGUAGE plpgsql AS \$\$
	DECLARE s text; t text;
	BEGIN
		LOOP
			SELECT state INTO s FROM aread.run WHERE run = r;
			t := concat_ws(' ', t, nullif(s, split_part(t, ' ', -1)));
			EXIT WHEN s NOT IN ('starting', 'running') OR s IS NULL;
		END LOOP;
		RETURN s;
	END\$\$;
	} . join '', map { qq{SELECT aread_train_start('clicks', 'm$_', options => '{"architecture": "wide"}') AS run \\gset\nSELECT watch(:run);\nSELECT aread_wait(:run) \\g /dev/null\n} } 1 .. 20);
is(join(' ', sort { $a cmp $b } split /\n/, $seen), join(' ', ('done') x 20), 'what is done is never called interrupted');

$node->stop;
done_testing();
