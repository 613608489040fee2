#!/usr/bin/python3
"""peer_trees.py [-c CACHE] [-f FOLDER] [SET...]: gradient-boosted trees of XGBoost beside aread.

Prints a row of Markdown for each SET of bench/sets (default: all): AUC and
DomainAUC of test rows, seconds, and what was chosen.  FOLDER has the files
(../shared/data beside the project); sets that are not there are skipped.
Simulated sets are read from CACHE (~/.cache/aread-accuracy), where
bench/accuracy leaves them.  Results are kept in CACHE/peer_trees; a rerun does
only what is missing there.

Trees see two numbers for each feature: the rate of positives among training
rows of its value, smoothed towards the rate of all and as logit, and the log of
their count.  A training row's numbers come from the other four of five folds.
A list has the mean of its elements' numbers, and its length.

Choices are made on validation rows in two steps.  First come the features
(single ones; also those of domain x feature; also those of user x feature) and
the folds (rows are drawn one by one; or by user, item and domain, so that rows
which repeat share a fold).  Then come depth (4, 6, 8), least weight of a leaf
(5, 20) and rate (0.05, 0.1), one after the other.  Trees stop there early, too.
The model that is best there scores test rows, which are looked at once.

Seconds are of the model that was chosen, and of all that were tried.  Needs
XGBoost in /usr/bin/python3 (Debian: python3-xgboost).
"""
import argparse
import csv
import gzip
import hashlib
import itertools
import json
import os
import sys
import time
from array import array
from pathlib import Path

import numpy
import xgboost

from measures import auc, domain_auc

HERE = Path(__file__).resolve().parent
TRAIN, VALID, TEST = 0, 1, 2
FOLDS, SMOOTHING = 5, 10
ROUNDS, PATIENCE = 1000, 30
NO_FEATURES = ("label", "timestamp", "seq_pos", "sequence", "row_number", "split", "split_time", "split_order")
LISTS = ("user_hist", "item_attributes", "user_last_items", "item_words")
NUMBERS = ("price",)                                   # they are inputs as they are
VERSION = 1                                            # of results: a change to them has a number of its own

FEATURES = ("single", "domain pairs", "domain and user pairs")
GROUPED = (False, True)
FIRST_TREES = {"depth": 6, "leaf": 20, "rate": 0.1}
OTHER_TREES = (("depth", 4), ("depth", 8), ("leaf", 5), ("rate", 0.05))


class Data:
    """A set: labels, splits, and a number for each value of each feature, 0 if no training row has it."""

    def __init__(self, path, split):
        columns = read_columns(path)
        self.labels = numpy.array(columns["label"], dtype=numpy.float32)
        self.splits = find_splits(columns, split)
        self.train = self.splits == TRAIN
        self.prior = self.labels[self.train].mean()
        self.features = {name: number_values(column, self.train) for name, column in columns.items()
                         if name not in NO_FEATURES + LISTS + NUMBERS}
        self.numbers = [numpy.array(column, dtype=numpy.float32) for name, column in columns.items() if name in NUMBERS]
        self.lists = {name: number_elements(column) for name, column in columns.items() if name in LISTS}
        self.domains = number_values(columns["domain"], numpy.ones_like(self.train))

    def rows(self, split):
        return numpy.flatnonzero(self.splits == split)


def read_columns(path):
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", newline="") as file:
        reader = csv.reader(file)
        names = next(reader)
        return dict(zip(names, map(list, zip(*map(intern_values, reader)))))


def intern_values(row):
    return [sys.intern(value) for value in row]


def find_splits(columns, split):
    if split == "tenths":
        place = numpy.array(columns["sequence"], dtype=numpy.int64) % 10
        return numpy.select([place < 8, place == 8], [TRAIN, VALID], TEST)
    if split == "cut":
        times = numpy.array(columns["timestamp"], dtype=numpy.int64)
        share = numpy.searchsorted(numpy.sort(times), times) / (len(times) - 1)
        return numpy.select([share < 0.7, share < 0.8], [TRAIN, VALID], TEST)
    return numpy.array([("train", "valid", "test").index(name) for name in columns[split]])


def number_values(values, train):
    codes = {}
    numbers = numpy.array([codes.setdefault(value, len(codes)) for value in values])
    known = numpy.bincount(numbers[train], minlength=len(codes)) > 0
    return numpy.where(known, numpy.cumsum(known), 0)[numbers]


def number_elements(lists):
    """of each list's elements: their row, their number"""
    codes, rows, numbers = {}, array("q"), array("q")
    for row, text in enumerate(lists):
        elements = text.strip("{}")
        for element in elements.split(",") if elements else ():
            rows.append(row)
            numbers.append(codes.setdefault(element, len(codes)))
    return numpy.frombuffer(rows, dtype=numpy.int64), numpy.frombuffer(numbers, dtype=numpy.int64)


def pair(a, b):
    """a number for each pair of values; 0 where either is unknown"""
    keys = numpy.where((a == 0) | (b == 0), -1, a * (b.max() + 1) + b)
    values, numbers = numpy.unique(keys, return_inverse=True)
    return numbers if values[0] < 0 else numbers + 1


def draw_folds(data, grouped):
    random = numpy.random.default_rng(1)
    if not grouped:
        return random.integers(0, FOLDS, len(data.labels))
    group = pair(pair(data.features["user_id"], data.features["item_id"]), data.domains)
    return random.integers(0, FOLDS, group.max() + 1)[group]


def rates_and_counts(data, folds, numbers, rows=None):
    """logit of the smoothed rate and log count of each number; the numbers are of all rows, or of
    elements that lie in rows"""
    rows = numpy.arange(len(data.labels)) if rows is None else rows
    train, fold, size = data.train[rows], folds[rows], numbers.max() + 1
    place = fold * size + numbers
    counts = numpy.bincount(place[train], minlength=FOLDS * size).reshape(FOLDS, size)
    positives = numpy.bincount(place[train], data.labels[rows][train], FOLDS * size).reshape(FOLDS, size)
    own = numpy.where(train, fold, FOLDS)                  # rows of no fold leave nothing out
    counts = numpy.vstack([counts.sum(0) - counts, counts.sum(0)])
    positives = numpy.vstack([positives.sum(0) - positives, positives.sum(0)])
    rate = (positives + SMOOTHING * data.prior) / (counts + SMOOTHING)
    counts[:FOLDS] = counts[:FOLDS] * FOLDS // (FOLDS - 1)  # as many as other rows see, on average
    return numpy.log(rate / (1 - rate))[own, numbers], numpy.log1p(counts)[own, numbers]


def encode_list(data, folds, rows, numbers):
    """the means over a row's elements of their logits and log counts, and how many there are"""
    lengths = numpy.bincount(rows, minlength=len(data.labels))
    means = [numpy.bincount(rows, values, len(data.labels)) / numpy.maximum(lengths, 1)
             for values in rates_and_counts(data, folds, numbers, rows)]
    return [*means, lengths]


def encode(data, features, folds):
    """rows x inputs of the trees"""
    names = list(data.features)
    pairs = [("domain", name) for name in names if name != "domain"] if features != "single" else []
    if features == "domain and user pairs":
        pairs += [("user_id", name) for name in names if name not in ("domain", "user_id")]
    columns = list(data.numbers)
    for name in names:
        columns += rates_and_counts(data, folds, data.features[name])
    for a, b in pairs:
        columns += rates_and_counts(data, folds, pair(data.features[a], data.features[b]))
    for rows, numbers in data.lists.values():
        if len(rows) > 0:
            columns += encode_list(data, folds, rows, numbers)
    return numpy.column_stack([column.astype(numpy.float32) for column in columns])


class Encoded:
    """Inputs of training and validation rows, ready for trees of any shape."""

    def __init__(self, data, features, grouped):
        start = time.perf_counter()
        self.choice = {"features": features, "folds": "by group" if grouped else "by row"}
        self.inputs = encode(data, features, draw_folds(data, grouped))
        train, valid = data.rows(TRAIN), data.rows(VALID)
        self.train = xgboost.QuantileDMatrix(self.inputs[train], data.labels[train], nthread=1)
        self.valid = xgboost.QuantileDMatrix(self.inputs[valid], data.labels[valid], nthread=1, ref=self.train)
        self.seconds = time.perf_counter() - start

    def fit(self, depth, leaf, rate):
        start = time.perf_counter()
        settings = {"objective": "binary:logistic", "eval_metric": "auc", "tree_method": "hist", "nthread": 1, "seed": 1,
                    "max_depth": depth, "eta": rate, "min_child_weight": leaf, "subsample": 0.8, "colsample_bytree": 0.8}
        trees = xgboost.train(settings, self.train, ROUNDS, evals=[(self.valid, "valid")],
                              early_stopping_rounds=PATIENCE, verbose_eval=False)
        return {**self.choice, "depth": depth, "leaf": leaf, "rate": rate, "trees": trees.best_iteration + 1,
                "valid": trees.best_score, "seconds": self.seconds + time.perf_counter() - start, "model": trees}


def search(data, tell):
    """the attempt that validation rows like best, and the inputs it was made of"""
    def better(best, encoded, trees):
        attempt = encoded.fit(**trees)
        tell(attempt)
        return (attempt, encoded) if best is None or attempt["valid"] > best[0]["valid"] else best

    best = None
    for features, grouped in itertools.product(FEATURES, GROUPED):
        best = better(best, Encoded(data, features, grouped), FIRST_TREES)
    for name, value in OTHER_TREES:
        attempt, encoded = best
        best = better(best, encoded, {**{key: attempt[key] for key in FIRST_TREES}, name: value})
    return best


def measure(path, split, tell):
    """everything for one set, as what is kept in the cache"""
    start = time.perf_counter()
    data = Data(path, split)
    attempt, encoded = search(data, tell)
    trees, test = attempt.pop("model"), data.rows(TEST)
    scores = trees.predict(xgboost.DMatrix(encoded.inputs[test], nthread=1), iteration_range=(0, trees.best_iteration + 1))
    labels = data.labels[test]
    return {**attempt, "auc": auc(scores, labels), "domain_auc": domain_auc(scores, labels, data.domains[test]),
            "all_seconds": time.perf_counter() - start}


def cached(cache, name, path, split):
    """the result for a set, from the cache where the same file was measured before"""
    key = hashlib.sha256(f"{VERSION} {split}".encode())
    key.update(path.read_bytes())
    file = cache / "peer_trees" / f"{name}-{key.hexdigest()[:16]}.json"
    if not file.exists():
        def tell(attempt):
            print(name, *(f"{key} {value}" for key, value in attempt.items() if key != "model"), sep=", ",
                  file=sys.stderr, flush=True)
        result = measure(path, split, tell)
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(result) + "\n")
        part.rename(file)
    return json.loads(file.read_text())


def print_row(name, r):
    print(f"| {name} | {r['auc']:.4f} | {r['domain_auc']:.4f} | {r['seconds']:.0f} | {r['all_seconds']:.0f} | "
          f"{r['features']}, folds {r['folds']}, depth {r['depth']}, rate {r['rate']}, leaf {r['leaf']}, "
          f"{r['trees']} trees |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-c", dest="cache", type=Path, default=Path.home() / ".cache/aread-accuracy")
    parser.add_argument("-f", dest="folder", type=Path, default=HERE.parent.parent / "shared/data")
    parser.add_argument("sets", nargs="*")
    arguments = parser.parse_args()
    lines = [line.split() for line in (HERE / "sets").read_text().splitlines() if line and not line.startswith("#")]
    print("| set | AUC | DomainAUC | seconds | with all attempts | chosen |\n| --- | --- | --- | --- | --- | --- |", flush=True)
    for name, source, split, _ in lines:
        if arguments.sets and name not in arguments.sets:
            continue
        path = arguments.cache / f"{name}.csv.gz" if source.startswith("simulate:") else arguments.folder / source
        if path.exists():
            print_row(name, cached(arguments.cache, name, path, split))
        else:
            print(f"| {name} | skipped: no {path.name} | | | | |", flush=True)


if __name__ == "__main__":
    main()
