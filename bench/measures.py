"""measures.py: AUC, DomainAUC and others of weighted rows, for bench/accuracy.py and bench/peer_trees.py."""
import numpy


class Order:
    """Rows sorted by domain and score, once for many weightings of the same rows."""

    def __init__(self, scores, labels, groups):
        self.order = numpy.lexsort((scores, groups))
        scores, groups = scores[self.order], groups[self.order]
        self.labels = labels[self.order] > 0
        starts_group = numpy.r_[True, groups[1:] != groups[:-1]]
        starts_tie = starts_group | numpy.r_[True, scores[1:] != scores[:-1]]
        self.ties = numpy.flatnonzero(starts_tie)
        self.groups = numpy.flatnonzero(starts_group[self.ties])     # where groups start among ties
        self.names = groups[starts_group]

    def sums(self, weights):
        """for each group: pairs of a positive and a negative that are in order (ties count half),
        weight of positives, of negatives"""
        weights = weights[self.order]
        positives = numpy.add.reduceat(numpy.where(self.labels, weights, 0.0), self.ties)
        negatives = numpy.add.reduceat(numpy.where(self.labels, 0.0, weights), self.ties)
        before = numpy.cumsum(negatives) - negatives
        all_positives = numpy.add.reduceat(positives, self.groups)
        all_negatives = numpy.add.reduceat(negatives, self.groups)
        ordered = numpy.add.reduceat(positives * (before + negatives / 2), self.groups)
        return ordered - all_positives * before[self.groups], all_positives, all_negatives


def mean_auc(ordered, positives, negatives):
    """AUC of each group, mean by weight of rows; groups of one class are left out"""
    pairs = positives * negatives
    used = pairs > 0
    if not used.any():
        return numpy.nan
    return numpy.average(ordered[used] / pairs[used], weights=(positives + negatives)[used])


def auc(scores, labels):
    return mean_auc(*Order(scores, labels, numpy.zeros(len(scores), int)).sums(numpy.ones(len(scores))))


def domain_auc(scores, labels, domains):
    return mean_auc(*Order(scores, labels, domains).sums(numpy.ones(len(scores))))


def log_loss(scores, labels):
    of_label = numpy.where(labels > 0, scores, 1 - scores)
    return -numpy.log(numpy.maximum(of_label, 1e-15)).mean()


def calibration_error(scores, labels, bins=20):
    """rows in bins of equal count: mean distance of mean score and positive rate"""
    order = numpy.argsort(scores, kind="stable")
    return sum(abs(scores[part].sum() - labels[part].sum()) for part in numpy.array_split(order, bins)) / len(scores)
