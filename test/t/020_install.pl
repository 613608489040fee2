# What lies in a database, or is said there about default privileges, before
# CREATE EXTENSION: none of it becomes part of the extension, nor opens it.
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

# every query of the test's own is free of traps
sub ask
{
	my ($database, $query) = @_;

	return $node->safe_psql($database, "SET search_path = pg_catalog; $query");
}

#
# Objects of others' in the target schema.
#
# The extension's parts, and parts of these; then whatever they use that is neither
# the server's nor among them.
my $members = q{SELECT classid, objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
	AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'aread')};
my $foreign = qq{
	WITH RECURSIVE part AS (
		$members
		UNION
		SELECT d.classid, d.objid FROM part p JOIN pg_depend d ON d.refclassid = p.classid AND d.refobjid = p.objid AND d.deptype IN ('i', 'a'))
	SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0) || ' uses ' || pg_describe_object(d.refclassid, d.refobjid, 0)
	FROM part p JOIN pg_depend d USING (classid, objid), pg_extension e
	WHERE e.extname = 'aread' AND d.refobjid >= 16384 AND NOT EXISTS (SELECT FROM part q WHERE q.classid = d.refclassid AND q.objid = d.refobjid)
		AND (d.refclassid, d.refobjid) NOT IN (('pg_extension'::regclass, e.oid), ('pg_namespace'::regclass, e.extnamespace))
	ORDER BY 1};
my $elsewhere = qq{SELECT pg_describe_object(classid, objid, 0) FROM ($members) m, LATERAL pg_identify_object(classid, objid, 0) i
	WHERE i.type <> 'schema' AND i.schema NOT IN ('aread', (SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'aread')) ORDER BY 1};
# bodies that are text hide what they use
my $opaque = qq{SELECT p.oid::regprocedure FROM ($members) m JOIN pg_proc p ON p.oid = m.objid AND m.classid = 'pg_proc'::regclass
	WHERE p.prokind <> 'a' AND p.prosqlbody IS NULL AND p.prolang <> (SELECT oid FROM pg_language WHERE lanname = 'c')};
my @views = split /\n/, do {
	$node->safe_psql('postgres', 'CREATE DATABASE clean');
	$node->safe_psql('clean', 'CREATE EXTENSION aread');
	ask('clean', q{SELECT relname FROM pg_class WHERE relnamespace = 'aread'::regnamespace AND relkind = 'v' ORDER BY 1});
};

# Names of the operators and functions that views and SQL functions use.
my $bodies = q{(SELECT ev_action::text AS body FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE relnamespace = 'aread'::regnamespace
	UNION ALL SELECT prosqlbody::text FROM pg_proc WHERE prosqlbody IS NOT NULL AND proname LIKE 'aread%') b};
my @operators = split /\n/, ask('clean', qq{SELECT DISTINCT oprname FROM $bodies, regexp_matches(body, ':opno (\\d+)', 'g') m JOIN pg_operator o ON o.oid = m[1]::oid});
my @functions = split /\n/, ask('clean', qq{SELECT DISTINCT proname FROM $bodies, regexp_matches(body, ':(?:funcid|aggfnoid) (\\d+)', 'g') m
	JOIN pg_proc p ON p.oid = m[1]::oid AND pronamespace = 'pg_catalog'::regnamespace});
cmp_ok(scalar(@operators), '>=', 5, "operators to shadow: @operators");
cmp_ok(scalar(@functions), '>=', 12, "functions to shadow: @functions");

# Each is shadowed for all types that a call could have, so that a call for which the server
# has no exact match takes the shadow; tables, types and temporary ones have names in use, too.
my $operators = join ',', map { "'$_'" } @operators;
my $functions = join ',', map { "'$_'" } @functions;
my $traps = qq{
	CREATE TABLE public.caught (who text, what text);
	GRANT INSERT, SELECT ON public.caught TO PUBLIC;
	SET search_path = pg_catalog;
	DO \$do\$
	DECLARE
		types text[] := '{bool,int2,int4,int8,float4,float8,numeric,oid,regclass,name,text,varchar,jsonb,bytea,timestamptz}';
		a text; b text; o text; f text; r text;
		body text := ' LANGUAGE plpgsql AS \$\$BEGIN INSERT INTO public.caught VALUES (current_user, %L); RETURN NULL; END\$\$';
	BEGIN
		FOREACH a IN ARRAY types LOOP
			FOREACH b IN ARRAY types LOOP
				FOREACH o IN ARRAY ARRAY[$operators] LOOP
					r := CASE WHEN o IN ('+', '-', '||') THEN a ELSE 'bool' END;
					EXECUTE format('CREATE FUNCTION public.%I(%s, %s) RETURNS %s' || body, 'op' || o, a, b, r, o);
					EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public.%I)', o, a, b, 'op' || o);
				END LOOP;
			END LOOP;
		END LOOP;
		types := '{int4,int8,float8,oid,regclass,name,text,jsonb,bytea,timestamptz}';
		FOREACH f IN ARRAY ARRAY[$functions] LOOP
			FOREACH a IN ARRAY types LOOP
				EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS %s' || body, f, a, CASE f WHEN 'pg_has_role' THEN 'bool' ELSE 'text' END, f);
				FOREACH b IN ARRAY types LOOP
					EXECUTE format('CREATE FUNCTION public.%I(%s, %s) RETURNS %s' || body, f, a, b, CASE WHEN f LIKE '%privilege' OR f LIKE '%role' THEN 'bool' ELSE 'text' END, f);
				END LOOP;
			END LOOP;
		END LOOP;
		-- variadic calls as aread_card has them
		EXECUTE format('CREATE FUNCTION public.format(text, timestamptz, text, name, text) RETURNS text' || body, 'format');
		EXECUTE format('CREATE FUNCTION public.format(text, text, bigint, jsonb) RETURNS text' || body, 'format');
		FOREACH f IN ARRAY '{pg_class,pg_roles,pg_depend,pg_extension,pg_init_privs,stored_model,stored_version,stored_grant,stored_run}'::text[] LOOP
			EXECUTE format('CREATE TABLE public.%I (x int)', f);
		END LOOP;
		FOREACH f IN ARRAY '{text,oid,regclass,name,int4,int8,float8,jsonb,bytea,timestamptz,record}'::text[] LOOP
			EXECUTE format('CREATE DOMAIN public.%I AS pg_catalog.int4 CHECK (false)', f);
		END LOOP;
	END
	\$do\$;};
$node->safe_psql('postgres', 'CREATE ROLE mallory LOGIN; CREATE DATABASE traps');
$node->safe_psql('traps', 'GRANT CREATE ON SCHEMA public TO mallory');
$node->safe_psql('traps', $traps, extra_params => ['-U', 'mallory']);
my $temporary = q{CREATE TEMP TABLE pg_class (x int); CREATE TEMP TABLE pg_depend (x int); CREATE TEMP TABLE stored_model (x int); CREATE DOMAIN pg_temp.text AS pg_catalog.int4; };

for my $from ('', '0.1.0', '0.2.0')
{
	(my $database = "trapped_$from") =~ tr/./_/;
	my $name = $from ? "$from updated" : 'created';

	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE traps");
	$node->safe_psql($database, $temporary . 'CREATE EXTENSION aread' . ($from ? " VERSION '$from'" : ''));
	if ($from)
	{
		isnt(ask($database, $foreign), '', "$from alone: caught");
		$node->safe_psql($database, $temporary . 'ALTER EXTENSION aread UPDATE');
	}
	is(ask($database, $foreign), '', "$name among traps: nothing of others' is used");
	is(ask($database, $elsewhere), '', "$name among traps: nothing lies in a schema of others'");
	is(ask($database, $opaque), '', "$name among traps: no body is a text");

	# and at work, for a superuser whose path leads through the traps
	$node->safe_psql($database, q{
		CREATE TABLE clicks AS SELECT * FROM aread_simulate(800, domains => 3, users => 30, items => 20);
		SELECT aread_register('clicks');
		SELECT aread_train('clicks', 'shop', options => '{"architecture": "wide"}');
		SELECT aread_grant('shop', 'mallory');
		SELECT aread_card('shop') IS NOT NULL;
		SELECT * FROM aread_compare('shop', 'shop@1', 'clicks');
		SELECT * FROM aread_compare_domains('shop', 'shop@1', 'clicks');} . join '', map { "SELECT * FROM aread.$_;" } @views);
	is(ask($database, 'SELECT * FROM public.caught'), '', "$name among traps: none springs");
	like(ask($database, q{SELECT public.aread_card('shop')}), qr/trained .* over .*clicks, owner .*by aread/, "$name among traps: a card");
}

#
# Default privileges.
#
my $say = q{
	ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO got_tables WITH GRANT OPTION;
	ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC;
	ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO got_sequences;
	ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO PUBLIC;
	ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO got_functions WITH GRANT OPTION;
	ALTER DEFAULT PRIVILEGES GRANT ALL ON TYPES TO got_types;
	ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO got_schemas;
	ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC;
};
# every right on the extension's objects, as it is in effect
my $rights = qq{
	SELECT i.type, i.identity, string_agg(CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END || ' ' || a.privilege_type || CASE WHEN a.is_grantable THEN '*' ELSE '' END, ', ' ORDER BY a.grantee, a.privilege_type)
	FROM ($members) m,
	LATERAL (SELECT COALESCE(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)) FROM pg_class WHERE m.classid = tableoid AND m.objid = oid
		UNION ALL SELECT COALESCE(nspacl, acldefault('n', nspowner)) FROM pg_namespace WHERE m.classid = tableoid AND m.objid = oid
		UNION ALL SELECT COALESCE(typacl, acldefault('T', typowner)) FROM pg_type WHERE m.classid = tableoid AND m.objid = oid
		UNION ALL SELECT COALESCE(proacl, acldefault('f', proowner)) FROM pg_proc WHERE m.classid = tableoid AND m.objid = oid) o(acl),
	LATERAL aclexplode(o.acl) a, LATERAL pg_identify_object(m.classid, m.objid, 0) i
	GROUP BY 1, 2 ORDER BY 1, 2};
$node->safe_psql('postgres', "CREATE ROLE $_") for qw(got_tables got_sequences got_functions got_types got_schemas by_hand);
my $clean = ask('clean', $rights);

for my $from ('', '0.1.0', '0.2.0')
{
	(my $database = "generous_$from") =~ tr/./_/;
	my $name = $from ? "$from updated" : 'created';

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, $say . 'CREATE EXTENSION aread' . ($from ? " VERSION '$from'" : ''));
	if ($from)
	{
		like(ask($database, $rights), qr/got_tables/, "$from alone: open");
		# who may give to others, make triggers and foreign keys, and put functions beside the extension's
		$node->safe_psql($database, q{
			GRANT CREATE ON SCHEMA public TO got_tables;
			SET ROLE got_tables;
			GRANT SELECT ON aread.stored_chunk TO by_hand;
			CREATE FUNCTION public.plant() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
			CREATE TRIGGER plant BEFORE INSERT OR UPDATE ON aread.stored_model FOR EACH ROW EXECUTE FUNCTION public.plant();
			CREATE TABLE public.hold (model_id bigint REFERENCES aread.stored_model);
			SET ROLE got_schemas;
			CREATE FUNCTION aread.run_state(integer) RETURNS text LANGUAGE sql RETURN 'x';
			CREATE FUNCTION aread.role_name(name, name) RETURNS name LANGUAGE sql RETURN 'x'::name;
			CREATE FUNCTION aread.has_role(oid) RETURNS bool LANGUAGE sql RETURN true});
		my ($status, $out, $error) = $node->psql($database, 'ALTER EXTENSION aread UPDATE');
		like($error, qr/WARNING:  dropped trigger plant on table aread.stored_model\n/, "$from updated: a trigger of another role is dropped");
		like($error, qr/WARNING:  dropped constraint \w+ on table public.hold\n/, "$from updated: so is a foreign key");
		is(ask($database, q{SELECT count(*) FROM pg_trigger WHERE tgrelid::regclass::text ~ '^aread[.]' AND tgconstrrelid::regclass::text !~ '^aread[.]'}), '0', "$from updated: none is left");
		is(ask($database, $foreign), '', "$name: nothing of others' is used");
	}
	is(ask($database, $rights), $clean, "$name under generous defaults: rights are those of the scripts");

	# into a database that is as generous
	my $dump = $PostgreSQL::Test::Utils::tmp_check . "/$database";
	$node->command_ok(['pg_dump', '-f', $dump, $node->connstr($database)], "$name: dumped");
	unlike(slurp_file($dump), qr/^GRANT .*aread/m, "$name: no right is in the dump");
	$node->safe_psql('postgres', "CREATE DATABASE restored_$database");
	$node->safe_psql("restored_$database", $say);
	$node->command_ok(['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', $node->connstr("restored_$database"), '-f', $dump], "$name: restored");
	is(ask("restored_$database", $rights), $clean, "$name: rights are the same there");
}

# What an administrator gave by hand is kept, whatever default privileges say.
$node->safe_psql('postgres', 'CREATE DATABASE given');
$node->safe_psql('given', q{
	ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM PUBLIC;
	ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO got_tables;
	CREATE EXTENSION aread VERSION '0.2.0';
	GRANT SELECT ON aread.stored_model TO by_hand;
	GRANT EXECUTE ON FUNCTION aread_predict(text, text) TO by_hand;
	GRANT EXECUTE ON FUNCTION aread_train(regclass, text, text, text, text[], text, text, text, jsonb, text), aread_options(), aread_deploy(text, integer) TO by_hand;
	ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO got_functions, PUBLIC;
	ALTER EXTENSION aread UPDATE;});
is(ask('given', q{SELECT has_table_privilege('by_hand', 'aread.stored_model', 'SELECT'), has_table_privilege('got_tables', 'aread.stored_model', 'SELECT'),
	has_function_privilege('by_hand', 'public.aread_predict(text, text)', 'EXECUTE'), has_function_privilege('got_tables', 'public.aread_predict(text, text)', 'EXECUTE')}),
	't|f|t|f', 'grants by hand are kept');
for my $anew ('aread_train(regclass, text, text, text, text[], text, text, text, jsonb, text)', 'aread_options()')
{
	is(ask('given', qq{SELECT string_agg(r || ' ' || has_function_privilege(r, 'public.$anew', 'EXECUTE')::text, ', ') FROM unnest('{by_hand,got_functions,got_tables}'::name[]) r}),
		'by_hand true, got_functions false, got_tables false', "of a function that an update makes anew, too: $anew");
}
is(ask('given', q{SELECT string_agg(r || ' ' || has_function_privilege(r, f, 'EXECUTE')::text, ', ') FROM unnest('{public.aread_deploy(text\, integer\, text),public.aread_rollback(text\, text)}'::text[]) f, unnest('{by_hand,got_functions}'::name[]) r}),
	'by_hand true, got_functions false, by_hand false, got_functions false', 'and of one that is like another with more arguments');

is($node->safe_psql('given', 'SET ROLE by_hand; ' . join '', map { "SELECT * FROM aread.$_;" } grep { !/^(usable_version|visible_version|known_run)$/ } @views), '',
	'views call what all may call');

# A role that got something and is gone is in nobody's way.
$node->safe_psql('postgres', 'CREATE DATABASE gone; CREATE ROLE got_and_gone');
$node->safe_psql('gone', q{
	ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO got_and_gone;
	CREATE EXTENSION aread VERSION '0.2.0';
	DROP OWNED BY got_and_gone;
	DROP ROLE got_and_gone;
	ALTER EXTENSION aread UPDATE;});
is(ask('gone', $rights), $clean, 'a role that is gone');
$node->stop;

done_testing();
