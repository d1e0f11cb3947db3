"""Demonstration of the leak of a split over frames, beside a split over persons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.step_data import Finding, Material
from analysis.steps.cells import named_estimate
from biomarkers.estimators.frame_leak import gap_table
from datamodules.manifests.identity import person_keys
from evaluation.report.page import Section
from evaluation.uncertainty.bootstrap import Resampling

_PLAIN = ("mae", "rmse", "frame_accuracy")


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

    def __call__(self, material: Material, resampling: Resampling) -> Finding:
        """Compare the two splits."""
        table = material.manifest.table
        known = np.flatnonzero(table["binary"].notna())
        gap = gap_table(
            [material.series[row] for row in known],
            table["binary"].to_numpy(dtype=np.float64)[known].astype(int),
            np.array(person_keys(table))[known],
            self.estimators,
            resampling,
            channels=self.channels,
            frames_per_recording=self.frames_per_recording,
        )
        rows = [
            (
                f"{row['estimator']}, {row['split']}",
                named_estimate(row, "accuracy"),
                *(f"{row[name]:.3f}" for name in _PLAIN),
            )
            for row in gap.to_dict("records")
        ]
        section = Section(
            "frame_leak",
            "What a split over frames would have printed",
            "Frames of one recording on both sides let a classifier recognize the person and repeat the "
            "label. The first line of each three is a demonstration of that leak, never a result; the last "
            "is what the leak adds. Intervals are over persons, of a difference over the same persons.",
            columns=("Estimator and split", "Accuracy", "MAE", "RMSE", "Accuracy of frames"),
            rows=rows,
        )
        return Finding([section], {"frame_leak": gap})
