"""From a checkpoint to `attribution.html`."""

import json

import pandas as pd
import pytest
from torch import nn

from engine.config.compose import ConfigError
from engine.evaluate import evaluate
from engine.inspection.attribution import explained_head
from models.heads import BinaryHead, OrdinalHead, ScoreHead

pytest.importorskip("captum")


class Task:
    """A task with heads and nothing else."""

    def __init__(self, **heads):
        self.network = nn.Module()
        self.network.heads = nn.ModuleDict(heads)


def test_the_binary_head_is_explained_before_the_score():
    score = ScoreHead(dim=8, low=0, high=63)
    assert explained_head(Task(score=score, binary=BinaryHead(dim=8))) == "binary"
    assert explained_head(Task(score=score)) == "score"


def test_bands_have_no_single_output():
    with pytest.raises(ConfigError, match="heads band"):
        explained_head(Task(band=OrdinalHead(dim=8, bands=4)))


@pytest.mark.slow
def test_a_checkpoint_is_explained_from_the_command(series_run, cohorts, tmp_path):
    arguments = {"manifest": None, "num_workers": None, "trainer": None, "evaluation": None}
    arguments["paths"] = {"data": str(cohorts)}
    evaluate(arguments | {"ckpt_path": str(series_run.best), "attribution": True}, folder=tmp_path)
    assert (tmp_path / "metrics.json").read_bytes() == (series_run.folder / "metrics.json").read_bytes()
    record = json.loads((tmp_path / "attribution.json").read_text())
    assert record["head"] == "binary"
    assert record["completeness"]["complete"]
    table = pd.read_csv(tmp_path / "tables" / "attribution.csv")
    units = table.query("scope == 'unit' and third == 'all'")
    assert {"AU12", "gaze_x", "pose_yaw"} <= set(units["name"])
    total = table.query("scope == 'all' and third == 'all'")["value"].item()
    assert units["value"].sum() == pytest.approx(total)
    assert (units["low"] <= units["value"]).all()
    assert "AU12" in (tmp_path / "attribution.html").read_text()
