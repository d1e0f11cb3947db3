"""What the search for near-duplicates finds: `python -m benchmarks.near_duplicates`.

True pairs are recordings of a synthetic cohort changed in one way; false pairs are those it finds among
visits that nobody copied. Writes `docs/near_duplicates.md`.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from datamodules.content import content_of, contents, fingerprint
from datamodules.manifest import Manifest
from datamodules.near_duplicates import ALIKE, LONGEST_SHIFT_S, pairs_of, similarity
from datamodules.series import Series, read_series
from datamodules.synthetic.cohort import synthetic_manifest

Steps = NDArray[np.int8]
Change = Callable[[NDArray[np.float64], float, np.random.Generator], NDArray[np.float64]]

_TRIED = 60  # recordings a line


def _noise(share: float) -> Change:
    return lambda values, _, rng: values + share * values.std(axis=0) * rng.normal(size=values.shape)


def _cut(seconds: float, share: float = 0.01) -> Change:
    return lambda values, fps, rng: _noise(share)(values, fps, rng)[round(seconds * fps) :]


CHANGES: dict[str, Change] = {
    "saved with 2 decimals": lambda values, _, rng: np.round(values, 2),
    "one value changed in the 4th decimal": lambda values, _, rng: (
        values + 1e-4 * (np.arange(len(values)) == 9)[:, None]
    ),
    "other units (x 1000 + 3)": lambda values, _, rng: 1000 * values + 3,
    **{f"noise of {share:.0%} of each channel's spread": _noise(share) for share in (0.01, 0.03, 0.1, 0.3)},
    **{f"first {s:g} s cut off, noise of 1 %": _cut(s) for s in (0.25, 0.5, 1.0, 2.0, 3.0)},
    "last second cut off": lambda values, fps, rng: values[: -round(fps)],
    "a third of the rows dropped and filled": lambda values, _, rng: _filled(values, rng),
    "every second row": lambda values, _, rng: values[::2],
}


def _filled(values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    kept = np.sort(rng.permutation(len(values))[: 2 * len(values) // 3])
    return np.stack([np.interp(np.arange(len(values)), kept, column[kept]) for column in values.T], axis=1)


def found(manifest: Manifest, change: Change, *, seed: int, halved: bool = False) -> float:
    """Share of recordings that are found again after a change."""
    rng = np.random.default_rng(seed)
    hits = []
    for recording in manifest.recordings()[:_TRIED]:
        assert recording.series_path is not None
        series = read_series(recording.series_path, channels=None)
        fps = float(series.fps or 25.0)
        changed = change(series.values.astype(np.float64), fps, rng)
        again = _steps(changed, series, fps / 2 if halved else fps)
        hits.append(similarity(_steps(series.values, series, fps), again) > 0)
    return float(np.mean(hits))


def _steps(values: NDArray[np.floating], series: Series, fps: float) -> Steps:
    valid = np.ones(len(values), dtype=bool)
    return fingerprint(values, series.channels, valid=valid, fps=fps, kind="series")


def cohorts(folder: Path, count: int, *, size: int | None, subjects: int) -> Iterator[Manifest]:
    """Synthetic cohorts of different seeds, series alone or with pixels."""
    for seed in range(count):
        yield synthetic_manifest(
            root=folder,
            n_subjects=subjects,
            n_visits=6,
            fps=12.0,
            duration_s=8.0,
            size=size,
            confound=1.0,
            habit_visibility=0.1,
            seed=seed,
        )


def false_pairs(manifest: Manifest) -> tuple[int, int, float]:
    """Pairs found among recordings that nobody copied, how many were compared, and seconds of search."""
    known = contents(manifest)
    start = time.process_time()
    pairs = pairs_of(known)
    return len(pairs), len(known) * (len(known) - 1) // 2, time.process_time() - start


ENCODINGS = {
    "H.264, crf 23": (1, "libx264", "mp4", {"crf": "23"}),
    "half the size, H.264, crf 28": (2, "libx264", "mp4", {"crf": "28"}),
    "half the size, H.264, crf 35, Matroska": (2, "libx264", "mkv", {"crf": "35"}),
    "half the size, MPEG-4, AVI": (2, "mpeg4", "avi", {}),
}


def encoded(source: Path, target: Path, *, divided: int, codec: str, options: dict[str, str]) -> None:
    """Encode a video anew, smaller by a divisor of its sides."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = old.streams.video[0]
        rate = Fraction(stream.average_rate or 25)
        out = new.add_stream(codec, rate=rate, options=options)
        out.width, out.height = (side // divided // 2 * 2 for side in (stream.width, stream.height))
        out.pix_fmt = "yuv420p"
        for number, frame in enumerate(old.decode(stream)):
            picture = frame.reformat(width=out.width, height=out.height)
            picture.pts, picture.time_base = number, 1 / rate
            new.mux(out.encode(picture))
        new.mux(out.encode(None))


def _videos(folder: Path) -> list[str]:
    """Lines about the real videos of EUTHYMIA_DATA, where there are any."""
    root = os.environ.get("EUTHYMIA_DATA")
    files = sorted(Path(root).rglob("*.mp4")) if root else []
    if not files:
        return []
    known = {str(file): [content_of(file)] for file in files}
    told = sum(len(one.steps) > 0 for own in known.values() for one in own)
    lines = [f"| {len(files)} real videos, {told} with a fingerprint | {len(pairs_of(known))} |"]
    lines += ["", "| true pairs: a real video encoded anew | found |", "|---|---|"]
    for what, (divided, codec, ending, options) in ENCODINGS.items():
        hits = 0
        for number, file in enumerate(files):
            copy = folder / f"{number}_{codec}_{divided}_{options.get('crf', '')}.{ending}"
            encoded(file, copy, divided=divided, codec=codec, options=options)
            pairs = pairs_of(known, {"copy": [content_of(copy)]})
            hits += [pair.first for pair in pairs] == [str(file)]
        lines.append(f"| {what} | {hits} of {len(files)} |")
    return lines


def page(*, count: int, pixels: int, subjects: int) -> str:
    """The page of results."""
    lines = [
        "# Near-duplicates: what is found",
        "",
        "Made by `python -m benchmarks.near_duplicates`. A pair counts from a correlation of "
        f"{ALIKE} at a shift of at most {LONGEST_SHIFT_S:g} s, if chance is six standard deviations away.",
        "",
        "| true pairs: change | found |",
        "|---|---|",
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = next(cohorts(folder, 1, size=None, subjects=subjects))
        for what, change in CHANGES.items():
            share = found(first, change, seed=0, halved="every second" in what)
            lines.append(f"| {what} | {share:.0%} |")
        lines += ["", "| false pairs: recordings that nobody copied | pairs found |", "|---|---|"]
        for size, number in ((None, count), (32, pixels)):
            if not number:
                continue
            results = [false_pairs(one) for one in cohorts(folder, number, size=size, subjects=subjects)]
            wrong, compared, seconds = (sum(column) for column in zip(*results, strict=True))
            kind = "series" if size is None else f"video of {size} pixels"
            lines.append(
                f"| {number} cohorts, {kind}, {compared} pairs, {seconds / number:.1f} s of search "
                f"each | {wrong} |"
            )
        lines += _videos(folder)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int, default=20)
    parser.add_argument("--pixels", type=int, default=2)
    parser.add_argument("--subjects", type=int, default=160)
    parser.add_argument("--out", type=Path, default=Path("docs/near_duplicates.md"))
    options = parser.parse_args()
    text = page(count=options.cohorts, pixels=options.pixels, subjects=options.subjects)
    options.out.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
