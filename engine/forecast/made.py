"""A forecast of a corpus, as plain data."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from engine.forecast.corpus import Corpus
from engine.forecast.questionnaire import reliability_of
from evaluation.forecast.ceiling import ceiling
from evaluation.forecast.design import Assumptions
from evaluation.forecast.difference import POWER
from evaluation.forecast.forecast import Expectation, Wanted, forecast
from evaluation.forecast.width import persons_of_class

ICC_LABELS = 0.6  # our choice, where no person has several labels to estimate it from


def make(
    corpus: Corpus,
    *,
    expectation: Expectation,
    assumed: Assumptions,
    wanted: Wanted,
    reliability: float | None = None,
) -> dict[str, Any]:
    """The forecast of a corpus.

    Args:
        corpus: Who is tested, and labels.
        expectation: Of a model.
        assumed: Of labels and predictions; labels of the corpus stand in for what is None.
        wanted: What persons are counted for.
        reliability: Of the questionnaire, in place of what its answers say or what is published.

    Returns:
        What `engine.forecast.words` writes: `persons`, `recordings`, `part`, `tested`, `read`, `read_of`,
        `assumed`, `metrics` (`evaluation.forecast.forecast`), `reliability`, `ceiling`, `power`.

    Raises:
        UnreachableError: A value is expected that no reader of these labels has.
        ValueError: A reliability that is none.
    """
    labels, design = corpus.labels, corpus.design
    estimated = labels.icc()
    icc = _icc(assumed.icc_labels, estimated, several=design.pairs > 0)
    if assumed.icc_labels is None and estimated is None:
        assumed = replace(assumed, icc_labels=ICC_LABELS)
    noise = reliability_of(corpus.scale, corpus.rows, given=reliability)
    best = None
    if noise.value is not None and labels.score is not None and np.ptp(labels.score) > 0:
        best = asdict(ceiling(labels, noise.value))
    metrics = forecast(labels, design, assumed=assumed, expectation=expectation, wanted=wanted)
    few = None
    if "value" in metrics["auc"]:
        few = min(persons_of_class(labels, design, assumed.icc_labels, own) for own in (0.0, 1.0))
    return {
        "persons": design.persons,
        "recordings": round(design.recordings),
        "part": corpus.part,
        "read_of": corpus.read_of,
        "tested": _tested(corpus),
        "read": _read(corpus, icc),
        "assumed": _assumed(expectation, metrics, assumed),
        "metrics": metrics,
        "reliability": noise._asdict(),
        "ceiling": best,
        "fewest_of_a_class": few,
        "power": POWER,
    }


def _icc(given: float | None, estimated: float | None, *, several: bool) -> str:
    """What is said of the intraclass correlation of labels."""
    if given is not None:
        return f"labels of a person correlate by {given:.2f}, as given"
    if estimated is not None:
        return f"labels of a person correlate by {estimated:.2f}, estimated (one-way ICC)"
    if several:
        return f"labels of a person correlate by {ICC_LABELS:.2f}, assumed: too few persons here have several"
    return "one label a person: how they correlate does not matter"


def _tested(corpus: Corpus) -> list[str]:
    design = corpus.design
    each = design.recordings / design.persons
    return [
        f"{corpus.part}: {design.persons} persons, {design.recordings:.0f} recordings, {each:.3g} a person"
    ]


def _read(corpus: Corpus, icc: str) -> list[str]:
    labels = corpus.labels
    persons = len(set(labels.person.tolist()))
    lines = [f"{len(labels.person)} recordings of {persons} persons"]
    if labels.score is not None:
        name = corpus.scale.name if corpus.scale else "score"
        spread = f"{labels.score.std(ddof=1):.2f}" if len(labels.score) > 1 else "-"
        lines.append(
            f"{name}, over recordings: mean {labels.score.mean():.2f}, standard deviation (n - 1) {spread}"
        )
    if labels.prevalence is not None:
        lines.append(f"{100 * labels.prevalence:.0f} % of the recordings are positive")
    return [*lines, icc, *corpus.remarks]


def _assumed(
    expectation: Expectation, metrics: Mapping[str, Any], assumed: Assumptions
) -> list[tuple[str, str, str]]:
    rows = []
    if "value" in metrics["auc"]:
        rows.append(("auc", f"{expectation.auc:g}", "what the model reaches"))
    if "value" in metrics["mae"]:
        told = "what the model reaches" if expectation.mae is not None else "that of the reader with this AUC"
        rows.append(("mae", f"{metrics['mae']['value']:.2f}", told))
    rows.append(
        (
            "icc",
            f"{assumed.icc_predictions:g}",
            "share of what disturbs a prediction that stays with the person",
        )
    )
    rows.append(("correlation", f"{assumed.correlation:g}", "of what disturbs two models on one recording"))
    return rows
