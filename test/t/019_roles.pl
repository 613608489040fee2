# Whose models are whose after roles were renamed, dropped and made again, and
# in another cluster, where the same roles have other OIDs: nothing is lost, and
# nobody gets what was another's.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tmp = $PostgreSQL::Test::Utils::tmp_check;
my @roles = ('anna', 'bert', 'Carl "1"', '7', 'gone', 'stranger');

sub cluster
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(allows_streaming => 'logical');
	$node->append_conf('postgresql.conf', "client_min_messages = warning\n");
	$node->start;
	return $node;
}

# What a role may do with each model: "-" nothing, "s" score, "o" all.
sub rights_of
{
	my ($node, $database, $role) = @_;

	return $node->safe_psql($database, q{SELECT string_agg(model || ' ' || may(model), ', ' ORDER BY model) FROM unnest('{annas,carls,gones,open,sevens}'::text[]) model},
		extra_params => ['-U', $role]);
}

sub rights
{
	my ($node, $database) = @_;

	return join "\n", map { "$_: " . rights_of($node, $database, $_) } @roles;
}

my $may = q{
	CREATE FUNCTION may(model text) RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM aread_predict(model, '{"user_id": 1}', 'domain_01');
		BEGIN
			PERFORM aread_tensors(model);
			RETURN 'o';
		EXCEPTION WHEN insufficient_privilege THEN
			RETURN 's';
		END;
	EXCEPTION WHEN insufficient_privilege THEN
		IF EXISTS (SELECT FROM aread.model m WHERE m.model = may.model) THEN RAISE 'shown, but not to be used'; END IF;
		RETURN '-';
	END $$;
};
my $first = cluster('first');
$first->safe_psql('postgres', join(';', map { "CREATE ROLE \"$_\" LOGIN" } map { s/"/""/gr } grep { $_ ne 'stranger' } @roles));
$first->safe_psql('postgres', $may . q{
	CREATE EXTENSION aread;
	GRANT CREATE ON SCHEMA public TO PUBLIC;
	SET ROLE anna;
	CREATE TABLE clicks AS SELECT label, domain, user_id, item_id FROM aread_simulate(600, domains => 4, users => 30, items => 20);
	SELECT aread_register('clicks');
	GRANT SELECT ON clicks TO PUBLIC;
});
sub train
{
	my ($role, $model) = @_;

	return $first->safe_psql('postgres', qq{SELECT version FROM aread_train('clicks', '$model', options => '{"architecture": "wide"}')}, extra_params => ['-U', $role]);
}
train('anna', 'annas');
train('Carl "1"', 'carls');
train('gone', 'gones');
train('bert', 'open');
train('7', 'sevens');
$first->safe_psql('postgres', q{SELECT aread_grant('annas', 'bert'), aread_grant('open', 'public'), aread_grant('sevens', 'Carl "1"'), aread_grant('carls', '7'), aread_grant('sevens', 'gone')});
my $run = $first->safe_psql('postgres', q{SELECT aread_train_start('clicks', 'annas', options => '{"architecture": "wide"}')}, extra_params => ['-U', 'anna']);
is($first->safe_psql('postgres', "SELECT aread_wait($run)", extra_params => ['-U', 'anna']), '2', 'in the background');
$first->safe_psql('postgres', 'CREATE ROLE stranger LOGIN');
my $wanted = <<'END';
anna: annas o, carls -, gones -, open s, sevens -
bert: annas s, carls -, gones -, open o, sevens -
Carl "1": annas -, carls o, gones -, open s, sevens s
7: annas -, carls s, gones -, open s, sevens o
gone: annas -, carls -, gones o, open s, sevens s
stranger: annas -, carls -, gones -, open s, sevens -
END
chomp $wanted;
is(rights($first, 'postgres'), $wanted, 'what roles may');

#
# Another name: the role is the same.
#
$first->safe_psql('postgres', q{ALTER ROLE anna RENAME TO "Anna B."; ALTER ROLE bert RENAME TO anna; CREATE ROLE bert LOGIN});
is(rights_of($first, 'postgres', 'Anna B.'), 'annas o, carls -, gones -, open s, sevens -', 'a renamed role keeps its models');
is(rights_of($first, 'postgres', 'anna'), 'annas s, carls -, gones -, open o, sevens -', 'and grants, under a name that was another role\'s');
is(rights_of($first, 'postgres', 'bert'), 'annas -, carls -, gones -, open s, sevens -', 'a new role with an old name has nothing');
is($first->safe_psql('postgres', q{SELECT DISTINCT owner, granted_to FROM aread.model WHERE model = 'annas'}), 'Anna B.|{anna}', 'views have present names');
is($first->safe_psql('postgres', q{SELECT relation, registered_by FROM aread.source}), 'clicks|Anna B.', 'of registrations, too');
is($first->safe_psql('postgres', q{SELECT state, role FROM aread.run}, extra_params => ['-U', 'Anna B.']), 'done|Anna B.', 'and of runs');
is($first->safe_psql('postgres', q{SELECT count(*) FROM aread.run}, extra_params => ['-U', 'anna']), '0', 'which are not shown to who has the name');
like(($first->psql('postgres', "SELECT aread_forget($run)", extra_params => ['-U', 'anna']))[2], qr/permission denied for run/, 'nor theirs');
is(train('Anna B.', 'annas'), '3', 'it trains on');
$first->safe_psql('postgres', "SELECT aread_forget($run)", extra_params => ['-U', 'Anna B.']);
$first->safe_psql('postgres', q{DROP ROLE bert; ALTER ROLE anna RENAME TO bert; ALTER ROLE "Anna B." RENAME TO anna});
is(rights($first, 'postgres'), $wanted, 'and back');

#
# Dropped and made again: another role.
#
$first->safe_psql('postgres', 'DROP ROLE gone; CREATE ROLE gone LOGIN');
$wanted =~ s/^gone: .*$/gone: annas -, carls -, gones -, open s, sevens -/m;
is(rights($first, 'postgres'), $wanted, 'a role made again has nothing of the one before');
is($first->safe_psql('postgres', q{SELECT owner FROM aread.model WHERE model = 'gones'}), 'gone', 'its name is still known');
is($first->safe_psql('postgres', 'SELECT count(*) FROM aread_mend_roles()'), '0', 'it is not mended');

# Binary copies have names, too.
$first->safe_psql('postgres', qq{
	COPY aread.stored_grant TO '$tmp/grants' (FORMAT binary);
	DELETE FROM aread.stored_grant;
	COPY aread.stored_grant FROM '$tmp/grants' (FORMAT binary)});
is(rights($first, 'postgres'), $wanted, 'a binary copy');

#
# Another cluster, where OIDs are other roles'.
#
command_ok(['pg_dumpall', '-g', '-f', "$tmp/globals.sql", '-d', $first->connstr('postgres')], 'roles dumped');
command_ok(['pg_dump', '-f', "$tmp/dump.sql", $first->connstr('postgres')], 'dumped');
my $oids = q{SELECT string_agg(rolname, ',' ORDER BY oid) FROM pg_roles WHERE oid >= 16384};
sub restore
{
	my ($node, $database, $file, @options) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	command_ok(['psql', '-X', '-q', @options, '-o', "$tmp/out", '-f', $file, $node->connstr($database)], "$database: restored");
}
my $second = cluster('second');
$second->safe_psql('postgres', 'CREATE ROLE stranger LOGIN; CREATE ROLE other LOGIN');
command_ok(['psql', '-X', '-q', '-f', "$tmp/globals.sql", $second->connstr('postgres')], 'roles restored');
my @there = split /,/, $first->safe_psql('postgres', $oids);
my @here = split /,/, $second->safe_psql('postgres', $oids);
is(scalar(grep { $there[$_] eq $here[$_] } 0 .. 2), 0, "OIDs differ: @there / @here");
is($second->safe_psql('postgres', q{SELECT rolname FROM pg_roles WHERE oid = } . $first->safe_psql('postgres', q{SELECT 'anna'::regrole::oid})), 'stranger', 'and one is another role\'s');
restore($second, 'moved', "$tmp/dump.sql", '-v', 'ON_ERROR_STOP=1');
is(rights($second, 'moved'), $wanted, 'roles have what they had');
is($second->safe_psql('moved', q{SELECT owner FROM aread.model WHERE model = 'gones'}), 'gone', 'one that was gone is known');
is($second->safe_psql('moved', q{SELECT concat_ws(' ', what, name, role, mended) FROM aread_mend_roles()}), "grant sevens gone f\nowner gones gone f", 'but does not come back');
is(rights($second, 'moved'), $wanted, 'nor do others get anything');
is($second->safe_psql('moved', q{SELECT aread_grant('annas', 'bert'), aread_grant('annas', 'stranger'), aread_revoke('annas', 'bert')}), 'f|t|t', 'grants go on');
is($second->safe_psql('moved', q{SELECT aread_set_owner('gones', 'gone')}), '', 'what nobody owns can be given away');
is(rights_of($second, 'moved', 'gone'), 'annas -, carls -, gones o, open s, sevens -', 'to a role of that name, too');

#
# A subscriber, too, has roles by their names, whether they come as text or not.
#
my ($publish) = slurp_file('README.md') =~ /^(CREATE PUBLICATION aread FOR TABLE [^;]*;)$/m or die 'no recipe';
$first->safe_psql('postgres', $publish);
for my $binary (qw(false true))
{
	my $subscription = "binary_$binary";

	$second->safe_psql('postgres', "CREATE DATABASE $subscription");
	$second->safe_psql($subscription, "CREATE EXTENSION aread; $may");
	$second->safe_psql($subscription, "CREATE SUBSCRIPTION $subscription CONNECTION \$\$" . $first->connstr('postgres') . "\$\$ PUBLICATION aread WITH (binary = $binary)");
	$second->wait_for_subscription_sync($first, $subscription, $subscription);
	is(rights($second, $subscription), $wanted, "$subscription: roles have what they had");
	$first->safe_psql('postgres', q{SELECT aread_grant('carls', 'bert')});
	$first->wait_for_catchup($subscription);
	is(rights_of($second, $subscription, 'bert'), 'annas s, carls s, gones -, open o, sevens -', "$subscription: a grant arrives");
	$first->safe_psql('postgres', q{SELECT aread_revoke('carls', 'bert')});
	$first->wait_for_catchup($subscription);
	is(rights($second, $subscription), $wanted, "$subscription: and goes");
	$second->safe_psql($subscription, "DROP SUBSCRIPTION $subscription");
}

#
# A cluster that gets its roles after its models; and one that gets a dump of 0.2.0, with bare OIDs.
#
my $dump = slurp_file("$tmp/dump.sql");
my %oid = map { split /\|/ } split /\n/, $first->safe_psql('postgres', q{SELECT quote_ident(rolname), oid FROM pg_roles UNION ALL SELECT 'public', 0});
sub with_oids
{
	my ($columns, $rows, $place) = @_;
	my @rows = map { [split /\t/] } split /\n/, $rows;

	# its table of grants had no number of its own, and one right
	my $without = $columns =~ s/, grant_id, privilege//;
	for my $row (@rows)
	{
		$row->[$place] = $oid{$row->[$place]} // ($row->[$place] =~ s/^dropped //r);
		splice @$row, -2 if $without;
	}
	return "$columns FROM stdin;\n" . join('', map { join("\t", @$_) . "\n" } @rows) . '\\.';
}
my %place = (stored_model => 2, stored_grant => 1, stored_source => 8);
$dump =~ s/^(COPY aread\.$_ \([^)]*\)) FROM stdin;\n(.*?)^\\\.$/with_oids($1, $2, $place{$_})/mse for keys %place;
$dump =~ s/^SELECT pg_catalog\.setval\('aread\.stored_grant_grant_id_seq'.*$//m;
open my $old, '>', "$tmp/old.sql" or die;
print $old $dump;
close $old;
like($dump, qr/^\d+\tannas\t$oid{anna}\tanna\t/m, 'an owner as 0.2.0 wrote it');
my $third = cluster('third');
$third->safe_psql('postgres', 'CREATE ROLE stranger LOGIN; CREATE ROLE other LOGIN');
restore($third, 'late', "$tmp/dump.sql");
restore($third, 'old', "$tmp/old.sql");
for my $database (qw(late old))
{
	is(rights_of($third, $database, 'stranger'), 'annas -, carls -, gones -, open s, sevens -', "$database: who has an owner's OID has nothing; PUBLIC is PUBLIC");
	is($third->safe_psql($database, q{SELECT count(DISTINCT model) FROM aread.model}), '5', "$database: superusers have all");
}
command_ok(['psql', '-X', '-q', '-f', "$tmp/globals.sql", $third->connstr('postgres')], 'roles restored');
for my $database (qw(late old))
{
	is(rights_of($third, $database, 'anna'), 'annas -, carls -, gones -, open s, sevens -', "$database: roles made since have nothing by themselves");
	# in a dump of 0.2.0 a role that was gone is a name like others
	my $gone = $database eq 'old' ? 't' : 'f';
	is($third->safe_psql($database, q{SELECT concat_ws(' ', what, name, role, mended) FROM aread_mend_roles()}),
		qq{grant annas bert t\ngrant carls 7 t\ngrant sevens Carl "1" t\ngrant sevens gone $gone\nowner annas anna t\nowner carls Carl "1" t\nowner gones gone $gone\nowner open bert t\nowner sevens 7 t\nregistration clicks anna t},
		"$database: mended");
	my $rights = rights($third, $database);
	$rights =~ s/^gone: .*$/gone: annas -, carls -, gones -, open s, sevens -/m if $gone eq 't';
	is($rights, $wanted, "$database: roles have what they had");
}
$_->stop for ($first, $second, $third);

done_testing();
