"""Bootstrap aggregation over persons (Breiman, Machine Learning 24:123, 1996)."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils import _safe_indexing
from sklearn.utils.parallel import Parallel, delayed

from biomarkers.estimators.grouped_pipeline import MostProbable, fit_by_persons

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

BAGS = 10  # our choice, and the default of scikit-learn
_TRIES = 100  # draws of one bag, until every class is in it


class BaggingClassifier(MostProbable, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Mean probability of estimators that were each fitted to a bootstrap sample of the persons.

    Persons are drawn with replacement and bring all their recordings, where scikit-learn's namesake draws
    rows: of two recordings of a person one would be in the bag and the other out. With one recording a person
    it is the same. A bag without one of the classes is drawn again.

    Args:
        estimator: A classifier; each member gets a seed of its own, for what is called `random_state` or
            `seed`.
        bags: How many.
        seed: Of the bags.
        n_jobs: Threads.
    """

    def __init__(self, *, estimator: Any, bags: int = BAGS, seed: int = 0, n_jobs: int = 1) -> None:
        self.estimator = estimator
        self.bags = bags
        self.seed = seed
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: ArrayLike, groups: ArrayLike) -> Self:
        """Fit recordings (N), labels (N,) and persons (N,).

        Raises:
            ValueError: A class has so few persons that bags without it keep coming.
        """
        label = np.asarray(y)
        self.classes_ = np.unique(label)
        persons, rng = np.asarray(groups), np.random.default_rng(self.seed)
        self.rows_ = [_bag(persons, label, rng) for _ in range(self.bags)]
        members = [_seeded(self.estimator, int(rng.integers(2**31))) for _ in range(self.bags)]
        self.members_ = Parallel(self.n_jobs, prefer="threads")(
            delayed(fit_by_persons)(member, _safe_indexing(X, rows), label[rows], persons[rows])
            for member, rows in zip(members, self.rows_, strict=True)
        )
        return self

    def predict_proba(self, X: Any) -> Array:
        """Return the probabilities (N, K)."""
        found = Parallel(self.n_jobs, prefer="threads")(
            delayed(member.predict_proba)(X) for member in self.members_
        )
        return np.asarray(np.mean(found, axis=0), dtype=np.float64)


def _bag(persons: NDArray[Any], label: NDArray[Any], rng: np.random.Generator) -> Rows:
    """Rows of persons drawn with replacement, as often as each was drawn; every class is there."""
    _, codes = np.unique(persons, return_inverse=True)
    count, everything = int(codes.max()) + 1, np.unique(label).size
    for _ in range(_TRIES):
        times = rng.multinomial(count, np.full(count, 1 / count))
        rows = np.repeat(np.arange(len(codes)), times[codes])
        if np.unique(label[rows]).size == everything:
            return rows
    raise ValueError(
        f"{_TRIES} bags of {count} persons each lack a class: a class has too few persons to be bagged; use "
        "the estimator itself"
    )


def _seeded(estimator: Any, seed: int) -> Any:
    member = clone(estimator)
    names = [name for name in member.get_params() if name.rpartition("__")[2] in ("random_state", "seed")]
    return member.set_params(**dict.fromkeys(names, seed))
