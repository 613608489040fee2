"""accuracy.py WANTED REPLICATES: the report of bench/accuracy, in Markdown.

WANTED has a line for each run, with tabs: set, the set's directory, number of
the arm, its name, seed, file of scores.  The directory has "domains" (training
rows and name of each) and rows.gz: split (1 validation, 2 test), label and
domain's number of each row that is scored.  A run that has no file has failed,
and is left out.

Intervals come from a bootstrap.  A replicate weighs each test row of a set by a
Poisson(1) count, the same for all arms, and draws as many seeds of an arm as
there are, with replacement.  Replicate 0 has each row and each seed once.
"""
import gzip
import sys
import zlib
from collections import defaultdict
from multiprocessing import Pool, cpu_count
from pathlib import Path
from types import SimpleNamespace

import numpy

from measures import Order, calibration_error, log_loss, mean_auc

TEST, SMALL, CLOSE = 2, 10, 0.001
DEFAULT, FOR_ALL, BY_DOMAIN = "default", "wide", "one model per domain"
AUC, DOMAIN_AUC, MINOR_AUC = range(3)                  # places in Run.values; small domains follow
NAMES = ("AUC", "DomainAUC", "Minor10AUC")

data = None                                            # the set whose runs the processes measure


def numbers(path, type):
    return numpy.fromstring(gzip.open(path, "rt").read(), dtype=type, sep=" ")


def read_set(name, directory, replicates):
    """labels, domains and weights (replicates x rows) of test rows, and the domains that count as small: the
    ten of fewest training rows among those that have test rows of both classes"""
    splits, labels, domains = numbers(directory / "rows.gz", numpy.int64).reshape(-1, 3).T
    test = splits == TEST
    labels, domains = labels[test], domains[test]
    lines = (directory / "domains").read_text().splitlines()
    training = [int(line.split("\t")[0]) for line in lines]
    both = [d for d in range(len(lines)) if len(numpy.unique(labels[domains == d])) == 2]
    small = sorted(both, key=lambda d: (training[d], d))[:SMALL]
    random = numpy.random.default_rng(zlib.crc32(name.encode()))
    weights = random.poisson(1, (replicates + 1, len(labels))).astype(numpy.uint8)
    weights[0] = 1
    return SimpleNamespace(name=name, test=test, labels=labels, domains=domains, training=training,
                           names=[line.split("\t", 1)[1] for line in lines], small=small, weights=weights)


def measure(path):
    """seconds, log loss, calibration error; values (replicates x measures) of one run of the set in data"""
    content = numbers(path, float)
    scores = content[1:][data.test]
    everywhere = Order(scores, data.labels, numpy.zeros(len(scores), int))
    by_domain = Order(scores, data.labels, data.domains)
    places = numpy.searchsorted(by_domain.names, data.small)
    values = numpy.empty((len(data.weights), 3 + len(places)))
    for row, weights in zip(values, data.weights):
        weights = weights.astype(float)
        sums = numpy.array(by_domain.sums(weights))
        row[AUC] = mean_auc(*everywhere.sums(weights))
        row[DOMAIN_AUC], row[MINOR_AUC] = mean_auc(*sums), mean_auc(*sums[:, places])
        row[3:] = [mean_auc(*sums[:, [place]]) for place in places]
    return SimpleNamespace(seconds=content[0], log_loss=log_loss(scores, data.labels),
                           calibration_error=calibration_error(scores, data.labels), values=values)


def draw_seeds(runs, random):
    """values of an arm (replicates x measures), mean over the seeds that each replicate draws"""
    values = numpy.stack([run.values for run in runs])
    drawn = random.integers(0, len(runs), (values.shape[1], len(runs)))
    drawn[0] = numpy.arange(len(runs))
    return values[drawn, numpy.arange(values.shape[1])[:, None]].mean(1)


def measure_set(name, lines, replicates):
    """the set with its arms, in order: name, runs, values"""
    global data
    data = read_set(name, Path(lines[0][1]), replicates)
    lines = sorted((int(arm), int(seed), title, path) for _, _, arm, title, seed, path in lines if Path(path).exists())
    with Pool(cpu_count()) as pool:                    # its processes are forked, and have the set
        runs = pool.map(measure, [line[-1] for line in lines], chunksize=1)
    by_arm = defaultdict(list)
    for (_, _, title, _), run in zip(lines, runs):
        by_arm[title].append(run)
    random = numpy.random.default_rng(zlib.crc32(name.encode()) + 1)
    data.arms = {title: SimpleNamespace(runs=runs, values=draw_seeds(runs, random)) for title, runs in by_arm.items()}
    data.weights = None
    return data


def interval(values):
    """of replicates: the first one, and the middle 95 % of the others that have a value"""
    others = values[1:][~numpy.isnan(values[1:])]
    if len(others) == 0:
        return f"{values[0]:.4f}"
    return "{:.4f} ({:.4f} to {:.4f})".format(values[0], *numpy.quantile(others, (0.025, 0.975)))


def mean_and_deviation(values, digits=4):
    deviation = f" ({numpy.std(values, ddof=1):.{digits}f})" if len(values) > 1 else ""
    return f"{numpy.mean(values):.{digits}f}{deviation}"


def print_table(title, head, rows):
    print(f"\n{title}\n")
    for row in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(str(cell) for cell in row) + " |")


def print_set(measured):
    rows = []
    for title, arm in measured.arms.items():
        values = [[run.values[0, place] for run in arm.runs] for place in range(3)]
        values += [[run.log_loss for run in arm.runs], [run.calibration_error for run in arm.runs]]
        rows.append([title, len(arm.runs), *map(mean_and_deviation, values),
                     mean_and_deviation([run.seconds for run in arm.runs], 0)])
    print(f"\n## {measured.name}")
    print_table(f"{len(measured.labels)} test rows; mean over seeds (standard deviation between them).",
                ["arm", "seeds", *NAMES, "log loss", "calibration error", "seconds"], rows)


def print_small_domains(measured):
    shown = [title for title in (DEFAULT, FOR_ALL, BY_DOMAIN) if title in measured.arms]
    rows = [[measured.names[d], measured.training[d], (measured.domains == d).sum(),
             *(interval(measured.arms[title].values[:, 3 + place]) for title in shown)]
            for place, d in enumerate(measured.small)]
    values = [measured.arms[title].values[:, MINOR_AUC] for title in shown]
    rows.append(["all of these", sum(measured.training[d] for d in measured.small),
                 numpy.isin(measured.domains, measured.small).sum(), *map(interval, values)])
    if shown and shown[0] == DEFAULT:
        rows.append(["gain of the default", "", "", "", *(interval(values[0] - other) for other in values[1:])])
    print_table("AUC in the domains of fewest training rows, with intervals.",
                ["domain", "training rows", "test rows", *shown], rows)


def arms_of_all(sets):
    return [title for title in max((s.arms for s in sets), key=len) if all(title in s.arms for s in sets)]


def differences(sets, arm, reference, place):
    return numpy.mean([s.arms[arm].values[:, place] - s.arms[reference].values[:, place] for s in sets], axis=0)


def print_summary(sets, arms, reference):
    points = numpy.array([[s.arms[arm].values[0, :2] for arm in arms] for s in sets])      # sets x arms x measures
    ranks = (points[:, None] > points[:, :, None]).sum(2) + (points[:, None] == points[:, :, None]).sum(2) / 2 + 0.5
    close = points >= points.max(1, keepdims=True) - CLOSE
    rows = [[arm, *(f"{rank:.1f}" for rank in ranks[:, number].mean(0)),
             *(interval(differences(sets, arm, reference, place)) if arm != reference else "-" for place in range(3)),
             *close[:, number].sum(0), close[:, number].all(1).sum()] for number, arm in enumerate(arms)]
    print(f"\n## All {len(sets)} sets")
    print_table(f"Mean rank; mean difference to {reference}, with intervals; in how many sets an arm is within {CLOSE} of the best.",
                ["arm", "rank, AUC", "rank, DomainAUC", *NAMES, "close in AUC", "close in DomainAUC", "in both"], rows)


def mean_seconds(arm):
    return numpy.mean([run.seconds for run in arm.runs])


def print_reference(sets, arms, reference):
    """the reference beside the best other arm of each set"""
    rows = []
    for s in sets:
        row = [s.name]
        for place in (AUC, DOMAIN_AUC):
            best = max((arm for arm in arms if arm != reference), key=lambda arm: s.arms[arm].values[0, place])
            row += [best, interval(differences([s], reference, best, place)),
                    f"{mean_seconds(s.arms[reference]) / max(mean_seconds(s.arms[best]), 0.01):.1f}"]
        rows.append(row)
    print_table(f"{reference} less the best other arm, with intervals, and its seconds over those of that arm.",
                ["set", "best in AUC", "difference", "time", "best in DomainAUC", "difference", "time"], rows)


def main():
    wanted, replicates = Path(sys.argv[1]), int(sys.argv[2])
    by_set, sets = defaultdict(list), []
    for line in wanted.read_text().splitlines():
        line = line.split("\t")
        by_set[line[0]].append(line)
    for name, lines in by_set.items():
        measured = measure_set(name, lines, replicates)
        if measured.arms:
            print_set(measured)
            print_small_domains(measured)
            sets.append(measured)
    arms = arms_of_all(sets) if sets else []
    if len(arms) > 1:
        reference = DEFAULT if DEFAULT in arms else arms[-1]
        print_summary(sets, arms, reference)
        print_reference(sets, arms, reference)
    failed = sum(not Path(line[-1]).exists() for lines in by_set.values() for line in lines)
    if failed:
        sys.exit(f"{failed} runs failed, and are left out")


if __name__ == "__main__":
    main()
