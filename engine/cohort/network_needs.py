"""Checks that a network gets what it needs: files of its kind, labels of its heads, scores of earlier visits.

They need the table alone, so that a mistake is told before a file is read.
"""

import logging
from collections.abc import Mapping
from typing import Any

import pandas as pd
from torch import nn

from datamodules.commands import typed
from datamodules.manifests.columns import feature_columns
from datamodules.manifests.known_visits import Known
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.preprocessing import FILE
from datamodules.splits.partition import Split
from datamodules.wording import first_few
from engine.config.compose import ConfigError

_log = logging.getLogger(__name__)

READS = {
    "PixelClips": "video",
    "FaceClips": "video",
    "RegionClips": "video",
    "SeriesClips": "series",
    "TokenClips": "tokens",
    "FeatureSetClips": "features",
}
"""What each source of clips reads."""
CACHED = ("FaceClips", "RegionClips")
"""Those that read a cache of `preprocess.py` alone."""

_LABEL_OF = {"score": "score", "binary": "binary", "band": "score"}  # what each head learns from
_SHOWN = 5  # items named
_TRAIN_ON = {
    "video": "train on videos: data/clips=pixels with a model of pixels, e.g. experiment=mpdrm",
    "series": "train on series: experiment=mpdrm_series with data/clips=series data.channels=<how many>",
}


def check_content(manifest: Manifest, config: Mapping[str, Any], *, trained: bool = False) -> None:
    """Stop where no recording has a file of the kind that the network reads.

    Args:
        manifest: What is trained on, evaluated or predicted.
        config: Resolved config of the run.
        trained: Whether the network is there already, and can be exchanged for another one only.

    Raises:
        ConfigError: Names the column that is missing or empty, and what the table has instead; or the number
            of tokens of a step that a store has.
    """
    column, kind = _reads(config)
    if kind == "features" and not any(_any(manifest.table, own) for own in feature_columns(manifest.table)):
        raise ConfigError(
            f"{manifest}: no recording has a feature set, which this network reads: name their files in "
            "columns features_<set>"
        )
    _check_cache(manifest, config, trained=trained)
    _check_places(manifest, config)
    if column is None or _any(manifest.table, column):
        return
    if kind == "tokens":
        raise ConfigError(
            f"{manifest}: no recording has tokens, which this network reads: encode the videos first, as its "
            f"store was ({typed('encode')}), and give the manifest.csv of the store"
        )
    other = "series" if kind == "video" else "video"
    has = _any(manifest.table, "series_path" if kind == "video" else "path")
    instead = f"take the checkpoint of a run on {'videos' if other == 'video' else other}"
    raise ConfigError(
        f"{manifest}: no recording has a {kind}, which this network reads ('{column}' is "
        f"{'empty' if column in manifest.table else 'missing'}). Fill '{column}'"
        + (f", or {instead if trained else _TRAIN_ON[other]}" if has else "")
    )


def _check_cache(manifest: Manifest, config: Mapping[str, Any], *, trained: bool) -> None:
    """Faces are read from a cache: of other videos nobody knows where the face is."""
    name = str(_source(config).get("_target_")).rpartition(".")[2]
    if name == "PixelClips" and manifest.preprocessing is not None:
        _log.warning(
            "%s: all frames are read, those too whose face cannot be used; data/clips=faces, or faces_dense, "
            "masks them",
            manifest,
        )
    if manifest.preprocessing is not None:
        _check_margin(manifest, _source(config).get("margin"), manifest.preprocessing.settings.get("aligner"))
    if trained or name not in CACHED or manifest.preprocessing is not None:
        return
    table = manifest.file or "<folder or table>"
    raise ConfigError(
        f"{manifest}: is no cache of preprocess.py, which data=faces reads: beside the folder of its clips "
        f"is no {FILE}. If one was lost, copy it there; else first\n"
        f"  {typed('preprocess')} input={table} output=<cache>\n"
        "then data=faces data.path=<cache>/manifest.csv. Where the faces were cut out by other means: "
        f"data=manifest data.path={table}"
    )


def _check_margin(manifest: Manifest, margin: Any, aligner: Any) -> None:
    """Regions are boxes of a crop: with another margin they would lie beside the eyes."""
    made = aligner.get("margin") if isinstance(aligner, Mapping) else None
    if margin is not None and made is not None and margin != made:
        raise ConfigError(
            f"{manifest}: its faces were cut out with a margin of {made}, and data.module.source.margin is "
            f"{margin}: set data.module.source.margin={made}"
        )


def check_heads(manifest: Manifest, config: Mapping[str, Any], split: Split | None = None) -> None:
    """Stop where a head of the network has no label to learn from, in the table or in a split's train part.

    Raises:
        ConfigError: Names the head, its column, and the heads that have labels.
    """
    network = (config.get("model") or {}).get("network") or {}
    heads = [name for name in network.get("heads") or {} if name in _LABEL_OF and network["heads"][name]]
    table = manifest.table
    if split is not None:
        table = table[table["recording_id"].isin(set(split.train))]
    _check_items(manifest, config, table)
    idle = [name for name in heads if not _any(table, _LABEL_OF[name])]
    if not idle:
        return
    column = _LABEL_OF[idle[0]]
    where = "no recording" if split is None else f"no training recording of split '{split.name}'"
    labeled = [name for name in ("score", "binary") if _any(table, name)]
    choice = f"Train with model/heads={'_'.join(labeled)}, or fill" if labeled else "Fill"
    fill = "'scale' and 'score'" if column == "score" else "'binary'"
    raise ConfigError(
        f"{manifest}: {where} has a '{column}', which the head '{idle[0]}' learns. {choice} {fill}."
    )


def _check_items(manifest: Manifest, config: Mapping[str, Any], table: pd.DataFrame) -> None:
    """Stop where a head of items has an item that no training recording answers."""
    heads = ((config.get("model") or {}).get("network") or {}).get("heads") or {}
    for name, head in heads.items():
        for scale, own in ((head or {}).get("questionnaires") or {}).items():
            lost = [column for column in own["columns"] if not _any(table, column)]
            if lost:
                raise ConfigError(
                    f"{manifest}: no training recording answers {first_few(lost[:_SHOWN], of=len(lost))} of "
                    f"{scale}, which the head {name!r} learns. Fill these columns, choose data/items "
                    "that were answered, or train with model/heads=score_binary"
                )


def reads_history(network: nn.Module) -> bool:
    """Whether a part of a network reads the scores of earlier visits: one with a true `needs_history`."""
    return any(bool(getattr(part, "needs_history", False)) for part in network.modules())


def check_history(network: nn.Module, known: Known | None, *, where: str) -> None:
    """Stop where a network reads scores of earlier visits and the protocol makes none known.

    Args:
        network: Or the task that holds it.
        known: What the split makes known.
        where: What names the protocol in the message.

    Raises:
        ConfigError: With the protocol, and the contexts, that fit.
    """
    if known is None and reads_history(network):
        raise ConfigError(
            f"{where}: this network reads the scores of earlier visits (model/context=calibrated), and the "
            "protocol makes none known. Use protocol=longitudinal protocol.known=1 (or more, or all), or "
            "train with a context that reads no scores: model/context=enrolment, or clip"
        )


def _check_places(manifest: Manifest, config: Mapping[str, Any]) -> None:
    """Stop where a network takes a store to have more or fewer tokens of one step than it has."""
    known = manifest.preprocessing.settings.get("places") if manifest.preprocessing is not None else None
    network = (config.get("model") or {}).get("network") or {}
    for branch in ("depression", "personality"):
        asked = ((network.get(branch) or {}).get("trunk") or {}).get("places")
        if known is not None and asked is not None and asked != known:
            raise ConfigError(
                f"data.places={asked}: {manifest} has {known} tokens of one step, and another number mixes "
                f"places with steps of time: write data.places={known}"
            )


def _reads(config: Mapping[str, Any]) -> tuple[str | None, str]:
    """Column and kind of the files that the source of a config reads; no column of sources of others."""
    source = _source(config)
    kind = READS.get(str(source.get("_target_")).rpartition(".")[2], "")
    series = str(source.get("column", "series_path"))
    return {"video": "path", "series": series, "tokens": "tokens_path"}.get(kind), kind


def _source(config: Mapping[str, Any]) -> Mapping[str, Any]:
    source: Mapping[str, Any] = ((config.get("data") or {}).get("module") or {}).get("source") or {}
    return source


def _any(table: pd.DataFrame, column: str) -> bool:
    return column in table and bool((table[column].notna() & (table[column] != "")).any())
