# Trainings on a schedule, with the real pg_cron: the README's recipes, for a
# training in the job's session and for one in the background, fail where it can
# be seen, in cron.job_run_details, when the training fails.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
my $library = $node->config_data('--pkglibdir') . '/pg_cron.so';
plan skip_all => "pg_cron is not installed: there is no $library" unless -e $library;

$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_cron, aread'\ncron.database_name = 'postgres'\ncron.host = '" . $node->host . "'\nmax_worker_processes = 20\nlog_min_messages = warning\n");
$node->start;
sub sql { return $node->safe_psql('postgres', $_[0]) }

sql(q{
	CREATE EXTENSION aread; CREATE EXTENSION pg_cron;
	CREATE TABLE interactions AS SELECT label, domain, user_id, item_id
		FROM aread_simulate(4000, domains => 4, groups => 2, users => 100, items => 50, strength => 3);
	CREATE TABLE one_class AS SELECT 1 AS label, domain, user_id FROM interactions});

my $options = '{"architecture": "wide", "keep_versions": 7}';
my $automatic = '{"architecture": "wide", "keep_versions": 7, "resume": "auto"}';
sub foreground { return "SELECT aread_train('$_[0]', '$_[1]', options => '$options')" }
my ($recipe) = slurp_file('README.md') =~ /^(DO \$\$\n.*?^END \$\$;)$/ms or die 'no recipe';
sub background { return $recipe =~ s/'interactions', 'shop', options => '[^']*'/'$_[0]', '$_[1]', options => '$automatic'/r }

# pg_cron starts jobs when a minute begins: all of them at once.
sub run_jobs
{
	my ($way) = @_;
	my %jobs = (
		'front' => foreground('interactions', "front $way"), 'front fails' => foreground('one_class', "bad $way"),
		'back' => background('interactions', "back $way"), 'back fails' => background('one_class', "worse $way"));

	sql(join ';', map { "SELECT cron.schedule('$_', '* * * * *', \$job\$$jobs{$_}\$job\$)" } sort keys %jobs);
	my $ended = "FROM cron.job_run_details d JOIN cron.job j USING (jobid) WHERE d.status IN ('succeeded', 'failed')";
	$node->poll_query_until('postgres', "SELECT count(DISTINCT jobid) = 4 $ended") or die 'jobs never ended: ' . sql('SELECT * FROM cron.job_run_details');
	my %outcome = map { split /\|/, $_, 2 } split /\n(?=front|back)/, sql("SELECT DISTINCT ON (jobid) j.jobname, d.status || ': ' || d.return_message $ended ORDER BY jobid, runid");
	sql('SELECT cron.unschedule(jobid) FROM cron.job');
	like($outcome{'front'}, qr/^succeeded/, "$way: a training");
	like($outcome{'front fails'}, qr/^failed: .*all \d+ training rows have label 1/s, "$way: one that fails");
	like($outcome{'back'}, qr/^succeeded/, "$way: a training in the background");
	like($outcome{'back fails'}, qr/^failed: .*run \d+ failed: all \d+ training rows have label 1/s, "$way: one that fails there");
	is(sql("SELECT string_agg(DISTINCT model, ', ' ORDER BY model) FROM aread.model WHERE model LIKE '% $way'"), "back $way, front $way", "$way: models");
}
run_jobs('by connections');
$node->append_conf('postgresql.conf', "cron.use_background_workers = on\n");
$node->restart;
run_jobs('by workers');

$node->stop;
done_testing();
