"""A manifest whose series went through an extractor that does not exist; see `extractor_noise`."""

import ast
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from tqdm import tqdm

from datamodules.manifests.manifest import Manifest, ManifestError
from datamodules.series import Series, UnreadableSeries, read_series
from datamodules.synthetic import extractor_noise
from datamodules.synthetic.extractor_noise import as_extracted
from datamodules.synthetic.files import intact, put_sealed, put_series, read_sealed, sweep

_ROUNDING = 1e-3  # seconds; extractors round times to a millisecond


def extracted(
    *, manifest: Manifest, noise: float, drop: float, missing: Sequence[str], seed: int
) -> Manifest:
    """The manifest with its series as an extractor would give them; videos, landmarks and labels stay.

    The series lie in `extracted_<fingerprint>` beside the table. The name of the folder changes with every
    setting, that of a file with the content of the series it comes from. What is there is kept: an
    interrupted call goes on where it stopped. Around another manifest in a config: `data=extracted_series`.

    Args:
        manifest: Of recordings with series, such as the synthetic cohort.
        noise: Standard deviation of the error of an intensity.
        drop: Expected share of frames without a face (0 to below 1).
        missing: Channels that the extractor does not measure.
        seed: Every recording has noise of its own, by this and its id.

    Raises:
        ManifestError: A recording has no series.
        UnreadableSeries: Its file is missing or damaged.
        ValueError: A setting that cannot be, or a series whose rows are not evenly spaced in time.
    """
    settings = {"noise": noise, "drop": drop, "missing": list(missing), "seed": seed}
    folder = manifest.root / f"extracted_{_fingerprint(settings)}"
    sources = _sources(manifest)
    folder.mkdir(exist_ok=True)
    sweep(folder)
    targets = {name: folder / _file_name(name, *source) for name, source in sources.items()}
    seals = {name: target.with_suffix(".json") for name, target in targets.items()}
    todo = [name for name in sources if not _made(targets[name], seals[name])]
    for name in tqdm(todo, desc="Extracted series", unit="rec", disable=not todo):
        source, fps = sources[name]
        latent = read_series(source, channels=None, fps=fps)
        series = as_extracted(latent, noise=noise, drop=drop, missing=missing, seed=_seed(name, seed))
        put_sealed(seals[name], {"sha256": _write(targets[name], series)})
    note = (
        f"series as an extractor would give them: noise {noise:g}, {drop:.0%} of frames lost in runs, "
        f"without {', '.join(missing) or 'nothing'} (seed {seed})"
    )
    return replace(
        manifest,
        table=manifest.table.assign(
            series_path=[f"{folder.name}/{target.name}" for target in targets.values()],
            content_hash=_hashes(manifest, list(targets.values())),
        ),
        name=f"{manifest.name}_extracted",
        notes=(*manifest.notes, note),
    )


def _sources(manifest: Manifest) -> dict[str, tuple[Path, float | None]]:
    """File and rate of every recording, in the order of the table."""
    sources = {}
    for entry in manifest.recordings():
        if entry.series_path is None:
            raise ManifestError(
                f"{manifest}: recording {entry.recording_id!r} has no series to extract from; fill "
                "'series_path' or leave it out"
            )
        sources[entry.recording_id] = (entry.series_path, entry.fps or None)
    return sources


def _hashes(manifest: Manifest, files: Sequence[Path]) -> list[str]:
    """A recording's hash is that of its video; of its series, which are new, where it has none."""
    table = manifest.table
    given = table["content_hash"] if "content_hash" in table else [""] * len(table)
    return [
        old if video else hashlib.sha256(file.read_bytes()).hexdigest()
        for old, video, file in zip(given, table["path"], files, strict=True)
    ]


def _seed(name: str, seed: int) -> list[int]:
    """Seed of one recording: another row in the table changes no other recording."""
    return [seed, int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")]


def _file_name(name: str, source: Path, fps: float | None) -> str:
    """A readable part (ids of joined corpora hold slashes) and a digest of all that the content follows from.

    Raises:
        UnreadableSeries: The series is not there.
    """
    if not source.is_file():
        raise UnreadableSeries(f"{source}: no such series file; correct its path in the manifest")
    readable = "".join(letter if letter.isalnum() else "-" for letter in name)[:80]
    digest = hashlib.sha256(f"{name}\x1f{fps}\x1f".encode() + source.read_bytes())
    return f"{readable}_{digest.hexdigest()[:12]}.npz"


def _made(target: Path, seal: Path) -> bool:
    """Whether a series is there and still what was made."""
    content = read_sealed(seal)
    return content is not None and intact(target, content["sha256"])


def _write(target: Path, series: Series) -> str:
    fps, seconds = series.fps, series.seconds
    if fps is None or (
        seconds is not None and np.abs(seconds - np.arange(len(seconds)) / fps).max() > _ROUNDING
    ):
        raise ValueError(f"{target.stem}: the rows are not evenly spaced from 0 s; resample the series first")
    facts = {"channels": np.array(series.channels), "fps": np.float64(fps), "valid": series.valid}
    return put_series(target, series.values, **facts)


def _fingerprint(settings: dict[str, object]) -> str:
    content = json.dumps([settings, _code()], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


@cache  # the code as it was when it was loaded
def _code() -> str:
    """Digest of the model of the noise without comments and layout: another model, another folder."""
    digest = hashlib.sha256()
    for file in (__file__, str(extractor_noise.__file__)):
        digest.update(ast.dump(ast.parse(Path(file).read_text(encoding="utf-8"))).encode())
    return digest.hexdigest()
