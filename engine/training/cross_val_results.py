"""Results of a cross-validation: the out-of-fold predictions of all folds, pooled and measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import pandas as pd

from datamodules.manifests.manifest import Manifest
from datamodules.splits.partition import Split
from engine.inference.by_known_visits import by_known_visits
from engine.inference.lines import Lines, SplitLines
from engine.inference.recordings import rows_of, targets
from engine.inference.results import Assessment, list_unmeasured
from engine.inference.strata import by_discrepancy
from evaluation.baselines.reference import Reference
from evaluation.baselines.reference_lines import LINES, told_heads
from evaluation.metrics.applicable import measurements
from evaluation.metrics.catalog import METRICS
from evaluation.summary import mean_prediction, metrics_json, summarize
from evaluation.tables.clusters import PREFIX, cluster_column
from evaluation.tables.predictions import measured
from evaluation.uncertainty.scale_limits import cut_to_scale
from evaluation.uncertainty.table_estimates import paired_differences
from evaluation.uncertainty.threshold import Threshold

_PER_FOLD = (
    "each fold chooses its own threshold on its own validation part; decisions are in the folds' folders"
)


def pool(
    manifest: Manifest,
    splits: Sequence[Split],
    tables: Sequence[pd.DataFrame],
    *,
    lines: Lines | None = None,
    span: float = inf,
) -> Assessment:
    """Pool the folds' test predictions and their baselines.

    Every line is predicted fold by fold from that fold's training recordings, as the model was, and pooled
    the same way. Decisions are not pooled: the folds' thresholds differ. Where everybody is tested in several
    repeats, a metric is computed in each and averaged, with the interval of that mean over persons; the table
    holds mean predictions, which are for plots, because as an ensemble they would flatter.

    Args:
        manifest: The recordings.
        splits: The folds.
        tables: `predictions.csv` of each fold.
        lines: Those that need more than manifest rows; None leaves them out.
        span: Points of the questionnaire, beyond which no interval of an error goes.

    Raises:
        ValueError: A recording was tested in no fold of a repeat, or in several.
    """
    repeats = [_Repeat.of(number, splits, tables) for number in sorted({split.repeat for split in splits})]
    found, reasons = _lines(manifest, repeats, lines)
    reasons["oracle"] = (
        "computed fold by fold, see each fold's metrics.json" if manifest.truth else "the truth is not known"
    )
    tested = [repeat.test for repeat in repeats]
    metrics = metrics_json(test=summarize(tested), val=None, reference=found | {"reasons": reasons})
    threshold = Threshold(reason=_PER_FOLD)
    metrics["threshold"] = threshold.as_dict()
    if len(repeats) == 1:
        metrics |= by_discrepancy(tested[0], manifest, splits, threshold=None)
        metrics |= by_known_visits(tested[0], threshold=None)
    metrics["change"] = {
        "reason": "each fold learns changes on its own validation part, see the folds' folders"
    }
    metrics["folds"] = spread([measured(table[table["split"] == "test"]) for table in tables])
    if len(repeats) > 1:
        metrics["repeats"] = spread(tested)
    metrics = cut_to_scale(metrics, span)
    lost = repeats[0].unmeasured
    list_unmeasured(metrics, lost)
    test = mean_prediction(tested)
    return Assessment(test=test, val=None, threshold=threshold, metrics=metrics, unmeasured=lost)


@dataclass(frozen=True)
class _Repeat:
    """The folds of one round, and what they predicted for those they had not seen."""

    splits: Sequence[Split]
    test: pd.DataFrame
    unmeasured: pd.DataFrame

    @classmethod
    def of(cls, number: int, splits: Sequence[Split], tables: Sequence[pd.DataFrame]) -> "_Repeat":
        """Collect the folds of one repeat.

        Raises:
            ValueError: A recording was tested in none of its folds, or in several.
        """
        own = [(split, table) for split, table in zip(splits, tables, strict=True) if split.repeat == number]
        test = pd.concat([table[table["split"] == "test"] for _, table in own], ignore_index=True)
        folds = [split for split, _ in own]
        expected = sorted(name for split in folds for name in split.test)
        if sorted(test["recording_id"]) != expected or len(set(expected)) < len(expected):
            odd = sorted(set(expected) ^ set(test["recording_id"])) or expected
            raise ValueError(
                f"the folds do not test each recording once, e.g. {odd[:5]}: delete the folds and train again"
            )
        kept = measured(test)
        lost = test[~test["recording_id"].isin(set(kept["recording_id"]))].reset_index(drop=True)
        return cls(folds, kept.drop(columns=["valid_share", "unmeasured"], errors="ignore"), lost)

    def asked(self, fold: Split) -> set[str]:
        """Test recordings of a fold, without those in which nothing was measured."""
        return set(fold.test) - set(self.unmeasured["recording_id"])


def _lines(
    manifest: Manifest, repeats: Sequence[_Repeat], lines: Lines | None
) -> tuple[dict[str, Any], dict[str, str]]:
    cluster = cluster_column(repeats[0].test)
    table = targets(manifest, None if cluster is None else cluster.removeprefix(PREFIX))
    heads = told_heads(table, repeats[0].test)
    tested = [repeat.test for repeat in repeats]
    folds = [
        [_fold_lines(table, fold, repeat.asked(fold), heads, lines) for fold in repeat.splits]
        for repeat in repeats
    ]
    names = dict.fromkeys(name for repeat in folds for fold in repeat for name in fold)
    summaries: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for name in names:
        family, _, reading = name.partition(" ")
        found = [[fold.get(name) for fold in repeat] for repeat in folds]
        absent = [one for repeat in found for one in repeat if one is None or one.predictions is None]
        if absent:
            reasons[name] = next((one.reason for one in absent if one and one.reason), "not in every fold")
            summaries.setdefault(family, None)
            continue
        pooled = [
            pd.concat([one.predictions for one in repeat if one], ignore_index=True) for repeat in found
        ]
        summary = _compared(tested, pooled, by_subject=all(one.by_subject for one in found[0] if one))
        if reading:
            summaries[family] = (summaries.get(family) or {}) | {reading: summary}
            continue
        summaries[name] = summary
        if name == "constant":
            _rank_as_one_answer(summary, _compared(tested, [_one_answer(one) for one in pooled]))
    return summaries, reasons


def _fold_lines(
    table: pd.DataFrame, fold: Split, asked: set[str], heads: tuple[str, ...], lines: Lines | None
) -> dict[str, Reference]:
    """Every line of a fold on what is tested there; one with several readings is `<name> <reading>`."""
    train, rows = rows_of(table, fold.train), rows_of(table, asked)
    own = SplitLines() if lines is None else lines.of(fold, asked, heads=heads)
    found = [line(train, rows, heads=heads) for line in (*LINES, *own.further)]
    for name, readings in own.families.items():
        if isinstance(readings, str):
            found.append(Reference(name, reason=readings))
        else:
            found += [line(train, rows, heads=heads) for line in readings.values()]
    return {one.name: one for one in found}


def _compared(
    tested: Sequence[pd.DataFrame], pooled: Sequence[pd.DataFrame], *, by_subject: bool = True
) -> dict[str, Any]:
    return {**summarize(pooled, by_subject=by_subject), "difference": paired_differences(tested, pooled)}


def _one_answer(table: pd.DataFrame) -> pd.DataFrame:
    names = [name for name in table if str(name).endswith("_prediction")]
    return table.assign(**{str(name): table[name].mean() for name in names})


def _rank_as_one_answer(summary: dict[str, Any], one: Mapping[str, Any]) -> None:
    """Take the ranks and correlations of a pooled constant line from one answer for everybody.

    The constants of the folds differ, and against whom they are tested on: without the persons of a fold the
    mean is the lower, the more ill they are. Pooled, they rank worse than chance (Parker et al. 2007,
    https://doi.org/10.1186/1471-2105-8-326), and a model would seem to be better by as much. Errors are each
    fold's own.
    """
    for part, other in [
        (summary, one),
        *((summary[key], one[key]) for key in ("by_subject", "difference") if key in summary),
    ]:
        for name in [name for name in part if name in METRICS and METRICS[name].higher_is_better]:
            part[name] = other[name]


def spread(tables: Sequence[pd.DataFrame]) -> dict[str, Any]:
    """Mean and standard deviation over tables of every metric that needs no threshold.

    One that a table does not define, as a fold of one class has no AUC, has no mean, as that of the others
    would be of fewer persons: its values are listed with the reason.
    """
    found = [
        {m.name: m.value() for m in measurements(table, threshold=None) if m.metric.kind != "decision"}
        for table in tables
    ]
    out: dict[str, Any] = {}
    for name in dict.fromkeys(name for one in found for name in one):
        values = [one[name].value if name in one else None for one in found]
        known = [value for value in values if value is not None]
        if len(known) == len(values):
            mean, sd = float(np.mean(known)), float(np.std(known, ddof=1))
            out[name] = {"mean": mean, "sd": sd, "values": known}
            continue
        why = next((one[name].reason for one in found if name in one and one[name].value is None), None)
        reason = f"undefined in {len(values) - len(known)} of {len(values)}: {why or 'no prediction of it'}"
        out[name] = {"mean": None, "sd": None, "values": values, "reason": reason}
    return out
