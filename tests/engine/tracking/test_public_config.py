from pathlib import Path

import pytest

from engine.tracking.public_config import PATH, flat, public_config


@pytest.mark.parametrize(
    "value",
    [
        *("/home/anna/x", "~/x", "data/anna", "../x", "C:\\anna", "anna.csv", "best.ckpt", "video.MP4"),
        *("file:mlruns", "https://user:secret@host", "hf-hub:a/b", "train/../x", "val/auc/x"),
    ],
)
def test_what_may_be_a_path_is_marked_under_whatever_key(value):
    if value == "file:mlruns":
        assert public_config({"a": {"uri": value}}) == {"a": {"uri": PATH}}
        return
    assert public_config({"a": [{"b": value}], "c": {value: 1}}) == {"a": [{"b": PATH}], "c": {PATH: 1}}


@pytest.mark.parametrize(
    "key", ["path", "root", "series_root", "dirpath", "cache_dir", "init_from", "weights"]
)
def test_a_place_is_marked_by_its_key_where_it_looks_like_a_word(key):
    assert public_config({"data": {key: "anna"}}) == {"data": {key: PATH}}
    assert public_config({"data": {key: None}}) == {"data": {key: None}}


def test_settings_stay_as_they_are():
    config = {
        "seed": 1,
        "selection": {"monitor": "val/auc", "mode": None},
        "model": {"_target_": "models.task.Task", "widths": [8, 16], "lr": 1e-3, "on": True},
        "trainer": {"precision": "bf16-mixed", "devices": "auto"},
        "accept_leaks": ["mean of au12"],
    }
    assert public_config(config) == config


def test_nothing_of_outputs_loggers_and_earlier_runs_is_told():
    names = ("paths", "logger", "trust", "resume", "ckpt_path")
    assert public_config(dict.fromkeys(names, "anna") | {"seed": 1}) == {"seed": 1}


def test_no_path_of_a_whole_config_is_left(compose_run, series_overrides):
    config = compose_run(*series_overrides, "paths.data=/home/anna/study", "init_from=/home/anna/best.ckpt")
    told = [value for _, value in flat(public_config(config)) if isinstance(value, str)]
    assert len(told) > 30
    assert not [value for value in told if "anna" in value or str(Path.cwd()) in value]
    assert not [value for value in told if "/" in value.replace("val/auc", "").replace("val/", "")]


def test_flat_keys_are_dotted_and_lists_are_one_text():
    assert dict(flat({"a": {"b": 1, "c": [1, 2], "d": {}}, "e": None})) == {
        "a.b": 1,
        "a.c": "[1, 2]",
        "e": None,
    }
