"""How long a device waits for data in an epoch, and how fast clips are decoded on it and beside it."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as pl
import torch

from benchmarks.decoding import write_video
from benchmarks.gpu.clock import Mark, wait
from benchmarks.gpu.steps import EXPERIMENTS, SIZES
from benchmarks.speed.resident import drawn_task
from datamodules.clips.dataset import PixelClips
from datamodules.clips.decoding import probe
from datamodules.clips.faces import FaceClips
from datamodules.clips.samplers import UniformClips
from datamodules.datamodule import ClipDataModule
from datamodules.manifests.manifest import Manifest, manifest_from_table
from datamodules.processes import cores
from datamodules.readers import DeviceDecoder, VideoSource
from datamodules.splits.partition import Split
from engine.config.build import build
from engine.training.prepare import compose_training

Found = dict[str, Any]
# Height, width, group of pictures: a camera with a keyframe a second; crops as `preprocess.py` stores them.
MATERIALS = {"raw video": (480, 640, 30), "face store": (224, 224, 12)}
_CLIPS = UniformClips(length=16, stride=4, clips=8)


class Waits(pl.Callback):
    """Seconds of the device in steps, and between them, where it waits for the next batch."""

    def __init__(self, device: torch.device, *, warm: int) -> None:
        self._device, self._warm = device, warm
        self._marks: list[tuple[Mark, Mark]] = []
        self._begun: Mark | None = None

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Mark the start of a step."""
        self._begun = Mark(self._device)

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Mark its end."""
        assert self._begun is not None
        self._marks.append((self._begun, Mark(self._device)))

    def found(self) -> Found:
        """Milliseconds of a step, and the share of the time between first and last mark spent waiting."""
        wait(self._device)
        marks = self._marks[self._warm :]
        whole = marks[0][0].until(marks[-1][1])
        between = sum(one[1].until(other[0]) for one, other in pairwise(marks))
        working = sum(first.until(last) for first, last in marks) / len(marks)
        return {"step_ms": 1000 * working, "waits": between / whole, "steps": len(marks)}


def epochs(*, device: torch.device, size: str, folder: Path) -> list[Found]:
    """One row a material and way of decoding: the share of an epoch in which the device waits."""
    rows: list[Found] = []
    for name in MATERIALS:
        manifest, split = labeled(folder, name, size)
        for decode in ("worker", "device", "auto"):
            try:
                found = _epoch(manifest, split, decode, device=device, size=size, folder=folder)
                rows.append({"from": name, "decode": decode, **found})
            except Exception as fault:  # the other rows are worth having
                rows.append(
                    {"from": name, "decode": decode, "fault": f"{type(fault).__name__}: {fault}"[:300]}
                )
    return rows


def labeled(folder: Path, name: str, size: str) -> tuple[Manifest, Split]:
    """Recordings of a material with labels, a person each; few files stand for all of them."""
    count, seconds, kinds = (18, 20.0, 6) if size == "full" else (6, 3.0, 2)
    height, width, gop = MATERIALS[name]
    place = folder / name.replace(" ", "_")
    rows: list[dict[str, Any]] = []
    for kind in range(kinds):
        (place / str(kind)).mkdir(parents=True)
        write_video(place / str(kind), height, width, gop, seconds)
        frames = range(round(30 * seconds))
        marks = {"frame": frames, "timestamp": [frame / 30 for frame in frames], "valid": 1, "x": 0.0}
        pd.DataFrame(marks).to_csv(place / str(kind) / "series.csv", index=False)
    for number in range(count):
        files = {
            "path": f"{number % kinds}/{height}_{gop}.mp4",
            "series_path": f"{number % kinds}/series.csv",
        }
        rows.append({"recording_id": f"r{number}", "subject_id": f"s{number}", "session_id": "1", **files})
        rows[-1] |= {"scale": "BDI-II", "score": 3.0 * number}
    ids = [row["recording_id"] for row in rows]
    split = Split(name="gpu", train=tuple(ids[:-2]), val=(ids[-2],), test=(ids[-1],))
    return manifest_from_table(pd.DataFrame(rows), root=place, name=name), split


class _Unguarded(ClipDataModule):
    """Without the guard, who would find the same files on both sides of the split; nothing is evaluated."""

    def setup(self, stage: str | None = None) -> None:
        """There is nothing to settle."""


def _epoch(
    manifest: Manifest, split: Split, decode: str, *, device: torch.device, size: str, folder: Path
) -> Found:
    given = [f"experiment={EXPERIMENTS['pixels']}", *SIZES[size]["pixels"], "data.module.visits=1"]
    if size == "full":
        given += ["data.module.subjects=16", "data.module.clips=3", "data/clips=pixels"]
    config = compose_training([*given, "data.module.num_workers=auto"], output=folder)
    sizes: Mapping[str, Any] = config["data"]["module"]["source"]["video"]
    video = VideoSource(height=sizes["height"], width=sizes["width"], decode=decode)  # type: ignore[arg-type]
    source = FaceClips(video=video) if "store" in manifest.name else PixelClips(video=video)
    made = build(config["data"]["module"], key="data.module")
    data = _Unguarded(manifest=manifest, split=split, **made.keywords | {"source": source})
    steps = 30 if size == "full" else 3
    waits = Waits(device, warm=2 if size == "full" else 1)
    trainer = pl.Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=1,
        precision="bf16-mixed" if device.type == "cuda" else "32-true",
        max_epochs=100,
        max_steps=steps,
        limit_val_batches=0,
        callbacks=[waits],
        use_distributed_sampler=False,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    begun = time.perf_counter()
    trainer.fit(drawn_task(config | {"model": dict(config["model"]) | {"scheduler": None}}), datamodule=data)
    chosen = data._source.video.decode  # type: ignore[attr-defined]
    return {
        **waits.found(),
        "chosen": chosen,
        "wall_s": time.perf_counter() - begun,
        "skipped": len(data.skipped),
    }


def decoding(
    *, device: torch.device, size: str, folder: Path, threads: Sequence[int] = (1, 2, 4, 8)
) -> list[Found]:
    """Clips a second: one core, all cores (one times their number), cutting, and the device by threads."""
    rows: list[Found] = []
    side, spent = (224, 3.0) if size == "full" else (32, 0.3)
    for name in MATERIALS:
        manifest, _ = labeled(Path(tempfile.mkdtemp(dir=folder)), name, size)
        video = VideoSource(height=side, width=side, decode="device")
        for count in threads:
            decoder = DeviceDecoder(height=side, width=side, threads=count)
            try:
                given: Any = {"decoder": decoder, "device": device, "seconds": spent}
                read, cut, decode = probe(video, manifest.recordings(), _CLIPS, **given)
            except Exception as fault:  # as above
                rows.append(
                    {"from": name, "threads": count, "fault": f"{type(fault).__name__}: {fault}"[:300]}
                )
                continue
            found = {"core": read, "cores": read * cores(), "cut": cut, "device": decode}
            rows.append({"from": name, "threads": count, **found, "fell_back": decoder.fell_back})
    return rows
