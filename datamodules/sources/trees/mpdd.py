"""A folder laid out as one track of MPDD, with made-up features, classes and traits."""

import json
from pathlib import Path
from typing import Any

import numpy as np

_WIDTHS = {"openface": 709, "resnet": 1000}
_TRAITS = ("Extraversion", "Agreeableness", "Conscientiousness", "Neuroticism", "Openness")


def write(
    root: str | Path, *, persons: int = 12, seed: int = 0, files: int = 2, track: str = "MPDD-Young"
) -> None:
    """Write `<root>/<track>`: two thirds of the persons into `Training`, the others into `Testing`.

    Args:
        root: Folder to fill; made where it is missing.
        persons: How many.
        seed: Same seed, same files.
        files: Recordings of each.
        track: Name of the folder.
    """
    rng = np.random.default_rng(seed)
    numbers = range(1, persons + 1)
    cut = persons - persons // 3
    for part, own in {"Training": numbers[:cut], "Testing": numbers[cut:]}.items():
        folder = Path(root) / track / part
        entries = [entry for person in own for entry in _recordings(folder, rng, person, files)]
        labels = folder / "labels"
        labels.mkdir(parents=True, exist_ok=True)
        name = "Training_Validation" if part == "Training" else "Testing"
        _dump(labels / f"{name}_files.json", entries)
        suffix = "train" if part == "Training" else "test"
        _dump(labels / f"personalized_{suffix}.json", {str(person): _person(rng, person) for person in own})


def _recordings(folder: Path, rng: np.random.Generator, person: int, files: int) -> list[dict[str, Any]]:
    severity = person % 5
    entries = []
    for number in range(1, files + 1):
        name = f"{person:03d}_{number:03d}.npy"
        for window, rows in {"1s": 26, "5s": 6}.items():
            for features, width in _WIDTHS.items():
                here = folder / window / "Visual" / features
                here.mkdir(parents=True, exist_ok=True)
                np.save(here / name, rng.normal(severity / 4, 1, size=(rows, width)).astype(np.float32))
        classes = {"bin_category": int(severity > 1), "tri_category": severity // 2, "pen_category": severity}
        entries.append({"audio_feature_path": name, "video_feature_path": name, **classes})
    return entries


def _person(rng: np.random.Generator, person: int) -> dict[str, Any]:
    scores = {name: int(rng.integers(2, 11)) for name in _TRAITS}  # sums of two answers from 1 to 5
    return {
        "id": str(person),
        "age": str(rng.integers(17, 26)),
        "gender": "Female" if person % 2 else "Male",
        "big5_traits": {name: int(score > 6) for name, score in scores.items()},
        "big5_scores": scores,
    }


def _dump(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
