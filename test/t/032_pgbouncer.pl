# Through pgbouncer in transaction mode, where each transaction may have another
# server session: scores, trainings, settings and prepared statements.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/local/sbin';
plan skip_all => 'pgbouncer is not installed' unless $pgbouncer;
my ($version) = run_command([$pgbouncer, '--version']);
my $prepares = $version =~ /PgBouncer 1\.(\d+)/ && $1 >= 21;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "client_min_messages = warning\nmax_worker_processes = 12\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION aread;
	CREATE TABLE clicks AS SELECT label, domain, user_id, item_id
		FROM aread_simulate(4000, domains => 4, groups => 2, users => 100, items => 50, strength => 3);
	CREATE ROLE web LOGIN;
	SELECT aread_train('clicks', 'shop', options => '{"architecture": "wide"}');
	SELECT aread_grant('shop', 'web')});

# Two server sessions for each user.
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $directory = PostgreSQL::Test::Utils::tempdir_short();
append_to_file("$directory/users", qq{"web" ""\n"postgres" ""\n"$ENV{USER}" ""\n});
append_to_file("$directory/ini", "[databases]\npostgres = host=" . $node->host . ' port=' . $node->port . "\n[pgbouncer]\nlisten_addr =\nlisten_port = $port\nunix_socket_dir = $directory\nauth_type = trust\nauth_file = $directory/users\n"
	. "pool_mode = transaction\ndefault_pool_size = 2\nserver_reset_query_always = 0\nignore_startup_parameters = extra_float_digits\nadmin_users = postgres\n" . ($prepares ? "max_prepared_statements = 50\n" : ''));
my $pool = IPC::Run::start([$pgbouncer, "$directory/ini"], '>', \my $out, '2>', \my $log);
END { $pool->kill_kill if $pool }

sub pooled
{
	my ($user, $sql) = @_;
	my ($output, $error);

	IPC::Run::run(['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', "host=$directory port=$port user=$user dbname=postgres"], '<', \$sql, '>', \$output, '2>', \$error);
	chomp $output;
	return $output . $error;
}
my $user = $node->safe_psql('postgres', 'SELECT current_user');
for (1 .. 100)
{
	last if pooled($user, 'SELECT 1') eq '1';
	select undef, undef, undef, 0.1;
}
is(pooled($user, 'SELECT 1'), '1', 'there is a pool');

my $predict = q{SELECT sum(aread_predict('shop', c)) FROM clicks c};
my $score = $node->safe_psql('postgres', $predict);

#
# Scores: the same from each session, by the version that is deployed.
#
$node->safe_psql('postgres', 'GRANT SELECT ON clicks TO web');
is(pooled('web', $predict), $score, 'a score');
is(pooled('web', join ';', ($predict) x 20), join("\n", ($score) x 20), 'twenty of them');
my $file = "$directory/score.sql";
append_to_file($file, "\\set user random(1, 100)\nSELECT aread_predict('shop', jsonb_build_object('user_id', :user::int, 'item_id', 7, 'domain', 'domain_01'));\n");
for my $mode ('simple', 'extended', $prepares ? 'prepared' : ())
{
	my ($output, $error) = run_command(['pgbench', '-n', '-M', $mode, '-c', '8', '-t', '100', '-f', $file, '-h', $directory, '-p', $port, '-U', 'web', 'postgres']);

	like($output, qr/number of transactions actually processed: 800\/800/, "eight clients over two sessions, $mode protocol") or diag($error);
}
note('prepared statements of the protocol need pgbouncer 1.21: ' . $version) unless $prepares;

# training, and at once the new version
like(pooled($user, q{SELECT version, auc > 0.5 FROM aread_train('clicks', 'shop', options => '{"architecture": "wide", "l2_wide": 5}')}), qr/^2\|t$/, 'a training');
my $second = pooled('web', $predict);
isnt($second, $score, 'the next score is by its version');
is($second, $node->safe_psql('postgres', $predict), 'as it is without the pool');
is(pooled('web', join ';', ($predict) x 10), join("\n", ($second) x 10), 'from every session');
my $run = pooled($user, q{SELECT aread_train_start('clicks', 'shop', options => '{"architecture": "wide"}')});
like($run, qr/^\d+$/, 'one in the background');
is(pooled($user, "SELECT aread_wait($run)"), '3', 'another session waits for it');
is(pooled('web', $predict), $score, 'and the pool scores with what it made');

#
# Settings and prepared statements belong to a transaction here.
#
my $unseen = q{SELECT aread_predict('shop', '{"user_id": 5, "item_id": 7}', 'nowhere') IS NOT NULL};
like(pooled('web', "BEGIN; SET LOCAL aread.unseen_domain = 'error'; $unseen; COMMIT"), qr/ERROR:  domain was not seen in training/, 'a setting of a transaction');
is(pooled('web', join ';', ($unseen) x 10), join("\n", ('t') x 10), 'ends with it, in every session');
is(pooled('web', qq{BEGIN; PREPARE scores (int) AS SELECT aread_predict('shop', c) IS NOT NULL FROM clicks c WHERE user_id = \$1 LIMIT 1;
	EXECUTE scores(5); EXECUTE scores(6); DEALLOCATE scores; COMMIT}), "t\nt", 'so does a statement that was prepared in it');
$node->safe_psql('postgres', q{ALTER ROLE web SET aread.unseen_domain = 'error'});
pooled($user, 'SELECT 1');
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'web'});
like(pooled('web', $unseen), qr/ERROR:  domain was not seen in training/, q{a role's setting holds for the pool's new sessions});

# rights are those of the user, whoever else the pool serves
like(pooled('web', q{SELECT aread_drop('shop')}), qr/ERROR:  .*(owner|permission)/, 'a grantee owns nothing');
is(pooled('web', 'SELECT count(*) FROM aread.run'), '0', 'nor sees runs of others');

$pool->kill_kill;
$node->stop;
done_testing();
