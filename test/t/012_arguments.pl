# Every function and aggregate with hostile arguments: each argument in turn,
# while the others are sane.  A call ends in a result or in an error that tells
# what is wrong; never in an internal error, a crash, a hang, or memory that grows.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => ['--encoding=UTF8', '--no-locale']);
$node->append_conf('postgresql.conf', "fsync = off\njit = off\nclient_min_messages = error\nlog_min_messages = log\nlog_min_error_statement = panic\n"
	. "max_parallel_workers_per_gather = 0\nrestart_after_crash = on\nmax_worker_processes = 16\ntemp_file_limit = '50MB'\naread.cache_size = '16MB'\n");
$node->start;
$node->safe_psql('postgres', "CREATE DATABASE $_ ENCODING '$_' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'") foreach qw(latin1 sql_ascii);

#
# What the calls are about, in each database.
#

sub ident { return '"' . ($_[0] =~ s/"/""/gr) . '"' }
sub literal { return 'E\'' . ($_[0] =~ s/(['\\])/\\$1/gr) . '\'' }

# Bytes beyond ASCII: a literal's, and an identifier's, which are the server's own.
my %beyond = (postgres => [q{U&'\00e9\+01F600'}, "\xc3\xa9\xf0\x9f\x98\x80"], latin1 => [q{E'\xe9\xff'}, "\xe9\xff"], sql_ascii => [q{E'\xff\xfe\x80'}, "\xff\xfe\x80"]);

# Names that break what does not quote them.
my @names = (q{'"; DROP TABLE seen; --}, q{back\slash%s%n$1}, q{ spaces }, "new\nline", 'x' x 63, 'select', '@', 'shop@1', '<svg>&amp;]]>', '{"a": 1}');

# Column names of such a table, in the roles label, domain, user and item; 63 bytes at most.
sub hostile_columns
{
	my ($name) = @_;
	return map { $_ . substr($name, 0, 60) } qw(l_ d_ u_ i_);
}

sub hostile_table
{
	my ($name) = @_;
	my ($label, $domain, $user, $item) = map { ident($_) } hostile_columns($name);

	return 'CREATE TABLE ' . ident($name) . " AS SELECT label AS $label, domain || " . literal($name) . " AS $domain, user_id AS $user, "
		. literal($name) . " || item_id AS $item FROM seen LIMIT 400;\n";
}

my $set_up = q{
	CREATE EXTENSION aread;
	CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
	CREATE DOMAIN positive AS int CHECK (VALUE > 0);
	CREATE DOMAIN nested AS positive CHECK (VALUE < 1000000);
	CREATE DOMAIN checked AS text CHECK (VALUE <> 'refused');
	CREATE TYPE pair AS (a int, b text);
	CREATE TYPE tree AS (label int, domain text, user_id int, children pair[], more pair);
	CREATE DOMAIN pair_domain AS pair;
	CREATE TYPE nothing AS ();
	CREATE TABLE seen AS SELECT label, domain, user_id, item_id, category, price, ARRAY[category, age_band] AS tags,
		(ARRAY['sad', 'ok', 'happy'])[1 + category % 3]::mood AS mood, (1 + category)::nested AS inside, sequence
		FROM aread_simulate(1500, domains => 4, groups => 2, users => 60, items => 40, strength => 3);
	CREATE TABLE empty (LIKE seen);
	CREATE TABLE stock AS SELECT DISTINCT item_id, domain, price FROM seen;
	CREATE TABLE one_row AS SELECT * FROM seen LIMIT 1;
	CREATE TABLE no_columns ();
	CREATE TABLE all_null AS SELECT NULL::int AS label, NULL::text AS domain, NULL::int AS user_id, NULL::int AS item_id FROM generate_series(1, 50);
	CREATE TABLE one_class AS SELECT 1 AS label, domain, user_id, item_id FROM seen;
	CREATE TABLE many_domains AS SELECT i % 2 AS label, i AS domain, i % 7 AS user_id, i % 5 AS item_id FROM generate_series(1, 20000) i;
	CREATE TABLE odd_labels AS SELECT (ARRAY['NaN', 'Infinity', '-1', '1e308'])[1 + sequence % 4]::float8 AS label, domain, user_id FROM seen;
	CREATE TABLE odd_numbers AS SELECT label, domain, user_id, item_id,
		(ARRAY['NaN', 'Infinity', '-Infinity', '1e308', '5e-324', '0'])[1 + sequence % 6]::float8 AS price,
		(ARRAY['NaN', '1e400', '-1e400', '1e-400', '0'])[1 + sequence % 5]::numeric AS amount,
		ARRAY[NULL, 'NaN', 'Infinity']::float8[] AS members FROM seen;
	CREATE TABLE odd_types AS SELECT label, domain, user_id, ARRAY[ARRAY[1, NULL], ARRAY[3, 4]] AS square, ARRAY[ROW(1, 'x')::pair] AS pairs, ROW(1, 'x')::pair AS pair,
		'{"a": [1]}'::jsonb AS json, point(1, 2) AS place, '1 day'::interval AS span, int4range(1, 5) AS range, 'seen'::regclass AS class, '\x00'::bytea AS bytes,
		mood, inside, 'infinity'::timestamptz AS moment, '-infinity'::date AS day, '4713-01-01 BC'::date AS past, '::1'::inet AS address, B'101' AS bits FROM seen;
	CREATE TABLE trees AS SELECT label, domain, user_id, ARRAY[ROW(1, 'x')::pair] AS children, ROW(1, 'y')::pair AS more FROM seen LIMIT 100;
	CREATE TABLE dense (label int, domain text, user_id nested, gone int, generated int GENERATED ALWAYS AS (label + 1) STORED);
	INSERT INTO dense (label, domain, user_id) SELECT label, domain, 1 + user_id FROM seen LIMIT 200;
	ALTER TABLE dense DROP COLUMN gone;
	CREATE TABLE large AS SELECT label, repeat(domain, 30000) AS domain, user_id, repeat(md5(item_id::text), 20000) AS item_id FROM seen LIMIT 40;
	CREATE TABLE incompressible AS SELECT label, domain, (SELECT string_agg(md5((sequence * 1000 + i)::text), '') FROM generate_series(1, 300) i) AS user_id FROM seen LIMIT 40;
	CREATE TABLE weights AS SELECT label, domain, user_id, (ARRAY['NaN', 'Infinity', '-1', '0', '1e308'])[1 + sequence % 5]::float8 AS weight FROM seen;
	CREATE TABLE parted (label int, domain text, user_id int) PARTITION BY LIST (domain);
	CREATE TABLE part PARTITION OF parted DEFAULT;
	INSERT INTO parted SELECT label, domain, user_id FROM seen LIMIT 200;
	CREATE INDEX an_index ON seen (user_id);
	CREATE SEQUENCE a_sequence;
	CREATE VIEW fails AS SELECT label, domain, 1 / (user_id - user_id) AS user_id FROM seen;
	CREATE VIEW lists AS SELECT label, domain, (SELECT array_agg(i) FROM generate_series(1, 3000) i) AS tags FROM seen LIMIT 100;
	CREATE VIEW scored AS SELECT label, domain, user_id, aread_predict('shop', seen) AS score FROM seen LIMIT 100;
	CREATE VIEW drops AS SELECT label, domain, user_id FROM seen WHERE aread_drop('shop', true) IS NOT NULL;
	CREATE MATERIALIZED VIEW kept AS SELECT label, domain, user_id FROM seen LIMIT 200;
	CREATE VIEW system_columns AS SELECT label, domain, user_id, ctid AS place, xmin AS transaction, tableoid FROM seen;
	CREATE ROLE "role '"";--";
	SELECT count(*) FROM aread_train('seen', 'shop', options => '{"architecture": "aread", "epochs": 1, "learning_rate": 0.01, "batch_size": 64, "embed_dim": 4, "mmoe_dims": [8], "hei_experts": [2, 3], "hei_hidden": [8, 8], "hei_output": [4, 4], "warmup_batches": 5, "mask_interval": 10, "candidates": 1, "candidate_steps": 1}');
	SELECT count(*) FROM aread_train('seen', 'shop', options => '{"architecture": "wide", "deploy": false}');
	SELECT count(*) FROM aread_train('seen', 'fm', options => '{"architecture": "fm", "epochs": 1, "embed_dim": 2, "history": {"length": 3}}');
	SELECT count(*) FROM aread_train_start('seen', 'run', options => '{"architecture": "wide"}');
	SELECT count(*) FROM aread_train_start('fails', 'failed', options => '{"architecture": "wide"}');
	SELECT aread_register('kept', label => 'label', domain => 'domain');
	CREATE TABLE exported AS SELECT aread_export('fm') AS data;
	CREATE TABLE mask_chunks AS SELECT array_agg(data ORDER BY chunk) AS chunks FROM aread.stored_chunk WHERE kind = 'masks' AND version_id = 1;
	DO $$ BEGIN EXECUTE 'CREATE TABLE wide AS SELECT label, domain, user_id' || (SELECT string_agg(', (user_id + ' || i || ') % 10 AS c' || i, '') FROM generate_series(4, 1600) i) || ' FROM seen LIMIT 60'; END $$;

	-- SQLSTATE and message of a call; what it did is undone
	CREATE FUNCTION attempt(call text) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE state text; message text;
	BEGIN
		BEGIN
			EXECUTE call;
			RAISE SQLSTATE 'ZZZZZ';
		EXCEPTION WHEN OTHERS OR query_canceled THEN
			GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
		END;
		RETURN state || '|' || replace(left(message, 300), E'\n', ' ');
	END $$;
	CREATE FUNCTION last_of(bytea, bytea) RETURNS bytea IMMUTABLE LANGUAGE sql AS 'SELECT $2';
};
foreach my $database (qw(postgres latin1 sql_ascii))
{
	my $own = $set_up;

	$own =~ s/CREATE ROLE.*// unless $database eq 'postgres';
	$own .= hostile_table($_) foreach @names, "beyond $beyond{$database}[1]";
	$node->safe_psql($database, ($database eq 'postgres' ? '' : "SET client_encoding = '$database';") . $own);
	$node->poll_query_until($database, q{SELECT count(*) = 0 FROM aread.run WHERE state IN ('starting', 'running')});
}

#
# Values.
#

# Arguments that a function takes gladly, by function; beside them those that mean the same everywhere.
my %everywhere = (source => q{'seen'}, model => q{'shop'}, label => 'NULL', domain => 'NULL', user_id => 'NULL', item_id => 'NULL', split => 'NULL', weight => 'NULL',
	features => 'NULL', options => q{'{"architecture": "wide"}'}, run => '1', score => 'i / 5.0', theme => q{'light'}, state => 'NULL', version => '2', k => '3', bins => '4', role => q{'public'});
my $row = q{(SELECT s FROM seen s LIMIT 1)};
my $json = q{'{"domain": "domain_02", "user_id": 7, "item_id": 9, "category": 1, "price": 2.5, "tags": [1, 2]}'};
my $in_domain = q{'domain_02'};
my %of_aggregate = (label => '(i % 2)', domain => q{('d' || i % 2)}, group => q{('d' || i % 2)});
my %sane = (
	aread_train => {}, aread_train_start => {}, aread_wait => {timeout => q{'1 s'}}, aread_cancel => {}, aread_resume => {run => '2', source => q{'fails'}}, aread_forget => {},
	aread_drop => {if_exists => 'false'}, aread_deploy => {reason => q{'said'}}, aread_rollback => {reason => q{'said'}}, aread_pin => {model => q{'shop@1'}, pinned => 'true'}, aread_drop_version => {}, aread_rename => {new_name => q{'other'}},
	aread_comment => {comment => q{'said'}}, aread_set_owner => {role => q{'postgres'}}, aread_grant => {privilege => q{'explain'}}, aread_revoke => {privilege => q{'explain'}}, aread_export => {},
	aread_import => {data => '(SELECT data FROM exported)', model => q{'in'}, deploy => 'true'}, aread_register => {}, aread_unregister => {source => q{'kept'}},
	aread_options => {}, aread_architectures => {}, aread_simulate => {rows => '20', domains => '3', groups => '2', users => '10', items => '10', skew => '1', strength => '1', positive_rate => '0.3', seed => '1'},
	aread_augment => {source => 'NULL::seen'}, aread_popularity => {}, aread_augment_plan => {}, aread_evaluate => {split => q{'test'}}, aread_evaluate_domains => {split => q{'test'}}, aread_evaluate_ranking => {split => q{'test'}, max_lists => '10', seed => '1'}, aread_drift => {}, aread_shift => {},
	aread_split => {record => $row},
	aread_auc => \%of_aggregate, aread_log_loss => \%of_aggregate, aread_domain_auc => \%of_aggregate, aread_grouped_auc => \%of_aggregate, aread_ndcg => \%of_aggregate,
	aread_recall => \%of_aggregate, (map { $_ => \%of_aggregate } qw(aread_precision aread_hit_rate aread_average_precision aread_reciprocal_rank)), aread_novelty => {share => '0.5'},
	(map { $_ => {list => q{ARRAY['a', 'b']}, catalogue => '10'} } qw(aread_coverage aread_personalization aread.coverage_add aread.personalization_add)), aread_calibration => {label => '(i % 2)', strategy => q{'uniform'}},
	(map { $_ => {score => '0.5', label => 'true', group => q{'x'::text}, strategy => q{'uniform'}, other => 'aread.auc_add(NULL, 0.5::float8, true)'} }
		qw(aread.precision_result aread.hit_rate_result aread.average_precision_result aread.average_precision_all_result aread.reciprocal_rank_result aread.coverage_result aread.personalization_result
		aread.scores_combine aread.auc_add aread.auc_result aread.log_loss_add aread.log_loss_combine aread.log_loss_result aread.grouped_auc_add aread.grouped_auc_combine
		aread.grouped_auc_result aread.ndcg_add aread.ndcg_result aread.recall_add aread.recall_result aread.calibration_add aread.calibration_result)),
	'aread.novelty_add' => {share => '0.5'},
	aread_predict => {model => q{'fm'}, record => $row, jsonb => $json, json => $json, text => $json, domain => $in_domain, history => q{'seen'}}, aread_explain => {record => $row, jsonb => $json, json => $json, text => $json, domain => $in_domain},
	aread_recommend => {model => q{'fm'}, users => '7', domain => $in_domain, exclude_seen => 'true', candidates => q{'stock'}, max_per => q{'{"item_id": 2}'}, context => q{'{"category": 1, "tags": [1, 2]}'}, history => q{'seen'}},
	aread_recommend_all => {model => q{'fm'}, domain => $in_domain, exclude_seen => 'true', candidates => q{'stock'}, max_per => q{'{"item_id": 2}'}, context => q{'{"category": 1, "tags": [1, 2]}'}, history => q{'seen'}},
	aread_retrieval_vectors => {kind => q{'items'}, dim => '4', domain => $in_domain, candidates => q{'stock'}, context => q{'{"category": 1, "tags": [1, 2]}'}},
	aread_similar_items => {similar_to => '7'}, aread_similar_users => {similar_to => '7'},
	aread_similar_domains => {domain => $in_domain}, aread_expert_usage => {domain => $in_domain}, aread_tensors => {}, aread_encodings => {}, aread_tensor => {name => q{'bias'}},
	aread_vectors => {feature => q{'category'}}, aread_domain_weights => {feature => q{'category'}}, aread_vector_text => {vector => q{'{1,2}'}},
	(map { $_ => {chunks => '(SELECT chunks FROM mask_chunks)'} } qw(aread.mask_gates aread.mask_overlaps aread.mask_experts)),
	'aread.mask_fates' => {config => q{(SELECT config FROM aread.stored_version WHERE version_id = 1)}, gates => q{'{0,0,0,0,0,0}'}},
	aread_overlap_svg => {layer => '2'}, aread_experts_svg => {domain => $in_domain, other => q{'domain_01'}}, aread_training_svg => {}, aread_domains_svg => {},
	aread_compare => {model_a => q{'shop'}, model_b => q{'shop@2'}}, aread_compare_domains => {model_a => q{'shop'}, model_b => q{'shop@2'}}, aread_card => {},
	'aread.cached_versions' => {}, aread_cache_clear => {shared => 'false'}, 'aread.trainings' => {}, 'aread.run_state' => {run_id => '2'},
	aread_mend_roles => {}, 'aread.as_role' => {role => '10'}, (map { $_ => {noted => q{'postgres'}} } qw(aread.role_oid aread.has_role aread.role_name aread.find_role)));
# Not to be called: an argument of type internal, or a type's own, which every value of it runs.
my %uncallable = map { $_ => 1 } qw(aread.predict_support aread.stored_role_in aread.stored_role_out aread.stored_role_recv aread.stored_role_send);

my @text = (q{''}, q{' '}, q{'@'}, q{'shop@'}, q{'shop@0'}, q{'shop@2'}, q{'shop@99999999999999999999'}, q{'shop@-1'}, q{'domain'}, q{'ctid'}, q{'tableoid'}, q{'tags'}, q{'label'}, q{'price'}, q{'sequence'},
	q{'nosuch'}, q{repeat('x', 1000000)}, q{repeat('"', 70)}, q{'null'}, q{'1e400'}, q{'refused'::checked}, map { literal($_) } @names);
my @odd = ('NULL', 'ROW(1, 2)', q{ROW(NULL, 'x')::pair}, q{ROW(1, 'x')::pair_domain}, q{'{1,2}'::int[]}, q{'{}'::text[]}, q{'happy'::mood}, '7::nested', q{NULL::nested}, q{'x'::checked},
	q{'NaN'::float8}, q{'NaN'::numeric}, '1e308::float8', '9223372036854775807', '1e400::numeric', q{'x'}, q{'x'::text}, q{'{"a": 1}'::jsonb}, 'point(1, 2)', q{int4range(1, 5)}, q{'seen'::regclass}, q{'\x00ff'::bytea},
	q{'infinity'::timestamptz}, q{'1 day'::interval}, q{'x'::"char"}, q{'x'::name}, q{'(0,1)'::tid}, q{1::oid}, q{'x'::char(5)}, q{B'101'}, q{gen_random_uuid()}, q{'::1'::inet}, 'NULL::seen', q{'1'::money}, q{pg_current_snapshot()});
my @relations = (qw(empty one_row no_columns all_null one_class many_domains odd_labels odd_numbers odd_types trees dense large incompressible weights parted kept fails lists scored drops system_columns wide exported));
my @classes = (q{0::oid}, q{999999::oid}, (map { "'$_'" } @relations, qw(an_index a_sequence pg_catalog.pg_class pg_catalog.pg_statistic information_schema.tables aread.stored_model aread.run aread.calibration_bin pair nothing)),
	q{(SELECT reltoastrelid FROM pg_class WHERE relname = 'large')}, q{'nosuch'}, q{''}, (map { literal(ident($_)) } @names));
my @json = (q{'{}'}, q{'[]'}, q{'null'}, q{'1'}, q{'"x"'}, q{'[{"user_id": 1}]'}, q{'{"user_id": null}'}, q{'{"user_id": 1e400}'}, q{'{"user_id": -1e131000}'}, q{'{"user_id": {"a": [1]}, "tags": {"b": 1}, "price": [1]}'}, q{'{"tags": [[1]], "user_id": [1]}'}, q{'{"price": "NaN"}'}, q{'{"price": "x", "mood": "x", "inside": -5}'},
	q{'{"mood": 1, "inside": "x", "tags": "{1,2}"}'}, q{'{"tags": [null, "x", 1e400, true, {}]}'}, q{'{"user_id": true, "domain": false}'}, q{'{"domain": [1], "user_id": 1}'},
	q{(SELECT json_object_agg('k' || i, i) FROM generate_series(1, 10000) i)::text}, q{(SELECT json_build_object('tags', json_agg(i)) FROM generate_series(1, 10000) i)::text},
	q{('{"user_id": ' || repeat('[', 5000) || repeat(']', 5000) || '}')}, q{('{"user_id": ' || repeat('{"a":', 3000) || '1' || repeat('}', 3000) || '}')}, q|(repeat('[', 100000))|, q{('{"user_id": "' || repeat('x', 1000000) || '"}')}, q{('{"' || repeat('k', 1000000) || '": 1, "user_id": 1}')},
	q{'{"user_id": "\u0000"}'}, q{'{"user_id": "\ud800"}'}, q{'{"user_id": "\u00e9"}'}, q{'{"user_id": 1, "user_id": 2, "user_id": [3]}'}, q|'{"user_id": 1'|, q{'{"user_id": NaN}'}, q{' '}, q{''});
my @bytes = (q{''}, q{'\x00'}, q{repeat('x', 1000000)::bytea}, q{decode(repeat('00', 16), 'hex')}, q{decode(repeat('ff', 200), 'hex')}, q{(SELECT substr(data, 1, length(data) - 1) FROM exported)}, q{(SELECT substr(data, 1, 30) FROM exported)}, q{(SELECT data || '\x00'::bytea FROM exported)},
	q{aread.auc_add(NULL, 0.5::float8, true)}, q{aread.log_loss_add(NULL, 0.5::float8, true)}, q{aread.grouped_auc_add(NULL, 0.5::float8, true, 'x'::text)}, q{aread.ndcg_add(NULL, 0.5::float8, true, 3)}, q{aread.recall_add(NULL, 0.5::float8, true, 3)}, q{aread.calibration_add(NULL, 0.5::float8, true, 3)});
my @integers = (qw(0 -1 1 2 3 100 32767 2147483647 -2147483648));
my %hostile = (
	text => \@text, name => [@text, q{'role ''";--'}, q{'pg_monitor'}, q{'none'}], integer => \@integers, bigint => [@integers, qw(9223372036854775807 (-9223372036854775808))], smallint => \@integers,
	'double precision' => [q{'NaN'}, q{'Infinity'}, q{'-Infinity'}, qw(0 -0.0 1 -1 2 1e308 -1e308 5e-324)], boolean => [qw(true false)], bytea => \@bytes, regclass => \@classes,
	oid => [qw(0 1 10 4294967295)], 'aread.stored_role' => [@text, q{'"'}, q{'""'}, q{'"x'}, q{'"x"y'}, q{'0'}, q{'10'}, q{'dropped 10'}],
	jsonb => \@json, json => \@json, interval => [q{'0'}, q{'-1 s'}, q{'178000000 years'}, q{'-178000000 years'}, q{'1 us'}],
	anyarray => [q{'{}'::int[]}, q{'{NULL}'::text[]}, q{'{{a,b},{a,c}}'::text[]}, q{'[5:6]={1,2}'::int[]}, q{ARRAY[ROW(1, 'x'), ROW(NULL, NULL)]}, q{ARRAY['NaN'::float8, '-0', 0]}, q{ARRAY[repeat('x', 1000000)]}, q{(SELECT array_agg(i) FROM generate_series(1, 10000) i)}, q{'{1,2}'::int2vector}, q{'{"{1}"}'::json[]}],
	'text[]' => [q{'{}'}, q{'{NULL}'}, q{'{""}'}, q{'{{a,b},{c,d}}'}, q{'{domain}'}, q{'{domain,domain}'}, q{'{label,domain}'}, q{'{ctid,domain}'}, q{'{nosuch}'}, q{'[5:6]={domain,user_id}'}, q{'{tags}'}, q{'{price}'}, q{'{sequence,domain}'}, q{(SELECT array_agg('c' || i) FROM generate_series(1, 10000) i)}, q{array_fill('domain'::text, ARRAY[5000])}, q{ARRAY[repeat('x', 1000000)]},
		(map { 'ARRAY[' . literal($_) . ']' } @names)],
	'bytea[]' => [q{'{}'}, q{'{NULL}'}, q{ARRAY[''::bytea]}, q{(SELECT ARRAY[chunks, chunks] FROM mask_chunks)}, q{(SELECT chunks || chunks FROM mask_chunks)}, q{(SELECT ARRAY[substr(chunks[1], 1, 20)] FROM mask_chunks)}, q{(SELECT ARRAY[set_byte(chunks[1], 30, 7)] FROM mask_chunks)}, q{(SELECT ARRAY[NULL, chunks[1]] FROM mask_chunks)}],
	'smallint[]' => [q{'{}'}, q{'{NULL}'}, q{'{NULL,0,0,0,0,0}'}, q{'{{0,0,0},{0,0,0}}'}, q{'{32767,-32768,0,1,2,3}'}, q{array_fill(1::int2, ARRAY[100000])}], 'real[]' => [q{'{}'}, q{'{NULL}'}, q{'{NaN,Infinity,-Infinity,3e38,1e-45}'}, q{'{{1,2},{3,4}}'}, q{'[3:4]={1,2}'}, q{array_fill(1::real, ARRAY[100000])}],
	record => ['NULL::record', 'NULL::seen', 'ROW()', 'ROW(1)', 'ROW(NULL, 1)', q{ROW(1, 'x')::pair}, q{ROW(1, 'x')::pair_domain}, 'NULL::nothing', q{ROW(1, 'd', 2, ARRAY[ROW(1, 'x')::pair], ROW(3, 'y')::pair)::tree}, q{ROW(1, ROW(2, ROW(3, ROW(4))))}, (map { "(SELECT r FROM $_ r LIMIT 1)" } grep { !/no_columns|fails|drops/ } @relations), q{(SELECT r FROM pg_class r LIMIT 1)}, '1', q{'x'::text}, q{'(1,2)'::record}],
	'"any"' => \@odd, anynonarray => \@odd, anyelement => [@odd, q{ROW(1, 'd', 2, ARRAY[ROW(1, 'x')::pair], NULL)::tree}, 'NULL::tree', 'NULL::nothing', 'NULL::pair_domain', 'ROW()', 'NULL::record', 'NULL::pg_class', 'NULL::information_schema.tables', 'NULL::aread.stored_model', (map { "NULL::$_" } @relations), (map { 'NULL::' . ident($_) } @names)]);

#
# Calls.
#

sub value
{
	my ($expression, $type) = @_;
	return $type =~ /^("any"|any\w+|record)$/ ? $expression : "($expression)::$type";
}

sub call
{
	my ($function, @arguments) = @_;
	my $list = join(', ', map { value($arguments[$_], $function->{types}[$_]) } 0 .. $#arguments);

	return "SELECT count(f::text) FROM (SELECT $function->{name}($list) FROM generate_series(1, 4) i) f" if $function->{aggregate};
	return "SELECT count(f::text) FROM $function->{name}($list) f" if $function->{set} || $function->{name} !~ /predict/;
	return "SELECT $function->{name}($list)::text";
}

sub sane_value
{
	my ($function, $at) = @_;
	my ($type, $argument) = ($function->{types}[$at], $function->{arguments}[$at]);
	my $own = $sane{$function->{name}};
	my $value = $own->{$argument} // ($argument eq 'features' && $type ne 'text[]' ? $own->{$type} : $everywhere{$argument});

	die "no sane value of argument $argument of $function->{name}" unless defined $value;
	return $function->{aggregate} ? "$value\::text" : '7' if $type eq 'anynonarray';
	return $value;
}

# Functions as the catalog knows them, with their input arguments.
sub functions
{
	my $rows = $node->safe_psql('postgres', q{
		SELECT CASE WHEN n.nspname = 'aread' THEN 'aread.' ELSE '' END || p.proname, p.prokind, p.proretset,
		       array_to_string(ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS u(t, o) ORDER BY o), ';'),
		       array_to_string(p.proargnames[1:p.pronargs], ';')
		FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid JOIN pg_namespace n ON n.oid = p.pronamespace
		WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
		  AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'aread') ORDER BY p.oid});

	return map { my @f = split /\|/, $_, -1; {name => $f[0], aggregate => $f[1] eq 'a', set => $f[2] eq 't', types => [split /;/, $f[3]], arguments => [split /;/, $f[4]]} } split /\n/, $rows;
}

my @functions = functions();
is(join(' ', sort grep { !$sane{$_} && !$uncallable{$_} } map { $_->{name} } @functions), '', 'every function has sane arguments in this test');

# Calls that only have sane arguments, by what they call.
my %is_sane;

# Each argument in turn, of functions that take names or values out of the database's encoding only if asked for.
sub generated
{
	my ($database, $all) = @_;
	my $beyond = $beyond{$database}[0];
	my @calls;

	foreach my $function (grep { $sane{$_->{name}} } @functions)
	{
		my @sane = map { sane_value($function, $_) } 0 .. $#{$function->{types}};

		push @calls, call($function, @sane);
		$is_sane{$calls[-1]} = $function->{name};
		foreach my $at (0 .. $#sane)
		{
			my $type = $function->{types}[$at];
			my @values = !$all ? () : ('NULL' . ($type eq 'record' ? '::seen' : ''), @{$hostile{$type} // die "no hostile values of type $type"});

			push @values, $beyond, "$beyond || 'x'", "'a' || $beyond || '\@2'" if $type =~ /^(text|name)$/;
			push @values, "ARRAY[$beyond]" if $type eq 'text[]';
			push @values, "('{\"user_id\": \"' || $beyond || '\", \"' || $beyond || '\": 1}')" if $type =~ /^(text|jsonb?)$/;
			push @values, "($beyond)::text", "($beyond)::name", "($beyond)::varchar" if $type =~ /^any|"any"/;
			push @values, "ROW($beyond, 1)::pair", "ROW($beyond)" if $type =~ /^(anyelement|record)$/;
			push @values, literal(ident("beyond $beyond{$database}[1]")) if $type eq 'regclass';
			foreach my $value (@values)
			{
				my @arguments = @sane;

				$arguments[$at] = $value;
				push @calls, call($function, @arguments);
			}
		}
	}
	return @calls;
}

# Relations whose columns have to be named, and rows of every relation scored.
sub of_relations
{
	my ($database) = @_;
	my @calls;

	foreach my $name (@names, "beyond $beyond{$database}[1]")
	{
		my ($relation, @columns) = (literal(ident($name)), map { literal($_) } hostile_columns($name));
		my $roles = "label => $columns[0], domain => $columns[1], user_id => $columns[2], item_id => $columns[3]";
		my $model = literal($name);

		push @calls, map { "SELECT count(f::text) FROM $_ f" } ("aread_popularity($relation, $roles)", "aread_augment_plan($relation, $roles)", 'aread_augment(NULL::' . ident($name) . ", $roles)", "aread_register($relation, $roles)",
			"aread_train($relation, $model, $roles, options => '{\"architecture\": \"wide\"}')", "aread_train($relation, 'ok', $roles, options => '{\"architecture\": \"wide\", \"negatives\": 1}')");
		push @calls, "DO \$do\$ BEGIN PERFORM aread_register($relation, $roles); PERFORM aread_rename('shop', 'ok'); PERFORM aread_train($relation, options => '{\"architecture\": \"fm\", \"epochs\": 1, \"embed_dim\": 2}');"
			. ' PERFORM aread_card(model), aread_domains_svg(model), aread_training_svg(model), aread_export(model) FROM aread.model;'
			. ' PERFORM aread_predict(model, t), aread_predict(model, to_jsonb(t)) FROM aread.model, ' . ident($name) . ' t; PERFORM aread_explain(model, t) FROM aread.model, (SELECT * FROM ' . ident($name) . ' LIMIT 2) t;'
			. " PERFORM aread_evaluate(model, $relation), aread_drift(model, $relation), aread_shift(model, $relation) FROM aread.model WHERE model NOT IN ('ok', 'fm', 'run');"
			. ' PERFORM aread_vectors(model, name), aread_domain_weights(model, name) FROM aread.feature; PERFORM aread_drop(model) FROM aread.model; END $do$';
	}
	foreach my $relation (grep { !/fails|drops|scored/ } @relations)
	{
		push @calls, "SELECT count(aread_predict('$_', r)), count(aread_predict('shop', to_jsonb(r))) FROM $relation r" foreach qw(shop shop@2 fm);
		push @calls, "SELECT count(aread_predict('shop', r, 'domain_01')), count(aread_predict('fm', r, NULL::int)) FROM (SELECT * FROM $relation LIMIT 50) r";
		push @calls, "SELECT count(e::text) FROM (SELECT * FROM $relation LIMIT 5) r, aread_explain('shop', r) e";
		push @calls, "SELECT count(*) FROM aread_train('$relation', features => ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = '$relation'::regclass AND attnum > 0 AND attnum < 500 AND attname NOT IN ('label', 'weight')), options => '{\"architecture\": \"fm\", \"epochs\": 1, \"embed_dim\": 2}')";
		push @calls, "SELECT count(*) FROM aread_train('$relation', options => '{\"architecture\": \"wide\", \"on_bad_label\": \"skip\", \"negatives\": 2}', label => '')";
	}
	push @calls, q{SELECT count(*) FROM aread_train('weights', weight => 'weight')}, q{SELECT count(*) FROM aread_train('seen', split => 'tags')}, q{SELECT count(*) FROM aread_train('seen', split => 'mood')}, q{SELECT count(*) FROM aread_train('odd_numbers', split => 'price', options => '{"architecture": "wide"}')},
		q{SELECT count(*) FROM aread_train('odd_types', split => 'json')}, q{SELECT count(*) FROM aread_train('odd_types', split => 'moment', features => '{domain,user_id}', options => '{"architecture": "wide"}')}, q{SELECT count(*) FROM aread_train('odd_types', split => 'pair', features => '{domain,user_id}')};
	foreach my $column (qw(square pairs pair json place span range class bytes mood inside moment day past address bits))
	{
		push @calls, "SELECT count(*) FROM aread_train('odd_types', features => '{domain,$column}', options => '{\"architecture\": \"wide\"}')", "SELECT count(*) FROM aread_train('odd_types', domain => '$column', features => '{$column,user_id}', options => '{\"architecture\": \"wide\"}')",
			"SELECT count(*) FROM aread_train('odd_types', label => '$column', features => '{domain,user_id}', options => '{\"architecture\": \"wide\"}')", "SELECT count(*) FROM aread_train('odd_types', weight => '$column', features => '{domain,user_id}', options => '{\"architecture\": \"wide\"}')",
			"SELECT count(*) FROM aread_popularity('odd_types', item_id => '$column', features => '{domain,$column}')";
	}
	return @calls;
}

# Every option, also of single features, with values of every type.
sub of_options
{
	my @options = split /\n/, $node->safe_psql('postgres', 'SELECT option FROM aread_options()');
	my @values = (qw(null true "x" [] {} 0 -1 0.5 1e400 -1e400 1e131000 1e-400 9007199254740993 [1e400] [[1]] [null] ["x"] {"a":1} ""), '[' . join(',', (1) x 100) . ']', '"' . ('x' x 100000) . '"', ('[' x 3000) . (']' x 3000));
	my @calls;

	foreach my $value (@values)
	{
		push @calls, map { "SELECT count(*) FROM aread_augment_plan('one_row', options => '{\"$_\": $value}')" } @options, 'nosuch', '', q{''"; --}, 'x' x 1000;
		push @calls, map { "SELECT count(*) FROM aread_train('one_row', options => '{\"architecture\": \"wide\", \"features\": {\"price\": {\"$_\": $value}, \"tags\": {\"$_\": $value}, \"user_id\": {\"$_\": $value}}}')" } qw(kind bins min_count buckets vocabulary goes_with_item nosuch);
		push @calls, map { "SELECT count(*) FROM aread_train('one_row', options => '{\"features\": {\"$_\": $value}}')" } qw(price nosuch), '', 'x' x 1000;
	}
	return @calls;
}

# Bytes that are not what they were: each byte of an aggregate's state, of masks and of an exported model, and lengths inside them.
my $fuzzed = q{
	CREATE FUNCTION fuzz(call text, original bytea, step int, OUT calls bigint, OUT problems text) LANGUAGE plpgsql AS $$
	DECLARE altered bytea; answer text; value int; at int;
	BEGIN
		calls := 0;
		at := 0;
		WHILE at <= length(original) LOOP
			FOREACH value IN ARRAY ARRAY[0, 1, 127, 255, -1, -2] LOOP
				altered := CASE WHEN value = -1 THEN substr(original, 1, at)
					WHEN value = -2 THEN overlay(original PLACING '\xffffff7f' FROM at + 1 FOR 4)
					WHEN at < length(original) THEN set_byte(original, at, value) ELSE original || set_byte('\x00', 0, value) END;
				answer := attempt(replace(call, '<bytes>', quote_literal(altered)));
				calls := calls + 1;
				IF answer ~ '^XX000|lookup failed|statement timeout' THEN problems := concat_ws(E'\n', problems, at || ' ' || value || ' ' || left(answer, 100)); END IF;
			END LOOP;
			at := at + step;
		END LOOP;
	END $$;
};
my %state_of = (precision => ['recall', ', 3', 'precision'], hit_rate => ['recall', ', 3', 'hit_rate'], average_precision => ['recall', ', 3', 'average_precision'], average_precision_all => ['auc', '', 'average_precision_all'], reciprocal_rank => ['auc', '', 'reciprocal_rank'],
	auc => ['auc', ''], ndcg => ['ndcg', ', 3'], recall => ['recall', ', 3'], calibration => ['calibration', ', 4'], log_loss => ['log_loss', ''], grouped_auc => ['grouped_auc', q{, 'group ' || i}]);
foreach my $kind (sort keys %state_of)
{
	my ($name, $rest, $result) = @{$state_of{$kind}};
	my $combine = {log_loss => 'log_loss_combine', grouped_auc => 'grouped_auc_combine'}->{$kind} // 'scores_combine';

	$result //= $name;
	$fuzzed .= "CREATE AGGREGATE state_$kind(float8, boolean" . ($rest eq '' ? '' : $rest =~ /group/ ? ', text' : ', int') . ") (SFUNC = aread.${name}_add, STYPE = bytea);\n"
		. "CREATE AGGREGATE result_$kind(bytea) (SFUNC = last_of, STYPE = bytea, FINALFUNC = aread.${result}_result);\n"
		. "CREATE AGGREGATE combined_$kind(bytea) (SFUNC = aread.$combine, STYPE = bytea, FINALFUNC = aread.${result}_result);\n";
}
# Of lists of items, with what is passed beside them.
my %lists_of = (personalization => ['anyarray', ''], coverage => ['anyarray, bigint', ', 50']);
$fuzzed .= "CREATE AGGREGATE state_$_($lists_of{$_}[0]) (SFUNC = aread.${_}_add, STYPE = bytea);
	CREATE AGGREGATE result_$_(bytea) (SFUNC = last_of, STYPE = bytea, FINALFUNC = aread.${_}_result);
	CREATE AGGREGATE combined_$_(bytea) (SFUNC = aread.grouped_auc_combine, STYPE = bytea, FINALFUNC = aread.${_}_result);\n" foreach sort keys %lists_of;

sub fuzz
{
	my @parts;

	$node->safe_psql('postgres', $fuzzed);
	foreach my $kind (sort keys %state_of)
	{
		my $state = "(SELECT state_$kind(i / 4.0, i % 2 = 0$state_of{$kind}[1]) FROM generate_series(1, 3) i)";

		push @parts, ["SELECT count(r::text) FROM (SELECT result_$kind(<bytes>::bytea)) r", $state, 1], ["SELECT count(r::text) FROM (SELECT combined_$kind(v) FROM (VALUES ($state), (<bytes>::bytea), ($state)) v(v)) r", $state, 1];
	}
	foreach my $kind (sort keys %lists_of)
	{
		my $state = "(SELECT state_$kind(ARRAY[i, i + 1, 7]$lists_of{$kind}[1]) FROM generate_series(1, 3) i)";

		push @parts, ["SELECT count(r::text) FROM (SELECT result_$kind(<bytes>::bytea)) r", $state, 1], ["SELECT count(r::text) FROM (SELECT combined_$kind(v) FROM (VALUES ($state), (<bytes>::bytea), ($state)) v(v)) r", $state, 1];
	}
	push @parts, map { ["SELECT count(f::text) FROM aread.$_(ARRAY[<bytes>::bytea]) f", '(SELECT chunks[1] FROM mask_chunks)', 7] } qw(mask_gates mask_overlaps mask_experts);
	push @parts, ['SELECT aread_import(<bytes>::bytea)', '(SELECT data FROM exported)', 1009];
	foreach my $part (@parts)
	{
		my ($calls, $problems) = split /\|/, $node->safe_psql('postgres', "SET statement_timeout = '60s'; SELECT calls, coalesce(problems, '') FROM fuzz(\$call\$$part->[0]\$call\$, $part->[1], $part->[2])"), 2;

		is($problems, '', "$calls altered values: " . substr($part->[0], 0, 80));
	}
}

# Models whose rows or chunks are not what training wrote, with checksums that fit: as a forged export could bring them.
my $forging = q{
	CREATE FUNCTION crc32c(bytes bytea) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
	DECLARE crc bigint := 4294967295;
	BEGIN
		FOR i IN 0 .. length(bytes) - 1 LOOP
			crc := crc # get_byte(bytes, i);
			FOR k IN 1 .. 8 LOOP crc := (crc >> 1) # ((crc & 1) * 2197175160); END LOOP;
		END LOOP;
		RETURN crc # 4294967295;
	END $$;
	CREATE FUNCTION little(number bigint) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
		SELECT decode(string_agg(lpad(to_hex((number >> 8 * i) & 255), 2, '0'), '' ORDER BY i), 'hex') FROM generate_series(0, 3) i $$;
	CREATE FUNCTION sealed(payload bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
		SELECT '\x415241440100000000'::bytea FOR 0 $$;
};
$forging =~ s/SELECT '\\x415241440100000000'::bytea FOR 0/SELECT '\\x4152414401000000'::bytea || little(length(payload)) || little(crc32c(payload)) || payload/;
$forging .= q{
	CREATE FUNCTION exported(rows bytea, chunk bytea) RETURNS bytea LANGUAGE sql AS $$
		SELECT 'AREADEXP'::bytea || little(1) || little(crc32c(b)) || little(length(b)) || little(0) || b
		FROM (SELECT little(length($1)) || little(0) || $1 || little(CASE WHEN $2 = '' THEN 0 ELSE 1 END) || little(0) || $2 AS b) x $$;
	CREATE TABLE few AS SELECT label, domain, user_id, price, tags FROM seen LIMIT 80;
	SELECT count(*) FROM aread_train('few', 'few', options => '{"architecture": "aread", "epochs": 1, "batch_size": 32, "embed_dim": 1, "mmoe_experts": 1, "mmoe_dims": [2], "hei_experts": [2, 2], "hei_hidden": [2, 2], "hei_output": [2, 2], "cross_layers": 1, "bins": 3, "warmup_batches": 1, "mask_interval": 2, "candidates": 1, "candidate_steps": 1}');
	CREATE TABLE forgery AS SELECT aread_export('few') AS data;
	-- what reads a model, each by itself: an internal error of one is not hidden by another error before
	CREATE FUNCTION read_all(model text, statement text) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE answer text; call text; version bigint;
	BEGIN
		PERFORM aread_import((SELECT data FROM forgery), model);
		SELECT max(version_id) INTO version FROM aread.stored_version;
		EXECUTE replace(statement, '<version>', version::text);
		FOREACH call IN ARRAY ARRAY['SELECT max(aread_predict(%L, few)) FROM few', 'SELECT aread_explain(%L, few) FROM few LIMIT 1', 'SELECT aread_evaluate(%L, ''few'')', 'SELECT aread_evaluate_domains(%L, ''few'')',
			'SELECT aread_drift(%L, ''few'')', 'SELECT aread_shift(%L, ''few'')', 'SELECT aread_split(%L, few) FROM few', 'SELECT aread_evaluate(%L, ''few'', split => ''test'')', 'SELECT aread_card(%L)', 'SELECT aread_overlap_svg(%L)', 'SELECT aread_experts_svg(%L, ''domain_01'')', 'SELECT aread_training_svg(%L)', 'SELECT aread_domains_svg(%L)',
			'SELECT t.*, aread_tensor(%1$L, t.name) FROM aread_tensors(%1$L) t', 'SELECT v.*::text FROM unnest(ARRAY[''user_id'', ''price'', ''tags'', ''domain'']) f, aread_vectors(%L, f) v', 'SELECT v.*::text FROM unnest(ARRAY[''user_id'', ''price'', ''tags'', ''domain'']) f, aread_domain_weights(%L, f) v',
			'SELECT aread_similar_domains(%L, ''domain_01'')', 'SELECT aread_expert_usage(%L, ''domain_01'')', 'SELECT aread_import(aread_export(%L), ''again'')', 'SELECT m::text FROM aread.model m WHERE model = %L', 'SELECT m::text FROM aread.feature m WHERE model = %L',
			'SELECT m::text FROM aread.domain m WHERE model = %L', 'SELECT m::text FROM aread.mask m WHERE model = %L', 'SELECT m::text FROM aread.mask_overlap m WHERE model = %L', 'SELECT m::text FROM aread.expert_usage m WHERE model = %L',
			'SELECT m::text FROM aread.mask_update m WHERE model = %L', 'SELECT m::text FROM aread.mask_history m WHERE model = %L', 'SELECT m::text FROM aread.training_log m WHERE model = %L']
		LOOP
			answer := attempt(format(call, model));
			IF answer ~ '^XX000|lookup failed|unrecognized|statement timeout' THEN RAISE EXCEPTION 'in % : %', format(call, model), answer USING ERRCODE = 'XX000'; END IF;
		END LOOP;
	END $$;
	-- other bytes in a chunk: at a place of every step-th
	CREATE FUNCTION forge_chunks(of_kind text, step int, OUT calls bigint, OUT problems text) LANGUAGE plpgsql AS $$
	DECLARE c record; payload bytea; altered bytea; value int; at int; answer text;
	BEGIN
		calls := 0;
		FOR c IN SELECT * FROM (SELECT *, row_number() OVER (ORDER BY name) AS n FROM aread.stored_chunk WHERE version_id = (SELECT max(version_id) FROM aread.stored_version) AND kind = of_kind) s
			WHERE of_kind <> 'tensor' OR n % 8 = 0 LOOP
			payload := substr(c.data, 17);
			at := 0;
			WHILE at < length(payload) LOOP
				FOREACH value IN ARRAY ARRAY[0, 1, 255, -1, -2, -3] LOOP
					altered := CASE value WHEN -1 THEN substr(payload, 1, at) WHEN -2 THEN overlay(payload PLACING '\xffffff7f' FROM at + 1 FOR 4) WHEN -3 THEN overlay(payload PLACING '\x0000c07f' FROM at + 1 FOR 4) ELSE set_byte(payload, at, value) END;
					answer := attempt(format('SELECT read_all(''forged'', %L)', format('UPDATE aread.stored_chunk SET data = %L WHERE version_id = <version> AND kind = %L AND name = %L AND chunk = %s', sealed(altered), c.kind, c.name, c.chunk)));
					calls := calls + 1;
					IF answer ~ '^XX000' THEN problems := concat_ws(E'\n', problems, concat_ws(' ', c.kind, c.name, at, value, left(answer, 200))); END IF;
				END LOOP;
				at := at + step;
			END LOOP;
		END LOOP;
	END $$;
};

# Statements that alter a stored model's rows, column by column.
sub forged_rows
{
	my %values = (integer => [qw(-1 0 1 2 1000 2147483647 NULL)], bigint => [qw(-1 0 1 9223372036854775807 NULL)], text => [q{''}, q{'nosuch'}, q{'binned'}, q{'list'}, q{'rows'}, q{'categorical'}, q{'integer'}, q{'text[]'}, q{'bytea'}, q{repeat('x', 1000000)}, 'NULL'],
		'double precision' => [q{'NaN'}, q{'Infinity'}, '-1', 'NULL'], real => [q{'NaN'}, '-1'], boolean => [qw(true false NULL)], 'timestamp with time zone' => [q{'infinity'}], 'double precision[]' => [q{'{}'}, q{'{NULL}'}, q{'{NaN}'}, q{'{3,2,1}'}, q{'{1,2,3,4,5,6,7}'}, q{'{{1,2},{3,4}}'}, 'NULL'],
		'bigint[]' => [q{'{}'}, q{'{NULL}'}, q{'{-1,-1,-1,-1,-1,-1}'}, q{'{1,2,3,4,5,6,7}'}], 'smallint[]' => [q{'{}'}, q{'{NULL}'}, q{'{1,2,3}'}, q{'{32767,-32768,5,5}'}],
		jsonb => [q{'{}'}, q{'[]'}, q{'1'}, q{'{"x": 1}'}, q{'{"architecture": "wide"}'}, (map { "config || '$_'" } ('{"hei_experts": [64, 64, 64]}', '{"hei_experts": [1]}', '{"embed_dim": 1024}', '{"mmoe_dims": []}', '{"mmoe_dims": [4096, 4096]}', '{"architecture": "mmoe"}', '{"wide": false}', '{"domain_weights": false}', '{"cross_layers": 16}', '{"architecture": "fm"}', '{"batch_norm": false}'))]);
	my @columns = split /\n/, $node->safe_psql('postgres', q{SELECT attrelid::regclass, attname, format_type(atttypid, NULL) FROM pg_attribute
		WHERE attrelid IN ('aread.stored_version'::regclass, 'aread.stored_feature'::regclass, 'aread.stored_domain'::regclass, 'aread.stored_evaluation'::regclass, 'aread.stored_mask_update'::regclass)
		AND attnum > 0 AND attname NOT IN ('version_id', 'model_id')});
	my @statements;

	foreach (@columns)
	{
		my ($table, $column, $type) = split /\|/;

		foreach my $value (@{$values{$type} // die "no values of type $type"})
		{
			my $set = "UPDATE $table SET $column = " . ($column eq 'options' ? $value =~ s/config/options/r : $value) . ' WHERE version_id = <version>';
			my $number = {'aread.stored_feature' => 'position', 'aread.stored_domain' => 'number', 'aread.stored_evaluation' => 'number', 'aread.stored_mask_update' => 'domain'}->{$table};

			push @statements, $set unless $column eq ($number // '');
			push @statements, map { "$set AND $number = $_" } ($table eq 'aread.stored_feature' ? (0 .. 4) : (0, 1)) if $number && $type ne 'text' || $table eq 'aread.stored_feature';
		}
	}
	push @statements, (map { "DELETE FROM $_ WHERE version_id = <version>" } qw(aread.stored_feature aread.stored_domain aread.stored_chunk aread.stored_evaluation aread.stored_mask_update)), (map { "DELETE FROM aread.stored_chunk WHERE version_id = <version> AND kind = '$_'" } qw(tensor vocabulary pairs masks)),
		'DELETE FROM aread.stored_feature WHERE version_id = <version> AND position = 1', 'DELETE FROM aread.stored_domain WHERE version_id = <version> AND number = 1', 'UPDATE aread.stored_feature SET position = position + 1000 WHERE version_id = <version>';
	# AREAD_ALL=1 tries all of them, and more chunks: some minutes
	my $i = 0;
	return $ENV{AREAD_ALL} ? @statements : grep { /kind = 'list'|'bytea'|domain SET name = repeat/ || $i++ % 16 == 0 } @statements;
}

sub forge
{
	my $start = time;

	$node->safe_psql('postgres', $forging);
	is($node->safe_psql('postgres', q{SELECT count(*), bool_and(sealed(substr(data, 17)) = data) FROM aread.stored_chunk WHERE version_id = (SELECT max(version_id) FROM aread.stored_version)}) =~ s/^\d+//r, '|t', 'chunks can be forged');
	is($node->safe_psql('postgres', q{SELECT attempt($$SELECT read_all('forged', 'SELECT 1')$$)}), 'ZZZZZ|ZZZZZ', 'one that is not is read');
	foreach my $kind ($ENV{AREAD_ALL} ? (['masks', 3], ['vocabulary', 13], ['pairs', 7], ['tensor', 53]) : (['masks', 17], ['vocabulary', 97], ['pairs', 67], ['tensor', 401]))
	{
		my ($calls, $problems) = split /\|/, $node->safe_psql('postgres', "SELECT calls, coalesce(problems, '') FROM forge_chunks('$kind->[0]', $kind->[1])"), 2;

		is(substr($problems, 0, 4000), '', "$calls models with forged $kind->[0]");
		cmp_ok($calls, '>', 0, 'there were some');
	}
	my @forged = split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT attempt(format('SELECT aread_import(%L)', exported(convert_to(j, 'UTF8') || coalesce(b, ''), c::bytea))) FROM (VALUES
		('{}', NULL, ''), ('[]', NULL, ''), ('1', NULL, ''), ('{"model": null}', NULL, ''), ('{"model": 1}', NULL, ''), ('{"model": ""}', NULL, ''), ('{"model": "x"}', NULL, ''), ('{"model": "x", "version": 1}', NULL, ''),
		('{"model": "x", "version": []}', NULL, ''), ('{"model": "x", "version": {}}', NULL, ''), ('{', NULL, ''), ('', NULL, ''), ('{"model": "', '\xff227d'::bytea, ''), ('{"model": "', '\x00227d'::bytea, ''), (repeat('[', 100000), NULL, '')) v(j, b, c)
SQL
	is(scalar(@forged), 15, 'forged exports');
	is(join("\n", grep { /^(XX000|ZZZZZ)/ } @forged), '', 'are refused');
	my $rows = q{(SELECT substr(data, 33, ('x' || encode(substr(data, 26, 1) || substr(data, 25, 1), 'hex'))::bit(16)::int) FROM forgery)};
	@forged = split /\n/, $node->safe_psql('postgres', "SELECT attempt(format('SELECT aread_import(%L)', exported($rows, little(k) || little(n) || little(d) || little(0) || b))) FROM (VALUES (1, 1, 1, '\\xff0000'::bytea), (1, 1, 1, '\\x000000'), (1, 1, 1, '\\x410000'), (4294967295, 1, 1, ''), (1, 2147483647, 0, ''), (0, 0, 0, '')) v(k, n, d, b)");
	is(scalar(@forged), 6, 'forged chunks');
	is(join("\n", grep { /^(XX000|ZZZZZ)/ } @forged), '', 'are refused, too');
	like($forged[0], qr/^XX001/, 'also text that is not of the encoding');
	diag(sprintf('forged chunks: %.1f s', time - $start));
}

#
# Running them.
#

# Calls in a session each of a statement; problems, and how many calls there were.
sub run_calls
{
	my ($title, $database, @calls) = @_;
	my $encoding = $database eq 'postgres' ? 'UTF8' : $database;
	my $start = time;
	my $script = "SET client_encoding = '$encoding'; SET statement_timeout = '20s';\n";
	my %results;
	my @problems;

	$script .= "SELECT $_ || '|' || round(extract(epoch FROM clock_timestamp() - statement_timestamp()) * 1000) || '|' || r FROM (SELECT attempt(\$attempt\$$calls[$_]\$attempt\$) AS r OFFSET 0) a;\n" foreach 0 .. $#calls;
	$script .= q{SELECT 'memory|' || substring(pg_read_file('/proc/' || pg_backend_pid() || '/status') FROM 'RssAnon:\s*([0-9]+)');} . "\n";
	my ($status, $out, $err) = $node->psql($database, $script, on_error_stop => 0, timeout => 300);
	my ($memory) = $out =~ /^memory\|(\d+)/m;
	foreach my $line (split /\n/, $out)
	{
		next unless $line =~ /^(\d+)\|\d+\|(\w{5})\|(.*)$/;
		$results{$1} = [$2, $3];
	}
	foreach my $i (0 .. $#calls)
	{
		my ($state, $message) = @{$results{$i} // ['none', 'no result']};

		push @problems, substr($calls[$i], 0, 1500) . "\n    $state: $message" if $state =~ /^(XX000|none)$/ || $message =~ /cache lookup failed|unrecognized|could not find|statement timeout|invalid memory alloc|stack depth limit exceeded$/ && $message !~ /^stack depth/;
	}
	splice @problems, 30 if @problems > 30;
	my @refused = map { my $state = ($results{$_} // ['none'])->[0]; $is_sane{$calls[$_]} && $state ne 'ZZZZZ' ? "$is_sane{$calls[$_]} $state" : () } 0 .. $#calls;
	is(join(', ', grep { !/^aread\.\w+_(add|combine|result) 0A000$|^aread_rollback 55000$/ } @refused), '', "$title in $database: sane arguments are taken");
	is(join("\n", @problems), '', "$title in $database") or diag(substr($err, 0, 2000));
	cmp_ok($memory // 1e9, '<', 250_000, "$title in $database: memory of the session in kB");
	diag(sprintf('%s in %s: %d calls in %.1f s, %d gave results, %d kB', $title, $database, scalar @calls, time - $start, scalar(grep { $_->[0] eq 'ZZZZZ' } values %results), $memory // -1));
}

# Trainings in the background, of relations and names of all kinds.
sub in_background
{
	my @sources = ((map { "'$_'" } @relations), map { literal(ident($_)) } @names);
	my @problems;
	my $n = 0;

	foreach my $source (@sources)
	{
		my $model = literal($names[$n++ % @names]);
		my (undef, $run) = $node->psql('postgres', "SELECT aread_train_start($source, $model, options => '{\"architecture\": \"wide\"}')");

		next unless $run =~ /^\d+$/;
		my (undef, undef, $error) = $node->psql('postgres', "SET client_min_messages = error; SET statement_timeout = '20s'; SELECT aread_wait($run)");
		push @problems, "$source: $error" if $error =~ /interrupted|timeout|lookup failed/;
		$node->psql('postgres', 'SELECT r::text FROM aread.run r', stdout => \my $shown);
		push @problems, "$source: $_" foreach grep { /^(starting|running|interrupted|failed XX000)|lookup failed/ } $node->safe_psql('postgres', "SELECT concat_ws(' ', state, error_code, error) FROM aread.known_run WHERE run_id = $run");
		$node->safe_psql('postgres', "SELECT aread_cancel($run); SELECT aread_forget($run)");
	}
	is(join("\n", @problems), '', "$n trainings in the background");
}

run_calls('each argument', 'postgres', generated('postgres', 1));
run_calls('relations', 'postgres', of_relations('postgres'));
run_calls('options', 'postgres', of_options());
in_background();
foreach my $database (qw(latin1 sql_ascii))
{
	run_calls('each argument', $database, generated($database, 0));
	run_calls('relations', $database, of_relations($database));
}
forge();
run_calls('forged rows', 'postgres', map { "SELECT read_all('forged', \$forged\$$_\$forged\$)" } forged_rows());
my $fuzz_start = time;
fuzz();
diag(sprintf('altered bytes: %.1f s', time - $fuzz_start));
unlike(slurp_file($node->logfile), qr/terminated by signal|TRAP:|PANIC/, 'no process has crashed');
$node->stop;

done_testing();
