# The version that scores is the one that the statement's snapshot has deployed,
# whatever became of transactions before: rolled back, prepared, savepoints.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $steps = $ENV{SNAPSHOT_STEPS} // 400;
my $seed = $ENV{SNAPSHOT_SEED} // 20261128;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\njit = off\nautovacuum = off\nclient_min_messages = warning\nmax_prepared_transactions = 5\n");
$node->start;
my $train = q{aread_train('seen', 'shop', options => '{"architecture": "wide", "l2_wide": 1, "epochs": 1, "seed": %d}')};
$node->safe_psql('postgres', q{
	CREATE EXTENSION aread;
	CREATE TABLE seen AS SELECT * FROM aread_simulate(1000, domains => 3, groups => 2, users => 60, items => 40, strength => 3);
	CREATE TABLE k (i int);
	CREATE TABLE one AS SELECT 1 AS x;
} . join('', map { 'SELECT ' . sprintf($train, $_) . ';' } 1 .. 3));
my $features = q{'{"user_id": 1, "item_id": 2, "price": 1.5}'::jsonb, 'domain_1'};
my $score = "SELECT aread_predict('shop', $features) FROM one";
my %of = map { $_ => $node->safe_psql('postgres', $score =~ s/shop/shop\@$_/r) } 1 .. 3;
isnt($of{1}, $of{2}, 'versions score differently');

#
# Numbers of a snapshot that come again: an older transaction holds xmin, the
# commands are as many, and nothing has been scored in between.
#
$node->safe_psql('postgres', q{SELECT aread_deploy('shop', 1)});
my $older = $node->background_psql('postgres');
my $session = $node->background_psql('postgres');
foreach my $end ('ROLLBACK', "PREPARE TRANSACTION 'p'")
{
	$older->query_safe('BEGIN; INSERT INTO k VALUES (-1)');
	is($session->query_safe($score), $of{1}, 'version 1 is deployed');
	$session->query_safe('BEGIN; INSERT INTO k VALUES (0)');
	$node->safe_psql('postgres', 'INSERT INTO k VALUES (-2)') if $end eq 'ROLLBACK';
	$session->query_safe(q{SELECT aread_deploy('shop', 2); INSERT INTO k VALUES (1)});
	my $command = $session->query_safe('SELECT cmin FROM k WHERE i = 1');
	is($session->query_safe($score), $of{2}, 'another one in the transaction');
	$session->query_safe($end);
	$session->query_safe('BEGIN; ' . 'INSERT INTO k VALUES (0); ' x ($command + 1));
	is($session->query_safe($score), $of{1}, "not after $end, be the commands as many");
	$session->query_safe('COMMIT');
	$older->query_safe('COMMIT');
}
$session->query_safe(q{COMMIT PREPARED 'p'});
is($session->query_safe($score), $of{2}, 'COMMIT PREPARED deploys');

# cursors: as of their own snapshot
$session->query_safe(q{BEGIN; DECLARE c CURSOR FOR SELECT aread_predict('shop', } . $features . q{) FROM generate_series(1, 1000) i; SELECT aread_deploy('shop', 3)});
is($session->query_safe('FETCH c'), $of{2}, 'a cursor scores as when it was opened');
is($session->query_safe($score), $of{3}, 'other statements do not');
$session->query_safe('SAVEPOINT a');
is($session->query_safe('FETCH c'), $of{2}, 'in a savepoint');
is($session->query_safe($score), $of{3}, 'other statements');
$session->query_safe('ROLLBACK');
is($session->query_safe($score), $of{2}, 'rolled back');

# rights: changes of roles are seen by the next statement, even under the same snapshot
$node->safe_psql('postgres', q{CREATE ROLE owner; CREATE ROLE member LOGIN; GRANT owner TO member; GRANT SELECT ON one TO member; SELECT aread_set_owner('shop', 'owner')});
my $member = $node->background_psql('postgres', extra_params => ['-U', 'member'], on_error_stop => 0);
$member->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
is($member->query_safe($score), $of{2}, 'a member of the owner scores');
$node->safe_psql('postgres', 'REVOKE owner FROM member');
$member->query($score);
like($member->{stderr}, qr/permission denied for model "shop"/, 'not when it is no member any more');
eval { $member->quit };

#
# At random: what scores is what the view says is deployed, in one statement.
#
srand($seed);
my $holds = qq{SELECT aread_predict('shop', $features) = aread_predict('shop\@' || (SELECT version FROM aread.model WHERE model = 'shop' AND deployed), $features)};
my $depth = -1;					# savepoints; -1: no transaction
my $prepared = 0;				# what it has locked nobody else deploys
my $wrong = '';
my @log;
sub one_of { return $_[int(rand(@_))]; }

sub step
{
	my $deploy = "SELECT aread_deploy('shop', " . one_of(1, 2, 3) . ')';

	return one_of("ROLLBACK PREPARED 'p'", "COMMIT PREPARED 'p'") if $prepared && $depth < 0 && rand() < 0.4;
	return one_of('BEGIN', 'BEGIN', 'BEGIN ISOLATION LEVEL REPEATABLE READ', $prepared ? 'SELECT 1' : $deploy) if $depth < 0;
	return one_of('COMMIT', 'ROLLBACK', $prepared ? 'COMMIT' : "PREPARE TRANSACTION 'p'") if rand() < 0.15;
	return "ROLLBACK TO s$depth" if $depth > 0 && rand() < 0.2;
	return "RELEASE s$depth" if $depth > 0 && rand() < 0.2;
	return one_of('SAVEPOINT s' . ($depth + 1), 'INSERT INTO k VALUES (1)', $prepared ? 'SELECT 1' : $deploy, $prepared ? 'SELECT 2' : $deploy);
}

for (1 .. $steps)
{
	my $step = step();

	push @log, $step;
	$session->query_safe($step);
	$depth = 0 if $step =~ /^BEGIN/;
	$depth = -1 if $step =~ /^(COMMIT|ROLLBACK|PREPARE)/ && $step !~ /ROLLBACK TO/;
	$depth++ if $step =~ /^SAVEPOINT/;
	$depth-- if $step =~ /^RELEASE/;
	$prepared = 1 if $step =~ /^PREPARE/;
	$prepared = 0 if $step =~ /PREPARED/;
	$older->query_safe(one_of('BEGIN; INSERT INTO k VALUES (1); COMMIT', 'BEGIN; INSERT INTO k VALUES (1); ROLLBACK', $holds)) if rand() < 0.3;
	# a look at the catalog would hide what was taken for it
	next if rand() < 0.6 || $session->query_safe($holds) eq 't' && $older->query_safe($holds) eq 't';
	$wrong = join "\n", @log;
	last;
}
is($wrong, '', "$steps random steps, seed $seed: the version that scores is the deployed one");

$session->query_safe('ROLLBACK') if $depth >= 0;
$_->quit foreach ($session, $older);
$node->stop;
done_testing();
