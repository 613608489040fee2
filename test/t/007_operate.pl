# The commands of the README's sections "Operate", "Privileges" and "Back up
# and move", as they stand there; a promoted standby trains; sessions that
# deploy and drop while others score.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "fsync = off\nclient_min_messages = warning\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION aread;
	CREATE ROLE web; CREATE ROLE support; CREATE ROLE analysts;
	CREATE TABLE interactions AS SELECT label, domain, user_id, item_id FROM aread_simulate(1500, domains => 4, groups => 2, users => 50, items => 30, strength => 3)});

# A section's code blocks.
my $readme = slurp_file('README.md');
sub blocks
{
	my ($section) = @_;
	my ($text) = $readme =~ /^## \Q$section\E\n(.*?)^## /ms or die "no section $section";

	return $text =~ /^```\w*\n(.*?)^```$/msg;
}

my ($operate, $background) = blocks('Operate');
my ($privileges) = blocks('Privileges');
my (undef, $move) = blocks('Back up and move');
like($operate, qr/aread_deploy/, 'commands to run');
$node->safe_psql('postgres', $operate);
is($node->safe_psql('postgres', 'SELECT count(*) FROM aread.model'), '0', '"Operate" runs, and ends with the model dropped');

my (undef, $shown, $told) = $node->psql('postgres', $background, on_error_stop => 0);
like($told, qr/\A\S*:\s*ERROR:  run 2 was cancelled: canceling statement due to user request\Z/, '"In the background" runs, with the error that it shows');
is($node->safe_psql('postgres', q{SELECT r.run, r.state, m.version FROM aread.run r JOIN aread.model m USING (model)}), '1|done|1', 'and leaves a model');

$node->safe_psql('postgres', q{SELECT aread_drop('nightly'), aread_train('interactions', 'shop')});
$node->safe_psql('postgres', $privileges);
is($node->safe_psql('postgres', 'SELECT owner, granted_to FROM aread.model'), 'analysts|{}', '"Privileges" runs');

# export and import, as shell commands
my $score = q{SELECT aread_predict('shop', '{"user_id": 5, "item_id": 7}', 'domain_02')};
my $before = $node->safe_psql('postgres', $score);
my $directory = $PostgreSQL::Test::Utils::tmp_check;
local $ENV{PGHOST} = $node->host;
local $ENV{PGPORT} = $node->port;
local $ENV{PGDATABASE} = 'postgres';
is(system("cd '$directory' && { $move } >move.log 2>&1"), 0, '"Back up and move" runs') or diag(slurp_file("$directory/move.log"));
is($node->safe_psql('postgres', q{SELECT max(version) FROM aread.model WHERE model = 'shop'}), '2', 'what was exported is imported');
is($node->safe_psql('postgres', $score), $before, 'and scores the same');

# into another database with another encoding
$node->safe_psql('postgres', "CREATE DATABASE $_ ENCODING '$_' LOCALE 'C' TEMPLATE template0") foreach qw(utf8 latin1);
$node->safe_psql($_, 'CREATE EXTENSION aread') foreach qw(utf8 latin1);
$node->safe_psql('utf8', q{
	CREATE TABLE named AS SELECT label, 'kategorie ' || chr(252) || domain AS domain, user_id, item_id
		FROM aread_simulate(1500, domains => 4, groups => 2, users => 50, items => 30, strength => 3);
	SELECT aread_train('named', 'umlauts')});
my $data = $node->safe_psql('utf8', q{SELECT encode(aread_export('umlauts'), 'hex')});
$node->safe_psql('latin1', "SELECT aread_import(decode('$data', 'hex'))");
my $named = q{SELECT aread_predict('umlauts', '{"user_id": 5, "item_id": 7}', 'kategorie ' || chr(252) || 'domain_02')};
my $unseen = q{SELECT aread_predict('umlauts', '{"user_id": 5, "item_id": 7}', 'kategorie domain_02')};
is($node->safe_psql('latin1', $named), $node->safe_psql('utf8', $named), 'into a database of another encoding');
isnt($node->safe_psql('latin1', $named), $node->safe_psql('latin1', $unseen), 'whose domains are known there');

#
# Sessions that deploy, retrain and drop while others score: each score is one of a version.
#
$node->safe_psql('postgres', q{
	SELECT aread_drop('shop');
	SELECT aread_train('interactions', 'shop', options => jsonb_build_object('seed', s)) FROM generate_series(1, 3) s;
	CREATE TABLE possible AS SELECT aread_predict('shop@' || v, '{"user_id": 5, "item_id": 7}', 'domain_02') AS p FROM generate_series(1, 3) v});
my $bench = sub {
	my ($script, $clients) = @_;
	my $file = "$directory/" . ($script =~ /predict/ ? 'score' : 'deploy') . '.pgbench';

	append_to_file($file, $script);
	return IPC::Run::start(['pgbench', '-n', '-c', $clients, '-T', 4, '-f', $file, $node->connstr('postgres')], '>', "$file.out", '2>', "$file.err");
};
my @runs = ($bench->(q{
SELECT 1 / count(*) FROM possible WHERE abs(p - aread_predict('shop', '{"user_id": 5, "item_id": 7}', 'domain_02')) < 1e-6;
SELECT 1 / (count(DISTINCT aread_predict('shop', '{"user_id": 5, "item_id": 7}', 'domain_02')) = 1)::int FROM generate_series(1, 20);
}, 4), $bench->(q{
\set v random(1, 3)
SELECT aread_deploy('shop', :v);
}, 2));
my @status = map { $_->finish ? 'ok' : 'failed' } @runs;
is("@status", 'ok ok', 'every score is that of one version') or diag(slurp_file("$directory/score.pgbench.err"), slurp_file("$directory/deploy.pgbench.err"));
my $dropper = $node->background_psql('postgres');
my $reader = $node->background_psql('postgres');
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
my $seen = $reader->query_safe($score);
$dropper->query_safe(q{BEGIN; SELECT aread_drop('shop')});
is($node->safe_psql('postgres', $score), $seen, 'a model is there until its drop is committed');
$dropper->query_safe('COMMIT');
is($reader->query_safe($score), $seen, 'and for older snapshots, too');
my (undef, undef, $gone) = $node->psql('postgres', $score);
like($gone, qr/model "shop" does not exist/, 'for others it is gone');
$reader->query_safe('COMMIT');
$_->quit foreach ($dropper, $reader);

# two trainings of one name: one waits, both are there
my $first = $node->background_psql('postgres');
$first->query_safe(q{BEGIN; SELECT aread_train('interactions', 'both')});
my ($out, $err) = ('', '');
my $second = IPC::Run::start(['psql', '-X', '-q', '-At', '-d', $node->connstr('postgres'), '-c', q{SELECT version FROM aread_train('interactions', 'both', options => '{"seed": 2}')}], '>', \$out, '2>', \$err);
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%aread_train%'}) or die 'nobody waits';
$first->query_safe('COMMIT');
$second->finish;
$first->quit;
is($out . $err, "2\n", 'a training waits for another one of its name');

#
# A standby that is promoted trains.
#
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
my (undef, undef, $read_only) = $standby->psql('postgres', q{SELECT aread_deploy('both', 1)});
like($read_only, qr/cannot execute aread_deploy\(\) in a read-only transaction/, 'a standby deploys nothing');
$standby->promote;
is($standby->safe_psql('postgres', q{SELECT version FROM aread_train('interactions', 'both')}), '3', 'promoted, it trains');
$standby->stop;
$node->stop;

done_testing();
