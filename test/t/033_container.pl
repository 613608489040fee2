# What the container does, without a container: the files of its image's init
# script in a new database, and the demo's own command out of docker-compose.yml,
# twice, with its mounts mapped to places here.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $compose = slurp_file('docker-compose.yml');
my $dockerfile = slurp_file('.docker/Dockerfile');
my ($db, $demo) = $compose =~ /^  db:\n(.*?)^  demo:\n(.*?)^volumes:/ms or die 'no such services';

# A list of strings in brackets; entries of a block's map or list.
sub words { return $_[0] =~ /"((?:[^"\\]|\\.)*)"/g }
sub entries { my ($block, $name) = @_; return $block =~ /^    \Q$name\E:\n((?:      .*\n)+)/m ? $1 : '' }

#
# The server, as the image's entry point makes it.
#
my ($database) = entries($db, 'environment') =~ /POSTGRES_DB: (\w+)/;
my ($scripts) = $dockerfile =~ m{^COPY (\S+) /docker-entrypoint-initdb\.d/$}m;
my ($command) = $db =~ /^    command: (\[.*\])$/m;
my @settings = grep { /=/ } words($command);
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', join('', map { s/=(.*)/ = '$1'/r . "\n" } @settings));
$node->start;
$node->safe_psql('postgres', "CREATE DATABASE $database");
my @files = sort glob "${scripts}*";
cmp_ok(scalar(@files), '>', 0, 'a new data directory runs something');
$node->command_ok(['psql', '-v', 'ON_ERROR_STOP=1', '--no-psqlrc', '-d', $node->connstr($database), '-f', $_], $_) for @files;
is($node->safe_psql($database, q{SELECT extname FROM pg_extension WHERE extname = 'aread'}), 'aread', 'POSTGRES_DB has the extension');
is($node->safe_psql($database, 'SHOW shared_preload_libraries'), 'aread', 'it is preloaded');

#
# The demo, as often as one likes, beside what is there.
#
my $pictures = PostgreSQL::Test::Utils::tempdir();
my %mounts;
for (split /\n/, entries($demo, 'volumes'))
{
	my ($here, $there) = m{- (\./[^:]+):(/[^:]+)(?::ro)?$} or die "mount: $_";
	$mounts{$there} = $there eq '/pictures' ? $pictures : $here;
}
my ($program, @arguments) = words($demo =~ /^    command: (\[.*\])$/m);
for my $there (keys %mounts)
{
	s{(^|=)\Q$there\E($|/)}{$1$mounts{$there}$2} for @arguments;
}
is(scalar(grep { m{(^|=)/} && !m{\Q$pictures\E} } @arguments), 0, 'every path of the command is mounted');
my ($user, $start) = entries($demo, 'environment') =~ /PGUSER: (\w+)\n\s+PGDATABASE: (\w+)/;
is($start, $database, 'it starts in POSTGRES_DB');
$node->safe_psql('postgres', 'DO $$BEGIN IF to_regrole(\'postgres\') IS NULL THEN CREATE ROLE postgres SUPERUSER LOGIN; END IF; END$$');
$node->safe_psql($database, 'CREATE TABLE interactions (mine int); INSERT INTO interactions VALUES (1)');
my $before;
for my $time ('once', 'twice')
{
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGUSER => $user, PGDATABASE => $database);
	my ($out, $error) = run_command([$program, @arguments]);

	unlike($error, qr/ERROR|FATAL/, "$time: no error");
	like($out, qr/similar_domain/, "$time: to its end");
	my $drawn = join ' ', map { s|.*/||r } grep { slurp_file($_) =~ m{^<svg.*</svg>\s*$}s } sort glob "$pictures/*.svg";
	is($drawn, 'domains.svg experts.svg overlap.svg training.svg', "$time: pictures");
	unlink glob "$pictures/*.svg";
	$before //= $out;
	is($out =~ s/\d+(\.\d+)?//gr, $before =~ s/\d+(\.\d+)?//gr, "$time: the same");
}
is($node->safe_psql($database, 'SELECT mine FROM interactions'), '1', 'tables of its name elsewhere are left alone');

#
# What only the container's machine will show must at least fit together.
#
my ($shared) = $db =~ /^    shm_size: (\d+)gb$/m;
cmp_ok($shared * 1024, '>=', 512 + $node->safe_psql($database, q{SELECT setting FROM pg_settings WHERE name = 'aread.shared_cache_size'}), 'shared memory has room for parallel queries beside the models');
like($db, qr/^    stop_grace_period: \d+m$/m, 'time to shut down');
my ($data) = entries($db, 'environment') =~ /PGDATA: (\S+)/;
my ($volume) = entries($db, 'volumes') =~ /- \w+:(\S+)/;
is($volume, '/var/lib/postgresql', 'the volume is where that of 18 is');
like($data, qr{^\Q$volume\E/\$\{PG_MAJOR:-15\}/docker$}, 'and holds the data directory, as that of 18 has it');
is(join(' ', sort map { /\$\{PG_MAJOR:-(\d+)\}/g } $compose), join(' ', (15) x (() = $compose =~ /PG_MAJOR:-/g)), 'one default');
is(join(' ', $dockerfile =~ /^FROM (\S+?)-/mg), 'postgres:${PG_MAJOR} postgres:${PG_MAJOR}', 'the image is of the version that was asked for');
my ($control) = slurp_file('aread.control') =~ /default_version = '(.*)'/;
like($compose, qr/image: aread:\Q$control\E-pg\$/, 'and called by the version of the extension');

$node->stop;
done_testing();
