"""Features of the series that a network reads, one table for each family of reference lines."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from biomarkers.estimators.series_array import SeriesPanel
from biomarkers.features.coordination import Coordination
from biomarkers.features.cross_correlation import CrossCorrelation
from biomarkers.features.extractor import Extractor, Unmeasurable
from biomarkers.features.mean_spread_speed import MeanSpreadSpeed
from biomarkers.features.principal_channels import PrincipalChannels
from datamodules.clips.dataset import UNREADABLE, SeriesClips
from datamodules.clips.feature_sets.source import FeatureSetClips
from datamodules.clips.tokens import TokenClips
from datamodules.manifests.manifest import Manifest, Recording
from datamodules.series import Series
from engine.config.build import build
from engine.config.compose import ConfigError
from evaluation.baselines.line_names import FAMILIES

_log = logging.getLogger(__name__)

_FEW = 24  # channels; pairs and delays of more are those of their components (our choice)
_COMPONENTS = 16  # our choice
_KERNELS = 2000  # of MiniRocket: with 10,000 it is slower and no better on series of 8 and of 40 s
_SHORTEST = 9  # steps that a kernel of MiniRocket spans
_STEPS = 512  # of a series that kernels read, at most (our choice)


def series_source(config: Mapping[str, Any], manifest: Manifest) -> SeriesClips | str:
    """The source of the series that belong to what a network reads, or why there are none.

    A network of pixels has them where `preprocess.py` measured them in the very pixels; a series of another
    origin, such as the one that a synthetic video was drawn from, is not what the network sees.
    """
    source = build(config["data"]["module"]["source"], key="data.module.source")
    if isinstance(source, SeriesClips):
        return source.prepared(manifest.recordings())
    if isinstance(source, FeatureSetClips):
        return (
            "the network reads feature sets, which are not all real at the same times: their simple readers "
            "are networks of one set each (data.sets=[<one>])"
        )
    if isinstance(source, TokenClips):
        return "the network reads tokens of an encoder, in which no series was measured"
    if manifest.preprocessing is None or "series_path" not in manifest.table:
        return "the network reads pixels, of which no series was measured (preprocess.py measures them)"
    try:
        return SeriesClips().prepared(manifest.recordings())
    except UNREADABLE as fault:
        return f"the network reads pixels, and the series that were measured in them cannot be read: {fault}"


@dataclass(frozen=True)
class SeriesFeatures:
    """Families of features of the recordings of a manifest.

    Args:
        manifest: The recordings. One that cannot be read, or holds no measurement, is in no table.
        source: A prepared source.
        families: Of `FAMILIES`, those that are asked for.
    """

    manifest: Manifest
    source: SeriesClips
    families: Sequence[str]
    _kept: dict[str, pd.DataFrame] = field(default_factory=dict)

    def of(self, train: Sequence[str]) -> dict[str, pd.DataFrame]:
        """Family -> its features, a row a recording by its id; NaN where one could not be measured.

        Args:
            train: Recordings that fit what has to be fitted: components of many channels, kernels.
        """
        series = self._series
        components = None
        if len(series.channels) > _FEW and set(self.families) - {"statistics"}:
            components = PrincipalChannels(count=_COMPONENTS).fit(series.only(train))
        found: dict[str, pd.DataFrame] = {}
        for family in self.families:
            seen = series if family == "statistics" else replace(series, components=components)
            if family == "rocket":
                found[family] = _kernels(seen, seen.only(train))
            elif seen.components is not None:
                found[family] = _table(family, seen)
            else:  # nothing in it is fitted
                found[family] = self._fixed(family, seen)
        return found

    def _fixed(self, family: str, series: "_Measured") -> pd.DataFrame:
        if family not in self._kept:
            self._kept[family] = _table(family, series)
        return self._kept[family]

    @cached_property
    def _series(self) -> "_Measured":
        """The recordings that can be read and hold a measurement."""
        kept = []
        for recording in self.manifest.recordings():
            try:
                if self.source.series(recording).valid.any():
                    kept.append(recording)
            except UNREADABLE as fault:
                _log.info("not in the lines on series: %s", fault)
        return _Measured(self.source, tuple(kept))


@dataclass(frozen=True)
class _Measured(Sequence[Series]):
    """Series of recordings, read when they are asked for, of channels or of their components."""

    source: SeriesClips
    recordings: tuple[Recording, ...]
    components: PrincipalChannels | None = None

    @property
    def channels(self) -> tuple[str, ...]:
        if self.components is not None:
            return self.components.names
        return self.source.channels or ()

    @property
    def ids(self) -> list[str]:
        return [recording.recording_id for recording in self.recordings]

    def only(self, ids: Sequence[str]) -> "_Measured":
        wanted = set(ids)
        return replace(self, recordings=tuple(own for own in self.recordings if own.recording_id in wanted))

    def __len__(self) -> int:
        return len(self.recordings)

    def __getitem__(self, place: Any) -> Any:
        series = self.source.series(self.recordings[place])
        return series if self.components is None else self.components.transform(series)


def check_families(families: object) -> None:
    """Stop at what is no list of families.

    Raises:
        ConfigError: Names it, and the families that there are.
    """
    if not isinstance(families, list | tuple) or any(
        not isinstance(name, str) or name not in FAMILIES for name in families
    ):
        raise ConfigError(f"evaluation.lines={families}: give a list of some of {', '.join(FAMILIES)}, or []")


def _table(family: str, series: _Measured) -> pd.DataFrame:
    """What the extractors of a family measure, a row a recording."""
    extractors = _extractors(family, series.channels)
    names = [name for extractor in extractors for name in extractor.names]
    rows = [
        [value for extractor in extractors for value in _values(extractor, own, recording)]
        for own, recording in zip(series, series.ids, strict=True)
    ]
    return pd.DataFrame(rows, index=series.ids, columns=names, dtype=np.float64)


def _extractors(family: str, channels: Sequence[str]) -> list[Extractor]:
    if family == "coordination":
        return [Coordination(channels=channels)]
    if family == "statistics" or len(channels) < 2:
        return [MeanSpreadSpeed(channels=channels)]
    return [MeanSpreadSpeed(channels=channels), CrossCorrelation(channels=channels)]


def _values(extractor: Extractor, series: Series, recording: str) -> list[float]:
    try:
        measured = extractor.measure(series, recording=recording).values
    except Unmeasurable as fault:
        _log.info("%s", fault)
        return [np.nan] * len(extractor.names)
    return [measured[name] for name in extractor.names]


def _kernels(series: _Measured, learning: _Measured) -> pd.DataFrame:
    """MiniRocket's features of the whole recordings, whose channels are scaled by the training ones."""
    from biomarkers.estimators.rocket import mini_rocket  # seconds to import

    rows = int(np.median([len(own.values) for own in learning]))
    panel = SeriesPanel(channels=series.channels, length=min(max(rows, _SHORTEST), _STEPS), max_gap_s=None)
    kernels = mini_rocket(n_kernels=_KERNELS)
    kernels.fit(panel.fit(learning).transform(learning))
    found = np.asarray(kernels.transform(panel.transform(series)), dtype=np.float64)
    return pd.DataFrame(found, index=series.ids)
