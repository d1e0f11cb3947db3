"""Clusters of persons by the course of an emotion, beside the published table of Parikh et al."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.step_data import Finding, Material
from analysis.steps.published_tables import flat, published_section
from biomarkers.features.emotions import EMOTIONS, emotion_intensities
from biomarkers.groups.profiles import course
from biomarkers.groups.subject_means import one_group_each
from biomarkers.published.parikh2024 import table_4
from datamodules.schema import IDS
from datamodules.series import Series
from evaluation.uncertainty.bootstrap import Resampling

_EMOTIONS = ("happiness", "sadness")  # of the printed table


@dataclass(frozen=True, kw_only=True)
class EmotionClusters:
    """Silhouettes of three clusterings of the courses of happiness and sadness over the recording.

    Args:
        bins: Equal shares of the recording's duration.
    """

    bins: int

    def __call__(self, material: Material, resampling: Resampling) -> Finding:
        """Cluster everybody who has a group and a frame in every bin; others are counted in a note."""
        ids = material.features.table[[*IDS]]
        persons = one_group_each(ids.join(_courses(material.series, bins=self.bins)), material.labels)
        values, depressed, lacking = persons.complete()
        courses = {name: values[:, j * self.bins : (j + 1) * self.bins] for j, name in enumerate(_EMOTIONS)}
        table = table_4(courses, depressed, seed=resampling.seed)
        table = replace(table, cells=_long(table.cells))
        counted = f"{len(values)} persons, each the mean of {persons.basis} in {self.bins} bins of time"
        if lacking:
            counted += f"; {lacking} persons have a bin without a frame and are left out"
        section = published_section(replace(table, notes=(counted, *table.notes)))
        return Finding([replace(section, key="emotion_clusters")], {"emotion_clusters": flat(table.cells)})


def _long(cells: pd.DataFrame) -> pd.DataFrame:
    """A row an emotion and method: side by side the columns are too many for a page."""
    return pd.concat([pd.DataFrame(cells[name]).rename(index=f"{name}, {{}}".format) for name in _EMOTIONS])


def _courses(series: Sequence[Series], *, bins: int) -> pd.DataFrame:
    """One row a recording, emotion by emotion and bin by bin.

    Raises:
        ValueError: No emotion can be summed, or one of the two cannot.
    """
    table = {name: EMOTIONS[name] for name in _EMOTIONS}
    rows = []
    for own in series:
        emotions = emotion_intensities(own, missing="sum_available", table=table)
        if emotions.left_out:
            raise ValueError(
                f"{emotions.left_out[0]} has no action unit among {', '.join(own.channels)}: leave "
                "analysis.steps.emotion_clusters out (=null)"
            )
        rows.append(course(emotions.series, bins=bins).T.ravel())
    names = [f"{name}_{place}" for name in _EMOTIONS for place in range(bins)]
    return pd.DataFrame(np.stack(rows), columns=names)
