# A database whose encoding is none holds bytes that are no text: the error says where.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding', 'SQL_ASCII', '--locale', 'C' ]);
$node->append_conf('postgresql.conf', "fsync = off\nclient_min_messages = warning\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION aread;
	CREATE TYPE label AS ENUM (E'a\xFF', 'b');
	CREATE TABLE bytes AS SELECT i % 3 = 0 AS label, i % 2 AS domain, i % 7 AS n, (ARRAY[E'a\xFF', 'b'])[1 + i % 2] AS text,
		(ARRAY[E'a\xFF', 'b'])[1 + i % 2]::label AS enum, ARRAY['b', E'\xFE'] AS list FROM generate_series(1, 300) i;
	CREATE TABLE clean AS SELECT label, domain::text AS domain, n, 't' || n AS text, ARRAY['t' || n] AS list FROM bytes;
	SELECT aread_train('clean', 'clean', options => '{"architecture": "wide", "split_method": "hash"}');
});

sub fails
{
	my ($sql, $context) = @_;
	my ($rc, $out, $err) = $node->psql('postgres', $sql);
	isnt($rc, 0, "$sql: fails");
	like($err, qr/invalid byte sequence for encoding "UTF8": 0xf[ef].*\nCONTEXT:  $context/s, "$sql: says where");
}

fails("SELECT aread_train('bytes', features => '{n,$_}')", qq{column "$_"}) for qw(text enum list);
fails("SELECT aread_train('bytes', features => '{n}', domain => 'text')", 'column "text"');
fails(q{SELECT aread_predict('clean', r) FROM (SELECT 1 AS n, '1' AS domain, E'a\xFF' AS text) r}, 'feature "text" of model "clean"');
fails(q{SELECT sum(aread_predict('clean', r)) FROM (SELECT n, '1' AS domain, text FROM bytes) r}, 'feature "text" of model "clean"');
fails(q{SELECT aread_predict('clean', r) FROM (SELECT ARRAY['b', E'a\xFF'] AS list, '1' AS domain) r}, 'feature "list" of model "clean"');
fails(q{SELECT aread_predict('clean', E'{"list": ["a\xFF"], "domain": "1"}'::jsonb)}, 'feature "list" of model "clean"');
fails(q{SELECT aread_predict('clean', E'{"n": 1}'::jsonb, E'\xFF'::text)}, 'feature "domain" of model "clean"');
fails("SELECT * FROM $_('clean', 'bytes')", 'feature "list" of model "clean"') for qw(aread_drift aread_evaluate);

$node->stop;
done_testing();
