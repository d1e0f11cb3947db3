"""Our series classifiers on public archives beside published accuracies: `python -m benchmarks.archives`.

The archives ship inside aeon; the split is the official one. Every row goes into `archives.json` and
`archives.md` of the output folder as soon as it is measured and takes the place of an older one, so that sets
can be run one by one.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from aeon.classification.convolution_based import RocketClassifier
from aeon.datasets import load_arrow_head, load_basic_motions, load_italy_power_demand, load_japanese_vowels
from numpy.typing import NDArray

from benchmarks.archives.networks import train_and_read
from biomarkers.estimators.linear import RidgeReader
from biomarkers.estimators.rocket import kernel_pipeline, rocket
from biomarkers.estimators.series_array import SeriesPanel
from datamodules.command_line import run, spelled
from datamodules.series import Series
from engine.runs.environment import hardware
from models.zoo.sequence.inception_time import InceptionTimeTrunk
from models.zoo.sequence.lstm import LSTMTrunk

LOADERS: dict[str, Callable[..., Any]] = {
    "ItalyPowerDemand": load_italy_power_demand,
    "BasicMotions": load_basic_motions,
    "ArrowHead": load_arrow_head,
    "JapaneseVowels": load_japanese_vowels,
}
_PEER = "aeon"  # its RocketClassifier, in the same run
_SHAPES = "ROCKET (shapes only)"  # each series is normalized, as `aeon` does; UCR series come normalized
SYSTEMS = ("ROCKET", _SHAPES, _PEER, "LSTM", "InceptionTime")
_DEMPSTER = "Dempster et al. 2020, authors' results_ucr.csv, mean of 10 runs"
_FAWAZ = "Ismail Fawaz et al. 2020, authors' results-InceptionTime-128.csv"
_FAWAZ_MTS = "Ismail Fawaz et al. 2020, authors' results-mts.csv"
# No figure on the official split was found for a plain LSTM (LSTM-FCN is another network), nor for ROCKET on
# the multivariate sets (Ruiz et al. 2021 average resamples, and leave sets of unequal length out).
PUBLISHED = {
    ("ArrowHead", "ROCKET"): (0.8143, _DEMPSTER),
    ("ItalyPowerDemand", "ROCKET"): (0.9696, _DEMPSTER),
    ("ArrowHead", "InceptionTime"): (0.8457, _FAWAZ),
    ("ItalyPowerDemand", "InceptionTime"): (0.9650, _FAWAZ),
    ("BasicMotions", "InceptionTime"): (1.0, _FAWAZ_MTS),
    ("JapaneseVowels", "InceptionTime"): (0.9919, _FAWAZ_MTS),
}
_INCEPTION_RATE, _LSTM_RATE = 2e-3, 5e-3  # largest learning rates, our choice
_PACKAGES = ("torch", "aeon", "numpy", "scikit-learn")

Array = NDArray[np.float64]
Part = tuple[list[Array], NDArray[np.intp]]
Row = dict[str, Any]


def main(
    *,
    sets: tuple[str, ...] = tuple(LOADERS),
    systems: tuple[str, ...] = SYSTEMS,
    epochs: int = 200,
    seeds: int = 5,
    threads: int = 1,
    out: Path = Path("docs/results"),
) -> None:
    """Run the chosen sets and write their table.

    Args:
        sets: Of the archives.
        systems: To run on them.
        epochs: Of the networks (1500 in the paper).
        seeds: Networks of an ensemble, and runs of ROCKET.
        threads: Of torch.
        out: Folder of the table.
    """
    torch.set_num_threads(threads)
    given = spelled(sets=sets, systems=systems, epochs=epochs, seeds=seeds)
    origin = {"command": f"python -m benchmarks.archives {given}", "machine": _machine()}
    for name in sets:
        for row in measure(name, systems, epochs=epochs, seeds=seeds):
            add(row | origin, out)
            sys.stdout.write(f"{row['set']} {row['system']} {row['accuracy']:.4f} {row['seconds']:.0f} s\n")
            sys.stdout.flush()


def _machine() -> str:
    machine = hardware()
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    devices = ", ".join(machine["gpus"]) or "no GPU"
    return f"{machine['system']} {machine['machine']}, {machine['cores']} cores, {devices}; {versions}"


def measure(name: str, chosen: Sequence[str], *, epochs: int, seeds: int) -> Iterator[Row]:
    """Yield a row per system: accuracy on the official test part, the published one and their difference."""
    train, test = load(name)
    ways: dict[str, Callable[[], float]] = {
        "ROCKET": lambda: _mean(seeds, lambda seed: rocket_accuracy(train, test, "training", seed)),
        _SHAPES: lambda: _mean(seeds, lambda seed: rocket_accuracy(train, test, "recording", seed)),
        _PEER: lambda: _mean(seeds, lambda seed: plain_accuracy(train, test, seed)),
        "LSTM": lambda: network_accuracy("LSTM", train, test, epochs, seeds),
        "InceptionTime": lambda: network_accuracy("InceptionTime", train, test, epochs, seeds),
    }
    for system in chosen:
        if system == _PEER and len({case.shape for case in [*train[0], *test[0]]}) > 1:
            continue  # it takes series of one length only
        start = time.perf_counter()
        value = ways[system]()
        family = "ROCKET" if system in (_SHAPES, _PEER) else system
        published, source = PUBLISHED.get((name, family), (None, None))
        yield {
            "set": name,
            "system": system,
            "seeds": seeds,
            "epochs": epochs if system in ("LSTM", "InceptionTime") else None,
            "accuracy": value,
            "published": published,
            "difference": None if published is None else value - published,
            "source": source,
            "seconds": time.perf_counter() - start,
        }


def _mean(seeds: int, accuracy: Callable[[int], float]) -> float:
    return float(np.mean([accuracy(seed) for seed in range(seeds)]))


def load(name: str) -> tuple[Part, Part]:
    """Official training and test part: cases (F,T) and their classes, numbers from 0."""
    parts = [LOADERS[name](split=split) for split in ("train", "test")]
    classes = np.unique(parts[0][1])
    train, test = (
        ([np.asarray(case, dtype=np.float64) for case in cases], np.searchsorted(classes, labels))
        for cases, labels in parts
    )
    return train, test


def rocket_accuracy(train: Part, test: Part, scaling: Literal["training", "recording"], seed: int) -> float:
    """ROCKET as biomarkers has it: recordings, panel, kernels, ridge."""
    longest = max(case.shape[1] for case in train[0])
    channels = [f"channel_{number}" for number in range(train[0][0].shape[0])]
    panel = SeriesPanel(channels=channels, length=longest, max_gap_s=None, scaling=scaling)
    model = kernel_pipeline(panel=panel, kernels=rocket(seed=seed), reader=RidgeReader())
    model.fit(as_series(train[0], channels), train[1], groups=np.arange(len(train[1])))
    return float(np.mean(model.predict(as_series(test[0], channels)) == test[1]))


def plain_accuracy(train: Part, test: Part, seed: int) -> float:
    """The classifier that aeon ships."""
    model = RocketClassifier(random_state=seed).fit(np.stack(train[0]), train[1])
    return float(np.mean(model.predict(np.stack(test[0])) == test[1]))


def network_accuracy(system: str, train: Part, test: Part, epochs: int, seeds: int) -> float:
    """InceptionTime is the mean of its networks' probabilities, as published; LSTM the mean accuracy."""
    channels = train[0][0].shape[0]
    trunk, rate = {
        "InceptionTime": (lambda: InceptionTimeTrunk(channels=channels), _INCEPTION_RATE),
        "LSTM": (lambda: LSTMTrunk(channels=channels), _LSTM_RATE),
    }[system]
    read = np.stack(
        [
            train_and_read(trunk, train[0], train[1], test[0], epochs=epochs, rate=rate, seed=seed)
            for seed in range(seeds)
        ]
    )
    if system == "InceptionTime":
        return float(np.mean(read.mean(axis=0).argmax(axis=1) == test[1]))
    return float(np.mean(read.argmax(axis=2) == test[1]))


def as_series(cases: Sequence[Array], channels: Sequence[str]) -> list[Series]:
    """Cases (F,T) as recordings, every row valid."""
    return [
        Series(
            values=case.T.astype(np.float32),
            channels=tuple(channels),
            valid=np.ones(case.shape[1], dtype=bool),
            fps=1.0,
        )
        for case in cases
    ]


def add(row: Row, folder: Path) -> None:
    """Put a row into `archives.json`, in the place of an older one of its set and system; write the table."""
    file = folder / "archives.json"
    rows: list[Row] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    rows = [old for old in rows if (old["set"], old["system"]) != (row["set"], row["system"])] + [row]
    rows.sort(key=lambda one: list(LOADERS).index(one["set"]))
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    (folder / "archives.md").write_text(table(rows), encoding="utf-8")


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a page in Markdown."""
    missing = [name for name in LOADERS if name not in {row["set"] for row in rows}]
    lines = [
        "# Series classifiers on public archives",
        "",
        "Accuracy in percent on the official test part, and the difference to the published one in points.",
        "InceptionTime is the ensemble of its seeds; the others are means over seeds. `aeon` is the",
        "RocketClassifier of aeon in the same run; `shapes only` normalizes each series as that does, and",
        "loses what the levels of multivariate series tell.",
        "",
        "| set | system | seeds | epochs | ours | published | difference | seconds | source |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_line(row) for row in rows),
        "",
        *([f"Not run yet: {', '.join(missing)}.", ""] if missing else []),
        "Written by",
        "",
        *(f"- `{command}` on {machine}" for command, machine in _origins(rows)),
    ]
    return "\n".join(lines) + "\n"


def _origins(rows: Sequence[Row]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((row["command"], row["machine"]) for row in rows))


def _line(row: Row) -> str:
    published = "none found" if row["published"] is None else f"{100 * row['published']:.1f}"
    difference = "" if row["difference"] is None else f"{100 * row['difference']:+.1f}"
    cells = [row["set"], row["system"], str(row["seeds"]), str(row["epochs"] or "")]
    cells += [f"{100 * row['accuracy']:.1f}", published, difference, f"{row['seconds']:.0f}"]
    return "| " + " | ".join([*cells, row["source"] or ""]) + " |"


if __name__ == "__main__":
    sys.exit(run(main))
