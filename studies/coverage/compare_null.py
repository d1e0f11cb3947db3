"""Rejection rate of `compare` under the null: `python -m studies.coverage.compare_null` writes the page.

Two models of the same quality (the null hypothesis) and two of different quality are tested on simulated test
sets (`studies.coverage.simulated`), with the second model's probabilities as they are, shifted by two logits
or squeezed towards one half. Exchanged are, before, the probabilities; now their ranks within each model.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from datamodules.command_line import run
from evaluation.metrics.applicable import Measurement, measurements, subject_codes
from evaluation.uncertainty.paired_permutation import paired_permutation
from studies.coverage.simulated import Line, draw, signal_for

Array = NDArray[np.float64]

STUDIES, EXCHANGES, ALPHA = 1000, 399, 0.05
LINES = (Line(40, 3, "person", 0.75), Line(40, 3, "visit", 0.75))
SCALES: dict[str, Callable[[Array], Array]] = {
    "equal": lambda p: p,
    "shifted": lambda p: expit(logit(p) + 2),
    "squeezed": lambda p: 0.45 + 0.1 * p,
}
_WEAKER = {"null": 1.0, "power": 0.5}  # signal of the second model, relative to the first
_SEED = 14


def main(*, studies: int = STUDIES, page: Path = Path("docs/results/compare_null.md")) -> None:
    """Simulate both hypotheses on all scales and write the page.

    Args:
        studies: A line.
        page: Markdown.
    """
    rows = [(line, scale, rejected(line, scale, studies=studies)) for line in LINES for scale in SCALES]
    write_page(page, rows, studies=studies)


def rejected(line: Line, scale: str, *, studies: int) -> dict[str, float]:
    """Share of studies in which the test gives p of 0.05 or less, by hypothesis and by what is exchanged.

    Args:
        line: The kind of study.
        scale: Of the second model's probabilities.
        studies: How many.
    """
    out: dict[str, float] = {}
    for hypothesis, weaker in _WEAKER.items():
        rng = np.random.default_rng([_SEED, len(line.label), len(hypothesis)])
        hits = {"values": 0, "ranks": 0}
        for study in range(studies):
            a, b = draw(rng, line, signal=signal_for(line.label, line.auc), weaker=weaker)
            changed = b.assign(binary_prediction=SCALES[scale](b["binary_prediction"].to_numpy()))
            pair, persons = (_auc(a), _auc(changed)), subject_codes(a["subject_id"])
            for exchanged, form in (("values", as_values), ("ranks", lambda bound: bound)):
                tested = (form(pair[0]), form(pair[1]))
                p = paired_permutation([tested], persons, n_perm=EXCHANGES, seed=study).p_value
                hits[exchanged] += p <= ALPHA
        out |= {f"{hypothesis}, {exchanged}": count / studies for exchanged, count in hits.items()}
    return out


def as_values(bound: Measurement) -> Measurement:
    """The same metric as one whose predictions change places as they are."""
    return replace(bound, metric=replace(bound.metric, reads="values"))


def _auc(table: pd.DataFrame) -> Measurement:
    return next(bound for bound in measurements(table, threshold=None) if bound.name == "auc")


def write_page(path: Path, rows: Sequence[tuple[Line, str, dict[str, float]]], *, studies: int) -> None:
    """Write the table of rejections."""
    error = float(np.sqrt(ALPHA * (1 - ALPHA) / studies))
    lines = [
        f"| {line.persons} x {line.visits}, of the {line.label} | {scale} | {found['null, values']:.3f} | "
        f"**{found['null, ranks']:.3f}** | {found['power, values']:.3f} | **{found['power, ranks']:.3f}** |\n"
        for line, scale, found in rows
    ]
    text = _PAGE.format(
        studies=studies,
        exchanges=EXCHANGES,
        error=error,
        rows="".join(lines),
        options="" if studies == STUDIES else f" studies={studies}",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


_PAGE = """# Does the comparison of two runs reject as often as it should?

`python -m evaluation.comparison` lets the predictions of a person change places between two runs. Where one
run's numbers are on another scale (logits that were shifted, probabilities squeezed towards one half), an
exchange mixes scales: the test then hardly rejects anything, right or wrong. A metric of ranks does not see a
scale, so for AUC and average precision the ranks within each run change places, and for correlations the
standardized predictions. Errors, concordance and decisions are about the values and exchange them.

Share of simulated studies with p of .05 or less for AUC, {studies:,} a line, {exchanges} exchanges each; the
Monte-Carlo error of a null is {error:.3f} (one standard error). *Null*: both models see the same signal;
*power*: the second sees half of it. *Values* is the exchange of before, **ranks** that of now.

| persons x visits, label | scale of the second | null, values | null, ranks | power, values | power, ranks |
|---|---|---|---|---|---|
{rows}
With ranks the scale changes nothing, to the last digit, because ranks do not see it. The verdict of a
comparison follows this test, after Holm's correction; where the interval of the difference says something
else, the page and `compare.json` name it (`disagree`).

Written by `python -m studies.coverage.compare_null{options}`.
"""


if __name__ == "__main__":
    sys.exit(run(main))
