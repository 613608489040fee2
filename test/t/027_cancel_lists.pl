# A time limit holds where rows have long lists, and where a model is large.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\n");
$node->start;
# products of a list's members with the first layer are 16384 numbers wide
$node->safe_psql('postgres', q{
	CREATE EXTENSION aread;
	CREATE TABLE few AS SELECT label, domain, item_id % 8 AS item_id, ARRAY[item_id % 8, user_id % 8] AS items
		FROM aread_simulate(1000, domains => 5, users => 60, items => 40);
	CREATE TABLE long AS SELECT label, domain, item_id, (SELECT array_agg(i % 8) FROM generate_series(1, 3000000) i) AS items FROM few LIMIT 1;
	CREATE TABLE many AS SELECT label, domain, item_id, (SELECT array_agg(i % 8) FROM generate_series(1, 12000) i) AS items FROM few LIMIT 256;
	CREATE TABLE with_long AS SELECT * FROM few;
	INSERT INTO with_long SELECT label, domain, item_id, items || items || items || items FROM long;
	SELECT aread_train('few', 'wide_layer', options => '{"architecture": "mmoe", "epochs": 1, "mmoe_dims": [4096], "mmoe_experts": 4,
		"embed_dim": 4, "batch_size": 512}');
});

# A statement that would take longer ends within a second of its limit.
sub ends_in_time
{
	my ($seconds, $sql, $what) = @_;
	my $ms = 1000 * $seconds;
	my $begun = time;
	my (undef, undef, $error) = $node->psql('postgres', "SET statement_timeout = '${ms}ms'; $sql");

	cmp_ok(time - $begun, '<', $seconds + 1, "$what: in time");
	like($error, qr/canceling statement due to statement timeout/, "$what: says why");
}

ends_in_time(0.5, q{SELECT aread_predict('wide_layer', l) FROM long l}, 'a row with a long list');
ends_in_time(1.2, q{SELECT sum(aread_predict('wide_layer', l)) FROM long l, generate_series(1, 20)}, 'a batch of such rows');
ends_in_time(0.5, q{SELECT sum(aread_predict('wide_layer', m)) FROM many m}, 'a batch of rows with lists');
ends_in_time(0.5, q{SELECT aread_evaluate('wide_layer', 'many')}, 'an evaluation');
ends_in_time(0.5, q{SELECT aread_explain('wide_layer', l) FROM long l}, 'an explanation');
# at two moments, for batches have several phases
my $training = q{SELECT aread_train('with_long', options => '{"architecture": "mmoe", "wide": false, "mmoe_dims": [16], "embed_dim": 1024,
	"batch_size": 1024}')};
ends_in_time($_, $training, "training over a long list, $_ s") for 3, 4.5;
ends_in_time(0.5, q{SELECT aread_train('few', options => '{"wide": false, "embed_dim": 128, "features": {"item_id": {"kind": "categorical", "buckets": 300000}}}')},
	'drawing the weights of a large model');

# whoever was cancelled scores on
my ($status, $out, $error) = $node->psql('postgres', q{
	SET statement_timeout = '200ms';
	SELECT sum(aread_predict('wide_layer', m)) FROM many m;
	RESET statement_timeout;
	SELECT bool_and(score = again) FROM (SELECT aread_predict('wide_layer', f) AS score, aread_predict('wide_layer', to_jsonb(f)) AS again FROM few f OFFSET 0) x;
}, on_error_stop => 0);
like($error, qr/canceling statement due to statement timeout/, 'a session is cancelled');
is($out, 't', 'and scores on');

done_testing();
