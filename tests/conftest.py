"""Composed configs, one small run that the tests of the engine and of the commands share, drawn series."""

import json
import multiprocessing
import os
import sys
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

# Lightning, torch and the engine are imported where they are needed: the process that only hands out tests to
# the workers reads this file too, and the workers wait for it.

if "PYTEST_XDIST_WORKER" in os.environ:  # side by side, threads of one test would only hold up the others
    os.environ["OMP_NUM_THREADS"] = os.environ["NUMBA_NUM_THREADS"] = "1"

# What commands and ranks are forked from imports this when the first of them is started.
multiprocessing.set_forkserver_preload(
    [f"engine.{name}" for name in ("train", "evaluate", "predict", "preprocess", "encode", "sweep")]
)

# Now: later a test may have a cache of its own, and what a session fixture finds holds for all that follow.
MODELS = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "euthymia" / "models"

COHORT = [
    "data.cohort.n_subjects=10",
    "data.cohort.n_visits=2",
    "data.cohort.fps=10",
    "data.cohort.duration_s=2",
    "data.cohort.workers=1",
    "protocol.val=0.3",
]
SMALL = [
    "width=16",
    "trainer.max_epochs=2",
    "+trainer.enable_progress_bar=false",
    "evaluation.n_boot=1000",
    "evaluation.lines=[statistics]",  # the others have tests of their own, and take seconds
    "data.module.num_workers=0",
    "data.module.subjects=4",
    "data.module.train_clips.length=8",
    "data.module.eval_clips.length=8",
    "logger=none",
]
SERIES = ["experiment=mpdrm_series", "model.network.depression.trunk.blocks=1", *COHORT, *SMALL]
PIXELS = [
    "experiment=mpdrm",
    "data.cohort.size=32",
    "data.module.source.video.height=32",
    "data.module.source.video.width=32",
    "model.network.depression.trunk.widths=[8,16]",
    "model.network.depression.trunk.mmp_stages=[1]",
    *COHORT,
    *SMALL,
]


def pytest_runtest_teardown(item):
    """Give torch its one thread again where a test took more: two workers would hold each other up."""
    torch = sys.modules.get("torch")
    if torch is not None and "PYTEST_XDIST_WORKER" in os.environ and torch.get_num_threads() != 1:
        torch.set_num_threads(1)


def pytest_itemcollected(item):
    """Tests that look at the same finished run go to the same worker, so that it is trained once."""
    for shared in sorted({"series_run", "pixel_run"} & set(item.fixturenames)):
        item.add_marker(pytest.mark.xdist_group(shared))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Other tests go to a worker file by file, so that what a file makes for its tests is made once."""
    from xdist.scheduler import LoadGroupScheduling

    class ByFile(LoadGroupScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return super()._split_scope(nodeid).split("::")[0]

    return ByFile(config, log)


@cache
def _leaves(overrides: tuple[str, ...]) -> Any:
    from hydra import compose

    return compose("train", overrides=list(overrides), return_hydra_config=True)


def hydra_config(*overrides: str) -> Any:
    """`conf/train.yaml` as Hydra composes it with overrides, its node `hydra` among them.

    Each choice of leaves is composed once in a session, a third of a second each; single values are set
    afterwards by what Hydra sets them with.
    """
    from hydra import initialize_config_dir
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.override_parser.overrides_parser import OverridesParser

    from engine.config.source_code import ROOT

    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        assert isinstance(loader, ConfigLoaderImpl)
        leaves, values = [], []
        for one in OverridesParser.create().parse_overrides(list(overrides)):
            group = loader.repository.group_exists(one.key_or_group)
            others = group or one.is_hydra_override() or one.is_sweep_override()
            (leaves if others else values).append(one)
        config = deepcopy(_leaves(tuple(str(one.input_line) for one in leaves)))
        ConfigLoaderImpl._apply_overrides_to_config(values, config)
        return config


def composed(*overrides: str, output: Path) -> dict[str, Any]:
    """`conf/train.yaml` with overrides, plain and checked, writing to `output`."""
    from omegaconf import open_dict

    from engine.config.compose import plain_config, root_keys

    config = hydra_config(*overrides)
    with open_dict(config):
        del config["hydra"]
    config.paths.output = str(output)
    return plain_config(config, keys=root_keys("train"))


@pytest.fixture(scope="session")
def series_overrides():
    """What makes a small run on series out of `train.py`."""
    return list(SERIES)


@pytest.fixture
def compose_run(tmp_path):
    """Compose with overrides; the run would write below `tmp_path`."""

    def run(*overrides, output=tmp_path / "run"):
        return composed(*overrides, output=output)

    return run


@pytest.fixture(scope="session")
def cohorts(tmp_path_factory):
    """Where the small cohorts of this session are made."""
    return tmp_path_factory.mktemp("cohorts")


@dataclass(frozen=True)
class Run:
    """A finished run: its config, its folder, and what a sweep would have been told."""

    config: dict[str, Any]
    folder: Path
    objective: float | None
    record: dict[str, Any]  # its manifest.json as training left it; evaluating again counts further looks

    @property
    def best(self) -> Path:
        """The checkpoint that validation chose."""
        return self.folder / "checkpoints" / "best.ckpt"


@pytest.fixture(scope="session")
def small_run(cohorts):
    """Train a small network on a small cohort: `small_run(folder, *overrides, base="series")`."""
    from engine.config.selection import with_modes
    from engine.train import train

    def run(folder, *overrides, base="series"):
        start = {"series": SERIES, "pixels": PIXELS}[base]
        config = composed(*start, f"paths.data={cohorts}", *overrides, output=folder)
        objective = train(config, folder=folder)
        return Run(with_modes(config), folder, objective, json.loads((folder / "manifest.json").read_text()))

    return run


@pytest.fixture(scope="session")
def series_run(small_run, tmp_path_factory):
    """The run on series that most tests look at; do not write to it."""
    three = "data.module.eval_clips.clips=3"  # of two, the median would be the mean
    return small_run(tmp_path_factory.mktemp("series") / "run", three)


@pytest.fixture(scope="session")
def small_fit(cohorts):
    """Train like `small_run`, but measure and report nothing; return the folder."""
    from engine.training.fit import fit_split
    from engine.training.prepare import material

    def fit(folder, *overrides, base="series"):
        start = {"series": SERIES, "pixels": PIXELS}[base]
        config = composed(*start, f"paths.data={cohorts}", *overrides, output=folder)
        fit_split(config, *material(config), folder=folder)
        return folder

    return fit


@pytest.fixture(scope="session")
def pixel_run(small_run, tmp_path_factory):
    """The run on pixels that tests look at; do not write to it."""
    return small_run(tmp_path_factory.mktemp("pixels") / "run", "trainer.max_epochs=1", base="pixels")


@pytest.fixture
def own_table(cohorts, series_run):
    """The small cohort as somebody's own table, split as the shared run was."""
    import pandas as pd

    from engine.checkpoints.checkpoint import load_checkpoint

    manifest = next(cohorts.glob("synthetic/*/manifest.csv"))
    table = pd.read_csv(manifest, dtype=str, keep_default_na=False)
    for column in ("path", "series_path", "landmark_path"):
        table[column] = [str(manifest.parent / name) if name else "" for name in table[column]]
    sides = load_checkpoint(series_run.best).split
    part_of = {recording: part for part in ("train", "val", "test") for recording in sides[part]}
    return table.assign(split=[part_of[recording] for recording in table["recording_id"]])


@pytest.fixture
def compose_own(series_overrides, compose_run, tmp_path):
    """Compose a small training on a table: `compose_own(table, *overrides)`."""

    def run(table, *overrides):
        table.to_csv(tmp_path / "own.csv", index=False)
        kept = [o for o in series_overrides if not o.startswith(("data.cohort", "protocol."))]
        data = ["data=manifest", "data/clips=series", f"data.path={tmp_path / 'own.csv'}", "data.channels=17"]
        return compose_run(*kept, *data, "protocol=given", "trainer.max_epochs=1", *overrides)

    return run


@pytest.fixture
def make_series():
    """Build a series from channels by name; invalid rows hold 0 as the readers guarantee."""

    import numpy as np

    from datamodules.series import Series

    def build(*, fps=10.0, valid=None, seconds="rate", **channels):
        values = np.stack([np.asarray(x, dtype=np.float32) for x in channels.values()], axis=1)
        valid = np.ones(len(values), dtype=bool) if valid is None else np.asarray(valid)
        if isinstance(seconds, str):
            seconds = None if fps is None else np.arange(len(values)) / fps
        return Series(
            values=np.where(valid[:, None], values, 0).astype(np.float32),
            channels=tuple(channels),
            valid=valid,
            fps=fps,
            seconds=seconds,
        )

    return build


def _eye(center, iris, pupil, opening, width):
    """28 points of an eye in mm: iris ring, lids between two corners, pupil ring, in one plane."""
    import numpy as np

    ring = np.arange(8) * np.pi / 4
    circle = np.stack([np.cos(ring), np.sin(ring)], axis=1)
    along = np.linspace(-width / 2, width / 2, 7)
    upper = np.stack([along, np.r_[0, np.full(5, opening / 2), 0]], axis=1)
    lids = np.concatenate([upper, upper[5:0:-1] * [1, -1]])
    flat = np.concatenate([iris / 2 * circle, lids, pupil / 2 * circle]) + center
    return np.column_stack([flat, np.full(28, 500.0)])


@pytest.fixture
def eye_channels():
    """Channels `eye_lmk_X_0 ...` from diameters of pupils (T, 2) in mm, rounded as in files."""
    import numpy as np

    def build(pupils, *, iris=12.0, openings=None, decimals=1):
        openings = np.full(len(pupils), 8.0) if openings is None else openings
        frames = [
            np.concatenate([_eye([-30, 0], iris, a, o, 25.0), _eye([30, 0], iris, b, o, 25.0)])
            for (a, b), o in zip(pupils, openings, strict=True)
        ]
        points = np.round(np.stack(frames), decimals)
        return {f"eye_lmk_{axis}_{k}": points[:, k, j] for j, axis in enumerate("XYZ") for k in range(56)}

    return build


@pytest.fixture(scope="session")
def face_models():
    """Folder of the networks' files; skips the test where they are missing."""
    from preprocessing.models.folder import ModelError, locate

    try:
        locate(MODELS)
    except ModelError:
        pytest.skip(f"{MODELS} has no face networks: run `python -m preprocessing.models` once")
    return MODELS
