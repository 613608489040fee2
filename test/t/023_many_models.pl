# More models than there is place for in the table of those in shared memory:
# each is loaded once, some by all and some by each session.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
# a server of few processes allows few segments: 32 and 5 for each 2 processes are for models
$node->append_conf('postgresql.conf', "fsync = off\njit = off\nclient_min_messages = warning\nmax_connections = 20\nmax_wal_senders = 0\nmax_worker_processes = 2\nautovacuum_max_workers = 1\nmax_parallel_workers_per_gather = 0\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION aread;
	CREATE TABLE seen AS SELECT * FROM aread_simulate(1000, domains => 3, groups => 2, users => 60, items => 40, strength => 3);
	SELECT aread_train('seen', 'm1', options => '{"architecture": "wide", "epochs": 1}');
	DO $$ DECLARE e bytea := aread_export('m1'); BEGIN FOR i IN 2 .. 200 LOOP PERFORM aread_import(e, 'm' || i); END LOOP; END $$;
});

my $count = q{SELECT count(*) FROM aread.cache WHERE place = '%s'};
my $loads = q{SELECT sum(loads) FROM aread.cache WHERE place = 'shared'};
sub scores
{
	my ($session, $n) = @_;

	return $session->query_safe(qq{SELECT count(DISTINCT aread_predict('m' || i, '{"user_id": 1}'::jsonb, 'domain_1')) FROM generate_series(1, $n) i});
}

# more than 64
my $session = $node->background_psql('postgres');
is(scores($session, 70), '1', 'seventy models score');
is($session->query_safe(sprintf $count, 'shared'), '70', 'all are shared');
is($session->query_safe($loads), '70', 'loaded once each');
my $other = $node->background_psql('postgres');
is(scores($other, 70), '1', 'another session scores with them');
is($session->query_safe($loads), '140', 'it loaded none');
$session->query_safe('SELECT aread_cache_clear()');
scores($session, 70) for 1 .. 3;
is($session->query_safe($loads), '210', 'each is mapped again, once');

# more than the table has slots
is(scores($session, 200), '1', 'two hundred models score');
my $slots = $session->query_safe(sprintf $count, 'shared');
cmp_ok($slots, '>', 70, "$slots of them are shared");
cmp_ok($slots, '<', 200, 'not all of them');
is($session->query_safe(q{SELECT count(*) FROM aread.cache WHERE place = 'session'}), '200', 'the session has them all');
my $before = $session->query_safe(q{SELECT string_agg(concat(model, loaded_at), ' ' ORDER BY model, loaded_at) FROM aread.cache});
scores($session, 200) for 1 .. 3;
is($session->query_safe(q{SELECT string_agg(concat(model, loaded_at), ' ' ORDER BY model, loaded_at) FROM aread.cache}), $before, 'going through all of them again loads none');

# slots are used again; new versions come and go by all ways through the table
is($session->query_safe(q{SELECT aread_cache_clear(true) >= 200}), 't', 'cleared');
is($session->query_safe($count =~ s/ WHERE.*//r), '0', 'nothing is left');
srand(7);
for my $round (1 .. 20)
{
	my $from = 1 + int(rand(150));

	scores($_, $from + 40) foreach (rand() < 0.5 ? ($session, $other) : $other);
	$session->query_safe('SELECT aread_cache_clear(true)') if rand() < 0.3;
	$session->query_safe("SELECT aread_drop('m$from', true); SELECT aread_import(aread_export('m200'), 'm$from')");
}
$session->query_safe('SELECT aread_cache_clear(true)');
is(scores($other, 200), '1', 'two hundred models score');
is($session->query_safe(sprintf $count, 'shared'), $slots, 'as many are shared as before');

# several sessions make the table at the same time
for my $round (1 .. 3)
{
	$_->quit foreach ($session, $other);
	$node->restart;
	my @runs = map { my $out = ''; [IPC::Run::start(['psql', '-X', '-q', '-At', '-d', $node->connstr('postgres'), '-c', q{SELECT aread_predict('m1', '{"user_id": 1}'::jsonb, 'domain_1') > 0; SELECT sum(loads) FROM aread.cache WHERE place = 'shared'}], '>', \$out), \$out] } 1 .. 8;
	$_->[0]->finish foreach @runs;
	is(scalar(grep { ${$_->[1]} =~ /^t\n/ } @runs), 8, 'sessions that come at the same time score');
	($session, $other) = map { $node->background_psql('postgres') } 1 .. 2;
	is($session->query_safe($loads), '8', 'with one model');
}
$_->quit foreach ($session, $other);

# a crash leaves nothing half done
my $victim = $node->background_psql('postgres', on_error_stop => 0);
scores($victim, 70);
$node->append_conf('postgresql.conf', "restart_after_crash = on\n");
$node->reload;
kill 'KILL', $victim->query_safe('SELECT pg_backend_pid()');
# the server takes a moment to see it
for (1 .. 600)
{
	last if slurp_file($node->logfile) =~ /all server processes terminated; reinitializing/;
	select(undef, undef, undef, 0.1);
}
$node->poll_query_until('postgres', q{SELECT true}) or die 'does not come back';
$session = $node->background_psql('postgres');
is(scores($session, 70), '1', 'after a crash');
is($session->query_safe($loads), '70', 'all are loaded again');
$session->quit;
eval { $victim->{run}->kill_kill };
$node->stop;
done_testing();
