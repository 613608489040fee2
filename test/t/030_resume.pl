# Runs that resume by themselves after a restart: what they end as, and what
# keeps others from having anything trained by it.  What the server's log and
# pg_stat_activity say of a run.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "max_worker_processes = 12\nrestart_after_crash = on\nclient_min_messages = warning\nautovacuum = off\n");
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]) }
sub error_of
{
	my (undef, undef, $error) = $node->psql('postgres', "\\set VERBOSITY verbose\n" . $_[0]);
	return $error;
}

my $options = '"architecture": "hemp", "epochs": 12, "patience": 100, "warmup_batches": 10, "mask_interval": 20, "batch_size": 256, "wide": false';
my $endless = '"epochs": 10000, "patience": 1000, "batch_size": 256, "wide": false';
my $auto = '"resume": "auto"';
my $often = q{SET aread.checkpoint_interval = '100ms'; };

sub start_run
{
	my ($model, $given, $settings) = @_;

	return sql(($settings // '') . qq{SELECT aread_train_start('clicks', '$model', options => '{$given}')});
}
sub await { $node->poll_query_until('postgres', "SELECT $_[1] FROM aread.run WHERE run = $_[0]") or die "run $_[0]: never $_[1]" }
sub column { return sql("SELECT $_[1] FROM aread.run WHERE run = $_[0]") }
sub crc_of { return sql("SELECT string_agg(crc::text, ' ') FROM aread.model WHERE model = '$_[0]'") }

# The files that allow runs to be resumed, and one run's.
my $directory = $node->data_dir . '/pg_stat_tmp';
sub tickets { return map { s|.*/||r } glob "$directory/aread_run_*" }
sub ticket { return "$directory/aread_run_" . sql(q{SELECT oid FROM pg_database WHERE datname = 'postgres'}) . "_$_[0].ticket" }
sub write_file
{
	my ($path, $bytes) = @_;

	open my $file, '>:raw', $path or die "$path: $!";
	print $file $bytes;
	close $file or die "$path: $!";
}

sql(q{
	CREATE EXTENSION aread;
	CREATE TABLE clicks AS SELECT label, domain, user_id, item_id, category, price
		FROM aread_simulate(12000, domains => 6, groups => 2, users => 200, items => 100, strength => 3);
	CREATE ROLE trainer LOGIN; GRANT SELECT ON clicks TO PUBLIC});

#
# What is wrong is found at the call.
#
like(error_of(qq{SELECT aread_train_start('clicks', options => '{$auto}')}), qr/55000: option "resume" cannot be "auto" on this server\n.*HINT:  Add aread to shared_preload_libraries/s, 'nobody would resume it');
like(error_of(qq{SELECT aread_train('clicks', options => '{$auto}')}), qr/22023: option "resume" is for trainings in the background/, 'nor is there anything to resume in the foreground');
like(error_of(q{SELECT aread_train_start('clicks', options => '{"resume": true}')}), qr/option "resume" must be one of "call", "auto"/, 'another value');
like(error_of(q{CREATE TEMP TABLE mine AS SELECT * FROM clicks LIMIT 2000; SELECT aread_train_start('mine')}), qr/42809: a background training cannot read temporary relation "mine"\n.*HINT:  Copy them to a table that stays, or train with aread_train/s, 'a temporary table');
like(error_of(q{CREATE TEMP TABLE mine AS SELECT * FROM clicks LIMIT 2000; CREATE VIEW over AS SELECT * FROM mine; SELECT aread_train_start('over')}), qr/42809: .* temporary relation "over"/, 'a view of one');
like(error_of(q{CREATE TEMP TABLE heir () INHERITS (clicks); SELECT aread_train_start('clicks')}), qr/42809: .* temporary relation "heir"/, 'one that inherits from the source');
is(sql('SELECT count(*) FROM aread.run'), '0', 'no run has begun');

$node->append_conf('postgresql.conf', "shared_preload_libraries = 'aread'\n");
$node->restart;

#
# The log and pg_stat_activity say which run it is.
#
sql(qq{SELECT aread_train('clicks', 'front', options => '{$options}')});
my $crc = crc_of('front');
my $log = -s $node->logfile;
my $run = start_run('shown', $endless);
await($run, 'batch > 5');
is(sql(q{SELECT application_name FROM pg_stat_activity WHERE backend_type = 'aread training'}), "aread run $run", 'pg_stat_activity says which run');
sql("SELECT aread_cancel($run)");
await($run, q{state = 'cancelled'});
$node->wait_for_log(qr/ERROR:  run $run of model "shown" \(role "postgres", database "postgres"\) failed: canceling statement due to user request/, $log);
is(column($run, 'error'), 'canceling statement due to user request', 'its row has the message alone');
sql('CREATE TABLE one_class AS SELECT 1 AS label, domain, user_id FROM clicks; GRANT SELECT ON one_class TO PUBLIC');
$run = sql(q{SET ROLE trainer; SELECT aread_train_start('one_class')});
await($run, q{state = 'failed'});
$node->wait_for_log(qr/ERROR:  run $run of model "one_class" \(role "trainer", database "postgres"\) failed: all \d+ training rows have label 1/, $log);
$run = start_run('done', '"architecture": "wide"');
sql("SELECT aread_wait($run)");
$node->wait_for_log(qr/LOG:  run $run of model "done" \(role "postgres", database "postgres"\) is done: version 1/, $log);
$run = start_run('ended', $endless);
await($run, 'batch > 5');
sql("SELECT pg_terminate_backend(pid, 5000) FROM aread.run WHERE run = $run");
$node->wait_for_log(qr/FATAL:  terminating background worker .*\n.*CONTEXT:  run $run of model "ended" \(role "postgres", database "postgres"\)/, $log);
sql("SELECT aread_cancel($run)");
is(join(' ', tickets()), '', 'no run asked to be resumed');

#
# Resumed, to the same model.
#
sub resumed_after
{
	my ($what, $model, $interrupt) = @_;
	my $number = start_run($model, "$options, $auto", $often);

	await($number, 'checkpoint_at IS NOT NULL AND epoch > 1');
	is(scalar(tickets()), 1, "$what: there is a ticket");
	$interrupt->($number);
	await($number, q{state = 'done'});
	is(crc_of($model), $crc, "$what: the same model");
	is(column($number, 'version, attempts, role, error IS NULL'), '1|2|postgres|t', "$what: by its second worker");
	$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'aread training'}) or die 'a worker stays';
	is(join(' ', tickets()), '', "$what: the ticket is gone");
}
resumed_after('a shutdown', 'shut', sub { $node->restart });
resumed_after('an immediate one', 'immediate', sub { $node->stop('immediate'); $node->start });
resumed_after('a killed worker', 'killed', sub { kill 'KILL', column($_[0], 'pid'); $node->poll_query_until('postgres', 'SELECT true') });
resumed_after('a launcher that was ended, too', 'launcher', sub {
	sql(q{SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE backend_type = 'aread launcher'});
	$node->restart });

# where it cannot be kept in mind the run says so, and goes on
chmod 0500, $directory;
$run = start_run('unwritable', qq{"architecture": "wide", $auto});
is(sql("SELECT aread_wait($run)"), '1', 'a training that cannot write its ticket');
like(column($run, 'messages'), qr/WARNING:  run $run will not be resumed by itself after a restart\nDETAIL:  Could not write file "pg_stat_tmp.*Permission denied.\nHINT:  If it is interrupted, go on with aread_resume/, 'says so');
chmod 0700, $directory;

# those that did not ask for it are left
$run = start_run('patient', $endless, $often);
await($run, 'checkpoint_at IS NOT NULL');
$node->restart;
await($run, q{state = 'interrupted'});
sleep 1;
is(column($run, 'state, attempts'), 'interrupted|1', 'not asked, not resumed');
sql("SELECT aread_cancel($run)");

#
# What is not what a worker wrote.  With the server down, or with its files put
# away, all of it can be changed.
#
my $image;
sub interrupted_run
{
	my ($settings) = @_;
	my $number = start_run('forged', "$endless, $auto", $often . ($settings // ''));

	await($number, 'checkpoint_at IS NOT NULL');
	my $path = ticket($number);
	$node->stop('immediate');
	$image = slurp_file($path);
	unlink $path;
	return ($number, $path);
}
sub left_alone
{
	my ($what, $number, $path, $bytes, $message) = @_;
	my $from = -s $node->logfile;

	write_file($path, $bytes);
	$node->start;
	$node->wait_for_log($message, $from);
	ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'aread training'}), "$what: nobody trains");
	is(column($number, 'state, attempts'), 'interrupted|1', "$what: the run is as it was");
	ok(!-e $path, "$what: the file is gone");
}
my $bad = qr/LOG:  file "pg_stat_tmp\/aread_run_.*" is not what a training wrote/;
($run, my $path) = interrupted_run();
my @forged = (['an empty file', ''], ['a cut one', substr($image, 0, 40)], ['a longer one', $image . 'x'], ['noise', join '', map { chr(($_ * 7919) % 251) } 1 .. length $image],
	map { my $at = $_; my $flipped = $image; substr($flipped, $at, 1) ^= "\1"; ["byte $at flipped", $flipped] } 0, 4, 8, 16, 28, length($image) - 1);
for (@forged)
{
	left_alone($_->[0], $run, $path, $_->[1], $bad);
	$node->stop('immediate');
}
my $other = $path =~ s/_$run\./_77./r;
left_alone('one by another name', $run, $other, $image, $bad);

# a row that others have changed, while its role is asked for nothing
sql(q{CREATE TABLE ran (who name); GRANT INSERT ON ran TO PUBLIC;
	CREATE FUNCTION run_as() RETURNS int LANGUAGE sql AS $$INSERT INTO ran VALUES (current_user); SELECT 0$$;
	CREATE VIEW trap AS SELECT label + run_as() AS label, domain, user_id, item_id, category, price FROM clicks});
for ("source = 'trap'::regclass", q{role = 'trainer'::regrole}, q{options = '{"resume": "auto"}'}, q{settings = NULL})
{
	sql("BEGIN; CREATE TABLE kept AS SELECT * FROM aread.stored_run WHERE run_id = $run; UPDATE aread.stored_run SET $_ WHERE run_id = $run; COMMIT");
	$node->stop;
	left_alone($_, $run, $path, $image, qr/ERROR:  .*failed: run $run is not what role "postgres" started/);
	sql("UPDATE aread.stored_run r SET source = k.source, role = k.role, options = k.options, settings = k.settings FROM kept k WHERE r.run_id = k.run_id; DROP TABLE kept");
}
is(sql('SELECT count(*) FROM ran'), '0', 'nothing of his ran');

# ended, or forgotten
$node->stop;
write_file($path, $image);
$node->start;
await($run, q{state = 'running' AND attempts = 2});
pass('as it was written it is believed');
sql("SELECT aread_cancel($run)");
await($run, q{state = 'cancelled'});
$node->stop;
write_file($path, $image);
$node->start;
sleep 0.1 while -e $path;
is(column($run, 'state, attempts'), 'cancelled|2', 'a run that has ended does not begin anew');
$node->stop;
sub terminated_run
{
	my $number = start_run('given up', "$endless, $auto", $often);

	await($number, 'checkpoint_at IS NOT NULL');
	sql("SELECT pg_terminate_backend(pid, 5000) FROM aread.run WHERE run = $number");
	is(scalar(tickets()), 1, 'a run whose worker was terminated goes on after a restart');
	return $number;
}
$node->start;
for ('aread_cancel', 'aread_forget')
{
	$run = terminated_run();
	sql("SELECT $_($run)");
	is(scalar(tickets()), 0, "$_ takes that back");
}

#
# Roles and databases that are gone; roles that may not be become any more.
#
sql('CREATE ROLE brief LOGIN');
($run, $path) = interrupted_run('SET SESSION AUTHORIZATION brief; ');
$node->start;
sql('DROP ROLE brief');
$node->stop;
left_alone('a role that is gone', $run, $path, $image, qr/LOG:  run $run of database with OID \d+ is not resumed\n.*DETAIL:  The role that started it does not exist any more/);
sql(q{CREATE ROLE app LOGIN; GRANT trainer TO app});
($run, $path) = interrupted_run('SET SESSION AUTHORIZATION app; SET ROLE trainer; ');
$node->start;
sql('REVOKE trainer FROM app');
$node->stop;
left_alone('a membership that is gone', $run, $path, $image, qr/ERROR:  .*(permission denied to set role "trainer"|must be member of role "trainer")/);
sql('CREATE DATABASE other');
$node->safe_psql('other', q{CREATE EXTENSION aread; CREATE TABLE clicks AS SELECT label, domain, user_id, item_id FROM aread_simulate(4000, domains => 4, users => 100, items => 50)});
my $elsewhere = $node->safe_psql('other', qq{SELECT aread_train_start('clicks', options => '{$endless, $auto}')});
$node->poll_query_until('other', "SELECT batch > 5 FROM aread.run WHERE run = $elsewhere") or die 'never at work';
$node->restart;
ok($node->poll_query_until('other', "SELECT state = 'running' AND attempts = 2 FROM aread.run WHERE run = $elsewhere"), 'a run of another database');
$node->safe_psql('other', "SELECT pg_terminate_backend(pid, 5000) FROM aread.run WHERE run = $elsewhere");
$log = -s $node->logfile;
sql('DROP DATABASE other');
$node->restart;
$node->wait_for_log(qr/LOG:  run $elsewhere of database with OID \d+ is not resumed\n.*DETAIL:  Its database does not exist any more/, $log);
is(scalar(tickets()), 0, 'nothing is left of it');

#
# Limits: of a role, of the server, and of what one run may do to it.
#
my @runs = map { sql(qq{SET ROLE trainer; SELECT aread_train_start('clicks', 'limited$_', options => '{$endless, $auto}')}) } 1, 2;
await($_, q{batch > 2}) for @runs;
$node->append_conf('postgresql.conf', "aread.max_runs_per_role = 1\n");
$log = -s $node->logfile;
$node->restart;
$node->wait_for_log(qr/LOG:  run \d+ is not resumed: role "trainer" has as many background trainings as it may/, $log);
my $states = "SELECT string_agg(state, ' ' ORDER BY state) FROM aread.run WHERE run IN (" . join(', ', @runs) . ')';
ok($node->poll_query_until('postgres', "SELECT ($states) = 'interrupted running'"), 'a role has no more of them than it may');
is(scalar(tickets()), 2, 'the other one may go on later');
# one worker is free: the launchers of logical replication and of aread take the others
$node->append_conf('postgresql.conf', "aread.max_runs_per_role = 4\nmax_worker_processes = 3\n");
$node->restart;
ok($node->poll_query_until('postgres', "SELECT ($states) = 'interrupted running'"), 'one finds a worker');
my $first = sql("SELECT run FROM aread.run WHERE state = 'running'");
sql("SELECT aread_cancel($first)");
ok($node->poll_query_until('postgres', "SELECT ($states) = 'cancelled running'"), 'the other one waits for it');
sql("SELECT aread_cancel($_)") for @runs;
await($_, q{state = 'cancelled'}) for @runs;

$run = start_run('crashing', "$endless, $auto");
for (2 .. 6)
{
	await($run, q{state = 'running'});
	kill 'KILL', column($run, 'pid');
	$node->poll_query_until('postgres', 'SELECT true');
	await($run, "attempts = $_");
}
await($run, q{state = 'running'});
$log = -s $node->logfile;
$node->stop('immediate');
$node->start;
$node->wait_for_log(qr/LOG:  run $run of database with OID \d+ is not resumed\n.*DETAIL:  It has been resumed as often as it may/, $log);
is(column($run, 'state, attempts'), 'interrupted|6', 'a run that crashes the server does not do so for ever');
sql("SELECT aread_resume($run)");
await($run, q{state = 'running'});
is(scalar(tickets()), 1, 'resumed by hand it may go on again');

#
# Copies of the server have no runs to go on with.
#
$node->backup('copy');
is(join(' ', glob($node->backup_dir . '/copy/pg_stat_tmp/aread*')), '', 'a base backup has no ticket');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
$node->stop('immediate');
$standby->promote;
$standby->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'aread launcher'}) or die 'no launcher';
is($standby->safe_psql('postgres', "SELECT state FROM aread.run WHERE run = $run"), 'interrupted', 'a promoted standby resumes nothing by itself');
$standby->safe_psql('postgres', "SELECT aread_resume($run)");
ok($standby->poll_query_until('postgres', "SELECT state = 'running' FROM aread.run WHERE run = $run"), 'but when it is asked to');
$standby->stop;
done_testing();
