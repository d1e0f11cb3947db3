"""Does the small-sample optimism of the literature appear, and why? Models on 50 to 11,000 persons.

`python -m studies.scale` writes docs/results/scale_study.md and its picture. Every cell (condition, size,
draw) is kept below `folder`; a second call makes what is missing, and all after a change of
`studies.scale.cells`.
"""

import hashlib
import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, cpu_count, delayed
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from datamodules.command_line import run, spelled
from studies.scale.cells import measure, models
from studies.scale.material import Condition, Persons, draw
from studies.scale.page import write

ALL = tuple(models())
CONDITIONS = {
    "none": Condition(name="h = 0", heterogeneity=0.0),
    "some": Condition(name="h = 0.3", heterogeneity=0.3),
    "strong": Condition(name="h = 0.6", heterogeneity=0.6),
    "faces": Condition(name="h = g = 0.6", heterogeneity=0.6, facial_heterogeneity=0.6),
    "shuffled": Condition(name="shuffled labels", heterogeneity=0.3, shuffled=True),
}
SIZES, DRAWS = (50, 200, 1000, 5000, 11000), (24, 12, 5, 2, 1)
UNSEEN = 2000  # persons that every model of every size is judged on


def main(
    *,
    sizes: tuple[int, ...] = SIZES,
    draws: tuple[int, ...] = DRAWS,
    conditions: tuple[str, ...] = tuple(CONDITIONS),
    folder: Path = Path("outputs/scale_study"),
    docs: Path = Path("docs/results"),
    workers: int = cpu_count(),
) -> None:
    """Draw persons, fill cells, write the page.

    Args:
        sizes: Persons of a study.
        draws: Studies of each size.
        conditions: Kinds of cohort.
        folder: What is computed is kept there.
        docs: Folder of page and picture.
        workers: Processes.

    Raises:
        ValueError: Not as many draws as sizes.
    """
    if len(sizes) != len(draws):
        raise ValueError(f"draws={draws}: give one number for each of sizes={sizes}")
    began = time.monotonic()
    pool = max(sizes)
    rows: list[dict[str, object]] = []
    for key in conditions:
        condition = CONDITIONS[key]
        persons = draw(condition, persons=pool + UNSEEN, folder=folder / "persons", workers=workers)
        cells = [(size, number) for size, n in zip(sizes, draws, strict=True) for number in range(n)]
        found = Parallel(n_jobs=workers, return_as="generator")(
            delayed(_cell)(folder / f"cells_{pool}_{_code()}", key, persons, size, number)
            for size, number in sorted(cells, reverse=True)  # the large ones first keep all workers busy
        )
        ceiling = float(roc_auc_score(persons.y[-UNSEEN:], persons.severity[-UNSEEN:]))
        for own in tqdm(found, total=len(cells), desc=condition.name, unit="cell"):
            rows += [{"condition": condition.name, "ceiling": ceiling} | row for row in own]
    chosen = spelled(sizes=sizes, draws=draws, conditions=conditions, workers=workers)
    write(
        pd.DataFrame(rows),
        docs,
        command=f"python -m studies.scale {chosen}",
        seconds=time.monotonic() - began,
    )


def _cell(folder: Path, key: str, persons: Persons, size: int, number: int) -> list[dict[str, object]]:
    """Rows of a cell, one a model; read where an earlier call left them."""
    file = folder / f"{key}_{size}_{number}.json"
    if not file.is_file():
        rng = np.random.default_rng([size, number])
        taken = rng.choice(len(persons.y) - UNSEEN, size, replace=False)
        found = measure(
            persons.x[taken],
            persons.y[taken],
            (persons.x[-UNSEEN:], persons.y[-UNSEEN:]),
            seed=number,
            names=ALL[:1] if key == "shuffled" else ALL,
        )
        rows = [{"size": size, "draw": number, "model": name} | dict(own) for name, own in found.items()]
        folder.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".part")
        partial.write_text(json.dumps(rows))
        partial.replace(file)
    result: list[dict[str, object]] = json.loads(file.read_text())
    return result


def _code() -> str:
    """Digest of the code that fills a cell, so that no number outlives its models."""
    source = Path(__file__).with_name("cells.py").read_bytes()
    return hashlib.sha256(source).hexdigest()[:8]


if __name__ == "__main__":
    sys.exit(run(main))
