# Races: sessions that read tables and models, beside sessions that alter,
# rename, drop and remake whatever these are made of, at random moments.  Each
# statement ends in a right result or in an error with a SQLSTATE of its own;
# no backend crashes, and no memory is read as a value of another type.
#
# AREAD_RACE_SECONDS says for how long (15 in the suite; 1,200 by hand).
use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

my $seconds = $ENV{AREAD_RACE_SECONDS} // 15;
my $seed = $ENV{AREAD_RACE_SEED} // int(rand(1e6));
note "seed $seed, $seconds s";
srand($seed);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nmax_worker_processes = 12\nclient_min_messages = error\ndeadlock_timeout = 100ms\nmax_prepared_transactions = 4\nlog_error_verbosity = verbose\n");
$node->start;
sub sql { return $node->safe_psql('postgres', $_[0]) }

sql(q{
	CREATE EXTENSION aread;
	CREATE ROLE reader LOGIN;
	CREATE ROLE writer LOGIN SUPERUSER;
	CREATE ROLE owner_a;
	CREATE SCHEMA race;
	GRANT ALL ON SCHEMA race TO reader;
	CREATE TABLE public.outcome (statement text, code text, result text);
	GRANT ALL ON public.outcome TO PUBLIC;
	CREATE FUNCTION race.twice(x float8) RETURNS float8 LANGUAGE plpgsql AS 'BEGIN RETURN 2 * x; END';
	-- what the tables are at the start, and are made of again
	CREATE FUNCTION race.make() RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		DROP TABLE IF EXISTS race.t CASCADE;
		DROP TYPE IF EXISTS race.mood CASCADE;
		CREATE TYPE race.mood AS ENUM ('calm', 'wild');
		CREATE TABLE race.t (label int, domain text, item_id int, user_id int, price float8, secret text, mood race.mood, tags text[]);
		INSERT INTO race.t SELECT i % 2, 'd' || i % 3, i % 5, i % 7, i / 10.0, 'x', (ARRAY['calm', 'wild']::race.mood[])[1 + i % 2], ARRAY['t' || i % 3] FROM generate_series(1, 200) i;
		ALTER TABLE race.t OWNER TO reader;
		CREATE VIEW race.v AS SELECT label, domain, item_id, user_id, race.twice(price) AS price, secret FROM race.t;
		GRANT ALL ON race.v TO reader;
	END $$;
	SELECT race.make();
	CREATE TABLE race.p (label int, domain text, item_id int, secret text) PARTITION BY LIST (domain);
	CREATE TABLE race.p0 PARTITION OF race.p FOR VALUES IN ('d0');
	CREATE TABLE race.p1 PARTITION OF race.p FOR VALUES IN ('d1');
	INSERT INTO race.p SELECT i % 2, 'd' || i % 2, i % 5, 'x' FROM generate_series(1, 200) i;
	GRANT ALL ON race.p TO reader;
	CREATE PROCEDURE public.run_until(until timestamptz, statements text[], hold float8) LANGUAGE plpgsql AS $$
	DECLARE
		statement text;
		result text;
		code text;
		message text;
	BEGIN
		WHILE clock_timestamp() < until LOOP
			statement := statements[1 + floor(random() * array_length(statements, 1))];
			BEGIN
				EXECUTE statement INTO result;
				INSERT INTO public.outcome VALUES (statement, '00000', result);
				-- what is not committed yet is waited for
				PERFORM pg_sleep(hold * random());
			EXCEPTION WHEN OTHERS THEN
				GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
				INSERT INTO public.outcome VALUES (statement, code, message);
			END;
			COMMIT;
		END LOOP;
	END $$;
	GRANT EXECUTE ON FUNCTION race.twice(float8) TO PUBLIC;
});
my $wide = q{'{"architecture": "wide"}'};
my $small = q{'{"architecture": "hemp", "epochs": 1, "embed_dim": 4, "mmoe_experts": 2, "mmoe_dims": [8], "hei_experts": [2, 2], "hei_hidden": [4, 4], "hei_output": [4, 4], "batch_size": 64, "warmup_batches": 1, "mask_interval": 1, "candidates": 2, "deploy": false}'};
my $features = "features => '{domain,item_id,secret}'";
for my $model (qw(shop all))
{
	my $of = $model eq 'shop' ? ", $features" : '';
	$node->safe_psql('postgres', "SELECT version FROM aread_train('race.t', '$model'$of, options => $wide); SELECT version FROM aread_train('race.t', '$model'$of, options => $small); SELECT aread_grant('$model', 'public')",
		extra_params => [ '-U', 'reader' ]);
}

my @readers = (
	"SELECT version FROM aread_train('race.t', 'shop', $features, options => $wide)",
	"SELECT version FROM aread_train('race.t', 'shop', $features, options => $small)",
	"SELECT version FROM aread_train('race.t', options => $wide)",
	"SELECT version FROM aread_train('race.v', 'viewed', options => $wide)",
	"SELECT version FROM aread_train('race.p', 'parted', options => $wide)",
	"SELECT version FROM aread_train('race.t', 'all', options => $wide)",
	"SELECT aread_train_start('race.t', 'started', $features, options => $wide)",
	"SELECT rows FROM aread_evaluate('shop', 'race.t')",
	"SELECT rows FROM aread_evaluate('all', 'race.t')",
	"SELECT rows FROM aread_evaluate('shop', 'race.v')",
	"SELECT rows FROM aread_evaluate('shop', 'race.p')",
	"SELECT sum(rows) FROM aread_evaluate_domains('shop', 'race.t')",
	"SELECT count(*) FROM aread_compare('shop\@1', 'shop', 'race.t')",
	"SELECT count(*) FROM aread_drift('shop', 'race.t')",
	"SELECT count(*) FROM aread_drift('all', 'race.t')",
	"SELECT sum(rows) FROM aread_popularity('race.t', $features)",
	"SELECT sum(rows) FROM aread_augment_plan('race.t', $features)",
	"SELECT count(*) FROM aread_augment(NULL::race.t, $features)",
	"SELECT aread_register('race.t')",
	"SELECT aread_unregister('race.t')",
	"SELECT sum(aread_predict('shop', t)) FROM race.t t",
	"SELECT sum(aread_predict('all', t)) FROM race.t t",
	"SELECT sum(aread_predict('all', to_jsonb(t))) FROM race.t t",
	"SELECT sum(aread_predict('all', v, 'd1')) FROM race.v v",
	q{SELECT aread_predict('all', '{"item_id": 1, "mood": "calm", "secret": "x", "tags": ["t1"]}', 'd1')},
	q{SELECT aread_predict('shop', '{"item_id": 1, "secret": "x"}', 'd1')},
	"SELECT count(*) FROM race.t t, LATERAL aread_explain('shop', t)",
	"SELECT string_agg(value, ',' ORDER BY value) FROM aread_vectors('shop', 'secret') WHERE status = 'known'",
	"SELECT string_agg(value, ',' ORDER BY value) FROM aread_vectors('started', 'secret') WHERE status = 'known'",
	"SELECT count(*) FROM aread_tensors('shop')",
	"SELECT length(aread_card('shop'))",
	"SELECT count(*) FROM aread.model",
	"SELECT count(*) FROM aread.feature",
	"SELECT count(*) FROM aread.source",
	"SELECT count(*) FROM aread.run",
	"SELECT aread_import(aread_export('shop'), 'shop')",
	"SELECT aread_import(aread_export('shop\@1'), 'copied')",
	"SELECT aread_rename('copied', 'renamed')",
	"SELECT aread_rename('renamed', 'copied')",
	"SELECT aread_drop('renamed')",
	"SELECT aread_drop('copied', true)",
	"SELECT aread_deploy('shop', 1)",
	"SELECT aread_rollback('shop')",
	"SELECT aread_cache_clear()",
);
my @writers = (
	"ALTER TABLE race.t ALTER secret TYPE int8 USING 123456789",
	"ALTER TABLE race.t ALTER secret TYPE text USING 'x'",
	"ALTER TABLE race.t ALTER item_id TYPE text USING 'i' || item_id",
	"ALTER TABLE race.t ALTER item_id TYPE int USING 3",
	"ALTER TABLE race.t ALTER domain TYPE varchar(10), ALTER user_id TYPE numeric",
	"ALTER TABLE race.t ALTER label TYPE float8",
	"ALTER TABLE race.t RENAME COLUMN item_id TO item",
	"ALTER TABLE race.t RENAME COLUMN item TO item_id",
	"ALTER TABLE race.t DROP COLUMN price CASCADE, ADD COLUMN price float4 DEFAULT 1.5",
	"ALTER TABLE race.t ADD COLUMN extra uuid DEFAULT gen_random_uuid()",
	"ALTER TABLE race.t DROP COLUMN extra",
	"ALTER TABLE race.t ALTER tags TYPE int[] USING '{1,2}'",
	"ALTER TABLE race.t RENAME TO u",
	"ALTER TABLE race.u RENAME TO t",
	"DROP TYPE race.mood CASCADE",
	"CREATE TYPE race.mood AS ENUM ('wild', 'calm')",
	"CREATE DOMAIN race.mood AS int",
	"ALTER TABLE race.t ADD COLUMN mood race.mood",
	"ALTER TYPE race.mood RENAME VALUE 'calm' TO 'still'",
	"DROP VIEW race.v",
	"CREATE VIEW race.v AS SELECT label, domain, item_id, user_id, race.twice(price) AS price, secret FROM race.t",
	"CREATE VIEW race.v AS SELECT label, 'd1'::varchar AS domain, 7.5::numeric AS item_id, now() AS secret FROM race.t",
	"CREATE OR REPLACE FUNCTION race.twice(x float8) RETURNS float8 LANGUAGE sql AS 'SELECT 2 * x'",
	"ALTER SCHEMA race RENAME TO other",
	"ALTER SCHEMA other RENAME TO race",
	"ALTER TABLE race.p DETACH PARTITION race.p1",
	"ALTER TABLE race.p ATTACH PARTITION race.p1 FOR VALUES IN ('d1')",
	"ALTER TABLE race.p ALTER secret TYPE int8 USING 123456789",
	"ALTER TABLE race.p ALTER secret TYPE text USING 'x'",
	"TRUNCATE race.p",
	"INSERT INTO race.p SELECT i % 2, 'd' || i % 2, i % 5, NULL FROM generate_series(1, 200) i",
	"ALTER ROLE owner_a RENAME TO owner_b",
	"ALTER ROLE owner_b RENAME TO owner_a",
	"SELECT aread_set_owner('copied', 'owner_a')",
	"SELECT aread_grant('shop', 'owner_a')",
	"SELECT aread_revoke('shop', 'owner_b')",
	"GRANT SELECT ON race.t TO reader", "GRANT SELECT ON race.v TO reader", "GRANT SELECT ON race.p TO reader",
	"GRANT USAGE ON SCHEMA race TO reader",
	("SELECT race.make()") x 4,
);

sub array_of { return 'ARRAY[' . join(', ', map { "\$q\$$_\$q\$" } @_) . ']' }

my $until = sql("SELECT clock_timestamp() + '$seconds s'");
my @sessions;
my @logs;
my $answers = '';

# A session of a role that does statements of a list until the time is up, and commits each up to so
# many seconds later.
sub session
{
	my ($role, $hold, @list) = @_;
	my $log = '';

	push @logs, \$log;
	push @sessions, IPC::Run::start([ 'psql', '-XqAt', '-U', $role, '-d', $node->connstr('postgres'), '-c', "CALL public.run_until('$until', " . array_of(@list) . ", $hold)" ], '>', \$log, '2>', \$log);
	return;
}

# The same without a subtransaction around each, which would end what an error leaves behind; what it gives is $answers.
sub plain_session
{
	my ($role, @list) = @_;
	my $log = '';
	my $file = $node->basedir . '/plain' . scalar(@sessions) . '.sql';

	append_to_file($file, "\\set VERBOSITY verbose\n" . join('', map { $list[ rand @list ] . ";\n" } 1 .. 2000 * $seconds));
	push @logs, \$log;
	push @sessions, IPC::Run::start([ 'psql', '-XqAt', '-U', $role, '-d', $node->connstr('postgres'), '-c', "SET statement_timeout = '60s'", '-f', $file ], '>', \$answers, '2>', \$log);
	return;
}

session('reader', 0, @readers) for 1 .. 2;
plain_session('reader', @readers);
session('writer', 0.1, @writers) for 1 .. 2;
sleep 1 while sql("SELECT clock_timestamp() < '$until'") eq 't';
# the plain ones have no end of their own
sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader' AND query NOT LIKE 'CALL%' AND backend_type = 'client backend'");
$_->finish for @sessions;

my $log = slurp_file($node->logfile);
unlike($log, qr/terminated by signal|PANIC:|TRAP:/, 'no backend crashed');
is(sql('SELECT 1'), '1', 'the server lives');
like(${ $logs[0] } . ${ $logs[1] }, qr/^\s*$/, 'both readers came to their end');

my $of_readers = "public.outcome WHERE statement = ANY (" . array_of(@readers) . ')';
cmp_ok(sql("SELECT count(*) FROM $of_readers"), '>', 20 * $seconds, 'statements of readers: ' . sql("SELECT count(*), count(*) FILTER (WHERE code = '00000') FROM $of_readers"));
note sql("SELECT code, count(*), min(left(result, 90)) FROM $of_readers AND code <> '00000' GROUP BY 1 ORDER BY 2 DESC");
# the server's own look-up of a row type whose table is gone
my $row_type = 'could not open relation with OID';
is(sql("SELECT DISTINCT code, result FROM $of_readers AND (code LIKE 'XX%' OR code LIKE 'P0%') AND NOT (statement LIKE '%NULL::race.t%' AND starts_with(result, '$row_type'))"), '', 'no internal error');
is(join("\n", grep { /^psql:.*(ERROR|FATAL|PANIC):  XX/ && !/$row_type/ } split /\n/, ${ $logs[2] }), '', 'nor in a session without subtransactions');
cmp_ok($answers =~ tr/\n//, '>', 5 * $seconds, 'which got answers');
for (
	[ 'aread_vectors', q{result NOT IN ('x', '123456789', '2', '3')}, 'values are those that were there' ],
	[ 'aread_evaluate', q{result NOT IN ('200', '100', '0')}, 'so many rows as there were' ],
	[ 'aread_predict', q{NOT result::float8 BETWEEN 0 AND 200}, 'scores are scores' ])
{
	my ($function, $wrong, $what) = @$_;
	my $results = "FROM $of_readers AND code = '00000' AND statement LIKE '%$function%'";

	is(sql("SELECT DISTINCT statement, result $results AND $wrong"), '', $what);
	cmp_ok(sql("SELECT count(result) $results"), '>', 0, "$function gave some");
}
my $never = sql("SELECT count(*) FROM unnest(" . array_of(@readers) . ") s WHERE NOT EXISTS (SELECT FROM public.outcome WHERE statement = s AND code = '00000')");
cmp_ok($never, '<', $seconds >= 60 ? 1 : 15, 'statements that never succeeded: ' . sql("SELECT string_agg(s, '; ') FROM unnest(" . array_of(@readers) . ") s WHERE NOT EXISTS (SELECT FROM public.outcome WHERE statement = s AND code = '00000')"));
$node->stop;

done_testing();
