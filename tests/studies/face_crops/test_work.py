from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from studies.face_crops import work
from studies.face_crops.plan import Unit
from tests.conftest import SERIES

RATES = (1e-5, 1e-2)


@pytest.fixture
def unit(cohorts, tmp_path):
    overrides = (*SERIES, f"paths.data={cohorts}", "trainer.max_epochs=1")
    return Unit("arm", 0, overrides, tmp_path / "unit", RATES)


def test_validation_chooses_the_rate_and_its_checkpoint_alone_is_tested(unit, monkeypatch):
    fits, tested = [], []

    def fit(config, manifest, split, *, folder, own=work.fit_split):
        fitted = own(config, manifest, split, folder=folder)
        # whatever a tiny network reaches, the first rate is to be the better one
        fits.append(replace(fitted, objective=0.9 - 0.2 * len(fits)))
        return fits[-1]

    def load(path, own=work.load_checkpoint):
        tested.append(path)
        return own(path)

    monkeypatch.setattr(work, "fit_split", fit)
    monkeypatch.setattr(work, "load_checkpoint", load)
    found = work.done(unit)
    assert len(fits) == len(RATES)
    assert tested == [fits[0].best]
    assert (found["rates"], found["rate"]) == (list(RATES), RATES[0])
    np.testing.assert_allclose(found["val_aucs"], [0.9, 0.7])
    assert found["val_auc"] == pytest.approx(0.9)
    table = pd.read_csv(found["predictions"])
    assert found["test_auc"] == pytest.approx(
        roc_auc_score(table["binary_target"], table["binary_prediction"])
    )
    assert work.done(unit) == found
    assert len(fits) == len(RATES)  # nothing is trained again
    with pytest.raises(ValueError, match="other settings"):
        work.done(replace(unit, rates=(1e-3, 1e-2)))


def test_a_unit_without_rates_is_one_training_of_its_config(unit):
    assert replace(unit, rates=()).trainings == [unit.overrides]
    assert unit.trainings == [(*unit.overrides, f"model.optimizer.lr={rate}") for rate in RATES]
