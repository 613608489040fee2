# Pages: those that are made of what the extension says of itself are up to date; all
# name files that exist, and keep to the width of a line.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

my $made = PostgreSQL::Test::Utils::tempdir();
$node->command_ok([ 'psql', '-X', '-d', $node->connstr('postgres'), '-v', 'ON_ERROR_STOP=1', '-v', "pages=$made", '-f', 'scripts/doc.sql' ], 'pages are made');
my @made = map { s{.*/}{}r } glob "$made/*.md";
is("@made", 'architectures.md options.md settings.md', 'all of them');
is(slurp_file("doc/$_"), slurp_file("$made/$_"), "doc/$_ is up to date: if it is not, run scripts/doc") for @made;
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_extension WHERE extname = 'aread'}), '0', 'a database is left as it was');
$node->stop;

# wide(PAGE): lines of prose beyond 100 columns, without code, tables, titles and links that cannot be cut.
sub wide
{
	my ($page) = @_;
	my ($code, @wide);

	for my $line (split /\n/, slurp_file($page))
	{
		$code = !$code if $line =~ /^```/;
		push @wide, $line if length $line > 100 && !$code && $line !~ /^(\||#|\[?!?\[)/;
	}
	return @wide;
}

# missing(PAGE): files and directories that it names, as code or behind a link, and that do not exist.  In names, *
# stands for any characters, and a word in capitals for what the reader chooses.
sub missing
{
	my ($page) = @_;
	my $text = slurp_file($page) =~ s/^```.*?^```//gmsr;
	my ($directory) = $page =~ m{^(.*/)?};
	my @named = $text =~ m{`((?:src|sql|test|scripts|bench|doc|expected)/[\w./*-]+)`}g;

	push @named, map { ($directory // '') . $_ } grep { !/^https?:/ } $text =~ /\]\(([^)#]+)/g;
	return grep { my @found = glob(s/\b[A-Z]+\b(?!\.md)/*/gr); !grep { -e } @found } @named;
}

for my $page (sort map { glob } '*.md', 'doc/*.md', 'bench/*.md')
{
	is(join("\n", wide($page)), '', "$page: no line is too wide");
	is(join("\n", missing($page)), '', "$page: what it names exists");
}

done_testing();
