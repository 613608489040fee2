# Upgrades: an extension that was updated is one that was created, and models
# of the earlier version score as they did.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nclient_min_messages = warning\n");
$node->start;

# Everything that the extension consists of, as text that has no OIDs.
my $objects = q{
	SELECT pg_describe_object(d.classid, d.objid, 0) || ': ' || coalesce(CASE d.classid
		WHEN 'pg_proc'::regclass THEN (SELECT concat_ws(' ', CASE WHEN prokind = 'a' THEN pg_get_function_result(oid) ELSE pg_get_functiondef(oid) END, proacl, obj_description(oid, 'pg_proc'))
			FROM pg_proc WHERE oid = d.objid)
		WHEN 'pg_class'::regclass THEN (SELECT concat_ws(' ', relkind, reloptions, relacl, pg_get_viewdef(CASE WHEN relkind = 'v' THEN oid END), obj_description(oid, 'pg_class'),
			(SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull, attstorage, col_description(c.oid, attnum)), ', ' ORDER BY attnum)
				FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
			(SELECT string_agg(pg_get_constraintdef(o.oid), ', ' ORDER BY conname) FROM pg_constraint o WHERE conrelid = c.oid))
			FROM pg_class c WHERE oid = d.objid)
		WHEN 'pg_namespace'::regclass THEN (SELECT concat_ws(' ', nspacl, obj_description(oid, 'pg_namespace')) FROM pg_namespace WHERE oid = d.objid) END, '')
	FROM pg_depend d WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'aread')
	UNION ALL SELECT 'dumped: ' || e::regclass FROM pg_extension, unnest(extconfig) e WHERE extname = 'aread'
	UNION ALL SELECT 'version: ' || extversion FROM pg_extension WHERE extname = 'aread'
	ORDER BY 1};

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('postgres', 'CREATE DATABASE updated');
$node->safe_psql('fresh', 'CREATE EXTENSION aread');
$node->safe_psql('updated', q{CREATE EXTENSION aread VERSION '0.1.0'});
$node->safe_psql('updated', slurp_file('test/upgrade/0.1.0.sql'));
isnt($node->safe_psql('updated', $objects), $node->safe_psql('fresh', $objects), 'an earlier version');
my ($command) = slurp_file('README.md') =~ /^## Upgrade\n.*?^```sql\n(.*?)^```$/ms;
$node->safe_psql('updated', $command);
my @fresh = split /\n(?=\w+ [^\n]*: )/, $node->safe_psql('fresh', $objects);
my @updated = split /\n(?=\w+ [^\n]*: )/, $node->safe_psql('updated', $objects);
my %in_fresh = map { $_ => 1 } @fresh;
my %in_updated = map { $_ => 1 } @updated;
cmp_ok(scalar(@fresh), '>', 90, 'objects to compare: ' . @fresh);
is(join("\n", grep { !$in_updated{$_} } @fresh), '', 'nothing that is created lacks after an update');
is(join("\n", grep { !$in_fresh{$_} } @updated), '', 'nothing is left that is not created');

# models of the earlier version
is($node->safe_psql('updated', q{SELECT count(*), bool_and(abs(score - aread_predict(model, s)) < 1e-6) FROM old_score s}), '80|t', 'earlier models score as they did');
is($node->safe_psql('updated', q{SELECT string_agg(concat_ws(' ', model, version, deployed, software), ', ' ORDER BY model, version) FROM aread.model}),
	'old 1 f aread 0.1.0, old 2 t aread 0.1.0, old wide 1 t aread 0.1.0', 'they are listed');
cmp_ok($node->safe_psql('updated', q{SELECT count(*) FROM aread.mask_update WHERE model = 'old'}), '>', 0, 'with their history');
is($node->safe_psql('updated', q{SELECT aread_deploy('old', 1)}), '2', 'can be deployed');
is($node->safe_psql('updated', q{SELECT aread_import(aread_export('old@1'), 'moved')}), '1', 'exported and imported');
is($node->safe_psql('updated', q{SELECT version FROM aread_train('old_rows', 'old', options => '{"architecture": "wide"}')}), '3', 'and trained again');
is($node->safe_psql('updated', q{SELECT count(*) FROM aread.source}), '1', 'registered tables are kept');

# a dump of what was updated
my $dump = $PostgreSQL::Test::Utils::tmp_check . '/updated';
$node->command_ok(['pg_dump', '-Fc', '-f', $dump, $node->connstr('updated')], 'dumped');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok(['pg_restore', '--exit-on-error', '-d', $node->connstr('restored'), $dump], 'restored');
my $scores = q{SELECT sum(aread_predict(m, s)) FROM old_score s, unnest('{old@1,old@2,old@3,moved}'::text[]) m};
is($node->safe_psql('restored', $scores), $node->safe_psql('updated', $scores), 'it scores the same');
$node->stop;

done_testing();
