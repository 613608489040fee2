# A race of two networks in the background: seen in its stages, interrupted in each of them
# and resumed to the same model, cancelled within a second.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "max_worker_processes = 12\nautovacuum = off\naread.threads = 1\n");
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]) }
sub column { return sql("SELECT $_[1] FROM aread.run WHERE run = $_[0]") }

# await(RUN, CONDITION): when it holds; the server looks every two milliseconds, since a stage may last only tenths of a second.
sub await
{
	my ($run, $condition) = @_;

	sql(qq{
		DO \$\$
		BEGIN
			FOR i IN 1 .. 60000 LOOP
				IF (SELECT $condition FROM aread.run WHERE run = $run) THEN RETURN; END IF;
				PERFORM pg_stat_clear_snapshot(), pg_sleep(0.002);
			END LOOP;
			RAISE 'run $run: never %; it is %', \$condition\$$condition\$condition\$, (SELECT to_json(r) FROM aread.run r WHERE run = $run);
		END \$\$});
}

sub kept { return sql("SELECT architecture || ' ' || crc FROM aread.model WHERE model = '$_[0]'") }

sql(q{
	SET client_min_messages = warning;
	CREATE EXTENSION aread;
	CREATE TABLE seen AS SELECT label, domain, user_id, item_id,
			CASE WHEN sequence % 10 < 8 THEN 'train' WHEN sequence % 10 = 8 THEN 'valid' ELSE 'test' END AS split
		FROM aread_simulate(130000, domains => 8, groups => 3, users => 300, items => 150, strength => 4)});

# the same networks but for HEI's experts, whose width says which one wins
my $common = '"epochs": 3, "trees": 0, "wide": %s, "row_counts": false, "embed_dim": 8, "mmoe_experts": 2, "mmoe_dims": [16, 8], "mmoe_mixtures": 1, "cross_layers": 0, "hei_experts": [4, 4], "learning_rate": 0.004, "recommend_items": 0, "recommend_users": 0';
my %options = (
	hei => sprintf("{$common, %s}", 'false', '"hei_hidden": [16, 16], "hei_output": [8, 8]'),
	mmoe => sprintf("{$common, %s}", 'true', '"hei_hidden": [1, 1], "hei_output": [1, 1], "base_skip": false'));

my $often = q{SET aread.checkpoint_interval = '50ms'; };
sub start_run { return sql("$often SELECT aread_train_start('seen', '$_[0]', features => '{domain,user_id,item_id}', options => '$_[1]')") }

for my $winner (sort keys %options)
{
	my (undef, $out, $error) = $node->psql('postgres', "SELECT aread_train('seen', '$winner', features => '{domain,user_id,item_id}', options => '$options{$winner}')");
	my $wanted = kept($winner);

	like($wanted, qr/^$winner /, "$winner wins");
	like($error, qr/NOTICE:  race: training mmoe for 2 epochs\n.*NOTICE:  epoch 1 of 2: .*NOTICE:  race: mmoe has validation DomainAUC (0\.\d{4}); training hei\n.*NOTICE:  epoch 1 of 3: .*NOTICE:  race: $winner (?:is ahead|stays), validation DomainAUC .*\b\1\b/s, "$winner: NOTICEs tell of it");
	is(scalar(() = $error =~ /NOTICE:  start: /g), $winner eq 'hei' ? 2 : 3, "$winner: a start of each network");
	for my $phase ('race: mmoe', 'race: hei', 'training')
	{
		my $run = start_run('resumed', $options{$winner});

		await($run, sprintf(q{phase = '%s' AND batch > 20 AND checkpoint_at > clock_timestamp() - interval '1s' AND ends_at IS %s AND epochs = %s},
			$phase, $phase eq 'training' ? 'NOT NULL' : 'NULL', $phase eq 'race: mmoe' ? 2 : 3));
		$node->stop('immediate');
		$node->start;
		is(column($run, 'state'), 'interrupted', "$winner, $phase: interrupted");
		sql("SELECT aread_resume($run)");
		sql("SELECT aread_wait($run)");
		is(kept('resumed'), $wanted, "$winner, $phase: resumed to the same model");
		is(sql(q{SELECT string_agg(format('%s %s %s', evaluation, domain_auc, reason), E'\n' ORDER BY evaluation) FROM aread.training_log WHERE model = 'resumed'}),
			sql(qq{SELECT string_agg(format('%s %s %s', evaluation, domain_auc, reason), E'\\n' ORDER BY evaluation) FROM aread.training_log WHERE model = '$winner'}), "$winner, $phase: and to the same log");
		like(column($run, 'messages'), qr/NOTICE:  race: $winner (?:is ahead|stays)/, "$winner, $phase: its messages say who won");
		sql("SELECT aread_drop('resumed')");
	}
}

like(($node->psql('postgres', q{SELECT aread_train('seen', 'both', features => '{domain,user_id,item_id}', options => '{"epochs": 1, "trees": 0, "mmoe_mixtures": 2, "target_density": 0.3}')}))[2],
	qr/NOTICE:  options without effect on architecture "hei": mmoe_mixtures\n/, 'an option without effect on the network that is trained');

for my $phase ('race: mmoe', 'race: hei')
{
	my $run = start_run('cancelled', $options{hei});

	await($run, "phase = '$phase' AND batch > 5");
	my $asked = time;
	sql("SELECT aread_cancel($run)");
	await($run, q{state = 'cancelled'});
	cmp_ok(time - $asked, '<', 1.5, "$phase: cancelled");
}
is(sql(q{SELECT count(*) FROM aread.model WHERE model IN ('resumed', 'cancelled')}), '0', 'nothing remains');

done_testing();
