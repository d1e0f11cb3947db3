"""The series trunks as classifiers of archive series: masked mean, linear head, a plain training loop."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from models.masking import masked_mean

Array = NDArray[np.float64]

BATCH, LEAST_BATCHES = 64, 4  # 64 is published; the small sets take more steps an epoch. Our choice
WEIGHT_DECAY = 1e-4
_LARGEST_GRADIENT = 1.0


class TrunkClassifier(nn.Module):
    """Series (B,T,F) under their mask (B,T) -> logits (B,K): trunk, masked mean, linear head."""

    def __init__(self, *, trunk: nn.Module, dim: int, classes: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = nn.Linear(dim, classes)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.head(masked_mean(self.trunk(x, mask), mask))
        return logits


def padded(series: Sequence[Array], mean: Array, std: Array) -> tuple[Tensor, Tensor]:
    """Series (F,T) of unequal length to x (N,T,F) of unit variance and its mask (N,T).

    Args:
        series: One array per case.
        mean: Of each channel (F,), over the training cases.
        std: Likewise.
    """
    longest = max(case.shape[1] for case in series)
    x = torch.zeros(len(series), longest, series[0].shape[0])
    mask = torch.zeros(len(series), longest, dtype=torch.bool)
    for row, case in enumerate(series):
        scaled = (case - mean[:, None]) / std[:, None]
        x[row, : case.shape[1]] = torch.as_tensor(scaled.T, dtype=torch.float32)
        mask[row, : case.shape[1]] = True
    return x, mask


def train_and_read(
    trunk: Callable[[], nn.Module],
    train: Sequence[Array],
    labels: NDArray[np.intp],
    asked: Sequence[Array],
    *,
    epochs: int,
    rate: float,
    seed: int,
) -> Array:
    """Train from one seed on all training cases; return the probabilities (N,K) of the asked ones.

    AdamW with a one-cycle rate, gradients clipped, the last weights. Nothing is chosen on the asked cases.

    Args:
        trunk: Builds the trunk; it has a width `dim`.
        train: Cases (F,T).
        labels: Their classes (n,), numbers from 0.
        asked: Cases to read.
        epochs: Over the training cases.
        rate: Largest learning rate.
        seed: Of weights and batches.
    """
    joined = np.concatenate(list(train), axis=1)
    mean, std = joined.mean(axis=1), np.maximum(joined.std(axis=1), 1e-9)
    (x, mask), y = padded(train, mean, std), torch.as_tensor(labels)
    torch.manual_seed(seed)
    body = trunk()
    network = TrunkClassifier(trunk=body, dim=int(body.dim), classes=int(labels.max()) + 1)  # type: ignore[arg-type]
    batches = max(len(x) // BATCH, LEAST_BATCHES)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=rate, total_steps=epochs * batches)
    network.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).tensor_split(batches):
            steps = int(mask[rows].sum(1).max())
            loss = F.cross_entropy(network(x[rows, :steps], mask[rows, :steps]), y[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), _LARGEST_GRADIENT)
            optimizer.step()
            schedule.step()
    network.eval()
    held, held_mask = padded(asked, mean, std)
    with torch.inference_mode():
        parts = [network(held[i : i + BATCH], held_mask[i : i + BATCH]) for i in range(0, len(held), BATCH)]
    return np.asarray(torch.cat(parts).softmax(1).numpy(), dtype=np.float64)
