# Faults, in a library built with FAULTS=1: allocations and writes that fail,
# shared memory and threads refused, processes and servers killed in each phase.
# Whatever happens, no part of a model is there afterwards, no temporary file,
# no shared memory, and earlier models score as before.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "restart_after_crash = on\nclient_min_messages = warning\naread.batch_scan = off\nlog_min_messages = fatal\n");   # scores are compared to the bit
$node->start;
my $tiny = '"architecture": "hemp", "embed_dim": 4, "mmoe_experts": 2, "mmoe_dims": [16, 8], "hei_experts": [2, 3, 4], "hei_hidden": [8, 8, 4], "hei_output": [8, 4, 4], "batch_size": 256, "candidates": 2, "warmup_batches": 3, "mask_interval": 4';
$node->safe_psql('postgres', qq{
	CREATE EXTENSION aread;
	CREATE TABLE clicks AS SELECT label, domain, user_id, item_id, price, ARRAY[item_id, category] AS list FROM aread_simulate(3000, domains => 4, groups => 2, users => 60, items => 40, strength => 3);
	SELECT aread_train('clicks', 'm', options => '{"epochs": 2, $tiny}');
	CREATE TABLE score AS SELECT c.*, aread_predict('m', c) AS p FROM clicks c LIMIT 200});

sub sql { return $node->safe_psql('postgres', $_[0]) }

# Segments of dynamic shared memory; other servers of this machine have some, too.
sub segments { return { map { $_ => 1 } glob('/dev/shm/PostgreSQL.*') } }

my $remains = q{SELECT (SELECT count(*) FROM aread.stored_model) || ' ' || (SELECT count(*) FROM aread.stored_version) || ' ' || (SELECT count(DISTINCT version_id) FROM aread.stored_chunk)
	|| ' ' || (SELECT count(DISTINCT version_id) FROM aread.stored_domain) || ' ' || (SELECT count(*) FROM pg_ls_tmpdir()) || ' ' || (SELECT count(*) FROM aread.stored_checkpoint)};
my $same = 'SELECT bool_and(aread_predict(\'m\', s) = p) FROM score s';
sub intact
{
	my ($what) = @_;

	is(sql($remains), '1 1 1 1 0 0', "$what: nothing of it remains");
	is(sql($same), 't', "$what: earlier models score as before");
}

#
# The n-th time that a point is reached it fails, for n from 1 until it is not reached any more.
#
my $injected = 0;
sub sweep
{
	my ($point, $statement, $steps, $expected) = @_;
	my $out = sql(qq{
		CREATE OR REPLACE FUNCTION sweep() RETURNS text LANGUAGE plpgsql AS \$f\$
		DECLARE n int := 1; faults int := 0; codes text[] := '{}'; state text;
		BEGIN
			LOOP
				PERFORM set_config('aread.fault', '$point:' || n, false);
				BEGIN
					$statement;
					state := 'ok';
					PERFORM set_config('aread.fault', '', false);
					RAISE 'undo' USING ERRCODE = 'P0099';
				EXCEPTION WHEN SQLSTATE 'P0099' THEN NULL;
					WHEN OTHERS THEN state := SQLSTATE; faults := faults + 1;
				END;
				IF NOT state = ANY (codes) THEN codes := codes || state; END IF;
				EXIT WHEN state = 'ok' AND n > 1;
				n := n + CASE WHEN n < $steps THEN 1 ELSE n / 10 + 1 END;
			END LOOP;
			PERFORM set_config('aread.fault', '', false);
			RETURN faults || ' ' || array_to_string(ARRAY(SELECT c FROM unnest(codes) c ORDER BY c), ',');
		END \$f\$;
		SELECT sweep();
		$same});
	my ($faults, $codes, $scores) = $out =~ /^(\d+) (\S*)\n(\w)$/ or die $out;

	diag("$point: $faults faults in: $statement");
	$injected += $faults;
	cmp_ok($faults, '>', 0, "$point: was reached");
	is($codes, $expected, "$point: ends in a clear error");
	is($scores, 't', "$point: the session scores as before");
	intact("$point");
}

my $train = qq{PERFORM aread_train('clicks', 'x', options => '{"epochs": 2, $tiny}')};
sweep('allocation', $train, 60, '53200,ok');
sweep('allocation', q{PERFORM aread_cache_clear(shared => true); PERFORM aread_predict('m', s) FROM score s LIMIT 3}, 100, '53200,ok');
sweep('allocation', q{PERFORM aread_cache_clear(shared => true); PERFORM set_config('aread.batch_scan', 'on', true); PERFORM sum(aread_predict('m', s)) FROM score s}, 100, '53200,ok');
sweep('allocation', q{PERFORM aread_evaluate('m', 'clicks')}, 60, '53200,ok');
sweep('allocation', q{PERFORM aread_explain('m', s) FROM score s LIMIT 2}, 60, '53200,ok');
sweep('allocation', q{PERFORM count(*) FROM aread_augment(NULL::clicks)}, 60, '53200,ok');
sweep('store', $train, 100, '53100,ok');
sweep('store', q{PERFORM aread_import(aread_export('m'), 'x')}, 100, '53100,ok');
sweep('load', q{PERFORM aread_cache_clear(shared => true); PERFORM aread_predict('m', s) FROM score s LIMIT 1}, 100, '58030,ok');
# rows in files, and a disk that is full
sql('CREATE TABLE many AS SELECT c.* FROM clicks c, generate_series(1, 40)');
sweep('spill', q{PERFORM set_config('aread.training_memory', '1MB', true); PERFORM aread_train('many', 'x', options => '{"architecture": "wide"}')}, 5, '53100,ok');
my (undef, undef, $error) = $node->psql('postgres', q{SET temp_file_limit = '1MB'; SET aread.training_memory = '1MB'; SELECT aread_train('many', 'x', options => '{"architecture": "wide"}')});
like($error, qr/temporary file size exceeds "?temp_file_limit"?/, 'a limit on temporary files holds');
intact('temp_file_limit');

#
# Refused: shared memory, threads.
#
for my $point ('shmem', 'segment')
{
	sql('SELECT aread_cache_clear(shared => true)');
	my (undef, $out, $told) = $node->psql('postgres', qq{LOAD 'aread'; SET aread.fault = '$point:1'; $same});
	like($out, qr/t$/, "$point refused: scores all the same");
	like($told, qr/WARNING:  models cannot be kept in shared memory: no shared memory: fault/, "$point refused: one warning");
	$injected++;
}
for my $point ('threads', 'blas')
{
	my $crc = sql(qq{LOAD 'aread'; SET aread.fault = '$point:1'; BEGIN; SELECT aread_train('clicks', 'x', options => '{"epochs": 2, $tiny}') IS NULL;
		SELECT count(DISTINCT crc) FROM aread.model; ROLLBACK; $same});
	is($crc, "f\n1\nt", "$point refused: trains the same model alone");
	$injected++;
}

#
# Killed in each phase: the process, and the server.
#
# The server takes a moment to see that a process has died.
sub recovered
{
	for (1 .. 3)
	{
		select(undef, undef, undef, 0.2);
		$node->poll_query_until('postgres', 'SELECT true') or die 'does not come back';
	}
}
my @phases = ('read:1', 'start:1', 'warm-up:2', 'mask update:3', 'training:2', 'store:1', 'store:9');
for my $phase (@phases)
{
	my (undef, undef, $gone) = $node->psql('postgres', qq{SET aread.fault = '$phase:kill'; SELECT aread_train('clicks', 'x', options => '{"epochs": 2, $tiny}')});
	like($gone, qr/server closed the connection unexpectedly|terminating connection/, "killed at $phase");
	recovered();
	intact("killed at $phase");
	$injected++;
}
# in the background: each phase, then resumed to the same model
sql(qq{SELECT aread_train('clicks', 'whole', options => '{"epochs": 2, $tiny}')});
my $crc = sql(q{SELECT crc FROM aread.model WHERE model = 'whole'});
for my $phase (@phases, 'store:20')
{
	sql(qq{ALTER DATABASE postgres SET aread.fault = '$phase:kill'});
	# the worker may be gone, and the server with it, before this session has its answer
	$node->psql('postgres', qq{SET aread.fault = ''; SET aread.checkpoint_interval = 0; SELECT aread_train_start('clicks', 'x', options => '{"epochs": 2, $tiny}')});
	for (1 .. 600)
	{
		my ($status, $state) = $node->psql('postgres', 'SELECT state FROM aread.run ORDER BY run DESC LIMIT 1');
		last if $status == 0 && ($state // '') !~ /starting|running/;
		select(undef, undef, undef, 0.1);
	}
	recovered();
	sql('ALTER DATABASE postgres RESET aread.fault');
	my $run = sql('SELECT max(run) FROM aread.run');
	is(sql("SELECT state FROM aread.run WHERE run = $run"), 'interrupted', "a run killed at $phase is interrupted");
	is(sql(q{SELECT count(*) FROM aread.model WHERE model = 'x'}), '0', "a run killed at $phase leaves no model");
	sql("SELECT aread_resume($run)");
	is(sql("SELECT aread_wait($run)") . ' ' . sql(q{SELECT crc FROM aread.model WHERE model = 'x'}), "1 $crc", "a run killed at $phase goes on to the same model");
	sql(q{SELECT aread_drop('x')});
	$injected++;
}
sql(q{SELECT aread_drop('whole')});
intact('runs');
for my $phase (@phases)
{
	# the statement waits in its phase for the server's end
	my $run = IPC::Run::start(['psql', '-X', '-d', $node->connstr('postgres'), '-c', "SELECT aread_train('clicks', 'x', options => '{\"epochs\": 10000, \"patience\": 1000, $tiny}')"], '>', \my $o, '2>', \my $e);
	select(undef, undef, undef, 0.05 + rand(0.4));
	$node->stop('immediate');
	$run->finish;
	$node->start;
	intact('the server stopped at once');
	$injected++;
}

my $before = segments();
$node->stop;
my $after = segments();
cmp_ok(scalar(keys %$before), '>', scalar(grep { $before->{$_} } keys %$after), 'the server had shared memory, and gives it back');
$node->start;
intact('at the end');
$node->stop;
diag("$injected faults injected");
done_testing();
