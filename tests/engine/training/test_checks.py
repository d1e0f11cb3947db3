import numpy as np
import pandas as pd
import pytest

from engine.config.compose import ConfigError
from engine.train import train
from engine.training.checks import undefined
from evaluation.metrics.applicable import kinds_of
from evaluation.metrics.catalog import METRICS


def rows(score=(1.0, 2.0, 30.0), binary=(0.0, 0.0, 1.0), band=(0.0, 0.0, 3.0)):
    return pd.DataFrame({"score": score, "binary": binary, "band": band})


def test_whatever_training_logs_is_defined_on_labels_that_vary():
    kinds = kinds_of(["score", "binary", "band"])
    for name in [name for name, metric in METRICS.items() if metric.kind in kinds] + ["loss", "contrast"]:
        assert undefined(f"val/{name}", rows()) is None, name


@pytest.mark.parametrize("name", ["auc", "average_precision"])
def test_one_class_cannot_rank(name):
    assert undefined(f"val/{name}", rows(binary=(0.0, 0.0, 0.0))) is not None
    assert undefined("val/brier", rows(binary=(0.0, 0.0, 0.0))) is None


@pytest.mark.parametrize("name", ["pearson", "ccc"])
def test_equal_scores_do_not_correlate(name):
    assert "equal" in undefined(f"val/{name}", rows(score=(5.0, 5.0, 5.0)))
    assert undefined("val/mae", rows(score=(5.0, 5.0, 5.0))) is None
    assert undefined("val/quadratic_kappa", rows(band=(1.0, 1.0, 1.0))) is not None


@pytest.mark.parametrize("name", ["auc", "mae", "pearson", "score", "brier", "binary", "loss", "band"])
def test_nothing_follows_from_no_labels(name):
    nothing = rows(*np.full((3, 3), np.nan))
    assert "label" in undefined(f"val/{name}", nothing)


def one_class(table):
    """Nobody depressed in the validation part."""
    low = table["score"].astype(float).lt(14) & table["split"].eq("val")  # of BDI-II
    assert low.any()
    return table[low | table["split"].ne("val")]


def test_one_class_in_validation_stops_before_training(own_table, compose_own, tmp_path):
    config = compose_own(one_class(own_table))
    with pytest.raises(
        ConfigError, match=r"split 'given': val/auc is undefined .* one class.*val/mae"
    ) as stop:
        train(config, folder=tmp_path / "run")
    assert "another split" in str(stop.value)
    assert not list((tmp_path / "run").rglob("*.ckpt"))


def test_early_stopping_on_what_is_undefined_stops_too(own_table, compose_own, tmp_path):
    watching = ["callbacks=early_stopping", "callbacks.early_stopping.monitor=val/average_precision"]
    config = compose_own(one_class(own_table), "selection.monitor=val/mae", *watching)
    with pytest.raises(ConfigError, match="val/average_precision is undefined"):
        train(config, folder=tmp_path / "run")


@pytest.mark.slow
def test_other_monitors_choose_on_one_class(own_table, compose_own, tmp_path):
    config = compose_own(one_class(own_table), "selection.monitor=val/mae", "trainer.max_epochs=2")
    assert np.isfinite(train(config, folder=tmp_path / "run"))
