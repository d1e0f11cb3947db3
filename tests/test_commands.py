"""Scripts and modules that no other test types as a user does, on small data; see tests/commands.py."""

import json
import re

import pandas as pd
import pytest

from datamodules.manifests.manifest import read_manifest
from engine.training.prepare import material
from tests.commands import ROOT, command
from tests.conftest import PIXELS

pytestmark = pytest.mark.command


def test_every_script_is_typed_by_a_default_test():
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    typing = "\n".join(text for text in texts if "mark.command" in text)
    scripts = {path.name for path in ROOT.glob("*.py")}
    assert scripts
    assert {name for name in scripts if f'"{name}"' not in typing} == set()


def ended_well(*words, **given):
    done = command(*words, **given)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-3000:]
    return done.stdout


def test_a_checkpoint_is_exported_and_the_bundle_evaluated(series_run, cohorts, tmp_path):
    given = [f"ckpt_path={series_run.best}", "format=safetensors", f"output={tmp_path}/bundles"]
    ended_well("export.py", *given, f"paths.data={cohorts}", f"hydra.run.dir={tmp_path}/log")
    (bundle,) = (tmp_path / "bundles").glob("*.zip")
    again = [f"exported={bundle}", f"paths.data={cohorts}", f"hydra.run.dir={tmp_path}/eval"]
    ended_well("eval.py", *again)
    # of the bundle's own rounding nothing is left after five digits
    expected, found = (
        pd.read_csv(folder / "predictions.csv")["prediction"]
        for folder in (series_run.folder, tmp_path / "eval")
    )
    assert found.to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-5)


def test_videos_are_encoded_and_heads_probed_on_the_store(compose_run, cohorts, tmp_path):
    videos, _ = material(compose_run(*PIXELS, f"paths.data={cohorts}"))
    words = [
        "model.network.depression.trunk.backbone=resnet18", "data.module.source.video.height=32",
        "data.module.source.video.width=32", "grid.stride=1", "grid.hop=8", "clips=2",
    ]  # fmt: skip
    store = tmp_path / "store"
    told = ended_well(
        "encode.py", f"data.path={videos.root / 'manifest.csv'}", f"output={store}", *words, cwd=tmp_path
    )
    assert len(read_manifest(store / "manifest.csv").table) == len(videos.table)
    (given,) = re.findall(r"python probe\.py (.*)", told)  # what to do next, as the command says it
    small = ["protocol.folds=2", "seeds=[0]", "rates=[0.003]", "steps=5", "checks=1"]
    ended_well("probe.py", *given.split(), *small, f"hydra.run.dir={tmp_path}/probe", cwd=tmp_path)
    assert 0 <= json.loads((tmp_path / "probe/metrics.json").read_text())["test"]["auc"]["value"] <= 1


def test_an_analysis_is_written_as_a_page(tmp_path):
    small = [
        "data.cohort.n_subjects=12",
        "data.cohort.duration_s=2",
        "data.cohort.workers=1",
        "protocol.folds=2",
        "evaluation.n_boot=1000",
    ]
    ended_well(
        *("analyze.py", "analysis=sun2023", "analysis.epochs=1", *small),
        *(f"paths.data={tmp_path}/data", f"hydra.run.dir={tmp_path}/run"),
    )
    assert "not a diagnosis" in (tmp_path / "run/analysis.html").read_text()


def test_a_table_is_validated_and_forecast(series_run, cohorts, tmp_path):
    table = next(cohorts.glob("synthetic/*/manifest.csv"))
    told = ended_well("-m", "datamodules.checks.validate", f"manifest={table}").splitlines()
    assert next(line.split() for line in told if line.split()[:1] == ["all"])[1:4] == ["20", "20", "10"]
    words = [f"manifest={table}", "protocol=kfold", f"json={tmp_path}/found.json"]
    assert ended_well("-m", "engine.forecast", *words).startswith("SYNTHETIC: What can ")
    assert json.loads((tmp_path / "found.json").read_text())["persons"] == 10
