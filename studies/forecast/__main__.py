"""Do forecasts say what reports then print? `python -m studies.forecast` writes docs/results/forecast.md.

Six settings, of 20, 50 and 150 persons with 1 and 3 visits, are simulated many times; the report's own
intervals are measured and held against the forecast, which knows how the setting was made and no simulated
table. Then pairs of models that differ by the smallest visible difference are compared many times. What is
done is kept, and a second call goes on.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from datamodules.command_line import run, spelled
from studies.forecast import cells
from studies.forecast.cells import CORPUS, corpus_labels, forecasts, seen, visible, widths
from studies.forecast.page import write
from studies.forecast.simulated import Setting

SETTINGS = tuple(Setting(persons, visits) for visits in (1, 3) for persons in (20, 50, 150))
OTHERS = (
    Setting(50, 1, "points"), Setting(50, 3, "points"), Setting(20, 1, stratified=False),
    Setting(20, 3, stratified=False),
)  # fmt: skip
COMPARED = tuple(
    (setting, metric)
    for setting in (Setting(50, 1), Setting(150, 1), Setting(50, 3))
    for metric in ("auc", "mae")
)
STUDIES, COMPARISONS = 1000, 2000
_CHUNK = 250
_CORPORA, _SMALL = 20, 100  # corpora of so many persons that a forecast is made from


def main(
    *,
    studies: int = STUDIES,
    comparisons: int = COMPARISONS,
    folder: Path = Path("outputs/forecast"),
    docs: Path = Path("docs/results"),
) -> None:
    """Fill what is missing and write the page.

    Args:
        studies: Simulated a setting, for the widths.
        comparisons: Simulated a setting and metric, for the differences.
        folder: What is computed is kept there.
        docs: Folder of page and picture.
    """
    chosen = spelled(studies=studies, comparisons=comparisons)
    kept = folder / _code()
    kept.mkdir(parents=True, exist_ok=True)
    realized = {
        one: _kept(kept / f"width_{_file(one)}_{studies}.json", partial(widths, one, studies=studies))
        for one in (*SETTINGS, *OTHERS)
    }
    off = {one: _off(one) for one in SETTINGS}
    compared = [_compared(kept, one, metric, comparisons) for one, metric in COMPARED]
    write(
        docs,
        realized=realized,
        made={one: forecasts(one) for one in realized},
        off=off,
        compared=[row for row in compared if row],
        prevalence=corpus_labels(1, CORPUS).prevalence or 0.0,
        asked=len(COMPARED),
        studies=studies,
        comparisons=comparisons,
        options="" if (studies, comparisons) == (STUDIES, COMPARISONS) else f" {chosen}",
    )


def _off(setting: Setting) -> dict[str, Any]:
    """Forecast widths where an assumption is off, and from corpora of few persons."""
    small = [
        forecasts(setting, auc=0.0, labels=corpus_labels(setting.visits, _SMALL, CORPUS + number * _SMALL))
        for number in range(_CORPORA)
    ]
    return {
        "auc - .05": forecasts(setting, auc=-0.05),
        "auc + .05": forecasts(setting, auc=0.05),
        "icc 0": forecasts(setting, icc=0.0),
        "icc .9": forecasts(setting, icc=0.9),
        "small": {name: sorted(one[name] for one in small) for name in small[0]},
    }


def _compared(folder: Path, setting: Setting, metric: str, studies: int) -> dict[str, Any] | None:
    """A pair of models with the forecast's difference, and how often the test told them apart."""
    pair = visible(setting, metric)
    if pair is None:
        return None
    hits = 0
    for start in range(0, studies, _CHUNK):
        count = min(_CHUNK, studies - start)
        file = folder / f"seen_{_file(setting)}_{metric}_{pair['second']:.4f}_{start}_{count}.json"
        hits += _kept(file, partial(_hits, setting, metric, pair, start, count))["hits"]
    return {"setting": setting.name, "metric": metric, **pair, "hits": hits, "studies": studies}


def _hits(setting: Setting, metric: str, pair: Mapping[str, float], start: int, count: int) -> dict[str, Any]:
    return {"hits": seen(setting, metric, pair, start=start, studies=count)}


def _kept(file: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Content of a file, made where it is missing."""
    if not file.is_file():
        partial = file.with_suffix(".part")
        partial.write_text(json.dumps(make()), encoding="utf-8")
        partial.replace(file)
        sys.stdout.write(f"{file.name}\n")
        sys.stdout.flush()
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _file(setting: Setting) -> str:
    return f"{setting.persons}x{setting.visits}_{setting.seen}" + ("" if setting.stratified else "_blindly")


def _code() -> str:
    """Digest of the code that fills a cell, so that no number outlives it."""
    sources = [Path(cells.__file__), Path(cells.__file__).with_name("simulated.py")]
    return hashlib.sha256(b"".join(one.read_bytes() for one in sources)).hexdigest()[:8]


if __name__ == "__main__":
    sys.exit(run(main))
