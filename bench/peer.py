"""peer.py FILE THREADS BATCHES [auc]: the default network of aread in PyTorch.

FILE has a row of integers for each interaction: label, split (0 train,
1 validation, 2 test), then for each column the number of its value; the
columns begin with domain, user, item.  Prints rows per second of training
with Adam, of training with SparseAdam for the embeddings, and of scoring, in
batches of 1024, over BATCHES of them after 10 to warm up.  With auc: the test
AUC after one epoch (SparseAdam) instead.

The network does the work of aread's: same inputs, layers, masks as dense as
those of a usual training, and loss; masks are drawn, not searched.  It does
less in one place: the wide part has one fixed weight for each value, which is
zero, and none for pairs of a value and a domain.  It is written as one writes
PyTorch: no product is shared between rows of a batch that have a value in
common, and every embedding is looked up for every row.
"""
import sys
import time

import numpy
import torch
from torch import nn
from torch.nn import functional

BATCH, WARM_UP, DIM, DROPOUT = 1024, 10, 32, 0.1
EXPERTS = (3, 6, 12)             # of the three layers of HEI
HEI = ((64, 64, 32), (32, 32, 16), (16, 16, 8))
MMOE, MMOE_EXPERTS, CROSS_LAYERS = (256, 128, 64), 4, 3


def read(path):
    """labels, splits, ids (rows x fields; fields count on from each other), values of each field"""
    with open(path) as file:
        columns = len(file.readline().split())
    table = numpy.fromfile(path, dtype=numpy.int64, sep=" ").reshape(-1, columns)
    labels, splits, values = table[:, 0], table[:, 1], table[:, 2:]
    fields = list(values.T)
    for field in (values[:, 1], values[:, 2]):       # training rows of the user, of the item
        count = numpy.bincount(field[splits == 0], minlength=field.max() + 1)[field]
        fields.append(numpy.log2(count + 1).astype(numpy.int64))
    sizes = [int(field.max()) + 1 for field in fields]
    first = numpy.cumsum([0] + sizes[:-1])
    ids = numpy.stack(fields, axis=1) + first
    return torch.from_numpy(labels).float(), splits, torch.from_numpy(ids), sizes


def draw_masks(domains, generator):
    """feeds: for each domain, which experts of the first layer feed those of the second, of the second those
    of the third (domains x upper x lower); used: for each layer, which experts a domain uses"""
    feeds = [torch.rand(domains, upper, lower, generator=generator) < 0.4
             for lower, upper in zip(EXPERTS, EXPERTS[1:])]
    for feed in feeds:
        feed[:, 0, 0] = True                         # so that one path is left at least
    for _ in EXPERTS:                                # closing reaches one layer further each time
        feeds[1] &= feeds[0].any(2).unsqueeze(1)     # an expert without inputs feeds nobody
        feeds[0] &= feeds[1].any(1).unsqueeze(2)     # one that feeds nobody has no inputs
    return feeds, [feeds[0].any(1), feeds[0].any(2), feeds[1].any(2)]


def mlp(*widths):
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs, eps=1e-5, momentum=0.1),
                   nn.ReLU(), nn.Dropout(DROPOUT)]
    return nn.Sequential(*layers)


def weights(*shape):
    return nn.Parameter(torch.randn(*shape) * 0.01)


class Network(nn.Module):
    def __init__(self, sizes, sparse):
        super().__init__()
        width = len(sizes) * DIM
        # the tables of all fields, one after the other: the domains are the first rows
        self.embedding = nn.Embedding(sum(sizes), DIM, sparse=sparse)
        nn.init.normal_(self.embedding.weight, 0, 0.01)
        self.register_buffer("wide", torch.zeros(sum(sizes)))
        self.bias = nn.Parameter(torch.zeros(1))
        self.mmoe = nn.ModuleList(mlp(width, *MMOE) for _ in range(MMOE_EXPERTS))
        self.mmoe_gates = nn.Linear(width, EXPERTS[0] * MMOE_EXPERTS)
        self.skip = weights(EXPERTS[0] * MMOE[-1])
        self.cross_weights, self.cross_biases = weights(CROSS_LAYERS, width), nn.Parameter(torch.zeros(CROSS_LAYERS, width))
        self.groups = weights(EXPERTS[0], DIM)
        self.hei = nn.ModuleList(nn.ModuleList(mlp(*widths) for _ in range(n)) for widths, n in zip(HEI, EXPERTS))
        self.hei_gates = nn.ModuleList(nn.Linear(2 * DIM, upper * lower) for lower, upper in zip(EXPERTS, EXPERTS[1:]))
        self.head, self.cross_head = weights(EXPERTS[-1], HEI[-1][-1]), weights(EXPERTS[-1], width)
        self.domains = torch.arange(sizes[0])
        self.feeds, self.used = draw_masks(sizes[0], torch.Generator().manual_seed(1))

    def gates(self):
        """for each domain, what the experts of the upper layers take from those below: domains x upper x lower"""
        used = self.used[0].float()
        group = used @ self.groups / used.sum(1, keepdim=True)
        context = torch.cat([self.embedding(self.domains), group], dim=1)
        for linear, feeds in zip(self.hei_gates, self.feeds):
            yield functional.softmax(linear(context).view(feeds.shape).masked_fill(~feeds, -1e9), dim=2) * feeds

    def layer(self, experts, used, inputs, domain):
        """one layer of HEI, rows x experts x width; an expert runs on the rows of domains that use it"""
        outputs = []
        for n, (expert, own) in enumerate(zip(experts, inputs.unbind(1))):
            rows = used[:, n].index_select(0, domain).nonzero().squeeze(1)
            if len(rows) < 1 + self.training:        # too few for batch normalization
                outputs.append(inputs.new_zeros(len(domain), expert[-4].out_features))
                continue
            output = expert(own.index_select(0, rows))
            outputs.append(output.new_zeros(len(domain), output.shape[1]).index_copy(0, rows, output))
        return torch.stack(outputs, dim=1)

    def forward(self, ids):
        """logits (rows x heads), and which heads are open"""
        domain = ids[:, 0].contiguous()
        x0 = self.embedding(ids).flatten(1)
        wide = self.wide[ids].sum(1)

        # MMoE: a mixture of the experts for each expert of HEI's first layer
        experts = torch.stack([expert(x0) for expert in self.mmoe], dim=1)
        mix = functional.softmax(self.mmoe_gates(x0).view(-1, EXPERTS[0], MMOE_EXPERTS), dim=2)
        h = torch.bmm(mix, experts)

        cross = x0
        for v, b in zip(self.cross_weights, self.cross_biases):
            cross = x0 * (cross @ v).unsqueeze(1) + b + cross

        e = self.layer(self.hei[0], self.used[0], h, domain)
        for experts, used, gates in zip(self.hei[1:], self.used[1:], self.gates()):
            e = self.layer(experts, used, torch.bmm(gates.index_select(0, domain), e), domain)

        base = wide + self.bias + h.flatten(1) @ self.skip
        logits = (self.head * e).sum(2) + cross @ self.cross_head.t() + base.unsqueeze(1)
        return logits, self.used[-1].index_select(0, domain)


def open_mean(values, is_open):
    return (values * is_open).sum(1) / is_open.sum(1)


def optimizers(network, sparse):
    table = network.embedding.weight
    dense = [parameter for parameter in network.parameters() if parameter is not table]
    settings = {"lr": 0.002, "betas": (0.9, 0.99), "eps": 1e-8}
    if sparse:
        return [torch.optim.SparseAdam([table], **settings), torch.optim.Adam(dense, weight_decay=1e-5, **settings)]
    return [torch.optim.Adam([{"params": dense, "weight_decay": 1e-5}, {"params": [table]}], **settings)]


def train_batch(network, adams, ids, labels):
    logits, is_open = network(ids)
    losses = functional.binary_cross_entropy_with_logits(logits, labels.unsqueeze(1).expand_as(logits), reduction="none")
    loss = open_mean(losses, is_open).mean()
    for adam in adams:
        adam.zero_grad(set_to_none=True)
    loss.backward()
    for adam in adams:
        adam.step()


def score(network, ids):
    with torch.no_grad():
        logits, is_open = network(ids)
        return open_mean(torch.sigmoid(logits), is_open)


def batches(rows):
    """batches of the rows, shuffled anew for each epoch, without end; no batch is smaller than the others"""
    while True:
        order = rows[torch.randperm(len(rows))]
        for first in range(0, len(rows) - BATCH + 1, BATCH):
            yield order[first:first + BATCH]


def speed(run, rows, count):
    """rows per second of run(rows of a batch)"""
    source = batches(rows)
    for _ in range(WARM_UP):
        run(next(source))
    start = time.perf_counter()
    for _ in range(count):
        run(next(source))
    return count * BATCH / (time.perf_counter() - start)


def auc(scores, labels):
    """the share of pairs of a positive and a negative that are in order; ties count half"""
    values, place, counts = numpy.unique(scores, return_inverse=True, return_counts=True)
    ranks = (numpy.cumsum(counts) - (counts - 1) / 2)[place]
    positives = int(labels.sum())
    return (ranks[labels > 0].sum() - positives * (positives + 1) / 2) / (positives * (len(labels) - positives))


def main():
    path, threads, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    labels, splits, ids, sizes = read(path)
    training, test = (torch.from_numpy(numpy.flatnonzero(splits == split)) for split in (0, 2))
    if "auc" in sys.argv[4:]:
        network = Network(sizes, True)
        adams, source = optimizers(network, True), batches(training)
        for _ in range(len(training) // BATCH):
            rows = next(source)
            train_batch(network, adams, ids[rows], labels[rows])
        network.eval()
        scores = torch.cat([score(network, ids[rows]) for rows in test.split(BATCH)])
        print(f"{auc(scores.numpy(), labels[test].numpy()):.4f}")
        return
    speeds = []
    for sparse in (False, True):
        network = Network(sizes, sparse)
        adams = optimizers(network, sparse)
        speeds.append(speed(lambda rows: train_batch(network, adams, ids[rows], labels[rows]), training, count))
    network.eval()
    speeds.append(speed(lambda rows: score(network, ids[rows]), torch.arange(len(labels)), count))
    print(*(round(value) for value in speeds))


if __name__ == "__main__":
    main()
