# Hostile bytes: a model whose stored rows or exported file are cut or have a
# bit flipped is refused with a clear error, or scores as it did.
#
# FLIP_SEED: which bits (default 1); FLIPS: how many (default 10000).
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{FLIP_SEED} // 1;
my $n_flips = $ENV{FLIPS} // 10000;
srand($seed);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nautovacuum = off\njit = off\nclient_min_messages = warning\nlog_min_messages = fatal\nrestart_after_crash = off\n");
$node->start;

# Two models that have every kind of stored bytes between them, those of the other
# architectures, and rows to score.
$node->safe_psql('postgres', q{
	CREATE EXTENSION aread;
	CREATE TABLE seen AS SELECT label, domain, user_id, item_id, price::float8 + 0.1 AS price, ARRAY[item_id % 7, user_id % 5] AS tags,
		ARRAY[item_id % 7, (user_id % 5) / 4.0]::real[] AS emb
	FROM aread_simulate(1500, domains => 3, groups => 2, users => 20, items => 15, strength => 3);
	SELECT aread_train('seen', 'deep', features => '{user_id,price,tags,emb}', options => '{"architecture": "hemp", "mmoe_experts": 1, "mmoe_dims": [2], "embed_dim": 2, "epochs": 2,
		"l2_wide": 10, "bins": 4, "hei_experts": [1, 2], "hei_hidden": [2, 2], "hei_output": [2, 2], "cross_layers": 1, "warmup_batches": 2, "mask_interval": 3,
		"candidates": 1, "row_counts": false, "batch_norm": true, "crosses": [["user_id", "price"]], "cross_buckets": 9}');
	SELECT aread_train('seen', 'wide', features => '{user_id,price}', options => '{"architecture": "wide", "l2_wide": 10, "bins": 4, "min_count": 2, "features": {"price": {"kind": "piecewise"}}}');
	SELECT aread_train('seen', a, features => '{user_id,tags,emb}', options => jsonb_build_object('architecture', a) || '{"mmoe_experts": 1, "mmoe_dims": [2], "mmoe_mixtures": 1, "deep_dims": [2],
		"embed_dim": 2, "epochs": 1, "l2_wide": 10, "hei_experts": [1, 2], "hei_hidden": [2, 2], "hei_output": [2, 2], "cross_layers": 1, "warmup_batches": 2, "mask_interval": 3, "candidates": 1}')
	FROM (SELECT unnest(choices) AS a FROM aread_options() WHERE option = 'architecture') u WHERE a NOT IN (SELECT architecture FROM aread.model);
	CREATE TABLE probe AS SELECT * FROM seen LIMIT 12;
	INSERT INTO probe VALUES (1, NULL, NULL, NULL, NULL, NULL, NULL), (1, 'none', -1, -1, 1e9, '{-1,3}', '{-1e9,1e9}');
	CREATE FUNCTION scores(model text) RETURNS float8[] LANGUAGE sql AS $$
		SELECT array_agg(s) FROM (SELECT aread_predict(model, p) AS s FROM probe p ORDER BY domain, user_id, price, item_id) x $$;
	CREATE TABLE intact AS SELECT m AS model, scores(m) AS scores FROM (SELECT model FROM aread.model) x(m);
	CREATE TABLE exported AS SELECT m AS model, aread_export(m) AS data FROM (SELECT model FROM aread.model) x(m);
	-- a change, and what scoring, and telling drift, make of it; nothing of the change remains
	CREATE FUNCTION outcome(m text, change text) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		good float8[] := (SELECT i.scores FROM intact i WHERE i.model = m);
	BEGIN
		EXECUTE change;
		PERFORM aread_cache_clear(shared => true);
		PERFORM aread_drift(m, 'probe');
		RAISE EXCEPTION USING ERRCODE = 'AR000', MESSAGE = CASE WHEN scores(m) = good THEN 'intact' ELSE 'wrong score' END;
	EXCEPTION WHEN OTHERS THEN
		RETURN CASE SQLSTATE WHEN 'AR000' THEN SQLERRM ELSE SQLSTATE END;
	END $$;
	-- the same of a file
	CREATE FUNCTION file_outcome(m text, file bytea) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		good float8[] := (SELECT i.scores FROM intact i WHERE i.model = m);
	BEGIN
		PERFORM aread_import(file, 'broken');
		RAISE EXCEPTION USING ERRCODE = 'AR000', MESSAGE = CASE WHEN scores('broken') = good THEN 'intact' ELSE 'wrong score' END;
	EXCEPTION WHEN OTHERS THEN
		RETURN CASE SQLSTATE WHEN 'AR000' THEN SQLERRM ELSE SQLSTATE END;
	END $$;
	-- a header's CRC-32C, little-endian
	CREATE FUNCTION sealed(file bytea, crc bigint) RETURNS bytea LANGUAGE sql AS $$
		SELECT overlay(overlay(file PLACING substr(e.r, 8, 1) || substr(e.r, 7, 1) || substr(e.r, 6, 1) || substr(e.r, 5, 1) FROM 13)
			PLACING substr(l.r, 8, 1) || substr(l.r, 7, 1) || substr(l.r, 6, 1) || substr(l.r, 5, 1) || '\x00000000'::bytea FROM 17)
		FROM (SELECT int8send(crc) AS r) e, (SELECT int8send(octet_length(file) - 24) AS r) l $$;
	CREATE TABLE change (n int, model text, what text, statement text);
	CREATE TABLE sealed_change (n int, model text, place int, byte int, size int, crc bigint);
});

sub rows { my ($sql) = @_; return map { [split /\|/, $_, -1] } split /\n/, $node->safe_psql('postgres', $sql); }

# Lines into a table.
sub fill
{
	my ($table, @lines) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . "/$table";

	append_to_file($file, join('', map { "$_\n" } @lines));
	$node->safe_psql('postgres', "COPY $table FROM '$file'");
}

# Outcomes with their counts: refused, or intact (or another model's), and never for lack of memory.
sub check_outcomes
{
	my ($name, $sql, $other) = @_;
	my %count = map { $_->[0] => $_->[1] } rows("SELECT o, count(*) FROM ($sql) x(o) GROUP BY 1");
	my @bad = grep { /^XX(?!001)|^57|^53/ || ($_ eq 'wrong score' && !$other) } keys %count;
	my $total = 0;

	$total += $_ foreach values %count;
	diag("$name: $total (" . join(', ', map { "$_ $count{$_}" } sort { $count{$b} <=> $count{$a} } keys %count) . ')');
	is_deeply(\@bad, [], "$name: refused or intact");
	return \%count;
}

# CRC-32C, its register before and after bytes.
my @crc_table = map { my $c = $_; $c = $c & 1 ? ($c >> 1) ^ 0x82F63B78 : $c >> 1 foreach 1 .. 8; $c } 0 .. 255;
sub crc_step { my ($crc, $byte) = @_; return ($crc >> 8) ^ $crc_table[($crc ^ $byte) & 255]; }
sub crc_of
{
	my ($bytes) = @_;
	my $crc = 0xFFFFFFFF;

	$crc = ($crc >> 8) ^ $crc_table[($crc ^ $_) & 255] foreach unpack('C*', $bytes);
	return $crc ^ 0xFFFFFFFF;
}
# A chunk as it is stored, as hexadecimal digits.
sub stored_chunk { my ($payload) = @_; return unpack('H*', pack('a4VVV', 'ARAD', 1, length $payload, crc_of($payload)) . $payload); }

#
# Files.
#
my %file = map { $_->[0] => pack('H*', $_->[1]) } rows(q{SELECT model, encode(data, 'hex') FROM exported});
my @models = sort keys %file;
is(scalar(@models), $node->safe_psql('postgres', q{SELECT cardinality(choices) FROM aread_options() WHERE option = 'architecture'}), "models: @models");

diag("flips of seed $seed");
is(check_outcomes('file cut at every length', q{SELECT file_outcome(model, substr(data, 1, n)) FROM exported, generate_series(0, octet_length(data) - 1) n WHERE model = 'wide'})->{intact},
	undef, 'no part of a file is a model');
check_outcomes('file with a flipped bit', 'SELECT file_outcome(model, set_bit(data, n, 1 - get_bit(data, n))) FROM (VALUES '
	. join(', ', map { my $m = $models[rand @models]; "('$m', " . int(rand(8 * length $file{$m})) . ')' } 1 .. $n_flips / 5) . ') v(m, n), exported WHERE model = m');

# Where the header says that all is well: each change with the checksum that it has.
sub sealed_cuts
{
	my ($model, $stride) = @_;
	my @bytes = unpack('C*', substr($file{$model}, 24));
	my $crc = 0xFFFFFFFF;
	my @lines;

	foreach my $size (0 .. $#bytes)
	{
		push @lines, join("\t", $size, $model, '\N', '\N', 24 + $size, $crc ^ 0xFFFFFFFF) if $size % $stride == 0;
		$crc = crc_step($crc, $bytes[$size]);
	}
	return @lines;
}

# What a flip does to a checksum does not depend on the other bytes: as if they were all 0.
sub sealed_flips
{
	my ($model, $n) = @_;
	my $stored = unpack('V', substr($file{$model}, 12, 4));
	my $size = length $file{$model};

	return map {
		my $place = 24 + int(rand($size - 24));
		my $bit = 1 << int(rand 8);
		my $crc = crc_step(0, $bit);

		$crc = crc_step($crc, 0) foreach $place + 1 .. $size - 1;
		join("\t", $_, $model, $place, ord(substr($file{$model}, $place, 1)) ^ $bit, $size, $stored ^ $crc);
	} 1 .. $n;
}
my $sealed_file = q{SELECT file_outcome(c.model, sealed(CASE WHEN place IS NULL THEN substr(data, 1, size) ELSE set_byte(data, place, byte) END, crc))
	FROM sealed_change c JOIN exported USING (model)};
fill('sealed_change', sealed_cuts('wide', 5));
check_outcomes('file cut, its header made right', "$sealed_file WHERE place IS NULL");
fill('sealed_change', map { sealed_flips($_, $n_flips / 10 / @models) } @models);
my $sealed = check_outcomes('file with a flipped bit, its header made right', "$sealed_file WHERE place IS NOT NULL");
cmp_ok($sealed->{intact} // 0, '>', 0, 'that of a measure changes no score: checksums were right');
is($node->safe_psql('postgres', q{SELECT count(*) FROM aread.model}), scalar(@models), 'nothing was imported');

# Files that are right but for one row: each is refused for what it is.
my $n_rows = unpack('Q<', substr($file{deep}, 24, 8));
my $rows = substr($file{deep}, 32, $n_rows);
my $chunks = substr($file{deep}, 32 + $n_rows);
# What becomes of a file whose rows are an expression over "r", and whose chunks are others.
sub import_of
{
	my ($changed, $of_chunks) = @_;
	# features of version 0.1.0 have no checksum
	my $json = $node->safe_psql('postgres', "SELECT $changed FROM (SELECT jsonb_set(\$json\$$rows\$json\$, '{version,software}', '\"aread 0.1.0\"')) x(r)");
	my $rest = pack('Q<', length $json) . $json . $of_chunks;
	my $forged = pack('a8VVQ<', 'AREADEXP', 1, crc_of($rest), length $rest) . $rest;
	my (undef, $out, $error) = $node->psql('postgres', "\\set VERBOSITY verbose\nSELECT aread_import('\\x" . unpack('H*', $forged) . "', 'forged')");

	return $error =~ /ERROR:  (.*)\nDETAIL:  (.*)/ ? "$1: $2" : "$out$error";
}
sub changed { my ($path, $value) = @_; return "jsonb_set(r, '{$path}', $value)"; }
my $stored = 'SELECT ' . join(q{ || ' ' || }, map { "(SELECT count(*) FROM aread.stored_$_)" } qw(model version feature domain evaluation mask_update chunk));
my $before = $node->safe_psql('postgres', $stored);

is(import_of('r', $chunks), '1', 'a file that is put together again is a model');
$node->safe_psql('postgres', q{SELECT aread_drop('forged')});
# options: every version stores all that it has
is(import_of(q{r #- '{version,config,epochs}'}, $chunks), 'XX001: stored version is corrupt: It lacks option "epochs".', 'an option that every version stores');
like(import_of(changed('version,config,warp', q{'1'::jsonb}), $chunks), qr/0A000: stored model has option "warp", which aread .* does not know/, 'an option of a version to come');
like(import_of(changed('version,config,prune_by', q{'"whim"'::jsonb}), $chunks), qr/0A000: stored model has option "prune_by" at "whim", which aread .* does not know/, 'a choice of a version to come');
is(import_of(changed('version,config,epochs', "'$_->[0]'::jsonb"), $chunks), qq{XX001: stored version is corrupt: Its option "epochs" $_->[1].}, "an option that is $_->[0]")
	for ([ '0', 'is 0, but must be between 1 and 10000' ], [ '"many"', 'must be a number' ], [ '1.5', 'must be an integer' ], [ 'true', 'must be a number' ]);
is(import_of(changed('version,config,mmoe_dims', "'{}'::jsonb"), $chunks), 'XX001: stored version is corrupt: Its option "mmoe_dims" must be an array of integers.', 'a list that is none');
is(import_of(changed('version,config,mmoe_dims', "'[4, 0]'::jsonb"), $chunks), 'XX001: stored version is corrupt: Its option "mmoe_dims" has 0 as element 2, but elements must be between 1 and 4096.', 'a list with an element that no list has');
is(import_of(changed('version,config,prune_by', "'1'::jsonb"), $chunks), 'XX001: stored version is corrupt: Its option "prune_by" must be one of "saliency", "gate".', 'a choice that is none');
is(import_of(changed('version,config', q{'[]'::jsonb}), $chunks), 'XX001: stored version is corrupt: Its options are no object.', 'options that are no object');
for my $path ((map { "version,$_" } qw(comment source_name label split weight architecture software)), 'version,options,x', 'features,2,name', 'features,2,type_name', 'domains,1,name')
{
	is(import_of(changed($path, q{to_jsonb(repeat('x', 2200000))}), $chunks), 'XX001: exported model is corrupt: Its texts are too long.', "a text of megabytes: $path");
}
for ((map { [ "version,$_", -1 ] } qw(rows_read train_rows valid_rows test_rows)), [ 'version,rows_read', 9223372036854775807 ], [ 'version,train_rows', 1501 ],
	[ 'features,2,vocabulary_rows', -1 ], [ 'features,2,vocabulary_rows', 4294967297 ])
{
	is(import_of(changed($_->[0], "'$_->[1]'"), $chunks), 'XX001: exported model is corrupt: Its numbers are out of range.', "a number: @$_");
}
my $no_mask = 'XX001: exported model is corrupt: A mask does not fit the model.';
is(import_of(changed('mask_updates,0,gates', $_), $chunks), $no_mask, "gates: $_")
	for q{'[1]'}, q{'[]'}, q{jsonb_build_array(r #> '{mask_updates,0,gates}')}, q{(r #> '{mask_updates,0,gates}') - 0 || 'null'};
is(import_of('r', pack('Q<', 1 + unpack('Q<', $chunks)) . substr($chunks, 8) . pack('VVVV', 5, 5, 4, 0) . 'masks' . 'other' . 'data'), $no_mask, 'masks of another name');
is(import_of('r', pack('Q<', 3400 + unpack('Q<', $chunks)) . substr($chunks, 8) . join('', map { pack('VVVV', 4, length, 16, 0) . 'junk' . $_ . pack('H*', stored_chunk('')) } 1 .. 3400)),
	'XX001: exported model is corrupt: It has chunks that nothing reads.', 'chunks of nothing');
is($node->safe_psql('postgres', $stored), $before, 'nothing of it was stored');

#
# Rows of the catalog.
#
my %version = map { $_->[0] => $_->[1] } rows('SELECT m.name, version_id FROM aread.stored_version JOIN aread.stored_model m USING (model_id)');
my %name = reverse %version;
my $n = 0;
my @changes;

sub add_change { my ($model, $what, $statement) = @_; push @changes, join("\t", $n++, $model, $what, $statement); }

# Every kind of chunk as often: its data, and its number.
my %chunks;
push @{ $chunks{"$_->[1]"} }, $_ foreach rows('SELECT version_id, kind, name, chunk, octet_length(data) FROM aread.stored_chunk');
is(join(' ', sort keys %chunks), 'checksum entities masks pairs rare tensor vocabulary', 'every kind of chunk is there');
foreach my $kind (map { (sort keys %chunks)[$_ % keys %chunks] } 1 .. $n_flips / 2)
{
	my ($version, undef, $name, $chunk, $size) = @{ $chunks{$kind}[rand @{ $chunks{$kind} }] };
	my $bit = int(rand(8 * $size));

	add_change($name{$version}, "chunk: $kind", "UPDATE aread.stored_chunk SET data = set_bit(data, $bit, 1 - get_bit(data, $bit))"
		. " WHERE (version_id, kind, name, chunk) = ($version, '$kind', '$name', $chunk)");
}

# Numbers, in columns and arrays of them; a bit of their binary form.
my %binary = (int4 => 'l', int8 => 'q', float8 => 'd');
my $columns = q{SELECT c.relname, a.attname, replace(t.typname, '_', ''), t.typname LIKE '\_%' FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN pg_type t ON t.oid = atttypid
	WHERE c.relname IN ('stored_version', 'stored_feature', 'stored_domain') AND relnamespace = 'aread'::regnamespace AND attnum > 0 AND replace(t.typname, '_', '') IN ('int4', 'int8', 'float8')};
my @numbers;
foreach my $column (rows($columns))
{
	my ($table, $name, $type, $is_array) = @$column;
	my $values = $is_array eq 't' ? "unnest(s.$name) WITH ORDINALITY" : "LATERAL (VALUES (s.$name, NULL::int))";

	push @numbers, map { [$table, $name, $type, @$_] } rows("SELECT s.version_id, s.ctid, v.value, v.place FROM aread.$table s, $values v(value, place) WHERE v.value IS NOT NULL");
}
cmp_ok(scalar @numbers, '>', 200, scalar(@numbers) . ' numbers');
foreach (1 .. $n_flips / 10 * 2 - $n_flips / 20)
{
	my ($table, $column, $type, $version, $ctid, $value, $place) = @{ $numbers[rand @numbers] };
	my $bytes = pack($binary{$type}, $value =~ /^-?Inf/ ? 9**9**9 * ($value =~ /^-/ ? -1 : 1) : $value);
	my $bit = int(rand(8 * length $bytes));
	my $flipped;

	vec($bytes, $bit, 1) ^= 1;
	$flipped = unpack($binary{$type}, $bytes);
	$flipped = $flipped != $flipped ? 'NaN' : $flipped =~ /inf/i ? ($flipped < 0 ? '-' : '') . 'Infinity' : sprintf('%.17g', $flipped) if $type eq 'float8';
	add_change($name{$version}, "$table.$column", "UPDATE aread.$table SET $column" . ($place eq '' ? '' : "[$place]") . " = '$flipped' WHERE ctid = '$ctid'");
}

# Texts that scoring reads, as bytes.
my @texts = map { my $t = $_; map { [@$t, @$_] } rows("SELECT version_id, ctid, encode($t->[1]::text::bytea, 'hex') FROM aread.$t->[0] WHERE $t->[1] IS NOT NULL") }
	(['stored_version', 'config'], ['stored_version', 'software'], ['stored_version', 'label'], ['stored_feature', 'name'], ['stored_feature', 'kind'], ['stored_feature', 'type_name']);
foreach (1 .. $n_flips / 20)
{
	my ($table, $column, $version, $ctid, $hex) = @{ $texts[rand @texts] };
	my $bytes = pack('H*', $hex);

	vec($bytes, int(rand(8 * length $bytes)), 1) ^= 1;
	add_change($name{$version}, "$table.$column", "UPDATE aread.$table SET $column = convert_from(decode('" . unpack('H*', $bytes) . "', 'hex'), 'UTF8')"
		. ($column eq 'config' ? '::jsonb' : '') . " WHERE ctid = '$ctid'");
}
fill('change', map { s/\\/\\\\/gr } @changes);
$node->safe_psql('postgres', 'CREATE TABLE result AS SELECT n, what, outcome(model, statement) FROM change');
check_outcomes('rows with a flipped bit, chunks', q{SELECT outcome FROM result WHERE what LIKE 'chunk%'});
check_outcomes('rows with a flipped bit, numbers and texts', q{SELECT outcome FROM result WHERE what NOT LIKE 'chunk%'});
is($node->safe_psql('postgres', q{SELECT count(*) FROM result WHERE what LIKE 'chunk%' AND outcome <> 'XX001'}), '0', 'a flipped bit of stored bytes is always told');
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT what, ' ') FROM result WHERE outcome = 'wrong score' OR (outcome LIKE 'XX%' AND outcome <> 'XX001')}), '', 'and in no column unseen');
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM result WHERE what NOT LIKE 'chunk%' AND outcome = 'intact'}), '>', 0, 'what scoring does not read may change');

# chunks in the places of others, each of them whole
check_outcomes('chunks that have changed places', q{
	SELECT outcome(m.name, format('UPDATE aread.stored_chunk c SET data = o.data FROM aread.stored_chunk o WHERE (c.version_id, c.kind, c.name) IN ((%1$s, %2$L, %3$L), (%1$s, %2$L, %4$L))
		AND (o.version_id, o.kind, o.name) = (%1$s, %2$L, CASE c.name WHEN %3$L THEN %4$L ELSE %3$L END)', a.version_id, a.kind, a.name, b.name))
	FROM aread.stored_chunk a JOIN aread.stored_chunk b ON (a.version_id, a.kind, octet_length(a.data)) = (b.version_id, b.kind, octet_length(b.data)) AND a.name < b.name AND a.data <> b.data
	JOIN aread.stored_version v ON v.version_id = a.version_id JOIN aread.stored_model m USING (model_id)});
check_outcomes('chunks that are gone', q{
	SELECT outcome(m.name, format('DELETE FROM aread.stored_chunk WHERE (version_id, kind, name) = (%s, %L, %L)', version_id, kind, c.name))
	FROM aread.stored_chunk c JOIN aread.stored_version v USING (version_id) JOIN aread.stored_model m USING (model_id)});

#
# Vocabularies that were made to do harm: all checksums are right, as they can be
# in models of aread 0.1.0, which had none over them.
#
my @vocabularies = grep { $_->[3] > 0 } rows(q{SELECT version_id, name, encode(data, 'hex'), octet_length(data) FROM aread.stored_chunk WHERE kind = 'vocabulary'});
@changes = ();
foreach (1 .. $n_flips / 10)
{
	my ($version, $name, $hex) = @{ $vocabularies[rand @vocabularies] };
	my $payload = substr(pack('H*', $hex), 16);

	# the header and the table's beginning more often than keys
	vec($payload, int(rand(8 * (rand() < 0.7 ? 64 : length $payload))), 1) ^= 1 foreach 1 .. 1 + int(rand 2);
	add_change($name{$version}, 'vocabulary', "WITH v AS (UPDATE aread.stored_version SET software = 'aread 0.1.0' WHERE version_id = $version)"
		. " UPDATE aread.stored_chunk SET data = decode('" . stored_chunk($payload) . "', 'hex')"
		. " WHERE (version_id, kind, name) = ($version, 'vocabulary', '$name')");
}
$node->safe_psql('postgres', 'TRUNCATE change');
fill('change', @changes);
check_outcomes('vocabularies with a flipped bit, all checksums right', 'SELECT outcome(model, statement) FROM change', 'another model');

# domains that have no names: hashed, with keys and without
my ($of_domains) = rows(q{SELECT c.version_id, c.name, encode(c.data, 'hex') FROM aread.stored_version v JOIN aread.stored_feature f ON f.version_id = v.version_id AND f.position = v.domain_feature
	JOIN aread.stored_chunk c ON c.version_id = v.version_id AND c.kind = 'vocabulary' AND c.name = f.vocabulary::text JOIN aread.stored_model m ON m.model_id = v.model_id AND m.name = 'deep' LIMIT 1});
my $named = substr(pack('H*', $of_domains->[2]), 16);
my ($magic, $format, $n_keys) = unpack('VVV', $named);
for (
	[ pack('V6Q<', $magic, $format, 0, 4, $n_keys, 0, 0) . "\0" x (4 * 4 + 8), 'version', 'Its domains are hashed' ],
	[ substr($named, 0, 16) . pack('V', $n_keys) . substr($named, 20), 'vocabulary', 'Its header is wrong' ])
{
	my ($hashed, $what, $detail) = @$_;
	my $forged = "BEGIN; UPDATE aread.stored_version SET software = 'aread 0.1.0' WHERE version_id = $of_domains->[0]; UPDATE aread.stored_chunk SET data = decode('"
		. stored_chunk($hashed) . "', 'hex') WHERE (version_id, kind, name) = ($of_domains->[0], 'vocabulary', '$of_domains->[1]'); SELECT aread_cache_clear(shared => true);";

	for my $call ("aread_similar_domains('deep', 'domain_01')", "aread_tensors('deep')")
	{
		my (undef, undef, $error) = $node->psql('postgres', "\\set VERBOSITY verbose\n$forged SELECT * FROM $call; ROLLBACK");
		like($error, qr/XX001: stored $what is corrupt\nDETAIL:  $detail\./, "domains that are hashed: $call");
	}
}

is($node->safe_psql('postgres', q{SELECT bool_and(aread_cache_clear(shared => true) >= 0 AND scores(model) = scores) FROM intact}), 't', 'after all of it all models score as before');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC/, 'no backend crashed');
$node->stop;
done_testing();
