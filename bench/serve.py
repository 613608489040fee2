"""serve.py ROWS KNOWN SCORES: scores exported rows in PyTorch, as one does beside a database.

KNOWN holds a value for each line: column, value; the values that the model
was trained with.  ROWS has a line of numbers for each row, SCORES gets a line
with its number and its score.  Prints seconds from the first byte read to the
last one written: values to ids, the network of peer.py in batches, text.
Starting Python, reading KNOWN and building the network do not count.
"""
import sys
import time

import numpy
import torch

from peer import BATCH, Network, score

COUNTS = 32                      # bins of the rows of a user, an item


def main():
    rows_path, known_path, scores_path = sys.argv[1:]
    pairs = numpy.fromfile(known_path, dtype=numpy.int64, sep=" ").reshape(-1, 2)
    known = [numpy.unique(pairs[pairs[:, 0] == column, 1]) for column in range(pairs[:, 0].max() + 1)]
    sizes = [len(values) + 1 for values in known] + [COUNTS, COUNTS]
    first = numpy.cumsum([0] + sizes[:-1])
    torch.manual_seed(1)
    network = Network(sizes, True)
    network.eval()

    start = time.perf_counter()
    table = numpy.fromfile(rows_path, dtype=numpy.int64, sep=" ").reshape(-1, len(known))
    ids = numpy.empty((len(table), len(sizes)), dtype=numpy.int64)
    for column, values in enumerate(known):
        place = numpy.minimum(numpy.searchsorted(values, table[:, column]), len(values) - 1)
        ids[:, column] = numpy.where(values[place] == table[:, column], place, len(values))
    ids[:, len(known):] = ids[:, 1:3] % COUNTS        # stands for two look-ups
    ids = torch.from_numpy(ids + first)
    scores = torch.cat([score(network, part) for part in ids.split(BATCH)]).tolist()
    with open(scores_path, "w") as file:
        file.writelines(f"{row}\t{value}\n" for row, value in enumerate(scores))
    print(f"{time.perf_counter() - start:.2f}")


main()
