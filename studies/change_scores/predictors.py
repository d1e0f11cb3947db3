"""Predictors of the study: readers that learn from faces, and made-up ones of known faults."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from evaluation.change.questionnaire_noise import noise_of_items
from studies.change_scores.persons import Persons

Array = NDArray[np.float64]

_PENALTIES = np.logspace(-1, 4, 11)


@dataclass(frozen=True)
class Predictor:
    """What is said of persons: predictions (P, V), and those if all known scores were a point higher."""

    name: str
    predict: Callable[[Persons], Array]
    moved: Callable[[Persons], Array] | None = None


def readers(train: Persons) -> list[Predictor]:
    """A linear reader of single recordings, and one that knows the earlier visits with their scores."""
    alone = _fitted(train.features, train.scores)
    known = _fitted(_with_history(train, train), train.scores)

    def reads(model: Pipeline, features: Array) -> Array:
        out = np.full(features.shape[:2], np.nan)
        there = np.isfinite(features).all(axis=2)
        out[there] = model.predict(features[there])
        return out

    return [
        Predictor("reader of single recordings", lambda own: reads(alone, own.features)),
        Predictor(
            "reader that knows earlier scores",
            lambda own: reads(known, _with_history(own, train)),
            lambda own: reads(known, _with_history(own, train, shift=1.0)),
        ),
    ]


def made_up(seed: int) -> list[Predictor]:
    """Predictions of shape m + shrinkage (true - m) + the person's own error + the visit's error."""
    kinds: Mapping[str, tuple[float, Callable[[Array], Array]]] = {
        "made up: close": (0.9, lambda true: np.full_like(true, 3.0)),
        "made up: noisy": (0.9, lambda true: np.full_like(true, 8.0)),
        "made up: shrunken to a third": (1 / 3, lambda true: np.full_like(true, 3.0)),
        "made up: errors grow with severity": (0.9, lambda true: 2.0 + 0.25 * true),
    }

    def predictor(name: str, shrinkage: float, spread: Callable[[Array], Array]) -> Predictor:
        def predict(persons: Persons) -> Array:
            mark = int(1000 * np.abs(persons.true).sum())  # other persons, other errors
            rng = np.random.default_rng([seed, len(name), mark])
            own, visit = rng.standard_normal((len(persons.true), 1)), rng.standard_normal(persons.true.shape)
            out: Array = 15 + shrinkage * (persons.true - 15) + 6 * own + spread(persons.true) * visit
            return out

        return Predictor(name, predict)

    return [predictor(name, *kind) for name, kind in kinds.items()]


def table(persons: Persons, predictor: Predictor) -> pd.DataFrame:
    """The recording table of persons, with what their protocol makes known."""
    people, visits = persons.scores.shape
    person = np.repeat(np.arange(people), visits)
    out = pd.DataFrame(
        {
            "recording_id": [f"r{row:06d}" for row in range(people * visits)],
            "subject_id": [f"p{one:05d}" for one in person],
            "session_id": np.tile([f"V{visit + 1}" for visit in range(visits)], people),
            "score_prediction": predictor.predict(persons).ravel(),
            "score_target": persons.scores.ravel(),
        }
    )
    if predictor.moved is not None:
        number = np.tile(np.arange(visits), people)
        out["known_visits"] = out["known_scores"] = number
        out["known_score"] = _earlier(persons.scores).ravel()
        out["known_names"] = [tuple(f"V{visit + 1}" for visit in range(own)) for own in number]
        out["score_moved"] = predictor.moved(persons).ravel()
    return out.dropna(subset=["score_prediction"]).reset_index(drop=True)


def questionnaire_noise(persons: Persons) -> float:
    """Error variance of a total, from the answers of these persons."""
    people, visits, count = persons.items.shape
    names = [f"item_{item}" for item in range(count)]
    answers = pd.DataFrame(persons.items.reshape(-1, count), columns=names)
    answers["subject_id"] = [f"p{one:05d}" for one in np.repeat(np.arange(people), visits)]
    answers["session_id"] = np.tile([f"V{visit + 1}" for visit in range(visits)], people)
    found = noise_of_items(answers, names)
    assert found is not None, "persons have several visits here"
    return found


def _fitted(features: Array, scores: Array) -> Pipeline:
    there = np.isfinite(features).all(axis=2)
    model = make_pipeline(StandardScaler(), RidgeCV(_PENALTIES))
    return model.fit(features[there], scores[there])


def _with_history(persons: Persons, train: Persons, *, shift: float = 0.0) -> Array:
    """A recording, itself minus the habit that earlier visits show beyond their scores, and these scores."""
    x, y = (own - own.mean(axis=1, keepdims=True) for own in (train.features, train.scores))
    effect = (x * y[:, :, None]).sum(axis=(0, 1)) / (y**2).sum()
    known = persons.scores + shift
    mean, last = _earlier(known)[:, :, None], np.full(known.shape, np.nan)
    last[:, 1:] = known[:, :-1]
    habit = _earlier(persons.features) - (mean - train.scores.mean()) * effect
    return np.concatenate([persons.features, persons.features - habit, mean, last[:, :, None]], axis=2)


def _earlier(values: Array) -> Array:
    """Mean of the visits before each, (P, V, ...); NaN at the first."""
    count = np.arange(1, values.shape[1]).reshape(-1, *[1] * (values.ndim - 2))
    out = np.full(values.shape, np.nan)
    out[:, 1:] = np.cumsum(values[:, :-1], axis=1) / count
    return out
