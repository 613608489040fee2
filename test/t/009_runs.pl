# Trainings in the background: they survive their client, are seen, cancelled,
# interrupted by whatever ends a server or a worker, and go on from a checkpoint
# to the model of a training that was never interrupted.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "max_worker_processes = 5\nwal_keep_size = 2GB\nrestart_after_crash = on\nmax_parallel_workers = 0\nclient_min_messages = warning\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION aread;
	CREATE TABLE clicks AS SELECT label, domain, user_id, item_id, category, price, ARRAY[category, age_band] AS tags
		FROM aread_simulate(12000, domains => 6, groups => 2, users => 200, items => 100, strength => 3)});

# Several seconds of batches and mask updates.
my $options = '{"architecture": "hemp", "epochs": 12, "patience": 100, "warmup_batches": 10, "mask_interval": 20, "batch_size": 256, "wide": false}';
# Until it is told to end.
my $endless = '{"epochs": 10000, "patience": 1000, "batch_size": 256, "wide": false}';

sub sql { return $node->safe_psql('postgres', $_[0]) }

# The error of a statement, with its SQLSTATE.
sub error_of
{
	my (undef, undef, $error) = $node->psql('postgres', "\\set VERBOSITY verbose\n" . $_[0]);
	return $error;
}

# A run's number and, before that, settings of the session that starts it.
sub start_run
{
	my ($model, $given, $settings) = @_;

	return sql(($settings // '') . qq{SELECT aread_train_start('clicks', '$model', options => '$given')});
}

sub await
{
	my ($run, $condition) = @_;

	$node->poll_query_until('postgres', "SELECT $condition FROM aread.run WHERE run = $run") or die "run $run: never $condition";
}

sub run_column
{
	my ($run, $column) = @_;

	return sql("SELECT $column FROM aread.run WHERE run = $run");
}

sub crc_of { return sql("SELECT string_agg(crc::text, ' ' ORDER BY version) FROM aread.model WHERE model = '$_[0]'") }

#
# The same model as in the foreground.
#
sql(qq{SELECT aread_train('clicks', 'front', options => '$options')});
my $crc = crc_of('front');
my $asked = time;
my $run = start_run('back', $options);
cmp_ok(time - $asked, '<', 2, 'the call returns at once');
is(run_column($run, 'state IN (\'starting\', \'running\')'), 't', 'it is at work when its client has gone');
is(sql("SELECT aread_wait($run)"), '1', 'one can wait for it');
is(crc_of('back'), $crc, 'it makes the model that the foreground makes');
is(run_column($run, 'model, version, role, source, state, attempts, pid IS NULL, error IS NULL, epoch, epochs'), 'back|1|postgres|public.clicks|done|1|t|t|12|12', 'and is on record');
like(run_column($run, 'messages'), qr/NOTICE:  epoch 1 of 12: loss/, 'with its messages');
is(sql('SELECT count(*) FROM aread.stored_checkpoint'), '0', 'no checkpoint is left');
is(sql("SELECT aread_cancel($run)"), 'f', 'what is done cannot be cancelled');
like(error_of("SELECT aread_resume($run)"), qr/55000: run $run cannot be resumed: it is done/, 'nor resumed');

# transactions
is(sql(qq{BEGIN; SELECT aread_train_start('clicks', 'undone', options => '$options'); ROLLBACK; SELECT count(*) FROM aread.run WHERE model = 'undone'}), ($run + 1) . "\n0", 'a rollback takes it back');
sql(qq{BEGIN; SAVEPOINT a; SELECT aread_train_start('clicks', 'undone', options => '$options'); ROLLBACK TO a; COMMIT});
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'aread training'}) or die 'a worker stays';
is(sql(q{SELECT count(*) FROM aread.model WHERE model = 'undone'}), '0', 'and its worker goes away');
like(error_of(q{DO $$ BEGIN PERFORM aread_wait(aread_train_start('clicks', 'undone')); END $$}), qr/55000: run \d+ begins when this transaction commits/, 'waiting for oneself is an error');
like(error_of(q{BEGIN; SELECT aread_cancel(aread_train_start('clicks', 'undone'))}), qr/begins when this transaction commits/, 'cancelling before it begins, too');
is(sql(q{BEGIN; CREATE TABLE fresh AS SELECT * FROM clicks LIMIT 2000; SELECT aread_train_start('fresh', 'fresh', options => '{"architecture": "wide"}') > 0; COMMIT;
	SELECT aread_wait(max(run)) FROM aread.run}), "t\n1", 'it sees what its transaction did');

# what is wrong is found at once
like(error_of(q{SELECT aread_train_start('clicks', 'x', label => 'lable')}), qr/42703: column "lable"/, 'a wrong column');
like(error_of(q{SELECT aread_train_start('clicks', 'x', options => '{"epoch": 3}')}), qr/option "epoch"/, 'a wrong option');
like(error_of(q{SELECT aread_wait(12345)}), qr/42704: run 12345 does not exist/, "no such run ($_)") for 'wait';
like(error_of(q{SELECT aread_cancel(12345)}), qr/42704: run 12345 does not exist/, 'no such run (cancel)');
# and what is found later is on record
sql('CREATE TABLE one_class AS SELECT 1 AS label, domain, user_id FROM clicks');
$run = sql(q{SELECT aread_train_start('one_class')});
like(error_of("SELECT aread_wait($run)"), qr/22023: run $run failed: all \d+ training rows have label 1\nHINT:  A model needs negative rows too/, 'its error is raised by who waits');
like(run_column($run, 'state, error'), qr/^failed\|all \d+ training rows have label 1$/, 'and recorded');
sql("SELECT aread_forget($run)");
is(sql("SELECT count(*) FROM aread.run WHERE run = $run"), '0', 'a run can be forgotten');

#
# Seen while at work, in the background and in the foreground.
#
$run = start_run('endless', $endless);
await($run, q{epoch > 0 AND batch > 10});
is(run_column($run, q{state, phase IN ('warm-up', 'mask update', 'training'), epoch > 0, epochs, batches, loss > 0, rows_per_second > 0, ends_at > now(), pid > 0}), 'running|t|t|10000|38|t|t|t|t', 'progress');
is(sql("SELECT aread_wait($run, '100 ms')"), '', 'waiting has a limit');
my $front = IPC::Run::start(['psql', '-X', '-d', $node->connstr('postgres'), '-c', qq{SELECT aread_train('clicks', 'watched', options => '$endless')}], '>', \my $out, '2>', \my $err);
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM aread.run WHERE run IS NULL AND batch > 5}) or die 'a foreground training is not seen';
is(sql(q{SELECT model, state, role, source, epochs, pid IN (SELECT pid FROM pg_stat_activity WHERE query LIKE '%watched%') FROM aread.run WHERE run IS NULL}), 'watched|running|postgres|public.clicks|10000|t', 'a training in the foreground is seen, too');
sql('CREATE ROLE stranger LOGIN; CREATE ROLE watcher LOGIN; GRANT pg_read_all_stats TO watcher');
is($node->safe_psql('postgres', 'SELECT count(*) FROM aread.run', extra_params => ['-U', 'stranger']), '0', 'but not by strangers');
is($node->safe_psql('postgres', 'SELECT model FROM aread.run WHERE run IS NULL', extra_params => ['-U', 'watcher']), 'watched', 'who may read all statistics sees it');
sql(q{SELECT pg_terminate_backend(pid, 5000) FROM aread.run WHERE run IS NULL});
is(sql('SELECT count(*) FROM aread.run WHERE run IS NULL'), '0', 'it is seen no more when its session is gone');
$front->finish;

# cancelled
for my $call ("aread_cancel($run)", "aread_wait($run, '1 ms')", "aread_resume($run)", "aread_forget($run)")
{
	my (undef, undef, $error) = $node->psql('postgres', "SELECT $call", extra_params => ['-U', 'stranger']);
	like($error, qr/permission denied for run $run/, "$call is not for strangers");
}
like(error_of("SELECT aread_forget($run)"), qr/55006: run $run is at work/, 'what is at work is not forgotten');
like(error_of("SELECT aread_resume($run)"), qr/cannot be resumed: it is running/, 'nor resumed');
$asked = time;
is(sql("SELECT aread_cancel($run)"), 't', 'cancelled');
await($run, q{state = 'cancelled'});
cmp_ok(time - $asked, '<', 1.5, 'within a second or so');
like(error_of("SELECT aread_wait($run)"), qr/57014: run $run was cancelled: canceling statement due to user request/, 'who waits is told');
is(sql(q{SELECT count(*) FROM aread.model WHERE model = 'endless'}), '0', 'no model');

# no worker is free: three endless ones beside the launcher of logical replication, and a fourth
my @runs = map { start_run("endless$_", $endless) } 1 .. 4;
like(error_of(q{SELECT aread_train_start('clicks', 'one_too_many')}), qr/53400: no background worker is free for the training\nHINT:  Wait for another one to end, or raise max_worker_processes/, 'no worker is free');
is(sql(q{SELECT count(*) FROM aread.run WHERE model = 'one_too_many'}), '0', 'and no run is there');
sql("SELECT aread_cancel($_)") for @runs;
await($_, q{state = 'cancelled'}) for @runs;

#
# Interrupted, and resumed.
#
my $often = q{SET aread.checkpoint_interval = '100ms'; };
sub resumed_after
{
	my ($what, $end, $model, $settings, $given, $expected) = @_;
	my $number = start_run($model, $given // $options, $often . ($settings // ''));

	await($number, 'checkpoint_at IS NOT NULL AND epoch > 1');
	$end->($number);
	await($number, q{state = 'interrupted'});
	is(run_column($number, 'checkpoint_bytes > 10000, pid IS NULL'), 't|t', "$what: there is a checkpoint");
	is(sql(qq{SELECT count(*) FROM aread.model WHERE model = '$model'}), '0', "$what: but no model");
	like(error_of("SELECT aread_wait($number)"), qr/55000: run $number was interrupted\nDETAIL:  There is a checkpoint to go on from.\nHINT:  Go on with aread_resume/, "$what: who waits is told");
	sql("SELECT aread_resume($number)");
	is(sql("SELECT aread_wait($number)"), '1', "$what: resumed");
	is(crc_of($model), $expected // $crc, "$what: the same model as without it");
	is(run_column($number, 'state, attempts, checkpoint_at IS NULL'), 'done|2|t', "$what: on record");
	is(sql('SELECT count(*) FROM aread.stored_checkpoint') . sql('SELECT count(*) FROM pg_ls_tmpdir()'), '00', "$what: nothing remains");
	return $number;
}

sub terminate { sql("SELECT pg_terminate_backend(pid, 5000) FROM aread.run WHERE run = $_[0]") }

$run = resumed_after('a terminated worker', \&terminate, 'terminated');
my $history = q{SELECT e.number, e.batches, e.train_loss, e.measures, e.mask_updates, e.best FROM aread.stored_evaluation e JOIN aread.visible_version v USING (version_id) WHERE v.model = '%s'};
my $masks = q{SELECT u.number, u.domain, u.batches, u.loss, u.steps, u.gates FROM aread.stored_mask_update u JOIN aread.visible_version v USING (version_id) WHERE v.model = '%s'};
for ($history, $masks)
{
	is(sql('SELECT count(*) FROM ((' . sprintf($_, 'front') . ') EXCEPT (' . sprintf($_, 'terminated') . ')) d'), '0', 'with the same history');
	cmp_ok(sql('SELECT count(*) FROM (' . sprintf($_, 'terminated') . ') n'), '>', 10, 'of some length');
}
resumed_after('a killed worker', sub { kill 'KILL', run_column($_[0], 'pid'); $node->poll_query_until('postgres', 'SELECT true') }, 'killed');
resumed_after('a server that stops at once', sub { $node->stop('immediate'); $node->start }, 'immediate');
# the worker leaves, and so the server can start again
resumed_after('a postmaster that is killed', sub {
	my ($number) = @_;
	my @processes = (run_column($number, 'pid'), sql(q{SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)}));
	my $until = time + 10;

	$node->kill9;
	sleep 0.1 while kill(0, @processes) && time < $until;
	is(kill(0, $processes[0]), 0, 'a postmaster that is killed: its worker leaves');
	$node->start }, 'orphan');
resumed_after('a server that is shut down', sub { $node->restart }, 'shut');
resumed_after('another number of threads, rows in files', \&terminate, 'files', q{SET aread.threads = 1; SET aread.training_memory = '1MB'; });
resumed_after('rows in another order', sub { terminate(@_); sql('CREATE TABLE copy AS SELECT * FROM clicks ORDER BY random(); TRUNCATE clicks; INSERT INTO clicks SELECT * FROM copy; DROP TABLE copy') }, 'shuffled');
resumed_after('a source renamed', sub { terminate(@_); sql('ALTER TABLE clicks RENAME TO renamed') }, 'renamed');
sql('ALTER TABLE renamed RENAME TO clicks');

# every architecture, those without batches as a whole; and options that have no effect on it
my %uses = map { $_ => { map { $_ => 1 } split /\n/, sql("SELECT unnest(architectures) FROM aread_options() WHERE option = '$_'") } } 'learning_rate', 'mask_interval';
for my $architecture (split /\n/, sql(q{SELECT unnest(choices) FROM aread_options() WHERE option = 'architecture'}))
{
	my $of = sub { return qq{{"architecture": "$architecture", "epochs": $_[0], "patience": 10000, "batch_size": 256, "mask_interval": 100}} };
	my $epochs = 4;
	my (undef, undef, $told) = $node->psql('postgres', qq{SET client_min_messages = notice; SELECT aread_train('clicks', 'front $architecture', options => '} . $of->($epochs) . q{')});
	# so many epochs that there is time to interrupt it
	my $seconds = sql(qq{SELECT seconds FROM aread.model WHERE model = 'front $architecture'});
	if ($seconds < 1.5)
	{
		$epochs += int(6 / $seconds);
		sql(qq{SELECT aread_drop('front $architecture'), aread_train('clicks', 'front $architecture', options => '} . $of->($epochs) . q{')});
	}
	my $expected = crc_of("front $architecture");
	if ($uses{learning_rate}{$architecture})
	{
		$run = resumed_after($architecture, \&terminate, $architecture, undef, $of->($epochs), $expected);
	}
	else
	{
		$run = start_run($architecture, $of->($epochs), $often);
		is(sql("SELECT aread_wait($run)") . ' ' . crc_of($architecture), "1 $expected", "$architecture: the model that the foreground makes");
	}
	is($told =~ /NOTICE:  options without effect on architecture "$architecture": (?:\w+, )*mask_interval\b/, !$uses{mask_interval}{$architecture}, "$architecture: an option without effect is told");
}

# rows that changed
$run = start_run('changed', $options, $often);
await($run, 'checkpoint_at IS NOT NULL');
terminate($run);
sql('CREATE TABLE kept AS SELECT * FROM clicks LIMIT 1; DELETE FROM clicks WHERE ctid = (SELECT min(ctid) FROM clicks)');
sql("SELECT aread_resume($run)");
like(error_of("SELECT aread_wait($run)"), qr/55000: run $run failed: the rows of public.clicks have changed since run $run was interrupted\nDETAIL:  Its checkpoint is of other rows.\nHINT:  Start anew/, 'not with other rows');
sql('INSERT INTO clicks SELECT * FROM kept');
sql("SELECT aread_resume($run)");
is(sql("SELECT aread_wait($run)") . crc_of('changed'), '1' . $crc, 'with the rows as they were it goes on');

# bytes that changed, and a checkpoint of another version
$run = start_run('flipped', $options, $often);
await($run, 'checkpoint_at IS NOT NULL');
terminate($run);
sql(q{CREATE TABLE good AS SELECT * FROM aread.stored_checkpoint;
	UPDATE aread.stored_checkpoint SET data = set_byte(data, 40, get_byte(data, 40) # 1) WHERE name = 'params' AND chunk = 0});
sql("SELECT aread_resume($run)");
like(error_of("SELECT aread_wait($run)"), qr/XX001: run $run failed: stored checkpoint "params" is corrupt/, 'a flipped bit is found');
sql(q{UPDATE aread.stored_checkpoint c SET data = substr(g.data, 1, 100) FROM good g WHERE g.name = c.name AND g.chunk = c.chunk AND c.name = 'head'});
sql("SELECT aread_resume($run)");
like(error_of("SELECT aread_wait($run)"), qr/XX001: run $run failed: stored checkpoint "head" is corrupt/, 'so is a cut part');
sql(q{UPDATE aread.stored_run SET software = 'aread 9'});
like(error_of("SELECT aread_resume($run)"), qr/the checkpoint of run $run was written by aread 9/, 'another version is told');
is(sql("SELECT aread_cancel($run)") . run_column($run, 'state'), 'tcancelled', 'a run that failed can be given up');
is(sql('SELECT count(*) FROM aread.stored_checkpoint'), '0', 'with its checkpoint');

#
# Roles.
#
sql(q{
	CREATE ROLE app LOGIN; CREATE ROLE trainer NOLOGIN; GRANT trainer TO app;
	CREATE TABLE private AS SELECT * FROM clicks LIMIT 3000; ALTER TABLE private OWNER TO trainer;
	CREATE FUNCTION definer_start() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$SELECT aread_train_start('private', 'defined', options => '{"architecture": "wide"}')$$;
	ALTER FUNCTION definer_start() OWNER TO trainer});
my @as_app = (extra_params => ['-U', 'app']);
my $number = $node->safe_psql('postgres', q{SET ROLE trainer; SELECT aread_train_start('private', 'theirs', options => '{"architecture": "wide"}')}, @as_app);
is($node->safe_psql('postgres', "SELECT aread_wait($number)", @as_app), '1', 'a role without LOGIN trains');
$number = $node->safe_psql('postgres', 'SELECT definer_start()', @as_app);
is($node->safe_psql('postgres', "SELECT aread_wait($number)", @as_app), '1', 'so does the owner of a SECURITY DEFINER function');
is(sql(q{SELECT string_agg(model || ' ' || owner, ', ' ORDER BY model) FROM aread.model WHERE model IN ('theirs', 'defined')}), 'defined trainer, theirs trainer', 'and owns the model');
(undef, undef, my $refused) = $node->psql('postgres', q{SELECT aread_train_start('clicks', 'denied')}, extra_params => ['-U', 'stranger']);
like($refused, qr/permission denied for table clicks/, 'who may read nothing of a table starts nothing');
sql('GRANT SELECT (label) ON clicks TO stranger');
$number = $node->safe_psql('postgres', q{SELECT aread_train_start('clicks', 'denied')}, extra_params => ['-U', 'stranger']);
like(error_of("SELECT aread_wait($number)"), qr/42501: run $number failed: permission denied for table clicks/, 'reading needs SELECT');
# a view of another role must not become the session's user, a superuser here
sql(q{
	CREATE SCHEMA stranger AUTHORIZATION stranger;
	CREATE FUNCTION stranger.climb() RETURNS int LANGUAGE plpgsql AS $$BEGIN EXECUTE 'RESET ROLE'; RETURN 0; END$$;
	CREATE VIEW stranger.trap AS SELECT stranger.climb() AS label, domain, user_id FROM clicks;
	GRANT SELECT ON clicks TO stranger; ALTER VIEW stranger.trap OWNER TO stranger;
	GRANT trainer TO postgres; GRANT USAGE ON SCHEMA stranger TO trainer; GRANT SELECT ON stranger.trap TO trainer});
$number = sql(q{SET ROLE trainer; SELECT aread_train_start('stranger.trap', 'trapped')});
like(error_of("SELECT aread_wait($number)"), qr/run $number failed: cannot set parameter "role" within security-definer function/, 'a view cannot become the session\'s user');
# settings of the session go with it
sql(q{
	CREATE SCHEMA a; CREATE TABLE a.answer AS SELECT 1 AS x;
	CREATE FUNCTION answer() RETURNS int LANGUAGE plpgsql STABLE AS $$BEGIN RETURN (SELECT x FROM answer); END$$;
	CREATE VIEW by_path AS SELECT label * answer() AS label, domain, user_id FROM clicks LIMIT 2000});
$number = sql(q{SET search_path = a, public; SELECT aread_train_start('by_path', options => '{"architecture": "wide"}')});
is(sql("SELECT aread_wait($number)"), '1', 'the search_path goes with it');
# a role dropped and made anew
sql(q{CREATE ROLE brief; GRANT SELECT ON clicks TO brief; GRANT brief TO app});
$number = $node->safe_psql('postgres', qq{SET ROLE brief; $often SELECT aread_train_start('clicks', 'brief', options => '$endless')}, @as_app);
await($number, 'checkpoint_at IS NOT NULL');
terminate($number);
sql('DROP OWNED BY brief; DROP ROLE brief; CREATE ROLE brief; GRANT brief TO app; GRANT SELECT ON clicks TO brief');
is($node->safe_psql('postgres', "SET ROLE brief; SELECT count(*) FROM aread.run WHERE run = $number", @as_app), '0', 'a role made anew does not inherit runs');
my (undef, undef, $denied) = $node->psql('postgres', "SET ROLE brief; SELECT aread_resume($number)", @as_app);
like($denied, qr/permission denied for run $number/, 'nor resumes them');
like(error_of("SELECT aread_resume($number)"), qr/42704: role "brief", which started run $number, does not exist any more/, 'nobody trains as it');
sql("SELECT aread_forget($number)");

#
# Messages and errors of a megabyte: their beginning is kept, up to a whole character.
#
sql(q{CREATE DATABASE loud ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0});
sub loud { return $node->safe_psql('loud', $_[0]) }
loud(q{
	CREATE EXTENSION aread;
	CREATE FUNCTION long() RETURNS text LANGUAGE sql AS $$SELECT 'x' || repeat(chr(228), 500000)$$;
	CREATE FUNCTION shout(i bigint) RETURNS int LANGUAGE plpgsql AS $$
	BEGIN
		IF i <= 20 THEN RAISE NOTICE '%', long() USING DETAIL = long(), HINT = long(); END IF;
		IF i = 500 THEN RAISE EXCEPTION '%', long() USING DETAIL = long(), HINT = long(); END IF;
		RETURN 0;
	END$$;
	CREATE VIEW clicks AS SELECT label + shout(row_number() OVER ()) AS label, domain, user_id FROM aread_simulate(600, domains => 3, users => 20, items => 10);
	-- what is left of a long text, and does it end as it should?
	CREATE FUNCTION is_clipped(line text, label text, bytes int) RETURNS bool LANGUAGE sql AS $$
		SELECT octet_length(line) BETWEEN 4000 AND bytes AND rtrim(line, '.') = label || 'x' || repeat(chr(228), length(rtrim(line, '.')) - length(label) - 1)$$});
$number = loud(q{SELECT aread_train_start('clicks', 'loud', options => '{"architecture": "wide"}')});
$node->poll_query_until('loud', "SELECT state = 'failed' FROM aread.run WHERE run = $number") or die 'never fails';
is(loud(q{SELECT is_clipped(error, '', 65540), is_clipped(error_detail, '', 65540), is_clipped(error_hint, '', 65540) FROM aread.run}), 't|t|t', 'an error of megabytes');
is(loud(q{SELECT octet_length(messages) BETWEEN 60000 AND 100000 FROM aread.run}), 't', 'messages of megabytes');
is(loud(q{SELECT count(DISTINCT label), count(*) >= 8, bool_and(is_clipped(line, label, 8220)) FROM aread.run, regexp_split_to_table(messages, '\n') line, substring(line FROM '^\w+:  (?=x)') label WHERE label <> ''}), '3|t|t', 'each of them');

#
# A standby shows runs; promoted, it goes on with them.
#
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$run = start_run('moved', $options, $often);
await($run, 'checkpoint_at IS NOT NULL AND epoch > 1');
terminate($run);
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($standby->safe_psql('postgres', "SELECT state, checkpoint_at IS NOT NULL FROM aread.run WHERE run = $run"), 'running|t', 'a standby shows what it was told last');
my (undef, undef, $error) = $standby->psql('postgres', q{SELECT aread_train_start('clicks', 'no')});
like($error, qr/cannot execute aread_train_start\(\) in a read-only transaction/, 'and starts nothing');
$node->stop;
$standby->promote;
is($standby->safe_psql('postgres', "SELECT state FROM aread.run WHERE run = $run"), 'interrupted', 'promoted, it sees that the run is interrupted');
$standby->safe_psql('postgres', "SELECT aread_resume($run)");
is($standby->safe_psql('postgres', "SELECT aread_wait($run)"), '1', 'goes on with it');
is($standby->safe_psql('postgres', q{SELECT crc FROM aread.model WHERE model = 'moved'}), $crc, 'to the same model');
$standby->stop;

done_testing();
