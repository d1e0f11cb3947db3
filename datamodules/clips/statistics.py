"""Statistics of the training part for the network: means, spreads and prevalence."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from datamodules.clips.augmentation.person_spread import person_spread
from datamodules.clips.dataset import UNREADABLE, ClipSource
from datamodules.feature_leakage.repeated_answers import check_features
from datamodules.manifests.manifest import Recording
from datamodules.series import Series
from datamodules.series.checks.mixed_units import check_units, level

_log = logging.getLogger(__name__)
_STILL = 0.05  # of the spread of a channel: below it a recording counts as still; our choice


class PooledMoments:
    """Count, mean and squared deviations (F,), pooled file by file (Chan et al. 1983): without cancellation.

    Examples:
        >>> moments = PooledMoments()
        >>> _ = moments.add(torch.tensor([[1.0], [3.0]])), moments.add(torch.tensor([[8.0]]))
        >>> moments.mean, moments.squares / moments.count
        (tensor([4.]), tensor([8.6667]))
    """

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, torch.zeros(()), torch.zeros(())

    def add(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Add rows (N, F), and return their own mean and standard deviation (F,)."""
        own, more = values.mean(0), len(values)
        total = self.count + more
        apart = (own - self.mean) ** 2 * self.count * more / total
        self.squares = self.squares + ((values - own) ** 2).sum(0) + apart
        self.mean = self.mean + (own - self.mean) * more / total
        self.count = total
        return own, values.std(0, correction=0)


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
    """Statistics of the channels, each over the rows in which it is real."""
    read, parts = getattr(source, "series", None), getattr(source, "parts", _whole)
    if read is None:  # a source of pixels
        return {}
    pooled: dict[int, PooledMoments] = {}
    means: dict[int, Tensor] = {}
    spreads: list[Tensor] = []
    levels: dict[str, np.ndarray] = {}
    channels: tuple[str, ...] = ()
    places: list[slice] = []
    for row, recording in enumerate(recordings):
        try:
            series: Series = read(recording)
        except UNREADABLE as fault:
            _log.warning("not in the statistics: %s", fault)
            continue
        if not series.valid.any():
            continue
        channels, sizes = series.channels, np.full(series.values.shape[1], np.nan)
        own, spread = (torch.full((series.values.shape[1],), torch.nan).double() for _ in range(2))
        places = [place for place, _ in parts(series)]
        for number, (place, valid) in enumerate(parts(series)):
            if not valid.any():
                continue
            values = series.values[:, place][valid]
            sizes[place] = level(replace(series, values=series.values[:, place], valid=valid))
            found = pooled.setdefault(number, PooledMoments()).add(torch.from_numpy(values).double())
            own[place], spread[place] = found
        means[row], levels[recording.recording_id] = own, sizes
        spreads.append(spread)
    if not pooled:
        return {}
    check_units(levels, channels)
    table = torch.stack(list(means.values()))
    if answers is not None:
        names = [f"mean of {name}" for name in getattr(source, "channels", None) or range(table.shape[1])]
        check_features(pd.DataFrame(table.numpy(), columns=names), answers.iloc[list(means)], allowed=allowed)
    persons = [recordings[row].subject_id for row in means]
    parts_found = [
        _of_part(pooled.get(number), table[:, place], torch.stack(spreads)[:, place], persons)
        for number, place in enumerate(places)
    ]
    return {name: torch.cat([part[name] for part in parts_found]).float() for name in parts_found[0]}


def _whole(series: Series) -> list[tuple[slice, NDArray[np.bool_]]]:
    """All channels as one part: each is real where the row is."""
    return [(slice(None), series.valid)]


def _of_part(
    pooled: PooledMoments | None, means: Tensor, spreads: Tensor, persons: Sequence[str]
) -> dict[str, Tensor]:
    """Statistics of channels that are real in the same rows; a part that no recording has is left as it is.

    Args:
        pooled: Of all recordings.
        means: Of the recordings (N, F), NaN in those without this part.
        spreads: Likewise.
        persons: Of the recordings.
    """
    there = means.isfinite().all(1)
    if pooled is None:
        nothing = means.new_zeros(means.shape[1])
        return {
            "series_mean": nothing, "series_std": nothing + 1,
            "series_person_level": nothing, "series_person_gain": nothing,
        }  # fmt: skip
    own = [person for person, known in zip(persons, there.tolist(), strict=True) if known]
    std = (pooled.squares / pooled.count).sqrt()
    lively = spreads[there].maximum(_STILL * std).clamp(min=torch.finfo(torch.float64).tiny).log()
    return {
        "series_mean": pooled.mean,
        "series_std": std,
        "series_person_level": person_spread(means[there], own),
        "series_person_gain": person_spread(lively, own),
    }
