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
	CREATE ROLE explaining;
	CREATE EXTENSION aread;
	GRANT CREATE ON SCHEMA public TO anna;
	SET ROLE anna;
	CREATE TABLE clicks AS SELECT label, domain, user_id, item_id, price, category::text,
		ARRAY[item_id, category] AS list FROM aread_simulate(4000, domains => 6, users => 60, items => 40);
	SELECT aread_register('clicks');
	SELECT aread_train('clicks', 'm', options => '{"architecture": "hemp", "epochs": 2, "embed_dim": 4, "mmoe_experts": 2, "mmoe_dims": [16, 8],
		"hei_experts": [2, 3, 4], "hei_hidden": [8, 8, 4], "hei_output": [8, 4, 4], "batch_size": 256, "candidates": 2,
		"warmup_batches": 5, "mask_interval": 10, "history": {"length": 5, "side": ["category"], "attention": true, "dislikes": true}, "features": {"list": {"vocabulary": "item_id"}}}');
	SELECT aread_train('clicks', 'w', options => '{"architecture": "wide", "features": {"price": {"kind": "piecewise"}}, "crosses": [["user_id", "item_id"]]}');
	SELECT aread_train('clicks', 'h', options => '{"architecture": "wide"}') FROM generate_series(1, 3);
	SELECT aread_deploy('h', 1, 'as before'), aread_pin('h@2'), aread_grant('h', 'explaining', 'explain');
	CREATE TABLE score AS SELECT user_id, item_id, domain, price, category, list, aread_predict('m', c) AS m, aread_predict('w', c) AS w FROM clicks c;
});

my %asked = (
	'every score is the same' => q{SELECT count(*), bool_and(aread_predict('m', s) = m), bool_and(aread_predict('w', s) = w) FROM score s},
	'models' => 'SELECT * FROM aread.model ORDER BY model, version',
	'deployments' => 'SELECT * FROM aread.deployment ORDER BY event',
	'features' => 'SELECT * FROM aread.feature ORDER BY model, version, position',
	'domains' => 'SELECT * FROM aread.domain ORDER BY model, version, domain',
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

# What was registered for a table that is gone is in no dump, where its OID could be
# another table's, and gone itself with the next registration.
my $registered = 'SELECT count(*) FROM aread.stored_source';
$primary->safe_psql('postgres', q{CREATE TABLE gone AS SELECT * FROM clicks; SELECT aread_register('gone'); DROP TABLE gone});
is($primary->safe_psql('postgres', $registered), '2', 'a registration that outlives its table');
command_ok(['pg_dump', '-Fc', '-f', "$dump.gone", $primary->connstr('postgres')], 'dump without it');
$primary->safe_psql('postgres', 'CREATE DATABASE gone');
command_ok(['pg_restore', '--exit-on-error', '-d', $primary->connstr('gone'), "$dump.gone"], 'restore without it');
compare($primary, 'gone', 'without it');
is($primary->safe_psql('gone', $registered), '1', 'it is in no dump');
$primary->safe_psql('postgres', q{SELECT aread_register('clicks')}, extra_params => ['-U', 'anna']);
is($primary->safe_psql('postgres', $registered), '1', 'and gone with the next one');

# Who is no superuser: a database's owner dumps all but the models; pg_read_all_data all.
$primary->safe_psql('postgres', 'CREATE ROLE boss LOGIN; CREATE DATABASE shop OWNER boss; CREATE ROLE reader LOGIN; GRANT pg_read_all_data TO reader');
$primary->safe_psql('shop', 'CREATE EXTENSION aread');
$primary->safe_psql('shop', q{
	CREATE TABLE clicks AS SELECT * FROM aread_simulate(500, domains => 3, users => 20, items => 10);
	SELECT aread_register('clicks');
	SELECT aread_train('clicks', 'mine', options => '{"architecture": "wide"}');
	CREATE TABLE score AS SELECT c.*, aread_predict('mine', c) AS score FROM clicks c}, extra_params => ['-U', 'boss']);
my @boss = ('-U', 'boss', '-d', $primary->connstr('shop'));
my @without = ("--exclude-table-data=aread.stored_*");
command_fails_like(['pg_dump', @boss, '-f', '/dev/null'], qr/permission denied for|lack SELECT privilege/, 'weights are not for a database\'s owner');
command_ok(['pg_dump', @boss, @without, '-Fc', '-f', "$dump.boss"], 'who dumps without them');
command_ok(['pg_dump', '-U', 'reader', '-d', $primary->connstr('shop'), '-Fc', '-f', "$dump.reader"], 'pg_read_all_data dumps all');
for my $by (qw(boss reader))
{
	$primary->safe_psql('postgres', "CREATE DATABASE by_$by");
	command_ok(['pg_restore', '--exit-on-error', '-d', $primary->connstr("by_$by"), "$dump.$by"], "restore of what $by dumped");
}
is($primary->safe_psql('by_boss', 'SELECT (SELECT count(*) FROM clicks), (SELECT count(*) FROM aread.model), (SELECT count(*) FROM aread.source)'), '500|0|0', 'tables without models');
is($primary->safe_psql('by_boss', q{SELECT version FROM aread_train('clicks', 'mine', options => '{"architecture": "wide"}')}), '1', 'and a place for new ones');
is($primary->safe_psql('by_reader', q{SELECT count(*), bool_and(aread_predict('mine', s) = score) FROM score s}), '500|t', 'tables and models');

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
