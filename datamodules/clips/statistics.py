"""Statistics of the training part for the network: means, spreads and prevalence."""

import logging
from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from datamodules.clips.augmentation.person_spread import person_spread
from datamodules.clips.dataset import UNREADABLE, ClipSource
from datamodules.feature_leakage.repeated_answers import check_features
from datamodules.manifests.manifest import Recording
from datamodules.series import Series
from datamodules.series.checks.mixed_units import check_units, level

_log = logging.getLogger(__name__)
_STILL = 0.05  # of the spread of a channel: below it a recording counts as still; our choice


def training_statistics(
    recordings: Sequence[Recording],
    source: ClipSource,
    *,
    answers: pd.DataFrame | None = None,
    allowed: Collection[str] = (),
) -> dict[str, Tensor | float]:
    """Statistics over the given recordings and nothing else; what cannot be known is left out.

    Keys: `series_mean` and `series_std` (F,) over all valid rows, in raw units, for sources of series, with
    `series_person_level` and `series_person_gain` (F,), how far persons lie apart in the mean of a recording
    and in the log of its spread;
    `score_mean` and `score_std` (population) over the labeled recordings; `prevalence`, their share of
    positives; `traits_mean` and `traits_std` (5,), if every trait is known for at least one recording.

    Args:
        recordings: The training recordings.
        source: A prepared source.
        answers: Manifest rows of the recordings: what they hold may not be in the mean of a channel.
        allowed: Patterns of such means that may, e.g. `mean of au12`.

    Raises:
        LeakageError: A channel repeats an answer.
        UnreadableSeries: A channel is in two units.
    """
    statistics: dict[str, Tensor | float] = {}
    scores = [recording.score for recording in recordings if recording.score is not None]
    labels = [recording.binary for recording in recordings if recording.binary is not None]
    if scores:
        statistics |= {"score_mean": float(np.mean(scores)), "score_std": float(np.std(scores))}
    if labels:
        statistics["prevalence"] = float(np.mean(labels))
    traits = np.array([recording.traits for recording in recordings])
    if np.isfinite(traits).any(axis=0).all():
        mean, std = np.nanmean(traits, axis=0), np.nanstd(traits, axis=0)
        statistics |= {
            "traits_mean": torch.from_numpy(mean).float(),
            "traits_std": torch.from_numpy(std).float(),
        }
    return statistics | _series_statistics(recordings, source, answers, allowed)


def _series_statistics(
    recordings: Sequence[Recording],
    source: ClipSource,
    answers: pd.DataFrame | None,
    allowed: Collection[str],
) -> dict[str, Tensor | float]:
    """Pool count, mean and squared deviations file by file (Chan et al. 1983): one pass, no cancellation."""
    read = getattr(source, "series", None)
    if read is None:  # a source of pixels
        return {}
    count, mean, squares = 0, torch.zeros(()), torch.zeros(())
    means: dict[int, Tensor] = {}
    spreads: list[Tensor] = []
    levels: dict[str, np.ndarray] = {}
    channels: tuple[str, ...] = ()
    for row, recording in enumerate(recordings):
        try:
            series: Series = read(recording)
        except UNREADABLE as fault:
            _log.warning("not in the statistics: %s", fault)
            continue
        values = torch.from_numpy(series.values[series.valid]).double()
        if not len(values):
            continue
        levels[recording.recording_id], channels = level(series), series.channels
        own = means[row] = values.mean(0)
        spreads.append(values.std(0, correction=0))
        total = count + len(values)
        squares = squares + ((values - own) ** 2).sum(0) + (own - mean) ** 2 * count * len(values) / total
        mean = mean + (own - mean) * len(values) / total
        count = total
    if not count:
        return {}
    check_units(levels, channels)
    if answers is not None:
        names = [f"mean of {name}" for name in getattr(source, "channels", None) or range(len(mean))]
        table = pd.DataFrame(torch.stack(list(means.values())).numpy(), columns=names)
        check_features(table, answers.iloc[list(means)], allowed=allowed)
    std = (squares / count).sqrt()
    persons = [recordings[row].subject_id for row in means]
    lively = torch.stack(spreads).maximum(_STILL * std).clamp(min=torch.finfo(torch.float64).tiny).log()
    return {
        "series_mean": mean.float(),
        "series_std": std.float(),
        "series_person_level": person_spread(torch.stack(list(means.values())), persons).float(),
        "series_person_gain": person_spread(lively, persons).float(),
    }
