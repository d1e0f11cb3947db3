"""Synthetic school cohort fitted to the published one: symptom distances of pupils of equal totals.

`python -m studies.school_cohort` writes docs/results/school_cohort.md and its picture, in a minute.
"""

import platform
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from biomarkers.published.faces_of_the_mind import MEAN_BY_TOTAL, SDI
from biomarkers.symptoms.discrepancy import SymptomDiscrepancy, index
from datamodules.command_line import run
from datamodules.manifests.questionnaires import subscale
from datamodules.synthetic.prevalence import SCHOOL
from datamodules.synthetic.questionnaire import DOMAINS, answer
from evaluation.report.style import BLUE, GRAY, GREEN, INK, canvas

Array = NDArray[np.float64]

SCALES = {"depression": "DASS-21-D", "anxiety": "DASS-21-A", "stress": "DASS-21-S"}
HETEROGENEITIES = (0.0, 0.3, 0.6, 0.9)
SHARES = tuple(np.round(np.arange(0, 0.85, 0.05), 2))


def pupils(heterogeneity: float, *, seed: int = 0, persons: int = 11_427) -> pd.DataFrame:
    """Answers of so many pupils; the same severities and profiles at every heterogeneity."""
    rng = np.random.default_rng(seed)
    severity, profile = rng.standard_normal(persons), rng.standard_normal((persons, len(DOMAINS)))
    return pd.DataFrame(
        [
            answer(s, p, rng, heterogeneity=heterogeneity, prevalence="school")
            for s, p in zip(severity, profile, strict=True)
        ]
    )


def curve(items: pd.DataFrame) -> tuple[Array, float]:
    """Mean discrepancy by raw total 0-21, NaN where nobody has it, and the index."""
    found = SymptomDiscrepancy(grouping="score").fit(items).per_person(items)
    mean = found.groupby("total")["discrepancy"].mean().reindex(range(22))
    return mean.to_numpy(dtype=np.float64), index(found).value


def evened(items: pd.DataFrame, share: float, *, seed: int = 0) -> pd.DataFrame:
    """A share of persons answers all items alike, as far as the total allows; totals stay.

    What is left of a total goes to the items that are answered highest, so that a total of 7 is 1 everywhere.
    """
    rng = np.random.default_rng(seed)
    raw = items.to_numpy(dtype=np.int64)
    rank = np.argsort(np.argsort(-raw.mean(axis=0)))
    base, left = np.divmod(raw.sum(axis=1), raw.shape[1])
    even = base[:, None] + (rank[None] < left[:, None])
    chosen = rng.random(len(raw)) < share
    return pd.DataFrame(np.where(chosen[:, None], even, raw), columns=items.columns, index=items.index)


def misfit(found: Array, name: str) -> float:
    """Root of the mean squared difference to the published curve, weighted by the pupils of each total."""
    known = np.isfinite(found)
    weights = np.array(SCHOOL[name], dtype=np.float64)[known]
    squared = (found - np.array(MEAN_BY_TOTAL[SCALES[name]]))[known] ** 2
    return float(np.sqrt((weights * squared).sum() / weights.sum()))


def main(docs: Path = Path("docs/results")) -> None:
    """Choose heterogeneity and share by least squares, write page and picture.

    Args:
        docs: Folder of the page; the picture goes to its images/.
    """
    answers = {h: pupils(h) for h in HETEROGENEITIES}
    tables = {
        (h, name): frame[list(subscale(scale).columns)]
        for h, frame in answers.items()
        for name, scale in SCALES.items()
    }
    misfits = {
        h: np.mean([misfit(curve(tables[h, name])[0], name) for name in SCALES]) for h in HETEROGENEITIES
    }
    best = min(misfits, key=lambda h: float(misfits[h]))
    shares = {
        q: np.mean([misfit(curve(evened(tables[best, name], q))[0], name) for name in SCALES]) for q in SHARES
    }
    share = min(shares, key=lambda q: float(shares[q]))
    lines = {
        name: {
            f"cohort, h = {best:g}": curve(tables[best, name]),
            f"and {share:.0%} answer all items alike": curve(evened(tables[best, name], share)),
        }
        for name in SCALES
    }
    (docs / "images").mkdir(parents=True, exist_ok=True)
    _picture(lines, docs / "images" / "school_cohort.png")
    tried = ", ".join(f"{h:g}: {value:.3f}" for h, value in misfits.items())
    moved = {name: _moved(tables[best, name], name) for name in SCALES}
    (docs / "school_cohort.md").write_text(
        _PAGE.format(
            rows=_rows(lines, moved),
            tried=tried,
            best=best,
            share=share,
            date=date.today(),
            machine=f"{platform.system()} {platform.machine()}",
            flat=max(misfits.values()) - min(misfits.values()),
        ),
        encoding="utf-8",
    )


def _moved(items: pd.DataFrame, name: str) -> float:
    """Share of pupils whose total would have to be another one for the published histogram."""
    found = np.bincount(items.to_numpy(dtype=np.int64).sum(axis=1), minlength=22)
    return float(0.5 * np.abs(found / found.sum() - np.array(SCHOOL[name]) / sum(SCHOOL[name])).sum())


def _rows(lines: Mapping[str, Mapping[str, tuple[Array, float]]], moved: Mapping[str, float]) -> str:
    rows = []
    for name, own in lines.items():
        plain, even = own.values()
        printed = SDI[SCALES[name], "score"]
        rows.append(
            f"| {name} | {moved[name]:.1%} | {printed:.3f} | {plain[1]:.3f} | {even[1]:.3f} "
            f"| {misfit(plain[0], name):.3f} | {misfit(even[0], name):.3f} |"
        )
    return "\n".join(rows)


def _picture(lines: Mapping[str, Mapping[str, tuple[Array, float]]], path: Path) -> None:
    with canvas(9.8, 3.4) as figure:
        grid = figure.subplots(1, len(lines), sharey=True)
        for axes, (name, own) in zip(grid, lines.items(), strict=True):
            axes.plot(
                MEAN_BY_TOTAL[SCALES[name]],
                color=INK,
                marker="o",
                markersize=3,
                label="published, 11,427 pupils",
            )
            for (label, (mean, _)), color in zip(own.items(), (BLUE, GREEN), strict=True):
                axes.plot(mean, color=color, label=label)
            for total in (7, 14):
                axes.axvline(total, color=GRAY, linewidth=0.8, linestyle=":")
            axes.set_title(f"{name} ({SCALES[name]})")
            axes.set_xlabel("raw total")
        grid[0].set_ylabel("mean normalised distance")
        figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        figure.savefig(path, dpi=150)


_PAGE = """# The cohort as a school, beside the real one

`prevalence: school` gives the [cohort](../guide/cohort.md) the histogram of the DASS-21 totals of 11,427
pupils (Xu et al., arXiv 2405.20072). Do its pupils also differ as much as the real ones *within* a
total? The normalised distance to the centroid of all pupils with the same total, by total:

![Distance by total, published and simulated](images/school_cohort.png)

| subscale | on another total | index, published | cohort | even answers | misfit, cohort | even answers |
|---|---|---|---|---|---|---|
{rows}

The misfit is the root mean squared difference of the curves, weighted by the published counts.
Heterogeneity was chosen by least squares on the curves, mean over subscales ({tried}): h = {best:g}.
The choice means little: all items of a subscale belong to one domain of symptoms, so heterogeneity
*between* domains cannot show within a subscale, and the differences ({flat:.3f} at most) are those of
which pupil happens to be the most unusual one.

Depressed and anxious answers of real pupils are more alike than independent answers at equal severity
would be; those of stress are so at totals 5 to 11. All three curves dip at 7, and two at 14, where
one may answer every item alike with 1 or with 2. *Even answers* lets a share of pupils spread their
total over the items as evenly as it allows. Fitted by least squares ({share:.0%}; one number for all
totals and subscales), it lowers the index in all three, fits low totals better and high totals worse,
for which fewer even pupils would do. The cohort itself has no such pupils: read its index as too high
by that much. Min-max normalisation lets the one most unusual pupil scale a whole curve.

Written by `python -m studies.school_cohort` on {date}, {machine}.
"""

if __name__ == "__main__":
    raise SystemExit(run(main))
