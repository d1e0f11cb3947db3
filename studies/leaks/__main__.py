"""Planted leaks that the leak audit must find, and clean cohorts it must pass: `python -m studies.leaks`.

Every leak is planted into three small cohorts of series, and the audit that precedes a training is asked what
it says. Leaks in the network's input must stop the run; what is known of a file only must be told. Clean
cohorts, half of them with a confound, must pass. Leaks of content and identity are planted as well, see
`studies.leaks.content`. The command ends with 1 on a miss or a false alarm.
"""

import json
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tqdm import tqdm

from datamodules.clips.dataset import SeriesClips
from datamodules.command_line import run
from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import Manifest
from datamodules.splits.protocols import Holdout
from engine.cohort.leak_check import FILE, audit_leaks
from engine.runs.provenance import RunManifest
from studies.leaks import content as content_leaks
from studies.leaks.cohorts import drawn
from studies.leaks.plants import LEAKS, Plant, plant

PAGE = Path("docs/results/leak_audit.md")
COHORTS = ((48, 3, 0.0), (64, 2, 1.0), (40, 4, 1.0))  # persons, visits, confound
CLEAN = ((48, 3), (64, 2))  # persons and visits, in turn
_drawn = partial(drawn, seconds=4.0)


def main(*, clean: int = 20, page: Path = PAGE) -> int:
    """Plant, ask, count, and write the page; the status is 1 on a miss or a false alarm.

    Args:
        clean: Clean cohorts, half of them with a confound.
        page: Markdown.
    """
    logging.disable(logging.WARNING)
    began = time.process_time()
    with TemporaryDirectory() as folder:
        caught = planted(Path(folder))
        alarms = unplanted(Path(folder), cohorts=clean)
        answers, remarks = content_leaks.planted(Path(folder) / "content")
    text, missed, false = written(caught, alarms)
    told, more = content_leaks.lines(answers, remarks)
    text += "\n".join(["", *told, ""])
    text += (
        f"\nWritten by `python -m studies.leaks clean={clean}` on {datetime.now(UTC):%Y-%m-%d}, "
        f"{time.process_time() - began:.0f} s of one core.\n"
    )
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return int(bool(missed or false or more or remarks))


def planted(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Leak -> what the audit said in each of the cohorts."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in LEAKS}
    for number, (persons, visits, confound) in enumerate(COHORTS):
        own = _drawn(folder, persons=persons, visits=visits, confound=confound, seed=number)
        for place, (name, leak) in enumerate(tqdm(LEAKS.items(), desc=f"Cohort {number + 1}")):
            found[name].append(asked(plant(own, leak, folder / f"{number}_{place}", seed=number)))
    return found


def unplanted(folder: Path, *, cohorts: int) -> list[dict[str, Any]]:
    """What the audit said of clean cohorts, every second one with a confound."""
    found = []
    for number in tqdm(range(cohorts), desc="Clean cohorts"):
        persons, visits = CLEAN[number // 2 % len(CLEAN)]
        own = _drawn(folder, persons=persons, visits=visits, confound=float(number % 2), seed=100 + number)
        found.append(asked(own))
    return found


def asked(manifest: Manifest) -> dict[str, Any]:
    """Findings of the leak audit on the training and validation part of a holdout."""
    (split,) = Holdout().splits(manifest)
    source = SeriesClips().prepared(manifest.recordings())
    with TemporaryDirectory() as folder:
        record = RunManifest(folder=Path(folder), config={"paths": {"output": folder}})
        stopped = False
        try:
            audit_leaks(manifest, split, source, accepted=(), record=record)
        except LeakageError:
            stopped = True
        answer: dict[str, Any] = json.loads((Path(folder) / FILE).read_text(encoding="utf-8"))
        return answer | {"stopped": stopped}


def evidence(answer: Mapping[str, Any], leak: Plant) -> Mapping[str, Any] | None:
    """The fact that got the expected verdict; a leak that is only told must not stop anything."""
    if answer["stopped"] != (leak.verdict == "stops"):
        return None
    told = [one for one in answer["found"] if one["verdict"] == leak.verdict]
    hits = (one for one in told if any(fnmatchcase(one["fact"], fact) for fact in leak.facts))
    return next(hits, None)


def written(
    caught: Mapping[str, Sequence[Mapping[str, Any]]], alarms: Sequence[Mapping[str, Any]]
) -> tuple[str, int, int]:
    """The page, and how many leaks were missed and clean cohorts stopped."""
    missed, rows = 0, []
    for name, answers in caught.items():
        hits = [evidence(answer, LEAKS[name]) for answer in answers]
        missed += sum(hit is None for hit in hits)
        shown = ", ".join(
            "missed" if hit is None else f"{hit['value']:.3f} [{hit['low']:.2f}]" for hit in hits
        )
        rows.append(f"| {name} | {LEAKS[name].verdict} | {LEAKS[name].facts[0]} | {shown} |")
    false = sum(answer["stopped"] for answer in alarms)
    told = sum(any(one["verdict"] == "tells" for one in answer["found"]) for answer in alarms)
    most = max((answer["found"][0]["value"] for answer in alarms if answer["found"]), default=float("nan"))
    cohorts = "; ".join(f"{p} persons of {v} visits, confound {c:g}" for p, v, c in COHORTS)
    text = f"""# Planted leaks, and what finds them

## Facts of the input

Three cohorts of series ({cohorts}), {len(LEAKS)} leaks each. AUC with the lower end of its interval in
each cohort; `stops` ends a run before training, `tells` is a warning in log and report.

| Label | Must | First fact | Cohorts 1, 2, 3 |
| --- | --- | --- | --- |
{chr(10).join(rows)}

Missed: {missed} of {len(LEAKS) * len(COHORTS)}.

Clean cohorts that were stopped: {false} of {len(alarms)}, half of them with a confound. The most telling
single fact of any had an AUC of {most:.2f}. In {told} of them something about the files was told, which the
correction for all facts lets happen in about one of 40.
"""
    return text, missed, false


if __name__ == "__main__":
    sys.exit(run(main))
