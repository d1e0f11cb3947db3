from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from biomarkers.features.coordination import Coordination
from datamodules.splits.longitudinal import Longitudinal
from datamodules.splits.protocols import Holdout
from datamodules.synthetic.cohort import synthetic_manifest
from engine.config.compose import ConfigError
from engine.inference.lines import Lines, with_visits
from engine.inference.recordings import rows_of, targets
from engine.inference.series_features import SeriesFeatures, series_source
from evaluation.baselines.line_names import FAMILIES

HEADS = ("score", "binary")
PIXELS = {
    "_target_": "datamodules.clips.dataset.PixelClips",
    "video": {"_target_": "datamodules.readers.video_source.VideoSource", "height": 32, "width": 32},
}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """Sixteen persons of three visits of two seconds."""
    return synthetic_manifest(
        root=tmp_path_factory.mktemp("cohort"), n_subjects=16, n_visits=3, fps=12.0, duration_s=2.0,
        size=None, confound=1.0, habit_visibility=0.1, seed=0, workers=1,
    )  # fmt: skip


def config(lines=None, **source):
    node = {"_target_": "datamodules.clips.dataset.SeriesClips", **source}
    evaluation = {} if lines is None else {"lines": lines}
    return {"data": {"module": {"source": node}}, "evaluation": evaluation}


def test_by_default_every_family_answers_for_every_recording_in_three_readings(manifest):
    split = Holdout().splits(manifest)[0]
    asked = {*split.test, *split.val}
    found = Lines(config(), manifest).of(split, asked, heads=HEADS)
    assert list(found.families) == list(FAMILIES)
    rows = rows_of(targets(manifest), asked)
    for readings in found.families.values():
        assert list(readings) == ["raw", "enrolment", "both"]
        for line in readings.values():
            table = line(None, rows, heads=HEADS).predictions
            assert table["recording_id"].tolist() == rows["recording_id"].tolist()
            assert np.isfinite(table[["score_prediction", "binary_prediction"]]).all(axis=None)
            assert table["binary_prediction"].between(0, 1).all()


def test_statistics_are_of_the_whole_recording_and_of_the_channels_that_the_network_reads(manifest):
    split = Holdout().splits(manifest)[0]
    source = series_source(config(channels=["au12", "au04"]), manifest)
    table = SeriesFeatures(manifest=manifest, source=source, families=("statistics",)).of(split.train)
    recording = manifest.recordings()[0]
    own = source.series(recording)
    values = own.values[own.valid].astype(np.float64)
    row = table["statistics"].loc[recording.recording_id]
    assert row["au12_mean"] == pytest.approx(values[:, 0].mean())
    assert row["au04_speed"] == pytest.approx(np.abs(np.diff(values[:, 1])).mean())
    assert len(row) == 6


def test_many_channels_are_read_by_their_components_fitted_on_training_recordings(manifest):
    split = Holdout().splits(manifest)[0]
    source = series_source(config(column="landmark_path"), manifest)
    features = SeriesFeatures(manifest=manifest, source=source, families=("statistics", "cross_correlation"))
    found = features.of(split.train)
    assert len(found["statistics"].columns) == 300
    assert len(found["cross_correlation"].columns) == 48 + 120 + 3 * 240
    assert found["cross_correlation"].notna().all(axis=None)
    other = features.of(split.test)
    assert found["statistics"].equals(other["statistics"])
    assert not found["cross_correlation"].equals(other["cross_correlation"])


def test_pixels_have_lines_only_where_their_series_were_measured(manifest):
    node = config() | {"data": {"module": {"source": PIXELS}}}
    split = Holdout().splits(manifest)[0]
    found = Lines(node, manifest).of(split, split.test, heads=HEADS).families
    assert all("no series was measured" in reason for reason in found.values())
    some = Lines(config(["statistics"]), manifest).of(split, split.test, heads=HEADS).families
    assert some["rocket"] == "it is not among evaluation.lines"
    with pytest.raises(ConfigError, match="give a list of some of statistics"):
        Lines(config(["statistic"]), manifest)


def test_earlier_scores_are_those_that_the_protocol_makes_known(manifest):
    table = targets(manifest)
    first, second, third = (table[table["session_id"] == name] for name in sorted(set(table["session_id"])))
    split = Longitudinal(known=1).splits(manifest)[0]
    last, mean = Lines(config([]), manifest).of(split, split.test, heads=HEADS).further
    rows = rows_of(table, split.test)
    found = last(rows_of(table, split.train), rows, heads=HEADS).predictions
    expected = first.set_index("subject_id")["score"].loc[rows["subject_id"]]
    assert found["score_prediction"].tolist() == expected.tolist()
    split = Longitudinal(known="all").splits(manifest)[0]
    last, mean = Lines(config([]), manifest).of(split, split.test, heads=HEADS).further
    rows = rows_of(table, split.test)
    found = mean(rows_of(table, split.train), rows, heads=HEADS).predictions.set_index("recording_id")
    person = rows["subject_id"].iloc[0]
    scores = [part.set_index("subject_id")["score"][person] for part in (first, second)]
    late = third.set_index("subject_id")["recording_id"][person]
    assert found["score_prediction"][late] == np.mean(scores)
    disjoint = Holdout().splits(manifest)[0]
    last, mean = Lines(config([]), manifest).of(disjoint, disjoint.test, heads=HEADS).further
    line = last(rows_of(table, disjoint.train), rows_of(table, disjoint.test), heads=HEADS)
    assert line.predictions is None


def test_where_everybody_trained_the_training_visits_before_the_tested_one_are_known(manifest):
    split = Longitudinal().splits(manifest)[0]
    table = with_visits(targets(manifest), split)
    assert table["known"].tolist() == table["recording_id"].isin(split.train).tolist()
    last, _ = Lines(config([]), manifest).of(split, split.test, heads=HEADS).further
    rows = rows_of(table, split.test)
    found = last(rows_of(table, split.train), rows, heads=("score",)).predictions
    trained = rows_of(table, split.train).set_index("subject_id")["score"]
    assert found["score_prediction"].tolist() == trained.loc[rows["subject_id"]].tolist()


def test_under_known_visits_nothing_later_stands_beside_a_recording(manifest):
    split = Longitudinal(known=1).splits(manifest)[0]
    lines = Lines(config(["statistics"]), manifest)
    whole = lines.of(split, split.test, heads=HEADS).families["statistics"]["both"]
    rows = rows_of(targets(manifest), split.test)
    answers = whole(None, rows, heads=HEADS).predictions.set_index("recording_id")["score_prediction"]
    # without a later visit of a tested person, the one before it is answered as it was
    gone = rows[rows["session_id"] == max(rows["session_id"])]["recording_id"].iloc[0]
    kept = manifest.table[manifest.table["recording_id"] != gone].reset_index(drop=True)
    fewer = replace(manifest, table=kept)
    asked = [name for name in split.test if name != gone]
    part = Lines(config(["statistics"]), fewer).of(split, asked, heads=HEADS).families["statistics"]["both"]
    found = part(None, rows_of(targets(fewer), asked), heads=HEADS).predictions
    again = found.set_index("recording_id")["score_prediction"]
    pd.testing.assert_series_equal(again, answers.loc[again.index])


def test_what_cannot_be_measured_in_any_recording_is_no_line_and_says_so(manifest, monkeypatch):
    # two seconds are too short for these delays
    monkeypatch.setattr(
        "engine.inference.series_features.Coordination",
        lambda channels: Coordination(channels=channels, spacings=(12,)),
    )
    split = Holdout().splits(manifest)[0]
    found = Lines(config(["coordination"]), manifest).of(split, split.test, heads=HEADS).families
    assert found["coordination"] == "none of its features could be measured in a training recording"


def test_a_network_on_tokens_is_told_of_tokens_and_not_of_pixels(manifest):
    tokens = {"data": {"module": {"source": {"_target_": "datamodules.clips.tokens.TokenClips"}}}}
    why = series_source(tokens, manifest)
    assert why == "the network reads tokens of an encoder, in which no series was measured"
