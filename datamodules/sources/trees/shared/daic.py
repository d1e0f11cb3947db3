"""Made-up participants and face features for the two DAIC corpora: only the range of numbers is real."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

PARTS = ("train", "train", "dev", "test")  # dealt in turn: our choice, about the published proportions
GAZE = {"x": (-0.3, 0.3), "y": (-0.3, 0.3), "z": (-1.0, -0.9)}  # towards the camera, nearly of length 1
_CUT, _HIGHEST = 10, 20  # PHQ-8 totals of positives are drawn from here on
_RATE = 30  # frames/s
_ROWS = (20, 41)  # drawn from; below the upper end


@dataclass(frozen=True, kw_only=True)
class Person:
    """A made-up participant: `items` are the eight answers, `total` their sum."""

    number: str
    part: str
    female: bool
    items: tuple[int, ...]

    @property
    def total(self) -> int:
        """Sum of the answers."""
        return sum(self.items)


def draw_persons(numbers: Sequence[str], parts: Sequence[str], rng: np.random.Generator) -> list[Person]:
    """Draw answers so that every part has both classes as soon as it has two participants."""
    seen: dict[str, int] = {}
    found = []
    for number, part in zip(numbers, parts, strict=True):
        turn = seen[part] = seen.get(part, -1) + 1
        total = int(rng.integers(_CUT, _HIGHEST)) if turn % 2 else int(rng.integers(0, _CUT))
        items = answers(total, rng)
        found.append(Person(number=number, part=part, female=bool(rng.integers(2)), items=items))
    return found


def answers(total: int, rng: np.random.Generator) -> tuple[int, ...]:
    """Eight answers of 0-3 with this sum."""
    items = [0] * 8
    while sum(items) < total:
        items[rng.choice([place for place, answer in enumerate(items) if answer < 3])] += 1
    return tuple(items)


def write_table(
    path: Path, header: Sequence[str], rows: Sequence[Sequence[object]], *, between: str = ","
) -> None:
    """Write a text table; the folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [between.join(map(str, row)) for row in (header, *rows) if row]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def frame_columns(rng: np.random.Generator) -> dict[str, list[str]]:
    """`frame`, `timestamp`, `confidence` and `success` of a short recording; a few frames are lost."""
    count = int(rng.integers(*_ROWS))
    lost = rng.random(count) < 0.1
    return {
        "frame": [str(number) for number in range(1, count + 1)],
        "timestamp": [f"{number / _RATE:.3f}" for number in range(count)],
        "confidence": [
            f"{0.0 if gone else level:.2f}"
            for gone, level in zip(lost, rng.uniform(0.8, 1, count), strict=True)
        ],
        "success": [str(int(not gone)) for gone in lost],
    }


def write_features(
    path: Path,
    frames: Mapping[str, list[str]],
    ranges: Mapping[str, tuple[float, float] | None],
    rng: np.random.Generator,
) -> None:
    """Write a feature file as OpenFace does, names and values behind a comma and a blank; lost frames are 0.

    Args:
        path: File to write.
        frames: Of `frame_columns`.
        ranges: Column -> lowest and highest value; None where the answer is yes or no.
        rng: Where values come from.
    """
    kept = np.array([int(success) for success in frames["success"]])
    columns = dict(frames)
    for name, bounds in ranges.items():
        if bounds is None:
            columns[name] = [str(value) for value in rng.integers(0, 2, len(kept)) * kept]
        else:
            low, high = bounds
            # A walk around a level of the recording: neighbors resemble each other as in real features.
            walk = rng.uniform(low, high) + np.cumsum(rng.normal(0, (high - low) / 50, len(kept)))
            columns[name] = [f"{value:.3f}" for value in np.clip(walk, low, high) * kept]
    write_table(path, list(columns), list(zip(*columns.values(), strict=True)), between=", ")
