import os
import subprocess
import sys

import numpy as np
import pytest
from aeon.transformations.collection.convolution_based import Rocket
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from biomarkers.estimators.linear import LogisticReader, RidgeReader, RidgeRegressor
from biomarkers.estimators.rocket import kernel_pipeline, rocket
from biomarkers.estimators.series_array import SeriesPanel
from datamodules.series import Series
from engine.config.source_code import ROOT
from tests.isolation import check_isolated

pytestmark = pytest.mark.slow  # seconds each

CHANNELS = ("au04", "au12")
PERSONS = np.repeat(np.arange(24), 2)
Y = (PERSONS % 2).astype(float)


_THREADS = """
import numpy as np, torch
from biomarkers.estimators.rocket import mini_rocket, rocket
torch.set_num_threads(1)
x = np.random.default_rng(0).normal(size=(4, 2, 40)).astype(np.float32)
{kernels}(n_kernels=84).fit_transform(x)
print(torch.get_num_threads())
"""


@pytest.mark.parametrize("kernels", ["rocket", "mini_rocket"])
def test_torch_keeps_its_threads_where_numba_starts_its_own(kernels):
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_NUM_THREADS"}
    words = [sys.executable, "-c", _THREADS.format(kernels=kernels)]
    told = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    assert told.stdout.split()[-1] == "1"


def as_series(values):
    return Series(
        values=np.asarray(values, dtype=np.float32),
        channels=CHANNELS,
        valid=np.ones(len(values), dtype=bool),
        fps=10.0,
    )


def recordings(seed=0):
    """Unequal lengths; the first channel swings faster in the positives, the level tells nothing."""
    rng = np.random.default_rng(seed)
    found = []
    for positive in Y:
        t = np.linspace(0, 1, rng.integers(40, 60))
        swing = np.sin(2 * np.pi * (6 if positive else 3) * t + rng.uniform(0, 6))
        noise = rng.standard_normal((len(t), 2))
        found.append(as_series(2 + noise * 0.3 + np.c_[swing, np.zeros_like(t)]))
    return found


def pipeline(kernels, reader, **options):
    panel = SeriesPanel(**({"channels": CHANNELS, "length": 40} | options))
    return kernel_pipeline(panel=panel, kernels=kernels, reader=reader)


KERNELS = rocket(n_kernels=100)


@pytest.mark.parametrize("reader", [RidgeReader(), LogisticReader()], ids=lambda r: type(r).__name__)
@pytest.mark.slow
def test_unseen_persons_are_told_apart_and_a_seed_repeats_itself(reader):
    found, train, test = recordings(), PERSONS < 16, PERSONS >= 16
    fit = [r for r, chosen in zip(found, train, strict=True) if chosen]
    asked = [r for r, chosen in zip(found, test, strict=True) if chosen]
    once, again = (
        clone(pipeline(KERNELS, reader)).fit(fit, Y[train], PERSONS[train]).predict_proba(asked)[:, 1]
        for _ in range(2)
    )
    np.testing.assert_array_equal(once, again)
    assert roc_auc_score(Y[test], once) > 0.95


def test_scores():
    found = recordings()
    score = 10 * Y + np.random.default_rng(0).standard_normal(len(Y))
    fit = pipeline(KERNELS, RidgeRegressor()).fit(found[:32], score[:32], PERSONS[:32])
    assert np.corrcoef(fit.predict(found[32:]), score[32:])[0, 1] > 0.9


def test_scaling_by_recording_is_rockets_own_normalization():
    found = recordings()
    raw = SeriesPanel(channels=CHANNELS, length=40, scaling="none").fit_transform(found)
    expected = Rocket(n_kernels=50, normalise=True, random_state=3).fit_transform(raw)
    ours = SeriesPanel(channels=CHANNELS, length=40, scaling="recording").fit_transform(found)
    features = rocket(n_kernels=50, seed=3).fit_transform(ours)
    np.testing.assert_allclose(features, expected, atol=2e-3)


@pytest.mark.slow
def test_nothing_is_learned_from_the_test_rows():
    x = np.stack(
        [
            SeriesPanel(channels=CHANNELS, length=40, scaling="none").fit_transform([r])[0]
            for r in recordings()
        ]
    )
    flat = x[:24].transpose(0, 2, 1).reshape(24, -1)

    def procedure(rows, target, train, test):
        series = [as_series(row.reshape(-1, 2)) for row in rows]
        model = clone(pipeline(KERNELS, RidgeReader(folds=2)))
        model.fit([series[i] for i in train], target[train], PERSONS[train])
        return lambda asked: model.decision_function([as_series(row.reshape(-1, 2)) for row in asked])

    check_isolated(procedure, flat, Y[:24], train=np.arange(16), test=np.arange(16, 24))
