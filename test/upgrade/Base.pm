# Base scripts of earlier versions.  They are no longer installed, so a test that starts
# from such a version lends them to the installation for as long as it runs.
package Base;

use strict;
use warnings;
use Exporter 'import';
use File::Basename;
use File::Copy;
use Test::More;

our @EXPORT = qw(lend_base_scripts);
my $lender = $$;
my @lent;

# Skips the whole test where the installation cannot be written.
sub lend_base_scripts
{
	my ($node) = @_;
	my $directory = $node->safe_psql('postgres', q{SELECT setting || '/extension' FROM pg_config WHERE name = 'SHAREDIR'});

	for my $script (glob 'test/upgrade/aread--*.sql')
	{
		my $file = "$directory/" . basename($script);

		next if -e $file;
		copy($script, $file) or plan skip_all => "base scripts of earlier versions need to be copied to $directory: $!";
		push @lent, $file;
	}
	return;
}

# (servers forked by the test framework end here, too)
END { unlink @lent if $$ == $lender; }

1;
