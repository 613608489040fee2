# Guarded deployment in the background and among sessions: what it decides is told in
# the log, with the run and in the history, and holds whoever deploys meanwhile.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "client_min_messages = warning\nfsync = off\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION aread;
	CREATE ROLE trainer LOGIN;
	GRANT CREATE ON SCHEMA public TO trainer;
	SET ROLE trainer;
	CREATE TABLE clicks AS SELECT label, domain, user_id, item_id, sequence FROM aread_simulate(3000, domains => 4, users => 60, items => 40, strength => 3);
	CREATE TABLE noise AS SELECT user_id % 2 AS label, domain, user_id, item_id, sequence FROM clicks;
	CREATE TABLE few AS SELECT * FROM clicks LIMIT 200});
my @trainer = (extra_params => [ '-U', 'trainer' ]);
sub sql { return $node->safe_psql('postgres', $_[0], @trainer) }
sub train
{
	my ($source, $options) = @_;
	my $run = sql("SELECT aread_train_start('$source', 'm', split => 'sequence', features => '{user_id,item_id}', options => '{\"architecture\": \"wide\"$options}')");

	sql("SELECT aread_wait($run)");
	return $run;
}
my $deployed = q{SELECT version FROM aread.model WHERE model = 'm' AND deployed};
sub told
{
	my ($run) = @_;

	return sql("SELECT messages FROM aread.run WHERE run = $run");
}

# in the background
train('clicks', '');
my $log = -s $node->logfile;
my $run = train('noise', ', "deploy": "if_better", "l2_wide": 1000000, "row_counts": false, "domain_weights": false, "deploy_tolerance": -1');
my $reason = sql(q{SELECT deploy_reason FROM aread.model WHERE model = 'm' AND version = 2});
like($reason, qr/^domain_auc on its \d+ test rows is [\d.]+, that of version 1 is [\d.]+; deploy_tolerance is -1\z/, 'a background run is guarded');
is(sql($deployed), '1', 'nothing is better by 1');
like(told($run), qr/^NOTICE:  version 2 of model "m" is not deployed: \Q$reason\E$/m, 'the run tells it');
my $logged = slurp_file($node->logfile, $log);
like($logged, qr/LOG:  version 2 of model "m" is not deployed: \Q$reason\E$/m, 'so does the log');
$run = train('clicks', ', "deploy": "if_better"');
is(sql($deployed), '3', 'the same rows: as good');
like(told($run), qr/NOTICE:  version 3 of model "m" is deployed: /, 'told, too');
$log = -s $node->logfile;
$run = train('few', '');
is(sql($deployed), '3', 'too few rows');
my $few = qr/WARNING:  version 4 of model "m" is not deployed: it is made of 200 rows, fewer than a tenth of the 3000 of version 3, which is deployed$/m;
like(told($run), $few, 'are told');
like(slurp_file($node->logfile, $log), $few, 'in the log, too');
is(sql(q{SELECT string_agg(concat_ws(' ', version, deployed, role, action), ', ' ORDER BY event) FROM aread.deployment WHERE model = 'm'}),
	'1 t trainer train, 2 f trainer train, 3 t trainer train, 4 f trainer train', 'history has the run\'s role');

# the same model, whoever measures: in the foreground
is(sql(q{SELECT deploy_reason FROM aread_train('noise', 'm', split => 'sequence', features => '{user_id,item_id}', options => '{"architecture": "wide", "deploy": "if_better", "l2_wide": 1000000, "row_counts": false, "domain_weights": false, "deploy_tolerance": -1}')}),
	$reason =~ s/version 1/version 3/r, 'the same by day');

# two at once: the second waits for the first, and knows that what it measured is deployed no more
my $session = $node->background_psql('postgres', on_error_stop => 1, @trainer);
$session->query_safe('BEGIN');
$session->query_safe("SELECT aread_deploy('m', 1)");
$run = sql(q{SELECT aread_train_start('clicks', 'm', split => 'sequence', features => '{user_id,item_id}', options => '{"architecture": "wide", "deploy": "if_better"}')});
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'aread training' AND wait_event_type = 'Lock'}) or die 'it never waited';
$session->query_safe('COMMIT');
$session->quit;
is(sql("SELECT aread_wait($run)"), '6', 'a run that waited for a deployment');
is(sql(q{SELECT deployed || ' ' || deploy_reason FROM aread.model WHERE model = 'm' AND version = 6}),
	'false version 1 was deployed while it was trained, and is not measured on its test rows', 'decides about what is deployed by then');

# a history that is restored goes on
my $dump = $PostgreSQL::Test::Utils::tmp_check . '/deploy.dump';
sql(q{SELECT aread_deploy('m', 2), aread_deploy('m', 3), aread_pin('m@4')});
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('postgres') ], 'dumped');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('restored'), $dump ], 'restored');
is($node->safe_psql('restored', q{SELECT aread_rollback('m') || ' ' || aread_rollback('m')}), '2 1', 'the way back is the same');
like(($node->psql('restored', q{SELECT aread_drop_version('m', 4)}))[2], qr/version 4 of model "m" is pinned/, 'what is kept is kept');
is($node->safe_psql('restored', q{SELECT count(*), count(DISTINCT event) FROM aread.deployment WHERE model = 'm'}), '11|11', 'events go on counting');
$node->stop;

done_testing();
