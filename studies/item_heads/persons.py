"""Made-up persons of three corpora, who answer one questionnaire each; and questionnaires as heads take them.

Answers are those of the synthetic cohort, with symptom profiles that no head knows. Severity is told by
features, in part through a bend and a product that a linear reader cannot see:

    theta = sqrt(.6) z(x) + sqrt(.4) e,    z ~ u1 + .5 (u2^2 - 1) + .5 u3 u4,  standardized,  u = W x
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from datamodules.manifests.item_answers import item_answers, item_statistics
from datamodules.manifests.questionnaires import SUBSCALES
from datamodules.synthetic.questionnaire import answer, symptom_profile
from models.items.layout import Questionnaires
from models.standardize import Statistics

SCALES = ("BDI-II", "PHQ-9", "DASS-21-D")
SIZES = dict(zip(SCALES, (600, 250, 80), strict=True))
FEATURES = 24
_TOLD = 0.6  # our choice: share of the variance of severity that features tell
_SHIFT = dict(
    zip(SCALES, (0.0, -0.3, 0.3), strict=True)
)  # of the corpus along the first direction; our choice


def plain(*scales: str, dimension: str | None = None) -> Questionnaires:
    """Plain data of questionnaires, as `conf/data/items` has them."""
    found: dict[str, dict[str, str | int | list[str] | list[int]]] = {}
    for name in scales:
        own = SUBSCALES[name]
        found[name] = {
            "columns": list(own.columns),
            "highest": list(own.highest),
            "factor": 2 if own.scale.doubled else 1,
            "threshold": own.scale.binary_threshold,
            "dimension": dimension or name,
        }
    return found


def statistics(answers: NDArray[np.int64] | NDArray[np.float64], columns: Sequence[str]) -> Statistics:
    """What a data module tells of the training answers (N,J), NaN where there is none."""
    return item_statistics(item_answers(pd.DataFrame(answers, columns=list(columns)), columns))


@dataclass(frozen=True)
class Corpus:
    """Persons: features (N,F), answers (N,J), which of the J were asked (N,J), totals by scale."""

    features: Tensor
    answers: Tensor
    mask: Tensor
    totals: dict[str, NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.features)


def directions(seed: int) -> NDArray[np.float64]:
    """The four directions of features that tell severity, (F,4), orthonormal."""
    rng = np.random.default_rng([seed, 0])
    return np.linalg.qr(rng.standard_normal((FEATURES, 4)))[0]


def draw(scale: str, count: int, *, seed: int, stream: int) -> Corpus:
    """Persons of the corpus of a scale; another stream has other persons, the same seed the same world."""
    rng = np.random.default_rng([seed, 1 + SCALES.index(scale), stream])
    world = directions(seed)
    x = rng.standard_normal((count, FEATURES)) + _SHIFT[scale] * world[:, 0]
    u = x @ world
    told = (u[:, 0] + 0.5 * (u[:, 1] ** 2 - 1) + 0.5 * u[:, 2] * u[:, 3]) / np.sqrt(1.75)
    theta = np.sqrt(_TOLD) * told + np.sqrt(1 - _TOLD) * rng.standard_normal(count)
    given = [answer(severity, symptom_profile(rng), rng) for severity in theta]
    columns = SUBSCALES[scale].columns
    own = np.array([[one[name] for name in columns] for one in given])
    factor = 2 if SUBSCALES[scale].scale.doubled else 1
    totals = {scale: own.sum(1).astype(np.float64) * factor}
    answers = torch.tensor(own)
    return Corpus(
        torch.tensor(x, dtype=torch.float32), answers, torch.ones_like(answers, dtype=torch.bool), totals
    )


def joined(corpora: dict[str, Corpus]) -> Corpus:
    """All persons below each other; of the items of other questionnaires none was asked."""
    width = sum(len(SUBSCALES[scale]) for scale in corpora)
    answers, masks, start = [], [], 0
    for scale, corpus in corpora.items():
        items = slice(start, start + len(SUBSCALES[scale]))
        wide = torch.zeros(len(corpus), width, dtype=torch.int64)
        asked = torch.zeros(len(corpus), width, dtype=torch.bool)
        wide[:, items], asked[:, items] = corpus.answers, corpus.mask
        answers.append(wide)
        masks.append(asked)
        start = items.stop
    features = torch.cat([corpus.features for corpus in corpora.values()])
    return Corpus(features, torch.cat(answers), torch.cat(masks), {})
