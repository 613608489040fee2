# Dumps of every form, odd names, an extension in a schema of its own, logical
# replication, and a search_path full of traps: models live through all of it.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tmp = $PostgreSQL::Test::Utils::tmp_check;
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 'logical');
$node->append_conf('postgresql.conf', "client_min_messages = warning\naread.batch_scan = off\n");   # scores are compared to the bit
$node->start;

# The extension, the source, its columns, the owner and the model: all need quotes.
$node->safe_psql('postgres', 'CREATE ROLE "Da Base" LOGIN; CREATE DATABASE odd OWNER "Da Base"');
$node->safe_psql('odd', q{
	CREATE SCHEMA "Ext; ension";
	CREATE EXTENSION aread SCHEMA "Ext; ension";
	GRANT USAGE ON SCHEMA "Ext; ension" TO PUBLIC;
	GRANT CREATE ON DATABASE odd TO "Da Base"});
my $wide = '{"architecture": "wide", "features": {"Pri\"ce $x": {"bins": 8}}}';
my $hemp = '{"epochs": 2, "architecture": "hemp", "embed_dim": 4, "mmoe_experts": 2, "mmoe_dims": [16, 8], "hei_experts": [2, 3, 4], "hei_hidden": [8, 8, 4], "hei_output": [8, 4, 4], "batch_size": 256, "candidates": 2, "warmup_batches": 5, "mask_interval": 10}';
my $path = q{SET search_path = pg_catalog; };
my @owner = (extra_params => ['-U', 'Da Base']);
sub owner { return $node->safe_psql('odd', $path . $_[0], @owner) }

owner(qq{
	CREATE SCHEMA "My.Shop";
	CREATE TABLE "My.Shop"."Clicks 'n more" AS SELECT label AS "Is; it", domain AS "Do""main", user_id AS "User Id", item_id AS "select", price AS "Pri""ce \$x"
		FROM "Ext; ension".aread_simulate(3000, domains => 5, users => 60, items => 40, strength => 3);
	SELECT "Ext; ension".aread_register('"My.Shop"."Clicks ''n more"', label => 'Is; it', domain => 'Do"main', user_id => 'User Id', item_id => 'select');
	SELECT "Ext; ension".aread_train('"My.Shop"."Clicks ''n more"', 'It''s "mine"; really', options => '$wide');
	SELECT "Ext; ension".aread_train('"My.Shop"."Clicks ''n more"', 'masks', options => '$hemp');
	CREATE TABLE "My.Shop".scored AS SELECT c.*, "Ext; ension".aread_predict('It''s "mine"; really', c, "Do""main") AS wide, "Ext; ension".aread_predict('masks', c, "Do""main") AS hemp
		FROM "My.Shop"."Clicks 'n more" c;
	CREATE TABLE "My.Shop".architecture AS SELECT unnest(choices) AS name FROM "Ext; ension".aread_options() WHERE option = 'architecture';
	SELECT "Ext; ension".aread_train('"My.Shop"."Clicks ''n more"', name, options => '$hemp'::jsonb || jsonb_build_object('architecture', name, 'deep_dims', '[8]'::jsonb, 'epochs', 1))
		FROM "My.Shop".architecture;
	CREATE TABLE "My.Shop".scored_by_each AS SELECT c.*, name, "Ext; ension".aread_predict(name, c, "Do""main") AS score
		FROM "My.Shop".architecture, (SELECT * FROM "My.Shop"."Clicks 'n more" LIMIT 100) c});
is(owner(q{SELECT count(*), count(DISTINCT wide) > 100, count(DISTINCT hemp) > 100 FROM "My.Shop".scored}), '3000|t|t', 'odd names, and no search_path');
my $run = owner(qq{SELECT "Ext; ension".aread_train_start('"My.Shop"."Clicks ''n more"', 'in "the" background', options => '$hemp')});
is(owner(qq{SELECT "Ext; ension".aread_wait($run)}), '1', 'in the background, too');
is(owner(q{SELECT count(DISTINCT crc) FROM aread.model WHERE model IN ('masks', 'in "the" background')}), '1', 'the same model');
like(owner(q{SELECT "Ext; ension".aread_card('It''s "mine"; really')}), qr/"My\.Shop"\."Clicks 'n more"/, 'a card');
is(owner(q{SELECT count(*) FROM "Ext; ension".aread_evaluate_domains('masks', '"My.Shop"."Clicks ''n more"')}), '5', 'evaluation');

#
# Dumps, after the source was renamed.
#
owner(q{ALTER TABLE "My.Shop"."Clicks 'n more" RENAME TO "renamed; since"});
my $check = q{SELECT count(*), bool_and("Ext; ension".aread_predict('It''s "mine"; really', s, "Do""main") = wide), bool_and("Ext; ension".aread_predict('masks', s, "Do""main") = hemp) FROM "My.Shop".scored s};
my $check_each = q{SELECT string_agg(DISTINCT name, ' ' ORDER BY name), bool_and("Ext; ension".aread_predict(name, s, "Do""main") = score), count(DISTINCT score) > 100 FROM "My.Shop".scored_by_each s};
my $each = owner(q{SELECT string_agg(name, ' ' ORDER BY name) FROM "My.Shop".architecture});
my $source = $node->connstr('odd');
my %restore = (
	plain => sub { return (['pg_dump', '-f', "$tmp/plain.sql", $source], ['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', "$tmp/plain.sql", $_[0]]) },
	custom => sub { return (['pg_dump', '-Fc', '-f', "$tmp/custom", $source], ['pg_restore', '-j', '2', '--exit-on-error', '-d', $_[0], "$tmp/custom"]) },
	directory => sub { return (['pg_dump', '-Fd', '-j', '2', '-f', "$tmp/directory", $source], ['pg_restore', '-j', '2', '--exit-on-error', '-d', $_[0], "$tmp/directory"]) },
	schema => sub { return (['pg_dump', '-Fc', '--schema="My.Shop"', '-e', 'aread', '-f', "$tmp/schema", $source], ['pg_restore', '--exit-on-error', '-d', $_[0], "$tmp/schema"]) },
	inserts => sub { return (['pg_dump', '--rows-per-insert=10', '-f', "$tmp/inserts.sql", $source], ['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', "$tmp/inserts.sql", $_[0]]) },
);
for my $form (sort keys %restore)
{
	my $database = "restored_$form";
	my ($dump, $load) = $restore{$form}->($node->connstr($database));

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	# a dump of one schema leaves the extension's own out
	$node->safe_psql($database, 'CREATE SCHEMA "Ext; ension"') if $form eq 'schema';
	command_ok($dump, "$form: dumped");
	command_ok($load, "$form: restored");
	is($node->safe_psql($database, $check), '3000|t|t', "$form: the same scores");
	is($node->safe_psql($database, $check_each), "$each|t|t", "$form: of every architecture");
	is($node->safe_psql($database, qq{SELECT trained_model, version FROM "Ext; ension".aread_train('"My.Shop"."renamed; since"', 'masks', options => '$hemp')}), 'masks|2', "$form: trained again");
	is($node->safe_psql($database, q{SELECT count(DISTINCT crc), min(source) <> max(source) FROM aread.model WHERE model = 'masks'}), '1|t', "$form: to the same model, by the roles registered for a table that was renamed");
	is($node->safe_psql($database, q{SELECT count(*) FROM aread.run}), '0', "$form: runs are of their server");
}

#
# Traps: whatever a user can put before the extension's own statements is never run as its owner.
#
$node->safe_psql('postgres', 'CREATE DATABASE trapped');
$node->safe_psql('trapped', q{
	CREATE EXTENSION aread;
	CREATE ROLE mallory LOGIN; CREATE ROLE friend;
	GRANT CREATE ON DATABASE trapped TO mallory; GRANT CREATE ON SCHEMA public TO mallory; GRANT friend TO mallory});
my @mallory = (extra_params => ['-U', 'mallory']);
my $traps = q{
	CREATE SCHEMA traps;
	CREATE FUNCTION traps.spring() RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		IF current_user OPERATOR(pg_catalog.<>) 'mallory' THEN RAISE EXCEPTION 'trapped as %', current_user; END IF;
	END $$;
};
# operators and functions of every name and type that the statements could look up
for my $type (qw(int4 int8 text oid name bool))
{
	for my $operator ('=', '<>', '<', '>', '%', '||', '+', '-')
	{
		(my $name = "op_$type" . $operator) =~ s/([^a-z0-9_])/sprintf '%x', ord $1/ge;
		my $result = $operator =~ /[=<>]/ ? 'bool' : $type;
		$traps .= qq{CREATE FUNCTION traps.$name(a $type, b $type) RETURNS $result LANGUAGE plpgsql AS \$\$BEGIN PERFORM traps.spring(); RETURN NULL; END\$\$;
			CREATE OPERATOR traps.$operator (FUNCTION = traps.$name, LEFTARG = $type, RIGHTARG = $type);};
	}
}
$traps .= qq{CREATE FUNCTION traps.$_ RETURNS text LANGUAGE plpgsql AS \$\$BEGIN PERFORM traps.spring(); RETURN NULL; END\$\$;}
	for 'max(int4)', 'max(int8)', 'sum(int8)', 'count(text)', 'now()', 'clock_timestamp()', 'octet_length(bytea)', 'nextval(text)', 'nextval(regclass)', 'current_setting(text)',
	'pg_has_role(oid, text)', 'pg_get_userbyid(oid)', 'pg_is_in_recovery()', 'current_database()', 'string_agg(text, text)', 'quote_literal(text)';
# tables and types, temporary ones too
$traps .= qq{CREATE TABLE traps.$_ AS SELECT 1 AS x; CREATE TEMP TABLE $_ AS SELECT 1 AS x;} for qw(pg_class pg_locks pg_database pg_roles stored_model stored_version stored_run stored_grant);
$traps .= q{CREATE DOMAIN traps.text AS pg_catalog.text; CREATE DOMAIN traps.oid AS pg_catalog.oid; CREATE DOMAIN traps.regclass AS pg_catalog.regclass; CREATE DOMAIN traps.int4 AS pg_catalog.int4;};
my $setup = q{CREATE TABLE clicks AS SELECT label, domain, user_id, item_id FROM aread_simulate(600, domains => 4, users => 30, items => 20);};
my $options = '{"architecture": "wide"}';
my @statements = (
	"SELECT (public.aread_train('clicks', 'm', options => '$options')).version::pg_catalog.text",
	"SELECT (public.aread_train('clicks', 'm', options => '$options')).version::pg_catalog.text",
	"SELECT public.aread_register('clicks')", "SELECT relation::pg_catalog.text FROM aread.source",
	"SELECT public.aread_deploy('m', 1)", "SELECT public.aread_rollback('m')", "SELECT public.aread_comment('m', 'x')", "SELECT public.aread_comment('m\@1', 'x')",
	"SELECT public.aread_grant('m', 'friend')", "SELECT public.aread_revoke('m', 'friend')", "SELECT public.aread_rename('m', 'n')", "SELECT public.aread_rename('n', 'm')",
	"SELECT public.aread_predict('m', '{\"user_id\": 1}', 'domain_01') > 0.0", "SELECT public.aread_predict('m\@1', '{\"user_id\": 1}', 'domain_01') > 0.0",
	"SELECT (public.aread_evaluate('m', 'clicks')).rows", "SELECT model FROM aread.model", "SELECT model FROM aread.feature", "SELECT model FROM aread.domain",
	"SELECT model FROM aread.run", "SELECT model FROM aread.cache", "SELECT model FROM aread.training_log",
	"SELECT public.aread_import(public.aread_export('m'), 'copy')", "SELECT public.aread_drop_version('m', 1)",
	"SELECT public.aread_set_owner('copy', 'friend')", "SELECT public.aread_drop('copy')", "SELECT public.aread_unregister('clicks')",
	"SELECT public.aread_train_start('clicks', 'b', options => '$options', label => 'label')", "SELECT public.aread_wait(1)", "SELECT public.aread_forget(1)", "SELECT public.aread_drop('m')");
my ($status, $out, $error) = $node->psql('trapped', $setup . $traps . 'SET search_path = traps, public, pg_catalog;' . join(';', @statements), on_error_stop => 1, @mallory);
is($status, 0, 'every statement runs among traps') or diag($error);
unlike($error, qr/trapped as/, 'and springs none');
# the traps themselves would have sprung
(undef, undef, $error) = $node->psql('trapped', q{SET search_path = traps, public, pg_catalog; SELECT 1::pg_catalog.int4 = 2::pg_catalog.int4, now()});
like($error, qr/trapped as /, 'for others they do');

#
# Logical replication, as the README has it.
#
my $readme = slurp_file('README.md');
my ($publish) = $readme =~ /^(CREATE PUBLICATION aread FOR TABLE [^;]*;)$/m or die 'no recipe';
my $replica = PostgreSQL::Test::Cluster->new('replica');
$replica->init;
$replica->append_conf('postgresql.conf', "client_min_messages = warning\naread.batch_scan = off\n");
$replica->start;
$replica->safe_psql('postgres', 'CREATE EXTENSION aread; CREATE ROLE reader LOGIN');
$node->safe_psql('postgres', qq{
	CREATE EXTENSION aread;
	CREATE TABLE clicks AS SELECT label, domain, user_id, item_id FROM aread_simulate(2000, domains => 4, users => 30, items => 20, strength => 3);
	SELECT aread_train('clicks', 'shop', options => '$hemp');
	SELECT aread_grant('shop', 'public');
	$publish});
$replica->safe_psql('postgres', 'CREATE SUBSCRIPTION aread CONNECTION $$' . $node->connstr('postgres') . '$$ PUBLICATION aread');
$replica->wait_for_subscription_sync($node, 'aread');
my $score = q{SELECT aread_predict('shop', '{"user_id": 5, "item_id": 7}', 'domain_02')};
my @reader = (extra_params => ['-U', 'reader']);
is($replica->safe_psql('postgres', $score, @reader), $node->safe_psql('postgres', $score), 'a subscriber scores the same');
my $session = $replica->background_psql('postgres');
my $first = $session->query_safe($score);
$node->safe_psql('postgres', qq{SELECT aread_train('clicks', 'shop', options => '{"seed": 5}')});
$node->wait_for_catchup('aread');
my $second = $session->query_safe($score);
isnt($second, $first, 'a new version reaches a session that has the old one loaded');
is($second, $node->safe_psql('postgres', $score), 'and scores as its publisher does');
$node->safe_psql('postgres', q{SELECT aread_rollback('shop')});
$node->wait_for_catchup('aread');
is($session->query_safe($score), $first, 'so does a rollback');
is($replica->safe_psql('postgres', 'SELECT count(*) FROM aread.mask') > 0, 1, 'masks are there');
$session->quit;
$_->stop for ($replica, $node);

done_testing();
