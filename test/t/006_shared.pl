# Models in shared memory: one copy for all sessions, as every snapshot sees
# them; what happens without room; models loaded when the server starts.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "fsync = off\njit = off\nmax_connections = 100\nclient_min_messages = warning\nrestart_after_crash = on\nmax_parallel_workers_per_gather = 0\n");
$node->start;

# The same small model, and one whose weights are some megabytes.
my $set_up = q{
	CREATE EXTENSION aread;
	CREATE TABLE seen AS SELECT label, domain, user_id, item_id, ARRAY[user_id % 3, item_id % 5, 0.5]::real[] AS emb, price, category::text FROM aread_simulate(20000, domains => 4, groups => 2, users => 12000, items => 300, strength => 3);
	CREATE FUNCTION train(model text, seed int) RETURNS int LANGUAGE sql AS $$
		SELECT version FROM aread_train('seen', model, options => jsonb_build_object('epochs', 1, 'embed_dim', 128, 'mmoe_dims', '[8]'::jsonb, 'l2_wide', 10,
			'warmup_batches', 5, 'mask_interval', 50, 'candidates', 1, 'seed', seed, 'features', '{"price": {"kind": "piecewise", "bins": 4}}'::jsonb, 'crosses', '[["user_id", "item_id"]]'::jsonb, 'cross_buckets', 99,
			'history', '{"length": 5, "side": ["category"], "attention": true, "dislikes": true}'::jsonb)) $$;
	SELECT train('shop', 1)};
my $score = q{SELECT aread_predict('shop', '{"user_id": 5, "item_id": 7, "emb": [2, 2, 0.5], "price": 5, "category": 1}', 'domain_02')};
my $shared = q{SELECT model, version FROM aread.cache WHERE place = 'shared' ORDER BY 1, 2};
$node->safe_psql('postgres', $set_up);

sub rows { my ($sql, $database) = @_; return $node->safe_psql($database // 'postgres', $sql); }

#
# Loaded once.
#
is(rows($shared), '', 'nothing is loaded by training');
my $first = rows($score);
is(rows($shared), 'shop|1', 'the first score shares its model');
my @sessions = map { $node->background_psql('postgres') } 1 .. 50;
my @scores = map { $_->query_safe($score) } @sessions;
is_deeply([grep { $_ ne $first } @scores], [], 'fifty sessions score the same');
is(rows(q{SELECT loads, hits FROM aread.cache WHERE place = 'shared'}), '51|51', 'of one copy');
my ($weights, $own) = map { rows("SELECT bytes FROM aread.cache WHERE place = '$_'") } ('shared', 'session');
$own = $sessions[0]->query_safe(q{SELECT bytes FROM aread.cache WHERE place = 'session'});
cmp_ok($weights, '>', 5_000_000, "the weights take $weights bytes");
cmp_ok($own, '<', $weights / 20, "a session beside them $own");
my $resident = 0;
foreach my $session (@sessions)
{
	my $pid = $session->query_safe('SELECT pg_backend_pid()');
	my ($anonymous) = slurp_file("/proc/$pid/status") =~ /RssAnon:\s+(\d+) kB/;

	$resident += $anonymous * 1024 / @sessions;
}
cmp_ok($resident, '<', 5_000_000 + $weights / 2, sprintf('resident memory of a session of its own: %d bytes', $resident));
$_->quit foreach @sessions;
is(rows($shared), 'shop|1', 'it stays when they leave');

#
# As snapshots see it.
#
my $writer = $node->background_psql('postgres');
my $reader = $node->background_psql('postgres');
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
is($reader->query_safe($score), $first, 'a snapshot is taken');
$writer->query_safe('BEGIN');
is($writer->query_safe(q{SELECT train('shop', 2)}), '2', 'another version, not committed');
my $second = $writer->query_safe($score);
isnt($second, $first, 'who wrote it scores with it');
is(rows($score), $first, 'others do not');
is(rows($shared), 'shop|1', 'it is not shared');
$writer->query_safe('COMMIT');
is(rows($score), $second, 'committed, the next statement scores with it');
is(rows($shared), "shop|1\nshop|2", 'it is shared now');
is($reader->query_safe($score), $first, 'the older snapshot still means the older version');
$reader->query_safe('COMMIT');
is($reader->query_safe($score), $second, 'the next one does not');
is($writer->query_safe($score), $second, 'who wrote it');
is($writer->query_safe(q{SELECT count(*) FROM aread.cache WHERE version = 2 AND place = 'session' AND bytes < 1000000}), '1', 'has given its own copy up');

is($writer->query_safe($score =~ s/shop/shop\@2/r . q{; SELECT string_agg(concat_ws(' ', version, bytes < 1000000), ', ' ORDER BY version) FROM aread.cache WHERE place = 'session' AND version = 2}),
	"$second\n2 t, 2 t", 'two names of one version share it, too');

$writer->query_safe('BEGIN');
$writer->query_safe(q{SELECT train('shop', 3)});
my $third = $writer->query_safe($score);
$writer->query_safe('ROLLBACK');
is($writer->query_safe($score), $second, 'rolled back, a version never was');
is(rows($score), $second, 'nor for others');
is($writer->query_safe(q{SELECT train('shop', 4)}), '3', 'its number is taken by another one');
my $fourth = $writer->query_safe($score);
isnt($fourth, $third, 'which is another one');
is(rows($score), $fourth, 'for others, too');

# subtransactions
$writer->query_safe('BEGIN; SAVEPOINT s');
$writer->query_safe(q{SELECT train('shop', 5)});
isnt($writer->query_safe($score), $fourth, 'in a subtransaction');
$writer->query_safe('ROLLBACK TO s');
is($writer->query_safe($score), $fourth, 'rolled back');
$writer->query_safe('COMMIT');

#
# Two databases, an extension dropped and created again: numbers of versions repeat.
#
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', $set_up =~ s/'shop', 1/'shop', 7/r);
my $elsewhere = rows($score, 'other');
isnt($elsewhere, $first, 'another database has another model');
is(rows($score), $fourth, 'beside that of the first');
is(rows($shared, 'other'), 'shop|1', 'each sees its own');
is($writer->query_safe($score), $fourth, 'a session that stays open');
$node->safe_psql('postgres', 'DROP EXTENSION aread CASCADE; DROP TABLE seen; DROP FUNCTION train');
$node->safe_psql('postgres', $set_up =~ s/'shop', 1/'shop', 8/r);
my $again = rows($score);
isnt($again, $first, 'an extension created again has models of its own');
is($writer->query_safe($score), $again, 'in a session that knew those before');
is(rows($shared), 'shop|1', 'only they are shown');

# rights
$node->safe_psql('postgres', 'CREATE ROLE stranger LOGIN');
my (undef, undef, $error) = $node->psql('postgres', $score, extra_params => ['-U', 'stranger']);
like($error, qr/permission denied for model "shop"/, 'that a model is in memory gives no rights');
is($node->safe_psql('postgres', $shared, extra_params => ['-U', 'stranger']), '', 'nor shows it');

#
# Room.
#
is(rows('SELECT aread_cache_clear(true)'), '4', 'versions of dropped extensions go, too');
is(rows($shared), '', 'shared memory is cleared');
is($writer->query_safe($score), $again, 'a session that had it mapped loads it again');
is($writer->query_safe(q{SELECT string_agg(place, ' ' ORDER BY place) FROM aread.cache}), 'session shared', 'for all');
$node->safe_psql('postgres', q{SELECT train(m, 1) FROM unnest('{a,b,c,d}'::text[]) m});
my $megabytes = int(3.5 * $weights / 1024 / 1024);
$node->append_conf('postgresql.conf', "aread.shared_cache_size = ${megabytes}MB\n");
$node->reload;
rows($score =~ s/shop/$_/r) foreach qw(a b c a d);
is(rows($shared), "a|1\nc|1\nd|1", 'what was used longest ago gives way');
is($writer->query_safe($score), $again, 'who used it loads it again');
is($writer->query_safe(q{SELECT count(*) FROM aread.cache WHERE model = 'shop'}), '2', 'and has it once');
$node->append_conf('postgresql.conf', "aread.shared_cache_size = 1MB\n");
$node->reload;
is(rows($score =~ s/shop/b/r . q{; SELECT place FROM aread.cache WHERE model = 'b'}), rows($score =~ s/shop/b/r) . "\nsession", 'what is larger than all stays with the session');
$node->append_conf('postgresql.conf', "aread.shared_cache_size = 0\n");
$node->reload;
is(rows($score . q{; SELECT place FROM aread.cache}), "$again\nsession", 'nothing is shared where the setting says so');
$node->append_conf('postgresql.conf', "aread.shared_cache_size = 1GB\n");
$node->reload;

# many at once
rows('SELECT aread_cache_clear(true)');
my @runs = map { my $out = ''; [IPC::Run::start(['psql', '-X', '-q', '-At', '-d', $node->connstr('postgres'), '-c', $score], '>', \$out), \$out] } 1 .. 12;
$_->[0]->finish foreach @runs;
is_deeply([grep { ${$_->[1]} ne "$again\n" } @runs], [], 'sessions that come at the same time score the same');
is(rows(q{SELECT loads FROM aread.cache WHERE place = 'shared'}), '12', 'one of them has loaded for all');

# one is killed while it loads, another cancelled while it waits for it
rows('SELECT aread_cache_clear(true)');
my $locker = $node->background_psql('postgres');
$locker->query_safe('BEGIN; LOCK TABLE aread.stored_chunk');
my ($out, $log) = ('', '');
my $loads = IPC::Run::start(['psql', '-X', '-q', '-At', '-d', $node->connstr('postgres'), '-c', $score], '>', \$out, '2>', \$log);
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%aread_predict%'});
my ($waited, $waits_log) = ('', '');
my $waits = IPC::Run::start(['psql', '-X', '-q', '-At', '-d', $node->connstr('postgres'), '-c', $score], '>', \$waited, '2>', \$waits_log);
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Extension' AND query LIKE '%aread_predict%'});
my ($cancelled, $cancel_log) = ('', '');
my $cancels = IPC::Run::start(['psql', '-X', '-q', '-At', '-d', $node->connstr('postgres'), '-c', q{SET application_name = 'cancelled'}, '-c', $score, '-c', $score], '>', \$cancelled, '2>', \$cancel_log);
$node->poll_query_until('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Extension' AND application_name = 'cancelled'});
$node->poll_query_until('postgres', q{SELECT count(*) = 2 FROM pg_stat_activity WHERE wait_event_type = 'Extension' AND query LIKE '%aread_predict%'});
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%aread_predict%'});
$loads->finish;
like($log, qr/terminating connection/, 'a session is ended while it loads');
$locker->query_safe('COMMIT');
$waits->finish;
is($waited . $waits_log, "$again\n", 'one that waited for it loads in its place');
$cancels->finish;
is($cancel_log, "ERROR:  canceling statement due to user request\n", 'one that waits can be cancelled');
is($cancelled, "$again\n", 'and its next statement scores');
is(rows(q{SELECT loads FROM aread.cache WHERE place = 'shared'}), '2', 'with the one that all share');
$_->quit foreach ($locker, $writer, $reader);

#
# Standby.
#
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
my $on_standby = $standby->background_psql('postgres');
is($on_standby->query_safe($score), $again, 'a standby scores');
is($on_standby->query_safe($shared), 'shop|1', 'out of its shared memory');
rows(q{SELECT train('shop', 9)});
my $newest = rows($score);
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
isnt($newest, $again, 'another version');
is($on_standby->query_safe($score), $newest, 'reaches it');
$on_standby->quit;
$standby->stop;

#
# When the server starts.
#
$node->append_conf('postgresql.conf', qq{shared_preload_libraries = 'aread'\naread.preload_models = 'postgres.shop, other.shop, "other.no such", nowhere.x, nothing'\n});
my $log_at = -s $node->logfile;
$node->restart;
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM aread.cache WHERE place = 'shared'}) or die 'nothing is preloaded';
is(rows($shared), 'shop|2', 'the deployed version is loaded when the server starts');
$node->poll_query_until('other', q{SELECT count(*) = 1 FROM aread.cache WHERE place = 'shared'});
is(rows($shared, 'other'), 'shop|1', 'in each database');
is(rows($score), $newest, 'it scores');
is(rows(q{SELECT loads FROM aread.cache WHERE place = 'shared'}), '2', 'nobody loads it again');
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'aread preload'});
my $start_log = slurp_file($node->logfile, $log_at);
like($start_log, qr/model "no such" does not exist/, 'a model that is not there is logged');
like($start_log, qr/database "nowhere" does not exist/, 'a database, too');
like($start_log, qr/"nothing" in setting "aread.preload_models" is not database.model/, 'and what is no name');

# after a crash of the server shared memory is made again
my $victim = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $victim->query_safe('SELECT pg_backend_pid()');
kill 'KILL', $pid;
$node->poll_query_until('postgres', q{SELECT true});
is(rows($score), $newest, 'after a crash it is loaded again');
is(rows($shared), 'shop|2', 'and shared');
eval { $victim->{run}->kill_kill };

#
# No shared memory to be had: a warning, once, and the same scores.
#
SKIP:
{
	skip 'root may write everywhere', 3 if $> == 0;
	$node->append_conf('postgresql.conf', "dynamic_shared_memory_type = mmap\nshared_preload_libraries = ''\n");
	$node->restart;
	chmod 0500, $node->data_dir . '/pg_dynshmem';
	my ($status, $stdout, $stderr) = $node->psql('postgres', $score . q{; SELECT aread_cache_clear(); } . $score . q{; SELECT place FROM aread.cache});
	is($stdout, "$newest\n1\n$newest\nsession", 'without shared memory a session has its own copy');
	is(() = $stderr =~ /WARNING:  models cannot be kept in shared memory/g, 1, 'it is told once');
	like($stderr, qr/Permission denied/, 'and why');
	chmod 0700, $node->data_dir . '/pg_dynshmem';
}
$node->stop;

done_testing();
