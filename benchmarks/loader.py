"""Clips through our loader beside a bare read of the same frames: `python -m benchmarks.loader`.

Raw videos as cameras code them (groups of a second, B-frames) and the store that `preprocess.py` writes of
them, read as `data=manifest` and `data=faces` read them: data set and collation, one process. Beside ours a
loop of PyAV that checks nothing, and two loaders written from the public description of peers. CPU time of
this process; best pinned to one core: `taskset -c 1`.
"""

import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch

from benchmarks.cache_loader import written as recorded
from benchmarks.speed.paired import cpu, in_turn, ratio, table, written
from benchmarks.speed.peers import Read, peers, right_frames
from datamodules.clips.dataset import PixelClips
from datamodules.clips.faces import FaceClips
from datamodules.clips.samplers import UniformClips
from datamodules.command_line import run
from datamodules.datamodule import ClipDataModule
from datamodules.manifests.manifest import Manifest
from datamodules.readers import VideoSource

MATERIALS = {"raw": "raw 640 x 480", "store": "cache"}  # as `benchmarks.cache_loader` writes them


def main(
    *,
    rounds: int = 15,
    recordings: int = 2,
    seconds: float = 12.0,
    size: int = 112,
    clips: int = 8,
    only: tuple[Literal["raw", "store"], ...] = ("raw", "store"),
    out: Path = Path("outputs/benchmarks"),
) -> None:
    """Measure, write `loader.json`, and show the tables.

    Args:
        rounds: In which each way reads every clip once.
        recordings: Of each kind.
        seconds: Length of a recording.
        size: Of the frames that are returned, in pixels.
        clips: Of a recording, 8 frames each, every 8th.
        only: Raw videos, or the face store.
        out: Folder of the file.
    """
    torch.set_num_threads(1)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in only:
            manifest = recorded(Path(folder), MATERIALS[name], recordings, seconds)
            given: Any = {"store": name == "store", "rounds": rounds, "size": size}
            seconds_of, right = measured(manifest, UniformClips(length=8, stride=8, clips=clips), **given)
            count = recordings * clips
            found[name] = {"seconds": seconds_of, "right": right, "clips": count}
            found[name] |= {
                f"ours / {way}": ratio(seconds_of["ours"], own)._asdict() for way, own in seconds_of.items()
            }
            sys.stdout.write(f"\n{name}, {count} clips, {rounds} rounds\n\n")
            sys.stdout.write(table(seconds_of, per=count, to="bare PyAV", unit="clip"))
            shares = ", ".join(f"{way} {share:.0%}" for way, share in right.items())
            sys.stdout.write(f"\nright frames: {shares}\n")
    written(out, "loader", found)


def measured(
    manifest: Manifest, sampler: UniformClips, *, store: bool, rounds: int, size: int
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """CPU seconds of each way in each round, and the share of right frames."""
    video = VideoSource(height=size, width=size)
    source = FaceClips(video=video) if store else PixelClips(video=video)
    data = ClipDataModule(
        manifest=manifest, split=None, source=source, train_clips=sampler, eval_clips=sampler, num_workers=0
    )
    loader = data.predict_dataloader()
    wanted = [
        (recording.path, sampler(recording.n_frames, clip, None)[0].tolist())
        for recording in manifest.recordings()
        for clip in range(sampler.clips)
        if recording.path is not None
    ]
    ways: dict[str, Read] = peers(size)
    work = {"ours": partial(cpu, partial(_all_of, loader, len(wanted)))}
    for name, read in ways.items():
        work[name] = partial(cpu, partial(_batches, read, wanted))
    path = wanted[0][0]
    clips = [indices for one, indices in wanted if one == path]
    right = {
        name: right_frames(read, name, path, clips, size=size)
        for name, read in {"ours": video.clip, **ways}.items()
    }
    return in_turn(work, rounds=rounds), right


def _all_of(loader: Any, count: int) -> None:
    found = sum(len(batch["frames"]) for batch in loader)
    if found != count:
        raise RuntimeError(f"{found} clips came, not {count}")


def _batches(read: Read, wanted: Sequence[tuple[Path, list[int]]]) -> None:
    """Read all clips and stack them to batches, as large as ours."""
    for start in range(0, len(wanted), 64):
        torch.stack([read(path, indices) for path, indices in wanted[start : start + 64]])


if __name__ == "__main__":
    sys.exit(run(main))
