import base64
import io
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from evaluation.report import figures
from evaluation.report.figures import AttentionExample
from evaluation.report.learning_curves import training_curves


def svg_of(uri):
    kind, data = uri.split(",", 1)
    assert kind == "data:image/svg+xml;base64"
    return ElementTree.fromstring(base64.b64decode(data))


@pytest.mark.slow
def test_every_plot_is_a_drawing(recordings):
    line = {"auc": {"value": 0.8, "low": 0.7, "high": 0.9}, "mae": {"value": None, "reason": "-"}}
    history = pd.DataFrame(
        {"epoch": [0, 0, 1], "train/loss": [2.0, np.nan, 1.0], "val/auc": [np.nan, 0.6, 0.7]}
    )
    drawings = [
        figures.predictions_against_truth(recordings, constant=15.0),
        figures.roc(recordings, threshold=0.5),
        figures.calibration(recordings),
        figures.trajectories(recordings),
        training_curves(history),
        figures.reference_forest(
            {"model": line, "constant": {"auc": {"value": 0.5, "low": None, "high": None}}}
        ),
    ]
    for uri in drawings:
        assert svg_of(uri).tag.endswith("svg")
    assert len(set(drawings)) == len(drawings)


def test_oracles_stand_apart_from_reference_lines():
    line = {"auc": {"value": 0.8, "low": 0.7, "high": 0.9}}
    known = {"model": line, "constant": line}
    assert b'id="oracles"' not in ElementTree.tostring(svg_of(figures.reference_forest(known)))
    both = figures.reference_forest(known | {"oracle raw": line})
    assert b'id="oracles"' in ElementTree.tostring(svg_of(both))


def test_equal_data_give_equal_drawings(recordings):
    first, second = (figures.roc(recordings, threshold=0.5) for _ in range(2))
    assert first == second


def test_a_plot_without_its_data_is_none(recordings):
    ids = recordings[["recording_id", "subject_id", "session_id"]]
    assert figures.predictions_against_truth(ids) is None
    assert figures.roc(recordings.assign(binary_target=1.0), threshold=None) is None
    assert figures.calibration(ids) is None
    assert figures.trajectories(ids) is None
    assert figures.trajectories(recordings.drop_duplicates("subject_id")) is None  # one visit each
    assert figures.reference_forest({"model": {}}) is None


def test_one_recording_and_one_person_can_be_drawn(recordings):
    assert figures.predictions_against_truth(recordings.iloc[:1])
    assert figures.calibration(recordings.iloc[:1])
    assert figures.trajectories(recordings.iloc[:3])


def test_long_names_give_way():
    assert figures._visit_labels(["v1", "v2"]) == ["v1", "v2"]
    assert figures._visit_labels(["2024-01-17", "2024-02-17", "2024-03-17"]) == ["1", "2", "3"]
    assert figures._short("short", 24) == "short"
    assert figures._short("a-rather-long-subject-name-084", 24).endswith("name-084")
    assert len(figures._short("a-rather-long-subject-name-084", 24)) == 24


def test_filmstrip_shows_frames_in_their_order():
    frames = np.zeros((16, 8, 8, 3), np.uint8)
    frames[8:, ..., 0] = 255  # the second half of the clip is red
    uri = figures.filmstrip(AttentionExample("r1", "", frames, np.full(5, 0.2)))
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).convert("RGB")).astype(int)
    red = (image[..., 0] > 240) & (image[..., 1] < 15)
    black = (image.sum(axis=-1) < 15) & (np.arange(image.shape[0]) < image.shape[0] // 2)[:, None]
    assert red.sum() > 1000
    assert np.nonzero(red)[1].min() > np.median(np.nonzero(black)[1])


@pytest.mark.parametrize(
    ("frames", "weights"),
    [
        (np.zeros((4, 8, 8, 3)), np.ones(4)),
        (np.zeros((4, 8, 8), np.uint8), np.ones(4)),
        (np.zeros((4, 8, 8, 3), np.uint8), np.ones(0)),
    ],
)
def test_wrong_frames_are_refused(frames, weights):
    with pytest.raises(ValueError, match="r1: frames must be uint8"):
        figures.filmstrip(AttentionExample("r1", "", frames, weights))
