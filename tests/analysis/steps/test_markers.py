"""The step of markers on a cohort whose truth is known."""

import pytest

from analysis.steps.markers import Markers
from datamodules.manifests.questionnaires import ItemError
from evaluation.uncertainty.bootstrap import Resampling

DASS = ("DASS-21-D", "DASS-21-A", "DASS-21-S")


@pytest.fixture(scope="module")
def markers(drawn):
    step = Markers(scales=DASS, features=["gaze_", "blink_", "pupil_"], n_perm=1999)
    return step(drawn, Resampling(1000))


@pytest.mark.slow
def test_lowered_gaze_goes_with_all_totals_and_the_pupil_with_none(markers, drawn):
    found = markers.tables["markers"].set_index(["feature", "score"])
    assert len(found) == 3 * (6 + 2 + 4)
    for scale in DASS:
        assert found.loc[("gaze_vertical", scale), "p_holm"] < 0.05
        assert found.loc[("gaze_vertical", scale), "high"] < 0
        assert found.loc[("pupil_ratio", scale), "p_holm"] > 0.05
    (section,) = markers.sections
    assert section.plot.startswith("data:image/svg")
    assert len(section.rows) == found["rho"].notna().sum()
    count = len(drawn.recordings)
    verdict = f"the ratio cannot be read as a pupil in {count} of {count} recordings"
    assert any(verdict in remark for remark in section.remarks)
    assert any("pupil eyes correlation" in remark for remark in section.remarks)  # not tested, and why


@pytest.mark.slow
def test_features_or_items_that_are_not_there_stop_the_step(drawn):
    with pytest.raises(ValueError, match="no feature begins with one of ear_"):
        Markers(scales=DASS, features=["ear_"], n_perm=9)(drawn, Resampling(1000))
    with pytest.raises(ItemError, match="HAMD-17 needs the columns"):
        Markers(scales=["HAMD-17"], features=["gaze_"], n_perm=9)(drawn, Resampling(1000))
