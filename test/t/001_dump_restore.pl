# A dump restored into another cluster scores the same, shows the same and
# trains on; a standby scores what its primary trained.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "aread.batch_scan = off\n");   # scores are compared to the bit
$primary->start;
$primary->safe_psql('postgres', q{
	CREATE ROLE anna LOGIN;
	CREATE EXTENSION aread;
	GRANT CREATE ON SCHEMA public TO anna;
	SET ROLE anna;
	CREATE TABLE clicks AS SELECT label, domain, user_id, item_id, price,
		ARRAY[item_id, category] AS list FROM aread_simulate(4000, domains => 6, users => 60, items => 40);
	SELECT aread_register('clicks');
	SELECT aread_train('clicks', 'm', options => '{"epochs": 2, "embed_dim": 4, "mmoe_experts": 2, "mmoe_dims": [16, 8],
		"hei_experts": [2, 3, 4], "hei_hidden": [8, 8, 4], "hei_output": [8, 4, 4], "batch_size": 256, "candidates": 2,
		"warmup_batches": 5, "mask_interval": 10, "features": {"list": {"vocabulary": "item_id"}}}');
	SELECT aread_train('clicks', 'w', options => '{"architecture": "wide"}');
	CREATE TABLE score AS SELECT user_id, item_id, domain, price, list, aread_predict('m', c) AS m, aread_predict('w', c) AS w FROM clicks c;
});

my %asked = (
	'every score is the same' => q{SELECT count(*), bool_and(aread_predict('m', s) = m), bool_and(aread_predict('w', s) = w) FROM score s},
	'models' => 'SELECT * FROM aread.model ORDER BY model',
	'features' => 'SELECT * FROM aread.feature ORDER BY model, position',
	'domains' => 'SELECT * FROM aread.domain ORDER BY model, domain',
	'masks' => 'SELECT * FROM aread.mask ORDER BY 1, 2, 3, 4, 5, 6, 7',
	'mask history' => 'SELECT * FROM aread.mask_history ORDER BY 1, 2, 4, 5, 6, 7, 8',
	'expert usage' => 'SELECT * FROM aread.expert_usage ORDER BY 1, 2, 4, 5, 6',
	'explanations' => q{SELECT e.* FROM (SELECT * FROM score ORDER BY user_id, item_id, domain, price LIMIT 5) s, aread_explain('m', s) e},
	'overlaps' => 'SELECT * FROM aread.mask_overlap ORDER BY 1, 2, 4, 5, 6',
	'mask updates' => 'SELECT * FROM aread.mask_update ORDER BY 1, 2, 4, 5',
	'history' => 'SELECT * FROM aread.training_log ORDER BY 1, 2, 4',
	'registered tables' => 'SELECT * FROM aread.source',
);
my %wanted = map { $_ => $primary->safe_psql('postgres', $asked{$_}) } keys %asked;
is($wanted{'every score is the same'}, '4000|t|t', 'scores repeat');

sub compare
{
	my ($node, $database, $where) = @_;

	is($node->safe_psql($database, $asked{$_}), $wanted{$_}, "$where: $_") for sort keys %asked;
}

# into a new database, and into another cluster
my $dump = $PostgreSQL::Test::Utils::tmp_check . '/dump';
command_ok(['pg_dump', '-Fc', '-f', $dump, $primary->connstr('postgres')], 'dump');
$primary->safe_psql('postgres', 'CREATE DATABASE copy');
command_ok(['pg_restore', '--exit-on-error', '-d', $primary->connstr('copy'), $dump], 'restore into a new database');
compare($primary, 'copy', 'new database');

my $other = PostgreSQL::Test::Cluster->new('other');
$other->init;
$other->append_conf("postgresql.conf", "aread.batch_scan = off\n");
$other->start;
$other->safe_psql('postgres', 'CREATE ROLE one_more; CREATE ROLE anna LOGIN;');
command_ok(['pg_restore', '--exit-on-error', '-d', $other->connstr('postgres'), $dump], 'restore into another cluster');
# (roles have other OIDs there; superusers see all the same)
compare($other, 'postgres', 'other cluster');

# identities go on where they were
is($primary->safe_psql('copy', q{SELECT version FROM aread_train('clicks', 'w', options => '{"architecture": "wide"}')}), '2', 'the next version');
is($primary->safe_psql('copy', q{SELECT version FROM aread_train('clicks', 'x', options => '{"architecture": "wide"}')}), '1', 'a new model');

# a standby scores, and trains nothing
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('write'));
compare($standby, 'postgres', 'standby');
my ($status, $out, $error) = $standby->psql('postgres', q{SELECT aread_train('clicks', 'm')});
like($error, qr/cannot execute aread_train\(\) in a read-only transaction/, 'no training on a standby');

# nor after a crash anything but what was committed
my $crash = $primary->background_psql('postgres');
$crash->query_safe(q{SET client_min_messages = error; BEGIN; SELECT aread_train('clicks', 'lost', options => '{"architecture": "wide"}')});
$primary->stop('immediate');
$crash->{run}->finish if $crash->{run};
$primary->append_conf('postgresql.conf', "aread.batch_scan = off\n");   # scores are compared to the bit
$primary->start;
is($primary->safe_psql('postgres', q{SELECT count(*) FROM aread.model WHERE model = 'lost'}), '0', 'an uncommitted model is gone');
is($primary->safe_psql('postgres', $asked{'every score is the same'}), '4000|t|t', 'committed ones are not');

done_testing();
