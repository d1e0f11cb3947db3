import numpy as np
import pytest

from studies.forecast import __main__ as study
from studies.forecast.cells import AUC, disturbed, forecasts, seen, visible, widths
from studies.forecast.simulated import HABIT, SHARED, Setting, disturbances, drawn, model_with, population

SMALL = Setting(20, 1)


def test_a_model_is_worth_on_the_population_what_is_asked():
    assert model_with(1, "severity", "auc", AUC).auc == pytest.approx(AUC, abs=1e-3)
    assert model_with(1, "severity", "mae", 4.0).mae == pytest.approx(4.0, abs=1e-3)


def test_studies_are_dealt_by_label_or_blindly():
    everybody, rng = population(1), np.random.default_rng(0)
    counts = {
        dealt: {
            int(everybody.positive[drawn(rng, everybody, Setting(20, 1, stratified=dealt))].sum())
            for _ in range(60)
        }
        for dealt in (True, False)
    }
    assert counts[True] == {round(20 * float(everybody.positive.mean()))}
    assert len(counts[False]) > 4


def test_disturbances_have_the_correlations_of_the_design():
    first, second = disturbances(np.random.default_rng(0), (40_000, 2))
    assert np.corrcoef(first.T)[0, 1] == pytest.approx(HABIT, abs=0.02)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] == pytest.approx(SHARED, abs=0.02)
    assert disturbed(1, "severity")["correlation"] > SHARED - 0.02


def test_a_forecast_is_near_the_reports_of_a_setting():
    found, made = widths(SMALL, studies=200), forecasts(SMALL)
    for name in ("auc", "mae"):
        assert found[name]["studies"] == 200
        assert made[name] == pytest.approx(found[name]["mean"], rel=0.1)


def test_chunks_of_comparisons_are_those_of_one_run():
    setting = Setting(50, 1)
    pair = visible(setting, "auc")
    assert pair["difference"] == pytest.approx(pair["first"] - pair["second"])
    together = seen(setting, "auc", pair, start=0, studies=6)
    assert together == sum(seen(setting, "auc", pair, start=start, studies=3) for start in (0, 3))
    assert together >= 2


@pytest.mark.slow
def test_the_study_goes_on_from_what_is_kept_and_writes_its_page(tmp_path, capsys):
    options = {"studies": 4, "comparisons": 2, "folder": tmp_path / "kept", "docs": tmp_path / "docs"}
    study.main(**options)
    assert capsys.readouterr().out.count("\n") == 10 + 6
    page = (tmp_path / "docs" / "forecast.md").read_text()
    assert "| 150 x 3 |" in page
    assert "Written by `python -m studies.forecast studies=4 comparisons=2`" in page
    assert (tmp_path / "docs" / "forecast.png").stat().st_size > 10_000
    study.main(**options)
    assert capsys.readouterr().out == ""
    assert (tmp_path / "docs" / "forecast.md").read_text() == page
