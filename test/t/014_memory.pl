# Settings that bound memory, held against what the system says that sessions take.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nshared_buffers = 16MB\naread.shared_cache_size = 0\nclient_min_messages = warning\nmax_wal_size = 2GB\n");
$node->start;
my $megabyte = 1024 * 1024;

# Bytes of its own that a process has.
sub own_bytes
{
	my ($pid) = @_;

	open my $status, '<', "/proc/$pid/status" or return 0;
	my ($kilobytes) = join('', <$status>) =~ /^RssAnon:\s+(\d+) kB/m;
	return ($kilobytes // 0) * 1024;
}

#
# aread.cache_size: sixteen models, of which some find room.
#
$node->safe_psql('postgres', q{
	CREATE EXTENSION aread;
	CREATE TABLE clicks AS SELECT label, domain, user_id, item_id FROM aread_simulate(40000, domains => 4, users => 30000, items => 20000);
	SELECT aread_train('clicks', 'm0', features => '{user_id,item_id}', options => '{"architecture": "fm", "epochs": 1, "min_count": 1}');
	SELECT aread_import(aread_export('m0'), 'm' || i) FROM generate_series(1, 15) i});
my $session = $node->background_psql('postgres');
my $pid = $session->query_safe('SELECT pg_backend_pid()');
sub score { $session->query_safe("SELECT aread_predict('m$_[0]', '{\"user_id\": 7, \"item_id\": 5}', 'domain_01')") }
score(0);
my $one = $session->query_safe('SELECT bytes FROM aread.cache');
cmp_ok($one, '>', 2 * $megabyte, 'a model of some megabytes');
# the first one brings the library and the catalog's caches, too
$session->query_safe('SELECT aread_cache_clear()');
my $before = own_bytes($pid);
my $limit = int(5.5 * $one / $megabyte);
$session->query_safe("SET aread.cache_size = '${limit}MB'");
my $most = 0;
for my $round (1 .. 3)
{
	for my $model (0 .. 15)
	{
		score($model);
		my $now = own_bytes($pid) - $before;
		$most = $now if $now > $most;
	}
}
my $in_cache = $session->query_safe('SELECT sum(bytes) FROM aread.cache');
cmp_ok($in_cache, '<=', $limit * $megabyte, 'aread.cache keeps to aread.cache_size');
cmp_ok($in_cache, '>', ($limit - 1) * $megabyte - $one, 'and makes use of it');
# a model is loaded before another one goes
cmp_ok($most, '<=', 1.1 * ($limit * $megabyte + $one), 'so does the process, but for the model that is being loaded');
diag(sprintf('aread.cache_size %d MB, models of %.1f MB: %.1f MB at most', $limit, $one / $megabyte, $most / $megabyte));
$session->quit;

#
# What a training took, a session gives back, whether it ended well or not.
#
$session = $node->background_psql('postgres', on_error_stop => 0);
$pid = $session->query_safe('SELECT pg_backend_pid()');
sub train_in_session
{
	my ($epochs) = @_;

	return $session->query(qq{SELECT aread_train('clicks', 'large', features => '{user_id,item_id}', options => '{"epochs": $epochs, "patience": 1000, "embed_dim": 64, "min_count": 1, "wide": false, "trees": 0, "recommend_items": 0, "recommend_users": 0}')});
}
train_in_session(1);
my $after_one = own_bytes($pid);
train_in_session(1) for 1 .. 3;
cmp_ok(own_bytes($pid) - $after_one, '<', 2 * $megabyte, 'trainings leave nothing');
$session->query_safe(q{SET statement_timeout = '1s'});
train_in_session(1000);
cmp_ok(own_bytes($pid) - $after_one, '<', 2 * $megabyte, 'nor does one that was cancelled');
cmp_ok($after_one, '<', 12 * $megabyte, 'nor the first one, but for what the library and the catalog take');
diag(sprintf('a session has %.1f MB after a training', $after_one / $megabyte));
$session->quit;

#
# aread.training_memory: what the same rows take less with a limit than without one.
#
$node->safe_psql('postgres', q{CREATE TABLE wide AS SELECT label, domain, item_id % 100 AS item_id, } . join(', ', map { "(item_id * $_) % 97 AS f$_" } 1 .. 20) . q{ FROM aread_simulate(600000, domains => 4, users => 2000, items => 1000)});
sub peak_of_training
{
	my ($memory) = @_;
	my $training = IPC::Run::start(['psql', '-X', '-q', '-d', $node->connstr('postgres'), '-c', "SET application_name = 'training'", '-c', "SET aread.training_memory = '$memory'",
		'-c', q{SELECT aread_train('wide', 'wide', options => '{"architecture": "wide", "l2_wide": 10, "domain_weights": false, "row_counts": false}')}], '>', \my $out, '2>', \my $error);
	my ($peak, $process) = (0, '');

	while ($training->pumpable)
	{
		$process ||= $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE application_name = 'training'});
		my $now = $process ? own_bytes($process) : 0;
		$peak = $now if $now > $peak;
		$training->pump_nb;
		sleep 0.01;
	}
	$training->finish or die $error;
	return $peak;
}
# what has to be in memory is what there is with the least that one can set
my ($least, $few, $some, $all) = map { peak_of_training($_) } ('1MB', '20MB', '80MB', '1GB');
my $features = $node->safe_psql('postgres', q{SELECT count(*) FROM aread.feature WHERE model = 'wide' AND deployed});
my $rows = $node->safe_psql('postgres', q{SELECT train_rows + valid_rows + test_rows FROM aread.model WHERE model = 'wide' AND deployed});
my $encoded = 4 * $features * $rows;
diag(sprintf('%.0f MB of encoded rows: %.0f MB of memory with 1 MB for them, %.0f with 20, %.0f with 80, %.0f with 1 GB', map { $_ / $megabyte } $encoded, $least, $few, $some, $all));
cmp_ok($all - $least, '>', 0.9 * $encoded, 'with room for them, rows are in memory');
cmp_ok($few - $least, '<', 1.1 * 20 * $megabyte, 'with 20 MB no more than these are');
cmp_ok($some - $least, '<', 1.1 * 80 * $megabyte, 'nor with 80 MB');
cmp_ok($some - $few, '>', 20 * $megabyte, 'of which use is made');

#
# Candidates: an item's vector is stored once, in however many domains it stands.
#
$node->safe_psql('postgres', q{
	CREATE TABLE seen AS SELECT (g % 3 = 0) AS label, 'd' || d AS domain, 1 + (g * 7) % 50 AS user_id, i AS item_id, emb
	FROM (SELECT row_number() OVER () AS g, d, v.* FROM generate_series(1, 50) d, (SELECT i, array_agg(sin(i * k)::real) AS emb FROM generate_series(1, 300) i, generate_series(1, 512) k GROUP BY i) v) x;
	CREATE TABLE shelf AS SELECT domain, item_id, emb FROM seen;
	SELECT aread_train('seen', 'vectors', options => '{"architecture": "wide", "row_counts": false}')});
for my $candidates ('NULL', q{'shelf'})
{
	my $recommending = $node->background_psql('postgres');
	my $process = $recommending->query_safe('SELECT pg_backend_pid()');
	my $peak = sub {
		open my $status, '<', "/proc/$process/status" or die $!;
		my ($kilobytes) = join('', <$status>) =~ /^VmHWM:\s+(\d+) kB/m;
		return $kilobytes * 1024;
	};

	# the model, and pages of the server's that the relation is read from
	$recommending->query_safe("SET work_mem = '64kB'; SET max_parallel_workers_per_gather = 0");
	$recommending->query_safe(q{SELECT count(*) FROM aread_recommend('vectors', 7, 5, 'd1'); SELECT count(emb[1]) FROM shelf}) for 1 .. 2;
	my $before = $peak->();
	$recommending->query_safe("SELECT count(*) FROM aread_recommend('vectors', 7, 5, candidates => $candidates)");
	my $more = $peak->() - $before;
	diag(sprintf('%s: 15000 candidates with 300 vectors of 512 numbers: %.1f MB', $candidates, $more / $megabyte));
	cmp_ok($more, '<', 12 * $megabyte, "vectors of candidates are stored once: $candidates");
	$recommending->quit;
}

#
# Where a training could not have OpenBLAS's buffers, for which its threads would wait without end, it says
# so; with a little more it lacks memory elsewhere, or ends.
#
my $train = q{SELECT count(*) FROM aread_train('clicks', 'tight', features => '{user_id,item_id}', options => '{"architecture": "deepfm", "epochs": 1, "embed_dim": 16, "batch_size": 8192}')};
for my $more (5, 40, 100, 300, 330, 345, 360, 380, 420, 500, 600)
{
	my $tight = $node->background_psql('postgres', on_error_stop => 0);
	my $process = $tight->query_safe('SELECT pg_backend_pid()');
	open my $status, '<', "/proc/$process/status" or die $!;
	my ($kilobytes) = join('', <$status>) =~ /^VmSize:\s+(\d+) kB/m;
	close $status;
	system_log('prlimit', '--pid', $process, '--as=' . ($kilobytes + $more * 1024) * 1024 . ':') == 0 or die 'prlimit';
	my $result = $tight->query($train);
	my $expected = $more <= 300 ? qr/out of memory.*OpenBLAS needs/s : qr/out of memory|\A1\z/;
	like("$result$tight->{stderr}" =~ s/background_psql: QUERY_SEPARATOR.*\n?//gr =~ s/\s+\z//r, $expected, "a training with $more MB more than a session has");
	$tight->{stderr} = '';
	$tight->quit;
}
is($node->safe_psql('postgres', $train), 1, 'without a limit it ends');

$node->stop;
done_testing();
