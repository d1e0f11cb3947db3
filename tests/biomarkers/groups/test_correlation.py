import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from biomarkers.features.feature_table import feature_table
from biomarkers.groups.correlation import correlate
from biomarkers.oculomotor.blinks import BlinkFeatures
from biomarkers.oculomotor.gaze import GazeDirection
from biomarkers.oculomotor.pupil import PupilRatio
from datamodules.synthetic.behavior import behave
from datamodules.synthetic.latent import CHANNELS, LatentSettings, draw_cohort
from evaluation.uncertainty.bootstrap import Resampling

CARRIED = ("gaze_x", "gaze_y", "au45", "pupil")


def tables(x, y, persons):
    ids = pd.DataFrame({"recording_id": [f"r{k:03d}" for k in range(len(persons))], "subject_id": persons})
    return ids.join(pd.DataFrame(x)), ids[["recording_id"]].join(pd.DataFrame(y))


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def test_values_are_scipys_and_corrections_those_of_statsmodels(rng):
    score = rng.integers(0, 8, 60).astype(float)  # with ties
    x = {"a": score + 2 * rng.standard_normal(60), "b": rng.standard_normal(60), "c": score**3}
    y = {"depression": score, "stress": rng.standard_normal(60)}
    found = correlate(*tables(x, y, [f"p{k}" for k in range(60)]), Resampling(1000), n_perm=1999)
    assert found[["feature", "score"]].to_numpy().tolist() == [list(k) for k in itertools.product(x, y)]
    for row in found.to_dict("records"):
        test = stats.spearmanr(x[row["feature"]], y[row["score"]])
        assert row["rho"] == pytest.approx(test.statistic)
        assert row["p"] == pytest.approx(test.pvalue, abs=0.03)  # 3 standard errors of 1999 permutations
        assert row["low"] <= row["rho"] <= row["high"]
    np.testing.assert_allclose(found["p_holm"], multipletests(found["p"], method="holm")[1])
    np.testing.assert_allclose(found["p_bh"], multipletests(found["p"], method="fdr_bh")[1])
    assert (found[["n_persons", "n_recordings"]] == 60).all(axis=None)


def test_recordings_of_a_person_are_not_independent(rng):
    # 12 persons of 20 equal recordings: intervals are those of 12 persons, not of 240 recordings.
    x, y = rng.standard_normal((2, 12))
    persons = [f"p{k:02d}" for k in range(12)]
    once = correlate(*tables({"x": x}, {"y": y}, persons), Resampling(1000), n_perm=999)
    twenty = correlate(
        *tables({"x": np.repeat(x, 20)}, {"y": np.repeat(y, 20)}, np.repeat(persons, 20)),
        Resampling(1000),
        n_perm=999,
    )
    for name in ("rho", "low", "high", "p"):
        assert twenty[name][0] == pytest.approx(once[name][0], abs=1e-9)
    assert twenty["n_persons"][0] == 12


def test_p_values_of_nothing_are_uniform(rng):
    # 20 persons of four visits; feature and score belong to the person, independent of each other.
    x = rng.standard_normal((20, 60)).repeat(4, axis=0) + 0.3 * rng.standard_normal((80, 60))
    y = rng.standard_normal(20).repeat(4)
    features = {f"f{k}": x[:, k] for k in range(60)}
    found = correlate(*tables(features, {"y": y}, np.repeat(np.arange(20), 4)), Resampling(1000), n_perm=499)
    assert stats.binomtest(int((found["p"] <= 0.1).sum()), 60, 0.1).pvalue > 0.01
    naive = [stats.spearmanr(x[:, k], y).pvalue for k in range(60)]
    assert np.mean(np.array(naive) <= 0.1) > 0.2  # what taking recordings for persons would claim


def test_gaps_stay_in_the_table_with_a_reason(rng):
    x = rng.standard_normal((3, 30))
    x[1, 5:] = np.nan
    x[2] = 1.0
    features, scores = tables(dict(zip("abc", x, strict=True)), {"y": x[0]}, list(map(str, range(30))))
    features.loc[:3, "a"] = np.nan
    found = correlate(features, scores, Resampling(1000), n_perm=99)
    assert found["reason"].tolist() == ["", "5 persons have both: 10 are needed", "the feature is constant"]
    assert found["n_recordings"].tolist() == [26, 5, 30]
    assert found["rho"][0] == pytest.approx(1)
    assert found["p_holm"].to_list()[0] == found["p"][0] == 1 / 100
    with pytest.raises(ValueError, match=r"scores \[\]"):
        correlate(features, scores[["recording_id"]], Resampling(1000))


@pytest.mark.slow
def test_what_moves_with_severity_in_the_cohort_is_found_and_the_pupil_is_not(make_series):
    # docs/guide/cohort.md: gaze_y by -0.05 rad a unit of severity, the rate of blinks by exp(0.15), the
    # pupil by 0.
    settings = LatentSettings(300, 1, 15.0, 16.0, confound=0.3, habit_visibility=0.1, seed=5)
    visits = draw_cohort(settings)
    at = [CHANNELS.index(name) for name in CARRIED]

    class Ids:
        session_id = "V1"

        def __init__(self, visit):
            self.recording_id = self.subject_id = visit.person.subject_id

    recordings = []
    for visit in visits:
        columns = behave(visit, settings)[:, at].T
        series = make_series(fps=15.0, **dict(zip(CARRIED, columns, strict=True)))
        recordings.append((Ids(visit), series))
    table = feature_table(recordings, [GazeDirection(), BlinkFeatures(), PupilRatio()]).table
    wanted = ["gaze_horizontal", "gaze_vertical", "blink_rate", "pupil_ratio", "pupil_ratio_sd"]
    scores = pd.DataFrame(
        {"recording_id": table["recording_id"], "severity": [visit.severity for visit in visits]}
    )
    features = table[["recording_id", "subject_id", *wanted]]
    found = correlate(features, scores, Resampling(1000), n_perm=1999).set_index("feature")
    assert found.loc["gaze_vertical", "high"] < -0.5
    assert found.loc["blink_rate", "low"] > 0
    for known in ("gaze_vertical", "blink_rate"):
        assert found.loc[known, "p_holm"] < 0.05
    for other in ("gaze_horizontal", "pupil_ratio", "pupil_ratio_sd"):
        assert found.loc[other, "p_holm"] > 0.05
