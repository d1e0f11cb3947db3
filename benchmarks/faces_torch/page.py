"""The page of the measurements: rows of one device take the place of its older ones, others stay."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]
_KEYS = {"agreement": ("device", "material"), "speed": ("device", "batch")}


def add(kind: str, row: Row, folder: Path) -> None:
    """Put a row into `faces_torch.json`, and write the page.

    Args:
        kind: `agreement` or `speed`.
        row: What was measured, with device, command and versions.
        folder: Of both files.
    """
    file = folder / "faces_torch.json"
    held: dict[str, list[Row]] = {name: [] for name in _KEYS}
    if file.is_file():
        held |= json.loads(file.read_text(encoding="utf-8"))
    own = [row[key] for key in _KEYS[kind]]
    held[kind] = [old for old in held[kind] if [old[key] for key in _KEYS[kind]] != own] + [row]
    held["speed"].sort(key=lambda one: (one["device"], one["batch"]))
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(held, indent=2) + "\n", encoding="utf-8")
    (folder / "faces_torch.md").write_text(page(held), encoding="utf-8")


def page(held: dict[str, list[Row]]) -> str:
    """Return the rows as a page in Markdown."""
    rows = [*held["agreement"], *held["speed"]]
    origins = dict.fromkeys((row["command"], row["device"], row["versions"]) for row in rows)
    lines = [
        "# The torch backend for faces",
        "",
        "`TorchFaces` runs the graphs of `LitertFaces` in torch, for batches of frames on a GPU. Nothing is",
        "carried from frame to frame, so every frame costs the detector, too; on a CPU `LitertFaces` with",
        "its tracker is the faster choice, and batches of more than 8 frames only leave its caches.",
        "",
        "## Agreement with LiteRT",
        "",
        "Distance of landmarks in percent of the distance of the irises: the median over all landmarks and",
        "frames, the 95th percentile, and the median of the worst frame. Same regions: both look where",
        "LiteRT detected a face, each with its own way to cut. Whole: both from the frame on, untracked.",
        "",
        "| device | material | frames | found: LiteRT, torch, both | same regions | whole |",
        "|---|---|---:|---|---|---|",
        *(_agreement(row) for row in held["agreement"]),
        "",
        "## Speed",
        "",
        "Frames of 640 x 480 with one face, decoded and in memory, to landmarks with irises; the best of the",
        "rounds.",
        "",
        "| device | batch | frames/s | memory, GiB |",
        "|---|---:|---:|---:|",
        *(_speed(row) for row in held["speed"]),
        "",
        *_without_gpu(held["speed"]),
        "Written by",
        "",
        *(f"- `{command}` on {device}; {versions}" for command, device, versions in origins),
    ]
    return "\n".join(lines) + "\n"


def _without_gpu(rows: Sequence[Row]) -> list[str]:
    if any(not row["device"].startswith("CPU") for row in rows):
        return []
    return [
        "Not measured on a GPU yet: `python -m benchmarks.faces_torch` on a machine that has one adds rows.",
        "",
    ]


def _agreement(row: Row) -> str:
    found = ", ".join(str(row[f"found_{name}"]) for name in ("litert", "torch", "by_both"))
    parts = [row["device"], row["material"], str(row["frames"]), found]
    for name in ("same_regions", "whole"):
        parts.append(" / ".join(f"{row[name][one]:.3f}" for one in ("median", "p95", "worst_frame")))
    return "| " + " | ".join(parts) + " |"


def _speed(row: Row) -> str:
    memory = "" if row["memory_gib"] is None else f"{row['memory_gib']:.2f}"
    return f"| {row['device']} | {row['batch']} | {row['frames_per_s']:.1f} | {memory} |"
