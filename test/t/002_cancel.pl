# Training reports, and ends within a second of being told to; nothing of it remains.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_buffers = 256MB\nfsync = off\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION aread;
	CREATE TABLE clicks AS SELECT label, domain, user_id, item_id, category FROM aread_simulate(300000, domains => 30, users => 20000, items => 10000);
	CREATE TABLE few AS SELECT * FROM clicks LIMIT 20000;
	CREATE VIEW repeated AS SELECT c.* FROM generate_series(1, 100), clicks c;
	CREATE VIEW repeated_less AS SELECT c.* FROM generate_series(1, 15), clicks c;
});

my $remains = q{SELECT (SELECT count(*) FROM aread.stored_model) + (SELECT count(*) FROM aread.stored_version)
	+ (SELECT count(*) FROM aread.stored_chunk) + (SELECT count(*) FROM aread.stored_domain)};

# Run a statement, cancel it after so many seconds; how long does it take to end?
sub cancelled_after
{
	my ($seconds, $sql, $what) = @_;
	my ($out, $error) = ('', '');
	my $run = IPC::Run::start(['psql', '-X', '-d', $node->connstr('postgres'), '-c', "SET application_name = 'victim'", '-c', $sql],
		'>', \$out, '2>', \$error);

	sleep($seconds);
	my $found = $node->safe_psql('postgres', q{SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE application_name = 'victim' AND state = 'active' AND backend_type = 'client backend'});
	my $asked = time;
	$run->finish;
	my $took = time - $asked;

	is($found, '1', "$what: was at work");
	cmp_ok($took, '<', 1.0, "$what: ends within a second");
	like($error, qr/canceling statement due to user request/, "$what: says why");
	is($node->safe_psql('postgres', $remains), '0', "$what: nothing remains");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_ls_tmpdir()'), '0', "$what: no temporary file, either");
	return $error;
}

my $all = q{SELECT aread_train('clicks', features => '{user_id,item_id,category}', options => '%s')};
cancelled_after(0.3, sprintf($all, '{}'), 'reading');
my $in_files = q{SELECT set_config('aread.training_memory', '1MB', false), aread_train('repeated_less')};
cancelled_after(1, $in_files, 'reading into files');
cancelled_after(5, $in_files, 'placing rows in files');
cancelled_after(9, $in_files, 'training from files');
cancelled_after(1.5, sprintf($all, '{"l2_wide": 0.0001}'), 'start');
cancelled_after(3, sprintf($all, '{}'), 'search for L2');
cancelled_after(4, sprintf($all, '{"wide": false}'), 'batches');
my $large = '{"wide": false, "batch_size": %d, "mmoe_dims": [1024, 512], "embed_dim": 64}';
cancelled_after(3, sprintf($all, sprintf($large, 65536)), 'setting up large batches');
cancelled_after(9, sprintf($all, sprintf($large, 8192)), 'large batches');
cancelled_after(4, q{SELECT aread_train('few', features => '{user_id,item_id,category}', options =>
	'{"architecture": "hemp", "wide": false, "warmup_batches": 1, "candidates": 1000, "candidate_steps": 1000}')}, 'mask search');
cancelled_after(4, q{SELECT aread_train('few', features => '{user_id,item_id,category}', options =>
	'{"architecture": "hemp", "wide": false, "warmup_batches": 1, "candidates": 1000, "mask_search": "full"}')}, 'full mask search');
cancelled_after(0.5, q{SELECT count(*) FROM aread_simulate(1000000000)}, 'simulation');
cancelled_after(1, q{SELECT count(*) FROM aread_popularity('repeated')}, 'popularity');
cancelled_after(5.5, q{SELECT count(*) FROM aread_augment(NULL::repeated_less, options => '{"augment_ratio": 10}')}, 'drawing');

# a time limit
my $begun = time;
my ($status, $out, $error) = $node->psql('postgres', q{SET statement_timeout = '2s'; } . sprintf($all, '{"wide": false}'));
cmp_ok(time - $begun, '<', 3.2, 'statement_timeout holds');
like($error, qr/canceling statement due to statement timeout/, 'and says so');
is($node->safe_psql('postgres', $remains), '0', 'nothing remains');

# a killed backend
my $killed = IPC::Run::start(['psql', '-X', '-d', $node->connstr('postgres'), '-c', "SET application_name = 'victim'",
	'-c', sprintf($all, '{"wide": false}')], '>', \my $o, '2>', \my $e);
sleep 3;
my $asked = time;
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'victim'});
cmp_ok(time - $asked, '<', 1.5, 'a terminated backend goes');
$killed->finish;
is($node->safe_psql('postgres', $remains), '0', 'nothing remains');

# a backend that ends while its threads are at work, told to or since its client is gone: the server goes on
my $endless = q{{"wide": false, "trees": 0, "epochs": 1000, "patience": 1000}};
for my $i (1 .. 10)
{
	my $run = IPC::Run::start(['psql', '-X', '-d', $node->connstr('postgres'), '-c', "SET application_name = 'victim'; SET client_connection_check_interval = 20; SET aread.threads = 4",
		'-c', sprintf($all, $endless)], '>', \my $output, '2>', \my $errors);

	sleep 1 + 0.17 * $i;
	$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'victim'}) if $i % 2;
	$run->kill_kill;
	$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'victim'});
}
is($node->safe_psql('postgres', $remains), '0', 'nothing remains');
my $log = slurp_file($node->logfile);
like($log, qr/connection to client lost/, 'a lost client ends its backend');
unlike($log, qr/was terminated by signal|exited with exit code/, 'no process has crashed');

# evaluation and scoring are cancelled too; progress is told once an epoch
($status, $out, $error) = $node->psql('postgres', q{SELECT aread_train('few', 'm', features => '{user_id,item_id}',
	options => '{"epochs": 2, "architecture": "hei", "wide": false}')});
is($status, 0, 'trains');
like($error, qr/NOTICE:  epoch $_ of 2: loss \d\.\d+, validation AUC \d\.\d+, .* rows\/s/, "told of epoch $_") for 1, 2;
unlike($error, qr/gained nothing/, 'a network that learns is kept');
# the measure that decides is told, whichever it is
for (['user_auc', ', log loss \d\.\d+, UserAUC (\d\.\d+)'], ['ndcg_10', ', log loss \d\.\d+, NDCG@10 (\d\.\d+)'], ['domain_auc', ', DomainAUC (\d\.\d+), log loss \d\.\d+'], ['log_loss', ', log loss (\d\.\d+)', 'valid_loss'])
{
	my ($measure, $told, $column) = (@$_, $$_[0]);

	($status, $out, $error) = $node->psql('postgres', qq{SELECT aread_train('few', 'told', features => '{user_id,item_id}', options => '{"epochs": 1, "architecture": "hei", "wide": false, "stop_on": "$measure"}')});
	my ($value) = $error =~ /NOTICE:  epoch 1 of 1: loss \d\.\d+, validation AUC \d\.\d+.*?$told, \d+ rows\/s/;
	is($value, $node->safe_psql('postgres', qq{SELECT round($column\::numeric, 4) FROM aread.training_log WHERE model = 'told' ORDER BY version DESC, evaluation DESC LIMIT 1}), "stop_on $measure: told of it");
}
is($node->safe_psql('postgres', q{SELECT aread_drop('told')}), 't', 'and dropped');
# where it learns nothing, a network is logistic regression, unless it has a pairwise term or no wide part
for (['"architecture": "hei"', 1], ['"architecture": "deepfm"', 0], ['"architecture": "hei", "pairwise": true', 0], ['"architecture": "dcn", "pairwise": true', 1], ['"architecture": "hei", "wide": false', 0])
{
	my ($network, $is_wide) = @$_;

	($status, $out, $error) = $node->psql('postgres', qq{SELECT aread_train('few', 'vain', features => '{user_id,item_id}',
		options => '{$network, "epochs": 1, "learning_rate": 1e-9}')});
	like($error, qr/NOTICE:  the network gained nothing on validation rows/, "$network: one that learns nothing is told");
	is($error =~ /HINT:  With "architecture": "wide" the same model/ ? 1 : 0, $is_wide, "$network: and whether it is logistic regression");
}
is($node->safe_psql('postgres', q{SELECT aread_drop('vain')}), 't', 'and dropped');
$remains = q{SELECT count(*) - 1 FROM aread.model};
cancelled_after(0.5, q{CREATE TABLE many AS SELECT c.* FROM clicks c, generate_series(1, 20); SELECT aread_evaluate('m', 'many')}, 'evaluation');
cancelled_after(0.5, q{SELECT count(aread_predict('m', c)) FROM clicks c, generate_series(1, 20)}, 'scoring');
cancelled_after(0.5, q{SELECT count(*) FROM aread_recommend('m', array_fill(7, ARRAY[100000]), 10)}, 'recommending');
cancelled_after(0.5, q{CREATE VIEW endless AS SELECT domain, nullif(i, i) AS item_id FROM clicks c, generate_series(1, 1000000) i; SELECT count(*) FROM aread_recommend('m', 7, candidates => 'endless')}, 'reading candidates');

# a state of an aggregate that somebody made up, all of whose keys have one hash: as long as it likes to search
my $n_keys = 150_000;
my $n_slots = 262_144;
my $keys = join '', map { pack('VVVV', 4660, $_, 4, $_) } 0 .. $n_keys - 1;
my $state = pack('VQ<Q<VVQ<Q<Q<', 0x41524547, 0, 0, $n_keys, $n_slots, length $keys, length $keys, 0) . "\0" x (4 * $n_slots) . $keys;
my $begun = time;
my (undef, undef, $ended) = $node->psql('postgres', "CREATE AGGREGATE pg_temp.merged(bytea) (SFUNC = aread.grouped_auc_combine, STYPE = bytea);
	SET statement_timeout = '1s'; SELECT length(pg_temp.merged(s)) FROM (SELECT decode('" . unpack('H*', $state) . "', 'hex') AS s FROM generate_series(1, 2) OFFSET 0) x");
like($ended, qr/canceling statement due to statement timeout/, 'a made-up state: cancelled');
cmp_ok(time - $begun, '<', 4, 'a made-up state: in time');

# and within an epoch at least every ten seconds
my @times;
my $slow = IPC::Run::start(['psql', '-X', '-d', $node->connstr('postgres'), '-c', "SET application_name = 'victim'",
	'-c', sprintf($all, '{"wide": false, "epochs": 1000, "patience": 1000}')], '>', \$o, '2>', sub { push @times, time; });
for (1 .. 46)
{
	sleep 0.5;
	$slow->pump_nb;
}
$node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'});
$slow->finish;
cmp_ok(scalar @times, '>=', 3, 'several notices in 23 seconds');

done_testing();
