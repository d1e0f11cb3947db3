"""The torch backend: agreement with LiteRT, frames/s against batch size: `python -m benchmarks.faces_torch`.

Both backends search every frame anew. Rows go into `faces_torch.json` and `faces_torch.md` of the output
folder, where those of other devices stay: run it on each that matters.
"""

import platform
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.faces_torch.agreement import agreement
from benchmarks.faces_torch.material import materials, photographs
from benchmarks.faces_torch.page import add
from datamodules.command_line import UsageError, run, spelled
from engine.runs.environment import hardware
from preprocessing.faces.torch_faces import TorchFaces

BATCHES = tuple(str(2**power) for power in range(9))
_FEWEST = 64  # frames of a round


def main(
    *,
    device: str = "auto",
    batches: tuple[str, ...] = BATCHES,
    frames: int = 48,
    rounds: int = 3,
    threads: int = 1,
    models: Path | None = None,
    out: Path = Path("docs/results"),
) -> None:
    """Compare the backends, measure the speed, and write the page.

    Args:
        device: As torch names it; `auto` takes a GPU where there is one.
        batches: Frames on the device at once.
        frames: Of each material that the backends are compared on.
        rounds: Of each batch size; the best one counts.
        threads: Of torch on the CPU.
        models: Folder of the networks' files; the user's cache by default.
        out: Folder of the page.
    """
    torch.set_num_threads(threads)
    chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    if chosen.startswith("cuda") and not torch.cuda.is_available():
        raise UsageError(f"device={device}: torch finds no GPU here; device=cpu runs without one")
    given = spelled(device=device, batches=batches, frames=frames, rounds=rounds, threads=threads)
    origin = {
        "device": _device(chosen, threads),
        "command": f"python -m benchmarks.faces_torch {given}",
        "versions": f"torch {torch.__version__}, Python {platform.python_version()}",
    }
    for name, shown in materials(frames).items():
        found = agreement(shown, TorchFaces(models=models, device=chosen), models)
        add("agreement", {"material": name} | found | origin, out)
        sys.stdout.write(f"{name}: {found}\n")
    for batch in map(int, batches):
        row = speed(chosen, batch, rounds, models)
        add("speed", row | origin, out)
        sys.stdout.write(f"batch {batch}: {row['frames_per_s']:.1f} frames/s\n")
        sys.stdout.flush()


def speed(device: str, batch: int, rounds: int, models: Path | None) -> dict[str, Any]:
    """Frames/s, and the memory of the GPU; the first batch, which opens the networks, does not count."""
    shown = photographs(max(_FEWEST, batch))
    backend, seconds = TorchFaces(models=models, device=device, batch=batch), []
    found = list(backend.faces(shown[:batch]))
    for _ in range(rounds):
        start = time.perf_counter()
        found = list(backend.faces(shown))
        seconds.append(time.perf_counter() - start)
    memory = torch.cuda.max_memory_allocated(device) / 2**30 if device.startswith("cuda") else None
    return {
        "batch": batch,
        "frames_per_s": len(shown) / min(seconds),
        "memory_gib": memory,
        "with_a_face": float(np.mean([len(faces.boxes) > 0 for faces in found])),
    }


def _device(chosen: str, threads: int) -> str:
    machine = hardware()
    if chosen.startswith("cuda"):
        return torch.cuda.get_device_name(chosen)
    return f"CPU {machine['machine']}, {threads} of {machine['cores']} threads"


if __name__ == "__main__":
    sys.exit(run(main))
