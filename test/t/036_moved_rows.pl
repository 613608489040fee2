# A training with histories in the order of a column, whose rows move in their table between
# an interruption and the resumption: it goes on to the model that it would have been.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "max_worker_processes = 12\nautovacuum = off\naread.threads = 1\n");
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]) }
sub column { return sql("SELECT $_[1] FROM aread.run WHERE run = $_[0]") }
sub await { $node->poll_query_until('postgres', "SELECT coalesce((SELECT $_[1] FROM aread.run WHERE run = $_[0]), false)") or die "run $_[0]: never $_[1]" }
sub crc_of { return sql("SELECT crc FROM aread.model WHERE model = '$_[0]'") }

# rows of one content have several times, and several rows have one
sql(q{
	SET client_min_messages = warning;
	CREATE EXTENSION aread;
	CREATE TABLE seen AS SELECT label, domain, user_id % 40 AS user_id, item_id % 20 AS item_id, sequence / 5 AS at
		FROM aread_simulate(20000, domains => 4, users => 200, items => 100, strength => 3);
	CREATE INDEX ON seen (user_id, item_id)});

my $options = q{'{"architecture": "fm", "wide": false, "trees": 0, "embed_dim": 4, "epochs": 40, "patience": 1000, "batch_size": 64, "history": {"length": 20}}'};
my $arguments = "'label', 'domain', '{domain,user_id,item_id}', 'user_id', 'item_id', 'at', $options";

sql("SET client_min_messages = warning; SELECT aread_train('seen', 'front', $arguments)");
my $wanted = crc_of('front');
my $places = q{SELECT md5(string_agg(ctid::text, ',' ORDER BY at, user_id, item_id, domain, label)) FROM seen};
my %moves = (
	'UPDATE' => ['UPDATE seen SET at = at WHERE user_id % 3 = 0'],
	'VACUUM FULL' => ['UPDATE seen SET at = at WHERE user_id % 3 = 1', 'VACUUM FULL seen'],
	'CLUSTER' => ['CLUSTER seen USING seen_user_id_item_id_idx']);
for my $how (sort keys %moves)
{
	my $run = sql("SET aread.checkpoint_interval = '50ms'; SELECT aread_train_start('seen', 'moved', $arguments)");
	my $before = sql($places);

	await($run, 'checkpoint_at IS NOT NULL AND epoch > 1');
	sql("SELECT pg_terminate_backend(pid, 5000) FROM aread.run WHERE run = $run");
	await($run, q{state = 'interrupted'});
	sql($_) for @{$moves{$how}};
	isnt(sql($places), $before, "$how: rows have moved");
	sql("SELECT aread_resume($run)");
	is(sql("SELECT aread_wait($run)"), '1', "$how: resumed");
	is(column($run, 'attempts'), '2', "$how: once");
	is(crc_of('moved'), $wanted, "$how: the model of the training that was not interrupted");
	sql("SELECT aread_drop('moved')");
}

done_testing();
