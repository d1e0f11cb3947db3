"""The range test: where a curve falls fastest, on training persons alone, the same every time."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch
from pytorch_lightning.tuner.tuning import Tuner

from engine.checkpoints.checkpoint import load_checkpoint
from engine.config.compose import ConfigError
from engine.training import lr_finder as rate
from engine.training.lr_finder import HIGHEST, LOWEST, find_rate, steepest
from engine.training.prepare import material

RATES = np.geomspace(LOWEST, HIGHEST, 121)  # every power of ten is in it


@pytest.mark.parametrize("middle", [1e-4, 1e-3, 1e-2])
def test_the_steepest_place_of_a_logistic_curve_is_its_middle(middle):
    losses = 1 / (1 + (RATES / middle) ** 2)  # logistic in log(rate)
    assert steepest(RATES, losses) == pytest.approx(middle)


def test_noise_at_the_lowest_rates_is_not_what_is_found():
    noise = 1e-3 * np.random.default_rng(0).standard_normal(RATES.size)
    found = steepest(RATES, 1 / (1 + (RATES / 1e-3) ** 2) + noise)
    assert 5e-4 < found < 2e-3


def test_losses_that_are_no_numbers_are_left_out():
    losses = 1 / (1 + (RATES / 1e-3) ** 2)
    losses[-20:] = np.nan
    assert steepest(RATES, losses) == pytest.approx(1e-3)


@pytest.mark.parametrize("losses", [RATES, np.full(RATES.size, np.nan)])
def test_a_loss_that_never_falls_names_the_remedy(losses):
    with pytest.raises(ConfigError, match=r"set model\.optimizer\.lr yourself"):
        steepest(RATES, losses)


def test_several_devices_are_refused(compose_run):
    config = compose_run("experiment=mpdrm_series", "trainer.devices=2", "find_lr=true")
    with pytest.raises(ConfigError, match="one device"):
        find_rate(config, None, None, statistics={}, folder=None)


@pytest.mark.slow
def test_a_run_trains_with_the_rate_it_found_and_says_so(small_run, tmp_path, monkeypatch):
    met, search = [], Tuner.lr_find

    def spied(self, task, *, datamodule, **options):
        met.append(datamodule.split)
        return search(self, task, datamodule=datamodule, **options)

    monkeypatch.setattr(rate.Tuner, "lr_find", spied)
    monkeypatch.setattr(rate, "STEPS", 30)
    run = small_run(tmp_path / "run", "find_lr=true")
    checkpoint = load_checkpoint(run.best)
    found = run.record["found_lr"]
    assert (
        checkpoint.config["model"]["optimizer"]["lr"]
        == found["rate"]
        != run.config["model"]["optimizer"]["lr"]
    )
    assert LOWEST < found["rate"] < HIGHEST
    assert found["rate"] in found["rates"]
    assert len(found["rates"]) == len(found["losses"])
    (alone,) = met
    assert set(alone.train) == set(checkpoint.split["train"])
    assert alone.val == alone.test == ()
    manifest, split = material(run.config)
    blind = manifest.without_labels({*split.val, *split.test})
    data = run.config["data"]
    workers = run.config | {"data": data | {"module": data["module"] | {"num_workers": 1}}}
    statistics = _statistics(checkpoint.statistics)
    torch.rand(3)  # whatever was drawn before, and whoever reads
    again = find_rate(workers, blind, split, statistics=statistics, folder=tmp_path)
    assert json.loads(json.dumps(asdict(again))) == found


def _statistics(plain):
    return {k: torch.tensor(v) if isinstance(v, list) else v for k, v in plain.items()}
