"""The tables of challenges: their columns, and the predictions that these are made of.

The columns of AdoDAS are those that its public pages state (November 2026). MPDD-AVG states no columns of its
own; its table is ours. Neither was checked against the organisers' checker.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from datamodules.wording import first_few
from engine.submission.persons import SubmissionError
from evaluation.metrics.definitions import round_band

KEYS = ("anon_school", "anon_class", "anon_pid")
_ITEMS = 21
_HIGHEST = 3
_POINTS = 27  # of the PHQ-9
_LABELED = ("train", "val", "dev", "valid", "validation")  # parts whose labels may be read


@dataclass(frozen=True)
class Facts:
    """What a table needs beside predictions.

    Attributes:
        labeled: Manifest rows of all parts.
        threshold: Of the probability, chosen on validation; None where it is not known.
        cuts: Totals of the PHQ-9 from which the second and third class begin; None takes those of the labels.
    """

    labeled: pd.DataFrame
    threshold: float | None = None
    cuts: tuple[float, ...] | None = None


Make = Callable[[pd.DataFrame, Facts], pd.DataFrame]


@dataclass(frozen=True)
class Format:
    """A table of a challenge.

    Attributes:
        columns: Predictions that it is made of.
        make: From means by person to the table.
        note: What to know of it.
    """

    columns: Sequence[str]
    make: Make
    note: str


def adodas_a1(means: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """School, class and person, and the probability of each subscale: `p_D, p_A, p_S`."""
    found = _adodas_keys(means)
    return found.assign(**{f"p_{one}": means[f"DASS-21-{one}_probability"].to_numpy() for one in "DAS"})


def adodas_a2(means: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """School, class and person, and the 21 answers as whole numbers from 0 to 3: `d01` to `d21`.

    The expected answer is rounded, halves upwards: of all whole answers that one has the least expected
    squared distance, which is what the quadratic kappa of the track weighs by.
    """
    found = _adodas_keys(means)
    answers = {
        f"d{number:02d}": np.clip(round_band(means[_item(number)].to_numpy()), 0, _HIGHEST).astype(int)
        for number in range(1, _ITEMS + 1)
    }
    return found.assign(**answers)


def mpdd_avg(means: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """`id, binary, ternary, PHQ-9`: the decision at the threshold of validation, and the predicted total.

    The ternary class follows from the predicted total by `facts.cuts`.

    Raises:
        SubmissionError: No threshold is known, or none from 0 to 1; cuts that are no two rising totals, or
            labels that tell none; people of another corpus, or two of one ID.
    """
    if facts.threshold is None:
        raise SubmissionError(
            "the threshold of the binary label is not known: metrics.json beside the predictions has none; "
            "say threshold=<probability>"
        )
    if not 0 <= facts.threshold <= 1:  # nor NaN, below which no probability lies and none above
        raise SubmissionError(
            f"threshold={facts.threshold:g} is no probability; say threshold=<a number from 0 to 1>"
        )
    cuts = _checked_cuts(ternary_cuts(facts.labeled) if facts.cuts is None else facts.cuts)
    total = np.clip(means["score_prediction"].to_numpy(dtype=np.float64), 0, _POINTS)
    return pd.DataFrame(
        {
            "id": _mpdd_ids(means),
            "binary": (means["binary_prediction"] >= facts.threshold).astype(int),
            "ternary": sum((total >= cut).astype(int) for cut in cuts),
            "PHQ-9": np.round(total, 2),
        }
    )


def ternary_cuts(labeled: pd.DataFrame) -> tuple[float, ...]:
    """Totals from which the second and the third class begin, midway between those that labels show.

    How `label3` follows from the PHQ-9 is not stated, so that the labels of training and validation are
    asked. Those of the test part are never read, should a table hold them.

    Raises:
        SubmissionError: No labels, no parts, a class nobody has, or totals of two classes that overlap.
    """
    remedy = "say cuts=<first total of class 1>,<first total of class 2>"
    if not {"category_tri", "score"} <= set(labeled):
        raise SubmissionError(f"the manifest has no ternary labels beside totals; {remedy}")
    if "split" not in labeled:
        raise SubmissionError(
            f"the manifest has no column 'split', so that test labels would be read; {remedy}"
        )
    labeled = labeled[labeled["split"].str.lower().isin(_LABELED)]
    known = labeled.assign(label=pd.to_numeric(labeled["category_tri"], errors="coerce"))
    known = known.dropna(subset=["label", "score"])
    own = [known.loc[known["label"] == label, "score"] for label in range(3)]
    if any(one.empty for one in own):
        raise SubmissionError(f"a ternary class has no labeled person in training or validation; {remedy}")
    ends = [(low.max(), high.min()) for low, high in pairwise(own)]
    for label, (low, high) in enumerate(ends, start=1):
        if low >= high:
            raise SubmissionError(
                f"label3 does not follow from the PHQ-9: class {label - 1} reaches {low:g}, class {label} "
                f"begins at {high:g}; {remedy}"
            )
    return tuple((low + high) / 2 for low, high in ends)


def _checked_cuts(cuts: Sequence[float]) -> Sequence[float]:
    """Two totals of the PHQ-9 that rise.

    Raises:
        SubmissionError: Others, NaN among them.
    """
    if len(cuts) == 2 and 0 < cuts[0] < cuts[1] <= _POINTS:
        return cuts
    raise SubmissionError(
        f"cuts={tuple(cuts)} are not the first totals of classes 1 and 2: say two that rise, above 0 and "
        f"up to {_POINTS}, e.g. cuts=5,10"
    )


def _mpdd_ids(means: pd.DataFrame) -> list[str]:
    """The IDs of subject ids as `datamodules.sources.mpdd_avg` writes them, `mpdd_avg:<age group>_<ID>`.

    Raises:
        SubmissionError: Other ids, or an ID of two persons: each age group counts from 001.
    """
    persons = means["subject_id"].astype(str)
    ids = persons.str.extract(r"^mpdd_avg:(?:young|elder)_(.+)$", expand=False)
    if ids.isna().any():
        raise SubmissionError(
            f"{persons[ids.isna()].iloc[0]!r} is no person of MPDD-AVG (mpdd_avg:young_ID): another manifest?"
        )
    if (twice := ids.duplicated(keep=False)).any():
        named = first_few(persons[twice].tolist(), 4)
        raise SubmissionError(
            f"{ids[twice].nunique()} ID(s) are those of two persons, whom nobody could tell apart in the "
            f"table: {named}; write a table for each age group: say age_group=Young, then age_group=Elder"
        )
    found: list[str] = ids.tolist()
    return found


def _adodas_keys(means: pd.DataFrame) -> pd.DataFrame:
    """School, class and person of subject ids as `datamodules.sources.adodas` writes them.

    Raises:
        SubmissionError: Other ids.
    """
    parts = [str(one).split(":") for one in means["subject_id"]]
    odd = [":".join(one) for one in parts if len(one) != len(KEYS) + 1 or one[0] != "adodas"]
    if odd:
        raise SubmissionError(
            f"{odd[0]!r} is no person of AdoDAS (adodas:school:class:person): another manifest?"
        )
    return pd.DataFrame([one[1:] for one in parts], columns=list(KEYS))


def _item(number: int) -> str:
    return f"item_dass21_{number:02d}_prediction"


_UNCHECKED = "not checked against the organisers' checker"
FORMATS: Mapping[str, Format] = {
    "adodas_a1": Format([f"DASS-21-{one}_probability" for one in "DAS"], adodas_a1, _UNCHECKED),
    "adodas_a2": Format([_item(number) for number in range(1, _ITEMS + 1)], adodas_a2, _UNCHECKED),
    "mpdd_avg": Format(
        ["binary_prediction", "score_prediction"],
        mpdd_avg,
        f"the pages state no columns, these are ours; {_UNCHECKED}",
    ),
}
"""By name; see the functions."""
