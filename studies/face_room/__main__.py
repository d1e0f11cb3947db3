"""Preprocessing of synthetic rooms against their truth: `python -m studies.face_room`.

Faces found, the second person, frames to be masked, and what the series recover of the channels that were
drawn; writes docs/results/face_room.md and its pictures. Every room is kept below `folder`: a second call
makes what is missing, and all after a change of the preprocessing or of the rooms.
"""

import hashlib
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from joblib import Parallel, delayed
from tqdm import tqdm

from datamodules.command_line import run, spelled
from datamodules.synthetic.room.room import Room
from preprocessing.faces.litert import LitertFaces
from studies.face_room.measure import frame_table, see
from studies.face_room.page import write_page
from studies.face_room.pictures import events_picture
from studies.face_room.recovery import correlations, driven_room, natural_room

_ROOT = Path(__file__).parents[2]
_CODE = (
    *(f"preprocessing/{room}" for room in ("faces", "tracking", "alignment", "quality", "series")),
    *("datamodules/synthetic", "datamodules/synthetic/room", "studies/face_room"),
)
_NOT_CODE = ("page.py", "pictures.py", "score.py", "__main__.py")
KINDS: dict[str, Callable[..., Room]] = {
    "natural": natural_room,
    "together": lambda seed, **size: driven_room(seed, together=True, **size),
    "in turn": lambda seed, **size: driven_room(seed, together=False, **size),
}
SECONDS = {"natural": 30.0, "together": 16.0, "in turn": 39.0}


def main(
    *,
    seeds: int = 20,
    driven: int = 6,
    first_seed: int = 1000,
    fps: float = 25.0,
    folder: Path = Path("outputs/face_room"),
    docs: Path = Path("docs/results"),
    workers: int = 1,
) -> None:
    """Look at rooms, write the page.

    Args:
        seeds: Rooms with all events.
        driven: Rooms in which the channels are driven, of each kind.
        first_seed: Of the rooms; the first thousand were looked at while thresholds were chosen.
        fps: Frames per second.
        folder: What is measured is kept there.
        docs: Folder of the page; pictures go to its images/.
        workers: Processes.
    """
    kept = folder / _digest()
    kept.mkdir(parents=True, exist_ok=True)
    counts = {"natural": seeds, "together": driven, "in turn": driven}
    cells = [(kind, first_seed + i) for kind, count in counts.items() for i in range(count)]
    found = Parallel(n_jobs=workers, return_as="generator")(
        delayed(measured)(kept, kind, seed, fps) for kind, seed in cells
    )
    results = list(tqdm(found, total=len(cells), desc="rooms", unit="room"))
    rooms = [pd.read_parquet(cell["frames"]) for cell in results if cell["kind"] == "natural"]
    r = [
        {"kind": cell["kind"], "channel": name, "r": value}
        for cell in results
        for name, value in cell["r"].items()
    ]
    picture = docs / "images" / "face_room.png"
    events_picture(first_seed, picture)
    command = "python -m studies.face_room " + spelled(seeds=seeds, driven=driven, first_seed=first_seed)
    machine = f"{platform.machine()}, {platform.python_implementation()} {platform.python_version()}"
    spent = sum(cell["seconds"] for cell in results)
    text = write_page(
        rooms,
        pd.DataFrame(r),
        docs / "face_room.md",
        command=command,
        machine=machine,
        first=first_seed,
        seconds=spent,
    )
    sys.stdout.write(text)


def measured(folder: Path, kind: str, seed: int, fps: float) -> dict[str, Any]:
    """What was measured of a room; read where an earlier call left it."""
    name = f"{kind.replace(' ', '_')}_{seed}_{fps:g}"
    record, frames = folder / f"{name}.json", folder / f"{name}.parquet"
    if not record.is_file():
        clock = time.process_time()
        room = KINDS[kind](seed, seconds=SECONDS[kind], fps=fps)
        seen = see(room, LitertFaces())
        frame_table(room, seen).to_parquet(frames)
        r = correlations(room, seen, together=kind != "in turn")
        facts = {"kind": kind, "seed": seed, "r": r, "seconds": time.process_time() - clock}
        record.write_text(json.dumps(facts), encoding="utf-8")  # last, as it says that the room is done
    kept: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
    return kept | {"frames": frames}


def _digest() -> str:
    """Changes with the code that decides what is found."""
    digest = hashlib.sha256()
    for place in _CODE:
        for file in sorted((_ROOT / place).glob("*.py")):
            if not (place == "studies/face_room" and file.name in _NOT_CODE):
                digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


if __name__ == "__main__":
    sys.exit(run(main))
