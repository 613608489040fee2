# Pictures in a browser: they are not blank, nothing sticks out, no text lies on
# another; and in databases of other encodings they are the same documents.
use strict;
use warnings;
use Compress::Zlib;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Masks are there at the first evaluation, and nothing that was kept before it scores as well.
my $options = q{{"architecture": "hemp", "epochs": 3, "embed_dim": 4, "mmoe_experts": 2, "mmoe_dims": [16, 8], "hei_experts": [3, 6, 12],
	"hei_hidden": [8, 8, 4], "hei_output": [8, 4, 4], "batch_size": 256, "candidates": 2, "warmup_batches": 10, "mask_interval": 20, "learning_rate": 0.005,
	"evaluations": 1, "wide": false}};

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

# A model of this many domains, named by an expression on the number of the domain.
sub train
{
	my ($database, $model, $domains, $name) = @_;

	$node->safe_psql($database, qq{
		CREATE TABLE "$model" AS SELECT label, $name AS domain, user_id, item_id, category
		FROM (SELECT *, right(domain, -7)::integer AS n FROM aread_simulate($domains * 400 + 3000, domains => $domains, groups => least(2, $domains), users => 150, items => 80, strength => 3)) s;
		SET client_min_messages = error;
		SELECT aread_train('"$model"', '$model', options => '$options');});
}

# Encodings: the same numeric references, whatever the server stores.
my %databases = (
	utf8 => ['UTF8', q{CASE n WHEN 1 THEN U&'B\00FCcher' ELSE 'shop ' || n END}],
	latin1 => ['LATIN1', q{CASE n WHEN 1 THEN 'B' || chr(252) || 'cher' ELSE 'shop ' || n END}],
	bytes => ['SQL_ASCII', q{CASE n WHEN 1 THEN E'B\xC3\xBCcher' ELSE 'shop ' || n END}],
);
my %domains;
for my $database (sort keys %databases)
{
	$node->safe_psql('postgres', qq{CREATE DATABASE $database ENCODING '$databases{$database}[0]' LOCALE 'C' TEMPLATE template0});
	$node->safe_psql($database, 'CREATE EXTENSION aread');
	train($database, 'shop', 6, $databases{$database}[1]);
	$domains{$database} = $node->safe_psql($database, q{SELECT aread_domains_svg('shop')});
	like($domains{$database}, qr/>B&#252;cher(: AUC|<)/, "$databases{$database}[0]: a name that is not ASCII");
	unlike($domains{$database}, qr/[^\x00-\x7f]/, "$databases{$database}[0]: but the document is");
}
is($domains{latin1}, $domains{utf8}, 'one picture in either encoding');

my ($browser) = grep { -x } map { my $dir = $_; map { "$dir/$_" } qw(chromium chromium-browser google-chrome) } split /:/, $ENV{PATH};
if (!$browser)
{
	note 'no Chromium: nothing is rendered';
	done_testing();
	exit;
}

my $dir = PostgreSQL::Test::Utils::tempdir;
my @browser = ($browser, qw(--headless --no-sandbox --disable-gpu --hide-scrollbars), "--user-data-dir=$dir/profile");

sub browse
{
	my ($what, @arguments) = @_;
	my ($out, $error);

	IPC::Run::run([@browser, @arguments], '>', \$out, '2>', \$error, IPC::Run::timeout(120)) or die "$what: $error";
	return $out;
}

# Pixels of a PNG (8 bits a channel, not interlaced), a string of RGB for each row.
sub pixels
{
	my ($file) = @_;
	my $png = slurp_file($file);
	my ($width, $height, $depth, $type) = unpack 'x16 N N C C', $png;
	my ($channels, $data, @rows) = ($type == 6 ? 4 : 3, '');

	die "$file: depth $depth, type $type" if $depth != 8 || ($type != 2 && $type != 6);
	for (my $at = 8; $at < length $png;)
	{
		my ($length, $kind) = unpack 'N a4', substr $png, $at, 8;
		$data .= substr $png, $at + 8, $length if $kind eq 'IDAT';
		$at += $length + 12;
	}
	$data = uncompress($data) // die "$file: broken";
	my @above = (0) x ($width * $channels);
	for my $row (0 .. $height - 1)
	{
		my ($filter, @bytes) = unpack 'C*', substr $data, $row * ($width * $channels + 1), $width * $channels + 1;
		for my $i (0 .. $#bytes)
		{
			my $a = $i < $channels ? 0 : $bytes[ $i - $channels ];
			my $b = $above[$i];
			my $c = $i < $channels ? 0 : $above[ $i - $channels ];
			my ($p, $q, $r) = (abs($b - $c), abs($a - $c), abs($a + $b - 2 * $c));
			my $guess = (0, $a, $b, ($a + $b) >> 1, $p <= $q && $p <= $r ? $a : $q <= $r ? $b : $c)[$filter];
			$bytes[$i] = ($bytes[$i] + $guess) & 255;
		}
		@above = @bytes;
		push @rows, join '', map { pack 'C3', @bytes[ $_ * $channels .. $_ * $channels + 2 ] } 0 .. $width - 1;
	}
	return @rows;
}

# Of each picture in a page: texts that leave it, and pairs that lie on one another by more than a fifth of their height.
my $measure = <<'JS';
<script>
const lines = [...document.querySelectorAll('svg')].map(svg => {
	const frame = svg.getBoundingClientRect(), found = [];
	const texts = [...svg.querySelectorAll('text')].map(t => ({name: t.textContent, box: t.getBoundingClientRect()}));
	texts.forEach((t, i) => {
		const a = t.box;
		if (a.left < frame.left || a.right > frame.right || a.top < frame.top || a.bottom > frame.bottom)
			found.push('outside: ' + t.name);
		for (const u of texts.slice(i + 1)) {
			const b = u.box, slack = Math.min(a.width, a.height, b.width, b.height) / 5;
			if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > slack && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > slack)
				found.push('clash: ' + t.name + ' and ' + u.name);
		}
	});
	return '[' + (texts.length > 5 ? 'texts' : 'few texts') + '; ' + found.map(f => f.replace(/[<>&]/g, '?')).join('; ') + ']';
});
document.documentElement.innerHTML = '<pre>' + lines.join('\n') + '</pre>';
</script>
JS

# What is found in each of some pictures.
sub measured
{
	my ($name, @svgs) = @_;

	append_to_file("$dir/$name.html", "<!DOCTYPE html><body>@svgs$measure");
	return browse($name, '--dump-dom', "file://$dir/$name.html") =~ /\[([^\]]*)\]/g;
}

sub check_pixels
{
	my ($name, $svg, $paper, @arguments) = @_;
	my ($width, $height) = $svg =~ /width="(\d+)" height="(\d+)"/;

	append_to_file("$dir/$name.svg", $svg);
	browse($name, @arguments, '--force-device-scale-factor=0.5', "--screenshot=$dir/$name.png", "--window-size=$width,$height", "file://$dir/$name.svg");
	my @rows = pixels("$dir/$name.png");
	my %colours = map { $_ => 1 } map { unpack '(a3)*', $_ } @rows;
	cmp_ok(scalar keys %colours, '>', 20, "$name: colours");
	is(unpack('H*', substr $rows[0], 0, 3), $paper, "$name: paper");
	my $edges = join '', @rows[ 0 .. 3, -4 .. -1 ], map { substr($_, 0, 12) . substr($_, -12) } @rows;
	is(join(' ', grep { $_ ne $paper } map { unpack 'H*', $_ } unpack '(a3)*', $edges), '', "$name: nothing at the edges");
	unlink "$dir/$name.svg";
}

# what was wrong would be found
my $wrong = '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="100">' . join('', map { qq{<text x="$_" y="50">name $_</text>} } 0, 10, 80, 150, 220, 290) . '</svg>';
my $both = 'texts; clash: name 0 and name 10; outside: name 290';
is(join('|', measured('wrong', $wrong, $wrong)), "$both|$both", 'a clash and a text outside are found, in each picture');

my $names = q{(ARRAY['Home & Kitchen', 'Movies & TV', 'Cell Phones & Accessories', 'Collectibles, Coins & Fine Art of the Twentieth Century', repeat('W', 60)])[n % 5 + 1] || ' ' || n};
$node->safe_psql('postgres', 'CREATE EXTENSION aread');
for my $domains (1, 3, 30)
{
	my $model = $domains == 30 ? 'a model & its long name ' x 5 : "of $domains";

	$model =~ s/ $//;
	train('postgres', substr($model, 0, 60), $domains, $names);
	$model = substr $model, 0, 60;
	my ($first, $last) = split /\n/, $node->safe_psql('postgres', qq{SELECT domain FROM aread.domain WHERE model = '$model' ORDER BY rows = max(rows) OVER () DESC, rows LIMIT 2});
	$last //= $first;
	my %pictures = (
		overlap => q{aread_overlap_svg($1, theme => $2)},
		experts => q{aread_experts_svg($1, '} . $first . q{', theme => $2)},
		pair => q{aread_experts_svg($1, '} . $first . q{', '} . $last . q{', $2)},
		training => q{aread_training_svg($1, $2)},
		domains => q{aread_domains_svg($1, $2)},
	);
	my $draw = sub {
		my ($what, $theme) = @_;
		my $call = $pictures{$what} =~ s/\$1/'$model'/r =~ s/\$2/'$theme'/r;

		return $node->safe_psql('postgres', "SELECT $call");
	};
	my @whats = sort keys %pictures;
	my %found;
	@found{@whats} = measured("of$domains", map { $draw->($_, 'light') } @whats);
	is($found{$_}, 'texts; ', "$_, $domains domains: texts are where they should be") for @whats;
	next if $domains < 30;
	for my $what (@whats)
	{
		check_pixels("$what-light", $draw->($what, 'light'), 'ffffff');
		check_pixels("$what-auto", $draw->($what, 'auto'), '12171e', '--blink-settings=preferredColorScheme=0');
	}
}

done_testing();
