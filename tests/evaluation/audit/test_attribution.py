import numpy as np
import pandas as pd
import pytest

from evaluation.audit.attribution import (
    Attributions,
    attribution_table,
    completeness,
    region,
    regions_of,
    step_curves,
    summed_regions,
    summed_thirds,
    unit,
)
from evaluation.report.attribution_page import write_attribution
from evaluation.uncertainty.bootstrap import Resampling

CHANNELS = ("au04", "au12", "au12_present", "gaze_x")
RESAMPLING = Resampling(1000)


@pytest.mark.parametrize(
    ("channel", "part"),
    [
        ("au01", "brows"),
        ("au45", "eyes"),
        ("au09", "nose"),
        ("au12_present", "mouth"),
        ("au25_probability", "mouth"),
        ("gaze_x", "gaze"),
        ("pose_yaw", "head"),
        ("pupil", "eyes"),
        ("x_17", "brows"),
        ("Y_48", "mouth"),
        ("x_0", "other"),
        ("browDownLeft", "brows"),
        ("cell_lower_5_0", "lower picture"),
        ("valence", "other"),
    ],
)
def test_regions_of_the_face(channel, part):
    assert region(channel) == part


def test_what_belongs_to_one_unit():
    assert [unit(channel) for channel in CHANNELS] == ["AU04", "AU12", "AU12", "gaze_x"]
    assert regions_of(CHANNELS) == ("brows", "mouth", "gaze")


def test_thirds_are_those_of_the_real_steps():
    values = np.arange(1.0, 9.0)[None, :, None]
    mask = np.array([[False, True, True, True, True, True, True, False]])
    assert summed_thirds(values, mask)[0, :, 0].tolist() == [2 + 3, 4 + 5, 6 + 7]
    assert summed_thirds(values, mask & False).sum() == 0


def test_regions_add_up_to_everything():
    values = np.random.default_rng(0).normal(size=(2, 5, 4))
    sums = summed_regions(values, CHANNELS, regions_of(CHANNELS))
    assert sums[..., 1] == pytest.approx(values[..., 1] + values[..., 2])
    assert sums.sum(2) == pytest.approx(values.sum(2))


def _found(thirds, clips, steps=None):
    thirds = np.asarray(thirds, dtype=np.float64)
    regions = regions_of(CHANNELS)
    steps = np.zeros((len(thirds), 6, len(regions))) if steps is None else steps
    return Attributions(
        clips=clips, thirds=thirds, steps=steps, channels=CHANNELS, regions=regions, unit="logit"
    )


def _clips(names, persons, output=1.0, baseline=0.0):
    return pd.DataFrame(
        {"recording_id": names, "subject_id": persons, "output": output, "baseline": baseline}
    )


@pytest.fixture
def small():
    """Person p has recordings a (clips 2 and 4 on AU12) and b (-9), person q recording c (1)."""
    thirds = np.zeros((4, 3, 4))
    thirds[:, 0, 1] = [2.0, 4.0, -9.0, 0.0]
    thirds[3, 2, 2] = 1.0
    return _found(thirds, _clips(["a", "a", "b", "c"], ["p", "p", "p", "q"]))


def _row(table, *key):
    return table.set_index(["scope", "name", "third"]).loc[key]


def test_the_mean_is_over_clips_then_recordings_then_persons(small):
    table = attribution_table(small, RESAMPLING)
    row = _row(table, "unit", "AU12", "all")
    assert row["value"] == pytest.approx(((3 - 9) / 2 + 1) / 2)
    assert row["strength"] == pytest.approx(((3 + 9) / 2 + 1) / 2)
    assert (row["low"], row["high"]) == pytest.approx((-3, 1))  # both draws of two are p, or both are q
    assert _row(table, "unit", "AU12", "late")["value"] == pytest.approx(0.5)
    assert _row(table, "channel", "au12", "late")["value"] == 0
    assert _row(table, "region", "mouth", "early")["value"] == pytest.approx(-1.5)
    assert _row(table, "all", "all", "all")["value"] == pytest.approx(row["value"])


def test_channels_thirds_and_regions_add_up_to_all():
    rng = np.random.default_rng(1)
    found = _found(rng.normal(size=(6, 3, 4)), _clips(list("abcdef"), list("pqrstu")))
    table = attribution_table(found, RESAMPLING)
    total = _row(table, "all", "all", "all")["value"]
    for scope in ("region", "unit", "channel"):
        rows = table[table["scope"] == scope]
        assert rows.loc[rows["third"] == "all", "value"].sum() == pytest.approx(total)
        assert rows.loc[rows["third"] != "all", "value"].sum() == pytest.approx(total)


def test_one_person_has_no_interval(small):
    found = _found(small.thirds[:2], small.clips[:2])
    assert attribution_table(found, RESAMPLING)[["low", "high", "strength_low"]].isna().all(axis=None)


def test_recordings_of_unknown_persons_are_persons_of_their_own(small):
    found = _found(small.thirds, small.clips.assign(subject_id="unknown"))
    assert _row(attribution_table(found, RESAMPLING), "unit", "AU12", "all")["value"] == pytest.approx(
        (3 - 9 + 1) / 3
    )


def test_what_does_not_add_up_is_measured(small):
    outputs = [2.0, 4.0, -9.0, 3.0]  # the last clip's attributions sum to 1
    found = completeness(_found(small.thirds, small.clips.assign(output=outputs)))
    assert found["max_residual"] == pytest.approx(2.0)
    assert found["unexplained"] == pytest.approx((2 / 4) / (18 / 4))
    assert not found["complete"]
    still = completeness(_found(small.thirds * 0, small.clips.assign(output=0.0)))
    assert still["unexplained"] is None
    assert not still["complete"]


def test_curves_are_means_over_persons(small):
    steps = np.zeros((4, 6, 3))
    steps[:, 2, 1] = [2.0, 4.0, -9.0, 1.0]
    curves = step_curves(_found(small.thirds, small.clips, steps))
    assert curves["mouth"].tolist() == pytest.approx([0, 0, -1, 0, 0, 0])
    assert curves["gaze"].tolist() == [0] * 6


def test_the_page_says_when_the_sums_do_not_hold(small, tmp_path):
    path = tmp_path / "attribution.html"
    table = attribution_table(small, RESAMPLING)
    write_attribution(path, found=small, table=table, complete=completeness(small), title="x")
    page = path.read_text()
    assert "NOT complete" in page
    assert page.count("<img") == 3
    assert "AU12" in page
