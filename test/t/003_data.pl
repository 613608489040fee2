# Real interactions, where they are at hand: all four files load, and the full
# model is not behind its wide part alone.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Cwd qw(abs_path);
use File::Basename qw(dirname);

my $data = dirname(abs_path(__FILE__)) . '/../../../shared/data';
plan skip_all => 'skipped: no sample data beside the project' unless -e "$data/ciao.csv.gz";
$data = abs_path($data);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_buffers = 256MB\nfsync = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION aread');

# A table after the file's header: integers, and what the caller knows better.
sub load
{
	my ($name, $command, %types) = @_;
	my ($header) = split /\n/, `$command`;
	my @columns = map { '"' . $_ . '" ' . ($types{$_} // 'int') } split /,/, $header;

	$node->safe_psql('postgres', "CREATE TABLE $name (" . join(', ', @columns) . ");
		COPY $name FROM PROGRAM \$\$$command\$\$ WITH (FORMAT csv, HEADER)");
}

sub train
{
	my ($name, $model, $features, $options) = @_;

	return split /\|/, $node->safe_psql('postgres', "SELECT train_rows, valid_rows, test_rows, skipped_rows, auc, domain_auc, log_loss
		FROM aread_train('$name', '$model', features => '{$features}', options => '$options')");
}

# the two samples: code columns, list columns
load('aliccp', "cat $data/aliccp_sample.csv");
my @row = split /\|/, $node->safe_psql('postgres', q{SELECT train_rows + valid_rows + test_rows, valid_rows > 0, auc IS NOT NULL
	FROM aread_train('aliccp', label => 'click', user_id => 'userid', item_id => 'itemid', split => 'train_tag',
	options => '{"epochs": 1, "embed_dim": 8, "candidates": 2}')});
is($row[0], 3191, 'aliccp: every row is used');
is($node->safe_psql('postgres', q{SELECT count(*), count(DISTINCT kind) FROM aread.feature WHERE model = 'aliccp'}), '34|2', 'aliccp: features, two of them counts');

my %list = map { my $m = $_; map { ("user_${_}_${m}month_seq" => 'text') } qw(pos neg) } 1, 2, 6;
load('amazon_text', "cat $data/amazon_sample.csv", %list);
$node->safe_psql('postgres', 'CREATE VIEW amazon AS SELECT ' . join(', ', 'userid', 'itemid', 'weekday', 'domain', 'sales_chart', 'sales_rank', 'brand', 'price',
	(map { qq{translate($_, '[]', '{}')::int[] AS $_} } sort keys %list), 'label', 'timestamp') . ' FROM amazon_text');
my $shared = join(', ', map { qq{"$_": {"vocabulary": "itemid"}} } sort keys %list);
@row = split /\|/, $node->safe_psql('postgres', qq{SELECT train_rows + valid_rows + test_rows, skipped_rows
	FROM aread_train('amazon', user_id => 'userid', item_id => 'itemid', split => 'timestamp',
	options => '{"epochs": 1, "embed_dim": 8, "candidates": 2, "features": {$shared}}')});
is($row[0], 3092, 'amazon: every row is used');
is($node->safe_psql('postgres', q{SELECT count(*) FILTER (WHERE kind = 'list'), count(DISTINCT shares_with) FILTER (WHERE kind = 'list') FROM aread.feature WHERE model = 'amazon'}), '6|1', 'amazon: six lists of items');
is($node->safe_psql('postgres', q{SELECT count(aread_predict('amazon', a)) FROM amazon a}), 3092, 'amazon: every row scores');

# the two that models are judged by
sub compare
{
	my ($name, $rows, $test_rows, $features, $options, $wide_auc, $wide_domain_auc) = @_;
	my @wide = train($name, "${name}_wide", $features, '{"architecture": "wide", "l2_wide": 1, "domain_weights": false, "row_counts": false}');
	my @full = train($name, "${name}_full", $features, $options);

	is($wide[0] + $wide[1] + $wide[2], $rows, "$name: every row is used");
	is($wide[2], $test_rows, "$name: test rows as marked");
	diag(sprintf('%s: wide %.4f / %.4f, full %.4f / %.4f (AUC / DomainAUC)', $name, @wide[4, 5], @full[4, 5]));
	cmp_ok(abs($wide[4] - $wide_auc), '<', 0.002, "$name: the wide part is logistic regression");
	cmp_ok(abs($wide[5] - $wide_domain_auc), '<', 0.002, "$name: in each domain");
	cmp_ok($full[4], '>', $wide[4] + 0.005, "$name: the full model is ahead in AUC");
	cmp_ok($full[5], '>', $wide[5] + 0.005, "$name: and in DomainAUC");
}

load('movietweetings', "zcat $data/movietweetings.csv.gz", map { $_ => 'text' } qw(domain split genre2 genre3));
load('ciao', "zcat $data/ciao.csv.gz", map { $_ => 'text' } qw(domain split));
compare('movietweetings', 99921, 10119, 'user_id,item_id,genre2,genre3,movie_year,movie_decade,weekday,hour', '{"candidates": 4}', 0.802, 0.793);
compare('ciao', 282656, 28142, 'user_id,item_id,trusts_bucket,trusted_by_bucket,year,month,weekday', '{"candidates": 4}', 0.747, 0.725);

done_testing();
