"""Everything that is measured on a device, in order of worth: `python -m benchmarks.gpu device=cuda`.

A table at the end of each part, and a file that has every part so far: a device that is lent for minutes may
be gone before the last one. `device=cpu size=small` runs all of it, to see that it runs.
"""

import ctypes
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch

from benchmarks.gpu.clock import matmul_ceiling
from benchmarks.gpu.steps import EXPERIMENTS, ways
from benchmarks.gpu.waiting import decoding, epochs
from benchmarks.speed.paired import written
from datamodules.command_line import run
from datamodules.processes import cores
from datamodules.readers.torchcodec import load_problem
from engine.runs.quiet_warnings import quiet
from engine.runs.seed import seed_run

Part = Literal["ceiling", "pixels", "series", "decoding", "epoch"]
_MEASURED = 50  # steps of which the median counts, after ten that warm up


def main(
    *,
    device: Literal["cuda", "cpu"] = "cuda",
    size: Literal["small", "full"] = "full",
    only: tuple[Part, ...] = ("ceiling", "pixels", "series", "decoding", "epoch"),
    out: Path = Path("outputs/benchmarks"),
) -> None:
    """Measure part after part, and write `gpu.json` after each.

    Args:
        device: To measure; the CPU shows that everything runs.
        size: Of the work.
        only: Parts, in the order of their worth.
        out: Folder of the file.
    """
    quiet()
    seed_run(0)
    logging.getLogger("datamodules").setLevel(logging.INFO)
    on, begun = torch.device(device), time.perf_counter()
    count = _MEASURED if size == "full" else 3
    found: dict[str, Any] = {"device": device, "size": size, "about": about(on)}
    sys.stdout.write("".join(f"{name}: {value}\n" for name, value in found["about"].items()))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts: dict[str, Callable[[], list[dict[str, Any]]]] = {
            "ceiling": lambda: ceiling(on, side=8192 if size == "full" else 128),
            **{
                kind: partial(ways, kind, device=on, size=size, count=count, folder=folder)
                for kind in EXPERIMENTS
            },
            "decoding": lambda: decoding(device=on, size=size, folder=folder),
            "epoch": lambda: epochs(device=on, size=size, folder=folder),
        }
        for part in only:
            found[part] = parts[part]()
            found["wall_s"] = time.perf_counter() - begun
            sys.stdout.write(f"\n{part} ({found['wall_s']:.0f} s so far)\n\n{table(found[part])}\n")
            written(out, "gpu", found)
            sys.stdout.flush()


def about(device: torch.device) -> dict[str, Any]:
    """The card, its driver's video engine, and what could use it."""
    known: dict[str, Any] = {
        "torch": torch.__version__,
        "cores": cores(),
        "torchcodec": load_problem() or "loads",
    }
    try:
        ctypes.CDLL("libnvcuvid.so.1")
        known["libnvcuvid"] = "loads"
    except OSError as fault:
        known["libnvcuvid"] = f"does not load ({fault})"
    if device.type == "cuda":
        card = torch.cuda.get_device_properties(device)
        known |= {"card": card.name, "memory_gib": card.total_memory / 2**30, "cuda": torch.version.cuda}
        asked = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        with suppress(OSError):
            known["driver"] = subprocess.run(
                asked, capture_output=True, text=True, check=False
            ).stdout.strip()
    return known


def ceiling(device: torch.device, *, side: int) -> list[dict[str, Any]]:
    """Largest TFLOP/s of a matrix product, by number format."""
    kinds = {
        "fp32": (torch.float32, False),
        "tf32": (torch.float32, True),
        "bf16": (torch.bfloat16, False),
    }
    return [
        {"format": name, "tflops": matmul_ceiling(device, kind, side=side, tf32=tf32)}
        for name, (kind, tf32) in kinds.items()
    ]


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as Markdown, with the columns of all of them."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    lines += [f"| {' | '.join(_cell(row.get(name)) for name in names)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(run(main))
