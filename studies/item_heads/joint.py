"""One network for three corpora of three questionnaires, beside a network for each corpus.

All have the same form and the same budget: steps and weight decay are chosen by the likelihood of the
validation persons of what a network is trained on, of at most `STEPS` steps each.
"""

import copy

import numpy as np
import torch
from torch import nn

from models.items.graded import GradedResponseHead
from studies.item_heads.persons import FEATURES, SCALES, SIZES, Corpus, draw, joined, plain, statistics

STEPS, EVERY, BATCH, RATE = 400, 20, 32, 5e-3  # our choice, as the decays
DECAYS = (0.01, 1.0)
WIDTH = 32
VALIDATION = 0.2  # share of the persons of a corpus
TESTED = 500  # persons of each corpus


class Network(nn.Module):
    """Two layers and a head of items."""

    def __init__(self, head: GradedResponseHead) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(FEATURES, WIDTH), nn.GELU(), nn.Dropout(0.2), nn.Linear(WIDTH, WIDTH), nn.GELU()
        )
        self.head = head

    def loss(self, corpus: Corpus, rows: torch.Tensor | slice = slice(None)) -> torch.Tensor:
        """The head's loss on some persons."""
        raw = self.head(self.body(corpus.features[rows]))
        return self.head.loss(raw, corpus.answers[rows], corpus.mask[rows])


def trained(scales: tuple[str, ...], train: Corpus, val: Corpus, *, seed: int) -> Network:
    """The network of the best validation likelihood, over decays and steps."""
    best, chosen = np.inf, None
    for decay in DECAYS:
        torch.manual_seed(seed)
        head = GradedResponseHead(
            dim=WIDTH, questionnaires=plain(*scales, dimension="depression"), scale=scales[0]
        )
        head.set_statistics(statistics(np.where(train.mask, train.answers, np.nan), head.layout.columns))
        network = Network(head)
        weights = [p for p in network.parameters() if p.dim() > 1]
        others = [p for p in network.parameters() if p.dim() == 1]
        groups = [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=RATE)
        for step in range(STEPS + 1):
            if step % EVERY == 0 and (value := _judged(network, val)) < best:
                best, chosen = value, copy.deepcopy(network)
            optimizer.zero_grad()
            torch.autograd.backward(network.loss(train, torch.randperm(len(train))[:BATCH]))
            optimizer.step()
    assert chosen is not None
    return chosen


@torch.no_grad()
def _judged(network: Network, val: Corpus) -> float:
    network.eval()
    value = network.loss(val).item()
    network.train()
    return value


@torch.no_grad()
def mae(network: Network, test: Corpus, scale: str) -> float:
    """Mean absolute error of the expected total of a scale, in points."""
    network.eval()
    found = network.head.named(network.head(network.body(test.features)))[f"{scale}_total"].numpy()
    return float(np.abs(found - test.totals[scale]).mean())


def _parts(corpus: Corpus) -> tuple[Corpus, Corpus]:
    first = round(len(corpus) * (1 - VALIDATION))
    return tuple(  # type: ignore[return-value]
        Corpus(corpus.features[rows], corpus.answers[rows], corpus.mask[rows], {})
        for rows in (slice(first), slice(first, None))
    )


def compare(*, seed: int, sizes: dict[str, int] | None = None, tested: int = TESTED) -> dict[str, float]:
    """MAE of totals of new persons of each corpus: by one network, by a network of its own, by a constant.

    Returns:
        `<scale>_joint`, `<scale>_own` and `<scale>_constant`, the median of the training totals.
    """
    corpora = {scale: draw(scale, count, seed=seed, stream=0) for scale, count in (sizes or SIZES).items()}
    parts = {scale: _parts(corpus) for scale, corpus in corpora.items()}
    train, val = (joined({scale: own[part] for scale, own in parts.items()}) for part in (0, 1))
    one = trained(SCALES, train, val, seed=seed)
    found: dict[str, float] = {}
    for scale in SCALES:
        test = draw(scale, tested, seed=seed, stream=1)
        own = trained((scale,), *parts[scale], seed=seed)
        middle = np.median(corpora[scale].totals[scale][: len(parts[scale][0])])
        found[f"{scale}_joint"] = mae(one, test, scale)
        found[f"{scale}_own"] = mae(own, test, scale)
        found[f"{scale}_constant"] = float(np.abs(test.totals[scale] - middle).mean())
    return found
