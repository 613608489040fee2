# Upgrades: an extension that was updated is one that was created, and models
# of earlier versions score as they did.
use strict;
use warnings;
use lib 'test/upgrade';
use Base;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nclient_min_messages = warning\n");
$node->start;
lend_base_scripts($node);

# Everything that the extension consists of, as text that has no OIDs.
my $objects = q{
	SELECT pg_describe_object(d.classid, d.objid, 0) || ': ' || coalesce(CASE d.classid
		WHEN 'pg_proc'::regclass THEN (SELECT concat_ws(' ', CASE WHEN prokind = 'a' THEN pg_get_function_result(oid) ELSE pg_get_functiondef(oid) END, proacl, obj_description(oid, 'pg_proc'))
			FROM pg_proc WHERE oid = d.objid)
		WHEN 'pg_class'::regclass THEN (SELECT concat_ws(' ', relkind, reloptions, relacl, pg_get_viewdef(CASE WHEN relkind = 'v' THEN oid END), obj_description(oid, 'pg_class'),
			(SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attstorage, attacl,
					(SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = c.oid AND adnum = attnum), col_description(c.oid, attnum)), ', ' ORDER BY attnum)
				FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
			(SELECT string_agg(pg_get_constraintdef(o.oid), ', ' ORDER BY conname) FROM pg_constraint o WHERE conrelid = c.oid))
			FROM pg_class c WHERE oid = d.objid)
		WHEN 'pg_type'::regclass THEN (SELECT concat_ws(' ', typtype, typacl, typinput, typoutput, typreceive, typsend, obj_description(oid, 'pg_type')) FROM pg_type WHERE oid = d.objid)
		WHEN 'pg_namespace'::regclass THEN (SELECT concat_ws(' ', nspacl, obj_description(oid, 'pg_namespace')) FROM pg_namespace WHERE oid = d.objid) END, '')
	FROM pg_depend d WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'aread')
	UNION ALL SELECT 'dumped: ' || e::regclass || ' ' || condition FROM pg_extension, unnest(extconfig, extcondition) c(e, condition) WHERE extname = 'aread'
	UNION ALL SELECT 'version: ' || extversion FROM pg_extension WHERE extname = 'aread'
	ORDER BY 1};

# Per version: what its models are, and how many scores it gave, 20 of each.
my %stored = (
	map {
		my ($version, @more) = @$_;
		$version => {
			models => join(', ', map { "$_ aread $version" } map({ "$_ 1 t" } qw(aread fm hei hemp mmoe), @more), 'wide 1 f', 'wide 2 t'),
			scores => 20 * (7 + @more) . '|t'}
	} [ '0.1.0' ], [ '0.2.0', 'started' ], [ '0.3.0', 'started' ]);

$node->safe_psql('postgres', 'CREATE ROLE old_reader; CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION aread');
my $created = $node->safe_psql('fresh', $objects);
my @fresh = split /\n(?=\w+ [^\n]*: )/, $created;
my %in_fresh = map { $_ => 1 } @fresh;
cmp_ok(scalar(@fresh), '>', 90, 'objects to compare: ' . @fresh);
my ($command) = slurp_file('README.md') =~ /^## Upgrade\n.*?^```sql\n(.*?)^```$/ms;

for my $version (sort keys %stored)
{
	my $expected = $stored{$version};
	(my $database = "from_$version") =~ tr/./_/;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, "CREATE EXTENSION aread VERSION '$version'");
	$node->safe_psql($database, slurp_file("test/upgrade/$version.sql"));
	isnt($node->safe_psql($database, $objects), $created, "$version: an earlier version");
	# between the installation of the library and the update
	is($node->safe_psql($database, q{SET ROLE old_reader; SELECT aread_predict('fm', '{"domain": "domain_01"}') > 0}), 't', "$version: scores go on") if $version ge '0.3.0';
	$node->safe_psql($database, $command);
	my @updated = split /\n(?=\w+ [^\n]*: )/, $node->safe_psql($database, $objects);
	my %in_updated = map { $_ => 1 } @updated;
	is(join("\n", grep { !$in_updated{$_} } @fresh), '', "$version: nothing that is created lacks after an update");
	is(join("\n", grep { !$in_fresh{$_} } @updated), '', "$version: nothing is left that is not created");

	# models of the earlier version
	is($node->safe_psql($database, q{SELECT count(*), bool_and(abs(score - aread_predict(model, s)) < 1e-6) FROM old_score s}), $expected->{scores}, "$version: models score as they did");
	is($node->safe_psql($database, q{SELECT string_agg(concat_ws(' ', model, version, deployed, software), ', ' ORDER BY model, version) FROM aread.model}),
		$expected->{models}, "$version: they are listed");
	cmp_ok($node->safe_psql($database, q{SELECT count(*) FROM aread.mask_update WHERE model = 'hemp'}), '>', 0, "$version: with their history");
	# what it deployed is in no history
	is($node->safe_psql($database, 'SELECT count(*) FROM aread.deployment'), '0', "$version: history begins");
	like(($node->psql($database, q{BEGIN; SELECT aread_rollback('wide'); ROLLBACK}))[$version eq '0.1.0' ? 2 : 1], $version eq '0.1.0' ? qr/no version of model "wide" to roll back to/ : qr/^1$/,
		"$version: can be rolled back, if it has been told what was deployed before");
	is($node->safe_psql($database, q{SELECT aread_deploy('wide', 1)}), '2', "$version: can be deployed");
	is($node->safe_psql($database, q{SELECT aread_rollback('wide'), aread_deploy('wide', 1)}), '2|2', "$version: and rolled back to where history began");
	is($node->safe_psql($database, q{SELECT aread_import(aread_export('wide@1'), 'moved')}), '1', "$version: exported and imported");
	is($node->safe_psql($database, q{SELECT version FROM aread_train('old_rows', 'wide', options => '{"architecture": "wide"}')}), '3', "$version: and trained again");
	is($node->safe_psql($database, q{SELECT count(*) FROM aread.source}), '1', "$version: registered tables are kept");

	# a dump of what was updated
	my $dump = $PostgreSQL::Test::Utils::tmp_check . "/$database";
	$node->command_ok(['pg_dump', '-Fc', '-f', $dump, $node->connstr($database)], "$version: dumped");
	$node->safe_psql('postgres', "CREATE DATABASE restored_$database");
	$node->command_ok(['pg_restore', '--exit-on-error', '-d', $node->connstr("restored_$database"), $dump], "$version: restored");
	my $scores = q{SELECT sum(aread_predict(m.model || '@' || m.version, s)) FROM old_score s, aread.model m};
	is($node->safe_psql("restored_$database", $scores), $node->safe_psql($database, $scores), "$version: it scores the same");
}

# What the present version stored: options, tensors and layers may have come since.
$node->safe_psql('fresh', slurp_file('test/upgrade/0.4.0.sql'));
is($node->safe_psql('fresh', q{SELECT count(*), bool_and(abs(score - aread_predict(model, s)) < 1e-6) FROM old_score s}), '160|t', '0.4.0: models score as they did');
cmp_ok($node->safe_psql('fresh', q{SELECT count(*) FROM aread.mask_history WHERE model = 'hemp'}), '>', 0, '0.4.0: masks have a history');

# What each version exported is the model that it stored.
my @exports = glob 'test/upgrade/*.export';
is(scalar(@exports), 9, 'exported models');
for my $file (@exports)
{
	my ($version, $model) = $file =~ m{/([\d.]+)\.(\w+)\.export$};
	my $database = $version eq '0.4.0' ? 'fresh' : 'from_' . $version =~ tr/./_/r;
	my $bytes = unpack('H*', slurp_file($file));

	$node->safe_psql($database, "SELECT aread_import('\\x$bytes', 'exported $model')");
	is($node->safe_psql($database, qq{SELECT count(*), bool_and(abs(score - aread_predict('exported $model', s)) < 1e-6) FROM old_score s WHERE model = '$model\@1'}), '20|t',
		"$version: an exported model scores as it did: $model");
	is($node->safe_psql($database, qq{SELECT count(*), count(DISTINCT crc), count(DISTINCT config) FROM aread.model WHERE model IN ('$model', 'exported $model')}), '2|1|1', "$version: and is the one that was stored: $model");
}

# what the later of them had beside models
is($node->safe_psql('from_0_2_0', q{SELECT concat_ws(' ', run, model, version, state) FROM aread.run}), '1 started 1 done', 'runs are kept');
is($node->safe_psql('from_0_2_0', q{SELECT concat_ws(' ', model_comment, comment) FROM aread.model WHERE model = 'wide' AND version = 1}), 'two versions the first', 'so are comments');
is($node->safe_psql('from_0_2_0', q{SET ROLE old_reader; SELECT string_agg(DISTINCT model, ' ' ORDER BY model) FROM aread.model WHERE model IN ('wide', 'hemp')}), 'wide', 'and grants');
# whose OID and name do not agree was nobody, and is
my $granted = q{SET ROLE old_reader; SELECT count(*) FROM aread.model WHERE model = 'fm'};
is($node->safe_psql('from_0_2_0', $granted), '0', 'a grant to a role that has another OID here');
is($node->safe_psql('from_0_2_0', q{SELECT concat_ws(' ', what, name, role, mended) FROM aread_mend_roles()}), 'grant fm old_reader t', 'is mended if somebody says so');
is($node->safe_psql('from_0_2_0', $granted), '1', 'and holds');
is($node->safe_psql('restored_from_0_2_0', q{SELECT concat_ws(' ', what, name, role, mended) FROM aread_mend_roles()}), 'grant fm old_reader t', 'in what was restored before, too');

# Rows whose numbers nobody checked in 0.2.0, and no function would have written: they are
# updated, and restored, and no view fails by them.
my $views = $node->safe_psql('fresh', q{SELECT string_agg('SELECT * FROM aread.' || relname, '; ') FROM pg_class WHERE relnamespace = 'aread'::regnamespace AND relkind = 'v'});
my $odd = q{
	DO $$
	DECLARE
		update text;
		n int := 0;
	BEGIN
		FOR update IN
			SELECT format('UPDATE %s SET %I = %L', c.oid::regclass, a.attname, CASE t.typname WHEN 'int4' THEN '$1' WHEN 'int8' THEN '$2' ELSE '$3' END)
				|| CASE WHEN EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND indisunique AND attnum = ANY (indkey)) THEN format(' WHERE ctid = (SELECT max(ctid) FROM %s)', c.oid::regclass) ELSE '' END
			FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped JOIN pg_type t ON t.oid = atttypid
			WHERE c.relnamespace = 'aread'::regnamespace AND relkind = 'r' AND typname IN ('int4', 'int8', 'float4', 'float8')
				AND attname <> ALL ('{version_id,model_id}')
		LOOP
			EXECUTE update;
			n := n + 1;
		END LOOP;
		RAISE INFO '% columns', n;
	END $$};
my %extreme = (smallest => [ -2147483648, '-9223372036854775808', '-Infinity' ], largest => [ 2147483647, '9223372036854775807', 'NaN' ]);
for my $name (sort keys %extreme)
{
	my $dump = $PostgreSQL::Test::Utils::tmp_check . "/$name";

	$node->safe_psql('postgres', "CREATE DATABASE $name; CREATE DATABASE restored_$name");
	$node->safe_psql($name, "CREATE EXTENSION aread VERSION '0.2.0'");
	$node->safe_psql($name, slurp_file('test/upgrade/0.2.0.sql'));
	my (undef, undef, $changed) = $node->psql($name, $odd =~ s/\$(\d)/$extreme{$name}[$1 - 1]/gr);
	like($changed, qr/INFO:  [4-9]\d columns$/, "$name numbers: made");
	$node->command_ok(['pg_dump', '-Fc', '-f', $dump, $node->connstr($name)], "$name numbers: dumped");
	$node->safe_psql($name, $command);
	$node->command_ok(['pg_restore', '--exit-on-error', '-d', $node->connstr("restored_$name"), $dump], "$name numbers: restored");
	for my $database ($name, "restored_$name")
	{
		my (undef, undef, $error) = $node->psql($database, $views, on_error_stop => 0);
		is($error, '', "$database: views answer");
		is($node->safe_psql($database, q{SELECT count(*), count(DISTINCT model) FROM aread.model}), '8|7', "$database: with all models");
	}
}
$node->stop;

done_testing();
