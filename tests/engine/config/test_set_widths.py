"""Widths of feature sets: those that a command line states, or that the files tell, are in every place."""

import numpy as np
import pandas as pd
import pytest

from engine.config.build import build
from engine.config.compose import ConfigError
from engine.config.set_widths import is_open, with_channel_widths
from engine.config.value_ranges import check_settings
from engine.training.checks import check_model
from models.fusion.late import LateFusion

FUSION = ("early", "gated", "late")
OWN = ["experiment=feature_sets", "data=feature_sets", "data.path=x.csv"]


@pytest.mark.parametrize("fusion", FUSION)
def test_names_alone_leave_the_widths_to_the_files(fusion, compose_run):
    config = compose_run(*OWN, f"model/fusion={fusion}", "data.sets=[gaze,embed]")
    assert is_open(config)
    check_settings(config)
    settled = with_channel_widths(config, ["gaze/0", "gaze/1", "embed/0", "embed/1", "embed/2"])
    assert settled["data"]["channels"] == 5
    assert "auto" not in str(settled["model"])
    check_model(settled)
    network = build(settled["model"], key="model", optimizer=None, scheduler=None).network
    assert isinstance(network, LateFusion) == (fusion == "late")


@pytest.mark.parametrize("fusion", FUSION)
def test_widths_that_are_stated_are_those_of_the_network(fusion, compose_run):
    config = compose_run(*OWN, f"model/fusion={fusion}", "data.sets={gaze:2,embed:3}")
    assert not is_open(config)
    assert (config["data"]["channels"], config["data"]["widths"]) == (5, [2, 3])
    assert config["model"]["network"]["depression"]["input"]["widths"] == [2, 3]
    check_model(config)


def test_tokens_of_a_store_are_read_as_before(compose_run):
    tokens = ["experiment=mpdrm", "model=mpdrm_tokens", "data=features", "data.path=x.csv"]
    config = compose_run(*tokens, "data.channels=3")
    assert config["data"]["channels"] == 3
    assert config["data"]["module"]["source"] == {"_target_": "datamodules.clips.tokens.TokenClips"}
    sets = compose_run(
        *OWN[:1], "data=features", "data/clips=feature_sets", "data.path=x.csv", "data.sets=[a,b]"
    )
    assert sets["data"]["module"]["source"]["sets"] == ["a", "b"]


def test_a_wrong_width_is_named_with_what_the_files_have(tmp_path, compose_run):
    rng, rows = np.random.default_rng(0), []
    for number in range(3):
        np.save(tmp_path / f"{number}.npy", rng.normal(size=(1, 4)))
        ids = {"recording_id": f"r{number}", "subject_id": f"p{number}", "session_id": "1", "path": ""}
        rows.append(ids | {"features_gaze": f"{number}.npy"})
    pd.DataFrame(rows).to_csv(tmp_path / "m.csv", index=False)
    config = compose_run(*OWN[:2], f"data.path={tmp_path / 'm.csv'}", "data.sets={gaze:7}")
    manifest = build(config["data"]["manifest"], key="data.manifest")
    source = build(config["data"]["module"]["source"], key="data.module.source")
    with pytest.raises(ValueError, match=r"has 4 columns, and data\.sets.* say 7; write data\.sets\.gaze=4"):
        source.prepared(manifest.recordings())


def test_a_network_of_series_that_knows_no_sets_is_refused(compose_run):
    config = compose_run(*OWN, "model/fusion=none", "data.sets={gaze:2,embed:3}")
    with pytest.raises(ConfigError, match=r"model/fusion=early, gated or late"):
        check_model(config)
