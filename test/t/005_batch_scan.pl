# Batch scans: random queries give what they give without; rows that change
# under a lock, memory over many executions, and queries for one row.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $queries = $ENV{FUZZ_QUERIES} // 150;
my $seed = $ENV{FUZZ_SEED} // 20261125;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\njit = off\nmax_parallel_workers_per_gather = 0\naread.missing_features = ignore\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION aread;
	CREATE TABLE seen AS SELECT row_number() OVER ()::int AS id, label, user_id::int, item_id::int, right(domain, 1)::int AS domain,
		(ARRAY[item_id % 7, user_id % 5])[1:1 + user_id % 2] AS tags
		FROM aread_simulate(600, domains => 4, groups => 2, users => 60, items => 40, strength => 3);
	ALTER TABLE seen ADD PRIMARY KEY (id);
	CREATE TABLE users AS SELECT DISTINCT user_id, user_id % 3 + 1 AS domain FROM seen;
	CREATE TABLE parts (LIKE seen) PARTITION BY HASH (id);
	CREATE TABLE part_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE part_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	INSERT INTO parts SELECT * FROM seen;
	CREATE TYPE candidate AS (user_id int, item_id bigint);
	SELECT aread_train('seen', model, label => 'label', features => '{domain,user_id,item_id,tags}', options =>
		jsonb_build_object('architecture', 'hemp', 'mmoe_dims', '[16]'::jsonb, 'epochs', 1, 'l2_wide', 10, 'warmup_batches', 2, 'mask_interval', 50, 'candidates', 1, 'seed', seed))
		FROM (VALUES ('one', 1), ('two', 2)) v(model, seed);
	CREATE FUNCTION fetched(declaration text, n int) RETURNS TABLE (k text, p float8) LANGUAGE plpgsql AS $$
	DECLARE c refcursor := 'fetched';
	BEGIN
		EXECUTE 'DECLARE fetched ' || declaration;
		FOR i IN 1 .. n LOOP
			FETCH c INTO k, p;
			EXIT WHEN NOT FOUND;
			RETURN NEXT;
		END LOOP;
		CLOSE c;
	END $$;
	ANALYZE;
});

#
# Random queries of a key k and a number p.
#
sub one_of { return $_[int(rand(@_))]; }

# What WHERE compares: thresholds lie between scores that differ by more than the order of sums does.
my @tested = map { my $model = $_; map { "aread_predict('$model', $_)" } ('%s', '%s, 2') } qw(one two);
my %thresholds;
foreach my $call (@tested)
{
	my @scores = split /\n/, $node->safe_psql('postgres', 'SET aread.batch_scan = off; SELECT DISTINCT ' . sprintf($call, 's') . ' FROM seen s ORDER BY 1');

	$thresholds{$call} = [map { ($scores[$_] + $scores[$_ - 1]) / 2 } grep { $scores[$_] - $scores[$_ - 1] > 5e-5 } 1 .. $#scores];
	cmp_ok(scalar(@{$thresholds{$call}}), '>', 20, 'thresholds to choose from');
}

sub call
{
	my ($a, $b) = @_;
	my $model = one_of("'one'", "'one'", "'two'", "'two'", "CASE WHEN $a.id % 2 = 0 THEN 'one' ELSE 'two' END", "(SELECT 'two')",
		"CASE WHEN $a.id % 7 > 0 THEN 'one' END");
	my $features = one_of($a, $a, $a, "to_jsonb($a)", "to_json($a)::text", "CASE WHEN $a.id % 5 > 0 THEN $a END",
		"ROW($a.user_id, $b.item_id)::candidate");
	my $domain = one_of("$a.domain", "$b.domain", '2', 'NULL::int', "'3'", "(SELECT min(u.domain) FROM users u WHERE u.user_id = $a.user_id)");

	return $features =~ /candidate/ || rand() < 0.5 ? "aread_predict($model, $features, $domain)" : "aread_predict($model, $features)";
}

sub condition
{
	my ($a, $deep) = @_;
	my $call = one_of(@tested);
	my $tested = sprintf($call, $a) . one_of(' > ', ' < ') . one_of(@{$thresholds{$call}});
	my $plain = one_of("$a.id % 3 = 1", "$a.id < 250", "$a.domain <> 2", "$a.user_id IN (SELECT user_id FROM users WHERE domain = 2)",
		"EXISTS (SELECT FROM users u WHERE u.user_id = $a.user_id AND u.domain < 3)", 'true');

	return one_of($tested, $plain) if $deep > 1;
	return one_of($tested, $plain, condition($a, $deep + 1) . ' AND ' . condition($a, $deep + 1),
		'(' . condition($a, $deep + 1) . ' OR ' . condition($a, $deep + 1) . ')');
}

sub expression
{
	my ($a, $b, $deep) = @_;
	my $call = call($a, $b);

	return $call if $deep > 1;
	my $other = expression($a, $b, $deep + 1);
	return one_of($call, $call, "$call - $other / 2", "greatest($call, $other, 0.3)", "coalesce($call, $other)", "abs($call - 0.5)",
		"CASE WHEN $a.id % 2 = 0 THEN $call ELSE $other END", "nullif($call, 2)", "$call * $a.domain");
}

# FROM and the two row variables that it has; the second may be the first.
sub from
{
	my $table = one_of('seen', 'seen', 'parts', '(SELECT * FROM seen WHERE id % 3 > 0 OFFSET 0)');

	return one_of(
		["$table a", 'a', 'a'],
		["$table a", 'a', 'a'],
		["$table a JOIN seen b ON b.id = a.id / 2", 'a', 'b'],
		["$table a LEFT JOIN (SELECT * FROM seen WHERE id % 2 = 0) b USING (user_id, domain)", 'a', 'b'],
		["seen a, LATERAL (SELECT * FROM $table s WHERE s.user_id = a.user_id AND " . condition('s', 2) . ' OFFSET 0) b', 'a', 'b'],
		["users u JOIN $table a USING (user_id) JOIN seen b ON b.id = a.id", 'a', 'b']);
}

sub query
{
	my ($from, $a, $b) = @{from()};
	my $where = rand() < 0.6 ? ' WHERE ' . condition($a, 0) : '';
	my $p = expression($a, $b, 0);
	my $key = "concat($a.id, ' ', $b.id)";
	my $body = "$from$where";
	my $n = one_of(1, 3, 12, 40, 300);
	my $shape = int(rand(10));

	return "SELECT $a.domain, avg($p) FROM $body GROUP BY 1" if $shape == 0;
	return "SELECT $a.user_id, max($p) + count(*) FILTER (WHERE $a.id < 300) FROM $body GROUP BY 1 HAVING count(*) > 1" if $shape == 1;
	return "SELECT $key, avg($p) OVER (PARTITION BY $a.domain ORDER BY $a.id, $b.id ROWS 3 PRECEDING) FROM $body" if $shape == 2;
	return "SELECT $key, $p FROM $body ORDER BY $a.id, $b.id LIMIT $n" if $shape == 3;
	# who is last among equals is not told
	return "SELECT '', p FROM (SELECT $p AS p FROM $body ORDER BY 1 DESC NULLS LAST LIMIT $n) x" if $shape == 4;
	return "SELECT $key, $p FROM $body UNION ALL SELECT a.id::text, " . call('a', 'a') . ' FROM seen a WHERE ' . condition('a', 1) if $shape == 5;
	return "WITH c AS MATERIALIZED (SELECT $key AS k, $p AS p FROM $body) SELECT k, p - (SELECT avg(p) FROM c) FROM c" if $shape == 6;
	return "SELECT * FROM fetched(\$c\$" . one_of('', 'NO SCROLL') . " CURSOR FOR SELECT $key, $p FROM $body ORDER BY $a.id, $b.id\$c\$, $n)" if $shape == 7;
	return 'SELECT u.user_id, u.domain FROM users u WHERE ' . one_of('', 'NOT ') . 'EXISTS (SELECT FROM seen a WHERE a.user_id = u.user_id AND ' . condition('a', 1) . ')' if $shape == 8;
	return "SELECT $key, $p FROM $body";
}

sub settings
{
	my $parallel = one_of(0, 0, 2);

	return join '', map { "SET LOCAL $_;\n" } "max_parallel_workers_per_gather = $parallel",
		map({ "enable_$_ = " . one_of('on', 'on', 'off') } qw(hashjoin mergejoin nestloop material sort indexscan memoize hashagg)),
		$parallel ? ('parallel_setup_cost = 0', 'parallel_tuple_cost = 0', 'min_parallel_table_scan_size = 0') : ();
}

srand($seed);
my @queries = map { { sql => query(), settings => settings() } } 1 .. $queries;

# Rows of all queries, sorted; a query's error as its only row.
sub results
{
	my ($on) = @_;
	my $script = '';

	foreach my $query (@queries)
	{
		my $sql = $query->{sql};

		$script .= "BEGIN;\n$query->{settings}SET LOCAL aread.batch_scan = $on;\n";
		$script .= "EXPLAIN (COSTS off) $sql;\n\\echo -- rows\n" if $on eq 'on';
		$script .= "SELECT coalesce(k::text, '-'), coalesce(p::text, '-') FROM ($sql) x(k, p) ORDER BY k::text COLLATE \"C\", x.p;\nROLLBACK;\n\\echo -- end\n";
	}
	my ($status, $out, $error) = $node->psql('postgres', $script, on_error_stop => 0);

	is($error // '', '', "no query fails, batch scan $on");
	return split /-- end\n?/, $out;
}

my @batched = results('on');
my @plain = results('off');
is(scalar(@batched), $queries, 'every query was run');
my ($n_scans, $n_rows, @wrong) = (0, 0);
for (my $i = 0; $i < $queries; $i++)
{
	my ($plan, $rows) = split /-- rows\n/, $batched[$i];
	my @ours = split /\n/, $rows // '';
	my @theirs = split /\n/, $plain[$i];
	my $same = @ours == @theirs;

	$n_scans++ if $plan =~ /Custom Scan \(aread_predict\)/;
	$n_rows += @theirs;
	for (my $r = 0; $same && $r < @ours; $r++)
	{
		my ($k, $p) = split /\|/, $ours[$r];
		my ($other_k, $other_p) = split /\|/, $theirs[$r];

		$same = $k eq $other_k && ($p eq $other_p || ($p ne '-' && $other_p ne '-' && abs($p - $other_p) <= 1e-5));
	}
	push @wrong, "$queries[$i]{settings}$queries[$i]{sql};" unless $same;
}
is(join("\n", @wrong), '', "$queries random queries, seed $seed: the same with the batch scan as without");
cmp_ok($n_scans, '>', $queries / 2, 'most of them had one');
cmp_ok($n_rows, '>', 50 * $queries, 'and rows to compare');
note("$n_scans with batch scans, $n_rows rows");

#
# A row that changed while a lock was waited for is scored as it is then.
#
my $update = q{UPDATE seen s SET label = (1e6 * aread_predict('one', s))::int WHERE id BETWEEN 1 AND 50 RETURNING id, label};
my ($before, $after) = split /\|/, $node->safe_psql('postgres', q{SELECT (1e6 * aread_predict('one', s))::int,
	(1e6 * aread_predict('one', to_jsonb(s) || '{"item_id": 17, "domain": 3}'))::int FROM seen s WHERE id = 5});
cmp_ok(abs($before - $after), '>', 100, 'the change changes the score');
like($node->safe_psql('postgres', "EXPLAIN $update"), qr/Custom Scan \(aread_predict\)/, 'the update has a batch scan');
my $other = $node->background_psql('postgres');
$other->query_safe('BEGIN; UPDATE seen SET item_id = 17, domain = 3 WHERE id = 5');
my ($out, $error) = ('', '');
my $waits = IPC::Run::start(['psql', '-X', '-q', '-At', '-d', $node->connstr('postgres'), '-c', $update], '>', \$out, '2>', \$error);
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'") or die 'no lock is waited for';
$other->query_safe('COMMIT');
$waits->finish;
$other->quit;
is($error, '', 'the update ends well');
my ($updated) = $out =~ /^5\|(\d+)$/m;
cmp_ok(abs($updated - $after), '<=', 10, 'the row is scored as the other transaction left it');

#
# Memory: the same query again and again leaves nothing behind.
#
my $grown = $node->safe_psql('postgres', q{
	CREATE FUNCTION allocated() RETURNS bigint LANGUAGE sql AS 'SELECT sum(total_bytes) FROM pg_backend_memory_contexts';
	CREATE FUNCTION again(n int) RETURNS bigint LANGUAGE plpgsql AS $$
	DECLARE start bigint; p float8;
	BEGIN
		FOR i IN 1 .. n LOOP
			SELECT max(q) INTO p FROM (SELECT aread_predict('one', s) AS q FROM seen s WHERE user_id = i % 60 + 1 OR id % 20 = 0 ORDER BY 1 DESC LIMIT 10) x;
			IF i = 100 THEN start := allocated(); END IF;
		END LOOP;
		RETURN allocated() - start;
	END $$;
	SELECT again(3000)});
($grown) = $grown =~ /(-?\d+)$/;
cmp_ok($grown, '<', 100_000, "memory after 2,900 executions: $grown bytes more");

done_testing();
