# A statement again and again leaves nothing behind: memory contexts and resident
# memory of a session after some rounds, and after many.  LOOPS=1000000 for a night.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rounds = $ENV{LOOPS} // 3000;
my $warm = int($rounds / 4);
# what a session's own caches may still take in the meantime
my $contexts_limit = 64 * 1024;
my $resident_limit = 1024;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\njit = off\nmax_parallel_workers_per_gather = 0\nautovacuum = off\nclient_min_messages = error\nlog_min_messages = fatal\nlog_min_error_statement = fatal\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION aread;
	CREATE TABLE seen AS SELECT * FROM aread_simulate(1000, domains => 3, groups => 2, users => 60, items => 40, strength => 3);
	SELECT aread_train('seen', 'shop', options => '{"mmoe_dims": [8], "embed_dim": 4, "epochs": 1, "warmup_batches": 2, "candidates": 1}'),
		aread_train('seen', 'shop', options => '{"mmoe_dims": [8], "embed_dim": 4, "epochs": 1, "warmup_batches": 2, "candidates": 1, "seed": 5}');
	SELECT aread_import(aread_export('shop'), 'many' || i) FROM generate_series(0, 19) i;
	CREATE TABLE few AS SELECT * FROM seen LIMIT 40;
	ANALYZE few;
	CREATE DOMAIN domain_name AS text CHECK (value <> '');
	CREATE TYPE pair AS (user_id int, item_id bigint);
	DO $$ BEGIN FOR i IN 0 .. 11 LOOP EXECUTE format('CREATE TYPE type_%s AS (user_id int, item_id text, more_%s int)', i, i); END LOOP; END $$;
	CREATE FUNCTION of_type(i int) RETURNS record LANGUAGE plpgsql AS $$
	DECLARE r record;
	BEGIN
		EXECUTE format('SELECT (ROW(1, 2, 3)::type_%s).*', i) INTO r;
		RETURN r;
	END $$;
	CREATE FUNCTION inlined(u int) RETURNS float8 LANGUAGE sql STABLE AS $$ SELECT aread_predict('shop', ROW(u, 2)::pair, 'domain_1') $$;
	CREATE FUNCTION best(u int) RETURNS float8 LANGUAGE sql VOLATILE AS $$ SELECT max(aread_predict('shop', s, 'domain_1')) FROM few s $$;
	CREATE FUNCTION scores(u int) RETURNS TABLE (p float8) LANGUAGE sql VOLATILE AS $$ SELECT aread_predict('shop', s, 'domain_1') FROM few s $$;
	CREATE FUNCTION scored(u int) RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN RETURN aread_predict('shop', ROW(u, 2)::pair, 'domain_1'); END $$;
	CREATE FUNCTION allocated() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT sum(total_bytes) FROM pg_backend_memory_contexts); END $$;
	CREATE FUNCTION resident() RETURNS bigint LANGUAGE plpgsql AS $$
		BEGIN RETURN substring(pg_read_file('/proc/' || pg_backend_pid() || '/status') FROM 'RssAnon:\s*(\d+)'); END $$;
});

# What a session has more, contexts (bytes) and resident memory (kB), after the last rounds.
sub is_flat
{
	my ($name, $output) = @_;
	my ($contexts, $resident) = map { (split /\|/)[1] } grep { /^(contexts|resident)\|/ } split /\n/, $output;

	ok(defined $contexts && $contexts < $contexts_limit, "$name: " . ($contexts // 'no') . ' bytes more in memory contexts')
		or diag($output);
	cmp_ok($resident // 1e9, '<', $resident_limit, "$name: kB more of resident memory");
}

#
# In PL/pgSQL, one transaction.
#
my @bodies = (
	['a record', q{p := aread_predict('shop', ROW(i, 2)::pair, 'domain_1')}],
	['record types in turn', q{p := aread_predict('shop', of_type(i % 2), 'domain_1')}],
	['many record types', q{p := aread_predict('shop', of_type(i % 12), 'domain_1')}],
	['jsonb', q{p := aread_predict('shop', '{"user_id": 1, "item_id": "2"}'::jsonb, 'domain_1')}],
	['json', q{p := aread_predict('shop', '{"user_id": 1}'::json, 2)}],
	['text, a domain type', q{p := aread_predict('shop', '{"user_id": 1}'::text, 'domain_1'::domain_name)}],
	['models in turn', q{p := aread_predict(CASE WHEN i % 2 = 0 THEN 'shop' ELSE 'shop@1' END, ROW(i, 2)::pair, 'domain_1')}],
	['many models', q{p := aread_predict('many' || i % 20, ROW(i, 2)::pair, 'domain_1')}],
	['a query', q{SELECT max(aread_predict('shop', s)) INTO p FROM few s}],
	['a query of models in turn', q{SELECT max(aread_predict(CASE WHEN user_id % 2 = 0 THEN 'shop' ELSE 'shop@1' END, s)) INTO p FROM few s}],
	['a query of record types', q{SELECT max(aread_predict('shop', of_type(item_id::int % 12), 'domain_1')) INTO p FROM few s}],
	['LIMIT', q{SELECT max(q) INTO p FROM (SELECT aread_predict('shop', s) AS q FROM few s ORDER BY 1 LIMIT 11) x}],
	['EXECUTE', q{EXECUTE 'SELECT max(aread_predict($1, s)) FROM few s' INTO p USING 'shop'}],
	['aread_explain', q{PERFORM FROM aread_explain('shop', ROW(i, 2)::pair, 'domain_1')}],
	['aread_explain of jsonb', q{PERFORM FROM aread_explain('shop', '{"user_id": 1}'::jsonb, 'domain_1')}],
	['an SQL function, inlined', q{p := inlined(i)}],
	['an SQL function', q{p := best(i)}],
	['an SQL function of rows', q{SELECT max(s.p) INTO p FROM scores(i) s}],
	['a PL/pgSQL function', q{p := scored(i)}],
	['a cursor', q{OPEN c FOR SELECT aread_predict('shop', s) FROM few s; FETCH c INTO p; CLOSE c}],
	['a loop that is left', q{FOR r IN SELECT aread_predict('shop', s) FROM few s LOOP EXIT; END LOOP}],
	['aread_auc', q{SELECT aread_auc(aread_predict('shop', s), label) INTO p FROM few s}],
	['aread_grouped_auc', q{SELECT aread_grouped_auc(aread_predict('shop', s), label, user_id) INTO p FROM few s}],
	['aread_evaluate', q{IF i % 10 = 0 THEN PERFORM aread_evaluate('shop', 'few'); END IF}],
	['loading', q{EXECUTE 'SELECT aread_predict(''shop'', ''{"user_id": 1}''::jsonb, 2)' INTO p; PERFORM aread_cache_clear()}],
	['loading for all', q{IF i % 10 = 0 THEN EXECUTE 'SELECT aread_predict(''shop'', ''{"user_id": 1}''::jsonb, 2)' INTO p; PERFORM aread_cache_clear(true); END IF}],
	map { ["an error that is caught: $_->[0]", "BEGIN $_->[1]; RAISE 'no error'; EXCEPTION WHEN $_->[2] THEN NULL; END"] } (
		['no model', q{p := aread_predict('no such', '{"user_id": 1}'::jsonb, 'domain_1')}, 'undefined_object'],
		['no column', q{p := aread_predict('shop', (SELECT x FROM (SELECT 1 AS nothing) x), 'domain_1')}, 'undefined_column'],
		['a bad value', q{p := aread_predict('shop', '{"user_id": {}}'::jsonb, 'domain_1')}, 'datatype_mismatch'],
		['a bad number', q{p := aread_predict('shop', '{"user_id": "x"}'::jsonb, 'domain_1')}, 'invalid_text_representation'],
		['no domain', q{p := aread_predict('shop', ROW(i, 2)::pair)}, 'undefined_column'],
		['amid a batch', q{SELECT max(aread_predict('shop', s, 'x') / (user_id - user_id)) INTO p FROM few s}, 'division_by_zero']));
my $measure = q{contexts := allocated() - contexts; resident := resident() - resident};

foreach my $loop (@bodies)
{
	my ($name, $body) = @$loop;

	is_flat($name, $node->safe_psql('postgres', qq{
		SELECT allocated() > 0, resident() > 0;
		CREATE PROCEDURE pg_temp.run(OUT contexts bigint, OUT resident bigint) LANGUAGE plpgsql AS \$\$
		DECLARE p float8; r record; c refcursor;
		BEGIN
			contexts := allocated(); resident := resident();
			$measure;
			contexts := 0; resident := 0;
			FOR i IN 1 .. $rounds LOOP
				$body;
				IF i = $warm THEN $measure; END IF;
			END LOOP;
			$measure;
		END \$\$;
		CREATE TABLE pg_temp.result (contexts bigint, resident bigint);
		DO \$\$ DECLARE a bigint; b bigint; BEGIN CALL pg_temp.run(a, b); INSERT INTO result VALUES (a, b); END \$\$;
		SELECT 'contexts', contexts FROM result;
		SELECT 'resident', resident FROM result}));
}

#
# As statements of a client.
#
my @statements = (
	['a statement', q{SELECT aread_predict('shop', ROW(1, 2)::pair, 'domain_1');}],
	['statements of two shapes', q{SELECT aread_predict('shop', s) FROM few s; SELECT aread_predict('shop@1', s) FROM few s LIMIT 2;}],
	['EXECUTE', q{EXECUTE prepared(7);}],
	['transactions', q{BEGIN; SELECT aread_predict('shop', s) FROM few s; ROLLBACK;}],
	['a cursor in a transaction', q{BEGIN; DECLARE c CURSOR FOR SELECT aread_predict('shop', s) FROM few s; FETCH c; COMMIT;}],
	['a cursor beyond it', q{BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT aread_predict('shop', s) FROM few s; COMMIT; FETCH c; CLOSE c;}],
	['savepoints', q{BEGIN; SAVEPOINT a; SELECT aread_predict('shop', s) FROM few s; ROLLBACK TO a; SELECT aread_predict('shop', s) FROM few s; COMMIT;}],
	['DO', q{DO $$ BEGIN PERFORM aread_predict('shop', s) FROM few s; END $$;}],
	['an error', q{SELECT aread_predict('no such', s) FROM few s;}, 'model "no such" does not exist'],
	['an error amid a batch', q{SELECT aread_predict('shop', s) / (user_id - user_id) FROM few s;}, 'division by zero'],
	['deployments', q{SELECT aread_deploy('shop', 1); SELECT aread_predict('shop', s) FROM few s; SELECT aread_deploy('shop', 2); SELECT aread_predict('shop', s) FROM few s;}],
	['deployments that are rolled back', q{BEGIN; SELECT aread_deploy('shop', 1); SELECT aread_predict('shop', s) FROM few s; ROLLBACK;}]);
my $look = q{SELECT allocated() AS contexts, resident() AS resident};

foreach my $loop (@statements)
{
	my ($name, $statement, $expected) = @$loop;
	my $script = "PREPARE prepared(int) AS SELECT max(aread_predict('shop', s)) FROM few s WHERE user_id <> \$1;\n$look;\n$look;\n\\o /dev/null\n";

	$script .= "$statement\n" x $warm . "$look \\gset\n" . "$statement\n" x ($rounds - $warm);
	$script .= "\\o\nSELECT 'contexts', allocated() - :contexts;\nSELECT 'resident', resident() - :resident;\n";
	my ($status, $output, $error) = $node->psql('postgres', $script, on_error_stop => 0);
	my %errors;

	$errors{$_}++ foreach $error =~ /ERROR:  (.*)/g;
	is_deeply(\%errors, $expected ? {$expected => $rounds} : {}, "$name: each of them ends as it should");
	is_flat($name, $output);
}

$node->stop;
done_testing();
