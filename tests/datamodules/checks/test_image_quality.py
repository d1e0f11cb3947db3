import cv2
import numpy as np
import pytest

from datamodules.checks.image_quality import border_share, measure_pictures, sharpness
from datamodules.manifests.manifest import read_manifest


def test_the_border_is_what_a_letterbox_takes_away():
    picture = np.random.default_rng(0).uniform(60, 200, size=(40, 50))
    assert border_share(picture) == 0
    boxed = picture.copy()
    boxed[:4] = boxed[-6:] = 3
    assert border_share(boxed) == pytest.approx(10 / 40)
    boxed[:, :10] = 16
    assert border_share(boxed) == pytest.approx(1 - 30 * 40 / 2000)
    boxed[10:20, 20:30] = 0  # a dark thing in the middle is no border
    assert border_share(boxed) == pytest.approx(1 - 30 * 40 / 2000)
    assert border_share(np.zeros((4, 4))) == 1


def test_sharpness_is_the_variance_of_the_laplacian():
    picture = np.random.default_rng(1).uniform(0, 255, size=(32, 48))
    expected = cv2.Laplacian(picture, cv2.CV_64F)[1:-1, 1:-1].var()
    assert sharpness(picture) == pytest.approx(expected)
    assert sharpness(cv2.GaussianBlur(picture, (5, 5), 0)) < 0.2 * expected


def test_every_video_is_measured_and_an_unreadable_one_is_named(videos, caplog):
    manifest = read_manifest(videos(persons=2))
    ids = manifest.table["recording_id"].tolist()
    found = measure_pictures(manifest, ids).set_index("recording_id")
    assert found.index.tolist() == ids
    assert (found["border"] == 0).all()  # gray pictures without an edge
    assert (found["blur"] < 1).all()
    (manifest.root / "p00_v0.mp4").write_bytes(b"broken")
    again = measure_pictures(manifest, ids)
    assert again["recording_id"].tolist() == ids[1:]
    assert "p00_v0.mp4 cannot be read" in caplog.text


def test_series_have_no_pictures(cohort):
    manifest = read_manifest(cohort(persons=2))
    assert measure_pictures(manifest, manifest.table["recording_id"].tolist()).empty
