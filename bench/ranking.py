#!/usr/bin/python3
"""ranking.py SET FILE SPLIT SEED: ranking by models other than aread's, with NumPy alone.

FILE is a gzipped file with the columns label, domain, user_id, item_id and SPLIT; its positive
rows are the log.  Protocol as in aread_evaluate_ranking: each positive test row's item, if training rows have it, among
100 others of its domain, of positive training rows, that the user took in no row, drawn
uniformly, or as often as they were taken; NDCG at 10, equal scores being in any order.

Prints lines "SET model seed uniform popularity", NDCG each.  Models:

popularity   positive training rows of the item in the domain
overall      the same over all domains
history      FISM with user vectors: p_u + (sum of q_j over the user's other items) / sqrt(n),
             times q_i, plus log popularity as a fixed offset; logistic loss against 4 draws
             by popularity (Kabbur et al. 2013; Koren 2008), stopped by validation rows
ease         EASE (Steck 2019), where there are at most 5,000 items
"""
import csv
import gzip
import sys

import numpy

LIST = 100
PLACES = 10


def read(path, split):
    """rows of label 1: user, item, domain, split as numbers from 0"""
    columns = {name: [] for name in ('user_id', 'item_id', 'domain', split)}
    with gzip.open(path, 'rt', encoding='utf-8', newline='') as file:
        for row in csv.DictReader(file):
            if float(row['label']) == 1:
                for name, values in columns.items():
                    values.append(row[name])
    numbers = [numpy.unique(numpy.array(columns[name]), return_inverse=True)[1]
               for name in ('user_id', 'item_id', 'domain')]
    splits = numpy.array([('train', 'valid', 'test').index(name) for name in columns[split]])
    return (*numbers, splits)


class Lists:
    """candidates of every positive row of a split, by both ways of drawing"""

    def __init__(self, users, items, domains, splits, split, random, most=None):
        train = splits == 0
        taken = {}
        for user, item in zip(users, items):
            taken.setdefault(user, set()).add(item)
        pools = {}
        for domain in numpy.unique(domains[train]):
            pools[domain] = numpy.unique(items[train & (domains == domain)], return_counts=True)
        known = {domain: set(pool) for domain, (pool, _) in pools.items()}
        self.rows = []
        rows = numpy.array([row for row in numpy.flatnonzero(splits == split)
                            if domains[row] in pools and items[row] in known[domains[row]]])
        if most is not None and len(rows) > most:
            rows = random.permutation(rows)[:most]
        for row in rows:
            pool, counts = pools[domains[row]]
            allowed = ~numpy.isin(pool, list(taken[users[row]]))
            pool, counts = pool[allowed], counts[allowed]
            if len(pool) == 0:
                continue
            n = min(LIST, len(pool))
            keys = random.exponential(size=(2, len(pool)))
            keys[1] /= counts
            # the n least keys: draws without replacement (Efraimidis and Spirakis 2006)
            lists = [pool[numpy.argpartition(k, n - 1)[:n]] for k in keys]
            self.rows.append((users[row], domains[row], items[row], lists))

    def ndcg(self, score):
        """score(user, domain, items [n]) -> [n]; the positive item is the first"""
        sums = numpy.zeros(2)
        gains = numpy.zeros(LIST + 2)
        gains[:PLACES] = 1 / numpy.log2(numpy.arange(PLACES) + 2)
        for user, domain, item, lists in self.rows:
            for kind, candidates in enumerate(lists):
                scores = score(user, domain, numpy.concatenate(([item], candidates)))
                above = (scores[1:] > scores[0]).sum()
                equal = (scores[1:] == scores[0]).sum()
                sums[kind] += gains[above:above + equal + 1].mean()
        return sums / max(len(self.rows), 1)


def popularity(items, domains, splits, by_domain):
    n_items = items.max() + 1
    keys = (domains if by_domain else 0 * domains) * n_items + items
    counts = numpy.bincount(keys[splits == 0], minlength=(domains.max() + 1) * n_items)
    return lambda user, domain, ids: counts[(domain if by_domain else 0) * n_items + ids]


def sigmoid(x):
    return 1 / (1 + numpy.exp(-numpy.clip(x, -30, 30)))


class History:
    """p_u + sum of the vectors of the user's other items / sqrt(n), times q_i, and biases"""

    def __init__(self, users, items, domains, splits, random, width=32, rate=0.05, decay=1e-4):
        train = splits == 0
        self.random, self.rate, self.decay = random, rate, decay
        self.users, self.items, self.domains = users[train], items[train], domains[train]
        n_users, n_items = users.max() + 1, items.max() + 1
        self.lists = [[] for _ in range(n_users)]
        for user, item in zip(self.users, self.items):
            self.lists[user].append(item)
        self.lists = [numpy.array(values, int) for values in self.lists]
        self.counts = popularity(items, domains, splits, True)
        self.params = {'p': random.normal(scale=0.01, size=(n_users, width)),
                       'q': random.normal(scale=0.05, size=(n_items, width)),
                       'h': random.normal(scale=0.05, size=(n_items, width)),
                       'b': numpy.zeros(n_items)}
        self.squares = {name: numpy.full(len(value), 1e-3) for name, value in self.params.items()}
        # draws by popularity within the domain
        self.order = numpy.argsort(self.domains, kind='stable')
        self.start = numpy.searchsorted(self.domains[self.order], numpy.arange(domains.max() + 2))

    def step(self, name, rows, gradients):
        """Adagrad, one rate for each row"""
        value, squares = self.params[name], self.squares[name]
        flat = gradients.reshape(len(rows), -1)
        rows, inverse = numpy.unique(rows, return_inverse=True)
        sums = numpy.zeros((len(rows), flat.shape[1]))
        numpy.add.at(sums, inverse, flat)
        sums += self.decay * value[rows].reshape(len(rows), -1)
        squares[rows] += (sums ** 2).mean(1)
        sums *= self.rate / numpy.sqrt(squares[rows])[:, None]
        value[rows] -= sums.reshape(value[rows].shape)

    def vector(self, user, but=None):
        history = self.lists[user]
        if but is not None:
            history = history[history != but]
        vector = self.params['p'][user]
        if len(history):
            vector = vector + self.params['h'][history].sum(0) / numpy.sqrt(len(history))
        return vector, history

    def epoch(self, negatives=4, batch=512):
        for rows in numpy.array_split(self.random.permutation(len(self.users)),
                                      max(len(self.users) // batch, 1)):
            first, n = self.start[self.domains[rows]], numpy.diff(self.start)[self.domains[rows]]
            draws = (self.random.random((negatives, len(rows))) * n).astype(int) + first
            items = numpy.vstack([self.items[rows], self.items[self.order[draws]]]).T
            pairs = [self.vector(self.users[row], self.items[row]) for row in rows]
            vectors = numpy.array([vector for vector, _ in pairs])
            q = self.params['q'][items]
            logits = (q * vectors[:, None]).sum(2) + self.params['b'][items] - numpy.log(negatives)
            labels = numpy.zeros(items.shape)
            labels[:, 0] = 1
            errors = sigmoid(logits) - labels
            # an item drawn that is the positive one again says nothing
            errors[:, 1:][items[:, 1:] == items[:, :1]] = 0
            of_vectors = (errors[:, :, None] * q).sum(1)
            of_items = errors[:, :, None] * vectors[:, None]
            lengths = numpy.array([len(history) for _, history in pairs])
            histories = numpy.concatenate([history for _, history in pairs]).astype(int)
            of_histories = numpy.repeat(of_vectors / numpy.sqrt(numpy.maximum(lengths, 1))[:, None],
                                        lengths, axis=0)
            self.step('q', items.ravel(), of_items.reshape(-1, of_items.shape[2]))
            self.step('b', items.ravel(), errors.ravel())
            self.step('p', self.users[rows], of_vectors)
            if len(histories):
                self.step('h', histories, of_histories)

    def score(self, user, domain, ids):
        vector, _ = self.vector(user)
        return (self.params['q'][ids] @ vector + self.params['b'][ids] +
                numpy.log(numpy.maximum(self.counts(user, domain, ids), 0.5)))

    def fit(self, valid, epochs=30, patience=3):
        best, kept, since = -1, None, 0
        for _ in range(epochs):
            self.epoch()
            reached = valid.ndcg(self.score).sum()
            since += 1
            if reached > best:
                best, kept, since = reached, {n: v.copy() for n, v in self.params.items()}, 0
            if since == patience:
                break
        self.params = kept
        return self.score


def ease(users, items, splits, penalty=300):
    train = splits == 0
    n_items = items.max() + 1
    seen = numpy.zeros((users.max() + 1, n_items), numpy.float32)
    seen[users[train], items[train]] = 1
    inverse = numpy.linalg.inv(seen.T @ seen + penalty * numpy.eye(n_items, dtype=numpy.float32))
    weights = inverse / -numpy.diag(inverse)
    numpy.fill_diagonal(weights, 0)
    return lambda user, domain, ids: seen[user] @ weights[:, ids]


def main():
    name, path, split, seed = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    random = numpy.random.default_rng(seed)
    users, items, domains, splits = read(path, split)
    test = Lists(users, items, domains, splits, 2, random)
    valid = Lists(users, items, domains, splits, 1, random, 2000)

    def tell(model, score):
        print(name, model, seed, *('%.4f' % value for value in test.ndcg(score)), flush=True)

    tell('popularity', popularity(items, domains, splits, True))
    tell('overall', popularity(items, domains, splits, False))
    tell('history', History(users, items, domains, splits, random).fit(valid))
    if items.max() < 5000:
        tell('ease', ease(users, items, splits))


if __name__ == '__main__':
    main()
