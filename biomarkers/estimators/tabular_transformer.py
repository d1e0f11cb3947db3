"""The tabular transformer as a scikit-learn classifier, stopped early on held-out persons."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from biomarkers.estimators.boosting import features
from biomarkers.estimators.grouped_pipeline import MostProbable
from biomarkers.estimators.linear import person_folds
from biomarkers.features.families import channel
from models.tabular import TabularTransformer

_FARTHEST = 5.0  # our choice: a statistic farther out than so many standard deviations counts as so many
_STOPPING_PARTS = 5  # one of five parts of the training persons says when to stop; our choice


class TabularNetwork(MostProbable, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """`models.tabular.TabularTransformer` for two labels; classes weigh the same.

    Gaps are filled with the median of the training rows and have an indicator, features are standardized by
    the training rows. A fifth of the training persons is not fitted; the weights with the smallest loss on
    them are kept. Sizes are our choice: a fit of 9,000 recordings stays under half a minute on two cores, and
    dropout, the slowest part of it there, is left to early stopping.

    Args:
        dim: Of a token.
        layers: Of the transformer.
        epochs: At most so many.
        patience: Epochs without a gain before the fit stops.
        batch_size: Rows of a step.
        learning_rate: Of AdamW.
        weight_decay: Of AdamW.
        seed: Of weights, batches, dropout and the stopping part.
        threads: Of torch, while it fits; None leaves what is set.
    """

    def __init__(
        self,
        *,
        dim: int = 16,
        layers: int = 2,
        epochs: int = 8,
        patience: int = 2,
        batch_size: int = 256,
        learning_rate: float = 3e-3,
        weight_decay: float = 1e-2,
        seed: int = 0,
        threads: int | None = None,
    ) -> None:
        self.dim = dim
        self.layers = layers
        self.epochs = epochs
        self.patience = patience
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.seed = seed
        self.threads = threads

    def fit(self, X: pd.DataFrame, y: ArrayLike, groups: ArrayLike) -> Self:
        """Fit features (N rows), labels (N,) of two classes and persons (N,).

        Raises:
            ValueError: There are other than two classes, or too few persons to part.
        """
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        if self.classes_.size != 2:
            raise ValueError(f"the network tells two classes; the training rows have {self.classes_.size}")
        fit, stop = person_folds(codes, groups, folds=_STOPPING_PARTS, classes=True)[0]
        table = features(X)
        self.features_ = list(table.columns)
        self.scale_ = make_pipeline(
            SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True), StandardScaler()
        ).fit(table.iloc[fit])
        with _seeded(self.seed, self.threads):
            self.network_ = TabularTransformer(
                groups=_tokens(self.scale_.get_feature_names_out()),
                dim=self.dim,
                layers=self.layers,
                heads=2,
                dropout=0.0,
            )
            self.losses_ = self._train(self._scaled(table), torch.as_tensor(codes).float(), fit, stop)
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return the probabilities (N, 2), those of classes that weigh the same."""
        with torch.inference_mode():
            logits = self.network_.eval()(self._scaled(features(X)[self.features_]))
        positive = torch.sigmoid(logits).double().numpy()
        return np.stack([1 - positive, positive], axis=1)

    def _scaled(self, table: pd.DataFrame) -> Tensor:
        return torch.as_tensor(self.scale_.transform(table), dtype=torch.float32).clamp(-_FARTHEST, _FARTHEST)

    def _train(self, x: Tensor, y: Tensor, fit: NDArray[np.intp], stop: NDArray[np.intp]) -> list[float]:
        """Minimize the loss of the fitted rows; return that of the stopping rows, epoch by epoch."""
        network, rows = self.network_, torch.as_tensor(fit)
        weight = torch.where(y == 1, 0.5 / y[rows].mean(), 0.5 / (1 - y[rows].mean()))
        optimizer = torch.optim.AdamW(
            network.parameters(), self.learning_rate, weight_decay=self.weight_decay
        )
        losses: list[float] = []
        best = copy.deepcopy(network.state_dict())
        for _ in range(self.epochs):
            network.train()
            order = rows[torch.randperm(len(rows))]
            for start in range(0, len(order), self.batch_size):
                batch = order[start : start + self.batch_size]
                optimizer.zero_grad()
                torch.autograd.backward(cross_entropy(network(x[batch]), y[batch], weight[batch]))
                optimizer.step()
            with torch.inference_mode():
                loss = cross_entropy(network.eval()(x[stop]), y[stop], weight[stop]).item()
            losses.append(loss)
            if loss == min(losses):
                best = copy.deepcopy(network.state_dict())
            if len(losses) - 1 - int(np.argmin(losses)) >= self.patience:
                break
        network.load_state_dict(best)
        return losses


def _tokens(names: ArrayLike) -> list[int]:
    """A token per channel; the indicators of its gaps belong to it."""
    channels = [channel(str(name)) for name in np.asarray(names)]
    return [sorted(set(channels)).index(own) for own in channels]


@contextmanager
def _seeded(seed: int, threads: int | None) -> Iterator[None]:
    """Torch with a seed and so many threads of its own; what was set before is set again."""
    before = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(threads or before)
        try:
            yield
        finally:
            torch.set_num_threads(before)
