"""Settings that no run can mean, at least five of each kind, and those that look odd and are right."""

import json

import pytest

from engine.config.compose import ConfigError
from engine.config.value_ranges import check_settings
from engine.train import train
from tests.conftest import composed

BAD = [
    # counts of what there must be one of
    ("data.module.subjects", 0, "1 or more"),
    ("data.module.visits", -1, "1 or more"),
    ("data.module.clips", 0, "1 or more"),
    ("data.module.max_eval_clips", 0, "1 or more"),
    ("data.module.train_clips.length", 0, "1 or more"),
    ("data.module.eval_clips.stride", 0, "1 or more"),
    ("data.module.eval_clips.clips", -2, "1 or more"),
    ("data.module.train_clips.strides", [2, 0], "1 or more"),
    ("data.cohort.n_subjects", 0, "1 or more"),
    ("data.cohort.n_visits", -3, "1 or more"),
    # numbers that are none
    ("model.optimizer.eps", float("nan"), "finite"),
    ("model.scheduler.eta_min", float("inf"), "finite"),
    ("data.cohort.confound", float("nan"), "finite"),
    ("protocol.anything", [0.5, float("-inf")], "finite"),
    ("evaluation.aggregate", float("nan"), ""),
    # numbers that are not whole
    ("data.module.subjects", 2.5, "whole number"),
    ("width", 64.5, "whole number"),
    ("width", "wide", "whole number"),
    ("width", True, "whole number"),
    ("trainer.max_epochs", 3.5, "whole number"),
    ("evaluation.n_boot", 2000.0, "whole number"),
    # negative where nothing is below zero
    ("width", -4, "1 or more"),
    ("evaluation.filmstrips", -3, "0 or more"),
    ("data.module.num_workers", -1, "0 to 256"),
    ("data.module.num_workers", "many", "or auto"),
    ("compile", "fast", "reduce-overhead"),
    ("data.module.source.max_gap_s", -1, "0 or more"),
    ("data.cohort.duration_s", -8, "above 0"),
    ("model.optimizer.weight_decay", -0.1, "0 or more"),
    ("model.objective.contrast_weight", -1, "0 or more"),
    # no finite number
    ("model.optimizer.lr", float("nan"), "above 0"),
    ("model.optimizer.lr", float("inf"), "above 0"),
    ("data.module.source.max_gap_s", float("nan"), "0 or more"),
    ("model.objective.contrast.temperature", float("inf"), "above 0"),
    ("data.cohort.fps", float("nan"), "above 0"),
    # shares
    ("protocol.val", 0, "below 1"),
    ("protocol.val", 1, "below 1"),
    ("protocol.val", -0.2, "below 1"),
    ("model.network.rarm.dropout", 1, "below 1"),
    ("model.network.rarm.dropout", -0.1, "below 1"),
    ("model.network.depression.trunk.dropout", 2, "below 1"),
    # seeds
    ("seed", -1, "0 to 4294967295"),
    ("seed", 4294967296, "0 to 4294967295"),
    ("seed", 1.5, "whole number"),
    ("seed", None, "whole number"),
    ("data.cohort.seed", -7, "0 to 4294967295"),
    ("protocol.seed", -7, "0 to 4294967295"),
    ("evaluation.seed", "a", "0 to 4294967295"),
    # what the trainer takes in silence or refuses in its own words
    ("trainer.gradient_clip_val", -1, "null for no clipping"),
    ("trainer.gradient_clip_val", 0, "null for no clipping"),
    ("trainer.accumulate_grad_batches", 0, "1 or more"),
    ("trainer.max_epochs", 0, "1 or more"),
    ("trainer.max_epochs", -1, "1 or more"),
    ("trainer.limit_train_batches", 0, "batches"),
    ("trainer.limit_train_batches", 1.5, "batches"),
    ("trainer.limit_val_batches", 0, "batches"),
    ("trainer.check_val_every_n_epoch", 0, "1 or more"),
    ("trainer.log_every_n_steps", 0, "1 or more"),
    # the optimizer and the schedule
    ("model.optimizer.lr", 0, "above 0"),
    ("model.optimizer.lr", -0.001, "above 0"),
    ("model.optimizer.lr", "fast", "above 0"),
    ("model.scheduler.T_max", 0, "1 or more"),
    ("model.objective.contrast.hard_weight", 0.5, "1 or more"),
    # forms of networks
    ("model.network.rarm.heads", 0, "1 or more"),
    ("model.network.depression.trunk.blocks", 0, "1 or more"),
    ("model.network.depression.trunk.kernel", -5, "1 or more"),
    ("model.network.depression.trunk.stem", [32, 0], "1 or more"),
    ("model.network.depression.trunk.state", 0, "1 or more"),
    ("model.network.depression.trunk.landmark_dropout", 1, "below 1"),
    ("model.network.depression.trunk.mmp.scales", [1, 0], "1 or more"),
    ("data.channels", 0, "1 or more"),
    ("data.scale.bands", 1, "2 or more"),
    # intervals that would rest on nothing
    ("evaluation.n_boot", 0, "1000 or more"),
    ("evaluation.n_boot", -5, "1000 or more"),
    ("evaluation.n_boot", None, "1000 or more"),
    # switches that take away what a run is read again from
    ("trainer.fast_dev_run", True, "debug=fast"),
    ("trainer.fast_dev_run", 3, "debug=fast"),
    ("trainer.barebones", True, "false"),
    ("callbacks.best.save_weights_only", True, "more than weights"),
    # rates
    ("data.cohort.fps", 0, "at most 240"),
    ("data.cohort.fps", 1000, "at most 240"),
    ("data.module.source.fps", -10, "at most 240"),
]
FINE = [
    ("trainer.limit_train_batches", 1.0, "the whole, as a share"),
    ("trainer.limit_train_batches", 1, "one batch"),
    ("trainer.gradient_clip_val", None, "no clipping"),
    ("data.module.num_workers", 0, "the main process reads"),
    ("data.module.num_workers", "auto", "by the machine"),
    ("compile", "reduce-overhead", "CUDA graphs"),
    ("evaluation.filmstrips", 0, "no faces in the report"),
    ("model.optimizer.weight_decay", 0, "none"),
    ("model.network.rarm.dropout", 0, "none"),
    ("data.module.source.fps", None, "each file's own rate"),
    ("seed", 4294967295, "the largest one"),
    ("trainer.fast_dev_run", False, "off"),
    ("trainer.barebones", None, "off"),
    ("callbacks.last.save_top_k", 0, "no last.ckpt: it does not choose"),
    ("data.manifest.size", None, "series only"),
    ("model.objective.contrast_weight", 0, "the term is reported and does not pull"),
]

PREPROCESS = {
    "aligner": {"size": 113, "margin": "wide", "smooth_s": -1, "oval": "maybe"},
    "quality": {"max_yaw": "lots", "max_hidden": 2, "min_sharpness": None, "luminance": [0.1, "x"]},
    "face": {"max_faces": 0, "search_every": "often"},
    "store": {"crf": 52, "gop": 0.5},
    "executor": {"workers": "two", "cpus": 0},
    "least_usable": -0.1,
    "few_usable": "half",
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return composed("experiment=mpdrm_series", output=tmp_path_factory.mktemp("run"))


def with_value(config, key, value):
    """The config with another value; composing each anew would take most of a minute."""
    first, _, rest = key.partition(".")
    return config | {first: with_value(config[first], rest, value) if rest else value}


@pytest.mark.parametrize(("key", "value", "says"), BAD)
def test_a_setting_that_no_run_can_mean_is_refused_with_key_value_and_remedy(plain, key, value, says):
    with pytest.raises(ConfigError) as caught:
        check_settings(
            with_value(plain, key.replace("data.cohort", "data.manifest"), value)
        )  # as it resolves
    (line,) = str(caught.value).splitlines()
    shown = json.dumps(value[-1] if isinstance(value, list) else value)
    assert line.startswith(key)
    assert f"={shown}: must be " in line
    assert says in line


@pytest.mark.parametrize(("key", "value", "why"), FINE)
def test_what_looks_odd_and_is_right_passes(plain, key, value, why):
    check_settings(with_value(plain, key, value))


def test_all_faults_are_listed_at_once(plain):
    with pytest.raises(ConfigError) as caught:
        check_settings(plain | {"width": -4, "seed": -1})
    assert len(str(caught.value).splitlines()) == 2


def test_nothing_is_made_before_settings_are_checked(plain, tmp_path):
    config = with_value(plain, "data.module.subjects", 0) | {"paths": {"output": "", "data": str(tmp_path)}}
    with pytest.raises(ConfigError, match=r"data\.module\.subjects=0: must be a whole number"):
        train(config, folder=tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_every_bad_setting_of_preprocessing_is_told_with_its_key():
    with pytest.raises(ConfigError) as caught:
        check_settings(PREPROCESS)
    told = str(caught.value)
    assert len(told.splitlines()) == 16
    assert 'quality.max_yaw="lots": must be degrees above 0 and below 90' in told
    assert "aligner.size=113: must be an even whole number, 112 to 256" in told
    for value in ("abc", None, 224.0):
        with pytest.raises(ConfigError, match=r"aligner\.size=.*: must be an even whole number"):
            check_settings({"aligner": {"size": value}})
    with pytest.raises(ConfigError, match=r"two shares, as in quality\.luminance="):
        check_settings({"quality": {"luminance": 0.5}})
