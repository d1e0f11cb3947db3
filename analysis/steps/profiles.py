"""Profiles of emotions over the recording, by group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.step_data import Finding, Material
from biomarkers.features.emotions import EMOTIONS, emotion_intensities
from biomarkers.groups.group_figures import means_over_time
from biomarkers.groups.profiles import Profile, group_profiles
from evaluation.report.page import Section
from evaluation.uncertainty.bootstrap import Resampling


@dataclass(frozen=True, kw_only=True)
class Profiles:
    """Mean intensity of emotions over the recording, by group.

    Args:
        emotions: Names of the emotions.
        bins: Bins of the recording's duration.
    """

    emotions: Sequence[str]
    bins: int

    def __call__(self, material: Material, resampling: Resampling) -> Finding:
        """Average persons, not recordings, in every bin."""
        labels = material.labels
        known = np.flatnonzero(labels["binary"].notna())
        table = {name: EMOTIONS[name] for name in self.emotions}
        sums = [
            emotion_intensities(material.series[row], missing="sum_available", table=table).series
            for row in known
        ]
        groups = np.where(labels["binary"].to_numpy()[known] == 1, "depressed", "control")
        subjects = labels["subject_id"].to_numpy()[known]
        found = group_profiles(sums, subjects.tolist(), groups.tolist(), resampling, bins=self.bins)
        section = Section(
            "profiles",
            "How do emotions run over the recording?",
            "Mean of the persons of each group in equal shares of their recordings, with 95 % bands.",
            plot=means_over_time(found),
        )
        return Finding([section], {"profiles": _long(found)})


def _long(found: Mapping[str, Profile]) -> pd.DataFrame:
    parts = []
    for name, profile in found.items():
        for column, channel in enumerate(profile.channels):
            part = pd.DataFrame({k: getattr(profile, k)[:, column] for k in ("mean", "low", "high")})
            parts.append(part.assign(group=name, emotion=channel).rename_axis("bin").reset_index())
    return pd.concat(parts, ignore_index=True)
