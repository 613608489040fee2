# As whom, and what, a run in the background trains: that is what the server knows
# of who started it, whatever somebody who can write the extension's tables
# makes of the run's row.  How many runs a role has, and how deep they nest.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "client_min_messages = warning\nmax_worker_processes = 24\nfsync = off\n");
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]) }
sub sql_as { return $node->safe_psql('postgres', $_[1], extra_params => ['-U', $_[0]]) }
sub error_as
{
	my (undef, undef, $error) = $node->psql('postgres', "\\set VERBOSITY verbose\n" . $_[1], extra_params => ['-U', $_[0]]);
	return $error;
}
# A session that goes on while others work.
sub session
{
	my ($user, $statements) = @_;
	my ($out, $error) = ('', '');

	return {run => IPC::Run::start(['psql', '-XAtq', '-d', $node->connstr('postgres'), '-U', $user, '-c', $statements], '>', \$out, '2>', \$error), out => \$out, error => \$error};
}
sub finish
{
	my ($session) = @_;

	$session->{run}->finish;
	return ${$session->{out}} . ${$session->{error}};
}
sub until_true { $node->poll_query_until('postgres', $_[0]) or die "never: $_[0]" }
sub no_worker { until_true(q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'aread training'}) }

my $wide = '{"architecture": "wide"}';
my $endless = '{"epochs": 10000, "patience": 1000, "batch_size": 256, "wide": false}';

sql(q{
	CREATE EXTENSION aread;
	CREATE ROLE loader LOGIN; GRANT pg_write_all_data, pg_read_all_data TO loader;
	CREATE ROLE victim LOGIN; CREATE ROLE stranger LOGIN; CREATE ROLE watcher LOGIN; GRANT pg_read_all_stats TO watcher;
	CREATE ROLE trainer NOLOGIN; CREATE ROLE app LOGIN; GRANT trainer TO app;
	CREATE TABLE clicks AS SELECT label, domain, user_id, item_id, price FROM aread_simulate(4000, domains => 4, users => 100, items => 50, strength => 3);
	GRANT SELECT ON clicks TO PUBLIC;
	CREATE TABLE gate (open bool); GRANT SELECT ON gate TO PUBLIC;
	CREATE PROCEDURE await_gate() LANGUAGE plpgsql AS $$BEGIN WHILE NOT EXISTS (SELECT FROM gate) LOOP PERFORM pg_sleep(0.02); END LOOP; END$$;
	CREATE SCHEMA loader AUTHORIZATION loader; GRANT USAGE ON SCHEMA loader TO PUBLIC});
sql_as('loader', q{
	CREATE TABLE loader.who (who name); GRANT INSERT ON loader.who TO PUBLIC;
	CREATE FUNCTION loader.climb() RETURNS int LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO loader.who VALUES (current_user);
		IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN ALTER ROLE loader SUPERUSER; END IF;
		RETURN 0;
	END$$;
	CREATE VIEW loader.src AS SELECT label + loader.climb() AS label, domain, user_id, item_id, price FROM public.clicks LIMIT 500;
	GRANT SELECT ON loader.src TO PUBLIC});
my $ran = q{SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = 'loader'), (SELECT string_agg(DISTINCT who, ' ' ORDER BY who) FROM loader.who)};

# What he makes of a row, and what becomes of the run.
my $refused = qr/^failed\|42501\|run \d+ is not what role "\w+" started$/;
my @forged = (
	['a superuser as role', q{role = 10, role_name = 'postgres'}, $refused],
	['another role', q{role = 'stranger'::regrole, role_name = 'stranger'}, $refused],
	['no such role', q{role = 999999}, $refused],
	['a source of his', q{source = 'loader.src'::regclass}, $refused],
	['all of it', q{role = 10, role_name = 'postgres', source = 'loader.src'::regclass, settings = '{row_security=off}', model = 'taken'}, $refused],
	['settings', q{settings = '{"search_path=loader, public"}'}, $refused],
	['no settings', q{settings = NULL}, $refused],
	['a model', q{model = 'taken'}, $refused],
	['options', q{options = '{"architecture": "wide", "deploy": false}'}, $refused],
	['a column', q{label = 'price'}, $refused],
	['a column for another', q{item_id = NULL, split = 'item_id'}, $refused],
	['features', q{features = '{user_id}'}, $refused],
	['a process', q{pid = 1}, qr/^interrupted\|\|$/],
	['an end', q{state = 'done'}, qr/^done\|\|$/]);
my $outcome = q{SELECT CASE WHEN state IN ('starting', 'running') THEN aread.run_state(run_id) ELSE state END, error_code, error FROM aread.stored_run ORDER BY run_id DESC LIMIT 1};
my $made = q{SELECT count(*) FROM aread.model};

# in the transaction that starts it
for (grep { $_->[0] ne 'a source of his' } @forged)
{
	my ($what, $set, $expected) = @$_;

	sql_as('loader', qq{BEGIN; SELECT aread_train_start('loader.src', 'his', options => '$wide'); UPDATE aread.stored_run SET $set; COMMIT});
	no_worker();
	like(sql($outcome), $expected, "own run: $what");
	sql('DELETE FROM aread.stored_run');
}
is(sql($ran), 'f|', 'no function of his ran');
is(sql($made), '0', 'and nothing was trained');

# between the commit and the worker's reading: it is stopped meanwhile
sub overtake
{
	my ($start, $set) = @_;
	my ($victim, $worker);

	sql('TRUNCATE gate');
	$victim = session('victim', "BEGIN; $start; CALL await_gate(); COMMIT");
	until_true(q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'aread training' AND wait_event = 'transactionid'});
	$worker = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'aread training'});
	kill 'STOP', $worker;
	sql('INSERT INTO gate VALUES (true)');
	finish($victim);
	sql_as('loader', "UPDATE aread.stored_run SET $set");
	kill 'CONT', $worker;
	no_worker();
}
for (@forged)
{
	my ($what, $set, $expected) = @$_;

	overtake("SELECT aread_train_start('clicks', 'theirs', options => '$wide')", $set);
	like(sql($outcome), $expected, "a run of another role: $what");
	sql('DELETE FROM aread.stored_run');
}
is(sql($ran) . sql($made), 'f|0', 'nothing ran');
overtake("SELECT aread_train_start('clicks', 'theirs', options => '$wide')", q{role_name = 'postgres', source_name = 'x', error = 'x', phase = 'x'});
is(sql(q{SELECT state, (SELECT DISTINCT owner FROM aread.model WHERE model = 'theirs') FROM aread.stored_run}), 'done|victim', 'what is only shown decides nothing');
sql('DELETE FROM aread.stored_run');

#
# Before it is resumed.
#
my $run = sql_as('victim', "SET aread.checkpoint_interval = 0; SELECT aread_train_start('clicks', 'long', options => '$endless')");
until_true("SELECT checkpoint_at IS NOT NULL FROM aread.run WHERE run = $run");
sql("SELECT pg_terminate_backend(pid, 5000) FROM aread.run WHERE run = $run");
sql('CREATE TABLE kept AS SELECT * FROM aread.stored_run');
sub forge { sql_as('loader', "UPDATE aread.stored_run SET $_[0] WHERE run_id = $run") }
sub restore { no_worker(); sql(q{UPDATE aread.stored_run r SET role = k.role, role_name = k.role_name, source = k.source, settings = k.settings, state = 'running', pid = 1 FROM kept k WHERE k.run_id = r.run_id}) }

forge(q{source = 'loader.src'::regclass});
like(error_as('victim', "SELECT aread_resume($run)"), qr/42501: run $run reads a source of another role\nDETAIL:  The run's row names loader.src, of role "loader", whose functions may run as "victim".\nHINT:  If that is the run's source, say so: aread_resume\($run, 'loader.src'\)/, 'a source of another role');
like(error_as('victim', "SELECT aread_resume($run, 'clicks')"), qr/22023: run $run reads another source/, 'or not the one that the caller names');
forge(q{role = 10, role_name = 'postgres'});
like(error_as('postgres', "SELECT aread_resume($run)"), qr/42501: run $run reads a source of another role/, 'nor for a superuser');
restore();
# an old snapshot does not see the run: nothing is said to be done that is not
for my $call ("aread_cancel($run)", "aread_resume($run)", "aread_forget($run)")
{
	my $later = sql_as('victim', "SELECT aread_train_start('clicks', 'later', options => '{\"architecture\": \"wide\"}')");
	my (undef, undef, $error) = $node->psql('postgres', "\\set VERBOSITY verbose\nBEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1;
		\\! psql -XqAt -d '" . $node->connstr('postgres') . "' -c \"INSERT INTO aread.stored_run (run_id, model, role, role_name, source, source_name, domain, options, state, pid, attempts, started_at) SELECT 99, model, role, role_name, source, source_name, domain, options, 'failed', 1, 1, now() FROM aread.stored_run WHERE run_id = $later ON CONFLICT DO NOTHING\"
		SELECT " . ($call =~ s/\d+/99/r) . "; ROLLBACK", extra_params => [ '-U', 'victim' ]);
	like($error, qr/40001: run 99 is newer than the transaction's snapshot/, "an old snapshot: $call");
	sql('DELETE FROM aread.stored_run WHERE run_id = 99');
	sql_as('victim', "SELECT aread_wait($later)");
	sql_as('victim', "SELECT aread_forget($later)");
}
# what is NULL that cannot be
for (
	[ q{fingerprint = 1, software = NULL, error_code = '22012', error = 'forged'}, 'aread_resume', qr/XX001: stored checkpoint is corrupt/ ],
	[ q{settings = NULL, error_code = '22012', error = 'forged'}, 'aread_wait', qr/22012: run $run failed: forged\n/ ],
	[ q{error_code = NULL, error = 'forged'}, 'aread_wait', qr/57014: run $run failed: forged\n/ ],
	[ q{error_code = '22012', error = NULL}, 'aread_wait', qr/22012: run $run failed: given up\n/ ])
{
	my ($null, $call, $expected) = @$_;

	forge("state = 'failed', $null");
	like(error_as('victim', "SELECT $call($run)"), $expected, "$call: $null");
	restore();
	sql('UPDATE aread.stored_run r SET fingerprint = k.fingerprint, software = k.software, error_code = k.error_code, error = k.error FROM kept k WHERE k.run_id = r.run_id');
}
forge(q{settings = '{"search_path=loader"}'});
sql_as('victim', "SET search_path = public; SELECT aread_resume($run)");
until_true("SELECT state = 'running' AND batch > 1 FROM aread.run WHERE run = $run");
is(sql("SELECT settings[1] FROM aread.stored_run WHERE run_id = $run"), 'search_path=public', 'settings are those of the session that resumes');
is(sql_as('victim', "SELECT aread_cancel($run)"), 't', 'it has a worker');
until_true("SELECT state = 'cancelled' FROM aread.run WHERE run = $run");
restore();
overtake("SELECT aread_resume($run)", q{source = 'loader.src'::regclass});
like(sql($outcome), $refused, 'a row changed after aread_resume');
restore();
like(error_as('postgres', "SELECT aread_resume($run)"), qr/42501: run $run belongs to role "victim"\nHINT:  Become that role first: SET ROLE/, 'a superuser does not resume for others');
sql("SET ROLE victim; SELECT aread_resume($run, 'clicks')");
# (what its row says is of the attempt before)
until_true("SELECT count(*) = 1 FROM aread.trainings() WHERE run_id = $run");
is(sql("SELECT role::regrole FROM aread.trainings() WHERE run_id = $run"), 'victim', 'but as them');

#
# Cancelled by its role, whatever the row says.
#
forge(q{role = 'loader'::regrole, role_name = 'loader'});
like(error_as('loader', "SELECT aread_cancel($run)"), qr/42501: permission denied for run $run/, 'a row that names the caller');
restore_role();
sub restore_role { forge(q{role = 'victim'::regrole, role_name = 'victim'}) }
my $alias = $run + (1 << 32);
sql_as('loader', qq{INSERT INTO aread.stored_run (run_id, model, role, role_name, source, source_name, domain, options, state, pid, attempts, started_at)
	VALUES ($alias, 'x', 'loader'::regrole, 'loader', 1, 'x', 'x', '{}', 'running', 1, 1, now())});
like(error_as('loader', "SELECT aread_cancel($alias)"), qr/42501: permission denied for run $alias/, 'a number that has the same lock');
my $bystander = session('stranger', 'SELECT pg_sleep(30)');
until_true(q{SELECT count(*) = 1 FROM pg_stat_activity WHERE usename = 'stranger' AND query LIKE '%sleep%'});
forge(q{pid = (SELECT pid FROM pg_stat_activity WHERE usename = 'stranger')});
sql_as('victim', "SELECT aread_cancel($run)");
no_worker();
is(sql(q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'stranger' AND state = 'active'}), '1', 'a row that names another process');
sql(q{SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'stranger'});
finish($bystander);
sql('DELETE FROM aread.stored_run');
is(sql($ran), 'f|', 'no function of his ran through all of it');
sql_as('loader', "SELECT aread_train_start('loader.src', 'own', options => '$wide')");
no_worker();
is(sql($ran), 'f|loader', 'as himself he trains on what he likes');

#
# States are told to who has the role's rights.
#
$run = sql("SET ROLE trainer; SELECT aread_train_start('clicks', 'shown', options => '$endless')");
until_true("SELECT state = 'running' FROM aread.run WHERE run = $run");
is(join(' ', map { "$_:" . sql_as($_, "SELECT coalesce(aread.run_state($run), 'nothing')") } qw(app postgres stranger victim loader watcher)),
	'app:running postgres:running stranger:nothing victim:nothing loader:nothing watcher:nothing', 'of a run at work');
is(join(' ', map { "$_:" . sql_as($_, "SELECT coalesce(aread.run_state($run + 1), 'nothing')") } qw(app postgres stranger)), 'app:nothing postgres:nothing stranger:nothing', 'of no run');
sql_as('app', "SELECT aread_cancel($run)");
no_worker();

#
# Who may be the role: asked of the server by the worker.
#
sub ends { my ($number) = @_; no_worker(); return sql("SELECT concat_ws(' ', state, error_code, (SELECT DISTINCT owner FROM aread.model m WHERE m.model = r.model)) FROM aread.stored_run r WHERE run_id = $number") }
is(ends(sql_as('app', "SET ROLE trainer; SELECT aread_train_start('clicks', 'set role', options => '$wide')")), 'done trainer', 'SET ROLE');
is(ends(sql("SET SESSION AUTHORIZATION victim; SELECT aread_train_start('clicks', 'authorized', options => '$wide')")), 'done victim', 'SET SESSION AUTHORIZATION');
sql(qq{
	CREATE FUNCTION definer() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS \$\$SELECT aread_train_start('clicks', 'defined', options => '$wide')\$\$;
	ALTER FUNCTION definer() OWNER TO trainer;
	CREATE FUNCTION outer_definer() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS \$\$SELECT definer()\$\$;
	ALTER FUNCTION outer_definer() OWNER TO loader});
is(ends(sql_as('stranger', 'SELECT definer()')), 'done trainer', 'SECURITY DEFINER: of a role that the session\'s user cannot become');
is(ends(sql_as('stranger', 'SELECT outer_definer()')), 'done trainer', 'in another one');
# A run that starts late: the role that the session has become is changed before the commit.
sub start_late
{
	my ($role, $change) = @_;

	sql('TRUNCATE gate');
	my $app = session('app', "SET ROLE $role; BEGIN; SELECT aread_train_start('clicks', 'late', options => '$wide'); CALL await_gate(); COMMIT");
	until_true(q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'aread training'});
	sql("$change; INSERT INTO gate VALUES (true)");
	finish($app);
}
start_late('trainer', 'REVOKE trainer FROM app');
like(ends(sql('SELECT max(run_id) FROM aread.stored_run')), qr/^failed 42501/, 'a membership revoked before the commit');
sql('GRANT trainer TO app; CREATE ROLE brief; GRANT brief TO app');
start_late('brief', 'DROP ROLE brief');
is(ends(sql('SELECT max(run_id) FROM aread.stored_run')), 'failed 42704', 'a role dropped before the commit');

#
# So many runs a role.
#
my $start = "SELECT aread_train_start('clicks', 'many', options => '$endless')";
my $at_work = q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 11950 AND mode = 'AccessShareLock'};
sql_as('victim', $start) for 1 .. 4;
like(error_as('victim', $start), qr/53400: role "victim" has as many background trainings as it may\nDETAIL:  Setting aread.max_runs_per_role is 4.\nHINT:  Wait for one of them to end/, 'four by default');
my $perform = $start =~ s/SELECT/PERFORM/r;
like(error_as('victim', "DO \$\$BEGIN BEGIN $perform; EXCEPTION WHEN configuration_limit_exceeded THEN RAISE WARNING 'refused'; END; $perform; END\$\$"), qr/WARNING:.*refused\n(.*\n)*.*ERROR:  53400: role "victim"/, 'tried again');
sql_as('stranger', "$start; SELECT aread_cancel(max(run)) FROM aread.run");
pass('others are free to start theirs');
sql_as('victim', 'SELECT aread_cancel(run) FROM aread.run');
no_worker();
# before the library is loaded the server takes any value, and drops it then
for (
	[ 'SET aread.max_runs_per_role = 100', qr/WARNING:.*permission denied to set parameter "aread.max_runs_per_role"\n(.*\n)*.*ERROR:  53400: role "victim"/ ],
	[ "SELECT aread_vector_text('{1}'); SET aread.max_runs_per_role = 100", qr/ERROR:  42501: permission denied to set parameter "aread.max_runs_per_role"/ ])
{
	my ($try, $expected) = @$_;

	like(error_as('victim', "$try; $start; $start; $start; $start; $start"), $expected, "not the role's to set: $try");
	sql_as('victim', q{SELECT aread_cancel(run) FROM aread.run WHERE state IN ('starting', 'running')});
	no_worker();
}
sql('ALTER ROLE victim SET aread.max_runs_per_role = 2');
for (1 .. 3)
{
	my @sessions = map { session('victim', $start) } 1 .. 8;
	my @said = map { finish($_) } @sessions;

	is(scalar(grep { /has as many/ } @said) . ' ' . sql($at_work), '6 2', 'eight at once: two');
	sql_as('victim', q{SELECT aread_cancel(run) FROM aread.run WHERE state IN ('starting', 'running')});
	no_worker();
}
# a source that gives up all locks is counted while it is read, and when it has been
sql(q{CREATE TABLE door (x int); INSERT INTO door VALUES (1);
	CREATE FUNCTION unlock() RETURNS int LANGUAGE plpgsql AS $$BEGIN PERFORM pg_advisory_unlock_all(); PERFORM x FROM door; RETURN 0; END$$;
	CREATE VIEW unlocks AS SELECT label + unlock() AS label, domain, user_id FROM clicks LIMIT 1000; GRANT SELECT ON door, unlocks TO victim});
my $holder = session('postgres', 'BEGIN; LOCK TABLE door; SELECT pg_sleep(60)');
until_true(q{SELECT count(*) = 1 FROM pg_locks WHERE relation = 'door'::regclass AND mode = 'AccessExclusiveLock'});
my $unlocks = "SELECT aread_train_start('unlocks', 'unlocks', options => '$endless')";
sql_as('victim', "$unlocks; $unlocks");
until_true(q{SELECT count(*) = 2 FROM pg_locks WHERE relation = 'door'::regclass AND NOT granted});
is(sql(q{SELECT string_agg(state, ' ') FROM aread.run WHERE model = 'unlocks'}), 'running running', 'runs whose source gives up their locks');
like(error_as('victim', $start), qr/53400: role "victim"/, 'are counted while it is read');
sql(q{SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE relation = 'door'::regclass AND mode = 'AccessExclusiveLock'});
finish($holder);
until_true(q{SELECT count(*) = 2 FROM aread.run WHERE model = 'unlocks' AND batch > 1});
like(error_as('victim', $start), qr/53400: role "victim"/, 'and thereafter');
$run = sql(q{SELECT min(run) FROM aread.run WHERE model = 'unlocks'});
sql("SELECT pg_terminate_backend(pid, 5000) FROM aread.run WHERE run = $run");
sql_as('victim', $start);
like(error_as('victim', "SELECT aread_resume($run)"), qr/53400: role "victim"/, 'what is resumed is counted, too');
sql_as('victim', q{SELECT aread_cancel(run) FROM aread.run WHERE state IN ('starting', 'running')});
no_worker();
sql('ALTER ROLE victim SET aread.max_runs_per_role = 0');
like(error_as('victim', $start), qr/53400: role "victim"/, 'none');
sql('ALTER ROLE victim SET aread.max_runs_per_role = -1');
sql_as('victim', $start) for 1 .. 6;
is(sql($at_work), '6', 'any number');
sql_as('victim', q{SELECT aread_cancel(run) FROM aread.run WHERE state IN ('starting', 'running')});
no_worker();

#
# Trainings in trainings.
#
sql(qq{
	CREATE TABLE few AS SELECT label, domain, user_id FROM clicks LIMIT 500;
	CREATE FUNCTION nest(depth int) RETURNS int LANGUAGE plpgsql AS \$\$
	BEGIN
		IF depth > 1 THEN PERFORM aread_train('nest_' || depth - 1, 'nested', options => '$wide'); END IF;
		IF depth = 1 AND current_setting('nest.sleep', true) = 'yes' THEN PERFORM pg_sleep(60); END IF;
		RETURN 0;
	END\$\$;
	DO \$\$BEGIN FOR i IN 1 .. 30 LOOP EXECUTE format('CREATE VIEW nest_%s AS SELECT label + n AS label, domain, user_id FROM (SELECT nest(%1\$s) AS n OFFSET 0) x, few', i); END LOOP; END\$\$});
my $too_deep = q{DO $$BEGIN PERFORM aread_train('nest_30', 'outer'); EXCEPTION WHEN statement_too_complex THEN RAISE INFO '%', SQLERRM; END$$; };
my ($status, $out, $error) = $node->psql('postgres', $too_deep x 25 . qq{SELECT version FROM aread_train('nest_4', 'outer', options => '$wide')});
is($status, 0, 'a session lives through nested trainings');
is(() = $error =~ /trainings are nested more than 4 deep/g, 25, 'which end in an error');
is($out, '1', 'some are fine');
is(sql(q{SELECT count(*) FROM aread.run WHERE run IS NULL}), '0', 'none is shown any more');
my $nested = session('postgres', qq{SET nest.sleep = 'yes'; SELECT aread_train('nest_3', 'outer', options => '$wide')});
until_true(q{SELECT count(*) = 3 FROM aread.run WHERE run IS NULL});
is(sql(q{SELECT string_agg(source, ' ' ORDER BY source) FROM aread.run WHERE run IS NULL}), 'public.nest_1 public.nest_2 public.nest_3', 'all are shown, with their sources');
sql(q{SELECT pg_terminate_backend(pid, 5000) FROM aread.run WHERE run IS NULL});
finish($nested);
is(sql(q{SELECT count(*) FROM aread.run WHERE run IS NULL}), '0', 'and gone with their session');

$node->stop;
done_testing();
