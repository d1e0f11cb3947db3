"""Steps of an analysis that fit estimators; each is called with the material and returns a finding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from biomarkers.frame_leak import gap_table
from datamodules.identity import person_keys
from engine.analysis import Finding, Material
from engine.out_of_fold import Inputs, Model, Reads, measured, out_of_fold
from evaluation.audit_figures import panels
from evaluation.page import Section


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """A named estimator and what it reads: `series`, or the table of `features`."""

    reads: Reads
    model: Model


@dataclass(frozen=True, kw_only=True)
class EstimatorTable:
    """Estimators out of fold, on people they were not fitted on, in one table.

    Args:
        estimators: name -> estimator; null ones are left out.
        published: name -> accuracy that a paper printed, shown beside ours.
    """

    estimators: Mapping[str, Estimator | None]
    published: Mapping[str, float]

    def __call__(self, material: Material, *, n_boot: int, seed: int) -> Finding:
        """Fit every estimator in every fold."""
        table = material.manifest.table
        inputs = Inputs(material.series, material.features.table)
        chosen = {name: estimator for name, estimator in self.estimators.items() if estimator is not None}
        predictions = {
            name: out_of_fold(own.model, own.reads, inputs, table, material.splits)
            for name, own in chosen.items()
        }
        found = {name: measured(own, n_boot=n_boot, seed=seed) for name, own in predictions.items()}
        majority = table["binary"].dropna().mean()
        rows = [
            (name, own["auc"], own["accuracy"], _printed(self.published.get(name)))
            for name, own in found.items()
        ]
        section = Section(
            "estimators",
            "Who is depressed? Estimators on people they were not fitted on",
            f"{len(material.splits)} folds over persons; scaling, selection and penalties are fitted inside "
            "the training part, the threshold of a decision is chosen on validation. Intervals are over "
            "persons.",
            plot=panels(
                [
                    (name, {"AUC": own["auc"], "accuracy": own["accuracy"]}, False)
                    for name, own in found.items()
                ],
                lines={"AUC": 0.5, "accuracy": float(max(majority, 1 - majority))},
            ),
            columns=("Estimator", "AUC", "Accuracy", "Printed accuracy"),
            rows=rows,
            remarks=(
                f"Always answering the larger class is right in {max(majority, 1 - majority):.0%}",
                "Printed accuracies are of other people and another split; they are not a target",
            ),
        )
        tables = [own.assign(estimator=name) for name, own in predictions.items()]
        return Finding([section], {"predictions": pd.concat(tables, ignore_index=True)})


@dataclass(frozen=True, kw_only=True)
class FrameLeak:
    """The same frames and estimators under a split over frames, which leaks, and under one over persons.

    Args:
        estimators: name -> classifier of single frames.
        channels: Names of the action units.
        frames_per_recording: Evenly spaced frames of each recording.
    """

    estimators: Mapping[str, Any]
    channels: Sequence[str]
    frames_per_recording: int

    def __call__(self, material: Material, *, n_boot: int, seed: int) -> Finding:
        """Compare the two splits."""
        table = material.manifest.table
        known = np.flatnonzero(table["binary"].notna())
        gap = gap_table(
            [material.series[row] for row in known],
            table["binary"].to_numpy(dtype=np.float64)[known].astype(int),
            np.array(person_keys(table))[known],
            self.estimators,
            channels=self.channels,
            frames_per_recording=self.frames_per_recording,
            seed=seed,
        )
        rows = [
            (f"{row['estimator']}, {row['split']}", *(f"{row[name]:.3f}" for name in _GAP))
            for row in gap.to_dict("records")
        ]
        section = Section(
            "frame_leak",
            "What a split over frames would have printed",
            "Frames of one recording on both sides let a classifier recognize the person and repeat the "
            "label. The first line of each pair is a demonstration of that leak, never a result.",
            columns=("Estimator and split", "Accuracy", "MAE", "RMSE", "Accuracy of frames"),
            rows=rows,
        )
        return Finding([section], {"frame_leak": gap})


_GAP = ("accuracy", "mae", "rmse", "frame_accuracy")


def _printed(accuracy: float | None) -> str:
    return "none" if accuracy is None else f"{accuracy:.2f}"
