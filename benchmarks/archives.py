"""Our series classifiers on public archives beside published accuracies: `python -m benchmarks.archives`.

The archives ship inside aeon; the split is the official one. Every set adds its rows to `archives.json` and
`archives.md` in the output folder as soon as it is done.
"""

import argparse
import json
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from aeon.classification.convolution_based import RocketClassifier
from aeon.datasets import load_arrow_head, load_basic_motions, load_italy_power_demand, load_japanese_vowels
from numpy.typing import NDArray

from benchmarks.archives_networks import train_and_read
from biomarkers.panel import SeriesPanel
from biomarkers.readers import RidgeReader
from biomarkers.rocket import kernel_pipeline, rocket
from datamodules.series import Series
from engine.environment import hardware
from models.trunks.inception_time import InceptionTimeTrunk
from models.trunks.lstm import LSTMTrunk

LOADERS: dict[str, Callable[..., Any]] = {
    "ItalyPowerDemand": load_italy_power_demand,
    "BasicMotions": load_basic_motions,
    "ArrowHead": load_arrow_head,
    "JapaneseVowels": load_japanese_vowels,
}
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the chosen sets and write their table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="+", choices=tuple(LOADERS), default=list(LOADERS))
    parser.add_argument("--epochs", type=int, default=200, help="of the networks (1500 in the paper)")
    parser.add_argument("--seeds", type=int, default=5, help="networks of an ensemble, and runs of ROCKET")
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of the table")
    given = list(sys.argv[1:] if arguments is None else arguments)
    chosen = parser.parse_args(given)
    torch.set_num_threads(chosen.threads)
    rows: list[Row] = []
    for name in chosen.sets:
        for row in measure(name, epochs=chosen.epochs, seeds=chosen.seeds):
            rows.append(row)
            write(rows, chosen.out, shlex.join(["python", "-m", "benchmarks.archives", *given]))
            sys.stdout.write(f"{row['set']} {row['system']} {row['accuracy']:.4f} {row['seconds']:.0f} s\n")
            sys.stdout.flush()


def measure(name: str, *, epochs: int, seeds: int) -> Iterator[Row]:
    """Yield a row per system: accuracy on the official test part, the published one and their difference."""
    train, test = load(name)
    systems: dict[str, Callable[[], float]] = {
        "ROCKET": lambda: float(np.mean([rocket_accuracy(train, test, seed) for seed in range(seeds)])),
        "ROCKET, aeon's own": lambda: float(np.mean([plain_accuracy(train, test, s) for s in range(seeds)])),
        "LSTM": lambda: network_accuracy("LSTM", train, test, epochs, seeds),
        "InceptionTime": lambda: network_accuracy("InceptionTime", train, test, epochs, seeds),
    }
    for system, accuracy in systems.items():
        if system == "ROCKET, aeon's own" and len({case.shape for case in [*train[0], *test[0]]}) > 1:
            continue  # it takes series of one length only
        start = time.perf_counter()
        value = accuracy()
        published, source = PUBLISHED.get((name, system), (None, None))
        yield {
            "set": name,
            "system": system,
            "accuracy": value,
            "published": published,
            "difference": None if published is None else value - published,
            "source": source,
            "seconds": time.perf_counter() - start,
        }


def load(name: str) -> tuple[Part, Part]:
    """Official training and test part: cases (F,T) and their classes, numbers from 0."""
    parts = [LOADERS[name](split=split) for split in ("train", "test")]
    classes = np.unique(parts[0][1])
    train, test = (
        ([np.asarray(case, dtype=np.float64) for case in cases], np.searchsorted(classes, labels))
        for cases, labels in parts
    )
    return train, test


def rocket_accuracy(train: Part, test: Part, seed: int) -> float:
    """ROCKET as biomarkers has it: recordings, panel scaled by recording as in the paper, kernels, ridge."""
    longest = max(case.shape[1] for case in train[0])
    channels = [f"channel_{number}" for number in range(train[0][0].shape[0])]
    panel = SeriesPanel(channels=channels, length=longest, max_gap_s=None, scaling="recording")
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


def write(rows: Sequence[Row], folder: Path, command: str) -> None:
    """Write `archives.json` and `archives.md`."""
    machine = hardware()
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    where = f"{machine['system']} {machine['machine']}, {machine['cores']} cores"
    where += f", {', '.join(machine['gpus']) or 'no GPU'}"
    folder.mkdir(parents=True, exist_ok=True)
    record = {"command": command, "hardware": where, "versions": versions, "rows": list(rows)}
    (folder / "archives.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    lines = [
        "# Series classifiers on public archives",
        "",
        f"Written by `{command}` on {where}; {versions}.",
        "Accuracy in percent on the official test part, and the difference to the published one in points.",
        "InceptionTime is the ensemble of its seeds; ROCKET and LSTM are means over seeds.",
        "",
        "| set | system | ours | published | difference | seconds | source |",
        "|---|---|---|---|---|---|---|",
        *(_line(row) for row in rows),
    ]
    (folder / "archives.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _line(row: Row) -> str:
    published = "none found" if row["published"] is None else f"{100 * row['published']:.1f}"
    difference = "" if row["difference"] is None else f"{100 * row['difference']:+.1f}"
    cells = [row["set"], row["system"], f"{100 * row['accuracy']:.1f}", published, difference]
    return "| " + " | ".join([*cells, f"{row['seconds']:.0f}", row["source"] or ""]) + " |"


if __name__ == "__main__":
    main()
