"""Made-up feature sets of a cohort of series, as several extractors leave them: other rates, gaps, widths.

`action_units` and `head_gaze` are the channels of the series with noise. `embedding` stands for that of a
large network, whose columns mean nothing by themselves:

    e_t = W z_t + noise n_t,    W ~ N(0, 1/C), n_t ~ N(0, I)

with z the C channels of all, each in its usual spread. A share of the recordings lacks it, by chance alone.
"""

import ast
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules.manifests.columns import FEATURES
from datamodules.manifests.index.recordings import Recording
from datamodules.manifests.manifest import Manifest, ManifestError
from datamodules.progress import Progress
from datamodules.series import Series, read_series
from datamodules.series.resample import resample
from datamodules.synthetic.files import intact, put, put_sealed, read_sealed, sweep

RATES = {"action_units": 6.0, "head_gaze": 4.0, "embedding": 2.0}
"""Rows per second of each set; our choice."""
_SPREAD = {"au": 1.0, "gaze": 0.1, "pose": 0.1, "pupil": 0.05}  # usual ones of the channels of the cohort
_LOST_S = 1.5  # seconds without a face at a time, our choice


def feature_sets(
    *, manifest: Manifest, noise: float, drop: float, lacking: float, width: int, seed: int
) -> Manifest:
    """The manifest with three feature sets made of its series; what else it holds stays.

    The sets lie in `sets_<fingerprint>` beside the table, one `.npz` a recording and set. What is there is
    kept: an interrupted call goes on where it stopped.

    Args:
        manifest: Of recordings with series, such as the synthetic cohort.
        noise: Standard deviation of the error of a value, in usual spreads of its channel.
        drop: Expected share of rows without a face (0 to below 1), in `valid_mask`; each set loses others.
        lacking: Share (0-1) of the recordings without `embedding`.
        width: Columns of `embedding`.
        seed: Every recording has noise of its own, by this and its id.

    Raises:
        ManifestError: A recording has no series.
        UnreadableSeries: Its file is missing or damaged.
        ValueError: A setting that cannot be.
    """
    if noise < 0 or not 0 <= drop < 1 or not 0 <= lacking <= 1 or width < 1:
        raise ValueError(
            f"noise={noise} must be 0 or more, drop={drop} from 0 to below 1, lacking={lacking} from 0 to 1 "
            f"and width={width} 1 or more"
        )
    settings = {"noise": noise, "drop": drop, "lacking": lacking, "width": width, "seed": seed}
    folder = manifest.root / f"sets_{_fingerprint(settings)}"
    folder.mkdir(exist_ok=True)
    sweep(folder)
    cells: dict[str, list[str]] = {name: [] for name in RATES}
    hashes = []
    for recording in Progress(manifest.recordings(), total=len(manifest.table), desc="Feature sets"):
        made = _files(recording, folder, settings)
        hashes.append(made[next(iter(RATES))]["sha256"])
        for name, column in cells.items():
            column.append(f"{folder.name}/{made[name]['file']}" if name in made else "")
    note = (
        f"made-up feature sets: noise {noise:g}, {drop:.0%} of rows lost, {lacking:.0%} of the recordings "
        f"without an embedding (seed {seed})"
    )
    columns = {f"{FEATURES}{name}": column for name, column in cells.items()}
    # of the series that they were made of nothing is read
    table = manifest.table.assign(**columns, series_path="", landmark_path="", content_hash=hashes)
    return replace(
        manifest, table=table, name=f"{manifest.name}_sets", notes=(*manifest.notes, note), full_digest=None
    )


def _files(recording: Recording, folder: Path, settings: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """File and digest of each set of a recording, made where they are not there or are not what was made."""
    if recording.series_path is None:
        raise ManifestError(
            f"{recording.recording_id!r} has no series to make feature sets of: fill 'series_path'"
        )
    stem = hashlib.sha256(
        f"{recording.recording_id}\x1f".encode() + recording.series_path.read_bytes()
    ).hexdigest()[:16]
    seal = folder / f"{stem}.json"
    known = read_sealed(seal)
    if known is not None and all(intact(folder / one["file"], one["sha256"]) for one in known.values()):
        return known
    rng = np.random.default_rng([settings["seed"], int(stem, 16)])
    series = read_series(recording.series_path, channels=None, fps=recording.fps or None)
    made = {}
    for name, arrays in _sets(series, rng, settings).items():
        stream = io.BytesIO()
        np.savez(stream, **arrays)
        file = f"{stem}_{name}.npz"
        made[name] = {"file": file, "sha256": put(folder / file, stream.getvalue())}
    put_sealed(seal, made)
    return made


def _sets(series: Series, rng: np.random.Generator, settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Arrays of the sets of one recording."""
    found = {}
    kept = rng.random() >= settings["lacking"]
    for name, fps in RATES.items():
        own = resample(series, fps=fps, max_gap_s=0.0)
        z = own.values / np.array([_SPREAD[_kind(channel)] for channel in own.channels])
        if name == "embedding":
            features = z @ _projection(z.shape[1], settings["width"], settings["seed"])
            features = features + settings["noise"] * rng.normal(size=features.shape)
        else:
            columns = [(_kind(channel) == "au") == (name == "action_units") for channel in own.channels]
            features = z[:, columns] + settings["noise"] * rng.normal(size=(len(z), sum(columns)))
        valid = own.valid & ~_lost(len(z), rng, share=settings["drop"], length=round(_LOST_S * fps))
        if kept or name != "embedding":
            found[name] = {
                "features": features.astype(np.float32),
                "timestamps_ms": np.round(np.arange(len(z)) * 1000 / fps).astype(np.int64),
                "valid_mask": valid if valid.any() else own.valid,
            }
    return found


def _kind(channel: str) -> str:
    return next(kind for kind in _SPREAD if channel.startswith(kind))


@cache
def _projection(channels: int, width: int, seed: int) -> NDArray[np.float64]:
    drawn = np.random.default_rng([seed, channels, width]).normal(size=(channels, width))
    return np.asarray(drawn / np.sqrt(channels))


def _lost(rows: int, rng: np.random.Generator, *, share: float, length: int) -> NDArray[np.bool_]:
    """Rows that are lost, in runs of this length, a share of all in expectation."""
    length = max(1, length)
    begins = rng.random(rows) < 1 - (1 - share) ** (1 / length)
    return np.convolve(begins, np.ones(length))[:rows] > 0


def _fingerprint(settings: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps([settings, _code()], sort_keys=True).encode()).hexdigest()[:12]


@cache  # the code as it was when it was loaded
def _code() -> str:
    """Digest of this file without comments and layout: other sets, another folder."""
    return hashlib.sha256(
        ast.dump(ast.parse(Path(__file__).read_text(encoding="utf-8"))).encode()
    ).hexdigest()
