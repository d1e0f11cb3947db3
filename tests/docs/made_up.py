"""What shown commands read, made up: tables, videos, caches of faces, trees of corpora, trained runs."""

import importlib
import shutil
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.manifests.manifest import Manifest
from datamodules.synthetic.cohort import synthetic_manifest
from datamodules.synthetic.feature_sets import feature_sets
from datamodules.synthetic.room.film import film
from tests.commands import command
from tests.docs.small_settings import small
from tests.preprocessing.tracked_video import write_tracked

TIME = "2026-01-02_03-04-05"
_TREES = {"adodas": 40, "avec2013": 13, "avec2014": 13, "mpdd_avg": 32}  # persons, where not the tree's own
_HIGHEST = {"PHQ-8": (8, 3), "PHQ-9": (9, 3)}  # answers, and the highest of each
_QUIET = {  # one thread; nothing is asked of the network
    "NUMBA_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "HF_HUB_OFFLINE": "1",
    "WANDB_MODE": "offline",
}
_RUNS = {
    "pixels": [],
    "faces": ["data=faces", "data.path=faces/manifest.csv"],
    "vit_video": ["experiment=vit_video"],
    "known": [
        *("experiment=mpdrm_series", "model/context=calibrated"),
        *("protocol=longitudinal", "protocol.known=2"),
    ],
}


def do(words: list[str], folder: Path, *, limit_s: float = 560) -> None:
    """Run what is typed behind `python` in a folder; it ends with status 0."""
    ended = command(*words, cwd=folder, env=_QUIET, both=True, timeout=limit_s)
    assert ended.returncode == 0, (
        f"python {' '.join(words)}\nended with {ended.returncode}:\n{ended.stdout[-4000:]}"
    )


class MadeUp:
    """A folder of made-up things, each made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def words(self, name: str, settings: list[str]) -> list[str]:
        """Words of a small Hydra command; all share the cohorts of this folder."""
        return [f"{name}.py", *small("hydra", name, settings), f"paths.data={self.folder / 'data'}"]

    @cached_property
    def cohort(self) -> Manifest:
        """Drawn persons with videos, series and scores."""
        return synthetic_manifest(
            root=self.folder / "cohort",
            n_subjects=14,
            n_visits=3,
            fps=10,
            duration_s=2,
            size=32,
            confound=1.0,
            habit_visibility=0.1,
            seed=5,
            workers=1,
        )

    @cached_property
    def faces(self) -> Path:
        """A folder as `preprocess.py` leaves it."""
        raw, out = self.folder / "filmed", self.folder / "faces"
        if (out / "manifest.csv").exists():
            return out
        film(raw, persons=14, visits=2, seconds=2, fps=10, seed=0, workers=1)
        do(["preprocess.py", f"input={raw}", f"output={out}", "executor.workers=1"], self.folder)
        return out

    def run(self, kind: str, folder: Path) -> None:
        """Copy a finished run: of pixels, of faces, or of series with earlier scores that are known."""
        kept = self.folder / "runs" / kind
        if not kept.exists():
            if kind == "faces":
                assert self.faces.exists()
            words = [*self.words("train", _RUNS[kind]), f"hydra.run.dir={kept}"]
            do(words, self.folder)
        shutil.copytree(kept, folder, dirs_exist_ok=True)

    def table(self, path: Path, *, scale: str = "BDI-II", labels: bool = True) -> None:
        """Write a table of drawn persons as somebody's own, with parts for `protocol=given`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.cohort.write(path)
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        table = table.drop(columns=[name for name in table if name.startswith(("item_", "trait_"))])
        persons = table["subject_id"].map({who: n for n, who in enumerate(table["subject_id"].unique())})
        table["split"] = persons.map(lambda n: "test" if n % 3 == 1 else "val" if n % 3 == 2 else "train")
        if scale in _HIGHEST:
            table = _answered(table, scale)
        if not labels:
            table = table.drop(columns=["score", "binary", "scale"], errors="ignore")
        table.to_csv(path, index=False)

    def earlier(self, path: Path) -> None:
        """Write the first visits of the persons of `table`, with their scores."""
        self.table(path)
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        table.groupby("subject_id").head(2).to_csv(path, index=False)

    def later(self, path: Path) -> None:
        """Write the visits of these persons that `earlier` leaves out."""
        self.table(path)
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        table[table.groupby("subject_id").cumcount() >= 2].to_csv(path, index=False)

    def sets(self, path: Path, names: list[str]) -> None:
        """Write a table of feature sets of these names."""
        path.parent.mkdir(parents=True, exist_ok=True)
        made = feature_sets(manifest=self.cohort, noise=0.5, drop=0.05, lacking=0.0, width=8, seed=0)
        made.write(path)
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        held = [column for column in table if column.startswith("features_")]
        new = [f"features_{name}" for name in names] or held
        table = table.drop(columns=held[len(new) :]).rename(columns=dict(zip(held, new, strict=False)))
        table.to_csv(path, index=False)

    def answers(self, path: Path) -> None:
        """Write answers of persons to seven items, coded from 1."""
        drawn = np.random.default_rng(0).integers(1, 5, size=(60, 7))
        pd.DataFrame(drawn).add_prefix("q").to_csv(path, index=False)

    def raw(self, path: Path) -> None:
        """Write raw videos: a folder of them with labels, or a table that names them."""
        folder = path.with_suffix("") if path.suffix else path
        if not any(folder.glob("*/*.mp4")):
            film(folder, persons=2, visits=1, seconds=2, fps=10, seed=3, workers=1)
        if path.suffix:
            table = pd.read_csv(folder / "labels.csv", dtype=str)
            table["recording_id"] = [f"r{number}" for number in range(len(table))]
            table["path"] = [f"{folder.name}/{file}" for file in table["file"]]
            table = table.rename(columns={"subject": "subject_id", "session": "session_id"})
            table.drop(columns="file").to_csv(path, index=False)

    def tracked(self, path: Path) -> None:
        """Write raw videos with a file of landmarks each, as OpenFace leaves it, and the table of both."""
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = []
        for number in range(2):
            video, points = write_tracked(path.parent / f"tracked_{number}", seed=number)
            rows.append({"recording_id": f"t{number}", "subject_id": f"p{number}", "session_id": "1"})
            rows[-1] |= {
                "path": video.name,
                "landmark_path": points.name,
                "scale": "BDI-II",
                "score": 5 + number,
            }
        pd.DataFrame(rows).to_csv(path, index=False)

    def tree(self, source: str, root: Path) -> None:
        """Write a corpus of the layout of the real one; of OpenFace tables if it is called openface."""
        module = importlib.import_module(f"datamodules.sources.trees.{source}")
        persons = {"persons": _TREES[source]} if source in _TREES else {}
        module.write(root, **persons, **({"series": True} if root.name == "openface" else {}))


def _answered(table: pd.DataFrame, scale: str) -> pd.DataFrame:
    """The table with answers of another questionnaire, and their sums as scores."""
    items, highest = _HIGHEST[scale]
    rng = np.random.default_rng(0)
    level = table["score"].astype(float).to_numpy()[:, None] / 63
    answers = rng.binomial(highest, np.clip(level, 0.05, 0.95), size=(len(table), items))
    name = scale.replace("-", "").lower()
    columns = {f"item_{name}_{number + 1}": answers[:, number] for number in range(items)}
    score = answers.sum(1)
    return table.assign(scale=scale, score=score, binary=(score >= 10).astype(int), **columns)
