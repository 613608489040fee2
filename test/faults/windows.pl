# Between a look-up and its use, in a library built with FAULTS=1: a session
# waits at such a moment for a second, and another one tries to change what was
# looked up.  It has to wait, or changes nothing for the first.
use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "client_min_messages = error\n");
$node->start;
sub sql { return $node->safe_psql('postgres', $_[0]) }

sql(q{
	CREATE EXTENSION aread;
	CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN;
	CREATE TYPE mood AS ENUM ('calm', 'wild');
	CREATE SCHEMA s; GRANT ALL ON SCHEMA s TO PUBLIC;
	CREATE TABLE s.clicks AS SELECT i % 2 AS label, 'd' || i % 3 AS domain, i % 5 AS item_id, i % 7 AS user_id, 'x' || i % 2 AS secret, (ARRAY['calm', 'wild']::mood[])[1 + i % 3 % 2] AS mood FROM generate_series(1, 300) i;
	GRANT SELECT ON s.clicks TO PUBLIC;
	CREATE TABLE private AS SELECT * FROM s.clicks; ALTER TABLE private OWNER TO alice;
	SELECT version FROM aread_train('s.clicks', 'm', options => '{"architecture": "wide"}')});

# A session that waits at a point once; what it gives, or the SQLSTATE of its error.
sub start_waiting
{
	my ($point, $statement, $role) = @_;
	my %session = (out => '', error => '');

	$session{run} = IPC::Run::start([ 'psql', '-XqAt', '-v', 'VERBOSITY=sqlstate', '-d', $node->connstr('postgres'), '-c', "LOAD 'aread'", '-c', 'SET ROLE ' . ($role // 'postgres'), '-c', $statement ],
		init => sub { $ENV{PGOPTIONS} = "-c aread.fault=$point:1" }, '>', \$session{out}, '2>', \$session{error});
	for (1 .. 100)
	{
		return \%session if sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") eq '1';
		sleep 0.05;
	}
	$session{run}->finish;
	die "never waits at $point: $session{out}$session{error}";
}

sub result_of
{
	my ($session) = @_;

	$session->{run}->finish;
	my ($code) = $session->{error} =~ /ERROR:  (\w+)/;
	return $code // ($session->{out} =~ s/\n$//r);
}

# The SQLSTATE of a statement that waits no longer than a moment for locks.
sub code_of
{
	my ($statement, $role) = @_;
	my (undef, undef, $error) = $node->psql('postgres', "SET lock_timeout = '200ms'; $statement", extra_params => [ '-v', 'VERBOSITY=sqlstate', '-U', $role // 'postgres' ]);

	return $error =~ /ERROR:  (\w+)/ ? $1 : 'ok';
}

#
# A source that is open.
#
my $wide = q{options => '{"architecture": "wide"}'};
my %readers = (
	"SELECT train_rows + valid_rows + test_rows FROM aread_train('s.clicks', 'n', $wide)" => '300',
	"SELECT rows FROM aread_evaluate('m', 's.clicks')" => '300',
	"SELECT sum(rows) FROM aread_evaluate_domains('m', 's.clicks')" => '300',
	"SELECT sum(unseen) FROM aread_drift('m', 's.clicks')" => '0',
	"SELECT count(*) FROM aread_popularity('s.clicks')" => '5',
	"SELECT count(*) FROM aread_augment_plan('s.clicks')" => '3',
	q{SELECT count(*) FROM aread_augment(NULL::s.clicks, options => '{"minor_share": 0.33, "major_share": 0.34, "augment_ratio": 0.5}')} => '131',
);
my @changes = (
	"ALTER TABLE s.clicks ALTER secret TYPE bigint USING 1234567890",
	"ALTER TABLE s.clicks RENAME COLUMN secret TO open",
	"ALTER TABLE s.clicks RENAME TO others",
	"ALTER TABLE s.clicks DROP COLUMN mood",
	"ALTER TABLE s.clicks SET SCHEMA public",
	"DROP TYPE mood CASCADE",
	"DROP TABLE s.clicks",
	"DROP SCHEMA s CASCADE",
	"TRUNCATE s.clicks",
);
for my $statement (sort keys %readers)
{
	for my $i (0 .. $#changes)
	{
		# each reader with some, all of them with one
		next unless ($i + length $statement) % 4 == 0 || $statement =~ /aread_train/;
		my $session = start_waiting('source', $statement);
		my $code = code_of($changes[$i]);

		is($code . ' ' . result_of($session), "55P03 $readers{$statement}", "$changes[$i] beside $statement");
	}
	# a schema is no part of what is locked: another relation of the name is not read as if it were this one
	my $session = start_waiting('source', $statement);
	my $code = code_of('BEGIN; ALTER SCHEMA s RENAME TO t; CREATE SCHEMA s; CREATE TABLE s.clicks AS SELECT domain AS label, label AS domain, 1.5 AS item_id, now() AS user_id, 1234567890::bigint AS secret, 7 AS mood FROM t.clicks; GRANT ALL ON SCHEMA s TO PUBLIC; COMMIT');
	is($code . ' ' . result_of($session), 'ok 55000', "another schema of the name beside $statement");
	sql('DROP SCHEMA s CASCADE; ALTER SCHEMA t RENAME TO s');
}

#
# A name that is locked: nobody gets a model of the name between the check and the row.
#
my $mine = "SELECT version FROM aread_train('private', 'taken', $wide)";
my @takers = (
	"SELECT aread_train('s.clicks', 'taken', $wide)",
	"SELECT aread_import(data, 'taken') FROM exported",
	"SELECT aread_rename('bobs', 'taken')",
);
sql(qq{CREATE TABLE exported AS SELECT aread_export('m') AS data; GRANT SELECT ON exported TO PUBLIC});
$node->safe_psql('postgres', "SELECT aread_import(data, 'bobs') FROM exported", extra_params => [ '-U', 'bob' ]);
for my $statement (@takers)
{
	my $session = start_waiting('name', $mine, 'alice');
	my $code = code_of($statement, 'bob');

	is($code . ' ' . result_of($session), '55P03 1', "waits: $statement");
	is(sql("SELECT string_agg(version || ' ' || owner, ', ') FROM aread.model WHERE model = 'taken'"), '1 alice', 'the model is of its first owner alone');
	like(code_of($statement, 'bob'), qr/^(42501|42710)$/, "and then fails: $statement");
	sql("SELECT aread_drop('taken')");
}
for my $pair (
	[ "SELECT aread_deploy('bobs', 1)", 'bob', "SELECT aread_set_owner('bobs', 'alice')" ],
	[ "SELECT aread_drop('bobs')", 'bob', "SELECT aread_rename('bobs', 'others')" ],
	[ "SELECT aread_import(data, 'bobs') FROM exported", 'bob', "SELECT aread_drop('bobs')" ])
{
	my ($statement, $role, $other) = @$pair;
	my $session = start_waiting('name', "BEGIN; $statement; ROLLBACK", $role);

	is(code_of($other), '55P03', "$other waits beside $statement");
	result_of($session);
}

#
# A version that was found: what is scored is what the statement's snapshot had.
#
sql(qq{SELECT aread_train('s.clicks', 'm', options => '{"architecture": "wide", "seed": 2, "positive_weight": 9, "deploy": false}')});
my $score = q{SELECT round(aread_predict('m', '{"item_id": 1}', 'd1')::numeric, 9)};
my $right = sql($score);
isnt(sql($score =~ s/'m'/'m\@2'/r), $right, 'versions score differently');
for my $change (
	[ "SELECT aread_deploy('m', 2)", "SELECT aread_deploy('m', 1)" ],
	[ "SELECT aread_rename('m', 'was m')", "SELECT aread_rename('was m', 'm')" ],
	[ "SELECT aread_drop_version('m', 2); SELECT aread_drop('m')", "SELECT aread_import(data, 'm') FROM exported" ])
{
	my ($statement, $back) = @$change;
	my $session = start_waiting('model', $score);
	my $code = code_of($statement);

	is($code . ' ' . result_of($session), "ok $right", "$statement between the look-up and the score");
	sql($back);
}
$node->stop;
done_testing();
